"""``outputcsv``: rows into a CSV or TSV file."""

from __future__ import annotations

from logsql.commands._overlay import old_value
from logsql.commands._writing import COMMON, Codes, output_parser, plan_output
from logsql.commands.base import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner import sql, values
from logsql.planner.relation import Rel
from logsql.planner.sql import Sql
from logsql.planner.stage import Stage, names_of
from logsql.planner.values import Typed

CODES = Codes("30200", "30201", "30202", "30203", "30205", "30204")


def lower(stage: Stage) -> Rel:
    names = names_of(stage.args.names)
    delimiter = "\t" if stage.option("tab") else ","
    header = delimiter.join('"' + name.replace('"', '""') + '"' for name in names)

    def line(rel: Rel) -> Sql:
        return sql.concat(*_joined([cell(old_value(rel, name)) for name in names], delimiter))

    return plan_output(stage, CODES, line, header)


def cell(value: Typed) -> Sql:
    """The value's text in quotes; null is the empty text."""
    text = sql.coalesce(values.text_sql(value), sql.string(""))
    doubled = sql.func("replace", text, sql.string('"'), sql.string('""'))
    return sql.concat(sql.string('"'), doubled, sql.string('"'))


def _joined(cells: list[Sql], delimiter: str) -> list[Sql]:
    out: list[Sql] = []
    for number, node in enumerate(cells):
        if number:
            out.append(sql.string(delimiter))
        out.append(node)
    return out


register(
    CommandSpec(
        name="outputcsv",
        group=Group.OUTPUT,
        summary="Write rows to a CSV file.",
        usage=("outputcsv [overwrite=t | append=t] [tab=t] [bom=t] [encoding=CHARSET] [partition=t] PATH FIELD, ...",),
        parse=output_parser(CODES, fields_needed=True),
        lower=lower,
        options=(*COMMON, OptionSpec("tab", OptionKind.BOOL, "t separates by tabs", default=False)),
        description="""\
A header line and one line per row; every cell stands in double quotes, null is empty. An existing file is an error
without `overwrite=t` or `append=t`. The file appears when it is complete. The rows pass on to the next command.

With `partition=t` the path holds `{logtime:FORMAT}`, the row's `_time`, or `{now:FORMAT}`: rows go to the files that
the path gives, and folders are made as needed.
""",
        examples=(
            Example(
                "Two columns into a file",
                'json "{a: 1, b: 2}" | outputcsv overwrite=t out.csv a, b',
            ),
        ),
        errors=(
            ("30200", "missing-field", "a comma without a field"),
            ("30201", "use-partition-option", "a macro without partition=t, or partition=t without one"),
            ("30202", "missing-field", "no path or no fields"),
            ("30203", "file-exists", "the file is there already"),
            ("30204", "unsupported-encoding", "unknown charset"),
            ("30205", "choose-overwrite-or-append", "both are asked for"),
        ),
    )
)
