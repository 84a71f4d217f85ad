"""Time spans (``5m``, ``1d``, ``3mon``) and the bucket of an instant (language.md section 6).

``timechart``, ``datetrunc``, ``ago`` and ``daterange`` share this. Buckets are cut in local time: days start at local
midnight and weeks on Monday, also across a change of the clock. Spans that divide an hour are taken off the instant
itself, so the two passes of a repeated hour stay apart (01:00 -04 and 01:00 -05); longer ones are wall clock labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn, Protocol

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.expressions import (
    INVALID_TIMESPAN,
    TIMESPAN_MONTHS,
    TIMESPAN_RANGE,
    TIMESPAN_UNIT,
    TIMESPAN_YEAR,
)
from logsql.diagnostics.foreign import meant_span
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import DATE


#: Raises the error ``(code, name, message)``; a call or a command binds it to its own place in the query.
class Fail(Protocol):
    """Refuses the query with a row of the catalogue at the place where the span is written."""

    def __call__(self, said: Sentence, /, *, text: object, units: str = "", help: str | None = None) -> NoReturn: ...


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of time spans, lengths in seconds.

    ``plural`` is DuckDB's word. ``exact``: on a clock that never changes, None where the calendar tells. ``mean`` is
    what rates are computed with, ``shortest`` what no such span falls below, ``round`` whole days.
    """

    plural: str
    exact: int | None
    mean: int
    shortest: int
    round: int
    amounts: tuple[int, ...] = ()


def _clock(plural: str, seconds: int) -> Unit:
    return Unit(plural, seconds, seconds, seconds, seconds)


_DAY = 86_400
#: Every unit that a span may be written in; ``amounts`` are the only numbers before it where there are any.
UNITS = {
    "s": _clock("seconds", 1),
    "m": _clock("minutes", 60),
    "h": _clock("hours", 3600),
    "d": _clock("days", _DAY),
    "w": _clock("weeks", 7 * _DAY),
    "mon": Unit("months", None, 2_629_746, 28 * _DAY, 30 * _DAY, (1, 2, 3, 4, 6)),
    "y": Unit("years", None, 12 * 2_629_746, 365 * _DAY, 365 * _DAY, (1,)),
}
_REFUSED_AMOUNT = {"mon": TIMESPAN_MONTHS, "y": TIMESPAN_YEAR}
#: Spans that DuckDB's ``date_trunc`` cuts in the session zone as the language does.
_TRUNC = {
    (1, "s"): "second",
    (1, "m"): "minute",
    (1, "d"): "day",
    (1, "w"): "week",
    (1, "mon"): "month",
    (3, "mon"): "quarter",
    (1, "y"): "year",
}
#: Intervals are 32 bits of months and days.
_MOST = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """``amount`` of ``unit`` (``s m h d w mon y``)."""

    amount: int
    unit: str

    @property
    def seconds(self) -> int | None:
        """Length in seconds on a clock that never changes; None for months and years."""
        size = UNITS[self.unit].exact
        return None if size is None else size * self.amount

    @property
    def mean_seconds(self) -> int:
        """Length in seconds, of months and years the mean: rates compare buckets."""
        return UNITS[self.unit].mean * self.amount

    @property
    def shortest_seconds(self) -> int:
        """Seconds that no such span falls below."""
        return UNITS[self.unit].shortest * self.amount

    @property
    def round_seconds(self) -> int:
        """Length in seconds as one speaks of it: a month has 30 days, a year 365."""
        return UNITS[self.unit].round * self.amount

    @property
    def interval(self) -> Sql:
        """The span as a DuckDB interval."""
        return sql.interval(self.amount, UNITS[self.unit].plural)

    def times(self, count: Sql) -> Sql:
        """``count`` spans as an interval."""
        number = count if self.amount == 1 else sql.binary("*", count, sql.integer(self.amount))
        return sql.interval(number, UNITS[self.unit].plural)

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"


def parse_span(text: object, fail: Fail) -> Span:
    """The span in ``text``; errors 90500 (no span, or a bad number of months), 90501 (years), 90502 (unit)."""
    found = re.fullmatch(r"\s*([0-9]+)\s*([A-Za-z]+)\s*", text) if isinstance(text, str) else None
    if found is None:
        fail(INVALID_TIMESPAN, text=text, help=meant_span(text) if isinstance(text, str) else None)
    # Of more digits than any span has the first are enough: Python reads no number of 5,000.
    amount, unit = int(found[1].lstrip("0")[:20] or 0), found[2].lower()
    if unit not in UNITS:
        fail(TIMESPAN_UNIT, text=text, units=", ".join(UNITS), help=meant_span(found[0]))
    if (amounts := UNITS[unit].amounts) and amount not in amounts:
        fail(_REFUSED_AMOUNT[unit], text=text)
    if not 0 < amount * (UNITS[unit].exact or 1) <= _MOST * 86400 or (unit in ("d", "w") and amount > _MOST // 7):
        fail(TIMESPAN_RANGE, text=text)
    return Span(amount, unit)


def bucket(value: Sql, span: Span, offset: Span | None = None) -> Sql:
    """Start of the interval that holds an instant, as an instant: ``trunc(t - offset) + offset`` on the wall clock.

    ``value`` and the result are TIMESTAMPTZ; ``value`` is written up to three times, so pass a column or a small node.
    """
    if offset is None and (span.amount, span.unit) in _TRUNC:
        return sql.func("date_trunc", sql.string(_TRUNC[span.amount, span.unit]), value)
    wall = sql.cast(value, "TIMESTAMP")
    if offset is not None:
        wall = sql.binary("-", wall, offset.interval)
    start = sql.func("time_bucket", span.interval, wall, _origin(span))
    if span.unit in ("s", "m", "h") and 3600 % (span.seconds or 0) == 0:
        return sql.binary("-", value, sql.binary("-", wall, start))
    if offset is not None:
        start = sql.binary("+", start, offset.interval)
    return sql.cast(start, DATE.physical)


def _origin(span: Span) -> Sql:
    """Where the grid of odd spans begins: a Monday for weeks, else 1970-01-01, both local."""
    return sql.cast(sql.string("1969-12-29 00:00:00" if span.unit == "w" else "1970-01-01 00:00:00"), "TIMESTAMP")


def shift(value: Sql, span: Span, forward: bool = True) -> Sql:
    """An instant moved by a span: days and longer on the calendar of the session zone, the rest in elapsed time."""
    return sql.binary("+" if forward else "-", value, span.interval)
