"""Parameters that change from row to row: ``evalc`` as SQL (language.md 8.6).

``evalc s = $("s") + a`` carries its state from one row to the next. Sums, extremes and last values become window
functions over the rows in order; any other expression becomes a recursive CTE that steps from row to row. The value
is a carried column named ``$s``; a command before ``evalc`` that reads the parameter sees the state left by the row
before, so ``evalc`` is planned before such commands and they read the carried column ``$s`` of the previous row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from sqlglot import exp

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
    walk,
)
from logsql.planner.calls import fail
from logsql.planner.expressions import PARAMETER_PREFIX, ExprContext
from logsql.planner.plan import order_items
from logsql.planner.relation import Column, Order, OrderKey, Rel
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.arithmetic import arithmetic
from logsql.values.sql import Sql
from logsql.values.types import LONG, STRING, Kind, LType, unify
from logsql.values.values import NULL_VALUE, Typed

#: Suffix of the parameter that holds the state before the row.
BEFORE = "\0before"
#: Columns of the parts of a running sum, gone when it is computed.
SUM, GAPS = "__sum", "__gaps"
_PASSES = 6


@dataclass(frozen=True)
class EvalcArgs:
    """Assignments of parameters per row. ``before`` names those whose state before the row is read too."""

    assignments: tuple[Assignment, ...]
    before: tuple[str, ...] = ()


# --- reading order ----------------------------------------------------------------------------------------------------


def parameter(expr: Expr | NamedArg, name: str) -> tuple[bool, Expr | None]:
    """Whether an expression is ``$("name")`` or ``$("name", default)``, and the default."""
    if not isinstance(expr, Call) or expr.name != "$" or not 1 <= len(expr.args) <= 2:
        return False, None
    first = expr.args[0]
    if not isinstance(first, Literal) or first.value != name:
        return False, None
    default = expr.args[1] if len(expr.args) == 2 else None
    return not isinstance(default, NamedArg), default if not isinstance(default, NamedArg) else None


def reads(thing: Any, name: str) -> bool:
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
        if command.name != "evalc":
            continue
        name = command.args.assignments[0].target.text
        first = next((i for i in range(position) if _early(result[i], name)), None)
        if first is not None:
            result[first : position + 1] = _move(result[first:position], result[position], name)
    return result


def _singles(command: Command) -> list[Command]:
    if command.name != "evalc":
        return [command]
    return [replace(command, args=replace(command.args, assignments=(a,))) for a in command.args.assignments]


def _early(command: Command, name: str) -> bool:
    """Whether a command reads the parameter for each row (``evalc`` of the parameter itself carries it on)."""
    if command.name == "evalc" and command.args.assignments[0].target.text == name:
        return False
    return command.name not in ("set", "setq") and reads((command.args, command.options), name)


def _move(between: Sequence[Command], evalc: Command, name: str) -> list[Command]:
    """``evalc`` first, then what stood before it, reading the state before the row."""
    [assignment] = evalc.args.assignments
    expr = assignment.expr
    state = parameter_call(name)
    for command in reversed(between):
        if command.name == "eval":
            for item in reversed(command.args.assignments):
                expr = substitute(expr, {item.target.text: item.expr})
        elif command.name == "search" and not command.options and command.args.condition is not None:
            expr = Call("if", (command.args.condition, expr, state))
        elif command.name == "evalc":
            [other] = command.args.assignments
            expr = _inlined(evalc, expr, other, name)
        elif command.name != "bypass":
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
    fail(
        "20203",
        "evalc-order",
        f'a command before evalc reads $("{name}") from the row before',
        evalc.span,
        "only eval, search (without limit=) and evalc of parameters that do not need each other may stand between",
    )


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


def _rename(thing: Any, name: str) -> Any:
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


# --- lowering ---------------------------------------------------------------------------------------------------------


def lower_evalc(stage: Stage, rel: Rel, name: str, expr: Expr, before: bool) -> Rel:
    """Carry the parameter's value at each row (and before it, when asked)."""
    start = stage.planner.params.get(name, NULL_VALUE)
    known = any(c.name == PARAMETER_PREFIX + name for c in rel.carried)
    rel = stage.flush(rel)
    if known or not reads(expr, name):
        rel, [value] = stage.lower(rel, expr)
    else:
        rel, found = _window(stage, rel, name, expr, start)
        if found is None:
            return _finish(stage, *_recursion(stage, rel, name, expr, start), name, before, start)
        value = found
    value = values.to_variant(value) if value.parts else value
    column = Column(PARAMETER_PREFIX + name, rel.fresh_ident(PARAMETER_PREFIX + name), value.type)
    pending = {**rel.pending, column.ident: value.expr}
    carried = (*(c for c in rel.carried if c.name not in (column.name, SUM, GAPS)), column)
    rel = stage.flush(replace(rel, carried=carried, pending=pending, tag=stage.tag))
    return _finish(stage, rel, column, name, before, start)


