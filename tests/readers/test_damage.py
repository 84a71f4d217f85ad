"""Random damage: every binary reader must end, soon and in bounded memory, with rows or a ReaderError.

20,000 mutations of each kind at night, the first 500 of them by day (hives: test_hive_fuzz.py, text:
test_text_damage.py). ``bench/fuzz.py`` goes on where this stops.
"""

from __future__ import annotations

import base64
import sqlite3
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.readers.damage_kinds import KINDS, by_name
from tests.readers.damage_support import survive
from tests.readers.ntfs_support import table
from tests.readers.view_support import VIEWS
from tests.support import sample
from udfs.readers.base import ListLoss, ReaderError
from udfs.readers.evtx import EvtxReader
from udfs.readers.sqlite import SqliteRecordsReader
from udfs.readers.zipmembers import ZipEntriesReader, ZipLinesReader

ROUNDS = sample(20_000, 300)
_SHARDS = sample(4, 1)
# The least share of the damaged files that must give rows: fewer would mean that the damage hits signatures only.
_LEAST = {
    "hive-file deleted": 0.5, "hive-file keys": 0.5, "hive-file replay": 0.5,
    "reg-run-keys replay": 0.5, "ntfs-usnjrnl path": 0.5,
    "ntfs-mft names": 0.8, "ntfs-mft streams": 0.5,
    "ntfs-mft": 0.8, "ntfs-usnjrnl": 0.8, "ntfs-logfile": 0.8, "evtx-file": 0.4, "sqlite-tables": 0.5,
    "evtx-file partly": 0.4, "sqlite-records": 0.4, "zipfile-entries": 0.4, "zipfile": 0.2, **dict.fromkeys(VIEWS, 0.5),
}  # fmt: skip


