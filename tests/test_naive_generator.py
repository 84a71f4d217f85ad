"""Generated pipelines: reproducible, accepted, completely specified, and covering every command and function."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.naive import run
from tests.naive.aggregates import _TABLE as AGGREGATES
from tests.naive.functions import SIMPLE, SPECIAL
from tests.naive.generate import GeneratedCase, generate
from tests.naive.stream import COMMANDS
from tests.support import sample

#: By day half of them; the least numbers below are for all.
CASES = sample(2000, 1000)

#: what generated queries leave out, and why
LEFT_OUT = {
    "now", "ago", "rand", "randbytes", "guid", "whoami",  # not the same twice
    "encrypt", "decrypt",  # an extra dependency; conformance cases cover them
    "lookup", "memlookup",  # state of a session outside the query
    "table", "json",  # sources: counted below through the query text
    # Event contexts have random programs of their own (tests/streams/test_contexts_random.py).
    "evtctxadd", "evtctxdel", "evtctxget", "evtctxgetvar", "evtctxsetvar", "evtctxcnt",
}  # fmt: skip


@pytest.fixture(scope="module")
def cases() -> list[GeneratedCase]:
    return [generate(seed) for seed in range(CASES)]


def test_a_seed_always_gives_the_same_case(cases: list[GeneratedCase]) -> None:
    for seed in (0, 17, CASES - 1):
        assert generate(seed) == cases[seed]
    assert len({c.query for c in cases}) > 0.95 * CASES


def test_whole_queries_give_the_rows_of_their_steps(cases: list[GeneratedCase]) -> None:
    assert len(cases) == CASES
    for c in cases:
        result = run(c.query, c.tables, c.tz, c.types)
        assert result.unspecified == frozenset(), (c.seed, c.query)
        assert result.ordered == c.expected.ordered, (c.seed, c.query)
        assert rows_equal(c.expected.rows, result.rows, result.ordered, c.tz) is None, (c.seed, c.query)
        assert set().union(*map(set, result.rows)) <= set(result.columns), (c.seed, c.query)


def test_everything_is_covered(cases: list[GeneratedCase]) -> None:
    used = Counter(name for c in cases for name in c.used)
    wanted = ({*SIMPLE, *SPECIAL, *COMMANDS, *AGGREGATES, "percentile", "median", "#"}) - LEFT_OUT
    assert {n: used[n] for n in sorted(wanted) if used[n] < 5 * CASES // 2000} == {}
    common = (
        "eval",
        "search",
        "stats",
        "join",
        "union",
        "sort",
        "timechart",
        "parsejson",
        "parsekv",
        "rex",
        "if",
        "in",
    )
    assert {n: used[n] for n in common if used[n] < 50 * CASES // 2000} == {}
    for driver in (r"\btable ", r'\bjson "'):
        assert sum(re.search(driver, c.query) is not None for c in cases) > 30 * CASES // 2000


def test_results_say_something(cases: list[GeneratedCase]) -> None:
    assert sum(bool(c.expected.rows) for c in cases) > 0.85 * CASES
    assert sum(len(c.expected.rows) >= 10 for c in cases) > 0.25 * CASES
    assert sum(any(v is not None for row in c.expected.rows for v in row.values()) for c in cases) > 0.8 * CASES


def test_inputs_load_as_arrow(cases: list[GeneratedCase]) -> None:
    kinds: Counter[str] = Counter()
    for c in cases[:300]:
        for name, rows in c.tables.items():
            table = arrow_table(rows, c.types.get(name, {}), c.tz)
            assert table.num_rows == len(rows)
            kinds.update(str(t).split("[")[0].split("<")[0] for t in table.schema.types)
    assert set(kinds) == {"int32", "int64", "double", "bool", "string", "timestamp", "binary", "list"}
