"""A file that broke off is told: fewer rows than the sound file has mean an entry in the ledger or an error.

Which readers there are is read from the registry: a new one fails here until it has a kind of damage, or stands among
those whose files do not tell that something is missing.
"""

from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import pytest

import logsql
from logsql.planner.spec import COMMANDS
from tests.readers.damage_kinds import EVIDENCE, KINDS
from tests.readers.damage_support import Kind
from tests.readers.damage_text import TEXT_KINDS
from tests.readers.view_support import VIEWS
from tests.support import sample
from udfs.readers.base import ListLoss, ReaderError, null_context

CUTS = sample(400, 40)
ALL: dict[str, Kind] = {**KINDS, **TEXT_KINDS}
#: Kinds of which a beginning is a whole file: why.
WHOLE_AT_ANY_LENGTH = {
    "csvfile": "text has no end mark: see the packed ones",
    "textfile": "text has no end mark: see the packed ones",
    "jsonfile": "a file of lines has no end mark: a line that is cut is told, see test_text_damage.py",
    "jsonsurvey": "counts what jsonfile reads",
    **dict.fromkeys(VIEWS, "a list of values in this test alone; the hive that holds them is hive-file"),
}


def _inside_a_change(data: bytes, cut: int) -> bool:
    """Whether a record of a change journal goes on behind the cut (USN_RECORD: length, version)."""
    at = 0
    while at < cut:
        length, version = struct.unpack_from("<IH", data.ljust(len(data) + 8, b"\0"), at)
        if version in (2, 3, 4) and 0 < length <= len(data) - at:
            if at + length > cut:
                return True
            at += length
        else:
            at += 8  # padding
    return False


def _inside_a_record(data: bytes, cut: int) -> bool:
    """Whether a record of an $MFT goes on behind the cut: the shortest have 1,024 bytes."""
    return cut % 1024 != 0


#: Kinds whose records stand side by side without a count: of a cut between two of them nothing tells.
TOLD_INSIDE = {
    "ntfs-usnjrnl": _inside_a_change,
    "ntfs-usnjrnl path": _inside_a_change,
    **dict.fromkeys(("ntfs-mft", "ntfs-mft names", "ntfs-mft streams"), _inside_a_record),
}
#: Sources that read no file of their own, or one of the kinds above under another name.
NO_KIND = {
    "-": "text", "table": "stored", "json": "the query", "load": "stored", "result": "stored", "proc": "the query",
    "system": "the session", "lookuptable": "stored", "fulltext": "stored", "checktable": "stored", "purge": "stored",
    "copytable": "stored", "timeline": "the other readers", "triage": "the other readers",
    "evtctxlist": "the session", "evtctxdrop": "the session",
    # Broken answers of servers: tests/network.
    "ldapsearch": "a server", "dbquery": "a server", "dbcall": "a server", "dbscript": "a server", "rss": "a server",
    "logger": "a live server",
}  # fmt: skip


def test_every_source_has_a_kind_of_damage() -> None:
    sources = {name for name, spec in COMMANDS.items() if spec.source}
    assert sources - set(ALL) - set(NO_KIND) == set()
    assert set(NO_KIND) <= sources
    assert {*WHOLE_AT_ANY_LENGTH} <= set(ALL)


def read(kind: Kind, path: Path, data: bytes) -> tuple[int | None, list[str]]:
    """Rows (None: refused), and the reasons of the ledger."""
    path.write_bytes(data)
    loss = ListLoss()
    try:
        rows = sum(batch.num_rows for batch in kind.make(str(path)).scan(None, null_context(loss)))
    except ReaderError as problem:
        return None, [problem.code]
    return rows, [entry.reason for entry in loss.entries]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.evidence] if name in EVIDENCE else [])
        for name in sorted(set(ALL) - set(WHOLE_AT_ANY_LENGTH))
    ],
)
def test_a_file_that_broke_off_is_told(name: str, tmp_path: Path) -> None:
    if name.startswith("evtx-file"):
        pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    kind, dice = ALL[name], random.Random(3)
    silent = []
    for number, seed in enumerate(kind.seeds()):
        data = kind.finish(seed)
        sound, _ = read(kind, tmp_path / "x", data)
        for _ in range(CUTS):
            cut = dice.randrange(1, len(data))
            rows, told = read(kind, tmp_path / "x", data[:cut])
            between = name in TOLD_INSIDE and not TOLD_INSIDE[name](data, cut)
            if not told and not between and (sound is None or rows is None or rows < sound):
                silent.append((number, len(data), cut))
    assert silent == []


