r"""``parsekv quote="\""``: what stands between quotes is one key or one value and never becomes a field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql import Session
from logsql.diagnostics.errors import QueryError

#: options, text, its fields: by hand from the rule on the page of parsekv.
CASES: list[tuple[str, str, dict[str, str | None]]] = [
    ("", 'action=deny msg="probe action=allow"', {"action": "deny", "msg": "probe action=allow"}),
    ("", 'msg="probe action=allow" action=deny', {"msg": "probe action=allow", "action": "deny"}),
    ("", 'GenTime="2019-08-19 15:17:44" a=1', {"GenTime": "2019-08-19 15:17:44", "a": "1"}),
    ("", r'a="say \"x=1 y\" z" b=2', {"a": 'say "x=1 y" z', "b": "2"}),
    ("", 'a="say ""x=1 y"" z" b=2', {"a": 'say "x=1 y" z', "b": "2"}),
    ("", r'a="C:\Users\kim" b="\\srv\share" c=1', {"a": r"C:\Users\kim", "b": r"\\srv\share", "c": "1"}),
    ("", r'a="end\\" b=2', {"a": r"end\\", "b": "2"}),
    ("", 'a="" b=2 c=', {"a": "", "b": "2", "c": ""}),
    ("", '"a key"="a value" b=2', {"a key": "a value", "b": "2"}),
    ("", '"k=1 x"=v "lone one" b=2', {"k=1 x": "v", "lone one": None, "b": "2"}),
    ("", 'height=5" b=a"b c="x"', {"height": '5"', "b": 'a"b', "c": "x"}),
    ("", 'a="x"y b=2', {"a": "xy", "b": "2"}),
    ("", 'b=1 a="no end c=3  d', {"b": "1", "a": "no end c=3  d"}),
    ("", 'b=1 a="twice"" c=3', {"b": "1", "a": 'twice" c=3'}),
    ("", '"no end c=3', {"no end c=3": None}),
    ("", 'a=1   a="2 b=3" flag', {"a": "2 b=3", "flag": None}),
    ("", "a=1 b=2\r", {"a": "1", "b": "2"}),
    ("", 'a="한글 값" b=é', {"a": "한글 값", "b": "é"}),
    ('pairdelim="&"', 'a=1&b="x&c=3"&d=4', {"a": "1", "b": "x&c=3", "d": "4"}),
    ('pairdelim=","', 'a=1, b= "x, c=3" , d=4', {"a": "1", "b": "x, c=3", "d": "4"}),
    ('pairdelim=";" kvdelim=":"', 'a:"1;2";;b:"c:d";e', {"a": "1;2", "b": "c:d", "e": None}),
    ('pairdelim=" | " kvdelim=" = "', 'a = 1 | b = "x | c = 3" | d = p|q', {"a": "1", "b": "x | c = 3", "d": "p|q"}),
    ('pairdelim="\t"', 'a="x\ty"\tb=p q', {"a": "x\ty", "b": "p q"}),
    ('pairdelim="]"', 'a="x]y"]b=^-', {"a": "x]y", "b": "^-"}),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as session:
        yield session


def ask(session: Session, lines: list[str | None], command: str) -> tuple[list[dict[str, Any]], list[tuple[str, int]]]:
    session.register("t", pa.table({"line": pa.array(lines, pa.string())}))
    result = session.query(f"table order=asc t | {command}")
    return result.rows(), [(e.reason, e.count) for e in result.ledger]


@pytest.mark.parametrize("options", sorted({options for options, _, _ in CASES}))
def test_quotes(session: Session, options: str) -> None:
    cases = [case for case in CASES if case[0] == options]
    command = rf'parsekv quote="\"" {options} overlay=t'
    rows, _ = ask(session, [text for _, text, _ in cases], command)
    wanted = [{"line": text, **fields} for _, text, fields in cases]
    found = [
        {name: value for name, value in row.items() if name in fields or value is not None}
        for row, fields in zip(rows, wanted, strict=True)
    ]
    assert found == wanted


def test_another_quote_and_rows_without_text(session: Session) -> None:
    lines = ["a='x b=1' c=\"", None, ""]
    rows, ledger = ask(session, lines, """parsekv quote="'" """)
    assert rows[0] == {"a": "x b=1", "c": '"'}
    assert len(rows) == 2
    assert ledger == []


@pytest.mark.parametrize("quote", ["", "ab", " ", "=", "&", r"\\"])
def test_a_quote_is_one_character_outside_the_delimiters(session: Session, quote: str) -> None:
    with pytest.raises(QueryError) as caught:
        ask(session, ["a=1"], f'parsekv pairdelim="&" quote="{quote}"')
    assert caught.value.code == "90001"


def test_what_quotes_lose_is_in_the_ledger(session: Session) -> None:
    lines = ['a="1 b=2"', 'a="1" b=""', 'a="no end', 'a=it"s b=2', "a='x y'", 'a="1 b=2']
    rows, ledger = ask(session, lines, "parsekv | fields a")
    assert [row["a"] for row in rows] == ['"1', '"1"', '"no', 'it"s', "'x", '"1']
    assert ledger == [("quoted-value-cut", 4)]
    rows, ledger = ask(session, lines, r'parsekv quote="\"" | fields a')
    assert [row["a"] for row in rows] == ["1 b=2", "1", "no end", 'it"s', "'x", "1 b=2"]
    assert ledger == [("quote-not-closed", 2)]
