"""A relay in front of a server, which breaks the connection in the middle of an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tests.servers.loop import LoopThread
from tests.servers.web import GONE, reset


@dataclass
class Relay:
    """Passes bytes between ``port`` and ``target`` (a port of 127.0.0.1).

    When ``cut_after`` bytes of the server's have gone by, ``then`` is called (``directory.kill``) and the connection is
    reset, or kept without a further byte with ``hang=True``. ``passed`` counts the server's bytes."""

    thread: LoopThread
    target: int
    cut_after: int | None = None
    hang: bool = False
    then: Callable[[], None] | None = None
    port: int = 0
    passed: int = 0
    connections: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self) -> Relay:
        """Listen on a free port."""
        self.thread.run(self._listen())
        return self

    def stop(self) -> None:
        """Listen no longer; what is open is closed."""
        self.thread.run(self._close())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            there = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self._up(reader, there[1]), self._down(there[0], writer))
        except (asyncio.CancelledError, *GONE):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*GONE):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*GONE):
            while data := await reader.read(65_536):
                left = len(data) if self.cut_after is None else self.cut_after - self.passed
                writer.write(data[:left])
                self.passed += len(data[:left])
                await writer.drain()
                if left < len(data):
                    await self._cut(writer)
                    return
        writer.close()

    async def _cut(self, writer: asyncio.StreamWriter) -> None:
        if self.then is not None:
            self.then()
        if self.hang:
            await asyncio.Event().wait()
        reset(writer)
