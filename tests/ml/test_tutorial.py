"""docs/tutorials/bot-model.md: every command runs, and prints what the page says.

Counts of the data are compared exactly. Numbers that come out of a model may differ by two percent (or ten rows), for
other versions of scikit-learn. A line ``...`` on the page stands for lines left out.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.cli import main
from tests.support import ROOT

PAGE = ROOT / "docs" / "tutorials" / "bot-model.md"
CONSOLE = re.compile(r"```console\n(.*?)```", re.S)
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def console_lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """(command line, the lines it prints) of every command of the page."""
    for block in CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, output = part.partition("\n")
            yield line, output.splitlines()


def carried_out(line: str, capture: pytest.CaptureFixture[str]) -> str:
    """What the command prints, in the current folder."""
    words = shlex.split(line)
    if words[0] == "python":
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, timeout=300, check=True)
        return done.stdout
    capture.readouterr()
    code = main(["--tz", "Asia/Seoul", *words[1:]])
    said = capture.readouterr()
    assert code == 0, (line, said.err)
    return said.out


def same_number(expected: str, found: str, exact: bool) -> bool:
    if exact or expected == found:
        return expected == found
    a, b = float(expected), float(found)
    if "." in expected and abs(a) <= 1.0:
        return abs(a - b) <= 0.02
    return abs(a - b) <= max(0.02 * abs(a), 10)


def same_line(expected: str, found: str, exact: bool) -> bool:
    """Equal texts, with numbers that are near enough; blanks are layout."""
    if NUMBER.sub("#", " ".join(expected.split())) != NUMBER.sub("#", " ".join(found.split())):
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(found), strict=True)
    return all(same_number(a, b, exact) for a, b in pairs)


def same_output(expected: list[str], found: list[str], exact: bool) -> bool:
    if not expected:
        return not found
    if expected[0] == "...":
        return any(same_output(expected[1:], found[start:], exact) for start in range(len(found) + 1))
    return bool(found) and same_line(expected[0], found[0], exact) and same_output(expected[1:], found[1:], exact)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the sample data, which is the current one."""
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data", ignore=shutil.ignore_patterns("usb-leak", "*.pyc"))
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    for line, expected in console_lines(text):
        outputs[line] = carried_out(line, capsys)
        exact = "rforest" not in line and " ml model " not in line
        found = [found.rstrip() for found in outputs[line].splitlines()]
        assert same_output([e.rstrip() for e in expected], found, exact), (line, found)
    assert len(outputs) == 24

    def of(pattern: str, line: str) -> list[float]:
        return [float(n) for n in re.findall(pattern, next(o for asked, o in outputs.items() if line in asked))]

    first, second = of(r"Accuracy: ([0-9.]+)", "ml model bot"), of(r"Accuracy: ([0-9.]+)", "ml model bot2")
    assert second[0] > first[0] + 0.01
    missed = [of(r"MALICIOUS +([0-9]+) ", f"ml model {name}")[0] for name in ("bot", "bot2")]
    assert missed[1] < missed[0] / 5


def test_query_of_the_tutorial_is_the_sample_query() -> None:
    (query,) = re.findall(r"```lq\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    sample = (ROOT / "sample_data" / "queries" / "bot-features.lq").read_text("utf-8")
    sample = sample.split("\n", 1)[1].replace("sample_data/access.jsonl.gz", '$("log")')
    assert sample.removeprefix("| ").strip() == query.strip()
