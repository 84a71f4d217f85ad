"""Named streams and further names of file records: records made here, and real ones as dfir_ntfs and fls list them."""

from __future__ import annotations

import json
import lzma
import struct
from pathlib import Path
from typing import Any

import pytest

from sample_data.make_ntfs import _attribute, file_name, filetime, record, reference
from tests.readers.ntfs_support import table
from tests.support import shared_data
from udfs.readers.base import ListLoss, null_context
from udfs.readers.ntfs_mft import MftReader
from udfs.readers.request import Request

_TIMES = tuple(filetime(n) for n in range(4))
_STANDARD = _attribute(0x10, struct.pack("<4QIIIIIIQQ", *_TIMES, 0x20, 0, 0, 0, 0, 256, 0, 0), 0)
_ZONE = b"[ZoneTransfer]\r\nZoneId=3\r\n"


def _name(text: str, parent: int = 5, space: int = 1, at: int = 0) -> bytes:
    times = tuple(filetime(at + n) for n in range(4))
    return _attribute(0x30, file_name(reference(parent, parent if parent == 5 else 1), times, text, space), 2)


def _outside(name: str, size: int, lowest: int = 0) -> bytes:
    """A $DATA whose content lies elsewhere on the volume."""
    label = name.encode("utf-16-le")
    runs = 64 + -(-len(label) // 8) * 8
    head = struct.pack("<IIBBHHHQQHHIQQQ", 0x80, runs + 16, 1, len(name), 64, 0, 4, lowest, 9, runs, 0, 0, 40_960,
                       size, size)  # fmt: skip
    return (head + label).ljust(runs, b"\0") + b"\x11\x0a\x20\0".ljust(16, b"\0")


def _volume() -> bytes:
    """The root, a folder 6, files from 7 on; 8 and 9 belong to 7, whose names and streams go on there."""
    root = record(5, _STANDARD + _name("."), 5, 3, 1)
    folder = record(6, _STANDARD + _name("folder"), 1, 3, 1)
    many = [_name("a.txt", at=10), _name("A~1.TXT", space=2), _attribute(0x80, b"x", 3)]
    many.append(_attribute(0x80, _ZONE, 4, "Zone.Identifier"))
    parts = {
        5: root,
        6: folder,
        7: record(7, _STANDARD + b"".join(many), 1, 1, 4),
        8: record(8, _name("b.txt", 6, at=20) + _name("c.txt", 99, at=30) + _outside("big", 70_000), 1, 1, 0,
                  base=reference(7, 1)),
        9: record(9, _name("lost.txt") + _outside("lost", 5), 1, 0, 0, base=reference(7, 1)),  # no longer in use
        10: record(10, _STANDARD + _name("one.txt") + _outside("big", 70_000, 20), 1, 1, 1),
        11: record(11, _name("other.txt"), 1, 1, 0, base=reference(7, 9)),  # of another file of that number
    }  # fmt: skip
    return b"".join(parts.get(no, record(no, b"", 1, 0, 0)) for no in range(12))


def _rows(path: Path, loss: ListLoss | None = None, **options: object) -> list[dict[str, Any]]:
    context = null_context(loss)
    reader = MftReader.of(Request([str(path)], context, options))
    return [row for batch in reader.scan(None, context) for row in batch.to_pylist()]


def test_lists_of_streams_and_names(tmp_path: Path) -> None:
    path, loss = tmp_path / "MFT", ListLoss()
    path.write_bytes(_volume())
    rows = {row["no"]: row for row in _rows(path, loss)}
    assert not loss.entries
    assert rows[7]["file_path"] == "a.txt"
    assert rows[7]["names"] == ["folder\\b.txt", "c.txt"]  # no DOS name, nothing of 9 and 11
    assert json.loads(rows[7]["ads"]) == [
        {"name": "Zone.Identifier", "size": 26, "content": _ZONE.hex()},
        {"name": "big", "size": 70_000, "content": None},
    ]
    assert rows[7]["own_ref"] == reference(7, 1)
    assert {no for no, row in rows.items() if row["names"] is not None} == {7}
    assert {no for no, row in rows.items() if row["ads"] is not None} == {7}
    # Alone they are the same: no other column brings the names along.
    for column in ("names", "ads"):
        alone = table(MftReader(str(path)), [column])[column].to_pylist()
        assert alone == [row[column] for row in rows.values()]


def test_a_row_a_name(tmp_path: Path) -> None:
    path = tmp_path / "MFT"
    path.write_bytes(_volume())
    rows = [row for row in _rows(path, names=True) if row["no"] == 7]
    assert [(row["file_name"], row["file_path"], row["parent_no"], row["is_orphan"]) for row in rows] == [
        ("a.txt", "a.txt", 5, False),
        ("b.txt", "folder\\b.txt", 6, False),
        ("c.txt", "c.txt", 99, True),
    ]
    assert [row["created_at"].second for row in rows] == [10, 20, 30]
    assert {row["file_size"] for row in rows} == {1}
    assert len(_rows(path, names=True)) == 14


def test_a_row_a_stream(tmp_path: Path) -> None:
    path = tmp_path / "MFT"
    path.write_bytes(_volume())
    rows = _rows(path, streams=True)
    assert [(r["no"], r["file_path"], r["stream_name"], r["stream_size"], r["stream_content"]) for r in rows] == [
        (7, "a.txt", "Zone.Identifier", 26, _ZONE),
        (7, "a.txt", "big", 70_000, None),
    ]


def test_of_long_content_the_first_kilobyte(tmp_path: Path) -> None:
    path = tmp_path / "MFT"
    long = _attribute(0x80, b"ab" * 1500, 4, "s")
    path.write_bytes(record(0, _STANDARD + _name("$MFT") + long, 1, 1, 1, 4096))
    (row,) = _rows(path, streams=True)
    assert (row["stream_size"], row["stream_content"]) == (3000, b"ab" * 512)


@pytest.mark.evidence
def test_the_stream_of_a_download(tmp_path: Path) -> None:
    """As dfir_ntfs shows it."""
    path = tmp_path / "MFT"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d10-ads-part.mft.xz").read_bytes()))
    (row,) = (row for row in _rows(path, streams=True) if row["file_name"] == "hyvy.exe")
    assert (row["stream_name"], row["stream_size"]) == ("Zone.Identifier", 26)
    assert row["stream_content"] == _ZONE


@pytest.mark.evidence
def test_a_hundred_names(tmp_path: Path) -> None:
    """As fls of the Sleuth Kit lists them."""
    path = tmp_path / "MFT"
    path.write_bytes(lzma.decompress(shared_data("evidence2", "d13-attrlist-100-links.mft.xz").read_bytes()))
    rows = [row for row in _rows(path, names=True) if row["no"] == 27]
    assert sorted(row["file_path"] for row in rows) == sorted(f"{n}.txt" for n in range(1, 101))
    (row,) = (row for row in _rows(path) if row["no"] == 27)
    assert sorted([row["file_path"], *row["names"]]) == sorted(f"{n}.txt" for n in range(1, 101))
