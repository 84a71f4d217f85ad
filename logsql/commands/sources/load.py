"""``load``: a saved result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._files import path_text
from logsql.commands.sources._tables import scan_table
from logsql.language.tree import Call, Text
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader


@dataclass(frozen=True)
class LoadArgs:
    """Name of a saved result, or the path of a Parquet file."""

    path: Text | Call


def parse(reader: ArgReader) -> LoadArgs:
    if reader.at_end():
        reader.fail("11200", "saved-result-not-found", "load needs the name of a saved result", help="load NAME")
    return LoadArgs(reader.path())


def lower(stage: Stage) -> Rel:
    name = path_text(stage, stage.arguments(LoadArgs).path)
    info = stage.catalog.saved(name)
    if info is None:
        help_text = "results are saved with \\save NAME in the shell; a Parquet file is loaded by its path"
        message = f"there is no saved result {name}"
        stage.fail("11200", "saved-result-not-found", message, stage.arguments(LoadArgs).path.span, help_text)
    return scan_table(stage, info)


register(
    CommandSpec(
        name="load",
        group=Group.SOURCE,
        summary="Read a saved result.",
        usage=("load NAME",),
        parse=parse,
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.DUCKDB,
        twice=False,
        state=duties.RowState.STOPS,
        description="""\
Reads the rows of a result that was saved under this name or GUID, in their order. A path of a Parquet file does as
well.
""",
        errors=(
            ("11200", "saved-result-not-found", "there is no such result"),
            ("11201", "saved-result-not-readable", "the file is no Parquet file"),
        ),
    )
)
