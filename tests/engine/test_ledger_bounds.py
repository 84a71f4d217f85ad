"""Losses that would cost more than a tenth of a run are told as "at least", or not counted; ``--loss`` counts them."""

from __future__ import annotations

import gc
import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import logsql
from logsql.cli import main
from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.catalog import MANY_ROWS
from logsql.engine.ledger import Ledger, fates_of
from logsql.udfbridge import counters
from logsql.udfbridge.counters import MOST, RARE

ROWS = MANY_ROWS + 20_000


def texts(share: int) -> pa.Table:
    """Every ``share``-th text of ``a`` is no number; all of ``b`` are texts."""
    return duckdb.sql(
        f"SELECT i, CASE WHEN i % {share} = 0 THEN 'x' ELSE i::VARCHAR END AS a, 'b' || i AS b FROM range({ROWS}) t(i)"
    ).to_arrow_table()


def entries(query: str, table: pa.Table, exact: bool) -> list[tuple[str, str, int, bool]]:
    with logsql.connect(tz="UTC", threads=2) as session:
        session.register("t", table)
        result = session.query(f"table t | {query}", exact=exact)
        result.rows()
        return [(e.source, e.reason, e.count, e.at_least) for e in result.ledger]


@pytest.mark.parametrize(
    ("query", "source", "reason"),
    [
        ("eval c = int(b) | stats count(c)", "int(b)", "not-converted"),
        ('eval c = date(b, "yyyy") | stats count(c)', 'date(b, "yyyy")', "not-converted"),
        ("eval c = b * 2 | stats count(c)", "b", "text-not-a-number"),
        ("search int(b) > 3 | stats count", "int(b)", "not-converted"),
        ("stats sum(int(b))", "int(b)", "not-converted"),
        ("parsexml field=b | stats count(z)", "parsexml field=b", "text-not-xml"),
        ('eval _time = date(b, "yyyy") | timechart span=1d count', "timechart", "row-without-time"),
    ],
)
def test_where_nearly_every_value_is_lost_at_least_that_many_are_told(query: str, source: str, reason: str) -> None:
    found = [entry for entry in entries(query, texts(2), False) if entry[0] == source]
    assert [(entry[1], entry[3]) for entry in found] == [(reason, True)]
    assert MOST <= found[0][2] < ROWS
    assert found[0][2] % 10_000 == 0, "how many more were counted is chance"
    assert (source, reason, ROWS, False) in entries(query, texts(2), True)


