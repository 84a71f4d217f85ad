"""Results have numbers and names: ``result N``, ``load NAME`` in Python, shell and command line (decision 36)."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import logsql
from logsql.cli import main
from logsql.diagnostics.errors import LogsqlError
from logsql.engine import saved
from logsql.shell.repl import Settings, Shell
from logsql.shell.voice import Voice
from logsql.store import keeping
from tests.cli.support import run

GUID = "77836557-3f7d-4c0e-9a0a-0a4f2f1f2f00"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


@pytest.fixture
def session() -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC") as session:
        session.sql("CREATE TABLE big AS SELECT i AS n, md5(i::VARCHAR) AS text FROM range(200000) t(i)").rows()
        yield session


def test_every_query_is_a_result_by_its_number(session: logsql.Session) -> None:
    assert session.query("json \"[{'a': 'y', 'd': 2}, {'a': 'x'}]\"").rows()
    first = session.query("result 1").rows()
    assert first == [{"a": "y", "d": 2}, {"a": "x", "d": None}]
    assert session.query('json "{}" | search 1 == 2').rows() == []
    assert session.query("result 3 | stats count").rows() == [{"count": 0}]
    # Larger than what stays in memory; read twice in one query.
    assert len(session.query("table big").arrow()) == 200_000
    found = session.query("result 5 | union [ result 5 ] | stats count, sum(n) as s").rows()
    assert found == [{"count": 400_000, "s": 2 * sum(range(200_000))}]
    assert [r["n"] for r in session.query("result offset=199999 5").rows()] == [199_999]
    listed = session.query("system queries | fields id, rows | limit 5").rows()
    assert [r["rows"] for r in listed] == [2, 2, 0, 1, 200_000]
    with pytest.raises(LogsqlError) as caught:
        session.query("result 99").rows()
    assert caught.value.code == "11500"


def test_a_result_that_was_left_says_so_when_it_is_read(session: logsql.Session) -> None:
    rows = iter(session.query("table big"))
    next(rows)
    rows.close()  # type: ignore[attr-defined]  # a generator
    again = session.query("result 1 | stats count")
    (row,) = again.rows()
    assert 0 < row["count"] < 200_000
    assert "result-not-read-to-its-end in result 1" in again.ledger.summary()


def test_a_result_beyond_the_bound_says_so(session: logsql.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST_BYTES", 1_000_000)
    monkeypatch.setattr(keeping, "SMALL", 0)
    session.query('json "{}"').rows()
    assert len(session.query("table big").arrow()) == 200_000
    with pytest.raises(LogsqlError):  # the oldest went first
        session.query("result 1").rows()
    again = session.query("result 2 | stats count")
    assert again.rows()[0]["count"] < 200_000
    assert "result-full in result 2" in again.ledger.summary()


def test_a_result_read_back_is_the_same_value_for_value(
    session: logsql.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Mixed fields were kept as JSON text alone: a date or bytes among them came back as text, a list as its text.
    monkeypatch.setattr(keeping, "SMALL", 0)
    mixed = 'eval m = case(n == 1, now(), n == 2, binary("ab"), n == 3, array(1, now(), "x"), n == 4, dict("k", 1), n)'
    queries = (
        f"table limit=7 big | {mixed} | fields n, m",
        "json \"[{'a': [1, 'x', null], 'b': {'c': [1, {'d': 2}]}}, {'a': 'x', 'e': 1.5}, {'a': true, 'e': 2}, {}]\"",
        'table limit=3 big | eval d = now(), b = binary(text), i = ip(concat("192.0.2.", n)), l = array(n, now()), '
        "ls = array(array(n, now()), 3), f = n / 3, t = n > 1, z = null, big = 9223372036854775807 + n",
        'json "[{}, {}, {}]"',
        "table limit=5 big | eval x = if(n > 2, 12345678901234567890123456789, now()) | sort -n",
        "table big | search n == 0-1",
        "table limit=2 big | eval v = now() | union [ table limit=2 big | eval v = 1.0 ] "
        "| union [ table limit=1 big | eval v = 1 ]",
    )
    for query in queries:
        first = session.query(query)
        rows = first.rows()
        again = session.query(f"result {first.number}")
        assert [list(r.items()) for r in again.rows()] == [list(r.items()) for r in rows], query
        assert [[type(v) for v in r.values()] for r in session.query(f"result {first.number}").rows()] == [
            [type(v) for v in r.values()] for r in rows
        ], query
        assert again.schema == first.schema, query
        # Arrow does not show what is kept beside the values.
        assert session.query(f"result {again.number}").arrow().column_names == first.columns
    assert len(session.kept_numbers) == 4 * len(queries)


def test_a_saved_result_is_loaded_the_same_value_for_value(session: logsql.Session, home: Path) -> None:
    """`\\save` and `load` gave dates and bytes among values of other types as text, a list as its text."""
    query = (
        'table limit=6 big | sort n | eval m = case(n == 0, now(), n == 1, binary("ab"), n == 2, array(1, now(), "x"), '
        'n == 3, dict("k", 1), n == 4, "t", n), d = now() | fields n, m, d'
    )
    first = session.query(query)
    rows = first.rows()
    session.save_last("last")
    session.save(first, "kept")
    for name in ("last", "kept"):
        again = session.query(f"load {name}")
        assert again.rows() == rows
        assert [[type(v) for v in r.values()] for r in again.rows()] == [[type(v) for v in r.values()] for r in rows]
        assert again.schema == first.schema
        assert again.arrow().column_names == first.columns
    assert session.query('load kept | search typeof(m) == "date" | stats count').rows() == [{"count": 1}]
    (path,) = home.rglob("kept.parquet")
    # Any reader of Parquet sees the texts and their types.
    assert pq.read_table(path).column_names == ["n", "m", "m (type)", "d"]


def test_a_shell_clears_old_results_of_others_when_it_starts(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """The bound of days was looked at only when a large result was kept."""
    monkeypatch.setattr(keeping, "SMALL", 0)
    folder = home / "XDG_STATE_HOME" / "logsql" / "kept"
    with logsql.connect(tz="UTC") as other:
        other.sql("CREATE TABLE t AS SELECT 1 AS n").rows()
        other.query("table t").rows()
        other.query("table t").rows()
        old = sorted(folder.glob("*.arrow"))[0]
        os.utime(old, (time.time() - 8 * 86_400,) * 2)
        (folder / "dead.lock").touch()
        (folder / "dead-1.arrow").write_bytes(b"x")
        assert run(stdin=b"\\q", XDG_STATE_HOME=str(home / "XDG_STATE_HOME")).returncode == 0
        assert not old.exists()
        assert sorted(path.suffix for path in folder.iterdir()) == [".arrow", ".lock"]


def test_the_bound_is_one_for_all_sessions_and_nothing_is_left(
    session: logsql.Session, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    folder = home / "XDG_STATE_HOME" / "logsql" / "kept"

    def files() -> list[str]:
        return sorted(path.suffix for path in folder.iterdir())

    monkeypatch.setattr(keeping, "SMALL", 1_000_000)
    assert len(session.query("table big").arrow()) == 200_000
    assert len(session.query("result 1").rows()) == 200_000
    assert files() == [".arrow", ".arrow", ".lock"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    # What a killed process left has a lock that nobody holds.
    (folder / "dead.lock").touch()
    (folder / "dead-1.arrow").write_bytes(b"x")
    monkeypatch.setattr(saved, "MOST_BYTES", 20_000_000)
    with logsql.connect(tz="UTC") as other:
        other.sql("CREATE TABLE big AS SELECT i AS n, md5(i::VARCHAR) AS text FROM range(200000) t(i)").rows()
        assert len(other.query("table big").arrow()) == 200_000
        assert files() == [".arrow", ".arrow", ".lock", ".lock"]
        assert other.query("result 1 | stats count").rows() == [{"count": 200_000}]
        with pytest.raises(LogsqlError) as caught:  # the oldest of all went
            session.query("result 1").rows()
        assert caught.value.code == "11500"
        assert session.query("result 2 | stats count").rows() == [{"count": 200_000}]
    assert files() == [".arrow", ".lock"]
    session.close()
    assert files() == []


def test_many_small_results_leave_memory(session: logsql.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved, "MOST_IN_MEMORY", 5_000)
    for _ in range(10):
        session.query("table limit=20 big").rows()
    assert sum(kept.in_memory for kept in session.results.kept.values()) < 9
    assert all(len(session.query(f"result {n}").rows()) == 20 for n in range(1, 11))


def test_names_outlive_the_session_and_may_be_guids(session: logsql.Session) -> None:
    out, said = io.BytesIO(), io.StringIO()
    shell = Shell(session, Settings(), out, Voice(said))
    assert shell.execute(f"\\save {GUID}") == 0  # what was read last: the fixture's SQL
    assert shell.execute("json \"{'a': 7}\"") == 0
    assert shell.execute(f"\\save {GUID}") == 0
    assert f"load {GUID}" in said.getvalue()
    assert shell.execute("\\save") == 2
    with logsql.connect(tz="UTC") as other:
        assert other.query(f"load {GUID}").rows() == [{"a": 7}]
        assert other.saved_names == [GUID]
        assert Shell(other, Settings(), out, Voice(said)).execute("\\save x") == 0  # of the load


def test_the_command_line_keeps_on_request(capfd: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(["-q", "json \"{'a': 1}\""]) == 0
    assert not (home / "XDG_STATE_HOME").exists()
    assert main(["-q", "json \"{'a': 1}\"", "--keep", "mine"]) == 0
    assert "load mine" in capfd.readouterr().err
    assert main(["-q", "load mine"]) == 0
    assert capfd.readouterr().out == '{"a":1}\n'
    assert main(["sql", "SELECT 2 AS b", "--keep"]) == 0
    name = capfd.readouterr().err.split()[-1]
    assert main(["-q", f"load {name}"]) == 0
    assert capfd.readouterr().out == '{"b":2}\n'
    assert main(["--safe", "-q", 'json "{}"', "--keep", "no"]) == 3
    assert main(["-q", 'json "{}"', "--keep", "a/b"]) == 1


def test_safe_mode_keeps_small_results_in_memory_and_writes_nothing(home: Path) -> None:
    with logsql.connect(tz="UTC", safe=True) as s:
        s.query("json \"{'a': 1}\"").rows()
        assert s.query("result 1").rows() == [{"a": 1}]
        s.sql("CREATE TABLE big AS SELECT md5(i::VARCHAR) AS text FROM range(200000) t(i)").rows()
        assert len(s.query("table big").arrow()) == 200_000
        assert "result-full" in (cut := s.query("result 3")).ledger.summary() or cut.rows()
        with pytest.raises(LogsqlError) as caught:
            s.save_last("x")
        assert caught.value.code == "E4001"
    assert not (home / "XDG_STATE_HOME").exists()
