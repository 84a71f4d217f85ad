"""Saved results (``load``) and results of this session (``result``) as sources of a query.

A saved result is a Parquet file (:mod:`logsql.store.results`). A result of the session is kept while its rows stream to
whoever reads them (:mod:`logsql.store.keeping`), within a bound of bytes and days; one that is not whole says so in the
ledger of the query that reads it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.kept import RESULT_NOT_READABLE
from logsql.diagnostics.losses import loss
from logsql.engine.arrowtypes import arrow_columns
from logsql.engine.ledger import Ledger
from logsql.engine.present import TYPE_SUFFIX
from logsql.engine.result import Result
from logsql.engine.stages import StageTable
from logsql.planner.catalog import TableInfo
from logsql.store.files import Files
from logsql.store.keeping import Ending, Foreign, Kept, KeptFolder
from logsql.store.results import SavedResults
from logsql.values.imports import CODED, CODED_LIST

#: Results of a session, bytes and seconds of all sessions that are kept before the oldest goes.
MOST, MOST_BYTES, MOST_SECONDS = 1_000, 1_000_000_000, 7 * 86_400
#: Bytes of a session's small results in memory before the oldest is put down into a file.
MOST_IN_MEMORY = 64 << 20
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
#: Marks the column of a saved result that holds the types of the mixed column before it.
_COMPANION = b"logsql.companion"
_ENDINGS = {Ending.FULL: FULL, Ending.LEFT: LEFT, Ending.OPEN: LEFT}


class Results:
    """The results of a session: those kept by the number of their query, and the files that are saved.

    ``numbers`` numbers the session's queries; ``keeping``: whether rows are kept as they stream; ``last`` is the result
    that was read last, also one of SQL, which has no number. ``kept`` stands in the order of the readings. The bounds
    are watched by sums: a session that is asked 10,000 times does not look at a thousand kept results every time.
    """

    def __init__(self, saved: SavedResults, files: Files, folder: Path) -> None:
        self.saved = saved
        self.keeping = True
        self.kept: dict[str, Kept] = {}
        self.last: Kept | None = None
        self.numbers: Iterator[int] = itertools.count(1)
        self._folder = KeptFolder(files, folder)
        self._streaming: set[Kept] = set()
        #: Bytes of the kept results that no longer grow, and of those among them that lie in memory.
        self._bytes = self._in_memory = 0
        self._lock = threading.RLock()  # threads that read results of one session share the sums and the room

    def open(self, number: int, schema: pa.Schema) -> Kept:
        """A new kept result; what is too old, or too much with it, goes. :meth:`ended` tells its end."""
        with self._lock:
            if (before := self.kept.get(str(number))) is not None:
                self._forget(str(number))
            last, self.last = self.last, None
            if last is not None and (last is before or not self._is_kept(last)):
                self._streaming.discard(last)
                last.close()
            self.last = kept = Kept(self._folder, schema, number)
            if number:
                self.kept[str(number)] = kept
            self._streaming.add(kept)
            self._make_room(kept)
            if self._in_memory > MOST_IN_MEMORY:
                self._clear_memory(kept)
            return kept

    def ended(self, kept: Kept, ending: Ending) -> None:
        """No more rows come for a result; the first ending counts."""
        with self._lock:
            kept.end(ending)
            if kept in self._streaming:
                self._streaming.remove(kept)
                if self._is_kept(kept):
                    self._count(kept, 1)

    def keep(
        self, number: int, schema: pa.Schema, batches: Iterator[pa.RecordBatch], with_types: bool
    ) -> Iterator[pa.RecordBatch]:
        """The batches, kept on their way when this session keeps, then with their companion type columns.

        ``with_types``: whether those are wanted by who reads.
        """
        if not self.keeping:
            yield from batches
            return
        kept = self.open(number, schema)
        wanted = _wanted(schema, with_types)
        try:
            for batch in batches:
                kept.add(batch)
                if not kept.in_memory and kept.ending is Ending.OPEN and not self._make_room(kept):
                    kept.end(Ending.FULL)
                yield wanted(batch)
            self.ended(kept, Ending.WHOLE)
        finally:
            self.ended(kept, Ending.LEFT)

    def again(self, number: int, with_types: bool) -> Iterator[pa.RecordBatch] | None:
        """The batches of a result that was kept to its end, as :meth:`keep` gave them; None of another one."""
        kept = self.find(str(number))
        if kept is None or kept.ending is not Ending.WHOLE:
            return None
        return map(_wanted(kept.schema, with_types), kept.batches())

    def find(self, number: str) -> Kept | None:
        """A kept result that can be read; None when there is none, or another session's needed its room."""
        with self._lock:
            kept = self.kept.get(number)
            if kept is not None and not kept.settle():
                self._forget(number)
                return None
            return kept

    def _is_kept(self, kept: Kept) -> bool:
        return self.kept.get(str(kept.number)) is kept

    def _count(self, kept: Kept, sign: int) -> None:
        self._bytes += sign * kept.size
        self._in_memory += sign * kept.size if kept.in_memory else 0

    def _clear_memory(self, but: Kept) -> None:
        """Put the oldest results that lie in memory down into files, until the others are few enough."""
        for number, small in list(self.kept.items()):
            if self._in_memory <= MOST_IN_MEMORY:
                return
            if not small.in_memory or small is but or small in self._streaming:
                continue
            self._count(small, -1)
            put_down = small.put_down()
            self._count(small, 1)
            if not put_down:
                self._forget(number)

    def _make_room(self, but: Kept) -> bool:
        """Drop the oldest results, also of other sessions, until all lie within the bounds; False when they cannot."""
        with self._lock:
            oldest = time.time() - MOST_SECONDS
            theirs = self._folder.others
            total = self._bytes + sum(k.size for k in {*self._streaming, but}) + sum(file.size for file in theirs)
            first = min(next(iter(self.kept.values()), but).started, theirs[0].changed if theirs else oldest + 1)
            if total <= MOST_BYTES and len(self.kept) <= MOST and first > oldest:
                return True
            files: list[tuple[float, Kept | Foreign]] = [(kept.started, kept) for kept in self.kept.values()]
            files += [(file.changed, file) for file in theirs]
            for begun, thing in sorted(files, key=lambda found: found[0]):
                if total <= MOST_BYTES and len(self.kept) <= MOST and begun > oldest:
                    break
                if thing is but or (begun > oldest and total <= MOST_BYTES and isinstance(thing, Foreign)):
                    continue
                total -= thing.size
                if isinstance(thing, Kept):
                    self._forget(str(thing.number))
                else:
                    theirs.remove(thing)
                    self._folder.drop(thing.path)
            return total <= MOST_BYTES

    def clear_old(self) -> None:
        """Drop kept files of other sessions that are older than the bound, and what no living session owns.

        A shell does it when it starts: one that keeps only small results never looks otherwise.
        """
        with self._lock:
            oldest = time.time() - MOST_SECONDS
            for file in self._folder.look():
                if file.changed <= oldest:
                    self._folder.others.remove(file)
                    self._folder.drop(file.path)

    def _forget(self, number: str) -> None:
        """``result NUMBER`` reads it no more; what was read last can still be saved."""
        kept = self.kept.pop(number)
        if kept not in self._streaming:
            self._count(kept, -1)
        if kept is not self.last:
            self._streaming.discard(kept)
            kept.close()

    def close(self) -> None:
        """Let go of every kept result."""
        with self._lock:
            for kept in [*self.kept.values(), *([self.last] if self.last is not None else [])]:
                kept.close()
            self.kept.clear()
            self._streaming.clear()
            self._bytes = self._in_memory = 0
            self.last = None
            self._folder.close()


