"""``parsexml``: the fields of an XML document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.parse._overlay import Document, carry, lay_over
from logsql.diagnostics.fields import NEVER_TEXT
from logsql.diagnostics.losses import Fate, loss
from logsql.planner import duties, losses
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import MAP

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


NOT_XML = loss(
    "text-not-xml",
    ("texts that are no XML: the row passes unchanged", "XML이 아닌 문자열: 행은 그대로 통과"),
    fate=Fate.PASSED,
)


def parse(reader: ArgReader) -> None:
    return None


def lower(stage: Stage) -> Rel:
    field = stage.option("field")

    def make(cx: ExprContext) -> Sql | None:
        text = values.string_sql(cx.field(field))
        if text is None:
            return None
        begins = sql.func("regexp_matches", text.copy(), sql.string(r"^\s*<"))
        node = sql.when(begins, sql.cast(cx.udf("lq_xml", text), "JSON"))
        filled = sql.binary("<>", text.copy(), sql.string(""))
        return losses.or_lost(cx, NOT_XML, f"parsexml field={field}", node, "JSON", text.copy(), filled)

    rel, node = stage.lowered(stage.rel, make)
    if node is None:
        stage.remark(NEVER_TEXT, field=field)
        return rel
    rel, (document,) = carry(stage, rel, ("__doc", node, MAP))
    found = Document(sql.not_null(sql.col(document)), document, scratch=(document,))
    return lay_over(stage, rel, found, stage.option("overlay"))


register(
    CommandSpec(
        name="parsexml",
        group=Group.PARSE,
        summary=("Take the fields out of an XML document.", "XML 문서에서 필드를 추출합니다."),
        usage=("parsexml [field=FIELD] [overlay=t]",),
        parse=parse,
        lower=lower,
        fields=duties.PASSES,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "field", OptionKind.FIELD, ("the field that holds the document", "XML 문서가 든 필드"), default="line"
            ),
            OptionSpec(
                "overlay",
                OptionKind.BOOL,
                ("t lays the found fields over the row", "t면 원래 행에 추출한 필드를 덮어 추가"),
                default=False,
            ),
        ),
        description="""\
The children and attributes of the root element become fields. An element with text only is that text, trimmed; an empty
one is null; one with attributes or children is a map, its own text under `_text`; elements that repeat become a list.
A row whose text is no document, or whose document declares entities, passes unchanged.
""",
        examples=(
            Example(
                "Fields of an element",
                "table t | parsexml | fields id, src",
                ({"id": "7", "src": {"t": "ip", "_text": "10.0.0.9"}},),
                {"t": [{"line": '<e><id>7</id><src t="ip">10.0.0.9</src></e>'}]},
            ),
        ),
        ledger=(NOT_XML,),
    )
)
