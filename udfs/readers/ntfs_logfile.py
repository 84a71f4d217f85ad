"""NTFS $LogFile to Arrow: one row per log record (command ``ntfs-logfile``).

Contract: rows in file order, older passes of the circular log included; names and times of records that write a whole
file record (redo ``initialize_file_record_segment``) or take an entry out of a directory (``delete_index_entry_*``).
A log sequence number holds the file offset of its own record in its low bits, so records are found in all pages at
once by comparing every quadword with its position, and damage cannot lead astray. The copies of the newest pages that
stand before the log (two; 32 from log format 2.0 on, Windows 10) are read in the place of their page when that is older
or not there: what was last written to a volume that was not shut down is only in them. In a page that stands elsewhere
(a part of a log, a page lost before it) the page's header tells its place. A log of 0xFF only (a fresh volume of
ntfs-3g) has no rows. Memory is bounded by the window. Layout: libyal's NTFS documentation; operation names as the
manual spells them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.readers.artefacts import surely
from udfs.readers.base import BATCH_ROWS, ReadContext, ReaderError, batch_of, field
from udfs.readers.evidence import (
    Bytes,
    Evidence,
    EvidenceReader,
    Tally,
    Target,
    base_name,
    joined,
)
from udfs.readers.ntfs_arrays import (
    TIMESTAMP,
    Flags,
    Ints,
    bitmap,
    constant,
    filetimes,
    int32,
    int64,
    offsets_of,
    ragged,
    strings,
)
from udfs.readers.ntfs_records import FILE, NO_NAME, Block, fix_up, walk

PAGE = 4096
_PAGE_HEADER = 64
_BODY = PAGE - _PAGE_HEADER
_HEADER = 48
_WINDOW = 1024
"""Pages searched at a time."""
_LONGEST = 65_536
"""Bytes of client data of one record that are believed."""
_REACH = _LONGEST // _BODY + 2
"""Pages behind the window that a record beginning in it may reach."""
_LARGEST_LOG = 4 << 30
"""Bytes of a log that are believed: Windows makes none larger."""
_FIRST_COPY = 2
"""Behind the two restart pages stand copies of the log's newest pages, and behind them the log."""
_RING, _RING_2 = 4, 34
"""First page of the log; from format 2.0 on."""
_LAST_END = 4
"""Quadword of a page's header: number of the last record that ends in the page."""
_FIRST = np.zeros(1, np.int64)
_RSTR, _RCRD = 0x52545352, 0x44524352

OPERATIONS = {
    0x00: "noop", 0x01: "compensation_log_record", 0x02: "initialize_file_record_segment",
    0x03: "deallocate_file_record_segment", 0x04: "write_end_of_file_record_segment", 0x05: "create_attribute",
    0x06: "delete_attribute", 0x07: "update_resident_value", 0x08: "update_non_resident_value",
    0x09: "update_mapping_pairs", 0x0A: "delete_dirty_clusters", 0x0B: "set_new_attribute_size",
    0x0C: "add_index_entry_root", 0x0D: "delete_index_entry_root", 0x0E: "add_index_entry_allocation",
    0x0F: "delete_index_entry_allocation", 0x12: "set_index_entry_ven_allocation", 0x13: "update_file_name_root",
    0x14: "update_file_name_allocation", 0x15: "set_bits_in_non_resident_bitmap",
    0x16: "clear_bits_in_non_resident_bitmap", 0x19: "prepare_transaction", 0x1A: "commit_transaction",
    0x1B: "forget_transaction", 0x1C: "open_non_resident_attribute", 0x1D: "open_attribute_table_dump",
    0x1F: "dirty_page_table_dump", 0x20: "transaction_table_dump", 0x21: "update_record_data_root",
    0x1E: "attribute_names_dump", 0x22: "update_record_data_allocation", 0x23: "update_relative_data_index",
    0x24: "update_relative_data_allocation", 0x25: "zero_end_of_file_record",
}  # fmt: skip
"""The manual's names; of 0x1e and 0x22 to 0x25 those of dfir_ntfs. Another number prints in hexadecimal
(``0x26``)."""
_NAMES = pa.array([OPERATIONS.get(number, f"0x{number:x}") for number in range(65_536)], pa.string())
_INITIALIZE, _DELETE_ROOT, _DELETE_ALLOCATION = 0x02, 0x0D, 0x0F
_DETAILS = frozenset({"file_name", "mft_head", "mft_lsn", "mft_link_count", "created_at", "modified_at", "access_at"})

