"""Carries out one plan: prepares a cursor, takes the steps, discovers open fields, streams the final SELECT."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import cast

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, LogsqlError, diagnostic, too_long
from logsql.engine.connection import WORK
from logsql.engine.direct import handed_on
from logsql.engine.discovery import all_fields, settled
from logsql.engine.leftovers import give_back, interrupt, leave, when_done
from logsql.engine.present import TYPE_SUFFIX, Field, arrow_field, present, written_out
from logsql.engine.reading import Reading, closed, taken
from logsql.engine.runstate import RunState
from logsql.engine.stageruntime import Actions, Stages
from logsql.engine.stages import StageTable, stage_schema
from logsql.engine.translate import plan_text
from logsql.engine.worker import Runner
from logsql.engine.workspace import Workspace
from logsql.engine.worktables import named
from logsql.planner.plan import Action, Materialise, Plan, Stream, column_expr, mixed, order_items, with_ctes
from logsql.planner.runtime import Row
from logsql.values import sql
from logsql.values.sqltext import written
from logsql.values.texts import DOCUMENT_TEXT


class Execution:
    """One run of one plan. Work tables live in the attached work database and go when the execution is closed.

    ``number`` is the query's number in its session, by which ``result`` and ``system queries`` name it.
    """

    number = 0
    #: The query as it is written, and the name of its file.
    text = ""
    origin: str | None = None
    endless = False

    def __init__(self, workspace: Workspace, plan: Plan, state: RunState, bindings: dict[str, object]) -> None:
        self.database = workspace.database
        self.services = workspace.services
        self._runs = workspace.runs
        self._results = workspace.results
        self.plan = plan
        self.state = state
        self.bindings = dict(bindings)
        self._cursor: duckdb.DuckDBPyConnection | None = None
        #: Cursors on which stages read their input.
        self._inner: list[duckdb.DuckDBPyConnection] = []
        self._work: list[str] = []
        #: Stages that are run although nothing of their rows is needed.
        self._always: list[StageTable] = []
        self._names: dict[str, str] = {}
        self._rel, self._ctes = written_out(plan.rel, plan.ctes)
        self._fields: list[Field] | None = None if plan.open else present(self._rel)
        self._source: str | None = None
        self._prepared = False
        self._failed: Exception | None = None
        #: Held while something is done on the cursor of the run; who reads rows has taken that cursor, or an own one.
        self._guard = threading.RLock()
        self._readings: list[Reading] = []
        self._dropped = False

    # --- shape ------------------------------------------------------------------------------------

    def fields(self) -> list[Field]:
        """Fields of the result; an open row must have been run."""
        if self._fields is None:
            with self._guard:
                self._prepare()
        assert self._fields is not None
        return self._fields

    def arrow_schema(self) -> pa.Schema:
        """Schema of the result without reading rows (used when there are none)."""
        with self._guard:
            self._prepare()
            text = written(self._final(False)) + " LIMIT 0"
            relation = self._runner.call(lambda: self.cursor.sql(text).to_arrow_table())
            return self._shape(relation.schema, with_types=False)

    def sql_text(self) -> str:
        return plan_text(self.plan)

    # --- running ----------------------------------------------------------------------------------

    @property
    def cursor(self) -> duckdb.DuckDBPyConnection:
        if self._cursor is None:
            self._cursor = self.new_cursor()
        return self._cursor

    def interrupt(self) -> None:
        """Have everything that runs end soon; from any thread.

        What has not begun sees the flag. The cursor is not made here: two threads made one each, and the one that ran
        was never told (an interrupt at the very beginning of a query had no effect, and neither had any after it).
        """
        self.state.abandoned = False
        self.state.cancel.set()
        self.interrupt_engine()

    def interrupt_engine(self) -> None:
        """End the statements of this run."""
        for cursor in [self._cursor, *self._inner, *(reading.cursor for reading in list(self._readings))]:
            if cursor is not None:
                interrupt(cursor)

    @property
    def _runner(self) -> Runner:
        return Runner(self.cursor, self.state, self._origins, interrupt=self.interrupt_engine)

    def new_cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor that sees the session's database, the work tables, this run's sources and its functions."""
        cursor = self.database.cursor()
        for name, thing in self.bindings.items():
            cursor.register(name, thing)
        self.database.install({DOCUMENT_TEXT, *self.plan.udfs})
        return cursor

    def _origins(self) -> list[BaseException]:
        found = [getattr(b, "last_error", None) for b in self.bindings.values()]
        return [f for f in found if f is not None]

    def batches(self, size: int, with_types: bool) -> Iterator[pa.RecordBatch]:
        """Rows of the final SELECT, kept for ``result`` on their way.

        ``with_types`` adds the companion type columns of mixed fields. What a plan did on other machines it does not do
        again for a second reading: that one is of the kept rows, where all of them were kept.
        """
        if self.plan.acts and not self._dropped and (again := self._results.again(self.number, with_types)) is not None:
            yield from again
            return
        kept_types = with_types or self._results.keeping
        reading = self._begin(size, kept_types)
        try:
            schema = self._shape(cast(pa.Schema, reading.next()), kept_types)
            yield from self._results.keep(self.number, schema, self._rows(reading, schema), with_types)
        finally:
            self._end(reading)

    def _rows(self, reading: Reading, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows, and behind them what a stage failed with that could not hand on all of its own."""
        for batch in reading.batches():
            yield _renamed(batch, schema)
        if self.state.cancel.is_set() and not self.state.abandoned:  # a stage that waits for rows ends quietly then
            raise Interrupted(diagnostic(INTERRUPTED))
        for table in self._always:
            table.finish()
        if self.state.behind is not None:
            raise self.state.behind

    def _begin(self, size: int, with_types: bool) -> Reading:
        """Take what was prepared, and a cursor: that of the run, or another one where somebody else reads on it."""
        self._runs.started(self)  # again, where rows are read once more
        with self._guard:
            if self._dropped:
                raise closed()
            if not self._readings:
                self.state.again()
                self.state.limit = self._runs.timeout
                self.state.begin()
            try:
                self._prepare()
                text = written(self._final(with_types))
            except RecursionError:  # sqlglot writes nested nodes by recursion
                raise too_long() from None
            cursor, self._cursor = self.cursor, None
            ends = partial(self._interrupt_reading, cursor)
            runner = Runner(cursor, self.state, self._origins, interrupt=ends, alone=self._alone)
            whole = self._handed_on(size)
            reading = Reading(runner.batches(text, size) if whole is None else runner.stream(whole), cursor)
            self._readings.append(reading)
            return reading

    def _handed_on(self, size: int) -> Callable[[], pa.RecordBatchReader] | None:
        """What reads the rows past DuckDB, where they are those of a stage as they are."""
        name = self._rel.source
        if self._source is not None or name in self._names or any(cte.name == name for cte in self._ctes):
            return None
        return handed_on(self._rel, self.bindings.get(name), self.state.zone, size)

    def _alone(self) -> bool:
        return len(self._readings) < 2

    def _interrupt_reading(self, cursor: duckdb.DuckDBPyConnection) -> None:
        if self._alone():
            self.interrupt_engine()
        interrupt(cursor)

    def _end(self, reading: Reading) -> None:
        """Its rows are read, or nobody wants the rest of them."""
        reading.close()
        with self._guard:
            if reading not in self._readings:
                return  # the result was closed meanwhile
            self._readings.remove(reading)
            last = not self._readings
            if last:
                self._stop_scans()
                self.state.deadline = None
            if self._cursor is None and last and self._work:
                self._cursor = reading.cursor
            else:
                self._when_done(partial(give_back, [reading.cursor]))
            if last:
                self._runs.finished(self)
                if not self._work:
                    self._release()

    def _release(self) -> None:
        """Give the cursor back and be forgotten: a session that is asked 10,000 times would hold all of it to its end.

        The ledger goes with the result, and its counters, which the database knows, serve the next query.
        """
        if self._cursor is not None:
            self._when_done(partial(give_back, [self._cursor]))
            self._cursor = None
        self._runs.forget(self)

    def _shape(self, schema: pa.Schema, with_types: bool) -> pa.Schema:
        """The presented schema: true names (which DuckDB may have had to change), language types in metadata."""
        fields: list[pa.Field] = []
        position = 0
        for field in self.fields():
            fields.append(arrow_field(field.name, field.label, schema.field(position).type))
            position += 1
            if with_types and field.type_expr is not None:
                fields.append(pa.field(field.name + TYPE_SUFFIX, schema.field(position).type))
                position += 1
        return pa.schema(fields)

    def _prepare(self) -> None:
        """Take the plan's steps, once; for an open row also materialise the result and discover its fields.

        What failed fails again: steps that write are not taken twice.
        """
        if self._failed is not None:
            raise self._failed
        if self._prepared:
            return
        self._prepared = True
        try:
            self._take_steps()
        except Exception as problem:
            self._failed = problem
            raise

    def _take_steps(self) -> None:
        self.state.limit = self._runs.timeout
        self.state.begin()
        for step in self.plan.steps:
            if isinstance(step, Materialise):
                self._create(step.name, step.query)
            elif isinstance(step, Stream):
                self._register(step)
            elif isinstance(step, Action):
                self._runner.call(partial(self._act, step))
        if self.plan.open:
            self._discover()

    def _act(self, action: Action) -> bool:
        action.run(Actions(self))
        return True

    def _create(self, name: str, query: exp.Expression) -> None:
        real, text = self.database.work_name(name), written(self.resolve(query))
        self._work.append(real)
        self._names[name] = real
        self._runner.execute(f'CREATE TABLE {WORK}.main."{real}" AS {text}')

    def work_table(self, name: str) -> str:
        """SQL text of the work table that holds a step of the plan."""
        return f'{WORK}.main."{self._names[name]}"'

    def resolve(self, query: exp.Expression) -> exp.Expression:
        """The query with the plan's names of work tables replaced by this run's."""
        return named(query, self._names)

    def _register(self, step: Stream) -> None:
        schema = stage_schema(step)
        runtime = Stages(self.state, self.database, self.services, lambda number: self._read(step.inputs[number]))

        def produce() -> Iterator[pa.RecordBatch]:
            try:
                yield from step.transform(self._read(step.query), runtime)
            except LogsqlError as error:
                raise self._placed(error, step) from None

        table = StageTable(schema, produce)
        self.bindings[step.name] = table
        self.cursor.register(step.name, table)
        self._always += [table] if step.always else []
        if step.once and self.plan.readings(step.name) > 1:
            rows = sql.select([exp.Star()], sql.table(step.name))
            self._create(step.name, rows)

    def _placed(self, error: LogsqlError, step: Stream) -> LogsqlError:
        """An error of a stage that acts on other machines, at its command; one in a stored query stands elsewhere."""
        span = error.span or step.span
        if (
            step.once
            and span is not None
            and step.span is not None
            and self.text.startswith(step.label, step.span.start)
        ):
            error.diagnostic = replace(error.diagnostic, span=span).located(self.text, self.origin)
        return error

    def _read(self, query: exp.Expression | None) -> Iterator[pa.RecordBatch]:
        """Input rows of a stage, read on a cursor of their own while the outer query runs."""
        if query is None:
            return
        cursor = self.new_cursor()
        self._inner.append(cursor)
        try:
            yield from cursor.sql(written(self.resolve(query))).to_arrow_reader(98_304)
        finally:
            self._inner.remove(cursor)
            cursor.close()

    # --- open rows --------------------------------------------------------------------------------

    def _discover(self) -> None:
        """Run the query into a work table and find the fields that its open rows hold, and the types of mixed ones."""
        rel, rest = self._rel, self._rel.rest
        items: list[exp.Expression] = []
        plain = present(rel)
        unsettled = [n for n, column in enumerate(rel.columns) if self.plan.settled and mixed(column)]
        for position, field in enumerate(plain):
            items.append(sql.alias(field.expr, f"c{position}"))
            if field.type_expr is not None:
                items.append(sql.alias(field.type_expr, f"t{position}"))
            if position in unsettled:
                items.append(sql.alias(column_expr(rel, rel.columns[position]), f"v{position}"))
        if rest is not None:
            items.append(sql.alias(rel.expr(rest.ident), "rest"))
        query = sql.select(items, sql.table(rel.source), rel.where)
        keys = [] if rel.order.physical else order_items(rel, qualified=True)
        if keys:
            query.set("order", sql.order_by(keys))
        self._create("__open", with_ctes(query, self._ctes, (rel.source,)))
        self._source = "__open"
        table = self.work_table("__open")
        fixed = [
            Field(f.name, f.label, sql.col(f"c{i}"), sql.col(f"t{i}") if f.type_expr is not None else None)
            for i, f in enumerate(plain)
        ]
        for position, field in settled(self._fetch, table, {n: fixed[n] for n in unsettled}).items():
            fixed[position] = field
        self._fields = fixed if rest is None else all_fields(self._fetch, table, "rest", fixed, rest)

    def _fetch(self, text: str) -> list[Row]:
        return self._runner.call(lambda: self.cursor.execute(text).fetchall() or [()])

    # --- the final SELECT -------------------------------------------------------------------------

    def _final(self, with_types: bool) -> exp.Expression:
        items: list[exp.Expression] = []
        for position, field in enumerate(self.fields()):
            items.append(sql.alias(field.expr, f"c{position}"))
            if with_types and field.type_expr is not None:
                items.append(sql.alias(field.type_expr, f"t{position}"))
        if not items:
            items = [sql.alias(sql.boolean(True), "__row")]
        rel = self._rel
        if self._source is not None:
            return self.resolve(sql.select(items, sql.table(self._source)))
        query = sql.select(items, sql.table(rel.source), rel.where)
        keys = [] if rel.order.physical else order_items(rel, qualified=True)
        if keys:
            query.set("order", sql.order_by(keys))
        return self.resolve(with_ctes(query, self._ctes, (rel.source,)))

    def _stop_scans(self) -> None:
        """End reading ahead behind the last row anybody wanted."""
        for thing in self.bindings.values():
            stop = getattr(thing, "stop", None)
            if stop is not None:
                stop()

    def close(self) -> None:
        """End what runs, drop the work tables and release the cursor; whoever reads is told.

        What another thread does on a cursor is told to end; where that takes long its cursor is closed behind it.
        """
        readings = list(self._readings)
        for reading in readings:
            reading.closed = True
        busy = [lock for lock in (self._guard, *(r.busy for r in readings)) if not taken(lock, self.interrupt)]
        if busy:
            left = threading.Thread(target=self._close_later, args=(readings, busy), name="logsql-left", daemon=True)
            self.state.left.append(left)
            leave(left)
            left.start()
        else:
            self._let_go(readings)
        for lock in (self._guard, *(r.busy for r in readings)):
            if lock not in busy:
                lock.release()
        self._runs.forget(self)

    def _close_later(self, readings: list[Reading], busy: list[threading.RLock]) -> None:  # type: ignore[valid-type,unused-ignore]
        for lock in busy:
            with lock:
                continue
        with self._guard:
            self._let_go(readings)

    def _let_go(self, readings: list[Reading]) -> None:
        for reading in readings:
            reading.close()
            if reading in self._readings:
                self._readings.remove(reading)
                self._when_done(partial(give_back, [reading.cursor]))
        self._stop_scans()
        work, self._work = self._work, []
        self._dropped = self._dropped or bool(work)
        self._release()
        for name in work:
            self._when_done(partial(self.database.drop_work, name))

    def _when_done(self, release: Callable[[], object]) -> None:
        """Call ``release`` when the workers that were left behind have ended."""
        when_done([thread for thread in self.state.left if thread is not threading.current_thread()], release)


def _renamed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if len(schema) == 0:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * batch.num_rows, pa.struct([])))
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)
