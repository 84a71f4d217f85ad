"""The rows of docs/limits.md: they are those that ``python -m bench.bounds`` makes, and a sample of them holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import bounds
from bench.bounded import Bounded
from tests.support import nightly


def rows(*names: str) -> list[Bounded]:
    return [row for row in bounds.ROWS if row.name in names]


def test_the_page_holds_what_was_measured() -> None:
    page = bounds.PAGE.read_text(encoding="utf-8")
    shown = [line.split(" | ") for line in page.split(bounds.BEGIN)[1].split(bounds.END)[0].splitlines()[2:]]
    known = {row.shown: row for row in bounds.ROWS}
    assert len(known) == len(bounds.ROWS)
    assert len(shown) > 60
    for said, limit, _, seen in shown:
        row = known[said.removeprefix("| ")]
        assert limit == row.limit, row.name
        held = re.search(r"(\d+) MB \|$", seen)
        assert held is not None
        assert int(held[1]) <= bounds.most(row), row.name


@pytest.mark.posix("Linux tells what a process held")
@pytest.mark.parametrize(
    "row",
    bounds.ROWS if nightly() else rows("json-objects", "xml-attribute", "hive-lies", "format"),
    ids=lambda row: row.name,
)
def test_what_a_hostile_input_costs(row: Bounded, tmp_path: Path) -> None:
    seen = bounds.measured(row, tmp_path)
    assert [fault for fault in bounds.faults(row, seen) if " s, at most" not in fault] == []
