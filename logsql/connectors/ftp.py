"""Files over FTP by aioftp: with TLS for commands and data (``ftps``), or in clear text where ``plain_ftp`` says so.

Data connections are passive and go to the host of the profile, whatever address the server's answer names: a server
cannot send us to another one.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from typing import TypeVar

import aioftp

from logsql.configuration.settings import Profile
from logsql.connectors.access import Access
from logsql.connectors.failures import no_answer, word_for
from logsql.connectors.fence import Entry as Allowed
from logsql.connectors.loops import Loop, never
from logsql.connectors.profiles import Place, check_place, password_of, place_of, tls_of
from logsql.connectors.remotepaths import checked, failed, folders_of
from logsql.connectors.tls import Context
from logsql.planner.connections.remotefiles import Content, Entry

T = TypeVar("T")
_PORTS = {"ftps": 21, "ftp": 21}
#: The port on which TLS begins with the first byte.
_IMPLICIT = 990
_ENTRIES, _BLOCK = 1000, 256 << 10
_DENIED = re.compile(r"denied|not permitted|permission|not allowed|privilege", re.IGNORECASE)
_LOGIN = ("331", "332", "430", "530", "532")


class Login:
    """See :class:`logsql.planner.connections.remotefiles.RemoteFiles`."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._loop = Loop("ftp")

    def check(self, profile: Profile) -> None:
        """Raise PolicyError (safe mode); SourceError (``refused-scheme``) for clear text that nobody allowed."""
        place = place_of(profile, _PORTS)
        check_place(place, self._access)
        allowed = map(Allowed.of, self._access.network.plain_ftp)
        if not _protected(profile, place) and not any(one.means(place.host, place.port) for one in allowed):
            raise no_answer(place.told, "refused-scheme")

    def connect(self, profile: Profile, names: str, cancelled: Callable[[], bool]) -> Session:
        """A login. ``names``: the charset of file names."""
        self.check(profile)
        place = place_of(profile, _PORTS)
        trusted = tls_of(profile, self._access) if _protected(profile, place) else None
        return Session(place, profile, trusted, names, (self._loop, cancelled))

    def test(self, profile: Profile) -> str:
        """Log in; the server that answered. Raises SourceError with the word for what went wrong."""
        self.connect(profile, "utf-8", never).close()
        return place_of(profile, _PORTS).told

    def close(self) -> None:
        """End the thread."""
        self._loop.close()


class _Client(aioftp.Client):
    """The library's client, which begins TLS with nothing in hand."""

    async def upgrade_to_tls(self, sslcontext: ssl.SSLContext | None = None) -> None:
        """Speak TLS from here on. What came behind the answer to AUTH was said in clear text by anybody; the library
        would take it for answers to what follows, so that a stranger says the login went well (RFC 3207, 6)."""
        await self.command("AUTH TLS", "234")
        if getattr(self.stream.reader, "_buffer", b""):
            raise ssl.SSLError("more than an answer in clear text")
        assert sslcontext is not None, "never without our authorities"
        await self.stream.start_tls(sslcontext=sslcontext, server_hostname=self.server_host)
        await self.command("PBSZ 0", "200")
        await self.command("PROT P", "200")


def _protected(profile: Profile, place: Place) -> bool:
    return profile.kind == "ftps" or place.scheme == "ftps"


