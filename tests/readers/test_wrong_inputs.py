"""Every reader given what it does not read: cut, empty, zeroed, of another kind, a pipe, a device, too sparse."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.support import run
from tests.readers.damage_kinds import KINDS, OF_TWO_FILES, by_name
from tests.readers.ntfs_support import table
from tests.readers.test_zip_xml_xlsx import number, rows, text, workbook
from tests.readers.view_support import VIEWS, open_view
from udfs.readers.base import ListLoss, Reader, ReaderError, null_context
from udfs.readers.csvrows import CsvReader
from udfs.readers.textlines import TextReader
from udfs.readers.xlsx import XlsxReader
from udfs.readers.xmlrows import XmlReader

BINARY = sorted(set(KINDS) - set(VIEWS) - set(OF_TWO_FILES))
MAKERS: dict[str, Callable[[str], Reader]] = {
    **{name: KINDS[name].make for name in BINARY},
    **{name: lambda path, name=name: open_view(name, path) for name in sorted(VIEWS)},  # type: ignore[misc]
    "xlsxfile": XlsxReader,
    "xmlfile": lambda path: XmlReader([path]),
}
SEEDS = [name for name in BINARY if name not in ("sqlite-tables", "zipfile-entries")]


def refusal(make: Callable[[str], Reader], path: Path) -> str | None:
    """The code of the one sentence a reader refuses a file with; None when it reads it."""
    said, code = "", None
    try:
        table(make(str(path)))
    except ReaderError as problem:
        said, code = str(problem), problem.code
    assert code is None or (str(path) in said and "\n" not in said)
    return code


SAME = {
    "sqlite-tables": "sqlite-records",
    "zipfile-entries": "zipfile",
    "evtx-file partly": "evtx-file",
    "hive-file deleted": "hive-file",
    "hive-file keys": "hive-file",
    "ntfs-mft names": "ntfs-mft",
    "ntfs-mft streams": "ntfs-mft",
    **dict.fromkeys(VIEWS, "hive-file"),
}


@pytest.mark.parametrize("other", by_name(SEEDS))
def test_files_of_every_other_kind(other: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(KINDS[other].finish(KINDS[other].seeds()[0]))
    readers = [name for name in sorted(MAKERS) if SAME.get(name, name) != SAME.get(other, other)]
    assert len(readers) > 9
    assert [name for name in readers if refusal(MAKERS[name], path) is None] == [], f"these read {other}"


@pytest.mark.parametrize("name", sorted(MAKERS))
@pytest.mark.parametrize("size", [0, 1, 7, 512, 4096, 70_000])
def test_zeros(name: str, size: int, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(size))
    assert refusal(MAKERS[name], tmp_path / "x") is not None


@pytest.mark.parametrize("name", by_name(BINARY))
def test_files_that_end_early(name: str, tmp_path: Path) -> None:
    data = KINDS[name].finish(KINDS[name].seeds()[0])
    for end in range(1, len(data), max(len(data) // 97, 1)):
        (tmp_path / "x").write_bytes(data[:end])
        refusal(KINDS[name].make, tmp_path / "x")


@pytest.mark.posix("named pipes")
@pytest.mark.parametrize("name", [*sorted(MAKERS), "textfile", "csvfile"])
def test_pipes_and_devices_are_no_files(name: str, tmp_path: Path) -> None:
    make = MAKERS.get(name) or {"textfile": lambda p: TextReader([p]), "csvfile": lambda p: CsvReader([p])}[name]
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        assert refusal(make, path) == "not-a-file"


@pytest.mark.posix("named pipes")
def test_the_command_line_refuses_a_pipe_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = run("-q", "textfile pipe", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"is a pipe or a device, not a file" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_sheet_with_one_cell_far_away_is_refused(tmp_path: Path) -> None:
    """The rectangle around A1 and XFD1048576 has 17 billion places; the parser of workbooks would allocate them all."""
    pytest.importorskip("python_calamine", reason="optional package python-calamine is not installed")
    path = workbook(tmp_path / "a.xlsx", {"s": [[text("name")], [text("x")]]})
    _replace(path, b'r="A2"', b'r="XFD1048576"')
    with pytest.raises(ReaderError, match="1048576 rows and 16384 columns") as caught:
        XlsxReader(path)
    assert caught.value.code == "xlsx-too-sparse"


def test_a_sheet_with_a_gap_is_read(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="optional package python-calamine is not installed")
    path = workbook(tmp_path / "a.xlsx", {"s": [[text("name")], [number("7")]]})
    _replace(path, b'r="A2"', b'r="A90000"')
    assert [row["name"] for row in rows(XlsxReader(path)) if row["name"] is not None] == [7]


def _replace(path: str, old: bytes, new: bytes) -> None:
    import zipfile

    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(old, new))


def test_an_element_with_many_names_below_it_takes_linear_time(tmp_path: Path) -> None:
    """60,000 names below one element: each new one summed over those before it, 1.8 thousand million steps."""
    (tmp_path / "x.xml").write_text("<r>" + "".join(f"<a{n}/>" for n in range(60_000)) + "<b/></r>")
    loss = ListLoss()
    found = list(XmlReader([str(tmp_path / "x.xml")], xpath="/r/*[60001]").scan(None, null_context(loss)))
    assert [row["_row"] for batch in found for row in batch.to_pylist()] == ["{}"]
    assert loss.entries == []
