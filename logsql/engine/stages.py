"""Python stages as tables of DuckDB: every scan runs the stage's input query afresh and pipes it through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import copy_context

import pyarrow as pa

from logsql.planner.plan import Stream
from logsql.values.arrow import arrow_type


def stage_schema(stream: Stream) -> pa.Schema:
    """Arrow schema of a stage's output."""
    if not stream.columns:
        return pa.schema([pa.field("__row", pa.bool_())])
    return pa.schema([pa.field(name, arrow_type(physical)) for name, physical in stream.columns])


class StageTable:
    """An object DuckDB scans through the Arrow stream protocol; each scan calls ``produce`` anew."""

    def __init__(self, schema: pa.Schema, produce: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self.schema = schema
        self._produce = produce
        # DuckDB scans in threads of its own, which know nothing of the language in which the caller is told of errors.
        self._asked = copy_context()
        self.last_error: BaseException | None = None
        self.begun = False

    def finish(self) -> None:
        """Run it for what it does, where nothing asked for its rows."""
        if not self.begun:
            for _ in self.batches():
                pass

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, from the begin each time, in exactly the types of the schema."""
        asked = self._asked.copy()
        self.begun = True
        try:
            produced = asked.run(self._produce)
            while (batch := asked.run(next, produced, None)) is not None:
                yield _conform(batch, self.schema)
        except GeneratorExit:
            raise
        except BaseException as problem:
            self.last_error = problem
            raise

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.RecordBatchReader.from_batches(self.schema, self.batches())
        return reader.__arrow_c_stream__(requested_schema)


def _conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch in exactly the declared types (a stage may deliver an all-null column or a wider integer)."""
    if batch.schema.equals(schema):
        return batch
    if schema.names == ["__row"] and "__row" not in batch.schema.names:
        return pa.record_batch([pa.array([True] * batch.num_rows, pa.bool_())], schema=schema)
    arrays = [batch.column(f.name).cast(f.type) for f in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