@pytest.mark.parametrize("name", ["textfile", "csvfile", "jsonfile", "xmlfile"])
@pytest.mark.parametrize("packing", [1, 2, 3], ids=["gzip of two members", "zstd", "zstd of two frames"])
def test_packed_text_that_broke_off_is_told(name: str, packing: int, tmp_path: Path) -> None:
    """Between two members or frames nothing tells that another was to come, below four bytes that it is packed."""
    kind, dice = ALL[name], random.Random(4)
    data = kind.seeds()[packing]
    between = {at for at in range(1, len(data)) if data[at:].startswith((b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"))}
    cuts = [dice.choice([at for at in range(4, len(data)) if at not in between]) for _ in range(CUTS)]
    assert [cut for cut in cuts if not read(kind, tmp_path / "x", data[:cut])[1]] == []


def test_a_log_that_is_shorter_than_it_says_is_told(tmp_path: Path) -> None:
    """The restart area holds the size of the log (LFS, offset 24 of the area): the records behind the cut are gone."""
    page = bytearray(struct.pack("<4sHH", b"RSTR", 30, 9).ljust(4096, b"\0"))
    struct.pack_into("<IIH", page, 16, 4096, 4096, 48)
    struct.pack_into("<I", page, 48 + 16, 45)
    struct.pack_into("<Q", page, 48 + 24, 10 * 4096)
    for pages, missing in ((10, []), (6, [("truncated-log", 4, "byte 24,576")])):
        path = tmp_path / "LogFile"
        path.write_bytes(bytes(page) * 2 + b"\xff" * 4096 * (pages - 2))
        with logsql.connect(tz="UTC") as session:
            result = session.query(f"ntfs-logfile {path}")
            result.rows()
            assert [(e.reason, e.count, e.place) for e in result.ledger] == missing


def _two_entries(path: Path) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("a.txt", "b.txt"):
            archive.writestr(name, f"in {name}\n")
    return path.read_bytes()


def test_entries_that_the_directory_swallows_are_told(tmp_path: Path) -> None:
    """The comment of the first entry is as long as the second entry: both commands see one of two."""
    path = tmp_path / "x.zip"
    data = bytearray(_two_entries(path))
    first, second, end = data.index(b"PK\1\2"), data.rindex(b"PK\1\2"), data.rindex(b"PK\5\6")
    struct.pack_into("<H", data, first + 32, end - second)
    path.write_bytes(data)
    with logsql.connect(tz="UTC") as session:
        for query, rows in ((f"zipfile-entries {path}", 1), (f"zipfile {path} *.txt", 1)):
            result = session.query(query)
            assert len(result.rows()) == rows
            assert [(e.reason, e.count) for e in result.ledger] == [("damaged-directory", 1)], query


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_whose_name_comes_again_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for text in ("one\n", "two\n", "three\n"):
            archive.writestr("a.txt", text)
        archive.writestr("b.txt", "b\n")
    with logsql.connect(tz="UTC") as session:
        result = session.query(f"zipfile {path} *.txt")
        assert [row["line"] for row in result.rows()] == ["three", "b"]
        assert [(e.reason, e.count) for e in result.ledger] == [("repeated-entry", 2)]
        listed = session.query(f"zipfile-entries {path}")
        assert len(listed.rows()) == 4
        assert not listed.ledger
