"""``split``: a delimited field into named fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.commands.parse._overlay import NO_TEXT, carry, fated
from logsql.diagnostics.codes import syntax
from logsql.diagnostics.delimiters import EMPTY_DELIMITER
from logsql.diagnostics.language import MISSING_CLAUSE
from logsql.diagnostics.losses import Fate, loss
from logsql.language.tree import Call, Field, Literal, Name
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import STRING, Kind, LType
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

NO_SEPARATOR_FOUND = loss(
    "no-separator",
    (
        "the text of sep= stands in no text of any row: the first name takes all of it",
        "sep=의 텍스트가 어느 행에도 없어 첫 이름이 텍스트 전체를 가집니다",
    ),
    fate=Fate.DOUBTFUL,
)
_LIST = LType(Kind.LIST, "VARCHAR[]", STRING)


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
    scratch: tuple[str, ...] = ()
    if stage.context(rel).run_id is not None:
        rel, (listed,) = carry(stage, rel, ("__parts", parts, _LIST))
        some = sql.binary(">", sql.func("len", sql.col(listed)), sql.integer(1))
        rel, made = fated(stage, rel, listed, some, field, f"split field={field}", NO_SEPARATOR_FOUND)
        parts, scratch = sql.col(made), (made,)
    for place, name in enumerate(names_of(stage.arguments(SplitArgs).names), 1):
        rel = stage.assign(rel, name, Typed(sql.index(parts.copy(), sql.integer(place)), STRING))
    return replace(rel, carried=tuple(c for c in rel.carried if c.ident not in scratch))


register(
    CommandSpec(
        name="split",
        group=Group.PARSE,
        summary=(
            "Split a delimited field into named fields.",
            "구분자로 나뉜 필드 값을 이름을 지정한 여러 필드로 분리합니다.",
        ),
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
        ledger=(NO_SEPARATOR_FOUND, NO_TEXT),
    )
)