@pytest.mark.posix("the memory of a process is measured")
@pytest.mark.parametrize("shard", range(_SHARDS))
@pytest.mark.parametrize("name", by_name(_LEAST))
def test_random_damage(name: str, shard: int, tmp_path: Path) -> None:
    if name.startswith("evtx-file"):
        pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    # Another form of the same reader (``ntfs-mft names``) has a half of the files by day.
    each = sample(ROUNDS, ROUNDS // 2 if " " in name else ROUNDS) // _SHARDS
    found = survive(KINDS[name], each, tmp_path, shard)
    assert found.read + found.refused.total() == each
    assert found.with_rows >= _LEAST[name] * each
    assert found.damaged > 0 or name == "sqlite-tables"
    # The values a view is given are never a file of their own, so there is nothing to refuse.
    assert (found.refused.total() > 0) == (name not in VIEWS)


def test_every_kind_is_damaged() -> None:
    assert set(KINDS) == {*_LEAST, "hive-file"}


@pytest.mark.parametrize("name", by_name(KINDS))
def test_the_sound_seeds_are_read_without_a_loss(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    seeds = kind.seeds()
    assert seeds
    for seed in seeds:
        (tmp_path / "sound").write_bytes(kind.finish(seed))
        loss = ListLoss()
        assert table(kind.make(str(tmp_path / "sound")), None, loss).num_rows > 0
        assert loss.entries == []


@pytest.mark.evidence
def test_an_event_log_whose_list_of_names_never_ends(tmp_path: Path) -> None:
    """The chunk's name tables are lists of offsets: two names that follow each other make the parser loop for ever."""
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    kind = KINDS["evtx-file"]
    data = bytearray(kind.finish(kind.seeds()[0]))
    chunk = memoryview(data)[4096:]
    lists = [first for first in struct.unpack_from("<64I", chunk, 128) if first]
    one = next(first for first in lists if struct.unpack_from("<I", chunk, first)[0])
    (other,) = struct.unpack_from("<I", chunk, one)
    struct.pack_into("<I", chunk, other, one)
    (tmp_path / "x.evtx").write_bytes(data)
    loss = ListLoss()
    assert table(EvtxReader(str(tmp_path / "x.evtx")), ["record_no"], loss).column("record_no").to_pylist() == [
        1,
        2,
        3,
        4,
    ]
    assert [(entry.reason, entry.count, entry.position) for entry in loss.entries] == [("damaged-list", 0, 4096)]


@pytest.mark.evidence
@pytest.mark.parametrize("link", [0x7FFFFFFF, 65_530])
def test_an_event_log_whose_list_of_names_leads_out_of_its_chunk(tmp_path: Path, link: int) -> None:
    pytest.importorskip("evtx", reason="package not installed: evtx (extra forensic)")
    kind = KINDS["evtx-file"]
    data = bytearray(kind.finish(kind.seeds()[0]))
    struct.pack_into("<I", data, 4096 + 128, link)
    (tmp_path / "x.evtx").write_bytes(data)
    assert table(EvtxReader(str(tmp_path / "x.evtx")), ["record_no"]).column("record_no").to_pylist() == [1, 2, 3, 4]


def _tangled(levels: int) -> bytes:
    """A database of 512-byte pages; table t's tree has 50 ways from each level to the one below."""
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA page_size = 512")
    database.execute("CREATE TABLE t(a)")
    database.execute("INSERT INTO t VALUES (1)")
    database.commit()
    first, leaf = (database.serialize()[at : at + 512] for at in (0, 512))
    database.close()
    data = bytearray(first)
    for level in range(levels):
        below = 3 + level
        start = 512 - 5 * 50
        cells = b"".join(struct.pack(">IB", below, row + 1) for row in range(50))
        places = b"".join(struct.pack(">H", start + 5 * row) for row in range(50))
        data += (struct.pack(">BHHHBI", 5, 0, 50, start, 0, below) + places).ljust(start, b"\0") + cells
    data += leaf
    struct.pack_into(">I", data, 28, len(data) // 512)
    return bytes(data)


def test_a_table_never_has_more_rows_than_its_file_has_room_for(tmp_path: Path) -> None:
    """Twelve pages that are reached over many ways pretend to hold 51 to the power of 10 rows."""
    path = tmp_path / "x.db"
    path.write_bytes(_tangled(10))
    loss = ListLoss()
    found = table(SqliteRecordsReader(str(path), "t"), None, loss)
    assert found.column("a").to_pylist() == [1] * (path.stat().st_size // 4 + 1)
    assert [(entry.reason, entry.sample) for entry in loss.entries] == [
        ("damaged-database", "the table holds more rows than the file has room for")
    ]


def test_a_full_table_of_the_smallest_rows_is_read_to_its_end(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "x.db")
    database.execute("CREATE TABLE t(a)")
    database.executemany("INSERT INTO t VALUES (?)", [(None,)] * 50_000)
    database.commit()
    database.close()
    loss = ListLoss()
    assert table(SqliteRecordsReader(str(tmp_path / "x.db"), "t"), None, loss).num_rows == 50_000
    assert loss.entries == []


def test_an_archive_with_an_entry_that_has_no_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("n", "lost")
        archive.writestr("a.txt", "kept")
    data = (tmp_path / "a.zip").read_bytes()
    at = data.index(b"PK\1\2")
    # The first entry's name is made its extra field, and the length of the name 0.
    nameless = data[: at + 28] + struct.pack("<HH", 0, 1) + data[at + 32 :]
    (tmp_path / "a.zip").write_bytes(nameless)
    assert table(ZipEntriesReader(str(tmp_path / "a.zip")), ["entry"]).column("entry").to_pylist() == ["", "a.txt"]
    assert table(ZipLinesReader(str(tmp_path / "a.zip"), "*.txt"), ["line"]).column("line").to_pylist() == ["kept"]


def test_an_archive_with_one_entry_that_cannot_be_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("a.txt", "b.txt", "c.txt"):
            archive.writestr(name, name)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"PK\3\4", 1)] = 0
    (tmp_path / "a.zip").write_bytes(data)
    loss = ListLoss()
    found = table(ZipLinesReader(str(tmp_path / "a.zip"), "*"), ["line", "_entry"], loss).to_pylist()
    assert found == [{"line": name, "_entry": name} for name in ("a.txt", "c.txt")]
    assert [(entry.source, entry.reason, entry.count) for entry in loss.entries] == [
        (f"{tmp_path}/a.zip!b.txt", "read-failed", 1)
    ]
    with pytest.raises(ReaderError) as caught:
        table(ZipLinesReader(str(tmp_path / "a.zip"), "b.txt"))
    assert caught.value.code == "read-failed"


def test_what_an_error_quotes_is_short_and_shows_no_control_characters(tmp_path: Path) -> None:
    name = "\x1b[2J\n" + "x" * 60_000
    shown = str(ReaderError("cannot read {path}: bad header", name, "read-failed"))
    assert shown.startswith("cannot read \\x1b[2J\\nxxx")
    assert shown.endswith("xxx: bad header")
    assert len(shown) < 1000


_FORGED = (
    "c-jjN^vNtqRY=P(%1ta$FlJz400IXE1qLbtULa-!;hPMjfL=hAflZvBpV7J`F)1gtq=d;i$kj2#"
    "RUyRD$;VZpL?cm0AxTFeS(6p0lnJVZ@%L!3jV!<n&YN<iX*x8x{O}(MFeHw~=_nWlgA4!w$HN{@"
)


def test_a_record_that_claims_more_memory_than_there_is(tmp_path: Path) -> None:
    """Found by fuzzing (a table of one 512-byte page, packed): SQLite answers with a MemoryError, no sqlite3.Error."""
    path = tmp_path / "x.db"
    path.write_bytes(zlib.decompress(base64.b85decode(_FORGED)))
    loss = ListLoss()
    table(SqliteRecordsReader(str(path), "t"), None, loss)
    assert [entry.reason for entry in loss.entries] == ["damaged-database"]
    assert loss.entries[0].sample
