"""A directory server that answers searches as a test says: what no server does on demand.

It speaks as much of LDAP as a search needs (bind, search, unbind; RFC 4511, pages of RFC 2696) and knows no filters:
every search gets what the script says. Ranges of values (``member;range=0-1499``), which neither OpenLDAP nor Samba
makes of themselves, limits without pages, time limits after some rows, broken messages.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tests.servers.loop import LoopThread
from tests.servers.web import GONE

PAGED = b"1.2.840.113556.1.4.319"
SUCCESS, TIME_LIMIT, SIZE_LIMIT, BUSY, NO_EXTENSION = 0, 3, 4, 51, 2


@dataclass(frozen=True)
class Entry:
    """An entry: its DN, and values by attribute."""

    dn: str
    values: dict[str, Sequence[bytes]]


@dataclass(frozen=True)
class Search:
    """A search as it came. ``page`` is None where no pages were asked for."""

    base: str
    scope: int
    attributes: tuple[str, ...]
    page: int | None
    cookie: bytes
    connection: int


@dataclass(frozen=True)
class Answer:
    """An answer: rows, references, then the code. ``cookie`` is None where the server knows nothing of pages, empty
    at the last page. ``broken`` bytes are sent instead of the end, and the connection is closed; ``hang`` sends no end.
    """

    entries: Sequence[Entry] = ()
    code: int = SUCCESS
    message: str = ""
    cookie: bytes | None = None
    references: Sequence[str] = ()
    referral: Sequence[str] = ()
    broken: bytes | None = None
    hang: bool = False
    delay: float = 0.0


Script = Callable[[Search], Answer]


def users(count: int) -> list[Entry]:
    """Entries to answer with."""
    return [
        Entry(f"cn=U{i},dc=fake,dc=test", {"cn": [f"U{i}".encode()], "sAMAccountName": [f"u{i}".encode()]})
        for i in range(count)
    ]


def paged(entries: Sequence[Entry]) -> Script:
    """All entries in pages of the size that was asked for; the cookie is where the next one begins."""

    def script(search: Search) -> Answer:
        if search.page is None:
            return Answer(entries)
        start = int(search.cookie or b"0")
        end = start + search.page
        return Answer(entries[start:end], cookie=str(end).encode() if end < len(entries) else b"")

    return script


def unpaged(entries: Sequence[Entry], limit: int, code: int = SIZE_LIMIT) -> Script:
    """A server that knows nothing of pages and ends after ``limit`` rows with a code (4, or 3 for its time)."""
    return lambda search: Answer(entries[:limit], code if limit < len(entries) else SUCCESS)


def ends_at(entries: Sequence[Entry], page: int, last: Answer) -> Script:
    """Pages as ``paged``, but the page of that number (from 0) ends as ``last`` says, after its rows."""
    whole = paged(entries)

    def script(search: Search) -> Answer:
        answer = whole(search)
        number = int(search.cookie or b"0") // (search.page or len(entries))
        return replace(last, entries=answer.entries) if number == page else answer

    return script


def ranged(entry: Entry, most: int = 1500) -> Script:
    """One entry, whose attributes with more than ``most`` values come in ranges, as Active Directory sends them."""

    def script(search: Search) -> Answer:
        found: dict[str, Sequence[bytes]] = {}
        asked = [name for name in search.attributes if name not in ("*", "+")] or list(entry.values)
        for name in [*asked, *(entry.values if "*" in search.attributes else ())]:
            plain, _, span = name.partition(";range=")
            match = next((key for key in entry.values if key.lower() == plain.lower()), None)
            if match is None:
                continue
            values = entry.values[match]
            start = int(span.partition("-")[0]) if span else 0
            if not span and len(values) <= most:
                found[match] = values
            elif start < len(values):
                end = min(start + most, len(values))
                last = "*" if end == len(values) else str(end - 1)
                found[f"{match};range={start}-{last}"] = values[start:end]
        return Answer([Entry(entry.dn, found)], cookie=None if search.page is None else b"")

    return script


# --- BER ------------------------------------------------------------------------------------------------------------


def tlv(tag: int, *content: bytes) -> bytes:
    """A value with its tag and length."""
    data = b"".join(content)
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(size)]) + size + data


def number(value: int, tag: int = 2) -> bytes:
    """An integer, or an enumeration (tag 10)."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def string(value: str | bytes) -> bytes:
    """An octet string."""
    return tlv(4, value.encode() if isinstance(value, str) else value)


def parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values one after another: tag, content."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 128:
            count = size & 127
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        yield tag, data[at : at + size]
        at += size


async def _message(reader: asyncio.StreamReader) -> bytes:
    """The content of the next message."""
    head = await reader.readexactly(2)
    size = head[1]
    if size & 128:
        size = int.from_bytes(await reader.readexactly(size & 127), "big")
    return await reader.readexactly(size)


def _search(content: bytes, controls: bytes, connection: int) -> Search:
    fields = list(parts(content))
    names = tuple(value.decode() for _, value in parts(fields[7][1]))
    page, cookie = None, b""
    for _, control in parts(controls):
        values = [value for _, value in parts(control)]
        if values[0] == PAGED:
            size, cookie = (value for _, value in parts(next(iter(parts(values[-1])))[1]))
            page = int.from_bytes(size, "big")
    return Search(fields[0][1].decode(), fields[1][1][0], names, page, cookie, connection)


def _result(tag: int, code: int, message: str, referral: Sequence[str] = ()) -> bytes:
    links = tlv(0xA3, *map(string, referral)) if referral else b""
    return tlv(tag, number(code, 10), string(""), string(message), links)


def _entry(entry: Entry) -> bytes:
    rows = [tlv(0x30, string(name), tlv(0x31, *map(string, values))) for name, values in entry.values.items()]
    return tlv(0x64, string(entry.dn), tlv(0x30, *rows))


@dataclass
class ScriptedDirectory:
    """A server on a free port; without TLS, and StartTLS is refused. ``script`` says what each search gets,
    ``searches`` and ``binds`` hold what came, ``bind_code`` refuses to bind."""

    thread: LoopThread
    context: ssl.SSLContext | None = None
    script: Script = field(default_factory=lambda: paged([]))
    bind_code: int = SUCCESS
    port: int = 0
    searches: list[Search] = field(default_factory=list)
    binds: list[tuple[str, str]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _connections: int = 0

    base = "dc=fake,dc=test"

    @property
    def url(self) -> str:
        return f"{'ldaps' if self.context else 'ldap'}://localhost:{self.port}"

    def start(self) -> ScriptedDirectory:
        """Listen on a free port."""
        self.thread.run(self._listen())
        return self

    def stop(self) -> None:
        """Listen no longer; what is open is closed."""
        self.thread.run(self._close())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._connections += 1
        try:
            await self._conversation(reader, writer, self._connections)
        except (asyncio.CancelledError, *GONE):
            writer.transport.abort()
        except Exception as error:
            self.failures.append(error)
        finally:
            self._tasks.discard(task)
            with suppress(*GONE):
                writer.close()

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, which: int) -> None:
        while True:
            (_, number_), (operation, content), *controls = parts(await _message(reader))
            say = _Voice(writer, number_)
            match operation:
                case 0x60:
                    _, (_, name), (_, password) = parts(content)
                    self.binds.append((name.decode(), password.decode()))
                    say(_result(0x61, self.bind_code, ""))
                case 0x63:
                    search = _search(content, controls[0][1] if controls else b"", which)
                    self.searches.append(search)
                    if not await _answer(say, self.script(search)):
                        return
                case 0x77:
                    say(_result(0x78, NO_EXTENSION, "no such operation"))
                case 0x42:
                    return
            await writer.drain()


@dataclass(frozen=True)
class _Voice:
    """Messages that answer one request."""

    writer: asyncio.StreamWriter
    number: bytes

    def __call__(self, operation: bytes, controls: bytes = b"") -> None:
        self.writer.write(tlv(0x30, tlv(2, self.number), operation, controls))


async def _answer(say: _Voice, answer: Answer) -> bool:
    """Send an answer; False where the connection ends with it."""
    await asyncio.sleep(answer.delay)
    for entry in answer.entries:
        say(_entry(entry))
    for reference in answer.references:
        say(tlv(0x73, string(reference)))
    if answer.hang:
        await say.writer.drain()
        await asyncio.Event().wait()
    if answer.broken is not None:
        say.writer.write(answer.broken)
        await say.writer.drain()
        return False
    controls = b""
    if answer.cookie is not None:
        value = tlv(0x30, number(0), string(answer.cookie))
        controls = tlv(0xA0, tlv(0x30, string(PAGED), string(value)))
    say(_result(0x65, answer.code, answer.message, answer.referral), controls)
    return True
