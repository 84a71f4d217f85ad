"""More cases in the format of tests/conformance, by subject: sentences of the language that no case there shows.

Every expectation was worked out by hand from the rule before the query was run. ``commands.jsonl``: each command with
its options, defaults, errors and nulls, over typed, mixed and open rows, and pipelines of several commands.
``language.jsonl``: lexical rules, operators, comparison across types, wildcards, parameters, spans, aggregates, groups,
and what is refused with which code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance_cases import Case, read
from tests.test_conformance import check

CASES = [case for path in sorted((Path(__file__).resolve().parent / "cases").glob("*.jsonl")) for case in read(path)]


def test_names_are_unique() -> None:
    assert len({c.id for c in CASES}) == len(CASES) > 500


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_case(case: Case) -> None:
    check(case)
