"""The door to the file system: every file, folder, copy and database that a reader touches is asked for here.

``Files`` asks its policy before it opens a path, tells its size, lists a folder or hands the path to a library that
opens files itself (DuckDB, SQLite). It is the only module below ``udfs`` that does any of this; a test over the syntax
trees keeps it so. What the system refuses is a :class:`~udfs.readers.errors.ReaderError` in one sentence.
"""

from __future__ import annotations

import io
import os
import stat
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from udfs.appendnote import note_path, read_note
from udfs.readers.errors import ReaderError, os_error
from udfs.readers.patterns import ANY_DEPTH, components, has_wildcard, in_natural_order, wildcard
from udfs.regular import NotRegular, open_regular, open_unlooked

if TYPE_CHECKING:
    import sqlite3
    import zipfile

_PIECE = 1 << 20
#: Bytes that a note of an append has at most.
_NOTE = 4_096
#: Where Linux has the open files of this process under their numbers.
HANDLES = "/proc/self/fd"
#: Whether this system has: elsewhere DuckDB opens the path itself.
HANDED_ON = sys.platform == "linux" and os.path.isdir(HANDLES)
_MOST_KEPT = 200
#: What SQLite has opened is known by the numbers that are new: another database must not be opened in between.
_ONE_AT_A_TIME = threading.Lock()
_PACKED = {".gz": "gzip", ".zst": "zstd"}
InFolder = Callable[[str, str, Callable[[int], bytes]], bool]
"""Whether a file of a folder is meant, by its path and name; the last argument gives so many of its first bytes."""
_Listed = tuple[str, str, bool, bool, bool]
"""Path and name, whether it is a folder, whether it is a link, and whether it is a regular file and no link."""


@dataclass(frozen=True)
class Place:
    """What DuckDB's file functions are given: a path, and the packing that its name tells (``none``, ``gzip``)."""

    path: str
    packing: str


def any_file(path: str) -> bool:
    """The policy of scripts and tests: everything may be read."""
    return True


def any_handle(path: str, handle: int) -> bool:
    """The policy of scripts and tests: whatever was opened is what was meant."""
    return True


