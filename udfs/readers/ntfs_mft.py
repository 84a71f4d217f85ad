"""NTFS $MFT to Arrow: one row per file record, columns decoded only when asked for (command ``ntfs-mft``).

Contract: record size from the file (1,024 or 4,096); every record with the FILE signature is a row, also deleted ones
and those without attributes; others go to the ledger. A record's number is its place in the file, in a part of an $MFT
what its records tell. Names are the long ones, the DOS name is ``short_name``. A base
record without name or data takes them from its extension records. Columns of the record header and of
$STANDARD_INFORMATION stream in constant memory; names, sizes and paths need a first pass over the file, because an
extension record or a parent may stand anywhere: its decoded columns are kept up to ``SPOOL_BYTES`` and decoded again
beyond, so that only the name and parent table (for ``file_path``) grows with the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.artefacts import surely
from udfs.readers.base import BATCH_ROWS, ReadContext, ReaderError, batch_of, field
from udfs.readers.evidence import Bytes, Evidence, EvidenceReader, Tally, Target, Targets, base_name, joined
from udfs.readers.ntfs_arrays import (
    TIMESTAMP,
    Flags,
    Ints,
    bitmap,
    booleans,
    constant,
    filetimes,
    flags_of,
    int32,
    int64,
    primitive,
    raw,
    strings,
    uint64,
)
from udfs.readers.ntfs_more import NAME_TIMES, STREAM_COLUMNS, More, whole
from udfs.readers.ntfs_paths import NUMBER, Names, Paths
from udfs.readers.ntfs_records import (
    DOS_ONLY,
    FILE,
    NO_NAME,
    Attributes,
    Block,
    fix_up,
    stated_size,
    stream_sizes,
    walk,
)
from udfs.readers.request import Request

BLOCK_BYTES = 6 << 20
"""Bytes decoded at a time: small enough that the records are still in the processor's cache for the last column."""
SPOOL_BYTES = 128 << 20
"""Decoded columns kept between the two passes."""
_RECORD_SIZES = (1024, 4096, 2048, 512)
_AGREEING = 8
"""Records whose own number must be as far from their place in the file before it is believed."""

_TIMES = {"created_at": 0, "modified_at": 1, "mft_modified_at": 2, "access_at": 3}
"""Place of each time in both attributes."""
_BITS = {
    "is_readonly": 0x1, "is_hidden": 0x2, "is_system": 0x4, "is_archive": 0x20, "is_device": 0x40, "is_normal": 0x80,
    "is_temp": 0x100, "is_sparse": 0x200, "is_reparse": 0x400, "is_compressed": 0x800, "is_offline": 0x1000,
    "is_indexed": 0x2000, "is_encrypted": 0x4000,
}  # fmt: skip
_NAME_COLUMNS = ("file_name", "short_name", *_TIMES, "parent_file_ref", "parent_no", "#rank")
_SIZE_COLUMNS = ("file_size", "alloc_size", "#stream")
_HEADER_COLUMNS = frozenset({"no", "in_use", "is_dir", "link_count", "lsn", "seq", "file_ref", "own_ref", "_file"})
_MERGE_COLUMNS = frozenset({"no", "seq", "in_use", "file_ref", "#rank", "#stream"})
_PATH_COLUMNS = frozenset({"no", "seq", "in_use", "file_name", "parent_file_ref"})

