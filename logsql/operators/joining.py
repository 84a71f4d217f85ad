"""Joins of the input with a subquery: ``join`` and ``streamjoin`` (language.md 8.4 and 5, decisions.md 25).

Keys compare exactly (text case-sensitively, numbers by value) and null never matches. Of two fields with one name the
subquery's value wins where it is not null (``right``: the input's); key fields appear once. Rows come in input order,
the matches of one row in subquery order; ``right`` and ``full`` then add the unmatched subquery rows in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from logsql.language.tree import Name, Subquery
from logsql.operators.merging import Idents, beyond_json, column_value, rest_document, rest_map, side_value
from logsql.planner.notes import joins
from logsql.planner.relation import Column, OrderKey, Rel, Rest
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.keys import json_identity, same
from logsql.values.mixing import coalesce
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, BOOL, Kind
from logsql.values.values import Typed

TYPES = ("inner", "left", "leftonly", "right", "rightonly", "full", "cross")
_SIDES = {"inner": "", "left": "LEFT", "right": "RIGHT", "full": "FULL", "cross": "CROSS"}

#: Table aliases of the input and the subquery.
INPUT, SUB = "i", "s"
#: Marks the rows that come from the input, so that unmatched subquery rows can stand last.
MARK = "__input"


@dataclass(frozen=True)
class Side:
    """One side of a join: a flushed relation and the alias under which it is read."""

    rel: Rel
    table: str

    def value(self, name: str) -> Typed:
        return side_value(self.rel, name, self.table)


def join(stage: Stage, kind: str, keys: Sequence[Name], subquery: Subquery, loaded: bool = False) -> Rel:
    """Plan a join of ``stage.rel`` with the subquery; ``loaded``: its rows are put into a work table first."""
    ordered = stage.order_needed
    sub = stage.subquery(subquery, order_needed=ordered)
    rel = stage.rel
    if ordered and kind != "rightonly":
        rel = _keyed(stage, rel)
    if ordered and kind != "leftonly":
        sub = _keyed(stage, sub)
    rel, sub = stage.flush(rel), stage.flush(sub)
    if loaded:
        sub = stage.stored(sub)
    joins.keys(stage, rel, sub, keys)
    names = list(dict.fromkeys(k.text for k in keys))
    if kind == "leftonly":
        return _anti(stage, Side(rel, INPUT), Side(sub, SUB), names)
    if kind == "rightonly":
        return _anti(stage, Side(sub, SUB), Side(rel, INPUT), names)
    marked = ordered and kind in ("right", "full") and rel.order.defined
    if marked:
        rel = _mark(stage, rel)
    return _join(stage, kind, Side(rel, INPUT), Side(sub, SUB), names, marked)


def _keyed(stage: Stage, rel: Rel) -> Rel:
    return stage.with_keys(rel) if rel.order.defined else rel


def _mark(stage: Stage, rel: Rel) -> Rel:
    items: list[tuple[str, Sql]] = [(i, rel.expr(i)) for i in rel.all_idents()]
    mark = rel.fresh_ident(MARK)
    rel = stage.select("input", rel, [*items, (mark, sql.boolean(True))])
    return replace(rel, carried=(*rel.carried, Column(MARK, mark, BOOL)))


# --- keys -------------------------------------------------------------------------------------------------------------


def condition(left: Side, right: Side, names: Sequence[str]) -> Sql:
    """Whether two rows meet."""
    return sql.and_(*(key_test(left.value(n), right.value(n)) for n in names))


def key_test(left: Typed, right: Typed) -> Sql:
    """Exact equality of two key values; never true for null."""
    if Kind.NULL in (left.kind, right.kind):
        return sql.boolean(False)
    if Kind.ANY not in (left.kind, right.kind):
        return same(left, right)
    if Kind.STRING in (left.kind, right.kind):
        mine, theirs = values.string_sql(left), values.string_sql(right)
        return sql.boolean(False) if mine is None or theirs is None else sql.eq(mine, theirs)
    if left.type.json and right.type.json and left.kind is right.kind is Kind.ANY:
        return sql.eq(json_identity(left), json_identity(right))
    return same(left, right)


# --- anti joins -------------------------------------------------------------------------------------------------------


def _anti(stage: Stage, keep: Side, other: Side, names: Sequence[str]) -> Rel:
    """The rows of one side that meet no row of the other."""
    rel = keep.rel
    items = [sql.alias(sql.col(i, keep.table), i) for i in rel.all_idents()] or [sql.alias(sql.boolean(True), "__row")]
    node = sql.select(items, sql.table(rel.source, keep.table))
    on = condition(keep, other, names)
    join = exp.Join(this=sql.table(other.rel.source, other.table), kind="ANTI", on=on)
    node.set("joins", [join])
    rel = stage.joined(stage.spec.name, rel, node, other.rel.source)
    return rel if stage.order_needed else stage.reordered(rel, ())


# --- the join ---------------------------------------------------------------------------------------------------------


def _join(stage: Stage, kind: str, left: Side, right: Side, keys: Sequence[str], marked: bool) -> Rel:
    idents = Idents()
    items: list[Sql] = []
    columns: list[Column] = []
    for name, value in _fields(kind, left, right, keys):
        columns.append(_emit(name, value, idents, items))
    kept = [c for c in left.rel.carried if c.name != MARK]
    carried = [_emit(c.name, column_value(c, left.table), idents, items) for c in kept]
    taken = {c.ident: new.ident for c, new in zip(kept, carried, strict=True) if not c.parts}
    rest = _rest(kind, left, right, [c.name for c in columns], idents, items)
    keys_of_rows = _order(stage, left, right, marked, taken, idents, items)
    node = sql.select(items or [sql.alias(sql.boolean(True), "__row")], sql.table(left.rel.source, left.table))
    on = None if kind == "cross" else condition(left, right, keys)
    table = sql.table(right.rel.source, right.table)
    join = exp.Join(this=table, side=_SIDES[kind], on=on) if on is not None else exp.Join(this=table, kind="CROSS")
    node.set("joins", [join])
    reads = (left.rel.source, right.rel.source)
    return stage.derived(stage.spec.name, node, reads, columns, carried, rest, keys_of_rows)


def _fields(kind: str, left: Side, right: Side, keys: Sequence[str]) -> list[tuple[str, Typed]]:
    """Output fields: those of the input, then new ones of the subquery."""
    found: list[tuple[str, Typed]] = []
    for name in dict.fromkeys((*left.rel.names, *right.rel.names)):
        mine, theirs = left.value(name), right.value(name)
        if name in keys:
            value = mine if kind in ("inner", "left") else coalesce(mine, theirs)
            if kind == "inner" and left.rel.column(name) is None:
                value = theirs
        elif kind == "right":
            value = coalesce(mine, theirs)
        else:
            value = coalesce(theirs, mine)
        found.append((name, value))
    return found


def _emit(name: str, value: Typed, idents: Idents, items: list[Sql]) -> Column:
    """Add a value to the SELECT; the column that holds it."""
    if value.parts:
        parts = tuple(_emit(f"{name}.{p.type.label}", p, idents, items) for p in value.parts)
        return Column(name, idents.take(name), value.type, parts)
    ident = idents.take(name)
    items.append(sql.alias(value.expr, ident))
    return Column(name, ident, value.type)


def _rest(kind: str, left: Side, right: Side, names: Sequence[str], idents: Idents, items: list[Sql]) -> Rest | None:
    """The open parts of both sides as one: the winner's fields over the other's."""
    mine, theirs = left.rel.rest, right.rel.rest
    if mine is None and theirs is None:
        return None
    ident = idents.take("__rest")
    if mine is None or theirs is None:
        one, table = (mine, left.table) if mine is not None else (theirs, right.table)
        assert one is not None
        items.append(sql.alias(sql.col(one.ident, table), ident))
        ahead = one.before((left if one is mine else right).rel.names)
        ahead = ahead if one is mine else ahead | frozenset(left.rel.names)
        hidden = one.hidden | frozenset(names)
        return Rest(ident, one.value_type, one.is_map, hidden, one.key_order, ahead=ahead, places=one.places)
    winner, loser = (left, right) if kind == "right" else (right, left)
    over, under = winner.rel.rest, loser.rel.rest
    assert over is not None
    assert under is not None
    assert mine is not None
    ahead, hidden = mine.before(left.rel.names), frozenset(names)
    if beyond_json(over) or beyond_json(under):
        maps = (rest_map(under, under.hidden, loser.table), _without_nulls(rest_map(over, over.hidden, winner.table)))
        items.append(sql.alias(sql.func("map_concat", *maps), ident))
        return Rest(ident, ANY, True, hidden, ahead=ahead)
    empty = sql.string("{}")
    node = sql.func(
        "json_merge_patch",
        sql.coalesce(rest_document(under, loser.table, under.hidden), empty),
        sql.coalesce(rest_document(over, winner.table, over.hidden, drop_nulls=True), empty),
    )
    items.append(sql.alias(node, ident))
    return Rest(ident, ANY_JSON, False, hidden, ahead=ahead)


def _without_nulls(node: Sql) -> Sql:
    """A map without the entries whose value is null: they give way to the other side's (language.md 8.4)."""
    kept = sql.lambda_(["e"], sql.not_null(sql.dot(sql.var("e"), "value")))
    return sql.func("map_from_entries", sql.func("list_filter", sql.func("map_entries", node), kept))


def _order(
    stage: Stage, left: Side, right: Side, marked: bool, carried: dict[str, str], idents: Idents, items: list[Sql]
) -> list[OrderKey]:
    """Input order, then subquery order; rows without input last. ``carried`` columns of the input are there already."""
    if not stage.order_needed or not left.rel.order.keys:
        return []
    keys: list[OrderKey] = []
    if marked:
        mark = next(c for c in left.rel.carried if c.name == MARK)
        ident = idents.take(MARK)
        items.append(sql.alias(sql.is_null(sql.col(mark.ident, left.table)), ident))
        keys.append(OrderKey(ident, BOOL))
    for side in (left, right):
        taken = dict(carried) if side is left else {}
        for key in side.rel.order.keys or ():
            if key.ident not in taken:
                taken[key.ident] = idents.take("__ord")
                items.append(sql.alias(sql.col(key.ident, side.table), taken[key.ident]))
            keys.append(OrderKey(taken[key.ident], key.type, key.descending))
    return keys


__all__ = ["TYPES", "join", "key_test"]
