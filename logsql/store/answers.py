"""Answers of servers, kept for a time in a SQLite file of the user's cache folder.

Several processes share the file. Whatever is wrong with it (damaged, locked, a full disk, a folder that is a file)
costs no query: an answer that cannot be read is asked for again, one that cannot be kept is not kept. In a folder of
somebody else, or one that everybody may write to (``/tmp``), nothing is kept and nothing believed: the file there, or
SQLite's journal beside it, may have been put there with answers of its own.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from logsql.diagnostics.errors import RunError
from logsql.store.files import Files

T = TypeVar("T")
_FILE = "answers.sqlite"
#: Seconds that another process may hold the file before we go on without it.
_PATIENCE = 0.5
_TABLE = (
    "CREATE TABLE IF NOT EXISTS answers "
    "(key BLOB PRIMARY KEY, stored REAL NOT NULL, size INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL)"
)


@dataclass(frozen=True)
class Kept:
    """An answer as it was kept: when (seconds since 1970), its content type, its body."""

    stored: float
    kind: str
    body: bytes


class Answers:
    """The kept answers of a folder, within ``most`` bytes. Used by the thread that first asks it.

    Keys are hashes: neither URL nor header of a request is kept.
    """

    def __init__(self, folder: Path, most: int, files: Files) -> None:
        self._path = folder / _FILE
        self._most = most
        self._files = files
        self._open: sqlite3.Connection | None = None
        self._tried = False

    def get(self, key: bytes, age: float) -> Kept | None:
        """The answer of a request when it is no older than so many seconds."""

        def read(file: sqlite3.Connection) -> tuple[float, str, bytes] | None:
            found: tuple[float, str, bytes] | None
            found = file.execute("SELECT stored, kind, body FROM answers WHERE key = ?", (key,)).fetchone()
            return found

        found = self._using(read)
        if found is None or not 0 <= time.time() - found[0] <= age:
            return None
        return Kept(*found)

    def put(self, key: bytes, kind: str, body: bytes) -> None:
        """Keep an answer, in place of an older one and of the oldest where there is no room."""
        if len(body) > self._most // 4:
            return

        def write(file: sqlite3.Connection) -> None:
            with file:
                row = (key, time.time(), len(body) + 200, kind, body)
                file.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
                self._make_room(file)

        self._using(write)

    def close(self) -> None:
        """Leave the file."""
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
        self._open, self._tried = None, True

    def _make_room(self, file: sqlite3.Connection) -> None:
        (total,) = file.execute("SELECT coalesce(sum(size), 0) FROM answers").fetchone()
        if total <= self._most:
            return
        gone = []
        for key, size in file.execute("SELECT key, size FROM answers ORDER BY stored"):
            gone.append((key,))
            total -= size
            if total <= self._most * 0.9:
                break
        file.executemany("DELETE FROM answers WHERE key = ?", gone)

    def _using(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """Do something with the file, None where it cannot be used. Trouble ends its use; a damaged one is removed."""
        try:
            file = self._opened()
            return work(file) if file is not None else None
        except sqlite3.OperationalError:
            return None  # held by another process, or no room on the disk: the next request may fare better
        except (sqlite3.Error, OSError, RunError):
            self.close()
            with contextlib.suppress(OSError, RunError):
                self._files.remove(self._path)
            return None

    def _opened(self) -> sqlite3.Connection | None:
        if not self._tried:
            self._tried = True
            if not self._files.make_own_folder(self._path.parent):
                return None
            self._files.make_private(self._path)
            file = sqlite3.connect(self._path, timeout=_PATIENCE)
            self._open = file
            file.execute("PRAGMA journal_mode = WAL")
            file.execute("PRAGMA synchronous = OFF")
            with file:
                file.execute("PRAGMA auto_vacuum = FULL")
                file.execute(_TABLE)
        return self._open
