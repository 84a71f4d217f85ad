"""transaction, ratelimit, purge, checktable."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.commands.filter.ratelimit import Pace, throttled
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as made:
        yield made


def rows(session: Session, text: str) -> list[dict[str, Any]]:
    return session.query(text).rows()


def code(session: Session, text: str) -> str:
    with pytest.raises(LogsqlError) as caught:
        rows(session, text)
    return caught.value.code


# --- transaction ------------------------------------------------------------------------------------------------------

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def events(session: Session, *given: tuple[int, str | None, str]) -> None:
    """Seconds, user, line."""
    seconds, users, lines = zip(*given, strict=True)
    times = pa.array([START + dt.timedelta(seconds=s) for s in seconds], pa.timestamp("us", tz="UTC"))
    session.register("t", pa.table({"_time": times, "user": users, "line": lines}))


def shown(session: Session, text: str) -> list[tuple[str, int, list[str], bool]]:
    return [
        (r["_tx_keys"]["user"], r["_tx_duration"], [e["line"] for e in r["_tx_rows"]], r["_tx_orphan"])
        for r in rows(session, f"table t | {text}")
    ]


def test_pairs_of_start_and_end_newest_first(session: Session) -> None:
    events(
        session,
        (0, "kim", "login"), (1, "lee", "login"), (2, "kim", "click"), (3, "kim", "logout"), (5, "kim", "login"),
        (9, "kim", "logout"), (10, "kim", "stray"),
    )  # fmt: skip
    text = "transaction user startswith=login endswith=logout"
    complete = [("kim", 4000, ["login", "logout"], False), ("kim", 3000, ["login", "click", "logout"], False)]
    assert shown(session, text) == complete
    assert shown(session, f"{text} keeporphans=t") == [
        ("kim", 0, ["stray"], True),
        complete[0],
        ("lee", 0, ["login"], True),
        complete[1],
    ]


def test_limits_close_a_transaction(session: Session) -> None:
    events(session, *((s, "a", str(s)) for s in (0, 1, 2, 10, 11, 12, 13)))

    def lines(options: str) -> list[list[str]]:
        return [r[2] for r in shown(session, f"transaction user {options}")]

    assert lines("maxpause=5s") == [["10", "11", "12", "13"], ["0", "1", "2"]]
    assert lines("maxspan=2s") == [["13"], ["10", "11", "12"], ["0", "1", "2"]]
    assert lines("maxevents=4") == [["11", "12", "13"], ["0", "1", "2", "10"]]
    assert shown(session, 'transaction user endswith="12" maxpause=5s') == [("a", 2000, ["10", "11", "12"], False)]


def test_null_keys_are_a_group_and_equal_times_keep_the_order_of_the_table(session: Session) -> None:
    events(session, (0, None, "newer"), (0, None, "older"))
    assert shown(session, "transaction user startswith=older endswith=newer") == [(None, 0, ["older", "newer"], False)]  # type: ignore[list-item]
    assert code(session, "table t | transaction") == "90001"
    assert code(session, "table t | transaction user maxspan=1mon") == "90500"


# --- ratelimit --------------------------------------------------------------------------------------------------------


def test_rows_pass_no_faster_than_allowed() -> None:
    now = [0.0]

    def clock() -> float:
        now[0] += 0.001
        return now[0]

    batch = pa.record_batch({"n": list(range(100)), "hidden": list(range(100))})
    passed: list[tuple[float, int]] = []
    for part in throttled(iter([batch]), ["n"], Pace(1_000_000, 0.5, clock), lambda: False):
        assert part.schema.names == ["n"]
        passed.append((now[0], part.num_rows))
    assert sum(count for _, count in passed) == 100
    assert passed[0][0] >= 0.5


def test_waiting_ends_when_the_query_is_cancelled() -> None:
    batch = pa.record_batch({"n": list(range(100))})
    parts = throttled(iter([batch]), ["n"], Pace(1, 0.0), lambda: True)
    assert [p.num_rows for p in parts] == [1]


def test_rows_of_any_type_pass_unchanged_and_in_order(session: Session) -> None:
    text = "json \"[{a: 1, b: 'x'}, {a: 't', b: 2.5}, {a: [1, 2], b: {c: 1}}, {a: null, b: true}]\""
    assert rows(session, f"{text} | ratelimit 100000") == rows(session, text)
    session.register("j", pa.table({"line": ['{"k": {"z": [1]}, "m": "x"}', "text"]}))
    for parsed in ("parsejson overlay=t", "parsekv overlay=t"):
        assert rows(session, f"table j | {parsed} | ratelimit 100000") == rows(session, f"table j | {parsed}")
    text = 'json "{}" | eval l = array(1, "a"), b = binary("x"), d = date("2024", "yyyy"), i = ip("10.0.0.1")'
    assert rows(session, f"{text} | ratelimit 9 | eval t = typeof(i)") == rows(session, f"{text} | eval t = typeof(i)")


def test_wrong_rates(session: Session) -> None:
    for text, expected in (("0", "22200"), ("-5", "22200"), ("x", "22201"), ("", "22201"), ("-d x 5", "22201")):
        assert code(session, f'json "{{}}" | ratelimit {text}') == expected


# --- purge, checktable ------------------------------------------------------------------------------------------------


def fill(session: Session) -> None:
    hours = "TIMESTAMPTZ '2014-01-01 00:00+00' + to_hours(h::INT)"
    session.planning.execute(f"CREATE TABLE sample1 AS SELECT {hours} AS _time FROM range(72) t(h)")
    session.planning.execute(f"CREATE TABLE sample2 AS SELECT {hours} AS _time FROM range(48) t(h)")
    session.planning.execute("CREATE TABLE plain AS SELECT 1 AS a")


def test_purge_deletes_days_with_both_ends() -> None:
    with logsql.connect(tz="UTC", allow_purge=True) as session:
        fill(session)
        assert rows(session, "purge from=20140102 to=20140102 sample*") == [
            {"table": "sample1", "count": 24},
            {"table": "sample2", "count": 24},
        ]
        text = 'system count sample1, sample2 | eval d = string(_time, "dd") | fields table, d, count'
        assert [tuple(r.values()) for r in rows(session, text)] == [
            ("sample1", "01", 24),
            ("sample1", "03", 24),
            ("sample2", "01", 24),
        ]


def test_purge_needs_leave_and_runs_only_when_rows_are_asked_for() -> None:
    with logsql.connect(tz="UTC") as session:
        fill(session)
        assert code(session, "purge from=20140101 to=20140101 sample1") == "11406"
    with logsql.connect(tz="UTC", allow_purge=True) as session:
        fill(session)
        session.explain("purge from=20140101 to=20140101 sample1")
        session.query("purge from=20140101 to=20140101 sample1")
        assert rows(session, "table sample1 | stats count") == [{"count": 72}]
        for text, expected in (
            ("purge to=20140101 sample1", "11400"),
            ("purge from=20140101 sample1", "11401"),
            ("purge from=2014 to=20140101 sample1", "11402"),
            ("purge from=20140101 to=20140199 sample1", "11403"),
            ("purge from=20140101 to=20140101", "11404"),
            ("purge from=20140101 to=20140101 nope", "11405"),
            ("purge from=20140101 to=20140101 plain", "11405"),
        ):
            assert code(session, text) == expected


def test_checktable_finds_a_damaged_block(tmp_path: Path) -> None:
    path = tmp_path / "case.duckdb"
    with logsql.connect(str(path)) as session:
        session.planning.execute("CREATE TABLE t AS SELECT range AS n, hash(range) AS h FROM range(200000)")
        session.planning.execute("CREATE TABLE u AS SELECT 1 AS n")
        assert rows(session, "checktable") == []
        whole = rows(session, "checktable trace=t")
        assert [(r["table"], r["rows"], r["msg"]) for r in whole] == [("t", 200000, "valid"), ("u", 1, "valid")]
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(b ^ 0xFF for b in data[middle : middle + 64])
    path.write_bytes(bytes(data))
    with logsql.connect(str(path)) as session:
        found = rows(session, "checktable")
        assert [(r["table"], r["msg"]) for r in found] == [("t", "corrupted")]
        assert found[0]["detail"]


def test_queries_are_listed_with_the_numbers_that_result_reads(session: Session) -> None:
    kept = session.query('json "[{a: 1}, {a: 2}]"')
    number = session.keep(kept)
    listed = rows(session, "system queries")
    assert [(r["query_string"], r["is_end"], r["rows"]) for r in listed] == [
        ('json "[{a: 1}, {a: 2}]"', True, 2),
        ("system queries", False, None),
    ]
    assert str(listed[0]["id"]) == number
    assert rows(session, f"result {number} | stats count") == [{"count": 2}]
