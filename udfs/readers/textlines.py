"""``textfile``: the lines of text files, plain or compressed, as rows (commands.md, language.md 8.1).

Columns ``line`` (string), ``_time`` (instant) and ``_file`` (base name). ``begins`` and ``ends`` join physical lines
into records: a record starts at a line that begins one and after a line that ends one; its lines are joined by LF.
Regular expressions come compiled, as functions over Arrow arrays, so this module needs no engine for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.base import PLACE, Line, ReadContext, ReaderError, batch_of, check_cancelled, field, file_name, select
from udfs.readers.evidence import NOWHERE, Placing
from udfs.readers.framedlines import read_frames
from udfs.readers.lines import codec_name, read_lines
from udfs.readers.sources import Member, open_source

TIME = pa.timestamp("us", tz="UTC")
MAX_RECORD = 64 << 20
"""Bytes after which a joined record is cut (ledger: ``record-cut``): a pattern without match must not eat memory."""


@dataclass(frozen=True)
class Records:
    """Texts of records (string array), and the number of the line on which each begins."""

    array: pa.Array
    lines: Sequence[int]


ArrayTest = Callable[[pa.Array], pa.Array]


#: Name of the column with the modification time of the file.
WRITTEN = "__written"


@dataclass(frozen=True)
class TextReader:
    """Rows of text files, one per line or record.

    ``begins``/``ends``: string array -> boolean array (null counts as false). ``extract_time``: string array -> array
    castable to ``timestamp[us, UTC]``, null where the text holds no time; such rows get a null ``_time`` and enter the
    ledger as ``no-time-found``. Without it ``_time`` is ``load_time`` (default: the moment of construction).
    ``offset`` and ``limit`` count rows over all paths. ``framing``: a line is a frame of syslog, of one of the
    ``framing.MODES``. ReaderError ``unknown-charset`` on construction. Of several
    files or archive entries one that cannot be opened is a ledger entry.
    """

    paths: Sequence[str | Member]
    charset: str = "utf-8"
    begins: ArrayTest | None = None
    ends: ArrayTest | None = None
    extract_time: Callable[[pa.Array], pa.Array] | None = None
    limit: int | None = None
    offset: int = 0
    load_time: datetime | None = None
    entry_column: bool = False
    written_column: bool = False
    placed: bool = False
    place: Placing = NOWHERE
    framing: str | None = None

    def __post_init__(self) -> None:
        codec_name(self.charset)
        if self.load_time is None:
            object.__setattr__(self, "load_time", datetime.now(UTC))

    @property
    def schema(self) -> pa.Schema:
        """``line``, ``_time``, ``_file``, in archives ``_entry``; with ``written_column`` when the file was written,
        with ``placed`` the lines of the rows of a single file; then what ``place`` adds.
        """
        return self.place.schema(self._own())

    def _own(self) -> pa.Schema:
        fields = [field("line", pa.string()), field("_time", TIME), field("_file", pa.string())]
        if self.entry_column:
            fields.append(field("_entry", pa.string()))
        if self.written_column:
            fields.append(field(WRITTEN, TIME))
        if self.placed and len(self.paths) == 1:
            fields.append(field(PLACE, pa.int64()))
        return pa.schema(fields)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of up to about 100,000 rows."""
        window = Window(self.offset, self.limit)

        def one(path: str | Member, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
            if window.done:
                return
            for records in self._records(path, context):
                check_cancelled(context)
                skipped = window.skips(len(records.array))
                kept = window.cut(records.array)
                if len(kept):
                    yield self._batch(schema, Records(kept, records.lines[skipped:]), path, context)
                if window.done:
                    return

        yield from self.place.scan(self.paths, select(self.schema, columns), self._own(), context, one)

    def _records(self, path: str | Member, context: ReadContext) -> Iterator[Records]:
        with open_source(path, context) as source:
            if self.framing is None:
                blocks = read_lines(source, self.charset, context)
            else:
                blocks = read_frames(source, self.framing, self.charset, context)
            if self.begins is None and self.ends is None:
                for block in blocks:
                    yield Records(block.array, range(block.first + 1, block.first + 1 + len(block.array)))
            else:
                arrays = (block.array for block in blocks)
                yield from joined(arrays, self.begins, self.ends, source.name, context)

    def _batch(self, schema: pa.Schema, records: Records, path: str | Member, context: ReadContext) -> pa.RecordBatch:
        lines = records.array
        rows = len(lines)
        archive, name = (path.zip_path, path.name) if isinstance(path, Member) else (path, path)
        made: dict[str, pa.Array] = {}
        for wanted in schema.names:
            if wanted == "line":
                made[wanted] = lines
            elif wanted == "_time":
                made[wanted] = self._times(records, name, context)
            elif wanted == "_file":
                # The vendor's ``zipfile`` names the archive there, and the entry beside it.
                shown = archive if self.entry_column or not isinstance(path, Member) else path.entry
                made[wanted] = pa.repeat(pa.scalar(file_name(shown), pa.string()), rows)
            elif wanted == PLACE:
                made[wanted] = pa.array(np.asarray(records.lines, np.int64))
            elif wanted == WRITTEN:
                made[wanted] = pa.repeat(_written(archive, context), rows)
            elif isinstance(path, Member):
                made[wanted] = pa.repeat(pa.scalar(path.entry, pa.string()), rows)
        return batch_of(schema, made, rows)

    def _times(self, records: Records, name: str, context: ReadContext) -> pa.Array:
        lines = records.array
        if self.extract_time is None:
            return pa.repeat(pa.scalar(self.load_time, TIME), len(lines))
        times = self.extract_time(lines)
        if isinstance(times, pa.ChunkedArray):
            times = times.combine_chunks()
        if times.type != TIME:
            times = times.cast(TIME)
        if times.null_count:
            first = pc.index(pc.is_null(times), True).as_py()
            place = Line(records.lines[first])
            context.loss.lost(name, "no-time-found", times.null_count, place, lines[first].as_py()[:120])
        return times


def _written(path: str, context: ReadContext) -> pa.Scalar:
    """The modification time of a file; null where it has none (a stream that is no file)."""
    try:
        nanoseconds = context.files.state(path)[2]
    except ReaderError:
        return pa.scalar(None, TIME)
    return pa.scalar(nanoseconds // 1000, TIME)


class Window:
    """``offset`` and ``limit`` over a stream of arrays or batches."""

    def __init__(self, offset: int = 0, limit: int | None = None) -> None:
        self._skip = max(offset, 0)
        self._left = limit

    @property
    def done(self) -> bool:
        """No further row is wanted."""
        return self._left is not None and self._left <= 0

    def skips(self, rows: int) -> int:
        """How many of the next ``rows`` rows lie before the window."""
        return min(self._skip, rows)

    def cut(self, rows: pa.Array) -> pa.Array:
        """The part of ``rows`` inside the window."""
        if self._skip:
            skipped = min(self._skip, len(rows))
            self._skip -= skipped
            rows = rows.slice(skipped)
        if self._left is not None:
            rows = rows.slice(0, max(self._left, 0))
            self._left -= len(rows)
        return rows


def joined(
    arrays: Iterator[pa.Array], begins: ArrayTest | None, ends: ArrayTest | None, name: str, context: ReadContext
) -> Iterator[Records]:
    """Records, each the lines of one record joined by LF; the open record is carried over chunks."""
    held: list[pa.Array] = []
    held_bytes = 0
    after_end = True
    done = 0  # lines of whole records
    for array in arrays:
        if len(array) == 0:
            continue
        starts = _flags(begins, array)
        ended = _flags(ends, array)
        starts[1:] |= ended[:-1]
        starts[0] |= after_end
        after_end = bool(ended[-1])
        positions = np.flatnonzero(starts)
        if len(positions) == 0:
            held.append(array)
        else:
            first, last = int(positions[0]), int(positions[-1])
            held.append(array.slice(0, first))
            yield _record(held, done)
            done += sum(map(len, held))
            if last > first:
                places = np.append(positions[:-1], last) - first
                lists = pa.ListArray.from_arrays(pa.array(places, pa.int32()), array.slice(first, last - first))
                yield Records(pc.binary_join(lists, "\n"), (places[:-1] + done + 1).tolist())
                done += last - first
            held, held_bytes = [array.slice(last)], 0
        held_bytes += held[-1].nbytes
        if held_bytes > MAX_RECORD:
            place = Line(done + 1)
            context.loss.lost(name, "record-cut", 1, place, "a record longer than 64 MB became several rows")
            yield _record(held, done)
            done += sum(map(len, held))
            held, held_bytes = [], 0
    yield _record(held, done)


def _flags(test: ArrayTest | None, lines: pa.Array) -> pa.Array:
    if test is None:
        return np.zeros(len(lines), bool)
    flags = test(lines)
    if isinstance(flags, pa.ChunkedArray):
        flags = flags.combine_chunks()
    return pc.fill_null(flags, False).to_numpy(zero_copy_only=False).copy()


def _record(held: list[pa.Array], done: int) -> Records:
    """One record of all held lines, behind so many lines; no lines, no record."""
    lines = [array for array in held if len(array)]
    if not lines:
        return Records(pa.array([], pa.string()), [])
    whole = pa.concat_arrays(lines)
    text = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(whole)], pa.int32()), whole), "\n")
    return Records(text, [done + 1])
