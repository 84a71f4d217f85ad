"""``import``: rows into a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.errors import did_you_mean
from logsql.jobs.storing import COLUMN_NAME, TABLE_MISSING, store, stored_fields
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import ActionRuntime

ONE_TABLE = TABLE_MISSING.says(
    ("import needs the name of one table", "import에는 테이블 이름 하나가 필요합니다"), help=syntax("import TABLE")
)
NO_TABLE = TABLE_MISSING.says(
    ("there is no table {table}", "테이블이 없습니다: {table}"),
    help=("import create=t makes the table", "import create=t로 테이블을 만들 수 있습니다"),
)
NOT_A_TABLE = define(
    "30102",
    "not-a-table",
    ("the name is a view or a registered object", "뷰이거나 등록된 객체의 이름입니다"),
    (
        "{table} is a view or a registered object: rows cannot be stored there",
        "{table}은(는) 뷰이거나 등록된 객체여서 행을 저장할 수 없습니다",
    ),
)


@dataclass(frozen=True)
class ImportArgs:
    """The table to fill."""

    table: Name


def parse(reader: ArgReader) -> ImportArgs:
    names = reader.name_list()
    if len(names) != 1:
        reader.fail(ONE_TABLE)
    return ImportArgs(names[0])


def lower(stage: Stage) -> Rel:
    table: Name = stage.arguments(ImportArgs).table
    create = stage.option("create")
    known = stage.catalog.table(table.text)
    if known is None and not create:
        near = did_you_mean(table.text, stage.catalog.tables())
        stage.fail(NO_TABLE, table.span, table=table.text, help=near)
    if known is not None and not known.has_rowid:
        stage.fail(NOT_A_TABLE, table.span, table=table.text)
    rel = stage.materialise(stage.rel, "import")

    def run(runtime: ActionRuntime) -> None:
        store(runtime, rel, stored_fields(runtime, rel), known.name if known is not None else table.text, create)

    stage.action(f"import into {table.text}", run)
    return rel


register(
    CommandSpec(
        name="import",
        group=Group.OUTPUT,
        summary=("Store rows in a table.", "행을 테이블에 저장합니다."),
        usage=("import [create=t] TABLE",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.Argument(duties.Kind.TABLE),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.ROW_WISE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(
            OptionSpec(
                "create",
                OptionKind.BOOL,
                ("t makes the table when there is none", "t면 테이블이 없을 때 만듦"),
                default=False,
            ),
        ),
        description="""\
Appends the rows to a table of the database and passes them on. Columns are found by name; fields the table lacks
become new columns. A value that does not fit the type of its column is stored as null and counted in the ledger.
Either all rows are stored or none.
""",
        errors=(TABLE_MISSING, NOT_A_TABLE, COLUMN_NAME),
    )
)
