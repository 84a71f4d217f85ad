"""``fields``: keep or remove fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import syntax
from logsql.diagnostics.fields import NO_FIELDS
from logsql.language.tree import Command, Name
from logsql.planner import duties
from logsql.planner.relation import Column, Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql
from logsql.values.types import NULL, Kind

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

FIELDS_MISSING = NO_FIELDS.says(
    ("fields needs the name of a field", "fields에는 필드 이름이 필요합니다"), help=syntax("fields [-] NAME, ...")
)


@dataclass(frozen=True)
class FieldsArgs:
    """Names to keep in this order, or to remove."""

    names: tuple[Name, ...]
    remove: bool = False


def parse(reader: ArgReader) -> FieldsArgs:
    remove = reader.peek_word() == "-"
    if remove:
        reader.word()
    names = reader.name_list(blanks=True)
    if not names:
        reader.fail(FIELDS_MISSING)
    return FieldsArgs(tuple(names), remove)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(FieldsArgs)
    names = names_of(args.names)
    if args.remove:
        return without(stage.rel, names)
    return keep(stage, stage.rel, names)


def without(rel: Rel, names: list[str]) -> Rel:
    """The relation without some fields."""
    gone = set(names)
    rest = rel.rest.hide(gone) if rel.rest is not None else None
    return replace(rel, columns=tuple(c for c in rel.columns if c.name not in gone), rest=rest)


def keep(stage: Stage, rel: Rel, names: list[str]) -> Rel:
    """Exactly these fields; what the row may hold only at run time becomes a column, what it cannot hold is null."""
    for name in names:
        if rel.column(name) is not None:
            continue
        rel, value = stage.lowered(rel, lambda cx, name=name: cx.field(name))  # type: ignore[misc]
        if value.kind is not Kind.NULL:
            rel = stage.assign(rel, name, value)
        else:
            ident = rel.fresh_ident(name)
            pending = {**rel.pending, ident: sql.null(NULL.physical)}
            rel = replace(
                rel, columns=(*rel.columns, Column(name, ident, NULL)), pending=pending, tag=rel.tag or stage.tag
            )
    by_name = {c.name: c for c in rel.columns}
    return replace(rel, columns=tuple(by_name[n] for n in names), rest=None, others=None)


_ROWS = [{"time": "09:00", "src": "10.0.0.1", "bytes": 120}]


def duty(command: Command) -> duties.Fields:
    """Only the fields kept are read and go on; of those removed nothing is read behind it."""
    names = frozenset(names_of(command.args.names))
    return duties.Fields(duties.Flow.PASSES, duties.NOTHING, names) if command.args.remove else duties.CLOSES


register(
    CommandSpec(
        name="fields",
        group=Group.FILTER,
        summary=(
            "Keep the listed fields in the listed order, or remove them.",
            "지정한 필드만 지정한 순서로 남기거나, 지정한 필드를 제거합니다.",
        ),
        usage=("fields NAME, ...", "fields - NAME, ..."),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
Names are separated by commas or blanks; naming a field twice is harmless. A listed field that the rows do not have
becomes a field of nulls. With `-` and a blank the listed fields are removed and unknown names are ignored.
""",
        examples=(
            Example("Two columns", "table t | fields bytes, src", ({"bytes": 120, "src": "10.0.0.1"},), {"t": _ROWS}),
            Example("All but one", "table t | fields - time", ({"src": "10.0.0.1", "bytes": 120},), {"t": _ROWS}),
        ),
        errors=(NO_FIELDS,),
    )
)
