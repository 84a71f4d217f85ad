"""Deleted keys and values of a hive: nk and vk records that lie where nothing live does (option ``deleted``).

Windows frees the cells of what it deletes and leaves their bytes until others need the place. Looked through is all
that no live key, value, list or datum covers: free cells, cells that nothing names any more, the slack behind what a
cell holds, and what lies behind the last bin. A record is taken for one when its lengths, offsets, counts and time can
be true and its name is text. Contract: nothing here raises for damage; work and memory grow with the file alone.

A deleted key's path goes up by the keys' own references, through deleted ones to a live one; where that ends nowhere
it begins below. A deleted value belongs to the deleted key whose list names it, else its key is not known. Data whose
place is in use again are not its own any more. Format: M. Suhanov, "Windows registry file format specification".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from udfs.readers.base import BATCH_ROWS, NullLoss
from udfs.readers.hive import paths, text, tree, values
from udfs.readers.hive.image import BASE, I64, NK, VK, Cancelled, Damage, HiveImage, Mask

_MANY = 100_000  # subkeys or values of one key; a count above it is none
_FIRST, _LAST = 116_444_736_000_000_000, 157_469_184_000_000_000  # 1970 and 2100 as FILETIME
_NAME = 512
_DEEP = 600


@dataclass(frozen=True)
class Deleted:
    """``at``, ``paths``: the nk and the path of each deleted key. ``rows``: its values, or the key itself (-1), key
    after key; behind them values whose key is not known (key -1). ``lost``: rows whose data are in use again, or not in
    the file: hives get shorter, too."""

    at: I64
    paths: pa.Array
    rows: values.Cells
    lost: Mask


def deleted(image: HiveImage, live: tree.KeyTree, lists: values.ValueLists, cancelled: Cancelled) -> Deleted:
    """What is deleted in a hive with these live keys and value lists."""
    held = _held(image, live, lists, cancelled)
    keys = _found(image, NK, held, _is_key)
    cells = _found(image, VK, held, _is_value)
    rows = _rows(image, keys, cells, held, cancelled)
    return Deleted(keys, _paths(image, live, keys), rows, _reused(image, rows.at, held))


def _held(image: HiveImage, live: tree.KeyTree, lists: values.ValueLists, cancelled: Cancelled) -> Mask:
    """For every eight bytes of the file: does something live lie there? Cells begin at multiples of eight."""
    steps = np.zeros((image.size >> 3) + 3, dtype=np.int32)

    def mark(start: I64, length: I64) -> None:
        start, length = start[length > 0], length[length > 0]
        np.add.at(steps, start >> 3, 1)
        np.add.at(steps, np.minimum((start + length + 7) >> 3, len(steps) - 1), -1)

    quiet = Damage(NullLoss(), image.source)
    mark(live.at, 76 + tree.name_fields(image, live.at)[1])
    mark(lists.list_at, 4 * lists.count)
    total = int(lists.before[-1])
    for first in range(0, total, BATCH_ROWS):
        if cancelled():
            break
        at = values.cells(image, lists, first, min(first + BATCH_ROWS, total), quiet).at
        mark(at, 20 + values.name_fields(image, at)[1])
        start, length, readable, segmented = values.data_fields(image, at, None)
        mark(start[readable & ~segmented], length[readable & ~segmented])
        for cell, size in zip(start[segmented].tolist(), length[segmented].tolist(), strict=True):
            mark(*values.segments(image, cell, size))
    found: Mask = np.cumsum(steps[:-1]) > 0
    return found


def _found(image: HiveImage, mark: int, held: Mask, is_one: Callable[[HiveImage, I64], Mask]) -> I64:
    """Positions of records with this mark where nothing live lies, of those that overlap the first."""
    least = 76 if mark == NK else 20
    marks = image.halves[(BASE + 4) >> 1 : max(image.size - least + 2, 0) >> 1 : 2]
    at: I64 = np.flatnonzero(marks == mark) * 4 + BASE + 4
    at = at[(at + least <= image.size) & ~held[at >> 3]]
    at = at[is_one(image, at)]
    while len(at) > 1 and not (apart := np.diff(at, prepend=-least) >= least).all():
        at = at[apart]
    return at


def _is_key(image: HiveImage, at: I64) -> Mask:
    """Whether what is marked nk can be a key."""
    length = (image.word(at, 72) & 0xFFFF).astype(np.int64)
    fine = (length > 0) & (length <= _NAME) & (at + 76 + length <= image.size)
    time = image.word(at, 4).astype(np.int64) | (image.word(at, 8) & 0x7FFFFFFF).astype(np.int64) << 32
    fine &= (time >= _FIRST) & (time < _LAST) & (image.word(at, 8) < 0x80000000)
    fine &= (image.word(at, 20) <= _MANY) & (image.word(at, 24) <= _MANY)
    fine &= (image.word(at, 36) <= _MANY) | ((image.word(at, 0) & 0x00400000) != 0)
    wide = (image.word(at, 0) >> 16) & 0x20 == 0
    return _named(image, at + 76, length, wide, fine)


def _is_value(image: HiveImage, at: I64) -> Mask:
    """Whether what is marked vk can be a value."""
    length = (image.word(at, 0) >> 16).astype(np.int64)
    fine = (length <= 2 * _NAME) & (at + 20 + length <= image.size)
    size = image.word(at, 4)
    inline = size >= 0x80000000
    place = image.word(at, 8)
    fine &= np.where(inline, size <= 0x80000004, (place & 7 == 0) & (place >= 32) | (size == 0))
    fine &= (image.word(at, 16) & 0xFFFC) == 0  # flags: the name is Latin-1, a tombstone
    wide = image.word(at, 16) & 1 == 0
    return _named(image, at + 20, length, wide, fine)


def _named(image: HiveImage, start: I64, length: I64, wide: Mask, fine: Mask) -> Mask:
    """Those of the fine ones whose name is text: no NUL, and no half of a UTF-16 character."""
    rows = np.flatnonzero(fine)
    names = text.names(image.data, start[rows], length[rows], wide[rows]).to_pylist()
    good = [name is not None and "\0" not in name and "\ufffd" not in name for name in names]
    result = fine.copy()
    result[rows] = good
    return result


def _rows(image: HiveImage, keys: I64, cells: I64, held: Mask, cancelled: Cancelled) -> values.Cells:
    """The values of the keys by their lists, a key without any as itself, then the values that no list names."""
    left = set(cells.tolist())
    room = image.size >> 2
    key: list[int] = []
    at: list[int] = []
    counts, stored = image.word(keys, 36).astype(np.int64), image.content(image.word(keys, 40), 4)
    for number, (count, listed) in enumerate(zip(counts.tolist(), stored.tolist(), strict=True)):
        if cancelled():
            break
        own: list[int] = []
        if 0 < count <= _MANY and listed >= 0 and not held[listed >> 3] and room > 0:
            words = image.words[listed >> 2 : min(listed + 4 * count, image.size) >> 2]
            room -= len(words)
            for place in image.content(words, 20).tolist():
                if place in left:
                    left.remove(place)
                    own.append(place)
        key += [number] * max(len(own), 1)
        at += own or [-1]
    alone = sorted(left)
    return values.Cells(np.array(key + [-1] * len(alone), dtype=np.int64), np.array(at + alone, dtype=np.int64))


def _paths(image: HiveImage, live: tree.KeyTree, keys: I64) -> pa.Array:
    """The paths of deleted keys, by the parents that they name."""
    length = (image.word(keys, 72) & 0xFFFF).astype(np.int64)
    wide = (image.word(keys, 0) >> 16) & 0x20 == 0
    names = text.names(image.data, keys + 76, length, wide).to_pylist()
    above = image.content(image.word(keys, 16), 76).tolist()
    place = {at: number for number, at in enumerate(keys.tolist())}
    order = np.argsort(live.at, kind="stable")
    slots = np.minimum(np.searchsorted(live.at[order], above), max(len(order) - 1, 0))
    is_live = live.at[order][slots] == above if len(order) else np.zeros(len(keys), dtype=np.bool_)
    tops = np.unique(order[slots[is_live]]) if len(order) else np.zeros(0, dtype=np.int64)
    known = dict(zip(tops.tolist(), paths.key_paths(image, live, tops).to_pylist(), strict=True))
    made = [known[int(order[slot])] if there else None for slot, there in zip(slots, is_live, strict=True)]
    result = []
    for number in range(len(keys)):
        parts, here, seen = [], number, {number}
        while True:
            parts.append(names[here])
            if made[here] is not None:
                parts.append(made[here])
                break
            here = place.get(above[here], -1)
            if here < 0 or here in seen or len(parts) > _DEEP:
                break
            seen.add(here)
        result.append("\\".join(reversed(parts)))
    return pa.array(result, pa.string())


def _reused(image: HiveImage, at: I64, held: Mask) -> Mask:
    """Rows whose data lie where something live does."""
    result = np.zeros(len(at), dtype=np.bool_)
    rows = np.flatnonzero(at >= 0)
    start, length, readable, segmented = values.data_fields(image, at[rows], None)
    upto = text.ends(held.astype(np.int64))
    stored = image.word(at[rows], 4) < 0x80000000
    away = readable & stored & (length > 0)
    first = np.minimum(start >> 3, len(held))
    last = np.minimum((start + np.where(segmented, 8, length) + 7) >> 3, len(held))
    result[rows] = (away & (upto[last] > upto[first])) | (stored & ~readable)
    for row in np.flatnonzero(away & segmented).tolist():
        begins, sizes = values.segments(image, int(start[row]), int(length[row]))
        ends = np.minimum((begins + sizes + 7) >> 3, len(held))
        result[rows[row]] |= bool((upto[ends] > upto[begins >> 3]).any())
    return result
