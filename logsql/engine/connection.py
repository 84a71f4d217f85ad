"""Opening DuckDB with the settings every session needs, and the work database for intermediate tables."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from logsql.diagnostics.engine import DATABASE_NOT_OPENED, DATABASE_NOT_READ, INVALID_SETTING, UNKNOWN_ZONE
from logsql.diagnostics.errors import SourceError, UsageError, diagnostic
from logsql.engine.guard import SETTINGS
from logsql.store.databases import open_file
from logsql.store.folders import MEMORY
from logsql.store.policy import Policy
from udfs.readers.files import HANDED_ON, HANDLES

#: Attached in-memory database that holds materialised steps: a query that only reads never writes the user's file.
WORK = "__work"


@dataclass(frozen=True)
class Limits:
    """Resource limits of a session; None leaves DuckDB's own default."""

    threads: int | None = None
    memory: str | None = None


def open_database(path: str, zone: str | None, limits: Limits, policy: Policy, spill: str) -> duckdb.DuckDBPyConnection:
    """A connection to the database file (or ``:memory:``), set up and locked to the policy.

    ``spill``: the folder for what does not fit into memory.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    if limits.threads is not None:
        config["threads"] = limits.threads
    if limits.memory is not None:
        if not _takes(limits.memory):
            raise UsageError(diagnostic(INVALID_SETTING, reason=f"--memory-limit {limits.memory!a}"))
        config["memory_limit"] = limits.memory
    if policy.safe and path != MEMORY and not policy.may_write(path):
        config["access_mode"] = "READ_ONLY"  # the file is evidence: neither made nor changed
    try:
        connection = open_file(path, config)
    except (OSError, duckdb.Error) as error:
        shown = path.encode(errors="backslashreplace").decode()
        if path != MEMORY and not policy.may_read(path):  # one answer, whatever is or is not there
            raise SourceError(diagnostic(DATABASE_NOT_READ, path=shown)) from None
        if isinstance(error, OSError):
            raise SourceError(diagnostic(DATABASE_NOT_OPENED, path=shown, reason=error.strerror)) from None
        first = str(error).splitlines()[0]
        if "IO Error" in first or "not a valid DuckDB" in str(error):
            raise SourceError(diagnostic(DATABASE_NOT_OPENED, path=path, reason=first)) from None
        raise UsageError(diagnostic(INVALID_SETTING, reason=first)) from None
    run(connection, "SET temp_directory = ?", spill)
    # DuckDB draws its bar on standard output where there is no script file (python -c, notebooks), between the rows.
    run(connection, "SET enable_progress_bar_print = false")  # this one turns the bar on
    run(connection, "SET enable_progress_bar = false")
    set_zone(connection, zone)
    run(connection, f"ATTACH ':memory:' AS {WORK} (READ_WRITE)")
    _fence(connection, policy)
    return connection


def _takes(text: str) -> bool:
    """Whether DuckDB takes a text: bytes of the command line that are no UTF-8 are halves of characters here."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def run(connection: duckdb.DuckDBPyConnection, text: str, *values: object) -> None:
    """Run a statement to its end: a result left open keeps the connection busy."""
    connection.execute(text, list(values)).fetchall()


def set_zone(connection: duckdb.DuckDBPyConnection, zone: str | None) -> str:
    """Set the session zone (the machine's when None) and return its name."""
    if zone is not None:
        try:
            run(connection, "SET GLOBAL TimeZone = ?", zone)
            run(connection, "SET TimeZone = ?", zone)
        except duckdb.Error:
            raise UsageError(diagnostic(UNKNOWN_ZONE, zone=zone)) from None
    return current_zone(connection)


def current_zone(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT current_setting('TimeZone')").fetchall()
    return str(row[0][0]) if row else "UTC"


def main_database(connection: duckdb.DuckDBPyConnection) -> str:
    row = connection.execute("SELECT current_database()").fetchall()
    return str(row[0][0]) if row else "memory"


def _fence(connection: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    if not policy.safe:
        return
    # The files that the door has opened and compared; which of them a query may name is the guard's to say.
    handles = [HANDLES] if HANDED_ON else []
    run(connection, "SET allowed_directories = ?", [*filter(_takes, policy.directories), *handles])
    run(connection, "SET enable_external_access = false")
    run(connection, "SET allowed_configs = ?", list(SETTINGS))
    run(connection, "SET lock_configuration = true")
