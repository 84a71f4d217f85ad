"""``outputjson``: rows as a file of JSON lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logsql.commands.output._outputs import OutputForm, output_codes, register_output
from logsql.planner.spec import Example
from logsql.planner.stage import Stage

if TYPE_CHECKING:
    from logsql.jobs.outputs import Lines


def lines(stage: Stage) -> Lines:
    from logsql.jobs.outputs import json_lines  # for cost: pyarrow.compute and regex

    return json_lines


FORM = OutputForm(
    output_codes("30300", "30301", "30302", "30303", "30305", "30304", "30306", "30307", fields_required=False),
    False,
    lines,
)

register_output(
    "outputjson",
    FORM,
    ("Write rows to a file, one JSON object per line.", "행을 한 줄에 JSON 객체 하나씩 파일에 씁니다."),
    "outputjson [OPTIONS] PATH [FIELD, ...]",
    """\
Writes the listed fields, or all: `{"a":1,"b":null}` per row, compact, keys in the order of the fields, with nulls. No
number loses digits. Fields that are known only at run time (`parsejson` and its relatives, `pivot`) are written too, in
every row.
""",
    (
        Example("Keep all fields of the errors", "table web | search status >= 500 | outputjson errors.json"),
        Example("Add today's to the file of the month", "table web | outputjson append=t month.json _time, path"),
    ),
)
