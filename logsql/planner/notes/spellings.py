"""Texts that the values at hand have in another letter case (language.md 3.3: a constant text is a pattern, and letter
case counts), and the form that makes numbers of texts with separators and currency signs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from logsql.diagnostics.codes import define
from logsql.language.tree import Binary, Expr, Field, Literal, canonical
from logsql.planner.calls import Lowering
from logsql.planner.notes import respelt, shown
from logsql.planner.notes.words import WRITE, number_text

LETTER_CASE = define(
    "N1228",
    "another-letter-case",
    (
        "a text that the first rows have in another letter case only: letter case counts",
        "처음 행들에는 대소문자가 다른 텍스트만 있습니다. 비교는 대소문자를 구분합니다",
    ),
    (
        "letter case counts, and the first rows have {text} only as {found}",
        "대소문자를 구분해 비교합니다. 처음 행들에는 {text}이(가) {found}(으)로만 있습니다",
    ),
)
#: Digits in groups of three: ``1,234,567.89``.
GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})*(\.\d+)?")
#: Texts without a star and ``x*``, ``*x``, ``*x*``; any other pattern ignores letter case (language.md 4).
_CASE_COUNTS = re.compile(r"\*?[^*]+\*?")
_CURRENCY = "$€£₩¥"
#: What stands between groups of three digits: also the blank that does not break, and its narrow form.
_SEPARATORS = (",", " ", "\u00a0", "\u202f", "'", "_")
#: Numbers with what is usually written behind them: shares, sizes, times, amounts.
_WITH_UNIT = re.compile(
    r"[+-]?\d[\d,.' \u00a0\u202f]*?\s?(?P<unit>%|‰|[kKMGTP]?i?[Bb]|[kKMG]?bps|[KMGT]?i?B/s|[Bb]ytes?|[nuµm]?s|m?sec"
    r"|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|d|days?|[kMG]?Hz|[kcm]?m|k?g|px|pt|°C|°F|[$€£₩¥]|USD|EUR|KRW|JPY"
    r"|원|명|건|개|회|초|분|시간|일|점|배)"
)
#: Spellings that a note names.
_SHOWN = 3
#: Candidates that a person writes: 3,000 of a list that a program made took six minutes to hold against each other.
_WRITTEN = 100


def asked(expr: Expr) -> set[tuple[str, str]]:
    """The fields and constant texts that a chain of conditions compares: ``a == "x" or a == "X"`` knows of both."""
    found: set[tuple[str, str]] = set()
    pending: list[Expr] = [expr]  # not recursive: a chain of 2,000 conditions is as deep
    while pending:
        node = pending.pop()
        if not isinstance(node, Binary):
            continue
        if node.op in ("and", "or"):
            pending += (node.left, node.right)
        elif isinstance(node.left, Field) and isinstance(node.right, Literal):
            found.add((node.left.name, str(node.right.value)))
    return found


def _pattern(text: str) -> re.Pattern[str]:
    flags = re.DOTALL if _CASE_COUNTS.fullmatch(text) else re.DOTALL | re.IGNORECASE
    return re.compile(".*".join(map(re.escape, text.split("*"))), flags)


def otherwise(text: str, values: Sequence[str], beside: Iterable[str] = ()) -> list[str]:
    """How the values have a text that none of them has as it is written; ``beside``: what else is looked for.

    >>> at_hand = ["ERROR", "INFO", "ERROR"]
    >>> otherwise("error", at_hand), otherwise("ERROR", at_hand), otherwise("warn", at_hand)
    (['ERROR'], [], [])
    >>> otherwise("err*", at_hand), otherwise("error", at_hand, ["ERROR"]), otherwise("error", ["Error", "error"])
    (['ERROR'], [], [])
    """
    if text.lower() == text.upper():
        return []
    here, folded = _pattern(text), _pattern(text.lower())
    if any(map(here.fullmatch, values)):
        return []
    found = dict.fromkeys(value for value in values if folded.fullmatch(value.lower()))
    known = [_pattern(other) for other in beside] if found else []
    return [value for value in found if not any(other.fullmatch(value) for other in known)]


def _worth(cx: Lowering, text: str) -> bool:
    """Whether the values are looked at: a pattern that makes a column may stand for what is rare, such as the names of
    bots, so that only one that a search keeps rows by is a slip where no value is like it."""
    return text.lower() != text.upper() and (
        "*" not in text or (cx.searching and _CASE_COUNTS.fullmatch(text) is not None)
    )


def compared(cx: Lowering, expr: Binary, pattern: str) -> None:
    """Tell of ``level == "error"`` where the values at hand are ``ERROR``."""
    if not isinstance(expr.left, Field) or shown.stands_for(cx, expr.left, pattern):
        return  # the latter was told already
    if respelt.compared(cx, expr, pattern) or not _worth(cx, pattern):
        return
    field = expr.left.name
    beside = (text for name, text in cx.texts_asked if name == field and text != pattern)
    found = otherwise(pattern, cx.sample(expr.left.name), beside)
    if found:
        form = _one(canonical(expr.left), expr.op, pattern, found)
        cx.note(
            LETTER_CASE, expr.right.span, help=WRITE.fill(better=form), text=canonical(expr.right), found=_all(found)
        )


def _one(field: str, op: str, pattern: str, found: Sequence[str]) -> str:
    if len(found) == 1 and "*" not in pattern + found[0]:
        return f"{field} {op} {_text(found[0])}"
    return f"lower({field}) {op} {_text(pattern.lower())}"


def candidates(cx: Lowering, node: Expr, candidates: Sequence[Expr], texts: Sequence[str]) -> None:
    """Tell of the first candidate of ``in(level, "error")`` that the values at hand have in another letter case."""
    if any(shown.stands_for(cx, node, text) for text in texts) or respelt.candidates(cx, node, candidates):
        return
    if not isinstance(node, Field) or len(texts) > _WRITTEN or not any(_worth(cx, text) for text in texts):
        return
    values = cx.sample(node.name)
    met = {text: otherwise(text, values, texts) if _worth(cx, text) else [] for text in texts}
    missed = [text for text in texts if met[text]]
    place = next((c for c in candidates if missed and _of(c) == missed[0]), None)
    if place is None:
        return
    if all(len(met[text]) == 1 and "*" not in text + met[text][0] for text in missed):
        written = [_text(met[t][0]) if (t := _of(c)) in missed and t else canonical(c) for c in candidates]
        better = f"in({canonical(node)}, {', '.join(written)})"
    else:
        written = [_text(t.lower()) if (t := _of(c)) is not None else canonical(c) for c in candidates]
        better = f"in(lower({canonical(node)}), {', '.join(written)})"
    said, found = canonical(place), _all(met[missed[0]])
    cx.note(LETTER_CASE, place.span, help=WRITE.fill(better=better), text=said, found=found)


def _of(node: Expr) -> str | None:
    """The text that a constant is."""
    return str(node.value) if isinstance(node, Literal) and node.kind == "string" else None


def _text(value: str) -> str:
    return canonical(Literal(value, "string"))


def _all(found: Sequence[str]) -> str:
    return ", ".join(map(_text, found[:_SHOWN]))


def mostly(numbers: Sequence[str], values: Sequence[str]) -> bool:
    """Whether texts are numbers, but for few of many: an ``x`` or ``-`` that a hand left."""
    return bool(numbers) and (len(numbers) == len(values) or (len(numbers) >= 4 and len(numbers) >= 0.75 * len(values)))


def separated(argument: str, values: Sequence[str]) -> str:
    """The expression without currency signs, units and separators of thousands, where the values have them.

    >>> separated("a", ["1,234", "12", "-"]), separated("a", ["12"]), separated("a", ["$1,200", "$5"])
    ('replace(a, ",", "")', 'a', 'replace(replace(a, "$", ""), ",", "")')
    >>> separated("a", ["12%", "9%"]), separated("a", ["1 200", "7"]), separated("a", ["3 GB", "7 MB"])
    ('replace(a, "%", "")', 'replace(a, " ", "")', 'a')
    """
    for sign in _best(values):
        argument = f'replace({argument}, {_text(sign)}, "")' if sign else argument
    return argument


def plain(values: Sequence[str]) -> list[str]:
    """The values without currency signs, units and separators, as ``separated`` makes them; what is no number stays.

    >>> plain(["₩1000", "₩1,200"]), plain(["12%", "x"]), plain(["3 GB", "7 MB"])
    (['1000', '1200'], ['12', 'x'], ['3 GB', '7 MB'])
    """
    sign, separator = _best(values)
    found = []
    for value in values:
        bare = re.sub(f"[{_CURRENCY}]", "", value).strip()
        tried = (bare, bare.replace(",", "") if GROUPED.fullmatch(bare) else "", _bare(value, sign, separator))
        found.append(next(filter(number_text, tried), value))
    return found


def of_several_units(values: Sequence[str]) -> bool:
    """Whether texts are numbers behind which units of several sizes stand, which no order by letters puts right.

    >>> of_several_units(["3.5 GB", "700 MB"]), of_several_units(["3 GB", "5 GB"]), of_several_units(["3 GB", "x"])
    (True, False, False)
    """
    filled = [value for value in values if value]
    units = [_unit(value) for value in filled]
    return all(units) and len(set(units)) > 1


def _best(values: Sequence[str]) -> tuple[str, str]:
    """The sign (a currency, a unit that all values have) and the separator of thousands without which most of the
    values are numbers."""
    best, most = ("", ""), sum(map(number_text, values))
    if most == len(values):
        return best
    units = {unit for value in values if (unit := _unit(value))}
    for sign in ("", *_CURRENCY, *(units if len(units) == 1 else ())):
        if sign and not any(sign in value for value in values):
            continue
        for separator in ("", *_SEPARATORS):
            count = sum(number_text(_bare(value, sign, separator)) for value in values)
            if count > most:
                best, most = (sign, separator), count
    return best


def _bare(value: str, sign: str, separator: str) -> str:
    """The value without them; digits that stand in no groups of three stay as they are."""
    bare = value.replace(sign, "", 1).strip() if sign else value
    return bare.replace(separator, "") if separator and _grouped(separator).fullmatch(bare) else bare


def _grouped(separator: str) -> re.Pattern[str]:
    return re.compile(rf"[+-]?\d{{1,3}}({re.escape(separator)}\d{{3}})*(\.\d+)?")


def _unit(value: str) -> str:
    """The unit behind a number; empty where there is none."""
    found = _WITH_UNIT.fullmatch(value.strip())
    return found["unit"] if found else ""
