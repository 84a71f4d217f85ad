"""``split``: a delimited field into named fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import syntax
from logsql.diagnostics.delimiters import EMPTY_DELIMITER
from logsql.diagnostics.language import MISSING_CLAUSE
from logsql.language.tree import Call, Field, Literal, Name
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import STRING
from logsql.values.values import Typed

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_SEPARATOR = EMPTY_DELIMITER.says(
    (
        "sep= is the text between the parts and cannot be empty",
        "sep=은 부분 사이의 텍스트이므로 비워 둘 수 없습니다",
    )
)
NO_NAMES = MISSING_CLAUSE.says(
    ("split needs names for the parts", "split에는 나뉜 부분의 이름이 필요합니다"),
    help=syntax('split sep="," NAME, ...'),
)


@dataclass(frozen=True)
class SplitArgs:
    """Names of the parts."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> SplitArgs:
    names = reader.name_list(blanks=True)
    if not names:
        reader.fail(NO_NAMES)
    return SplitArgs(tuple(names))


def lower(stage: Stage) -> Rel:
    field, separator = stage.option("field"), stage.option("sep")
    if not separator:
        stage.fail(NO_SEPARATOR)
    call = Call("split", (Field(field), Literal(separator, "string")))

    def make(cx: ExprContext) -> Sql:
        return cx.let(cx.lower(call).expr)

    rel, parts = stage.lowered(stage.rel, make)
    for place, name in enumerate(names_of(stage.arguments(SplitArgs).names), 1):
        rel = stage.assign(rel, name, Typed(sql.index(parts.copy(), sql.integer(place)), STRING))
    return rel


register(
    CommandSpec(
        name="split",
        group=Group.PARSE,
        summary="Split a delimited field into named fields.",
        usage=("split [field=FIELD] sep=TEXT NAME, ...",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(duties.Argument(duties.Kind.NEW_FIELDS),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("field", OptionKind.FIELD, ("the field to split", "나눌 필드"), default="line"),
            OptionSpec(
                "sep", OptionKind.TEXT, ("the text between the parts", "조각 사이의 구분 텍스트"), required=True
            ),
        ),
        description="""\
The parts become text fields in order; names without a part are null and parts without a name are left out.
""",
        examples=(
            Example(
                "Three columns of a line",
                'table t | split sep="," host, port, note | fields - line',
                ({"host": "a", "port": "80", "note": None},),
                {"t": [{"line": "a,80"}]},
            ),
        ),
        errors=(
            EMPTY_DELIMITER.when(("sep= is empty", "sep=이 비어 있습니다")),
            MISSING_CLAUSE.when(("no name", "이름이 없습니다")),
        ),
    )
)
