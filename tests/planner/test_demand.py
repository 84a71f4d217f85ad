"""Demand may name too many fields, never too few: what a query gives does not change when every field is demanded."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import logsql
from logsql.engine.session import Session
from logsql.language.parser import parse_query
from logsql.planner import planner
from logsql.planner.demand import demanded
from logsql.planner.duties import Demand
from logsql.registry import GRAMMAR
from tests.support import nightly, sample

ROWS: list[dict[str, Any]] = [
    {"a": 1, "b": "x", "k": "p", "line": "one=1 two=2", "_time": "2024-01-01 10:00:00", "l": [1, 2], "d": "k=v"},
    {"a": 2.5, "b": "y", "k": "q", "line": '{"a": 9, "z": "in"}', "_time": None, "l": [], "prev_a": 7},
    {"a": "3", "b": None, "k": "p", "line": "x,y", "l": "no list", "n": "b", "count": 4},
    {"b": "x", "k": "r", "line": None, "_time": "2024-01-01 11:30:00", "n": "k", "g": 5},
    {"a": -4, "b": "z", "k": None, "line": "GET /a 200", "n": "nosuch", "line2": "GET"},
]
OTHERS: list[dict[str, Any]] = [
    {"k": "p", "a": 10, "c": "c1", "b": "o"},
    {"k": "r", "c": "c2", "n": 1},
    {"k": "s", "a": "t"},
]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    folder = tmp_path_factory.mktemp("demand")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    (folder / "others.jsonl").write_text("".join(json.dumps(row) + "\n" for row in OTHERS), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("stored.lq").write_text("jsonfile others.jsonl | eval m = a\n", encoding="utf-8")
        with logsql.connect(tz="Asia/Seoul") as opened:
            yield opened


#: What may stand between the source and the end of a query.
STEPS = (
    'search b == "x" or isnull(a)',
    "search limit=3 isnotnull(k)",
    "eval a = b, e = a",
    'eval f = field("b")',
    "eval f = field(n)",
    'eval v = kvjoin("=", ";")',
    "eval s = seq()",
    "rename a as b",
    "rename b as z",
    "sort -a, k",
    "sort limit=3 k by b",
    "limit 1 3",
    "explode l",
    "prev a",
    "prev k, a",
    "bypass",
    "fields - b",
    "order k",
    "repeat count=2",
    "set p = 3",
    'rex field=line "(?<one>\\d)(?<a>.)?"',
    'rex field=line "GET (?<line2>\\S+)"',
    "parsejson overlay=t",
    "parsejson",
    "parsekv field=d overlay=t",
    'parse "=*" as b',
    'parse overlay=t field=line "=*" as c',
    'split sep="," a, c',
    "tojson a, b",
    "tojson",
    "signature",
    'eval t = date(_time, "yyyy-MM-dd HH:mm:ss") | rename t as _time',
    'evalc run = nvl($("run"), 0) + len(k) | eval r = $("run")',
    "join k [ jsonfile others.jsonl ]",
    "join type=left k [ jsonfile others.jsonl | rename a as c ]",
    "join type=full k [ jsonfile others.jsonl ]",
    "union [ jsonfile others.jsonl ]",
    "union [ jsonfile others.jsonl | eval b = a | union [ jsonfile rows.jsonl | search a > 0 ] ]",
    "union [ proc stored() ]",
    "serial [ eval q = a | search q > 0 ]",
    "serial [ prev a | eval b = prev_a ]",
    "parallel [ serial [ eval k = b ] | search isnotnull(k) ]",
    'setq [ jsonfile others.jsonl | fields a ] | eval par = $("a")',
)
#: What closes the rows, so that a demand is known before it.
ENDS = (
    "stats count by b",
    "stats count, sum(a), max(e), max(f) by k",
    "stats values(c), values(z), values(v), values(_json), values(signature), values(r), values(par), values(m)",
    "stats count(prev_a), values(one), values(line2), values(s), values(q), first(b), last(a)",
    "fields a, b, c",
    "fields k, prev_k, l",
    "pivot count rows k cols b",
    "timechart span=1h count",
    "rollup count by k, b",
    "boxplot a by b",
    "serial [ stats sum(a) by b ]",
    "serial [ eval w = a | serial [ stats values(w) by k ] ]",
    "parallel [ fields b, a | stats count by a ]",
    "tojson a, k | fields _json",
    "drop",
)


def everything(commands: object, behind: Demand = None) -> Demand:
    return None


def same(session: Session, query: str) -> None:
    told = outcome(session, query)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planner, "demanded", everything)
        patch.setattr(planner, "of_subquery", everything)
        wanted = outcome(session, query)
    assert told == wanted, query


def outcome(session: Session, query: str) -> object:
    try:
        result = session.query(query)
        return [json.dumps(row, default=str, ensure_ascii=False) for row in result.arrow().to_pylist()]
    except logsql.LogsqlError as error:
        return error.diagnostic.code


@pytest.mark.parametrize("number", range(len(STEPS)), ids=STEPS)
def test_one_step(session: Session, number: int) -> None:
    always = (ENDS[2], ENDS[3]) if nightly() else (ENDS[2 + number % 2],)
    for end in (*always, ENDS[number % len(ENDS)]):
        same(session, f"jsonfile rows.jsonl | {STEPS[number]} | {end}")


@pytest.mark.parametrize("seed", range(sample(200, 20)))
def test_chains(session: Session, seed: int) -> None:
    drawn = random.Random(seed)
    steps = [drawn.choice(STEPS) for _ in range(drawn.randint(2, 5))]
    inner = " | ".join(steps)
    query = f"jsonfile rows.jsonl | {inner} | {drawn.choice(ENDS)}"
    if seed % 3 == 0:
        query = f"jsonfile others.jsonl | union [ {query} ] | {drawn.choice(ENDS)}"
    same(session, query)


def demand_of(query: str) -> Demand:
    return demanded(parse_query(query, GRAMMAR).commands[1:])


@pytest.mark.parametrize(
    ("behind", "alone"),
    [
        ("serial [ stats sum(a) as s by k ]", "stats sum(a) as s by k"),
        ("parallel [ serial [ stats sum(a) as s by k ] ]", "stats sum(a) as s by k"),
        ("serial [ eval x = a ] | stats sum(x) as s", "eval x = a | stats sum(x) as s"),
        ("union [ table u | stats count ] | stats sum(a) as s", "stats sum(a) as s"),
    ],
)
def test_a_subquery_asks_for_what_its_commands_ask(behind: str, alone: str) -> None:
    assert demand_of(f"table t | {behind}") == demand_of(f"table t | {alone}") is not None


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("timechart span=1h count", {"_time", "count", "1h"}),
        ("eval a = b | stats sum(a) as s", {"b", "sum", "s"}),
        ('eval a = field("b") | fields a', {"b"}),
        ("fields - a | fields a, b", {"a", "b"}),
        ("parsejson overlay=t | fields a", {"a", "line", "t"}),
        ('rex field=note "(?<a>.)" | fields a', {"a", "note"}),
        ("prev a | fields prev_a", {"a"}),
        ("join k [ table u | search hidden == 1 ] | fields c", {"k", "c"}),
    ],
)
def test_what_is_asked_of_the_source(query: str, asked: set[str]) -> None:
    assert demand_of(f"table t | {query}") == asked


@pytest.mark.parametrize(
    "query",
    [
        "search a > 0",
        "eval a = field(n) | fields a",
        'eval a = kvjoin("=", ";") | fields a',
        'rex field=$("f") "(?<a>.)" | fields a',
        "tojson | fields _json",
        "transaction k | fields _tx_duration",
        "import t | stats count",
    ],
)
def test_where_any_field_may_be_read_every_field_is_asked_for(query: str) -> None:
    assert demand_of(f"table t | {query}") is None
