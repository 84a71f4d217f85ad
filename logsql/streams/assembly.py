"""A server put together out of its configuration: database, journals, feeds, sinks, streams, receivers.

What is made here is not started yet, and of receivers nothing listens: :mod:`.server` does that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa

from logsql.api import Session
from logsql.diagnostics.errors import UsageError, diagnostic
from logsql.diagnostics.live import TABLE_CIRCLE
from logsql.language.spans import render_note
from logsql.language.tree import Command
from logsql.planner.folds import tree_nodes
from logsql.planner.services import CONTEXTS
from logsql.planner.together import parts_of
from logsql.store.files import Files
from logsql.store.logfiles import make_private
from logsql.store.policy import Policy
from logsql.store.serverfolder import StateFolder
from logsql.streams import settings
from logsql.streams.book import Book
from logsql.streams.contextkeeper import CONTEXT, Keeper
from logsql.streams.feeds import RECEIVER, Feeds
from logsql.streams.inputs import merged
from logsql.streams.intake import Intake, Journal
from logsql.streams.logbook import LOG, Logbook
from logsql.streams.metrics import Metrics
from logsql.streams.planning import Shape
from logsql.streams.receivers.base import Receiver
from logsql.streams.receivers.making import made, schema_of
from logsql.streams.rows import REMOVED
from logsql.streams.settings import Live
from logsql.streams.sinks.base import Place
from logsql.streams.sinks.dead import Dead
from logsql.streams.sinks.making import Sinks
from logsql.streams.sinks.table import Tables
from logsql.streams.taps import Taps
from logsql.streams.unit import STREAM, TABLE, Parts, Source, Unit

SERVER_LOG, FORWARD = "server:log", "forward:"
#: What rows hold that others give to a stream without sources of its own.
LINE = pa.schema([("line", pa.string())])
#: Kinds of sinks that are tables.
_TABLES = frozenset({"table"})


@dataclass
class Assembly:
    """All parts of one server."""

    live: Live
    folder: StateFolder
    files: Files
    session: Session
    book: Book
    metrics: Metrics
    journal: Journal
    feeds: Feeds
    sinks: Sinks
    taps: Taps
    log: Logbook
    tables: Tables
    contexts: Keeper
    units: dict[str, Unit] = field(default_factory=dict)
    receivers: dict[str, Receiver] = field(default_factory=dict)
    intakes: dict[str, Intake] = field(default_factory=dict)

    def close(self) -> None:
        """Release files and the database. Units, receivers and sinks have ended."""
        self.journal.close()
        self.feeds.close()
        self.session.close()
        self.folder.close()

    # --- streams ----------------------------------------------------------------------------------

    def plan(self, live: Live, names: Collection[str]) -> dict[str, Unit]:
        """Units of these streams of a configuration, planned and not started, each behind those that it reads.

        Raises QueryError for a query that cannot work; nothing on the disk was touched.
        """
        made_now: dict[str, Unit] = {}
        for stream in in_order(live):
            if stream.name in names:
                unit = Unit(stream, self._parts(live, stream, {**self.units, **made_now}))
                for note in unit.worker.notes:
                    self.log.say(render_note(note), "warning", stream.name)
                made_now[stream.name] = unit
        return made_now

    def wire(self, units: Mapping[str, Unit]) -> None:
        """Have units deliver into the sinks that there are now."""
        for unit in units.values():
            unit.wire([self.sinks.sinks[name] for name in unit.settings.to], Burying(self.sinks.dead))
            if any(True for c in tree_nodes(unit.names.commands) if isinstance(c, Command) for _ in parts_of(c)):
                unit.worker.companions = (self.contexts,)
        self.contexts.listen(topics_of(self.live))

    def _parts(self, live: Live, stream: settings.Stream, known: Mapping[str, Unit]) -> Parts:
        read = {source for other in live.streams for source in sources_of(live, other)}
        sources = [self._source(live, name, known) for name in sources_of(live, stream)]
        given = merged([one.schema for one in sources if isinstance(one.schema, Shape)] or [Shape(LINE)])
        forwarded = Source(FORWARD + stream.name, replace(given, schema=given.fields, rest=None))
        return Parts(
            session=self.session,
            book=self.book,
            feeds=self.feeds,
            sources=(*sources, forwarded),
            output=stream.name in read,
            taps=self.taps,
            metrics=self.metrics,
            zone=self.session.zone,
            log=self.log.of(stream.name),
            batch_rows=live.server.batch_rows,
        )

    def _source(self, live: Live, name: str, known: Mapping[str, Unit]) -> Source:
        receivers = {receiver.name: receiver for receiver in live.receivers}
        if name in receivers:
            return Source(RECEIVER + name, schema_of(receivers[name].kind), receivers[name])
        if name.startswith(TABLE):
            return Source(name)
        if name.startswith(CONTEXT) or name == SERVER_LOG:
            return Source(name, Shape(LOG if name == SERVER_LOG else REMOVED))
        return Source(STREAM + name, known[name].output_shape)

    # --- receivers --------------------------------------------------------------------------------

    def receiver(self, wanted: settings.Receiver) -> Receiver:
        """A receiver with its journal; it does not listen yet. Raises Broken, OSError, StartError."""
        intake = self.journal.intake(wanted.name, schema_of(wanted.kind), wanted.encoding)
        self.intakes[wanted.name] = intake
        self.feeds.journal(wanted.name, intake.feed)
        return made(wanted, intake, self.metrics, self.files)


class Burying:
    """The dead file as units see it."""

    def __init__(self, dead: Dead) -> None:
        self._dead = dead
        self.staged, self.committed, self.aborted = dead.staged, dead.committed, dead.aborted

    def stage(self, rows: pa.Table, unit: str, stream: str, error: str) -> None:
        """Take rows that failed, with the reason."""
        self._dead.bury(rows, unit, stream, error)


def sources_of(live: Live, stream: settings.Stream) -> list[str]:
    """The sources of a stream; ``table:NAME`` stands for the streams whose rows go into that table through sinks."""
    found: list[str] = []
    for name in stream.sources:
        if not name.startswith(TABLE):
            found.append(name)
            continue
        table = name.removeprefix(TABLE)
        sinks = {sink.name for sink in live.sinks if sink.kind in _TABLES and (sink.table or sink.name) == table}
        writers = [other.name for other in live.streams if sinks & set(other.to)]
        found += writers or [name]
    return list(dict.fromkeys(found))


def in_order(live: Live) -> Iterator[settings.Stream]:
    """Streams, each behind those that it reads. Raises UsageError for streams that read each other through tables."""
    waiting = {stream.name: stream for stream in live.streams}
    while waiting:
        ready = [s for s in waiting.values() if not waiting.keys() & set(sources_of(live, s))]
        if not ready:
            raise UsageError(diagnostic(TABLE_CIRCLE, names=", ".join(waiting)))
        for stream in ready:
            del waiting[stream.name]
            yield stream


def opened(live: Live, folder: StateFolder, log: Logbook) -> Assembly:
    """The parts of a server, its feeds as they were committed. Receivers are made and do not listen.

    Raises SourceError (exit code 3) for a database that cannot be opened, Broken for a journal that cannot be read,
    QueryError for a query that cannot work.
    """
    files = Files(Policy.safe_mode(live.files.allow, (*live.files.allow_write, str(folder.path))))
    own = Files()
    metrics = Metrics()
    known = own.has_file(live.server.database)
    session = open_session(live, folder.path)
    try:
        if not known:
            make_private(own, live.server.database)
        tables = Tables()
        book = Book(session, write=tables.write, sync=live.server.sync)
        journal = Journal(folder.path / "journal", own, live.server, metrics)
        feeds = Feeds(folder.path / "feeds", own, journal)
        place = Place(folder.path, files, book, metrics, session.zone)
        sinks = Sinks(live.sinks, live.dead, place, tables, live.reach)
        journal.keep_synced(sinks.feeds)
        contexts = Keeper(book, feeds, metrics, session.zone, live.server.max_contexts, log.of("contexts"))
        session.workspace.services.provide(CONTEXTS, contexts.store)
        found = Assembly(
            live, folder, files, session, book, metrics, journal, feeds, sinks, Taps(), log, tables, contexts
        )
        found.units = found.plan(live, {stream.name for stream in live.streams})
        for wanted in live.receivers:
            found.receivers[wanted.name] = found.receiver(wanted)
        for name in source_feeds(live):
            feeds(name)
        readers = {name: list(units.values()) for name, units in book.readers().items()}
        feeds.recover(book.ends(), readers)
        sinks.recover()
        contexts.load()
        found.wire(found.units)
    except BaseException:
        with suppress(Exception):
            session.close()
        raise
    return found


def source_feeds(live: Live) -> set[str]:
    """The feeds beside the journals that are there from the start."""
    streams = {stream.name for stream in live.streams}
    read = {name for stream in live.streams for name in sources_of(live, stream)}
    found = {name for name in read if name.startswith(CONTEXT) or name == SERVER_LOG}
    found |= {STREAM + name for name in read & streams}
    return found | {FORWARD + s.name for s in live.streams}


def topics_of(live: Live) -> set[str]:
    """The topics whose removed contexts streams read."""
    return {n.removeprefix(CONTEXT) for s in live.streams for n in s.sources if n.startswith(CONTEXT)}


def open_session(live: Live, folder: Path) -> Session:
    """The session in which queries of streams run: what they may read and write is what ``[files]`` says.

    The database may lie elsewhere than the state folder: its file, the engine's log of it and its models are the
    server's own there too, and nothing else in that folder.
    """
    own = [live.server.database + ending for ending in ("", ".wal", ".ml")]
    return Session(
        live.server.database,
        live.server.timezone,
        safe=True,
        allow_dirs=live.files.allow,
        allow_write=(*live.files.allow_write, str(folder), *own),
        threads=live.server.threads,
        memory_limit=live.server.memory_limit,
        configuration=live.reach,
    )


def table_rows(session: Session, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of a table, on a cursor of their own."""
    with session.sibling() as other:
        yield from other.query(f"table {quoted(name)}").batches()


def quoted(name: str) -> str:
    """A name as it stands in a query."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
