"""Constants that the values at hand have in another spelling, and patterns of other tools in functions.

language.md 3.3: a constant text is compared as it is written, and only `*` stands for other characters; functions.md:
contains() and indexof() take no patterns, in() does; commands.md, csvfile: a blank cell is an empty text.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.session import Session

TABLE = """user,st,code,ts,day,memo,size,name
kim,200,7,2024-03-01 10:00:00,01/02/2024,,9," cho"
lee,404,8,2024-03-02 11:00:00,02/03/2024,x,10," park"
kimmy,500,12,2024-03-03 12:00:00,12/01/2024,,11,oh
"""
DOCUMENTS = "json \"[{u:{level:'ERROR',n:7,tags:['a','b']},http:{status:200}}]\" | "


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="UTC") as opened:
        yield opened


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("respelt") / "a.csv"
    path.write_text(TABLE)
    return path


TS = "yyyy-MM-dd HH:mm:ss"
#: condition, code, the form that is meant.
TOLD = [
    # patterns where they are none
    ('in(user, "ki%")', "N1220", 'in(user, "ki*")'),
    ('in(user, "lee", "%my")', "N1220", 'in(user, "lee", "*my")'),
    ('in(user, "k?m", "lee")', "N1220", 'in(user, "lee") or match(user, "^k.m$")'),
    ('in(user, "kim|lee")', "N1220", 'user == "*kim*" or user == "*lee*"'),
    ('contains(user, "k*")', "N1220", 'user == "k*"'),
    ('contains(user, "ki%")', "N1220", 'user == "ki*"'),
    ('contains(user, "%im%")', "N1220", 'user == "*im*"'),
    ('contains(user, "^kim")', "N1220", 'user == "kim*"'),
    ('contains(user, "k.m+")', None, ""),
    ('contains(user, "kim|lee")', "N1220", 'user == "*kim*" or user == "*lee*"'),
    ('indexof(user, "k*") >= 0', "N1220", 'indexof(user, "k")'),
    ('user == "k?m"', "N1220", 'match(user, "^k.m$")'),
    ('user != "k?m"', "N1220", 'not(match(user, "^k.m$"))'),
    ('st == "2xx"', "N1220", 'st == "2*"'),
    ('st == "4??"', "N1220", 'st == "4*"'),
    ('st == "5.."', "N1220", 'st == "5*"'),
    ('in(st, "2xx", "404")', "N1220", 'in(st, "2*", "404")'),
    ('size == "1x"', "N1220", 'match(size, "^1[0-9]$")'),
    # blanks, quotes, lists, signs, numbers and dates written otherwise
    ('user == "kim "', "N1232", 'user == "kim"'),
    ('user != "\tkim"', "N1232", 'user != "kim"'),
    ('user == "\'kim\'"', "N1232", 'user == "kim"'),
    ('user == "kim,lee"', "N1232", 'in(user, "kim", "lee")'),
    ('user != "kim or lee"', "N1232", 'not(in(user, "kim", "lee"))'),
    ('user == "!kim"', "N1232", 'user != "kim"'),
    ('name == "cho"', "N1232", 'trim(name) == "cho"'),
    ('in(user, "kim ", "lee")', "N1232", 'in(user, "kim", "lee")'),
    ('in(name, "cho", "oh")', "N1232", 'in(name, "oh") or trim(name) == "cho"'),
    ('st == ">400"', "N1232", "double(st) > 400"),
    ('code == "07"', "N1232", "double(code) == 7"),
    ('code == "7.0"', "N1232", "double(code) == 7"),
    ('ts == "2024-03-02"', "N1232", 'ts == "2024-03-02*"'),
    ('ts == "2024-03-02T11:00:00"', "N1232",
     f'string(date(ts, "{TS}"), "yyyy-MM-dd\'T\'HH:mm:ss") == "2024-03-02T11:00:00"'),
    ('ts == "02/03/2024"', "N1232", f'string(date(ts, "{TS}"), "dd/MM/yyyy") == "02/03/2024"'),
    # what is missing
    ('memo == "null"', "N1233", 'memo == ""'),
    ('user == "NULL"', "N1233", "isnull(user)"),
    ('user != "none"', "N1233", "isnotnull(user)"),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "code", "better"), TOLD)
def test_what_the_values_are_instead_is_told(
    session: Session, table: Path, condition: str, code: str | None, better: str
) -> None:
    found = [(note.code, note.help) for note in session.plan(f"csvfile {table} | search {condition}")[0].notes]
    assert found == ([(code, f"write {better}")] if code else [])


@pytest.mark.parametrize("better", sorted({better for _, code, better in TOLD if code}))
def test_the_form_that_is_meant_runs_and_is_silent(session: Session, table: Path, better: str) -> None:
    form = f"{better} >= 0" if better.startswith("indexof") else better
    result = session.query(f"csvfile {table} | search {form}")
    assert result.notes == ()
    assert result.rows() or "isnull" in better


@pytest.mark.parametrize(
    "condition",
    [
        'user == "kim" or user == "k*" or in(user, "k*", "*my") or user == "nobody"',
        'contains(user, "ki") or contains(user, "50%") or contains(user, "what?")',
        'name == " cho" or trim(name) == "cho"',
        'user == "kim " or user == "kim"',
        'st == "200" or st == "4*" or in(st, "200", "404") or size == "x"',
        'code == "7" or code == "70"',
        'ts == "2024-03-02 11:00:00" or ts == "2024-03-02*" or ts == "2024"',
        'memo == "" or isnull(memo)',
        'isnull(user) or isnotnull(user)',
        'user == "Seoul, Korea" or user == ">" or user == "!x"',
    ],
)  # fmt: skip
def test_what_may_be_meant_is_silent(session: Session, table: Path, condition: str) -> None:
    assert session.plan(f"csvfile {table} | search {condition}")[0].notes == ()


@pytest.mark.parametrize(
    ("query", "code", "help"),
    [
        (DOCUMENTS + 'search http.status == "2xx"', "N1220", 'write http.status == "2*"'),
        (DOCUMENTS + 'search in(http.status, "5xx")', "N1220", 'write in(http.status, "5*")'),
        (DOCUMENTS + 'search u.level == "error"', "N1228", 'write u.level == "ERROR"'),
        (DOCUMENTS + 'search u.tags == "A"', "N1228", 'write u.tags == "a"'),
        ('json "[{l:[1,2],m:{k:1}}]" | eval x = l[0].k', "N1401", None),
        ('json "[{l:[1,2],m:{k:1}}]" | eval x = m[0]', "N1401", None),
        ('json "[{n:1}]" | search n == 1.5', "N1231", None),
        ('json "[{n:1}]" | search n == "1.0"', "N1203", "write n == 1"),
        ('json "[{b:true}]" | search b == "yes"', "N1203", "write b == true"),
        ('json "[{b:true}]" | search b != "FALSE"', "N1203", "write b != false"),
    ],
)
def test_what_types_and_documents_show_is_told(session: Session, query: str, code: str, help: str | None) -> None:
    assert [(note.code, note.help) for note in session.plan(query)[0].notes] == [(code, help)]


@pytest.mark.parametrize(
    "query",
    [
        DOCUMENTS + 'search u.level == "ERROR" or http.status == "2*" or u.n == "7" or u.tags == "a"',
        'json "[{l:[{x:1}],m:{k:[1]}}]" | eval a = l[0].x, b = m.k[0] | search a == 1 or b == 1.0',
        'json "[{line:\'{}\'}]" | parsejson | search status == "2xx"',
    ],
)
def test_paths_that_lead_somewhere_are_silent(session: Session, query: str) -> None:
    assert session.query(query).notes == ()


def test_a_key_that_no_item_of_a_list_has_is_told(session: Session) -> None:
    """`l[0].z` over maps with x was null in every row, and nothing was told."""
    result = session.query('json "[{l:[{x:1},{x:2}]}]" | eval y = l[0].z')
    assert result.rows()
    assert [(entry.reason, entry.source) for entry in result.ledger] == [("no-member", "l[0].z (l[0].x)")]


@pytest.mark.parametrize(
    ("condition", "help"),
    [
        ('ts > "02/03/2024"',
         f'write date(ts, "{TS}") > date("02/03/2024", "dd/MM/yyyy"), or read with csvfile types=t'
         ' ("MM/dd/yyyy" where the month stands first)'),
        ('day > "02/03/2024"',
         'write date(day, "dd/MM/yyyy") > date("02/03/2024", "dd/MM/yyyy")'
         ' ("MM/dd/yyyy" where the month stands first)'),
        ('day >= "2024-02-01"', 'write date(day, "dd/MM/yyyy") >= date("2024-02-01", "yyyy-MM-dd")'),
    ],
)  # fmt: skip
def test_dates_whose_form_is_in_no_order_are_told(session: Session, table: Path, condition: str, help: str) -> None:
    (note,) = session.plan(f"csvfile {table} | search {condition}")[0].notes
    assert (note.code, note.help) == ("N1214", help)


def test_it_is_said_in_korean(session: Session, table: Path) -> None:
    token = LANGUAGE.set("ko")
    try:
        (note,) = session.plan(f'csvfile {table} | search user == "kim "')[0].notes
        assert note.sentence == '"kim "을(를) 적힌 그대로 비교합니다. 처음 행들에는 "kim"만 있습니다'
    finally:
        LANGUAGE.reset(token)
