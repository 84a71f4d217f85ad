"""What a run loses is in its ledger: each kind once, with the right number, and nothing where nothing was lost."""

from __future__ import annotations

import ast
import gzip
import math
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql import Session
from logsql.conversation.outcome import remarks
from logsql.diagnostics.losses import LOSSES
from logsql.diagnostics.messages import LANGUAGE
from logsql.diagnostics.reasons import loss_row
from logsql.engine.ledger import Entry, Ledger
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.spec import COMMANDS
from logsql.registry import GRAMMAR
from tests.support import ROOT, sample

#: what is in ``TABLES`` -> rows
TEXTS = [{"a": "1"}, {"a": "x"}, {"a": None}, {"a": "7"}]
TABLES = {
    "texts": TEXTS,
    "days": [{"t": "2024-01-01", "b": 1}, {"t": "x", "b": 2}, {"t": None, "b": 3}, {"t": "2024-01-02", "b": None}],
    "big": [{"a": 9223372036854775807, "b": 1}, {"a": 1, "b": 1}, {"a": None, "b": 2}],
    "docs": [{"line": "{broken"}, {"line": '{"a":1}'}, {"line": ""}, {"line": None}, {"line": "<e><a>1</a></e>"}],
    "micros": [{"a": 1534860261221373}, {"a": 1557514248379911176}, {"a": 1386104400}, {"a": None}],
    "lists": [{"a": ["x", "1"]}, {"a": ["y"]}, {"a": None}],
    "empties": [{"a": ""}, {"a": "1"}, {"a": None}],
    "keyed": [{"k": 1, "a": "x"}, {"k": 1, "a": "y"}, {"k": 2, "a": "z"}],
}
#: Of several types: two values that are no numbers, the smallest long, a number beyond the longs, an empty text.
MIXED = """json "[{a:'x'},{a:1},{a:null},{a:[1]},{a:-9223372036854775808},{a:1e300},{a:''}]" """
#: A field of numbers and texts.
PARSEJSON = "parsejson field=line"
BESIDE = "json \"[{b:10},{b:'9'},{b:'x'},{}]\" "
#: query -> (source, reason, count) of each entry, and why
KINDS: list[tuple[str, list[tuple[str, str, int]], str]] = [
    ("table texts | eval b = int(a)", [("int(a)", "not-converted", 1)], "H8: text that is no integer"),
    ("table texts | search long(a) > 0", [("long(a)", "not-converted", 1)], "in a condition too"),
    ("table texts | stats sum(double(a))", [("double(a)", "not-converted", 1)], "in an aggregate too"),
    ("table texts | eval b = int(a) | eval c = int(a) + 1", [("int(a)", "not-converted", 1)], "written twice"),
    ("table texts | eval b = int(a), c = int(a) + 1 | search int(a) > 9", [("int(a)", "not-converted", 1)], "thrice"),
    ("table texts | eval b = if(int(a) > 1, int(a), 0)", [("int(a)", "not-converted", 1)], "a branch and its test"),
    (
        'table texts | eval b = if(a == "x", int(a), 0), c = if(a != "x", int(a), 1)',
        [("int(a)", "not-converted", 1)],
        "branches that share the rows",
    ),
    (
        'table texts | eval b = int(a), a = "y" | eval c = int(a)',
        [("int(a)", "not-converted", 5)],
        "another field of that name is another value",
    ),
    (
        "table texts | eval b = int(a) | union [ table texts | eval b = int(a) ]",
        [("int(a)", "not-converted", 2)],
        "rows that are read twice on purpose",
    ),
    ("json \"[{a:''},{a:'1'}]\" | eval b = int(a), c = a * 2 | stats sum(b), avg(c)", [], "an empty cell is empty"),
    (
        'table texts | eval b = if(a == "x", -int(a) + abs(int(a)), 0)',
        [("int(a)", "not-converted", 1)],
        "in a branch, under what the engine evaluates in TRY, written twice",
    ),
    (
        'table texts | eval b = case(a == "1", 1, a == "x", decode(fromhex(a)), "-")',
        [("decode(fromhex(a))", "not-converted", 1)],
        "only where the branch is taken",
    ),
    ('table texts | eval b = if(a == "x", a * 2 + a, 0)', [("a", "text-not-a-number", 1)], "text in a branch, twice"),
    ('table texts | eval b = if(int(a) > 1, 1, "no")', [("int(a)", "not-converted", 1)], "a test of two types"),
    (
        "table lists | eval b = foreach(int(_1) + int(_1), a)",
        [("int(_1)", "not-converted", 2)],
        "an item is lost once, not at each place that reads it",
    ),
    ("table lists | eval b = foreach(_1 * 2, a)", [("_1", "text-not-a-number", 2)], "and once in arithmetic"),
    (
        'table lists | eval b = foreach(if(_1 == "x", -int(_1), 0), a)',
        [("int(_1)", "not-converted", 1)],
        "a branch inside foreach",
    ),
    (
        "table texts | eval b = -a, c = abs(a)",
        [("-a", "text-not-a-number", 3), ("abs(a)", "text-not-a-number", 3)],
        "functions of numbers are null for text",
    ),
    (MIXED + "| eval b = -a", [("-a", "beyond-64-bits", 1), ("-a", "text-not-a-number", 2)], "of any type"),
    (MIXED + "| eval b = abs(a)", [("abs(a)", "beyond-64-bits", 1), ("abs(a)", "text-not-a-number", 2)], "parts"),
    (
        MIXED + "| eval b = mod(a, 3)",
        [("mod(a, 3)", "not-an-integer", 1), ("mod(a, 3)", "text-not-a-number", 2)],
        "nothing overflows; 1e300 is no integer",
    ),
    (MIXED + "| eval b = mod(7, a)", [("mod(7, a)", "not-an-integer", 1), ("mod(7, a)", "text-not-a-number", 2)], ""),
    ('json "[{a:0},{a:2}]" | eval b = mod(7, a), c = 7 / a', [], "division by zero is null by definition"),
    ('json "[{a:true},{a:[1]},{a:2}]" | eval b = a + 1', [("a", "text-not-a-number", 2)], "neither text nor number"),
    ('json "[{a:1},{a:null}]" | eval b = isnull(a), c = b + 1', [("(b + 1)", "text-not-a-number", 2)], "a flag"),
    (MIXED + "| eval b = nvl(abs(a), 0)", [], "nvl() asks whether it is null"),
    (
        MIXED + "| eval b = floor(double(a) * 4)",
        [("double(a)", "not-converted", 2), ("floor((double(a) * 4))", "beyond-64-bits", 2)],
        "-3.7e19 and 4e300 are no longs",
    ),
    ("table big | stats range(a)", [], "the distance fits"),
    (
        'json "[{a:9223372036854775807},{a:-5}]" | eval a = long(a) | stats range(a)',
        [("range(a)", "beyond-64-bits", 1)],
        "the distance does not",
    ),
    ('json "[{a:9223372036854775807},{a:-5}]" | stats range(a)', [("range(a)", "beyond-64-bits", 1)], "of any type"),
    ('json "[{a:9223372036854775807},{a:5}]" | stats sum(a)', [("sum(a)", "beyond-64-bits", 1)], "of any type"),
    ("table empties | eval b = int(a) | stats sum(b), sum(a)", [("sum(a)", "text-not-a-number", 1)], "of CSV"),
    ("table texts | eval b = int(double(a)) + 1", [("int(double(a))", "not-converted", 1)], "one value is lost once"),
    ("table texts | eval b = abs(int(a))", [("int(a)", "not-converted", 1)], "a function reads its argument twice"),
    ("table texts | search int(a) != 3", [("int(a)", "not-converted", 1)], "!= reads its operand twice"),
    ('table texts | eval b = int(array(a, "q"))', [('int(array(a, "q"))', "not-converted", 5)], "items of a list"),
    ('json "{}" | eval b = int("abc"), c = int("3")', [('int("abc")', "not-converted", 1)], "a constant"),
    ('table days | eval d = date(t, "yyyy-MM-dd")', [('date(t, "yyyy-MM-dd")', "not-converted", 1)], "H8: dates"),
    ("table texts | eval b = nvl(int(a), 0), c = isnull(ip(a)), d = if(isnotnull(int(a)), int(a), 0)", [], "tests"),
    ('table texts | eval b = if(a == "x", 0, int(a)), c = case(a == "x", 0, true, int(a) + 1)', [], "no branch taken"),
    ('table texts | search a != "x" and int(a) > 1', [], "the row is gone before"),
    ("table texts | eval b = a * 2", [("a", "text-not-a-number", 1)], "decisions.md 3"),
    ("json \"[{a:1},{a:'x'},{}]\" | eval b = a * 2", [("a", "text-not-a-number", 1)], "a mixed field too"),
    ("table big | eval c = a + b - 1", [("((a + b) - 1)", "beyond-64-bits", 1)], "H8: the whole term once"),
    ("table big | eval c = a * 2 / 3", [("(a * 2)", "beyond-64-bits", 1)], "whole numbers inside a quotient"),
    ("table big | stats sum(a)", [("sum(a)", "beyond-64-bits", 1)], "H8: a sum"),
    ("table big | eval c = a - b, d = a * 1.5", [], "what fits"),
    ("table texts | stats sum(a)", [("sum(a)", "text-not-a-number", 3)], "H8: text, numeric text too"),
    ("table keyed | rollup avg(a) by k", [("avg(a)", "text-not-a-number", 3)], "totals count nothing again"),
    ("table keyed | cube sum(a) by k, a", [("sum(a)", "text-not-a-number", 3)], "nor do those of a cube"),
    ("json \"[{b:10},{b:'20'},{b:30.5}]\" | stats median(b)", [("median(b)", "text-not-a-number", 1)], "H8: mixed"),
    ("json \"[{b:10},{b:'20'},{b:30.5}]\" | stats max(b)", [("max(b)", "text-among-numbers", 1)], "text is largest"),
    (BESIDE + "| search b > 15", [("b > 15", "number-against-text", 2)], "language.md 3.3: text is above every number"),
    (BESIDE + "| search 15 < b", [("15 < b", "number-against-text", 2)], "the field on the other side"),
    (BESIDE + "| search b < 15", [("b < 15", "number-against-text", 1)], "a word is no number, and rightly left out"),
    (BESIDE + "| search b == 9", [("b == 9", "number-against-text", 1)], "9 is asked for and is there as text"),
    (BESIDE + "| search b == 8", [], "no text reads as 8"),
    (BESIDE + "| search in(b, 9, 10)", [("in(b, 9, 10)", "number-against-text", 1)], "as == does"),
    (BESIDE + '| search in(b, 9, "9")', [], "both are asked for"),
    (BESIDE + '| search b > "5"', [('b > "5"', "number-against-text", 1)], "no number is above a text"),
    (BESIDE + "| search isnum(b) and b > 5", [], "the numbers are meant"),
    (BESIDE + "| eval c = if(isnum(b), b > 5, false)", [], "the numbers are meant here too"),
    (BESIDE + "| search double(b) > 15", [("double(b)", "not-converted", 1)], "the help"),
    (BESIDE + "| sort -b", [("sort b", "text-sorted-among-numbers", 1)], "9 stands above 10"),
    (BESIDE + "| sort limit=1 b", [("sort b", "text-sorted-among-numbers", 1)], "and with a limit"),
    ("json \"[{m:{b:'10'}},{m:{b:'9'}}]\" | sort m.b", [], "no number among them"),
    ("json \"[{line:'hello world'},{}]\" | parsekv", [("parsekv field=line", "no-pair", 0)], "flags alone"),
    ("json \"[{line:'hello world'},{line:'a=1'}]\" | parsekv", [], "a pair in some row"),
    ("json \"[{line:'a= b='}]\" | parsekv", [("parsekv field=line", "no-pair", 0)], "a value in no row"),
    ("json \"[{line:'=1 b=2'}]\" | parsekv", [], "a key without a name, and one with"),
    ("json \"{line:'{z:1}'}\" | parsejson | parsekv field=x", [("parsekv field=x", "nothing-to-search", 0)], "no text"),
    ("json \"[{line:'a;b'},{line:'c'}]\" | parsecsv x, y", [("parsecsv field=line", "one-cell", 0)], "no comma"),
    ("json \"[{line:'a;b'},{line:'c,d'}]\" | parsecsv", [], "a comma in some row"),
    ('json "[{line:\'\\"a b\\"\'}]" | parsecsv x', [], "one name: the quotes are to go"),
    ('json "{line:\'a;b\'}" | split sep="|" x, y', [("split field=line", "no-separator", 0)], "no | in any row"),
    ('json "{line:\'a;b\'}" | split sep=";" x, y', [], "in every row"),
    ('json "{line:\'a;b\'}" | parse "q=*&" as q', [("parse field=line", "no-anchor", 0)], "in no row"),
    ('json "{line:\'x q=1&\'}" | parse "q=*&" as q', [], "in every row"),
    ("json \"{line:'{z:1}'}\" | parsejson | parsemap field=z", [("parsemap field=z", "no-map", 0)], "a number"),
    (
        "json \"[{line:'5'},{line:'{a:1}'},{line:'[1]'}]\" | parsejson",
        [("parsejson field=line", "json-without-fields", 1)],
        "a number gives no field",
    ),
    ('json "{a:1,a:2}"', [("json", "repeated-key", 1)], "the value 1 is in no row"),
    ("json \"[{'a':1,b:{c:1,c:2,c:3}}]\"", [("json", "repeated-key", 2)], "inside a map too"),
    ('json "[{a:1},{a:2}]"', [], "each object by itself"),
    ("json \"[{line:'{a:1,a:2}'},{line:'{a:1}'}]\" | parsejson", [(PARSEJSON, "repeated-key", 1)], "the text of it"),
    ("json \"{line:'{m:{c:1,c:2,c:3}}'}\" | parsejson flatten=t", [(PARSEJSON, "repeated-key", 2)], "in a map"),
    ("json \"{line:'[{a:1},{a:2}]'}\" | parsejson", [], "each object by itself"),
    (
        "json \"[{a:'10.0.0.1',b:null},{a:'x',b:8}]\" | eval n = network(a, b)",
        [("network(a, b)", "not-converted", 1)],
        "null of null is no loss",
    ),
    ("json \"[{a:'10.0.0.1'},{a:'x'}]\" | eval n = network(a, null)", [], "null of null is no loss"),
    ("table texts | stats max(a), count(a), values(a), dc(a)", [], "these take text"),
    ("table big | stats sum(b), avg(b), stddev(b)", [], "nulls are not counted"),
    ("table big | timechart count", [("timechart", "row-without-time", 3)], "H8: no _time at all"),
    (
        'table days | eval _time = date(t, "yyyy-MM-dd") | timechart count by b',
        [
            ('date(t, "yyyy-MM-dd")', "not-converted", 1),
            ("timechart", "row-without-time", 2),
            ("timechart by b", "row-without-group", 1),
        ],
        "a row without both is left out once",
    ),
    ("table days | stats count by b", [], "a null group is shown"),
    ("table docs | parsejson", [("parsejson field=line", "text-not-json", 2)], "H8; an empty text is none"),
    ("table docs | parsexml", [("parsexml field=line", "text-not-xml", 2)], "H8"),
    ("table docs | parse apache-access", [("parse httpd", "not-parsed", 3)], "newcomer.md 5"),
    ('json "[1, 2, {a: 1}]"', [("json", "item-not-an-object", 2)], "H8: items that make no row"),
    (
        "table micros | eval d = epoch(a)",
        [
            ("Python", "python-date-beyond-9999", 1),  # of the rows as objects
            ("epoch(a)", "date-beyond-9999", 1),
            ("epoch(a)", "not-converted", 1),
        ],
        "H10: microseconds, nanoseconds",
    ),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as opened:
        for name, rows in TABLES.items():
            opened.register(name, pa.Table.from_pylist(rows))
        yield opened


@pytest.mark.parametrize(("query", "expected", "why"), KINDS, ids=[query for query, _, _ in KINDS])
def test_what_is_lost_is_told(session: Session, query: str, expected: list[tuple[str, str, int]], why: str) -> None:
    result = session.query(query)
    result.rows()
    assert sorted((e.source, e.reason, e.count) for e in result.ledger) == sorted(expected), why


def test_a_plan_that_is_translated_counts_nothing(session: Session) -> None:
    assert "lq_lost" not in session.translate("table texts | eval b = int(a) | timechart sum(b)")


# --- files ------------------------------------------------------------------------------------------------------------


def losses(session: Session, query: str) -> list[tuple[str, int, str]]:
    result = session.query(query)
    result.rows()
    return [(e.reason, e.count, e.place) for e in result.ledger]


def test_quotes_behind_a_backslash_are_told_where_rfc_4180_reads_them_otherwise(
    session: Session, tmp_path: Path
) -> None:
    """H8: a folder of Windows ends its cell; text in quotes of another program does not."""
    path = tmp_path / "x.csv"
    path.write_bytes(b'path,n\r\n"C:\\dir\\",1\r\n"C:\\x",2\r\n"say \\"hi\\", then",3\r\n')
    assert losses(session, f"csvfile {path}") == [("quoting-differs", 1, "line 2")]
    # By RFC 4180 the comma of the third record, behind a backslash and two quotes, stands between cells.
    assert losses(session, f"csvfile strict=t {path}") == [("cells-beyond-header", 1, "line 4")]


def test_columns_beyond_the_default_limit_are_told(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(10_002)) + "\n" + ",".join("1" * 10_002) + "\n")
    assert losses(session, f"csvfile {path} | fields c1") == [("columns-cut", 2, "line 1")]
    assert losses(session, f"csvfile maxcol=5 {path} | fields c1") == []


