"""A ``logsql serve`` of its own process for a test: its configuration, what it says, what it has stored."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import duckdb
from prometheus_client.parser import text_string_to_metric_families

from tests.support import ROOT

#: Seconds in which a server must be ready, and end.
PATIENCE = 60.0


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody has just now."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Served:
    """One state folder with its configuration, and the process that serves it."""

    def __init__(self, folder: Path, body: str, status: bool = True, server: str = "") -> None:
        self.folder = folder
        self.port, self.udp, self.page = free_port(), free_port(socket.SOCK_DGRAM), free_port()
        self.state = folder / "state"
        self.config = folder / "serve.toml"
        self.said: list[str] = []
        #: What is run: the arguments of Python before ``serve``.
        self.program = ["-m", "logsql"]
        #: That of the status page, where it asks for one.
        self.token: str | None = None
        self._head = f'[server]\nstate_dir = "{self.state}"\ntimezone = "UTC"\n'
        self._head += f'status = "127.0.0.1:{self.page}"\n' if status else ""
        self.write(body, server)
        self.process: subprocess.Popen[str] | None = None

    def write(self, body: str, server: str = "") -> None:
        """Write the configuration; ``PORT`` and ``UDP`` in it are the ports of this server."""
        text = self._head + server + "\n" + body
        self.config.write_text(text.replace("PORT", str(self.port)).replace("UDP", str(self.udp)), encoding="utf-8")

    # --- the process ------------------------------------------------------------------------------

    def begin(self, *words: str, env: dict[str, str] | None = None) -> None:
        """Start the process; nothing is waited for."""
        self.said.clear()
        command = [sys.executable, *self.program, "serve", str(self.config), *words]
        self.process = subprocess.Popen(
            command, cwd=self.folder, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LOGSQL_LANG": "en", **(env or {})},
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line.rstrip("\n"))

    def start(self, *words: str, env: dict[str, str] | None = None) -> Served:
        """Start, and wait until it is ready."""
        self.begin(*words, env=env)
        self.until(lambda: any(line.startswith("ready: ") for line in self.said), "ready")
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        """Stop it; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE)
        self.process = None
        return code

    def kill(self) -> None:
        """``kill -9``."""
        self.end(signal.SIGKILL)

    def until(self, there: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait for something; a server that ended meanwhile, or took too long, fails the test with what it said."""
        until = time.monotonic() + seconds
        while not there():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > until:
                raise AssertionError(f"not {what}:\n" + "\n".join(self.said[-30:]))
            time.sleep(0.02)

    # --- what it tells ----------------------------------------------------------------------------

    def get(self, path: str) -> tuple[int, str]:
        """An answer of the status page."""
        connection = http.client.HTTPConnection("127.0.0.1", self.page, timeout=10)
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Metrics by name and values of labels, these in the order of their names."""
        families = text_string_to_metric_families(self.get("/metrics")[1])
        return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}

    def status(self) -> dict[str, list[dict[str, object]]]:
        """``/status``."""
        return cast("dict[str, list[dict[str, object]]]", json.loads(self.get("/status")[1]))

    def counted(self, name: str, *labels: str) -> float:
        """A metric; 0 where it has no value yet."""
        return self.metrics().get((name, *labels), 0)

    def verb(self, *words: str) -> subprocess.CompletedProcess[str]:
        """``logsql stream ...`` or any other call with this server."""
        return subprocess.run(
            [sys.executable, "-m", "logsql", "--server", str(self.state), *words],
            capture_output=True, text=True, timeout=PATIENCE, cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LOGSQL_LANG": "en"},
        )  # fmt: skip

    # --- what it has stored -----------------------------------------------------------------------

    def stored(self, query: str) -> list[tuple[object, ...]]:
        """Rows of its database, once it has ended."""
        with duckdb.connect(str(self.state / "live.duckdb"), read_only=True) as found:
            return found.execute(query).fetchall()

    # --- senders ----------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send over TCP on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as peer:
            peer.sendall(data)


def numbers(lines: list[str]) -> list[int]:
    """The numbers at the ends of lines."""
    return [int(found[0]) for line in lines if (found := re.findall(r"(\d+)$", line))]
