"""Rows of one result, kept as they stream: the batches themselves while they are few, else a file written beside.

A small result costs nothing but its memory. A larger one is written by a thread of its own as uncompressed Arrow IPC,
so that reading a query is not slower than without (compressing took twice the time of the query itself). The files of
all sessions lie in one folder, where the session that begins keeping clears away what a killed session left. What is
kept can be read at any time, by several readers at once.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.store.files import Files

#: Bytes of one result that stay in memory, and of those that wait for the disk.
SMALL, MOST_WAITING = 16 << 20, 64 << 20
_ROWS, _LOCK = ".arrow", ".lock"


class Ending(Enum):
    """Why the rows of a result end where they do. Everything but ``WHOLE`` means that there were more."""

    OPEN = "open"
    WHOLE = "whole"
    FULL = "full"
    LEFT = "left"


@dataclass(frozen=True)
class Foreign:
    """A kept file of another session: its place, size in bytes and seconds since 1970."""

    path: Path
    size: int
    changed: float


class KeptFolder:
    """The folder of kept results, as one session sees it. ``others`` are files of the other sessions, oldest first."""

    def __init__(self, files: Files, folder: Path) -> None:
        self.files = files
        self.folder = folder
        self.others: list[Foreign] = []
        self._token = secrets.token_hex(8)
        self._held: IO[bytes] | None = None
        self._count = 0

    def new_file(self) -> Path:
        """A path for the rows of a result; at first the session makes itself known. Raises OSError, PolicyError."""
        if self._held is None:
            self._held = self.files.hold(self.folder / f"{self._token}{_LOCK}")
        self.look()
        self._count += 1
        return self.folder / f"{self._token}-{self._count}{_ROWS}"

    def look(self) -> list[Foreign]:
        """Take down what the other sessions have here, oldest first; what belongs to none that lives goes."""
        alive: dict[str, bool] = {self._token: True}
        found: list[Foreign] = []
        for path in self.files.matching(self.folder, _ROWS, _LOCK):
            token = path.stem.partition("-")[0]
            if token not in alive:
                alive[token] = self.files.is_held(self.folder / f"{token}{_LOCK}")
            if not alive[token]:
                self.drop(path)
            elif token != self._token and path.suffix == _ROWS and (facts := self.files.facts(path)) is not None:
                found.append(Foreign(path, facts.size, facts.changed / 1e9))
        self.others = sorted(found, key=lambda file: file.changed)
        return list(self.others)

    def drop(self, path: Path) -> None:
        """Remove a file, if that can be done."""
        with contextlib.suppress(OSError, LogsqlError):
            self.files.remove(path)

    def close(self) -> None:
        """The session keeps nothing any more."""
        if self._held is not None:
            self.drop(self.folder / f"{self._token}{_LOCK}")
            self._held.close()
            self._held = None


class Kept:
    """Rows of one result. ``started`` is seconds since 1970; ``size`` the bytes of ``rows`` rows.

    ``number`` is that of its query, 0 for SQL.
    """

    def __init__(self, folder: KeptFolder, schema: pa.Schema, number: int) -> None:
        self.schema = schema
        self.number = number
        self.started = time.time()
        self.rows = self.size = 0
        self.ending = Ending.OPEN
        self._folder = folder
        self._held: list[pa.RecordBatch] = []
        self._writer: _Writer | None = None

    @property
    def in_memory(self) -> bool:
        return self._writer is None

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; when the disk or the policy does not take it, what is there so far stays."""
        if self.ending is not Ending.OPEN:
            return
        if self._writer is None and self.size + batch.nbytes > SMALL and not self.put_down():
            self.ending = Ending.FULL
            return
        if self._writer is None:
            self._held.append(batch)
        elif not self._writer.put(batch):
            self.ending = Ending.FULL
            return
        self.rows += batch.num_rows
        self.size += batch.nbytes

    def put_down(self) -> bool:
        """Have the rows written to a file; False where none can be made."""
        try:
            path = self._folder.new_file()
            file = self._folder.files.make_private_file(path)
        except (OSError, LogsqlError):
            return False
        self._writer = _Writer(path, file, self.schema)
        for batch in self._held:
            self._writer.put(batch)
        self._held = []
        if self.ending is not Ending.OPEN:
            self._writer.finish()
        return True

    def end(self, ending: Ending) -> None:
        """No further rows; the first ending counts."""
        if self.ending is Ending.OPEN:
            self.ending = ending
        if self._writer is not None:
            self._writer.finish()

    def settle(self) -> bool:
        """Wait until what is kept can be read; False when somebody removed it (the bound is one for all sessions)."""
        if self._writer is None:
            return True
        self.rows = min(self.rows, self._writer.settle())
        if self._writer.failed:
            self.ending = Ending.FULL
        return self._folder.files.has_file(self._writer.path)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows that are kept, in their order, from the first one."""
        self.settle()
        if self._writer is None:
            yield from list(self._held)
            return
        waiting = self.rows
        if waiting:
            with self._folder.files.open(self._writer.path) as file:
                reader = pa.ipc.open_stream(file)
                while waiting > 0:
                    batch = reader.read_next_batch()
                    waiting -= batch.num_rows
                    yield batch

    def close(self) -> None:
        self._held = []
        if self._writer is not None:
            self._writer.abandon()
            self._folder.drop(self._writer.path)


class _Writer:
    """Writes batches to a file in a thread; who hands them over waits only while too much is on its way."""

    def __init__(self, path: Path, file: IO[bytes], schema: pa.Schema) -> None:
        self.path = path
        self.failed = False
        self._file, self._schema = file, schema
        self._waiting: deque[pa.RecordBatch | None] = deque()
        self._bytes = self._written = 0
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="logsql-keep", daemon=True)
        self._thread.start()

    def put(self, batch: pa.RecordBatch) -> bool:
        """Hand over a batch; False when no more can be written."""
        with self._changed:
            self._changed.wait_for(lambda: self.failed or self._bytes < MOST_WAITING)
            self._waiting.append(batch)
            self._bytes += batch.nbytes
            self._changed.notify_all()
            return not self.failed

    def finish(self) -> None:
        """No more batches."""
        with self._changed:
            self._waiting.append(None)
            self._changed.notify_all()

    def settle(self) -> int:
        """Rows in the file, once all that were handed over are in it."""
        with self._changed:
            self._changed.wait_for(lambda: self.failed or not self._bytes)
            return self._written

    def abandon(self) -> None:
        """Write nothing further."""
        with self._changed:
            self._waiting.clear()
            self._bytes = 0
        self.finish()
        self._thread.join()

    def _run(self) -> None:
        try:
            with self._file, pa.ipc.new_stream(pa.PythonFile(_Raw(self._file), "w"), self._schema) as writer:
                while (batch := self._next()) is not None:
                    writer.write_batch(batch)
                    with self._changed:
                        self._written += batch.num_rows
                        self._bytes = max(0, self._bytes - batch.nbytes)
                        self._changed.notify_all()
        except (OSError, ValueError, pa.ArrowException):
            with self._changed:
                self.failed = True
                self._waiting.clear()
                self._changed.notify_all()

    def _next(self) -> pa.RecordBatch | None:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting))
            return self._waiting.popleft()


class _Raw:
    """An unbuffered file that takes all of what it is given: one call of the system may take a part."""

    closed = False

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._position = 0

    def write(self, data: Any) -> int:
        rest = memoryview(data)
        whole = rest.nbytes
        while rest.nbytes:
            rest = rest[self._file.write(rest) :]
        self._position += whole
        return whole

    def tell(self) -> int:
        return self._position

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True
