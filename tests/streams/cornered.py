"""``logsql`` whose engine begins a checkpoint in the worst moment: while a file is there, before each commit, and with
no regard to the room that is left. ``python -m tests.streams.cornered FILE serve CONFIG``
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import duckdb

from logsql.__main__ import start
from logsql.streams.book import Book


def corner(flag: Path) -> None:
    """Have it so from now on."""

    def checkpoint(self: Book) -> None:
        if flag.exists():
            folder = flag.parent
            rest = folder / "rest"  # what others write while the engine works
            with suppress(OSError), rest.open("wb") as file:
                while True:
                    file.write(bytes(100_000))
                    file.flush()
            with suppress(duckdb.Error):
                self._session.cursor().execute("CHECKPOINT")
            rest.unlink()

    Book._refuse_full = checkpoint  # type: ignore[method-assign]


if __name__ == "__main__":
    corner(Path(sys.argv[1]))
    del sys.argv[1]
    start()
