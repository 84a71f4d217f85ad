"""``tojson``: fields as JSON text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define
from logsql.language.tree import Command, Name
from logsql.operators.documents import member, rest_members
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

MISSING_FIELD = define("22300", "missing-field", ("a comma without a field", "쉼표 옆에 필드가 없습니다"))


@dataclass(frozen=True)
class ToJsonArgs:
    """Fields to write; () for all."""

    names: tuple[Name, ...]


def parse(reader: ArgReader) -> ToJsonArgs:
    return ToJsonArgs(tuple(reader.name_list(blanks=True, trailing_comma=MISSING_FIELD)))


def lower(stage: Stage) -> Rel:
    args = stage.arguments(ToJsonArgs)
    rel = stage.rel
    names = names_of(args.names)
    if not names and rel.rest is not None:
        rel = stage.flush(rel)

    def make(cx: ExprContext) -> Sql:
        pieces = [member(n, cx.field(n), always=bool(names)) for n in names or rel.names]
        if not names and rel.rest is not None:
            pieces.append(rest_members(rel.rest))
        body = sql.func("concat_ws", sql.string(","), *pieces) if pieces else sql.string("")
        return sql.concat(sql.string("{"), body, sql.string("}"))

    rel, text = stage.lowered(rel, make)
    return stage.assign(rel, stage.option("output"), Typed(text, STRING))


def duty(command: Command) -> duties.Fields:
    """The fields written, or all."""
    return duties.PASSES if command.args.names else duties.WHOLE_ROW


register(
    CommandSpec(
        name="tojson",
        group=Group.TRANSFORM,
        summary=("Write fields as JSON text into a field.", "필드들을 JSON 텍스트로 만들어 한 필드에 넣습니다."),
        usage=("tojson [output=_json] [NAME, ...]",),
        parse=parse,
        lower=lower,
        fields=duty,
        arguments=(duties.FIELD_LIST,),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "output",
                OptionKind.FIELD,
                ("the field that takes the text", "텍스트를 담을 필드"),
                default="_json",
                reads=False,
            ),
        ),
        description="""\
Without names all fields that are not null are written; listed fields are written with their nulls. Dates are written as
`yyyy-MM-dd HH:mm:ss+ZZZZ`, binary values as lower-case hex.
""",
        examples=(
            Example(
                "A row as JSON",
                "table t | tojson | fields _json",
                ({"_json": '{"user":"bob","port":22}'},),
                {"t": [{"user": "bob", "port": 22, "note": None}]},
            ),
            Example(
                "Chosen fields, nulls too",
                "table t | tojson output=doc note, port | fields doc",
                ({"doc": '{"note":null,"port":22}'},),
                {"t": [{"user": "bob", "port": 22, "note": None}]},
            ),
        ),
        errors=(MISSING_FIELD,),
    )
)
