"""``textfile``: the lines of text files."""

from __future__ import annotations

from logsql.commands.sources._files import LIMIT, OFFSET, PATHS, all_options, open_files, path_parser, scan_source
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage


def lower(stage: Stage) -> Rel:
    options = all_options(stage)
    for name in ("brex", "erex", "dp"):
        if isinstance(pattern := options[name], str):
            _check_pattern(stage, name, pattern)
    if (options["dp"] is None) != (options["df"] is None):
        stage.fail("90001", "invalid-option", "dp= finds the text of the time and df= reads it: write both")
    if isinstance(form := options["df"], str):
        _check_date(stage, form)
    return scan_source(stage, open_files(stage, options))


def _check_pattern(stage: Stage, name: str, pattern: str) -> None:
    from udfs.java.javaregex import RegexSyntaxError, classify  # for cost: Arrow

    option = stage.command.option(name)
    try:
        classify(pattern, named_only=False)
    except RegexSyntaxError as problem:
        message = f"{name}= is no regular expression: {problem}"
        stage.fail("90001", "invalid-option", message, option.value_span if option else None)


def _check_date(stage: Stage, pattern: str) -> None:
    from udfs.java.dates import DatePatternError, compile_pattern  # for cost: Arrow

    option = stage.command.option("df")
    try:
        compile_pattern(pattern)
    except DatePatternError as problem:
        message = f"df= is no date format: {problem}"
        stage.fail("90820", "invalid-date-format-pattern", message, option.value_span if option else None)


register(
    CommandSpec(
        name="textfile",
        group=Group.SOURCE,
        summary="Read text files line by line.",
        usage=(
            'textfile [brex="REGEX"] [erex="REGEX"] [dp="REGEX" df="FORMAT"] [cs=CHARSET] [limit=N] [offset=N] PATH',
        ),
        parse=path_parser("10702"),
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec("udfs.readers.textfile:TextFileReader", code="10700"),
        options=(
            OptionSpec("brex", OptionKind.REGEX, "a line that matches begins a record; others are joined to it"),
            OptionSpec("erex", OptionKind.REGEX, "a line that matches ends a record"),
            OptionSpec("dp", OptionKind.REGEX, "finds the text of the time; groups are joined"),
            OptionSpec("df", OptionKind.TEXT, "reads that text into _time (SimpleDateFormat)"),
            OptionSpec("cs", OptionKind.TEXT, "charset of the file", default="utf-8"),
            LIMIT,
            OFFSET,
        ),
        description=f"""\
One row per line in `line`. `_time` is what `dp` and `df` find, else the time of reading; a line without a time gets
null and is counted in the ledger. Bytes that are no text become U+FFFD and are counted too. Gzip and zstd files are
unpacked.

{PATHS}
""",
        examples=(
            Example(
                "Failed logins",
                'textfile sample_data/auth.log | search line == "*Failed password*" | limit 1 | stats count',
                ({"count": 1},),
            ),
        ),
        errors=(
            ("10700", "file-not-found", "the file does not exist"),
            ("10702", "missing-field", "no path is written"),
            ("90820", "invalid-date-format-pattern", "df= is no date format"),
        ),
    )
)
