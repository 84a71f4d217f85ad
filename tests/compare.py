"""Are two results the same? The comparison rules of tests/conformance/README.md and FUNCTIONS.md.

Rows are dicts of Python values on both sides: what a case file says (dates as local ISO text, addresses as text,
binary as hex) or what an engine returns (aware datetimes, bytes, ...). Null is the same as absent, numbers compare by
value with |a-b| <= 1e-9 * max(1, |a|, |b|), booleans are no numbers, text compares exactly, lists by position, maps by
key. Without an order rows are compared as a multiset.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]

_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d+)")


@lru_cache(maxsize=16)
def _zone(tz: str) -> ZoneInfo:
    return ZoneInfo(tz)


def _iso(d: dt.datetime, tz: str) -> str:
    if d.tzinfo is not None:
        d = d.astimezone(_zone(tz)).replace(tzinfo=None)
    head = d.strftime("%Y-%m-%dT%H:%M:%S") if d.year > 999 else d.isoformat(timespec="seconds")
    if not d.microsecond:
        return head
    return head + "." + (f"{d.microsecond // 1000:03d}" if d.microsecond % 1000 == 0 else f"{d.microsecond:06d}")


def canonical(value: Any, tz: str) -> Any:
    """The form in which values compare: None, bool, int, float, str, list or dict without null entries."""
    if value is None or isinstance(value, (bool, str)):
        if isinstance(value, str) and "T" in value and (m := _ISO.fullmatch(value)):
            fraction = m[2].rstrip("0")
            return m[1] + ("." + fraction.ljust(3, "0") if fraction else "")
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else float(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime):
        return _iso(value, tz)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, Mapping):
        return {str(k): canonical(v, tz) for k, v in value.items() if v is not None}
    if isinstance(value, Sequence):
        return [canonical(v, tz) for v in value]
    if hasattr(value, "item") and hasattr(value, "dtype"):
        return canonical(value.item(), tz)
    return str(value)


def _number(v: Any) -> bool:
    return isinstance(v, (int, float)) and not isinstance(v, bool)


def same(a: Any, b: Any) -> bool:
    """Equality of two canonical values."""
    if _number(a) and _number(b):
        if a == b:
            return True
        if isinstance(a, int) and isinstance(b, int):
            return False
        return bool(abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b)))
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    return bool(a == b)


def _rough(v: Any) -> str:
    """Text under which equal values nearly always sort next to each other (numbers to six digits)."""
    if _number(v):
        return f"0{float(v) + 0.0:.6g}" if abs(v) > 1e-9 else "00"
    if isinstance(v, list):
        return "[" + ",".join(_rough(x) for x in v) + "]"
    if isinstance(v, dict):
        return "{" + ",".join(f"{k}:{_rough(x)}" for k, x in sorted(v.items())) + "}"
    return f"{type(v).__name__}{v}"


def _show(row: Any) -> str:
    s = json.dumps(row, ensure_ascii=False, default=str)
    return s if len(s) <= 600 else s[:600] + "..."


def _difference(i: int, a: dict[str, Any], b: dict[str, Any]) -> str | None:
    for k in [*a, *(k for k in b if k not in a)]:
        if not same(a.get(k), b.get(k)):
            values = f"expected {_show(a.get(k))}, got {_show(b.get(k))}"
            return f"row {i}, column {k!r}: {values}\n  expected row {_show(a)}\n  got row      {_show(b)}"
    return None


def rows_equal(expected: Sequence[Row], actual: Sequence[Row], ordered: bool, tz: str) -> str | None:
    """None if the rows are equal, else a text that names the first difference."""
    want = [canonical(r, tz) for r in expected]
    got = [canonical(r, tz) for r in actual]
    if len(want) != len(got):
        return f"expected {len(want)} rows, got {len(got)}\n  expected {_show(want[:5])}\n  got      {_show(got[:5])}"
    if not ordered:
        want.sort(key=_rough)
        got.sort(key=_rough)
    if all(same(a, b) for a, b in zip(want, got, strict=True)):
        return None
    if ordered:
        return next(d for i, (a, b) in enumerate(zip(want, got, strict=True)) if (d := _difference(i, a, b)))
    left = list(got)
    for i, a in enumerate(want):
        hit = next((j for j, b in enumerate(left) if same(a, b)), None)
        if hit is None:
            near = min(left, key=lambda b, a=a: sum(not same(a.get(k), b.get(k)) for k in {*a, *b}))  # type: ignore[misc]
            return _difference(i, a, near)
        left.pop(hit)
    return None


def values_equal(expected: Any, actual: Any, tz: str, unordered: bool = False) -> str | None:
    """None if two single values are equal; ``unordered`` compares lists as multisets."""
    a, b = canonical(expected, tz), canonical(actual, tz)
    if unordered and isinstance(a, list) and isinstance(b, list):
        a, b = sorted(a, key=_rough), sorted(b, key=_rough)
    return None if same(a, b) else f"expected {_show(a)}, got {_show(b)}"
