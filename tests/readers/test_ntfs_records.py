"""Records with one damaged number: what the rest of the record still says is read, and the record is counted.

The expected values are those of the same record before the damage. Other readers (dissect.ntfs, the Rust crate mft)
give the row too, most of them with fewer values.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from sample_data.make_ntfs import Entry, mft, story
from tests.readers.ntfs_support import table
from udfs.readers.base import ListLoss
from udfs.readers.ntfs_mft import MftReader

_NO = 46
_NAME = "a rather long name.bin"
_STANDARD, _FILE_NAME, _DATA = 0x10, 0x30, 0x80


def _records() -> list[bytes]:
    volume = story()
    volume.add(Entry(_NO, _NAME, 5, size=9_000_000))
    return list(mft(volume))


def _attribute(record: bytes, wanted: int) -> int:
    at = int(struct.unpack_from("<H", record, 20)[0])
    while True:
        kind, length = struct.unpack_from("<II", record, at)
        if kind == wanted:
            return at
        at += int(length)


def _row(path: Path, record: bytes) -> tuple[dict[str, Any], ListLoss]:
    made = _records()
    made[_NO] = record
    path.write_bytes(b"".join(made))
    loss = ListLoss()
    rows = table(MftReader(str(path)), None, loss).to_pylist()
    return next(row for row in rows if row["no"] == _NO), loss


@pytest.mark.parametrize("kind", [_STANDARD, _FILE_NAME])
@pytest.mark.parametrize(
    ("place", "layout", "number"),
    [
        (4, "<I", 0),
        (4, "<I", 0xFFFFFFFF),
        (4, "<I", 0x10060),
        (8, "<B", 1),
        (16, "<I", 0),
        (16, "<I", 0xFFFFFFFF),
        (20, "<H", 0),
        (20, "<H", 0xFFFF),
        (20, "<H", 26),
    ],
)
def test_name_and_times_survive_a_damaged_attribute_header(
    kind: int, place: int, layout: str, number: int, tmp_path: Path
) -> None:
    record = bytearray(_records()[_NO])
    expected, clean = _row(tmp_path / "MFT", bytes(record))
    assert expected["file_name"] == _NAME
    struct.pack_into(layout, record, _attribute(record, kind) + place, number)
    found, loss = _row(tmp_path / "MFT", bytes(record))
    assert found == expected
    assert (clean.total("damaged-record"), loss.total("damaged-record")) == (0, 1)


def test_sizes_survive_a_damaged_length(tmp_path: Path) -> None:
    record = bytearray(_records()[_NO])
    struct.pack_into("<I", record, _attribute(record, _DATA) + 4, 0xFFFF)
    found, loss = _row(tmp_path / "MFT", bytes(record))
    assert found["file_size"] == 9_000_000
    assert loss.total("damaged-record") == 1


@pytest.mark.parametrize("claimed", [len(_NAME) + 5, 200, 255])
def test_a_name_that_claims_too_much_ends_with_its_content(claimed: int, tmp_path: Path) -> None:
    record = bytearray(_records()[_NO])
    record[_attribute(record, _FILE_NAME) + 24 + 64] = claimed
    found, loss = _row(tmp_path / "MFT", bytes(record))
    assert found["file_name"] == _NAME
    assert loss.total("damaged-record") == 1


@pytest.mark.parametrize("zeroed", [(_STANDARD, "std_created_at"), (_FILE_NAME, "file_name")])
def test_zeros_are_no_values(zeroed: tuple[int, str], tmp_path: Path) -> None:
    record = bytearray(_records()[_NO])
    at = _attribute(record, zeroed[0]) + 16
    record[at : at + 80] = bytes(80)
    assert _row(tmp_path / "MFT", bytes(record))[0][zeroed[1]] is None


@pytest.mark.parametrize(("bytes_left", "rows"), [(512, 1), (1023, 1), (511, 0)])
def test_a_record_cut_off_at_the_end_is_a_row(bytes_left: int, rows: int, tmp_path: Path) -> None:
    whole = _records()[: _NO + 1]
    (tmp_path / "MFT").write_bytes(b"".join(whole)[: _NO * 1024 + bytes_left])
    loss = ListLoss()
    found = table(MftReader(str(tmp_path / "MFT")), ["no", "file_name"], loss).to_pylist()
    assert [row["file_name"] for row in found if row["no"] == _NO] == [_NAME] * rows
    assert [(entry.count, entry.position) for entry in loss.entries if entry.reason == "truncated-record"] == [
        (1, _NO * 1024)
    ]


@pytest.mark.parametrize("size", [1024, 4096])
@pytest.mark.parametrize(("front", "begin"), [(0, 24), (0, 30), (512, 24), (1 << 20, 0)])
def test_a_part_of_an_mft_keeps_its_numbers_and_paths(size: int, front: int, begin: int, tmp_path: Path) -> None:
    whole = list(mft(story(), size))
    (tmp_path / "MFT").write_bytes(b"".join(whole))
    expected = {row["no"]: row for row in table(MftReader(str(tmp_path / "MFT"))).to_pylist()}
    (tmp_path / "MFT").write_bytes(bytes(front) + b"".join(whole[begin:]))
    found = table(MftReader(str(tmp_path / "MFT"))).to_pylist()
    assert [row["no"] for row in found] == [no for no in expected if no >= begin]
    for row in found:
        # A path begins below the first parent that is not in the part, and the row says so.
        there, begins = expected[row["no"]].pop("file_path") or "", row.pop("file_path") or ""
        assert there.endswith(begins)
        orphan = expected[row["no"]].pop("is_orphan")
        assert row.pop("is_orphan") is (orphan if begins == there else True)
        assert row == expected[row["no"]]
    named = {row["no"]: row for row in found}
    for row in found:
        assert row["parent_no"] not in named or row["parent_no"] == 5 or named[row["parent_no"]]["is_dir"]


def test_parents_inside_a_part_are_found(tmp_path: Path) -> None:
    whole = list(mft(story()))
    (tmp_path / "MFT").write_bytes(b"".join(whole))
    columns = ["no", "parent_no", "file_name", "file_path"]
    rows = {row["no"]: row for row in table(MftReader(str(tmp_path / "MFT")), columns).to_pylist()}
    # Cut behind the first folder whose own folder is not the root: its files keep its name and lose what is above.
    below = next(no for no, row in rows.items() if no >= 24 and row["parent_no"] not in (5, None))
    begin = rows[below]["parent_no"]
    (tmp_path / "MFT").write_bytes(b"".join(whole[begin:]))
    part = {row["no"]: row for row in table(MftReader(str(tmp_path / "MFT")), columns).to_pylist()}
    assert min(part) == begin
    assert part[below]["file_path"] == f"{rows[begin]['file_name']}\\{rows[below]['file_name']}"


def test_one_wrong_number_or_size_decides_nothing(tmp_path: Path) -> None:
    whole = [bytearray(record) for record in mft(story())]
    (tmp_path / "MFT").write_bytes(b"".join(whole))
    expected = table(MftReader(str(tmp_path / "MFT")))
    struct.pack_into("<I", whole[0], 28, 4096)
    struct.pack_into("<I", whole[0], 44, 77_777)
    (tmp_path / "MFT").write_bytes(b"".join(whole))
    assert table(MftReader(str(tmp_path / "MFT"))).equals(expected)
