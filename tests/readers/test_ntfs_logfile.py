"""$LogFile: against a plain walk from record to record, the MFT it wrote, and made-up pages."""

from __future__ import annotations

import lzma
import struct
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sample_data.make_ntfs import Entry, Volume, entry_record, file_name, reference, story
from tests.readers.ntfs_support import FILETIME_EPOCH_US, table, unpacked, values
from tests.support import shared_data
from udfs.readers.base import ListLoss, ReaderError
from udfs.readers.ntfs_logfile import OPERATIONS, LogFileReader
from udfs.readers.ntfs_mft import MftReader


def _unfixed(page: bytes) -> bytes:
    made = bytearray(page)
    start, count = struct.unpack_from("<HH", page, 4)
    for sector in range(count - 1):
        end = 512 * (sector + 1)
        assert made[end - 2 : end] == page[start : start + 2]
        made[end - 2 : end] = page[start + 2 + 2 * sector : start + 4 + 2 * sector]
    return bytes(made)


def _chain(data: bytes) -> list[dict[str, Any]]:
    """Independent reader: from record to record by their lengths, as a log service would, page after page."""
    found: list[dict[str, Any]] = []
    # Pages 2 and 3 hold copies of the newest pages: their eighth byte is the place in the file, the thirty-second the
    # number of the last record that ends in them.
    for copy in sorted(
        (data[at : at + 4096] for at in (8192, 12288)), key=lambda c: int.from_bytes(c[32:40], "little")
    ):
        place, ends = (int.from_bytes(copy[at : at + 8], "little") for at in (8, 32))
        there = data[place : place + 4096]
        if copy[:4] == b"RCRD" and (there[:4] != b"RCRD" or ends > int.from_bytes(there[32:40], "little")):
            data = data[:place] + copy + data[place + 4096 :]
    pages = len(data) // 4096
    page, at, body = 4, 64, b""
    while page < pages:
        raw = data[page * 4096 : page * 4096 + 4096]
        if raw[:4] != b"RCRD":
            page, at = page + 1, 64
            continue
        body = _unfixed(raw)
        last = struct.unpack_from("<Q", body, 8)[0]  # the last record that begins in this page
        last = struct.unpack_from("<Q", body, 32)[0] if last == page * 4096 else last  # a copy
        if at > 4096 - 48 or (found and found[-1]["lsn"] == last):
            page, at = page + 1, 64
            continue
        lsn, prev, _, length, _, kind, _, flags = struct.unpack_from("<QQQIIIIH", body, at)
        client = body[at + 48 : at + 60]
        if len(client) < 12:  # goes on behind the header of the next page
            client += _unfixed(data[page * 4096 + 4096 : page * 4096 + 8192])[64 : 76 - len(client)]
        redo, undo, ro, rl, uo, ul = struct.unpack("<6H", client)
        found.append({"page": page, "lsn": lsn, "prev_lsn": prev, "client_data_length": length, "record_type": kind,
                      "flags": flags, "redo_op": redo, "undo_op": undo, "redo_offset": ro, "redo_len": rl,
                      "undo_offset": uo, "undo_len": ul})  # fmt: skip
        left = (length + 7) // 8 * 8
        at += 48
        while left > 4096 - at:
            left -= 4096 - at
            page, at = page + 1, 64
        at += left
    return found


@pytest.mark.evidence
def test_same_records_as_a_walk_from_record_to_record(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "logfile", "tiny-volume-LogFile")
    expected = _chain(path.read_bytes())
    found = table(LogFileReader(str(path))).to_pylist()
    assert len(expected) > 500
    assert [row["lsn"] for row in found] == [row["lsn"] for row in expected]
    for row, other in zip(found, expected, strict=True):
        for name in ("page", "prev_lsn", "client_data_length", "record_type", "flags"):
            assert row[name] == other[name]
        if row["record_type"] == 1:
            for name in ("redo_offset", "redo_len", "undo_offset", "undo_len"):
                assert row[name] == other[name]
            assert row["redo_op"] == OPERATIONS.get(other["redo_op"], hex(other["redo_op"]))
            assert row["undo_op"] == OPERATIONS.get(other["undo_op"], hex(other["undo_op"]))
        else:
            assert row["redo_op"] is None