def _finish(stage: Stage, rel: Rel, column: Column, name: str, before: bool, start: Typed) -> Rel:
    """The state before the row, and the last state as the parameter's value behind a command that ends the rows."""
    if before:
        kept = PARAMETER_PREFIX + name + BEFORE
        target = unify(column.type, start.type)
        previous = exp.Window(
            this=sql.func(
                "lag", values.coerce(rel.value(column), target), sql.integer(1), values.coerce(start, target)
            ),
            order=stage.window_order(rel),
        )
        ident = rel.fresh_ident(f"{PARAMETER_PREFIX}{name} before")
        carried = (*(c for c in rel.carried if c.name != kept), Column(kept, ident, target))
        rel = stage.flush(replace(rel, carried=carried, pending={**rel.pending, ident: previous}, tag=stage.tag))
    place = sql.row_number(stage.window_order(rel))
    numbered = sql.select([sql.alias(sql.col(column.ident), "v"), sql.alias(place, "n")], sql.table(rel.source))
    last = sql.select(
        [sql.col("v")],
        exp.Subquery(this=numbered),
        order=sql.order_by([sql.ordered(sql.col("n"), True)]),
        limit=exp.Limit(expression=sql.integer(1)),
    )
    stage.planner.params[name] = Typed(exp.Subquery(this=last), column.type)
    stage.planner.parameter_sources.add(rel.source)
    return rel


# --- window functions -------------------------------------------------------------------------------------------------


def _over(stage: Stage, rel: Rel, node: Sql) -> Sql:
    """An aggregate of the rows up to this one."""
    spec = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
    return exp.Window(this=node, order=stage.window_order(rel), spec=spec)


def _window(stage: Stage, rel: Rel, name: str, expr: Expr, start: Typed) -> tuple[Rel, Typed | None]:
    """The forms that a window function computes; None for any other."""
    for form in (_sum, _extreme, _last):
        rel, value = form(stage, rel, name, expr, start)
        if value is not None:
            return rel, value
    return rel, None


def _state(expr: Expr | NamedArg, name: str) -> tuple[bool, Expr | None]:
    """``$("s")``, ``$("s", c)`` or ``nvl($("s"), c)``: whether it is the state, and what it is when null."""
    if isinstance(expr, Call) and expr.name == "nvl" and len(expr.args) == 2:
        is_state, default = parameter(expr.args[0], name)
        other = expr.args[1]
        return (is_state and default is None and not isinstance(other, NamedArg)), other  # type: ignore[return-value]
    return parameter(expr, name)


