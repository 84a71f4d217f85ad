"""``rename``: fields under other names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from logsql.diagnostics.codes import define, syntax
from logsql.language.tree import Name, Span
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values.mixing import coalesce
from logsql.values.types import Kind

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class RenameArgs:
    """Pairs (field, new name) in the order in which they take effect."""

    pairs: tuple[tuple[Name, Name], ...]


_FORM = syntax("rename FIELD as NEW, ...")
NOTHING_TO_RENAME = define(
    "20800",
    "as-token-not-found",
    ("nothing to rename", "이름을 바꿀 필드가 없습니다"),
    ("rename needs a field and its new name", "rename에는 필드와 새 이름이 필요합니다"),
    help=_FORM,
)
NO_NEW_NAME = define(
    "20801",
    "to-field-not-found",
    ("fewer than three words", "단어가 셋보다 적습니다"),
    ("the new name is missing", "새 이름이 없습니다"),
    help=_FORM,
)
NOT_AS = define(
    "20802",
    "invalid-as-position",
    ("the middle word is not as", "가운데 단어가 as가 아닙니다"),
    (
        '"as" stands between a field and its new name, not "{word}"',
        '필드와 새 이름 사이에는 "as"를 씁니다: "{word}"',
    ),
    help=_FORM,
)
THREE_WORDS = NOT_AS.says(
    ("a renaming is three words: FIELD as NEW", "이름 변경은 세 단어로 씁니다: FIELD as NEW"), help=_FORM
)


def parse(reader: ArgReader) -> RenameArgs:
    if reader.at_end():
        reader.fail(NOTHING_TO_RENAME)
    pairs: list[tuple[Name, Name]] = []
    for names in reader.renamings(trailing_comma=NO_NEW_NAME):
        if len(names) == 1:
            _without_as(reader, names[0])
        old, new = names[:2]
        if not new.text:
            reader.fail(NO_NEW_NAME, Span(new.span.start - 2, new.span.start))
        several = _words(reader, new)
        if len(names) > 2 or len(several) > 1:
            reader.fail(THREE_WORDS, names[2].span if len(names) > 2 else several[1].span)
        pairs.append((old, new))
    return RenameArgs(tuple(pairs))


def _without_as(reader: ArgReader, item: Name) -> NoReturn:
    words = _words(reader, item)
    if len(words) < 3:
        reader.fail(NO_NEW_NAME, words[-1].span)
    if len(words) > 3:
        reader.fail(THREE_WORDS, words[1].span)
    reader.fail(NOT_AS, words[1].span, word=words[1].text)


def _words(reader: ArgReader, item: Name) -> list[Name]:
    """The words of a name as written, with their places; one in quotes is one word."""
    start, written = item.span.start, reader.source.original[item.span.start : item.span.end]
    if written.startswith('"'):
        return [item]
    return [Name(m[0], Span(start + m.start(), start + m.end())) for m in re.finditer(r"\S+", written)]


def lower(stage: Stage) -> Rel:
    rel = stage.rel
    for old, new in stage.arguments(RenameArgs).pairs:
        if old.text != new.text:
            rel = _rename(stage, rel, old.text, new.text)
    return rel


def renamed(args: RenameArgs) -> tuple[Name, ...]:
    """Old names that are no new name of a pair before them: pairs run from left to right."""
    made: set[str] = set()
    found: list[Name] = []
    for old, new in args.pairs:
        if old.text not in made:
            found.append(old)
        made.add(new.text)
    return tuple(found)


def _rename(stage: Stage, rel: Rel, old: str, new: str) -> Rel:
    """``new`` takes the value and the place of ``old``; rows without ``old`` keep the ``new`` they have."""
    column = rel.column(old)
    if column is None and (rel.rest is None or old in rel.rest.hidden):
        return rel
    rel, values = stage.lowered(rel, lambda cx: [cx.field(old), cx.field(new)]) if _meets(rel, old, new) else (rel, [])
    if not values or (column is not None and values[1].kind is Kind.NULL):
        return _relabel(rel, old, new)
    position = rel.names.index(old) if column is not None else None
    kept = tuple(c for c in rel.columns if c.name not in (old, new))
    if position is not None:
        position -= sum(1 for c in rel.columns[:position] if c.name == new)
    rest = rel.rest.rename(old, new) if rel.rest is not None else None
    return stage.assign(replace(rel, columns=kept, rest=rest), new, coalesce(values[0], values[1]), position)


def _meets(rel: Rel, old: str, new: str) -> bool:
    """Whether values have to be merged or read from the open part of the row."""
    return rel.column(old) is None or rel.column(new) is not None or rel.rest is not None


def _relabel(rel: Rel, old: str, new: str) -> Rel:
    columns = tuple(replace(c, name=new) if c.name == old else c for c in rel.columns if c.name != new)
    rest = rel.rest.rename(old, new) if rel.rest is not None else None
    return replace(rel, columns=columns, rest=rest)


register(
    CommandSpec(
        name="rename",
        group=Group.TRANSFORM,
        summary=("Give fields other names.", "필드 이름을 바꿉니다."),
        usage=(_FORM.en,),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        names=renamed,
        arguments=(duties.WHOLE_FIELDS, duties.Argument(duties.Kind.NEW_FIELDS, ("as",))),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
The new field takes the value and the place of the old one; an older field of the new name disappears, but a row in
which the renamed field is null keeps its value. A field that does not exist is ignored. Pairs run from left to right,
so `rename a as b, b as c` moves `a` to `c`.
""",
        examples=(
            Example(
                "A readable name",
                "table t | rename no as file_no",
                ({"file_no": 5, "size": 10},),
                {"t": [{"no": 5, "size": 10}]},
            ),
        ),
        errors=(NOTHING_TO_RENAME, NO_NEW_NAME, NOT_AS),
    )
)
