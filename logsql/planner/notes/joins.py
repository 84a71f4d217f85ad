"""Keys of a join that meet nothing, by their types or because one side lacks them (decisions.md 25)."""

from __future__ import annotations

from collections.abc import Sequence

from logsql.diagnostics.codes import define, text
from logsql.language.tree import Name
from logsql.planner.notes.words import WRITE, kind_word, settled_kind
from logsql.planner.relation import Rel
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
BEFORE, INSIDE = text("the rows before", "앞의 행"), text("the rows in brackets", "대괄호 안의 행")


def keys(stage: Stage, left: Rel, right: Rel, names: Sequence[Name]) -> None:
    """Tell of keys that meet nothing."""
    for name in names:
        sides = [rel.column(name.text) for rel in (left, right)]
        for rel, column, side in zip((left, right), sides, (BEFORE, INSIDE), strict=True):
            if column is None and rel.rest is None and rel.columns:
                stage.note(KEY_MISSING, name.span, side=side.fill(), key=name.text)
        if sides[0] is None or sides[1] is None:
            continue
        mine, theirs = sides[0].type.kind, sides[1].type.kind
        if not (settled_kind(mine) and settled_kind(theirs)) or RANK[mine] == RANK[theirs]:
            continue
        help = None
        if Kind.STRING in (mine, theirs) and RANK[Kind.INT] in (RANK[mine], RANK[theirs]):
            better = f"eval {name.text} = double({name.text})"
            help = WRITE.fill(better=f"{better} | join ..." if mine is Kind.STRING else f"[ ... | {better} ]")
        stage.note(KEY_TYPES, name.span, help=help, key=name.text, left=kind_word(mine), right=kind_word(theirs))
