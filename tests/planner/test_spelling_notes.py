"""Texts whose values are spelled otherwise, have separators, or are numbers but for a few: what is told of them.

Letter case: language.md 3.3, a constant text is a pattern and letter case counts. Texts compare letter by letter
(language.md 3.3), a blank cell of a CSV file is an empty text and not null (commands.md, csvfile).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.session import Session

TABLE = """level,user_id,bytes,paid,day,iso,memo,amount,Bytes Sent,code
ERROR,9,"1,234","$1,200",05.03.2024,2024-03-05,,9,5,a1
INFO,10,12,$900,06.04.2023,2024-03-06,,10,10,2
Info,x,"9,999",-,07.01.2024,2024-03-07,x,2019,7,b3
WARN,100,"1,000",$5,08.01.2024,2024-03-08,,4,8,14
WARN,7,-,$10,08.01.2024,2024-03-08,,5,8,c5
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="Asia/Seoul") as opened:
        yield opened


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spellings") / "a.csv"
    path.write_text(TABLE)
    return path


TYPED = ", or read with csvfile types=t"
TOLD = [
    ('search level == "error"', "N1228", 'write level == "ERROR"'),
    ('search level != "error"', "N1228", 'write level != "ERROR"'),
    ('search level == "err*"', "N1228", 'write lower(level) == "err*"'),
    ('search level == "inFO"', "N1228", 'write lower(level) == "info"'),
    ('search level == "error" or level == "warn" and amount == "9"', "N1228", 'write level == "ERROR"'),
    ('search in(level, "error", "WARN")', "N1228", 'write in(level, "ERROR", "WARN")'),
    ('search in(level, "info")', "N1228", 'write in(lower(level), "info")'),
    ('search in(level, "WAR*", "err*")', "N1228", 'write in(lower(level), "war*", "err*")'),
    ('eval a = if(level == "error", 1, 0)', "N1228", 'write level == "ERROR"'),
    ("sort user_id", "N1302", "write eval user_id = double(user_id) | sort user_id"),
    ("stats max(user_id)", "N1302", "write max(double(user_id))"),
    ('search user_id > "10"', "N1204", "write double(user_id) > 10"),
    ("search bytes > 1000", "N1201", 'write double(replace(bytes, ",", "")) > 1000'),
    ("search bytes == 1234", "N1202", 'write double(replace(bytes, ",", "")) == 1234'),
    ('search bytes > "1000"', "N1204", 'write double(replace(bytes, ",", "")) > 1000'),
    ("stats sum(bytes)", "N1301", 'write sum(double(replace(bytes, ",", "")))'),
    ("stats max(bytes)", "N1302", 'write max(double(replace(bytes, ",", "")))'),
    ("sort -bytes", "N1302", 'write eval bytes = double(replace(bytes, ",", "")) | sort -bytes'),
    ("stats sum(paid)", "N1301", 'write sum(double(replace(replace(paid, "$", ""), ",", "")))'),
    ("search paid > 100", "N1201", 'write double(replace(replace(paid, "$", ""), ",", "")) > 100'),
    ("search amount > 100", "N1201", "write double(amount) > 100" + TYPED),
    ("search user_id > 50", "N1201", "write double(user_id) > 50"),
    ('search day > date("2024-01-01", "yyyy-MM-dd")', "N1201",
     'write date(day, "dd.MM.yyyy") > date("2024-01-01", "yyyy-MM-dd")'),
    ('search iso > date("2024-01-01", "yyyy-MM-dd")', "N1201",
     'write date(iso, "yyyy-MM-dd") > date("2024-01-01", "yyyy-MM-dd")' + TYPED),
    ("search memo == null", "N1215", 'write memo == ""'),
    ("search memo != null", "N1215", 'write memo != ""'),
    ("search level == null", "N1215", "write isnull(level)"),
    ("sort -Bytes Sent", "N1302", 'write eval bytes_sent = double(field("Bytes Sent")) | sort -bytes_sent' + TYPED),
    ("search 'amount' == \"9\"", "N1209", "write amount"),
    # what DuckDB computes on the way is looked at too: a group of rex, a part of a text, what parsekv reads
    ('rex field=iso "2024-0(?<month>[0-9]+)" | search code == "A1"', "N1228", 'write code == "a1"'),
    ('rex field=level "(?<c>[A-Z]+)" | search c == "warn"', "N1228", 'write c == "WARN"'),
]  # fmt: skip


