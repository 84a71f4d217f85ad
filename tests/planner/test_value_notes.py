"""Notes about types, constants, dates, parameters, joins: what is said, the place, the spelling that is meant.

Expected are sentences of the rule (language.md 3.3, 3.4, 4, 7): what a query of that kind gives by the specification.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from logsql.diagnostics.messages import LANGUAGE
from logsql.diagnostics.notes import Note
from logsql.engine.session import Session
from logsql.registry import AGGREGATES

SAMPLES = Path(__file__).parents[2] / "sample_data"
LOG, SALES, WEB = SAMPLES / "auth.log", SAMPLES / "transactions.csv", SAMPLES / "access.jsonl.gz"
ROW = 'json "[{n:1,d:1.5,t:\'x\',b:true,m:{k:1},l:[1]}]" | eval when = date("2024-01-02", "yyyy-MM-dd") | '


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="Asia/Seoul") as opened:
        yield opened


def notes(session: Session, query: str, **params: object) -> list[tuple[str, str, str]]:
    """Code, the piece of the query that is pointed at, the help line, of the notes in this room's ranges."""
    found: tuple[Note, ...] = session.plan(query, params)[0].notes
    mine = [n for n in found if n.code[:3] in ("N12", "N13", "N15", "N16", "N17") or n.code == "N1401"]
    return [(n.code, query[n.span.start : n.span.end] if n.span else "", n.help or "") for n in mine]