def _wanted(schema: pa.Schema, with_types: bool) -> Callable[[pa.RecordBatch], pa.RecordBatch]:
    """Leaves out the companion type columns, unless they are wanted."""
    shown = [i for i, name in enumerate(schema.names) if with_types or not name.endswith(TYPE_SUFFIX)]
    return lambda batch: batch if len(shown) == len(schema) else batch.select(shown)


class HasResults(Protocol):
    """A session, or what holds its results."""

    @property
    def results(self) -> Results: ...


def saved_table(home: HasResults, name: str, bindings: dict[str, object]) -> TableInfo | None:
    """The saved result of this name, registered for the query that asks."""
    dataset = home.results.saved.find(name)
    if dataset is None:
        return None
    if not _sound(dataset.schema):
        raise SourceError(diagnostic(RESULT_NOT_READABLE, path=name))
    key = f"__saved_{len(bindings) + 1}"
    if not dataset.schema.names:  # rows without fields are a table of one column to DuckDB
        bindings[key] = StageTable(pa.schema([("__row", pa.bool_())]), dataset.to_batches)
        return TableInfo(key, (key,), ())
    if not any(_is_companion(field) for field in dataset.schema):
        bindings[key] = dataset
        return TableInfo(key, (key,), arrow_columns(dataset.schema))
    kept = _unstored(dataset.schema)
    schema = coded(kept)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in dataset.to_batches():
            yield coded_batch(pa.RecordBatch.from_arrays(batch.columns, schema=kept), schema)

    bindings[key] = StageTable(schema, batches)
    return TableInfo(key, (key,), arrow_columns(schema))


def _sound(schema: pa.Schema) -> bool:
    """Whether every column has a name and every companion stands behind a text; others may have written the file."""
    for position, field in enumerate(schema):
        before = schema.field(position - 1) if position else None
        texts = before is not None and pa.types.is_string(before.type) and pa.types.is_string(field.type)
        if not field.name or (_is_companion(field) and (before is None or _is_companion(before) or not texts)):
            return False
    return True


def _is_companion(field: pa.Field) -> bool:
    return _COMPANION in (field.metadata or {})


