"""Lists that are made when a query runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from logsql.planner.relation import Column, Rel
from logsql.planner.runtime import StageRuntime
from logsql.planner.stage import Stage
from logsql.values.arrow import arrow_type
from logsql.values.types import DATE, LType

Shape = Sequence[tuple[str, LType]]
Rows = Callable[[StageRuntime], Sequence[tuple[object, ...]]]


def listed(stage: Stage, shape: Shape, rows: Rows) -> Rel:
    """A source of these columns; dates are microseconds since 1970."""
    columns = [Column(name, name, type_) for name, type_ in shape]

    def produce(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
        found = rows(runtime)
        cells = list(zip(*found, strict=True)) if found else [()] * len(shape)
        arrays = [_array(list(column), type_) for column, (_, type_) in zip(cells, shape, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=[name for name, _ in shape])

    return stage.stream(None, columns, produce)


def _array(cells: list[object], type_: LType) -> pa.Array:
    if type_ == DATE:
        return pa.array(cells, pa.int64()).cast(arrow_type(DATE.physical))
    return pa.array(cells, arrow_type(type_.physical))
