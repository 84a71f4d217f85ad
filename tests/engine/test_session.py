"""Sessions: tables in and out, cancel, time limit, memory of what was lost, functions that outlive their cursor."""

from __future__ import annotations

import datetime as dt
import gc
import subprocess
import sys
import threading
import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import Interrupted, LogsqlError, QueryError, TimeoutError_, UsageError
from logsql.diagnostics.messages import LANGUAGE
from logsql.udfbridge.counters import COUNTERS
from logsql.values.sqltext import written
from tests.support import sample
from udfs.readers.base import Reader, check_cancelled
from udfs.readers.request import Request
from udfs.readers.sqlite import SqliteRecordsReader


def test_registered_arrow_table() -> None:
    with logsql.connect(tz="UTC") as s:
        s.register("web", pa.table({"status": [200, 404], "path": ["/", "/wp-login"]}))
        rows = s.query('table web | search path == "*/wp-*" | fields status').rows()
        assert rows == [{"status": 404}]
        assert s.tables() == ["web"]


def test_python_values_keep_their_types() -> None:
    with logsql.connect(tz="Asia/Seoul") as s:
        moment = dt.datetime(2024, 1, 31, 12, 0, 1, 500_000, tzinfo=dt.UTC)
        s.register(
            "t", pa.table({"d": [moment], "b": [b"\x00\xff"], "n": pa.array([2**63], pa.uint64()), "l": [[1, None]]})
        )
        row = s.query('table t | eval mixed = array(1, "a", 2.5, b, d)').rows()[0]
        assert row["d"] == moment
        assert row["d"].tzinfo == ZoneInfo("Asia/Seoul")
        assert (row["b"], row["n"], row["l"]) == (b"\x00\xff", 2**63, [1, None])
        assert row["mixed"][:3] == [1, "a", 2.5]


def test_rows_can_be_read_twice() -> None:
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"a": [1, 2, 3]}))
        result = s.query("table t | search a > 1")
        assert result.rows() == result.rows() == [{"a": 2}, {"a": 3}]


def test_a_result_that_was_read_holds_nothing_in_its_session() -> None:
    """Each query left its cursor, plan and counters with the session: 1,000 of them were 2,000 registered functions."""
    with logsql.connect(tz="UTC") as session:
        for _ in range(3):
            result = session.query("json \"{'a': 'x'}\" | eval b = int(a)")
            assert (result.rows(), result.ledger.total) == ([{"a": "x", "b": None}], 1)
            assert result.rows() == [{"a": "x", "b": None}], "and can be read again"
        known = len(COUNTERS)
        for _ in range(10):
            session.query("json \"{'a': 'x'}\" | eval b = int(a)").rows()
        assert len(COUNTERS) <= known + 2, "those of the last ledger and of the query in hand"


def test_functions_outlive_the_cursor_that_ran_first() -> None:
    """DuckDB frees a Python function with the cursor that registered it; the second query called freed memory."""
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"a": ["%EA%B0%80", "b%20c"]}))
        for _ in range(sample(20, 5)):
            result = s.query("table t | eval u = urldecode(a) | fields u")
            assert [r["u"] for r in result] == ["가", "b c"]
            result.close()
            del result
            gc.collect()


def test_time_limit() -> None:
    with logsql.connect(tz="UTC", timeout=0.5) as s:
        s.timeout = None
        s.sql("CREATE TABLE n AS SELECT i AS a, 1 AS k FROM range(200000) t(i)").rows()
        s.timeout = 0.5
        started = time.monotonic()
        with pytest.raises(TimeoutError_) as caught:
            s.query("table n | join k [ table n | rename a as b ] | stats count, sum(b)").rows()
        assert caught.value.exit_code == 4
        assert time.monotonic() - started < 5


