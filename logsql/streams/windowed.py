"""A stream with windows: the first half of its query fills a feed with rows by interval, the other half reads it.

Contract
- The rows of an open interval stand in a feed of the unit's own; what is committed with them is the position in the
  sources. When an interval is over, its rows go through the windowed commands, and what comes of them, the mark that
  the interval is closed and the position in the feed are one commit: exactly once, whatever ends the process.
- The rows of an interval are read from the feed while the query runs, so that an interval needs no memory.
- A row of the result has ``_time``, the beginning of its interval, unless the query sets it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.notes import Note
from logsql.diagnostics.streaming import INTERVALS_SKIPPED
from logsql.engine.repeated import Ran as Found
from logsql.engine.session import Session
from logsql.streams.delivery import Outlet, Parcel
from logsql.streams.feed import Feed, FeedFull
from logsql.streams.inputs import Input
from logsql.streams.intervals import SECOND, Intervals
from logsql.streams.metrics import BATCH_SECONDS, LATE, SKIPPED, STREAM_ERRORS
from logsql.streams.planning import Halves, Shape, chosen, parameters_of
from logsql.streams.rows import INSTANT
from logsql.streams.running import QueryRunner
from logsql.streams.settings import Stream
from logsql.streams.windows import SteadyClock, Windows
from logsql.streams.working import Ran, Stopped, Surroundings, Worker, read_behind, what_failed

#: The column that says to which interval a row belongs.
INTERVAL = "__interval"
#: Name of the bookkeeping of intervals among the states of a unit.
STATE = "windows"
#: Seconds behind the end of an interval in which messages that arrived before it come into their journal.
GRACE = 0.2
#: Rows of an interval that go to the dead file when its query fails; more are counted.
MOST_DEAD = 100_000
TIME = "_time"


class WindowedWorker(Worker):
    """One stream with windows. ``rows``: its own feed; ``key``: the feed's name in the book. ``clock`` for tests."""

    def __init__(
        self,
        stream: Stream,
        session: Session,
        inputs: Sequence[Input],
        outlet: Outlet,
        around: Surroundings,
        rows: Feed,
        key: str,
        clock: SteadyClock | None = None,
    ) -> None:
        self._rows, self._key = rows, key
        self.clock_given = clock
        self._seen: dict[str, int] = {}
        super().__init__(stream, session, inputs, outlet, around)

    def _plan(self, parts: Halves) -> None:
        behind = read_behind(parts)
        given, params = self.given, self.settings.params
        if not parts.running:
            given = chosen(given, behind)
        self.runner = QueryRunner(
            self._session,
            self.text,
            parts.running,
            given,
            params,
            behind=behind,
            report=self._model_changed,
            clocked=self._model_took,
        )
        commands = (*parameters_of(parts.running), *parts.windowed)
        self.windowed = QueryRunner(
            self._session,
            self.text,
            commands,
            self.runner.output,
            {**params, **self.runner.params},
            windowed=True,
            report=self._model_changed,
            clocked=self._model_took,
        )
        found = self.windowed.output
        self._timed = TIME in found.schema.names
        self._output = found if self._timed else Shape(pa.schema([(TIME, INSTANT), *found.schema]), found.rest)
        self._stored = pa.schema([*self.runner.output.schema, (INTERVAL, pa.int64())])

    @property
    def notes(self) -> tuple[Note, ...]:
        return (*self.runner.notes, *self.windowed.notes)

    def load(self) -> None:
        every = self.settings.every
        assert every is not None
        book = self._around.book
        saved = book.states(self.unit).get(STATE)
        closed = Windows(Intervals(every, self._around.zone), 0, SteadyClock(), saved).closed if saved else None
        self.clock = self.clock_given or SteadyClock(closed or 0)
        late = None if self.settings.clock == "arrival" else round(self.settings.lateness * SECOND)
        self.windows = Windows(Intervals(every, self._around.zone), late, self.clock, saved)
        self._rows.cut(book.ends().get(self._key, self._rows.start))
        self._position = book.positions(self.unit).get(self._key, self._rows.start)
        self._find_open()
        super().load()

    def _find_open(self) -> None:
        """The intervals whose rows stand in the feed."""
        position = self._position
        while (taken := self._rows.read(position)) is not None:
            intervals = taken.rows.column(INTERVAL).combine_chunks()
            at = taken.first
            begin = 0
            values = intervals.to_numpy(zero_copy_only=False)
            for end in [
                *(pc.indices_nonzero(pc.not_equal(intervals[1:], intervals[:-1])).to_pylist()),
                len(values) - 1,
            ]:
                interval = int(values[begin])
                if self.windows.closed is None or interval >= self.windows.closed:
                    self.windows.add(interval, at + begin, at + end + 1)
                begin = end + 1
            position = taken.next

    # --- from outside -----------------------------------------------------------------------------

    @property
    def output(self) -> Shape:
        return self._output

    @property
    def shows(self) -> bool:
        """Nobody sees the rows of the first half: looking for the fields that they hold would only cost time."""
        return False

    def _interrupt(self) -> None:
        self.runner.interrupt()
        self.windowed.interrupt()

    def _close_runners(self) -> None:
        self.windowed.close()
        super()._close_runners()

    def _load_anew(self) -> None:
        self.runner.renew()
        self.windowed.renew()

    def _patience(self) -> float:
        return min(super()._patience(), self.windows.wait() + GRACE / 2)

    def _forget(self) -> None:
        super()._forget()
        self._rows.release(self._rows.published)
        self._position = self._rows.published
        self.windows = Windows(self.windows.intervals, self.windows.late, self.clock)

    # --- rows come --------------------------------------------------------------------------------

    def _turn(self) -> bool:
        now = self.clock.now() - round(GRACE * SECOND)
        self._drain_mark = now
        moved = super()._turn()
        if not self._running.is_set() or self.reason:
            return moved
        seen = min((self._seen.get(i.key, now) for i in self.inputs), default=now)
        for interval in self.windows.due(seen):
            self._emit(interval)
            moved = True
            if self._over():
                raise Stopped
        if self.windows.skipped:
            self._around.metrics.add(SKIPPED, (self.name,), self.windows.skipped)
            self._around.tell(INTERVALS_SKIPPED.fill(stream=self.name, count=self.windows.skipped))
            self.windows.skipped = 0
        return moved

    def _drained(self, one: Input) -> None:
        self._seen[one.key] = self._drain_mark

    def _batch(self, one: Input, rows: pa.Table, behind: int) -> None:
        began = time.perf_counter()
        positions, newest = {**self.positions, one.key: behind}, self.windows.newest
        try:
            with self._together():
                ran, count = self._stage(one, rows)
                parcel = Parcel(
                    positions,
                    self._states(),
                    dead=ran.dead,
                    wrote={**self._wrote(), self._key: self._rows},
                    inside=self._inside(),
                    fresh=self._fresh(one),
                )
                self._commit(parcel, self.runner)
        except BaseException:
            self._rows.cut(self._rows.published)
            self.windows.newest = newest
            raise
        first = self._rows.published
        self._rows.publish()
        for interval, length in count:
            self.windows.add(interval, first, first + length)
            first += length
        self.positions = positions
        self._count(rows.num_rows, ran, time.perf_counter() - began)

    def _states(self) -> dict[str, bytes]:
        return {**super()._states(), STATE: self.windows.save()}

    def _stage(self, one: Input, rows: pa.Table) -> tuple[Ran, list[tuple[int, int]]]:
        """Run the first half and append the rows by interval; how many rows each has, in the order of the feed."""
        if self.windows.late is not None:
            ran = self.run(rows)
            count: list[tuple[int, int]] = []
            for kept in ran.kept:
                count += self._place(kept, self._times(kept), ran)
            return ran, count
        times = rows.column(TIME).combine_chunks() if one.arrival else pa.nulls(rows.num_rows, INSTANT)
        done, count = Ran(), []
        placed = self.windows.placed(times).rows
        parts = [rows if len(places) == rows.num_rows else rows.take(places) for _, places in placed]
        for (interval, _), ran in zip(placed, self.run_each(parts), strict=True):
            done.dead += ran.dead
            done.errors += ran.errors
            for kept in ran.kept:
                self._append(kept, interval)
                count.append((interval, kept.num_rows))
            self._seen[one.key] = max(self._seen.get(one.key, 0), min(interval, self.clock.now()))
        return done, [(i, n) for i, n in count if n]

    def _times(self, rows: pa.Table) -> pa.Array:
        """The ``_time`` of rows behind the first half; null where it is no date."""
        if TIME not in rows.schema.names:
            return pa.nulls(rows.num_rows, INSTANT)
        column = rows.column(TIME).combine_chunks()
        return column.cast(INSTANT) if pa.types.is_timestamp(column.type) else pa.nulls(rows.num_rows, INSTANT)

    def _place(self, kept: pa.Table, times: pa.Array, ran: Ran) -> list[tuple[int, int]]:
        placed = self.windows.placed(times)
        if placed.late is not None:
            self._around.metrics.add(LATE, (self.name,), len(placed.late))
            ran.dead.append((kept.take(placed.late), "late"))
        for interval, places in placed.rows:
            self._append(kept.take(places), interval)
        return [(interval, len(places)) for interval, places in placed.rows]

    def _append(self, rows: pa.Table, interval: int) -> None:
        if not rows.num_rows:
            return
        column = pa.array([interval], pa.int64()).take(pa.array([0] * rows.num_rows, pa.int32()))
        table = pa.Table.from_arrays([*rows.columns, column], schema=self._stored)
        while True:
            try:
                for batch in table.combine_chunks().to_batches():
                    self._rows.append(batch)
                return
            except FeedFull:
                if self._stopped():
                    raise Stopped from None
                time.sleep(0.5)

    # --- an interval is over ----------------------------------------------------------------------

    def _emit(self, interval: int) -> None:
        if not self._delivery.wait_room(self._stopped):
            raise Stopped
        began = time.perf_counter()
        ranges = self.windows.open.get(interval, [])
        with self._together():
            parcel = self._result(interval, ranges)
            self._commit(replace(parcel, wrote=self._wrote(), inside=self._inside()), self.windowed)
        self.windows.close(interval)
        self._position = parcel.positions[self._key]
        self._rows.release(self._position)
        self._around.metrics.observe(BATCH_SECONDS, self._labels, time.perf_counter() - began)

    def _result(self, interval: int, ranges: list[tuple[int, int]]) -> Parcel:
        dead: list[tuple[pa.Table, str]] = []
        shown: list[pa.Table] = []
        kept: list[pa.Table] = []
        try:
            found = self.windowed.run_over(partial(self._read, ranges))
            shown, kept = self._with_time(found, interval)
        except Exception as error:
            if self._over():
                raise Stopped from None
            if self.settings.on_error == "stop":
                raise
            for companion in self.companions:
                companion.back()
            reason, said = what_failed(error)
            self._around.metrics.add(STREAM_ERRORS, (self.name, reason), sum(end - first for first, end in ranges))
            dead = [(table, said) for table in self._tables(ranges)]
        rest = {start: r for start, r in self.windows.open.items() if start != interval}
        position = min((r[0][0] for r in rest.values()), default=self._rows.published)
        states = {STATE: self.windows.save(self.windows.intervals.end(interval))}
        positions = {**self.positions, self._key: position}
        return Parcel(positions, states, shown, kept, dead)

    def _with_time(self, found: Found, interval: int) -> tuple[list[pa.Table], list[pa.Table]]:
        kept = found.kept
        shown = found.shown() if self._delivery.outlet.shows else kept
        return [_timed(shown, interval)], [kept if self._timed else _timed(kept, interval)]

    def _read(self, ranges: list[tuple[int, int]]) -> Iterator[pa.RecordBatch]:
        """The rows of an interval, piece by piece."""
        for first, behind in ranges:
            position = first
            while position < behind and (taken := self._rows.read(position, behind - position)) is not None:
                yield from taken.rows.drop_columns([INTERVAL]).to_batches()
                position = taken.next

    def _tables(self, ranges: list[tuple[int, int]]) -> Iterator[pa.Table]:
        left = MOST_DEAD
        for batch in self._read(ranges):
            if left <= 0:
                return
            yield pa.Table.from_batches([batch.slice(0, left)])
            left -= batch.num_rows


def _timed(rows: pa.Table, interval: int) -> pa.Table:
    """The rows with ``_time`` where they have none."""
    if TIME in rows.schema.names:
        return rows
    column = pa.array([interval], INSTANT).take(pa.array([0] * rows.num_rows, pa.int32()))
    return rows.add_column(0, pa.field(TIME, INSTANT), column)
