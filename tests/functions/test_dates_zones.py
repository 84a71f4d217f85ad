"""Dates across changes of the clock: buckets, calendar arithmetic and ranges against models on ``zoneinfo``.

The models are written from language.md section 6: buckets are cut on the wall clock of the zone; spans that divide an
hour keep the two passes of a repeated hour apart.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logsql.diagnostics.codes import Sentence
from logsql.values import sql
from logsql.values.timespans import Span, bucket, parse_span
from tests.functions.harness import Bench, single

ZONES = ("America/New_York", "Europe/London", "Asia/Seoul", "Australia/Adelaide", "UTC")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
#: Days on which New York's clock jumps or repeats, and ordinary ones.
INSTANTS = st.one_of(
    st.integers(1615600000, 1615800000),  # 14 March 2021
    st.integers(1636200000, 1636400000),  # 7 November 2021
    st.integers(0, 2_000_000_000),
)


def wall_bucket(wall: datetime, span: Span) -> datetime:
    """The grid of section 6 on the wall clock."""
    if span.unit == "y":
        return datetime(wall.year, 1, 1)
    if span.unit == "mon":
        return datetime(wall.year, (wall.month - 1) // span.amount * span.amount + 1, 1)
    base = datetime(1969, 12, 29) if span.unit == "w" else datetime(1970, 1, 1)
    step = timedelta(seconds=SECONDS[span.unit] * span.amount)
    return base + (wall - base) // step * step


def model(instant: datetime, span: Span, zone: str) -> datetime:
    local = instant.astimezone(ZoneInfo(zone))
    wall = local.replace(tzinfo=None)
    start = wall_bucket(wall, span)
    if span.unit in "smh" and 3600 % (SECONDS[span.unit] * span.amount) == 0:
        return instant - (wall - start)
    return start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def lowered(instants: list[datetime], span: Span, zone: str) -> list[datetime]:
    bench = Bench([{"t": i.astimezone(ZoneInfo(zone)).isoformat()} for i in instants], {"t": "date"}, zone)
    text = sql.select(
        [sql.alias(bucket(sql.col("t"), span), "v")], sql.table("t"), order=sql.order_by([sql.col("__ord")])
    )
    return [v.astimezone(UTC) for v in bench.run(text.sql("duckdb"))]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    "text",
    [
        "1s",
        "30s",
        "1m",
        "7m",
        "15m",
        "1h",
        "2h",
        "6h",
        "7h",
        "1d",
        "3d",
        "1w",
        "2w",
        "1mon",
        "2mon",
        "3mon",
        "6mon",
        "1y",
    ],
)
@settings(max_examples=8, deadline=None)
@given(st.lists(INSTANTS, min_size=1, max_size=40))
def test_bucket(zone: str, text: str, seconds: list[int]) -> None:
    span = parse_span(text, _never)
    instants = [datetime.fromtimestamp(s, UTC) for s in seconds]
    want = [model(i, span, zone) for i in instants]
    got = lowered(instants, span, zone)
    assert len(got) == len(instants)
    for instant, a, b in zip(instants, want, got, strict=True):
        # Where a boundary itself lies in a repeated hour, either pass may carry the label.
        folded = b.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == a.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert a == b or (folded and abs(a - b) == timedelta(hours=1)), (instant, text, zone)


def _never(code: str, name: str, message: str) -> Any:
    raise AssertionError(message)


def test_a_repeated_hour_has_two_buckets() -> None:
    passes = [datetime(2021, 11, 7, h, 30, tzinfo=UTC) for h in (5, 6)]
    assert lowered(passes, Span(1, "h"), "America/New_York") == [p.replace(minute=0) for p in passes]
    assert lowered(passes, Span(1, "m"), "America/New_York") == passes


def test_days_start_at_local_midnight_on_both_sides_of_a_change() -> None:
    day = [datetime(2021, 3, 14, h, tzinfo=UTC) for h in (5, 12, 23)]
    assert lowered(day, Span(1, "d"), "America/New_York") == [day[0]] * 3
    assert lowered([datetime(2021, 3, 15, 4, tzinfo=UTC)], Span(1, "d"), "America/New_York") == [
        datetime(2021, 3, 15, 4, tzinfo=UTC)
    ]


def test_an_offset_is_a_time_of_the_wall_clock() -> None:
    row = {"t": "2021-03-14T08:30:00"}
    bench = Bench([row], {"t": "date"}, "America/New_York")
    (got,) = bench.values('datetrunc(t, span="1d", offset="8h")')
    assert got.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) == datetime(2021, 3, 14, 8)


def test_calendar_arithmetic_keeps_the_wall_clock() -> None:
    bench = Bench([{"t": "2021-03-13T12:00:00"}], {"t": "date"}, "America/New_York")
    assert bench.values('string(dateadd(t, "day", 1), "HH:mm")') == ["12:00"]
    assert bench.values('string(dateadd(t, "hour", 24), "HH:mm")') == ["13:00"]


def test_ranges_count_from_their_start() -> None:
    text = 'strjoin(",", foreach(string(_1, "MM-dd HH"), daterange(t, u, "{}")))'
    bench = Bench([{"t": "2021-01-31T02:00:00", "u": "2021-05-01T00:00:00"}], {"t": "date", "u": "date"}, ZONES[0])
    assert bench.values(text.format("1mon")) == ["01-31 02,02-28 02,03-31 02,04-30 02"]
    bench = Bench([{"t": "2021-03-13T02:00:00", "u": "2021-03-16T00:00:00"}], {"t": "date", "u": "date"}, ZONES[0])
    assert bench.values(text.format("1d")) == ["03-13 02,03-14 03,03-15 02"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("5mon", "90500"), ("2y", "90501"), ("3x", "90502"), ("", "90500"), ("h", "90500"), ("0d", "90500"), (5, "90500")],
)
def test_bad_spans(text: object, code: str) -> None:
    seen: list[str] = []

    def refuse(said: Sentence, **facts: Any) -> Any:
        seen.append(said.code)
        raise ValueError(said.text.fill(**facts))

    with pytest.raises(ValueError):
        parse_span(text, refuse)
    assert seen == [code]


def test_units_ignore_case() -> None:
    assert parse_span("2H", _never) == Span(2, "h")
    assert parse_span("3MON", _never) == Span(3, "mon")


def test_dates_beyond_what_the_engine_holds_are_null() -> None:
    assert single("epoch(9223372036854775807)") is None
    assert single('isnull(dateadd(epoch(253402300799000), "year", 900000))') is True


def test_old_dates_print_and_parse_in_the_zone() -> None:
    # Before 1908 Seoul's clock was 8:27:52 ahead.
    assert (
        single('string(date("1900-01-01 00:00:00", "yyyy-MM-dd HH:mm:ss"), "yyyy-MM-dd HH:mm:ss")', zone="Asia/Seoul")
        == "1900-01-01 00:00:00"
    )
