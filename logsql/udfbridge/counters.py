"""Counters that SQL increments: ``lq_count_7()`` is 1, 2, 3 ... in whatever order rows come.

A counter is a function without arguments that is written in C (``itertools.count``), so that DuckDB hands no vector to
Python: a call costs 60 nanoseconds, where an Arrow function costs 110 microseconds for every vector with one loss.
Counters only grow. A run takes some, notes where they stood, and gives them back when its ledger is forgotten; every
database registers the ones that its queries name.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable

from logsql.values.sql import COUNTER

PREFIX = COUNTER


class Counter:
    """One counter: its name in SQL and where it stands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._count = itertools.count(1)

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


def give_back(counters: Iterable[Counter]) -> None:
    """Let other runs take these."""
    with _GUARD:
        _FREE.extend(counters)
