"""Room for what arrives: a sign that says whether a receiver may read on, and the ways to wait for it.

What is put is bounded only by receivers that look at the sign before each read; threads and the loops of connections
wait for the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Room:
    """Whether there is room (``full``: there is none). Who changes it holds :attr:`turn`."""

    def __init__(self) -> None:
        self.full = False
        self.turn = threading.Condition()
        self._sleepers: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    async def room(self) -> None:
        """Until there is room."""
        while self.full:
            loop = asyncio.get_running_loop()
            sleeper: asyncio.Future[None] = loop.create_future()
            with self.turn:
                if not self.full:
                    return
                self._sleepers.append((loop, sleeper))
            await sleeper

    def wait_room(self, seconds: float) -> bool:
        """The same for a thread; False when the time is over."""
        with self.turn:
            return self.turn.wait_for(lambda: not self.full, seconds)

    def make_room(self) -> None:
        """There is room again: who waits goes on."""
        with self.turn:
            self.full = False
            self.turn.notify_all()
            sleepers, self._sleepers = self._sleepers, []
        for loop, sleeper in sleepers:
            with contextlib.suppress(RuntimeError):  # its loop is closed
                loop.call_soon_threadsafe(_wake, sleeper)


def _wake(sleeper: asyncio.Future[None]) -> None:
    if not sleeper.done():
        sleeper.set_result(None)
