"""One request and its answer over aiohttp: the fence at the resolver and at the socket, TLS, proxies, limits.

Nothing is decided here about redirects, retries or rates; every request of those goes through :meth:`Exchange.ask`.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import unquote, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from yarl import URL

from logsql import __version__
from logsql.configuration.settings import Host, Network
from logsql.connectors import tls
from logsql.connectors.fence import Fence, Refused
from logsql.connectors.http_bodies import Body, Broken, accepted
from logsql.connectors.http_deadlines import Deadlines
from logsql.connectors.http_urls import Headers, Site, Target

#: Bytes and lines of headers that an answer may have.
_HEAD, _LINES = 65_536, 200
#: Bytes of a redirect's own body that are read so that its connection can be used again.
_SMALL = 65_536
#: Seconds for which the addresses of a name hold; each was checked.
_ADDRESSES_HOLD = 30.0
#: How a connection ends that was made and then found no TLS: a refusal to connect is another exception.
_HANDSHAKE = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WITHOUT_BODY = frozenset({204, 304})
#: A body of unknown type is sent without one.
_NO_GUESS = ("Content-Type",)
#: Headers of every request that does not bring its own.
_OURS = {
    "User-Agent": f"logsql/{__version__}",
    "Accept": "*/*",
    "Accept-Encoding": ", ".join(accepted()),
}


class NoAnswer(Exception):
    """Why there is no whole answer: ``word``. ``unsent``: no request was sent. ``reading``: it broke while it was read.

    ``status`` is the one that came before the body broke.
    """

    def __init__(
        self, word: str, unsent: bool = False, reading: bool = False, status: int | None = None, kind: str = ""
    ) -> None:
        super().__init__(word)
        self.word, self.unsent, self.reading, self.status, self.kind = word, unsent, reading, status, kind


@dataclass(slots=True)
class Reply:
    """A whole answer. ``headers`` by names in any case, the first of each."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Reach:
    """What the request under way may connect to: filled where its name is resolved, asked where its socket is made."""

    host: str
    port: int
    proxy: tuple[str, int] | None
    allowed: frozenset[tuple[str, int]] = frozenset()
    fresh: bool = False
    """Whether it made a connection of its own."""
    status: int | None = None
    """The status that came."""


@dataclass(frozen=True)
class _Way:
    """How an origin is reached: the proxy (without its user), its place, the headers that are for it, and the place
    itself where that is an address, which libraries do not resolve."""

    proxy: str | None
    place: tuple[str, int] | None
    headers: dict[str, str] | None
    allowed: frozenset[tuple[str, int]]


class _DnsFailed(Exception):
    """A name without address. ``again``: the resolver could not say."""

    def __init__(self, again: bool) -> None:
        super().__init__("dns-failed")
        self.again = again


class _Disconnected(Exception):
    """The connection ended before an answer came. aiohttp would send the request again by itself, uncounted."""


_REACH: ContextVar[_Reach] = ContextVar("reach")
Lookup = Callable[[str, int], list[tuple[int, str]]]


