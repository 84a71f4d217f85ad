"""Requests of a session: batches go to one event loop in a thread of its own and come back in order.

No module of the network is imported before the first request is sent.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Protocol, cast

from logsql.connectors.fence import Refused
from logsql.connectors.http_urls import target_of
from logsql.loading import at
from logsql.planner.connections.http import Answer, Ask, Terms

if TYPE_CHECKING:
    from logsql.connectors.access import Access
    from logsql.planner.runtime import StageRuntime

#: Seconds between two looks at whether the query is to stop.
_TICK = 0.1
#: Requests that may be ahead of the oldest one without an answer, for each that may be under way: one that takes long
#: keeps no other waiting. It is reached slowly, so that ``limit 10`` sends few requests that nobody reads.
_AHEAD = 4


class Running(Protocol):
    """The requests of one query, on the loop."""

    def send(self, asks: list[Ask]) -> list[Pending]:
        """Begin with these."""

    def stop(self) -> None:
        """End what is under way."""

    def waits(self) -> dict[str, float]:
        """Hosts that are waited for, and until when (``time.monotonic``)."""


class Pending(Protocol):
    """An answer to be."""

    def done(self) -> bool: ...
    def result(self) -> Answer: ...


class Line(Protocol):
    """The loop of a session."""

    parallel: int

    def begin(self, terms: Terms, until: float | None, ready: threading.Event) -> Running:
        """The requests of another query; ``ready`` is set with each answer."""

    def close(self) -> None:
        """End the connections and the thread."""


class Client:
    """The requests of one session (:class:`logsql.planner.connections.http.Http`)."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._line: Line | None = None
        self._guard = threading.Lock()

    def refused(self, url: str | None) -> str | None:
        """What cannot be reached in safe mode, whatever rows come; None where something can."""
        if self._access.fence.shut:
            return _shown(url)
        if url is not None and self._access.fence.safe:
            try:
                site = target_of(url).site
                self._access.fence.judged(site.host, site.port)
            except Refused as refused:
                return _shown(url) if refused.word == "refused-private" else None
        return None

    def answers(
        self, asks: Iterable[Ask | None], terms: Terms, runtime: StageRuntime
    ) -> Generator[list[Answer | None], None, None]:
        """The answers in the order of the requests, in groups as they come."""
        ready = threading.Event()
        line = self._opened()
        until = runtime.state.deadline
        parallel = terms.parallel or line.parallel
        running = line.begin(terms, until, ready)
        waiting: deque[Pending | None] = deque()
        source, given = iter(asks), 0
        try:
            more = True
            while more or waiting:
                room = min(parallel * _AHEAD, parallel + given) - len(waiting)
                if more and room > 0:
                    fresh = list(itertools.islice(source, room))
                    more = len(fresh) == room
                    sent = iter(running.send([ask for ask in fresh if ask is not None]))
                    waiting.extend(None if ask is None else next(sent) for ask in fresh)
                found = _ready(waiting)
                if found:
                    given += len(found)
                    yield found
                elif waiting and not _waited(ready, runtime, running):
                    return
        finally:
            running.stop()

    def close(self) -> None:
        """End the connections."""
        with self._guard:
            if self._line is not None:
                self._line.close()
            self._line = None

    def _opened(self) -> Line:
        with self._guard:
            if self._line is None:
                make = cast("Callable[[Access], Line]", at("logsql.connectors.http_line:Line"))
                self._line = make(self._access)
            return self._line


def _shown(url: str | None) -> str:
    """A URL without user, query and fragment, for messages."""
    if url is None:
        return "http"
    try:
        return target_of(url).shown
    except Refused:
        return "http"


def _ready(waiting: deque[Pending | None]) -> list[Answer | None]:
    """The answers at the head of the line that are there."""
    found: list[Answer | None] = []
    while waiting and (waiting[0] is None or waiting[0].done()):
        first = waiting.popleft()
        found.append(None if first is None else first.result())
    return found


def _waited(ready: threading.Event, runtime: StageRuntime, running: Running) -> bool:
    """Wait for the next answer; False when the query is to stop."""
    while not ready.wait(_TICK):
        if runtime.cancelled():
            return False
        for host, until in running.waits().items():
            runtime.progress.waiting(host, until)
    ready.clear()
    return not runtime.cancelled()
