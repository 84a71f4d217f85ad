"""What a command's lowering works with: its arguments, its input relation, and the moves that build the chain.

A command calls ``assign``, ``filter``, ``limit``, ``select`` ... and returns the relation they give. It never writes a
CTE by hand and never looks at other commands.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar, cast

from sqlglot import exp

from logsql.diagnostics.codes import Sentence, Text
from logsql.diagnostics.errors import QueryError, diagnostic
from logsql.diagnostics.expressions import MISSING_SOURCE, OPTION, SERVICE_MISSING
from logsql.diagnostics.losses import Loss
from logsql.diagnostics.options import ADD_OPTION, OPTION_MISSING
from logsql.language.tree import Command, Expr, Name, Option, Query, Span, Subquery
from logsql.planner import losses
from logsql.planner.arrival import behind
from logsql.planner.calls import check_extra
from logsql.planner.catalog import Catalog, SourceColumn, SourceSpec
from logsql.planner.chain import Chain
from logsql.planner.duties import Demand
from logsql.planner.expressions import ExprContext, NeedsFlush
from logsql.planner.notes.parameters import tell_option
from logsql.planner.options import OptionSpec
from logsql.planner.optionvalues import checked, refusing
from logsql.planner.plan import Action, Materialise, Stream, order_items
from logsql.planner.relation import PHYSICAL, UNORDERED, Column, Order, OrderKey, Rel, Rest
from logsql.planner.services import Service
from logsql.values import sql, values
from logsql.values.imports import import_column, sql_names
from logsql.values.sql import Sql
from logsql.values.timespans import Fail
from logsql.values.types import LONG, Kind, LType
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.planner.plan import Transform

T = TypeVar("T")
A = TypeVar("A")


class Declared(Protocol):
    """What a stage asks of the command's declaration (:class:`~logsql.planner.spec.CommandSpec`)."""

    @property
    def name(self) -> str: ...
    @property
    def options(self) -> tuple[OptionSpec, ...]: ...
    @property
    def reads(self) -> SourceSpec | None: ...
    def option(self, name: str) -> OptionSpec: ...


