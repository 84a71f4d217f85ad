"""The receiver of files: lines of files that grow, are renamed, are cut, appear and go.

How far each file was read is written into the journal in one record with the lines: each comes exactly once, over any
number of kills. A file is known by its inode, so one that was renamed is read on to its end under its old name.
"""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
import pyarrow as pa

from logsql.diagnostics.errors import PolicyError
from logsql.store.files import Files
from logsql.store.logfiles import Followed, Found, Identity, folder_files, found, matching
from logsql.store.policy import read_refused
from logsql.streams import rows
from logsql.streams.feed import FeedFull
from logsql.streams.intake import Intake
from logsql.streams.metrics import BYTES, FRAMES_BAD, RECEIVER_LOST, Metrics
from logsql.streams.receivers.following import PATIENCE, Follower, Place, kept, note_of
from logsql.streams.receivers.lines import Found as Taken
from logsql.streams.receivers.lines import Rules, marks
from logsql.streams.receivers.watching import Watch, folder_of
from logsql.streams.settings import Receiver
from udfs.java.javaregex import classify
from udfs.readers.framing import decoded

#: Seconds between two looks at the files, and at the names in their folders.
_POLL, _SEARCH = 0.2, 1.0
#: Pieces of one file that are read before it is another's turn.
_TURN = 16
#: Files that ``/status`` names.
_MOST_TOLD = 1000


