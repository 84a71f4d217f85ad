"""One connection to a syslog receiver: bytes go out, and it is known how many of them the other machine has.

Syslog has no acknowledgement. What comes closest is TCP's own: the kernel knows how many bytes the peer's kernel has
not acknowledged (``SIOCOUTQ`` on Linux, ``SO_NWRITE`` on macOS). Where the system does not tell (Windows), bytes count
as delivered when the peer has closed its side after we closed ours. TLS runs over memory, so that the bytes on the wire
are counted there too.

A write into a connection that the peer has closed succeeds, and the message is gone: :meth:`Wire.check` looks first.
"""

from __future__ import annotations

import errno
import select
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from logsql.connectors.failures import word_for
from logsql.connectors.syslogframes import Frames
from udfs.readers.errors import ReadCancelled

Stop = Callable[[], bool]
#: Seconds between two looks at whether to stop.
TICK = 0.05
#: Seconds within which a connection comes about, with its TLS handshake.
CONNECT = 10.0
#: ``SIOCOUTQ`` of Linux, ``SO_NWRITE`` of macOS.
_SIOCOUTQ, _SO_NWRITE = 0x5411, 0x1024
#: Bytes that are handed to the kernel or to TLS at a time.
_PIECE = 262_144


class Broken(Exception):
    """No connection came about, or it is gone: ``word`` of the table of errors."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def wait(sock: socket.socket, writing: bool, seconds: float) -> bool:
    """Wait until bytes can be read (or written); whether they can. Handles above 1,024 are no trouble."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLOUT if writing else select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))
    found = select.select([] if writing else [sock], [sock] if writing else [], [sock], max(0.0, seconds))
    return any(found)


#: Whether the system tells what the peer has not acknowledged.
TELLS = sys.platform.startswith("linux") or sys.platform == "darwin"


def queued(sock: socket.socket) -> int:
    """Bytes that the kernel has and the peer's kernel has not acknowledged, where the system tells (:data:`TELLS`)."""
    if sys.platform == "darwin":
        return sock.getsockopt(socket.SOL_SOCKET, _SO_NWRITE)
    import fcntl  # not on every system

    return int(struct.unpack("i", fcntl.ioctl(sock, _SIOCOUTQ, b"\0\0\0\0"))[0])


class Wire:
    """A TCP connection, with TLS or without. Not for several threads.

    ``sent``: bytes on the wire since the connection began.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._left = memoryview(b"")
        self.sent = 0

    # --- beginning ----------------------------------------------------------------------------------------------------

    @classmethod
    def connected(cls, address: str, port: int, stop: Stop, seconds: float = CONNECT) -> Wire:
        """A connection to an address. Raises :class:`Broken`."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        until = time.monotonic() + seconds
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            problem = sock.connect_ex((address, port))
            if problem not in (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0)):
                raise Broken("connect-failed")
            _until(lambda: wait(sock, True, TICK), until, stop)
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise Broken("connect-failed")
        except OSError as error:
            sock.close()
            raise Broken(_word(error)) from None
        except BaseException:
            sock.close()
            raise
        return cls(sock)

    def secure(self, context: ssl.SSLContext, name: str, stop: Stop, seconds: float = CONNECT) -> None:
        """The TLS handshake, with the peer's certificate checked for ``name``. Raises :class:`Broken`."""
        until = time.monotonic() + seconds
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        try:
            while True:
                try:
                    self._tls.do_handshake()
                    self._flush(stop, until)
                    return
                except ssl.SSLWantReadError:
                    self._flush(stop, until)
                    _until(lambda: wait(self._sock, False, TICK), until, stop)
                    if not self._taken():
                        raise Broken("tls-failed") from None
        except ssl.SSLError as error:
            with suppress(Broken, OSError, ReadCancelled):  # the alert tells the other side why
                self._flush(stop, time.monotonic() + TICK)
            raise Broken(_word(error)) from None
        except OSError as error:
            raise Broken("timeout" if isinstance(error, TimeoutError) else "tls-failed") from None

    # --- sending ------------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Look whether the peer has closed. Raises :class:`Broken` then; what it said is thrown away."""
        try:
            while wait(self._sock, False, 0):
                if not (self._taken() and self._heard()):
                    raise Broken("disconnected")
        except (OSError, ssl.SSLError) as error:
            raise Broken(_word(error)) from None

    @property
    def confirmed_at_end(self) -> bool:
        """Whether only the end of the connection tells what has arrived."""
        return not TELLS

    def write(self, frames: Frames, stop: Stop) -> None:
        """Hand messages to the kernel, however long the peer takes to make room. Raises :class:`Broken`.

        Behind an exception nobody knows what of them has left: the connection is of no use any more.
        """
        data = frames.data
        try:
            if self._tls is None:
                self._out(data, stop)
                return
            for start in range(0, len(data), _PIECE):
                self._tls.write(data[start : start + _PIECE])
                self._flush(stop)
        except (OSError, ssl.SSLError) as error:
            raise Broken(_word(error)) from None

    def confirmed(self) -> int | None:
        """How many of the bytes that were :attr:`sent` the peer's kernel has; None where the system does not tell.

        Raises :class:`Broken` for a connection that was reset.
        """
        try:
            waiting = queued(self._sock) if TELLS else None
            if waiting and self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise Broken("disconnected")
        except OSError as error:
            raise Broken(_word(error)) from None
        return None if waiting is None else self.sent - waiting

    def ended(self, stop: Stop, seconds: float) -> bool:
        """Close our side and wait until the peer has closed its own: whether it has, so that it has read everything."""
        until = time.monotonic() + seconds
        try:
            if self._tls is not None:
                with suppress(ssl.SSLError):
                    self._tls.unwrap()
                self._flush(stop, until)
            self._sock.shutdown(socket.SHUT_WR)
            while True:
                _until(lambda: wait(self._sock, False, TICK), until, stop)
                if not self._sock.recv(65_536):
                    return True
        except (OSError, Broken):
            return False
        finally:
            self.close()

    def close(self) -> None:
        """Give the connection up. What the kernel has is still sent."""
        self._sock.close()

    # --- bytes --------------------------------------------------------------------------------------------------------

    def _taken(self) -> bool:
        """Take what the peer sent; whether it goes on sending."""
        try:
            data = self._sock.recv(65_536)
        except (BlockingIOError, InterruptedError):
            return True
        if data and self._tls is not None:
            self._incoming.write(data)
        return bool(data)

    def _heard(self) -> bool:
        """Throw away what the peer said over TLS; whether it has not ended TLS."""
        try:
            while self._tls is not None and self._tls.read(65_536):
                pass
        except ssl.SSLWantReadError:
            return True
        return self._tls is None

    def _flush(self, stop: Stop, until: float | None = None) -> None:
        """Send what TLS made."""
        while data := self._outgoing.read(_PIECE):
            self._out(memoryview(data), stop, until)

    def _out(self, data: memoryview, stop: Stop, until: float | None = None) -> None:
        while data:
            try:
                count = self._sock.send(data[:_PIECE])
            except (BlockingIOError, InterruptedError):
                _until(lambda: wait(self._sock, True, TICK), until, stop)
                continue
            self.sent += count
            data = data[count:]


