"""``outputcsv``: rows as a CSV or TSV file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from logsql.commands.output._outputs import OutputForm, output_codes, register_output
from logsql.planner.spec import Example, OptionKind, OptionSpec
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.jobs.outputs import Lines


def _mark(stage: Stage) -> str:
    return "\t" if stage.option("tab") else ","


def _layout(stage: Stage) -> tuple[Lines, Callable[[Sequence[str]], str] | None] | None:
    """Lines and header of a layout of another program, where one is asked for."""
    if (layout := stage.option("form")) is None:
        return None
    from logsql.render import timelines  # for cost: pyarrow.compute

    if layout == "bodyfile":
        return timelines.bodyfile_lines, None
    return timelines.l2t_lines, timelines.l2t_header


def lines(stage: Stage) -> Lines:
    if (layout := _layout(stage)) is not None:
        return layout[0]
    from logsql.jobs.outputs import csv_lines  # for cost: pyarrow.compute and regex

    return csv_lines(_mark(stage))


def header(stage: Stage) -> Callable[[Sequence[str]], str] | None:
    if (layout := _layout(stage)) is not None:
        return layout[1]
    from logsql.render.csv import csv_header  # for cost: pyarrow.compute

    mark = _mark(stage)
    return lambda names: csv_header(mark, names)


#: The fields of a timeline, which the layouts of other programs are made of.
TIMELINE = ("_time", "source", "action", "path", "detail", "_path")
LAYOUT = OptionSpec(
    "form",
    OptionKind.CHOICE,
    ("write a timeline for another program", "타임라인을 다른 프로그램의 형식으로 씀"),
    choices=("bodyfile", "l2tcsv"),
    extension=True,
)
FORM = OutputForm(
    output_codes("30200", "30201", "30202", "30203", "30204", "30205", "30206", "30207", fields_required=True),
    True,
    lines,
    header,
    layout=("form", TIMELINE),
)

register_output(
    "outputcsv",
    FORM,
    ("Write rows to a CSV file.", "행을 CSV 파일에 씁니다."),
    "outputcsv [OPTIONS] PATH FIELD[, ...]",
    """\
Writes the listed fields: first a line with their names, then one line per row. Every cell stands in double quotes, a
quote inside is doubled, null is an empty cell. `tab=t` puts tabs between the cells instead of commas. A file that is
added to (`append=t`) gets no second header.

`form=bodyfile` writes the rows of `timeline` as a body file for mactime (Sleuth Kit 3), `form=l2tcsv` as
the seventeen fields of log2timeline's l2t_csv in UTC. Both take `_time`, `source`, `action`, `path`, `detail` and
`_path`; no fields are listed. An action that is not created, modified, accessed or record changed counts as modified.
""",
    (
        Example("Keep the source and target of every connection", "table fw | outputcsv ippair.csv src_ip, dst_ip"),
        Example(
            "One file per day for a spreadsheet in Korea",
            "table fw | outputcsv partition=t overwrite=t encoding=MS949 out/{logtime:yyyy-MM-dd}.csv _time, src_ip",
        ),
    ),
    (
        OptionSpec("tab", OptionKind.BOOL, ("tabs between the cells", "셀을 탭으로 구분"), default=False),
        LAYOUT,
    ),
)
