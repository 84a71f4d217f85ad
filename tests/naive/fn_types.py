"""Conditions, references, type checks and conversions to numbers and text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from .errors import NaiveError
from .evaluate import Binder, Fn, Simple, check_arity, equal, wildcard
from .javadate import format_date, parse_pattern, zone_of
from .syntax import Call
from .values import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, Ctx, Ip, Long, Loose, Row, Value, fold, text, truth, typename


def _if(b: Binder, node: Call) -> Fn:
    check_arity(node, 3, 3)
    c, x, y = (b.bind(a) for a in node.args)
    return lambda row: x(row) if truth(c(row)) else y(row)


def _case(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, None)
    fns = [b.bind(a) for a in node.args]
    pairs = list(zip(fns[0::2], fns[1::2], strict=False))
    default = fns[-1] if len(fns) % 2 else None

    def run(row: Row) -> Value:
        for c, v in pairs:
            if truth(c(row)):
                return v(row)
        return default(row) if default else None

    return run


def _in(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, None)
    ctx = b.ctx
    x = b.bind(node.args[0])
    items: list[tuple[bool, Fn]] = []
    for arg in node.args[1:]:
        pattern = b.is_const(arg) and isinstance(b.bind(arg)({}), str)
        items.append((pattern, b.bind(arg)))

    def run(row: Row) -> bool:
        v = x(row)
        for pattern, fn in items:
            w = fn(row)
            if pattern:
                if isinstance(v, str) and wildcard(w, v):
                    return True
            elif isinstance(v, str) and isinstance(w, str):
                if v == w:
                    return True
                if fold(v) == fold(w):
                    ctx.note("in() with a computed text that differs only in case")
            elif equal(ctx, v, w):
                return True
        return False

    return run


def _param(b: Binder, node: Call) -> Fn:
    check_arity(node, 1, None)
    names = [b.const(a, "parameter name") for a in node.args[: max(1, len(node.args) - 1)]]
    if any(not isinstance(n, str) for n in names):
        raise NaiveError("90902", "parameter-name-missing", "the parameter name must be a text constant")
    default = b.bind(node.args[-1]) if len(node.args) > 1 else None
    ctx = b.ctx

    def run(row: Row) -> Value:
        for n in names:
            if ctx.params.get(n) is not None:
                return ctx.params[n]
        return default(row) if default else None

    return run


def _field(b: Binder, node: Call) -> Fn:
    check_arity(node, 1, 1)
    name = b.bind(node.args[0])
    ctx = b.ctx
    return lambda row: row.get(text(ctx, name(row)) or "")


def _seq(b: Binder, node: Call) -> Fn:
    check_arity(node, 0, 0)
    counter = [0]

    def run(row: Row) -> Value:
        counter[0] += 1
        return Long(counter[0])

    return run


def _not(ctx: Ctx, v: Value) -> Value:
    return not v if isinstance(v, bool) else None


def to_int(ctx: Ctx, v: Value) -> Value:
    """``int``: lists element by element, nested lists give null."""
    if isinstance(v, list):
        return [None if isinstance(x, list) else to_int(ctx, x) for x in v]
    n = _whole(ctx, v, saturate=False)
    if isinstance(v, Ip) and n is not None:
        n = n - 2**32 if n > INT_MAX else n
    return int(n) if n is not None and INT_MIN <= n <= INT_MAX else None


def to_long(ctx: Ctx, v: Value) -> Value:
    n = _whole(ctx, v, saturate=True)
    return Long(n) if n is not None and LONG_MIN <= n <= LONG_MAX else None


def _whole(ctx: Ctx, v: Value, saturate: bool) -> int | None:
    if isinstance(v, bool) or v is None:
        return None
    if isinstance(v, int):
        return int(v)
    if isinstance(v, float):
        if v != v:
            return None
        if isinstance(v, Loose) and abs(v - round(v)) < 1e-6 and float(v):
            ctx.note("cut of a double that is known only approximately")
        if abs(v) >= 2**63:
            ctx.note("double beyond 64 bits made an integer")
            return (LONG_MAX if v > 0 else LONG_MIN) if saturate else None
        return int(v)
    if isinstance(v, Ip):
        return int.from_bytes(v.packed, "big") if v.version == 4 else None
    if isinstance(v, str) and re.fullmatch(r"[+-]?[0-9]+", v):
        return int(v)
    return None


def _integer(convert: Callable[[Ctx, Value], Value]) -> Callable[[Binder, Call], Fn]:
    def make(b: Binder, node: Call) -> Fn:
        check_arity(node, 1, 2)
        if len(node.args) == 2 and b.const(node.args[1], "radix") != 10:
            raise NaiveError("90830", f"invalid-{node.name}-radix", f"{node.name}: radix argument must be 10")
        x = b.bind(node.args[0])
        ctx = b.ctx
        return lambda row: convert(ctx, x(row))

    return make


_DOUBLE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?")


def to_double(ctx: Ctx, v: Value) -> Value:
    if isinstance(v, bool) or v is None:
        return None
    if isinstance(v, (int, float)):
        return v if isinstance(v, Loose) else float(v)
    if isinstance(v, str):
        s = v.strip("".join(map(chr, range(33))))
        if _DOUBLE.fullmatch(s):
            return float(s.rstrip("fFdD"))
        if re.fullmatch(r"[+-]?(NaN|Infinity)", s):
            ctx.note("NaN or infinity")
    return None


def _string(b: Binder, node: Call) -> Fn:
    check_arity(node, 1, 3)
    x = b.bind(node.args[0])
    ctx = b.ctx
    if len(node.args) == 1:
        return lambda row: text(ctx, x(row))
    pattern = b.const(node.args[1], "date format pattern")
    if not isinstance(pattern, str):
        raise NaiveError("90820", "invalid date format pattern", "string: the pattern must be text")
    parse_pattern(pattern)
    where = b.const(node.args[2], "zone or locale") if len(node.args) == 3 else None
    zone = zone_of(where) if where else None
    locale = where if where and zone is None else "en"

    def run(row: Row) -> Value:
        v = x(row)
        if isinstance(v, datetime):
            return format_date(ctx, v, pattern, zone, locale)
        if v is not None:
            ctx.note("string() with a date pattern on a value that is no date")
        return text(ctx, v)

    return run


def _isnum(ctx: Ctx, v: Value) -> bool:
    return isinstance(v, (int, float)) and not isinstance(v, bool)


SIMPLE: dict[str, Simple] = {
    "nvl": (2, 2, lambda ctx, x, d: d if x is None else x),
    "not": (1, 1, _not),
    "isnull": (1, 1, lambda ctx, v: v is None),
    "isnotnull": (1, 1, lambda ctx, v: v is not None),
    "isnum": (1, 1, _isnum),
    "isstr": (1, 1, lambda ctx, v: isinstance(v, str)),
    "typeof": (1, 1, typename),
    "double": (1, 1, to_double),
    "whoami": (0, 0, lambda ctx: "naive"),
}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {
    "if": _if,
    "case": _case,
    "in": _in,
    "$": _param,
    "field": _field,
    "seq": _seq,
    "int": _integer(to_int),
    "long": _integer(to_long),
    "string": _string,
    "str": _string,
}
