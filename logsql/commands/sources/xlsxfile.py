"""``xlsxfile``: a sheet of an Excel workbook."""

from __future__ import annotations

from logsql.commands.sources._files import LIMIT, OFFSET, PATHS, all_options, open_files, path_parser, scan_source
from logsql.diagnostics.extras import PACKAGE_MISSING
from logsql.diagnostics.paths import FILE_ERROR, MISSING_PATH
from logsql.diagnostics.unreadable import NO_SHEET, NOT_XLSX
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from udfs.readers.artefacts import Artefact, Known


def lower(stage: Stage) -> Rel:
    stage.needs_extra("xlsxfile", "python-calamine", "xlsx", module="python_calamine")
    options = all_options(stage)
    return scan_source(stage, open_files(stage, options))


ARTEFACT = Artefact((Known("workbook", r"\.xls[xmb]?$"),))

register(
    CommandSpec(
        name="xlsxfile",
        group=Group.SOURCE,
        summary=("Read a sheet of an Excel workbook.", "Excel 통합 문서의 시트를 읽습니다."),
        usage=("xlsxfile [sheet=NAME] [skip=N] [offset=N] [limit=N] PATH",),
        parse=path_parser(MISSING_PATH),
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec("udfs.readers.xlsx:XlsxReader", suffixes=(".xlsx", ".xls"), artefact=ARTEFACT),
        extra="xlsx",
        options=(
            OptionSpec(
                "sheet",
                OptionKind.TEXT,
                ("name of the sheet; the first when it is not given", "시트 이름. 생략하면 첫 시트"),
            ),
            OptionSpec(
                "skip", OptionKind.INT, ("rows above the header", "헤더 위에서 건너뛸 행 수"), default=0, minimum=0
            ),
            OFFSET,
            LIMIT,
        ),
        description=f"""\
The first row (behind `skip` rows) names the fields. Numbers, dates and truth values keep their types; a column with
several types keeps the type of each cell.

{PATHS}
""",
        errors=(
            FILE_ERROR,
            NOT_XLSX,
            NO_SHEET,
            PACKAGE_MISSING,
        ),
    )
)
