"""``outputtxt``: rows as a text file with a delimiter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.output._outputs import OutputForm, output_codes, register_output
from logsql.planner.spec import Example, OptionKind, OptionSpec
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.jobs.outputs import Lines


def lines(stage: Stage) -> Lines:
    from logsql.jobs.outputs import txt_lines  # for cost: pyarrow.compute and regex

    return txt_lines(stage.option("delimiter"))


FORM = OutputForm(
    output_codes("30400", "30401", "30402", "30404", "30405", "30407", "30406", "30403", fields_required=True),
    True,
    lines,
    gz=True,
)

register_output(
    "outputtxt",
    FORM,
    ("Write rows to a text file.", "행을 텍스트 파일에 씁니다."),
    "outputtxt [OPTIONS] PATH FIELD[, ...]",
    """\
Writes the texts of the listed fields, one line per row, with `delimiter` between them. Nothing is quoted: a delimiter
or line break inside a value stands in the file as it is. Null is written as nothing. `gz=t` compresses; what is
appended to a compressed file is read as one with it.
""",
    (
        Example("Keep the raw lines", "table fw | outputtxt fw.log line"),
        Example("Compressed, with bars", 'table fw | outputtxt gz=t delimiter="|" pairs.gz src_ip, dst_ip'),
    ),
    (
        OptionSpec("delimiter", OptionKind.TEXT, ("text between the fields", "필드 사이에 넣을 텍스트"), default=" "),
        OptionSpec("gz", OptionKind.BOOL, ("compress with gzip", "gzip으로 압축"), default=False),
    ),
)
