"""Rows into files: what ``outputcsv``, ``outputjson`` and ``outputtxt`` do once their rows are stored.

Rows are read in record batches, become one text column of finished lines (the writers of :mod:`logsql.render`), are
encoded, and go to one file or, by the dates in the path, to several. Files appear when all rows are written.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, diagnostic
from logsql.diagnostics.losses import Fate, loss
from logsql.engine.present import Field, arrow_field, present_column
from logsql.engine.stageruntime import Actions
from logsql.planner.relation import Column, Rel
from logsql.render.csv import quoted_lines
from logsql.render.pieces import pieces
from logsql.render.texts import joined_lines, object_lines, put
from logsql.render.values import text_column
from logsql.store.outputfiles import Manner, OutputFile, check_target, check_temporary, commit
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.values import Typed
from udfs.java.dates import DatePattern, compile_pattern, format_array
from udfs.text import encode_text, stream_codec

_MACRO = re.compile(r"\{(logtime|now):([^{}]*)\}")
#: Files open at the same time; the others are closed between their batches.
OPEN_FILES = 64
_ROW_TIME = "__time"


# --- the path ---------------------------------------------------------------------------------------------------------


LEFT_AS_IT_WAS = loss(
    "file-left-as-it-was-no-rows",
    ("no rows: the file was left as it was", "행이 없어 파일을 그대로 두었습니다"),
    fact=True,
)
NO_DATE = loss(
    "rows-without-date-in-path",
    ("rows without a date for the path: not written", "경로에 쓸 날짜가 없어 쓰지 않은 행"),
)
NOT_IN_CHARSET = loss(
    "characters-not-in-{charset}",
    ("characters that the charset lacks: ? was written", "문자 집합에 없는 문자: ?로 씀"),
    fate=Fate.CHANGED,
)


@dataclass(frozen=True)
class PathTemplate:
    """A path with dates in it: literal texts, and (``logtime`` | ``now``, pattern) pairs."""

    pieces: tuple[str | tuple[str, DatePattern], ...]

    @property
    def dated(self) -> bool:
        """Whether the path depends on the row."""
        return any(isinstance(p, tuple) and p[0] == "logtime" for p in self.pieces)

    @property
    def plain(self) -> bool:
        """Whether the path holds no date at all."""
        return not any(isinstance(p, tuple) for p in self.pieces)

    def at(self, now: dt.datetime, zone: str) -> str:
        """The path at one instant (for both kinds of date)."""
        return "".join(p if isinstance(p, str) else p[1].format(now, zone) for p in self.pieces)

    def of_rows(self, instants: pa.Array, now: dt.datetime, zone: str) -> tuple[pa.Array, int]:
        """The path of every row, and how many rows have no date that can be printed: they go by ``now``."""
        undated = instants.null_count
        parts: list[pa.Array | str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                parts.append(piece)
            elif piece[0] == "now":
                parts.append(piece[1].format(now, zone))
            else:
                pattern = piece[1]
                exact = any(letter == "S" for letter, count in pattern.tokens if count)
                text = format_array(instants if exact else _seconds(instants), pattern, zone)
                undated = max(undated, text.null_count)
                parts.append(pc.fill_null(text, pattern.format(now, zone)))
        return pc.binary_join_element_wise(*parts, ""), undated


def _seconds(instants: pa.Array) -> pa.Array:
    """Instants cut to seconds: far fewer distinct ones, and no pattern without S can tell."""
    whole = pc.floor_temporal(instants.cast(pa.timestamp("us")), unit="second")
    return whole.cast(pa.timestamp("us", tz="UTC"))


def path_template(path: str) -> PathTemplate:
    """Split ``{logtime:FMT}`` and ``{now:FMT}`` out of a path; raises DatePatternError for a bad FMT."""
    found: list[str | tuple[str, DatePattern]] = []
    end = 0
    for macro in _MACRO.finditer(path):
        found.append(path[end : macro.start()])
        found.append((macro[1], compile_pattern(macro[2])))
        end = macro.end()
    found.append(path[end:])
    return PathTemplate(tuple(p for p in found if p != ""))


# --- lines ------------------------------------------------------------------------------------------------------------

Lines = Callable[[pa.RecordBatch], pa.Array]


def csv_lines(mark: str) -> Lines:
    """Every cell in quotes; null is an empty cell."""
    return lambda piece: quoted_lines(_texts(piece), mark, piece.num_rows)


def txt_lines(mark: str, nothing: str = "") -> Lines:
    """Texts with ``mark`` between them, nothing quoted; ``nothing`` stands for null."""
    return lambda piece: joined_lines(_texts(piece, nothing), mark, piece.num_rows)


def json_lines(piece: pa.RecordBatch) -> pa.Array:
    """One compact object per row."""
    return object_lines(piece, "}\n")


def _texts(piece: pa.RecordBatch, nothing: str = "") -> list[pa.Array]:
    return [pc.fill_null(text_column(piece.column(i), field), nothing) for i, field in enumerate(piece.schema)]


# --- encoding ---------------------------------------------------------------------------------------------------------


class Encoder:
    """UTF-8 lines in the charset of the file; characters it cannot hold become ``?`` and are counted."""

    def __init__(self, codec: str) -> None:
        self.codec, self.mark = stream_codec(codec)
        self._language_codec = codec
        self._whole = self.codec.replace("_", "-").startswith("utf-")
        self._known: dict[str, bool] = {}
        self.replaced = 0
        self.sample: str | None = None

    def encode(self, data: bytes | memoryview) -> bytes | memoryview:
        if self.codec == "utf-8":
            return data
        text = str(data, "utf-8")
        if not self._whole and not text.isascii():
            text = self._fitting(text)
        return text.encode(self.codec)

    def _fitting(self, text: str) -> str:
        """The text with ``?`` for characters without a code (EUC-KR in Python would spell some with eight bytes)."""
        gone: list[str] = []
        for char in sorted(set(text)):
            fits = self._known.get(char)
            if fits is None:
                code = encode_text(char, self._language_codec)
                fits = self._known[char] = char == "?" or code != encode_text("?", self._language_codec)
            if not fits:
                gone.append(char)
        if not gone:
            return text
        self.sample = self.sample or gone[0]
        self.replaced += sum(text.count(char) for char in gone)
        return text.translate(dict.fromkeys(map(ord, gone), "?"))


# --- writing ----------------------------------------------------------------------------------------------------------


class Target(Protocol):
    """One file that is being written: nothing is at its path before every row is there."""

    def write(self, data: bytes | memoryview) -> None: ...
    def suspend(self) -> None:
        """Let go of what an open file holds until the next write."""

    def discard(self) -> None:
        """Throw away what was written."""


class Targets(Protocol):
    """Where the files of a job are: on this machine, or on a server."""

    def check(self, runtime: Actions, path: str, manner: Manner, fixed: str | None) -> None:
        """Refuse what cannot be written, before any row is read. ``path`` as the query has it; ``fixed``: that of the
        file, where it does not depend on the rows."""

    def open(self, path: str, manner: Manner, runtime: Actions) -> Target:
        """A file to write."""

    def commit(self, files: Collection[Any], runtime: Actions) -> None:
        """Put the finished files in their places."""

    def end(self) -> None:
        """Nothing more is written."""


class LocalTargets:
    """Files of this machine, as the policy allows them."""

    def check(self, runtime: Actions, path: str, manner: Manner, fixed: str | None) -> None:
        """See :class:`Targets`."""
        runtime.policy.check_write(path)
        if manner.tmp is not None:
            runtime.policy.check_write(manner.tmp)
            check_temporary(manner)
        if fixed is not None:
            check_target(fixed, manner)

    def open(self, path: str, manner: Manner, runtime: Actions) -> OutputFile:
        """See :class:`Targets`."""
        runtime.policy.check_write(path)  # a date in the path may hold more than digits
        return OutputFile(path, manner, runtime.cancelled)

    def commit(self, files: Collection[OutputFile], runtime: Actions) -> None:
        """See :class:`Targets`."""
        commit(files, runtime.cancelled)

    def end(self) -> None:
        """Each file is closed by itself."""


LOCAL = LocalTargets()


@dataclass(frozen=True)
class Job:
    """One output command. ``header`` makes the first line of a new file from the names of the fields."""

    command: str
    path: str
    template: PathTemplate
    manner: Manner
    codec: str
    charset: str
    lines: Lines
    header: Callable[[Sequence[str]], str] | None = None
    bom: bool = False
    empty_file: bool = False
    targets: Targets = LOCAL


class Output:
    """Carries out one job: ``check`` before any row is read, ``write`` when the rows are stored."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.now = dt.datetime.now(dt.UTC)

    def check(self, runtime: Actions) -> None:
        """Refuse what cannot be written: by the policy, or because a file is in the way."""
        job = self.job
        self.now = dt.datetime.now(dt.UTC)
        fixed = None if job.template.dated else job.template.at(self.now, runtime.zone)
        job.targets.check(runtime, job.path, job.manner, fixed)

    def write(self, runtime: Actions, rel: Rel, chosen: Sequence[tuple[str, Typed]], time: Sql | None) -> None:
        """Write the rows of a stored relation: the ``chosen`` values, or all fields when there are none.

        ``time`` is the date of a row for ``{logtime:..}``, None when no row has one.
        """
        fields = [value_field(rel, name, value) for name, value in chosen] or runtime.fields(rel)
        encoder = Encoder(self.job.codec)
        job = replace(self.job, manner=self._manner([f.name for f in fields], encoder))
        writer = _Writer(job, encoder, runtime, self.now)
        try:
            for piece in pieces(_Stored(runtime, rel, fields, time)):
                writer.add(piece)
            writer.commit()
        except BaseException:
            writer.discard()
            raise
        finally:
            job.targets.end()

    def _manner(self, names: Sequence[str], encoder: Encoder) -> Manner:
        job = self.job
        mark = encoder.mark or ("\ufeff".encode(encoder.codec) if job.bom else b"")
        header = bytes(encoder.encode(job.header(names).encode())) if job.header is not None else b""
        return replace(job.manner, prefix=mark + header, newline="\n".encode(encoder.codec))


