"""Values of the language as plain Python objects, and the rules that hold for every value.

string=str, 32-bit integer=int, 64-bit integer=Long, double=float, bool, date=aware UTC datetime with milliseconds,
address=Ip, binary=bytes, list=list, map=dict, null=None. Two marker types carry what the language leaves open:
``AnyInt`` (an integer whose width is not fixed) and ``Loose`` (a double known only up to the last digits, or one
that may as well be an integer). Whenever a query observes something the specification leaves open, ``Ctx.note``
remembers the reason, so that a generated case which does so can be thrown away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cmp_to_key
from typing import Any

Value = Any
Row = dict[str, Any]

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Long(int):
    """64-bit integer."""


class AnyInt(int):
    """Integer whose width the specification does not fix (``range``, ``sumarray``, ``floor(531, -1)``)."""


class Loose(float):
    """Double that two correct implementations may print differently (sums of fractions, ``sin``, percentiles)."""


@dataclass(frozen=True)
class Ip:
    """IPv4 (4 bytes) or IPv6 (16 bytes) address."""

    packed: bytes

    @property
    def version(self) -> int:
        return 4 if len(self.packed) == 4 else 6

    def __str__(self) -> str:
        if self.version == 4:
            return ".".join(str(b) for b in self.packed)
        return ":".join(f"{self.packed[i] * 256 + self.packed[i + 1]:x}" for i in range(0, 16, 2))


@dataclass
class Ctx:
    """State of one run: zone, parameters, and the reasons why its result is not fixed by the specification."""

    tz: tzinfo
    params: dict[str, Value] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    columns: dict[str, list[str]] = field(default_factory=dict)
    lookups: dict[str, dict[str, Row]] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    contexts: Any = None

    def note(self, reason: str) -> None:
        """Remember that the result depends on something the specification leaves open."""
        self.notes.add(reason)

    def subcontext(self) -> Ctx:
        """Context of a subquery: own copy of the parameters, everything else shared."""
        return Ctx(self.tz, dict(self.params), self.notes, self.tables, self.columns, self.lookups, self.now)


def is_int(v: Value) -> bool:
    return isinstance(v, int) and not isinstance(v, bool)


def is_num(v: Value) -> bool:
    return is_int(v) or isinstance(v, float)


def millis(d: datetime) -> int:
    """Milliseconds since 1970, exact."""
    delta = d - EPOCH
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def from_millis(ms: int) -> datetime | None:
    try:
        return EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return None


def to_local(ctx: Ctx, d: datetime) -> datetime:
    """Naive wall time in the configured zone."""
    return d.astimezone(ctx.tz).replace(tzinfo=None)


def from_local(ctx: Ctx, wall: datetime) -> datetime:
    """Instant of a wall time; a wall time that a clock change skips or repeats is noted."""
    aware = wall.replace(tzinfo=ctx.tz)
    instant = aware.astimezone(UTC)
    if to_local(ctx, instant) != wall or aware.utcoffset() != aware.replace(fold=1).utcoffset():
        ctx.note("wall time inside a clock change")
    return instant


def java_double(x: float) -> str:
    """``Double.toString``: shortest digits, at least one after the point, scientific outside 1e-3..1e7."""
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    if x == 0 or 1e-3 <= abs(x) < 1e7:
        return repr(float(x)) if "e" not in repr(float(x)) else f"{float(x):f}"
    exp = f"{float(x):e}".split("e")[1]
    short = repr(float(x))
    mantissa = short.split("e")[0] if "e" in short else None
    if mantissa is None:
        sign = "-" if x < 0 else ""
        plain = short.lstrip("-").replace(".", "").strip("0") or "0"
        mantissa = sign + plain[0] + "." + (plain[1:] or "0")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}E{int(exp)}"


def text(ctx: Ctx, v: Value) -> str | None:
    """Section 3.5: the text form of a value, None for null."""
    if v is None or isinstance(v, str):
        return v
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(int(v))
    if isinstance(v, float):
        if isinstance(v, Loose):
            ctx.note("text of a double that is known only approximately")
        if v and not 1e-3 <= abs(v) < 1e7:
            ctx.note("text of a double outside 0.001 to 10,000,000")
        return java_double(v)
    if isinstance(v, datetime):
        local = v.astimezone(ctx.tz)
        return local.strftime("%Y-%m-%d %H:%M:%S%z")
    if isinstance(v, Ip):
        return str(v)
    ctx.note(f"text of a {type(v).__name__}")
    if isinstance(v, list):
        return "[" + ", ".join(str(text(ctx, x)) for x in v) + "]"
    if isinstance(v, bytes):
        return v.hex()
    return str(v)


def truth(v: Value) -> bool:
    """Section 3.4: null is false, a boolean is itself, anything else is true."""
    return v if isinstance(v, bool) else v is not None


def rank(v: Value) -> int:
    """Position of the type group in the value order."""
    if v is None:
        return 0
    if isinstance(v, bool):
        return 1
    if is_num(v):
        return 2
    if isinstance(v, datetime):
        return 3
    if isinstance(v, Ip):
        return 4 if v.version == 4 else 5
    for i, kind in enumerate((str, list, dict, bytes)):
        if isinstance(v, kind):
            return 6 + i
    raise TypeError(type(v))


def fold(s: str) -> str:
    """Key under which the value order compares text: letter case does not count."""
    return "".join(c.upper().lower() for c in s)


def _cmp(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * max(1.0, abs(a), abs(b))


def compare(ctx: Ctx, a: Value, b: Value) -> int:
    """Section 3.3: the value comparator, -1, 0 or 1."""
    ra, rb = rank(a), rank(b)
    if ra != rb:
        return _cmp(ra, rb)
    if ra == 0:
        return 0
    if ra == 2:
        if (isinstance(a, Loose) or isinstance(b, Loose)) and close(a, b) and not (a == 0 and b == 0):
            ctx.note("comparison decided by the last digits of a double")
        return _cmp(int(a), int(b)) if is_int(a) and is_int(b) else _cmp(float(a), float(b))
    if ra in (4, 5):
        return _cmp(a.packed, b.packed)
    if ra == 6:
        return _cmp(fold(a), fold(b))
    if ra == 7:
        for x, y in zip(a, b, strict=False):
            c = compare(ctx, x, y)
            if c:
                return c
        return _cmp(len(a), len(b))
    if ra == 8:
        ctx.note("order of maps")
        return 0
    return _cmp(a, b)


def sort_key(ctx: Ctx) -> Callable[[Value], Any]:
    """Key function for ``sorted`` that follows the comparator."""
    return cmp_to_key(lambda a, b: compare(ctx, a, b))


def ident(ctx: Ctx, v: Value) -> Any:
    """Hashable identity of a value: groups, distinct counts and join keys (numbers by value, text exactly)."""
    if v is None:
        return None
    if isinstance(v, bool):
        return ("b", v)
    if is_num(v):
        if isinstance(v, Loose):
            ctx.note("identity of a double that is known only approximately")
        return ("n", int(v) if float(v).is_integer() else float(v))
    if isinstance(v, list):
        return ("l", tuple(ident(ctx, x) for x in v))
    if isinstance(v, dict):
        return ("m", tuple(sorted((k, ident(ctx, x)) for k, x in v.items())))
    if isinstance(v, Ip):
        return ("i", v.packed)
    return (type(v).__name__, v)


def double(ctx: Ctx, x: float, loose: bool = False) -> float:
    """A computed double, with the values the conformance files leave out (NaN, infinity, -0.0) noted."""
    if math.isnan(x) or math.isinf(x):
        ctx.note("NaN or infinity")
    elif x == 0 and math.copysign(1.0, x) < 0:
        ctx.note("negative zero")
    return Loose(x) if loose else float(x)


def typename(ctx: Ctx, v: Value) -> str | None:
    """``typeof``."""
    if v is None:
        return None
    if isinstance(v, (AnyInt, Loose)):
        ctx.note("typeof of a number whose type is open")
    if isinstance(v, (list, bytes)):
        ctx.note("typeof of a list or a binary")
    if isinstance(v, bool):
        return "bool"
    if isinstance(v, int):
        return "long" if isinstance(v, Long) or not INT_MIN <= v <= INT_MAX else "int"
    names = {str: "string", float: "double", Loose: "double", datetime: "date", list: "list", dict: "map"}
    if isinstance(v, Ip):
        return f"ipv{v.version}"
    return names.get(type(v), "binary")
