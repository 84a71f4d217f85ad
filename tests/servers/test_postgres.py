"""The PostgreSQL server is what it promises, as psql sees it."""

from __future__ import annotations

import os
import re
import subprocess
import time

import pytest

from tests.servers.clients import Ran, run
from tests.servers.postgres import PASSWORD, Postgres
from tests.servers.processes import ORDINARY, is_root

pytestmark = pytest.mark.posix("PostgreSQL of an ordinary user")


def psql(url: str, sql: str, **env: str) -> Ran:
    return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", sql, env={"PGPASSWORD": "", **env})


def test_the_user_comes_over_tls_with_the_password_only(postgres: Postgres) -> None:
    trust = {"PGSSLROOTCERT": str(postgres.authority.ca_file), "PGSSLMODE": "verify-full"}
    told = psql(
        postgres.url, "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()", PGPASSWORD=PASSWORD, **trust
    )
    assert re.fullmatch(r"t\|TLSv1\.[23]\n", told.text), told.err
    assert "password authentication failed" in psql(postgres.url, "select 1", PGPASSWORD="wrong", **trust).err
    assert "no pg_hba.conf entry" in psql(postgres.url, "select 1", PGPASSWORD=PASSWORD, PGSSLMODE="disable").err
    plain = postgres.url.replace("app@", "plain@")
    assert psql(plain, "select 1", PGPASSWORD=PASSWORD, PGSSLMODE="disable").text == "1\n"


@pytest.mark.parametrize("value", ["한글", "it's"])
def test_tables_are_the_tests_own_and_gone_with_it(postgres: Postgres, value: str) -> None:
    assert postgres.psql("select count(*) from information_schema.tables where table_schema = 'public'") == "0"
    quoted = value.replace("'", "''")
    postgres.psql(f"create table t(a text); grant all on t to app; insert into t values ('{quoted}')")
    trust = {"PGSSLROOTCERT": str(postgres.authority.ca_file), "PGSSLMODE": "verify-full", "PGPASSWORD": PASSWORD}
    assert psql(postgres.url, "select a from t", **trust).text == f"{value}\n"
    assert psql(postgres.url, "create table mine(a int); drop table mine", **trust).code == 0


def test_what_runs_and_has_run_is_told(postgres: Postgres) -> None:
    assert (postgres.running(), postgres.connections()) == ([], 0)
    args = ["psql", "-X", "-q", postgres.superuser_url, "-c", "select pg_sleep(30)"]
    client = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(200):
        if postgres.running():
            break
        time.sleep(0.05)
    assert postgres.running() == ["select pg_sleep(30)"]
    assert postgres.connections() == 1
    client.send_signal(2)
    assert b"canceling statement due to user request" in client.communicate(timeout=20)[1]
    assert postgres.running() == []
    assert "statement: select pg_sleep(30)" in postgres.log


def test_it_runs_as_an_ordinary_user_and_survives_being_killed(postgres: Postgres) -> None:
    assert postgres.child is not None
    program = "cat > ../who; id -u > ../who"  # one that ends before it has read is an error of a broken pipe
    user = postgres.psql(f"copy (select 1) to program '{program}'; select pg_read_file('../who')")
    assert user == str(ORDINARY if is_root() else os.geteuid())
    postgres.kill()
    assert not postgres.child.alive
    assert psql(postgres.superuser_url, "select 1").code == 2
    postgres.restart()
    assert postgres.psql("select 1") == "1"
