"""What every receiver is, and what those with sockets share: addresses, who may send, who sent how much."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from logsql.diagnostics.errors import RunError, diagnostic
from logsql.diagnostics.receivers import CANNOT_LISTEN
from logsql.streams.messages import Sender
from logsql.streams.settings import Receiver as Settings

#: Senders of which ``/status`` tells.
MOST_SENDERS = 1000
_MOST_JUDGED = 10_000
#: Files that no connection may have: of journals, spools, the database, sinks.
_KEPT_FILES = 256


class StartError(RunError):
    """A receiver cannot start: its port is taken, its certificate is none."""

    exit_code = 3


class Taking(Protocol):
    """Where messages go: the :class:`~logsql.streams.intake.Intake` of a server, or the query of a command line."""

    encoding: str

    @property
    def full(self) -> bool:
        """Whether to stop reading."""

    def put(
        self,
        lines: list[bytes],
        sender: Sender | list[Sender],
        transport: str,
        truncated: list[int] | None = None,
    ) -> None:
        """Messages without their framing, of one sender or one each."""

    async def room(self) -> None:
        """Until there is room."""

    def wait_room(self, seconds: float) -> bool:
        """The same for a thread; False when the time is over."""


class Receiver(Protocol):
    """Takes messages from somewhere and puts them into its intake. On the loop that :meth:`start` is called on.

    ``warnings``: what the log should say once. :meth:`reload` takes settings over without closing what is open; False
    where the receiver must be made anew. It raises StartError, and has changed nothing then.
    """

    settings: Settings
    warnings: list[str]

    async def start(self) -> None:
        """Open everything. Raises StartError."""

    async def stop(self) -> None:
        """Read no more; what was read is put."""

    async def reload(self, settings: Settings) -> bool:
        """Other settings, the same sockets."""

    def senders(self) -> list[dict[str, object]]:
        """The most recent senders, the newest first."""


# --- addresses --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listen:
    """``tcp://0.0.0.0:5514``: ``transport`` (udp, tcp, tls), host and port."""

    transport: str
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Listen:
        """An entry of ``listen``, which the configuration has checked."""
        parts = urlsplit(text)
        return cls(parts.scheme, parts.hostname or "", parts.port or 0)

    @property
    def v6(self) -> bool:
        """Whether the address is one of IPv6."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"{self.transport}://{f'[{self.host}]' if self.v6 else self.host}:{self.port}"


def bound(name: str, listen: Listen, others: Sequence[Listen]) -> socket.socket:
    """A socket on an address, not yet listening. Raises StartError.

    ``[::]`` takes IPv4 too, unless one of the ``others`` has the port for that.
    """
    kind = socket.SOCK_DGRAM if listen.transport == "udp" else socket.SOCK_STREAM
    sock = socket.socket(socket.AF_INET6 if listen.v6 else socket.AF_INET, kind)
    try:
        if kind == socket.SOCK_STREAM and sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listen.v6:
            stream = kind == socket.SOCK_STREAM
            taken = any(o.port == listen.port and not o.v6 and (o.transport != "udp") == stream for o in others)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(taken))
        sock.bind(("127.0.0.1" if listen.host == "localhost" else listen.host, listen.port))
    except (OSError, OverflowError) as error:
        sock.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise StartError(diagnostic(CANNOT_LISTEN, name=name, address=str(listen), reason=reason)) from None
    return sock


def bare_address(address: str) -> str:
    """``::ffff:192.0.2.1`` of a socket for both families is ``192.0.2.1``; an interface behind % is no address."""
    if address.startswith("::ffff:") and "." in address:
        return address[7:]
    return address.partition("%")[0]


def room_for_files() -> int | None:
    """Connections are files: as many as the system allows this process, within reason; None where it does not tell.

    What is left of them for connections is less: see :func:`most_for_peers`.
    """
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # for cost: not on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = 65_536 if hard == resource.RLIM_INFINITY else hard
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
        return None if soft == resource.RLIM_INFINITY else soft
    return None


def most_for_peers(files: int | None) -> int | None:
    """Up to which number of a file connections are taken, where a process may have so many open: without a file for it
    no journal goes on, no sink connects and nobody is answered."""
    return None if files is None else max(files - _KEPT_FILES, files // 2)


class Allowed:
    """``allow_from``: networks from which messages are taken; none: from everywhere. From any thread."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]
        self._known: dict[str, bool] = {}

    def __call__(self, address: str) -> bool:
        if not self._networks:
            return True
        known = self._known.get(address)
        if known is None:
            try:
                one = ipaddress.ip_address(address)
            except ValueError:
                return False
            known = any(one.version == network.version and one in network for network in self._networks)
            if len(self._known) >= _MOST_JUDGED:
                self._known = {}
            self._known[address] = known
        return known


# --- who sent how much ------------------------------------------------------------------------------------------------


@dataclass
class Count:
    """What came from one address over one transport; times are seconds since 1970."""

    messages: int = 0
    bytes: int = 0
    first: float = 0.0
    last: float = 0.0
    connections: int = 0


@dataclass
class Senders:
    """Counts of the senders that were heard last. From any thread."""

    most: int = MOST_SENDERS
    _counts: OrderedDict[tuple[str, str], Count] = field(default_factory=OrderedDict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, address: str, transport: str, messages: int = 0, size: int = 0, connections: int = 0) -> None:
        """Something came from an address: messages, bytes, a connection more or less."""
        now = time.time()
        with self._turn:
            key = (address, transport)
            count = self._counts.get(key)
            if count is None:
                if connections < 0:
                    return
                count = self._counts[key] = Count(first=now)
                while len(self._counts) > self.most:
                    self._counts.popitem(last=False)
            else:
                self._counts.move_to_end(key)
            count.messages += messages
            count.bytes += size
            count.connections += connections
            count.last = now

    def told(self) -> list[dict[str, object]]:
        """The senders, the newest first."""
        with self._turn:
            return [
                {"address": address, "transport": transport, **vars(count)}
                for (address, transport), count in reversed(self._counts.items())
            ]
