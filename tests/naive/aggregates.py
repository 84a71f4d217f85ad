"""The 19 aggregates: clause text to bound aggregates, and their values over one group (section 7)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from .errors import NaiveError
from .evaluate import Binder, Fn
from .fn_numbers import extreme
from .syntax import Call, Field, Node, canonical, parse_expr
from .values import (
    LONG_MAX,
    LONG_MIN,
    AnyInt,
    Ctx,
    Long,
    Loose,
    Row,
    Value,
    close,
    double,
    ident,
    is_int,
    is_num,
    sort_key,
)

Column = list[tuple[Value, ...]]
Compute = Callable[[Ctx, Column], Value]

LIMIT = 100


def split_top(source: str, sep: str = ",") -> list[str]:
    """Pieces between separators outside parentheses and string literals, trimmed."""
    out: list[str] = []
    depth = start = i = 0
    while i < len(source):
        c = source[i]
        if c == '"':
            i += 1
            while i < len(source) and source[i] != '"':
                i += 2 if source[i] == "\\" else 1
        elif c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
        elif c == sep and depth == 0:
            out.append(source[start:i].strip())
            start = i + 1
        i += 1
    out.append(source[start:].strip())
    return out


def mask(source: str) -> str:
    """Same length, with string literals and parenthesised text blanked out by ``_``."""
    out = list(source)
    depth = i = 0
    while i < len(source):
        c = source[i]
        if c == '"':
            end = i + 1
            while end < len(source) and source[end] != '"':
                end += 2 if source[end] == "\\" else 1
            out[i : end + 1] = "_" * len(out[i : end + 1])
            i = end
        else:
            depth += (c == "(") - (c == ")")
            if depth > 0:
                out[i] = "_"
        i += 1
    return "".join(out)


def split_clauses(source: str, keywords: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """Head and the text after each keyword that stands alone outside parentheses and strings."""
    words = re.compile(rf"(?:^|(?<=\s))({'|'.join(keywords)})(?=\s|$)")
    marks = [(m.start(), m.end(), m[1]) for m in words.finditer(mask(source))]
    clauses: dict[str, str] = {}
    for i, (_, end, word) in enumerate(marks):
        stop = marks[i + 1][0] if i + 1 < len(marks) else len(source)
        clauses[word] = source[end:stop].strip()
    return (source[: marks[0][0]] if marks else source).strip(), clauses


def field_list(source: str, code: str) -> list[str]:
    """Names split on commas; an empty piece (a trailing comma) is refused."""
    names = [n.strip() for n in source.split(",")]
    if any(not n for n in names):
        raise NaiveError(code, "missing-clause", source)
    return names


@dataclass(frozen=True)
class Agg:
    """One bound aggregate: output column, argument functions, and the computation over a group."""

    column: str
    args: tuple[Fn, ...]
    compute: Compute
    ordered: bool

    def see(self, row: Row) -> tuple[Value, ...]:
        return tuple(f(row) for f in self.args)


def _numbers(values: Column) -> list[Value]:
    return [v[0] for v in values if is_num(v[0])]


def _total(ctx: Ctx, numbers: list[Value]) -> tuple[float, bool]:
    """Sum of doubles and whether every order of adding gives exactly this value."""
    total = 0.0
    for n in numbers:
        total += float(n)
    exact = not any(isinstance(n, Loose) for n in numbers) and all(
        abs(n) < 2**40 and float(n * 1024).is_integer() for n in numbers
    )
    if not exact and 1e-13 * sum(abs(float(n)) for n in numbers) > 1e-9 * max(1.0, abs(total)):
        ctx.note("sum that cancels")
    return total, exact


def _sum(ctx: Ctx, values: Column) -> Value:
    numbers = _numbers(values)
    if not numbers:
        return None
    if all(is_int(n) for n in numbers):
        total = sum(int(n) for n in numbers)
        if not LONG_MIN <= total <= LONG_MAX:
            ctx.note("64-bit overflow")
        return Long(total)
    value, exact = _total(ctx, numbers)
    return double(ctx, value, not exact)


def _avg(ctx: Ctx, values: Column) -> Value:
    numbers = _numbers(values)
    if not numbers:
        return None
    if all(is_int(n) for n in numbers):
        total = sum(int(n) for n in numbers)
        return double(ctx, total / len(numbers), abs(total) >= 2**53)
    value, exact = _total(ctx, numbers)
    return double(ctx, value / len(numbers), not exact)


def _count(ctx: Ctx, values: Column) -> Value:
    return Long(sum(1 for v in values if not v or v[0] is not None))


def _present(values: Column) -> list[Value]:
    return [v[0] for v in values if v[0] is not None]


def _first(ctx: Ctx, values: Column) -> Value:
    return next(iter(_present(values)), None)


def _last(ctx: Ctx, values: Column) -> Value:
    return next(iter(reversed(_present(values))), None)


def _distinct(ctx: Ctx, values: Column) -> list[Value]:
    seen: dict[object, Value] = {}
    for v in _present(values):
        old = seen.setdefault(ident(ctx, v), v)
        if type(old) is not type(v) and is_num(v) and isinstance(old, float) != isinstance(v, float):
            ctx.note("distinct numbers that differ only in type")
    return list(seen.values())


def _values(ctx: Ctx, values: Column) -> Value:
    found = sorted(_distinct(ctx, values), key=sort_key(ctx))
    folded = {v.lower() for v in found if isinstance(v, str)}
    if len(folded) < sum(isinstance(v, str) for v in found):
        ctx.note("values that differ only in case")
    if len(found) > LIMIT:
        ctx.note("more than 100 values")
    return found[:LIMIT]


def _dc(ctx: Ctx, values: Column) -> Value:
    return Long(len(_distinct(ctx, values)))


def _estdc(ctx: Ctx, values: Column) -> Value:
    n = len(_distinct(ctx, values))
    if n > 4:
        ctx.note("estimate of a distinct count")
    return Long(n)


def _range(ctx: Ctx, values: Column) -> Value:
    numbers = _numbers(values)
    if not numbers:
        return None
    low, high = min(numbers), max(numbers)
    if all(is_int(n) for n in numbers):
        return AnyInt(int(high) - int(low))
    return double(ctx, float(high) - float(low), True)


def _moments(pairs: list[tuple[Value, Value]]) -> tuple[Fraction, Fraction, Fraction]:
    """Exact population covariance, variance of the first, variance of the second."""
    n = len(pairs)
    xs = [Fraction(x) for x, _ in pairs]
    ys = [Fraction(y) for _, y in pairs]
    zero = Fraction(0)
    mx, my = sum(xs, zero) / n, sum(ys, zero) / n
    cov = sum(((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True)), zero) / n
    return cov, sum(((x - mx) * (x - mx) for x in xs), zero) / n, sum(((y - my) * (y - my) for y in ys), zero) / n


def _check_spread(ctx: Ctx, numbers: list[float], variance: float) -> None:
    scale = max((abs(float(x)) for x in numbers), default=0.0) ** 2
    if 1e-14 * scale > 1e-10 * max(1.0, variance):
        ctx.note("variance that cancels")


def _var(ctx: Ctx, values: Column) -> Value:
    numbers = _numbers(values)
    if not numbers:
        return None
    variance = float(_moments([(x, x) for x in numbers])[0])
    _check_spread(ctx, numbers, variance)
    return Loose(variance)


def _stddev(ctx: Ctx, values: Column) -> Value:
    variance = _var(ctx, values)
    if variance is None:
        return None
    if 0 < variance < 1e-9 or (variance == 0 and any(isinstance(n, float) for n in _numbers(values))):
        ctx.note("deviation of nearly equal numbers")
    return Loose(math.sqrt(variance))


def _pairs(values: Column) -> list[tuple[Value, Value]]:
    return [(v[0], v[1]) for v in values if is_num(v[0]) and is_num(v[1])]


def _cov(ctx: Ctx, values: Column) -> Value:
    pairs = _pairs(values)
    if not pairs:
        return None
    cov, vx, vy = _moments(pairs)
    for k, variance in ((0, vx), (1, vy)):
        _check_spread(ctx, [p[k] for p in pairs], float(variance))
    return Loose(float(cov))


def _corr(ctx: Ctx, values: Column) -> Value:
    pairs = _pairs(values)
    if not pairs:
        return None
    cov, vx, vy = _moments(pairs)
    if float(vx) * float(vy) < 1e-6:
        ctx.note("correlation of a constant series")
        return None
    return Loose(float(cov) / math.sqrt(float(vx) * float(vy)))


def _slope(ctx: Ctx, values: Column) -> Value:
    pairs = _pairs(values)
    if not pairs:
        return None
    cov, vx, _ = _moments(pairs)
    if float(vx) < 1e-6:
        ctx.note("slope of a constant series")
        return None
    return Loose(float(cov / vx))


def _percentile(p: float, mode: str) -> Compute:
    def compute(ctx: Ctx, values: Column) -> Value:
        found = _present(values)
        if any(not is_num(v) for v in found):
            ctx.note("percentile of values that are no numbers")
        found = sorted(found, key=sort_key(ctx))
        if not found:
            return None
        position = (len(found) - 1) * p / 100
        low, high = math.floor(position), math.ceil(position)
        if close(position, round(position)) and position != round(position):
            ctx.note("percentile position decided by the last digits")
        if mode == "nearest":
            if close(position - low, 0.5):
                ctx.note("nearest of two equally near values")
            return found[low if position - low < 0.5 else high]
        if mode in ("lower", "higher"):
            return found[low if mode == "lower" else high]
        if not all(is_num(v) for v in found):
            return None
        if mode == "midpoint":
            return Loose((float(found[low]) + float(found[high])) / 2)
        return Loose(float(found[low]) + (float(found[high]) - float(found[low])) * (position - low))

    return compute


#: name -> (fewest arguments, most arguments, computation, depends on row order)
_TABLE: dict[str, tuple[int, int, Compute, bool]] = {
    "count": (0, 1, _count, False),
    "sum": (1, 1, _sum, False),
    "avg": (1, 1, _avg, False),
    "min": (1, 1, lambda ctx, v: extreme(ctx, _present(v), -1), False),
    "max": (1, 1, lambda ctx, v: extreme(ctx, _present(v), 1), False),
    "first": (1, 1, _first, True),
    "last": (1, 1, _last, True),
    "values": (1, 1, _values, False),
    "array": (1, 1, lambda ctx, v: _present(v)[:LIMIT], True),
    "dc": (1, 1, _dc, False),
    "estdc": (1, 1, _estdc, False),
    "range": (1, 1, _range, False),
    "var": (1, 1, _var, False),
    "stddev": (1, 1, _stddev, False),
    "cov": (2, 2, _cov, False),
    "corr": (2, 2, _corr, False),
    "slope": (2, 2, _slope, False),
}
_ALIASES = {"c": "count", "dcount": "dc", "perc": "percentile", "covar": "cov", "correl": "corr"}
_MODES = ("linear", "midpoint", "lower", "higher", "nearest")


def parse_aggregates(b: Binder, source: str, empty: tuple[str, str]) -> list[Agg]:
    """Aggregate list; errors 21702 (unknown), 21703 (bad arguments) and the given one for an empty list."""
    if not source.strip():
        raise NaiveError(*empty, "no aggregate function")
    return [_parse_one(b, piece) for piece in split_top(source)]


def _parse_one(b: Binder, piece: str) -> Agg:
    m = re.search(r"\s[aA][sS]\s+", mask(piece))
    call_text, alias = (piece[: m.start()], piece[m.end() :].strip()) if m else (piece, None)
    if not call_text.strip():
        raise NaiveError("21701", "missing-clause", piece)
    node = parse_expr(call_text)
    if isinstance(node, Field):
        node = Call(node.name, ())
    if not isinstance(node, Call):
        raise NaiveError("21702", "invalid-aggregation-function", piece)
    name = _ALIASES.get(node.name, node.name)
    args = list(node.args)
    column = alias or name + (f"({', '.join(canonical(a) for a in args)})" if args else "")
    if name in ("median", "percentile"):
        return _quantile(b, name, args, column)
    if name == "estdc" and len(args) == 2:
        bits = b.const(args.pop(), "estdc bits")
        if not is_int(bits) or not 4 <= bits <= 24:
            raise NaiveError("21703", "cannot-create-aggregation-function", "estdc: bits must be 4 to 24")
    if name not in _TABLE:
        raise NaiveError("21702", "invalid-aggregation-function", name)
    low, high, compute, ordered = _TABLE[name]
    if not low <= len(args) <= high:
        raise NaiveError("21703", "cannot-create-aggregation-function", f"{name}: wrong number of arguments")
    return Agg(column, tuple(b.bind(a) for a in args), compute, ordered)


def _quantile(b: Binder, name: str, args: list[Node], column: str) -> Agg:
    p: Value = 50
    mode: Value = "linear"
    if name == "percentile":
        if not 2 <= len(args) <= 3:
            raise NaiveError("21703", "cannot-create-aggregation-function", "percentile: wrong number of arguments")
        p = b.const(args[1], "percentile")
        mode = b.const(args[2], "percentile mode") if len(args) == 3 else mode
    elif len(args) != 1:
        raise NaiveError("21703", "cannot-create-aggregation-function", "median: wrong number of arguments")
    if not is_num(p) or not 0 <= p <= 100 or mode not in _MODES:
        raise NaiveError("21703", "cannot-create-aggregation-function", f"percentile: {p} {mode}")
    return Agg(column, (b.bind(args[0]),), _percentile(float(p), str(mode)), False)
