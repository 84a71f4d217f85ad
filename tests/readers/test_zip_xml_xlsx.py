"""zipfile, zipfile-entries, xmlfile and xlsxfile on files made by other libraries or by hand."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import shared_data
from udfs.readers.base import ListLoss, Reader, ReaderError, null_context
from udfs.readers.xlsx import XlsxReader
from udfs.readers.xmlrows import XmlReader, parse_path
from udfs.readers.zipmembers import ZipEntriesReader, ZipLinesReader


def rows(reader: Reader, columns: list[str] | None = None, loss: ListLoss | None = None) -> list[dict[str, Any]]:
    return [row for batch in reader.scan(columns, null_context(loss)) for row in batch.to_pylist()]


class TestZip:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for day in (2, 10):
            with zipfile.ZipFile(tmp_path / f"day{day}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("logs/", "")
                archive.writestr("logs/a.txt", f"{day}a1\r\n{day}a2\n")
                archive.writestr("logs/b.txt", f"{day}b1")
                archive.writestr("c.bin", b"\0\1")
        return tmp_path

    def test_lines_of_all_matching_members(self, folder: Path) -> None:
        reader = ZipLinesReader(f"{folder}/*.zip", "*.txt")
        assert reader.schema.names == ["line", "_file", "_entry"]
        assert rows(reader) == [
            {"line": line, "_file": f"day{day}.zip", "_entry": f"logs/{entry}.txt"}
            for day in (2, 10)
            for line, entry in ((f"{day}a1", "a"), (f"{day}a2", "a"), (f"{day}b1", "b"))
        ]
        assert isinstance(reader, Reader)

    def test_limit_and_offset_run_over_members(self, folder: Path) -> None:
        reader = ZipLinesReader(f"{folder}/*.zip", "*.txt", offset=2, limit=2)
        assert [row["line"] for row in rows(reader, ["line"])] == ["2b1", "10a1"]

    def test_entries(self, folder: Path) -> None:
        found = rows(ZipEntriesReader(f"{folder}/day2.zip"))
        assert [(row["entry"], row["file_size"]) for row in found] == [
            ("logs/", 0), ("logs/a.txt", 9), ("logs/b.txt", 3), ("c.bin", 2),
        ]  # fmt: skip
        assert {type(row["modified_at"]) for row in found} == {datetime}
        assert {row["zip_path"] for row in found} == {f"{folder}/day2.zip"}

    def test_entries_in_another_charset(self, tmp_path: Path) -> None:
        path = tmp_path / "kr.zip"
        info = zipfile.ZipInfo("AB.txt")
        info.comment = "설명".encode("cp949")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(info, "x")
            archive.writestr("보고.txt", "x")
        path.write_bytes(path.read_bytes().replace(b"AB", "가".encode("cp949")))
        korean = rows(ZipEntriesReader(str(path), "cp949"), ["entry", "comment"], loss := ListLoss())
        assert korean == [{"entry": "가.txt", "comment": "설명"}, {"entry": "보고.txt", "comment": ""}]
        assert loss.entries == []
        found = rows(ZipEntriesReader(str(path)), ["entry"], loss)
        assert [row["entry"] for row in found] == ["░í.txt", "보고.txt"]
        assert [(entry.reason, entry.count) for entry in loss.entries] == [("entry-name-charset", 1)]

    def test_one_file_that_is_no_archive_among_several(self, folder: Path) -> None:
        (folder / "day3.zip").write_bytes(b"no archive")
        found = rows(ZipEntriesReader(f"{folder}/day*.zip"), ["entry"], loss := ListLoss())
        assert len(found) == 8
        assert [(Path(e.source).name, e.reason) for e in loss.entries] == [("day3.zip", "not-a-zip")]
        with pytest.raises(ReaderError) as caught:
            rows(ZipEntriesReader(f"{folder}/day3.zip"))
        assert caught.value.code == "not-a-zip"

    def test_entry_without_a_date(self, tmp_path: Path) -> None:
        info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(info, "x")
        data = (tmp_path / "a.zip").read_bytes().replace(b"\x21\x00", b"\x00\x00")
        (tmp_path / "a.zip").write_bytes(data)
        assert rows(ZipEntriesReader(str(tmp_path / "a.zip")), ["entry", "modified_at"]) == [
            {"entry": "x", "modified_at": None}
        ]

    def test_damaged_member_gives_its_head_and_an_entry_in_the_ledger(self, tmp_path: Path) -> None:
        text = "".join(f"line {number}\n" for number in range(100_000))
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.txt", text)
        data = bytearray((tmp_path / "a.zip").read_bytes())
        data[len(data) // 2 : len(data) // 2 + 64] = b"\xff" * 64
        (tmp_path / "a.zip").write_bytes(data)
        loss = ListLoss()
        found = rows(ZipLinesReader(str(tmp_path / "a.zip"), "a.txt"), ["line"], loss)
        assert loss.total("damaged-zip-entry") == 1
        assert 0 < len(found) < 100_000


def xml(tmp_path: Path, text: str | bytes, loss: ListLoss | None = None, **options: Any) -> list[Any]:
    (tmp_path / "a.xml").write_bytes(text.encode() if isinstance(text, str) else text)
    reader = XmlReader([str(tmp_path / "a.xml")], **options)
    return [json.loads(row["_row"]) for row in rows(reader, ["_row"], loss)]


TREE = """<?xml version="1.0"?>
<r a="1"><b><c k="x">one</c><c>two</c><n/></b><b id="7"><c>three</c>tail <d><c>deep</c></d></b>
<e> padded </e></r>"""


class TestXml:
    def test_root_is_the_row_without_a_path(self, tmp_path: Path) -> None:
        assert xml(tmp_path, TREE) == [
            {
                "a": "1",
                "b": [
                    {"c": [{"k": "x", "_text": "one"}, "two"], "n": None},
                    {"id": "7", "c": "three", "d": {"c": "deep"}, "_text": "tail"},
                ],
                "e": "padded",
            }
        ]

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("/r/b[2]/c", [{"_text": "three"}]),
            ("/r/b/c[2]", [{"_text": "two"}]),
            ("//c", [{"k": "x", "_text": "one"}, {"_text": "two"}, {"_text": "three"}, {"_text": "deep"}]),
            ("/r//d/c", [{"_text": "deep"}]),
            ("//c[@k]", [{"k": "x", "_text": "one"}]),
            ("/r/b[@id='7']/d", [{"c": "deep"}]),
            ("/r/*[3]", [{"_text": "padded"}]),
            ("/r/b[1]/n", [{}]),
            ("/absent", []),
        ],
    )
    def test_paths(self, tmp_path: Path, path: str, expected: list[Any]) -> None:
        assert xml(tmp_path, TREE, xpath=path) == expected

    def test_nodes_inside_nodes_come_in_document_order(self, tmp_path: Path) -> None:
        found = xml(tmp_path, "<r><x n='1'><x n='2'/></x><x n='3'/></r>", xpath="//x")
        assert [node["n"] for node in found] == ["1", "2", "3"]

    @pytest.mark.evidence
    def test_the_manuals_example(self) -> None:
        path = str(shared_data("logs", "books.xml"))
        (row,) = rows(XmlReader([path], "/bookstore/book[1]/title"))
        assert (json.loads(row["_row"]), row["_file"]) == ({"lang": "en", "_text": "Everyday Italian"}, "books.xml")
        books = [json.loads(row["_row"]) for row in rows(XmlReader([path], "/bookstore/book"))]
        assert [book["category"] for book in books] == ["cooking", "children", "web", "web"]
        assert len(books[2]["author"]) == 5
        assert books[0]["price"] == "30.00"

    @pytest.mark.parametrize(("charset", "declared"), [("euc-kr", "UTF-8"), (None, "euc-kr"), ("utf-8", "euc-kr")])
    def test_charset_option_wins_over_the_declaration(self, tmp_path: Path, charset: str | None, declared: str) -> None:
        text = f'<?xml version="1.0" encoding="{declared}"?><r><v>보고서</v></r>'
        assert xml(tmp_path, text.encode(charset or declared), charset=charset) == [{"v": "보고서"}]

    def test_utf16_with_mark(self, tmp_path: Path) -> None:
        text = '<?xml version="1.0" encoding="UTF-16"?><r><v>é</v></r>'
        assert xml(tmp_path, text.encode("utf-16")) == [{"v": "é"}]

    @pytest.mark.parametrize("charset", [None, "utf-8", "utf-16"])
    def test_a_byte_order_mark_is_no_text(self, tmp_path: Path, charset: str | None) -> None:
        for codec in ("utf-8", "utf-16-le", "utf-16-be"):
            for declared in ("", '<?xml version="1.0"?>'):
                data = f"\ufeff{declared}<r><v>한</v></r>".encode(codec)
                assert xml(tmp_path, data, charset=charset) == [{"v": "한"}], (codec, declared)

    @pytest.mark.parametrize(
        "entity",
        ['<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">', '<!ENTITY b SYSTEM "file:///etc/passwd">', '<!ENTITY % p "x">'],
    )
    def test_entity_declarations_are_refused(self, tmp_path: Path, entity: str) -> None:
        with pytest.raises(ReaderError) as caught:
            xml(tmp_path, f"<!DOCTYPE r [{entity}]><r>&b;</r>")
        assert caught.value.code == "xml-entities"

    def test_document_type_without_entities_is_fine(self, tmp_path: Path) -> None:
        assert xml(tmp_path, "<!DOCTYPE r [<!ELEMENT r ANY>]><r><a>&lt;&#65;</a></r>") == [{"a": "<A"}]

    def test_document_that_breaks_off_gives_what_was_complete(self, tmp_path: Path) -> None:
        loss = ListLoss()
        assert xml(tmp_path, "<r>\n<x>1</x>\n<x>2</x>\n<x>3", loss, xpath="/r/x") == [{"_text": "1"}, {"_text": "2"}]
        assert [(entry.reason, entry.position) for entry in loss.entries] == [("broken-xml", 4)]

    @pytest.mark.parametrize("text", ["", "plain text", "{}"])
    def test_no_xml_is_refused(self, tmp_path: Path, text: str) -> None:
        with pytest.raises(ReaderError) as caught:
            xml(tmp_path, text)
        assert caught.value.code == "not-xml"

    def test_very_deep_nesting_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ReaderError) as caught:
            xml(tmp_path, "<a>" * 5_000)
        assert caught.value.code == "xml-too-deep"

    @pytest.mark.parametrize("path", ["", "a/b", "/a[", "/a[last()]", "/a/text()", "//a | //b", "/a[1][2]"])
    def test_unsupported_path_is_refused_at_once(self, path: str) -> None:
        with pytest.raises(ReaderError) as caught:
            XmlReader(["never-opened.xml"], path)
        assert caught.value.code == "xpath-unsupported"

    def test_many_rows_stream(self, tmp_path: Path) -> None:
        text = "<r>" + "".join(f"<x><n>{number}</n></x>" for number in range(30_000)) + "</r>"
        assert [int(node["n"]) for node in xml(tmp_path, text, xpath="/r/x", offset=1, limit=29_000)] == list(
            range(1, 29_001)
        )
        assert len(parse_path("/r/x")) == 2


def workbook(path: Path, sheets: dict[str, list[list[str]]]) -> str:
    """A minimal workbook; cells are given as XML of a ``c`` element without its reference."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as archive:
        parts = "".join(
            f'<Override PartName="/xl/worksheets/s{n}.xml" ContentType="{kind}.worksheet+xml"/>'
            for n in range(len(sheets))
        )
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{parts}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{rel}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
        )
        names = "".join(f'<sheet name="{s}" sheetId="{n + 1}" r:id="r{n}"/>' for n, s in enumerate(sheets))
        archive.writestr("xl/workbook.xml", f'<workbook {main} xmlns:r="{rel}"><sheets>{names}</sheets></workbook>')
        links = "".join(
            f'<Relationship Id="r{n}" Type="{rel}/worksheet" Target="worksheets/s{n}.xml"/>' for n in range(len(sheets))
        )
        style = f'<Relationship Id="rs" Type="{rel}/styles" Target="styles.xml"/>'
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{links}{style}</Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet {main}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>',
        )
        for number, grid in enumerate(sheets.values()):
            lines = ""
            for row, cells in enumerate(grid, 1):
                made = "".join(
                    cell.replace("<c", f'<c r="{chr(65 + column)}{row}"', 1)
                    for column, cell in enumerate(cells)
                    if cell
                )
                lines += f'<row r="{row}">{made}</row>'
            archive.writestr(
                f"xl/worksheets/s{number}.xml", f"<worksheet {main}><sheetData>{lines}</sheetData></worksheet>"
            )
    return str(path)


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def number(value: str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{value}</v></c>'


TRUE = '<c t="b"><v>1</v></c>'


class TestXlsx:
    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        pytest.importorskip("python_calamine", reason="optional package python-calamine is not installed")
        head = [text(name) for name in ("name", "count", "share", "ok", "when", "mixed", "name")]
        grid = [
            head,
            [text("가"), number("3"), number("0.5"), TRUE, number("45292.5", 1), number("1"), text("again")],
            [text("b"), number("4"), number("2"), "", "", text("x"), ""],
            ["", number("-1"), "", TRUE, number("45293", 1), TRUE, ""],
        ]
        return workbook(tmp_path / "a.xlsx", {"first": grid, "둘째": [[], [text("above")], [text("h")], [text("v")]]})

    def test_columns_keep_the_kind_their_cells_share(self, path: str) -> None:
        reader = XlsxReader(path)
        assert {f.name: str(f.type) for f in reader.schema} == {
            "name": "string", "count": "int64", "share": "double", "ok": "bool", "when": "timestamp[us]",
            "mixed": "string", "name_1": "string", "_file": "string",
        }  # fmt: skip
        assert reader.schema.field("mixed").metadata == {b"logsql.type": b"any"}
        loss = ListLoss()
        found = rows(reader, None, loss)
        assert [tuple(row.values()) for row in found] == [
            ("가", 3, 0.5, True, datetime(2024, 1, 1, 12), "1", "again", "a.xlsx"),
            ("b", 4, 2.0, None, None, '"x"', None, "a.xlsx"),
            (None, -1, None, True, datetime(2024, 1, 2), "true", None, "a.xlsx"),
        ]
        assert [entry.reason for entry in loss.entries] == ["duplicate-header"]

    def test_sheet_skip_offset_limit(self, path: str) -> None:
        assert rows(XlsxReader(path, sheet="둘째", skip=2), ["h"]) == [{"h": "v"}]
        assert rows(XlsxReader(path, offset=1, limit=1), ["count"]) == [{"count": 4}]

    def test_absent_sheet_and_no_workbook_are_refused(self, path: str, tmp_path: Path) -> None:
        with pytest.raises(ReaderError, match="it has first, 둘째") as caught:
            XlsxReader(path, sheet="third")
        assert caught.value.code == "no-such-sheet"
        (tmp_path / "b.xlsx").write_bytes(b"not a workbook")
        with pytest.raises(ReaderError) as caught:
            XlsxReader(str(tmp_path / "b.xlsx"))
        assert caught.value.code == "not-xlsx"
