"""``result``: the result of an earlier query of the session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._files import LIMIT, OFFSET
from logsql.commands.sources._tables import scan_table
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class ResultArgs:
    """Number of the query."""

    query: Name


def parse(reader: ArgReader) -> ResultArgs:
    word = reader.word()
    if word is None:
        reader.fail("11500", "query-not-found", "result needs the number of a query", help="result NUMBER")
    return ResultArgs(word)


def lower(stage: Stage) -> Rel:
    query: Name = stage.arguments(ResultArgs).query
    info = stage.catalog.result(query.text)
    if info is None:
        help_text = "system queries lists the queries of this session"
        stage.fail("11500", "query-not-found", f"this session has no result {query.text}", query.span, help_text)
    return stage.limit(scan_table(stage, info), stage.option("limit"), stage.option("offset"))


register(
    CommandSpec(
        name="result",
        group=Group.SOURCE,
        summary="Read the result of an earlier query of this session.",
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
Reads the rows of a query of this session by its number, in their order.
""",
        errors=(("11500", "query-not-found", "the session has no such result"),),
    )
)
