"""What ``outputcsv``, ``outputjson`` and ``outputtxt`` share: options, arguments, planning.

The rows are stored first, so that the file is written once however often the result is read; then the file is written
by :mod:`logsql.jobs.outputs`, and the rows go on from the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn

from logsql.language.tree import Call, Command, Name, Text
from logsql.planner import duties
from logsql.planner.plan import Action, Materialise
from logsql.planner.relation import Rel
from logsql.planner.spec import CommandSpec, Example, Group, OptionKind, OptionSpec, register
from logsql.planner.stage import Stage, names_of
from logsql.values import values

if TYPE_CHECKING:
    from logsql.jobs.outputs import Job, Lines, PathTemplate
    from logsql.language.reader import ArgReader

Code = tuple[str, str]
#: The date of a row in ``{logtime:..}``.
TIME = "_time"


@dataclass(frozen=True)
class OutputCodes:
    """Error codes of one command; the numbers differ from command to command, the names do not."""

    comma: str
    partition: str
    missing: str
    io: str
    encoding: str
    both: str
    exists: str
    temporary: str

    def errors(self, fields: str) -> tuple[tuple[str, str, str], ...]:
        """Lines of the manual page; ``fields`` says what must be written."""
        return tuple(
            sorted(
                (
                    (self.comma, "missing-field", "a comma without a field"),
                    (
                        self.partition,
                        "use-partition-option",
                        "{logtime:..} or {now:..} and partition=t need each other",
                    ),
                    (self.missing, "missing-field", fields),
                    (self.io, "io-error", "the file cannot be written"),
                    (self.encoding, "unsupported-encoding", "encoding= names no charset"),
                    (self.both, "choose-overwrite-or-append", "overwrite=t and append=t together"),
                    (self.exists, "file-exists", "the file exists, and neither overwrite=t nor append=t is written"),
                    (self.temporary, "temp-file-exists", "the file named by tmp= exists"),
                )
            )
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
    header: Callable[[Stage], Callable[[Sequence[str]], str]] | None = None
    gz: bool = False


def output_options(*more: OptionSpec) -> tuple[OptionSpec, ...]:
    """The options that all three have, and those of one."""
    return (
        OptionSpec("overwrite", OptionKind.BOOL, "replace a file that exists", default=False),
        OptionSpec("append", OptionKind.BOOL, "add to a file that exists", default=False),
        OptionSpec("encoding", OptionKind.TEXT, "charset of the file", default="utf-8"),
        OptionSpec("bom", OptionKind.BOOL, "begin a new file with a byte order mark", default=False),
        OptionSpec("partition", OptionKind.BOOL, "one file per date: the path holds {logtime:FMT} or {now:FMT}", False),
        OptionSpec("tmp", OptionKind.PATH, "write to this file, then move it to PATH"),
        OptionSpec("emptyfile", OptionKind.BOOL, "make the file even when there are no rows", default=False),
        OptionSpec("flush", OptionKind.SPAN, "interval of writing to disk; without effect, files appear complete"),
        *more,
    )


def output_parser(form: OutputForm) -> Callable[[ArgReader], OutputArgs]:
    """``PATH f, ...``: the path ends at a blank unless it is quoted."""

    def parse(reader: ArgReader) -> OutputArgs:
        usage = f"{reader.command} PATH " + ("FIELD, ..." if form.fields_required else "[FIELD, ...]")
        path = reader.path_word()
        if path is None or (isinstance(path, Text) and not path.value):
            reader.fail(form.codes.missing, "missing-field", f"{reader.command} needs a path", help=usage)
        fields = reader.name_list(trailing_comma=(form.codes.comma, "missing-field"))
        if form.fields_required and not fields:
            reader.fail(form.codes.missing, "missing-field", f"{reader.command} needs the fields to write", help=usage)
        return OutputArgs(path, tuple(fields))

    return parse


def output_lowering(form: OutputForm) -> Callable[[Stage], Rel]:
    """Store the rows, write them, go on with them."""

    def lower(stage: Stage) -> Rel:
        from logsql.jobs.outputs import Output

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
    from logsql.jobs.outputs import Job
    from logsql.store.outputfiles import Codes, Manner

    codes = form.codes
    path = _path_text(stage, codes)
    overwrite, append = stage.option("overwrite"), stage.option("append")
    if overwrite and append:
        _refuse(
            stage, "append", codes.both, "choose-overwrite-or-append", "overwrite=t and append=t exclude each other"
        )
    template = _template(stage, codes, path)
    tmp = stage.option("tmp") or None
    if tmp is not None and stage.option("partition"):
        message = "tmp= names one file, but partition=t writes several"
        _refuse(stage, "tmp", codes.partition, "use-partition-option", message)
    if stage.option("flush") is not None:
        stage.note("flush= has no effect: a file appears when it is complete")
    manner = Manner(
        Codes((codes.io, "io-error"), (codes.exists, "file-exists"), (codes.temporary, "temp-file-exists")),
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
        codec=_codec(stage, codes),
        charset=stage.option("encoding"),
        lines=form.lines(stage),
        header=form.header(stage) if form.header is not None else None,
        empty_file=stage.option("emptyfile"),
    )
    return replace(job, bom=_bom(stage, codes, job.codec))


def _path_text(stage: Stage, codes: OutputCodes) -> str:
    path: Text | Call = stage.arguments(OutputArgs).path
    if isinstance(path, Text):
        return path.value
    value = stage.constant(path, "the path")
    if not isinstance(value, str) or not value:
        message = "the parameter that should hold the path is not set"
        stage.fail(codes.missing, "missing-field", message, path.span)
    return value


def _template(stage: Stage, codes: OutputCodes, path: str) -> PathTemplate:
    from logsql.jobs.outputs import path_template
    from udfs.java.dates import DatePatternError

    try:
        template = path_template(path)
    except DatePatternError as error:
        help_text = "write the file's ending behind the brace: {now:HHmm}.csv"
        stage.fail("90820", "invalid-date-format-pattern", str(error), stage.arguments(OutputArgs).path.span, help_text)
    partition = stage.option("partition")
    if partition and template.plain:
        message = "partition=t needs {logtime:FMT} or {now:FMT} in the path"
        stage.fail(codes.partition, "use-partition-option", message, stage.arguments(OutputArgs).path.span)
    if not partition and not template.plain:
        message = "a path with {logtime:..} or {now:..} needs partition=t"
        stage.fail(
            codes.partition, "use-partition-option", message, stage.arguments(OutputArgs).path.span, "add partition=t"
        )
    return template


def _codec(stage: Stage, codes: OutputCodes) -> str:
    from udfs.text import charset

    name: str = stage.option("encoding")
    try:
        return charset(name)
    except LookupError:
        message = f"there is no charset {name}"
        _refuse(stage, "encoding", codes.encoding, "unsupported-encoding", message)


def _bom(stage: Stage, codes: OutputCodes, codec: str) -> bool:
    wanted: bool = stage.option("bom")
    if wanted and not codec.replace("_", "-").startswith("utf-"):
        message = f"{stage.option('encoding')} has no byte order mark"
        _refuse(stage, "bom", codes.encoding, "unsupported-encoding", message, "bom=t goes with utf-8, utf-16, utf-32")
    return wanted


def _refuse(stage: Stage, option: str, code: str, name: str, message: str, help: str | None = None) -> NoReturn:
    written = stage.command.option(option)
    stage.fail(code, name, message, written.span if written is not None else stage.command.name_span, help)


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
    summary: str,
    usage: str,
    description: str,
    examples: tuple[Example, ...],
    more: tuple[OptionSpec, ...] = (),
) -> None:
    """Declare one of the output commands."""
    missing = "no path, or no field" if form.fields_required else "no path"
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
            stream=duties.InStream.BARRIER,
            lowering=duties.Lowering.PYTHON,
            twice=False,
            state=duties.RowState.STOPS,
            options=output_options(*more),
            description=f"{description.strip()}\n\n{FILES}",
            examples=examples,
            errors=form.codes.errors(missing),
            **spec,
        )
    )
