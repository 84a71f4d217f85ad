"""The database below a session: connection, cursors, tables, registered objects, types, functions, zone, work tables.

Everything in the engine that reads or changes tables holds a :class:`Database`, never a session.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.diagnostics.engine import SESSION_CLOSED
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.engine.connection import WORK, Limits, current_zone, main_database, open_database, run, set_zone
from logsql.engine.guard import Guard
from logsql.engine.leftovers import give_back, interrupt
from logsql.engine.memory import MemoryWatch, engine_limit
from logsql.planner.runtime import Row
from logsql.store.databases import spill_folder
from logsql.store.files import Files
from logsql.store.folders import MEMORY, default_folder
from logsql.store.policy import Policy
from logsql.udfbridge.registry import install
from logsql.values import sql
from udfs.readers.files import Files as OpenFiles
from udfs.temporary import PrivateFolder


class ArrowSource(Protocol):
    """What can be registered: an Arrow table, dataset, or anything with a schema that DuckDB reads as Arrow."""

    @property
    def schema(self) -> pa.Schema: ...


#: Views and macros of files that a database in memory may hold in safe mode: each holds a file open.
MOST_VIEWS = 100


class _Core:
    """What a database and its siblings have in common: the first connection, numbers, what was learned."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, spill: PrivateFolder | None, memory: int | None) -> None:
        self.connection = connection
        self.spill = spill
        self.memory = memory
        self.zone = current_zone(connection)
        self.name = main_database(connection)
        self.numbers = itertools.count(1)
        self.functions: set[str] = set()
        self.logical: dict[tuple[str, str], str] | None = None
        self.guard = threading.Lock()
        self.users = 0
        self.viewed: list[OpenFiles] = []

    def used(self, change: int) -> None:
        """A database more or less; with the last one goes what DuckDB put on the disk."""
        with self.guard:
            self.users += change
            if not self.users and self.spill is not None:
                self.spill.close()


