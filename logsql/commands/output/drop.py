"""``drop``: no rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class NoArgs:
    """A command without arguments."""


def parse(reader: ArgReader) -> NoArgs:
    return NoArgs()


def lower(stage: Stage) -> Rel:
    rel = stage.flush(stage.rel)
    items = [(i, rel.expr(i)) for i in rel.all_idents()]
    # No rows are in any order, and `union [ ... | drop ]` asks for one.
    return stage.select("drop", rel, items, sql.boolean(False))


register(
    CommandSpec(
        name="drop",
        group=Group.OUTPUT,
        summary=("Discard all rows.", "모든 행을 버립니다."),
        usage=("drop",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.NO_ROWS,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
For queries that are run for what their commands do: files and tables written before it are written. Work whose only
effect would be rows is not done.
""",
        examples=(Example("Nothing comes out", "table t | drop", (), {"t": [{"a": 1}]}),),
    )
)
