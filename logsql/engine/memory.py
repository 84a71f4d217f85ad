"""The memory limit for what is not the engine's: readers, Python functions, the lists of an aggregate, libraries.

DuckDB keeps its own limit for what its buffers hold, and says so itself. All the rest has no owner that counts it, so
what the process holds is looked at while a query is planned and run: it may grow by the limit and some room.
"""

from __future__ import annotations

import re
import time

import duckdb

from logsql.diagnostics.engine import MEMORY_HELD
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.store.process import memory_held

#: What a query may hold beside the limit, at least: a block of rows in every reader and function, twice.
ROOM = 256 << 20
#: Seconds between two looks.
PAUSE = 0.05
_UNITS = {"bytes": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}


def engine_limit(connection: duckdb.DuckDBPyConnection) -> int | None:
    """The limit that DuckDB made of the words of the user (``2GB``, ``80%``), in bytes; None for none."""
    ((shown,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    found = re.fullmatch(r"([\d.]+) ?(\w+)", str(shown))
    return int(float(found[1]) * 2 ** _UNITS[found[2]]) if found and found[2] in _UNITS else None


class MemoryWatch:
    """Of one query: how much the process may hold, from what it held at the beginning. ``limit`` None: no limit."""

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        self._most: int | None = None
        self._looked = 0.0
        self._over: int | None = None
        if limit is not None and (before := memory_held()) is not None:
            self._before = before
            self._most = before + limit + max(ROOM, limit // 4)

    def over(self) -> bool:
        """Whether it holds too much, or has: what was told to end then frees it. Looks at most every :data:`PAUSE`."""
        if self._most is None or self._over is not None:
            return self._over is not None
        now = time.monotonic()
        if now - self._looked >= PAUSE:
            self._looked = now
            if (held := memory_held() or 0) > self._most:
                self._over = held - self._before
        return self._over is not None

    def check(self) -> None:
        """Raise RunError when it holds too much."""
        if self.over():
            raise self.error()

    def error(self) -> RunError:
        """What the user is told."""
        held, limit = round((self._over or 0) / 1e6), round((self.limit or 0) / 1e6)
        return RunError(diagnostic(MEMORY_HELD, held=held, limit=limit))
