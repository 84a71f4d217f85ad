"""NTFS change journal ($UsnJrnl:$J) to Arrow: one row per record of version 2, 3 or 4 (command ``ntfs-usnjrnl``).

Contract: rows in file order. Holes and zeros are skipped, holes without reading them. Records are found by testing
every 8-byte position of a window at once, then dropping those that begin inside an earlier record: the same answer as
stepping from record to record and 8 bytes at a time through junk, so fragments may begin anywhere. Version 4 records
(ranges of a file that changed) have no name and no time: both are null. Bytes that are no record are counted in the
ledger. Constant memory. Layout: Microsoft's USN_RECORD_V2/V3/V4 documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.base import BATCH_ROWS, ReadContext, ReaderError, batch_of, field
from udfs.readers.evidence import (
    Bytes,
    Evidence,
    EvidenceReader,
    Tally,
    Target,
    Targets,
    base_name,
    joined,
)
from udfs.readers.ntfs_arrays import (
    TIMESTAMP,
    Flags,
    Ints,
    constant,
    filetimes,
    int64,
    offsets_of,
    primitive,
    ragged,
    strings,
    uint64,
)
from udfs.readers.ntfs_mft import folder_paths
from udfs.readers.ntfs_paths import NUMBER
from udfs.readers.request import Request

WINDOW = 4 << 20
"""Bytes searched at a time."""
LONGEST = 4096
"""A record does not cross a page of this size, so none is longer."""

REASONS = {
    0x1: "DATA_OVERWRITE", 0x2: "DATA_EXTEND", 0x4: "DATA_TRUNCATION", 0x10: "NAMED_DATA_OVERWRITE",
    0x20: "NAMED_DATA_EXTEND", 0x40: "NAMED_DATA_TRUNCATION", 0x100: "FILE_CREATE", 0x200: "FILE_DELETE",
    0x400: "EA_CHANGE", 0x800: "SECURITY_CHANGE", 0x1000: "RENAME_OLD_NAME", 0x2000: "RENAME_NEW_NAME",
    0x4000: "INDEXABLE_CHANGE", 0x8000: "BASIC_INFO_CHANGE", 0x10000: "HARD_LINK_CHANGE",
    0x20000: "COMPRESSION_CHANGE", 0x40000: "ENCRYPTION_CHANGE", 0x80000: "OBJECT_ID_CHANGE",
    0x100000: "REPARSE_POINT_CHANGE", 0x200000: "STREAM_CHANGE", 0x400000: "TRANSACTED_CHANGE",
    0x800000: "INTEGRITY_CHANGE", 0x80000000: "CLOSE",
}  # fmt: skip
"""Reason bits; others are written as their number: ``0x1000000``."""
_REASON_LIST = pa.list_(pa.string())

ATTRIBUTES = {
    0x1: "READONLY", 0x2: "HIDDEN", 0x4: "SYSTEM", 0x10: "DIRECTORY", 0x20: "ARCHIVE", 0x40: "DEVICE", 0x80: "NORMAL",
    0x100: "TEMPORARY", 0x200: "SPARSE_FILE", 0x400: "REPARSE_POINT", 0x800: "COMPRESSED", 0x1000: "OFFLINE",
    0x2000: "NOT_CONTENT_INDEXED", 0x4000: "ENCRYPTED", 0x8000: "INTEGRITY_STREAM", 0x10000: "VIRTUAL",
    0x20000: "NO_SCRUB_DATA", 0x40000: "RECALL_ON_OPEN", 0x80000: "PINNED", 0x100000: "UNPINNED",
    0x400000: "RECALL_ON_DATA_ACCESS",
}  # fmt: skip
"""Attributes of files (Microsoft, "File Attribute Constants"), without FILE_ATTRIBUTE_."""
SOURCES = {
    0x1: "DATA_MANAGEMENT", 0x2: "AUXILIARY_DATA", 0x4: "REPLICATION_MANAGEMENT", 0x8: "CLIENT_REPLICATION_MANAGEMENT",
}  # fmt: skip
"""Who changed the file (Microsoft, USN_RECORD_V2), without USN_SOURCE_."""

SCHEMA = pa.schema(
    [
        field("_time", TIMESTAMP),
        field("file_name", pa.string()),
        field("file_no", pa.int64()),
        field("file_ref", pa.uint64()),
        field("parent_file_no", pa.int64()),
        field("parent_file_ref", pa.uint64()),
        field("reason", _REASON_LIST),
        field("usn", pa.int64()),
        field("file_attributes", _REASON_LIST),
        field("source_info", _REASON_LIST),
        field("_file", pa.string()),
    ]
)
"""``file_no`` is the low 48 bits of ``file_ref``; of 128-bit references (version 3 and 4) the low 64 bits are kept."""


_PATH_SCHEMA = pa.schema(
    [*(f for f in SCHEMA if f.name != "_file"), field("file_path", pa.string()), SCHEMA.field("_file")]
)
"""Of ``path=``: the folder is found by its number and sequence, so one whose number was used again is none."""
_FOR_PATHS = ("parent_file_ref", "file_name")


class UsnJrnlReader(EvidenceReader):
    """Reader of $J streams, also cut out or carved ones.

    ``paths``, ``zippath``, ``zipcharset``: as for ``MftReader``. ReaderError codes: ``empty-file``, ``not-a-journal``
    (no record in the whole file). Ledger reasons (position = byte offset of the first): ``truncated-record`` (reaches
    past the end of the file), ``unreadable-bytes`` (count = bytes).
    """

    columns = SCHEMA
    _mft: str | None = None

    @classmethod
    def of(cls, request: Request) -> Self:
        """Options: ``path`` (the $MFT that tells where files lie), ``zippath``, ``zipcharset``, ``host``."""
        made = cls(Targets.of(request, cls.belongs))
        made._mft = request.text("path")
        if made._mft is not None:
            made._mft = request.context.files.expand(made._mft)[0]
            made.columns = _PATH_SCHEMA
        return made

    @staticmethod
    def belongs(name: str, head: bytes) -> bool:
        """The stream begins with gigabytes of zeros or anywhere in a page: its name tells."""
        plain = name.lower().replace("%3a", ":")
        return plain in ("$j", "j") or "usnjrnl" in plain or plain.endswith(":$j")

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file, in record order."""
        if "file_path" not in wanted.names or self._mft is None:
            yield from _scan_file(target, wanted, context)
            return
        paths = folder_paths(self._mft, context)
        own = pa.schema([f for f in _PATH_SCHEMA if f.name in {*wanted.names, *_FOR_PATHS} - {"file_path"}])
        for batch in _scan_file(target, own, context):
            arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
            # The bare name would look like a file of the root: where the folder is not there any more it is unknown.
            parent = batch.column("parent_file_ref")
            found = paths.under(parent, batch.column("file_name"))
            arrays["file_path"] = pc.if_else(pa.array(paths.lost_under(parent)), pa.scalar(None, pa.string()), found)
            yield batch_of(wanted, arrays, batch.num_rows)


