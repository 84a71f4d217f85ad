"""What ``sftp`` and ``ftp`` share: one grammar (``PROFILE ls|cat|put [OPTIONS] PATH``), options, planning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from logsql.commands.network._profiles import profile_of
from logsql.commands.output._outputs import OutputCodes, codec_of, path_text, refuse, stored, template_of
from logsql.commands.parse.parsejson import Reading, fields_of
from logsql.diagnostics.codes import Pair, define, syntax, text
from logsql.diagnostics.errors import did_you_mean
from logsql.diagnostics.options import INVALID_OPTION
from logsql.jobs.outputs import Job, Lines, Output, csv_lines, json_lines, txt_lines
from logsql.jobs.remotefiles import Cat, RemoteTargets, Server, lines_read, listed
from logsql.language.tree import Call, Command, Name, Text
from logsql.planner import duties
from logsql.planner.connections.remotefiles import RemoteFiles
from logsql.planner.plan import Action
from logsql.planner.relation import Column, Rel
from logsql.planner.services import Service
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage
from logsql.render.csv import csv_header
from logsql.store.outputfiles import Codes, Manner
from logsql.values import values
from logsql.values.types import BOOL, DATE, LONG, STRING, LType

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader
    from logsql.planner.runtime import StageRuntime

_FORM = syntax("{command} PROFILE ls|cat|put [OPTIONS] PATH")
USAGE = define(
    "E2085",
    "remote-files-arguments",
    ("no profile, no action or no path", "프로파일, 작업 또는 경로가 없습니다"),
    (
        "{command} needs a profile, ls, cat or put, and a path",
        "{command}에는 프로파일, ls, cat, put 중 하나, 경로가 필요합니다",
    ),
    help=_FORM,
)
NO_ACTION = USAGE.says(
    ("{command} does ls, cat or put, not {word}", "{command}의 작업은 ls, cat, put입니다: {word}"), help=_FORM
)
ACTION_FIRST = USAGE.says(
    ("the profile comes before {word}", "{word} 앞에 프로파일을 씁니다"), help=syntax("{command} PROFILE {word} PATH")
)
ROWS_BEFORE = USAGE.says(
    (
        "{command} {action} begins rows of its own: those before it would be lost",
        "{command} {action}은(는) 새 행을 만듭니다. 앞의 행은 사라집니다",
    ),
    help=("write it first, or in a subquery: union [ ... ]", "맨 앞이나 서브쿼리에 쓰세요: union [ ... ]"),
)
NO_FIELDS = USAGE.says(
    (
        "put needs fields=, which only format=json can do without",
        "put에는 fields=가 필요합니다. format=json일 때만 생략할 수 있습니다",
    ),
    help=syntax("{command} PROFILE put fields=FIELD,... PATH"),
)
NOT_OF_ACTION = INVALID_OPTION.says(
    ("{option}= is no option of {action}", "{option}=은 {action}의 옵션이 아닙니다"),
    help=("{action} takes {options}", "{action}의 옵션: {options}"),
)
NO_FORMAT = INVALID_OPTION.says(
    ("cat reads format=text or format=json, not {value}", "cat은 format=text와 format=json을 읽습니다: {value}")
)
NO_SESSIONS = text(
    "multisession= and maxsession= have no effect: files are sent one after another over one connection",
    "multisession=과 maxsession=은 효과가 없습니다. 파일은 연결 하나로 차례로 보냅니다",
)
PARTITION = define(
    "E2086",
    "use-partition-option",
    (
        "{{logtime:..}} or {{now:..}} and partition=t need each other",
        "{{logtime:..}}이나 {{now:..}}과 partition=t는 함께 써야 합니다",
    ),
)
ENCODING = define(
    "E2087", "unsupported-encoding", ("encoding= names no charset", "encoding=이 문자 집합 이름이 아닙니다")
)
BOTH = define(
    "E2088",
    "choose-overwrite-or-append",
    ("overwrite=t and append=t exclude each other", "overwrite=t와 append=t는 함께 쓸 수 없습니다"),
)
EXISTS = define(
    "E3091",
    "remote-file-exists",
    (
        "the file is on the server already, and neither overwrite=t nor append=t is written",
        "서버에 파일이 이미 있고 overwrite=t도 append=t도 없습니다",
    ),
)
CODES = OutputCodes(USAGE, PARTITION, USAGE, EXISTS, ENCODING, BOTH, EXISTS, EXISTS)
TIME = "_time"

FORMATS = ("text", "json", "csv", "tsv")
_TEXT, _JSON, _CSV, _TSV = FORMATS
#: The options of each action.
OPTIONS = {
    "ls": ("encoding",),
    "cat": ("encoding", "format", "limit", "offset"),
    "put": (
        "append",
        "encoding",
        "fields",
        "format",
        "maxsession",
        "multisession",
        "overwrite",
        "partition",
    ),
}
#: Columns of a listing, of SFTP and of FTP.
LISTED: dict[str, LType] = {
    "type": STRING,
    "is_link": BOOL,
    "name": STRING,
    "file_size": LONG,
    "modified_at": DATE,
    "uid": LONG,
    "gid": LONG,
    "perms": STRING,
    "owner": STRING,
    "group": STRING,
}


@dataclass(frozen=True)
class RemoteArgs:
    """The profile, what to do, the path, and the fields that ``put`` writes (none: all)."""

    profile: Name
    action: str
    path: Text | Call
    fields: tuple[Name, ...]


@dataclass(frozen=True)
class Protocol:
    """What sets one command apart. ``kinds``: of profiles; ``listed``: the columns of ``ls``; ``names``: whether
    ``encoding=`` of ``ls`` is the charset of file names, which SFTP fixes as UTF-8."""

    command: str
    key: Service[RemoteFiles]
    kinds: tuple[str, ...]
    package: tuple[str, str, str]
    listed: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: OPTIONS)

    # --- the text -------------------------------------------------------------------------------------

    def parse(self, reader: ArgReader) -> RemoteArgs:
        """``PROFILE ACTION PATH``; the options were taken out wherever they stand."""
        profile = reader.word()
        if profile is None:
            reader.fail(USAGE, command=self.command)
        if profile.text in OPTIONS and reader.peek_word() not in OPTIONS:
            reader.fail(ACTION_FIRST, profile.span, command=self.command, word=profile.text)
        action = reader.word()
        if action is None:
            reader.fail(USAGE, command=self.command)
        if action.text not in OPTIONS:
            near = did_you_mean(action.text, OPTIONS)
            reader.fail(NO_ACTION, action.span, command=self.command, word=action.text, help=near)
        for option in reader.options:
            if option.key not in self.options[action.text]:
                known = ", ".join(f"{name}=" for name in self.options[action.text])
                facts = {"option": option.key, "action": f"{self.command} {action.text}", "options": known}
                reader.fail(NOT_OF_ACTION, option.span, **facts)
        if reader.at_end():
            reader.fail(USAGE, command=self.command)
        return RemoteArgs(profile, action.text, reader.path(), self._fields(reader, action.text))

    def _fields(self, reader: ArgReader, action: str) -> tuple[Name, ...]:
        written = reader.option("fields")
        if action != "put":
            return ()
        form = reader.option("format")
        if written is None or not isinstance(written.value, str):
            if form is None or form.value != _JSON:
                reader.fail(NO_FIELDS, command=self.command)
            return ()
        names = [name.strip() for name in written.value.split(",")]
        if not all(names):
            reader.fail(NO_FIELDS, written.value_span, command=self.command)
        return tuple(Name(name, written.value_span) for name in dict.fromkeys(names))

    # --- the plan -------------------------------------------------------------------------------------

    def lower(self, stage: Stage) -> Rel:
        """List, read or write."""
        args = stage.arguments(RemoteArgs)
        stage.needs_extra(self.command, self.package[0], self.package[1], module=self.package[2])
        server = self._server(stage, args)
        path = path_text(stage, CODES)
        if args.action == "put":
            return self._put(stage, args, server, path)
        if stage.input is not None and (stage.input.columns or stage.input.rest is not None):
            stage.fail(ROWS_BEFORE, stage.command.name_span, command=self.command, action=args.action)
        stage.chain.steps.insert(0, Action(f"check that {server.profile.name} may be reached", server.check))
        if args.action == "ls":
            columns = [Column(name, name, LISTED[name]) for name in self.listed]

            def entries(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
                return listed(server, path, self.listed, runtime)

            return stage.stream(None, columns, entries)
        return self._cat(stage, server, path)

    def _server(self, stage: Stage, args: RemoteArgs) -> Server:
        profile = profile_of(stage, args.profile.text, self.kinds, args.profile.span)
        names = codec_of(stage, CODES) if args.action == "ls" and stage.command.option("encoding") else "utf-8"
        return Server(self.key, profile, names)

    def _cat(self, stage: Stage, server: Server, path: str) -> Rel:
        form = stage.option("format") or _TEXT
        if form not in (_TEXT, _JSON):
            written = stage.command.option("format")
            stage.fail(NO_FORMAT, written.value_span if written else None, value=form)
        codec_of(stage, CODES)
        cat = Cat(path, stage.option("encoding"), stage.option("offset"), stage.option("limit"), form == _JSON)

        def lines(batches: Iterator[pa.RecordBatch], runtime: StageRuntime) -> Iterator[pa.RecordBatch]:
            return lines_read(server, cat, runtime)

        rel = stage.stream(None, [Column("line", "line", STRING)], lines)
        return rel if form == _TEXT else fields_of(stage, rel, "line", Reading())

    def _put(self, stage: Stage, args: RemoteArgs, server: Server, path: str) -> Rel:
        job = self._job(stage, server, path)
        output = Output(job)
        stage.chain.steps.insert(0, Action(f"check that {path} can be written", output.check))
        rel = stored(stage)
        names = [name.text for name in args.fields]
        rel, chosen = stage.lowered(rel, lambda cx: [cx.field(name) for name in names])
        time = None
        if job.template.dated:
            rel, time = stage.lowered(rel, lambda cx: values.date_sql(cx.field(TIME)))
        pairs = list(zip(names, chosen, strict=True))
        stage.action(f"write {path}", lambda runtime: output.write(runtime, rel, pairs, time))
        return rel

    def _job(self, stage: Stage, server: Server, path: str) -> Job:
        overwrite, append = stage.option("overwrite"), stage.option("append")
        if overwrite and append:
            refuse(stage, "append", BOTH)
        if stage.command.option("multisession") is not None or stage.command.option("maxsession") is not None:
            stage.remark(NO_SESSIONS)
        template = template_of(stage, CODES, path)
        form = stage.option("format") or _TEXT
        codes = Codes(EXISTS, EXISTS, EXISTS)
        return Job(
            command=self.command,
            path=path,
            template=template,
            manner=Manner(codes, overwrite=overwrite, append=append, make_folders=not template.plain),
            codec=codec_of(stage, CODES),
            charset=stage.option("encoding"),
            lines=_lines(form),
            header=_header(form),
            targets=RemoteTargets(server),
        )


def _lines(form: str) -> Lines:
    """How rows become lines. Text is cells with tabs between them and ``-`` for null."""
    if form == _JSON:
        return json_lines
    return txt_lines("\t", "-") if form == _TEXT else csv_lines("\t" if form == _TSV else ",")


def _header(form: str) -> Callable[[Sequence[str]], str] | None:
    return (lambda names: csv_header("\t" if form == _TSV else ",", names)) if form in (_CSV, _TSV) else None


def duty(command: Command) -> duties.Fields:
    """``put`` reads the fields that it writes and the date for the path; the others start rows."""
    if command.args.action != "put":
        return duties.STARTS
    names = frozenset(name.text for name in command.args.fields)
    flow = duties.Flow.PASSES if names else duties.Flow.WHOLE_ROW
    return duties.Fields(flow, names | {TIME}, duties.NOTHING)


def in_stream(command: Command) -> duties.InStream:
    """``put`` acts once, on all rows."""
    return duties.InStream.BARRIER if command.args.action == "put" else duties.InStream.SOURCE


#: The options of both commands.
SPECS = (
    OptionSpec(
        "encoding",
        OptionKind.TEXT,
        ("charset of the file, of ls: of file names", "파일의 문자 집합. ls에서는 파일 이름의 문자 집합"),
        default="utf-8",
    ),
    OptionSpec(
        "format",
        OptionKind.CHOICE,
        (
            "text (cat: lines; put: tabs between the fields), json, and of put csv and tsv",
            "text(cat은 줄 단위, put은 탭으로 구분), json, put에서는 csv와 tsv도",
        ),
        choices=FORMATS,
    ),
    OptionSpec("limit", OptionKind.INT, ("rows at most (cat)", "최대 행 수 (cat)"), minimum=0),
    OptionSpec("offset", OptionKind.INT, ("rows to skip (cat)", "건너뛸 행 수 (cat)"), default=0, minimum=0),
    OptionSpec(
        "fields",
        OptionKind.TEXT,
        ("fields to write, with commas (put)", "출력할 필드. 쉼표로 구분 (put)"),
        reads=True,
    ),
    OptionSpec(
        "overwrite",
        OptionKind.BOOL,
        ("replace a file that exists (put)", "이미 있는 파일을 덮어씀 (put)"),
        default=False,
    ),
    OptionSpec(
        "append",
        OptionKind.BOOL,
        ("add to a file that exists (put)", "이미 있는 파일에 덧붙임 (put)"),
        default=False,
    ),
    OptionSpec(
        "partition",
        OptionKind.BOOL,
        (
            "one file per date: the path holds {logtime:FMT} or {now:FMT} (put)",
            "날짜별로 파일을 나눔. 경로에 {logtime:FMT}나 {now:FMT}를 씀 (put)",
        ),
        default=False,
    ),
    OptionSpec(
        "multisession",
        OptionKind.BOOL,
        ("accepted for the language, without effect", "호환을 위해 받아들임. 효과 없음"),
        default=False,
    ),
    OptionSpec(
        "maxsession",
        OptionKind.INT,
        ("accepted for the language, without effect", "호환을 위해 받아들임. 효과 없음"),
        minimum=1,
    ),
)


def remote_options(vendor: frozenset[str]) -> tuple[OptionSpec, ...]:
    """The options; those that are not ``vendor``'s are marked."""
    return tuple(replace(one, extension=one.name not in vendor) for one in SPECS)


