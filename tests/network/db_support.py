"""Sessions with a PostgreSQL profile, for the tests of commands that ask databases."""

from __future__ import annotations

from pathlib import Path

import pytest

import logsql
from tests.network.others_support import configured, profile
from tests.servers.pki import Authority
from tests.servers.postgres import Postgres

SECRET = "LOGSQL_TEST_DB_PASSWORD"


def settings(postgres: Postgres, tls: Authority, **changed: object) -> str:
    """The profile ``emp`` of the test server."""
    keys: dict[str, object] = {"kind": "postgresql", "url": postgres.url, "password": f"env:{SECRET}"}
    return profile("emp", **(keys | {"ca_file": str(tls.ca_file)} | changed))


def opened(folder: Path, text: str, tz: str = "Asia/Seoul", **options: object) -> logsql.Session:
    """A session with this configuration."""
    return logsql.connect(tz=tz, config=configured(folder, text), **options)


class Database:
    """The server, and a session that has the profile ``emp``."""

    def __init__(self, server: Postgres, tls: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(SECRET, server.password)
        self.server, self.tls, self.folder = server, tls, folder
        self.session = opened(folder, settings(server, tls))

    def psql(self, sql: str) -> str:
        """Run SQL as the super-user; what it makes belongs to everybody."""
        return self.server.psql(sql)