def test_losses_that_are_few_or_rare_are_counted_to_the_last() -> None:
    lost = -(-ROWS // (RARE + 10))
    assert entries("eval c = int(a)", texts(RARE + 10), False) == [("int(a)", "not-converted", lost, False)]
    few = texts(2).slice(0, MOST - 1)
    assert entries("eval c = int(b)", few, False) == [("int(b)", "not-converted", MOST - 1, False)]


@pytest.mark.parametrize(
    "query",
    [
        "fields a | timechart count",
        "rename b as _time | timechart span=1h sum(i), max(a)",
        "rename b as _time | timechart span=1h count by a",
        "fields a | timechart count | search count > 1",
    ],
)
def test_rows_of_a_timechart_without_any_date_are_counted_as_a_whole(query: str) -> None:
    """Without the count not one row is read: that of a large table took a quarter of the query. Behind a condition on
    the result they are counted too."""
    few = texts(2).slice(0, 1_000)
    assert entries(query, few, False) == [("timechart", "row-without-time", 1_000, False)]
    assert entries(query, texts(2), False) == [("timechart", "row-without-time", 0, True)]
    assert entries(query, texts(2), True) == [("timechart", "row-without-time", ROWS, False)]


def test_a_file_is_not_read_to_its_end_for_rows_without_a_date(tmp_path: Path) -> None:
    """A file of gigabytes was read whole, for an empty table and the number of its rows."""
    path = tmp_path / "x.csv"
    for rows, count, more in ((MOST, MOST, False), (ROWS, MOST, True)):
        path.write_text("_time\n" + "2024-01-01 10:00\n" * rows)
        for exact in (False, True):
            with logsql.connect(tz="UTC") as session:
                query = f"csvfile {path} | timechart count"
                result = session.query(f"{query} | union [ {query} ]", exact=exact)
                assert result.rows() == []
                found = [(e.reason, e.count, e.at_least) for e in result.ledger]
            told = (rows, False) if exact else (count, more)
            assert found == [("row-without-time", 2 * told[0], told[1])]


def test_the_first_row_and_the_count_are_exact_whichever_thread_finds_a_loss(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = ("x" if i % (RARE + 10) == 7 else str(i) for i in range(1, ROWS + 1))
    path.write_text("a\n" + "\n".join(lines) + "\n")
    with logsql.connect(tz="UTC", threads=4) as session:
        result = session.query(f"csvfile {path} | eval c = int(a) | stats count(c)")
        result.rows()
        (entry,) = result.ledger
    lost = sum(i % (RARE + 10) == 7 for i in range(1, ROWS + 1))
    assert (entry.count, entry.at_least, entry.place, entry.sample) == (lost, False, "row 7", "x")


@pytest.mark.parametrize("query", ["stats sum(b)", "stats avg(b) by a", "eval c = -b", "eval c = abs(b)"])
def test_a_column_is_not_read_for_the_ledger_alone(query: str) -> None:
    """A sum of texts is null without reading them: counting them took 2.5 times the query."""
    ((source, reason, count, at_least),) = entries(query, texts(2), False)
    assert (reason, count, at_least) == ("text-not-a-number", 0, True)
    assert source in query
    assert entries(query, texts(2), True) == [(source, reason, ROWS, False)]
    small = texts(2).slice(0, 1_000)
    assert entries(query, small, False) == [(source, reason, 1_000, False)]


def test_texts_of_a_stored_table_are_not_read_for_the_ledger_alone(tmp_path: Path) -> None:
    with logsql.connect(str(tmp_path / "x.duckdb"), tz="UTC") as session:
        session.register("t", texts(2))
        session.query("table t | import create=t kept").rows()
        result = session.query("table kept | stats sum(b)")
        result.rows()
        assert result.ledger.summary() == "text-not-a-number in sum(b), counted with --loss"


def test_lines_of_a_file_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("b\n" + "x\n" * ROWS)
    with logsql.connect(tz="UTC") as session:
        result = session.query(f"csvfile {path} | stats sum(b)")
        result.rows()
        assert result.ledger.summary() == f"{ROWS:,} text-not-a-number in sum(b)"


def test_what_is_not_counted_says_so_in_every_form_and_both_languages() -> None:
    ledger = Ledger()
    ledger.uncounted("sum(b)", "text-not-a-number")
    counted = logsql.connect(tz="UTC")
    with counted as session:
        session.register("t", texts(2))
        result = session.query("table t | eval c = int(b) | stats count(c)")
        result.rows()
    ((none,), (many,)) = (tuple(ledger), tuple(result.ledger))
    assert not none.fact
    assert ledger
    assert none.told().startswith("text-not-a-number in sum(b), counted with --loss: values that are no numbers")
    assert many.told().startswith("at least 10,000 not-converted in int(b) (first: 'b")
    assert result.ledger.summary() == "at least 10,000 not-converted in int(b)"
    assert ledger.lines()[0].startswith("counted with --loss  text-not-a-number  sum(b)")
    assert result.ledger.lines()[0].startswith("at least 10,000  not-converted  int(b)")
    token = LANGUAGE.set("ko")
    try:
        assert none.told().startswith("sum(b): text-not-a-number (--loss를 붙이면 건수를 셉니다): ")
        assert many.told().startswith("int(b): not-converted 10,000건 이상 (처음: 'b")
        assert result.ledger.lines()[0].startswith("10,000 이상  not-converted  int(b)")
    finally:
        LANGUAGE.reset(token)


def test_the_command_line_counts_with_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.csv"
    path.write_text("b\n" + "x\n" * ROWS)
    query = f"csvfile {path} | eval c = int(b) | stats count(c)"
    said = []
    for options in ([], ["--loss"]):
        assert main(["--lang", "en", *options, "-q", query]) == 0
        said.append(capsys.readouterr().err)
    assert "at least 10,000 not-converted in int(b)" in said[0]
    assert re.search(rf"\b{ROWS:,}  not-converted  int\(b\)", said[1])


def test_fates_of_rows_leave_with_their_ledger() -> None:
    """What SQL notes while a query runs is taken by its ledger when that is read, or goes with it."""
    rows = "json \"[{a:'x'},{a:'y'}]\" | rex field=a \"(?<b>z)\""
    with logsql.connect() as session:
        result = session.query(rows)
        assert len(result.rows()) == 2
        assert fates_of(result.ledger.run_id)
        assert not fates_of(result.ledger.run_id)
        result = session.query(rows)
        assert len(result.rows()) == 2
        assert [(entry.reason, entry.count) for entry in result.ledger] == [("no-match", 0)]
        assert not fates_of(result.ledger.run_id)
    unread = Ledger()
    gone = f"{unread.run_id}\x1f"
    counters.came(f"{gone}place\x1f1\x1fno-match\x1frex", "")
    assert any(fate.startswith(gone) for fate in counters.FATES)
    del unread
    gc.collect()
    assert not any(fate.startswith(gone) for fate in counters.FATES)
