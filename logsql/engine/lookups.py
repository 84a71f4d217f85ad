"""Lookup tables of a session: from CSV or Parquet files, Arrow tables, and ``memlookup op=build``.

A lookup table is an Arrow table with one key column. It lives in the session, and in the state folder when it is kept
(:class:`logsql.store.lookups.LookupFolder`), so that later sessions on the same database find it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import pyarrow as pa

from logsql.diagnostics.errors import RunError, diagnostic, did_you_mean
from logsql.diagnostics.kept import LOOKUP_KEY, LOOKUP_NAME
from logsql.engine.database import Database
from logsql.store.folders import MEMORY
from logsql.store.lookups import LookupFolder, LookupTable, load_table


class SessionLookups:
    """The ``lookups`` service (:class:`logsql.planner.services.Lookups`). ``geoip``: a database is set up."""

    def __init__(self, database: Database, geoip: bool = False) -> None:
        self._database = database
        self._folder = LookupFolder(database.files, database.state_folder / "lookups")
        self._geoip = geoip
        self._known: dict[str, LookupTable] = {}

    def add(self, name: str, source: object, key: str | None = None, keep: bool | None = None) -> LookupTable:
        """Register a lookup table under ``name``; see :meth:`.Session.add_lookup`."""
        _check_name(name)
        if isinstance(source, (str, os.PathLike)):
            path = os.fspath(source)
            table, origin = load_table(self._database.files, path, self._database.watch().check), path
        else:
            table, origin = _arrow(source), "table"
        chosen = key if key is not None else (table.column_names[0] if table.column_names else "")
        if chosen not in table.column_names:
            near = did_you_mean(chosen, table.column_names)
            raise RunError(diagnostic(LOOKUP_KEY, help=near, name=name, column=chosen))
        lookup = LookupTable(name, chosen, table, origin)
        self._known[name] = lookup
        if keep if keep is not None else self._database.path != MEMORY:
            self._folder.write(lookup)
        return lookup

    def find(self, name: str) -> LookupTable | None:
        """A lookup table of the session, else a kept one. Raises PolicyError where nothing may be known of those."""
        known = self._known.get(name)
        if known is not None:
            return known
        if name == "geoip" and not self._folder.readable():
            return None  # the name is built in as well
        found = self._folder.find(name)
        if found is not None:
            self._known[name] = found
        return found

    def names(self) -> list[str]:
        """Names of all lookup tables, in alphabetical order; ``geoip`` when a database is set up."""
        return sorted({*self._known, *self._folder.names(), *(["geoip"] if self._geoip else [])})

    def in_memory(self) -> list[LookupTable]:
        """The tables that ``memlookup`` made."""
        return [table for table in self._known.values() if table.memory]

    def build(self, name: str, key: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> int:
        """Replace a memory lookup by the rows of ``batches`` (text columns, key first); returns the number of keys."""
        parts = [pa.RecordBatch.from_arrays([c.cast(pa.string()) for c in b.columns], schema=schema) for b in batches]
        unique = LookupTable(name, key, pa.Table.from_batches(parts, schema), "memory").unique(key)
        assert unique is not None
        self._known[name] = LookupTable(name, key, unique, "memory")
        return int(unique.num_rows)

    def remove(self, name: str) -> bool:
        """Forget a lookup table, kept or not; False when there is none."""
        known = self._known.pop(name, None) is not None
        return self._folder.remove(name) or known


def _arrow(source: object) -> pa.Table:
    if isinstance(source, pa.Table):
        return source
    if hasattr(source, "to_table"):
        return source.to_table()
    return pa.Table.from_pandas(source) if hasattr(source, "iloc") else pa.table(source)


def _check_name(name: str) -> None:
    if not name.strip() or any(c.isspace() for c in name):
        raise RunError(diagnostic(LOOKUP_NAME, name=name))
