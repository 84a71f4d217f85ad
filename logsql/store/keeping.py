"""Rows of one result, kept as they stream: Arrow IPC with zstd, small ones in memory, larger ones in the state folder.

A file has no name there where the system can do that (it goes with the process, also after kill -9), and nobody else
may read it. What was written can be read at any time, by several readers at once.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.store.files import Files

#: Bytes of a result that stay in memory.
SMALL = 128 << 10


class Ending(Enum):
    """Why the rows of a result end where they do. Everything but ``WHOLE`` means that there were more."""

    OPEN = "open"
    WHOLE = "whole"
    FULL = "full"
    LEFT = "left"


class Kept:
    """Rows of one result. ``started`` is seconds since 1970; ``size`` the bytes written; ``rows`` those in them."""

    def __init__(self, files: Files, folder: Path, schema: pa.Schema) -> None:
        self.schema = schema
        self.started = time.time()
        self.rows = 0
        self.ending = Ending.OPEN
        self._files, self._folder = files, folder
        self._file: IO[bytes] = io.BytesIO()
        self._lock = threading.Lock()
        self._counted = _Tail(self._append)
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        self._writer = pa.ipc.new_stream(pa.PythonFile(self._counted, "w"), schema, options=options)

    @property
    def size(self) -> int:
        return self._counted.position

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep a batch; when the disk or the policy does not take it, what is there so far stays."""
        if self.ending is not Ending.OPEN:
            return
        try:
            self._writer.write_batch(batch)
            self.rows += batch.num_rows
        except (OSError, LogsqlError, pa.ArrowException):
            self.ending = Ending.FULL

    def end(self, ending: Ending) -> None:
        """No further rows; the first ending counts."""
        if self.ending is Ending.OPEN:
            self.ending = ending

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows that are kept, in their order, from the first one."""
        waiting = self.rows
        if not waiting:
            return
        reader = pa.ipc.open_stream(pa.PythonFile(_View(self._read), "r"))
        while waiting > 0:
            batch = reader.read_next_batch()
            waiting -= batch.num_rows
            yield batch

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _append(self, data: bytes) -> None:
        with self._lock:
            if isinstance(self._file, io.BytesIO) and self._file.tell() + len(data) > SMALL:
                held, self._file = self._file, self._files.spool(self._folder)
                self._file.write(held.getvalue())
            self._file.seek(0, io.SEEK_END)
            self._file.write(data)
            if not isinstance(self._file, io.BytesIO):
                self._file.flush()

    def _read(self, position: int, size: int) -> bytes:
        with self._lock:
            self._file.seek(position)
            return self._file.read(size)


class _Tail(io.RawIOBase):
    """A file to write to that hands on its bytes and counts them."""

    def __init__(self, append: Callable[[bytes], None]) -> None:
        self._append, self.position = append, 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = bytes(data)
        self._append(piece)
        self.position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self.position


class _View(io.RawIOBase):
    """A reader's own place in the shared file."""

    def __init__(self, read: Callable[[int, int], bytes]) -> None:
        self._read_at, self._position = read, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data: bytes = self._read_at(self._position, size)
        self._position += len(data)
        return data
