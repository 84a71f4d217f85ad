"""Aggregates that return values of the column: min, max, first, last, values, array (language.md section 7).

``first``, ``last`` and ``array`` depend on the order of rows; the planner gives the keys that restore it. With one key
they are ``arg_min`` and ``arg_max``, which need no sort; with several an ordered aggregate; with none the engine's
arrival order.
"""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from logsql.diagnostics.losses import Fate, loss
from logsql.functions.aggregates import filtered, left_out, nothing, shown
from logsql.functions.lowering import at_places
from logsql.planner.calls import LIST_LIMIT, AggregateCall
from logsql.planner.duties import ANY_ORDER_DUCKDB, IN_ORDER
from logsql.planner.function_spec import AggregateSpec, register_aggregate
from logsql.values import sql, values
from logsql.values.keys import plainly_same
from logsql.values.sorting import comparator_keys, once, own_key
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, list_of
from logsql.values.values import Typed

TEXT_AMONG_NUMBERS = loss(
    "text-among-numbers",
    (
        'values of other types among numbers (text like "12" too): text is larger than every number',
        '숫자 필드에 섞인 다른 타입의 값("12" 같은 텍스트 포함): 텍스트는 모든 숫자보다 큽니다',
    ),
    fate=Fate.DOUBTFUL,
)
_PLAIN = frozenset({Kind.BOOL, Kind.SHORT, Kind.INT, Kind.LONG, Kind.FLOAT, Kind.DOUBLE, Kind.DATE, Kind.BINARY})


def _concrete(value: Typed) -> Typed:
    """The value with one SQL expression: the parts of a mixed value are put together."""
    return values.to_variant(value) if value.parts else value


# --- min, max ---------------------------------------------------------------------------------------------------------


def _extreme(call: AggregateCall) -> Typed:
    """Smallest or largest by the value comparator, which the SQL order of text does not follow."""
    value = _concrete(call.args[0])
    smallest = call.spec.name == "min"
    if value.kind is Kind.NULL:
        return nothing(STRING)
    if value.kind in _PLAIN:
        return Typed(sql.func("min" if smallest else "max", value.expr), value.type)
    picked = sql.func("arg_min" if smallest else "arg_max", value.expr, _rank(value))
    return Typed(picked if value.kind is Kind.STRING else filtered(picked, values.not_null(value)), value.type)


def _largest(call: AggregateCall) -> Typed:
    """min and max. Text ranks above every number: among numbers it is told."""
    result, value = _extreme(call), call.args[0]
    number = values.number_sql(value) if value.kind is Kind.ANY else None
    if number is None or call.cx.run_id is None:
        return result
    others = left_out(value)
    assert others is not None
    some = sql.binary(">", sql.func("count", number), sql.integer(0))
    return call.lost(TEXT_AMONG_NUMBERS, result, sql.when(some, others))


def _rank(value: Typed) -> Sql:
    """Comparator key with the value itself as tie-break, so that "a" and "A" give the same answer on every run."""
    if value.kind is Kind.STRING:
        return sql.concat(values.lower(value.expr), sql.func("chr", sql.integer(0)), value.expr)
    if value.kind is Kind.ANY:
        return sql.struct([*comparator_keys(value, lists=True), ("x", values.plain_text(value))])
    if value.kind is Kind.MAP:
        return sql.cast(value.expr, "VARCHAR")
    return own_key(value)


# --- first, last, array -----------------------------------------------------------------------------------------------


def _single_key(order: tuple[Sql, ...]) -> tuple[Sql, bool] | None:
    """The one plain column that orders the rows, and whether it descends."""
    if len(order) != 1 or not isinstance(order[0], exp.Ordered) or not isinstance(order[0].this, exp.Column):
        return None
    return order[0].this.copy(), bool(order[0].args.get("desc"))


def _by_order(function: str, node: Sql, order: tuple[Sql, ...]) -> Sql:
    """``function(node ORDER BY ..)``."""
    body = exp.Order(this=node, expressions=[o.copy() for o in order]) if order else node
    return exp.Anonymous(this=function, expressions=[body])


def _edge(call: AggregateCall) -> Typed:
    value = _concrete(call.args[0])
    if value.kind is Kind.NULL:
        return nothing(STRING)
    key = _single_key(call.order)
    first = call.spec.name == "first"
    if key is None:
        return Typed(filtered(_by_order(call.spec.name, value.expr, call.order), values.not_null(value)), value.type)
    column, descending = key
    picked = sql.func("arg_min" if first != descending else "arg_max", value.expr, column)
    # arg_min skips SQL nulls by itself; a JSON null needs the filter.
    return Typed(filtered(picked, values.not_null(value)) if value.type.json else picked, value.type)


def _array(call: AggregateCall) -> Typed:
    value = _concrete(call.args[0])
    if value.kind is Kind.NULL:
        return _no_items(STRING)
    key = _single_key(call.order) if call.list_limit else None
    if key is None:
        items = filtered(_by_order("list", value.expr, call.order), values.not_null(value))
        return Typed(_or_empty(_limited(call, items, _length(items)), value.type), list_of(value.type))
    column, descending = key
    picked = sql.func("arg_max" if descending else "arg_min", value.expr, column, sql.integer(call.list_limit))
    kept = filtered(picked, values.not_null(value))
    if call.counted_by is not None:  # arg_min leaves the further items out by itself: count them beside it
        all_ = filtered(exp.Count(this=exp.Star()), values.not_null(value))
        kept = sql.func("list_slice", kept, sql.integer(1), _last(call, all_))
    return Typed(_or_empty(kept, value.type), list_of(value.type))


