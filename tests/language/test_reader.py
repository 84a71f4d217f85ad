"""The argument reader: lists, assignments, aggregates, paths, quoted text (language.md 1.3, 1.6, 2, 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.language.parser import parse_query
from logsql.language.reader import ArgReader
from logsql.language.tree import Call, Field, Literal, Name, Subquery, Text, canonical
from tests.language.grammar import Spec, row


class One:
    """A grammar of one command ``x`` whose arguments ``shape`` reads."""

    refused: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, shape: Callable[[ArgReader], Any], **more: Any) -> None:
        self.spec = Spec("x", shape, ("limit",), **more)

    def command(self, name: str) -> Spec | None:
        return {"x": self.spec, "y": Spec("y", lambda reader: reader.rest())}.get(name)

    def command_names(self) -> list[str]:
        return ["x"]

    def computes(self, name: str) -> str | None:
        return None

    def reader_of(self, path: str) -> str | None:
        return None


def read(arguments: str, shape: Callable[[ArgReader], Any], **more: Any) -> Any:
    return parse_query(f"x {arguments}", One(shape, **more)).commands[0].args


def failure(arguments: str, shape: Callable[[ArgReader], Any], **more: Any) -> tuple[str, str]:
    with pytest.raises(QueryError) as caught:
        read(arguments, shape, **more)
    span = caught.value.span
    assert span is not None
    return caught.value.code, f"x {arguments}"[span.start : span.end]


def texts(names: list[Name]) -> list[str]:
    return [name.text for name in names]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("a, b ,c", ["a", "b", "c"]),
        ("Registered No., b", ["Registered No.", "b"]),
        ("sum((a + 1)), corr(x, y)", ["sum((a + 1))", "corr(x, y)"]),
        ('count(if(a == ",", 1, null)), b', ['count(if(a == ",", 1, null))', "b"]),
        ("a(, b", ["a(", "b"]),
        ("a), b", ["a)", "b"]),
        ("건수, 값", ["건수", "값"]),
        ("*:t, n?", ["*:t", "n?"]),
        ("", []),
        ("standby, byte", ["standby", "byte"]),
    ],
)
def test_name_list(arguments: str, expected: list[str]) -> None:
    assert texts(read(arguments, lambda r: r.name_list())) == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("a b,c", ["a", "b", "c"]),
        ("a , b", ["a", "b"]),
        ("a\n,\nb  c", ["a", "b", "c"]),
        ("corr(x, y) b", ["corr(x, y)", "b"]),
    ],
)
def test_name_list_with_blanks(arguments: str, expected: list[str]) -> None:
    assert texts(read(arguments, lambda r: r.name_list(blanks=True))) == expected


def test_name_list_stops() -> None:
    def shape(reader: ArgReader) -> Any:
        return texts(reader.name_list(stop=("by", "cols"))), reader.keyword("by"), texts(reader.name_list())

    assert read("a, b by c d", shape) == (["a", "b"], True, ["c d"])
    assert read("a,b BY c", shape) == (["a", "b"], True, ["c"])
    assert read("by c", shape) == ([], True, ["c"])
    assert read("nearby, (by )", shape) == (["nearby", "(by )"], False, [])
    assert read("a, b [y z]", lambda r: (texts(r.name_list()), r.subquery(required=False) is not None)) == (
        ["a", "b"],
        True,
    )
    assert read("[ y z ]", lambda r: (texts(r.name_list()), isinstance(r.subquery(), Subquery))) == ([], True)


@pytest.mark.parametrize("arguments", ["a,", "a,,b", ",a", "a, , b"])
def test_comma_without_name(arguments: str) -> None:
    assert failure(arguments, lambda r: r.name_list()) == ("21701", ",")
    assert failure(arguments, lambda r: r.name_list(trailing_comma=row("20000", "missing-clause"))) == ("20000", ",")


def test_stray_option_in_a_list() -> None:
    assert failure("a, b lmt=3", lambda r: r.name_list()) == ("90001", "lmt")
    assert texts(read("a, b lmt=3", lambda r: r.name_list(), takes_options=False)) == ["a", "b lmt=3"]
    assert texts(read("a, sum((b == 3))", lambda r: r.name_list())) == ["a", "sum((b == 3))"]


def test_sort_list() -> None:
    def shape(reader: ArgReader) -> Any:
        keys = [(key.name.text, key.descending) for key in reader.sort_list()]
        return keys, texts(reader.name_list()) if reader.keyword("by") else None

    assert read("-count", shape) == ([("count", True)], None)
    assert read("a, - b,+c by d", shape) == ([("a", False), ("b", True), ("c", False)], ["d"])
    assert read("–a", shape) == ([("a", True)], None)
    assert read("-sum(b), last-seen", shape) == ([("sum(b)", True), ("last-seen", False)], None)
    assert failure("a, -", shape) == ("21600", "-")
    assert failure("a,", shape) == ("21600", ",")


def test_words_and_keywords() -> None:
    assert texts(read("a as  b,\nc", lambda r: r.words())) == ["a", "as", "b,", "c"]
    shape: Callable[[ArgReader], Any] = lambda r: (r.word(), r.keyword("as"), r.peek_word(), r.rest().value)  # noqa: E731
    assert read("a AS b c", shape) == (Name("a"), True, "b", "b c")
    assert read("a asb", shape) == (Name("a"), False, "asb", "asb")
    assert read("", shape) == (None, False, "", "")


def test_rest_and_left_over() -> None:
    assert read("  a  b ", lambda r: r.rest()) == Text("a  b")
    assert failure("a b", lambda r: r.word()) == ("90201", "b")


@pytest.mark.parametrize(
    ("arguments", "value", "quoted"),
    [
        (r"E:\codegate2012\$MFT", r"E:\codegate2012\$MFT", False),
        (r"codegate2011\system.bak", r"codegate2011\system.bak", False),
        (r"C:\Users\User Data\Default\Network\Cookies", r"C:\Users\User Data\Default\Network\Cookies", False),
        (r'"C:\my dir\new.dat"', r"C:\my dir\new.dat", True),
        ('"C:\\dir\\"', "C:\\dir\\", True),
        ("/var/log/syslog.*.gz", "/var/log/syslog.*.gz", False),
        ("a–b.dat", "a–b.dat", False),
        ('$("path").dat', '$("path").dat', False),
        ("", "", False),
    ],
)
def test_path(arguments: str, value: str, quoted: bool) -> None:
    assert read(arguments, lambda r: r.path()) == Text(value, quoted=quoted)


def test_path_parameter() -> None:
    assert read('$("path")', lambda r: r.path()) == Call("$", (Literal("path", "string"),))
    assert read('$("path", "a b")', lambda r: r.path()) == Call(
        "$", (Literal("path", "string"), Literal("a b", "string"))
    )
    assert failure('"C:\\a', lambda r: r.path()) == ("90203", '"')


def test_path_word() -> None:
    def shape(reader: ArgReader) -> Any:
        path = reader.path_word()
        return path.value if isinstance(path, Text) else path, texts(reader.name_list())

    assert read("fw.log line", shape) == ("fw.log", ["line"])
    assert read(r'"C:\my dir\a.csv" a, b', shape) == (r"C:\my dir\a.csv", ["a", "b"])
    assert read('$("p") a', shape) == (Call("$", (Literal("p", "string"),)), ["a"])
    assert read("", shape) == (None, [])


def test_quoted_text() -> None:
    assert read(r'"(?i)\d+\"[^\n]\\"', lambda r: r.quoted_raw()) == Text(r"(?i)\d+\"[^\n]\\", quoted=True)
    assert read('"a="(?<x>.)""', lambda r: r.quoted_raw(outer=True)) == Text('a="(?<x>.)"', quoted=True)
    assert read(r'"{a:\"b\", c:\"\\n\"}"', lambda r: r.quoted_json()) == Text(r'{a:"b", c:"\n"}', quoted=True)
    assert read(r'"a\n\\"', lambda r: r.quoted()) == Text("a\n\\", quoted=True)
    assert read("a", lambda r: (r.quoted(), r.quoted_raw(), r.quoted_json(), r.rest().value)) == (None, None, None, "a")
    assert failure(r'"\d"', lambda r: r.quoted()) == ("90205", r"\d")
    assert failure('"ab', lambda r: r.quoted_raw()) == ("90203", '"')


def test_expression_until() -> None:
    def shape(reader: ArgReader) -> Any:
        return canonical(reader.expr_until("by")), reader.keyword("by"), texts(reader.name_list())

    assert read("a + f(by, 1) BY b", shape) == ("(a + f(by, 1))", True, ["b"])
    assert read("power", shape) == ("power", False, [])
    assert failure("by b", lambda r: r.expr_until("by", missing=row("20001", "missing-expr"))) == ("20001", "by")
    assert failure("", lambda r: r.expr_until(missing=row("20001", "missing-expr")))[0] == "20001"
    assert read("a, b", lambda r: (canonical(r.expr_until()), r.comma(), canonical(r.expr_until()))) == ("a", True, "b")
    assert failure("a, b", lambda r: r.expr()) == ("90201", ",")
    assert canonical(read("a [ y b ]", lambda r: (r.expr(), r.subquery()))[0]) == "a"


def test_assignments() -> None:
    def shape(reader: ArgReader) -> Any:
        return [(a.target.text, canonical(a.expr)) for a in reader.assignments()]

    assert read('known_bot=1, label = "a, b"', shape, takes_options=False) == [("known_bot", "1"), ("label", '"a, b"')]
    assert read("a=b==c, d=(1, 2)", shape, takes_options=False) == [("a", "(b == c)"), ("d", "(1, 2)")]


@pytest.mark.parametrize(
    ("arguments", "code", "at"),
    [
        ("a + 1", "20100", "a + 1"),
        ("a == 1", "20100", "a == 1"),
        ("a", "20100", "a"),
        ("", "20100", "x"),
        ("a = 1,", "20100", ","),
        ("a = 1, b", "20100", "b"),
        ("f(b = 1)", "20100", "f(b = 1)"),
        ("f(b) = 1", "20101", "f(b)"),
        ("a b = 1", "20101", "a b"),
        ("1 = 2", "20101", "1"),
        ('"a" = 2', "20101", '"a"'),
        ("true = 2", "20101", "true"),
        ("= 2", "20101", "="),
        ("a = ", "90100", ""),
        ("a = , b = 1", "90100", ","),
        ("a = b = 1", "90201", "="),
    ],
)
def test_assignment_errors(arguments: str, code: str, at: str) -> None:
    assert failure(arguments, lambda r: r.assignments(), takes_options=False) == (code, at)


def test_assignment_codes_are_the_commands_own() -> None:
    codes: Any = (
        row("10400", "assign-token-not-found"),
        row("10401", "field-name-not-found"),
        row("10402", "expression-not-found"),
    )
    shape: Callable[[ArgReader], Any] = lambda r: r.assignment(*codes)  # noqa: E731
    found = [failure(text, shape, takes_options=False)[0] for text in ("a", "1 = 2", "a =")]
    assert found == ["10400", "10401", "10402"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("count", [("count", "count")]),
        ("c", [("c", "count")]),
        ("count()", [("count", "count")]),
        ("c(a)", [("c", "count(a)")]),
        ("sum(bytes), avg( a )", [("sum", "sum(bytes)"), ("avg", "avg(a)")]),
        ("sum(a+1)", [("sum", "sum((a + 1))")]),
        ("percentile(v,90)", [("percentile", "percentile(v, 90)")]),
        ('first(nvl(a,"x\\"y"))', [("first", 'first(nvl(a, "x\\"y"))')]),
        ("count as n", [("count", "n")]),
        ("count AS n", [("count", "n")]),
        ("max(last_written) as last connect, count", [("max", "last connect"), ("count", "count")]),
        ("count as 건수 (전체, 합)", [("count", "건수 (전체, 합)")]),
        ("count as as", [("count", "as")]),
        ("sum (a) as b", [("sum", "b")]),
    ],
)
def test_aggregates(arguments: str, expected: list[tuple[str, str]]) -> None:
    for clause in ("", " by a, b", " rows asn cols label", " BY x"):

        def shape(reader: ArgReader) -> Any:
            found = [(a.function.text, a.output.text) for a in reader.aggregates()]
            reader.rest()
            return found

        assert read(arguments + clause, shape) == expected


def test_aggregate_nodes() -> None:
    (found,) = read("sum(a, 2) as x", lambda r: r.aggregates())
    assert (found.args, found.aliased) == ((Field("a"), Literal(2, "int")), True)


@pytest.mark.parametrize(
    ("arguments", "code", "at"),
    [
        ("", "21700", "x"),
        ("by a", "21700", "by"),
        ("count, by a", "21700", "by"),
        ("count,", "21700", "x"),
        (", count", "21700", ","),
        ("1", "21702", "1"),
        ('"a"', "21702", '"a"'),
        ("(a)", "21702", "("),
        ("count as by a", "21701", "as"),
        ("count as", "21701", "as"),
        ("count as , sum(a)", "21701", "as"),
        ("count n", "90201", "n"),
        ("sum(a) / count", "90201", "/"),
        ("count + 1", "90201", "+"),
        ("sum(a", "90202", "("),
        ("sum(a=1)", "90201", "a=1"),
        ("sum(a) limit=3", "90001", "limit"),
        ("count limit=3", "90001", "limit"),
        ("cuont=3", "90001", "cuont"),
    ],
)
def test_aggregate_errors(arguments: str, code: str, at: str) -> None:
    assert failure(arguments, lambda r: r.aggregates()) == (code, at)


def test_calls() -> None:
    assert read('tables("log", 1)', lambda r: r.call()) == Call("tables", (Literal("log", "string"), Literal(1, "int")))
    assert failure("tables", lambda r: r.call()) == ("90100", "tables")


def test_subquery_required() -> None:
    assert failure("", lambda r: r.subquery()) == ("E0003", "x")
    assert failure("a", lambda r: r.subquery()) == ("E0003", "a")


def test_fail_points_at_the_command() -> None:
    def shape(reader: ArgReader) -> None:
        said = row("20600", "invalid-limit-args", "limit takes one or two numbers")
        reader.fail(said, help="limit 10", notes=["n"])

    assert failure("", shape) == ("20600", "x")
    with pytest.raises(QueryError, match=r"\[20600 invalid-limit-args\] limit takes one or two numbers") as caught:
        read("", shape)
    assert (caught.value.help, caught.value.notes) == ("limit 10", ("n",))
