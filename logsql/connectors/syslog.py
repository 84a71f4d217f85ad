"""Syslog messages to a receiver that may be slow, restart or die: what it has not confirmed, it gets again, in order.

:class:`Sender` is the connection of a query (``sendsyslog``) and of a sink of ``logsql serve``. It keeps the batches
that are not confirmed; when a connection has broken they go over the next one, so that a message arrives at least once.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from logsql.connectors import tls
from logsql.connectors.access import Access
from logsql.connectors.failures import no_answer, refused
from logsql.connectors.fence import Refused, spelled
from logsql.connectors.loops import never, waited
from logsql.connectors.syslogframes import Frames, datagrams, framed
from logsql.connectors.syslogwire import TICK, Broken, Datagrams, Stop, Wire, pause
from logsql.planner.connections.syslog import Destination, Sent

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes that may be on their way without being confirmed.
WINDOW = 4_000_000
#: Seconds that a peer has to close its side of a connection, where that is how we learn that it has everything.
_FAREWELL = 10.0
#: Shortest and longest wait of a query before it tries to connect again.
_FIRST, _LONGEST = 0.1, 2.0
#: Seconds after which a connection that no query uses is not used any more (the vendor's ``idle_timeout``).
_IDLE = 300.0


@dataclass
class _Batch:
    """Messages, under the number that the caller gave them. ``end``: bytes on the wire behind them, None: not sent."""

    frames: Frames
    number: int
    end: int | None = None


@dataclass
class Route:
    """How a receiver is reached. Each connection resolves its name anew and asks the fence for every address."""

    access: Access
    destination: Destination

    def check(self) -> str:
        """What can be said before a name is resolved; gives the host in its one spelling.

        Raises PolicyError, SourceError.
        """
        there = self.destination
        try:
            host = spelled(there.host)
            if not there.configured:
                self.access.fence.judged(host, there.port)
        except Refused as problem:
            raise refused(Refused(problem.word, there.told), self.access) from None
        return host

    @cached_property
    def context(self) -> tls.Context:
        """Whom TLS trusts. Raises UsageError for a file that cannot be read."""
        there = self.destination
        trusted = (there.ca_file, self.access.network.ca_file)
        return tls.context(trusted, there.client_cert, there.client_key, there.certificate_name)

    def connect(self, stop: Stop) -> Wire | Datagrams:
        """A connection to the first address that takes one. Raises :class:`Broken`, PolicyError, SourceError."""
        there = self.destination
        problem = Broken("dns-failed")
        for address, port in self._addresses(stop):
            try:
                if there.scheme == "udp":
                    return Datagrams.connected(address, port)
                wire = Wire.connected(address, port, stop)
                try:
                    if there.scheme == "tls":
                        wire.secure(self.context, spelled(there.host), stop)
                except BaseException:
                    wire.close()
                    raise
                return wire
            except Broken as broken:
                problem = broken
        raise problem

    def _addresses(self, stop: Stop) -> list[tuple[str, int]]:
        there, fence = self.destination, self.access.fence
        host = self.check()
        if (instead := fence.instead(host, there.port)) is not None:
            return [instead]
        found = _resolved(host, there.port, stop)
        if not there.configured:
            try:
                fence.checked(host, there.port, found)
            except Refused as problem:
                raise refused(Refused(problem.word, there.told), self.access) from None
        return [(address, there.port) for address in found]


def _resolved(host: str, port: int, stop: Stop) -> list[str]:
    """The addresses of a name; asked for in a thread that nobody waits for, as a resolver may take half a minute."""
    future: Future[list[str]] = Future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            future.set_result(list(dict.fromkeys(str(place[0]) for *_, place in found)))
        except (OSError, UnicodeError):
            future.set_result([])

    threading.Thread(target=ask, name="syslog names", daemon=True).start()
    if not (addresses := waited(future, stop)):
        raise Broken("dns-failed")
    return addresses


@dataclass
class Sender:
    """Batches to one receiver. For one thread.

    ``confirmed``: the number of the last batch that the receiver has, with all before it; -1 for none.
    """

    route: Route
    confirmed: int = -1
    breaks: int = 0
    """Connections that broke."""
    _pending: deque[_Batch] = field(default_factory=deque)
    _wire: Wire | Datagrams | None = None
    _doubtful: bool = False
    """Whether the connection before broke, and nothing was confirmed since."""

    @property
    def waiting(self) -> int:
        """Bytes that are not confirmed."""
        return sum(len(batch.frames.data) for batch in self._pending)

    @property
    def unconfirmed(self) -> int:
        """Messages that are not confirmed."""
        return sum(len(batch.frames.ends) for batch in self._pending)

    @property
    def told_at_end(self) -> bool:
        """Whether only the end of the connection tells what has arrived."""
        return self._wire is not None and self._wire.confirmed_at_end

    @property
    def moved(self) -> tuple[int, int]:
        """The last batch confirmed, and bytes of those behind it that the receiver has: grows while something goes on.

        A receiver that takes a lot and breaks, again and again, does not get further than the first time.
        """
        try:
            known = None if self._wire is None else self._wire.confirmed()
        except Broken:
            known = None
        return self.confirmed, known or 0

    def put(self, frames: Frames, number: int) -> None:
        """Take a batch; :meth:`push` sends it. Numbers grow."""
        self._pending.append(_Batch(frames, number))

    def push(self, stop: Stop) -> None:
        """Have every batch on the wire. Raises :class:`Broken` where two connections in a row were of no use, or none
        came about: try again later. Raises ReadCancelled, and what :meth:`Route.connect` does."""
        while (batch := next((one for one in self._pending if one.end is None), None)) is not None:
            if self._wire is None:
                self._wire = self.route.connect(stop)
            try:
                self._wire.check()
                self._wire.write(batch.frames, stop)
            except Broken as problem:
                self._lost(problem.word)
                continue
            except BaseException:
                self.drop()  # half a message may have left
                raise
            batch.end = self._wire.sent
            self.poll()

    def poll(self) -> bool:
        """Learn what is confirmed; whether everything is. Raises :class:`Broken` as :meth:`push`."""
        while self._pending and self._wire is not None:
            try:
                known = self._wire.confirmed()
            except Broken as problem:
                self._lost(problem.word)
                break
            first = self._pending[0]
            if known is None or first.end is None or first.end > known:
                break
            while self._pending and (end := self._pending[0].end) is not None and end <= known:
                self._take()
        return not self._pending

    def settle(self, stop: Stop, room: int = 0) -> None:
        """Wait until no more than ``room`` bytes are unconfirmed. Raises as :meth:`push`."""
        delay = 0.0005
        while self.waiting > room:
            self.push(stop)
            if self._wire is not None and self._wire.confirmed_at_end:
                self._end(stop)
            elif not self.poll() and self.waiting > room:
                pause(delay, stop)
                delay = min(delay * 2, TICK)

    def close(self, stop: Stop) -> None:
        """Close in good order."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.ended(stop, 1.0)

    def drop(self) -> None:
        """Give the connection up; what is not confirmed is sent again over the next one."""
        if self._wire is not None:
            self._wire.close()
        self._wire = None
        for batch in self._pending:
            batch.end = None

    def _end(self, stop: Stop) -> None:
        """Close the connection: that the peer has closed its side then says that it has everything."""
        assert self._wire is not None, "asked for before"
        if self._wire.ended(stop, _FAREWELL):
            self._wire = None
            while self._pending:
                self._take()
        else:
            self._lost("disconnected")

    def _take(self) -> None:
        self.confirmed = self._pending.popleft().number
        self._doubtful = False

    def _lost(self, word: str) -> None:
        """A connection broke. Raises :class:`Broken` where the one before did, too, and was of no use."""
        self.breaks += 1
        self.drop()
        if self._doubtful:
            raise Broken(word)
        self._doubtful = True


