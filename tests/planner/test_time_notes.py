"""Notes about times: the one at which a file was read, and where the dates of rows without ``_time`` are."""

from __future__ import annotations

from pathlib import Path

import pytest

from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session

LINES = "Mar 05 10:00:00 h sshd[1]: time=1\nMar 06 10:00:00 h sshd[1]: time=2\n"


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "a.log"
    path.write_text(LINES)
    return str(path)


@pytest.mark.parametrize(
    "between",
    ["", '| search line == "*sshd*"', '| rex field=line "time=(?<n>.)"', "| parsekv", "| parsekv overlay=t"],
)
def test_the_time_of_reading_dates_no_line(log: str, between: str) -> None:
    """`textfile a.log | timechart count` put all rows into the bucket of this moment, and nothing told it."""
    with Session(tz="UTC") as session:
        result = session.query(f"textfile {log} {between} | timechart span=1d count")
        assert [row["count"] for row in result.rows()] == [2]
        assert [note.code for note in result.notes] == ["N1314"]


@pytest.mark.parametrize(
    "between",
    [
        "| parse syslog",
        "| parse overlay=t openssh",
        '| eval _time = date(concat("2024 ", line), "yyyy MMM dd HH:mm:ss")',
        '| eval t = date(concat("2024 ", line), "yyyy MMM dd HH:mm:ss") | fields t | rename t as _time',
    ],
)
def test_a_time_of_the_line_is_silent(log: str, between: str) -> None:
    with Session(tz="UTC") as session:
        assert [n.code for n in session.plan(f"textfile {log} {between} | timechart span=1d count")[0].notes] == []
        dated = f'textfile dp="^(.{{15}})" df="MMM dd HH:mm:ss" {log} | timechart span=1d count'
        assert [n.code for n in session.plan(dated)[0].notes] == ["N1305"]  # of 1970


@pytest.mark.parametrize(
    ("rows", "better"),
    [
        ("{'Date and Time':'1/2/2024 3:04:05 PM'}", 'date(field("Date and Time"), "MM/dd/yyyy hh:mm:ss a")'),
        ("{t:'13/2/2024 3:04 am'}", 'date(t, "dd/MM/yyyy hh:mm a")'),
        ("{ts:1709600000}", "epoch(ts)"),
        ("{eventTime:1709600000123}", "epoch(eventTime)"),
    ],
)
def test_the_field_that_holds_the_time_is_named(rows: str, better: str) -> None:
    with Session(tz="UTC") as session:
        query = f'json "[{rows}]"'
        (note,) = session.plan(f"{query} | timechart span=1d count")[0].notes
        assert (note.code, note.help) == ("N1308", f"write eval _time = {better} | timechart ...")
        assert session.query(f"{query} | eval _time = {better} | timechart span=1d count").rows()[0]["count"] == 1


@pytest.mark.parametrize("rows", ["{time:17}", "{bytes:1709600000}", "{t:'1/2/2024'}"])
def test_other_fields_are_no_times(rows: str) -> None:
    with Session(tz="UTC") as session:
        (note,) = session.plan(f'json "[{rows}]" | timechart span=1d count')[0].notes
        assert (note.code, note.help) == ("N1308", None)


def test_a_day_without_quotes_is_a_date() -> None:
    """The help said to write epoch(((2024 - 1) - 1))."""
    with Session(tz="UTC") as session:
        (note,) = session.plan('json "[{}]" | eval t = now() | search t > 2024-01-31')[0].notes
        assert (note.code, note.help) == ("N1201", 'write t > date("2024-01-31", "yyyy-MM-dd")')


def test_numbers_that_are_text_in_a_boxplot() -> None:
    with Session(tz="UTC") as session:
        (note,) = session.plan("json \"[{b:'9'},{b:'10'}]\" | boxplot b")[0].notes
        assert (note.code, note.help) == ("N1302", "write boxplot double(b)")


@pytest.mark.parametrize(("name", "command"), [("empty.csv", "csvfile"), ("empty.jsonl", "jsonfile")])
def test_an_empty_file_has_no_unknown_fields(tmp_path: Path, name: str, command: str) -> None:
    """A right query over the log of a quiet day was told that no row has its fields."""
    (tmp_path / name).write_text("")
    with Session(tz="UTC") as session:
        result = session.query(
            f'{command} {tmp_path / name} | search status == "404" | stats count, max(bytes) by user'
        )
        assert (result.rows(), result.notes) == ([], ())


