"""Stored rows as they leave for another process: every field, as it is presented."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, diagnostic
from logsql.engine.present import arrow_field
from logsql.engine.stageruntime import Actions
from logsql.planner.relation import Rel
from logsql.values import sql

#: Rows of one batch.
BATCH = 20_000


def presented(runtime: Actions, rel: Rel) -> Iterator[pa.RecordBatch]:
    """The rows of a stored relation in batches; those of open rows have the fields that were found in them."""
    fields = runtime.fields(rel)
    items = [sql.alias(field.expr, f"c{number}") for number, field in enumerate(fields)]
    schema: pa.Schema | None = None
    for batch in runtime.batches(sql.select(items, sql.table(rel.source)), BATCH):
        if runtime.cancelled():
            raise Interrupted(diagnostic(INTERRUPTED))
        if schema is None:
            named = zip(fields, batch.schema.types, strict=True)
            schema = pa.schema([arrow_field(field.name, field.label, type_) for field, type_ in named])
        yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)
