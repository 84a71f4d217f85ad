"""The query of a stream: parsed without a source, split where windows begin, planned over rows that come later.

Contract
- :func:`halves` splits a query into the commands that pass every batch on and those behind them that work on the rows
  of an interval, by the ``stream`` duty of each command, and refuses what cannot work where rows never end.
- :func:`planned` plans one of the halves over rows of a :class:`Shape`.
- Errors point at the user's own query. ``MISSING`` sources are none: the rows come from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.errors import LogsqlError, QueryError, diagnostic, too_long
from logsql.diagnostics.messages import told
from logsql.diagnostics.notes import Note
from logsql.diagnostics.streaming import ELSEWHERE, NEEDS_EVERY, NOT_IN_STREAM, SOURCE_IN_STREAM
from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.catalog import SessionCatalog
from logsql.engine.keptplans import Changing
from logsql.engine.ledger import Ledger
from logsql.engine.repeated import REST
from logsql.engine.runstate import RunState
from logsql.engine.session import Session
from logsql.language.parser import parse_query
from logsql.language.tree import Command, Query
from logsql.operators.passing import Field, Slices, passed
from logsql.planner.catalog import SourceSpec
from logsql.planner.chain import Chain
from logsql.planner.demand import continued, demanded
from logsql.planner.duties import Demand, InStream, RowState, Subquery
from logsql.planner.folds import counts_rows, first_ones_first, in_stream, tree_nodes
from logsql.planner.options import OptionSpec
from logsql.planner.plan import Plan
from logsql.planner.planner import Planner
from logsql.planner.relation import Rel, Rest
from logsql.planner.running import ROW_NUMBER, Memory
from logsql.planner.runtime import StageRuntime
from logsql.planner.spec import COMMANDS
from logsql.planner.stage import Stage
from logsql.registry import GRAMMAR
from logsql.streams.carried import Carried
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, LONG, LType
from logsql.values.values import Typed

#: The name by which the SQL of a stream's query reads the rows of the moment.
ROWS = "__stream_rows"
#: What stands for rows without fields, which the engine does not know.
NO_FIELDS = pa.schema([("__row", pa.bool_())])


@dataclass(frozen=True)
class Text:
    """The query as it is written, the stream it belongs to, and the file that held it."""

    stream: str
    query: str
    origin: str | None = None


@dataclass(frozen=True)
class Halves:
    """The commands of a query that pass every batch on, and those that work on the rows of an interval."""

    running: tuple[Command, ...]
    windowed: tuple[Command, ...]

    @property
    def names(self) -> frozenset[str]:
        """Every name that the query writes."""
        found = (getattr(node, "name", None) or getattr(node, "text", None) for node in tree_nodes(self.commands))
        return frozenset(name for name in found if isinstance(name, str)) | _option_words(self.commands)

    @property
    def commands(self) -> tuple[Command, ...]:
        """All commands, in order."""
        return (*self.running, *self.windowed)


def _option_words(commands: Sequence[Command]) -> frozenset[str]:
    """Words in options, which name fields too (``parse field=host``)."""
    values = [o.value for c in commands for o in c.options if isinstance(o.value, str)]
    return frozenset(word for value in values for word in value.replace(",", " ").split())


def halves(text: Text, every: float | None) -> Halves:
    """The two halves of a query. Raises QueryError for what cannot stand in a stream, with its place."""
    if not text.query.strip():
        return Halves((), ())
    try:
        query = parse_query(text.query, GRAMMAR)
        commands = query.commands
        _check(text, commands)
        first = next((n for n, c in enumerate(commands) if in_stream(c) is InStream.WINDOWED), len(commands))
        if first < len(commands) and every is None:
            _refuse(NEEDS_EVERY, text, _deepest(commands[first]))
    except LogsqlError as error:
        raise error.located(text.query, text.origin) from None
    except RecursionError:
        raise too_long().located(text.query, text.origin) from None
    return Halves(tuple(commands[:first]), tuple(commands[first:]))


def _check(text: Text, commands: Sequence[Command]) -> None:
    for command in commands:
        spec = COMMANDS[command.name]
        if spec.subquery is Subquery.CONTINUES:
            _check(text, continued(command))
            continue
        duty = in_stream(command)
        if duty is InStream.SOURCE and spec.instead is None:
            _refuse(SOURCE_IN_STREAM, text, command)
        if duty in (InStream.SOURCE, InStream.BARRIER):
            _refuse(NOT_IN_STREAM, text, command, told(spec.instead) if spec.instead else ELSEWHERE.fill())


def _deepest(command: Command) -> Command:
    """The command that waits, inside of those that hold others."""
    if COMMANDS[command.name].subquery is Subquery.CONTINUES:
        return next((_deepest(c) for c in continued(command) if in_stream(c) is InStream.WINDOWED), command)
    return command


def _refuse(said: Sentence, text: Text, command: Command, help: str | None = None) -> None:
    facts = {"stream": text.stream, "command": command.name}
    raise QueryError(diagnostic(said, command.name_span, help=help, **facts))


# --- rows that come later ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shape:
    """What rows hold: the schema, whose last column is the open part (JSON) where there is one, and how it is read."""

    schema: pa.Schema
    rest: Rest | None = None

    @property
    def fields(self) -> pa.Schema:
        """The fields, without the open part."""
        return self.schema if self.rest is None else pa.schema(list(self.schema)[:-1])


@dataclass(frozen=True)
class Planned:
    """A half of a query, planned. ``columns``: those of the rows that it reads, in the order in which ``rows`` holds
    them; ``params``: what later commands read of parameters that it set."""

    plan: Plan
    state: RunState
    bindings: dict[str, object]
    rows: Changing
    columns: tuple[str, ...]
    carried: Carried
    params: Mapping[str, Typed]
    notes: tuple[Note, ...] = ()


def planned(
    session: Session,
    text: Text,
    commands: Sequence[Command],
    shape: Shape,
    params: Mapping[str, object],
    behind: Demand = None,
    windowed: bool = False,
    state: RunState | None = None,
) -> Planned:
    """Plan commands over rows of a shape; ``windowed``: each run stands for itself. Raises QueryError, located."""
    state = RunState(session.policy, session.zone, Ledger(exact=True)) if state is None else state
    catalog = SessionCatalog(session.workspace, state)
    carried = Carried(catalog.bindings)
    columns = _read(shape, demanded(first_ones_first(commands), behind))
    schema = pa.schema([shape.schema.field(name) for name in columns])
    rest = shape.rest if shape.rest is not None and columns and columns[-1] == shape.schema.names[-1] else None
    rows = Changing(schema if columns else NO_FIELDS)
    catalog.bindings[ROWS] = rows
    planner = StreamPlanner(catalog, params)
    planner.carry, planner.holds = None if windowed else carried, carried
    try:
        with session.workspace.runs.stoppable(state), session.database.used():
            plan = planner.plan(Query(tuple(commands)), lambda chain: _start(chain, schema, rest))
    except LogsqlError as error:
        raise error.located(text.query, text.origin) from None
    except RecursionError:
        raise too_long().located(text.query, text.origin) from None
    notes = tuple(note.located(text.query, text.origin) for note in plan.notes)
    constant = {n: v for n, v in planner.params.items() if not any(True for _ in sql.below(v.expr, exp.Subquery))}
    return Planned(plan, state, catalog.bindings, rows, columns, carried, constant, notes)


def parameters_of(commands: Sequence[Command]) -> tuple[Command, ...]:
    """The commands that give parameters their values before any row is read: both halves of a query run them."""
    return tuple(c for c in commands if COMMANDS[c.name].state is RowState.FIRST)


def chosen(shape: Shape, demand: Demand) -> Shape:
    """The shape with what a demand reads of it."""
    names = _read(shape, demand)
    open_ = shape.rest is not None and names[-1:] == tuple(shape.schema.names[-1:])
    return Shape(pa.schema([shape.schema.field(name) for name in names]), shape.rest if open_ else None)


def _read(shape: Shape, demand: Demand) -> tuple[str, ...]:
    """The columns that a query reads: what it does not look at is not handed to the engine."""
    names = shape.schema.names
    if demand is None:
        return tuple(names)
    fields = shape.fields.names
    chosen = [name for name in fields if name in demand]
    open_ = shape.rest is not None and not demand <= set(fields)
    return (*chosen, names[-1]) if open_ else tuple(chosen or names[:1])


@dataclass(frozen=True)
class _Input:
    """What stands before the first command: no command of the language, so it has no declaration there."""

    name: str = "stream"
    options: tuple[OptionSpec, ...] = ()
    reads: SourceSpec | None = None

    def option(self, name: str) -> OptionSpec:
        raise KeyError(name)


def _start(chain: Chain, schema: pa.Schema, rest: Rest | None) -> Rel:
    stage = Stage(chain, _Input(), Command("stream", (), None), None, True)
    fields = schema if rest is None else pa.schema(list(schema)[:-1])
    extra: list[tuple[str, Sql, LType]] = []
    if rest is not None:
        extra.append((rest.ident, sql.cast(sql.col(schema.names[-1]), ANY_JSON.physical), ANY_JSON))
    rel = stage.scan(sql.table(ROWS), ROWS, arrow_columns(fields), extra)
    return replace(rel, carried=(), rest=rest)


class StreamPlanner(Planner):
    """Plans the query of a stream: rows are numbered on where an expression asks for the place of the row."""

    def _step(self, stage: Stage) -> Rel | None:
        if self.carry is not None and stage.input is not None and counts_rows(stage.command):
            stage.input = _numbered(stage, stage.input, self.carry.memory("row"))
        return super()._step(stage)


def _numbered(stage: Stage, rel: Rel, memory: Memory) -> Rel:
    """The rows with their numbers since the stream began, unseen."""

    def work(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Slices:
        count = 0 if memory.before is None else memory.before.column(0)[0].as_py()
        for rows in batches:
            yield rows, {ROW_NUMBER: pa.array(range(count + 1, count + 1 + rows.num_rows), pa.int64())}
            count += rows.num_rows
        memory.leave(pa.record_batch([pa.array([count], pa.int64())], names=["count"]))

    kept = tuple(c for c in rel.carried if c.name != ROW_NUMBER)
    found = passed(stage, replace(rel, carried=kept), (), (Field(ROW_NUMBER, LONG),), work)
    number = found.column(ROW_NUMBER)
    assert number is not None
    shown = tuple(c for c in found.columns if c is not number)
    return replace(found, columns=shown, carried=(*found.carried, number))


__all__ = [
    "REST",
    "Halves",
    "Planned",
    "Shape",
    "StreamPlanner",
    "Text",
    "chosen",
    "halves",
    "parameters_of",
    "planned",
]
