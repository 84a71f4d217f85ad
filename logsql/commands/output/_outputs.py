"""What ``outputcsv``, ``outputjson`` and ``outputtxt`` share: options, arguments, planning.

The rows are stored first, so that the file is written once however often the result is read; then the file is written
by :mod:`logsql.jobs.outputs`, and the rows go on from the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, NoReturn

from logsql.diagnostics.codes import Code, Pair, Sentence, define, syntax
from logsql.diagnostics.expressions import DATE_PATTERN, DATE_PATTERN_NAME
from logsql.diagnostics.messages import text
from logsql.language.tree import Call, Command, Name, Text
from logsql.planner import duties
from logsql.planner.notes.dates import written_pattern as tell_pattern
from logsql.planner.plan import Action, Materialise
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import values

if TYPE_CHECKING:
    from logsql.jobs.outputs import Job, Lines, PathTemplate
    from logsql.language.reader import ArgReader

NO_FLUSH = text(
    "flush= has no effect: a file appears when it is complete",
    "flush= 옵션은 효과가 없습니다. 파일은 다 쓴 뒤에 나타납니다",
)
#: Sentences under the codes that each command has for itself.
NEEDS_PATH = text("{command} needs a path", "{command}에는 경로가 필요합니다")
NEEDS_FIELDS = text("{command} needs the fields to write", "{command}에는 출력할 필드가 필요합니다")
PATH_IN_LIST = text(
    "{path} stands where the path stands, and ends in a comma: the path comes before the fields",
    "경로 자리에 쉼표로 끝나는 {path}이(가) 있습니다. 경로는 필드 앞에 쓰세요",
)
WITH_FIELDS = syntax("{command} PATH FIELD, ...")
WITHOUT_FIELDS = syntax("{command} PATH [FIELD, ...]")
PATH_NOT_SET = text("the parameter that should hold the path is not set", "경로를 담을 매개변수에 값이 없습니다")
BOTH = text("overwrite=t and append=t exclude each other", "overwrite=t와 append=t는 함께 쓸 수 없습니다")
IN_STREAM = text(
    "the rows of a stream never end: a file that each batch replaced would hold the last one only",
    "스트림의 행은 끝나지 않습니다. 배치마다 파일을 덮어쓰면 마지막 배치만 남습니다",
)
ADD_TO_IT = text(
    "remove overwrite=t: each batch is added to the file", "overwrite=t를 지우세요. 배치마다 파일에 덧붙입니다"
)
ONE_TEMPORARY = text(
    "tmp= names one file, but partition=t writes several",
    "tmp=은 파일 하나를 가리키지만 partition=t는 여러 파일을 씁니다",
)
NEEDS_DATE = text(
    "partition=t needs {{logtime:FMT}} or {{now:FMT}} in the path",
    "partition=t를 쓰려면 경로에 {{logtime:FMT}}이나 {{now:FMT}}이 필요합니다",
)
NEEDS_PARTITION = text(
    "a path with {{logtime:..}} or {{now:..}} needs partition=t",
    "{{logtime:..}}이나 {{now:..}}이 있는 경로에는 partition=t가 필요합니다",
)
ADD_PARTITION = text("add partition=t", "partition=t를 추가하세요")
NO_CHARSET = text("there is no charset {charset}", "없는 문자 집합입니다: {charset}")
NO_MARK = text("{charset} has no byte order mark", "{charset}에는 바이트 순서 표시(BOM)가 없습니다")
MARK_GOES = text("bom=t goes with utf-8, utf-16, utf-32", "bom=t는 utf-8, utf-16, utf-32와 함께 씁니다")
PATH_PATTERN = DATE_PATTERN.says(
    ("{reason}", "경로의 날짜 형식이 올바르지 않습니다: {reason}"),
    help=(
        "write the file's ending behind the brace: {{now:HHmm}}.csv",
        "파일 확장자는 중괄호 뒤에 쓰세요: {{now:HHmm}}.csv",
    ),
    name=DATE_PATTERN_NAME,
)
FIELD_AS_PATH = define(
    "N1109",
    "field-as-path",
    (
        "the path of an output is the name of a field: the path stands before the fields",
        "출력 경로가 필드 이름과 같습니다. 경로는 필드 앞에 씁니다",
    ),
    (
        "the file is called {path}, as a field is: the path stands before the fields",
        "파일 이름 {path}이(가) 필드 이름과 같습니다. 경로는 필드 앞에 씁니다",
    ),
    ("write {command} PATH {names}", "{command} 경로 {names}(으)로 쓰세요"),
)
#: The date of a row in ``{logtime:..}``.
TIME = "_time"


@dataclass(frozen=True)
class OutputCodes:
    """Rows of one command; the codes differ from command to command, names and sentences do not."""

    comma: Code
    partition: Code
    missing: Code
    io: Code
    encoding: Code
    both: Code
    exists: Code
    temporary: Code

    @property
    def errors(self) -> tuple[Code, ...]:
        """The rows in the order of their codes, for the manual page."""
        return tuple(sorted((getattr(self, f.name) for f in fields(self)), key=lambda row: row.code))


def output_codes(
    comma: str,
    partition: str,
    missing: str,
    io: str,
    encoding: str,
    both: str,
    exists: str,
    temporary: str,
    fields_required: bool,
) -> OutputCodes:
    """The rows of a command under its codes; ``fields_required``: it refuses to write without a list of fields."""
    path_only = ("no path", "경로가 없습니다")
    date_alone = (
        "{{logtime:..}} or {{now:..}} and partition=t need each other",
        "{{logtime:..}}이나 {{now:..}}과 partition=t는 함께 써야 합니다",
    )
    in_the_way = (
        "the file exists, and neither overwrite=t nor append=t is written",
        "파일이 이미 있고 overwrite=t도 append=t도 없습니다",
    )
    return OutputCodes(
        comma=define(comma, "missing-field", ("a comma without a field", "쉼표 옆에 필드가 없습니다")),
        partition=define(partition, "use-partition-option", date_alone),
        missing=define(
            missing,
            "missing-field",
            ("no path, or no field", "경로나 필드가 없습니다") if fields_required else path_only,
        ),
        io=define(io, "io-error", ("the file cannot be written", "파일을 쓸 수 없습니다")),
        encoding=define(
            encoding, "unsupported-encoding", ("encoding= names no charset", "encoding=이 문자 집합 이름이 아닙니다")
        ),
        both=define(
            both,
            "choose-overwrite-or-append",
            ("overwrite=t and append=t together", "overwrite=t와 append=t를 함께 썼습니다"),
        ),
        exists=define(exists, "file-exists", in_the_way),
        temporary=define(
            temporary, "temp-file-exists", ("the file named by tmp= exists", "tmp=에 쓴 파일이 이미 있습니다")
        ),
    )


@dataclass(frozen=True)
class OutputArgs:
    """Where to, and which fields (none: all)."""

    path: Text | Call
    fields: tuple[Name, ...]


@dataclass(frozen=True)
class OutputForm:
    """What sets one command apart. ``lines`` and ``header`` make the text, from the stage's options."""

    codes: OutputCodes
    fields_required: bool
    lines: Callable[[Stage], Lines]
    header: Callable[[Stage], Callable[[Sequence[str]], str] | None] | None = None
    gz: bool = False
    #: The option that names a layout of fixed fields, and these: no list is written then.
    layout: tuple[str, tuple[str, ...]] | None = None