def system_lookup(host: str, port: int) -> list[tuple[int, str]]:
    """Family and text of each address of a name. OSError where it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((int(family), str(place[0])) for family, _, _, _, place in found))


class _Resolver(AbstractResolver):
    """Names become addresses here, once for each connection, and every address passes the fence."""

    def __init__(self, fence: Fence, lookup: Lookup) -> None:
        self._fence = fence
        self._lookup = lookup
        self._known: dict[tuple[str, int], tuple[float, list[tuple[int, str]]]] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[list[tuple[int, str]]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses that may be connected to. Raises Refused, _DnsFailed."""
        reach = _REACH.get()
        place = (host, port)
        if place != reach.proxy and (instead := self._fence.instead(host, port)) is not None:
            found, port = [(_family(instead[0]), instead[0])], instead[1]
        else:
            found = await self._found(place)
            if place != reach.proxy:
                self._fence.checked(host, port, [address for _, address in found])
        reach.allowed |= {(address, port) for _, address in found}
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=flags)
            for kind, address in found
        ]

    async def _found(self, place: tuple[str, int]) -> list[tuple[int, str]]:
        """Addresses of a name, asked for once by all who wait for them."""
        until, found = self._known.get(place, (0.0, []))
        if time.monotonic() < until:
            return found
        asked = self._asked.get(place)
        if asked is None:
            asked = self._asked[place] = _in_thread(lambda: self._lookup(*place))
            asked.add_done_callback(lambda _: self._asked.pop(place, None))
        try:
            found = await asyncio.shield(asked)
        except socket.gaierror as error:
            raise _DnsFailed(error.errno == socket.EAI_AGAIN) from None
        except (OSError, UnicodeError):
            raise _DnsFailed(again=False) from None
        if not found:
            raise _DnsFailed(again=False)
        self._known[place] = (time.monotonic() + _ADDRESSES_HOLD, found)
        return found

    async def close(self) -> None:
        """Nothing is held."""


def _in_thread(work: Callable[[], list[tuple[int, str]]]) -> asyncio.Future[list[tuple[int, str]]]:
    """Run in a thread that the end of the program does not wait for: a resolver may take half a minute."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[list[tuple[int, str]]] = loop.create_future()

    def settle(found: list[tuple[int, str]] | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
            future.exception()  # told to those who wait, if any still does
        else:
            future.set_result(found or [])

    def run() -> None:
        found, error = None, None
        try:
            found = work()
        except Exception as problem:
            error = problem
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, found, error)

    threading.Thread(target=run, name="logsql names", daemon=True).start()
    return future


def _family(address: str) -> int:
    return int(socket.AF_INET6 if ":" in address else socket.AF_INET)


def _made_socket(info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """The only place where a socket is made. Raises Refused for an address that was not checked for this request."""
    family, kind, proto, _, place = info
    reach = _REACH.get()
    if (str(place[0]), place[1]) not in reach.allowed:
        raise Refused("refused-private", reach.host)
    reach.fresh = True
    return socket.socket(family=family, type=kind, proto=proto)


async def _once(
    request: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """A middleware: what breaks is not sent again by the library."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Disconnected from error


class _Response(aiohttp.ClientResponse):
    """An answer that knows how its connection ended, which the library gives back before it can be asked."""

    _tls: ssl.SSLObject | None = None
    _ended: asyncio.Future[None] | None = None

    def start(self, connection: Connection) -> Coroutine[object, object, aiohttp.ClientResponse]:
        """As the library's."""
        protocol, transport = connection.protocol, connection.transport
        if transport is not None:
            self._tls = transport.get_extra_info("ssl_object")
        if protocol is not None and self._tls is None and (ended := protocol.closed) is not None:
            self._ended = ended
            if _REACH.get().fresh:
                ended.add_done_callback(_looked_at)
        return super().start(connection)

    def cut(self) -> bool:
        """Whether a body that only the end of its connection ends was cut: by a reset, over TLS by any end without
        its closing message, for anybody on the way may have made that (RFC 9112, 9.8)."""
        if self.status in _WITHOUT_BODY or "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            return False
        if self._tls is None:
            return self._ended is not None and self._ended.done() and self._ended.exception() is not None
        try:
            return bool(self._tls.read(1))  # empty, or an exception of its own, where the closing message came
        except ssl.SSLZeroReturnError:
            return False
        except ssl.SSLError:
            return True


def _looked_at(ended: asyncio.Future[None]) -> None:
    """Nobody need be told of a kept connection that was reset: else the event loop writes it to stderr."""
    if not ended.cancelled():
        ended.exception()


