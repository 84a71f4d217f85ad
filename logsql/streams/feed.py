"""A feed: an ordered durable log of Arrow record batches in one folder, with a number for every row.

The journal of a receiver, what a stream gives to others, the rows of a window that is still open, what waits for a
sink: all are feeds. One thread writes, many read. What is appended is in the file at once (``kill -9`` loses nothing)
and is seen by readers when it is published; :meth:`Feed.sync` has it on the disk.

Files are segments of about one size; those whose rows nobody needs any more go as a whole.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from logsql.store.files import Files
from logsql.store.logfiles import FULL, LogFile, drop, make_private_folder
from logsql.store.placing import settle_folder
from logsql.streams.records import (
    BEGIN,
    HEADER,
    NO_TIME,
    ROWS,
    SCHEMA,
    Broken,
    Facts,
    Index,
    Record,
    Torn,
    begin,
    broken,
    follows,
    gap,
    header,
    later,
    packed,
    walk,
    whole,
)

__all__ = ["Broken", "Feed", "FeedFull", "Span", "Taken"]

SEGMENT = 64_000_000
_ENDING = ".feed"
#: Segments whose places of records are remembered.
_INDEXED = 3
_MOST_BYTES = 16_000_000


class FeedFull(OSError):
    """The disk has no room; nothing was written. It may be tried again later."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ENOSPC, os.strerror(errno.ENOSPC), path)


class Taken(NamedTuple):
    """Rows of one schema: the number of the first, and the position from which to read on."""

    rows: pa.Table
    first: int
    next: int


class Span(NamedTuple):
    """A record: its first row, the row behind its last, least and most ``_time`` in microseconds since 1970."""

    first: int
    next: int
    least: int | None
    most: int | None


class _Segment:
    """One file: its rows, and where they stand once that was asked for."""

    def __init__(self, number: int, file: LogFile, first: int, end: int) -> None:
        self.number = number
        self.file = file
        self.first = first
        self.end = end
        #: Bytes whose records the index has: the file may be a record ahead.
        self.size = file.size
        self.index: Index | None = None
        self.schema: pa.Schema | None = None
        self.lock = threading.Lock()


