"""Carries out one plan again and again over new rows: what the query of a stream does with every batch.

What does not depend on the new rows is done once: texts of SQL are written and planned, cursors opened, tables
registered, the steps of a subquery taken. A run is then one statement for a closed plan, on the caller's own thread,
which :meth:`Repeated.interrupt` reaches from any other.

Plans stay only where a statement reads no entry of the catalog. What is registered is a view, a work table a table: a
prepared statement over either is planned anew by every EXECUTE (9 of the 12 ms of a hundred rows through ``parsejson``
and a model). Rows of the moment and those of stages are therefore read under the name that a relation gives to its
object (:class:`Sources`), which is none of the catalog.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pyarrow as pa
from sqlglot import exp

from logsql.engine.connection import WORK
from logsql.engine.discovery import Looked, looked_through
from logsql.engine.keptplans import Asking, Changing, Prepared, Sources
from logsql.engine.leftovers import give_back, interrupt
from logsql.engine.present import TYPE_SUFFIX, Field, arrow_field, present, written_out
from logsql.engine.runstate import RunState
from logsql.engine.saved import coded, coded_batch
from logsql.engine.stageruntime import Actions, Stages
from logsql.engine.stages import StageTable, stage_schema
from logsql.engine.worker import Runner
from logsql.engine.workspace import Workspace
from logsql.engine.worktables import called, named
from logsql.planner.plan import Action, Materialise, Plan, Stream, order_items, with_ctes
from logsql.planner.relation import Rest
from logsql.planner.runtime import Row
from logsql.values import sql
from logsql.values.sqltext import written
from logsql.values.texts import DOCUMENT_TEXT
from logsql.values.types import ANY_JSON, STRING

#: Metadata of the column that holds the open part of rows that another plan reads.
REST = b"logsql.rest"
#: Its name, and that of the rows of an open plan while their fields are looked for.
REST_NAME, OPEN = "__rest", "__open"
#: Shapes of open rows whose SELECT is remembered.
_SHAPES = 64


@dataclass
class Ran:
    """The rows of one run. ``kept``: for another plan to read (:attr:`Repeated.schema`). :meth:`shown`: with the fields
    that open rows hold; to be asked for before the next run."""

    kept: pa.Table
    _show: Callable[[], pa.Table]
    _shown: pa.Table | None = field(default=None)

    def shown(self) -> pa.Table:
        """The rows as a result shows them."""
        if self._shown is None:
            self._shown = self._show()
        return self._shown


class Repeated:
    """One plan over ``bindings``, of which those that are :class:`Changing` get new rows between two runs.

    One thread at a time runs it. Steps that read no changing table are taken once, by the first run and by
    :meth:`renew`. ``schema``: of the rows that it keeps for other plans, the open part last, as JSON; ``rest`` tells of
    that part.
    """

    def __init__(self, workspace: Workspace, plan: Plan, state: RunState, bindings: Mapping[str, object]) -> None:
        self.database = workspace.database
        self.services = workspace.services
        self.plan = plan
        self.state = state
        self._bindings = dict(bindings)
        self._names: dict[str, str] = {}
        self._changing = {name for name, thing in bindings.items() if isinstance(thing, Changing)}
        self._free: list[Prepared] = []
        self._lock = threading.Lock()
        self._registered: dict[str, object] = {}
        #: What the catalog does not know, by the plan's name.
        self._read_as: dict[str, str] = {}
        self._cursors: list[Prepared] = []
        self._asking: dict[str, Asking] = {}
        self._each: list[Callable[[], None]] = []
        #: Stages that are run although nothing of their rows is needed.
        self._always: list[StageTable] = []
        self._renewed: list[Callable[[], None]] = []
        self._rel, self._ctes = written_out(plan.rel, plan.ctes)
        self._fields = present(self._rel)
        self._shapes: OrderedDict[tuple[object, ...], tuple[list[Field], str]] = OrderedDict()
        self.database.install({DOCUMENT_TEXT, *plan.functions})
        self.cursor = self._new_cursor()
        self._sources = Sources(self.cursor.connection)
        for name, thing in self._bindings.items():
            self._register(name, thing)
        try:
            self._prepare()
            self.schema, self.rest = self._describe()
        except Exception as problem:
            self.close()
            raise self._told(problem) from None

    @property
    def fields(self) -> list[Field]:
        """The fields of the rows, those of an open part excepted."""
        return self._fields

    # --- one run ----------------------------------------------------------------------------------

    def run(self) -> Ran:
        """Take the steps and deliver the rows. Raises LogsqlError."""
        for thing in self._bindings.values():
            if getattr(thing, "last_error", None) is not None:
                thing.last_error = None  # type: ignore[attr-defined]  # what has one may forget it
        self.state.behind = None
        for stage in self._always:
            stage.begun = False
        try:
            for step in self._each:
                step()
            if self._stored is not None:
                self.cursor.execute(self._stored)
            table = self.cursor.table(self._text)
            for stage in self._always:
                stage.finish()
            if self.state.behind is not None:
                raise self.state.behind
        except Exception as problem:
            raise self._told(problem) from None
        return self._ran(table)

    def renew(self) -> None:
        """Take the steps anew that read no changing rows (the subquery of a join). Raises LogsqlError; what the runs
        read then stays what it was."""
        try:
            for step in self._renewed:
                step()
        except Exception as problem:
            raise self._told(problem) from None

    def interrupt(self) -> None:
        """Have the run that is under way end soon; from any thread."""
        self.state.cancel.set()
        for cursor in list(self._cursors):
            interrupt(cursor.connection)

    def again(self) -> None:
        """An interruption is over."""
        self.state.cancel.clear()

    def close(self) -> None:
        """Release cursors and work tables."""
        for thing in self._bindings.values():
            stop = getattr(thing, "stop", None)
            if stop is not None:
                stop()
        give_back([cursor.connection for cursor in self._cursors], partial(self._drop, list(self._names.values())))
        self._cursors.clear()
        self._free.clear()

    def _drop(self, tables: list[str]) -> None:
        for asking in self._asking.values():
            asking.release()
        self._sources.close()
        for name in tables:
            self.database.drop_work(name)

    def _told(self, problem: Exception) -> BaseException:
        """The error that the user sees."""
        return Runner(self.cursor.connection, self.state, self._origins).told(problem)

    def _origins(self) -> list[BaseException]:
        found = [getattr(thing, "last_error", None) for thing in self._bindings.values()]
        return [f for f in found if f is not None]

    # --- cursors ----------------------------------------------------------------------------------

    def _new_cursor(self) -> Prepared:
        cursor = Prepared(self.database.cursor())
        self._cursors.append(cursor)
        for name, thing in self._registered.items():
            cursor.connection.register(name, thing)
        return cursor

    def _register(self, name: str, thing: object) -> None:
        """Have statements read an object by a name of the plan."""
        if isinstance(thing, Changing | StageTable) and (given := self._sources.name(thing)) is not None:
            self._read_as[name] = given
            return
        with self._lock:
            self._registered[name] = thing
            for cursor in self._cursors:
                cursor.connection.register(name, thing)

    def _read(self, text: str) -> Iterator[pa.RecordBatch]:
        """Input rows of a stage, on a cursor that nobody else reads on."""
        with self._lock:
            cursor = self._free.pop() if self._free else self._new_cursor()
        try:
            yield from cursor.table(text).to_batches()
        finally:
            with self._lock:
                self._free.append(cursor)

    def _lent(self, stage: str) -> Asking:
        """The connection on which a stage asks, in all its runs."""
        with self._lock:
            if stage not in self._asking:
                self._asking[stage] = Asking(self._new_cursor(), lent=True)
            return self._asking[stage]

    # --- steps ------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        for step in self.plan.steps:
            if isinstance(step, Stream):
                self._stage(step)
            elif isinstance(step, Materialise):
                self._materialise(step.name, step.query)
            elif isinstance(step, Action):
                self._each.append(partial(step.run, Actions(_Acting(self))))

    def _stage(self, step: Stream) -> None:
        queries = [query for query in (step.query, *step.inputs) if query is not None]
        if any(self._changes(query) for query in queries) or step.once:
            self._changing.add(step.name)
        inputs = [written(self.resolve(query)) for query in step.inputs]
        lend = partial(self._lent, step.name)
        runtime = Stages(self.state, self.database, self.services, lambda number: self._read(inputs[number]), lend)
        text = None if step.query is None else written(self.resolve(step.query))

        def produce() -> Iterator[pa.RecordBatch]:
            yield from step.transform(iter(()) if text is None else self._read(text), runtime)

        table = StageTable(stage_schema(step), produce)
        self._bindings[step.name] = table
        self._always += [table] if step.always else []
        self._register(step.name, table)
        if step.once and self.plan.readings(step.name) > 1:
            self._materialise(step.name, sql.select([exp.Star()], sql.table(step.name)))

    def _materialise(self, name: str, query: exp.Expression) -> None:
        text = written(self.resolve(query))
        real = self.database.work_name(name)
        self._names[name] = real
        make = f'CREATE OR REPLACE TABLE {WORK}.main."{real}" AS {text}'
        if self._changes(query):
            self._changing.add(name)
            # The texts of later steps name the table, and their types are looked up now.
            self.cursor.execute(f'CREATE TABLE {WORK}.main."{real}" AS FROM ({text}) LIMIT 0')
            self._each.append(lambda: self._execute(make))
            return
        self.cursor.execute(make)
        self._renewed.append(lambda: self._execute(make))

    def _execute(self, text: str) -> None:
        self.cursor.execute(text)

    def _changes(self, query: exp.Expression) -> bool:
        """Whether a query reads rows that change between two runs."""
        return any(table.name in self._changing for table in sql.below(query, exp.Table))

    def resolve(self, query: exp.Expression) -> exp.Expression:
        """The query with the plan's names of work tables and objects replaced by this run's."""
        return named(called(query, self._read_as), self._names)

    def work_table(self, name: str) -> str:
        """SQL text of the work table that holds a step of the plan."""
        return f'{WORK}.main."{self._names[name]}"'

    # --- the rows ---------------------------------------------------------------------------------

    @cached_property
    def _by_table(self) -> bool:
        """Whether open rows must lie in a work table to be looked through: their open part does not cross to Arrow and
        back as it is."""
        rest = self._rel.rest
        return rest is not None and rest.is_map and rest.value_type is not STRING

    @cached_property
    def _stored(self) -> str | None:
        """What puts the rows of an open plan into a work table first."""
        if not self._by_table:
            return None
        real = self.database.work_name(OPEN)
        self._names[OPEN] = real
        return f'CREATE OR REPLACE TABLE {WORK}.main."{real}" AS {self._whole(as_json=False)}'

    @cached_property
    def _text(self) -> str:
        """The statement that delivers the rows for other plans."""
        if self._stored is None:
            return self._whole(as_json=True)
        names = [sql.col(name) for name in self._plain]
        rest = sql.alias(sql.cast(sql.func("to_json", sql.col(REST_NAME)), "VARCHAR"), REST_NAME)
        source = exp.Table(this=sql.ident(self._names[OPEN]), db=sql.ident("main"), catalog=sql.ident(WORK))
        return written(sql.select([*names, rest], source))

    @property
    def _plain(self) -> list[str]:
        found: list[str] = []
        for position, shown in enumerate(self._fields):
            found.append(f"c{position}")
            if shown.type_expr is not None:
                found.append(f"t{position}")
        return found

    def _whole(self, as_json: bool) -> str:
        rel = self._rel
        items: list[exp.Expression] = []
        for position, shown in enumerate(self._fields):
            items.append(sql.alias(shown.expr, f"c{position}"))
            if shown.type_expr is not None:
                items.append(sql.alias(shown.type_expr, f"t{position}"))
        if rel.rest is not None:
            node = rel.expr(rel.rest.ident)
            if as_json:
                node = sql.cast(sql.func("to_json", node) if rel.rest.is_map else node, "VARCHAR")
            items.append(sql.alias(node, REST_NAME))
        query = sql.select(items or [sql.alias(sql.boolean(True), "__row")], sql.table(rel.source), rel.where)
        keys = [] if rel.order.physical else order_items(rel, qualified=True)
        if keys:
            query.set("order", sql.order_by(keys))
        return written(self.resolve(with_ctes(query, self._ctes, (rel.source,))))

    def _describe(self) -> tuple[pa.Schema, Rest | None]:
        """The schema of the rows for other plans, and how their open part is read."""
        if self._stored is not None:
            self.cursor.execute(f"{self._stored} LIMIT 0")
        given = self.cursor.schema(self._text)
        fields: list[pa.Field] = []
        for shown in self._fields:
            fields.append(arrow_field(shown.name, shown.label, given.field(len(fields)).type))
            if shown.type_expr is not None:
                fields.append(pa.field(shown.name + TYPE_SUFFIX, given.field(len(fields)).type))
        self._typed = pa.schema(fields)
        rest, found = self._rel.rest, coded(self._typed)
        if rest is None:
            return found, None
        last = pa.field(REST_NAME, pa.string(), metadata={REST: b"1"})
        return found.append(last), replace(rest, ident=REST_NAME, value_type=ANY_JSON, is_map=False)

    def _ran(self, table: pa.Table) -> Ran:
        typed = table.select(range(len(self._typed)))
        schema = pa.schema(list(self.schema)[: len(coded(self._typed))])
        coded_rows = _rows_of(typed, self._typed, schema)
        if self._rel.rest is None:
            return Ran(coded_rows, partial(self._closed, typed))
        kept = coded_rows.append_column(self.schema.field(len(schema)), table.column(len(self._typed)))
        return Ran(kept, partial(self._opened, table))

    def _closed(self, typed: pa.Table) -> pa.Table:
        chosen = [n for n, name in enumerate(self._typed.names) if not name.endswith(TYPE_SUFFIX)]
        names = [self._typed.field(n) for n in chosen]
        return _table(typed.select(chosen), pa.schema(names))

    # --- open rows --------------------------------------------------------------------------------

    def _opened(self, table: pa.Table) -> pa.Table:
        """The rows of an open plan with the fields that they hold."""
        rest = self._rel.rest
        assert rest is not None
        if not table.num_rows:
            return self._closed(table.select(range(len(self._typed))))
        try:
            fixed = self._fixed
            if self._stored is None:
                self._looked_through.table = table.append_column("rowid", pa.array(range(table.num_rows), pa.int64()))
                rest = replace(rest, is_map=False, value_type=ANY_JSON)
                source = self._read_as.get(OPEN, OPEN)
            else:
                source = self.work_table(OPEN)
            looked = looked_through(self._fetch, source, REST_NAME, fixed, rest)
            fields, text = self._shape(looked, rest, source)
            found = self.cursor.table(text)
        except Exception as problem:
            raise self._told(problem) from None
        types = found.schema if fields else ()
        shape = [arrow_field(f.name, f.label, t.type) for f, t in zip(fields, types, strict=True)]
        return _table(found, pa.schema(shape))

    @cached_property
    def _fixed(self) -> list[Field]:
        return [
            Field(f.name, f.label, sql.col(f"c{i}"), sql.col(f"t{i}") if f.type_expr is not None else None)
            for i, f in enumerate(self._fields)
        ]

    @cached_property
    def _looked_through(self) -> Changing:
        schema = self.cursor.schema(self._text)
        found = Changing(schema.append(pa.field("rowid", pa.int64())))
        self._register(OPEN, found)
        return found

    def _shape(self, looked: Looked, rest: Rest, source: str) -> tuple[list[Field], str]:
        """The fields of these rows and the SELECT of them; those of a shape that came before are known."""
        key = looked.shape
        if (known := self._shapes.get(key)) is not None:
            self._shapes.move_to_end(key)
            return known
        fields = looked.fields(REST_NAME, rest)
        items = [sql.alias(f.expr, f"f{n}") for n, f in enumerate(fields)]
        # A batch of `{}` alone has no field at all, and its rows are still there.
        text = written(sql.select(items or [sql.alias(sql.boolean(True), "__row")]))
        self._shapes[key] = made = fields, f"{text} FROM {source}"
        while len(self._shapes) > _SHAPES:
            _, (_, old) = self._shapes.popitem(last=False)
            self.cursor.forget(old)
        return made

    def _fetch(self, text: str) -> list[Row]:
        return self.cursor.rows(text) or [()]


class _Acting:
    """What an action of a plan sees of its run (:class:`logsql.engine.stageruntime.Run`)."""

    def __init__(self, run: Repeated) -> None:
        self.state, self.database, self.services = run.state, run.database, run.services
        self.cursor = run.cursor.connection
        self.resolve, self.work_table = run.resolve, run.work_table


def _rows_of(table: pa.Table, typed: pa.Schema, schema: pa.Schema) -> pa.Table:
    """The rows with each mixed column and its companion as one."""
    if len(typed) == len(schema):
        return _table(table, schema)
    batches = [pa.RecordBatch.from_arrays(b.columns, schema=typed) for b in table.to_batches()]
    return pa.Table.from_batches([coded_batch(batch, schema) for batch in batches], schema)


def _table(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns under other names."""
    if not len(schema):
        rows = pa.RecordBatch.from_struct_array(pa.array([{}] * table.num_rows, pa.struct([])))
        return pa.Table.from_batches([rows])
    return pa.Table.from_arrays(table.columns, schema=schema)
