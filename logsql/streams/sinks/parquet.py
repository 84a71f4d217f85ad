"""Rows as Parquet files, each complete when it appears, each row in one of them.

A Parquet file without its end cannot be read, so rows wait in the spool until a file is due: when its time is over,
when as much waits as ``rotate_size`` says (counted in the spool, before Parquet packs it) or as half of ``spool_max``,
and when the server ends. The file is written under another name; one transaction then says that its rows are delivered
and which file is to be renamed, so that a crash at any moment neither loses nor doubles them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import Protocol, cast

import pyarrow as pa

from logsql.loading import at
from logsql.store.logfiles import PartFile, make_folder, put_in_place
from logsql.streams.book import Commit
from logsql.streams.settings import Sink as Settings
from logsql.streams.sinks.base import Place, Spooled
from logsql.streams.sinks.jsonrows import chosen
from logsql.streams.sinks.naming import Names
from logsql.streams.sinks.table import REST

#: Rows of a row group, and bytes that are read for it at a time.
_GROUP, _BYTES = 122_880, 32_000_000


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


class ParquetSink(Spooled):
    """``kind = "file"`` for ``.parquet``."""

    kind = "file"

    def __init__(self, settings: Settings, place: Place) -> None:
        super().__init__(settings, place)
        self.names = Names.of(settings.path or "", place.folder, place.zone, settings.rotate_time)
        #: When the first row came that no file has yet.
        kept = place.book.states(self.unit).get("since")
        self._since = float(kept) if kept else None
        self._asked = False
        self._path: str | None = None

    def status(self) -> dict[str, object]:
        """See :class:`.base.Sink`."""
        return {**super().status(), "path": self._path}

    def recover(self, ends: Mapping[str, int]) -> None:
        """A file that was finished and not renamed is renamed."""
        super().recover(ends)
        with suppress(OSError):
            self._rename()

    def step(self) -> bool:
        """See :class:`.base.Spooled`."""
        self._rename()
        if not any(spool.feed.published > spool.read for spool in list(self.spools.values())):
            return False
        now = self.place.now()
        if self._since is None:
            self.place.book.commit(Commit(self.unit, states={"since": repr(now).encode()}))
            self._since = now
        due = self.names.period(now) != self.names.period(self._since)
        half = self.settings.spool_max // 2
        if not (due or self.stopping or self.backlog >= min(self.settings.rotate_size or half, half)):
            return False
        self._write(self.names.base(self._since))
        return True

    def _write(self, base: str) -> None:
        """What waits, up to rows of another form, as one file."""
        path = self.names.fresh(base, self.place.files)
        make_folder(self.place.files, PurePath(path).parent)
        part = str(PurePath(path).with_name(f".{PurePath(path).name}.part"))
        try:
            positions, count = self._filled(part)
            if count:
                state = {"rename": json.dumps([part, path]).encode(), "since": b""}
                self._asked = False
                self.delivered(positions, count, Commit(self.unit, states=state))
                self._since = None
        except BaseException:
            for spool in self.spools.values():
                spool.read = spool.position
            if self._asked:  # no transaction may name it: it only takes room
                self.place.files.remove(part)
            raise
        self._rename()

    def _filled(self, part: str) -> tuple[dict[str, int], int]:
        """Write the rows; the positions behind them, and how many they are."""
        positions: dict[str, int] = {}
        count, writer, schema = 0, None, None
        make = cast("Callable[..., _Writer]", at("pyarrow.parquet:ParquetWriter"))
        file = PartFile(self.place.files, part)
        try:
            while (taken := self.next_rows(_GROUP, _BYTES)) is not None:
                unit, found = taken
                rows = chosen(found.rows, self.settings.fields)
                if not rows.num_columns:  # a file has a column at least; tables have this one for such rows too
                    rows = pa.table({REST: pa.nulls(rows.num_rows, pa.string())})
                if writer is None:
                    schema = rows.schema
                    writer = make(file, schema, compression="zstd")
                elif not rows.schema.equals(schema):
                    break  # other fields: another file
                writer.write_table(rows)
                count += rows.num_rows
                positions[unit] = self.spools[unit].read = found.next
            if writer is not None:
                writer.close()
            file.done()
        finally:
            file.drop()
        return positions, count

    def _rename(self) -> None:
        """Have the file that was finished last at its place."""
        if not self._asked:
            kept = self.place.book.states(self.unit).get("rename")
            if kept:
                part, self._path = json.loads(kept)
                put_in_place(self.place.files, part, str(self._path))
                self.place.book.commit(Commit(self.unit, states={"rename": b""}))
            self._asked = True
