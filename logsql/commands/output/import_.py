"""``import``: rows into a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logsql.diagnostics.errors import did_you_mean
from logsql.jobs.storing import store, stored_fields
from logsql.language.tree import Name
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

_MISSING = ("30101", "import-table-not-found")


@dataclass(frozen=True)
class ImportArgs:
    """The table to fill."""

    table: Name


def parse(reader: ArgReader) -> ImportArgs:
    names = reader.name_list()
    if len(names) != 1:
        reader.fail(*_MISSING, "import needs the name of one table", help="import TABLE")
    return ImportArgs(names[0])


def lower(stage: Stage) -> Rel:
    table: Name = stage.arguments(ImportArgs).table
    create = stage.option("create")
    known = stage.catalog.table(table.text)
    if known is None and not create:
        help_text = did_you_mean(table.text, stage.catalog.tables()) or "import create=t makes the table"
        stage.fail(*_MISSING, f"there is no table {table.text}", table.span, help_text)
    if known is not None and not known.has_rowid:
        message = f"{table.text} is a view or a registered object: rows cannot be stored there"
        stage.fail("30102", "not-a-table", message, table.span)
    rel = stage.materialise(stage.rel, "import")

    def run(runtime: Any) -> None:
        store(runtime, rel, stored_fields(runtime, rel), known.name if known is not None else table.text, create)

    stage.action(f"import into {table.text}", run)
    return rel


register(
    CommandSpec(
        name="import",
        group=Group.OUTPUT,
        summary="Store rows in a table.",
        usage=("import [create=t] TABLE",),
        parse=parse,
        lower=lower,
        fields=duties.WHOLE_ROW,
        arguments=(duties.Argument(duties.Kind.TABLE),),
        subquery=duties.Subquery.NONE,
        order=duties.NEEDS_ORDER,
        stream=duties.InStream.BARRIER,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        options=(OptionSpec("create", OptionKind.BOOL, "t makes the table when there is none", default=False),),
        description="""\
Appends the rows to a table of the database and passes them on. Columns are found by name; fields the table lacks
become new columns. A value that does not fit the type of its column is stored as null and counted in the ledger.
Either all rows are stored or none.
""",
        errors=(
            (*_MISSING, "there is no such table"),
            ("30102", "not-a-table", "the name is a view or a registered object"),
            ("30103", "invalid-column-name", "two fields differ only in letter case"),
        ),
    )
)
