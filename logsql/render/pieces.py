"""Batches in pieces that are safe to turn into text, and the schema of a result without rows."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from logsql.render import Rows
from logsql.render.values import TYPE_KEY

#: Text of a piece stays far below the 2 GiB that 32-bit offsets of Arrow strings can address, escaping included.
PIECE_BYTES = 32 << 20

_ARROW = {
    "int": pa.int32(),
    "short": pa.int16(),
    "long": pa.int64(),
    "double": pa.float64(),
    "float": pa.float32(),
    "bool": pa.bool_(),
    "date": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
}


def pieces(rows: Rows, size: int = 65536) -> Iterator[pa.RecordBatch]:
    """The batches of a result that hold rows, cut where one is too large to be text at once."""
    for batch in rows.batches(size):
        step = batch.num_rows
        if batch.nbytes > PIECE_BYTES:
            step = max(1, step * PIECE_BYTES // batch.nbytes)
        for start in range(0, batch.num_rows, max(step, 1)):
            yield batch.slice(start, step)


def empty_schema(rows: Rows) -> pa.Schema:
    """Columns of a result that delivered no batch, from its language types (text where nothing better is known)."""
    fields = []
    for name, kind in zip(rows.columns, rows.types, strict=True):
        known = _ARROW.get(kind)
        metadata = None if known is not None or kind == "string" else {TYPE_KEY: kind.encode()}
        fields.append(pa.field(name, known or pa.string(), metadata=metadata))
    return pa.schema(fields)
