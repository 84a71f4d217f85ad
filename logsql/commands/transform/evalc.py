"""``evalc``: a parameter that changes from row to row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define
from logsql.diagnostics.expressions import EVALC_ORDER
from logsql.language.tree import Binary
from logsql.operators.state import lower_evalc
from logsql.planner import duties
from logsql.planner.arrange import EvalcArgs
from logsql.planner.expressions import PARAMETER_PREFIX
from logsql.planner.notes import parameters
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from logsql.values.types import Kind
from logsql.values.values import NULL_VALUE

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_EQUALS = define("20200", "assign-token-not-found", ("no =", "=가 없습니다"))
NO_NAME = define("20201", "field-name-not-found", ("no name before =", "= 앞에 이름이 없습니다"))
NO_EXPRESSION = define("20202", "expression-not-found", ("no expression behind =", "= 뒤에 표현식이 없습니다"))


def parse(reader: ArgReader) -> EvalcArgs:
    found = reader.assignments(
        missing_equals=NO_EQUALS,
        bad_target=NO_NAME,
        missing_expr=NO_EXPRESSION,
    )
    return EvalcArgs(tuple(found))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(EvalcArgs)
    rel = stage.rel
    for assignment in args.assignments:
        name = assignment.target.text
        if isinstance(assignment.expr, Binary) and _has_no_value(stage, rel, name):
            parameters.never_starts(stage.chain.notes, name, assignment.expr)
        rel = lower_evalc(stage, rel, name, assignment.expr, name in args.before)
    return rel


def _has_no_value(stage: Stage, rel: Rel, name: str) -> bool:
    """Whether nothing before this command gave the parameter a value."""
    carried = any(column.name == PARAMETER_PREFIX + name for column in rel.carried)
    return not carried and stage.chain.params.get(name, NULL_VALUE).kind is Kind.NULL


register(
    CommandSpec(
        name="evalc",
        group=Group.TRANSFORM,
        summary=(
            "Update a query parameter for every row, in order.",
            "행을 순서대로 읽으며 쿼리 매개변수의 값을 바꿉니다.",
        ),
        usage=("evalc NAME = EXPR, ...",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.ASSIGNMENTS),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.RUNNING,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.CARRIES,
        takes_options=False,
        description="""\
The expression is computed for each row and may read the parameter's own value of the row before with `$("NAME")`; the
commands behind `evalc` read the value of their row. `set` gives the first value, null without it.

Running sums (`nvl($("s"), 0) + nvl(a, 0)`), extremes (`max($("m"), a)`) and last values (`nvl(a, $("v"))`) run as
window functions. Other expressions are computed row after row, about a hundred thousand rows per second. An `eval` or
`search` before `evalc` that reads the parameter sees the state after the row before.
""",
        examples=(
            Example(
                "A running sum",
                'table t | evalc total = nvl($("total"), 0) + n | eval total = $("total")',
                ({"n": 5, "total": 5}, {"n": 1, "total": 6}, {"n": 4, "total": 10}),
                {"t": [{"n": 5}, {"n": 1}, {"n": 4}]},
            ),
            Example(
                "Number the runs of equal values",
                'table t | eval before = $("k") | evalc k = v, run = nvl($("run"), 0) + if(v == before, 0, 1) '
                '| eval run = $("run") | fields v, run',
                ({"v": 7, "run": 1}, {"v": 7, "run": 1}, {"v": 8, "run": 2}),
                {"t": [{"v": 7}, {"v": 7}, {"v": 8}]},
            ),
        ),
        errors=(
            NO_EQUALS,
            NO_NAME,
            NO_EXPRESSION,
            EVALC_ORDER,
        ),
    )
)
