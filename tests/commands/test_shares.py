"""``explain --run``: of how many rows each parsing command took something out. Numbers are counted by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql import cli

TEXTS = ["a=1 b=2", "user x", '{"a":1}', None, "{br"]


@pytest.fixture(scope="module")
def session() -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC") as made:
        made.register("t", pa.table({"line": TEXTS * 1_000, "gone": pa.nulls(5_000, pa.string())}))
        yield made


def lines(session: logsql.Session, query: str) -> list[str]:
    """What the run adds to the explanation."""
    explained, added = session.explain(query), session.explain(query, run=True)
    shown, _, ran = added.partition("\n\nrun: " if "\n\nrun: " in added else "\n\n실행: ")
    # The SQL of a run counts; stages, fields and order are the same.
    assert shown.partition("\nsql\n")[0].splitlines()[0] == explained.splitlines()[0]
    return f"{added[len(shown) :].strip()}".split("\n  ") if ran else []


def test_a_query_that_is_run_to_be_explained_is_planned_once(tmp_path: Path) -> None:
    """The plan of a JSON file looks through all of it: it was read three times."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"line": "a=1"}\n{"line": "b"}\n')
    with logsql.connect(tz="UTC") as session:
        plans = []
        session.plan, plan = lambda *a, **k: plans.append(a) or plan(*a, **k), session.plan  # type: ignore[method-assign]
        said = session.explain(f'jsonfile {path} | rex field=line "a=(?<v>.)"', run=True)
    assert len(plans) == 1
    assert 'rex field=line "a=(?<v>.)": 1 of 2 rows match (50.0 %)' in said


@pytest.mark.parametrize(
    ("command", "said"),
    [
        # one group by a call, by text functions, several groups, such that may be empty, and a pattern for Python
        ('rex field=line "user (?<u>.+)"', "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        (r'rex field=line "(?i)user (?<u>[^\n]+)"', "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        ('rex field=line "(?<k>[a-z])=(?<v>.)"', "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        ('rex field=line "(?<k>[a-z]*)=(?<v>.*)"', "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        ('rex field=line "(?<=a)=(?<v>.)"', "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        ('rex field=gone "(?<k>.)"', "0 of 0 rows match (0.0 %), 5,000 more have no text"),
        ("parsekv overlay=t", "4,000 of 4,000 rows match (100.0 %), 1,000 more have no text"),
        ("parsejson", "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        ('parse "user *" as z', "1,000 of 4,000 rows match (25.0 %), 1,000 more have no text"),
        ("parse overlay=t httpd", "0 of 4,000 rows match (0.0 %), 1,000 more have no text"),
    ],
)
def test_the_share_of_rows_that_match(session: logsql.Session, command: str, said: str) -> None:
    ran, share, *_ = lines(session, f"table t | {command}")
    assert ran == "run: rows 5,000"
    assert share.endswith(f": {said}")
    assert share.startswith(f"{command.split()[0]} field=")


def test_commands_come_in_the_order_of_the_query_and_the_ledger_behind_them(session: logsql.Session) -> None:
    query = (
        'table t | rex field=line "(?<a>\\d)" | rex field=line "(?<b>zz)" | eval c = int(line) | stats count(a), sum(c)'
    )
    assert lines(session, query) == [
        "run: rows 1",
        'rex field=line "(?<a>\\d)": 2,000 of 4,000 rows match (50.0 %), 1,000 more have no text',
        'rex field=line "(?<b>zz)": no row was looked at, or nothing reads its fields',
        "4,000 not-converted in int(line) (first: 'a=1 b=2'): values that a conversion could not read: null",
    ]


def test_a_query_that_answers_counts_no_shares(session: logsql.Session) -> None:
    plan, _, _ = session.plan('table t | rex field=line "(?<a>q)" | parsekv overlay=t', counting=True)
    assert "__tallied" not in str(plan.final())


def test_korean(session: logsql.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGSQL_LANG", "ko")
    assert lines(session, 'table t | rex field=line "user (?<u>.+)"') == [
        "실행: 5,000행",
        'rex field=line "user (?<u>.+)": 4,000행 중 1,000행 일치(25.0%), 텍스트가 없는 행 1,000개 별도',
    ]


def test_the_command_line(capfd: pytest.CaptureFixture[str]) -> None:
    query = "json \"[{line: 'k=5'}, {line: 'x'}]\" | rex field=line \"k=(?<v>.)\""
    assert cli.main(["explain", "--run", "-q", query]) == 0
    assert 'rex field=line "k=(?<v>.)": 1 of 2 rows match (50.0 %)' in capfd.readouterr().out
    assert cli.main(["translate", "--run", query]) == 2
    assert "--run" in capfd.readouterr().err


def test_the_share_of_a_step_stands_beside_it(session: logsql.Session) -> None:
    """Two steps of one command are told apart; the summary stays where it was."""
    query = 'table t | rex field=line "(?<k>[a-z])=" | rex field=line "(?<u>user|a=1)" | search u == "x" or k == "y"'
    stages = session.explain(query, run=True).partition("\n\n")[0].splitlines()
    assert [line for line in stages if "rows in" in line] == [
        "  s2_rex  (rex)  5,000 rows in, 1,000 match",
        "  s3_rex  (rex)  5,000 rows in, 2,000 match",
    ]
    assert "rows in" not in session.explain(query)
    assert any("rows match" in line for line in lines(session, query))
