"""The rows of one relation after those of another, by field name (``union``, language.md 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from logsql.operators.merging import Idents, beyond_json, rest_document, rest_map, side_value
from logsql.planner.ordering import numbered
from logsql.planner.relation import Column, OrderKey, Rel, Rest
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.mixing import in_shape, shapes
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, INT, LONG, NULL, Kind
from logsql.values.values import Typed


def union(stage: Stage, first: Rel, second: Rel) -> Rel:
    """``UNION ALL`` by name: a field absent on one side is null there, types are unified."""
    numbers: list[str | None] = [None, None]
    arrives = first.order.physical and second.order.physical
    if stage.order_needed and not arrives and first.order.defined and second.order.defined:
        first, numbers[0] = numbered(stage, first)
        second, numbers[1] = numbered(stage, second)
    sides = (stage.flush(first), stage.flush(second))
    names = list(dict.fromkeys((*sides[0].names, *sides[1].names)))
    idents = Idents()
    columns = tuple(_column(sides, n, idents) for n in names)
    rest = _rest(sides, names, idents.take("__rest"))
    keys: list[OrderKey] = []
    if numbers[0] and numbers[1]:
        keys = [OrderKey(idents.take("__side"), INT), OrderKey(idents.take("__ord"), LONG)]
    selects = [_select(side, columns, rest, keys, index, numbers[index]) for index, side in enumerate(sides)]
    node = exp.Union(this=selects[0], expression=selects[1], distinct=False)
    return stage.appended(stage.spec.name, node, sides, columns, rest, keys)


def _column(sides: Sequence[Rel], name: str, idents: Idents) -> Column:
    """A field of the result: one column, or a typed part per type that cannot share one."""
    found = shapes([side_value(s, name, "x") for s in sides])
    if len(found) < 2:
        return Column(name, idents.take(name), found[0] if found else NULL)
    taken = [idents.take(f"{name}.{shape.label}") for shape in found]
    parts = tuple(Column(i, i, shape) for i, shape in zip(taken, found, strict=True))
    return Column(name, idents.take(name), ANY, parts)


def _select(
    side: Rel, columns: Sequence[Column], rest: Rest | None, keys: Sequence[OrderKey], index: int, number: str | None
) -> exp.Select:
    items: list[Sql] = []
    for column in columns:
        value = _unqualified(side, column.name)
        for held in column.parts or (column,):
            node = in_shape(value, held.type)
            items.append(sql.alias(sql.null(held.type.physical) if node is None else node, held.ident))
    if rest is not None:
        items.append(sql.alias(_rest_item(side, rest), rest.ident))
    if number is not None and keys:
        items.append(sql.alias(sql.integer(index), keys[0].ident))
        items.append(sql.alias(sql.col(number), keys[1].ident))
    return sql.select(items or [sql.alias(sql.boolean(True), "__row")], sql.table(side.source))


def _unqualified(side: Rel, name: str) -> Typed:
    column = side.column(name)
    if column is not None:
        return side.value(column)
    value = side_value(side, name, side.source)
    return value if value.kind is not Kind.NULL else Typed(sql.null("VARCHAR"), value.type)


def _rest(sides: Sequence[Rel], names: Sequence[str], ident: str) -> Rest | None:
    """The open part of the result; names that only one side hides are taken out of that side's rows."""
    rests = [s.rest for s in sides if s.rest is not None]
    if not rests:
        return None
    hidden = frozenset.intersection(*(r.hidden for r in rests)) | frozenset(names)
    first = next(s for s in sides if s.rest is not None)
    ahead = rests[0].before(first.names)
    if first is not sides[0]:
        ahead |= frozenset(sides[0].names)
    alike = all(r.is_map and r.hidden <= hidden for r in rests) and rests[0].value_type == rests[-1].value_type
    if len(rests) == 1 or alike:
        return replace(rests[0], ident=ident, hidden=hidden, ahead=ahead)
    if any(beyond_json(r) for r in rests):
        return Rest(ident, ANY, True, hidden, ahead=ahead)
    return Rest(ident, ANY_JSON, False, hidden, ahead=ahead)


def _rest_item(side: Rel, rest: Rest) -> Sql:
    own = side.rest
    if own is None:
        return exp.Null()
    if own.hidden <= rest.hidden and own.is_map == rest.is_map and own.value_type == rest.value_type:
        return sql.col(own.ident)
    if rest.is_map:
        return rest_map(own, own.hidden - rest.hidden)
    return rest_document(own, None, own.hidden - rest.hidden)
