"""One line on stderr for queries that take long: seconds, per cent, bytes read. Erased before anything else prints."""

from __future__ import annotations

import threading
import time
from typing import Protocol, TextIO

from logsql.diagnostics.messages import text

_OF = text("{done} of {total}", "{done} / {total}")
_WAIT = text("waiting {seconds} s for {host}", "{host} 대기 {seconds}초")


class Report(Protocol):
    """The facts of the engine's progress report."""

    @property
    def sources(self) -> dict[str, tuple[int, int]]: ...
    @property
    def percent(self) -> float | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def waits(self) -> dict[str, float]: ...


#: Queries shorter than this show no line; the line is rewritten this often.
FIRST, EVERY = 1.0, 0.25


class ProgressLine:
    """``on_progress`` callback that keeps one line up to date on a terminal; silent elsewhere."""

    def __init__(self, stream: TextIO, shown: bool | None = None) -> None:
        self._stream = stream
        self._shown = stream.isatty() if shown is None else shown
        self._next = 0.0
        self._length = 0
        self._guard = threading.Lock()

    def __call__(self, report: Report) -> None:
        now = time.monotonic()
        if not self._shown or report.seconds < FIRST or now < self._next:
            return
        self._next = now + EVERY
        line = progress_text(report)
        with self._guard:
            self._stream.write("\r" + line.ljust(self._length))
            self._stream.flush()
            self._length = len(line)

    def clear(self) -> None:
        """Remove the line."""
        with self._guard:
            if self._length:
                self._stream.write("\r" + " " * self._length + "\r")
                self._stream.flush()
                self._length = 0


def progress_text(report: Report) -> str:
    """``12 s  45 %  access.jsonl.gz 120 of 300 MB`` (at most 79 characters)."""
    parts = [f"{report.seconds:.0f} s"]
    if report.percent is not None and report.percent > 0:
        parts.append(f"{report.percent:.0f} %")
    for host, seconds in sorted(report.waits.items())[:1]:
        parts.append(_WAIT.fill(seconds=f"{seconds:.0f}", host=host))
    for source, (done, total) in sorted(report.sources.items())[:2]:
        name = source.replace("\\", "/").rsplit("/", 1)[-1]
        printable = "".join(c if c.isprintable() and c.isascii() else "?" for c in name)[:24]
        read = _OF.fill(done=_size(done), total=_size(total)) if total else _size(done)
        parts.append(f"{printable} {read}")
    return "  ".join(parts)[:79]


def _size(count: int) -> str:
    return f"{count / 1_000_000:,.0f} MB" if count >= 1_000_000 else f"{count / 1000:,.0f} kB"
