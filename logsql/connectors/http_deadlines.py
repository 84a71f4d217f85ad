"""Deadlines of many requests, most of which may take equally long: one timer for all of those.

``asyncio.timeout`` sets a timer for each, which costs a request 7 of its 200 microseconds.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


class Deadlines:
    """The requests of one event loop that have a deadline."""

    def __init__(self) -> None:
        self._lines: dict[float, _Line] = {}

    def begin(self, seconds: float) -> Deadline:
        """Cancel the current task in so many seconds, unless :meth:`Deadline.end` is called before."""
        line = self._lines.get(seconds)
        if line is None:
            line = self._lines[seconds] = _Line(seconds, asyncio.get_running_loop())
        task = asyncio.current_task()
        assert task is not None, "requests run in tasks"
        return line.added(task)


class Deadline:
    """That of one request."""

    __slots__ = ("_cancelling", "_line", "moment", "over", "task")

    def __init__(self, line: _Line, task: asyncio.Task[object], moment: float) -> None:
        self._line = line
        self._cancelling = task.cancelling()
        self.task, self.moment, self.over = task, moment, False

    def missed(self) -> bool:
        """Whether the cancellation that has come is that of the deadline, and of nobody else beside it."""
        if not self.over:
            return False
        self.over = False
        return self.task.uncancel() <= self._cancelling

    def end(self) -> None:
        """The request is over, one way or another."""
        if self.over:  # it ended in another way while it was cancelled
            self.task.uncancel()
        self._line.waiting.pop(self, None)


@dataclass
class _Line:
    """Deadlines in the order in which they come."""

    seconds: float
    loop: asyncio.AbstractEventLoop
    waiting: dict[Deadline, None] = field(default_factory=dict)
    _timer: asyncio.TimerHandle | None = None

    def added(self, task: asyncio.Task[object]) -> Deadline:
        """The deadline of a request that begins now."""
        deadline = Deadline(self, task, self.loop.time() + self.seconds)
        self.waiting[deadline] = None
        if self._timer is None:
            self._timer = self.loop.call_at(deadline.moment, self._come)
        return deadline

    def _come(self) -> None:
        self._timer = None
        now = self.loop.time()
        for deadline in list(self.waiting):
            if deadline.moment > now:
                self._timer = self.loop.call_at(deadline.moment, self._come)
                return
            del self.waiting[deadline]
            deadline.over = True
            deadline.task.cancel()
