"""Who may be reached: every connection of a query is judged here, at the address that its socket is made for.

Private and reserved addresses are refused unless ``[network] allow`` names them; in safe mode everything is refused
that it does not name. An address inside another (``::ffff:10.0.0.1``, ``64:ff9b::a00:1``, ``2002:a00:1::``) is
judged as the inner one (IANA special-purpose registries, RFC 6890, RFC 6052, RFC 3056).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from os import environ
from typing import cast

from logsql.configuration.settings import Network
from logsql.loading import at

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Block = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Networks that are no part of the open internet: unspecified, private, carrier NAT, loopback, link-local, IETF,
#: documentation, benchmarks, multicast, reserved. Of IPv6 the same within 2000::/3; no address outside that block was
#: ever given to anybody but the special ones (loopback, unique local, link-local, multicast).
# fmt: off
CLOSED: tuple[_Block, ...] = (
    *map(ipaddress.IPv4Network, (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )),
    *map(ipaddress.IPv6Network, (
        "2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20",
    )),
)
# fmt: on
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
#: Names of this machine that resolvers and proxies know without asking (RFC 6761, /etc/hosts of Linux distributions).
_OWN_NAMES = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?", re.ASCII)
#: A last label that readers of addresses take for a number: ``2130706433``, ``0x7f``, ``0x``.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class Refused(Exception):
    """A target that may not be reached: ``word`` of the table of errors (:mod:`logsql.diagnostics.network`)."""

    def __init__(self, word: str, target: str) -> None:
        super().__init__(f"{word}: {target}")
        self.word = word
        self.target = target


def inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, else the address itself.

    >>> inner(ipaddress.ip_address("64:ff9b::7f00:1"))
    IPv4Address('127.0.0.1')
    """
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF)
    return address


def closed(address: Address) -> bool:
    """Whether an address is private, reserved or otherwise no part of the open internet."""
    judged = inner(address)
    if isinstance(judged, ipaddress.IPv6Address) and judged not in _GIVEN_OUT:
        return True
    return any(judged.version == block.version and judged in block for block in CLOSED)


def own_name(host: str) -> bool:
    """Whether a name means this machine wherever it is resolved.

    >>> own_name("localhost"), own_name("db.localhost"), own_name("localhost.example.com")
    (True, True, False)
    """
    return host in _OWN_NAMES or host.endswith(".localhost")


def spelled(host: str) -> str:
    """The host of a URL in its one spelling: an address, or a name in lower case and ASCII (IDNA).

    What resolvers and proxies read differently is no host: ``2130706433``, ``0x7f.1``, ``127.1``, ``0177.0.0.1``, a dot
    at the end, a percent sign (also the zone of an address), and characters that only become an address or
    ``localhost`` when they are normalised (full-width digits). Raises :class:`Refused`, ``bad-url``.

    >>> spelled("WWW.Example.com"), spelled("b\u00fccher.example"), spelled("[2001:DB8::1]")
    ('www.example.com', 'xn--bcher-kva.example', '2001:db8::1')
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if ":" in bare or bare is not host:
        try:
            return str(ipaddress.IPv6Address(bare if "%" not in bare else ""))
        except ValueError:
            raise Refused("bad-url", "") from None
    name = host.lower() if host.isascii() else _in_ascii(host)
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            address = str(ipaddress.IPv4Address(name))
        except ValueError:
            raise Refused("bad-url", "") from None
        if name != host.lower():
            raise Refused("bad-url", "")
        return address
    if len(name) > 253 or not all(len(one) < 64 and _LABEL.fullmatch(one) for one in labels):
        raise Refused("bad-url", "")
    if name != host.lower() and own_name(name):
        raise Refused("bad-url", "")
    return name


def _in_ascii(host: str) -> str:
    """A name with other characters than ASCII, as IDNA writes it (UTS 46 where the package is there, as it is with
    the extra ``net``; else the codec of Python)."""
    try:
        if find_spec("idna") is None:
            return unicodedata.normalize("NFKC", host).encode("idna").decode("ascii").lower()
        encode = cast("Callable[..., bytes]", at("idna:encode"))
        return encode(host, uts46=True).decode("ascii").lower()
    except (UnicodeError, ValueError):
        plain = unicodedata.normalize("NFKC", host)
        raise Refused("bad-url", plain if plain.isascii() else "") from None


@dataclass(frozen=True)
class Entry:
    """One entry of ``allow``: a network or a name, with a port or without (None: every port)."""

    host: str | _Block
    port: int | None

    @classmethod
    def of(cls, text: str) -> Entry:
        """``10.20.0.0/16``, ``127.0.0.1:9000``, ``[::1]:443``, ``intranet.example:8443``. ValueError for others."""
        host, port = split_port(text)
        try:
            return cls(ipaddress.ip_network(host), port)
        except ValueError:
            return cls(host.rstrip(".").lower(), port)

    def means(self, host: str, port: int | None) -> bool:
        """Whether it names this host: by its name, or by the address that it is."""
        if self.port is not None and self.port != port:
            return False
        if isinstance(self.host, str):
            return self.host == host.rstrip(".").lower()
        try:
            address = inner(ipaddress.ip_address(host))
        except ValueError:
            return False
        return address.version == self.host.version and address in self.host


def split_port(text: str) -> tuple[str, int | None]:
    """``host:port`` taken apart; an IPv6 address with a port stands in brackets. ValueError for a bad port."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, _port(rest[1:]) if rest.startswith(":") else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, _port(port)
    return text, None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ValueError(f"no port: {text}")
    return int(text)


