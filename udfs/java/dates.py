"""Java SimpleDateFormat: lenient parsing and printing of dates, for one value or an Arrow column.

:func:`compile_pattern` checks a pattern once; the result parses text to instants (milliseconds) in a zone and
prints them. Lenient as Java: fields roll over, text after the match is ignored, missing fields come from 1970-01-01
00:00:00, ``S`` is an integer number of milliseconds, ``yy`` lies within 80 years before and 20 after today. Unlike Java
four and more ``S`` are digits of the fraction (decisions 26): Java reads ``.123456`` as 123 seconds. For
DuckDB ``strptime`` + ``shape_regex`` give a guarded fast path and ``strftime`` the printing of a local TIMESTAMP.
Source: java.text.SimpleDateFormat of JDK 17; calendar rules in :mod:`udfs.java.date_calendar`, names in
:mod:`udfs.java.date_names` and :mod:`udfs.java.zones`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import Enum
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from udfs.columns import Column, as_array, map_distinct
from udfs.java import zones
from udfs.java.date_calendar import Fields, day_exists, local_time, to_millis, week_of_month, week_of_year
from udfs.java.date_ends import TIME_BEHIND
from udfs.java.date_names import DateNames, names_of
from udfs.java.date_sql import FastParse, fast_parse, strftime_format

__all__ = ["DatePattern", "DatePatternError", "compile_pattern", "find_zone", "format_array", "parse_array"]

find_zone = zones.find_zone

_LETTERS = frozenset("GyYMLdkHmsSEDFwWahKzZXu")
# Letters that are read as a number right after another number obey their count (SimpleDateFormat.shouldObeyCount).
_NUMERIC = frozenset("yYdkHmsSDFwWhKu")
_NUMBER = re.compile(r"-?\d+(?:E-?\d+)?")
_DIGITS = re.compile(r"[0-9]+")
#: From so many ``S`` on they are digits of the fraction of a second.
FRACTION = 4
_FIELD = {
    "d": "day",
    "H": "hour_of_day",
    "m": "minute",
    "s": "second",
    "S": "milli",
    "D": "day_of_year",
    "F": "weekday_in_month",
    "w": "week_of_year",
    "W": "week_of_month",
    "K": "hour",
    "k": "hour_of_day",
    "h": "hour",
    "y": "year",
    "Y": "week_year",
    "M": "month",
    "L": "month",
    "u": "weekday",
}
_MILLI = timedelta(milliseconds=1)
_MINUTES, _MONTHS = (0, 59), (1, 12)
#: The numbers of a letter; beyond them Java counts on into the next larger field. ``h`` 0 is half past midnight.
_RANGE = {
    "M": _MONTHS, "L": _MONTHS, "d": (1, 31), "D": (1, 366), "H": (0, 23), "k": (1, 24), "h": (0, 12), "K": (0, 11),
    "m": _MINUTES, "s": _MINUTES, "S": (0, 999), "w": (1, 53), "W": (0, 6), "F": (-5, 5), "u": (1, 7),
}  # fmt: skip
_BEHIND = {letter: re.compile(shape) for letter, shape in TIME_BEHIND.items()}


class Doubt(Enum):
    """Why a date that a text gave is hardly the one that was meant."""

    OFF_CALENDAR = "off-calendar"
    MISREAD = "date-misread"
    UNREAD = "date-part-unread"


class DatePatternError(ValueError):
    """A malformed date pattern, an unknown letter or an unsupported locale (error 90820 of the language)."""


def _tokens(pattern: str) -> tuple[tuple[str, int], ...]:
    """(letter, count) for fields and (text, 0) for literals."""
    out: list[tuple[str, int]] = []
    i = 0
    quoted = False
    while i < len(pattern):
        c = pattern[i]
        if c == "'":
            if pattern[i + 1 : i + 2] == "'":
                out.append(("'", 0))
                i += 2
                continue
            quoted = not quoted
            i += 1
        elif quoted or not (c.isascii() and c.isalpha()):
            out.append((c, 0))
            i += 1
        else:
            if c not in _LETTERS:
                raise DatePatternError(f'illegal date pattern letter "{c}" in "{pattern}"')
            end = i
            while pattern[end : end + 1] == c:
                end += 1
            if c == "X" and end - i > 3:
                raise DatePatternError(f'illegal date pattern "{pattern}": X has at most 3 letters')
            out.append((c, end - i))
            i = end
    if quoted:
        raise DatePatternError(f'unterminated quote in date pattern "{pattern}"')
    return tuple(out)


@dataclass(frozen=True)
class DatePattern:
    """A compiled SimpleDateFormat pattern.

    ``strptime``/``shape_regex``: for text that fully matches the shape, ``try_strptime(text, strptime)`` gives
    Java's result, or null where the slow path must decide (30 February); ``strptime_zone`` says how to read the
    result: None - a TIMESTAMP in the session zone; "UTC" - a TIMESTAMP in UTC; "offset" - already a TIMESTAMPTZ.
    All three are None when there is no fast path. ``strftime``: DuckDB format that prints a local TIMESTAMP of the
    years 1000 to 9999 as Java does, or None. ``steps``: tokens, and whether a number ends where its count says.
    """

    pattern: str
    locale: str
    century_start: int
    tokens: tuple[tuple[str, int], ...]
    steps: tuple[tuple[str, int, bool], ...]
    names: DateNames
    fast: FastParse | None
    strftime: str | None

    @property
    def strptime(self) -> str | None:
        return None if self.fast is None else self.fast.strptime

    @property
    def shape_regex(self) -> str | None:
        return None if self.fast is None else self.fast.shape

    @property
    def strptime_zone(self) -> str | None:
        return None if self.fast is None else self.fast.zone

    def parse_micros(self, text: str, zone: tzinfo) -> int | None:
        """Microseconds since 1970 UTC, or None when the text does not fit. Further digits of a fraction are cut."""
        found = self._read(text, zone)
        return None if found is None else found[0].result()

    def parse_doubted(self, text: str, zone: tzinfo) -> tuple[int | None, Doubt | None]:
        """What ``parse_micros`` gives, and why that is hardly what the text means; None for most texts.

        >>> compile_pattern("yyyy-MM-dd").parse_doubted("2024-02-30", UTC)[1]
        <Doubt.OFF_CALENDAR: 'off-calendar'>
        >>> compile_pattern("yyyy-MM-dd HH:mm").parse_doubted("2024-02-28 10:20:30", UTC)[1]
        <Doubt.UNREAD: 'date-part-unread'>
        """
        found = self._read(text, zone)
        if found is None:
            return None, None
        reader, at = found
        micros = reader.result()
        if micros is None:
            return None, None
        if reader.misread:
            return micros, Doubt.MISREAD
        if not reader.on_calendar():
            return micros, Doubt.OFF_CALENDAR
        if at < len(text) and self.tokens and (letter := self.tokens[-1][0] if self.tokens[-1][1] else "") in _BEHIND:
            rest = _BEHIND[letter].match(text, at)
            if rest is not None and rest[0].strip("0.,:T ") and not reader.same_in_zone(rest[0].strip(), micros):
                return micros, Doubt.UNREAD
        return micros, None

    def _read(self, text: str, zone: tzinfo) -> tuple[_Reader, int] | None:
        """The fields of a text and where the pattern ends in it; None when it does not fit."""
        reader = _Reader(self, text, zone)
        at = 0
        for token, count, obey in self.steps:
            if count == 0:
                if text[at : at + 1] != token:
                    return None
                at += 1
                continue
            end = reader.field(token, count, at, obey)
            if end is None:
                return None
            at = end
        return reader, at

    def parse(self, text: str, zone: str | tzinfo) -> datetime | None:
        """The instant (aware, UTC) that the text means in ``zone``; None when it does not fit or leaves years 1-9999.

        >>> compile_pattern("yyyy-MM-dd").parse("2020-13-34 and more", "UTC")
        datetime.datetime(2021, 2, 3, 0, 0, tzinfo=datetime.timezone.utc)
        """
        micros = self.parse_micros(text, zones.as_zone(zone))
        return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)

    def format(self, instant: datetime, zone: str | tzinfo) -> str:
        """The instant (aware) as text in ``zone``.

        >>> compile_pattern("yyyy-MM-dd HH:mm:ssZ").format(datetime(2017, 3, 28, 15, tzinfo=UTC), "GMT+08")
        '2017-03-28 23:00:00+0800'
        """
        local = instant.astimezone(zones.as_zone(zone))
        return "".join(token if count == 0 else _PRINT[token](self, local, count) for token, count in self.tokens)


def _obeys(following: tuple[str, int]) -> bool:
    letter, count = following
    return count > 0 and (letter in _NUMERIC or (letter in "ML" and count <= 2))


# --- parsing -----------------------------------------------------------------------------------------------


class _Reader:
    """Reads one text; ``field`` returns the end of a field or None."""

    def __init__(self, pattern: DatePattern, text: str, zone: tzinfo) -> None:
        self.pattern = pattern
        self.text = text
        self.zone = zone
        self.fields = Fields()
        self.ambiguous_year = False
        self.micros = 0  # of a fraction, behind its milliseconds
        self.beyond = ""  # letters whose numbers lie beyond their range
        self.misread = False

    def result(self) -> int | None:
        millis = to_millis(self.fields, self.zone)
        if self.ambiguous_year and millis is not None and millis < self.pattern.century_start:
            later = self.fields.copy()
            later.value["year"] += 100
            millis = to_millis(later, self.zone)
        return None if millis is None else millis * 1000 + self.micros

    def on_calendar(self) -> bool:
        """Whether there is such a day, and such a time of day: 24:00:00 and a second 60 of leap seconds are some."""
        value = self.fields.value
        if self.beyond and not (
            (
                self.beyond == "H"
                and value["hour_of_day"] == 24
                and not any(map(value.get, ("minute", "second", "milli")))
            )
            or (self.beyond == "s" and value["second"] == 60 and value.get("minute") in (29, 59))
        ):
            return False
        return (value.get("day", 1) <= 28 and value.get("day_of_year", 1) <= 365) or day_exists(self.fields)

    def same_in_zone(self, zone: str, micros: int) -> bool:
        """Whether the text means the same instant with this zone (``Z``, ``+09:00``) that the pattern does not read."""
        found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", zone)
        if found is None and zone != "Z":
            return False
        minutes = 0 if found is None else int(found[1] + "1") * (int(found[2]) * 60 + int(found[3]))
        known = self.fields.value.get("offset")
        self.fields.value["offset"] = minutes * 60_000
        same = self.result() == micros
        if known is not None:
            self.fields.value["offset"] = known
        return same

    def field(self, letter: str, count: int, start: int, obey: bool) -> int | None:
        at = start
        text = self.text
        while text[at : at + 1] in (" ", "\t"):
            at += 1
        if at >= len(text):
            return None
        if letter not in _NUMERIC:
            if letter in "GEa" or (letter in "ML" and count > 2):
                return self.name(letter, start)
            if letter in "zZ":
                return self.zone_name(start, at)
            if letter == "X":
                return self.iso_zone(at, count)
        end = len(self.text)
        if obey:
            end = start + count
            if end > len(self.text):
                return None
        if letter == "S" and count >= FRACTION:
            return self.fraction(at, end)
        found = _NUMBER.match(self.text, at, end)
        if found is None:
            return None
        digits = found.end() - at
        if letter == "S" and digits != 3 and found.group().strip("0") and self.text[at - 1 : at] in (".", ","):
            # .5 is half a second and .123456 no two minutes: milliseconds are what a text of three digits means.
            self.misread = True
        elif letter == "y" and count != 2 and digits < 3:
            self.misread = True
        self.number(letter, count, _java_int(found.group()), digits)
        return found.end()

    def fraction(self, at: int, end: int) -> int | None:
        found = _DIGITS.match(self.text, at, end)
        if found is None:
            return None
        micros = int(f"{found.group():0<6}"[:6])
        self.fields.set("milli", micros // 1000)
        self.micros = micros % 1000
        return found.end()

    def number(self, letter: str, count: int, value: int, digits: int) -> None:
        least, most = _RANGE.get(letter, (value, value))
        if not least <= value <= most:
            self.beyond += letter
        if letter in "yY" and count <= 2 and digits == 2 and value >= 0:
            first = local_time(self.pattern.century_start, UTC).year
            self.ambiguous_year = value == first % 100
            value += first // 100 * 100 + (100 if value < first % 100 else 0)
        elif letter in "ML":
            value -= 1
        elif (letter, value) in (("k", 24), ("h", 12)):
            value = 0
        elif letter == "u" and 1 <= value <= 7:
            value = value % 7 + 1
        self.fields.set(_FIELD[letter], value)

    def name(self, letter: str, start: int) -> int | None:
        rest = self.text[start:].lower()
        best = max(
            (item for item in _lower_names(self.pattern.names, letter) if rest.startswith(item[0])),
            key=lambda item: len(item[0]),
            default=None,
        )
        if best is None:
            return None
        field = {"G": "era", "E": "weekday", "a": "half"}.get(letter, "month")
        self.fields.set(field, best[1])
        return start + len(best[0])

    def zone_name(self, start: int, at: int) -> int | None:
        if self.text[at] in "+-":
            return self.offset(at + 1, self.text[at], 0, colon=False)
        if self.text[start : start + 3].upper() == "GMT":
            end = start + 3
            sign = self.text[end : end + 1]
            if sign in ("+", "-"):
                return self.offset(end + 1, sign, 0, colon=True)
            self.fields.value["offset"] = 0
            return end
        found = zones.name_at(self.text, at, self.zone)
        if found is None:
            return None
        end, self.zone, daylight = found
        if daylight is not None:
            self.fields.value["daylight"] = daylight // _MILLI
        return end

    def iso_zone(self, at: int, count: int) -> int | None:
        if self.text[at] == "Z":
            self.fields.value["offset"] = 0
            return at + 1
        if self.text[at] not in "+-":
            return None
        return self.offset(at + 1, self.text[at], count, colon=count == 3)

    def offset(self, at: int, sign: str, count: int, *, colon: bool) -> int | None:
        hour = r"(\d{1,2})" if colon and count == 0 else r"(\d\d)"
        minute = "" if count == 1 else (r":(\d\d)" if colon else r"(\d\d)")
        found = re.compile(hour + minute, re.ASCII).match(self.text, at)
        if found is None:
            return None
        hours, minutes = int(found.group(1)), int(found.group(2)) if minute else 0
        if hours > 23 or minutes > 59:
            return None
        self.fields.value["offset"] = (hours * 60 + minutes) * 60_000 * (1 if sign == "+" else -1)
        return found.end()


@lru_cache(maxsize=64)
def _lower_names(names: DateNames, letter: str) -> tuple[tuple[str, int], ...]:
    return tuple((name.lower(), number) for name, number in names.table(letter))


def _java_int(text: str) -> int:
    """Number.intValue(): 32 bits wrap around; beyond 64 bits the value saturates."""
    mantissa, _, exponent = text.partition("E")
    value = int(mantissa)
    if exponent:
        power = max(min(int(exponent), 400), -400)
        value = value * 10**power if power >= 0 else int(value / 10**-power)
    if not -(2**63) <= value < 2**63:
        return 2**31 - 1 if value > 0 else -(2**31)
    return (value + 2**31) % 2**32 - 2**31


# --- printing ----------------------------------------------------------------------------------------------


def _year(value: int, count: int) -> str:
    return f"{value % 100:02}" if count == 2 else f"{value:0{count}}"


def _month(pattern: DatePattern, local: datetime, count: int) -> str:
    if count >= 4:
        return pattern.names.months[local.month - 1]
    return pattern.names.short_months[local.month - 1] if count == 3 else f"{local.month:0{count}}"


def _weekday(pattern: DatePattern, local: datetime, count: int) -> str:
    return (pattern.names.days if count >= 4 else pattern.names.short_days)[local.isoweekday() % 7]


def _iso_offset(_: DatePattern, local: datetime, count: int) -> str:
    offset = local.utcoffset() or timedelta(0)
    if not offset:
        return "Z"
    text = zones.offset_text(offset, ":" if count == 3 else "")
    return text[:3] if count == 1 else text


def _digits(value: Callable[[datetime], int]) -> Callable[[DatePattern, datetime, int], str]:
    return lambda _, local, count: f"{value(local):0{count}}"


def _fraction(_: DatePattern, local: datetime, count: int) -> str:
    if count < FRACTION:
        return f"{local.microsecond // 1000:0{count}}"
    return f"{local.microsecond:06}".ljust(count, "0")[:count]


_PRINT: dict[str, Callable[[DatePattern, datetime, int], str]] = {
    "G": lambda pattern, *_: pattern.names.era,
    "y": lambda _, local, count: _year(local.year, count),
    "Y": lambda _, local, count: _year(week_of_year(local.date())[0], count),
    "M": _month,
    "L": _month,
    "d": _digits(lambda local: local.day),
    "k": _digits(lambda local: local.hour or 24),
    "H": _digits(lambda local: local.hour),
    "m": _digits(lambda local: local.minute),
    "s": _digits(lambda local: local.second),
    "S": _fraction,
    "E": _weekday,
    "D": _digits(lambda local: local.timetuple().tm_yday),
    "F": _digits(lambda local: (local.day - 1) // 7 + 1),
    "w": _digits(lambda local: week_of_year(local.date())[1]),
    "W": _digits(lambda local: week_of_month(local.date())),
    "a": lambda pattern, local, _: pattern.names.halves[local.hour // 12],
    "h": _digits(lambda local: local.hour % 12 or 12),
    "K": _digits(lambda local: local.hour % 12),
    "z": lambda _, local, count: zones.display_name(local, long=count >= 4),
    "Z": lambda _, local, __: zones.offset_text(local.utcoffset() or timedelta(0), ""),
    "X": _iso_offset,
    "u": _digits(lambda local: local.isoweekday()),
}


# --- public ------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _compile(pattern: str, locale: str, century_start: int) -> DatePattern:
    try:
        names = names_of(locale)
    except LookupError as reason:
        raise DatePatternError(str(reason)) from None
    tokens = _tokens(pattern)
    return DatePattern(
        pattern=pattern,
        locale=locale,
        century_start=century_start,
        tokens=tokens,
        steps=tuple((*token, _obeys(after)) for token, after in zip(tokens, (*tokens[1:], ("", 0)), strict=False)),
        names=names,
        fast=fast_parse(tokens, names),
        strftime=strftime_format(tokens, names),
    )


def compile_pattern(pattern: str, locale: str = "en", *, today: datetime | None = None) -> DatePattern:
    """Check and compile a SimpleDateFormat pattern; raises :class:`DatePatternError`.

    ``locale`` is a language code of CLDR (en, ko, fr, pt_BR); ``today`` (aware) fixes the two-digit year window,
    default now.

    >>> compile_pattern("yyyyMMdd").strptime, compile_pattern("dd/MMM/yyyy").strftime
    ('%Y%m%d', '%d/%b/%Y')
    """
    now = today or datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = now.replace(year=now.year - 80, day=min(now.day, 28))
    return _compile(pattern, locale, (start - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLI)


def parse_array(values: pa.Array | pa.ChunkedArray, pattern: DatePattern, zone: str | tzinfo) -> pa.TimestampArray:
    """A text column as instants, type timestamp[us, UTC]; null, empty and unfitting text give null.

    >>> parse_array(pa.array(["2011-02-21", "x", None]), compile_pattern("yyyy-MM-dd"), "Asia/Seoul").to_pylist()[1:]
    [None, None]
    """
    where = zones.as_zone(zone)
    return map_distinct(values, lambda text: pattern.parse_micros(text, where), pa.int64()).cast(
        pa.timestamp("us", tz="UTC")
    )


def parse_doubted(
    values: Column, pattern: DatePattern, zone: str | tzinfo
) -> tuple[pa.TimestampArray, dict[Doubt, list[int]]]:
    """What ``parse_array`` gives, and the rows whose dates are hardly what the texts mean, by why."""
    where = zones.as_zone(zone)
    encoded = pc.dictionary_encode(as_array(values))
    read = [pattern.parse_doubted(text, where) for text in encoded.dictionary.to_pylist()]
    instants = pa.array([micros for micros, _ in read], pa.int64()).take(encoded.indices)
    rows: dict[Doubt, list[int]] = {}
    for doubt in Doubt if any(doubt for _, doubt in read) else ():
        met = pa.array([number for number, (_, found) in enumerate(read) if found is doubt], pa.int32())
        if len(met):
            at = pc.is_in(encoded.indices, value_set=met)
            rows[doubt] = pc.indices_nonzero(at).to_pylist()
    return instants.cast(pa.timestamp("us", tz="UTC")), rows


def format_array(values: pa.Array | pa.ChunkedArray, pattern: DatePattern, zone: str | tzinfo) -> pa.StringArray:
    """A timestamp column (instants; without a zone: UTC) as text in ``zone``; null and years outside 1-9999 give null.

    >>> days = pa.array([0, None], pa.timestamp("us", tz="UTC"))
    >>> format_array(days, compile_pattern("D HH:mm"), "Asia/Seoul").to_pylist()
    ['1 09:00', None]
    """
    where = zones.as_zone(zone)
    flat = as_array(values).cast(pa.timestamp("us"))
    if any(letter == "S" and count >= FRACTION for letter, count in pattern.tokens):
        micros = flat.cast(pa.int64())
    else:  # what is not printed must not make values distinct
        micros = pc.floor_temporal(flat, unit="millisecond").cast(pa.int64())

    def text(value: int) -> str | None:
        try:
            return pattern.format(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value), where)
        except (OverflowError, ValueError):
            return None

    return map_distinct(micros, text, pa.string())
