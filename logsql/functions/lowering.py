"""What several function families share: constants, list and text positions, numbers by type, wrong-type nulls.

Nothing is registered here. ``Position`` is an index or count argument: a Python integer when it is constant, else SQL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from logsql.diagnostics.codes import Code, Text
from logsql.diagnostics.expressions import TEXT_CONSTANT
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.function_spec import FunctionExample
from logsql.values import sql, values
from logsql.values.mixing import choose
from logsql.values.sql import Sql
from logsql.values.types import DOUBLE, LONG, Kind, LType
from logsql.values.values import Typed


def example(expression: str, result: Any = None, row: dict[str, Any] | None = None, **more: Any) -> FunctionExample:
    """One documented example of a row."""
    return FunctionExample(expression, result, row or {}, **more)


def null(type_: LType) -> Typed:
    """The null of a wrong static type, typed as the function's result."""
    return values.constant_null(type_)


def text(call: FunctionCall, position: int) -> Sql | None:
    """The argument as text, safe to be written twice; None when it is the constant null."""
    value = call.arg(position)
    return None if value.kind is Kind.NULL else call.let(values.text_sql(value))


def constant_text(call: FunctionCall, position: int, row: Code, what: Text) -> str:
    """A text constant; anything else is refused."""
    value = call.constant(position)
    if not isinstance(value, str):
        call.fail(row.with_text(TEXT_CONSTANT), position, function=call.spec.name, what=what.fill())
    return value


def lambda_name(cx: Lowering, base: str) -> str:
    """A lambda parameter that no column of the row is called: DuckDB would take ``"k"`` inside ``lambda k:`` for it."""
    taken = {ident.lower() for ident in cx.rel.all_idents()} if cx.rel is not None else set()
    number = cx.lambda_depth
    while f"{base}{number or ''}" in taken:
        number += 1
    return f"{base}{number or ''}"


def at_places(cx: Lowering, items: Sql, places: Sql) -> Sql:
    """The items of a list at the places ``p`` that :func:`logsql.values.sorting.once` gives."""
    name = lambda_name(cx, "s")
    return sql.func("list_transform", places, sql.lambda_([name], sql.index(items.copy(), sql.dot(sql.var(name), "p"))))


def computed_pointer(name: Sql) -> Sql:
    """The JSON pointer of an object key that is computed per row."""
    escaped = sql.func("replace", name, sql.string("~"), sql.string("~0"))
    return sql.concat(sql.string("/"), sql.func("replace", escaped, sql.string("/"), sql.string("~1")))


#: No text or list is longer: a constant beyond it means the same.
MOST = 2**31 - 2

# --- positions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Position:
    """An index, length or digit count. ``absent``: the constant null or not written; ``wrong``: never an integer.

    ``expr`` fits 32 bits (a number beyond is cut to ``MOST``), so that adding to it cannot overflow; ``raw`` is the
    argument itself. ``missing`` is the truth of "the argument is null", where that is more than ``raw`` being null: a
    mixed value may also be no integer.
    """

    value: int | None = None
    expr: Sql | None = None
    raw: Sql | None = None
    absent: bool = False
    wrong: bool = False
    missing: Sql | None = None

    @property
    def sql(self) -> Sql:
        """The position as SQL."""
        if self.value is not None:
            return sql.integer(self.value)
        assert self.expr is not None
        return self.expr


def position(call: FunctionCall, at: int) -> Position:
    """An integer argument of any width (decisions.md 21); numeric text is no integer."""
    if at >= len(call):
        return Position(absent=True)
    value = call.arg(at)
    if value.kind is Kind.NULL:
        return Position(absent=True)
    if value.type.integer and call.is_constant(at):
        number = call.constant(at)
        return Position(absent=True) if number is None else Position(value=max(-MOST, min(MOST, int(number))))
    node = values.integer_sql(value)
    if node is None:
        return Position(wrong=True)
    if isinstance(node, exp.TryCast) and value.type.physical in ("INTEGER", "SMALLINT", "TINYINT"):
        node = value.expr
    raw = call.let(node)
    wide = value.kind not in (Kind.INT, Kind.SHORT)
    missing = values.is_null(value) if value.kind is Kind.ANY else None
    return Position(expr=_clamped(raw) if wide else raw, raw=raw, missing=missing)