class FileReceiver:
    """One ``[[receiver]]`` of kind ``file``. Its rows are :data:`.rows.FILE`."""

    def __init__(self, settings: Receiver, intake: Intake, metrics: Metrics, files: Files) -> None:
        self.settings = settings
        self.warnings: list[str] = []
        self._intake = intake
        self._metrics = metrics
        self._files = files
        self._rules = _rules(settings)
        self._followers: dict[Identity, Follower] = {}
        self._patterns: list[str] = []
        self._wake = threading.Event()
        self._told = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._watch: Watch | None = None
        self._searched = -_SEARCH
        self._turn = threading.Lock()

    # --- as a receiver ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Find the files and begin to read. Raises PolicyError for a path that may not be read."""
        for pattern in self.settings.path:
            if not self._files.may_read(folder_of(pattern) or "."):
                raise read_refused(pattern)
        await asyncio.to_thread(self._begin)
        self._thread = threading.Thread(target=self._run, name=f"receiver {self.settings.name}", daemon=True)
        self._thread.start()
        self._look_out()

    async def stop(self) -> None:
        """Read no more; what was read is in the journal."""
        self._ended.set()
        self._wake.set()
        if self._watch is not None:
            self._watch.close()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
        for follower in self._followers.values():
            follower.file.close()

    async def reload(self, settings: Receiver) -> bool:
        """Take over other settings; places in files stay."""
        if settings.kind != self.settings.kind:
            return False
        with self._turn:
            self.settings, self._rules, self._searched = settings, _rules(settings), -_SEARCH
            self._intake.encoding = settings.encoding
        if self._watch is not None:
            self._watch.close()
        self._look_out()
        self._wake.set()
        return True

    def senders(self) -> list[dict[str, object]]:
        """The files: name, bytes read, size."""
        followers = list(self._followers.values())[-_MOST_TOLD:]
        return [
            {"file": one.place.name, "position": one.place.position, "size": max(one.size, one.place.position)}
            for one in followers
        ]

    def _look_out(self) -> None:
        self._watch = Watch((folder_of(pattern) for pattern in self.settings.path), self._changed)

    def _changed(self) -> None:
        """Something happened in a folder: perhaps a new name."""
        self._told.set()
        self._wake.set()

    # --- the files --------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Open the files that were followed before, also those that were renamed since; look for others."""
        before = kept(self._intake.feed.note)
        self._patterns = list(before.patterns) if before is not None else []
        for place in before.places if before is not None else ():
            file = self._file_again(place)
            if file is None:
                self._metrics.add(RECEIVER_LOST, (self.settings.name, "gone"))
                continue
            self._followers[place.identity] = Follower(file, place)
        self._search(time.monotonic())

    def _file_again(self, place: Place) -> Followed | None:
        """The file of a place under whatever name it has in its folder now."""
        for path in (place.name, *folder_files(self._files, folder_of(place.name))):
            at = self._found(path)
            if at is not None and at.identity == place.identity:
                return self._opened(path)
        return None

    def _found(self, path: str) -> Found | None:
        try:
            return found(self._files, path)
        except PolicyError:  # a link that leads out of what may be read
            return None

    def _opened(self, path: str) -> Followed | None:
        try:
            return Followed(self._files, path)
        except (OSError, PolicyError):  # gone, or not ours to read: the next look tells
            return None

    def _search(self, now: float) -> None:
        """Find new files, and those whose names others have now."""
        self._searched = now
        seen: set[Identity] = set()
        fresh = False
        for pattern in self.settings.path:
            at_end = pattern not in self._patterns and self.settings.start == "end"
            for path in matching(self._files, pattern):
                at = self._found(path)
                if at is None:
                    continue
                seen.add(at.identity)
                if at.identity in self._followers:
                    continue
                file = self._opened(path)
                if file is not None and file.identity not in self._followers:
                    seen.add(file.identity)
                    self._followers[file.identity] = Follower.begun(file, path, at_end)
                    fresh = True
            if pattern not in self._patterns:
                self._patterns.append(pattern)
                fresh = True
        for identity, follower in self._followers.items():
            follower.missing = identity not in seen
        if fresh:  # otherwise a kill before the first line would begin anew at another end
            self._keep()

    def _keep(self) -> None:
        """Write the places without a line."""
        self._written(_EMPTY, {})

    # --- reading ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait(_POLL)
            self._wake.clear()
            if self._intake.wait_room(1.0) and not self._ended.is_set():
                with self._turn:
                    self._round(time.monotonic())

    def _round(self, now: float) -> None:
        if now - self._searched >= (_POLL if self._told.is_set() else _SEARCH):
            self._told.clear()
            self._search(now)
        patience = self.settings.multiline.flush if self.settings.multiline is not None else PATIENCE
        for follower in list(self._followers.values()):
            try:
                if not self._read(follower, patience, now):
                    return
            except OSError:  # a drive that is away for a while
                continue
            if follower.over(self.settings.rotate_wait, now):
                del self._followers[follower.place.identity]
                follower.file.close()
                self._keep()

    def _read(self, follower: Follower, patience: float, now: float) -> bool:
        """Read some of a file; False when there is no room for more."""
        if follower.restarted():
            self._metrics.add(FRAMES_BAD, (self.settings.name, "truncated"))
        for _ in range(_TURN):
            step = follower.step(self._rules, patience, now)
            if step is None:
                return True
            if not self._give(follower, *step):
                return False
        self._wake.set()
        return True

    def _give(self, follower: Follower, taken: Taken, place: Place) -> bool:
        """Write lines and the place behind them; False when there is no room."""
        if not self._written(self._batch(follower, taken), {place.identity: place}):
            return False
        self._metrics.add(BYTES, (self.settings.name,), taken.used)
        if taken.truncated:
            self._metrics.add(FRAMES_BAD, (self.settings.name, "oversize"), len(taken.truncated))
        if taken.dropped:
            self._metrics.add(RECEIVER_LOST, (self.settings.name, "oversize"), taken.dropped)
        follower.place = place
        return not self._intake.full

    def _written(self, batch: pa.RecordBatch, changed: dict[Identity, Place]) -> bool:
        places = [changed.get(key, follower.place) for key, follower in self._followers.items()]
        try:
            self._intake.write(batch, "file", note_of(self._patterns, places))
        except FeedFull:
            self._ended.wait(0.25)
            return False
        return True

    def _batch(self, follower: Follower, taken: Taken) -> pa.RecordBatch:
        count = len(taken.lines)
        line, bad = decoded(taken.lines, self.settings.encoding)
        raw: list[bytes | None] = [None] * count if bad else []
        for number in bad:
            raw[number] = taken.lines[number]
        positions = np.asarray(taken.places, np.int64) + follower.place.position
        now = pa.scalar(time.time_ns() // 1000, pa.int64()).cast(rows.INSTANT)
        columns = [
            line,
            pa.repeat(now, count),
            pa.repeat(follower.place.name, count),
            pa.array(positions, pa.int64()),
            pa.repeat(self.settings.name, count),
            pa.array(raw, pa.binary()) if bad else pa.nulls(count, pa.binary()),
            marks(count, taken.truncated),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=rows.FILE)


_EMPTY = pa.RecordBatch.from_pylist([], rows.FILE)


def _rules(settings: Receiver) -> Rules:
    multiline = settings.multiline
    start = classify(multiline.start, named_only=False) if multiline is not None else None
    return Rules(settings.max_frame, settings.oversize != "cut", start, settings.encoding)
