"""Keys of values: what two values are compared, grouped and sorted by, letter case folded or not (language.md 3.3)."""

from __future__ import annotations

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.texts import date_text as date_text
from logsql.values.texts import double_text as double_text
from logsql.values.types import ANY, DATE, RANK, Kind, LType
from logsql.values.values import (
    NULL_VALUE,
    Typed,
    is_integer_variant,
    is_null,
    is_number_variant,
    lower,
    not_null,
    plain_text,
    to_json,
    to_variant,
    variant_rank,
)


def same(left: Typed, right: Typed) -> Sql:
    """Exact equality of join keys and list elements: case-sensitive, 1 equals 1.0, text never equals a number."""
    if Kind.NULL in (left.kind, right.kind):
        return sql.boolean(False)
    if Kind.ANY not in (left.kind, right.kind):
        if RANK[left.kind] != RANK[right.kind]:
            return sql.boolean(False)
        if left.kind is not Kind.LIST:
            return sql.eq(left.expr, right.expr)
    both = sql.and_(not_null(left), not_null(right))
    return sql.and_(both, sql.eq(exact_key(left), exact_key(right)))


#: A text inside a document, kept, or the ``.0`` of a whole number, dropped.
_WHOLE = r'("(?:[^"\\]|\\.)*")|\.0([,\]}]|$)'


def document_identity(text: Sql) -> Sql:
    """JSON text of a list or map with 1.0 written as 1: equal where the items are, type by type (decisions.md 25).

    The printed form is none: ``['a, b']`` prints as ``['a', 'b']`` does, and ``[1]`` as ``['1']``.
    """
    return sql.func("regexp_replace", text, sql.string(_WHOLE), sql.string(r"\1\2"), sql.string("g"))


def _document(value: Typed) -> Sql:
    return document_identity(sql.cast(to_json(value), "VARCHAR"))


def json_identity(value: Typed) -> Sql:
    """JSON text of a value of a document, null for a JSON null; ``1.0`` reads as ``1`` because they are one value."""
    text = sql.cast(value.expr, "VARCHAR")
    nested = sql.in_(sql.func("left", text, sql.integer(1)), [sql.string("["), sql.string("{")])
    whole = sql.func("left", text, sql.binary("-", sql.func("length", text), sql.integer(2)))
    return sql.case(
        [
            (sql.func("ends_with", text, sql.string(".0")), whole),
            (nested, document_identity(text)),
            (sql.binary("<>", text, sql.string("null")), text),
        ]
    )


def plainly_same(type_: LType) -> bool:
    """Whether SQL takes two values of a type for equal exactly where the language does: nowhere may 1 be 1.0."""
    if type_.kind is Kind.LIST:
        return not type_.physical.startswith(("VARIANT", "JSON"))
    return type_.kind not in (Kind.ANY, Kind.MAP)


def one_key(value: Typed) -> Sql:
    """One expression that is equal for two values that are the same, null for null: what groups, ``dc``, ``values`` and
    ``unique`` tell values apart by. Text exactly, numbers by value, lists and maps by their items.
    """
    if value.type.json and not value.parts:
        return json_identity(value)
    if value.parts or not plainly_same(value.type):
        return sql.when(not_null(value), exact_key(value))
    return value.expr


def simple_key(value: Typed) -> Sql:
    """A key whose SQL order is the comparator's order inside the value's own type group, for a list if its elements are
    of one simple type (:func:`logsql.values.sorting.own_key` does the others).
    """
    kind = value.kind
    if kind is Kind.STRING:
        return lower(value.expr)
    if kind is Kind.IP:
        return ip_key(value.expr)
    if kind is Kind.LIST:
        body = Typed(sql.var("e"), value.type.element or ANY)
        # Null elements come first, as null does everywhere; SQL compares them as the largest: [null] < [1].
        present = sql.case([(is_null(body), sql.integer(0))], sql.integer(1))
        key = sql.struct([("p", present), ("k", simple_key(body))])
        return sql.func("list_transform", value.expr, sql.lambda_(["e"], key))
    return value.expr


