"""``cube``: stats with subtotals of every combination."""

from __future__ import annotations

from logsql.commands.stats.rollup import LABEL
from logsql.commands.stats.stats import LIST_OPTION, PARALLEL, UNKNOWN_AGGREGATE, StatsArgs, order, parse
from logsql.diagnostics.codes import define
from logsql.diagnostics.language import MISSING_STATS
from logsql.operators.subtotals import subtotals
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

#: Every combination is a grouping set of its own: 4,096 of them, and twice as many with each further field.
MAX_FIELDS = 12
TOO_MANY_FIELDS = define(
    "E0102",
    "too-many-cube-fields",
    ("cube has too many fields", "cube의 필드가 너무 많습니다"),
    (
        "cube takes at most {limit} fields, here are {count}",
        "cube에는 필드를 {limit}개까지 쓸 수 있는데 {count}개입니다",
    ),
    help=(
        "rollup makes one total per field; or make the cube over fewer fields",
        "rollup은 필드마다 합계를 하나씩 만듭니다. 아니면 cube의 필드를 줄이세요",
    ),
)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(StatsArgs)
    if len(args.by) > MAX_FIELDS:
        stage.fail(TOO_MANY_FIELDS, args.by[MAX_FIELDS].span, limit=MAX_FIELDS, count=len(args.by))
    return subtotals(stage, args.aggregates, args.by, cube=True, label=stage.option("label"))


register(
    CommandSpec(
        name="cube",
        group=Group.STATISTICS,
        summary=(
            "Aggregate per group, with subtotals of every combination of the fields.",
            "그룹별로 집계하고 필드의 모든 조합에 대한 소계를 더합니다.",
        ),
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
it adds up over hold the label. At most 12 fields: each one doubles the combinations.
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
            TOO_MANY_FIELDS,
        ),
    )
)
