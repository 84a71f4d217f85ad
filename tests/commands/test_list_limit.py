"""decisions.md 18: values() and array() keep 100 items, say in the ledger what they cut, and listlimit= lifts it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import logsql
from logsql import Session
from logsql.diagnostics.errors import QueryError

COLUMNS = {
    "long": "eval v = seq",
    "text": 'eval v = format("%04d", seq)',
    "double": "eval v = seq * 0.5",
    "mixed": "eval v = if(seq > 120, string(seq), seq)",
}
COMMANDS = ("stats {} array(v) as a, values(v) as b", "pivot {} array(v) as a, values(v) as b")


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as session:
        session.query('json "{}" | repeat count=130 | eval one = 1 | import create=t base').rows()
        yield session


def ask(session: Session, text: str) -> tuple[list[dict[str, Any]], list[tuple[str, str, int]]]:
    result = session.query("table base | eval seq = seq() | " + text)
    rows = result.rows()
    return rows, sorted((e.source, e.reason, e.count) for e in result.ledger)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_100_items_by_default_and_the_rest_is_in_the_ledger(session: Session, column: str, command: str) -> None:
    rows, ledger = ask(session, f"{COLUMNS[column]} | {command.format('')}")
    assert [(len(r["a"]), len(r["b"])) for r in rows] == [(100, 100)]
    assert ledger == [("array(v)", "list-cut", 30), ("values(v)", "list-cut", 30)]


@pytest.mark.parametrize("limit", [0, 130, 1000])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("column", sorted(COLUMNS))
def test_the_option_lifts_the_limit(session: Session, column: str, command: str, limit: int) -> None:
    rows, ledger = ask(session, f"{COLUMNS[column]} | {command.format(f'listlimit={limit}')}")
    assert [(len(r["a"]), len(r["b"])) for r in rows] == [(130, 130)]
    assert ledger == []


def test_items_that_stay_are_the_first_ones(session: Session) -> None:
    rows, ledger = ask(session, "stats listlimit=3 array(seq) as a, values(seq) as b")
    assert rows == [{"a": [1, 2, 3], "b": [1, 2, 3]}]
    assert ledger == [("array(seq)", "list-cut", 127), ("values(seq)", "list-cut", 127)]
    rows, _ = ask(session, "sort -seq | stats listlimit=0 array(seq) as a")
    assert rows == [{"a": list(range(130, 0, -1))}]


def test_only_groups_above_the_limit_are_counted(session: Session) -> None:
    rows, ledger = ask(session, "eval g = if(seq <= 4, 0, 1) | stats listlimit=5 array(seq) as a by g")
    assert rows == [{"g": 0, "a": [1, 2, 3, 4]}, {"g": 1, "a": [5, 6, 7, 8, 9]}]
    assert ledger == [("array(seq)", "list-cut", 121)]


@pytest.mark.parametrize(
    ("command", "lost"),
    [
        ("rollup listlimit=99 values(seq) as v by one", 62),  # the group and the total, 31 items each
        ("cube listlimit=99 values(seq) as v by one", 62),
        ("pivot listlimit=99 values(seq) as v cols one", 31),
        ("eval _time = now() | timechart span=1y listlimit=99 values(seq) as v", 31),
    ],
)
def test_every_command_with_aggregates_has_the_option(session: Session, command: str, lost: int) -> None:
    _, ledger = ask(session, command)
    assert ledger == [("values(seq)", "list-cut", lost)]


def test_nulls_are_no_items(session: Session) -> None:
    rows, ledger = ask(session, "eval v = if(seq <= 100, seq, null) | stats array(v) as a, values(v) as b")
    assert rows == [{"a": list(range(1, 101)), "b": list(range(1, 101))}]
    assert ledger == []


def test_translated_sql_stays_plain(session: Session) -> None:
    text = session.translate("table base | stats array(one) as a, values(one) as b")
    assert "lq_" not in text


@pytest.mark.parametrize("value", ["-1", "x", '""'])
def test_a_limit_is_a_number(session: Session, value: str) -> None:
    with pytest.raises(QueryError) as caught:
        session.query(f"table base | stats listlimit={value} values(one)")
    assert caught.value.name == "invalid-option"
