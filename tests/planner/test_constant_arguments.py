"""A constant that a function has no result for is refused or told, whatever function of the registry it is.

The rule of each is in its row: language.md 9 ("null for non-numbers", "null on a wrong type") and functions.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.engine.session import Session
from logsql.language.expressions import parse_expression
from logsql.language.tree import Call, canonical
from logsql.planner.duties import Takes
from logsql.planner.function_spec import FUNCTIONS, FunctionSpec

ROW = "json \"[{a:5,d:1.5,s:'abc def',l:[3,1,2],m:{k:1},n:null}]\" | "
WRONG = {
    Takes.WHOLE: ("1.5", '"x"', "true", "array(1)"),
    Takes.BYTES: ("1", '"x"', "true"),
    Takes.TEXT_BYTES: ("1", '"x"', "true"),
    Takes.LIST: ("1", '"x"', "true"),
}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session(tz="UTC") as opened:
        yield opened


def _places() -> list[tuple[FunctionSpec, int, tuple[str, ...]]]:
    found = []
    for spec in {id(spec): spec for spec in FUNCTIONS.values()}.values():
        found += [(spec, place, WRONG[taken]) for place, taken in spec.takes]
        numbers = ('"x"', "true", "array(1)", *(("1.5",) if spec.integers else ()))
        found += [(spec, place, numbers) for place in range(spec.numbers)]
    return found


def _codes(session: Session, expression: str) -> list[str]:
    try:
        return [note.code for note in session.plan(f"{ROW}eval r = {expression}")[0].notes]
    except QueryError as problem:
        return [problem.code]


@pytest.mark.parametrize(("spec", "place", "wrong"), _places(), ids=lambda v: getattr(v, "name", str(v)))
def test_a_constant_of_a_type_that_is_never_taken(
    session: Session, spec: FunctionSpec, place: int, wrong: tuple[str, ...]
) -> None:
    calls = [call for e in spec.examples if isinstance(call := parse_expression(e.expression), Call)]
    call = next(call for call in calls if call.name == spec.name)
    args = [*call.args, *(parse_expression("0") for _ in range(place + 1 - len(call.args)))]
    made = [replace(call, args=(*args[:place], parse_expression(w), *args[place + 1 :])) for w in wrong]
    assert [canonical(m) for m in made if not _codes(session, canonical(m))] == []


@pytest.mark.parametrize(
    ("expression", "codes"),
    [
        ("mod(a, 2.5)", ["N1320"]),
        ("mod(a, 0)", ["N1329"]),
        ('pow(a, "2")', ["N1320"]),
        ('abs("7")', ["N1320"]),
        ('round(d, "1")', ["N1320"]),
        ("round(d, 1.5)", ["N1320"]),
        ('substr(s, "x")', ["N1320"]),
        ("substr(s, 3, 1)", ["N1329"]),
        ("left(s, -1)", ["90720"]),
        ("right(s, -1)", ["90721"]),
        ("lpad(s, -1)", ["N1329"]),
        ('rpad(s, 9, "")', ["N1329"]),
        ('split(s, "")', ["90772"]),
        ('valueof(l, "k")', ["N1329"]),
        ("valueof(l, -1)", ["N1329"]),
        ("valueof(m, 0)", ["N1329"]),
        ('network("1.2.3.4", 129)', ["N1329"]),
        ('date(s, "")', ["N1304"]),
        ('string(now(), "-")', ["N1304"]),
        # language.md 9: the pattern of string() is for dates; what is none stays as it is
        ('string(5, "yyyy")', ["N1310"]),
        ('string("x", "yyyy")', ["N1310"]),
        ('string(true, "yyyy")', ["N1310"]),
        ('string(d, "yyyy")', ["N1310"]),
        ('string(l, "yyyy")', ["N1310"]),
        # years end at 9999
        ('dateadd(now(), "year", 100000)', ["N1316"]),
        ('dateadd(now(), "year", 9000)', ["N1316"]),
        ('dateadd(date("2024", "yyyy"), "day", -900000)', ["N1316"]),
        ('dateadd(now(), "day", 99999999999)', ["N1316"]),
        ('ago("9999999d")', ["N1316"]),
        # a pattern is read leniently, and 30 February is 1 March
        ('date("2024-02-30", "yyyy-MM-dd")', ["N1317"]),
        ('date("2024-13-01", "yyyy-MM-dd")', ["N1317"]),
        ('date("2024-01-01 25:61", "yyyy-MM-dd HH:mm")', ["N1317"]),
        ('date("24-01-31", "yyyy-MM-dd")', ["N1317"]),
        ('date("2024-01-31 10:20:30.5", "yyyy-MM-dd HH:mm:ss.SSS")', ["N1317"]),
        # language.md 3.2: what is no decimal or hexadecimal number counts in no arithmetic
        ('"1_000" + 1', ["N1210"]),
        ('"1,000" * 2', ["N1210"]),
        ('"inf" - 1', ["N1210"]),
        # functions.md: null on a wrong type, without a group, of a key of another size, of no elements
        ('groups(s, "[a-z]+")', ["N1329"]),
        ('format("%d-%d", l, 3)', ["N1323"]),
        ("sumarray(5)", ["N1320"]),
        ("subarray(l, 2, 1)", ["N1329"]),
        ("subarray(l, -1, -2)", ["N1329"]),
        ('encrypt("AES", binary("short"), binary("x"))', ["N1329"]),
        # Java's Formatter throws; language.md 3: whole numbers have 64 bits, a division by zero is null
        ('format("%q", a)', ["N1329"]),
        ('format("%5", a)', ["N1329"]),
        ('format("%1000000d", a)', ["N1329"]),  # wider than MAX_WIDTH
        ("round(1e300)", ["N1329"]),
        ("floor(-1.5e19)", ["N1329"]),
        ("a / 0", ["N1329"]),
        ("9223372036854775807 + 1", ["N1329"]),
        ("-9223372036854775807 - 2", ["N1329"]),
        ("4611686018427387904 * 2", ["N1329"]),
        # What has a result is silent.
        ('format("%5d%%", a)', []),
        ("round(1e300, 1)", []),
        ("a / 2", []),
        ("9223372036854775806 + 1", []),
        ('dateadd(now(), "year", 7000)', []),
        ('date("2024-02-29", "yyyy-MM-dd")', []),
        ('date("2024-02-29 23:59:59.125", "yyyy-MM-dd HH:mm:ss.SSS")', []),
        ('date("31/Jan/2024:10:20:30 +0900", "dd/MMM/yyyy:HH:mm:ss Z")', []),
        ('"0x10" + 1', []),
        ('" 5 " + 1', []),
        ('"5e2" / 2', []),
        ('ago("700000d")', []),
        ('string(n, "yyyy")', []),
        ('groups(s, "([a-z]+)")', []),
        ('format("%d-%d", l)', []),
        ("sumarray(l)", []),
        ("sumarray(n)", []),
        ("subarray(l, 1, -1)", []),
        ('encrypt("AES", binary("0123456789abcdef"), binary("x"))', []),
        ("mod(a, 2)", []),
        ("round(d, -1)", []),
        ("substr(s, 1, -1)", []),
        ("substr(s, -3, 2)", []),
        ("valueof(l, 7)", []),
        ("abs(n)", []),
        ("left(s, null)", []),
        ('string(now(), "yyyy")', []),
    ],
)
def test_constants_for_which_there_is_no_result(session: Session, expression: str, codes: list[str]) -> None:
    assert _codes(session, expression) == codes


def test_the_help_is_the_call_with_the_number(session: Session) -> None:
    (note,) = session.plan(f'{ROW}eval r = pow(a, "2")')[0].notes
    assert note.help == "write pow(a, 2)"


def test_a_wrong_count_of_digits_is_no_overflow(session: Session) -> None:
    """The ledger said "beyond 64 bits" of every value of ``round(d, "1")``."""
    result = session.query(f'{ROW}eval r = round(d, "1"), e = string(date("2024", "yyyy"), "") | fields r, e')
    assert result.rows() == [{"r": None, "e": ""}]  # Java: an empty pattern prints nothing; it was an engine error
    assert not result.ledger