class Exchange:
    """The connections of one session, which live on one event loop. ``lookup`` resolves names."""

    def __init__(self, network: Network, fence: Fence, lookup: Lookup = system_lookup) -> None:
        self._network = network
        self._fence = fence
        self._contexts: dict[tuple[str | None, ...], tls.Context] = {}
        self._ways: dict[tuple[str, str, int], _Way] = {}
        self._deadlines = Deadlines()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                resolver=_Resolver(fence, lookup),
                use_dns_cache=False,
                socket_factory=_made_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            auto_decompress=False,
            max_line_size=_HEAD,
            max_field_size=_HEAD,
            max_headers=_LINES,
            headers=_OURS,
            middlewares=(_once,),
            response_class=_Response,
        )

    async def close(self) -> None:
        """End the connections."""
        await self._session.close()

    async def ask(
        self, target: Target, host: Host | None, method: str, headers: Headers, body: bytes | None, seconds: float
    ) -> Reply:
        """Send a request, within so many seconds up to the last byte of its answer. Raises NoAnswer."""
        site = target.site
        way = self._ways.get(site.origin)
        if way is None:
            way = self._ways[site.origin] = self._way(site)
        for_proxy = way.headers
        if for_proxy is not None and site.scheme == "http":  # without CONNECT the request itself is the proxy's
            headers, for_proxy = (*headers, *for_proxy.items()), None
        path, _, query = target.path.partition("?")
        reach = _Reach(site.host, site.port, way.place, way.allowed)
        _REACH.set(reach)
        deadline = self._deadlines.begin(seconds)
        try:
            asked = self._session.request(
                method,
                URL.build(scheme=site.scheme, authority=site.place, path=path, query_string=query, encoded=True),
                headers=headers,
                skip_auto_headers=_NO_GUESS if body is not None else None,
                data=body,
                ssl=self._context(host) if site.scheme == "https" else True,
                proxy=way.proxy,
                proxy_headers=for_proxy,
                allow_redirects=False,
            )
            if body is None:
                return await self._read(await asked, reach)
            async with asked as response:  # a body may still be on its way when the answer is there
                return await self._read(response, reach)
        except asyncio.CancelledError:
            if deadline.missed():
                raise NoAnswer("timeout", status=reach.status) from None
            raise
        except TimeoutError:  # of the system's own
            raise NoAnswer("timeout", status=reach.status) from None
        except NoAnswer:
            raise
        except Exception as error:
            _tell(error, reach)
        finally:
            deadline.end()

    def _way(self, site: Site) -> _Way:
        """How an origin is reached. Raises NoAnswer where it must not be."""
        proxy = self._fence.proxy(site.scheme, site.host, site.port)
        try:
            self._fence.judged(site.host, site.port, proxied=proxy is not None)
        except Refused as refused:
            raise NoAnswer(refused.word) from None
        place = _place(proxy) if proxy is not None else None
        return _Way(_bare(proxy), place, _proxy_headers(proxy), _literal(place or (site.host, site.port)))

    async def _read(self, response: aiohttp.ClientResponse, reach: _Reach) -> Reply:
        reach.status = status = response.status
        headers = response.headers
        try:
            if status < 100 or _too_long(response.raw_headers):
                raise NoAnswer("protocol-error")
            redirect = status in _REDIRECTS and "Location" in headers
            return Reply(status, headers, await self._body(response, redirect))
        except Broken as broken:
            if redirect:
                return Reply(status, headers, b"")
            kind, reading = headers.get("Content-Type", ""), broken.word == "truncated"
            raise NoAnswer(broken.word, reading=reading, status=status, kind=kind) from None
        except (aiohttp.ClientError, ConnectionError, ssl.SSLError):
            kind = headers.get("Content-Type", "")
            raise NoAnswer("truncated", reading=True, status=status, kind=kind) from None
        finally:
            if not response.closed:  # it did not come to its end
                response.close()

    async def _body(self, response: aiohttp.ClientResponse, redirect: bool) -> bytes:
        """The body of an answer; nothing is unpacked of one that has none. Raises Broken."""
        codings = "" if redirect or response.status in _WITHOUT_BODY else _codings(response)
        most, content = _SMALL if redirect else self._network.max_body, response.content
        if not codings and (size := response.content_length) is not None and size <= most:
            return content.read_nowait() if content.is_eof() else await content.read()
        whole = Body(codings, most)
        async for piece in content.iter_any():
            whole.add(piece)
        if isinstance(response, _Response) and response.cut():
            raise Broken("truncated")
        return whole.end()

    def _context(self, host: Host | None) -> ssl.SSLContext:
        """The TLS context of a host; most share one."""
        own = (host.ca_file, host.client_cert, host.client_key) if host is not None else (None, None, None)
        if own not in self._contexts:
            self._contexts[own] = tls.context([self._network.ca_file, own[0]], own[1], own[2])
        return self._contexts[own]


