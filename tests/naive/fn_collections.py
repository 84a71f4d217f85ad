"""Lists and maps."""

from __future__ import annotations

from collections.abc import Callable

from .errors import NaiveError
from .evaluate import Binder, Fn, Simple, as_index, check_arity
from .syntax import Call
from .values import AnyInt, Ctx, Loose, Row, Value, double, ident, is_int, is_num


def _flatten(ctx: Ctx, v: Value) -> Value:
    if not isinstance(v, list):
        return v
    out: list[Value] = []
    for x in v:
        if isinstance(x, list):
            out.extend(_flatten(ctx, x))
        else:
            out.append(x)
    return out


def _foreach(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, None)
    body = b.bind(node.args[0])
    sources = [b.bind(a) for a in node.args[1:]]
    ctx = b.ctx

    def run(row: Row) -> Value:
        values = [s(row) for s in sources]
        sizes = [len(v) for v in values if isinstance(v, list)]
        if not sizes or any(v is None for v in values):
            ctx.note("foreach without a list or with null")
        out: list[Value] = []
        for i in range(max(sizes, default=1)):
            items = [(v[i] if i < len(v) else None) if isinstance(v, list) else v for v in values]
            out.append(body({**row, **{f"_{k}": x for k, x in enumerate(items, 1)}}))
        return out

    return run


def _subarray(ctx: Ctx, v: Value, b: Value, e: Value = None) -> Value:
    if not isinstance(v, list):
        return None
    first, last = as_index(ctx, b), len(v) if e is None else as_index(ctx, e)
    if b is None:
        ctx.note("subarray from null")
    if first is None or last is None:
        return None
    first += len(v) if first < 0 else 0
    last = last + len(v) if last < 0 else min(last, len(v))
    if first < 0 or first >= len(v) or last < 0 or first > last:
        return None
    return v[first:last]


def _sumarray(ctx: Ctx, v: Value) -> Value:
    if not isinstance(v, list):
        if v is not None:
            ctx.note("sumarray of a value that is no list")
        return None
    numbers = [x for x in v if is_num(x)]
    if all(is_int(x) for x in numbers):
        return AnyInt(sum(int(x) for x in numbers))
    total = 0.0
    for x in numbers:
        total += float(x)
    return double(ctx, total, any(isinstance(x, Loose) for x in numbers))


def _unique(ctx: Ctx, v: Value) -> Value:
    if v is None:
        return None
    if not isinstance(v, list):
        return [v]
    seen: dict[object, Value] = {}
    for x in v:
        if x is None:
            ctx.note("null inside unique()")
        seen.setdefault(ident(ctx, x), x)
    return list(seen.values())


def _valueof(ctx: Ctx, v: Value, k: Value) -> Value:
    if isinstance(v, list):
        return v[int(k)] if is_int(k) and 0 <= k < len(v) else None
    if isinstance(v, dict):
        return v.get(k) if isinstance(k, str) else None
    return None


def _zip(ctx: Ctx, *args: Value) -> Value:
    if any(not isinstance(a, list) for a in args):
        if any(a is None for a in args):
            ctx.note("zip of null")
            return None
        ctx.note("zip of a value that is no list")
    lists = [a if isinstance(a, list) else [a] for a in args]
    size = max(len(x) for x in lists)
    return [[x[i] if i < len(x) else None for x in lists] for i in range(size)]


def _dict(b: Binder, node: Call) -> Fn:
    if node.named or len(node.args) % 2:
        raise NaiveError("90910", "dict-odd-arguments", "dict: an odd number of arguments, a pair is incomplete")
    keys = [b.const(a, "dict key") for a in node.args[0::2]]
    if any(not isinstance(k, str) for k in keys):
        raise NaiveError("90911", "invalid-dict-key", "dict: keys must be text constants")
    fns = [b.bind(a) for a in node.args[1::2]]

    def run(row: Row) -> Value:
        out: dict[str, Value] = {}
        for k, f in zip(keys, fns, strict=True):
            out[k] = f(row)
        return out

    return run


SIMPLE: dict[str, Simple] = {
    "array": (0, None, lambda ctx, *args: list(args)),
    "flatten": (1, 1, _flatten),
    "subarray": (2, 3, _subarray),
    "sumarray": (1, 1, _sumarray),
    "unique": (1, 1, _unique),
    "valueof": (2, 2, _valueof),
    "zip": (1, None, _zip),
}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {"dict": _dict, "foreach": _foreach}
