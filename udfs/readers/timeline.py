"""One timeline of a collection: the times of all its files as events (command ``timeline``).

A reader joins by saying what its times mean (``TimeOf``): in which column a time stands, what happened then, and which
columns tell of what. Rows come file by file; whoever asks sorts them, so that memory does not grow with the collection.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.compute as pc

from udfs.readers.base import ReadContext, ReaderError, batch_of, select
from udfs.readers.evidence import EvidenceReader, Target, base_name
from udfs.readers.hive.reader import HiveReader, open_image, scan_image
from udfs.readers.request import Request
from udfs.readers.sources import label
from udfs.readers.triage import TriageReader

if TYPE_CHECKING:
    from collections.abc import Mapping

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


@dataclass(frozen=True)
class TimeOf:
    """One kind of event: ``time`` is the column it stands in. ``action`` is what happened, as text; ``words``: columns
    whose values say it instead. ``path`` and ``detail``: columns; of several the first that is not null."""

    source: str
    time: str
    action: str = ""
    words: tuple[str, ...] = ()
    path: str | None = None
    detail: tuple[str, ...] = ()

    @property
    def columns(self) -> set[str]:
        """What has to be read."""
        return {self.time, *self.words, *([self.path] if self.path else []), *self.detail}


_STEPS = (
    ("created", "created_at"), ("modified", "modified_at"), ("accessed", "access_at"),
    ("record changed", "mft_modified_at"),
)  # fmt: skip
#: What the command that reads a kind of file says of times: the reader, and its events.
READERS: Mapping[str, tuple[str, tuple[TimeOf, ...]]] = {
    "ntfs-mft": (
        "udfs.readers.ntfs_mft:MftReader",
        tuple(
            TimeOf(source, prefix + column, action, path="file_path")
            for source, prefix in (("mft", "std_"), ("mft name", ""))
            for action, column in _STEPS
        ),
    ),
    "ntfs-usnjrnl": (
        "udfs.readers.ntfs_usnjrnl:UsnJrnlReader",
        (TimeOf("usn", "_time", words=("reason",), path="file_name"),),
    ),
    "evtx-file": (
        "udfs.readers.evtx:EvtxReader",
        (TimeOf("evtx", "_time", words=("provider", "event_id"), path="channel", detail=("msg", "event_data")),),
    ),
    "hive-file": ("", (TimeOf("registry", "last_written", "key written", path="key"),)),
}
#: Kinds of files whose command is a view over a hive: their keys have times all the same.
_HIVES = ("registry hive",)
SOURCES = tuple(dict.fromkeys(event.source.split()[0] for _, events in READERS.values() for event in events))


class TimelineReader:
    """Events of the files below a folder or in an archive, file by file. ``sources``: which of ``SOURCES``, else all.

    ReaderError ``no-such-source``. Ledger: that of the readers; a file that cannot be read stops no other.
    """

    def __init__(self, request: Request) -> None:
        asked = request.text("sources")
        self._sources = frozenset(SOURCES if asked is None else asked.replace(",", " ").split())
        for name in sorted(self._sources - set(SOURCES)):
            said = "timeline knows no source {name}: {known}"
            raise ReaderError(said, request.paths[0], "no-such-source", name=name, known=", ".join(SOURCES))
        self._files = TriageReader(request)

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The columns."""
        return SCHEMA

    @classmethod
    def of(cls, request: Request) -> TimelineReader:
        """Options: ``sources``, ``zippath``, ``zipcharset``."""
        return cls(request)

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return SCHEMA

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one kind of event of one file."""
        wanted = select(SCHEMA, columns)
        for target, rule, _ in self._files.files(context):
            command = "hive-file" if rule.kind.startswith(_HIVES) and "log" not in rule.kind else rule.command
            if command is None or command not in READERS:
                continue
            events = tuple(e for e in READERS[command][1] if e.source.split()[0] in self._sources)
            if not events:
                continue
            try:
                for batch in self._rows(target, command, events, context):
                    for event in events:
                        yield from _events(batch, event, wanted, label(target))
            except ReaderError as problem:
                context.loss.lost(label(target), problem.code, 1, 0, str(problem))

    def _rows(
        self, target: Target, command: str, events: tuple[TimeOf, ...], context: ReadContext
    ) -> Iterator[pa.RecordBatch]:
        needed = set().union(*(event.columns for event in events))
        if command == "hive-file":
            own = pa.schema([f for f in HiveReader.columns if f.name in needed])
            yield from _keys(scan_image(open_image(target, context), own, base_name(target), context, bare=True))
            return
        module, _, name = READERS[command][0].partition(":")
        kind = cast("type[EvidenceReader]", getattr(importlib.import_module(module), name))
        own = pa.schema([f for f in kind.columns if f.name in needed], metadata=kind.columns.metadata)
        yield from kind([]).scan_file(target, own, context)


def _keys(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """One row a key of the rows of values, which stand beside each other."""
    last: str | None = None
    for batch in batches:
        keys = batch.column("key").to_pylist()
        chosen = [at for at, key in enumerate(keys) if key != (keys[at - 1] if at else last)]
        last = keys[-1] if keys else last
        yield batch.take(pa.array(chosen, pa.int64()))


def _events(batch: pa.RecordBatch, event: TimeOf, wanted: pa.Schema, path: str) -> Iterator[pa.RecordBatch]:
    """The rows of a batch in which the event has a time."""
    kept = batch.filter(pc.is_valid(batch.column(event.time)))
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
