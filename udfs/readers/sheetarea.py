"""How much memory the parser of workbooks would take for a sheet, before it is asked.

The parser allocates the rectangle around all cells: two cells, A1 and XFD1048576, are 17 billion places, and the
failing allocation ends the process. ``check_areas`` looks at the places that are named in each sheet first: those of
.xlsx (ECMA-376), .xlsb ([MS-XLSB]) and .ods (OpenDocument 1.2, part 1, 9.1), and of .xls (``xlsarea``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import IO
from xml.parsers import expat

from udfs.readers import xlsarea
from udfs.readers.base import ReaderError
from udfs.readers.files import archive as archive_in

_FREE_CELLS = 10_000_000
_SPREAD = 16
"""Places per cell up to which a sheet of more than ``_FREE_CELLS`` places is read."""
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,8})["']""")
"""The place of a cell (``r="B12"``), or of a row (``r="12"``) whose cells have none."""
_SHEET = re.compile(rb"<(?:\w+:)?sheetData\b")
"""Where the cells begin: other parts hold texts like these places, too."""
_OPEN = re.compile(
    rb"""<table:(?P<element>table-row|table-cell|covered-table-cell|table)\b"""
    rb"""|table:number-(?:rows|columns)-repeated\s*=\s*["'](?P<times>[^"']*)"""
    rb"""|(?P<value>\boffice:[a-z-]*value|\btable:formula)\b|\btext:c\s*=\s*["'](?P<blanks>[^"']*)"""
)
"""What says where the cells of an OpenDocument sheet are: elements, how often they repeat, whether they hold a value;
and how many blanks a text has (``<text:s text:c="3"/>``), which the parser writes out."""
_PIECE = 1 << 20
_ENDLESS = 1 << 40
_MOST_COLUMNS = 16_384
"""No program writes more: a damaged number would make millions of fields."""
_BEGIN_SHEET = 129
Area = tuple[int, int, int]
"""Rows and columns of the rectangle from A1 to the last cell, and the number of cells that are named."""


def check_areas(path: str, file: IO[bytes]) -> None:
    """Refuse sheets whose area is enormous for what they hold: ReaderError ``xlsx-too-sparse``.

    ReaderError ``not-xlsx`` for an OpenDocument file whose XML is not well formed, and for an .xls file whose sectors
    or counts are not. Anything else that is no such workbook is left to the parser to judge.
    """
    try:
        if file.read(len(xlsarea.SIGNATURE)) == xlsarea.SIGNATURE:
            file.seek(0)
            for rows, columns, cells in xlsarea.areas(file.read()):
                _check(path, rows, columns, cells)
            file.seek(0)
            return
        with archive_in(file) as archive:
            for info in archive.infolist():
                measure = _measure(info.filename.lower().replace("\\", "/"))
                if measure is None:
                    continue
                with archive.open(info) as sheet:
                    for rows, columns, cells in measure(sheet):
                        _check(path, rows, columns, cells)
    except ReaderError:
        raise
    except (expat.ExpatError, xlsarea.Damaged) as problem:
        raise ReaderError("{path} is not a readable workbook: {reason}", path, "not-xlsx", reason=problem) from problem
    except Exception:
        pass
    file.seek(0)


def _check(path: str, rows: int, columns: int, cells: int) -> None:
    if rows * columns > max(_FREE_CELLS, _SPREAD * cells) or columns > _MOST_COLUMNS:
        raise ReaderError(
            "{path}: a sheet of {rows} rows and {columns} columns holds {cells} cells only; "
            "delete the cells far from the table",
            path,
            "xlsx-too-sparse",
            rows=rows,
            columns=columns,
            cells=cells,
        )


def _measure(part: str) -> Callable[[IO[bytes]], Iterator[Area]] | None:
    """What reads the places of a part of the workbook; None for parts without cells."""
    if part == "content.xml":
        return _open_areas
    # The workbook may call its sheets what it likes.
    return _binary_area if part.endswith(".bin") else _area if part.endswith(".xml") else None


def _pieces(sheet: IO[bytes]) -> Iterator[bytes]:
    """The XML in pieces that end before an element, so that no attribute is torn apart."""
    rest = b""
    while piece := sheet.read(_PIECE):
        piece = rest + piece
        cut = max(piece.rfind(b"<"), 0)
        yield piece[:cut]
        rest = piece[cut:][-_PIECE:]
    yield rest