def test_a_text_that_is_cut_before_it_is_flattened_is_told(session: Session) -> None:
    """decisions.md 15: silent limits do not exist. A text below the cut-off is read whole."""
    rows = [{"line": '{"a": 1, "pad": "' + "x" * 6_000 + '"}'}, {"line": '{"a": {"b": 2}}'}]
    session.register("long", pa.Table.from_pylist(rows))
    assert losses(session, "table long | parsejson flatten=t") == [("json-text-cut", 1, "")]
    assert losses(session, "table long | parsejson flatten=t cutoff=9000") == []
    assert losses(session, "table long | parsejson cutoff=50 lenient=t") == [("json-text-cut", 1, "")]


# --- values in = values out + nulls in + ledger -----------------------------------------------------------------------

AWKWARD = [
    None, "", " ", "0", "-1", "+5", "007", "1.5", "1e3", "1,5", "12x", "9223372036854775807", "9223372036854775808",
    "2147483648", "NaN", "Infinity", "0x10", "한글", "YQ==", "YQ", "*", "ff", "FFF", "10.0.0.1", "192.168.001.1", "::1",
    "2024-01-31", "2024-13-41", "x\0y", "\U0001f600", "true", "null",
]  # fmt: skip
#: conversion -> the call with its further arguments
CALLS = {name: f"{name}(a)" for name, spec in FUNCTIONS.items() if GRAMMAR and spec.loss is not None}
NUMBERS = {name: f"{name}(a)" for name, spec in FUNCTIONS.items() if GRAMMAR and spec.numbers == 1} | {
    "minus": "-a", "mod": "mod(a, 7)", "pow": "pow(a, 2)", "plus": "a + 1", "half": "a / 2",
    "times": "a * 9223372036854775807", "epoch": "epoch(a)", "round to tens": "round(a, -1)",
}  # fmt: skip
CALLS |= {"date": 'date(a, "yyyy-MM-dd")', "network": "network(a, 8)", "decode": 'decode(a, "UTF-8")'}


