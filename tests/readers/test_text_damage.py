"""Random damage for the readers of text and workbooks, and what it has found.

1,000 mutations of each kind (twenty times as many at night), fewer of JSON, which takes milliseconds a file. Everything
must end, soon and in bounded memory, with rows or one ReaderError.
"""

from __future__ import annotations

import mmap
import re
import struct
import weakref
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.readers.damage_support import survive
from tests.readers.damage_text import TEXT_KINDS, shared_engine
from tests.readers.ntfs_support import table
from tests.readers.sheets import ods, ods_cell, ods_row, xls, xlsb
from tests.support import sample
from udfs.readers import jsonlines
from udfs.readers.base import ListLoss, ReaderError, null_context
from udfs.readers.csvrows import CsvReader
from udfs.readers.jsonlines import JsonLinesReader
from udfs.readers.lines import codec_name
from udfs.readers.sources import open_source
from udfs.readers.textlines import TextReader
from udfs.readers.xlsx import XlsxReader
from udfs.readers.xmlrows import XmlReader

_ROUNDS = {
    **dict.fromkeys(("textfile", "csvfile", "xmlfile", "xlsxfile"), sample(20_000, 500)),
    "jsonfile": sample(10_000, 150),
    "jsonsurvey": sample(4_000, 50),
}


