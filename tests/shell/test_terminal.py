"""The shell on a real terminal (a pseudo terminal): history, continuation, completion, Ctrl-C, Ctrl-D."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.support import ENDLESS, command, env, make_database

pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
pytestmark = pytest.mark.posix("pseudo terminals")
PROMPT = "logsql>"  # the blank behind it may come as a cursor movement


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Any]:
    database = str(make_database(tmp_path / "case.duckdb"))
    history = str(tmp_path / "state" / "history")

    def open_shell() -> Any:
        words = command("--db", database, "--tz", "UTC")
        more = env(LOGSQL_HISTORY=history, TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1")
        child = pexpect.spawn(words[0], words[1:], env=more, dimensions=(40, 100), timeout=30, encoding="utf-8")
        opened.append(child)
        child.expect_exact(PROMPT)
        return child

    opened: list[Any] = []
    yield open_shell
    for child in opened:
        child.close(force=True)


def test_a_query_prints_a_table_and_ctrl_d_leaves(terminal: Any) -> None:
    child = terminal()
    child.send("table web | stats count by status\r")
    child.expect(r"status\s+count")
    child.expect(r"404\s+2")
    child.expect(r"\(2 rows in ")
    child.expect_exact(PROMPT)
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_continuation_lines(terminal: Any) -> None:
    child = terminal()
    child.send("table web \\\r")
    child.expect_exact("\x1b[0m..")
    child.send("| join src [ table web\r")
    child.expect_exact("\x1b[0m..")
    child.send('| search src == "10.0.0.2" ] | fields bytes\r')
    child.expect(r"bytes")
    child.expect(r"\s7\s")
    child.expect_exact("1 row in ")


def test_ctrl_c_stops_the_query_and_keeps_the_session(terminal: Any) -> None:
    child = terminal()
    child.send("\\set who=서울\r")
    child.expect_exact(PROMPT)
    child.send(ENDLESS + "\r")
    child.expect(r"\d+ s")  # the progress line: it is running
    child.sendintr()
    child.expect_exact("interrupted")
    child.expect_exact(PROMPT)
    child.send('table web | search src == $("who") | stats count\r')
    child.expect_exact("1 row in ")


def test_ctrl_c_at_the_prompt_clears_the_line(terminal: Any) -> None:
    child = terminal()
    child.send("table nonsense")
    child.sendintr()
    child.expect_exact(PROMPT)
    child.send("table web | stats count\r")
    child.expect_exact("1 row in ")


def test_history_survives(terminal: Any, tmp_path: Path) -> None:
    child = terminal()
    child.send("table web | stats count\r")
    child.expect_exact("1 row in ")
    child.expect_exact(PROMPT)
    child.send("\\q\r")
    child.expect(pexpect.EOF)
    file = tmp_path / "state" / "history"
    assert "table web | stats count" in file.read_text()
    assert (file.stat().st_mode & 0o077) == 0, "queries may hold passwords"
    child = terminal()
    child.send("\x1b[A")
    child.expect_exact("\\q")
    child.send("\x1b[A")
    child.expect_exact("table web | stats count")
    child.send("\r")
    child.expect_exact("1 row in ")


@pytest.mark.posix("permissions")
def test_history_is_private_and_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines were left to the system; a file that was readable by others stayed so; a full disk would end the shell."""
    from logsql.shell.terminal import history

    file = tmp_path / "history"
    file.write_text("\n# 2024\n+old\n")
    file.chmod(0o644)
    monkeypatch.setenv("LOGSQL_HISTORY", str(file))
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    kept = history()
    kept.store_string("table t\n| stats count")
    assert len(synced) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(kept.load_history_strings()) == ["table t\n| stats count", "old"]
    monkeypatch.setenv("LOGSQL_HISTORY", "/dev/full")
    before = os.stat("/dev/full").st_mode
    history().store_string("x")
    assert os.stat("/dev/full").st_mode == before


def test_completion_on_tab(terminal: Any) -> None:
    child = terminal()
    child.send("table web | sta\t")
    # The line may be drawn anew between any two letters, with the rows below it.
    drawn = r"(?:\x1b\[[0-9;?]*[a-zA-Z]|[\s\x08])*"
    child.expect(drawn.join("stats"))
    child.send(" count\r")
    child.expect_exact("1 row in ")
