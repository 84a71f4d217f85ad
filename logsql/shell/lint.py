"""Notes of ``logsql check`` alone, about what is meant in most queries and would be noise beside every result.

One rule so far: a pattern with a star inside (``"a*b"``) ignores letter case, the other shapes do not (decisions 5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from logsql.diagnostics.codes import define
from logsql.diagnostics.notes import Note, Notes
from logsql.language.tree import Binary, Call, Literal, Query
from logsql.planner.function_spec import FUNCTIONS

STAR_INSIDE = define(
    "N1901",
    "star-inside",
    (
        "a pattern with a star inside ignores letter case, patterns with stars at the ends do not (only in check)",
        "중간에 별표가 있는 패턴은 대소문자를 구분하지 않고, 양 끝에만 있는 패턴은 구분합니다 (check에서만 알림)",
    ),
    (
        'the pattern "{pattern}" has a star inside: it ignores letter case, patterns with stars at the ends do not',
        '패턴 "{pattern}"은(는) 중간에 별표가 있어 대소문자를 구분하지 않습니다. 양 끝의 별표는 구분합니다',
    ),
)


def notes(query: Query, text: str, path: str) -> tuple[Note, ...]:
    """Everything worth a second look, in the order of the text."""
    found = Notes()
    for literal in patterns(query):
        if star_inside(str(literal.value)):
            found.add(STAR_INSIDE, literal.span, pattern=str(literal.value))
    return tuple(note.located(text, path) for note in found.ordered())


def patterns(query: Query) -> Iterator[Literal]:
    """String literals that are matched as patterns: right of ``==`` and ``!=``, and as in ``in()``."""
    stack: list[object] = [query]
    while stack:
        node = stack.pop()
        if isinstance(node, Binary) and node.op in ("==", "!="):
            yield from _strings((node.right,))
        elif isinstance(node, Call) and node.name in FUNCTIONS and FUNCTIONS[node.name].patterns:
            yield from _strings(node.args[1:])
        if isinstance(node, tuple):
            stack.extend(node)
        elif dataclasses.is_dataclass(node):
            stack.extend(getattr(node, field.name) for field in dataclasses.fields(node))


def _strings(nodes: tuple[object, ...]) -> Iterator[Literal]:
    return (node for node in nodes if isinstance(node, Literal) and node.kind == "string")


def star_inside(pattern: str) -> bool:
    """Whether the pattern is none of ``abc``, ``abc*``, ``*abc``, ``*abc*``.

    >>> [star_inside(p) for p in ("a", "a*", "*a", "*a*", "*", "a*b", "*a*b*")]
    [False, False, False, False, False, True, True]
    """
    return "*" in pattern.removeprefix("*").removesuffix("*")
