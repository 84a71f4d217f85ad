"""Standard input as rows: one per line, field ``line``.

It can be read once. A query that names it several times shares one input, which keeps what was read, so that every
place reads all of it; a query that names it once keeps nothing.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa

from udfs.readers.base import PLACE, ReadContext, ReaderError, batch_of, check_cancelled, select
from udfs.readers.lines import read_lines
from udfs.readers.request import Request
from udfs.readers.sources import unpacked

_IN_MEMORY = 64 << 20
"""Bytes kept in memory for the other readings; what is beyond goes to a temporary file."""


class _Input:
    """The process's standard input as a byte source: hands on what is there instead of waiting for a full chunk."""

    name = "standard input"

    def __init__(self, context: ReadContext) -> None:
        self._context = context

    def read(self, size: int = 1 << 20) -> bytes:
        check_cancelled(self._context)
        stream = sys.stdin.buffer
        return stream.read1(size) if hasattr(stream, "read1") else stream.read(size)


class _Kept:
    """Standard input behind a file of what was read of it, for several readings at once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._file: BinaryIO | None = None
        self._size = 0
        self._ended = False

    def read(self, at: int, size: int, context: ReadContext) -> bytes:
        """Bytes from position ``at``; none at the end."""
        with self._guard:
            file = self._file = self._file or context.files.spool(_IN_MEMORY)
            if at < self._size:
                file.seek(at)
                return file.read(min(size, self._size - at))
            data = b"" if self._ended else _Input(context).read(size)
            self._ended = not data
            file.seek(self._size)
            file.write(data)
            self._size += len(data)
            return data


class _Reading:
    """One reading of what is kept, from its beginning."""

    name = _Input.name

    def __init__(self, kept: _Kept, context: ReadContext) -> None:
        self._kept, self._context, self._at = kept, context, 0

    def read(self, size: int = 1 << 20) -> bytes:
        check_cancelled(self._context)
        data = self._kept.read(self._at, size, self._context)
        self._at += len(data)
        return data


class StandardInput:
    """What the readers of one query share: ``readers`` counts the places that name standard input."""

    def __init__(self) -> None:
        self.readers = 0
        self._kept = _Kept()
        self._used = False

    def reading(self, context: ReadContext) -> _Input | _Reading:
        """The bytes from the beginning. ReaderError ``input-read-twice`` where nothing was kept of them."""
        if self.readers > 1:
            return _Reading(self._kept, context)
        if self._used:
            raise ReaderError("standard input can be read only once in a query", "-", "input-read-twice")
        self._used = True
        return _Input(context)

    def lines(self, context: ReadContext) -> Iterator[pa.Array]:
        """The lines as they come, UTF-8, unpacked where they are gzip or zstd. ReaderError as :class:`StdinReader`."""
        for lines in read_lines(unpacked(self.reading(context), context), "utf-8", context):
            yield lines.array


class StdinReader:
    """Lines of standard input, UTF-8, unpacked where it is gzip or zstd. ReaderError ``input-read-twice`` of a second
    scan of the only reader, ``packed-input`` of other packings.

    ``once``: nothing may look at the rows before the query does.
    """

    once = True
    schema = pa.schema([pa.field("line", pa.string()), pa.field(PLACE, pa.int64())])

    def __init__(self, shared: StandardInput) -> None:
        self._shared = shared
        shared.readers += 1

    @classmethod
    def of(cls, request: Request) -> StdinReader:
        """No options and no paths."""
        shared = request.shared.setdefault(StandardInput, StandardInput())
        assert isinstance(shared, StandardInput)
        return cls(shared)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the lines that are there."""
        schema, first = select(self.schema, columns), 1
        for lines in self._shared.lines(context):
            if len(lines):
                places = pa.array(np.arange(first, first + len(lines)))
                first += len(lines)
                yield batch_of(schema, {"line": lines, PLACE: places}, len(lines))
