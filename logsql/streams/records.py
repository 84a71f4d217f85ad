"""The bytes of a feed: records in files, each whole or not there.

A file begins with a BEGIN record (the number of its first row, where the file before it ended, the note so far); then
come SCHEMA records, each before the first rows that have this schema, and ROWS records of one Arrow batch. A record is
a header of 64 bytes, a note and a payload, both padded to 8 bytes. The header has a checksum of its own, so that a
file can be walked without its payloads.

Every header tells up to which row the feed was surely on the disk when it was written. Damage before that row is
damage; behind it, it is what a power cut leaves of bytes that were not on the disk yet.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from logsql.diagnostics.errors import RunError, diagnostic
from logsql.diagnostics.journal import FEED_BROKEN, FEED_GAP, FEED_NEWER
from logsql.store.logfiles import LogFile

MAGIC = b"LSQF"
VERSION = 1
BEGIN, SCHEMA, ROWS = 1, 2, 3
#: Stands for no time; no date that DuckDB has is so early.
NO_TIME = -(1 << 63)
_FIELDS = struct.Struct("<4sHHIIQqqqqI")
_SUM = struct.Struct("<I")
_FOLLOWS = struct.Struct("<q")
HEADER = _FIELDS.size + _SUM.size
_LOOK = 1 << 20
_FAR = 1 << 62


class Broken(RunError):
    """A feed is damaged, and not as a crash damages one. The folder is to be set aside by the operator."""


def broken(path: str, at: int) -> Broken:
    """Damage at a byte of a file."""
    return Broken(diagnostic(FEED_BROKEN, path=path, at=at, folder=Path(path).parent))


def gap(path: str, first: int, last: int) -> Broken:
    """A file is missing before this one."""
    return Broken(diagnostic(FEED_GAP, path=path, first=first, last=last, folder=Path(path).parent))


class Torn(Exception):
    """No whole record stands at a byte of a file, where row ``row`` would be."""

    def __init__(self, at: int, row: int) -> None:
        super().__init__(at, row)
        self.at = at
        self.row = row


@dataclass(frozen=True, slots=True)
class Record:
    """A header. ``at``: its byte in the file; ``note`` and ``payload``: their lengths; ``first``: number of the first
    row; ``synced``: rows before it were on the disk; ``least`` and ``most``: of ``_time``, or NO_TIME."""

    kind: int
    rows: int
    note: int
    payload: int
    first: int
    synced: int
    least: int
    most: int
    body: int
    at: int

    @property
    def end(self) -> int:
        """The byte behind it."""
        return self.at + HEADER + padded(self.note) + padded(self.payload)

    def note_in(self, data: bytes) -> bytes:
        """The note, of the record's own bytes behind its header."""
        return data[: self.note]

    def payload_in(self, data: memoryview) -> memoryview:
        """The payload, of the same."""
        start = padded(self.note)
        return data[start : start + self.payload]


