"""Operators, clauses, options and spans of other languages: what the error says, and that it is the same there."""

from __future__ import annotations

import duckdb
import pytest

import logsql
from docs.bridges import bridges_page
from logsql.diagnostics.bridges import SOURCE, TABLE
from logsql.diagnostics.bridges.constructs import AGGREGATES, ASSIGNMENTS, CONSTRUCTS, Construct
from logsql.diagnostics.bridges.options import OPTIONS, ForeignOption

ALL = (*CONSTRUCTS, *ASSIGNMENTS, *AGGREGATES)
PLACES = [*((row, "eval x = {}") for row in CONSTRUCTS), *((row, "eval {}") for row in ASSIGNMENTS)]
PLACES += [(row, "stats {}") for row in AGGREGATES]


def help_of(query: str) -> str | None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query(f'json "[{{a:1}}]" | {query}').rows()
    return caught.value.help


@pytest.mark.parametrize(("row", "place"), PLACES, ids=[row.written for row, _ in PLACES])
def test_the_error_of_a_construct_says_its_form(row: Construct, place: str) -> None:
    assert help_of(place.format(row.written)) == f"use {row.says}"


def test_a_form_gives_what_the_construct_gives_in_sql() -> None:
    """DuckDB's own SQL is the independent tool."""
    with duckdb.connect() as peer, logsql.connect(tz="UTC") as session:
        peer.execute("SET timezone = 'UTC'")
        peer.execute(TABLE)
        session.sql(TABLE).rows()
        for row in (*CONSTRUCTS, *AGGREGATES):
            if row.value is None or "now()" in row.value.lower():
                continue
            wanted = [{"x": value} for (value,) in peer.execute(f"SELECT {row.value} AS x FROM web").fetchall()]
            form = f"eval x = {row.says} | fields x" if row in CONSTRUCTS else f"stats {row.says} as x"
            found = session.query(f"{SOURCE} | {form}").rows()
            if row.value.startswith("NOT ") or " NOT " in row.value:  # null is no text here, and not(null) is true
                wanted = [{"x": bool(one["x"])} for one in wanted]
            assert [str(one["x"]) for one in found] == [str(one["x"]) for one in wanted], row.written


@pytest.mark.parametrize("row", OPTIONS, ids=[row.example for row in OPTIONS])
def test_the_error_of_an_option_says_its_form(row: ForeignOption) -> None:
    with logsql.connect() as session, pytest.raises(logsql.LogsqlError) as caught:
        session.query(row.example if row.example.startswith("table") else f'json "[{{a:1}}]" | {row.example}').rows()
    assert caught.value.help == row.says


@pytest.mark.parametrize(
    ("query", "help"),
    [
        # these had no help, a help of another thing, or one without the user's own words
        ("eval x = (a + b) ** 2", "use pow((a + b), 2)"),
        ("search a > 1 and b is null or c == 2", "use isnull(b)"),
        ("search (a between 1 and 5) and (b == 1)", "use a >= 1 and a <= 5"),
        ('eval x = case a when 1 then "x" when 2 then "y" end', 'use case(a == 1, "x", a == 2, "y")'),
        ('eval x = a == "k" ? 1 : a == "l" ? 2 : 3', 'use if(a == "k", 1, if(a == "l", 2, 3))'),
        ("search a in (200..299)", "use a >= 200 and a <= 299"),
        ("search a in (select b from t)", "use join a [ QUERY ]"),
        ('search a like "%x_1%"', 'use match(a, "^.*x.1.*$")'),
        ("search a =~ /get .*/i", 'use match(a, "(?i)get .*")'),
        ('search NOT "Failed"', 'use not(line == "*Failed*")'),
        ('eval x = a || "-" || b', 'use concat(a, "-", b)'),
        ('search a == "x" || b == "y"', '"||" is two pipes; write "or" for a logical or'),
        ('search isnull(a) || b == "y"', '"||" is two pipes; write "or" for a logical or'),
        ('eval x = {"k": a}', 'use dict("k", a)'),
        ("eval z = 1, a += 2", "use a = a + 2"),
        ("eval a -= b + 1", "use a = a - (b + 1)"),
        ("stats sum(a) where b > 2 by c", "use sum(if(b > 2, a, null))"),
        ("stats count(distinct a)", "use dc(a)"),
        ("timechart span=1h n = sum(a)", "use sum(a) as n"),
        ('rex field=a "(?<d>.)" max_match=3', 'use eval x = groups(FIELD, "REGEX")'),
        ("stats count(eval(a >= 500)) as n", "write if(a >= 500, 1, null)"),
        ("stats count(eval(a=500)) as n", "write if(a == 500, 1, null)"),
        ("stats sum(eval(a*8)) as n", "write a * 8"),
        ("stats sum(eval(if(a > 1, 1, 0)))", "write if((a > 1), 1, 0)"),
        ("select(.a > 1)", "use fields A, B"),
        ("offset 2", "use limit OFFSET COUNT"),
        ("search _time > time()", "use now()"),
        # words and names
        ("timechart span=5min count", "use 5m"),
        ("timechart span=1week count", "use 1w"),
        ("timechart span=PT1H count", "use 1h"),
        ('eval x = datetrunc(now(), "hour")', "use 1h"),
        ('eval x = ago("-24h@h")', "use 24h"),
        ('eval x = dateadd(now(), "minutes", 1)', 'use "min"'),
        ('eval x = dateadd("hour", 1, _time)', 'write dateadd(_time, "hour", 1)'),
        ('eval x = datediff("day", a, b)', 'write datediff(a, b, "day")'),
        ('eval x = datetrunc("1h", a)', 'use datetrunc(a, "1h")'),
        ('search match("x", a)', 'use match(a, "x")'),
        # the whole condition, and not only its operator
        ('search user="kim"', 'use user == "kim"'),
        ('search user = "kim lee" and a = 1', 'use user == "kim lee"'),
        ("search status=404 user=kim", "use status == 404"),
        ("search count=5", "use count == 5"),
        ("search earliest=-24h", 'use search _time >= ago("24h")'),
        ("search lim=5", 'did you mean "limit"?'),
        # calls with another number of arguments
        ('search match(s, "get", "i")', 'write match(s, "(?i)get")'),
        ('search match(s, "get", "g")', 'write match(s, "get")'),
        ('search match(s, "get", a)', "usage: match(text, regex)"),
        ('eval d = date("2024-01-31")', 'write date("2024-01-31", "yyyy-MM-dd")'),
        ('eval d = date("2024-01-31 10:20:30.5")', 'write date("2024-01-31 10:20:30.5", "yyyy-MM-dd HH:mm:ss.SSSSSS")'),
        ("eval d = date(s)", "usage: date(text, pattern, [locale])"),
        ("eval d = if(a > 1, 2)", "write if(a > 1, 2, null)"),
    ],
)
def test_what_is_typed_is_answered_with_the_form_here(query: str, help: str) -> None:
    assert help_of(query) == help


