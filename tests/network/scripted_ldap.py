"""A directory server that answers as it is told, message by message: what real servers do not do on demand."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

PAGED = b"1.2.840.113556.1.4.319"


def ber(tag: int, content: bytes) -> bytes:
    """One element (X.690, definite lengths)."""
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(value: int, tag: int = 0x02) -> bytes:
    return ber(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def envelope(number: int, operation: bytes, controls: bytes = b"") -> bytes:
    return ber(0x30, integer(number) + operation + controls)


def outcome(tag: int, code: int, message: str = "", referral: bytes = b"") -> bytes:
    """An LDAPResult."""
    return ber(tag, integer(code, 0x0A) + ber(0x04, b"") + ber(0x04, message.encode()) + referral)


def done(number: int, code: int = 0, cookie: bytes | None = None, message: str = "", referral: bytes = b"") -> bytes:
    """SearchResultDone; with ``cookie`` the paging control (RFC 2696)."""
    controls = b""
    if cookie is not None:
        value = ber(0x30, integer(0) + ber(0x04, cookie))
        controls = ber(0xA0, ber(0x30, ber(0x04, PAGED) + ber(0x04, value)))
    return envelope(number, outcome(0x65, code, message, referral), controls)


def entry(number: int, dn: str, attributes: dict[str, list[str | bytes]]) -> bytes:
    """SearchResultEntry."""
    made = b""
    for name, values in attributes.items():
        items = b"".join(ber(0x04, one.encode() if isinstance(one, str) else one) for one in values)
        made += ber(0x30, ber(0x04, name.encode()) + ber(0x31, items))
    return envelope(number, ber(0x64, ber(0x04, dn.encode()) + ber(0x30, made)))


def reference(number: int, url: str) -> bytes:
    return envelope(number, ber(0x73, ber(0x04, url.encode())))


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """The elements of a content."""
    found, pos = [], 0
    while pos < len(data):
        tag, length = data[pos], data[pos + 1]
        pos += 2
        if length > 0x7F:
            octets = length & 0x7F
            length = int.from_bytes(data[pos : pos + octets], "big")
            pos += octets
        found.append((tag, data[pos : pos + length]))
        pos += length
    return found


@dataclass(frozen=True)
class Asked:
    """A search as it came."""

    number: int
    base: str
    scope: int
    attributes: list[str]
    page: int | None
    cookie: bytes


def asked(number: int, content: bytes, controls: bytes) -> Asked:
    parts = elements(content)
    page, cookie = None, b""
    for _, control in elements(controls):
        name, *_, value = elements(control)
        if name[1] == PAGED:
            size, held = elements(elements(value[1])[0][1])
            page, cookie = int.from_bytes(size[1], "big"), held[1]
    names = [one.decode() for _, one in elements(parts[7][1])]
    return Asked(number, parts[0][1].decode(), parts[1][1][0], names, page, cookie)


#: What is sent for a search: pieces of bytes, sent one by one; None breaks the connection off.
Script = Callable[[Asked], Iterator[bytes | None]]


@dataclass
class Scripted:
    """The server. ``script`` answers searches; ``bind`` is the result code of a bind, ``binds`` what came, ``searches``
    what was asked. ``extended``: bytes for an extended request, by its number."""

    script: Script
    bind: int = 0
    extended: Callable[[int], bytes] = lambda number: envelope(number, outcome(0x78, 2))
    searches: list[Asked] = field(default_factory=list)
    binds: list[bytes] = field(default_factory=list)
    gone: int = 0
    port: int = 0
    _listener: socket.socket | None = None

    def __enter__(self) -> Scripted:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        assert self._listener is not None
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while (message := self._message(connection)) is not None:
                number_, operation, *rest = elements(message)
                number, controls = int.from_bytes(number_[1], "big"), rest[0][1] if rest else b""
                tag, content = operation
                if tag == 0x60:
                    self.binds.append(content)
                    connection.sendall(envelope(number, outcome(0x61, self.bind)))
                elif tag == 0x77:
                    connection.sendall(self.extended(number))
                elif tag == 0x63:
                    self.searches.append(asked(number, content, controls))
                    for piece in self.script(self.searches[-1]):
                        if piece is None:
                            return
                        connection.sendall(piece)
                else:
                    break
        self.gone += 1

    @staticmethod
    def _message(connection: socket.socket) -> bytes | None:
        head = connection.recv(2, socket.MSG_WAITALL)
        if len(head) < 2:
            return None
        length = head[1]
        if length > 0x7F:
            length = int.from_bytes(connection.recv(length & 0x7F, socket.MSG_WAITALL), "big")
        data = b""
        while len(data) < length:
            data += connection.recv(length - len(data))
        return data