class Files:
    """The files that ``may_read`` allows (it gets the path as written, and follows links itself).

    ``opened`` says of an open file whether it is the one that was allowed. ``fenced``: it may be another one, so that
    DuckDB gets what was opened here (:meth:`for_duckdb`).
    """

    def __init__(
        self,
        may_read: Callable[[str], bool] = any_file,
        opened: Callable[[str, int], bool] = any_handle,
        fenced: bool = False,
    ) -> None:
        self._may_read = may_read
        self._fenced = fenced and HANDED_ON
        self._kept: dict[str, BinaryIO] = {}
        self.directories: dict[tuple[object, ...], dict[str, zipfile.ZipInfo]] = {}
        """Directories of archives that were read last, by file and charset: of a thousand members each is opened."""
        self._opened = opened

    # --- one file ---------------------------------------------------------------------------------

    def granted(self, path: str) -> str:
        """The path, for a library that opens it by itself. ReaderError ``read-not-allowed``, ``not-a-file``."""
        self._ask(path)
        _check_regular(path)
        return path

    def for_duckdb(self, path: str) -> Place:
        """Where DuckDB's file functions find the file.

        Inside a fence DuckDB is not told the path, which may lead elsewhere by the time it opens it, but the file that
        is open here, as long as this object lives.
        """
        packing = packing_of(path)
        if not self._fenced:
            return Place(duckdb_path(self.granted(path)), packing)
        if not self._kept:
            weakref.finalize(self, _close, self._kept)
        if path not in self._kept:
            self._kept[path] = self.open(path)
        return Place(f"{HANDLES}/{self._kept[path].fileno()}", packing)

    @property
    def fenced(self) -> bool:
        """Whether DuckDB gets what was opened here, not a path."""
        return self._fenced

    @property
    def most_for_duckdb(self) -> int | None:
        """How many files :meth:`for_duckdb` may be asked for: a process may hold a thousand open. None: any number."""
        return _MOST_KEPT if self._fenced else None

    def open(self, path: str) -> BinaryIO:
        """The file for reading, at its beginning."""
        self.granted(path)
        try:
            return self._meant(path, io.BufferedReader(NamedFile(path, self.noted_end(path))))
        except OSError as problem:
            raise os_error(problem, path) from problem

    def head(self, path: str, size: int, regular: bool = False) -> bytes:
        """The first ``size`` bytes of a file, less where it has no more: what it is shows there.

        Asked of every file of a folder, so nothing is made for it that a read of the whole needs. ``regular``: the
        folder's listing has just said that it is no pipe and no device.
        """
        self._ask(path)
        try:
            handle = self._unlooked(path) if regular else self._handle(path)[0]
            try:
                return os.read(handle, size)
            finally:
                os.close(handle)
        except OSError as problem:
            raise os_error(problem, path) from problem

    def small(self, path: str, most: int) -> bytes | None:
        """All bytes of a file that has at most ``most``; None for a larger one.

        A thousand small files are read in less time than they take to be opened for pieces. For formats that no command
        here writes: nothing looks for the note of a writer, which takes as long as to read the file.
        """
        self._ask(path)
        try:
            handle, size = self._handle(path)
            try:
                data = os.read(handle, size) if size <= most else b""
                return data if len(data) == size else None
            finally:
                os.close(handle)
        except OSError as problem:
            raise os_error(problem, path) from problem

    def _handle(self, path: str) -> tuple[int, int]:
        """A regular file that is the one meant, open, and its bytes. A pipe made in between has none to be read."""
        size = _check_regular(path)
        return self._unlooked(path), size

    def _unlooked(self, path: str) -> int:
        """The file that is meant, open, of which is known that it is a regular one."""
        handle = open_unlooked(path)
        if not self._opened(path, handle):
            os.close(handle)
            raise _refused(path)
        return handle

    def noted_end(self, path: str) -> int | None:
        """Where the whole rows of a file end that a writer is adding to, or was when it was killed; None: at its end.

        A hostile folder cannot hide rows by such a note: it names the file by device and number, which differ here.
        """
        return noted_end(path, self._may_read)

    def _meant(self, path: str, file: BinaryIO) -> BinaryIO:
        if not self._opened(path, file.fileno()):
            file.close()
            raise _refused(path)
        return file

    def size(self, path: str) -> int:
        """File size in bytes."""
        self._ask(path)
        try:
            size = os.stat(path).st_size
        except OSError as problem:
            raise os_error(problem, path) from problem
        end = self.noted_end(path)
        return size if end is None else end

    def state(self, path: str) -> tuple[str, int, int]:
        """Absolute path, size, and modification time in nanoseconds: what a file learned about is kept by."""
        self._ask(path)
        try:
            found = os.stat(path)
        except OSError as problem:
            raise os_error(problem, path) from problem
        end = self.noted_end(path)
        return os.path.abspath(path), found.st_size if end is None else end, found.st_mtime_ns

    def is_file(self, path: str) -> bool:
        """Whether a file of this name is there."""
        self._ask(path)
        return os.path.isfile(path)

    def database(self, path: str) -> sqlite3.Connection:
        """An SQLite database, opened so that nothing is created or changed beside it."""
        if not self._fenced:
            return _database(self.granted(path), "?mode=ro&immutable=1")
        # SQLite follows the link of a handle to the path and opens that: what it has opened is looked at.
        with self.open(path) as meant, _ONE_AT_A_TIME:
            before = _handles()
            database = _database(path, "?mode=ro&immutable=1")
            if not any(_same(meant.fileno(), handle) for handle in _handles() - before):
                database.close()
                raise _refused(path)
            return database

    # --- folders ----------------------------------------------------------------------------------

    def beside(self, path: str) -> list[str]:
        """Names in the folder that holds this file."""
        folder = os.path.dirname(path)
        self._ask(folder or ".")
        try:
            return os.listdir(folder or ".")
        except OSError as problem:
            raise os_error(problem, folder or ".") from problem

    def expand(
        self,
        pattern: str,
        in_folder: InFolder | None = None,
        unread: Callable[[ReaderError], None] | None = None,
    ) -> list[str]:
        r"""The files a query's path means (language.md 1.6): itself, or every match of its pattern (``patterns``).

        Matching ignores case, directories never match, order is natural (``log.2`` before ``log.10``). ``\`` separates
        directories on every platform when the literal path does not exist. ``in_folder``: a path that is a folder means
        the files below it for which this is true (it gets the path, and what gives so many of the first bytes);
        without it a folder is refused, as is one that holds no such file.
        ``unread`` is told of folders that a pattern leads into and that may not be listed. ReaderError:
        ``file-not-found``, ``is-a-directory``, ``permission-denied``, ``no-match``, ``read-not-allowed`` when no
        reading may be allowed.
        """
        _check_name(pattern)
        candidates = list(dict.fromkeys((pattern, pattern.replace("\\", "/"))))
        allowed = [candidate for candidate in candidates if self._may_read(candidate)]
        closed: list[ReaderError] = []
        for candidate in allowed:
            if os.path.exists(candidate):
                found = [] if in_folder is None else self._below(candidate.rstrip("/") or "/", in_folder, closed)
                if found:
                    return self._several(found, closed, unread)
                if in_folder is not None and os.path.isdir(candidate):
                    if closed:
                        raise closed[0]
                    raise ReaderError(
                        "{path} is a directory, and no file in it is of the kind that is read here", pattern,
                        "is-a-directory",
                    )  # fmt: skip
                return [_readable(candidate)]
        for candidate in candidates:
            folder, names = components(candidate)
            if not has_wildcard(candidate) or not self._may_read(folder or "."):
                continue
            allowed.append(candidate)
            found = self._walk(folder, names, closed) if os.path.isdir(folder or ".") else []
            if found:
                return self._several(found, closed, unread)
        if closed:
            raise closed[0]
        if not allowed:
            raise _refused(pattern)
        raise self._missing(pattern)

    def _below(self, folder: str, in_folder: InFolder, closed: list[ReaderError]) -> list[str]:
        """The files below a folder for which ``in_folder`` is true."""
        found = []
        for _, held in self._folders(folder, closed, set()):
            for path, name, is_folder, _, regular in held:
                try:
                    if not is_folder and in_folder(path, name, partial(self.head, path, regular=regular)):
                        found.append(path)
                except ReaderError as problem:
                    # A file of which nobody can say whether it is one of them. Pipes, devices and links to nothing are
                    # no files.
                    if problem.code not in ("not-a-file", "file-not-found"):
                        closed.append(problem)
        return found

    def _several(
        self, found: list[str], closed: list[ReaderError], unread: Callable[[ReaderError], None] | None
    ) -> list[str]:
        """The files in natural order. Of several one that cannot be read is told when it is opened."""
        for problem in closed if unread is not None else ():
            unread(problem)  # type: ignore[misc]
        ordered = in_natural_order(found)
        if len(ordered) == 1:
            self._ask(ordered[0])  # a link to somewhere else is not looked behind
        return [_readable(path) for path in ordered] if len(ordered) == 1 else ordered

    def _walk(
        self, folder: str, names: list[str], closed: list[ReaderError], seen: set[tuple[str, int]] | None = None
    ) -> list[str]:
        """The files below ``folder`` that the names of a pattern lead to; a link to a folder ends ``**``, not ``*``.

        ``seen``: folders below which the rest of the names was looked for already: twenty ``**`` lead to one over
        more ways than can be gone.
        """
        seen = set() if seen is None else seen
        name, rest = names[0], names[1:]
        if name == ANY_DEPTH:
            rest = rest[next((at for at, other in enumerate(rest) if other != ANY_DEPTH), len(rest)) :]
            below = self._folders(folder, closed, seen, len(rest))
            if rest:
                found = [path for here, _ in below for path in self._walk(here, rest, closed, seen)]
            else:
                found = [path for _, held in below for path, _, is_folder, *_ in held if not is_folder]
            return list(dict.fromkeys(found))
        if rest and "*" not in name and self._is_folder(os.path.join(folder, name)):
            return self._walk(os.path.join(folder, name), rest, closed, seen)
        test = wildcard(name)
        held = [entry for entry in self._listed(folder, closed) if test.fullmatch(entry[1])]
        if not rest:
            return [path for path, _, is_folder, *_ in held if not is_folder]
        return [found for path, _, is_folder, *_ in held if is_folder for found in self._walk(path, rest, closed, seen)]

    def _folders(
        self, folder: str, closed: list[ReaderError], seen: set[tuple[str, int]], left: int = 0
    ) -> Iterator[tuple[str, list[_Listed]]]:
        """A folder and those below it, with what each holds; none behind a link, and none that is ``seen``.

        A link that leads to a folder elsewhere is put down as ``closed``: the one machine of a collection that is
        mounted in another place must not be missing without a word.
        """
        waiting, whole = [folder], ""
        while waiting:
            here = waiting.pop()
            if (here, left) in seen:
                continue
            seen.add((here, left))
            held = self._listed(here, closed)
            waiting += [path for path, _, is_folder, is_link, _ in held if is_folder and not is_link]
            for path in [path for path, _, is_folder, is_link, _ in held if is_folder and is_link]:
                whole = whole or os.path.join(os.path.realpath(folder or "."), "")
                if not os.path.join(target := os.path.realpath(path), "").startswith(whole):
                    closed.append(_linked(path, target))
            yield here, held

    def _is_folder(self, path: str) -> bool:
        """Whether a folder is there; of a link that leads to where nothing may be read nothing is known."""
        return self._may_read(path) and os.path.isdir(path)

    def _entry(self, entry: os.DirEntry[str], path: str) -> _Listed:
        if entry.is_symlink():
            return path, entry.name, self._is_folder(path), True, False
        return path, entry.name, entry.is_dir(), False, entry.is_file()

    def _listed(self, folder: str, closed: list[ReaderError]) -> list[_Listed]:
        """What a folder holds.

        One that lets nobody in is put down as ``closed``: among those of many machines it must not end the query.
        """
        try:
            self._ask(folder or ".")
            with os.scandir(folder or ".") as entries:
                return [self._entry(entry, entry.path if folder else entry.name) for entry in entries]
        except ReaderError as problem:
            closed.append(problem)
        except OSError as problem:
            if all(other.path != folder for other in closed):
                closed.append(os_error(problem, folder or "."))
        return []

    def _missing(self, pattern: str) -> ReaderError:
        """The error for a path that means no file; it knows the names that are there instead."""
        place = pattern.replace("\\", "/")
        several = has_wildcard(place)
        problem = ReaderError("file not found: {path}", pattern, "file-not-found")
        if several:
            problem = ReaderError("no file matches {path}", pattern, "no-match")
        try:
            problem.beside = self.beside(place)
        except ReaderError as other:
            problem.no_folder = other.code != "read-not-allowed"
        return problem

    # --- temporary files --------------------------------------------------------------------------

    def spool(self, in_memory: int) -> BinaryIO:
        """A file of no name to unpack into, in memory up to ``in_memory`` bytes. It is gone when it is closed."""
        import tempfile

        return cast(BinaryIO, tempfile.SpooledTemporaryFile(in_memory))

    @contextmanager
    def scratch(self) -> Iterator[Scratch]:
        """A folder of copies, removed at the end."""
        from udfs.temporary import PrivateFolder  # for cost: few readers copy

        with PrivateFolder() as folder:
            yield Scratch(self, folder)

    def _ask(self, path: str) -> None:
        _check_name(path)
        if not self._may_read(path):
            raise _refused(path)


