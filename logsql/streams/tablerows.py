"""The new rows of a table as something that a stream reads (``from = ["table:NAME"]``).

A row's number is its number in the table. It grows with every row that is added; where rows were deleted the database
may number those that are left anew, and reading then goes on behind the last one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.engine.session import Session
from logsql.streams.feed import Span, Taken
from logsql.streams.inputs import Input
from logsql.streams.planning import Shape
from logsql.values import sql


class TableRows:
    """The rows of one table of the database; a table that is not there yet has none."""

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
        self._name = name
        self._table = exp.Table(
            this=sql.ident(name), db=sql.ident("main"), catalog=sql.ident(session.database.name)
        ).sql("duckdb")
        self._shape = Shape(pa.schema([]))
        self._cursor: duckdb.DuckDBPyConnection | None = None

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
        """Rows from a number on; None where there are none."""
        published = self.published
        if published == position:
            return None
        if published < position:
            return Taken(self._shape.schema.empty_table(), published, published)
        cursor = self._ask()
        query = f"SELECT rowid, * FROM {self._table} WHERE rowid >= {position:d} ORDER BY rowid LIMIT {most:d}"
        found = cursor.sql(query).to_arrow_table()
        if not found.num_rows:
            return Taken(self._shape.schema.empty_table(), published, published)
        if found.schema.names[1:] != self._shape.schema.names:
            return None  # the table was made or changed since its columns were looked at: they are looked at first
        numbers = found.column(0)
        return Taken(found.remove_column(0), numbers[0].as_py(), numbers[-1].as_py() + 1)

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
    return Input(name, rows, key, rows.shape(), dense=False, wakes=False, look=rows.shape)
