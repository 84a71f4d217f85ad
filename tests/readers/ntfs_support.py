"""What the NTFS tests share: unpacked shared files, whole tables, mutations of small files."""

from __future__ import annotations

import lzma
import random
import resource
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.support import shared_data
from udfs.readers.base import ListLoss, Reader, ReaderError, null_context

FILETIME_EPOCH_US = 11_644_473_600_000_000


def micros(filetime: int | None) -> int | None:
    """Raw FILETIME of an answer file to microseconds since 1970; 0 means never."""
    return filetime // 10 - FILETIME_EPOCH_US if filetime else None


def unpacked(folder: Path, *parts: str) -> Path:
    """A shared file, decompressed into ``folder`` when it is stored as ``.xz``."""
    plain = shared_data("forensics", parts[0]).joinpath(*parts[1:])
    if plain.exists():
        return plain
    packed = shared_data("forensics", *parts[:-1], parts[-1] + ".xz")
    made = folder / parts[-1]
    made.write_bytes(lzma.decompress(packed.read_bytes()))
    return made


def table(reader: Reader, columns: Sequence[str] | None = None, loss: ListLoss | None = None) -> pa.Table:
    """All rows of a scan; every batch must be valid Arrow and of the promised schema."""
    batches = list(reader.scan(columns, null_context(loss or ListLoss())))
    for batch in batches:
        batch.validate(full=True)
    names = [name for name in reader.schema.names if columns is None or name in columns]
    return pa.Table.from_batches(batches, schema=pa.schema([reader.schema.field(name) for name in names]))


def values(found: pa.Table) -> dict[str, list[Any]]:
    """Columns as Python lists, instants as microseconds since 1970."""
    return {
        name: (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
        for name, column in zip(found.column_names, found.columns, strict=True)
    }


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One damaged copy: flipped bits, interesting numbers, zeroed or copied stretches, a cut end."""
    made = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        if not made:
            break
        at = dice.randrange(len(made))
        kind = dice.randrange(7)
        if kind == 0:
            made[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            made[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            number = dice.choice((0, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFF8, 8, 16, 24, 1 << 63))
            made[at & ~3 : (at & ~3) + 4] = (number & 0xFFFFFFFF).to_bytes(4, "little")
        elif kind == 3:
            made[at : at + dice.randrange(1, 600)] = bytes(dice.randrange(1, 600))
        elif kind == 4:
            other = dice.randrange(len(made))
            size = dice.randrange(1, 256)
            made[at : at + size] = made[other : other + size]
        elif kind == 5:
            del made[at:]
        else:
            made[at & ~7 : (at & ~7) + 8] = dice.randbytes(8)
    return bytes(made)


def survive(
    make: Callable[[str], Reader], seeds: list[bytes], rounds: int, folder: Path, most_rows: Callable[[int], int]
) -> tuple[int, int]:
    """Scan ``rounds`` damaged copies of the seeds: only ReaderError may come out, quickly, and of sane size.

    Every tenth result is validated as Arrow. Returns how many were read and how many were refused.
    """
    dice = random.Random(20240311)
    path = folder / "damaged"
    read = refused = 0
    slowest = 0.0
    sentences: set[str] = set()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for nth in range(rounds):
        data = mutate(dice.choice(seeds), dice)
        path.write_bytes(data)
        began = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                batches = list(make(str(path)).scan(None, null_context(ListLoss())))
            read += 1
        except ReaderError as problem:
            refused += 1
            sentences.add(str(problem))
            continue
        finally:
            slowest = max(slowest, time.monotonic() - began)
        assert sum(batch.num_rows for batch in batches) <= most_rows(len(data))
        if nth % 10 == 0:
            for batch in batches:
                batch.validate(full=True)
    assert all(sentence.strip() and "\n" not in sentence for sentence in sentences)
    # Not a speed test: a scan of a few kilobytes that takes this long loops.
    assert slowest < 10
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 600 * 1024, f"memory grew by {grown // 1024} MiB"
    return read, refused