class Session:
    """See :class:`logsql.planner.connections.remotefiles.Connection`."""

    def __init__(
        self,
        place: Place,
        profile: Profile,
        trusted: Context | None,
        names: str,
        running: tuple[Loop, Callable[[], bool]],
    ) -> None:
        self._place = place
        self._loop, self._cancelled = running
        implicit = trusted if place.port == _IMPLICIT else None
        patience = profile.timeout
        self._client = _Client(
            ssl=implicit, encoding=names, socket_timeout=patience, connection_timeout=patience, path_timeout=patience
        )
        self._features: frozenset[str] = frozenset()
        try:
            self._run(self._opened(profile, None if implicit else trusted))
        except BaseException:
            self.close()
            raise

    async def _opened(self, profile: Profile, trusted: Context | None) -> None:
        client, place = self._client, self._place
        try:
            await client.connect(place.host, place.port)
            if trusted is not None:
                await client.upgrade_to_tls(trusted)
            elif client.ssl:
                await client.command("PBSZ 0", "200")
                await client.command("PROT P", "200")
            await client.login(place.user or "anonymous", password_of(profile) or "")
        except aioftp.StatusCodeError as problem:
            codes = [str(code) for code in problem.received_codes]
            secure = trusted is not None and not any(code in _LOGIN for code in codes)
            raise no_answer(place.told, "tls-failed" if secure else "bad-credentials") from None
        except (OSError, EOFError, ValueError, aioftp.AIOFTPException) as problem:
            raise no_answer(place.told, word_for(problem)) from None
        with suppress(aioftp.StatusCodeError):
            answered = await client.command("FEAT", "211")
            lines = answered[1] if answered else []
            self._features = frozenset(line.strip().upper().partition(" ")[0] for line in lines)
        if "UTF8" in self._features and client.encoding == "utf-8":
            with suppress(aioftp.StatusCodeError):
                await client.command("OPTS UTF8 ON", "2xx")

    # --- listings -----------------------------------------------------------------------------------

    def entries(self, path: str) -> Iterator[list[Entry]]:
        """What is in a folder; of a file the file itself. Owner and group are told by LIST alone, times by MLSD."""
        checked(self._place, path)
        listing = _Listing(self._client, f"LIST {_plain(path)}", self._client.parse_list_line)
        if "MLST" not in self._features:
            yield from self._taken(path, listing)
            return
        known: dict[str, Entry] = {}
        for some in self._taken(path, listing):
            known |= {entry.name: entry for entry in some}
        if set(known) == {path.rsplit("/", 1)[-1]} and not next(iter(known.values())).folder:
            yield list(known.values())
            return
        yield from self._taken(path, _Listing(self._client, f"MLSD {path}", self._client.parse_mlsx_line, known))

    def _taken(self, path: str, listing: _Listing) -> Iterator[list[Entry]]:
        none = True
        while some := self._call(path, listing.some()):
            none = False
            yield some
        if none:  # of a folder that is not there some servers list nothing
            self._call(path, self._client.change_directory(path))

    # --- contents -----------------------------------------------------------------------------------

    def content(self, path: str) -> Content:
        """A file to read."""
        checked(self._place, path)
        stream = self._call(path, _started(self._client.download_stream(path)))
        told = f"{self._place.told}{path if path.startswith('/') else '/' + path}"
        return _Bytes(told, lambda: self._call(path, _block(stream)))

    def size(self, path: str) -> int | None:
        """Bytes of a file; None where there is none."""

        async def asked() -> int | None:
            await self._client.command("TYPE I", "200")
            try:
                answered = await self._client.command(f"SIZE {path}", "213")
            except aioftp.StatusCodeError as problem:
                if any(str(code) == "550" for code in problem.received_codes):
                    return None
                found: Mapping[str, object] | None = None
                with suppress(aioftp.StatusCodeError, aioftp.PathIOError, ValueError):
                    found = {**await self._client.stat(path)}
                return None if found is None else int(str(found.get("size") or 0))
            return int(answered[1][-1].strip()) if answered else None

        return self._call(checked(self._place, path), asked())

    def last_byte(self, path: str, size: int) -> bytes:
        """The last byte of a file."""

        async def read() -> bytes:
            async with self._client.download_stream(path, offset=size - 1) as stream:
                return bytes(await stream.read(1))

        return self._call(path, read())

    def append(self, path: str, data: bytes, told: str) -> None:
        """Add bytes."""

        async def added() -> None:
            async with self._client.append_stream(path) as stream:
                await stream.write(data)

        checked(self._place, path)
        self._call(told, added())

    # --- names --------------------------------------------------------------------------------------

    def make_folders(self, path: str) -> None:
        """Make the folders that are missing."""

        async def made() -> None:
            for folder in folders_of(path):
                try:
                    await self._client.command(f"CWD {folder}", "250")
                    await self._client.command(f"CWD {start}", "250")
                except aioftp.StatusCodeError:
                    await self._client.command(f"MKD {folder}", "257")

        start = self._call(path, self._client.get_current_directory())
        self._call(checked(self._place, path), made())

    def place(self, temporary: str, path: str, replace: bool) -> None:
        """Give a file its name; most servers replace one that is there."""

        async def placed() -> None:
            try:
                await self._client.rename(temporary, path)
            except aioftp.StatusCodeError:
                if not replace:
                    raise
                await self._client.remove_file(path)
                await self._client.rename(temporary, path)

        self._call(path, placed())

    def cut(self, path: str, size: int) -> None:
        """FTP cannot make a file shorter: what was added stays."""

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._call(path, self._client.remove_file(path))

    def close(self) -> None:
        """End the session."""

        async def ended() -> None:
            with suppress(Exception):
                async with asyncio.timeout(0.5):
                    await self._client.command("QUIT", "2xx")
            with suppress(Exception):
                self._client.close()

        with suppress(Exception):
            self._loop.result(ended())

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return self._loop.result(work, self._cancelled)

    def _call(self, path: str, work: Coroutine[object, object, T]) -> T:
        try:
            return self._run(work)
        except aioftp.StatusCodeError as problem:
            raise failed(self._place, path, _word(problem)) from None
        except UnicodeError:
            raise failed(self._place, path, "decode-failed") from None
        except (OSError, EOFError, ValueError, aioftp.AIOFTPException) as problem:
            word = "truncated" if isinstance(problem, (ConnectionError, EOFError)) else word_for(problem)
            raise failed(self._place, path, word) from None


