"""A stream at work: a thread that reads, runs the query over each batch and commits what comes of it.

Contract
- Batches of one source keep their order; sources take turns. The next batch begins when the last one is committed.
- A batch that cannot be run is halved until the rows that fail stand alone (``on_error = "skip"``): those go to the
  dead file, the others on. With ``"stop"`` the stream stops there, and its rows wait.
- What the query remembers is committed with the position; a batch that is not committed leaves nothing.
- :meth:`Worker.stop` works off what is there until its deadline.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.diagnostics.notes import Note
from logsql.diagnostics.streaming import (
    MODEL_KEPT,
    MODEL_RENEWED,
    REFRESH_FAILED,
    ROWS_MISSED,
    ROWS_RENUMBERED,
    STREAM_FAILED,
    STREAM_LOST,
)
from logsql.engine.session import Session
from logsql.planner.demand import demanded
from logsql.planner.folds import first_ones_first
from logsql.streams.book import Book, Commit, Cursor
from logsql.streams.delivery import Delivery, Outlet, Parcel
from logsql.streams.feed import Feed
from logsql.streams.inputs import Followed, Input, merged
from logsql.streams.metrics import BATCH_SECONDS, LAG, MODEL_SECONDS, ROWS_IN, STREAM_ERRORS, Metrics
from logsql.streams.planning import Halves, Shape, Text, halves
from logsql.streams.running import QueryRunner
from logsql.streams.settings import Stream

#: Rows of one batch, and the longest wait between two looks at everything, in seconds.
MOST_ROWS, IDLE = 20_000, 1.0
#: Seconds between two looks at a table.
POLL = 0.25
#: Seconds between two looks at what was lost, for the log.
LOSSES = 60.0
#: Told of what happens, in a sentence.
Tell = Callable[[str], None]


def silent(said: str) -> None:
    """Nobody is told."""


class Stopped(Exception):
    """The unit was told to stop while it worked."""


@dataclass(frozen=True)
class Surroundings:
    """What the units of a server share. ``batch_rows``: rows of one batch at most."""

    book: Book
    metrics: Metrics
    zone: str
    tell: Tell = silent
    batch_rows: int = MOST_ROWS


@dataclass
class Ran:
    """What a batch came to: rows as they are shown and for other streams, and rows that failed, with the reason."""

    shown: list[pa.Table] = field(default_factory=list)
    kept: list[pa.Table] = field(default_factory=list)
    dead: list[tuple[pa.Table, str]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)


#: The pieces of a part of a batch, each with why it failed where it was run alone and did.
Pieces: TypeAlias = "list[tuple[pa.Table, Exception | None]]"


class Companion(Protocol):
    """What a query keeps outside of itself (event contexts): it is committed with the batch, or taken back."""

    def begin(self) -> None:
        """A batch begins; nobody else changes it until it is committed or aborted."""

    def back(self) -> None:
        """As it was when the batch began."""

    def inside(self) -> tuple[Callable[[Cursor], None], ...]:
        """What changed, written in the transaction of the batch."""

    def wrote(self) -> Mapping[str, Feed]:
        """The feeds that it wrote, by name."""

    def committed(self) -> None:
        """The batch is committed."""

    def aborted(self) -> None:
        """It is not: as it was."""


def what_failed(error: Exception) -> tuple[str, str]:
    """The reason that is counted, and what is said in the dead file."""
    if isinstance(error, LogsqlError):
        return error.code, error.diagnostic.message
    return type(error).__name__, str(error)


def _dead(done: Ran, rows: pa.Table, error: Exception) -> None:
    """Add rows that failed, with what was said."""
    reason, said = what_failed(error)
    done.errors[reason] += rows.num_rows
    if done.dead and done.dead[-1][1] == said:
        done.dead[-1] = (pa.concat_tables([done.dead[-1][0], rows]), said)
    else:
        done.dead.append((rows, said))


class Worker:
    """One stream without windows. ``session`` is its own (a sibling of the server's). Raises QueryError where the query
    cannot be planned. Nothing is read or written before :meth:`load`."""

    def __init__(
        self, stream: Stream, session: Session, inputs: Sequence[Input], outlet: Outlet, around: Surroundings
    ) -> None:
        self.settings = stream
        self.name = stream.name
        self.inputs = tuple(inputs)
        self.text = Text(stream.name, stream.query, stream.place)
        self._session = session
        self._around = around
        #: Its name in the book.
        self.unit = f"stream:{stream.name}"
        self.loaded = False
        #: What its query keeps outside of itself; given before it is started.
        self.companions: tuple[Companion, ...] = ()
        self.wire(outlet)
        self._labels = (stream.name,)
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._deadline: float | None = None
        self._thread: threading.Thread | None = None
        self.reason = ""
        self._reset = False
        self._renewed = self._looked = time.monotonic()
        self.positions: dict[str, int] = {}
        self.halves = halves(self.text, stream.every)
        self.given = merged([i.shape for i in inputs])
        self._plan(self.halves)

    def _plan(self, parts: Halves) -> None:
        self.runner = QueryRunner(
            self._session,
            self.text,
            parts.commands,
            self.given,
            self.settings.params,
            report=self._model_changed,
            clocked=self._model_took,
        )

    def load(self) -> None:
        """Take up positions and memories where the book has them.

        A source that is new is read from its end on, and that is committed now: what it accepts from here on is read,
        whatever ends the process before the first batch.
        """
        book = self._around.book
        known = book.positions(self.unit)
        self.positions = {i.key: known.get(i.key, i.feed.published) for i in self.inputs}
        self._load_states()
        if self.positions.keys() - known.keys():
            self._begin_here([one for one in self.inputs if one.key not in known])
        self.loaded = True

    def _begin_here(self, inputs: Sequence[Input]) -> None:
        """Read these from where they are now on."""
        for one in inputs:
            if one.follows is not None:
                one.follows.mark(self.positions[one.key])
        self._around.book.commit(Commit(self.unit, self.positions, states=self._followed()))

    def _followed(self) -> dict[str, bytes]:
        return {one.key: one.follows.save() for one in self.inputs if one.follows is not None}

    def wire(self, outlet: Outlet) -> None:
        """Deliver into these sinks from now on; while it does not run."""
        self._delivery = Delivery(self.name, self.unit, self._around.book, outlet, self._around.metrics)

    # --- from outside -----------------------------------------------------------------------------

    @property
    def output(self) -> Shape:
        """What the rows of this stream hold for those that read it."""
        return self.runner.output

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the plan tells of the query."""
        return self.runner.notes

    @property
    def shows(self) -> bool:
        """Whether anybody wants the rows of a batch as they are shown."""
        return self._delivery.outlet.shows

    @property
    def holds(self) -> bool:
        """Whether its sources keep rows until it has read them."""
        return not self.settings.independent

    @property
    def state(self) -> str:
        """``running``, ``stopped`` or ``failed`` (:attr:`reason` says why)."""
        if self.reason:
            return "failed"
        return "running" if self._running.is_set() else "stopped"

    def lag(self) -> float:
        """The age in seconds of the oldest row that waits; 0 where none does."""
        oldest: list[int] = []
        for one in self.inputs:
            span = one.feed.times(self.positions.get(one.key, 0))
            if span is not None and span.least is not None:
                oldest.append(span.least)
        found = max(time.time() - min(oldest) / 1e6, 0.0) if oldest else 0.0
        self._around.metrics.set(LAG, self._labels, found)
        return found

    def idle(self) -> bool:
        """Whether all that is there was read and committed."""
        return all(one.feed.published <= self.positions.get(one.key, 0) for one in self.inputs)

    def start(self) -> None:
        """Begin to work."""
        if not self.loaded:
            self.load()
        for one in self.inputs:
            one.feed.add_waker(self._wake.set)
        if not self.settings.enabled:
            self._running.clear()
        self._thread = threading.Thread(target=self._work, name=f"logsql-stream-{self.name}", daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """Stop behind the batch that is under way; the rows wait in their sources."""
        self._running.clear()
        self._wake.set()

    def resume(self) -> None:
        """Go on, also behind a failure."""
        self.reason = ""
        self._running.set()
        self._wake.set()

    def reset(self) -> None:
        """Forget what it remembers, and go on with the rows that come from now on."""
        self._reset = True
        self._wake.set()

    def stop(self, deadline: float) -> None:
        """Work off what waits, until ``deadline`` (``time.monotonic``), and end. The sources' writers have stopped."""
        self._deadline = deadline
        self._ending.set()
        self._wake.set()
        if (thread := self._thread) is not None:
            thread.join(max(deadline - time.monotonic(), 0.0))
            if thread.is_alive():
                self._interrupt()
                thread.join(5.0)
            for one in self.inputs:
                one.feed.remove_waker(self._wake.set)
        self._close()

    def _interrupt(self) -> None:
        self.runner.interrupt()

    def _close_runners(self) -> None:
        self.runner.close()

    def _close(self) -> None:
        self._close_runners()
        self._session.close()

    # --- the thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._over():
            try:
                moved = self._turn()
            except Stopped:  # the time is over, or it was told to pause while it waited: then it can go on
                self.runner.undo()
                moved = False
            except Exception as problem:  # a defect, or a database that failed: the rows wait
                self._fail(problem)
                moved = False
            if moved:
                continue
            if self._ending.is_set() and not self._busy():
                return
            self._wake.wait(self._patience())
            self._wake.clear()

    def _over(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _busy(self) -> bool:
        """Whether more can be done before the end."""
        return False

    def _patience(self) -> float:
        """Seconds to wait for rows."""
        return IDLE if all(one.wakes for one in self.inputs) else POLL

    def _turn(self) -> bool:
        """One batch of each source; whether there was one."""
        if self._reset:
            self._forget()
        if not self._running.is_set() or self.reason:
            return False
        self._renew()
        self._look_at_shapes()
        moved = False
        for one in self.inputs:
            if self._over():
                raise Stopped
            if not self._running.is_set():
                return moved
            position = self.positions[one.key]
            taken = one.feed.read(position, self._around.batch_rows)
            if one.follows is not None and one.follows.doubts:
                self._doubted(one, one.follows)
            if taken is None:
                self._drained(one)
                continue
            if taken.first > position and one.dense:
                self._missed(one, taken.first - position)
            moved = True
            self._batch(one, one.adapt(taken.rows), taken.next)
        return moved

    def _look_at_shapes(self) -> None:
        """Plan anew where a table has other columns than the query was planned for."""
        shapes = [one.shape_now() for one in self.inputs]
        if all(now is one.shape for now, one in zip(shapes, self.inputs, strict=True)):
            return
        self.inputs = tuple(replace(one, shape=now) for one, now in zip(self.inputs, shapes, strict=True))
        self.given = merged(shapes)
        self._close_runners()
        self._plan(self.halves)
        self._load_states()

    def _load_states(self) -> None:
        states = self._around.book.states(self.unit)
        for one in self.inputs:
            if one.follows is not None:
                one.follows.load(states.get(one.key, b""))
        self.runner.load(states)

    def _drained(self, one: Input) -> None:
        """A source has nothing more now."""

    def _missed(self, one: Input, rows: int) -> None:
        """Rows of a source went before this stream came to read them."""
        reason = "async_queue" if self.settings.independent else "missing"
        self._around.metrics.add(STREAM_ERRORS, (self.name, reason), rows)
        said = ROWS_MISSED.fill(stream=self.name, source=one.name, rows=rows, reason=reason)
        self._around.tell(said)

    def _doubted(self, one: Input, source: Followed) -> None:
        """The rows of a table have other numbers, and which of them were read cannot be told."""
        self._around.metrics.add(STREAM_ERRORS, (self.name, "renumbered"), source.doubts)
        self._around.tell(ROWS_RENUMBERED.fill(stream=self.name, source=one.name))
        source.doubts = 0

    def _forget(self) -> None:
        self._reset = False
        self._around.book.forget(self.unit)
        self.positions = {i.key: i.feed.published for i in self.inputs}
        self.runner.load({})
        self._begin_here(self.inputs)
        self.reason = ""

    def _fail(self, problem: Exception) -> None:
        self.reason = problem.diagnostic.message if isinstance(problem, LogsqlError) else repr(problem)
        self.runner.undo()
        self._around.metrics.add(STREAM_ERRORS, (self.name, "stopped"), 0)
        self._around.tell(STREAM_FAILED.fill(stream=self.name, reason=self.reason))

    # --- a batch ----------------------------------------------------------------------------------

    def _batch(self, one: Input, rows: pa.Table, behind: int) -> None:
        if not self._delivery.wait_room(self._stopped):
            raise Stopped
        began = time.perf_counter()
        positions = {**self.positions, one.key: behind}
        with self._together():
            ran = self.run(rows)
            parcel = Parcel(positions, self._states(), ran.shown, ran.kept, ran.dead, self._wrote(), self._inside())
            self._commit(replace(parcel, fresh=self._fresh(one)), self.runner)
        self.positions = positions
        self._count(rows.num_rows, ran, time.perf_counter() - began)

    @contextmanager
    def _together(self) -> Iterator[None]:
        """A batch with what the query keeps outside of itself."""
        begun: list[Companion] = []
        try:
            for companion in self.companions:
                companion.begin()
                begun.append(companion)
            yield
        except BaseException:
            for companion in begun:
                companion.aborted()
            raise
        for companion in begun:
            companion.committed()

    def _states(self) -> dict[str, bytes]:
        return {**self.runner.states(), **self._followed()}

    def _inside(self) -> tuple[Callable[[Cursor], None], ...]:
        return tuple(act for companion in self.companions for act in companion.inside())

    def _fresh(self, one: Input) -> bool:
        """Whether the disk holds none of the rows that are read of a source now."""
        return self.positions[one.key] >= one.feed.settled

    def _wrote(self) -> dict[str, Feed]:
        found: dict[str, Feed] = {}
        for companion in self.companions:
            found.update(companion.wrote())
        return found

    def _commit(self, parcel: Parcel, runner: QueryRunner) -> None:
        try:
            delivered = self._delivery.deliver(parcel, self._stopped)
        except BaseException:
            runner.undo()
            raise
        if not delivered:
            runner.undo()
            raise Stopped
        runner.done()

    def _stopped(self) -> bool:
        """Whether waiting has to end: the time is over, or the stream was told to pause."""
        return self._over() or not self._running.is_set()

    def run(self, rows: pa.Table) -> Ran:
        """The rows of a batch through the query; rows that fail stand in ``dead``. Raises LogsqlError where the stream
        is to stop at one."""
        return self.run_each([rows])[0]

    def run_each(self, parts: Sequence[pa.Table]) -> list[Ran]:
        """As :meth:`run`, a batch of several parts, each with what it came to.

        One part that fails has all of them run again where something is taken back: what the parts before it left in
        contexts and memories belongs to the same batch.
        """
        pieces: list[Pieces] = [[(rows, None)] for rows in parts]
        try:
            while (done := self._through_all(pieces)) is None:
                self._take_back()
        except BaseException:
            self._take_back()
            raise
        return done

    def _through_all(self, parts: Sequence[Pieces]) -> list[Ran] | None:
        done: list[Ran] = []
        for pieces in parts:
            if (ran := self._through(pieces)) is None:
                return None
            done.append(ran)
        return done

    def _through(self, pieces: Pieces) -> Ran | None:
        """Run the pieces of a batch; one that fails is halved in the list, or marked there where it is one row.

        None: all of it is to be run again, because what the query keeps outside of itself was taken back.
        """
        done, place = Ran(), 0
        while place < len(pieces):
            part, failed = pieces[place]
            if failed is not None:
                _dead(done, part, failed)
                place += 1
                continue
            try:
                self._part(part, done)
                place += 1
            except Exception as error:
                if self._over():
                    raise Stopped from None
                if self.settings.on_error == "stop":
                    raise
                half = part.num_rows // 2
                pieces[place : place + 1] = (
                    [(part.slice(0, half), None), (part.slice(half), None)] if half else [(part, error)]
                )
                if self.companions:
                    return None
        return done

    def _take_back(self) -> None:
        self.runner.undo()
        for companion in self.companions:
            companion.back()

    def _part(self, rows: pa.Table, done: Ran) -> None:
        found = self.runner.run(rows)
        shown = found.shown() if self.shows else None
        self.runner.keep()
        if shown is not None:
            done.shown.append(shown)
        done.kept.append(found.kept)

    def _count(self, rows: int, ran: Ran, seconds: float) -> None:
        self._around.metrics.add(ROWS_IN, self._labels, rows)
        self._around.metrics.observe(BATCH_SECONDS, self._labels, seconds)
        for reason, count in ran.errors.items():
            self._around.metrics.add(STREAM_ERRORS, (self.name, reason), count)
        if time.monotonic() >= self._looked + LOSSES:
            self._looked = time.monotonic()
            self._tell_losses()

    def _tell_losses(self) -> None:
        for entry in self.runner.losses():
            self._around.tell(STREAM_LOST.fill(stream=self.name, said=entry.told()))

    # --- what is looked after ---------------------------------------------------------------------

    def _renew(self) -> None:
        """Load anew what is loaded once, as often as ``refresh`` says."""
        every = self.settings.refresh
        if every is None or time.monotonic() < self._renewed + every:
            return
        self._renewed = time.monotonic()
        self.renew()

    def renew(self) -> None:
        """Load the subqueries of streamjoin anew; where that fails the old rows stay, counted."""
        try:
            self._load_anew()
        except LogsqlError as error:
            self._around.metrics.add(STREAM_ERRORS, (self.name, "refresh"), 1)
            self._around.tell(REFRESH_FAILED.fill(stream=self.name, reason=error.diagnostic.message))

    def _load_anew(self) -> None:
        self.runner.renew()

    def _model_took(self, label: str, seconds: float) -> None:
        self._around.metrics.observe(MODEL_SECONDS, (self.name, label), seconds)

    def _model_changed(self, label: str, error: LogsqlError | None) -> None:
        if error is None:
            self._around.tell(MODEL_RENEWED.fill(stream=self.name, model=label))
            return
        self._around.metrics.add(STREAM_ERRORS, (self.name, "model"), 1)
        self._around.tell(MODEL_KEPT.fill(stream=self.name, model=label, reason=error.diagnostic.message))


def read_behind(parts: Halves) -> frozenset[str] | None:
    """The fields that the windowed half of a query reads of its rows; None: any."""
    found = demanded(first_ones_first(parts.windowed)) if parts.windowed else None
    return found if found is None else found | {"_time"}
