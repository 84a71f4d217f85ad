"""``schema``: fields renamed and ordered by a schema file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import did_you_mean
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.services import PROCEDURES
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage
from udfs.jsontext import loads

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_SCHEMA = define(
    "E3304",
    "schema-not-found",
    ("there is no such file", "그런 파일이 없습니다"),
    ("there is no schema {name}", "스키마가 없습니다: {name}"),
    help=("describe the fields in {name}.json", "{name}.json에 필드를 적으세요"),
)
NO_NAME = NO_SCHEMA.says(
    ("schema needs the name of a schema", "schema에는 스키마 이름이 필요합니다"), help=syntax("schema NAME")
)
_FORM = syntax('{{"fields": ["a", {{"name": "b", "from": "c"}}]}}')
NO_JSON = define(
    "E3305",
    "invalid-schema",
    ("the file is no schema", "스키마 파일이 아닙니다"),
    ("{path}: this is no JSON: {reason}", "{path}: JSON이 아닙니다: {reason}"),
    help=_FORM,
)
NO_LIST = NO_JSON.says(("{path}: there is no list of fields", "{path}: 필드 목록이 없습니다"), help=_FORM)
NO_FIELD = NO_JSON.says(
    ("{path}: {item} is no field, or names one twice", "{path}: 필드가 아니거나 이름이 중복됩니다: {item}"), help=_FORM
)


@dataclass(frozen=True)
class SchemaArgs:
    """The name of the schema."""

    name: Name


def parse(reader: ArgReader) -> SchemaArgs:
    name = reader.word()
    if name is None:
        reader.fail(NO_NAME)
    return SchemaArgs(name)


def lower(stage: Stage) -> Rel:
    name: Name = stage.arguments(SchemaArgs).name
    service = stage.service(PROCEDURES)
    found = service.schema(name.text)
    if found is None:
        stage.fail(NO_SCHEMA, name.span, name=name.text, help=did_you_mean(name.text, service.schemas()))
    fields, others = _fields(stage, found.text, found.path)
    rel = stage.flush(stage.rel)
    rel, values = stage.lowered(rel, lambda cx: {new: cx.field(old) for new, old in fields.items()})
    taken = {old for old in fields.values() if old not in fields}
    for field, value in values.items():
        rel = stage.assign(rel, field, value)
    columns = {c.name: c for c in rel.columns}
    chosen = list(fields) + [n for n in columns if others and n not in fields and n not in taken]
    rest = rel.rest.hide(taken) if rel.rest is not None and others else None
    return replace(rel, columns=tuple(columns[n] for n in chosen), rest=rest)


def _fields(stage: Stage, text: str, path: str) -> tuple[dict[str, str], bool]:
    """New name to old name in order, and whether other fields stay."""

    span = stage.arguments(SchemaArgs).name.span
    try:
        document = loads(text)
    except json.JSONDecodeError as error:
        stage.fail(NO_JSON, span, path=path, reason=error)
    listed = document.get("fields") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed:
        stage.fail(NO_LIST, span, path=path)
    found: dict[str, str] = {}
    for item in listed:
        name = item.get("name") if isinstance(item, dict) else item
        source = item.get("from", name) if isinstance(item, dict) else item
        if not isinstance(name, str) or not isinstance(source, str) or not name or name in found:
            stage.fail(NO_FIELD, span, path=path, item=json.dumps(item))
        found[name] = source
    return found, bool(document.get("others", False))


register(
    CommandSpec(
        name="schema",
        group=Group.SOURCE,
        summary=("Rename and order fields by a schema file.", "스키마 파일에 따라 필드의 이름과 순서를 바꿉니다."),
        usage=("schema NAME",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.Argument(duties.Kind.TEXT),),
        subquery=duties.Subquery.NONE,
        order=duties.KEEPS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PORTABLE,
        twice=False,
        state=duties.RowState.STOPS,
        takes_options=False,
        description="""\
A schema is a file `NAME.json`, searched in the folders given with `--procs`, in `schemas` of the state folder and in
the current directory:

    {"fields": ["_time", {"name": "src_ip", "from": "src"}, {"name": "dst_ip", "from": "dst"}], "others": false}

The rows get the listed fields in this order, those with `from` under a new name. Other fields are removed unless
`others` is true. A field that a row does not have is null.
""",
        examples=(Example("Firewall logs in the names of the house", "table fw | schema paloalto-ngfw-traffic"),),
        errors=(NO_SCHEMA, NO_JSON),
    )
)
