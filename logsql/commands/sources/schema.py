"""``schema``: fields renamed and ordered by a schema file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from logsql.diagnostics.errors import did_you_mean
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.services import PROCEDURES
from logsql.planner.spec import CommandSpec, Example, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class SchemaArgs:
    """The name of the schema."""

    name: Name


def parse(reader: ArgReader) -> SchemaArgs:
    name = reader.word()
    if name is None:
        reader.fail("E3304", "schema-not-found", "schema needs the name of a schema", help="schema NAME")
    return SchemaArgs(name)


def lower(stage: Stage) -> Rel:
    name: Name = stage.arguments(SchemaArgs).name
    service = stage.service(PROCEDURES)
    found = service.schema(name.text)
    if found is None:
        near = did_you_mean(name.text, service.schemas()) or f"describe the fields in {name.text}.json"
        stage.fail("E3304", "schema-not-found", f"there is no schema {name.text}", name.span, near)
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

    def bad(message: str) -> NoReturn:
        stage.fail(
            "E3305",
            "invalid-schema",
            f"{path}: {message}",
            stage.arguments(SchemaArgs).name.span,
            '{"fields": ["a", {"name": "b", "from": "c"}]}',
        )

    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        bad(f"this is no JSON: {error}")
    listed = document.get("fields") if isinstance(document, dict) else None
    if not isinstance(listed, list) or not listed:
        bad("there is no list of fields")
    found: dict[str, str] = {}
    for item in listed:
        name = item.get("name") if isinstance(item, dict) else item
        source = item.get("from", name) if isinstance(item, dict) else item
        if not isinstance(name, str) or not isinstance(source, str) or not name or name in found:
            bad(f"{json.dumps(item)} is no field, or names one twice")
        found[name] = source
    return found, bool(document.get("others", False))


register(
    CommandSpec(
        name="schema",
        group=Group.SOURCE,
        summary="Rename and order fields by a schema file.",
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
        errors=(
            ("E3304", "schema-not-found", "there is no such file"),
            ("E3305", "invalid-schema", "the file is no schema"),
        ),
    )
)
