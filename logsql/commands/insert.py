"""``insert``: rows into the tables that a field names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from logsql.commands._overlay import carry, old_value
from logsql.commands._storing import relation_without, store, stored_fields
from logsql.commands.base import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner import sql, values
from logsql.planner.relation import Rel
from logsql.planner.stage import Stage
from logsql.planner.types import STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


def parse(reader: ArgReader) -> None:
    if reader.option("table") is None:
        reader.fail("30701", "missing-field", "insert needs the field that names the table", help="insert table=FIELD")
    return None


def lower(stage: Stage) -> Rel:
    field, create = stage.option("table"), stage.option("create")
    rel = stage.flush(stage.rel)
    rel, (route,) = carry(stage, rel, ("__table", values.text_sql(old_value(rel, field)), STRING))
    rel = stage.materialise(rel, "insert")

    def run(runtime: Any) -> None:
        group = exp.Group(expressions=[sql.col(route)])
        names = sql.select([sql.col(route), sql.func("count")], sql.table(rel.source), group=group)
        bare = relation_without(rel, field)
        fields = stored_fields(runtime, bare)
        for name, count in sorted(runtime.execute(names), key=lambda row: str(row[0])):
            if name is None or name == "":
                runtime.loss.lost(f"insert table={field}", "row-without-table", int(count))
                continue
            store(runtime, bare, fields, str(name), create, sql.eq(sql.col(route), sql.string(str(name))))

    stage.action(f"insert by {field}", run)
    return replace(rel, carried=tuple(c for c in rel.carried if c.ident != route))


register(
    CommandSpec(
        name="insert",
        group=Group.OUTPUT,
        summary="Store rows in the tables that a field names.",
        usage=("insert table=FIELD [create=t]",),
        parse=parse,
        lower=lower,
        options=(
            OptionSpec("table", OptionKind.FIELD, "the field whose value is the table"),
            OptionSpec("create", OptionKind.BOOL, "t makes tables that are not there", default=False),
        ),
        description="""\
Every row goes to the table named by the field; the field itself is not stored. A row where it is null is not stored
and is counted in the ledger. Otherwise as `import`. The rows pass on.
""",
        errors=(
            ("30701", "missing-field", "table= is missing"),
            ("30101", "import-table-not-found", "a table is not there and create=t is not written"),
        ),
    )
)
