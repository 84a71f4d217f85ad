"""Source commands: which rows, in which order, with which types, and what is said when a file cannot be read."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import sqlite3
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, PolicyError, QueryError, SourceError
from logsql.engine.session import Session

SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="Asia/Seoul") as made:
        yield made


def rows(session: Session, text: str, **params: Any) -> list[dict[str, Any]]:
    return session.query(text, params=params).rows()


def losses(session: Session) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in session.last_ledger:
        found[entry.reason] = found.get(entry.reason, 0) + entry.count
    return found


def code(session: Session, text: str) -> tuple[str, str]:
    with pytest.raises(LogsqlError) as caught:
        session.query(text).rows()
    return caught.value.code, caught.value.name


# --- table ------------------------------------------------------------------------------------------------------------


def events(session: Session) -> None:
    session.planning.execute(
        "CREATE OR REPLACE TABLE ev AS SELECT TIMESTAMPTZ '2024-01-01 00:00:00+09' + to_hours(h::INT) AS _time, h AS n "
        "FROM (VALUES (2), (0), (1), (2)) t(h)"
    )
    session.planning.execute("CREATE OR REPLACE TABLE plain AS SELECT * FROM (VALUES (3), (1), (2)) t(n)")


def test_newest_first_and_ties_in_stored_order(session: Session) -> None:
    session.planning.execute(
        "CREATE OR REPLACE TABLE e AS SELECT TIMESTAMPTZ '2024-01-01' AS _time, i AS n FROM range(5) t(i) "
        "UNION ALL SELECT TIMESTAMPTZ '2024-01-02', 9"
    )
    assert [r["n"] for r in rows(session, "table e")] == [9, 0, 1, 2, 3, 4]
    assert [r["n"] for r in rows(session, "table order=asc e")] == [0, 1, 2, 3, 4, 9]
    assert [r["n"] for r in rows(session, "table limit=2 offset=1 e")] == [0, 1]


def test_without_time_rows_come_as_stored(session: Session) -> None:
    events(session)
    assert [r["n"] for r in rows(session, "table plain")] == [3, 1, 2]


def test_time_range_takes_from_and_leaves_to(session: Session) -> None:
    events(session)
    assert [r["n"] for r in rows(session, "table from=2024010101 to=2024010102 ev")] == [1]
    assert len(rows(session, "table from=2024 ev")) == 4
    assert rows(session, "table from=20240102 ev") == []
    assert len(rows(session, 'table from="2024-01-01 02:00:00+0900" ev')) == 2
    assert rows(session, 'set d = "20240101020000" | table to=$("d") ev | stats count') == [{"count": 2}]


def test_duration_looks_back_from_now(session: Session) -> None:
    session.planning.execute(
        "CREATE OR REPLACE TABLE e AS SELECT now() - to_minutes(m::INT) AS _time, m FROM (VALUES (1), (90)) t(m)"
    )
    assert [r["m"] for r in rows(session, "table duration=1h e")] == [1]
    assert [r["m"] for r in rows(session, "table duration=1d e")] == [1, 90]


def test_several_tables_wildcards_and_missing_ones(session: Session) -> None:
    events(session)
    assert [r["n"] for r in rows(session, "table plain, plain")] == [3, 1, 2, 3, 1, 2]
    assert rows(session, "table nothere?") == []
    assert rows(session, "table nothere*?") == []
    found = rows(session, "table p*, *lain")
    assert [(r["n"], r["_table"]) for r in found] == [(n, "plain") for n in (3, 1, 2, 3, 1, 2)]
    assert len(rows(session, "table *:plain")) == 3
    assert [r["n"] for r in rows(session, "table ev, plain | sort n | limit 2")] == [0, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("table nothere", "10605"),
        ("table nothere*", "10605"),
        ("table limit=-1 plain", "10602"),
        ("table offset=-1 plain", "10601"),
        ("table duration=1h from=2024 ev", "10603"),
        ("table from=2024133 ev", "10603"),
        ("table from=20241301 ev", "10603"),
        ("table from=2024 plain", "10603"),
        ("table plain,", "10603"),
        ("table", "10603"),
    ],
)
def test_table_errors(session: Session, text: str, expected: str) -> None:
    events(session)
    assert code(session, text)[0] == expected


def test_a_missing_table_names_the_nearest(session: Session) -> None:
    events(session)
    with pytest.raises(QueryError) as caught:
        session.query("table plian")
    assert "plain" in str(caught.value.help)


# --- json -------------------------------------------------------------------------------------------------------------


def test_json_types(session: Session) -> None:
    text = (
        "json \"[{i: 1, l: 3000000000, d: 1.5, b: true, n: null, m: {x: [1]}, t: word, li: [1, 2], lx: [1, 'a'], "
        'lm: [{a: 1}], e: [], u: +5, z: 1e3}]" | eval t1=typeof(i), t2=typeof(l), t3=typeof(d), t4=typeof(b), '
        "t5=typeof(m), t6=typeof(t), t7=typeof(li), t8=typeof(z), t9=typeof(n)"
    )
    row = rows(session, text)[0]
    assert [row[f"t{i}"] for i in range(1, 10)] == [
        "int",
        "long",
        "double",
        "bool",
        "map",
        "string",
        "list",
        "double",
        None,
    ]
    assert (row["m"], row["lx"], row["lm"], row["e"], row["u"]) == ({"x": [1]}, [1, "a"], [{"a": 1}], [], 5)


def test_json_keeps_the_type_of_each_value(session: Session) -> None:
    found = rows(session, "json \"[{a: 1}, {a: 1.5}, {a: 'x'}, {a: {b: 1}}, {a: [1]}, {}]\" | eval t = typeof(a)")
    assert [r["t"] for r in found] == ["int", "double", "string", "map", "list", None]


def test_json_empty_rows_and_other_items(session: Session) -> None:
    assert rows(session, 'json "{}"') == [{}]
    assert rows(session, 'json "[{}, {}, 5, null]" | stats count') == [{"count": 2}]
    assert rows(session, 'json "[]"') == []


def test_json_names_that_differ_in_case(session: Session) -> None:
    assert rows(session, 'json "{A: 1, a: 2}" | eval s = A + a') == [{"A": 1, "a": 2, "s": 3}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("json {}", "10200"),
        ("json", "10200"),
        ('json "5"', "10201"),
        ('json "{a:}"', "10202"),
        ('json "{} x"', "10202"),
    ],
)
def test_json_errors(session: Session, text: str, expected: str) -> None:
    assert code(session, text)[0] == expected


# --- files ------------------------------------------------------------------------------------------------------------


def test_jsonfile_types_as_written(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [{"s": "404", "n": 404, "f": 2.5, "x": True, "m": {"k": 1}, "l": [1]}, {"s": None, "late": 1}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = rows(session, f"jsonfile {path} | eval t = typeof(s), u = typeof(n)")
    assert found[0] == {**lines[0], "late": None, "_file": "a.jsonl", "t": "string", "u": "int"}
    assert found[1]["late"] == 1
    assert rows(session, f"jsonfile limit=1 offset=1 {path} | fields late") == [{"late": 1}]


def test_jsonfile_broken_lines_are_told(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1, "A": "x"}\nbroken\n[1]\n\n{"a": "one"}\n')
    found = rows(session, f"jsonfile {path} | eval t = typeof(a) | fields a, A, t")
    assert found == [{"a": 1, "A": "x", "t": "int"}, {"a": "one", "A": None, "t": "string"}]
    assert losses(session) == {"broken-json": 1, "not-an-object": 1}
    assert [r["line"] for r in rows(session, f"jsonfile overlay=t {path}")] == ['{"a": 1, "A": "x"}', '{"a": "one"}']


def test_jsonfile_of_empty_objects_and_of_several_files(session: Session, tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_text("{}\n{}\n")
    assert rows(session, f"jsonfile {tmp_path}/e.jsonl | stats count") == [{"count": 2}]
    (tmp_path / "p2.jsonl").write_text('{"v": 2}\n')
    (tmp_path / "p10.jsonl").write_text('{"v": "ten", "w": 1}\n')
    found = rows(session, f"jsonfile {tmp_path}/p*.jsonl")
    assert found == [
        {"v": 2, "w": None, "_file": "p2.jsonl"},
        {"v": "ten", "w": 1, "_file": "p10.jsonl"},
    ]


def test_csvfile(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('ip,name\n10.0.0.1,"x, y"\n10.0.0.2\n1,2,3\n')
    assert rows(session, f"csvfile {path}") == [
        {"ip": "10.0.0.1", "name": "x, y", "column2": None, "_file": "a.csv"},
        {"ip": "10.0.0.2", "name": None, "column2": None, "_file": "a.csv"},
        {"ip": "1", "name": "2", "column2": "3", "_file": "a.csv"},
    ]
    assert code(session, f"csvfile strict=t tab=t {path}")[0] == "90001"


def test_textfile_lines_records_and_times(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "app log.txt.gz"
    with gzip.open(path, "wt") as file:
        file.write("[2024-01-02 03:04:05] first\n  more\n[2024-01-02 03:04:06] second\n")
    assert [r["line"] for r in rows(session, f"textfile {path}")][1] == "  more"
    text = rf'textfile brex="^\[" dp="\[([0-9 :-]+)\]" df="yyyy-MM-dd HH:mm:ss" {path}'
    found = rows(session, text)
    assert [r["line"] for r in found] == ["[2024-01-02 03:04:05] first\n  more", "[2024-01-02 03:04:06] second"]
    assert found[0]["_time"] == dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=SEOUL)
    assert rows(session, f'textfile "{path}" | limit 1 | fields _file') == [{"_file": "app log.txt.gz"}]
    assert code(session, f'textfile dp="x" {path}')[0] == "90001"
    assert code(session, f'textfile brex="(" {path}')[0] == "90001"
    assert code(session, f'textfile dp="x" df="QQ" {path}')[0] == "90820"


def test_textfile_counts_lines_without_a_time(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("2024-01-02 x\nnothing\n")
    found = rows(session, rf'textfile dp="^\S+" df="yyyy-MM-dd" {path} | fields _time')
    assert [r["_time"] is None for r in found] == [False, True]
    assert losses(session) == {"no-time-found": 1}


def test_zip_xml_and_sqlite(session: Session, tmp_path: Path) -> None:
    archive = tmp_path / "z.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("d/a.txt", "one\ntwo\n")
        made.writestr("b.log", "three\n")
    assert [r["line"] for r in rows(session, f"zipfile {archive} *.txt")] == ["one", "two"]
    assert [r["entry"] for r in rows(session, f"zipfile-entries {archive}")] == ["d/a.txt", "b.log"]
    (tmp_path / "a.xml").write_text('<a><b id="1">x</b><b id="2"><c>3</c></b></a>')
    found = rows(session, f"xmlfile xpath=/a/b {tmp_path}/a.xml | fields id, _text, c")
    assert found == [{"id": "1", "_text": "x", "c": None}, {"id": "2", "_text": None, "c": "3"}]
    with sqlite3.connect(tmp_path / "a.db") as database:
        database.execute("CREATE TABLE t(a, b)")
        database.execute("INSERT INTO t VALUES (1, 'x'), (2, x'78ff')")
    assert rows(session, f"sqlite-tables {tmp_path}/a.db | fields name") == [{"name": "t"}]
    assert [r["a"] for r in rows(session, f"sqlite-records table=t {tmp_path}/a.db")] == [1, 2]
    found = rows(session, f"sqlite-records table=t {tmp_path}/a.db | eval t = typeof(b) | fields b, t, _file")
    assert found == [{"b": "x", "t": "string", "_file": "a.db"}, {"b": b"x\xff", "t": "binary", "_file": "a.db"}]
    through_sql = session.sql(f"SELECT b FROM sqlite_records('{tmp_path}/a.db', \"table\" => 't')").rows()
    assert through_sql == [{"b": "x"}, {"b": b"x\xff"}]


def test_names_of_archive_entries_in_another_charset(session: Session, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as made:
        made.writestr("AB.txt", "one")
        made.writestr("b.txt", "two")
    data = (tmp_path / "z.zip").read_bytes()
    (tmp_path / "z.zip").write_bytes(data.replace(b"AB.txt", "가".encode("cp949") + b".txt"))
    found = rows(session, f"zipfile-entries zipcharset=cp949 {tmp_path}/z.zip | fields entry")
    assert [r["entry"] for r in found] == ["가.txt", "b.txt"]
    assert [r["line"] for r in rows(session, f"zipfile {tmp_path}/z.zip b.txt")] == ["two"]
    assert losses(session) == {}
    assert [r["line"] for r in rows(session, f"zipfile zipcharset=cp949 {tmp_path}/z.zip 가.txt")] == ["one"]


def test_registry_values_keep_their_types(session: Session) -> None:
    text = "hive-file sample_data/usb-leak/system.hive | eval t = typeof(value) | stats count by t"
    assert {r["t"] for r in rows(session, text)} == {"binary", "list", "long", "string"}
    drive = r'search key == "*MountedDevices" and name == "\\DosDevices\\E:"'
    text = f'hive-file sample_data/usb-leak/system.hive | {drive} | eval v = decode(value, "UTF-16LE")'
    assert "USBSTOR#Disk&Ven_" in rows(session, text)[0]["v"]


def test_standard_input(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\nc")))
    assert rows(session, "- | stats count") == [{"count": 3}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("- | union [ - | stats count as n ] | search isnotnull(n) | fields n", [{"n": 2}]),
        ("- | parsejson | join k [ - | parsejson | stats avg(b) as ab by k ] | fields ab", [{"ab": 3.0}] * 2),
        ("- | stats count | union [ - | union [ - ] | stats count ]", [{"count": 2}, {"count": 4}]),
    ],
)
def test_standard_input_in_several_places(
    session: Session, monkeypatch: pytest.MonkeyPatch, query: str, expected: list[dict[str, object]]
) -> None:
    # The second reading was empty, and nothing told it.
    text = b'{"k":1,"b":2}\n{"k":1,"b":4}\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert rows(session, query) == expected


def test_standard_input_beyond_memory(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.readers.stdin._IN_MEMORY", 1000)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"0123456789\n" * 500_000)))
    assert rows(session, "- | union [ - ] | stats count") == [{"count": 1_000_000}]


def test_a_table_named_like_a_file_is_no_file(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # DuckDB reads the file where no table has the name, also under the full name of a table.
    monkeypatch.chdir(tmp_path)
    session.cursor().execute("COPY (SELECT 1 AS a) TO 'memory.main.x.parquet'")
    (tmp_path / "y.csv").write_text("a\n1\n")
    for name in ("x.parquet", "nosuch.csv", "a/b.parquet", "y.csv"):
        assert code(session, f"table {name}") == ("10605", "table-not-found")
    with pytest.raises(LogsqlError) as caught:
        session.query("table y.csv")
    assert caught.value.diagnostic.help == "y.csv is a file: csvfile y.csv"
    session.cursor().execute('CREATE TABLE "Y.csv" AS SELECT 2 AS a')
    assert rows(session, "table y.csv") == [{"a": 2}]


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("hive-file SYSTEM replay=t", "options stand before the path: hive-file replay=t SYSTEM"),
        ("csvfile a b.csv limit=2 strict=t", "options stand before the path: csvfile limit=2 strict=t a b.csv"),
    ],
)
def test_options_behind_the_path_are_told(session: Session, text: str, help: str) -> None:
    # The path is the rest of the command: "SYSTEM replay=t" was not found, and nothing said why.
    with pytest.raises(LogsqlError) as caught:
        session.query(text)
    assert caught.value.diagnostic.help == help


def test_a_path_may_be_a_parameter(session: Session) -> None:
    assert rows(session, 'textfile $("f") | stats count', f="sample_data/auth.log") == [{"count": 3000}]
    assert code(session, 'textfile $("f")')[0] == "10905"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("textfile nothere.log", ("10700", "file-not-found")),
        ("csvfile nothere.csv", ("10800", "file-not-found")),
        ("jsonfile nothere.json", ("10900", "file-not-found")),
        ("jsonfile *.nothere", ("10900", "no-match")),
        ("zipfile nothere.zip a", ("14000", "file-not-found")),
        ("hive-file sample_data/auth.log", ("E3035", "not-a-hive")),
        ("hive-file sample_data/queries", ("E3010", "is-a-directory")),
        ("hive-file nothere", ("E3002", "file-not-found")),
        ("hive-file *.nothere", ("E3002", "no-match")),
        ("sqlite-tables sample_data/auth.log", ("E3029", "not-a-sqlite-database")),
        ("xmlfile sample_data/auth.log", ("E3021", "not-xml")),
        ("textfile", ("10702", "missing-field")),
        ("csvfile", ("10802", "missing-field")),
        ("jsonfile", ("10902", "missing-field")),
        ("zipfile a.zip", ("14002", "missing-field")),
        ("sqlite-records a.db", ("E3004", "missing-table")),
        ("load nothere", ("11200", "saved-result-not-found")),
        ("result 99", ("11500", "query-not-found")),
        ("textfile cs=klingon sample_data/auth.log", ("10700", "unknown-charset")),
    ],
)
def test_file_errors(session: Session, text: str, expected: tuple[str, str]) -> None:
    assert code(session, text) == expected


def test_a_missing_file_is_a_source_error_at_its_path(session: Session) -> None:
    text = "textfile sample_data/auth.lo"
    with pytest.raises(SourceError) as caught:
        session.query(text)
    span = caught.value.span
    assert span is not None
    assert text[span.start : span.end] == "sample_data/auth.lo"
    assert "auth.log" in str(caught.value.help)


def test_safe_mode_reads_allowed_folders_only(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n')
    with logsql.connect(safe=True, directories=[str(tmp_path)]) as session:
        assert rows(session, f"jsonfile {tmp_path}/a.jsonl | fields a") == [{"a": 1}]
        for command in ("textfile", "jsonfile", "csvfile"):
            with pytest.raises(PolicyError):
                session.query(f"{command} sample_data/auth.log").rows()


def test_results_of_the_session(session: Session) -> None:
    session.register("t", pa.table({"a": [3, 1, 2]}))
    number = session.keep(session.query("table t"))
    assert [r["a"] for r in rows(session, f"result {number}")] == [3, 1, 2]
    assert [r["a"] for r in rows(session, f"result offset=1 limit=1 {number}")] == [1]


@pytest.mark.parametrize("path", ["there.json", "missing.json", "*.json", "no-folder/x.json"])
def test_safe_mode_tells_nothing_of_other_folders(tmp_path: Path, path: str) -> None:
    """Neither whether a file is there, nor the names beside it, nor what another session has found out about it."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "open").mkdir()
    (tmp_path / "closed" / "there.json").write_text('{"a": 1, "b": 2}\n')
    with logsql.connect() as session:
        assert session.query(f"jsonfile {tmp_path}/closed/there.json | fields a").rows() == [{"a": 1}]
    with (
        logsql.connect(safe=True, directories=[str(tmp_path / "open")]) as session,
        pytest.raises(LogsqlError) as caught,
    ):
        session.query(f"jsonfile {tmp_path}/closed/{path} | fields b").rows()
    assert (caught.value.code, caught.value.help) == ("E4001", "allow it with --allow-dir")


def test_a_pattern_of_files_behind_table_names_their_reader(session: Session) -> None:
    """`table *.csv` gave no rows and said nothing; readers of files refuse a pattern that matches nothing."""
    with pytest.raises(LogsqlError) as caught:
        rows(session, "table nosuch*.csv")
    assert str(caught.value) == "[10605 table-not-found] no table matches nosuch*.csv"
    assert caught.value.help is not None
    assert "csvfile nosuch*.csv" in caught.value.help
