"""Expressions: language.md 1.3, 1.4 and 2. Expected trees are written as canonical text, fully parenthesised."""

from __future__ import annotations

import math

import pytest

from logsql.diagnostics.errors import QueryError
from logsql.language.expressions import MAX_DEPTH, parse_expression
from logsql.language.tree import Call, Expr, Field, ListExpr, Literal, NamedArg, Span, canonical, operands, walk


def failure(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse_expression(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 - 2 - 3", "((10 - 2) - 3)"),
        ("100 / 10 / 2", "((100 / 10) / 2)"),
        ("3--5", "(3 - -5)"),
        ("1+-2", "(1 + -2)"),
        ("3*-5", "(3 * -5)"),
        ("-abs(x) * 2", "(-abs(x) * 2)"),
        ("- - 1", "--1"),
        ("-a - b", "(-a - b)"),
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("(1 + 2) * 3", "((1 + 2) * 3)"),
        ("a + 1 < b == c >= 2", "(((a + 1) < b) == (c >= 2))"),
        ("a or b and c", "(a or (b and c))"),
        ("a == 1 and b == 2 or c != 3", "(((a == 1) and (b == 2)) or (c != 3))"),
        ("(a==1)and(b==2)", "((a == 1) and (b == 2))"),
        ("(a==1)or b", "((a == 1) or b)"),
        ("a <= 1 and b >= 2", "((a <= 1) and (b >= 2))"),
        ("not(a == 1)", "not((a == 1))"),
        ("in (a, 1)", "in(a, 1)"),
        ("f\n\t(a)", "f(a)"),
        ("2nd (a)", "2nd(a)"),
        ("now()", "now()"),
        ("now( )", "now()"),
        ("(1, 2)", "(1, 2)"),
        ("((1, 2), a)", "((1, 2), a)"),
        ('$("a", "b", now())', '$("a", "b", now())'),
        ('datetrunc(_time, span="1h", offset = "8h")', 'datetrunc(_time, span="1h", offset="8h")'),
        ("substr(f(a), 0, g(b) - 1)", "substr(f(a), 0, (g(b) - 1))"),
        ("2E-1", "(2E - 1)"),
        ("by + as * rows", "(by + (as * rows))"),
        ("and_x or or_y", "(and_x or or_y)"),
    ],
)
def test_structure(text: str, expected: str) -> None:
    assert canonical(parse_expression(text)) == expected


@pytest.mark.parametrize(
    ("token", "kind", "value"),
    [
        ("0", "int", 0),
        ("2147483647", "int", 2147483647),
        ("2147483648", "long", 2147483648),
        ("9223372036854775807", "long", 9223372036854775807),
        ("9223372036854775808", "double", 9.223372036854775808e18),
        ("1.5", "double", 1.5),
        (".5", "double", 0.5),
        ("1.", "double", 1.0),
        ("1e3", "double", 1000.0),
        ("1.5f", "double", 1.5),
        ("1d", "double", 1.0),
        ("1E3D", "double", 1000.0),
        ("0x1p3", "double", 8.0),
        ("1e400", "double", math.inf),
        ("true", "bool", True),
        ("false", "bool", False),
        ("null", "null", None),
    ],
)
def test_literals(token: str, kind: str, value: object) -> None:
    literal = parse_expression(token)
    assert isinstance(literal, Literal)
    assert (literal.kind, literal.value) == (kind, value)
    assert type(literal.value) is type(value)


