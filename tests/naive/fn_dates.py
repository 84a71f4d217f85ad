"""Date functions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from .errors import NaiveError
from .evaluate import Binder, Fn, Simple, check_arity
from .javadate import Span, parse_date, parse_pattern, parse_span, shift, truncate
from .syntax import Call, Node
from .values import EPOCH, Ctx, Long, Row, Value, from_millis, is_int, millis, text, to_local

_UNITS = {"year": "y", "mon": "mon", "day": "d", "hour": "h", "min": "m", "sec": "s"}
_LENGTHS = {
    "year": 31_536_000_000, "mon": 2_592_000_000, "day": 86_400_000, "hour": 3_600_000, "min": 60_000, "sec": 1000,
    "msec": 1,
}  # fmt: skip


def _date(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 3)
    pattern = b.const(node.args[1], "date format pattern")
    if not isinstance(pattern, str):
        raise NaiveError("90820", "invalid date format pattern", "date: the pattern must be text")
    parse_pattern(pattern)
    locale = b.const(node.args[2], "date locale") if len(node.args) == 3 else "en"
    x = b.bind(node.args[0])
    ctx = b.ctx

    def run(row: Row) -> Value:
        s = text(ctx, x(row))
        return parse_date(ctx, s, pattern, str(locale)) if s else None

    return run


def _epoch(ctx: Ctx, v: Value) -> Value:
    if isinstance(v, str):
        digits = v[1:] if v[:1] in ("-", "+") else v
        v = Long(int(v)) if digits.isascii() and digits.isdigit() else None
    if not is_int(v):
        return None
    ms = int(v) if int(v) * 1000 >= 253402300799000 else int(v) * 1000
    d = from_millis(ms)
    if d is None:
        ctx.note("date outside the years 1 to 9999")
    return d


def _dateadd(b: Binder, node: Call) -> Fn:
    check_arity(node, 3, 3)
    unit = b.const(node.args[1], "dateadd unit")
    if unit not in _UNITS and unit != "msec":
        raise NaiveError("90621", "invalid-dateadd-calendar-field", f"dateadd: unit {unit}")
    amount = b.const(node.args[2], "dateadd time")
    if not is_int(amount):
        raise NaiveError("90622", "invalid-dateadd-time", "dateadd: the time must be an integer constant")
    x = b.bind(node.args[0])
    ctx = b.ctx

    def run(row: Row) -> Value:
        d = x(row)
        if not isinstance(d, datetime):
            return None
        try:
            if unit == "msec":
                return d + timedelta(milliseconds=int(amount))
            return shift(ctx, d, Span(abs(int(amount)), _UNITS[unit]), -1 if amount < 0 else 1)
        except (OverflowError, ValueError):
            ctx.note("date outside the years 1 to 9999")
            return None

    return run


def _datediff(b: Binder, node: Call) -> Fn:
    check_arity(node, 3, 3)
    unit = b.const(node.args[2], "datediff unit")
    if unit not in _LENGTHS:
        raise NaiveError("90631", "invalid-datediff-unit", f"datediff: unit {unit}")
    x, y = b.bind(node.args[0]), b.bind(node.args[1])

    def run(row: Row) -> Value:
        a, z = x(row), y(row)
        if not isinstance(a, datetime) or not isinstance(z, datetime):
            return None
        ms = millis(z) - millis(a)
        return Long((1 if ms >= 0 else -1) * (abs(ms) // _LENGTHS[unit]))

    return run


_PARTS: dict[str, Callable[[datetime], int]] = {
    "century": lambda d: (d.year - 1) // 100 + 1,
    "millennium": lambda d: (d.year - 1) // 1000 + 1,
    "millenium": lambda d: (d.year - 1) // 1000 + 1,
    "decade": lambda d: d.year // 10,
    "year": lambda d: d.year,
    "quarter": lambda d: (d.month + 2) // 3,
    "mon": lambda d: d.month,
    "month": lambda d: d.month,
    "day": lambda d: d.day,
    "doy": lambda d: d.timetuple().tm_yday,
    "dow": lambda d: d.isoweekday() % 7,
    "weekday": lambda d: d.isoweekday() % 7 + 1,
    "isodow": lambda d: d.isoweekday(),
    "isoyear": lambda d: d.isocalendar()[0],
    "week": lambda d: d.isocalendar()[1],
    "hour": lambda d: d.hour,
    "min": lambda d: d.minute,
    "minute": lambda d: d.minute,
    "sec": lambda d: d.second,
    "seconds": lambda d: d.second,
    "msec": lambda d: d.microsecond // 1000,
    "milliseconds": lambda d: d.second * 1000 + d.microsecond // 1000,
    "microseconds": lambda d: d.second * 1_000_000 + d.microsecond // 1000 * 1000,
}


def _datepart(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 2)
    part = b.const(node.args[1], "datepart type")
    zone_parts = {"timezone": 1, "timezone_hour": 3600, "timezone_minute": 60}
    if part not in _PARTS and part not in zone_parts and part != "epoch":
        raise NaiveError("90881", "invalid-datepart-type", f"datepart: unknown part {part}")
    x = b.bind(node.args[0])
    ctx = b.ctx

    def run(row: Row) -> Value:
        d = x(row)
        if not isinstance(d, datetime):
            return None
        if part == "epoch":
            return Long(millis(d) // 1000)
        if part in zone_parts:
            offset = d.astimezone(ctx.tz).utcoffset() or timedelta(0)
            seconds = int(offset.total_seconds())
            if seconds < 0 and part != "timezone":
                ctx.note("parts of a negative zone offset")
            return seconds % 3600 // 60 if part == "timezone_minute" else seconds // zone_parts[part]
        return _PARTS[part](to_local(ctx, d))

    return run


def _span(b: Binder, node: Node, what: str) -> Span:
    value = b.const(node, f"{what} span")
    if not isinstance(value, str):
        raise NaiveError("90500", "invalid-timespan", f"{what}: the span must be text")
    return parse_span(value, what)


def _datetrunc(b: Binder, node: Call) -> Fn:
    named = dict(node.named)
    args = [*node.args[:1], *(node.args[1:2] or [n for n in (named.get("span"),) if n is not None])]
    args += node.args[2:] or [n for n in (named.get("offset"),) if n is not None]
    if set(named) - {"span", "offset"} or not 2 <= len(args) <= 3:
        raise NaiveError("99000", "datetrunc-arg-missing", "datetrunc: a span argument is required")
    span = _span(b, args[1], "datetrunc")
    offset = _span(b, args[2], "datetrunc") if len(args) == 3 else None
    x = b.bind(args[0])
    ctx = b.ctx

    def run(row: Row) -> Value:
        d = x(row)
        return truncate(ctx, d, span, offset) if isinstance(d, datetime) else None

    return run


def _daterange(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 3)
    span = _span(b, node.args[2], "daterange") if len(node.args) == 3 else Span(1, "d")
    x, y = b.bind(node.args[0]), b.bind(node.args[1])
    ctx = b.ctx

    def run(row: Row) -> Value:
        a, z = x(row), y(row)
        if not isinstance(a, datetime) or not isinstance(z, datetime):
            return None
        out: list[datetime] = []
        while True:
            d = shift(ctx, a, Span(span.amount * len(out), span.unit))
            if d >= z:
                return out
            out.append(d)
            if len(out) > 100_000:
                raise NaiveError("90871", "daterange-limit-exceeded", "daterange: more than 100,000 items")

    return run


def _now(ctx: Ctx) -> datetime:
    ctx.note("now")
    return EPOCH + timedelta(milliseconds=millis(ctx.now))


def _ago(b: Binder, node: Call) -> Fn:
    check_arity(node, 1, 1)
    span = _span(b, node.args[0], "ago")
    ctx = b.ctx
    return lambda row: shift(ctx, _now(ctx), span, -1)


SIMPLE: dict[str, Simple] = {"epoch": (1, 1, _epoch), "now": (0, 0, _now)}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {
    "date": _date,
    "dateadd": _dateadd,
    "datediff": _datediff,
    "datepart": _datepart,
    "datetrunc": _datetrunc,
    "daterange": _daterange,
    "ago": _ago,
}