class _Planning:
    """The connection that one thread plans on, and the zone that was set on it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, zone: str) -> None:
        self.connection = connection
        self.zone = zone


class Database:
    """One database, opened once. Every thread plans on a connection of its own; runs have their own anyway."""

    def __init__(self, path: str, policy: Policy, core: _Core, registered: dict[str, ArrowSource]) -> None:
        self.path = path
        self.policy = policy
        self.files = Files(policy)
        self.registered = registered
        self._core = core
        self._connection = core.connection
        self._threads = threading.local()
        self._plannings: weakref.WeakSet[_Planning] = weakref.WeakSet()
        self._open = True
        self._refuses = False
        core.used(1)

    @classmethod
    def open(cls, path: str, zone: str | None, limits: Limits, policy: Policy) -> Database:
        """Open a database file or ``:memory:``. Raises SourceError, UsageError for a wrong setting."""
        spill = spill_folder()
        connection = open_database(path, zone, limits, policy, spill.path if spill is not None else "")
        memory = None if limits.memory is None else engine_limit(connection)
        return cls(path, policy, _Core(connection, spill, memory), {})

    @cached_property
    def guard(self) -> Guard | None:
        """Judges SQL text and the views of the file, in safe mode."""
        return Guard(self, self.policy, self.path, self.name) if self.policy.safe else None

    def for_view(self) -> OpenFiles | None:
        """The door for the files of one view or macro in safe mode, which stay open as long as it can be asked.

        None for a database in a file, which would keep it longer, and where too many are open.
        """
        with self._core.guard:
            if self.path != MEMORY or len(self._core.viewed) >= MOST_VIEWS:
                return None
            self._core.viewed.append(OpenFiles(self.policy.may_read, self.policy.opened, self.policy.safe))
            return self._core.viewed[-1]

    def sibling(self) -> Database:
        """The same database for another thread: cursors and registered objects of its own, everything else shared."""
        other = Database(self.path, self.policy, self._core, dict(self.registered))
        other._connection = self._core.connection.cursor()
        return other

    @property
    def zone(self) -> str:
        """The session's time zone."""
        return self._core.zone

    @property
    def name(self) -> str:
        """DuckDB's name of the database that holds the user's tables."""
        return self._core.name

    def watch(self) -> MemoryWatch:
        """Looks after the memory limit of one query, from now on."""
        return MemoryWatch(self._core.memory)

    @property
    def state_folder(self) -> Path:
        """Where models, lists and lookups live: beside the database, else the user's data folder."""
        return default_folder(self.path)

    # --- connections ------------------------------------------------------------------------------

    @property
    def planning(self) -> duckdb.DuckDBPyConnection:
        """The connection on which this thread plans and asks small questions.

        One connection carries out one statement at a time: of eight threads that shared one, a quarter of the queries
        ended in an error of the engine.
        """
        self._check_open()
        return self._planning()

    def _check_open(self) -> None:
        """Raise RunError when the session is closed."""
        if self._refuses:
            raise RunError(diagnostic(SESSION_CLOSED))

    @contextmanager
    def used(self) -> Iterator[None]:
        """While something is asked: what is closed meanwhile says so, in our words. Raises RunError."""
        self._check_open()
        try:
            yield
        except duckdb.Error:
            self._check_open()
            raise

    def _planning(self) -> duckdb.DuckDBPyConnection:
        mine: _Planning | None = getattr(self._threads, "mine", None)
        if mine is None:
            mine = self._threads.mine = _Planning(self._connection.cursor(), self._core.zone)
            with self._core.guard:
                self._plannings.add(mine)
        if mine.zone != self._core.zone:
            run(mine.connection, "SET TimeZone = ?", self._core.zone)
            mine.zone = self._core.zone
        return mine.connection

    def _each_planning(self) -> list[_Planning]:
        with self._core.guard:
            return list(self._plannings)

    def interrupt_planning(self) -> None:
        """Stop what the connections that plan are asked, in whatever thread."""
        for planning in self._each_planning():
            interrupt(planning.connection)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database (one running statement each)."""
        with self.used():
            return self._connection.cursor()

    def ask(self, text: str, params: Sequence[object] = ()) -> list[Row]:
        """Rows of a small catalog query."""
        with self.used():
            found: list[Row] = self.planning.execute(text, list(params)).fetchall()
        return found

    def set_zone(self, zone: str) -> None:
        """Change the time zone."""
        with self.used():
            self._core.zone = set_zone(self._connection, zone)

    def install(self, names: Iterable[str]) -> None:
        """Register Python functions, once per database.

        They belong to the first connection: DuckDB shares functions between cursors but frees the Python object with
        the cursor that registered it, and the next query then calls freed memory.
        """
        core = self._core
        with core.guard:
            missing = set(names) - core.functions
            if missing:
                install(core.connection, missing, core.zone)
                core.functions |= missing

    # --- tables -----------------------------------------------------------------------------------

    def register(self, name: str, table: object) -> None:
        """Make an Arrow table, dataset, DataFrame or any Arrow stream readable as ``table NAME``."""
        self.registered[name] = arrow_source(table)

    def unregister(self, name: str) -> None:
        """Forget a registered object."""
        self.registered.pop(name, None)

    def tables(self) -> list[str]:
        """Names of the tables and views a query can read."""
        rows = self.ask(
            "SELECT table_name FROM information_schema.tables WHERE table_catalog = ? AND table_schema = 'main'",
            [self.name],
        )
        return sorted({*(str(r[0]) for r in rows), *self.registered})

    def logical_types(self) -> dict[tuple[str, str], str]:
        """Types that DuckDB has no name for (``ip``), by lower-case table and column; kept as column comments."""
        core = self._core
        found = core.logical
        if found is None:
            rows = self.ask(
                "SELECT lower(table_name), column_name, comment FROM duckdb_columns() "
                "WHERE database_name = ? AND comment LIKE 'logsql:%'",
                [self.name],
            )
            found = core.logical = {(str(t), str(c)): str(text).partition(":")[2] for t, c, text in rows}
        return found

    def changed(self) -> None:
        """The database's tables were changed: forget what is remembered about them."""
        self._core.logical = None

    def drop(self, name: str) -> None:
        """Remove a table, a view or a registered object."""
        if self.registered.pop(name, None) is None:
            with self.used():
                run(self.planning, exp.Drop(tables=[sql.table(name)], kind="TABLE", exists=True).sql("duckdb"))

    # --- work tables ------------------------------------------------------------------------------

    def work_name(self, label: str) -> str:
        """A fresh name for a work table."""
        return f"{label}_{next(self._core.numbers)}"

    def drop_work(self, name: str) -> None:
        """Remove a work table; one that is gone, or whose connection is closed, is no error."""
        try:
            run(self._planning(), f'DROP TABLE IF EXISTS {WORK}.main."{name}"')
        except duckdb.Error:
            return

    def refuse(self) -> None:
        """From now on nothing new is asked: what does finds the session closed."""
        self._refuses = True

    def close(self) -> None:
        """Release the cursors; the last of a database and its siblings to close releases the file.

        What other threads ask just now is told to end. Where that takes long, a thread releases what they use.
        """
        self.refuse()
        if not self._open:
            return
        self._open = False
        self.registered.clear()
        connections = [planning.connection for planning in self._each_planning()]
        give_back([*connections, self._connection], lambda: self._core.used(-1))


def arrow_source(table: object) -> ArrowSource:
    """The object itself where it has an Arrow schema, else an Arrow table made of it."""
    if isinstance(getattr(table, "schema", None), pa.Schema):
        return table  # type: ignore[return-value]  # the line above is the test
    made: ArrowSource = pa.Table.from_pandas(table) if hasattr(table, "iloc") else pa.table(table)
    return made
