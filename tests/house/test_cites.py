"""Comments and tests cite rules by number ("language.md 8.3"): every number stands on the page."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.support import ROOT

CITE = re.compile(r"\b(language|decisions|architecture)\.md[,:]?\s+(?:section\s+|#\s*)?(\d+(?:\.\d+)?)")
#: "decision 16" is an item of decisions.md.
DECISION = re.compile(r"\b[Dd]ecisions? (\d+)")


def _numbers(page: str) -> set[str]:
    """Numbers that a page answers to: of its headings, and of the list items below a numbered heading or the title."""
    found: set[str] = set()
    heading = ""
    for line in (ROOT / "docs" / page).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"#{2,3} (\d+(?:\.\d+)?)", line):
            heading = match[1]
            found.add(heading)
        elif match := re.match(r"(\d+)\. ", line):
            found.add(f"{heading}.{match[1]}" if heading else match[1])
    return found


@cache
def _cites() -> list[tuple[str, str, str]]:
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: the files of the project are not known")
    files = [ROOT / f for f in listed.stdout.splitlines() if Path(f).suffix in (".py", ".md", ".json", ".jsonl")]
    found = []
    for file in files:
        if file.exists():
            text = re.sub(r"\n\s*#?\s*", " ", file.read_text(encoding="utf-8"))
            cites = CITE.findall(text) + [("decisions", number) for number in DECISION.findall(text)]
            found += [(str(file.relative_to(ROOT)), page, number) for page, number in cites]
    return found


@pytest.mark.parametrize("page", ["language", "decisions"])
def test_every_cite_resolves(page: str) -> None:
    numbers = _numbers(f"{page}.md")
    cites = [c for c in _cites() if c[1] == page]
    assert len(cites) >= 5, "the search for cites finds none: it is the test that is broken"
    assert not [c for c in cites if c[2] not in numbers]


def test_pages_without_numbers_are_not_cited_by_number() -> None:
    assert not [c for c in _cites() if c[1] == "architecture"]
