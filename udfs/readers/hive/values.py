"""The values of a hive: which rows there are, where their data lies, and the data as typed Arrow columns.

A row is a vk cell that a key's value list names. A vk that cannot be read gives no row; a readable vk whose data
cannot be read keeps its row with null in every value column; data that its cell does not hold whole is cut there (two
of three independent readers do so). All are losses. Data lies in the vk itself (up to four
bytes), in a cell, or (more than 16,344 bytes, format 1.4 and later) in the segments of a ``db`` cell.

Typing (house rule): SZ, EXPAND_SZ, LINK are text up to the first NUL; MULTI_SZ is a list of strings, the
empty one that ends it left out; DWORD, DWORD_BIG_ENDIAN and QWORD are unsigned integers when the data is long enough;
the rest bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from udfs.readers.hive import text
from udfs.readers.hive.image import DB, I64, NONE, U8, U32, VK, Damage, HiveImage, Mask
from udfs.readers.hive.tree import KeyTree

TYPES = (
    "NONE",
    "SZ",
    "EXPAND_SZ",
    "BINARY",
    "DWORD",
    "DWORD_BIG_ENDIAN",
    "LINK",
    "MULTI_SZ",
    "RESOURCE_LIST",
    "FULL_RESOURCE_DESCRIPTOR",
    "RESOURCE_REQUIREMENTS_LIST",
    "QWORD",
)
_TYPE_ARRAY = pa.array(TYPES)
_SZ, _EXPAND_SZ, _DWORD, _DWORD_BE, _LINK, _MULTI_SZ, _QWORD = 1, 2, 4, 5, 6, 7, 11
_SEGMENT = 16_344
_MAX_NAME = 32_766  # bytes; Windows allows 16,383 characters


@dataclass(frozen=True)
class ValueLists:
    """``list_at`` and ``count`` of every key (count 0 where there is no readable list), ``before``: rows of earlier
    keys, n + 1 offsets."""

    list_at: I64
    count: I64
    before: I64


@dataclass(frozen=True)
class Cells:
    """Readable vk cells in row order: the key of each and the content position of its vk, -1 for the key itself."""

    key: I64
    at: I64


@dataclass(frozen=True)
class Data:
    """Where the data of n values lies: ranges of ``buffer``; ``readable`` false leaves the row without a value."""

    buffer: U8
    start: I64
    length: I64
    readable: Mask


def value_lists(image: HiveImage, tree: KeyTree, damage: Damage) -> ValueLists:
    """The value lists of all keys, cut where their cells end."""
    count = image.word(tree.at, 36).astype(np.int64)
    stored = image.word(tree.at, 40)
    # A predefined handle (flag 0x40, Perflib's keys) keeps a handle such as 0x80000004 where the count would be.
    count[(count >= 0x80000000) & ((image.word(tree.at, 0) & 0x00400000) != 0)] = 0
    # A sound key without values names no list (some writers: the one at 0, where the first bin's header lies).
    named = np.flatnonzero((image.word(tree.at, 36) == 0) & (stored != NONE))
    at = image.content(stored[named], 4)
    named, at = named[at >= 0], at[at >= 0]
    if len(named):
        damage.at("value-count-differs", tree.at[named[image.in_use(at)]] + 36)
    list_at = np.zeros(len(count), dtype=np.int64)
    have = np.flatnonzero(count)
    at = image.content(stored[have], 4)
    bad = at < 0
    if bad.any():
        damage.at("damaged-value-list", tree.at[have[bad]] + 40)
        count[have[bad]] = 0
        have, at = have[~bad], at[~bad]
    fits = image.room(at) >> 2
    short = np.flatnonzero(count[have] > fits)
    for row in short[image.reach(at[short], 4 * count[have[short]]) >> 2 > fits[short]].tolist():
        fits[row] += _values_behind(image, int(at[row]) + 4 * int(fits[row]), int(count[have[row]] - fits[row]))
    cut = count[have] > fits
    if cut.any():
        damage.at("value-list-cut", at[cut])
    count[have] = np.minimum(count[have], fits)
    list_at[have] = at
    before = text.ends(count)
    room = image.size // 4
    if before[-1] > room:
        # Every value needs a word of a list of its own; more means that lists overlap.
        damage.one("value-lists-overlap", int(at[0]), int(before[-1]) - room)
        count = np.clip(room - before[:-1], 0, count)
        before = text.ends(count)
    return ValueLists(list_at, count, before)


def _values_behind(image: HiveImage, place: int, most: int) -> int:
    """How many words from ``place`` on lead to vk cells, at most ``most``: the rest of a list whose cell is too small.

    Its cell's size is damaged, or the count is: then the first word that leads nowhere ends the list."""
    found = 0
    while found < most:
        words = image.words[(place >> 2) + found : (min(place + 4 * most, image.size) >> 2)][:256]
        at = image.content(words, 20)
        sound = at >= 0
        sound[sound] = (image.word(at[sound], 0) & 0xFFFF) == VK
        run = len(words) if sound.all() else int(np.argmin(sound))
        found += run
        if run < 256:
            break
    return found


