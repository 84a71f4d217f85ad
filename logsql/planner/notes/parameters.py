"""Parameters: read without a value, given without a reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from logsql.diagnostics.codes import define
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Binary, Call, Command, Expr, Field, Literal, Query, Span, walk
from logsql.planner.notes import dates
from logsql.planner.notes.fields import Say
from logsql.planner.options import OptionKind, OptionSpec

UNSET = define(
    "N1501",
    "parameter-unset",
    ("a parameter is read that nobody set: null", "설정하지 않은 매개변수를 읽습니다: null"),
    ("the parameter {name} is not set: null", "매개변수 {name}이(가) 설정되지 않아 null입니다"),
    (
        'give it with -d {name}=VALUE, or write a default: $("{name}", DEFAULT)',
        '-d {name}=VALUE로 주거나 기본값을 쓰세요: $("{name}", 기본값)',
    ),
)
UNUSED = define(
    "N1502",
    "parameter-unused",
    ("a parameter is given that the query does not read", "쿼리가 읽지 않는 매개변수를 주었습니다"),
    (
        'the parameter {name} is given and not read: the query has no $("{name}")',
        '매개변수 {name}을(를) 주었지만 쿼리에 $("{name}")이(가) 없습니다',
    ),
)

WITHOUT_ROW = define(
    "N1504",
    "field-without-row",
    ("set reads a field where there is no row: null", "행이 없는 set에서 필드를 읽습니다: null"),
    (
        "{name} is the name of a field, and set computes without a row: null",
        "{name}은(는) 필드 이름이고 set은 행 없이 계산하므로 null입니다",
    ),
    ('a text stands in double quotes: "{name}"', '텍스트는 큰따옴표로 묶습니다: "{name}"'),
)
NEVER_STARTS = define(
    "N1505",
    "state-never-starts",
    (
        "evalc adds to a parameter that has no value at the first row: null in every row",
        "evalc가 첫 행에서 값이 없는 매개변수에 계산합니다: 모든 행에서 null입니다",
    ),
    (
        '$("{name}") has no value at the first row, so it is null in every row',
        '$("{name}")에 첫 값이 없어 모든 행에서 null입니다',
    ),
    (
        'begin with a value: $("{name}", 0), or set {name} = 0 in front',
        '첫 값을 주세요: $("{name}", 0), 또는 앞에 set {name} = 0',
    ),
)
NO_BOOLEAN = define(
    "N1506",
    "no-boolean",
    ("an option of t or f has another value, which is f", "t나 f를 받는 옵션에 다른 값을 주어 f로 읽습니다"),
    ("{option}= takes t or f, and {value} is read as f", "{option}=에는 t나 f를 씁니다. {value}은(는) f로 읽습니다"),
    ("write {option}=t or {option}=f", "{option}=t 또는 {option}=f로 쓰세요"),
)
#: What an option of t or f is given where it is meant.
BOOLEANS = ("t", "true", "f", "false", "")
_ARITHMETIC = ("+", "-", "*", "/")


def without_row(notes: Notes, expr: Expr) -> None:
    """Tell of ``set x = a``: a word without quotes is a field, and there is no row."""
    for node in walk(expr):
        if isinstance(node, Field):
            notes.add(WITHOUT_ROW, node.span, name=node.name)


def never_starts(notes: Notes, name: str, expr: Expr) -> None:
    """Tell of ``evalc s = $("s") + a``, where nothing gave ``s`` a value."""
    if isinstance(expr, Binary) and expr.op in _ARITHMETIC:
        for side in (expr.left, expr.right):
            never_starts(notes, name, side)
    elif isinstance(expr, Call) and expr.name == "$" and len(expr.args) == 1:
        argument = expr.args[0]
        if isinstance(argument, Literal) and argument.value == name:
            notes.add(NEVER_STARTS, expr.span, name=name)


def unused(notes: Notes, query: Query, given: Iterable[str]) -> None:
    """Tell of parameters of the host that no part of the query reads. Silent where a name of one is computed."""
    names = list(given)
    if not names:
        return
    read: set[str] = set()
    stack: list[object] = [query]
    while stack:
        node = stack.pop()
        if isinstance(node, Call) and node.name == "$":
            read.update(str(a.value) for a in node.args if isinstance(a, Literal))
        if isinstance(node, Command):
            read.update(getattr(node.args, "binds", ()))  # of SQL: ``:name``
        if isinstance(node, tuple):
            stack.extend(node)
        elif dataclasses.is_dataclass(node) and not isinstance(node, type):
            stack.extend(getattr(node, field.name) for field in dataclasses.fields(node))
    for name in names:
        if name not in read:
            notes.add(UNUSED, None, name=name)


def tell_option(note: Say, spec: OptionSpec, place: Span, value: str) -> None:
    """The value of an option that is read as something else than it looks."""
    if spec.kind is OptionKind.BOOL and value.lower() not in BOOLEANS:
        note(NO_BOOLEAN, place, option=spec.name, value=value)
    elif spec.kind is OptionKind.SPAN:
        dates.span(note, place, value)
