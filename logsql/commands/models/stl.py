"""``stl``: trend, season and remainder of a series."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.models._shared_ml import NUMBER_ERRORS
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.expressions import INVALID_TIMESPAN
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.modeldata import DATE_NEEDED
from logsql.diagnostics.models import THE_ROWS, USAGE, MlError, fields_note
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import values
from logsql.values.timespans import parse_span
from logsql.values.types import DOUBLE, Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.ml.unsupervised import Result
    from logsql.operators.models import Feature, Forms
    from logsql.planner.runtime import StageRuntime


TARGET_MISSING = define(
    "40300",
    "target-field-missing",
    ("no field, or more than one", "필드가 없거나 둘 이상입니다"),
    ("{command} needs one field", "{command}에는 필드가 하나 필요합니다"),
    help=syntax("{command} [options] FIELD [by FIELD, ...]"),
)
GROUP_MISSING = define("40301", "group-field-missing", ("a field is missing after by", "by 뒤에 필드가 없습니다"))
NO_GROUP = GROUP_MISSING.says(GROUP_MISSING.text)
#: What stl and forecast list of shared rows.
NO_STATSMODELS = PACKAGE_MISSING.when(
    ("the package statsmodels is not installed", "statsmodels 패키지가 설치되어 있지 않습니다")
)
NO_INTERVAL = USAGE.when(
    (
        "the rows have no constant interval, or a time twice",
        "행의 간격이 일정하지 않거나 같은 시각이 두 번 있습니다",
    )
)


@dataclass(frozen=True)
class SeriesArgs:
    """The field of the series and the fields that tell series apart."""

    field: Name
    by: tuple[Name, ...]


def parse(reader: ArgReader) -> SeriesArgs:
    """``FIELD [by FIELD, ...]``, also of ``forecast``."""
    names = reader.name_list(stop=("by",))
    if len(names) != 1:
        reader.fail(TARGET_MISSING, names[1].span if names else None, command=reader.command)
    by: list[Name] = []
    if reader.keyword("by"):
        by = reader.name_list(trailing_comma=GROUP_MISSING)
        if not by:
            reader.fail(NO_GROUP)
    return SeriesArgs(names[0], tuple({n.text: n for n in by}.values()))


def series(stage: Stage, rel: Rel, args: SeriesArgs, time: Name) -> tuple[Rel, list[tuple[Feature, Forms]]]:
    """The flushed input and what goes to Python: time, value, group fields (named ``__by0`` ...)."""
    from logsql.operators import models as m  # for cost: pyarrow.compute

    rel, found = m.features(stage, rel, (args.field, time, *args.by), THE_ROWS.fill())
    by_name = {f.name: f for f in found}
    value, moment = by_name[args.field.text], by_name[time.text]
    m.check_numeric([value], stage.spec.name, rel.names)
    date = values.date_sql(moment.value)
    if date is None and moment.value.kind is not Kind.NULL:
        notes, held = [fields_note(THE_ROWS.fill(), rel.names)], moment.value.type.label
        error = MlError(DATE_NEEDED, notes=notes, command=stage.spec.name, name=time.text, found=held)
        raise m.at(error, time.span)
    groups = [(replace(by_name[n.text], name=f"__by{i}"), m.group_form) for i, n in enumerate(args.by)]
    return rel, [
        (replace(moment, name="__time"), m.date_form),
        (replace(value, name="__value"), m.number_form),
        *groups,
    ]


def lower(stage: Stage) -> Rel:
    from logsql.ml.transforms import Tabled  # for cost: pyarrow.compute
    from logsql.operators import models as m  # for cost: pyarrow.compute

    stage.needs_extra("stl", "statsmodels", "timeseries")
    args = stage.arguments(SeriesArgs)
    rel, found = series(stage, stage.rel, args, Name("_time", args.field.span))
    rows = m.numbered_rows(stage, rel, found)
    by = [f.name for f, _ in found[2:]]
    period, robust = _period(stage), bool(stage.option("robust"))

    def compute(table: pa.Table, runtime: StageRuntime) -> Result:
        from logsql.ml.timeseries import stl  # for cost: pyarrow.compute

        return stl(table, "__value", period, by, "__time", robust)

    names = ("_trend", "_seasonal", "_error", *(("_score",) if robust else ()))
    answers = [m.Answer(name, DOUBLE) for name in names]
    return m.tabled(stage, rows, answers, Tabled("stl", m.ROW, rows.fields, names, compute))


def _period(stage: Stage) -> int | None:
    """Length of a season in milliseconds, 0 for none, None to find it."""

    option = stage.command.option("period")
    if option is None:
        return None
    text = stage.option_text(option)
    if text.rstrip("abcdefghijklmnopqrstuvwxyz").strip("0") == "" and text[:1] == "0":
        return 0
    # A season of months is counted in intervals of the rows.
    return 1000 * parse_span(text, stage.refusing(option)).round_seconds


_WEEKS = [
    {"_time": f"2024-01-{day:02d} 00:00:00", "n": 10 + day + (5 if day % 7 in (6, 0) else 0)} for day in range(1, 29)
]

_VISITS = [
    {"id": n, "_time": f"2024-01-{n:02d} 00:00:00", "n": 100 - (40 if n % 7 in (6, 0) else 0) + n * n * 37 % 13}
    for n in range(1, 29)
]

register(
    CommandSpec(
        name="stl",
        group=Group.ML,
        summary=("Split a series into trend, season and remainder.", "시계열을 추세, 계절성, 잔차로 분해합니다."),
        usage=("stl [period=SPAN] [robust=t] FIELD [by FIELD, ...]",),
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
                OptionKind.TEXT,
                (
                    "length of the season; 0m for none; found when not given",
                    "계절의 길이. 0m이면 계절성 없음, 생략하면 자동 탐지",
                ),
            ),
            OptionSpec(
                "robust",
                OptionKind.BOOL,
                (
                    "outliers do not bend trend and season; adds _score",
                    "이상치가 추세와 계절성을 휘지 않게 함. _score를 추가",
                ),
                default=False,
                extension=True,
            ),
        ),
        description="""\
