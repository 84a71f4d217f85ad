"""The running server as others see it: answers to questions of the control socket, and the status page."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol, cast

import duckdb
import pyarrow as pa

from logsql import __version__
from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.live import NOBODY
from logsql.diagnostics.messages import message
from logsql.loading import at
from logsql.streams.answers import Watching
from logsql.streams.assembly import FORWARD, Assembly, table_rows
from logsql.streams.feed import Feed
from logsql.streams.feeds import RECEIVER
from logsql.streams.metrics import (
    BYTES,
    CONNECTIONS,
    CONTEXT_REMOVED,
    CONTEXTS,
    FRAMES_BAD,
    MESSAGES,
    RECEIVER_LOST,
    REFUSED,
    ROWS_IN,
    ROWS_OUT,
    STREAM_ERRORS,
    Metric,
)
from logsql.streams.receivers.making import schema_of
from logsql.streams.sinks.jsonrows import json_objects
from logsql.streams.unit import Unit

if TYPE_CHECKING:
    from logsql.streams.status import Views

#: Columns of clocks of hosts and of contexts.
_CLOCK = ("host", "time", "timeout_queue_len", "expire_queue_len")
_CONTEXT = ("topic", "key", "host", "counter", "created", "expire_at", "timeout_at", "maxrows", "vars", "rows")
#: Rows that a watcher of a journal reads at once.
MOST = 5000


class Running(Protocol):
    """The server whose parts are shown."""

    parts: Assembly
    started: float

    def reasons(self) -> list[str]:
        """Why it is not ready; none: it is."""

    def reload_from_thread(self) -> list[str]:
        """Take up the configuration as it is now; what is said of it. Raises LogsqlError."""


class FeedWatcher:
    """Rows of journals from now on, by their numbers."""

    def __init__(self, feeds: Mapping[str, Feed], last: int) -> None:
        self.missed = 0
        self._feeds = feeds
        self._places = {name: max(feed.published - last, feed.start) for name, feed in feeds.items()}

    def next(self, seconds: float) -> pa.Table | None:
        """The next rows; None when none came within the time."""
        until = time.monotonic() + seconds
        while True:
            for name, feed in self._feeds.items():
                if self._places[name] < feed.start:
                    self.missed += feed.start - self._places[name]
                    self._places[name] = feed.start
                taken = feed.read(self._places[name], MOST)
                if taken is not None:
                    self._places[name] = taken.next
                    return taken.rows
            left = until - time.monotonic()
            if left <= 0:
                return None
            name, feed = next(iter(self._feeds.items()))
            feed.wait(self._places[name], min(left, 0.05 if len(self._feeds) > 1 else left))


class View:
    """What is told of a server's parts, and what others may have it do."""

    def __init__(self, server: Running) -> None:
        self._server = server

    # --- rows -------------------------------------------------------------------------------------

    def watching(self, kind: str, names: Sequence[str], last: int = 0) -> AbstractContextManager[Watching]:
        """Rows of receivers or streams from now on."""
        parts = self._server.parts
        if kind == "streams":
            return parts.taps.watching(names, last)
        feeds = {name: parts.feeds(RECEIVER + name) for name in names}

        @contextmanager
        def watching() -> Iterator[Watching]:
            yield FeedWatcher(feeds, last)

        return watching()

    def schemas(self, kind: str) -> Mapping[str, pa.Schema | None]:
        """Receivers or streams, and the fields of their rows as far as they are known."""
        parts = self._server.parts
        if kind == "receivers":
            return {receiver.name: schema_of(receiver.kind) for receiver in parts.live.receivers}
        return {name: unit.output_schema or parts.taps.schema(name) for name, unit in parts.units.items()}

    def forward(self, names: Sequence[str], rows: pa.Table) -> None:
        """Rows for streams, as if a source of theirs had given them."""
        for name in names:
            feed = self._server.parts.feeds(FORWARD + name)
            for batch in rows.combine_chunks().to_batches():
                feed.append(batch)
            if self._server.parts.live.server.sync == 0:
                feed.sync()
            feed.publish()

    def lines(self, rows: pa.Table) -> pa.Array:
        """Rows as JSON lines."""
        found = [*json_objects(rows, self._server.parts.session.zone)]
        return pa.chunked_array(found, pa.large_string() if found and found[0].type == pa.large_string() else None)

    def state_folder(self) -> str:
        """The folder of its models: beside the database."""
        return self._server.parts.session.state_folder

    def tables(self) -> Mapping[str, pa.Schema]:
        """The tables of the database."""
        session = self._server.parts.session
        with session.sibling() as other:
            return {name: other.query(f'table limit=0 "{name}"').arrow().schema for name in session.tables()}

    def table(self, name: str) -> Iterator[pa.RecordBatch]:
        """The rows of one."""
        session = self._server.parts.session
        if name not in session.tables():
            raise SourceError(diagnostic(NOBODY, kind="table", name=name, names=", ".join(session.tables())))
        yield from table_rows(session, name)

    # --- lists ------------------------------------------------------------------------------------

    def listing(self, what: str) -> list[dict[str, object]]:
        """What is told of ``overview``, ``streams``, ``loggers``, ``sinks``, ``contexts``, ``topics``, ``clocks``."""
        if what == "overview":
            return [self._overview(name, unit) for name, unit in self._server.parts.units.items()]
        if what == "streams":
            return [self._stream(name, unit) for name, unit in self._server.parts.units.items()]
        if what == "loggers":
            return [self._logger(told) for told in self.receivers()]
        if what == "sinks":
            return self._server.parts.sinks.status()
        return self.contexts(what)

    def _overview(self, name: str, unit: Unit) -> dict[str, object]:
        metrics = self._server.parts.metrics
        return {
            "name": name,
            "state": unit.state,
            "from": ", ".join(unit.settings.sources),
            "to": ", ".join(unit.settings.to),
            "rows_in": int(metrics.value(ROWS_IN, (name,))),
            "rows_out": int(metrics.value(ROWS_OUT, (name,))),
            "errors": self._sum(STREAM_ERRORS, name),
            "lag_seconds": round(unit.lag(), 3),
        }

    def _stream(self, name: str, unit: Unit) -> dict[str, object]:
        """The columns of ``system streams``."""
        metrics, found = self._server.parts.metrics, unit.settings
        streams = [s for s in found.sources if s in self._server.parts.units]
        tables = [s.removeprefix("table:") for s in found.sources if s.startswith("table:")]
        loggers = [s for s in found.sources if s not in streams and ":" not in s]
        kind = "stream" if streams else "table" if tables else "logger"
        return {
            "source_type": kind,
            "name": name,
            "running": unit.state == "running",
            "enabled": found.enabled,
            "async": found.independent,
            "description": unit.reason or None,
            "interval": None if found.every is None else int(found.every * 1000),
            "query_string": found.query,
            "input_count": int(metrics.value(ROWS_IN, (name,))),
            "output_count": int(metrics.value(ROWS_OUT, (name,))),
            "owner": None,
            "created_at": None,
            "modified_at": None,
            "last_refresh_at": None,
            "input_tables": ", ".join(tables) or None,
            "input_loggers": ", ".join(loggers) or None,
            "input_streams": ", ".join(streams) or None,
        }

    @staticmethod
    def _logger(told: Mapping[str, object]) -> dict[str, object]:
        """The columns of ``system loggers``."""
        renamed = {"factory": "kind", "log_count": "messages", "drop_count": "lost", "log_volume": "bytes"}
        same = ("name", "status", "connections", "refused", "bad_frames", "listen")
        found = {name: told[name] for name in same} | {name: told[old] for name, old in renamed.items()}
        return {**found, "interval": None, "last_log_at": None}

    def receivers(self, senders: bool = False) -> list[dict[str, object]]:
        """What receivers have taken in."""
        parts, found = self._server.parts, []
        for wanted in parts.live.receivers:
            name = wanted.name
            intake = parts.intakes[name]
            told: dict[str, object] = {
                "name": name,
                "kind": wanted.kind,
                "status": intake.reason or "running",
                "messages": self._sum(MESSAGES, name),
                "bytes": int(parts.metrics.value(BYTES, (name,))),
                "connections": int(parts.metrics.value(CONNECTIONS, (name,))),
                "refused": self._sum(REFUSED, name),
                "bad_frames": self._sum(FRAMES_BAD, name),
                "lost": self._sum(RECEIVER_LOST, name),
                "listen": ", ".join(wanted.listen or wanted.path),
            }
            if senders and name in parts.receivers:
                told["senders"] = parts.receivers[name].senders()
            found.append(told)
        return found

    def contexts(self, what: str) -> list[dict[str, object]]:
        """Event contexts, their topics, their clocks."""
        store, zone = self._server.parts.contexts.store, self._server.parts.session.zone
        with store:
            if what == "topics":
                return [{"topic": topic, "count": count} for topic, count in store.counts().items()]
            if what == "clocks":
                return [dict(zip(_CLOCK, clock, strict=True)) for clock in store.clocks()]
            return [dict(zip(_CONTEXT, found, strict=True)) for found in store.listed(None, zone)]

    def _sum(self, metric: Metric, first: str) -> int:
        """A counter over all labels behind the first."""
        numbers = self._server.parts.metrics.numbers()
        return int(sum(v for (name, labels), v in numbers.items() if name == metric.name and labels[0] == first))

    def show(self, name: str) -> dict[str, object]:
        """Everything about one part."""
        parts = self._server.parts
        if name in parts.units:
            return {
                **self._stream(name, parts.units[name]),
                "state": parts.units[name].state,
                "lag": parts.units[name].lag,
            }
        for told in (*self.receivers(senders=True), *parts.sinks.status()):
            if told["name"] == name:
                return told
        known = [*parts.units, *parts.receivers, *parts.sinks.sinks]
        raise SourceError(diagnostic(NOBODY, kind="stream", name=name, names=", ".join(known)))

    # --- acts -------------------------------------------------------------------------------------

    def act(self, verb: str, name: str) -> dict[str, object]:
        """Stop, start, reset a stream, or reload; what is said of it. Raises LogsqlError."""
        if verb == "reload":
            return {"said": self._server.reload_from_thread() or [message("live-unchanged")]}
        unit = self._server.parts.units.get(name)
        if unit is None:
            known = ", ".join(self._server.parts.units)
            raise SourceError(diagnostic(NOBODY, kind="stream", name=name, names=known))
        acts = {"stop": unit.pause, "start": unit.resume, "reset": unit.reset}
        acts[verb]()
        said = message(f"live-{verb}", name=name)
        self._server.parts.log.say(said, part=name)
        return {"said": [said]}

    # --- the status page --------------------------------------------------------------------------

    def views(self) -> Views:
        """What the status page shows."""
        made = cast("type[Views]", at("logsql.streams.status:Views"))  # loads aiohttp, which only a page needs
        return made(self._server.reasons, self.status, self._server.parts.metrics)

    def status(self) -> dict[str, object]:
        """Everything about the parts, as JSON has it. No text of a query, no secret."""
        parts = self._server.parts
        numbers = parts.metrics.numbers()
        contexts = [
            {
                "topic": labels[0],
                "open": int(value),
                "removed": self._sum(CONTEXT_REMOVED, labels[0]),
            }
            for (name, labels), value in numbers.items()
            if name == CONTEXTS.name
        ]
        return {
            "status": "degraded" if self._server.reasons() else "running",
            "ready": not self._server.reasons(),
            "reasons": self._server.reasons(),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._server.started)),
            "versions": {"logsql": __version__, "python": sys.version.split()[0], "duckdb": duckdb.__version__},
            "receivers": self.receivers(senders=True),
            "streams": self.listing("overview"),
            "sinks": parts.sinks.status(),
            "contexts": contexts,
            "log": list(parts.log.last),
        }
