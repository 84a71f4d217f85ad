"""Small workbooks in the formats beside .xlsx that the parser of workbooks reads: OpenDocument and binary Excel."""

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