SCHEMA = pa.schema(
    [
        field("no", pa.int64()),
        field("file_name", pa.string()),
        field("file_path", pa.string()),
        field("file_size", pa.int64()),
        field("alloc_size", pa.int64()),
        field("in_use", pa.bool_()),
        field("is_dir", pa.bool_()),
        field("link_count", pa.int32()),
        *(field(name, TIMESTAMP) for name in ("created_at", "modified_at", "access_at", "mft_modified_at")),
        *(field(f"std_{name}", TIMESTAMP) for name in ("created_at", "modified_at", "access_at", "mft_modified_at")),
        *(field(name, pa.bool_()) for name in _BITS),
        field("lsn", pa.int64()),
        field("seq", pa.int32()),
        field("file_ref", pa.uint64()),
        field("parent_file_ref", pa.uint64()),
        field("parent_no", pa.int64()),
        field("short_name", pa.string()),
        field("is_orphan", pa.bool_()),
        field("own_ref", pa.uint64()),
        field("names", pa.list_(pa.string())),
        field("ads", pa.string(), "json"),
        field("_file", pa.string()),
    ]
)
"""``file_ref`` is the base record's reference, 0 for a base record; ``parent_no`` its low 48 bits; sizes in bytes.
``own_ref``: number and sequence, the reference that others name the record by.
``names``: the paths of further names (hard links). ``ads``: named streams as ``name``, ``size`` and ``content``.
``is_orphan``: a folder above is missing, was deleted and its number used again, or lies in a circle, so ``file_path``
begins below it."""
_FROM_PATHS = frozenset({"file_path", "is_orphan", "names"})
_LATER = frozenset({"file_path", "is_orphan", "names", "ads", "_file", *STREAM_COLUMNS})
"""Columns that are made when the whole file was seen."""
_STREAM_SCHEMA = pa.schema([*(f for f in SCHEMA if f.name not in ("ads", "_file")),
                            *(pa.field(n, t) for n, t in STREAM_COLUMNS.items()), SCHEMA.field("_file")])  # fmt: skip
"""Of ``streams=t``: one row a named stream."""
_INTERNAL = (pa.field("#rank", pa.int8()), pa.field("#stream", pa.bool_()))


Each = Literal["name", "stream"] | None
"""What a row is: a record (None), one of its names, one of its named streams."""


class MftReader(EvidenceReader):
    """Reader of $MFT files.

    ``paths``: a path or several, ``*`` in the last component; with ``zippath`` they are entries of that archive and
    ``zipcharset`` decodes entry names. ReaderError codes: ``empty-file``, ``not-an-mft`` and those of the base.
    Ledger reasons (position = byte offset of the first): ``record-without-file-signature``, ``zero-record``,
    ``damaged-record`` and ``torn-record`` (the row is kept with what could be read), ``truncated-record``,
    ``path-too-long``.
    """

    columns = SCHEMA
    _each: Each = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Options: ``names``, ``streams``, ``zippath``, ``zipcharset``, ``host``."""
        made = cls(Targets.of(request, cls.belongs))
        made._each = "name" if request.flag("names") else "stream" if request.flag("streams") else None
        if made._each == "stream":
            made.columns = _STREAM_SCHEMA
        return made

    @staticmethod
    def belongs(name: str, head: bytes) -> bool:
        """A record is first, of $MFT itself in a whole file, of any in a part; in ``$MFT`` it may be damaged."""
        return surely("NTFS $MFT", name) or (head[:5] in (b"FILE0", b"FILE*") and "mftmirr" not in name.lower())

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file, in record order."""
        return _scan_file(target, wanted, context, self._each)


def _scan_file(target: Target, wanted: pa.Schema, context: ReadContext, each: Each = None) -> Iterator[pa.RecordBatch]:
    names = frozenset(wanted.names)
    with Evidence(target, context) as evidence:
        layout = _layout(evidence)
        tally = Tally()
        tally.add("truncated-mft", _records_missing(evidence, layout), evidence.size)
        try:
            if each is None and all(n in _HEADER_COLUMNS or n in _BITS or n[:4] == "std_" for n in names):
                yield from _finish(_decode_file(evidence, layout, names, tally), wanted, base_name(target), None, None)
                return
            yield from _two_passes(_File(evidence, layout, names, tally, each), wanted, base_name(target))
        finally:
            tally.report(context, evidence.name)


def _block_buffer(evidence: Evidence) -> Bytes:
    """Memory for one block, less when the file is smaller; of a size that every record size divides."""
    return np.zeros(min(BLOCK_BYTES, evidence.size + 4095 & ~4095), np.uint8)