def _sum(stage: Stage, rel: Rel, name: str, expr: Expr, start: Typed) -> tuple[Rel, Typed | None]:
    """``state + e`` with a numeric e that is never null, or a state without default (null stays null)."""
    if not isinstance(expr, Binary) or expr.op != "+":
        return rel, None
    for state, addend in ((expr.left, expr.right), (expr.right, expr.left)):
        is_state, default = _state(state, name)
        if not is_state or reads(addend, name) or (default is not None and not isinstance(default, Literal)):
            continue
        rel, [amount] = stage.lower(rel, addend)
        base = start
        if default is not None and start.kind is Kind.NULL:
            base = stage.context(None).lower(default)
        if not amount.type.number or not (base.type.number or base.kind is Kind.NULL):
            return rel, None
        if base.kind is Kind.NULL:
            return rel, Typed(sql.null(LONG.physical), LONG)
        if default is not None and not _present(addend):
            return rel, None
        if default is None and not _present(addend):
            gaps = sql.func("count", sql.when(values.is_null(amount), sql.integer(1)))
            rel, gaps = _computed(stage, rel, GAPS, _over(stage, rel, gaps))
        total = _over(stage, rel, sql.func("sum", amount.expr))
        whole = amount.type.integer
        rel, node = _computed(stage, rel, SUM, sql.try_cast(total, "BIGINT") if whole else total)
        result = arithmetic("+", base, Typed(node, LONG if whole else amount.type))
        if default is None and not _present(addend):
            return rel, Typed(sql.when(sql.eq(gaps, sql.integer(0)), result.expr), result.type)
        return rel, result
    return rel, None


def _computed(stage: Stage, rel: Rel, label: str, node: Sql) -> tuple[Rel, Sql]:
    """A window function as a column of its own: TRY, which guards arithmetic, cannot hold one."""
    ident = rel.fresh_ident(label)
    column = Column(label, ident, LONG)
    rel = stage.flush(replace(rel, carried=(*rel.carried, column), pending={**rel.pending, ident: node}, tag=stage.tag))
    return rel, sql.col(ident)


def _present(expr: Expr) -> bool:
    """Whether an expression is never null by its form."""
    if isinstance(expr, Literal):
        return expr.value is not None
    if isinstance(expr, Call) and expr.name == "nvl" and len(expr.args) == 2:
        other = expr.args[1]
        return not isinstance(other, NamedArg) and _present(other)
    if isinstance(expr, Call) and expr.name == "if" and len(expr.args) == 3:
        return all(not isinstance(a, NamedArg) and _present(a) for a in expr.args[1:])
    return isinstance(expr, Call) and expr.name == "len"


def _extreme(stage: Stage, rel: Rel, name: str, expr: Expr, start: Typed) -> tuple[Rel, Typed | None]:
    """``max(state, e, ...)`` and ``min``, from nothing: nulls do not count, so it is the extreme of e so far."""
    if not isinstance(expr, Call) or expr.name not in ("max", "min") or start.kind is not Kind.NULL:
        return rel, None
    plain = [a for a in expr.args if not isinstance(a, NamedArg)]
    states = [a for a in plain if _state(a, name)[0]]
    others = [a for a in plain if not _state(a, name)[0]]
    if len(states) != 1 or not others or any(reads(o, name) for o in others) or len(plain) != len(expr.args):
        return rel, None
    default = _state(states[0], name)[1]
    if default is not None and default not in others:
        return rel, None
    rel, [value] = stage.lower(rel, others[0] if len(others) == 1 else replace(expr, args=tuple(others)))
    if value.kind is Kind.NULL:
        return rel, value
    if value.type.number or value.kind in (Kind.DATE, Kind.BOOL):
        return rel, Typed(_over(stage, rel, sql.func(expr.name, value.expr)), value.type)
    return rel, None


def _last(stage: Stage, rel: Rel, name: str, expr: Expr, start: Typed) -> tuple[Rel, Typed | None]:
    """``nvl(e, state)``: the last value that is not null."""
    if not isinstance(expr, Call) or expr.name != "nvl" or len(expr.args) != 2:
        return rel, None
    value_expr, state = expr.args
    if isinstance(value_expr, NamedArg) or parameter(state, name) != (True, None) or reads(value_expr, name):
        return rel, None
    rel, [value] = stage.lower(rel, value_expr)
    if value.kind is Kind.NULL:
        return rel, start
    if value.parts:
        value = values.to_variant(value)
    present = sql.when(values.not_null(value), value.expr) if value.type.json else value.expr
    node = exp.IgnoreNulls(this=exp.LastValue(this=present))
    found = Typed(_over(stage, rel, node), value.type)
    if start.kind is Kind.NULL:
        return rel, found
    target = unify(found.type, start.type)
    return rel, Typed(sql.coalesce(values.coerce(found, target), values.coerce(start, target)), target)