#: Microseconds of the first and the last date that DuckDB holds, of the years 1, 9999 and 10000, and one before 1970.
FAR_DATES = [-9_223_372_022_400_000_000, 9_223_372_036_854_775_806, -62_135_596_800_000_000, 253_402_300_799_999_999,
             253_402_300_800_000_000, -1]  # fmt: skip


def awkward_tables() -> list[tuple[str, pa.Array]]:
    """Columns of one type each, and texts in every order, over more than one vector."""
    chance = random.Random(38)
    texts = [chance.choice(AWKWARD) for _ in range(5_000)]
    return [
        ("text", pa.array(texts, pa.string())),
        ("long", pa.array([None, 0, -1, 1 << 31, 1 << 62, 253402300800, 167772161], pa.int64())),
        ("double", pa.array([None, 0.0, -1.5, 1e300, -1e300, 1e-320, math.nan, math.inf, -math.inf], pa.float64())),
        ("int", pa.array([None, 0, -(1 << 31), (1 << 31) - 1, 5], pa.int32())),
        ("unsigned", pa.array([None, 0, 1 << 63, (1 << 64) - 1, 5], pa.uint64())),
        ("long edge", pa.array([None, -(1 << 63), (1 << 63) - 1, 7], pa.int64())),
        ("bool", pa.array([None, True, False])),
        ("binary", pa.array([None, b"", b"a", b"\xff\xfe"], pa.binary())),
        ("date", pa.array([None, 0, 10**15, *FAR_DATES], pa.timestamp("us", tz="UTC"))),
    ]


