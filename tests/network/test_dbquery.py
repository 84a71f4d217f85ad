"""``dbquery``: where SQL ends, what is bound, what a server refuses, and that nothing runs on when nobody reads."""

from __future__ import annotations

import contextlib
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.network.db_support import opened, settings
from tests.network.others_support import interrupted_after, profile, ran, refusal

if TYPE_CHECKING:
    from tests.network.db_support import Database


def rows_of(emp: Database, query: str, **params: object) -> list[dict[str, object]]:
    return emp.session.query(query, params=params).rows()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 'a|b' as v", "a|b"),
        ("select 'a' || '|' || 'b' as v", "a|b"),
        ("select 'it''s | ]' as v", "it's | ]"),
        ("select E'it\\'s | x' as v", "it's | x"),
        ("select $$a | ' ] b$$ as v", "a | ' ] b"),
        ("select $q$a $$ | b$q$ as v", "a $$ | b"),
        ("select 1 /* | ] ' /* nested | */ */ + 1 as v", 2),
        ("select 7 -- it's | ]\n as v", 7),
        ("select (array[5,6])[2] as v", 6),
        ("select (5 | 2) as v", 7),
        ("select '{\"a\":1}'::jsonb ?| array['a'] as v", True),
        ("select '“x”' as v", "“x”"),
        ("select 1 as v;", 1),
        ("select 1 as v; -- the end", 1),
        ("with x as (select 3 as v) select * from x", 3),
        ("values (4)", 4),
        ("table one", 9),
        ("show server_encoding", "UTF8"),
    ],
)
def test_where_sql_ends(emp: Database, sql: str, expected: object) -> None:
    emp.psql("create table one(v int); insert into one values (9); grant all on one to app")
    for query in (f"dbquery emp {sql} | limit 1", f"json '{{}}' | limit 0 | union [ dbquery emp {sql} ]"):
        if sql.endswith("the end") or "json '" in query:
            query = (
                query.replace("json '{}'", 'json "{}"')
                .replace("the end |", "the end\n|")
                .replace("the end ]", "end\n]")
            )
        (row,) = rows_of(emp, query)
        assert list(row.values()) == [expected], query


def test_parameters_are_bound(emp: Database) -> None:
    """A value is never SQL, whatever it holds; ``:name`` in quotes, comments and behind ``:`` is text."""
    nasty = "x'; drop table one; --"
    emp.psql("create table one(v text); grant all on one to app")
    query = "dbquery emp select :a as a, ':a' as b, '1'::int as c /* :z */ -- :y"
    assert rows_of(emp, query, a=nasty) == [{"a": nasty, "b": ":a", "c": 1}]
    assert rows_of(emp, "dbquery emp select count(*) as n from one where v = :a", a=nasty) == [{"n": 0}]


@pytest.mark.parametrize(
    ("setting", "condition"),
    [
        ('n = "5"', "g = :n"),
        ("n = 5", "g::text = :n"),
        ("n = 5", "g = :n and :n < 6"),
        ('n = date("2026-01-05", "yyyy-MM-dd")', "t >= :n and t < :n + interval '1 day'"),
        ('n = string(date("2026-01-05", "yyyy-MM-dd"), "yyyy-MM-dd")', "t::date = :n"),
        ("n = true", "(g = 5) = :n"),
    ],
)
def test_the_server_converts_a_value_to_the_type_it_expects(emp: Database, setting: str, condition: str) -> None:
    emp.psql(
        "create table days as select g, timestamp '2026-01-01' + g * interval '1 day' - interval '1 day' as t "
        "from generate_series(1, 9) g; grant all on days to app"
    )
    query = f"set {setting} | dbquery emp select g from days where {condition}"
    assert rows_of(emp, query) == [{"g": 5}]


def test_a_parameter_that_is_null(emp: Database) -> None:
    assert rows_of(emp, "dbquery emp select :a::int as v, :a is null as n", a=None) == [{"v": None, "n": True}]


def test_a_parameter_that_is_not_set_is_pointed_at(emp: Database) -> None:
    query = "set created_at = 1 | dbquery emp select 1 where 1 = :created_a"
    with pytest.raises(LogsqlError) as found:
        rows_of(emp, query)
    said = found.value.diagnostic
    assert said.code == "E2073"
    assert said.span is not None
    assert query[said.span.start : said.span.end] == ":created_a"
    assert '"created_at"' in (said.help or "")


def test_a_part_of_sql_is_no_parameter(emp: Database) -> None:
    assert rows_of(emp, 'set sql = "select 1 as a" | dbquery emp $("sql")') == [{"a": 1}]
    assert refusal(emp.session, 'set sql = "select 1" | dbquery emp $("sql") where a').startswith("E2072")


