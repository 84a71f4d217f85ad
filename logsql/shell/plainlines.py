"""Lines of a stream that is no terminal: a file, a pipe, a program that writes a query and waits for its answer."""

from __future__ import annotations

import os
import select
import stat
from typing import BinaryIO, TextIO

_WAIT = 0.1
"""Seconds in which the writer of a pipe may hand on the line that continues a query."""


class PlainLines:
    """The lines of a stream, one after the other, and a look at the next one where it does not keep anybody waiting."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # Not through the text layer: that takes more from the pipe than it tells of.
        self._bytes: BinaryIO | None = getattr(stream, "buffer", None)
        self._held: str | None = None

    def read(self) -> str:
        """The next line with its end; empty at the end of the stream."""
        held, self._held = self._held, None
        if held is not None:
            return held
        if self._bytes is None:
            return self._stream.readline()
        return self._bytes.readline().decode(self._stream.encoding or "utf-8", self._stream.errors or "strict")

    def following(self) -> str:
        """The next line, which stays to be read; empty at the end, and when a program has not written it yet."""
        if self._held is None and self._ready():
            self._held = self.read()
        return self._held or ""

    def _ready(self) -> bool:
        try:
            place = self._stream.fileno()
            if stat.S_ISREG(os.fstat(place).st_mode):
                return True
        except (OSError, ValueError):
            return True  # text in memory
        if os.name == "nt" or self._bytes is None:
            return False  # a pipe cannot be asked there
        peek = getattr(self._bytes, "peek", None)
        blocking = os.get_blocking(place)
        os.set_blocking(place, False)
        try:
            if peek is not None and peek(1):
                return True
        finally:
            os.set_blocking(place, blocking)
        return bool(select.select([place], [], [], _WAIT)[0])