class NamedFile(io.FileIO):
    """A file whose trouble says which one it is: a bad sector, a drive that was taken away. ``end``: where it ends for
    its readers, where that is not its own end."""

    def __init__(self, path: str, end: int | None = None) -> None:
        super().__init__(path, "rb", opener=open_regular)
        self._path = path
        self.end = end

    def readinto(self, buffer: memoryview | bytearray, /) -> int:  # type: ignore[override]  # the buffers that come
        try:
            if self.end is not None:
                return super().readinto(memoryview(buffer)[: max(self.end - self.tell(), 0)])
            return super().readinto(buffer)
        except OSError as problem:
            raise os_error(problem, self._path) from problem

    def readall(self) -> bytes:
        try:
            return super().readall() if self.end is None else super().read(max(self.end - self.tell(), 0)) or b""
        except OSError as problem:
            raise os_error(problem, self._path) from problem

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_END and self.end is not None:
            return super().seek(max(self.end + offset, 0))
        return super().seek(offset, whence)


class Scratch:
    """A temporary folder of copies of evidence."""

    def __init__(self, files: Files, folder: str) -> None:
        self._files = files
        self._folder = folder

    def copy(self, path: str, name: str, between: Callable[[], None]) -> None:
        """Copy a file into the folder; ``between`` is called after every megabyte and may raise."""
        with self._files.open(path) as raw, open(os.path.join(self._folder, name), "wb") as made:
            while data := raw.read(_PIECE):
                between()
                made.write(data)

    def write(self, name: str, read: Callable[[int], bytes]) -> str:
        """Write what ``read`` gives into a file of the folder; its path."""
        path = os.path.join(self._folder, name)
        with open(path, "wb") as made:
            while data := read(_PIECE):
                made.write(data)
        return path

    def database(self, name: str) -> sqlite3.Connection:
        """The copy of an SQLite database, with the log that lies beside it here."""
        return _database(os.path.join(self._folder, name), "?mode=rw")