@pytest.mark.parametrize(("query", "code", "help"), TOLD, ids=[query for query, *_ in TOLD])
def test_what_the_values_at_hand_show_is_told(session: Session, table: Path, query: str, code: str, help: str) -> None:
    """Nothing was told, or a form that helps nobody: `double(bytes)` of "1,234" is null."""
    found = [(note.code, note.help) for note in session.plan(f"csvfile {table} | {query}")[0].notes]
    assert found[0] == (code, help)


@pytest.mark.parametrize(
    "query",
    [
        'search level == "ERROR" or level == "E*" or level == "ebug" or level == "*"',
        'search level == "error" or level == "ERROR"',
        'search level != "error" and level != "ERROR"',
        'search in(level, "error", "ERROR", "debug")',
        'search lower(level) == "error" and in(lower(level), "error")',
        'search code > "2" | sort code | stats max(code)',  # three of five are no numbers
        'search memo == "" or isnull(memo)',
        'eval n = valueof(split(amount, "."), 0) | sort level, n',
        'search level == "er*r" or level == "**info"',
        'eval bot = if(level == "*err*", 1, 0)',  # a column of what is rare
        'rex field=iso "(?<year>[0-9]+)-" | sort year',
    ],
)
def test_what_fits_the_values_is_silent(session: Session, table: Path, query: str) -> None:
    assert session.plan(f"csvfile {table} | {query}")[0].notes == ()


@pytest.mark.parametrize("query", [query for query, *_ in TOLD if not query.startswith("stats sum")])
def test_what_the_help_says_runs_and_tells_nothing(session: Session, table: Path, query: str) -> None:
    note = session.plan(f"csvfile {table} | {query}")[0].notes[0]
    assert note.help is not None
    better = note.help.removeprefix("write ").removesuffix(TYPED)
    head = query.split()[0]
    if "rex" in query:
        better = f"{query.rpartition('| ')[0]} | search {better}"
    elif head in ("search", "stats"):
        better = f'{head} {better} == "9"' if better == "amount" else f"{head} {better}"
    elif head == "eval":
        better = f"search {better}"
    result = session.query(f"csvfile {table} | {better}")
    assert result.rows() or "isnull" in better
    assert result.notes == ()


def test_it_is_said_in_korean(session: Session, table: Path) -> None:
    token = LANGUAGE.set("ko")
    try:
        (note,) = session.plan(f'csvfile {table} | search level == "error"')[0].notes
        assert note.sentence == '대소문자를 구분해 비교합니다. 처음 행들에는 "error"이(가) "ERROR"(으)로만 있습니다'
    finally:
        LANGUAGE.reset(token)


@pytest.mark.parametrize(
    ("query", "help"),
    [
        ("stats sum amount by level", "use sum(amount)"),
        ("stats count amount by level", 'name the result with "as": count as name'),
        ("search 'Bytes Sent' > 1000",
         'text stands in double quotes: "Bytes Sent"; a name with blanks is written field("Bytes Sent")'),
    ],
)  # fmt: skip
def test_what_is_refused_says_what_runs(session: Session, table: Path, query: str, help: str) -> None:
    with pytest.raises(QueryError) as refused:
        session.plan(f"csvfile {table} | {query}")
    assert refused.value.help == help


LINES = """[{line:'took=9 ms'},{line:'took=10 ms'}]"""


@pytest.mark.parametrize(
    "made",
    [
        'rex field=line "took=(?<took>[0-9]+)"',
        r'rex field=line "took=(?<took>\d+) (?<unit>\w+)"',
        r'rex field=line "took=(?<took>\d+)(?<unit>.*)"',
        'eval took = valueof(split(valueof(split(line, " "), 0), "="), 1)',
        "parsekv",
    ],
)
def test_numbers_that_are_taken_out_of_a_text_are_texts(session: Session, made: str) -> None:
    """language.md 3.3: `max` of them gave 9, and nothing was told."""
    for then, code, better in (
        ("stats max(took)", "N1302", "max(double(took))"),
        ("sort -took", "N1302", "eval took = double(took) | sort -took"),
        ('search took > "5"', "N1204", "double(took) > 5"),
    ):
        (note,) = session.plan(f'json "{LINES}" | {made} | {then}')[0].notes
        assert (note.code, note.help) == (code, f"write {better}")
        counted = session.query(f'json "{LINES}" | {made} | {then}')
        assert counted.rows()
        assert [(n.code, n.help) for n in counted.notes] == [(code, f"write {better}")]
        assert list(counted.ledger) == []
