"""What a query of a stream keeps between its batches: plans of statements, read from objects outside of the catalog."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.engine import keptplans
from logsql.engine.repeated import Repeated
from logsql.engine.session import Session
from logsql.streams.planning import Shape, Text, halves
from logsql.streams.running import QueryRunner

ROWS = pa.table(
    {
        "line": ['{"a": 1, "b": "x"}', '{"a": 2.5, "c": [1]}', "no document", None, '{"b": null, "a": true}'],
        "n": pa.array([1, 2, 3, None, 5], pa.int64()),
    }
)
QUERIES = (
    "search n > 1",
    "parsejson field=line overlay=t",
    "parsejson field=line overlay=t | eval s = string(a) | search isnotnull(s)",
    "prev n | eval d = n - prev_n",
    "parsekv field=line overlay=t",
    'evtctxadd topic=x key=line true | eval c = evtctxget("x", line, "counter") | search pow(c, 2) > 3',
    "serial [ eval m = n * 2 ] | eval k = seq()",
    'eval l = split(line, ",") | explode l | rename l as part',
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Session]:
    with logsql.connect(str(tmp_path / "live.duckdb"), tz="Asia/Seoul") as session:
        yield session


def runner(session: Session, query: str) -> QueryRunner:
    return QueryRunner(session, Text("s", query), halves(Text("s", query), None).running, Shape(ROWS.schema))


def ran(session: Session, query: str) -> list[tuple[pa.Table, pa.Table]]:
    """The rows of three batches, as they are shown and as they are kept."""
    session.query("evtctxdrop all=t").rows()
    one = runner(session, query)
    found = []
    for rows in (ROWS, ROWS.slice(0, 0), ROWS.slice(1, 3)):
        this = one.run(rows)
        found.append((this.shown(), this.kept))
        one.done()
    one.close()
    return found


@pytest.mark.parametrize("query", QUERIES)
def test_a_version_of_the_engine_without_what_is_used_gives_the_same_rows(
    opened: Session, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = ran(opened, query)
    monkeypatch.setattr(keptplans, "_SOURCE", re.compile("(?!)"))
    monkeypatch.setattr(keptplans, "_SUBMIT", "no such thing")
    plain = ran(opened, query)
    same = [
        a.equals(b, check_metadata=True)
        for one, two in zip(quick, plain, strict=True)
        for a, b in zip(one, two, strict=True)
    ]
    assert same == [True] * 6


def test_statements_read_no_entry_of_the_catalog(opened: Session) -> None:
    # With a view in it, each EXECUTE plans the statement anew: three quarters of what a hundred rows cost.
    one = runner(opened, "parsejson field=line overlay=t | eval k = seq() | search n > 1")
    one.run(ROWS).shown()
    inside: Repeated | None = one._repeated
    assert inside is not None
    views = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
    assert inside.cursor.connection.execute(views).fetchall() == []
    assert inside.cursor.connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchall() > [(0,)]
    one.close()


def test_what_is_said_of_the_moment_is_asked_in_every_run(opened: Session) -> None:
    # A plan that is kept must not hold the time, or the chance, of the run that made it.
    one = runner(opened, "eval t = now(), r = rand(1000000000) | fields t, r")
    first = one.run(ROWS).shown().to_pydict()
    time.sleep(0.002)  # a clock ticks
    second = one.run(ROWS).shown().to_pydict()
    assert min(second["t"]) > max(first["t"])
    assert second["r"] != first["r"]
    one.close()


def test_an_object_that_fails_tells_its_own_error_and_the_next_run_goes_on(opened: Session) -> None:
    one = runner(opened, "eval m = n + 1")

    def broken() -> Iterator[pa.RecordBatch]:
        yield from ROWS.to_batches()
        raise OSError(5, "no disk")

    with pytest.raises(Exception, match="no disk"):
        one.run_over(broken)
    assert one.run(ROWS).shown().column("m").to_pylist() == [2, 3, 4, None, 6]
    one.close()
