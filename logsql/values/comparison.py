"""Comparison of two values by the language's comparator (language.md 3.3): ``< <= > >=`` and equality of fields."""

from __future__ import annotations

from logsql.values import sql
from logsql.values.sorting import comparator_keys, is_list, own_key
from logsql.values.sql import Sql
from logsql.values.types import BOOL, RANK, Kind, unify
from logsql.values.values import Typed, coerce, not_null


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
    both = sql.and_(not_null(left), not_null(right))
    return sql.and_(both, sql.eq(*_keys(left, right)))


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