@pytest.mark.parametrize(
    ("sql", "pointed"),
    [
        ("selec 1", "selec"),
        ("select a, nosuch from one", "nosuch"),
        ("select * from nowhere where a = :p", "nowhere"),
        ("select :p::int, nosuch from one", "nosuch"),
    ],
)
def test_an_error_points_into_the_sql(emp: Database, sql: str, pointed: str) -> None:
    emp.psql("create table one(a int); grant all on one to app")
    query = f"set p = 1 | dbquery emp {sql} | limit 5"
    with pytest.raises(LogsqlError) as found:
        rows_of(emp, query)
    said = found.value.diagnostic
    assert said.code == "E3060"
    assert said.span is not None
    assert query[said.span.start : said.span.end] == pointed


def test_an_error_of_the_data_comes_with_the_rows(emp: Database) -> None:
    with pytest.raises(LogsqlError, match="division by zero") as found:
        rows_of(emp, "dbquery emp select 1 / (g - 3) as v from generate_series(1, 5) g")
    assert found.value.exit_code == 3


@pytest.mark.parametrize(
    "sql",
    [
        "insert into one values (2)",
        "insert into one values (2) returning v",
        "with w as (insert into one values (2) returning v) select * from w",
        "commit",
        "commit; insert into one values (2)",
        "select 1; insert into one values (2)",
        "select 1) as x; insert into one values (2); --",
        "set transaction read write",
        "select set_config('transaction_read_only', 'off', false)",
        "create table two as select 1",
        "copy one to stdout",
        "do $$ begin insert into one values (3); end $$",
        "select writes()",
        "select nextval('s')",
    ],
)
def test_nothing_is_written(emp: Database, sql: str) -> None:
    emp.psql(
        "create table one(v int); create sequence s; grant all on one, s to app;"
        "create function writes() returns int language sql as 'insert into one values (9) returning v'"
    )
    refusal(emp.session, f"dbquery emp {sql}")
    assert emp.psql("select count(*) from one") == "0"
    # and the connection is as it was
    assert rows_of(emp, "dbquery emp select current_setting('transaction_read_only') as r") == [{"r": "on"}]


def test_what_a_function_does_in_spite_of_that_is_taken_back(emp: Database) -> None:
    """PostgreSQL 15 makes large objects in transactions that only read; no transaction of a dbquery is committed."""
    with contextlib.suppress(LogsqlError):  # PostgreSQL 16 refuses it
        emp.session.query("dbquery emp select lo_create(77) as v").rows()
    assert emp.psql("select count(*) from pg_largeobject_metadata") == "0"


def test_rows_stream_and_keep_their_order(emp: Database) -> None:
    columns = "g, 'x' || g as t, (g * 1.5)::numeric(10,1) as n, g::numeric as u"
    query = f"dbquery emp select {columns} from generate_series(1, 200000) g"
    result = emp.session.query(query)
    seen = 0
    for batch in result.batches():
        assert batch.num_rows <= 200_000
        numbers = batch.column("g").to_pylist()
        assert numbers == list(range(seen + 1, seen + 1 + len(numbers)))
        seen += len(numbers)
    assert seen == 200_000


@pytest.mark.parametrize("where", ["true", "g > :low"])
def test_a_limit_ends_the_statement(emp: Database, where: str) -> None:
    """A billion rows, of which three are wanted: with and without bound values."""
    begun = time.monotonic()
    query = f"dbquery emp select g from (select generate_series(1, 1000000000000) as g) s where {where} | limit 3"
    assert len(rows_of(emp, query, low=0)) == 3
    assert time.monotonic() - begun < 20
    _until(lambda: not [one for one in emp.server.running() if "generate_series" in one])


@pytest.mark.parametrize(
    "sql",
    [
        "select pg_sleep(60)",
        "select pg_sleep(60), :p",
        "select count(*) from generate_series(1, 100000000000)",
        "select g, pg_sleep(0.01) from generate_series(1, 100000) g",
        "select sum(g::numeric) from generate_series(1, 100000000000) g",
    ],
)
def test_an_interrupt_ends_the_statement_on_the_server(emp: Database, sql: str) -> None:
    query = f"dbquery emp {sql}"
    timer = interrupted_after(emp.session, 1.5)
    begun = time.monotonic()
    with pytest.raises(LogsqlError) as found:
        rows_of(emp, query, p=1)
    timer.join()
    assert found.value.exit_code == 130, found.value
    assert time.monotonic() - begun < 20
    _until(lambda: not emp.server.running())
    assert rows_of(emp, "dbquery emp select 1 as v") == [{"v": 1}]


