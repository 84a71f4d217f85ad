"""The queries of a session, for ``system queries``: text, times, how they ended. The oldest are forgotten."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, replace

#: Queries remembered.
KEPT = 1_000


@dataclass(frozen=True)
class QueryRecord:
    """One query. ``finished`` is None while it runs or when its rows were never read to the end."""

    number: int
    text: str
    started: dt.datetime
    finished: dt.datetime | None = None
    cancelled: bool = False


class QueryLog:
    """Records of queries by number. Safe from several threads."""

    def __init__(self) -> None:
        self._records: dict[int, QueryRecord] = {}
        self._lock = threading.Lock()

    def start(self, number: int, text: str) -> None:
        with self._lock:
            self._records[number] = QueryRecord(number, text, dt.datetime.now(dt.UTC))
            while len(self._records) > KEPT:
                self._records.pop(next(iter(self._records)))

    def finish(self, number: int, cancelled: bool = False) -> None:
        """A query delivered its last row, or was cancelled; the first report counts."""
        with self._lock:
            known = self._records.get(number)
            if known is not None and known.finished is None:
                self._records[number] = replace(known, finished=dt.datetime.now(dt.UTC), cancelled=cancelled)

    def records(self) -> list[QueryRecord]:
        """All records, oldest first."""
        with self._lock:
            return list(self._records.values())
