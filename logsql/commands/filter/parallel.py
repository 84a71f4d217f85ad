"""``parallel``: a hint that the language has and every query follows anyway."""

from __future__ import annotations

from logsql.commands.filter.serial import InnerArgs, in_stream, order, parse
from logsql.diagnostics.messages import text
from logsql.diagnostics.options import NO_SUBQUERY
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

ALL_CORES = text(
    "queries run on all cores; the commands in brackets are planned as part of the query",
    "쿼리는 모든 코어에서 실행됩니다. 괄호 안의 명령은 쿼리의 일부로 실행합니다",
)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(InnerArgs)
    stage.remark(ALL_CORES)
    return stage.inner(args.subquery)


register(
    CommandSpec(
        name="parallel",
        group=Group.FILTER,
        summary=(
            "Run commands on several cores (every query does).",
            "명령을 여러 코어에서 실행합니다(모든 쿼리가 이미 그렇게 실행됩니다).",
        ),
        usage=("parallel [core=N] [ COMMANDS ]",),
        parse=parse,
        lower=lower,
        fields=duties.INNER,
        arguments=(duties.QUERY,),
        subquery=duties.Subquery.CONTINUES,
        order=duties.OrderDuty(order, duties.OrderGiven.INPUT),
        stream=in_stream,
        lowering=duties.Lowering.PORTABLE,
        twice=True,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "core",
                OptionKind.INT,
                ("accepted; the session decides on threads", "받아들이지만 스레드 수는 세션이 정함"),
                minimum=1,
            ),
        ),
        description="""\
Accepted so that queries written for a server run: the commands in brackets take the rows that arrive. Unlike on the
server the order of rows is kept.
""",
        examples=(
            Example(
                "Same as without it",
                "table t | parallel core=4 [ eval m = n * 2 ] | stats sum(m) as total",
                ({"total": 6},),
                {"t": [{"n": 1}, {"n": 2}]},
            ),
        ),
        errors=(NO_SUBQUERY.when(("no commands in brackets", "대괄호 안에 명령이 없습니다")),),
    )
)
