"""Kinds of damage for the readers of text: ``csvfile``, ``jsonfile`` and its survey, ``textfile``, XML and workbooks.

One kind covers the options of its reader: which ones a damaged file is read with follows from its size.
"""

from __future__ import annotations

import gzip
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tests.readers.damage_support import Kind
from tests.readers.sheets import ods, ods_cell, ods_row, xls, xlsb
from tests.readers.test_zip_xml_xlsx import number, text, workbook
from udfs.readers.base import ReadContext, Reader, null_context, select
from udfs.readers.csvrows import CsvReader
from udfs.readers.jsonlines import JSON_TEXT, JsonLinesReader
from udfs.readers.jsonsurvey import survey
from udfs.readers.textlines import TextReader
from udfs.readers.xlsx import XlsxReader
from udfs.readers.xmlrows import XmlReader

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def _option(path: str, *options: Any) -> Any:
    return options[Path(path).stat().st_size % len(options)]


def _packed(data: bytes) -> list[bytes]:
    """The text itself, two members of gzip, one frame of zstd and two."""
    half = len(data) // 2
    members = gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)
    frames = [pa.compress(part, "zstd", asbytes=True) for part in (data, data[:half], data[half:])]
    return [data, members, frames[0], frames[1] + frames[2]]


# --- lines ------------------------------------------------------------------------------------------------------------


def _text_seeds() -> list[bytes]:
    plain = "first line\r\nBEGIN 이름\n\n  and more\nlast, without end".encode()
    korean = "보고서 하나\n둘째 줄\n".encode("cp949")
    frames = b"9 <13>one\n\n12 <13>two\nmore<13>line\n\0<13>nul\0" * 3
    return [*_packed(plain * 3), korean, plain.decode().encode("utf-16"), plain.decode().encode("utf-16-be"), frames]


def _text(path: str) -> Reader:
    def starts(lines: Any) -> Any:
        return pc.starts_with(lines, "BEGIN")

    charset, begins, framing = _option(
        path, ("utf-8", None, None), ("cp949", None, None), ("utf-16", None, None), ("iso-2022-kr", None, None),
        ("utf-8", starts, None), ("utf-7", None, None), ("utf-32", None, None), ("utf-8", None, "auto"),
        ("cp949", None, "octet"), ("utf-8", starts, "nul"),
    )  # fmt: skip
    return TextReader([path], charset, begins=begins, offset=_option(path, 0, 1, 0), framing=framing)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv_seeds() -> list[bytes]:
    even = 'id,name,"a note"\r\n1,하나,"x, ""y"""\r\n2,둘,"two\nlines"\r\n3,셋,\r\n'.encode()
    ragged = b"a,b,c\n1,2,3\n1,2\n\n1\n,,\n1,2,3\n"
    loose = b'\xef\xbb\xbfa,a,\n "1" , "C:\\"x\\"",3,4\n1,"open\n2,3\n'
    tabs = 'a\tb\n1\t"x\ty"\n가\t2\n'.encode("utf-16")
    return [*_packed(even), ragged, loose, tabs, "a,b\n보고,서\n".encode("cp949")]


def _csv(path: str) -> Reader:
    options: dict[str, Any] = _option(
        path, {}, {"strict": True}, {"tab": True, "charset": "utf-16"}, {"charset": "cp949"}, {"maxcol": 2},
        {"rest": True, "maxcol": 1}, {"limit": 2, "offset": 1},
    )  # fmt: skip
    return CsvReader([path], **options)


# --- JSON -------------------------------------------------------------------------------------------------------------


def _json_seeds() -> list[bytes]:
    lines = (
        b'{"t": "text", "n": 1, "d": 2.5e-3, "b": true, "j": {"x": [1, {"y": null}]}}\n'
        + '{"t": "이름", "n": -9223372036854775808, "d": 1e308, "b": false, "j": [], "T": 1}\r\n'.encode()
        + b'\n{"t": "\\ud83d\\ude00 \\ud83d", "n": 1e3, "d": null, "b": null, "j": "s"}\n[1]\n{"a~/b": 1, "": 2}\n'
    )
    return [*_packed(lines), b"\xef\xbb\xbf" + lines, lines.decode().encode("utf-16")]


_TYPES = {"t": pa.string(), "n": pa.int64(), "d": pa.float64(), "b": pa.bool_(), "j": JSON_TEXT}


def _json(path: str) -> Reader:
    return JsonLinesReader([path], overlay=_option(path, False, True), types=_option(path, _TYPES, {}, _TYPES))


@cache
def _engine() -> DuckDBPyConnection:
    import duckdb

    options: dict[str, str | bool | int | float | list[str]] = {"threads": 1}
    return duckdb.connect(":memory:", config=options)


@contextmanager
def shared_engine(memory: int | None = None) -> Iterator[DuckDBPyConnection]:
    """In place of ``jsonlines.json_engine``: opening a database takes ten times as long as reading a small file."""
    yield _engine().cursor()


