"""``dblookup``: fields of another database for each row."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from tests.network.db_support import opened
from tests.network.others_support import profile, ran

if TYPE_CHECKING:
    from tests.network.db_support import Database

_USERS = (
    "create table users(id int primary key, login text, name text, n numeric(5,2), born date, at timestamp);"
    "insert into users values (1, 'logpresso', 'Log', 1.5, '2000-01-02', '2026-01-02 03:04:05'),"
    "(2, 'kim', 'Kim', null, null, null), (3, 'kim', 'Second', null, null, null); grant all on users to app"
)


def rows(*found: dict[str, object]) -> str:
    """The rows as a query."""
    text = json.dumps(list(found)).replace("\\", "\\\\").replace('"', '\\"')
    return f'json "{text}"'


@pytest.fixture
def users(emp: Database) -> Database:
    emp.psql(_USERS)
    return emp


def test_the_first_row_is_merged_in(users: Database) -> None:
    given = rows({"login": "kim", "name": "old"}, {"login": "logpresso"}, {"login": "nobody", "name": "gone"})
    query = f"{given} | dblookup emp select name, id from users where login = :login order by id"
    found, lost = ran(users.session, query)
    assert found == [
        {"login": "kim", "name": "Kim", "id": 2},
        {"login": "logpresso", "name": "Log", "id": 1},
        {"login": "nobody", "name": None, "id": None},
    ]
    assert lost == {}


@pytest.mark.parametrize("bypass", ['bypass="isnull(login)"', "bypass=isnull(login)"])
def test_a_row_that_is_let_pass_is_as_it_was(users: Database, bypass: str) -> None:
    given = rows({"login": None, "name": "kept"}, {"login": "kim", "name": "x"})
    query = f"{given} | dblookup emp {bypass} select name, born from users where login = :login"
    found, _ = ran(users.session, query)
    assert found == [
        {"login": None, "name": "kept", "born": None},
        {"login": "kim", "name": "Kim", "born": None},
    ]


def test_types_of_keys_and_answers(users: Database) -> None:
    """A number, its text and a whole double are one key; text that is no number has no answer and is counted."""
    given = rows({"k": 1}, {"k": "1"}, {"k": 1.0}, {"k": "abc"}, {"k": None})
    query = f"{given} | dblookup emp select n, born, at from users where id = :k"
    query += ' | eval s = string(at, "HH:mm") | fields n, born, s'
    found, lost = ran(users.session, query)
    assert [row["s"] for row in found] == ["03:04", "03:04", "03:04", None, None]
    assert [str(row["n"]) for row in found] == ["1.50", "1.50", "1.50", "None", "None"]
    assert lost == {"key-not-looked-up": 1}


def test_numbers_without_a_size_keep_their_digits(users: Database) -> None:
    """As dbquery has them, by what is written: a double holds 17 digits of them, and is asked for nowhere."""
    sql = "select :k::int * 1.25 as p, 1234567890123456789.12 as b, 1::numeric / 3 as third, 10::numeric ^ 40 as far"
    query = f"{rows({'k': 1}, {'k': 4})} | dblookup emp {sql}"
    found = users.session.query(f"{query} | eval q = p * 3, same = b == 1234567890123456789.12, s = string(b)")
    assert found.arrow().select(["p", "b", "third", "q", "s"]).to_pylist() == [
        {
            "p": "1.25",
            "b": "1234567890123456789.12",
            "third": "0.33333333333333333333",
            "q": "3.75",
            "s": "1234567890123456789.12",
        },
        {
            "p": "5",
            "b": "1234567890123456789.12",
            "third": "0.33333333333333333333",
            "q": "15",
            "s": "1234567890123456789.12",
        },
    ]
    rows_, lost = ran(users.session, f"{query} | fields far")
    assert [row["far"] for row in rows_] == ["1" + "0" * 40] * 2
    assert lost == {"not-a-decimal": 2}


def test_equal_keys_are_asked_for_once(users: Database) -> None:
    users.psql(
        "create table asked(k text); grant all on asked to app; create sequence calls; grant all on calls to app;"
    )
    given = rows(*({"k": str(n % 3)} for n in range(100)))
    before = len(users.server.log)
    found, _ = ran(users.session, f"{given} | dblookup emp select 'v' || :k as v")
    assert [row["v"] for row in found] == [f"v{n % 3}" for n in range(100)]
    assert users.server.log[before:].count("LEFT JOIN LATERAL") <= 2  # prepared, run


def test_order_is_kept(users: Database) -> None:
    users.session.register("many", pa.table({"k": [(n * 7919) % 5000 for n in range(20_000)]}))
    found, _ = ran(users.session, "table order=asc many | dblookup emp select :k::int + 1 as v | fields k, v")
    assert [row["k"] for row in found] == [(n * 7919) % 5000 for n in range(20_000)]
    assert all(isinstance(row["k"], int) and row["v"] == row["k"] + 1 for row in found)


def test_a_field_that_the_rows_lack_is_told(users: Database) -> None:
    query = f"{rows({'login': 'kim'})} | dblookup emp select name from users where login = :logn"
    result = users.session.query(query)
    assert result.rows() == [{"login": "kim", "name": None}]
    (note,) = result.notes
    assert note.code == "N1050"
    assert '"login"' in (note.help or "")


def test_values_are_bound(users: Database) -> None:
    found, _ = ran(users.session, f"{rows({'k': chr(39) + '; drop table users; --'})} | dblookup emp select :k as v")
    assert found[0]["v"] == "'; drop table users; --"
    assert users.psql("select count(*) from users") == "3"


@pytest.mark.parametrize("name", ["lqk", "LQK", "lqa", "lq"])
def test_a_table_of_the_statement_may_have_any_name(emp: Database, name: str) -> None:
    """One called lqk hid the keys: "column lqk.v does not exist"."""
    query = f"{rows({'k': '1'})} | dblookup emp select {name}.n as a from (select 5 as n) {name} where :k = '1'"
    assert ran(emp.session, query)[0] == [{"k": "1", "a": 5}]


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as database:
        database.execute("create table t(id integer, name text)")
        database.executemany("insert into t values(?,?)", [(1, "a"), (2, "b")])
    database.close()
    session = opened(tmp_path, profile("lite", kind="sqlite", path=str(path)))
    found, _ = ran(session, f"{rows({'k': 2}, {'k': '1'}, {'k': 3})} | dblookup lite select name from t where id = :k")
    assert [row["name"] for row in found] == ["b", "a", None]
    session.close()
