"""SQLite databases to Arrow: ``sqlite-tables`` (schema objects) and ``sqlite-records`` (rows of a table).

Contract: the file is opened immutable, so nothing is created or changed beside the evidence. What a write-ahead log
beside it adds is read from a copy of both (:mod:`udfs.readers.sqlitefiles`). SQLite types values, not columns: a column
whose values are all of one kind keeps it (whole numbers, numbers, text, bytes); a column ``c`` that mixes kinds comes
as the part columns ``c.int``, ``c.real``, ``c.text``, ``c.bytes`` of its kinds, marked ``base.VARIANT``. Generated
columns are read too; hidden columns of virtual tables are not. Standard library only, constant memory.

A damaged tree may reach one page over many ways: twenty pages of 512 bytes can hold 10^30 rows. No table has more rows
than the file has room for, so reading ends there, as at any other damage.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

import pyarrow as pa

from udfs.readers import base
from udfs.readers.base import (
    BATCH_ROWS,
    NullLoss,
    ReadContext,
    ReaderError,
    batch_of,
    check_cancelled,
    field,
    null_context,
    select,
)
from udfs.readers.evidence import EvidenceReader, Target, Targets, base_name, placed, placed_schema
from udfs.readers.files import Files
from udfs.readers.request import Request
from udfs.readers.sources import scan_each
from udfs.readers.sqlitefiles import PROBLEMS, on_disk, opened, sentence, stored_bytes, text_factory

BATCH_BYTES = 32 << 20
"""Text and bytes per batch."""
_ROW_BYTES = 4
"""The least a row takes in a file: two bytes of pointer, two of cell (file format, "B-tree Pages")."""
_EXPANSION = 64
"""Bytes of text and blobs believed per byte of the file: damaged rows may share one chain of overflow pages."""
_FREE_BYTES = 64 << 20
"""Bytes of text and blobs that are believed in any file, however small."""
_KINDS = {"integer": pa.int64(), "real": pa.float64(), "text": pa.string(), "blob": pa.binary()}
_PARTS = {"integer": "int", "real": "real", "text": "text", "blob": "bytes"}
_PYTHON: dict[str, type] = {"integer": int, "real": float, "text": str, "blob": bytes}

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


def is_database(name: str, head: bytes) -> bool:
    """Whether a file of a folder is an SQLite database."""
    return head.startswith(b"SQLite format 3\0")


class SqliteTablesReader(EvidenceReader):
    """One row per table, index, view and trigger of the databases that the paths mean.

    ReaderError codes: ``not-a-sqlite-database`` and those of the base. Ledger: that of ``sqlitefiles.opened``, and
    files among several that are no databases.
    """

    columns = TABLES_SCHEMA
    belongs = staticmethod(is_database)

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch a database, in the order of its schema table."""
        with on_disk(target, context) as (path, inner), opened(path, inner) as database:
            rows = database.execute("SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master").fetchall()
        kinds = dict.fromkeys(TABLES_SCHEMA.names[:-1], "text") | {"root_page": "integer"}
        made = {name: _array([row[at] for row in rows], kind) for at, (name, kind) in enumerate(kinds.items())}
        made["_file"] = pa.repeat(pa.scalar(base_name(target), pa.string()), len(rows))
        if rows:
            yield batch_of(wanted, made, len(rows))


