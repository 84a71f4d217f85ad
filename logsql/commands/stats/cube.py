"""``cube``: stats with subtotals of every combination."""

from __future__ import annotations

from logsql.commands.stats.rollup import LABEL
from logsql.commands.stats.stats import LIST_OPTION, PARALLEL, UNKNOWN_AGGREGATE, StatsArgs, order, parse
from logsql.diagnostics.language import MISSING_STATS
from logsql.operators.subtotals import subtotals
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage


def lower(stage: Stage) -> Rel:
    args = stage.arguments(StatsArgs)
    return subtotals(stage, args.aggregates, args.by, cube=True, label=stage.option("label"))


register(
    CommandSpec(
        name="cube",
        group=Group.STATISTICS,
        summary="Aggregate per group, with subtotals of every combination of the fields.",
        usage=("cube [label=TEXT] [listlimit=N] AGGREGATE [as NAME], ... [by FIELD, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.CLOSES,
        arguments=(duties.Argument(duties.Kind.AGGREGATES), duties.BY_FIELDS),
        subquery=duties.Subquery.NONE,
        order=duties.OrderDuty(order, duties.OrderGiven.OWN),
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        options=(LABEL, LIST_OPTION, PARALLEL),
        description="""\
For `by a, b` there are rows for every a and b, for every a, for every b, and one for all. In a total the fields that
it adds up over hold the label.
""",
        examples=(
            Example(
                "Counts for every combination",
                "table t | cube count by a, b",
                (
                    {"a": "D", "b": "x", "count": 1},
                    {"a": "D", "b": None, "count": 1},
                    {"a": "P", "b": "x", "count": 1},
                    {"a": "P", "b": None, "count": 1},
                    {"a": None, "b": "x", "count": 2},
                    {"a": None, "b": None, "count": 2},
                ),
                {"t": [{"a": "P", "b": "x"}, {"a": "D", "b": "x"}]},
            ),
        ),
        errors=(
            MISSING_STATS,
            UNKNOWN_AGGREGATE,
        ),
    )
)
