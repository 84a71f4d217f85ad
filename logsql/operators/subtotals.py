"""``rollup`` and ``cube``: stats with rows of totals (language.md 8.5).

Both are GROUPING SETS. A field that a row totals over holds the label (null by default). Detail rows come ascending by
their keys, a total after the rows it adds up, the grand total last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from sqlglot import exp

from logsql.language.tree import Aggregate, Name
from logsql.operators.grouping import Groups, Key, check_names, lower_groups
from logsql.planner.ordering import bind_keys
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.mixing import choose
from logsql.values.sql import Sql
from logsql.values.types import INT, NULL, STRING
from logsql.values.values import Typed


def subtotals(stage: Stage, aggregates: Sequence[Aggregate], by: Sequence[Name], cube: bool, label: str | None) -> Rel:
    """Plan ``rollup`` (or ``cube``) over the input of the stage."""
    check_names(by, [a.output for a in aggregates])
    groups = lower_groups(stage, stage.rel, by, aggregates, totals=True)
    keys = [_groupable(k) for k in groups.keys]
    sizes = range(len(keys), -1, -1)
    kept = [c for n in sizes for c in (combinations(range(len(keys)), n) if cube else [tuple(range(n))])]
    sets = [exp.Tuple(expressions=[g.copy() for i in chosen for g in keys[i].group]) for chosen in kept]
    flags = [(groups.idents.take(f"__total{i + 1}"), sql.func("grouping", k.group[0])) for i, k in enumerate(keys)]
    items = [item for key, (_, flag) in zip(keys, flags, strict=True) for item in _items(key, flag)]
    items += [(r.column.ident, r.node) for r in groups.results]
    clause = exp.Group(grouping_sets=[exp.GroupingSets(expressions=sets)]) if keys else None
    columns = [*(k.column for k in keys), *(r.column for r in groups.results)]
    rel = stage.grouped(stage.spec.name, groups.rel, [*items, *flags], columns, group=clause)
    rel = _ordered(stage, rel, keys, [f for f, _ in flags])
    return rel if label is None else _labelled(stage, rel, keys, [f for f, _ in flags], label)


def _groupable(key: Key) -> Key:
    """A field that is always null still takes part in the levels."""
    return key if key.group else replace(key, group=(sql.null(NULL.physical),))


def _items(key: Key, flag: Sql) -> list[tuple[str, Sql]]:
    """The key's columns; one that is picked from the group is null in a total."""
    detail = sql.eq(flag, sql.integer(0))
    plain = {g.sql() for g in key.group}
    return [(i, node if node.sql() in plain else sql.when(detail, node)) for i, node in key.items]


def _ordered(stage: Stage, rel: Rel, keys: Sequence[Key], flags: Sequence[str]) -> Rel:
    if not stage.order_needed:
        return rel
    found: list[OrderKey] = []
    for key, flag in zip(keys, flags, strict=True):
        rel, more = bind_keys(rel, rel.value(key.column))
        found += [OrderKey(flag, INT), *more]
    return stage.reordered(rel, found)


def _labelled(stage: Stage, rel: Rel, keys: Sequence[Key], flags: Sequence[str], label: str) -> Rel:
    text = Typed(sql.string(label), STRING)
    carried = tuple(Column(f, f, INT) for f in flags)
    rel = replace(rel, carried=carried)
    for key, flag in zip(keys, flags, strict=True):
        value = rel.value(key.column)
        total = sql.eq(sql.col(flag), sql.integer(1))
        rel = stage.assign(rel, key.column.name, choose([(total, text)], value))
    return replace(rel, carried=())


__all__ = ["Groups", "subtotals"]
