"""A result made by hand: what the writers see of the engine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from logsql.render import Layout, Written, write


@dataclass
class FakeRows:
    """Batches with fixed columns; ``types`` only matter when there is no batch."""

    table: pa.Table
    size: int = 65536
    types: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        return list(self.table.column_names)

    def batches(self, size: int = 65536) -> Iterator[pa.RecordBatch]:
        return iter(self.table.to_batches(min(size, self.size)))


def rendered(name: str, table: pa.Table, layout: Layout | None = None, size: int = 65536) -> tuple[str, Written]:
    """The text a format writes for a table, and the outcome."""
    sink = io.BytesIO()
    outcome = write(FakeRows(table, size, ("string",) * table.num_columns), name, sink, layout)
    return sink.getvalue().decode(), outcome


def column(values: pa.Array, label: str | None = None, name: str = "v") -> pa.Table:
    """A one-column table; ``label`` is the language's type in the field's metadata."""
    metadata = None if label is None else {b"logsql.type": label.encode()}
    return pa.table([values], schema=pa.schema([pa.field(name, values.type, metadata=metadata)]))