@pytest.mark.evidence
def test_names_written_to_the_log_are_names_in_the_mft(tmp_path: Path) -> None:
    log = table(LogFileReader(str(unpacked(tmp_path, "logfile", "tiny-volume-LogFile")))).to_pylist()
    records = values(table(MftReader(str(unpacked(tmp_path, "mft", "tiny-volume-MFT")))))
    created = dict(zip(records["file_name"], records["created_at"], strict=True))
    written = [row for row in log if row["redo_op"] == "initialize_file_record_segment" and row["file_name"]]
    assert len(written) > 20
    # All but the files deleted again are still there, with a creation time the log holds ($Quota was made twice).
    assert {row["file_name"] for row in written} - set(created) <= {"suspicious.zip", "Tulips.jpg"}
    times = {(row["file_name"], row["created_at"].replace(tzinfo=None)) for row in written}
    epoch = datetime(1970, 1, 1)
    for name in {row["file_name"] for row in written} & set(created):
        assert (name, epoch + timedelta(microseconds=created[name])) in times
    for row in written:
        assert row["mft_head"].startswith("46494c45")
        assert row["mft_lsn"] < row["lsn"]
    deleted = [row["file_name"] for row in log if row["redo_op"] == "delete_index_entry_allocation"]
    assert Counter(deleted)["suspicious.zip"] == 1
    assert all(row["file_name"] is None for row in log if row["redo_op"] in ("noop", "update_resident_value"))


@pytest.mark.evidence
def test_the_newest_transaction_is_only_in_a_copy(tmp_path: Path) -> None:
    """dfir_ntfs shows record 8410130; it is in the copies only, as their page lies behind the end of the file."""
    path = tmp_path / "LogFile"
    data = lzma.decompress(shared_data("evidence2", "d08-LogFile_7.bin.xz").read_bytes())
    path.write_bytes(data)
    loss = ListLoss()
    rows = table(LogFileReader(str(path)), ["lsn", "prev_lsn", "page", "redo_op", "record_type"], loss).to_pylist()
    assert [entry.reason for entry in loss.entries] == ["truncated-log"], "the first 42 pages of a log"
    assert [(row["lsn"], row["prev_lsn"], row["page"], row["redo_op"], row["record_type"]) for row in rows[-2:]] == [
        (8410130, 8410095, 42, "forget_transaction", 1),
        (8410141, 0, 42, None, 2),  # the checkpoint that the restart pages name as the current one
    ]
    assert len({row["lsn"] for row in rows}) == len(rows)
    # dfir_ntfs counts 764 log records, without checkpoints.
    assert Counter(row["record_type"] for row in rows) == {1: 764, 2: 15}
    # A torn copy is none, and the older one counts then; a copy that names a page of another log neither.
    for change, newest in (((8192 + 510, b"\xff\xff"), 8410130), ((8192 + 8, bytes(8)), 8410130)):
        at, put = change
        path.write_bytes(data[:at] + put + data[at + len(put) :])
        assert max(table(LogFileReader(str(path)), ["lsn"])["lsn"].to_pylist()) == newest


