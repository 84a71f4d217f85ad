"""Counters that SQL increments: ``lq_count_7()`` is 1, 2, 3 ... in whatever order rows come.

What DuckDB calls is written in C (``itertools``), so that no frame of Python is made: a call costs 60 nanoseconds and
entering Python one microsecond a vector of rows, where a function of Python costs 6 (each vector gets a new stack) and
one over Arrow 110. Counters only grow. A run takes some, notes where they stood, and gives them back when its ledger is
forgotten; every database registers the ones that its queries name.

Where nearly every value of a column is lost those 60 nanoseconds are what the query costs (``-bad`` over a million
texts took four times as long), so SQL asks the gate of the counter before, ``lq_gate_7(...)``, once for 2,048 rows. The
gate counts how often it was asked, and one of many losses (``sql.TOLD_ONE_OF``) looks at both numbers: a place that
lost ``MOST`` values, and more than one in ``RARE``, is not counted further, and the ledger says "at least". A run that
is asked for every loss (``--loss``) counts on.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from logsql.values.sql import COUNTER, GATE, LAST_PLACE

PREFIX = COUNTER
#: Values that a place counts in any case: two milliseconds at the worst (30,000 were a seventh of fromhex() of a
#: million texts that are none).
MOST = 10_000
#: A loss in so many rows is always counted: it costs a nanosecond a row.
RARE = 50
#: Of so many vectors one is looked at where the look costs more than the rest of the query.
SELDOM = 128
#: Rows for which DuckDB asks once.
VECTOR = 2_048
#: More often than any gate is asked.
_FOREVER = sys.maxsize

if TYPE_CHECKING:
    _Drawn = functools.partial[Any]
else:
    _Drawn = functools.partial


class _Counting(_Drawn):
    """``next`` of an iterator, without arguments. DuckDB asks for the signature, and reading that of a function of C
    takes longer than all else that it does to register one."""

    __signature__ = inspect.Signature()


class _Asking(_Drawn):
    """``next`` of an iterator, with an argument for DuckDB, which ``next`` takes for what an empty one gives."""

    __signature__ = inspect.Signature([inspect.Parameter("same_for_all_rows", inspect.Parameter.POSITIONAL_ONLY)])


class _Noting(_Drawn):
    """A method of C with two arguments."""

    __signature__ = inspect.Signature(
        [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in ("fate", "empty")]
    )


class Function(NamedTuple):
    """A function of SQL that belongs to a counter. One with ``parameters`` is called once a vector."""

    call: Callable[..., int]
    parameters: tuple[str, ...]
    returns: str


class Counter:
    """One counter: its name in SQL and where it stands."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"{PREFIX}{number}"
        self._count = itertools.count(1)
        self._before = 0
        self._open = [True]
        self._asked = itertools.repeat(self._open, _FOREVER)
        self._asked_before = 0
        self._looks = 0
        self._every = True
        self.passed_over = False
        #: What DuckDB calls for a lost value.
        self.next: Callable[[], int] = _Counting(next, self._count)
        # Each list of the repetition gives its one item, so that the item can be exchanged.
        self._gate: Callable[..., int] = _Asking(next, itertools.chain.from_iterable(self._asked))
        LEAST[number] = LAST_PLACE

    @property
    def functions(self) -> dict[str, Function]:
        """What DuckDB registers, by name: the counter itself, and its gate, which is asked whether a vector of rows is
        counted."""
        return {
            self.name: Function(self.next, (), "BIGINT"),
            f"{GATE}{self.number}": Function(self._gate, ("UBIGINT",), "BOOLEAN"),
        }

    @property
    def value(self) -> int:
        """How often it was called.

        >>> counter = Counter(1)
        >>> counter.next(), counter.next(), counter.value
        (1, 2, 2)
        """
        # count(3): the text is the one way to look at it without counting, in every version of Python.
        return int(repr(self._count)[len("count(") : -1]) - 1

    @property
    def vectors(self) -> int:
        """How often its gate was asked."""
        return _FOREVER - operator.length_hint(self._asked)

    @property
    def shut(self) -> bool:
        """Whether it stopped counting."""
        return not self._open[0]

    @property
    def least(self) -> int:
        """The smallest place of a row that lost a value so far: rows behind it are not told of."""
        return LEAST[self.number]

    def stands_at(self, place: int) -> None:
        """A row at this place lost a value."""
        LEAST[self.number] = min(self.least, place)

    def begin(self, every: bool) -> None:
        """Serve a place of another run; ``every``: it counts on whatever it costs."""
        self._before, self._asked_before, self._looks, self._every = self.value, self.vectors, 0, every
        self._open[:] = [True]
        LEAST[self.number] = LAST_PLACE
        self.passed_over = False

    def look(self) -> None:
        """Count no further where that would cost too much.

        >>> counter = Counter(1)
        >>> counter.begin(every=False)
        >>> for _ in range(MOST):
        ...     _ = counter.next()
        >>> counter.look()
        >>> counter.shut
        True
        """
        lost = self.value - self._before
        if not self._every and lost >= MOST and lost * RARE > (self.vectors - self._asked_before) * VECTOR:
            self._open[:] = [False]

    def looks(self) -> bool:
        """Whether the next vector of rows is looked at, where the look is what costs: the first ones are, and once
        something was found every one, else one in ``SELDOM``.

        >>> counter = Counter(1)
        >>> counter.begin(every=False)
        >>> [counter.looks() for _ in range(129)].count(True), counter.passed_over
        (2, True)
        """
        self._looks += 1
        if self._every or self._looks == 1 or self.value > self._before or self._looks % SELDOM == 0:
            return True
        self.passed_over = True
        return False


#: The smallest place of a lost row by the number of its counter; ``least`` is ``lq_least`` of SQL, a function of C too.
LEAST: dict[int, int] = {}
least = LEAST.get
#: Fates that rows of running queries met (``planner/losses.py`` writes them); their ledgers take them out.
FATES: dict[str, str] = {}
#: What DuckDB calls once a vector of rows that met a fate, ``lq_came`` of SQL, written in C too: the empty text.
came: Callable[..., str] = _Noting(FATES.setdefault)
#: Every counter by number, and those that no run holds.
COUNTERS: dict[int, Counter] = {}
_FREE: list[Counter] = []
#: Entered twice by a thread in which a ledger is collected while a counter is made: a plain lock would never open.
_GUARD = threading.RLock()


def take() -> Counter:
    """A counter that no other run holds."""
    with _GUARD:
        if _FREE:
            return _FREE.pop()
        counter = Counter(len(COUNTERS) + 1)
        COUNTERS[counter.number] = counter
        return counter


def function(name: str) -> Function | None:
    """The function of SQL of this name; None where it is no counter's."""
    for prefix in (PREFIX, GATE):
        if name.startswith(prefix):
            return COUNTERS[int(name.removeprefix(prefix))].functions[name]
    return None


def looks(_: int, number: int) -> bool:
    """Whether the next vector of rows is looked at for the counter of this number (``lq_look`` of SQL)."""
    return COUNTERS[number].looks()


def give_back(counters: Iterable[Counter]) -> None:
    """Let other runs take these."""
    with _GUARD:
        _FREE.extend(counters)
