"""SQLite databases to Arrow: ``sqlite-tables`` (schema objects) and ``sqlite-records`` (rows of a table).

Contract: the file is opened immutable, so nothing is created or changed beside the evidence; a write-ahead log that
lies there is therefore not read, and the ledger says so. SQLite types values, not columns: a column whose values are
all of one kind keeps it (whole numbers, numbers, text, bytes), a column that mixes kinds comes as JSON text per value
(logical type ``any``; bytes as lower-case hexadecimal). Standard library only, constant memory.

A damaged tree may reach one page over many ways: twenty pages of 512 bytes can hold 10^30 rows. No table has more rows
than the file has room for, so reading ends there, as at any other damage.
"""

from __future__ import annotations

import json
import os
import sqlite3
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pyarrow as pa

from udfs.readers import base
from udfs.readers.base import (
    BATCH_ROWS,
    NullLoss,
    ReadContext,
    ReaderError,
    batch_of,
    check_cancelled,
    expand_paths,
    field,
    file_name,
    null_context,
    select,
    size_of,
)

BATCH_BYTES = 32 << 20
"""Text and bytes per batch."""
_LONGEST = 256 << 20
"""Bytes of one value that are believed; a generated column may claim more than the file holds."""
_STEPS = 100_000
"""Steps of SQLite's machine between two looks at ``context.cancelled``."""
_ROW_BYTES = 4
"""The least a row takes in a file: two bytes of pointer, two of cell (file format, "B-tree Pages")."""
_EXPANSION = 64
"""Bytes of text and blobs believed per byte of the file: damaged rows may share one chain of overflow pages."""
_FREE_BYTES = 64 << 20
"""Bytes of text and blobs that are believed in any file, however small."""
# A damaged schema makes error messages and column names that are no UTF-8, which the module decodes strictly; a record
# whose header claims gigabytes makes SQLite say that memory is short, though nothing was allocated.
_PROBLEMS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
_KINDS = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "blob": pa.binary()}

TABLES_SCHEMA = pa.schema(
    [
        field("type", pa.string()),
        field("name", pa.string()),
        field("table_name", pa.string()),
        field("root_page", pa.int64()),
        field("sql", pa.string()),
        field("_file", pa.string()),
    ]
)


class SqliteTablesReader:
    """One row per table, index, view and trigger of the databases ``path`` means (``*`` in the last component).

    ReaderError codes: ``not-a-sqlite-database`` and those of the base. Ledger: ``write-ahead-log-not-read``.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def schema(self) -> pa.Schema:
        """``type``, ``name``, ``table_name``, ``root_page``, ``sql``, ``_file``."""
        return TABLES_SCHEMA

    def total_bytes(self) -> int:
        """Bytes of the files."""
        return sum(size_of(path) for path in expand_paths(self._path))

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch a database, in the order of its schema table."""
        wanted = select(TABLES_SCHEMA, columns)
        for path in expand_paths(self._path):
            with _opened(path, context) as database:
                try:
                    rows = database.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master").fetchall()
                except _PROBLEMS as problem:
                    raise _unreadable(path, problem) from problem
            made = {
                name: pa.array(
                    [_cell(row[at], TABLES_SCHEMA.field(name)) for row in rows], TABLES_SCHEMA.field(name).type
                )
                for at, name in enumerate(TABLES_SCHEMA.names[:-1])
            }
            made["_file"] = pa.repeat(pa.scalar(file_name(path), pa.string()), len(rows))
            if rows:
                yield batch_of(wanted, made, len(rows))