def value_field(rel: Rel, name: str, value: Typed) -> Field:
    """A value over a stored relation as a field that can be fetched."""
    if value.parts:
        parts = tuple(Column(f"p{i}", f"p{i}", p.type) for i, p in enumerate(value.parts))
        pending = {f"p{i}": p.expr for i, p in enumerate(value.parts)}
        column = Column(name, "v", value.type, parts)
    else:
        pending = {"v": value.expr}
        column = Column(name, "v", value.type)
    return present_column(replace(rel, columns=(column,), pending=pending), column)


class _Stored:
    """The stored rows as the writers of :mod:`logsql.render` read them; the first column is the date of the row."""

    def __init__(self, runtime: Actions, rel: Rel, fields: Sequence[Field], time: Sql | None) -> None:
        self.columns = [f.name for f in fields]
        self.types = [f.label for f in fields]
        self._runtime = runtime
        first = sql.null("TIMESTAMP WITH TIME ZONE") if time is None else time
        items = [sql.alias(first, "t"), *(sql.alias(f.expr, f"c{i}") for i, f in enumerate(fields))]
        self._query = sql.select(items, sql.table(rel.source))

    def batches(self, size: int = 65536) -> Iterator[pa.RecordBatch]:
        schema: pa.Schema | None = None
        for batch in self._runtime.batches(self._query, size):
            if self._runtime.cancelled():
                raise Interrupted(diagnostic(INTERRUPTED))
            if schema is None:
                named = zip(self.columns, self.types, batch.schema.types[1:], strict=True)
                schema = pa.schema([batch.schema.field(0).with_name(_ROW_TIME), *(arrow_field(*f) for f in named)])
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


