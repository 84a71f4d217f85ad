"""The new rows of a table as something that a stream reads (``from = ["table:NAME"]``).

A row's number is its number in the table. It grows with every row that is added; where rows were deleted the database
numbers those that are left anew at a checkpoint, and rows that came since then stand below the number that was read
last: 500,000 rows less the first 200,000 are numbered up to 422,879, and the next one is 422,880. So the last rows that
were read are remembered with the position, and before the next ones are read they are looked for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.engine.session import Session
from logsql.streams.feed import Span, Taken
from logsql.streams.inputs import Input
from logsql.streams.planning import Shape
from logsql.values import sql

#: So many of the last rows that were read are remembered.
_REMEMBERED = 16


class Seen(NamedTuple):
    """The last rows before a position, oldest first: their numbers, and sums over what these columns hold; ``first``:
    the sum of the first row of the table."""

    position: int
    columns: Sequence[str]
    numbers: Sequence[int]
    sums: Sequence[str]
    first: str


class TableRows:
    """The rows of one table of the database; a table that is not there yet has none.

    Rows are followed over a new numbering by what they hold. Where that does not tell (the last sixteen are gone or
    changed, or stand there twice), :attr:`doubts` counts it: rows may be skipped or read twice.
    """

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self._table = exp.Table(
            this=sql.ident(name), db=sql.ident("main"), catalog=sql.ident(session.database.name)
        ).sql("duckdb")
        self._shape = Shape(pa.schema([]))
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._seen: dict[int, Seen] = {}
        self.doubts = 0

    @property
    def start(self) -> int:
        return 0

    @property
    def settled(self) -> int:
        """All of them: the database has on the disk what it committed."""
        return sys.maxsize

    @property
    def published(self) -> int:
        """The number behind the last row."""
        try:
            ((last,),) = self._ask().execute(f"SELECT max(rowid) FROM {self._table}").fetchall()
        except duckdb.CatalogException:
            return 0
        return 0 if last is None else int(last) + 1

    def read(self, position: int, most: int = 20_000) -> Taken | None:
        """Rows behind those that were read up to a number; None where there are none.

        Where the rows have other numbers by now, the first one differs from ``position``.
        """
        cursor = self._ask()
        cursor.begin()  # a checkpoint in between would number the rows anew
        try:
            return self._read(position, most)
        except duckdb.CatalogException:
            return None
        finally:
            cursor.rollback()

    def _read(self, position: int, most: int) -> Taken | None:
        cursor = self._ask()
        at = self._follow(position)
        query = f"SELECT rowid, * FROM {self._table} WHERE rowid >= {at:d} ORDER BY rowid LIMIT {most:d}"
        found = cursor.sql(query).to_arrow_table()
        if not found.num_rows:
            return None if at == position else self._taken(self._shape.schema.empty_table(), at, at)
        if found.schema.names[1:] != self._shape.schema.names:
            return None  # the table was made or changed since its columns were looked at: they are looked at first
        numbers = found.column(0)
        return self._taken(found.remove_column(0), numbers[0].as_py(), numbers[-1].as_py() + 1)

    def _taken(self, rows: pa.Table, first: int, behind: int) -> Taken:
        self._seen[behind] = self._last_before(behind)
        return Taken(rows, first, behind)

    # --- rows that have other numbers -------------------------------------------------------------

    def save(self) -> bytes:
        """What is to be remembered with the position of the rows that were read last."""
        newest = next(reversed(self._seen.values()), None)
        return b"" if newest is None else json.dumps(newest).encode()

    def mark(self, position: int) -> None:
        """Reading begins here."""
        with suppress(duckdb.CatalogException):
            self._seen = {position: self._last_before(position)}

    def load(self, saved: bytes) -> None:
        """Remember what :meth:`save` gave."""
        if saved:
            seen = Seen(*json.loads(saved))
            self._seen = {seen.position: seen}

    def _follow(self, position: int) -> int:
        """Where the rows behind a position stand now."""
        seen = self._seen.get(position)
        if seen is None:  # of a server that remembered nothing
            self._seen = {position: self._last_before(position)}
            return position if self.published >= position else self._in_doubt(position, self.published)
        self._seen = {position: seen}
        try:
            return self._found(seen)
        except duckdb.BinderException:  # a column is gone
            return self._in_doubt(position, min(position, self.published))

    def _found(self, seen: Seen) -> int:
        position = seen.position
        if seen.numbers:
            now = self._rows_of(seen.columns, f"rowid >= {seen.numbers[0]:d} AND rowid < {position:d}")
            if now == [*zip(seen.numbers, seen.sums, strict=True)]:
                return position
            there = self._rows_of(seen.columns, "true", list(dict.fromkeys(seen.sums)))
            sums = [one for _, one in there]
            left = iter(seen.sums)
            if there and len(set(sums)) == len(sums) and all(one in left for one in sums):
                return there[-1][0] + 1
            if there:
                return self._in_doubt(position, min(position, self.published))
        if not self._count(f"rowid < {position:d}"):
            return position
        if not seen.numbers:
            return 0  # there was no row when it was looked at last
        if self.published <= seen.numbers[0] and not self._rows_of(seen.columns, "true", [seen.first]):
            return self._in_doubt(position, 0)  # all that was read is gone: what is there came since
        return self._in_doubt(position, min(position, self.published))

    def _in_doubt(self, position: int, at: int) -> int:
        self.doubts += 1
        self._seen = {position: self._last_before(at)._replace(position=position)}
        return at

    def _count(self, where: str) -> int:
        ((count,),) = self._ask().execute(f"SELECT count(*) FROM {self._table} WHERE {where}").fetchall()
        return int(count)

    def _last_before(self, position: int) -> Seen:
        columns = [row[0] for row in self._ask().execute(f"DESCRIBE {self._table}").fetchall()]
        query = f"SELECT rowid FROM {self._table} WHERE rowid < {position:d} ORDER BY rowid DESC LIMIT {_REMEMBERED}"
        numbers = [row[0] for row in self._ask().execute(query).fetchall()]
        between = f"rowid >= {numbers[-1]:d} AND rowid < {position:d}" if numbers else "false"
        found = self._rows_of(columns, between)
        first = self._rows_of(columns, f"rowid = (SELECT min(rowid) FROM {self._table})") if found else [(0, "")]
        return Seen(position, columns, [number for number, _ in found], [one for _, one in found], first[0][1])

    def _rows_of(self, columns: Sequence[str], where: str, sums: Sequence[str] = ()) -> list[tuple[int, str]]:
        """Numbers and sums of rows, in order; only those with these sums."""
        row = ", ".join(sql.ident(name).sql("duckdb") for name in columns)
        query = f"SELECT rowid AS number, md5(row({row})::VARCHAR) AS sum FROM {self._table} WHERE {where}"
        if sums:
            query = f"SELECT * FROM ({query}) WHERE sum IN ({', '.join('?' * len(sums))})"
        found = self._ask().execute(f"{query} ORDER BY number", list(sums)).fetchall()
        return [(int(number), str(one)) for number, one in found]

    def times(self, position: int) -> Span | None:
        """Nothing is known of the age of rows."""
        return None

    def add_waker(self, wake: Callable[[], None]) -> None:
        """A table tells nobody: it is looked at."""

    def remove_waker(self, wake: Callable[[], None]) -> None:
        """As :meth:`add_waker`."""

    def shape(self) -> Shape:
        """Its columns now; the same object where they did not change."""
        try:
            schema = self._ask().sql(f"SELECT * FROM {self._table} LIMIT 0").to_arrow_table().schema
        except duckdb.CatalogException:
            return self._shape
        logical = self._session.database.logical_types()
        fields = []
        for field in schema:
            kind = logical.get((self._name.lower(), field.name))
            fields.append(field if kind is None else field.with_metadata({b"logsql.type": kind.encode()}))
        if self._shape.schema.equals(found := pa.schema(fields), check_metadata=True):
            return self._shape
        self._shape = Shape(found)
        return self._shape

    def _ask(self) -> duckdb.DuckDBPyConnection:
        if self._cursor is None:
            self._cursor = self._session.cursor()
        return self._cursor


def table_rows(name: str, key: str, session: Session, table: str) -> Input:
    """The new rows of a table as a source."""
    rows = TableRows(session, table)
    return Input(name, rows, key, rows.shape(), dense=False, wakes=False, look=rows.shape, follows=rows)
