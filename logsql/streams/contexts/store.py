"""The store of event contexts: one per session, or one per server that all its streams share.

Key: (topic, key, host), host None without log time. A method that changes something is called by whoever holds the
store (``with store:``), which one thread does at a time. Times are microseconds since 1970.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from types import TracebackType
from typing import Final
from zoneinfo import ZoneInfo

from logsql.streams.contexts.clock import Clock, Context, Place, real_time
from logsql.streams.contexts.shown import rows_document, vars_document

#: Contexts of one store; more are refused and counted.
MOST: Final = 1_000_000
REMOVAL: Final = "REMOVAL"
_ABSENT: Final = object()

#: A removed context as a row: moment, topic, key, host, cause, counter, created, expire_at, timeout_at, vars, rows.
Removed = tuple[int, Context, str]
Step = tuple[Callable[..., None], tuple[object, ...]]


class Contexts:
    """See the module. ``clock``: what real time is; ``most``: how many contexts there may be."""

    def __init__(self, clock: Callable[[], int] = real_time, most: int = MOST) -> None:
        self._lock = threading.RLock()
        self._now = clock
        self.most = most
        self.count = 0
        self.real = Clock(None, clock())
        self.hosts: dict[str, Clock] = {}
        self.places: dict[tuple[str, str | None], Place] = {}
        #: Removed contexts by topic and cause, and refused ones by topic, since the store was made.
        self.ended: dict[tuple[str, str], int] = {}
        self.refused: dict[str, int] = {}
        self._wanted: Collection[str] | None = ()
        self._removed: list[Removed] = []
        self._undo: list[Step] | None = None
        self._base = 0
        self._open = False
        #: Contexts that changed since :meth:`..saving.changes`; None where nobody asks.
        self.changed: dict[tuple[str, str, str | None], None] | None = None

    def __enter__(self) -> Contexts:
        self._lock.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        self._lock.release()

    # --- time -------------------------------------------------------------------------------------

    def tick(self) -> int:
        """Real time moves on: work off its deadlines. Returns now."""
        now = self._now()
        self.moved(self.real, now)
        return self.real.time

    def moved(self, clock: Clock, to: int) -> None:
        """A clock moves to a time (never back), and contexts whose deadline it reached end."""
        if to > clock.time:
            if self._undo is not None:
                self._undo.append((setattr, (clock, "time", clock.time)))
            clock.time = to
        for context in clock.reached():
            self._end(context, context.cause, context.deadline or clock.time)

    def host_time(self, host: str, seen: int | None) -> int | None:
        """A row of a host with this ``_time`` comes by: the clock of the host, None where none was ever told."""
        clock = self.hosts.get(host)
        if clock is None:
            if seen is None:
                return None
            clock = self.hosts[host] = Clock(host, seen)
            if self._undo is not None:
                self._undo.append((self._forget_host, (host,)))
        elif seen is not None and seen > clock.time:
            self.moved(clock, seen)
        return clock.time

    def next_deadline(self) -> int | None:
        """When the next context ends by real time, if no row comes."""
        return self.real.next_deadline()

    # --- contexts ---------------------------------------------------------------------------------

    def find(self, topic: str, key: str, host: str | None) -> Context | None:
        """The context, None where there is none."""
        place = self.places.get((topic, host))
        return None if place is None else place.contexts.get(key)

    def add(
        self,
        topic: str,
        key: str,
        host: str | None,
        now: int,
        expire: int | None,
        timeout: int | None,
        maxrows: int,
        row: object,
    ) -> bool:
        """Make a context or touch it (live.md section 5). False where there are too many to make one.

        Raises KeyError for a host without a clock.
        """
        place = self.places.get((topic, host))
        context = None if place is None else place.contexts.get(key)
        if context is not None:
            return self._touch(context, now, timeout, row)
        if self.count >= self.most:
            self.refused[topic] = self.refused.get(topic, 0) + 1
            if self._undo is not None:
                self._undo.append((self._unrefuse, (topic,)))
            return False
        if place is None:
            clock = self.real if host is None else self.hosts[host]
            place = self.places[topic, host] = Place(topic, host, clock)
        context = Context(place, key, now, maxrows)
        context.expire_at = None if expire is None else now + expire
        context.timeout_at = None if timeout is None else now + timeout
        if maxrows > 0 and row is not None:
            context.rows = [row]
        self.place(context)
        if self._undo is not None:
            self._undo.append((self.take_out, (context,)))
        return True

    def _touch(self, context: Context, now: int, timeout: int | None, row: object) -> bool:
        rows = context.rows
        if self._undo is not None:
            kept = None if rows is None else len(rows)
            self._undo.append((self._untouch, (context, context.counter, context.timeout_at, kept)))
        context.counter += 1
        if timeout is not None:
            if context.timeout_at is None:
                context.place.clock.timeouts += 1
            context.timeout_at = now + timeout
            if context.due is None or context.timeout_at < context.due:
                context.place.clock.schedule(context)
        if row is not None:
            if rows is None:
                if context.maxrows > 0:
                    context.rows = [row]
            elif len(rows) < context.maxrows:
                rows.append(row)
        if self.changed is not None:
            self._mark(context)
        return True

    def remove(self, topic: str, key: str, host: str | None, now: int) -> bool:
        """End a context by a command. False where there is none."""
        context = self.find(topic, key, host)
        if context is None:
            return False
        self._end(context, REMOVAL, now)
        return True

    def drop(self, topic: str | None) -> int:
        """End all contexts of a topic, or all there are; returns how many."""
        now = self.tick()
        gone = [c for p in self.places.values() if topic in (None, p.topic) for c in p.contexts.values()]
        for context in gone:
            self._end(context, REMOVAL, now if context.place.host is None else context.place.clock.time)
        return len(gone)

    def set_var(self, context: Context, name: str, value: tuple[str, object]) -> None:
        """Set a variable of a context; null is a value as well, and reads as null."""
        if context.vars is None:
            context.vars = {}
        if self._undo is not None:
            self._undo.append((self._unset, (context, name, context.vars.get(name, _ABSENT))))
        context.vars[name] = value
        if self.changed is not None:
            self._mark(context)

    # --- lists ------------------------------------------------------------------------------------

    def contexts(self, topic: str | None = None) -> Iterator[Context]:
        """All of a topic, or all there are, by place and in the order in which they were made."""
        for place in self.places.values():
            if topic in (None, place.topic):
                yield from place.contexts.values()

    def counts(self) -> dict[str, int]:
        """Open contexts by topic; topics without one are left out."""
        found: dict[str, int] = {}
        for place in self.places.values():
            if place.contexts:
                found[place.topic] = found.get(place.topic, 0) + len(place.contexts)
        return found

    def size(self, topic: str) -> int:
        """Open contexts of a topic."""
        return sum(len(place.contexts) for place in self.places.values() if place.topic == topic)

    def listed(self, topic: str | None, zone: str) -> list[tuple[object, ...]]:
        """Rows of ``evtctxlist``."""
        rules = ZoneInfo(zone)
        with self:
            self.tick()
            return [
                (*self._identity(c), c.counter, c.created, c.expire_at, c.timeout_at, c.maxrows, *self._shown(c, rules))
                for c in self.contexts(topic)
            ]

    @staticmethod
    def _identity(context: Context) -> tuple[str, str, str | None]:
        return context.place.topic, context.key, context.place.host

    @staticmethod
    def _shown(context: Context, zone: ZoneInfo) -> tuple[str | None, str]:
        return vars_document(context, zone), rows_document(context)

    def clocks(self) -> list[tuple[str, int, int, int]]:
        """Rows of ``system cepclocks``."""
        with self:
            return [(host, c.time, c.timeouts, c.expires) for host, c in self.hosts.items()]

    def listen(self, topics: Collection[str] | None) -> None:
        """Keep removed contexts of these topics for :meth:`removed`, None for all; without it none is kept."""
        self._wanted = topics

    def take_removed(self) -> list[Removed]:
        """The removed contexts that were kept since the last call, as (moment, context, cause), in their order."""
        found, self._removed = self._removed, []
        return found

    # --- one step back ----------------------------------------------------------------------------

    def begin(self) -> None:
        """Until :meth:`commit` all that is done can be taken back: a batch that fails leaves nothing behind."""
        with self:
            self._undo, self._open = [], True

    def commit(self) -> None:
        """What was done since :meth:`begin` stays."""
        with self:
            self._undo, self._open = None, False

    def rollback(self) -> None:
        """As it was at :meth:`begin`."""
        with self:
            self._base = 0
            self.undo()
            self.commit()

    def remember(self) -> None:
        """What is done from here on can be undone."""
        if self._undo is None:
            self._undo = []
        if self._open:
            self._base = len(self._undo)
        elif self._undo:
            self._undo.clear()

    def undo(self) -> None:
        """As it was at :meth:`remember`."""
        steps = self._undo or []
        self._undo = None
        while len(steps) > self._base:
            step, arguments = steps.pop()
            step(*arguments)
        self._undo = steps

    def settle(self) -> None:
        """Nothing will be undone any more, unless the whole batch is."""
        self._base = 0
        if not self._open:
            self._undo = None

    # --- inside -----------------------------------------------------------------------------------

    def place(self, context: Context) -> None:
        """Put a context into its place and its clock."""
        context.alive = True
        context.due = None
        context.place.contexts[context.key] = context
        context.place.clock.joined(context, 1)
        context.place.clock.schedule(context)
        self.count += 1
        if self.changed is not None:
            self._mark(context)

    def take_out(self, context: Context) -> None:
        """Take a context out of its place and its clock."""
        context.alive = False
        del context.place.contexts[context.key]
        context.place.clock.joined(context, -1)
        self.count -= 1
        if self.changed is not None:
            self._mark(context)

    def _end(self, context: Context, cause: str, moment: int) -> None:
        self.take_out(context)
        place = (context.place.topic, cause)
        self.ended[place] = self.ended.get(place, 0) + 1
        kept = self._wanted is None or context.place.topic in self._wanted
        if kept:
            self._removed.append((moment, context, cause))
        if self._undo is not None:
            self._undo.append((self._unend, (context, place, kept)))

    def _mark(self, context: Context) -> None:
        assert self.changed is not None
        self.changed[context.place.topic, context.key, context.place.host] = None

    def _unend(self, context: Context, place: tuple[str, str], kept: bool) -> None:
        self.ended[place] -= 1
        if kept:
            self._removed.pop()
        self.place(context)

    def _untouch(self, context: Context, counter: int, timeout_at: int | None, kept: int | None) -> None:
        context.counter = counter
        if timeout_at is None and context.timeout_at is not None:
            context.place.clock.timeouts -= 1
        context.timeout_at = timeout_at
        if kept is None:
            context.rows = None
        elif context.rows is not None:
            del context.rows[kept:]
        context.place.clock.schedule(context)

    def _unset(self, context: Context, name: str, old: object) -> None:
        assert context.vars is not None
        if old is _ABSENT:
            del context.vars[name]
        else:
            context.vars[name] = old  # type: ignore[assignment]

    def _unrefuse(self, topic: str) -> None:
        self.refused[topic] -= 1

    def _forget_host(self, host: str) -> None:
        clock = self.hosts.pop(host)
        for place in [at for at, place in self.places.items() if place.clock is clock]:
            del self.places[place]
