"""The naive evaluator passes every conformance case: its expectations are the reference the translator is held to."""

from __future__ import annotations

import re

import pytest

from tests.compare import rows_equal, values_equal
from tests.conformance_cases import NAMES, Case, arrow_tables, error_matches, load
from tests.naive import NaiveError, run

CASES = [(name, case) for name in NAMES for case in load(name)]


def outcome(case: Case) -> str | None:
    """None when the case passes, else what differs."""
    try:
        result = run(case.query, case.input, case.tz, case.types, case.params)
    except NaiveError as e:
        if not case.errors:
            return f"refused: {e}"
        return None if error_matches(case, str(e)) else f"refused for another reason: {e}"
    if case.errors:
        return f"not refused: {result.rows}"
    assert case.expect is not None
    if case.expect_columns is not None and tuple(result.columns) != case.expect_columns:
        return f"columns {result.columns}"
    if case.expect_len is not None:
        n = len(result.rows[0]["v"])
        return None if n == case.expect_len else f"{n} items"
    if case.unordered_lists:
        return values_equal(case.expect[0]["v"], result.rows[0]["v"], case.tz, unordered=True)
    return rows_equal(case.expect, result.rows, case.ordered, case.tz)


def test_files_are_complete() -> None:
    assert [len(load(name)) for name in NAMES] == [261, 869, 600]


@pytest.mark.parametrize("case", [c for _, c in CASES], ids=[c.id for _, c in CASES])
def test_case(case: Case) -> None:
    assert outcome(case) is None, f"{case.query}\n{outcome(case)}"


@pytest.mark.parametrize("case", [c for c in load("functions") if c.expect_type], ids=lambda c: c.id)
def test_value_types(case: Case) -> None:
    kind = case.expect_type
    query = re.sub(r"\| fields v$", "| eval v = typeof(v)", case.query) + " | fields v"
    wanted = {"binary": "byte[]"}.get(kind or "", kind)
    got = run(query, case.input, case.tz, case.types, case.params).rows[0]["v"]
    assert {"binary": "byte[]"}.get(got, got) == wanted


def test_order_is_known_wherever_a_case_relies_on_it() -> None:
    ordered = [c for _, c in CASES if c.expect and c.ordered]
    assert [c.id for c in ordered if not run(c.query, c.input, c.tz, c.types, c.params).ordered] == []


def test_arrow_tables_keep_every_value() -> None:
    values = 0
    for _, case in CASES:
        for name, table in arrow_tables(case).items():
            assert table.num_rows == len(case.input[name])
            values += table.num_rows * table.num_columns
            for row, back in zip(case.input[name], table.to_pylist(), strict=True):
                for key, value in row.items():
                    assert (value is None) == (back[key] is None), (case.id, key)
    assert values > 10_000
