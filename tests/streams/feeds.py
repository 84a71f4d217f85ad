"""Batches of numbered rows for the tests of feeds, and what a feed holds of them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from logsql.store.files import Files
from logsql.streams.feed import Feed

NUMBERS = pa.schema([("n", pa.int64()), ("text", pa.string())])


def batch(first: int, rows: int, width: int = 10) -> pa.RecordBatch:
    """Rows ``first`` to ``first + rows - 1``; each text holds its number."""
    numbers = range(first, first + rows)
    return pa.RecordBatch.from_pydict({"n": list(numbers), "text": [f"{n:0{width}d}" for n in numbers]}, NUMBERS)


def opened(folder: Path, segment: int = 64_000_000) -> Feed:
    return Feed(folder, Files(), segment=segment)


def numbers(feed: Feed, position: int = 0, most: int = 20_000) -> list[int]:
    """Column ``n`` of all that a reader gets from a position on."""
    found: list[int] = []
    while (taken := feed.read(position, most)) is not None:
        assert taken.rows.num_rows == taken.next - taken.first
        found += taken.rows["n"].to_pylist()
        position = taken.next
    return found


def segment_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.feed"))
