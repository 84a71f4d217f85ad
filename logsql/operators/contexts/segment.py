"""Plans commands of event contexts together: what they need beforehand, the rows through Python, and the rest behind.

The commands are planned twice. First for what the operations need (conditions, keys, rows to keep): all of it that
depends on no context is SQL over all rows beforehand, the rest is a *question* that SQL answers for some rows while the
operations run. Conditions of ``search`` are such values too, so that every row goes through. Behind that the commands
are planned as usual, with the results of the operations as fields that are carried along. docs/authors.md tells why.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NoReturn

from logsql.diagnostics.contexts import BETWEEN, NOT_HELD
from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Command
from logsql.operators.contexts.arguments import TRUTH, Arguments, results
from logsql.operators.contexts.calls import Taken, Taker
from logsql.operators.contexts.lineage import Lineage, Opaque
from logsql.operators.contexts.plain import Parts, Plain
from logsql.operators.contexts.plainly import Plainly
from logsql.operators.contexts.program import KINDS, Arg, Operation, Program, Question, What
from logsql.operators.contexts.replay import replayed
from logsql.operators.passing import Field, own_types, passed, portable
from logsql.planner.calls import fail
from logsql.planner.duties import RowState
from logsql.planner.expressions import CARRIED
from logsql.planner.relation import Column, Rel, Rest
from logsql.planner.spec import COMMANDS
from logsql.planner.stage import Stage
from logsql.planner.together import Joint, single
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.sqltext import written
from logsql.values.types import ANY, BOOL, STRING, LType

#: The rows of a question, and the column that numbers them.
ASKED, NUMBER = "__asked", "__number"
#: Kinds of the values of results that have one type.
_KIND = {"BIGINT": "long", "TIMESTAMP WITH TIME ZONE": "date", "BOOLEAN": "bool", "JSON": "document"}


def lowered(joint: Joint) -> Rel | None:
    """Plan a run of commands (:class:`~logsql.planner.together.Run`)."""
    place, command = joint.commands[0]
    stage = joint.stage(place, command, joint.rel)
    return _Segment(joint, stage).lowered()


class _Segment:
    """One run while it is planned."""

    def __init__(self, joint: Joint, stage: Stage) -> None:
        self.joint = joint
        self.stage = stage
        rel = stage.flush(stage.rel)
        self.visible = rel.columns
        idents = {ident for column in rel.columns for ident in column.idents()}
        self.aliases = tuple(c for c in rel.carried if idents.issuperset(c.idents()))
        hidden = tuple(c for c in rel.carried if c not in self.aliases)
        self.base = self._crossed(replace(rel, columns=(*rel.columns, *hidden), carried=()))
        self.taker = Taker()
        self.operations: list[Operation] = []
        self.results: list[Column] = []
        self.types: dict[str, LType] = {}
        self.parts: dict[str, tuple[tuple[str, str], ...]] = {}
        self.args: dict[str, LType] = {}
        self.plainly = Plainly(self._columns)

    def _crossed(self, rel: Rel) -> Rel:
        """The rows as they are behind Python: a VARIANT is JSON there, and must not be another value before."""
        parts = [part for column in rel.columns for part in (column.parts or (column,))]
        is_map = rel.rest is not None and rel.rest.is_map
        if not is_map and not any("VARIANT" in part.type.physical for part in parts):
            return rel
        given, back = portable(self.stage, rel)
        items: list[tuple[str, Sql]] = [
            (i, sql.cast(sql.col(i), back[i]) if i in back else sql.col(i)) for i in given.all_idents()
        ]
        return replace(
            self.stage.select("rows", given, items), columns=own_types(rel.columns, given.columns), carried=()
        )

    # --- first: what the operations need ----------------------------------------------------------

    def lowered(self) -> Rel | None:
        commands = [(place, *self._taken(command)) for place, command in single(self.joint.commands)]
        rel = self._input([taken for _, _, calls in commands for taken in calls])
        self.root = rel.source
        for number, (place, command, calls) in enumerate(commands):
            rel = self._operations(place, command, calls, rel)
            if number + 1 < len(commands) and COMMANDS[command.name].together is None:
                with _quiet(self.stage):
                    rel = self._through(place, command, rel)
        rel = self.stage.flush(rel)
        self._check(rel, commands[-1][1])
        program = self._program(rel)
        given = self._passed(rel, program)
        return self._behind([(place, command) for place, command, _ in commands], given)

    def _taken(self, command: Command) -> tuple[Command, list[Taken]]:
        made = self.taker.command(command)
        return made, self.taker.taken

    def _input(self, calls: list[Taken]) -> Rel:
        """The rows with empty columns for the results, and with their own columns kept from being set anew."""
        rel = self.base
        taken = rel.all_idents()
        for call in calls:
            if call.held:
                continue
            found = [(kind, _fresh(rel, taken, "__r"), type_) for kind, type_ in results(call).items()]
            self.types.update({ident: type_ for _, ident, type_ in found})
            self.parts[call.name] = tuple((kind, ident) for kind, ident, _ in found)
            parts = tuple(Column(ident, ident, type_) for _, ident, type_ in found)
            whole = parts[0] if len(parts) == 1 else Column(call.name, call.name, ANY, parts)
            self.results.append(replace(whole, name=call.name))
            columns = tuple((kind or _KIND[type_.physical], ident) for kind, ident, type_ in found)
            self.plainly.results[call.name] = Parts(columns, result=True)
        items: list[tuple[str, Sql]] = [(i, sql.col(i)) for i in rel.all_idents()]
        items += [(ident, sql.null(type_.physical)) for ident, type_ in self.types.items()]
        kept = [Column(f"{CARRIED}{n}", i, STRING) for n, i in enumerate(rel.all_idents())]
        made = self.stage.select("contexts", rel, items)
        return replace(made, carried=(*kept, *self.results))

    def _operations(self, place: int, command: Command, calls: list[Taken], rel: Rel) -> Rel:
        """What the row does with contexts at a command, in the order in which it does so."""
        stage = self.joint.stage(place, command, rel)
        for call in calls:
            rel = self._operation(stage, rel, partial(Arguments.call, call=call, known=self))
        own = COMMANDS[command.name].together
        return rel if own is None else self._operation(stage, rel, partial(Arguments.command, part=own.part))

    def _operation(self, stage: Stage, rel: Rel, make: Callable[[Arguments], Operation]) -> Rel:
        """One operation. What it loses is counted where its arguments are computed beforehand: once for each row."""
        before, given = (dict(self.args), list(self.results)), rel
        with _quiet(stage):
            made = Arguments(stage, rel, self._columns)
            operation = make(made)
            depends = self._asking(operation, Lineage(self.joint.chain.ctes, self.root), made.rel.source)
            rel, plain = self._plain(stage, made, depends)
        if depends.asks is None:
            self.args, self.results = before
            made = Arguments(stage, given, self._columns)
            operation = make(made)
            rel = made.rel
        self.operations.append(replace(operation, plain=plain))
        return rel

    def _plain(self, stage: Stage, made: Arguments, operation: Operation) -> tuple[Rel, dict[str, Plain] | None]:
        """How Python computes the arguments that are asked for; None where it does not compute all of them."""
        rel, asked = made.rel, operation.asks
        if asked is None:
            return rel, None
        found: dict[str, Plain] = {}
        for role in {"value" if r in KINDS else r for r, arg in operation.args.items() if arg.ident in asked.gives}:
            rel, plain = self.plainly.role(stage, rel, *made.exprs[role]) if role in made.exprs else (rel, None)
            if plain is None:
                return rel, None
            found[role] = plain
        return rel, found

    def _columns(self, stage: Stage, rel: Rel, cells: Sequence[tuple[LType, Sql]]) -> tuple[Rel, list[Arg]]:
        """Values as columns that are carried to the end; all that were lowered together, as they may share lets."""
        pending, columns = dict(rel.pending), []
        for type_, node in cells:
            ident = _fresh(rel, [*self.args, *self.types], f"__c{len(self.args)}")
            self.args[ident] = type_
            pending[ident] = node
            columns.append(Column(CARRIED + ident, ident, type_))
        made = replace(rel, carried=(*rel.carried, *columns), pending=pending, tag=stage.tag)
        return stage.flush(made), [Arg(column.ident) for column in columns]

    def held(self, column: Column) -> None:
        """A value that is no result: later commands read it where it was computed."""
        self.results.append(column)

    def _through(self, place: int, command: Command, rel: Rel) -> Rel:
        """A command between them; the condition of a ``search`` becomes an operation."""
        state = COMMANDS[command.name].state
        if state is RowState.ASSIGNS:
            (one,) = command.args.assignments
            rel = self.plainly.assigned(self.joint.stage(place, command, rel), rel, one.target.text, one.expr)
        stage = self.joint.stage(place, command, rel)
        steps = len(self.joint.chain.steps)
        try:
            found = COMMANDS[command.name].lower(stage)
        except LogsqlError as error:
            if error.diagnostic.span is None:
                error.diagnostic = replace(error.diagnostic, span=command.span)
            raise
        if found is None or len(self.joint.chain.steps) != steps:
            self._refuse(command)
        if found.where is not None:
            test = sql.coalesce(found.where, sql.boolean(False))
            flat = replace(found, where=None)
            rel, (arg,) = self._columns(stage, flat, [(BOOL, test)])
            rel = self._filter(stage, rel, command, Operation(What.FILTER, command.name, {"test": arg}))
        else:
            rel = stage.flush(found)
        self._check(rel, command)
        if state not in (RowState.ASSIGNS, RowState.FILTERS):
            self._renew(rel)
        missing = {c.name for c in self.results} - {c.name for c in rel.carried}
        if missing or not set(self.args) <= set(rel.all_idents()):
            self._refuse(command)
        return rel

    def _filter(self, stage: Stage, rel: Rel, command: Command, operation: Operation) -> Rel:
        """The condition of a ``search`` as an operation."""
        plain: Plain | None = None
        if COMMANDS[command.name].state is RowState.FILTERS and self.plainly.depends(command.args.condition):
            rel, plain = self.plainly.role(stage, rel, TRUTH, command.args.condition)
        self.operations.append(replace(operation, plain=None if plain is None else {"test": plain}))
        return rel

    def _renew(self, rel: Rel) -> None:
        """Behind a command of any kind Python computes none of the fields that depend on results."""
        lineage = Lineage(self.joint.chain.ctes, self.root)
        self.plainly.fields = {
            column.name: None
            for column in rel.columns
            if any(lineage.roots(rel.source, ident) & self.types.keys() for ident in column.idents())
        }

    def _check(self, rel: Rel, command: Command) -> None:
        try:
            Lineage(self.joint.chain.ctes, self.root).check(self.stage.flush(rel).source)
        except Opaque:
            self._refuse(command)

    @staticmethod
    def _refuse(command: Command) -> NoReturn:
        fail(BETWEEN, command.name_span, command=command.name)

    # --- then: the rows through Python ------------------------------------------------------------

    def _program(self, rel: Rel) -> Program:
        lineage = Lineage(self.joint.chain.ctes, self.root)
        made = tuple(self._asking(operation, lineage, rel.source) for operation in self.operations)
        return Program(made, {ident: type_.physical for ident, type_ in self.types.items()})

    def _asking(self, operation: Operation, lineage: Lineage, source: str) -> Operation:
        """The operation, with what depends on results as questions."""
        asks: list[str] = []
        doc: list[str] = []
        for role, arg in operation.args.items():
            if arg.ident is not None and lineage.roots(source, arg.ident) & self.types.keys():
                if operation.what is What.HOLD:
                    fail(NOT_HELD, None, function=operation.name)
                (doc if role == "doc" else asks).append(arg.ident)
        return replace(
            operation,
            asks=self._question(lineage, source, asks),
            asks_doc=self._question(lineage, source, doc),
        )

    def _question(self, lineage: Lineage, source: str, idents: list[str]) -> Question | None:
        if not idents:
            return None
        roots = sorted({root for ident in idents for root in lineage.roots(source, ident)})
        results = tuple(root for root in roots if root in self.types)
        rows = tuple(root for root in roots if root not in self.types)
        known = self._physical()
        items: list[Sql] = [sql.alias(_read(root, known[root]), root) for root in roots]
        query = lineage.query(source, idents, items, ASKED, NUMBER)
        return Question(written(query), query, tuple(idents), rows, results)

    def _physical(self) -> dict[str, str]:
        """The SQL types of the columns of the rows and of the results."""
        columns = [part for c in self.base.columns for part in (c.parts or (c,))]
        found = {c.ident: c.type.physical for c in columns} | {i: t.physical for i, t in self.types.items()}
        if self.base.rest is not None:
            found[self.base.rest.ident] = "JSON"
        return found

    def _passed(self, rel: Rel, program: Program) -> Rel:
        rel = replace(rel, columns=self.base.columns, rest=self.base.rest, carried=())
        held = [c for c in self.results if c.ident in self.args]
        asked = [Field(ident, type_, rel.expr(ident)) for ident, type_ in self.args.items()]
        made = [Field(ident, type_) for ident, type_ in self.types.items()]
        made += [Field(c.ident + "__held", c.type) for c in held]
        work = partial(replayed, program, tuple((c.ident, c.ident + "__held") for c in held))
        done = passed(self.stage, rel, asked, made, work, once=True, always=True)
        fields = {c.name: c for c in done.columns[len(self.base.columns) :]}
        carried = [*self.aliases, *done.columns[len(self.visible) : len(self.base.columns)]]
        for column in self.results:
            if column.parts:
                parts = tuple(replace(fields[p.ident], name=p.name) for p in column.parts)
                carried.append(replace(column, parts=parts))
            else:
                carried.append(replace(fields[column.ident + "__held" * (column in held)], name=column.name))
        rest = _same(done.rest, self.base.rest)
        return replace(done, columns=done.columns[: len(self.visible)], carried=tuple(carried), rest=rest)

    # --- behind: the commands as they are ---------------------------------------------------------

    def _behind(self, commands: list[tuple[int, Command]], rel: Rel | None) -> Rel | None:
        for place, command in commands:
            rel = self.joint.step(self.joint.stage(place, command, rel))
        if rel is None:
            return None
        names = {column.name for column in self.results}
        return replace(rel, carried=tuple(c for c in rel.carried if c.name not in names))


def _same(made: Rest | None, given: Rest | None) -> Rest | None:
    """The open part as it was: results are no fields that it could have."""
    return made if made is None or given is None else replace(made, hidden=given.hidden, replaced=given.replaced)


def _read(ident: str, physical: str) -> Sql:
    """A column that has crossed to Python, in its own type."""
    crossed = "JSON" in physical or "HUGEINT" in physical or "TIME ZONE" in physical
    return sql.cast(sql.col(ident), physical) if crossed else sql.col(ident)


def _fresh(rel: Rel, taken: list[str], name: str) -> str:
    ident = rel.fresh_ident(name, taken)
    taken.append(ident)
    return ident


@contextmanager
def _quiet(stage: Stage) -> Iterator[None]:
    """Plans inside say nothing and count nothing: the same commands are planned once more for that."""
    chain = stage.chain
    told = chain.catalog, chain.notes, chain.remarks
    chain.catalog, chain.notes, chain.remarks = copy.copy(chain.catalog), Notes(), []
    chain.catalog.run_id = None
    try:
        yield
    finally:
        chain.catalog, chain.notes, chain.remarks = told
