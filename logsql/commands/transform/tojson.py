"""``tojson``: fields as JSON text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define
from logsql.language.tree import Command, Name
from logsql.operators.merging import rest_document
from logsql.planner import duties
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Rel, Rest
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY, STRING, Kind
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


def member(name: str, value: Typed, always: bool) -> Sql:
    """``"name":value`` as text; null when the value is null, unless nulls are written too."""
    key = json.dumps(name, ensure_ascii=False) + ":"
    if value.kind is Kind.NULL:
        return sql.string(key + "null") if always else sql.null("VARCHAR")
    text = sql.cast(document(value), "VARCHAR")
    if always:
        text = sql.case([(values.not_null(value), text)], sql.string("null"))
    elif value.type.json or value.parts:
        text = sql.when(values.not_null(value), text)
    return sql.concat(sql.string(key), text)


def document(value: Typed) -> Sql:
    """The value as JSON; dates and binary as text, in lists too."""
    element = value.type.element
    if value.kind is Kind.LIST and element is not None and element.kind in (Kind.DATE, Kind.BINARY, Kind.ANY):
        body = document(Typed(sql.var("e"), element))
        return sql.func("to_json", sql.func("list_transform", value.expr, sql.lambda_(["e"], body)))
    if value.kind is Kind.ANY and value.type.variant and not value.parts:
        kind = sql.func("variant_typeof", value.expr)
        special = sql.in_(kind, [sql.string("BLOB"), sql.string("TIMESTAMP_MICROS_TZ")])
        text = sql.func("to_json", values.text_sql(Typed(value.expr, ANY)))
        return sql.case([(special, text)], sql.func("to_json", value.expr))
    if value.parts:
        return sql.case([(values.not_null(p), document(p)) for p in value.parts])
    return values.to_json(value)


def rest_members(rest: Rest) -> Sql:
    """The members of an open row's document, without its braces and without nulls; null when there are none."""
    text = sql.cast(rest_document(rest, None, rest.hidden, drop_nulls=True), "VARCHAR")
    inner = sql.func(
        "substring", text, sql.integer(2), sql.binary("-", sql.func("length", text.copy()), sql.integer(2))
    )
    return sql.func("nullif", inner, sql.string(""))


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