TOLD = [
    (ROW + r'eval x = replace(t, "\\d", "", "regex")', "N1322", '"regex"', r'write replace(t, "\\d", "", "re")'),
    (ROW + 'eval x = format("%d", t)', "N1323", "t", 'write format("%d", long(t))'),
    (ROW + 'eval x = format("%5.2f|%s", n, t)', "N1323", "n", 'write format("%5.2f|%s", double(n), t)'),
    (ROW + 'eval x = format("%x", d)', "N1323", "d", 'write format("%x", long(d))'),
    (ROW + 'search contains(l, "1")', "N1225", '"1"', "write contains(l, 1)"),
    (ROW + "search contains(array(t), 1)", "N1225", "1", 'write contains(array(t), "1")'),
    (ROW + 'search in(l, "x", "y")', "N1226", "l", 'write contains(l, "x") or contains(l, "y")'),
    (ROW + 'search in(l, "x*", "y")', "N1226", "l", 'write l == "*x*" or contains(l, "y")'),
    (ROW + 'search contains(l, "*x*")', "N1220", '"*x*"', 'write l == "*x*"'),
    (ROW + 'search contains(l, "x*")', "N1220", '"x*"', 'write l == "*x*"'),
    ('set x = a | json "{}" | eval b = $("x")', "N1504", "a", 'a text stands in double quotes: "a"'),
    (ROW + 'evalc s = 1 + $("s") + n', "N1505", '$("s")', 'begin with a value: $("s", 0), or set s = 0 in front'),
    ("json \"{t:'2024-01-01 10:20:30'}\" | eval d = date(t, \"yyyy-MM-dd HH:mm\")", "N1313", '"yyyy-MM-dd HH:mm"',
     'write "yyyy-MM-dd HH:mm:ss"'),
    ("json \"{t:'2024-01-01 10:20:30'}\" | eval d = date(t, \"yyyy-MM-dd\")", "N1313", '"yyyy-MM-dd"',
     'write "yyyy-MM-dd HH:mm:ss"'),
    ("json \"{t:'2024-01-01 10:20:30.5Z'}\" | eval d = date(t, \"yyyy-MM-dd HH:mm:ss\")", "N1313",
     '"yyyy-MM-dd HH:mm:ss"', 'write "yyyy-MM-dd HH:mm:ss.SSSSSSXXX"'),
    ('json "{}" | eval d = date("2024-01-01 10:20:30+09:00", "yyyy-MM-dd HH:mm:ss")', "N1313",
     '"yyyy-MM-dd HH:mm:ss"', 'write "yyyy-MM-dd HH:mm:ssXXX"'),
    ("json \"[{line:'a:1;b:2'}]\" | parsekv", "N1602", "parsekv", 'write parsekv pairdelim=";" kvdelim=":"'),
    ("json \"[{line:'a=1, b=2'}]\" | parsekv", "N1602", "parsekv", 'write parsekv pairdelim=","'),
    ("json \"[{line:'a=1,b=2'},{line:'a=3'}]\" | parsekv", "N1602", "parsekv", 'write parsekv pairdelim=","'),
    ("json \"[{line:'a = 1'}]\" | parsekv", "N1602", "parsekv", 'write parsekv pairdelim="," kvdelim=" = "'),
    ("json \"[{line:'a: 1, b: 2'}]\" | parsekv", "N1602", "parsekv", 'write parsekv pairdelim="," kvdelim=": "'),
    ("json \"[{line:'x=1&y=2'}]\" | parsekv", "N1602", "parsekv", 'write parsekv pairdelim="&"'),
    (f"csvfile {SALES} | search amount > 100", "N1201", "amount > 100",
     "write double(amount) > 100, or read with csvfile types=t"),
    (f"csvfile {SALES} | search amount == 100", "N1202", "amount == 100", 'write amount == "100"'),
    ("json \"[{start:'auto'},{start:'manual'}]\" | search start == 2", "N1202", "start == 2",
     "the first values are auto, manual"),
    (f"csvfile {SALES} | stats sum(amount)", "N1301", "amount",
     "write sum(double(amount)), or read with csvfile types=t"),
    (f"csvfile {SALES} | stats max(amount)", "N1302", "amount", "write max(double(amount))"),
    (f"csvfile {SALES} | sort -amount", "N1302", "amount", "write eval amount = double(amount) | sort -amount"),
    (f"csvfile {SALES} | search amount > \"100\"", "N1204", 'amount > "100"', "write double(amount) > 100"),
    (f"textfile {LOG} | search \"Failed password\"", "N1205", '"Failed password"', 'write line == "*Failed password*"'),
    (f"textfile {LOG} | search Failed", "N1208", "Failed", 'write line == "*Failed*"'),
    (f"textfile {LOG} | search line == '*Failed*'", "N1209", "'*Failed*'", 'write "*Failed*"'),
    (
        f"jsonfile {WEB} | search _time >= date(\"2022-10-01\", \"yyyy-MM-dd\")",
        "N1201",
        '_time >= date("2022-10-01", "yyyy-MM-dd")',
        'write date(_time, "yyyy-MM-dd HH:mm:ssZ") >= date("2022-10-01", "yyyy-MM-dd")',
    ),
    (
        f"jsonfile {WEB} | timechart span=1h count",
        "N1308",
        "timechart",
        'write eval _time = date(_time, "yyyy-MM-dd HH:mm:ssZ") | timechart ...',
    ),
    (
        f"jsonfile {WEB} | eval x = datetrunc(_time, \"1h\")",
        "N1303",
        "_time",
        'write datetrunc(date(_time, "yyyy-MM-dd HH:mm:ssZ"), "1h")',
    ),
    # language.md 3.1: what parsekv reads is text; whether there is such a field only the data tell
    ("json \"[{line:'a=1'}]\" | parsekv | stats sum(zz)", "N1301", "zz", "write sum(double(zz))"),
    # a boolean and a number, a boolean and a text (language.md 3.3): the constant that is meant
    (ROW + "search b == 1", "N1202", "b == 1", "write b == true"),
    (ROW + "search t == true", "N1202", "t == true", 'write t == "true"'),
    # language.md 2: whole numbers are 64 bits, larger ones doubles
    (ROW + "search n == 12345678901234567890", "N1312", "12345678901234567890", "in double quotes"),
    # texts of dates compare letter by letter (language.md 3.3); of another form than the values, or day first
    (f'jsonfile {WEB} | search _time >= "2022/09/20"', "N1214", '_time >= "2022/09/20"',
     'write date(_time, "yyyy-MM-dd HH:mm:ssZ") >= date("2022/09/20", "yyyy/MM/dd"), or read with jsonfile dates=t'),
    # two constants: a quoted name is a text, and language.md 4 compares it as one for every row
    (ROW + 'search "t" == "x"', "N1212", '"t" == "x"', 'write t == "x"'),
    (ROW + 'search "Event ID" == "4624"', "N1212", '"Event ID" == "4624"', 'write field("Event ID") == "4624"'),
    (ROW + "search “n” == 1", "N1212", "“n” == 1", "write n == 1"),
    (ROW + 'stats dc("t")', "N1213", '"t"', "write t"),
    (ROW + 'search isnull("t")', "N1213", '"t"', "write t"),
    (ROW + 'search in("t", "x")', "N1213", '"t"', "write t"),
    # language.md 7: count(x) counts the values that are not null
    (ROW + "stats count(n > 1) as c", "N1309", "n > 1", "write count(if(n > 1, 1, null))"),
    (f"csvfile {SALES} | stats count by amount | sort -amount", "N1302", "amount",
     "write eval amount = double(amount) | sort -amount"),
    # functions.md string(): a pattern is for dates, a text stays as it is
    (f'jsonfile {WEB} | eval h = string(_time, "HH")', "N1310", "_time",
     'write string(date(_time, "yyyy-MM-dd HH:mm:ssZ"), "HH")'),
    (ROW + 'search when > "2022"', "N1201", 'when > "2022"', 'write when > date("2022", "yyyy")'),
    # Java's SimpleDateFormat: a is read and moves hours of h and K only; what stands in quotes is passed over
    (ROW + 'eval y = date(t, "yyyy-MM-dd HH:mm a")', "N1304", '"yyyy-MM-dd HH:mm a"', 'write "yyyy-MM-dd hh:mm a"'),
    (ROW + "eval y = date(t, \"yyyy-MM-dd'T'HH:mm:ss'Z'\")", "N1311", "\"yyyy-MM-dd'T'HH:mm:ss'Z'\"",
     "write \"yyyy-MM-dd'T'HH:mm:ssX\""),
    (ROW + "timechart count", "N1308", "timechart", "dates here are when: write eval _time = when | timechart ..."),
    (ROW + "search t == 'kim'", "N1209", "'kim'", 'write "kim"'),
    (ROW + "search in(t, 'kim')", "N1209", "'kim'", 'write "kim"'),
    (ROW + "search n == 1 or 2", "N1205", "2", "write n == 1"[:-1] + "2"),
    (ROW + 'search t == "a" or "b"', "N1205", '"b"', 'write t == "b"'),
    (ROW + 'search t == ("a" or "b")', "N1202", 't == ("a" or "b")', 'write in(t, "a", "b")'),
    (ROW + 'eval y = if("x", 1, 2)', "N1205", '"x"', 'write t == "*x*"'),
    (ROW + "search len(t)", "N1206", "len(t)", "compare it: len(t) > 0"),
    (ROW + "eval y = not(n)", "N1207", "n", ""),
    (ROW + 'search n == "abc"', "N1203", 'n == "abc"', ""),
    (ROW + 'search n == "*a*"', "N1203", 'n == "*a*"', ""),
    (ROW + 'search d == "1"', "N1203", 'd == "1"', "write d == 1"),
    (ROW + 'search when == "2024-01-02"', "N1203", 'when == "2024-01-02"', 'when == date("2024-01-02", "yyyy-MM-dd")'),
    (ROW + "search n > when", "N1201", "n > when", "write epoch(n) > when"),
    (ROW + 'search n > "5"', "N1201", 'n > "5"', "write n > 5"),
    (ROW + 'search in(n, "5")', "N1211", '"5"', "write 5"),
    (ROW + "search in(t, 5)", "N1211", "5", 'write "5"'),
    (ROW + "eval y = when + 3600", "N1210", "when + 3600", 'write dateadd(when, "sec", 3600)'),
    (ROW + 'eval y = t + "-" + n', "N1210", 't + "-"', 'write concat(t, "-")'),
    (ROW + 'eval y = date(t, "YYYY-MM-DD HH:mm")', "N1304", '"YYYY-MM-DD HH:mm"', 'write "yyyy-MM-dd HH:mm"'),
    (ROW + 'eval y = date(t, "yyyy-mm-dd HH:MM")', "N1304", '"yyyy-mm-dd HH:MM"', 'write "yyyy-MM-dd HH:mm"'),
    (ROW + 'eval y = date(t, "yyyy-MM-dd hh:mm:ss")', "N1304", '"yyyy-MM-dd hh:mm:ss"', 'write "yyyy-MM-dd HH:mm:ss"'),
    (ROW + 'eval y = date(t, "HH:mm:SS")', "N1304", '"HH:mm:SS"', 'write "HH:mm:ss"'),
    (ROW + 'eval y = date(t, "%Y-%m-%d")', "N1304", '"%Y-%m-%d"', 'write "yyyy-MM-dd"'),
    (ROW + 'eval y = string(when, "yyyy-mm-dd")', "N1304", '"yyyy-mm-dd"', 'write "yyyy-MM-dd"'),
    (ROW + 'eval y = date(t, "MMM d HH")', "N1305", '"MMM d HH"', 'date(concat("2024 ", t), "yyyy MMM d HH")'),
    (ROW + "eval y = epoch(1534860261221373)", "N1306", "1534860261221373", "epoch(long(1534860261221373 / 1000))"),
    (ROW + "eval y = epoch(1557514248379911176)", "N1306", "1557514248379911176", " / 1000000))"),
    (ROW + 'eval y = valueof(n, "k")', "N1401", "n", ""),
    (ROW + 'eval y = valueof(t, "k")', "N1401", "t", "parsejson field=t"),
    (ROW + "eval y = n.k", "N1401", "n.k", ""),
    (ROW + "sort n.k", "N1401", "n.k", ""),
    (ROW + "fields t.k, n", "N1401", "t.k", "parsejson field=t"),
    (ROW + "stats count by n.k", "N1401", "n.k", ""),
    (ROW + "stats count by l.k", "N1401", "l.k", ""),
    (ROW + 'rex field=n.k "(?<x>.)"', "N1401", "n.k", ""),
    (ROW + 'search n == $("q")', "N1501", '$("q")', "give it with -d q=VALUE"),
    (ROW + 'rex field=t "a(b)"', "N1601", '"a(b)"', "(?<name>...)"),
    (ROW + "join n [ json \"[{n:'1'}]\" ]", "N1701", "n", "write [ ... | eval n = double(n) ]"),
    (ROW + 'join nn [ json "[{nn:1}]" ]', "N1702", "nn", "rename"),
    (ROW + 'streamjoin n [ json "[{nn:1}]" ]', "N1702", "n", "rename"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "code", "piece", "help"), TOLD, ids=[q.rpartition("| ")[2] for q, *_ in TOLD])
