"""Databases at their worst: old encodings, servers that restart or have no room, system tables, what a rollback leaves,
and errors that come from the statement as it was sent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.network.db_support import opened, settings
from tests.network.others_support import configured, profile, ran, refusal
from tests.support import ROOT

if TYPE_CHECKING:
    import logsql
    from tests.network.db_support import Database


@pytest.fixture
def other(emp: Database, request: pytest.FixtureRequest) -> Iterator[logsql.Session]:
    """A session with the profile ``old``: a database of the encoding that the test names."""
    emp.psql(f"create database old encoding '{request.param}' template template0 lc_collate 'C' lc_ctype 'C'")
    url = emp.server.superuser_url.replace("/emp?", "/old?")
    session = opened(emp.folder, profile("old", kind="postgresql", url=url))
    yield session
    session.close()
    emp.psql("drop database old with (force)")


@pytest.mark.parametrize("other", ["LATIN1"], indirect=True)
@pytest.mark.parametrize("query", ["dbquery old select v from t", "dbquery old select v from t where v = :p"])
def test_text_of_an_old_encoding_is_converted(emp: Database, other: logsql.Session, query: str) -> None:
    """libpq hands text over as the database keeps it, unless it is asked for UTF-8."""
    emp.server.psql("create table t(v text); insert into t values ('a' || chr(233))", "old")
    assert other.query(query, params={"p": "aé"}).rows() == [{"v": "aé"}]


@pytest.mark.parametrize("other", ["SQL_ASCII"], indirect=True)
@pytest.mark.parametrize("query", ["dbquery old select v from t", "json \"{'k': 1}\" | dblookup old select v from t"])
def test_bytes_without_an_encoding_cost_themselves_alone(emp: Database, other: logsql.Session, query: str) -> None:
    """Of such a database the server hands on whatever somebody wrote; UTF-8 among it is read as what it is."""
    emp.server.psql("create table t(v text); insert into t values (E'a\\351b')", "old")
    assert ran(other, query)[0][0]["v"] == "a\ufffdb"
    assert ran(other, query)[1] == {"database-text-undecodable": 1}
    emp.server.psql("insert into t values (E'\\355\\225\\234'), (null), ('plain')", "old")
    rows, lost = ran(other, 'set p = "x" | dbquery old select v, array[v] as l from t where v is null or v <> :p')
    assert [row["v"] for row in rows] == ["a\ufffdb", "한", None, "plain"]
    assert [row["l"] for row in rows] == [["a\ufffdb"], ["한"], [None], ["plain"]]
    assert lost == {"database-text-undecodable": 2}


def test_a_server_that_was_started_anew_is_asked_again(emp: Database) -> None:
    """The connections that were kept are dead then."""
    assert emp.session.query("dbquery emp select 1 as v").rows() == [{"v": 1}]
    emp.server.kill()
    assert "connect-failed" in refusal(emp.session, "dbquery emp select 2 as v")
    emp.server.restart()
    assert emp.session.query("dbquery emp select 3 as v").rows() == [{"v": 3}]
    emp.server.kill()
    emp.server.restart()
    assert emp.session.query("dbquery emp select 4 as v").rows() == [{"v": 4}]


def test_a_server_that_dies_between_the_rows(emp: Database) -> None:
    """What came before is handed on, and the end is no end of the answer."""
    batches = emp.session.query(
        "dbquery emp select g, repeat('x', 100) as t from generate_series(1, 3000000) g"
    ).batches()
    assert next(batches).num_rows
    emp.server.kill()
    with pytest.raises(LogsqlError) as caught:
        list(batches)
    assert caught.value.code in ("E3041", "E3060")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("limit", ["alter role app connection limit 0", "alter database emp allow_connections false"])
def test_a_server_without_room_is_no_wrong_password(emp: Database, limit: str) -> None:
    emp.server.psql(limit, "postgres")
    try:
        session = opened(emp.folder, settings(emp.server, emp.tls))
        said = refusal(session, "dbquery emp select 1")
        session.close()
    finally:
        emp.server.psql("alter role app connection limit -1; alter database emp allow_connections true", "postgres")
    assert said.startswith("E3041")
    assert "server-refused" in said


def test_a_time_limit_of_the_server(emp: Database) -> None:
    emp.psql("alter role app set statement_timeout = '300ms'")
    try:
        session = opened(emp.folder, settings(emp.server, emp.tls))
        assert "statement timeout" in refusal(session, "dbquery emp select pg_sleep(5)")
        session.close()
    finally:
        emp.psql("alter role app reset statement_timeout")


def test_tables_of_the_system(emp: Database) -> None:
    """``xid`` has no cast to a number."""
    query = "dbquery emp select backend_xmin, datid, pid from pg_stat_activity where pid = pg_backend_pid()"
    (row,) = emp.session.query(query).rows()
    assert isinstance(row["backend_xmin"], int)
    assert emp.session.query("dbquery emp select * from pg_stat_activity").rows()
    assert emp.session.query("dbquery emp select xmin, cmin, * from pg_class limit 3").rows()


def test_locks_are_given_back(emp: Database) -> None:
    """A rollback leaves advisory locks, and the connection is kept for the next statement."""
    assert emp.session.query("dbquery emp select pg_advisory_lock(7) as v").rows()
    assert emp.psql("select count(*) from pg_locks where locktype = 'advisory'") == "0"


@pytest.mark.parametrize("sql", [";", " ; ", ";;"])
def test_no_statement_at_all(emp: Database, sql: str) -> None:
    assert refusal(emp.session, f"dbquery emp {sql}").startswith("E2072")


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("copy (select 1) to program 'touch FOLDER/got'", "E2074"),
        ("select 1) to program 'touch FOLDER/got' --", "E3060"),
        ("select 1 as v) to program 'touch FOLDER/got' (format binary) --\n", "E3060"),
        ("/**/ select 1) to '/FOLDER/got' --", "E3060"),
        ("(select 1); copy (select 1) to program 'touch FOLDER/got'", "E3060"),
        ("with a as (select 1) select 1) to program 'touch FOLDER/got' --", "E3060"),
        ("set transaction read write", "E2074"),
        ("do $$ begin perform 1; end $$", "E2074"),
        ("select 1; do $$ begin perform 1; end $$", "E3060"),
        ("listen here", "E2074"),
        ("prepare p as select 1", "E2074"),
        ("declare c cursor with hold for select 1", "E2074"),
        ("select set_config('transaction_read_only', 'off', true)", "E3060"),
        ("select lo_export(lo_from_bytea(0, 'x'), 'FOLDER/got')", "E3060"),
    ],
)
def test_a_super_user_reads_only_too(emp: Database, sql: str, code: str) -> None:
    """The statement is wrapped (``COPY (...) TO STDOUT``): nothing ends the wrapping early."""
    place = emp.server.folder
    session = opened(emp.folder, profile("su", kind="postgresql", url=emp.server.superuser_url))
    assert refusal(session, f"dbquery su {sql.replace('FOLDER', str(place))}").startswith(code)
    session.close()
    assert not (place / "got").exists()


_LEFT = """
import sys, logsql
session = logsql.connect(config=sys.argv[1])
print(session.query("dbquery emp select 1 as v").rows(), session.query("dbquery emp select 1.5 as v"))
"""


def test_a_session_that_nobody_closes_ends_quietly(emp: Database) -> None:
    """The driver complained of open statements, three tracebacks a connection, when Python ended."""
    config = configured(emp.folder, settings(emp.server, emp.tls))
    run = subprocess.run([sys.executable, "-c", _LEFT, config], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert run.stderr == ""
    assert run.stdout.startswith("[{'v': 1}]")


def test_an_error_that_only_the_run_meets_points_into_the_sql(emp: Database) -> None:
    """What is sent is not what is written: it stands in ``COPY (...)`` or behind ``DECLARE``, numbers are wrapped."""
    for columns, where in (("v, w", ""), ("v, w", " where :p::int = 7"), ("v, xmin, w", "")):
        emp.psql("drop table if exists t; create table t(v int, w int); grant all on t to app")
        query = f"dbquery emp select {columns} from t{where} | limit 5"
        result = emp.session.query(query, params={"p": 7})
        emp.psql("alter table t drop column w")
        with pytest.raises(LogsqlError) as caught:
            result.rows()
        span = caught.value.diagnostic.span
        assert span is not None
        assert query[span.start : span.end] == "w", query
