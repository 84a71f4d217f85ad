"""Paths into values that have no parts."""

from __future__ import annotations

import re

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text
from logsql.language.tree import Field, canonical
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.notes.words import kind_word, settled_kind
from logsql.values.types import Kind
from logsql.values.values import Typed

NO_PARTS = define(
    "N1401",
    "path-into-no-document",
    ("a path reads into a value that is no map and no list", "맵도 리스트도 아닌 값의 안쪽을 읽습니다"),
    (
        "{value} is {kind} and has no parts: {path} is always null",
        "{value}은(는) {kind}이어서 안쪽이 없습니다. {path}은(는) 늘 null입니다",
    ),
)
PARSE_FIRST = text(
    "parsejson field={value} reads the text of a document first",
    "문서인 텍스트는 먼저 parsejson field={value}로 읽으세요",
)
_PARTED = (Kind.LIST, Kind.MAP)


def member(call: FunctionCall, value: Typed) -> None:
    """Tell of ``valueof(x, "k")`` where x is a text or a number."""
    if settled_kind(value.kind) and value.kind not in _PARTED:
        node = call.nodes[0]
        help = PARSE_FIRST.fill(value=node.name) if isinstance(node, Field) and value.kind is Kind.STRING else None
        call.note(NO_PARTS, 0, help=help, value=canonical(node), kind=kind_word(value.kind), path=canonical(call.call))


def path(cx: Lowering, node: Field) -> None:
    """Tell of ``a.k`` where a is a text or a number, and no field is called ``a.k``."""
    rel = cx.rel
    if rel is None or rel.rest is not None or rel.column(node.name) is not None:
        return
    parent = re.split(r"[.\[]", node.name, maxsplit=1)[0]
    column = rel.column(parent) if parent != node.name else None
    if column is None or column.parts or not settled_kind(column.type.kind) or column.type.kind in _PARTED:
        return
    kind = column.type.kind
    help = PARSE_FIRST.fill(value=parent) if kind is Kind.STRING else None
    cx.note(NO_PARTS, node.span, help=help, value=parent, kind=kind_word(kind), path=node.name)
