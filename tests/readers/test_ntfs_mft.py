"""$MFT: other tools' answers, the vendor's printed figures, the awkward records, the columns contract."""

from __future__ import annotations

import gzip
import json
import lzma
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sample_data.make_ntfs import Entry, Volume, crowd, entry_record, file_name, mft, record, reference, story
from tests.readers.ntfs_support import micros, table, unpacked, values
from tests.support import ROOT, SHARED, shared_data
from udfs.readers import ntfs_mft, ntfs_paths
from udfs.readers.base import ListLoss, ReaderError, null_context
from udfs.readers.ntfs_mft import MftReader

_ANSWERS = sorted((SHARED / "data" / "forensics" / "mft").glob("*.expected.jsonl.gz"))
_BITS = {
    "is_readonly": 0x1, "is_hidden": 0x2, "is_system": 0x4, "is_archive": 0x20, "is_device": 0x40, "is_normal": 0x80,
    "is_temp": 0x100, "is_sparse": 0x200, "is_reparse": 0x400, "is_compressed": 0x800, "is_offline": 0x1000,
    "is_encrypted": 0x4000,
}  # fmt: skip
_TIMES = ("created_at", "modified_at", "mft_modified_at", "access_at")


def _expected_row(answer: dict[str, Any]) -> dict[str, Any]:
    same = ("seq", "in_use", "is_dir", "link_count", "lsn", "file_ref", "file_name", "parent_file_ref", "parent_no",
            "file_size", "alloc_size")  # fmt: skip
    row = {name: answer[name] for name in same} | {"file_path": answer.get("path")}
    if "dos_name" in answer:
        row["short_name"] = answer["dos_name"]
    for prefix, key in (("", "fn_times"), ("std_", "std_times")):
        for place, name in enumerate(_TIMES):
            row[prefix + name] = micros(answer[key][place]) if answer[key] else None
    flags = answer["flags"]
    for name, bit in _BITS.items():
        row[name] = None if flags is None else bool(flags & bit)
    # Published: attribute 0x20 and is_indexed true; bit 0x2000 says NOT content indexed.
    row["is_indexed"] = None if flags is None else not flags & 0x2000
    return row


def _compare(path: Path, answers: Path) -> None:
    found = values(table(MftReader(str(path))))
    place = {no: row for row, no in enumerate(found["no"])}
    assert found["no"] == sorted(place)
    expected = 0
    for line in gzip.decompress(answers.read_bytes()).splitlines():
        answer = json.loads(line)
        if answer.get("sig") != "FILE":
            assert answer["no"] not in place
            continue
        expected += 1
        row = place[answer["no"]]
        for name, value in _expected_row(answer).items():
            assert found[name][row] == value, (answer["no"], name)
    assert expected == len(place)
    assert set(found["_file"]) == {path.name}


@pytest.mark.evidence
@pytest.mark.parametrize("answers", _ANSWERS, ids=lambda path: path.name.split(".")[0])
def test_answers_of_other_readers(answers: Path, tmp_path: Path) -> None:
    _compare(unpacked(tmp_path, "mft", answers.name.removesuffix(".expected.jsonl.gz")), answers)


@pytest.mark.evidence
def test_answer_files_are_there() -> None:
    shared_data("forensics", "mft")
    assert len(_ANSWERS) == 7


def _codegate() -> dict[str, list[Any]]:
    return values(table(MftReader(str(shared_data("forensics", "mft", "codegate2012-MFT")))))


@pytest.mark.evidence
def test_figures_the_vendor_printed() -> None:
    found = _codegate()
    assert (found["is_dir"].count(False), found["is_dir"].count(True)) == (247, 1285)
    largest = sorted(
        ((size, path or "") for size, path in zip(found["file_size"], found["file_path"], strict=True)), reverse=True
    )[:5]
    assert largest == [
        (425345024, "Windows\\Installer\\1227ea.msp"),
        # The vendor prints OFFICE~1.CAB and PRESEN~1.DLL: decision 6 prefers the long names.
        (271250712, "7a5cfa309ab9f2ea8bcb81b710721bf5\\officesuitewwsp1-x-none.cab"),
        (161218560, "$MFT"),
        (67108864, "$LogFile"),
        (14322688, "Windows\\assembly\\NativeImages_v2.0.50727_32\\PresentationFramewo#\\"
                   "8435718626a24beaeefc98d45ae77127\\PresentationFramework.ni.dll"),
    ]  # fmt: skip
    unused = [no for no, used in zip(found["no"], found["in_use"], strict=True) if not used]
    assert unused == [16, 17, 18, 19, 20, 21, 22, 23, 1167]


