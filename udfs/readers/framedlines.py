"""The messages of files that hold syslog as it came over the wire: counted frames, LF, NUL (see :mod:`.framing`).

A frame is cut out of the bytes first and decoded then: counts are counts of bytes. A byte order mark at the very
beginning is no text.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from udfs.readers.base import BATCH_ROWS, Line, ReadContext
from udfs.readers.framing import INCOMPLETE, Deframer, decoded
from udfs.readers.lines import MAX_LINE, ByteSource, Lines, codec_name

_CHUNK = 1 << 20
_FIRST_ROWS = 4096
_LARGEST = 16 << 20
_SAMPLE = 120


def read_frames(source: ByteSource, mode: str, charset: str, context: ReadContext) -> Iterator[Lines]:
    """The messages of a source in arrays of up to about 100,000 or 16 MB.

    Ledger: ``frame-cut``, ``frame-without-count``, ``frame-incomplete``, ``invalid-<charset>``, with the number of the
    first such frame.
    """
    codec = codec_name(charset)
    deframer = Deframer(mode, MAX_LINE)
    ledger = _Ledger(source.name, codec, context)
    held: list[bytes] = []
    size, aim = 0, _FIRST_ROWS
    for chunk in _without_mark(source, codec):
        held += ledger.seen(deframer, deframer.feed(chunk), len(held))
        size += len(chunk)
        if len(held) >= aim or size > _LARGEST:
            yield ledger.lines(held)
            held, size, aim = [], 0, min(4 * aim, BATCH_ROWS)
    held += ledger.seen(deframer, deframer.end(), len(held))
    yield ledger.lines(held)
    ledger.tell(deframer.bad.get(INCOMPLETE, 0))


def _without_mark(source: ByteSource, codec: str) -> Iterator[bytes]:
    head = source.read(_CHUNK)
    while 0 < len(head) < len(codecs.BOM_UTF8) and (more := source.read(_CHUNK)):
        head += more
    yield head.removeprefix(codecs.BOM_UTF8) if codec.startswith("utf") else head
    while chunk := source.read(_CHUNK):
        yield chunk


class _Ledger:
    """Numbers the frames of a file and keeps what is wrong with them until its end: one entry a reason."""

    def __init__(self, name: str, codec: str, context: ReadContext) -> None:
        self._name, self._codec, self._context = name, codec, context
        self._done = 0
        self._wrong: dict[str, tuple[int, int, str]] = {}  # how many, the first one's number and text

    def seen(self, deframer: Deframer, frames: list[bytes], before: int) -> list[bytes]:
        """The frames; those that were cut or had no count are noted."""
        for reason, places in (("frame-cut", deframer.truncated), ("frame-without-count", deframer.without_count)):
            if places:
                self._note(reason, len(places), before + places[0], frames[places[0]][:_SAMPLE])
        return frames

    def lines(self, frames: list[bytes]) -> Lines:
        """The next frames as text."""
        texts, bad = decoded(frames, self._codec)
        if bad:
            self._note(f"invalid-{self._codec}", len(bad), bad[0], frames[bad[0]][:_SAMPLE])
        found = Lines(texts, self._done)
        self._done += len(texts)
        return found

    def _note(self, reason: str, count: int, place: int, sample: bytes) -> None:
        first = self._done + place + 1, sample.decode(self._codec, "replace")
        known, number, text = self._wrong.get(reason, (0, *first))
        self._wrong[reason] = known + count, number, text

    def tell(self, incomplete: int) -> None:
        """All of it to the ledger."""
        for reason, (count, number, sample) in self._wrong.items():
            self._context.loss.lost(self._name, reason, count, Line(number), sample)
        if incomplete:
            self._context.loss.lost(self._name, "frame-incomplete", incomplete, Line(self._done + 1))
