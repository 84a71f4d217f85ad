"""The list of right queries that tell something (told.json): each entry has its reason, and few are beside the case."""

from __future__ import annotations

from tests import told
from tests.conformance_cases import every
from tests.planner.test_golden import FILES
from tests.test_examples import IDS


def test_each_entry_names_a_case_and_says_why() -> None:
    cases = {case.id for cases in every().values() for case in cases} | {path.stem for path in FILES} | {*IDS}
    assert len(told.groups()) > 20
    for group in told.groups():
        assert set(group) == {"judged", "tells", "why", "cases"}
        assert group["judged"] in ("shown", "true")
        assert len(group["why"]) > 20
        assert IDS == [] or set(group["cases"]) <= cases
        assert len(set(group["cases"])) == len(group["cases"])


def test_notes_on_queries_that_are_right_are_few() -> None:
    """Below 2 of 100: what is true and beside the case; most of it stands in pipelines that a generator wrote."""
    ran = [case for cases in every().values() for case in cases if not case.errors]
    beside = {
        c for group in told.groups() if group["judged"] == "true" and group["tells"][0] == "N" for c in group["cases"]
    }
    assert len(ran) > 3000
    assert len(beside) / len(ran) < 0.02
