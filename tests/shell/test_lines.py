"""What a line of shell input is, and when it goes on (language.md 1.9)."""

from __future__ import annotations

import pytest

from logsql.shell.lines import Kind, classify, continues, joined

COMMANDS = frozenset({"table", "search", "set", "load", "import", "pivot", "stats", "csvfile", "hive-file", "-"})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("  ", Kind.BLANK),
        ("\\d web", Kind.META),
        ("help stats", Kind.HELP),
        ("ml.fit bot", Kind.ML),
        ("ML.models", Kind.ML),
        ("SELECT 1", Kind.SQL),
        ("select 1", Kind.SQL),
        ("with a as (select 1) from a", Kind.SQL),
        ("(select 1)", Kind.SQL),
        ("FROM web", Kind.SQL),
        ("describe web", Kind.SQL),
        ("create table t (a int)", Kind.SQL),
        ("SET threads = 2", Kind.SQL),
        ("set a = 1", Kind.QUERY),
        ("table web", Kind.QUERY),
        ("pivot count rows a", Kind.QUERY),
        ("import t", Kind.QUERY),
        ("hive-file system.bak", Kind.QUERY),
        ("# note\n| table web", Kind.QUERY),
        ("selec 1", Kind.QUERY),
        ("- | stats count", Kind.QUERY),
    ],
)
def test_kinds(text: str, kind: Kind) -> None:
    assert classify(text, COMMANDS) is kind


@pytest.mark.parametrize(
    "text",
    [
        "table web |",
        "table web\n| stats count |  ",
        "table web \\",
        "table web \\  ",
        'search a == "open',
        'search a == "it is \\" open',
        "join a [ table t",
        "join a [ table t\n| search x == 1",
        'stats count | # a comment with one " quote\n| join a [',
        "select (1,",
        "select 'open",
        "select 'it''s",
        'select "a',
        "select 1 /* open",
        "select 1 \\",
        "ml.addQueryInput a table web \\",
    ],
)
def test_goes_on(text: str) -> None:
    assert continues(text, COMMANDS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "table web",
        'search a == "\\\\"',
        'search a == "[" | stats count',
        "join a [ table t ]",
        '# a comment with one " quote\n| table web',
        "stats count | # it's \"half [ open",
        "csvfile C:\\logs\\a.csv",
        "select 1 -- it's fine",
        "select '(' || ')'",
        "select 'it''s'",
        "\\d web \\",
        'join a [ search b == "open\n',
        "select (1\n\n",
    ],
)
def test_is_complete(text: str) -> None:
    assert not continues(text, COMMANDS)


def test_joining_drops_the_continuation_marks_only() -> None:
    assert joined(["table web \\", "| search a == 1"]) == "table web \n| search a == 1"
    assert joined(["csvfile C:\\logs\\a.csv"]) == "csvfile C:\\logs\\a.csv"
    assert joined(["join a [", "table t ]"]) == "join a [\ntable t ]"
