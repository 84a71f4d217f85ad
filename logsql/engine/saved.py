"""Saved results (``load``) and results of this session (``result``) as sources of a query.

A saved result is a Parquet file (:mod:`logsql.store.results`). A result of the session is kept while its rows stream to
whoever reads them (:mod:`logsql.store.keeping`), within a bound of bytes and days; one that is not whole says so in the
ledger of the query that reads it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from logsql.diagnostics.losses import loss
from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.ledger import Ledger
from logsql.engine.result import Result
from logsql.engine.stages import StageTable
from logsql.planner.catalog import TableInfo
from logsql.store.files import Files
from logsql.store.keeping import Ending, Kept
from logsql.store.results import SavedResults

#: Results, bytes and seconds that a session keeps before the oldest goes.
MOST, MOST_BYTES, MOST_SECONDS = 1_000, 1_000_000_000, 7 * 86_400
FULL = loss(
    "result-full",
    (
        "the kept result ends where 1 GB was reached or the disk was full",
        "보관한 결과가 1 GB 한도나 디스크 부족으로 잘렸습니다",
    ),
)
LEFT = loss(
    "result-not-read-to-its-end",
    (
        "the kept result ends where its query was left or cancelled",
        "쿼리가 중단되거나 끝까지 읽히지 않아 보관한 결과가 잘렸습니다",
    ),
)
_ENDINGS = {Ending.FULL: FULL, Ending.LEFT: LEFT, Ending.OPEN: LEFT}


class Results:
    """The results of a session: those kept by the number of their query, and the files that are saved.

    ``numbers`` numbers the session's queries; ``keeping``: whether rows are kept as they stream; ``last`` is the result
    that was read last, also one of SQL, which has no number.
    """

    def __init__(self, saved: SavedResults, files: Files, folder: Path) -> None:
        self.saved = saved
        self.keeping = True
        self.kept: dict[str, Kept] = {}
        self.last: Kept | None = None
        self.numbers: Iterator[int] = itertools.count(1)
        self._files, self._folder = files, folder

    def open(self, number: int, schema: pa.Schema) -> Kept:
        """A new kept result; what is too old, or too much with it, goes."""
        kept = Kept(self._files, self._folder, schema)
        before = self.kept.pop(str(number), None)
        if before is not None:
            before.close()
        self._make_room(0)
        if number:
            self.kept[str(number)] = kept
        self.last = kept
        return kept

    def keep(self, number: int, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches, kept on their way when this session keeps. Columns of companion types are not kept."""
        if not self.keeping:
            yield from batches
            return
        shown = [i for i, name in enumerate(schema.names) if "\0" not in name]
        kept = self.open(number, pa.schema([schema.field(i) for i in shown]))
        try:
            for batch in batches:
                kept.add(batch if len(shown) == batch.num_columns else batch.select(shown))
                if kept.ending is Ending.OPEN and not self._make_room(kept.size, kept):
                    kept.end(Ending.FULL)
                yield batch
            kept.end(Ending.WHOLE)
        finally:
            kept.end(Ending.LEFT)

    def _make_room(self, size: int, but: Kept | None = None) -> bool:
        """Drop the oldest results until what is kept lies within the bounds; False when it cannot."""
        oldest = time.time() - MOST_SECONDS
        total = sum(kept.size for kept in self.kept.values() if kept is not but) + size
        for number, kept in list(self.kept.items()):
            if total <= MOST_BYTES and len(self.kept) < MOST and kept.started > oldest:
                break
            if kept is not but:
                total -= kept.size
                self.kept.pop(number)
                if kept is not self.last:
                    kept.close()
        return total <= MOST_BYTES

    def close(self) -> None:
        """Let go of every kept result."""
        for kept in [*self.kept.values(), *([self.last] if self.last is not None else [])]:
            kept.close()
        self.kept.clear()
        self.last = None


class HasResults(Protocol):
    """A session, or what holds its results."""

    @property
    def results(self) -> Results: ...


def saved_table(home: HasResults, name: str, bindings: dict[str, object]) -> TableInfo | None:
    """The saved result of this name, registered for the query that asks."""
    dataset = home.results.saved.find(name)
    if dataset is None:
        return None
    key = f"__saved_{len(bindings) + 1}"
    bindings[key] = dataset
    return TableInfo(key, (key,), arrow_columns(dataset.schema))


def save_result(home: HasResults, result: Result, name: str) -> str:
    """Write a result as Parquet under a name; returns the path. Raises :class:`RunError` for a bad name."""
    home.results.saved.check(name)
    return home.results.saved.write(name, result.arrow())


def save_last(home: HasResults, name: str) -> tuple[str, Ledger] | None:
    """Save the result that was read last, without running its query again; None when there is none.

    The ledger tells what is missing of it.
    """
    last = home.results.last
    home.results.saved.check(name)
    if last is None:
        return None
    told = Ledger()
    _tell(last, name, told)
    return home.results.saved.write(name, pa.Table.from_batches(last.batches(), last.schema)), told


def keep_result(home: HasResults, result: Result) -> str:
    """Keep a result's rows in the session; returns the id that ``result ID`` reads."""
    results = home.results
    table = result.arrow()
    number = result.number or next(results.numbers)
    kept = results.open(number, table.schema)
    for batch in table.to_batches():
        kept.add(batch)
    kept.end(Ending.WHOLE)
    return str(number)


def past_table(home: HasResults, query_id: str, bindings: dict[str, object], ledger: Ledger) -> TableInfo | None:
    """A kept result as a source; what is missing of it goes into the ledger."""
    kept = home.results.kept.get(query_id)
    if kept is None:
        return None
    _tell(kept, query_id, ledger)
    key = f"__result_{query_id}"
    # Rows without fields are a table of one column to DuckDB.
    bindings[key] = StageTable(kept.schema if kept.schema.names else pa.schema([("__row", pa.bool_())]), kept.batches)
    return TableInfo(key, (key,), arrow_columns(kept.schema))


def _tell(kept: Kept, name: str, ledger: Ledger) -> None:
    row = _ENDINGS.get(kept.ending)
    if row is not None:
        ledger.lost(f"result {name}", row.name, 1)
