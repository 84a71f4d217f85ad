"""The feeds of a server by name, and what of them nobody needs any more.

Names: ``receiver:NAME`` (a journal), ``stream:NAME`` (what a stream gives to others), ``window:NAME`` (rows of open
windows), ``forward:NAME`` (rows that other processes give to a stream), ``context:TOPIC``, ``server:log``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote

from logsql.store.files import Files
from logsql.streams.feed import Feed
from logsql.streams.intake import Journal

RECEIVER = "receiver:"


class Feeds:
    """One object for each feed; opened when it is first asked for. From any thread."""

    def __init__(self, folder: Path, files: Files, journal: Journal) -> None:
        self._folder = folder
        self._files = files
        self._lock = threading.RLock()
        self._open: dict[str, Feed] = {}
        journal.keep_synced(lambda: [feed for name, feed in self.known().items() if not name.startswith(RECEIVER)])

    def __call__(self, name: str) -> Feed:
        """The feed of a name. Raises Broken, OSError."""
        with self._lock:
            found = self._open.get(name)
            if found is None:
                kind, _, rest = name.partition(":")
                found = self._open[name] = Feed(self._folder / kind / quote(rest, safe=""), self._files)
            return found

    def journal(self, name: str, feed: Feed) -> None:
        """The journal of a receiver, which its intake has opened."""
        with self._lock:
            self._open[RECEIVER + name] = feed

    def forget(self, name: str) -> None:
        """Close a feed that nobody writes or reads any more."""
        with self._lock:
            found = self._open.pop(name, None)
        if found is not None:
            found.close()

    def known(self) -> dict[str, Feed]:
        """Those that are open."""
        with self._lock:
            return dict(self._open)

    def recover(self, ends: Mapping[str, int], positions: Mapping[str, Iterable[int]]) -> None:
        """At the start: what a stream wrote and never committed is cut off; a journal never begins before a position
        that was committed (the power failed before it was on the disk)."""
        for name, feed in self.known().items():
            read = max(positions.get(name, ()), default=0)
            if name.startswith(RECEIVER):
                feed.cut(max(feed.end, read))
            else:
                feed.cut(max(ends.get(name, 0), read) if name in ends or read else feed.end)

    def release(self, readers: Mapping[str, Iterable[int]], keep: Callable[[str], bool] = lambda name: False) -> None:
        """Delete what all readers are through with. ``readers``: their positions by feed; one without readers keeps
        nothing, unless ``keep`` says so."""
        for name, feed in self.known().items():
            positions = list(readers.get(name, ()))
            if positions:
                feed.release(min(positions))
            elif not keep(name):
                feed.release(feed.published)

    def close(self) -> None:
        """Close those that are no journals."""
        for name, feed in self.known().items():
            if not name.startswith(RECEIVER):
                feed.close()
