"""Every example of every command's manual page gives the rows that the page prints."""

from __future__ import annotations

import pytest

from logsql.planner.spec import COMMANDS, Example
from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.run_case import run

ZONE = "Asia/Seoul"
EXAMPLES = [
    pytest.param(example, id=f"{name}-{number}")
    for name, spec in sorted(COMMANDS.items())
    if name == spec.name
    for number, example in enumerate(spec.examples, 1)
    if example.rows is not None
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example: Example) -> None:
    # An example says dates as local ISO text; the one column that is always a date is _time.
    tables = {name: arrow_table(rows, {"_time": "date"}, ZONE) for name, rows in (example.tables or {}).items()}
    rows = run(example.query, tables, ZONE)
    assert example.rows is not None
    difference = rows_equal(example.rows, rows, ordered=True, tz=ZONE)
    assert difference is None, f"{example.query}\n{difference}"
    if rows:
        assert list(rows[0]) == list(example.rows[0])
