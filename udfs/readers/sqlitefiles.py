"""Opening SQLite databases as evidence: nothing is created or changed beside the file, whatever lies there.

A database is opened immutable. When a write-ahead log (``-wal``) lies beside it, the last transactions are in the log
only; SQLite reads it by making a ``-shm`` file in the same folder, so database and log are copied to a temporary folder
and read there, as SQLite shows them to everybody else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import lru_cache, partial

from udfs.readers.base import LossSink, ReadContext, ReaderError, check_cancelled, file_name
from udfs.readers.files import Files
from udfs.readers.sources import STREAMS, Member, label, open_source

Connect = Callable[[], sqlite3.Connection]
# A damaged schema makes error messages and column names that are no UTF-8, which the module decodes strictly; a record
# whose header claims gigabytes makes SQLite say that memory is short, though nothing was allocated.
PROBLEMS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
_LONGEST = 256 << 20
"""Bytes of one value that are believed; a generated column may claim more than the file holds."""
_STEPS = 100_000
"""Steps of SQLite's machine between two looks at ``context.cancelled``."""
_MOST_COPIED = 2 << 30
"""Bytes of a database and its log that are copied."""
_WAL_HEADER = 32
_INNOCUOUS = 0x200000
"""``SQLITE_INNOCUOUS``: a function without side effects that tells nothing but what its arguments hold."""
_HOT_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""First bytes of a rollback journal in use (file format, "The Rollback Journal"); a finished one begins with zeros."""


@contextmanager
def on_disk(target: str | Member, context: ReadContext) -> Iterator[tuple[str, ReadContext]]:
    """The path of a database, and the context to read it with: a member of an archive is unpacked with its log, a file
    that is packed by itself alone.

    What is lost and what is wrong is told of the member, not of the copy.
    """
    if isinstance(target, str) and not context.files.head(target, 4).startswith(STREAMS):
        yield target, context
        return
    with context.files.scratch() as scratch:
        with open_source(target, context) as source:
            path = scratch.write("database", source.read)
        for ending in ("-wal", "-journal"):
            if not isinstance(target, Member):
                break
            try:
                with open_source(replace(target, entry=target.entry + ending), context) as source:
                    scratch.write("database" + ending, source.read)
            except ReaderError as problem:
                if problem.code != "no-such-entry":
                    raise
        try:
            yield path, replace(context, loss=_Renamed(context.loss, path, label(target)), files=Files())
        except ReaderError as problem:
            raise problem.about(label(target)) from problem


class _Renamed:
    """Passes on what is lost of a copy as lost of what it is a copy of."""

    def __init__(self, sink: LossSink, path: str, name: str) -> None:
        self._sink, self._path, self._name = sink, path, name

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        told = None if sample is None else sample.replace(self._path, self._name)
        self._sink.lost(self._name if source == self._path else source, reason, count, position, told)


@contextmanager
def opened(path: str, context: ReadContext) -> Iterator[sqlite3.Connection]:
    """The database with what its write-ahead log adds; the policy of ``context`` is asked for every file.

    ReaderError ``not-a-sqlite-database``. Ledger (count 0: nothing is lost): ``write-ahead-log-read``,
    ``rollback-journal-not-read``; ``write-ahead-log-not-read`` when the log may not be read or is too large to copy.
    """
    with context.files.open(path) as raw:
        if raw.read(16) != b"SQLite format 3\0":
            raise ReaderError("{path} is not an SQLite database", path, "not-a-sqlite-database")
    _tell_journal(path, context)
    with _with_log(path, context) as connect, _connected(path, connect, context) as database:
        try:
            yield database
        except PROBLEMS as problem:
            check_cancelled(context)
            raise _unreadable(path, problem) from problem


@contextmanager
def _connected(path: str, connect: Connect, context: ReadContext) -> Iterator[sqlite3.Connection]:
    try:
        database = connect()
    except PROBLEMS as problem:
        raise _unreadable(path, problem) from problem
    try:
        database.text_factory = text_factory([0])
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        _keep_harmless(database)
        database.execute("PRAGMA query_only = ON")
        database.set_progress_handler(lambda: int(context.cancelled()), _STEPS)
        yield database
    finally:
        database.close()


def _keep_harmless(database: sqlite3.Connection) -> None:
    """No function that a hostile schema names (in a generated column) may have side effects.

    ``PRAGMA trusted_schema = OFF`` asks too much: up to SQLite 3.40 the functions of JSON are not marked harmless, and
    with it ``CREATE TABLE t(a, b AS (json_extract(a, '$.id')))`` makes the whole database unreadable.
    """
    denied = with_side_effects()

    def judge(action: int, first: str | None, second: str | None, *_: str | None) -> int:
        refused = action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in denied
        return sqlite3.SQLITE_DENY if refused else sqlite3.SQLITE_OK

    database.set_authorizer(judge)


@lru_cache(maxsize=1)
def with_side_effects() -> frozenset[str]:
    """Functions of SQLite, in small letters, that may do more than give a value."""
    with closing(sqlite3.connect(":memory:")) as own:
        marked = own.execute("SELECT name FROM pragma_function_list WHERE flags & ? = 0", (_INNOCUOUS,)).fetchall()
    return frozenset(str(name).lower() for (name,) in marked if not str(name).startswith(("json", "->")))


@contextmanager
def _with_log(path: str, context: ReadContext) -> Iterator[Connect]:
    """What opens the database: the copy that lies beside its log, or the file itself."""
    log = path + "-wal"

    def alone() -> sqlite3.Connection:
        return context.files.database(path)

    def untold(why: object) -> None:
        context.loss.lost(path, "write-ahead-log-not-read", 1, None, f"{log}: {why}")

    try:
        waiting = _log_bytes(path, context.files) > _WAL_HEADER
    except ReaderError as problem:  # a link to where nothing may be read
        untold(problem)
        waiting = False
    if waiting and stored_bytes(path, context.files) > _MOST_COPIED:
        untold(f"together with the database more than {_MOST_COPIED >> 30} GiB")
        waiting = False
    if not waiting:
        yield alone
        return
    with context.files.scratch() as scratch:
        connect: Connect = alone
        try:
            scratch.copy(path, "copy", lambda: check_cancelled(context))
            scratch.copy(log, "copy-wal", lambda: check_cancelled(context))
        except (ReaderError, OSError) as problem:
            untold(problem)
        else:
            told = f"what {file_name(log)} adds and changes is in the rows"
            context.loss.lost(path, "write-ahead-log-read", 0, None, told)
            connect = partial(scratch.database, "copy")
        yield connect


def stored_bytes(path: str, files: Files) -> int:
    """Bytes of the database and of the log beside it, as far as it may be asked."""
    try:
        return files.size(path) + _log_bytes(path, files)
    except ReaderError:
        return files.size(path)


def _log_bytes(path: str, files: Files) -> int:
    log = path + "-wal"
    return files.size(log) if files.is_file(log) else 0


def _tell_journal(path: str, context: ReadContext) -> None:
    """A journal in use says that the database was written to: its last transaction may be there in part."""
    journal = path + "-journal"
    try:
        with context.files.open(journal) as raw:
            hot = raw.read(8) == _HOT_JOURNAL
    except ReaderError:
        return
    if hot:
        told = f"{file_name(journal)} would undo an unfinished transaction"
        context.loss.lost(path, "rollback-journal-not-read", 0, None, told)


def _unreadable(path: str, problem: Exception) -> ReaderError:
    said = "cannot read the SQLite database {path}: {reason}"
    return ReaderError(said, path, "not-a-sqlite-database", reason=sentence(problem))


def sentence(problem: Exception) -> str:
    """What went wrong, in one line."""
    return " ".join(str(problem).split()) or "a record claims more memory than there is"


def text_factory(replaced: list[int]) -> Callable[[bytes], str]:
    """Decoder of text cells that counts those with bytes that are no UTF-8."""

    def decode(data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            replaced[0] += 1
            return data.decode("utf-8", "replace")

    return decode
