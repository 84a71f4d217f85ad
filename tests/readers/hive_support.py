"""What the hive tests share: the answer files' digests, computed over this reader's output, and in-memory scans."""

from __future__ import annotations

import hashlib
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from udfs.readers.base import ListLoss, null_context
from udfs.readers.hive import HiveReader, paths, reader, tree
from udfs.readers.hive.image import Damage, HiveImage, from_bytes

TYPE_NUMBERS = {
    "NONE": 0,
    "SZ": 1,
    "EXPAND_SZ": 2,
    "BINARY": 3,
    "DWORD": 4,
    "DWORD_BIG_ENDIAN": 5,
    "LINK": 6,
    "MULTI_SZ": 7,
    "RESOURCE_LIST": 8,
    "FULL_RESOURCE_DESCRIPTOR": 9,
    "RESOURCE_REQUIREMENTS_LIST": 10,
    "QWORD": 11,
}
_EPOCH = 116_444_736_000_000_000


def unpacked(source: Path, folder: Path, name: str | None = None) -> Path:
    """The file itself, or its unpacked copy in ``folder`` when it is compressed."""
    if source.suffix != ".xz" and name is None:
        return source
    data = source.read_bytes()
    target = folder / (name or source.name.removesuffix(".xz"))
    target.write_bytes(lzma.decompress(data) if source.suffix == ".xz" else data)
    return target


def table(path: Path | str, columns: list[str] | None = None, loss: ListLoss | None = None, **options: Any) -> pa.Table:
    """All rows of a scan."""
    made = HiveReader(str(path), **options)
    batches = list(made.scan(columns, null_context(loss)))
    return pa.Table.from_batches(batches, schema=batches[0].schema if batches else None) if batches else pa.table({})


def plain(rows: pa.Table | pa.RecordBatch) -> list[dict[str, Any]]:
    """Rows as dicts; ``last_written`` as microseconds since 1970, because Python's datetime ends in the year 9999."""
    if "last_written" in rows.schema.names:
        place = rows.schema.names.index("last_written")
        rows = rows.set_column(place, "last_written", rows.column(place).cast(pa.int64()))
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def image_of(data: bytes, name: str = "test.hive") -> HiveImage:
    """A hive from memory."""
    raw = np.zeros((len(data) + 7) // 8 * 8 + 256, dtype=np.uint8)
    raw[: len(data)] = np.frombuffer(data, dtype=np.uint8)
    return from_bytes(name, raw, len(data))


def rows_of(data: bytes, columns: list[str] | None = None, loss: ListLoss | None = None) -> list[dict[str, Any]]:
    """All rows of a hive in memory."""
    schema = HiveReader.columns if columns is None else pa.schema([HiveReader.columns.field(name) for name in columns])
    context = null_context(loss)
    return [row for batch in reader.scan_image(image_of(data), schema, "test.hive", context) for row in plain(batch)]


def digests(path: Path | str, replay: bool = False) -> dict[str, Any]:
    """``keys``, ``values``, ``bytes``, ``keys_sha``, ``values_sha`` as the answer files define them."""
    image = reader.open_image(str(path), null_context(), replay)
    keys = tree.build(image, Damage(ListLoss(), ""), lambda: False)
    names = paths.key_paths(image, keys, np.arange(len(keys.at))).to_pylist()
    low, high = image.word(keys.at, 4).tolist(), image.word(keys.at, 8).tolist()
    key_lines = [name.encode() + b"\0" + str(h << 32 | w).encode() for name, w, h in zip(names, low, high, strict=True)]
    lines: list[bytes] = []
    size = 0
    for row in table(path, ["key", "name", "type", "value.raw"], replay=replay).to_pylist():
        if row["value.raw"] is None:
            continue
        size += len(row["value.raw"])
        number = TYPE_NUMBERS.get(row["type"], row["type"])
        parts = (row["key"].encode(), row["name"].encode(), str(number).encode(), row["value.raw"].hex().encode())
        lines.append(b"\0".join(parts))
    return {
        "keys": len(names),
        "values": len(lines),
        "bytes": size,
        "keys_sha": hashlib.sha256(b"\n".join(sorted(key_lines))).hexdigest(),
        "values_sha": hashlib.sha256(b"\n".join(sorted(lines))).hexdigest(),
    }


def micros(filetime: int) -> int:
    """FILETIME to microseconds since 1970, rounded down."""
    return (filetime - _EPOCH) // 10
