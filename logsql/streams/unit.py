"""A stream of a server: its worker, made of the configuration and of what the server has.

Contract
- Making a unit plans its query (QueryError) and touches nothing on the disk; :meth:`Unit.start` opens its feeds.
- Names in the book: the unit is ``stream:NAME``; feeds are ``receiver:NAME``, ``stream:NAME``, ``window:NAME``,
  ``forward:NAME``, ``context:TOPIC``, ``server:log``, and ``table:NAME`` stands for the rows of a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import cast

import pyarrow as pa

from logsql.engine.session import Session
from logsql.loading import at
from logsql.streams import settings
from logsql.streams.book import Book
from logsql.streams.delivery import DeadOf, Outlet, SinkOf, TapsOf
from logsql.streams.feed import Feed
from logsql.streams.inputs import Headers, Input, header_fields, received_rows
from logsql.streams.metrics import BATCH_SECONDS, ROWS_IN, ROWS_OUT, Metrics
from logsql.streams.planning import Halves, Shape, Text, halves
from logsql.streams.tablerows import table_rows
from logsql.streams.windowed import WindowedWorker
from logsql.streams.working import MOST_ROWS, Surroundings, Tell, Worker, silent

STREAM, WINDOW, TABLE = "stream:", "window:", "table:"


@dataclass(frozen=True)
class Source:
    """One thing that a stream reads. ``name``: of its feed, ``table:NAME`` for a table; ``schema``: what its rows hold,
    of a stream the :attr:`Unit.output_shape`; ``receiver``: whose messages they are."""

    name: str
    schema: pa.Schema | Shape | None = None
    receiver: settings.Receiver | None = None


@dataclass(frozen=True)
class Parts:
    """What a unit works with. ``feeds`` opens the feed of a name; ``output``: whether other streams read it."""

    session: Session
    book: Book
    feeds: Callable[[str], Feed]
    sources: Sequence[Source]
    sinks: Sequence[SinkOf] = ()
    dead: DeadOf | None = None
    output: bool = False
    taps: TapsOf | None = None
    metrics: Metrics = field(default_factory=Metrics)
    zone: str = "UTC"
    log: Tell = silent
    batch_rows: int = MOST_ROWS


class _Late:
    """A feed that is opened when it is first used."""

    def __init__(self, open_: Callable[[], Feed]) -> None:
        self._open = open_
        self._feed: Feed | None = None

    def __getattr__(self, name: str) -> object:
        if self._feed is None:
            self._feed = self._open()
        return getattr(self._feed, name)


def late(feeds: Callable[[str], Feed], name: str) -> Feed:
    """The feed of a name, which is opened when it is first used."""
    return cast("Feed", _Late(partial(feeds, name)))


class Unit:
    """One stream. Raises QueryError where its query cannot be planned."""

    def __init__(self, stream: settings.Stream, parts: Parts) -> None:
        self.settings = stream
        self._parts = parts
        self._halves = halves(Text(stream.name, stream.query, stream.place), stream.every)
        session = parts.session.sibling()
        try:
            self.worker = self._made(session)
        except BaseException:
            session.close()
            raise

    def _made(self, session: Session) -> Worker:
        stream, parts = self.settings, self._parts
        around = Surroundings(parts.book, parts.metrics, parts.zone, parts.log, parts.batch_rows)
        inputs = [self._input(source, session) for source in parts.sources]
        outlet = self._outlet(parts.sinks, parts.dead)
        if not self._halves.windowed:
            return Worker(stream, session, inputs, outlet, around)
        key = WINDOW + stream.name
        return WindowedWorker(stream, session, inputs, outlet, around, late(parts.feeds, key), key)

    def _outlet(self, sinks: Sequence[SinkOf], dead: DeadOf | None) -> Outlet:
        key = STREAM + self.settings.name
        output = late(self._parts.feeds, key) if self._parts.output else None
        return Outlet(tuple(sinks), dead, output, key, self._parts.taps)

    def _input(self, source: Source, session: Session) -> Input:
        kind, _, name = source.name.partition(":")
        if f"{kind}:" == TABLE:
            return table_rows(source.name, source.name, session, name)
        feed = late(self._parts.feeds, source.name)
        if source.receiver is not None and isinstance(source.schema, pa.Schema):
            fields = header_fields(self._halves.names)
            return received_rows(name, feed, source.name, source.schema, fields, self._headers(source.receiver))
        shape = source.schema if isinstance(source.schema, Shape) else Shape(source.schema or pa.schema([]))
        return Input(name, feed, source.name, shape)

    def _headers(self, receiver: settings.Receiver) -> Headers | None:
        if receiver.kind != "syslog":
            return None
        parse = cast("Callable[..., dict[str, pa.Array]]", at("udfs.syslogheader:parse_headers"))
        zone = receiver.timezone or self._parts.zone
        return lambda lines, arrival, fields: parse(lines, arrival, zone, receiver.parse, fields)

    # --- what it gives ----------------------------------------------------------------------------

    @property
    def output_shape(self) -> Shape:
        """What its rows hold, for the streams that read them."""
        return self.worker.output

    @property
    def output_schema(self) -> pa.Schema | None:
        """The fields of its rows; None where only the rows tell them all."""
        return self.worker.output.schema if self.worker.output.rest is None else None

    @property
    def holds(self) -> bool:
        """Whether its sources keep rows until it has read them (``async = false``)."""
        return self.worker.holds

    @property
    def names(self) -> Halves:
        """Its query in halves."""
        return self._halves

    # --- what it does -----------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """``running``, ``stopped`` or ``failed``."""
        return self.worker.state

    @property
    def reason(self) -> str:
        """Why it failed."""
        return self.worker.reason

    def lag(self) -> float:
        """The age in seconds of the oldest row that waits."""
        return self.worker.lag()

    def idle(self) -> bool:
        """Whether all that is there was read and committed."""
        return self.worker.idle()

    def start(self) -> None:
        """Open its feeds and begin; the first time what it reads begins here."""
        self.worker.start()

    def pause(self) -> None:
        """Stop behind the batch that is under way; its rows wait."""
        self.worker.pause()

    def resume(self) -> None:
        """Go on."""
        self.worker.resume()

    def reset(self) -> None:
        """Forget what it remembers and go on with what comes from now on."""
        self.worker.reset()

    def renew(self) -> None:
        """Load subqueries anew."""
        self.worker.renew()

    def stop(self, deadline: float) -> None:
        """Work off what waits until ``deadline`` (monotonic), and end."""
        self.worker.stop(deadline)

    def wire(self, sinks: Sequence[SinkOf], dead: DeadOf | None) -> None:
        """Deliver into these sinks; before it is started."""
        self.worker.wire(self._outlet(sinks, dead))

    def status(self) -> Mapping[str, object]:
        """What ``stream show`` tells."""
        labels = (self.settings.name,)
        metrics = self._parts.metrics
        found = [h for name, where, h in metrics.histograms() if name == BATCH_SECONDS.name and where == labels]
        return {
            "state": self.state,
            "reason": self.reason or None,
            "lag_seconds": round(self.lag(), 3),
            "rows_in": int(metrics.value(ROWS_IN, labels)),
            "rows_out": int(metrics.value(ROWS_OUT, labels)),
            "batches": sum(h.count for h in found),
            "seconds": round(sum(h.total for h in found), 3),
            "positions": dict(self.worker.positions),
        }
