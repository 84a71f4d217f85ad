"""Standard input as rows: one per line, field ``line``. It can be read once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from udfs.readers.base import ReadContext


class _Input:
    """The process's standard input as a byte source: hands on what is there instead of waiting for a full chunk."""

    name = "standard input"

    def __init__(self, context: ReadContext) -> None:
        self._context = context

    def read(self, size: int = 1 << 20) -> bytes:
        from udfs.readers.base import check_cancelled

        check_cancelled(self._context)
        stream = sys.stdin.buffer
        return stream.read1(size) if hasattr(stream, "read1") else stream.read(size)


class StdinReader:
    """Lines of standard input, UTF-8. A second scan is a ReaderError ``input-read-twice``."""

    schema = pa.schema([pa.field("line", pa.string())])

    def __init__(self) -> None:
        self._used = False

    def total_bytes(self) -> int:
        """Unknown."""
        return 0

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the lines that are there."""
        from udfs.readers.base import ReaderError, batch_of, select
        from udfs.readers.lines import read_lines

        if self._used:
            raise ReaderError("standard input can be read only once in a query", "-", "input-read-twice")
        self._used = True
        schema = select(self.schema, columns)
        for lines in read_lines(_Input(context), "utf-8", context):
            if len(lines.array):
                yield batch_of(schema, {"line": lines.array}, len(lines.array))