def test_interrupt_from_another_thread() -> None:
    with logsql.connect(tz="UTC") as s:
        s.sql("CREATE TABLE n AS SELECT i AS a, 1 AS k FROM range(200000) t(i)").rows()
        result = s.query("table n | join k [ table n | rename a as b ] | stats count, sum(b)")
        timer = threading.Timer(0.5, s.interrupt)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Interrupted):
            result.rows()
        assert time.monotonic() - started < 5
        assert s.query("table n | stats count").rows() == [{"count": 200000}]


def test_interrupt_reaches_sql() -> None:
    with logsql.connect(tz="UTC") as s:
        result = s.sql("SELECT count(*) FROM range(4000000000) t(a) WHERE hash(a) = 1")
        threading.Timer(0.3, s.interrupt).start()
        with pytest.raises(Interrupted):
            result.rows()
        assert s.sql("SELECT 1 AS a").rows() == [{"a": 1}]


@pytest.mark.parametrize("sql", [False, True])
def test_interrupt_reaches_a_reader_that_looks_for_types(monkeypatch: pytest.MonkeyPatch, sql: bool) -> None:
    """``sqlite-records`` reads a whole table for its types while the query is planned: seconds for 300 MB."""

    def survey(request: Request) -> Reader:
        for _ in range(500):
            check_cancelled(request.context)
            time.sleep(0.01)
        raise AssertionError("not cancelled")

    monkeypatch.setattr(SqliteRecordsReader, "of", survey)
    with logsql.connect(tz="UTC") as s:
        threading.Timer(0.3, s.interrupt).start()
        with pytest.raises(Interrupted):
            s.sql("SELECT * FROM sqlite_records('x', \"table\" => 't')") if sql else s.query("sqlite-records table=t x")
        assert s.sql("SELECT 1 AS a").rows() == [{"a": 1}]


def test_leaving_early_frees_the_session() -> None:
    with logsql.connect(tz="UTC") as s:
        s.sql("CREATE TABLE n AS SELECT i AS a FROM range(2000000) t(i)").rows()
        for row in s.query("table n | eval b = a + 1"):
            assert row == {"a": 0, "b": 1}
            break
        assert s.query("table n | stats count").rows() == [{"count": 2_000_000}]


def test_unknown_zone_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        logsql.connect(tz="Mars/Olympus")
    assert caught.value.exit_code == 2


def test_error_points_into_the_query() -> None:
    text = "table t | search lenn(a) > 1"
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"a": ["x"]}))
        with pytest.raises(QueryError) as caught:
            s.query(text)
    error = caught.value
    assert error.code == "90900"
    assert error.span is not None
    assert text[error.span.start : error.span.end] == "lenn"
    assert error.help is not None
    assert "len" in error.help


def test_file_database_is_not_written_by_reading(tmp_path: object) -> None:
    path = f"{tmp_path}/case.duckdb"
    with logsql.connect(path, tz="UTC") as s:
        s.sql("CREATE TABLE t AS SELECT 1 AS a, 'x' AS k").rows()
    with logsql.connect(path, tz="UTC") as s:
        assert s.query("table t | pivot count rows a cols k").rows() == [{"a": 1, "x": 1}]
        assert s.tables() == ["t"]
    with logsql.connect(path, tz="UTC") as s:
        assert s.tables() == ["t"]


def test_sql_and_pipe_meet() -> None:
    with logsql.connect(tz="UTC") as s:
        s.sql("CREATE TABLE web AS SELECT * FROM (VALUES (404, '/a'), (200, '/b')) t(status, path)").rows()
        rows = s.sql("SELECT path FROM pipe('table web | search status == 404') AS p WHERE p.status = 404").rows()
        assert rows == [{"path": "/a"}]