SCHEMA = pa.schema(
    [
        *(field(name, TIMESTAMP) for name in ("access_at", "created_at", "modified_at")),
        field("client_data_length", pa.int32()),
        field("file_name", pa.string()),
        field("flags", pa.int32()),
        field("lsn", pa.int64()),
        field("mft_head", pa.string()),
        field("mft_link_count", pa.int32()),
        field("mft_lsn", pa.int64()),
        field("page", pa.int64()),
        field("prev_lsn", pa.int64()),
        field("record_type", pa.int32()),
        field("redo_len", pa.int32()),
        field("redo_offset", pa.int32()),
        field("redo_op", pa.string()),
        field("undo_len", pa.int32()),
        field("undo_offset", pa.int32()),
        field("undo_op", pa.string()),
        field("_file", pa.string()),
    ]
)
"""``page``: number of the 4,096-byte page of the log that the record's header belongs to. ``mft_head``: first 16 bytes
of the file record or directory entry in hexadecimal. Redo and undo fields are null in checkpoint records
(``record_type`` 2)."""


class LogFileReader(EvidenceReader):
    """Reader of $LogFile.

    ``paths``, ``zippath``, ``zipcharset``: as for ``MftReader``. ReaderError codes: ``empty-file``, ``not-a-logfile``.
    Ledger reasons (position = byte offset of the first): ``damaged-page`` (no RCRD signature, rows of it are missing),
    ``torn-page`` (rows kept), ``damaged-record`` (data outside the record: row kept; no number where a record begins by
    its page or by the one before: no row).
    """

    columns = SCHEMA

    @staticmethod
    def belongs(name: str, head: bytes) -> bool:
        """A log begins with a restart page. ``$LogFile`` is one also where that is destroyed."""
        begins = head.startswith((b"RSTR", b"CHKD")) and "logfile" in name.lower()
        return begins or surely("NTFS $LogFile", name)

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file, in record order."""
        return _scan_file(target, wanted, context)


def _scan_file(target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
    with Evidence(target, context) as evidence:
        if evidence.size == 0:
            raise ReaderError("{path} is empty", evidence.name, "empty-file")
        tally = Tally()
        restart = _restart(evidence)
        missing = restart.pages - evidence.size // PAGE
        if missing > 0:
            tally.add("truncated-log", missing, evidence.size)
        try:
            yield from joined(_windows(evidence, restart, wanted, base_name(target), tally), BATCH_ROWS * 2 // 3)
        finally:
            tally.report(context, evidence.name)


@dataclass(frozen=True)
class _Restart:
    """What the restart pages say of the log.

    ``mask``: of the low bits of a log sequence number that hold the record's offset in quadwords; by the file's size,
    as the bits are when the log is made, where they do not tell. ``pages``: the log's, 0 where they do not tell.
    ``ring``: the first page of the log, behind the copies.
    """

    mask: int
    pages: int
    ring: int


def _restart(evidence: Evidence) -> _Restart:
    """By the first restart page that has the fact readable."""
    page = np.zeros(PAGE, np.uint8)
    mask = pages = ring = 0
    for number in (0, 1):
        got = evidence.read_at(number * PAGE, page)
        if got < PAGE or int(page[:4].view("<u4")[0]) != _RSTR:
            continue
        ring = ring or (_RING_2 if int(page[28:30].view("<u2")[0]) >= 2 else _RING)
        area = int(page[24:26].view("<u2")[0])
        if area & 7 or area + 32 > 510:
            continue
        bits, stated = (
            64 - int(page[area + 16 : area + 20].view("<u4")[0]),
            int(page[area + 24 : area + 32].view("<i8")[0]),
        )
        if not mask and 9 <= bits <= 56:
            mask = (1 << bits) - 1
        if not pages and 0 < stated <= _LARGEST_LOG:
            pages = stated // PAGE
    return _Restart(mask or (1 << max((evidence.size - 1).bit_length() - 3, 9)) - 1, pages, ring or _RING)


def _newest(evidence: Evidence, restart: _Restart) -> dict[int, Bytes]:
    """Pages that are to be read as page N of the log: copies that are newer than what stands there, as they are stored.

    A copy holds the place of its page: where other pages hold the number of the last record that begins in them (log
    format 1.1), or in the last four bytes of its header, which other pages have empty (2.0). Of two copies of one page,
    and of a copy and the page, the one whose last whole record is newer.
    """
    found: dict[int, Bytes] = {}
    newest: dict[int, int] = {}
    mask, second = restart.mask, restart.ring == _RING_2
    for number in range(_FIRST_COPY, restart.ring):
        page = np.zeros(PAGE, np.uint8)
        if evidence.read_at(number * PAGE, page) < PAGE:
            break
        block = Block(page.copy(), PAGE)
        place, ends = int(block.dwords[15] if second else block.quads[1]), int(block.quads[_LAST_END])
        home = place // PAGE
        if int(block.signatures()[0]) != _RCRD or place % PAGE or home < restart.ring or fix_up(block, _FIRST).any():
            continue
        if (ends & mask) * 8 // PAGE not in (home - 1, home):
            continue  # no copy: what it names is elsewhere
        if home not in newest:
            newest[home] = _last_end(evidence, home, mask)
        if 0 <= newest[home] < ends:
            found[home], newest[home] = page, ends
    return found


def _last_end(evidence: Evidence, home: int, mask: int) -> int:
    """Number of the last record that ends in page ``home``; 0: no page of the log is there, -1: one from elsewhere."""
    there = np.zeros(PAGE, np.uint8)
    evidence.read_at(home * PAGE, there)
    block = Block(there, PAGE)
    if int(block.signatures()[0]) != _RCRD:
        return 0
    begins, ends = int(block.quads[1]), int(block.quads[_LAST_END])
    belongs = home in ((begins & mask) * 8 // PAGE, (ends & mask) * 8 // PAGE)
    return ends if belongs else -1


def _windows(
    evidence: Evidence, restart: _Restart, wanted: pa.Schema, name: str, tally: Tally
) -> Iterator[pa.RecordBatch]:
    mask, ring = restart.mask, restart.ring
    newest = _newest(evidence, restart)
    pages = evidence.size // PAGE
    buffer = np.zeros((min(_WINDOW, pages) + _REACH) * PAGE, np.uint8)
    known = untouched = written = 0
    for first in range(0, pages, _WINDOW):
        got = evidence.read_at(first * PAGE, buffer) // PAGE
        if first + got >= pages and got * PAGE < len(buffer):
            # The log is a ring: a record in the last page goes on in the first one behind the restart pages and copies.
            got += evidence.read_at(ring * PAGE, buffer[got * PAGE : (got + _REACH) * PAGE]) // PAGE
        buffer[got * PAGE :] = 0
        for home in [home for home in newest if first <= home < min(first + got, pages)]:
            buffer[(home - first) * PAGE :][:PAGE] = newest[home]
        block = Block(buffer, PAGE)
        signature = block.signatures()
        here = min(_WINDOW, pages - first)
        blank = (signature[:here] == 0xFFFFFFFF) | (signature[:here] == 0)
        log = signature == _RCRD
        if first == 0 and newest:
            log[:ring] = False
        known += int((log[:here] | (signature[:here] == _RSTR)).sum())
        # A log that was set back is all ones; all zeros is a file that was never written or is lost.
        untouched += int((signature[:here] == 0xFFFFFFFF).sum())
        other = np.flatnonzero(~blank & (signature[:here] != _RCRD) & (signature[:here] != _RSTR))
        if len(other):
            tally.add("damaged-page", len(other), (first + int(other[0])) * PAGE)
        rows = np.flatnonzero(log)
        if not len(rows):
            continue
        written += len(rows)
        torn = fix_up(block, rows) & (rows < here)
        if torn.any():
            tally.add("torn-page", int(torn.sum()), (first + int(rows[np.argmax(torn)])) * PAGE, "the rows are kept")
        at = _find(block, log, here, first, restart)
        _tell_missing(block, log, at, here, first, mask, tally)
        if len(at):
            yield _Records(block, at, first, tally).decode(wanted, name)
    for home in sorted(home for home in newest if home >= pages):
        yield from _beyond(home, newest[home], restart, wanted, name, tally)
    if known and not written and not untouched:
        tally.add("damaged-page", pages, 0, "no page holds records, and none is unused")
    if (not known and untouched < pages) or not pages:
        raise ReaderError(
            "{path} is not an NTFS $LogFile: it holds neither restart nor record pages",
            evidence.name,
            "not-a-logfile",
        )


def _beyond(
    home: int, page: Bytes, restart: _Restart, wanted: pa.Schema, name: str, tally: Tally
) -> Iterator[pa.RecordBatch]:
    """The rows of a page whose place is behind the end of the file: of a log that was cut."""
    buffer = np.zeros((1 + _REACH) * PAGE, np.uint8)
    buffer[:PAGE] = page
    block = Block(buffer, PAGE)
    log = block.signatures() == _RCRD
    fix_up(block, _FIRST)
    at = _find(block, log, 1, home, restart)
    if len(at):
        yield _Records(block, at, home, tally).decode(wanted, name)


def _find(block: Block, log: Flags, here: int, first: int, restart: _Restart) -> Ints:
    """Byte offsets, in the buffer, of the records that begin in the window."""
    width = PAGE // 8
    quads = block.quads[: here * width]
    position = np.arange(first * width, first * width + len(quads))
    at = np.flatnonzero((quads & restart.mask) == position)
    column = at % width
    fits = (column >= _PAGE_HEADER // 8) & (column <= width - _HEADER // 8) & log[at // width] & (quads[at] > 0)
    found = _records_at(block, at[fits] * 8)
    elsewhere = _displaced(block, log, here, first, restart, np.unique(found // PAGE))
    return found if not len(elsewhere) else np.sort(np.concatenate([found, elsewhere]))


def _tell_missing(block: Block, log: Flags, at: Ints, here: int, first: int, mask: int, tally: Tally) -> None:
    """Count the records that a page or the record before says begin at a place, and that are none: their number, type
    or length is destroyed, so nothing else finds them.

    A page's header names the last record that begins in it, and a record's length where the next one begins, as far as
    both are of one pass over the ring: behind it stands what an earlier pass left.
    """
    pages = np.flatnonzero(log[:here])
    named = block.quads.reshape(-1, PAGE // 8)[:here, 1]
    # A copy, and a page that stands elsewhere, name a place of another page.
    true = pages[(named[pages] & mask) >> 9 == pages + first]
    last = np.full(here, -1, np.int64)
    last[true] = ((named[true] & mask) - first * (PAGE // 8)) * 8
    follows = at + _HEADER + (block.dwords[(at >> 2) + 6].astype(np.int64) + 7 & -8)
    behind = at // PAGE * _BODY + at % PAGE - _PAGE_HEADER + follows - at
    behind += np.where(behind % _BODY > _BODY - _HEADER, _BODY - behind % _BODY, 0)
    page = behind // _BODY
    inside = page < here
    page, place = page[inside], (page * PAGE + _PAGE_HEADER + behind % _BODY)[inside]
    numbers = block.quads[at >> 3][inside]
    stated = place[(place <= last[page]) & (numbers < named[page])]
    missing = np.setdiff1d(np.concatenate([last[true], stated]), at)
    if len(missing):
        tally.add("damaged-record", len(missing), int(missing[0]) + first * PAGE, "no number of a record stands there")
    # How often the ring was gone round stands in the high bits: all records that a page counts are of one round.
    column = at // PAGE
    other = (at <= last[np.minimum(column, here - 1)]) & (column < here)
    other &= block.quads[at >> 3] & ~mask != named[np.minimum(column, here - 1)] & ~mask
    if other.any():
        wrong = int(at[np.argmax(other)]) + first * PAGE
        tally.add("damaged-record", int(other.sum()), wrong, "its number is of another round: the row is kept")


def _records_at(block: Block, at: Ints) -> Ints:
    """Those of the byte offsets ``at`` where a record's type and length are possible."""
    kind = block.dwords[(at >> 2) + 8]
    found: Ints = at[((kind == 1) | (kind == 2)) & (block.dwords[(at >> 2) + 6] <= _LONGEST)]
    return found


