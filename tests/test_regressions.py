"""Defects that were found once: one JSON file per case in ``tests/regressions``, named after what went wrong.

``query``, ``tables`` (rows by table name), ``types`` (as in tests/conformance/README.md), ``tz`` (default Asia/Seoul),
``params``, then ``expect`` (rows) with ``ordered`` (default true) or ``error`` (texts of which the message holds one).
``columns`` fixes names and order of the columns. ``why`` says what the product did, ``rule`` where the right answer
is written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.compare import rows_equal
from tests.conformance_cases import arrow_table
from tests.run_case import run

FOLDER = Path(__file__).resolve().parent / "regressions"
CASES = sorted(FOLDER.glob("*.json"))
KEYS = {"query", "tables", "types", "tz", "params", "expect", "ordered", "error", "columns", "why", "rule"}


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_regression(path: Path) -> None:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert {"query", "why", "rule"} <= case.keys() <= KEYS
    assert ("expect" in case) != ("error" in case)
    tz = case.get("tz", "Asia/Seoul")
    types = case.get("types", {})
    tables = {name: arrow_table(rows, types.get(name, {}), tz) for name, rows in case.get("tables", {}).items()}
    if "error" in case:
        with pytest.raises(LogsqlError) as caught:
            run(case["query"], tables, tz, case.get("params"))
        assert any(text in str(caught.value) for text in case["error"]), str(caught.value)
        return
    rows = run(case["query"], tables, tz, case.get("params"))
    difference = rows_equal(case["expect"], rows, case.get("ordered", True), tz)
    assert difference is None, f"{case['why']}\n{case['query']}\n{difference}"
    if "columns" in case:
        assert [list(r) for r in rows[:1]] == [case["columns"]]