NAMES = (
    "_time src_ip e.f 건수 sAMAccountName TRUE Null 0x10 a#b a%b a;b a? ~a ^a {a} $a @a a:b 'abc' 1_2 e3 2nd f naïve"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_field_names(name: str) -> None:
    assert parse_expression(name) == Field(name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\\d\"\n\t\r"', 'a\\d"\n\t\r'),
        ('"pipe | [ # ( , = "', "pipe | [ # ( , = "),
        ('"a\nb"', "a b"),
        ('"a\r\nb"', "a b"),
        ('""', ""),
        ('"\\\\"', "\\"),
        ('"– “x”"', "– “x”"),
    ],
)
def test_strings(text: str, value: str) -> None:
    assert parse_expression(text) == Literal(value, "string")


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("1 +", "90100", "+"),
        ("a ==", "90100", "=="),
        ("* 2", "90100", "*"),
        ("1 + * 2", "90100", "+"),
        ("a and", "90100", "and"),
        ("or b", "90100", "or"),
        ("a + ", "90100", "+"),
        ("", "90100", ""),
        ("()", "90100", ")"),
        ("f(a,)", "90100", ")"),
        ("f(,a)", "90100", ","),
        ("(a +) * 2", "90100", "+"),
        ("a b", "90201", "b"),
        ("a 1", "90201", "1"),
        ('"a" "b"', "90201", '"b"'),
        ("a AND b", "90201", "AND"),
        ("1 (b)", "90201", "("),
        ("a==1and b==2", "90201", "and"),
        ('a == "x"and b', "90201", "and"),
        ("not a == 1", "90201", "not"),
        ("a = 1", "90201", "="),
        ("(a = 1)", "90201", "="),
        ("f(a + b = 1)", "90201", "="),
        ("a, b", "90201", ","),
        ("1 + 2)", "90202", ")"),
        ("(1 + 2", "90202", "("),
        ("f(g(1)", "90202", "("),
        (")", "90202", ")"),
        ('"hello', "90203", '"'),
        (r'"hello\"', "90203", '"'),
        (r'"hello\iworld"', "90205", r"\i"),
        (r'match(line, "\d+")', "90205", r"\d"),
        ("a]", "90204", "]"),
        ("a\\b", "E0002", "\\"),
        ("`a`", "E0002", "`"),
    ],
)
def test_errors_point_at_the_characters(text: str, code: str, at: str) -> None:
    error = failure(text)
    assert error.span is not None
    assert (error.code, text[error.span.start : error.span.end]) == (code, at)
    assert error.diagnostic.text == text


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("a && b", "and"),
        ("a&&b", "and"),
        ("!a", "not(a)"),
        ("not a == 1", "not(a == 1)"),
        ("a % b", "mod("),
        ("a ^ b", "pow("),
        ("a ? b : c", "if("),
        ('a like "%x%"', '== "*x*"'),
        ("a in (1, 2)", "in(a, 1, 2)"),
        ('a contains "b"', "contains("),
        ("a is null", "isnull("),
        ("a <> b", "!="),
        ("a === b", "=="),
        ("a = b", "=="),
        ("a => b", ">="),
        ("a AND b", '"and"'),
        ("1and b", '"and"'),
        ("'hello world'", "double quotes"),
        ("+ 1", "concat()"),
    ],
)
def test_help_names_the_construct_of_this_language(text: str, form: str) -> None:
    assert form in (failure(text).help or "")


def test_named_arguments_only_inside_calls() -> None:
    call = parse_expression('datetrunc(t, span="1h")')
    assert isinstance(call, Call)
    assert call.args == (Field("t"), NamedArg("span", Literal("1h", "string")))
    assert failure('(span="1h", 1)').code == "90201"


def test_spans_cover_parentheses_and_names() -> None:
    text = "  (a + b) * f (c)"
    tree = parse_expression(text)
    assert tree.span == Span(2, len(text))
    spans = [text[node.span.start : node.span.end] for node in walk(tree)]
    assert spans == ["(a + b) * f (c)", "a + b", "a", "b", "f (c)", "c"]


def test_part_of_a_larger_text() -> None:
    whole = "set x = 1 +"
    with pytest.raises(QueryError) as caught:
        parse_expression(whole[8:], 8, whole)
    span = caught.value.span
    assert span is not None
    assert whole[span.start : span.end] == "+"


@pytest.mark.parametrize("op", ["or", "and", "+", "=="])
def test_long_chains(op: str) -> None:
    tree = parse_expression(f" {op} ".join(f"f{i}" for i in range(1000)))
    assert operands(tree, op) == tuple(Field(f"f{i}") for i in range(1000))
    assert canonical(tree).startswith("(" * 999 + f"f0 {op} f1)")
    assert sum(1 for _ in walk(tree)) == 1999


def test_long_lists() -> None:
    tree = parse_expression(f"in(a, {', '.join(map(str, range(5000)))})")
    assert isinstance(tree, Call)
    assert len(tree.args) == 5001


@pytest.mark.parametrize(("left", "right"), [("(", ")"), ("f(", ")"), ("-", ""), ("(1, ", ")")])
def test_nesting_has_a_limit_and_says_so(left: str, right: str) -> None:
    def nested(depth: int) -> Expr:
        return parse_expression(left * depth + "a" + right * depth)

    assert isinstance(nested(MAX_DEPTH), (Field, Call, ListExpr)) or left == "-"
    with pytest.raises(QueryError) as caught:
        nested(100_000)
    assert caught.value.code == "E0001"
    assert (
        caught.value.span == Span(MAX_DEPTH * len(left) + len(left) - 1, MAX_DEPTH * len(left) + len(left))
        or left == "(1, "
    )
