"""A proxy that counts: CONNECT for https, whole URLs for http. It reaches loopback and nothing else."""

from __future__ import annotations

import asyncio
import base64
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.servers.loop import LoopThread
from tests.servers.web import GONE


@dataclass
class Proxy:
    """A proxy on loopback. ``routes`` leads names to local addresses (``{"api.example.test:443": "127.0.0.1:8443"}``);
    what it does not name and is not loopback is 502. ``user`` demands ``name:password``; ``refuse`` is a status that
    it answers instead. ``connects`` and ``plain`` hold what was asked for, in order."""

    thread: LoopThread
    routes: dict[str, str] = field(default_factory=dict)
    user: str | None = None
    refuse: int | None = None
    port: int = 0
    connects: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    """The heads of the requests, as they came."""
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Proxy:
        """Listen on a free port."""
        self.thread.run(self._listen())
        return self

    def reset(self) -> None:
        """Forget what was set and asked."""
        self.thread.run(self._drop())
        self.routes, self.user, self.refuse = {}, None, None
        for seen in (self.connects, self.plain, self.heads):
            seen.clear()

    def stop(self) -> None:
        """Listen no longer, and close what is open."""
        self.thread.run(self._close())

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._drop()

    async def _drop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(*GONE):
                await self._request(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            with suppress(*GONE):
                writer.close()

    async def _request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        method, target, _ = head.partition(b"\r\n")[0].decode().split(" ", 2)
        (self.connects if method == "CONNECT" else self.plain).append(target)
        if (status := self._status(head)) is not None:
            writer.write(f"HTTP/1.1 {status} No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
            return
        place = target if method == "CONNECT" else urlsplit(target).netloc
        there = await self._reach(place)
        if there is None:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            there[1].write(head.replace(target.encode(), target.partition(place)[2].encode() or b"/", 1))
        await asyncio.gather(_pipe(reader, there[1]), _pipe(there[0], writer))

    def _status(self, head: bytes) -> int | None:
        if self.refuse is not None:
            return self.refuse
        if self.user is not None:
            right = b"basic " + base64.b64encode(self.user.encode()).lower()
            if right not in head.lower().replace(b"proxy-authorization:", b"").replace(b"  ", b" "):
                return 407
        return None

    async def _reach(self, place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        host, _, port = self.routes.get(place, place).rpartition(":")
        if not host:
            host, port = port, "80"
        if host not in ("localhost", "127.0.0.1", "[::1]"):
            return None
        try:
            return await asyncio.open_connection(host.strip("[]"), int(port))
        except OSError:
            return None


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(*GONE):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with suppress(*GONE, OSError):
        writer.close()
