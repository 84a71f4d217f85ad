"""Numeric functions."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from .errors import NaiveError
from .evaluate import Binder, Fn, Simple, check_arity
from .syntax import Call
from .values import (
    LONG_MAX,
    LONG_MIN,
    AnyInt,
    Ctx,
    Long,
    Loose,
    Value,
    close,
    compare,
    double,
    is_int,
    is_num,
    sort_key,
    typename,
)


def _abs(ctx: Ctx, v: Value) -> Value:
    if not is_num(v):
        return None
    return type(v)(abs(v))


def _rounding(mode: str) -> Callable[..., Value]:
    def run(ctx: Ctx, v: Value, digits: Value = 0) -> Value:
        if not is_num(v) or not is_int(digits):
            return None
        if is_int(v) and digits >= 0:
            return v
        if isinstance(v, float) and not math.isfinite(v):
            ctx.note("rounding of NaN or infinity")
            return None
        d = int(digits)
        scale = 10.0**d if d > 0 else 1 / 10.0**-d
        scaled = float(v) * scale
        if mode == "round":
            scaled += 0.5
        if isinstance(v, Loose) and close(scaled, round(scaled)):
            ctx.note("rounding decided by the last digits of a double")
        exact = Decimal(str(float(v))).scaleb(d) + (Decimal("0.5") if mode == "round" else 0)
        whole = math.ceil(scaled) if mode == "ceil" else math.floor(scaled)
        if whole != int(exact.to_integral_value(ROUND_CEILING if mode == "ceil" else ROUND_FLOOR)):
            ctx.note("rounding where binary and decimal arithmetic disagree")
        if not LONG_MIN <= whole <= LONG_MAX:
            ctx.note("64-bit overflow")
            return None
        if d > 0:
            return double(ctx, whole / scale, isinstance(v, Loose))
        result = whole * 10**-d
        if is_int(v):
            return AnyInt(result)
        return Long(result)

    return run


def _mod(ctx: Ctx, a: Value, b: Value) -> Value:
    if not is_int(a) or not is_int(b) or b == 0:
        return None
    x, y = int(a), int(b)
    return Long(int(math.copysign(1, x)) * (abs(x) % abs(y)))


def _real(fn: Callable[..., float], exact: bool = False) -> Callable[..., Value]:
    def run(ctx: Ctx, *args: Value) -> Value:
        if not all(is_num(a) for a in args):
            return None
        loose = any(isinstance(a, Loose) for a in args)
        try:
            r = fn(*[float(a) for a in args])
        except (ValueError, ZeroDivisionError):
            r = math.nan
        except OverflowError:
            r = math.inf
        return double(ctx, r, loose or not (exact or (float(r).is_integer() and abs(r) < 2)))

    return run


def _log(fn: Callable[[float], float]) -> Callable[[float], float]:
    def run(x: float) -> float:
        return -math.inf if x == 0 else fn(x)

    return run


def _extreme(sign: int) -> Callable[..., Value]:
    def run(ctx: Ctx, *args: Value) -> Value:
        return extreme(ctx, list(args), sign)

    return run


def extreme(ctx: Ctx, values: list[Value], sign: int) -> Value:
    """Smallest (sign -1) or largest (1) non-null value; ties between different values are open."""
    present = [v for v in values if v is not None]
    if not present:
        return None
    best = (min if sign < 0 else max)(present, key=sort_key(ctx))
    silent = Ctx(ctx.tz)
    for v in present:
        if compare(silent, v, best) == 0 and (v != best or typename(silent, v) != typename(silent, best)):
            ctx.note("min or max between values that the order does not tell apart")
    return best


def _rand(b: Binder, node: Call) -> Fn:
    check_arity(node, 1, 2)
    bound = b.const(node.args[0], "rand bound")
    if not is_int(bound) or bound <= 0:
        raise NaiveError("90751", "rand-bound-should-be-positive", "rand: the bound must be a positive integer")
    b.ctx.note("rand")
    return lambda row: random.randrange(int(bound))


SIMPLE: dict[str, Simple] = {
    "abs": (1, 1, _abs),
    "round": (1, 2, _rounding("round")),
    "floor": (1, 2, _rounding("floor")),
    "ceil": (1, 2, _rounding("ceil")),
    "mod": (2, 2, _mod),
    "pow": (2, 2, _real(math.pow)),
    "sqrt": (1, 1, _real(math.sqrt, exact=True)),
    "exp": (1, 1, _real(math.exp)),
    "log": (1, 1, _real(_log(math.log))),
    "log10": (1, 1, _real(_log(math.log10))),
    "sin": (1, 1, _real(math.sin)),
    "cos": (1, 1, _real(math.cos)),
    "tan": (1, 1, _real(math.tan)),
    "asin": (1, 1, _real(math.asin)),
    "acos": (1, 1, _real(math.acos)),
    "atan": (1, 1, _real(math.atan)),
    "min": (1, None, _extreme(-1)),
    "max": (1, None, _extreme(1)),
}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {"rand": _rand}
