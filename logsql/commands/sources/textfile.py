"""``textfile``: the lines of text files."""

from __future__ import annotations

from logsql.commands.sources._files import (
    ADDED_ZIP_OPTIONS,
    ENTRIES,
    FOLDERS,
    HOST,
    LIMIT,
    OFFSET,
    PATHS,
    all_options,
    open_text,
    path_parser,
    scan_source,
)
from logsql.diagnostics.codes import define
from logsql.diagnostics.expressions import DATE_PATTERN, DATE_PATTERN_NAME
from logsql.diagnostics.options import INVALID_OPTION
from logsql.diagnostics.paths import NEEDS_PATH, NO_FILE, NO_PATH, PATH_FORM
from logsql.diagnostics.reasons import FRAMES
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.notes import dates
from logsql.planner.relation import LOADED, WRITTEN, Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from udfs.readers.artefacts import Artefact, Known

NOT_FOUND = define("10700", "file-not-found", NO_FILE)
MISSING = define("10702", "missing-field", NO_PATH, NEEDS_PATH, PATH_FORM)
DATE_ALONE = INVALID_OPTION.says(
    (
        "dp= finds the text of the time and df= reads it: write both",
        "dp=은 시간 텍스트를 찾고 df=은 그것을 읽습니다. 둘 다 쓰세요",
    )
)
NO_REGEX = INVALID_OPTION.says(
    ("{option}= is no regular expression: {reason}", "{option}=이 정규표현식이 아닙니다: {reason}")
)
NO_FRAMING = INVALID_OPTION.says(
    (
        "framing= looks for single bytes, and in {charset} a line feed is not one",
        "framing=은 바이트 하나씩 찾는데 {charset}에서는 줄바꿈이 한 바이트가 아닙니다",
    )
)
NO_DATE_FORMAT = DATE_PATTERN.says(
    ("df= is no date format: {reason}", "df=이 날짜 형식이 아닙니다: {reason}"), name=DATE_PATTERN_NAME
)


def lower(stage: Stage) -> Rel:
    options = all_options(stage)
    for name in ("brex", "erex", "dp"):
        if isinstance(pattern := options[name], str):
            _check_pattern(stage, name, pattern)
    if options["framing"] is not None and not _bytewise(charset := str(options["cs"])):
        given = stage.command.option("cs")
        stage.fail(NO_FRAMING, given.value_span if given else None, charset=charset)
    if (options["dp"] is None) != (options["df"] is None):
        stage.fail(DATE_ALONE)
    if isinstance(form := options["df"], str):
        _check_date(stage, form)
        given = stage.command.option("df")
        dates.read_pattern(stage.note, given.value_span if given else stage.command.span, form)
    if options["dp"] is not None:
        return scan_source(stage, *open_text(stage, {**options, "placed": True}))
    # What dates a line that says no year, and tells parsers that ``_time`` is only the time of reading.
    info, unasked = open_text(stage, {**options, "written": True, "placed": True})
    return scan_source(
        stage,
        info,
        (WRITTEN, *unasked),
        {LOADED: "_time", WRITTEN: WRITTEN},
    )


def _bytewise(charset: str) -> bool:
    """Whether line feeds, digits and brackets are the bytes of ASCII; an unknown charset is the reader's to refuse."""
    try:
        return "1 <2>\n".encode(charset) == b"1 <2>\n"
    except (LookupError, ValueError):
        return True


def _check_pattern(stage: Stage, name: str, pattern: str) -> None:
    from udfs.java.javaregex import RegexSyntaxError, classify  # for cost: Arrow

    option = stage.command.option(name)
    try:
        classify(pattern, named_only=False)
    except RegexSyntaxError as problem:
        stage.fail(NO_REGEX, option.value_span if option else None, option=name, reason=problem)


def _check_date(stage: Stage, pattern: str) -> None:
    from udfs.java.dates import DatePatternError, compile_pattern  # for cost: Arrow

    option = stage.command.option("df")
    try:
        compile_pattern(pattern)
    except DatePatternError as problem:
        stage.fail(
            NO_DATE_FORMAT, option.value_span if option else None, help=dates.quoted_letters(pattern), reason=problem
        )


