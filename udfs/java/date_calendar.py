"""Calendar fields to an instant, leniently, as java.util.GregorianCalendar of JDK 17 resolves them.

Out-of-range fields roll over; when fields contradict each other the most recently set complete group wins (month +
day, month + week + weekday, day of year, ...). Week 1 holds January 1st and weeks start on Sunday (locales en, ko,
ja, zh). One calendar rule differs on purpose: the proleptic Gregorian calendar is used for all years, as in DuckDB,
where Java switches to the Julian calendar before 1582-10-15. Instants outside the years 1 to 9999 are None.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo

MILLIS_PER_DAY = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)
_FIRST_DAY_OF_WEEK = 1  # Sunday
MIN_MILLIS = -62_135_596_800_000  # 0001-01-01
MAX_MILLIS = 253_402_300_799_999  # 9999-12-31


class Fields:
    """Calendar fields with the order in which they were set."""

    def __init__(self) -> None:
        self.value: dict[str, int] = {}
        self.stamp: dict[str, int] = {}
        self.next = 1

    def set(self, name: str, value: int) -> None:
        self.value[name] = value
        self.stamp[name] = self.next
        self.next += 1

    def at(self, name: str) -> int:
        return self.stamp.get(name, 0)

    def copy(self) -> Fields:
        out = Fields()
        out.value, out.stamp, out.next = dict(self.value), dict(self.stamp), self.next
        return out


def _first_of_month(year: int, month: int) -> int:
    """Ordinal (0001-01-01 is 1) of the first day of a month; month may be any integer, 0 is January."""
    year, month = year + month // 12, month % 12
    cycles, year_in_cycle = divmod(year - 1, 400)
    return date(year_in_cycle + 1, month + 1, 1).toordinal() + cycles * 146_097


def _on_or_before(ordinal: int, weekday: int) -> int:
    """Latest day up to ``ordinal`` that is the given weekday (1 Sunday .. 7 Saturday)."""
    return ordinal - (ordinal - (weekday - 1)) % 7


def _both(first: int, second: int) -> int:
    return max(first, second) if first and second else 0


def _day_group(fields: Fields) -> str:
    """Which fields give the day: dom, wom, dowim, doy or woy (Calendar.selectFields)."""
    at = fields.at
    weekday, month_day = at("weekday"), at("day")
    wom, dowim, woy = (_both(at(name), weekday) for name in ("week_of_month", "weekday_in_month", "week_of_year"))
    day_of_year = at("day_of_year")
    best = max(month_day, wom, dowim, day_of_year, woy)
    if not best:
        wom, woy = at("week_of_month"), at("week_of_year")
        dowim = max(at("weekday_in_month"), weekday)
        best = max(wom, dowim, woy)
        if not best:
            return "dom"
    if best == month_day:
        return "dom"
    in_month = (best == wom and at("week_of_month") >= at("week_of_year")) or (
        best == dowim and at("weekday_in_month") >= at("week_of_year")
    )
    if in_month:
        if wom == dowim:
            return "wom" if at("week_of_month") >= at("weekday_in_month") else "dowim"
        return "wom" if best == wom else "dowim"
    return "doy" if best == day_of_year else "woy"


def _week_start(first: int) -> int:
    """First day of the week that holds ``first`` (minimal days in the first week: 1)."""
    start = _on_or_before(first + 6, _FIRST_DAY_OF_WEEK)
    return start - 7 if start - first >= 1 else start


def _month_length(year: int, month: int) -> int:
    return _first_of_month(year, month + 1) - _first_of_month(year, month)


def day_exists(fields: Fields) -> bool:
    """Whether the month has such a day, or the year such a day of the year, where one of these gives the day."""
    value, group = fields.value, _day_group(fields)
    year = value.get("year", 1970)
    if group == "dom":
        return value.get("day", 1) <= _month_length(year, value.get("month", 0) % 12)
    return group != "doy" or value["day_of_year"] <= _first_of_month(year + 1, 0) - _first_of_month(year, 0)


def _ordinal(fields: Fields, year: int) -> int:
    group = _day_group(fields)
    value, weekday = fields.value, fields.value.get("weekday")
    if group == "dom":
        return _first_of_month(year, value.get("month", 0)) + value.get("day", 1) - 1
    if group in ("wom", "dowim"):
        month = value.get("month", 0)
        first = _first_of_month(year, month)
        if group == "wom":
            start = _week_start(first)
            if weekday is not None:
                start = _on_or_before(start + 6, weekday)
            return start + 7 * (value["week_of_month"] - 1)
        nth = value.get("weekday_in_month", 1)
        target = _FIRST_DAY_OF_WEEK if weekday is None else weekday
        if nth >= 0:
            return _on_or_before(first + 7 * nth - 1, target)
        return _on_or_before(first + _month_length(year, month) + 7 * (nth + 1) - 1, target)
    first = _first_of_month(year, 0)
    if group == "doy":
        return first + value["day_of_year"] - 1
    start = _week_start(first)
    if weekday is not None and weekday != _FIRST_DAY_OF_WEEK:
        start = _on_or_before(start + 6, weekday)
    return start + 7 * (value["week_of_year"] - 1)


def _week_date(fields: Fields) -> int | None:
    """Day of a week year (``YYYY-ww-u``), when the week year was set after the year."""
    if not fields.at("week_year") or fields.at("week_year") < fields.at("year"):
        return None
    week = fields.value.get("week_of_year", 1)
    weekday = fields.value.get("weekday", _FIRST_DAY_OF_WEEK)
    if weekday > 7:  # `u` out of range was left as it is: Java rolls it and reads the rest as an ISO weekday
        week, weekday = week + (weekday - 1) // 7, ((weekday - 1) % 7 + 1) % 7 + 1
    elif weekday <= 0:
        weeks = -weekday // 7 + 1
        week, weekday = week - weeks, (weekday + 7 * weeks) % 7 + 1
    start = _week_start(_first_of_month(fields.value["week_year"], 0))
    return start + 7 * (week - 1) + weekday - 1


def _time_of_day(fields: Fields) -> int:
    value, at = fields.value, fields.at
    hour_stamp = _both(at("hour"), at("half"))
    best = max(hour_stamp, at("hour_of_day")) or max(at("hour"), at("half"))
    hours = 0
    if best:
        if best == at("hour_of_day"):
            hours = value["hour_of_day"]
        else:
            hours = value.get("hour", 0) + 12 * value.get("half", 0)
    seconds = (hours * 60 + value.get("minute", 0)) * 60 + value.get("second", 0)
    return seconds * 1000 + value.get("milli", 0)


def wall_offset(millis: int, zone: tzinfo) -> timedelta:
    """Offset of a wall time: before the change inside a gap (02:30 becomes 03:30), standard time inside an overlap."""
    wall = _EPOCH + timedelta(milliseconds=millis)
    early = wall.replace(tzinfo=zone).utcoffset() or timedelta(0)
    late = wall.replace(tzinfo=zone, fold=1).utcoffset() or timedelta(0)
    return min(early, late)


def to_millis(fields: Fields, zone: tzinfo) -> int | None:
    """Milliseconds since 1970 UTC of the fields read in ``zone``; None outside the years 1 to 9999."""
    year = fields.value.get("year", 1970)
    if fields.value.get("era") == 0:
        year = 1 - year
    week_day = _week_date(fields)
    ordinal = _ordinal(fields, year) if week_day is None else week_day
    millis = (ordinal - _EPOCH_DAY) * MILLIS_PER_DAY + _time_of_day(fields)
    if not MIN_MILLIS <= millis <= MAX_MILLIS:
        return None
    offset = fields.value.get("offset")  # milliseconds, given by the text
    if offset is None:
        forced = fields.value.get("daylight")
        if forced is None:
            offset = wall_offset(millis, zone) // timedelta(milliseconds=1)
        else:  # a zone name such as PDT fixes the daylight part
            wall = (_EPOCH + timedelta(milliseconds=millis)).replace(tzinfo=zone)
            standard = (wall.utcoffset() or timedelta(0)) - (wall.dst() or timedelta(0))
            offset = standard // timedelta(milliseconds=1) + forced
    millis -= offset
    return millis if MIN_MILLIS <= millis <= MAX_MILLIS else None


def local_time(millis: int, zone: tzinfo) -> datetime:
    """Aware local time of an instant."""
    utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=millis)
    return utc.astimezone(zone)


def week_of_year(day: date) -> tuple[int, int]:
    """Week year and week number with weeks from Sunday and January 1st in week 1.

    >>> week_of_year(date(2024, 12, 29))
    (2025, 1)
    """
    start_next = _week_start(_first_of_month(day.year + 1, 0))
    if day.toordinal() >= start_next:
        return day.year + 1, 1
    return day.year, (day.toordinal() - _week_start(_first_of_month(day.year, 0))) // 7 + 1


def week_of_month(day: date) -> int:
    """Week number inside the month, weeks from Sunday.

    >>> week_of_month(date(2024, 6, 2))
    2
    """
    return (day.toordinal() - _week_start(_first_of_month(day.year, day.month - 1))) // 7 + 1
