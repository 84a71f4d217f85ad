"""Constants that a function never gives: what each function gives is said by functions.md (lower: lower case; typeof:
the names of the types; left: so many characters; len: 0 or more)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from logsql.diagnostics.messages import LANGUAGE
from logsql.engine.session import Session
from logsql.registry import FUNCTIONS

ROW = "json \"[{a:'ABC',l:[1],n:3,d:'2024-03-01'}]\" | "
MD5 = 'tohex(hash("md5", binary(a)))'
HASH = "902FBDD2B1DF0C4F70B4A5D23525E932"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="UTC") as opened:
        yield opened


#: condition, the form that is meant; "" where none is near.
TOLD = [
    ('lower(a) == "ABC"', 'lower(a) == "abc"'),
    ('lower(a) != "ABC"', 'lower(a) != "abc"'),
    ('upper(a) == "ab*"', 'upper(a) == "AB*"'),
    ('in(upper(a), "abc", "DEF")', 'in(upper(a), "ABC", "DEF")'),
    ('contains(lower(a), "AB")', 'contains(lower(a), "ab")'),
    ('match(lower(a), "AB")', 'match(lower(a), "ab")'),
    ('indexof(upper(a), "b") == 1', 'indexof(upper(a), "B")'),
    ('trim(a) == "ABC "', 'trim(a) == "ABC"'),
    ('trim(lower(a)) == "Abc"', 'trim(lower(a)) == "abc"'),
    ('left(a, 2) == "ABC"', 'left(a, 3) == "ABC"'),
    ('right(a, 2) == "ABC"', 'right(a, 3) == "ABC"'),
    ('substr(a, 0, 2) == "ABC"', 'substr(a, 0, 3) == "ABC"'),
    ('substr(a, -2) == "ABC"', ""),
    ('left(lower(a), 2) == "AB"', 'left(lower(a), 2) == "ab"'),
    ('lpad(a, 5, "0") == "0ABC"', ""),
    (f'{MD5} == "abc"', ""),
    (f'{MD5} == "{HASH}"', f'{MD5} == "{HASH.lower()}"'),
    (f'hash("md5", binary(a)) == "{HASH}"', f'hash("md5", binary(a)) == "{HASH.lower()}"'),
    (f'in(tohex(hash("sha1", binary(a))), "{HASH.lower()}")', ""),
    ('typeof(n) == "integer"', 'typeof(n) == "int"'),
    ('typeof(a) == "String"', 'typeof(a) == "string"'),
    ('typeof(a) != "null"', "not(isnull(a))"),
    ('typeof(n) == "number"', "isnum(n)"),
    ('in(typeof(n), "integer", "str")', 'in(typeof(n), "int", "string")'),
    ('network(a, 24) == "10.0.0.0/24"', ""),
    ("len(a) < 0", ""),
    ("len(a) >= 0", ""),
    ("-1 >= len(a)", ""),
    ('indexof(a, "B") == -2', ""),
    ('datepart(date(d, "yyyy-MM-dd"), "month") == 0', ""),
    ('datepart(date(d, "yyyy-MM-dd"), "hour") > 23', ""),
    ("mod(n, 5) == 5", ""),
    ("abs(n) < 0", ""),
    ('if(lower(a) == "Abc", true, false)', 'lower(a) == "abc"'),
]


@pytest.mark.parametrize(("condition", "better"), TOLD)
def test_a_constant_that_is_never_given_is_told(session: Session, condition: str, better: str) -> None:
    (note,) = session.plan(f"{ROW}search {condition}")[0].notes
    assert (note.code, note.help) == ("N1231", f"write {better}" if better else None)
    if better:
        form = better if not better.startswith("indexof") else f"{better} >= 0"
        assert session.plan(f"{ROW}search {form}")[0].notes == ()


@pytest.mark.parametrize(
    "condition",
    [
        'lower(a) == "abc" or lower(a) == "한글" or upper(a) == "ABC 1" or lower(a) == "*"',
        '"ABC" == lower(a)',  # a text in front is no pattern, and texts are equal in any letter case
        'lower(a) == a or in(lower(a), a, "abc")',
        'match(lower(a), "^\\\\S+|ABC") or contains(lower(a), "")',
        'trim(a) == "A B" or trim(a) == "* B"',
        'left(a, 2) == "AB" or left(a, 2) == "*A*B*" or left(a, 2) == ""',
        'substr(a, 1) == "BC" or substr(a, 1, n) == "BCDEFG" or left(a, n) == "ABC"',
        'lpad(a, 5, "0") == "00ABC" or lpad(a, 5, "0") == "*C"',
        f'{MD5} == "{HASH.lower()}" or {MD5} == "902f*"',
        'typeof(a) == "string" or typeof(a) == "i*" or in(typeof(a), "int", "long")',
        "len(a) > 0 or len(a) == 0 or len(a) <= 0 or indexof(a, \"B\") >= -1",
        'datepart(date(d, "yyyy-MM-dd"), "hour") >= 9 and datepart(date(d, "yyyy-MM-dd"), "hour") < 18',
        'mod(n, 5) == -4 or abs(n) > 0 or datepart(date(d, "yyyy-MM-dd"), "year") == 0',
        'nvl(lower(a), "NONE") == "NONE"',
    ],
)  # fmt: skip
def test_what_may_be_given_is_silent(session: Session, condition: str) -> None:
    assert session.plan(f"{ROW}search {condition}")[0].notes == ()


def test_what_a_function_gives_holds_of_its_own_examples() -> None:
    """A row that says too little of its results would call a right condition never true."""
    from logsql.language.expressions import parse_expression
    from logsql.planner.notes.given import of
    from logsql.planner.results import held, missed

    seen = 0
    for spec in FUNCTIONS.values():
        for example in spec.examples:
            if spec.gives is None or example.result is None or not example.expression.startswith(f"{spec.name}("):
                continue
            known = of(parse_expression(example.expression))
            seen += 1
            if isinstance(example.result, str):
                assert missed(known, example.result) is None, example
            elif isinstance(example.result, int | float) and not isinstance(example.result, bool):
                assert held(known, "==", example.result) is not False, example
    assert seen > 20


def test_it_is_said_in_korean(session: Session) -> None:
    token = LANGUAGE.set("ko")
    try:
        (note,) = session.plan(f'{ROW}search lower(a) == "ABC"')[0].notes
        assert note.sentence == 'lower(a)의 결과로 "ABC"은(는) 나오지 않습니다: 대문자가 없습니다'
    finally:
        LANGUAGE.reset(token)
