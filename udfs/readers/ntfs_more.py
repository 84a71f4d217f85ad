"""What a file has more than one of: names (hard links) and named streams (alternate data streams).

``More`` collects them while the attribute chains are walked, those of extension records under their base record, and
gives them to the rows of a batch afterwards: as lists (``names``, ``ads``) or as rows of their own. A DOS name is no
further name, it is the short form of another one. Kept in memory: names only of records that have two, streams with
the first ``CONTENT`` bytes of what lies in the record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.ntfs_arrays import TIMESTAMP, Flags, Ints, filetimes, flags_of, offsets_of, raw, strings
from udfs.readers.ntfs_paths import NUMBER, Paths
from udfs.readers.ntfs_records import DOS_ONLY, FILE_NAME, NAMED_DATA, RANKS, Block, Found

CONTENT = 1024
"""Bytes of a resident stream that are shown."""
NAME_TIMES = ("created_at", "modified_at", "mft_modified_at", "access_at")
STREAM_COLUMNS = {"stream_name": pa.string(), "stream_size": pa.int64(), "stream_content": pa.binary()}
_NAME_SCHEMA = pa.schema(
    [("file_name", pa.string()), ("parent_file_ref", pa.uint64()), *((name, TIMESTAMP) for name in NAME_TIMES)]
)
_STREAM_SCHEMA = pa.schema(list(STREAM_COLUMNS.items()))


@dataclass
class _Kept:
    """Things of records: ``no`` and ``seq`` of the base record of each, and what it is, one table a block."""

    schema: pa.Schema
    no: list[Ints] = field(default_factory=list)
    seq: list[Ints] = field(default_factory=list)
    things: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, no: Ints, seq: Ints, arrays: list[pa.Array]) -> None:
        self.no.append(no)
        self.seq.append(seq)
        self.things.append(pa.RecordBatch.from_arrays(arrays, schema=self.schema))

    def sorted(self) -> _Sorted:
        """All of them by record number, in file order where it is the same."""
        if not self.no:
            return _Sorted(np.zeros(0, np.int64), np.zeros(0, np.int64), self.schema.empty_table())
        no, seq = np.concatenate(self.no), np.concatenate(self.seq)
        order = np.argsort(no, kind="stable")
        table = pa.Table.from_batches(self.things).combine_chunks().take(pa.array(order))
        return _Sorted(no[order], seq[order], table)


@dataclass(frozen=True)
class _Sorted:
    no: Ints
    seq: Ints
    things: pa.Table

    def of(self, batch: pa.RecordBatch) -> tuple[Ints, pa.Table]:
        """Rows of ``batch`` that are the base record of something, and those things, row by row."""
        numbers = raw(batch.column("no"), np.int64)
        low, high = np.searchsorted(self.no, (numbers[0], numbers[-1] + 1)) if len(numbers) else (0, 0)
        row = np.searchsorted(numbers, self.no[low:high])
        good = numbers[np.minimum(row, len(numbers) - 1)] == self.no[low:high] if high > low else np.zeros(0, np.bool_)
        row = row * good
        good &= raw(batch.column("seq"), np.int32)[row] == self.seq[low:high]
        good &= raw(batch.column("file_ref"), np.uint64)[row] == 0
        return row[good], self.things.slice(low, high - low).filter(pa.array(good))


class More:
    """Collects further names (``names``) and named streams (``streams``) of one file."""

    def __init__(self, names: bool, streams: bool) -> None:
        self.names, self.streams = names, streams
        self._names, self._streams = _Kept(_NAME_SCHEMA), _Kept(_STREAM_SCHEMA)
        self._sorted_names: _Sorted | None = None
        self._sorted_streams: _Sorted | None = None

    def found(self) -> Found:
        """What the walk over a block is to note."""
        return Found(self.names, self.streams)

    def take(self, block: Block, header: dict[str, pa.Array], found: Found) -> None:
        """Keep what the walk noted; ``header`` has ``no``, ``seq``, ``file_ref`` and ``in_use`` of the rows."""
        base = raw(header["file_ref"], np.uint64)
        # An extension record that was given up may hold what its base record has elsewhere now.
        usable = (base == 0) | flags_of(header["in_use"])
        own = base == 0
        no = np.where(own, raw(header["no"], np.int64), (base & np.uint64(NUMBER)).view(np.int64))
        seq = np.where(own, raw(header["seq"], np.int32), (base >> np.uint64(48)).view(np.int64))
        for kind, keep in ((FILE_NAME, self._take_names), (NAMED_DATA, self._take_streams)):
            live, at = found.of(kind)
            good = usable[live]
            if good.any():
                keep(block, live[good], at[good], own, no, seq)

    def _take_names(self, block: Block, live: Ints, at: Ints, own: Flags, no: Ints, seq: Ints) -> None:
        size = block.dwords.take((at >> 2) + 4).astype(np.int64)
        where = at + block.words.take((at >> 1) + 10)
        length = block.dwords.take((at >> 2) + 1).astype(np.int64)
        good = (where & 7 == 0) & (size >= 66) & (where + size <= at + length)
        live, where, size = live[good], where[good], size[good]
        characters = block.data.take(where + 64).astype(np.int64)
        good = (RANKS.take(block.data.take(where + 65)) != DOS_ONLY) & (66 + 2 * characters <= size)
        live, where, characters = live[good], where[good], characters[good]
        # One name is the record's own, unless the others stand in extension records.
        several = np.bincount(live, minlength=len(no))[live] > 1
        good = several | ~own[live] | (block.header_word(live_rows(block, live), 18) > 1)
        live, where, characters = live[good], where[good], characters[good]
        times = [filetimes(block.quads.take((where >> 3) + 1 + place)) for place in range(4)]
        parent = pa.array(block.quads.take(where >> 3).view(np.uint64))
        name = strings(block.words, (where + 66) >> 1, characters)
        self._names.add(no[live], seq[live], [name, parent, *times])

    def _take_streams(self, block: Block, live: Ints, at: Ints, own: Flags, no: Ints, seq: Ints) -> None:
        characters = block.data.take(at + 9).astype(np.int64)
        start = at + block.words.take((at >> 1) + 5)
        length = block.dwords.take((at >> 2) + 1).astype(np.int64)
        outside = block.data.take(at + 8) != 0
        size = block.dwords.take((at >> 2) + 4).astype(np.int64)
        content = at + block.words.take((at >> 1) + 10)
        good = (start & 1 == 0) & (start + 2 * characters <= at + length)
        # Of a stream in several pieces the first one tells its size.
        lowest = block.quads.take((at >> 3) + 2)
        good &= np.where(outside, (length >= 64) & (lowest == 0), content + size <= at + length)
        chosen = np.flatnonzero(good)
        live, at, start, characters = live[chosen], at[chosen], start[chosen], characters[chosen]
        outside, size, content = outside[chosen], size[chosen], content[chosen]
        beyond = np.flatnonzero(outside)
        size[beyond] = block.quads.take((at[beyond] >> 3) + 6)
        shown = [
            None if away else block.data[place : place + min(held, CONTENT)].tobytes()
            for away, place, held in zip(outside.tolist(), content.tolist(), size.tolist(), strict=True)
        ]
        sizes = pa.array(size, mask=size < 0)
        name = strings(block.words, start >> 1, characters)
        self._streams.add(no[live], seq[live], [name, sizes, pa.array(shown, pa.binary())])

    def further(self, batch: pa.RecordBatch) -> tuple[Ints, pa.Table]:
        """Further names of the rows of ``batch``: the row of each, and the names with parent and times."""
        if self._sorted_names is None:
            self._sorted_names = self._names.sorted()
        row, names = self._sorted_names.of(batch)
        place = pa.array(row)
        same = pc.and_(
            pc.equal(names["file_name"], batch.column("file_name").take(place)),
            pc.equal(names["parent_file_ref"], batch.column("parent_file_ref").take(place)),
        )
        other = pc.invert(pc.fill_null(same, False))
        return row[np.asarray(other, dtype=np.bool_)], names.filter(other)

    def named_streams(self, batch: pa.RecordBatch) -> tuple[Ints, pa.Table]:
        """Named streams of the rows of ``batch``: the row of each, and name, size and content."""
        if self._sorted_streams is None:
            self._sorted_streams = self._streams.sorted()
        return self._sorted_streams.of(batch)

    def names_column(self, batch: pa.RecordBatch, paths: Paths) -> pa.Array:
        """``names``: the paths of the further names; null where there is none."""
        row, names = self.further(batch)
        found = paths.under(whole(names["parent_file_ref"]), whole(names["file_name"]))
        return listed(row, found, batch.num_rows)

    def ads_column(self, batch: pa.RecordBatch) -> pa.Array:
        """``ads``: JSON text of a list of maps; null where there is no named stream."""
        row, streams = self.named_streams(batch)
        made: dict[int, list[dict[str, object]]] = {}
        for number, stream in zip(row.tolist(), streams.to_pylist(), strict=True):
            content = stream["stream_content"]
            shown = {"name": stream["stream_name"], "size": stream["stream_size"]}
            made.setdefault(number, []).append(shown | {"content": None if content is None else content.hex()})
        texts: list[str | None] = [None] * batch.num_rows
        for number, found in made.items():
            texts[number] = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        return pa.array(texts, pa.string())


def live_rows(block: Block, live: Ints) -> Ints:
    """Records of the walk as records of the block: the same where every record was walked."""
    return live if block.walked is None else block.walked[live]


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column of a table as one array."""
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def listed(row: Ints, values: pa.Array, rows: int) -> pa.Array:
    """A list column from values that know their row (ascending); null where a row has none."""
    counts = np.bincount(row, minlength=rows)
    offsets = offsets_of(counts).astype(np.int32)
    none: npt.NDArray[np.bool_] = counts == 0
    valid = pa.py_buffer(np.packbits(~none, bitorder="little"))
    return pa.Array.from_buffers(pa.list_(values.type), rows, [valid, pa.py_buffer(offsets)], children=[values])