def _scan_file(target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
    with Evidence(target, context) as evidence:
        if evidence.size == 0:
            raise ReaderError("{path} is empty", evidence.name, "empty-file")
        tally = Tally()
        try:
            yield from joined(_windows(evidence, wanted, base_name(target), tally), BATCH_ROWS * 2 // 3)
        finally:
            tally.report(context, evidence.name)


def _windows(evidence: Evidence, wanted: pa.Schema, name: str, tally: Tally) -> Iterator[pa.RecordBatch]:
    buffer = np.zeros(min(WINDOW, evidence.size + 7 & ~7) + LONGEST, np.uint8)
    offset, any_record = 0, False
    while offset < evidence.size:
        offset = max(offset, evidence.next_data(offset) & ~7)
        got = evidence.read_at(offset, buffer)
        if got == 0:
            break
        buffer[got:] = 0
        stop = min(WINDOW, got + 7 & ~7)
        if not buffer[:stop].view("<u8").any():
            offset += stop
            continue
        found = _find(buffer, stop, evidence.size - offset)
        any_record |= bool(len(found.starts))
        _report_rest(buffer, stop, found, offset, tally)
        if len(found.starts):
            yield _decode(buffer, found.starts, found.versions, wanted, name)
        offset += max(stop, int(found.ends[-1]) if len(found.ends) else 0)
    if not any_record:
        raise ReaderError(
            "{path} is not an NTFS change journal: it holds no USN record", evidence.name, "not-a-journal"
        )


@dataclass(frozen=True)
class _Found:
    """Records of a window, ascending and without overlap: byte offsets and versions (2, 3 or 4); ``cut``: offset of a
    record that reaches past the end of the file, -1 for none."""

    starts: Ints
    ends: Ints
    versions: npt.NDArray[np.uint32]
    cut: int


def _find(buffer: Bytes, stop: int, left: int) -> _Found:
    dwords: npt.NDArray[np.uint32] = buffer.view("<u4")
    words: npt.NDArray[np.uint16] = buffer.view("<u2")
    major = words[2 : stop // 2 : 4]
    starts = np.flatnonzero((major >= 2) & (major <= 4)) * 8
    versions = dwords[(starts >> 2) + 1] & 0xFFFF
    # Minor is 0 in every version there is. Another one is damage or newer: other readers look at the major one alone.
    first = words[(starts >> 1) + 3] == 0
    length = dwords[starts >> 2].astype(np.int64)
    good = (length & 7 == 0) & (length >= 64) & (length <= LONGEST)
    starts, versions, length, first = starts[good], versions[good], length[good], first[good]
    shift = np.where(versions == 3, 16, 0)
    name_bytes = words[(starts + shift + 56) >> 1].astype(np.int64)
    name_offset = words[(starts + shift + 58) >> 1].astype(np.int64)
    good = (name_offset >= 60 + shift) & (name_bytes & 1 == 0) & (name_offset & 1 == 0)
    good &= name_offset + name_bytes <= length
    good &= first | ((name_offset == 60 + shift) & (name_bytes > 0) & (name_offset + name_bytes > length - 8))
    # Of version 4 the ranges fill the rest: their number and the size of each stand before them.
    ranges, size = words[(starts >> 1) + 30].astype(np.int64), words[(starts >> 1) + 31]
    good = np.where(versions == 4, first & (size == 16) & (ranges > 0) & (64 + 16 * ranges <= length), good)
    # Of a record cut off at the end of the file the name's place may be missing already.
    past = starts + length > left
    cut = int(starts[np.argmax(past)]) if past.any() else -1
    good &= ~past
    starts, versions = starts[good], versions[good]
    ends = starts + length[good]
    kept = _apart(starts, ends)
    return _Found(starts[kept], ends[kept], versions[kept], cut)


def _apart(starts: Ints, ends: Ints) -> Ints:
    """Indexes of the records that remain when each one hides those beginning inside it, from the first on."""
    clash = np.flatnonzero(starts[1:] < ends[:-1])
    if not len(clash):
        return np.arange(len(starts))
    kept: list[Ints] = []
    at = 0
    while at < len(starts):
        nth = int(np.searchsorted(clash, at))
        last = int(clash[nth]) if nth < len(clash) else len(starts) - 1
        kept.append(np.arange(at, last + 1))
        at = int(np.searchsorted(starts, ends[last]))
    return np.concatenate(kept)


def _report_rest(buffer: Bytes, stop: int, found: _Found, offset: int, tally: Tally) -> None:
    """Count what lies between the records and is not zero."""
    begin = np.concatenate([[0], found.ends]) >> 3
    end = np.maximum(np.concatenate([found.starts, [stop]]) >> 3, begin)
    if found.cut >= 0 and (not len(found.ends) or found.cut >= found.ends[-1]):
        tally.add("truncated-record", 1, offset + found.cut)
        end[-1] = min(end[-1], found.cut >> 3)
    lengths = end - begin
    quads = buffer.view("<u8")
    at = ragged(begin, lengths, offsets_of(lengths))
    junk = at[quads[at] != 0]
    if len(junk):
        tally.add("unreadable-bytes", 8 * len(junk), offset + 8 * int(junk[0]))


def _decode(
    buffer: Bytes, rows: Ints, versions: npt.NDArray[np.uint32], wanted: pa.Schema, name: str
) -> pa.RecordBatch:
    quads: Ints = buffer.view("<i8")
    words: npt.NDArray[np.uint16] = buffer.view("<u2")
    wide: Flags = versions >= 3
    shift = np.where(wide, 16, 0)
    named: Flags | None = versions != 4 if (versions == 4).any() else None
    names = frozenset(wanted.names)
    made: dict[str, pa.Array] = {}
    if "_time" in names:
        made["_time"] = filetimes(quads[(rows + shift + 32) >> 3], named)
    if "file_name" in names:
        length = words[(rows + shift + 56) >> 1].astype(np.int64) >> 1
        start = (rows + words[(rows + shift + 58) >> 1]) >> 1
        if named is not None:
            length, start = length * named, start * named
        made["file_name"] = strings(words, start, length, named)
    for ref, number, place in (
        ("file_ref", "file_no", rows + 8),
        ("parent_file_ref", "parent_file_no", rows + np.where(wide, 24, 16)),
    ):
        if names & {ref, number}:
            value = quads[place >> 3]
            made[ref] = uint64(value)
            made[number] = int64(value & NUMBER)
    dwords = buffer.view("<u4")
    if "reason" in names:
        # Behind the number of a version 4 record there is no time.
        made["reason"] = spelt(dwords[(rows + np.where(versions == 4, 48, shift + 40)) >> 2], REASONS)
    if "file_attributes" in names:
        made["file_attributes"] = spelt(dwords[(rows + shift + 52) >> 2], ATTRIBUTES, named)
    if "source_info" in names:
        made["source_info"] = spelt(dwords[(rows + np.where(versions == 4, 52, shift + 44)) >> 2], SOURCES)
    if "usn" in names:
        made["usn"] = int64(quads[(rows + shift + 24) >> 3])
    if "_file" in names:
        made["_file"] = constant(name, len(rows))
    return batch_of(wanted, made, len(rows))


def spelt(masks: npt.NDArray[np.uint32], words: Mapping[int, str], valid: Flags | None = None) -> pa.Array:
    """Masks as lists of the names of their bits, alphabetical as published; each distinct one is spelt once."""
    coded = primitive(masks, pa.uint32(), valid).dictionary_encode()
    bits = [1 << bit for bit in range(32)]
    texts = [sorted(words.get(b, f"0x{b:x}") for b in bits if mask & b) for mask in coded.dictionary.to_pylist()]
    return pa.array(texts, _REASON_LIST).take(coded.indices)
