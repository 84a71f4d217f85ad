"""``logsql`` in a process that notes what the disk has, and what is left of a state folder when the power fails.

``python -m tests.streams.powered NOTES serve CONFIG``: each time a file of a feed was synced, its path and length are a
line of NOTES. :func:`cut` makes of the folder of a killed server what a disk would hold that keeps nothing but that:
the harshest one, since a real disk may have more. What the database commits it syncs itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from logsql.__main__ import start
from logsql.store.logfiles import LogFile


def watch(notes: str) -> None:
    """Note what is synced from now on."""
    handle = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sync, cut = LogFile.sync, LogFile.cut

    def synced(self: LogFile) -> None:
        size = os.stat(self.path).st_size
        sync(self)
        os.write(handle, f"{size} {self.path}\n".encode())

    def cut_back(self: LogFile, size: int) -> None:
        cut(self, size)
        os.write(handle, f"{size} {self.path}\n".encode())

    LogFile.sync, LogFile.cut = synced, cut_back  # type: ignore[method-assign]


def synced(notes: Path) -> dict[str, int]:
    """The length of each file that is surely on the disk."""
    found: dict[str, int] = {}
    for line in notes.read_text().splitlines():
        size, _, path = line.partition(" ")
        found[path] = int(size)
    return found


def cut(state: Path, notes: Path) -> int:
    """The power fails: bytes of feeds that were lost."""
    known, lost = synced(notes), 0
    for path in state.rglob("*.feed"):
        size = path.stat().st_size
        keep = known.get(str(path), 0)
        lost += max(size - keep, 0)
        if keep == 0:
            path.unlink()
        elif keep < size:
            os.truncate(path, keep)
    return lost


if __name__ == "__main__":
    watch(sys.argv.pop(1))
    start()
