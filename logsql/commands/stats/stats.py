"""``stats``: aggregates over all rows or per group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.expressions import AGGREGATE_ARGUMENTS, DUPLICATE_OUTPUT
from logsql.diagnostics.language import INVALID_AGGREGATE, MISSING_CLAUSE, MISSING_STATS
from logsql.language.tree import Aggregate, Name
from logsql.operators.grouping import check_names, lower_groups, needs_row_order, sorted_groups
from logsql.planner import duties
from logsql.planner.calls import LIST_LIMIT
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_GROUP_FIELD = MISSING_CLAUSE.says(("a field is missing after {word}", "{word} 뒤에 필드가 없습니다"))
UNKNOWN_AGGREGATE = INVALID_AGGREGATE.when(("an unknown aggregate", "없는 집계 함수입니다"))


@dataclass(frozen=True)
class StatsArgs:
    """Aggregates and group fields; ``by`` is None without the word ``by``."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Name, ...] = ()


def parse(reader: ArgReader) -> StatsArgs:
    aggregates = reader.aggregates(stop=("by",))
    return StatsArgs(tuple(aggregates), parse_by(reader))


def parse_by(reader: ArgReader, *words: str) -> tuple[Name, ...]:
    """The fields of a ``by`` clause (or one called by other ``words``), () when there is none."""
    words = words or ("by",)
    word = reader.peek_word()
    if not reader.keyword(*words):
        return ()
    names = reader.name_list(stop=("by", "rows", "cols", "for"))
    if not names:
        reader.fail(NO_GROUP_FIELD, word=word)
    found: dict[str, Name] = {}
    for name in names:
        found.setdefault(name.text, name)
    check_names(names, ())
    return tuple(found.values())


def lower(stage: Stage) -> Rel:
    args = stage.arguments(StatsArgs)
    return stats(stage, args.aggregates, args.by)


def stats(stage: Stage, aggregates: tuple[Aggregate, ...], by: tuple[Name, ...]) -> Rel:
    """Group the input; also what ``pivot`` without columns does."""
    check_names(by, [a.output for a in aggregates])
    groups = lower_groups(stage, stage.rel, by, aggregates)
    return sorted_groups(stage, stage.spec.name, groups)


def order(args: StatsArgs) -> duties.OrderNeed:
    return duties.OrderNeed.NEEDS if needs_row_order(args.aggregates) else duties.OrderNeed.IGNORES


PARALLEL = OptionSpec(
    "parallel",
    OptionKind.BOOL,
    ("accepted for the language; every query uses all cores", "호환을 위해 받아들임. 모든 쿼리가 코어를 전부 사용"),
    default=False,
)

LIST_OPTION = OptionSpec(
    "listlimit",
    OptionKind.INT,
    ("most items of values() and array(), 0 for no limit", "values()와 array()의 최대 항목 수. 0이면 제한 없음"),
    default=LIST_LIMIT,
    minimum=0,
    extension=True,
)

_ROWS = [
    {"host": "a", "status": 200, "bytes": 10},
    {"host": "b", "status": 404, "bytes": 20},
    {"host": "a", "status": 200, "bytes": 30},
]

register(
    CommandSpec(
        name="stats",
        group=Group.STATISTICS,
        summary=("Aggregate all rows, or each group of rows.", "전체 행 또는 그룹별로 집계합니다."),
        usage=("stats [listlimit=N] AGGREGATE [as NAME], ... [by FIELD, ...]",),
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
        options=(LIST_OPTION, PARALLEL),
        description="""\
The output has the group fields first, then one field per aggregate in written order. Without `as` a result is named
by its call: `count`, `sum(bytes)`, `sum((a + 1))`. Arguments are expressions over the row.

Without `by` there is exactly one row, also for no input. With `by` there is one row per group, ascending by the group
fields; rows in which a group field is null form a group of their own. Groups are told apart exactly: "A" and "a" are
two groups, 1 and 1.0 are one. `values` and `array` keep 100 items, or as many as `listlimit=` says; what they leave out
is counted in the ledger. A result that would take the name of a group field or of another result is refused.
""",
        examples=(
            Example(
                "How many requests, and how many bytes, per host?",
                "table t | stats count, sum(bytes) as bytes by host",
                ({"host": "a", "count": 2, "bytes": 40}, {"host": "b", "count": 1, "bytes": 20}),
                {"t": _ROWS},
            ),
            Example("How many rows?", "table t | stats count", ({"count": 3},), {"t": _ROWS}),
            Example(
                "The share of errors",
                'table t | stats avg(if(status == "4*", 1, 0)) as errors',
                ({"errors": 0.3333333333333333},),
                {"t": _ROWS},
            ),
        ),
        errors=(
            MISSING_STATS,
            MISSING_CLAUSE.when(("a comma ends the by clause", "by 절이 쉼표로 끝납니다")),
            UNKNOWN_AGGREGATE,
            AGGREGATE_ARGUMENTS.when(("a wrong number of arguments", "인자 개수가 맞지 않습니다")),
            DUPLICATE_OUTPUT,
        ),
    )
)
