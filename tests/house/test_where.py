"""The table "Where do I change ..." of CONTRIBUTING.md names what is there; files of shared sentences are told."""

from __future__ import annotations

import re

import pytest

from logsql.diagnostics import messages
from tests.support import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Where do I change ...")[2].partition("\n## ")[0]
PATHS = sorted(set(re.findall(r"`((?:logsql|udfs|bench|tests)/[\w/.]+)`", TABLE)))


@pytest.mark.parametrize("path", PATHS)
def test_the_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_the_usual_questions_are_answered() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("| ")][2:]
    assert len(rows) >= 20
    assert len(rows) == sum(line.startswith("|") for line in TABLE.strip().split("\n\n")[0].splitlines()) - 2
    assert all("`" in row.split("|")[2] for row in rows)
    assert len(PATHS) >= 20


def test_files_of_shared_sentences_are_told() -> None:
    told = set(re.findall(r"``(\w+)``", messages.__doc__ or ""))
    here = {path.stem for path in (ROOT / "logsql" / "diagnostics").glob("*.py")}
    others = {"__init__", "codes", "errors", "messages", "extras", "foreign", "losses", "redaction", "rules"}
    assert here - told <= others
