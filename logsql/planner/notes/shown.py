"""Words that other programs show instead of a value: ``keywords == "Audit Failure"`` where the field holds a mask.

Which they are is declared by the source (``SourceSpec.words``, ``forms``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from logsql.diagnostics.codes import define, text
from logsql.language.tree import Binary, Expr, Literal, canonical
from logsql.planner.calls import Lowering
from logsql.planner.notes.words import WRITE, field_name

SHOWN_ELSEWHERE = define(
    "N1234",
    "word-of-another-program",
    (
        "a field is compared with a word that other programs show instead of its value",
        "다른 프로그램이 값 대신 표시하는 낱말과 비교합니다",
    ),
    (
        "no value of {field} is written {word}: what other programs show so is {value} here",
        "{field}에는 {word}(으)로 적힌 값이 없습니다. 다른 프로그램이 그렇게 표시하는 값은 여기서 {value}입니다",
    ),
)
MAPS = define(
    "N1235",
    "text-beside-maps",
    (
        "a list of maps is asked for a text that none of its items is",
        "맵의 리스트에 항목일 수 없는 텍스트가 있는지 묻습니다",
    ),
    (
        "each item of {field} is a map: none is the text {word}",
        "{field}의 항목은 맵이므로 텍스트 {word}인 항목이 없습니다",
    ),
)
EACH_A_ROW = text(
    "each item has a row of its own with {option}: {better}",
    "{option}을(를) 주면 항목마다 한 행이 됩니다: {better}",
)
#: A part of a word tells which one is meant: ``Failure`` of ``Audit Failure``.
_LEAST = 3


def stands_for(cx: Lowering, node: Expr, said: str) -> tuple[str | int, ...]:
    """The values that are meant by a text with which a field is compared; none where it is no such word."""
    name = field_name(node)
    declared = cx.rel.declared if cx.rel is not None else None
    if declared is None or name is None or not (name in declared.words or name in declared.forms) or not cx.own(name):
        return ()
    if name in declared.forms:
        form = declared.forms[name](said)
        return () if form is None else (form,)
    words = declared.words.get(name, {})
    pattern = re.compile(".*".join(map(re.escape, said.lower().split("*"))))
    if any(pattern.fullmatch(str(value).lower()) for values in words.values() for value in values):
        return ()  # it is one of the values, or may be
    found = [word for word in words if pattern.fullmatch(word.lower())]
    if not found and len(said) >= _LEAST and "*" not in said:
        found = [word for word in words if re.search(rf"\b{re.escape(said.lower())}", word.lower())]
    return tuple(dict.fromkeys(value for word in found for value in words[word]))


def meant(cx: Lowering, expr: Binary, said: str, items: bool = False) -> str | None:
    """The help of ``level == "Error"``: the comparison with what is shown so; None where there is none. ``items``:
    it is items of a list that are asked for.
    """
    values = stands_for(cx, expr.left, said) if expr.op in ("==", "!=") else ()
    if not values:
        return None
    if items:
        asked = f"contains({canonical(expr.left)}, {_written(values[0])})"
        return WRITE.fill(better=f"not {asked}" if expr.op == "!=" else asked)
    return WRITE.fill(better=_condition(expr.left, expr.op, values))


def compared(cx: Lowering, expr: Binary, said: str, items: bool) -> bool:
    """Tell of ``keywords == "Audit Failure"``; whether it was told."""
    help = meant(cx, expr, said, items)
    if help is not None:
        _tell(cx, expr, help, expr.left, expr.right, stands_for(cx, expr.left, said))
    return help is not None


def candidate(cx: Lowering, value: Expr, node: Expr) -> None:
    """Tell of a candidate of ``in(keywords, "Audit Failure")`` or ``contains(reason, "USN_REASON_CLOSE")``."""
    values = stands_for(cx, value, str(node.value)) if isinstance(node, Literal) and node.kind == "string" else ()
    if values:
        _tell(cx, node, WRITE.fill(better=", ".join(map(_written, values))), value, node, values)


def part(cx: Lowering, value: Expr, node: Expr) -> None:
    """Tell of a text that ``contains(file_path, "C:\\Users")`` looks for in a field. One that begins between two
    folders may be in any path."""
    said = str(node.value) if isinstance(node, Literal) and node.kind == "string" else ""
    if said[:1] in ("", "*", ".", "/", "\\"):
        return
    values = [str(found).strip("*") for found in stands_for(cx, value, said)]
    if values and all(values) and not any("*" in found or said in found for found in values):
        _tell(cx, node, WRITE.fill(better=", ".join(map(_written, values))), value, node, values)


def _tell(cx: Lowering, place: Expr, help: str, field: Expr, word: Expr, values: Sequence[str | int]) -> None:
    shown = " / ".join(map(str, values))
    cx.note(SHOWN_ELSEWHERE, place.span, help=help, field=canonical(field), word=canonical(word), value=shown)


def _condition(node: Expr, op: str, values: Sequence[str | int]) -> str:
    written = [f"{canonical(node)} {op} {_written(value)}" for value in values]
    return f"({(' and ' if op == '!=' else ' or ').join(written)})" if len(written) > 1 else written[0]


def _written(value: str | int) -> str:
    return canonical(Literal(value, "string" if isinstance(value, str) else "int"))


def among_maps(cx: Lowering, node: Expr, said: Expr) -> None:
    """Tell of ``ads == "Zone.Identifier"`` and ``contains(ads, "Zone.Identifier")``, where the items are maps."""
    name, declared = field_name(node), cx.rel.declared if cx.rel is not None else None
    field = declared.items.get(name) if declared is not None and name is not None else None
    if declared is None or field is None or name is None or not cx.own(name):
        return
    if isinstance(said, Literal) and said.kind == "string" and "*" not in str(said.value):
        better = f"{field} == {canonical(said)}"
        cx.note(
            MAPS,
            said.span,
            help=EACH_A_ROW.fill(option=declared.adds[field], better=better),
            field=name,
            word=canonical(said),
        )
