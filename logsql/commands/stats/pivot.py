"""``pivot``: aggregates by row fields, spread over the values of column fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.stats.stats import LIST_OPTION, PARALLEL, UNKNOWN_AGGREGATE, parse_by, stats
from logsql.diagnostics.language import MISSING_CLAUSE, MISSING_STATS
from logsql.language.tree import Aggregate, Name
from logsql.operators.crosstab import crosstab
from logsql.operators.grouping import needs_row_order
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class PivotArgs:
    """Aggregates, row fields, column fields."""

    aggregates: tuple[Aggregate, ...]
    rows: tuple[Name, ...] = ()
    cols: tuple[Name, ...] = ()


def parse(reader: ArgReader) -> PivotArgs:
    aggregates = tuple(reader.aggregates(stop=("by", "rows", "for", "cols")))
    rows = parse_by(reader, "by", "rows")
    cols = parse_by(reader, "for", "cols")
    if cols and not rows:
        rows = parse_by(reader, "by", "rows")
    return PivotArgs(aggregates, rows, cols)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(PivotArgs)
    if not args.cols:
        return stats(stage, args.aggregates, args.rows)
    return crosstab(stage, stage.rel, args.rows, args.cols, args.aggregates)


def order(args: PivotArgs) -> duties.OrderNeed:
    return duties.OrderNeed.NEEDS if needs_row_order(args.aggregates) else duties.OrderNeed.IGNORES


_ROWS = [
    {"asn": "KT", "label": "good", "bytes": 1},
    {"asn": "KT", "label": "bad", "bytes": 2},
    {"asn": "OVH", "label": "bad", "bytes": 4},
    {"asn": "OVH", "label": "bad", "bytes": 8},
]

register(
    CommandSpec(
        name="pivot",
        group=Group.STATISTICS,
        summary=(
            "Aggregate by row fields, with one column per value of the column fields.",
            "행 필드로 집계하고, 열 필드의 값마다 열을 하나씩 만듭니다.",
        ),
        usage=("pivot [listlimit=N] AGGREGATE [as NAME], ... [by|rows FIELD, ...] [for|cols FIELD, ...]",),
        parse=parse,
        lower=lower,
        fields=duties.CLOSES,
        arguments=(
            duties.Argument(duties.Kind.AGGREGATES),
            duties.Argument(
                duties.Kind.FIELDS,
                (
                    "by",
                    "rows",
                ),
            ),
            duties.Argument(
                duties.Kind.FIELDS,
                (
                    "for",
                    "cols",
                ),
            ),
        ),
        subquery=duties.Subquery.NONE,
        order=duties.OrderDuty(order, duties.OrderGiven.OWN),
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(LIST_OPTION, PARALLEL),
        description="""\
One row per combination of the row fields, ascending; without row fields one row. A column is named by the value it
stands for, with several aggregates by value and result name (`KT_sent`); values of several column fields are joined
by `_`. A null value makes the column `null`. A combination without rows is null. Without column fields it is `stats`.

Which columns there are depends on the data; following commands may use them by name.
""",
        examples=(
            Example(
                "Good and bad requests per network",
                "table t | pivot count rows asn cols label",
                ({"asn": "KT", "bad": 1, "good": 1}, {"asn": "OVH", "bad": 2, "good": None}),
                {"t": _ROWS},
            ),
            Example(
                "Two results per value",
                "table t | pivot count, sum(bytes) as bytes cols label",
                ({"bad_count": 3, "bad_bytes": 14, "good_count": 1, "good_bytes": 1},),
                {"t": _ROWS},
            ),
        ),
        errors=(
            MISSING_STATS,
            MISSING_CLAUSE.when(("a comma ends a clause", "절이 쉼표로 끝납니다")),
            UNKNOWN_AGGREGATE,
        ),
    )
)
