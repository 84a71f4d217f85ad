"""What the server says while it runs: lines on stderr, as text or JSON, and rows of ``server:log``."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

import pyarrow as pa

from logsql.diagnostics.redaction import masked
from logsql.streams.rows import INSTANT

#: What a line of the log holds, as a row of ``server:log``.
LOG = pa.schema([("_time", INSTANT), ("level", pa.string()), ("part", pa.string()), ("line", pa.string())])
#: Lines that are kept for /status.
KEPT = 50
LEVELS = ("info", "warning", "error")


class Logbook:
    """The log of one server. ``form``: ``text`` or ``json``; ``out`` writes a line to stderr. From any thread; secrets
    are masked."""

    def __init__(self, form: str, out: Callable[[str], None]) -> None:
        self._out = out
        self._json = form != "text"
        self._lock = threading.Lock()
        self.last: deque[dict[str, str]] = deque(maxlen=KEPT)
        #: Takes each line as a row, once the server has a feed for it.
        self.keep: Callable[[pa.RecordBatch], None] | None = None

    def say(self, line: str, level: str = "info", part: str = "server") -> None:
        """One line."""
        now = dt.datetime.now(dt.UTC)
        line = masked(line)
        stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        facts = {"time": stamp, "level": level, "part": part, "message": line}
        text = json.dumps(facts, ensure_ascii=False) if self._json else f"{stamp} {level} {part}: {line}"
        with self._lock:
            self.last.append(facts)
            self.plain(text)
        if self.keep is not None:
            self.keep(pa.RecordBatch.from_pylist([{"_time": now, "level": level, "part": part, "line": line}], LOG))

    def plain(self, text: str) -> None:
        """A line as it is; a stderr that nobody reads any more stops nothing."""
        with suppress(OSError, ValueError):
            self._out(text)

    def of(self, part: str) -> Callable[[str], None]:
        """A function that says warnings of one part."""
        return lambda line: self.say(line, "warning", part)
