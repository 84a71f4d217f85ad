"""Intervals of time, aligned to multiples in a time zone: where one begins and ends, over changes of the clock.

Times are microseconds since 1970 in UTC. A multiple is counted from midnight of the first day of 1970 in the zone, so
that ``1d`` begins at midnight there (23 or 25 hours when clocks change) and ``1h`` at the full hour. Where an interval
would begin at a local time that a change of the clock leaves out, it begins with the change.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

SECOND = 1_000_000
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Intervals:
    """Intervals of ``every`` seconds in a zone."""

    def __init__(self, every: float, zone: str) -> None:
        self.every = max(round(every * SECOND), 1)
        self._zone = ZoneInfo(zone)
        self._quarter = -1
        self._known = 0

    def start(self, time: int) -> int:
        """The beginning of the interval that holds a time.

        >>> day = Intervals(86_400, "Asia/Seoul")
        >>> day.start(86_400 * SECOND) // SECOND  # nine in the morning of the second day
        54000
        """
        offset = self._offset(time)
        start = time - (time + offset) % self.every
        before = self._offset(start)
        if before == offset or not (offset - before) % self.every:
            return start
        start += offset - before
        return start if self._offset(start) == before else self._change(start + before - offset, start, offset)

    def starts(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The beginning of the interval of each time."""
        offsets = self._offsets(times)
        found = times - (times + offsets) % self.every
        odd = np.flatnonzero(self._offsets(found) != offsets)
        for place in odd:  # a change of the clock lies between
            found[place] = self.start(int(times[place]))
        return found

    def _offsets(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        quarters, places = np.unique(times // (900 * SECOND), return_inverse=True)
        return np.array([self._offset(int(q) * 900 * SECOND) for q in quarters], np.int64)[places]

    def _change(self, before: int, behind: int, offset: int) -> int:
        """When the zone's clock was changed to ``offset``, between two times."""
        quarter = 900 * SECOND
        first, last = before // quarter, behind // quarter
        while first < last:
            middle = (first + last) // 2
            first, last = (first, middle) if self._offset(middle * quarter) == offset else (middle + 1, last)
        return first * quarter

    def end(self, start: int) -> int:
        """The beginning of the next interval."""
        end = start + self.every
        begins = self.start(end)
        if begins > start:
            return begins
        return end + self._offset(start) - self._offset(end)

    def _offset(self, time: int) -> int:
        """What the zone's clock is ahead of UTC. No zone changes within a quarter of an hour (of the clock)."""
        quarter = time // (900 * SECOND)
        if quarter != self._quarter:
            try:
                moment = (_BEGINNING + timedelta(microseconds=quarter * 900 * SECOND)).astimezone(self._zone)
                self._known = round((moment.utcoffset() or timedelta()).total_seconds()) * SECOND
            except OverflowError:  # before the year 1 or behind 9999
                self._known = 0
            self._quarter = quarter
        return self._known
