"""What the connectors of profiles have in common: where the server is, its secret, whom TLS trusts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from logsql.configuration.settings import Profile
from logsql.connectors.access import Access
from logsql.connectors.failures import no_answer, refused
from logsql.connectors.fence import Refused
from logsql.connectors.tls import Context, context


@dataclass(frozen=True)
class Place:
    """Where a profile's server is. ``user`` is that of the profile, else that of the URL."""

    scheme: str
    host: str
    port: int
    user: str | None

    @property
    def told(self) -> str:
        """The server as messages name it: no user, no path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def place_of(profile: Profile, ports: dict[str, int]) -> Place:
    """The server of a profile. ``ports``: the schemes that its kind may have, each with its port.

    Raises SourceError (``bad-url``) for a URL of another scheme, or without a host.
    """
    url = profile.urls[0] if profile.urls else ""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise no_answer(profile.name, "bad-url") from None
    if parts.scheme not in ports or not host:
        raise no_answer(profile.name, "bad-url")
    user = profile.user or (unquote(parts.username) if parts.username else None)
    return Place(parts.scheme, host, port or ports[parts.scheme], user)


def check_place(place: Place, access: Access) -> None:
    """Raise PolicyError where the server may not be reached: in safe mode ``allow`` names it."""
    try:
        access.fence.configured(place.host, place.port)
    except Refused as problem:
        raise refused(problem, access) from None


def password_of(profile: Profile) -> str | None:
    """The password, read now; never kept. Raises UsageError for one that is missing."""
    return None if profile.password is None else profile.password.value()


def tls_of(profile: Profile, access: Access) -> Context:
    """Whom TLS trusts for this profile, and the name that the certificate must have."""
    return context((profile.ca_file, access.network.ca_file), certificate_name=profile.certificate_name)
