"""``set``: a query parameter from an expression."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define
from logsql.language.tree import Assignment, Literal
from logsql.planner import duties
from logsql.planner.chain import param_value
from logsql.planner.notes import parameters
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import NUMBERS, Kind, LType
from logsql.values.values import Typed, constant_null

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_EQUALS = define("10400", "assign-token-not-found", ("no =", "=가 없습니다"))
NO_NAME = define("10401", "field-name-not-found", ("no name before =", "= 앞에 이름이 없습니다"))
NO_EXPRESSION = define("10402", "expression-not-found", ("no expression behind =", "= 뒤에 표현식이 없습니다"))
#: Kinds whose value can be computed while planning and written as a literal.
PLAIN = NUMBERS | {Kind.BOOL, Kind.STRING, Kind.DATE, Kind.BINARY, Kind.IP}


@dataclass(frozen=True)
class SetArgs:
    """Assignments of parameters, left to right."""

    assignments: tuple[Assignment, ...]


def parse(reader: ArgReader) -> SetArgs:
    found = reader.assignments(
        missing_equals=NO_EQUALS,
        bad_target=NO_NAME,
        missing_expr=NO_EXPRESSION,
    )
    return SetArgs(tuple(found))


def lower(stage: Stage) -> Rel | None:
    for assignment in stage.arguments(SetArgs).assignments:
        parameters.without_row(stage.chain.notes, assignment.expr)
        cx = stage.context(None)
        value = cx.lower(assignment.expr)
        if not isinstance(assignment.expr, Literal) and value.kind in PLAIN:
            value = literal(stage.catalog.evaluate(value.expr), value.type)
        stage.chain.params[assignment.target.text] = value
    return stage.input


def literal(value: object, type_: LType) -> Typed:
    """A value that the catalog computed, written as a constant of the type it was computed in."""
    if value is None:
        return constant_null(type_)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        value = value.astimezone(dt.UTC)
    found = param_value(value)
    same = found.type == type_ or found.type.physical == type_.physical
    return Typed(found.expr if same else sql.cast(found.expr, type_.physical), type_)


register(
    CommandSpec(
        name="set",
        group=Group.TRANSFORM,
        summary=("Set a query parameter before the query starts.", "쿼리를 시작하기 전에 쿼리 매개변수를 설정합니다."),
        usage=("set NAME = EXPR, ...",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.ASSIGNMENTS),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.ONCE,
        takes_options=False,
        description="""\
The expression is computed once, without a row, and read back with `$("NAME")` wherever an expression or the value of an
option may stand. Rows pass unchanged, so `set` may be the first command or stand later. A parameter set inside a
subquery is not seen outside.
""",
        examples=(
            Example(
                "A threshold in one place",
                'set least = 100 | table t | search bytes >= $("least")',
                ({"host": "b", "bytes": 150},),
                {"t": [{"host": "a", "bytes": 50}, {"host": "b", "bytes": 150}]},
            ),
        ),
        errors=(
            NO_EQUALS,
            NO_NAME,
            NO_EXPRESSION,
        ),
    )
)
