"""parsejson, parsekv, parsemap, parsexml, parsecsv, parse: found fields replace or overlay the row, others pass."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import QueryError


def run(text: str, **columns: list[Any]) -> list[dict[str, Any]]:
    """Rows of ``table t | TEXT``, fields that are null left out."""
    with logsql.connect(tz="Asia/Seoul") as session:
        session.register("t", pa.table(columns))
        rows = session.query(f"table t | {text}").rows()
    return [{k: v for k, v in row.items() if v is not None} for row in rows]


DOCS = ['{"a": 1, "z": 5}', "no json", None, "[1, 2]", '{"a": null, "b": {"c": [1]}}', "5", ' {"a": 2}']
Z = [10, 11, 12, 13, 14, 15, 16]


def test_parsejson_replaces_the_row() -> None:
    assert run("parsejson", line=DOCS, z=Z) == [
        {"a": 1, "z": 5},
        {"line": "no json", "z": 11},
        {"z": 12},
        {"line": [1, 2], "z": 13},
        {"b": {"c": [1]}},
        {"line": "5", "z": 15},
        {"a": 2},
    ]


def test_parsejson_overlay_keeps_what_the_document_lacks() -> None:
    rows = run("parsejson overlay=t", line=DOCS, z=Z)
    assert rows[0] == {"line": DOCS[0], "a": 1, "z": 5}
    assert rows[1] == {"line": "no json", "z": 11}
    assert rows[3] == {"line": [1, 2], "z": 13}
    assert rows[4] == {"line": DOCS[4], "z": 14, "b": {"c": [1]}}


def test_later_commands_read_fields_by_name() -> None:
    assert run("parsejson | search a >= 1 | eval s = a + nvl(z, 0) | fields s", line=DOCS, z=Z) == [{"s": 6}, {"s": 2}]
    assert run("parsejson | stats sum(a) as s", line=DOCS, z=Z) == [{"s": 3}]


def test_types_of_old_fields_survive_in_rows_that_pass() -> None:
    made = 'eval when = date("2024-01-02", "yyyy-MM-dd"), ip = ip("10.0.0.1")'
    rows = run(
        made + " | parsejson | eval t = typeof(when), u = typeof(ip) | fields t, u", line=["x", '{"when": "soon"}']
    )
    assert rows == [{"t": "date", "u": "ipv4"}, {"t": "string"}]


def test_the_lenient_dialect() -> None:
    lines = ["{a: one two, 'b' = [x, 2,], c: {}}", "{a: 1,}", "{a", "{'a': 'it\\'s'}"]
    rows = run("parsejson", line=lines)
    assert rows == [{"a": "one two", "b": ["x", 2], "c": {}}, {"a": 1}, {"line": "{a"}, {"a": "it's"}]


def test_flatten_cutoff_and_lenient() -> None:
    line = '{"a": {"b": 1, "c": ["x", {"d": 2}]}, "e": "long text"}'
    assert run("parsejson flatten=t", line=[line]) == [{"a_b": 1, "a_c_0": "x", "a_c_1_d": 2, "e": "long text"}]
    assert run("parsejson cutoff=20", line=[line]) == [{"line": line}]
    cut = line.index("long") + 3
    found = run(f"parsejson cutoff={cut} lenient=t", line=[line])
    assert found == [{"a": {"b": 1, "c": ["x", {"d": 2}]}, "e": "lon"}]
    assert run("parsejson cutoff=20 lenient=t | parsemap field=a | fields b", line=[line]) == [{"b": 1}]


def test_documents_over_documents() -> None:
    lines = ['{"a": {"x": 1, "keep": 9}, "b": {"x": 2, "y": null}, "keep": 1}']
    rows = run("parsejson | parsemap field=a overlay=t | parsemap field=b overlay=t", line=lines)
    assert rows[0]["x"] == 2
    assert rows[0]["keep"] == 9
    assert run("parsejson | fields - keep | parsemap field=a overlay=t | fields keep, x", line=lines) == [
        {"keep": 9, "x": 1}
    ]
    assert run("parsejson | parsemap field=nosuch | fields keep", line=lines) == [{"keep": 1}]
    assert run("parsejson | fields - keep | parsemap field=b | fields keep, x", line=lines) == [{"x": 2}]


def test_keys_of_any_name() -> None:
    rows = run("parsejson", line=['{"a b": 1, "x/y": 2, "~": 3, "A": 4, "a": 5, "": 6, "_time": 7}'])
    assert rows == [{"a b": 1, "x/y": 2, "~": 3, "A": 4, "a": 5, "": 6, "_time": 7}]


def test_parsekv() -> None:
    lines = ["src=1.2.3.4 sp=55 flag", None, "a=1=2  a=3", "", " =x "]
    assert run("parsekv", line=lines, z=[1, 2, 3, 4, 5], _id=[1, 2, 3, 4, 5]) == [
        {"_id": 1, "src": "1.2.3.4", "sp": "55"},
        {"_id": 3, "a": "3"},
        {"_id": 4},
        {"_id": 5, "": "x"},
    ]
    rows = run('parsekv overlay=t pairdelim=";" kvdelim=":"', line=["z:9;b:2;;c:3", None], z=[1, 2])
    assert rows == [{"line": "z:9;b:2;;c:3", "z": "9", "b": "2", "c": "3"}, {"z": 2}]


def test_parsecsv() -> None:
    lines = ['"a ""b""",c', "x,y,z", None, "", 'p,"q']
    assert run("parsecsv", line=lines, n=[1, 2, 3, 4, 5]) == [
        {"column0": 'a "b"', "column1": "c"},
        {"column0": "x", "column1": "y", "column2": "z"},
        {"n": 3},
        {"column0": ""},
        {"column0": "p", "column1": "q"},
    ]
    assert run("parsecsv n, m", line=["1,2,3", None], n=[8, 9]) == [{"n": "1", "m": "2", "column2": "3"}, {"n": 9}]
    assert run("parsecsv tab=t overlay=t a", line=["1\t2"]) == [{"line": "1\t2", "a": "1", "column1": "2"}]


