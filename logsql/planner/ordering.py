"""From field values to order keys: what ``sort``, grouping and joins hand to :class:`~logsql.planner.relation.Order`.

An order key is a SQL column with a type; :func:`logsql.planner.plan.order_items` turns it into the comparator's
ORDER BY items where the order is realised. Values that are no plain column of the relation become hidden columns first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from logsql.planner.relation import OrderKey, Rel
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sorting import sort_columns
from logsql.values.sql import Sql
from logsql.values.types import INT, LONG, NUMBERS, RANK, Kind, LType
from logsql.values.values import Typed

#: Type of an order key that sorts as SQL sorts it: tells "A" from "a", which the comparator does not.
RAW = LType(Kind.BINARY, "VARCHAR")


def bind_keys(rel: Rel, value: Typed, descending: bool = False, label: str = "__sort") -> tuple[Rel, list[OrderKey]]:
    """Order keys of a value lowered over ``rel``; the relation returned carries them."""
    if value.kind in (Kind.NULL, Kind.MAP):
        return rel, []
    keys: list[OrderKey]
    if _separable(value):
        keys = []
        # At most one part is set: sorted by the higher type group first, nulls first, lower groups fall in place.
        for part in sorted(value.parts, key=lambda p: -RANK[p.kind]):
            if part.kind is Kind.MAP:  # all equal, yet above numbers, text and lists
                part = Typed(sql.when(sql.not_null(part.expr), sql.integer(1)), INT)
            rel, found = bind_keys(rel, part, descending, label)
            keys += found
        return rel, keys
    if value.parts:
        keys = []
        for node in sort_columns(value):
            ident = rel.fresh_ident(label)
            rel = replace(rel, pending={**rel.pending, ident: node})
            keys.append(OrderKey(ident, RAW, descending))
        return rel, keys
    node = value.expr
    if isinstance(node, exp.Column) and not node.table and node.name in rel.all_idents():
        return rel, [OrderKey(node.name, value.type, descending)]
    ident = rel.fresh_ident(label)
    return replace(rel, pending={**rel.pending, ident: node}), [OrderKey(ident, value.type, descending)]


def _separable(value: Typed) -> bool:
    kinds = [p.kind for p in value.parts]
    return bool(kinds) and Kind.ANY not in kinds and len([k for k in kinds if k in NUMBERS]) <= 1


def field_keys(stage: Stage, rel: Rel, names: Sequence[tuple[str, bool]]) -> tuple[Rel, list[OrderKey]]:
    """Order keys of fields by name and direction; unknown fields are null everywhere and order nothing."""
    rel, found = stage.lowered(rel, lambda cx: [cx.field(name) for name, _ in names])
    keys: dict[str, OrderKey] = {}
    for value, (_, descending) in zip(found, names, strict=True):
        rel, more = bind_keys(rel, value, descending)
        for key in more:
            keys.setdefault(key.ident, key)
    return rel, list(keys.values())


def tie_breakers(keys: Iterable[OrderKey]) -> list[OrderKey]:
    """Further keys that tell text apart which differs in case only, so that results repeat."""
    return [OrderKey(k.ident, RAW, k.descending) for k in keys if k.type.kind is Kind.STRING]


def numbered(stage: Stage, rel: Rel, label: str = "number") -> tuple[Rel, str | None]:
    """The relation with one BIGINT column that numbers its rows in order, and that column; None without an order."""
    order = rel.order
    if not order.defined:
        return rel, None
    if order.keys is None:
        rel = stage.with_keys(rel)
        return rel, (rel.order.keys or ())[0].ident
    if len(order.keys) == 1 and order.keys[0].type == LONG and not order.keys[0].descending:
        return rel, order.keys[0].ident
    rel = stage.flush(rel)
    ident = rel.fresh_ident("__ord")
    items: list[tuple[str, Sql]] = [(i, rel.expr(i)) for i in rel.all_idents()]
    items.append((ident, sql.row_number(stage.window_order(rel))))
    return stage.reordered(stage.select(label, rel, items), [OrderKey(ident, LONG)]), ident


__all__ = ["RAW", "bind_keys", "field_keys", "numbered", "tie_breakers"]
