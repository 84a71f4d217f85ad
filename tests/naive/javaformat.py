"""``java.util.Formatter`` for ``format``; every failure is a ``ValueError`` (the function then yields null)."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .values import AnyInt, Ctx, Long, Loose, close, is_int, text

_SPEC = re.compile(r"%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")


def java_format(ctx: Ctx, pattern: str, args: list[Any]) -> str:
    """Formatted text; raises ``ValueError`` on a bad pattern, a wrong type or too few arguments."""
    out: list[str] = []
    pos = index = 0
    while True:
        i = pattern.find("%", pos)
        if i < 0:
            return "".join(out) + pattern[pos:]
        m = _SPEC.match(pattern, i)
        if m is None:
            raise ValueError("bad conversion")
        out.append(pattern[pos:i])
        pos = m.end()
        conv = m[5]
        if conv in "%n":
            out.append(_pad("%" if conv == "%" else "\n", m))
            continue
        at = int(m[1]) - 1 if m[1] else index
        index += 0 if m[1] else 1
        if not 0 <= at < len(args):
            raise ValueError("missing argument")
        piece = _convert(ctx, m, args[at])
        out.append(piece.upper() if conv.isupper() else piece)


def _pad(piece: str, m: re.Match[str]) -> str:
    width = int(m[3] or 0)
    if "-" in m[2] and not width:
        raise ValueError("missing width")
    return piece.ljust(width) if "-" in m[2] else piece.rjust(width)


def _convert(ctx: Ctx, m: re.Match[str], v: Any) -> str:
    conv = m[5].lower()
    if conv not in "dxofesgbc" or m[5] in "DOF":
        raise ValueError("unknown conversion")
    if conv == "b":
        return _text(("true" if v else "false") if isinstance(v, bool) else "false" if v is None else "true", m)
    if v is None:
        return _text("null", m)
    if conv == "s":
        if isinstance(v, datetime):
            ctx.note("format %s of a date")
        return _text(text(ctx, v) or "", m)
    if conv == "c":
        if not is_int(v):
            raise ValueError("not a character")
        return _text(chr(v), m)
    if conv in "dxo":
        if not is_int(v) or m[4]:
            raise ValueError("not an integer")
        return _integer(ctx, conv, int(v), isinstance(v, Long), isinstance(v, AnyInt), m)
    if not isinstance(v, float):
        raise ValueError("not a double")
    return _number(_double(ctx, conv, v, int(m[4] or 6)), m)


def _text(s: str, m: re.Match[str]) -> str:
    return _pad(s[: int(m[4])] if m[4] else s, m)


def _integer(ctx: Ctx, conv: str, v: int, wide: bool, open_width: bool, m: re.Match[str]) -> str:
    if conv == "d":
        return _number(str(v), m)
    if v < 0:
        ctx.note("hexadecimal form of a negative integer") if open_width else None
        v += 2**64 if wide else 2**32
    return _number(f"{v:{conv}}", m)


def _double(ctx: Ctx, conv: str, v: float, precision: int) -> str:
    if v != v or v in (float("inf"), float("-inf")):
        raise ValueError("not finite")
    if conv != "f":
        ctx.note("format %e and %g")
        return f"{v:.{precision}{conv}}"
    exact = Decimal(repr(float(v)))
    rounded = exact.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)
    if isinstance(v, Loose):
        scaled = float(exact.scaleb(precision))
        if close(scaled % 1.0, 0.5):
            ctx.note("rounding decided by the last digits of a double")
    return f"{rounded:f}"


def _number(digits: str, m: re.Match[str]) -> str:
    flags, width = m[2], int(m[3] or 0)
    negative = digits.startswith("-")
    body = digits.lstrip("-")
    if "," in flags:
        head, _, tail = body.partition(".")
        body = f"{int(head):,}" + ("." + tail if tail else "")
    sign = "-" if negative else "+" if "+" in flags else " " if " " in flags else ""
    close_paren = ""
    if negative and "(" in flags:
        sign, close_paren = "(", ")"
    if "0" in flags:
        if not width or "-" in flags:
            raise ValueError("bad flags")
        body = body.rjust(width - len(sign) - len(close_paren), "0")
    return _pad(sign + body + close_paren, m)
