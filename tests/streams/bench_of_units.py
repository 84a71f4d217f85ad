"""A small server without sockets: feeds, a book and units over them, as ``logsql serve`` joins them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import logsql
from logsql.engine.session import Session
from logsql.store.files import Files
from logsql.streams import rows as received
from logsql.streams.book import Book
from logsql.streams.feed import Feed
from logsql.streams.metrics import Metrics
from logsql.streams.settings import Receiver, Stream
from logsql.streams.unit import Parts, Source, Unit
from logsql.streams.windowed import WindowedWorker
from logsql.streams.windows import SteadyClock
from logsql.streams.working import Worker

ZONE = "Asia/Seoul"
#: The first row arrives then.
BEGIN = round(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp() * 1_000_000)


def messages(lines: Sequence[str], at: int | Sequence[int] = BEGIN) -> pa.RecordBatch:
    """Rows of a syslog receiver; ``at``: when they arrived, in microseconds, those of one a millisecond apart."""
    times = [at + n * 1000 for n in range(len(lines))] if isinstance(at, int) else list(at)
    columns: dict[str, Any] = {"line": lines, "_time": times, "_logger_name": ["edge"] * len(lines)}
    arrays = [
        pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(len(lines), f.type)
        for f in received.SYSLOG
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=received.SYSLOG)


@dataclass(frozen=True)
class Held:
    """What a sink of a table holds of a batch."""

    tables: Sequence[tuple[str, pa.Table]] = ()
    ends: Mapping[str, int] = field(default_factory=dict)
    feeds: Sequence[Feed] = ()


class TableSink:
    """A sink whose rows are written in the commit of the unit."""

    full = False

    def __init__(self, table: str) -> None:
        self.table = table
        self.waiting: list[pa.Table] = []

    def wait_room(self, seconds: float) -> bool:
        return True

    def stage(self, rows: pa.Table, unit: str) -> None:
        self.waiting.append(rows)

    def staged(self, unit: str) -> Held:
        return Held([(self.table, rows) for rows in self.waiting])

    def committed(self, unit: str) -> None:
        self.waiting.clear()

    def aborted(self, unit: str) -> None:
        self.waiting.clear()


class DeadTable(TableSink):
    """Failed rows as a table."""

    def stage(self, rows: pa.Table, unit: str, stream: str = "", error: str = "") -> None:
        reason = pa.array([error] * rows.num_rows, pa.string())
        line = rows.column("line") if "line" in rows.schema.names else pa.nulls(rows.num_rows, pa.string())
        self.waiting.append(pa.table({"line": line, "_error": reason}))


def written(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Rows into a table that gets the columns it lacks."""
    cursor.register("batch_of_test", rows)
    cursor.execute(f'CREATE TABLE IF NOT EXISTS "{name}" AS FROM batch_of_test LIMIT 0')
    for column, type_ in cursor.execute(
        "SELECT column_name, column_type FROM (DESCRIBE FROM batch_of_test)"
    ).fetchall():
        cursor.execute(f'ALTER TABLE "{name}" ADD COLUMN IF NOT EXISTS "{column}" {type_}')
    cursor.execute(f'INSERT INTO "{name}" BY NAME FROM batch_of_test')
    cursor.unregister("batch_of_test")


class Server:
    """Feeds, a book and units in one folder."""

    def __init__(self, folder: Path, batch_rows: int = 20_000) -> None:
        self.folder = folder
        self.session: Session = logsql.connect(str(folder / "live.duckdb"), tz=ZONE)
        self.files = Files(self.session.policy)
        self.book = Book(self.session, write=written)
        self.metrics = Metrics()
        self.told: list[str] = []
        self.units: list[Unit] = []
        self.feeds: dict[str, Feed] = {}
        self.batch_rows = batch_rows

    def feed(self, name: str) -> Feed:
        """The feed of a name; what was not committed of one that a stream writes is cut off."""
        if name not in self.feeds:
            self.feeds[name] = Feed(self.folder / name.replace(":", "-"), self.files)
            if name.startswith("stream:"):
                self.feeds[name].cut(self.book.ends().get(name, 0))
        return self.feeds[name]

    def send(self, lines: Sequence[str], at: int | Sequence[int] = BEGIN, name: str = "edge") -> None:
        feed = self.feed(f"receiver:{name}")
        feed.append(messages(lines, at))
        feed.publish()

    def source(self, name: str = "edge") -> Source:
        return Source(f"receiver:{name}", received.SYSLOG, Receiver(name, "syslog", timezone="UTC"))

    def unit(
        self,
        query: str,
        name: str = "s",
        sources: Sequence[Source] = (),
        output: bool = False,
        by: SteadyClock | None = None,
        **settings: Any,
    ) -> Worker:
        """A stream whose rows go into the table that has its name, those that fail into ``dead``; its positions are in
        the book."""
        stream = Stream(name, tuple(s.name for s in sources) or ("edge",), query, to=(name,), **settings)
        parts = Parts(
            self.session,
            self.book,
            self.feed,
            sources or (self.source(),),
            [TableSink(name)],
            DeadTable("dead"),
            output,
            None,
            self.metrics,
            ZONE,
            self.told.append,
            self.batch_rows,
        )
        made = Unit(stream, parts)
        if isinstance(made.worker, WindowedWorker) and by is not None:
            made.worker.clock_given = by
        made.worker.load()
        self.units.append(made)
        return made.worker

    def behind(self, worker: Worker) -> Source:
        """What another stream reads of one."""
        return Source(f"stream:{worker.name}", worker.output)

    def rows(self, table: str = "s", columns: str = "*") -> list[tuple[Any, ...]]:
        if table not in self.session.tables():
            return []
        return self.session.cursor().execute(f'SELECT {columns} FROM "{table}" ORDER BY rowid').fetchall()

    def finish(self, seconds: float = 60.0) -> None:
        """Work off what is there, and end."""
        for unit in self.units:
            unit.stop(time.monotonic() + seconds)
        self.units.clear()

    def close(self) -> None:
        self.finish()
        for feed in self.feeds.values():
            feed.close()
        self.book.close()
        self.session.close()


def until(test: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Wait for something to be so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if test():
            return True
        time.sleep(0.02)
    return test()
