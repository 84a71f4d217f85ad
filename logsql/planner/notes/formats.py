"""Arguments that say how a function works: the mode of ``replace``, the specifiers of ``format``."""

from __future__ import annotations

import re

from logsql.diagnostics.codes import define, text
from logsql.language.tree import canonical
from logsql.planner.calls import FunctionCall
from logsql.planner.notes.arguments import NOTHING_FOR
from logsql.planner.notes.words import WRITE, kind_word, settled_kind
from logsql.values.types import Kind
from logsql.values.values import Typed

OTHER_MODE = define(
    "N1322",
    "unknown-mode",
    (
        "a mode of replace() that is none: the text is taken as it is",
        "replace()의 방식이 아니어서 텍스트를 그대로 찾습니다",
    ),
    (
        '{mode} is no mode of replace(), whose only one is "re": the text is looked for as it is',
        '{mode}은(는) replace()의 방식이 아닙니다. 방식은 "re"뿐이므로 텍스트를 그대로 찾습니다',
    ),
)
OTHER_FORMAT = define(
    "N1323",
    "format-of-another-type",
    ("a specifier of format() that prints another type: null", "format()의 지정자가 다른 타입을 출력합니다: null"),
    (
        "{specifier} prints {wanted}, and {value} is {kind}: format() is always null",
        "{specifier}은(는) {wanted}만 출력하는데 {value}은(는) {kind}이므로 format()이 늘 null입니다",
    ),
)
TOO_FEW = define(
    "N1324",
    "format-without-value",
    ("format() has more specifiers than values: null", "format()의 지정자가 값보다 많습니다: null"),
    (
        "format() prints {wanted} values and is given {count}: it is always null",
        "format()이 값 {wanted}개를 출력하는데 {count}개만 주었으므로 늘 null입니다",
    ),
)
WHOLE, FRACTION = text("whole numbers", "정수"), text("numbers with a fraction", "실수")
A_WHOLE, A_FRACTION = text("a whole number", "정수"), text("a number with a fraction", "실수")
_SPECIFIER = re.compile(r"%(\d+\$)?[-#+ 0,(]*\d*(?:\.\d+)?([a-zA-Z%])")


def replaced(call: FunctionCall) -> None:
    """Tell of ``replace(a, "\\\\d", "", "regex")``: every mode but ``"re"`` is passed over."""
    written = canonical(call.nodes[3])
    args = [*(canonical(node) for node in call.nodes[:3]), '"re"']
    call.note(OTHER_MODE, 3, help=WRITE.fill(better=f"replace({', '.join(args)})"), mode=written)


def formatted(call: FunctionCall, written: str, arguments: list[Typed]) -> None:
    """Tell of ``format("%d", "5")`` and ``format("%.2f", 3)``: nothing is converted, as in Java; and of ``%q``."""
    from udfs.java.javaformat import is_refused  # for cost: pyarrow

    if is_refused(written):
        call.note(NOTHING_FOR, 0, function=call.spec.name, value=canonical(call.nodes[0]))
        return
    found = [match for match in _SPECIFIER.finditer(written) if match[2] not in "%n"]
    if any(match[1] for match in found):
        return
    single = arguments[0].kind if len(arguments) == 1 else None
    if len(found) > len(arguments) and single not in (Kind.LIST, Kind.ANY, Kind.NULL):  # a list gives several values
        call.note(TOO_FEW, wanted=len(found), count=len(arguments))
        return
    if len(arguments) == 1 != len(found):
        return
    for place, (match, value) in enumerate(zip(found, arguments, strict=False), 1):
        whole, real = match[2] in "dxXo", match[2] in "eEfgGaA"
        if not (whole or real) or not settled_kind(value.kind) or (value.kind is Kind.LIST and single is Kind.LIST):
            continue  # a list alone gives several values
        if value.type.integer if whole else value.type.number and not value.type.integer:
            continue
        node = canonical(call.nodes[place])
        args = [canonical(argument) for argument in call.nodes]
        args[place] = f"{'long' if whole else 'double'}({node})"
        convertible = value.kind is Kind.STRING or value.type.number
        help = WRITE.fill(better=f"format({', '.join(args)})") if convertible else None
        wanted = (WHOLE if whole else FRACTION).fill()
        kind = kind_word(value.kind)
        if value.type.number:
            kind = (A_WHOLE if value.type.integer else A_FRACTION).fill()
        call.note(OTHER_FORMAT, place, help=help, specifier=match[0], wanted=wanted, value=node, kind=kind)
        return
