"""Intervals in time zones: their ends, and days of 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from logsql.streams.intervals import SECOND, Intervals

ZONES = ["UTC", "Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
#: The days around the changes of the clock in 2025 of the zones above, and one without.
DAYS = [(3, 8), (3, 29), (4, 5), (6, 15), (10, 4), (10, 25), (11, 1)]


def micros(moment: datetime) -> int:
    return round(moment.timestamp()) * SECOND


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("every", [10, 60, 900, 3600, 7200, 21_600, 86_400])
def test_intervals_cover_time_and_begin_at_multiples_of_the_local_clock(zone: str, every: int) -> None:
    intervals, here = Intervals(every, zone), ZoneInfo(zone)
    for month, day in DAYS:
        moment = micros(datetime(2025, month, day, tzinfo=UTC))
        begin = intervals.start(moment)
        for _ in range(min(200_000 // every, 600) + 2):
            end = intervals.end(begin)
            assert begin < end <= begin + (every + 3600) * SECOND
            for inside in (begin, (begin + end) // 2, end - 1):
                assert intervals.start(inside) == begin
            local = datetime.fromtimestamp(begin / SECOND, UTC).astimezone(here)
            past = (local.replace(tzinfo=None) - datetime(1970, 1, 1)) % timedelta(seconds=every)
            changed = local.utcoffset() != (local.astimezone(UTC) - timedelta(seconds=1)).astimezone(here).utcoffset()
            assert not past or changed, local
            begin = end


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2025, 3, 30), 23),
        ("Europe/Berlin", (2025, 10, 26), 25),
        ("America/New_York", (2025, 3, 9), 23),
        ("America/New_York", (2025, 11, 2), 25),
        ("Asia/Seoul", (2025, 3, 30), 24),
    ],
)
def test_a_day_is_a_day_of_the_calendar(zone: str, day: tuple[int, int, int], hours: int) -> None:
    intervals = Intervals(86_400, zone)
    midnight = micros(datetime(*day, tzinfo=ZoneInfo(zone)))
    next_day = micros(datetime(*day, tzinfo=ZoneInfo(zone)) + timedelta(days=1))
    assert intervals.start(midnight + 12 * 3600 * SECOND) == midnight
    assert intervals.end(midnight) == next_day
    assert (next_day - midnight) // SECOND == hours * 3600