@pytest.mark.evidence
def test_programs_since_the_day_as_the_vendor_printed_them() -> None:
    found = _codegate()
    midnight = 1_329_922_800_000_000  # 2012-02-23 00:00:00 +0900
    rows = [
        (found["file_path"][row], found["created_at"][row] // 1_000_000, found["file_size"][row])
        for row, name in enumerate(found["file_name"])
        if name and name.endswith(".exe") and found["created_at"][row] >= midnight
    ]
    assert rows[0] == ("$Recycle.Bin\\r32.exe", 1_329_932_358, 82_944)  # 02:39:18
    assert [(path, at) for path, at, _ in rows[1:]] == [
        ("Users\\proneer\\AppData\\Local\\Temp\\RarSFX1\\setup.exe", 1_329_932_427),  # 02:40:27
        ("Users\\proneer\\AppData\\Local\\Temp\\RarSFX1\\WinHex.exe", 1_329_932_427),
    ]


@pytest.mark.evidence
def test_reserved_record_has_the_published_fields_and_no_others() -> None:
    found = _codegate()
    present = {name for name, column in found.items() if column[16] is not None}
    assert present == {"_file", "_path", "no", "lsn", "is_dir", "link_count", "in_use", "file_ref", "own_ref", "seq",
                       "file_size", "alloc_size"}  # fmt: skip
    assert [found["lsn"][no] for no in (16, 17)] == [33557136, 33557136 + 19]


@pytest.mark.evidence
def test_deleted_record_1167_as_published() -> None:
    found = {name: column[1167] for name, column in _codegate().items()}
    assert (found["file_name"], found["short_name"]) == ("baedb07a-2fb7-4e2b-add1-b9d046a48d79", "BAEDB0~1")
    assert (found["parent_no"], found["parent_file_ref"], found["seq"]) == (2574, 281474976713230, 4)
    assert (found["file_size"], found["alloc_size"], found["is_indexed"], found["is_normal"]) == (20, 20, True, False)


@pytest.mark.parametrize("size", [1024, 4096])
def test_every_field_of_a_generated_volume(tmp_path: Path, size: int) -> None:
    volume = crowd(600)
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(mft(volume, size)))
    found = values(table(MftReader(str(path))))
    assert len(found["no"]) == max(volume.entries) + 1
    for no, entry in volume.entries.items():
        assert found["file_name"][no] == entry.name
        assert found["short_name"][no] == entry.short
        assert found["file_path"][no] == _path(volume, entry)
        assert found["in_use"][no] is entry.in_use
        assert found["is_dir"][no] is entry.is_dir
        assert found["file_size"][no] == (0 if entry.is_dir else entry.size)
        assert found["seq"][no] == entry.seq + (not entry.in_use)


def _path(volume: Volume, entry: Entry) -> str:
    parts = [entry.name]
    while entry.parent != 5:
        entry = volume.entries[entry.parent]
        parts.append(entry.name)
    return "\\".join(reversed(parts))


def test_deleted_tool_of_the_story(tmp_path: Path) -> None:
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(mft(story())))
    found = table(MftReader(str(path)), ["file_path", "in_use", "file_size", "seq"]).to_pylist()
    deleted = [row for row in found if row["file_path"] and not row["in_use"]]
    assert deleted == [{"file_path": "$Recycle.Bin\\r32.exe", "file_size": 82_944, "in_use": False, "seq": 4}]


def _records(folder: Path, *made: bytes) -> dict[str, list[Any]]:
    path = folder / "MFT"
    path.write_bytes(b"".join(made))
    return values(table(MftReader(str(path))))


