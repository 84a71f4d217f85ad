"""Calls of a library that waits, in a thread of its own, while the query's thread asks whether it is to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from logsql.connectors.loops import waited

T = TypeVar("T")


class Worker:
    """One thread that does what it is given, one call after another. ``stop`` makes a call that waits end."""

    def __init__(self, name: str, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def result(self, call: Callable[[], T], cancelled: Callable[[], bool]) -> T:
        """What a call returns. Raises what it raises, and ReadCancelled as soon as ``cancelled`` says so."""
        future: Future[T] = Future()

        def carried_out() -> None:
            try:
                future.set_result(call())
            except BaseException as problem:
                future.set_exception(problem)

        self._calls.put(carried_out)
        try:
            return waited(future, cancelled)
        except BaseException:
            if not future.done():
                self._stop()
            raise

    def close(self) -> None:
        """End the thread behind what it does."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