def output_options(*more: OptionSpec) -> tuple[OptionSpec, ...]:
    """The options that all three have, and those of one."""
    return (
        OptionSpec(
            "overwrite", OptionKind.BOOL, ("replace a file that exists", "이미 있는 파일을 덮어씀"), default=False
        ),
        OptionSpec("append", OptionKind.BOOL, ("add to a file that exists", "이미 있는 파일에 덧붙임"), default=False),
        OptionSpec("encoding", OptionKind.TEXT, ("charset of the file", "파일의 문자 집합"), default="utf-8"),
        OptionSpec(
            "bom",
            OptionKind.BOOL,
            ("begin a new file with a byte order mark", "새 파일을 바이트 순서 표시(BOM)로 시작"),
            default=False,
        ),
        OptionSpec(
            "partition",
            OptionKind.BOOL,
            (
                "one file per date: the path holds {logtime:FMT} or {now:FMT}",
                "날짜별로 파일을 나눔. 경로에 {logtime:FMT}나 {now:FMT}를 씀",
            ),
            False,
        ),
        OptionSpec("tmp", OptionKind.PATH, ("write to this file, then move it to PATH", "이 파일에 쓴 뒤 PATH로 옮김")),
        OptionSpec(
            "emptyfile",
            OptionKind.BOOL,
            ("make the file even when there are no rows", "행이 없어도 파일을 만듦"),
            default=False,
        ),
        OptionSpec(
            "flush",
            OptionKind.SPAN,
            (
                "interval of writing to disk; without effect, files appear complete",
                "디스크에 쓰는 간격. 파일은 완성된 뒤에 나타나므로 효과 없음",
            ),
        ),
        *more,
    )


