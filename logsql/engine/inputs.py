"""Rows of training inputs: files by the language's readers, queries as written.

Contract
- Everything asks the session's policy first.
- The values of a CSV file are texts; a column whose values are all numbers, booleans or instants becomes one, as the
  cards of the bot-detection article show (NUMERIC, CATEGORICAL).
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Protocol

import duckdb
import pyarrow as pa

from logsql.diagnostics.losses import Fate, loss
from logsql.diagnostics.models import INPUT_FILE_MISSING, INPUT_READ, MlError
from logsql.diagnostics.readers import reader_sentence
from logsql.engine.database import Database
from logsql.engine.result import Result
from logsql.engine.runstate import RunState
from logsql.ml.inputs import InputKind
from udfs.jsontext import loads
from udfs.readers.errors import ReaderError
from udfs.readers.files import Files as OpenFiles

NOT_FINITE = loss(
    "not-finite",
    ("values nan or inf of a training input: null", "학습 입력의 nan 또는 inf 값: null로 처리"),
    fate=Fate.NULL,
)


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
    policy = session.database.policy
    opened = OpenFiles(policy.may_read, policy.opened, policy.safe)  # in safe mode what was compared, not the path
    with session.sibling() as own, own.database.cursor() as cursor:
        try:
            place = opened.for_duckdb(target).path
            return cursor.sql("SELECT * FROM read_parquet(?)", params=[place]).to_arrow_table(), ""
        except ReaderError as problem:
            raise MlError(INPUT_READ, file=target, reason=reader_sentence(problem)) from None
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
    from udfs.readers.csvrows import CsvReader  # for cost: pyarrow.compute

    state = RunState(session.database.policy, session.database.zone)
    state.memory = session.database.watch()
    try:
        context = state.read_context()
        reader = CsvReader((target,), context=context)
        names = [n for n in reader.schema.names if n != "_file"]
        batches = list(reader.scan(names, context))
    except ReaderError as error:
        raise MlError(INPUT_READ, file=target, reason=reader_sentence(error)) from None
    schema = pa.schema([reader.schema.field(n) for n in names])
    with session.sibling() as own:
        rows, odd = typed_texts(own.database, pa.Table.from_batches(batches, schema))
    for name, count in odd.items():
        context.loss.lost(f"{target} {name}", NOT_FINITE.name, count)
    return rows, state.ledger.summary()


def plain_columns(rows: pa.Table) -> pa.Table:
    """Columns of mixed values arrive as JSON text: numbers or booleans where every value is one, else text."""
    for number, field in enumerate(rows.schema):
        if (field.metadata or {}).get(b"logsql.type") == b"any":
            rows = rows.set_column(number, field.name, _plain(rows.column(number).to_pylist()))
    return rows


def _plain(texts: list[str | None]) -> pa.Array:
    found = [None if t is None else loads(t) for t in texts]
    given = [v for v in found if v is not None]
    if given and all(isinstance(v, bool) for v in given):
        return pa.array(found, pa.bool_())
    if given and all(isinstance(v, int) and not isinstance(v, bool) and abs(v) < 1 << 63 for v in given):
        return pa.array(found, pa.int64())
    if given and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given):
        return pa.array([None if v is None else float(v) for v in found], pa.float64())
    texts_ = [v if v is None or isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in found]
    return pa.array(texts_, pa.string())


#: What a text of a CSV file must look like to be a value of a type, narrowest type first: all values of a column are,
#: or it stays text. A cast alone decides wrongly: it takes ``'0.31'`` as the BIGINT 0, ``'1_000'`` as 1000.0 and
#: ``'0x10'`` as 16. A number with zeros in front of it (``'007'``, ``'0049'``) is a code, and as
#: a number it would be another one.
_NUMBER = r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_TYPES = (
    ("BIGINT", r"[+-]?(?:0|[1-9][0-9]*)"),
    ("DOUBLE", _NUMBER),
    ("BOOLEAN", r"(?i:true|false)"),
    ("TIMESTAMP WITH TIME ZONE", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ T].*)?"),
)
#: Words for "no value" that writers of numbers use; ``double()`` gives null for them as well.
_NO_NUMBER = r"(?i:[+-]?(?:nan|inf|infinity))"


def typed_texts(database: Database, rows: pa.Table) -> tuple[pa.Table, dict[str, int]]:
    """Text columns whose values are all numbers, booleans or instants, as such; a blank text is no value in them.

    Also gives, per field that became a number, how many of its texts were ``nan`` or ``inf``: they are nulls now.
    """
    texts = [f.name for f in rows.schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)]
    if not texts or not rows.num_rows:
        return rows, {}
    positions = [rows.column_names.index(name) for name in texts]
    odd: dict[str, int] = {}
    cursor = database.cursor()
    try:
        plain = pa.table([rows.column(p) for p in positions], names=[f"c{p}" for p in positions])
        cursor.register("__texts", plain)
        for position in positions:
            type_, count = _fitting(cursor, f"trim(c{position})")
            if type_ is None:
                continue
            column = cursor.sql(f"SELECT {_cast(f'trim(c{position})', *type_)} AS v FROM __texts")
            rows = rows.set_column(position, rows.column_names[position], column.to_arrow_table().column("v"))
            if count:
                odd[rows.column_names[position]] = count
    finally:
        cursor.close()
    return rows, odd


def _fitting(cursor: duckdb.DuckDBPyConnection, text: str) -> tuple[tuple[str, str] | None, int]:
    """The narrowest type that all values of a column have, None for text; and its values that stand for no number."""
    tests = [f"count(nullif({text}, ''))", f"count_if(regexp_full_match({text}, '{_NO_NUMBER}'))"]
    tests += [f"count({_cast(text, name, form)})" for name, form in _TYPES]
    given, odd, *fits = cursor.sql(f"SELECT {', '.join(tests)} FROM __texts").to_arrow_table().to_pylist()[0].values()
    for type_, count in zip(_TYPES, fits, strict=True):
        number = type_[0] in ("BIGINT", "DOUBLE")
        if count and count + (odd if number else 0) == given:
            return type_, odd if number else 0
    return None, 0


def _cast(text: str, type_: str, form: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, '{form}') THEN TRY_CAST({text} AS {type_}) END"
