"""Conditions joined by ``and`` or ``or`` that are the same for every row: ``s == 200 and s == 404``."""

from __future__ import annotations

from collections.abc import Iterator

from logsql.diagnostics.codes import define
from logsql.language.tree import Binary, Expr, Field, Literal, Unary, canonical
from logsql.planner.calls import Lowering
from logsql.planner.notes.words import WRITE, settled_kind
from logsql.values.types import Kind

CONTRADICTION = define(
    "N1221",
    "conditions-exclude-each-other",
    (
        "two conditions on one field that together are always or never true",
        "한 필드에 건 두 조건을 합치면 늘 참이거나 결코 참이 아닙니다",
    ),
)
NEVER_BOTH = CONTRADICTION.says(
    (
        "{left} and {right} are never true of one row",
        "{left} 조건과 {right} 조건을 모두 만족하는 행은 없습니다",
    )
)
ALWAYS_ONE = CONTRADICTION.says(
    (
        "{left} or {right} is true whatever the value of {field} is",
        "{left} 조건과 {right} 조건 가운데 하나는 {field} 값과 관계없이 늘 참입니다",
    )
)
_LOWER, _UPPER = (">", ">="), ("<", "<=")


def joined(cx: Lowering, expr: Binary) -> None:
    """Tell of the first two parts of a chain of ``and`` or ``or`` that make it the same for every row.

    Silent for what may be a list: two of its items may be equal to two constants.
    """
    unequal = expr.op == "or"
    met: dict[str, list[tuple[Binary, object]]] = {}
    for part in _parts(expr):
        value = _constant(part.right)
        if not isinstance(part.left, Field) or value is None or not _single(cx, part.left):
            continue
        for other, theirs in met.setdefault(part.left.name, []):
            if _excluded(unequal, other, theirs, part, value):
                _tell(cx, unequal, other, part)
                return
        if len(met[part.left.name]) < 2:
            met[part.left.name].append((part, value))


def _parts(expr: Binary) -> Iterator[Binary]:
    """The comparisons of a chain, in the order they are written."""
    found: list[Binary] = []
    node: Expr = expr
    while isinstance(node, Binary) and node.op == expr.op:
        if isinstance(node.right, Binary):
            found.append(node.right)
        node = node.left
    if isinstance(node, Binary):
        found.append(node)
    return reversed(found)


def _single(cx: Lowering, node: Field) -> bool:
    """Whether the values of a field are known to be single ones of one type."""
    column = cx.rel.column(node.name) if cx.rel is not None else None
    kind = column.type.kind if column is not None and not column.parts else Kind.ANY
    return settled_kind(kind) and kind not in (Kind.LIST, Kind.MAP)


def _constant(node: Expr) -> str | float | None:
    """A number, or a text without ``*``; None for anything else."""
    if isinstance(node, Unary):
        value = _constant(node.operand)
        return None if value is None or isinstance(value, str) else -value
    if not isinstance(node, Literal) or isinstance(node.value, bool):
        return None
    return None if isinstance(node.value, str) and "*" in node.value else node.value


def _excluded(unequal: bool, a: Binary, x: object, b: Binary, y: object) -> bool:
    if isinstance(x, str) != isinstance(y, str):
        return False
    if unequal:
        return a.op == b.op == "!=" and x != y
    if a.op == b.op == "==":
        return x != y
    if not isinstance(x, int | float) or not isinstance(y, int | float):
        return False
    if a.op in _UPPER and b.op in _LOWER:
        a, x, b, y = b, y, a, x
    if a.op in _LOWER and b.op in _UPPER:
        return x > y or (x == y and not (a.op == ">=" and b.op == "<="))
    return False


def _tell(cx: Lowering, unequal: bool, a: Binary, b: Binary) -> None:
    left, right = (f"{canonical(e.left)} {e.op} {canonical(e.right)}" for e in (a, b))
    row = ALWAYS_ONE if unequal else NEVER_BOTH
    help = WRITE.fill(better=f"{left} {'and' if unequal else 'or'} {right}") if a.op == b.op else None
    cx.note(row, b.span, help=help, left=left, right=right, field=canonical(b.left))