def _name_attribute(name: str, namespace: int, parent: int = 5) -> bytes:
    content = file_name(reference(parent, 5), (1, 2, 3, 4), name, namespace)
    length = -(-(24 + len(content)) // 8) * 8
    head = struct.pack("<IIBBHHHIHBB", 0x30, length, 0, 0, 24, 0, 0, len(content), 24, 1, 0)
    return (head + content).ljust(length, b"\0")


def _base(volume: Volume) -> list[bytes]:
    return list(mft(volume))[:24]


def test_lone_surrogate_becomes_the_replacement_character(tmp_path: Path) -> None:
    attributes = [_name_attribute(name, 3) for name in ("a\ud800", "\udc00b", "\U0001f600", "\ud83d")]
    found = _records(tmp_path, *_base(story()), *(record(24 + n, text, 1, 1, 1) for n, text in enumerate(attributes)))
    # The last but one is a real pair; the first's high and the second's low one stand side by side in the buffer.
    assert found["file_name"][24:] == ["a\ufffd", "\ufffdb", "\U0001f600", "\ufffd"]


def test_best_namespace_wins_whatever_the_order(tmp_path: Path) -> None:
    names = {1: "long name.txt", 3: "both.txt", 0: "posix.txt", 2: "LONGNA~1.TXT"}
    cases = [(2, 1), (1, 2), (0, 3), (2, 0), (2,)]
    made = [
        record(24 + at, b"".join(_name_attribute(names[ns], ns) for ns in case), 1, 1, 1)
        for at, case in enumerate(cases)
    ]
    found = _records(tmp_path, *_base(story()), *made)
    assert found["file_name"][24:] == [names[1], names[1], names[3], names[0], names[2]]
    assert found["short_name"][24:] == [names[2], names[2], None, names[2], names[2]]


def test_names_and_sizes_of_extension_records(tmp_path: Path) -> None:
    volume = story()
    whole = entry_record(volume, Entry(25, "moved.bin", 5, size=5000))
    start = 56 + 96  # behind $STANDARD_INFORMATION
    rest = whole[start : whole.index(b"\xff\xff\xff\xff", start)]
    rows = [
        record(24, b"", 3, 1, 1),  # the base has neither name nor data
        record(25, rest, 1, 1, 0, base=reference(24, 3)),
        record(26, _name_attribute("current.txt", 3), 7, 1, 1),
        record(27, _name_attribute("stale.txt", 3), 2, 1, 0, base=reference(26, 6)),  # 26 was reused since
        record(28, b"", 1, 1, 1),
        record(29, _name_attribute("deleted.txt", 3), 1, 0, 0, base=reference(28, 1)),  # not in use
        record(30, _name_attribute("SHORT~1.TXT", 2), 1, 1, 1),
        record(31, _name_attribute("short in base only.txt", 1), 1, 1, 0, base=reference(30, 1)),
    ]
    found = _records(tmp_path, *_base(volume), *rows)
    assert found["file_name"][24:] == [
        "moved.bin", "moved.bin", "current.txt", "stale.txt", None, "deleted.txt", "short in base only.txt",
        "short in base only.txt",
    ]  # fmt: skip
    assert found["file_size"][24:28] == [5000, 5000, 0, 0]
    assert found["file_path"][24] == "moved.bin"


def test_paths_end_where_a_parent_does_not_hold(tmp_path: Path) -> None:
    volume = story()
    volume.entries |= {
        50: Entry(50, "loopA", 51, is_dir=True), 51: Entry(51, "loopB", 50, is_dir=True), 52: Entry(52, "in.txt", 50),
        53: Entry(53, "below", 51, is_dir=True), 54: Entry(54, "deep.txt", 53),
        55: Entry(55, "gone", 24, is_dir=True, in_use=False, seq=4), 56: Entry(56, "child.txt", 55),
        57: Entry(57, "self", 57, is_dir=True),
    }  # fmt: skip
    rows = list(mft(volume))
    rows.append(record(58, _name_attribute("orphan.txt", 3, parent=9999), 1, 1, 1))
    rows.append(record(59, _name_attribute("reused.txt", 3, parent=31), 1, 1, 1))  # sequence 5 wanted, 1 there
    rows.append(record(60, _name_attribute("lost folder", 3, parent=9999), 5, 3, 1))
    rows.append(record(61, _name_attribute("in it.txt", 3, parent=60), 1, 1, 1))
    found = _records(tmp_path, *rows)
    # A cycle contributes nothing, nor does anything below it; a deleted folder (one number higher) still counts.
    assert [found["file_path"][no] for no in range(50, 60)] == [
        "loopA", "loopB", "in.txt", "below", "deep.txt", "$Recycle.Bin\\gone", "$Recycle.Bin\\gone\\child.txt", "self",
        "orphan.txt", "reused.txt",
    ]  # fmt: skip
    # The way up ends elsewhere than at the root: of all but the deleted folder and its file.
    assert [found["is_orphan"][no] for no in range(50, 60)] == [True] * 5 + [False] * 2 + [True] * 3
    assert [found["is_orphan"][no] for no in (5, 24, 60, 61)] == [False, False, True, True]
    assert (found["file_path"][61], found["is_orphan"][16]) == ("lost folder\\in it.txt", None)


@pytest.mark.evidence
def test_files_of_a_folder_whose_number_was_used_again_are_orphans(tmp_path: Path) -> None:
    """dfir_ntfs prints ``<Orphan>/2.txt``; with the bare path alone they look like files of the root."""
    path = tmp_path / "MFT"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d11-orphan.mft.xz").read_bytes()))
    rows = table(MftReader(str(path)), ["no", "file_path", "is_orphan"]).to_pylist()
    found = {row["no"]: (row["file_path"], row["is_orphan"]) for row in rows}
    assert [found[no] for no in range(44, 48)] == [(f"{n}.txt", True) for n in range(2, 6)]
    assert [found[no] for no in (39, 43)] == [("n1", False), ("n2", False)]
    # Alone it costs the same and says the same.
    alone = table(MftReader(str(path)), ["no", "is_orphan"]).to_pylist()
    assert {row["no"]: row["is_orphan"] for row in alone} == {no: orphan for no, (_, orphan) in found.items()}


def test_a_thousand_levels(tmp_path: Path) -> None:
    volume = story()
    for no in range(50, 1050):
        volume.add(Entry(no, "d", 5 if no == 50 else no - 1, is_dir=True))
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(mft(volume)))
    assert values(table(MftReader(str(path)), ["file_path"]))["file_path"][-1] == "\\".join("d" * 1000)


