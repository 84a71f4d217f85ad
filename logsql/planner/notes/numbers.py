"""Sums, averages, extremes, order and arithmetic over values that are no numbers (language.md 3.2 and 7)."""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence

from logsql.diagnostics.codes import Sentence, define
from logsql.diagnostics.foreign import moved_by
from logsql.diagnostics.losses import TEXT_NOT_A_NUMBER
from logsql.language.slips import span_name
from logsql.language.tree import Binary, Expr, Field, Literal, SortKey, Unary, canonical
from logsql.planner.calls import AggregateCall, FunctionCall, Lowering
from logsql.planner.notes.arguments import NOTHING_FOR
from logsql.planner.notes.comparisons import name_of, numbers_of_several_lengths, or_typed, quoted_name, sample
from logsql.planner.notes.datetexts import out_of_order
from logsql.planner.notes.spellings import of_several_units, plain, separated
from logsql.planner.notes.words import WRITE, kind_word, number_text, settled_kind
from logsql.values.arithmetic import BLANKS, DOUBLE_TEXT, HEX_TEXT, INTEGER_TEXT
from logsql.values.types import Kind
from logsql.values.values import Typed

NO_NUMBERS = define(
    "N1301",
    "aggregate-of-no-numbers",
    ("an aggregate of numbers over a field that holds none", "숫자가 없는 필드에 숫자 집계를 씁니다"),
    (
        "{function}() takes numbers, and {value} is {kind}: the result is null",
        "{function}()은(는) 숫자를 집계합니다. {value}은(는) {kind}이므로 결과가 null입니다",
    ),
)
IF_THERE = NO_NUMBERS.says(
    (
        "{function}() takes numbers, and {value}, where a row has it, is {kind}: the result is null",
        "{function}()은(는) 숫자를 집계합니다. {value}은(는) 있더라도 {kind}이므로 결과가 null입니다",
    )
)
ORDERED_AS_TEXT = define(
    "N1302",
    "numbers-sorted-as-text",
    (
        "numbers that are text are sorted, or their extreme is taken, letter by letter",
        "텍스트인 숫자를 글자 순서로 비교합니다",
    ),
    (
        '{value} holds numbers as text, and {function} compares letter by letter: "9" is greater than "10"',
        '{value}에는 숫자가 텍스트로 들어 있어 {function}이(가) 글자 순서로 비교합니다. "9"가 "10"보다 큽니다',
    ),
)
EXTREME_BY_TYPE = ORDERED_AS_TEXT.says(
    (
        "{value} is text, and {function}() has a number beside it: every text is greater than every number",
        "{value}은(는) 텍스트이고 {function}()에 숫자가 함께 있습니다. 텍스트는 모든 숫자보다 큽니다",
    )
)
DATES_AS_TEXT = ORDERED_AS_TEXT.says(
    (
        "{value} holds dates as text, and {function} compares letter by letter, not by time",
        "{value}에는 날짜가 텍스트로 들어 있어 {function}이(가) 시간이 아니라 글자 순서로 비교합니다",
    )
)
NULL_ARITHMETIC = define(
    "N1210",
    "arithmetic-of-no-number",
    ("+ - * / with a value that is no number and no text", "숫자도 텍스트도 아닌 값을 계산합니다"),
    (
        "{value} is {kind}, and {op} takes numbers: the result is always null",
        "{value}은(는) {kind}입니다. {op}은(는) 숫자만 계산하므로 결과가 늘 null입니다",
    ),
)
COUNT_OF_CONDITION = define(
    "N1309",
    "count-of-condition",
    (
        "count() of a condition counts the rows in which it is false as well",
        "조건의 count()는 조건이 거짓인 행도 셉니다",
    ),
    (
        "count() counts values that are not null: rows in which {condition} is false count as well",
        "count()는 null이 아닌 값을 세므로 {condition}이(가) 거짓인 행도 셉니다",
    ),
    ("write count(if({condition}, 1, null))", "count(if({condition}, 1, null))로 쓰세요"),
)
DIGITS_LOST = define(
    "N1312",
    "digits-lost",
    ("a whole number beyond 64 bits is read as a double", "64비트를 넘는 정수를 실수로 읽습니다"),
    (
        "a whole number beyond 64 bits is read as the double {value}: about sixteen digits of it count",
        "64비트를 넘는 정수를 실수 {value}(으)로 읽습니다. 유효 숫자는 열여섯 자리쯤입니다",
    ),
    ("put it in double quotes to compare it as text", "텍스트로 비교하려면 큰따옴표로 묶으세요"),
)
BY_ZERO = NOTHING_FOR.says(("{value} divides by zero: it is always null", "{value}은(는) 0으로 나누므로 늘 null입니다"))
BEYOND = NOTHING_FOR.says(
    (
        "{value} does not fit into 64 bits: it is always null",
        "{value}의 값은 64비트를 넘으므로 늘 null입니다",
    )
)
_WHOLE = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def aggregated(cx: Lowering, call: AggregateCall) -> None:
    """Tell of an aggregate that no value of its argument takes part in, and of extremes of numbers that are text."""
    name = call.spec.name
    for node in call.nodes[:1]:
        if quoted_name(cx, node):
            return
        if call.spec.counts and isinstance(node, Binary) and call.args[0].kind is Kind.BOOL:
            condition = canonical(node).removeprefix("(").removesuffix(")")
            cx.note(COUNT_OF_CONDITION, node.span, condition=condition)
    if call.spec.numbers:
        for place in range(min(call.spec.numbers, len(call.args))):
            value, node = call.args[place], call.nodes[place]
            if settled_kind(value.kind) and not value.type.number:
                row = IF_THERE if value.kind is Kind.STRING and _open(cx, node) else NO_NUMBERS
                cx.note(
                    row,
                    node.span,
                    help=_instead_of(call, place),
                    covers=(TEXT_NOT_A_NUMBER.name, call.written),
                    function=name,
                    value=canonical(node),
                    kind=kind_word(value.kind),
                )
    elif call.spec.extreme and call.args[0].kind is Kind.STRING:
        node = call.nodes[0]
        if numbers_of_several_lengths(sample(cx, node)):
            cx.note(ORDERED_AS_TEXT, node.span, help=_as_numbers(call, 0), value=canonical(node), function=f"{name}()")
        elif made := _ordered(cx, node):
            row, form = made
            help = WRITE.fill(better=f"{name}({form})") if form else None
            cx.note(row, node.span, help=help, value=canonical(node), function=f"{name}()")


