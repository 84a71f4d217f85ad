"""Command tree to plan: resolves each command against its declaration and threads the relation through the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from logsql.diagnostics.errors import LogsqlError, QueryError, SourceError, diagnostic
from logsql.diagnostics.foreign import foreign_name
from logsql.diagnostics.language import SECOND_SOURCE
from logsql.diagnostics.places import Place
from logsql.diagnostics.tables import TABLE_NOT_FOUND
from logsql.language.tree import Command, Field, Name, Query
from logsql.planner.arrange import arrange
from logsql.planner.arrival import check_order
from logsql.planner.catalog import Catalog, NoData
from logsql.planner.chain import Chain
from logsql.planner.demand import demanded, of_subquery
from logsql.planner.duties import NO_ROWS, Demand, OrderGiven, Subquery
from logsql.planner.folds import first_ones_first, order_needs, tree_nodes
from logsql.planner.notes import parameters
from logsql.planner.notes.names import tell_names, tell_taken
from logsql.planner.notes.texts import tell_comments
from logsql.planner.plan import Plan
from logsql.planner.relation import PHYSICAL, Rel, Rest
from logsql.planner.spec import COMMANDS
from logsql.planner.stage import Stage
from logsql.planner.together import Joint, opened, runs
from logsql.values import sql
from logsql.values.types import ANY_JSON


class Planner(Chain):
    """Plans one query: the chain, and the pipeline that fills it."""

    _query: Query | None = None

    def plan(self, query: Query, start: Callable[[Chain], Rel] | None = None) -> Plan:
        """The plan of a query; ``start`` makes the rows that enter its first command, where that is no source."""
        given = tuple(self.params)
        self._query = query
        rel = self.pipeline(query, order_needed=True, rel=None if start is None else start(self))
        parameters.unused(self.notes, query, given)
        return Plan(
            tuple(self.ctes),
            rel,
            tuple(self.steps),
            frozenset(self.udfs),
            self.catalog.zone,
            self.notes.ordered(),
            tuple(dict.fromkeys(self.remarks)),
            settled=self.settled,
        )

    def pipeline(self, query: Query, order_needed: bool, rel: Rel | None = None, behind: Demand = None) -> Rel:
        tell_comments(self.notes, query)
        commands = arrange(first_ones_first(opened(query.commands)))
        needs = order_needs(commands, order_needed)
        together = {run.start: run for run in runs(commands)}

        def stage(position: int, command: Command, given: Rel | None) -> Stage:
            following = commands[position + 1 :]
            return Stage(self, COMMANDS[command.name], command, given, needs[position], following, behind)

        before: Command | None = None
        position = 0
        while position < len(commands):
            command = commands[position]
            self.catalog.check_time()
            if COMMANDS[command.name].source and rel is not None:
                _check_source(command, before)
            run = together.get(position)
            if run is None:
                rel = self._step(stage(position, command, rel))
                position += 1
            else:
                taken = tuple(enumerate(commands))[run.start : run.stop]
                rel = run.lower(Joint(self, taken, rel, stage, self._step))
                position = run.stop
            before = commands[position - 1]
        if rel is None:
            rel = self._empty()
        return rel

    def named(self, name: str) -> bool:
        nodes = tree_nodes(self._query.commands) if self._query is not None else ()
        return any((isinstance(n, Field) and n.name == name) or (isinstance(n, Name) and n.text == name) for n in nodes)

    def names(self) -> frozenset[str]:
        nodes = tuple(tree_nodes(self._query.commands)) if self._query is not None else ()
        fields = {node.name for node in nodes if isinstance(node, Field)}
        return frozenset(fields | {node.text for node in nodes if isinstance(node, Name)})

    def demanded(self, following: Sequence[Command], behind: Demand) -> Demand:
        return demanded(following, behind)

    def asked_of_subquery(self, command: Command, behind: Demand) -> Demand:
        return of_subquery(command, behind)

    def _step(self, stage: Stage) -> Rel | None:
        spec = COMMANDS[stage.command.name]
        given = stage.input
        tell_names(stage.note, spec, stage.command, given)
        if given is not None and self.taken_by:
            tell_taken(stage.note, spec, stage.command, lambda name: self.taken(given, name))
        try:
            found = spec.lower(stage)
        except NoData:
            return self._unknown()
        except LogsqlError as error:
            missing = isinstance(error, SourceError) or error.code == TABLE_NOT_FOUND.code
            if missing and spec.source and not self.catalog.data:
                return self._unknown()
            if error.diagnostic.span is None:
                error.diagnostic = replace(error.diagnostic, span=stage.command.span)
            raise
        says = spec.order.gives
        ordered = says is OrderGiven.INPUT or (says is OrderGiven.OWN and given is None)
        if (
            spec.subquery is Subquery.CONTINUES
        ):  # its commands were looked at: `serial [ stats count by nope ]` has one row
            ordered = False
        if ordered and stage.order_needed and found is not None:
            check_order(spec.name, given, found)
        return found

    def _unknown(self) -> Rel:
        """Rows of which nothing is known, for a plan that is only looked at."""
        select = sql.select([sql.alias(sql.null("JSON"), "__doc")], where=sql.boolean(False))
        return Rel(self.add_cte("s0_unknown", select, (), ""), (), rest=Rest("__doc", ANY_JSON), order=PHYSICAL)

    def _empty(self) -> Rel:
        """A relation without rows, for a query of commands that deliver nothing."""
        select = sql.select([sql.alias(sql.boolean(True), "__row")], where=sql.boolean(False))
        return Rel(self.add_cte("s0_empty", select, (), ""), ())


def _check_source(command: Command, before: Command | None) -> None:
    """Refuse a source that would throw away the rows in hand (None: those that entered a subquery).

    ``json "{a:1}" | csvfile x.csv`` gave the rows of the file alone, without a word.
    """
    if before is not None:
        spec = COMMANDS[before.name]
        if spec.for_effect or spec.order is NO_ROWS:
            return
    name = before.name if before is not None else "["
    made = diagnostic(SECOND_SOURCE, command.name_span, command=command.name, before=name)
    if meant := foreign_name(command.name, Place.COMMAND):  # `table a, b` chooses fields in Splunk
        made = replace(made, help=f"{made.help}; {meant}")
    raise QueryError(made)


def compile_query(query: Query, catalog: Catalog, params: Mapping[str, object] | None = None) -> Plan:
    """Plan a parsed query. Raises :class:`logsql.diagnostics.errors.QueryError` when it cannot run."""
    return Planner(catalog, params).plan(query)
