"""``lof``: how much sparser the surroundings of a row are than those of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from logsql.commands.models._shared_ml import NUMBER_ERRORS, field_list, number_option
from logsql.diagnostics.codes import syntax
from logsql.diagnostics.models import THE_ROWS, TRAINING_SUBQUERY, USAGE
from logsql.language.tree import Name, Subquery
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


NEEDS_BY = USAGE.says(
    ("lof with a subquery needs by FIELD", "서브쿼리가 있는 lof에는 by 필드가 필요합니다"),
    help=syntax("lof FIELD, ... by FIELD [ QUERY ]"),
)


@dataclass(frozen=True)
class LofArgs:
    """The fields that span the space, the group fields, and the subquery with the rows to compare with."""

    fields: tuple[Name, ...]
    by: tuple[Name, ...]
    subquery: Subquery | None


def parse(reader: ArgReader) -> LofArgs:
    fields = field_list(reader, stop=("by",))
    by = field_list(reader) if reader.keyword("by") else ()
    subquery = reader.subquery(required=False)
    if subquery is not None and not by:
        reader.fail(NEEDS_BY, subquery.span)
    return LofArgs(fields, by, subquery)


def lower(stage: Stage) -> Rel:
    from logsql.ml.transforms import Tabled  # for cost: pyarrow.compute
    from logsql.operators import models as m  # for cost: pyarrow.compute

    args = stage.arguments(LofArgs)
    rel, chosen = _chosen(stage, stage.rel, args, THE_ROWS.fill())
    rows = m.numbered_rows(stage, rel, chosen)
    names = [f.name for f, forms in chosen if forms is m.number_form]
    by = [f.name for f, forms in chosen if forms is m.group_form]
    k, eps, cores = stage.option("k"), number_option(stage, "eps", 1e-5, 0.0, 1.0), stage.option("cores")
    training: list[Rel] = []
    known: list[Any] = []
    if args.subquery is not None:
        sub, others = _chosen(stage, stage.subquery(args.subquery), args, TRAINING_SUBQUERY.fill())
        sub, known, columns = m.with_forms(stage, sub, others)
        training.append(replace(sub, columns=tuple(columns), carried=(), rest=None))

    def compute(table: pa.Table, runtime: StageRuntime) -> Result:
        from logsql.ml.transforms import training_rows  # for cost: pyarrow.compute
        from logsql.ml.unsupervised import lof  # for cost: few queries need it

        return lof(table, names, k, eps, by, training_rows(runtime, known) if training else None, cores)

    transform = Tabled("lof", m.ROW, rows.fields, ("_lof",), compute)
    return m.tabled(stage, rows, [m.Answer("_lof", DOUBLE)], transform, training)


def _chosen(stage: Stage, rel: Rel, args: LofArgs, owner: str) -> tuple[Rel, list[Any]]:
    """The fields and group fields of one side, with the form in which each goes to Python."""
    from logsql.operators import models as m  # for cost: pyarrow.compute

    rel, found = m.features(stage, rel, (*args.fields, *args.by), owner)
    by_name = {f.name: f for f in found}
    numbers = [by_name[n.text] for n in args.fields]
    m.check_numeric(numbers, "lof", rel.names)
    groups = [replace(by_name[n.text], name=f"__by{i}") for i, n in enumerate(args.by)]
    return rel, [*((f, m.number_form) for f in numbers), *((f, m.group_form) for f in groups)]


_CLOUD = [{"x": float(n % 5), "y": float(n // 5)} for n in range(25)] + [{"x": 30.0, "y": 30.0}]

register(
    CommandSpec(
        name="lof",
        group=Group.ML,
        summary=(
            "Score how far a row stands from its neighbours (local outlier factor).",
            "각 행이 이웃한 행에서 얼마나 벗어났는지 LOF 점수를 계산합니다.",
        ),
        usage=("lof [k=N] [eps=X] [cores=N] FIELD, ... [by FIELD, ... [ QUERY ]]",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.FIELD_LIST, duties.BY_FIELDS, duties.QUERY),
        subquery=duties.Subquery.ALONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.WINDOWED,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("k", OptionKind.INT, ("neighbours to compare with", "비교할 이웃 수"), default=10, minimum=1),
            OptionSpec(
                "eps",
                OptionKind.TEXT,
                ("smallest distance that counts, above 0 and up to 1", "의미를 두는 최소 거리. 0보다 크고 1 이하"),
                default="0.00001",
            ),
            OptionSpec(
                "optimize",
                OptionKind.BOOL,
                ("accepted for the language; always on", "호환을 위해 받아들임. 항상 켜져 있음"),
                default=True,
            ),
            OptionSpec(
                "cores",
                OptionKind.INT,
                ("threads that search neighbours", "이웃을 찾을 스레드 수"),
                default=1,
                minimum=1,
            ),
        ),
        description="""\
Adds `_lof`: above 1 the row stands outside, about 1 it is at the border, below 1 it is inside. The factor is that of
Breunig and others (2000) with k neighbours and the Euclidean distance.

With `by` each group is looked at on its own. With a subquery rows are compared with the subquery's rows of the same
group instead of with each other. A row with a null, or in a group of at most k rows, has a null `_lof`; their number
is reported. Of more than k equal rows each has its neighbours at no distance: their factor depends on `eps`, and they
are counted too; a larger `k` looks past them.
""",
        examples=(
            Example(
                "Points far from all others",
                "table points | lof k=5 x, y | search _lof > 2 | fields x, y",
                ({"x": 30.0, "y": 30.0},),
                {"points": _CLOUD},
            ),
        ),
        errors=(*NUMBER_ERRORS, USAGE.when(("a subquery without by", "서브쿼리가 있는데 by가 없습니다"))),
    )
)
