"""The reference pages are generated: what is committed must be what the declarations and a run give now."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from docs.reference import AGREEMENT, HERE, pages
from docs.support import support_page
from tests.support import ROOT

HINT = "run: make docs"


def test_pages_are_fresh() -> None:
    expected = pages()
    found = {p.relative_to(HERE).as_posix(): p for p in HERE.rglob("*.md")}
    assert sorted(found) == sorted([*expected, "support.md", AGREEMENT]), HINT
    stale = [name for name, text in expected.items() if found[name].read_text(encoding="utf-8") != text]
    assert not stale, f"{HINT}; stale: {stale[:5]}"


def test_support_matrix_is_fresh() -> None:
    """Each of the cases that the page counts is a test of its own (test_conformance.py, test_command_examples.py).

    A page on which one of them fails differs from this one; what remains to be seen is the counting.
    """
    assert (HERE / "support.md").read_text(encoding="utf-8") == support_page(lambda case: True), HINT


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs").rglob("*.md")) + sorted(ROOT.glob("README*.md")), ids=lambda p: p.name
)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8"))
    assert [t for t in targets if "://" not in t and not (page.parent / t).exists()] == []


def test_the_journey_of_a_query_is_as_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = doctest.testfile(str(ROOT / "docs" / "journey.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0
