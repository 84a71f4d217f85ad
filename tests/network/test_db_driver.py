"""Databases of other ADBC drivers: that of SQLite stands for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from tests.network.db_support import opened
from tests.network.others_support import profile, ran, refusal
from tests.network.test_dblookup import rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "other.db"
    with sqlite3.connect(made) as database:
        database.execute("create table t(id integer primary key, name text not null, x real, raw blob)")
        database.executemany("insert into t values(?,?,?,?)", [(1, "a|b", 1.5, b"\x00"), (2, "나", None, None)])
    database.close()
    return made


@pytest.fixture
def session(path: Path, tmp_path: Path) -> Iterator[logsql.Session]:
    pytest.importorskip("adbc_driver_sqlite", reason="package not installed: adbc-driver-sqlite (extra dev)")
    made = opened(tmp_path, profile("other", kind="shop", driver="adbc_driver_sqlite", url=f"file:{path}"))
    yield made
    made.close()


def test_query(session: logsql.Session) -> None:
    query = "set n = 2 | dbquery other select * from t where id <= :n and :n > 1 order by id"
    assert ran(session, query)[0] == [
        {"id": 1, "name": "a|b", "x": 1.5, "raw": b"\x00"},
        {"id": 2, "name": "나", "x": None, "raw": None},
    ]
    assert "nosuch" in refusal(session, "dbquery other select nosuch from t")


def test_lookup(session: logsql.Session) -> None:
    query = f"{rows({'k': 2}, {'k': 9}, {'k': 1})} | dblookup other select name from t where id = :k"
    assert [row["name"] for row in ran(session, query)[0]] == ["나", None, "a|b"]


def test_writing(session: logsql.Session, path: Path) -> None:
    given = rows({"id": 2, "name": "new"}, {"id": 3, "name": None}, {"id": 4, "name": "four"})
    found, lost = ran(session, f"{given} | dbload other type=update batchsize=10 table=t +id, name | fields _error")
    assert [row["_error"] is None for row in found] == [True, False, True]
    assert lost == {"row-not-written": 1}
    with sqlite3.connect(path) as database:
        assert database.execute("select id, name from t order by id").fetchall() == [
            (1, "a|b"),
            (2, "new"),
            (4, "four"),
        ]
    database.close()


def test_a_sqlite_profile_is_only_read_and_says_how_it_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as database:
        database.execute("create table t(id)")
    database.close()
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(path)))
    for command in ("dbload", "dboutput"):
        said = refusal(session, f"json \"{{'id': 1}}\" | {command} shop table=t id")
        assert said.startswith("E3063")
        assert 'driver = "adbc_driver_sqlite"' in said
    session.close()
