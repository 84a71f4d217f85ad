"""``forecast``: rows that continue a series, with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logsql.commands.models._shared_ml import NUMBER_ERRORS
from logsql.commands.models.stl import (
    GROUP_MISSING,
    NO_INTERVAL,
    NO_STATSMODELS,
    TARGET_MISSING,
    SeriesArgs,
    parse,
    series,
)
from logsql.diagnostics.messages import text
from logsql.diagnostics.modeldata import NO_ROWS
from logsql.diagnostics.models import BAD_OPTION
from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Name
from logsql.operators.merging import Idents, side_value
from logsql.operators.uniting import union
from logsql.planner import duties
from logsql.planner.relation import Column, OrderKey, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.types import DATE, DOUBLE, LONG

if TYPE_CHECKING:
    from logsql.operators.models import Rows

NO_RANDOM_PART = text(
    "seed= changes nothing: the forecast has no random part",
    "seed= 옵션은 결과를 바꾸지 않습니다. 예측에 무작위 요소가 없습니다",
)
FIELDS = ("_future", "_lower", "_upper")
CONFIDENCE = INVALID_OPTION.says(
    ("confidence= is 1 to 99 percent, got {confidence}", "confidence=은 1~99퍼센트입니다: {confidence}")
)


def lower(stage: Stage) -> Rel:
    from logsql.operators import models as m  # for cost: pyarrow.compute

    stage.needs_extra("forecast", "statsmodels", "timeseries")
    args = stage.arguments(SeriesArgs)
    option = stage.command.option("time")
    time = Name(stage.option("time"), option.value_span if option is not None else args.field.span)
    rel, found = series(stage, stage.rel, args, time)
    rows = m.numbered_rows(stage, rel, found)
    return _continued(stage, rows, time, [f.name for f, _ in found[2:]])


def _continued(stage: Stage, rows: Rows, time: Name, by: list[str]) -> Rel:
    """The stored rows, then the forecast rows: time, group fields (taken from the first row of the group), forecast."""
    from sqlglot import exp

    from logsql.ml.transforms import Future  # for cost: pyarrow.compute
    from logsql.operators import models as m  # for cost: pyarrow.compute

    args = stage.arguments(SeriesArgs)
    shape = ((m.ROW, LONG), ("__place", LONG), ("__time", DATE), *((f, DOUBLE) for f in FIELDS))
    made = [Column(n, n, t) for n, t in shape]
    transform = Future(m.ROW, rows.fields, tuple(by), _options(stage))
    stream = stage.stream(m.stage_input(rows), made, transform)
    first = rows.rel
    columns, items, idents = [], [], Idents()
    for name in dict.fromkeys((time.text, *(n.text for n in args.by), *FIELDS)):
        ident = idents.take(name)
        known = first.column(name)
        if name == time.text or name in FIELDS:
            columns.append(Column(name, ident, DATE if name == time.text else DOUBLE))
            items.append(sql.alias(sql.col("__time" if name == time.text else name, "s"), ident))
        elif known is not None and not known.parts:
            columns.append(Column(name, ident, known.type))
            items.append(sql.alias(sql.col(known.ident, "i"), ident))
        else:
            value = values.to_variant(side_value(first, name, "i"))
            columns.append(Column(name, ident, value.type))
            items.append(sql.alias(value.expr, ident))
    order = idents.take("__ord")
    items.append(sql.alias(sql.col("__place", "s"), order))
    node = sql.select(items, sql.table(stream.source, "s"))
    on = sql.eq(sql.col(m.ROW, "i"), sql.col(m.ROW, "s"))
    node.set("joins", [exp.Join(this=sql.table(first.source, "i"), side="LEFT", on=on)])
    reads = (stream.source, first.source)
    second = stage.derived("future", node, reads, columns, keys=[OrderKey(order, LONG)])
    for field in FIELDS:
        first = stage.assign(first, field, values.constant_null(DOUBLE))
    return union(stage, first, second)


def _options(stage: Stage) -> Any:
    from logsql.ml.timeseries import ForecastOptions  # for cost: pyarrow.compute

    if stage.option("seed") is not None:
        stage.remark(NO_RANDOM_PART)
    confidence = stage.option("confidence")
    if confidence > 99:
        option = stage.command.option("confidence")
        place = option.value_span if option is not None else None
        stage.fail(CONFIDENCE, place, confidence=confidence)
    return ForecastOptions(
        stage.option("period"),
        stage.option("count"),
        stage.option("smoother"),
        stage.option("normalize"),
        stage.option("accumulate"),
        confidence,
    )


_DAYS = [{"_time": f"2024-01-{day:02d}", "n": 10 * day} for day in range(1, 7)]

register(
    CommandSpec(
        name="forecast",
        group=Group.ML,
        summary=("Continue a series.", "시계열의 이후 값을 예측합니다."),
        usage=(
            "forecast [period=N] [count=N] [smoother=linear|loess|ets] [normalize=t] [accumulate=f] [confidence=N] "
            "[time=FIELD] FIELD [by FIELD, ...]",
        ),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST, duties.BY_FIELDS),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        extra="timeseries",
        options=(
            OptionSpec(
                "period",
                OptionKind.INT,
                (
                    "rows of a season; below 2 for none; found when not given",
                    "한 계절의 행 수. 2보다 작으면 계절성 없음, 생략하면 자동 탐지",
                ),
                minimum=0,
            ),
            OptionSpec("count", OptionKind.INT, ("rows to add", "덧붙일 예측 행 수"), default=5, minimum=1),
            OptionSpec(
                "smoother",
                OptionKind.CHOICE,
                ("how the trend goes on", "추세를 이어 가는 방식"),
                "ets",
                ("linear", "loess", "ets"),
            ),
            OptionSpec(
                "normalize",
                OptionKind.BOOL,
                ("even out the spread first (Box-Cox)", "먼저 분산을 고르게 변환 (Box-Cox)"),
                default=False,
            ),
            OptionSpec(
                "accumulate",
                OptionKind.BOOL,
                ("widen the bounds with the distance", "예측이 멀어질수록 구간을 넓힘"),
                default=True,
            ),
            OptionSpec(
                "confidence",
                OptionKind.INT,
                ("percent of values between the bounds", "구간 안에 들 값의 백분율"),
                default=95,
                minimum=1,
            ),
            OptionSpec(
                "seed",
                OptionKind.INT,
                ("accepted for the language; nothing here is random", "호환을 위해 받아들임. 난수를 쓰지 않음"),
            ),
            OptionSpec("time", OptionKind.FIELD, ("the field of the time", "시각 필드"), default="_time"),
        ),
        description="""\
