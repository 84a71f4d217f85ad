"""One TCP or TLS connection of a receiver: bytes in, messages to the intake."""

from __future__ import annotations

import asyncio
import ssl
import sys
from typing import Protocol, cast

from logsql.streams.intake import Sender
from logsql.streams.receivers.base import Listen, bare_address
from logsql.streams.receivers.tls import TlsStream, is_named
from logsql.streams.settings import Receiver as Settings
from udfs.readers.framing import Deframer

#: Bytes that a peer of TLS may leave unread: no honest one leaves any.
_MOST_UNSENT = 65_536


class Owner(Protocol):
    """What a connection needs of its receiver."""

    settings: Settings
    context: ssl.SSLContext | None
    buffer: memoryview

    def admits(self, connection: Connection) -> str:
        """Why a new connection is refused; empty: it is not."""

    def opened(self, connection: Connection) -> None:
        """It is one of the receiver's now."""

    def closed(self, connection: Connection) -> None:
        """It is gone."""

    def refuse(self, reason: str) -> None:
        """Count a connection that was refused."""

    def took(self, connection: Connection, size: int, lines: list[bytes], truncated: list[int]) -> None:
        """Messages came, and so many bytes."""

    def bad(self, counts: dict[str, int]) -> None:
        """Count frames that were cut or given up."""


#: Bytes that are read at once: with hundreds of peers that send as fast as they can, each has its turn soon.
_READ = 65_536


def buffer() -> memoryview:
    """Where bytes are read into."""
    return memoryview(bytearray(_READ))


class Connection(asyncio.BufferedProtocol):
    """Reads as fast as the receiver may; the receiver looks at the times.

    ``heard``: when the peer last said something or could; ``taken``: how many messages it was given room for lately;
    ``file``: the number of its file.
    """

    def __init__(self, owner: Owner, listen: Listen, now: float) -> None:
        settings = owner.settings
        self.transport_name = listen.transport
        self.sender = Sender(None, None, settings.name)
        self.heard = self.begun = now
        self.taken = 0.0
        self.file = -1
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._deframer = Deframer(settings.framing, settings.max_frame, settings.oversize != "cut")
        self._told: dict[str, int] = {}
        self._tls: TlsStream | None = None
        self._admitted = False
        # One for all; Windows writes into it while others are served.
        self._buffer = buffer() if sys.platform == "win32" else owner.buffer

    @property
    def address(self) -> str:
        """Of the peer."""
        return self.sender.address or ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accepted: admitted or closed at once."""
        transport = cast("asyncio.Transport", transport)  # that of uvloop is no subclass
        self._transport = transport
        peer = transport.get_extra_info("peername") or ("", 0)
        self.sender = self.sender._replace(address=bare_address(peer[0]), port=peer[1])
        sock = transport.get_extra_info("socket")
        self.file = -1 if sock is None else sock.fileno()
        if reason := self._owner.admits(self):
            self._owner.refuse(reason)
            transport.abort()
            return
        self._admitted = True
        if self.transport_name == "tls":
            assert self._owner.context is not None
            self._tls = TlsStream(self._owner.context)
        self._owner.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes are to be read into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes of the peer."""
        if not self._admitted or self._transport is None:
            return
        data = bytes(self._buffer[:nbytes])
        self.heard = self._loop.time()
        if self._tls is not None:
            data = self._decrypted(self._tls, data)
        if data:
            self._take(len(data), self._deframer.feed(data, self.heard))
        if self._tls is not None and self._tls.ended:
            self._transport.close()

    def _decrypted(self, tls: TlsStream, data: bytes) -> bytes:
        assert self._transport is not None
        fresh = not tls.ready
        try:
            plain = tls.received(data)
        except ssl.SSLError:
            if fresh:
                self._owner.refuse("handshake")
            plain, tls.ended = b"", True
        if fresh and tls.ready:
            names = tls.names()
            allowed = self._owner.settings.tls.allow_names if self._owner.settings.tls else ()
            if names and allowed and not is_named(names, allowed):
                self._owner.refuse("name")
                self._transport.abort()
                return b""
            self.sender = self.sender._replace(tls_name=names[0] if names else None)
        if answer := tls.to_send():
            self._transport.write(answer)
            if self._transport.get_write_buffer_size() > _MOST_UNSENT:
                self._transport.abort()
        return plain

    def _take(self, size: int, lines: list[bytes]) -> None:
        self._owner.took(self, size, lines, self._deframer.truncated)
        if self._deframer.bad:
            # What is new since the last time.
            new = {reason: n - self._told.get(reason, 0) for reason, n in self._deframer.bad.items()}
            self._told = dict(self._deframer.bad)
            self._owner.bad({reason: n for reason, n in new.items() if n})

    def eof_received(self) -> bool:
        """The peer sends no more: the connection is closed."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The last message, and good-bye."""
        if self._admitted:
            self._admitted = False
            self._take(0, self._deframer.end())
            self._owner.closed(self)

    # --- the receiver -------------------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Read no more for now."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on; the time in between was not the peer's."""
        if self._transport is not None and not self._transport.is_closing():
            self.heard = self.begun = self._loop.time()
            if self._deframer.since is not None:
                self._deframer.since = self.heard
            self._transport.resume_reading()

    def overdue(self, now: float) -> str:
        """Why it must be closed now: it waits in a handshake, in a frame, or says nothing."""
        settings = self._owner.settings
        if self._tls is not None and not self._tls.ready:
            return "handshake_timeout" if now - self.begun > settings.handshake_timeout else ""
        since = self._deframer.since
        if since is not None and now - since > settings.frame_timeout:
            return "frame_timeout"
        if settings.idle_timeout and now - self.heard > settings.idle_timeout:
            return "idle_timeout"
        return ""

    def close(self) -> None:
        """End it: what was read is put."""
        if self._transport is not None:
            self._transport.abort()
        self.connection_lost(None)