class _Log:
    """Writes records into log pages, so that one may go on in the next page."""

    def __init__(self, pages: int, bits: int = 40) -> None:
        self.pages, self.bits = pages, bits
        self.stream = bytearray()

    def add(self, redo: int, undo: int, redo_data: bytes, undo_data: bytes = b"", kind: int = 1) -> int:
        room = 4032 - len(self.stream) % 4032
        if room < 48:
            self.stream += bytes(room)
        offset = (4 + len(self.stream) // 4032) * 4096 + 64 + len(self.stream) % 4032
        lsn = 3 << (64 - self.bits) | offset >> 3
        data = struct.pack("<6H", redo, undo, 40, len(redo_data), 40 + len(redo_data), len(undo_data)).ljust(40, b"\0")
        data += redo_data + undo_data
        head = struct.pack("<QQQIIIIHxxxxxx", lsn, 0, 0, len(data), 0, kind, 0, 0)
        self.stream += head + data + bytes(-len(data) % 8)
        return lsn

    def data(self) -> bytes:
        restart = bytearray(struct.pack("<4sHH", b"RSTR", 30, 9).ljust(4096, b"\0"))
        struct.pack_into("<IIH", restart, 16, 4096, 4096, 48)
        struct.pack_into("<I", restart, 48 + 16, self.bits)
        made = bytes(restart) * 2 + b"\xff" * 8192
        for at in range(0, len(self.stream), 4032):
            page = bytearray(struct.pack("<4sHH", b"RCRD", 40, 9).ljust(64, b"\0") + self.stream[at : at + 4032])
            page = page.ljust(4096, b"\0")
            struct.pack_into("<H", page, 40, 0x1234)
            for sector in range(8):
                end = 512 * (sector + 1)
                page[42 + 2 * sector : 44 + 2 * sector] = page[end - 2 : end]
                page[end - 2 : end] = b"\x34\x12"
            made += bytes(page)
        return made.ljust(self.pages * 4096, b"\xff")


def _unapplied(entry: Entry, volume: Volume) -> bytes:
    """A file record as the log holds it: without the update sequence in its sectors."""
    made = bytearray(entry_record(volume, entry))
    for sector in range(2):
        made[512 * sector + 510 : 512 * sector + 512] = made[50 + 2 * sector : 52 + 2 * sector]
    return bytes(made[: struct.unpack_from("<I", made, 24)[0]])


def test_records_across_pages_and_deleted_entries(tmp_path: Path) -> None:
    volume, log = story(), _Log(12)
    entries = [Entry(60 + n, f"파일 {n} with a long name.txt", 31, size=100, at=float(n)) for n in range(30)]
    lsns = [log.add(2, 0, _unapplied(entry, volume)) for entry in entries]
    key = file_name(reference(31, 31), [1 << 57, 2 << 56, 3 << 56, 5 << 56], "gone.docx", 1)
    index_entry = struct.pack("<QHHI", reference(99, 2), 16 + len(key), len(key), 0) + key
    lsns.append(log.add(0x0F, 0x0E, b"", index_entry))
    lsns.append(log.add(0x0F, 0x0E, b"", struct.pack("<QHHI", 1, 40, 8, 0) + bytes(80)))  # an index without names
    lsns.append(log.add(0x1B, 1, b"", kind=1))
    (tmp_path / "LogFile").write_bytes(log.data())
    loss = ListLoss()
    found = table(LogFileReader(str(tmp_path / "LogFile")), None, loss).to_pylist()
    assert loss.entries == []
    assert [row["lsn"] for row in found] == lsns
    assert [row["file_name"] for row in found] == [entry.name for entry in entries] + ["gone.docx", None, None]
    assert len({row["page"] for row in found}) > 3
    gone = found[30]
    assert gone["redo_op"] == "delete_index_entry_allocation"
    assert gone["mft_head"] == index_entry[:16].hex()
    assert (gone["mft_lsn"], gone["mft_link_count"]) == (None, None)
    micros = values(table(LogFileReader(str(tmp_path / "LogFile")), ["created_at", "modified_at", "access_at"]))
    assert micros["created_at"][30] == (1 << 57) // 10 - FILETIME_EPOCH_US
    assert micros["access_at"][30] == (5 << 56) // 10 - FILETIME_EPOCH_US
    assert (found[0]["mft_link_count"], found[0]["mft_lsn"]) == (1, 4096 + 60)


def test_fresh_log_of_ff_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "LogFile").write_bytes(b"\xff" * 2_097_152)
    loss = ListLoss()
    assert table(LogFileReader(str(tmp_path / "LogFile")), None, loss).num_rows == 0
    assert loss.entries == []