def _stored(schema: pa.Schema) -> pa.Schema:
    """The schema under which kept rows are saved: companion columns under names that every reader of Parquet takes."""
    return pa.schema(
        pa.field(f"{field.name.removesuffix(TYPE_SUFFIX)} (type)", field.type, metadata={_COMPANION: b"1"})
        if field.name.endswith(TYPE_SUFFIX)
        else field
        for field in schema
    )


def _unstored(schema: pa.Schema) -> pa.Schema:
    """The schema of kept rows that were saved: a companion stands behind its column."""
    return pa.schema(
        pa.field(schema[position - 1].name + TYPE_SUFFIX, field.type) if _is_companion(field) else field
        for position, field in enumerate(schema)
    )


def save_result(home: HasResults, result: Result, name: str) -> str:
    """Write a result as Parquet under a name; returns the path. Raises :class:`RunError` for a bad name.

    Rows that were read are not asked for again where the session kept them, and only those have the types of their
    mixed values: saved they are what was seen.
    """
    results = home.results
    results.saved.check(name)
    kept = _whole(results, result)
    if kept is None:
        table = result.arrow()
        kept = _whole(results, result)
    return results.saved.write(name, table if kept is None else typed_table(kept))


def _whole(results: Results, result: Result) -> Kept | None:
    """All rows of a result, if the session kept them."""
    kept = results.find(str(result.number)) if result.number else None
    return kept if kept is not None and kept.ending is Ending.WHOLE else None


def save_last(home: HasResults, name: str) -> tuple[str, Ledger] | None:
    """Save the result that was read last, without running its query again; None when there is none.

    The ledger tells what is missing of it.
    """
    last = home.results.last
    if last is not None:
        last.settle()
    home.results.saved.check(name)
    if last is None:
        return None
    told = Ledger()
    _tell(last, name, told)
    return home.results.saved.write(name, typed_table(last)), told


def typed_table(kept: Kept) -> pa.Table:
    """A kept result as it is saved, with the types of its mixed values.

    Text alone gave a date or bytes among values of other types back as text.
    """
    schema = _stored(kept.schema)
    return pa.Table.from_batches((pa.RecordBatch.from_arrays(b.columns, schema=schema) for b in kept.batches()), schema)


def shown_table(kept: Kept) -> pa.Table:
    """A kept result as Arrow shows it: without the companion columns of mixed fields."""
    shown = [i for i, name in enumerate(kept.schema.names) if not name.endswith(TYPE_SUFFIX)]
    schema = pa.schema([kept.schema.field(i) for i in shown])
    return pa.Table.from_batches((batch.select(shown) for batch in kept.batches()), schema)


def keep_result(home: HasResults, result: Result) -> str:
    """Keep a result's rows in the session; returns the id that ``result ID`` reads."""
    results = home.results
    table = result.arrow()
    if result.number and (there := results.find(str(result.number))) is not None and there.ending is Ending.WHOLE:
        return str(result.number)
    number = result.number or next(results.numbers)
    kept = results.open(number, table.schema)
    for batch in table.to_batches():
        kept.add(batch)
    results.ended(kept, Ending.WHOLE)
    return str(number)


def past_table(home: HasResults, query_id: str, bindings: dict[str, object], ledger: Ledger) -> TableInfo | None:
    """A kept result as a source; what is missing of it goes into the ledger."""
    kept = home.results.find(query_id)
    if kept is None:
        return None
    _tell(kept, query_id, ledger)
    key = f"__result_{query_id}"
    schema = coded(kept.schema)
    # Rows without fields are a table of one column to DuckDB.
    read = schema if schema.names else pa.schema([("__row", pa.bool_())])
    bindings[key] = StageTable(read, lambda: (coded_batch(batch, schema) for batch in kept.batches()))
    return TableInfo(key, (key,), arrow_columns(schema))


def coded(schema: pa.Schema) -> pa.Schema:
    """The schema with each mixed column and its companion as one column, of which every value is read as it was."""
    fields: list[pa.Field] = []
    for field in schema:
        if not field.name.endswith(TYPE_SUFFIX):
            fields.append(field)
            continue
        logical = CODED_LIST if (fields[-1].metadata or {}).get(b"logsql.type") == b"list" else CODED
        fields[-1] = pa.field(fields[-1].name, pa.string(), metadata={b"logsql.type": logical.encode()})
    return pa.schema(fields)


def coded_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch as :func:`coded` describes it: code, line feed, JSON text."""
    if len(schema) == batch.num_columns:
        return batch
    import pyarrow.compute as pc  # for cost

    arrays: list[pa.Array] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name.endswith(TYPE_SUFFIX):
            arrays[-1] = pc.binary_join_element_wise(pc.fill_null(column.cast(pa.string()), ""), arrays[-1], "\n")
        else:
            arrays.append(column)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _tell(kept: Kept, name: str, ledger: Ledger) -> None:
    row = _ENDINGS.get(kept.ending)
    if row is not None:
        ledger.lost(f"result {name}", row.name, 1)
