"""``serial``: commands over the rows in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.language.tree import Subquery
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OrderNeed, register
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
    args: InnerArgs = stage.args
    return stage.chain.pipeline(args.subquery.query, stage.order_needed, stage.rel)


def order(args: InnerArgs) -> OrderNeed:
    """What the inner commands do with the order of rows."""
    from logsql.planner.spec import COMMANDS

    need = OrderNeed.KEEPS
    for command in reversed(args.subquery.query.commands):
        own = COMMANDS[command.name].order(command.args)
        need = own if own is not OrderNeed.KEEPS else need
    return need


register(
    CommandSpec(
        name="serial",
        group=Group.FILTER,
        summary="Run commands over the rows in order.",
        usage=("serial [ COMMANDS ]",),
        parse=parse,
        lower=lower,
        order=order,
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
        errors=(("E0003", "no-subquery", "no commands in brackets"),),
    )
)
