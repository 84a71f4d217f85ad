"""Notes about arguments that never do what they stand for, and about patterns of other tools.

Expected is what a query of that kind gives by the specification (language.md 3.3, 4 and 9): null, every row, no row.
A help that says ``write ...`` is run in place of what it mends: it has to run, and to be silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.diagnostics.messages import LANGUAGE
from logsql.diagnostics.notes import Note
from logsql.engine.session import Session

ROW = "json \"[{a:'abc', n:5, t:'3', line:'x Failed y'}]\" | "


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="Asia/Seoul") as opened:
        yield opened


def notes(session: Session, query: str) -> list[tuple[str, str, str | None]]:
    """Code, the piece of the query that is pointed at, the help line."""
    found: tuple[Note, ...] = session.plan(query)[0].notes
    return [(n.code, query[n.span.start : n.span.end] if n.span else "", n.help) for n in found]


#: The query up to an expression, the expression, code, the place, what to write instead of the expression.
TOLD = [
    # a text or a fraction where a whole number stands: null (functions.md)
    ("eval x = ", 'left(a, "2")', "N1320", '"2"', "left(a, 2)"),
    ("eval x = ", 'substr(a, "0", "1")', "N1320", '"0"', "substr(a, 0, 1)"),
    ("eval x = ", "left(a, len(a) / 2)", "N1320", "len(a) / 2", "left(a, int(len(a) / 2))"),
    ("eval x = ", "right(a, t)", "N1320", "t", "right(a, int(t))"),
    ("eval x = ", "lpad(a, 1.5)", "N1320", "1.5", None),
    ("eval x = ", 'indexof(a, "b", "0")', "N1320", '"0"', 'indexof(a, "b", 0)'),
    ("eval x = ", 'subarray(split(a, ","), "0")', "N1320", '"0"', 'subarray(split(a, ","), 0)'),
    # bytes, lists
    ("eval x = ", 'hash("md5", a)', "N1320", "a", 'hash("md5", binary(a))'),
    ("eval x = ", "tobase64(a)", "N1320", "a", "tobase64(binary(a))"),
    ("eval x = ", "tohex(n)", "N1320", "n", None),
    ("eval x = ", 'strjoin(",", a)', "N1320", "a", None),
    # patterns of other tools, which are looked for as they are written
    ("search ", 'contains(line, "*Failed*")', "N1220", '"*Failed*"', 'contains(line, "Failed")'),
    ("search ", 'contains(line, "*.exe")', "N1220", '"*.exe"', 'contains(line, ".exe")'),
    ("search ", 'indexof(line, "*Failed*") >= 0', "N1220", '"*Failed*"', 'indexof(line, "Failed")'),
    ("search ", 'contains(line, "[0-9]+")', "N1220", '"[0-9]+"', 'match(line, "[0-9]+")'),
    ("search ", 'contains(line, ".*Failed.*")', "N1220", '".*Failed.*"', 'contains(line, "Failed")'),
    ("search ", 'line == "%Failed%"', "N1220", '"%Failed%"', 'line == "*Failed*"'),
    ("search ", 'line != ".*Failed.*"', "N1220", '".*Failed.*"', 'line != "*Failed*"'),
    ("eval x = ", 'split(a, "\\\\|")', "N1220", '"\\\\|"', 'split(a, "|")'),
    ("eval x = ", 'split(a, "\\\\s+")', "N1220", '"\\\\s+"', 'split(replace(a, "\\\\s+", " ", "re"), " ")'),
    ("eval x = ", 'replace(a, "\\\\d", "")', "N1220", '"\\\\d"', 'replace(a, "\\\\d", "", "re")'),
    # every number is true: a position 0 is the first character
    ("search ", 'indexof(line, "x")', "N1206", 'indexof(line, "x")', 'indexof(line, "x") >= 0'),
]
SILENT = [
    "eval x = left(a, 2), y = left(a, int(t)), z = left(a, long(t)), w = substr(a, -1), v = left(a, null)",
    'eval x = hash("md5", binary(a)), y = tobase64(frombase64(a)), z = strjoin(",", split(a, ","))',
    'eval x = strjoin(",", nosuch)',
    'search contains(line, "SELECT *") or contains(line, "*") or contains(line, "**") or contains(line, "a*b")',
    'eval p = valueof(split(a, "\\\\"), 1), q = replace(a, "\\\\Device", ""), r = split(a, "."), s = split(a, "|")',
    'eval p = replace(a, "\\\\d", "", "re"), q = replace(a, "[pre-auth]", "")',
    'search line == "%SystemRoot%" or line == "%ProgramFiles%" or line == "100%" or line == "*%x%"',
    'search indexof(line, "x") >= 0',
]


@pytest.mark.parametrize(("before", "expression", "code", "place", "better"), TOLD)
def test_a_note_says_what_is_meant(
    session: Session, before: str, expression: str, code: str, place: str, better: str | None
) -> None:
    query = ROW + before + expression
    ((told, at, help), *_) = notes(session, query)
    assert (told, at) == (code, place)
    if better is None:
        assert help is None
        return
    assert help is not None
    assert help.endswith(better)
    whole = better if before != "search " or re.search(r"[<>=]|^(contains|match)", better) else f"{better} >= 0"
    assert notes(session, ROW + before + whole) == []
    session.query(ROW + before + whole).rows()


@pytest.mark.parametrize("query", SILENT)
def test_a_right_call_is_silent(session: Session, query: str) -> None:
    found = notes(session, ROW + query)
    assert [n for n in found if n[0] != "N1001"] == []


FLAGS = "json \"[{f:0, b:'false', c:'TRUE', s:404, t:'a', l:['x', 'y'], k:[1, 2], m:{l:['x', 'y']}, ip:'10.0.0.1'},"
FLAGS += "{f:1, b:'true', c:'no', s:7, t:'b', l:['z'], k:[3], m:{l:['z']}, ip:'9.0.0.1'}]\" | search "

#: A condition that is the same for every row, code, the place, what to write.
SAME = [
    # one value has one value (3.3); together they are never, or always, true
    ("s == 200 and s == 404", "N1221", "s == 404", "s == 200 or s == 404"),
    ('t == "a" and t == "b"', "N1221", 't == "b"', 't == "a" or t == "b"'),
    ("s != 200 or s != 404", "N1221", "s != 404", "s != 200 and s != 404"),
    ('t == "*" and (s > 300 and s < 200)', "N1221", "s < 200", None),
    ("s >= -1 and s <= -2", "N1221", "s <= -2", None),
    # every value but false and null is true (3.4)
    ("f", "N1222", "f", "f == 1"),
    ("b", "N1222", "b", 'b == "true"'),
    ('t == "a" and b', "N1222", "b", 'b == "true"'),
    # texts are compared letter by letter, and as a whole (3.3, 4)
    ('ip > "9.0.0.5"', "N1223", 'ip > "9.0.0.5"', 'ip(ip) > ip("9.0.0.5")'),
    ('ip == "10.1.2.3/8"', "N1224", '"10.1.2.3/8"', 'network(ip, 8) == "10.0.0.0"'),
    # a list is compared as the text [x, y] (3.5); only a path into one meets its items
    ('l == "x"', "N1203", 'l == "x"', 'contains(l, "x")'),
    ('l != "x"', "N1203", 'l != "x"', 'not(contains(l, "x"))'),
    ('k == "1"', "N1203", 'k == "1"', "contains(k, 1)"),
    ("k == 1", "N1202", "k == 1", "contains(k, 1)"),
]
OPEN_CONDITIONS = [
    's == 200 or s == 404', 's != 200 and s != 404', 's > 100 and s < 300', 's >= 7 and s <= 7',
    't == "a*" and t == "*a"',
    'm.l == "x" and m.l == "y"', 'm.l == "x"', 'l == "[x, y]" or l == "*x*"', "s", "t", "c",
    'ip > "1.0.0.0" and ip == "10.*"', 's == "404" and s == 404', 't != "a" or s != 1',
]  # fmt: skip


@pytest.mark.parametrize(("condition", "code", "place", "better"), SAME)
def test_a_condition_that_is_the_same_for_every_row(
    session: Session, condition: str, code: str, place: str, better: str | None
) -> None:
    ((told, at, help), *more) = notes(session, FLAGS + condition)
    assert (told, at, more) == (code, place, [])
    assert help == (None if better is None else f"write {better}")
    if better is not None:
        assert notes(session, FLAGS + better) == []
        assert session.query(FLAGS + better).rows() != []


@pytest.mark.parametrize("condition", OPEN_CONDITIONS)
def test_a_condition_that_rows_answer_is_silent(session: Session, condition: str) -> None:
    assert notes(session, FLAGS + condition) == []


@pytest.mark.parametrize(
    ("values", "better"),
    [
        (["1,234", "12"], 'write sum(double(replace(n, ",", "")))'),
        (["1,234", "5,678"], 'write sum(double(replace(n, ",", "")))'),
        (["12 KB", "3 MB"], None),
        (["1.234,50", "99,10"], None),
        (["12%", "9%"], 'write sum(double(replace(n, "%", "")))'),
        (["1 200", "900"], 'write sum(double(replace(n, " ", "")))'),
        (["1\u00a0200", "7"], 'write sum(double(replace(n, "\u00a0", "")))'),
        (["12 KB", "3 KB"], 'write sum(double(replace(n, "KB", "")))'),
        (["₩1000", "₩20"], 'write sum(double(replace(n, "₩", "")))'),
        (["1,200원", "20원"], 'write sum(double(replace(replace(n, "원", ""), ",", "")))'),
        (["5", "x"], "write sum(double(n))"),
        (["5", ""], "write sum(double(n)), or read with csvfile types=t"),
    ],
)
def test_the_help_of_a_sum_of_texts_makes_numbers_of_these(
    session: Session, tmp_path: Path, values: list[str], better: str | None
) -> None:
    path = tmp_path / "n.csv"
    path.write_text("n\n" + "".join(f'"{value}"\n' for value in values))
    ((code, _, help),) = notes(session, f"csvfile {path} | stats sum(n)")
    assert (code, help) == ("N1301", better)


DECORATED = {
    "12%": ["12%", "9%", "100%"],
    "$1,200": ["$1,200", "$900", "$10,000"],
    "1 200": ["1 200", "900", "10 000"],
    "₩1000": ["₩1000", "₩900", "₩20000"],
    "12ms": ["12ms", "9ms", "100ms"],
    "1,200원": ["1,200원", "900원", "20,000원"],
}


@pytest.mark.parametrize("shape", DECORATED)
@pytest.mark.parametrize(
    "use",
    ["stats max({n})", "stats min({n})", "search {n} > m", "eval x = max({n}, m)",
     "sort {n}", "sort limit=1 -{n}", 'search {n} > 10', 'search {n} >= "10"',
     "stats sum({n})", "stats avg({n})", "eval x = max({n}, 1)", "eval x = min(1, {n})"],
)  # fmt: skip
def test_numbers_with_signs_and_units_are_told_in_every_use(
    session: Session, tmp_path: Path, shape: str, use: str
) -> None:
    """Of 12% and 9% the largest was 9%, and nothing was said. What is proposed runs, gives numbers and is silent."""
    path = tmp_path / "n.csv"
    values = DECORATED[shape]
    path.write_text("n,m\n" + "".join(f'"{value}",5\n' for value in values))
    (note,) = session.plan(f"csvfile {path} | {use.format(n='n')}")[0].notes
    assert note.help is not None
    better = note.help.removeprefix("write ").partition(", or read")[0]
    command = "" if use.startswith("sort") else "eval x = " if use.startswith("eval") else use.partition(" ")[0] + " "
    form = f"csvfile {path} | {command}{better}"
    assert notes(session, form) == []
    result = session.query(form)
    assert result.rows() != []
    assert result.ledger.total == 0


@pytest.mark.parametrize("use", ["stats max(n)", "sort n"])
def test_sizes_in_several_units_are_told_without_a_form(session: Session, tmp_path: Path, use: str) -> None:
    path = tmp_path / "n.csv"
    path.write_text("n\n3.5 GB\n700 MB\n1 GB\n")
    assert [(code, help) for code, _, help in notes(session, f"csvfile {path} | {use}")] == [("N1302", None)]
    path.write_text("n\n3rd\n21st\nv10\n")
    assert notes(session, f"csvfile {path} | {use}") == []


def test_notes_of_arguments_in_korean(session: Session) -> None:
    token = LANGUAGE.set("ko")
    try:
        (note,) = session.plan(ROW + 'eval x = left(a, "2")')[0].notes
        assert note.sentence == 'left()의 이 자리에는 정수를 줍니다. "2"은(는) 텍스트이므로 결과가 늘 null입니다'
        assert note.help == "left(a, 2)(으)로 쓰세요"
    finally:
        LANGUAGE.reset(token)


#: A command, code, the place, the help.
WITHOUT_EFFECT = [
    ("explode a", "N1404", "a", 'make a list of it: eval a = split(a, ",") | explode a'),
    ("explode n", "N1404", "n", None),
    ("parsemap field=line", "N1404", "parsemap", "write parsejson field=line"),
    ("stats percentile(n, 0.95)", "N1321", "0.95", "write 95"),
]


@pytest.mark.parametrize(("command", "code", "place", "help"), WITHOUT_EFFECT)
def test_a_command_that_does_nothing_is_told(
    session: Session, command: str, code: str, place: str, help: str | None
) -> None:
    assert notes(session, ROW + command) == [(code, place, help)]


@pytest.mark.parametrize(
    "command",
    ['eval a = split(a, ",") | explode a', "explode nosuch", "stats percentile(n, 95), percentile(n, 0)",
     "parsejson | explode list", 'eval m = dict("k", 1) | parsemap field=m'],
)  # fmt: skip
def test_a_command_that_may_open_something_is_silent(session: Session, command: str) -> None:
    assert [n for n in notes(session, ROW + command) if n[0] != "N1001"] == []


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("1,2\n3,4\n", "write csvfile header=f ..."),
        ("# made by x\na,b\n1,2\n", 'write csvfile comment="#" ...'),
        ('[\n{"a":1},\n{"a":2}\n]\n', "write jsonfile ...: the file holds JSON"),
        ('{"a":1}\n{"a":2}\n', "write jsonfile ...: the file holds JSON"),
        ("a,b\n1,2\n", None),
        ("#,name\n1,x\n", None),
        ("7\n1\n", None),
        ("year,2023,2024\nx,1,2\n", None),
    ],
)
def test_a_first_line_that_is_no_header(session: Session, tmp_path: Path, text: str, help: str | None) -> None:
    path = tmp_path / "file.csv"
    path.write_text(text)
    found = notes(session, f"csvfile {path}")
    assert found == ([] if help is None else [("N1403", "csvfile", help)])
    for option in ("header=f", 'comment="#"') if help is not None and help.startswith("write csvfile") else ():
        if option in str(help):
            assert notes(session, f"csvfile {option} {path}") == []
            assert session.query(f"csvfile {option} {path} | stats count").rows() == [
                {"count": 1 + (option == "header=f")}
            ]


DATES = (
    "json \"[{a:'13/02/2024', b:'01/02/2024', c:'2024-13-01', l:[{k:1}]},{a:'01/02/2024', b:'02/01/2024', c:'x'}]\" | "
)


@pytest.mark.parametrize(
    ("expression", "place", "code", "help"),
    [
        # lenient dates count a thirteenth month on into the next year (language.md 6)
        ('date(a, "MM/dd/yyyy")', '"MM/dd/yyyy"', "N1313", 'write "dd/MM/yyyy"'),
        ('date(c, "yyyy-MM-dd")', '"yyyy-MM-dd"', "N1313", 'write "yyyy-dd-MM"'),
        # a list has places, no keys
        ("l.k", "l.k", "N1401", "write l[0].k"),
    ],
)
def test_values_that_the_pattern_and_the_path_do_not_fit(
    session: Session, expression: str, place: str, code: str, help: str
) -> None:
    assert notes(session, f"{DATES}eval x = {expression}") == [(code, place, help)]


@pytest.mark.parametrize("expression", ['date(a, "dd/MM/yyyy")', 'date(b, "MM/dd/yyyy")', "l[0].k", "l[0]"])
def test_values_that_fit_are_silent(session: Session, expression: str) -> None:
    assert notes(session, f"{DATES}eval x = {expression}") == []
