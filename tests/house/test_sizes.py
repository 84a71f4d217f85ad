"""No file has 600 lines, no function 60: what grows beyond is two things."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

FOLDERS = ("logsql", "udfs", "bench", "docs", "sample_data", "tests")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
MOST_LINES, MOST_OF_A_FUNCTION = 600, 60
#: Tables of cases that stand in a function.
TABLES = frozenset({"tests/language/grammar.py: __post_init__", "tests/readers/damage_kinds.py: _view_seeds"})


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: count for name, count in lengths.items() if count >= MOST_LINES} == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_too_long(folder: str) -> None:
    files = [path for path in FILES if path.relative_to(ROOT).parts[0] == folder]
    assert files
    found = {f"{path.relative_to(ROOT)}: {name}": count for path in files for name, count in functions(path)}
    assert {name: count for name, count in found.items() if count >= MOST_OF_A_FUNCTION and name not in TABLES} == {}
