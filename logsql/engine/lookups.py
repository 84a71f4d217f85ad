"""Lookup tables of a session: from CSV or Parquet files, Arrow tables, and ``memlookup op=build``.

A lookup table is an Arrow table with one key column. It lives in the session, and in the state folder when it is kept
(``lookups/NAME.parquet``, name and key in the schema's metadata), so that later sessions on the same database find it.
Of several rows with the same key the last one counts, as in a map that is filled row by row.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from logsql.diagnostics.errors import Diagnostic, RunError, SourceError, did_you_mean

if TYPE_CHECKING:
    from logsql.engine.session import Session

_NAME, _KEY, _SOURCE = b"logsql.lookup", b"logsql.key", b"logsql.source"


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
        if column not in self.table.column_names:
            return None
        keys = self.table.column(column).combine_chunks()
        numbered = pa.table({"k": keys, "i": pa.array(range(len(keys)), pa.int64())})
        last = numbered.filter(pc.is_valid(numbered["k"])).group_by("k").aggregate([("i", "max")])
        rows = last["i_max"].combine_chunks()
        return self.table.take(rows.take(pc.sort_indices(rows)))


def load_table(path: str) -> pa.Table:
    """Rows of a lookup file: Parquet, or CSV (TSV for ``.tsv``) with a header line, all text.

    Raises :class:`SourceError` when the file is missing or has no header.
    """
    try:
        if path.lower().endswith(".parquet"):
            import pyarrow.parquet as pq

            return pq.read_table(path)
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t" if path.lower().endswith(".tsv") else ","))
    except OSError as error:
        message = f"the lookup file {path} cannot be read: {error.strerror or error}"
        raise SourceError(Diagnostic("E3101", "lookup-file", message)) from None
    if not rows:
        message = f"the lookup file {path} is empty: it needs a header line"
        raise SourceError(Diagnostic("E3101", "lookup-file", message))
    header = rows[0]
    columns: dict[str, list[str | None]] = {name: [] for name in header}
    for row in rows[1:]:
        if row:
            for position, name in enumerate(header):
                columns[name].append(row[position] if position < len(row) else None)
    return pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})


def add_lookup(
    session: Session, name: str, source: Any, key: str | None = None, keep: bool | None = None
) -> LookupTable:
    """Register a lookup table under ``name``; see :meth:`Session.add_lookup`."""
    _check_name(name)
    if isinstance(source, (str, os.PathLike)):
        path = os.fspath(source)
        session.policy.check_read(path)
        table, origin = load_table(path), path
    else:
        table, origin = _arrow(source), "table"
    chosen = key if key is not None else (table.column_names[0] if table.column_names else "")
    if chosen not in table.column_names:
        message = f'lookup table {name} has no column "{chosen}" to be its key'
        raise RunError(Diagnostic("E3102", "lookup-key", message, help=did_you_mean(chosen, table.column_names)))
    lookup = LookupTable(name, chosen, table, origin)
    session.lookups[name] = lookup
    if keep if keep is not None else session.path != ":memory:":
        _write(session, lookup)
    return lookup


def _arrow(source: Any) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if hasattr(source, "to_table"):
        return source.to_table()
    return pa.Table.from_pandas(source) if hasattr(source, "iloc") else pa.table(source)


def _check_name(name: str) -> None:
    if not name.strip() or any(c.isspace() for c in name):
        raise RunError(Diagnostic("E3103", "lookup-name", f"{name!r} is no name for a lookup table: it needs one word"))


def folder(session: Session) -> Path:
    """Where kept lookup tables live."""
    return Path(session.state_folder) / "lookups"


def _path(session: Session, name: str) -> Path:
    from logsql.store.files import file_stem

    return folder(session) / f"{file_stem(name)}.parquet"


def _write(session: Session, lookup: LookupTable) -> None:
    import pyarrow.parquet as pq

    from logsql.store.files import write_atomic

    path = _path(session, lookup.name)
    session.policy.check_write(str(path))
    meta = {_NAME: lookup.name.encode(), _KEY: lookup.key.encode(), _SOURCE: lookup.source.encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(lookup.table.replace_schema_metadata({**(lookup.table.schema.metadata or {}), **meta}), sink)
    write_atomic(path, sink.getvalue().to_pybytes())


def find_lookup(session: Session, name: str) -> LookupTable | None:
    """A lookup table of the session, else a kept one."""
    known: LookupTable | None = session.lookups.get(name)
    if known is not None:
        return known
    try:
        path = _path(session, name)
        found = _read(path) if path.exists() else None
    except (OSError, RuntimeError):
        return None
    if found is not None:
        session.lookups[name] = found
    return found


def _read(path: Path) -> LookupTable | None:
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid):
        return None
    meta = table.schema.metadata or {}
    if _NAME not in meta or _KEY not in meta:
        return None
    source = meta.get(_SOURCE, b"table").decode()
    return LookupTable(meta[_NAME].decode(), meta[_KEY].decode(), table, source)


def lookup_names(session: Session) -> list[str]:
    """Names of all lookup tables, in alphabetical order; ``geoip`` when a database is set up."""
    names = set(session.lookups)
    place = folder(session)
    for path in sorted(place.glob("*.parquet")) if place.is_dir() else ():
        if (known := _kept_name(path)) is not None:
            names.add(known)
    if session.geoip:
        names.add("geoip")
    return sorted(names)


def lookup_lister(session: Session) -> Callable[[], list[str]]:
    """The factory of the service ``lookups``: a function that lists the names."""
    return lambda: lookup_names(session)


def _kept_name(path: Path) -> str | None:
    import pyarrow.parquet as pq

    try:
        meta = pq.read_schema(path).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return None
    name = meta.get(_NAME)
    return name.decode() if name is not None else None


def remove_lookup(session: Session, name: str) -> bool:
    """Forget a lookup table, kept or not; False when there is none."""
    known = session.lookups.pop(name, None) is not None
    path = _path(session, name)
    if path.exists():
        session.policy.check_write(str(path))
        path.unlink()
        known = True
    return known


def build_memory(session: Session, name: str, key: str, columns: Sequence[str], batches: Any) -> int:
    """Replace a memory lookup by the rows of ``batches`` (text columns, key first); returns the number of keys."""
    schema = pa.schema([pa.field(c, pa.string()) for c in columns])
    parts = [pa.RecordBatch.from_arrays([c.cast(pa.string()) for c in b.columns], schema=schema) for b in batches]
    lookup = LookupTable(name, key, pa.Table.from_batches(parts, schema), "memory")
    unique = lookup.unique(key)
    assert unique is not None
    session.lookups[name] = LookupTable(name, key, unique, "memory")
    return int(unique.num_rows)
