"""Replaying a tutorial: its ``console`` blocks run as commands and must print what the page says.

A block holds lines ``$ logsql ...`` or ``$ python ...``, each followed by what it prints (standard output). A line
``...`` stands for lines left out; blanks are layout. Commands run in a folder that holds a copy of ``sample_data``, in
the time zone Asia/Seoul.
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

PAGES = ROOT / "docs" / "tutorials"
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


def enter_sample_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes an empty folder with the sample data the current one; the user's own files are out of reach."""
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data", ignore=shutil.ignore_patterns("*.pyc"))
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def replayed(page: Path, capture: pytest.CaptureFixture[str]) -> int:
    """Runs every command of a page and compares exactly; how many there were."""
    count = 0
    for line, expected in console_lines(page.read_text("utf-8")):
        found = [one.rstrip() for one in carried_out(line, capture).splitlines()]
        assert same_output([one.rstrip() for one in expected], found, exact=True), (line, found)
        count += 1
    return count