def test_a_time_limit_ends_the_statement_on_the_server(emp: Database) -> None:
    session = opened(emp.folder, settings(emp.server, emp.tls), timeout=1.5)
    with pytest.raises(LogsqlError) as found:
        session.query("dbquery emp select pg_sleep(60)").rows()
    assert found.value.exit_code == 4
    _until(lambda: not emp.server.running())
    session.close()


def test_a_server_that_goes_away(emp: Database) -> None:
    def kill() -> None:
        _until(lambda: bool(emp.server.running()))
        emp.server.psql("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")

    killer = threading.Thread(target=kill)
    killer.start()
    said = refusal(emp.session, "dbquery emp select pg_sleep(60)")
    killer.join()
    assert said.startswith(("E3041", "E3060"))
    assert rows_of(emp, "dbquery emp select 1 as v") == [{"v": 1}]


def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds; a test that waits in vain fails."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.05)


# --- planning --------------------------------------------------------------------------------------------------------


def test_looking_at_a_query_opens_no_connection(emp: Database) -> None:
    before = emp.server.log
    query = "dbquery emp select 1 as v | eval w = v + 1"
    emp.session.translate(query)
    emp.session.explain(query)
    assert "select 1 as v" not in emp.server.log[len(before) :]


def test_a_plan_that_reads_twice(emp: Database) -> None:
    joined = "join v [ dbquery emp select 2 as v, 'x' as w ]"
    query = f"dbquery emp select 1 as v | union [ dbquery emp select 2 as v ] | {joined}"
    assert rows_of(emp, query) == [{"v": 2, "w": "x"}]


# --- connections -----------------------------------------------------------------------------------------------------


def _nothing(*args: object, **kwargs: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"password": "wrong-secret-1"}, "bad-credentials"),
        ({"password": None}, "bad-credentials"),
        ({"user": "nobody"}, "bad-credentials"),
        ({"certificate_name": "elsewhere.example"}, "tls-name-mismatch"),
        ({"url": "postgresql://app@localhost:1/emp"}, "connect-failed"),
        ({"url": "postgresql://app@nosuch.invalid/emp"}, "dns-failed"),
    ],
)
def test_words_of_connections_that_fail(
    emp: Database, changed: dict[str, object], word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "invalid" in str(changed):  # no name is asked for outside the machine
        monkeypatch.setattr(socket, "getaddrinfo", _nothing)
    session = opened(emp.folder, settings(emp.server, emp.tls, **changed))
    said = refusal(session, "dbquery emp select 1")
    assert said.startswith("E3041")
    assert word in said
    assert "wrong-secret-1" not in said
    assert emp.server.password not in said
    session.close()


def test_a_certificate_of_an_unknown_authority(emp: Database) -> None:
    other = emp.tls.pair("self_signed").cert
    session = opened(emp.folder, settings(emp.server, emp.tls, ca_file=str(other)))
    assert "tls-untrusted" in refusal(session, "dbquery emp select 1")
    session.close()


def test_verification_cannot_be_turned_off(emp: Database) -> None:
    url = "postgresql://app@db.example.com/emp?sslmode=disable"
    session = opened(emp.folder, settings(emp.server, emp.tls, url=url))
    assert refusal(session, "dbquery emp select 1").startswith("E2")
    session.close()


def test_safe_mode_reaches_what_is_named_only(emp: Database) -> None:
    text = settings(emp.server, emp.tls)
    before = emp.server.connections()
    session = opened(emp.folder, text, safe=True)
    assert refusal(session, "dbquery emp select 1").startswith("E4001")
    session.close()
    assert emp.server.connections() == before
    allowed = f'[network]\nallow = ["localhost:{emp.server.port}"]\n{text}'
    session = opened(emp.folder, allowed, safe=True)
    assert session.query("dbquery emp select 1 as v").rows() == [{"v": 1}]
    session.close()


def test_no_secret_is_told(emp: Database, tmp_path: Path) -> None:
    """Not by an error that quotes it, nor by plan, explain, ledger or notes."""
    secret = emp.server.password
    said = [refusal(emp.session, f"dbquery emp select '{secret[:3]}' || nosuch")]
    query = "dbquery emp select 1 as v"
    said += [repr(emp.session.explain(query)), emp.session.translate(query), repr(emp.session.query(query).rows())]
    assert all(secret not in one for one in said)


def test_an_unknown_profile_has_near_names(emp: Database) -> None:
    with pytest.raises(LogsqlError) as found:
        rows_of(emp, "dbquery emb select 1")
    assert found.value.code == "E3040"
    assert "emp" in (found.value.diagnostic.help or "")


# --- SQLite ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("create table t(id integer primary key, name text, price real, mixed, raw blob)")
        rows = [(1, "a", 1.5, 1, b"\x00\x01"), (2, "나", 2.0, "x", None), (2**63 - 1, None, None, 2.5, None)]
        database.executemany("insert into t values(?,?,?,?,?)", rows)
    database.close()
    return path


def test_sqlite(shop: Path, tmp_path: Path) -> None:
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(shop)))
    rows, lost = ran(session, "dbquery shop select * from t order by id")
    assert rows == [
        {"id": 1, "name": "a", "price": 1.5, "mixed": 1, "raw": b"\x00\x01"},
        {"id": 2, "name": "나", "price": 2.0, "mixed": "x", "raw": None},
        {"id": 2**63 - 1, "name": None, "price": None, "mixed": 2.5, "raw": None},
    ]
    assert lost == {}
    asked = "set n = 2 | dbquery shop select name || '|' as v from t where id = :n | limit 1"
    assert session.query(asked).rows() == [{"v": "나|"}]
    assert session.query("dbquery shop select 1 as a, 2 as a from t where 0").rows() == []
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "delete from t",
        "delete from t returning id",
        "attach 'other.db' as other",
        "pragma journal_mode = wal",
        "select load_extension('x')",
        "create table u(a)",
        "vacuum into 'copy.db'",
        "select 1; delete from t",
        "begin immediate",
    ],
)
def test_sqlite_is_only_read(shop: Path, tmp_path: Path, sql: str) -> None:
    before = shop.read_bytes(), sorted(tmp_path.iterdir())
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(shop)))
    refusal(session, f"dbquery shop {sql}")
    session.close()
    assert shop.read_bytes() == before[0]
    assert {path.name for path in tmp_path.iterdir()} - {path.name for path in before[1]} <= {"config.toml"}