The rows of the input stay; behind them come `count` rows per series with the time going on at the same interval,
`_future` (the forecast value), `_lower` and `_upper` (its bounds), the group fields, and null elsewhere. In the given
rows `_future`, `_lower` and `_upper` are null.

The series is split as `stl` does, its trend is continued by the smoother, and the season is repeated. Rows need a
constant interval, as `timechart` makes them. A series needs at least four rows, and a season at most half of them.

The bounds come from the series itself: it is forecast from up to 32 earlier places, from the rows before each
only, and the bounds are as far from the forecast as the wanted share of these forecasts was off at most. So 95 % of the
values lie between them while the series goes on as it did; a change that it never had before is outside. A series of
fewer than about 12 rows has bounds by formula.
""",
        examples=(
            Example(
                "The next two days",
                'table t | eval _time = date(_time, "yyyy-MM-dd") | forecast period=0 count=2 n'
                " | search isnotnull(_future)"
                ' | eval day = string(_time, "MM-dd"), _future = round(_future, 6) | fields day, _future',
                ({"day": "01-07", "_future": 70.0}, {"day": "01-08", "_future": 80.0}),
                {"t": _DAYS},
            ),
        ),
        errors=(
            NO_STATSMODELS,
            TARGET_MISSING,
            GROUP_MISSING,
            NO_ROWS.when(("a series of fewer than four rows", "시계열의 행이 넷보다 적습니다")),
            NO_INTERVAL,
            BAD_OPTION.when(("a season longer than half of the rows", "주기가 행 수의 절반보다 깁니다")),
            *NUMBER_ERRORS[:2],
        ),
    )
)
