"""What every sink is to the streams that write into it, and what those with a spool share.

A unit (a stream) stages the rows of a batch, commits them with its position in one transaction, and says so. Rows of a
table go into that transaction; all others wait in a spool, a feed of one sink and one unit, which a thread of the sink
works off with a position of its own: a target that is slow or dead holds up nobody else.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from logsql.store.files import Files
from logsql.streams.book import Book, Commit
from logsql.streams.feed import Feed, FeedFull, Taken
from logsql.streams.metrics import SINK_LOST, SINK_RETRIES, SINK_ROWS, SPOOL_BYTES, Metrics
from logsql.streams.settings import Sink as Settings

#: Seconds between two looks at whether to stop, and between two measurements of a spool.
TICK = 0.1
#: Longest wait before what failed for want of room on the disk is tried again.
_ROOM_WAIT = 5.0


@dataclass(frozen=True)
class Staged:
    """What the transaction of a unit's batch has to hold for a sink: ends of feeds, and the feeds; rows of tables."""

    ends: Mapping[str, int] = field(default_factory=dict)
    tables: tuple[tuple[str, pa.Table], ...] = ()
    feeds: tuple[Feed, ...] = ()


class Sink(Protocol):
    """Where rows of streams go. Units call :meth:`stage`, :meth:`staged`, then :meth:`committed` or :meth:`aborted`."""

    name: str

    @property
    def full(self) -> bool:
        """Whether units have to wait before their next batch (``when_full = "block"``)."""

    def wait_room(self, seconds: float) -> bool:
        """Wait until it is not full; False when the time is over."""

    def stage(self, rows: pa.Table, unit: str) -> None:
        """Take rows of a unit's batch, not for good yet. Raises FeedFull."""

    def staged(self, unit: str) -> Staged:
        """What belongs into the transaction of the batch."""

    def committed(self, unit: str) -> None:
        """The transaction is done."""

    def aborted(self, unit: str) -> None:
        """The transaction has not come about: what was staged is forgotten."""

    def recover(self, ends: Mapping[str, int]) -> None:
        """At the start, before units run: forget what was staged and never committed. ``ends``: those of the book."""

    def start(self) -> None:
        """Begin to deliver."""

    def begin_stop(self, deadline: float) -> None:
        """Deliver what is there until ``deadline`` (``time.monotonic``) and then end; nobody waits for it here."""

    def stop(self, deadline: float) -> None:
        """The same, and wait for the end."""

    def feeds(self) -> Sequence[Feed]:
        """What it has on the disk, to be synced now and then."""

    def status(self) -> dict[str, object]:
        """For the status page: name, kind, state, what waits, the last trouble as a word."""


@dataclass(frozen=True)
class Place:
    """What sinks are given: the state folder, the door to files, the book, the counters, the server's zone.

    ``now``: seconds since 1970.
    """

    folder: Path
    files: Files
    book: Book
    metrics: Metrics
    zone: str
    now: Callable[[], float] = time.time


class Failed(Exception):
    """A delivery that did not come about and is tried again: ``word`` of the table of errors.

    ``wait``: seconds that the target asks for.
    """

    def __init__(self, word: str, wait: float | None = None) -> None:
        super().__init__(word)
        self.word = word
        self.wait = wait


@dataclass
class _Spool:
    """The feed of one unit. ``staged``: rows that no transaction has yet; ``position``: rows before it are delivered;
    ``read``: rows before it were handed to the target; ``dropped``: rows of the batch for which there is no room, lost
    with its commit and not before: a batch that is tried again has them again."""

    feed: Feed
    position: int
    read: int
    staged: int = 0
    dropped: int = 0


