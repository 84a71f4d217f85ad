"""Messages of LDAP over a socket (RFC 4511): one connection, one request at a time, nothing waits long unasked.

Requests are written by ldap3. Answers are taken apart here: ldap3 reads a value whose length leads out of its message
as far as the bytes go, and a value is never cut. Sockets wait a tenth of a second at most before they ask whether the
query goes on.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ldap3 import ANONYMOUS, SIMPLE
from ldap3.operation.bind import bind_operation
from ldap3.operation.extended import extended_operation
from ldap3.operation.search import search_operation
from ldap3.operation.unbind import unbind_operation
from ldap3.protocol.convert import build_controls_list
from ldap3.protocol.rfc2696 import paged_search_control
from ldap3.protocol.rfc4511 import LDAPMessage, ProtocolOp
from ldap3.utils.asn1 import encode

from logsql.connectors.tls import Context, word_of

#: Seconds between two questions whether the query goes on.
TICK = 0.05
PAGED, START_TLS, WHO_AM_I = "1.2.840.113556.1.4.319", "1.3.6.1.4.1.1466.20037", "1.3.6.1.4.1.4203.1.11.3"
_PIECE = 256 << 10
ENTRY, DONE, REFERENCE, BOUND, EXTENDED, INTERMEDIATE = 0x64, 0x65, 0x73, 0x61, 0x78, 0x79


class Failed(Exception):
    """No answer, or none that keeps to the protocol: ``word`` of the table of errors, and the result code if any."""

    def __init__(self, word: str, code: int | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.code = code


class Stopped(Exception):
    """The query is to end."""


@dataclass(frozen=True)
class Result:
    """The end of an answer: result code, the cookie of the next page, the value of an extended answer."""

    code: int
    cookie: bytes | None = None
    value: bytes = b""


@dataclass(frozen=True)
class Entry:
    """One entry as it was sent."""

    dn: bytes
    attributes: Mapping[str, list[bytes]]
    size: int


# --- reading BER ------------------------------------------------------------------------------------------------------


def element(data: bytes, pos: int, end: int) -> tuple[int, int, int]:
    """Tag, start and end of the content of the element at ``pos``. Raises :class:`Failed` where it leads beyond."""
    if pos + 2 > end:
        raise Failed("protocol-error")
    tag, length = data[pos], data[pos + 1]
    pos += 2
    if length > 0x7F:
        octets = length & 0x7F
        if not 0 < octets < 5 or pos + octets > end:
            raise Failed("protocol-error")
        length = int.from_bytes(data[pos : pos + octets], "big")
        pos += octets
    if pos + length > end:
        raise Failed("protocol-error")
    return tag, pos, pos + length


def elements(data: bytes, pos: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The elements between two places."""
    while pos < end:
        tag, start, pos = element(data, pos, end)
        yield tag, start, pos


def _expected(data: bytes, pos: int, end: int, tag: int) -> tuple[int, int]:
    found, start, stop = element(data, pos, end)
    if found != tag:
        raise Failed("protocol-error")
    return start, stop


def entry(data: bytes, start: int, end: int) -> Entry:
    """A SearchResultEntry."""
    dn_start, dn_end = _expected(data, start, end, 0x04)
    list_start, list_end = _expected(data, dn_end, end, 0x30)
    attributes: dict[str, list[bytes]] = {}
    for tag, pos, stop in elements(data, list_start, list_end):
        name_start, name_end = _expected(data, pos, stop, 0x04)
        set_start, set_end = _expected(data, name_end, stop, 0x31)
        if tag != 0x30 or set_end != stop:
            raise Failed("protocol-error")
        values = []
        for kind, first, last in elements(data, set_start, set_end):
            if kind != 0x04:
                raise Failed("protocol-error")
            values.append(data[first:last])
        name = data[name_start:name_end].decode("utf-8", "replace")
        attributes.setdefault(name, []).extend(values)
    return Entry(data[dn_start:dn_end], attributes, end - start)


def result(data: bytes, start: int, end: int, controls: tuple[int, int] | None) -> Result:
    """An LDAPResult, with the cookie of the paging control."""
    parts = list(elements(data, start, end))
    if len(parts) < 3 or parts[0][0] != 0x0A or not 0 < parts[0][2] - parts[0][1] < 5:
        raise Failed("protocol-error")
    code = int.from_bytes(data[parts[0][1] : parts[0][2]], "big")
    value = next((data[first:last] for tag, first, last in parts[3:] if tag == 0x8B), b"")
    return Result(code, None if controls is None else _cookie(data, *controls), value)


