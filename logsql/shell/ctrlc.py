"""Running work so that Ctrl-C ends it: the work in a thread, the main thread waiting where signals reach it.

Python delivers a signal only between bytecodes of the main thread; a main thread that waits inside the engine would see
Ctrl-C when the query is over. ``interruptible`` therefore never lets it wait there.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar, cast

import duckdb

from logsql.conversation.conversation import Abandoned, AbandonedFull, AbandonedLate
from logsql.diagnostics.engine import STOPPED, TIME_LIMIT
from logsql.diagnostics.errors import Interrupted, LogsqlError, TimeoutError_, diagnostic
from logsql.engine import leftovers
from logsql.engine.memory import MemoryWatch
from logsql.shell.signals import check_signals
from logsql.shell.voice import Voice
from udfs.temporary import clear_made

T = TypeVar("T")
#: How long the main thread sleeps at most before it looks for a signal (Windows does not interrupt a wait).
_TICK = 0.1
#: Seconds that work has to notice its time limit by itself: the engine gives it one (``GRACE``).
LATE = 1.5
#: Looks (of :data:`_TICK`) that work has to notice its memory limit by itself.
FULL = 5


@dataclass
class _Box(Generic[T]):
    value: T | None = None
    error: BaseException | None = None


class _Full:
    """Counts the looks at which the memory limit is passed; behind :data:`FULL` of them the work is left behind."""

    def __init__(self, memory: MemoryWatch | None) -> None:
        self._memory = memory
        self._looks = 0

    def look(self, stop: Callable[[], object], thread: threading.Thread) -> None:
        if self._memory is None or not self._memory.over():
            return
        self._looks += 1
        if self._looks > FULL:
            stop()
            leftovers.leave(thread)
            raise AbandonedFull(self._memory.error().diagnostic)


def interrupted() -> Interrupted:
    """The error of a query that the user ended."""
    return Interrupted(diagnostic(STOPPED))


def interruptible(
    work: Callable[[], T],
    stop: Callable[[], object],
    grace: float = 0.7,
    limit: float | None = None,
    memory: MemoryWatch | None = None,
    end: Callable[[], bool] | None = None,
) -> T:
    """The result of ``work()``, run in a thread of its own with this context's variables.

    On Ctrl-C ``stop()`` is called (it must make ``work`` end soon) and Interrupted is raised; Abandoned when the work
    still runs after ``grace`` seconds. A second Ctrl-C does not wait any longer. Errors of the work are raised.

    ``limit``: seconds of the time limit, which the work keeps by itself where it looks at the clock. Where it does not
    (parsing, planning in DuckDB, training a model) AbandonedLate is raised soon after them. ``memory``: likewise, of
    the memory limit and AbandonedFull. ``end``: what the first Ctrl-C does instead, where it returns True: the work
    then comes to its end by itself, with a result.
    """
    until = None if limit is None else time.monotonic() + limit + LATE
    late, full = False, _Full(memory)
    box: _Box[T] = _Box()
    done = threading.Event()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            box.value = context.run(work)
        except BaseException as error:
            box.error = error
        finally:
            done.set()

    thread = threading.Thread(target=run, name="logsql-work", daemon=True)
    try:
        thread.start()
        while not _done(done, end):
            full.look(stop, thread)
            check_signals()
            if until is not None and time.monotonic() > until:
                late = True
                stop()
                if not done.wait(_TICK):
                    leftovers.leave(thread)
                    raise AbandonedLate(diagnostic(TIME_LIMIT, seconds=limit))
    except KeyboardInterrupt:
        problem = _stopped(stop, done, grace)
        if isinstance(problem, Abandoned):
            leftovers.leave(thread)
        else:
            leftovers.join(thread)
        raise problem from None
    # Behind its result the thread still closes the connection that it planned on: done while the interpreter ends, that
    # aborts the process.
    leftovers.join(thread)
    if late and isinstance(box.error, (duckdb.Error, LogsqlError)):  # that it was stopped, in the words of the engine
        raise TimeoutError_(diagnostic(TIME_LIMIT, seconds=limit))
    if box.error is not None:
        raise box.error
    return cast(T, box.value)


def _done(done: threading.Event, end: Callable[[], bool] | None) -> bool:
    """Whether the work is done, after a moment; a Ctrl-C goes to ``end`` first."""
    try:
        return done.wait(_TICK)
    except KeyboardInterrupt:
        if end is None or not end():
            raise
        return False


def _stopped(stop: Callable[[], object], done: threading.Event, grace: float) -> Interrupted:
    problem = interrupted()
    try:
        stop()
        end = time.monotonic() + grace
        while not done.wait(_TICK):
            if time.monotonic() > end:
                return Abandoned(problem.diagnostic)
            stop()  # work that was between two queries starts the next one otherwise
    except KeyboardInterrupt:
        return Abandoned(problem.diagnostic)
    return problem


def within(seconds: float, work: Callable[[], int], voice: Voice) -> int:
    """A verb that plans, formats or trains in one go: the process ends with its time, whatever it does then."""
    try:
        return interruptible(work, lambda: None, 0.5, seconds)
    except (Abandoned, AbandonedLate) as error:
        voice.error(error.diagnostic)
        leave(error.exit_code)


def leave(code: int) -> NoReturn:
    """End the process while a thread still works: what it keeps in temporary folders goes, nothing is waited for."""
    clear_made()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code)
