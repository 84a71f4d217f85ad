"""Units of time and types of values as other languages call them."""

from __future__ import annotations

import re

#: Units of other languages -> of spans, of dateadd().
UNITS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("s", "sec")),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "mi", "n"), ("m", "min")),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "hh"), ("h", "hour")),
    **dict.fromkeys(("d", "day", "days", "dd"), ("d", "day")),
    **dict.fromkeys(("w", "week", "weeks", "wk"), ("w", "week")),
    **dict.fromkeys(("mon", "month", "months", "mth", "mo", "mm"), ("mon", "mon")),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years", "yy", "yyyy"), ("y", "year")),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("ms", "msec")),
}
#: Words for a moment.
MOMENTS = {"now": "now()", "today": 'datetrunc(now(), "1d")', "@d": 'datetrunc(now(), "1d")'}


def moved(value: str, sign: str, amount: str, unit: str) -> str | None:
    """A date moved by a span: ``now() - 1h`` is ``ago("1h")``; None for a unit that is none."""
    spans = UNITS.get(unit if unit == "M" else unit.lower())
    if unit == "M" or spans is None:
        spans = ("mon", "mon") if unit == "M" else None
    if spans is None:
        return None
    if value.replace(" ", "") == "now()" and sign == "-" and spans[0] != "ms":
        return f'ago("{amount}{spans[0]}")'
    if spans[1] == "week":
        amount, spans = str(int(amount) * 7), ("d", "day")
    return f'dateadd({value}, "{spans[1]}", {"-" if sign == "-" else ""}{amount})'


_ISO = {"Y": "y", "M": "mon", "W": "w", "D": "d", "TH": "h", "TM": "m", "TS": "s"}


def span_here(written: str) -> str | None:
    """A time span as it is written here: ``5minutes``, ``-24h@h``, ``hour``, ``PT5M``; None for none.

    >>> [span_here(t) for t in ("5min", "-24h@h", "hour", "PT5M", "P1M", "1M", "auto")]
    ['5m', '24h', '1h', '5m', '1mon', '1mon', None]
    """
    if iso := re.fullmatch(r"P(T?)(\d+)([YMWDHS])", written.strip()):
        unit = _ISO.get(iso[1] + iso[3]) or _ISO.get(iso[3])
        return None if unit is None else f"{iso[2]}{unit}"
    found = re.fullmatch(r"\s*-?\s*(\d{0,18})\s*([A-Za-z]+)\s*(?:@\w+)?\s*", written)
    if found is None:
        return None
    units = ("mon", "mon") if found[2] == "M" else UNITS.get(found[2].lower())
    return None if units is None or units[0] == "ms" else f"{int(found[1] or 1)}{units[0]}"


#: Types of other languages -> what makes a value of it.
_TYPES = {
    **dict.fromkeys(("int", "integer", "smallint", "tinyint", "int4"), "int({})"),
    **dict.fromkeys(("bigint", "long", "int8", "number", "unsigned"), "long({})"),
    **dict.fromkeys(("double", "float", "real", "decimal", "numeric", "float8"), "double({})"),
    **dict.fromkeys(("varchar", "text", "string", "char", "keyword", "nvarchar"), "string({})"),
    **dict.fromkeys(("timestamp", "datetime", "timestamptz"), 'date({}, "yyyy-MM-dd HH:mm:ss")'),
    "date": 'date({}, "yyyy-MM-dd")',
    **dict.fromkeys(("ip", "inet"), "ip({})"),
    **dict.fromkeys(("boolean", "bool"), '{} == "true"'),
}


def cast(value: str, kind: str) -> str | None:
    """The call that makes a value of a type of another language."""
    made = _TYPES.get(kind.lower())
    return None if made is None else made.format(value)
