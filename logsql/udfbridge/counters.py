"""Counters that SQL increments: ``lq_count_7()`` is 1, 2, 3 ... in whatever order rows come.

A counter is a function without arguments that is written in C (``itertools.count``), so that DuckDB hands no vector to
Python: a call costs 60 nanoseconds, where an Arrow function costs 110 microseconds for every vector with one loss.
Counters only grow. A run takes some, notes where they stood, and gives them back when its ledger is forgotten; every
database registers the ones that its queries name.

Where nearly every value of a column is lost those 60 nanoseconds are what the query costs (``-bad`` over a million
texts took four times as long), so SQL asks ``lq_open`` before, once for 2,048 rows: a place that lost ``MOST`` values,
and more than one in ``RARE``, is not counted further, and the ledger says "at least". A run that is asked for every
loss (``--loss``) counts on.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable

from logsql.values.sql import COUNTER

PREFIX = COUNTER
#: Values that a place counts in any case: three milliseconds at the worst.
MOST = 30_000
#: A loss in so many rows is always counted: it costs a nanosecond a row.
RARE = 50
#: Behind the place of every row.
LAST = (1 << 63) - 1
#: Of so many vectors one is looked at where the look costs more than the rest of the query.
SELDOM = 128
#: Rows for which DuckDB asks once.
VECTOR = 2_048


class Counter:
    """One counter: its name in SQL and where it stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._count = itertools.count(1)
        self._before = 0
        self._vectors = 0
        self._every = True
        self.shut = False
        self.least = LAST
        self.passed_over = False

    @property
    def next(self) -> Callable[[], int]:
        """What DuckDB calls."""
        return self._count.__next__

    @property
    def value(self) -> int:
        """How often it was called.

        >>> counter = Counter("x")
        >>> counter.next(), counter.next(), counter.value
        (1, 2, 2)
        """
        # count(3): the text is the one way to look at it without counting, in every version of Python.
        return int(repr(self._count)[len("count(") : -1]) - 1

    def begin(self, every: bool) -> None:
        """Serve a place of another run; ``every``: it counts on whatever it costs."""
        self._before, self._vectors, self._every, self.shut = self.value, 0, every, False
        self.least = LAST
        self.passed_over = False

    def going_on(self) -> bool:
        """Whether the next vector of rows is counted.

        >>> counter = Counter("x")
        >>> counter.begin(every=False)
        >>> for _ in range(MOST):
        ...     _ = counter.next()
        >>> counter.going_on(), counter.shut
        (False, True)
        """
        if self._every or self.shut:
            return not self.shut
        self._vectors += 1
        lost = self.value - self._before
        self.shut = lost >= MOST and lost * RARE > self._vectors * VECTOR
        return not self.shut

    def looks(self) -> bool:
        """Whether the next vector of rows is looked at, where the look is what costs: the first ones are, and once
        something was found every one, else one in ``SELDOM``.

        >>> counter = Counter("x")
        >>> counter.begin(every=False)
        >>> [counter.looks() for _ in range(129)].count(True), counter.passed_over
        (2, True)
        """
        self._vectors += 1
        if self._every or self._vectors == 1 or self.value > self._before or self._vectors % SELDOM == 0:
            return True
        self.passed_over = True
        return False


#: Every counter by name, and those that no run holds.
COUNTERS: dict[str, Counter] = {}
_FREE: list[Counter] = []
#: Entered twice by a thread in which a ledger is collected while a counter is made: a plain lock would never open.
_GUARD = threading.RLock()


def take() -> Counter:
    """A counter that no other run holds."""
    with _GUARD:
        if _FREE:
            return _FREE.pop()
        counter = Counter(f"{PREFIX}{len(COUNTERS) + 1}")
        COUNTERS[counter.name] = counter
        return counter


def going_on(_: int, number: int) -> bool:
    """Whether the counter of this number counts the next vector of rows (``lq_open`` of SQL)."""
    return COUNTERS[f"{PREFIX}{number}"].going_on()


def least(_: int, number: int) -> int:
    """The smallest place of a row that lost a value so far (``lq_least`` of SQL): rows behind it are not told of."""
    return COUNTERS[f"{PREFIX}{number}"].least


def looks(_: int, number: int) -> bool:
    """Whether the next vector of rows is looked at for the counter of this number (``lq_look`` of SQL)."""
    return COUNTERS[f"{PREFIX}{number}"].looks()


def give_back(counters: Iterable[Counter]) -> None:
    """Let other runs take these."""
    with _GUARD:
        _FREE.extend(counters)
