"""A session: the object that the shell, the command line and Python share. A facade over one workspace.

What is below it (:mod:`logsql.engine.database`, runs, services, results) never knows it.
"""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

import duckdb
import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError, too_long
from logsql.engine.connection import Limits
from logsql.engine.database import ArrowSource, Database
from logsql.engine.ledger import Ledger
from logsql.engine.leftovers import wait_for_left
from logsql.engine.querylog import QueryLog
from logsql.engine.result import Result
from logsql.engine.runstate import ProgressReport, RunState
from logsql.engine.saved import Results, keep_result, save_last, save_result, shown_table
from logsql.engine.services import Settings
from logsql.engine.shares import Shares
from logsql.engine.translate import explain_text, plan_text, run_text
from logsql.engine.workspace import Workspace
from logsql.loading import collector_paused
from logsql.planner.connections.live import LIVE
from logsql.planner.plan import Plan
from logsql.planner.services import Service
from logsql.store.policy import Policy

if TYPE_CHECKING:
    from logsql.engine.catalog import SessionCatalog

T = TypeVar("T")
OnProgress = Callable[[ProgressReport], None]
#: Services of the rooms above the engine by name; the public interface adds them, and each takes the session.
FRONT_SERVICES: dict[str, Callable[[Session], object]] = {}


