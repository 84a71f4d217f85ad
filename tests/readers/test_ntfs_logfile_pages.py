"""$LogFile: operations by name, and which of two pages with one home counts, in logs written byte by byte.

dfir_ntfs 1.1.20 (M. Suhanov), an independent reader, gives the records and operations asserted here for the same bytes,
but where a page of format 1.1 is newer than its copies: it takes the newer copy unseen. The names of the operations are
those of its table.
"""

from __future__ import annotations

import hashlib
import lzma
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.readers.ntfs_support import table
from tests.support import shared_data
from udfs.readers.base import ListLoss
from udfs.readers.ntfs_logfile import LogFileReader

_PAGES = 64
_PLACE_BITS = 15
"""Of a log sequence number: 64 pages of 4,096 bytes are 2**15 quadwords; how often the ring was gone round above."""


def _sealed(page: bytes, at: int) -> bytes:
    """A page of 4,096 bytes as it is stored: the last word of each sector moved to the update sequence at ``at``."""
    made = bytearray(page.ljust(4096, b"\0"))
    struct.pack_into("<HH", made, 4, at, 9)
    struct.pack_into("<H", made, at, 0x0777)
    for sector in range(8):
        end = 512 * sector + 510
        made[at + 2 + 2 * sector : at + 4 + 2 * sector] = made[end : end + 2]
        made[end : end + 2] = b"\x77\x07"
    return bytes(made)


def _restart(version: tuple[int, int], current: int) -> bytes:
    page = bytearray(4096)
    page[:4] = b"RSTR"
    struct.pack_into("<IIHHH", page, 16, 4096, 4096, 48, version[1], version[0])
    struct.pack_into("<QHHHHIHHQIHHI", page, 48, current, 1, 0xFFFF, 0, 0, 64 - _PLACE_BITS, 224, 64, _PAGES * 4096, 40,
                     48, 64, 1)  # fmt: skip
    struct.pack_into("<QQHHHHII", page, 48 + 64, current, current, 0xFFFF, 0xFFFF, 0, 0, 0, 8)
    page[48 + 64 + 32 : 48 + 64 + 40] = "NTFS".encode("utf-16-le")
    return _sealed(bytes(page), 30)


def _number(page: int, place: int, turn: int) -> int:
    return turn << _PLACE_BITS | (page * 4096 + 64 + 88 * place) >> 3


def _record(number: int, before: int, length: int) -> bytes:
    """The header of a record, in front of ``length`` bytes of it."""
    return struct.pack("<QQQIIIIH6x", number, before, before, length, 0, 1, 24, 0)


def _operation(redo: int, undo: int, length: int = 40) -> bytes:
    return struct.pack("<6H", redo, undo, 40, 0, 40, 0).ljust(length, b"\0")


def _page(home: int, turn: int, operations: Sequence[tuple[int, int]], copy_of: tuple[int, int] | None = None) -> bytes:
    """A page with one record of 88 bytes for each (redo, undo); of a copy the format tells where its home stands."""
    body, before = b"", 0
    for place, (redo, undo) in enumerate(operations):
        body += _record(_number(home, place, turn), before, 40) + _operation(redo, undo)
        before = _number(home, place, turn)
    return _filled(home, body, before, copy_of)


def _filled(home: int, body: bytes, last: int, copy_of: tuple[int, int] | None = None) -> bytes:
    """A page with the records ``body``, of which ``last`` is the last one."""
    page = bytearray(64) + body
    page[:4] = b"RCRD"
    struct.pack_into("<QIHHH", page, 8, last, 1, 1, 1, len(page))
    struct.pack_into("<Q", page, 32, last)
    if copy_of == (1, 1):
        struct.pack_into("<Q", page, 8, home * 4096)
    elif copy_of:
        struct.pack_into("<I", page, 60, home * 4096)
    return _sealed(bytes(page), 40)


def _log(version: tuple[int, int], current: int, pages: dict[int, bytes]) -> bytes:
    restart = _restart(version, current)
    return restart * 2 + b"".join(pages.get(number, b"\xff" * 4096) for number in range(2, _PAGES))


_NAMES = {
    0x1E: "attribute_names_dump",
    0x1F: "dirty_page_table_dump",
    0x20: "transaction_table_dump",
    0x21: "update_record_data_root",
    0x22: "update_record_data_allocation",
    0x23: "update_relative_data_index",
    0x24: "update_relative_data_allocation",
    0x25: "zero_end_of_file_record",
    0x26: "0x26",
}
"""Of dfir_ntfs: AttributeNamesDump, DirtyPageTableDump, TransactionTableDump, UpdateRecordDataRoot,
UpdateRecordDataAllocation, UpdateRelativeDataIndex, UpdateRelativeDataAllocation, ZeroEndOfFileRecord, and 0x26."""


def test_the_last_operations_have_their_names(tmp_path: Path) -> None:
    numbers = list(_NAMES)
    operations = list(zip(numbers, reversed(numbers), strict=True))
    page = _page(34, 2, operations)
    (tmp_path / "LogFile").write_bytes(_log((1, 1), _number(34, len(operations) - 1, 2), {34: page}))
    loss = ListLoss()
    rows = table(LogFileReader(str(tmp_path / "LogFile")), ["lsn", "redo_op", "undo_op"], loss).to_pylist()
    assert [(row["lsn"], row["redo_op"], row["undo_op"]) for row in rows] == [
        (_number(34, place, 2), _NAMES[redo], _NAMES[undo]) for place, (redo, undo) in enumerate(operations)
    ]
    assert not loss.entries