def noted_end(path: str, may_read: Callable[[str], bool] = any_file) -> int | None:
    """As :meth:`Files.noted_end`; OSError of the system is no note."""
    try:
        # It lies where the file does. Only a link at the end of the path leads to another folder, and to look for one
        # in every part of it takes longer than to open the file.
        place = note_path(os.path.realpath(path) if os.path.islink(path) else path)
        if not may_read(place):
            return None
        with open(place, "rb", opener=open_regular) as file:  # a pipe of that name would be waited for
            note = read_note(file.read(_NOTE))
        return note.size if note is not None and note.unfinished(os.stat(path)) else None
    except OSError:  # there is none, nearly always
        return None


def extent(file: IO[bytes]) -> tuple[int, int | None]:
    """Bytes of a file of :meth:`Files.open`, and where a writer's unfinished bytes begin; None: there are none."""
    end = file.raw.end if isinstance(file, io.BufferedReader) and isinstance(file.raw, NamedFile) else None
    return (os.fstat(file.fileno()).st_size if end is None else end), end


def packing_of(path: str) -> str:
    """How a file is packed by its name, as DuckDB calls it."""
    return next((packed for ending, packed in _PACKED.items() if path.lower().endswith(ending)), "none")


def duckdb_path(path: str) -> str:
    """A path of which DuckDB's file functions take every character as it is."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def known_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """An archive whose directory is known already: its entries are opened by their facts, nothing is looked for."""
    import io
    import zipfile

    made = zipfile.ZipFile(io.BytesIO(b"PK\5\6" + bytes(18)))
    made.fp = file
    return made


def archive(file: IO[bytes]) -> zipfile.ZipFile:
    """The ZIP archive in an open file (never a path: the file came through the door)."""
    import zipfile

    return zipfile.ZipFile(file)


def file_name(path: str) -> str:
    """The value of ``_file``: the base name."""
    return readable(os.path.basename(path))


def readable(path: str) -> str:
    """A path as text: bytes of a name that are no UTF-8, which Python keeps as halves of characters, become U+FFFD."""
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _database(path: str, mode: str) -> sqlite3.Connection:
    import sqlite3
    import urllib.parse

    uri = "file:" + urllib.parse.quote(os.path.abspath(path)) + mode
    return sqlite3.connect(uri, uri=True, check_same_thread=False)


def _close(files: dict[str, BinaryIO]) -> None:
    while files:
        files.popitem()[1].close()


def _handles() -> set[int]:
    """The numbers of what this process holds open; not of the listing itself, which the file opened next gets."""
    return {number for number in map(int, os.listdir(HANDLES)) if _same(number, number)}


def _same(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:  # closed meanwhile
        return False


def _check_name(path: str) -> None:
    """No system has a file whose name holds the character NUL; Python says so by a ValueError."""
    if "\0" in path:
        raise ReaderError("file not found: {path}", path.replace("\0", "\\0"), "file-not-found")


def _linked(path: str, target: str) -> ReaderError:
    said = "{path} is a link to a folder, and what lies behind it is not read: give {target} as well"
    return ReaderError(said, path, "is-a-directory", target=target)


def _refused(path: str) -> ReaderError:
    return ReaderError("reading {path} is not allowed in safe mode", path, "read-not-allowed")


def _readable(path: str) -> str:
    _check_regular(path)
    if not os.path.exists(path):  # a link to where nothing is
        raise ReaderError("file not found: {path}", path, "file-not-found")
    if not os.access(path, os.R_OK):
        raise ReaderError("no permission to read {path}", path, "permission-denied")
    return path


def _check_regular(path: str) -> int:
    """Readers go over a file more than once: a pipe has nothing left then, and a device may never end. Its bytes."""
    try:
        facts = os.stat(path)
    except (OSError, ValueError):
        return 0  # whoever opens it says why it cannot be read
    mode = facts.st_mode
    if stat.S_ISREG(mode):
        return facts.st_size
    if stat.S_ISDIR(mode):
        raise ReaderError("{path} is a directory, not a file", path, "is-a-directory")
    raise os_error(NotRegular(path), path)
