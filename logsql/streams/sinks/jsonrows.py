"""Rows as JSON objects, as every sink prints them: dates with milliseconds and zone, keys in the order of fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from logsql.render.instants import iso_text
from logsql.render.texts import object_lines


def chosen(rows: pa.Table, fields: Collection[str], without: Collection[str] = ()) -> pa.Table:
    """The fields of a sink in their order, null where the rows have none; without ``fields`` all but ``without``."""
    if not fields:
        return rows.select([name for name in rows.column_names if name not in without])
    missing = pa.nulls(rows.num_rows)
    columns = [rows.column(name) if name in rows.column_names else missing for name in fields]
    kinds = [rows.schema.field(n) if n in rows.column_names else pa.field(n, pa.null()) for n in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(kinds))


def json_objects(rows: pa.Table, zone: str, end: str = "}") -> Iterator[pa.Array]:
    """An object a row, as string arrays without null. ``end``: the closing brace and what follows."""
    for batch in rows.combine_chunks().to_batches():
        if not batch.num_columns:  # made of no arrays it would have no rows
            yield object_lines(batch, end)
            continue
        dated = [_dated(column, zone) for column in batch.columns]
        fields = [f.with_type(c.type) for f, c in zip(batch.schema, dated, strict=True)]
        yield object_lines(pa.RecordBatch.from_arrays(dated, schema=pa.schema(fields)), end)


def _dated(column: pa.Array, zone: str) -> pa.Array:
    """The column with its dates as text, those within lists, structs and maps too."""
    kind = column.type
    if pa.types.is_timestamp(kind):
        once = column.dictionary_encode()  # rows that came together have one time
        return iso_text(once.dictionary, zone).take(once.indices)
    if not _has_dates(kind):
        return column
    if pa.types.is_struct(kind):
        parts = [_dated(column.field(number), zone) for number in range(kind.num_fields)]
        names = [kind.field(number).name for number in range(kind.num_fields)]
        return pa.StructArray.from_arrays(parts, names, mask=pc.invert(column.is_valid()))
    column = pa.concat_arrays([column])  # offsets of a slice would be those of the whole
    if pa.types.is_map(kind):
        made = pa.MapArray.from_arrays(column.offsets, _dated(column.keys, zone), _dated(column.items, zone))
    else:
        wide = column.cast(pa.large_list(kind.value_field))
        column, made = wide, pa.LargeListArray.from_arrays(wide.offsets, _dated(wide.values, zone))
    return pc.if_else(column.is_valid(), made, pa.scalar(None, made.type)) if column.null_count else made


def _has_dates(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind)) or any(_has_dates(kind.field(n).type) for n in range(kind.num_fields))
