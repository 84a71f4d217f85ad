"""What the NTFS tests share: unpacked shared files, whole tables."""

from __future__ import annotations

import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.support import shared_data
from udfs.readers.base import ListLoss, Reader, null_context

FILETIME_EPOCH_US = 11_644_473_600_000_000


def micros(filetime: int | None) -> int | None:
    """Raw FILETIME of an answer file to microseconds since 1970; 0 means never."""
    return filetime // 10 - FILETIME_EPOCH_US if filetime else None


def unpacked(folder: Path, *parts: str) -> Path:
    """A shared file, decompressed into ``folder`` when it is stored as ``.xz``."""
    plain = shared_data("forensics", parts[0]).joinpath(*parts[1:])
    if plain.exists():
        return plain
    packed = shared_data("forensics", *parts[:-1], parts[-1] + ".xz")
    made = folder / parts[-1]
    made.write_bytes(lzma.decompress(packed.read_bytes()))
    return made


def table(reader: Reader, columns: Sequence[str] | None = None, loss: ListLoss | None = None) -> pa.Table:
    """All rows of a scan; every batch must be valid Arrow and of the promised schema."""
    batches = list(reader.scan(columns, null_context(loss or ListLoss())))
    for batch in batches:
        batch.validate(full=True)
    names = [name for name in reader.schema.names if columns is None or name in columns]
    return pa.Table.from_batches(batches, schema=pa.schema([reader.schema.field(name) for name in names]))


def values(found: pa.Table) -> dict[str, list[Any]]:
    """Columns as Python lists, instants as microseconds since 1970."""
    return {
        name: (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for name, column in zip(found.column_names, found.columns, strict=True)
    }
