"""One way through the rows of a result, and how another thread ends it.

A result may be read by several threads, and closed by one of them or with its session while another one reads: whoever
reads then is told so. It never looks as if the rows had come to their end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import duckdb
import pyarrow as pa

from logsql.diagnostics.engine import RESULT_CLOSED
from logsql.diagnostics.errors import LogsqlError, RunError, diagnostic
from logsql.engine.leftovers import GRACE, TICK
from logsql.engine.worker import Batches


def closed() -> RunError:
    """The error of who reads a result that was closed."""
    return RunError(diagnostic(RESULT_CLOSED))


class Reading:
    """The rows of ``stream``, which runs on ``cursor``. ``busy`` is held while the next ones are waited for."""

    def __init__(self, stream: Batches, cursor: duckdb.DuckDBPyConnection) -> None:
        self.stream = stream
        self.cursor = cursor
        self.busy = threading.RLock()
        self.closed = False

    def next(self) -> pa.Schema | pa.RecordBatch | None:
        """The schema, then batches, None at the end. Raises RunError when it was closed meanwhile."""
        with self.busy:
            try:
                item = None if self.closed else next(self.stream, None)
            except LogsqlError:
                if self.closed:
                    raise closed() from None
                raise
            if self.closed:
                raise closed()
        return item

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches that are left."""
        while (batch := self.next()) is not None:
            yield batch

    def close(self) -> None:
        """End it; for the thread that reads, or when ``busy`` is held."""
        with suppress(ValueError):  # from inside: what tells of the progress closes the session
            self.stream.close()


def taken(lock: threading.RLock, interrupt: Callable[[], object]) -> bool:  # type: ignore[valid-type,unused-ignore]
    """Whether the lock is ours: who holds it is told to end, for :data:`GRACE` seconds."""
    if lock.acquire(blocking=False):
        return True
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline:
        interrupt()  # again: one that comes before the statement has begun is lost
        if lock.acquire(timeout=TICK / 10):
            return True
    return False
