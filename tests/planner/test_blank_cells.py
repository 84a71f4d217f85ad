"""Blank cells of a CSV file are "" and not null (README): a query that asks for null is told so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.engine.session import Session


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="Asia/Seoul") as opened:
        yield opened


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blanks") / "sales.csv"
    path.write_text('day,region,qty,price\n2024-01-05,Seoul,10,1.5\n2024-01-17,Busan,,\n2024-03-01,Daegu,"1,200",2\n')
    return path


@pytest.mark.parametrize(
    ("rest", "help"),
    [
        ("search isnull(qty)", 'write qty == ""'),
        ("search not(isnull(qty))", 'write qty == ""'),
        ("stats sum(if(isnotnull(qty), 1, 0))", 'write qty != ""'),
        ("eval q = nvl(qty, 0)", 'write if(qty == "", 0, qty)'),
    ],
)
@pytest.mark.parametrize("types", ["", "types=t "])  # one cell is no plain number: the field stays text
def test_a_question_for_null_over_blank_cells(session: Session, sales: Path, types: str, rest: str, help: str) -> None:
    notes = session.plan(f"csvfile {types}{sales} | {rest}", {})[0].notes
    assert [(note.code, note.help) for note in notes] == [("N1240", help)]


@pytest.mark.parametrize(
    "query",
    [
        "csvfile {} | search isnull(region)",
        'csvfile {} | search isnull(qty) or qty == ""',
        "csvfile types=t {} | search isnull(price)",  # a blank cell of a field with a type is null
        "csvfile {} | eval qty = int(qty) | search isnull(qty)",
        "csvfile {} | eval r = nvl(region, 0)",
        "json \"[{{qty:''}}]\" | search isnull(qty)",
    ],
)
def test_right_questions_are_silent(session: Session, sales: Path, query: str) -> None:
    assert session.plan(query.format(sales), {})[0].notes == ()


def test_the_way_to_a_time_of_a_file_with_types(session: Session, sales: Path) -> None:
    # The file types what a query reads: date(day, "yyyy-MM-dd") would be asked of a date.
    (note,) = session.plan(f"csvfile types=t {sales} | timechart count", {})[0].notes
    assert (note.code, note.help) == ("N1308", "write eval _time = day | timechart ...")
    (note,) = session.plan(f"csvfile {sales} | timechart count", {})[0].notes
    assert (note.code, note.help) == ("N1308", 'write eval _time = date(day, "yyyy-MM-dd") | timechart ...')
