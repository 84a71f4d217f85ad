"""The vendor's own queries of the database commands, as the manual prints them, against PostgreSQL.

Their profiles are all of the test's server, with the tables that the pages name. ``rownum`` of Oracle is a column here;
``msdb.dbo`` is SQL Server's, so that page is refused by the server, in its words.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.network.db_support import SECRET, opened, settings
from tests.test_examples import RECORDS, SERVED

if TYPE_CHECKING:
    from logsql.engine.session import Session
    from tests.servers.pki import Authority
    from tests.servers.postgres import Postgres

pytestmark = pytest.mark.evidence
HERE = "tests/network/test_vendor_databases.py"
PROFILES = ("black", "ora", "db1", "db2", "mssql", "USERDB", "oracle", "worldcup", "emp", "wood", "RULE_DB")
TABLES = """
drop schema public cascade; create schema public; grant all on schema public to public;
create table ip_blacklist(ip text); insert into ip_blacklist values ('10.0.0.9');
create table tbl_codes(code int, description text); insert into tbl_codes values (1, 'one'), (2, 'two');
create table nodelist(name text); insert into nodelist values ('a'), ('b');
create table users(login text, name text, sex text); insert into users values ('logpresso', 'Log Presso', 'f');
create table weblogs(rownum int, line text); insert into weblogs select n, 'l' || n from generate_series(1, 200) n;
create table employee(name text, created_at text);
insert into employee values ('new', to_char(now(), 'YYYY-MM-DD')), ('old', '2001-01-01');
create table logs(id bigint, line text);
create procedure GetLine(id bigint, inout line varchar) language plpgsql as $$ begin line := 'line ' || id; end $$;
grant all on all tables in schema public to public;
"""


@pytest.fixture
def databases(postgres: Postgres, tls: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session with a profile for each name that the pages use."""
    monkeypatch.setenv(SECRET, postgres.password)
    postgres.psql(TABLES)
    text = settings(postgres, tls)
    session = opened(tmp_path, "\n".join(text.replace("emp", name, 1) for name in PROFILES))
    session.cursor().execute(
        "CREATE TABLE iis AS SELECT TIMESTAMPTZ '2026-01-01' AS _time, 'GET from 10.0.0.9' AS line"
    )
    return session


EXPECTED: dict[str, list[dict[str, object]]] = {
    "ex0252": [{"code": 1, "description": "one"}, {"code": 2, "description": "two"}],
    "ex0253": [{"code": 1, "description": "one"}, {"code": 2, "description": "two"}],
    "ex0254": [{"name": "a"}, {"name": "b"}, {"name": "a"}, {"name": "b"}],
    "ex0274": [{"line": "line 1000"}],
    "ex0275": [{"login": "logpresso", "name": "Log Presso", "sex": "f"}],
    "ex0276": [{"rownum": n, "line": f"l{n}"} for n in range(1, 101)],
    "ex0277": [{"name": "new"}],
    "ex0633": [{"rownum": n, "line": f"l{n}"} for n in range(1, 101)],
    "ex0634": [{"name": "new"}],
    "ex0635": [{"id": 1, "line": "hello world"}],
}


def test_every_query_is_run_here() -> None:
    assert {key for key, test in SERVED.items() if test == HERE} == {*EXPECTED, "ex0088", "ex0106", "ex0273"}


@pytest.mark.parametrize("key", sorted(EXPECTED))
def test_rows(key: str, databases: Session) -> None:
    wanted = EXPECTED[key]
    rows = databases.query(RECORDS[key]["query"]).rows()
    assert [{name: row[name] for name in wanted[0]} for row in rows] == wanted


def test_words_of_a_table_are_looked_for(databases: Session) -> None:
    assert [row["line"] for row in databases.query(RECORDS["ex0106"]["query"]).rows()] == ["GET from 10.0.0.9"]


def test_rows_are_written(databases: Session, postgres: Postgres) -> None:
    databases.query(RECORDS["ex0635"]["query"]).rows()
    assert postgres.psql("select id, line from logs").split() == ["1|hello", "world"]


def test_a_procedure_of_another_server_is_refused_in_its_words(databases: Session) -> None:
    with pytest.raises(LogsqlError) as caught:
        databases.query(RECORDS["ex0273"]["query"]).rows()
    assert "log_shipping_primaries" in str(caught.value) or "msdb" in str(caught.value)


def test_the_whole_statement_may_be_a_parameter(databases: Session) -> None:
    query = RECORDS["ex0088"]["query"]
    assert databases.query(query, {"sql": "select name from users"}).rows() == [{"name": "Log Presso"}]
    with pytest.raises(LogsqlError, match="E2074"):  # it can only read
        databases.query(query, {"sql": "delete from users"}).rows()
    assert databases.query(query, {"sql": "select count(*) as n from users"}).rows() == [{"n": 1}]
    with pytest.raises(LogsqlError, match="E2073"):
        databases.query(query)
    with pytest.raises(LogsqlError, match="E2072"):
        databases.query('dbquery USERDB $("sql") where login = 1', {"sql": "select 1"})
