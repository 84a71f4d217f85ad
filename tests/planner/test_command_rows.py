"""Rows of the filter, shape, statistics and join commands where the rules of language.md 5, 7 and 8 leave no choice.

Each case is a query without outside data and the rows (in order) that the text of the specification gives for it.
"""

from __future__ import annotations

from typing import Any

import pytest

from logsql.diagnostics.errors import QueryError
from tests.compare import rows_equal
from tests.run_case import run

Row = dict[str, Any]

OPEN = (
    'json "[{line:\'{\\"k\\":1,\\"x\\":\\"a\\"}\'},{line:\'{\\"k\\":2.0,\\"y\\":[1]}\'},{line:\'{\\"k\\":null}\'}]" '
    "| parsejson "
)
LEFT = "json \"[{a:1,c:'i'},{a:2,c:null},{a:null,c:'n'}]\" "
RIGHT = "json \"[{a:2,c:'s'},{a:null,c:'t'},{a:9}]\""

CASES: dict[str, tuple[str, list[Row]]] = {
    # search, limit, fields, order, rename
    "search keeps what is no boolean": ('json "[{a:0},{a:null}]" | search a', [{"a": 0}]),
    "search limit": ('json "[{a:1},{a:2},{a:3}]" | search limit=1 a > 1', [{"a": 2}]),
    "search limit alone": ('json "[{a:1},{a:2}]" | search limit=1', [{"a": 1}]),
    "limit skips": ('json "[{a:1},{a:2},{a:3}]" | limit 1 1', [{"a": 2}]),
    "fields unknown is null": ('json "{a:1}" | fields z, a, z | eval n = isnull(z)', [{"z": None, "a": 1, "n": True}]),
    "fields of an open row": (OPEN + "| fields y, k | limit 1", [{"y": None, "k": 1}]),
    "fields minus then union reads the other side": (
        OPEN + "| limit 1 | fields - x | union [ " + OPEN + "| limit 1 ] | fields k, x",
        [{"k": 1, "x": None}, {"k": 1, "x": "a"}],
    ),
    "names differ in case only": ('json "{a:1,A:2}" | eval s = a + A | rename a as b', [{"b": 1, "A": 2, "s": 3}]),
    "rename keeps the older value of a null": (
        'json "[{b:2,x:0,a:1},{a:null,b:5}]" | rename a as b',
        [{"x": 0, "b": 1}, {"x": None, "b": 5}],
    ),
    "rename runs left to right": ('json "{a:1}" | rename a as b, b as c', [{"c": 1}]),
    "rename in an open row": (OPEN + "| rename k as z | fields z, k | limit 1", [{"z": 1, "k": None}]),
    # sort
    "sort of mixed values": (
        "json \"[{a:1},{a:'1'},{a:null},{a:true},{a:[1]}]\" | sort a",
        [{"a": None}, {"a": True}, {"a": 1}, {"a": "1"}, {"a": [1]}],
    ),
    "sort of mixed values, descending": (
        "json \"[{a:1},{a:'1'},{a:null},{a:true}]\" | sort -a",
        [{"a": "1"}, {"a": 1}, {"a": True}, {"a": None}],
    ),
    "sort is stable": (
        "json \"[{a:'b',n:1},{a:'A',n:2},{a:'a',n:3},{a:'B',n:4}]\" | sort a | fields n",
        [{"n": 2}, {"n": 3}, {"n": 1}, {"n": 4}],
    ),
    "sort by a field of an open row": (OPEN + "| sort -k | fields k", [{"k": 2.0}, {"k": 1}, {"k": None}]),
    "sort, then first": ('json "[{a:1},{a:2}]" | sort -a | stats first(a) as f, last(a) as l', [{"f": 2, "l": 1}]),
    # explode, prev, repeat, tojson
    "explode": (
        "json \"[{a:[1,[2]]},{a:[]},{a:null},{a:'s'}]\" | explode a",
        [{"a": 1}, {"a": [2]}, {"a": None}, {"a": "s"}],
    ),
    "explode after sort, then prev": (
        'json "[{l:[1,2],b:1},{l:[3],b:0}]" | sort b | explode l | prev l | fields l, prev_l',
        [{"l": 3, "prev_l": None}, {"l": 1, "prev_l": 3}, {"l": 2, "prev_l": 1}],
    ),
    "explode of a list in an open row": (OPEN + "| explode y | fields k, y", [{"k": 1}, {"k": 2.0, "y": 1}, {}]),
    "prev reads values before the command": (
        'json "[{a:1},{a:2}]" | eval prev_a = 7 | prev a, prev_a | fields prev_a, prev_prev_a',
        [{"prev_a": None, "prev_prev_a": None}, {"prev_a": 1, "prev_prev_a": 7}],
    ),
    "repeat zero times": ('json "{}" | repeat count=0 | stats count', [{"count": 0}]),
    "tojson writes what is not null": (
        'json "[{a:1,d:{x:[1]}},{a:null}]" | tojson | fields _json',
        [{"_json": '{"a":1,"d":{"x":[1]}}'}, {"_json": "{}"}],
    ),
    "tojson of listed fields": ('json "{a:1}" | tojson output=j a, z | fields j', [{"j": '{"a":1,"z":null}'}]),
    "tojson of an open row": (
        'json "[{line:\'{\\"a\\":1,\\"n\\":null,\\"o\\":{\\"p\\":1}}\'}]" | parsejson | eval z = 1 | fields - a '
        "| tojson | fields _json",
        [{"_json": '{"z":1,"o":{"p":1}}'}],
    ),
    # stats
    "stats over no rows": (
        'json "{a:1}" | search a > 5 | stats count, count(a) as n, sum(a) as s, max(a) as m',
        [{"count": 0, "n": 0, "s": None, "m": None}],
    ),
    "stats by over no rows": ('json "{a:1}" | search a > 5 | stats count by a', []),
    "stats by unknown over no rows": ('json "{a:1}" | search a > 5 | stats count by zz', []),
    "stats by unknown": ('json "[{a:1},{a:2}]" | stats count by zz', [{"zz": None, "count": 2}]),
    "stats keys are exact": (
        "json \"[{a:1},{a:'1'},{a:1.0},{a:null},{a:'x'},{a:'X'}]\" | stats count by a | stats count as groups",
        [{"groups": 5}],
    ),
    "stats by a field of an open row": (
        OPEN + "| union [ " + OPEN + "| fields k ] | stats count by k",
        [{"k": None, "count": 2}, {"k": 1, "count": 2}, {"k": 2, "count": 2}],
    ),
    "stats order ignores case, null first": (
        "json \"[{s:'b'},{s:'A'},{s:null},{s:'C'}]\" | stats count by s | fields s",
        [{"s": None}, {"s": "A"}, {"s": "b"}, {"s": "C"}],
    ),
    "last follows rows ordered by a null": (
        'json "[{a:null,n:1}]" | stats max(n) as m by a | stats last(m) as l',
        [{"l": 1}],
    ),
    "distinct count beside a mixed key": (
        'json "{a:404}" | cube label=TOTAL count by a | stats dc(count) as d by a',
        [{"a": 404, "d": 1}, {"a": "TOTAL", "d": 1}],
    ),
    "canonical names": ('json "{a:1}" | stats c, sum(a + 1)', [{"count": 1, "sum((a + 1))": 2}]),
    # pivot, timechart, rollup, boxplot
    "pivot without rows": ("json \"[{b:'x'},{b:null},{b:'x'}]\" | pivot count cols b", [{"null": 1, "x": 2}]),
    "pivot of numbers sorts by value": ('json "[{b:22},{b:3}]" | pivot count cols b', [{"3": 1, "22": 1}]),
    "pivot keeps values with one text apart": (
        "json \"[{b:null},{b:'null'},{b:'null'}]\" | pivot count cols b",
        [{"null": 1, "null (2)": 2}],
    ),
    "pivot never hides a row field": (
        "json \"[{a:1,b:'a'}]\" | pivot count rows a cols b",
        [{"a": 1, "a_": 1}],
    ),
    "columns of a pivot are fields": (
        "json \"[{a:1,b:'x'},{a:2,b:'y'}]\" | pivot count rows a cols b | search isnull(x) "
        "| eval n = y + 1 | fields a, n",
        [{"a": 2, "n": 2}],
    ),
    "timechart leaves out what is no date": ("json \"[{_time:'2024'}]\" | timechart count", []),
    "rollup tells nulls from totals": (
        'json "[{a:1},{a:null}]" | rollup label=all count by a',
        [{"a": None, "count": 1}, {"a": 1, "count": 1}, {"a": "all", "count": 2}],
    ),
    "boxplot": (
        'json "[{v:5},{v:1},{v:8},{v:3},{v:2},{v:7},{v:4},{v:6},{v:null}]" | boxplot v',
        [{"min": 1, "iqr1": 3, "iqr2": 5, "iqr3": 7, "max": 8, "count": 8}],
    ),
    "boxplot of nothing": ('json "{a:1}" | boxplot zz', []),
    # join
    "inner": (LEFT + "| join a [ " + RIGHT + " ]", [{"a": 2, "c": "s"}]),
    "left": (
        LEFT + "| join type=left a [ " + RIGHT + " ]",
        [{"a": 1, "c": "i"}, {"a": 2, "c": "s"}, {"a": None, "c": "n"}],
    ),
    "leftonly": (LEFT + "| join type=leftonly a [ " + RIGHT + " ]", [{"a": 1, "c": "i"}, {"a": None, "c": "n"}]),
    "rightonly": (LEFT + "| join type=rightonly a [ " + RIGHT + " ]", [{"a": None, "c": "t"}, {"a": 9, "c": None}]),
    "right: the input wins": (
        "json \"[{a:2,c:'i'}]\" | join type=right a [ " + RIGHT + " ]",
        [{"a": 2, "c": "i"}, {"a": None, "c": "t"}, {"a": 9, "c": None}],
    ),
    "full": (
        LEFT + "| join type=full a [ " + RIGHT + " ]",
        [{"a": 1, "c": "i"}, {"a": 2, "c": "s"}, {"a": None, "c": "n"}, {"a": None, "c": "t"}, {"a": 9, "c": None}],
    ),
    "cross": (
        'json "[{a:1},{a:2}]" | join type=cross [ json "[{b:1},{b:2}]" ]',
        [{"a": 1, "b": 1}, {"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": 2, "b": 2}],
    ),
    "a null of the subquery keeps the input's value": (
        'json "{a:1,c:\'in\'}" | join a [ json "{a:1,c:null}" ]',
        [{"a": 1, "c": "in"}],
    ),
    "text never equals a number": ('json "{a:1}" | join a [ json "{a:\'1\'}" ]', []),
    "keys keep their case": ("json \"{a:'x'}\" | join a [ json \"{a:'X'}\" ]", []),
    "1 equals 1.0": ('json "{a:1}" | join a [ json "{a:1.0,b:2}" ] | fields b', [{"b": 2}]),
    "join of open rows": (
        OPEN + '| join k [ json "[{k:1,z:10},{k:2,z:20}]" ] | fields k, x, y, z',
        [{"k": 1, "x": "a", "z": 10}, {"k": 2, "y": [1], "z": 20}],
    ),
    "open fields of the subquery win": (
        "json \"{k:1,x:'in',w:3}\" | join k [ " + OPEN + "] | fields k, x, w",
        [{"k": 1, "x": "a", "w": 3}],
    ),
    # union, parameters
    "union types stay per value": (
        'json "{a:1}" | union [ json "{a:\'s\',b:true}" ] | eval t = typeof(a)',
        [{"a": 1, "b": None, "t": "int"}, {"a": "s", "b": True, "t": "string"}],
    ),
    "union first": ('union [ json "{a:1}" ] | stats count', [{"count": 1}]),
    "a parameter keeps its type": (
        'set i = ip("1.2.3.4"), l = array(1, 2) | json "{}" | eval t = typeof($("i")), n = len($("l"))',
        [{"t": "ipv4", "n": 2}],
    ),
    "setq reads an open row": (
        'setq [ json "[{line:\'{\\"p\\":\\"q\\"}\'}]" | parsejson ] | json "{}" | eval p = $("p")',
        [{"p": "q"}],
    ),
    "setq runs first": ('json "{}" | eval p = $("a") | setq [ json "{a:1}" ]', [{"p": 1}]),
    "a subquery keeps its parameters": (
        'set x = 1 | json "{}" | union [ set x = 2 | json "{}" ] | eval p = $("x")',
        [{"p": 1}, {"p": 1}],
    ),
    # evalc
    "running sum without a start stays null": (
        'json "[{a:5},{a:1}]" | evalc s = $("s") + a | eval s = $("s") | fields s',
        [{"s": None}, {"s": None}],
    ),
    "running sum from a parameter": (
        'set s = 10 | json "[{a:5},{a:null},{a:1}]" | evalc s = $("s") + a | eval s = $("s") | fields s',
        [{"s": 15}, {"s": None}, {"s": None}],
    ),
    "extreme": (
        'json "[{a:1},{a:null},{a:5},{a:3}]" | evalc m = max($("m"), a) | eval m = $("m") | fields m',
        [{"m": 1}, {"m": 1}, {"m": 5}, {"m": 5}],
    ),
    "last value": (
        'json "[{a:null},{a:1},{a:null}]" | evalc v = nvl(a, $("v")) | eval v = $("v") | fields v',
        [{"v": None}, {"v": 1}, {"v": 1}],
    ),
    "any expression": (
        'json "[{a:\'x\'},{a:3}]" | evalc s = concat(nvl($("s"), ""), a) | eval s = $("s") | fields s',
        [{"s": "x"}, {"s": "x3"}],
    ),
    "the state before the row": (
        'json "[{a:1},{a:2}]" | eval p = $("k") | evalc k = nvl(p, 0) + a | eval k = $("k")',
        [{"a": 1, "p": None, "k": 1}, {"a": 2, "p": 1, "k": 3}],
    ),
    "a filter on the state before the row": (
        'json "[{a:1},{a:1},{a:2},{a:1}]" | search isnull($("k")) or $("k") != a | evalc k = a',
        [{"a": 1}, {"a": 2}, {"a": 1}],
    ),
    "the last state after the rows": (
        'json "[{a:1},{a:2}]" | evalc s = nvl($("s"), 0) + a | stats count | eval s = $("s")',
        [{"count": 2, "s": 3}],
    ),
    "states that read each other": (
        'json "[{v:7},{v:7},{v:8}]" | eval b = $("k") | evalc k = v, r = nvl($("r"), 0) + if(v == b, 0, 1) '
        '| eval r = $("r") | fields r',
        [{"r": 1}, {"r": 1}, {"r": 2}],
    ),
    # commands without a trace
    "serial and parallel": (
        'json "[{a:1},{a:2}]" | serial [ search a > 1 ] | parallel core=2 [ eval b = a ] | bypass',
        [{"a": 2, "b": 2}],
    ),
    "drop": ('json "{a:1}" | drop | stats count', [{"count": 0}]),
    "split": ('json "{line:\'a,b\'}" | split sep="," x, y, z | fields x, y, z', [{"x": "a", "y": "b", "z": None}]),
}