def _codings(response: aiohttp.ClientResponse) -> str:
    """The codings of a body: of all lines of Content-Encoding. One of the transfer itself is not unpacked by the
    library, which asks for none: handed on, the packed bytes would look like the body. Raises Broken."""
    headers = response.headers
    if headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
        raise Broken("decode-failed")
    return ", ".join(headers.getall("Content-Encoding", ()))


def _too_long(lines: tuple[tuple[bytes, bytes], ...]) -> bool:
    return len(lines) > _LINES or len(b"".join(map(b"".join, lines))) + 4 * len(lines) > _HEAD


def _tell(error: Exception, reach: _Reach) -> NoReturn:
    """The word for what a library raised, whose text may hold the URL and is never shown."""
    if isinstance(error, Refused):
        raise NoAnswer(error.word) from None
    if isinstance(error, _DnsFailed):
        raise NoAnswer("proxy-failed" if reach.proxy else "dns-failed", unsent=error.again) from None
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        raise NoAnswer("proxy-failed", unsent=True) from None
    if isinstance(error, aiohttp.ClientHttpProxyError):
        raise NoAnswer("proxy-failed") from None
    if (word := tls.word_of(error)) is not None:
        raise NoAnswer(word) from None
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _HANDSHAKE):
        raise NoAnswer("tls-failed", unsent=True) from None
    if isinstance(error, aiohttp.ClientConnectorError):
        raise NoAnswer("connect-failed", unsent=True) from None
    if isinstance(error, _Disconnected | aiohttp.ClientPayloadError | OSError):
        raise NoAnswer("truncated", unsent=not reach.fresh, reading=True) from None
    if isinstance(error, aiohttp.ClientResponseError):
        raise NoAnswer("protocol-error") from None
    if isinstance(error, aiohttp.InvalidURL):
        raise NoAnswer("bad-url") from None
    if isinstance(error, aiohttp.ClientError):
        raise NoAnswer("protocol-error") from None
    raise error


def _literal(place: tuple[str, int]) -> frozenset[tuple[str, int]]:
    """The place itself where it is an address: libraries do not resolve those."""
    try:
        ipaddress.ip_address(place[0])
    except ValueError:
        return frozenset()
    return frozenset({place})


def _place(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy."""
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or urlsplit(proxy).scheme not in ("http", "https"):
        raise NoAnswer("proxy-failed")
    return host, port or (443 if proxy.startswith("https:") else 80)


def _bare(proxy: str | None) -> str | None:
    """The URL of a proxy without user and password, of the very place that is judged and nothing behind it:
    ``http://a.example/@10.0.0.1:80`` is read as two hosts by two readers."""
    if proxy is None:
        return None
    host, port = _place(proxy)
    return f"{urlsplit(proxy).scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _proxy_headers(proxy: str | None) -> dict[str, str] | None:
    user, at, _ = urlsplit(proxy or "").netloc.rpartition("@")
    if not at:
        return None
    user = unquote(user)
    user = user if ":" in user else f"{user}:"
    return {"Proxy-Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
