"""Peers that behave as badly as they can: memory stays bounded, and who behaves well is heard within a second."""

from __future__ import annotations

import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.compute as pc
import pytest

from logsql.store.files import Files
from logsql.streams.feed import Feed
from tests.servers.pki import Authority
from tests.support import ROOT, sample

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell memory")
CONNECTIONS, SECONDS = sample(2000, 150), sample(20.0, 2.0)
MAX_FRAME = 64_000
#: Beside the frames: what waits to be written, and the batches that are made of it. Less than half of ``memory_limit``.
ROOM = 400_000_000


@dataclass
class Apart:
    """The process of a receiver."""

    process: subprocess.Popen[str]
    folder: Path
    tcp: int
    tls: int

    def memory(self, line: str) -> int:
        """``VmRSS``: bytes now; ``VmHWM``: at most so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(one for one in status.splitlines() if one.startswith(line)).split()[1]) * 1024

    def ages(self) -> list[float]:
        """Seconds that each message of the good sender took, when the receiver has ended."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        feed = Feed(self.folder / "journal" / "edge", Files())
        found: list[float] = []
        position = feed.start
        while (taken := feed.read(position)) is not None:
            good = taken.rows.filter(pc.starts_with(taken.rows["line"], "<13>good "))
            sent = [float(line[9:]) for line in good["line"].to_pylist()]
            found += [at / 1e6 - then for at, then in zip(good["_time"].cast("int64").to_pylist(), sent, strict=True)]
            position = taken.next
        feed.close()
        return found


@pytest.fixture
def apart(tmp_path: Path, tls: Authority) -> Iterator[Apart]:
    args = [sys.executable, "-m", "tests.streams.receiver_apart", tmp_path, tls.right.cert, tls.right.key]
    process = subprocess.Popen(args, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        tcp, secure = map(int, process.stdout.readline().split())
        yield Apart(process, tmp_path, tcp, secure)
    finally:
        process.kill()
        process.wait()


@dataclass
class Flood:
    """Many connections that send the same bytes without end, or one byte a second, in a thread."""

    port: int
    count: int
    data: bytes
    every: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Flood:
        self._socks = [socket.create_connection(("127.0.0.1", self.port), 30) for _ in range(self.count)]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        for sock in self._socks:
            sock.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for sock in self._socks:
                sock.setblocking(False)
                selector.register(sock, selectors.EVENT_WRITE)
            while not self._stop.is_set():
                for key, _ in selector.select(0.1):
                    with suppress(OSError):
                        key.fileobj.send(self.data)  # type: ignore[union-attr]
                self._stop.wait(self.every)


KINDS = {
    "endless line": (b"x" * 65_536, 0.0),
    "endless counted frame": (b"9999999 <13>" + b"x" * 65_536, 0.0),
    "a byte a second": (b"x", 1.0),
    "empty frames": (b"\n" * 65_536, 0.0),
    "nothing": (b"", 1.0),
    "messages": (b"".join(b"<13>%d\n" % (n % 10) for n in range(5000)), 0.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_flood_leaves_others_their_second(apart: Apart, kind: str) -> None:
    data, every = KINDS[kind]
    before = apart.memory("VmRSS")
    flooders = CONNECTIONS if every else CONNECTIONS // 10
    with Flood(apart.tcp, flooders, data, every), socket.create_connection(("127.0.0.1", apart.tcp), 30) as good:
        end, sent = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            good.sendall(b"<13>good %.6f\n" % time.time())
            sent += 1
            time.sleep(0.01)
    grown = apart.memory("VmHWM") - before
    ages = sorted(apart.ages())
    assert grown <= ROOM + 2 * MAX_FRAME * flooders, f"{grown / 1e6:.0f} MB"
    assert len(ages) <= sent
    assert len(ages) == sent or kind == "messages", "all but what lay in buffers at the end"
    assert len(ages) > sent / 2
    assert ages[int(len(ages) * 0.99)] < 1.0, f"p99 {ages[int(len(ages) * 0.99)]:.2f} s"


def test_handshakes_that_wait_leave_others_their_second(apart: Apart, tls: Authority) -> None:
    before = apart.memory("VmRSS")
    context = tls.client_context()
    with Flood(apart.tls, CONNECTIONS, b"\x16", 1.0):
        began = time.monotonic()
        sock = socket.create_connection(("127.0.0.1", apart.tls), 30)
        with context.wrap_socket(sock, server_hostname="localhost") as good:
            for _ in range(100):
                good.sendall(b"<13>good %.6f\n" % time.time())
        assert time.monotonic() - began < 2.0
    grown = apart.memory("VmHWM") - before
    ages = apart.ages()
    assert len(ages) == 100
    assert max(ages) < 1.0
    assert grown <= ROOM + 2 * MAX_FRAME * CONNECTIONS, f"{grown / 1e6:.0f} MB"
