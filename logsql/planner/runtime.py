"""What a command gets when its query runs: a stage beside its batches, an action (a side effect) as its only argument.

The engine's objects have these faces; a command that needs one names it in its signature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from sqlglot import exp

from logsql.planner.services import Service

if TYPE_CHECKING:
    from threading import Event

    import duckdb
    import pyarrow as pa

    from logsql.diagnostics.errors import LogsqlError
    from logsql.store.files import Files
    from logsql.store.policy import Policy

T = TypeVar("T")
#: A row of a small query as DuckDB gives it: what its cells are, the query says.
Row = tuple[Any, ...]


class Losses(Protocol):
    """The run's ledger."""

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        """Count what was skipped, cut, coerced or refused."""


class Progress(Protocol):
    """How far the run is."""

    def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
        """Byte position in a source."""

    def waiting(self, host: str, until: float) -> None:
        """A host is waited for, which may be asked again at that time (``time.monotonic``)."""


class Asking(Protocol):
    """A connection that is asked the same questions again and again: each is planned once."""

    def asked(self, key: str, query: exp.Expression, table: str, rows: pa.Table) -> pa.Table:
        """The rows of a query over ``rows``, which it calls ``table``; ``key``: the same for the same query."""

    def close(self) -> None:
        """Give it back."""


class Tables(Protocol):
    """The database of the session: its file (``:memory:``), DuckDB's name of it, its tables and registered objects."""

    @property
    def path(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def registered(self) -> Mapping[str, object]: ...
    def ask(self, text: str, params: Sequence[object] = ()) -> list[Row]:
        """Rows of a small catalog query."""

    def tables(self) -> list[str]:
        """Names of the tables and views a query can read."""

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database."""


class Runtime(Protocol):
    """What stages and actions have in common."""

    @property
    def database(self) -> Tables: ...
    @property
    def files(self) -> Files: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def zone(self) -> str: ...
    @property
    def loss(self) -> Losses: ...
    def service(self, key: Service[T]) -> T | None:
        """A service of the session, None when it has none of this name."""

    def cancelled(self) -> bool:
        """Whether the query is to stop."""


class Run(Protocol):
    """One run of one query: a training watches ``cancel``, and a model is made once per run. ``deadline``: when its
    time is over (``time.monotonic``), None where it has no bound."""

    @property
    def cancel(self) -> Event: ...
    @property
    def deadline(self) -> float | None: ...


class StageRuntime(Runtime, Protocol):
    """What a Python stage's ``transform`` gets beside its batches. ``read(n)`` yields rows of its further inputs."""

    @property
    def state(self) -> Run: ...
    @property
    def progress(self) -> Progress: ...
    @property
    def read(self) -> ReadInput: ...
    def asking(self) -> Asking:
        """A connection of its own for questions that come again and again."""

    def fail_behind(self, problem: LogsqlError) -> None:
        """The rows are right and not all that there are: the query hands them on and then fails with this error."""


class ReadInput(Protocol):
    """Rows of a stage's further input by number."""

    def __call__(self, number: int) -> Iterator[pa.RecordBatch]: ...


class ActionRuntime(Runtime, Protocol):
    """What a side effect gets: statements and rows on the run's own cursor."""

    def execute(self, query: exp.Expression) -> list[Row]:
        """Run a statement; names of the plan's work tables are understood."""

    def batches(self, query: exp.Expression, size: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Rows of a query as record batches."""
