"""Standard input as rows: one per line, field ``line``. It can be read once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import pyarrow as pa

from udfs.readers.base import ReadContext, ReaderError, batch_of, check_cancelled, select
from udfs.readers.lines import read_lines
from udfs.readers.request import Request


class _Input:
    """The process's standard input as a byte source: hands on what is there instead of waiting for a full chunk."""

    name = "standard input"

    def __init__(self, context: ReadContext) -> None:
        self._context = context

    def read(self, size: int = 1 << 20) -> bytes:
        check_cancelled(self._context)
        stream = sys.stdin.buffer
        return stream.read1(size) if hasattr(stream, "read1") else stream.read(size)


class StdinReader:
    """Lines of standard input, UTF-8. A second scan is a ReaderError ``input-read-twice``."""

    schema = pa.schema([pa.field("line", pa.string())])

    def __init__(self) -> None:
        self._used = False

    @classmethod
    def of(cls, request: Request) -> StdinReader:
        """No options and no paths."""
        return cls()

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the lines that are there."""
        if self._used:
            raise ReaderError("standard input can be read only once in a query", "-", "input-read-twice")
        self._used = True
        schema = select(self.schema, columns)
        for lines in read_lines(_Input(context), "utf-8", context):
            if len(lines.array):
                yield batch_of(schema, {"line": lines.array}, len(lines.array))
