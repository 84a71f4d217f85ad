"""Paths into values that have no parts."""

from __future__ import annotations

import re

from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text
from logsql.language.tree import Field, Literal, Span, canonical
from logsql.planner.calls import FunctionCall, Lowering
from logsql.planner.notes.fields import Say
from logsql.planner.notes.spellings import LETTER_CASE
from logsql.planner.notes.words import WRITE, kind_word, settled_kind
from logsql.planner.relation import Rel
from logsql.values.types import Kind, LType
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
NOTHING_TO_OPEN = define(
    "N1404",
    "nothing-to-open",
    (
        "a command opens lists or maps, and the field is neither: the rows pass unchanged",
        "리스트나 맵을 펼치는 명령인데 필드가 그런 값이 아닙니다. 행은 그대로 지나갑니다",
    ),
)
NO_LIST = NOTHING_TO_OPEN.says(
    (
        "{command} takes a list, and {value} is {kind}: all rows pass unchanged",
        "{command}에는 리스트를 줍니다. {value}은(는) {kind}이므로 행이 그대로 지나갑니다",
    )
)
NO_MAP = NOTHING_TO_OPEN.says(
    (
        "{command} takes a map, and {value} is {kind}: all rows pass unchanged",
        "{command}에는 맵을 줍니다. {value}은(는) {kind}이므로 행이 그대로 지나갑니다",
    )
)
SPLIT_FIRST = text(
    'make a list of it: eval {value} = split({value}, ",") | explode {value}',
    '먼저 리스트로 만드세요: eval {value} = split({value}, ",") | explode {value}',
)
NO_KEYS = NO_PARTS.says(
    (
        "{value} is a list and has no keys: {path} is always null",
        "{value}은(는) 리스트이어서 키가 없습니다. {path}은(는) 늘 null입니다",
    )
)
NO_PLACES = NO_PARTS.says(
    (
        "{value} is a map and has no numbered places: {path} is always null",
        "{value}은(는) 맵이어서 번호로 가리키는 자리가 없습니다. {path}은(는) 늘 null입니다",
    )
)
KEY_CASE = LETTER_CASE.says(
    (
        "letter case counts, and the first rows have {path} only as {found}",
        "대소문자를 구분합니다. 처음 행들에는 {path}이(가) {found}(으)로만 있습니다",
    )
)
PARSE_FIRST = text(
    "read the document before: parsejson field={value}; then the field is {key}",
    "문서인 텍스트를 먼저 읽으세요: parsejson field={value}; 그러면 필드는 {key}입니다",
)
AS_DOCUMENT = text("write parsejson field={value}", "parsejson field={value}(으)로 쓰세요")
#: Names of events are written like ``TargetUserName``: to look at the first of a large log takes 80 ms, too long for
#: every query that spells them so.
_ODD_CASE = re.compile(r"^(?:[a-z]\w*|\w*(?:[A-Z]{2}|[a-z](?:name|type|address|path|line|port|guid|hash|status)$)\w*)$")
_PARTED = (Kind.LIST, Kind.MAP)


def member(call: FunctionCall, value: Typed) -> None:
    """Tell of ``valueof(x, "k")`` where x is a text or a number."""
    if settled_kind(value.kind) and value.kind not in _PARTED:
        node = call.nodes[0]
        key = call.nodes[1].value if len(call.nodes) > 1 and isinstance(call.nodes[1], Literal) else None
        text_field = isinstance(node, Field) and value.kind is Kind.STRING
        plain = isinstance(key, str) and key.isidentifier()
        help = PARSE_FIRST.fill(value=canonical(node), key=key) if text_field and plain else None
        call.note(NO_PARTS, 0, help=help, value=canonical(node), kind=kind_word(value.kind), path=canonical(call.call))


def path(note: Say, rel: Rel | None, name: str, span: Span) -> None:
    """Tell of ``a.k``, in an expression or where a name stands (``by a.k``), where a is a text or a number and no field
    is called ``a.k``."""
    parent = re.split(r"[.\[]", name, maxsplit=1)[0]
    if rel is None or parent == name or rel.rest is not None or rel.column(name) is not None:
        return
    column = rel.column(parent)
    _another_case(note, rel, name, span, parent)
    if column is None or column.parts or not settled_kind(column.type.kind):
        return
    kind, rest = column.type.kind, name[len(parent) :]
    if kind is Kind.LIST and rest[0] == ".":
        item = column.type.element
        single = item is not None and settled_kind(item.kind) and item.kind not in _PARTED
        help = None if single else WRITE.fill(better=f"{parent}[0]{rest}")
        note(NO_KEYS, span, help=help, value=parent, path=name)
    elif kind in _PARTED:
        _inside(note, name, span, parent, column.type)
    else:
        help = PARSE_FIRST.fill(value=parent, key=rest[1:]) if kind is Kind.STRING and rest[0] == "." else None
        note(NO_PARTS, span, help=help, value=parent, kind=kind_word(kind), path=name)


def _another_case(note: Say, rel: Rel, name: str, span: Span, parent: str) -> None:
    """Tell of ``event_data.TargetUsername`` where the first rows have ``TargetUserName``."""
    key = name[len(parent) + 1 :]
    if rel.inner_keys is None or rel.declared is None or parent != rel.declared.inner or not _ODD_CASE.search(key):
        return
    found = [other for other in rel.inner_keys() if other.lower() == key.lower()]
    if found and key not in found:
        better = f"{parent}.{found[0]}"
        note(KEY_CASE, span, help=WRITE.fill(better=better), path=name, found=better)


def _inside(note: Say, name: str, span: Span, parent: str, type_: LType) -> None:
    """Tell of ``l[0].x`` where the items of l are numbers, and of ``m[0]`` where m is a map."""
    rest = name[len(parent) :]
    element = type_.element.kind if type_.element is not None else Kind.ANY
    index = re.match(r"\[\d+\]", rest)
    if type_.kind is Kind.MAP and index is not None:
        note(NO_PLACES, span, value=parent, path=name)
    elif index is not None and rest[index.end() :] and settled_kind(element) and element not in _PARTED:
        note(NO_PARTS, span, value=parent + index[0], kind=kind_word(element), path=name)


def opened(cx: Lowering, command: str, name: str, span: Span, wanted: Kind) -> None:
    """Tell of ``explode`` of a text and ``parsemap`` of one: nothing happens to any row."""
    kind = cx.field(name).kind
    if not settled_kind(kind) or kind is wanted:
        return
    help = None
    if kind is Kind.STRING and re.fullmatch(r"[^\W\d]\w*", name):
        help = (SPLIT_FIRST if wanted is Kind.LIST else AS_DOCUMENT).fill(value=name)
    said = NO_LIST if wanted is Kind.LIST else NO_MAP
    cx.note(said, span, help=help, command=command, value=name, kind=kind_word(kind))
