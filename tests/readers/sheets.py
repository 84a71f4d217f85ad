"""Small workbooks in the formats beside .xlsx that the parser of workbooks reads: .ods, .xlsb and .xls."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping

_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"


def _archive(parts: Mapping[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


def ods(rows: str) -> bytes:
    """An OpenDocument spreadsheet of one sheet; ``rows`` is the XML of its ``table:table-row`` elements."""
    spaces = " ".join(f'xmlns:{name}="{_NAMES}:{name}:1.0"' for name in ("office", "table", "text"))
    table = f'<table:table table:name="first">{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{table}</office:spreadsheet></office:body>"
    manifest = f'<manifest:manifest xmlns:manifest="{_NAMES}:manifest:1.0"/>'
    return _archive(
        {
            "mimetype": _SPREADSHEET,
            "META-INF/manifest.xml": manifest,
            "content.xml": f"<office:document-content {spaces}>{body}</office:document-content>",
        }
    )


def ods_cell(value: str, repeated: int = 1) -> str:
    """A cell of text."""
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    return f'<table:table-cell office:value-type="string"{times}><text:p>{value}</text:p></table:table-cell>'


def ods_row(cells: str, repeated: int = 1) -> str:
    """A row of cells."""
    times = f' table:number-rows-repeated="{repeated}"' if repeated > 1 else ""
    return f"<table:table-row{times}>{cells}</table:table-row>"


def _record(kind: int, data: bytes = b"") -> bytes:
    """[MS-XLSB] 2.1.4: type and size in groups of seven bits, the lowest first."""
    head = b""
    for value in (kind, len(data)):
        while value > 0x7F:
            head += bytes([value & 0x7F | 0x80])
            value >>= 7
        head += bytes([value])
    return head + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(cells: Mapping[tuple[int, int], str | float]) -> bytes:
    """A binary workbook of one sheet; cells by row and column from 0, in the order of the rows."""
    rows, columns = [row for row, _ in cells], [column for _, column in cells]
    sheet = _record(129) + _record(148, struct.pack("<4I", min(rows), max(rows), min(columns), max(columns)))
    sheet += _record(145)
    last = -1
    for (row, column), value in cells.items():
        if row != last:
            sheet += _record(0, struct.pack("<IIHBBBI", row, 0, 300, 0, 0, 0, 0))
            last = row
        place = struct.pack("<II", column, 0)
        if isinstance(value, str):
            sheet += _record(6, place + _wide(value))
        else:
            sheet += _record(5, place + struct.pack("<d", value))
    sheet += _record(146) + _record(130)
    book = _record(131) + _record(143) + _record(156, struct.pack("<II", 0, 1) + _wide("r1") + _wide("first"))
    book += _record(144) + _record(132)
    types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    link = f'<Relationship Id="r1" Type="{types}/worksheet" Target="worksheets/sheet1.bin"/>'
    space = "http://schemas.openxmlformats.org/package/2006"
    return _archive(
        {
            "[Content_Types].xml": f'<Types xmlns="{space}/content-types"/>',
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{space}/relationships">{link}</Relationships>',
            "xl/workbook.bin": book,
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def xls(cells: Mapping[tuple[int, int], str | float], records: bytes = b"") -> bytes:
    """A workbook of Excel 97 with one sheet; ``records`` stand before the cells. [MS-XLS] 2.1.7.20, [MS-CFB] 3."""

    def record(kind: int, data: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 1996, 0, 6))

    sheet = begin(0x0010) + records
    for (row, column), value in cells.items():
        place = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            sheet += record(0x0204, place + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
        else:
            sheet += record(0x0203, place + struct.pack("<d", value))
    sheet += record(0x000A)
    page = begin(0x0005) + record(0x0042, struct.pack("<H", 1200))
    named = struct.pack("<BBBB", 0, 0, 5, 0) + b"first"
    at = len(page) + 4 + 4 + len(named) + 4
    book = (page + record(0x0085, struct.pack("<I", at) + named) + record(0x000A) + sheet).ljust(4096, b"\0")
    book += bytes(-len(book) % 512)
    return _compound(book)


def _compound(book: bytes) -> bytes:
    """A compound file: its table of sectors in sector 0, the directory in 1, the stream Workbook from 2 on."""
    none, end, count = 0xFFFFFFFF, 0xFFFFFFFE, len(book) // 512
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 62, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[none] * 108)
    table = [0xFFFFFFFD, end, *range(3, count + 2), end]
    directory = b""
    for name, kind, child, start, size in (("Root Entry", 5, 1, end, 0), ("Workbook", 2, none, 2, len(book))):
        text = name.encode("utf-16-le")
        directory += text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text) + 2, kind, 1, none, none, child)
        directory += bytes(36) + struct.pack("<IQ", start, size)
    return head + struct.pack("<128I", *table, *[none] * (128 - len(table))) + directory.ljust(512, b"\0") + book
