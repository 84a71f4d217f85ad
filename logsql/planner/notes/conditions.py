"""Conditions that do not depend on the row: a text or a number where a comparison is meant (language.md 3.4)."""

from __future__ import annotations

from logsql.diagnostics.codes import define, text
from logsql.language.slips import QUOTES
from logsql.language.tree import Binary, Call, Expr, Field, Literal, Unary, canonical
from logsql.planner.calls import Lowering
from logsql.planner.function_spec import FUNCTIONS
from logsql.planner.notes.comparisons import constants, name_of
from logsql.planner.notes.contradictions import joined
from logsql.planner.notes.fields import CONSTANTS, likely
from logsql.planner.notes.words import WRITE, kind_word, settled_kind
from logsql.values.types import Kind
from logsql.values.values import Typed

CONSTANT = define(
    "N1205",
    "constant-condition",
    (
        "a text or a number stands alone as a condition: all but null and false is true",
        "텍스트나 숫자만 조건으로 썼습니다. null과 false가 아니면 모두 참입니다",
    ),
    (
        "{value} alone is always true: it is not looked for in the row",
        "{value}만 쓰면 늘 참입니다. 행에서 찾지 않습니다",
    ),
)
ANY_NUMBER = define(
    "N1206",
    "number-as-condition",
    ("a computed number is taken as a condition", "계산한 숫자를 조건으로 썼습니다"),
    (
        "{value} is a number, and every number is true, 0 and -1 too",
        "{value}은(는) 숫자입니다. 0과 -1을 포함해 숫자는 모두 참입니다",
    ),
    ("compare it: {value} > 0", "비교하세요: {value} > 0"),
)
BETTER = text("compare it: {better}", "비교하세요: {better}")
FLAG = define(
    "N1222",
    "flag-as-condition",
    (
        "a field of numbers or texts that mean no stands alone as a condition",
        "아니요를 뜻하는 숫자나 텍스트가 든 필드만 조건으로 썼습니다",
    ),
    (
        "{value} is {kind}: alone as a condition every value of it is true, {absent} too",
        "{value}은(는) {kind}이므로 조건으로 쓰면 {absent}도 참입니다",
    ),
)
#: What says no, what says yes.
_FLAGS = (("false", "true"), ("0", "1"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"))
NOT_OF = define(
    "N1207",
    "not-of-no-boolean",
    ("not() of a value that is no boolean is null", "불리언이 아닌 값의 not()은 null입니다"),
    ("{value} is {kind}, and not() of it is always null", "{value}은(는) {kind}이므로 not()이 늘 null입니다"),
)
BARE_WORD = define(
    "N1208",
    "bare-word-condition",
    ("a word that is no field stands alone as a condition", "필드가 아닌 단어만 조건으로 썼습니다"),
    (
        "{word} is the name of a field here, not a text to look for: never true",
        "{word}은(는) 찾을 텍스트가 아니라 필드 이름입니다: 결코 참이 아닙니다",
    ),
)
QUOTED_FIELD = define(
    "N1209",
    "value-in-single-quotes",
    (
        "single quotes around a value: only double quotes make a text, so this is the name of a field",
        "값을 작은따옴표로 묶었습니다. 텍스트는 큰따옴표로만 묶으므로 필드 이름이 됩니다",
    ),
    (
        "{written} is the name of a field, which the row does not have; a text stands in double quotes",
        "{written}은(는) 행에 없는 필드 이름입니다. 텍스트는 큰따옴표로 묶습니다",
    ),
)
FIELD_IN_QUOTES = QUOTED_FIELD.says(
    (
        "{written} is the name of a field, quotes included, which the row does not have",
        "{written}은(는) 따옴표까지 필드 이름인데 행에 그런 필드가 없습니다",
    )
)


def condition(cx: Lowering, node: Expr, value: Typed, before: Expr | None = None) -> None:
    """Tell of a part of a condition that is the same for every row. ``before`` is the part that ``or`` joins it to."""
    if isinstance(node, Literal):
        if node.kind in ("bool", "null"):
            return
        sought = WRITE.fill(better=_looked_for(cx, node, before)) if node.value not in ("", 0, 1) else None
        cx.note(CONSTANT, node.span, help=sought, value=canonical(node))
    elif isinstance(node, Field):
        if value.kind is Kind.NULL and missing(cx, node) and not quoted(node) and not _misspelt(cx, node):
            name, _, word = node.name.partition(":")  # KQL and Lucene: line:Failed
            known = bool(word) and cx.rel is not None and cx.rel.column(name) is not None
            better = f'{name} == "*{word}*"' if known else f'{_text_field(cx)} == "*{node.name}*"'
            cx.note(BARE_WORD, node.span, help=WRITE.fill(better=better), word=node.name)
    elif isinstance(node, Binary):
        if node.op in ("and", "or"):
            joined(cx, node)
        constants(cx, node)
    if isinstance(node, Field):
        _flag(cx, node, value)
    if value.type.number and _computed(node):
        position = isinstance(node, Call) and FUNCTIONS[node.name].finds_place
        help = BETTER.fill(better=f"{canonical(node)} >= 0") if position else None
        cx.note(ANY_NUMBER, node.span, help=help, value=canonical(node))


def _flag(cx: Lowering, node: Field, value: Typed) -> None:
    """Tell of a field of ``"false"`` or 0 that stands alone as a condition: both are true (language.md 3.4)."""
    if value.kind is not Kind.STRING and not value.type.number:
        return
    found = set(cx.sample(node.name))
    for no, yes in _FLAGS if value.kind is Kind.STRING else (("0", "1"),):
        written = {text for text in found if text.lower() in (no, yes)}
        if written == found and no in {text.lower() for text in written}:
            shown = '"{}"' if value.kind is Kind.STRING else "{}"
            absent = min(text for text in written if text.lower() == no)
            plain = all(text.islower() or text.isdigit() for text in written)
            better = WRITE.fill(better=f"{node.name if plain else f'lower({node.name})'} == {shown.format(yes)}")
            kind = kind_word(value.kind)
            cx.note(FLAG, node.span, help=better, value=node.name, kind=kind, absent=shown.format(absent))
            return


def _misspelt(cx: Lowering, node: Field) -> bool:
    """Whether the note of a field that no row has says more: ``search TRUE``, ``search actve``."""
    return node.name.lower() in CONSTANTS or (cx.rel is not None and likely(cx.rel, node.name))


def _computed(node: Expr) -> bool:
    """A number that somebody computed: a call that passes values on (if, nvl, $) may mean "is there one"."""
    if isinstance(node, Call):
        spec = FUNCTIONS.get(node.name)
        return spec is not None and spec.computes_number
    return isinstance(node, Unary) or (isinstance(node, Binary) and node.op in ("+", "-", "*", "/"))


def _looked_for(cx: Lowering, node: Literal, before: Expr | None) -> str:
    if (
        isinstance(before, Binary)
        and before.op in ("==", "!=", "<", "<=", ">", ">=")
        and isinstance(before.right, Literal)
    ):
        starred = node.kind == "string" and "*" in str(before.right.value) and "*" not in str(node.value)
        shown = f'"*{canonical(node)[1:-1]}*"' if starred else canonical(node)  # line == "*a*" or "b"
        return f"{canonical(before.left)} {before.op} {shown}"
    sought = canonical(node)[1:-1] if node.kind == "string" else canonical(node)
    return f'{_text_field(cx)} == "*{sought.strip("*")}*"'


def _text_field(cx: Lowering) -> str:
    """The field that a text is probably looked for in: the line, else the only text of the row."""
    rel = cx.rel
    names = [c.name for c in rel.columns if c.type.kind is Kind.STRING and not c.name.startswith("_")] if rel else []
    return "line" if "line" in names else names[0] if len(names) == 1 else "FIELD"


def negated(cx: Lowering, node: Expr, value: Typed) -> None:
    """Tell of ``not("x")`` and ``not(len(a))``: null, whatever the row holds."""
    if settled_kind(value.kind) and value.kind is not Kind.BOOL:
        cx.note(NOT_OF, node.span, value=canonical(node), kind=kind_word(value.kind))


def missing(cx: Lowering, node: Field) -> bool:
    """Whether no row can have the field."""
    rel = cx.rel
    return rel is not None and rel.rest is None and node.name not in cx.bindings and rel.column(node.name) is None


def quoted(node: Field) -> bool:
    """Whether a field's name is a value in single quotes: ``'kim'``."""
    return len(node.name) > 1 and _in_quotes(node.name[0], node.name[-1])


def _in_quotes(first: str, last: str) -> bool:
    """Whether two characters are a pair of single quotes, those of word processors included."""
    return first in QUOTES and last in QUOTES


def quoted_value(cx: Lowering, node: Field | Binary) -> None:
    """Tell of ``user == 'kim'``, where the row has no field of that name.

    ``line == '*x*'`` reads as ``' * x * '``, an arithmetic of the fields ``'`` and ``x``.
    """
    written = _single_quoted(node)
    if written is not None and missing(cx, _first(node)):
        name = Literal(written[1:-1], "string")
        known = cx.rel is not None and cx.rel.column(written[1:-1]) is not None
        better = name_of(name) if known else canonical(name)
        cx.note(FIELD_IN_QUOTES if known else QUOTED_FIELD, node.span, help=WRITE.fill(better=better), written=written)


def _single_quoted(node: Field | Binary) -> str | None:
    """The text in single quotes that a field, or an arithmetic, was before it was read as one."""
    if isinstance(node, Field):
        return node.name if quoted(node) else None
    pieces = _pieces(node)
    if pieces is None or not _in_quotes(pieces[0][:1], pieces[-1][-1:]):
        return None
    return "".join(pieces)


def _pieces(node: Expr) -> list[str] | None:
    if isinstance(node, Binary) and node.op in ("+", "-", "*", "/"):
        left, right = _pieces(node.left), _pieces(node.right)
        return None if left is None or right is None else [*left, node.op, *right]
    return [node.name] if isinstance(node, Field) else None


def _first(node: Expr) -> Field:
    while isinstance(node, Binary):
        node = node.left
    assert isinstance(node, Field)
    return node
