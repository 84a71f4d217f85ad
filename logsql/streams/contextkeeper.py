"""The event contexts of a server: one store for all its streams, committed with their batches, worked by the clock.

What changed goes into the book as a numbered piece in the transaction of the batch that changed it; now and then the
whole store takes the place of all pieces. Contexts whose deadline comes without a row are ended by a thread, in a
transaction of its own. Removed contexts become rows of ``context:TOPIC`` where a stream reads that topic.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

import duckdb

from logsql.diagnostics.errors import LogsqlError
from logsql.streams.book import Book, Commit, Cursor
from logsql.streams.contexts import saving
from logsql.streams.contexts.clock import real_time
from logsql.streams.contexts.store import Contexts
from logsql.streams.feed import Feed, FeedFull
from logsql.streams.metrics import CONTEXT_REMOVED, CONTEXTS, Metrics

CONTEXT = "context:"
UNIT = "contexts"
#: Pieces behind which the whole store is written anew, and the longest wait of the thread in seconds.
PIECES, LOOK = 500, 1.0
#: Seconds before what the disk had no room for is tried again.
AGAIN = 0.5


class Keeper:
    """The store and its way into the book. ``feeds`` opens the feed of a topic; ``say`` takes a line for the log."""

    def __init__(
        self,
        book: Book,
        feeds: Callable[[str], Feed],
        metrics: Metrics,
        zone: str,
        most: int,
        say: Callable[[str], None],
    ) -> None:
        self.store = Contexts(most=most)
        self._book, self._feeds, self._metrics, self._zone, self._say = book, feeds, metrics, zone, say
        self._turn = threading.RLock()
        self._ending = threading.Event()
        self._topics: frozenset[str] = frozenset()
        self._next = 0
        self._pieces = 0
        self._written: list[Feed] = []
        self._thread: threading.Thread | None = None

    # --- life -------------------------------------------------------------------------------------

    def listen(self, topics: Collection[str]) -> None:
        """The topics whose removed contexts streams read."""
        self._topics = frozenset(topics)
        self.store.listen(self._topics)

    def load(self) -> None:
        """Take up the contexts of an earlier process. Raises RunError for those of a newer version."""
        pieces = self._book.pieces()
        saving.load(self.store, [piece for _, piece in pieces])
        self._next = pieces[-1][0] + 1 if pieces else 0
        self._pieces = len(pieces)

    def start(self) -> None:
        """Begin to look at deadlines; those that passed while no server ran are due at once."""
        self._thread = threading.Thread(target=self._run, name="logsql-contexts", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what is open stays in the book."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._patience()):
            try:
                self.work()
            except FeedFull:
                self._ending.wait(AGAIN)
            except (LogsqlError, OSError, duckdb.Error) as problem:
                self._say(str(problem))
                self._ending.wait(LOOK)

    def _patience(self) -> float:
        with self.store:
            due = self.store.next_deadline()
        return LOOK if due is None else min(max((due - real_time()) / 1e6, 0.0), LOOK)

    def work(self) -> None:
        """End the contexts whose deadline has come, and write the store anew where it has many pieces."""
        with self._turn:
            self.store.begin()
            try:
                with self.store:
                    self.store.tick()
                inside, wrote = self.inside(), self.wrote()
                if inside:
                    ends = {name: feed.end for name, feed in wrote.items()}
                    self._book.commit(Commit(UNIT, ends=ends, inside=inside, feeds=list(wrote.values())))
            except BaseException:
                self.aborted_inside()
                raise
            self.committed_inside()
            if self._pieces > PIECES:
                self._save()

    def _save(self) -> None:
        whole, number = saving.save(self.store), self._next
        self._book.commit(Commit(UNIT, inside=(lambda cursor: self._book.put_piece(cursor, number, whole, True),)))
        self._next, self._pieces = number + 1, 1

    # --- with the batch of a stream -----------------------------------------------------------------

    def begin(self) -> None:
        """See :class:`.working.Companion`: one stream at a time changes the store."""
        self._turn.acquire()
        self.store.begin()

    def back(self) -> None:
        """As it was when the batch began."""
        self.store.rollback()
        self.store.begin()

    def inside(self) -> tuple[Callable[[Cursor], None], ...]:
        """What changed, for the transaction of the batch."""
        piece = saving.changes(self.store)
        if piece is None:
            return ()
        number = self._next
        self._next, self._pieces = number + 1, self._pieces + 1
        return (lambda cursor: self._book.put_piece(cursor, number, piece, False),)

    def wrote(self) -> Mapping[str, Feed]:
        """The feeds of topics, with the contexts that were removed."""
        found: dict[str, Feed] = {}
        for topic, rows in saving.removed(self.store, self._zone).items():
            feed = self._feeds(CONTEXT + topic)
            feed.append(rows)
            self._written.append(feed)
            found[CONTEXT + topic] = feed
        return found

    def committed(self) -> None:
        """The batch is committed: what was removed is seen."""
        try:
            self.committed_inside()
        finally:
            self._turn.release()

    def aborted(self) -> None:
        """It is not."""
        try:
            self.aborted_inside()
        finally:
            self._turn.release()

    def committed_inside(self) -> None:
        """:meth:`committed`, with the turn held."""
        self.store.commit()
        self.measure()
        for feed in self._written:
            feed.publish()
        self._written.clear()

    def aborted_inside(self) -> None:
        """:meth:`aborted`, with the turn held."""
        self.store.rollback()
        for feed in self._written:
            with suppress(OSError):
                feed.cut(feed.published)
        self._written.clear()

    # --- what is told -----------------------------------------------------------------------------

    def measure(self) -> None:
        """The metrics of contexts."""
        for topic, count in self.store.counts().items():
            self._metrics.set(CONTEXTS, (topic,), count)
        for (topic, cause), count in list(self.store.ended.items()):
            known = self._metrics.value(CONTEXT_REMOVED, (topic, cause))
            if count > known:
                self._metrics.add(CONTEXT_REMOVED, (topic, cause), count - known)
