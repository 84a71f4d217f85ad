"""Lookup tables as files: one that is read once (CSV, TSV, Parquet), and those that a state folder keeps.

A kept lookup table is ``NAME.parquet`` with name, key and origin in the metadata of its schema. Of several rows with
the same key the last one counts, as in a map that is filled row by row.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from logsql.diagnostics.errors import RunError, SourceError, diagnostic
from logsql.diagnostics.kept import LOOKUP_EMPTY, LOOKUP_NOT_READ, NO_LOOKUP_NAME
from logsql.store.files import Files, keeping
from logsql.store.folders import BadName, file_stem
from logsql.store.policy import read_refused

#: Rows of separated text that are read at once.
_ROWS = 20_000
_NAME, _KEY, _SOURCE = b"logsql.lookup", b"logsql.key", b"logsql.source"
_OURS = (_NAME, _KEY, _SOURCE)


@dataclass(frozen=True)
class LookupTable:
    """A lookup table. ``source`` is the file it came from, ``table`` for an Arrow table, ``memory`` for memlookup."""

    name: str
    key: str
    table: pa.Table
    source: str

    @property
    def memory(self) -> bool:
        """Whether ``memlookup`` made it."""
        return self.source == "memory"

    def unique(self, column: str) -> pa.Table | None:
        """The last row of each non-null value of ``column``; None when there is no such column."""
        import pyarrow.compute as pc  # for cost: only queries with lookups need it

        if column not in self.table.column_names:
            return None
        keys = self.table.column(column).combine_chunks()
        rows = _last_text(keys) if pa.types.is_string(keys.type) else _last(keys)
        return self.table if len(rows) == len(keys) else self.table.take(rows.take(pc.sort_indices(rows)))


def _last_text(keys: pa.Array) -> pa.Array:
    """The last place of each text, in any order. A group over the texts of 5,000,000 rows took 1.1 GB; to sort them
    takes 200 MB."""
    import pyarrow.compute as pc

    order = pc.array_sort_indices(keys)  # stable; nulls stand at the end
    order = order[: len(keys) - keys.null_count]
    values = keys.take(order)
    ends = pc.not_equal(values[:-1], values[1:])
    return order.filter(pa.concat_arrays([ends, pa.array([True] * min(1, len(order)), pa.bool_())]))


def _last(keys: pa.Array) -> pa.Array:
    """The last place of each value, in any order."""
    import pyarrow.compute as pc

    numbered = pa.table({"k": keys, "i": pa.array(range(len(keys)), pa.int64())})
    last = numbered.filter(pc.is_valid(numbered["k"])).group_by("k").aggregate([("i", "max")])
    return last["i_max"].combine_chunks()


def load_table(files: Files, path: str, look: Callable[[], None] = lambda: None) -> pa.Table:
    """Rows of a lookup file: Parquet, or CSV (TSV for ``.tsv``) with a header line, all text.

    Columns are named as ``csvfile`` names them: cells beyond the header have columns of their own. ``look`` is called
    between parts of the file and may raise: a table is held in memory, and its file may be of any size.

    Raises :class:`SourceError` when the file is missing or has no header.
    """
    try:
        with files.open(path) as file:
            if path.lower().endswith(".parquet"):
                import pyarrow.parquet as pq  # for cost

                parts: list[pa.RecordBatch] = []
                for batch in (whole := pq.ParquetFile(file)).iter_batches():
                    look()
                    parts.append(batch)
                return pa.Table.from_batches(parts, whole.schema_arrow)
            return _separated(file, path, look)
    except OSError as error:
        raise SourceError(diagnostic(LOOKUP_NOT_READ, path=path, reason=error.strerror or error)) from None
    except csv.Error as error:
        raise SourceError(diagnostic(LOOKUP_NOT_READ, path=path, reason=error)) from None


def _separated(file: BinaryIO, path: str, look: Callable[[], None]) -> pa.Table:
    """The rows of separated text, in parts: as Python's lists all rows of a file take ten times its bytes."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    reader = csv.reader(text, delimiter="\t" if path.lower().endswith(".tsv") else ",")
    header = next(reader, None)
    if header is None:
        raise SourceError(diagnostic(LOOKUP_EMPTY, path=path))
    width, parts = len(header), list[list[pa.Array]]()
    while rows := list(itertools.islice(reader, _ROWS)):
        look()
        width = max(width, *map(len, rows))
        body = [row for row in rows if row]
        cells = ([row[at] if at < len(row) else None for row in body] for at in range(max(map(len, rows))))
        parts.append([pa.array(column, pa.string()) for column in cells] or [pa.nulls(0, pa.string())])
    from udfs.readers.csvrows import named  # for cost: pyarrow.csv

    names, _ = named(header, width)
    missing = ([*part, *(pa.nulls(len(part[0]), pa.string()) for _ in range(width - len(part)))] for part in parts)
    schema = pa.schema([pa.field(name, pa.string()) for name in names])
    return pa.Table.from_batches([pa.RecordBatch.from_arrays(part[:width], schema=schema) for part in missing], schema)


