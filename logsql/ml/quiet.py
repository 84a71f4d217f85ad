"""Warnings of the libraries that learn: they name files of the installation and no field of a query.

What is worth telling is told by the ledger and by notes; ``ConvergenceWarning: Number of distinct clusters (1) found
smaller than n_clusters (3)`` and a path on stderr are not.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class _Silence:
    """Filters are one list for the whole process: the first of several trainings at a time sets them aside, and the
    last one puts them back. ``warnings.catch_warnings`` alone would put back those of a training that still runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._aside = warnings.catch_warnings()

    def enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._aside = warnings.catch_warnings()
                self._aside.__enter__()
                warnings.simplefilter("ignore")

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._aside.__exit__(None, None, None)


_SILENCE = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings of any library inside."""
    _SILENCE.enter()
    try:
        yield
    finally:
        _SILENCE.leave()
