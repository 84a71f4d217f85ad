"""One file that is followed: how far it was read, and what tells that it is still the same one."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from logsql.store.logfiles import Followed, Identity
from logsql.streams.receivers.lines import Found, Rules, State, take

#: Bytes at the beginning of a file by which it is known again.
_HEAD = 256
#: Bytes that are read at a time, at least.
PIECE = 1 << 20
#: Seconds in which the end of a last line may come.
PATIENCE = 2.0
_FORM = 1


@dataclass(frozen=True)
class Place:
    """How far a file was read, as it is kept: ``name`` is what it was called when it was found; ``head``: length and
    checksum of its first bytes."""

    identity: Identity
    name: str
    position: int
    state: State
    head: tuple[int, int]


@dataclass(frozen=True)
class Kept:
    """The note of a receiver of files: the patterns that it has looked through, the places of its files."""

    patterns: tuple[str, ...]
    places: tuple[Place, ...]

    def written(self) -> bytes:
        """As bytes."""
        files = [
            [p.identity.device, p.identity.number, p.name, p.position, p.state.skipping, p.state.open, *p.head]
            for p in self.places
        ]
        return json.dumps({"form": _FORM, "patterns": self.patterns, "files": files}).encode()


def kept(note: bytes) -> Kept | None:
    """What a note says; None where there is none."""
    if not note:
        return None
    found = json.loads(note)
    places = [
        Place(Identity(device, number), name, position, State(skipping, opened), (length, digest))
        for device, number, name, position, skipping, opened, length, digest in found["files"]
    ]
    return Kept(tuple(found["patterns"]), tuple(places))


class Follower:
    """A file, open, and how far it was read. ``missing``: its name is another file's or nobody's now."""

    def __init__(self, file: Followed, place: Place) -> None:
        self.file = file
        self.place = place
        self.missing = False
        self.size = -1
        self.grew = time.monotonic()
        self._waits = False

    @classmethod
    def begun(cls, file: Followed, name: str, at_end: bool) -> Follower:
        """A file that was never read: from its beginning, or behind its last whole line."""
        position = 0
        if at_end:
            size = file.now().size
            from_ = max(size - PIECE, 0)
            tail = file.read(from_, size - from_)
            position = from_ + tail.rfind(b"\n") + 1 if b"\n" in tail else from_
        return cls(file, Place(file.identity, name, position, State(), head(file, position)))

    def restarted(self) -> bool:
        """Whether the file was cut or written anew since; it is read from its beginning then."""
        size = self.file.now().size
        if size >= self.place.position and head(self.file, self.place.head[0]) == self.place.head:
            return False
        self.place = Place(self.place.identity, self.place.name, 0, State(), (0, 0))
        self.size, self._waits = -1, False
        return True

    def step(self, rules: Rules, patience: float, now: float) -> tuple[Found, Place] | None:
        """What can be read now, and the place behind it; None where there is nothing."""
        size = self.file.now().size
        if size != self.size:
            self.size, self.grew, self._waits = size, now, False
        if size <= self.place.position:
            return None
        due = now - self.grew >= patience
        if self._waits and not due:
            return None
        most = max(PIECE, rules.most + 2)
        piece = self.file.read(self.place.position, most)
        final = due and self.place.position + len(piece) >= size
        found = take(piece, rules, self.place.state, final)
        if not found.used and not final and len(piece) == most:
            found = take(piece, rules, self.place.state, True)  # a record without end
        if not found.used:
            self._waits = True
            return None
        position = self.place.position + found.used
        length = min(position, _HEAD)
        begins = self.place.head if self.place.head[0] == length else head(self.file, length)
        return found, Place(self.place.identity, self.place.name, position, found.state, begins)

    def over(self, patience: float, now: float) -> bool:
        """Whether a file that has lost its name was read to its end and has not grown for so long."""
        return self.missing and self.size <= self.place.position and now - self.grew >= patience


def head(file: Followed, position: int) -> tuple[int, int]:
    """Length and checksum of the first bytes before a position."""
    length = min(position, _HEAD)
    return length, zlib.crc32(file.read(0, length)) if length else 0


def note_of(patterns: Iterable[str], places: Iterable[Place]) -> bytes:
    """The note of all files."""
    return Kept(tuple(patterns), tuple(places)).written()