_Written = tuple[int, int] | None
"""How often the ring was gone round, and how many records the page has."""
_HOMES: dict[str, tuple[_Written, list[_Written], _Written]] = {
    "the copy has more records": ((2, 3), [(2, 5)], (2, 5)),
    "the copy is of a later turn": ((1, 6), [(2, 2)], (2, 2)),
    "the page is of a later turn": ((3, 2), [(2, 5)], (3, 2)),
    "the page was never written": (None, [(2, 4)], (2, 4)),
    "the first of two copies is newer": ((2, 1), [(2, 5), (2, 3)], (2, 5)),
    "the second of two copies is newer": ((2, 1), [(2, 3), (2, 5)], (2, 5)),
    "the page is newer than both copies": ((2, 6), [(2, 3), (2, 5)], (2, 6)),
}
"""The page at its home, its copies, and which of them is the newest."""


@pytest.mark.parametrize("version", [(1, 1), (2, 0)])
@pytest.mark.parametrize("kind", _HOMES)
def test_of_two_pages_with_one_home_the_newer_counts(kind: str, version: tuple[int, int], tmp_path: Path) -> None:
    """Format 1.1 (to Windows 8) has two copies; 2.0 (Windows 10) 32, of which the newest two are at 2 and 18."""
    there, copies, newest = _HOMES[kind]
    assert newest is not None
    home, operations = 37, [(0x07, 0x07), (0x05, 0x06), (0x06, 0x05), (0x02, 0x00), (0x0B, 0x0B), (0x1B, 0x01)]
    turn, count = newest
    pages = {36: _page(36, 2, operations[:1])}
    for number, written in [(home, there), *zip((2, 3) if version == (1, 1) else (18, 2), copies, strict=False)]:
        if written:
            pages[number] = _page(home, written[0], operations[: written[1]], version if number != home else None)
    (tmp_path / "LogFile").write_bytes(_log(version, _number(home, count - 1, turn), pages))
    loss = ListLoss()
    found = table(LogFileReader(str(tmp_path / "LogFile")), ["lsn", "page", "redo_op"], loss)
    expected = [(_number(36, 0, 2), 36)] + [(_number(home, place, turn), home) for place in range(count)]
    assert [(row["lsn"], row["page"]) for row in found.to_pylist()] == expected
    assert not loss.entries


@pytest.mark.parametrize(("version", "first"), [((1, 1), 4), ((2, 0), 34)])
def test_a_record_goes_on_where_the_ring_begins(version: tuple[int, int], first: int, tmp_path: Path) -> None:
    """Its header ends the last page of the file: the operation stands in the first page behind the copies."""
    end = _PAGES - 1
    body = b"".join(_record(_number(end, n, 2), 0, 40) + _operation(0x07, 0x07) for n in range(44))
    body += _record(_number(end, 44, 2), 0, 64) + _operation(0x05, 0x06, 64)
    cut = _number(end + 1, 0, 2) - (64 + 48) // 8
    body += _record(cut, _number(end, 44, 2), 40)
    after = _number(first, 0, 3) + 40 // 8
    behind = _operation(0x1B, 0x01) + _record(after, cut, 40) + _operation(0x22, 0x22)
    pages = {end: _filled(end, body, cut), first: _filled(first, behind, after)}
    (tmp_path / "LogFile").write_bytes(_log(version, after, pages))
    loss = ListLoss()
    rows = table(LogFileReader(str(tmp_path / "LogFile")), ["lsn", "redo_op", "undo_op"], loss).to_pylist()
    assert len(rows) == 47
    assert (cut, "forget_transaction", "compensation_log_record") in [tuple(row.values()) for row in rows]
    assert not loss.entries


def _known_as(row: dict[str, object]) -> str:
    """A row as the answers have it: the other reader's names without capitals, of one the plural."""
    names = (str(row[name] or "").replace("_", "").replace("attributesize", "attributesizes") for name in _OPERATIONS)
    return hashlib.sha256("|".join([str(row["lsn"]), *names]).encode()).hexdigest()[:8]


_OPERATIONS = ("redo_op", "undo_op")


def operations_told(folder: Path) -> list[tuple[set[str], set[str]]]:
    """Of each log of the private data the rows here and the rows dfir_ntfs finds."""
    made = []
    for line in (Path(__file__).parent / "logfile_answers.txt").read_text().splitlines()[3:]:
        name, *rows = line.split()
        (folder / "LogFile").write_bytes(lzma.decompress(shared_data(*name.split("/")).read_bytes()))
        found = table(LogFileReader(str(folder / "LogFile")), ["lsn", *_OPERATIONS]).to_pylist()
        made.append(({_known_as(row) for row in found}, set(rows)))
    return made


@pytest.mark.evidence
def test_operations_as_another_reader_tells_them(tmp_path: Path) -> None:
    """dfir_ntfs leaves out the first record of a log: it goes from record to record, and none leads there."""
    logs = operations_told(tmp_path)
    assert [len(theirs) for _, theirs in logs] == [778, 795]
    assert [(len(ours - theirs), len(theirs - ours)) for ours, theirs in logs] == [(1, 0), (1, 0)]
