"""Parquet and Arrow output: the batches as they are, with full precision and the language's type names as metadata."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO

import pyarrow as pa

from logsql.render import Layout, Rows, Written
from logsql.render.pieces import empty_schema

#: Rows per Parquet row group; batches are gathered so that small ones do not make small groups.
_GROUP = 122_880


class _Gate(io.RawIOBase):
    """The sink as Arrow sees it. Once ``shut``, writes vanish: Parquet's writer adds its footer even when it is only
    thrown away, and half a result with a footer would read as a complete one."""

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__()
        self._sink = sink
        self._count = 0
        self.shut = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        if not self.shut:
            self._sink.write(data)
        self._count += size
        return size

    def tell(self) -> int:
        return self._count


def write_parquet(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """One Parquet file, zstd-compressed, written group by group."""
    import pyarrow.parquet as pq

    def open_writer(sink: _Gate, schema: pa.Schema) -> Any:
        return pq.ParquetWriter(sink, schema, compression="zstd")

    return _write(rows, _Gate(sink), open_writer, gather=_GROUP)


def write_arrow(rows: Rows, sink: BinaryIO, layout: Layout) -> Written:
    """Arrow IPC: the file form into a file, the stream form into a pipe."""

    def open_writer(sink: _Gate, schema: pa.Schema) -> Any:
        return pa.ipc.new_file(sink, schema) if layout.seekable else pa.ipc.new_stream(sink, schema)

    return _write(rows, _Gate(sink), open_writer, gather=0)


def _write(rows: Rows, sink: _Gate, open_writer: Callable[[_Gate, pa.Schema], Any], gather: int) -> Written:
    writer: Any = None
    schema: pa.Schema | None = None
    waiting: list[pa.RecordBatch] = []
    held = count = 0
    try:
        for batch in rows.batches():
            if schema is None:
                schema = batch.schema
                writer = open_writer(sink, schema)
            waiting.append(batch)
            held += batch.num_rows
            count += batch.num_rows
            if held >= gather:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting, held = [], 0
        if writer is None:
            schema = empty_schema(rows)
            writer = open_writer(sink, schema)
        if waiting or not count:
            writer.write_table(pa.Table.from_batches(waiting, schema))
    except BaseException:
        sink.shut = True
        raise
    writer.close()
    return Written(count, count)
