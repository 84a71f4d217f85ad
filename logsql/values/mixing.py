"""Values of several types as one value: a typed column per type, of which at most one is set in a row.

``if(c, 1, "a")``, the two sides of a join and a document laid over a row give values whose type differs from row to
row. As long as SQL types cannot hold both, each type keeps a *part* of its own: addresses stay addresses and dates
dates, reading one type costs a plain column, and a VARIANT (8 to 50 times dearer, without addresses) is only made where
one column must hold them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY, Kind, LType, unify
from logsql.values.values import NULL_VALUE, Typed

#: Conditions larger than this are not written once per part.
MAX_TESTS = 600


def leaves(value: Typed) -> tuple[Typed, ...]:
    """The typed parts of a value; none for the constant null."""
    if value.kind is Kind.NULL:
        return ()
    return tuple(leaf for part in value.parts for leaf in leaves(part)) if value.parts else (value,)


def shapes(values_: Iterable[Typed]) -> list[LType]:
    """The fewest types that hold the values unchanged, in order of appearance."""
    found: list[LType] = []
    for value in values_:
        for leaf in leaves(value):
            for place, shape in enumerate(found):
                joined = _together(shape, leaf.type)
                if joined is not None:
                    found[place] = joined
                    break
            else:
                found.append(leaf.type)
    return found


def _together(left: LType, right: LType) -> LType | None:
    joined = unify(left, right)
    if joined.kind is not Kind.ANY or joined.json or (left.variant and right.variant):
        return joined
    return None


def in_shape(value: Typed, shape: LType) -> Sql | None:
    """The value where it is of this shape, null elsewhere; None when it never is."""
    found = [values.coerce(leaf, shape) for leaf in leaves(value) if _together(shape, leaf.type) == shape]
    if not found:
        return None
    return found[0] if len(found) == 1 else sql.coalesce(*found)


def mixed(parts: Sequence[Typed]) -> Typed:
    """One value of several typed parts."""
    return parts[0] if len(parts) == 1 else Typed(sql.null("VARIANT"), ANY, parts=tuple(parts))


def choose(branches: Sequence[tuple[Sql, Typed]], default: Typed | None = None) -> Typed:
    """``CASE WHEN test THEN value .. ELSE default END`` over values of any types; null without a default."""
    every = [value for _, value in branches] + ([default] if default is not None else [])
    found = shapes(every)
    if not found:
        return NULL_VALUE
    # A condition that counts losses stands once as well: each copy would count.
    large = len(found) > 1 and sum(sql.size(test, MAX_TESTS) for test, _ in branches) >= MAX_TESTS
    if large or (len(found) > 1 and any(sql.counts(test) for test, _ in branches)):
        found = [ANY]
        branches = [(test, values.to_variant(value)) for test, value in branches]
        default = None if default is None else values.to_variant(default)
    return mixed([Typed(_case(branches, default, shape, n), shape) for n, shape in enumerate(found)])


def _case(branches: Sequence[tuple[Sql, Typed]], default: Typed | None, shape: LType, copy: int) -> Sql:
    made = [(test.copy() if copy else test, in_shape(value, shape)) for test, value in branches]
    other = None if default is None else in_shape(default, shape)
    while made and made[-1][1] is None and other is None:
        made.pop()
    return sql.case([(test, sql.null(shape.physical) if node is None else node) for test, node in made], other)


def coalesce(first: Typed, second: Typed) -> Typed:
    """The first value where it is not null, else the second; a JSON null is null."""
    if first.kind is Kind.NULL:
        return second
    if second.kind is Kind.NULL:
        return first
    found = shapes([first, second])
    if len(found) == 1 and not first.type.json and not first.parts:
        return Typed(sql.coalesce(values.coerce(first, found[0]), values.coerce(second, found[0])), found[0])
    return choose([(values.not_null(first), first)], second)
