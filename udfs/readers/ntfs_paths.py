"""Full paths of file records: every directory's path once, level by level, then one lookup a record.

A reference to a parent holds when that record is named and its sequence number equals the one in the reference, or when
it is deleted and its number is one higher (deleting a record adds one). A parent that is missing, reused or in a cycle
contributes nothing: the path begins below it. Parts are joined by a backslash, the root (record 5) is not shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.ntfs_arrays import Flags, Ints, offsets_of

ROOT = 5
NUMBER = (1 << 48) - 1
"""Low 48 bits of a reference: the record number."""
MAX_DEPTH = 16_384
"""Levels that fit into the longest path Windows knows: 32,767 characters, one-letter names."""
MAX_PATH_BYTES = 98_301
"""The same path in UTF-8, three bytes a character."""
MAX_TABLE_BYTES = 256 << 20
"""All directory paths together: a volume made to exhaust memory must not."""


@dataclass
class Names:
    """What paths need to know of consecutive records, one piece a batch: ``no`` ascending."""

    no: Ints
    seq: npt.NDArray[np.uint16]
    in_use: Flags
    parent: npt.NDArray[np.uint64]
    named: Flags
    name: pa.Array


class Paths:
    """Directory paths of one file, and the paths of its records from them. ``cut``: directories whose own path was
    given up because it is deeper or longer than the limits above. Records are numbered from the file's ``first`` on."""

    def __init__(self, pieces: list[Names], first: int = 0) -> None:
        self.cut = 0
        self.first = first
        last = max((int(piece.no[-1]) for piece in pieces if len(piece.no)), default=-1)
        self._size = last + 1
        self._seq = np.zeros(self._size, np.uint16)
        self._in_use = np.zeros(self._size, np.bool_)
        self._named = np.zeros(self._size, np.bool_)
        for piece in pieces:
            self._seq[piece.no] = piece.seq
            self._in_use[piece.no] = piece.in_use
            self._named[piece.no] = piece.named
        self._above = np.full(self._size, -1, np.int64)
        """Record number to that of the parent whose path goes before the name."""
        self._slot = np.full(self._size + 1, -1, np.int64)
        """Record number to its row in ``_table``; -1 contributes nothing (as does the extra row at the end)."""
        self._table: pa.Array = pa.array([], pa.string())
        self._lengths = np.zeros(0, np.int64)
        self._lost = np.zeros(self._size, np.bool_)
        """Records whose parent is not the one they were put into."""
        self._lost_rows = np.zeros(0, np.bool_)
        """Of each row in ``_table``: whether the path begins below a lost folder, not at the root."""
        self._build(pieces)

    def _up(self, parent: npt.NDArray[np.uint64], named: Flags) -> Ints:
        """Number of the parent whose path goes before the name; -1 for none and for the root."""
        number = (parent & np.uint64(NUMBER)).view(np.int64)
        number[~named | (number >= self._size + self.first) | (number == ROOT)] = -1
        if self.first:
            number = np.maximum(number - self.first, -1)
        # Number -1 looks at the last record, whatever that is: it stays -1 in the end. Sequences wrap at 16 bits.
        late = self._seq.take(number, mode="wrap") - (parent >> np.uint64(48)).astype(np.uint16)
        good = (late == 0) | ((late == 1) & ~self._in_use.take(number, mode="wrap"))
        good &= self._named.take(number, mode="wrap")
        return np.where(good, number, -1)

    def _build(self, pieces: list[Names]) -> None:
        if not self._size:
            return
        up = self._above
        for piece in pieces:
            up[piece.no] = self._up(piece.parent, piece.named)
            outside = (piece.parent & np.uint64(NUMBER)).view(np.int64) != ROOT
            self._lost[piece.no] = piece.named & outside & (up[piece.no] < 0)
        above_any = np.zeros(self._size, np.bool_)
        above_any[up[up >= 0]] = True
        folders = np.flatnonzero(above_any)
        # Ancestors of folders are folders themselves: they are named as somebody's parent.
        names = _take(pieces, folders)
        order = np.full(self._size + 1, -1, np.int64)
        order[folders] = np.arange(len(folders))
        above = order[up[folders]]
        self._levels(folders, names, above)

    def _levels(self, folders: Ints, names: pa.Array, above: Ints) -> None:
        """Paths of all folders below the top, level by level; those in or below a cycle are never reached."""
        by_parent = np.argsort(above, kind="stable")
        begin = np.searchsorted(above[by_parent], np.arange(len(folders) + 1))
        name_bytes = np.diff(np.frombuffer(names.buffers()[1], np.int64)[: len(names) + 1]) if len(names) else above
        level = np.flatnonzero(above < 0)
        paths = names.take(pa.array(level)).cast(pa.string())
        lengths = name_bytes[level]
        lost = self._lost[folders[level]]
        tables, all_lengths, all_lost, done, total = [], [], [], 0, 0
        for _ in range(MAX_DEPTH):
            if not len(level):
                break
            tables.append(paths)
            all_lengths.append(lengths)
            all_lost.append(lost)
            self._slot[folders[level]] = done + np.arange(len(level))
            done += len(level)
            total += int(lengths.sum())
            counts = begin[level + 1] - begin[level]
            ends = offsets_of(counts)
            below = by_parent[np.repeat(begin[level] - ends[:-1], counts) + np.arange(int(ends[-1]))]
            parents = np.repeat(np.arange(len(level)), counts)
            next_lengths = lengths[parents] + 1 + name_bytes[below]
            kept = next_lengths <= MAX_PATH_BYTES
            if total + int(next_lengths.sum()) > MAX_TABLE_BYTES:
                kept[:] = False
            self.cut += int((~kept).sum())
            level, parents, lengths = below[kept], parents[kept], next_lengths[kept]
            lost = lost[parents]
            paths = pc.binary_join_element_wise(
                paths.take(pa.array(parents)), names.take(pa.array(level)).cast(pa.string()), "\\"
            )
        if tables:
            self._table = pa.concat_arrays(tables)
            self._lengths = np.concatenate(all_lengths)
            self._lost_rows = np.concatenate(all_lost)

    def orphans(self, no: Ints, named: Flags) -> pa.Array:
        """Whether the way up from each record ``no`` does not end at the root; null where it has no name."""
        above = self._above.take(no)
        slot = self._slot.take(above)
        lost = self._lost.take(no) | (above >= 0) & (slot < 0)  # of a cycle no folder has a path
        inside = np.flatnonzero(slot >= 0)
        lost[inside] |= self._lost_rows[slot[inside]]
        return pa.array(lost, mask=~named)

    def of(self, no: Ints, named: Flags, name: pa.Array) -> pa.Array:
        """Paths of the records ``no``: string, null where the record has no name."""
        return self._joined(self._slot.take(self._above.take(no)), named, name)

    def under(self, parent: pa.Array, name: pa.Array) -> pa.Array:
        """Paths of names that stand in the folders ``parent`` (full references): of hard links."""
        named = name.is_valid().to_numpy(zero_copy_only=False)
        refs = np.asarray(parent, dtype=np.uint64)
        return self._joined(self._slot.take(self._up(refs, named)), named, name)

    def lost_under(self, parent: pa.Array) -> Flags:
        """Whether the way up from the folders ``parent`` does not end at the root."""
        refs = np.asarray(parent, dtype=np.uint64)
        above = self._up(refs, np.ones(len(refs), np.bool_))
        slot = self._slot.take(above)
        lost: Flags = ((refs & np.uint64(NUMBER)) != ROOT) & (slot < 0)
        inside = np.flatnonzero(slot >= 0)
        lost[inside] = self._lost_rows[slot[inside]]
        return lost

    def _joined(self, slot: Ints, named: Flags, name: pa.Array) -> pa.Array:
        if int(self._lengths[slot[slot >= 0]].sum()) > MAX_TABLE_BYTES and len(slot) > 1:
            half = len(slot) // 2
            parts = ((slice(None, half)), (slice(half, None)))
            return pa.concat_arrays([self._joined(slot[part], named[part], name[part]) for part in parts])
        folder = self._table.take(pa.array(slot, mask=slot < 0))
        # With null_handling="skip" Arrow 26 leaves out the rows in which both sides are null: none may be.
        own = pc.fill_null(name, "") if name.null_count else name
        joined = pc.binary_join_element_wise(folder, own, "\\", null_handling="skip")
        _, where, data = joined.buffers()
        valid = pa.py_buffer(np.packbits(named, bitorder="little"))
        return pa.Array.from_buffers(pa.string(), len(joined), [valid, where, data])


def _take(pieces: list[Names], numbers: Ints) -> pa.Array:
    """Names of the records ``numbers`` (ascending), null-free by construction."""
    found = [pa.array([], pa.large_string())]
    for piece in pieces:
        if len(piece.no):
            low, high = np.searchsorted(numbers, (piece.no[0], piece.no[-1] + 1))
            here = np.searchsorted(piece.no, numbers[low:high])
            found.append(piece.name.take(pa.array(here)).cast(pa.large_string()))
    return pa.concat_arrays(found)
