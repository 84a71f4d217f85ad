"""A receiver of its own for a test, with a real journal behind it, on a loop that runs beside the test."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logsql.store.files import Files
from logsql.streams import rows
from logsql.streams.intake import Intake, Journal
from logsql.streams.metrics import FRAMES_BAD, MESSAGES, RECEIVER_LOST, REFUSED, Metric, Metrics
from logsql.streams.receivers.syslog import SyslogReceiver
from logsql.streams.settings import Receiver, Server, Tls
from tests.servers.loop import LoopThread
from tests.servers.pki import Authority

PATIENCE = 20.0


def until(true: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait for something; False when the time is over."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@dataclass
class Receiving:
    """A receiver that runs. ``port(transport)`` is where it listens."""

    receiver: SyslogReceiver
    intake: Intake
    journal: Journal
    loop: LoopThread

    @property
    def metrics(self) -> Metrics:
        return self.journal.metrics

    def port(self, transport: str = "tcp") -> int:
        return next(listen.port for listen in self.receiver.addresses if listen.transport == transport)

    def connect(self, transport: str = "tcp", context: ssl.SSLContext | None = None) -> socket.socket:
        """A connected client socket, over TLS with a context."""
        if transport == "udp":
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            sock.connect(("127.0.0.1", self.port("udp")))
            return sock
        sock = socket.create_connection(("127.0.0.1", self.port("tls" if context else transport)), 10)
        return context.wrap_socket(sock, server_hostname="localhost") if context else sock

    def say(self, *data: bytes, transport: str = "tcp", context: ssl.SSLContext | None = None) -> None:
        """Connect, send and close; over UDP a datagram each."""
        with self.connect(transport, context) as sock:
            for part in data:
                sock.sendall(part)

    def rows(self, count: int, seconds: float = PATIENCE) -> list[dict[str, Any]]:
        """The rows of the journal, once there are as many as that."""
        assert until(lambda: self.intake.feed.published >= count, seconds), f"{self.intake.feed.published} rows"
        found: list[dict[str, Any]] = []
        position = 0
        while (taken := self.intake.feed.read(position)) is not None:
            found += taken.rows.to_pylist()
            position = taken.next
        return found

    def lines(self, count: int) -> list[str]:
        return [row["line"] for row in self.rows(count)]

    def counted(self, metric: Metric, label: str = "") -> float:
        return self.metrics.value(metric, ("edge", label) if label else ("edge",))

    def comes(self, metric: Metric, label: str, value: float = 1) -> bool:
        """Whether a counter reaches a value soon."""
        return until(lambda: self.counted(metric, label) >= value)

    def identity(self) -> tuple[float, int]:
        """Messages counted, rows in the journal: the same at rest."""
        self.intake.drain()
        counted = sum(self.metrics.value(MESSAGES, ("edge", transport)) for transport in ("udp", "tcp", "tls"))
        return counted, self.intake.feed.published

    def reload(self, **changed: Any) -> bool:
        asked = Receiver(**{**vars(self.receiver.settings), **changed})
        return self.loop.run(self.receiver.reload(asked))


def tls_of(tls: Authority, name: str = "right", **more: Any) -> Tls:
    """The receiver's side of the authority of the tests."""
    pair = tls.pair(name)
    return Tls(str(pair.cert), str(pair.key), client_ca=str(tls.ca_file), **more)


@contextmanager
def receiving(
    folder: Path, loop: LoopThread, listen: tuple[str, ...], server: Mapping[str, Any] | None = None, **settings: Any
) -> Iterator[Receiving]:
    """Start a receiver named ``edge``; at the end it is stopped and its journal closed."""
    journal = Journal(
        folder / "journal", Files(), Server(str(folder), **{"batch_time": 0.005, **(server or {})}), Metrics()
    )
    intake = journal.intake("edge", rows.SYSLOG, settings.get("encoding", "utf-8"))
    journal.start()

    async def make() -> SyslogReceiver:
        made = SyslogReceiver(Receiver("edge", "syslog", listen, **settings), intake, journal.metrics)
        await made.start()
        return made

    try:
        receiver = loop.run(make())
        try:
            yield Receiving(receiver, intake, journal, loop)
        finally:
            with suppress(asyncio.CancelledError):
                loop.run(receiver.stop())
    finally:
        journal.close()


__all__ = ["FRAMES_BAD", "MESSAGES", "RECEIVER_LOST", "REFUSED", "Receiving", "receiving", "tls_of", "until"]
