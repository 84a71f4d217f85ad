"""Comparisons whose answer the types give away (language.md 3.3 and 4): text with a number, a date, a boolean ..."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logsql.diagnostics.codes import define, text
from logsql.diagnostics.foreign import relative_time
from logsql.diagnostics.messages import listed
from logsql.language.slips import span_name
from logsql.language.tree import Binary, Call, Expr, Field, Literal, canonical, walk
from logsql.planner.calls import Lowering
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.notes import given, shown
from logsql.planner.notes.datetexts import are_seconds, either_way, guess_pattern, pattern_of
from logsql.planner.notes.spellings import mostly, plain, separated
from logsql.planner.notes.words import (
    WRITE,
    depends,
    field_name,
    in_bytes,
    kind_word,
    number_text,
    parameter,
    settled_kind,
)
from logsql.values.types import RANK, Kind
from logsql.values.values import Typed

ORDERED_BY_TYPE = define(
    "N1201",
    "ordered-by-type",
    (
        "< or > between values of two types, which are ordered by type: always the same answer",
        "타입이 다른 두 값을 < 나 >로 비교합니다. 순서는 타입이 정하므로 결과가 늘 같습니다",
    ),
    (
        "{left} is {left_kind} and {right} is {right_kind}: two types are ordered by type, so this is {answer}",
        "{left}은(는) {left_kind}, {right}은(는) {right_kind}입니다. 타입이 다르면 타입 순서로 비교하므로 {answer}",
    ),
)
NEVER_EQUAL = define(
    "N1202",
    "never-equal",
    ("== or != between values of two types, which are never equal", "타입이 다른 두 값은 결코 같지 않습니다"),
    (
        "{left} is {left_kind} and {right} is {right_kind}: values of two types are never equal, so this is {answer}",
        "{left}은(는) {left_kind}, {right}은(는) {right_kind}입니다. 타입이 다르면 같지 않으므로 {answer}",
    ),
)
#: So many words are told.
_FEW = 8
VALUES_ARE = text("the first values are {values}", "처음 값: {values}")
NEVER_THIS_TEXT = define(
    "N1203",
    "never-this-text",
    (
        "a field is compared with a text that no value of its type has",
        "필드의 타입으로는 나올 수 없는 텍스트와 비교합니다",
    ),
    (
        '{left} is {left_kind}, and none is written "{pattern}": this is {answer}',
        '{left}은(는) {left_kind}이며 "{pattern}"(으)로 표기되는 값이 없습니다: {answer}',
    ),
)
TEXT_ORDER = define(
    "N1204",
    "numbers-ordered-as-text",
    ("numbers that are text are compared letter by letter", "텍스트인 숫자를 글자 순서로 비교합니다"),
    (
        '{left} holds numbers as text, which < and > compare letter by letter: "9" is greater than "10"',
        '{left}에는 숫자가 텍스트로 들어 있어 글자 순서로 비교합니다. "9"가 "10"보다 큽니다',
    ),
    ("{better}", "{better}"),
)
ADDRESS_ORDER = define(
    "N1223",
    "addresses-ordered-as-text",
    ("addresses that are text are compared letter by letter", "텍스트인 IP 주소를 글자 순서로 비교합니다"),
    (
        '{left} is text, and < and > compare addresses in it letter by letter: "9.0.0.1" is greater than "10.0.0.1"',
        '{left}은(는) 텍스트이므로 주소를 글자 순서로 비교합니다. "9.0.0.1"이 "10.0.0.1"보다 큽니다',
    ),
    ("write {better}", "{better}(으)로 쓰세요"),
)
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
#: What options that type the values of a source read as a date and as a number.
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d(?::?\d\d)?)?)?")
_TYPED_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
DATE_ORDER = define(
    "N1214",
    "dates-ordered-as-text",
    ("dates that are text are compared letter by letter", "텍스트인 날짜를 글자 순서로 비교합니다"),
    (
        "{left} holds dates as text, which < and > compare letter by letter, and not by time",
        "{left}에는 날짜가 텍스트로 들어 있어 시간이 아니라 글자 순서로 비교합니다",
    ),
    ("{better}", "{better}"),
)
NULL_COMPARED = define(
    "N1215",
    "null-compared",
    ("a value is compared with null by == or !=, which is never true", "==나 !=로 null과 비교하면 결코 참이 아닙니다"),
    ("{op} null is never true, whatever the value is", "{op} null은 값과 관계없이 결코 참이 아닙니다"),
)
NEVER_IN = define(
    "N1211",
    "candidate-of-another-type",
    ("a candidate of in() that no value can equal", "in()의 비교 값이 어떤 값과도 같을 수 없습니다"),
    (
        "{value} is {kind} and {candidate} is {other}: in() never finds it",
        "{value}은(는) {kind}, {candidate}은(는) {other}이므로 in()이 찾지 못합니다",
    ),
)
PARAMETER_TEXT = define(
    "N1503",
    "parameter-is-text",
    ("a parameter that is text is compared with a number or a date", "텍스트 매개변수를 숫자나 날짜와 비교합니다"),
    (
        "{other} is {kind} and the parameter {name} is text: this is {answer}",
        "{other}은(는) {kind}이고 매개변수 {name}은(는) 텍스트입니다: {answer}",
    ),
    (
        "-d {name}:=VALUE (in the shell \\set {name}:=VALUE) gives a number or a date, {name}=VALUE text",
        "숫자나 날짜는 -d {name}:=VALUE (셸에서는 \\set {name}:=VALUE)로 줍니다. {name}=VALUE는 텍스트입니다",
    ),
)
CONSTANTS = define(
    "N1212",
    "constants-compared",
    (
        "two constants are compared: the answer is the same for every row; a quoted name is a text",
        "상수끼리 비교하므로 모든 행에서 결과가 같습니다. 따옴표로 묶은 이름은 텍스트입니다",
    ),
    (
        "{text} is a text here and not a field, and the other side is a constant too: the same for every row",
        "{text}은(는) 여기서 필드가 아니라 텍스트이고 다른 쪽도 상수이므로 모든 행에서 결과가 같습니다",
    ),
)
QUOTED_NAME = define(
    "N1213",
    "quoted-name-in-expression",
    (
        "a field's name in quotes is a text in an expression, the same for every row",
        "표현식에서 따옴표로 묶은 필드 이름은 모든 행에서 같은 텍스트입니다",
    ),
    (
        "{text} is a text here, and there is a field of that name",
        "{text}은(는) 여기서 텍스트인데 그 이름의 필드가 있습니다",
    ),
)
NUMBERS_ONLY = text(
    'a number has digits only, and * stands for any of them: "4*"',
    '숫자에는 숫자만 있습니다. *는 나머지 자리를 뜻합니다: "4*"',
)
ALWAYS = text("always true", "늘 참입니다")
NEVER = text("never true", "결코 참이 아닙니다")
OR_TYPED = text("{help}, or read with {option}", "{help}. 또는 {option}(으)로 읽으세요")
MONTH_FIRST = text('{help} ("{pattern}" where the month stands first)', '{help} (월이 앞에 있으면 "{pattern}")')
#: An integer, a double, a boolean and a date as text.
_TEXTS = {
    Kind.FLOAT: r"-?\d+\.\d+(E-?\d+)?|NaN|-?Infinity",
    Kind.DOUBLE: r"-?\d+\.\d+(E-?\d+)?|NaN|-?Infinity",
    Kind.BOOL: "true|false",
    Kind.DATE: r"[+-]?\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d{4}|Z)?",
    **dict.fromkeys((Kind.SHORT, Kind.INT, Kind.LONG), r"0|-?[1-9]\d*"),
    Kind.LIST: r"(?s)\[.*\]",
    Kind.MAP: r"(?s)\{.*\}",
}
#: What a text of these types may be made of, for patterns with a star.
_CHARACTERS = {
    Kind.DATE: r"[-+:.0-9 Z*]*",
    **dict.fromkeys((Kind.SHORT, Kind.INT, Kind.LONG), r"[-0-9*]*"),
}
_ORDER = ("<", "<=", ">", ">=")
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "1", "y", "t", "on"), "true"),
    **dict.fromkeys(("false", "no", "0", "n", "f", "off"), "false"),
}


def never_written(kind: Kind, texts: Sequence[str]) -> bool:
    """Whether no value of a type has one of these texts."""
    shape = _TEXTS.get(kind)
    return shape is not None and not any(re.fullmatch(shape, text) for text in texts)


def compared(cx: Lowering, expr: Binary, left: Typed, right: Typed) -> None:
    """Tell of a comparison that is always, or never, true by its types."""
    if given.compared(cx, expr):
        return
    if isinstance(expr.left, Literal) and isinstance(expr.right, Literal) and expr.left.kind == "string":
        if cx.rel is not None and cx.rel.column(str(expr.left.value)) is not None:
            constants(cx, expr)
        return
    if expr.op in ("==", "!=") and isinstance(expr.right, Literal) and expr.right.kind == "null":
        if depends(expr.left):
            test = f"{'isnull' if expr.op == '==' else 'isnotnull'}({canonical(expr.left)})"
            if left.kind is Kind.STRING and "" in sample(cx, expr.left):  # a blank cell of a CSV is an empty text
                test = f'{canonical(expr.left)} {expr.op} ""'
            cx.note(NULL_COMPARED, expr.span, help=WRITE.fill(better=test), op=expr.op)
        return
    if expr.op in ("==", "!=") and isinstance(expr.right, Literal) and expr.right.kind == "string":
        _with_pattern(cx, expr, left, str(expr.right.value))
        return
    if not (settled_kind(left.kind) and settled_kind(right.kind)):
        return
    if not (depends(expr.left) or depends(expr.right)) and not _day_of_text(cx, expr, left, right):
        return
    lrank, rrank = RANK[left.kind], RANK[right.kind]
    if lrank == rrank:
        given.fraction(cx, expr, left)
        if left.kind is Kind.STRING and expr.op in _ORDER:
            _letter_by_letter(cx, expr)
        return
    answer = (lrank < rrank) == (expr.op in ("<", "<=")) if expr.op in _ORDER else expr.op == "!="
    said = (ALWAYS if answer else NEVER).fill()
    for node, value, other, theirs in ((expr.left, left, expr.right, right), (expr.right, right, expr.left, left)):
        name = parameter(node)
        if name is not None and value.kind is Kind.STRING:
            cx.note(
                PARAMETER_TEXT, expr.span, name=name, other=canonical(other), kind=kind_word(theirs.kind), answer=said
            )
            return
    cx.note(
        ORDERED_BY_TYPE if expr.op in _ORDER else NEVER_EQUAL,
        expr.span,
        help=_better(cx, expr, left, right) or _words(cx, expr, left, right),
        left=canonical(expr.left),
        left_kind=kind_word(left.kind),
        right=canonical(expr.right),
        right_kind=kind_word(right.kind),
        answer=said,
    )


def _day_of_text(cx: Lowering, expr: Binary, left: Typed, right: Typed) -> bool:
    """``now() > "2024-01-01"``, which reads no field: a date and a constant that is meant as one."""
    dates = [side.kind is Kind.DATE for side in (left, right)]
    return sum(dates) == 1 and _better(cx, expr, left, right) is not None


def constants(cx: Lowering, expr: Expr) -> None:
    """Tell of a condition that compares a text with a constant: the text is probably meant as a field."""
    if not isinstance(expr, Binary) or expr.op not in ("==", "!=", *_ORDER):
        return
    if not isinstance(expr.left, Literal) or expr.left.kind != "string" or not isinstance(expr.right, Literal):
        return
    if re.fullmatch(r"[^\W\d][\w .-]*", str(expr.left.value)):  # "" == "x" is no field's name
        better = WRITE.fill(better=f"{name_of(expr.left)} {expr.op} {canonical(expr.right)}")
        cx.note(CONSTANTS, expr.span, help=better, text=canonical(expr.left))


def name_of(node: Literal) -> str:
    """How the field is written whose name a text is."""
    name = str(node.value)
    plain = re.fullmatch(r"[^\W\d]\w*", name) is not None
    return name if plain else f"field({canonical(node)})"


def quoted_name(cx: Lowering, node: Expr) -> bool:
    """Tell of ``dc("Event ID")`` and ``isnull("Event ID")``, where the row has a field of exactly that name."""
    rel = cx.rel if isinstance(node, Literal) and node.kind == "string" else None
    if not isinstance(node, Literal) or rel is None or rel.column(str(node.value)) is None:
        return False
    cx.note(QUOTED_NAME, node.span, help=WRITE.fill(better=name_of(node)), text=canonical(node))
    return True


def _better(cx: Lowering, expr: Binary, left: Typed, right: Typed) -> str | None:
    """The comparison as it is probably meant."""
    if expr.op == "==" and isinstance(expr.right, Binary) and (choices := _choices(expr.right)):
        return WRITE.fill(better=f"in({', '.join(map(canonical, (expr.left, *choices)))})")
    if left.kind is Kind.LIST and expr.op in ("==", "!="):
        return _holds(expr, left)
    if expr.op in _ORDER and isinstance(expr.left, Binary) and expr.left.op in _ORDER:  # 1 < a < 5
        between = canonical(expr.left).removeprefix("(").removesuffix(")")
        return WRITE.fill(better=f"{between} and {canonical(expr.left.right)} {expr.op} {canonical(expr.right)}")
    sides = [
        _meant(cx, expr.left, left, expr.right, right, expr.op),
        _meant(cx, expr.right, right, expr.left, left, expr.op),
    ]
    if sides[0] is None and sides[1] is None:
        text = next(
            (
                node
                for node, value in zip((expr.left, expr.right), (left, right), strict=True)
                if value.kind is Kind.STRING
            ),
            None,
        )
        return only_typed(cx, text) if text is not None and Kind.DATE in (left.kind, right.kind) else None
    meant = WRITE.fill(better=f"{sides[0] or canonical(expr.left)} {expr.op} {sides[1] or canonical(expr.right)}")
    for side, value, theirs in ((sides[0], left, right), (sides[1], right, left)):
        numbers = theirs.type.number
        if side is not None and value.kind is Kind.STRING and not (numbers and expr.op not in _ORDER):
            node = expr.left if side is sides[0] else expr.right
            return or_typed(cx, meant, node, theirs.kind is Kind.DATE)
    return meant


def _words(cx: Lowering, expr: Binary, left: Typed, right: Typed) -> str | None:
    """The values that a text field has, where they are words and it is compared with a number."""
    if expr.op in _ORDER or left.kind is not Kind.STRING or not right.type.number:
        return None
    values = [*dict.fromkeys(value for value in sample(cx, expr.left) if value)]
    told = 0 < len(values) <= _FEW and all(len(value) <= 40 and value.isprintable() for value in values)
    return VALUES_ARE.fill(values=listed(values)) if told and not any(map(number_text, plain(values))) else None


def _choices(node: Expr) -> list[Expr]:
    """The constants of ``("a" or "b")``; nothing where it is anything else."""
    if isinstance(node, Binary) and node.op == "or":
        sides = [_choices(side) for side in (node.left, node.right)]
        return [*sides[0], *sides[1]] if all(sides) else []
    return [node] if isinstance(node, Literal) else []


def or_typed(cx: Lowering, help: str, node: Expr, date: bool = False) -> str:
    """``help``, and the option of the source that reads its texts as numbers and dates, where there is one and the
    field is its own: what ``rex`` or ``split`` made of a line no option of the source types."""
    name = field_name(node)
    by = cx.rel.typed_by if cx.rel is not None and name is not None and cx.own(name) else ""
    if not by or not (date or by.endswith("types=t")):
        return help
    fits = _ISO_DATE.fullmatch if date else _TYPED_NUMBER.fullmatch
    known = all(map(fits, filter(None, sample(cx, node))))  # one value that does not fit leaves the field text
    return OR_TYPED.fill(help=help, option=by) if known else help


def only_typed(cx: Lowering, node: Expr) -> str | None:
    """The option of the source that reads dates of several forms, which no one pattern reads."""
    by = cx.rel.typed_by if cx.rel is not None and isinstance(node, Field) and cx.own(node.name) else ""
    values = [text for text in sample(cx, node) if text]
    return WRITE.fill(better=by) if by and values and all(map(_ISO_DATE.fullmatch, values)) else None


def _meant(cx: Lowering, node: Expr, value: Typed, other: Expr, theirs: Typed, op: str) -> str | None:
    """One side of a comparison brought to the type of the other one; None where it stays as it is."""
    if value.kind is Kind.STRING:
        if theirs.type.number:
            if isinstance(node, Literal):
                return str(node.value) if number_text(str(node.value)) else in_bytes(str(node.value))
            values = [v for v in sample(cx, node) if v]
            argument = separated(canonical(node), values)
            if values and not any(map(number_text, plain(values))):
                return None
            if op in ("==", "!=") and isinstance(other, Literal) and not any(map(_padded, plain(values))):
                return f"double({argument})" if argument != canonical(node) else None
            return f"double({argument})"
        if theirs.kind is Kind.DATE:
            if isinstance(node, Literal) and (relative := relative_time(str(node.value))):
                return relative
            texts = sample(cx, node)
            pattern = guess_pattern((str(node.value),), "") if isinstance(node, Literal) else pattern_of(texts)
            if not pattern:
                return f"epoch({canonical(node)})" if are_seconds(texts) else None
            return f'date({canonical(node)}, "{pattern}")'
        if theirs.kind is Kind.IP:
            return f"ip({canonical(node)})"
    if isinstance(node, Literal) and op in ("==", "!="):
        if theirs.kind is Kind.BOOL:
            return {"1": "true", "0": "false", "true": "true", "false": "false"}.get(str(node.value).lower())
        if value.kind is Kind.BOOL and theirs.kind is Kind.STRING:
            return f'"{str(node.value).lower()}"'
    if value.type.number and theirs.kind is Kind.STRING and op in ("==", "!=") and isinstance(node, Literal):
        texts = sample(cx, other)
        if texts and not any(map(number_text, plain(texts))):  # start == 2 over auto, manual, disabled
            return None
        if any(map(_padded, plain(texts))) or list(texts) != plain(texts) or isinstance(node.value, float):
            return None
        return f'"{canonical(node)}"'
    if value.type.integer and theirs.kind is Kind.DATE and (day := _day(node)):
        return f'date("{day}", "yyyy-MM-dd")'
    if value.type.integer and theirs.kind is Kind.DATE and not isinstance(node, Literal) and not _of_dates(node):
        return f"epoch({canonical(node)})"
    return None


def _of_dates(node: Expr) -> bool:
    """Whether a date or a span is computed with, which gives null: ``now() - 1h`` is no number of seconds."""
    for part in walk(node):
        if isinstance(part, Field) and span_name(part.name):
            return True
        if isinstance(part, Call) and (spec := FUNCTIONS.get(part.name)) is not None and spec.returns == "date":
            return True
    return False


def _day(node: Expr) -> str | None:
    """The day that ``2024-01-31`` without quotes means: it is a difference of three numbers."""
    if not (isinstance(node, Binary) and isinstance(node.left, Binary) and node.op == node.left.op == "-"):
        return None
    parts = [part.value for part in (node.left.left, node.left.right, node.right) if isinstance(part, Literal)]
    if len(parts) != 3 or not all(isinstance(part, int) for part in parts):
        return None
    year, month, day = (int(str(part)) for part in parts)
    return f"{year}-{month:02}-{day:02}" if 1900 < year < 2200 and 1 <= month <= 12 and 1 <= day <= 31 else None


def _padded(text: str) -> bool:
    """Whether a text is a number that is not written as a constant of it prints: ``00123``, ``1.0``, ``+5``."""
    return number_text(text) and re.fullmatch(r"0|-?[1-9]\d*", text) is None


def sample(cx: Lowering, node: Expr) -> tuple[str, ...]:
    """Some values of a text field, where the planner can look at them cheaply."""
    name = field_name(node)
    return cx.sample(name) if name is not None else ()


def _with_pattern(cx: Lowering, expr: Binary, left: Typed, pattern: str) -> None:
    """``==`` with a text constant compares the text form of the value, ``*`` stands for any run of characters."""
    shown.among_maps(cx, expr.left, expr.right)
    several = left.kind is Kind.LIST
    if not depends(expr.left) or ((several or left.kind is Kind.STRING) and shown.compared(cx, expr, pattern, several)):
        return
    shapes = _CHARACTERS if "*" in pattern else _TEXTS
    shape = shapes.get(left.kind)
    if shape is None or re.fullmatch(shape, pattern) or (left.kind is Kind.LIST and not _column(cx, expr.left)):
        return
    answer = (ALWAYS if expr.op == "!=" else NEVER).fill()
    help = None
    if left.kind in (Kind.FLOAT, Kind.DOUBLE) and number_text(pattern):
        help = WRITE.fill(better=f"{canonical(expr.left)} {expr.op} {pattern}")
    elif left.kind is Kind.DATE and "*" not in pattern and (found := guess_pattern([pattern], "")):
        help = WRITE.fill(better=f'{canonical(expr.left)} {expr.op} date("{pattern}", "{found}")')
    elif left.kind is Kind.LIST and "*" not in pattern:
        help = _holds(expr, left)
    elif left.kind is Kind.BOOL and (said := _BOOLEANS.get(pattern.strip().lower())) is not None:
        help = WRITE.fill(better=f"{canonical(expr.left)} {expr.op} {said}")
    elif left.type.integer and number_text(pattern) and float(pattern).is_integer():
        help = WRITE.fill(better=f"{canonical(expr.left)} {expr.op} {int(float(pattern))}")
    elif left.type.number:
        digits = _of_digits(canonical(expr.left), pattern, expr.op == "!=")
        help = shown.meant(cx, expr, pattern) or digits or NUMBERS_ONLY.fill()
    cx.note(
        NEVER_THIS_TEXT,
        expr.span,
        help=help,
        left=canonical(expr.left),
        left_kind=kind_word(left.kind),
        pattern=pattern,
        answer=answer,
    )


def _of_digits(field: str, pattern: str, otherwise: bool = False) -> str | None:
    """Numbers that ``4xx``, ``4??`` or ``4*`` are meant as.

    >>> _of_digits("status", "4xx"), _of_digits("status", "40?", True)
    ('write status >= 400 and status <= 499', 'write (status < 400 or status > 409)')
    >>> _of_digits("status", "4*"), _of_digits("status", "abc")
    ('write status == "4*"', None)
    """
    digits = re.sub("[_?X]", "x", re.sub("%|[.][*]|[*]+", "*", pattern)).lstrip("^")
    if re.fullmatch(r"[1-9]\d*x+", digits):
        low, high = digits.replace("x", "0"), digits.replace("x", "9")
        ranged = f"({field} < {low} or {field} > {high})" if otherwise else f"{field} >= {low} and {field} <= {high}"
        return WRITE.fill(better=ranged)
    if re.fullmatch(r"\d*\*\d*", digits) and digits != "*":
        return WRITE.fill(better=f'{field} {"!=" if otherwise else "=="} "{digits}"')
    return None


def _holds(expr: Binary, left: Typed) -> str | None:
    """A test of a list for the constant that it is compared with, where its items are of that type."""
    element, node = left.type.element, expr.right
    if element is None or not isinstance(node, Literal):
        return None
    sought = canonical(node)
    if element.number and node.kind == "string":
        sought = str(node.value)
    if element.kind is not Kind.STRING and not (element.number and number_text(sought)):
        return None
    if element.kind is Kind.STRING and node.kind != "string":
        return None
    holds = f"contains({canonical(expr.left)}, {sought})"
    return WRITE.fill(better=f"not({holds})" if expr.op == "!=" else holds)


def _column(cx: Lowering, node: Expr) -> bool:
    """Whether an expression is a field of the row: a path that leads to a list is equal to each of its items."""
    return not isinstance(node, Field) or (cx.rel is not None and cx.rel.column(node.name) is not None)


def _letter_by_letter(cx: Lowering, expr: Binary) -> None:
    """``amount > "100"``: told only where the values at hand are numbers of several lengths, or dates out of order."""
    _dates_by_letter(cx, expr)
    for field, other in ((expr.left, expr.right), (expr.right, expr.left)):
        if field_name(field) is not None and isinstance(other, Literal) and _ADDRESS.fullmatch(str(other.value)):
            if _as_addresses(sample(cx, field), str(other.value)):
                return
            sides = (f"ip({canonical(field)})", f"ip({canonical(other)})")
            first, second = sides if field is expr.left else (sides[1], sides[0])
            cx.note(ADDRESS_ORDER, expr.span, left=canonical(field), better=f"{first} {expr.op} {second}")
            return
        if field_name(field) is not None and isinstance(other, Literal) and number_text(str(other.value)):
            values = sample(cx, field)
            if numbers_of_several_lengths(plain(values)):
                sides = (f"double({separated(canonical(field), values)})", str(other.value))
                first, second = sides if field is expr.left else (sides[1], sides[0])
                better = WRITE.fill(better=f"{first} {expr.op} {second}")
                cx.note(TEXT_ORDER, expr.span, left=canonical(field), better=better)
            return
    if field_name(expr.left) is not None and field_name(expr.right) is not None:
        both = [(canonical(node), sample(cx, node)) for node in (expr.left, expr.right)]
        if all(any(map(number_text, plain(found))) for _, found in both) and numbers_of_several_lengths(
            [text for _, found in both for text in plain(found)]
        ):
            first, second = (f"double({separated(name, found)})" for name, found in both)
            better = WRITE.fill(better=f"{first} {expr.op} {second}")
            cx.note(TEXT_ORDER, expr.span, left=both[0][0], better=better)


def _as_addresses(values: tuple[str, ...], constant: str) -> bool:
    """Whether the addresses at hand stand on the same side of a constant as texts and as addresses."""
    found = [value for value in values if _ADDRESS.fullmatch(value)]
    known = [(value < constant) == (_octets(value) < _octets(constant)) for value in found]
    return bool(known) and all(known)


def _octets(address: str) -> tuple[int, ...]:
    return tuple(map(int, address.split(".")))


def _dates_by_letter(cx: Lowering, expr: Binary) -> None:
    """``_time >= "2022-09-20"`` over texts: silent where texts of both forms stand in the order of time."""
    for field, other in ((expr.left, expr.right), (expr.right, expr.left)):
        if field_name(field) is None or not isinstance(other, Literal):
            continue
        values = sample(cx, field)
        texts = [str(other.value)]
        pattern = guess_pattern(values, "")
        wanted = guess_pattern(texts, "") or guess_pattern([*texts, *values], "")
        doubtful = either_way(texts) if not wanted and values else None
        pattern = pattern or ((either_way(values) or ("",))[0] if wanted or doubtful else "")
        wanted = wanted or (doubtful[0] if doubtful else "")
        if not pattern or not wanted or _in_order(pattern, wanted, values):
            continue
        sides = (f'date({canonical(field)}, "{pattern}")', f'date({canonical(other)}, "{wanted}")')
        first, second = sides if field is expr.left else (sides[1], sides[0])
        better = or_typed(cx, WRITE.fill(better=f"{first} {expr.op} {second}"), field, date=True)
        if doubtful is not None:
            better = MONTH_FIRST.fill(help=better, pattern=doubtful[1])
        cx.note(DATE_ORDER, expr.span, left=canonical(field), better=better)


def _in_order(pattern: str, wanted: str, values: tuple[str, ...]) -> bool:
    """Whether texts of two date patterns compare as their times do: the year first, one form, one zone."""
    zones = {match[0] if (match := re.search(r"(?:Z|[+-]\d\d:?\d\d)$", v)) else "" for v in values if v}
    return pattern.startswith("yyyy") and pattern.startswith(wanted) and (len(zones) == 1 or "HH" not in wanted)


def numbers_of_several_lengths(values: Sequence[str]) -> bool:
    """Whether texts are all numbers, but for few of many, and their order as text is another than by value.

    >>> [numbers_of_several_lengths(v) for v in (("9", "10"), ("10", "20"), ("9", "x"), ())]
    [True, False, False, False]
    >>> numbers_of_several_lengths(("9", "10", "11", "-", "12")), numbers_of_several_lengths(("9", "10", "a", "b"))
    (True, False)
    """
    found = [v for v in values if v]
    texts = [v for v in found if number_text(v)]
    return mostly(texts, found) and sorted(texts) != sorted(texts, key=float)


def candidates(cx: Lowering, value_node: Expr, value: Typed, node: Expr, candidate: Kind) -> None:
    """Tell of a candidate of ``in()`` that no value of the first argument equals, by its type."""
    if value.kind is Kind.STRING and candidate is Kind.STRING:
        shown.candidate(cx, value_node, node)
    if not (settled_kind(value.kind) and settled_kind(candidate)) or RANK[value.kind] == RANK[candidate]:
        return
    if value.kind in (Kind.LIST, Kind.MAP) or candidate is Kind.LIST or not depends(value_node):
        return
    better = None
    if isinstance(node, Literal):
        if value.kind is Kind.STRING and node.kind != "bool":
            better = f'"{canonical(node)}"'
        elif value.type.number and node.kind == "string" and number_text(str(node.value)):
            better = str(node.value)
    help = None if better is None else WRITE.fill(better=better)
    if value.type.number and isinstance(node, Literal) and node.kind == "string":
        help = help or _of_digits(canonical(value_node), str(node.value)) or NUMBERS_ONLY.fill()
    cx.note(
        NEVER_IN,
        node.span,
        help=help,
        value=canonical(value_node),
        kind=kind_word(value.kind),
        candidate=canonical(node),
        other=kind_word(candidate),
    )