def _instead_of(call: AggregateCall, place: int) -> str | None:
    """The aggregate over numbers: of texts, and of a condition (the share or the number of the rows it holds in)."""
    value, node = call.args[place], call.nodes[place]
    if value.kind is Kind.STRING and not isinstance(node, Literal):
        return _as_numbers(call, place)
    if value.kind is Kind.BOOL:
        condition = canonical(node).removeprefix("(").removesuffix(")") if isinstance(node, Binary) else canonical(node)
        return WRITE.fill(better=f"{call.spec.name}(if({condition}, 1, 0))")
    return None


def _open(cx: Lowering, node: Expr) -> bool:
    """Whether only the data tell that there is such a field: what parsekv reads is text, if a line has it."""
    return (
        isinstance(node, Field) and cx.rel is not None and cx.rel.rest is not None and cx.rel.column(node.name) is None
    )


def _as_numbers(call: AggregateCall, place: int) -> str | None:
    """The aggregate over numbers made of the texts; None where the texts at hand are none: ``12 KB``."""
    found = [text for text in sample(call.cx, call.nodes[place]) if text]
    argument = separated(canonical(call.nodes[place]), found)
    if found and not any(map(number_text, plain(found))):
        return None
    written = [f"double({argument})" if i == place else canonical(n) for i, n in enumerate(call.nodes)]
    help = WRITE.fill(better=f"{call.spec.name}({', '.join(written)})")
    return or_typed(call.cx, help, call.nodes[place])


