"""File records of NTFS: a block of them as arrays, never one object a record.

A ``Block`` holds ``count`` records of ``size`` bytes (1,024 or 4,096) in one aligned buffer, seen as bytes, words,
dwords and quadwords at once. ``fix_up`` undoes the update sequence, ``walk`` follows the attribute chains of all
records side by side (one step takes every record to its next attribute) and notes where $STANDARD_INFORMATION,
$FILE_NAME and the unnamed $DATA lie. Layout: libyal's NTFS documentation. Offsets returned are bytes from the start
of the block, -1 where there is none.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from udfs.readers.evidence import Bytes
from udfs.readers.ntfs_arrays import Flags, Ints

FILE = 0x454C4946
"""``FILE`` as a little-endian dword."""
_END = 0xFFFFFFFF
_STANDARD_INFORMATION, FILE_NAME, _DATA = 0x10, 0x30, 0x80
NAMED_DATA = 0x180
"""How ``Found`` calls a $DATA with a name."""
NO_NAME = 9
"""Rank of a record without $FILE_NAME."""
DOS_ONLY = 3
_HEADER = 24
"""Bytes of the header of a resident attribute without a name."""
# Rank by namespace: Win32, Win32 and DOS in one, POSIX, DOS alone, anything else. A DOS name such as OFFICE~1.CAB is
# the last choice: "*.manifest" or "*.docx" can never match it (decision 6).
RANKS = np.full(256, 4, np.int8)
RANKS[[1, 3, 0, 2]] = (0, 1, 2, DOS_ONLY)


class Block:
    """``count`` records side by side; ``data`` must be 8-byte aligned, of ``count * size`` bytes, and writable."""

    def __init__(self, data: Bytes, size: int) -> None:
        self.data = data
        self.size = size
        self.count = len(data) // size
        self.words: npt.NDArray[np.uint16] = data.view("<u2")
        self.dwords: npt.NDArray[np.uint32] = data.view("<u4")
        self.quads: Ints = data.view("<i8")
        self.walked: Ints | None = None
        """The records whose attributes were walked; None for all."""

    def signatures(self) -> npt.NDArray[np.uint32]:
        """First dword of every record."""
        return self.dwords[:: self.size // 4]

    def header_word(self, rows: Ints, offset: int) -> npt.NDArray[np.uint16]:
        """Word at ``offset`` of the records ``rows``."""
        found: npt.NDArray[np.uint16] = self.words[offset // 2 :: self.size // 2]
        return found.copy() if len(rows) == self.count else found[rows]

    def header_quad(self, rows: Ints, offset: int) -> Ints:
        """Quadword at ``offset`` of the records ``rows``."""
        found: Ints = self.quads[offset // 8 :: self.size // 8]
        return found.copy() if len(rows) == self.count else found[rows]


@dataclass(frozen=True)
class Attributes:
    """Where the attributes of the walked records lie: arrays as long as ``rows`` of the walk.

    ``standard``, ``name``, ``short``: contents of $STANDARD_INFORMATION, of the best $FILE_NAME and of the first
    DOS-only one; ``rank``: of the best name (0 best, ``NO_NAME`` none); ``stream``: header of the unnamed $DATA with
    lowest VCN 0; ``damaged``: a chain that broke off or an attribute whose content does not fit.
    """

    standard: Ints
    name: Ints
    short: Ints
    rank: npt.NDArray[np.int8]
    stream: Ints
    damaged: Flags

    @staticmethod
    def none(records: int) -> Attributes:
        """Nothing found yet in ``records`` records."""
        nowhere = [np.full(records, -1, np.int64) for _ in range(4)]
        rank = np.full(records, NO_NAME, np.int8)
        return Attributes(nowhere[0], nowhere[1], nowhere[2], rank, nowhere[3], np.zeros(records, np.bool_))


class Found:
    """Every $FILE_NAME and every $DATA with a name that a walk passes: row of the walk and offset, as wanted."""

    def __init__(self, names: bool, streams: bool) -> None:
        self._wanted = {FILE_NAME: names, NAMED_DATA: streams}
        self._found: dict[int, list[tuple[Ints, Ints]]] = {FILE_NAME: [], NAMED_DATA: []}

    def step(self, block: Block, kind: npt.NDArray[np.uint32], live: Ints, at: Ints) -> None:
        """Note the attributes at ``at`` of the rows ``live``."""
        if self._wanted[FILE_NAME]:
            here = np.flatnonzero((kind == FILE_NAME) & (block.data.take(at + 8) == 0))
            self._found[FILE_NAME].append((live[here], at[here]))
        if self._wanted[NAMED_DATA]:
            here = np.flatnonzero(kind == _DATA)
            here = here[block.data.take(at[here] + 9) > 0]
            self._found[NAMED_DATA].append((live[here], at[here]))

    def of(self, kind: int) -> tuple[Ints, Ints]:
        """Rows and offsets of ``FILE_NAME`` or ``NAMED_DATA``, record by record as they are stored."""
        none = np.zeros(0, np.int64)
        pieces = self._found[kind] or [(none, none)]
        at = np.concatenate([piece[1] for piece in pieces])
        order = np.argsort(at)
        return np.concatenate([piece[0] for piece in pieces])[order], at[order]


def fix_up(block: Block, rows: Ints) -> Flags:
    """Put the true last words of all 512-byte sectors back, in place; returns which records are torn.

    A word is replaced only where it equals the sequence number: a file taken with ntfscat comes already fixed up, and
    a torn record has sectors of two different writes.
    """
    words = block.words.reshape(block.count, -1)
    sectors = block.size // 512
    start = block.header_word(rows, 4).astype(np.int64)
    count = block.header_word(rows, 6)
    usable = (start & 1 == 0) & (start >= 8) & (start + 2 * sectors + 2 <= 510) & (count > sectors)
    torn = np.zeros(len(rows), np.bool_)
    if not usable.all():
        torn = ~usable
        rows, start = rows[usable], start[usable]
    at = (start >> 1) + rows * (block.size // 2)
    number = block.words.take(at)
    mixed = np.zeros(len(rows), np.bool_)
    # Nearly always every record of the block: a slice is read and written without an index.
    chosen = slice(None) if len(rows) == block.count else rows
    for sector in range(sectors):
        last = words[:, 256 * sector + 255]
        seen = last[chosen]
        true = block.words.take(at + (1 + sector))
        hit = seen == number
        if hit.all():
            last[chosen] = true
            continue
        lost = ~hit & (seen != true)
        last[chosen] = np.where(hit, true, seen)
        mixed |= lost
    torn[~torn] = mixed
    return torn


def walk(block: Block, rows: Ints, found: Found | None = None) -> Attributes:
    """Follow the attribute chains of the records ``rows``; ``found`` notes what a record has more than one of.

    A chain ends at the end marker; a length under 16, not a multiple of 8, or one that leaves no room for the end
    marker in the record breaks it off, unless the attribute's content tells where the next one begins.
    """
    result = Attributes.none(len(rows))
    block.walked = rows
    first = block.header_word(rows, 20).astype(np.int64)
    live = np.arange(len(rows))
    at = rows * block.size + first
    inside = block.size - 1
    room = block.size - 8
    usable = (first & 7 == 0) & (first >= 24) & (first <= room)
    if not usable.all():
        result.damaged[~usable] = True
        live, at = live[usable], at[usable]
    while len(live):
        place = at >> 3
        head = block.quads.take(place)
        kind = head.astype(np.uint32)
        length = head >> 32
        # Records are a power of two long: the low bits of an offset are its place in the record. The last 8 bytes are
        # the end marker's.
        going = (kind != _END) & (length >= 16) & (length & 7 == 0) & ((at & inside) + length <= room)
        if not going.all():
            # Type 0 is the zero filling of a record that never had attributes, not damage.
            broken = np.flatnonzero(~going & (kind != _END) & (kind != 0))
            if len(broken):
                result.damaged[live[broken]] = True
                _lengths_again(block, at, kind, length, going)
            kept = np.flatnonzero(going)
            if not len(kept):
                break
            live, at, kind, length = live.take(kept), at.take(kept), kind.take(kept), length.take(kept)
        if kind[0] == _STANDARD_INFORMATION and (kind == _STANDARD_INFORMATION).all():
            # The first step of nearly every block: the other types need not be looked for.
            _standard(block, result, live, at, length)
            at = at + length
            continue
        for wanted, visit in ((_STANDARD_INFORMATION, _standard), (FILE_NAME, _file_name), (_DATA, _stream)):
            here = np.flatnonzero(kind == wanted)
            if len(here) == len(live):
                visit(block, result, live, at, length)
            elif len(here):
                visit(block, result, live.take(here), at.take(here), length.take(here))
        if found is not None:
            found.step(block, kind, live, at)
        at = at + length
    return result


def _lengths_again(block: Block, at: Ints, kind: npt.NDArray[np.uint32], length: Ints, going: Flags) -> None:
    """Correct, in place, impossible lengths of resident attributes behind whose content another attribute begins.

    A non-resident one becomes the record's last: its sizes stand in the header.
    """
    inside = at & (block.size - 1)
    lost = np.flatnonzero(~going & _known(kind) & (inside <= block.size - 32))
    form = block.data.take(at[lost] + 8)
    outside = lost[(form == 1) & (inside[lost] <= block.size - 72)]
    length[outside] = block.size - 8 - inside[outside]
    going[outside] = True
    lost = lost[form == 0]
    where = block.quads.take((at[lost] >> 3) + 2)
    true = (where & 0xFFFFFFFF) + (where >> 32 & 0xFFFF) + 7 & ~7
    fits = (true >= 24) & (inside[lost] + true <= block.size - 8)
    lost, true = lost[fits], true[fits]
    following = block.dwords.take(at[lost] + true >> 2)
    held = (following == _END) | (_known(following) & (following >= kind[lost]))
    length[lost[held]] = true[held]
    going[lost[held]] = True


def _known(kind: npt.NDArray[np.uint32]) -> Flags:
    """Attribute types there are: 0x10, 0x20, ... 0x100."""
    known: Flags = (kind & 0xF == 0) & (kind >= 0x10) & (kind <= 0x100)
    return known


def _content(
    block: Block, result: Attributes, live: Ints, at: Ints, length: Ints, least: int
) -> tuple[Ints, Ints, Flags]:
    """Offset and size of resident contents, and which hold ``least`` bytes at an 8-byte boundary.

    $STANDARD_INFORMATION and $FILE_NAME always have their content at byte 24: where the attribute's header says
    something impossible it is looked for there, and the record counts as damaged.
    """
    place = at >> 3
    where = block.quads.take(place + 2)
    size = where & 0xFFFFFFFF
    offset = where >> 32 & 0xFFFF
    good = (block.data.take(at + 8) == 0) & (offset & 7 == 0) & (offset >= 24)
    good &= (size >= least) & (offset + size <= length)
    if not good.all():
        bad = np.flatnonzero(~good)
        result.damaged[live[bad]] = True
        offset[bad], size[bad] = _HEADER, length[bad] - _HEADER
        # A name there must not be empty: zeros are no $FILE_NAME.
        good[bad] = (size[bad] >= least) & ((least < 66) | (block.data.take(at[bad] + 88, mode="clip") > 0))
    return at + offset, size, good


def _standard(block: Block, result: Attributes, live: Ints, at: Ints, length: Ints) -> None:
    where, _, good = _content(block, result, live, at, length, 36)
    fresh = result.standard.take(live) < 0
    good &= fresh
    if good.all():
        result.standard[live] = where
        return
    result.damaged[live[~good & fresh]] = True
    result.standard[live[good]] = where[good]


def _file_name(block: Block, result: Attributes, live: Ints, at: Ints, length: Ints) -> None:
    where, size, good = _content(block, result, live, at, length, 66)
    # Name length and namespace in one word.
    tail = block.words.take((where * good >> 1) + 32)
    fits = 66 + 2 * (tail & 0xFF).astype(np.int64) <= size
    if not fits.all():
        _clip(block, good & ~fits, where, size, at + length)
    if not (good & fits).all():
        result.damaged[live[~(good & fits)]] = True
        live, where, tail = live[good], where[good], tail[good]
    rank = RANKS.take(tail >> 8)
    better = rank < result.rank.take(live)
    short = np.flatnonzero(rank == DOS_ONLY)
    if len(short):
        short = short[result.short[live[short]] < 0]
        result.short[live[short]] = where[short]
    if not better.all():
        kept = np.flatnonzero(better)
        live, where, rank = live.take(kept), where.take(kept), rank.take(kept)
    result.rank[live] = rank
    result.name[live] = where


def _clip(block: Block, chosen: Flags, where: Ints, size: Ints, end: Ints) -> None:
    """Let names that claim more characters than their content has end with it.

    Where the last character claimed is there, before the attribute's ``end``, it is the content's size that is wrong.
    """
    rows = np.flatnonzero(chosen)
    start = where[rows] + 66
    stop = start + 2 * block.data.take(start - 2).astype(np.int64)
    held = (stop <= end[rows]) & (block.words.take((stop >> 1) - 1, mode="clip") != 0)
    rows = rows[~held]
    block.data[where[rows] + 64] = np.minimum((size[rows] - 66) // 2, 255)


def _stream(block: Block, result: Attributes, live: Ints, at: Ints, length: Ints) -> None:
    place = at >> 3
    form = block.quads.take(place + 1)
    resident = form & 0xFF == 0
    lowest = block.quads.take(place + 2)
    inside = (length >= 24) & ((lowest & 0xFFFFFFFF) + 24 <= length)
    good = np.where(resident, inside, length >= 64)
    if not good.all():
        result.damaged[live[~good]] = True
    good &= (form & 0xFF00 == 0) & (resident | (lowest == 0)) & (result.stream.take(live) < 0)
    kept = np.flatnonzero(good)
    result.stream[live.take(kept)] = at.take(kept)


def stream_sizes(block: Block, stream: Ints) -> tuple[Ints, Ints]:
    """(file size, allocated size) of unnamed $DATA attributes; 0 where there is none.

    A resident stream's sizes are both its length: the published row of 20 bytes shows 20 and 20.
    """
    at = np.maximum(stream, 0)
    has = stream >= 0
    outside = (block.data.take(at + 8) != 0) & has
    size = block.dwords.take((at >> 2) + 4).astype(np.int64)
    size *= has
    allocated = size.copy()
    rows = np.flatnonzero(outside)
    place = at.take(rows) >> 3
    size[rows] = block.quads.take(place + 6)
    allocated[rows] = block.quads.take(place + 5)
    return size, allocated


def stated_size(record: bytes) -> int:
    """Bytes of the $MFT by its own record 0, whose unnamed $DATA says how long it is; 0 where it does not say."""
    at = int.from_bytes(record[20:22], "little")
    while record[:4] == b"FILE" and 0 < at <= len(record) - 56:
        kind, length = struct.unpack_from("<II", record, at)
        # Not resident, without a name, from cluster 0: the first part of the unnamed $DATA.
        if kind == 0x80 and record[at + 8 : at + 10] == b"\1\0" and not any(record[at + 16 : at + 24]):
            size = int.from_bytes(record[at + 48 : at + 56], "little")
            return 0 if size % 1024 or size >> 48 else size
        if kind == 0xFFFFFFFF or not length:
            break
        at += length
    return 0
