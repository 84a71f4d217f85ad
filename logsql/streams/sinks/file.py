"""Rows as JSON lines in files that grow, plain or packed: exactly once, whatever ends the process.

What a commit adds is whole lines, of packed files a whole gzip member or zstd frame; the length of the file and the
position in the spool are written in one transaction, and a file that is longer at the start is cut back to it. A disk
without room leaves no half line: what could not be written whole is cut off at once and tried again.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import PurePath
from typing import TypeAlias

import pyarrow as pa

from logsql.store.logfiles import Identity, LogFile, found, free_bytes, make_folder
from logsql.streams.book import Commit
from logsql.streams.settings import Sink as Settings
from logsql.streams.sinks.base import Place, Spooled
from logsql.streams.sinks.jsonrows import chosen, json_objects
from logsql.streams.sinks.naming import ENDINGS, Names

#: Seconds after which lines that are in the file are committed.
_COMMIT = 0.25
#: Bytes that are gathered (as they wait, unpacked) before they are written, and the seconds they wait at most: batches
#: of a hundred rows cost three times as much each by itself. A member of a packed file waits for longer.
_GATHER, _EVERY, _LONGEST = 2_000_000, 0.08, 2.0
_ROWS, _BYTES = 20_000, 8_000_000
#: What the book keeps of the file: its path, its committed length, the path and the span of time it belongs to.
_Kept: TypeAlias = "dict[str, str | int]"


class FileSink(Spooled):
    """``kind = "file"`` for ``.jsonl``, ``.jsonl.gz`` and ``.jsonl.zst``."""

    kind = "file"
    #: Permissions of a new file, less the umask: others may come for it.
    mode = 0o666

    def __init__(self, settings: Settings, place: Place) -> None:
        super().__init__(settings, place)
        self.names = Names.of(settings.path or "", place.folder, place.zone, settings.rotate_time)
        self._packing = ENDINGS[self.names.ending]
        self._file: LogFile | None = None
        self._identity: Identity | None = None
        self._base, self._period = "", 0
        #: What is in the file and not committed: positions by unit, rows, since when.
        self._open_positions: dict[str, int] = {}
        self._open_rows, self._since = 0, 0.0
        self._first_seen: float | None = None
        self._kept = _state(place.book.states(self.unit).get("file"))

    def status(self) -> dict[str, object]:
        """See :class:`.base.Sink`."""
        return {**super().status(), "path": None if self._file is None else self._file.path}

    def recover(self, ends: Mapping[str, int]) -> None:
        """Cut the file back to what was committed."""
        super().recover(ends)
        with suppress(OSError):
            self._reopen()

    def step(self) -> bool:
        """See :class:`.base.Spooled`."""
        if self._open_positions and (self.stopping or time.monotonic() - self._since >= _COMMIT):
            self._commit()
        if not self._gathered():
            time.sleep(_EVERY / 4)  # every batch of a unit would wake it
            return False
        taken = self.next_rows(_ROWS, _BYTES)
        if taken is None:
            if self._open_positions and self.stopping:
                self._commit()
                return True
            return False
        unit, part = taken
        file = self._current()
        data = self._packed(part.rows)
        if free_bytes(PurePath(file.path).parent) < len(data):
            # an attempt would leave a half line for a moment, and there is one every few seconds
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.path)
        file.append([data])
        self.spools[unit].read = part.next
        if not self._open_positions:
            self._since = time.monotonic()
        self._open_positions[unit] = part.next
        self._open_rows += part.rows.num_rows
        self._first_seen = None
        return True

    def finish(self) -> None:
        """See :class:`.base.Spooled`."""
        if self._open_positions:
            self._commit()
        self._close()

    # --- what is written ----------------------------------------------------------------------------------------------

    def _gathered(self) -> bool:
        """Whether enough waits, or has waited for long enough."""
        if self.stopping:
            return True
        if not any(spool.feed.published > spool.read for spool in list(self.spools.values())):
            self._first_seen = None
            return True
        now = time.monotonic()
        if self._first_seen is None:
            self._first_seen = now
        if now - self._first_seen >= (_EVERY if self._packing == "plain" else _LONGEST):
            return True
        return sum(spool.feed.backlog(spool.read) for spool in list(self.spools.values())) >= _GATHER

    def _packed(self, rows: pa.Table) -> bytes:
        lines = chosen(rows, self.settings.fields)
        data = b"".join(_bytes(column) for column in json_objects(lines, self.place.zone, "}\n"))
        if self._packing == "gzip":
            return gzip.compress(data, 6, mtime=0)
        if self._packing == "zstd":
            return bytes(pa.Codec("zstd", 3).compress(data, asbytes=True))
        return data

    def _commit(self) -> None:
        """The length of the file and the positions, in one transaction."""
        assert self._file is not None, "lines were written"
        self._file.sync()
        file = self._file
        kept: _Kept = {"path": file.path, "length": file.size, "base": self._base, "period": self._period}
        state = {"file": json.dumps(kept).encode()}
        self.delivered(self._open_positions, self._open_rows, Commit(self.unit, states=state))
        self._kept = kept
        self._open_positions, self._open_rows = {}, 0

    # --- which file ---------------------------------------------------------------------------------------------------

    def _current(self) -> LogFile:
        """The file for the next lines: another one when its time or its size is over, or somebody took it away."""
        now = self.place.now()
        base, period = self.names.base(now), self.names.period(now)
        if self._file is None:
            self._reopen()
        file, most = self._file, self.settings.rotate_size
        if file is None:
            self._next(base, period, base if self._kept is None else str(self._kept["path"]))
        elif not self._still_there(file):
            self._next(self._base, self._period, file.path)
        elif (base, period) != (self._base, self._period) or (most and file.size >= most):
            if self._open_positions:
                self._commit()
            self._next(base, period, self.fresh_path(base))
        assert self._file is not None, "opened just now"
        return self._file

    def fresh_path(self, base: str) -> str:
        """Where to go on when the file is full or its time is over."""
        return self.names.fresh(base, self.place.files)

    def _next(self, base: str, period: int, path: str) -> None:
        """Go on in another file, behind what it holds already. The book knows of it before anything is written: what
        a crash leaves in it is cut off."""
        if self._open_positions:
            self._commit()
        self._close()
        there = found(self.place.files, path)
        kept: _Kept = {"path": path, "length": 0 if there is None else there.size, "base": base, "period": period}
        if kept != self._kept:
            self.place.book.commit(Commit(self.unit, states={"file": json.dumps(kept).encode()}))
            self._kept = kept
        make_folder(self.place.files, PurePath(path).parent)
        self._file = LogFile(self.place.files, path, new=there is None, mode=self.mode)
        self._base, self._period = base, period
        self._identify()

    def _reopen(self) -> None:
        """The file that was written last, without what was not committed of it."""
        kept = self._kept
        if kept is None or self._file is not None or not self.place.files.has_file(str(kept["path"])):
            return
        file = LogFile(self.place.files, str(kept["path"]))
        if file.size > int(kept["length"]):
            file.cut(int(kept["length"]))
        self._file, self._base, self._period = file, str(kept["base"]), int(kept["period"])
        self._identify()

    def _identify(self) -> None:
        there = found(self.place.files, self._file.path) if self._file is not None else None
        self._identity = None if there is None else there.identity

    def _still_there(self, file: LogFile) -> bool:
        """Whether the path still leads to the open file. What others cut off it or added is as it is."""
        there = found(self.place.files, file.path)
        if there is None or there.identity != self._identity:
            return False
        file.size = there.size
        return True

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def _bytes(column: pa.Array) -> bytes:
    """The characters of a string column without nulls."""
    text = column.cast(pa.large_string())
    ends = memoryview(text.buffers()[1]).cast("q")[text.offset : text.offset + len(text) + 1]
    data = text.buffers()[2]
    return b"" if data is None else bytes(memoryview(data)[ends[0] : ends[-1]])


def _state(text: bytes | None) -> _Kept | None:
    if text is None:
        return None
    kept: _Kept = json.loads(text)
    return kept