class LookupFolder:
    """The lookup tables that one state folder keeps."""

    def __init__(self, files: Files, folder: Path) -> None:
        self._files = files
        self._folder = folder

    def readable(self) -> bool:
        """Whether the session may know what is kept here."""
        return self._files.may_read(self._folder)

    def find(self, name: str) -> LookupTable | None:
        """The kept table of this name. Raises PolicyError where nothing may be known of the folder."""
        try:
            path = self._path(name)
        except BadName:
            return None
        if not self.readable():  # names the folder: the user's home is not told with every name that is tried
            raise read_refused(str(self._folder))
        if not self._files.has_file(path):
            return None
        import pyarrow.parquet as pq  # for cost: pandas comes with it

        try:
            with self._files.open(path) as file:
                table = pq.read_table(file)
            meta = {key: value.decode() for key, value in (table.schema.metadata or {}).items() if key in _OURS}
        except (OSError, pa.ArrowException, UnicodeDecodeError):  # others may have written it
            return None
        if meta.get(_KEY) not in table.column_names or _NAME not in meta:
            return None
        return LookupTable(meta[_NAME], meta[_KEY], table, meta.get(_SOURCE, "table"))

    def names(self) -> set[str]:
        """Names of the kept tables; none where nothing may be known of the folder."""
        paths = self._files.matching(self._folder, ".parquet") if self.readable() else []
        return {name for name in map(self._name, paths) if name is not None}

    def write(self, lookup: LookupTable) -> None:
        """Keep a table, replacing one of its name. Raises RunError for a name that no file can have."""
        import pyarrow.parquet as pq  # for cost

        try:
            path = self._path(lookup.name)
        except BadName as error:
            raise RunError(diagnostic(NO_LOOKUP_NAME, name=error.name)) from None
        meta = {_NAME: lookup.name.encode(), _KEY: lookup.key.encode(), _SOURCE: lookup.source.encode()}
        sink = pa.BufferOutputStream()
        pq.write_table(lookup.table.replace_schema_metadata({**(lookup.table.schema.metadata or {}), **meta}), sink)
        with keeping(path):
            self._files.write(path, sink.getvalue().to_pybytes())

    def remove(self, name: str) -> bool:
        """Forget a kept table; False when there is none, or nothing may be known of the folder."""
        try:
            path = self._path(name)
        except BadName:
            return False
        return self.readable() and self._files.has_file(path) and self._files.remove(path)

    def _path(self, name: str) -> Path:
        return self._folder / f"{file_stem(name)}.parquet"

    def _name(self, path: Path) -> str | None:
        import pyarrow.parquet as pq  # for cost

        try:
            with self._files.open(path) as file:
                name = (pq.read_schema(file).metadata or {}).get(_NAME)
            return name.decode() if name is not None else None
        except (OSError, pa.ArrowException, UnicodeDecodeError):
            return None