FILES = """\
`ls` lists a folder, or the one file that PATH names. `cat` reads a file line by line into `line`, or with `format=json`
the keys of its JSON objects, one a line or in an array; a line that is no JSON stays as `line` and is counted. Bytes
that are no text become U+FFFD and are counted. `limit=` and `limit` behind the command stop reading.

`put` writes the rows, which pass on. `format=text` puts tabs between the fields and `-` for null, `csv` and `tsv` begin
with the names of the fields, `json` writes an object per row, and all fields where `fields=` is missing. A file that
exists is an error, said before a row is read, unless `overwrite=t` replaces it or `append=t` adds to it. A new file
goes to a hidden temporary name in the same folder and gets its own name when it is whole: a query that fails leaves the
old file, or none. Without rows no file is made. With `partition=t` the path holds dates, as of `outputcsv`; missing
folders are made.

A server that breaks off while a listing or a file is read is an error behind the rows that came whole.
"""


def register_remote(
    protocol: Protocol,
    summary: Pair,
    usage: tuple[str, ...],
    description: str,
    examples: tuple[Example, ...],
    vendor: frozenset[str],
) -> None:
    """Declare ``sftp`` or ``ftp``."""
    register(
        CommandSpec(
            name=protocol.command,
            group=Group.NETWORK,
            summary=summary,
            usage=usage,
            parse=protocol.parse,
            lower=protocol.lower,
            fields=duty,
            arguments=(duties.Argument(duties.Kind.TEXT), duties.PATH),
            subquery=duties.Subquery.NONE,
            order=duties.NEEDS_AND_SORTS,
            stream=in_stream,
            instead=(
                "write with a sink of kind file, and put its complete files in a query of its own",
                "kind가 file인 싱크로 쓰고, 완성된 파일은 별도의 쿼리로 올리세요",
            ),
            lowering=duties.Lowering.PYTHON,
            twice=False,
            state=duties.RowState.STOPS,
            options=remote_options(vendor),
            options_anywhere=True,
            extra=protocol.package[1],
            description=f"{description.strip()}\n\n{FILES}",
            examples=examples,
            errors=(USAGE, PARTITION, ENCODING, BOTH, EXISTS),
        )
    )