def test_what_the_plan_knows_is_told(session: Session, query: str, code: str, piece: str, help: str) -> None:
    found = notes(session, query)
    assert (code, piece) in [(c, p) for c, p, _ in found]
    assert any(help in h for c, p, h in found if (c, p) == (code, piece)), found


#: A file whose texts decide what is told: zip with a zero in front, days before months, years of two digits, six digits
#: of a second, microseconds.
TEXTS = "zip,b,t,u,w,e\n00123,true,05/03/24,2024-03-05T10:00:00.123456Z,05/03/2024,1534860261221373\n" + (
    "45678,false,06/03/24,2024-03-05T10:00:00.000006Z,16/04/2023,1534860261221374\n"
)
OF_TEXTS = [
    ("search zip == 123", "N1202", "write double(zip) == 123"),  # zip == "123" matches nothing
    ("search b == true", "N1202", 'write b == "true"'),
    ("search t > 100", "N1201", ""),  # double(t) would be null everywhere
    ('search w > "01/04/2023"', "N1214", 'write date(w, "dd/MM/yyyy") > date("01/04/2023", "dd/MM/yyyy")'),
    ('eval d = date(t, "dd/MM/yyyy")', "N1313", 'write "dd/MM/yy"'),
    ("eval d = date(u, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")", "N1313", "write \"yyyy-MM-dd'T'HH:mm:ss.SSSSSSX\""),
    ("eval d = epoch(e)", "N1306", "write epoch(long(e / 1000))"),
]
OF_TEXTS_SILENT = [
    'search zip == "00123" and b == "true" and u > "2024-03-05" and u > "2024"',
    'eval d = date(t, "dd/MM/yy"), f = date(w, "dd/MM/yyyy"), g = date(w, "dd/MM/yy")',
    "eval d = date(u, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSSX\"), f = epoch(long(e / 1000))",
]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.csv"
    path.write_text(TEXTS)
    return path


