"""``outputjson``: rows into a file of JSON lines."""

from __future__ import annotations

from logsql.commands._overlay import old_value
from logsql.commands._writing import COMMON, Codes, output_parser, plan_output
from logsql.commands.base import CommandSpec, Example, Group, register
from logsql.commands.tojson import member, rest_members
from logsql.planner import sql
from logsql.planner.relation import Rel
from logsql.planner.sql import Sql
from logsql.planner.stage import Stage, names_of

CODES = Codes("30300", "30301", "30300", "30303", "30304", "30305")


def lower(stage: Stage) -> Rel:
    names = names_of(stage.args.names)

    def line(rel: Rel) -> Sql:
        # Rows whose fields differ are written with the fields each has; otherwise nulls are written too.
        ragged = not names and rel.rest is not None
        pieces = [member(n, old_value(rel, n), always=not ragged) for n in names or rel.names]
        if ragged and rel.rest is not None:
            pieces.append(rest_members(rel.rest))
        body = sql.func("concat_ws", sql.string(","), *pieces) if pieces else sql.string("")
        return sql.concat(sql.string("{"), body, sql.string("}"))

    return plan_output(stage, CODES, line)


register(
    CommandSpec(
        name="outputjson",
        group=Group.OUTPUT,
        summary="Write rows to a file as JSON lines.",
        usage=("outputjson [overwrite=t | append=t] [encoding=CHARSET] [partition=t] PATH [FIELD, ...]",),
        parse=output_parser(CODES, fields_needed=False),
        lower=lower,
        options=COMMON,
        description="""\
One JSON object per row with the listed fields, or with all. Dates are text in the session's zone, binary values
lower-case hex. Paths and options are those of `outputcsv`. The rows pass on to the next command.
""",
        examples=(Example("All fields into a file", 'json "{a: 1}" | outputjson overwrite=t out.json'),),
        errors=(
            ("30300", "missing-field", "no path, or a comma without a field"),
            ("30301", "use-partition-option", "a macro without partition=t, or partition=t without one"),
            ("30303", "file-exists", "the file is there already"),
            ("30304", "choose-overwrite-or-append", "both are asked for"),
        ),
    )
)
