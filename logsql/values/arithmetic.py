"""``+ - * /`` and unary minus (language.md 3.2, decisions.md 3): what counts as a number, and the result's type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import ANY, DOUBLE, HUGE, INT, LONG, SHORT, WIDE, Kind
from logsql.values.values import NULL_VALUE, Typed, integer_sql, number_sql, plain_text, string_sql

DOUBLE_TEXT = r"[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?)"
INTEGER_TEXT = r"[+-]?[0-9]+"
HEX_TEXT = r"0[xX][0-9a-fA-F]{1,15}"
#: Java's String.trim blanks that Double.parseDouble skips.
BLANKS = " \t\n\r"


@dataclass(frozen=True)
class Operand:
    """An operand's integer view and floating view; a view is None when the operand never has it."""

    whole: Sql | None
    real: Sql | None
    huge: bool = False


def text_integer(node: Sql) -> Sql:
    """Integer text as BIGINT, null for anything else (a bare TRY_CAST takes ``'12.7'``, ``' 5 '`` and ``'0x10'``)."""
    return sql.when(sql.func("regexp_full_match", node, sql.string(INTEGER_TEXT)), sql.try_cast(node, "BIGINT"))


def text_double(node: Sql) -> Sql:
    """Text as Java's Double.parseDouble reads it, null for anything else."""
    trimmed = sql.func("trim", node, sql.string(BLANKS))
    return sql.when(
        sql.func("regexp_full_match", trimmed, sql.string(DOUBLE_TEXT)),
        sql.try_cast(sql.func("rtrim", trimmed, sql.string("fFdD")), "DOUBLE"),
    )


def _text_hex(node: Sql) -> Sql:
    return sql.when(sql.func("regexp_full_match", node, sql.string(HEX_TEXT)), sql.try_cast(node, "BIGINT"))


#: ``audit(number)`` is ``number``, with the values for which it is null counted in the run's ledger, once per row.
Audit = Callable[[Sql], Sql]
#: ``overflow(result)`` is ``result`` of two numbers, counted in the ledger where it is null.
Overflow = Callable[[Sql], Sql]


def operand(value: Typed, audit: Audit | None = None) -> Operand | None:
    """How a value takes part in arithmetic; None when it is always null there (dates, lists, booleans)."""
    kind = value.kind
    if value.type.integer:
        if value.type.physical in WIDE:
            return Operand(sql.cast(value.expr, "HUGEINT"), None, huge=True)
        return Operand(value.expr if value.type.physical == "BIGINT" else sql.cast(value.expr, "BIGINT"), None)
    if value.type.number:
        return Operand(None, number_sql(value))
    if kind is Kind.STRING:
        whole = sql.coalesce(text_integer(value.expr), _text_hex(value.expr))
        number = sql.coalesce(sql.cast(whole, "DOUBLE"), text_double(value.expr))
        return Operand(whole, number if audit is None else audit(number))
    if kind is Kind.ANY:
        whole_any, real = integer_sql(value), number_sql(value)
        text = plain_text(value) if value.type.json else string_sql(value)
        if text is None:
            return (
                None
                if whole_any is None and real is None
                else Operand(whole_any, audit(real) if audit and real else real)
            )
        as_text = sql.coalesce(text_integer(text), _text_hex(text))
        whole = as_text if whole_any is None else sql.coalesce(whole_any, as_text)
        number = sql.coalesce(*([real] if real is not None else []), sql.cast(whole, "DOUBLE"), text_double(text))
        return Operand(whole, number if audit is None else audit(number))
    return None


def arithmetic(
    op: str,
    left: Typed,
    right: Typed,
    left_audit: Audit | None = None,
    right_audit: Audit | None = None,
    overflow: Overflow | None = None,
) -> Typed:
    """``left op right``; null when either is no number; integers give long, ``/`` always double."""
    a, b = operand(left, left_audit), operand(right, right_audit)
    if a is None or b is None:
        return NULL_VALUE
    if op == "/":
        return Typed(_divide(_real(a), _real(b)), DOUBLE)
    if a.real is None and b.real is None and a.whole is not None and b.whole is not None:
        return _whole(op, left, right, a, b)
    if a.whole is None or b.whole is None:
        return Typed(sql.binary(op, _real(a), _real(b)), DOUBLE)
    both = sql.and_(sql.not_null(a.whole), sql.not_null(b.whole))
    exact = sql.attempt(sql.binary(op, a.whole, b.whole))
    if overflow is not None:
        exact = overflow(exact)
    mixed = sql.case([(both, sql.cast(exact, "VARIANT"))], sql.cast(sql.binary(op, _real(a), _real(b)), "VARIANT"))
    return Typed(mixed, ANY)


def _whole(op: str, left: Typed, right: Typed, a: Operand, b: Operand) -> Typed:
    assert a.whole is not None
    assert b.whole is not None
    node = sql.binary(op, a.whole, b.whole)
    if a.huge or b.huge:
        return Typed(sql.attempt(node), HUGE)
    small = ("INTEGER", "SMALLINT", "TINYINT", "USMALLINT", "UTINYINT", "UINTEGER")
    if left.type.physical in small and right.type.physical in small:
        return Typed(node, LONG)  # two 32-bit operands cannot leave 64 bits
    return Typed(sql.attempt(node), LONG)


def _real(operand_: Operand) -> Sql:
    if operand_.real is not None:
        return operand_.real
    assert operand_.whole is not None
    node = operand_.whole
    if isinstance(node, exp.Cast) and node.to.this == exp.DataType.Type.BIGINT:
        node = node.this
    if isinstance(node, exp.Literal) and not node.is_string:
        return sql.double(float(node.this))
    return sql.cast(node, "DOUBLE")


def _divide(left: Sql, right: Sql) -> Sql:
    if isinstance(right, exp.Literal) and not right.is_string and float(right.this) != 0:
        return sql.binary("/", left, right)
    return sql.binary("/", left, sql.func("nullif", right, sql.integer(0)))


def negate(value: Typed) -> Typed:
    """Unary minus: numbers keep their type, everything else (numeric text too) is null."""
    if value.type.integer:
        if isinstance(value.expr, exp.Literal):
            return Typed(sql.integer(-int(value.expr.this)), value.type)
        if value.type in (SHORT, INT):
            return Typed(
                sql.try_cast(exp.Neg(this=sql.paren(sql.cast(value.expr, "BIGINT"))), value.type.physical), value.type
            )
        physical = "BIGINT" if value.type.physical == "BIGINT" else "HUGEINT"
        node = sql.attempt(exp.Neg(this=sql.paren(sql.cast(value.expr, physical))))
        return Typed(node, LONG if physical == "BIGINT" else HUGE)
    if value.type.number:
        return Typed(exp.Paren(this=exp.Neg(this=sql.paren(value.expr))), value.type)
    if value.kind is Kind.ANY:
        real, whole = number_sql(value), integer_sql(value)
        if real is None:
            return NULL_VALUE
        if whole is None:  # doubles among other things: if(a > 1, 1.5, "none")
            return Typed(exp.Paren(this=exp.Neg(this=sql.paren(real))), DOUBLE)
        # A null that is cast to VARIANT is a value of its own: text must give none, or nothing counts it.
        exact = sql.attempt(exp.Neg(this=sql.paren(whole)))
        negated = exp.Neg(this=sql.paren(real))
        branches = [(sql.not_null(whole), sql.when(sql.not_null(exact.copy()), sql.cast(exact, "VARIANT")))]
        return Typed(sql.case([*branches, (sql.not_null(real), sql.cast(negated, "VARIANT"))]), ANY)
    return NULL_VALUE