@pytest.mark.parametrize(("query", "code", "help"), OF_TEXTS, ids=[query for query, *_ in OF_TEXTS])
def test_what_values_at_hand_show_is_told(session: Session, texts: Path, query: str, code: str, help: str) -> None:
    (found,) = notes(session, f"csvfile {texts} | {query}")
    assert (found[0], found[2].partition(", or read")[0]) == (code, help)


@pytest.mark.parametrize("query", OF_TEXTS_SILENT)
def test_what_fits_the_values_is_silent(session: Session, texts: Path, query: str) -> None:
    assert notes(session, f"csvfile {texts} | {query}") == []


def test_a_file_with_another_delimiter(session: Session, tmp_path: Path) -> None:
    """`a;b;c` was the name of one column, and nothing was told."""
    for header, option in (("a;b;c", 'delim=";"'), ("a\tb", "tab=t"), ("a|b", 'delim="|"')):
        (tmp_path / "x.csv").write_text(f"{header}\n1;2;3\n4;5,x;6\n")
        (note,) = session.plan(f"csvfile {tmp_path / 'x.csv'}")[0].notes
        assert (note.code, note.help) == ("N1402", f"write csvfile {option} ...")
    (tmp_path / "x.csv").write_text("a;b,c\n1,2\n")
    assert session.plan(f"csvfile {tmp_path / 'x.csv'}")[0].notes == ()
    assert session.plan(f'csvfile delim=";" {tmp_path / "x.csv"}')[0].notes == ()