#: What a conversion, a function of numbers and unary minus say of a value that they made null.
REASONS = ("not-converted", "text-not-a-number", "not-an-integer", "beyond-64-bits", "beyond-9999")
#: Dates that Python has no object for are null in its rows, and told.
REASONS += ("python-date-beyond-9999",)


@pytest.mark.parametrize("name", sorted(CALLS | NUMBERS))
def test_values_in_are_values_out_and_nulls_and_losses(name: str) -> None:
    wrong = []
    with logsql.connect(tz="UTC") as own:
        for kind, column in awkward_tables():
            own.register("t", pa.table({"a": column}))
            result = own.query(f"table t | eval b = {(CALLS | NUMBERS)[name]} | fields b")
            found = result.arrow().column("b")
            lost = sum(entry.count for entry in result.ledger if entry.reason in REASONS)
            # Empty text is an empty cell, no loss; some conversions read it.
            void = (given.as_py() == "" for given in column) if kind == "text" else [False] * len(column)
            empty = sum(was and not made.is_valid for was, made in zip(void, found, strict=True))
            if len(column) != (len(found) - found.null_count) + column.null_count + empty + lost:
                wrong.append((kind, found.null_count, column.null_count, empty, lost))
    assert wrong == []


@pytest.mark.parametrize("seed", range(sample(200, 20)))
def test_values_of_documents_are_accounted_for_too(session: Session, seed: int) -> None:
    """A field of several types, in a document and in parts."""
    chance = random.Random(seed)
    values = [None, "x", "12", 5, 2.5, True, [1], {"k": 1}, "2024-01-01", -(1 << 40), -(1 << 63), 1e300]
    rows = [{"a": chance.choice(values)} for _ in range(chance.choice([1, 30, 400]))]
    calls = CALLS | NUMBERS
    name = chance.choice(sorted(calls))
    result = session.query(f"json {logsql_text(rows)} | eval b = {calls[name]}")
    found = result.rows()
    lost = sum(entry.count for entry in result.ledger if entry.reason in REASONS)
    given, made = (sum(row[field] is None for row in found) for field in ("a", "b"))
    assert made == given + lost, name


