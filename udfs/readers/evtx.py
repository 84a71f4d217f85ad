"""Windows event logs (.evtx) to Arrow: one row per event (command ``evtx-file``), over the package ``evtx``.

Contract: rows in file order. Events and chunks the parser refuses are counted in the ledger and the rest is read.
``event_data`` is JSON text: the named values of EventData, or the fields of the single element of UserData, and
whatever else stands beside System. ``msg`` is the message of an event that was rendered before it was collected, else
null: the text tables are in the providers' DLLs, not in the file. The package is an extra (``forensic``),
imported at the first scan. Constant memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import IO, Protocol, cast

import pyarrow as pa

from udfs.readers.base import ReadContext, ReaderError, check_cancelled, select
from udfs.readers.errors import needs_package
from udfs.readers.evidence import EvidenceReader, Tally, Target, open_held
from udfs.readers.evtx_events import SCHEMA, Event, EventRows
from udfs.readers.evtx_layout import mended
from udfs.readers.sources import label, scan_each

BATCH_EVENTS = 16_384
"""Events per batch: an event is two thousand bytes of Python text before it is Arrow."""
_OLD_LOG = b"LfLe"
"""Bytes 4 to 8 of a log of Windows XP or Server 2003."""
_SMALL = 1 << 20
"""Bytes of a log that is read at once: the survey and the parser ask for it in a dozen pieces each."""
_BLOCK = 64
"""Events that are asked for at once: their text stays in the processor's cache until it has been looked at."""


class EvtxReader(EvidenceReader):
    """Reader of .evtx files.

    ``paths``, ``zippath``, ``zipcharset``: as for ``MftReader``. ReaderError codes: ``missing-extra``, ``empty-file``,
    ``not-an-evtx``. Ledger reasons: those of ``evtx_layout.mended`` (position = byte offset of the first),
    ``time-of-record`` (the event has no time of its own, or 1601: ``_time`` is that of the record's header),
    ``date-out-of-range`` (the row is kept, its ``_time`` null), ``parser-failed`` (the rest of the file is missing),
    ``damaged-list`` (of names or templates; no event is lost by it, position = byte offset of the
    first such chunk).
    """

    columns = SCHEMA

    @staticmethod
    def belongs(name: str, head: bytes) -> bool:
        """Event logs are called ``.evtx`` or begin with ``ElfFile``; what is neither, as those of Windows XP are not,
        the ledger of a folder tells."""
        return name[-5:].lower() == ".evtx" or head.startswith(b"ElfFile\0") or head[4:8] == _OLD_LOG

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the wanted columns, in the order of files and records; small files share one."""
        wanted = select(self.schema, columns)
        rows, told = EventRows(wanted), _Told(context)
        placed = "_file" in wanted.names or not set(wanted.names) <= set(self.columns.names)
        parser_class: list[Callable[[IO[bytes]], Parser]] = []

        def one(target: Target) -> Iterator[pa.RecordBatch]:
            name = label(target)
            if not parser_class:
                parser_class.append(_parser_class(name))
            # Of a log of four events every step counts: what nobody wants is not made, and no generator lies between.
            rows.of_file(self.of_file(target) if placed else {}, told.begin(name))
            return _scan_file(target, name, rows, parser_class[0], told, context)

        try:
            yield from scan_each(self._targets.found(context), context, one)
            if rows.held:
                yield rows.batch()
        finally:
            told.report()


class _Told:
    """What is counted of files whose events are not in a batch yet: some of it shows when the batch is made."""

    def __init__(self, context: ReadContext) -> None:
        self._context = context
        self._files: list[tuple[str, Tally]] = []

    def begin(self, name: str) -> Tally:
        """The counts of the next file."""
        self._files.append((name, Tally()))
        return self._files[-1][1]

    @property
    def tally(self) -> Tally:
        """The counts of the file that is read."""
        return self._files[-1][1]

    def report(self) -> None:
        """Write all counts to the ledger; those of the file that is read go on from nothing."""
        for name, tally in self._files:
            tally.report(self._context, name)
        del self._files[:-1]


class Parser(Protocol):
    """What is used of the package."""

    def records_json(self) -> Iterator[Event]: ...


def _parser_class(path: str) -> Callable[[IO[bytes]], Parser]:
    needs_package("evtx-file", "evtx", "forensic", path)
    from evtx import PyEvtxParser

    return cast(Callable[[IO[bytes]], Parser], PyEvtxParser)


def _scan_file(
    target: Target, name: str, rows: EventRows, parser_class: Callable[[IO[bytes]], Parser], told: _Told,
    context: ReadContext,
) -> Iterator[pa.RecordBatch]:  # fmt: skip
    """Put the events of one file into ``rows``, and yield those that are full."""
    tally = told.tally
    with open_held(target, _SMALL, context) as stream:
        head = stream.read(8)
        if not head:
            raise ReaderError("{path} is empty", name, "empty-file")
        if head[4:] == _OLD_LOG:
            raise ReaderError(
                "{path} is an event log of Windows XP or Server 2003 (.evt), another format than .evtx: convert it "
                "with wevtutil export-log {path} OUT.evtx /lf:true on a Windows machine",
                name, "not-an-evtx",
            )  # fmt: skip
        size = stream.seek(0, 2)
        layout = mended(stream, size, tally, rows.data_wanted)
        try:
            events = parser_class(layout.stream).records_json()
        except (RuntimeError, OSError, ValueError) as problem:
            raise ReaderError(
                "{path} is not a Windows event log: {reason}", name, "not-an-evtx", reason=_sentence(problem)
            ) from problem
        try:
            for block in _surviving(events, size, layout.chunks, tally):
                rows.add(block)
                check_cancelled(context)
                context.progress.advance(name, min(layout.stream.tell(), size), size)
                if rows.held >= BATCH_EVENTS:
                    yield rows.batch()
                    told.report()
        finally:
            if layout.first_cut is not None:
                context.loss.lost(name, "damaged-list", 0, layout.first_cut, "a list of names or templates was cut")


def _surviving(events: Iterator[Event], size: int, chunks: Sequence[int], tally: Tally) -> Iterator[list[Event]]:
    """Events, some at a time; what the parser raises for one of them is counted and the next one asked for."""
    # A file cannot hold more records than this; a parser that goes on failing must not keep the query for ever.
    patience = size // 24 + 64
    while patience:
        block: list[Event] = []
        try:
            block.extend(islice(events, _BLOCK))  # where the parser raises, those before are in the list
        except (KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except Exception as problem:
            patience -= 1
            _count(problem, chunks, tally)
        except BaseException as problem:
            # A panic of the Rust parser is no Exception; its iterator cannot be trusted after one.
            tally.add("parser-failed", 1, None, _sentence(problem))
            yield block
            return
        else:
            if len(block) < _BLOCK:  # the parser has no more: of a small log that is asked for once
                if block:
                    yield block
                return
        yield block
    tally.add("parser-failed", 1, None, "too many damaged events")


def _count(problem: Exception, chunks: Sequence[int], tally: Tally) -> None:
    text = _sentence(problem)
    chunk = re.search(r"parse chunk (?:number (\d+)|containing)", text)
    if chunk is None:
        tally.add("damaged-event", 1, None, text)
    else:
        number = int(chunk[1] or -1)
        tally.add("damaged-chunk", 1, chunks[number] if 0 <= number < len(chunks) else None, text)


def _sentence(problem: BaseException) -> str:
    return str(problem).strip().splitlines()[0][:300] if str(problem).strip() else type(problem).__name__