def test_keys_of_a_lookup_are_texts(session: Session, tmp_path: Path) -> None:
    """functions.md, lookup: keys compare as text, so that 1.0 does not find "1"."""
    (tmp_path / "codes.csv").write_text("code,name\n1,one\n2,two\n")
    session.add_lookup("codes", str(tmp_path / "codes.csv"))
    for value, told in (("1.0", ["N1703"]), ("1", []), ("'1'", [])):
        found = session.plan(f'json "[{{code:{value}}}]" | lookup codes code output name')[0].notes
        assert [n.code for n in found] == told, value


@pytest.mark.parametrize(
    ("keys", "cell", "better"),
    [
        (["1", "2"], "01", "long(double(k))"),
        (["1", "2"], "1.0", "long(double(k))"),
        (["001", "002"], "1", 'lpad(k, 3, "0")'),
        (["kim", "lee"], "Kim", "lower(k)"),
        (["KIM", "LEE"], "Kim", "upper(k)"),
        (["kim", "lee"], '" kim"', "trim(k)"),
        ([1, 2], "01", "double(k)"),
        ([1.0, 2.5], "1", "double(k)"),
        ([dt.datetime(2024, 1, 2, tzinfo=dt.UTC)], "2024-01-02", 'date(k, "yyyy-MM-dd")'),
        (["1", "2"], "1", ""),
        ([1, 2], "1", ""),
        (["kim", "lee"], "Kims", ""),  # rarely found is no mistake
    ],
)
def test_texts_that_a_lookup_has_written_otherwise(
    session: Session, tmp_path: Path, keys: list[object], cell: str, better: str
) -> None:
    """language.md 8.4: a lookup compares texts. Told where no value at hand is a key and one would be."""
    (tmp_path / "x.csv").write_text(f"k,n\n{cell},1\n")
    session.add_lookup("codes", pa.table({"k": keys, "v": [str(k) for k in keys]}))
    found = session.plan(f"csvfile {tmp_path / 'x.csv'} | lookup codes k output v")[0].notes
    assert [(n.code, n.help) for n in found] == ([("N1703", f"write eval k = {better} | lookup ...")] if better else [])


