"""docs/tutorials/live-detection.md: its files, commands and outputs, with OpenSSL as the SIEM and as an endpoint."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import virustotal as vt
from tests.servers.pki import Authority
from tests.servers.virustotal import VirusTotal
from tests.streams.serving import PATIENCE, free_port
from tests.support import ROOT
from tests.tutorials import PAGES, carried_out, console_lines, enter_sample_folder, same_output

PAGE = (PAGES / "live-detection.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
NAMES = {
    "lq": ["train.lq", "fds.lq", "send.lq", "hashes.lq"],
    "toml": ["serve.toml", "sender.toml", "serve.toml"],
}
PORTS = ("6514", "6515", "6516", "8514")
SIEM = "openssl s_server -accept 6515 -cert fds.pem -key fds.key -quiet"


class Tutorial:
    """The page in a folder of its own, with ports that are free."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], running: ExitStack) -> None:
        self.folder, self.capture, self.running = folder, capture, running
        self.ports = {port: str(free_port()) for port in PORTS}
        blocks = [(kind, self.told(text)) for kind, text in BLOCK.findall(PAGE)]
        self.shell = [text for kind, text in blocks if kind == "sh"]
        self.consoles = [text for kind, text in blocks if kind == "console"]
        self.printed = [text for kind, text in blocks if kind == ""]
        self.files = {kind: [text for of, text in blocks if of == kind] for kind in NAMES}

    def told(self, text: str) -> str:
        """Words of the page with the ports of this run."""
        for port, here in self.ports.items():
            text = text.replace(port, here)
        return text

    def save(self, kind: str, number: int, more: Callable[[str], str] = str) -> None:
        """Save a block as the page says; what is there already stays."""
        name = NAMES[kind][number]
        assert f"`{name}`" in PAGE
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(more(self.files[kind][number]) + "\n")

    def bash(self, number: int) -> None:
        """Run a block of shell commands."""
        done = subprocess.run(
            ["bash", "-ec", self.shell[number]], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr

    def console(self, number: int) -> None:
        """Run a console, and compare what it prints."""
        for line, expected in console_lines(f"```console\n{self.consoles[number]}```"):
            found = carried_out(line, self.capture).splitlines()
            assert same_output([e for e in expected if e.strip()], [f for f in found if f.strip()], exact=True), found

    def begin(self, line: str, output: str) -> subprocess.Popen[bytes]:
        """Start a command of the page that goes on; what it says goes into a file."""
        assert f"    {line}\n" in PAGE
        words = self.told(line).split()
        command = [sys.executable, "-m", *words] if words[0] == "logsql" else words
        stream = self.running.enter_context((self.folder / output).open("wb"))
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=stream, stderr=stream,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LOGSQL_LANG": "en"},
        )  # fmt: skip
        self.running.callback(process.wait)
        self.running.callback(process.kill)
        return process

    def until(self, there: Callable[[], bool]) -> None:
        """Wait for something."""
        until = time.monotonic() + PATIENCE
        while not there():
            assert time.monotonic() < until, {name: self.said(name) for name in ("siem", "server", "again")}
            time.sleep(0.05)

    def said(self, output: str) -> str:
        """What a command has said so far."""
        path = self.folder / output
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def alerts(self) -> list[dict[str, object]]:
        """Whole lines that the SIEM has taken."""
        whole = self.said("siem").rpartition("\n")[0].splitlines()
        return [json.loads(line.removeprefix("<134>")) for line in whole if line.startswith("<134>{")]


@pytest.fixture
def tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Tutorial]:
    if shutil.which("openssl") is None:
        pytest.skip("program not installed: openssl")
    pytest.importorskip("prometheus_client", reason="package not installed: prometheus-client (extra live)")
    enter_sample_folder(tmp_path, monkeypatch)
    monkeypatch.setenv("VT_KEY", vt.KEY)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "user"))
    with ExitStack() as running:
        yield Tutorial(tmp_path, capsys, running)


def test_the_page_as_it_is_written(tutorial: Tutorial, tls: Authority, virustotal: VirusTotal) -> None:
    page = tutorial
    page.bash(0)
    page.save("lq", 0)
    page.bash(1)
    page.console(0)
    page.save("toml", 0)
    page.save("lq", 1)
    assert page.begin("logsql serve serve.toml --check", "checked").wait(PATIENCE) == 0, page.said("checked")
    page.begin(SIEM, "siem")
    server = page.begin("logsql serve serve.toml", "server")
    page.until(lambda: "ready: 1 receivers, 2 streams, 2 sinks\n" in page.said("server"))
    page.save("lq", 2)
    page.save("toml", 1)
    page.console(1)
    page.until(lambda: sum(int(str(a["count"])) for a in page.alerts() if "worst" in a) == 20)
    shown = [json.loads(line.removeprefix("<134>")) for line in page.printed[0].splitlines() if line != "..."]
    assert shown[0] in page.alerts()
    assert {key: shown[1][key] for key in ("host", "worst")} in [
        {key: a[key] for key in ("host", "worst")} for a in page.alerts() if "worst" in a
    ]
    page.console(2)
    server.send_signal(signal.SIGINT)
    assert server.wait(PATIENCE) == 0
    hashes_are_asked_about(page, tls, virustotal)
    page.console(3)


def hashes_are_asked_about(page: Tutorial, tls: Authority, virustotal: VirusTotal) -> None:
    """Section 5, with a server of ours in the place of the service."""
    places = ", ".join(f'"{name}" = "{place}"' for name, place in virustotal.resolve.items())
    given = f'ca_file = "{tls.ca_file}"\nproxy = "none"\nresolve = {{ {places} }}\n'
    page.save("toml", 2, lambda text: text.replace("[network]\n", "[network]\n" + given, 1))
    page.save("lq", 3)
    server = page.begin("logsql serve serve.toml", "again")
    page.until(lambda: "ready: 2 receivers, 3 streams, 2 sinks\n" in page.said("again"))
    page.bash(2)
    page.until(lambda: any("positives" in alert for alert in page.alerts()))
    assert json.loads(page.printed[1].removeprefix("<134>")) in page.alerts()
    assert [request.query["apikey"] for request in virustotal.server.log] == [vt.KEY]
    server.send_signal(signal.SIGINT)
    assert server.wait(PATIENCE) == 0