@dataclass(frozen=True)
class _Layout:
    """``size`` of a record in bytes, ``start`` of the first one in the file, and its number ``first``."""

    size: int
    start: int = 0
    first: int = 0


def _layout(evidence: Evidence) -> _Layout:
    """Where the records lie, from the first ones found; ReaderError when there is none.

    A part of an $MFT may begin in the middle of a record, and with any number: its records tell their own. Without
    that every parent would be looked up in the wrong place.
    """
    if evidence.size == 0:
        raise ReaderError("{path} is empty", evidence.name, "empty-file")
    buffer = _block_buffer(evidence)
    offset = evidence.next_data(0) // BLOCK_BYTES * BLOCK_BYTES
    while offset < evidence.size:
        got = evidence.read_at(offset, buffer)
        dwords = buffer[: got // 512 * 512].view("<u4").reshape(-1, 128)
        at = np.flatnonzero(dwords[:, 0] == FILE)
        if len(at):
            return _layout_of(dwords[at], at * 512 + offset)
        offset += BLOCK_BYTES
        offset = max(offset, evidence.next_data(offset) // BLOCK_BYTES * BLOCK_BYTES)
    raise ReaderError(
        "{path} is not an NTFS $MFT: it holds no record with the FILE signature", evidence.name, "not-an-mft"
    )


def _layout_of(headers: npt.NDArray[np.uint32], at: Ints) -> _Layout:
    """Layout from the first sectors of records at the byte offsets ``at``: what most of them say."""
    stated = headers[:, 7][np.isin(headers[:, 7], _RECORD_SIZES)]
    size = _most(stated)[0] if len(stated) else int(at[1] - at[0]) if len(at) > 1 else 1024
    size = size if size in _RECORD_SIZES else 1024
    start = _most(at % size)[0]
    # Since Windows XP the record's number stands before the update sequence.
    own = (headers[:, 1] & 0xFFFF >= 48) & (at % size == start)
    if own.any():
        ahead, count = _most(headers[own, 11].astype(np.int64) - at[own] // size)
        if count >= _AGREEING and count * 4 >= int(own.sum()) * 3 and ahead + int(at[0]) // size >= 0:
            return _Layout(size, start, ahead)
    return _Layout(size, start)


def _records_missing(evidence: Evidence, layout: _Layout) -> int:
    """Records that the file lacks at its end, as its own record says."""
    record = np.zeros(layout.size, np.uint8)
    whole = not (layout.start or layout.first) and evidence.read_at(0, record) == layout.size
    return max(stated_size(record.tobytes()) - evidence.size, 0) // layout.size if whole else 0


def _most(values: npt.NDArray[np.integer[Any]]) -> tuple[int, int]:
    """The value that occurs most often, and how often."""
    found, counts = np.unique(values, return_counts=True)
    best = int(np.argmax(counts))
    return int(found[best]), int(counts[best])


def _decode_file(
    evidence: Evidence, layout: _Layout, wanted: frozenset[str], tally: Tally, more: More | None = None
) -> Iterator[pa.RecordBatch]:
    """Every block of the file as a batch of the ``wanted`` columns (internal ones included)."""
    schema = pa.schema([f for f in (*SCHEMA, *_INTERNAL) if f.name in wanted and f.name not in _LATER])
    buffer = _block_buffer(evidence)
    size, offset = layout.size, layout.start
    if offset:
        tally.add("truncated-record", 1, 0)
    while offset < evidence.size:
        got = evidence.read_at(offset, buffer)
        whole = got // size * size
        if whole < got:
            kept = got - whole >= 512 and int(buffer[whole : whole + 4].view("<u4")[0]) == FILE
            tally.add("truncated-record", 1, offset + whole, "the row is kept" if kept else None)
            if kept:
                # The first sector has the header and mostly the name: the rest reads as zeros, torn off.
                buffer[got : whole + size] = 0
                whole += size
        if whole:
            batch = _decode_block(Block(buffer[:whole], size), offset, layout.first, schema, tally, more)
            if batch.num_rows:
                yield batch
        if got < len(buffer):
            return
        offset += got


def _decode_block(
    block: Block, offset: int, first: int, schema: pa.Schema, tally: Tally, more: More | None
) -> pa.RecordBatch:
    signatures = block.signatures()
    rows = np.flatnonzero(signatures == FILE)
    if len(rows) < block.count:
        other = np.flatnonzero((signatures != FILE) & (signatures != 0))
        if len(other):
            tally.add("record-without-file-signature", len(other), offset + int(other[0]) * block.size)
        zero = np.flatnonzero(signatures == 0)
        if len(zero):
            tally.add("zero-record", len(zero), offset + int(zero[0]) * block.size)
    names = frozenset(schema.names)
    arrays = _header_columns(block, rows, first + offset // block.size, names)
    if len(rows) and not names <= _HEADER_COLUMNS:
        torn = fix_up(block, rows)
        found = None if more is None else more.found()
        attributes = walk(block, rows, found)
        if more is not None and found is not None:
            more.take(block, arrays, found)
        for reason, marked in (("torn-record", torn), ("damaged-record", attributes.damaged)):
            if marked.any():
                first = offset + int(rows[np.argmax(marked)]) * block.size
                tally.add(reason, int(marked.sum()), first, "the row is kept")
        arrays |= _standard_columns(block, attributes, names)
        arrays |= _name_columns(block, attributes, names)
        arrays |= _size_columns(block, attributes, names)
    elif not len(rows):
        return pa.RecordBatch.from_arrays([pa.array([], f.type) for f in schema], schema=schema)
    return batch_of(schema, arrays, len(rows))


def _header_columns(block: Block, rows: Ints, first: int, names: frozenset[str]) -> dict[str, pa.Array]:
    made: dict[str, pa.Array] = {}
    if "no" in names:
        made["no"] = int64(rows + first)
    if names & {"in_use", "is_dir"}:
        flags = block.header_word(rows, 22)
        made["in_use"] = booleans(flags & 1 != 0)
        made["is_dir"] = booleans(flags & 2 != 0)
    if "link_count" in names:
        made["link_count"] = int32(block.header_word(rows, 18))
    if "lsn" in names:
        made["lsn"] = int64(block.header_quad(rows, 8))
    if "seq" in names:
        made["seq"] = int32(block.header_word(rows, 16))
    if "file_ref" in names:
        made["file_ref"] = uint64(block.header_quad(rows, 32))
    if "own_ref" in names:
        made["own_ref"] = uint64(rows + first | block.header_word(rows, 16).astype(np.int64) << 48)
    return made


def _standard_columns(block: Block, attributes: Attributes, names: frozenset[str]) -> dict[str, pa.Array]:
    valid = attributes.standard >= 0
    at = np.maximum(attributes.standard, 0)
    shared = bitmap(valid)
    made = {
        f"std_{name}": filetimes(block.quads.take((at >> 3) + place), shared)
        for name, place in _TIMES.items()
        if f"std_{name}" in names
    }
    if names & _BITS.keys():
        bits = block.dwords.take((at >> 2) + 8)
        for name in names & _BITS.keys():
            # The attribute bit says NOT indexed: published is_indexed is true for a record with attributes 0x20.
            made[name] = booleans((bits & _BITS[name] != 0) != (name == "is_indexed"), shared)
    return made


def _name_columns(block: Block, attributes: Attributes, names: frozenset[str]) -> dict[str, pa.Array]:
    valid = attributes.rank < NO_NAME
    at = np.maximum(attributes.name, 0)
    shared = bitmap(valid)
    made = {
        name: filetimes(block.quads.take((at >> 3) + 1 + place), shared)
        for name, place in _TIMES.items()
        if name in names
    }
    if names & {"parent_file_ref", "parent_no"}:
        parent = block.quads.take(at >> 3)
        made["parent_file_ref"] = uint64(parent, shared)
        made["parent_no"] = int64(parent & NUMBER, shared)
    if "file_name" in names:
        made["file_name"] = _text(block, at, valid)
    if "short_name" in names:
        made["short_name"] = _text(block, np.maximum(attributes.short, 0), attributes.short >= 0)
    if "#rank" in names:
        made["#rank"] = primitive(attributes.rank, pa.int8())
    return made


def _text(block: Block, at: Ints, valid: Flags) -> pa.Array:
    lengths = block.data.take(at + 64).astype(np.int64)
    lengths *= valid
    return strings(block.words, (at + 66) >> 1, lengths, valid)


def _size_columns(block: Block, attributes: Attributes, names: frozenset[str]) -> dict[str, pa.Array]:
    if not names & {"file_size", "alloc_size", "#stream"}:
        return {}
    size, allocated = stream_sizes(block, attributes.stream)
    return {
        "file_size": _size(size),
        "alloc_size": _size(allocated),
        "#stream": booleans(attributes.stream >= 0),
    }


def _size(bytes_: Ints) -> pa.Array:
    """Sizes; one read from damage as below 0 is null."""
    return int64(bytes_, None if int(bytes_.min(initial=0)) >= 0 else bytes_ >= 0)


@dataclass(frozen=True)
class _File:
    """What both passes share."""

    evidence: Evidence
    layout: _Layout
    names: frozenset[str]
    tally: Tally
    each: Each = None

    @property
    def more(self) -> More | None:
        """What is to be collected beside the columns of records."""
        names, streams = "names" in self.names or self.each == "name", "ads" in self.names or self.each == "stream"
        return More(names, streams) if names or streams else None

    @property
    def needed(self) -> frozenset[str]:
        """Columns to decode: the wanted ones, those that merging needs, those that paths need."""
        needed = self.names | _MERGE_COLUMNS
        if self.names & _FROM_PATHS:
            needed |= _PATH_COLUMNS
        return needed | {"file_name", "parent_file_ref"} if self.each == "name" or "names" in self.names else needed


def _two_passes(file: _File, wanted: pa.Schema, name: str) -> Iterator[pa.RecordBatch]:
    spool: list[pa.RecordBatch] = []
    extensions = _Extensions()
    more = file.more
    path_columns = _PATH_COLUMNS | {"#rank", "file_ref", "#stream"}
    kept, complete = 0, True
    for batch in _decode_file(file.evidence, file.layout, file.needed, file.tally, more):
        extensions.add(batch)
        # Not nbytes, which takes as long as decoding two columns: it looks for slices, and there are none.
        kept += batch.get_total_buffer_size()
        if complete and kept > SPOOL_BYTES:
            complete = False
            spool = [b.select([n for n in b.schema.names if n in path_columns]) for b in spool]
        if complete or file.names & _FROM_PATHS:
            spool.append(batch if complete else batch.select([n for n in batch.schema.names if n in path_columns]))
    if not complete and not file.names & _FROM_PATHS:
        spool.clear()
    spool = [extensions.fill(batch) for batch in spool]
    paths = None
    if file.names & _FROM_PATHS:
        paths = Paths([_names(batch, file.layout.first) for batch in spool], file.layout.first)
        file.tally.add("path-too-long", paths.cut, 0, "the path begins below")
    if complete:
        # Popping frees each batch once it has been handed on.
        spool.reverse()
        again: Iterator[pa.RecordBatch] = (spool.pop() for _ in range(len(spool)))
    else:
        spool.clear()
        decoded = _decode_file(file.evidence, file.layout, file.needed, Tally())
        again = (extensions.fill(batch) for batch in decoded)
    yield from _finish(again, wanted, name, paths, more, file.each)


def folder_paths(target: Target, context: ReadContext) -> Paths:
    """The paths of an $MFT's folders, for other files of the volume that name a record by its reference."""
    with Evidence(target, context) as evidence:
        layout, extensions = _layout(evidence), _Extensions()
        batches = []
        for batch in _decode_file(evidence, layout, _PATH_COLUMNS | _MERGE_COLUMNS, Tally()):
            extensions.add(batch)
            batches.append(batch)
        return Paths([_names(extensions.fill(batch), layout.first) for batch in batches], layout.first)


def _names(batch: pa.RecordBatch, first: int) -> Names:
    name = batch.column("file_name")
    named = name.is_valid().to_numpy(zero_copy_only=False)
    return Names(
        raw(batch.column("no"), np.int64) - first,
        raw(batch.column("seq"), np.int32).astype(np.uint16),
        flags_of(batch.column("in_use")),
        raw(batch.column("parent_file_ref"), np.uint64),
        named,
        name,
    )


def _finish(
    batches: Iterator[pa.RecordBatch],
    wanted: pa.Schema,
    name: str,
    paths: Paths | None,
    more: More | None,
    each: Each = None,
) -> Iterator[pa.RecordBatch]:
    """Batches of the contract's size and schema: joined, with path and file name added, internal columns gone."""
    # A block of the file is a batch: joining the columns of several would cost as much as decoding half of them.
    for batch in joined(batches, min(BATCH_ROWS, 2048)):
        arrays: dict[str, pa.Array] = dict(zip(batch.schema.names, batch.columns, strict=True))
        if "_file" in wanted.names:
            arrays["_file"] = constant(name, batch.num_rows)
        if paths is not None:
            named = arrays["file_name"].is_valid().to_numpy(zero_copy_only=False)
            no = raw(arrays["no"], np.int64) - paths.first
            if "file_path" in wanted.names:
                arrays["file_path"] = paths.of(no, named, arrays["file_name"])
            if "is_orphan" in wanted.names:
                arrays["is_orphan"] = paths.orphans(no, named)
        if more is not None and paths is not None and "names" in wanted.names:
            arrays["names"] = more.names_column(batch, paths)
        if more is not None and "ads" in wanted.names:
            arrays["ads"] = more.ads_column(batch)
        rows = batch.num_rows
        if more is not None and each == "name":
            rows, arrays = _row_a_name(more, batch, arrays, paths)
        elif more is not None and each == "stream":
            rows, arrays = _row_a_stream(more, batch, arrays)
        yield batch_of(wanted, arrays, rows)


def _row_a_name(
    more: More, batch: pa.RecordBatch, arrays: dict[str, pa.Array], paths: Paths | None
) -> tuple[int, dict[str, pa.Array]]:
    """The columns with further rows for further names, behind the record's own."""
    row, names = more.further(batch)
    order = np.argsort(np.concatenate([np.arange(batch.num_rows), row]), kind="stable")
    place = pa.array(order)
    parent = whole(names["parent_file_ref"])
    own: dict[str, pa.Array] = {name: whole(names[name]) for name in ("file_name", *NAME_TIMES)}
    own |= {"parent_file_ref": parent, "parent_no": pc.bit_wise_and(parent, pa.scalar(NUMBER, pa.uint64()))}
    own["parent_no"] = own["parent_no"].cast(pa.int64())
    if paths is not None:
        own |= {"file_path": paths.under(parent, own["file_name"]), "is_orphan": pa.array(paths.lost_under(parent))}
    made = {
        name: pa.concat_arrays([array, own[name] if name in own else array.take(pa.array(row))]).take(place)
        for name, array in arrays.items()
    }
    return len(order), made


def _row_a_stream(more: More, batch: pa.RecordBatch, arrays: dict[str, pa.Array]) -> tuple[int, dict[str, pa.Array]]:
    """The columns of records repeated for each of their named streams, and what the streams are."""
    row, streams = more.named_streams(batch)
    place = pa.array(row)
    made = {name: array.take(place) for name, array in arrays.items()}
    return len(row), made | {name: whole(streams[name]) for name in STREAM_COLUMNS}


class _Extensions:
    """Names and sizes that stand in extension records, for the base records that have none of their own."""

    def __init__(self) -> None:
        self._found: list[pa.RecordBatch] = []
        self._names: pa.RecordBatch | None = None
        self._sizes: pa.RecordBatch | None = None
        self._ready = False

    def add(self, batch: pa.RecordBatch) -> None:
        """Remember the extension records of ``batch``: in use, with a base reference, holding a name or a stream."""
        chosen = (raw(batch.column("file_ref"), np.uint64) != 0) & flags_of(batch.column("in_use"))
        chosen &= (raw(batch.column("#rank"), np.int8) < NO_NAME) | flags_of(batch.column("#stream"))
        if chosen.any():
            self._found.append(batch.take(pa.array(np.flatnonzero(chosen))))

    def fill(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """``batch`` with the missing names and sizes of its base records filled in."""
        if not self._found:
            return batch
        if not self._ready:
            self._choose()
        rank = raw(batch.column("#rank"), np.int8)
        # A DOS name alone counts as missing when an extension record has the long one (decision 6).
        batch = _filled(batch, self._names, _NAME_COLUMNS, rank >= DOS_ONLY)
        return _filled(batch, self._sizes, _SIZE_COLUMNS, ~flags_of(batch.column("#stream")))

    def _choose(self) -> None:
        """One row a base reference: the best name, and the lowest record with the stream."""
        table = pa.Table.from_batches(self._found).combine_chunks().to_batches()[0]
        refs, rank = raw(table.column("file_ref"), np.uint64), raw(table.column("#rank"), np.int8)
        no = raw(table.column("no"), np.int64)
        self._names = _first_each(table, refs, np.lexsort((no, rank, refs)), rank < NO_NAME)
        self._sizes = _first_each(table, refs, np.lexsort((no, refs)), flags_of(table.column("#stream")))
        self._ready = True


def _first_each(table: pa.RecordBatch, refs: npt.NDArray[np.uint64], order: Ints, has: Flags) -> pa.RecordBatch | None:
    """The first row, in ``order``, of each reference among those that have it; by record number, as batches are."""
    order = order[has[order]]
    if not len(order):
        return None
    _, first = np.unique(refs[order], return_index=True)
    best = order[first]
    return table.take(pa.array(best[np.argsort(refs[best] & np.uint64(NUMBER), kind="stable")]))


def _filled(
    batch: pa.RecordBatch, source: pa.RecordBatch | None, columns: tuple[str, ...], missing: Flags
) -> pa.RecordBatch:
    """``batch`` with ``columns`` of base records that miss them taken from ``source``, where the reference holds."""
    if source is None:
        return batch
    refs = raw(source.column("file_ref"), np.uint64)
    number = (refs & np.uint64(NUMBER)).astype(np.int64)
    no = raw(batch.column("no"), np.int64)
    at = np.minimum(np.searchsorted(no, number), len(no) - 1)
    good = (no[at] == number) & missing[at] & (raw(batch.column("file_ref"), np.uint64)[at] == 0)
    good &= raw(batch.column("seq"), np.int32)[at] == (refs >> np.uint64(48)).astype(np.int64)
    if "#rank" in columns:
        good &= raw(source.column("#rank"), np.int8) < raw(batch.column("#rank"), np.int8)[at]
    if not good.any():
        return batch
    mask = np.zeros(len(no), np.bool_)
    mask[at[good]] = True
    rows = pa.array(np.flatnonzero(good))
    for column in columns:
        if column in batch.schema.names:
            index = batch.schema.get_field_index(column)
            values = pc.replace_with_mask(batch.column(column), pa.array(mask), source.column(column).take(rows))
            batch = batch.set_column(index, batch.schema.field(index), values)
    return batch
