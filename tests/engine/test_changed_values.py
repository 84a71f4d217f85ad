"""A value that goes into a function comes out, is null and counted, or is another one and counted; what a function
changes because it was asked to is listed with the words that ask."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest

import logsql
from logsql import Session
from logsql.planner.function_spec import FUNCTIONS
from logsql.registry import GRAMMAR

LONGEST = (1 << 63) - 1
#: name -> (expression over ``a``, values, reason, how many of them come out changed).
CHANGED: dict[str, tuple[str, list[object], str, int]] = {
    "encode": ('encode(a, "US-ASCII")', ["가", "a?", "é?", "?", None], "letters-replaced", 2),
    "encode to letters that are there": ('encode(a, "EUC-KR")', ["가", "a?", "똠", None], "letters-replaced", 1),
    "encode to all letters": ('encode(a, "UTF-16")', ["가", "\U0001f600", "?"], "letters-replaced", 0),
    "binary": ('binary(a, "ISO-8859-1")', ["가", "é", "€"], "letters-replaced", 2),
    "urlencode": ('urlencode(a, "EUC-KR")', ["가 나", "é", "?"], "letters-replaced", 1),
    "urlencode to all letters": ("urlencode(a)", ["가 나", "é"], "letters-replaced", 0),
    "decode": ("decode(a)", [b"\xff", b"ok", "\ufffd".encode(), b"", None], "bytes-replaced", 1),
    "decode of another charset": ('decode(a, "EUC-KR")', [b"\xb7", b"\xb0\xa1", b"a\xff"], "bytes-replaced", 2),
    "decode of two bytes a letter": ('decode(a, "UTF-16BE")', [b"\xd8\x00", b"\xff\xfd", b"\0a"], "bytes-replaced", 1),
    "urldecode": ("urldecode(a)", ["%ff", "100%", "%EF%BF%BD", "%ED%95%9C", "\ufffd%20"], "bytes-replaced", 1),
    "urldecode of another charset": ('urldecode(a, "EUC-KR")', ["%b7%ce", "%b7"], "bytes-replaced", 1),
    "long": ("long(a)", [1e300, -1e300, float("inf"), 12.7, 9.2e18, None], "beyond-long", 3),
    "long of parts": ("long(foreach(_1, array(a, a)))", [1e300, 1.0], "beyond-long", 2),
    "long2ip": ("long2ip(a)", [1 << 32, -1, (1 << 32) - 1, -(1 << 31) - 1, None], "beyond-32-bits", 2),
    "lpad": ("lpad(a, 3)", ["abcd", "abc", "가나다라", "", None], "longer-than-padded", 2),
    "rpad": ('rpad(a, 3, "x")', ["abcd", "abc", "ab"], "longer-than-padded", 1),
    "exp": ("exp(a)", [1000.0, 709.0, float("inf"), -1000.0, None], "beyond-doubles", 1),
    "pow": ("pow(a, 400)", [10.0, 1.0, -10.0, float("inf"), None], "beyond-doubles", 2),
    "pow of another exponent": ("pow(a, a)", [200.0, 2.0, float("inf")], "beyond-doubles", 1),
    "sumarray": ("sumarray(a)", [["1", "x"], [], None], "list-with-others", 1),
    "sumarray of numbers": ("sumarray(a)", [[LONGEST, 1], [1], [], None], "beyond-64-bits", 1),
    "sqrt": ("sqrt(a)", [-1.0, 4.0, None], "outside-domain", 1),
    "log": ("log(a)", [-1.0, 0.0, 1.0], "outside-domain", 2),
    "log10": ("log10(a)", [0.0, 1.0], "outside-domain", 1),
    "asin": ("asin(a)", [2.0, 1.0], "outside-domain", 1),
    "acos": ("acos(a)", [2.0, 1.0], "outside-domain", 1),
    "sin": ("sin(a)", [float("inf"), 1.0], "outside-domain", 1),
    "cos": ("cos(a)", [float("inf"), 1.0], "outside-domain", 1),
    "tan": ("tan(a)", [float("inf"), 1.0], "outside-domain", 1),
}  # fmt: skip
#: What changes a value because it was asked to, or keeps it whole: name -> why that is no loss.
ASKED = {
    **dict.fromkeys(("left", "right", "substr", "subarray", "trim", "replace", "split"), "cuts where it is told to"),
    **dict.fromkeys(("round", "floor", "ceil", "datetrunc", "mod"), "rounding is what they are for"),
    **dict.fromkeys(("lower", "upper", "signature", "unique", "flatten", "zip"), "a new value by their definition"),
    **dict.fromkeys(("string", "format", "kvjoin", "strjoin", "concat", "typeof"), "text of the value; patterns "
                    "of dates and numbers that lose digits have notes (N1310, N1312, N1323)"),
    **dict.fromkeys(("len", "contains", "in", "match", "matchblackip", "matchfeed", "matchnet", "matchport", "matchsig",
                     "isnull", "isnotnull", "isnum", "isstr", "not", "indexof", "lastindexof"), "an answer about it"),
    **dict.fromkeys(("if", "case", "nvl", "field", "$", "whoami", "array", "dict", "valueof", "foreach", "groups",
                     "max", "min", "evtctxget", "evtctxgetvar"), "hands a value on"),
    **dict.fromkeys(("evtctxcnt", "evtctxsetvar"), "an answer about an event context"),
    **dict.fromkeys(("now", "ago", "rand", "randbytes", "guid", "seq", "daterange"), "takes no value of a row, or "
                    "refuses what is out of range"),
    **dict.fromkeys(("dateadd", "datediff", "datepart"), "of months of other lengths by the calendar; what is no date "
                    "has a note (N1303), dates beyond the calendar N1316"),
    **dict.fromkeys(("encrypt", "decrypt", "hash", "tohex", "tobase64", "fromhex", "frombase64"),
                    "all bytes or null, which is counted"),
    **dict.fromkeys(("abs", "atan", "int", "double", "ip", "ip2int", "ip2long", "network", "reverseip", "date",
                     "epoch"), "a value or null; null is counted (test_ledger.py)"),
}  # fmt: skip


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with logsql.connect(tz="UTC") as opened:
        yield opened


@pytest.mark.parametrize("name", CHANGED)
def test_values_that_come_out_changed_are_counted(session: Session, name: str) -> None:
    """``encode("가", "US-ASCII")`` gave ``?``, ``long(1e300)`` the largest long, ``long2ip(4294967296)`` 0.0.0.0, and
    nothing was told."""
    expression, given, reason, lost = CHANGED[name]
    session.register("t", pa.table({"a": given * 3}))
    result = session.query(f"table t | eval b = {expression} | fields b")
    counted = result.rows()
    assert {e.reason: e.count for e in result.ledger if e.reason == reason} == ({reason: 3 * lost} if lost else {})
    plain = session.sql(session.translate(f"table t | eval b = {expression} | fields b"))
    assert repr(counted) == repr(plain.rows())


def test_every_function_has_a_verdict() -> None:
    """A new function says here whether a value can come out of it as another one."""
    judged = {expression.partition("(")[0] for expression, *_ in CHANGED.values()}
    known = {spec.name for _, spec in FUNCTIONS.items() if GRAMMAR}
    assert judged & set(ASKED) == set()
    assert known - judged - set(ASKED) == set()
    assert judged | set(ASKED) == known


def test_they_are_counted_inside_of_lists_and_branches(session: Session) -> None:
    session.register("t", pa.table({"a": ["가", "a", None]}))
    for call in (
        'foreach(decode(encode(_1, "US-ASCII")), array(a))',
        'if(len(a) == 1, decode(encode(a, "US-ASCII")), a)',
        'valueof(array(encode(a, "US-ASCII")), 0)',
    ):
        result = session.query(f"table t | eval b = {call}")
        result.rows()
        assert [(e.reason, e.count) for e in result.ledger] == [("letters-replaced", 1)], call


def test_a_sum_of_a_list_that_does_not_fit_is_null(session: Session) -> None:
    """It was 0."""
    session.register("t", pa.table({"a": [[LONGEST, 1], [1, 2], [], [None], None]}))
    assert [row["b"] for row in session.query("table t | eval b = sumarray(a)").rows()] == [None, 3, 0, 0, None]
    rows = session.query(
        "json \"[{a:[9223372036854775807, 1]}, {a:[1, 'x']}, {a:[1, 2.5]}, {a:['x']}]\"| eval b = sumarray(a)"
    )
    assert [row["b"] for row in rows.rows()] == [None, 1, 3.5, 0]


def test_bytes_that_cannot_be_read_are_counted(session: Session) -> None:
    """Data that no key opens was null without a word, in the middle of data that one did."""
    key = 'fromhex("00112233445566778899aabbccddeeff")'
    session.register("t", pa.table({"a": [b"x", b"", None], "good": [b"y"] * 3}))
    result = session.query(
        f'table t | eval b = decrypt("AES", {key}, a), c = decrypt("AES", {key}, encrypt("AES", {key}, good))'
    )
    assert [(row["b"], row["c"]) for row in result.rows()] == [(None, b"y"), (b"", b"y"), (None, b"y")]
    assert [(e.reason, e.count) for e in result.ledger] == [("not-converted", 1)]
    mixed = session.query('json "[{a:\'x\'},{a:5},{}]" | eval b = hash("md5", a)')
    assert [row["b"] for row in mixed.rows()] == [None, None, None]
    assert [(e.source, e.reason, e.count) for e in mixed.ledger] == [('hash("md5", a)', "not-converted", 2)]
