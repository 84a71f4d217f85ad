"""Lists asked for an element that they cannot hold, and lists asked as if they were one value."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.language.tree import Expr, Literal, canonical
from logsql.planner.calls import FunctionCall
from logsql.planner.notes.words import WRITE, kind_word, number_text, settled_kind
from logsql.values.types import RANK, Kind
from logsql.values.values import Typed

NEVER_HELD = define(
    "N1225",
    "element-of-another-type",
    (
        "a list is asked for a value that none of its items equals, by its type",
        "리스트의 어떤 항목과도 타입이 달라 같을 수 없는 값을 찾습니다",
    ),
    (
        "{list} holds {item} in each place, and {needle} is {kind}: contains() never finds it",
        "{list}의 항목은 {item}이고 {needle}은(는) {kind}이므로 contains()가 찾지 못합니다",
    ),
)
LIST_IN = define(
    "N1226",
    "list-in-candidates",
    ("in() compares a list as a whole", "in()은 리스트를 통째로 비교합니다"),
    (
        "{value} is a list, which in() compares as a whole: no text or number equals it",
        "{value}은(는) 리스트이고 in()은 통째로 비교하므로 텍스트나 숫자와 같지 않습니다",
    ),
)


def contained(call: FunctionCall, items: Typed, needle: Typed) -> None:
    """Tell of ``contains(array(1, 2), "1")``: items and needle of two types are never equal."""
    element = items.type.element
    if element is None or not (settled_kind(element.kind) and settled_kind(needle.kind)):
        return
    if RANK[element.kind] == RANK[needle.kind]:
        return
    node, better = call.nodes[1], None
    if isinstance(node, Literal):
        if element.number and number_text(str(node.value)):
            better = str(node.value)
        elif element.kind is Kind.STRING and node.kind != "bool":
            better = f'"{canonical(node)}"'
    elif element.kind is Kind.STRING:
        better = f"string({canonical(node)})"
    elif element.number and needle.kind is Kind.STRING:
        better = f"double({canonical(node)})"
    written = canonical(call.nodes[0])
    help = None if better is None else WRITE.fill(better=f"contains({written}, {better})")
    item, kind = kind_word(element.kind), kind_word(needle.kind)
    call.note(NEVER_HELD, 1, help=help, list=written, item=item, needle=canonical(node), kind=kind)


def candidates(call: FunctionCall, value: Typed, nodes: list[Expr]) -> None:
    """Tell of ``in(tags, "x")`` where tags is a list: ``contains(tags, "x")`` looks into it, a pattern at its text."""
    if value.kind is not Kind.LIST or not all(isinstance(node, Literal) for node in nodes):
        return
    held = [looked_for(call.nodes[0], node) for node in nodes if isinstance(node, Literal)]
    call.note(LIST_IN, 0, help=WRITE.fill(better=" or ".join(held)), value=canonical(call.nodes[0]))


def looked_for(items: Expr, needle: Literal) -> str:
    """The condition that finds a needle, or what a pattern says, in a list."""
    written = canonical(needle)
    if needle.kind != "string" or "*" not in str(needle.value):
        return f"contains({canonical(items)}, {written})"
    inner = str(needle.value).strip("*")
    return f"{canonical(items)} == {canonical(Literal(f'*{inner}*', 'string'))}"
