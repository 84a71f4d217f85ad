"""Properties over generated text: no crash, spans inside the text, formatting that changes nothing that counts."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from logsql.diagnostics.errors import LogsqlError
from logsql.language.expressions import parse_expression
from logsql.language.formatter import format_query
from logsql.language.parser import parse_query
from logsql.language.spans import render
from logsql.language.tree import Binary, Call, Expr, Field, ListExpr, Literal, Span, Unary, canonical
from tests.language.grammar import GRAMMAR, LOOSE

WORDS = (
    "table eval search stats sort rex join union hive-file lookuptable a 건수 _time 1 2.5 by as and or not limit=3 x="
)
MARKS = "= == != <= ≤ + - – * / ( ) [ ] | ∣ , “ ” $( ' ` ! && % # \\ 😀"
OTHERS = [
    '"',
    '"x"',
    '\\"',
    "# ",
    "\n",
    "\t",
    " ",
    " ",
    " ",
    '$("p")',
    "e\u0301",
    "\u1112\u1161\u11ab",
    "\u200b",
    "\x00",
]
PIECES = st.sampled_from([*WORDS.split(), *MARKS.split(), *OTHERS])
TEXT = st.one_of(
    st.lists(PIECES, max_size=30).map("".join), st.lists(PIECES, max_size=20).map(" ".join), st.text(max_size=60)
)


def spans(node: Any) -> Iterator[Span]:
    """Every span below a tree node."""
    if isinstance(node, Span):
        yield node
    elif isinstance(node, tuple):
        for item in node:
            yield from spans(item)
    elif dataclasses.is_dataclass(node):
        for field in dataclasses.fields(node):
            yield from spans(getattr(node, field.name))


def attempt(parse: Callable[[], Any]) -> Any:
    """The result of a parse, or the error it was refused with; anything else fails the test."""
    try:
        return parse()
    except LogsqlError as error:
        return error


def check_error(error: LogsqlError, text: str) -> None:
    assert error.span is not None
    assert 0 <= error.span.start <= error.span.end <= len(text)
    assert str(error).startswith(f"[{error.code} {error.name}]")
    assert render(error.diagnostic).startswith("error[")


@given(TEXT)
@settings(max_examples=400, deadline=None)
@example('table t | # 5" x | # "|\n| limit')
@example('stats count by "')
@example("lookuptable [ limit=3")
def test_any_text_parses_or_is_refused_at_its_own_characters(text: str) -> None:
    query = attempt(lambda: parse_query(text, LOOSE))
    if isinstance(query, LogsqlError):
        check_error(query, text)
        return
    assert all(0 <= span.start <= span.end <= len(text) for span in spans(query))
    formatted = format_query(text, LOOSE)
    assert parse_query(formatted, LOOSE) == query
    assert format_query(formatted, LOOSE) == formatted


@given(TEXT)
@settings(max_examples=300, deadline=None)
def test_any_text_as_an_expression(text: str) -> None:
    tree = attempt(lambda: parse_expression(text))
    if isinstance(tree, LogsqlError):
        check_error(tree, text)
    else:
        assert all(0 <= span.start <= span.end <= len(text) for span in spans(tree))


NAMES = st.from_regex(r"[a-z_가-힣][a-z0-9_.가-힣]{0,6}", fullmatch=True).filter(
    lambda name: name not in ("and", "or", "true", "false", "null")
)
LITERALS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t"), max_size=8).map(
        lambda s: Literal(s, "string")
    ),
    st.integers(0, 2**31 - 1).map(lambda n: Literal(n, "int")),
    st.integers(2**31, 2**63 - 1).map(lambda n: Literal(n, "long")),
    st.sampled_from([Literal(True, "bool"), Literal(None, "null"), Literal(0.5, "double")]),
)
OPERATORS = ["+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "and", "or"]


def _compound(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(Binary, st.sampled_from(OPERATORS), inner, inner),
        st.builds(Unary, st.just("-"), inner),
        st.builds(Call, NAMES, st.lists(inner, max_size=3).map(tuple)),
        st.builds(ListExpr, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    )


@given(st.recursive(st.one_of(LITERALS, NAMES.map(Field)), _compound, max_leaves=12))
@settings(max_examples=300, deadline=None)
def test_canonical_text_reads_back(tree: Expr) -> None:
    text = canonical(tree)
    assume(unicodedata.is_normalized("NFC", text))
    assert parse_expression(text) == tree


COMMANDS = ["table t", "limit 3", 'search a == "x|]y"', "# c [ | ]", "union [ table t | # [ x ]|limit 2 ]"]


@given(st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_commands_come_back_in_order(commands: list[str]) -> None:
    text = " | ".join(commands)
    expected = [command.split()[0] for command in commands if not command.startswith("#")]
    assume(expected)  # comments alone are no query
    assert [command.name for command in parse_query(text, GRAMMAR).commands] == expected
