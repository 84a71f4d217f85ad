"""Between receivers and their journals: messages are put from any thread, and written in batches by one.

A message is accepted when it is in the journal. What cannot be written waits, receivers stop reading
(:attr:`Intake.full`), and nothing is lost: neither by a full disk nor by a flood.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from logsql.diagnostics.messages import text
from logsql.store.files import Files
from logsql.store.logfiles import free_bytes, make_private_folder
from logsql.streams.feed import SEGMENT, Feed, FeedFull
from logsql.streams.messages import Chunk, Sender, batch_of
from logsql.streams.metrics import JOURNAL_BYTES, MESSAGES, PAUSED, Metrics
from logsql.streams.room import Room
from logsql.streams.settings import Server

__all__ = ["Intake", "Journal", "Sender"]

#: Bytes that may wait to be written, of one receiver; with half of them it reads on.
MOST_WAITING = 16_000_000
#: Bytes of one batch, about.
_BATCH_BYTES = 8_000_000
#: What a message takes beside its bytes while it waits and becomes a row: with less, a flood of messages of five bytes
#: fills the queue with a second's work, and everybody waits for that.
_OBJECT = 250
#: Room on the disk that is left to the database, so that what is accepted can still be delivered.
ROOM = 48_000_000
#: Seconds between two looks for room.
_LOOK = 0.05
#: Why receivers do not read, as ``/ready`` and ``system loggers`` tell it.
REASONS = {
    "queue": text("messages come faster than they can be written", "메시지가 쓸 수 있는 속도보다 빨리 들어옵니다"),
    "journal": text("the journal has reached journal_max", "저널이 journal_max에 이르렀습니다"),
    "disk": text("the disk is full", "디스크가 가득 찼습니다"),
}


class Intake(Room):
    """The way of one receiver's messages into its journal, made by :meth:`Journal.intake`. From any thread.

    ``feed``: the journal. ``full``: stop reading (``reason``: a key of :data:`REASONS`), and wait for room. What is put
    nevertheless is kept; every sender should look before each read.
    """

    def __init__(self, name: str, feed: Feed, journal: Journal, schema: pa.Schema, encoding: str) -> None:
        super().__init__()
        self.name = name
        self.feed = feed
        self.reason = ""
        self.encoding = encoding
        self._schema = schema
        self._journal = journal
        self._writing = threading.RLock()
        self._waiting: deque[Chunk] = deque()
        self._rows = 0
        self._bytes = 0
        self._held: tuple[pa.RecordBatch, Counter[str]] | None = None
        self._stopped_at = 0.0

    # --- receivers --------------------------------------------------------------------------------

    def put(
        self,
        lines: list[bytes],
        sender: Sender | list[Sender],
        transport: str,
        truncated: list[int] | None = None,
    ) -> None:
        """Messages without their framing, of one sender or one sender each; ``truncated``: numbers of those cut off.

        The list is kept: the caller makes a new one. They have arrived now.
        """
        if not lines:
            return
        chunk = Chunk(lines, sender, transport, truncated, time.time_ns() // 1000)
        with self.turn:
            self._waiting.append(chunk)
            self._rows += len(lines)
            self._bytes += sum(map(len, lines)) + _OBJECT * len(lines)
            if self._bytes >= MOST_WAITING:
                self._stop("queue")
            rows = self._rows
        self._journal.arrived(rows)

    def write(self, batch: pa.RecordBatch, transport: str, note: bytes = b"") -> None:
        """Rows that are batches already, with a note, at once and together. Raises FeedFull: try again later."""
        with self._writing:
            self._append(batch, note)
            self._journal.metrics.add(MESSAGES, (self.name, transport), batch.num_rows)
        self._journal.look_for_room()

    def drain(self) -> bool:
        """Write all that was put; False where that cannot be done now."""
        return self.write_out()

    # --- the writing thread -----------------------------------------------------------------------

    def write_out(self) -> bool:
        """Write what waits; False when the disk has no room."""
        with self._writing:
            while (made := self._next()) is not None:
                batch, transports = made
                try:
                    self._append(batch, b"")
                except FeedFull:
                    self._held = made
                    with self.turn:
                        self._stop("disk")
                    return False
                self._held = None
                for transport, count in transports.items():
                    self._journal.metrics.add(MESSAGES, (self.name, transport), count)
            return True

    def _append(self, batch: pa.RecordBatch, note: bytes) -> None:
        self._journal.check_disk()
        self.feed.append(batch, note)
        if self._journal.sync == 0:
            self.feed.sync()
        self.feed.publish()

    def _next(self) -> tuple[pa.RecordBatch, Counter[str]] | None:
        if self._held is not None:
            return self._held
        chunks: list[Chunk] = []
        rows = size = 0
        with self.turn:
            while self._waiting and rows < self._journal.batch_rows and size < _BATCH_BYTES:
                chunk = self._waiting.popleft()
                chunks.append(chunk)
                rows += len(chunk.lines)
                size += sum(map(len, chunk.lines))
            self._rows -= rows
            self._bytes -= size + _OBJECT * rows
        if not chunks:
            return None
        transports: Counter[str] = Counter()
        for chunk in chunks:
            transports[chunk.transport] += len(chunk.lines)
        return batch_of(chunks, self._schema, self.encoding), transports

    def _stop(self, reason: str) -> None:
        if not self.full:
            self._stopped_at = time.monotonic()
        self.full, self.reason = True, reason

    def judge(self, reason: str) -> None:
        """Stop for a reason that holds for all (none: ""), or go on where none is left."""
        with self.turn:
            if reason:
                self._stop(reason)
                return
            if not self.full or self._held is not None or self._bytes > MOST_WAITING // 2:
                return
            self.reason = ""
            self._journal.metrics.add(PAUSED, (self.name,), time.monotonic() - self._stopped_at)
            self.make_room()


@dataclass
class _Pace:
    """What the writing thread waits for: something was put; there is enough for a batch."""

    some: threading.Event
    enough: threading.Event


class Journal:
    """The journals of all receivers below one folder, and the threads that write and sync them.

    ``server``: batches, ``journal_max`` and ``sync``. Use :meth:`intake` for each receiver, then :meth:`start`.
    """

    def __init__(self, folder: Path, files: Files, server: Server, metrics: Metrics) -> None:
        self.metrics = metrics
        self.batch_rows = server.batch_rows
        self.sync = server.sync
        self._folder = folder
        self._files = files
        self._batch_time = server.batch_time
        self._most = server.journal_max
        self._pace = _Pace(threading.Event(), threading.Event())
        self._ended = threading.Event()
        self._intakes: dict[str, Intake] = {}
        self._others: list[Callable[[], Iterable[Feed]]] = []
        self._threads: list[threading.Thread] = []
        make_private_folder(files, folder)

    # --- its receivers ----------------------------------------------------------------------------

    def intake(self, name: str, schema: pa.Schema, encoding: str = "utf-8") -> Intake:
        """The way in for a receiver; that of an earlier one of its name goes on. Raises Broken, OSError."""
        found = self._intakes.get(name)
        if found is None:
            segment = max(min(SEGMENT, self._most // 4), 65_536)
            feed = Feed(self._folder / name, self._files, segment=segment)
            found = Intake(name, feed, self, schema, encoding)
            self._intakes = {**self._intakes, name: found}
        return found

    def forget(self, name: str) -> None:
        """Close a receiver's journal; its folder stays."""
        found = self._intakes.get(name)
        if found is not None:
            found.write_out()
            self._intakes = {key: one for key, one in self._intakes.items() if key != name}
            found.feed.close()

    def keep_synced(self, feeds: Callable[[], Iterable[Feed]]) -> None:
        """Sync other feeds as the journals are, behind them: what is there when they are asked for."""
        self._others = [*self._others, feeds]

    def waiting(self) -> int:
        """Bytes that are accepted and not yet released."""
        return sum(intake.feed.backlog(intake.feed.released) for intake in self._intakes.values())

    def reasons(self) -> set[str]:
        """Why receivers do not read just now: keys of :data:`REASONS`."""
        return {intake.reason for intake in self._intakes.values() if intake.full}

    # --- intakes ----------------------------------------------------------------------------------

    def arrived(self, rows: int) -> None:
        """Something was put; so many rows wait there."""
        if not self._pace.some.is_set():
            self._pace.some.set()
        if rows >= self.batch_rows and not self._pace.enough.is_set():
            self._pace.enough.set()

    def check_disk(self) -> None:
        """Raise FeedFull where the room that is left belongs to the database."""
        if free_bytes(self._folder) < ROOM:
            raise FeedFull(str(self._folder))

    def look_for_room(self) -> None:
        """Stop or go on reading, by what waits in the journals and by the disk."""
        waiting = self.waiting()
        self.metrics.set(JOURNAL_BYTES, (), waiting)
        reason = "journal" if waiting >= self._most else ""
        if not reason and any(intake.reason == "disk" for intake in self._intakes.values()):
            with contextlib.suppress(OSError):
                reason = "disk" if free_bytes(self._folder) < ROOM else ""
        for intake in self._intakes.values():
            intake.judge(reason)

    # --- threads ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to write."""
        acts = [self._write] if not self.sync else [self._write, self._sync]
        self._threads = [threading.Thread(target=act, name=f"journal {act.__name__}", daemon=True) for act in acts]
        for thread in self._threads:
            thread.start()

    def _write(self) -> None:
        while not self._ended.is_set():
            stopped = any(intake.full for intake in self._intakes.values())
            self._pace.some.wait(_LOOK if stopped else None)
            self._pace.some.clear()
            if not stopped:
                self._pace.enough.wait(self._batch_time)
            self._pace.enough.clear()
            self.write_out(self._intakes.values())

    def write_out(self, intakes: Iterable[Intake]) -> None:
        """Write what waits in some intakes, then look for room."""
        for intake in intakes:
            intake.write_out()
        self.look_for_room()

    def _sync(self) -> None:
        while not self._ended.wait(self.sync):
            for feeds in (lambda: [intake.feed for intake in self._intakes.values()], *self._others):
                for feed in feeds():
                    with contextlib.suppress(OSError):  # tried again; what the disk lost an append tells
                        feed.sync()

    def close(self) -> None:
        """Write what waits, sync, release the files."""
        self._ended.set()
        self._pace.some.set()
        self._pace.enough.set()
        for thread in self._threads:
            thread.join()
        for intake in self._intakes.values():
            intake.write_out()
            with contextlib.suppress(OSError):
                intake.feed.sync()
            intake.feed.close()