@pytest.mark.posix("the memory of a process is measured")
@pytest.mark.parametrize("name", sorted(_ROUNDS))
def test_random_damage(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "xlsxfile":
        pytest.importorskip("python_calamine", reason="optional package python-calamine is not installed")
    monkeypatch.setattr(jsonlines, "json_engine", shared_engine)
    found = survive(TEXT_KINDS[name], _ROUNDS[name], tmp_path)
    assert found.read + found.refused.total() == _ROUNDS[name]
    # Most damage to XML hits a tag that has to be there.
    assert found.with_rows >= (0.1 if name in ("xmlfile", "xlsxfile") else 0.4) * _ROUNDS[name]
    assert (found.refused.total() > 0) == (name in ("xmlfile", "xlsxfile"))
    assert found.damaged > 0 or name == "jsonsurvey"


def test_every_kind_is_damaged() -> None:
    assert set(TEXT_KINDS) == set(_ROUNDS)


# --- charsets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"\x80", b"\xbf\xbf", b"\xef\xbb\xbf\x80"])
def test_a_file_of_a_byte_or_two_that_begin_no_character(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    loss = ListLoss()
    found = table(TextReader([str(tmp_path / "x")]), ["line"], loss).column("line").to_pylist()
    assert set("".join(found)) == {"�"}
    assert loss.total("invalid-utf-8") == 1
    assert set(CsvReader([str(tmp_path / "x")]).schema.names[0]) == {"�"}


@pytest.mark.parametrize("codec", ["utf-32-le", "utf-32-be", "utf-32"])
def test_utf_32_with_and_without_mark(codec: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes("one\n둘째".encode(codec))
    assert table(TextReader([str(tmp_path / "x")], "utf-32"), ["line"]).column("line").to_pylist() == ["one", "둘째"]


def test_an_escape_sequence_that_never_ends(tmp_path: Path) -> None:
    """ISO 2022 (ECMA-35, 13.2): ESC, any number of bytes 20 to 2F, one final byte. Python's decoder keeps eight."""
    (tmp_path / "x").write_bytes(b"one\n\x1b" + b"$" * 40 + b"\ntwo\n")
    loss = ListLoss()
    lines = table(TextReader([str(tmp_path / "x")], "iso-2022-jp"), ["line"], loss).column("line").to_pylist()
    assert (lines[0], lines[-1]) == ("one", "two")
    assert [entry.reason for entry in loss.entries] == ["invalid-iso2022_jp"]


@pytest.mark.parametrize("charset", ["idna", "punycode", "unicode_escape", "raw_unicode_escape"])
def test_python_codecs_that_are_no_charset(charset: str) -> None:
    with pytest.raises(ReaderError) as caught:
        codec_name(charset)
    assert caught.value.code == "unknown-charset"


# --- zstd -------------------------------------------------------------------------------------------------------------


def test_a_zstd_file_that_was_read_leaves_nothing_in_memory(tmp_path: Path) -> None:
    (tmp_path / "x.zst").write_bytes(pa.compress(b"one\n" * 1000, "zstd", asbytes=True))
    with open_source(str(tmp_path / "x.zst"), null_context()) as source:
        assert source.read() == b"one\n" * 1000
    gone = weakref.ref(source)
    del source
    # At once: a ring over Arrow's stream is one that no collection finds.
    assert gone() is None


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not tell how much memory is mapped")
def test_a_damaged_zstd_file_leaves_nothing_in_memory(tmp_path: Path) -> None:
    """Arrow lost a megabyte of addresses with every call that failed."""
    data = bytearray(pa.compress(bytes(range(256)) * 40, "zstd", asbytes=True))
    data[9:60] = b"\xff" * 51
    (tmp_path / "x.zst").write_bytes(data)

    def read() -> int:
        loss = ListLoss()
        with open_source(str(tmp_path / "x.zst"), null_context(loss)) as source:
            while source.read():
                pass
        assert [entry.reason for entry in loss.entries] == ["damaged-zstd"]
        return int(Path("/proc/self/statm").read_text().split()[0]) * mmap.PAGESIZE

    # The first calls reserve addresses for later ones.
    before = max(read() for _ in range(100))
    assert max(read() for _ in range(500)) - before < 200 << 20


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08\0\0\0", b"\x28\xb5\x2f\xfd \xff\xff\xff"])
@pytest.mark.parametrize("make", [TextReader, CsvReader, JsonLinesReader])
def test_a_packed_file_damaged_at_its_beginning_is_told(data: bytes, make: Any, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    loss = ListLoss()
    assert table(make([str(tmp_path / "x")]), None, loss).num_rows == 0
    assert [(entry.count, entry.position) for entry in loss.entries] == [(1, 0)]


# --- several files ----------------------------------------------------------------------------------------------------


def test_one_document_among_several_that_is_no_xml(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("a.xml", "b.xml", "c.xml", "d.xml")]
    texts = ("<r>1</r>", "no xml", '<!DOCTYPE r [<!ENTITY e "x">]><r>&e;</r>', "<r>4</r>")
    for path, text in zip(paths, texts, strict=True):
        Path(path).write_text(text)
    loss = ListLoss()
    assert table(XmlReader(paths), ["_file"], loss).column("_file").to_pylist() == ["a.xml", "d.xml"]
    assert [(entry.source, entry.reason) for entry in loss.entries] == [
        (paths[1], "not-xml"), (paths[2], "xml-entities"),
    ]  # fmt: skip
    with pytest.raises(ReaderError) as caught:
        table(XmlReader(paths[1:3]))
    assert caught.value.code == "not-xml"


# --- workbooks --------------------------------------------------------------------------------------------------------


@pytest.fixture
def _package() -> None:
    pytest.importorskip("python_calamine", reason="optional package python-calamine is not installed")


_EMPTY = '<table:table-cell table:number-columns-repeated="16384"/>'
_HEAD = ods_row(ods_cell("a") + ods_cell("b"))


@pytest.mark.usefixtures("_package")
@pytest.mark.parametrize(
    "data",
    [
        ods(_HEAD + ods_row(_EMPTY, 9_000_000) + ods_row(ods_cell("x"))),
        ods(_HEAD + ods_row(_EMPTY * 1000 + ods_cell("x"))),
        ods(_HEAD + ods_row(ods_cell("x"), 2_000_000_000)),
        ods(_HEAD + ods_row(ods_cell("x", 2_000_000_000))),
        ods(_HEAD + ods_row(ods_cell('<text:s text:c="4000000000"/>'))),
        ods(_HEAD + ods_row(ods_cell("x"), 2).replace('"2"', '"&#57;99999999"')),
        xlsb({(0, 0): "a", (1_048_575, 16_383): 1.0}),
        xlsb({(0, 0): "a", (1, 4_000_000_000): 1.0}),
        xlsb({(0, 0): "a", (1, 3_000_000): 1.0}),
    ],
)  # fmt: skip
def test_a_sheet_with_cells_far_away_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        XlsxReader(str(tmp_path / "x"))
    assert caught.value.code == "xlsx-too-sparse"


@pytest.mark.usefixtures("_package")
def test_a_sheet_of_another_name_is_looked_at(tmp_path: Path) -> None:
    data = xlsb({(0, 0): "a", (1_048_575, 16_383): 1.0})
    (tmp_path / "x").write_bytes(data.replace(b"worksheets/", b"otherthing/"))
    with pytest.raises(ReaderError) as caught:
        XlsxReader(str(tmp_path / "x"))
    assert caught.value.code == "xlsx-too-sparse"


@pytest.mark.usefixtures("_package")
def test_open_document_sheets_end_with_a_million_empty_rows(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(ods(_HEAD + ods_row(ods_cell("x", 2) + _EMPTY, 2) + ods_row(_EMPTY, 1_048_573)))
    assert table(XlsxReader(str(tmp_path / "x")), ["a", "b"]).to_pylist() == [{"a": "x", "b": "x"}] * 2


@pytest.mark.usefixtures("_package")
def test_a_binary_workbook(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(xlsb({(0, 0): "a", (0, 1): "b", (1, 0): 7.0, (90_000, 1): "이름"}))
    found = table(XlsxReader(str(tmp_path / "x")), ["a", "b"])
    assert found.num_rows == 90_000
    assert found.to_pylist()[::89_999] == [{"a": 7, "b": None}, {"a": None, "b": "이름"}]


@pytest.mark.usefixtures("_package")
def test_a_workbook_of_excel_97(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(xls({(0, 0): "a", (0, 1): "b", (1, 0): 7.0, (40_000, 1): "이름"}))
    found = table(XlsxReader(str(tmp_path / "x")), ["a", "b"])
    assert found.num_rows == 40_000
    assert found.to_pylist()[::39_999] == [{"a": 7, "b": None}, {"a": None, "b": "이름"}]


_SOUND = xls({(0, 0): "a", (1, 0): "x"})


@pytest.mark.usefixtures("_package")
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (xls({(0, 0): "a", (65_535, 255): 1.0}), "xlsx-too-sparse"),
        (xls({(0, 0): "a", (65_535, 65_535): 1.0}), "xlsx-too-sparse"),
        # DIMENSIONS, [MS-XLS] 2.4.90, and SST, 2.4.265: the parser sets memory aside for what they state.
        (xls({(0, 0): "a"}, struct.pack("<HHIIHHH", 0x0200, 14, 0, 0xFFFFFFF0, 0, 0xFFFF, 0)), "not-xlsx"),
        (xls({(0, 0): "a"}, struct.pack("<HHII", 0x00FC, 8, 1, 0x7FFFFFFF)), "not-xlsx"),
        # The stream's second sector leads to itself; the header states four thousand million sectors of tables.
        (_SOUND[: 512 + 12] + struct.pack("<I", 3) + _SOUND[512 + 16 :], "not-xlsx"),
        (_SOUND[:44] + struct.pack("<I", 0xFFFFFFF0) + _SOUND[48:], "not-xlsx"),
        # The list of tables goes on in a sector that says it goes on in itself.
        (_SOUND[:68] + bytes(4) + _SOUND[72:1020] + bytes(4) + _SOUND[1024:], "not-xlsx"),
    ],
)  # fmt: skip
def test_a_workbook_of_excel_97_that_states_too_much(data: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        XlsxReader(str(tmp_path / "x"))
    assert caught.value.code == code


@pytest.mark.usefixtures("_package")
@pytest.mark.parametrize("end", ["", "<!--</table:table>-->"])
def test_an_open_document_sheet_that_never_ends(end: str, tmp_path: Path) -> None:
    """The parser of workbooks waits for the end of the sheet for ever, where no signal reaches it."""
    with zipfile.ZipFile(tmp_path / "x", "w") as made, zipfile.ZipFile(_file(tmp_path, ods(_HEAD))) as sound:
        for name in sound.namelist():
            made.writestr(name, re.sub(b"</table:table>", end.encode(), sound.read(name)))
    with pytest.raises(ReaderError) as caught:
        XlsxReader(str(tmp_path / "x"))
    assert caught.value.code == "not-xlsx"


def _file(folder: Path, data: bytes) -> Path:
    (folder / "sound").write_bytes(data)
    return folder / "sound"
