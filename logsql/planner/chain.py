"""What the stages of one query share: the chain of CTEs, the steps before the final SELECT, parameters, names.

:class:`~logsql.planner.planner.Planner` is this chain together with the pipeline that fills it. A stage knows the chain
only, so that a command can plan a subquery without knowing how pipelines are planned.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from logsql.diagnostics.errors import QueryError
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Command, Expr, Query
from logsql.planner.catalog import Catalog
from logsql.planner.duties import Demand
from logsql.planner.expressions import ExprContext
from logsql.planner.notes.samples import computed_query, own, received, sample_query, taken
from logsql.planner.plan import Cte, Step, handed_on, with_ctes
from logsql.planner.relation import Rel
from logsql.planner.running import Carry, Holds
from logsql.values import sql
from logsql.values.sqltext import written
from logsql.values.types import BINARY, BOOL, DATE, DOUBLE, INT, LONG, STRING
from logsql.values.values import NULL_VALUE, Typed


class Chain(ABC):
    """The growing plan of one query. ``params`` are the parameters as typed constants.

    ``carry``: what commands keep between two runs, where the plan is run again and again and each run goes on where
    the last one ended; ``holds``: things that all runs use (models), also where each run begins anew (the rows of an
    interval). None where it runs once.
    """

    carry: Carry | None = None
    holds: Holds | None = None

    def __init__(self, catalog: Catalog, params: Mapping[str, object] | None = None) -> None:
        self.catalog = catalog
        self.ctes: list[Cte] = []
        self.cte_names: set[str] = set()
        self.steps: list[Step] = []
        self.udfs: set[str] = set()
        self.notes = Notes()
        #: Remarks for ``explain``.
        self.remarks: list[str] = []
        #: Whether a source has fields of several possible types, of which its rows have one each.
        self.settled = False
        self.params: dict[str, Typed] = {}
        self.params.update({k: self._param(v) for k, v in (params or {}).items()})
        #: CTEs that parameters read (the last state of ``evalc``): whatever uses a parameter reads them too.
        self.parameter_sources: set[str] = set()
        self._samples: dict[str, tuple[str, ...]] = {}
        #: Fields of the row that those a parser found take the place of, and the parser as it is written.
        self.taken_by: dict[str, str] = {}
        self._number = 0
        self._pipeline = 0
        self._pipelines = 0
        self._temp = 0

    def _param(self, value: object) -> Typed:
        """A parameter of the host: a value, or an expression of constants (``-d code:=404``) whose value it is."""
        if not isinstance(value, Expr):
            return param_value(value)
        try:
            return self.context().lower(value)
        except QueryError as error:  # its place is in the words of the command line, not in the query
            error.diagnostic = replace(error.diagnostic, span=None)
            raise

    # --- pipelines --------------------------------------------------------------------------------

    @abstractmethod
    def pipeline(self, query: Query, order_needed: bool, rel: Rel | None = None, behind: Demand = None) -> Rel:
        """Plan the commands of one query or subquery; ``rel`` is the input of a chain that continues another.

        ``behind``: the fields that are read of its rows.
        """

    @abstractmethod
    def named(self, name: str) -> bool:
        """Whether the query writes this name of a field anywhere."""

    @abstractmethod
    def names(self) -> frozenset[str]:
        """All names of fields that the query writes."""

    @abstractmethod
    def demanded(self, following: Sequence[Command], behind: Demand) -> Demand:
        """Fields that these commands can read of a source before them, when ``behind`` are read of their rows."""

    @abstractmethod
    def asked_of_subquery(self, command: Command, behind: Demand) -> Demand:
        """Fields that are read of the rows of a command's subquery, when ``behind`` are read of its own rows."""

    def subplan(
        self, query: Query, order_needed: bool, params: dict[str, Typed] | None = None, behind: Demand = None
    ) -> Rel:
        """Plan a subquery with a copy of the parameters, or with ``params`` of its own (``proc``)."""
        saved, outer = dict(self.params), self._pipeline
        self._pipelines += 1
        self._pipeline = self._pipelines
        try:
            if params is not None:
                self.params = params
            return self.pipeline(query, order_needed, behind=behind)
        finally:
            self.params, self._pipeline = saved, outer

    # --- names and CTEs ---------------------------------------------------------------------------

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

    def origin(self, source: str, ident: str) -> tuple[int, str, str]:
        """The pipeline, and the CTE and its column in which a column was made, behind SELECTs that only hand it on."""
        for cte in reversed(self.ctes):  # a CTE reads earlier ones
            if cte.name == source and (found := handed_on(cte.query, ident)) is not None:
                source, ident = found
        return self._pipeline, source, ident

    def with_ctes(self, query: exp.Expression, *reads: str) -> exp.Expression:
        return with_ctes(query, self.ctes, reads)

    def sample(self, rel: Rel, name: str) -> tuple[str, ...]:
        """Some values of a text field at its source, read now, once a query."""
        query = sample_query(self.ctes, rel, name) or computed_query(self.ctes, rel, name)
        if query is None:
            return ()
        key = written(query)
        if key not in self._samples:
            self._samples[key] = self.catalog.sample(query)
        return self._samples[key]

    def own(self, rel: Rel, name: str) -> bool:
        """Whether a field is one of the reader's, as it read it."""
        return own(self.ctes, rel, name)

    def taken(self, rel: Rel, name: str) -> str | None:
        """The parser whose fields took the place of a field: it is null in all rows that were read."""
        return self.taken_by[name] if name in self.taken_by and taken(self.ctes, rel, name) else None

    def received(self, rel: Rel, name: str) -> bool:
        """Whether the dates of a field are those of the source: no command gave it others on the way."""
        return received(self.ctes, rel, name)

    # --- constants --------------------------------------------------------------------------------

    def context(self) -> ExprContext:
        """Lowers constants and parameters: there is no row."""
        return ExprContext(self.catalog, None, self.params, udfs=self.udfs, notes=self.notes)

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


def param_value(value: object) -> Typed:
    """A parameter given by the host as a typed constant."""
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