class _Writer:
    """The files of one run by path, and what was lost on the way."""

    def __init__(self, job: Job, encoder: Encoder, runtime: Actions, now: dt.datetime) -> None:
        self.job = job
        self.encoder = encoder
        self.runtime = runtime
        self.now = now
        self.files: dict[str, Target] = {}
        self.active: dict[str, Target] = {}
        self.undated = 0
        self.rows = 0

    def add(self, piece: pa.RecordBatch) -> None:
        """Write the rows of one batch."""
        lines = self.job.lines(_without_time(piece))
        self.rows += piece.num_rows
        template = self.job.template
        if not template.dated:
            self._put(template.at(self.now, self.runtime.zone), lines)
            return
        paths, undated = template.of_rows(piece.column(0), self.now, self.runtime.zone)
        self.undated += undated
        keys = pc.dictionary_encode(paths)
        codes = keys.indices.to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(keys.dictionary) + 1))
        for number, path in enumerate(keys.dictionary.to_pylist()):
            self._put(path, lines.take(pa.array(order[bounds[number] : bounds[number + 1]])))

    def _put(self, path: str, lines: pa.Array) -> None:
        sink: Any = _Sink(self._file(path), self.encoder)
        put(sink, lines)

    def _file(self, path: str) -> Target:
        found = self.files.get(path)
        if found is None:
            found = self.files[path] = self.job.targets.open(path, self.job.manner, self.runtime)
        self.active.pop(path, None)
        self.active[path] = found
        if len(self.active) > OPEN_FILES:
            self.active.pop(next(iter(self.active))).suspend()
        return found

    def commit(self) -> None:
        """Put all files in place and report what was lost."""
        template = self.job.template
        if not self.rows and not template.dated:
            path = template.at(self.now, self.runtime.zone)
            if self.job.empty_file:
                self._file(path)
            elif self.job.manner.overwrite:
                self.runtime.loss.lost(path, LEFT_AS_IT_WAS.name, 0)
        self.job.targets.commit(self.files.values(), self.runtime)
        if self.undated:
            self.runtime.loss.lost(self.job.command, NO_DATE.name, self.undated)
        if self.encoder.replaced:
            reason = f"characters-not-in-{self.job.charset.lower()}"
            self.runtime.loss.lost(self.job.path, reason, self.encoder.replaced, sample=self.encoder.sample)

    def discard(self) -> None:
        for file in self.files.values():
            file.discard()


@dataclass(frozen=True)
class _Sink:
    """A file as the writers of :mod:`logsql.render` see it."""

    file: Target
    encoder: Encoder

    def write(self, data: Any) -> None:
        self.file.write(self.encoder.encode(data))


def _without_time(piece: pa.RecordBatch) -> pa.RecordBatch:
    if piece.num_columns == 1:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * piece.num_rows, pa.struct([])))
    return piece.select(list(range(1, piece.num_columns)))
