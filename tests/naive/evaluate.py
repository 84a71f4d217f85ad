"""Expression trees to Python functions of one row: operators, wildcards, and calls of the function tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from .errors import NaiveError
from .syntax import Bin, Call, Field, Items, Lit, Neg, Node
from .values import (
    LONG_MAX,
    LONG_MIN,
    AnyInt,
    Ctx,
    Long,
    Loose,
    Row,
    Value,
    compare,
    double,
    is_int,
    is_num,
    text,
    truth,
)

Fn = Callable[[Row], Value]
Simple = tuple[int, int | None, Callable[..., Value]]

#: functions whose value belongs to a row or to a call, so that a call of them is never a constant
ROW_FUNCTIONS = {
    "evtctxget",
    "evtctxgetvar",
    "evtctxsetvar",
    "evtctxcnt",
    "field",
    "kvjoin",
    "seq",
    "rand",
    "randbytes",
    "guid",
    "now",
    "whoami",
}


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    parts = [re.escape(p) for p in pattern.split("*")]
    return re.compile(".*".join(parts), re.DOTALL | re.IGNORECASE)


def wildcard(pattern: str, s: str) -> bool:
    """Section 4: prefix, suffix and contains forms respect letter case, every other star shape ignores it."""
    stars = pattern.count("*")
    if stars == 0:
        return s == pattern
    if pattern == "*":
        return True
    if stars == 1 and pattern.endswith("*"):
        return s.startswith(pattern[:-1])
    if stars == 1 and pattern.startswith("*"):
        return s.endswith(pattern[1:])
    if stars == 2 and len(pattern) > 2 and pattern.startswith("*") and pattern.endswith("*"):
        return pattern[1:-1] in s
    return _glob(pattern).fullmatch(s) is not None


def to_number(ctx: Ctx, v: Value) -> Value:
    """Operand of arithmetic: numbers stay, numeric text is converted, anything else has no number (null)."""
    if v is None or is_num(v):
        return v
    if isinstance(v, str):
        if re.fullmatch(r"[+-]?[0-9]+", v) and LONG_MIN <= int(v) <= LONG_MAX:
            return Long(int(v))
        if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", v):
            return float(v)
        if re.fullmatch(r"0x[0-9a-fA-F]{1,15}", v):
            ctx.note("arithmetic on hexadecimal text")
            return Long(int(v, 16))
        if v.strip() != v or re.fullmatch(r"[+-]?[0-9.]+[fFdD]|[+-]?(NaN|Infinity)", v):
            ctx.note("arithmetic on text whose numeric reading is open")
        return None
    ctx.note("arithmetic on a value that is neither number nor text")
    return None


def arithmetic(ctx: Ctx, op: str, a: Value, b: Value) -> Value:
    """``+ - *`` (long if both are integral), ``/`` (always double, null for a zero divisor)."""
    a, b = to_number(ctx, a), to_number(ctx, b)
    if a is None or b is None:
        return None
    loose = isinstance(a, Loose) or isinstance(b, Loose)
    if op == "/":
        return None if b == 0 else double(ctx, float(a) / float(b), loose)
    if is_int(a) and is_int(b):
        x, y = int(a), int(b)
        r = x + y if op == "+" else x - y if op == "-" else x * y
        if not LONG_MIN <= r <= LONG_MAX:
            ctx.note("64-bit overflow")
            return None
        return Long(r)
    p, q = float(a), float(b)
    return double(ctx, p + q if op == "+" else p - q if op == "-" else p * q, loose)


def negate(ctx: Ctx, v: Value) -> Value:
    """Unary minus keeps the type; anything but a number gives null."""
    if not is_num(v):
        return None
    return double(ctx, -v, isinstance(v, Loose)) if isinstance(v, float) else type(v)(-int(v))


def equal(ctx: Ctx, a: Value, b: Value) -> bool:
    return a is not None and b is not None and compare(ctx, a, b) == 0


class Binder:
    """Turns trees into functions of a row; wrong calls are refused here, before any row."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx

    def bind(self, node: Node) -> Fn:
        ctx = self.ctx
        match node:
            case Lit(value):
                return lambda row: value
            case Field(name):
                return lambda row: row.get(name)
            case Items(items):
                fns = [self.bind(i) for i in items]
                return lambda row: [f(row) for f in fns]
            case Neg(arg):
                inner = self.bind(arg)
                return lambda row: negate(ctx, inner(row))
            case Bin(op, left, right):
                return self.binary(op, left, right)
            case Call():
                return self.call(node)

    def binary(self, op: str, left: Node, right: Node) -> Fn:
        ctx = self.ctx
        a, b = self.bind(left), self.bind(right)
        if op in ("+", "-", "*", "/"):
            return lambda row: arithmetic(ctx, op, a(row), b(row))
        if op == "and":
            return lambda row: truth(a(row)) and truth(b(row))
        if op == "or":
            return lambda row: truth(a(row)) or truth(b(row))
        if op in ("==", "!=") and isinstance(right, Lit) and isinstance(right.value, str):
            pattern, want = right.value, op == "=="

            def literal(row: Row) -> bool:
                s = text(ctx, a(row))
                return s is not None and wildcard(pattern, s) == want

            return literal
        if op == "==":
            return lambda row: equal(ctx, a(row), b(row))
        if op == "!=":

            def differs(row: Row) -> bool:
                x, y = a(row), b(row)
                return x is not None and y is not None and compare(ctx, x, y) != 0

            return differs

        def relation(row: Row) -> bool | None:
            x, y = a(row), b(row)
            if x is None or y is None:
                return None
            c = compare(ctx, x, y)
            return {"<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]

        return relation

    def is_const(self, node: Node) -> bool:
        """Computable without a row."""
        match node:
            case Lit():
                return True
            case Field():
                return False
            case Items(items):
                return all(self.is_const(i) for i in items)
            case Neg(arg):
                return self.is_const(arg)
            case Bin(_, left, right):
                return self.is_const(left) and self.is_const(right)
            case Call(name, args, named):
                return name not in ROW_FUNCTIONS and all(self.is_const(x) for x in [*args, *(v for _, v in named)])

    def const(self, node: Node, what: str) -> Value:
        """Value of an argument that must be a constant."""
        if not self.is_const(node):
            raise NaiveError("90901", "constant-required", f"{what} must be a constant")
        return self.bind(node)({})

    def call(self, node: Call) -> Fn:
        from .functions import SIMPLE, SPECIAL  # the tables use this class

        name, ctx = node.name, self.ctx
        if name in SPECIAL:
            return SPECIAL[name](self, node)
        if name not in SIMPLE:
            raise NaiveError("90900", "unsupported-function", name)
        low, high, body = SIMPLE[name]
        check_arity(node, low, high)
        fns = [self.bind(a) for a in node.args]
        return lambda row: body(ctx, *[f(row) for f in fns])


def check_arity(node: Call, low: int, high: int | None) -> None:
    """Refuse a wrong number of arguments (99000)."""
    n = len(node.args)
    if node.named or n < low or (high is not None and n > high):
        raise NaiveError("99000", f"{node.name}-arg-missing", f"{node.name}: wrong number of arguments ({n} given)")


def as_index(ctx: Ctx, v: Value) -> int | None:
    """Integer argument of any width; anything else has no index."""
    if is_int(v):
        return int(v)
    if v is not None:
        ctx.note("position that is not an integer")
    return None


__all__ = ["AnyInt", "Binder", "Fn", "Simple", "arithmetic", "as_index", "check_arity", "equal", "wildcard"]
