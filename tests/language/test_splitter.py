"""Commands, comments, brackets and look-alikes: language.md 1.1, 1.2, 1.8."""

from __future__ import annotations

import unicodedata

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.language.parser import parse_query
from logsql.language.source import Source
from logsql.language.splitter import split
from logsql.language.tree import Query, Subquery
from tests.language.grammar import GRAMMAR


def pieces(text: str) -> list[str]:
    """The trimmed commands of a text, comments marked by their ``#``."""
    cut = split(Source.of(text))
    return [cut.source.buffer[segment.start : segment.end].strip() for segment in cut.root.segments]


def names(query: Query) -> list[str]:
    return [command.name for command in query.commands]


def failure(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse_query(text, GRAMMAR)
    return caught.value


def pointed(text: str) -> tuple[str, str]:
    """(code, the characters the error points at)."""
    error = failure(text)
    assert error.span is not None
    return error.code, text[error.span.start : error.span.end]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("table t | limit 1", ["table t", "limit 1"]),
        ("table t\n|\tlimit 1\r\n", ["table t", "limit 1"]),
        ('search a == "x|y" | limit 1', ['search a == "x|y"', "limit 1"]),
        (r'search a == "x\"|y" | limit 1', [r'search a == "x\"|y"', "limit 1"]),
        (r'search a == "x\\" | limit 1', [r'search a == "x\\"', "limit 1"]),
        (r"hive-file C:\dir\ | limit 1", ["hive-file C:\\dir\\", "limit 1"]),
        ("union [ table t | limit 1 ] | limit 2", ["union [ table t | limit 1 ]", "limit 2"]),
        ('json "[1, {]" | limit 2', ['json "[1, {]"', "limit 2"]),
        ("eval a = b(c | limit 2", ["eval a = b(c", "limit 2"]),
        ("eval a = 'x | limit 2", ["eval a = 'x", "limit 2"]),
    ],
)
def test_pipes_split_outside_strings_and_brackets(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


@pytest.mark.parametrize(
    ("text", "commands", "comments"),
    [
        ("# pick | table t", ["table"], [("pick", 0)]),
        ("#\tpick\n| table t", ["table"], [("pick", 0)]),
        ("table t | # doubled value | limit 1", ["table", "limit"], [("doubled value", 1)]),
        ("table t | limit 1 | # last", ["table", "limit"], [("last", 2)]),
        ("table t | # eval b = a * 2 | limit 1", ["table", "limit"], [("eval b = a * 2", 1)]),
        (
            "table t | # [ eval x = 1 | search x > 1 ] | limit 1",
            ["table", "limit"],
            [("[ eval x = 1 | search x > 1 ]", 1)],
        ),
        (
            "table t | # union [ table t | limit 30 ] | limit 1",
            ["table", "limit"],
            [("union [ table t | limit 30 ]", 1)],
        ),
        ("# one | # two | table t", ["table"], [("one", 0), ("two", 0)]),
        ("table t | # two\nlines | limit 1", ["table", "limit"], [("two\nlines", 1)]),
        ('table t | # search a == "x|y" | limit 1', ["table", "limit"], [('search a == "x|y"', 1)]),
        ('table t | # eval a = "[" | limit 1', ["table", "limit"], [('eval a = "["', 1)]),
        ('table t | # a 5" disk | search a == "x" | limit 1', ["table", "search", "limit"], [('a 5" disk', 1)]),
        ('table t | # a 5" disk | search a == "x|y" | limit 1', ["table", "search", "limit"], [('a 5" disk', 1)]),
        (
            'table t\n| # 5" disk\n| limit 1\n| # 6" disk\n| limit 2',
            ["table", "limit", "limit"],
            [('5" disk', 1), ('6" disk', 2)],
        ),
        (
            'table t | # 5" disk | limit 1 | # 6" disk | limit 2',
            ["table", "limit", "limit"],
            [('5" disk', 1), ('6" disk', 2)],
        ),
        ('table t | # search a == "x | y" | limit 1', ["table", "limit"], [('search a == "x | y"', 1)]),
        (
            'table t | # 5" x | search a == "x|y" | # 6" x | limit 1',
            ["table", "search", "limit"],
            [('5" x', 1), ('6" x', 2)],
        ),
        ("table t | # it's 1] first | limit 1", ["table", "limit"], [("it's 1] first", 1)]),
        ("# 정상, 악성 라벨링된 데이터 병합 | table t", ["table"], [("정상, 악성 라벨링된 데이터 병합", 0)]),
    ],
)
def test_comments(text: str, commands: list[str], comments: list[tuple[str, int]]) -> None:
    query = parse_query(text, GRAMMAR)
    assert names(query) == commands
    assert [(comment.text, comment.position) for comment in query.comments] == comments


@pytest.mark.parametrize(
    "text",
    [
        "union [ # first\n| table t | limit 1 ] | limit 2",
        'union [ # a 5" disk\n| table t | limit 1 ] | limit 2',
        "union [ table t | # a, [b | c] | limit 1 ] | limit 2",
        "union [ table t | limit 1 | # last ] | limit 2",
    ],
)
def test_comments_in_subqueries(text: str) -> None:
    query = parse_query(text, GRAMMAR)
    assert names(query) == ["union", "limit"]
    subquery = query.commands[0].args
    assert isinstance(subquery, Subquery)
    assert names(subquery.query) == ["table", "limit"]
    assert len(subquery.query.comments) == 1


def test_hash_elsewhere_is_an_ordinary_character() -> None:
    query = parse_query('table t | rex field=a "x#(?<y>.)" | search a == "# b" | hive-file C:\\# x', GRAMMAR)
    assert names(query) == ["table", "rex", "search", "hive-file"]
    assert query.comments == ()


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("table t | | limit 1", "90003", "|"),
        ("table t |", "90003", "|"),
        ("| table t", "90003", "|"),
        ("table t || limit 1", "90003", "||"),
        ("", "90003", ""),
        ("  ", "90003", "  "),
        ("# only a comment", "90003", "# only a comment"),
        ("union [ # only ] | limit 1", "90003", "# only"),
        ("union [] | limit 1", "90003", "[]"),
        ("table t | frobnicate x", "92000", "frobnicate"),
        ("table t | #foo", "92000", "#foo"),
        ("table t | Limit 1", "92000", "Limit"),
        ("table t | kmeans x", "92000", "kmeans"),
        ("table t | join k [ table u | limit 1", "90204", "["),
        ("table t ] | limit 1", "90204", "]"),
        ("# note [draft | table t", "90204", "["),
        ("union [# note", "90204", "["),
        ('union [ search a == "x ] | limit 1', "90203", '"'),
        ('search a == "x | limit 1', "90203", '"'),
    ],
)
def test_errors_point_at_the_characters(text: str, code: str, at: str) -> None:
    assert pointed(text) == (code, at)


