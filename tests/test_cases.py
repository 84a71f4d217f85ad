"""Cases of our own in the format of the conformance suite: sentences of the language that no case there shows.

Every expectation was worked out by hand from the rule before the query was run. ``commands.jsonl``: each command with
its options, defaults, errors and nulls, over typed, mixed and open rows, and pipelines of several commands.
``language.jsonl``: lexical rules, operators, comparison across types, wildcards, parameters, spans, aggregates, groups,
and what is refused with which code. ``functions.jsonl``: arguments from columns, null beside values, refused calls.
``shapes.jsonl``: filter, shape, statistics and join commands over rows written in the query itself.
"""

from __future__ import annotations

import pytest

from tests.conformance_cases import FOLDER, OWN, OWN_NAMES, Case, every, own
from tests.run_case import check
from tests.support import ROOT

CASES = [case for name in OWN_NAMES for case in own(name)]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_case(case: Case) -> None:
    check(case)


def test_names_are_unique() -> None:
    for home, cases in every().items():
        assert len({c.id for c in cases}) == len(cases) > 20, home
    assert len({c.id for c in CASES}) == len(CASES) > 1500


def test_every_file_of_cases_is_read() -> None:
    """A case outside these homes would be a case that nobody runs (tests/README.md)."""
    assert {path.stem for path in OWN.glob("*.json*")} == set(OWN_NAMES)
    homes = {OWN, OWN / "regressions", FOLDER}
    for path in (ROOT / "tests").rglob("*.json*"):
        if all(key in path.read_text(encoding="utf-8") for key in ('"query":', '"id":')):
            assert path.parent in homes, f"{path.name}: a case goes to tests/cases or tests/cases/regressions"
