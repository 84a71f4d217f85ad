"""Directories: the service of a session, and what is known of a server without asking it.

What speaks to servers (:mod:`.ldapclient`) is imported when a search begins: a query that is only planned needs none
of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from logsql.connectors.fence import Refused, spelled
from logsql.diagnostics.engine import NETWORK_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, SourceError, diagnostic
from logsql.diagnostics.extras import missing_extra
from logsql.loading import at
from logsql.planner.connections.directory import Directory, Page, Search, Told
from udfs.extras import MissingExtra, needs_extra

if TYPE_CHECKING:
    from collections.abc import Callable

    from logsql.configuration.settings import Profile
    from logsql.connectors.access import Access


@dataclass(frozen=True)
class Server:
    """One URL of a profile: its host as :func:`.fence.spelled` writes it, and whether TLS begins at once."""

    host: str
    port: int
    encrypted: bool

    @property
    def target(self) -> str:
        """As users are told of it: scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.encrypted else 'ldap'}://{host}:{self.port}"


def server_of(url: str) -> Server:
    """A server of ``ldap://`` (389) or ``ldaps://`` (636). Raises :class:`Refused`, ``bad-url`` or ``refused-scheme``.

    >>> server_of("ldaps://DC1.example.com/ou=x").target
    'ldaps://dc1.example.com:636'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("bad-url", "") from None
    if parts.scheme not in ("ldap", "ldaps"):
        raise Refused("refused-scheme", "")
    host, encrypted = parts.hostname or "", parts.scheme == "ldaps"
    return Server(spelled(f"[{host}]" if ":" in host else host), port or (636 if encrypted else 389), encrypted)


class Client:
    """See :class:`logsql.planner.connections.directory.Directory`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    @cached_property
    def _sessions(self) -> Directory:
        try:
            needs_extra("ldapsearch", "ldap3", "ldap")
        except MissingExtra as problem:
            raise SourceError(missing_extra(problem)) from None
        made = cast("Callable[[Access], Directory]", at("logsql.connectors.ldapclient:Sessions"))
        return made(self._access)

    def permit(self, profile: Profile) -> None:
        """Raises PolicyError when a URL of the profile may not be reached in this session."""
        for url in profile.urls if self._access.files.policy.safe else ():
            try:
                server = server_of(url)
                self._access.fence.configured(server.host, server.port)
            except Refused as problem:
                raise PolicyError(diagnostic(NETWORK_NOT_ALLOWED, target=problem.target or profile.name)) from None

    def search(self, profile: Profile, search: Search, told: Told) -> Iterator[Page]:
        """The entries, page by page."""
        return self._sessions.search(profile, search, told)

    def test(self, profile: Profile) -> str:
        """The server and who is bound."""
        return self._sessions.test(profile)
