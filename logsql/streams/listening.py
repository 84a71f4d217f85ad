"""``logsql -p PORT``: syslog over UDP and TCP as standard input of one query, on a loop in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading

from logsql.diagnostics.errors import diagnostic
from logsql.diagnostics.receivers import CANNOT_LISTEN
from logsql.streams.arriving import Arriving
from logsql.streams.metrics import Metrics
from logsql.streams.receivers.base import Listen, StartError
from logsql.streams.receivers.syslog import SyslogReceiver
from logsql.streams.settings import Receiver as Settings

#: What the receiver is called in errors and counters.
NAME = "-p"
_LOOPBACK = ("127.0.0.1", "::1")


def listens(text: str) -> tuple[Listen, ...]:
    """Where ``[ADDRESS:]PORT`` listens: on the address, else on those of this machine that no other one reaches.

    >>> [str(one) for one in listens("192.0.2.1:514")]
    ['udp://192.0.2.1:514', 'tcp://192.0.2.1:514']
    """
    address, _, port = text.rpartition(":")
    hosts = (address.strip("[]"),) if address else tuple(host for host in _LOOPBACK if _is_there(host))
    return tuple(Listen(transport, host, int(port)) for host in hosts for transport in ("udp", "tcp"))


def _is_there(host: str) -> bool:
    """Whether the machine has the address (one without IPv6 has no ``::1``)."""
    if host == _LOOPBACK[0]:
        return True
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as tried:
            tried.bind((host, 0))
    except OSError:
        return False
    return True


class Port:
    """The receiver; its lines go to ``arriving``, which ends with it."""

    def __init__(self, text: str, arriving: Arriving, metrics: Metrics) -> None:
        self.listens = listens(text)
        self._arriving = arriving
        settings = Settings(NAME, "syslog", tuple(str(listen) for listen in self.listens))
        self._receiver = SyslogReceiver(settings, arriving, metrics)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="logsql-port", daemon=True)

    def start(self) -> None:
        """Listen. Raises StartError."""
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Read no more: what was read, and datagrams that the system holds, still arrive. From any thread."""
        if self._loop is not None and self._over is not None and not self._loop.is_closed():
            try:
                self._loop.call_soon_threadsafe(self._over.set)
            except RuntimeError:  # closed meanwhile
                return

    def close(self) -> None:
        """End, and wait for it."""
        self.end()
        if self._thread.ident is not None:
            self._thread.join(5)

    @property
    def shown(self) -> str:
        """Where it listens, as it is told."""
        return ", ".join(dict.fromkeys(str(listen).partition("//")[2] for listen in self.listens))

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        try:
            await self._receiver.start()
        except StartError as problem:
            self._error = problem
            return
        except OSError as problem:
            reason = problem.strerror or str(problem)
            self._error = StartError(diagnostic(CANNOT_LISTEN, name=NAME, address=self.shown, reason=reason))
            return
        finally:
            self._started.set()
        try:
            await self._over.wait()
            await self._receiver.stop()
        finally:
            self._arriving.end()
