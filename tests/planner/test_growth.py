"""SQL of nested calls over mixed fields grows with their number, not with their product: that filled the memory."""

from __future__ import annotations

import pytest

from logsql.values.sqltext import written
from tests.run_case import session

ROWS = "json \"[{'m': {'a': 1}, 'l': [1, 'x', null], 'y': 5}, {'m': null, 'l': [], 'y': 'x'}]\" | "
CALLS = [
    "max({0}, m)",
    'in({0}, 1, "x", y, m)',
    "concat({0}, m, y)",
    "if({0} == y, m, l)",
    "case({0} == 1, m, y == 2, l, y)",
    "nvl({0}, m)",
    "array({0}, m, y)",
    "-{0}",
    "({0} + y)",
    "({0} and y > 1)",
]
LEVELS = 5
ENDINGS = ["eval v = {0} | fields v", "stats max({0}) as a, first({0}) as b, values({0}) as c by y"]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("call", CALLS)
def test_each_level_adds_about_the_same(call: str, ending: str) -> None:
    nested = ["max(y, l)"]
    for _ in range(LEVELS):
        nested.append(call.format(nested[-1]))
    plans = (session("UTC").plan(ROWS + ending.format(nested[level]))[0] for level in (1, LEVELS))
    first, last = (len(written(plan.final())) for plan in plans)
    # The dearest call, an if() over a comparison of mixed values, adds 18,000 characters a level.
    assert last < first + (LEVELS - 1) * 20_000, (first, last)


def test_a_deep_nest_runs() -> None:
    expression = "max(y, l)"
    for call in CALLS:
        expression = call.format(expression)
    assert len(session("UTC").query(f"{ROWS}stats max({expression}) as a by y").rows()) == 2