class Session:
    """Queries over one DuckDB database. A context manager; ``close`` releases everything.

    ``path`` is a database file or ``:memory:``; ``tz`` an IANA zone name (the machine's by default). ``safe`` denies
    the network, reading but below ``allow_dirs`` (an older name: ``directories``) and ``allow_write``, and writing but
    below ``allow_write``; a database file elsewhere is read. ``timeout`` is in seconds. ``geoip`` names databases in
    MaxMind's format for ``lookup geoip`` (a ``.mmdb`` file or a folder), ``procs`` folders of stored queries for
    ``proc``. Deleting rows with ``purge`` needs ``allow_purge``. ``config`` is the configuration file (by default the
    user's, docs/reference/config.md), which is read when a command first needs it; ``configuration`` is one that was
    read already (:class:`.configuration.settings.Configuration`), in its place. ``server``: the live server whose
    receivers and streams the commands ``logger`` and ``stream`` read (its configuration or its state folder,
    docs/reference/serve.md).
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
        on_progress: OnProgress | None = None,
        geoip: str | None = None,
        procs: Sequence[str] = (),
        allow_purge: bool = False,
        allow_dirs: Sequence[str] = (),
        allow_write: Sequence[str] = (),
        config: str | os.PathLike[str] | None = None,
        server: str | os.PathLike[str] | None = None,
        configuration: object = None,
    ) -> None:
        policy = Policy.safe_mode((*allow_dirs, *directories), allow_write) if safe else Policy()
        database = Database.open(path, tz, Limits(threads, memory_limit), policy)
        settings = Settings(
            geoip,
            tuple(procs),
            allow_purge,
            None if config is None else os.fspath(config),
            None if server is None else os.fspath(server),
            configuration,
        )
        self._begin(Workspace.over(database, settings, timeout))
        self.on_progress = on_progress
        _OPEN.add(self)

    def _begin(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._front: dict[str, object] = {}

    def sibling(self) -> Session:
        """A session over the same database for another thread: own cursors and runs, everything else shared."""
        other = Session.__new__(Session)
        with self.database.used():
            other._begin(self.workspace.sibling())
        return other

    # --- what it is over --------------------------------------------------------------------------

    @property
    def database(self) -> Database:
        """Tables, cursors and registered objects."""
        return self.workspace.database

    @property
    def results(self) -> Results:
        """Kept and saved results."""
        return self.workspace.results

    @property
    def path(self) -> str:
        """The database file, or ``:memory:``."""
        return self.database.path

    @property
    def policy(self) -> Policy:
        """What queries may touch."""
        return self.database.policy

    @property
    def zone(self) -> str:
        """The session's time zone."""
        return self.database.zone

    def set_zone(self, zone: str) -> None:
        """Change the session's time zone. Raises UsageError for a name that is none."""
        self.database.set_zone(zone)

    @property
    def planning(self) -> duckdb.DuckDBPyConnection:
        """The connection on which this thread plans queries and asks small questions."""
        return self.database.planning

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database (one running statement each)."""
        return self.database.cursor()

    @property
    def state_folder(self) -> str:
        """Where models, lists and lookups of this session live: beside the database, else the user's data folder."""
        return str(self.database.state_folder)

    @property
    def allow_purge(self) -> bool:
        """Whether ``purge`` and ``copytable move=t`` may delete rows."""
        return self.workspace.services.settings.allow_purge

    @allow_purge.setter
    def allow_purge(self, allowed: bool) -> None:
        services = self.workspace.services
        services.change(replace(services.settings, allow_purge=allowed))

    # --- queries ----------------------------------------------------------------------------------

    @property
    def timeout(self) -> float | None:
        """Seconds that a run may take; None for no limit."""
        return self.workspace.runs.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self.workspace.runs.timeout = seconds

    @property
    def on_progress(self) -> OnProgress | None:
        """Told how far a run is, a few times a second."""
        return self.workspace.on_progress

    @on_progress.setter
    def on_progress(self, told: OnProgress | None) -> None:
        self.workspace.on_progress = told

    @property
    def query_log(self) -> QueryLog:
        """The queries of this session."""
        return self.workspace.runs.log

    @property
    def last_ledger(self) -> Ledger | None:
        """The ledger of the query that was planned or ended last."""
        return self.workspace.runs.last_ledger

    def query(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        origin: str | None = None,
        exact: bool = False,
    ) -> Result:
        """Plan a pipe query; it runs when rows are asked for.

        ``exact`` counts every loss, also where that costs more than a tenth of the run and the ledger would say "at
        least" (``--loss``).

        Raises :class:`.QueryError` for a query that is wrong, :class:`~.SourceError` for a
        source that is missing.
        """
        from logsql.engine.execution import Execution  # for cost: opening a session runs nothing

        plan, state, catalog = self.plan(text, params, origin, counting=True, exact=exact)
        execution = Execution(self.workspace, plan, state, catalog.bindings)
        self.workspace.runs.started(execution)
        execution.number = next(self.results.numbers)
        execution.text, execution.origin = text, origin
        self.query_log.start(execution.number, text)
        return Result(execution, plan.notes)

    def plan(
        self,
        text: str,
        params: Mapping[str, object] | None = None,
        origin: str | None = None,
        counting: bool = False,
        data: bool = True,
        shares: Shares | None = None,
        exact: bool = False,
    ) -> tuple[Plan, RunState, SessionCatalog]:
        """Parse and plan, with the catalog that collected the plan's sources.

        ``counting`` makes the SQL report coerced values to the run's ledger, which takes a Python function; without it
        the SQL is the same in plain DuckDB. ``data`` False opens no file: a plan to look at, which cannot run, where
        fields that only files and missing tables tell are unknown. ``shares`` counts the rows that parse, rex, parsekv
        and parsejson take something out of.
        """
        with collector_paused():
            from logsql.engine.catalog import SessionCatalog  # for cost: opening a session plans nothing
            from logsql.language.parser import parse_query  # for cost: opening a session parses nothing
            from logsql.planner.planner import compile_query  # for cost: the planner
            from logsql.registry import GRAMMAR  # for cost: every command and function

        ledger = Ledger(exact or shares is not None)
        state = RunState(self.policy, self.zone, ledger, counting, shares, on_progress=self.on_progress)
        state.memory = self.database.watch()
        catalog = SessionCatalog(self.workspace, state, data)
        try:
            with self.workspace.runs.stoppable(state), self.database.used():
                plan = compile_query(parse_query(text, GRAMMAR), catalog, params)
        except LogsqlError as error:
            raise error.located(text, origin) from None
        except RecursionError:
            raise too_long().located(text, origin) from None
        self.workspace.runs.last_ledger = state.ledger
        if plan.notes:
            plan = replace(plan, notes=tuple(note.located(text, origin) for note in plan.notes))
        return plan, state, catalog

    def sql(self, text: str, params: Sequence[object] | None = None, exact: bool = False) -> Result:
        """Run DuckDB SQL; readers are table functions (``hive_file('x')``) and ``pipe('QUERY')`` is a table.

        ``exact`` as :meth:`query`.
        """
        from logsql.engine.passthrough import sql_result  # for cost: every command and function

        with self.database.used():
            return sql_result(self.workspace, text, params, exact)

    def translate(self, text: str, params: Mapping[str, object] | None = None) -> str:
        """The SQL of a pipe query; nothing is run."""
        return plan_text(self.plan(text, params)[0])

    def explain(self, text: str, params: Mapping[str, object] | None = None, run: bool = False) -> str:
        """Stages, schema, order and SQL of a pipe query.

        ``run`` runs it too, without its rows, and says how many there are, of how many rows each parse, rex, parsekv
        and parsejson took something out, and what the ledger holds. The SQL is then the one that was run: it counts.
        """
        if not run:
            return explain_text(self.plan(text, params)[0])
        from logsql.engine.execution import Execution  # for cost: opening a session runs nothing
        from logsql.engine.worker import BATCH  # for cost: as above

        # Planned once: a plan may look through a whole file for the types of its fields.
        plan, state, catalog = self.plan(text, params, counting=True, shares=(shares := Shares()))
        execution = Execution(self.workspace, plan, state, catalog.bindings)
        rows = sum(batch.num_rows for batch in execution.batches(BATCH, with_types=False))
        return f"{explain_text(plan, shares)}\n\n{run_text(rows, shares, state.ledger)}"

    def stoppable(self, state: RunState) -> AbstractContextManager[None]:
        """While a query is planned: :meth:`interrupt` reaches the readers that look through a whole file for types."""
        return self.workspace.runs.stoppable(state)

    def interrupt(self) -> None:
        """Stop every query of this session that runs or is being planned."""
        self.workspace.runs.interrupt()

    # --- tables -----------------------------------------------------------------------------------

    @property
    def registered(self) -> dict[str, ArrowSource]:
        """Objects that a query reads as tables, by name."""
        return self.database.registered

    def register(self, name: str, table: object) -> None:
        """Make an Arrow table, dataset, DataFrame or any Arrow stream readable as ``table NAME``."""
        self.database.register(name, table)

    def unregister(self, name: str) -> None:
        """Forget a registered object."""
        self.database.unregister(name)

    def tables(self) -> list[str]:
        """Names of the tables and views a query can read."""
        return self.database.tables()

    def server_tables(self) -> list[str]:
        """Names of the tables of the live server, which ``table`` reads too; none without a server. Raises SourceError
        where it does not answer."""
        server = self.service(LIVE)
        return [] if server is None else list(server.tables())

    def drop(self, name: str) -> None:
        """Remove a table, a view or a registered object."""
        self.database.drop(name)

    def changed(self) -> None:
        """Tables were changed on :attr:`planning` or a cursor: forget what is remembered about them."""
        self.database.changed()

    # --- lookups, results, services ---------------------------------------------------------------

    def add_lookup(self, name: str, source: object, key: str | None = None, keep: bool | None = None) -> None:
        """Register a lookup table for ``lookup NAME`` and ``lookuptable NAME``.

        ``source`` is the path of a CSV (with header), TSV or Parquet file, an Arrow table, or anything Arrow makes one
        of; ``key`` the column that is looked up (the first one by default). ``keep`` writes it to the state folder for
        later sessions; by default a session over a database file keeps and one in memory does not. Raises
        :class:`~.SourceError` for a file that cannot be read, RunError for a wrong key or name.
        """
        with self.database.used():
            self.workspace.services.lookups.add(name, source, key, keep)

    def lookup_names(self) -> list[str]:
        """Names of the lookup tables that a query can use."""
        return self.workspace.services.lookups.names()

    @property
    def kept(self) -> dict[str, pa.Table]:
        """Kept results by the number of their query."""
        found = self.results.kept.items()
        return {number: shown_table(kept) for number, kept in list(found)}

    @property
    def kept_numbers(self) -> list[str]:
        """Numbers of the queries whose results are kept, oldest first."""
        return list(self.results.kept)

    @property
    def saved_names(self) -> list[str]:
        """Names of the saved results that ``load`` reads."""
        return self.results.saved.names()

    @property
    def result_numbers(self) -> Iterator[int]:
        """Numbers of the session's queries."""
        return self.results.numbers

    def keep(self, result: Result) -> str:
        """Remember a result so that ``result ID`` can read it; returns the id."""
        return keep_result(self, result)

    def save(self, result: Result, name: str) -> str:
        """Save a result under a name, for ``load NAME`` in this and later sessions; returns the path of the file."""
        return save_result(self, result, name)

    def save_last(self, name: str) -> tuple[str, Ledger] | None:
        """Save the result that was read last, without running its query again.

        Returns the path of the file and what is missing of the result; None when no result was read. Raises RunError
        for a bad name, PolicyError in safe mode.
        """
        return save_last(self, name)

    def service(self, name: Service[T]) -> T | None:
        """Another room's service, made on first use; None when there is none of this name."""
        front = FRONT_SERVICES.get(name)
        if front is None:
            return self.workspace.services.get(name)
        if name not in self._front:
            self._front[name] = front(self)
        return cast("T", self._front[name])

    # --- the end ----------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop what runs and release the database; from any thread.

        What other threads read or plan is told to end: it raises RunError there. Where it does not within a second (a
        library trains a model), the database is released when it does.
        """
        self.database.refuse()
        self.workspace.runs.close()
        for service in self._front.values():
            end = getattr(service, "close", None)
            if end is not None:
                end()
        self._front.clear()
        self.workspace.close()
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
    """Let Arrow's threads put down what they read ahead, and workers end that were told to; one that still runs aborts
    or hangs an ending interpreter."""
    wait_for_left()
    if (readers := sys.modules.get("udfs.readers.dataset")) is not None:
        readers.settle()


@atexit.register
def _close_open() -> None:
    """Close what a script left open; runs before :func:`settle` (the last one registered is the first to run)."""
    for session in list(_OPEN):
        session.interrupt()
        session.close()
