"""How notes name types and the pieces of a query."""

from __future__ import annotations

import re

from logsql.diagnostics.codes import text
from logsql.language.tree import Call, Expr, Field, Literal, walk
from logsql.planner.calls import has_fields
from logsql.planner.duties import Reads
from logsql.planner.function_spec import FUNCTIONS
from logsql.values.types import NUMBERS, Kind

_KINDS = {
    Kind.BOOL: text("a boolean", "불리언"),
    Kind.DATE: text("a date", "날짜"),
    Kind.IP: text("an address", "IP 주소"),
    Kind.STRING: text("text", "텍스트"),
    Kind.LIST: text("a list", "리스트"),
    Kind.MAP: text("a map", "맵"),
    Kind.BINARY: text("binary", "바이너리"),
}
_NUMBER = text("a number", "숫자")
#: Not what Python reads as a number: ``1_000`` is none here.
_NUMBER_TEXT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
WRITE = text("write {better}", "{better}(으)로 쓰세요")


#: A number of bytes with its unit: ``100MB``, ``4 KiB``.
_SIZE = re.compile(r"\s*(\d+) ?([KMGT])i?B\s*", re.IGNORECASE)


def in_bytes(text: str) -> str | None:
    """A size with a unit as a product; None where it is none.

    >>> in_bytes("100MB"), in_bytes("4 KiB"), in_bytes("1GiB"), in_bytes("5m")
    ('100 * 1024 * 1024', '4 * 1024', '1 * 1024 * 1024 * 1024', None)
    """
    size = _SIZE.fullmatch(text)
    return " * ".join([size[1], *["1024"] * ("kmgt".index(size[2].lower()) + 1)]) if size else None


def kind_word(kind: Kind) -> str:
    """The type as a word of a sentence, in the language in force."""
    return (_NUMBER if kind in NUMBERS else _KINDS[kind]).fill()


def settled_kind(kind: Kind) -> bool:
    """Whether values of this type have one type, and are not always null."""
    return kind not in (Kind.ANY, Kind.NULL)


def depends(expr: Expr) -> bool:
    """Whether the value is not plain to see in the query: it reads a field or a parameter."""
    calls = [node for node in walk(expr) if isinstance(node, Call)]
    return has_fields(expr) or any(call.name == "$" or _reads_named(call) for call in calls)


def _reads_named(call: Call) -> bool:
    """Whether a call is of a function that reads the field which its argument names."""
    spec = FUNCTIONS.get(call.name)
    return spec is not None and spec.duty.reads is Reads.NAMED


def field_name(expr: Expr) -> str | None:
    """The name of the field that an expression is, also of ``field("Bytes Sent")``; None for anything else."""
    if isinstance(expr, Field):
        return expr.name
    if not isinstance(expr, Call) or not _reads_named(expr) or len(expr.args) != 1:
        return None
    name = expr.args[0]
    return str(name.value) if isinstance(name, Literal) and name.kind == "string" else None


def parameter(expr: Expr) -> str | None:
    """The name of the parameter that an expression is, None for anything else."""
    if not isinstance(expr, Call) or expr.name != "$" or len(expr.args) != 1:
        return None
    name = expr.args[0]
    return str(name.value) if isinstance(name, Literal) and name.kind == "string" else None


def number_text(text: str) -> bool:
    """Whether a text is written as a plain number.

    >>> [number_text(t) for t in ("404", "-1.5", "1e3", ".5", "", "1,5", "10.0.0.1", "1_000", "5.")]
    [True, True, True, True, False, False, False, False, False]
    """
    return _NUMBER_TEXT.fullmatch(text) is not None
