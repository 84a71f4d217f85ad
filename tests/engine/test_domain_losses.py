"""Numbers outside the domain of a function: NaN passes ``> 3`` and makes a sum NaN, so the ledger tells of them."""

from __future__ import annotations

import math

import pytest

import logsql
from logsql import Session

ROWS = 'json "[{n: -4}, {n: 0}, {n: 4}, {n: 0.5}, {}]"'


@pytest.fixture(scope="module")
def session() -> Session:
    return logsql.connect()


@pytest.mark.parametrize(
    ("expression", "lost"),
    [
        ("sqrt(n)", 1),
        ("log(n)", 2),
        ("log10(n)", 2),
        ("asin(n)", 2),
        ("acos(n)", 2),
        ("pow(n, 0.5)", 1),
        # What has a result, or is asked where there is one only.
        ("pow(n, 2)", 0),
        ("pow(n + 9, -3)", 0),
        ("exp(n)", 0),
        ("sqrt(abs(n))", 0),
        ("if(n > 0, log(n), 0)", 0),
        ("if(n >= 0, sqrt(n), null)", 0),
    ],
)
@pytest.mark.parametrize("exact", [False, True])
def test_numbers_without_a_result_are_counted(session: Session, expression: str, lost: int, exact: bool) -> None:
    result = session.query(f"{ROWS} | eval x = {expression} | fields x", exact=exact)
    values = [row["x"] for row in result.rows()]
    assert sum(1 for v in values if v is not None and not math.isfinite(v)) == lost
    assert [(e.reason, e.count) for e in result.ledger] == ([("outside-domain", lost)] if lost else [])


@pytest.mark.parametrize(
    "query", ["search sqrt(n) > 3", "stats sum(sqrt(n)) as s", "eval l = foreach(sqrt(_1), array(n, 4))"]
)
def test_they_are_counted_wherever_the_call_stands(session: Session, query: str) -> None:
    result = session.query(f"{ROWS} | {query}")
    result.rows()
    assert [(e.reason, e.count) for e in result.ledger] == [("outside-domain", 1)]
