"""What values of two types lose against one another: ``b > 15`` and ``sort b`` where b is 10 in one row and "9" in
another (language.md 3.3). The types are known when the data is read; what a row's value is, is counted then.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from logsql.diagnostics.losses import Fate, loss
from logsql.language.tree import Binary, Call, Expr, Field, Literal, NamedArg, SortKey, canonical, children
from logsql.planner import losses
from logsql.planner.calls import Lowering
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.notes.words import number_text
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import Kind
from logsql.values.values import Typed

NUMBER_AGAINST_TEXT = loss(
    "number-against-text",
    (
        "text compared with a number, or a number with text: text is larger than every number and equal to none "
        "(double(FIELD) makes a number of it)",
        "숫자와 텍스트의 비교: 텍스트는 모든 숫자보다 크고 어떤 숫자와도 같지 않습니다(double(필드)로 숫자가 됩니다)",
    ),
    fate=Fate.DOUBTFUL,
)
SORTED_AMONG_NUMBERS = loss(
    "text-sorted-among-numbers",
    (
        'numbers that are text, sorted among numbers: the text "9" stands above 10 (double() makes a number of it)',
        '숫자와 섞어 정렬한 텍스트 숫자: 텍스트 "9"는 10보다 위입니다(double()로 숫자가 됩니다)',
    ),
    beside=True,
    fate=Fate.DOUBTFUL,
)
#: Whether a text stands on the side of an operator that holds for all texts.
_ABOVE = {">": True, ">=": True, "<": False, "<=": False}


def asked_types(expr: Expr) -> set[str]:
    """What an expression asks the type of: ``b`` of ``isnum(b) and b > 5``, which means the numbers of b alone."""
    found: set[str] = set()
    pending: list[Expr | NamedArg] = [expr]
    for node in pending:  # grows while it is read; without the calls of walk(), for every condition is asked
        if isinstance(node, Call):
            if node.args and _asks(node) and not isinstance(node.args[0], NamedArg):
                found.add(canonical(node.args[0]))
            pending += node.args
        elif isinstance(node, Binary):
            pending += (node.left, node.right)
        elif not isinstance(node, (Field, Literal)):
            pending += (node.value,) if isinstance(node, NamedArg) else children(node)
    return found


def _asks(call: Call) -> bool:
    spec = FUNCTIONS.get(call.name)
    return spec is not None and spec.family == "type check" and not spec.tests_null


def compared(cx: Lowering, expr: Binary, left: Typed, right: Typed, answer: Sql) -> Sql:
    """``answer`` of a comparison; where a mixed value is of the other type than its partner, the value is counted.

    ``>`` lets every text through, so each is counted; ``<`` and ``==`` leave out what reads as a number and is text.
    """
    if cx.run_id is None or cx.rel is None:
        return answer
    for node, value, theirs, other in (
        (expr.left, left, expr.right, right),
        (expr.right, right, expr.left, left),
    ):
        if value.kind is not Kind.ANY or canonical(node) in cx.type_asked:
            continue
        above = _ABOVE.get(expr.op)
        if above is not None and node is expr.right:
            above = not above
        if other.type.number:
            return _text_counted(cx, expr, value, other, above, answer)
        if above is not None and isinstance(theirs, Literal) and number_text(str(theirs.value)):
            return _number_counted(cx, expr, value, above, answer)
    return answer


def among(cx: Lowering, call: Call, value: Typed, candidates: Sequence[Typed], answer: Sql) -> Sql:
    """``answer`` of ``in(b, 9)``; the text "9" of a mixed value, which none of the numbers equals, is counted."""
    numbers = [other.expr for other in candidates if other.type.number]
    text = values.string_sql(value) if value.kind is Kind.ANY and numbers else None
    if cx.run_id is None or cx.rel is None or text is None or canonical(call.args[0]) in cx.type_asked:
        return answer
    cx.tells()
    like = sql.in_(sql.try_cast(text.copy(), "DOUBLE"), [sql.cast(node.copy(), "DOUBLE") for node in numbers])
    lost = losses.value_lost(cx, NUMBER_AGAINST_TEXT, canonical(call), text.copy(), call)
    return sql.case([(answer, sql.boolean(True)), (like, lost)], sql.boolean(False))


def _text_counted(cx: Lowering, expr: Binary, value: Typed, other: Typed, above: bool | None, answer: Sql) -> Sql:
    text = values.string_sql(value)
    if text is None:
        return answer
    number = sql.try_cast(text.copy(), "DOUBLE")
    if above:
        test = sql.binary("<>", text.copy(), sql.string(""))
    elif above is None:
        test = sql.eq(number, sql.cast(other.expr.copy(), "DOUBLE"))
    else:
        test = sql.not_null(number)
    if not isinstance(other.expr, exp.Literal):
        test = sql.and_(sql.not_null(other.expr.copy()), test)
    return _counted(cx, expr, test, text, bool(above), answer)


def _number_counted(cx: Lowering, expr: Binary, value: Typed, above: bool, answer: Sql) -> Sql:
    """``b > "15"``: no number is larger than a text."""
    number = values.number_sql(value)
    if number is None:
        return answer
    return _counted(cx, expr, sql.not_null(number), values.text_sql(value), not above, answer)


def _counted(cx: Lowering, expr: Binary, test: Sql, sample: Sql, holds: bool, answer: Sql) -> Sql:
    cx.tells()
    source = canonical(expr).removeprefix("(").removesuffix(")")
    lost = losses.value_lost(cx, NUMBER_AGAINST_TEXT, source, sample.copy(), expr)
    return sql.case([(test, sql.not_(lost) if holds else lost)], answer)


def sorted_among(cx: Lowering, command: str, keys: tuple[SortKey, ...]) -> list[Sql]:
    """Conditions that hold for every row, and count the texts like "9" of sort keys that are numbers in other rows."""
    if cx.run_id is None:
        return []
    made: list[Sql] = []
    for key in keys:
        value = cx.field(key.name.text)
        text, number = values.string_sql(value), values.number_sql(value)
        if value.kind is not Kind.ANY or text is None or number is None:
            continue
        source = f"{command} {key.name.text}"
        like = sql.not_null(sql.try_cast(text.copy(), "DOUBLE"))
        lost = losses.value_lost(cx, SORTED_AMONG_NUMBERS, source, text.copy())
        met = losses.came(cx, SORTED_AMONG_NUMBERS.name, 0, None, source)
        beside = sql.eq(met, sql.string(""))
        made.append(sql.case([(like, sql.not_(lost)), (sql.not_null(number), beside)], sql.boolean(True)))
    return made
