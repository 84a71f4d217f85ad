"""What happens to dates that are none, lie off the calendar or are read otherwise than they are meant."""

from __future__ import annotations

from logsql.diagnostics.losses import Fate, loss

BEYOND_9999 = loss(
    "date-beyond-9999",
    (
        "dates beyond the year 9999: epoch() takes seconds or milliseconds, divide microseconds by 1000",
        "9999년 이후의 날짜: epoch()는 초나 밀리초를 받습니다. 마이크로초는 1000으로 나누세요",
    ),
    fate=Fate.DOUBTFUL,
)
NO_SUCH_DATE = loss(
    "no-such-date",
    (
        "values that are no dates, and dates moved beyond the calendar: null",
        "날짜가 아닌 값과 달력 밖으로 옮긴 날짜: null",
    ),
    fate=Fate.NULL,
)
OFF_CALENDAR = loss(
    "off-calendar",
    (
        "dates and times that no calendar or clock has (30 February, 25:61): counted on into the next month or hour",
        "달력이나 시계에 없는 날짜와 시각(2월 30일, 25:61): 다음 달이나 다음 시간으로 넘겨 계산했습니다",
    ),
    fate=Fate.DOUBTFUL,
)
MISREAD = loss(
    "date-misread",
    (
        "dates whose digits the pattern reads otherwise than they are meant: a year of two digits, a fraction that has "
        "not the three digits of SSS",
        "패턴이 숫자를 뜻과 다르게 읽은 날짜: 두 자리 연도, SSS로 읽은 세 자리가 아닌 소수",
    ),
    fate=Fate.DOUBTFUL,
)
PART_UNREAD = loss(
    "date-part-unread",
    (
        "dates whose pattern ends before the time does: hours, seconds, a fraction or a zone are not read",
        "패턴이 값보다 짧은 날짜: 시, 초, 소수 또는 시간대를 읽지 않았습니다",
    ),
    fate=Fate.DOUBTFUL,
)
#: By ``udfs.java.dates.Doubt``, in its order.
DOUBTS = {row.name: row for row in (OFF_CALENDAR, MISREAD, PART_UNREAD)}
