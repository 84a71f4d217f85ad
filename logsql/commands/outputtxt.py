"""``outputtxt``: rows into a text file."""

from __future__ import annotations

from logsql.commands._overlay import old_value
from logsql.commands._writing import COMMON, Codes, output_parser, plan_output
from logsql.commands.base import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner import sql, values
from logsql.planner.relation import Rel
from logsql.planner.sql import Sql
from logsql.planner.stage import Stage, names_of

CODES = Codes("30400", "30401", "30402", "30404", "30407", "30405")


def lower(stage: Stage) -> Rel:
    names = names_of(stage.args.names)
    delimiter = stage.option("delimiter")

    def line(rel: Rel) -> Sql:
        texts = [sql.coalesce(values.text_sql(old_value(rel, name)), sql.string("")) for name in names]
        return sql.func("concat_ws", sql.string(delimiter), *texts)

    return plan_output(stage, CODES, line, compressed=stage.option("gz"))


register(
    CommandSpec(
        name="outputtxt",
        group=Group.OUTPUT,
        summary="Write rows to a text file.",
        usage=(
            'outputtxt [overwrite=t | append=t] [delimiter=" "] [gz=t] [encoding=CHARSET] [partition=t] '
            "PATH FIELD, ...",
        ),
        parse=output_parser(CODES, fields_needed=True),
        lower=lower,
        options=(
            *COMMON,
            OptionSpec("delimiter", OptionKind.TEXT, "the text between fields", default=" "),
            OptionSpec("gz", OptionKind.BOOL, "t writes a gzip file", default=False),
        ),
        description="""\
One line per row: the texts of the fields with the delimiter between them, null as empty text. Paths and the other
options are those of `outputcsv`. The rows pass on to the next command.
""",
        examples=(Example("Lines into a file", "json \"{line: 'a b'}\" | outputtxt overwrite=t out.txt line"),),
        errors=(
            ("30400", "missing-field", "a comma without a field"),
            ("30401", "use-partition-option", "a macro without partition=t, or partition=t without one"),
            ("30402", "missing-field", "no path or no fields"),
            ("30404", "file-exists", "the file is there already"),
            ("30407", "choose-overwrite-or-append", "both are asked for"),
        ),
    )
)
