"""Where a database of a profile is, how libpq is told, and what its refusals to connect mean.

libpq makes its own sockets: the fence is asked for the profile's host before, and libpq is handed the addresses that
were looked up (``hostaddr``), so that no second look-up goes elsewhere. A host that is not this machine is reached with
``sslmode=verify-full``; nothing asks for less. What libpq cannot do: take an authority in addition to the system's
(``ca_file`` stands in its place), and say by a number what a certificate lacks (its words are read).
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from logsql.configuration.settings import Profile
from logsql.connectors.access import Access
from logsql.connectors.fence import Refused
from logsql.diagnostics.databases import DATABASE_SETTING
from logsql.diagnostics.engine import NETWORK_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, UsageError, diagnostic
from logsql.diagnostics.redaction import FEWEST, MASK, masked
from logsql.planner.connections.databases import DatabaseProblem
from logsql.store.files import Files

PORT = 5432
#: Parts of the URL that libpq is handed as they are; all others are refused.
_PASSED = frozenset(
    (
        "application_name",
        "connect_timeout",
        "keepalives",
        "keepalives_idle",
        "sslcert",
        "sslcrl",
        "sslkey",
        "target_session_attrs",
    )
)
#: What libpq says -> the word; the first that is found.
_WORDS = (
    # "too many connections for role", "remaining connection slots", "the database system is starting up"
    ("too many c", "server-refused"),
    ("connection slots", "server-refused"),
    ("database system is", "server-refused"),
    ("not currently accepting connections", "server-refused"),
    ("certificate has expired", "tls-expired"),
    ("certificate is not yet valid", "tls-expired"),
    ("does not match host name", "tls-name-mismatch"),
    ("certificate verify failed", "tls-untrusted"),
    ("root certificate", "tls-untrusted"),
    ("SSL", "tls-failed"),
    ("password", "bad-credentials"),
    ("authentication failed", "bad-credentials"),
    ("no pg_hba.conf entry", "bad-credentials"),
    ("role ", "bad-credentials"),
    ("could not translate host name", "dns-failed"),
    ("database ", "no-such-database"),
    ("timeout", "timeout"),
)


@dataclass(frozen=True)
class Place:
    """A database: how messages name it, and what libpq is told. The text holds the password and is never shown."""

    target: str
    conninfo: str
    secrets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Place({self.target})"

    def clean(self, text: str) -> str:
        """A text of the server or of a library without what must not be told."""
        for secret in self.secrets:
            if len(secret) >= FEWEST:  # "e" would spoil every word, and be told by that
                text = text.replace(secret, MASK)
        return masked(text)

    def refused(self, text: str) -> DatabaseProblem:
        """What a text of libpq about a connection that did not come about means."""
        word = next((word for part, word in _WORDS if part in text), "connect-failed")
        return DatabaseProblem(self.target, word=word)


def setting_error(profile: Profile, key: str) -> UsageError:
    """A setting of a profile that no database takes."""
    return UsageError(diagnostic(DATABASE_SETTING, name=profile.name, key=key))


def hosts_of(profile: Profile) -> list[tuple[str, int]]:
    """Host and port of each URL; a folder (of sockets) begins with a slash."""
    found: list[tuple[str, int]] = []
    for url in profile.urls:
        parts = urlsplit(url)
        asked = dict(parse_qsl(parts.query))
        host = parts.hostname or asked.get("host", "localhost")
        found.append((host, parts.port or int(asked.get("port", PORT))))
    return found


def target_of(profile: Profile) -> str:
    """The database as messages name it: without user, password and options."""
    if profile.path is not None:
        return profile.path
    if not profile.urls:
        return profile.name
    parts = urlsplit(profile.urls[0])
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def admit(profile: Profile, access: Access) -> None:
    """Ask the fence for the hosts of a profile. Raises PolicyError in safe mode for one that is not named there."""
    if not profile.urls and profile.kind == "postgresql":
        raise setting_error(profile, "url")
    for host, port in hosts_of(profile):
        try:
            access.fence.configured(host, port)
        except Refused:
            raise PolicyError(diagnostic(NETWORK_NOT_ALLOWED, target=target_of(profile))) from None


def postgres(profile: Profile, access: Access, password: str | None) -> Place:
    """What libpq is told. Raises DatabaseProblem for a name without an address, UsageError for a wrong setting."""
    target = target_of(profile)
    parts = urlsplit(profile.urls[0])
    asked = dict(parse_qsl(parts.query))
    given: dict[str, str] = {key: value for key, value in asked.items() if key in _PASSED}
    for key in asked:
        if key not in _PASSED and key not in ("host", "port", "user", "dbname", "sslmode"):
            raise setting_error(profile, key)
    if asked.get("sslmode", "verify-full") != "verify-full" and not all(
        _is_here(host) for host, _ in hosts_of(profile)
    ):
        raise setting_error(profile, "sslmode")
    given.setdefault("connect_timeout", str(max(2, round(profile.timeout))))
    given.setdefault("application_name", "logsql")
    given["client_encoding"] = "UTF8"  # else text comes as the database keeps it: é of a LATIN1 database as one byte
    given["user"] = profile.user or unquote(parts.username or "") or asked.get("user", "")
    given["dbname"] = unquote(parts.path.lstrip("/")) or asked.get("dbname", "")
    password = password if password is not None else (unquote(parts.password) if parts.password else None)
    if password:
        given["password"] = password
    given |= _hosts(profile, target)
    given |= _tls(profile, access, asked.get("sslmode"), given.get("hostaddr", ""))
    text = " ".join(f"{key}={_quoted(value)}" for key, value in given.items() if value)
    return Place(target, text, (password,) if password else ())


def _is_here(host: str) -> bool:
    """Whether a host is this machine by what is written: no name is looked up for it."""
    try:
        return host.startswith("/") or host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _hosts(profile: Profile, target: str) -> dict[str, str]:
    hosts: list[str] = []
    addresses: list[str] = []
    ports: list[str] = []
    for host, port in hosts_of(profile):
        if host.startswith("/"):
            return {"host": host, "port": str(port)}
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise DatabaseProblem(target, word="dns-failed") from None
        for address in dict.fromkeys(str(one[4][0]) for one in found):
            hosts.append(profile.certificate_name or host)
            addresses.append(address)
            ports.append(str(port))
    return {"host": ",".join(hosts), "hostaddr": ",".join(addresses), "port": ",".join(ports)}


def _tls(profile: Profile, access: Access, mode: str | None, addresses: str) -> dict[str, str]:
    ca_file = profile.ca_file or access.network.ca_file
    here = all(ipaddress.ip_address(one.partition("%")[0]).is_loopback for one in addresses.split(",") if one)
    if ca_file is not None:
        return {"sslmode": "verify-full", "sslrootcert": ca_file, "ssl_min_protocol_version": "TLSv1.2"}
    if here:
        return {"sslmode": mode or "prefer"}
    known = ssl.get_default_verify_paths()
    bundle = next(
        (one for one in (known.cafile, "/etc/ssl/certs/ca-certificates.crt") if one and Files().has_file(one)), "system"
    )
    return {"sslmode": "verify-full", "sslrootcert": bundle, "ssl_min_protocol_version": "TLSv1.2"}


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
