"""The function conformance cases, through the lowering of single expressions and aggregates."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.compare import values_equal
from tests.conformance_cases import FOLDER, iso
from tests.functions.harness import Bench

CASES = [json.loads(line) for line in (FOLDER / "functions.jsonl").read_text(encoding="utf-8").splitlines()]
SCALARS = [c for c in CASES if "expr" in c]
AGGREGATES = [c for c in CASES if "agg" in c]


def _bench(case: dict[str, Any], mixed: str) -> Bench:
    rows = case["rows"] if "rows" in case else [case["row"]]
    return Bench(rows, case.get("types"), case.get("tz", "UTC"), mixed)


def _refused(case: dict[str, Any], bench: Bench) -> None:
    with pytest.raises((LogsqlError, duckdb.Error)) as caught:
        bench.values(case["expr"], case.get("params"))
    message = str(caught.value).lower()
    assert any(word.lower() in message for word in case["error_contains_any"]), message
    assert isinstance(caught.value, LogsqlError) or "daterange" in message, message


@pytest.mark.parametrize("mixed", ["json", "variant", "parts"])
@pytest.mark.parametrize("case", SCALARS, ids=[c["id"] for c in SCALARS])
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


@pytest.mark.parametrize("mixed", ["json", "variant", "parts"])
@pytest.mark.parametrize("case", AGGREGATES, ids=[c["id"] for c in AGGREGATES])
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
