"""Random expressions and aggregates: the SQL gives what the naive evaluator gives, value by value.

An expression whose result the specification leaves open (the evaluator says so) proves nothing and is passed over.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.compare import values_equal
from tests.functions.harness import Bench
from tests.naive import NaiveError, run
from tests.naive.gen_data import make_table
from tests.naive.gen_expr import Expressions

BATCHES = 12
PER_BATCH = 25
ZONES = ("Asia/Seoul", "UTC", "America/New_York")
KINDS = ("integer", "real", "text", "test", "date", "ip", "binary", "strings", "items")
AGGREGATES = (
    "count({0})", "sum({0})", "avg({0})", "min({0})", "max({0})", "first({0})", "last({0})", "dc({0})", "values({0})",
    "array({0})", "range({0})", "var({0})", "stddev({0})", "median({0})", "percentile({0}, 30)",
    'percentile({0}, 70, "lower")', 'percentile({0}, 70, "higher")', 'percentile({0}, 10, "midpoint")',
    'percentile({0}, 33, "nearest")', "cov({0}, {1})", "corr({0}, {1})", "slope({0}, {1})",
)  # fmt: skip
#: DuckDB adds up doubles in one pass; the evaluator computes with fractions.
STATISTICS = ("var", "stddev", "cov", "corr", "slope")


def _expected(query: str, rows: list[dict[str, Any]], types: dict[str, str], zone: str) -> list[Any] | None:
    try:
        result = run(query, {"t": rows}, zone, {"t": types} if types else {})
    except NaiveError:
        return None
    return None if result.unspecified else [row.get("v") for row in result.rows]


@pytest.mark.parametrize("mixed", ["json", "variant", "parts"])
@pytest.mark.parametrize("seed", range(BATCHES))
def test_expressions(seed: int, mixed: str) -> None:
    r = Random(f"expressions-{seed}")
    zone = ZONES[seed % len(ZONES)]
    rows, types, kinds = make_table(r, 8, 9)
    bench = Bench(rows, types, zone, mixed)
    compared = 0
    for _ in range(PER_BATCH):
        e = Expressions(r, kinds, {})
        expression = getattr(e, r.choice(KINDS))(r.choice((1, 2, 2, 3)))
        want = _expected(f"table t | eval v = {expression} | fields v", rows, types, zone)
        if zone == "America/New_York" and "offset=" in expression:
            continue  # an offset is wall clock time here, elapsed time there: they part when the clock changes
        if want is None or any(f in e.used for f in ("rand", "randbytes", "guid", "now", "ago", "seq")):
            continue
        got = bench.values(expression)
        compared += 1
        for row, a, b in zip(rows, want, got, strict=True):
            problem = values_equal(a, b, zone, unordered="unique" in e.used)
            assert problem is None, f"{expression}\n{row}\n{problem}\n{bench.query(expression)}"
    assert compared >= 8


@pytest.mark.parametrize("mixed", ["json", "variant", "parts"])
@pytest.mark.parametrize("seed", range(BATCHES))
def test_aggregates(seed: int, mixed: str) -> None:
    r = Random(f"aggregates-{seed}")
    zone = ZONES[seed % len(ZONES)]
    rows, types, kinds = make_table(r, 12, 9)
    bench = Bench(rows, types, zone, mixed)
    compared = 0
    for template in AGGREGATES:
        e = Expressions(r, kinds, {})
        make = r.choice(("integer", "real", "text", "any_field", "date", "test"))
        a, b = ((getattr(e, make)(1) if make != "any_field" else e.any_field()) for _ in range(2))
        text = template.format(a, b)
        want = _expected(f"table t | stats {text} as v", rows, types, zone)
        if want is None:
            continue
        compared += 1
        got = bench.aggregate(text)
        if template.startswith(STATISTICS) and isinstance(want[0], float) and isinstance(got, float):
            assert got == pytest.approx(want[0], rel=1e-6, abs=1e-6), text
            continue
        problem = values_equal(want[0], got, zone)
        assert problem is None, f"{text}\n{problem}"
    assert compared >= 5
