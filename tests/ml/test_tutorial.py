"""docs/tutorials/bot-model.md: every command runs, and prints what the page says; by day those of the first model.

Counts of the data are compared exactly. Numbers that come out of a model may differ by two percent (or ten rows), for
other versions of scikit-learn.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support import ROOT, sample
from tests.tutorials import PAGES, carried_out, console_lines, enter_sample_folder, same_line, same_output

PAGE = PAGES / "bot-model.md"
#: Commands of the page up to where the first model is tried.
FIRST_MODEL = 13


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return enter_sample_folder(tmp_path, monkeypatch)


def test_comparison_of_outputs_notices_differences() -> None:
    page = ["label  count", "a       1000", "...", "end"]
    assert same_output(page, ["label count", "a 1015", "x", "y", "end"], exact=False)
    assert not same_output(page, ["label count", "a 1015", "end"], exact=True)
    assert not same_output(page, ["label count", "a 1030", "end"], exact=False)
    assert not same_output(page, ["label count", "b 1000", "end"], exact=False)
    assert not same_output(page, ["label count", "a 1000"], exact=False)
    assert not same_line("Accuracy: 0.92", "Accuracy: 0.95", exact=False)


def test_tutorial_prints_what_it_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text("utf-8")
    (query,) = re.findall(r"```lq\n(.*?)```", text, re.S)
    (folder / "features.lq").write_text(query, "utf-8")
    outputs: dict[str, str] = {}
    for line, expected in list(console_lines(text))[: sample(29, FIRST_MODEL)]:
        outputs[line] = carried_out(line, capsys)
        exact = "rforest" not in line and " ml model " not in line
        found = [found.rstrip() for found in outputs[line].splitlines()]
        assert same_output([e.rstrip() for e in expected], found, exact), (line, found)
    assert len(outputs) == sample(29, FIRST_MODEL)

    def of(pattern: str, line: str) -> list[float]:
        return [float(n) for n in re.findall(pattern, next(o for asked, o in outputs.items() if line in asked))]

    models = ("bot", "bot2", "bot3")[: sample(3, 1)]
    accuracy = [of(r"Accuracy: ([0-9.]+)", f"ml model {name}")[0] for name in models]
    assert accuracy[0] >= 0.98
    # Corrected labels, then the feature that was missing.
    gains = [after - before for before, after in pairwise(accuracy)]
    assert all(gain > least for gain, least in zip(gains, (0, 0.01), strict=False))
    missed = [of(r"MALICIOUS +([0-9]+) ", f"ml model {name}")[0] for name in models[:2]]
    assert all(after < before / 3 for before, after in pairwise(missed))


def test_query_of_the_tutorial_is_the_sample_query() -> None:
    (query,) = re.findall(r"```lq\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    sample = (ROOT / "sample_data" / "queries" / "bot-features.lq").read_text("utf-8")
    sample = sample.split("\n", 1)[1].replace("sample_data/access.jsonl.gz", '$("log")')
    assert sample.removeprefix("| ").strip() == query.strip()
