"""``signature``: the special characters of a line."""

from __future__ import annotations

from logsql.commands.output.drop import parse
from logsql.language.tree import Call, Field
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

_CALL = Call("signature", (Field("line"),))


def lower(stage: Stage) -> Rel:
    rel, [value] = stage.lower(stage.rel, _CALL)
    return stage.assign(rel, "signature", value)


register(
    CommandSpec(
        name="signature",
        group=Group.TRANSFORM,
        summary=(
            "Add the skeleton of special characters of the field line.",
            "line 필드에서 특수 문자만 남긴 시그니처를 추가합니다.",
        ),
        usage=("signature",),
        parse=parse,
        lower=lower,
        fields=duties.Fields(duties.Flow.PASSES, frozenset({"line"}), frozenset({"signature"})),
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
`signature` is `line` without letters and digits and without text between double quotes, of which the closing quote
stays. Lines of one format share a signature: `signature | stats count, first(line) by signature` shows the formats of
a log. Null where `line` is null.
""",
        examples=(
            Example(
                "Formats of a log",
                "table t | signature | stats count by signature",
                ({"signature": "= ", "count": 1}, {"signature": "[] : ", "count": 2}),
                {"t": [{"line": "[a1] ok: 5"}, {"line": "x=1 y"}, {"line": "[b2] no: 77"}]},
            ),
        ),
    )
)
