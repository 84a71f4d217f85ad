"""Rows of streams for whoever watches them now: ``stream window=``, ``stream tail``. Nothing is promised to a watcher.

A stream hands every batch it has committed to :meth:`Taps.publish`, which costs nothing where nobody watches but the
keeping of the last rows. A watcher that is too slow misses rows and is told how many.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

#: Batches that wait for a watcher; what comes beyond is missed.
WAITING = 256
#: Rows and bytes of each stream that are kept for ``stream tail``.
KEPT_ROWS = 1000
KEPT_BYTES = 4_000_000


@dataclass
class Watcher:
    """Somebody who reads along. ``missed``: rows that it was too slow for."""

    waiting: queue.Queue[pa.Table] = field(default_factory=lambda: queue.Queue(WAITING))
    missed: int = 0

    def next(self, seconds: float) -> pa.Table | None:
        """The next batch; None when none came within the time."""
        try:
            return self.waiting.get(timeout=seconds)
        except queue.Empty:
            return None


class _Kept:
    """The last rows of one stream, within :data:`KEPT_ROWS` and :data:`KEPT_BYTES`."""

    def __init__(self) -> None:
        self.batches: deque[tuple[pa.Table, int]] = deque()
        self._rows = 0
        self._bytes = 0

    def add(self, rows: pa.Table) -> None:
        """Keep rows; those that are too many go, and are copied out of larger batches that would stay with them."""
        if rows.num_rows > KEPT_ROWS:
            rows = rows.take(pa.array(range(rows.num_rows - KEPT_ROWS, rows.num_rows)))
        size = rows.nbytes
        self.batches.append((rows, size))
        self._rows += rows.num_rows
        self._bytes += size
        while len(self.batches) > 1 and (
            len(self.batches) >= WAITING
            or self._rows - self.batches[0][0].num_rows >= KEPT_ROWS
            or self._bytes > KEPT_BYTES
        ):
            gone, size = self.batches.popleft()
            self._rows -= gone.num_rows
            self._bytes -= size


class Taps:
    """Who watches which stream, and the last rows of each; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: dict[str, list[Watcher]] = {}
        self._last: dict[str, _Kept] = {}

    def publish(self, name: str, rows: pa.Table) -> None:
        """Rows that a stream has committed."""
        if not rows.num_rows:
            return
        with self._lock:
            self._last.setdefault(name, _Kept()).add(rows)
            watchers = list(self._watchers.get(name, ()))
        for watcher in watchers:
            try:
                watcher.waiting.put_nowait(rows)
            except queue.Full:
                watcher.missed += rows.num_rows

    def schema(self, name: str) -> pa.Schema | None:
        """The fields of the last rows of a stream; None where none came yet."""
        with self._lock:
            kept = self._last.get(name)
            return kept.batches[-1][0].schema if kept is not None else None

    def last(self, name: str, most: int) -> list[pa.Table]:
        """The last rows of a stream, oldest first: at most ``most``, and fewer where fewer are kept."""
        with self._lock:
            kept = list(self._last[name].batches) if name in self._last else []
        found: list[pa.Table] = []
        for rows, _ in reversed(kept):
            if most <= 0:
                break
            found.append(rows.slice(max(rows.num_rows - most, 0)))
            most -= rows.num_rows
        return found[::-1]

    @contextmanager
    def watching(self, names: Sequence[str], last: int = 0) -> Iterator[Watcher]:
        """Batches of these streams from now on, before them the last ``last`` rows of each."""
        watcher = Watcher()
        for name in names:
            for rows in self.last(name, last):
                watcher.waiting.put(rows)
        with self._lock:
            for name in names:
                self._watchers.setdefault(name, []).append(watcher)
        try:
            yield watcher
        finally:
            with self._lock:
                for name in names:
                    self._watchers[name].remove(watcher)
