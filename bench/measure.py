"""Two ways to one answer, measured in turns in one process.

CPU time (user and system, all threads) is compared, because wall time on a shared machine says more about the
neighbours. The two sides alternate, so that a slow minute hits both; the ratio is the median of the ratios of the
pairs. Before anything is measured both sides must give the same rows.
"""

from __future__ import annotations

import resource
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

RUNS = 7


@dataclass(frozen=True)
class Row:
    """One line of the report. Times are CPU milliseconds; ``goal`` is the ratio not to exceed (None: none set)."""

    name: str
    compared: str
    ratio: float
    ours: float
    theirs: float
    low: float
    high: float
    goal: float | None = None
    note: str = ""

    def text(self) -> str:
        goal = "" if self.goal is None else f"  goal {self.goal:.2f} {'met' if self.ratio <= self.goal else 'MISSED'}"
        note = f"  ({self.note})" if self.note else ""
        times = f"{self.ours:9.1f} ms / {self.theirs:9.1f} ms"
        return (
            f"{self.name:<26} {self.ratio:6.2f}  [{self.low:.2f}-{self.high:.2f}]  {times}  {self.compared}{goal}{note}"
        )


def cpu_ms() -> float:
    """CPU milliseconds of this process so far, threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1000


def cost(work: Callable[[], object]) -> float:
    """CPU milliseconds of one call."""
    start = cpu_ms()
    work()
    return cpu_ms() - start


def in_turns(
    ours: Callable[[], object], theirs: Callable[[], object], runs: int = RUNS
) -> tuple[list[float], list[float]]:
    """CPU milliseconds of both sides, measured alternately (the side that goes first changes every time)."""
    a: list[float] = []
    b: list[float] = []
    for number in range(runs):
        for side in ((a, ours), (b, theirs)) if number % 2 else ((b, theirs), (a, ours)):
            side[0].append(cost(side[1]))
    return a, b


def row(
    name: str, compared: str, times: tuple[Sequence[float], Sequence[float]], goal: float | None, note: str = ""
) -> Row:
    """The report line of two series of paired times."""
    a, b = times
    ratios = [x / y for x, y in zip(a, b, strict=True)]
    middle = statistics.median
    return Row(name, compared, middle(ratios), middle(a), middle(b), min(ratios), max(ratios), goal, note)


def quiet_row(
    name: str, compared: str, times: tuple[Sequence[float], Sequence[float]], goal: float | None, note: str = ""
) -> Row:
    """The report line where a few percent count: the ratio of the lower quartiles of both sides.

    What else runs on a machine only adds to a time, to some turns much and to others little, so that the ratios of
    pairs spread over 0.68 to 1.23 where the goal is 1.03; the lower quartile is what the quiet turns say. The bounds
    are those of three interleaved thirds of the turns.
    """
    a, b = times
    thirds = [_quiet(a[n::3]) / _quiet(b[n::3]) for n in range(3)]
    return Row(name, compared, _quiet(a) / _quiet(b), _quiet(a), _quiet(b), min(thirds), max(thirds), goal, note)


def _quiet(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=4)[0]


def best_of(candidates: dict[str, Callable[[], object]], runs: int = 3) -> str:
    """Name of the cheapest candidate by its best run."""
    costs = {name: [] for name in candidates}  # type: dict[str, list[float]]
    for _ in range(runs):
        for name, work in candidates.items():
            costs[name].append(cost(work))
    return min(costs, key=lambda name: min(costs[name]))


def check_same(what: str, ours: pa.Table, theirs: pa.Table, ordered: bool = True) -> None:
    """Raises AssertionError unless both tables hold the same rows; integers of different widths are equal."""
    if ours.column_names != theirs.column_names:
        raise AssertionError(f"{what}: columns {ours.column_names} against {theirs.column_names}")
    if ours.num_rows != theirs.num_rows:
        raise AssertionError(f"{what}: {ours.num_rows} rows against {theirs.num_rows}")
    theirs = theirs.cast(ours.schema)
    if not ordered:
        keys = [(name, "ascending") for name in ours.column_names]
        ours, theirs = ours.sort_by(keys), theirs.sort_by(keys)
    for name in ours.column_names:
        if ours.column(name).combine_chunks() != theirs.column(name).combine_chunks():
            raise AssertionError(f"{what}: column {name} differs")
