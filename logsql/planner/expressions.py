"""Expression lowering: syntax tree and a relation in, typed SQL out.

The context resolves fields against one relation, looks functions up in the registry, evaluates constants through the
catalog, and collects *lets* (large operands that are read more than once) for the stage to compute beforehand.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from sqlglot import exp

from logsql.diagnostics.codes import Sentence
from logsql.diagnostics.expressions import (
    FUNCTION_REFUSED,
    NO_NAMED_ARGUMENT,
    NOT_CONSTANT,
    PARAMETER_MISSING,
    PARAMETER_NAME,
    TOO_FEW_ARGUMENTS,
    TOO_MANY_ARGUMENTS,
    UNKNOWN_NAMED_ARGUMENT,
    UNSUPPORTED_FUNCTION,
)
from logsql.diagnostics.losses import OVERFLOW, Loss
from logsql.diagnostics.messages import plural
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Binary, Call, Expr, Field, Literal, NamedArg, Span, Unary, canonical, walk
from logsql.planner import function_spec as registry
from logsql.planner import losses, members, mixedlosses, numberlosses
from logsql.planner.calls import FunctionCall, fail, has_fields, literal_string, lower_literal
from logsql.planner.catalog import Catalog
from logsql.planner.inline import Frame, held
from logsql.planner.notes import arguments, comparisons, conditions, documents, numbers, parameters, spellings
from logsql.planner.notes.fields import TAKEN, Stands, constant_form, parameter_form, tell_field, tell_operator
from logsql.planner.notes.samples import Sampler
from logsql.planner.notes.unknown import meant_arguments, meant_call
from logsql.planner.relation import Rel, Rest
from logsql.values import mixing, paths, patterns, sql, values
from logsql.values.arithmetic import arithmetic, negate
from logsql.values.comparison import compare, equals
from logsql.values.sql import Sql
from logsql.values.types import BOOL, EVERY_KIND, STRING, Kind, list_of
from logsql.values.values import NULL_VALUE, Typed

#: Name under which a carried column holds a parameter that changes from row to row (``evalc``).
PARAMETER_PREFIX = "$"
#: A field whose name begins so is one of the columns that are carried along unseen.
CARRIED = "\u2063"
#: Key of the parameter that holds further ones: the open part of the row that ``setq`` read.
OPEN_PARAMETERS = ""
#: A let is worth a column of its own from this many nodes on; smaller operands are written twice.
LET_SIZE = 8
#: An operand of so many nodes is a column where its result is held against it.
MANY_TIMES = 30
ARITHMETIC = ("+", "-", "*", "/")
#: An argument of so many nodes is a column whatever its type is: some functions read theirs twice.
HUGE_SIZE = 300
MIXED = frozenset({Kind.ANY})
_READ_OFTEN = frozenset({Kind.ANY, Kind.STRING})


class NeedsFlush(Exception):
    """A field that exists only in the pending projection was read: write the projection first, then lower again."""


class ExprContext:
    """Lowers expressions over one relation. Make one per command and relation; read ``lets`` afterwards."""

    def __init__(
        self,
        catalog: Catalog,
        rel: Rel | None = None,
        params: Mapping[str, Typed] | None = None,
        param_values: Mapping[str, object] | None = None,
        bindings: Mapping[str, Typed] | None = None,
        udfs: set[str] | None = None,
        row_order: Callable[[], exp.Expression | None] | None = None,
        notes: Notes | None = None,
        sampler: Sampler | None = None,
        origin: Callable[[str, str], tuple[int, str, str]] | None = None,
    ) -> None:
        self.catalog = catalog
        self.rel = rel
        self.params = params or {}
        self.param_values = param_values or {}
        self.bindings = dict(bindings or {})
        self.udfs = udfs if udfs is not None else set()
        self.lets: dict[str, Sql] = {}
        self.row_order = row_order
        self.notes = notes
        self._sampler = sampler
        self.origin = origin
        self.counters: set[str] = set()
        #: A constant is computed while the query is planned, and its loss is counted where it stands in the rows.
        self.counting = True
        self.lambda_depth = 0
        #: What a condition around this one asks the type of, as written.
        self.type_asked: set[str] = set()
        #: Whether the expression is the condition of a search.
        self.searching = False
        #: Fields and the texts that conditions around this one compare them with.
        self.texts_asked: set[tuple[str, str]] = set()
        self._tested: list[Expr] = []
        self._told = 0
        self._shared: dict[str, Typed] = {}
        self._branches = 0
        self._branch = 0
        self._direct = False
        self._frames: list[Frame] = []
        self._numbers = itertools.count(1)
        self._stands: dict[Span, Stands] = {}
        self._said: set[Span] = set()

    @property
    def run_id(self) -> str | None:
        """The run whose ledger counts what is lost; None when the query is only translated."""
        return self.catalog.run_id if self.counting and self.catalog is not None else None

    def sample(self, name: str) -> tuple[str, ...]:
        """Some values of a text field, for rules that ask what they look like; none where that would take work."""
        return () if self._sampler is None or self.rel is None else members.sampled(self, self._sampler, self.rel, name)

    def own(self, name: str) -> bool:
        """Whether a field is one of the reader's: no command made it on the way."""
        return self._sampler is not None and self.rel is not None and self._sampler.own(self.rel, name)

    # --- entry points -----------------------------------------------------------------------------

    def lower(self, expr: Expr) -> Typed:
        """The typed SQL of an expression."""
        if isinstance(expr, Literal):
            numbers.literal(self, expr)
            return lower_literal(expr)
        if isinstance(expr, Field):
            conditions.quoted_value(self, expr)
            if "." in expr.name or "[" in expr.name:
                documents.path(self.note, self.rel, expr.name, expr.span)
            return self.read(expr.name, expr.span)
        if isinstance(expr, Binary):
            return self._binary(expr)
        if isinstance(expr, Call):
            return self.call(expr)
        if isinstance(expr, Unary):
            value = self.argument(expr.operand)
            return numberlosses.counted(self, expr, negate(value), ((expr.operand, value),))
        return self.list_value([self.lower(item) for item in expr.items])

    def whole(self, expr: Expr) -> Typed:
        """The typed SQL of an expression that becomes a field. Where it counts losses and may be of any type it is a
        column of its own, for the field and its type are both read.
        """
        value = self.lower(expr)
        if self.run_id is None or value.kind not in (Kind.ANY, Kind.LIST, Kind.MAP):
            return value
        counting = any(sql.counts(part.expr) for part in value.parts or (value,))
        return self.once(value, EVERY_KIND) if counting else value

    def condition(self, expr: Expr) -> Sql:
        """SQL for WHERE: true for the rows that ``search`` keeps."""
        self.searching = True
        value = self.lower(expr)
        conditions.condition(self, expr, value)
        return values.condition(value)

    def note(self, said: Sentence, span: Span | None = None, /, *, help: str | None = None, **facts: object) -> None:
        """Tell what the plan knows of an expression that runs, as :meth:`Stage.note`; nothing outside a plan."""
        if self.notes is not None:
            self.notes.add(said, span, help=help, **facts)

    # --- fields -----------------------------------------------------------------------------------

    def read(self, name: str, span: Span) -> Typed:
        """A field that the user wrote at ``span``: a note where it is certain that no row has it."""
        stands = self._stands.get(span, Stands.PLAIN)
        value = self.field(name, stands is Stands.ASKED)
        if stands is Stands.ASKED and self.notes is not None:
            members.asked(self.note, self, name, span)
        if value is NULL_VALUE and span not in self._said:
            tell_field(self.notes, self.rel, name, span, stands)
        elif stands is not Stands.ASKED and self._sampler is not None and self.rel is not None:
            command = self._sampler.taken(self.rel, name)
            if command is not None and span.end and self.notes is not None:
                self.notes.add_general(TAKEN, span, field=name, command=command)
        return value

    def field(self, name: str, asked: bool = False) -> Typed:
        """A field of the row, or what its name leads to as a path (decisions.md 27); null when there is neither.

        ``asked``: the query asks whether it is there.
        """
        own, path = self.reach(name)
        if own is None and path is not None and not asked:
            return members.answered(self, name, path)
        return paths.first_of([way for way in (own, path) if way is not None])

    def reach(self, name: str) -> tuple[Typed | None, Typed | None]:
        """The field of this very name, and what the name leads to as a path where a row has no such field.

        A path starts from the longest name that is a field. In open rows a field may be there in some rows only.
        """
        known = self._known_field(name)
        if known is not None:
            return known, None
        ways: list[Typed] = []
        for root, steps in paths.splits(name):
            known = self._known_field(root)
            base = known or self._open_field(root)
            if base is not None:
                way = functools.reduce(paths.step_into, steps, base)
                ways += [way] if way.kind is not Kind.NULL else []
            if known is not None:
                break
        return self._open_field(name), paths.first_of(ways) if ways else None

    def _known_field(self, name: str) -> Typed | None:
        """A field that every row of this relation has."""
        if name in self.bindings:
            return self.bindings[name]
        rel = self.rel
        column = rel.column(name) if rel is not None else None
        if column is None and name[:1] == CARRIED and rel is not None:
            column = next((c for c in rel.carried if c.name == name), None)
        if rel is None or column is None:
            return None
        if rel.pending and any(rel.computed(i) for i in column.idents()):
            raise NeedsFlush
        return rel.value(column)

    def _open_field(self, name: str) -> Typed | None:
        """A field that rows may have; None where the names of all fields are known."""
        rest = self.rest
        if rest is None or name in rest.hidden:
            return None
        document = self.document(rest)
        if rest.is_map:
            return Typed(sql.func("map_extract_value", document, sql.string(name)), rest.value_type)
        return values.json_field(document, name)

    @property
    def rest(self) -> Rest | None:
        """The part of the row whose fields are known only when data is read; None when there is none."""
        return None if self.rel is None else self.rel.rest

    def document(self, rest: Rest) -> Sql:
        """The column that holds the open part."""
        assert self.rel is not None
        if self.rel.computed(rest.ident):
            raise NeedsFlush
        return self.rel.expr(rest.ident)

    def list_value(self, items: list[Typed]) -> Typed:
        """A list of the items; VARIANT elements when the types differ."""
        element = values.common_type(items)
        if element.kind is Kind.NULL:
            element = STRING
        return Typed(sql.array([values.coerce(item, element) for item in items]), list_of(element))

    # --- calls ------------------------------------------------------------------------------------

    def call(self, call: Call) -> Typed:
        if call.name == "$":
            return self._parameter(call)
        spec = registry.FUNCTIONS.get(call.name)
        if spec is None:
            self._unknown_function(call)
        name, count = call.name, len(call.args)
        if count < spec.min_args:
            least, help = spec.min_args, meant_arguments(self, spec, call)
            s = plural(least)
            fail(TOO_FEW_ARGUMENTS, call.span, help=help, function=name, least=least, s=s, count=count)
        if spec.max_args is not None and count > spec.max_args:
            most, help = spec.max_args, meant_arguments(self, spec, call)
            s = plural(most)
            fail(TOO_MANY_ARGUMENTS, call.span, help=help, function=name, most=most, s=s, count=count)
        for arg in call.args:
            if isinstance(arg, NamedArg) and arg.name not in spec.named:
                if not spec.named:
                    fail(NO_NAMED_ARGUMENT, arg.span, function=call.name, argument=arg.name)
                fail(UNKNOWN_NAMED_ARGUMENT, arg.span, function=call.name, argument=arg.name, usage=spec.signature)
        made = FunctionCall(self, spec, call)
        direct, self._direct = self._direct, spec.branches
        self._branches += spec.branches
        if spec.branches:
            self.type_asked |= mixedlosses.asked_types(call)
        if spec.tests_null or spec.loss is not None:
            self._tested.extend(made.nodes)
        if spec.tests_null or spec.family == "type check":
            self._stands.update((arg.span, Stands.ASKED) for arg in call.args if isinstance(arg, Field | Call))
        elif spec.searches:
            self._stands.update((arg.span, Stands.VALUE) for arg in call.args[1:] if isinstance(arg, Field))
        result = spec.lower(made)
        if spec.takes or spec.plain is not None or spec.numbers or spec.never:
            arguments.told(made, spec)
        self._branches -= spec.branches
        self._direct = direct
        if spec.numbers and not self.untold(call):
            operands = [(made.nodes[at], made.arg(at)) for at in range(min(spec.numbers, len(made)))]
            return numberlosses.counted(self, call, result, operands, spec.integers)
        return result if spec.loss is None else made.lost(spec.loss, result, no_loss=spec.no_loss)

    def _unknown_function(self, call: Call) -> NoReturn:
        reason = registry.REFUSED_FUNCTIONS.get(call.name)
        fail(
            UNSUPPORTED_FUNCTION,
            call.name_span if call.name_span.end else call.span,
            function=call.name,
            help=meant_call(call, self.rel),
            notes=(FUNCTION_REFUSED.fill(function=call.name, reason=reason.fill()),) if reason else (),
        )

    def _parameter(self, call: Call) -> Typed:
        if not call.args:
            fail(PARAMETER_MISSING, call.span)
        *names, last = call.args
        result: list[Typed] = []
        for node in names or [last]:
            name = literal_string(node) if not isinstance(node, NamedArg) else None
            if name is None:
                fail(PARAMETER_NAME, call.span, help=parameter_form(node))
            if (value := self._named_parameter(name)) is not None and value.kind is not Kind.NULL:
                result.append(value)
            elif value is None and not names and not any(node is call for node in self._tested):
                self.note(parameters.UNSET, call.span, name=name)
        if names and not isinstance(last, NamedArg):
            result.append(self.lower(last))
        if not result:
            return NULL_VALUE
        return functools.reduce(mixing.coalesce, result)

    def _named_parameter(self, name: str) -> Typed | None:
        """A parameter's value: the row's own where ``evalc`` set it, a constant, or a field of the row of ``setq``."""
        for column in self.rel.carried if self.rel is not None else ():
            if column.name == PARAMETER_PREFIX + name:
                if self.rel is not None and any(self.rel.computed(i) for i in column.idents()):
                    raise NeedsFlush
                return self.rel.value(column) if self.rel is not None else None
        value = self.params.get(name)
        if value is None and (row := self.params.get(OPEN_PARAMETERS)) is not None:
            return values.json_field(row.expr, name)
        return value

    # --- operators --------------------------------------------------------------------------------

    def _binary(self, expr: Binary) -> Typed:
        if expr.op in ("and", "or"):
            return self._logic(expr)
        if expr.op in ARITHMETIC:
            return self._arithmetic(expr)
        if isinstance(expr.right, Field):
            self._stands[expr.right.span] = Stands.VALUE
        left, right = self.lower(expr.left), self.lower(expr.right)
        comparisons.compared(self, expr, left, right)
        if expr.op in ("==", "!="):
            return self._equality(expr, left, right)
        left, right = self.once(left, MIXED), self.once(right, MIXED)
        found = compare(expr.op, left, right)
        return replace(found, expr=mixedlosses.compared(self, expr, left, right, found.expr))

    def _arithmetic(self, expr: Binary) -> Typed:
        value, leaves = self._computed(expr)
        return self._or_overflow(expr, value, leaves)

    def _computed(self, expr: Binary) -> tuple[Typed, list[Sql]]:
        """The result of ``+ - * /``, and of whole numbers alone the operands: null although none is, it overflowed."""
        self._said.update(tell_operator(self.note, self.rel, expr))
        sides = [self._side(node) for node in (expr.left, expr.right)]
        conditions.quoted_value(self, expr)
        numbers.arithmetic(self, expr, sides[0][0], sides[1][0])
        if expr.op == "/" or not all(value.type.integer for value, _ in sides):
            nodes = (expr.left, expr.right)
            left, right = (self._or_overflow(n, v, found) for n, (v, found) in zip(nodes, sides, strict=True))
            left, right = self.once(left), self.once(right)
            audits = [numberlosses.audit(self, node, value) for node, value in zip(nodes, (left, right), strict=True)]
            exact = (lambda node: self._overflow(expr, node, [])) if self.run_id is not None else None
            result = arithmetic(expr.op, left, right, audits[0], audits[1], exact)
            return numberlosses.never(self, expr, result, tuple(zip(nodes, (left, right), strict=True))), []
        leaves = [
            leaf for value, found in sides for leaf in (found or [value.expr]) if not isinstance(leaf, exp.Literal)
        ]
        return arithmetic(expr.op, sides[0][0], sides[1][0]), leaves

    def _side(self, node: Expr) -> tuple[Typed, list[Sql]]:
        """An operand, with its own operands where it is arithmetic too. What counts losses is computed once."""
        if isinstance(node, Binary) and node.op in ARITHMETIC:
            return self._computed(node)
        told = self._told
        value = self.lower(node)
        large = told != self._told or sql.size(value.expr, MANY_TIMES) >= MANY_TIMES
        return (self.once(value, EVERY_KIND) if large and (self._frames or not self._branches) else value), []

    def _or_overflow(self, node: Expr, value: Typed, leaves: list[Sql]) -> Typed:
        return Typed(self._overflow(node, value.expr, leaves), value.type) if leaves else value

    def _overflow(self, node: Expr, result: Sql, leaves: list[Sql]) -> Sql:
        given = sql.and_(*(sql.not_null(leaf.copy()) for leaf in leaves)) if leaves else None
        sample = sql.null("VARCHAR")
        self.tells()
        return losses.or_lost(self, OVERFLOW, canonical(node), result, "BIGINT", sample, given, node)

    def _logic(self, expr: Binary) -> Typed:
        terms: list[Typed] = []
        self.type_asked |= mixedlosses.asked_types(expr)
        self.texts_asked |= spellings.asked(expr)
        node: Expr = expr
        while isinstance(node, Binary) and node.op == expr.op:
            left = node.left.right if isinstance(node.left, Binary) and node.left.op == expr.op else node.left
            terms.append(self._term(node.right, left))
            node = node.left
        terms.append(self._term(node))
        terms.reverse()
        joiner = sql.and_ if expr.op == "and" else sql.or_
        loose = joiner(*(values.condition(t) for t in terms))
        return Typed(joiner(*(values.truth(t) for t in terms)), BOOL, loose=loose)

    def _term(self, node: Expr, before: Expr | None = None) -> Typed:
        """One of the conditions that ``and`` or ``or`` join."""
        value = self.lower(node)
        conditions.condition(self, node, value, before)
        return value

    def _equality(self, expr: Binary, left: Typed, right: Typed) -> Typed:
        pattern = literal_string(expr.right)
        if pattern is not None:
            arguments.compared_text(self, expr, pattern)
            if left.kind in (Kind.STRING, Kind.ANY):
                spellings.compared(self, expr, pattern)
            test = self._any_item(expr.left, left, lambda value: patterns.matches(value, pattern))
        else:
            left, right = self.once(left, MIXED), self.once(right, MIXED)
            test = self._any_item(
                expr.left, left, lambda a: self._any_item(expr.right, right, lambda b: equals(a, b), "other")
            )
            test = mixedlosses.compared(self, expr, left, right, test)
        if expr.op == "==":
            return values.settled(test)
        if Kind.NULL in (left.kind, right.kind):
            return Typed(sql.boolean(False), BOOL)
        present = [values.not_null(left)] + ([values.not_null(right)] if pattern is None else [])
        loose = sql.not_(test)
        return Typed(
            sql.and_(*present, sql.not_(sql.coalesce(test, sql.boolean(False)))), BOOL, loose=sql.and_(*present, loose)
        )

    def _any_item(self, node: Expr, value: Typed, test: Callable[[Typed], Sql], name: str = "item") -> Sql:
        """An equality with a path that leads to a list holds when it holds for an item (decisions.md 27)."""
        own, path = self.reach(node.name) if isinstance(node, Field) else (None, None)
        if path is None:
            return test(value)
        taken = {ident.lower() for ident in self.rel.all_idents()} if self.rel is not None else set()
        while name in taken:
            name += "_"
        if own is None:
            return paths.any_item(value, name, test)
        return sql.case([(values.not_null(own), test(own))], paths.any_item(path, name, test))

    # --- constants, lets, UDFs --------------------------------------------------------------------

    def is_constant(self, expr: Expr) -> bool:
        """Whether the expression reads no field (parameters and functions of constants are constants)."""
        return not has_fields(expr)

    def constant(self, expr: Expr, what: str, span: Span | None = None) -> object:
        """Python value of a constant expression, evaluated now; refuses the query when it reads a field."""
        if isinstance(expr, Literal):
            return expr.value
        if (
            isinstance(expr, Unary)
            and isinstance(expr.operand, Literal)
            and isinstance(expr.operand.value, (int, float))
        ):
            return -expr.operand.value
        if not self.is_constant(expr):
            fail(NOT_CONSTANT, expr.span, what=what, help=constant_form(expr))
        inner = ExprContext(self.catalog, None, self.params, self.param_values, udfs=self.udfs, notes=self.notes)
        inner.counting = False
        return self.catalog.evaluate(inner.lower(expr).expr)

    def let(self, node: Sql) -> Sql:
        """``node`` itself when small or inside a lambda, else a column that the stage computes once beforehand."""
        if self.rel is None or isinstance(node, (exp.Column, exp.Literal)) or sql.size(node, LET_SIZE) < LET_SIZE:
            return node
        if (self._branches or self._frames) and held(node):
            frame = self._frames[-1] if self._frames else None
            return node if frame is None or frame.depth != self.lambda_depth else frame.let(node)
        if self.lambda_depth:
            return node
        for name, known in self.lets.items():
            if known == node:
                return sql.col(name)
        name = self.rel.fresh_ident(f"__let{len(self.lets) + 1}", self.lets)
        self.lets[name] = node
        return sql.col(name)

    def argument(self, node: Expr) -> Typed:
        """An argument of a function or aggregate. ``in(max(a, b), c, d)`` over mixed fields was 4 MB of SQL."""
        shared = self._shared.get(canonical(node)) if self._shared and not self.lambda_depth else None
        if shared is not None:
            return shared
        told = self._told
        value = self._framed(node)
        if told != self._told:  # what counts is evaluated once a row, and in a branch of if() where it is taken only
            value = self.once(value, EVERY_KIND)
            if not self.lambda_depth and not self._branches:
                self._shared[canonical(node)] = value
            return value
        if isinstance(value.expr, (exp.Column, exp.Literal)):
            return self.once(value, MIXED)
        return self.once(value, EVERY_KIND if sql.size(value.expr, HUGE_SIZE) >= HUGE_SIZE else MIXED)

    def _framed(self, node: Expr) -> Typed:
        """An argument; in a branch and inside a lambda, what counts is computed once within it."""
        branch, direct = self._branch, self._direct
        self._direct = False
        if direct:
            self._branch = next(self._numbers)
        try:
            if self.run_id is None or not (self._branches or self.lambda_depth):
                return self.lower(node)
            self._frames.append(frame := Frame(next(self._numbers), self.lambda_depth))
            try:
                value = self.lower(node)
            finally:
                self._frames.pop()
            return frame.closed(value)
        finally:
            self._branch, self._direct = branch, direct

    # --- losses -----------------------------------------------------------------------------------

    def counter(self, row: Loss, source: str, expr: Expr | None) -> tuple[str, int]:
        """A counter of lost values: its function in SQL and the number that it gives the first one."""
        branch = self._branch if self._branches else 0
        name, first = self.catalog.counter(source, row.name, self._identity(expr), branch)
        self.counters.add(name)
        return name, first

    def _identity(self, expr: Expr | None) -> losses.Identity:
        """The expression and where its fields come from: a conversion that is written twice loses a value once."""
        rel, origin = self.rel, self.origin
        if expr is not None and self.lambda_depth:
            around = next((frame for frame in self._frames if frame.depth == self.lambda_depth), None)
            return None if around is None else (canonical(expr), around.number)
        if expr is None or rel is None or origin is None or self.bindings:
            return None
        idents: set[str] = set()
        for node in walk(expr):
            if isinstance(node, Field):
                column = rel.column(node.name)
                if column is None and rel.rest is None:
                    return None
                idents.update(column.idents() if column is not None else [rel.rest.ident] if rel.rest else [])
        return canonical(expr), *(origin(rel.source, ident) for ident in sorted(idents))

    def tells(self) -> None:
        """An expression was made that counts losses when it is evaluated."""
        self._told += 1

    def untold(self, call: Call) -> bool:
        """Whether a conversion stands where null is an answer (``nvl(int(a), 0)``) or inside another one."""
        return any(call is tested for tested in self._tested)

    def asked(self, call: Call) -> bool:
        """Whether a condition asks if the value of a call is there: ``isnull(valueof(m, "k"))``."""
        return self._stands.get(call.span) is Stands.ASKED

    def converted(self, node: Expr) -> Typed:
        """The value that a conversion began with: ``a`` of ``int(double(a))``, which counts once."""
        while isinstance(node, Call) and node.args and not isinstance(inner := node.args[0], NamedArg):
            spec = registry.FUNCTIONS.get(node.name)
            if spec is None or spec.loss is None:
                break
            node = inner
        return self.once(self.argument(node), EVERY_KIND)

    def once(self, value: Typed, kinds: frozenset[Kind] = _READ_OFTEN) -> Typed:
        """A large value of these kinds as a column of its own, for operations that read it several times.

        What they give is large again: the SQL of ``max(max(max(a, b), c), d)`` over mixed fields filled the memory.
        """
        if value.kind not in kinds:
            return value
        if value.parts:
            return replace(value, parts=tuple(self.once(part, EVERY_KIND) for part in value.parts))
        node = self.let(value.expr)
        return value if node is value.expr else Typed(node, value.type)

    def bind(self, name: str, value: Typed) -> None:
        """Make a field name mean a value (``_1`` inside ``foreach``)."""
        self.bindings[name] = value

    def udf(self, name: str, *args: Sql) -> Sql:
        """A call of a Python function; the plan lists it so that the engine registers it."""
        self.udfs.add(name)
        return sql.func(name, *args)
