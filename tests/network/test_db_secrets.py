"""The password of a database is told nowhere: by no verb, no error, no file of the state, no exception of Python."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING

import pytest

import logsql
from tests.network.db_support import SECRET, opened, settings
from tests.network.others_support import configured
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.network.db_support import Database

WRONG = "planted-wrong'secret \\ 5c1e"
QUERIES = (
    "dbquery emp select 1 as v",
    "dbquery emp select nosuch",
    "dbquery emp select 1.5 / 0 as v",
    "json \"{'k': 1}\" | dblookup emp select :k::int as w",
    "json \"{'k': 1}\" | dbload emp table=nosuch k",
    "dbcall emp {call nosuch()}",
)


def failing(emp: Database) -> dict[str, tuple[str, dict[str, object]]]:
    """What goes wrong -> the password in the environment, and what the profile has other than it should."""
    right = emp.server.password
    return {
        "nothing": (right, {}),
        "password": (WRONG, {}),
        "user": (right, {"user": "nobody"}),
        "port": (right, {"url": "postgresql://app@localhost:1/emp"}),
        "database": (right, {"url": emp.server.url.replace("/emp", "/nosuch")}),
        "authority": (right, {"ca_file": str(emp.tls.pair("self_signed").cert)}),
        "name": (right, {"certificate_name": "elsewhere.example"}),
        "in-the-url": (right, {"url": emp.server.url.replace("app@", f"app:{right}@"), "password": None}),
        "option": (right, {"url": f"{emp.server.url}?options=-cfoo%3Dbar"}),
    }


KINDS = ("nothing", "password", "user", "port", "database", "authority", "name", "in-the-url", "option")


@pytest.mark.parametrize("kind", KINDS)
def test_no_exception_tells_it(emp: Database, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor those behind it, which Python prints with it or a debugger shows."""
    secret, changed = failing(emp)[kind]
    monkeypatch.setenv(SECRET, secret)
    session = opened(emp.folder, settings(emp.server, emp.tls, **changed))

    def run(query: str) -> list[str]:
        result = session.query(query)
        return [repr(result.rows()), repr(list(result.ledger)), repr(result.notes), result.sql]

    said: list[str] = []
    for query in QUERIES:
        for told in (run, session.explain, session.translate):
            try:
                said += [repr(told(query))]
            except logsql.LogsqlError as error:
                said += _chain(error)
    session.close()
    assert said
    assert not [one for one in said if secret in one]


def _chain(error: BaseException) -> list[str]:
    """An exception and those behind it, as Python prints them and as a debugger shows them."""
    said = traceback.format_exception(error)
    behind: BaseException | None = error
    while behind is not None:
        said += [repr(behind), str(behind), repr(vars(behind)), repr(behind.args)]
        behind = behind.__cause__ or behind.__context__
    return said


@pytest.mark.parametrize("kind", ["nothing", "password", "authority", "in-the-url"])
def test_no_verb_tells_it(emp: Database, kind: str, tmp_path: Path) -> None:
    secret, changed = failing(emp)[kind]
    config = configured(tmp_path, settings(emp.server, emp.tls, **changed))
    home = tmp_path / "home"
    home.mkdir()
    folders = {name: str(home) for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    begin = [sys.executable, "-m", "logsql", "--config", config]
    said = ""
    query = QUERIES[2]
    for args in (
        ["--debug", "-q", query, "--loss", "--stats"],
        ["translate", query],
        ["check", QUERIES[0]],
        ["profile", "test", "emp"],
        ["profile", "show", "emp"],
    ):
        run = subprocess.run(
            [*begin, *args], capture_output=True, text=True, cwd=ROOT, timeout=120,
            env={**os.environ, **folders, SECRET: secret},
        )  # fmt: skip
        said += run.stdout + run.stderr
    kept = "".join(path.read_text(errors="replace") for path in home.rglob("*") if path.is_file())
    assert said
    assert secret not in said + kept