class SqliteRecordsReader:
    """The rows of ``table`` (case ignored, as SQLite does) in every database ``path`` means.

    The values are surveyed once, on construction, through ``context.files``, because a column's type is that of its
    values. ReaderError codes: ``no-such-table``, ``not-a-sqlite-database``; among several databases those are ledger
    entries. Ledger: that of ``sqlitefiles.opened``, ``invalid-utf-8`` (text kept, bad bytes replaced),
    ``generated-column-failed`` (null from there on), ``damaged-database`` (rows behind the damage are missing).
    """

    def __init__(self, path: str | Sequence[str] | Targets, table: str, context: ReadContext | None = None) -> None:
        context = context or null_context()
        self._targets = path if isinstance(path, Targets) else Targets(path, context=context)
        self._table = table
        kinds: dict[str, set[str]] = {}
        # What is lost is told by the scans.
        quiet = replace(context, loss=NullLoss())

        def surveyed(found: Target) -> list[dict[str, set[str]]]:
            with on_disk(found, quiet) as (path, inner), opened(path, inner) as database:
                return [_survey(database, path, table, inner)]

        for one in scan_each(self._targets.found(quiet), quiet, surveyed):
            for name, held in one.items():
                kinds.setdefault(name, set()).update(held)
        self._own_file = "_file" not in kinds
        kinds.setdefault("_file", {"text"})
        kinds["_file"] = kinds.pop("_file")  # the last one
        self._cells = _layout(kinds)
        self._schema = pa.schema([made for made, _, _ in self._cells])

    @classmethod
    def of(cls, request: Request) -> SqliteRecordsReader:
        """Options: ``table``, ``zippath``, ``zipcharset``, ``host``."""
        return cls(Targets.of(request, is_database), request.text("table") or "", request.context)

    @property
    def schema(self) -> pa.Schema:
        """The table's columns, then ``_file``, ``_path`` (where the table has none), ``host`` where it is asked for."""
        if "_path" in self._schema.names:
            return self._schema
        return placed_schema(self._schema, self._targets.host is not None)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the wanted columns, in the table's own order."""
        wanted = select(self.schema, columns)
        own = pa.schema([f for f in wanted if f.name in self._schema.names], metadata=wanted.metadata)

        def one(target: Target) -> Iterator[pa.RecordBatch]:
            with on_disk(target, context) as (path, inner):
                for batch in self._scan_file(path, base_name(target), own, inner):
                    yield placed(batch, wanted, target, self._targets.host)

        yield from scan_each(self._targets.found(context), context, one)

    def _scan_file(
        self, path: str, name_of_file: str, wanted: pa.Schema, context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        asked = {column for made, column, _ in self._cells if made.name in wanted.names}
        replaced = [0]
        with opened(path, context) as database:
            there, name = _columns(database, path, self._table), _table_name(database, path, self._table)
            chosen = [column for column in there if column in asked]
            database.text_factory = text_factory(replaced)
            try:
                for rows in _rows(database, name, chosen, there, path, context):
                    made = {column: [row[at] for row in rows] for at, column in enumerate(chosen)}
                    yield self._batch(made, len(rows), wanted, name_of_file)
            except PROBLEMS as problem:
                check_cancelled(context)
                context.loss.lost(path, "damaged-database", 1, None, sentence(problem))
            finally:
                if replaced[0]:
                    context.loss.lost(path, "invalid-utf-8", replaced[0], None)

    def _batch(self, made: dict[str, list[object]], rows: int, wanted: pa.Schema, file: str) -> pa.RecordBatch:
        arrays: dict[str, pa.Array] = {}
        for declared, column, kind in self._cells:
            if declared.name not in wanted.names:
                continue
            cells = made.get(column)
            if column == "_file" and self._own_file:
                arrays[declared.name] = pa.repeat(pa.scalar(file, pa.string()), rows)
            else:
                arrays[declared.name] = pa.nulls(rows, declared.type) if cells is None else _array(cells, kind)
        return batch_of(wanted, arrays, rows)


def _rows(
    database: sqlite3.Connection, table: str, chosen: list[str], there: dict[str, bool], path: str, context: ReadContext
) -> Iterator[list[tuple[object, ...]]]:
    """Rows of the chosen columns in parts; null in generated columns from the row on where they cannot be computed.

    A generated column is an expression, and one row that it does not fit (``json_extract(body, '$.id')`` of text that
    is no JSON) ends the whole statement. The stored columns of the rows behind it are as readable as ever.
    """
    given = 0
    try:
        for rows in _parts(database.execute(_query(table, tuple(chosen))), path, context):
            given += len(rows)
            yield rows
        return
    except PROBLEMS as problem:
        check_cancelled(context)
        failing = frozenset(column for column in chosen if there[column])
        if not failing:
            raise
        told = sentence(problem)
    rest = _query(table, tuple(chosen), skip=given, without=failing)
    cursor = database.execute(rest, (0,) * len(failing))
    context.loss.lost(path, "generated-column-failed", 1, None, f"null from row {given + 1:,} on: {told}")
    yield from _parts(cursor, path, context)


def _table_name(database: sqlite3.Connection, path: str, table: str) -> str:
    """The table's name as the database spells it. Views are no tables: a view may be any query."""
    names = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    names += ["sqlite_master", "sqlite_schema"]
    for name in names:
        if isinstance(name, str) and (name == table or name.lower() == table.lower()):
            return name
    known = ", ".join(sorted(str(name) for name in names[:-2])[:20]) or "none"
    said = "no table {table} in {path}; there are: {names}"
    raise ReaderError(said, path, "no-such-table", table=table, names=known)


def _columns(database: sqlite3.Connection, path: str, table: str) -> dict[str, bool]:
    """The columns, and whether they are generated (``hidden`` 2 and 3; 1 are the parameters of virtual tables)."""
    name = _table_name(database, path, table)
    found = database.execute("SELECT name, hidden FROM pragma_table_xinfo(?) WHERE hidden <> 1", (name,))
    return {str(column): hidden != 0 for column, hidden in found}


@lru_cache(maxsize=64)
def _query(
    table: str, columns: tuple[str, ...], most: int | None = None, skip: int = 0, without: frozenset[str] = frozenset()
) -> str:
    """``SELECT columns FROM table``, names quoted by the generator.

    With ``most``: which kinds of value each column holds in that many rows (one column a kind). With ``skip``: behind
    that many rows, null for the columns ``without``. Those are named all the same, behind a test that is a parameter:
    SQLite reads a table in the order of the index that holds all named columns, and the order must not change.
    """
    from sqlglot import exp

    cells: list[exp.Expression] = [exp.column(exp.to_identifier(name, quoted=True)) for name in columns]
    if without:
        pairs = zip(columns, cells, strict=True)
        cells = [exp.Case().when(exp.Placeholder(), cell) if name in without else cell for name, cell in pairs]
    plain = exp.select(*(cells or [exp.Null()])).from_(exp.Table(this=exp.to_identifier(table, quoted=True)))
    if most is None:
        return (plain.limit(-1).offset(skip) if skip else plain).sql(dialect="sqlite")
    kinds = [
        exp.Max(this=exp.EQ(this=exp.Anonymous(this="typeof", expressions=[cell.copy()]), expression=literal))
        for cell in cells
        for literal in (exp.Literal.string(kind) for kind in _KINDS)
    ]
    return exp.select(*kinds).from_(plain.limit(most).subquery("seen")).sql(dialect="sqlite")


def _most_rows(path: str, files: Files) -> int:
    return stored_bytes(path, files) // _ROW_BYTES + 1


def _survey(database: sqlite3.Connection, path: str, table: str, context: ReadContext) -> dict[str, set[str]]:
    """Kinds of the values of every column; all kinds where damage prevents a look at them."""
    name, columns = _table_name(database, path, table), _columns(database, path, table)
    found: dict[str, set[str]] = {}
    # SQLite returns at most 2,000 columns, and each one is asked for four kinds. Generated columns may fail.
    stored = [column for column, generated in columns.items() if not generated]
    parts = [stored[at : at + 400] for at in range(0, len(stored), 400)]
    for part in [*parts, *([column] for column, generated in columns.items() if generated)]:
        try:
            row = database.execute(_query(name, tuple(part), _most_rows(path, context.files))).fetchone()
        except PROBLEMS:
            check_cancelled(context)
            row = (1,) * len(_KINDS) * len(part)
        for nth, column in enumerate(part):
            seen = row[nth * len(_KINDS) : (nth + 1) * len(_KINDS)]
            found[column] = {kind for kind, there in zip(_KINDS, seen, strict=True) if there}
    return {column: found[column] for column in columns}


def _layout(kinds: dict[str, set[str]]) -> list[tuple[pa.Field, str, str]]:
    """Arrow columns with the table's column and the kind of value that they hold.

    Whole numbers beside fractions stay apart: a double would lose digits of those beyond 2^53.
    """
    taken = set(kinds)
    found: list[tuple[pa.Field, str, str]] = []
    for column, held in kinds.items():
        if len(held) < 2:
            kind = next(iter(held), "text")
            found.append((pa.field(column, _KINDS[kind]), column, kind))
            continue
        for kind in (kind for kind in _KINDS if kind in held):
            name = f"{column}.{_PARTS[kind]}"
            while name in taken:
                name += "_"
            taken.add(name)
            found.append((pa.field(name, _KINDS[kind], metadata={base.VARIANT: column.encode()}), column, kind))
    return found


def _array(cells: list[object], kind: str) -> pa.Array:
    """The values of one kind, null for those of another."""
    type_ = _PYTHON[kind]
    return pa.array([cell if isinstance(cell, type_) else None for cell in cells], _KINDS[kind])


def _parts(cursor: sqlite3.Cursor, path: str, context: ReadContext) -> Iterator[list[tuple[object, ...]]]:
    """Rows in parts of a batch's size, fewer when their text and bytes are long."""
    held: list[tuple[object, ...]] = []
    weight = reached = 0
    most_rows, total = _most_rows(path, context.files), context.files.size(path)
    rows_left, bytes_left = most_rows, stored_bytes(path, context.files) * _EXPANSION + _FREE_BYTES
    # One row at a time: a few dozen rows of damaged sizes would not fit into memory together.
    rows = iter(cursor)
    while True:
        try:
            row = next(rows, None)
            if row is not None and len(held) == rows_left:
                raise sqlite3.DatabaseError("the table holds more rows than the file has room for")
        except PROBLEMS:
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
            # SQLite does not tell where in the file it is: the bytes of the values so far, at most those of the file.
            reached += weight + sum(len(row) for row in held)
            context.progress.advance(path, min(reached, total), total)
            if bytes_left < 0:
                raise sqlite3.DatabaseError("the table holds more text and bytes than the file has room for")
            held, weight = [], 0
        if row is None:
            context.progress.advance(path, total, total)
            return