def test_a_chain_made_to_exhaust_memory_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ntfs_paths, "MAX_TABLE_BYTES", 100_000)
    count = 3000
    no = np.arange(count)
    parent = np.where(no == 0, 5, no - 1).astype(np.uint64) | np.uint64(1 << 48)
    names = ntfs_paths.Names(
        no, np.ones(count, np.uint16), np.ones(count, np.bool_), parent, np.ones(count, np.bool_),
        pa.array(["x" * 100] * count),
    )  # fmt: skip
    paths = ntfs_paths.Paths([names])
    made = paths.of(no, np.ones(count, np.bool_), names.name)
    assert paths.cut > 0
    assert len(made) == count
    assert made[1].as_py() == "x" * 100 + "\\" + "x" * 100


def test_already_fixed_up_and_torn_records(tmp_path: Path) -> None:
    volume = story()
    rows = list(mft(volume))
    torn = bytearray(rows[40])
    torn[1022:1024] = b"\xab\xcd"
    rows[40] = bytes(torn)
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(rows))
    loss = ListLoss()
    found = table(MftReader(str(path)), ["no", "file_name"], loss)
    assert found.num_rows == len(rows)
    assert [(entry.reason, entry.count, entry.position) for entry in loss.entries] == [("torn-record", 1, 40 * 1024)]


