"""Values of the row before, over the batches of a stream (``prev``)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from logsql.operators.passing import Slices
from logsql.planner.running import Memory
from logsql.planner.runtime import StageRuntime


@dataclass(frozen=True)
class Shifted:
    """The columns ``now`` one row later, as ``made``: the first row has what the last one of the run before left."""

    now: tuple[str, ...]
    made: tuple[str, ...]
    memory: Memory

    def __call__(self, batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        last = self.memory.before
        for rows in batches:
            now = rows.select(list(self.now))
            if last is None or last.schema != now.schema:  # the query was changed
                last = pa.RecordBatch.from_arrays([pa.nulls(1, f.type) for f in now.schema], schema=now.schema)
            before = pa.Table.from_batches([last, now]).slice(0, rows.num_rows)
            yield rows, {name: before.column(n).combine_chunks() for n, name in enumerate(self.made)}
            if rows.num_rows:
                last = now.slice(rows.num_rows - 1)
        if last is not None:
            self.memory.leave(last)
