"""Connections to directories: the URLs of a profile in order, TLS before a password is sent, a bind.

Who may be reached is judged at the address that the socket is made for; the name is resolved once.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from logsql.connectors import ldapwire as wire
from logsql.connectors import tls
from logsql.connectors.fence import Refused, split_port
from logsql.connectors.ldap import Server, server_of
from logsql.connectors.ldappages import Pages, failure, no_answer
from logsql.connectors.ldapwire import Failed, Link, Stopped
from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.messages import text
from logsql.diagnostics.network import bound_word

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.connectors.access import Access
    from logsql.planner.connections.directory import Page, Search, Told

BOUND = text("{server}: bound as {user}", "{server}: {user}(으)로 바인드했습니다")
BOUND_TLS = text("{server} ({tls}): bound as {user}", "{server}({tls}): {user}(으)로 바인드했습니다")
NOBODY = text("nobody (anonymous)", "익명 사용자")
#: After these another server of the profile is asked: it was not reached, or it is busy (51) or not available (52).
_UNREACHED = frozenset({"connect-failed", "dns-failed", "timeout", "truncated"})
_BUSY = frozenset({51, 52})


class _NoAnswer(Exception):
    """Why a server gave no answer: the error to show, and whether another server may be asked."""

    def __init__(self, error: LogsqlError, another: bool) -> None:
        super().__init__(str(error))
        self.error = error
        self.another = another


class Sessions:
    """Makes a connection for each search."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def search(self, profile: Profile, search: Search, told: Told) -> Iterator[Page]:
        """See :class:`logsql.planner.connections.directory.Directory`."""
        try:
            with self._bound(profile, told.cancelled) as (server, link):
                yield from Pages(server.target, link, profile, search, told).all()
        except Stopped:
            return

    def test(self, profile: Profile) -> str:
        """See :class:`logsql.planner.connections.directory.Directory`."""
        with self._bound(profile, lambda: False) as (server, link):
            try:
                answer = link.result(link.ask(lambda number: wire.extended_request(number, wire.WHO_AM_I)))
            except Failed as problem:
                raise failure(server.target, problem) from None
            named = answer.value.decode("utf-8", "replace") if answer.code == 0 else profile.user or ""
            user = named.removeprefix("dn:").removeprefix("u:") or NOBODY.fill()
            if link.protocol:
                return BOUND_TLS.fill(server=server.target, tls=link.protocol, user=user)
            return BOUND.fill(server=server.target, user=user)

    @contextmanager
    def _bound(self, profile: Profile, cancelled: Callable[[], bool]) -> Iterator[tuple[Server, Link]]:
        """A connection to the first server that answers, with the profile's user bound."""
        server, link = self._first(profile, cancelled)
        try:
            yield server, link
        finally:
            link.close()

    def _first(self, profile: Profile, cancelled: Callable[[], bool]) -> tuple[Server, Link]:
        password = self._password(profile)
        problem = no_answer(profile.name, "bad-url")
        for number, url in enumerate(profile.urls):
            try:
                return self._opened(profile, url, password, cancelled)
            except _NoAnswer as other:
                problem = other.error if number == 0 or not other.another else problem
                if not other.another:
                    break
        raise problem

    def _password(self, profile: Profile) -> bytes:
        """The password; empty without a user. A user without one is refused: servers take an empty password for
        nobody's and say that all is well (RFC 4513, 5.1.2)."""
        if not profile.user:
            return b""
        given = b"" if profile.password is None else profile.password.value().encode()
        if not given:
            raise no_answer(profile.name, "empty-password")
        return given

    def _opened(
        self, profile: Profile, url: str, password: bytes, cancelled: Callable[[], bool]
    ) -> tuple[Server, Link]:
        try:
            server = server_of(url)
            self._access.fence.configured(server.host, server.port)
        except Refused as problem:
            raise _NoAnswer(no_answer(problem.target or profile.name, problem.word), False) from None
        plain = not server.encrypted and profile.tls == "none"
        try:
            return server, self._link(server, profile, plain, password, cancelled)
        except Refused as problem:
            raise _NoAnswer(no_answer(server.target, problem.word), False) from None
        except Failed as problem:
            another = problem.word in _UNREACHED or problem.code in _BUSY
            raise _NoAnswer(failure(server.target, problem), another) from None

    def _link(
        self, server: Server, profile: Profile, plain: bool, password: bytes, cancelled: Callable[[], bool]
    ) -> Link:
        network = self._access.network
        trusted = (network.ca_file, profile.ca_file)
        context = None if plain else tls.context(trusted, certificate_name=profile.certificate_name)
        find = partial(self._addresses, server, plain and bool(password))
        link = Link(wire.connected(find, profile.timeout, cancelled), profile.timeout, network.max_body, cancelled)
        try:
            if context is not None:
                if not server.encrypted:
                    answer = link.result(link.ask(lambda number: wire.extended_request(number, wire.START_TLS)))
                    if answer.code != 0:
                        raise Failed("tls-failed", answer.code)
                link.start_tls(context, server.host)
            answer = link.result(link.ask(lambda number: wire.bind_request(number, profile.user, password)))
            if answer.code != 0:
                raise Failed(bound_word(answer.code), answer.code)
            return link
        except BaseException:
            link.close()
            raise

    def _addresses(self, server: Server, only_loopback: bool) -> list[tuple[str, int]]:
        """Where to connect to. ``only_loopback``: what is sent is not encrypted and holds a password."""
        instead = self._access.network.resolve.get(f"{server.host}:{server.port}")
        if instead is not None:
            host, port = split_port(instead)
            found = [(host, port or server.port)]
        else:
            try:
                looked_up = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
            except OSError:
                raise Failed("dns-failed") from None
            found = list(dict.fromkeys((str(one[4][0]), server.port) for one in looked_up))
        if only_loopback and not all(ipaddress.ip_address(host.partition("%")[0]).is_loopback for host, _ in found):
            raise Refused("tls-required", server.target)
        return found
