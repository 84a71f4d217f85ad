"""A ``logsql`` that runs beside a test: what it prints as it prints it, and its end."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.cli.support import command, env
from tests.support import ROOT

#: A start takes a second, and many on a machine with other work.
PATIENCE = 90.0


class Running:
    """A process whose streams are files: nothing that it prints waits for the test."""

    def __init__(self, folder: Path, *words: str, stdin: int | IO[bytes] | None = None) -> None:
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command(*words), stdin=stdin, stdout=out, stderr=err, cwd=ROOT, env=env(), preexec_fn=_hears_ctrl_c
            )

    @property
    def out(self) -> str:
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text(encoding="utf-8")

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The rows, when there are so many of them. Fails after a time."""
        self._until(lambda: self.out.count("\n") >= count)
        return [json.loads(line) for line in self.out.splitlines()]

    def said(self, text: str) -> str:
        """What stands on stderr, when the text does."""
        self._until(lambda: text in self.err)
        return self.err

    def _until(self, true: Any) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, f"out: {self.out}\nerr: {self.err}"
            assert self.process.poll() is None or true(), f"ended: {self.process.returncode} {self.err}"
            time.sleep(0.01)

    def ctrl_c(self) -> int:
        """Ctrl-C, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


def _hears_ctrl_c() -> None:
    """A test that was started in the background ignores it, and what it starts would do so too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def running(folder: Path, *words: str, stdin: int | IO[bytes] | None = subprocess.DEVNULL) -> Iterator[Running]:
    """A process that ends with the test."""
    made = Running(folder, *words, stdin=stdin)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.process.kill()
        made.process.wait(PATIENCE)


def free_port() -> int:
    """A port that nobody has, of UDP and of TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        return False
    return True
