"""Options: language.md 1.3 (the decoding of quoted values) and 1.5."""

from __future__ import annotations

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.language.parser import parse_query
from logsql.language.tree import Call, Command, Literal
from tests.language.grammar import GRAMMAR


def command(text: str) -> Command:
    return parse_query(text, GRAMMAR).commands[0]


def options(text: str) -> dict[str, object]:
    return {option.key: option.value for option in command(text).options}


def failure(text: str) -> tuple[str, str, str | None]:
    with pytest.raises(QueryError) as caught:
        parse_query(text, GRAMMAR)
    span = caught.value.span
    assert span is not None
    return caught.value.code, text[span.start : span.end], caught.value.help


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("table limit=10 t", {"limit": "10"}),
        ("table from=20130605 to=20130606 t", {"from": "20130605", "to": "20130606"}),
        ("table to=2 from=1 t", {"from": "1", "to": "2"}),
        ("parsemap overlay=t field=detected_urls", {"overlay": "t", "field": "detected_urls"}),
        (
            'ldapsearch profile=AD filter="(&(userPrincipalName=*))"',
            {"profile": "AD", "filter": "(&(userPrincipalName=*))"},
        ),
        ("parsekv pairdelim=, kvdelim=:", {"pairdelim": ",", "kvdelim": ":"}),
        ('parsekv pairdelim=" " kvdelim="="', {"pairdelim": " ", "kvdelim": "="}),
        ('parsekv pairdelim=","kvdelim=:', {"pairdelim": ",", "kvdelim": ":"}),
        (r'textfile brex="\[.*\]" a.log', {"brex": r"\[.*\]"}),
        (r'textfile dp="(\\d{4})" a.log', {"dp": r"(\d{4})"}),
        (r'textfile erex="a\"b\n\t\r\q" a.log', {"erex": 'a"b\n\t\r\\q'}),
        ("textfile\nlimit=1\noffset=2\na.log", {"limit": "1", "offset": "2"}),
        ('rex field=headers "(?i)x=(?<y>..)"', {"field": "headers"}),
        ("sort limit=5 -file_size", {"limit": "5"}),
        ("hive-file zippath=C:\\a=b.zip x", {"zippath": "C:\\a=b.zip"}),
        ("sort -count", {}),
        ("search a == 1", {}),
        ("search a==1", {}),
        ("search a<=1 and b!=2", {}),
        ("search limit=3", {"limit": "3"}),
        ("table order=asc –x", {"order": "asc"}),
    ],
)
def test_values(text: str, expected: dict[str, object]) -> None:
    assert options(text) == expected


def test_parameters_are_parsed() -> None:
    found = options('table from=$("_from", ago("1d")) to=$("to") t')
    assert found["from"] == Call("$", (Literal("_from", "string"), Call("ago", (Literal("1d", "string"),))))
    assert found["to"] == Call("$", (Literal("to", "string"),))


def test_last_of_a_repeated_option_counts() -> None:
    found = command("table limit=1 limit=2 t").option("limit")
    assert found is not None
    assert found.value == "2"


def test_spans() -> None:
    text = 'table limit="10" t'
    option = command(text).options[0]
    assert [text[s.start : s.end] for s in (option.span, option.key_span, option.value_span)] == [
        'limit="10"',
        "limit",
        '"10"',
    ]


def test_options_behind_the_object_where_allowed() -> None:
    found = command("lookuptable NAME limit=30 code")
    assert [option.key for option in found.options] == ["limit"]
    assert [word.text for word in found.args] == ["NAME", "code"]
    assert options('transaction a maxspan=1h b startswith="x = y"') == {"maxspan": "1h", "startswith": "x = y"}


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("search limit = 10 a == 1", "90000", "limit ="),
        ("search limit= 10", "90000", "limit="),
        ("search limit =10", "90000", "limit ="),
        ("search a = 1", "90001", "a"),
        ("search foo=1 a == 1", "90001", "foo"),
        ("sort lmt=1 a", "90001", "lmt"),
        ("search a == 1 and b = 2", "90001", "b"),
        ("search a == 1 limit=3", "90001", "limit"),
        ("sort -count limit=5", "90001", "limit"),
        ("stats count by a limit=5", "90001", "limit"),
        ("lookuptable NAME limt=30", "90001", "limt"),
        ("lookuptable NAME limit = 30", "90000", "limit ="),
        ('textfile brex="abc', "90002", '"'),
        ('table from=$("a" t', "90202", "("),
        ('table from=$("a) t', "90203", '"'),
    ],
)
def test_errors(text: str, code: str, at: str) -> None:
    assert failure(text)[:2] == (code, at)


def test_help() -> None:
    assert failure("sort lmit=1 a")[2] == 'did you mean "limit"?'
    assert failure("search a = 1")[2] == "use a == 1"
    assert failure("search limit = 1")[2] == "write limit=value without blanks"
    assert failure("sort -count limit=5")[2] == "options stand before the arguments: sort limit=..."


def test_commands_without_options_are_not_scanned() -> None:
    assert [a.target.text for a in command('eval limit=1, ip="8.8.8.8"').args] == ["limit", "ip"]
    assert (
        command("dbquery src select * from t where a=1 and b = 2").args.value
        == "src select * from t where a=1 and b = 2"
    )


def test_paths_with_an_equals_sign() -> None:
    assert command("jsonfile /data/day=1/a.json").args.value == "/data/day=1/a.json"
    assert command(r"hive-file C:\a=b\c d=e.dat").args.value == r"C:\a=b\c d=e.dat"
    assert command('jsonfile limit=2 "day=1/a.json"').args.value == "day=1/a.json"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"(cn=$(\"x\"))"', '(cn=$("x"))'),
        ('"(cn=$("x"))"', '(cn=$("x"))'),
        ('"(|(cn=$("x", "a b"))(sn=$("y")))"', '(|(cn=$("x", "a b"))(sn=$("y")))'),
        ('"a$(b"', "a$(b"),
        ('"$"', "$"),
    ],
)
def test_parameters_inside_a_quoted_value_keep_their_quotes(written: str, value: str) -> None:
    """``filter="(cn=$("x"))"`` is read as it is meant, with the inner quotes escaped or not; the end is the same."""
    (command,) = parse_query(f"ldapsearch profile=AD filter={written} limit=3", GRAMMAR).commands
    found = {option.key: option.value for option in command.options}
    assert found == {"profile": "AD", "filter": value, "limit": "3"}