def cells(image: HiveImage, lists: ValueLists, first: int, last: int, damage: Damage) -> Cells:
    """The vk cells behind list elements ``first`` .. ``last - 1`` (numbered over all keys in row order)."""
    low = int(np.searchsorted(lists.before, first, side="right")) - 1
    high = int(np.searchsorted(lists.before, last, side="left"))
    key = np.repeat(np.arange(low, high), lists.count[low:high])
    number = np.arange(lists.before[low], lists.before[high])
    inside = (number >= first) & (number < last)
    key, number = key[inside], number[inside]
    refs = lists.list_at[key] + (number - lists.before[key]) * 4
    at = image.content(image.words[refs >> 2], 20)
    good = at >= 0
    good[good] = (image.word(at[good], 0) & 0xFFFF) == VK
    if not good.all():
        unmarked = np.flatnonzero(~good & (at >= 0))
        unmarked = unmarked[_is_value(image, at[unmarked])]
        if len(unmarked):
            damage.at("value-without-mark", at[unmarked])
            good[unmarked] = True
        damage.at("damaged-value", refs[~good])
        key, at = key[good], at[good]
    cut = name_fields(image, at)[1] < (image.word(at, 0) >> 16)
    if cut.any():
        damage.at("value-name-cut", at[cut])
    return Cells(key, at)


def with_keys(found: Cells, keys: I64) -> Cells:
    """``found`` with rows for ``keys`` (ascending) in the order of the tree."""
    key = np.concatenate([found.key, keys])
    at = np.concatenate([found.at, np.full(len(keys), -1, np.int64)])
    order = np.argsort(key, kind="stable")
    return Cells(key[order], at[order])


def _is_value(image: HiveImage, at: I64) -> Mask:
    """Whether cells whose mark is damaged can only be values: in use, a type that Windows knows, a name that the cell
    holds, and data in place or in another cell in use that is long enough."""
    length = (image.word(at, 0) >> 16).astype(np.int64)
    fine = image.in_use(at) & (length + 20 <= image.room(at)) & (image.word(at, 12) < len(TYPES))
    fine &= (image.word(at, 16) & 0xFFFF) <= 3
    size = image.word(at, 4)
    away = np.flatnonzero(fine & (size < 0x80000000) & (size > 0))
    fine &= (size <= 0x80000004) | (size < 0x80000000)
    cell = image.content(image.word(at[away], 8), 4)
    holds = cell >= 0
    holds[holds] = image.in_use(cell[holds]) & (size[away][holds] <= image.room(cell[holds]))
    fine[away] = holds
    result: Mask = fine
    return result


def name_fields(image: HiveImage, at: I64) -> tuple[I64, I64, Mask]:
    """Position, length in bytes and "is UTF-16" of value names; a name is cut where its cell ends."""
    length = (image.word(at, 0) >> 16).astype(np.int64)
    length = np.minimum(length, np.clip(image.reach(at, length + 20) - 20, 0, _MAX_NAME))
    wide = image.word(at, 16) & 1 == 0
    return at + 20, length, wide


def type_names(codes: U32) -> pa.Array:
    """Windows names without ``REG_``; any other number as decimal text (SAM keeps a RID in the type field)."""
    known = codes < len(TYPES)
    if known.all():
        return _TYPE_ARRAY.take(text.indices(codes.astype(np.int64)))
    others, place = np.unique(codes[~known], return_inverse=True)
    index = codes.astype(np.int64)
    index[~known] = place + len(TYPES)
    return pa.array([*TYPES, *(str(code) for code in others.tolist())]).take(text.indices(index))