@dataclass(frozen=True)
class Fence:
    """The rules of one session. ``safe``: nothing may be reached that ``allow`` does not name.

    A host is given as :func:`spelled` writes it. What has a URL asks :meth:`judged` before anything is resolved,
    resolves the name once, asks :meth:`checked`, and connects to one of the addresses that it gives back.
    """

    network: Network
    safe: bool = False

    @cached_property
    def _allowed(self) -> tuple[Entry, ...]:
        return tuple(map(Entry.of, self.network.allow))

    @cached_property
    def _plain(self) -> tuple[Entry, ...]:
        return tuple(map(Entry.of, self.network.plain_http))

    @cached_property
    def _instead(self) -> dict[tuple[str, int | None], tuple[str, int | None]]:
        """``resolve``: the name and port that it is for, the address and port to connect to."""
        pairs = ((split_port(name), split_port(target)) for name, target in self.network.resolve.items())
        return {(name.rstrip(".").lower(), port): target for (name, port), target in pairs}

    @property
    def shut(self) -> bool:
        """Whether no target at all can be reached: in safe mode, without an entry that names one."""
        return self.safe and not self.network.allow and not self.network.resolve

    def named(self, host: str, port: int | None) -> bool:
        """Whether ``allow`` names a host, or the address that it is."""
        return any(entry.means(host, port) for entry in self._allowed)

    def plain(self, host: str, port: int) -> bool:
        """Whether a host may be reached without TLS."""
        return any(entry.means(host, port) for entry in self._plain)

    def instead(self, host: str, port: int) -> tuple[str, int] | None:
        """The address and port that ``resolve`` gives for a name: connect there, it counts as allowed for this name."""
        found = self._instead.get((host, port)) or self._instead.get((host, None))
        return None if found is None else (found[0], found[1] or port)

    def judged(self, host: str, port: int, proxied: bool = False) -> None:
        """What can be said before a name is resolved: an address and a name of this machine are judged, in safe mode
        every name. ``proxied``: the proxy will resolve it, nothing else is asked. Raises :class:`Refused`."""
        if self.named(host, port) or self.instead(host, port) is not None:
            return
        address = _address(host)
        if address is not None:
            if self.safe or closed(address):
                raise Refused("refused-private", f"{host}:{port}")
        elif (proxied or not self.network.allow) if own_name(host) else self.safe:
            # In safe mode a name is not resolved: to ask for its address is to tell the name to others.
            raise Refused("refused-private", f"{host}:{port}")

    def checked(self, host: str, port: int, found: Sequence[str]) -> list[str]:
        """The addresses that a name was resolved to. Raises :class:`Refused` when one of them may not be reached."""
        by_name = self.named(host, port)
        if self.safe and not by_name and not all(self.named(one, port) for one in found):
            raise Refused("refused-private", f"{host}:{port}")
        for one in found:
            address = _address(one.partition("%")[0])
            if address is None or (closed(address) and not by_name and not self.named(str(address), port)):
                raise Refused("refused-private", f"{host}:{port}")
        return list(found)

    def configured(self, host: str, port: int) -> None:
        """A profile's host is allowed by being configured; in safe mode ``allow`` names it too. Raises Refused."""
        if self.safe and not self.named(host, port):
            raise Refused("refused-private", f"{host}:{port}")

    def proxy(self, scheme: str, host: str, port: int) -> str | None:
        """The proxy for a target, None for a connection of our own; one that is configured is allowed by that.

        ``env``: HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case. The URL may hold a user and a password: never
        print it.
        """
        if self.network.proxy == "none":
            return None
        if self.network.proxy != "env":
            return self.network.proxy
        url = _from_environment(f"{scheme}_proxy")
        if not url or _bypassed(host, port):
            return None
        return url if "://" in url else f"http://{url}"


def _from_environment(name: str) -> str:
    """A variable under its usual name or in capitals. HTTP_PROXY of a CGI program comes from whoever asks it."""
    if name == "http_proxy" and "REQUEST_METHOD" in environ:
        return environ.get(name, "")
    return environ.get(name) or environ.get(name.upper(), "")


def _bypassed(host: str, port: int) -> bool:
    """Whether NO_PROXY names a host: ``*``, a name and what is below it, an address, a network, with a port or not."""
    for text in _from_environment("no_proxy").replace(",", " ").split():
        try:
            entry = Entry.of(text.removeprefix("*.").lstrip("."))
        except ValueError:
            continue
        below = isinstance(entry.host, str) and entry.port in (None, port) and host.endswith(f".{entry.host}")
        if text == "*" or below or entry.means(host, port):
            return True
    return False


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