class Feed:
    """One folder, made where it is not there; every file goes through ``files``. ``segment``: bytes of one file.

    A torn last record is cut off when the feed is opened (:attr:`repaired`: so many bytes). Raises :class:`Broken` for
    damage that is no torn end, OSError. Row numbers never start again. ``released``: up to where :meth:`release` was
    called since it was opened.
    """

    def __init__(self, folder: Path, files: Files, *, segment: int = SEGMENT) -> None:
        self.folder = folder
        self.repaired = 0
        self._files = files
        self._most = segment
        self._changed = threading.Condition()
        self._writer = threading.RLock()
        self._wakers: list[Callable[[], None]] = []
        self._segments: list[_Segment] = []
        self._indexed: deque[_Segment] = deque()
        self._unsynced: list[LogFile] = []
        self._syncing = threading.Lock()
        # those of its folders too: spool/SINK/UNIT
        self._unnamed: tuple[Path, ...] = (folder, *folder.parents[:3])
        self.released = 0
        self._synced = 0
        self._closed = False
        self._pending_note = b""
        make_private_folder(files, folder)
        self._load()
        self.note = self._pending_note
        self.published = self.end

    # --- what it holds ----------------------------------------------------------------------------

    @property
    def start(self) -> int:
        """The first row that is still there."""
        return self._segments[0].first

    @property
    def end(self) -> int:
        """The number of the next row; readers see rows before :attr:`published`."""
        return self._segments[-1].end

    @property
    def settled(self) -> int:
        """Rows before it are on the disk, and outlast a power cut."""
        return self._synced

    @property
    def size(self) -> int:
        """Bytes in its files."""
        return sum(segment.size for segment in list(self._segments))

    def backlog(self, position: int) -> int:
        """Bytes on the disk from a row on."""
        segments = self._from(position)
        if not segments:
            return 0
        index = self._index(segments[0])
        number = max(index.number(position), 0)
        return sum(segment.size for segment in segments) - index.places[number]

    # --- writing ----------------------------------------------------------------------------------

    def append(self, batch: pa.RecordBatch, note: bytes = b"") -> int:
        """Add rows; returns the new end. Nobody sees them before :meth:`publish`.

        ``note``: kept with the rows and given back as :attr:`note`; without one the earlier stays. A batch without rows
        is a note alone. Raises :class:`FeedFull`, OSError; then nothing was added.
        """
        with self._writer:
            if not batch.num_rows and not note:
                return self.end
            batch = _plain(batch)
            if self._segments[-1].file.size >= self._most:
                self._roll(self.end)
            active = self._segments[-1]
            index = self._index(active)
            at = active.file.size
            pieces: list[bytes | memoryview] = []
            new_schema = active.schema is None or not active.schema.equals(batch.schema, check_metadata=True)
            if new_schema:
                shape = memoryview(batch.schema.serialize())
                pieces += packed(SCHEMA, Facts(active.end, self._synced), b"", shape)
            behind = at + sum(len(piece) for piece in pieces)
            least, most = _times(batch)
            facts = Facts(active.end, self._synced, batch.num_rows, least, most)
            pieces += packed(ROWS, facts, note, memoryview(batch.serialize()))
            self._write(active, pieces)
            with self._changed:
                if new_schema:
                    active.schema = batch.schema
                    index.add_schema(at, batch.schema)
                if batch.num_rows:
                    index.firsts.append(active.end)
                    index.places.append(behind)
                active.end += batch.num_rows
                active.size = active.file.size
                self._pending_note = note or self._pending_note
                return active.end

    def publish(self) -> None:
        """What was appended is visible from now on."""
        with self._changed:
            self.published = self.end
            self.note = self._pending_note
            self._changed.notify_all()
        for wake in tuple(self._wakers):
            wake()

    def _write(self, segment: _Segment, pieces: list[bytes | memoryview]) -> None:
        try:
            segment.file.append(pieces)
        except OSError as problem:
            if problem.errno in FULL:
                raise FeedFull(segment.file.path) from None
            raise

    def _roll(self, first: int) -> None:
        """Begin a new file with row ``first``."""
        last = self._segments[-1] if self._segments else None
        number = 1 if last is None else last.number + 1
        ended = first if last is None else last.end
        try:
            file = LogFile(self._files, str(self.folder / f"{number:012d}{_ENDING}"), new=True)
        except OSError as problem:
            if problem.errno in FULL:
                raise FeedFull(str(self.folder)) from None
            raise
        made = _Segment(number, file, first, first)
        made.index = Index()
        try:
            self._write(made, begin(first, ended, self._synced, self._pending_note))
        except OSError:
            file.close()
            with contextlib.suppress(OSError):
                drop(self._files, file.path)
            raise
        made.size = file.size
        with self._changed:
            self._segments.append(made)
            self._unnamed = self._unnamed or (self.folder,)
            if last is not None:
                self._unsynced.append(last.file)
                self._remember(last)

    def sync(self) -> None:
        """Have what was appended on the disk, and the names of its files. Raises OSError, and tries all again then."""
        with self._syncing:  # who comes second must not believe that the first is through with the earlier files
            with self._writer:
                end, earlier, last, folders = self.end, self._unsynced, self._segments[-1].file, self._unnamed
                self._unsynced, self._unnamed = [], ()
            if end == self._synced and not earlier:
                self._unnamed = folders
                return
            try:
                for file in (*earlier, last):
                    file.sync()
                for folder in folders:
                    settle_folder(folder)
            except OSError:
                with self._writer:
                    self._unsynced = earlier + self._unsynced
                    self._unnamed = folders
                raise
            with self._writer:
                self._synced = max(self._synced, min(end, self.end))

    # --- reading ----------------------------------------------------------------------------------

    def read(self, position: int, most: int = 20_000, most_bytes: int = _MOST_BYTES) -> Taken | None:
        """Published rows from a position on, at least one record's; None where there are none yet.

        An answer has one schema and ends with ``most`` rows, at ``most_bytes`` and at the end of a file. Rows that
        were released, and numbers that no row has, are stepped over: see :attr:`Taken.first`. Raises Broken, OSError.
        """
        segments = self._from(position)
        if not segments or most <= 0:
            return None
        segment = segments[0]
        index = self._index(segment)
        position = max(position, segment.first)
        with self._changed:
            first = index.number(position)
            start = index.places[first]
            ends = [
                bisect_left(index.firsts, min(position + most, self.published)),
                max(bisect_left(index.places, start + most_bytes), first + 1),
                bisect_left(index.places, index.schema_end(start)),
            ]
            last = min(ends)
            end = index.places[last] if last < len(index.places) else segment.size
            schema = index.schema(start)
        data = segment.file.read(start, end - start)
        batches = self._batches(segment, start, data, schema)
        begins = index.firsts[first]
        rows = pa.Table.from_batches(batches, schema).slice(position - begins, min(most, self.published - position))
        return Taken(rows, position, position + rows.num_rows)

    def _batches(self, segment: _Segment, start: int, data: bytes, schema: pa.Schema) -> list[pa.RecordBatch]:
        view, at, found = memoryview(data), 0, []
        while at < len(data):
            record = header(view[at : at + HEADER], start + at, segment.file.path)
            body = view[at + HEADER : at + record.end - record.at] if record is not None else view[:0]
            if record is None or not whole(record, body):
                raise broken(segment.file.path, start + at)
            if record.kind == ROWS and record.rows:
                found.append(pa.ipc.read_record_batch(pa.py_buffer(record.payload_in(body)), schema))
            at += HEADER + len(body)
        return found

    def times(self, position: int) -> Span | None:
        """The record that holds a published row, without its rows; None where there is none yet."""
        segments = self._from(position)
        if not segments:
            return None
        segment = segments[0]
        index = self._index(segment)
        at = index.places[index.number(max(position, segment.first))]
        record = header(segment.file.read(at, HEADER), at, segment.file.path)
        if record is None:
            raise broken(segment.file.path, at)
        least, most = (None if time == NO_TIME else time for time in (record.least, record.most))
        return Span(record.first, record.first + record.rows, least, most)

    def _from(self, position: int) -> list[_Segment]:
        """The segments that hold published rows from a position on."""
        with self._changed:
            if position >= self.published:
                return []
            at = max(bisect_right(self._segments, position, key=lambda segment: segment.first) - 1, 0)
            while at < len(self._segments) and self._segments[at].end <= max(position, self._segments[at].first):
                at += 1
            return self._segments[at:]

    def _index(self, segment: _Segment) -> Index:
        """Where the rows of a segment stand: remembered for those read last."""
        with segment.lock:
            index = segment.index
            if index is None:
                index = Index()
                try:
                    for record, data in walk(segment.file, verify=False):
                        index.add(record, data)
                except Torn as torn:
                    raise broken(segment.file.path, torn.at) from None
                segment.index = index
        if segment is not self._segments[-1] and (not self._indexed or self._indexed[-1] is not segment):
            with self._changed:
                self._remember(segment)
        return index

    def _remember(self, segment: _Segment) -> None:
        """This segment's index was used last; of the finished ones only a few keep theirs."""
        if segment in self._indexed:
            self._indexed.remove(segment)
        self._indexed.append(segment)
        if len(self._indexed) > _INDEXED:
            self._indexed.popleft().index = None

    # --- waiting ----------------------------------------------------------------------------------

    def wait(self, position: int, seconds: float) -> bool:
        """Until rows behind a position are published; False when the time is over or the feed is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._from(position)), seconds)
            return not self._closed and bool(self._from(position))

    def add_waker(self, wake: Callable[[], None]) -> None:
        """Call something, from the writing thread, whenever rows were published. It must be quick."""
        with self._changed:
            self._wakers.append(wake)

    def remove_waker(self, wake: Callable[[], None]) -> None:
        """Call it no longer."""
        with self._changed:
            self._wakers.remove(wake)

    # --- cutting and releasing --------------------------------------------------------------------

    def cut(self, end: int) -> None:
        """Forget rows that were appended and never committed: at the start before anybody reads, or before they are
        published.

        Where the feed is shorter than what was committed (a power cut), numbering goes on at ``end``. Raises Broken
        for an ``end`` that no append had.
        """
        with self._writer:
            if end > self.end:
                self._roll(end)
            elif end < self.end:
                self._cut_back(max(end, self.start))
            self.publish()

    def _cut_back(self, end: int) -> None:
        segments = self._segments
        while len(segments) > 1 and (segments[-1].first > end or segments[-1].first == segments[-2].end == end):
            with self._changed:
                gone = segments.pop()
            self._remove(gone)
        last, index, note, at = segments[-1], Index(), b"", 0
        for record, data in walk(last.file, verify=False):  # whole: the end was looked through when it was opened
            if record.first + record.rows > end or (record.first == end and record.kind != BEGIN):
                if record.first < end:
                    raise broken(last.file.path, record.at)
                break
            index.add(record, data)
            note, at = record.note_in(data) or note, record.end
        last.file.cut(at)
        with self._changed:
            last.index, last.size, last.end, self._pending_note = index, at, end, note
            last.schema = index.schemas[-1] if index.schemas else None
            if last in self._indexed:
                self._indexed.remove(last)
        self._synced = min(self._synced, end)

    def release(self, position: int) -> None:
        """Rows before a position are needed no more: files that hold nothing else go."""
        with self._writer:
            self.released = max(self.released, position)
            last = self._segments[-1]
            if self.released >= last.end and last.file.size > self._most // 2 and last.end > last.first:
                with contextlib.suppress(FeedFull):
                    self._roll(last.end)
                    self._segments[-1].file.sync()
                    settle_folder(self.folder)
            while len(self._segments) > 1 and self._segments[1].first <= self.released:
                gone = self._segments[0]
                if not drop(self._files, gone.file.path):
                    return
                with self._changed:
                    self._segments.pop(0)
                    if gone.file in self._unsynced:
                        self._unsynced.remove(gone.file)
                    if gone in self._indexed:
                        self._indexed.remove(gone)

    def _remove(self, segment: _Segment) -> None:
        if segment.file in self._unsynced:
            self._unsynced.remove(segment.file)
        segment.file.close()
        drop(self._files, segment.file.path)

    def close(self) -> None:
        """Release the files; who waits is woken."""
        with self._writer, self._changed:
            self._closed = True
            self._changed.notify_all()
            for segment in self._segments:
                segment.file.close()

    # --- opening ----------------------------------------------------------------------------------

    def _load(self) -> None:
        """Find the files, join them, cut off a torn end."""
        for path in self._files.matching(self.folder, _ENDING):
            file = LogFile(self._files, str(path))
            first = _first_record(file)
            if first is None:
                self._drop_torn_file(file)
                continue
            record, data = first
            if self._segments:
                before, ended = self._segments[-1], follows(record.payload_in(memoryview(data)))
                before.end = ended
                if int(path.stem) != before.number + 1:
                    raise gap(str(path), before.first, ended)
            self._segments.append(_Segment(int(path.stem), file, record.first, record.first))
            self._synced = max(self._synced, record.synced)
        if self._segments:
            self._verify()
        else:
            self._roll(0)

    def _drop_torn_file(self, file: LogFile) -> None:
        """A file that was just begun when the process ended. Raises Broken where it holds records."""
        if next(later(file, 0), None) is not None:
            raise broken(file.path, 0)
        self.repaired += file.size
        file.close()
        drop(self._files, file.path)

    def _verify(self) -> None:
        """Look through what was perhaps not on the disk, and the last file; find note, schema and end."""
        last = self._segments[-1]
        for segment in list(self._segments):
            if segment is not last and segment.end <= self._synced:
                continue
            segment.index = Index()
            note, row = b"", segment.first
            try:
                for record, data in walk(segment.file, verify=True):
                    segment.index.add(record, data)
                    note = record.note_in(data) or note
                    row = record.first + record.rows
                    self._synced = max(self._synced, record.synced)
                if segment is not last and row != segment.end:
                    raise Torn(segment.file.size, row)
            except Torn as torn:
                self._cut_torn(segment, torn.at, row)
                last = segment
            segment.end = row
            self._pending_note = note
            if segment is last:
                break
            segment.index = None
            self._unsynced.append(segment.file)
        last.schema = last.index.schemas[-1] if last.index is not None and last.index.schemas else None

    def _cut_torn(self, segment: _Segment, at: int, row: int) -> None:
        """Cut the feed at a row, if nothing behind it was surely on the disk. Raises Broken."""
        behind = self._segments[self._segments.index(segment) + 1 :]
        told = [record.synced for record in later(segment.file, at)]
        told += [record.synced for other in behind for record in later(other.file, 0)]
        if max([self._synced, *told]) > row:
            raise broken(segment.file.path, at)
        self.repaired += segment.file.size - at + sum(other.file.size for other in behind)
        for other in reversed(behind):
            self._segments.remove(other)
            self._remove(other)
        segment.file.cut(at)
        segment.size = at


def _first_record(file: LogFile) -> tuple[Record, bytes] | None:
    """The first record of a file, None where it is torn."""
    try:
        return next(walk(file, verify=False), None)
    except Torn:
        return None


def _times(batch: pa.RecordBatch) -> tuple[int, int]:
    """Least and most ``_time`` of a batch in microseconds since 1970."""
    number = batch.schema.get_field_index("_time")
    if number < 0 or not pa.types.is_timestamp(batch.schema.field(number).type):
        return NO_TIME, NO_TIME
    column = batch.column(number)
    if column.type.unit != "us":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    found = pc.min_max(column)
    least, most = found["min"].value, found["max"].value
    return (NO_TIME, NO_TIME) if least is None else (least, most)


def _plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch without dictionaries, which a record of its own could not give back."""
    if not any(_has_dictionary(field.type) for field in batch.schema):
        return batch
    schema = pa.schema([field.with_type(_plain_type(field.type)) for field in batch.schema], batch.schema.metadata)
    return pa.RecordBatch.from_arrays(
        [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)], schema=schema
    )


def _has_dictionary(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return True
    return any(_has_dictionary(kind.field(number).type) for number in range(kind.num_fields))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_plain_type(kind.key_type), _plain_type(kind.item_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(_plain_type(kind.value_type))
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    return kind