def data_fields(image: HiveImage, at: I64, damage: Damage | None) -> tuple[I64, I64, Mask, Mask]:
    """Start, length, readable and "is a db cell" of the data of vk cells; start of a db cell is its content."""
    stored = image.word(at, 4)
    inline = stored >= 0x80000000
    length = (stored & 0x7FFFFFFF).astype(np.int64)
    start = at + 8
    longer = inline & (length > 4)
    if damage is not None and longer.any():
        damage.at("data-cut", at[longer])
    length[longer] = 4
    readable = inline | (length <= image.size)
    segmented = np.zeros(len(at), dtype=np.bool_)
    away = np.flatnonzero(~inline & (length > 0) & readable)
    cell = image.content(image.word(at[away], 8), 4)
    there = cell >= 0
    readable[away] = there
    away, cell = away[there], cell[there]
    start[away] = cell
    room = image.room(cell)
    # Only a length that is too long for one segment can mean a db cell: plain data may begin with the letters "db".
    is_db = (image.word(cell, 0) & 0xFFFF) == DB
    one_cell = (length[away] <= _SEGMENT) | (image.minor <= 3)
    big = is_db & (length[away] > _SEGMENT) & (~one_cell | (length[away] > room))
    if big.any():
        segmented[away] = big
        away, cell, one_cell = away[~big], cell[~big], one_cell[~big]
    need = length[away]
    room = image.reach(cell, need)
    cut = np.flatnonzero(need > room)
    if len(cut):
        readable[away[cut]] = one_cell[cut]
        if damage is not None:
            damage.at("data-cut", at[away[cut[one_cell[cut]]]])
        length[away[cut]] = room[cut]
    lost = np.flatnonzero(~readable)
    if damage is not None and len(lost):
        damage.at("damaged-data", at[lost])
    # A number of four bytes always lies in the vk itself: when its length makes no sense, its place still does.
    number = lost[np.isin(image.word(at[lost], 12), (_DWORD, _DWORD_BE))]
    start[number], length[number], readable[number] = at[number] + 8, 4, True
    length[~readable] = 0
    return start, length, readable, segmented