def test_modules_loaded_by_a_plain_query() -> None:
    """A plain query loads neither scikit-learn, nor the shell, nor a network library."""
    script = (
        "import sys, logsql\n"
        "s = logsql.connect(tz='UTC')\n"
        "s.query('json \"{}\" | eval a = 1').rows()\n"
        "s.close()\n"
        "heavy = {'sklearn', 'prompt_toolkit', 'ssl', 'http.client', 'ldap3', 'evtx', 'scipy', 'pandas'}\n"
        "print(sorted(m for m in heavy if m in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_bad_name_of_a_saved_result() -> None:
    from logsql.engine.saved import save_result

    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"a": [1]}))
        with pytest.raises(LogsqlError):
            save_result(s, s.query("table t"), "../escape")


def test_text_that_is_no_number_is_counted() -> None:
    """decisions.md 3: null in arithmetic instead of 0, with a ledger count; empty fields are no loss."""
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"bytes": ["10", "-", None, "x", "2.5"]}))
        result = s.query("table t | eval twice = bytes * 2 | stats sum(twice) as s")
        assert result.rows() == [{"s": 25.0}]
        assert [(e.source, e.reason, e.count, e.sample) for e in result.ledger] == [
            ("bytes", "text-not-a-number", 2, "-")
        ]


@pytest.mark.parametrize("tail", ["eval c = a + 1", "eval c = a + 1 | search c > 1", "stats sum(a + 1) as s"])
def test_text_that_is_no_number_is_counted_once(tail: str) -> None:
    """The result of text arithmetic has two types, so the SQL reads its operand several times."""
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"a": ["1", "x", "2.5", None, "y"]}))
        result = s.query(f"table t | {tail}")
        result.rows()
        assert [(e.reason, e.count) for e in result.ledger] == [("text-not-a-number", 2)]


def test_parsed_rows_show_what_the_document_holds() -> None:
    """Fields that a parse command replaced are gone, unless a row could not be parsed (language.md 8.3)."""
    with logsql.connect(tz="UTC") as s:
        s.register("t", pa.table({"line": ['{"a": 1, "big": 18446744073709551615}'], "z": [5]}))
        assert s.query("table t | parsejson").rows() == [{"a": 1, "big": 2**64 - 1}]
        s.register("u", pa.table({"line": ['{"a": 1}', "no json"], "z": [5, 6]}))
        assert s.query("table u | parsejson").rows() == [
            {"line": None, "z": None, "a": 1},
            {"line": "no json", "z": 6, "a": None},
        ]


def test_an_error_of_the_run_is_said_in_the_language_of_who_asked() -> None:
    token = LANGUAGE.set("ko")
    try:
        with logsql.connect(tz="UTC") as s, pytest.raises(LogsqlError) as refused:
            s.query('json "[{a:1}]" | import nope').rows()
    finally:
        LANGUAGE.reset(token)
    assert refused.value.code == "30101"
    assert "테이블" in refused.value.diagnostic.message


def test_a_mixed_value_that_is_computed_is_computed_once() -> None:
    """It is tested for its types and rendered by each; `max(v, 5)` stood in the statement eight times: 136 KB."""
    with logsql.connect(tz="UTC") as s:
        result = s.query("json \"[{'v': 7}, {'v': 'x'}]\" | eval r = max(v, 5) | sort -v")
        statement = written(result._execution._final(with_types=True))
        assert statement.count("LIST_MAX(") == 1
        assert result.rows() == [{"v": "x", "r": "x"}, {"v": 7, "r": 7}]


@pytest.mark.parametrize("name", ["json", "JSON", "csv", "parquet", ":", "x.csv"])
def test_a_table_that_is_not_there_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """DuckDB took ``memory.main.json`` for a file: an IO Error of its own, and a file of that name was looked for."""
    monkeypatch.chdir(tmp_path)
    Path(f"memory.main.{name}").write_text('{"a": 1}')
    Path("x.csv").write_text("a\n1\n")
    with logsql.connect(tz="UTC") as s:
        with pytest.raises(QueryError) as caught:
            s.query(f"table {name} | stats count")
        assert caught.value.code == "10605"
        if name.isalpha():
            s.sql(f"create table {name} as select 1 a").rows()
            assert s.query(f"table {name}").rows() == [{"a": 1}]
