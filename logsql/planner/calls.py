"""What a function or aggregate row sees of its call: typed arguments on demand, constants, errors, helpers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NoReturn, Protocol

from sqlglot import exp

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.errors import QueryError, diagnostic
from logsql.diagnostics.expressions import ARGUMENT, NOT_CONSTANT
from logsql.diagnostics.extras import missing_extra
from logsql.diagnostics.losses import Loss
from logsql.diagnostics.messages import message
from logsql.language.slips import in_quotes
from logsql.language.tree import Call, Expr, Field, Literal, NamedArg, Span, canonical, walk
from logsql.planner import losses
from logsql.planner.catalog import Catalog
from logsql.planner.relation import Rel, Rest
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import BOOL, DOUBLE, INT, LONG, STRING, Kind
from logsql.values.values import NULL_VALUE, Typed
from udfs.extras import MissingExtra, needs_extra


class Lowering(Protocol):
    """What the rows of functions may ask of :class:`~logsql.planner.expressions.ExprContext`, which explains each."""

    catalog: Catalog
    rel: Rel | None
    bindings: dict[str, Typed]
    lets: dict[str, Sql]
    type_asked: set[str]
    texts_asked: set[tuple[str, str]]
    searching: bool
    lambda_depth: int
    row_order: Callable[[], exp.Expression | None] | None

    @property
    def rest(self) -> Rest | None: ...
    @property
    def run_id(self) -> str | None: ...
    def lower(self, expr: Expr) -> Typed: ...
    def argument(self, node: Expr) -> Typed: ...
    def converted(self, node: Expr) -> Typed: ...
    def untold(self, call: Call) -> bool: ...
    def asked(self, call: Call) -> bool: ...
    def tells(self) -> None: ...
    def call(self, call: Call) -> Typed: ...
    def field(self, name: str) -> Typed: ...
    def read(self, name: str, span: Span) -> Typed: ...
    def document(self, rest: Rest) -> Sql: ...
    def list_value(self, items: list[Typed]) -> Typed: ...
    def is_constant(self, expr: Expr) -> bool: ...
    def constant(self, expr: Expr, what: str, span: Span | None = None) -> Any: ...
    def let(self, node: Sql) -> Sql: ...
    def once(self, value: Typed, kinds: frozenset[Kind] = ...) -> Typed: ...
    def bind(self, name: str, value: Typed) -> None: ...
    def udf(self, name: str, *args: Sql) -> Sql: ...
    def sample(self, name: str) -> tuple[str, ...]: ...
    def own(self, name: str) -> bool: ...
    def counter(self, row: Loss, source: str, expr: Expr | None) -> tuple[str, int]: ...
    def note(
        self, said: Sentence, span: Span | None = None, /, *, help: str | None = None, **facts: object
    ) -> None: ...


class Named(Protocol):
    """A declaration, as far as a call names it."""

    @property
    def name(self) -> str: ...
    @property
    def signature(self) -> str: ...
    @property
    def numbers(self) -> int: ...
    @property
    def returns(self) -> str: ...


class NamedAggregate(Named, Protocol):
    """The declaration of an aggregate."""

    @property
    def counts(self) -> bool: ...
    @property
    def extreme(self) -> bool: ...


def fail(
    said: Sentence,
    span: Span | None = None,
    /,
    *,
    help: str | None = None,
    notes: Iterable[str] = (),
    **facts: object,
) -> NoReturn:
    """Refuse the query: ``fail(ROW, span, **facts)`` with a row of the catalogue (``diagnostics/codes.py``)."""
    raise QueryError(diagnostic(said, span, help=help, notes=notes, **facts))


def check_extra(what: str, package: str, extra: str, span: Span | None, module: str | None = None) -> None:
    """Refuse the query at ``span`` unless an optional package is installed: before a row is read, not in the middle."""
    try:
        needs_extra(what, package, extra, module)
    except MissingExtra as problem:
        raise QueryError(replace(missing_extra(problem), span=span)) from None


class FunctionCall:
    """One call being lowered. Arguments are lowered when asked for, so a row may also read the bare syntax."""

    def __init__(self, cx: Lowering, spec: Named, call: Call) -> None:
        self.cx = cx
        self.spec = spec
        self.call = call
        self.nodes: list[Expr] = [a for a in call.args if not isinstance(a, NamedArg)]
        self.named_nodes: dict[str, Expr] = {a.name: a.value for a in call.args if isinstance(a, NamedArg)}

    def __len__(self) -> int:
        return len(self.nodes)

    def arg(self, position: int) -> Typed:
        """The argument as a typed value; a large one of any type as a column, because functions read it once a type."""
        return self.cx.argument(self.nodes[position])

    @property
    def args(self) -> list[Typed]:
        return [self.cx.argument(node) for node in self.nodes]

    def optional(self, position: int) -> Typed | None:
        return self.arg(position) if position < len(self.nodes) else None

    def node(self, position: int, name: str | None = None) -> Expr | None:
        """Syntax of a positional or named argument, None when it is not written."""
        if name is not None and name in self.named_nodes:
            return self.named_nodes[name]
        return self.nodes[position] if position < len(self.nodes) else None

    def is_constant(self, position: int) -> bool:
        return position < len(self.nodes) and self.cx.is_constant(self.nodes[position])

    def constant(self, position: int, name: str | None = None) -> Any:
        """Python value of a constant argument; refuses the call when it depends on the row."""
        node = self.node(position, name)
        if node is None:
            return None
        return self.known(node, ARGUMENT.fill(position=position + 1, function=self.spec.name))

    def known(self, node: Expr, what: str) -> Any:
        """Python value of an argument that must be constant; two that stand in each other's place are named."""
        if isinstance(node, Field) and not self.cx.is_constant(node) and in_quotes(node.name) is None:
            first, *others = self.nodes
            if len(others) == 1 and node is others[0] and isinstance(first, Literal) and first.kind == "string":
                form = f"{self.spec.name}({canonical(node)}, {canonical(first)})"
                fail(NOT_CONSTANT, node.span, what=what, help=message("help-use", form=form))
        return self.cx.constant(node, what)

    def let(self, node: Sql) -> Sql:
        """``node``, or a column computed once before this stage when it is large; for a value that is read twice."""
        return self.cx.let(node)

    def once(self, value: Typed) -> Typed:
        """The value itself, or read from such a column when it is large and may be of any type."""
        return self.cx.once(value)

    def udf(self, name: str, *args: Sql) -> Sql:
        """A call of a Python function by its registered name (``logsql/udfbridge/registry.py``)."""
        return self.cx.udf(name, *args)

    def lost(
        self,
        row: Loss,
        result: Typed,
        value: Typed | None = None,
        no_loss: Callable[[Typed], Sql | None] | None = None,
    ) -> Typed:
        """``result``, with the values (of the first argument) that are not null and became null counted in the ledger.

        Declaring ``loss=ROW`` in the function's row does this for every call; nothing is counted where a plan is only
        translated, and for a constant that has a value.
        """
        cx = self.cx
        if cx.run_id is None or cx.rel is None or result.parts or cx.untold(self.call):
            return result
        if cx.is_constant(self.call) and cx.constant(self.call, self.spec.name) is not None:
            return result
        given = value or cx.converted(self.nodes[0])
        others = [cx.argument(node) for node in self.nodes[1:2] if not isinstance(node, Literal) or node.value is None]
        if given.kind is Kind.NULL or any(other.kind is Kind.NULL for other in others):  # null of null is no loss
            return result
        physical, source = result.type.physical, canonical(self.call)
        sample = values.text_sql(given)
        # An empty cell of CSV is empty text: nobody misses its number.
        test = sql.binary("<>", sample.copy(), sql.string("")) if given.kind is Kind.STRING else values.not_null(given)
        if given.kind is Kind.ANY:
            test = sql.when(test, sql.binary("<>", sample.copy(), sql.string("")))
        test = sql.and_(test, *(values.not_null(other) for other in others)) if others else test
        none = no_loss(given) if no_loss is not None else None
        if none is not None:
            test = sql.when(sql.not_(sql.coalesce(none, sql.boolean(False))), test)
        cx.tells()
        told = losses.or_lost(cx, row, source, result.expr, physical, sample, test, self.call)
        return Typed(told, result.type)

    def changed(self, row: Loss, result: Typed, test: Sql, sample: Sql) -> Typed:
        """``result`` as it is, with the values for which ``test`` holds counted: what comes out is there, and is not
        what went in. ``sample`` is text of the value.
        """
        cx = self.cx
        if cx.run_id is None or cx.rel is None:
            return result
        cx.tells()
        lost = losses.value_lost(cx, row, canonical(self.call), sample.copy(), self.call)
        counted = sql.case([(test, lost)], sql.boolean(False))
        return Typed(sql.case([(counted, sql.null(result.type.physical))], result.expr), result.type)

    def replacing(self, row: Loss, name: str, *args: Sql) -> Sql:
        """A call of a Python function that puts a sign in place of what it cannot read or write; the values in which it
        does are counted.
        """
        cx = self.cx
        if cx.run_id is None or cx.rel is None:
            return cx.udf(name, *args)
        cx.tells()
        return losses.replacing(cx, row, canonical(self.call), name, args, self.call)

    def needs_extra(self, what: str, package: str, extra: str, module: str | None = None) -> None:
        """Refuse the query unless an optional package is installed; the package is not loaded."""
        check_extra(what, package, extra, self._span(None), module)

    def fail(
        self, said: Sentence, position: int | None = None, /, *, help: str | None = None, **facts: object
    ) -> NoReturn:
        """Refuse the call, ``call.fail(ROW, position, **facts)``; points at one argument or at the whole call."""
        fail(said, self._span(position), help=help, notes=(), **facts)

    def note(
        self, said: Sentence, place: int | Span | None = None, /, *, help: str | None = None, **facts: object
    ) -> None:
        """Tell what the plan knows of a call that runs: ``call.note(ROW, position, **facts)``; ``place`` is an argument
        or a span, None the whole call."""
        self.cx.note(said, place if isinstance(place, Span) else self._span(place), help=help, **facts)

    def _span(self, position: int | None) -> Span:
        return self.call.span if position is None or position >= len(self.nodes) else self.nodes[position].span


