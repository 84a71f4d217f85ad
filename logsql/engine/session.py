"""A session: one database, its tables, parameters and limits; the object that the shell, the CLI and Python share."""

from __future__ import annotations

import atexit
import copy
import itertools
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import duckdb

from logsql.diagnostics.errors import Diagnostic, Interrupted, LogsqlError, too_long
from logsql.engine.catalog import SessionCatalog
from logsql.engine.connection import WORK, Limits, current_zone, main_database, open_database, run, set_zone
from logsql.engine.execution import Execution
from logsql.engine.querylog import QueryLog
from logsql.engine.result import Result
from logsql.engine.runstate import ProgressReport, RunState
from logsql.planner.catalog import TableInfo
from logsql.planner.plan import Plan
from logsql.store.policy import Policy


class Session:
    """Queries over one DuckDB database. A context manager; ``close`` releases everything.

    ``path`` is a database file or ``:memory:``; ``tz`` an IANA zone name (the machine's by default); ``safe`` denies
    files, writing and the network except below ``directories``; ``timeout`` is in seconds. ``geoip`` names databases in
    MaxMind's format for ``lookup geoip`` (a ``.mmdb`` file or a folder), ``procs`` folders of stored queries for
    ``proc``. Deleting rows with ``purge`` needs ``allow_purge``.
    """

    def __init__(
        self,
        path: str = ":memory:",
        tz: str | None = None,
        safe: bool = False,
        directories: Sequence[str] = (),
        threads: int | None = None,
        memory_limit: str | None = None,
        timeout: float | None = None,
        on_progress: Callable[[ProgressReport], None] | None = None,
        geoip: str | None = None,
        procs: Sequence[str] = (),
        allow_purge: bool = False,
    ) -> None:
        self.path = path
        self.geoip = geoip
        self.procs = tuple(procs)
        self.allow_purge = allow_purge
        self.policy = Policy.safe_mode(directories) if safe else Policy()
        self.timeout = timeout
        self.on_progress = on_progress
        self._connection = open_database(path, tz, Limits(threads, memory_limit, timeout), self.policy)
        self.zone = current_zone(self._connection)
        self.database = main_database(self._connection)
        self.planning = self._connection.cursor()
        self._number = itertools.count(1)
        self._running: dict[int, Execution] = {}
        self._planned: dict[int, RunState] = {}
        self.kept: dict[str, Any] = {}
        self.result_numbers = itertools.count(1)
        self.query_log = QueryLog()
        self.registered: dict[str, Any] = {}
        self.lookups: dict[str, Any] = {}
        self._services: dict[str, Any] = {}
        self._functions: set[str] = set()
        self._logical: dict[tuple[str, str], str] | None = None
        self.last_ledger: Any = None
        _OPEN.add(self)

    # --- queries ----------------------------------------------------------------------------------

    def query(self, text: str, params: Mapping[str, Any] | None = None, origin: str | None = None) -> Result:
        """Plan a pipe query; it runs when rows are asked for.

        Raises :class:`.QueryError` for a query that is wrong, :class:`~.SourceError` for a
        source that is missing.
        """
        plan, state, catalog = self.plan(text, params, origin, counting=True)
        execution = self._execution(plan, state, catalog)
        execution.number = next(self.result_numbers)
        self.query_log.start(execution.number, text)
        return Result(execution)

    def plan(
        self,
        text: str,
        params: Mapping[str, Any] | None = None,
        origin: str | None = None,
        counting: bool = False,
    ) -> tuple[Plan, RunState, SessionCatalog]:
        """Parse and plan, with the catalog that collected the plan's sources.

        ``counting`` makes the SQL report coerced values to the run's ledger, which takes a Python function; without it
        the SQL is the same in plain DuckDB.
        """
        from logsql.language.parser import parse_query
        from logsql.planner.planner import compile_query
        from logsql.planner.spec import GRAMMAR

        state = RunState(self.policy, self.zone, counting=counting, on_progress=self.on_progress)
        catalog = SessionCatalog(self, state)
        try:
            with self.stoppable(state):
                plan = compile_query(parse_query(text, GRAMMAR), catalog, params)
        except LogsqlError as error:
            raise error.located(text, origin) from None
        except RecursionError:
            raise too_long().located(text, origin) from None
        self.last_ledger = state.ledger
        return plan, state, catalog

    def _execution(self, plan: Plan, state: RunState, catalog: SessionCatalog) -> Execution:
        execution = Execution(self, plan, state, catalog.bindings)
        self.started(execution)
        return execution

    def started(self, execution: Execution) -> None:
        """From now on :meth:`interrupt` and :meth:`close` end it, until it is forgotten."""
        self._running[id(execution)] = execution

    def sql(self, text: str, params: Sequence[Any] | None = None) -> Result:
        """Run DuckDB SQL; readers are table functions (``hive_file('x')``) and ``pipe('QUERY')`` is a table."""
        from logsql.engine.passthrough import sql_result

        return sql_result(self, text, params)

    def translate(self, text: str, params: Mapping[str, Any] | None = None) -> str:
        """The SQL of a pipe query; nothing is run."""
        from logsql.engine.translate import plan_text

        return plan_text(self.plan(text, params)[0])

    def explain(self, text: str, params: Mapping[str, Any] | None = None) -> str:
        """Stages, schema, order and SQL of a pipe query."""
        from logsql.engine.translate import explain_text

        return explain_text(self.plan(text, params)[0])

    @contextmanager
    def stoppable(self, state: RunState) -> Iterator[None]:
        """While a query is planned: :meth:`interrupt` reaches the readers that look through a whole file for types."""
        self._planned[id(state)] = state
        try:
            yield
        except Exception as problem:
            if type(problem).__name__ == "ReadCancelled":
                raise Interrupted(Diagnostic("E1300", "interrupted", "the query was interrupted")) from None
            raise
        finally:
            del self._planned[id(state)]

    def interrupt(self) -> None:
        """Stop every query of this session that runs or is being planned."""
        for state in list(self._planned.values()):
            state.cancel.set()
        for execution in list(self._running.values()):
            execution.state.cancel.set()
            execution.cursor.interrupt()

    def finished(self, execution: Execution) -> None:
        """An execution delivered its last row (work tables stay until the result is dropped or the session closes)."""
        self.last_ledger = execution.state.ledger
        self.query_log.finish(execution.number, execution.state.cancelled())

    def forget(self, execution: Execution) -> None:
        """An execution was closed (early, unless it had finished)."""
        self.query_log.finish(execution.number, True)
        self._running.pop(id(execution), None)

    # --- tables -----------------------------------------------------------------------------------

    def register(self, name: str, table: Any) -> None:
        """Make an Arrow table, dataset, DataFrame or any Arrow stream readable as ``table NAME``."""
        import pyarrow as pa

        if not hasattr(table, "schema") or not isinstance(getattr(table, "schema", None), pa.Schema):
            table = pa.Table.from_pandas(table) if hasattr(table, "iloc") else pa.table(table)
        self.registered[name] = table

    def unregister(self, name: str) -> None:
        self.registered.pop(name, None)

    def tables(self) -> list[str]:
        """Names of the tables and views a query can read."""
        rows = self.ask(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = ? AND table_schema = 'main'",
            [self.database],
        )
        return sorted({*(str(r[0]) for r in rows), *self.registered})

    def logical_types(self) -> dict[tuple[str, str], str]:
        """Types that DuckDB has no name for (``ip``), by lower-case table and column; kept as column comments."""
        if self._logical is None:
            rows = self.ask(
                "SELECT lower(table_name), column_name, comment FROM duckdb_columns() "
                "WHERE database_name = ? AND comment LIKE 'logsql:%'",
                [self.database],
            )
            self._logical = {(str(t), str(c)): str(text).partition(":")[2] for t, c, text in rows}
        return self._logical

    def changed(self) -> None:
        """The database's tables were changed: forget what is remembered about them."""
        self._logical = None

    def drop(self, name: str) -> None:
        """Remove a table, a view or a registered object."""
        from sqlglot import exp

        from logsql.values import sql

        if self.registered.pop(name, None) is None:
            target = sql.table(name)
            run(self._connection, exp.Drop(tables=[target], kind="TABLE", exists=True).sql("duckdb"))

    def ask(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a small catalog query."""
        return self.planning.execute(text, list(params)).fetchall()

    # --- lookups ----------------------------------------------------------------------------------

    def add_lookup(self, name: str, source: Any, key: str | None = None, keep: bool | None = None) -> None:
        """Register a lookup table for ``lookup NAME`` and ``lookuptable NAME``.

        ``source`` is the path of a CSV (with header), TSV or Parquet file, an Arrow table, or anything Arrow makes one
        of; ``key`` the column that is looked up (the first one by default). ``keep`` writes it to the state folder for
        later sessions; by default a session over a database file keeps and one in memory does not. Raises
        :class:`~.SourceError` for a file that cannot be read, RunError for a wrong key or name.
        """
        from logsql.engine.lookups import add_lookup

        add_lookup(self, name, source, key, keep)

    def lookup_names(self) -> list[str]:
        """Names of the lookup tables that a query can use."""
        from logsql.engine.lookups import lookup_names

        return lookup_names(self)

    # --- saved and past results -------------------------------------------------------------------

    @property
    def state_folder(self) -> str:
        """Where saved results, models and lookups of this session live: beside the database, else the user's folder."""
        from logsql.store.files import default_folder

        return str(default_folder(None if self.path == ":memory:" else self.path))

    def saved_result(self, name: str, bindings: dict[str, object]) -> TableInfo | None:
        """A saved result as a source (``load NAME``)."""
        from logsql.engine.saved import saved_table

        return saved_table(self, name, bindings)

    def past_result(self, query_id: str, bindings: dict[str, object]) -> TableInfo | None:
        """The result of an earlier query of this session (``result ID``)."""
        from logsql.engine.saved import past_table

        return past_table(self, query_id, bindings)

    def keep(self, result: Result) -> str:
        """Remember a result so that ``result ID`` can read it; returns the id."""
        from logsql.engine.saved import keep_result

        return keep_result(self, result)

    def save(self, result: Result, name: str) -> str:
        """Save a result under a name, for ``load NAME`` in this and later sessions; returns the path of the file."""
        from logsql.engine.saved import save_result

        return save_result(self, result, name)

    # --- services ---------------------------------------------------------------------------------

    def service(self, name: str) -> Any:
        """Another room's service, made on first use."""
        if name not in self._services:
            from logsql.engine.services import make_service

            self._services[name] = make_service(self, name)
        return self._services[name]

    def install(self, names: Iterable[str]) -> None:
        """Register Python functions, once per session.

        They belong to the session's own connection: DuckDB shares functions between cursors but frees the Python object
        with the cursor that registered it, and the next query then calls freed memory.
        """
        missing = set(names) - self._functions
        if missing:
            from logsql.udfbridge.registry import install

            install(self._connection, missing, self.zone)
            self._functions |= missing

    # --- plumbing ---------------------------------------------------------------------------------

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database (one running statement each)."""
        cursor = self._connection.cursor()
        return cursor

    def set_zone(self, zone: str) -> None:
        """Change the session's time zone."""
        self.zone = set_zone(self._connection, zone)
        run(self.planning, "SET TimeZone = ?", self.zone)

    def work_name(self, label: str) -> str:
        """A fresh name for a work table."""
        return f"{label}_{next(self._number)}"

    def sibling(self) -> Session:
        """A session over the same database for another thread: own connection and runs, everything else shared."""
        other = copy.copy(self)
        other._connection = self._connection.cursor()
        other.planning = self.cursor()
        other._running = {}
        other._services = {}
        other.registered = dict(self.registered)
        other.on_progress = None
        return other

    def drop_work(self, name: str) -> None:
        try:
            run(self._connection, f'DROP TABLE IF EXISTS {WORK}.main."{name}"')
        except duckdb.Error:
            return

    def close(self) -> None:
        """Stop what runs and release the database."""
        for execution in list(self._running.values()):
            execution.close()
        self._running.clear()
        for service in self._services.values():
            if hasattr(service, "close"):
                service.close()
        self._services.clear()
        self.registered.clear()
        self.planning.close()
        self._connection.close()
        _OPEN.discard(self)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_OPEN: weakref.WeakSet[Session] = weakref.WeakSet()


@atexit.register
def settle() -> None:
    """Let Arrow's threads put down what they read ahead; one that still does aborts or hangs an ending interpreter."""
    if (readers := sys.modules.get("udfs.readers.dataset")) is not None:
        readers.settle()


@atexit.register
def _close_open() -> None:
    """Close what a script left open; runs before :func:`settle` (the last one registered is the first to run)."""
    for session in list(_OPEN):
        session.interrupt()
        session.close()
