"""Parameters that change from row to row: ``evalc`` as SQL (language.md 8.6).

``evalc s = $("s") + a`` carries its state from one row to the next. Sums, extremes and last values become window
functions over the rows in order; any other expression becomes a recursive CTE that steps from row to row. The value
is a carried column named ``$s``; a command before ``evalc`` that reads the parameter sees the state left by the row
before, so ``evalc`` is planned before such commands and they read the carried column ``$s`` of the previous row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from logsql.language.tree import Binary, Call, Expr, Literal, NamedArg
from logsql.operators.passing import Field, remembered, tapped
from logsql.planner.arrange import BEFORE, parameter, reads
from logsql.planner.expressions import PARAMETER_PREFIX, ExprContext
from logsql.planner.function_spec import Idiom, idiom
from logsql.planner.plan import order_items
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.running import Carry
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.arithmetic import arithmetic
from logsql.values.sql import Sql
from logsql.values.types import BOOL, LONG, STRING, Kind, LType, unify
from logsql.values.values import NULL_VALUE, Typed

#: Columns of the parts of a running sum, gone when it is computed.
SUM, GAPS = "__sum", "__gaps"
_PASSES = 6


# --- lowering ---------------------------------------------------------------------------------------------------------


def lower_evalc(stage: Stage, rel: Rel, name: str, expr: Expr, before: bool) -> Rel:
    """Carry the parameter's value at each row (and before it, when asked)."""
    start = stage.chain.params.get(name, NULL_VALUE)
    if (carry := stage.chain.carry) is not None:
        return _carried(stage, rel, name, expr, before, start, carry)
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


def _carried(stage: Stage, rel: Rel, name: str, expr: Expr, before: bool, start: Typed, carry: Carry) -> Rel:
    """As :func:`lower_evalc` where rows come in batches: the first row reads what the last one before it left.

    Each row is a step, so that there is one rule for every batch; what a window function says of the first rows of all
    (``max`` of nothing) does not hold for later ones.
    """
    rel = stage.flush(rel)
    type_, _ = _fixpoint(stage, rel, name, rel.fresh_ident(PARAMETER_PREFIX + name), expr, start)
    kept, _ = remembered(Typed(sql.null(type_.physical), type_))
    memory = carry.memory("evalc")
    table = carry.readable(memory, [("set", "BOOLEAN"), ("state", kept.physical)])

    def left(column: str) -> Sql:
        return exp.Subquery(this=sql.select([sql.col(column)], sql.table(table)))

    state = sql.cast(left("state"), kept.physical) if kept.json else left("state")
    first = values.coerce(start, kept)
    held = Typed(sql.case([(left("set"), state)], first), kept)
    rel, column = _recursion(stage, rel, name, expr, held)
    rel = _finish(stage, rel, column, name, before, held)
    _, node = remembered(rel.value(column))
    fields = [Field("set", BOOL, sql.boolean(True)), Field("state", kept, values.coerce(Typed(node, kept), kept))]
    return tapped(stage, rel, fields, memory)


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
    stage.chain.params[name] = Typed(exp.Subquery(this=last), column.type)
    stage.chain.parameter_sources.add(rel.source)
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
    if isinstance(expr, Call) and idiom(expr, 2) is Idiom.OTHERWISE:
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
    if isinstance(expr, Call) and idiom(expr, 2) is Idiom.OTHERWISE:
        other = expr.args[1]
        return not isinstance(other, NamedArg) and _present(other)
    if isinstance(expr, Call) and idiom(expr, 3) is Idiom.CHOICE:
        return all(not isinstance(a, NamedArg) and _present(a) for a in expr.args[1:])
    return idiom(expr, 1) is Idiom.NEVER_NULL


def _extreme(stage: Stage, rel: Rel, name: str, expr: Expr, start: Typed) -> tuple[Rel, Typed | None]:
    """``max(state, e, ...)`` and ``min``, from nothing: nulls do not count, so it is the extreme of e so far."""
    extreme = isinstance(expr, Call) and idiom(expr, len(expr.args)) in (Idiom.GREATEST, Idiom.LEAST)
    if not isinstance(expr, Call) or not extreme or start.kind is not Kind.NULL:
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
    if not isinstance(expr, Call) or idiom(expr, 2) is not Idiom.OTHERWISE:
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
    inner = rel.read_as(rows)
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
    done = stage.joined("evalc", rel, final)
    column = Column(PARAMETER_PREFIX + name, ident, type_)
    carried = (*(c for c in rel.carried if c.name != column.name), column)
    done = stage.reordered(replace(done, carried=carried), [OrderKey(place, LONG)] if rel.order.defined else ())
    return done, column


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


__all__ = ["lower_evalc"]
