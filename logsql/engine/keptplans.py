"""Statements over rows of the moment that are planned once, and the objects that they read.

A prepared statement keeps its plan only where it reads no entry of the catalog: over a registered view or a table every
EXECUTE plans it anew, most of what a statement over few rows costs. So they read objects under the name that a relation
gives to its object, which is none of the catalog.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Protocol

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.engine.stages import StageTable
from logsql.engine.worktables import called
from logsql.planner.runtime import Row
from logsql.values.sqltext import written

#: How a relation over an object reads it.
_SOURCE = re.compile(r'SELECT \* FROM "(\w+)"(?!\.)')
#: What gives the rows of an EXECUTE as they come. ``sql`` keeps them and has a second statement read them again, 2.7 ms
#: for a hundred columns; but this one is no part of the documented interface, and may be missing.
_SUBMIT = "_submit"
#: Most rows of an Arrow batch.
_ARROW_ROWS = 131_072


class Answer(Protocol):
    """What a submitted statement gives."""

    def arrow_table(self) -> pa.Table:
        """Its rows."""


Submit = Callable[[str, None, str, int], Answer]


class Changing:
    """A table of DuckDB whose rows are those of the moment: registered once, read anew by every statement."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self.table: pa.Table = schema.empty_table()
        #: Rows that are read anew for every scan, instead of the table's.
        self.batches: Callable[[], Iterator[pa.RecordBatch]] | None = None
        self.last_error: BaseException | None = None

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        if self.batches is None:
            return self.table.__arrow_c_stream__(requested_schema)
        return pa.RecordBatchReader.from_batches(self.schema, self._read(self.batches)).__arrow_c_stream__()

    def _read(self, batches: Callable[[], Iterator[pa.RecordBatch]]) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches()
        except GeneratorExit:
            raise
        except BaseException as problem:
            self.last_error = problem
            raise


class Sources:
    """Objects that statements of every cursor read by a name outside of the catalog, for as long as this lives."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._kept: list[duckdb.DuckDBPyRelation] = []

    def name(self, thing: Changing | StageTable) -> str | None:
        """A name for an object; None where this version of DuckDB gives none, and the object has to be registered."""
        relation = self._connection.from_arrow(thing)
        found = _SOURCE.match(relation.sql_query())
        if found is None:
            return None
        self._kept.append(relation)
        return found[1]

    def close(self) -> None:
        """Release the objects."""
        self._kept.clear()


class Prepared:
    """A cursor that plans each statement once: most of what a statement over a hundred rows costs is its plan."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._names: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._submit: Submit | None = getattr(connection, _SUBMIT, None)

    def table(self, text: str) -> pa.Table:
        """The rows of a SELECT."""
        call = self._call(text)
        if self._submit is None:
            kept: pa.Table = self.connection.sql(call).to_arrow_table()
            return kept
        return self._submit(call, None, "arrow", _ARROW_ROWS).arrow_table()

    def rows(self, text: str) -> list[Row]:
        """The rows of a small SELECT."""
        found: list[Row] = self.connection.execute(self._call(text)).fetchall()
        return found

    def _call(self, text: str) -> str:
        name = self._names.get(text)
        if name is None:
            name = f"lq_{next(self._numbers)}"
            self.connection.execute(f"PREPARE {name} AS {text}")
            self._names[text] = name
        return f"EXECUTE {name}"

    def execute(self, text: str) -> None:
        """A statement without rows."""
        self.connection.execute(text)

    def schema(self, text: str) -> pa.Schema:
        """The schema of a SELECT, which is not run."""
        return self.connection.sql(f"FROM ({text}) LIMIT 0").to_arrow_table().schema

    def forget(self, text: str) -> None:
        """A statement that does not come again."""
        if (name := self._names.pop(text, None)) is not None:
            self.connection.execute(f"DEALLOCATE {name}")


class Asking:
    """A connection that is asked the same questions again and again, each about other rows. ``lent``: whoever made it
    releases it, and not those that ask."""

    def __init__(self, cursor: Prepared, lent: bool = False) -> None:
        self._lent = lent
        self._cursor = cursor
        self._sources = Sources(cursor.connection)
        self._known: dict[str, tuple[Changing, str]] = {}

    def asked(self, key: str, query: exp.Expression, table: str, rows: pa.Table) -> pa.Table:
        """The rows of a query over ``rows``, which it calls ``table``; ``key``: the same for the same query."""
        found = self._known.get(key)
        if found is None or not found[0].schema.equals(rows.schema):
            found = self._known[key] = self._prepared(query, table, rows.schema)
        source, text = found
        source.table = rows
        try:
            return self._cursor.table(text)
        finally:
            source.table = source.schema.empty_table()

    def _prepared(self, query: exp.Expression, table: str, schema: pa.Schema) -> tuple[Changing, str]:
        source = Changing(schema)
        name = self._sources.name(source)
        if name is None:
            name = f"asked_{len(self._known)}_{id(source)}"
            self._cursor.connection.register(name, source)
        return source, written(called(query, {table: name}))

    def close(self) -> None:
        """Give the connection back."""
        if not self._lent:
            self._cursor.connection.close()
            self.release()

    def release(self) -> None:
        """Release what was read; the connection is closed."""
        self._sources.close()
        self._known.clear()
