"""``streamjoin``: a join whose subquery is loaded once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.combine.join import NO_KEY, JoinArgs, marked
from logsql.commands.combine.join import parse as parse_join
from logsql.diagnostics.codes import define
from logsql.diagnostics.messages import text
from logsql.diagnostics.options import NO_SUBQUERY
from logsql.operators import joining
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

WHOLE_QUERY = text(
    "timeout= is accepted; the time limit of the whole query ends the subquery",
    "timeout= 옵션은 받기만 합니다. 서브쿼리는 쿼리 전체의 제한 시간에 끝납니다",
)
UNSUPPORTED_TYPE = define(
    "23200",
    "unsupported-type",
    ("a type other than inner, left, leftonly", "type이 inner, left, leftonly 중 하나가 아닙니다"),
)
NO_STREAM_SUBQUERY = define(
    "90206",
    "no-subquery",
    ("no subquery in brackets", "대괄호로 묶은 서브쿼리가 없습니다"),
    NO_SUBQUERY.text,
)


def parse(reader: ArgReader) -> JoinArgs:
    return parse_join(reader, NO_STREAM_SUBQUERY)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(JoinArgs)
    if stage.option("timeout") is not None:
        stage.remark(WHOLE_QUERY)
    return joining.join(stage, stage.option("type"), args.keys, args.subquery, loaded=stage.chain.holds is not None)


_LEFT = [{"code": 1}, {"code": 2}]
_RIGHT = [{"code": 2, "name": "bar"}]

register(
    CommandSpec(
        name="streamjoin",
        group=Group.COMBINE,
        summary=(
            "Join rows with a subquery that is loaded once, keeping the input's order.",
            "한 번만 읽어 둔 서브쿼리 결과와 입력 순서대로 조인합니다.",
        ),
        usage=("streamjoin [timeout=SPAN] [type=inner|left|leftonly] KEY, ... [ QUERY ]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        names=marked,
        arguments=(duties.FIELD_LIST, duties.QUERY),
        subquery=duties.Subquery.ADDS,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "type",
                OptionKind.CHOICE,
                ("which rows to keep", "남길 행의 종류"),
                default="inner",
                choices=("inner", "left", "leftonly"),
                error=UNSUPPORTED_TYPE,
            ),
            OptionSpec(
                "timeout",
                OptionKind.SPAN,
                ("accepted; the time limit of the query applies", "받아들이지만 쿼리의 시간 제한을 따름"),
            ),
        ),
        description="""\
Matches and merges rows as `join` does. In a stream query the subquery runs once at the start.
""",
        examples=(
            Example(
                "Names for codes, input rows without one too",
                "table t | streamjoin type=left code [ table names ]",
                ({"code": 1, "name": None}, {"code": 2, "name": "bar"}),
                {"t": _LEFT, "names": _RIGHT},
            ),
        ),
        errors=(
            UNSUPPORTED_TYPE,
            NO_KEY,
            NO_STREAM_SUBQUERY,
        ),
    )
)
