"""Runs SQL in a worker thread and hands batches to the caller: streaming, Ctrl-C, time limit, progress.

DuckDB holds the thread that executes it; Ctrl-C reaches Python's main thread only, so the main thread waits on a queue
and a worker executes. Cancelling sets the run's flag (readers and stages look at it), interrupts DuckDB and drains.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from functools import partial
from typing import TypeVar, cast

import duckdb
import pyarrow as pa

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, LogsqlError, diagnostic
from logsql.engine.engineerrors import engine_error
from logsql.engine.leftovers import GRACE, TICK, join, leave
from logsql.engine.leftovers import interrupt as interrupted
from logsql.engine.memory import PAUSE
from logsql.engine.runstate import RunState
from logsql.engine.sourceerrors import source_error
from udfs.readers.errors import ReadCancelled, ReaderError

T = TypeVar("T")
#: What a worker hands over, one after the other.
Put = Callable[[object], bool]
#: A schema, then record batches of it.
Batches = Generator[pa.Schema | pa.RecordBatch]

#: Rows per batch handed on; readers and stages work in blocks of about this size too.
BATCH = 65_536
_END = object()


class Runner:
    """Executes work on one cursor of the session for one run. ``explain`` makes the error of one of DuckDB's.

    ``alone``: whether nobody else reads the rows of this run, so that all of it ends with this reader.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        state: RunState,
        origins: Callable[[], list[BaseException]],
        explain: Callable[[duckdb.Error, bool], LogsqlError] = engine_error,
        interrupt: Callable[[], None] | None = None,
        alone: Callable[[], bool] = lambda: True,
    ) -> None:
        self.cursor = cursor
        self.state = state
        self._origins = origins
        self._engine_error = explain
        self.interrupt = partial(interrupted, cursor) if interrupt is None else interrupt
        self._alone = alone

    def call(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a worker thread and wait for it, interruptibly."""
        # Read to the end mark: left behind its one item, a worker that still has to put the mark looks like a caller
        # that wants no more, and the whole run would be cancelled (one `outputcsv` in 14,000 ended as "interrupted").
        (result,) = self._drive(lambda put: put(work()))
        return cast("T", result)

    def execute(self, text: str) -> None:
        """Run a statement whose rows nobody reads."""
        self.call(lambda: bool(self.cursor.execute(text).fetchall()) or True)

    def batches(self, text: str, size: int = BATCH) -> Batches:
        """Schema, then the rows of a query as record batches, in constant memory."""
        return self.stream(lambda: self.cursor.sql(text).to_arrow_reader(size))

    def stream(self, make: Callable[[], pa.RecordBatchReader | None]) -> Batches:
        """Schema, then batches of a reader made and read in the worker thread; nothing when there is no reader."""

        def produce(put: Put) -> None:
            reader = make()
            if reader is not None and put(reader.schema):
                for batch in reader:
                    if not put(batch):
                        break
            del reader

        return cast("Batches", self._drive(produce))

    def _drive(self, produce: Callable[[Put], object]) -> Generator[object]:
        if self.state.cancel.is_set() and not self.state.abandoned:  # told to stop before it began
            raise Interrupted(diagnostic(INTERRUPTED))
        items: queue.Queue[object] = queue.Queue(maxsize=4)
        stop = threading.Event()

        def put(item: object) -> bool:
            while not stop.is_set():
                try:
                    items.put(item, timeout=TICK)
                    return True
                except queue.Full:
                    continue
            return False

        def work() -> None:
            try:
                produce(put)
                put(_END)
            except BaseException as problem:
                put(problem)

        # What the run says is said in the language of who asked: a thread of its own would speak the default one.
        asked = contextvars.copy_context()
        thread = threading.Thread(target=asked.run, args=(work,), name="logsql-run", daemon=True)
        thread.start()
        finished = False
        try:
            yield from self._consume(items)
            finished = True
        finally:
            stop.set()
            if not finished and thread.is_alive():
                # Left early: an error, Ctrl-C, or a caller that wants no more rows.
                if self._alone():
                    self.state.abandon()
                self._stop(thread)
            else:
                join(thread)

    def _stop(self, thread: threading.Thread) -> None:
        """Have the worker stop, and leave it behind where it does not within :data:`GRACE`.

        DuckDB does not look at an interrupt while it plans, nor does a library that trains a model: the caller is
        told of its time limit now, and what the worker holds is given back when it ends (:func:`when_done`).
        """
        deadline = time.monotonic() + GRACE
        while thread.is_alive() and time.monotonic() < deadline:
            with suppress(KeyboardInterrupt):
                self.interrupt()  # again: one that comes before the statement has begun is lost
                thread.join(TICK / 4)
        if thread.is_alive():
            self.state.left.append(thread)
            leave(thread)

    def _consume(self, items: queue.Queue[object]) -> Iterator[object]:
        while True:
            try:
                item = items.get(timeout=TICK if self.state.memory.limit is None else PAUSE)
            except queue.Empty:
                self._tick()
                continue
            except KeyboardInterrupt:
                raise Interrupted(diagnostic(INTERRUPTED)) from None
            if item is _END:
                return
            if isinstance(item, BaseException):
                raise self.told(item) from None
            yield item
            self._tick()

    def _tick(self) -> None:
        state = self.state
        if state.cancel.is_set():
            self.interrupt()  # again and again: one that comes just before a statement begins is lost
        state.check_bounds()
        if state.on_progress is not None:
            try:
                percent = float(self.cursor.query_progress())
            except (duckdb.Error, AttributeError, TypeError):
                percent = -1.0
            state.on_progress(state.report(percent if percent >= 0 else None))

    def told(self, problem: BaseException) -> BaseException:
        """The error the user sees: a reader's or stage's own, else DuckDB's in one sentence."""
        for origin in self._origins():
            if isinstance(origin, ReadCancelled) and (bound := self.state.past_bounds()) is not None:
                return bound
            if isinstance(origin, LogsqlError):
                return origin
            if isinstance(origin, ReaderError):
                return source_error(origin)
            if isinstance(origin, duckdb.OutOfMemoryException):  # of the engine that a reader parses JSON with
                return self._engine_error(origin, False)
        if isinstance(problem, LogsqlError):
            return problem
        if (bound := self.state.past_bounds()) is not None:
            return bound
        if isinstance(problem, duckdb.Error):
            return self._engine_error(problem, self.state.cancelled())
        if self.state.cancelled() or isinstance(problem, (KeyboardInterrupt, SystemExit)):
            return Interrupted(diagnostic(INTERRUPTED))
        return problem
