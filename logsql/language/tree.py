"""The command tree: frozen nodes, each with the span of the source text it came from.

The parser makes these, the planner reads them, nobody changes them. Spans are offsets into the query text as the user
wrote it (before look-alike normalisation), so that every later error can point at the user's own characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range ``[start, end)`` of character offsets into the query text."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. ``kind`` is one of ``string int long double bool null``; ``value`` the Python value."""

    value: str | int | float | bool | None
    kind: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Field:
    """A reference to a field by its exact (case-sensitive) name."""

    name: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class NamedArg:
    """``name=expr`` inside a call, as in ``datetrunc(_time, span="1h", offset="8h")``."""

    name: str
    value: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``$("name")`` is the call of ``$``."""

    name: str
    args: tuple[Expr | NamedArg, ...]
    span: Span = field(default=NOWHERE, compare=False)
    name_span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """``left op right``; ``op`` is one of ``+ - * / == != < <= > >= and or``."""

    op: str
    left: Expr
    right: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """``-operand``."""

    op: str
    operand: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class ListExpr:
    """A parenthesised list ``(a, b, c)`` of two or more expressions; evaluates to a list value."""

    items: tuple[Expr, ...]
    span: Span = field(default=NOWHERE, compare=False)


Expr = Literal | Field | Call | Binary | Unary | ListExpr


@dataclass(frozen=True, slots=True)
class Name:
    """A field, table, key or alias name as written in a command's list."""

    text: str
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target = expr`` in eval, evalc and set."""

    target: Name
    expr: Expr
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One aggregate call of stats and its relatives.

    ``output`` is the alias, or the canonical text of the call (``count``, ``sum((a + 1))``, ``percentile(v, 90)``).
    """

    function: Name
    args: tuple[Expr, ...]
    output: Name
    aliased: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field of a sort list."""

    name: Name
    descending: bool = False
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """Raw argument text (a path, a regular expression, an anchor, JSON) after the quoting rule of its context."""

    value: str
    span: Span = field(default=NOWHERE, compare=False)
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """``key=value``. ``value`` is the decoded text, or the expression when it was written ``$(...)``."""

    key: str
    value: str | Expr
    span: Span = field(default=NOWHERE, compare=False)
    key_span: Span = field(default=NOWHERE, compare=False)
    value_span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Subquery:
    """``[ query ]``."""

    query: Query
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. ``args`` is the frozen dataclass that the command's own declaration defines."""

    name: str
    options: tuple[Option, ...]
    args: Any
    span: Span = field(default=NOWHERE, compare=False)
    name_span: Span = field(default=NOWHERE, compare=False)

    def option(self, key: str) -> Option | None:
        """The last option written with this key, if any."""
        for option in reversed(self.options):
            if option.key == key:
                return option
        return None


@dataclass(frozen=True, slots=True)
class Comment:
    """A ``# text`` command: dropped by the planner, kept by the formatter. ``position`` counts commands before it."""

    text: str
    position: int
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Query:
    """A chain of commands, at least one, and the comments between them."""

    commands: tuple[Command, ...]
    comments: tuple[Comment, ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


def walk(expr: Expr | NamedArg) -> Iterator[Expr]:
    """Every expression node below and including ``expr``, parents first. Not recursive: ``a or b or ...`` is deep."""
    stack: list[Expr | NamedArg] = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, NamedArg):
            stack.append(node.value)
            continue
        yield node
        stack.extend(reversed(children(node)))


def children(expr: Expr) -> tuple[Expr | NamedArg, ...]:
    """The nodes directly below an expression, in written order."""
    if isinstance(expr, Call):
        return expr.args
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Unary):
        return (expr.operand,)
    return expr.items if isinstance(expr, ListExpr) else ()


def operands(expr: Expr, op: str) -> tuple[Expr, ...]:
    """The operands of a chain ``a op b op c`` in written order; ``(expr,)`` when it is no such chain.

    A chain leans left, so a thousand terms are a thousand levels deep: whoever recurses over a tree takes chains of
    ``and`` and ``or`` apart with this first.
    """
    found: list[Expr] = []
    while isinstance(expr, Binary) and expr.op == op:
        found.append(expr.right)
        expr = expr.left
    found.append(expr)
    return tuple(reversed(found))


def canonical(expr: Expr | NamedArg) -> str:
    """Canonical text of an expression, the name of an unaliased aggregate (language.md section 7).

    >>> canonical(Binary("+", Field("a"), Literal(1, "int")))
    '(a + 1)'
    """
    if isinstance(expr, NamedArg):
        return f"{expr.name}={canonical(expr.value)}"
    if isinstance(expr, Binary):
        rights: list[str] = []
        while isinstance(expr, Binary):
            rights.append(f" {expr.op} {canonical(expr.right)})")
            expr = expr.left
        return "(" * len(rights) + canonical(expr) + "".join(reversed(rights))
    if isinstance(expr, Literal):
        return _canonical_literal(expr)
    if isinstance(expr, Field):
        return expr.name
    if isinstance(expr, Call):
        return f"{expr.name}({', '.join(canonical(arg) for arg in expr.args)})"
    if isinstance(expr, Unary):
        return f"-{canonical(expr.operand)}"
    return f"({', '.join(canonical(item) for item in expr.items)})"


def _canonical_literal(literal: Literal) -> str:
    if literal.kind == "string":
        text = str(literal.value).replace("\\", "\\\\").replace('"', '\\"')
        return '"' + text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'
    if literal.value is None:
        return "null"
    return str(literal.value).lower() if isinstance(literal.value, bool) else repr(literal.value)
