"""Parameters: read without a value, given without a reader."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from logsql.diagnostics.codes import define
from logsql.diagnostics.notes import Notes
from logsql.language.tree import Call, Literal, Query

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
        '매개변수 {name}을(를) 주었지만 쿼리에 $("{name}")이 없습니다',
    ),
)


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
        if isinstance(node, tuple):
            stack.extend(node)
        elif dataclasses.is_dataclass(node) and not isinstance(node, type):
            stack.extend(getattr(node, field.name) for field in dataclasses.fields(node))
    for name in names:
        if name not in read:
            notes.add(UNUSED, None, name=name)