def test_parsexml() -> None:
    lines = [
        '<ev><host> web </host><item>1</item><item k="2">b</item><none/></ev>',
        "<broken>",
        "text",
        '<!DOCTYPE a [<!ENTITY x "y">]><a><b>&x;</b></a>',
    ]
    rows = run("parsexml", line=lines)
    assert rows[0] == {"host": "web", "item": ["1", {"k": "2", "_text": "b"}]}
    assert [r["line"] for r in rows[1:]] == lines[1:]


def test_anchors() -> None:
    line = "session: Proto:17, Policy:pass, Rule:9, Proto:6, End:-"
    text = 'parse "Proto:*," as proto, "Policy:*, " as policy, "End:*" as until, "Nope:*" as nope'
    assert run(text, line=[line], x=[1], _table=["fw"]) == [
        {"proto": "6", "policy": "pass", "until": "-", "_table": "fw"}
    ]
    assert run(text.replace("parse ", "parse overlay=t "), line=[line, None], x=[1, 2])[1] == {"x": 2}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("parsemap", "22100"),
        ("parse", "21000"),
        ("parse nosuchparser", "21001"),
        ('parse "a*b"', "21003"),
        ('parse "ab" as x', "21003"),
        ("parse a*b as x", "21004"),
        ('parse "a*b" as "x"', "21005"),
        ("parsecsv strict=t tab=t", "90001"),
        ('parsekv kvdelim=""', "90772"),
        ("parsejson cutoff=-1", "90001"),
    ],
)
def test_wrong_calls(text: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        run(text, line=["x"])
    assert caught.value.code == code


def test_fields_stand_in_the_order_of_the_rows_when_several_threads_read_them() -> None:
    # Several row groups for several threads: what a later row brings stood before what an earlier one has.
    docs = ['{"a":1,"b":2}'] * 300_000
    for row, doc in ((0, '{"b":0,"a":1}'), (150_000, '{"zz":1,"a":2}'), (290_000, '{"c":1,"m":2,"k":9}')):
        docs[row] = doc
    with logsql.connect(tz="UTC", threads=4) as session:
        session.register("t", pa.table({"line": docs}))
        assert list(session.query("table t | parsejson").columns) == ["b", "a", "zz", "c", "m", "k"]