def _area(sheet: IO[bytes]) -> Iterator[Area]:
    rows = cells = 0
    names: set[bytes] = set()
    inside = False
    for piece in _pieces(sheet):
        inside = inside or _SHEET.search(piece) is not None
        if not inside:
            continue
        found = _PLACE.findall(piece)
        cells += len(found)
        names.update(column for column, _ in found)
        rows = max(rows, max((int(row) for row in {row for _, row in found}), default=0))
    columns = max(map(_number, names), default=0)
    yield rows, columns, cells


def _number(name: bytes) -> int:
    """Number of a column: A is 1, Z 26, AA 27, XFD 16,384."""
    number = 0
    for letter in name.upper():
        number = number * 26 + letter - 64
    return number


def _times(text: bytes) -> int:
    """A count; what is no plain number (``&#57;``) may mean anything."""
    return min(int(text), _ENDLESS) if text.isdigit() and len(text) < 20 else _ENDLESS


class _OpenTable:
    """The cells of one sheet of an OpenDocument file, told in their order.

    Rows and cells without a value count only where others follow: every sheet ends with a million empty rows.
    """

    def __init__(self) -> None:
        self.rows = self.columns = self.cells = 0
        self._row = self._column = 0
        self._rows = self._columns = 0
        self._value = self._in_cell = False

    def area(self) -> Area:
        """The rectangle so far."""
        self._end_row()
        return self.rows, self.columns, self.cells

    def row(self) -> None:
        """A row begins."""
        self._end_row()
        self._rows = 1

    def cell(self) -> None:
        """A cell begins."""
        self._end_cell()
        self._columns, self._in_cell = 1, True

    def repeat(self, times: int) -> None:
        """The row or cell that began last stands so many times."""
        if self._in_cell:
            self._columns = times
        else:
            self._rows = times

    def value(self) -> None:
        """The cell that began last holds something."""
        self._value = self._in_cell

    def _end_cell(self) -> None:
        self._column += self._columns
        if self._value:
            self.columns = max(self.columns, self._column)
            self.rows = self._row + self._rows
            self.cells += 1
        self._columns, self._value, self._in_cell = 0, False, False

    def _end_row(self) -> None:
        self._end_cell()
        self._row += self._rows
        self._rows = self._column = 0


def _open_areas(content: IO[bytes]) -> Iterator[Area]:
    """The areas of an OpenDocument file's sheets. ExpatError where the XML breaks off: the parser would wait for the
    end of the sheet for ever."""
    table = _OpenTable()
    whole = expat.ParserCreate("utf-8")
    whole.EntityDeclHandler = _refuse_entity
    for piece in _pieces(content):
        whole.Parse(piece)
        for found in _OPEN.finditer(piece):
            element = found["element"]
            if element == b"table":
                yield table.area()
                table = _OpenTable()
            elif element == b"table-row":
                table.row()
            elif element:
                table.cell()
            elif found["value"]:
                table.value()
            elif found["times"] is not None:
                table.repeat(_times(found["times"]))
            elif (blanks := _times(found["blanks"])) > _FREE_CELLS:
                yield blanks, 1, 1
    whole.Parse(b"", True)
    yield table.area()


def _refuse_entity(*_: object) -> None:
    raise expat.ExpatError("entities are declared")


def _binary_area(sheet: IO[bytes]) -> Iterator[Area]:
    """[MS-XLSB] 2.1.4: records of a type and a size, seven bits a byte; 129 begins a sheet, 0 a row, 1 to 11 cells."""
    row = rows = columns = cells = 0
    data, at = sheet.read(_PIECE), 0
    if _seven_bits(data, 0, 2)[0] != _BEGIN_SHEET and "worksheets" not in str(sheet.name):
        return
    while True:
        if len(data) - at < 16:
            data, at = data[at:] + sheet.read(_PIECE), 0
            if not data:
                break
        kind, at = _seven_bits(data, at, 2)
        size, at = _seven_bits(data, at, 4)
        if kind <= 11:
            number = 1 + int.from_bytes(data[at : at + 4], "little")
            if kind == 0:
                row = number
            else:
                cells += 1
                rows, columns = max(rows, row), max(columns, number)
        at += size
        while at > len(data):
            at -= len(data)
            if not (data := sheet.read(_PIECE)):
                break
    yield rows, columns, cells


def _seven_bits(data: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of up to ``most`` bytes, the lowest bits first, and where it ends."""
    number = 0
    for nth in range(most):
        byte = data[at] if at < len(data) else 0
        at += 1
        number |= (byte & 0x7F) << 7 * nth
        if byte < 0x80:
            break
    return number, at