def test_numbers_and_dates_that_a_lookup_has_as_text(session: Session) -> None:
    for keys, value, better in (
        (["1", "2"], "1.0", "long(k)"),
        (["001", "002"], "1", 'lpad(k, 3, "0")'),
        (["2024-01-02"], 'date("2024-01-02", "yyyy-MM-dd")', 'string(k, "yyyy-MM-dd")'),
    ):
        session.add_lookup("codes", pa.table({"k": keys, "v": keys}))
        (note,) = session.plan(f'json "{{}}" | eval k = {value} | lookup codes k output v')[0].notes
        assert (note.code, note.help) == ("N1703", f"write eval k = {better} | lookup ...")
    session.add_lookup("codes", pa.table({"k": [1.0, 2.5], "v": ["a", "b"]}))
    assert session.plan('json "{k: 1}" | lookup codes k output v')[0].notes == ()


SILENT = [
    ROW + 'eval x = format("%d %s %.1f %%", n, t, d), y = replace(t, "x", "y", "re")',
    ROW + 'search contains(l, 1) or contains(l, 1.0) or in(t, "x")',
    'set s = 0 | json "[{a:1}]" | evalc s = $("s") + a',
    'json "[{a:1}]" | evalc s = $("s", 0) + a',
    'json "[{a:1}]" | evalc s = a | evalc s = $("s") + a',
    'json "{t:\'2024-01-01 10:20:30 Failed 12:00\'}" | eval d = date(t, "yyyy-MM-dd HH:mm:ss")',
    f"csvfile {SALES} | eval a = double(amount) | search a > 100 | sort -a | stats sum(a), max(a)",
    f"csvfile {SALES} | stats count, max(transaction_id) | search true",
    f'textfile {LOG} | search line == "*Failed*" | sort line',
    f'jsonfile {WEB} | eval _time = date(_time, "yyyy-MM-dd HH:mm:ssZ") | timechart span=1h count by label',
    f'jsonfile {WEB} | search status == 404 or status == "5*" | sort -status | stats max(status)',
    'json "[{a:1},{a:\'x\'}]" | search a > 5 or a == "x" | stats sum(a), max(a)',
    "json \"[{line:'{}'}]\" | parsejson | search b > 1 and c == 'x' and d "
    '| eval y = b + c, z = datetrunc(d, "1h") | stats sum(b)',
    ROW + 'search n == "1" and n == "1*" and t == "*" and when == "2024-01*" and b == "true"',
    ROW + 'search b and n and t and m and l | eval y = if(b, 1, 2), z = case(n > 0, "a", true, "b"), w = n + "1"',
    ROW + 'search 1 == "1" or null == 1 | eval y = nvl($("q"), 1), z = isnull($("q")), w = $("q", "k", 1)',
    ROW
    + 'eval y = date(t, "yyyy-MM-dd hh:mm:ss a"), z = date(t, "HH:mm"), w = date(t, "yyyy-DDD"), '
    + "v = date(t, \"YYYY-'W'ww\")",
    ROW + 'eval y = string(when, "MM-dd HH:mm"), z = date(t, "yyyyMMddHHmmss"), w = date(t, "d/MMM/yyyy:HH:mm:ss Z")',
    ROW + 'eval y = epoch(1534860261), z = epoch(1534860261221), w = valueof(m, "k"), v = valueof(l, 0)',
    ROW + 'join n [ json "[{n:1.0}]" ] | join type=cross [ json "[{q:1}]" ] | rex field=t "(?<y>.)"',
]


