"""Words of the command line and of the shell, typed as a query, are answered with the place where they stand."""

from __future__ import annotations

import io

import pytest

from logsql.cli import main
from logsql.conversation.conversation import Settings
from logsql.engine.session import Session
from logsql.shell.repl import Shell
from logsql.shell.voice import Voice


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("hlep stats", "perhaps help, which stands on the command line: logsql help [NAME]"),
        ("help stats", "help stands on the command line: logsql help [NAME]"),
        ('expalin json "{}"', "perhaps explain, which stands on the command line: logsql explain 'QUERY' [--run]"),
        ('translate json "{}"', "translate stands on the command line: logsql translate 'QUERY'"),
        ("\\set x=1", "\\set is a word of the shell: start logsql without -q"),
        ("\\sett x=1", "\\set is a word of the shell: start logsql without -q"),
        ("quit", "quit is a word of the shell: start logsql without -q"),
        ("explain select 1", "this is SQL: logsql sql 'SELECT ...'"),
        ("whre a == 1", 'did you mean "where"?'),
        ("serch a", 'did you mean "search"'),
    ],
)
def test_the_help_names_where_the_word_stands(capsys: pytest.CaptureFixture[str], text: str, help: str) -> None:
    assert main(["-q", text]) == 1
    assert f"help: {help}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "ran"),
    [
        ('explain json "[{a:1},{a:2}]" | limit 1', False),
        ('explain --run json "[{a:1},{a:2}]" | limit 1', True),
        ('explain json "[{a:1},{a:2}]" | limit 1 --run', True),
        ('explain analyze json "[{a:1},{a:2}]" | limit 1', True),
    ],
)
def test_explain_may_stand_before_the_query(capsys: pytest.CaptureFixture[str], text: str, ran: bool) -> None:
    """`-q "explain --run ..."` was answered "this is SQL"."""
    assert main(["-q", text]) == 0
    told = capsys.readouterr().out
    assert told.startswith("stages\n")
    assert ("run: rows 1" in told) == ran


def test_explain_may_stand_before_the_query_in_the_shell() -> None:
    """It went to DuckDB: syntax error at or near "explain"."""
    out = io.BytesIO()
    with Session(tz="UTC") as session:
        shell = Shell(session, Settings(format="jsonl"), out, Voice(io.StringIO()))
        assert shell.execute('explain --run json "{a:1}"') == 0
        assert shell.execute("explain select 1") == 0
    assert out.getvalue().startswith(b"stages\n")
    assert b"run: rows 1" in out.getvalue()


@pytest.mark.parametrize("text", ["explain", "explain 'json \"{}\"'", 'json "{}" | explain'])
def test_explain_without_a_query_is_no_sql(capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert main(["-q", text]) == 1
    assert "help: explain stands on the command line: logsql explain 'QUERY' [--run]" in capsys.readouterr().err


def test_a_verb_typed_in_the_shell_is_answered_with_its_place() -> None:
    """`check a.lq` was answered: did you mean "checktable"?"""
    said = io.StringIO()
    with Session(tz="UTC") as session:
        assert Shell(session, Settings(), io.BytesIO(), Voice(said)).execute("check a.lq") == 1
    assert "help: check stands on the command line: logsql check FILE|DIR..." in said.getvalue()
