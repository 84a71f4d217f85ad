"""Keys of a join that meet nothing, by their types or because one side lacks them (decisions.md 25)."""

from __future__ import annotations

from collections.abc import Sequence

from logsql.diagnostics.codes import define, text
from logsql.language.tree import Name
from logsql.planner.notes.fields import path_to
from logsql.planner.notes.words import WRITE, kind_word, settled_kind
from logsql.planner.relation import Column, Rel
from logsql.planner.stage import Stage
from logsql.values.types import RANK, Kind

KEY_TYPES = define(
    "N1701",
    "join-key-types",
    (
        "a key of a join has two types on its two sides: no rows meet",
        "조인 키의 타입이 양쪽에서 달라 만나는 행이 없습니다",
    ),
    (
        "{key} is {left} in the rows before and {right} in the brackets: no rows meet",
        "{key}은(는) 앞의 행에서 {left}, 대괄호 안에서 {right}이므로 만나는 행이 없습니다",
    ),
)
KEY_PARTLY = KEY_TYPES.says(
    (
        "{key} is {kind} in some of {side} and {other} on the other side: those rows meet none",
        "{key}은(는) {side} 일부에서 {kind}이고 다른 쪽에서 {other}이므로 그런 행은 만나는 행이 없습니다",
    )
)
KEY_MISSING = define(
    "N1702",
    "join-key-missing",
    ("a key of a join is no field of one side: no rows meet", "조인 키가 한쪽의 필드가 아니어서 만나는 행이 없습니다"),
    ("{side} have no field {key}: no rows meet", "{side}에 {key} 필드가 없어 만나는 행이 없습니다"),
    (
        "a key has one name on both sides: rename it in the brackets",
        "키 이름은 양쪽이 같아야 합니다. 대괄호 안에서 rename을 쓰세요",
    ),
)
MADE_BEFORE = text("make a field of it: eval {new} = {path}", "필드로 만드세요: eval {new} = {path}")
#: Kinds that a source provides for, and that need not occur.
_SELDOM = frozenset({Kind.LIST, Kind.BINARY})
BEFORE, INSIDE = text("the rows before", "앞의 행"), text("the rows in brackets", "대괄호 안의 행")


def keys(stage: Stage, left: Rel, right: Rel, names: Sequence[Name]) -> None:
    """Tell of keys that meet nothing."""
    for name in names:
        sides = [rel.column(name.text) for rel in (left, right)]
        for rel, column, side in zip((left, right), sides, (BEFORE, INSIDE), strict=True):
            if column is None and rel.rest is None and rel.columns:
                path = path_to(rel, name.text)
                help = None if path is None else MADE_BEFORE.fill(new=path.rpartition(".")[2], path=path)
                stage.note(KEY_MISSING, name.span, help=help, side=side.fill(), key=name.text)
        if sides[0] is None or sides[1] is None:
            continue
        mine, theirs = sides[0].type.kind, sides[1].type.kind
        if sides[0].parts or sides[1].parts:
            _partly(stage, name, sides[0], sides[1])
            continue
        if not (settled_kind(mine) and settled_kind(theirs)) or RANK[mine] == RANK[theirs]:
            continue
        help = None
        if Kind.STRING in (mine, theirs) and RANK[Kind.INT] in (RANK[mine], RANK[theirs]):
            better = f"eval {name.text} = double({name.text})"
            help = WRITE.fill(better=f"{better} | join ..." if mine is Kind.STRING else f"[ ... | {better} ]")
        stage.note(KEY_TYPES, name.span, help=help, key=name.text, left=kind_word(mine), right=kind_word(theirs))


def _partly(stage: Stage, name: Name, left: Column, right: Column) -> None:
    """Tell of a key that is a number in some rows and a text in others, where the other side has one of them only.

    Lists and bytes are no such kinds: every attribute of a directory may have several values, and hardly any has
    (``join user [ ldapsearch ... | eval user = sAMAccountName ]``).
    """
    kinds = [[part.type.kind for part in column.parts] or [column.type.kind] for column in (left, right)]
    if not all(settled_kind(kind) for found in kinds for kind in found):
        return
    for mixed, single, side in ((kinds[0], kinds[1], BEFORE), (kinds[1], kinds[0], INSIDE)):
        met = {RANK[other] for other in single}
        apart = [kind for kind in mixed if RANK[kind] not in met and kind not in _SELDOM]
        if not apart or len(mixed) == 1:
            continue
        both = {RANK[kind] for kind in (*apart, *single)} == {RANK[Kind.STRING], RANK[Kind.INT]}
        better = f"eval {name.text} = {'string' if single[0] is Kind.STRING else 'double'}({name.text})"
        help = WRITE.fill(better=f"{better} | join ..." if side is BEFORE else f"[ ... | {better} ]") if both else None
        facts = {"key": name.text, "kind": kind_word(apart[0]), "side": side.fill(), "other": kind_word(single[0])}
        stage.note(KEY_PARTLY, name.span, help=help, **facts)
        return
