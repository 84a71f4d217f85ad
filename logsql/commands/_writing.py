"""Writing rows to text files: what outputcsv, outputjson and outputtxt share.

Each format makes one text column, the line; this module checks the options, forms the paths (``{logtime:FMT}`` and
``{now:FMT}`` under ``partition=t``), and writes. A new file is written beside its place and renamed when it is
complete; an append that fails is taken back to the old size. Nothing is written before the query has succeeded.
"""

from __future__ import annotations

import gzip
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

from logsql.commands.base import OptionKind, OptionSpec
from logsql.errors import Diagnostic, RunError
from logsql.language.tree import Call, Name, Text
from logsql.planner import sql
from logsql.planner.relation import Rel
from logsql.planner.sql import Sql
from logsql.planner.stage import Stage
from logsql.planner.types import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from logsql.language.reader import ArgReader

_MACRO = re.compile(r"\{(logtime|now):([^{}]+)\}")

COMMON: tuple[OptionSpec, ...] = (
    OptionSpec("overwrite", OptionKind.BOOL, "t replaces an existing file", default=False),
    OptionSpec("append", OptionKind.BOOL, "t writes behind an existing file", default=False),
    OptionSpec("encoding", OptionKind.TEXT, "charset of the file", default="utf-8"),
    OptionSpec("bom", OptionKind.BOOL, "t begins a new file with a byte order mark", default=False),
    OptionSpec("partition", OptionKind.BOOL, "t: the path holds {logtime:FORMAT} or {now:FORMAT}", default=False),
    OptionSpec("tmp", OptionKind.TEXT, "where the file is written before it is moved to its place"),
    OptionSpec("flush", OptionKind.SPAN, "accepted; files are written when the query has succeeded"),
    OptionSpec("emptyfile", OptionKind.BOOL, "t makes a file even when there are no rows", default=False),
)


@dataclass(frozen=True)
class OutputArgs:
    """Path and fields to write; no fields: all."""

    path: Text | Call
    names: tuple[Name, ...]


@dataclass(frozen=True)
class Codes:
    """Error codes of one output command (commands.md)."""

    trailing_comma: str
    macro: str
    fields: str
    io: str
    both: str
    encoding: str


def output_parser(codes: Codes, fields_needed: bool) -> Any:
    """``parse`` of an output command."""

    def parse(reader: ArgReader) -> OutputArgs:
        path = reader.path_word()
        if path is None:
            reader.fail(codes.fields, "missing-field", f"{reader.command} needs the path of a file")
        names = reader.name_list(trailing_comma=(codes.trailing_comma, "missing-field"))
        if fields_needed and not names:
            message = f"{reader.command} needs the fields to write"
            reader.fail(codes.fields, "missing-field", message, help="PATH FIELD, ...")
        return OutputArgs(path, tuple(names))

    return parse


