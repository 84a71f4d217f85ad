"""Sessions whose configuration trusts the authority of the test servers and lets queries reach them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import logsql
from tests.servers.pki import Authority
from tests.servers.web import WebServer

if TYPE_CHECKING:
    from tests.network.db_support import Database
    from tests.servers.postgres import Postgres


@dataclass
class Asked:
    """What a query gave: its rows, and what the ledger holds as ``source reason`` -> count."""

    rows: list[dict[str, Any]]
    lost: dict[str, int]

    @property
    def row(self) -> dict[str, Any]:
        """The only row."""
        [row] = self.rows
        return row


@dataclass
class Net:
    """Queries under one configuration. ``settings`` is the text of ``[network]``, ``more`` what follows it."""

    folder: Path
    tls: Authority
    allow: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    more: str = ""
    sessions: list[Any] = field(default_factory=list)

    def reaching(self, *servers: WebServer) -> Net:
        """These servers may be reached, under ``localhost`` and their address."""
        for server in servers:
            places = [f"localhost:{server.port}", server.address]
            self.allow += places
            self.plain += places if server.scheme == "http" else []
        return self

    @property
    def file(self) -> Path:
        """The configuration, written now."""
        path = self.folder / "config.toml"
        given: dict[str, object] = {
            "allow": self.allow,
            "plain_http": self.plain,
            "ca_file": str(self.tls.ca_file),
            "proxy": "none",
            "cache_dir": str(self.folder / "cache"),
            **self.settings,
        }
        lines = [f"{key} = {_toml(value)}" for key, value in given.items()]
        path.write_text("[network]\n" + "\n".join(lines) + "\n" + self.more, encoding="utf-8")
        return path

    def session(self, **options: Any) -> Any:
        """Another session; it is closed with the test."""
        made = logsql.connect(config=str(self.file), **options)
        self.sessions.append(made)
        return made

    def ask(self, query: str, **options: Any) -> Asked:
        """The rows of a query, in a session of its own."""
        session = self.session(**options)
        result = session.query(query)
        rows = [dict(row) for row in result]
        lost = {f"{entry.source} {entry.reason}": entry.count for entry in result.ledger if entry.count}
        return Asked(rows, lost)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture
def net(tmp_path: Path, tls: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[Net]:
    """Queries that reach the servers which the test names, with folders of the test's own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Net(tmp_path, tls)
    yield made
    for session in made.sessions:
        session.close()


Server = Callable[[str], WebServer]


def rows_of(*urls: str | None, **more: object) -> str:
    """A ``json`` command with one row a URL."""
    rows = [{"n": n, **({"url": url} if url is not None else {}), **more} for n, url in enumerate(urls)]
    text = json.dumps(rows, ensure_ascii=False).replace("\\", "\\\\").replace('"', '\\"')
    return f'json "{text}"'


@pytest.fixture
def emp(postgres: Postgres, tls: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An empty database, and a session with the profile ``emp``."""
    pytest.importorskip("adbc_driver_postgresql", reason="package not installed: adbc-driver-postgresql (extra db)")
    from tests.network.db_support import Database

    made = Database(postgres, tls, tmp_path, monkeypatch)
    yield made
    made.session.close()
