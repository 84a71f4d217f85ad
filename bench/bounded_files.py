"""Hostile files: the rows of docs/limits.md that ``python -m bench.bounds`` measures."""

from __future__ import annotations

import gzip
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.bounded import MB, MEMORY, TIME, Bounded, of_file, written
from sample_data import make_hive

# --- archives ---------------------------------------------------------------------------------------------------------


def _zipped(
    command: str, entry: str, megabytes: int, head: bytes = b"", fill: bytes = b"\0", then: str = ""
) -> Callable[[Path], str]:
    """``command`` with an archive (``ARCHIVE`` in it) of one entry that unpacks to so much."""

    def make(folder: Path) -> str:
        with (
            zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open(entry, "w", force_zip64=True) as file,
        ):
            file.write(head)
            for _ in range(megabytes):
                file.write((fill * MB)[:MB])
        return command.replace("ARCHIVE", "bomb.zip") + then

    return make


def _entries(count: int) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        with zipfile.ZipFile(folder / "many.zip", "w") as archive:
            for number in range(count):
                archive.writestr(f"folder/entry-{number}.txt", "x\n")
        return "zipfile many.zip * | stats count"

    return make


def _book(sheet: Iterator[bytes], strings: Iterator[bytes]) -> Callable[[Path], str]:
    """A workbook whose sheet and shared strings are of these pieces."""

    def make(folder: Path) -> str:
        spreadsheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        related = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        package = "http://schemas.openxmlformats.org/package/2006"
        parts: dict[str, Iterator[bytes]] = {
            "[Content_Types].xml": iter(
                [
                    f'<Types xmlns="{package}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
                    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
                    "</Types>".encode()
                ]
            ),
            "_rels/.rels": iter(
                [
                    f'{related}<Relationship Id="r1" Type="{relations}/officeDocument" '
                    'Target="xl/workbook.xml"/></Relationships>'.encode()
                ]
            ),
            "xl/workbook.xml": iter(
                [
                    f'<workbook xmlns="{spreadsheet}" xmlns:r="{relations}"><sheets>'
                    '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'.encode()
                ]
            ),
            "xl/_rels/workbook.xml.rels": iter(
                [
                    f'{related}<Relationship Id="r1" Type="{relations}/worksheet" '
                    f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{relations}/sharedStrings" '
                    'Target="sharedStrings.xml"/></Relationships>'.encode()
                ]
            ),
            "xl/worksheets/sheet1.xml": sheet,
            "xl/sharedStrings.xml": strings,
        }
        with zipfile.ZipFile(folder / "book.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, pieces in parts.items():
                with archive.open(name, "w", force_zip64=True) as file:
                    for piece in pieces:
                        file.write(piece)
        return "xlsxfile book.xlsx | stats count"

    return make


_MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def _sheet(rows: int) -> Iterator[bytes]:
    yield b"<worksheet " + _MAIN + b"><sheetData>"
    yield b'<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row>'
    for first in range(2, rows, 10_000):
        yield b"".join(b'<row r="%d"><c r="A%d"><v>7</v></c></row>' % (n, n) for n in range(first, first + 10_000))
    yield b"</sheetData></worksheet>"


def _strings(count: int, size: int) -> Iterator[bytes]:
    yield b"<sst " + _MAIN + b">"
    for _ in range(count):
        yield b"<si><t>" + b"x" * size + b"</t></si>"
    yield b"</sst>"


# --- evidence ---------------------------------------------------------------------------------------------------------


def _hive(folder: Path) -> str:
    """A value of 200 MB, in the pieces of big data."""
    root = make_hive.Key("root", 132_332_296_000_000_000, values=[make_hive.Value("big", 3, b"x" * (200 * MB))])
    (folder / "big.hive").write_bytes(make_hive.build(root))
    return "hive-file big.hive | eval n = len(string(value)) | stats count"


def _lying_hive(folder: Path) -> str:
    """A value that says it has 1 GB, in a hive of some kilobytes."""
    data = make_hive.build(
        make_hive.Key("root", 132_332_296_000_000_000, values=[make_hive.Value("big", 3, b"x" * 5000)])
    )
    (folder / "lies.hive").write_bytes(data.replace(struct.pack("<I", 5000), struct.pack("<I", 1_000_000_000)))
    return "hive-file lies.hive | stats count"


def _database(*statements: str, then: str) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        database = sqlite3.connect(folder / "case.db")
        for statement in statements:
            database.execute(statement)
        database.commit()
        database.close()
        return then

    return make


def _records(magic: bytes, stated: int, size: int) -> bytes:
    """Blocks whose length says more than there is."""
    return (magic + struct.pack("<I", stated)).ljust(size, b"\xff")


def _evtx(folder: Path) -> str:
    """Chunks whose records say that they have 4 GB."""
    head = b"ElfFile\0" + struct.pack("<QQQIHHHH", 0, 3000, 1, 128, 1, 3, 4096, 3000)
    chunk = b"ElfChnk\0" + struct.pack("<QQQQIII", 1, 9, 1, 9, 128, 60_000, 65_536)
    record = b"**\0\0" + struct.pack("<IQQ", 0xFFFF_FFF0, 1, 0)
    return (
        "evtx-file "
        + written(
            folder / "lies.evtx", head.ljust(4096, b"\0"), (chunk.ljust(512, b"\0") + (record * 2800)[:65_024], 3000)
        )
        + " | stats count"
    )


def _of_book(parts: Callable[[], tuple[Iterator[bytes], Iterator[bytes]]]) -> Callable[[Path], str]:
    return lambda folder: _book(*parts())(folder)


def _names_of_xml(folder: Path) -> str:
    with (folder / "names.xml").open("w") as file:
        file.write("<a>")
        file.writelines(f"<b{n}/>" for n in range(2 * MB))
        file.write("</a>")
    return "xmlfile names.xml | fields b7"


def _gzip(folder: Path) -> str:
    with gzip.open(folder / "bomb.gz", "wb", 1) as file:
        for _ in range(1500):
            file.write(b"x" * MB)
    return "textfile bomb.gz | stats count"


def _keys(count: int) -> Callable[[Path], str]:
    def make(folder: Path) -> str:
        (folder / "keys.jsonl").write_text("{" + ",".join(f'"k{n}":1' for n in range(count)) + "}\n")
        return "jsonfile keys.jsonl"

    return make


def _many_keys(folder: Path) -> str:
    with (folder / "keys.jsonl").open("w") as file:
        for row in range(20_000):
            file.write("{" + ",".join(f'"k{row * 10 + n}":1' for n in range(10)) + "}\n")
    return "jsonfile keys.jsonl"


#: Rows of the tables below: the text of the input, its limit, how it is made.
FILES: tuple[Bounded, ...] = (
    Bounded(
        "line",
        "a text file of one line of 300 MB",
        "64 MB a line",
        of_file("textfile", (b"x", 300 * MB), then=" | stats count"),
    ),
    Bounded(
        "line-used",
        "the same, `eval n = len(line)`",
        "64 MB a line",
        of_file("textfile", (b"x", 300 * MB), then=" | eval n = len(line) | fields n"),
    ),
    Bounded("gzip-line", "1.5 GB of text without a line's end in a gzip file of 1.5 MB", "64 MB a line", _gzip),
    Bounded(
        "record",
        "300 MB of lines that `textfile brex=` makes one record",
        MEMORY,
        of_file('textfile brex="^never"', (b"some line of text\n", 17 * MB), then=" | stats count"),
    ),
    Bounded(
        "json-text",
        "a JSON document with a text of 400 MB",
        MEMORY,
        of_file("jsonfile", b'{"a":"', (b"x", 400 * MB), b'"}', then=" | eval n = len(a) | fields n"),
    ),
    Bounded(
        "json-200",
        "a JSON document with a text of 200 MB",
        MEMORY,
        of_file("jsonfile", b'{"a":"', (b"x", 200 * MB), b'"}', then=" | eval n = len(a) | fields n"),
    ),
    Bounded(
        "json-line",
        "JSON lines, one with a text of 300 MB",
        MEMORY,
        of_file(
            "jsonfile",
            b'{"a":"b"}\n{"a":"',
            (b"x", 300 * MB),
            b'"}\n{"a":"c"}\n',
            then=" | eval n = len(a) | fields n",
        ),
    ),
    Bounded(
        "json-array",
        "JSON lines, one with a list of 100,000,000 numbers",
        MEMORY,
        of_file("jsonfile", b'{"a":"b"}\n{"a":[', (b"1,", 100 * MB), b"1]}\n", then=" | eval n = len(a) | fields n"),
    ),
    Bounded(
        "json-objects",
        "a JSON document with a list of 30,000,000 objects",
        MEMORY,
        of_file("jsonfile", b'{"a":[', (b'{"b":1},', 30 * MB), b"1]}", then=" | fields a"),
    ),
    Bounded(
        "json-pretty",
        "a document over many lines with a text of 200 MB",
        MEMORY,
        of_file("jsonfile", b'{\n"a":"', (b"x", 200 * MB), b'"\n}', then=" | eval n = len(a) | fields n"),
    ),
    Bounded(
        "json-deep",
        "JSON nested 200,000 times",
        "the parser's",
        of_file("jsonfile", b'{"a":', (b"[", 200_000), (b"]", 200_000), b"}"),
    ),
    Bounded("json-open", "300 MB of `[`", "the parser's", of_file("jsonfile", (b"[", 300 * MB), then=" | stats count")),
    Bounded("json-keys", "a JSON document of 200,000 keys, all shown", "10,000 fields", _keys(200_000)),
    Bounded("json-rows", "20,000 rows with 200,000 keys, `--timeout 5`", "10,000 fields, the time", _many_keys, time=5),
    Bounded(
        "csv-cell",
        "a CSV cell of 400 MB in quotes",
        MEMORY,
        of_file("csvfile", b'a,b\n1,"', (b"x", 400 * MB), b'"\n', then=" | eval n = len(b) | fields n"),
    ),
    Bounded(
        "csv-bare",
        "a CSV cell of 300 MB without quotes",
        MEMORY,
        of_file("csvfile", b"a,b\n1,", (b"x", 300 * MB), b"\n", then=" | eval n = len(b) | fields n"),
    ),
    Bounded(
        "csv-header",
        "a CSV header of 100,000,000 columns",
        "10,000 columns",
        of_file("csvfile", (b"a,", 100 * MB), b"\n1,2\n", then=" | stats count"),
    ),
    Bounded(
        "csv-wide",
        "a CSV row of 100,000,000 cells",
        "10,000 columns",
        of_file("csvfile", b"a,b\n", (b"1,", 100 * MB), b"\n", then=" | stats count"),
    ),
    Bounded(
        "csv-open",
        "a CSV file of 200 MB without its closing quote, `--timeout 5`",
        TIME,
        of_file("csvfile", b'a,b\n1,"', (b"x,y\n", 50 * MB), then=" | stats count"),
        time=5,
    ),
    Bounded(
        "xml-text",
        "300 MB of text in one XML element",
        "64 MB a node",
        of_file(
            "xmlfile", b"<a>", (b"some text of a log ", 16 * MB), b"</a>", then=" | eval n = len(_text) | fields n"
        ),
    ),
    Bounded(
        "xml-inner",
        "300 MB of text in an element below the node",
        "64 MB a node",
        of_file(
            "xmlfile",
            b"<r><a><b>",
            (b"some text of a log ", 16 * MB),
            b"</b></a></r>",
            then=" | eval n = len(string(a)) | fields n",
        ),
    ),
    Bounded(
        "xml-attribute",
        "an XML attribute of 300 MB",
        "64 MB a tag",
        of_file("xmlfile", b'<a b="', (b"x", 300 * MB), b'"/>', then=" | eval n = len(b) | fields n"),
    ),
    Bounded(
        "xml-elements",
        "10,000,000 elements in one XML node",
        MEMORY,
        of_file("xmlfile", b"<a>", (b'<b c="1"/>', 10 * MB), b"</a>", then=" | eval n = len(b) | fields n"),
    ),
    Bounded("xml-names", "2,000,000 different elements in one XML node", MEMORY, lambda folder: _names_of_xml(folder)),
    Bounded(
        "xml-nodes",
        "2,000,000 small XML nodes",
        TIME,
        of_file('xmlfile xpath="/a/b"', b"<a>", (b'<b c="1"/>', 2 * MB), b"</a>", then=" | stats count"),
        time=60,
    ),
    Bounded(
        "xml-comment",
        "an XML comment of 300 MB",
        "64 MB a tag",
        of_file("xmlfile", b"<a><!--", (b"x", 300 * MB), b"--></a>"),
    ),
    Bounded("xml-open", "300 MB of `<`", "the parser's", of_file("xmlfile", b"<a><b ", (b"x", 300 * MB))),
    Bounded(
        "xml-deep",
        "XML nested 200,000 times",
        "500 elements",
        of_file("xmlfile", (b"<a>", 200_000), (b"</a>", 200_000)),
    ),
    Bounded(
        "zip-line",
        "1.5 GB without a line's end in a ZIP archive of 1.5 MB",
        "64 MB a line",
        _zipped("zipfile ARCHIVE a.txt", "a.txt", 1500, then=" | stats count"),
    ),
    Bounded(
        "zip-csv",
        "1.5 GB of one CSV cell in a ZIP archive",
        MEMORY,
        _zipped("csvfile zippath=ARCHIVE a.csv", "a.csv", 1500, b"a,b\n1,", then=" | stats count"),
    ),
    Bounded(
        "zip-xml",
        "1.5 GB of XML text in a ZIP archive",
        "64 MB a node",
        _zipped("xmlfile zippath=ARCHIVE a.xml", "a.xml", 1500, b"<a>", b"x", then=" | stats count"),
    ),
    Bounded(
        "zip-evtx",
        "1.5 GB of zeros as an event log in a ZIP archive",
        "the disk",
        _zipped("evtx-file zippath=ARCHIVE a.evtx", "a.evtx", 1500, then=" | stats count"),
    ),
    Bounded(
        "zip-hive",
        "1.5 GB of zeros as a registry hive in a ZIP archive",
        "the disk",
        _zipped("hive-file zippath=ARCHIVE SYSTEM", "SYSTEM", 1500, b"regf", then=" | stats count"),
    ),
    Bounded(
        "zip-mft",
        "1.5 GB of zeros as an $MFT in a ZIP archive",
        "the disk",
        _zipped("ntfs-mft zippath=ARCHIVE MFT", "MFT", 1500, b"FILE", then=" | stats count"),
    ),
    Bounded(
        "zip-sqlite",
        "1.5 GB of zeros as a database in a ZIP archive",
        "the disk",
        _zipped("sqlite-tables zippath=ARCHIVE a.db", "a.db", 1500, b"SQLite format 3\0", then=" | stats count"),
    ),
    Bounded("zip-entries", "a ZIP archive of 100,000 entries", TIME, _entries(100_000), time=30),
    Bounded(
        "xlsx-sheet",
        "a workbook of 1,000,000 rows (42 MB of XML)",
        MEMORY,
        _of_book(lambda: (_sheet(1_000_000), _strings(1, 1))),
    ),
    Bounded(
        "xlsx-text",
        "a workbook of 800 MB of shared text",
        MEMORY,
        _of_book(lambda: (_sheet(10_001), _strings(800, MB))),
    ),
    Bounded("hive-value", "a registry value of 200 MB", "the hive's size", _hive),
    Bounded("hive-lies", "a registry value that says it has 1 GB", "the hive's size", _lying_hive),
    Bounded("evtx-lies", "200 MB of event log whose records say they have 4 GB", "the chunk's size", _evtx),
    Bounded(
        "mft-lies",
        "300 MB of $MFT records whose sizes are all ones",
        "the record's size",
        of_file("ntfs-mft", (_records(b"FILE", 0xFFFF_FFFF, 1024), 300_000), then=" | stats count"),
    ),
    Bounded(
        "usn-lies",
        "300 MB of change journal whose records say they have 4 GB",
        "64 KB a record",
        of_file(
            "ntfs-usnjrnl", (struct.pack("<IHH", 0xFFFF_FFF0, 2, 0).ljust(64, b"\xff"), 5 * MB), then=" | stats count"
        ),
    ),
    Bounded(
        "usn-zeros",
        "300 MB of zeros as a change journal",
        TIME,
        of_file("ntfs-usnjrnl", (b"\0", 300 * MB), then=" | stats count"),
        time=20,
    ),
    Bounded(
        "logfile-lies",
        "200 MB of $LogFile pages of ones",
        "the page's size",
        of_file(
            "ntfs-logfile",
            (b"RSTR".ljust(4096, b"\xff"), 2),
            (b"RCRD".ljust(4096, b"\xff"), 50_000),
            then=" | stats count",
        ),
    ),
    Bounded(
        "sqlite-blob",
        "a blob of 240 MB in an SQLite database",
        "256 MB a value",
        _database(
            "create table t(a, b)",
            f"insert into t values (1, zeroblob({240 * MB}))",
            then="sqlite-records table=t case.db | eval n = len(b) | fields n",
        ),
    ),
    Bounded(
        "sqlite-claims",
        "a generated column of 1 GB in an SQLite database of 8 KB",
        "256 MB a value",
        _database(
            "create table t(a, b as (zeroblob(1000000000)))",
            "insert into t values (1)",
            then="sqlite-records table=t case.db | stats count",
        ),
    ),
    Bounded(
        "sqlite-shared",
        "1,000 generated texts of 100 MB in an SQLite database of 16 KB, `--timeout 20`",
        "64 times the file, 64 MB; the time",
        _database(
            "create table t(a, b as (hex(zeroblob(50000000))))",
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000) "
            "insert into t select i from n",
            then="sqlite-records table=t case.db | eval n = len(b) | stats count",
        ),
        time=20,
    ),
)