def test_sqlite_in_safe_mode(shop: Path, tmp_path: Path) -> None:
    """The file must lie in a folder that may be read, and so must what a link leads to."""
    link = tmp_path / "inside" / "link.db"
    link.parent.mkdir()
    link.symlink_to(shop)
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(link)), safe=True, allow_dirs=[str(link.parent)])
    assert refusal(session, "dbquery shop select 1").startswith("E4001")
    session.close()
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(shop)), safe=True, allow_dirs=[str(link.parent)])
    assert refusal(session, "dbquery shop select 1").startswith("E4001")
    session.close()


def test_sqlite_in_an_allowed_folder_is_read_in_safe_mode(shop: Path, tmp_path: Path) -> None:
    """Also through a link that stays inside; not any more when the link is turned."""
    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / "shop.db") as secret:
        secret.execute("create table t(id)")
        secret.execute("insert into t values ('secret')")
    secret.close()
    case = tmp_path / "case"
    case.mkdir()
    shop.rename(case / "shop.db")
    link = case / "link.db"
    link.symlink_to(case / "shop.db")
    for name in ("shop.db", "link.db"):
        text = profile("shop", kind="sqlite", path=str(case / name))
        session = opened(tmp_path, text, safe=True, allow_dirs=[str(case)])
        query = "dbquery shop select count(*) as n from t"
        assert session.query(query).rows()[0]["n"]
        result = session.query("dbquery shop select id from t")
        if name == "link.db":  # between plan and run
            link.unlink()
            link.symlink_to(other / "shop.db")
            with pytest.raises(LogsqlError) as caught:
                result.rows()
            assert caught.value.code == "E4001"
            assert refusal(session, query).startswith("E4001")
        session.close()


def test_an_error_of_sqlite_points_into_the_sql(shop: Path, tmp_path: Path) -> None:
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(shop)))
    query = "dbquery shop select nosuch from t"
    with pytest.raises(LogsqlError) as found:
        session.query(query).rows()
    span = found.value.diagnostic.span
    assert span is not None
    assert query[span.start : span.end] == "nosuch"
    session.close()


def test_a_long_statement_of_sqlite_is_interrupted(shop: Path, tmp_path: Path) -> None:
    session = opened(tmp_path, profile("shop", kind="sqlite", path=str(shop)))
    timer = interrupted_after(session, 1.0)
    with pytest.raises(LogsqlError) as found:
        session.query(
            "dbquery shop with recursive c(x) as (select 1 union all select x + 1 from c where x < 10000000000) "
            "select count(*) from c"
        ).rows()
    timer.join()
    assert found.value.exit_code == 130
    session.close()


def test_the_json_of_a_result_keeps_digits(emp: Database) -> None:
    (row,) = rows_of(emp, "dbquery emp select 9223372036854775807 as v")
    assert json.dumps(row) == '{"v": 9223372036854775807}'
