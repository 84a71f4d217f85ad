"""``java.util.Formatter``, called from SQL: format and zone are constant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from udfs.columns import Column, as_list, first
from udfs.java.javaformat import Long, java_format
from udfs.jsontext import loads


def format_text(fmt: Column, kinds: Column, zone: Column, *columns: Column) -> Column:
    """java.util.Formatter. ``kinds`` has a letter per column: ``v`` a plain value, ``j`` JSON text of any value.

    A single list argument stands for the arguments themselves.
    """
    if not len(fmt):
        return pa.array([], pa.string())
    lists: list[list[object]] = []
    for letter, column in zip(first(kinds), columns, strict=True):
        items = as_list(column)
        if letter == "j":
            items = [None if item is None else loads(item) for item in items]
        elif pa.types.is_int64(column.type) or pa.types.is_uint64(column.type) or pa.types.is_uint32(column.type):
            items = [None if item is None else Long(item) for item in items]
        lists.append(items)
    pattern, where = first(fmt), first(zone)
    rows: Iterable[tuple[object, ...]] = zip(*lists, strict=True) if lists else [()] * len(fmt)
    out = []
    for row in rows:
        values: Sequence[object] = row[0] if len(row) == 1 and isinstance(row[0], list) else row
        out.append(java_format(pattern, values, where))
    return pa.array(out, pa.string())
