"""Clocks of event contexts: real time, and the log time of each host; both only go forward.

Times are microseconds since 1970. Deadlines lie in a heap and not in a list that is searched: a context has one entry
in force, ``due``, which may lie before its deadline (every row moves the timeout on, and moving it in the heap would
cost what the row costs); when it comes up the context is put back at its deadline.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator

#: Heaps are cleared of entries that no longer count when those are more than the contexts, and this many.
SLACK = 1000


def real_time() -> int:
    """Now, by a clock that no step of the wall clock moves: the wall clock as it was at the start, and what has passed
    since then."""
    return _START + time.monotonic_ns() // 1000


_START = time.time_ns() // 1000 - time.monotonic_ns() // 1000


class Place:
    """The contexts of one topic and host. ``clock`` is the host's; that of contexts without a host is real time."""

    __slots__ = ("clock", "contexts", "host", "topic")

    def __init__(self, topic: str, host: str | None, clock: Clock) -> None:
        self.topic = topic
        self.host = host
        self.clock = clock
        self.contexts: dict[str, Context] = {}


class Context:
    """One event context. ``rows`` are JSON documents, ``vars`` values with their kinds (:mod:`.values`)."""

    __slots__ = (
        "alive",
        "counter",
        "created",
        "due",
        "expire_at",
        "key",
        "maxrows",
        "place",
        "rows",
        "timeout_at",
        "vars",
    )

    def __init__(self, place: Place, key: str, created: int, maxrows: int) -> None:
        self.place = place
        self.key = key
        self.counter = 1
        self.created = created
        self.expire_at: int | None = None
        self.timeout_at: int | None = None
        self.maxrows = maxrows
        self.vars: dict[str, tuple[str, object]] | None = None
        self.rows: list[object] | None = None
        self.due: int | None = None
        self.alive = True

    @property
    def deadline(self) -> int | None:
        """The earlier one of its deadlines."""
        expire, timeout = self.expire_at, self.timeout_at
        if expire is None or timeout is None:
            return timeout if expire is None else expire
        return min(expire, timeout)

    @property
    def cause(self) -> str:
        """What ends it at its deadline: both at once are EXPIRE."""
        timeout = self.timeout_at
        return "EXPIRE" if self.expire_at is not None and (timeout is None or self.expire_at <= timeout) else "TIMEOUT"


class Clock:
    """One clock and the deadlines that it will reach. ``timeouts`` and ``expires``: how many contexts have one."""

    def __init__(self, host: str | None, now: int) -> None:
        self.host = host
        self.time = now
        self.timeouts = 0
        self.expires = 0
        self.alive = 0
        self._heap: list[tuple[int, int, Context]] = []
        self._number = 0

    def joined(self, context: Context, change: int) -> None:
        """A context came (1) or went (-1)."""
        self.alive += change
        self.timeouts += change * (context.timeout_at is not None)
        self.expires += change * (context.expire_at is not None)

    def schedule(self, context: Context) -> None:
        """The deadline of a context may be earlier than what stands in the heap."""
        deadline = context.deadline
        if deadline is not None and (context.due is None or deadline < context.due):
            self._push(deadline, context)

    def _push(self, deadline: int, context: Context) -> None:
        context.due = deadline
        self._number += 1
        heapq.heappush(self._heap, (deadline, self._number, context))
        if len(self._heap) > 2 * self.alive + SLACK:
            self._heap = [entry for entry in self._heap if entry[2].alive and entry[2].due == entry[0]]
            heapq.heapify(self._heap)

    def next_deadline(self) -> int | None:
        """When the next context ends; None where none will."""
        heap = self._heap
        while heap:
            due, _, context = heap[0]
            if context.alive and context.due == due:
                deadline = context.deadline
                if deadline is None or deadline <= due:
                    return due
                heapq.heappop(heap)
                self._push(deadline, context)
            else:
                heapq.heappop(heap)
        return None

    def reached(self) -> Iterator[Context]:
        """The contexts whose deadline the clock has reached, the earliest first; each must be removed at once."""
        while (due := self.next_deadline()) is not None and due <= self.time:
            _, _, context = heapq.heappop(self._heap)
            context.due = None
            yield context