class SurveyReader:
    """What a survey tells, one row a key. Fails where the survey counts other objects than the reader reads."""

    schema = pa.schema([("key", pa.string()), ("kind", pa.string()), ("present", pa.int64())])

    def __init__(self, path: str) -> None:
        self._path = path

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch."""
        keys = _option(self._path, None, None, ["t", "n", "absent"])
        found = survey([self._path], keys, connection=_engine(), context=context)
        read = sum(batch.num_rows for batch in JsonLinesReader([self._path]).scan(["_file"], null_context()))
        assert found.rows == read, (found, read)
        rows = [(key, one.kind, one.present) for key, one in found.keys.items()]
        made = [pa.array([row[n] for row in rows], field.type) for n, field in enumerate(self.schema)]
        if rows:
            yield pa.RecordBatch.from_arrays(made, schema=self.schema).select(select(self.schema, columns).names)


# --- XML --------------------------------------------------------------------------------------------------------------


def _xml_seeds() -> list[bytes]:
    body = '<r a="1"><x id="7">하나 &amp; &#xAC00;<y/><y>t</y></x><!-- c --><x><![CDATA[<raw>]]></x>'
    body += '<p:z xmlns:p="u"/></r>'
    nested = "<a>" * 20 + "deep" + "</a>" * 20
    entity = '<!DOCTYPE r [<!ENTITY e "x">]><r>&e;</r>'
    return [
        *_packed(f'<?xml version="1.0"?>\n<!DOCTYPE r>\n{body}'.encode()),
        f'<?xml version="1.0" encoding="utf-16"?>{body}'.encode("utf-16"),
        f'<?xml version="1.0" encoding="euc-kr"?>{body}'.encode("euc-kr"),
        nested.encode(),
        entity.encode(),
    ]


def _xml(path: str) -> Reader:
    return XmlReader([path], _option(path, None, "//x", "/r/x[1]/y", "//*", "/r/*[@id='7']"))


# --- workbooks --------------------------------------------------------------------------------------------------------

_BETWEEN_PARTS = b"\xfb\xfa\xf9"


def _parts(data: bytes) -> bytes:
    """The parts of an archive without their packing: damage must hit what is in them, not only their checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return _BETWEEN_PARTS.join(part for n in archive.namelist() for part in (n.encode(), archive.read(n)))


def _archive(data: bytes) -> bytes:
    """The archive whose parts these are; a file that was never taken apart stays."""
    if _BETWEEN_PARTS not in data:
        return data
    parts = data.split(_BETWEEN_PARTS)
    names = [zipfile.ZipInfo(name.decode("utf-8", "replace") or "x").filename for name in parts[::2]]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part in dict(zip(names, parts[1::2], strict=False)).items():
            archive.writestr(zipfile.ZipInfo(name), part)
    return packed.getvalue()


@cache
def _sheet_seeds() -> list[bytes]:
    grid = [
        [text("name"), text("n"), text("when"), text("mixed")],
        [text("이름"), number("7"), number("45000.5", 1), '<c t="b"><v>1</v></c>'],
        ["", number("2.5"), number("45001", 1), '<c t="e"><v>#DIV/0!</v></c>'],
    ]
    with tempfile.TemporaryDirectory() as folder:
        made = Path(workbook(Path(folder, "x"), {"first": grid, "둘째": [[text("h")]]})).read_bytes()
    document = ods(ods_row(ods_cell("a") + ods_cell("b", 2)) + ods_row(ods_cell("1"), 3))
    binary = xlsb({(0, 0): "a", (0, 1): "b", (1, 0): 1.0, (2, 1): "이름"})
    old = xls({(0, 0): "a", (0, 1): "b", (1, 0): 1.0, (2, 1): "이름"})
    return [made, old, *(_parts(data) for data in (made, made, document, binary))]


# A cell far away is refused, or is one of a sheet of ten million places.
_MOST_ROWS = 1 << 21

TEXT_KINDS: dict[str, Kind] = {
    # A block of zstd repeats a byte up to 128 KiB times, gzip packs 1,032 to one.
    "textfile": Kind(_text, _text_seeds, lambda size: 40_000 * size + 1),
    "csvfile": Kind(_csv, _csv_seeds, lambda size: 40_000 * size + 1),
    "jsonfile": Kind(_json, _json_seeds, lambda size: 20_000 * size + 1),
    "jsonsurvey": Kind(SurveyReader, _json_seeds, lambda size: 20_000 * size + 1),
    "xmlfile": Kind(_xml, _xml_seeds, lambda size: 10_000 * size + 1),
    "xlsxfile": Kind(XlsxReader, _sheet_seeds, lambda size: _MOST_ROWS, _archive),
}
"""By the name of the command that reads them."""