def test_wanted_columns_only_and_the_same_values(tmp_path: Path) -> None:
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(mft(crowd(300))))
    reader = MftReader(str(path))
    whole = table(reader)
    for name in reader.schema.names:
        one = table(reader, [name])
        assert one.column_names == [name]
        assert one.column(name).equals(whole.column(name)), name
    assert sum(batch.num_rows for batch in reader.scan([], null_context())) == whole.num_rows
    with pytest.raises(KeyError):
        table(reader, ["no_such_column"])


def test_second_pass_gives_what_the_spool_gave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(mft(crowd(3000))))
    whole = table(MftReader(str(path)))
    sizes = table(MftReader(str(path)), ["file_size", "file_name"])
    monkeypatch.setattr(ntfs_mft, "SPOOL_BYTES", 10_000)
    monkeypatch.setattr(ntfs_mft, "BLOCK_BYTES", 64 * 1024)
    loss = ListLoss()
    assert table(MftReader(str(path)), None, loss).equals(whole)
    assert table(MftReader(str(path)), ["file_size", "file_name"]).equals(sizes)
    assert loss.entries == []


def test_records_that_are_no_rows_are_in_the_ledger(tmp_path: Path) -> None:
    rows = list(mft(story()))
    rows[30] = bytes(1024)
    rows[31] = b"BAAD" + rows[31][4:]
    path = tmp_path / "MFT"
    path.write_bytes(b"".join(rows) + b"FILE")
    loss = ListLoss()
    found = table(MftReader(str(path)), ["no"], loss)
    assert found.num_rows == len(rows) - 2
    assert {(entry.reason, entry.count, entry.position) for entry in loss.entries} == {
        ("zero-record", 1, 30 * 1024),
        ("record-without-file-signature", 1, 31 * 1024),
        ("truncated-record", 1, len(rows) * 1024),
    }


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty-file"), (bytes(50_000), "not-an-mft"), (b"hello " * 5000, "not-an-mft")]
)
def test_files_that_are_no_mft(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "MFT"
    path.write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        table(MftReader(str(path)))
    assert caught.value.code == code
    assert str(path) in str(caught.value)


def test_zip_member_wildcard_and_one_bad_file_among_good_ones(tmp_path: Path) -> None:
    data = b"".join(mft(story()))
    with zipfile.ZipFile(tmp_path / "case.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("disk/MFT", data)
    (tmp_path / "a.mft").write_bytes(data)
    (tmp_path / "b.mft").write_bytes(b"no such thing")
    (tmp_path / "c.mft").write_bytes(data)
    inside = table(MftReader("disk/MFT", zippath=str(tmp_path / "case.zip")))
    single = table(MftReader(str(tmp_path / "a.mft")))
    assert inside.drop_columns(["_file", "_path"]).equals(single.drop_columns(["_file", "_path"]))
    assert set(inside.column("_file").to_pylist()) == {"MFT"}
    loss = ListLoss()
    several = table(MftReader(str(tmp_path / "*.mft")), ["_file"], loss)
    assert several.num_rows == 2 * single.num_rows
    assert [(entry.reason, entry.source) for entry in loss.entries] == [("not-an-mft", str(tmp_path / "b.mft"))]


@pytest.mark.parametrize(("records", "missing"), [(46, 0), (50, 4), (40, 0)])
def test_an_mft_cut_between_two_records_is_told(records: int, missing: int, tmp_path: Path) -> None:
    """Record 0 describes the $MFT: its $DATA, not resident, holds the size (NTFS, attribute header, offset 48)."""
    data = bytearray((ROOT / "sample_data" / "ntfs" / "MFT").read_bytes())
    size = records * 1024
    data[256 : 256 + 72] = struct.pack(
        "<IIBBHHHQQHHIQQQ", 0x80, 72, 1, 0, 64, 0, 0, 0, 9, 64, 0, 0, size, size, size
    ) + bytes(8)
    data[328:332] = b"\xff" * 4
    path, loss = tmp_path / "MFT", ListLoss()
    path.write_bytes(data)
    assert table(MftReader(str(path)), None, loss).num_rows == 46
    told = [(entry.reason, entry.count, entry.position) for entry in loss.entries]
    assert told == ([("truncated-mft", missing, len(data))] if missing else [])
