"""``repeat``: every row several times."""

from __future__ import annotations

from logsql.commands.output.drop import parse
from logsql.diagnostics.codes import define
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import LONG
from logsql.values.values import Typed

MISSING_COUNT = define(
    "22400",
    "missing-count-option",
    ("count= is missing or no integer from 0 on", "count=가 없거나 0 이상의 정수가 아닙니다"),
)


def lower(stage: Stage) -> Rel:
    count: int = stage.option("count")
    rel = stage.flush(stage.rel)
    ident = rel.fresh_ident("__copy")
    items = [(i, rel.expr(i)) for i in rel.all_idents()]
    copies = Typed(sql.func("unnest", sql.func("range", sql.integer(count))), LONG)
    # Copies stand together; the keys of a row are those of its copies, which are all alike.
    return stage.select("repeat", rel, [*items, (ident, copies.expr)])


register(
    CommandSpec(
        name="repeat",
        group=Group.FILTER,
        summary="Repeat every row.",
        usage=("repeat count=N",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "count",
                OptionKind.INT,
                "how often every row comes out",
                minimum=0,
                required=True,
                error=MISSING_COUNT,
            ),
        ),
        description="Makes test data together with `seq()` and `rand()`. The copies of a row follow one another.\n",
        examples=(
            Example(
                "Three numbered rows",
                'json "{}" | repeat count=3 | eval n = seq()',
                ({"n": 1}, {"n": 2}, {"n": 3}),
            ),
        ),
        errors=(MISSING_COUNT,),
    )
)
