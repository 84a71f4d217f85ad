"""What functions of numbers and unary minus lose: values that are no numbers, fractions where only integers count, and
results beyond 64 bits.

``abs("x")``, ``-"7"``, ``mod(5.5, 2)`` and ``abs(long("-9223372036854775808"))`` are null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from logsql.diagnostics.losses import NOT_AN_INTEGER, OVERFLOW, TEXT_NOT_A_NUMBER, Loss
from logsql.language.tree import Call, Expr, NamedArg, canonical
from logsql.planner import losses
from logsql.planner.calls import Lowering, has_fields
from logsql.values import sql, values
from logsql.values.arithmetic import Audit
from logsql.values.sql import Sql
from logsql.values.types import LONG, Kind
from logsql.values.values import Typed


def counted(
    cx: Lowering, node: Expr, result: Typed, operands: Sequence[tuple[Expr, Typed]], integers: bool = False
) -> Typed:
    """``result`` of the call or operator ``node``; the operands (as written, lowered) that made it null are counted.

    ``integers``: the function is null for fractions.
    """
    if cx.run_id is None or cx.rel is None or cx.is_constant(node):
        return result
    if all(value.kind in (Kind.STRING, Kind.NULL) for _, value in operands) and cx.catalog.uncounted(
        canonical(node), TEXT_NOT_A_NUMBER.name
    ):  # no text is a number here: nothing else of it is read
        return result
    if result.kind is Kind.NULL and any(value.kind is not Kind.NULL for _, value in operands):
        result = Typed(sql.null(LONG.physical), LONG)
    # round(x, n) is null where n is: only a number alone, or with constants, tells that it overflowed.
    # A constant of a wrong type (round(x, "1")) makes it null of its own.
    alone = (
        len(operands) == 1
        and not _is_null(result)
        and not (
            isinstance(node, Call)
            and any(has_fields(argument) for argument in node.args[1:] if not isinstance(argument, NamedArg))
        )
    )
    for expr, value in operands:
        test = None if cx.is_constant(expr) else _no_number(value)
        if test is not None:
            result = _lost(cx, node, TEXT_NOT_A_NUMBER, result, _last(result), value, test)
        test = None if not integers or cx.is_constant(expr) else _fraction(value)
        if test is not None:
            result = _lost(cx, node, NOT_AN_INTEGER, result, _last(result), value, test)
        number = _number(value, bool(result.parts)) if alone else None
        if number is not None:
            result = _lost(cx, node, OVERFLOW, result, _whole(result), value, sql.not_null(number))
    return result


def _is_null(result: Typed) -> bool:
    """Whether a result is the constant null."""
    node = result.expr.this if isinstance(result.expr, exp.Cast) else result.expr
    return isinstance(node, exp.Null) and not result.parts


def audit(cx: Lowering, node: Expr, value: Typed) -> Audit | None:
    """Counts what is no number in an operand of ``+ - * /`` (decisions.md 3); None where all are, and untold."""
    if cx.run_id is None or value.kind not in (Kind.STRING, Kind.ANY):
        return None

    def counted(number: Sql) -> Sql:
        sample = values.text_sql(value).copy()
        filled = sql.binary("<>", sample.copy(), sql.string(""))  # an empty cell of CSV is no text
        given = filled if value.kind is Kind.STRING else sql.when(values.not_null(value), filled)
        # No column of its own: where both are integers no other number of the text is asked for. What reads the result
        # several times makes it a column, since it tells.
        cx.tells()
        return losses.or_lost(cx, TEXT_NOT_A_NUMBER, canonical(node), number, "DOUBLE", sample, given, node)

    return counted


def never(cx: Lowering, node: Expr, result: Typed, operands: Sequence[tuple[Expr, Typed]]) -> Typed:
    """The result of ``+ - * /``; where an operand never is a number (``true + 1``) its values are counted."""
    return counted(cx, node, result, operands) if result.kind is Kind.NULL else result


def _no_number(value: Typed) -> Sql | None:
    """Whether a value is there and no number; an empty cell of CSV is no value. None where there can be none."""
    if value.type.number or value.kind is Kind.NULL:
        return None
    filled = sql.binary("<>", values.text_sql(value).copy(), sql.string(""))
    if value.kind is Kind.STRING:
        return filled
    number = values.number_sql(value)
    if number is None:
        return values.not_null(value)
    return sql.when(sql.is_null(number), sql.when(values.not_null(value), filled))


def _fraction(value: Typed) -> Sql | None:
    """Whether a value is a number and no integer; None where it never is."""
    if value.type.integer or value.kind in (Kind.NULL, Kind.STRING) or (real := values.number_sql(value)) is None:
        return None
    whole = values.integer_sql(value)
    return sql.not_null(real) if whole is None else sql.when(sql.is_null(whole), sql.not_null(real))


def _number(value: Typed, exact: bool) -> Sql | None:
    """The number that a value is, or with ``exact`` the integer; None where it never is one."""
    if value.type.number:
        return value.expr.copy()
    if value.kind is not Kind.ANY:
        return None
    return values.integer_sql(value) if exact else values.number_sql(value)


def _last(result: Typed) -> int | None:
    """The part that is null for all that is no number; None: the result has no parts."""
    return len(result.parts) - 1 if result.parts else None


def _whole(result: Typed) -> int | None:
    """The part of the integers; -1 where the result is never an integer."""
    if not result.parts:
        return None if result.type.integer or result.kind is Kind.ANY else -1
    return next((number for number, part in enumerate(result.parts) if part.type.integer), -1)


def _lost(cx: Lowering, node: Expr, row: Loss, result: Typed, place: int | None, value: Typed, given: Sql) -> Typed:
    """The result with its part at ``place`` (None: itself, -1: none of them) counted where it is null."""
    if place == -1 or result.kind is Kind.NULL:
        return result
    target = result if place is None else result.parts[place]
    cx.tells()
    sample = sql.null("VARCHAR") if row is OVERFLOW else values.text_sql(value).copy()
    told = losses.or_lost(cx, row, canonical(node), target.expr, target.type.physical, sample, given, node)
    made = Typed(told, target.type)
    if place is None:
        return made
    return replace(result, parts=(*result.parts[:place], made, *result.parts[place + 1 :]))