def ip_key(node: Sql) -> Sql:
    """Sort key of an address: version, then the bytes as fixed-width text (v4 decimal parts, v6 hex groups)."""
    parts = sql.func(
        "string_split",
        node,
        sql.case([(sql.func("contains", node, sql.string(":")), sql.string(":"))], sql.string(".")),
    )
    padded = sql.func(
        "list_transform", parts, sql.lambda_(["p"], sql.func("lpad", sql.var("p"), sql.integer(4), sql.string("0")))
    )
    version = sql.case([(sql.func("contains", node, sql.string(":")), sql.string("6"))], sql.string("4"))
    return sql.concat(version, sql.func("array_to_string", padded, sql.string("")))


def exact_key(value: Typed) -> Sql:
    """One comparable STRUCT ``(rank, number, integer, text)`` for values of any type, case-sensitive: identity for join
    keys, ``contains`` and ``unique``.
    """
    return sql.struct(list(zip("rnit", key_columns(value, fold_case=False), strict=True)))


def key_columns(value: Typed, fold_case: bool) -> tuple[Sql, Sql, Sql, Sql]:
    """Rank, number as DOUBLE, exact integer, text: together the comparator's key, none of them null."""
    zero, empty = sql.integer(0), sql.string("")
    kind = value.kind
    if value.parts:
        return _part_keys(value, fold_case)
    if kind is not Kind.ANY:
        rank: Sql = sql.integer(RANK[kind])
        if value.type.number:
            whole = value.expr if value.type.integer else sql.func("trunc", value.expr)
            return rank, sql.cast(value.expr, "DOUBLE"), sql.coalesce(sql.try_cast(whole, "BIGINT"), zero), empty
        if kind is Kind.BOOL:
            return rank, sql.cast(value.expr, "DOUBLE"), zero, empty
        if kind is Kind.DATE:
            return rank, sql.double(0.0), sql.coalesce(sql.func("epoch_us", value.expr), zero), empty
        if kind is Kind.IP:
            return rank, sql.double(0.0), zero, sql.coalesce(ip_key(value.expr), empty)
        if kind is Kind.MAP and fold_case:  # the comparator takes all maps for equal
            return rank, sql.double(0.0), zero, empty
        exact = kind in (Kind.LIST, Kind.MAP) and not fold_case
        body = _document(value) if exact else plain_text(value)
        return (
            rank,
            sql.double(0.0),
            zero,
            sql.coalesce(lower(body) if fold_case and kind is Kind.STRING else body, empty),
        )
    node = to_variant(value).expr
    typename = sql.func("variant_typeof", node)
    body = plain_text(Typed(node, ANY))
    number = sql.try_cast(node, "DOUBLE")
    is_number = is_number_variant(node)
    whole = sql.case(
        [(is_integer_variant(node), sql.try_cast(node, "BIGINT"))], sql.try_cast(sql.func("trunc", number), "BIGINT")
    )
    instant = sql.func("epoch_us", sql.try_cast(node, DATE.physical))
    is_date = sql.eq(typename, sql.string("TIMESTAMP_MICROS_TZ"))
    is_bool = sql.func("starts_with", typename, sql.string("BOOL"))
    textless = [is_number, is_date, is_bool]
    if fold_case:  # the comparator takes all maps for equal
        textless.append(sql.func("starts_with", typename, sql.string("OBJECT")))
    else:
        nested = [sql.func("starts_with", typename, sql.string(name)) for name in ("ARRAY", "OBJECT")]
        body = sql.case([(sql.or_(*nested), _document(Typed(node, ANY)))], body)
    return (
        variant_rank(node),
        sql.case([(is_number, number), (sql.eq(typename, sql.string("BOOL_TRUE")), sql.double(1.0))], sql.double(0.0)),
        sql.coalesce(sql.case([(is_number, whole), (is_date, instant)]), zero),
        sql.case([(sql.or_(*textless), empty)], sql.coalesce(lower(body) if fold_case else body, empty)),
    )


def _part_keys(value: Typed, fold_case: bool) -> tuple[Sql, Sql, Sql, Sql]:
    """The key of whichever part is set."""
    keys = [(not_null(part), key_columns(part, fold_case)) for part in value.parts]
    none = key_columns(NULL_VALUE, fold_case)
    rank, number, whole, body = (sql.case([(test.copy(), key[n]) for test, key in keys], none[n]) for n in range(4))
    return rank, number, whole, body
