"""The runs of one session: what is planned, what runs, what ran; how all of it is stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Protocol

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, diagnostic
from logsql.engine.ledger import Ledger
from logsql.engine.querylog import QueryLog
from logsql.engine.runstate import RunState
from udfs.readers.errors import ReadCancelled


class Running(Protocol):
    """An execution, as far as it is listed here. ``number`` is the query's number in its session."""

    @property
    def number(self) -> int: ...
    @property
    def state(self) -> RunState: ...
    def interrupt(self) -> None:
        """Have everything that runs for it end soon; from any thread."""

    def close(self) -> None:
        """End what runs and release what it holds."""


class Runs:
    """See the module docstring. ``timeout`` is in seconds; ``last_ledger`` that of the query planned or ended last."""

    def __init__(self, timeout: float | None = None, log: QueryLog | None = None) -> None:
        self.timeout = timeout
        self.log = log if log is not None else QueryLog()
        self.last_ledger: Ledger | None = None
        self.left: list[Thread] = []
        """Workers of executions that are forgotten, which have not stopped yet."""
        self._running: dict[int, Running] = {}
        self._planned: dict[int, RunState] = {}
        self._interrupts = 0

    @contextmanager
    def stoppable(self, state: RunState) -> Iterator[None]:
        """While a query is planned: :meth:`interrupt` reaches the readers that look through a whole file for types."""
        self._planned[id(state)] = state
        state.interrupts = self._interrupts
        state.limit = self.timeout
        state.begin()
        try:
            yield
            state.check_bounds()
        except ReadCancelled:
            state.check_bounds()
            raise Interrupted(diagnostic(INTERRUPTED)) from None
        finally:
            state.pause()
            del self._planned[id(state)]

    def started(self, execution: Running) -> None:
        """From now on :meth:`interrupt` and :meth:`close` end it, until it is forgotten."""
        self._running[id(execution)] = execution
        planned, execution.state.interrupts = execution.state.interrupts, None
        if planned not in (None, self._interrupts):
            execution.interrupt()  # it came when the plan was made and the run was not yet known

    def finished(self, execution: Running) -> None:
        """An execution delivered its last row (work tables stay until the result is dropped or the session closes)."""
        self.last_ledger = execution.state.ledger
        self.log.finish(execution.number, execution.state.cancelled())

    def forget(self, execution: Running) -> None:
        """An execution was closed (early, unless it had finished)."""
        self.log.finish(execution.number, True)
        self.left = [thread for thread in (*self.left, *execution.state.left) if thread.is_alive()]
        self._running.pop(id(execution), None)

    def interrupt(self) -> None:
        """Stop every query that runs or is being planned."""
        self._interrupts += 1
        for state in list(self._planned.values()):
            state.cancel.set()
        for execution in list(self._running.values()):
            execution.interrupt()

    def close(self) -> None:
        """End every query, also what other threads plan."""
        for state in list(self._planned.values()):
            state.cancel.set()
        for execution in list(self._running.values()):
            execution.close()
        self._running.clear()
