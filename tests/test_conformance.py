"""Every conformance case through the product: all of them, in their own time zones."""

from __future__ import annotations

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.compare import rows_equal, values_equal
from tests.conformance_cases import Case, arrow_tables, error_matches, load
from tests.run_case import run


def check(case: Case) -> None:
    """Fails with the difference between the expected and the delivered rows."""
    if case.errors:
        with pytest.raises(LogsqlError) as caught:
            run(case.query, arrow_tables(case), case.tz, case.params)
        assert error_matches(case, str(caught.value)), str(caught.value)
        return
    rows = run(case.query, arrow_tables(case), case.tz, case.params)
    assert case.expect is not None
    if case.expect_len is not None:
        assert [len(r["v"]) for r in rows] == [case.expect_len] * len(rows)
        return
    if case.unordered_lists:
        assert len(rows) == len(case.expect)
        for expected, actual in zip(case.expect, rows, strict=True):
            difference = values_equal(expected["v"], actual["v"], case.tz, unordered=True)
            assert difference is None, difference
        return
    difference = rows_equal(case.expect, rows, case.ordered, case.tz)
    assert difference is None, f"{case.query}\n{difference}"
    if case.expect_columns is not None and rows:
        assert tuple(rows[0]) == case.expect_columns


@pytest.mark.parametrize("case", load("language"), ids=lambda c: c.id)
def test_language(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", load("functions"), ids=lambda c: c.id)
def test_functions(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("case", load("pipelines"), ids=lambda c: c.id)
def test_pipelines(case: Case) -> None:
    check(case)