def output_parser(form: OutputForm) -> Callable[[ArgReader], OutputArgs]:
    """``PATH f, ...``: the path ends at a blank unless it is quoted."""

    def parse(reader: ArgReader) -> OutputArgs:
        missing, usage = form.codes.missing, WITH_FIELDS if form.fields_required else WITHOUT_FIELDS
        path = reader.path_word()
        if path is None or (isinstance(path, Text) and not path.value):
            reader.fail(missing.with_text(NEEDS_PATH, usage), command=reader.command)
        if isinstance(path, Text) and path.value.endswith(","):
            reader.fail(missing.with_text(PATH_IN_LIST, usage), path.span, path=path.value, command=reader.command)
        if form.layout is not None and reader.option(form.layout[0]) is not None:
            return OutputArgs(path, tuple(Name(name, reader.command_span) for name in form.layout[1]))
        names = reader.name_list(trailing_comma=form.codes.comma)
        if form.fields_required and not names:
            reader.fail(missing.with_text(NEEDS_FIELDS, usage), command=reader.command)
        return OutputArgs(path, tuple(names))

    return parse


def output_lowering(form: OutputForm) -> Callable[[Stage], Rel]:
    """Store the rows, write them, go on with them."""

    def lower(stage: Stage) -> Rel:
        from logsql.jobs.outputs import Output  # for cost: pyarrow.compute and regex

        _path_like_field(stage)
        job = output_job(stage, form)
        output = Output(job)
        # Before every other step: a file in the way is said before rows are read, also those of the commands before.
        stage.chain.steps.insert(0, Action(f"check that {job.path} can be written", output.check))
        rel = stored(stage)
        names = names_of(stage.arguments(OutputArgs).fields)
        rel, chosen = stage.lowered(rel, lambda cx: [cx.field(n) for n in names])
        time = None
        if job.template.dated:
            rel, time = stage.lowered(rel, lambda cx: values.date_sql(cx.field(TIME)))
        pairs = list(zip(names, chosen, strict=True))
        stage.action(f"write {job.path}", lambda runtime: output.write(runtime, rel, pairs, time))
        return rel

    return lower


def _path_like_field(stage: Stage) -> None:
    """Tell of ``outputcsv src_ip account``: the first word is the path."""
    args = stage.arguments(OutputArgs)
    if isinstance(args.path, Text) and args.fields and stage.rel.column(args.path.value) is not None:
        names = ", ".join((args.path.value, *(name.text for name in args.fields)))
        stage.note(FIELD_AS_PATH, args.path.span, path=args.path.value, command=stage.command.name, names=names)


def stored(stage: Stage) -> Rel:
    """The rows in a work table; rows that an earlier command stored and nobody changed are not stored again."""
    rel = stage.rel
    if not rel.pending and rel.where is None and (rel.order.physical or not rel.order.defined):
        for step in stage.chain.steps:
            if isinstance(step, Materialise) and step.name == rel.source:
                return rel
    return stage.materialise(rel)


def output_job(stage: Stage, form: OutputForm) -> Job:
    """The options checked and put together."""
    from logsql.jobs.outputs import Job  # for cost: pyarrow.compute and regex
    from logsql.store.outputfiles import Codes, Manner  # for cost: few queries need it

    codes = form.codes
    path = path_text(stage, codes)
    overwrite, append = stage.option("overwrite"), stage.option("append")
    if stage.chain.holds is not None:  # each batch or interval is added to the file
        if overwrite:
            refuse(stage, "overwrite", codes.both.with_text(IN_STREAM, ADD_TO_IT))
        append = True
    if overwrite and append:
        refuse(stage, "append", codes.both.with_text(BOTH))
    template = template_of(stage, codes, path)
    tmp = stage.option("tmp") or None
    if tmp is not None and stage.option("partition"):
        refuse(stage, "tmp", codes.partition.with_text(ONE_TEMPORARY))
    if stage.option("flush") is not None:
        stage.remark(NO_FLUSH)
    manner = Manner(
        Codes(codes.io, codes.exists, codes.temporary),
        overwrite=overwrite,
        append=append,
        gz=form.gz and stage.option("gz"),
        tmp=tmp,
        make_folders=not template.plain,
    )
    job = Job(
        command=stage.spec.name,
        path=path,
        template=template,
        manner=manner,
        codec=codec_of(stage, codes),
        charset=stage.option("encoding"),
        lines=form.lines(stage),
        header=form.header(stage) if form.header is not None else None,
        empty_file=stage.option("emptyfile"),
    )
    return replace(job, bom=_bom(stage, codes, job.codec))