class Forwarder:
    """See :class:`logsql.planner.connections.syslog.Syslog`. Connections stay for the next query of the session."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._guard = threading.Lock()
        self._idle: dict[Destination, tuple[float, Sender]] = {}

    def check(self, destination: Destination) -> None:
        """Raise PolicyError or SourceError where nothing may be sent to."""
        Route(self._access, destination).check()

    def outgoing(self, destination: Destination, patience: float) -> QuerySender:
        """A connection for one query."""
        with self._guard:
            since, kept = self._idle.pop(destination, (0.0, None))
        if kept is not None and time.monotonic() - since > _IDLE:
            kept.close(never)
            kept = None
        return QuerySender(kept or Sender(Route(self._access, destination)), patience, self._keep)

    def close(self) -> None:
        """Close what was kept."""
        with self._guard:
            idle, self._idle = self._idle, {}
        for _, sender in idle.values():
            sender.close(never)

    def _keep(self, sender: Sender) -> None:
        with self._guard:
            _, other = self._idle.pop(sender.route.destination, (0.0, None))
            self._idle[sender.route.destination] = time.monotonic(), sender
        if other is not None:
            other.close(never)


class QuerySender:
    """See :class:`logsql.planner.connections.syslog.Outgoing`. ``keep`` takes the connection when all is sent."""

    def __init__(self, sender: Sender, patience: float, keep: Callable[[Sender], None]) -> None:
        self._sender = sender
        self._patience = patience
        self._keep = keep
        self._number = sender.confirmed
        if sender.route.destination.scheme == "tls":
            _ = sender.route.context  # a file that cannot be read is said before anything is sent

    def send(self, texts: pa.Array, pri: int | None, cancelled: Callable[[], bool]) -> Sent:
        """See :class:`logsql.planner.connections.syslog.Outgoing`."""
        there = self._sender.route.destination
        frames = datagrams(texts, pri) if there.scheme == "udp" else framed(texts, there.framing, pri)
        self._number += 1
        self._sender.put(frames, self._number)
        self._patiently(WINDOW, cancelled)
        return Sent(frames.escaped, len(frames.left))

    def finish(self, cancelled: Callable[[], bool]) -> None:
        """See :class:`logsql.planner.connections.syslog.Outgoing`."""
        self._patiently(0, cancelled)

    def unconfirmed(self) -> int:
        """See :class:`logsql.planner.connections.syslog.Outgoing`."""
        return self._sender.unconfirmed

    def close(self) -> None:
        """See :class:`logsql.planner.connections.syslog.Outgoing`."""
        if self._sender.unconfirmed:
            self._sender.drop()
        else:
            self._keep(self._sender)

    def _patiently(self, room: int, cancelled: Callable[[], bool]) -> None:
        """Send, and try again for as long as messages may wait."""
        clock = _Clock(self._sender, self._patience, cancelled)
        there, wait = self._sender.route.destination, _FIRST
        while True:
            try:
                self._sender.push(clock.stop)
                self._sender.settle(clock.stop, room)
                return
            except Broken as problem:
                if clock.over():
                    raise no_answer(there.told, problem.word) from None
                with suppress(_Overdue):
                    pause(wait * random.uniform(0.5, 1), clock.stop)
                wait = min(wait * 2, _LONGEST)
            except _Overdue:
                raise no_answer(there.told, "timeout") from None


class _Overdue(Exception):
    """A message has waited for too long."""


@dataclass
class _Clock:
    """Whether anything moved within the time that a message may wait."""

    sender: Sender
    patience: float
    cancelled: Callable[[], bool]
    moved: tuple[int, int] = (-2, 0)
    since: float = 0.0

    def over(self) -> bool:
        """Whether nothing has moved for too long."""
        if (moved := self.sender.moved) > self.moved:
            self.moved, self.since = moved, time.monotonic()
        return time.monotonic() - self.since > self.patience

    def stop(self) -> bool:
        """Whether the query is to stop. Raises :class:`_Overdue`."""
        if self.over():
            raise _Overdue
        return self.cancelled()