def _cookie(data: bytes, start: int, end: int) -> bytes | None:
    for tag, pos, stop in elements(data, start, end):
        parts = list(elements(data, pos, stop))
        if tag != 0x30 or not parts or parts[0][0] != 0x04:
            raise Failed("protocol-error")
        if data[parts[0][1] : parts[0][2]] == PAGED.encode() and parts[-1][0] == 0x04 and len(parts) > 1:
            inner_start, inner_end = _expected(data, parts[-1][1], parts[-1][2], 0x30)
            inner = list(elements(data, inner_start, inner_end))
            if len(inner) != 2 or inner[1][0] != 0x04:
                raise Failed("protocol-error")
            return data[inner[1][1] : inner[1][2]]
    return None


# --- writing ----------------------------------------------------------------------------------------------------------


def message(number: int, kind: str, request: object, control: object = None) -> bytes:
    """One LDAPMessage."""
    made = LDAPMessage()
    made["messageID"] = number
    made["protocolOp"] = ProtocolOp().setComponentByName(kind, request)
    if control is not None:
        made["controls"] = build_controls_list([control])
    return bytes(encode(made))


def bind_request(number: int, user: str | None, password: bytes) -> bytes:
    """A simple bind; without a user an anonymous one."""
    request = bind_operation(3, SIMPLE, user, password) if user else bind_operation(3, ANONYMOUS)
    return message(number, "bindRequest", request)


def extended_request(number: int, oid: str) -> bytes:
    """An extended request without a value."""
    return message(number, "extendedReq", extended_operation(oid))


def unbind_request(number: int) -> bytes:
    """The end of a connection."""
    return message(number, "unbindRequest", unbind_operation())


_SCOPES = {"base": 0, "one": 1, "sub": 2}


def search_request(
    number: int,
    base: str,
    scope: str,
    filter: str,
    attributes: Sequence[str],
    page: int | None = None,
    cookie: bytes = b"",
) -> bytes:
    """A search; ``page``: entries a page (None: without paging). The control is not critical: a server that knows none
    answers all the same."""
    request = search_operation(base, filter, _SCOPES[scope], 0, list(attributes), 0, 0, False, False, True)
    return message(
        number, "searchRequest", request, None if page is None else paged_search_control(False, page, cookie)
    )


# --- the socket -------------------------------------------------------------------------------------------------------


def connected(
    find: Callable[[], Sequence[tuple[str, int]]], seconds: float, cancelled: Callable[[], bool]
) -> socket.socket:
    """A socket to the first address that answers. ``find`` resolves the name and says whom may be connected to.

    Names are resolved by the system, which cannot be told to stop: a thread of its own waits for it.
    """
    answers: queue.Queue[socket.socket | BaseException] = queue.Queue()
    given_up = threading.Event()

    def connect() -> None:
        try:
            problem: BaseException = Failed("connect-failed")
            deadline = time.monotonic() + seconds
            places = find()
            for number, place in enumerate(places):
                share = (deadline - time.monotonic()) / (len(places) - number)  # the last one gets all that is left
                try:
                    made = socket.create_connection(place, max(0.1, share))
                except TimeoutError:
                    problem = Failed("timeout")
                    continue
                except OSError:
                    continue
                if given_up.is_set():
                    made.close()
                answers.put(made)
                return
            answers.put(problem)
        except BaseException as other:
            answers.put(other)

    threading.Thread(target=connect, name="logsql-connect", daemon=True).start()
    deadline = time.monotonic() + seconds + TICK
    try:
        while True:
            try:
                found = answers.get(timeout=TICK)
            except queue.Empty:
                if cancelled():
                    raise Stopped from None
                if time.monotonic() > deadline:
                    raise Failed("timeout") from None
                continue
            if isinstance(found, BaseException):
                raise found
            return found
    except BaseException:
        given_up.set()
        raise


