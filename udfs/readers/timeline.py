"""One timeline of a collection: the times of all its files as events (command ``timeline``).

A command joins by declaring what the times of its rows mean (``artefacts.TimeOf``). Rows come file by file; whoever
asks sorts them, so that memory does not grow with the collection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.artefacts import Readable, TimeOf
from udfs.readers.base import ReadContext, ReaderError, batch_of, select
from udfs.readers.evidence import Target
from udfs.readers.hive.reader import HiveAtHand
from udfs.readers.request import Request
from udfs.readers.sources import label
from udfs.readers.triage import TriageReader, given_artefacts

TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("_time", TIME),
        ("source", pa.string()),
        ("action", pa.string()),
        ("path", pa.string()),
        ("detail", pa.string()),
        ("_path", pa.string()),
    ]
)


class TimelineReader:
    """Events of the files below a folder or in an archive, file by file.

    ``readable``: what the commands declare. ``sources``: which of theirs, else all. ReaderError ``no-such-source``.
    Ledger: that of the readers; a file that cannot be read stops no other.
    """

    def __init__(self, request: Request, readable: Sequence[Readable]) -> None:
        known = list(dict.fromkeys(event.group for one in readable for event in one.artefact.times))
        asked = request.text("sources")
        wanted = frozenset(known if asked is None else asked.replace(",", " ").split())
        for name in sorted(wanted - set(known)):
            said = "timeline knows no source {name}: {known}"
            raise ReaderError(said, request.paths[0], "no-such-source", name=name, known=", ".join(known))
        self._events = [(one, tuple(e for e in one.artefact.times if e.group in wanted)) for one in readable]
        self._files = TriageReader(request, readable)

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The columns."""
        return SCHEMA

    @classmethod
    def of(cls, request: Request) -> TimelineReader:
        """Options: ``sources``, ``zippath``, ``zipcharset``; the command gives the artefacts that others declare."""
        return cls(request, given_artefacts(request))

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return SCHEMA

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one kind of event of one file."""
        wanted = select(SCHEMA, columns)
        for found in self._files.files(context):
            asked = [(one, events) for one, events in self._events if events and found.kind in one.artefact.kinds]
            shared: dict[type, object] = {HiveAtHand: HiveAtHand()} if len(asked) > 1 else {}
            for one, events in asked:
                try:
                    yield from _of_file(found.target, one, events, wanted, context, shared)
                except ReaderError as problem:
                    context.loss.lost(label(found.target), problem.code, 1, 0, str(problem))


def _of_file(
    target: Target,
    one: Readable,
    events: tuple[TimeOf, ...],
    wanted: pa.Schema,
    context: ReadContext,
    shared: dict[type, object],
) -> Iterator[pa.RecordBatch]:
    """The events that one reader finds in one file."""
    path = label(target)
    reader = one.reader(Request([path], context, one.artefact.options, shared=shared, targets=(target,)))
    needed = set().union(*(event.columns for event in events))
    last: dict[TimeOf, object] = {}
    for batch in reader.scan([name for name in reader.schema.names if name in needed], context):
        for event in events:
            if event.once and event.path is not None and batch.num_rows:
                key = batch.column(event.path)
                yield from _events(batch.filter(_changes(key, last.get(event))), event, wanted, path)
                last[event] = key[-1].as_py()
            else:
                yield from _events(batch, event, wanted, path)


def _changes(key: pa.Array, before: object) -> pa.Array:
    """The rows whose key is another one than that of the row before."""
    shifted = pa.concat_arrays([pa.array([before], key.type), key.slice(0, len(key) - 1)])
    return pc.fill_null(pc.not_equal(key, shifted), True)


def _events(batch: pa.RecordBatch, event: TimeOf, wanted: pa.Schema, path: str) -> Iterator[pa.RecordBatch]:
    """The rows of a batch in which the event has a time."""
    kept = batch
    if batch.column(event.time).null_count:
        # Of a file record each of eight times is an event: the other seven are not copied for it.
        own = batch.select([name for name in batch.schema.names if name in event.columns])
        kept = own.filter(pc.is_valid(own.column(event.time)))
    rows = kept.num_rows
    if not rows:
        return
    made: dict[str, pa.Array] = {
        "_time": kept.column(event.time).cast(TIME),
        "source": pa.repeat(pa.scalar(event.source), rows),
        "_path": pa.repeat(pa.scalar(path), rows),
        "path": _text(kept.column(event.path)) if event.path else pa.nulls(rows, pa.string()),
        "action": pa.repeat(pa.scalar(event.action), rows),
        "detail": pa.nulls(rows, pa.string()),
    }
    if event.words:
        words = [pc.fill_null(_text(kept.column(name)), "") for name in event.words]
        made["action"] = words[0] if len(words) == 1 else pc.binary_join_element_wise(*words, " ")
    if event.detail:
        made["detail"] = pc.coalesce(*(_text(kept.column(name)) for name in event.detail))
    yield batch_of(wanted, made, rows)


def _text(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        return pc.binary_join(column, " ")
    return column.cast(pa.string())
