"""``SimpleDateFormat`` as the language documents it: lenient parsing and formatting (section 6), plus time spans.

Letters that depend on a locale's week rules are supported no further than the specification describes them; using one
is noted on the context.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from .errors import NaiveError
from .values import Ctx, from_local, millis, to_local

LETTERS = set("GyYMLwWDdEFuaHkKhmsSzZX")
MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]  # fmt: skip
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
KO_DAYS = ["월요일", "화요일", "수요일", "목요일", "금요일", "토요일", "일요일"]


@dataclass(frozen=True)
class Token:
    """A field (``letter`` repeated ``count`` times) or literal text."""

    letter: str
    count: int
    literal: str = ""


@lru_cache(maxsize=1024)
def parse_pattern(pattern: str) -> tuple[Token, ...]:
    """Tokens of a date pattern; an unknown letter or an open quote is refused (90820)."""
    tokens: list[Token] = []
    i = 0
    while i < len(pattern):
        c = pattern[i]
        if c == "'":
            if pattern[i : i + 2] == "''":
                tokens.append(Token("", 0, "'"))
                i += 2
                continue
            end = pattern.find("'", i + 1)
            if end < 0:
                raise NaiveError("90820", "invalid date format pattern", pattern)
            tokens.append(Token("", 0, pattern[i + 1 : end]))
            i = end + 1
        elif c.isascii() and c.isalpha():
            if c not in LETTERS:
                raise NaiveError("90820", "invalid date format pattern", pattern)
            end = i
            while end < len(pattern) and pattern[end] == c:
                end += 1
            tokens.append(Token(c, end - i))
            i = end
        else:
            tokens.append(Token("", 0, c))
            i += 1
    return tuple(tokens)


def format_date(ctx: Ctx, d: datetime, pattern: str, zone: tzinfo | None = None, locale: str = "en") -> str:
    """Text of an instant in the configured (or the given) zone."""
    local = d.astimezone(zone or ctx.tz)
    return "".join(t.literal if not t.letter else _format_field(ctx, t, local, locale) for t in parse_pattern(pattern))


def _format_field(ctx: Ctx, t: Token, d: datetime, locale: str) -> str:
    n = t.count
    ko = locale == "ko"
    if t.letter in "ML" and n >= 3:
        return f"{d.month}월" if ko else MONTHS[d.month - 1] if n > 3 else MONTHS[d.month - 1][:3]
    if t.letter == "E":
        name = KO_DAYS[d.weekday()] if ko else DAYS[d.weekday()]
        return name if n > 3 else name[: 1 if ko else 3]
    if t.letter == "a":
        return ("오전", "오후")[d.hour >= 12] if ko else ("AM", "PM")[d.hour >= 12]
    if t.letter in "ZX":
        return _offset(d, t)
    if t.letter in "GzwWFY":
        ctx.note("date letters with rules of their own")
        if t.letter == "G":
            return "AD"
        if t.letter == "z":
            return d.tzname() or ""
    if t.letter == "y" and n == 2:
        return f"{d.year % 100:02d}"
    numbers = {
        "y": d.year, "Y": d.year, "M": d.month, "L": d.month, "d": d.day, "H": d.hour, "k": d.hour or 24,
        "K": d.hour % 12, "h": d.hour % 12 or 12, "m": d.minute, "s": d.second, "S": d.microsecond // 1000,
        "D": d.timetuple().tm_yday, "u": d.isoweekday(), "w": d.isocalendar()[1], "W": (d.day - 1) // 7 + 1,
        "F": (d.day - 1) // 7 + 1,
    }  # fmt: skip
    return f"{numbers[t.letter]:0{n}d}"


def _offset(d: datetime, t: Token) -> str:
    delta = d.utcoffset() or timedelta(0)
    minutes = int(delta.total_seconds()) // 60
    sign = "-" if minutes < 0 else "+"
    hours, rest = divmod(abs(minutes), 60)
    if t.letter == "X":
        if minutes == 0:
            return "Z"
        return f"{sign}{hours:02d}" + {1: "", 2: f"{rest:02d}"}.get(t.count, f":{rest:02d}")
    return f"{sign}{hours:02d}{rest:02d}"


def parse_date(ctx: Ctx, text: str, pattern: str, locale: str = "en") -> datetime | None:
    """Lenient parse: fields overflow, text after the match is ignored, a mismatch is None."""
    fields: dict[str, int] = {}
    tokens = parse_pattern(pattern)
    pos = 0
    for i, t in enumerate(tokens):
        if not t.letter:
            if not text.startswith(t.literal, pos):
                return None
            pos += len(t.literal)
            continue
        while text[pos : pos + 1] in (" ", "\t"):
            pos += 1
        fixed = t.count if i + 1 < len(tokens) and tokens[i + 1].letter else None
        found = _parse_field(ctx, t, text, pos, fixed, fields, locale)
        if found is None:
            return None
        pos = found
    return _resolve(ctx, fields)


def _names(text: str, pos: int, candidates: list[str]) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    for i, name in enumerate(candidates):
        if text[pos : pos + len(name)].lower() == name.lower() and (best is None or len(name) > best[1]):
            best = (i, len(name))
    return None if best is None else (best[0], pos + best[1])


def _parse_field(
    ctx: Ctx, t: Token, text: str, pos: int, fixed: int | None, fields: dict[str, int], locale: str
) -> int | None:
    ko = locale == "ko"
    named: list[str] | None = None
    if t.letter in "ML" and t.count >= 3:
        named = [f"{i}월" for i in range(1, 13)] if ko else MONTHS + [m[:3] for m in MONTHS]
    elif t.letter == "E":
        named = KO_DAYS + [d[:1] for d in KO_DAYS] if ko else DAYS + [d[:3] for d in DAYS]
    elif t.letter == "a":
        named = ["오전", "오후"] if ko else ["AM", "PM"]
    if named is not None:
        hit = _names(text, pos, named)
        if hit is None:
            return None
        letter = "M" if t.letter == "L" else t.letter
        fields[letter] = hit[0] % {"M": 12, "E": 7}.get(letter, 2)
        return hit[1]
    if t.letter in "zZX":
        return _parse_zone(t, text, pos, fields)
    if t.letter in "GwWFuY":
        ctx.note("date letters with rules of their own")
        return None
    if fixed is not None and pos + fixed > len(text):
        return None
    m = re.compile(r"[0-9]+").match(text, pos, pos + fixed if fixed else len(text))
    if m is None:
        return None
    number = int(m.group())
    if t.letter == "y" and t.count <= 2 and len(m.group()) == 2:
        year = ctx.now.astimezone(ctx.tz).year
        number += (year - 80) // 100 * 100
        number += 100 if number < year - 80 else 0
    fields[t.letter] = number - 1 if t.letter in "ML" else number
    if t.letter == "L":
        fields["M"] = fields.pop("L")
    return m.end()


def _parse_zone(t: Token, text: str, pos: int, fields: dict[str, int]) -> int | None:
    if t.letter == "X" and text[pos : pos + 1] == "Z":
        fields["Z"] = 0
        return pos + 1
    shapes = {"Z": r"([+-])(\d\d):?(\d\d)", "z": r"(?:GMT|UTC)?([+-])(\d\d?):?(\d\d)"}
    shape = shapes.get(t.letter) or (r"([+-])(\d\d)()" if t.count == 1 else r"([+-])(\d\d):?(\d\d)")
    m = re.compile(shape).match(text, pos)
    if m:
        minutes = int(m[2]) * 60 + int(m[3] or 0)
        fields["Z"] = -minutes if m[1] == "-" else minutes
        return m.end()
    if t.letter in "zZ" and text[pos : pos + 3] in ("GMT", "UTC"):
        fields["Z"] = 0
        return pos + 3
    return None


def _resolve(ctx: Ctx, f: dict[str, int]) -> datetime | None:
    hour = f.get("H", 0)
    if "k" in f:
        hour = f["k"] % 24
    if "h" in f or "K" in f:
        hour = (f["h"] % 12 if "h" in f else f["K"]) + 12 * f.get("a", 0)
    month = f.get("M", 0)
    year = f.get("y", 1970) + month // 12
    try:
        if "D" in f and "d" not in f:
            day = datetime(f.get("y", 1970), 1, 1) + timedelta(days=f["D"] - 1)
        else:
            day = datetime(year, month % 12 + 1, 1) + timedelta(days=f.get("d", 1) - 1)
        wall = day + timedelta(hours=hour, minutes=f.get("m", 0), seconds=f.get("s", 0), milliseconds=f.get("S", 0))
        if "Z" in f:
            return (wall - timedelta(minutes=f["Z"])).replace(tzinfo=UTC)
        return from_local(ctx, wall)
    except (ValueError, OverflowError):
        ctx.note("date outside the years 1 to 9999")
        return None


def zone_of(name: str) -> tzinfo | None:
    """Zone of ``string(date, format, zone)``: ``GMT+08`` forms and region names; None if it is a locale."""
    m = re.fullmatch(r"(?:GMT|UTC)([+-])(\d\d?)(?::?(\d\d))?", name)
    if m:
        delta = timedelta(hours=int(m[2]), minutes=int(m[3] or 0))
        return timezone(-delta if m[1] == "-" else delta)
    if name in ("GMT", "UTC") or "/" in name:
        return ZoneInfo(name)
    return None


@dataclass(frozen=True)
class Span:
    """``INT{s|m|h|d|w|mon|y}``."""

    amount: int
    unit: str


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_span(source: str, what: str = "span") -> Span:
    """Span of an option or argument; errors 90500, 90501, 90502."""
    m = re.fullmatch(r"(\d+)([A-Za-z]+)", source.strip())
    if m is None:
        raise NaiveError("90500", "invalid-timespan", f"{what}: {source}")
    amount, unit = int(m[1]), m[2].lower()
    if unit not in SECONDS and unit not in ("mon", "y"):
        raise NaiveError("90502", "invalid time unit", f"{what} span unit {source}")
    if unit == "mon" and amount not in (1, 2, 3, 4, 6):
        raise NaiveError("90500", "invalid-timespan", f"{what} span {source}: mon must be 1, 2, 3, 4 or 6")
    if unit == "y" and amount != 1:
        raise NaiveError("90501", "year should be 1", f"{what} span {source}")
    if amount == 0:
        raise NaiveError("90500", "invalid-timespan", f"{what} span {source}")
    return Span(amount, unit)


def add_months(wall: datetime, months: int) -> datetime:
    """Calendar addition; the day is clamped to the end of the month."""
    total = wall.year * 12 + wall.month - 1 + months
    year, month = divmod(total, 12)
    for day in range(wall.day, 0, -1):
        try:
            return wall.replace(year=year, month=month + 1, day=day)
        except ValueError:
            if day <= 28:
                raise
    raise AssertionError


def shift(ctx: Ctx, d: datetime, span: Span, sign: int = 1) -> datetime:
    """Instant moved by a span: months, years, days and weeks on the calendar, the rest in elapsed time."""
    if span.unit in ("mon", "y"):
        months = span.amount * (12 if span.unit == "y" else 1) * sign
        return from_local(ctx, add_months(to_local(ctx, d), months))
    if span.unit in ("d", "w"):
        days = span.amount * (7 if span.unit == "w" else 1) * sign
        return from_local(ctx, to_local(ctx, d) + timedelta(days=days))
    return d + timedelta(seconds=SECONDS[span.unit] * span.amount * sign)


def truncate(ctx: Ctx, d: datetime, span: Span, offset: Span | None = None) -> datetime:
    """Bucket start: ``trunc(t - offset) + offset`` in local time (section 6)."""
    if offset is not None:
        return shift(ctx, truncate(ctx, shift(ctx, d, offset, -1), span), offset)
    wall = to_local(ctx, d)
    if span.unit == "y":
        return from_local(ctx, datetime(wall.year, 1, 1))
    if span.unit == "mon":
        first = (wall.month - 1) // span.amount * span.amount + 1
        return from_local(ctx, datetime(wall.year, first, 1))
    base = datetime(1969, 12, 29) if span.unit == "w" else datetime(1970, 1, 1)
    step = SECONDS[span.unit] * span.amount * 1000
    ms = millis(wall.replace(tzinfo=UTC)) - millis(base.replace(tzinfo=UTC))
    return from_local(ctx, base + timedelta(milliseconds=ms // step * step))
