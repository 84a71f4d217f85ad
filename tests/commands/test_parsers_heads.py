"""Every parser: ``_time`` is that of the line, its syslog head included, else the row's own, else null; never now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql import Session
from logsql.commands.parse.logs.base import PARSERS, ParserSpec
from logsql.planner.spec import COMMANDS

assert COMMANDS["parse"]
SPECS = sorted({id(s): s for s in PARSERS.values()}.values(), key=lambda s: s.name)
OWN = dt.datetime(2026, 1, 1, 0, 0, 30, tzinfo=dt.UTC)
AT = dt.datetime(2025, 10, 11, 22, 14, 15, tzinfo=dt.UTC)
#: Heads of lines (live.md, section 2) at 22:14:15 on 11 October 2025; an impossible date and a wrong PRI give no time.
HEADS: dict[str, dt.datetime | None] = {
    "<34>Oct 11 22:14:15 web app[12]: ": AT,
    "<34>Oct 11 2025 22:14:15 web app: ": AT,
    "Oct 11 22:14:15 web app[1]: ": AT,
    "Oct 11 22:14:15 app: ": AT,
    "<13>2025-10-12T07:14:15.000+09:00 web app[12]: ": AT,
    "<34>1 2025-10-11T22:14:15Z web app 77 - - ": AT,
    '<34>1 2025-10-11T22:14:15Z web app - ID47 [ex@32473 e="a\\"]b"] \ufeff': AT,
    "<34>Feb 30 22:14:15 web app: ": None,
}
#: A line without a time of its own, and one of its fields.
TIMELESS: dict[str, tuple[str, str, object]] = {
    "cef": ("CEF:0|v|p|1|100|name|10|src=10.0.0.1", "src", "10.0.0.1"),
    "csv": ("aaa,bbb", "column1", "bbb"),
    "iptables": ("kernel: IN=eth0 OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=60 PROTO=TCP", "src_ip", "10.0.0.1"),
    "json": ('{"a": 1, "b": "x"}', "b", "x"),
    "kv": ("a=1 b=x", "b", "x"),
    "leef": ("LEEF:1.0|v|p|1|7|src=10.0.0.1", "src", "10.0.0.1"),
    "openssh": ("Failed password for root from 10.0.0.1 port 5 ssh2", "src_ip", "10.0.0.1"),
}
#: A line with a time of its own, read behind a head too; the head says when it was passed on.
TIMED: dict[str, tuple[str, str, object]] = {
    "apache-error": ("[Wed Oct 11 14:32:52 2000] [error] [client 10.0.0.1] text", "src_ip", "10.0.0.1"),
    "httpd": ('10.0.0.1 - - [11/Oct/2000:14:32:52 +0000] "GET / HTTP/1.1" 200 5', "src_ip", "10.0.0.1"),
    "nginx-error": ("2000/10/11 14:32:52 [error] 12#56: *9 text", "message", "text"),
    "suricata-eve": ('{"timestamp":"2000-10-11T14:32:52Z","event_type":"dns","src_ip":"::1"}', "src_ip", "::1"),
}
TIMED_AT = dt.datetime(2000, 10, 11, 14, 32, 52, tzinfo=dt.UTC)
#: The head itself is the line, or lines above name the fields and hold the time.
OTHERS = {"syslog3164", "syslog5424", "w3c", "zeek"}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as session:
        yield session


def parsed(
    session: Session, name: str, lines: list[str | None], time: dt.datetime | None = OWN
) -> list[dict[str, Any]]:
    columns = {"line": pa.array(lines, pa.string()), "n": pa.array(range(len(lines)))}
    columns["_time"] = pa.array([time] * len(lines), pa.timestamp("us", tz="UTC"))
    session.register("t", pa.table(columns))
    return session.query(f"table t | parse overlay=t {name} | sort n").rows()


def test_every_parser_is_in_a_table() -> None:
    assert {s.name for s in SPECS} == TIMELESS.keys() | TIMED.keys() | OTHERS


@pytest.mark.parametrize("name", sorted(TIMELESS))
def test_a_line_without_a_time_takes_that_of_its_head_or_of_the_row(session: Session, name: str) -> None:
    text, field, value = TIMELESS[name]
    rows = parsed(session, name, [text, *(head + text for head in HEADS)])
    assert [(row["_time"], row[field]) for row in rows] == [(at or OWN, value) for at in [None, *HEADS.values()]]
    rows = parsed(session, name, [text, *(head + text for head in HEADS if HEADS[head])][:1], None)
    assert [(row["_time"], row[field]) for row in rows] == [(None, value)]


@pytest.mark.parametrize("name", sorted(TIMED))
def test_a_line_with_a_time_is_read_behind_a_head_too(session: Session, name: str) -> None:
    text, field, value = TIMED[name]
    rows = parsed(session, name, [text, *(head + text for head in HEADS)])
    assert [(row["_time"], row[field]) for row in rows] == [(TIMED_AT, value)] * (1 + len(HEADS))


@pytest.mark.parametrize("spec", [s for s in SPECS if s.name != "csv"], ids=lambda s: s.name)
def test_what_is_not_of_the_format_keeps_the_time_of_the_row(session: Session, spec: ParserSpec) -> None:
    lines = ["no such format", "", None, "<34>", "<34>1 ", "<999>Oct 11 22:14:15 h su: x"]
    for own in (OWN, None):
        rows = parsed(session, spec.name, lines, own)
        assert [(row["_time"], row["line"]) for row in rows] == [(own, line) for line in lines]


def test_a_field_named_time_is_a_time_of_the_line(session: Session) -> None:
    stamp = "2000-10-11 14:32:52+00"
    assert parsed(session, "json", [f'{{"_time": "{stamp}"}}', '{"_time": 5}'])[0]["_time"] == TIMED_AT
    assert parsed(session, "kv", [f'_time="{stamp}" a=1', "_time=x"])[1]["_time"] == OWN


def test_a_bracket_between_quotes_ends_no_element(session: Session) -> None:
    """live.md, section 2: structured data by its grammar, text in square brackets behind it belongs to the message."""
    line = '<165>1 2003-10-11T22:14:15.003Z h evntslog - ID47 [ex@32473 iut="3" e="a\\"]b"][meta x="1"] [not sd] text'
    row = parsed(session, "syslog5424", [line])[0]
    assert row["structured_data"] == '[ex@32473 iut="3" e="a\\"]b"][meta x="1"]'
    assert row["message"] == "[not sd] text"
