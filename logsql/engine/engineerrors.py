"""What DuckDB says, as an error of ours: the policy's refusals by their code, everything else in DuckDB's own words."""

from __future__ import annotations

import re

import duckdb

from logsql.diagnostics.engine import ENGINE_ERROR, ENGINE_REFUSED, INTERRUPTED, OUT_OF_MEMORY, TOO_MANY_ITEMS
from logsql.diagnostics.errors import Interrupted, LogsqlError, PolicyError, RunError, diagnostic, too_long

#: How DuckDB begins what the locked configuration, the fence and a database opened read-only refuse.
_FENCES = re.compile(r"configuration has been locked|disabled by configuration|attached in read-only mode")


#: How DuckDB begins where an expression is deeper than it parses or binds.
_DEPTH = re.compile(r"^\w+ Error: Max expression depth limit of \d+ exceeded")
#: What the SQL of a function with a limit says to its ``error()``: code, limit, the call.
_ITEMS = re.compile(rf"Error: {TOO_MANY_ITEMS.code} (\d+) (.*)", re.S)


def first_line(problem: BaseException) -> str:
    """DuckDB's sentence without what it says about its own text."""
    text = str(problem).strip().splitlines()
    return text[0] if text else type(problem).__name__


def engine_error(problem: duckdb.Error, interrupted: bool = False) -> LogsqlError:
    """The error of the query for one of DuckDB's. ``interrupted``: the run was told to stop."""
    if interrupted or isinstance(problem, duckdb.InterruptException):
        return Interrupted(diagnostic(INTERRUPTED))
    if isinstance(problem, duckdb.OutOfMemoryException):
        return RunError(diagnostic(OUT_OF_MEMORY, reason=first_line(problem)))
    if _DEPTH.search(str(problem)):
        return too_long()
    if found := _ITEMS.search(str(problem)):
        return RunError(diagnostic(TOO_MANY_ITEMS, limit=int(found[1]), call=found[2]))
    if isinstance(problem, duckdb.PermissionException) or _FENCES.search(str(problem)):
        return PolicyError(diagnostic(ENGINE_REFUSED, reason=first_line(problem)))
    return RunError(diagnostic(ENGINE_ERROR, reason=first_line(problem)))
