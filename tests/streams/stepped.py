"""``logsql`` in a process whose wall clock can be set: ``python -m tests.streams.stepped FILE serve CONFIG``.

FILE holds by how many seconds it is off. The monotonic clock goes on as it does, as when an operator sets the time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from logsql.__main__ import start


def watch(place: Path) -> None:
    """Every reading of the wall clock from now on is off by what the file says."""
    real = time.time_ns

    def time_ns() -> int:
        return real() + int(place.read_text() or 0) * 1_000_000_000

    time.time_ns, time.time = time_ns, lambda: time_ns() / 1e9


if __name__ == "__main__":
    watch(Path(sys.argv.pop(1)))
    start()
