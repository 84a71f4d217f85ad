"""A server without receivers and streams: a book, sinks, and a unit that writes numbered rows into them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from logsql.configuration.settings import Configuration, Network
from logsql.engine.session import Session
from logsql.store.files import Files
from logsql.streams import settings
from logsql.streams.book import Book, Commit
from logsql.streams.feed import FeedFull
from logsql.streams.metrics import SINK_LOST, SINK_RETRIES, SINK_ROWS, Metrics
from logsql.streams.rows import INSTANT
from logsql.streams.sinks.base import Place
from logsql.streams.sinks.making import Sinks
from logsql.streams.sinks.table import Tables

BEGIN = dt.datetime(2026, 1, 1, 18, 4, 5, 678901, dt.UTC)


def numbered(first: int, count: int, width: int = 20) -> pa.Table:
    """Rows with the numbers from ``first`` on."""
    numbers = range(first, first + count)
    times = pa.array([BEGIN] * count, INSTANT)
    return pa.table({"n": list(numbers), "line": [f"line {n:0{width}d}" for n in numbers], "_time": times})


class Serving:
    """One run of the server in ``folder``; the position of its unit says which row comes next."""

    def __init__(self, folder: Path, *sinks: settings.Sink, **more: object) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.session = Session(str(folder / "live.duckdb"))
        self.tables, self.metrics = Tables(), Metrics()
        self.book = Book(self.session, self.tables.write)
        network = more.pop("network", Network())
        dead = more.pop("dead", settings.Dead())
        place = Place(folder, Files(), self.book, self.metrics, "Asia/Seoul", **more)  # type: ignore[arg-type]
        assert isinstance(network, Network)
        assert isinstance(dead, settings.Dead)
        self.made = Sinks(sinks, dead, place, self.tables, Configuration(network))
        self.made.recover()
        self.made.start()
        self.next = self.book.positions("unit").get("source", 0)

    def give(self, rows: pa.Table, unit: str = "unit", done: int | None = None) -> None:
        """One batch of a unit into all sinks, in one transaction; waits for room as units do."""
        sinks = self.made.sinks.values()
        while not all(sink.wait_room(1) for sink in sinks):
            pass
        while True:
            try:
                for sink in sinks:
                    sink.stage(rows, unit)
                staged = [sink.staged(unit) for sink in sinks]
                ends = {name: end for one in staged for name, end in one.ends.items()}
                tables = [table for one in staged for table in one.tables]
                positions = {} if done is None else {"source": done}
                self.book.commit(Commit(unit, positions, ends, tables=tables))
                break
            except FeedFull:
                for sink in sinks:
                    sink.aborted(unit)
                time.sleep(0.05)
        for sink in sinks:
            sink.committed(unit)

    def give_numbered(self, until: int, batch: int = 100) -> None:
        """Rows from where the unit stands up to a number."""
        while self.next < until:
            count = min(batch, until - self.next)
            self.give(numbered(self.next, count), done=self.next + count)
            self.next += count

    def stop(self, seconds: float = 10) -> None:
        """End in good order."""
        self.made.stop(time.monotonic() + seconds)
        self.book.close()
        self.session.close()

    def rows_of(self, name: str) -> int:
        return int(self.metrics.value(SINK_ROWS, (name,)))

    def lost_of(self, name: str, reason: str) -> int:
        return int(self.metrics.value(SINK_LOST, (name, reason)))

    def retries_of(self, name: str) -> int:
        return int(self.metrics.value(SINK_RETRIES, (name,)))


def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Wait for something. AssertionError when it does not come about."""
    end = time.monotonic() + seconds
    while True:
        with suppress(OSError):
            if true():
                return
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)
