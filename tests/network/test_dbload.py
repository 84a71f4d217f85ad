"""``dbload`` and ``dboutput``: what is written, what is not, and what passes on."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.network.db_support import opened, settings
from tests.network.others_support import ran, refusal
from tests.network.test_dblookup import rows

if TYPE_CHECKING:
    from tests.network.db_support import Database


@pytest.fixture
def logs(emp: Database) -> Database:
    emp.psql("create table logs(id int primary key, line text not null); grant all on logs to app")
    return emp


def stored(emp: Database, what: str = "id || ':' || line") -> str:
    return emp.psql(f"select coalesce(string_agg({what}, ',' order by id), '') from logs")


GIVEN = rows({"id": 1, "line": "a"}, {"id": 2}, {"id": 3, "line": "c"}, {"id": 1, "line": "again"})
NULL = 'null value in column "line" of relation "logs" violates not-null constraint'
TWICE = 'duplicate key value violates unique constraint "logs_pkey"'


def test_rows_that_fail_are_left_out_one_by_one(logs: Database) -> None:
    found, lost = ran(logs.session, f"{GIVEN} | dbload emp batchsize=10 table=logs id, line")
    assert [row["_error"] for row in found] == [None, NULL, None, TWICE]
    assert [row["id"] for row in found] == [1, 2, 3, 1]
    assert lost == {"row-not-written": 2}
    assert stored(logs) == "1:a,3:c"


def test_a_batch_is_one_transaction(logs: Database) -> None:
    found, lost = ran(logs.session, f"{GIVEN} | dboutput emp batchsize=2 table=logs id, line")
    assert [row["_error"] for row in found] == [NULL, NULL, None, None]
    assert lost == {"row-not-written": 2}
    assert stored(logs) == "1:again,3:c"


def test_a_batch_of_one_row(logs: Database) -> None:
    found, _ = ran(logs.session, f"{GIVEN} | dboutput emp table=logs id, line")
    assert [row["_error"] for row in found] == [None, NULL, None, TWICE]
    assert stored(logs) == "1:a,3:c"


@pytest.mark.parametrize(("command", "kept"), [("dbload", "1:a"), ("dboutput", "")])
def test_a_failure_may_end_the_query(logs: Database, command: str, kept: str) -> None:
    said = refusal(logs.session, f"{GIVEN} | {command} emp stoponfail=t batchsize=10 table=logs id, line")
    assert said.startswith("E3064")
    assert stored(logs) == kept


def test_an_update_changes_or_adds(logs: Database) -> None:
    logs.psql(
        "alter table logs add other text default 'old'; insert into logs values (1, 'first', 'kept'), (7, 'x', 'y')"
    )
    given = rows({"id": 1, "line": "new"}, {"id": 9, "line": "added"}, {"id": 9, "line": "later"})
    found, lost = ran(logs.session, f"{given} | dbload emp type=update batchsize=10 table=logs +id, line")
    assert lost == {}
    assert [row["_error"] for row in found] == [None] * 3
    assert stored(logs, "id || line || other") == "1newkept,7xy,9laterold"


@pytest.mark.parametrize("behind", ["limit 1", "limit 0", "stats count", "search id == 2", "fields id"])
def test_every_row_is_written_whatever_follows(logs: Database, behind: str) -> None:
    given = rows(*({"id": n, "line": "x"} for n in range(50)))
    ran(logs.session, f"{given} | dboutput emp batchsize=7 table=logs id, line | {behind}")
    assert logs.psql("select count(*) from logs") == "50"


def test_rows_are_written_once_when_they_are_read_twice(logs: Database) -> None:
    logs.psql("alter table logs drop constraint logs_pkey")
    given = rows({"id": 1, "line": "x", "_time": "t"})
    ran(logs.session, f"{given} | dboutput emp table=logs id, line | eval b = seq() | sort -b | stats count by id, b")
    assert logs.psql("select count(*) from logs") == "1"


@pytest.mark.parametrize(
    ("type_", "value", "read"),
    [
        ("int2", "5", "5"),
        ("int8", "9223372036854775807", "9223372036854775807"),
        ("numeric(6,2)", "3.25", "3.25"),
        ("float8", "0.1", "0.1"),
        ("bool", "true", "t"),
        ("text", '"a\'b | 한글"', "a'b | 한글"),
        ("varchar(3)", '"abc"', "abc"),
        ("timestamptz", 'date("2026-01-02 03:04:05", "yyyy-MM-dd HH:mm:ss")', "2026-01-01 18:04:05+00"),
        ("timestamp", 'date("2026-01-02 03:04:05", "yyyy-MM-dd HH:mm:ss")', "2026-01-02 03:04:05"),
        ("date", 'date("2026-01-02 03:04:05", "yyyy-MM-dd HH:mm:ss")', "2026-01-02"),
        ("inet", 'ip("10.0.0.1")', "10.0.0.1"),
        ("bytea", 'frombase64("AAE=")', "\\x0001"),
        ("text[]", 'array("a", "b\\"c")', '{a,"b\\"c"}'),
        ("int[]", "array(1, 2)", "{1,2}"),
        ("jsonb", "array(1, 2)", "[1, 2]"),
        ("uuid", '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"', "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ("int", "null", ""),
    ],
)
def test_values_of_each_type(emp: Database, type_: str, value: str, read: str) -> None:
    emp.psql(f"create table v(v {type_}); grant all on v to app")
    found, lost = ran(emp.session, f'json "{{}}" | eval v = {value} | dboutput emp table=v v | fields _error')
    assert (found, lost) == ([{"_error": None}], {})
    assert emp.psql("select v from v") == read


def test_a_text_that_is_too_long_is_not_cut(emp: Database) -> None:
    emp.psql("create table v(v varchar(3)); grant all on v to app")
    found, _ = ran(emp.session, "json \"{v:'abcd'}\" | dboutput emp table=v v")
    assert found[0]["_error"] == "value too long for type character varying(3)"
    assert emp.psql("select count(*) from v") == "0"


def test_names_are_quoted(emp: Database) -> None:
    emp.psql(
        'create schema "S x"; create table "S x"."T""t"("a b" int, "select" int);'
        'grant all on schema "S x" to app; grant all on "S x"."T""t" to app'
    )
    query = 'json "{\'a b\': 1, \'select\': 2}" | dboutput emp database="S x" table="T\\"t" "a b", select'
    found, lost = ran(emp.session, query)
    assert (found[0]["_error"], lost) == (None, {})
    assert emp.psql('select "a b", "select" from "S x"."T""t"') == "1|2"


@pytest.mark.parametrize("update", ["", "type=update "])
@pytest.mark.parametrize("name", ["n", "v", "k", "t", "lq_row", "LQ_ROW"])
def test_a_column_may_have_any_name(emp: Database, name: str, update: str) -> None:
    """No row came into a table with a column n: "column reference n is ambiguous"."""
    emp.psql(f'create table t("{name}" int, other text); grant all on t to app')
    given = rows({name: 2, "other": "b"}, {name: 1, "other": "a"})
    fields = f"{'+' if update else ''}{name}, other"
    found, lost = ran(emp.session, f"{given} | dboutput emp {update}batchsize=10 table=t {fields} | fields _error")
    assert (found, lost) == ([{"_error": None}] * 2, {})
    assert emp.psql(f'select "{name}", other from t') == "2|b\n1|a"


def test_a_schema_in_the_name_of_a_table_is_told(logs: Database) -> None:
    with pytest.raises(LogsqlError) as caught:
        ran(logs.session, f"{rows({'id': 1})} | dboutput emp table=public.logs id")
    assert caught.value.help == "the schema is an option of its own: database=public table=logs"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("dbload emp table=logs", "E2075"),
        ("dbload emp type=update table=logs id", "E2075"),
        ("dbload emp table=logs +id, line", "E2075"),
        ("dbload emp table=nowhere id", "E3061"),
        ("dbload emp table=logs idd", "E3061"),
        ("dbload nobody table=logs id", "E3040"),
    ],
)
def test_what_is_refused(logs: Database, query: str, code: str) -> None:
    assert refusal(logs.session, f"{rows({'id': 1, 'idd': 2})} | {query}").startswith(code)
    assert stored(logs) == ""


def test_safe_mode_writes_nothing(logs: Database) -> None:
    session = opened(logs.folder, settings(logs.server, logs.tls), safe=True)
    assert refusal(session, f"{GIVEN} | dboutput emp table=logs id, line").startswith("E4001")
    session.close()
    assert stored(logs) == ""


def test_looking_at_a_query_writes_nothing(logs: Database) -> None:
    logs.session.explain(f"{GIVEN} | dboutput emp table=logs id, line")
    assert stored(logs) == ""


def test_an_interrupt_leaves_whole_batches(logs: Database) -> None:
    """A trigger makes each row slow; what was begun is taken back."""
    logs.psql(
        "create function slow() returns trigger language plpgsql as "
        "$$ begin perform pg_sleep(0.02); return new; end $$;"
        "create trigger slow before insert on logs for each row execute function slow()"
    )
    given = rows(*({"id": n, "line": "x"} for n in range(2000)))

    def stop() -> None:
        end = time.monotonic() + 20
        while logs.psql("select count(*) from logs") == "0" and time.monotonic() < end:
            time.sleep(0.05)
        logs.session.interrupt()

    stopping = threading.Thread(target=stop)
    stopping.start()
    with pytest.raises(LogsqlError) as found:
        logs.session.query(f"{given} | dboutput emp batchsize=10 table=logs id, line").rows()
    stopping.join()
    assert found.value.exit_code == 130
    count = int(logs.psql("select count(*) from logs"))
    assert 0 < count < 2000
    assert count % 10 == 0
