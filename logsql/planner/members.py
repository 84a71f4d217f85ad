"""Paths that lead nowhere: ``stats count by user.nmae`` over documents of which none has that key.

What a document holds is known only when it is read, so no note can say it and a single null is no loss. But a path that
no row answers is a slip far more often than a finding. Where none of the first documents of a source has the path, or
nothing can be looked at before the run, the run tells whether any row answered it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence
from typing import Protocol

from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import nearest
from logsql.diagnostics.losses import Fate, loss
from logsql.language.tree import Span
from logsql.planner import losses
from logsql.planner.notes.samples import Sampler
from logsql.planner.notes.words import WRITE
from logsql.planner.relation import Column, Rel
from logsql.values import paths, sql, values
from logsql.values.types import EVERY_KIND, Kind
from logsql.values.values import Step, Typed

NO_MEMBER = loss(
    "no-member",
    (
        "no row has what this path leads to: null in every row (in brackets: what the first rows have there)",
        "이 경로가 가리키는 값이 어느 행에도 없어 모든 행에서 null입니다(괄호 안: 처음 행들의 그 자리에 있는 것)",
    ),
    fate=Fate.NULL,
)
ASKED_OF_NONE = define(
    "N1405",
    "asked-of-no-document",
    (
        "a query asks whether a path is there that none of the first documents has, and they have one nearly so named",
        "처음 문서들에 없는 경로가 있는지 묻습니다. 비슷한 이름의 경로는 있습니다",
    ),
    ("none of the first documents has {path}", "처음 문서들에 {path}이(가) 없습니다"),
)
#: Names that are told instead.
_NAMES = 5


class Reading(losses.Counting, Protocol):
    """What this needs of an expression context."""

    def sample(self, name: str) -> tuple[str, ...]: ...
    def once(self, value: Typed, kinds: frozenset[Kind]) -> Typed: ...


def answered(cx: Reading, name: str, value: Typed, key: str | None = None, written: str = "") -> Typed:
    """``value``, what the path ``name`` leads to; the ledger is told where it is null in every row with a document.

    ``key``: ``value`` is what ``name`` has under it, ``written`` as a call; a key is no path, whatever it holds.
    """
    if cx.run_id is None or cx.rel is None or cx.rel.rest is not None or value.kind is Kind.NULL or cx.lambda_depth:
        return value
    found = _document(cx.rel, name) if key is None else _parent(cx.rel, name, key)
    if found is None:
        return value
    root, steps = found
    seen = _documents(cx, root)
    if any(_follow(document, steps) is not None for document in seen):
        return value
    names = _there(root, steps, seen)
    way = _document(cx.rel, f"{name}.{key}") if key is not None else None  # valueof(user, "geo.cc")
    if way is not None and any(_follow(document, way[1]) is not None for document in seen):
        names = [f"{name}.{key}"]
    source = f"{written or name} ({', '.join(names)})" if names else written or name
    column = cx.rel.column(root)
    assert column is not None
    answer = sql.eq(losses.came(cx, "path", 0, None, source), sql.string(""))
    silent = sql.binary("<>", losses.came(cx, "path", 1, NO_MEMBER, source), sql.string(""))
    branches = [
        (values.not_null(value), sql.when(answer, value.expr.copy())),
        (values.not_null(cx.rel.value(column)), sql.when(silent, value.expr.copy())),
    ]
    # A column of its own: as the key of a group it would be computed three times.
    return cx.once(Typed(sql.case(branches), value.type), EVERY_KIND)


def asked(note: Callable[..., None], cx: Reading, name: str, span: Span) -> None:
    """Tell of ``isnull(user.nmae)`` where none of the first documents has it and one has ``user.name``: a path that is
    asked for may well be nowhere, so that one without a name near it is right."""
    found = None if cx.rel is None or cx.rel.rest is not None or cx.lambda_depth else _document(cx.rel, name)
    if found is None:
        return
    root, steps = found
    seen = _documents(cx, root)
    if not seen or any(_follow(document, steps) is not None for document in seen):
        return
    above = [value for document in seen if isinstance(value := _follow(document, steps[:-1]), dict)]
    close = nearest(str(steps[-1]), list(dict.fromkeys(key for value in above for key in value)))
    if close:
        path = name.removesuffix(str(steps[-1])) + close[0]
        note(ASKED_OF_NONE, span, help=WRITE.fill(better=path), path=name)


def sampled(cx: Reading, sampler: Sampler, rel: Rel, name: str) -> tuple[str, ...]:
    """Some values of a field, or of what a path leads to."""
    return sampler.sample(rel, name) or seen(cx, rel, name)


def seen(cx: Reading, rel: Rel, name: str) -> tuple[str, ...]:
    """The texts of what a path leads to in the first documents; of a list those of its items, which ``==`` compares."""
    found = _document(rel, name) if rel.rest is None else None
    if found is None:
        return ()
    values = [_follow(document, found[1]) for document in _documents(cx, found[0])]
    items = [item for value in values for item in (value if isinstance(value, list) else [value])]
    plain = [item for item in items if isinstance(item, str | int | float)]
    return tuple(item if isinstance(item, str) else json.dumps(item) for item in plain)


def _documents(cx: Reading, root: str) -> list[object]:
    """The first documents of a field."""
    return [document for text in cx.sample(root) if (document := _parsed(text)) is not None]


def _parent(rel: Rel, name: str, key: str) -> tuple[str, tuple[Step, ...]] | None:
    """The field that holds the document, and the steps to a key of what a field or path leads to."""
    column = rel.column(name)
    found = _document(rel, name) if column is None else (name, ()) if _holds(column) else None
    return None if found is None else (found[0], (*found[1], key))


def _holds(column: Column) -> bool:
    element = column.type.element
    return not column.parts and (column.type.json or (element is not None and element.json))


def _document(rel: Rel, name: str) -> tuple[str, tuple[Step, ...]] | None:
    """The field that holds the document, and the steps into it."""
    for root, steps in paths.splits(name):
        column = rel.column(root)
        if column is not None:
            return (root, steps) if _holds(column) else None
    return None


def _parsed(text: str) -> object | None:
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except ValueError:
        return _listed(text)


def _listed(text: str) -> object | None:
    """A list of documents, as DuckDB hands it over: a Python list of their texts."""
    try:
        items = ast.literal_eval(text) if text.startswith("[") else None
        return [json.loads(item) if isinstance(item, str) else item for item in items] if items is not None else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _follow(value: object, steps: Sequence[Step]) -> object | None:
    for step in steps:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


def _there(root: str, steps: Sequence[Step], seen: Sequence[object]) -> list[str]:
    """What stands at the last place of the path that the documents have: the keys most alike, else the first ones; of a
    list or a single value the place itself.
    """
    for depth in range(len(steps) - 1, -1, -1):
        found = [value for document in seen if (value := _follow(document, steps[:depth])) is not None]
        if found:
            way = root + "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in steps[:depth])
            names = list(dict.fromkeys(key for value in found if isinstance(value, dict) for key in value))
            close = nearest(str(steps[depth]), names)
            return [f"{way}.{key}" for key in (close or names)[:_NAMES]] or [way]
    return []


__all__ = ["ASKED_OF_NONE", "NO_MEMBER", "answered", "asked"]