def _word(problem: aioftp.StatusCodeError) -> str:
    """The word for an answer of the server (RFC 959, 4.2.1)."""
    code, said = str(problem.received_codes[-1]), " ".join(map(str, problem.info))
    if code in ("426", "451", "421"):
        return "truncated"
    if code in ("550", "450", "553"):
        return "permission-denied" if _DENIED.search(said) else "no-such-file"
    return "bad-credentials" if code == "530" else "server-refused"


def _plain(path: str) -> str:
    """A path that LIST does not take for an option."""
    return f"./{path}" if path.startswith("-") else path


async def _started(stream: Awaitable[T]) -> T:
    return await stream


async def _block(stream: aioftp.DataConnectionThrottleStreamIO) -> bytes:
    """The next block; at the end the server has to say that it was the end."""
    data = bytes(await stream.read(_BLOCK))
    if not data:
        await stream.finish()
    return data


class _Bytes:
    """The bytes of a file, a block at a time."""

    def __init__(self, name: str, block: Callable[[], bytes]) -> None:
        self.name = name
        self._block = block
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        """The next block, whatever its size; nothing at the end."""
        data = b"" if self._ended else self._block()
        self._ended = not data
        return data

    def close(self) -> None:
        """The connection ends with the session."""


class _Listing:
    """The lines of LIST or MLSD, some at a time. ``known``: entries of LIST, which tell owner and group."""

    def __init__(
        self,
        client: aioftp.Client,
        command: str,
        parse: Callable[[bytes], tuple[object, Mapping[str, object]]],
        known: Mapping[str, Entry] | None = None,
    ) -> None:
        self._client = client
        self._command = command
        self._parse = parse
        self._known = known or {}
        self._stream: aioftp.DataConnectionThrottleStreamIO | None = None
        self._ended = False

    async def some(self) -> list[Entry]:
        """The next entries; none at the end."""
        if self._stream is None:
            self._stream = await self._client.get_stream(self._command, "1xx")
        found: list[Entry] = []
        while len(found) < _ENTRIES and not self._ended:
            line = await self._stream.readline()
            if not line:
                self._ended = True
                await self._stream.finish()
            elif (entry := self._entry(line)) is not None:
                found.append(entry)
        return found

    def _entry(self, line: bytes) -> Entry | None:
        if line.startswith(b"total ") or not line.strip():
            return None
        try:
            path, facts = self._parse(line)
        except ValueError:
            if not isinstance(line, bytes):
                raise
            text = line.decode(self._client.encoding).strip()
            return Entry(text, folder=False)  # a form that nobody knows: the line is all there is
        name, kind = str(path), str(facts.get("type", "")).lower()
        if name in (".", "..") or kind in ("cdir", "pdir"):
            return None
        other = self._known.get(name)
        size = facts.get("size")
        return Entry(
            name,
            kind == "dir",
            int(str(size)) if size is not None else None if other is None else other.size,
            _moment(facts.get("modify")) or (None if other is None else other.modified),
            link="link" in kind,
            owner=_text(facts.get("unix.owner")) or (None if other is None else other.owner),
            group=_text(facts.get("unix.group")) or (None if other is None else other.group),
        )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _moment(value: object) -> dt.datetime | None:
    """``yyyyMMddHHmmss`` with a fraction or without, in UTC (RFC 3659)."""
    try:
        return dt.datetime.strptime(str(value)[:14], "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
