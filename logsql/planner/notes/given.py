"""Constants that a call can never give: ``lower(x) == "ABC"``, ``typeof(x) == "integer"``, ``len(x) < 0``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logsql.diagnostics.codes import define, text
from logsql.diagnostics.messages import listed, plural
from logsql.language.tree import Binary, Call, Expr, Literal, NamedArg, Unary, canonical
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.notes.words import WRITE, depends
from logsql.planner.results import ANYTHING, Results, held, missed, padded, whole
from logsql.values.values import Typed

NEVER_GIVEN = define(
    "N1231",
    "never-the-result",
    (
        "the result of a function is compared with a constant that it never gives",
        "함수의 결과로 나올 수 없는 상수와 비교합니다",
    ),
    ("{value} never gives {constant}: {fact}", "{value}의 결과로 {constant}은(는) 나오지 않습니다: {fact}"),
)
NEVER_TRUE = NEVER_GIVEN.says(
    (
        "{value} {op} {constant} is never true: {fact}",
        "{value} {op} {constant}은(는) 결코 참이 아닙니다: {fact}",
    )
)
SAME_ALWAYS = NEVER_GIVEN.says(
    (
        "{value} {op} {constant} is true of every row: {fact}",
        "{value} {op} {constant}은(는) 모든 행에서 참입니다: {fact}",
    )
)
_FACTS = {
    ("case", "lower"): text("it has no capital letters", "대문자가 없습니다"),
    ("case", "upper"): text("it has no small letters", "소문자가 없습니다"),
    ("trimmed", ""): text("it has no blanks at its ends", "앞뒤에 공백이 없습니다"),
    ("longest", ""): text("it has at most {longest} character{s}", "최대 {longest}자입니다"),
    ("exact", ""): text("it has {longest} character{s}", "{longest}자입니다"),
    ("shortest", ""): text("it has at least {shortest} characters", "최소 {shortest}자입니다"),
    ("words", ""): text("there are {words}", "값은 {words} 가운데 하나입니다"),
    ("characters", ""): text("its characters are {characters}", "{characters} 글자로만 되어 있습니다"),
}
BOTH = text("it is from {low} to {high}", "{low}에서 {high} 사이입니다")
WHOLE = text("it is a whole number", "정수입니다")
AT_LEAST = text("it is at least {low}", "{low} 이상입니다")
#: What other tools call a type; none of the words is one here.
_TYPES = {
    **dict.fromkeys(("integer", "int32", "number(int)"), "int"),
    **dict.fromkeys(("bigint", "int64", "biginteger"), "long"),
    **dict.fromkeys(("smallint", "int16"), "short"),
    **dict.fromkeys(("float64", "real", "decimal"), "double"),
    **dict.fromkeys(("str", "text", "varchar", "char"), "string"),
    **dict.fromkeys(("boolean",), "bool"),
    **dict.fromkeys(("datetime", "timestamp", "time"), "date"),
    **dict.fromkeys(("array", "multivalue", "tuple"), "list"),
    **dict.fromkeys(("object", "dict", "struct", "hash", "dynamic"), "map"),
    **dict.fromkeys(("bytes", "blob", "byte[]"), "binary"),
    **dict.fromkeys(("ip", "ipaddr", "inet"), "ipv4"),
}
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
#: A regular expression that is a plain text, in which a letter is no part of anything.
_PLAIN = re.compile(r"[\w -]+")


def of(expr: Expr) -> Results:
    """What all results of an expression have in common."""
    if not isinstance(expr, Call):
        return ANYTHING
    spec = FUNCTIONS.get(expr.name)
    if spec is None or spec.gives is None:
        return ANYTHING
    nodes = arguments_of(expr)
    return spec.gives(of(nodes[0]) if nodes else ANYTHING, nodes)


def arguments_of(call: Call) -> list[Expr]:
    """The arguments that have no name."""
    return [node for node in call.args if not isinstance(node, NamedArg)]


def compared(cx: Lowering, expr: Binary) -> bool:
    """Look at ``lower(x) == "ABC"`` and ``len(x) < 0``, on either side; whether it was told."""
    for call, constant, op in (
        (expr.left, expr.right, expr.op),
        (expr.right, expr.left, _FLIPPED.get(expr.op, expr.op)),
    ):
        if isinstance(call, Call) and isinstance(constant, Literal | Unary) and depends(call):
            known = of(call)
            if known is not ANYTHING:
                if _number(cx, expr, call, known, op, constant):
                    return True
                # a text before == is no pattern, and letter case does not count there
                return call is expr.left and _text(cx, expr, call, known, op, constant)
    return False


def fraction(cx: Lowering, expr: Binary, left: Typed) -> None:
    """Tell of ``count == 1.5``: no whole number is one with a fraction."""
    number = expr.right.value if isinstance(expr.right, Literal) else None
    if left.type.integer and expr.op in ("==", "!=") and isinstance(number, float) and not number.is_integer():
        facts = {"value": canonical(expr.left), "constant": canonical(expr.right), "fact": WHOLE.fill()}
        cx.note(NEVER_GIVEN, expr.span, **facts)


def _number(cx: Lowering, expr: Binary, call: Call, known: Results, op: str, constant: Expr) -> bool:
    node = constant.operand if isinstance(constant, Unary) else constant
    if not isinstance(node, Literal) or isinstance(node.value, str | bool) or node.value is None:
        return False
    if known.low is None and known.high is None:
        return False
    number = float(node.value) * (-1 if isinstance(constant, Unary) else 1)
    answer = held(known, op, number)
    if answer is None or (answer and not known.given):  # of a null argument it is null, and the condition tests that
        return False
    low, high = (None if bound is None else f"{bound:g}" for bound in (known.low, known.high))
    fact = BOTH.fill(low=low, high=high) if low and high else AT_LEAST.fill(low=low)
    facts = {"value": canonical(call), "constant": f"{number:g}", "fact": fact}
    said = NEVER_GIVEN if op in ("==", "!=") else SAME_ALWAYS if answer else NEVER_TRUE
    cx.note(said, expr.span, op=op, **facts)
    return True


def _text(cx: Lowering, expr: Binary, call: Call, known: Results, op: str, constant: Expr) -> bool:
    if op not in ("==", "!=") or not isinstance(constant, Literal) or constant.kind != "string":
        return False
    why = missed(known, str(constant.value))
    if why is None:
        return False
    better = _meant(call, known, why, str(constant.value))
    help = None
    if better is not None:
        left, right = better
        help = WRITE.fill(better=left if not right else f"{left} {op} {right}")
        if not right and op == "!=":
            help = WRITE.fill(better=f"not({left})")
    _tell(cx, expr, call, known, why, constant, help)
    return True


def _tell(cx: Lowering, at: Expr, call: Call, known: Results, why: str, constant: Literal, help: str | None) -> None:
    exact = why in ("longest", "shortest") and known.shortest == known.longest
    key = ("exact", "") if exact else (why, known.case if why == "case" else "")
    shown = listed(known.words, 20) if known.words else ""
    facts = {"shortest": known.shortest, "longest": known.longest, "s": plural(known.longest or 0)}
    fact = _FACTS[key].fill(words=shown, characters=known.characters.strip("[]"), **facts)
    cx.note(NEVER_GIVEN, at.span, help=help, value=canonical(call), constant=canonical(constant), fact=fact)


def _meant(call: Call, known: Results, why: str, written: str) -> tuple[str, str] | None:
    """The two sides as they are probably meant, or a condition alone and ""; None where nothing is near."""
    here = canonical(call)
    if why == "words":
        lowered = written.strip().lower()
        if lowered in ("null", "none", "undefined", ""):
            return f"isnull({', '.join(map(canonical, call.args))})", ""
        if lowered in ("number", "numeric"):
            return f"isnum({', '.join(map(canonical, call.args))})", ""
        word = lowered if lowered in known.words else _TYPES.get(lowered)
        return None if word is None else (here, f'"{word}"')
    changed = written
    if why == "case":
        changed = written.lower() if known.case == "lower" else written.upper()
    elif why == "trimmed":
        changed = written.strip()
    if missed(known, changed) is None:
        return here, canonical(Literal(changed, "string"))
    nodes = arguments_of(call)
    if why != "longest" or "*" in written or len(nodes) < 2 or FUNCTIONS[call.name].gives is padded:
        return None
    args = [canonical(argument) for argument in nodes]
    if len(args) == 2 and whole(nodes[1]) == known.longest:
        args[1] = str(len(written))
    elif len(args) == 3 and (begin := whole(nodes[1])) is not None and begin >= 0:
        args[2] = str(begin + len(written))
    else:
        return None
    return f"{call.name}({', '.join(args)})", canonical(Literal(written, "string"))


def candidates(call: FunctionCall, nodes: Sequence[Expr]) -> None:
    """Tell of the first candidate of ``in(upper(x), "abc")`` that the first argument never gives."""
    value = call.nodes[0]
    known = of(value)
    if known is ANYTHING or not isinstance(value, Call) or not depends(value):
        return
    for node in nodes:
        why = missed(known, str(node.value)) if isinstance(node, Literal) and node.kind == "string" else None
        if why is None or not isinstance(node, Literal):
            continue
        mended = [_candidate(value, known, other) for other in nodes]
        help = WRITE.fill(better=f"in({canonical(value)}, {', '.join(filter(None, mended))})") if all(mended) else None
        _tell(call.cx, node, value, known, why, node, help)
        return


def _candidate(value: Call, known: Results, node: Expr) -> str | None:
    if not isinstance(node, Literal) or node.kind != "string" or (why := missed(known, str(node.value))) is None:
        return canonical(node)
    better = _meant(value, known, why, str(node.value))
    return better[1] if better is not None and better[0] == canonical(value) else None


def sought(call: FunctionCall, name: str, regex: bool = False) -> None:
    """Tell of ``contains(lower(x), "ABC")`` and ``match(upper(x), "abc")``: a needle that the text cannot hold."""
    if len(call.nodes) < 2 or not isinstance(value := call.nodes[0], Call):
        return
    node = call.nodes[1]
    if not isinstance(node, Literal) or node.kind != "string" or not str(node.value):
        return
    written = str(node.value)
    if regex and not _PLAIN.fullmatch(written):
        return
    whole_ = of(value)
    inside = Results(whole_.case, 0, whole_.longest, characters=whole_.characters)
    why = missed(inside, written.replace("*", "")) if inside != ANYTHING else None
    if why is None:
        return
    better = _meant(value, inside, why, written)
    help = None
    if better is not None and better[1]:
        others = "".join(f", {canonical(other)}" for other in call.nodes[2:])
        help = WRITE.fill(better=f"{name}({better[0]}, {better[1]}{others})")
    _tell(call.cx, node, value, inside, why, node, help)
