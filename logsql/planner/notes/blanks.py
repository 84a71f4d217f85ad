"""Blank cells of a CSV file, which are "" and not null (README: what surprises first)."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.language.tree import canonical
from logsql.planner.calls import FunctionCall
from logsql.planner.notes.words import WRITE, field_name
from logsql.values.types import Kind

BLANK_CELL = define(
    "N1240",
    "blank-is-not-null",
    (
        'a query asks for null where the cells of the file are blank: a blank cell of a CSV file is ""',
        'CSV의 빈 칸은 ""인데 쿼리가 null인지 묻습니다',
    ),
    (
        '{field} has blank cells, which are "" and not null for {call}',
        '{field}에는 빈 칸이 있는데 빈 칸은 ""이므로 {call}에서 null이 아닙니다',
    ),
)


def asked_for_null(call: FunctionCall, better: str) -> None:
    """Tell of ``isnull(memo)`` over a field of ``csvfile`` whose first cells are partly blank; ``better`` with
    ``{field}`` says what is meant. Silent where the query compares the field with "" itself."""
    node, rel = call.nodes[0], call.cx.rel
    name = field_name(node)
    if name is None or rel is None or not rel.blank_cells or call.arg(0).kind is not Kind.STRING:
        return
    if (name, "") in call.cx.texts_asked or not call.cx.own(name) or "" not in call.cx.sample(name):
        return
    field = canonical(node)
    help = WRITE.fill(better=better.replace("{field}", field))
    call.note(BLANK_CELL, 0, help=help, field=field, call=canonical(call.call))
