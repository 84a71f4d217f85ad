"""The function conformance cases, through the lowering of single expressions and aggregates."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.compare import values_equal
from tests.conformance_cases import FOLDER, arrow_table, iso
from tests.functions.harness import Bench

CASES = [json.loads(line) for line in (FOLDER / "functions.jsonl").read_text(encoding="utf-8").splitlines()]
SCALARS = [c for c in CASES if "expr" in c]
FORMS = ("json", "variant", "parts")
AGGREGATES = [c for c in CASES if "agg" in c]


def _rows(case: dict[str, Any]) -> list[dict[str, Any]]:
    return case["rows"] if "rows" in case else [case["row"]]


def _in_each_form(cases: list[dict[str, Any]]) -> list[Any]:
    """Every case in each form that a mixed column has; without one the three would be the same test."""
    found = []
    for case in cases:
        rows = _rows(case)
        schema = arrow_table(rows, case.get("types") or {}, case.get("tz", "UTC")).schema if any(rows) else ()
        mixed = any((f.metadata or {}).get(b"logsql.type") == b"json" for f in schema)
        forms = FORMS if mixed else FORMS[:1]
        found.extend(pytest.param(case, form, id=f"{case['id']}-{form}") for form in forms)
    return found


def _bench(case: dict[str, Any], mixed: str) -> Bench:
    return Bench(_rows(case), case.get("types"), case.get("tz", "UTC"), mixed)


def _refused(case: dict[str, Any], bench: Bench) -> None:
    with pytest.raises((LogsqlError, duckdb.Error)) as caught:
        bench.values(case["expr"], case.get("params"))
    message = str(caught.value).lower()
    assert any(word.lower() in message for word in case["error_contains_any"]), message
    assert isinstance(caught.value, LogsqlError) or "daterange" in message, message


@pytest.mark.parametrize(("case", "mixed"), _in_each_form(SCALARS))
def test_scalar(case: dict[str, Any], mixed: str) -> None:
    bench = _bench(case, mixed)
    try:
        if "error_contains_any" in case:
            _refused(case, bench)
            return
        got = bench.values(case["expr"], case.get("params"))
        want = case["expect_rows"] if "expect_rows" in case else [case["expect"]]
        assert len(want) == len(got) > 0
        dates = case.get("expect_type") == "date" or case["fn"] == "daterange"
        for expected, value in zip(want, got, strict=True):
            problem = values_equal(iso(expected) if dates else expected, value, bench.zone, bool(case.get("unordered")))
            assert problem is None, f"{problem}\n{bench.query(case['expr'], case.get('params'))}"
    finally:
        bench.close()


@pytest.mark.parametrize(("case", "mixed"), _in_each_form(AGGREGATES))
def test_aggregate(case: dict[str, Any], mixed: str) -> None:
    bench = _bench(case, mixed)
    try:
        got = bench.aggregate(case["agg"])
        if "expect_len" in case:
            assert len(got) == case["expect_len"]
            return
        expected = iso(case["expect"]) if "types" in case else case["expect"]
        problem = values_equal(expected, got, bench.zone, bool(case.get("unordered")))
        assert problem is None, problem
    finally:
        bench.close()
