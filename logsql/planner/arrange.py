"""The order in which commands are planned: ``setq`` first, and ``evalc`` before what reads its state of the row before.

``eval s = $("s") | evalc s = $("s") + a`` reads in ``eval`` the state that the row before left, so that ``evalc`` is
planned first and what stood before it reads the state before the row (language.md 8.6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace

from logsql.diagnostics.expressions import EVALC_ORDER
from logsql.language.tree import (
    Assignment,
    Binary,
    Call,
    Command,
    Expr,
    Field,
    ListExpr,
    Literal,
    NamedArg,
    Unary,
)
from logsql.planner.calls import fail
from logsql.planner.duties import RowState
from logsql.planner.expressions import PARAMETER_PREFIX
from logsql.planner.spec import COMMANDS

#: Suffix of the parameter that holds the state before the row.
BEFORE = "\0before"


@dataclass(frozen=True)
class EvalcArgs:
    """Assignments of parameters per row. ``before`` names those whose state before the row is read too."""

    assignments: tuple[Assignment, ...]
    before: tuple[str, ...] = ()


def parameter(expr: Expr | NamedArg, name: str) -> tuple[bool, Expr | None]:
    """Whether an expression is ``$("name")`` or ``$("name", default)``, and the default."""
    if not isinstance(expr, Call) or expr.name != "$" or not 1 <= len(expr.args) <= 2:
        return False, None
    first = expr.args[0]
    if not isinstance(first, Literal) or first.value != name:
        return False, None
    default = expr.args[1] if len(expr.args) == 2 else None
    return not isinstance(default, NamedArg), default if not isinstance(default, NamedArg) else None


def reads(thing: object, name: str) -> bool:
    """Whether any expression in a command's arguments reads the parameter."""
    if isinstance(thing, Call) and thing.name == "$":
        names = thing.args[:-1] or thing.args
        if any(isinstance(a, Literal) and a.value == name for a in names):
            return True
    if isinstance(thing, (list, tuple)):
        return any(reads(x, name) for x in thing)
    if is_dataclass(thing):
        return any(reads(getattr(thing, f.name), name) for f in fields(thing))
    return False


def arrange(commands: Sequence[Command]) -> list[Command]:
    """Commands with every ``evalc`` before those that read the state of the row before."""
    result = [single for command in commands for single in _singles(command)]
    for position, command in enumerate(list(result)):
        if _kind(command) is not RowState.CARRIES:
            continue
        name = command.args.assignments[0].target.text
        first = next((i for i in range(position) if _early(result[i], name)), None)
        if first is not None:
            result[first : position + 1] = _move(result[first:position], result[position], name)
    return result


def _kind(command: Command) -> RowState:
    return COMMANDS[command.name].state


def _singles(command: Command) -> list[Command]:
    if _kind(command) is not RowState.CARRIES:
        return [command]
    return [replace(command, args=replace(command.args, assignments=(a,))) for a in command.args.assignments]


def _early(command: Command, name: str) -> bool:
    """Whether a command reads the parameter for each row (``evalc`` of the parameter itself carries it on)."""
    kind = _kind(command)
    if kind is RowState.CARRIES and command.args.assignments[0].target.text == name:
        return False
    return kind not in (RowState.ONCE, RowState.FIRST) and reads((command.args, command.options), name)


def _move(between: Sequence[Command], evalc: Command, name: str) -> list[Command]:
    """``evalc`` first, then what stood before it, reading the state before the row."""
    [assignment] = evalc.args.assignments
    expr = assignment.expr
    state = parameter_call(name)
    for command in reversed(between):
        kind = _kind(command)
        if kind is RowState.ASSIGNS:
            for item in reversed(command.args.assignments):
                expr = substitute(expr, {item.target.text: item.expr})
        elif kind is RowState.FILTERS and not command.options and command.args.condition is not None:
            expr = Call("if", (command.args.condition, expr, state))
        elif kind is RowState.CARRIES:
            [other] = command.args.assignments
            expr = _inlined(evalc, expr, other, name)
        elif kind is not RowState.PASSES:
            _refuse(evalc, name)
    args = EvalcArgs((replace(assignment, expr=expr),), (*evalc.args.before, name))
    moved = replace(evalc, args=args)
    return [moved, *(replace(c, args=_rename(c.args, name)) for c in between)]


def _inlined(evalc: Command, expr: Expr, other: Assignment, name: str) -> Expr:
    """The expression where it no longer needs another parameter of the same row."""
    target = other.target.text
    if not reads(expr, target):
        return expr
    if target == name or reads(other.expr, target):
        _refuse(evalc, name)
    return substitute(expr, {PARAMETER_PREFIX + target: other.expr})


def parameter_call(name: str) -> Call:
    return Call("$", (Literal(name, "string"),))


def _refuse(evalc: Command, name: str) -> None:
    fail(EVALC_ORDER, evalc.span, parameter=name)


def substitute(expr: Expr, bindings: dict[str, Expr]) -> Expr:
    """The expression with fields replaced by expressions."""
    if isinstance(expr, Field):
        return bindings.get(expr.name, expr)
    if isinstance(expr, Call) and expr.name == "$":
        return next((e for n, e in bindings.items() if n[:1] == PARAMETER_PREFIX and parameter(expr, n[1:])[0]), expr)
    return _mapped(expr, lambda e: substitute(e, bindings))


def _mapped(expr: Expr, step: Callable[[Expr], Expr]) -> Expr:
    if isinstance(expr, Call):
        args = tuple(replace(a, value=step(a.value)) if isinstance(a, NamedArg) else step(a) for a in expr.args)
        return replace(expr, args=args)
    if isinstance(expr, Binary):
        return replace(expr, left=step(expr.left), right=step(expr.right))
    if isinstance(expr, Unary):
        return replace(expr, operand=step(expr.operand))
    if isinstance(expr, ListExpr):
        return replace(expr, items=tuple(step(i) for i in expr.items))
    return expr


def _rename(thing: object, name: str) -> object:
    """Arguments that read the state before the row instead of the parameter."""
    if isinstance(thing, Call) and thing.name == "$":
        names = thing.args[:-1] or thing.args
        args = tuple(
            replace(a, value=name + BEFORE) if a in names and isinstance(a, Literal) and a.value == name else a
            for a in thing.args
        )
        return replace(thing, args=args)
    if isinstance(thing, tuple):
        return tuple(_rename(x, name) for x in thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **{f.name: _rename(getattr(thing, f.name), name) for f in fields(thing)})
    return thing
