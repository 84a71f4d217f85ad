"""A path into a document that no row answers is told, with what stands there; a path that any row answers is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql import Session

#: More than the rows that are looked at before the run.
LATE = 5_000


def documents(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(threads=2) as opened:
        yield opened


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> str:
    rows: list[dict[str, object]] = [
        {"user": {"name": "kim", "id": 7, "tags": ["a", "b"]}, "n": number} for number in range(LATE)
    ]
    rows.append({"user": {"name": "lee", "id": 8, "late": 1}, "n": LATE})
    return documents(tmp_path_factory.mktemp("members") / "events.json", rows)


def entries(session: Session, query: str) -> list[tuple[str, str]]:
    result = session.query(query)
    result.arrow()
    return [(entry.reason, entry.source) for entry in result.ledger]


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("stats count by user.nmae", "user.nmae (user.name)"),
        ("search user.nmae == \"kim\"", "user.nmae (user.name)"),
        ("stats sum(user.size)", "user.size (user.name, user.id, user.tags)"),
        ("eval x = user.id.value", "user.id.value (user.id)"),
        ("sort user.ID", "user.ID (user.id)"),
        ("fields user.tags[5]", "user.tags[5] (user.tags)"),
        ("rex field=user.nmae \"(?<x>k.)\"", "user.nmae (user.name)"),
        ('eval x = valueof(user, "nmae")', 'valueof(user, "nmae") (user.name)'),
        # a key, and no path
        ('eval x = valueof(user, "name.first")', 'valueof(user, "name.first") (user.name, user.id, user.tags)'),
    ],
)  # fmt: skip
def test_a_path_that_no_row_answers_is_told_with_what_is_there(session: Session, events: str, query: str, source: str):
    assert ("no-member", source) in entries(session, f"jsonfile {events} | {query}")


@pytest.mark.parametrize(
    "query",
    [
        "stats count by user.name",
        "stats sum(user.late)",  # in the last row only
        "search user.late == 1",
        "search isnull(user.nmae) | eval y = nvl(user.nmae, 0)",  # the query asks whether it is there
        "search n > 1000000 | stats count by user.nmae",  # no row arrives
        "fields user.tags[1]",
        'eval x = valueof(user, "name"), y = valueof(user, "late"), z = valueof(user.tags, 1)',
        'search isnull(valueof(user, "email")) | eval x = nvl(valueof(user, "email"), 0)',
    ],
)
def test_a_path_that_a_row_answers_or_that_is_asked_for_is_not_told(session: Session, events: str, query: str):
    assert "no-member" not in [reason for reason, _ in entries(session, f"jsonfile {events} | {query}")]


def test_rows_are_those_of_a_run_without_a_ledger(session: Session, events: str):
    query = f"jsonfile {events} | stats count, dc(user.name) by user.nmae"
    assert session.query(query).arrow().to_pylist() == [{"user.nmae": None, "count": LATE + 1, "dc(user.name)": 2}]


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("search isnull(user.nmae)", "write user.name"),
        ("eval x = isnotnull(user.nmae)", "write user.name"),
        ("search isnull(user.email)", None),  # no name is near: it asks whether it is there
        ("search isnull(user.name)", None),
    ],
)
def test_a_path_that_is_asked_for_and_nearly_there_is_a_note(
    session: Session, events: str, query: str, help: str | None
):
    """decisions.md 27: a path that leads nowhere is null; `isnull` of a misspelt one is true in every row."""
    found = [(note.code, note.help) for note in session.plan(f"jsonfile {events} | {query}")[0].notes]
    assert found == ([] if help is None else [("N1405", help)])


def test_a_key_with_a_dot_that_is_a_path_is_told_with_the_path(session: Session):
    query = "json \"[{user:{geo:{cc:'kr'}}}]\" | eval x = valueof(user, 'geo.cc')".replace("'geo.cc'", '"geo.cc"')
    assert entries(session, query) == [("no-member", 'valueof(user, "geo.cc") (user.geo.cc)')]
