"""Dates that are hardly meant: values that no calendar has, that a pattern misreads or reads in part, or moves too far.

Values by SimpleDateFormat of JDK 17 (functions.md date), days and times by the Gregorian calendar and ISO 8601:
24:00:00 is the end of a day, a second 60 a leap second.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql import Session
from logsql.conversation.outcome import remarks
from logsql.engine.result import Result

DAY = "yyyy-MM-dd"
SECOND = "yyyy-MM-dd HH:mm:ss"
MILLI = "yyyy-MM-dd HH:mm:ss.SSS"
#: pattern, text, what it gives in UTC, the reason that is told (None: nothing)
TEXTS = [
    (DAY, "2024-02-30", "2024-03-01 00:00", "off-calendar"),
    (DAY, "2023-02-29", "2023-03-01 00:00", "off-calendar"),
    (DAY, "2024-02-29", "2024-02-29 00:00", None),
    (DAY, "2024-13-01", "2025-01-01 00:00", "off-calendar"),
    (DAY, "2024-00-10", "2023-12-10 00:00", "off-calendar"),
    (DAY, "24-05-05", "0024-05-05 00:00", "date-misread"),
    (DAY, "2024-05-05 23:10", "2024-05-05 00:00", "date-part-unread"),
    (DAY, "2024-05-05T23:10:00Z", "2024-05-05 00:00", "date-part-unread"),
    (DAY, "2024-05-05 00:00:00", "2024-05-05 00:00", None),
    (DAY, "2024-05-05 of the year", "2024-05-05 00:00", None),
    ("yyyy D", "2023 366", "2024-01-01 00:00", "off-calendar"),
    ("yyyy D", "2024 366", "2024-12-31 00:00", None),
    ("MM/dd/yyyy", "13/04/2024", "2025-01-04 00:00", "off-calendar"),
    ("dd/MM/yyyy", "2024/02/13", "0018-08-17 00:00", "date-misread"),
    ("dd.MM.yy", "05.05.24", "2024-05-05 00:00", None),
    (SECOND, "2024-05-05 25:61:00", "2024-05-06 02:01", "off-calendar"),
    (SECOND, "2024-05-05 24:00:00", "2024-05-06 00:00", None),
    (SECOND, "2024-05-05 23:59:60", "2024-05-06 00:00", None),
    (SECOND, "2024-05-05 10:20:30 +0900", "2024-05-05 10:20", "date-part-unread"),
    (SECOND, "2024-05-05 10:20:30Z", "2024-05-05 10:20", None),
    (SECOND, "2024-05-05 10:20:30.25", "2024-05-05 10:20", "date-part-unread"),
    (SECOND, "2024-05-05 10:20:30 sshd[1]: 5", "2024-05-05 10:20", None),
    ("yyyy-MM-dd hh:mm a", "2024-05-05 13:10 PM", "2024-05-06 01:10", "off-calendar"),
    (MILLI, "2024-05-05 10:20:30.5", "2024-05-05 10:20", "date-misread"),
    (MILLI, "2024-05-05 10:20:30.123456", "2024-05-05 10:22", "date-misread"),
    (MILLI, "2024-05-05 10:20:30.500", "2024-05-05 10:20", None),
    (MILLI, "2024-05-05 10:20:30.0", "2024-05-05 10:20", None),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as opened:
        yield opened


def told(result: Result) -> list[tuple[str, str, int]]:
    return sorted((entry.source, entry.reason, entry.count) for entry in result.ledger)


@pytest.mark.parametrize(("pattern", "text", "expected", "reason"), TEXTS, ids=[f"{p}: {t}" for p, t, *_ in TEXTS])
def test_dates_that_are_hardly_meant_are_told(
    session: Session, pattern: str, text: str, expected: str, reason: str | None
) -> None:
    session.register("texts", pa.Table.from_pylist([{"a": text}, {"a": text}, {"a": None}]))
    call = f'date(a, "{pattern}")'
    result = session.query(f"table texts | eval d = {call} | search isnull(d) or {call} == d")
    days = [None if row["d"] is None else row["d"].strftime("%Y-%m-%d %H:%M") for row in result.rows()]
    assert [day and day.rjust(16, "0") for day in days] == [expected, expected, None]
    assert told(result) == ([] if reason is None else [(call, reason, 2)])
    assert [entry.sample for entry in result.ledger] == ([] if reason is None else [text])


def test_the_first_row_and_the_pattern_that_fits_are_told(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("at 2024-05-05 10:20:30\n" * 3000 + "at 2024-05-05 10:20:30.25\nat 2024-02-30 10:20:30\nat x\n")
    result = session.query(
        f'''textfile {path} | rex field=line "at (?<t>.*)" | eval d = date(t, "{SECOND}") | stats max(d)'''
    )
    result.rows()
    lines = remarks((), result.ledger)
    unread, off, none = sorted(lines, key=lambda line: line.split("at line ")[1])
    assert "1 date-part-unread" in unread
    assert "line 3,001: '2024-05-05 10:20:30.25'" in unread
    assert unread.endswith('help: "yyyy-MM-dd HH:mm:ss.SSSSSS" reads "2024-05-05 10:20:30.25"')
    assert "1 off-calendar" in off
    assert "line 3,002: '2024-02-30 10:20:30'" in off
    assert "help" not in off
    assert "1 not-converted" in none
    assert "line 3,003: 'x'" in none


def test_a_pattern_that_reads_no_value_is_told_with_one_that_does(session: Session) -> None:
    session.register("texts", pa.Table.from_pylist([{"a": "05/Mar/2024:10:20:30 +0900"}] * 2))
    result = session.query(f'table texts | eval d = date(a, "{DAY}")')
    assert [row["d"] for row in result.rows()] == [None, None]
    (line,) = remarks((), result.ledger)
    assert line.endswith('help: "dd/MMM/yyyy:HH:mm:ss Z" reads "05/Mar/2024:10:20:30 +0900"')


#: call over a date d and a mixed m (a date and two other values) -> losses; null of null is none
MOVED = [
    ('dateadd(d, "year", 20000000)', 2),
    ('dateadd(d, "day", 99999999999)', 2),
    ('dateadd(d, "year", 200000)', 0),
    ('dateadd(m, "day", 1)', 2),
    ('datetrunc(m, "1d")', 2),
    ('datepart(m, "year")', 2),
    ('datepart(m, "weekday")', 2),
    ('datepart(m, "epoch")', 2),
    ('datediff(m, now(), "day")', 2),
    ('datediff(now(), m, "day")', 2),
    ('datediff(d, m, "day")', 1),
    ("daterange(m, now())", 2),
    ("daterange(now(), m)", 2),
]


@pytest.mark.parametrize(("call", "lost"), MOVED, ids=[call for call, _ in MOVED])
def test_values_without_a_date_and_dates_beyond_the_calendar_are_told(session: Session, call: str, lost: int) -> None:
    rows = 'json "[{n:1},{n:2},{n:3},{n:4}]"'
    fields = 'd = if(n < 3, now(), null), m = case(n == 1, now(), n == 2, "x", n == 3, 5)'
    result = session.query(f"{rows} | eval {fields} | eval r = {call}")
    result.rows()
    assert sum(e.count for e in result.ledger if e.reason == "no-such-date") == lost
