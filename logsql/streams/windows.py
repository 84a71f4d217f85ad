"""Intervals of a stream: which one a row belongs to, when it is over, and what of it is kept over a restart.

Contract
- Pure bookkeeping: no thread, no file. Times are microseconds since 1970.
- By arrival a row belongs to the interval of its arrival, or to the oldest that is open where that one is over.
- By ``_time`` a row is late when, before it, a row was seen ``lateness`` beyond the end of its interval; batches do not
  change that. A time more than a day ahead of the clock is late and moves nothing.
- No interval is closed twice. Empty ones are closed as long as time really passed; a jump of the clock over many, or a
  server that did not run, leaves them out, counted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from logsql.streams.intervals import SECOND, Intervals

#: How far ahead of the clock a time may be.
AHEAD = 86_400 * SECOND
Times = NDArray[np.int64]


class SteadyClock:
    """The wall clock that never goes back: while it is behind what was told last, time passes by monotonic time."""

    def __init__(
        self, at_least: int = 0, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self.steady = wall, steady
        self._last = max(round(wall() * SECOND), at_least)
        self._at = steady()

    def now(self) -> int:
        """Microseconds since 1970."""
        wall, at = round(self._wall() * SECOND), self.steady()
        self._last = max(wall, self._last + round((at - self._at) * SECOND) if wall < self._last else wall)
        self._at = at
        return self._last


@dataclass(frozen=True)
class Placed:
    """Rows of one batch: those of each interval by their places in the batch, in order, and those that are late."""

    rows: list[tuple[int, pa.Array]]
    late: pa.Array | None


class Windows:
    """The intervals of one stream. ``late``: microseconds; None: by arrival. ``saved``: what :meth:`save` gave."""

    def __init__(self, intervals: Intervals, late: int | None, clock: SteadyClock, saved: bytes | None = None) -> None:
        self.intervals = intervals
        self.late = late
        self._clock = clock
        self.closed: int | None = None
        self.newest: int | None = None
        #: Ranges of rows in the feed that holds them, by interval.
        self.open: dict[int, list[tuple[int, int]]] = {}
        self.skipped = 0
        self._began = clock.steady()
        self._empties = 0 if saved is None else 1
        self._seen = self._began
        if saved is not None:
            found = json.loads(saved)
            self.closed, self.newest = found["closed"], found["newest"]
        elif late is None:
            self.closed = intervals.start(clock.now())

    def save(self, closed: int | None = None) -> bytes:
        """What is kept over a restart; ``closed``: up to where everything is closed, where that changes now."""
        return json.dumps({"closed": self.closed if closed is None else closed, "newest": self.newest}).encode()

    def add(self, interval: int, first: int, behind: int) -> None:
        """Rows of an interval stand in the feed from ``first`` on."""
        ranges = self.open.setdefault(interval, [])
        if ranges and ranges[-1][1] == first:
            ranges[-1] = (ranges[-1][0], behind)
        else:
            ranges.append((first, behind))

    def oldest(self, otherwise: int) -> int:
        """The first row of the feed that is still needed."""
        return min((ranges[0][0] for ranges in self.open.values()), default=otherwise)

    # --- rows -------------------------------------------------------------------------------------

    def placed(self, times: pa.Array) -> Placed:
        """The interval of each row of a batch, in the order in which they came."""
        found = np.asarray(times.cast(pa.int64()).fill_null(np.iinfo(np.int64).min))
        missing = np.asarray(times.is_null())
        return self._by_arrival(found, missing) if self.late is None else self._by_time(found, missing, self.late)

    def _by_arrival(self, times: Times, missing: NDArray[np.bool_]) -> Placed:
        times = np.where(missing, self._clock.now(), times)
        starts = np.maximum(self.intervals.starts(times), self.closed or np.iinfo(np.int64).min)
        return Placed(list(_groups(starts, np.arange(len(starts)))), None)

    def _by_time(self, times: Times, missing: NDArray[np.bool_], late: int) -> Placed:
        self._seen = self._clock.steady()
        out = missing | (times > self._clock.now() + AHEAD)
        least = np.iinfo(np.int64).min
        before = least if self.newest is None else self.newest
        known = np.where(out, least, times)
        newest = np.maximum.accumulate(np.concatenate([[before], known]))
        starts = np.zeros(len(times), np.int64)
        starts[~out] = self.intervals.starts(times[~out])
        begun, places_of = np.unique(starts, return_inverse=True)
        ends = np.array([self.intervals.end(int(start)) for start in begun], np.int64)[places_of]
        behind = (newest[:-1] != least) & (newest[:-1] >= ends + late)
        if self.closed is not None:
            behind |= starts < self.closed
        out |= behind
        if (last := int(newest[-1])) != least:
            self.newest = last
        places = np.arange(len(times))
        return Placed(list(_groups(starts[~out], places[~out])), pa.array(places[out]) if out.any() else None)

    # --- what is over -----------------------------------------------------------------------------

    def due(self, seen: int | None = None) -> Iterator[int]:
        """Intervals that are over now, oldest first; each is to be closed (:meth:`close`) before the next is asked for.

        ``seen``: up to when all rows that arrived are here (by arrival).
        """
        until = self._until(seen)
        while until is not None:
            if self.closed is None:
                if not self.open:
                    return
                self.closed = min(self.open)
            if self.intervals.end(self.closed) > until:
                return
            if self.closed not in self.open and not self._really_passed():
                self._skip(until)
                continue
            yield self.closed

    def close(self, interval: int) -> None:
        """An interval is committed."""
        if interval not in self.open:
            self._empties += 1
        self.open.pop(interval, None)
        self.closed = self.intervals.end(interval)

    def _until(self, seen: int | None) -> int | None:
        """The time before which every interval that has ended is over."""
        if self.late is None:
            return seen
        if self.newest is None:
            return None
        idle = round((self._clock.steady() - self._seen) * SECOND)
        waited = self.newest + idle if idle >= self.intervals.every + self.late else self.newest
        return waited - self.late

    def _really_passed(self) -> bool:
        """Whether one more empty interval can have passed since the stream began, by monotonic time."""
        passed = round((self._clock.steady() - self._began) * SECOND)
        return self._empties <= passed // self.intervals.every

    def _skip(self, until: int) -> None:
        """Leave out the empty intervals up to the next one with rows, or to the one that is not over."""
        assert self.closed is not None
        following = min((start for start in self.open if start > self.closed), default=self.intervals.start(until))
        target = max(min(following, self.intervals.start(until)), self.intervals.end(self.closed))
        self.skipped += max((target - self.closed) // self.intervals.every, 1)
        self.closed = target

    def wait(self) -> float:
        """Seconds until the oldest interval ends, by the clock."""
        if self.closed is None:
            return 1.0
        return max((self.intervals.end(self.closed) - self._clock.now()) / SECOND, 0.0)


def _groups(starts: Times, places: NDArray[np.intp]) -> Iterator[tuple[int, pa.Array]]:
    """The places of each interval, oldest interval first."""
    for start in np.unique(starts):
        yield int(start), pa.array(places[starts == start])
