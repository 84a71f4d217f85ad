"""The note of a file that is added to in place: who reads the file meanwhile, or after the writer was killed, reads as
far as it reached before (docs/crash-safety.md)."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Note:
    """Which file it is, its length before, and how many bytes are added."""

    device: int
    inode: int
    size: int
    added: int

    def belongs(self, found: os.stat_result) -> bool:
        """Whether the note is of this file, not of another one that had its name."""
        return (found.st_dev, found.st_ino) == (self.device, self.inode)

    def unfinished(self, found: os.stat_result) -> bool:
        """Whether bytes of the file are what its writer had to add. More than that is somebody else's."""
        return self.belongs(found) and self.size < found.st_size <= self.size + self.added

    def written(self) -> bytes:
        """The note as bytes."""
        return json.dumps(asdict(self)).encode()


def note_path(target: str) -> str:
    """Where it lies: beside the file (a path without links)."""
    folder, name = os.path.split(target)
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
    return os.path.join(folder, f".logsql-append-{digest}")


def read_note(data: bytes) -> Note | None:
    """The note of these bytes; None for others."""
    try:
        note = Note(**json.loads(data))
    except (ValueError, TypeError, RecursionError):
        return None
    return note if all(type(value) is int for value in asdict(note).values()) else None
