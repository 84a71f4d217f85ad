"""The dead file: rows that failed in a stream or that no target took, with ``_error`` and ``_stream``.

A file sink of its own, so that each such row is in it exactly once. Past its size it becomes ``dead.jsonl.1``, the one
before ``dead.jsonl.2`` and so on; the oldest of five goes.
"""

from __future__ import annotations

import pyarrow as pa

from logsql.streams import settings
from logsql.streams.sinks.base import Place
from logsql.streams.sinks.file import FileSink

#: How it is called in the book, in metrics and on the status page.
NAME = "dead"
_KEPT = 5


class Dead(FileSink):
    """``[dead]``. Units use it as any sink, but for :meth:`bury`."""

    kind = "dead"
    mode = 0o600

    def __init__(self, wanted: settings.Dead, place: Place) -> None:
        shape = settings.Sink(
            NAME, "file", path=wanted.path, rotate_size=wanted.size, rotate_time=0.0, retry=(1.0, 5.0)
        )
        super().__init__(shape, place)

    def bury(self, rows: pa.Table, unit: str, stream: str, error: str | pa.Array) -> None:
        """Stage rows of a unit. ``error``: a word or sentence for all, or one a row; ``stream``: where they failed."""
        count = rows.num_rows
        texts = pa.array([error] * count, pa.string()) if isinstance(error, str) else error
        left = rows.select([name for name in rows.column_names if name not in ("_error", "_stream")])
        left = left.append_column("_error", texts)
        self.stage(left.append_column("_stream", pa.array([stream] * count, pa.string())), unit)

    def fresh_path(self, base: str) -> str:
        """The path itself: what is there makes way."""
        self.place.files.remove(f"{base}.{_KEPT}")
        for number in range(_KEPT - 1, 0, -1):
            if self.place.files.has_file(f"{base}.{number}"):
                self.place.files.move(f"{base}.{number}", f"{base}.{number + 1}")
        if self.place.files.has_file(base):
            self.place.files.move(base, f"{base}.1")
        return base