@pytest.mark.parametrize(
    ("value", "pattern", "help"),
    [
        ("10:00:00.5", "HH:mm:ss.SSS", 'write "HH:mm:ss.SSSSSS"'),
        ("10:00:00.25Z", "HH:mm:ss.SX", 'write "HH:mm:ss.SSSSSSX"'),
    ],
)
def test_a_fraction_that_leaves_out_zeros(value: str, pattern: str, help: str) -> None:
    """`.5` through `SSS` is 5 milliseconds: a hundred times too little, and nothing told it (decision 26)."""
    with Session(tz="UTC") as session:
        query = f"json \"[{{t:'{value}'}}]\" | eval d = date(t, "
        codes = [(n.code, n.help) for n in session.plan(f'{query}"{pattern}")')[0].notes]
        assert ("N1313", help) in codes
        right = f'{query}"{help[7:-1]}") | eval ms = datepart(d, "milliseconds") | fields ms'
        assert session.query(right).rows() == [{"ms": 500 if value.endswith(".5") else 250}]
        whole = 'json "[{t:\'10:00:00.0\'}]" | eval d = date(t, "HH:mm:ss.SSS")'
        assert "N1313" not in [n.code for n in session.plan(whole)[0].notes]


def test_a_bare_t_in_a_pattern() -> None:
    with Session(tz="UTC") as session, pytest.raises(LogsqlError) as caught:
        session.plan('json "[{}]" | eval d = date("2024-01-01T10", "yyyy-MM-ddTHH")')
    assert caught.value.help == "write \"yyyy-MM-dd'T'HH\""


@pytest.mark.parametrize("left", ["ip(a)", "b"])
def test_a_network_is_no_address(left: str) -> None:
    with Session(tz="UTC") as session:
        query = f'json "[{{a:\'10.1.2.3\'}}]" | eval b = ip(a) | search {left} == "10.0.0.0/8"'
        (note,) = session.plan(query)[0].notes
        better = f'network({left.strip("ip()")}, 8) == "10.0.0.0"'
        assert (note.code, better in (note.help or "")) == ("N1224", True)
        assert len(session.query(query.split("| search")[0] + f"| search {better}").rows()) == 1


@pytest.mark.parametrize(("option", "cells"), [('delim=";"', "a,b\n1,2\n"), ("tab=t", "a|b\n1|2\n")])
def test_another_delimiter_that_was_chosen(tmp_path: Path, option: str, cells: str) -> None:
    """A delimiter that the query chose was believed: one column `a,b`."""
    (tmp_path / "x.csv").write_text(cells)
    with Session(tz="UTC") as session:
        (note,) = session.plan(f"csvfile {option} {tmp_path / 'x.csv'}")[0].notes
        assert (note.code, note.help) == ("N1402", f'write csvfile delim="{cells[1]}" ...')


def test_types_in_a_subquery_of_union(tmp_path: Path) -> None:
    """The number of the row was looked at as a cell: an internal error (TypeError)."""
    path = tmp_path / "x.csv"
    path.write_text("a\n9\n10\n")
    with Session(tz="UTC") as session:
        rows = session.query(f"csvfile types=t {path} | union [ csvfile types=t {path} ] | sort -a | fields a").rows()
        assert rows == [{"a": 10}, {"a": 10}, {"a": 9}, {"a": 9}]


@pytest.mark.parametrize(
    ("values", "query", "help"),
    [
        ("05/Mar/2024 13/Feb/2024", "sort -a", 'eval a = date(a, "dd/MMM/yyyy") | sort -a'),
        ("13/02/2024 05/03/2024", "sort a", 'eval a = date(a, "dd/MM/yyyy") | sort a'),
        ("05/Mar/2024 13/Feb/2024", "stats max(a)", 'max(date(a, "dd/MMM/yyyy"))'),
        ("1,234 999", "sort -a", 'eval a = double(replace(a, ",", "")) | sort -a'),
    ],
)
def test_texts_in_another_order_than_by_value(values: str, query: str, help: str) -> None:
    """docs/notes.md promised it of numbers and dates; dates and `1,234` were silent."""
    rows = ",".join(f"{{a:'{value}'}}" for value in values.split())
    with Session(tz="UTC") as session:
        (note,) = session.plan(f'json "[{rows}]" | {query}')[0].notes
        assert (note.code, note.help) == ("N1302", f"write {help}")


@pytest.mark.parametrize("values", ["2024-03-05 2023-01-01", "05/Mar/2024 13/Mar/2024", "1,234 5,678", "a b", "1,2 1"])
def test_texts_in_the_order_of_their_values_are_silent(values: str) -> None:
    rows = ",".join(f"{{a:'{value}'}}" for value in values.split())
    with Session(tz="UTC") as session:
        assert session.plan(f'json "[{rows}]" | sort a | stats max(a)')[0].notes == ()
