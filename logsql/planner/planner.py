"""Command tree to plan: resolves each command against its declaration and threads the relation through the pipeline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from logsql.diagnostics.errors import LogsqlError
from logsql.language.tree import Command, Expr, Query
from logsql.planner.catalog import Catalog
from logsql.planner.expressions import ExprContext
from logsql.planner.plan import Cte, Plan, Step, with_ctes
from logsql.planner.relation import Rel
from logsql.planner.spec import COMMANDS, CommandSpec, OrderNeed
from logsql.values import sql
from logsql.values.types import DATE, STRING
from logsql.values.values import NULL_VALUE, Typed


class Planner:
    """Plans one query. Holds what the stages share: chain, steps, parameters, UDFs, numbering."""

    def __init__(self, catalog: Catalog, params: Mapping[str, Any] | None = None) -> None:
        self.catalog = catalog
        self.ctes: list[Cte] = []
        self.cte_names: set[str] = set()
        self.steps: list[Step] = []
        self.udfs: set[str] = set()
        self.notes: list[str] = []
        self.params: dict[str, Typed] = {k: param_value(v) for k, v in (params or {}).items()}
        #: CTEs that parameters read (the last state of ``evalc``): whatever uses a parameter reads them too.
        self.parameter_sources: set[str] = set()
        self._number = 0
        self._temp = 0

    # --- the pipeline -----------------------------------------------------------------------------

    def plan(self, query: Query) -> Plan:
        rel = self.pipeline(query, order_needed=True)
        return Plan(
            tuple(self.ctes), rel, tuple(self.steps), frozenset(self.udfs), self.catalog.zone, tuple(self.notes)
        )

    def pipeline(self, query: Query, order_needed: bool, rel: Rel | None = None) -> Rel:
        """Plan the commands of one query or subquery; ``rel`` is the input of a chain that continues another."""
        from logsql.operators.state import arrange

        commands = arrange(hoist_setq(query.commands))
        needs = order_needs(commands, order_needed)
        for position, (command, needed) in enumerate(zip(commands, needs, strict=True)):
            following = commands[position + 1 :]
            rel = self._step(COMMANDS[command.name], command, rel, needed, following)
        if rel is None:
            rel = self._empty()
        return rel

    def _step(
        self, spec: CommandSpec, command: Command, rel: Rel | None, needed: bool, following: Sequence[Command]
    ) -> Rel | None:
        from logsql.planner.stage import Stage

        stage = Stage(self, spec, command, rel, needed, following)
        try:
            return spec.lower(stage)
        except LogsqlError as error:
            if error.diagnostic.span is None:
                from dataclasses import replace

                error.diagnostic = replace(error.diagnostic, span=command.span)
            raise

    def subplan(self, query: Query, order_needed: bool) -> Rel:
        """Plan a subquery with a copy of the parameters."""
        saved = dict(self.params)
        try:
            return self.pipeline(query, order_needed)
        finally:
            self.params = saved

    def _empty(self) -> Rel:
        """A relation without rows, for a query of commands that deliver nothing."""
        select = sql.select([sql.alias(sql.boolean(True), "__row")], where=sql.boolean(False))
        return Rel(self.add_cte("s0_empty", select, (), ""), ())

    # --- shared by the stages ---------------------------------------------------------------------

    def next_number(self) -> int:
        self._number += 1
        return self._number

    def add_cte(self, name: str, query: exp.Expression, reads: Sequence[str], command: str) -> str:
        """Append a CTE under a unique name."""
        unique, number = name, 2
        while unique.lower() in self.cte_names:
            unique, number = f"{name}_{number}", number + 1
        self.cte_names.add(unique.lower())
        self.ctes.append(Cte(unique, query, (*reads, *self.parameter_sources), command))
        return unique

    def temp_name(self, label: str) -> str:
        self._temp += 1
        return f"__{label}_{self._temp}"

    def with_ctes(self, query: exp.Expression, *reads: str) -> exp.Expression:
        return with_ctes(query, self.ctes, reads)

    # --- constants --------------------------------------------------------------------------------

    def context(self) -> ExprContext:
        return ExprContext(self.catalog, None, self.params, udfs=self.udfs)

    def constant_text(self, expr: Expr, what: str) -> str:
        """Text of a constant in an option: dates as ``yyyyMMddHHmmss``, null as empty text (language.md 1.5)."""
        value = self.context().constant(expr, what)
        if value is None:
            return ""
        if isinstance(value, dt.datetime):
            return value.strftime("%Y%m%d%H%M%S")
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)


def param_value(value: Any) -> Typed:
    """A parameter given by the host as a typed constant."""
    from logsql.values.types import BINARY, BOOL, DOUBLE, INT, LONG

    if value is None:
        return NULL_VALUE
    if isinstance(value, Typed):
        return value
    if isinstance(value, bool):
        return Typed(sql.boolean(value), BOOL)
    if isinstance(value, int):
        return Typed(sql.integer(value), INT if -(2**31) <= value < 2**31 else LONG)
    if isinstance(value, float):
        return Typed(sql.double(value), DOUBLE)
    if isinstance(value, dt.datetime):
        return Typed(sql.cast(sql.string(value.isoformat(sep=" ")), DATE.physical), DATE)
    if isinstance(value, bytes):
        return Typed(sql.func("unhex", sql.string(value.hex())), BINARY)
    return Typed(sql.string(str(value)), STRING)


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


def compile_query(query: Query, catalog: Catalog, params: Mapping[str, Any] | None = None) -> Plan:
    """Plan a parsed query. Raises :class:`logsql.diagnostics.errors.QueryError` when it cannot run."""
    return Planner(catalog, params).plan(query)