def sorted_by(cx: Lowering, command: str, keys: tuple[SortKey, ...]) -> None:
    """Tell of a sort by a text field whose values are numbers of several lengths."""
    for key in keys:
        column = cx.rel.column(key.name.text) if cx.rel is not None else None
        rest = cx.rel.rest if cx.rel is not None and column is None else None
        kind = column.type.kind if column is not None else rest.value_type.kind if rest is not None else None
        if kind is not Kind.STRING or (key is not keys[0] and not cx.own(key.name.text)):
            continue  # sort src, dst, dport, _time of a log: any order of ports puts the rows of a connection together
        name = key.name.text
        if numbers_of_several_lengths(cx.sample(name)):
            help = WRITE.fill(better=_evaluated(command, key, f"double({name})"))
            cx.note(ORDERED_AS_TEXT, key.name.span, help=or_typed(cx, help, Field(name)), value=name, function=command)
        elif made := _ordered(cx, Field(name)):
            row, form = made
            better = WRITE.fill(better=_evaluated(command, key, form)) if form else None
            cx.note(row, key.name.span, help=better, value=name, function=command)


def _evaluated(command: str, key: SortKey, form: str) -> str:
    """The sort by values that are made of a field first; a name with blanks is no name in an expression."""
    name, spelled = key.name.text, name_of(Literal(key.name.text, "string"))
    made = name if spelled == name else re.sub(r"\W+", "_", name).strip("_").lower()
    return f"eval {made} = {form.replace(name, spelled, 1)} | {command} {'-' if key.descending else ''}{made}"


def _ordered(cx: Lowering, node: Expr) -> tuple[Sentence, str] | None:
    """What to say of texts at hand that are dates or numbers with separators and units (``1,234``, ``12%``) in another
    order than by value, and what puts them into it; empty where nothing simple does (``3.5 GB`` and ``700 MB``)."""
    found = sample(cx, node)
    if pattern := out_of_order(found):
        return DATES_AS_TEXT, f'date({canonical(node)}, "{pattern}")'
    if numbers_of_several_lengths(plain(found)):
        return ORDERED_AS_TEXT, f"double({separated(canonical(node), found)})"
    return (ORDERED_AS_TEXT, "") if of_several_units(found) else None


def of_two_types(call: FunctionCall) -> None:
    """Tell of ``max(p, 1)`` where p is text, which is above every number, and of ``max(a, b)`` of texts of numbers."""
    cx, name = call.cx, call.spec.name
    pairs = list(zip(call.nodes, call.args, strict=True))
    texts = [node for node, value in pairs if value.kind is Kind.STRING]
    told = [node for node in texts if not isinstance(node, Literal) or number_text(str(node.value))]
    if told and any(value.type.number for _, value in pairs):
        cx.note(EXTREME_BY_TYPE, told[0].span, help=_all_numbers(call, told), value=canonical(told[0]), function=name)
    elif len(texts) == len(told) == len(pairs) > 1 and numbers_of_several_lengths(plain(_all_texts(cx, texts))):
        cx.note(
            ORDERED_AS_TEXT,
            texts[0].span,
            help=_all_numbers(call, texts),
            value=canonical(texts[0]),
            function=f"{name}()",
        )


def _all_texts(cx: Lowering, nodes: Sequence[Expr]) -> list[str]:
    return [
        text for node in nodes for text in (sample(cx, node) if not isinstance(node, Literal) else [str(node.value)])
    ]


def _all_numbers(call: FunctionCall, texts: Sequence[Expr]) -> str | None:
    """The call over numbers made of its texts; None where the texts at hand are none."""
    written = []
    for node in call.nodes:
        if not any(node is text for text in texts):
            written.append(canonical(node))
        elif isinstance(node, Literal):
            written.append(str(node.value))
        else:
            found = [text for text in sample(call.cx, node) if text]
            if found and not any(map(number_text, plain(found))):
                return None
            written.append(f"double({separated(canonical(node), found)})")
    return WRITE.fill(better=f"{call.spec.name}({', '.join(written)})")