def big_data(image: HiveImage, cell: int, length: int) -> bytes | None:
    """Data of a db cell: a list of segments of 16,344 bytes each; None when one of them is missing.

    The length tells how many segments there are; the count in the cell adds nothing, so a wrong one is not asked."""
    at = np.array([cell], dtype=np.int64)
    if cell + 8 > image.size:
        return None
    wanted = -(-length // _SEGMENT)
    stored = int(image.word(at, 4)[0])
    list_at = image.content(np.array([stored]), 4 * wanted)
    if stored == NONE or list_at[0] < 0:
        return None
    segments = image.content(image.words[int(list_at[0]) >> 2 : (int(list_at[0]) >> 2) + wanted], 4)
    if (segments < 0).any():
        return None
    take = np.full(wanted, _SEGMENT, dtype=np.int64)
    take[-1] = length - _SEGMENT * (wanted - 1)
    if (image.reach(segments, take) < take).any():
        return None
    return text.gather(image.data, segments, take).tobytes()


def segments(image: HiveImage, cell: int, length: int) -> tuple[I64, I64]:
    """Where the list and the segments of a db cell lie, as far as they are in the file: starts and lengths."""
    wanted = -(-length // _SEGMENT)
    listed = image.content(image.words[(cell + 4) >> 2 : (cell >> 2) + 2], 4 * wanted)
    if not len(listed) or listed[0] < 0:
        return np.array([cell]), np.array([8])
    first = int(listed[0])
    at = image.content(image.words[first >> 2 : (first >> 2) + wanted], 4)
    at = at[at >= 0]
    sizes = np.minimum(image.room(at), _SEGMENT)
    return np.concatenate([[cell, first], at]), np.concatenate([[8, 4 * wanted], sizes])


class Budget:
    """Data bytes a scan may still give out. Cells do not overlap, so only forged offsets exceed a few file sizes."""

    def __init__(self, left: int) -> None:
        self._left = left

    def take(self, length: I64) -> int:
        """How many values from the front still fit; their bytes are taken."""
        upto = np.cumsum(length)
        fitting = int(np.searchsorted(upto, self._left, side="right"))
        self._left -= int(upto[fitting - 1]) if fitting else 0
        return fitting


def split_big(image: HiveImage, at: I64, damage: Damage, budget: Budget) -> tuple[Data, Mask, Data | None]:
    """Data of vk cells as ranges of the file, and (for the rows of the mask) as ranges of a buffer of joined segments.

    The first Data covers all rows; rows of the mask are unreadable in it. The second covers the rows of the mask only.
    """
    start, length, readable, segmented = data_fields(image, at, damage)
    fitting = budget.take(length)
    if fitting < len(at):
        damage.one("data-overlaps", int(at[fitting]), len(at) - fitting)
        readable[fitting:] = False
        segmented[fitting:] = False
        length[fitting:] = 0
    plain = Data(image.data, start, np.where(segmented, 0, length), readable & ~segmented)
    if not segmented.any():
        return plain, segmented, None
    joined = bytearray()
    begins, lengths, fine = [], [], []
    for row in np.flatnonzero(segmented).tolist():
        piece = big_data(image, int(start[row]), int(length[row]))
        if piece is None:
            damage.one("damaged-data", int(at[row]))
        joined.extend(b"\0" * (-len(joined) % 8))
        begins.append(len(joined))
        lengths.append(len(piece or b""))
        fine.append(piece is not None)
        joined += piece or b""
    joined += b"\0" * (8 - len(joined) % 8)
    buffer = np.frombuffer(bytes(joined), dtype=np.uint8)
    big = Data(buffer, np.array(begins, dtype=np.int64), np.array(lengths, dtype=np.int64), np.array(fine))
    return plain, segmented, big


def columns(data: Data, codes: U32, wanted: set[str]) -> dict[str, pa.Array]:
    """The wanted ones of ``value.text``, ``value.int``, ``value.list``, ``value.bytes``, ``value.raw`` of n values."""
    known = data.readable
    is_text = known & ((codes == _SZ) | (codes == _EXPAND_SZ) | (codes == _LINK))
    is_list = known & (codes == _MULTI_SZ)
    dword = known & ((codes == _DWORD) | (codes == _DWORD_BE)) & (data.length >= 4)
    qword = known & (codes == _QWORD) & (data.length >= 8)
    result: dict[str, pa.Array] = {}
    if "value.text" in wanted:
        result["value.text"] = _texts(data, is_text)
    if "value.int" in wanted:
        result["value.int"] = _integers(data, codes, dword, qword)
    if "value.list" in wanted:
        result["value.list"] = _lists(data, is_list)
    if "value.bytes" in wanted:
        result["value.bytes"] = _bytes(data, known & ~is_text & ~is_list & ~dword & ~qword)
    if "value.raw" in wanted:
        result["value.raw"] = _bytes(data, known)
    return result


def _bytes(data: Data, rows: Mask) -> pa.Array:
    start, length = data.start[rows], data.length[rows]
    return text.array(text.Strings(text.gather(data.buffer, start, length), length), pa.binary(), rows)


def _texts(data: Data, rows: Mask) -> pa.Array:
    start, length = data.start[rows], data.length[rows] & ~1
    # Nearly every string ends in exactly one NUL: leave it out, then look for others.
    tail = np.maximum(start + length - 2, 0)
    last = data.buffer[tail] | data.buffer[tail + 1]
    length = length - np.where((length > 0) & (last == 0), 2, 0)
    units = text.gather(data.buffer, start, length).view(np.uint16)
    zeros = np.flatnonzero(units == 0)
    if len(zeros):
        offsets = text.ends(length >> 1)
        first = np.append(zeros, len(units))[np.searchsorted(zeros, offsets[:-1])]
        length = np.minimum(length, 2 * (first - offsets[:-1]))
        units = text.gather(data.buffer, start, length).view(np.uint16)
    return text.array(text.utf8_of(units, length >> 1), pa.string(), rows)


def _integers(data: Data, codes: U32, dword: Mask, qword: Mask) -> pa.Array:
    words = data.buffer.view(np.uint32)
    numbers = np.zeros(len(codes), dtype=np.uint64)
    place = data.start >> 2
    either = dword | qword
    numbers[either] = words[place[either]]
    swapped = dword & (codes == _DWORD_BE)
    numbers[swapped] = words[place[swapped]].byteswap()
    numbers[qword] |= words[place[qword] + 1].astype(np.uint64) << np.uint64(32)
    return pa.Array.from_buffers(pa.uint64(), len(codes), [text.bits(either), pa.py_buffer(numbers)])


def _lists(data: Data, rows: Mask) -> pa.Array:
    start, length = data.start[rows], data.length[rows] & ~1
    units = text.gather(data.buffer, start, length).view(np.uint16)
    offsets = text.ends(length >> 1)
    # A string begins at the start of a value and behind every NUL inside it; it ends at the next NUL or with the value.
    zeros = np.flatnonzero(units == 0)
    filled = np.diff(offsets) > 0
    begins = np.union1d(zeros + 1, offsets[:-1][filled])
    begins = begins[begins < len(units)]
    owner = np.searchsorted(offsets, begins, side="right") - 1
    stop = np.append(zeros, len(units))[np.searchsorted(zeros, begins)]
    sizes = np.minimum(stop, offsets[owner + 1]) - begins
    # The empty string at the end only ends the list. Others belong to it: PendingFileRenameOperations has pairs of
    # names, and an empty second one deletes the first at boot. Nothing but empty strings is an empty list.
    last = np.append(owner[1:] != owner[:-1], np.ones(min(len(owner), 1), dtype=np.bool_))
    filled = np.bincount(owner, weights=sizes, minlength=len(length)) > 0
    keep = ~(last & (sizes == 0)) & filled[owner]
    begins, sizes, owner = begins[keep], sizes[keep], owner[keep]
    strings = text.utf16(units.view(np.uint8), begins * 2, sizes * 2)
    counts = np.zeros(len(rows), dtype=np.int64)
    counts[rows] = np.bincount(owner, minlength=len(length))
    offsets_buffer = pa.py_buffer(text.ends(counts).astype(np.int32))
    inner = text.array(strings, pa.string())
    return pa.Array.from_buffers(pa.list_(pa.string()), len(rows), [text.bits(rows), offsets_buffer], children=[inner])
