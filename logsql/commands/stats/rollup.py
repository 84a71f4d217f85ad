"""``rollup``: stats with subtotals and a grand total."""

from __future__ import annotations

from logsql.commands.stats.stats import LIST_OPTION, PARALLEL, UNKNOWN_AGGREGATE, StatsArgs, order, parse
from logsql.diagnostics.language import MISSING_STATS
from logsql.operators.subtotals import subtotals
from logsql.planner import duties
from logsql.planner.options import extensions
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

LABEL = OptionSpec(
    "label",
    OptionKind.TEXT,
    ("what group fields hold in rows of totals (default null)", "합계 행에서 그룹 필드에 넣을 값 (기본값 null)"),
)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(StatsArgs)
    return subtotals(stage, args.aggregates, args.by, cube=False, label=stage.option("label"))


_ROWS = [
    {"action": "allow", "site": "a", "n": 1},
    {"action": "allow", "site": "b", "n": 2},
    {"action": "deny", "site": "a", "n": 4},
]

register(
    CommandSpec(
        name="rollup",
        group=Group.STATISTICS,
        summary=("Aggregate per group, with subtotals and a grand total.", "그룹별로 집계하고 소계와 총계를 더합니다."),
        usage=("rollup [label=TEXT] [listlimit=N] AGGREGATE [as NAME], ... [by FIELD, ...]",),
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
        options=(LABEL, LIST_OPTION, *extensions(PARALLEL)),
        description="""\
For `by a, b` there are rows for every a and b, for every a, and one for all. In a total the fields that it adds up
over hold the label. Rows come ascending by the fields, each total after its rows.
""",
        examples=(
            Example(
                "Counts per action and site, with totals",
                "table t | rollup label=all count by action, site",
                (
                    {"action": "allow", "site": "a", "count": 1},
                    {"action": "allow", "site": "b", "count": 1},
                    {"action": "allow", "site": "all", "count": 2},
                    {"action": "deny", "site": "a", "count": 1},
                    {"action": "deny", "site": "all", "count": 1},
                    {"action": "all", "site": "all", "count": 3},
                ),
                {"t": _ROWS},
            ),
        ),
        errors=(
            MISSING_STATS,
            UNKNOWN_AGGREGATE,
        ),
    )
)
