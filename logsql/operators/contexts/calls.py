"""The calls in a command that are computed row by row, taken out of it: a field of that row stands in their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TypeVar

from logsql.diagnostics.contexts import IN_BRANCH
from logsql.language.tree import (
    Binary,
    Call,
    Command,
    Expr,
    Field,
    ListExpr,
    Literal,
    NamedArg,
    Span,
    Subquery,
    Unary,
    canonical,
    walk,
)
from logsql.planner.calls import fail
from logsql.planner.expressions import CARRIED
from logsql.planner.function_spec import FUNCTIONS, FunctionSpec, Idiom, idiom

T = TypeVar("T")


@dataclass(frozen=True)
class Taken:
    """A call that was taken out. ``name``: of the field in its place; ``guard``: where it is computed (None: always).

    ``held``: it is no function of event contexts, and gives another value each time that it is computed.
    """

    call: Call
    spec: FunctionSpec
    name: str
    guard: Expr | None
    held: bool


class Taker:
    """Takes calls out of the commands of one run, in the order in which they are computed."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self._count = 0

    def command(self, command: Command) -> Command:
        """The command without them; :attr:`taken` holds those of this command."""
        self.taken = []
        options = tuple(self._thing(option) for option in command.options)
        return replace(command, options=options, args=self._thing(command.args))

    def _thing(self, thing: T) -> T:
        if isinstance(thing, (Subquery, Span)):
            return thing
        if isinstance(thing, Call | Binary | Unary | ListExpr | Field | Literal):
            return self._expr(thing, None)  # type: ignore[return-value]
        if isinstance(thing, tuple):
            return type(thing)(self._thing(one) for one in thing)
        if is_dataclass(thing) and not isinstance(thing, type):
            return replace(thing, **{f.name: self._thing(getattr(thing, f.name)) for f in fields(thing)})
        return thing

    def _expr(self, expr: Expr, guard: Expr | None) -> Expr:
        if isinstance(expr, Call):
            return self._call(expr, guard)
        if isinstance(expr, Binary):
            left = self._expr(expr.left, guard)
            then = guard
            if expr.op == "and":
                then = both(guard, left)
            elif expr.op == "or":
                then = both(guard, negated(left))
            return replace(expr, left=left, right=self._expr(expr.right, then))
        if isinstance(expr, Unary):
            return replace(expr, operand=self._expr(expr.operand, guard))
        if isinstance(expr, ListExpr):
            return replace(expr, items=tuple(self._expr(item, guard) for item in expr.items))
        return expr

    def _call(self, call: Call, guard: Expr | None) -> Expr:
        spec = FUNCTIONS.get(call.name)
        if spec is None:
            return call
        if spec.branches and idiom(call, 3) is not Idiom.CHOICE:
            self._refuse(call, [a for a in call.args if not isinstance(a, NamedArg)])
        args: list[Expr | NamedArg] = []
        for place, arg in enumerate(call.args):
            then = guard
            if place and spec.branches and isinstance(args[0], Expr):
                then = both(guard, args[0] if place == 1 else negated(args[0]))
            if isinstance(arg, NamedArg):
                args.append(replace(arg, value=self._expr(arg.value, then)))
            else:
                args.append(self._expr(arg, then))
        made = replace(call, args=tuple(args))
        held = not spec.duty.repeats and not spec.duty.places
        if spec.together is None and not held:
            return made
        self._count += 1
        name = CARRIED + canonical(call) + CARRIED * self._count
        self.taken.append(Taken(made, spec, name, guard, spec.together is None))
        return Field(name, call.span)

    def _refuse(self, outer: Call, args: Iterable[Expr]) -> None:
        for node in (node for arg in args for node in walk(arg) if isinstance(node, Call)):
            part = spec.together if (spec := FUNCTIONS.get(node.name)) is not None else None
            if part is not None and part.writes:
                fail(IN_BRANCH, node.span, function=node.name, outer=outer.name)


def both(first: Expr | None, second: Expr) -> Expr:
    """Both conditions."""
    return second if first is None else Binary("and", first, second)


def negated(condition: Expr) -> Expr:
    """Where a condition is not true; ``not`` of null would be null."""
    return Call("if", (condition, Literal(False, "bool"), Literal(True, "bool")))
