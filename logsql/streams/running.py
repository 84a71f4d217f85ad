"""One query over the batches of a stream: planned once, run per batch, with what it remembers from batch to batch.

Contract
- :meth:`QueryRunner.run` delivers the rows of a batch or raises LogsqlError; then nothing of it is remembered.
- What a run left is in force behind :meth:`QueryRunner.done`, which the owner calls when the batch is committed, with
  what :meth:`QueryRunner.states` gave for the commit.
- Rows that lack a column have null there, others are cast where they differ, so that several sources feed one query.
- Memory does not grow with the number of batches: losses are counts by source and reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.notes import Note
from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.ledger import Entry
from logsql.engine.repeated import Ran, Repeated
from logsql.engine.runstate import RunState
from logsql.engine.session import Session
from logsql.language.tree import Command
from logsql.planner.duties import Demand
from logsql.planner.plan import Plan
from logsql.streams.planning import Planned, Shape, Text, planned


class QueryRunner:
    """The commands ``commands`` of a stream over rows of ``shape``. One thread at a time.

    ``windowed``: each run stands for itself, and nothing is remembered. ``report`` is told of models that were taken up
    anew, and of those that could not be, ``clocked`` how many seconds one took for a run; ``state``: ledger and bounds
    of its runs, its own by default. Raises QueryError where the query cannot be planned.
    """

    def __init__(
        self,
        session: Session,
        text: Text,
        commands: Sequence[Command],
        shape: Shape,
        params: Mapping[str, object] | None = None,
        behind: Demand = None,
        windowed: bool = False,
        report: Callable[[str, LogsqlError | None], None] = lambda label, error: None,
        state: RunState | None = None,
        clocked: Callable[[str, float], None] | None = None,
    ) -> None:
        self.given = shape
        self._told: dict[tuple[str, str], int] = {}
        self._planned: Planned | None = None
        self._repeated: Repeated | None = None
        self.output = shape
        if commands:
            self._planned = made = planned(session, text, commands, shape, params or {}, behind, windowed, state)
            made.carried.report, made.carried.clocked = report, clocked
            try:
                self._repeated = Repeated(session.workspace, made.plan, made.state, made.bindings)
            except LogsqlError as error:
                raise error.located(text.query, text.origin) from None
            self.output = Shape(self._repeated.schema, self._repeated.rest)

    @property
    def params(self) -> Mapping[str, object]:
        """Parameters as they are behind the commands, for those that follow in another runner."""
        return {} if self._planned is None else self._planned.params

    @property
    def plan(self) -> Plan | None:
        """The plan of the commands; None where there are none."""
        return None if self._planned is None else self._planned.plan

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the plan tells."""
        return () if self._planned is None else self._planned.notes

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Names and types of the fields, those of an open part excepted."""
        if self._repeated is None:
            return [(column.name, column.logical or "string") for column in arrow_columns(self.given.fields)]
        return [(field.name, field.label) for field in self._repeated.fields]

    # --- a batch ----------------------------------------------------------------------------------

    def run(self, rows: pa.Table) -> Ran:
        """The rows of a batch. Raises LogsqlError."""
        if self._planned is None:
            found = conformed(rows, self.given.schema)
            return Ran(found, lambda: found)
        return self._run(conformed(rows, self._planned.rows.schema), None)

    def run_over(self, batches: Callable[[], Iterator[pa.RecordBatch]]) -> Ran:
        """The rows of a window, which are read as often as the query reads them and never all in memory."""
        if self._planned is None:
            return self.run(pa.Table.from_batches(batches(), self.given.schema))
        schema = self._planned.rows.schema

        def read() -> Iterator[pa.RecordBatch]:
            for batch in batches():
                yield from conformed(pa.Table.from_batches([batch]), schema).to_batches()

        return self._run(None, read)

    def _run(self, rows: pa.Table | None, batches: Callable[[], Iterator[pa.RecordBatch]] | None) -> Ran:
        made, repeated = self._planned, self._repeated
        assert made is not None
        assert repeated is not None
        made.carried.look()
        made.rows.table, made.rows.batches = made.rows.schema.empty_table() if rows is None else rows, batches
        try:
            return repeated.run()
        except BaseException:
            made.carried.drop()
            raise
        finally:
            made.rows.table, made.rows.batches = made.rows.schema.empty_table(), None

    def keep(self) -> None:
        """The run is done, and what it left is there for another run of the same batch."""
        if self._planned is not None:
            self._planned.carried.keep()

    def states(self) -> dict[str, bytes]:
        """What the runs of the batch left, by place, for its commit."""
        return {} if self._planned is None else self._planned.carried.save()

    def done(self) -> None:
        """The batch is committed."""
        if self._planned is not None:
            self._planned.carried.done()

    def undo(self) -> None:
        """The batch is not committed: what its runs left is dropped."""
        if self._planned is not None:
            self._planned.carried.undo()

    def load(self, states: Mapping[str, bytes]) -> None:
        """Take up what an earlier process remembered."""
        if self._planned is not None:
            self._planned.carried.load(states)

    # --- between batches --------------------------------------------------------------------------

    def renew(self) -> None:
        """Load anew what was loaded once (the subquery of a streamjoin). Raises LogsqlError; the old rows then stay."""
        if self._repeated is not None:
            self._repeated.renew()

    def losses(self) -> list[Entry]:
        """What was lost since this was asked last."""
        if self._planned is None:
            return []
        found: list[Entry] = []
        for entry in self._planned.state.ledger:
            key = (entry.source, entry.reason)
            before = self._told.get(key)
            if before is None or entry.count > before:
                found.append(Entry(entry.source, entry.reason, entry.count - (before or 0), None, entry.sample))
                self._told[key] = entry.count
        return found

    def interrupt(self) -> None:
        """Have the run that is under way end soon; from any thread."""
        if self._repeated is not None:
            self._repeated.interrupt()

    def again(self) -> None:
        """An interruption is over."""
        if self._repeated is not None:
            self._repeated.again()

    def close(self) -> None:
        """Release cursors and tables."""
        if self._repeated is not None:
            self._repeated.close()


def conformed(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of a schema: null where the rows have none, cast where they have another type."""
    if rows.schema.equals(schema):
        return rows
    names = rows.column_names
    columns = []
    for field in schema:
        if field.name not in names:
            columns.append(pa.nulls(rows.num_rows, field.type))
            continue
        column = rows.column(field.name)
        columns.append(column if column.type.equals(field.type) else column.cast(field.type, safe=False))
    return pa.Table.from_arrays(columns, schema=schema)
