"""The shell on a terminal and the command line say the same about the same query: errors, notes, losses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import warm
from tests.cli.support import BOUND, command, env

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
pytestmark = pytest.mark.posix("pseudo terminals")
PROMPT = "logsql>"
#: Escape sequences of a terminal: colours, cursor movements, modes.
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[a-zA-Z]|\][^\x07]*\x07|[=>])")
#: The way to see every loss is another one in the shell; nothing else may differ.
POINTER = re.compile(r" \(\\loss\)| \(--loss [^)]*\)")


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("lossy") / "a.jsonl"
    file.write_text('{"a": 1}\n{\n{"a": 2}\n}\n')
    return file


@pytest.fixture(scope="module", params=["en", "ko"])
def shell(request: pytest.FixtureRequest) -> Iterator[tuple[Any, list[str]]]:
    """A shell on a pseudo terminal of 200 columns at its prompt, and the options it was started with."""
    options = ["--tz", "UTC", "--lang", request.param]
    words = command(*options)
    child = pexpect.spawn(words[0], words[1:], env=_env(), dimensions=(60, 200), timeout=30, encoding="utf-8")
    child.expect_exact(PROMPT)
    yield child, options
    child.close(force=True)


def _env() -> dict[str, str]:
    return env(TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1")


def printed(text: str) -> list[str]:
    """The lines of a terminal's output, without how they are drawn."""
    return [line.rstrip() for line in ESCAPES.sub("", text).replace("\r\n", "\n").split("\n")]


def from_the_shell(child: Any, query: str) -> list[str]:
    """What follows the table, or the whole error; the words that begin it must be seen before the next prompt is."""
    child.send(query + "\r")
    child.expect(r"(?:note: |error\[)")
    begin = child.after
    child.expect_exact(PROMPT)
    return printed(begin + child.before)


def from_the_command_line(options: list[str], query: str) -> list[str]:
    return printed(warm.on_a_terminal(["-q", query, *options], _env(), 60, 200, BOUND))


def said(lines: list[str]) -> list[str]:
    """What is no row and no row count: everything behind the table, or the error."""
    kept = [POINTER.sub("", line) for line in lines if line and not re.match(r"\(\d+ rows? in|\([\d,]+행", line)]
    start = next((n for n, line in enumerate(kept) if line.startswith(("note:", "error["))), len(kept))
    return kept[start:]


def test_errors(shell: tuple[Any, list[str]]) -> None:
    child, options = shell
    for query in ("json '{}' | statz count", "table web | search (a", "csvfile /nonexistent.csv", "table nowhere"):
        found = said(from_the_shell(child, query))
        assert found
        assert found[0].startswith("error[")
        assert found == said(from_the_command_line(options, query))


def test_notes_and_losses(shell: tuple[Any, list[str]], lossy: Path) -> None:
    child, options = shell
    cut = f"json \"[{{a: '{'x' * 300}'}}]\""
    for query, mark in ((f"jsonfile {lossy}", "broken-json"), (cut, "-f vertical")):
        found = said(from_the_shell(child, query))
        assert found
        assert mark in found[0]
        assert found == said(from_the_command_line(options, query))
