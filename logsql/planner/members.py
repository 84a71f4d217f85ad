"""Paths that lead nowhere: ``stats count by user.nmae`` over documents of which none has that key.

What a document holds is known only when it is read, so no note can say it and a single null is no loss. But a path that
no row answers is a slip far more often than a finding. Where none of the first documents of a source has the path, or
nothing can be looked at before the run, the run tells whether any row answered it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol

from logsql.diagnostics.errors import nearest
from logsql.diagnostics.losses import loss
from logsql.planner import losses
from logsql.planner.relation import Rel
from logsql.values import paths, sql, values
from logsql.values.types import EVERY_KIND, Kind
from logsql.values.values import Step, Typed

NO_MEMBER = loss(
    "no-member",
    (
        "no row has what this path leads to: null in every row (in brackets: what the first rows have there)",
        "이 경로가 가리키는 값이 어느 행에도 없어 모든 행에서 null입니다(괄호 안: 처음 행들의 그 자리에 있는 것)",
    ),
)
#: Names that are told instead.
_NAMES = 5


class Reading(losses.Counting, Protocol):
    """What this needs of an expression context."""

    def sample(self, name: str) -> tuple[str, ...]: ...
    def once(self, value: Typed, kinds: frozenset[Kind]) -> Typed: ...


def answered(cx: Reading, name: str, value: Typed) -> Typed:
    """``value``, what the path ``name`` leads to; the ledger is told where it is null in every row with a document."""
    if cx.run_id is None or cx.rel is None or cx.rel.rest is not None or value.kind is Kind.NULL or cx.lambda_depth:
        return value
    found = _document(cx.rel, name)
    if found is None:
        return value
    root, steps = found
    seen = [document for text in cx.sample(root) if (document := _parsed(text)) is not None]
    if any(_follow(document, steps) is not None for document in seen):
        return value
    names = _there(root, steps, seen)
    source = f"{name} ({', '.join(names)})" if names else name
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


def _document(rel: Rel, name: str) -> tuple[str, tuple[Step, ...]] | None:
    """The field that holds the document, and the steps into it."""
    for root, steps in paths.splits(name):
        column = rel.column(root)
        if column is not None:
            return (root, steps) if not column.parts and column.type.json else None
    return None


def _parsed(text: str) -> object | None:
    try:
        return json.loads(text)  # type: ignore[no-any-return]
    except ValueError:
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


__all__ = ["NO_MEMBER", "answered"]