class SqliteRecordsReader:
    """The rows of ``table`` (case ignored, as SQLite does) in every database ``path`` means.

    The values are surveyed once, on construction, through ``context.open_file``, because a column's type is that of its
    values. ReaderError codes: ``no-such-table``, ``not-a-sqlite-database``. Ledger: ``write-ahead-log-not-read``,
    ``invalid-utf-8`` (text kept, bad bytes replaced), ``damaged-database`` (rows behind the damage are missing).
    """

    def __init__(self, path: str, table: str, context: ReadContext | None = None) -> None:
        self._path = path
        self._table = table
        kinds: dict[str, set[str]] = {}
        # What is lost is told by the scans.
        quiet = replace(context or null_context(), loss=NullLoss())
        for found in expand_paths(path):
            with _opened(found, quiet) as database:
                for name, held in _survey(database, found, table).items():
                    kinds.setdefault(name, set()).update(held)
        self._schema = pa.schema([_field(name, held) for name, held in kinds.items() if name != "_file"])
        self._schema = self._schema.append(_field("_file", kinds.get("_file", {"text"})))
        self._own_file = "_file" not in kinds

    @property
    def schema(self) -> pa.Schema:
        """The table's columns, then ``_file``."""
        return self._schema

    def total_bytes(self) -> int:
        """Bytes of the files."""
        return sum(size_of(path) for path in expand_paths(self._path))

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the wanted columns, in the table's own order."""
        wanted = select(self._schema, columns)
        for path in expand_paths(self._path):
            with _opened(path, context) as database:
                yield from self._scan_file(database, path, wanted, context)

    def _scan_file(
        self, database: sqlite3.Connection, path: str, wanted: pa.Schema, context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        there, name = _columns(database, path, self._table), _table_name(database, path, self._table)
        chosen = [column for column in wanted.names if column in there]
        replaced = [0]
        database.text_factory = _text_factory(replaced)
        try:
            cursor = database.execute(_query(name, tuple(chosen)))
            for rows in _parts(cursor, path, context):
                made = {column: [row[at] for row in rows] for at, column in enumerate(chosen)}
                yield self._batch(made, len(rows), wanted, file_name(path))
        except _PROBLEMS as problem:
            check_cancelled(context)
            context.loss.lost(path, "damaged-database", 1, None, _sentence(problem))
        finally:
            if replaced[0]:
                context.loss.lost(path, "invalid-utf-8", replaced[0], None)

    def _batch(self, made: dict[str, list[Any]], rows: int, wanted: pa.Schema, file: str) -> pa.RecordBatch:
        arrays: dict[str, pa.Array] = {}
        for declared in wanted:
            cells = made.get(declared.name)
            if declared.name == "_file" and self._own_file:
                arrays["_file"] = pa.repeat(pa.scalar(file, pa.string()), rows)
            elif cells is None:
                arrays[declared.name] = pa.nulls(rows, declared.type)
            else:
                arrays[declared.name] = pa.array([_cell(cell, declared) for cell in cells], declared.type)
        return batch_of(wanted, arrays, rows)


@contextmanager
def _opened(path: str, context: ReadContext) -> Iterator[sqlite3.Connection]:
    """The database, immutable; refused by the context's policy or by its first bytes before SQLite sees it."""
    with context.open_file(path) as raw:
        if raw.read(16) != b"SQLite format 3\0":
            raise ReaderError(f"{path} is not an SQLite database", path, "not-a-sqlite-database")
    wal = path + "-wal"
    if os.path.exists(wal) and os.path.getsize(wal) > 32:
        context.loss.lost(path, "write-ahead-log-not-read", 1, None, wal)
    uri = "file:" + urllib.parse.quote(os.path.abspath(path)) + "?mode=ro&immutable=1"
    try:
        database = sqlite3.connect(uri, uri=True, check_same_thread=False)
    except _PROBLEMS as problem:
        raise _unreadable(path, problem) from problem
    try:
        database.text_factory = _text_factory([0])
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        # Functions and virtual tables named by a hostile schema must not run with side effects.
        database.execute("PRAGMA trusted_schema = OFF")
        database.set_progress_handler(lambda: int(context.cancelled()), _STEPS)
        yield database
    except _PROBLEMS as problem:
        check_cancelled(context)
        raise _unreadable(path, problem) from problem
    finally:
        database.close()


def _unreadable(path: str, problem: Exception) -> ReaderError:
    message = f"cannot read the SQLite database {path}: {_sentence(problem)}"
    return ReaderError(message, path, "not-a-sqlite-database")


def _sentence(problem: Exception) -> str:
    return " ".join(str(problem).split()) or "a record claims more memory than there is"


def _text_factory(replaced: list[int]) -> Any:
    """Decoder of text cells that counts those with bytes that are no UTF-8."""

    def decode(data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            replaced[0] += 1
            return data.decode("utf-8", "replace")

    return decode


def _table_name(database: sqlite3.Connection, path: str, table: str) -> str:
    """The table's name as the database spells it. Views are no tables: a view may be any query."""
    names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    names += ["sqlite_master", "sqlite_schema"]
    for name in names:
        if isinstance(name, str) and (name == table or name.lower() == table.lower()):
            return name
    known = ", ".join(sorted(str(name) for name in names[:-2])[:20]) or "none"
    raise ReaderError(f"no table {table} in {path}; there are: {known}", path, "no-such-table")


def _columns(database: sqlite3.Connection, path: str, table: str) -> list[str]:
    name = _table_name(database, path, table)
    return [str(row[0]) for row in database.execute("SELECT name FROM pragma_table_info(?)", (name,))]


@lru_cache(maxsize=64)
def _query(table: str, columns: tuple[str, ...], most: int | None = None) -> str:
    """``SELECT columns FROM table``, names quoted by the generator.

    With ``most``: which kinds of value each column holds in that many rows (one column a kind).
    """
    from sqlglot import exp

    cells: list[exp.Expression] = [exp.column(exp.to_identifier(name, quoted=True)) for name in columns]
    plain = exp.select(*(cells or [exp.Null()])).from_(exp.Table(this=exp.to_identifier(table, quoted=True)))
    if most is None:
        return plain.sql(dialect="sqlite")
    kinds = [
        exp.Max(this=exp.EQ(this=exp.Anonymous(this="typeof", expressions=[cell.copy()]), expression=literal))
        for cell in cells
        for literal in (exp.Literal.string(kind) for kind in _KINDS)
    ]
    return exp.select(*kinds).from_(plain.limit(most).subquery("seen")).sql(dialect="sqlite")


def _most_rows(path: str) -> int:
    return size_of(path) // _ROW_BYTES + 1


def _survey(database: sqlite3.Connection, path: str, table: str) -> dict[str, set[str]]:
    """Kinds of the values of every column; all kinds where damage prevents a look at them."""
    name, columns = _table_name(database, path, table), _columns(database, path, table)
    found: dict[str, set[str]] = {}
    # SQLite returns at most 2,000 columns, and each one is asked for four kinds.
    for at in range(0, len(columns), 400):
        part = columns[at : at + 400]
        try:
            row = database.execute(_query(name, tuple(part), _most_rows(path))).fetchone()
        except _PROBLEMS:
            row = (1,) * len(_KINDS) * len(part)
        for nth, column in enumerate(part):
            seen = row[nth * len(_KINDS) : (nth + 1) * len(_KINDS)]
            found[column] = {kind for kind, there in zip(_KINDS, seen, strict=True) if there}
    return found


def _field(name: str, kinds: set[str]) -> pa.Field:
    # Whole numbers beside fractions stay apart: a double would lose digits of those beyond 2^53.
    if len(kinds) > 1:
        return base.field(name, pa.string(), "any")
    return base.field(name, _KINDS[next(iter(kinds), "text")])


def _cell(cell: Any, declared: pa.Field) -> Any:
    """A value as its column has it; null for one of another kind (the file changed since the survey)."""
    if cell is None:
        return None
    if declared.metadata and declared.metadata.get(base.LOGICAL_TYPE) == b"any":
        plain = cell.hex() if isinstance(cell, bytes) else cell
        if isinstance(plain, float) and plain - plain != 0:
            plain = str(plain)  # JSON has no infinity
        return json.dumps(plain, ensure_ascii=False)
    kind = {pa.int64(): int, pa.float64(): float, pa.string(): str, pa.binary(): bytes}[declared.type]
    return cell if isinstance(cell, kind) else None


def _parts(cursor: sqlite3.Cursor, path: str, context: ReadContext) -> Iterator[list[tuple[Any, ...]]]:
    """Rows in parts of a batch's size, fewer when their text and bytes are long."""
    held: list[tuple[Any, ...]] = []
    weight = 0
    rows_left, bytes_left = _most_rows(path), size_of(path) * _EXPANSION + _FREE_BYTES
    # One row at a time: a few dozen rows of damaged sizes would not fit into memory together.
    rows = iter(cursor)
    while True:
        try:
            row = next(rows, None)
            if row is not None and len(held) == rows_left:
                raise sqlite3.DatabaseError("the table holds more rows than the file has room for")
        except _PROBLEMS:
            if held:
                yield held
            raise
        if row is not None:
            held.append(row)
            weight += sum([len(cell) for cell in row if isinstance(cell, str | bytes)])
        if row is None or len(held) >= BATCH_ROWS or weight >= BATCH_BYTES:
            check_cancelled(context)
            if held:
                yield held
            rows_left, bytes_left = rows_left - len(held), bytes_left - weight
            if bytes_left < 0:
                raise sqlite3.DatabaseError("the table holds more text and bytes than the file has room for")
            held, weight = [], 0
        if row is None:
            context.progress.advance(path, size_of(path), size_of(path))
            return