def padded(length: int) -> int:
    """The next multiple of 8."""
    return -(-length // 8) * 8


@dataclass(frozen=True, slots=True)
class Facts:
    """What a record tells of its rows."""

    first: int
    synced: int
    rows: int = 0
    least: int = NO_TIME
    most: int = NO_TIME


def packed(kind: int, facts: Facts, note: bytes, payload: bytes | memoryview) -> list[bytes | memoryview]:
    """The pieces of a record, in order. The note and the payload are padded, the sum counts the padding too."""
    pieces = [note, bytes(-len(note) % 8), payload, bytes(-len(payload) % 8)]
    body = 0
    for piece in pieces:
        body = zlib.crc32(piece, body)
    sizes = (facts.rows, len(note), len(payload))
    head = _FIELDS.pack(MAGIC, VERSION, kind, *sizes, facts.first, facts.synced, facts.least, facts.most, body)
    return [head + _SUM.pack(zlib.crc32(head)), *pieces]


def begin(first: int, follows: int, synced: int, note: bytes) -> list[bytes | memoryview]:
    """The record that begins a file: its first row, the row at which the file before it ended."""
    return packed(BEGIN, Facts(first, synced), note, _FOLLOWS.pack(follows))


def follows(payload: bytes | memoryview) -> int:
    """Where the file before one ended, of the payload of its first record."""
    (found,) = _FOLLOWS.unpack(payload)
    return int(found)


def header(data: bytes | memoryview, at: int, path: str) -> Record | None:
    """The header in 64 bytes; None where these are none. Raises Broken for a newer form."""
    if len(data) < HEADER or data[:4] != MAGIC:
        return None
    fields = data[: _FIELDS.size]
    if _SUM.unpack(data[_FIELDS.size : HEADER])[0] != zlib.crc32(fields):
        return None
    _, version, kind, rows, note, payload, first, synced, least, most, body = _FIELDS.unpack(fields)
    if version > VERSION:
        raise Broken(diagnostic(FEED_NEWER, path=path, version=version, known=VERSION))
    return Record(kind, rows, note, payload, first, synced, least, most, body, at)


def whole(record: Record, data: bytes | memoryview) -> bool:
    """Whether the bytes behind a header are those that it was written with."""
    return len(data) == record.end - record.at - HEADER and zlib.crc32(data) == record.body


def walk(file: LogFile, verify: bool) -> Iterator[tuple[Record, bytes]]:
    """The records of a file with the bytes behind their headers: of rows the note alone without ``verify``.

    Raises Torn, Broken.
    """
    at, row, size = 0, -1, file.size
    while at < size:
        record = header(file.read(at, HEADER), at, file.path)
        if (
            record is None
            or record.end > size
            or (row >= 0 and record.first != row)
            or (at == 0) != (record.kind == BEGIN)
        ):
            raise Torn(at, row)
        looked = verify or record.kind != ROWS
        length = record.end - at - HEADER if looked else record.note
        data = file.read(at + HEADER, length) if length else b""
        if looked and not whole(record, data):
            raise Torn(at, record.first)
        yield record, data
        at, row = record.end, record.first + record.rows


def later(file: LogFile, at: int) -> Iterator[Record]:
    """Headers that stand anywhere behind a byte: what was written after the damage there."""
    while at < file.size:
        data = file.read(at, _LOOK + HEADER)
        place = data.find(MAGIC)
        while 0 <= place < _LOOK:
            record = header(data[place : place + HEADER], at + place, file.path)
            if record is not None:
                yield record
            place = data.find(MAGIC, place + 1)
        at += _LOOK


class Index:
    """Where the rows of one file stand: per record its first row and its byte, and the schemas by their bytes."""

    def __init__(self) -> None:
        self.firsts = array("q")
        self.places = array("q")
        self.schema_places = array("q")
        self.schemas: list[pa.Schema] = []

    def add(self, record: Record, data: bytes) -> None:
        """The next record of the file."""
        if record.kind == SCHEMA:
            self.add_schema(record.at, pa.ipc.read_schema(pa.py_buffer(record.payload_in(memoryview(data)))))
        elif record.rows:
            self.firsts.append(record.first)
            self.places.append(record.at)

    def add_schema(self, at: int, schema: pa.Schema) -> None:
        """From this byte on rows have this schema."""
        self.schema_places.append(at)
        self.schemas.append(schema)

    def number(self, row: int) -> int:
        """The number of the record that holds a row, -1 for one before the first."""
        return bisect_right(self.firsts, row) - 1

    def schema(self, at: int) -> pa.Schema:
        """The schema of the rows at a byte."""
        return self.schemas[bisect_right(self.schema_places, at) - 1]

    def schema_end(self, at: int) -> int:
        """The byte up to which rows have the schema of those at a byte."""
        number = bisect_right(self.schema_places, at)
        return self.schema_places[number] if number < len(self.schema_places) else _FAR