def path_text(stage: Stage, codes: OutputCodes) -> str:
    """The path as the query has it, or as its parameter does."""
    path: Text | Call = stage.arguments(OutputArgs).path
    if isinstance(path, Text):
        return path.value
    value = stage.constant(path, "the path")
    if not isinstance(value, str) or not value:
        stage.fail(codes.missing.with_text(PATH_NOT_SET), path.span)
    return value


def template_of(stage: Stage, codes: OutputCodes, path: str) -> PathTemplate:
    """The path with its dates; partition=t and dates need each other."""
    from logsql.jobs.outputs import path_template  # for cost: pyarrow.compute and regex
    from udfs.java.dates import DatePatternError  # for cost: pyarrow.compute

    try:
        template = path_template(path)
    except DatePatternError as error:
        stage.fail(PATH_PATTERN, stage.arguments(OutputArgs).path.span, reason=error)
    for macro in re.finditer(r"\{(?:logtime|now):([^}]*)\}", path):
        tell_pattern(stage.note, stage.arguments(OutputArgs).path.span, macro[1])
    partition = stage.option("partition")
    if partition and template.plain:
        stage.fail(codes.partition.with_text(NEEDS_DATE), stage.arguments(OutputArgs).path.span)
    if not partition and not template.plain:
        said = codes.partition.with_text(NEEDS_PARTITION, ADD_PARTITION)
        stage.fail(said, stage.arguments(OutputArgs).path.span)
    return template


def codec_of(stage: Stage, codes: OutputCodes) -> str:
    """The charset of ``encoding=``."""
    from udfs.text import charset  # for cost: pyarrow.compute and regex

    name: str = stage.option("encoding")
    try:
        return charset(name)
    except LookupError:
        refuse(stage, "encoding", codes.encoding.with_text(NO_CHARSET), charset=name)


def _bom(stage: Stage, codes: OutputCodes, codec: str) -> bool:
    wanted: bool = stage.option("bom")
    if wanted and not codec.replace("_", "-").startswith("utf-"):
        refuse(stage, "bom", codes.encoding.with_text(NO_MARK, MARK_GOES), charset=stage.option("encoding"))
    return wanted


def refuse(stage: Stage, option: str, said: Sentence, **facts: str) -> NoReturn:
    """Refuse the query at an option."""
    written = stage.command.option(option)
    stage.fail(said, written.span if written is not None else stage.command.name_span, **facts)


FILES = """\
`PATH` ends at the first blank; a path with blanks stands in double quotes. A file that exists already is an error, said
before any row is read, unless `overwrite=t` replaces it or `append=t` adds to it. The rows pass on to the next command.

The file appears when all rows are written: until then they go to a temporary file in the same folder (or to `tmp=`). A
query that fails or is interrupted leaves the old file, or none. Rows to append are added under a lock in one go, so
queries that append to one file at the same time do not mix. Without rows no file is made, and one to be overwritten
stays; `emptyfile=t` makes it all the same.

With `partition=t` the path holds dates: `{logtime:FMT}` is the row's `_time`, `{now:FMT}` the time of the query, and
`FMT` a date pattern such as `yyyy/MM/dd`. Rows are spread over the files so named, and missing folders are made. Rows
without a date in `_time` go by the time of the query and are counted.

Dates are written as `yyyy-MM-dd HH:mm:ss+ZZZZ` in the session's zone, lists and maps as JSON, binary values as
lower-case hex. Characters that the charset of `encoding=` cannot hold are written as `?` and counted.
"""


def duty(command: Command) -> duties.Fields:
    """The fields written, or all; and the date of the row, which may be in the path."""
    flow = duties.Flow.PASSES if command.args.fields else duties.Flow.WHOLE_ROW
    return duties.Fields(flow, frozenset({TIME}), duties.NOTHING)


def register_output(
    name: str,
    form: OutputForm,
    summary: Pair,
    usage: str,
    description: str,
    examples: tuple[Example, ...],
    more: tuple[OptionSpec, ...] = (),
) -> None:
    """Declare one of the output commands."""
    spec: dict[str, Any] = {"parse": output_parser(form), "lower": output_lowering(form)}
    register(
        CommandSpec(
            name=name,
            group=Group.OUTPUT,
            summary=summary,
            usage=(usage,),
            fields=duty,
            arguments=(duties.PATH, duties.FIELD_LIST),
            subquery=duties.Subquery.NONE,
            order=duties.NEEDS_ORDER,
            stream=duties.InStream.ROW_WISE,
            lowering=duties.Lowering.PYTHON,
            twice=False,
            state=duties.RowState.STOPS,
            options=output_options(*more),
            description=f"{description.strip()}\n\n{FILES}",
            examples=examples,
            errors=form.codes.errors,
            **spec,
        )
    )
