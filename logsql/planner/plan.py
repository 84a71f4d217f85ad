"""The plan: CTE chain, steps to take before the final SELECT, and what the engine must have ready.

Pure data. ``translate`` prints it, the engine runs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlglot import exp

from logsql.diagnostics.notes import Note
from logsql.planner.arrival import behind
from logsql.planner.relation import Column, Rel
from logsql.values import sql
from logsql.values.sorting import sort_keys
from logsql.values.texts import DOCUMENT_TEXT
from logsql.values.types import Kind, LType
from logsql.values.values import Typed, to_variant

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from logsql.language.tree import Span
    from logsql.planner.runtime import StageRuntime

#: The column of a row that has no fields (``json "{}"``): SQL needs one, users never see it.
ROW_MARK = "__row"


@dataclass(frozen=True)
class Cte:
    """One named SELECT of the chain and the names it reads."""

    name: str
    query: exp.Expression
    reads: tuple[str, ...]
    command: str = ""


#: A Python stage of a plan: batches in, batches out.
Transform: TypeAlias = "Callable[[Iterator[pa.RecordBatch], StageRuntime], Iterator[pa.RecordBatch]]"


@dataclass(frozen=True)
class Materialise:
    """Run a query into a temporary table that later CTEs read by ``name``."""

    name: str
    query: exp.Expression


@dataclass(frozen=True)
class Action:
    """A side effect (writing a file, filling a table). ``run`` gets the engine's runtime; ``label`` is for display."""

    label: str
    run: Callable[[Any], None]


@dataclass(frozen=True)
class Stream:
    """A Python stage: the rows of ``query`` as Arrow batches through ``transform``; later CTEs read it by ``name``.

    ``columns`` are the output columns (name, physical SQL type). ``transform(batches, runtime)`` yields record batches
    with those columns in order. It is run afresh for every scan. ``inputs`` are further queries that the transform
    reads by number through ``runtime.read(0)`` (training rows). ``once``: it acts on other machines, so a plan that
    reads it more than once reads a work table instead (:meth:`Plan.readings`). ``always``: it is run although nothing
    of its rows is needed (``search false`` behind rows that make event contexts). ``span``: where its command stands.
    """

    name: str
    query: exp.Expression | None
    transform: Transform
    columns: tuple[tuple[str, str], ...]
    label: str = ""
    inputs: tuple[exp.Expression, ...] = ()
    once: bool = False
    span: Span | None = None
    always: bool = False


Step = Materialise | Action | Stream


@dataclass(frozen=True)
class Output:
    """One field of the result: name shown, ident in SQL, logical type."""

    name: str
    ident: str
    type: LType


@dataclass(frozen=True)
class Plan:
    """What :func:`logsql.planner.compile_query` returns."""

    ctes: tuple[Cte, ...]
    rel: Rel
    steps: tuple[Step, ...] = ()
    udfs: frozenset[str] = frozenset()
    zone: str = "UTC"
    notes: tuple[Note, ...] = ()
    remarks: tuple[str, ...] = ()
    #: Whether mixed fields of the result are shown with one type where all their values have it.
    settled: bool = False

    @cached_property
    def functions(self) -> frozenset[str]:
        """The Python functions of the plan, the one that texts of lists and maps need among them."""
        queries = [q for step in self.steps if not isinstance(step, Action) and (q := step.query) is not None]
        calls = (call for query in [self.final(), *queries] for call in sql.below(query, exp.Anonymous))
        return self.udfs | {DOCUMENT_TEXT for call in calls if call.this == DOCUMENT_TEXT}

    @property
    def python(self) -> bool:
        """Whether Python takes part (a stage or a function), so that the SQL alone is not the whole query."""
        return bool(self.functions) or any(isinstance(s, Stream) for s in self.steps)

    @property
    def acts(self) -> bool:
        """Whether a stage acts on other machines."""
        return any(isinstance(step, Stream) and step.once for step in self.steps)

    @property
    def open(self) -> bool:
        """Whether fields of the result are known only when data is read."""
        return self.rel.rest is not None or (self.settled and any(map(mixed, self.rel.columns)))

    def readings(self, name: str) -> int:
        """How often a run may read a stage: 2 stands for more, and for an action that may read it beside others."""
        count, passed, acts = 0, False, False
        for step in self.steps:
            if isinstance(step, Action):
                acts = acts or passed
            elif isinstance(step, Stream):
                queries = [query for query in (step.query, *step.inputs) if query is not None]
                read = sum(_times(query, name) for query in queries)
                count += read * (1 if step.once or not read else self.readings(step.name))
            else:
                count += _times(step.query, name)
            passed = passed or step.name == name if not isinstance(step, Action) else passed
        return min(count + _times(self.final(), name) + int(acts), 2)

    def final(self) -> exp.Expression:
        """The SELECT that delivers the result: every field under its own name, in the defined order."""
        return with_ctes(result_select(self.rel), self.ctes, (self.rel.source,))


