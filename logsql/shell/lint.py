"""Notes of ``logsql check`` about queries that run but may not mean what they say. Never an error.

One rule so far: a pattern with a star inside (``"a*b"``) ignores letter case, the other shapes do not (decisions 5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from logsql.diagnostics.messages import message
from logsql.language.positions import line_and_column
from logsql.language.tree import Binary, Call, Literal, Query
from logsql.planner.function_spec import FUNCTIONS
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)


def notes(query: Query, text: str) -> list[str]:
    """``LINE:COLUMN: sentence`` for everything worth a second look, in the order of the text."""
    found = {literal.span.start: str(literal.value) for literal in patterns(query) if star_inside(str(literal.value))}
    out = []
    for start, value in sorted(found.items()):
        line, column = line_and_column(text, start)
        out.append(f"{line}:{column}: " + message("lint-star-inside", pattern=value))
    return out


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
