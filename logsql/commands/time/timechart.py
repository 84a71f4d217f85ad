"""``timechart``: aggregates per time bucket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.commands.stats.stats import LIST_OPTION, PARALLEL, parse_by
from logsql.diagnostics.codes import define
from logsql.diagnostics.expressions import INVALID_TIMESPAN, TIMESPAN_UNIT, TIMESPAN_YEAR
from logsql.diagnostics.losses import loss
from logsql.language.tree import Aggregate, Name
from logsql.operators.crosstab import crosstab
from logsql.operators.grouping import check_names, lower_groups, needs_row_order, sorted_groups
from logsql.planner import duties, losses
from logsql.planner.expressions import ExprContext
from logsql.planner.notes import dates as notes
from logsql.planner.relation import LOADED, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.timespans import Span, bucket
from logsql.values.types import DATE
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

TIME = "_time"
NO_TIME = loss(
    "row-without-time",
    (
        "rows whose _time is no date, left out (eval _time = date(field, pattern) makes one of text)",
        "_time이 날짜가 아니어서 제외한 행 (문자열은 eval _time = date(필드, 패턴)으로 바꿉니다)",
    ),
)
NO_GROUP = loss(
    "row-without-group",
    ("rows whose by field is null, left out", "by 필드가 null이어서 제외한 행"),
)
NEED_AGGREGATE = define("21800", "need-aggregation-field", ("no aggregate", "집계 함수가 없습니다"))


@dataclass(frozen=True)
class TimechartArgs:
    """Aggregates and the fields whose values become columns."""

    aggregates: tuple[Aggregate, ...]
    by: tuple[Name, ...] = ()


def parse(reader: ArgReader) -> TimechartArgs:
    aggregates = reader.aggregates(stop=("by",), missing=NEED_AGGREGATE)
    return TimechartArgs(tuple(aggregates), parse_by(reader))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(TimechartArgs)
    span: Span = stage.option("span")
    offset: Span | None = stage.option("offset")
    time = Name(TIME, stage.command.name_span)

    def start(cx: ExprContext) -> Typed:
        node = values.date_sql(cx.field(TIME))
        if node is None:
            return Typed(sql.null(DATE.physical), DATE)
        return Typed(bucket(cx.let(node), span, offset), DATE)

    def counted(cx: ExprContext) -> Sql:
        notes.time_field(cx, stage.spec.name, stage.command.name_span, (NO_TIME.name, "timechart"))
        value = cx.field(TIME)
        node = values.date_sql(value)
        if node is None:
            return sql.boolean(False)
        timed = losses.kept(cx, NO_TIME, "timechart", sql.not_null(node), values.text_sql(value))
        if not args.by:
            return timed
        named = sql.and_(*(values.not_null(cx.field(n.text)) for n in args.by))
        source = f"timechart by {', '.join(n.text for n in args.by)}"
        if cx.run_id is None:
            return sql.and_(timed, named)
        # One CASE inside the other: a row without both is left out once.
        return sql.when(timed, losses.kept(cx, NO_GROUP, source, named, sql.null("VARCHAR")))

    def undated(cx: ExprContext) -> Sql | None:
        """Without a date in any row the rows are counted as a whole; what is there the note tells. Those of a large
        table are counted with ``--loss``: without the count not one of them is read."""
        if cx.run_id is None or values.date_sql(cx.field(TIME)) is not None:
            return None
        if cx.catalog.uncounted("timechart", NO_TIME.name):
            return None
        return losses.many_lost(cx, NO_TIME, "timechart", sql.func("count", exp.Star()), most)

    rel, seconds, most = stage.rel, sql.integer(span.mean_seconds), stage.catalog.most_counted
    if any(column.name == LOADED for column in rel.carried) and stage.chain.received(rel, TIME):
        stage.note(notes.TIME_OF_READING, stage.command.name_span)
    special: dict[str, Callable[[ExprContext], Typed]] = {TIME: start}
    rel, none = stage.lowered(rel, undated)
    if none is not None and most is not None:
        # A file is read for the count alone, and no further than that.
        rel = stage.limit(stage.reordered(rel, ()), most + 1)
    if args.by:
        return crosstab(stage, rel, [time], args.by, args.aggregates, counted, seconds, special, none)
    check_names([time], [a.output for a in args.aggregates])
    rel, test = stage.lowered(rel, counted)
    groups = lower_groups(stage, rel, [time], args.aggregates, seconds, special)
    return sorted_groups(stage, "timechart", groups, test, none)


def order(args: TimechartArgs) -> duties.OrderNeed:
    return duties.OrderNeed.NEEDS if needs_row_order(args.aggregates) else duties.OrderNeed.IGNORES


_LOG = """json "[{'t':'09:10','port':22},{'t':'09:50','port':443},{'t':'10:05','port':22}]"
| eval _time = date(concat("2024-05-01 ", t), "yyyy-MM-dd HH:mm") """

register(
    CommandSpec(
        name="timechart",
        group=Group.TIME,
        summary=(
            "Aggregate per time bucket, optionally with one column per value.",
            "시간 구간별로 집계합니다. 필드 값마다 열을 나눌 수 있습니다.",
        ),
        usage=("timechart [span=1d] [offset=SPAN] [listlimit=N] AGGREGATE [as NAME], ... [by FIELD]",),
        parse=parse,
        lower=lower,
        fields=duties.Fields(duties.Flow.CLOSES, frozenset({TIME}), duties.NOTHING),
        arguments=(duties.Argument(duties.Kind.AGGREGATES), duties.BY_FIELDS),
        subquery=duties.Subquery.NONE,
        order=duties.OrderDuty(order, duties.OrderGiven.OWN),
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "span",
                OptionKind.SPAN,
                ("length of a bucket: 30s, 10m, 1h, 1d, 1w, 1mon, 1y", "구간의 길이: 30s, 10m, 1h, 1d, 1w, 1mon, 1y"),
                default=Span(1, "d"),
            ),
            OptionSpec(
                "offset",
                OptionKind.SPAN,
                (
                    "shifts the start of every bucket (span=1d offset=8h: shift day)",
                    "구간의 시작을 옮김 (span=1d offset=8h: 교대 근무일)",
                ),
            ),
            LIST_OPTION,
            PARALLEL,
        ),
        description="""\
The first field of the result is `_time`, the start of the bucket in the session's time zone, ascending. Buckets without
rows do not appear. Rows whose `_time` is null or no date are left out, with `by` also those whose `by` field is null.

Without `by` the results are named as in `stats`. With `by` there is a column per value, named by the value, or by
value and result name (`eth0_sent`) for several aggregates; null where the bucket has no row of that value.
""",
        examples=(
            Example(
                "Connections per hour",
                _LOG + '| timechart span=1h count | eval _time = string(_time, "HH:mm")',
                ({"_time": "09:00", "count": 2}, {"_time": "10:00", "count": 1}),
            ),
            Example(
                "Connections per hour and port",
                _LOG + '| timechart span=1h count by port | eval _time = string(_time, "HH:mm")',
                ({"_time": "09:00", "22": 1, "443": 1}, {"_time": "10:00", "22": 1, "443": None}),
            ),
        ),
        errors=(
            NEED_AGGREGATE,
            INVALID_TIMESPAN,
            TIMESPAN_YEAR,
            TIMESPAN_UNIT,
        ),
        ledger=(NO_TIME, NO_GROUP),
    )
)
