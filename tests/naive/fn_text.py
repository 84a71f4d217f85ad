"""Text functions."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from urllib.parse import quote_from_bytes

from .errors import NaiveError
from .evaluate import Binder, Fn, Simple, as_index, check_arity, equal
from .javaformat import java_format
from .regexes import JavaRegex, compile_java, replacement
from .syntax import Call
from .values import Ctx, Row, Value, compare, fold, text

_BLANKS = "".join(map(chr, range(33)))


def charset(name: Value, function: str) -> str:
    """Python codec of a charset constant; unknown names are refused."""
    try:
        return codecs.lookup(str(name)).name
    except LookupError as e:
        raise NaiveError("90680", f"{function}-unsupported-charset", f"{function}: unknown charset {name}") from e


def const_regex(b: Binder, node: Call, index: int) -> JavaRegex:
    """Regular expression argument; it must be constant and must compile."""
    source = b.const(node.args[index], f"{node.name} regular expression")
    try:
        return compile_java(str(source))
    except ValueError as e:
        raise NaiveError("90710", "invalid-regex", f"{node.name}: {e}") from e


def _concat(ctx: Ctx, *args: Value) -> str:
    return "".join("null" if a is None else text(ctx, a) or "" for a in args)


def _contains(ctx: Ctx, s: Value, x: Value) -> bool:
    if s is None or x is None:
        return False
    if isinstance(s, list):
        for e in s:
            if isinstance(e, str) and isinstance(x, str):
                if e == x:
                    return True
                if fold(e) == fold(x):
                    ctx.note("element that differs only in case")
            elif isinstance(e, list) and isinstance(x, list):
                if e == x:
                    return True
            elif equal(ctx, e, x):
                return True
        return False
    return (text(ctx, x) or "") in (text(ctx, s) or "")


def _len(ctx: Ctx, v: Value) -> int:
    if v is None:
        return 0
    return len(v) if isinstance(v, (list, dict)) else len(text(ctx, v) or "")


def _substr(ctx: Ctx, v: Value, b: Value, e: Value = None) -> str | None:
    s = text(ctx, v)
    if s is None:
        return None
    if b is None:
        return s
    first, last = as_index(ctx, b), len(s) if e is None else as_index(ctx, e)
    if first is None or last is None:
        return None
    first += len(s) if first < 0 else 0
    last = last + len(s) if last < 0 else min(last, len(s))
    if first < 0 or first >= len(s) or last < 0 or first > last:
        return None
    return s[first:last]


def _cut(side: str) -> Callable[[Binder, Call], Fn]:
    def make(b: Binder, node: Call) -> Fn:
        check_arity(node, 2, 2)
        if b.is_const(node.args[1]):
            n = b.bind(node.args[1])({})
            if isinstance(n, int) and n < 0:
                code = "90720" if side == "left" else "90721"
                raise NaiveError(code, f"{side}-func-negative-length", f"{side}: negative length {n}")
        x, count = b.bind(node.args[0]), b.bind(node.args[1])
        ctx = b.ctx

        def run(row: Row) -> str | None:
            s, n = text(ctx, x(row)), as_index(ctx, count(row))
            if s is None or n is None or n < 0:
                return None
            return s[:n] if side == "left" else s[max(0, len(s) - n) :]

        return run

    return make


def _indexof(ctx: Ctx, v: Value, t: Value, start: Value = 0) -> int | None:
    s, x, n = text(ctx, v), text(ctx, t), as_index(ctx, start)
    if s is None or x is None or n is None:
        return None
    n = max(n, 0)
    if n >= len(s):
        return len(s) if x == "" else -1
    return s.find(x, n)


def _lastindexof(ctx: Ctx, v: Value, t: Value, *start: Value) -> int | None:
    s, x = text(ctx, v), text(ctx, t)
    if s is None or x is None:
        return None
    if not start:
        return s.rfind(x)
    n = as_index(ctx, start[0])
    if n is None:
        return None
    return -1 if n < 0 else s.rfind(x, 0, n + len(x))


def _pad(left: bool) -> Callable[..., Value]:
    def pad(ctx: Ctx, v: Value, n: Value, p: Value = " ") -> str | None:
        s, width, fill = text(ctx, v), as_index(ctx, n), text(ctx, p)
        if s is None or width is None or fill is None:
            return None
        if width < 0 or fill == "":
            ctx.note("padding with no text or to a negative length")
            return None
        missing = (fill * width)[: max(0, width - len(s))]
        return missing + s[:width] if left else s[:width] + missing

    return pad


def _replace(b: Binder, node: Call) -> Fn:
    check_arity(node, 3, 4)
    fns = [b.bind(a) for a in node.args]
    ctx = b.ctx
    if len(node.args) == 4 and b.const(node.args[3], "replace mode") == "re":
        constant = const_regex(b, node, 1) if b.is_const(node.args[1]) and fns[1]({}) is not None else None

        def by_regex(row: Row) -> str | None:
            s, p, r = text(ctx, fns[0](row)), text(ctx, fns[1](row)), text(ctx, fns[2](row))
            if s is None or p is None:
                return s
            try:
                compiled = constant or compile_java(p)
                return str(compiled.compiled.sub(lambda m: replacement(r or "", m), s))
            except (ValueError, IndexError):
                ctx.note("bad regular expression or replacement of a row")
                return None

        return by_regex

    def plain(row: Row) -> str | None:
        s, p, r = text(ctx, fns[0](row)), text(ctx, fns[1](row)), text(ctx, fns[2](row))
        if s is None or p is None:
            return s
        if p == "":
            ctx.note("replacement of empty text")
        return s.replace(p, r or "")

    return plain


def _split(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 3)
    delimiter = b.const(node.args[1], "split delimiter")
    if not isinstance(delimiter, str):
        raise NaiveError("90771", "split-delimiter", "split: the delimiter must be a text constant")
    if delimiter == "":
        raise NaiveError("90772", "empty-delimiters", "split: empty delimiter")
    limit = b.const(node.args[2], "split limit") if len(node.args) == 3 else None
    if limit is not None and (not isinstance(limit, int) or limit < 2):
        raise NaiveError("90773", "invalid-split-limit", "split: the limit must be 2 or more")
    x = b.bind(node.args[0])
    ctx = b.ctx

    def run(row: Row) -> list[str] | None:
        s = text(ctx, x(row))
        if s is None:
            return None
        return s.split(delimiter, limit - 1 if limit else -1) if s else []

    return run


def _strjoin(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 2)
    delimiter = b.const(node.args[0], "strjoin delimiter")
    if delimiter is None:
        raise NaiveError("90781", "strjoin-delimiter", "strjoin: the delimiter constant is null")
    x = b.bind(node.args[1])
    ctx = b.ctx

    def run(row: Row) -> str | None:
        v = x(row)
        if not isinstance(v, list):
            return None
        return str(delimiter).join("null" if e is None else text(ctx, e) or "" for e in v)

    return run


def _format(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, None)
    pattern = b.const(node.args[0], "format")
    fns = [b.bind(a) for a in node.args[1:]]
    ctx = b.ctx

    def run(row: Row) -> str | None:
        args = [f(row) for f in fns]
        if len(args) == 1 and isinstance(args[0], list):
            args = args[0]
        try:
            return java_format(ctx, str(pattern), args)
        except ValueError:
            return None

    return run


def _match(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 2)
    compiled = const_regex(b, node, 1).compiled
    x = b.bind(node.args[0])
    ctx = b.ctx

    def run(row: Row) -> bool:
        s = text(ctx, x(row))
        return s is not None and compiled.search(s) is not None

    return run


def _groups(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 2)
    compiled = const_regex(b, node, 1).compiled
    x = b.bind(node.args[0])
    ctx = b.ctx

    def run(row: Row) -> list[str | None] | None:
        s = text(ctx, x(row))
        if s is None:
            return None
        out = [g for m in compiled.finditer(s) for g in m.groups()]
        return out or None

    return run


def _kvjoin(b: Binder, node: Call) -> Fn:
    check_arity(node, 2, 3)
    kd, pd = b.const(node.args[0], "kvjoin delimiter"), b.const(node.args[1], "kvjoin delimiter")
    chosen = const_regex(b, node, 2).compiled if len(node.args) == 3 else None
    ctx = b.ctx

    def run(row: Row) -> str:
        pairs = []
        for name, v in row.items():
            if chosen is not None and not chosen.search(name):
                continue
            if v is None:
                ctx.note("kvjoin of a null field")
            pairs.append(f"{name}{kd}{'null' if v is None else text(ctx, v)}")
        return str(pd).join(pairs)

    return run


def signature(ctx: Ctx, v: Value) -> str | None:
    """Text without letters, digits and quoted parts; of a quoted part only the closing quote stays (decision 20)."""
    s = text(ctx, v)
    if s is None:
        return None
    out: list[str] = []
    inside = False
    for c in s:
        if c == '"':
            if inside:
                out.append(c)
            inside = not inside
        elif not inside and not c.isalnum():
            out.append(c)
    if inside:
        ctx.note("signature of text with an open quote")
    return "".join(out)


def _url(decode: bool) -> Callable[[Binder, Call], Fn]:
    def make(b: Binder, node: Call) -> Fn:
        check_arity(node, 1, 2)
        codec = charset(b.const(node.args[1], "charset"), node.name) if len(node.args) == 2 else "utf-8"
        x = b.bind(node.args[0])
        ctx = b.ctx

        def run(row: Row) -> str | None:
            s = text(ctx, x(row))
            if s is None:
                return None
            return _urldecode(ctx, s, codec) if decode else _urlencode(ctx, s, codec)

        return run

    return make


def _urldecode(ctx: Ctx, s: str, codec: str) -> str:
    out: list[str] = []
    for literal, escaped in re.findall(r"([^%]+)|((?:%[0-9a-fA-F]{2})+)|%", s):
        if literal:
            out.append(literal.replace("+", " "))
        elif escaped:
            try:
                out.append(bytes.fromhex(escaped.replace("%", "")).decode(codec))
            except UnicodeDecodeError:
                ctx.note("urldecode of bytes that are no text")
                return s
        else:
            return s
    return "".join(out)


def _urlencode(ctx: Ctx, s: str, codec: str) -> str:
    if re.search(r"[ *~!'()]", s):
        ctx.note("urlencode of characters whose form is open")
    return quote_from_bytes(s.encode(codec, "replace"), safe="*").replace("~", "%7E").replace("%20", "+")


SIMPLE: dict[str, Simple] = {
    "concat": (1, None, _concat),
    "contains": (2, 2, _contains),
    "len": (1, 1, _len),
    "substr": (2, 3, _substr),
    "indexof": (2, 3, _indexof),
    "lastindexof": (2, 3, _lastindexof),
    "lower": (1, 1, lambda ctx, v: None if v is None else (text(ctx, v) or "").lower()),
    "upper": (1, 1, lambda ctx, v: None if v is None else (text(ctx, v) or "").upper()),
    "trim": (1, 1, lambda ctx, v: None if v is None else (text(ctx, v) or "").strip(_BLANKS)),
    "lpad": (2, 3, _pad(True)),
    "rpad": (2, 3, _pad(False)),
    "signature": (1, 1, signature),
}
SPECIAL: dict[str, Callable[[Binder, Call], Fn]] = {
    "left": _cut("left"),
    "right": _cut("right"),
    "replace": _replace,
    "split": _split,
    "strjoin": _strjoin,
    "format": _format,
    "match": _match,
    "groups": _groups,
    "kvjoin": _kvjoin,
    "urldecode": _url(True),
    "urlencode": _url(False),
}

__all__ = ["SIMPLE", "SPECIAL", "charset", "compare", "signature"]
