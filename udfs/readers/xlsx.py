"""``xlsxfile``: a sheet of an Excel workbook, header row as field names (commands.md). Needs the extra ``xlsx``.

A column whose cells are all of one kind keeps it (text, whole numbers, numbers, booleans, wall-clock times); a column
that mixes kinds comes as JSON text per value (logical type ``any``). Empty cells are null.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, TypeAlias

import pyarrow as pa

from udfs.readers import base
from udfs.readers.base import (
    BATCH_ROWS,
    ReadContext,
    ReaderError,
    batch_of,
    check_cancelled,
    file_name,
    null_context,
    select,
)
from udfs.readers.csvrows import named
from udfs.readers.errors import needs_package
from udfs.readers.request import Request
from udfs.readers.sheetarea import check_areas
from udfs.readers.sheets import Sheet, read_sheet
from udfs.readers.textlines import Window

#: What the parser gives for a cell; an empty one is None.
Cell: TypeAlias = bool | int | float | str | date | datetime | time | timedelta | None


@dataclass(frozen=True)
class XlsxReader:
    """Rows of one sheet (default: the first) of one workbook; ``skip`` rows stand above the header.

    Header cells that repeat or are empty are renamed as in ``csvfile``. The workbook is read on construction, through
    ``context.files``. ReaderError: ``missing-extra``, ``not-xlsx``, ``no-such-sheet``, ``xlsx-too-sparse`` (a sheet
    whose few cells lie so far apart that the area around them does not fit into memory).
    """

    path: str
    sheet: str | None = None
    skip: int = 0
    offset: int = 0
    limit: int | None = None
    context: ReadContext = field(default_factory=null_context)
    table: Sheet = field(init=False)

    def __post_init__(self) -> None:
        needs_package("xlsxfile", "python-calamine", "xlsx", self.path, "python_calamine")
        with self.context.files.open(self.path) as file:
            found = read_sheet(self.path, self.sheet, self.skip, file, self.context.cancelled)
        object.__setattr__(self, "table", found)

    @classmethod
    def of(cls, request: Request) -> XlsxReader:
        """Options: ``sheet``, ``skip``, ``offset``, ``limit``. ReaderError ``several-files``."""
        found = request.files()
        if len(found) > 1:
            said = "xlsxfile reads one workbook, and {path} matches {count}"
            raise ReaderError(said, request.paths[0], "several-files", count=len(found))
        return cls(
            found[0],
            request.text("sheet"),
            request.number("skip") or 0,
            request.number("offset") or 0,
            request.number("limit"),
            request.context,
        )

    @property
    def schema(self) -> pa.Schema:
        """The header's columns, then ``_file``."""
        return pa.schema([*self.table.schema, pa.field("_file", pa.string())])

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of about 100,000 rows."""
        schema = select(self.schema, columns)
        for note in self.table.notes:
            context.loss.lost(self.path, "duplicate-header", 0, base.Line(1 + self.skip), note)
        window = Window(self.offset, self.limit)
        for part in self.table.batches:
            check_cancelled(context)
            files = pa.repeat(pa.scalar(file_name(self.path), pa.string()), part.num_rows)
            made: dict[str, pa.Array] = {"_file": files}
            made |= {name: part.column(name) for name in part.schema.names if name in schema.names}
            batch = window.cut(batch_of(schema, made, part.num_rows))
            if batch.num_rows:
                yield batch
            if window.done:
                return


# --- in the child process ---------------------------------------------------------------------------------------------


def sheet_batches(
    path: str, sheet: str | None, skip: int, file: BinaryIO
) -> tuple[tuple[str, ...], pa.Schema, Iterator[pa.RecordBatch]]:
    """Notes, schema and batches of a sheet. ReaderError as for ``XlsxReader``. The parser may end the process."""
    names, notes, columns = _cells(path, sheet, skip, file)
    schema = pa.schema([_field(name, cells) for name, cells in zip(names, columns, strict=True)])
    size = len(columns[0]) if columns else 0

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, size, BATCH_ROWS):
            made = [_array(f, cells[start : start + BATCH_ROWS]) for f, cells in zip(schema, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(made, schema=schema)

    return notes, schema, batches()


def _cells(
    path: str, sheet: str | None, skip: int, file: BinaryIO
) -> tuple[tuple[str, ...], tuple[str, ...], list[list[Cell]]]:
    """Names and notes of the header, and one list of cells per column."""
    from python_calamine import CalamineWorkbook  # an extra

    check_areas(path, file)
    try:
        workbook = CalamineWorkbook.from_filelike(file)
        names = workbook.sheet_names
        if not names or (sheet is not None and sheet not in names):
            there = "{path} has no sheet {sheet}; it has {names}"
            raise ReaderError(there, path, "no-such-sheet", sheet=sheet, names=", ".join(names) or "none")
        rows = workbook.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except (ReaderError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # a panic of the Rust parser is no Exception
        said = "{path} is not a readable Excel workbook: {reason}"
        raise ReaderError(said, path, "not-xlsx", reason=problem) from problem
    rows = rows[skip:]
    if not rows:
        return (), (), []
    columns, notes = named([_text(cell) for cell in rows[0]], max(len(row) for row in rows))
    cells: list[list[Cell]] = [[] for _ in columns]
    for row in rows[1:]:
        for number, column in enumerate(cells):
            cell = row[number] if number < len(row) else ""
            column.append(None if cell == "" else cell)
    return columns, notes, cells


def _field(name: str, cells: list[Cell]) -> pa.Field:
    kinds = {_kind(cell) for cell in cells if cell is not None}
    if kinds == {"long", "double"}:
        kinds = {"double"}
    types = {
        "long": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "date": pa.timestamp("us"),
        "string": pa.string(),
    }
    if len(kinds) > 1:
        return base.field(name, pa.string(), "any")
    return pa.field(name, types[next(iter(kinds), "string")])


def _kind(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "bool"
    if isinstance(cell, int | float):
        # A workbook has one kind of number; 3.0 is how it stores 3.
        return "long" if float(cell).is_integer() and abs(cell) < 2**53 else "double"
    if isinstance(cell, date | datetime):
        return "date"
    return "string"


def _array(declared: pa.Field, cells: list[Any]) -> pa.Array:
    if declared.metadata and declared.metadata.get(base.LOGICAL_TYPE) == b"any":
        return pa.array([None if cell is None else _json(cell) for cell in cells], pa.string())
    if pa.types.is_string(declared.type):
        return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())
    if pa.types.is_integer(declared.type):
        return pa.array([None if cell is None else int(cell) for cell in cells], declared.type)
    if pa.types.is_timestamp(declared.type):
        return pa.array([None if cell is None else _moment(cell) for cell in cells], declared.type)
    return pa.array(cells, declared.type)


def _moment(cell: date) -> datetime:
    return cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)


def _text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)  # dates and times in ISO form


def _json(cell: Cell) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return json.dumps(cell if isinstance(cell, bool | int | float | str) else _text(cell), ensure_ascii=False)
