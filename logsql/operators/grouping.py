"""Grouping shared by stats, pivot, timechart, rollup, cube and boxplot: keys, aggregates, output names, result order.

Keys group by exact identity: text exactly, numbers by value, null as a group of its own. A key whose values have
several types groups by :func:`logsql.values.keys.exact_key` (VARIANT) or by its normalised JSON text. Groups come
out ascending by their keys under the value comparator; the order is lazy, nothing is sorted unless somebody looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from logsql.diagnostics.expressions import AGGREGATE_ARGUMENTS, DUPLICATE_OUTPUT, OTHER_OUTPUT
from logsql.diagnostics.foreign import meant_name
from logsql.diagnostics.language import UNKNOWN_AGGREGATE
from logsql.diagnostics.messages import plural
from logsql.diagnostics.places import Place
from logsql.language.tree import Aggregate, Name
from logsql.operators.merging import Idents
from logsql.planner import losses
from logsql.planner.calls import AggregateCall, fail
from logsql.planner.expressions import ExprContext
from logsql.planner.function_spec import AGGREGATES, AggregateSpec
from logsql.planner.notes import clauses, numbers
from logsql.planner.ordering import bind_keys, tie_breakers
from logsql.planner.plan import order_items
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.keys import exact_key, json_identity, plainly_same
from logsql.values.sql import Sql
from logsql.values.types import ANY_JSON, NULL, NUMBERS, Kind
from logsql.values.values import Typed


@dataclass(frozen=True)
class Key:
    """A group key: output name, SQL column(s) of the result, expressions to group by.

    ``items`` are (column, SQL) of the grouping SELECT; ``group`` the expressions that tell groups apart (none for a
    field that is always null).
    """

    column: Column
    items: tuple[tuple[str, Sql], ...]
    group: tuple[Sql, ...]


@dataclass(frozen=True)
class Result:
    """An aggregate of the output: its column and SQL."""

    column: Column
    node: Sql


@dataclass(frozen=True)
class Groups:
    """Keys and aggregates lowered over ``rel``."""

    rel: Rel
    keys: tuple[Key, ...]
    results: tuple[Result, ...]
    idents: Idents

    @property
    def group_by(self) -> list[Sql]:
        return [node for key in self.keys for node in key.group]


# --- identity ---------------------------------------------------------------------------------------------------------


def identity(value: Typed) -> list[Sql]:
    """Expressions that are equal when two values are the same, null too; none for the constant null."""
    if value.kind is Kind.NULL:
        return []
    if value.parts:
        if _one_number_part(value):
            return [node for part in value.parts for node in identity(part)]
        return [exact_key(value)]
    if value.type.json:
        return [json_identity(value)]
    return [value.expr if plainly_same(value.type) else exact_key(value)]


def _one_number_part(value: Typed) -> bool:
    kinds = [p.kind for p in value.parts]
    return Kind.ANY not in kinds and len([k for k in kinds if k in NUMBERS]) <= 1


# --- lowering ---------------------------------------------------------------------------------------------------------


def check_names(keys: Sequence[Name], outputs: Sequence[Name]) -> None:
    """Refuse a name that would stand twice in the output (decisions.md 23), showing both places."""
    seen: dict[str, Name] = {}
    for name in (*keys, *outputs):
        first = seen.setdefault(name.text, name)
        if first is not name:
            other = OTHER_OUTPUT.fill(at=first.span.start + 1)
            fail(DUPLICATE_OUTPUT, name.span, notes=(other,), field=name.text)


def aggregate_spec(aggregate: Aggregate) -> AggregateSpec:
    """The registry row of an aggregate; 21702 for an unknown name, 21703 for a wrong number of arguments."""
    name = aggregate.function.text
    spec = AGGREGATES.get(name)
    if spec is None:
        help = meant_name(name, Place.AGGREGATE, AGGREGATES)
        fail(UNKNOWN_AGGREGATE, aggregate.function.span, function=name, help=help)
    if not spec.min_args <= len(aggregate.args) <= spec.max_args:
        count = len(aggregate.args)
        usage = spec.signature
        fail(AGGREGATE_ARGUMENTS, aggregate.span, function=name, count=count, s=plural(count), usage=usage)
    return spec


def needs_row_order(aggregates: Sequence[Aggregate]) -> bool:
    """Whether a result depends on the order of rows (``first``, ``array`` ...)."""
    return any(AGGREGATES[a.function.text].duty.ordered for a in aggregates if a.function.text in AGGREGATES)


def lower_groups(
    stage: Stage,
    rel: Rel,
    keys: Sequence[Name],
    aggregates: Sequence[Aggregate],
    bucket_seconds: Sql | None = None,
    special: Mapping[str, Callable[[ExprContext], Typed]] | None = None,
    totals: bool = False,
) -> Groups:
    """Lower group keys and aggregates over ``rel``. ``special`` computes keys that are no fields (time buckets).

    ``totals``: some groups add up others, and what they leave out is counted already.
    """
    specs = [aggregate_spec(a) for a in aggregates]
    for aggregate in aggregates:
        clauses.tell_output(stage.note, stage.spec.name, aggregate)
    limit: int = stage.option("listlimit")
    if rel.order.defined and any(s.duty.ordered for s in specs):
        rel = stage.with_keys(rel)

    def make(cx: ExprContext) -> tuple[list[Typed], list[Typed]]:
        found = [special[k.text](cx) if special and k.text in special else cx.field(k.text) for k in keys]
        order = _row_order(cx.rel) if cx.rel is not None else ()
        told = _detail(found) if totals else None
        results = []
        for spec, aggregate in zip(specs, aggregates, strict=True):
            args = tuple(cx.argument(a) for a in aggregate.args)
            row_order = order if spec.duty.ordered else ()
            call = AggregateCall(cx, spec, args, aggregate.args, aggregate.span, row_order, bucket_seconds, limit, told)
            numbers.aggregated(cx, call)
            results.append(spec.lower(call))
        return found, results

    rel, (key_values, results) = stage.lowered(rel, make)
    idents = Idents()
    made = tuple(make_key(k.text, v, idents) for k, v in zip(keys, key_values, strict=True))
    outputs = tuple(make_result(a.output.text, r, idents) for a, r in zip(aggregates, results, strict=True))
    return Groups(rel, made, outputs, idents)


def _detail(keys: Sequence[Typed]) -> Sql | None:
    """Whether a group is no total."""
    tests = [sql.eq(sql.func("grouping", node[0]), sql.integer(0)) for key in keys if (node := identity(key))]
    return sql.and_(*tests) if tests else None


#: Columns that number rows: never null, unlike a group key that orders the rows of a stats.
_NUMBERS = ("__ord", "__rowid", "__n", "__place")


def _row_order(rel: Rel) -> tuple[Sql, ...]:
    """ORDER BY items of the rows. Aggregates take a lone item for a row number and skip nulls in it (``arg_max``)."""
    items = tuple(order_items(rel))
    if len(items) == 1 and not (rel.order.keys or ())[0].ident.startswith(_NUMBERS):
        return (*items, items[0].copy())
    return items


def make_key(name: str, value: Typed, idents: Idents) -> Key:
    """The key of a value: what to select and what to group by."""
    if value.kind is Kind.NULL:
        ident = idents.take(name)
        return Key(Column(name, ident, NULL), ((ident, sql.null(NULL.physical)),), ())
    if value.parts and _one_number_part(value):
        parts = tuple(make_key(f"{name}.{p.type.label}", p, idents) for p in value.parts)
        column = Column(name, idents.take(name), value.type, tuple(p.column for p in parts))
        return Key(column, tuple(i for p in parts for i in p.items), tuple(g for p in parts for g in p.group))
    if value.parts:
        held = tuple(_emitted(f"{name}.{p.type.label}", p, idents) for p in value.parts)
        column = Column(name, idents.take(name), value.type, tuple(c for c, _ in held))
        return Key(column, tuple(item for _, item in held), tuple(identity(value)))
    ident = idents.take(name)
    if value.kind is Kind.ANY and value.type.json:
        node = json_identity(value)
        return Key(Column(name, ident, ANY_JSON), ((ident, sql.cast(node, "JSON")),), (node,))
    if not plainly_same(value.type):
        return Key(Column(name, ident, value.type), ((ident, picked(value.expr)),), tuple(identity(value)))
    return Key(Column(name, ident, value.type), ((ident, value.expr),), (value.expr,))


def _emitted(name: str, part: Typed, idents: Idents) -> tuple[Column, tuple[str, Sql]]:
    """A part of a key that is grouped by its comparator key: any of its values is the value."""
    ident = idents.take(name)
    return Column(ident, ident, part.type), (ident, sql.func("any_value", part.expr))


def picked(node: Sql) -> Sql:
    """One of the equal values of a group.

    Inside a list, because DuckDB 2.0 fails on an aggregate of a bare VARIANT beside ``count(DISTINCT ...)``: "Can't
    convert VARIANT(VARCHAR) value 'TOTAL' to 'INTEGER'" for groups 404 and 'TOTAL'.
    """
    return sql.index(sql.func("any_value", sql.array([node])), sql.integer(1))


def make_result(name: str, value: Typed, idents: Idents) -> Result:
    if value.parts:
        value = values.to_variant(value)
    return Result(Column(name, idents.take(name), value.type), value.expr)


# --- the grouping SELECT ----------------------------------------------------------------------------------------------


def group(stage: Stage, label: str, groups: Groups, where: Sql | None = None, none: Sql | None = None) -> Rel:
    """``SELECT keys, aggregates FROM rel GROUP BY keys`` as a CTE: keys, then results, in no order.

    ``none``: no row gets into any group, and this condition over an aggregate of all rows, which is false, tells why.
    """
    columns = [*(k.column for k in groups.keys), *(r.column for r in groups.results)]
    if none is not None:
        nulls = [(leaf.ident, _unread(leaf.type.physical)) for column in columns for leaf in _leaves(column)]
        return stage.grouped(label, groups.rel, nulls, columns, None, having=exp.Having(this=none))
    items = [item for key in groups.keys for item in key.items]
    items += [(r.column.ident, r.node) for r in groups.results]
    return stage.grouped(label, groups.rel, items, columns, where, **group_clauses(groups))


def _leaves(column: Column) -> list[Column]:
    return [leaf for part in column.parts for leaf in _leaves(part)] if column.parts else [column]


def _unread(physical: str) -> Sql:
    """A null for which no column is read, and of which the optimizer does not know that it is one: behind
    ``search count > 1`` it would leave out the rows and what counts them."""
    never = sql.binary("<", sql.func("count", exp.Star()), sql.integer(0))
    return sql.when(never, losses.some(physical))


def group_clauses(groups: Groups) -> dict[str, Any]:
    """GROUP BY, or the test that keeps ``by`` over no rows at no rows when every key is always null."""
    clauses: dict[str, Any] = {}
    if by := groups.group_by:
        clauses["group"] = exp.Group(expressions=by)
    elif groups.keys:
        some = sql.binary(">", sql.func("count", exp.Star()), sql.integer(0))
        clauses["having"] = exp.Having(this=some)
    return clauses


def sorted_groups(stage: Stage, label: str, groups: Groups, where: Sql | None = None, none: Sql | None = None) -> Rel:
    """The relation of a grouping SELECT (:func:`group`), ascending by its keys when anybody looks."""
    return ascending(stage, group(stage, label, groups, where, none), [k.column for k in groups.keys])


def ascending(stage: Stage, rel: Rel, keys: Sequence[Column]) -> Rel:
    """Order the rows by key columns."""
    if not stage.order_needed:
        return stage.reordered(rel, ())
    found: list[OrderKey] = []
    for column in keys:
        rel, more = bind_keys(rel, rel.value(column))
        found += more
    return stage.one_row(rel) if not keys else stage.reordered(rel, [*found, *tie_breakers(found)])
