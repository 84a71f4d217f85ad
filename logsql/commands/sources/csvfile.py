"""``csvfile``: CSV and TSV files with a header line."""

from __future__ import annotations

from dataclasses import replace

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
from logsql.diagnostics.options import INVALID_OPTION
from logsql.diagnostics.paths import NEEDS_PATH, NO_FILE, NO_PATH, PATH_FORM
from logsql.planner import duties
from logsql.planner.catalog import SourceSpec
from logsql.planner.notes import texts
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from udfs.readers.artefacts import Artefact, Known

NOT_FOUND = define("10800", "file-not-found", NO_FILE)
MISSING = define("10802", "missing-field", NO_PATH, NEEDS_PATH, PATH_FORM)
STRICT_TAB = INVALID_OPTION.says(("strict=t cannot go with tab=t", "strict=t는 tab=t와 함께 쓸 수 없습니다"))

DELIM = INVALID_OPTION.says(
    (
        "delim= is one ASCII character that is no quote or line break, and does not go with tab=t",
        "delim=은 따옴표나 줄바꿈이 아닌 ASCII 문자 하나이며 tab=t와 함께 쓸 수 없습니다",
    )
)


def lower(stage: Stage) -> Rel:
    options = all_options(stage)
    if options["strict"] and options["tab"]:
        stage.fail(STRICT_TAB)
    delim: str | None = stage.option("delim")
    if delim is not None and (len(delim) != 1 or not delim.isascii() or delim in '"\r\n\0' or options["tab"]):
        stage.fail(DELIM)
    info, unasked = open_text(stage, {**options, "demand": stage.demand, "placed": True})
    rel = scan_source(stage, info, unasked, place="__filerow")
    texts.one_column(stage, rel)
    texts.header_of_values(stage, rel)
    return replace(rel, typed_by="" if options["types"] else "csvfile types=t", blank_cells=True)


ARTEFACT = Artefact((Known("CSV", r"\.(csv|tsv)(\.gz)?$", loose=True),))

register(
    CommandSpec(
        name="csvfile",
        group=Group.SOURCE,
        summary=("Read CSV or TSV files with a header line.", "헤더가 있는 CSV 또는 TSV 파일을 읽습니다."),
        usage=(
            "csvfile [cs=CHARSET] [limit=N] [offset=N] [maxcol=N] [rest=t] [strict=t] [tab=t] "
            "[delim=CHAR] [header=f] [skip=N] [comment=TEXT] [types=t] [host=REGEX] PATH",
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
            "udfs.readers.csvrows:CsvReader",
            code=NOT_FOUND.code,
            suffixes=(".csv", ".tsv", ".csv.gz"),
            artefact=ARTEFACT,
        ),
        options=(
            *ADDED_ZIP_OPTIONS,
            HOST,
            OptionSpec("cs", OptionKind.TEXT, ("charset of the file", "파일의 문자 집합"), default="utf-8"),
            LIMIT,
            OFFSET,
            OptionSpec("maxcol", OptionKind.INT, ("columns to read", "읽을 컬럼 수"), default=10_000, minimum=1),
            OptionSpec(
                "rest",
                OptionKind.BOOL,
                ("t puts the columns beyond maxcol into _rest", "t면 maxcol을 넘는 컬럼을 _rest에 담음"),
                default=False,
            ),
            OptionSpec(
                "strict",
                OptionKind.BOOL,
                ("t reads quotes as RFC 4180 says", "t면 따옴표를 RFC 4180대로 읽음"),
                default=False,
            ),
            OptionSpec("tab", OptionKind.BOOL, ("t: cells end with a tab", "t면 셀을 탭으로 구분"), default=False),
            OptionSpec(
                "delim",
                OptionKind.TEXT,
                ("the character between cells, such as ;", "셀 사이의 구분 문자 (예: ;)"),
                extension=True,
            ),
            OptionSpec(
                "header",
                OptionKind.BOOL,
                ("f, the first line is a row", "f면 첫 줄도 데이터 행으로 읽음"),
                default=True,
                extension=True,
            ),
            OptionSpec(
                "skip",
                OptionKind.INT,
                ("lines to leave out before the header", "헤더 앞에서 건너뛸 줄 수"),
                default=0,
                minimum=0,
                extension=True,
            ),
            OptionSpec(
                "comment",
                OptionKind.TEXT,
                ("lines that begin with this text are left out", "이 텍스트로 시작하는 줄은 제외"),
                extension=True,
            ),
            OptionSpec(
                "types",
                OptionKind.BOOL,
                ("t gives numbers, dates and booleans", "t면 숫자, 날짜, 불리언 타입으로 읽음"),
                default=False,
                extension=True,
            ),
        ),
        description=f"""\
The first line names the fields. Every value is text: use `int()` or `double()` to compute with it, or `types=t`. A
short row lacks its last fields, cells beyond the header are `columnN`. `strict=f` skips a blank before a quote and
takes `\\"` inside quotes for a quote; rows that `strict=t` reads otherwise are counted in the ledger. Lines end in LF,
CR LF or, in files of old Macintosh programs, in CR. A byte order mark is no text, whatever `cs` says.

`delim` is what stands between cells (`delim=;`); without it a first line `sep=;`, as Excel writes it, tells
the character and is no row. `skip` leaves out lines before the header, `comment` the lines that begin with a text where
a row begins (a line inside a quoted cell is no comment); with `header=f` the first line is a row and the fields are
`column0`, `column1` ...

`types=t` reads each field that the query uses twice and gives it a type when every value fits: whole numbers (no zero
or `+` in front, so that `007` and phone numbers stay text), decimals of up to 17 digits, ISO dates and times (without
zone: in the session's), `true` and `false`. One value that does not fit (`N/A`) leaves the whole field text. An empty
cell of a field with a type is null. `explain` lists the types.

{PATHS} {FOLDERS} {ENTRIES}
""",
        examples=(
            Example(
                "Machines of a department",
                'csvfile sample_data/assets.csv | search owner == "sales" | limit 1 | fields hostname, _file',
                ({"hostname": "pc-011", "_file": "assets.csv"},),
            ),
        ),
        errors=(
            NOT_FOUND,
            MISSING,
        ),
    )
)
