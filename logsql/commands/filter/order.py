"""``order``: listed fields first, the others by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import syntax
from logsql.diagnostics.fields import NO_FIELDS
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage, names_of

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

ORDER_MISSING = NO_FIELDS.says(
    ("order needs the name of a field", "order에는 필드 이름이 필요합니다"), help=syntax("order NAME, ...")
)


@dataclass(frozen=True)
class OrderArgs:
    """Fields that come first."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> OrderArgs:
    names = reader.name_list(blanks=True, trailing_comma=NO_FIELDS)
    if not names:
        reader.fail(ORDER_MISSING)
    return OrderArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(OrderArgs)
    rel = stage.rel
    names = names_of(args.names)
    if rel.rest is not None:
        for name in names:
            if rel.column(name) is None and name not in rel.rest.hidden:
                rel, value = stage.lowered(rel, lambda cx, name=name: cx.field(name))  # type: ignore[misc]
                rel = stage.assign(rel, name, value)
    by_name = {c.name: c for c in rel.columns}
    first = [by_name[n] for n in names if n in by_name]
    others = sorted((c for c in rel.columns if c.name not in names), key=lambda c: c.name)
    rest = replace(rel.rest, sorted_after=len(first), ahead=None) if rel.rest is not None else None
    return replace(rel, columns=(*first, *others), rest=rest)


register(
    CommandSpec(
        name="order",
        group=Group.FILTER,
        summary=(
            "Put the listed fields first, the others in the order of their names.",
            "지정한 필드를 앞에 두고 나머지를 이름순으로 나열합니다.",
        ),
        usage=("order NAME, ...",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.WHOLE_FIELDS,),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
Arranges columns, not rows (that is `sort`). No field is dropped, and a name that does not exist is ignored.
""",
        examples=(
            Example(
                "The path first",
                "table t | order path",
                ({"path": "/a", "agent": "curl", "ms": 3},),
                {"t": [{"ms": 3, "path": "/a", "agent": "curl"}]},
            ),
        ),
        errors=(NO_FIELDS,),
    )
)
