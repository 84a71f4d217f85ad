"""``union``: the rows of a subquery after those of the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.options import NO_SUBQUERY
from logsql.language.tree import Subquery
from logsql.operators.uniting import union
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class UnionArgs:
    """The query whose rows are added."""

    subquery: Subquery


def parse(reader: ArgReader) -> UnionArgs:
    subquery = reader.subquery()
    assert subquery is not None
    return UnionArgs(subquery)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(UnionArgs)
    sub = stage.subquery(args.subquery, order_needed=stage.order_needed)
    return sub if stage.input is None else union(stage, stage.input, sub)


register(
    CommandSpec(
        name="union",
        group=Group.COMBINE,
        summary=("Add the rows of a subquery.", "서브쿼리의 행을 이어 붙입니다."),
        usage=("union [ QUERY ]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.QUERY,),
        subquery=duties.Subquery.ADDS,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
Fields are matched by name; a field that one side lacks is null there. A field that has different types on both sides
keeps the type of each value. The rows of the input come first. `union` may stand first in a query.
""",
        examples=(
            Example(
                "Two tables as one",
                "table a | union [ table b ]",
                ({"n": 1, "x": "p", "y": None}, {"n": 2, "x": None, "y": True}),
                {"a": [{"n": 1, "x": "p"}], "b": [{"n": 2, "y": True}]},
            ),
        ),
        errors=(NO_SUBQUERY.when(("no subquery in brackets", "대괄호로 묶은 서브쿼리가 없습니다")),),
    )
)
