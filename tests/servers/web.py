"""A web server that answers as a test says, wrongly too.

It is written on bare streams because a server of a library would mend what it is told to break. It counts connections
and keeps every request.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from tests.servers.loop import LoopThread
from tests.servers.pki import Authority
from tests.servers.replies import Ending, Headers, Reply, Request, text

Handler = Callable[[Request], Reply]
LIMIT = 1 << 20
"""Bytes that the head of a request may have."""
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError)


@dataclass
class Counts:
    """What a server has seen since ``reset()``."""

    connections: int = 0
    open: int = 0
    peak_connections: int = 0
    under_way: int = 0
    peak_requests: int = 0

    def opened(self) -> int:
        """Another connection; its number."""
        self.connections += 1
        self.open += 1
        self.peak_connections = max(self.peak_connections, self.open)
        return self.connections

    def began(self) -> None:
        """Another request."""
        self.under_way += 1
        self.peak_requests = max(self.peak_requests, self.under_way)


@dataclass
class _Connection:
    """One connection, for the part that reads requests."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    server_name: str | None
    busy: bool = False

    def client(self) -> str | None:
        """Common name of the client's certificate."""
        cert = self.writer.get_extra_info("peercert") or {}
        names = dict(pair for group in cert.get("subject", ()) for pair in group)
        return names.get("commonName")


