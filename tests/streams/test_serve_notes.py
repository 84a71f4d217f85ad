"""What the plan tells of a stream's query reaches whoever configures the server; errors name the stream."""

from __future__ import annotations

from pathlib import Path

import pytest

from logsql.cli import main

CONFIG = """
[server]
state_dir = "state"

[[receiver]]
name = "in"
kind = "syslog"
listen = ["udp://127.0.0.1:5514"]

[[stream]]
name = "odd"
from = ["in"]
query = "{query}"
{more}
"""


def checked(folder: Path, capfd: pytest.CaptureFixture[str], query: str, more: str = "") -> tuple[int, str]:
    path = folder / "serve.toml"
    path.write_text(CONFIG.format(query=query.replace('"', '\\"'), more=more))
    code = main(["serve", "--check", str(path)])
    return code, capfd.readouterr().err


def test_a_note_is_said_with_its_stream(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, said = checked(tmp_path, capfd, 'search lower(line) == "ABC"')
    assert code == 0, said
    assert "warning odd: note[N1231 " in said
    assert "stream odd:1:" in said


def test_notes_of_both_halves_are_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    query = 'search lower(line) == "ABC" | stats count by line | search lower(line) == "DEF"'
    code, said = checked(tmp_path, capfd, query, 'every = "1m"')
    assert code == 0, said
    assert [line.partition("note[")[2].partition(" ")[0] for line in said.splitlines() if "note[" in line] == [
        "N1231",
        "N1231",
    ]


def test_a_right_query_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, said = checked(tmp_path, capfd, 'search line == "*failed*"')
    assert code == 0, said
    assert "note[" not in said


@pytest.mark.parametrize("query", ["serach x", "eval a = nosuch(line)", "stats count"])
def test_an_error_names_the_stream(tmp_path: Path, capfd: pytest.CaptureFixture[str], query: str) -> None:
    code, said = checked(tmp_path, capfd, query)
    assert code == 2
    assert "--> stream odd:1:" in said