def logsql_text(rows: list[dict[str, object]]) -> str:
    """Rows as the quoted text of ``json``."""
    import json

    return '"' + json.dumps(rows).replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- reasons ----------------------------------------------------------------------------------------------------------


def written_reasons() -> Iterator[tuple[str, str]]:
    """Every reason that is written where a loss is counted in Python: ``lost(source, "reason", ...)``."""
    for folder in ("logsql", "udfs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "lost" and len(call.args) > 1:
                    if ast.unparse(call.func) in ("stage.lost", "call.lost"):  # these take the row itself
                        continue
                    reason = call.args[1]
                    if isinstance(reason, ast.Constant) and isinstance(reason.value, str):
                        yield f"{path.relative_to(ROOT).as_posix()}:{call.lineno}", reason.value
                    elif isinstance(reason, ast.JoinedStr) and isinstance(reason.values[0], ast.Constant):
                        yield f"{path.relative_to(ROOT).as_posix()}:{call.lineno}", str(reason.values[0].value)


def test_every_reason_has_a_row() -> None:
    assert list(COMMANDS.values()), "rows stand in the files of commands, which are imported when they are asked for"
    found = list(written_reasons())
    assert len(found) > 40
    assert [place for place in found if loss_row(place[1]) is None] == []


def test_the_reasons_of_a_command_are_rows_and_every_row_says_something_in_both_languages() -> None:
    declared = [row for name in GRAMMAR.command_names() for row in COMMANDS[name].ledger]
    assert len(declared) > 40
    assert {row.name for row in declared} <= set(LOSSES)
    assert [
        name for name, row in LOSSES.items() if not row.text.en or not row.text.ko or row.text.en == row.text.ko
    ] == []


def test_a_loss_is_said_in_plain_words_in_the_language_in_force() -> None:
    ledger = Ledger()
    ledger.lost("sum(b)", "text-not-a-number", 2, sample="x")
    ledger.lost("SYSTEM", "dirty-hive", 0, 4)
    sum_, hive = ledger
    assert sum_.told().startswith("2 text-not-a-number in sum(b) (first: 'x'): values that are no numbers")
    assert hive.told().startswith("dirty-hive in SYSTEM (at byte 4): ")
    assert "replay=t" in hive.told()
    assert (hive.fact, sum_.fact) == (True, False)
    token = LANGUAGE.set("ko")
    try:
        assert sum_.told().startswith("sum(b): text-not-a-number 2건 (처음: 'x'): 숫자가 아닌 값")
    finally:
        LANGUAGE.reset(token)
    assert Entry("a", "nobody-defined-this", 1).told() == "1 nobody-defined-this in a"


def test_an_entry_that_counts_nothing_has_no_number_in_the_list() -> None:
    ledger = Ledger()
    ledger.lost("SYSTEM", "log-gap", 0, 512)
    (line,) = ledger.lines()
    assert line.split()[0] == "log-gap"


def test_unsigned_integers_beyond_64_bits_with_a_sign_are_read(session: Session) -> None:
    """They ended long2ip(), ip() and round(x, n) as an error of the engine, and were null in mod()."""
    session.register("big", pa.table({"a": pa.array([(1 << 64) - 1, 1 << 63], pa.uint64()), "d": pa.array([1, 0])}))
    query = "table big | eval b = long2ip(a), c = mod(a, 7), e = ip(a), f = round(a, d) | fields b, c, e, f"
    result = session.query(query)
    assert [tuple(row.values()) for row in result.rows()] == [
        ("255.255.255.255", ((1 << 64) - 1) % 7, None, None),
        ("0.0.0.0", (1 << 63) % 7, None, None),
    ]
    assert {(e.source, e.count) for e in result.ledger} == {("ip(a)", 2), ("long2ip(a)", 2)}


@pytest.mark.parametrize("packed", [False, True])
def test_lines_that_are_no_text_are_told_with_the_number_of_the_first(
    session: Session, tmp_path: Path, packed: bool
) -> None:
    """Behind more than one chunk of the reader, which sees bytes, and over line ends of every kind."""
    files = {
        "textfile": (b"ok\n" * 500_000 + b"bad\xff\nok\nbad\xfe\n" + b"ok\n" * 500_000 + b"\xff", 3, 500_001),
        "jsonfile": (b'{"a":1}\n' * 300_000 + b'{"a":"\xff"}\n' + b'{"a":2}\n', 1, 300_001),
    }
    for command, (data, lost, first) in files.items():
        path = tmp_path / f"{command}{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data, 1) if packed else data)
        assert losses(session, f"{command} {path} | stats count") == [("invalid-utf-8", lost, f"line {first:,}")]
    (tmp_path / "cr.txt").write_bytes(b"ok\rok\rbad\xff\rok\r")
    assert losses(session, f"textfile {tmp_path}/cr.txt") == [("invalid-utf-8", 1, "line 3")]


def test_filetime_zero_is_never_and_no_loss(session: Session) -> None:
    """decisions.md 35: 0 means that nothing ever happened; other times before 1601 are told."""
    rows = "json \"[{x:0},{x:'0'},{x:-100000},{x:132539328000000000}]\""
    result = session.query(f"{rows} | eval d = epoch(floor(long(x) / 10000 - 11644473600000))")
    assert [row["d"] is None for row in result.rows()] == [True, True, True, False]
    assert [(e.reason, e.count) for e in result.ledger] == [("not-converted", 1)]


def test_commands_that_found_nothing_share_a_line() -> None:
    """The query of an article over a few mails told a line for each header that none of them has."""
    assert COMMANDS["rex"], "its rows stand in its file"
    ledger = Ledger()
    ledger.lost("b", "not-converted", 2)
    for number in range(6):
        ledger.came(f"place {number}", 1, "no-match", f"rex {number}")
    said = remarks((), ledger)
    assert len(said) == 2
    assert "no-match in rex 0, rex 1, rex 2 and 3 more: the pattern takes nothing" in said[1]
    assert len(remarks((), ledger, every=True)) == 8, "--loss lists each of them"
    token = LANGUAGE.set("ko")
    try:
        assert "rex 0, rex 1, rex 2 외 3곳: no-match" in remarks((), ledger)[1]
    finally:
        LANGUAGE.reset(token)


@pytest.mark.parametrize("packed", [False, True])
def test_readers_without_a_count_of_lines_tell_the_first_line_too(
    session: Session, tmp_path: Path, packed: bool
) -> None:
    """CSV by each of its three ways, documents and XML, each behind more than a chunk; quoted cells of several lines,
    a line ``sep=``, skipped lines and lone CR count as a text editor shows them."""
    many = sample(300_000, 20_000)
    files = {
        "csvfile even.csv": (b"a,b\n" + b"1,2\n" * many + b"3,\xff\n", many + 2),
        "csvfile ragged.csv": (b"a,b\n" + b"1\n" * many + b"3,\xff\n", many + 2),
        "csvfile exact.csv": (b'a,b\n"x\ny\n",2\n' + b'\\" ,2\n' * many + b"3,\xff\n", many + 5),
        "csvfile lines.csv": (b"a,b\n" + b'"x\ny",2\n' * many + b"3,\xff\n", 2 * many + 2),
        "csvfile sep.csv": (b"sep=;\na;b\n1;2\n3;\xff\n", 4),
        "csvfile skip=2 skip.csv": (b"by hand\n\na,b\n1,\xff\n", 4),
        'csvfile comment="#" comment.csv': (b"#x\na,b\n#y\n1,\xff\n", 4),
        "csvfile cr.csv": (b"a,b\r1,2\r3,\xff\r", 3),
        "jsonfile array.json": (b"[\n" + b'{"a":1},\n' * many + b'{"a":\n"\xff"}\n]', many + 3),
        "jsonfile documents.json": (b'{\n"a":1}\n' * many + b'{\n"a":"\xff"}\n', 2 * many + 2),
        "xmlfile x.xml": (b"<r>\n" + b"<a>1</a>\n" * many + b"<a>\xff</a>\n</r>", many + 2),
    }
    for command, (data, line) in files.items():
        *_, name = command.split()
        path = tmp_path / f"{name}{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(data, 1) if packed else data)
        query = f"{command.removesuffix(name)}{path} | stats count"
        found = [entry for entry in losses(session, query) if entry[0] != "cells-missing"]
        assert found == [("invalid-utf-8", 1, f"line {line:,}")], command
    (tmp_path / "utf16.csv").write_bytes("a,b\n1,2\n".encode("utf-16") + b"\x00\xd8" + "\n".encode("utf-16-le"))
    assert losses(session, f"csvfile {tmp_path}/utf16.csv")[1:] == [("invalid-utf-16-le", 1, "line 3")]


def test_records_of_text_without_a_time_are_told_with_their_first_line(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text("2024-01-01 a\n b\n2024-01-02 c\n# d\n e\n# f\n2024-01-03 g\n")
    query = f'textfile df="yyyy-MM-dd" dp="([0-9-]+)" brex="^[2#]" {path}'
    assert losses(session, query) == [("no-time-found", 2, "line 4")]
    query = f'textfile df="yyyy-MM-dd" dp="([0-9-]+)" {path}'
    assert losses(session, query) == [("no-time-found", 4, "line 2")]
    assert losses(session, query.replace("textfile", "textfile offset=3")) == [("no-time-found", 3, "line 4")]


def test_headers_and_wide_records_are_told_with_their_own_line(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("top\n\na,a\n1,2\n")
    assert losses(session, f"csvfile skip=1 {path}") == [("duplicate-header", 0, "line 3")]
    path.write_text('a,b\n"1\n",2\n' + ",".join("1" * 10_002) + "\n")
    assert losses(session, f"csvfile {path} | fields a") == [("columns-cut", 2, "line 4")]


def test_the_first_row_that_lost_a_value_is_named_where_a_stage_reads_a_file(session: Session, tmp_path: Path) -> None:
    """The line of a text file, the row of a CSV file (a cell may hold lines); nothing where rows of two files meet."""
    text, table = tmp_path / "x.log", tmp_path / "x.csv"
    text.write_text("1\n\n2\nx\n{\n")
    table.write_text('a,b\n1,"1\n"\nx,2\n3,y\nz,\n')
    told = {
        f"textfile {text} | eval b = int(line)": [("not-converted", 2, "line 4")],
        f"textfile offset=3 {text} | eval b = int(line)": [("not-converted", 2, "line 4")],
        f'textfile brex="[12x]" {text} | search line == "x*" | eval b = int(line)': [("not-converted", 1, "line 4")],
        f"textfile {text} | search line != 1 | eval b = int(line)": [("not-converted", 2, "line 4")],
        f"textfile {text} | parsejson": [("text-not-json", 2, "line 4"), ("json-without-fields", 2, "line 1")],
        f"textfile {text} | parsexml": [("text-not-xml", 4, "line 1")],
        f"textfile {text} | parse openssh": [("not-parsed", 4, "line 1")],
        f"csvfile {table} | eval c = b * 2": [("text-not-a-number", 1, "row 3")],
        f"csvfile {table} | stats sum(double(a))": [("not-converted", 2, "row 2")],
        f"csvfile {table} | sort a | eval c = int(a)": [("not-converted", 2, "row 2")],
        f"csvfile {table} | eval c = int(a) | union [ csvfile {table} | eval c = int(a) ]": [("not-converted", 4, "")],
        f"csvfile {table} | eval c = foreach(int(_1), array(a))": [("not-converted", 2, "")],
        f"csvfile {tmp_path}/*.csv | eval c = int(a)": [("not-converted", 2, "row 2")],
    }
    for query, expected in told.items():
        assert sorted(losses(session, query)) == sorted(expected), query
    (tmp_path / "y.csv").write_text("a,b\nq,1\n")
    assert losses(session, f"csvfile {tmp_path}/*.csv | eval c = int(a)") == [("not-converted", 3, "")], "two files"


@pytest.mark.parametrize("seed", range(3))
def test_the_first_row_is_the_first_whichever_thread_finds_it(session: Session, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = [str(i) for i in range(400_000)]
    bad = sorted(chance.sample(range(len(lines)), 9))
    for place in bad:
        lines[place] = f"x{place}"
    path = tmp_path / "x.log"
    path.write_text("\n".join(lines))
    result = session.query(f"textfile {path} | stats sum(int(line))")
    result.rows()
    assert [(e.count, e.place, e.sample) for e in result.ledger] == [(9, f"line {bad[0] + 1:,}", f"x{bad[0]}")]
    assert f"(first at line {bad[0] + 1:,}: 'x{bad[0]}')" in next(iter(result.ledger)).told()


def test_repeated_keys_of_files_are_counted_with_their_line(session: Session, tmp_path: Path) -> None:
    """decision 15: no silent limit. Of a key that comes again jsonfile keeps the first value; nothing told so."""
    path = tmp_path / "again.jsonl"
    path.write_text('{"b":0}\n{"a":1,"a":2}\n{"a":3,"m":{"c":1,"c":2}}\n')
    found = session.query(f"jsonfile {path} | fields a")
    assert [row["a"] for row in found.rows()] == [None, 1, 3]
    (entry,) = found.ledger
    assert (entry.reason, entry.count, entry.position) == ("repeated-key", 2, 2)
    # Behind the first thousand lines too, which a key that is read needs no look at; the other of the object as well.
    path.write_text('{"a":1}\n' * 1_001 + '{"a":1,"a":2,"b":1}\n{"b":1,"b":2}\n')
    for exact in (False, True):
        found = session.query(f"jsonfile {path} | stats count, sum(a)", exact=exact)
        assert found.rows() == [{"count": 1_003, "sum(a)": 1_002}]
        assert [(e.reason, e.count, e.position) for e in found.ledger] == [("repeated-key", 2, 1_002)]


def test_repeated_keys_of_many_rows_are_looked_for_in_some(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "again.log"
    each = 300_000
    path.write_text('{"a":1}\n' * each + '{"a":1,"a":2}\n' * each)
    found = session.query(f"textfile {path} | parsejson | stats sum(a)")
    assert found.rows() == [{"sum(a)": 2 * each}]
    (entry,) = found.ledger
    assert entry.reason == "repeated-key"
    assert entry.at_least
    assert 0 < entry.count <= each
    found = session.query(f"textfile {path} | parsejson | stats sum(a)", exact=True)
    found.rows()
    assert [(e.reason, e.count, e.at_least) for e in found.ledger] == [("repeated-key", each, False)]


def test_columns_get_types_where_rows_are_numbered(session: Session, tmp_path: Path) -> None:
    """The numbers of the rows are no text to look at: ``types=t`` ended as an internal error."""
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,x\n2,y\n")
    result = session.query(f"csvfile types=t {path} | eval c = a + 1, d = int(b)")
    assert [(row["a"], row["c"], row["d"]) for row in result.rows()] == [(1, 2, None), (2, 3, None)]
    assert [(e.count, e.place) for e in result.ledger] == [(2, "row 1")]
