"""The arguments of an operation on event contexts, from the expressions of a command or a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from logsql.diagnostics.contexts import ATTRIBUTE
from logsql.language.tree import Expr, Field, Literal, NamedArg
from logsql.operators.contexts.calls import Taken
from logsql.operators.contexts.program import (
    ATTRIBUTES,
    KINDS,
    NONE,
    Arg,
    ContextArgs,
    Operation,
    What,
)
from logsql.operators.documents import document, member, rest_members
from logsql.planner.calls import fail
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Column, Rel
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.timespans import Span
from logsql.values.types import BOOL, DATE, LONG, STRING, Kind, LType
from logsql.values.values import Typed

#: What of a value an argument is.
TRUTH, TEXT, VALUE = "truth", "text", "value"
#: Values as columns of the relation: the stage, the relation, their types and their SQL.
Make = Callable[[Stage, Rel, Sequence[tuple[LType, Sql]]], tuple[Rel, list[Arg]]]


class Known(Protocol):
    """Who knows the columns of results, by the name of the field that stands for the call."""

    @property
    def parts(self) -> Mapping[str, tuple[tuple[str, str], ...]]: ...
    def held(self, column: Column) -> None:
        """A value that is no result: later commands read it where it was computed."""


class Arguments:
    """Makes one operation at a command; ``rel`` is the relation with what it needs in columns."""

    def __init__(self, stage: Stage, rel: Rel, make: Make) -> None:
        self.stage = stage
        self.rel = rel
        self._make = make
        #: The expression of each argument, and whether its truth, its text or its value is meant.
        self.exprs: dict[str, tuple[str, Expr]] = {}

    # --- operations -------------------------------------------------------------------------------

    def command(self, part: str) -> Operation:
        """That of ``evtctxadd`` or ``evtctxdel``."""
        stage, what = self.stage, What[part]
        option, dynamic = stage.option, stage.option("dynamic")
        condition = stage.arguments(ContextArgs).condition
        self.exprs = {"test": (TRUTH, condition), "key": (TEXT, Field(option("key") or "key"))}
        roles = {
            "test": self._test(condition),
            "topic": self._text("topic") if dynamic else Arg(constant=option("topic")),
            "key": self._text(option("key") or "key"),
        }
        if option("logtick") is not None:
            roles |= {"host": self._text(option("logtick")), "time": self._time()}
        if what is What.DELETE:
            return Operation(what, stage.spec.name, roles)
        if dynamic:
            roles |= {name: self._number(name) for name in ("expire", "timeout", "maxrows")}
        if dynamic or option("maxrows"):
            roles["doc"] = self._row(roles["test"])
        expire, timeout = (None if dynamic else _micros(option(name)) for name in ("expire", "timeout"))
        return Operation(what, stage.spec.name, roles, maxrows=option("maxrows"), expire=expire, timeout=timeout)

    def call(self, call: Taken, known: Known) -> Operation:
        """That of a function."""
        nodes = [a for a in call.call.args if not isinstance(a, NamedArg)]
        if call.held:
            value = self._value(call.call)
            arg = self._column(value.type, value.expr)
            column = Column(call.name, str(arg.ident), value.type)
            self.rel = replace(self.rel, carried=(*self.rel.carried, column))
            known.held(column)
            return Operation(What.HOLD, call.spec.name, {"value": arg})
        assert call.spec.together is not None
        what = What[call.spec.together.part]
        results = known.parts[call.name]
        roles = {"topic": self._expr(nodes[0])}
        self.exprs = {"topic": (TEXT, nodes[0])}
        if what is What.COUNT:
            return Operation(what, call.spec.name, roles, results)
        roles["key"] = self._expr(nodes[1])
        self.exprs["key"] = TEXT, nodes[1]
        written = 4 if what is What.SET else 3
        if len(nodes) > written:
            roles["host"] = self._expr(nodes[written])
            self.exprs["host"] = TEXT, nodes[written]
        if what is What.GET:
            return Operation(what, call.spec.name, roles, results, attribute=attribute(call))
        roles["name"] = self._expr(nodes[2])
        self.exprs["name"] = TEXT, nodes[2]
        if what is What.SET:
            roles |= self._variable(nodes[3])
            self.exprs["value"] = VALUE, nodes[3]
            if call.guard is not None:
                roles["test"] = self._test(call.guard)
                self.exprs["test"] = TRUTH, call.guard
        return Operation(what, call.spec.name, roles, results)

    # --- values -----------------------------------------------------------------------------------

    def _value(self, expr: Expr) -> Typed:
        self.rel, [value] = self.stage.lower(self.rel, expr)
        return value

    def _column(self, type_: LType, node: Sql) -> Arg:
        (arg,) = self._columns([(type_, node)])
        return arg

    def _columns(self, cells: Sequence[tuple[LType, Sql]]) -> list[Arg]:
        self.rel, args = self._make(self.stage, self.rel, cells)
        return args

    def _test(self, condition: Expr) -> Arg:
        """True where the value is neither null nor false."""
        if isinstance(condition, Literal):
            return Arg(constant=condition.value is not None and condition.value is not False)
        return self._column(BOOL, values.truth(self._value(condition)))

    def _expr(self, expr: Expr) -> Arg:
        if isinstance(expr, Literal) and (expr.value is None or isinstance(expr.value, str)):
            return Arg(constant=expr.value)
        return self._shown(self._value(expr))

    def _text(self, name: str) -> Arg:
        """A field of the row as text."""
        return self._shown(self._field(name))

    def _field(self, name: str) -> Typed:
        self.rel, value = self.stage.lowered(self.rel, lambda cx: cx.field(name))
        return value

    def _shown(self, value: Typed) -> Arg:
        return NONE if value.kind is Kind.NULL else self._column(STRING, values.text_sql(value))

    def _number(self, name: str) -> Arg:
        """A field of the row as a whole number; its text may be one."""
        value = self._field(name)
        return NONE if value.kind is Kind.NULL else self._column(LONG, sql.try_cast(values.text_sql(value), "BIGINT"))

    def _time(self) -> Arg:
        """``_time`` of the row."""
        node = values.date_sql(self._field("_time"))
        return NONE if node is None else self._column(DATE, node)

    def _row(self, test: Arg) -> Arg:
        """The fields that the row has here as a document, where the row is for a context."""
        rel = self.rel = self.stage.flush(self.rel)

        def make(cx: ExprContext) -> Sql:
            pieces = [member(name, cx.field(name), always=False) for name in rel.names]
            if rel.rest is not None:
                pieces.append(rest_members(rel.rest))
            body = sql.func("concat_ws", sql.string(","), *pieces) if pieces else sql.string("")
            return sql.concat(sql.string("{"), body, sql.string("}"))

        self.rel, node = self.stage.lowered(rel, make)
        if test.ident is not None:
            node = sql.when(sql.col(test.ident), node)
        return self._column(STRING, node)

    def _variable(self, expr: Expr) -> dict[str, Arg]:
        """A value by its kind: at most one of them is set in a row."""
        value = self._value(expr)
        if value.kind is Kind.NULL:
            return {}
        found = kinds(value)
        args = self._columns([(KINDS[kind], node) for kind, node in found])
        return {kind: arg for (kind, _), arg in zip(found, args, strict=True)}


def _micros(span: Span | None) -> int | None:
    return None if span is None else span.round_seconds * 1_000_000


def results(call: Taken) -> dict[str, LType]:
    """What a call gives: its type by its kind, of a variable those that it may have."""
    assert call.spec.together is not None
    what = What[call.spec.together.part]
    if what is What.VAR:
        return KINDS
    if what is What.GET:
        return {"": ATTRIBUTES[attribute(call)]}
    return {"": BOOL if what is What.SET else LONG}


def attribute(call: Taken) -> str:
    """The attribute that ``evtctxget`` names."""
    node = call.call.args[2]
    name = node.value if isinstance(node, Literal) else None
    if not isinstance(name, str) or name not in ATTRIBUTES:
        fail(ATTRIBUTE, node.span, attribute="?" if name is None else name)
    return name


def kinds(value: Typed) -> Sequence[tuple[str, Sql]]:
    """The value in each kind that it may have."""
    parts = value.parts or (value,)
    found: list[tuple[str, Sql]] = []
    for part in parts:
        if part.kind is Kind.ANY:
            found += _any(part)
        elif part.kind is Kind.NULL:
            continue
        elif part.type.integer:
            whole = values.integer_sql(part)
            assert whole is not None
            found.append(("long", whole))
        elif part.type.number:
            found.append(("double", sql.cast(part.expr, "DOUBLE")))
        elif part.kind in _OWN:
            found.append((_OWN[part.kind], part.expr))
        else:
            found.append(("document", sql.cast(document(part), "VARCHAR")))
    merged: dict[str, list[Sql]] = {}
    for kind, node in found:
        merged.setdefault(kind, []).append(node)
    return [(kind, nodes[0] if len(nodes) == 1 else sql.coalesce(*nodes)) for kind, nodes in merged.items()]


_OWN = {Kind.BOOL: "bool", Kind.DATE: "date", Kind.IP: "ip", Kind.STRING: "string", Kind.BINARY: "binary"}


def _any(value: Typed) -> list[tuple[str, Sql]]:
    """In the order in which the kinds are asked for: a whole number is a number too, and everything is a document."""
    whole, real = values.integer_sql(value), values.number_sql(value)
    scalars = [
        ("bool", values.bool_sql(value)),
        ("long", whole),
        ("double", real),
        ("date", values.date_sql(value)),
        ("string", values.string_sql(value)),
        ("binary", values.binary_sql(value)),
    ]
    found = [(kind, node) for kind, node in scalars if node is not None]
    shown = sql.when(values.not_null(value), sql.cast(document(value), "VARCHAR"))
    return [*found, ("document", shown)]