class Stage:
    """One command being planned."""

    def __init__(
        self,
        chain: Chain,
        spec: Declared,
        command: Command,
        rel: Rel | None,
        order_needed: bool,
        following: Sequence[Command] = (),
        behind: Demand = None,
    ) -> None:
        self.chain = chain
        self.spec = spec
        self.command = command
        self.args: object = command.args
        self.input = rel
        self.order_needed = order_needed
        self._following = following
        self._behind = behind
        self.number = chain.next_number()

    def arguments(self, kind: type[A]) -> A:
        """What the command's ``parse`` made of its text; ``kind`` is the class of it, or one with the same fields."""
        return cast(A, self.args)

    # --- surroundings -----------------------------------------------------------------------------

    @property
    def catalog(self) -> Catalog:
        return self.chain.catalog

    @cached_property
    def demand(self) -> Demand:
        """Fields of this command's rows that can be read behind it; None when any may be."""
        return self.chain.demanded(self._following, self._behind)

    def asks_for(self, name: str) -> bool:
        """Whether the query names a field that no query of the vendor has, and may read it of this command's rows.

        Such a field is in the row where it is named: a query that prints whole rows prints what it always did.
        """
        demand = self.demand
        return self.chain.named(name) if demand is None else name in demand

    @property
    def rel(self) -> Rel:
        """The input relation; refuses the query when the command stands first and is no source."""
        if self.input is None:
            self.fail(MISSING_SOURCE, self.command.name_span, command=self.spec.name)
        return self.input

    def fail(
        self,
        said: Sentence,
        span: Span | None = None,
        /,
        *,
        help: str | None = None,
        notes: Iterable[str] = (),
        **facts: object,
    ) -> NoReturn:
        """Refuse the query: ``stage.fail(ROW, span, **facts)``; points at ``span``, else at the command."""
        raise QueryError(diagnostic(said, span or self.command.span, help=help, notes=notes, **facts))

    def refusing(self, option: Option) -> Fail:
        """What refuses the query at an option's value, for readers of values that do not know where they stand."""
        return refusing(option)

    def needs_extra(
        self, what: str, package: str, extra: str, span: Span | None = None, module: str | None = None
    ) -> None:
        """Refuse the query unless an optional package is installed; the package is not loaded."""
        check_extra(what, package, extra, span or self.command.span, module)

    def note(self, said: Sentence, span: Span | None = None, /, *, help: str | None = None, **facts: object) -> None:
        """Tell what the plan knows of a query that runs: ``stage.note(ROW, span, **facts)`` (``diagnostics/notes.py``).

        Points at ``span``, else at the command. Say nothing where the row is open, and never a guess.
        """
        self.chain.notes.add(said, span or self.command.span, help=help, **facts)

    def remark(self, said: Text, /, **facts: object) -> None:
        """A remark for ``explain`` only."""
        self.chain.remarks.append(f"{self.spec.name}: {said.fill(**facts)}")

    def lost(self, row: Loss, source: str, test: Sql, sample: Sql, rel: Rel | None = None) -> Sql:
        """A condition for ``where``: ``test``, with the rows for which it does not hold counted in the ledger.

        ``rel``: the relation that it is asked of, for the number of the first row in its file.
        """
        return losses.kept(self.context(rel), row, source, test, sample)

    # --- options ----------------------------------------------------------------------------------

    def option(self, name: str) -> Any:
        """The option's value checked against its declaration; the declared default when it is not written."""
        spec = self.spec.option(name)
        option = self.command.option(name)
        if option is None:
            if spec.required:
                self.fail(
                    spec.error.with_text(OPTION_MISSING, ADD_OPTION),
                    self.command.name_span,
                    command=self.spec.name,
                    option=name,
                )
            return spec.default
        text = self.option_text(option)
        tell_option(self.note, spec, option.value_span, text)
        return checked(spec, option, text)

    def option_text(self, option: Option) -> str:
        """Text of an option; ``$("p")`` gives the parameter's text, dates as ``yyyyMMddHHmmss``, null as ``""``."""
        if isinstance(option.value, str):
            return option.value
        return self.chain.constant_text(option.value, OPTION.fill(option=option.key))

    # --- expressions ------------------------------------------------------------------------------

    def context(self, rel: Rel | None) -> ExprContext:
        chain = self.chain
        row_order: Callable[[], exp.Expression | None] | None = None
        if rel is not None:

            def row_order() -> exp.Expression | None:
                return self.window_order(rel)

        return ExprContext(
            chain.catalog,
            rel,
            chain.params,
            udfs=chain.udfs,
            row_order=row_order,
            notes=chain.notes,
            sampler=chain,
            origin=chain.origin,
        )

    def lowered(self, rel: Rel, make: Callable[[ExprContext], T]) -> tuple[Rel, T]:
        """Lower expressions over ``rel``. The relation returned is the one the expressions read: keep using it."""
        chain, cx = self.chain, self.context(rel)
        try:
            result = make(cx)
        except NeedsFlush:
            chain.udfs -= cx.counters
            rel = self.flush(rel)
            cx = self.context(rel)
            result = make(cx)
        if cx.lets:
            flat = self.flush(rel)
            if flat is not rel:
                chain.udfs -= cx.counters
                rel = flat
                cx = self.context(rel)
                result = make(cx)
            rel = self._prelude(rel, cx.lets)
        return rel, result

    def lower(self, rel: Rel, *exprs: Expr) -> tuple[Rel, list[Typed]]:
        """As :meth:`lowered` for plain expressions."""
        return self.lowered(rel, lambda cx: [cx.whole(e) for e in exprs])

    def constant(self, expr: Expr, what: str) -> Any:
        return self.context(None).constant(expr, what)

    def _prelude(self, rel: Rel, lets: Mapping[str, Sql]) -> Rel:
        """CTEs that compute the lets, one per level of dependence, beside everything the relation carries."""
        level: dict[str, int] = {}
        for name, node in lets.items():
            inner = [level[c.name] for c in sql.below(node, exp.Column) if c.name in level]
            level[name] = 1 + max(inner, default=0)
        known: list[str] = []
        for depth in range(1, max(level.values()) + 1):
            fresh = [n for n in lets if level[n] == depth]
            items = [sql.alias(rel.expr(i), i) for i in rel.all_idents()] + [sql.col(n) for n in known]
            items += [sql.alias(lets[n], n) for n in fresh]
            query = sql.select(items, sql.table(rel.source), rel.where)
            name = self.add("let", query, rel.source)
            rel = self._after(rel, name, query, rel.all_idents())
            known += fresh
        return rel

    # --- the chain --------------------------------------------------------------------------------

    def add(self, label: str, query: exp.Expression, *reads: str) -> str:
        """Append a CTE that a further query of this command reads; returns its name (``s3_rules``).

        What the command hands on is made by the moves that return a relation.
        """
        return self.chain.add_cte(f"s{self.number}_{label.replace('-', '_')}", query, reads, self.spec.name)

    def flush(self, rel: Rel) -> Rel:
        """Write the pending projection and filter as a CTE, so that every column is plain."""
        if not rel.pending and rel.where is None:
            return rel
        items = [sql.alias(rel.expr(i), i) for i in rel.all_idents()] or [sql.alias(sql.boolean(True), "__row")]
        query = sql.select(items, sql.table(rel.source), rel.where)
        name = self.chain.add_cte(rel.tag or f"s{self.number}_step", query, (rel.source,), self.spec.name)
        return self._after(rel, name, query, rel.all_idents())

    @staticmethod
    def _after(rel: Rel, name: str, query: Sql, delivered: Collection[str]) -> Rel:
        """The relation as it is behind the CTE ``name``: order told by the query."""
        return replace(rel, source=name, pending={}, where=None, tag="", order=behind(rel.order, query, delivered))

    @property
    def tag(self) -> str:
        """Name of the CTE that a SELECT begun by this command becomes."""
        return f"s{self.number}_{self.spec.name.replace('-', '_')}"

    def select(
        self,
        label: str,
        rel: Rel,
        items: Sequence[tuple[str, Sql]],
        where: Sql | None = None,
        **clauses: object,
    ) -> Rel:
        """``SELECT items FROM rel`` as a CTE: the relation with the columns it had, which the caller adds to.

        Rows that arrived in order still do where the SELECT keeps them so (:mod:`logsql.planner.arrival`).
        """
        name, query = self._selected(label, rel, items, where, clauses)
        return self._after(rel, name, query, {ident for ident, _ in items})

    def _selected(
        self, label: str, rel: Rel, items: Sequence[tuple[str, Sql]], where: Sql | None, clauses: Mapping[str, object]
    ) -> tuple[str, Sql]:
        nodes = [sql.alias(node, name) for name, node in items] or [sql.alias(sql.boolean(True), "__row")]
        test = sql.and_(rel.where, where) if rel.where is not None and where is not None else (where or rel.where)
        query = sql.select(nodes, sql.table(rel.source), test, **clauses)
        return self.add(label, query, rel.source), query

    def grouped(
        self,
        label: str,
        rel: Rel,
        items: Sequence[tuple[str, Sql]],
        columns: Sequence[Column],
        where: Sql | None = None,
        rest: Rest | None = None,
        **clauses: object,
    ) -> Rel:
        """``SELECT items FROM rel GROUP BY ...`` as a CTE: other rows, with these columns, in no order."""
        name, _ = self._selected(label, rel, items, where, clauses)
        return Rel(name, tuple(columns), rest=rest)

    def joined(self, label: str, rel: Rel, query: Sql, *reads: str) -> Rel:
        """The rows of ``rel`` behind a query that joins them with other rows: only keys tell their order from here on.

        The query delivers every column of ``rel``; ``reads`` are the further names that it reads.
        """
        name = self.add(label, query, rel.source, *reads)
        return replace(rel, source=name, pending={}, where=None, tag="", order=Order(keys=rel.order.keys))

    def derived(
        self,
        label: str,
        query: Sql,
        reads: Sequence[str],
        columns: Sequence[Column],
        carried: Sequence[Column] = (),
        rest: Rest | None = None,
        keys: Sequence[OrderKey] = (),
    ) -> Rel:
        """A relation of a query written whole (a join, a union): ordered by ``keys``, in no order without them."""
        return self.reordered(Rel(self.add(label, query, *reads), tuple(columns), tuple(carried), rest), keys)

    def appended(
        self,
        label: str,
        query: Sql,
        sides: Sequence[Rel],
        columns: Sequence[Column],
        rest: Rest | None,
        keys: Sequence[OrderKey],
    ) -> Rel:
        """``UNION ALL`` of relations: in order where every side arrives so and it counts, else ordered by ``keys``."""
        rel = self.derived(label, query, [s.source for s in sides], columns, rest=rest, keys=keys)
        arrives = self.order_needed and all(s.order.physical for s in sides)
        return replace(rel, order=PHYSICAL) if arrives and not keys else rel

    def read(
        self,
        label: str,
        query: Sql,
        reads: Sequence[str],
        columns: Sequence[Column],
        carried: Sequence[Column] = (),
        keys: Sequence[OrderKey] = (),
    ) -> Rel:
        """A source: rows that a plain query reads in stored order, numbered by ``keys`` where they have a number."""
        order = Order(physical=True, keys=tuple(keys) or None)
        return Rel(self.add(label, query, *reads), tuple(columns), tuple(carried), order=order)

    def nothing(self, label: str) -> Rel:
        """No rows and no fields."""
        select = sql.select([sql.alias(sql.boolean(True), "__row")], where=sql.boolean(False))
        return Rel(self.add(label, select), ())

    # --- moves ------------------------------------------------------------------------------------

    def assign(self, rel: Rel, name: str, value: Typed, position: int | None = None) -> Rel:
        """Set field ``name`` to a value lowered over ``rel``: in place when it exists, else appended."""
        old = rel.column(name)
        column, pending = self._bind(rel, name, value, old)
        if old is not None:
            columns = tuple(column if c.name == name else c for c in rel.columns)
        elif position is None:
            columns = (*rel.columns, column)
        else:
            columns = (*rel.columns[:position], column, *rel.columns[position:])
        rest = rel.rest.hide([name]) if rel.rest is not None else None
        return replace(rel, columns=columns, rest=rest, pending=pending, tag=rel.tag or self.tag)

    def _bind(self, rel: Rel, name: str, value: Typed, old: Column | None) -> tuple[Column, dict[str, Sql]]:
        pending = dict(rel.pending)
        if value.parts:
            parts = []
            taken: list[str] = []
            for part in value.parts:
                ident = rel.fresh_ident(f"{name}.{part.type.label}", taken)
                taken.append(ident)
                pending[ident] = part.expr
                parts.append(Column(ident, ident, part.type))
            return Column(name, name, value.type, tuple(parts)), pending
        keys = {k.ident for k in rel.order.keys or ()}
        reuse = old is not None and not old.parts and old.ident not in keys and not self._shared(rel, old)
        ident = old.ident if reuse and old is not None else rel.fresh_ident(name)
        pending.pop(ident, None)
        node = value.expr
        if not (isinstance(node, exp.Column) and node.name == ident and not node.table):
            pending[ident] = node
        return Column(name, ident, value.type), pending

    @staticmethod
    def _shared(rel: Rel, column: Column) -> bool:
        """Whether another field or carried column uses the same SQL column."""
        ident = column.ident
        # A loop: it is asked for every assignment, of every column.
        for other in (*rel.columns, *rel.carried):
            if other is not column and (ident in other.idents() if other.parts else ident == other.ident):
                return True
        return False

    def filter(self, rel: Rel, expr: Expr) -> Rel:
        """Keep the rows for which an expression is true."""
        if rel.pending:
            rel = self.flush(rel)
        rel, test = self.lowered(rel, lambda cx: cx.condition(expr))
        return self.where(rel, test)

    def where(self, rel: Rel, test: Sql) -> Rel:
        """Keep the rows for which a condition lowered over ``rel`` holds."""
        both = test if rel.where is None else sql.and_(rel.where, test)
        return replace(rel, where=both, tag=rel.tag or self.tag)

    def limit(self, rel: Rel, count: int | None, offset: int = 0) -> Rel:
        """The first ``count`` rows after ``offset`` in the defined order."""
        if count is None and not offset:
            return rel
        if (not rel.order.physical and rel.order.keys is not None) or rel.pending:
            rel = self.flush(rel)
        clauses: dict[str, Any] = {}
        if not rel.order.physical and (keys := order_items(rel)):
            clauses["order"] = sql.order_by(keys)
        if count is not None:
            clauses["limit"] = exp.Limit(expression=sql.integer(count))
        if offset:
            clauses["offset"] = exp.Offset(expression=sql.integer(offset))
        done = self.select(self.spec.name, rel, [(i, rel.expr(i)) for i in rel.all_idents()], **clauses)
        return replace(done, order=replace(rel.order, physical=rel.order.defined))

    # --- order ------------------------------------------------------------------------------------

    def with_keys(self, rel: Rel) -> Rel:
        """The relation with order keys: rows that only arrive in order are numbered first."""
        if rel.order.keys is not None:
            return rel
        rel = self.flush(rel)
        ident = rel.fresh_ident("__ord")
        items = [(i, rel.expr(i)) for i in rel.all_idents()]
        items.append((ident, sql.row_number()))
        done = self.select("number", rel, items)
        return replace(done, order=Order(physical=rel.order.physical, keys=(OrderKey(ident, LONG),)))

    def reordered(self, rel: Rel, keys: Sequence[OrderKey]) -> Rel:
        """The rows in the order of these keys, whatever it was before; in no order without keys."""
        return replace(rel, order=Order(keys=tuple(keys)) if keys else UNORDERED)

    def arriving(self, rel: Rel) -> Rel:
        """Rows that arrive in order, without the columns of their keys: what a Python stage need not be given."""
        return replace(rel, order=PHYSICAL) if rel.order.physical else rel

    def one_row(self, rel: Rel) -> Rel:
        """A relation of one row at most (aggregates without ``by``), which is in order."""
        return replace(rel, order=PHYSICAL)

    def order_items(self, rel: Rel) -> list[Sql]:
        """ORDER BY items that restore the order of ``rel`` (call :meth:`with_keys` first)."""
        return order_items(rel)

    def window_order(self, rel: Rel) -> exp.Order | None:
        """ORDER BY of a window over the rows in order: none when they arrive in order."""
        if rel.order.physical or not rel.order.keys:
            return None
        return sql.order_by(order_items(rel))

    # --- sources and subqueries -------------------------------------------------------------------

    def subquery(self, subquery: Subquery | Query, order_needed: bool = True) -> Rel:
        """Plan a subquery into the same chain; parameters set inside it stay inside."""
        query = subquery.query if isinstance(subquery, Subquery) else subquery
        asked = self.chain.asked_of_subquery(self.command, self.demand)
        return self.chain.subplan(query, order_needed, behind=asked)

    def inner(self, subquery: Subquery) -> Rel:
        """Plan the commands of a subquery that continue this pipeline."""
        return self.chain.pipeline(subquery.query, self.order_needed, self.input, self.demand)

    def scan(
        self,
        table: Sql,
        table_name: str,
        columns: Sequence[SourceColumn],
        extra: Sequence[tuple[str, Sql, LType]] = (),
        numbered: str | None = None,
    ) -> Rel:
        """A source: one CTE that brings every column into the language's types; ``extra`` is carried unseen.

        ``numbered`` names the one of ``extra`` that numbers the rows in stored order.
        """
        items: list[tuple[str, Sql]] = []
        found: list[Column] = []
        used: set[str] = set()
        for source, read_as in zip(columns, sql_names([c.name for c in columns]), strict=True):
            ident = source.name
            number = 2
            while ident.lower() in used:
                ident, number = f"{source.name}__{number}", number + 1
            used.add(ident.lower())
            type_, node = import_column(source, read_as)
            items.append((ident, node))
            found.append(Column(source.name, ident, type_))
        carried: list[Column] = []
        for name, node, type_ in extra:
            items.append((name, node))
            carried.append(Column(name, name, type_))
        nodes = [sql.alias(node, name) for name, node in items] or [sql.alias(sql.boolean(True), "__row")]
        keys = [OrderKey(c.ident, c.type) for c in carried if c.ident == numbered]
        return self.read(self.spec.name, sql.select(nodes, table), (table_name,), found, carried, keys)

    # --- steps ------------------------------------------------------------------------------------

    def materialise(self, rel: Rel, label: str = "rows") -> Rel:
        """Run the chain up to here into a temporary table and go on from it (rows are stored in order)."""
        rel = self.flush(rel) if rel.pending or rel.where is not None else rel
        keys = [] if rel.order.physical else order_items(rel)
        items = self._plain_items(rel)
        query = sql.select(items, sql.table(rel.source), order=sql.order_by(keys) if keys else None)
        name = self.chain.temp_name(label)
        self.chain.steps.append(Materialise(name, self.chain.with_ctes(query, rel.source)))
        return replace(rel, source=name, order=replace(rel.order, physical=rel.order.defined))

    def stored(self, rel: Rel) -> Rel:
        """The rows in a work table, not sorted: order keys stay columns."""
        if rel.order.physical or not rel.order.keys:
            return self.materialise(rel)
        items = [sql.col(i) for i in rel.all_idents()]
        name = self.chain.temp_name("rows")
        query = self.chain.with_ctes(sql.select(items, sql.table(rel.source)), rel.source)
        self.chain.steps.append(Materialise(name, query))
        return replace(rel, source=name)

    @staticmethod
    def _plain_items(rel: Rel) -> list[Sql]:
        """Every column of a flushed relation, or the row mark of a row without fields."""
        items: list[Sql] = [sql.col(i) for i in rel.all_idents()]
        return items or [sql.alias(sql.boolean(True), "__row")]

    def action(self, label: str, run: Callable[[Any], None]) -> None:
        """A side effect at this point of the plan."""
        self.chain.steps.append(Action(label, run))

    def stream(
        self,
        rel: Rel | None,
        columns: Sequence[Column],
        transform: Transform,
        rest: Rest | None = None,
        keep: Iterable[str] = (),
        inputs: Sequence[Rel] = (),
        once: bool = False,
        always: bool = False,
    ) -> Rel:
        """A Python stage: rows of ``rel`` as Arrow batches in, batches with ``columns`` (in order) out.

        ``keep`` names carried idents that the transform passes on. ``rel`` None makes a source. The rows of ``inputs``
        are for the transform to read: ``runtime.read(0)`` yields those of the first. ``once``: it acts on other
        machines and is run once, however often the plan reads it; ``always``: also where it does not.
        """
        query, others = None if rel is None else self._in_order(rel), tuple(map(self._in_order, inputs))
        name = self.chain.temp_name(self.spec.name.replace("-", "_"))
        shape = tuple((i, t) for c in columns for i, t in _physical(c))
        if rest is not None:
            shape = (*shape, (rest.ident, "JSON"))
        step = Stream(name, query, transform, shape, self.spec.name, others, once, self.command.span, always)
        self.chain.steps.append(step)
        ordered = rel is None or rel.order.defined
        return Rel(name, tuple(columns), rest=rest, order=PHYSICAL if ordered else UNORDERED)

    def _in_order(self, rel: Rel) -> exp.Expression:
        """A query of its own for every column of a relation, rows in order."""
        rel = self.flush(rel)
        keys = [] if rel.order.physical else order_items(rel)
        select = sql.select(self._plain_items(rel), sql.table(rel.source), order=sql.order_by(keys) if keys else None)
        return self.chain.with_ctes(select, rel.source)

    def service(self, key: Service[T]) -> T:
        """Another room's service (models, lookups ...); refuses the query when the session has none."""
        if (found := self.catalog.service(key)) is None:
            self.fail(SERVICE_MISSING, self.command.name_span, command=self.spec.name)
        return found


def _physical(column: Column) -> list[tuple[str, str]]:
    return (
        [(p.ident, p.type.physical) for p in column.parts] if column.parts else [(column.ident, column.type.physical)]
    )


def names_of(names: Iterable[Name]) -> list[str]:
    """Texts of a list of names, first occurrence of each."""
    return list(dict.fromkeys(n.text for n in names))


__all__ = ["Kind", "Stage", "Typed", "names_of", "values"]
