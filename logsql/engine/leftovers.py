"""Workers that were told to stop and have not yet: DuckDB looks at no interrupt while it plans, nor does a library that
trains a model. What they use is released when they end."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress

import duckdb

#: Seconds between looks at a signal while waiting.
TICK = 0.2
#: Seconds that work has to stop when it is told to.
GRACE = 1.0
#: Workers that were told to stop and still run, and the threads that wait to release what they use.
_LEFT: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def leave(thread: threading.Thread) -> None:
    """Leave a worker behind."""
    _LEFT.add(thread)


def join(thread: threading.Thread) -> None:
    """Wait for a worker that has done its work; a second Ctrl-C must not leave it behind half way."""
    while thread.is_alive():
        with suppress(KeyboardInterrupt):
            thread.join(TICK)


def interrupt(connection: duckdb.DuckDBPyConnection) -> None:
    """End what runs on a connection; one that another thread has closed meanwhile has nothing to end."""
    with suppress(duckdb.ConnectionException):
        connection.interrupt()


def give_back(connections: Sequence[duckdb.DuckDBPyConnection], done: Callable[[], object] = lambda: None) -> None:
    """Close connections, the last one last, and call ``done`` then. One on which another thread works cannot be closed:
    its work is told to end, and is waited for here :data:`GRACE` seconds and behind that by a thread."""
    waiting = list(connections)

    def closed() -> bool:
        while waiting:
            try:
                waiting[0].close()
            except duckdb.ResourceInUseException:
                interrupt(waiting[0])
                return False
            del waiting[0]
        done()
        return True

    def wait() -> None:
        while not closed():
            time.sleep(TICK / 10)

    if not closed():
        thread = threading.Thread(target=wait, name="logsql-left", daemon=True)
        leave(thread)
        thread.start()
        thread.join(GRACE)


def when_done(threads: list[threading.Thread], release: Callable[[], object]) -> None:
    """Call ``release`` when the workers have ended: at once when there are none, else in a thread that waits."""
    if not any(thread.is_alive() for thread in threads):
        release()
        return

    def wait() -> None:
        for thread in threads:
            thread.join()
        with suppress(duckdb.Error):  # the database was closed meanwhile
            release()

    waiting = threading.Thread(target=wait, name="logsql-left", daemon=True)
    leave(waiting)
    waiting.start()


def left() -> list[threading.Thread]:
    """The workers that were told to stop and still run."""
    return [thread for thread in list(_LEFT) if thread.is_alive()]


def wait_for_left() -> None:
    """Wait for workers that were left behind, and for the release of what they used: a thread that comes back from
    DuckDB into an interpreter that has ended aborts it (a session that closed behind 40,000 patterns did, once in a
    while: its worker was waited for, the closing of its database was not)."""
    while threads := left():
        for thread in threads:
            thread.join()
