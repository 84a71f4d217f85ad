"""``curvefit``: the polynomial that runs nearest to the points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.models._shared_ml import NUMBER_ERRORS, field_list
from logsql.diagnostics.codes import syntax
from logsql.diagnostics.modeldata import NO_ROWS
from logsql.diagnostics.models import THE_ROWS, USAGE
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import DOUBLE

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.ml.unsupervised import Result
    from logsql.planner.runtime import StageRuntime


TWO_FIELDS = USAGE.says(
    ("curvefit needs two different fields", "curvefit에는 서로 다른 필드 둘이 필요합니다"),
    help=syntax("curvefit [degree=N] X, Y"),
)


@dataclass(frozen=True)
class CurvefitArgs:
    """The fields of the two axes."""

    x: Name
    y: Name


def parse(reader: ArgReader) -> CurvefitArgs:
    names = field_list(reader)
    if len(names) != 2:
        span = names[2].span if len(names) > 2 else None
        reader.fail(TWO_FIELDS, span)
    return CurvefitArgs(*names)


def lower(stage: Stage) -> Rel:
    from logsql.ml.transforms import Tabled  # for cost: pyarrow.compute
    from logsql.operators import models as m  # for cost: pyarrow.compute

    args = stage.arguments(CurvefitArgs)
    rel, found = m.features(stage, stage.rel, (args.x, args.y), THE_ROWS.fill())
    m.check_numeric(found, "curvefit", rel.names)
    rel = stage.flush(stage.assign(rel, "_x", found[0].value))
    x, y = (m.features(stage, rel, [name], THE_ROWS.fill())[1][0] for name in (args.x, args.y))
    rows = m.numbered_rows(stage, rel, [(replace(x, name="x"), m.number_form), (replace(y, name="y"), m.number_form)])
    degree = stage.option("degree")

    def compute(table: pa.Table, runtime: StageRuntime) -> Result:
        from logsql.ml.unsupervised import curvefit  # for cost: few queries need it

        return curvefit(table, "x", "y", degree)

    return m.tabled(stage, rows, [m.Answer("_p", DOUBLE)], Tabled("curvefit", m.ROW, rows.fields, ("_p",), compute))


register(
    CommandSpec(
        name="curvefit",
        group=Group.ML,
        summary=(
            "Fit a polynomial to two fields by least squares.",
            "두 필드의 값에 최소제곱법으로 다항식을 맞춥니다.",
        ),
        usage=("curvefit [degree=N] X, Y",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("degree", OptionKind.INT, ("degree of the polynomial", "다항식의 차수"), default=3, minimum=0),
        ),
        description="""\
Adds `_x`, the value of X, and `_p`, the value of the polynomial there. A row without Y takes no part in the fit and
still gets `_p`, so rows to predict may be appended; a row without X has a null `_p`. All rows are used. X may be a
date.
""",
        examples=(
            Example(
                "A straight line, and its value at 4",
                "table t | curvefit degree=1 x, y | eval _p = round(_p, 6) | fields _x, _p",
                ({"_x": 1, "_p": 2.0}, {"_x": 2, "_p": 4.0}, {"_x": 3, "_p": 6.0}, {"_x": 4, "_p": 8.0}),
                {"t": [{"x": 1, "y": 2}, {"x": 2, "y": 4}, {"x": 3, "y": 6}, {"x": 4, "y": None}]},
            ),
        ),
        errors=(
            *NUMBER_ERRORS,
            USAGE.when(("not exactly two fields", "필드가 정확히 둘이 아닙니다")),
            NO_ROWS.when(
                ("not more different values of X than the degree", "X의 서로 다른 값이 degree보다 많지 않습니다")
            ),
        ),
    )
)
