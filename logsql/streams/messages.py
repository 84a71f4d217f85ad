"""Messages as receivers have them, and the Arrow batch that is made of many of them: column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from logsql.streams.rows import INSTANT
from udfs.readers.framing import decoded


class Sender(NamedTuple):
    """Who sent a message. ``name``: the receiver's, for ``_logger_name``; ``tls_name``: subject of its certificate."""

    address: str | None
    port: int | None
    name: str
    tls_name: str | None = None


class Chunk(NamedTuple):
    """Messages that arrived together. ``sender``: of all, or one each. ``arrived``: microseconds since 1970."""

    lines: list[bytes]
    sender: Sender | list[Sender]
    transport: str
    truncated: list[int] | None
    arrived: int


def batch_of(chunks: Sequence[Chunk], schema: pa.Schema, encoding: str) -> pa.RecordBatch:
    """The rows of some chunks, in order, as a receiver's schema has them."""
    made = _Columns(chunks, encoding)
    return pa.RecordBatch.from_arrays([_MAKERS[name](made) for name in schema.names], schema=schema)


class _Columns:
    """The columns that a batch of chunks has, each made when it is asked for."""

    def __init__(self, chunks: Sequence[Chunk], encoding: str) -> None:
        self._chunks = chunks
        self._counts = [len(chunk.lines) for chunk in chunks]
        self.rows = sum(self._counts)
        lines = chunks[0].lines if len(chunks) == 1 else list(chain.from_iterable(chunk.lines for chunk in chunks))
        self.line, bad = decoded(lines, encoding)
        self.raw = _only(lines, bad)
        self._senders = self._distinct_senders()

    def time(self) -> pa.Array:
        """When each arrived."""
        times = np.repeat(np.array([chunk.arrived for chunk in self._chunks], np.int64), self._counts)
        return pa.array(times).cast(pa.timestamp("us")).cast(INSTANT)

    def truncated(self) -> pa.Array:
        """True for those that were cut off, else null."""
        if not any(chunk.truncated for chunk in self._chunks):
            return pa.nulls(self.rows, pa.bool_())
        found: list[bool | None] = [None] * self.rows
        start = 0
        for chunk, count in zip(self._chunks, self._counts, strict=True):
            for number in chunk.truncated or ():
                found[start + number] = True
            start += count
        return pa.array(found, pa.bool_())

    def of_sender(self, value: Callable[[Sender], object], kind: pa.DataType) -> pa.Array:
        """What each sender has."""
        distinct, places = self._senders
        values = pa.array([value(sender) for sender in distinct], kind)
        return pa.repeat(values[0], self.rows) if len(distinct) == 1 else values.take(places)

    def _distinct_senders(self) -> tuple[list[Sender], pa.Array]:
        """Each sender once, and which of them sent each row."""
        numbers: dict[Sender, int] = {}
        places: list[np.ndarray] = []
        for chunk, count in zip(self._chunks, self._counts, strict=True):
            if isinstance(chunk.sender, Sender):
                places.append(np.full(count, numbers.setdefault(chunk.sender, len(numbers)), np.int32))
            else:
                found = [numbers.setdefault(sender, len(numbers)) for sender in chunk.sender]
                places.append(np.array(found, np.int32))
        return list(numbers), pa.array(np.concatenate(places))


def _only(lines: list[bytes], places: list[int]) -> pa.Array:
    """The bytes at some places, null elsewhere."""
    if not places:
        return pa.nulls(len(lines), pa.binary())
    found: list[bytes | None] = [None] * len(lines)
    for place in places:
        found[place] = lines[place]
    return pa.array(found, pa.binary())


_MAKERS: Mapping[str, Callable[[_Columns], pa.Array]] = {
    "line": lambda made: made.line,
    "raw": lambda made: made.raw,
    "_time": _Columns.time,
    "_truncated": _Columns.truncated,
    "remote_ip": lambda made: made.of_sender(lambda sender: sender.address, pa.string()),
    "remote_port": lambda made: made.of_sender(lambda sender: sender.port, pa.int32()),
    "_logger_name": lambda made: made.of_sender(lambda sender: sender.name, pa.string()),
    "_tls_name": lambda made: made.of_sender(lambda sender: sender.tls_name, pa.string()),
}
