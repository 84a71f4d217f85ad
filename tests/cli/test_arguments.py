"""Command-line words to an invocation, and the sentences for words that make none."""

from __future__ import annotations

import pytest

from logsql.diagnostics.errors import UsageError
from logsql.language.tree import canonical
from logsql.shell.invocation import OPTIONS, VERBS, parse


def test_nothing_is_the_shell() -> None:
    assert parse([]).verb == "shell"


def test_query_with_parameters_and_limits() -> None:
    words = [
        "-q",
        "- | limit 1",
        "-d",
        "a=1",
        "-d",
        "b=x=y",
        "-f",
        "csv",
        "-o",
        "out",
        "--db",
        "c.duckdb",
        "--tz",
        "UTC",
    ]
    asked = parse([*words, "--safe", "--threads", "2", "--memory-limit", "1GB", "--timeout", "1.5", "--stats"])
    assert (asked.verb, asked.query) == ("run", "- | limit 1")
    assert asked.params == (("a", "1"), ("b", "x=y"))
    assert (asked.format, asked.output, asked.database, asked.zone) == ("csv", "out", "c.duckdb", "UTC")
    assert (asked.safe, asked.threads, asked.memory_limit, asked.timeout, asked.stats) == (True, 2, "1GB", 1.5, True)


def test_a_parameter_may_be_the_value_of_an_expression() -> None:
    asked = parse(["-q", "x", "-d", "a=:=1", "-d", "b:=404", "-d", 'c:=ago("1d")', "-d", "d:=null", "-d", "e :=-1.5"])
    assert asked.params[0] == ("a", ":=1"), "only the colon before the first = asks for a value"
    assert [name for name, _ in asked.params] == ["a", "b", "c", "d", "e"]
    assert [canonical(value) for _, value in asked.params[1:]] == ["404", 'ago("1d")', "null", "-1.5"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a:=", "is none"),
        (":=1", "KEY=VALUE"),
        ("a:=1 +", "is none"),
        ("a:=abc", "field abc"),
        ("a:=1 2", "is none"),
    ],
)
def test_a_parameter_that_is_no_value_is_refused(written: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse(["-q", "x", "-d", written])


def test_values_may_be_attached() -> None:
    asked = parse(["-fcsv", "--db=x", "-da=b=c", "q.lq"])
    assert (asked.format, asked.database, asked.params, asked.words) == ("csv", "x", (("a", "b=c"),), ("q.lq",))


def test_options_stand_before_or_behind_the_verb() -> None:
    assert parse(["-f", "csv", "sql", "select 1"]) == parse(["sql", "select 1", "-f", "csv"])


def test_a_lone_dash_is_a_file() -> None:
    assert parse(["-"]).words == ("-",)


def test_double_dash_ends_the_options() -> None:
    assert parse(["--", "-odd-name.lq"]).words == ("-odd-name.lq",)


def test_ml_keeps_its_words() -> None:
    asked = parse(["--db", "x", "ml", "createModel", "rforest", "bot", "bot", "--help", "-q"])
    assert asked.words == ("createModel", "rforest", "bot", "bot", "--help", "-q")


def test_translate_takes_a_word_or_q() -> None:
    assert parse(["translate", "table t"]).words == parse(["translate", "-q", "table t"]).words == ("table t",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fromat", "csv"], "--format"),
        (["-f", "cvs"], "csv"),
        (["-f"], "needs a value"),
        (["-d", "novalue"], "KEY=VALUE"),
        (["--threads", "0"], "whole number"),
        (["--threads", "two"], "whole number"),
        (["--timeout", "nan"], "seconds"),
        (["--timeout", "-1"], "seconds"),
        (["--safe=yes"], "takes no value"),
        (["-q", "a", "-q", "b"], "twice"),
        (["-q", "a", "file.lq"], "one query at a time"),
        (["sql"], "called in another way"),
        (["sql", "select", "1"], "single quotes"),
        (["--check", "-q", "x"], "belongs to logsql fmt"),
        (["tranlsate", "table t"], "translate"),
        (["chek", "a.lq"], "logsql has no command 'chek'"),
        (["--lang", "fr"], "en | ko"),
    ],
)
def test_mistakes_are_named(words: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert caught.value.exit_code == 2
    assert said in f"{caught.value.diagnostic.message} {caught.value.help}"


def test_every_option_and_verb_has_its_sentences() -> None:
    from logsql.diagnostics.messages import message_names

    names = set(message_names())
    assert {option.help for option in OPTIONS} <= names
    assert {f"use-{verb}" for verb in VERBS} <= names
