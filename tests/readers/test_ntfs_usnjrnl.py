"""Change journal: other tools' answers, fragments, holes, junk, and agreement with the $MFT of the same volume."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from sample_data.make_ntfs import CLOSE, Change, crowd, filetime, journal, mft, reference, story, usn_record
from tests.readers.ntfs_support import FILETIME_EPOCH_US, table, unpacked, values
from tests.support import shared_data
from udfs.readers import ntfs_usnjrnl
from udfs.readers.base import ListLoss, ReaderError
from udfs.readers.ntfs_mft import MftReader
from udfs.readers.ntfs_usnjrnl import UsnJrnlReader

_SAMPLE = Change(77, 5, 5, 5, "보고서.hwp", CLOSE | 0x200, 10.0)


@pytest.mark.evidence
@pytest.mark.parametrize("name", ["plaso-UsnJrnl", "windows81-J"])
def test_answers_of_other_readers(name: str, tmp_path: Path) -> None:
    packed = shared_data("forensics", "usn", f"{name}.expected.jsonl.gz").read_bytes()
    answers = [json.loads(line) for line in gzip.decompress(packed).splitlines()]
    found = values(table(UsnJrnlReader(str(unpacked(tmp_path, "usn", name)))))
    for column in ("usn", "file_name", "file_ref", "parent_file_ref", "file_no", "parent_file_no"):
        assert found[column] == [answer[column] for answer in answers]
    assert found["_time"] == [answer["filetime"] // 10 - FILETIME_EPOCH_US for answer in answers]
    # The answer files list reasons by bit, the published outputs alphabetically.
    assert found["reason"] == [sorted(answer["reason"]) for answer in answers]


@pytest.mark.parametrize("version", [2, 3])
def test_every_field_of_a_generated_journal(tmp_path: Path, version: int) -> None:
    volume = crowd(3000)
    path = tmp_path / "J"
    path.write_bytes(b"".join(journal(volume, version=version)))
    loss = ListLoss()
    found = values(table(UsnJrnlReader(str(path)), None, loss))
    assert loss.entries == []
    changes = volume.changes
    assert found["file_name"] == [change.name for change in changes]
    assert found["file_no"] == [change.no for change in changes]
    assert found["file_ref"] == [reference(change.no, change.seq) for change in changes]
    assert found["parent_file_ref"] == [reference(change.parent, change.parent_seq) for change in changes]
    assert found["_time"] == [filetime(change.at) // 10 - FILETIME_EPOCH_US for change in changes]
    assert found["usn"] == sorted(found["usn"])
    assert found["usn"][0] == 4096
    assert {tuple(reason) for reason in found["reason"]} == {
        ("FILE_CREATE",), ("CLOSE", "DATA_EXTEND", "FILE_CREATE"), ("CLOSE", "FILE_DELETE"),
        ("DATA_EXTEND", "FILE_CREATE"), ("RENAME_OLD_NAME",), ("RENAME_NEW_NAME",), ("CLOSE", "RENAME_NEW_NAME"),
        ("BASIC_INFO_CHANGE", "CLOSE"),
    }  # fmt: skip


def test_the_23_reason_names_of_the_manual() -> None:
    masks = [*ntfs_usnjrnl.REASONS, 0xFFFFFFFF, 0, 0x8]
    spelt = ntfs_usnjrnl.spelt(np.array(masks, np.uint32), ntfs_usnjrnl.REASONS).to_pylist()
    assert len(ntfs_usnjrnl.REASONS) == 23
    assert all(len(names) == 1 for names in spelt[:23])
    # A bit that has no name in the manual is its number: nine of 32.
    known = [name for name in spelt[23] if not name.startswith("0x")]
    assert (known, len(spelt[23])) == (sorted(name for [name] in spelt[:23]), 32)
    assert spelt[24:] == [[], ["0x8"]]


def test_journal_and_mft_agree_on_references(tmp_path: Path) -> None:
    volume = crowd(2000)
    (tmp_path / "MFT").write_bytes(b"".join(mft(volume)))
    (tmp_path / "J").write_bytes(b"".join(journal(volume)))
    records = table(
        MftReader(str(tmp_path / "MFT")), ["no", "seq", "in_use", "file_name", "parent_file_ref"]
    ).to_pylist()
    by_number = {row["no"]: row for row in records}
    last = {row["file_ref"]: row for row in table(UsnJrnlReader(str(tmp_path / "J"))).to_pylist()}
    assert len(last) > 1500
    for ref, row in last.items():
        held = by_number[row["file_no"]]
        # Deleting a record raises its sequence number by one: the journal still names the old one.
        assert ref >> 48 == held["seq"] - (not held["in_use"])
        assert (row["file_name"], row["parent_file_ref"]) == (held["file_name"], held["parent_file_ref"])
        assert ("FILE_DELETE" in row["reason"]) == (not held["in_use"])


def test_story_of_the_deleted_tool(tmp_path: Path) -> None:
    (tmp_path / "J").write_bytes(b"".join(journal(story())))
    rows = [row for row in table(UsnJrnlReader(str(tmp_path / "J"))).to_pylist() if row["file_no"] == 45]
    assert [row["file_name"] for row in rows] == ["r32.tmp"] * 3 + ["r32.exe"] * 4
    assert rows[-1]["reason"] == ["CLOSE", "FILE_DELETE"]


def test_references_with_the_top_bit_stay_positive(tmp_path: Path) -> None:
    (tmp_path / "J").write_bytes(usn_record(Change(9, 0x9ABC, 8, 0xFFFF, "a", 1, 0.0), 0))
    found = table(UsnJrnlReader(str(tmp_path / "J"))).to_pylist()[0]
    assert (found["file_ref"], found["file_no"]) == (9 | 0x9ABC << 48, 9)
    assert (found["parent_file_ref"], found["parent_file_no"]) == (8 | 0xFFFF << 48, 8)


def test_fragments_junk_and_a_record_inside_a_name(tmp_path: Path) -> None:
    whole = usn_record(_SAMPLE, 1000)
    # The name of this record is itself a small record: 128 bytes of UTF-16 that must not become a row.
    inner = usn_record(Change(1, 1, 5, 5, "x", 1, 0.0), 0)
    outer = bytearray(usn_record(Change(2, 1, 5, 5, "n" * 40, 1, 0.0), 2000))
    at = 64
    outer[at : at + len(inner)] = inner
    data = whole[24:] + bytes(8) + whole + b"JUNKJUNK" * 3 + bytes(outer) + bytes(40) + whole + whole[:40]
    (tmp_path / "J").write_bytes(data)
    loss = ListLoss()
    found = table(UsnJrnlReader(str(tmp_path / "J")), None, loss).to_pylist()
    assert [row["file_no"] for row in found] == [77, 2, 77]
    assert {(entry.reason, entry.position) for entry in loss.entries} == {
        ("unreadable-bytes", 0), ("truncated-record", len(data) - 40),
    }  # fmt: skip


def test_windows_do_not_cut_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(7)
    rows = [Change(n, 1, 5, 5, "n" * dice.randrange(1, 250), 1, float(n)) for n in range(400)]
    data = b"".join(usn_record(row, n) + bytes(8 * dice.choice((0, 0, 1, 9))) for n, row in enumerate(rows))
    (tmp_path / "J").write_bytes(data)
    monkeypatch.setattr(ntfs_usnjrnl, "WINDOW", 4096)
    found = values(table(UsnJrnlReader(str(tmp_path / "J"))))
    assert found["usn"] == list(range(400))
    assert found["file_name"] == [row.name for row in rows]


def _fourth(reason: int, ranges: int = 1, size: int = 16) -> bytes:
    head = struct.pack("<IHHQQQQqIIIHH", 80, 4, 0, 77 | 3 << 48, 0, 88, 0, 64, reason, 0, 0, ranges, size)
    return head.ljust(80, b"\0")


def test_version_4_has_no_name_and_no_time_and_unknown_versions_are_counted(tmp_path: Path) -> None:
    ninth = struct.pack("<IHH", 64, 9, 9).ljust(64, b"\0")
    (tmp_path / "J").write_bytes(_fourth(0x81000001) + usn_record(_SAMPLE, 80) + ninth)
    loss = ListLoss()
    fourth, second = table(UsnJrnlReader(str(tmp_path / "J")), None, loss).to_pylist()
    assert fourth == {
        "_time": None, "file_name": None, "file_no": 77, "file_ref": 77 | 3 << 48, "parent_file_no": 88,
        "parent_file_ref": 88, "reason": ["0x1000000", "CLOSE", "DATA_OVERWRITE"], "usn": 64, "_file": "J",
        "file_attributes": None, "source_info": [], "_path": str(tmp_path / "J"),
    }  # fmt: skip
    assert (second["file_no"], second["file_name"]) == (77, "보고서.hwp")
    assert {(entry.reason, entry.count) for entry in loss.entries} == {("unreadable-bytes", 8)}


@pytest.mark.parametrize("wrong", [{"ranges": 0}, {"ranges": 2}, {"size": 8}])
def test_what_has_no_ranges_is_no_version_4_record(wrong: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "J").write_bytes(_fourth(2, **wrong) + usn_record(_SAMPLE, 80))
    loss = ListLoss()
    assert [row["usn"] for row in table(UsnJrnlReader(str(tmp_path / "J")), None, loss).to_pylist()] == [80]
    assert [entry.reason for entry in loss.entries] == ["unreadable-bytes"]


@pytest.mark.evidence
def test_version_4_of_a_real_journal(tmp_path: Path) -> None:
    path = tmp_path / "J"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d12-usn-v4.bin.xz").read_bytes()))
    (row,) = table(UsnJrnlReader(str(path))).to_pylist()
    assert (row["usn"], row["file_no"], row["parent_file_no"]) == (1170955904, 20928, 4198)
    assert (row["reason"], row["file_name"], row["_time"]) == (["CLOSE", "DATA_OVERWRITE"], None, None)


def test_a_sparse_front_of_a_terabyte(tmp_path: Path) -> None:
    path = tmp_path / "J"
    with path.open("wb") as file:
        file.seek(1 << 40)
        file.write(usn_record(_SAMPLE, 1 << 40))
    if os.stat(path).st_blocks * 512 > 1 << 30:
        pytest.skip("this file system has no sparse files")
    found = table(UsnJrnlReader(str(path))).to_pylist()
    assert [(row["usn"], row["file_name"]) for row in found] == [(1 << 40, "보고서.hwp")]


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty-file"), (bytes(9_000_000), "not-a-journal"), (b"text\n" * 9999, "not-a-journal")]
)
def test_files_that_are_no_journal(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "J").write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        table(UsnJrnlReader(str(tmp_path / "J")))
    assert caught.value.code == code


def test_wanted_columns_only(tmp_path: Path) -> None:
    volume = crowd(200)
    (tmp_path / "J").write_bytes(b"".join(journal(volume)))
    reader = UsnJrnlReader(str(tmp_path / "J"))
    whole = table(reader)
    assert whole.num_rows == len(volume.changes) > 200
    assert whole.column_names == reader.schema.names
    for name in reader.schema.names:
        assert table(reader, [name]).column(name).equals(whole.column(name))


def test_another_minor_version_is_read_the_same(tmp_path: Path) -> None:
    # dissect.ntfs, too, looks at the major version alone.
    records = [usn_record(Change(n, 1, 5, 5, f"f{n}.txt", 0x100, 1.0), 64 * n, 2 + n % 2) for n in range(40, 44)]
    (tmp_path / "J").write_bytes(b"".join(records))
    expected = table(UsnJrnlReader(str(tmp_path / "J")))
    assert expected.num_rows == 4
    (tmp_path / "J").write_bytes(b"".join(record[:6] + b"\1\0" + record[8:] for record in records))
    assert table(UsnJrnlReader(str(tmp_path / "J"))).equals(expected)
