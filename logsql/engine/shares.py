"""How many rows each parse, rex, parsekv and parsejson of a run took something out of (``explain --run``).

A run that answers a query counts none of it: here every row of such a command costs a call of Python or two.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass

from logsql.diagnostics.messages import text
from logsql.udfbridge import counters
from logsql.udfbridge.counters import Counter

_SHARE = text(
    "{source}: {matched:,} of {rows:,} rows match ({percent:.1f} %)",
    "{source}: {rows:,}행 중 {matched:,}행 일치({percent:.1f}%)",
)
_NULLS = text(", {nulls:,} more have no text", ", 텍스트가 없는 행 {nulls:,}개 별도")
_BESIDE = text("{rows:,} rows in, {matched:,} match", "{rows:,}행 중 {matched:,}행 일치")
_UNREAD = text(
    "{source}: no row was looked at, or nothing reads its fields",
    "{source}: 읽은 행이 없거나 필드를 쓰는 곳이 없습니다",
)


@dataclass(frozen=True, slots=True)
class Share:
    """Rows of a command: ``matched`` gave something, ``failed`` nothing, and ``nulls`` have no text to read.

    ``step``: the number of its stage, with which the names of its SELECTs begin (``s2_rex``).
    """

    source: str
    matched: int
    failed: int
    nulls: int
    step: int = 0

    @property
    def beside(self) -> str:
        """What stands beside the command's first stage: its rows, and those that gave something."""
        rows = self.matched + self.failed + self.nulls
        return _BESIDE.fill(rows=rows, matched=self.matched) if rows else ""

    def told(self) -> str:
        """A line, in the language in force."""
        rows = self.matched + self.failed
        if not rows + self.nulls:
            return _UNREAD.fill(source=self.source)
        percent = 100 * self.matched / rows if rows else 0.0
        said = _SHARE.fill(source=self.source, matched=self.matched, rows=rows, percent=percent)
        return said + (_NULLS.fill(nulls=self.nulls) if self.nulls else "")


class Shares:
    """The commands of one run that are counted, in the order of the query."""

    def __init__(self) -> None:
        self._taken: list[Counter] = []
        self._places: list[tuple[str, int, tuple[tuple[Counter, int], ...]]] = []
        weakref.finalize(self, counters.give_back, self._taken)

    def tally(self, source: str, step: int) -> tuple[str, str, str]:
        """Functions of SQL to be called for each row of a command: one that matches, one that does not, one of null."""
        found = tuple((counter := counters.take(), counter.value) for _ in range(3))
        self._taken += [counter for counter, _ in found]
        self._places.append((source, step, found))
        matched, failed, nulls = (counter.name for counter, _ in found)
        return matched, failed, nulls

    def __iter__(self) -> Iterator[Share]:
        for source, step, found in self._places:
            matched, failed, nulls = (counter.value - before for counter, before in found)
            yield Share(source, matched, failed, nulls, step)
