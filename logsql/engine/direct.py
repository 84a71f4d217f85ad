"""A result that is a Python stage's rows as they are: they are handed on, and do not pass through DuckDB.

``dbquery emp select ...`` alone leaves DuckDB nothing to compute: it would read every batch, copy it and write it out
again (a seventh of the time that 200,000 rows of a database take).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from logsql.engine.stages import StageTable
from logsql.planner.plan import order_items
from logsql.planner.relation import Column, Rel
from logsql.values.arrow import arrow_type
from logsql.values.types import DATE

#: Types that DuckDB delivers exactly as a stage does. Whatever else there is it has to write out, as JSON above all.
_SAME = frozenset({"BOOLEAN", "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE", "VARCHAR", "BLOB", DATE.physical})


def handed_on(rel: Rel, table: object, zone: str, size: int) -> Callable[[], pa.RecordBatchReader] | None:
    """What reads the rows of a result, in batches of at most ``size`` rows with dates in ``zone``; None where DuckDB
    has to: ``table`` is no stage, or rows are chosen, sorted or computed from it, or have other types."""
    if not isinstance(table, StageTable) or rel.rest is not None or rel.where is not None or not rel.columns:
        return None
    if not rel.order.physical and order_items(rel):
        return None
    stage = table.schema
    if not all(_plain(rel, column, stage) for column in rel.columns):
        return None
    places = [stage.get_field_index(column.ident) for column in rel.columns]
    types = [_zoned(stage.field(place).type, zone) for place in places]
    schema = pa.schema([pa.field(f"c{number}", type_) for number, type_ in enumerate(types)])

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in table.batches():
            arrays = [_as(batch.column(place), type_) for place, type_ in zip(places, types, strict=True)]
            whole = pa.RecordBatch.from_arrays(arrays, schema=schema)
            for start in range(0, whole.num_rows, size):
                yield whole.slice(start, size)

    return lambda: pa.RecordBatchReader.from_batches(schema, rows())


def _plain(rel: Rel, column: Column, stage: pa.Schema) -> bool:
    """Whether a field is a column of the stage, and shown as it is."""
    physical = column.type.physical
    if column.parts or column.type.json or column.ident in rel.pending:
        return False
    if physical not in _SAME and not physical.startswith("DECIMAL("):
        return False
    place = stage.get_field_index(column.ident)
    return bool(place >= 0 and stage.field(place).type == arrow_type(physical))


def _zoned(type_: pa.DataType, zone: str) -> pa.DataType:
    return pa.timestamp("us", zone) if pa.types.is_timestamp(type_) else type_


def _as(array: pa.Array, type_: pa.DataType) -> pa.Array:
    return array if array.type == type_ else array.cast(type_)
