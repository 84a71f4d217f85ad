"""``repeat``: every row several times."""

from __future__ import annotations

from logsql.commands.output.drop import parse
from logsql.diagnostics.codes import define
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sql import Sql

MISSING_COUNT = define(
    "22400",
    "missing-count-option",
    ("count= is missing or no integer from 0 on", "count=가 없거나 0 이상의 정수가 아닙니다"),
)


#: Most copies of a row made at once: a list of all of them would ask for 8 GB before the first row of count=1000000000.
_BLOCK = 1000


def lower(stage: Stage) -> Rel:
    count: int = stage.option("count")
    rel = stage.flush(stage.rel)
    size = 1
    while size * _BLOCK < count:
        size *= _BLOCK
    before: str | None = None
    made: Sql | None = None  # the test that keeps the blocks that are wanted
    while size:
        # Copies stand together; the keys of a row are those of its copies, which are all alike.
        blocks = -(-count // size)
        ident = rel.fresh_ident("__copy", (before,) if before else ())
        items = [(i, rel.expr(i)) for i in rel.all_idents()]
        copies: Sql = sql.func("unnest", sql.func("range", sql.integer(_BLOCK if before else blocks)))
        if before is not None:
            copies = sql.binary("+", sql.binary("*", sql.col(before), sql.integer(_BLOCK)), copies)
        rel = stage.select("repeat", rel, [*items, (ident, copies)], made)
        made = sql.binary("<", sql.col(ident), sql.integer(blocks)) if before else None
        before, size = ident, size // _BLOCK
    return rel if made is None else stage.where(rel, made)


register(
    CommandSpec(
        name="repeat",
        group=Group.FILTER,
        summary=("Repeat every row.", "모든 행을 지정한 횟수만큼 반복합니다."),
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
                ("how often every row comes out", "각 행을 반복할 횟수"),
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
