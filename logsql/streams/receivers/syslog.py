"""The receiver of syslog over UDP, TCP and TLS.

All connections are served by one loop; a datagram socket has a thread. Where messages cannot be written, nothing is
read: TCP tells its senders to wait, datagrams wait in the system's buffer. No peer can hold up another: limits are
asked before anything else is done for a connection, and times are looked at for all of them together.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from collections.abc import Iterable

from logsql.diagnostics.errors import diagnostic
from logsql.diagnostics.receivers import CANNOT_LISTEN, FEW_FILES
from logsql.streams.metrics import BYTES, CONNECTIONS, FRAMES_BAD, RECEIVER_LOST, REFUSED, Metrics
from logsql.streams.receivers.base import (
    Allowed,
    Listen,
    Senders,
    StartError,
    Taking,
    bound,
    most_for_peers,
    room_for_files,
)
from logsql.streams.receivers.connection import Connection, buffer
from logsql.streams.receivers.tls import context_of
from logsql.streams.receivers.udp import Datagrams
from logsql.streams.settings import Receiver as Settings
from udfs.readers.framing import INCOMPLETE, OVERSIZE

#: Connections that the system keeps until the loop takes them.
_BACKLOG = 1024
#: Messages that a modest peer had room for lately, at most.
_MODEST = 1000
#: Seconds without a byte after which the system asks a peer whether it is there, between two questions, and how many.
_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))


class SyslogReceiver:
    """A ``[[receiver]]`` of kind ``syslog``. ``addresses``: where it listens, with the ports that the system chose."""

    def __init__(self, settings: Settings, intake: Taking, metrics: Metrics) -> None:
        self.settings = settings
        self.context: ssl.SSLContext | None = None
        self.buffer = buffer()
        self.addresses: list[Listen] = []
        self.warnings: list[str] = []
        self._intake = intake
        self._metrics = metrics
        self._allowed = Allowed(settings.allow_from)
        self._senders = Senders()
        self._connections: dict[Connection, None] = {}
        self._per_address: Counter[str] = Counter()
        self._servers: list[asyncio.Server] = []
        self._datagrams: list[Datagrams] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._paused = False
        self._last_file: int | None = None

    # --- the life of a receiver ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen on every address. Raises StartError; then nothing is open."""
        self._count_files()
        if self.settings.tls is not None:
            self.context = context_of(self.settings.name, self.settings.tls)
        asked = [Listen.of(text) for text in self.settings.listen]
        opened: list[tuple[Listen, socket.socket]] = []
        try:
            for listen in asked:
                opened.append((listen, bound(self.settings.name, listen, asked)))
            for listen, sock in opened:
                await self._listen(listen, sock)
        except StartError:
            for _, sock in opened:
                sock.close()
            await self.stop()
            raise
        self._tasks = [asyncio.create_task(self._watch(), name=f"times of {self.settings.name}")]

    def _count_files(self) -> None:
        """Where the process may not open as many files as there may be connections, that is told."""
        files = room_for_files()
        self._last_file = most = most_for_peers(files)
        asked = self.settings.max_connections
        streams = any(Listen.of(text).transport != "udp" for text in self.settings.listen)
        if most is not None and streams and asked > most:
            self.warnings.append(FEW_FILES.fill(name=self.settings.name, asked=asked, files=files, most=most))

    async def _listen(self, listen: Listen, sock: socket.socket) -> None:
        self.addresses.append(Listen(listen.transport, listen.host, sock.getsockname()[1]))
        if listen.transport == "udp":
            made = Datagrams(self.addresses[-1], sock, self.settings, self._intake, self._metrics, self._senders)
            self.warnings += made.warnings
            self._datagrams.append(made)
            made.start()
            return
        keep_alive(sock)
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                lambda: Connection(self, listen, loop.time()), sock=sock, backlog=_BACKLOG
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise StartError(
                diagnostic(CANNOT_LISTEN, name=self.settings.name, address=str(listen), reason=reason)
            ) from None
        self._servers.append(server)

    async def stop(self) -> None:
        """Read no more; what was read is put, and datagrams that the system holds are read."""
        for task in self._tasks:
            task.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            connection.close()
        for datagrams in self._datagrams:
            datagrams.stop()
        for datagrams in self._datagrams:
            await asyncio.to_thread(datagrams.join)
        self._tasks, self._servers, self._datagrams = [], [], []
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(0)  # the loop forgets what was closed

    async def reload(self, settings: Settings) -> bool:
        """Take over other settings: limits and times at once, framing and certificates for connections to come.

        False where another address is listened on. Raises StartError for a certificate that is none.
        """
        same = (settings.name, settings.kind, settings.listen) == (
            self.settings.name, self.settings.kind, self.settings.listen,
        )  # fmt: skip
        if not same:
            return False
        context = None if settings.tls is None else context_of(settings.name, settings.tls)
        self.context, self.settings = context, settings
        self._allowed = Allowed(settings.allow_from)
        self._intake.encoding = settings.encoding
        for datagrams in self._datagrams:
            datagrams.take(settings)
        return True

    def senders(self) -> list[dict[str, object]]:
        """The most recent senders, the newest first."""
        return self._senders.told()

    # --- connections --------------------------------------------------------------------------------------------------

    def admits(self, connection: Connection) -> str:
        """Why a new connection is refused; empty: it is not."""
        if not self._allowed(connection.address):
            return "allow_from"
        # The system gives the least number that is free: so many files are open, of all receivers together.
        if self._last_file is not None and connection.file >= self._last_file:
            return "open_files"
        if len(self._connections) >= self.settings.max_connections:
            return "max_connections"
        if self._per_address[connection.address] >= self.settings.max_connections_per_address:
            return "max_connections_per_address"
        return ""

    def opened(self, connection: Connection) -> None:
        """A connection is there."""
        self._connections[connection] = None
        self._per_address[connection.address] += 1
        self._senders.heard(connection.address, connection.transport_name, connections=1)
        self._metrics.set(CONNECTIONS, (self.settings.name,), len(self._connections))
        if self._paused:
            connection.pause()

    def closed(self, connection: Connection) -> None:
        """It is gone."""
        if self._connections.pop(connection, self) is not None:
            return
        self._per_address[connection.address] -= 1
        if not self._per_address[connection.address]:
            del self._per_address[connection.address]
        self._senders.heard(connection.address, connection.transport_name, connections=-1)
        self._metrics.set(CONNECTIONS, (self.settings.name,), len(self._connections))

    def refuse(self, reason: str) -> None:
        """Count a connection that was refused."""
        self._metrics.add(REFUSED, (self.settings.name, reason))

    def bad(self, counts: dict[str, int]) -> None:
        """Count frames that were cut or given up, and messages that were lost by it."""
        for reason, count in counts.items():
            self._metrics.add(FRAMES_BAD, (self.settings.name, reason), count)
            if reason == INCOMPLETE or (reason == OVERSIZE and self.settings.oversize != "cut"):
                self._metrics.add(RECEIVER_LOST, (self.settings.name, reason), count)

    def took(self, connection: Connection, size: int, lines: list[bytes], truncated: list[int]) -> None:
        """Messages of a connection, and so many bytes."""
        if size:
            self._metrics.add(BYTES, (self.settings.name,), size)
        connection.taken += len(lines)
        self._senders.heard(connection.address, connection.transport_name, len(lines), size)
        self._intake.put(lines, connection.sender, connection.transport_name, truncated or None)
        if self._intake.full and not self._paused:
            self._pause()

    # --- no room ------------------------------------------------------------------------------------------------------

    def _pause(self) -> None:
        """Nobody is read until there is room: each connection that went on would put one chunk more."""
        self._paused = True
        for connection in self._connections:
            connection.pause()
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(self._resume(), name=f"room for {self.settings.name}"))

    async def _resume(self) -> None:
        await self._intake.room()
        self._paused = False
        # The room may be gone before all have had their turn.
        for connection in self._turns():
            connection.taken /= 2
            connection.resume()

    def _turns(self) -> list[Connection]:
        """Who is read first: who is known to take little; then by what the address takes, the newest first."""
        by_address: Counter[str] = Counter()
        for connection in self._connections:
            by_address[connection.address] += int(connection.taken)

        def turn(connection: Connection) -> tuple[bool, int, float]:
            modest = 0 < connection.taken < _MODEST
            return not modest, 0 if modest else by_address[connection.address], connection.taken

        newest = list(self._connections)[::-1]
        return sorted(newest, key=turn)

    # --- times --------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Close what takes too long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._interval())
            if self._intake.full and not self._paused:
                self._pause()
            if not self._paused:
                self._close(loop.time())

    def _close(self, now: float) -> None:
        for connection in list(self._connections):
            reason = connection.overdue(now)
            if reason == "handshake_timeout":
                self.refuse(reason)
            elif reason == "frame_timeout":
                self._metrics.add(FRAMES_BAD, (self.settings.name, reason))
            if reason:
                connection.close()

    def _interval(self) -> float:
        settings = self.settings
        times: Iterable[float] = (settings.frame_timeout, settings.handshake_timeout, settings.idle_timeout or 60.0)
        return max(0.02, min(1.0, *(seconds / 5 for seconds in times)))


def keep_alive(sock: socket.socket) -> None:
    """The system asks silent peers whether they are there. Connections have it from the socket that listens."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _ALIVE:
        if (option := getattr(socket, name, None)) is not None:
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
