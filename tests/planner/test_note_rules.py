"""Rules about names, fields and commands: what each says, and the neighbours at which it is silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.engine.session import Session
from tests.support import ROOT

A = 'json "[{a:1,b:2},{a:2,b:3}]" | '
LABEL = "json \"[{'label':'x','line':'y'}]\" | "
AGENT = "json \"[{'user-agent':'curl','user':1}]\" | "
EVENT = "json \"[{'Event ID':1,'Level':'x'}]\" | "
MAP = 'json "[{m:{a:[1]},z:2}]" | '
OPEN = "json \"[{line:'{}'}]\" | parsejson | "

#: query, code, the text that the note points at, its help.
SAID = [
    # unknown fields of a closed row, wherever a field stands
    (f"{LABEL}stats count by lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}stats count by zzz", "N1001", "zzz", "there are label, line"),
    (f"{LABEL}stats sum(lable) as s", "N1001", "lable", 'did you mean "label"?'),
    (f'{LABEL}search lable == "x"', "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}eval x = upper(lable)", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}fields lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}fields - lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}rename lable as x", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}sort -lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}order lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}explode lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}prev lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}tojson lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}pivot count rows lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}pivot count cols lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}rollup count by lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}parsejson field=lable", "N1001", "lable", 'did you mean "label"?'),
    (f"{LABEL}fields label | parsekv", "N1001", "parsekv", "there are label"),
    (f'{LABEL}eval x = field("Label")', "N1001", '"Label"', 'did you mean "label"?'),
    (f"{LABEL}search isnull(lable)", "N1001", "lable", 'did you mean "label"?'),
    # fields that commands make are known as well
    (f"{A}eval total = a + b | search totl > 1", "N1001", "totl", 'did you mean "total"?'),
    (f"{A}stats sum(b) as total by a | sort totl", "N1001", "totl", 'did you mean "total"?'),
    (f"{A}stats count by a | search b == 1", "N1001", "b", "there are a, count"),
    # a constant in capitals, a word of the data without its quotes
    (f"{LABEL}eval x = TRUE", "N1001", "TRUE", "write true"),
    (f"{LABEL}search TRUE", "N1001", "TRUE", "write true"),
    (f"{LABEL}search label == dev", "N1001", "dev", 'write "dev"'),
    (f"{LABEL}search label == lin", "N1001", "lin", 'did you mean "line"?'),
    (f"{LABEL}search contains(line, Failed)", "N1001", "Failed", 'write "Failed"'),
    (f"{LABEL}search in(line, 1.2.3.4, \"x\")", "N1001", "1.2.3.4", 'write "1.2.3.4"'),
    (f"{LABEL}search label == $who", "N1001", "$who", 'write $("who")'),
    (f"{LABEL}search label:Failed", "N1208", "label:Failed", 'write label == "*Failed*"'),
    (f'{LABEL}search label == "*a*" or "b"', "N1205", '"b"', 'write label == "*b*"'),
    # the single quotes of word processors were three fields, of which each had a note
    (f"{LABEL}search label == \u2018*x*\u2019", "N1209", "\u2018*x*\u2019", 'write "*x*"'),
    (f"{LABEL}search contains(line, \u2018x\u2019)", "N1209", "\u2018x\u2019", 'write "x"'),
    # an option of t or f: anything else was f, and nothing told it
    (f"{LABEL}parsekv overlay=yes", "N1506", "yes", "write overlay=t or overlay=f"),
    (f"{LABEL}parsejson flatten=1", "N1506", "1", "write flatten=t or flatten=f"),
    (f"{A}stats sum(a + 1) | fields sum(a+1)", "N1105", "sum(a+1)", "write sum((a + 1))"),
    (f"{EVENT}parsecsv field=Event ID", "N1004", "Event", 'field="Event ID"'),
    (f"{A}eval x = format(\"%s %d\", a)", "N1324", 'format("%s %d", a)', None),
    (f"{LABEL}rex field=line \"(?<n>\\\\d+)\"", "N1603", '"(?<n>\\\\d+)"', "write \\d+"),
    # names with operators and blanks
    (f'{AGENT}search user-agent == "curl"', "N1003", "user-agent", 'field("user-agent")'),
    (f"{AGENT}stats max(user-agent)", "N1003", "user-agent", 'field("user-agent")'),
    (f"{EVENT}fields Event ID, Level", "N1004", "Event ID", '"Event ID"'),
    (f"{EVENT}prev Event ID", "N1004", "Event ID", '"Event ID"'),
    # lists of names as other tools write them: each help was "there are a, b" or a wrong computation
    (f"{A}stats count by a b", "N1106", "a b", "a, b"),
    (f"{A}sort a b", "N1106", "a b", "a, b"),
    (f"{A}sort -a -b", "N1106", "-a -b", "-a, -b"),
    (f"{A}sort a -", "N1106", "a -", "-a"),
    (f"{A}sort 10 -a", "N1106", "10 -a", "sort limit=10 -a"),
    (f"{A}explode a b", "N1106", "a b", "explode a | explode b"),
    (f"{A}join left a [ {A}limit 1 ]", "N1106", "left a", "join type=left a"),
    (f"{A}join a == a [ {A}limit 1 ]", "N1106", "a == a", "join a"),
    (f"{A}fields *", "N1001", "*", "names are no patterns: write a, b"),
    (f"{A}stats count by a*", "N1001", "a*", "names are no patterns: write a"),
    (f"{A}fields x = a", "N1101", "x = a", "compute it first: eval x = a | fields x"),
    (f"{A}order -a", "N1104", "-a", "sort -a"),
    (
        f"{A}stats count by bin(a, 1h)",
        "N1101",
        "bin(a, 1h)",
        'compute it first: eval x = datetrunc(_time, "1h") | stats ... x',
    ),
    # a way into a map where a field is changed: nothing happened, and nothing was told
    (f"{MAP}rename m.a as b", "N1005", "m.a", "make a field of it: eval a = m.a"),
    (f"{MAP}order m.a", "N1005", "m.a", "make a field of it: eval a = m.a"),
    (f"{MAP}fields - m.a", "N1005", "m.a", "make a field of it: eval a = m.a"),
    (f"{MAP}rename m.a[0] as b", "N1005", "m.a[0]", "make a field of it: eval x = m.a[0]"),
    # a path into a number or text where a name stands: one group of null, and nothing was told
    (f"{LABEL}stats count by label.x", "N1401", "label.x",
     "read the document before: parsejson field=label; then the field is x"),
    (f"{A}sort -a.x", "N1401", "a.x", None),
    (f"{MAP}stats count by m[0]", "N1401", "m[0]", None),
    # three names that are a computation
    (f"{A}fields b, a + 1", "N1101", "a + 1", "compute it first: eval x = a + 1 | fields ... x"),
    (f"{A}fields a - b", "N1101", "a - b", "compute it first: eval x = a - b | fields ... x"),
    # something else where a name stands
    (f"{A}stats count by mod(a, 2)", "N1101", "mod(a, 2)", "compute it first: eval x = mod(a, 2) | stats ... x"),
    (f"{A}stats count by a + 1", "N1101", "a + 1", "compute it first: eval x = a + 1 | stats ... x"),
    (
        f'{A}stats count by datetrunc(_time, "1h")',
        "N1101",
        'datetrunc(_time, "1h")',
        'compute it first: eval x = datetrunc(_time, "1h") | stats ... x',
    ),
    (f"{A}sort desc a", "N1102", "desc a", "sort -a"),
    (f"{A}stats count as n where a > 1", "N1108", "n where a > 1",
     "search the rows before: search a > 1 | stats ... as n"),
    (f"{A}stats count as n having n > 1", "N1108", "n having n > 1",
     "search the result behind: stats ... as n | search n > 1"),
    (f"{A}stats count as n group by a", "N1108", "n group", "leave out group: as n by ..."),
    (f"{A}stats count as n order by a", "N1108", "n order", "a command of its own: | sort ..."),
    (f"{A}stats count by a limit 5", "N1108", "a limit 5", "a command of its own: | limit 5"),
    (f"{A}stats count by a where b > 1", "N1108", "a where b > 1", "a command of its own: | search b > 1"),
    (f"{EVENT}fields 'Event ID'", "N1105", "'Event ID'", 'write "Event ID"'),
    (f"{EVENT}fields Level, `Event ID`", "N1105", "`Event ID`", 'write "Event ID"'),
    (f'{EVENT}stats sum("Event ID")', "N1213", '"Event ID"', 'write field("Event ID")'),
    # language.md 3.3: x == null and x != null are always false
    (f"{A}search a != null", "N1215", "a != null", "write isnotnull(a)"),
    (f"{A}search a == null", "N1215", "a == null", "write isnull(a)"),
    (f"{A}sort a desc", "N1102", "a desc", "sort -a"),
    (f"{A}sort a ASC", "N1102", "a ASC", "sort a"),
    (f"{A}stats count by a | sort count desc | limit 1", "N1102", "count desc", "sort -count"),
    (f"{A}order by a", "N1102", "by", "sort a"),
    (f"{A}order a desc", "N1102", "desc", "sort -a"),
    (f"{A}stats count by a as x", "N1103", "a as x", "give the name before: rename a as x"),
    (f"{A}fields a as x", "N1103", "as", "give the name before: rename a as x"),
    (f"{A}fields -a", "N1104", "-a", "fields - a"),
    (f"{A}fields + a", "N1104", "+", "fields a"),
    (f"{A}stats count by (a)", "N1105", "(a)", "write a"),
    (f"{A}sort -(a)", "N1105", "-(a)", "write -a"),
    (f"{A}join on a [ json \"[{{a:1,c:1}}]\" ]", "N1105", "on a", "write a"),
    (f"{A}explode a, b", "N1106", "a, b", "explode a | explode b"),
    ("# title\ntable t\n| json \"[{a:1}]\"", "N1107", "# title\ntable t", "begin that line with a pipe: | table t"),
    # times
]  # fmt: skip

SILENT = [
    f'{A}stats count by "a"',
    f"{A}order a, _table, _id",
    f'{A}eval x = "p" < "q" | search "" == "" or "-" != "x"',
    "json \"[{'Registered No.':'x'}]\" | rex field=Registered No. \"(?<a>.)\"",
    f'{EVENT}fields "Event ID"',
    f"{A}rename a as tmp, b as a, tmp as b",
    f"{A}search isnull(zzz) or nvl(zzz, 0) == 0 or typeof(zzz) == \"int\" or isnotnull(zzz)",
    f"{A}stats count, sum(b) as s by a | sort -count | fields a, s",
    f"{A}stats count by a | stats sum(count) by a",
    f"{A}stats sum(a + b) | fields sum((a + b))",
    f"{A}eval c = a, d = c + 1 | search d > 1",
    f"{A}search a == 1 and b > a",
    f"{A}rename a as x | fields - b | sort -x",
    f"{A}eval x = $(\"who\")",
    f"{OPEN}search zzz == 1 | stats count by mod(a, 2)",
    f"{OPEN}sort a desc | fields Event ID",
    f"{OPEN}search user-agent == 1",
    f"{OPEN}timechart count",
    f"{AGENT}search field(\"user-agent\") == \"curl\"",
    "json \"[{'a':3,'b':1,'a-b':0}]\" | eval d = a-b",
    "json \"[{'a':3,'b':1}]\" | eval d = a - b",
    "json \"[{'a desc':1}]\" | sort a desc",
    "json \"[{'mod(a, 2)':1}]\" | stats count by mod(a, 2)",
    f"{EVENT}stats count by Event ID",
    f"{EVENT}fields Level",
    f"{LABEL}rex field=line \"C:\\\\dir\\\\(?<n>\\w+)\"",
    f"{A}eval x = format(\"%s %%\", a), l = array(a, b), y = format(\"%s %s\", l)",
    "json \"[{'m.a':1,'a b':2,'a*':3}]\" | rename m.a as n | stats count by a b, a* | sort -a b",
    f"{MAP}sort m.a | fields m.a",
    f"{OPEN}rename m.a as b",
    f"{A}eval _time = now() | timechart span=1h count by a",
    f"{A}tojson | fields _json",
    f"{A}join a [ json \"[{{a:1,c:1}}]\" ] | search c == 1",
    f"{A}union [ json \"[{{c:1}}]\" ] | search c == 1",
    "# title\n| json \"[{a:1}]\"",
    "# about table names\n# and more\n| json \"[{a:1}]\"",
    f"{LABEL}parsekv overlay=t | search zzz == \"x\"",
    f"{LABEL}rex field=line \"(?<who>.*)\" | search who == \"y\"",
    f"{A}eval l = array(a, b) | explode l | stats count by l",
    f"{A}pivot count rows a cols b | search zzz == 1",
]  # fmt: skip


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="UTC") as opened:
        yield opened


@pytest.mark.parametrize(("query", "code", "place", "help"), SAID, ids=lambda v: v if isinstance(v, str) else None)
def test_said(session: Session, query: str, code: str, place: str, help: str) -> None:
    (note,) = (
        n for n in session.plan(query)[0].notes if not n.code.startswith("N17")
    )  # of a join: no side has the key
    assert note.span is not None
    assert (note.code, query[note.span.start : note.span.end], note.help) == (code, place, help)


@pytest.mark.parametrize("query", SILENT)
def test_silent(session: Session, query: str) -> None:
    assert session.plan(query, {"who": "x"} if "$(" in query else None)[0].notes == ()


def test_shipped_queries_are_silent(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    paths = sorted((ROOT / "sample_data" / "queries").glob("*.lq"))
    assert {path.stem: session.plan(path.read_text("utf-8"))[0].notes for path in paths} == {p.stem: () for p in paths}


#: What newcomers typed on the sample data: reader's fields are known before a row is read.
NEWCOMERS = [
    ("textfile sample_data/auth.log | search Failed | stats count", "N1208"),
    ("textfile sample_data/auth.log | search line == '*Failed*' | stats count", "N1209"),
    ("jsonfile sample_data/access.jsonl.gz | stats count by lable", "N1001"),
    ("jsonfile sample_data/access.jsonl.gz | search staus == 404", "N1001"),
    ("jsonfile sample_data/access.jsonl.gz | stats count by status | sort count desc | limit 1", "N1102"),
    ("textfile sample_data/auth.log | fields -line | limit 1", "N1104"),
    ('ntfs-mft sample_data/ntfs/MFT | search filename == "*.exe" | stats count', "N1001"),
    ("ntfs-mft sample_data/ntfs/MFT | timechart span=1d count", "N1308"),
    ("jsonfile sample_data/access.jsonl.gz | timechart span=1h count by label", "N1308"),
]


@pytest.mark.parametrize(("query", "code"), NEWCOMERS)
def test_what_newcomers_type(session: Session, query: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert [note.code for note in session.plan(query)[0].notes] == [code]


def test_a_file_of_json_helps_with_all_its_fields(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader looks for what the query names; the help listed these alone, and knew no nearest name."""
    monkeypatch.chdir(ROOT)
    source = "jsonfile sample_data/access.jsonl.gz | "
    helps = [session.plan(source + q)[0].notes[0].help for q in ("stats count by lable", "stats count by zzzzz, label")]
    assert helps[0] == 'did you mean "label"?'
    assert helps[1] is not None
    assert helps[1].startswith("there are label, _file, _time, ")
    (note,) = session.plan(source + "fields label, status | search zzzzz == 1")[0].notes
    assert note.help == "there are label, status"


def test_names_from_a_file_that_is_no_text_are_cut(session: Session, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(bytes(range(14, 127)) * 9 + b",b\n1,2\n")
    (note,) = session.plan(f"csvfile {tmp_path / 'x.csv'} | stats count by zzz")[0].notes
    assert note.help is not None
    assert note.help.isprintable()
    assert len(note.help) < 8 * 42 + 30
