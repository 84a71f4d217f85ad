"""The reasons of the ledger: one row per reason, in English and Korean.

A row stands beside what counts it, those of the readers in ``reasons.py`` (``udfs`` knows no catalogue and gives
the reason's name)::

    TEXT_NOT_A_NUMBER = loss(
        "text-not-a-number",
        ("values that are no numbers: null, left out of sums", "숫자가 아닌 값: null로 처리하고 합계에서 제외"),
    )

The name is ``Entry.reason`` and never changes; the sentence is printed. ``fact=True`` says that nothing was lost and
that it is worth saying (a hive that was not closed properly), ``beside=True`` that it is told only where other rows of
the source met the fate of its name (text that is sorted, where there are numbers). A name may end in a place
(``invalid-{charset}``): one row for a family of reasons. Counting from SQL: ``call.lost``, ``stage.lost``
(``docs/authors.md``); from Python: ``runtime.loss.lost(source, ROW.name, count)``. ``CommandSpec.ledger`` lists the
rows of a command for its page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from logsql.diagnostics.messages import Pair, Text, text

#: reason -> row
LOSSES: dict[str, Loss] = {}

#: What an entry's source begins with (``date(``) -> the help of the source and the first value, or None.
HINTS: dict[str, Callable[[str, str], str | None]] = {}


@dataclass(frozen=True)
class Loss:
    """A reason: its name, the sentence, and whether it is a fact about the source without a loss."""

    name: str
    text: Text
    fact: bool = False
    beside: bool = False

    def when(self, pair: Pair) -> Loss:
        """The same reason with what it means in one command, for the table on that command's page."""
        return replace(self, text=text(*pair))


def loss(name: str, sentence: Pair, fact: bool = False, beside: bool = False) -> Loss:
    """Add a row. A name that is there already is a programming error (ValueError)."""
    if name in LOSSES:
        raise ValueError(f"the reason {name!r} is already defined")
    found = LOSSES[name] = Loss(name, text(*sentence), fact, beside)
    return found


def hint(source: str, sample: str | None) -> str | None:
    """What to write instead, as far as the source of a loss and its first value tell."""
    made = HINTS.get(source.partition("(")[0] + "(")
    return None if made is None or not sample else made(source, sample)


TEXT_NOT_A_NUMBER = loss(
    "text-not-a-number",
    (
        'values that are no numbers (in aggregates text like "12" too): null in arithmetic, left out of aggregates',
        '숫자가 아닌 값(집계에서는 "12" 같은 텍스트 포함): 산술식에서는 null이고 집계에서는 빠집니다',
    ),
)
NOT_AN_INTEGER = loss(
    "not-an-integer",
    ("numbers that are no integers, where only integers count: null", "정수만 쓰는 곳의 정수가 아닌 숫자: null"),
)
OVERFLOW = loss(
    "beyond-64-bits",
    ("results that do not fit into 64 bits: null", "64비트를 넘는 결과: null"),
)
NOT_CONVERTED = loss(
    "not-converted",
    ("values that a conversion could not read: null", "변환하지 못한 값: null"),
)
LIST_CUT = loss(
    "list-cut",
    ("items beyond the limit of a list (listlimit= lifts it)", "목록 한도를 넘은 항목 (listlimit=로 늘립니다)"),
)
