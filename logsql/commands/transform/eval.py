"""``eval``: fields computed from expressions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.language import ASSIGN_TOKEN, FIELD_NAME
from logsql.language.tree import Assignment
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class EvalArgs:
    """Assignments in the order in which they take effect."""

    assignments: tuple[Assignment, ...]


def parse(reader: ArgReader) -> EvalArgs:
    return EvalArgs(tuple(reader.assignments()))


def lower(stage: Stage) -> Rel:
    rel = stage.rel
    for assignment in stage.arguments(EvalArgs).assignments:
        rel, [value] = stage.lower(rel, assignment.expr)
        rel = stage.assign(rel, assignment.target.text, value)
    return rel


register(
    CommandSpec(
        name="eval",
        group=Group.TRANSFORM,
        summary=("Set fields to the values of expressions.", "표현식의 값을 필드에 대입합니다."),
        usage=("eval NAME = EXPR, ...",),
        parse=parse,
        lower=lower,
        fields=duties.assigned,
        arguments=(duties.Argument(duties.Kind.ASSIGNMENTS),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.ASSIGNS,
        takes_options=False,
        description="""\
An existing field is replaced where it stands, a new one is added at the end. Assignments run from left to right and see
the ones before them, in the same command too. A field that the rows do not have reads as null.
""",
        examples=(
            Example(
                "Total traffic and its share",
                "table t | eval total = sent + rcvd, share = sent / total",
                ({"sent": 100, "rcvd": 300, "total": 400, "share": 0.25},),
                {"t": [{"sent": 100, "rcvd": 300}]},
            ),
            Example(
                "Replace a field by a computed value",
                'table t | eval name = upper(name), greeting = concat("hello ", name)',
                ({"name": "BOB", "greeting": "hello BOB"},),
                {"t": [{"name": "bob"}]},
            ),
        ),
        errors=(ASSIGN_TOKEN, FIELD_NAME),
    )
)
