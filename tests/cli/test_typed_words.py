"""Words of the command line and of the shell, typed as a query, are answered with the place where they stand."""

from __future__ import annotations

import pytest

from logsql.cli import main


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
