"""``load``: a saved result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logsql.commands.sources._files import path_text
from logsql.commands.sources._tables import scan_table
from logsql.diagnostics.codes import define, syntax
from logsql.diagnostics.kept import RESULT_NOT_READABLE
from logsql.language.tree import Call, Text
from logsql.planner import duties
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, register
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.language.reader import ArgReader

NO_RESULT = define(
    "11200",
    "saved-result-not-found",
    ("there is no such result", "그런 결과가 없습니다"),
    ("there is no saved result {name}", "저장된 결과가 없습니다: {name}"),
    help=(
        "results are saved with \\save NAME in the shell, --keep NAME with -q, save() in Python; "
        "a Parquet file is loaded by its path",
        "결과는 셸의 \\save NAME, -q의 --keep NAME, Python의 save()로 저장합니다. Parquet 파일은 경로로 불러옵니다",
    ),
)
NO_NAME = NO_RESULT.says(
    ("load needs the name of a saved result", "load에는 저장된 결과의 이름이 필요합니다"), help=syntax("load NAME")
)


@dataclass(frozen=True)
class LoadArgs:
    """Name of a saved result, or the path of a Parquet file."""

    path: Text | Call


def parse(reader: ArgReader) -> LoadArgs:
    if reader.at_end():
        reader.fail(NO_NAME)
    return LoadArgs(reader.path())


def lower(stage: Stage) -> Rel:
    name = path_text(stage, stage.arguments(LoadArgs).path)
    info = stage.catalog.saved(name)
    if info is None:
        stage.fail(NO_RESULT, stage.arguments(LoadArgs).path.span, name=name)
    return scan_table(stage, info)


register(
    CommandSpec(
        name="load",
        group=Group.SOURCE,
        summary=("Read a saved result.", "저장된 쿼리 결과를 읽습니다."),
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
        errors=(NO_RESULT, RESULT_NOT_READABLE),
    )
)
