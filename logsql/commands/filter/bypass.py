"""``bypass``: rows as they are."""

from __future__ import annotations

from logsql.commands.output.drop import parse
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage


def lower(stage: Stage) -> Rel:
    return stage.rel


register(
    CommandSpec(
        name="bypass",
        group=Group.FILTER,
        summary=("Pass rows unchanged.", "행을 그대로 통과시킵니다."),
        usage=("bypass",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.PASSES,
        takes_options=False,
        description="Rows, fields and order stay as they are.\n",
        examples=(Example("Rows pass", "table t | bypass", ({"a": 1},), {"t": [{"a": 1}]}),),
    )
)
