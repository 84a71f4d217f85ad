"""The event loop of a session's requests, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from logsql.connectors.http_exchange import Exchange, Lookup, system_lookup
from logsql.connectors.http_rules import Limits, Query, Shared
from logsql.connectors.rates import Rates
from logsql.planner.connections.http import Answer, Ask, Terms
from logsql.store.answers import Answers

if TYPE_CHECKING:
    from logsql.connectors.access import Access

T = TypeVar("T")
#: Seconds within which what was told to end has ended.
_PATIENCE = 2.0
#: Seconds within which answers are told of together.
_TOGETHER = 0.025


class Line:
    """The loop, its thread, and the connections on it. Raises UsageError for settings that cannot be used."""

    def __init__(self, access: Access, lookup: Lookup = system_lookup) -> None:
        network = access.network
        self.parallel = network.parallel
        self._network = network
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="logsql requests", daemon=True)
        self._thread.start()
        files = access.files
        answers = Answers(access.cache_folder, network.cache_size, files) if not files.policy.safe else None
        exchange = self._run(_made(lambda: Exchange(network, access.fence, lookup)))
        rates = Rates(access.state_folder / "requests", files)
        self._shared = Shared(network, access.fence, exchange, rates, answers)

    def begin(self, terms: Terms, until: float | None, ready: threading.Event) -> Running:
        """The requests of another query; ``ready`` is set with each answer."""
        network = self._network
        limits = Limits(
            terms.timeout or network.timeout,
            terms.parallel or network.parallel,
            network.retries if terms.retries is None else terms.retries,
            terms.cache,
            terms.rate,
            until,
        )
        return Running(self._loop, self._shared, limits, ready)

    def close(self) -> None:
        """End the connections and the thread."""
        with suppress(TimeoutError, RuntimeError):
            self._run(self._ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            self._loop.close()

    async def _ended(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await self._shared.exchange.close()
        if self._shared.answers is not None:
            self._shared.answers.close()

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE * 5)


async def _made(make: Callable[[], T]) -> T:
    return make()


class Slot:
    """An answer to be. Written on the loop, read in the thread of the query."""

    __slots__ = ("_answer", "_error", "ready")

    def __init__(self) -> None:
        self.ready = False
        self._answer: Answer | None = None
        self._error: Exception | None = None

    def done(self) -> bool:
        """Whether it is there."""
        return self.ready

    def result(self) -> Answer:
        """The answer; raises what kept it from being asked for."""
        if self._error is not None:
            raise self._error
        assert self._answer is not None, "it is done"
        return self._answer

    def settle(self, answer: Answer | None, error: Exception | None) -> None:
        """It is there."""
        self._answer, self._error = answer, error
        self.ready = True


class Running:
    """The requests of one query: ``parallel`` workers take them in their order.

    A worker whose request waits for something else than its answer (a host's pause, an equal request that is under
    way) does not count meanwhile: another one goes on with those behind it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, shared: Shared, limits: Limits, ready: threading.Event) -> None:
        self._loop = loop
        self._ready = ready
        self._workers: set[asyncio.Task[None]] = set()
        self._at_work = 0
        self._todo: deque[tuple[Ask, Slot]] = deque()
        self._waits: dict[str, float] = {}
        self._stopped = False
        self._telling: asyncio.Handle | None = None
        self._parallel = limits.parallel
        self._query: Query | None = None
        self._make: Callable[[], Query] = partial(Query, shared, limits, self._wait, self._aside)

    def send(self, asks: list[Ask]) -> list[Slot]:
        """Begin with these."""
        slots = [Slot() for _ in asks]
        if asks:
            self._loop.call_soon_threadsafe(self._begin, list(zip(asks, slots, strict=True)))
        return slots

    def stop(self) -> None:
        """End what is under way, and wait a moment for its end."""
        ended = threading.Event()

        async def end() -> None:
            self._stopped = True
            self._todo.clear()
            for worker in self._workers:
                worker.cancel()
            await asyncio.gather(*self._workers, return_exceptions=True)
            ended.set()

        if not self._loop.is_closed():  # else the session was closed, and all with it
            asyncio.run_coroutine_threadsafe(end(), self._loop)
            ended.wait(_PATIENCE)

    def waits(self) -> dict[str, float]:
        """Hosts that are waited for, and until when."""
        return dict(self._waits)

    def _wait(self, host: str, seconds: float) -> None:
        self._waits[host] = time.monotonic() + seconds

    def _begin(self, pairs: list[tuple[Ask, Slot]]) -> None:
        if self._stopped:
            return
        if self._query is None:
            self._query = self._make()
        self._todo.extend(pairs)
        self._fill(self._query)

    def _fill(self, query: Query) -> None:
        """As many workers as there is work and room for."""
        for _ in range(min(len(self._todo), self._parallel - self._at_work)):
            self._at_work += 1
            worker = self._loop.create_task(self._work(query))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def _work(self, query: Query) -> None:
        try:
            while self._todo and self._at_work <= self._parallel:
                ask, slot = self._todo.popleft()
                try:
                    slot.settle(await query.answer(ask), None)
                except Exception as problem:
                    slot.settle(None, problem)
                self._tell()
        finally:
            self._at_work -= 1

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """The worker that is running does not count."""
        self._at_work -= 1
        if self._query is not None and not self._stopped:
            self._fill(self._query)
        try:
            yield
        finally:
            self._at_work += 1

    def _tell(self) -> None:
        """Tell the query's thread of an answer: of those that come in one turn of the loop together, and where there
        is enough left to go on with of those of a while. Its thread takes the turn of the loop each time."""
        if len(self._todo) <= self._parallel // 2:
            if self._telling is None or isinstance(self._telling, asyncio.TimerHandle):
                if self._telling is not None:
                    self._telling.cancel()
                self._telling = self._loop.call_soon(self._told)
        elif self._telling is None:
            self._telling = self._loop.call_later(_TOGETHER, self._told)

    def _told(self) -> None:
        self._telling = None
        self._ready.set()