def spread(cx: Lowering, node: Expr, value: Typed) -> None:
    """Tell of a boxplot of numbers that are text."""
    if value.kind is Kind.STRING and numbers_of_several_lengths(sample(cx, node)):
        help = or_typed(cx, WRITE.fill(better=f"boxplot double({canonical(node)})"), node)
        cx.note(ORDERED_AS_TEXT, node.span, help=help, value=canonical(node), function="boxplot")


def literal(cx: Lowering, node: Literal) -> None:
    """Tell of a whole number beyond 64 bits, which is read as a double: ``12345678901234567890`` loses digits."""
    value = node.value
    # 2**63 itself stands behind the minus of the smallest whole number, and is exact.
    if isinstance(value, float) and value > 2**63 and node.span.end - node.span.start >= len(str(2**63)):
        cx.note(DIGITS_LOST, node.span, value=canonical(node))


def arithmetic(cx: Lowering, expr: Binary, left: Typed, right: Typed) -> None:
    """Tell of ``_time + 3600`` and ``user + "-"``, which are null for every row."""
    for node, value in ((expr.left, left), (expr.right, right)):
        words = value.kind is Kind.STRING and isinstance(node, Literal) and not _counts(str(node.value))
        if not words and (not settled_kind(value.kind) or value.type.number or value.kind is Kind.STRING):
            continue
        cx.note(
            NULL_ARITHMETIC,
            expr.span,
            help=_instead(expr, left, right, words),
            covers=(TEXT_NOT_A_NUMBER.name, canonical(node)),
            value=canonical(node),
            kind=kind_word(value.kind),
            op=expr.op,
        )
        return
    if expr.op == "/" and isinstance(expr.right, Literal) and expr.right.value == 0:
        cx.note(BY_ZERO, expr.span, value=canonical(expr))
    elif (whole := _whole(expr)) is not None and not -(2**63) <= whole < 2**63:
        cx.note(BEYOND, expr.span, value=canonical(expr))


def _whole(node: Expr) -> int | None:
    """The whole number that literals make with ``+ - *``; None where a part is anything else."""
    if isinstance(node, Literal):
        return node.value if type(node.value) is int else None
    if isinstance(node, Unary):
        operand = _whole(node.operand)
        return None if operand is None else -operand
    if not isinstance(node, Binary) or node.op not in _WHOLE:
        return None
    left, right = _whole(node.left), _whole(node.right)
    return None if left is None or right is None else _WHOLE[node.op](left, right)


def _counts(text: str) -> bool:
    """Whether arithmetic reads a text as a number (language.md 3.2): also ``0x10``, `` 5 `` and ``5f``."""
    return any(
        re.fullmatch(shape, text.strip(BLANKS) if shape is DOUBLE_TEXT else text)
        for shape in (INTEGER_TEXT, HEX_TEXT, DOUBLE_TEXT)
    )


def _instead(expr: Binary, left: Typed, right: Typed, words: bool) -> str | None:
    spans = expr.op in "+-" and isinstance(expr.right, Field) and span_name(expr.right.name)  # now() - 1h
    if spans and (moved := moved_by(canonical(expr.left), expr.op, canonical(expr.right))):
        return WRITE.fill(better=moved)
    if words and expr.op == "+":
        return WRITE.fill(better=f"concat({', '.join(canonical(n) for n in _added(expr))})")
    if left.kind is right.kind is Kind.DATE and expr.op == "-":
        return WRITE.fill(better=f'datediff({canonical(expr.right)}, {canonical(expr.left)}, "sec")')
    if left.kind is Kind.DATE and expr.op in "+-" and right.type.number:
        amount = canonical(expr.right)
        return WRITE.fill(better=f'dateadd({canonical(expr.left)}, "sec", {"-" if expr.op == "-" else ""}{amount})')
    return None


def _added(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "+":
        return [*_added(expr.left), *_added(expr.right)]
    return [expr]