def _limited(call: AggregateCall, items: Sql, count: Sql) -> Sql:
    """The first items of a list that would hold ``count``; all of them without a limit."""
    return sql.func("list_slice", items, sql.integer(1), _last(call, count)) if call.list_limit else items


def _last(call: AggregateCall, count: Sql) -> Sql:
    """Position of the last item that stays. Where a run keeps a ledger, items behind it are counted there."""
    limit = sql.integer(call.list_limit)
    if call.counted_by is None:
        return limit
    cut = call.cx.udf("lq_list_cut", sql.binary("-", count, limit), *call.counted_by)
    return sql.case([(sql.binary(">", count.copy(), limit.copy()), sql.binary("+", limit.copy(), cut))], limit.copy())


def _length(items: Sql) -> Sql:
    return sql.func("len", items.copy())


def _or_empty(items: Sql, element: Any) -> Sql:
    return sql.coalesce(items, sql.cast(sql.array([]), list_of(element).physical))


def _no_items(element: Any) -> Typed:
    empty = sql.func("max", sql.null(element.physical))
    return Typed(_or_empty(sql.when(sql.not_null(empty), sql.array([empty.copy()])), element), list_of(element))


# --- values -----------------------------------------------------------------------------------------------------------


def _values(call: AggregateCall) -> Typed:
    """Distinct values, ascending by the comparator; they are sorted after they are made distinct."""
    value = _concrete(call.args[0])
    if value.kind is Kind.NULL:
        return _no_items(STRING)
    distinct = exp.Anonymous(this="list", expressions=[exp.Distinct(expressions=[value.expr])])
    items = filtered(distinct, values.not_null(value))
    if value.kind in _PLAIN:
        plain = _limited(call, sql.func("list_sort", items), _length(items))
        return Typed(_or_empty(plain, value.type), list_of(value.type))
    if not plainly_same(value.type):
        return _values_once(call, items, value)
    keyed = sql.struct([("k", _rank(Typed(sql.var("v"), value.type))), ("v", sql.var("v"))])
    ranked = sql.func("list_sort", sql.func("list_transform", items, sql.lambda_(["v"], keyed)))
    first = _limited(call, ranked, _length(items))
    plain = sql.func(
        "list_transform", first, sql.lambda_(["s"], sql.func("struct_extract", sql.var("s"), sql.string("v")))
    )
    return Typed(_or_empty(plain, value.type), list_of(value.type))


def _values_once(call: AggregateCall, items: Sql, value: Typed) -> Typed:
    """As above where SQL keeps 1 and 1.0 apart. Such values cannot stand in a sort key, so their positions are sorted,
    and of neighbours that are the same the first stays.
    """
    ranked = once(items, value.type, _comparator)
    first = sql.named("r", ranked, lambda r: _limited(call, r, _length(r))) if call.list_limit else ranked
    return Typed(_or_empty(at_places(call.cx, items, first), value.type), list_of(value.type))


def _comparator(value: Typed) -> Sql:
    """The comparator's key; it takes all maps for equal."""
    if value.kind is Kind.MAP:
        return sql.integer(0)
    return sql.struct(comparator_keys(value, lists=True)) if value.kind is Kind.ANY else own_key(value)


register_aggregate(
    AggregateSpec(
        "min", "min(value)",
        ("Smallest value; text ignores case.", "최솟값을 구합니다. 텍스트는 대소문자를 구분하지 않습니다."),
        _largest, 1, 1, "as the argument", ANY_ORDER_DUCKDB,
        extreme=True, examples=shown("min(x)", "Apple", x=["banana", "Apple", None]),
    ),
    AggregateSpec(
        "max", "max(value)",
        ("Largest value; text ignores case.", "최댓값을 구합니다. 텍스트는 대소문자를 구분하지 않습니다."),
        _largest, 1, 1, "as the argument", ANY_ORDER_DUCKDB,
        extreme=True, examples=shown("max(x)", "C", x=["b", "C", "a"]),
    ),
    AggregateSpec(
        "first", "first(value)",
        ("First value that is not null, in row order.", "행 순서에서 null이 아닌 첫 값을 구합니다."),
        _edge, 1, 1, "as the argument",
        IN_ORDER,
        examples=shown("first(x)", "b", x=[None, "b", "a"]),
    ),
    AggregateSpec(
        "last", "last(value)",
        ("Last value that is not null, in row order.", "행 순서에서 null이 아닌 마지막 값을 구합니다."),
        _edge, 1, 1, "as the argument", IN_ORDER,
        examples=shown("last(x)", "a", x=["b", "a", None]),
    ),
    AggregateSpec(
        "array", "array(value)", (
            f"Values that are not null, in row order, at most {LIST_LIMIT}.",
            f"null이 아닌 값을 행 순서대로 {LIST_LIMIT}개까지 목록으로 모읍니다.",
        ),
        _array, 1, 1, "list",
        IN_ORDER,
        examples=shown("array(x)", [2, 1, 2], x=[2, 1, None, 2]),
    ),
    AggregateSpec(
        "values", "values(value)", (
            f"Distinct values that are not null, ascending, at most {LIST_LIMIT}.",
            f"null이 아닌 서로 다른 값을 오름차순으로 {LIST_LIMIT}개까지 목록으로 모읍니다.",
        ),
        _values, 1, 1, "list", ANY_ORDER_DUCKDB, examples=shown("values(x)", [1, 2], x=[2, 1, None, 2]),
    ),
)  # fmt: skip
