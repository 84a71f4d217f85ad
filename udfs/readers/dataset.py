"""A Reader as a table of DuckDB: a ``pyarrow.dataset.Dataset`` whose every reference scans afresh.

DuckDB asks a registered dataset for ``schema`` and for ``scanner(columns, filter)``: the column list and the simple
filters of the whole query arrive here, so a reader decodes only the columns that the query or the filter names.
The filter is applied exactly, by Arrow. An error raised inside a scan reaches the user of DuckDB wrapped in text;
``last_error`` keeps the original.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from udfs.readers.base import LossSink, ReadContext, Reader, select


class ReaderDataset(ds.Dataset):  # type: ignore[misc]
    """Bridge from a ``Reader`` to DuckDB: ``connection.register(name, ReaderDataset(reader, context))``.

    A query that references the source twice scans it twice; a loss is passed on to ``context.loss`` only once, by
    counting per scan and (source, reason, position) what earlier scans have not reported yet.
    """

    reader: Reader
    context: ReadContext
    last_error: BaseException | None

    def __new__(cls, reader: Reader, context: ReadContext) -> ReaderDataset:
        # ds.Dataset cannot be constructed; __new__ gives an instance without a C++ dataset behind it.
        made: ReaderDataset = ds.Dataset.__new__(cls)
        return made

    def __init__(self, reader: Reader, context: ReadContext) -> None:
        self.reader = reader
        self.context = context
        self.last_error = None
        self._reported: dict[tuple[str, str, int | None], int] = {}
        self._lock = threading.Lock()
        self._scans: weakref.WeakSet[_Scan] = weakref.WeakSet()

    @property
    def schema(self) -> pa.Schema:
        """The reader's schema."""
        return self.reader.schema

    def scanner(
        self, columns: Sequence[str] | None = None, filter: ds.Expression | None = None, **options: Any
    ) -> ds.Scanner:
        """A fresh scan. ``columns``: names in the order DuckDB wants them; ``filter``: Arrow expression or None."""
        needed = self._needed(columns, filter)
        wanted = None if needed is None else needed.names
        schema = self.schema if needed is None else needed
        scan = _Scan(self, wanted)
        with self._lock:
            self._scans.add(scan)
            _SCANS.add(scan)
        return ds.Scanner.from_batches(scan, schema=schema, columns=columns, filter=filter)

    def stop(self) -> None:
        """End the scans that nobody reads any more and wait for them (a batch of a reader that looks at ``cancelled``).

        Arrow reads ahead in threads of its own, and goes on behind a LIMIT that is long satisfied; such a thread inside
        Python code aborts the process when the interpreter ends.
        """
        with self._lock:
            scans = list(self._scans)
        for scan in scans:
            scan.stopped = True
        for scan in scans:
            scan.end()

    def _needed(self, columns: Sequence[str] | None, filter: ds.Expression | None) -> pa.Schema | None:
        """Fields that the column list or the filter mentions; None for all.

        Arrow does not tell which fields an expression reads, but its text contains their names: a name that occurs
        there by chance costs a decoded column, never a wrong answer. A position instead of a name means all fields.
        """
        if columns is None:
            return None
        text = "" if filter is None else str(filter)
        if "FieldPath(" in text:
            return None
        return select(self.schema, [name for name in self.schema.names if name in columns or name in text])

    def scan_context(self, cancelled: Callable[[], bool]) -> ReadContext:
        """The context of one scan, which a further condition may cancel; losses already told stay out of its ledger."""
        context, loss = self.context, _ScanLoss(self.context.loss, self._reported, self._lock)
        return replace(context, loss=loss, cancelled=lambda: cancelled() or context.cancelled())


class _Scan:
    """The batches of one scan. ``stopped`` ends it at the next batch, and within one where the reader looks."""

    def __init__(self, dataset: ReaderDataset, columns: list[str] | None) -> None:
        self._dataset = dataset
        self._busy = threading.Lock()
        self._batches = self._read(columns)
        self._exhausted = False
        self.stopped = False

    def _read(self, columns: list[str] | None) -> Generator[pa.RecordBatch]:
        yield from self._dataset.reader.scan(columns, self._dataset.scan_context(lambda: self.stopped))

    def __iter__(self) -> _Scan:
        return self

    def __next__(self) -> pa.RecordBatch:
        with self._busy:
            if self.stopped:
                raise StopIteration
            try:
                return next(self._batches)
            except StopIteration:
                self._exhausted = True
                raise
            except BaseException as problem:
                if self.stopped:
                    raise StopIteration from None
                self._dataset.last_error = problem
                raise

    def end(self) -> None:
        """Wait for the batch under way and close the files."""
        with self._busy:
            self._batches.close()
        if not self._exhausted:
            _SCANS.last_stop = time.monotonic()


class _Held(weakref.WeakSet["_Scan"]):
    """Scans that Arrow or DuckDB still hold, and when the last one was stopped before its end."""

    last_stop = -math.inf


_SCANS = _Held()
_GRACE = 0.2
"""Seconds in which Arrow surely frees what it has read ahead. Nothing tells when it has."""


def settle(seconds: float = 2.0) -> None:
    """Wait until Arrow has let go of the scans that were stopped, for a process that is about to end.

    Its thread asks a stopped scan for one more batch, gives up its reference and frees the batches it has read ahead
    some time after the query is closed: done while the interpreter ends, that is "terminate called without an active
    exception" or a process that hangs.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(scan.stopped for scan in list(_SCANS)):
        time.sleep(0.002)
    time.sleep(max(0.0, _SCANS.last_stop + _GRACE - time.monotonic()))


class _ScanLoss:
    """Passes on what one scan loses beyond what earlier scans of the same source have already reported."""

    def __init__(self, sink: LossSink, reported: dict[tuple[str, str, int | None], int], lock: threading.Lock) -> None:
        self._sink = sink
        self._reported = reported
        self._lock = lock
        self._here: dict[tuple[str, str, int | None], int] = {}

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        key = (source, reason, position)
        with self._lock:
            self._here[key] = self._here.get(key, 0) + count
            fresh = self._here[key] - self._reported.get(key, 0)
            note = count == 0 and key not in self._reported  # nothing was lost, but it is worth saying once
            if fresh <= 0 and not note:
                return
            self._reported[key] = self._here[key]
        self._sink.lost(source, reason, fresh, position, sample)
