"""What queries tell on stderr (notes of the plan, losses of the run), looked at over the queries that tests run.

A right query is silent. ``told.json`` lists the cases that are right and tell something all the same, each with the
reason why it is true and worth saying; ``tests/run_case.py`` holds every case that runs to it: a case that tells what
is not listed fails, and so does one that is listed and silent.

``python -m pytest -q -p tests.told FILE ...`` prints at its end every query of these tests that ran and told something,
with its lines, and their share: to be read when a rule changes.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from logsql.engine.result import Result
from logsql.engine.session import Session

LIST = Path(__file__).resolve().parent / "told.json"


def told(result: Result) -> tuple[str, ...]:
    """Codes of the notes and reasons of the losses of a result that has run, each once, sorted."""
    return tuple(sorted({note.code for note in result.notes} | {entry.reason for entry in result.ledger}))


@lru_cache(maxsize=1)
def groups() -> list[dict[str, Any]]:
    """What is listed: a code or reason (``tells``), the cases that tell it, ``why`` that is right, and how it was
    ``judged``: ``shown``, the case is about this very thing; ``true``, it is about another, and the line is true.
    """
    found: list[dict[str, Any]] = json.loads(LIST.read_text(encoding="utf-8"))
    return found


@lru_cache(maxsize=1)
def listed() -> dict[str, tuple[str, ...]]:
    """Case -> what it may tell and must."""
    found: dict[str, set[str]] = {}
    for group in groups():
        for case in group["cases"]:
            found.setdefault(case, set()).add(group["tells"])
    return {case: tuple(sorted(codes)) for case, codes in found.items()}


def difference(case: str, result: Result) -> str | None:
    """None if the result tells what is listed for the case (nothing for most), else what it tells."""
    if (got := told(result)) == (want := listed().get(case, ())):
        return None
    lines = [f"{n.code} {n.sentence}" for n in result.notes] + [entry.told() for entry in result.ledger]
    return f"a right query is silent, or stands in tests/told.json; listed {want}, told {got}:\n" + "\n".join(lines)


_RUN: list[tuple[str, Result]] = []
_FOUND: list[tuple[str, str, list[str]]] = []
_COUNT = [0]


@pytest.fixture(autouse=True, scope="session")
def _watched() -> Generator[None]:
    plain = Session.query

    def query(self: Session, text: str, *args: Any, **kwargs: Any) -> Result:
        result = plain(self, text, *args, **kwargs)
        _RUN.append((text, result))
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "query", query)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    _RUN.clear()
    yield
    for text, result in _RUN:
        _COUNT[0] += 1
        lines = [f"{n.code} {n.sentence}; {n.help}" for n in result.notes] + [entry.told() for entry in result.ledger]
        if lines:
            _FOUND.append((item.nodeid, text, lines))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for test, text, lines in _FOUND:
        terminalreporter.write_line("\n".join([f"\n{test}", text, *(f"    {line}" for line in lines)]))
    terminalreporter.write_line(f"\n{len(_FOUND)} of {_COUNT[0]} queries that ran told something")
