"""``parsemap``: the keys of a map as fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.parse._overlay import NO_TEXT, Document, carry, fated, lay_over
from logsql.diagnostics.codes import define
from logsql.diagnostics.fields import NEVER_A_MAP
from logsql.diagnostics.losses import Fate, loss
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.notes import documents
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import MAP, Kind

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_FIELD = define(
    "22100",
    "missing-parsemap-field",
    ("field= is missing", "field=가 없습니다"),
    ("parsemap needs the field that holds the map", "parsemap에는 맵이 든 필드가 필요합니다"),
    help=("add field=NAME", "field=이름을 추가하세요"),
)

NO_MAP = loss(
    "no-map",
    (
        "the field is a map in no row: the rows pass unchanged (parsejson field= reads text)",
        "어느 행에서도 필드가 맵이 아니어서 행이 그대로 통과합니다(텍스트는 parsejson field=로 읽습니다)",
    ),
    fate=Fate.PASSED,
)


@dataclass(frozen=True)
class NoArgs:
    """Everything is in the options."""


def parse(reader: ArgReader) -> NoArgs:
    if reader.option("field") is None:
        reader.fail(NO_FIELD)
    return NoArgs()


def lower(stage: Stage) -> Rel:
    field = stage.option("field")

    def make(cx: ExprContext) -> Sql | None:
        found = values.as_map(cx.field(field))
        return None if found is None else found.expr

    rel, node = stage.lowered(stage.rel, make)
    if node is None:
        stage.remark(NEVER_A_MAP, field=field)
        documents.opened(stage.context(rel), "parsemap", field, stage.command.name_span, Kind.MAP)
        return rel
    rel, (document,) = carry(stage, rel, ("__doc", node, MAP))
    source = f"parsemap field={field}"
    rel, document = fated(stage, rel, document, sql.not_null(sql.col(document)), field, source, NO_MAP)
    parsed = sql.not_null(sql.col(document))
    return lay_over(stage, rel, Document(parsed, document, scratch=(document,)), stage.option("overlay"))


register(
    CommandSpec(
        name="parsemap",
        group=Group.PARSE,
        summary=("Lift the keys of a map to fields.", "맵의 키를 필드로 꺼냅니다."),
        usage=("parsemap field=FIELD [overlay=t]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("field", OptionKind.FIELD, ("the field that holds the map", "맵이 든 필드")),
            OptionSpec(
                "overlay",
                OptionKind.BOOL,
                ("t lays the keys over the row", "t면 원래 행에 맵의 키를 덮어 추가"),
                default=False,
            ),
        ),
        description="""\
Without `overlay=t` the keys replace the row; with it they are laid over the row and the map stays. A row whose field is
null or no map passes unchanged.
""",
        examples=(
            Example(
                "A nested object as a row",
                "json \"{'complex': {'id': 100, 'name': 'web'}, 'z': 1}\" | parsemap field=complex | fields id, name",
                ({"id": 100, "name": "web"},),
            ),
        ),
        errors=(NO_FIELD,),
        ledger=(NO_MAP, NO_TEXT),
    )
)
