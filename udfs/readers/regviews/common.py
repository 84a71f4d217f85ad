"""What the registry views share: one hive's values as plain rows, and the Reader around a view.

A view is a pure function from the values of one hive to rows. ``ViewReader`` gives it the values whose key matches
the view's pattern and turns its rows into batches. A value whose data a view cannot read is one ``unreadable-entry``
in the ledger, with ``key\\name`` as the sample; the rows around it stay.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers import base
from udfs.readers.hive import HiveReader

EPOCH = 116_444_736_000_000_000
DATE = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class RegValue:
    """A value of a hive: ``data`` the stored bytes, ``written`` microseconds since 1970 (of the key) or None."""

    key: str
    name: str
    type: str
    data: bytes
    written: int | None


Lost = Callable[[RegValue], None]
"""Called by a view for a value it cannot read."""


@dataclass(frozen=True)
class View:
    """``pattern``: regular expression (RE2, case ignored) that a key must contain. ``rows``: the pure function."""

    name: str
    pattern: str
    fields: tuple[tuple[str, Any], ...]
    rows: Callable[[list[RegValue], Lost], Iterable[dict[str, Any]]]

    @property
    def schema(self) -> pa.Schema:
        """The view's fields, then ``_file``."""
        return pa.schema([*(pa.field(name, kind) for name, kind in self.fields), pa.field("_file", pa.string())])

    def batch(self, values: list[RegValue], wanted: pa.Schema, file_name: str, lost: Lost) -> pa.RecordBatch:
        """The rows of one hive's values, which must match the pattern, as a batch of ``wanted`` columns."""
        rows = [{**row, "_file": file_name} for row in self.rows(values, lost)]
        arrays = {f.name: pa.array([row.get(f.name) for row in rows], f.type) for f in wanted}
        return base.batch_of(wanted, arrays, len(rows))


class ViewReader:
    """A view over hives; the arguments are those of ``HiveReader``."""

    def __init__(
        self,
        view: View,
        paths: str | Sequence[str],
        zippath: str | None = None,
        zipcharset: str = "utf-8",
        replay: bool = False,
    ) -> None:
        self._view = view
        self._hives = HiveReader(paths, zippath, zipcharset, replay)

    @property
    def schema(self) -> pa.Schema:
        """The view's schema."""
        return self._view.schema

    def total_bytes(self) -> int:
        """Bytes of the hives."""
        return self._hives.total_bytes()

    def scan(self, columns: Sequence[str] | None, context: base.ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch a hive."""
        schema = base.select(self.schema, columns)
        wanted = ["key", "name", "type", "value.raw", "last_written", "_file"]
        for source, batches in self._hives.scan_each(wanted, context):
            values: list[RegValue] = []
            file_name = ""
            for batch in batches:
                values += matching(batch, self._view.pattern)
                file_name = batch.column("_file")[0].as_py() if batch.num_rows else file_name

            def lost(value: RegValue, source: str = source) -> None:
                context.loss.lost(source, "unreadable-entry", 1, None, f"{value.key}\\{value.name}")

            yield self._view.batch(values, schema, file_name, lost)


def matching(batch: pa.RecordBatch, pattern: str) -> list[RegValue]:
    """The readable values of a batch whose key matches."""
    mask = pc.match_substring_regex(batch.column("key"), pattern, ignore_case=True)
    found = batch.filter(pc.and_(mask, pc.is_valid(batch.column("value.raw"))))
    columns = [found.column(name).to_pylist() for name in ("key", "name", "type", "value.raw")]
    written = found.column("last_written").cast(pa.int64()).to_pylist()
    return [RegValue(*row) for row in zip(*columns, written, strict=True)]


def micros(filetime: int) -> int | None:
    """FILETIME as microseconds since 1970; None for 0 and beyond the signed range."""
    return (filetime - EPOCH) // 10 if 0 < filetime < 1 << 63 else None


def filetime_at(data: bytes, offset: int) -> int | None:
    """The FILETIME stored at ``offset`` as microseconds since 1970."""
    value: int = struct.unpack_from("<Q", data, offset)[0]
    return micros(value)


def string(data: bytes) -> str:
    """UTF-16LE text up to the first NUL."""
    return data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0", 1)[0]


def by_key(values: Iterable[RegValue]) -> dict[str, dict[str, RegValue]]:
    """Values by key, then by name in lower case; keys in the order of the hive."""
    keys: dict[str, dict[str, RegValue]] = {}
    for value in values:
        keys.setdefault(value.key, {})[value.name.lower()] = value
    return keys


def mru_order(values: dict[str, RegValue]) -> dict[str, int]:
    """Place of each numbered value in the key's MRUListEx (0: used last), by its name.

    MRUListEx is a list of 32-bit value names, the most recent first, ended by 0xFFFFFFFF.
    """
    listed = values.get("mrulistex")
    if listed is None:
        return {}
    numbers = struct.unpack(f"<{len(listed.data) // 4}I", listed.data[: len(listed.data) & ~3])
    order: dict[str, int] = {}
    for place, number in enumerate(numbers):
        if number == 0xFFFFFFFF:
            break
        order.setdefault(str(number), place)
    return order


def current_control_set(values: Iterable[RegValue]) -> str | None:
    """``ControlSet001`` for ``Select\\Current`` 1; None when the hive does not say."""
    for value in values:
        if value.name.lower() == "current" and value.key.lower().endswith("\\select") and len(value.data) >= 4:
            return f"ControlSet{int.from_bytes(value.data[:4], 'little'):03d}"
    return None


def in_current_set(values: list[RegValue]) -> list[RegValue]:
    """Values of the control set in use; of all sets when the hive does not say or does not have that one.

    The other sets are copies of an earlier boot: their entries would appear twice.
    """
    current = current_control_set(values)
    rest = [value for value in values if not value.key.lower().endswith("\\select")]
    kept = [value for value in rest if current and f"\\{current.lower()}\\" in value.key.lower()]
    return kept or rest