# --- any expression ---------------------------------------------------------------------------------------------------


def _recursion(stage: Stage, rel: Rel, name: str, expr: Expr, start: Typed) -> tuple[Rel, Column]:
    """A recursive CTE: one step per row, the state joined back to the rows."""
    rows, state = "__rows", "__state"
    place = rel.fresh_ident("__n")
    ident = rel.fresh_ident(PARAMETER_PREFIX + name, [place])
    at = rel.fresh_ident("__at", [place, ident])
    idents = rel.all_idents()
    node = _rows(stage, rel, idents, place)
    inner = replace(rel, source=rows)
    type_, step = _fixpoint(stage, inner, name, ident, expr, start)
    first = sql.select(
        [sql.alias(sql.cast(sql.integer(0), "BIGINT"), at), sql.alias(values.coerce(start, type_), ident)]
    )
    joined = exp.Join(this=sql.table(rows), on=sql.eq(sql.col(place), sql.binary("+", sql.col(at), sql.integer(1))))
    then = sql.select([sql.alias(sql.col(place), at), sql.alias(step, ident)], sql.table(state), joins=[joined])
    steps = exp.Union(this=first, expression=then, distinct=False)
    back = exp.Join(this=sql.table(state), on=sql.eq(sql.col(place), sql.col(at)))
    final = sql.select([sql.col(i) for i in (*idents, ident, place)], sql.table(rows), joins=[back])
    ctes = [_cte(rows, node, materialized=True), _cte(state, steps)]
    final.set("with_", exp.With(expressions=ctes, recursive=True))
    source = stage.add("evalc", final, rel.source)
    column = Column(PARAMETER_PREFIX + name, ident, type_)
    carried = (*(c for c in rel.carried if c.name != column.name), column)
    order = Order(keys=(OrderKey(place, LONG),)) if rel.order.defined else rel.order
    return replace(rel, source=source, carried=carried, order=order), column


def _rows(stage: Stage, rel: Rel, idents: Sequence[str], place: str) -> exp.Select:
    items = [sql.alias(rel.expr(i), i) for i in idents]
    keys = [] if rel.order.physical else order_items(rel)
    items.append(sql.alias(sql.row_number(sql.order_by(keys) if keys else None), place))
    return sql.select(items, sql.table(rel.source), rel.where)


def _cte(name: str, query: exp.Expression, materialized: bool | None = None) -> exp.CTE:
    return exp.CTE(this=query, alias=exp.TableAlias(this=sql.ident(name)), materialized=materialized)


def _fixpoint(stage: Stage, rel: Rel, name: str, ident: str, expr: Expr, start: Typed) -> tuple[LType, Sql]:
    """The type that the state has after any number of steps, and the step in it."""
    type_ = start.type
    for _ in range(_PASSES):
        carried = (*rel.carried, Column(PARAMETER_PREFIX + name, ident, type_))
        cx: ExprContext = stage.context(replace(rel, carried=carried))
        cx.lambda_depth = 1  # no lets: a column computed beforehand cannot read the state
        value = cx.lower(expr)
        value = values.to_variant(value) if value.parts else value
        merged = unify(type_, value.type)
        if merged == type_:
            return _held(type_), values.coerce(value, _held(type_))
        type_ = merged
    raise AssertionError(f"the type of {name} does not settle")


def _held(type_: LType) -> LType:
    return STRING if type_.kind is Kind.NULL else type_


__all__ = ["EvalcArgs", "arrange", "lower_evalc", "walk"]