@dataclass
class FileWriter:
    """What is to be written where; ``run`` writes the rows of a work table."""

    path: str
    codes: Codes
    overwrite: bool
    append: bool
    encoding: str
    bom: bool
    partition: bool
    tmp: str | None
    empty: bool
    compressed: bool
    header: str | None
    open: dict[str, tuple[str, int | None]] = field(default_factory=dict)

    def check(self, runtime: Any) -> None:
        """Refuse before anything is computed: policy, and a file that is there already."""
        runtime.policy.check_write(self.path)
        if not self.partition:
            self._check_target(self.path)

    def _check_target(self, path: str) -> None:
        if os.path.isdir(path):
            self._fail("is-a-directory", f"{path} is a directory")
        if os.path.exists(path) and not self.overwrite and not self.append:
            message = f"{path} exists already"
            self._fail("file-exists", message, "add overwrite=t to replace it or append=t to write behind it")

    def _fail(self, name: str, message: str, help: str | None = None) -> None:
        raise RunError(Diagnostic(self.codes.io, name, message, help=help))

    def run(self, runtime: Any, query: Sql) -> None:
        """Write the rows of a query with the columns ``line`` and, for ``{logtime:}``, ``time``."""
        now = datetime.now(UTC)
        try:
            for batch in runtime.batches(query):
                for path, lines in self._by_path(batch, now, runtime):
                    self._write(path, lines, runtime)
            if self.empty and not self.open and not self.partition:
                self._write(self.path, [], runtime)
            self._finish()
        except OSError as problem:
            self._undo()
            self._fail("io-error", f"cannot write {self.path}: {problem.strerror or problem}")
        except BaseException:
            self._undo()
            raise

    def _by_path(self, batch: pa.RecordBatch, now: datetime, runtime: Any) -> list[tuple[str, list[str]]]:
        lines = batch.column(0).to_pylist()
        if not self.partition:
            return [(self.path, lines)] if lines else []
        times = batch.column(1) if batch.num_columns > 1 else None
        places = expand(self.path, times, now, runtime.zone, len(lines))
        groups: dict[str, list[str]] = {}
        for place, line in zip(places, lines, strict=True):
            if place is None:
                runtime.loss.lost(self.path, "row-without-time")
            else:
                groups.setdefault(place, []).append(line)
        return list(groups.items())

    def _write(self, path: str, lines: Sequence[str], runtime: Any) -> None:
        first = path not in self.open
        if first:
            self._begin(path, runtime)
        target, old = self.open[path]
        text = "".join(f"{line}\n" for line in lines)
        begins = first and not (old or 0)
        if begins and self.header is not None:
            text = self.header + "\n" + text
        data = encoded(text, self.encoding, path, runtime)
        if begins and self.bom:
            data = encoded("\ufeff", self.encoding, path, runtime) + data
        with self._opened(target) as file:
            file.write(data)

    def _opened(self, target: str) -> BinaryIO:
        return gzip.open(target, "ab") if self.compressed else open(target, "ab")  # type: ignore[return-value]

    def _begin(self, path: str, runtime: Any) -> None:
        runtime.policy.check_write(path)
        self._check_target(path)
        folder = os.path.dirname(path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        if self.append and os.path.exists(path):
            self.open[path] = (path, os.path.getsize(path))
            return
        target = self.tmp if self.tmp and not self.partition else f"{path}.{os.getpid()}.tmp"
        if os.path.exists(target):
            self._fail("temp-file-exists", f"the temporary file {target} exists already")
        self.open[path] = (target, None)
        open(target, "xb").close()

    def _finish(self) -> None:
        for path, (target, old) in self.open.items():
            if old is None:
                os.replace(target, path)
        self.open.clear()

    def _undo(self) -> None:
        for target, old in self.open.values():
            try:
                if old is None:
                    os.unlink(target)
                else:
                    os.truncate(target, old)
            except OSError:
                continue
        self.open.clear()


def encoded(text: str, encoding: str, path: str, runtime: Any) -> bytes:
    """The text in the file's charset; characters it does not have become ``?`` and are counted."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        lost = sum(1 for char in text if not _fits(char, encoding))
        runtime.loss.lost(path, f"character-not-in-{encoding}", lost)
        return text.encode(encoding, "replace")


def _fits(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
        return True
    except UnicodeEncodeError:
        return False


def expand(path: str, times: Any, now: datetime, zone: str, rows: int) -> list[str | None]:
    """The path of every row; None where the path needs a time and the row has none."""
    import pyarrow as pa

    from udfs import dates

    parts: list[list[str | None]] = []
    position = 0
    for found in _MACRO.finditer(path):
        parts.append([path[position : found.start()]] * rows)
        pattern = dates.compile_pattern(found[2])
        if found[1] == "now":
            moment = pa.array([now], pa.timestamp("us", tz="UTC"))
            parts.append(dates.format_array(moment, pattern, zone).to_pylist() * rows)
        else:
            parts.append(dates.format_array(times, pattern, zone).to_pylist())
        position = found.end()
    parts.append([path[position:]] * rows)
    return [None if None in pieces else "".join(str(p) for p in pieces) for pieces in zip(*parts, strict=True)]


# --- planning ---------------------------------------------------------------------------------------------------------


def plan_output(stage: Stage, codes: Codes, line: Any, header: str | None = None, compressed: bool = False) -> Rel:
    """The rows written at this point of the query, and passed on. ``line(rel)``: the line's SQL over a relation."""
    from logsql.commands._files import path_text

    path = path_text(stage, stage.args.path)
    writer = FileWriter(
        path,
        codes,
        stage.option("overwrite"),
        stage.option("append"),
        _charset(stage, codes),
        stage.option("bom"),
        stage.option("partition"),
        stage.option("tmp"),
        stage.option("emptyfile"),
        compressed,
        header,
    )
    stage.option("flush")
    _check_options(stage, codes, writer)
    stage.action(f"check {path}", writer.check)
    rel = stage.materialise(stage.rel, "output")
    items = [sql.alias(line(rel), "line")]
    if writer.partition and "{logtime:" in path:
        time = rel.column("_time")
        if time is None or time.type.kind is not Kind.DATE:
            stage.fail(codes.macro, "missing-time", "{logtime:} needs rows with a date in _time")
        items.append(sql.alias(rel.expr(time.ident), "time"))
    query = sql.select(items, sql.table(rel.source))
    stage.action(f"write {path}", lambda runtime: writer.run(runtime, query))
    return rel


def _check_options(stage: Stage, codes: Codes, writer: FileWriter) -> None:
    from udfs.dates import DatePatternError, compile_pattern

    if writer.overwrite and writer.append:
        stage.fail(codes.both, "choose-overwrite-or-append", "overwrite=t and append=t exclude each other")
    macros = _MACRO.findall(writer.path)
    if bool(macros) != writer.partition:
        message = (
            "a path with {logtime:} or {now:} needs partition=t"
            if macros
            else "partition=t needs {logtime:FORMAT} or {now:FORMAT} in the path"
        )
        stage.fail(codes.macro, "use-partition-option", message, stage.args.path.span)
    for _, pattern in macros:
        try:
            compile_pattern(pattern)
        except DatePatternError as problem:
            message = f"{pattern} is no date format: {problem}"
            stage.fail("90820", "invalid-date-format-pattern", message, stage.args.path.span)


def _charset(stage: Stage, codes: Codes) -> str:
    from udfs.text import charset

    name = stage.option("encoding")
    try:
        return charset(name)
    except (LookupError, ValueError):
        stage.fail(codes.encoding, "unsupported-encoding", f"there is no charset {name}")
