"""``search``: rows for which an expression is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.options import INVALID_OPTION
from logsql.language.tree import Command, Expr
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class SearchArgs:
    """``condition`` is None for a bare ``search``; ``limited`` tells that ``limit=`` is written."""

    condition: Expr | None
    limited: bool = False


def parse(reader: ArgReader) -> SearchArgs:
    limited = any(o.key == "limit" for o in reader.options)
    return SearchArgs(None if reader.at_end() else reader.expr(), limited)


def lower(stage: Stage) -> Rel:
    args = stage.arguments(SearchArgs)
    rel = stage.rel
    if args.condition is not None:
        rel = stage.filter(rel, args.condition)
    return stage.limit(rel, stage.option("limit"))


def order(args: SearchArgs) -> duties.OrderNeed:
    return duties.OrderNeed.NEEDS if args.limited else duties.OrderNeed.KEEPS


def in_stream(command: Command) -> duties.InStream:
    return duties.InStream.WINDOWED if command.args.limited else duties.InStream.ROW_WISE


register(
    CommandSpec(
        name="search",
        group=Group.FILTER,
        summary=("Keep the rows for which an expression is true.", "표현식이 참인 행을 검색합니다."),
        usage=("search [limit=N] EXPR",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.EXPRESSION),),
        subquery=duties.Subquery.NONE,
        order=duties.OrderDuty(order, duties.OrderGiven.INPUT),
        stream=in_stream,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.FILTERS,
        options=(
            OptionSpec(
                "limit",
                OptionKind.INT,
                ("stop after this many rows that match", "조건에 맞는 행을 이만큼 찾으면 멈춤"),
                minimum=0,
            ),
        ),
        description="""\
Rows pass unchanged and in order. A comparison with a missing or null field is false, so `search a != "x"` drops rows
without `a`, and `search not(a == "x")` keeps them.

`==` and `!=` with a text constant compare the text form of the field, and `*` in the constant stands for any run of
characters: `status == "404"` matches the number 404 and the text "404", `path == "*.exe"` all paths that end so.
A single `=` is no comparison and is refused.
""",
        examples=(
            Example(
                "Which requests failed?",
                'table web | search status == "5*"',
                ({"path": "/b", "status": 500}, {"path": "/c", "status": 503}),
                {
                    "web": [
                        {"path": "/a", "status": 200},
                        {"path": "/b", "status": 500},
                        {"path": "/c", "status": 503},
                    ]
                },
            ),
            Example(
                "The first slow request that is not a health check",
                'table web | search limit=1 ms > 100 and path != "/health"',
                ({"path": "/b", "ms": 900},),
                {
                    "web": [
                        {"path": "/health", "ms": 300},
                        {"path": "/b", "ms": 900},
                        {"path": "/c", "ms": 700},
                    ]
                },
            ),
        ),
        errors=(
            INVALID_OPTION.when(
                (
                    "an option other than limit, or a single = in the expression",
                    "limit이 아닌 옵션이거나 표현식에 = 하나만 썼습니다",
                )
            ),
        ),
    )
)