@pytest.mark.evidence
def test_damaged_page_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    path = unpacked(tmp_path, "logfile", "tiny-volume-LogFile")
    whole = table(LogFileReader(str(path)))
    data = bytearray(path.read_bytes())
    data[10 * 4096 : 10 * 4096 + 4] = b"BAAD"
    (tmp_path / "damaged").write_bytes(data)
    loss = ListLoss()
    found = table(LogFileReader(str(tmp_path / "damaged")), None, loss)
    lost = [row for row in whole.to_pylist() if row["page"] == 10]
    assert found.num_rows == whole.num_rows - len(lost)
    assert [(entry.reason, entry.position) for entry in loss.entries] == [("damaged-page", 10 * 4096)]


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty-file"), (b"short", "not-a-logfile"), (b"no log " * 9999, "not-a-logfile")]
)
def test_files_that_are_no_log(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "LogFile").write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        table(LogFileReader(str(tmp_path / "LogFile")))
    assert caught.value.code == code


_PIECES = {
    "restart pages and copies cut off": [(4, 512)],
    "one page lost": [(0, 6), (7, 512)],
    "two pages exchanged": [(0, 6), (7, 8), (6, 7), (8, 512)],
    "from the middle": [(20, 40)],
}
"""What is left of the file, in pages."""


@pytest.mark.evidence
@pytest.mark.parametrize("kind", _PIECES)
def test_pages_that_stand_elsewhere_give_their_records(kind: str, tmp_path: Path) -> None:
    path = unpacked(tmp_path, "logfile", "tiny-volume-LogFile")
    data = path.read_bytes()
    pieces = _PIECES[kind]
    there = {page for begin, end in pieces for page in range(begin, end)}
    whole = table(LogFileReader(str(path)), ["lsn", "page", "redo_op", "prev_lsn"]).to_pylist()
    part = tmp_path / "part"
    part.write_bytes(b"".join(data[begin * 4096 : end * 4096] for begin, end in pieces))
    found = table(LogFileReader(str(part)), ["lsn", "redo_op", "prev_lsn"]).to_pylist()
    # Without the copies before the log, the four newest records are gone.
    only_copied = set() if 3 in there else {row["lsn"] for row in whole[-4:]}
    expected = [
        {name: row[name] for name in ("lsn", "redo_op", "prev_lsn")}
        for row in whole
        if row["page"] in there and row["lsn"] not in only_copied
    ]
    # A record that begins in the last page before a cut goes on in one that is not there: its operation is unknown.
    assert sorted(row["lsn"] for row in found) == sorted(row["lsn"] for row in expected)
    assert sum(row in expected for row in found) >= len(expected) - 2


_NUMBER, _LENGTH, _KIND = 0, 24, 32


@pytest.mark.evidence
@pytest.mark.parametrize("field", [_NUMBER, _NUMBER + 7, _LENGTH + 2, _KIND])
def test_a_record_whose_header_is_destroyed_is_told(field: int, tmp_path: Path) -> None:
    """Records are found by their number: one without it was left out, and nothing said so."""
    path = unpacked(tmp_path, "logfile", "tiny-volume-LogFile")
    data = path.read_bytes()
    whole = table(LogFileReader(str(path)), ["lsn", "page"]).to_pylist()
    page = 6
    here = [row["lsn"] for row in whole if row["page"] == page]
    assert len(here) > 4
    for lsn in here[1:]:  # the first one of a page is named by nobody where the record before ends elsewhere
        at = data.index(struct.pack("<Q", lsn), page * 4096 + 64)
        (tmp_path / "damaged").write_bytes(data[: at + field] + b"\x77" + data[at + field + 1 :])
        loss = ListLoss()
        found = table(LogFileReader(str(tmp_path / "damaged")), ["lsn"], loss).column("lsn").to_pylist()
        # With high bits that are wrong it is still found by its place, under a number that it has not.
        assert lsn not in found
        assert len(found) == len(whole) - (field != _NUMBER + 7)
        assert [(e.reason, e.count, e.position) for e in loss.entries] == [("damaged-record", 1, at)]


def test_a_log_of_zeros_behind_its_first_bytes_is_told(tmp_path: Path) -> None:
    (tmp_path / "LogFile").write_bytes(b"RSTR".ljust(1 << 20, b"\0"))
    loss = ListLoss()
    assert table(LogFileReader(str(tmp_path / "LogFile")), None, loss).num_rows == 0
    assert [(e.reason, e.count) for e in loss.entries] == [("damaged-page", 256)]