ARTEFACT = Artefact(
    (
        Known("shell history", r"(^|/)\.(bash|zsh|sh|python)_history$"),
        Known("text log", r"\.(log|txt)(\.[0-9]+)?(\.gz)?$", loose=True),
        Known(
            "text log", r"(^|/)(syslog|messages|secure|(auth|kern)\.log|maillog|cron)([.-][0-9]+)?(\.gz)?$", loose=True
        ),
    )
)

register(
    CommandSpec(
        name="textfile",
        group=Group.SOURCE,
        summary=("Read text files line by line.", "텍스트 파일을 한 줄씩 읽습니다."),
        usage=(
            'textfile [brex="REGEX"] [erex="REGEX"] [dp="REGEX" df="FORMAT"] [cs=CHARSET] '
            "[framing=octet|lf|nul|auto] [limit=N] [offset=N] [host=REGEX] PATH",
        ),
        parse=path_parser(MISSING),
        lower=lower,
        fields=duties.STARTS,
        arguments=(duties.PATH,),
        subquery=duties.Subquery.NONE,
        order=duties.SOURCE_ORDER,
        stream=duties.InStream.SOURCE,
        lowering=duties.Lowering.PYTHON,
        twice=False,
        state=duties.RowState.STOPS,
        reads=SourceSpec(
            "udfs.readers.textfile:TextFileReader",
            code=NOT_FOUND.code,
            suffixes=(".txt", ".log", ".log.gz", ".txt.gz"),
            artefact=ARTEFACT,
        ),
        options=(
            *ADDED_ZIP_OPTIONS,
            HOST,
            OptionSpec(
                "brex",
                OptionKind.REGEX,
                (
                    "a line that matches begins a record; others are joined to it",
                    "일치하는 줄에서 레코드가 시작하고 나머지 줄은 그 레코드에 이어 붙임",
                ),
            ),
            OptionSpec(
                "erex", OptionKind.REGEX, ("a line that matches ends a record", "일치하는 줄에서 레코드가 끝남")
            ),
            OptionSpec(
                "dp",
                OptionKind.REGEX,
                ("finds the text of the time; groups are joined", "시각 텍스트를 찾는 정규표현식. 그룹은 이어 붙임"),
            ),
            OptionSpec(
                "df",
                OptionKind.TEXT,
                ("reads that text into _time (SimpleDateFormat)", "그 텍스트를 _time으로 읽는 형식 (SimpleDateFormat)"),
            ),
            OptionSpec("cs", OptionKind.TEXT, ("charset of the file", "파일의 문자 집합"), default="utf-8"),
            OptionSpec(
                "framing",
                OptionKind.CHOICE,
                (
                    "a row is a frame of syslog as it went over the wire (RFC 6587): octet (a count of bytes before "
                    "each), lf, nul, auto (told apart for every frame)",
                    "행 하나가 네트워크로 오간 syslog 프레임 하나(RFC 6587): octet(앞에 바이트 수), lf, nul, "
                    "auto(프레임마다 구별)",
                ),
                choices=("octet", "lf", "nul", "auto"),
                extension=True,
            ),
            LIMIT,
            OFFSET,
        ),
        ledger=FRAMES,
        description=f"""\
One row per line in `line`. `_time` is what `dp` and `df` find, else the time of reading; a line without a time gets
null and is counted in the ledger. Bytes that are no text become U+FFFD and are counted too. Gzip and zstd files are
unpacked.

With `framing` a row is a message of a captured syslog stream instead of a line: line breaks inside counted frames stay,
counts and delimiters are no text. A frame that the file does not finish is no row; the ledger tells it.

{PATHS} {FOLDERS} {ENTRIES}
""",
        examples=(
            Example(
                "Failed logins",
                'textfile sample_data/auth.log | search line == "*Failed password*" | limit 1 | stats count',
                ({"count": 1},),
            ),
            Example(
                "Messages of a captured syslog stream, one of them of two lines",
                'textfile framing=auto sample_data/syslog.frames | search contains(line, "\\n") | stats count',
                ({"count": 1},),
            ),
        ),
        errors=(
            NOT_FOUND,
            MISSING,
            DATE_PATTERN.when(("df= is no date format", "df=이 날짜 형식이 아닙니다"), name=NO_DATE_FORMAT.name),
        ),
    )
)
