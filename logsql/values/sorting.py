"""ORDER BY items that sort values by the language's comparator (language.md 3.3), lists element by element."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from logsql.values import sql
from logsql.values.keys import key_columns, one_key, simple_key
from logsql.values.sql import Sql
from logsql.values.types import ANY, ANY_JSON, Kind, LType
from logsql.values.values import Typed, json_type, not_null, plain_text


def sort_keys(value: Typed, descending: bool) -> list[Sql]:
    """ORDER BY items: nulls first ascending, last descending; none for a constant or for maps, which are all equal."""
    return [sql.ordered(key, descending) for key in sort_columns(value)]


def sort_columns(value: Typed) -> list[Sql]:
    """Expressions whose order, one after the other, is the comparator's order of the values."""
    if value.kind is Kind.NULL or value.kind is Kind.MAP or sql.is_literal(value.expr):
        return []
    if value.kind is not Kind.ANY:
        return [own_key(value)]
    return [key for _, key in comparator_keys(value, is_list(value) is not None)]


def own_key(value: Typed) -> Sql:
    """One key for values of a single type: its SQL order is the comparator's order inside the type group."""
    element = value.type.element
    if value.kind is Kind.LIST and element is not None and element.kind in (Kind.ANY, Kind.MAP, Kind.LIST):
        return elements(value)
    return simple_key(value)


def once(items: Sql, element: LType, rank: Callable[[Typed], Sql] | None = None) -> Sql:
    """The places in a list of the items that are not said twice, null left out, as STRUCTs ``(k, d, x, p)`` in order.

    Of items that are the same (1 and 1.0) the first stays: in the order of ``rank``, else in that of the list.
    """
    item = Typed(sql.var("v"), element)
    ranked: list[tuple[str, Sql]] = [("k", rank(item)), ("d", one_key(item)), ("x", plain_text(item))] if rank else []
    keyed = sql.struct([*(ranked or [("d", one_key(item))]), ("p", sql.var("p"))])
    ordered = sql.func("list_sort", sql.func("list_transform", items, sql.lambda_(["v", "p"], keyed)))
    pairs = sql.named("o", ordered, _with_the_one_before)
    mine, other = (sql.func("struct_extract", sql.var("s"), sql.integer(n)) for n in (1, 2))
    new = exp.NullSafeNEQ(this=sql.dot(mine.copy(), "d"), expression=sql.dot(other, "d"))
    kept = sql.func("list_filter", pairs, sql.lambda_(["s"], sql.and_(sql.not_null(sql.dot(mine.copy(), "d")), new)))
    first = sql.func("list_transform", kept, sql.lambda_(["s"], mine))
    if rank is not None:
        return first
    # In the order of the list: by place alone.
    places = sql.lambda_(["s"], sql.struct([("p", sql.dot(sql.var("s"), "p"))]))
    return sql.func("list_sort", sql.func("list_transform", first, places))


def _with_the_one_before(items: Sql) -> Sql:
    return sql.func("list_zip", items, sql.func("list_prepend", sql.null(), items.copy()), sql.boolean(True))


def comparator_keys(value: Typed, lists: bool) -> list[tuple[str, Sql]]:
    """Named expressions whose order, one after the other, is the comparator's, for values of any type.

    ``lists`` says whether a list may be among the values compared: the keys of its elements come last then.
    """
    rank, number, whole, text = key_columns(value, fold_case=True)
    keys = [("r", rank), ("n", number), ("i", whole), ("t", text)]
    listed = is_list(value) if lists else None
    if listed is None:
        return [*keys, ("e", sql.null(_KEYS))] if lists else keys
    # The printed form of a list does not sort as the list: "[b, a]" stands before "[b]", "[10]" before "[9]".
    return [*keys[:3], ("t", sql.case([(listed, sql.string(""))], text)), ("e", elements(value))]


#: Types of the lists that :func:`elements` gives, for lists inside a list and for others.
_INNER_KEYS = "STRUCT(r INTEGER, n DOUBLE, i BIGINT, t VARCHAR)[]"
_KEYS = f"STRUCT(r INTEGER, n DOUBLE, i BIGINT, t VARCHAR, e {_INNER_KEYS})[]"


def is_list(value: Typed) -> Sql | None:
    """SQL test whether the value is a list; None when it never is."""
    if value.parts:
        found = [test for part in value.parts if (test := is_list(part)) is not None]
        return sql.or_(*found) if found else None
    if value.kind is Kind.LIST:
        return not_null(value)
    if value.type.json and value.kind is Kind.ANY:
        return sql.eq(json_type(value), sql.string("ARRAY"))
    if value.kind is Kind.ANY:
        return sql.func("starts_with", sql.func("variant_typeof", value.expr), sql.string("ARRAY"))
    return None


def elements(value: Typed, nested: bool = True) -> Sql:
    """The comparator keys of a list's elements as a list of STRUCTs, null for anything else.

    ``nested`` adds the keys of lists among the elements; lists inside those compare as they print.
    """
    if value.parts:
        found = [elements(part, nested) for part in value.parts if is_list(part) is not None]
        return sql.coalesce(*found) if len(found) > 1 else found[0]
    if value.kind is Kind.LIST:
        return _keys(value.expr, value.type.element or ANY, nested)
    listed = is_list(value)
    assert listed is not None
    if value.type.json:
        return sql.when(listed, _keys(sql.try_cast(value.expr, "JSON[]"), ANY_JSON, nested))
    return sql.when(listed, _keys(sql.try_cast(value.expr, "VARIANT[]"), ANY, nested))


def _keys(node: Sql, element: LType, nested: bool) -> Sql:
    name = "m" if nested else "u"
    item = Typed(sql.var(name), element)
    rank, number, whole, text = key_columns(item, fold_case=True)
    listed = is_list(item) if nested else None
    if listed is not None:
        text = sql.case([(listed, sql.string(""))], text)
    keys = [
        ("r", sql.case([(not_null(item), rank)], sql.integer(0))),
        ("n", number),
        ("i", sql.cast(whole, "BIGINT")),
        ("t", sql.cast(text, "VARCHAR")),
    ]
    if nested:
        keys.append(("e", sql.null(_INNER_KEYS) if listed is None else elements(item, nested=False)))
    return sql.func("list_transform", node, sql.lambda_([name], sql.struct(keys)))


__all__ = ["comparator_keys", "elements", "is_list", "own_key", "sort_columns", "sort_keys"]
