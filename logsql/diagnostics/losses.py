"""The reasons of the ledger: one row per reason, in English and Korean.

A row stands beside what counts it, those of the readers in ``reasons.py`` (``udfs`` knows no catalogue and gives
the reason's name)::

    TEXT_NOT_A_NUMBER = loss(
        "text-not-a-number",
        ("values that are no numbers: null, left out of sums", "숫자가 아닌 값: null로 처리하고 합계에서 제외"),
        fate=Fate.NULL,
    )

The name is ``Entry.reason`` and never changes; the sentence is printed, behind what became of the values (``fate``: not
in the result, null, passed unchanged, ...). ``fact=True`` says that nothing was lost and
that it is worth saying (a hive that was not closed properly), ``beside=True`` that it is told only where other rows of
the source met the fate of its name (text that is sorted, where there are numbers). A name may end in a place
(``invalid-{charset}``): one row for a family of reasons. Counting from SQL: ``call.lost``, ``stage.lost``
(``docs/authors.md``); from Python: ``runtime.loss.lost(source, ROW.name, count)``. ``CommandSpec.ledger`` lists the
rows of a command for its page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from logsql.diagnostics.messages import Pair, Text, text

#: reason -> row
LOSSES: dict[str, Loss] = {}

#: What an entry's source begins with (``date(``) -> the help of the source and the first value, or None.
HINTS: dict[str, Callable[[str, str], str | None]] = {}


class Fate(Enum):
    """What became of the rows or values of a reason; a line for the user begins with it."""

    LEFT_OUT = text("not in the result: {summary}", "결과에 없는 것: {summary}")
    NULL = text("null in the result: {summary}", "결과에서 null인 것: {summary}")
    PASSED = text("passed unchanged: {summary}", "그대로 통과한 것: {summary}")
    CHANGED = text("changed or cut in the result: {summary}", "결과에서 바뀌거나 잘린 것: {summary}")
    DOUBTFUL = text(
        "in the result, but perhaps not as it is meant: {summary}", "결과에 있지만 뜻과 다를 수 있는 것: {summary}"
    )


_CHARSET = text(
    "{charset} reads {read!r}: cs={charset}, for commands without cs= iconv -f {charset} -t utf-8",
    "{charset}(으)로 읽으면 {read!r}입니다: cs={charset}, cs=이 없는 명령에는 iconv -f {charset} -t utf-8",
)
#: Characters of a value in a help.
_SHORT = 40


@dataclass(frozen=True)
class Loss:
    """A reason: its name, the sentence, whether it is a fact about the source without a loss, and what became of what
    it counts."""

    name: str
    text: Text
    fact: bool = False
    beside: bool = False
    fate: Fate = Fate.LEFT_OUT

    def when(self, pair: Pair) -> Loss:
        """The same reason with what it means in one command, for the table on that command's page."""
        return replace(self, text=text(*pair))


def loss(name: str, sentence: Pair, fact: bool = False, beside: bool = False, fate: Fate = Fate.LEFT_OUT) -> Loss:
    """Add a row. A name that is there already is a programming error (ValueError)."""
    if name in LOSSES:
        raise ValueError(f"the reason {name!r} is already defined")
    found = LOSSES[name] = Loss(name, text(*sentence), fact, beside, fate)
    return found


def hint(source: str, sample: str | None) -> str | None:
    """What to write instead, as far as the source of a loss and its first value tell."""
    if charset := getattr(sample, "charset", ""):  # udfs.charsetguess.Undecoded
        return _CHARSET.fill(charset=charset, read=getattr(sample, "read", "")[:_SHORT])
    made = HINTS.get(source.partition("(")[0] + "(")
    return None if made is None or not sample else made(source, sample)


TEXT_NOT_A_NUMBER = loss(
    "text-not-a-number",
    (
        'values that are no numbers (in aggregates text like "12" too): null in arithmetic, left out of aggregates',
        '숫자가 아닌 값(집계에서는 "12" 같은 텍스트 포함): 산술식에서는 null이고 집계에서는 빠집니다',
    ),
    fate=Fate.NULL,
)
NOT_AN_INTEGER = loss(
    "not-an-integer",
    ("numbers that are no integers, where only integers count: null", "정수만 쓰는 곳의 정수가 아닌 숫자: null"),
    fate=Fate.NULL,
)
OVERFLOW = loss(
    "beyond-64-bits", ("results that do not fit into 64 bits: null", "64비트를 넘는 결과: null"), fate=Fate.NULL
)
NOT_CONVERTED = loss(
    "not-converted", ("values that a conversion could not read: null", "변환하지 못한 값: null"), fate=Fate.NULL
)
LETTERS_REPLACED = loss(
    "letters-replaced",
    (
        "texts with letters that the charset does not have: ? in their place",
        "문자 집합에 없는 글자가 있는 텍스트: 그 자리에 ?",
    ),
    fate=Fate.CHANGED,
)
BYTES_REPLACED = loss(
    "bytes-replaced",
    (
        "bytes that are no text in the charset: U+FFFD in their place",
        "문자 집합의 텍스트가 아닌 바이트: 그 자리에 U+FFFD",
    ),
    fate=Fate.CHANGED,
)
BEYOND_ADDRESSES = loss(
    "beyond-32-bits",
    (
        "numbers that are no IPv4 address: the address of their lowest 32 bits",
        "IPv4 주소를 벗어난 숫자: 하위 32비트의 주소",
    ),
    fate=Fate.CHANGED,
)
LIST_CUT = loss(
    "list-cut",
    ("items beyond the limit of a list (listlimit= lifts it)", "목록 한도를 넘은 항목 (listlimit=로 늘립니다)"),
    fate=Fate.CHANGED,
)
