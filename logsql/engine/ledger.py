"""The ledger: what a run skipped, cut, coerced or refused, with source, position, reason and count."""

from __future__ import annotations

import itertools
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows or values of one source that met the same fate. ``position`` and ``sample`` are those of the first one."""

    source: str
    reason: str
    count: int
    position: int | None = None
    sample: str | None = None


#: Living ledgers by run, for functions inside SQL that have only the run's name to go by.
LEDGERS: weakref.WeakValueDictionary[str, Ledger] = weakref.WeakValueDictionary()
_NUMBERS = itertools.count(1)


class Ledger:
    """Collects losses of one run; entries of the same source and reason are added up. Safe from several threads.

    >>> ledger = Ledger()
    >>> ledger.lost("a.log", "broken-json", position=3)
    >>> ledger.lost("a.log", "broken-json", position=9)
    >>> ledger.summary()
    '2 broken-json in a.log'
    """

    def __init__(self) -> None:
        self.run_id = str(next(_NUMBERS))
        LEDGERS[self.run_id] = self
        self._entries: dict[tuple[str, str], Entry] = {}
        self._lock = threading.Lock()

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        """Count a loss (the face that readers see)."""
        key = (source, reason)
        with self._lock:
            known = self._entries.get(key)
            if known is None:
                self._entries[key] = Entry(source, reason, count, position, sample)
            else:
                self._entries[key] = replace(known, count=known.count + count)

    def __iter__(self) -> Iterator[Entry]:
        with self._lock:
            return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def total(self) -> int:
        """Rows and values lost in all."""
        return sum(e.count for e in self)

    def summary(self) -> str:
        """One line for the user; empty when nothing was lost."""
        parts = [f"{e.count:,} {e.reason} in {e.source}" if e.count else f"{e.reason} in {e.source}" for e in self]
        if len(parts) > 4:
            parts = [*parts[:4], f"{len(parts) - 4} more"]
        return "; ".join(parts)
