"""Comparison of two values by the language's comparator (language.md 3.3): ``< <= > >=`` and equality of fields."""

from __future__ import annotations

from sqlglot import exp

from logsql.values import sql
from logsql.values.sorting import comparator_keys, is_list, own_key
from logsql.values.sql import Sql
from logsql.values.types import BOOL, RANK, Kind, unify
from logsql.values.values import Typed, coerce, is_number_variant, not_null


def compare(op: str, left: Typed, right: Typed) -> Typed:
    """``< <= > >=`` by the value comparator: null if either side is null."""
    if Kind.NULL in (left.kind, right.kind):
        return Typed(sql.null("BOOLEAN"), BOOL)
    if Kind.ANY not in (left.kind, right.kind):
        lrank, rrank = RANK[left.kind], RANK[right.kind]
        if lrank != rrank:
            answer = (lrank < rrank) == (op in ("<", "<="))
            return Typed(sql.when(sql.and_(not_null(left), not_null(right)), sql.boolean(answer)), BOOL)
        if left.kind is Kind.MAP:
            equal = sql.boolean(op in ("<=", ">="))
            return Typed(sql.when(sql.and_(not_null(left), not_null(right)), equal), BOOL)
        left, right = _one_list_type(left, right)
        return Typed(sql.binary(op, own_key(left), own_key(right)), BOOL)
    if (test := _with_number(op, left, right)) is not None:
        return Typed(test, BOOL)
    test = sql.binary(op, *_keys(left, right))
    return Typed(sql.when(sql.and_(not_null(left), not_null(right)), test), BOOL)


def equals(left: Typed, right: Typed) -> Sql:
    """Comparator equality (language.md 3.3): false or null when either side is null."""
    if Kind.NULL in (left.kind, right.kind):
        return sql.boolean(False)
    if Kind.ANY not in (left.kind, right.kind):
        if RANK[left.kind] != RANK[right.kind]:
            return sql.boolean(False)
        if left.kind is Kind.MAP:
            return sql.and_(not_null(left), not_null(right))
        left, right = _one_list_type(left, right)
        return sql.eq(own_key(left), own_key(right))
    if (test := _with_number("=", left, right)) is not None:
        return sql.coalesce(test, sql.boolean(False))
    both = sql.and_(not_null(left), not_null(right))
    return sql.and_(both, sql.eq(*_keys(left, right)))


#: Whole numbers below it are DOUBLEs without rounding, so that a DOUBLE tells them from every other number.
_EXACT = 1 << 53
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def _with_number(op: str, left: Typed, right: Typed) -> Sql | None:
    """A value of any type against a constant number, null if the value is null; None where a key has to say it.

    ``search status > 400`` over a field of JSON documents cost ten times what ``search name == "x"`` did.
    """
    number, value = (left, right) if left.type.number else (right, left)
    if not number.type.number or value.parts or not _exact(number.expr):
        return None
    if value is right:
        op = _TURNED.get(op, op)
    constant = sql.cast(number.expr, "DOUBLE")
    if value.type.json:
        # The text of a document's value tells its type: a number reads as one, a text begins with a quotation mark.
        text = sql.cast(value.expr, "VARCHAR")
        is_bool = sql.in_(sql.func("left", text, sql.integer(1)), [sql.string("t"), sql.string("f")])
        return _by_number(
            op, sql.try_cast(text, "DOUBLE"), constant, sql.binary("<>", text, sql.string("null")), is_bool
        )
    # A text of digits would be cast to a number too.
    found = sql.when(is_number_variant(value.expr), sql.try_cast(value.expr, "DOUBLE"))
    is_bool = sql.func("starts_with", sql.func("variant_typeof", value.expr), sql.string("BOOL"))
    return _by_number(op, found, constant, not_null(value), is_bool)


def _by_number(op: str, found: Sql, constant: Sql, given: Sql, is_bool: Sql) -> Sql:
    """``found``, the value where it is a number, against the constant; of other values only booleans are smaller."""
    if op == "=":
        return sql.case([(sql.eq(found, constant), sql.boolean(True)), (given, sql.boolean(False))])
    other = is_bool if op in ("<", "<=") else sql.not_(is_bool)
    return sql.case([(sql.not_null(found.copy()), sql.binary(op, found, constant)), (given, other)])


def _exact(node: Sql) -> bool:
    """Whether a number is a constant that a DOUBLE holds, and nothing else is rounded to."""
    if not sql.is_literal(node):
        return False
    digits = next(iter(node.find_all(exp.Literal)), None)
    return digits is not None and not digits.is_string and float(digits.this) < _EXACT


def _one_list_type(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """Two lists with elements of one type: ``array("1")`` and ``array(1)`` have no common SQL comparison."""
    if left.kind is not Kind.LIST or left.type == right.type:
        return left, right
    target = unify(left.type, right.type)
    return Typed(coerce(left, target), target), Typed(coerce(right, target), target)


def _keys(left: Typed, right: Typed) -> tuple[Sql, Sql]:
    """Comparator keys of values of any type; where both may be lists, with the keys of their elements."""
    lists = is_list(left) is not None and is_list(right) is not None
    return sql.struct(comparator_keys(left, lists)), sql.struct(comparator_keys(right, lists))


__all__ = ["compare", "equals"]
