"""``kmeans``: groups of rows whose numbers are near each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.models._shared_ml import NUMBER_ERRORS, field_list
from logsql.diagnostics.modeldata import NO_ROWS
from logsql.diagnostics.models import THE_ROWS
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values.types import INT

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.ml.unsupervised import Result
    from logsql.planner.runtime import StageRuntime


@dataclass(frozen=True)
class KmeansArgs:
    """The fields that span the space."""

    fields: tuple[Name, ...]


def parse(reader: ArgReader) -> KmeansArgs:
    return KmeansArgs(field_list(reader))


def lower(stage: Stage) -> Rel:
    from logsql.ml.transforms import Tabled  # for cost: pyarrow.compute
    from logsql.operators import models as m  # for cost: pyarrow.compute

    args = stage.arguments(KmeansArgs)
    rel, found = m.features(stage, stage.rel, args.fields, THE_ROWS.fill())
    m.check_numeric(found, "kmeans", rel.names)
    rows = m.numbered_rows(stage, rel, [(f, m.number_form) for f in found])
    names, k, rounds = [f.name for f in found], stage.option("k"), stage.option("iter")
    scale = bool(stage.option("scale"))

    def compute(table: pa.Table, runtime: StageRuntime) -> Result:
        from logsql.ml.unsupervised import kmeans  # for cost: few queries need it

        return kmeans(table, names, k, rounds, scale=scale)

    return m.tabled(
        stage, rows, [m.Answer("_cluster", INT)], Tabled("kmeans", m.ROW, rows.fields, ("_cluster",), compute)
    )


_POINTS = [{"x": 1.0, "y": 1.0}, {"x": 9.0, "y": 9.0}, {"x": 1.5, "y": 0.5}, {"x": 8.5, "y": 9.5}]

register(
    CommandSpec(
        name="kmeans",
        group=Group.ML,
        summary=("Put rows into k clusters of near numbers.", "값이 가까운 행끼리 k개의 군집으로 나눕니다."),
        usage=("kmeans [k=N] [iter=N] [scale=t] FIELD, ...",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("k", OptionKind.INT, ("number of clusters", "군집 수"), default=3, minimum=1),
            OptionSpec(
                "iter", OptionKind.INT, ("most rounds of improvement", "최대 반복 횟수"), default=10_000, minimum=1
            ),
            OptionSpec(
                "scale",
                OptionKind.BOOL,
                ("standardise the fields first", "먼저 필드를 표준화"),
                default=False,
                extension=True,
            ),
        ),
        description="""\
Adds `_cluster`, a number from 1 to k; clusters are numbered in the order in which they first appear. The distance is
Euclidean, so of fields of very different size the largest decides; with `scale=t` each counts alike, as its distance
from the mean in standard deviations.

A row with a null, or a value that is no number, keeps its place and has a null `_cluster`; the number of such rows is
reported. All rows are used, however many there are. The same rows give the same clusters.
""",
        examples=(
            Example(
                "Two groups of points",
                "table points | kmeans k=2 x, y",
                tuple({**p, "_cluster": c} for p, c in zip(_POINTS, (1, 2, 1, 2), strict=True)),
                {"points": _POINTS},
            ),
        ),
        errors=(*NUMBER_ERRORS, NO_ROWS.when(("fewer rows with numbers than k", "숫자가 있는 행이 k보다 적습니다"))),
    )
)