REFUSED = {
    "output takes the name of a key": ('json "{a:1}" | stats count as a by a', "21704"),
    "output name twice": ('json "{a:1}" | stats sum(a) as x, max(a) as x', "21704"),
    "key twice": ('json "{a:1}" | stats count by a, a', "21704"),
    "boxplot result takes the name of a key": ('json "{count:1}" | boxplot count by count', "21704"),
    "unknown aggregate": ('json "{a:1}" | stats foo(a)', "21702"),
    "too few arguments": ('json "{a:1}" | stats sum()', "21703"),
    "trailing comma of by": ('json "{a:1}" | stats count by a,', "21701"),
    "unknown join type": ('json "{a:1}" | join type=outer a [ json "{}" ]', "90001"),
    "cross with keys": ('json "{a:1}" | join type=cross a [ json "{}" ]', "90001"),
    "join without subquery": ('json "{a:1}" | join a', "no-subquery"),
    "streamjoin type": ('json "{a:1}" | streamjoin type=right a [ json "{}" ]', "23200"),
    "limit 0 of sort": ('json "{a:1}" | sort limit=0 a', "21602"),
    "sort by nothing": ('json "{a:1}" | sort a by', "21601"),
    "three limits": ('json "{a:1}" | limit 1 2 3', "20600"),
    "repeat without count": ('json "{a:1}" | repeat', "missing-count-option"),
    "empty separator": ('json "{a:1}" | split sep="" x', "90772"),
    "a limit reads the state before the row": ('json "{a:1}" | search limit=1 $("k") == 1 | evalc k = a', "20203"),
}


@pytest.mark.parametrize("name", CASES)
def test_rows(name: str) -> None:
    query, expected = CASES[name]
    difference = rows_equal(expected, run(query, {}, "Asia/Seoul"), ordered=True, tz="Asia/Seoul")
    assert difference is None, f"{query}\n{difference}"


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    query, code = REFUSED[name]
    with pytest.raises(QueryError) as caught:
        run(query, {}, "Asia/Seoul")
    assert code in str(caught.value)
    assert caught.value.span is not None


def test_duplicate_names_show_both_places() -> None:
    query = 'json "{a:1}" | stats sum(a) as x, max(a) as x'
    with pytest.raises(QueryError) as caught:
        run(query, {}, "UTC")
    span = caught.value.span
    assert span is not None
    assert query[span.start : span.end] == "x"
    assert span.start == query.rindex("x")
    assert str(query.index(" as x") + 5) in caught.value.notes[0]
