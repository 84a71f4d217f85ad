"""What leaves a stream: rows into sinks and into the feed that other streams read, in one commit with the position.

Contract
- A parcel is committed whole or not at all. Where the disk is full it is tried again until there is room.
- Sinks that block are waited for before a batch is run, and so are its sources.
- Behind the commit the rows are seen: by the streams that read the output, by who watches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import pyarrow as pa

from logsql.streams.book import Book, Commit, Cursor, Written
from logsql.streams.feed import Feed, FeedFull
from logsql.streams.metrics import ROWS_OUT, Metrics

#: Seconds between two attempts where the disk is full, and between two looks at a sink that has no room.
AGAIN, LOOK = 0.5, 0.2


class Staged(Protocol):
    """What a sink holds of a batch: ends of its spool, and the spool; rows of its table."""

    @property
    def ends(self) -> Mapping[str, int]: ...
    @property
    def feeds(self) -> Sequence[Written]: ...
    @property
    def tables(self) -> Sequence[tuple[str, pa.Table]]: ...


class Target(Protocol):
    """What takes part in the commit of a batch."""

    def staged(self, unit: str) -> Staged:
        """What was staged since the last commit."""

    def committed(self, unit: str) -> None:
        """It is committed: it may be seen and delivered."""

    def aborted(self, unit: str) -> None:
        """It is not committed: it never was."""


class SinkOf(Target, Protocol):
    """A sink, as a stream uses it."""

    @property
    def full(self) -> bool: ...
    def wait_room(self, seconds: float) -> bool:
        """Wait until there is room; False when there is none yet."""

    def stage(self, rows: pa.Table, unit: str) -> None:
        """Take rows of a batch that will be committed."""


class DeadOf(Target, Protocol):
    """Where rows go that failed."""

    def stage(self, rows: pa.Table, unit: str, stream: str, error: str) -> None:
        """Take rows with the reason."""


class TapsOf(Protocol):
    """Who watches."""

    def publish(self, name: str, rows: pa.Table) -> None:
        """Rows that were committed."""


@dataclass(frozen=True)
class Parcel:
    """What one batch leaves. ``shown``: rows for sinks and for who watches; ``kept``: the same rows for other streams;
    ``dead``: rows that failed, with the reason; ``wrote``: further feeds that were written, by name; ``inside``: what
    else is done in the transaction; ``fresh``: see :class:`.book.Commit`."""

    positions: Mapping[str, int]
    states: Mapping[str, bytes] = field(default_factory=dict)
    shown: Sequence[pa.Table] = ()
    kept: Sequence[pa.Table] = ()
    dead: Sequence[tuple[pa.Table, str]] = ()
    wrote: Mapping[str, Feed] = field(default_factory=dict)
    inside: tuple[Callable[[Cursor], None], ...] = ()
    fresh: bool = False


@dataclass(frozen=True)
class Outlet:
    """Where the rows of a stream go. ``output``: the feed that other streams read, and its name in the book."""

    sinks: Sequence[SinkOf] = ()
    dead: DeadOf | None = None
    output: Feed | None = None
    output_name: str = ""
    taps: TapsOf | None = None

    @property
    def shows(self) -> bool:
        """Whether anybody wants the rows as they are shown."""
        return bool(self.sinks) or self.taps is not None


class Delivery:
    """Commits the parcels of one stream; ``unit``: its name in the book."""

    def __init__(self, name: str, unit: str, book: Book, outlet: Outlet, metrics: Metrics) -> None:
        self._name = name
        self._owner = unit
        self._book = book
        self.outlet = outlet
        self._metrics = metrics
        self._targets: list[Target] = [*outlet.sinks, *([outlet.dead] if outlet.dead is not None else [])]

    def wait_room(self, stopped: Callable[[], bool]) -> bool:
        """Wait for sinks that block; False when told to stop before."""
        for sink in self.outlet.sinks:
            while sink.full and not sink.wait_room(LOOK):
                if stopped():
                    return False
        return True

    def deliver(self, parcel: Parcel, stopped: Callable[[], bool]) -> bool:
        """Commit a parcel; False when told to stop while the disk was full, and then nothing is committed.

        Raises what a sink or the database says else; nothing is committed then either.
        """
        while True:
            try:
                self._commit(parcel)
                break
            except FeedFull:
                self._abort()
                if stopped():
                    return False
                time.sleep(AGAIN)
            except BaseException:
                self._abort()
                raise
        for target in self._targets:
            target.committed(self._name)
        if self.outlet.output is not None:
            self.outlet.output.publish()
        rows = sum(table.num_rows for table in (parcel.shown or parcel.kept))
        if rows:
            self._metrics.add(ROWS_OUT, (self._name,), rows)
        if self.outlet.taps is not None:
            for table in parcel.shown:
                self.outlet.taps.publish(self._name, table)
        return True

    def _commit(self, parcel: Parcel) -> None:
        for sink in self.outlet.sinks:
            for table in parcel.shown:
                if table.num_rows:
                    sink.stage(table, self._name)
        if self.outlet.dead is not None:
            for rows, error in parcel.dead:
                self.outlet.dead.stage(rows, self._name, self._name, error)
        wrote = dict(parcel.wrote)
        output = self.outlet.output
        if output is not None:
            for table in parcel.kept:
                for batch in table.combine_chunks().to_batches():
                    output.append(batch)
            wrote[self.outlet.output_name] = output
        ends = {name: feed.end for name, feed in wrote.items()}
        feeds: list[Written] = list(wrote.values())
        tables: list[tuple[str, pa.Table]] = []
        for target in self._targets:
            staged = target.staged(self._name)
            ends.update(staged.ends)
            feeds.extend(staged.feeds)
            tables.extend(staged.tables)
        commit = Commit(self._owner, parcel.positions, ends, parcel.states, tables=tables, inside=parcel.inside)
        self._book.commit(replace(commit, feeds=feeds, fresh=parcel.fresh))

    def _abort(self) -> None:
        for target in self._targets:
            target.aborted(self._name)
        if (output := self.outlet.output) is not None and output.end > output.published:
            output.cut(output.published)
