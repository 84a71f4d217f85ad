"""Texts that the values at hand have in another spelling: with blanks, in quotes, several in one text, as another
number, or the word null where values are missing (language.md 3.3: a constant text is compared as it is written)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logsql.diagnostics.codes import define
from logsql.language.tree import Binary, Expr, Field, Literal, canonical
from logsql.planner.calls import Lowering
from logsql.planner.notes.datetexts import either_way, guess_pattern
from logsql.planner.notes.words import WRITE, number_text

OTHER_SPELLING = define(
    "N1232",
    "another-spelling",
    (
        "a text that the first rows have in another spelling only: blanks, quotes, zeros in front, a list in one text",
        "처음 행들에는 다르게 적힌 텍스트만 있습니다. 공백, 따옴표, 앞의 0, 한 텍스트에 든 목록",
    ),
    (
        "{text} is compared as it is written, and the first rows have only {found}",
        "{text}을(를) 적힌 그대로 비교합니다. 처음 행들에는 {found}만 있습니다",
    ),
)
NULL_WORD = define(
    "N1233",
    "null-as-text",
    ("a value is compared with a text that says null", "null이라고 적은 텍스트와 비교합니다"),
    (
        "{text} is a text like any other, and no value of the first rows is it: a missing value is {missing}",
        "{text}은(는) 보통 텍스트이고 처음 행들에 그런 값이 없습니다. 빠진 값은 {missing}입니다",
    ),
)
_NULLS = frozenset({"null", "none", "nil", "undefined", "(null)", "<null>", "\\n"})
_BLANKS = " \t\r\n\u00a0\u3000"
_QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019", "`": "`"}
_LIST = re.compile(r"\s*[,;]\s*|\s+(?:or|OR|and|AND)\s+")
_SIGNED = re.compile(r"(<>|!=|!|<=|>=|<|>|==?)\s*(\S.*)")
#: Values that are shown.
_SHOWN = 3


def _text(value: str) -> str:
    return canonical(Literal(value, "string"))


def meant(field: str, text: str, values: Sequence[str], op: str = "==") -> tuple[str, str] | None:
    """The condition that a text means which none of the values at hand is, and the values that it is about.

    >>> at_hand = ["kim", "lee", " cho"]
    >>> meant("x", "kim ", at_hand), meant("x", "cho", at_hand), meant("x", "kim", at_hand)
    (('x == "kim"', '"kim"'), ('trim(x) == "cho"', '" cho"'), None)
    >>> meant("x", "'kim'", at_hand), meant("x", "kim, lee", at_hand)
    (('x == "kim"', '"kim"'), ('in(x, "kim", "lee")', '"kim", "lee"'))
    >>> meant("x", "!kim", at_hand), meant("x", ">=10", ["9", "12"]), meant("x", "07", ["7", "8"])
    (('x != "kim"', '"kim"'), ('double(x) >= 10', '"9", "12"'), ('double(x) == 7', '"7"'))
    """
    if not values or text in values:
        return None
    unequal = op == "!="
    for bare in _bared(text):
        if bare in values:
            return f"{field} {op} {_text(bare)}", _text(bare)
    padded = [value for value in values if value.strip(_BLANKS) == text]
    if padded and text:
        return f"trim({field}) {op} {_text(text)}", _all(padded)
    pieces = [piece for piece in _LIST.split(text.strip(_BLANKS + "()[]")) if piece]
    known = [piece for piece in pieces if piece in values]
    if len(pieces) > 1 and len(known) >= max(1, len(pieces) - 1) and not any(map(_LIST.search, values)):
        chosen = f"in({field}, {', '.join(map(_text, pieces))})"
        return f"not({chosen})" if unequal else chosen, _all(known)
    return (
        _signed(field, text, values, unequal)
        or _as_number(field, text, values, op)
        or _as_date(field, text, values, op)
    )


def _bared(text: str) -> list[str]:
    """The text without blanks at its ends, and without quotes around it."""
    stripped = text.strip(_BLANKS)
    inner = stripped[1:-1] if len(stripped) > 2 and _QUOTES.get(stripped[0]) == stripped[-1] else stripped
    return [bare for bare in dict.fromkeys((stripped, inner)) if bare and bare != text]


def _signed(field: str, text: str, values: Sequence[str], unequal: bool) -> tuple[str, str] | None:
    """``"!kim"`` and ``">400"``: an operator that stands inside of the text."""
    found = _SIGNED.fullmatch(text)
    if found is None or unequal:
        return None
    op, rest = found[1], found[2].strip(_BLANKS)
    if op in ("!", "!=", "<>", "=", "=="):
        return (f"{field} {'!=' if op[0] in '!<' else '=='} {_text(rest)}", _text(rest)) if rest in values else None
    numbers = [value for value in values if value]
    if number_text(rest) and numbers and all(map(number_text, numbers)):
        return f"double({field}) {op} {rest}", _all(numbers)
    return None


def _as_number(field: str, text: str, values: Sequence[str], op: str) -> tuple[str, str] | None:
    """``"07"`` over ``7``, ``"200"`` over ``200.0``: the same number, written otherwise."""
    if not number_text(text) or len(text) > 15:
        return None
    numbers = [value for value in values if value]
    same = [value for value in numbers if number_text(value) and float(value) == float(text)]
    if not same or not all(map(number_text, numbers)):
        return None
    number = float(text)
    written = str(int(number)) if number.is_integer() else repr(number)
    return f"double({field}) {op} {written}", _all(same)


def _date(text: str) -> str:
    """The pattern of a text that is a date, "" for any other and for a bare year."""
    form = guess_pattern([text], "") or (either_way([text]) or ("",))[0]
    return form if len(form) > 4 else ""


def _as_date(field: str, text: str, values: Sequence[str], op: str) -> tuple[str, str] | None:
    """``"2024-03-02"`` over dates with a time, ``"02/03/2024"`` over ``2024-03-02``: dates written otherwise."""
    wanted, dates = _date(text), [value for value in values if value]
    pattern = guess_pattern(dates, "") if wanted and dates else ""
    if not pattern or len(pattern) <= 4 or pattern == wanted:
        return None
    if pattern.startswith(wanted):
        return f"{field} {op} {_text(text + '*')}", _all(dates[:1])
    return f"string(date({field}, {_text(pattern)}), {_text(wanted)}) {op} {_text(text)}", _all(dates[:1])


def _all(found: Sequence[str]) -> str:
    return ", ".join(map(_text, list(dict.fromkeys(found))[:_SHOWN]))


def says_null(text: str) -> bool:
    """Whether a text is how other tools write a missing value."""
    return text.lower() in _NULLS


def worth(text: str) -> bool:
    """Whether the values are looked at for this text, which is no pattern: those that other rules look at all the same
    (they have letters), and those that are odd by themselves."""
    if "*" in text or not text:
        return False
    if text.lower() != text.upper() or text != text.strip(_BLANKS) or _LIST.search(text) or _SIGNED.fullmatch(text):
        return True
    return re.fullmatch(r"[+-]?0\d.*|.*\.\d*0", text) is not None or bool(text[0].isdigit() and _date(text))


def compared(cx: Lowering, expr: Binary, text: str) -> bool:
    """Look at ``user == "kim "`` where the values at hand are ``kim``; whether it was told."""
    field = canonical(expr.left)
    if (
        not isinstance(expr.left, Field)
        or not worth(text)
        or any(
            name == expr.left.name and other != text and (not other or "*" in other) for name, other in cx.texts_asked
        )
    ):
        return False
    values = cx.sample(expr.left.name)
    if says_null(text):
        return _null(cx, expr, field, text, values)
    found = meant(field, text, values, expr.op)
    if found is None or any(name == expr.left.name and _text(other) in found[1] for name, other in cx.texts_asked):
        return False
    cx.note(OTHER_SPELLING, expr.right.span, help=WRITE.fill(better=found[0]), text=_text(text), found=found[1])
    return True


def _null(cx: Lowering, expr: Binary, field: str, text: str, values: Sequence[str]) -> bool:
    """``x == "null"``: told where values are at hand and none is it, in any letter case."""
    if not values or any(value.lower() == text.lower() for value in values):
        return False
    blank = "" in values
    better = f'{field} {expr.op} ""' if blank else f"{'isnull' if expr.op == '==' else 'isnotnull'}({field})"
    missing = '""' if blank else "null"
    cx.note(NULL_WORD, expr.right.span, help=WRITE.fill(better=better), text=_text(text), missing=missing)
    return True


def candidates(cx: Lowering, node: Expr, nodes: Sequence[Expr]) -> bool:
    """Look at the candidates of ``in(user, "kim ", "lee")`` and tell of the first that the values have otherwise;
    whether there is one."""
    field = canonical(node)
    if not isinstance(node, Field):
        return False
    texts = [str(n.value) if isinstance(n, Literal) and n.kind == "string" else None for n in nodes]
    if len(texts) > 100 or not any(text is not None and (worth(text) or says_null(text)) for text in texts):
        return False
    at_hand = cx.sample(node.name)
    plain, others = [], []
    told: tuple[Literal, str] | None = None
    for written, text in zip(nodes, texts, strict=True):
        found = meant(field, text, at_hand) if text is not None and worth(text) and not says_null(text) else None
        if found is None or not isinstance(written, Literal):
            plain.append(canonical(written))
            continue
        told = told or (written, found[1])
        same = re.fullmatch(re.escape(field) + r' == ("(?:[^"\\]|\\.)*")', found[0])
        inside = re.fullmatch(r"in\(" + re.escape(field) + r", (.*)\)", found[0])
        if same or inside:
            plain.append((same or inside)[1])  # type: ignore[index]
        else:
            others.append(found[0])
    if told is None:
        return False
    forms = [f"in({field}, {', '.join(dict.fromkeys(plain))})"] if plain else []
    better = WRITE.fill(better=" or ".join([*forms, *others]))
    cx.note(OTHER_SPELLING, told[0].span, help=better, text=canonical(told[0]), found=told[1])
    return True