def _times(query: exp.Expression, name: str) -> int:
    """How often a query reads a relation, each of its CTEs counted for every place that reads it."""
    ctes = query.args["with_"].expressions if query.args.get("with_") else []
    inside = {cte.alias: Counter(table.name for table in sql.below(cte.this, exp.Table)) for cte in ctes}
    own = Counter(table.name for table in sql.below(query, exp.Table))
    for counts in inside.values():
        own.subtract(counts)
    known: dict[str, int] = {}

    def times(wanted: str) -> int:
        if wanted not in known:
            known[wanted] = 0  # a CTE does not read itself
            below = sum(counts[wanted] * times(cte) for cte, counts in inside.items() if counts[wanted])
            known[wanted] = own[wanted] + below
        return known[wanted]

    return times(name)


def mixed(column: Column) -> bool:
    """Whether a field may hold values of several types, each kept as it is."""
    return column.type.kind is Kind.ANY and not column.type.json


def outputs(rel: Rel) -> list[Output]:
    """Fields of a relation as the final SELECT delivers them."""
    return [Output(c.name, c.ident, c.type) for c in rel.columns]


def result_select(rel: Rel, keep_rest: bool = True) -> exp.Select:
    """SELECT of the visible fields, and of the open rest last, ordered when the rows do not arrive so."""
    items = [sql.alias(column_expr(rel, c), c.name) for c in rel.columns]
    if rel.rest is not None and keep_rest:
        items.append(sql.alias(rel.expr(rel.rest.ident), "__rest"))
    if not items:
        items = [sql.alias(sql.boolean(True), ROW_MARK)]
    node = sql.select(items, sql.table(rel.source), rel.where)
    if not rel.order.physical and (keys := order_items(rel, qualified=True)):
        node.set("order", sql.order_by(keys))
    return node


def column_expr(rel: Rel, column: Column) -> exp.Expression:
    """SQL of a field over the relation's source; parts of a mixed value are joined into one VARIANT."""
    if not column.parts:
        return rel.expr(column.ident)

    return to_variant(rel.value(column)).expr


def order_items(rel: Rel, qualified: bool = False) -> list[exp.Expression]:
    """ORDER BY items of the relation's keys. ``qualified`` keeps an output alias from shadowing the source's column."""
    items: list[exp.Expression] = []
    for key in rel.order.keys or ():
        node = sql.col(key.ident, rel.source) if qualified and key.ident not in rel.pending else rel.expr(key.ident)
        items.extend(sort_keys(Typed(node, key.type), key.descending))
    return items


def selected(rel: Rel, name: str, ctes: tuple[Cte, ...]) -> tuple[Rel, tuple[Cte, ...]]:
    """The relation over one more CTE, which computes all that it computes."""
    idents = rel.all_idents()
    query = sql.select([sql.alias(rel.expr(i), i) for i in idents], sql.table(rel.source), rel.where)
    found = replace(rel, source=name, pending={}, where=None, order=behind(rel.order, query, idents))
    return found, (*ctes, Cte(name, query, (rel.source,)))


def with_ctes(query: exp.Expression, ctes: Sequence[Cte], reads: Sequence[str]) -> exp.Expression:
    """``WITH`` the CTEs that ``query`` (which reads ``reads``) reaches, in source order."""
    by_name = {c.name: c for c in ctes}
    wanted: set[str] = set()
    pending = list(reads)
    while pending:
        name = pending.pop()
        if name in by_name and name not in wanted:
            wanted.add(name)
            pending.extend(by_name[name].reads)
    chosen = [c for c in ctes if c.name in wanted]
    if not chosen:
        return query
    node = query.copy() if query.args.get("with_") else query
    node.set("with_", exp.With(expressions=[cte_node(c) for c in chosen]))
    return node


def handed_on(query: exp.Expression, ident: str) -> tuple[str, str] | None:
    """The relation and the column of it that a SELECT of single rows delivers as ``ident``; None where it makes it."""
    if not isinstance(query, exp.Select) or any(query.args.get(part) for part in ("group", "distinct", "joins")):
        return None
    source = query.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table):
        return None
    for item in query.expressions:
        if item.alias_or_name == ident:
            made = item.unalias()
            return (source.this.name, made.name) if isinstance(made, exp.Column) else None
    return None


def cte_node(cte: Cte) -> exp.CTE:
    return exp.CTE(this=cte.query, alias=exp.TableAlias(this=sql.ident(cte.name)))