@pytest.mark.parametrize("query", SILENT)
def test_a_right_query_is_silent(session: Session, query: str) -> None:
    assert notes(session, query) == []


def test_parameters(session: Session) -> None:
    query = ROW + 'search n == $("q")'
    assert notes(session, query, q=404) == []
    assert [c for c, _, _ in notes(session, query, q="404")] == ["N1503"]
    assert "-d q:=VALUE" in notes(session, query, q="404")[0][2]
    assert [c for c, _, _ in notes(session, query, q=404, other=1)] == ["N1502"]


def test_looking_at_values_counts_no_loss(session: Session, tmp_path: Path) -> None:
    """A source that is looked at while planning is read again by the run, which alone counts."""
    file = tmp_path / "x.csv"
    file.write_bytes(b"a\n9\n10\n\xff\n")
    result = session.query(f"csvfile {file} | sort -a")
    result.rows()
    before = [(e.reason, e.count) for e in result.ledger]
    plain = session.query(f"csvfile {file} | fields a")
    plain.rows()
    assert before == [(e.reason, e.count) for e in plain.ledger]
    assert before, "the file has a byte that is no text, which is counted"


def test_notes_are_said_in_korean(session: Session) -> None:
    token = LANGUAGE.set("ko")
    try:
        (note,) = session.plan(ROW + "search t > 1")[0].notes
        assert note.sentence == "t은(는) 텍스트, 1은(는) 숫자입니다. 타입이 다르면 타입 순서로 비교하므로 늘 참입니다"
    finally:
        LANGUAGE.reset(token)


def test_no_look_at_what_can_be_read_once(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input that a rule looked at would be gone: the query said input-read-twice."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"10\n9\n")))
    result = session.query('- | search line > "5" | sort line')
    assert (result.rows(), result.notes) == ([{"line": "9"}], ())


OF_NUMBERS = sorted(name for name, spec in AGGREGATES.items() if spec.numbers and not name.startswith("per_"))


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_every_aggregate_of_numbers_tells_of_a_condition(session: Session, name: str) -> None:
    """Its row says that it takes numbers: a new one is told of without a list of names."""
    spec = AGGREGATES[name]
    arguments = ", ".join(["a > 1", *["a"] * (spec.numbers - 1), *["50"] * (spec.min_args - spec.numbers)])
    result = session.query(f'json "[{{a:1}},{{a:2}}]" | stats {name}({arguments})')
    assert [note.code for note in result.notes] == ["N1301"]


@pytest.mark.parametrize(
    ("made", "field", "typed"),
    [
        ("", "amount", True),
        ("| rename amount as n", "n", True),
        ('| search line == "*x*" | eval c = 1', "amount", True),
        ('| rex field=line "n=(?<n>[0-9]+)"', "n", False),
        ('| rex field=line "n=(?<amount>[0-9]+)"', "amount", False),
        ('| eval n = valueof(split(replace(line, " x", ""), "="), 1)', "n", False),
        ("| parsekv field=line", "n", False),
    ],
)
def test_the_option_of_a_reader_is_named_for_its_own_fields(tmp_path: Path, made: str, field: str, typed: bool) -> None:
    """`rex` out of a line of a CSV was told to read with csvfile types=t, which cannot help there."""
    path = tmp_path / "a.csv"
    path.write_text("amount,line\n9,n=5 x\n10,n=10 x\n")
    with Session(tz="UTC") as session:
        (note,) = session.query(f"csvfile {path} {made} | stats sum({field})").notes
    assert note.help == f"write sum(double({field}))" + ", or read with csvfile types=t" * typed
