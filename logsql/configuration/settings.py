"""The settings as commands and connectors read them: frozen, checked, with defaults. Pure data, no reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from logsql.configuration.secrets import Secret


@dataclass(frozen=True)
class Rate:
    """At most ``count`` requests in any window of ``seconds``."""

    count: int
    seconds: float


@dataclass(frozen=True)
class Host:
    """``[network.hosts."NAME"]``: what holds for requests to one host (``name`` or ``name:port``).

    ``cache`` in seconds. ``query`` and ``headers`` are added to, or put in place of, those of the request.
    """

    rate: Rate | None = None
    parallel: int | None = None
    quota_status: tuple[int, ...] = ()
    query: Mapping[str, Secret] = field(default_factory=dict)
    headers: Mapping[str, Secret] = field(default_factory=dict)
    cache: float | None = None
    ca_file: str | None = None
    client_cert: str | None = None
    client_key: str | None = None


@dataclass(frozen=True)
class Network:
    """``[network]``: what queries may reach and how patient they are. Times in seconds, sizes in bytes.

    ``allow``: networks, addresses, names, each with ``:port`` or without. ``resolve``: ``name:port`` to
    ``address:port``. ``proxy``: ``env``, ``none`` or a URL.
    """

    allow: tuple[str, ...] = ()
    plain_http: tuple[str, ...] = ()
    plain_ftp: tuple[str, ...] = ()
    resolve: Mapping[str, str] = field(default_factory=dict)
    ca_file: str | None = None
    proxy: str = "env"
    max_body: int = 64_000_000
    timeout: float = 30.0
    redirects: int = 5
    retries: int = 3
    retry_wait: float = 60.0
    parallel: int = 8
    cache_dir: str = ""
    cache_size: int = 256_000_000
    hosts: Mapping[str, Host] = field(default_factory=dict)


@dataclass(frozen=True)
class Profile:
    """``[profiles.NAME]``: a server that commands reach by name. Times in seconds.

    ``kind``: ``ldap``, ``postgresql``, ``sqlite`` ..., ``smtp``, ``sftp``, ``ftps``, ``ftp``. ``urls`` are tried in
    order. A key that its kind does not have is refused when the configuration is read.
    """

    name: str
    kind: str
    urls: tuple[str, ...] = ()
    user: str | None = None
    password: Secret | None = None
    tls: str = "starttls"
    base: str | None = None
    ca_file: str | None = None
    certificate_name: str | None = None
    page: int = 1000
    timeout: float = 60.0
    lists: tuple[str, ...] = ()
    path: str | None = None
    driver: str | None = None
    sender: str | None = None
    key_file: str | None = None
    host_key: str | None = None


@dataclass(frozen=True)
class Configuration:
    """The whole of it. ``files``: those that it was read from; none where there is no configuration."""

    network: Network = field(default_factory=Network)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    files: tuple[str, ...] = ()
