"""fulltext, mpsearch, flowsearch: examples of the manual and the rules of commands.md."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session
from logsql.jobs import keywords


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as made:
        yield made


def rows(session: Session, text: str) -> list[dict[str, Any]]:
    return session.query(text).rows()


def failure(session: Session, text: str) -> LogsqlError:
    with pytest.raises(LogsqlError) as caught:
        rows(session, text)
    return caught.value


# --- fulltext ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def logs(session: Session) -> Session:
    days = [dt.datetime(2013, 6, d, 12, tzinfo=dt.UTC) for d in (4, 5, 6)]
    lines = ["GET /Game 200 MSIE 192.0.0.7", "GET /game 404 Firefox 10.0.0.1", "POST /x 500 Opera 1.2.3.4"]
    times = pa.array(days, pa.timestamp("us", tz="UTC"))
    session.register("iis", pa.table({"_time": times, "line": lines, "n": [1, 2, 3]}))
    session.register("fw", pa.table({"src": ["192.0.0.200", "game", None], "port": [450, 80, 22]}))
    return session


def hits(session: Session, text: str) -> list[int]:
    """``n`` of the rows of iis, newest first."""
    return [r["n"] for r in rows(session, f"{text} from iis")]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('"game"', [2, 1]),
        ('"game" and ("MSIE" or "Opera")', [1]),
        ('"game" and not "msie"', [2]),
        ('not ("game" or "opera")', []),
        ('not("game")', [3]),
        ('"GET*404"', [2]),
        ('"*"', [3, 2, 1]),
        ("range(400, 500)", [3, 2]),
        ("range(404, 404)", [2]),
        ('iprange("192.0.0.1", "192.0.0.255")', [1]),
        ('iprange("1.2.3.4", "10.0.0.1")', [3, 2]),
        ("n == 2 or n > 2", [3, 2]),
        ('line == "POST*"', [3]),
        ('n != 2 and "get"', [1]),
        ("404", [2]),
        ("[ json \"[{a: 'OPERA'}, {b: 'firefox', c: null}]\" ]", [3, 2]),
        ("not [ json \"[{a: 'OPERA'}]\" ]", [2, 1]),
        ('[ json "[]" ]', []),
    ],
)
def test_conditions(logs: Session, condition: str, expected: list[int]) -> None:
    assert hits(logs, f"fulltext {condition}") == expected


def test_options(logs: Session) -> None:
    assert hits(logs, 'fulltext from=20130605 to=20130606 "*"') == [2]
    assert hits(logs, 'fulltext limit=1 offset=1 "*"') == [2]
    assert hits(logs, 'fulltext order=asc "*"') == [1, 2, 3]
    assert hits(logs, 'fulltext tt=t "4.3.2.1"') == [3]
    assert hits(logs, 'fulltext "4.3.2.1"') == []


def test_tables(logs: Session) -> None:
    text = 'fulltext "game" | sort _table | fields _table'
    assert rows(logs, text) == [{"_table": "fw"}, {"_table": "iis"}, {"_table": "iis"}]
    assert rows(logs, 'fulltext "game" from fw, fw | stats count') == [{"count": 2}]
    assert rows(logs, "fulltext range(400, 500) from fw | fields port") == [{"port": 450}]
    assert rows(logs, 'fulltext "opera" from iis.fidx | fields n') == [{"n": 3}]
    assert rows(logs, 'fulltext "game" from *w | fields src') == [{"src": "game"}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("fulltext", "E3302"),
        ("fulltext game from iis", "E3302"),
        ('fulltext "a" "b"', "E3302"),
        ('fulltext ("a"', "E3302"),
        ('fulltext "a" and', "E3302"),
        ("fulltext range(1)", "E3302"),
        ('fulltext iprange("x", "y")', "E3302"),
        ('fulltext "a" from nope', "10605"),
        ('fulltext "a" from', "10603"),
        ('fulltext "a" from meta("parser==openssh")', "10603"),
        ('fulltext foo=1 "a"', "90001"),
    ],
)
def test_wrong_fulltext_is_refused(logs: Session, text: str, code: str) -> None:
    assert failure(logs, text).code == code


# --- mpsearch ---------------------------------------------------------------------------------------------------------


def rules(session: Session, *given_: tuple[str | None, Any, str | None]) -> None:
    session.register("rules", pa.Table.from_pylist([{"expr": e, "rule": r, "expr2": s} for e, r, s in given_]))


def matched(session: Session, text: str) -> list[list[Any]]:
    return [[m["rule"] for m in r["_mp_result"]] for r in rows(session, text)]


def test_rules_join_keywords(session: Session) -> None:
    both = ('"/root/" and "cmd.php"', 1, None)
    rules(session, both, ('"a" or "b"', 2, None), ('not "a"', 3, None), ('not("x")', 4, None))
    session.register("t", pa.table({"m": ["/root/cmd.php", "b", "A", None, "axb"]}))
    assert matched(session, "table t | mpsearch m [ table rules ]") == [[1, 3, 4], [2, 3, 4], [3, 4], [3, 4], [2]]


def test_second_expressions_see_the_row(session: Session) -> None:
    rules(session, ('"a"', "n", "n > 3"), ('"a"', "re", 'match(u, "^x\\\\d")'), ('"a"', "no", "nothing == 1"))
    session.register("t", pa.table({"m": ["a", "a", "b"], "n": [5, 1, 9], "u": ["x1", "y", "x1"]}))
    assert matched(session, "table t | mpsearch m [ table rules ]") == [["n", "re"], [], []]


def test_the_result_shows_the_rule_and_broken_rules_are_counted(session: Session) -> None:
    rules(session, ('"a"', 1, None), ("a", 2, None), (None, 3, None), ('"a" == 1', 4, None), ('"a"', 5, "n >"))
    session.register("t", pa.table({"m": ["a"]}))
    result = session.query("table t | mpsearch m [ table rules ]")
    assert result.rows() == [{"m": "a", "_mp_result": [{"expr": '"a"', "rule": 1}]}]
    assert [(e.reason, e.count) for e in result.ledger] == [("broken-rule", 4)]


def test_fields_together_and_all_fields(session: Session) -> None:
    rules(session, ('"left" and "right"', 1, None))
    session.register("t", pa.table({"a": ["left"], "b": ["right"], "line": ['{"c": "left", "d": ["right"]}']}))
    assert matched(session, "table t | mpsearch a, b [ table rules ]") == [[1]]
    assert matched(session, "table t | mpsearch a [ table rules ]") == [[]]
    assert matched(session, "table t | fields a, b | mpsearch [ table rules ]") == [[1]]
    assert matched(session, "table t | parsejson | mpsearch [ table rules ]") == [[1]]


def test_rows_keep_their_order_and_their_types(session: Session) -> None:
    rules(session, ('"7"', 1, None))
    session.register("t", pa.table({"i": list(range(300_000))}))
    found = session.query("table t | mpsearch i [ table rules ] | search len(_mp_result) > 0").arrow()
    assert found["i"].to_pylist() == [i for i in range(300_000) if "7" in str(i)]


def test_rules_without_the_needed_fields_are_refused(session: Session) -> None:
    session.register("t", pa.table({"a": [1]}))
    assert failure(session, "table t | mpsearch [ table t ]").code == "E3301"
    assert failure(session, "table t | mpsearch a").name == "no-subquery"


words = st.text(st.sampled_from("ab한 .*"), max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(words, max_size=8, unique=True), words)
def test_the_search_of_all_keywords_at_once_finds_what_each_finds_alone(sought: list[str], text: str) -> None:
    pytest.importorskip("ahocorasick_rs", reason="package ahocorasick-rs is not installed")
    assert keywords.finder(sought)(text) == frozenset(i for i, k in enumerate(sought) if k in text)


# --- flowsearch -------------------------------------------------------------------------------------------------------


def test_the_example_of_the_manual(session: Session) -> None:
    text = """
        json "{}" | eval src_ip=ip("106.75.11.63"), src_port=57776
        | eval dst_ip=ip("106.246.20.67"), dst_port=80, protocol="TCP"
        | # the rules
        | flowsearch [
            union [ json "{}" | eval src_ip=ip("211.36.133.0"), dst_ip=ip("106.246.20.67"), flow="flow1" ]
            | union [ json "{}" | eval src_ip=ip("106.75.11.0"), dst_ip=ip("106.246.20.67"), flow="flow2" ]
            | eval src_cidr=24, dst_cidr=32 ]
        | fields src_ip, src_port, dst_ip, dst_port, protocol, _flow
    """
    assert [r["_flow"] for r in rows(session, text)] == [["flow2"]]


def flow_rule(flow: str, **given_: Any) -> dict[str, Any]:
    names = ("src_ip", "src_cidr", "src_port", "dst_ip", "dst_cidr", "dst_port", "protocol")
    return {**dict.fromkeys(names), **given_, "flow": flow}


def test_flow_rules(session: Session) -> None:
    listed = [
        flow_rule("any"),
        flow_rule("everything", src_ip="0.0.0.0", src_cidr=0),
        flow_rule("https", dst_port=443, protocol="tcp"),
        flow_rule("from", src_port=5),
        flow_rule("net", src_ip="10.0.0.77", src_cidr=24, dst_ip="10.1.0.0", dst_cidr=16),
        flow_rule("one", src_ip="10.0.0.1"),
        flow_rule("six", src_ip="2001:db8:0:0:0:0:0:0", src_cidr=32),
        flow_rule("all six", src_ip="0:0:0:0:0:0:0:0", src_cidr=0),
    ]
    session.register("rules", pa.Table.from_pylist(listed))
    connections = [
        ("10.0.0.1", 5, "10.1.2.3", 443, "TCP"),
        ("10.0.1.1", 6, "10.1.2.3", 443, "UDP"),
        ("2001:db8:0:0:0:0:0:9", 5, "10.1.2.3", 1, None),
        ("10.0.0.1", None, None, 443, "TCP"),
        ("text", 5, "10.1.2.3", 443, "TCP"),
    ]
    names = ("src_ip", "src_port", "dst_ip", "dst_port", "protocol")
    session.register("c", pa.Table.from_pylist([dict(zip(names, c, strict=True)) for c in connections]))
    assert [r["_flow"] for r in rows(session, "table c | flowsearch [ table rules ]")] == [
        ["any", "everything", "https", "from", "net", "one"],
        ["any", "everything"],
        ["any", "from", "six", "all six"],
        None,
        None,
    ]


def test_flowsearch_keeps_order_and_refuses_rules_without_fields(session: Session) -> None:
    session.register("rules", pa.Table.from_pylist([flow_rule("f", src_ip="10.0.0.0", src_cidr=8)]))
    count = 300_000
    addresses = {"src_ip": ["10.0.0.1"] * count, "dst_ip": ["1.1.1.1"] * count}
    session.register("c", pa.table({"i": list(range(count)), **addresses}))
    found = session.query("table c | flowsearch [ table rules ] | fields i").arrow()
    assert found["i"].to_pylist() == list(range(count))
    assert failure(session, "table c | flowsearch [ table c ]").code == "E3301"
