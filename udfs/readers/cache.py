"""What a reader learned about a file, kept for as long as the file stays as it is."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class StateCache(Generic[T]):
    """Values by file state and options; a session keeps one per kind. Safe for several threads."""

    def __init__(self, limit: int = 4_096) -> None:
        self._kept: dict[tuple[object, ...], T] = {}
        self._limit = limit
        self._lock = threading.Lock()

    def get(self, *key: object) -> T | None:
        """The value kept under this key."""
        with self._lock:
            return self._kept.get(key)

    def clear(self) -> None:
        """Forget everything (a benchmark of a first look at a file)."""
        with self._lock:
            self._kept.clear()

    def put(self, value: T, *key: object) -> None:
        """Keep it; the oldest entry makes room."""
        with self._lock:
            self._kept[key] = value
            if len(self._kept) > self._limit:
                del self._kept[next(iter(self._kept))]
