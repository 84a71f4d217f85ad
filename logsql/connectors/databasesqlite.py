"""SQLite databases: files, opened through the door of the session and never changed.

The standard library reads them and not ADBC: SQLite types values and not columns, a hostile file or statement is kept
from other files (``ATTACH``) by an authorizer, and a write-ahead log is read from a copy.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa

from logsql.connectors.access import Access
from logsql.connectors.databasevalues import wire_text
from logsql.planner.connections.databases import (
    Cancelled,
    DatabaseProblem,
    DbField,
    Opened,
    Routine,
    Statement,
    Target,
    Writer,
)
from logsql.store.policy import read_refused
from logsql.values.types import ANY_JSON, BINARY, DOUBLE, LONG, STRING, LType
from udfs.readers import base
from udfs.readers.errors import ReadCancelled, ReaderError
from udfs.readers.files import Files
from udfs.readers.sqlitefiles import opened, with_side_effects

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.planner.runtime import Losses

BATCH_ROWS = 8192
BATCH_BYTES = 8 << 20
_KINDS: dict[str, tuple[LType, pa.DataType, type]] = {
    "integer": (LONG, pa.int64(), int),
    "real": (DOUBLE, pa.float64(), float),
    "text": (STRING, pa.string(), str),
    "blob": (BINARY, pa.binary(), bytes),
}
#: SQLite returns at most 2,000 columns; each one is asked for four kinds.
_AT_ONCE = 400
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
_NAMED = re.compile(r'near "(.+?)": syntax error|no such (?:column|table|function): (\S+)')


class SqliteFile:
    """The file of a profile."""

    def __init__(self, profile: Profile, access: Access, password: str | None = None) -> None:
        self.target = profile.path or profile.name
        self.zone = ZoneInfo(access.zone)
        policy = access.files.policy
        self._files = Files(policy.may_read, policy.opened, policy.safe)

    @contextmanager
    def connected(self, cancelled: Cancelled) -> Iterator[sqlite3.Connection]:
        """The database; only SELECT is understood. Raises DatabaseProblem, ReadCancelled, PolicyError."""
        context = base.ReadContext(base.NullLoss(), base.NullProgress(), cancelled, self._files)
        try:
            with opened(self.target, context) as database:
                database.set_authorizer(_only_reading)
                yield database
        except (sqlite3.Error, ReaderError, DatabaseProblem) as problem:
            if cancelled():
                raise ReadCancelled("cancelled") from None
            if isinstance(problem, ReaderError) and problem.code == "read-not-allowed":
                raise read_refused(self.target) from None
            if isinstance(problem, DatabaseProblem):
                raise
            raise DatabaseProblem(self.target, str(problem)) from None

    def query(self, asked: Statement, given: Mapping[str, object], watch: Cancelled, look: bool) -> SqliteRows:
        """A statement that reads."""
        return SqliteRows(self, asked, given, watch)

    def lookup(self, asked: Statement, watch: Cancelled) -> SqliteLookup:
        """A statement that is asked for keys."""
        return SqliteLookup(self, asked, watch)

    def writer(self, target: Target, watch: Cancelled) -> Writer:
        """Files are only read."""
        raise DatabaseProblem(self.target, state="only-a-file")

    def call(self, routine: Routine, watch: Cancelled) -> Opened:
        """SQLite has no procedures."""
        raise DatabaseProblem(self.target, routine.name, state="no-routine")

    def close(self) -> None:
        """Nothing is held."""

    def bound(self, value: object) -> object:
        """A value as SQLite keeps it: dates as text with the clock of the session."""
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, dt.datetime):
            return value.astimezone(self.zone).replace(tzinfo=None).isoformat(sep=" ")
        return value if isinstance(value, int | float | bytes) else wire_text(value, self.zone)


def _only_reading(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    if action == sqlite3.SQLITE_FUNCTION:
        harmless = (second or "").lower() not in with_side_effects()
        return sqlite3.SQLITE_OK if harmless else sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY


def _asked(database: sqlite3.Connection, target: str, asked: Statement, given: Sequence[object]) -> sqlite3.Cursor:
    """The statement, run as far as its first row."""
    numbers = {name: number for number, name in enumerate(asked.names, 1)}
    try:
        return database.execute(asked.filled(lambda name: f"?{numbers[name]}"), given)
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        said = str(error)
        found = _NAMED.search(said)
        at = asked.text.find(found[1] or found[2]) if found is not None else -1
        raise DatabaseProblem(target, said, "read-only" if "not authorized" in said else None, at + 1 or None) from None


class SqliteRows:
    """The rows of a statement. Its columns have the types of their values: all of them are looked at first."""

    def __init__(self, place: SqliteFile, asked: Statement, given: Mapping[str, object], cancelled: Cancelled) -> None:
        self._place, self._asked = place, asked
        self._given = [place.bound(given[name]) for name in asked.names]
        with place.connected(cancelled) as database:
            described = _asked(database, place.target, asked, self._given).description
            if described is None:
                raise DatabaseProblem(place.target, state="no-rows")
            names = [str(column[0]) for column in described]
            self._kinds = self._survey(database, len(names))
        self.fields = tuple(map(_field, names, self._kinds))

    def _survey(self, database: sqlite3.Connection, width: int) -> list[list[str]]:
        """The kinds of values that each column holds."""
        numbers = {name: number for number, name in enumerate(self._asked.names, 1)}
        text = self._asked.filled(lambda name: f"?{numbers[name]}")
        columns = ", ".join(f"c{at}" for at in range(width))
        found: list[list[str]] = []
        for start in range(0, width, _AT_ONCE):
            part = range(start, min(start + _AT_ONCE, width))
            asked = ", ".join(f"max(typeof(c{at}) = '{kind}')" for at in part for kind in _KINDS)
            row = database.execute(f"WITH lq({columns}) AS (\n{text}\n) SELECT {asked} FROM lq", self._given).fetchone()
            for at in range(len(part)):
                flags = row[at * len(_KINDS) : (at + 1) * len(_KINDS)]
                found.append([kind for kind, flag in zip(_KINDS, flags, strict=True) if flag])
        return found

    def batches(self, cancelled: Cancelled, loss: Losses) -> Iterator[pa.RecordBatch]:
        """The rows, read anew each time."""
        with self._place.connected(cancelled) as database:
            cursor = _asked(database, self._place.target, self._asked, self._given)
            for rows in _parts(cursor):
                arrays: list[pa.Array] = []
                for at, kinds in enumerate(self._kinds):
                    cells = [row[at] for row in rows]
                    arrays += [_array(cells, kind) for kind in kinds] or [pa.nulls(len(rows), pa.string())]
                yield pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])

    def close(self) -> None:
        """Nothing is held."""


def _parts(cursor: sqlite3.Cursor) -> Iterator[list[tuple[object, ...]]]:
    """Rows in parts of bounded size."""
    rows: list[tuple[object, ...]] = []
    size = 0
    for row in cursor:
        rows.append(row)
        size += sum(len(cell) for cell in row if isinstance(cell, str | bytes))
        if len(rows) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _field(name: str, kinds: Sequence[str]) -> DbField:
    types = [_KINDS[kind][0] for kind in kinds]
    if len(types) == 1:
        return DbField(name, types[0], types[0].physical)
    return DbField(name, STRING, STRING.physical, tuple((one.physical, one) for one in types))


def _array(cells: list[object], kind: str) -> pa.Array:
    _, type_, python = _KINDS[kind]
    return pa.array([cell if isinstance(cell, python) else None for cell in cells], type_)


class SqliteLookup:
    """A statement that is asked once for each key; the values of its first row are those of a document."""

    def __init__(self, place: SqliteFile, asked: Statement, cancelled: Cancelled) -> None:
        self._place, self._asked = place, asked
        with place.connected(cancelled) as database:
            described = _asked(database, place.target, asked, [None] * len(asked.names)).description
        if described is None:
            raise DatabaseProblem(place.target, state="no-rows")
        self.fields = tuple(DbField(str(column[0]), ANY_JSON, "JSON") for column in described)

    def answers(self, keys: Sequence[tuple[object, ...]], cancelled: Cancelled, loss: Losses) -> pa.Table:
        """One row for each key."""
        found: list[tuple[object, ...] | None] = []
        with self._place.connected(cancelled) as database:
            for key in keys:
                cursor = _asked(database, self._place.target, self._asked, [self._place.bound(one) for one in key])
                found.append(cursor.fetchone())
        arrays: list[pa.Array] = [pa.array([None if row is None else True for row in found], pa.bool_())]
        for at in range(len(self.fields)):
            arrays.append(pa.array([None if row is None else _document(row[at]) for row in found], pa.string()))
        return pa.Table.from_arrays(arrays, names=["__found", *(str(number) for number in range(len(self.fields)))])

    def close(self) -> None:
        """Nothing is held."""


def _document(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value.hex() if isinstance(value, bytes) else value, ensure_ascii=False)
