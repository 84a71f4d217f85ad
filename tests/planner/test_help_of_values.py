"""The help names the pattern that the values at hand have, and none where they have no one pattern."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql import Session

SECONDS = "t,u\n1709251200,kim\n1709251260,lee\n"
FORMS = "t,u\n2024-03-01T10:00:00Z,kim\n2024-03-01T10:00:01.500Z,lee\n2024-03-02T11:00:00+09:00,cho\n"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "query", "help"),
    [
        (SECONDS, 'search t > ago("1d")', 'write epoch(t) > ago("1d")'),
        (SECONDS, 'eval h = datepart(t, "hour")', 'write datepart(epoch(t), "hour")'),
        (SECONDS, "eval _time = t | timechart span=1h count", "write eval _time = epoch(_time) | timechart ..."),
        (FORMS, 'search t > date("2024", "yyyy")', "write csvfile types=t"),
        (FORMS, 'eval h = datepart(t, "hour")', "write csvfile types=t"),
        (FORMS, 'search u > date("2024", "yyyy")', None),
    ],
)
def test_no_pattern_is_proposed_that_reads_no_value(
    session: Session, tmp_path: Path, text: str, query: str, help: str | None
) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    (note,) = session.query(f"csvfile {path} | {query}").notes
    assert note.help == help


@pytest.mark.parametrize(
    ("condition", "help"),
    [
        ('line == "404"', 'write line == "*404*"'),
        ('line != "404"', 'write line != "*404*"'),
        ('line == "GET|POST"', 'write line == "*GET*" or line == "*POST*"'),
        ('line == "GET /a 200"', None),
        ('line == "500"', None),
        ('line == "*404*"', None),
    ],
)
def test_a_part_of_a_line_is_told(session: Session, tmp_path: Path, condition: str, help: str | None) -> None:
    path = tmp_path / "x.log"
    path.write_text("GET /a 200\nPOST /b 404\n", encoding="utf-8")
    assert [note.help for note in session.query(f"textfile {path} | search {condition}").notes] == (
        [help] if help else []
    )