Adds `_trend`, `_seasonal` and `_error`, whose sum is the value (seasonal-trend decomposition by loess, Cleveland and
others, 1990). Rows need a `_time` at a constant interval, as `timechart` makes them; a missing interval is bridged.
Without a season `_seasonal` is null.

With `robust=t` rows far from trend and season count less in them (the robust rounds of the same paper), so that an
outlier stands in `_error` and not beside it. `_score` then says how many deviations `_error` is away from its median:
by the median absolute deviation, which outliers do not widen. Over few seasons the split follows the rows closely and
most errors are small: look at the largest scores first.

With `by` each group is a series of its own. A row without a time or a number, or in a group of fewer than four rows,
has nulls; their number is reported. All rows are used. Where the number of rows times a season passes about two
million, the lines are fitted at 64 places of each window and the trend is straight between them.
""",
        examples=(
            Example(
                "The day that is least like its weekday",
                'table t | eval _time = date(_time, "yyyy-MM-dd HH:mm:ss"), n = if(id == 17, 190, n)'
                " | stl period=7d robust=t n | sort limit=1 -_score | fields id",
                ({"id": 17},),
                {"t": _VISITS},
            ),
            Example(
                "The weekly season of daily counts",
                'table t | eval _time = date(_time, "yyyy-MM-dd HH:mm:ss") | stl period=7d n'
                " | eval off = abs(n - _trend - _seasonal - _error) < 0.000001 | stats count by off",
                ({"off": True, "count": 28},),
                {"t": _WEEKS},
            ),
        ),
        errors=(
            NO_STATSMODELS,
            TARGET_MISSING,
            GROUP_MISSING,
            INVALID_TIMESPAN.when(("period= is no time span", "period=이 시간 간격이 아닙니다")),
            NO_INTERVAL,
            *NUMBER_ERRORS[:2],
        ),
    )
)