@pytest.mark.parametrize(
    ("query", "codes", "help"),
    [
        ('search now() > "2024-01-01"', ["N1201"], 'write now() > date("2024-01-01", "yyyy-MM-dd")'),
        ('search t > "-24h@h"', ["N1201"], 'write t > ago("24h")'),
        ("search 1 < a < 5", ["N1201"], "write 1 < a and a < 5"),
        ("eval x = now() - 1h", ["N1210", "N1001"], 'write ago("1h")'),
        ("eval x = t - 5min", ["N1210", "N1001"], 'write dateadd(t, "min", -5)'),
        ("eval x = -24h", ["N1001"], 'write ago("24h") / dateadd(DATE, "hour", 24)'),
        ("eval x = s::int", ["N1001"], "write int(s)"),
        ("eval x = current_timestamp", ["N1001"], "write now()"),
        ("explode s=s", ["N1001"], "write s"),
        ('eval x = datetrunc(t, "1M")', ["N1315"], "write 1m for minutes, 1mon for months"),
        ("eval _time = t | timechart span=2M count", ["N1315"], "write 2m for minutes, 2mon for months"),
        ('search match(s, "/get/i")', ["N1604"], 'write "(?i)get"'),
        ('rex field=s "/(?<v>get)/i"', ["N1604"], 'write "(?i)(?<v>get)"'),
        # patterns of SQL and regular expressions behind ==, where the values at hand are not written so
        ('search s == "get%"', ["N1220"], 'write lower(s) == "get*"'),
        ('search s == "GET%"', ["N1220"], 'write s == "GET*"'),
        ('search s == "GET.*"', ["N1220"], 'write s == "GET*"'),
        ('search s == "^GET"', ["N1220"], 'write s == "GET*"'),
        ('search s == "x$"', ["N1220"], 'write s == "*x"'),
        ('search s != "^GET"', ["N1220"], 'write not(s == "GET*")'),
        ('search s == "POST|GET"', ["N1220"], 'write s == "*POST*" or s == "*GET*"'),
        ('search s == "\\\\w+ x"', ["N1220"], 'write match(s, "\\\\w+ x")'),
        (
            "stats sum(a) as n avg(a) as m",
            ["N1108"],
            "aggregates are separated by commas: stats ... as n, avg(a) as m",
        ),
    ],
)
def test_what_runs_and_means_something_else_is_told(query: str, codes: list[str], help: str) -> None:
    with logsql.connect() as session:
        notes = session.query(f"json \"[{{a:1, s:'GET x'}}]\" | eval t = now() | {query}").notes
    assert [note.code for note in notes] == codes
    assert notes[0].help == help


@pytest.mark.parametrize(
    "query",
    [
        'search now() > ago("1h")',
        'search now() > date("2024-01-01", "yyyy-MM-dd")',
        'eval x = datetrunc(t, "1m")',
        'eval x = datetrunc(t, "1H")',
        'search match(s, "/a/b/")',
        'search match(s, "/img/icon")',
        'stats sum(a) as "total (all)"',
        "search a < 5 and 1 < a",
    ],
)
def test_a_right_query_is_silent(query: str) -> None:
    with logsql.connect() as session:
        assert session.query(f"json \"[{{a:1, s:'GET x'}}]\" | eval t = now() | {query}").notes == ()


def test_the_page_lists_every_construct_and_option() -> None:
    page = bridges_page()
    assert [row.written for row in ALL if row.written.replace("|", "\\|") not in page] == []
    assert [row.example for row in OPTIONS if row.example not in page] == []
