"""What readers say (``udfs`` knows no catalogue) is found in the catalogue, with all of its facts."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator

import pytest

from bench import house
from logsql.diagnostics.messages import LANGUAGE
from logsql.diagnostics.readers import READER_SENTENCES, reader_sentence
from logsql.diagnostics.unreadable import READER_ROWS
from tests.support import ROOT
from udfs.readers.errors import ReaderError


def raised() -> Iterator[tuple[str, str | None, set[str] | None]]:
    """Every ReaderError that is made in ``udfs``: where, its sentence, its facts (None: not written in the call)."""
    for path in sorted((ROOT / "udfs").rglob("*.py")):
        tree = house.parsed(path)
        for scope in [n for n in house.walk(tree) if isinstance(n, ast.FunctionDef)]:
            bound = {
                target.id: node.value.value
                for node in house.walk(scope)
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in house.walk(scope):
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "ReaderError":
                    facts = {"path", *(keyword.arg or "" for keyword in call.keywords)}
                    said = call.args[0]
                    text = bound.get(said.id) if isinstance(said, ast.Name) else getattr(said, "value", None)
                    where = f"{path.relative_to(ROOT).as_posix()}:{call.lineno}"
                    yield where, text if isinstance(text, str) else None, None if "" in facts else facts


#: Errors that come from another process with sentence and facts.
PASSED_ON = "udfs/readers/sheets.py"


def test_every_sentence_of_a_reader_is_in_the_catalogue() -> None:
    found = list(raised())
    assert len(found) > 30
    lost = [(where, said) for where, said, _ in found if said not in READER_SENTENCES]
    assert [where.split(":")[0] for where, _ in lost] == [PASSED_ON], lost
    assert {said for _, said, _ in found} >= set(READER_SENTENCES)


def names() -> set[str]:
    """Names of conditions in the calls of ReaderError: the third argument."""
    found = set()
    for path in sorted((ROOT / "udfs").rglob("*.py")):
        for call in house.walk(house.parsed(path)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "ReaderError" and len(call.args) > 2:
                found |= {call.args[2].value} if isinstance(call.args[2], ast.Constant) else set()
    return found


def test_every_condition_of_a_reader_has_one_code() -> None:
    assert names() - {"read-not-allowed"} == set(READER_ROWS)
    codes = [row.code for name, row in READER_ROWS.items() if name != "no-match"]
    assert len(set(codes)) == len(codes)


def test_every_sentence_of_a_reader_has_its_facts() -> None:
    wrong = []
    for where, said, facts in raised():
        places = {name for _, name, _, _ in string.Formatter().parse(said or "") if name}
        if facts is not None and not places <= facts:
            wrong.append((where, places - facts))
    assert not wrong


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "no entry a{b} in z\\x1b.zip"), ("ko", "z\\x1b.zip 안에 a{b} 항목이 없습니다")],
)
def test_a_reader_is_told_in_the_language_in_force(lang: str, said: str) -> None:
    problem = ReaderError("no entry {entry} in {archive}", "z", "no-such-entry", entry="a{b}", archive="z\x1b.zip")
    token = LANGUAGE.set(lang)
    try:
        assert reader_sentence(problem) == said
    finally:
        LANGUAGE.reset(token)
    assert str(problem) == "no entry a{b} in z\\x1b.zip"
