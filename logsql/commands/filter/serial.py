"""``serial``: commands over the rows in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.options import NO_SUBQUERY
from logsql.language.tree import Command, Subquery
from logsql.planner import duties
from logsql.planner.folds import chain_in_stream, chain_need
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class InnerArgs:
    """Commands that continue the pipeline."""

    subquery: Subquery


def parse(reader: ArgReader) -> InnerArgs:
    subquery = reader.subquery()
    assert subquery is not None
    return InnerArgs(subquery)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(InnerArgs)
    return stage.inner(args.subquery)


def order(args: InnerArgs) -> duties.OrderNeed:
    """What the inner commands do with the order of rows."""
    return chain_need(args.subquery.query.commands)


def in_stream(command: Command) -> duties.InStream:
    """What the inner commands wait for."""
    return chain_in_stream(command.args.subquery.query.commands)


register(
    CommandSpec(
        name="serial",
        group=Group.FILTER,
        summary=("Run commands over the rows in order.", "행의 순서를 지키며 명령을 실행합니다."),
        usage=("serial [ COMMANDS ]",),
        parse=parse,
        lower=lower,
        fields=duties.INNER,
        arguments=(duties.QUERY,),
        subquery=duties.Subquery.CONTINUES,
        order=duties.OrderDuty(order, duties.OrderGiven.INPUT),
        stream=in_stream,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
The commands in brackets take the rows that arrive and need no source. Commands that depend on the order of rows see
them in order everywhere, so the result is the same without `serial`.
""",
        examples=(
            Example(
                "The step from row to row",
                "table t | serial [ prev n | eval step = n - prev_n ]",
                ({"n": 1, "prev_n": None, "step": None}, {"n": 5, "prev_n": 1, "step": 4}),
                {"t": [{"n": 1}, {"n": 5}]},
            ),
        ),
        errors=(NO_SUBQUERY.when(("no commands in brackets", "대괄호 안에 명령이 없습니다")),),
    )
)
