"""The formatter: one command per line, subqueries indented, everything between kept as written."""

from __future__ import annotations

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.language.formatter import format_query
from logsql.language.parser import parse_query
from tests.language.grammar import GRAMMAR

CASES = [
    ("table t|limit 1", "table t\n| limit 1"),
    ("  table   t  |\n\n limit  1 ", "table t\n| limit 1"),
    ("# note\n|table t|# last", "# note\n| table t\n| # last"),
    ("table t | join k [table u|fields a,b]|limit 1", "table t\n| join k [ table u\n  | fields a,b ]\n| limit 1"),
    (
        "union [ jsonfile a | join p [ load G | fields p ] | eval x = 1 ]",
        "union [ jsonfile a\n  | join p [ load G\n    | fields p ]\n  | eval x = 1 ]",
    ),
    ("union [# x\n|table t]", "union [ # x\n  | table t ]"),
    (
        'rex  field=a  "x | [y]  #(?<z>\\d)"|search a=="b  |  c"',
        'rex field=a  "x | [y]  #(?<z>\\d)"\n| search a=="b  |  c"',
    ),
    ("table t | # [ a | b ]  | limit 1", "table t\n| # [ a | b ]\n| limit 1"),
    ("dbquery s select [a|b] from t | limit 1", "dbquery s select [a|b] from t\n| limit 1"),
    ("eval a = 1,\n     b = 2 | limit 1", "eval a = 1,\n     b = 2\n| limit 1"),
    ("hive-file C:\\a  b\\ | limit 1", "hive-file C:\\a  b\\\n| limit 1"),
    ("-|stats count", "-\n| stats count"),
    ("search a == “x–y” ∣ limit 1", "search a == “x–y”\n| limit 1"),
    ('setq [ json "{}" ]', 'setq [ json "{}" ]'),
    ("table t | #", "table t\n| #"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_format(text: str, expected: str) -> None:
    formatted = format_query(text, GRAMMAR)
    assert formatted.rstrip() == expected
    assert format_query(formatted, GRAMMAR) == formatted
    assert parse_query(formatted, GRAMMAR) == parse_query(text, GRAMMAR)


def test_a_wrong_query_is_not_formatted() -> None:
    with pytest.raises(QueryError):
        format_query("table t | | limit 1", GRAMMAR)
