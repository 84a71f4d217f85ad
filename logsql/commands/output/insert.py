"""``insert``: rows into the tables that a field names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from logsql.commands.parse._overlay import carry, old_value
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.losses import loss
from logsql.jobs.storing import TABLE_MISSING, columns_of, missing_table, relation_without, store, stored_fields
from logsql.planner import duties
from logsql.planner.plan import Action
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.store.policy import write_refused
from logsql.values import sql, values
from logsql.values.types import STRING

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime

NO_TABLE_NAME = loss(
    "row-without-table", ("rows whose table name is null or empty: not stored", "테이블 이름이 비어 저장하지 않은 행")
)

NO_FIELD = define(
    "30701",
    "missing-field",
    ("table= is missing", "table=이 없습니다"),
    ("insert needs the field that names the table", "insert에는 테이블 이름이 담긴 필드가 필요합니다"),
    help=syntax("insert table=FIELD"),
)


def parse(reader: ArgReader) -> None:
    if reader.option("table") is None:
        reader.fail(NO_FIELD)
    return None


def check(runtime: ActionRuntime) -> None:
    """Refuse before any row is read when the policy allows no writing."""
    if not runtime.policy.may_write(runtime.database.path):
        raise write_refused("tables of the database")


def lower(stage: Stage) -> Rel:
    field, create = stage.option("table"), stage.option("create")
    stage.chain.steps.insert(0, Action("check that rows may be stored", check))
    rel = stage.flush(stage.rel)
    rel, (route,) = carry(stage, rel, ("__table", values.text_sql(old_value(rel, field)), STRING))
    rel = stage.materialise(rel, "insert")

    def run(runtime: ActionRuntime) -> None:
        group = exp.Group(expressions=[sql.col(route)])
        names = sql.select([sql.col(route), sql.func("count")], sql.table(rel.source), group=group)
        bare = relation_without(rel, field)
        fields = stored_fields(runtime, bare)
        tables: dict[str, list[str]] = {}
        for name, count in sorted(runtime.execute(names), key=lambda row: str(row[0])):
            if name is None or name == "":
                runtime.loss.lost(f"insert table={field}", NO_TABLE_NAME.name, int(count))
            else:
                tables.setdefault(name.lower(), []).append(str(name))
        if not create:  # all tables are there before the first row is stored, so a wrong name stores nothing
            for spellings in tables.values():
                if columns_of(runtime, spellings[0]) is None:
                    missing_table(runtime, spellings[0])
        for spellings in tables.values():
            chosen = sql.in_(sql.col(route), [sql.string(name) for name in spellings])
            store(runtime, bare, fields, spellings[0], create, chosen)

    stage.action(f"insert by {field}", run)
    return replace(rel, carried=tuple(c for c in rel.carried if c.ident != route))


register(
    CommandSpec(
        name="insert",
        group=Group.OUTPUT,
        summary=("Store rows in the tables that a field names.", "필드에 적힌 이름의 테이블에 행을 저장합니다."),
        usage=("insert table=FIELD [create=t]",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec("table", OptionKind.FIELD, ("the field whose value is the table", "테이블 이름이 든 필드")),
            OptionSpec(
                "create",
                OptionKind.BOOL,
                ("t makes tables that are not there", "t면 없는 테이블을 만듦"),
                default=False,
            ),
        ),
        description="""\
Every row goes to the table named by the field (letter case is ignored); the field itself is not stored. Rows where it
is null or empty are not stored and are counted in the ledger. Columns are found by name; fields a table lacks become
new columns. A value that does not fit the type of its column is stored as null and counted.

A name of which there is no table is an error before any row is stored; `create=t` makes the table instead. The rows
pass on with all their fields.
""",
        examples=(
            Example(
                "Sort mixed logs into a table per kind",
                "table raw | insert create=t table=kind",
                ({"kind": "fw", "src": "10.0.0.1"}, {"kind": "web", "src": "10.0.0.2"}),
                {"raw": [{"kind": "fw", "src": "10.0.0.1"}, {"kind": "web", "src": "10.0.0.2"}]},
            ),
        ),
        errors=(
            NO_FIELD,
            TABLE_MISSING.when(
                ("a table is not there and create=t is not written", "테이블이 없고 create=t도 없습니다")
            ),
        ),
        ledger=(NO_TABLE_NAME,),
    )
)