def _clamped(node: Sql) -> Sql:
    """An integer cut to 32 bits; null stays null, which least() and greatest() would not keep."""
    most = sql.integer(MOST)
    high, low = sql.binary(">", node, most), sql.binary("<", node, sql.integer(-MOST))
    return sql.cast(sql.case([(high, most.copy()), (low, sql.integer(-MOST))], node), "INTEGER")


@dataclass(frozen=True)
class Slice:
    """``[begin, end)`` of something ``length`` long: conditions to hold, zero-based begin, end (None: to the end)."""

    tests: tuple[Sql, ...]
    begin: Sql
    end: Sql | None
    empty: bool = False


def from_end(length: Sql, at: Position) -> Sql:
    """A position as distance from the start: a negative one counts from the end."""
    if at.value is not None:
        return sql.integer(at.value) if at.value >= 0 else sql.binary("-", length, sql.integer(-at.value))
    return sql.case([(sql.binary("<", at.sql, sql.integer(0)), sql.binary("+", length, at.sql))], at.sql)


def slice_of(length: Sql, begin: Position, end: Position) -> Slice:
    """Bounds of substr and subarray: null when begin is out of range or after end; an end past the length is clipped.

    An end that is null reaches to the end of the value.
    """
    first = from_end(length, begin)
    tests: list[Sql] = []
    if begin.value is None:
        tests.append(sql.binary(">=", first, sql.integer(0)))
    elif begin.value < 0:
        tests.append(sql.binary(">=", length, sql.integer(-begin.value)))
    if begin.value is None or begin.value >= 0:
        tests.append(sql.binary(">", length, first))
    if end.absent:
        return Slice(tuple(tests), first, None)
    last = from_end(length, end)
    if end.value is None:
        last = sql.coalesce(last, length)
        if end.missing is not None:
            tests.append(sql.or_(sql.not_null(end.sql), end.missing))
    if begin.value is not None and end.value is not None and (begin.value < 0) == (end.value < 0):
        return Slice(tuple(tests), first, last, empty=end.value < begin.value)
    tests.append(sql.binary(">=", last, first))
    return Slice(tuple(tests), first, last)


def minus(left: Sql, right: Sql) -> Sql:
    """``left - right``, folded for literals."""
    a, b = whole_literal(left), whole_literal(right)
    if a is not None and b is not None:
        return sql.integer(a - b)
    return left if b == 0 else sql.binary("-", left, right)


def plus(left: Sql, amount: int) -> Sql:
    """``left + amount``, folded for literals and for ``x - n``."""
    a = whole_literal(left)
    if a is not None:
        return sql.integer(a + amount)
    if isinstance(left, exp.Sub) and (b := whole_literal(left.expression)) is not None:
        return (
            minus(left.this, sql.integer(b - amount))
            if b >= amount
            else sql.binary("+", left.this, sql.integer(amount - b))
        )
    # In 64 bits: the index 2147483647 of a 32-bit column plus one is beyond the column's type.
    return sql.binary("+", left, sql.cast(sql.integer(amount), "BIGINT")) if amount else left


def whole_literal(node: Sql) -> int | None:
    """The value of a non-negative integer literal."""
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
        return int(node.this)
    return None


# --- numbers ----------------------------------------------------------------------------------------------------------

Lower = Callable[[Sql], Typed]


def by_number(call: FunctionCall, value: Typed, integers: Lower, doubles: Lower, otherwise: LType = DOUBLE) -> Typed:
    """A function of one number: lowered by the argument's static type, by its type per value when it may hold any."""
    if value.type.integer:
        return integers(value.expr)
    if value.type.number:
        return doubles(value.expr)
    if value.kind is not Kind.ANY:
        return null(otherwise)
    whole, real = values.integer_sql(value), values.number_sql(value)
    if real is None:
        return null(otherwise)
    if whole is None:
        return doubles(call.let(real))
    whole, real = call.let(whole), call.let(real)
    a, b = integers(whole), doubles(real)
    if a.type == b.type:
        return Typed(sql.case([(sql.not_null(whole), a.expr)], b.expr), a.type)
    return choose([(sql.not_null(whole), a)], b)


def long(node: Sql) -> Typed:
    return Typed(node, LONG)


def double(node: Sql) -> Typed:
    return Typed(node, DOUBLE)