@dataclass
class Link:
    """One connection. ``timeout``: seconds that one answer may take."""

    socket: socket.socket
    timeout: float
    largest: int
    cancelled: Callable[[], bool]
    _number: int = 0
    _held: bytearray = field(default_factory=bytearray)
    _read: int = 0
    _deadline: float = 0.0

    def __post_init__(self) -> None:
        self.socket.settimeout(TICK)
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start_tls(self, context: Context, host: str) -> None:
        """Speak TLS from here on. What came before in plain text counts for nothing."""
        if len(self._held) > self._read:
            raise Failed("tls-failed")
        self._deadline = time.monotonic() + self.timeout
        try:
            secured = context.wrap_socket(self.socket, server_hostname=host, do_handshake_on_connect=False)
        except (OSError, ValueError) as error:
            raise Failed(word_of(error) or "tls-failed") from None
        self.socket = secured
        while True:
            try:
                secured.do_handshake()
                return
            except TimeoutError:
                self._wait()
            except (OSError, ValueError) as error:
                raise Failed(word_of(error) or "tls-failed") from None

    @property
    def protocol(self) -> str:
        """``TLSv1.3``; empty without TLS."""
        return (self.socket.version() or "") if isinstance(self.socket, ssl.SSLSocket) else ""

    def ask(self, request: Callable[[int], bytes]) -> int:
        """Send a request, made for the number that it gets."""
        self._number += 1
        self._deadline = time.monotonic() + self.timeout
        left = memoryview(request(self._number))
        while left:
            try:
                left = left[self.socket.send(left) :]
            except TimeoutError:
                self._wait()
            except OSError as error:
                raise Failed(word_of(error) or "truncated") from None
        return self._number

    def paused(self, seconds: float) -> None:
        """Nobody waited for the server in these seconds."""
        self._deadline += seconds

    def answers(self, number: int) -> Iterator[Entry | Result | None]:
        """What comes for a request, the result last; None for a search reference."""
        while True:
            data, tag, start, end, controls = self._message(number)
            if tag == ENTRY:
                yield entry(data, start, end)
            elif tag == REFERENCE:
                yield None
            elif tag in (DONE, BOUND, EXTENDED):
                yield result(data, start, end, controls)
                return
            elif tag != INTERMEDIATE:
                raise Failed("protocol-error")

    def result(self, number: int) -> Result:
        """The result of a request that has no entries."""
        for found in self.answers(number):
            if isinstance(found, Result):
                return found
        raise Failed("protocol-error")

    def _message(self, number: int) -> tuple[bytes, int, int, int, tuple[int, int] | None]:
        data = self._next()
        _, start, end = element(data, 0, len(data))
        tag, first, last = element(data, start, end)
        if tag != 0x02 or not 0 < last - first < 5:
            raise Failed("protocol-error")
        named = int.from_bytes(data[first:last], "big")
        operation, first, last = element(data, last, end)
        if named == 0 and operation == EXTENDED:  # the notice of disconnection (RFC 4511, 4.4.1)
            code = result(data, first, last, None).code
            raise Failed("strong-auth-required" if code == 8 else "truncated", code)
        if named != number:
            raise Failed("protocol-error")
        controls = None
        if last < end:
            kind, controls_start, controls_end = element(data, last, end)
            if kind != 0xA0:
                raise Failed("protocol-error")
            controls = (controls_start, controls_end)
        return data, operation, first, last, controls

    def _next(self) -> bytes:
        """The bytes of the next message."""
        while True:
            size = self._size()
            if size is not None and len(self._held) - self._read >= size:
                found = bytes(self._held[self._read : self._read + size])
                self._read += size
                if self._read > _PIECE:
                    del self._held[: self._read]
                    self._read = 0
                return found
            self._receive()

    def _size(self) -> int | None:
        """Bytes of the message that has begun; None where its length has not come yet."""
        held, at = self._held, self._read
        if len(held) - at < 2:
            return None
        if held[at] != 0x30:
            raise Failed("protocol-error")
        length, octets = held[at + 1], 0
        if length > 0x7F:
            octets = length & 0x7F
            if not 0 < octets < 5:
                raise Failed("protocol-error")
            if len(held) - at < 2 + octets:
                return None
            length = int.from_bytes(held[at + 2 : at + 2 + octets], "big")
        if length > self.largest:
            raise Failed("exceeds-max-size")
        return 2 + octets + length

    def _receive(self) -> None:
        while True:
            self._wait()
            try:
                data = self.socket.recv(_PIECE)
            except TimeoutError:
                continue
            except OSError as error:
                raise Failed(word_of(error) or "truncated") from None
            if not data:
                raise Failed("truncated")
            self._held += data
            return

    def _wait(self) -> None:
        if self.cancelled():
            raise Stopped
        if time.monotonic() > self._deadline:
            raise Failed("timeout")

    def close(self) -> None:
        """Say good-bye, and end it whether the server hears it or not."""
        with contextlib.suppress(Exception):
            self.socket.send(unbind_request(self._number + 1))
        with contextlib.suppress(OSError):
            self.socket.close()
