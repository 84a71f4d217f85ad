"""URLs as requests are made for them: taken apart once, strictly, and put together again without a second reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from urllib.parse import quote, unquote_plus, urljoin

from logsql.configuration.settings import Host
from logsql.connectors.fence import Refused, spelled, split_port

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
#: Control characters of ASCII and Latin-1, and the space.
_CONTROL = re.compile("[\x00-\x20\x7f-\x9f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
#: What no value of a header may hold (RFC 9110, 5.5): control characters but the tab.
_BROKEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
#: Characters of a path and query that are sent as they are; a percent sign is taken for one of the writer's own.
_KEPT = "!#$%&'()*+,/:;=?@[]~-._"
_AUTHORITY = re.compile(r"[^/?#]*")
#: A path that is sent as it is written.
_PLAIN = re.compile(r"/[!$%&'()*+,/:;=?@\[\]~A-Za-z0-9._-]*", re.ASCII)
#: A URL as most are: nothing in it has two readings, the path is sent as it is written.
_USUAL = re.compile(rf"(https?://[A-Za-z0-9.:-]+)({_PLAIN.pattern})", re.ASCII)
_PORTS = {"https": 443, "http": 80}
#: Headers that say how long a request is: two opinions of it are how requests are smuggled.
_FRAMING = frozenset({"content-length", "transfer-encoding"})
#: Headers that no row sets: Host names another host than the URL, which was judged; the others are the proxy's.
_NO_ROWS = frozenset({"host", "proxy-authorization", "proxy-connection"})

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Site:
    """Scheme, name and port, which the URLs of a query mostly share: what follows from them is made once."""

    scheme: str
    host: str
    port: int

    @cached_property
    def origin(self) -> tuple[str, str, int]:
        """The three: where headers may go along."""
        return self.scheme, self.host, self.port

    @cached_property
    def place(self) -> str:
        """``host``, ``host:port`` where the port is not that of the scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @cached_property
    def base(self) -> str:
        """``scheme://host:port``."""
        return f"{self.scheme}://{self.place}"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. ``path`` holds the query too, percent-encoded; ``user`` is the user part of the URL."""

    site: Site
    path: str
    user: str | None = None

    @property
    def url(self) -> str:
        """The URL that is asked for, without a user and a fragment."""
        return self.site.base + self.path

    @property
    def shown(self) -> str:
        """The URL as messages print it: without user, query and fragment."""
        return self.site.base + self.path.partition("?")[0]


def target_of(text: str) -> Target:
    """A URL taken apart. Raises :class:`Refused`: ``bad-url``, ``refused-scheme``.

    >>> target_of("https://Example.com/\\ud55c?a=1#top").url
    'https://example.com/%ED%95%9C?a=1'
    """
    if (usual := _USUAL.fullmatch(text)) is not None:
        return Target(_site(usual[1]), usual[2])
    found = _SCHEME.fullmatch(text)
    if found is None or _CONTROL.search(text):
        raise Refused("bad-url", "")
    scheme, rest = found[1].lower(), found[2]
    if scheme not in _PORTS:
        raise Refused("refused-scheme", "")
    if not rest.startswith("//"):
        raise Refused("bad-url", "")
    authority = _AUTHORITY.match(rest, 2)
    assert authority is not None, "it may be empty"
    path = rest[authority.end() :].partition("#")[0]
    if "\\" in authority[0] or "\\" in path.partition("?")[0]:
        raise Refused("bad-url", "")
    user, at, place = authority[0].rpartition("@")
    host, port = _place(place)
    try:
        encoded = path if _PLAIN.fullmatch(path) else quote(path if path[:1] == "/" else "/" + path, safe=_KEPT)
    except UnicodeError:
        raise Refused("bad-url", "") from None
    return Target(Site(scheme, host, port or _PORTS[scheme]), encoded, user if at else None)


@lru_cache(1000)
def _site(base: str) -> Site:
    """Of ``scheme://host:port``. Raises Refused."""
    scheme, _, place = base.partition("://")
    host, port = _place(place)
    return Site(scheme, host, port or _PORTS[scheme])


@lru_cache(1000)
def _place(text: str) -> tuple[str, int | None]:
    """Host, in its one spelling, and port of an authority; an empty port is none."""
    host = text[: text.rindex("]") + 1] if text.startswith("[") and "]" in text else text.partition(":")[0]
    rest = text[len(host) :]
    if rest in ("", ":"):
        return spelled(host), None
    try:
        _, port = split_port(f"x{rest}")
    except ValueError:
        raise Refused("bad-url", "") from None
    if port is None:
        raise Refused("bad-url", "")
    return spelled(host), port


def redirected(target: Target, location: str) -> Target:
    """Where a redirect leads. The user and the fragment of it are dropped."""
    if _CONTROL.search(location):  # urljoin takes some of them away, as browsers do
        raise Refused("bad-url", "")
    try:
        there = urljoin(target.url, location)
    except ValueError:
        raise Refused("bad-url", "") from None
    return replace(target_of(there), user=None)


def bad_of_row(headers: Headers) -> bool:
    """Whether a row must not set one of these headers; the configuration may (``[network.hosts."name"] headers``)."""
    return bad(headers) or any(name.lower() in _NO_ROWS for name, _ in headers)


def bad(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a name or value of a header must not be sent."""
    return any(
        not _TOKEN.fullmatch(name) or _BROKEN.search(value) is not None or name.lower() in _FRAMING
        for name, value in headers
    )


def settings_of(hosts: Mapping[str, Host], site: Site) -> Host | None:
    """The settings of a host: those under ``name:port``, else those under its name."""
    return hosts.get(f"{site.host}:{site.port}") or hosts.get(site.host)


def injected(target: Target, headers: Headers, host: Host | None) -> tuple[Target, Headers]:
    """The request with the parameters and headers of the host's settings added or put in place of its own."""
    if host is None or not (host.query or host.headers):
        return target, headers
    if host.query:
        path, _, query = target.path.partition("?")
        given = {name: secret.value() for name, secret in host.query.items()}
        kept = [one for one in query.split("&") if one and unquote_plus(one.partition("=")[0]) not in given]
        kept += [f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in given.items()]
        target = replace(target, path=f"{path}?{'&'.join(kept)}")
    if host.headers:
        ours = {name: secret.value() for name, secret in host.headers.items()}
        names = {name.lower() for name in ours}
        headers = (*(one for one in headers if one[0].lower() not in names), *ours.items())
    return target, headers
