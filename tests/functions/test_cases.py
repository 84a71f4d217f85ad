"""Function cases beyond the conformance file, in its format: arguments from columns, null beside values, refused calls.

Expected values were decided from functions.md and language.md by hand. ``rows`` evaluates over several records, so that
arguments come from a column with nulls and other values in it, where the conformance file mostly has constants.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance_cases import Case, _function_case
from tests.test_conformance import check

LINES = (Path(__file__).resolve().parent / "cases.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("case", [_function_case(json.loads(line)) for line in LINES], ids=lambda c: c.id)
def test_case(case: Case) -> None:
    check(case)
