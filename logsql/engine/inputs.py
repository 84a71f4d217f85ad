"""Rows of training inputs: files by the language's readers, queries as written.

Contract
- Everything asks the session's policy first.
- The values of a CSV file are texts; a column whose values are all numbers or instants becomes one, as the cards of the
  bot-detection article show (NUMERIC, CATEGORICAL).
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Protocol

import duckdb
import pyarrow as pa

from logsql.diagnostics.models import INPUT_FILE_MISSING, INPUT_READ, MlError
from logsql.diagnostics.readers import reader_sentence
from logsql.engine.database import Database
from logsql.engine.result import Result
from logsql.engine.runstate import RunState
from logsql.ml.inputs import InputKind


class Sibling(Protocol):
    """A session of its own over the same database, for one thread; leaving it closes it."""

    @property
    def database(self) -> Database: ...
    def query(self, text: str, params: dict[str, str]) -> Result:
        """Plan a pipe query."""

    def __enter__(self) -> Sibling: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Home(Protocol):
    """A session, as far as inputs are concerned."""

    def sibling(self) -> Sibling:
        """A session over the same database for another thread."""

    @property
    def database(self) -> Database: ...


def read_input(session: Home, kind: str, target: str) -> tuple[pa.Table, str]:
    """Rows of an input, and what was lost while reading (empty: nothing): files by the language's readers, queries as
    written. Safe to call from a training thread.

    Raises MlError (unreadable) for a file, and what the query raises for a query.
    """
    if kind == InputKind.QUERY:
        return _queried(session, target, {})
    if not session.database.files.has_file(target):
        raise MlError(INPUT_FILE_MISSING, file=target)
    if kind == InputKind.CSV:
        return _csv(session, target)
    if kind == InputKind.JSON:
        return _queried(session, 'jsonfile $("file") | fields - _file', {"file": target})
    with session.sibling() as own, own.database.cursor() as cursor:
        try:
            return cursor.sql("SELECT * FROM read_parquet(?)", params=[target]).to_arrow_table(), ""
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            raise MlError(INPUT_READ, file=target, reason=first) from None


def _queried(session: Home, query: str, params: dict[str, str]) -> tuple[pa.Table, str]:
    with session.sibling() as own:
        result = own.query(query, params)
        rows = plain_columns(result.arrow())
        return rows, result.ledger.summary()


def _csv(session: Home, target: str) -> tuple[pa.Table, str]:
    """A CSV file as ``csvfile`` reads it, its columns typed by their values."""
    from udfs.readers.base import ReaderError  # for cost: readers come with the first file
    from udfs.readers.csvrows import CsvReader  # for cost: pyarrow.compute

    state = RunState(session.database.policy, session.database.zone)
    try:
        context = state.read_context()
        reader = CsvReader((target,), context=context)
        names = [n for n in reader.schema.names if n != "_file"]
        batches = list(reader.scan(names, context))
    except ReaderError as error:
        raise MlError(INPUT_READ, file=target, reason=reader_sentence(error)) from None
    schema = pa.schema([reader.schema.field(n) for n in names])
    with session.sibling() as own:
        return typed_texts(own.database, pa.Table.from_batches(batches, schema)), state.ledger.summary()


def plain_columns(rows: pa.Table) -> pa.Table:
    """Columns of mixed values arrive as JSON text: numbers where every value is one, else the values as text."""
    for number, field in enumerate(rows.schema):
        if (field.metadata or {}).get(b"logsql.type") == b"any":
            rows = rows.set_column(number, field.name, _plain(rows.column(number).to_pylist()))
    return rows


def _plain(texts: list[str | None]) -> pa.Array:
    found = [None if t is None else json.loads(t) for t in texts]
    given = [v for v in found if v is not None]
    if given and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given):
        return pa.array([None if v is None else float(v) for v in found], pa.float64())
    texts_ = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in found]
    return pa.array(texts_, pa.string())


#: Types a column of a CSV file may get, narrowest first: all its values are of the type, or it stays text.
_TYPES = ("BIGINT", "DOUBLE", "TIMESTAMP WITH TIME ZONE")


def typed_texts(database: Database, rows: pa.Table) -> pa.Table:
    """Text columns whose values are all numbers or all instants, as such; an empty text is no value in them."""
    texts = [f.name for f in rows.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if not texts or not rows.num_rows:
        return rows
    positions = [rows.column_names.index(name) for name in texts]
    cursor = database.cursor()
    try:
        plain = pa.table([rows.column(p) for p in positions], names=[f"c{p}" for p in positions])
        cursor.register("__texts", plain)
        tests = [f"count(nullif(c{p}, ''))" for p in positions]
        tests += [f"count(TRY_CAST(nullif(c{p}, '') AS {t}))" for p in positions for t in _TYPES]
        counts = list(cursor.sql(f"SELECT {', '.join(tests)} FROM __texts").to_arrow_table().to_pylist()[0].values())
        given, fits = counts[: len(positions)], counts[len(positions) :]
        for number, position in enumerate(positions):
            mine = fits[number * len(_TYPES) : (number + 1) * len(_TYPES)]
            type_ = next((t for t, count in zip(_TYPES, mine, strict=True) if count == given[number]), None)
            if type_ is not None and given[number]:
                query = f"SELECT TRY_CAST(nullif(c{position}, '') AS {type_}) AS v FROM __texts"
                column = cursor.sql(query).to_arrow_table().column("v")
                rows = rows.set_column(position, rows.column_names[position], column)
    finally:
        cursor.close()
    return rows