@dataclass
class WebServer:
    """A server on an own port of loopback.

    ``server.on("/a", text("one"), text("two"))`` answers the first request for /a with one and the later ones with
    two; ``server.on("/a", handler)`` asks a function; ``server.url("/a")`` is the URL. Paths that were not scripted
    are 404. ``server.log`` holds the requests, ``server.counts`` the numbers of connections.
    """

    thread: LoopThread
    context: ssl.SSLContext | None = None
    name: str = "localhost"
    """The name in its URLs."""
    host: str = "127.0.0.1"
    """The address that it listens on; another one than loopback's in a lonely test only."""
    port: int = 0
    log: list[Request] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    failures: list[BaseException] = field(default_factory=list)
    _routes: dict[str, Handler] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _connections: dict[asyncio.Task[None], _Connection] = field(default_factory=dict)
    _names: dict[int, str | None] = field(default_factory=dict)

    # --- what tests use ---------------------------------------------------------------------------------------------

    @property
    def scheme(self) -> str:
        return "https" if self.context else "http"

    @property
    def origin(self) -> str:
        """``https://localhost:PORT``."""
        return f"{self.scheme}://{self.name}:{self.port}"

    @property
    def address(self) -> str:
        """``127.0.0.1:PORT``, for ``resolve`` and ``allow`` of the configuration."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def url(self, path: str, name: str | None = None) -> str:
        """URL of a path, under another name if one is given."""
        return f"{self.scheme}://{name or self.name}:{self.port}{path}"

    def on(self, path: str, *replies: Reply | Handler) -> str:
        """Answer requests for a path with these, one after another, the last one ever after. Returns the URL."""
        assert replies, "at least one reply"
        served = Counter[str]()

        def handler(request: Request) -> Reply:
            reply = replies[min(served[path], len(replies) - 1)]
            served[path] += 1
            return reply if isinstance(reply, Reply) else reply(request)

        self._routes[path] = handler
        return self.url(path)

    def on_each(self, path: str, key: str, replies: Sequence[Reply | Handler]) -> str:
        """The same, counted for each value of the parameter ``key`` by itself: ``?k=1`` fails first, ``?k=2`` too."""
        served = Counter[str]()

        def handler(request: Request) -> Reply:
            value = request.query.get(key, "")
            reply = replies[min(served[value], len(replies) - 1)]
            served[value] += 1
            return reply if isinstance(reply, Reply) else reply(request)

        self._routes[path] = handler
        return self.url(path)

    def requests(self, path: str) -> list[Request]:
        """The requests for a path."""
        return [request for request in self.log if request.path == path]

    def reset(self) -> None:
        """Forget routes, requests and counts, and close what is open."""
        self.thread.run(self._forget())

    def drop_idle(self) -> int:
        """Close the connections that wait for a request, as a server does after its keep-alive time. How many."""
        return self.thread.run(self._drop())

    def start(self) -> WebServer:
        """Listen on a free port of 127.0.0.1."""
        self.thread.run(self._listen())
        return self

    def stop(self) -> None:
        """Listen no longer; what is open is closed."""
        self.thread.run(self._close())

    # --- life -------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        if self.context is not None:
            self.context.sni_callback = self._named
        self._server = await asyncio.start_server(
            self._serve, self.host, self.port, ssl=self.context, limit=LIMIT, backlog=1000
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._forget()

    async def _forget(self) -> None:
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._routes.clear()
        self._names.clear()
        self.log.clear()
        self.failures.clear()
        self.counts.__init__()  # type: ignore[misc]

    async def _drop(self) -> int:
        idle = [task for task, connection in self._connections.items() if not connection.busy]
        for task in idle:
            task.cancel()
        await asyncio.gather(*idle, return_exceptions=True)
        return len(idle)

    def _named(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        self._names[id(connection)] = name

    # --- one connection ---------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        name = self._names.pop(id(writer.get_extra_info("ssl_object")), None)
        connection = _Connection(reader, writer, self.counts.opened(), name)
        self._connections[task] = connection
        try:
            await self._requests(connection)
        except GONE:
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        except Exception as error:
            self.failures.append(error)
        finally:
            self.counts.open -= 1
            del self._connections[task]
            with suppress(*GONE):
                writer.close()

    async def _requests(self, connection: _Connection) -> None:
        while (request := await self._read(connection)) is not None:
            connection.busy = True
            self.log.append(request)
            self.counts.began()
            try:
                handler = self._routes.get(request.path)
                reply = handler(request) if handler else text("no such path", status=404)
                await self._send(connection, reply, request.method == "HEAD")
            finally:
                self.counts.under_way -= 1
            connection.busy = False
            if reply.ending is not Ending.KEEP or (request.header("Connection") or "").lower() == "close":
                await self._end(connection, reply.ending)
                return

    async def _read(self, connection: _Connection) -> Request | None:
        """The next request; None when the connection has ended."""
        try:
            head = await connection.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        when = time.monotonic()
        first, *lines = head[:-4].decode("utf-8", "surrogateescape").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers: Headers = tuple((k.strip(), v.strip()) for k, _, v in (line.partition(":") for line in lines))
        request = Request(
            method, target, headers, b"", connection.number, when, connection.server_name, connection.client()
        )
        if (request.header("Expect") or "").lower() == "100-continue":
            connection.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await _body(connection.reader, request)
        return Request(**{**vars(request), "body": body})

    async def _send(self, connection: _Connection, reply: Reply, head_only: bool) -> None:
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.raw is not None:
            connection.writer.write(reply.raw)
            await connection.writer.drain()
            return
        payload = b"" if head_only else reply.payload()
        if not reply.pause:
            connection.writer.write(reply.head() + payload)
            await connection.writer.drain()
            return
        connection.writer.write(reply.head())
        for start in range(0, len(payload), reply.piece):
            await connection.writer.drain()
            await asyncio.sleep(reply.pause)
            connection.writer.write(payload[start : start + reply.piece])
        await connection.writer.drain()

    async def _end(self, connection: _Connection, ending: Ending) -> None:
        writer = connection.writer
        match ending:
            case Ending.HANG:
                await asyncio.Event().wait()
            case Ending.ABORT:
                await _flushed(writer)
                _socket(writer).shutdown(socket.SHUT_WR)
                writer.transport.abort()
            case Ending.RESET:
                await _flushed(writer)
                reset(writer)
            case _:
                writer.close()
                with suppress(*GONE):
                    await writer.wait_closed()


def _socket(writer: asyncio.StreamWriter) -> socket.socket:
    found: socket.socket = writer.get_extra_info("socket")
    return found


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a TCP reset: it lingers for no time."""
    linger = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    _socket(writer).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _flushed(writer: asyncio.StreamWriter) -> None:
    """What was written reaches the other side before the connection is broken."""
    with suppress(*GONE):
        await writer.drain()
    await asyncio.sleep(0.1)


async def _body(reader: asyncio.StreamReader, request: Request) -> bytes:
    if "chunked" in (request.header("Transfer-Encoding") or "").lower():
        pieces = []
        while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass  # trailers
        return b"".join(pieces)
    return await reader.readexactly(int(request.header("Content-Length") or 0))


def web_server(thread: LoopThread, authority: Authority, variant: str) -> WebServer:
    """A started server: ``plain`` without TLS, ``client`` that demands a client's certificate, ``old`` that speaks
    nothing newer than TLS 1.1, else with the certificate of that name (``right``, ``expired`` ...)."""
    if variant == "plain":
        return WebServer(thread).start()
    if variant == "client":
        return WebServer(thread, authority.server_context("right", client=True)).start()
    if variant == "old":
        context = authority.server_context("right")
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # old is what is wanted
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        return WebServer(thread, context).start()
    return WebServer(thread, authority.server_context(variant)).start()
