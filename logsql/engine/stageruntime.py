"""What stages and actions of a running plan get (the faces of :mod:`logsql.planner.runtime`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.errors import LogsqlError
from logsql.engine.database import Database
from logsql.engine.discovery import all_fields
from logsql.engine.keptplans import Asking, Prepared
from logsql.engine.ledger import Ledger
from logsql.engine.present import Field, present
from logsql.engine.runstate import RunState
from logsql.engine.services import Services
from logsql.planner.relation import Rel
from logsql.planner.runtime import Row
from logsql.planner.services import Service
from logsql.store.files import Files
from logsql.store.policy import Policy
from logsql.values.sqltext import written

T = TypeVar("T")


class _Runtime:
    """What both have in common."""

    def __init__(self, state: RunState, database: Database, services: Services) -> None:
        self.state = state
        self.database = database
        self._services = services

    @property
    def files(self) -> Files:
        return self.database.files

    @property
    def policy(self) -> Policy:
        return self.state.policy

    @property
    def zone(self) -> str:
        return self.state.zone

    @property
    def loss(self) -> Ledger:
        return self.state.ledger

    def service(self, key: Service[T]) -> T | None:
        """A service of the session, None when it has none of this name."""
        return self._services.get(key)

    def cancelled(self) -> bool:
        return self.state.cancelled()


class Stages(_Runtime):
    """What a Python stage's ``transform`` gets beside its batches. ``read(n)`` yields rows of its further inputs."""

    def __init__(
        self,
        state: RunState,
        database: Database,
        services: Services,
        read: Callable[[int], Iterator[pa.RecordBatch]] = lambda number: iter(()),
        asking: Callable[[], Asking] | None = None,
    ) -> None:
        super().__init__(state, database, services)
        self.read = read
        self._asking = asking

    def asking(self) -> Asking:
        """A connection for questions: one that was lent for many runs, or of its own."""
        return Asking(Prepared(self.database.cursor())) if self._asking is None else self._asking()

    @property
    def progress(self) -> RunState:
        return self.state

    def fail_behind(self, problem: LogsqlError) -> None:
        """The first such error of a run is raised behind its last row."""
        self.state.behind = self.state.behind or problem


class Run(Protocol):
    """The execution that carries an action out."""

    @property
    def state(self) -> RunState: ...
    @property
    def database(self) -> Database: ...
    @property
    def services(self) -> Services: ...
    @property
    def cursor(self) -> duckdb.DuckDBPyConnection: ...
    def resolve(self, query: exp.Expression) -> exp.Expression:
        """The query with the plan's names of work tables replaced by this run's."""

    def work_table(self, name: str) -> str:
        """SQL text of the work table that holds a step of the plan."""


class Actions(_Runtime):
    """What a side effect gets: statements and rows on this run's cursor."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.state, run.database, run.services)
        self._run = run

    def execute(self, query: exp.Expression) -> list[Row]:
        """Run a statement; names of the plan's work tables are understood."""
        self.database.changed()
        return self._fetch(written(self._run.resolve(query)))

    def batches(self, query: exp.Expression, size: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Rows of a query as record batches."""
        node = self._run.resolve(query)
        yield from self._run.cursor.sql(written(node)).to_arrow_reader(size)

    def fields(self, rel: Rel) -> list[Field]:
        """The fields of a relation that the plan has materialised; those of an open row are found in its rows."""
        plain = present(rel)
        if rel.rest is None:
            return plain
        return all_fields(self._fetch, self._run.work_table(rel.source), rel.rest.ident, plain, rel.rest)

    def _fetch(self, text: str) -> list[Row]:
        found: list[Row] = self._run.cursor.execute(text).fetchall()
        return found