class Spooled:
    """A sink with spools and a thread. A kind of sink is a subclass that says what :meth:`step` does."""

    kind = ""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.name = settings.name
        self.settings = settings
        self.place = place
        #: How its feeds and positions are called in the book.
        self.unit = f"sink:{settings.name}"
        #: The same as the name of a folder: what it stages in other sinks.
        self.unit_folder = f"sink-{settings.name}"
        self.trouble: str | None = None
        self._blocks = settings.when_full == "block"
        self.spools: dict[str, _Spool] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._deadline = float("inf")
        self._room = threading.Condition()
        self._full = False
        self._failures = 0
        self._thread: threading.Thread | None = None
        self._folder = place.folder / "spool" / settings.name
        with suppress(OSError):
            for unit, is_folder in sorted(place.files.entries(self._folder)):
                if is_folder:
                    self._open(unit)

    # --- for units ----------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """See :class:`Sink`."""
        return self._full and self._blocks

    def wait_room(self, seconds: float) -> bool:
        """See :class:`Sink`."""
        with self._room:
            return self._room.wait_for(lambda: not self.full, seconds)

    def stage(self, rows: pa.Table, unit: str) -> None:
        """See :class:`Sink`."""
        if not rows.num_rows:
            return
        spool = self._spool(unit)
        if self._full and not self._blocks:
            spool.dropped += rows.num_rows
            return
        before = spool.staged + spool.dropped
        try:
            for batch in rows.combine_chunks().to_batches():
                spool.feed.append(batch)
                spool.staged += batch.num_rows
        except FeedFull:
            if self._blocks:
                raise
            self.aborted(unit)
            spool.dropped = before + rows.num_rows

    def staged(self, unit: str) -> Staged:
        """See :class:`Sink`."""
        spool = self.spools.get(unit)
        if spool is None or not spool.staged:
            return Staged()
        return Staged({self.feed_name(unit): spool.feed.end}, feeds=(spool.feed,))

    def committed(self, unit: str) -> None:
        """See :class:`Sink`."""
        spool = self.spools.get(unit)
        if spool is not None and spool.dropped:
            self.lost("when_full", spool.dropped)
            spool.dropped = 0
        if spool is not None and spool.staged:
            spool.staged = 0
            spool.feed.publish()
            self.measure()
            self._wake.set()  # a thread that looked before it was measured looks again

    def aborted(self, unit: str) -> None:
        """See :class:`Sink`."""
        spool = self.spools.get(unit)
        if spool is None:
            return
        spool.dropped = 0
        if spool.staged:
            spool.staged = 0
            spool.feed.cut(spool.feed.published)

    def recover(self, ends: Mapping[str, int]) -> None:
        """See :class:`Sink`."""
        for unit, spool in self.spools.items():
            end = ends.get(self.feed_name(unit), 0)
            gone = end - max(spool.feed.end, spool.position)
            spool.feed.cut(end)
            if gone > 0:  # a power cut took them
                self.lost("missing", gone)
            spool.position = spool.read = min(spool.position, spool.feed.end)
        self.measure()

    # --- its own thread -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """See :class:`Sink`."""
        self._thread = threading.Thread(target=self._run, name=f"sink {self.name}", daemon=True)
        self._thread.start()

    def begin_stop(self, deadline: float) -> None:
        """See :class:`Sink`."""
        self._deadline = deadline
        self._stopping.set()
        self._wake.set()

    def stop(self, deadline: float) -> None:
        """See :class:`Sink`."""
        self.begin_stop(deadline)
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()) + 5)
        for spool in self.spools.values():
            spool.feed.close()

    def feeds(self) -> Sequence[Feed]:
        """See :class:`Sink`."""
        return [spool.feed for spool in list(self.spools.values())]

    def status(self) -> dict[str, object]:
        """See :class:`Sink`."""
        waiting = {unit: spool.feed.published - spool.position for unit, spool in list(self.spools.items())}
        state = "failing" if self.trouble else "full" if self._full else "running"
        return {
            "name": self.name,
            "kind": self.kind,
            "state": state,
            "trouble": self.trouble,
            "rows_waiting": sum(waiting.values()),
            "spool_bytes": int(self.place.metrics.value(SPOOL_BYTES, (self.name,))),
            "rows": int(self.place.metrics.value(SINK_ROWS, (self.name,))),
            "retries": int(self.place.metrics.value(SINK_RETRIES, (self.name,))),
        }

    def step(self) -> bool:
        """Do some work; False when there is nothing to do now. Raises :class:`Failed`, FeedFull, OSError."""
        raise NotImplementedError

    def finish(self) -> None:
        """The last that is done: what is kept open is closed."""

    @property
    def stopping(self) -> bool:
        """Whether this is the end: what is there is delivered."""
        return self._stopping.is_set()

    def ended(self) -> bool:
        """Whether a delivery that waits has to give up."""
        return self._stopping.is_set() and time.monotonic() >= self._deadline

    def _run(self) -> None:
        while not self.ended():
            last = self._stopping.is_set()  # before: a step that began earlier may have had a reason to wait
            try:
                worked = self.step()
                self._failures, self.trouble = 0, None
            except Exception as problem:  # what nobody foresaw is tried again too: a sink that ends silently holds rows
                if last and isinstance(problem, Failed):
                    break  # a target that cannot be reached now holds up nobody: what waits is kept
                self._failed(problem)
                continue
            if not worked:
                if last:
                    break
                self._wake.wait(TICK)
                self._wake.clear()
        with suppress(Exception):
            self.finish()

    def _failed(self, problem: Exception) -> None:
        """Wait before the next attempt: exponentially, with chance, as long as it takes."""
        first, longest = self.settings.retry
        said = problem.strerror if isinstance(problem, OSError) else None
        self.trouble = problem.word if isinstance(problem, Failed) else said or type(problem).__name__
        self.place.metrics.add(SINK_RETRIES, (self.name,))
        wait = min(longest, first * 2.0 ** min(self._failures, 30))
        if isinstance(problem, OSError):
            wait = min(wait, _ROOM_WAIT)
        wait *= random.uniform(0.75, 1.0)
        if isinstance(problem, Failed) and problem.wait is not None:
            wait = max(0.0, problem.wait)
        self._failures += 1
        until, last = time.monotonic() + wait, self._stopping.is_set()
        while (left := until - time.monotonic()) > 0 and not self.ended() and self._stopping.is_set() == last:
            time.sleep(min(left, TICK))

    # --- for the kinds ------------------------------------------------------------------------------------------------

    def next_rows(self, most: int, most_bytes: int = 4_000_000) -> tuple[str, Taken] | None:
        """Rows that were not handed to the target, of one unit; None when there are none."""
        for unit, spool in list(self.spools.items()):
            taken = spool.feed.read(spool.read, most, most_bytes)
            if taken is not None:
                return unit, taken
        return None

    def delivered(self, positions: Mapping[str, int], rows: int, more: Commit | None = None) -> None:
        """Commit that rows before these positions (by unit) are delivered. ``more``: what belongs to it."""
        named = {self.feed_name(unit): position for unit, position in positions.items()}
        self.place.book.commit(replace(more or Commit(self.unit), positions=named))
        for unit, position in positions.items():
            spool = self.spools[unit]
            spool.position = position
            spool.feed.release(position)
        if rows:
            self.place.metrics.add(SINK_ROWS, (self.name,), rows)
        self.measure()

    def lost(self, reason: str, rows: int) -> None:
        """Count rows that are not delivered."""
        self.place.metrics.add(SINK_LOST, (self.name, reason), rows)

    def measure(self) -> None:
        """How much waits, and whether that is too much."""
        size = sum(spool.feed.backlog(spool.position) for spool in list(self.spools.values()))
        self.place.metrics.set(SPOOL_BYTES, (self.name,), size)
        full = size >= self.settings.spool_max
        with self._room:
            if self._full and not full:
                self._room.notify_all()
            self._full = full

    @property
    def backlog(self) -> float:
        """Bytes that wait."""
        return self.place.metrics.value(SPOOL_BYTES, (self.name,))

    def feed_name(self, unit: str) -> str:
        """How the book calls the spool of a unit."""
        return f"spool:{self.name}:{unit}"

    def _spool(self, unit: str) -> _Spool:
        with self._lock:
            return self.spools.get(unit) or self._open(unit)

    def _open(self, unit: str) -> _Spool:
        feed = Feed(self._folder / unit, self.place.files)
        position = self.place.book.positions(self.unit).get(self.feed_name(unit), 0)
        if position > feed.end:  # nothing of the feed is left: its numbers go on
            feed.cut(position)
        feed.add_waker(self._wake.set)
        self.spools = {**self.spools, unit: _Spool(feed, position, position)}
        return self.spools[unit]
