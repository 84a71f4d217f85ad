"""``result``: the result of an earlier query of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._files import LIMIT, OFFSET
from logsql.commands.sources._tables import scan_table
from logsql.diagnostics.codes import define, syntax
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_RESULT = define(
    "11500",
    "query-not-found",
    ("the session has no such result", "세션에 그런 결과가 없습니다"),
    ("this session has no result {query}", "이 세션에 그런 결과가 없습니다: {query}"),
    help=("system queries lists the queries of this session", "이 세션의 쿼리는 system queries로 봅니다"),
)
NO_NUMBER = NO_RESULT.says(
    ("result needs the number of a query", "result에는 쿼리 번호가 필요합니다"), help=syntax("result NUMBER")
)


@dataclass(frozen=True)
class ResultArgs:
    """Number of the query."""

    query: Name


def parse(reader: ArgReader) -> ResultArgs:
    word = reader.word()
    if word is None:
        reader.fail(NO_NUMBER)
    return ResultArgs(word)


def lower(stage: Stage) -> Rel:
    query: Name = stage.arguments(ResultArgs).query
    info = stage.catalog.result(query.text)
    if info is None:
        stage.fail(NO_RESULT, query.span, query=query.text)
    return stage.limit(scan_table(stage, info), stage.option("limit"), stage.option("offset"))


register(
    CommandSpec(
        name="result",
        group=Group.SOURCE,
        summary=(
            "Read the result of an earlier query of this session.",
            "이 세션에서 앞서 실행한 쿼리의 결과를 읽습니다.",
        ),
        usage=("result [offset=N] [limit=N] NUMBER",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.Argument(duties.Kind.NUMBER),),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(OFFSET, LIMIT),
        description="""\
Reads the rows of a query of this session by its number, in their order. The shell and Python keep rows while they are
read, at most 1,000 results of a session, and 1 GB and 7 days over all sessions; the oldest go first, and those of a
session go with it (`\\save` keeps one for good). Of a result that was cut, cancelled or not read to its end the rows
until there are given, and the ledger says so.
""",
        errors=(NO_RESULT,),
    )
)
