"""Makes of expressions what Python can compute: the parts of them that depend on no result become columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from logsql.language.tree import Binary, Call, Expr, Field, Literal, NamedArg, walk
from logsql.operators.contexts.arguments import TEXT, TRUTH, kinds
from logsql.operators.contexts.plain import (
    OPERATORS,
    Apply,
    Constant,
    Parts,
    Plain,
    as_text,
    as_truth,
    binary,
    matching,
)
from logsql.operators.contexts.program import KINDS, Arg
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.relation import Rel
from logsql.planner.stage import Stage
from logsql.values import cells
from logsql.values.sql import Sql
from logsql.values.types import LType

Make = Callable[[Stage, Rel, Sequence[tuple[LType, Sql]]], tuple[Rel, list[Arg]]]


class Plainly:
    """The fields of rows that depend on results, and how Python computes them (None: it does not).

    ``results``: the fields that stand for calls.
    """

    def __init__(self, make: Make) -> None:
        self.results: dict[str, Parts] = {}
        self._make = make
        self.fields: dict[str, Plain | None] = {}

    def depends(self, expr: Expr) -> bool:
        """Whether an expression reads a result."""
        return any(isinstance(node, Field) and self._known(node.name) is not None for node in walk(expr))

    def _known(self, name: str) -> str | None:
        """The field that a name reads, or leads into."""
        if name in self.results or name in self.fields:
            return name
        return next((f for f in self.fields if name.startswith((f"{f}.", f"{f}["))), None)

    def role(self, stage: Stage, rel: Rel, kind: str, expr: Expr) -> tuple[Rel, Plain | None]:
        """How an argument is computed; None where only SQL does."""
        if not self._possible(expr):
            return rel, None
        rel, made = self._made(stage, rel, expr)
        if kind == TRUTH:
            return rel, Apply(as_truth, (made,))
        return rel, Apply(as_text, (made,)) if kind == TEXT else made

    def assigned(self, stage: Stage, rel: Rel, target: str, expr: Expr) -> Rel:
        """A field is set."""
        if not self.depends(expr):
            self.fields.pop(target, None)
        elif self._possible(expr):
            rel, self.fields[target] = self._made(stage, rel, expr)
        else:
            self.fields[target] = None
        return rel

    def _possible(self, expr: Expr | NamedArg) -> bool:
        """Whether Python computes an expression, for some values at least."""
        if isinstance(expr, NamedArg):
            return False
        if isinstance(expr, Literal):
            return cells.literal(expr.value) is not None
        if not self.depends(expr):
            return True
        if isinstance(expr, Field):
            return expr.name in self.results or self.fields.get(expr.name) is not None
        if isinstance(expr, Binary):
            return expr.op in OPERATORS and self._possible(expr.left) and self._possible(expr.right)
        spec = FUNCTIONS.get(expr.name) if isinstance(expr, Call) else None
        return (
            isinstance(expr, Call)
            and spec is not None
            and spec.direct is not None
            and all(map(self._possible, expr.args))
        )

    def _made(self, stage: Stage, rel: Rel, expr: Expr) -> tuple[Rel, Plain]:
        """How a possible expression is computed."""
        if isinstance(expr, Literal):
            return rel, Constant(cells.literal(expr.value) or cells.NULL)
        if not self.depends(expr):
            return self._column(stage, rel, expr)
        if isinstance(expr, Field):
            return rel, self.results.get(expr.name) or self.fields[expr.name] or Constant(cells.NULL)
        if isinstance(expr, Binary):
            if expr.op in ("==", "!=") and isinstance(expr.right, Literal) and isinstance(expr.right.value, str):
                rel, left = self._made(stage, rel, expr.left)
                return rel, Apply(matching(expr.op, expr.right.value), (left,))
            return self._applied(stage, rel, binary(expr.op), (expr.left, expr.right))
        spec = FUNCTIONS.get(expr.name) if isinstance(expr, Call) else None
        assert isinstance(expr, Call)
        assert spec is not None
        assert spec.direct is not None
        return self._applied(stage, rel, spec.direct, expr.args)

    def _applied(
        self, stage: Stage, rel: Rel, function: cells.Direct, nodes: tuple[Expr | NamedArg, ...]
    ) -> tuple[Rel, Plain]:
        args: list[Plain] = []
        for node in nodes:
            assert not isinstance(node, NamedArg)
            rel, made = self._made(stage, rel, node)
            args.append(made)
        return rel, Apply(function, tuple(args))

    def _column(self, stage: Stage, rel: Rel, expr: Expr) -> tuple[Rel, Plain]:
        rel, [value] = stage.lower(rel, expr)
        found = kinds(value)
        if not found:
            return rel, Constant(cells.NULL)
        rel, args = self._make(stage, rel, [(KINDS[kind], node) for kind, node in found])
        columns = ((kind, str(arg.ident)) for (kind, _), arg in zip(found, args, strict=True))
        return rel, Parts(tuple(columns), result=False)