#: Most items of values() and array() without ``listlimit=`` (decisions.md 18).
LIST_LIMIT = 100


@dataclass(frozen=True)
class AggregateCall:
    """One aggregate being lowered: typed arguments and the keys that restore the order of rows.

    ``list_limit`` is the most items of a list, 0 for no limit. ``told``: the groups of which losses are counted (not
    those that add up others), None for all.
    """

    cx: Lowering
    spec: NamedAggregate
    args: tuple[Typed, ...]
    nodes: tuple[Expr, ...]
    span: Span
    order: tuple[Sql, ...] = ()
    bucket_seconds: Sql | None = None
    list_limit: int = LIST_LIMIT
    told: Sql | None = None

    @property
    def counted_by(self) -> tuple[Sql, Sql] | None:
        """Source and run of ledger entries about this call; None when it is only translated."""
        run = self.cx.catalog.run_id if self.cx.catalog is not None else None
        if run is None:
            return None
        return sql.string(self.written), sql.string(run)

    @property
    def written(self) -> str:
        """The aggregate as it is written, by which the ledger names it."""
        return f"{self.spec.name}({', '.join(canonical(n) for n in self.nodes)})"

    def lost(self, row: Loss, result: Typed, count: Sql) -> Typed:
        """``result``, with ``count`` values of each group (an aggregate too) counted in the ledger as left out."""
        if result.parts:
            return result
        counted = count if self.told is None else sql.when(self.told.copy(), count)
        node = losses.beside(self.cx, row, self.written, result.expr, result.type.physical, counted)
        return Typed(node, result.type)

    def uncounted(self, row: Loss) -> bool:
        """Whether what the aggregate leaves out is too dear to count in this run; the ledger says so."""
        return self.cx.catalog.uncounted(self.written, row.name)

    def constant(self, position: int) -> Any:
        return self.cx.constant(self.nodes[position], ARGUMENT.fill(position=position + 1, function=self.spec.name))

    def note(
        self, said: Sentence, place: int | Span | None = None, /, *, help: str | None = None, **facts: object
    ) -> None:
        """Tell what the plan knows of an aggregate that runs, as :meth:`FunctionCall.note`."""
        span = self.nodes[place].span if isinstance(place, int) else place or self.span
        self.cx.note(said, span, help=help, **facts)

    def fail(self, said: Sentence, /, *, help: str | None = None, **facts: object) -> NoReturn:
        """Refuse the aggregate: ``call.fail(ROW, **facts)``."""
        fail(said, self.span, help=help, notes=(), **facts)


def has_fields(expr: Expr) -> bool:
    """Whether an expression reads a field (so that it is no constant)."""
    return any(isinstance(node, Field) for node in walk(expr))


def literal_string(expr: Expr) -> str | None:
    """The text of a string literal, None for anything else."""
    return str(expr.value) if isinstance(expr, Literal) and expr.kind == "string" else None


def lower_literal(literal: Literal) -> Typed:
    """A constant with its type: integers that fit 32 bits are int, larger ones long."""
    value = literal.value
    if value is None:
        return NULL_VALUE
    if isinstance(value, bool):
        return Typed(sql.boolean(value), BOOL)
    if isinstance(value, str):
        return Typed(sql.string(value), STRING)
    if isinstance(value, int):
        return Typed(sql.integer(value), INT if literal.kind == "int" else LONG)
    return Typed(sql.double(value), DOUBLE)
