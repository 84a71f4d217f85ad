"""Command tree to plan: resolves each command against its declaration and threads the relation through the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from logsql.diagnostics.errors import LogsqlError
from logsql.language.tree import Command, Query
from logsql.planner.arrange import arrange
from logsql.planner.catalog import Catalog
from logsql.planner.chain import Chain
from logsql.planner.demand import demanded
from logsql.planner.plan import Plan
from logsql.planner.relation import Rel
from logsql.planner.spec import COMMANDS, CommandSpec, OrderNeed
from logsql.planner.stage import Stage
from logsql.values import sql


class Planner(Chain):
    """Plans one query: the chain, and the pipeline that fills it."""

    def plan(self, query: Query) -> Plan:
        rel = self.pipeline(query, order_needed=True)
        return Plan(
            tuple(self.ctes), rel, tuple(self.steps), frozenset(self.udfs), self.catalog.zone, tuple(self.notes)
        )

    def pipeline(self, query: Query, order_needed: bool, rel: Rel | None = None) -> Rel:
        commands = arrange(hoist_setq(query.commands))
        needs = order_needs(commands, order_needed)
        for position, (command, needed) in enumerate(zip(commands, needs, strict=True)):
            following = commands[position + 1 :]
            rel = self._step(COMMANDS[command.name], command, rel, needed, following)
        if rel is None:
            rel = self._empty()
        return rel

    def demanded(self, following: Sequence[Command]) -> frozenset[str] | None:
        return demanded(following)

    def _step(
        self, spec: CommandSpec, command: Command, rel: Rel | None, needed: bool, following: Sequence[Command]
    ) -> Rel | None:
        stage = Stage(self, spec, command, rel, needed, following)
        try:
            return spec.lower(stage)
        except LogsqlError as error:
            if error.diagnostic.span is None:
                error.diagnostic = replace(error.diagnostic, span=command.span)
            raise

    def _empty(self) -> Rel:
        """A relation without rows, for a query of commands that deliver nothing."""
        select = sql.select([sql.alias(sql.boolean(True), "__row")], where=sql.boolean(False))
        return Rel(self.add_cte("s0_empty", select, (), ""), ())


def hoist_setq(commands: Sequence[Command]) -> list[Command]:
    """All ``setq`` run before everything else, in order (commands.md)."""
    first = [c for c in commands if c.name == "setq"]
    return first + [c for c in commands if c.name != "setq"] if first else list(commands)


def order_needs(commands: Sequence[Command], needed: bool) -> list[bool]:
    """For each command, whether the order of its *output* rows is observed later."""
    result: list[bool] = []
    for command in reversed(commands):
        result.append(needed)
        need = COMMANDS[command.name].order(command.args)
        if need is OrderNeed.NEEDS:
            needed = True
        elif need is OrderNeed.IGNORES:
            needed = False
    result.reverse()
    return result


def compile_query(query: Query, catalog: Catalog, params: Mapping[str, object] | None = None) -> Plan:
    """Plan a parsed query. Raises :class:`logsql.diagnostics.errors.QueryError` when it cannot run."""
    return Planner(catalog, params).plan(query)
