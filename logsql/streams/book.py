"""The one commit point of a server: what was read up to where, what was written up to where, in its database.

A unit (a stream, a sink of files) commits a batch in one transaction: its positions in the feeds it reads, the ends of
the feeds it wrote, the lengths of files, its state, and the rows of its tables. Whatever ends the process before, the
batch is done again and feeds and files are cut back to what is written here: exactly once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.journal import BOOK_ENDED, BOOK_NEWER
from logsql.engine.session import Session
from logsql.planner.runtime import Row
from logsql.store.folders import MEMORY
from logsql.store.logfiles import FULL, free_bytes
from logsql.streams.feed import FeedFull

Cursor = duckdb.DuckDBPyConnection
#: Adds rows to a table inside a transaction.
WriteTable = Callable[[Cursor, str, pa.Table], None]

SCHEMA = "logsql_live"
VERSION = 1
#: Room that is left to a checkpoint of the database: one that finds none ends the database (measured: the engine then
#: refuses everything until it is opened again). It writes what the log of 16 MB holds, and what tells where that is.
ROOM = 32_000_000
#: Seconds in which a transaction that others got in the way of is tried again.
_PATIENCE = 20.0
_POSITION, _END, _FILE = "position", "end", "file"
#: What says, in an error of the engine, that others changed the same rows or tables.
_CONFLICT = re.compile("(?i)conflict|has been altered")
_NO_ROOM = os.strerror(errno.ENOSPC)


class Written(Protocol):
    """A feed that a unit wrote."""

    def sync(self) -> None:
        """Have what was appended on the disk."""


@dataclass(frozen=True)
class Commit:
    """One batch of one unit. ``positions``: by feed; ``ends``: rows of each feed written, ``feeds``: those feeds;
    ``states``: by name, what is not named stays; ``files``: length by path, of ``unit`` as a sink; ``tables``: rows by
    table; ``inside``: what else is done in the transaction. It may be done more than once, so it changes nothing but
    the database. ``fresh``: its rows came so recently that the disk does not hold them where they came from either."""

    unit: str
    positions: Mapping[str, int] = field(default_factory=dict)
    ends: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[str, bytes] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    tables: Sequence[tuple[str, pa.Table]] = ()
    inside: tuple[Callable[[Cursor], None], ...] = ()
    feeds: Sequence[Written] = ()
    fresh: bool = False


def insert_by_name(cursor: Cursor, name: str, rows: pa.Table) -> None:
    """Add rows to a table of the same columns, which is made where it is not there."""
    table = exp.to_identifier(name, quoted=True).sql("duckdb")
    cursor.register("logsql_batch", rows)
    try:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} AS SELECT * FROM logsql_batch LIMIT 0")
        cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM logsql_batch")
    finally:
        with contextlib.suppress(duckdb.Error):  # what ended the transaction says more
            cursor.unregister("logsql_batch")


class Book:
    """The book of one server, in the database of ``session``; from any thread.

    ``write`` adds the rows of table sinks; ``sync``: ``[server] sync`` in seconds, 0 for always, None for never. Raises
    SourceError where a newer version has written the book.
    """

    def __init__(self, session: Session, write: WriteTable = insert_by_name, sync: float | None = 1.0) -> None:
        self._session = session
        self._write = write
        self._sync = sync
        #: Whether the engine has given the database up: it must be opened again.
        self.ended = False
        self._threads = threading.local()
        self._lock = threading.Lock()
        self._cursors: list[Cursor] = []
        place = exp.to_identifier(session.database.name, quoted=True).sql("duckdb")
        self._numbers, self._states, self._versions, self._pieces = (
            f"{place}.{SCHEMA}.{name}" for name in ("numbers", "states", "versions", "pieces")
        )
        self._folder = None if session.path == MEMORY else os.path.dirname(os.path.abspath(session.path))
        self._make(place)
        self._known: set[tuple[str, str, str]] = {
            (kind, owner, name) for kind, owner, name, _ in self._rows(f"SELECT * FROM {self._numbers}")
        }
        self._known_states = {(unit, name) for unit, name in self._rows(f"SELECT unit, name FROM {self._states}")}

    def _make(self, place: str) -> None:
        def act(cursor: Cursor) -> None:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {place}.{SCHEMA}")
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {self._versions} (version INTEGER)")
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {self._numbers} (kind VARCHAR, owner VARCHAR, name VARCHAR, value BIGINT)"
            )
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {self._states} (unit VARCHAR, name VARCHAR, state BLOB)")
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {self._pieces} (number BIGINT, piece BLOB)")
            cursor.execute(
                f"INSERT INTO {self._versions} SELECT {VERSION} WHERE NOT EXISTS (SELECT 1 FROM {self._versions})"
            )

        self._transaction(act)
        if self.version > VERSION:
            raise SourceError(diagnostic(BOOK_NEWER, path=self._session.path, version=self.version, known=VERSION))

    # --- what it holds ----------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """The form in which the book is written."""
        ((found,),) = self._rows(f"SELECT max(version) FROM {self._versions}")
        return int(found)

    def positions(self, unit: str) -> dict[str, int]:
        """Up to which row a unit has worked off each feed that it reads."""
        return self._numbers_of(_POSITION, unit)

    def readers(self) -> dict[str, dict[str, int]]:
        """The positions of all units: by feed, then by unit."""
        found: dict[str, dict[str, int]] = {}
        for unit, feed, value in self._rows(
            f"SELECT owner, name, value FROM {self._numbers} WHERE kind = '{_POSITION}'"
        ):
            found.setdefault(feed, {})[unit] = value
        return found

    def ends(self) -> dict[str, int]:
        """The committed number of rows of each feed that units write."""
        return self._numbers_of(_END, "")

    def file_lengths(self, sink: str) -> dict[str, int]:
        """The committed bytes of each file of a sink."""
        return self._numbers_of(_FILE, sink)

    def file_length(self, sink: str, path: str) -> int | None:
        """The committed bytes of a file; None for one that nothing was committed of."""
        return self.file_lengths(sink).get(path)

    def states(self, unit: str) -> dict[str, bytes]:
        """What a unit keeps between batches, by name."""
        return dict(self._rows(f"SELECT name, state FROM {self._states} WHERE unit = ?", [unit]))

    def pieces(self) -> list[tuple[int, bytes]]:
        """What the event contexts were written as, in order, each with its number."""
        return [(int(n), bytes(p)) for n, p in self._rows(f"SELECT number, piece FROM {self._pieces} ORDER BY number")]

    def put_piece(self, cursor: Cursor, number: int, piece: bytes, whole: bool) -> None:
        """Write a piece inside a transaction; a ``whole`` one takes the place of all before it."""
        if whole:
            cursor.execute(f"DELETE FROM {self._pieces} WHERE number < ?", [number])
        cursor.execute(f"INSERT INTO {self._pieces} VALUES (?, ?)", [number, piece])

    def _numbers_of(self, kind: str, owner: str) -> dict[str, int]:
        text = f"SELECT name, value FROM {self._numbers} WHERE kind = ? AND owner = ?"
        return dict(self._rows(text, [kind, owner]))

    def _rows(self, text: str, params: Sequence[object] = ()) -> list[Row]:
        return self._cursor().execute(text, list(params)).fetchall()

    # --- committing -------------------------------------------------------------------------------

    def commit(self, commit: Commit) -> None:
        """Write a batch: all of it or nothing.

        Raises FeedFull where the disk has no room, duckdb.Error for rows that a table does not take, SourceError where
        the engine has given the database up: nothing is lost, it must be opened again.
        """
        self._refuse_full()
        self._settle(commit)
        numbers = [(_POSITION, commit.unit, name, value) for name, value in commit.positions.items()]
        numbers += [(_END, "", name, value) for name, value in commit.ends.items()]
        numbers += [(_FILE, commit.unit, name, value) for name, value in commit.files.items()]
        states = [(commit.unit, name, state) for name, state in commit.states.items()]

        def act(cursor: Cursor) -> None:
            for name, rows in commit.tables:
                self._write(cursor, name, rows)
            for also in commit.inside:
                also(cursor)
            self._put_numbers(cursor, numbers)
            self._put_states(cursor, states)

        self._transaction(act)
        with self._lock:
            self._known.update(row[:3] for row in numbers)
            self._known_states.update(row[:2] for row in states)

    def forget(self, unit: str) -> None:
        """Drop all that is written of a unit."""

        def act(cursor: Cursor) -> None:
            cursor.execute(f"DELETE FROM {self._numbers} WHERE owner = ?", [unit])
            cursor.execute(f"DELETE FROM {self._states} WHERE unit = ?", [unit])

        self._transaction(act)
        with self._lock:
            self._known = {row for row in self._known if row[1] != unit}
            self._known_states = {row for row in self._known_states if row[0] != unit}

    def close(self) -> None:
        """Release the cursors of all threads."""
        with self._lock:
            cursors, self._cursors = self._cursors, []
        for cursor in cursors:
            cursor.close()

    def _put_numbers(self, cursor: Cursor, rows: list[tuple[str, str, str, int]]) -> None:
        """One statement for what is there, one for what is new: a statement costs a third of a millisecond."""
        known = [row for row in rows if row[:3] in self._known]
        new = [row for row in rows if row[:3] not in self._known]
        if known:
            given = f"(VALUES {_places(known)}) AS given(k, o, n, v)"
            same = "kept.kind = given.k AND kept.owner = given.o AND kept.name = given.n"
            cursor.execute(
                f"UPDATE {self._numbers} AS kept SET value = given.v FROM {given} WHERE {same}",
                [value for row in known for value in row],
            )
        if new:
            cursor.execute(f"INSERT INTO {self._numbers} VALUES {_places(new)}", [v for row in new for v in row])

    def _put_states(self, cursor: Cursor, rows: list[tuple[str, str, bytes]]) -> None:
        known = [row for row in rows if row[:2] in self._known_states]
        new = [row for row in rows if row[:2] not in self._known_states]
        for unit, name, state in known:
            cursor.execute(f"UPDATE {self._states} SET state = ? WHERE unit = ? AND name = ?", [state, unit, name])
        if new:
            cursor.execute(f"INSERT INTO {self._states} VALUES {_places(new)}", [v for row in new for v in row])

    def _transaction(self, act: Callable[[Cursor], None]) -> None:
        """Do something whole or not at all; where others got in the way, again."""
        until = time.monotonic() + _PATIENCE
        while not self._attempted(act, until):
            time.sleep(random.uniform(0.0005, 0.02))

    def _attempted(self, act: Callable[[Cursor], None], until: float) -> bool:
        cursor = self._cursor()
        try:
            cursor.execute("BEGIN TRANSACTION")
            act(cursor)
            cursor.execute("COMMIT")
        except BaseException as problem:
            with contextlib.suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
            if not isinstance(problem, duckdb.Error):
                raise
            said = f"{problem}\n{problem.__context__}"  # of two errors the second may say only that all is over
            if isinstance(problem, duckdb.FatalException):
                self.ended = True
                raise SourceError(diagnostic(BOOK_ENDED, path=self._session.path, reason=str(problem))) from None
            if _NO_ROOM in said:
                raise FeedFull(self._session.path) from None
            if time.monotonic() < until and _CONFLICT.search(said):
                return False
            raise
        return True

    def _settle(self, commit: Commit) -> None:
        """Have the rows of feeds on the disk before the position that says they are there, which the engine puts there
        at once: with the position alone a power cut would lose rows that their source had on the disk, and has no more.

        Rows that nothing has on the disk yet may be lost as ``sync`` allows, and are not waited for.
        """
        if self._sync is None or (commit.fresh and self._sync):
            return
        try:
            for feed in commit.feeds:
                feed.sync()
        except OSError as problem:
            if problem.errno in FULL:
                raise FeedFull(self._session.path) from None
            raise

    def has_room(self, bytes: int = ROOM) -> bool:
        """Whether the disk of the database has so much room."""
        return self._folder is None or free_bytes(self._folder) >= bytes

    def _refuse_full(self) -> None:
        """Raise FeedFull before the engine finds no room for its own files."""
        if not self.has_room():
            raise FeedFull(self._session.path)

    def _cursor(self) -> Cursor:
        mine: Cursor | None = getattr(self._threads, "mine", None)
        if mine is None:
            mine = self._threads.mine = self._session.cursor()
            with self._lock:
                self._cursors.append(mine)
        return mine


def _places(rows: Sequence[Sequence[object]]) -> str:
    """``(?, ?), (?, ?)`` for rows of two values."""
    row = f"({', '.join('?' * len(rows[0]))})"
    return ", ".join([row] * len(rows))