def _displaced(block: Block, log: Flags, here: int, first: int, restart: _Restart, settled: Ints) -> Ints:
    """Byte offsets of the records in pages that stand elsewhere than in the log they come from.

    So it is in a part of a log and behind a lost page. A page's header names the last record that begins and the last
    that ends in it: most often one of them tells where the page belongs. A page of the same place that is ``settled``
    or comes later is the true one: the copies of the newest pages stand before the log.
    """
    alone = log[:here].copy()
    alone[settled] = False
    if len(settled) and first == 0:
        alone[: restart.ring] = False
    pages = np.flatnonzero(alone)
    if not len(pages):
        return pages
    width, mask = PAGE // 8, restart.mask
    quads = block.quads.reshape(-1, width)[pages]
    column = np.arange(width)
    home = (quads & mask) >> 9
    hit = (
        (quads & (width - 1) == column) & (column >= _PAGE_HEADER // 8) & (column <= width - _HEADER // 8) & (quads > 0)
    )
    hit &= (home == home[:, 1:2]) | (home == home[:, 4:5])
    row, place = np.nonzero(hit)
    at = _records_at(block, pages[row] * PAGE + place * 8)
    page = at // PAGE
    belongs = (block.quads[at >> 3] & mask) >> 9
    _, last = np.unique(belongs[::-1], return_index=True)
    newest = dict(zip(belongs[::-1][last].tolist(), page[::-1][last].tolist(), strict=True))
    taken = set((settled + first).tolist())
    true = [
        newest[home] == number and home not in taken
        for home, number in zip(belongs.tolist(), page.tolist(), strict=True)
    ]
    kept: Ints = at[np.array(true, np.bool_)]
    return kept


@dataclass(frozen=True)
class _Piece:
    """Data of some records: which rows, and where in the joined page bodies they begin; lengths in bytes."""

    rows: Ints
    start: Ints
    length: Ints

    def parts(self) -> Iterator[_Piece]:
        """The same in pieces of at most 1,024 records."""
        for at in range(0, len(self.rows), 1024):
            part = slice(at, at + 1024)
            yield _Piece(self.rows[part], self.start[part], self.length[part])


class _Records:
    """The records of one window at ``at``, and their fields."""

    def __init__(self, block: Block, at: Ints, first: int, tally: Tally) -> None:
        self._block = block
        self._at = at
        self._first = first
        self._tally = tally
        # A record that does not fit goes on at offset 64 of the next page: without page headers it is one piece.
        self._stream: Bytes = block.data.reshape(-1, PAGE)[:, _PAGE_HEADER:].reshape(-1)
        self._client = at // PAGE * _BODY + at % PAGE - _PAGE_HEADER + _HEADER
        self._length = block.dwords[(at >> 2) + 6].astype(np.int64)
        self._general = (block.dwords[(at >> 2) + 8] == 1) & (self._length >= 16)

    def _word(self, offset: int) -> npt.NDArray[np.uint16]:
        low = self._stream[self._client + offset].astype(np.uint16)
        high = self._stream[self._client + offset + 1].astype(np.uint16)
        both: npt.NDArray[np.uint16] = low | high << 8
        return both

    def decode(self, wanted: pa.Schema, name: str) -> pa.RecordBatch:
        """The wanted columns."""
        names = frozenset(wanted.names)
        block, at = self._block, self._at
        redo, undo = self._word(0), self._word(2)
        made = {
            "client_data_length": int32(self._length),
            "flags": int32(block.words[(at >> 1) + 20]),
            "lsn": int64(block.quads[at >> 3]),
            "page": int64(at // PAGE + self._first),
            "prev_lsn": int64(block.quads[(at >> 3) + 1]),
            "record_type": int32(block.dwords[(at >> 2) + 8]),
        }
        for column, offset in (("redo_offset", 4), ("redo_len", 6), ("undo_offset", 8), ("undo_len", 10)):
            made[column] = int32(self._word(offset), self._general)
        for column, numbers in (("redo_op", redo), ("undo_op", undo)):
            if column in names:
                made[column] = _NAMES.take(pa.array(numbers, mask=~self._general))
        if names & _DETAILS:
            made |= self._details(redo)
        if "_file" in names:
            made["_file"] = constant(name, len(at))
        return batch_of(wanted, made, len(at))

    def _piece(self, chosen: Flags, offset: int, least: int) -> _Piece:
        """Redo (``offset`` 4) or undo (8) data of the chosen records that hold ``least`` bytes of it."""
        rows = np.flatnonzero(chosen & self._general)
        start = self._word(offset)[rows].astype(np.int64)
        length = self._word(offset + 2)[rows].astype(np.int64)
        good = (start >= 16) & (start + length <= self._length[rows])
        if not good.all():
            wrong = self._at[rows[np.argmin(good)]] + self._first * PAGE
            self._tally.add("damaged-record", int((~good).sum()), int(wrong), "the row is kept")
        good &= length >= least
        return _Piece(rows[good], self._client[rows[good]] + start[good], length[good])

    def _details(self, redo: npt.NDArray[np.uint16]) -> dict[str, pa.Array]:
        """Columns of the file record or directory entry inside the record."""
        found = _Details(len(self._at))
        # In parts: damaged records may all claim the same 4,096 bytes.
        for part in self._piece(redo == _INITIALIZE, 4, 48).parts():
            found.add_records(self._stream, part)
        for part in self._piece((redo == _DELETE_ROOT) | (redo == _DELETE_ALLOCATION), 8, 82).parts():
            found.add_entries(self._stream, part)
        return found.columns()


class _Details:
    """Name, times and header of the file records and directory entries of ``count`` log records."""

    def __init__(self, count: int) -> None:
        self._times = np.zeros((count, 4), np.int64)
        self._head = np.zeros((count, 16), np.uint8)
        self._has_head = np.zeros(count, np.bool_)
        self._has_record = np.zeros(count, np.bool_)
        self._links = np.zeros(count, np.int32)
        self._lsn = np.zeros(count, np.int64)
        self._units = np.zeros((count, 255), np.uint16)
        self._name_length = np.full(count, -1, np.int64)

    def add_records(self, stream: Bytes, piece: _Piece) -> None:
        """File records: padded side by side to whole records, then walked like those of $MFT (no fixups inside)."""
        size = 1024 if int(piece.length.max()) <= 1024 else 4096
        length = np.minimum(piece.length, size)
        data = np.zeros(len(piece.rows) * size, np.uint8)
        ends = offsets_of(length)
        data[ragged(np.arange(len(length)) * size, length, ends)] = stream[ragged(piece.start, length, ends)]
        block = Block(data, size)
        local = np.flatnonzero(block.signatures() == FILE)
        rows = piece.rows[local]
        self._head[rows] = data.reshape(-1, size)[local, :16]
        self._has_head[rows] = self._has_record[rows] = True
        self._links[rows] = block.header_word(local, 18)
        self._lsn[rows] = block.header_quad(local, 8)
        attributes = walk(block, local)
        named = attributes.rank < NO_NAME
        self._add_names(data, attributes.name[named], rows[named])

    def add_entries(self, stream: Bytes, piece: _Piece) -> None:
        """Directory entries: 16 bytes of header, then $FILE_NAME; entries of other indexes have another key length."""
        length = np.minimum(piece.length, 16 + 66 + 510)
        width = 600
        data = np.zeros(len(piece.rows) * width, np.uint8)
        ends = offsets_of(length)
        begin = np.arange(len(length)) * width
        data[ragged(begin, length, ends)] = stream[ragged(piece.start, length, ends)]
        self._head[piece.rows] = data.reshape(-1, width)[:, :16]
        self._has_head[piece.rows] = True
        key = data[begin + 10].astype(np.int64) | data[begin + 11].astype(np.int64) << 8
        named = (key == 66 + 2 * data[begin + 80].astype(np.int64)) & (16 + key <= length)
        self._add_names(data, begin[named] + 16, piece.rows[named])

    def _add_names(self, data: Bytes, at: Ints, rows: Ints) -> None:
        """$FILE_NAME contents at the byte offsets ``at``, multiples of 8."""
        self._times[rows] = data.view("<i8")[(at >> 3)[:, None] + np.arange(1, 5)]
        count = data[at + 64].astype(np.int64)
        self._name_length[rows] = count
        ends = offsets_of(count)
        units = data.view("<u2")[ragged((at + 66) >> 1, count, ends)]
        self._units.reshape(-1)[ragged(rows * 255, count, ends)] = units

    def columns(self) -> dict[str, pa.Array]:
        """The seven columns, null where a record holds no such thing."""
        named = self._name_length >= 0
        start = np.arange(len(named)) * 255
        digits = np.frombuffer(b"0123456789abcdef", np.uint8)
        text = np.stack([digits[self._head >> 4], digits[self._head & 15]], axis=2).reshape(-1)
        where = pa.py_buffer(np.arange(len(named) + 1, dtype=np.int32) * 32)
        head = pa.Array.from_buffers(
            pa.string(), len(named), [bitmap(self._has_head), where, pa.py_buffer(np.ascontiguousarray(text))]
        )
        return {
            "file_name": strings(self._units.reshape(-1), start, np.maximum(self._name_length, 0), named),
            "created_at": filetimes(np.ascontiguousarray(self._times[:, 0]), named),
            "modified_at": filetimes(np.ascontiguousarray(self._times[:, 1]), named),
            "access_at": filetimes(np.ascontiguousarray(self._times[:, 3]), named),
            "mft_head": head,
            "mft_link_count": int32(self._links, self._has_record),
            "mft_lsn": int64(self._lsn, self._has_record),
        }