def _word(error: BaseException) -> str:
    """The word for what broke a connection; that a peer is gone is no answer cut short, as nothing was asked."""
    if isinstance(error, ConnectionRefusedError):
        return "connect-failed"
    word = word_for(error)
    return "disconnected" if word == "truncated" else word


def _until(ready: Callable[[], bool], until: float | None, stop: Stop) -> None:
    """Wait for a moment. Raises ReadCancelled, TimeoutError."""
    while not ready():
        if stop():
            raise ReadCancelled("cancelled")
        if until is not None and time.monotonic() >= until:
            raise TimeoutError


def pause(seconds: float, stop: Stop) -> None:
    """Wait. Raises ReadCancelled."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if stop():
            raise ReadCancelled("cancelled")
        time.sleep(min(left, TICK))


#: Datagrams that go out at once, and the seconds behind them: the usual receive buffer of 208 KB holds 270 short ones,
#: so that of 500 at once half were lost on their way to an idle rsyslogd of the same machine.
_TOGETHER, _BREATH = 64, 0.001


class Datagrams:
    """Messages over UDP. Nothing tells whether they arrive, but for a machine that says that nobody listens there.

    ``sent``: bytes that were handed to the kernel.
    """

    #: What was sent counts as confirmed.
    confirmed_at_end = False

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.sent = 0

    @classmethod
    def connected(cls, address: str, port: int) -> Datagrams:
        """A socket for one receiver. Raises :class:`Broken`."""
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            raise Broken(_word(error)) from None
        return cls(sock)

    def check(self) -> None:
        """Look whether the machine said that nobody listens. Raises :class:`Broken`."""
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise Broken("connect-failed")

    def write(self, frames: Frames, stop: Stop) -> None:
        """A datagram a message. Raises :class:`Broken`, ReadCancelled."""
        try:
            for number, message in enumerate(frames.each(), 1):
                if not number % _TOGETHER:
                    pause(_BREATH, stop)
                while True:
                    try:
                        self.sent += self._sock.send(message)
                        break
                    except (BlockingIOError, InterruptedError):
                        _until(lambda: wait(self._sock, True, TICK), None, stop)
        except OSError as error:
            raise Broken(_word(error)) from None

    def confirmed(self) -> int | None:
        """All that was sent. Raises :class:`Broken` where the machine said that nobody listens."""
        self.check()
        return self.sent

    def ended(self, stop: Stop, seconds: float) -> bool:
        """Close; whether nobody said that nobody listens."""
        try:
            self.check()
        except Broken:
            return False
        finally:
            self.close()
        return True

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()