def test_refused_command_gives_its_reason() -> None:
    assert failure("table t | kmeans x").notes == ("it is not implemented",)


def test_unknown_command_suggests_the_nearest() -> None:
    assert failure("table t | stast count").help == 'did you mean "stats"?'
    assert failure("union[ table t ]").help == 'put a blank after "union"'


def test_brackets_nest_to_a_limit() -> None:
    inner = "table t"
    for _ in range(40):
        inner = f"union [ {inner} ]"
    assert names(parse_query(inner, GRAMMAR)) == ["union"]
    assert failure("union [ " * 200 + "table t" + " ]" * 200).code == "E0001"


def test_lookalikes_count_outside_strings_only() -> None:
    query = parse_query('table t ∣ fields – line ❘ search a ≥ 1 and b ≤ abs(1 – 43) | search c == "a–b“c”"', GRAMMAR)
    plain = parse_query('table t | fields - line | search a >= 1 and b <= abs(1 - 43) | search c == "a–b“c”"', GRAMMAR)
    assert query == plain


def test_typographic_quotes_delimit_and_their_text_is_kept() -> None:
    assert parse_query("search a == “x–y|z” | limit 1", GRAMMAR) == parse_query(
        'search a == "x–y|z" | limit 1', GRAMMAR
    )
    assert parse_query("search a == «x» | limit 1", GRAMMAR) == parse_query('search a == "x" | limit 1', GRAMMAR)


def test_zero_width_characters_are_blanks() -> None:
    assert parse_query("\ufefftable\u200bt |\u2060limit 1", GRAMMAR) == parse_query("table t | limit 1", GRAMMAR)


def test_paths_keep_their_own_characters() -> None:
    assert parse_query("hive-file C:\\2010–2011.dat", GRAMMAR).commands[0].args.value == "C:\\2010–2011.dat"


def test_normalisation_keeps_spans_on_the_original() -> None:
    # macOS writes Hangul decomposed: the user's text is longer than the normalised one
    text = unicodedata.normalize("NFD", "table t | eval 한글 = 값 | eval é = 1 +")
    query = parse_query(unicodedata.normalize("NFD", "table t | eval 한글 = 값"), GRAMMAR)
    assert query.commands[1].args[0].target.text == "한글"
    assert pointed(text) == ("90100", "+")
    span = query.commands[1].args[0].target.span
    assert unicodedata.normalize("NFC", text[span.start : span.end]) == "한글"


def test_every_line_break_is_white_space() -> None:
    expected = parse_query("table t | eval a = 1 + 2 | limit 1", GRAMMAR)
    for line_break in ("\n", "\r", "\r\n", "\t", "\u3000", "\u00a0"):
        assert parse_query(f"table t |{line_break}eval a = 1 +{line_break}2{line_break}| limit 1", GRAMMAR) == expected
