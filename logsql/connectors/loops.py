"""An event loop in a thread of its own, on which a connector's requests run while the query's thread waits for them.

The query's thread asks ten times a second and more whether it is to stop; then what runs on the loop is cancelled.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import TypeVar

from udfs.readers.errors import ReadCancelled

T = TypeVar("T")
#: Seconds between two looks at whether the query is to stop.
TICK = 0.05
#: Seconds that what was cancelled has to close its connections.
_PATIENCE = 2.0


def never() -> bool:
    """For work that nothing interrupts (``logsql profile test``)."""
    return False


class Loop:
    """Runs coroutines; the thread starts with the first of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def result(self, work: Coroutine[object, object, T], cancelled: Callable[[], bool] = never) -> T:
        """What a coroutine returns. Raises what it raises, and ReadCancelled as soon as ``cancelled`` says so."""
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return waited(future, cancelled)
        except BaseException:
            future.cancel()
            raise

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """Cancel what runs and end the thread."""
        if self._loop is None or self._thread is None:
            return
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        with suppress(NotYet, CancelledError):
            asyncio.run_coroutine_threadsafe(_cancel_others(), loop).result(_PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_PATIENCE)
        if not thread.is_alive():
            loop.close()


async def _cancel_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def waited(future: Future[T], cancelled: Callable[[], bool]) -> T:
    """What a future gives. Raises ReadCancelled as soon as ``cancelled`` says so, whatever becomes of the future."""
    while True:
        try:
            return future.result(TICK)
        except NotYet:
            if future.done():  # the work itself ran out of time
                raise
            if cancelled():
                raise ReadCancelled("cancelled") from None
