"""Mutated hives: whatever the bytes, a scan ends soon, in bounded memory, with rows or one ReaderError."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from sample_data import make_hive
from tests.readers.hive_support import image_of
from tests.support import sample
from udfs.readers.base import ReaderError, null_context
from udfs.readers.hive import HiveReader
from udfs.readers.hive.reader import scan_image

_SHARDS = sample(8, 1)
#: A test of a hive takes 3 ms: by day a quarter of what a shard does at night.
_EACH = sample(2500, 625)
_BATCH_LIMIT = 64 << 20


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A few random edits where they hurt: words become offsets, counts, extremes or copies of other words."""
    out = bytearray(data)
    used = len(data.rstrip(b"\0"))
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        at = rng.randrange(4096, used) if rng.random() < 0.93 else rng.randrange(0, 64)
        kind = rng.randrange(8)
        if kind == 0:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            out[at] = rng.randrange(256)
        elif kind == 2:
            out[at & ~3 : (at & ~3) + 4] = rng.choice(
                (b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f")
            )
        elif kind == 3:
            word = rng.randrange(4096, used) & ~3
            out[at & ~3 : (at & ~3) + 4] = out[word : word + 4]
        elif kind == 4:
            out[at & ~3 : (at & ~3) + 4] = (rng.randrange(0, len(data)) & ~7).to_bytes(4, "little")
        elif kind == 5:
            out[at & ~1 : (at & ~1) + 2] = rng.choice((b"\xff\xff", b"nk", b"vk", b"lf", b"ri", b"li", b"db", b"\0\0"))
        elif kind == 6:
            out[at : at + 64] = rng.randbytes(64)[: max(0, len(out) - at)]
        else:
            del out[rng.randrange(1, len(out)) :]
            used = max(min(used, len(out)), 4097)
            if len(out) <= 4200:
                break
    return bytes(out)


def scan_all(data: bytes, columns: list[str] | None, deleted: bool = False) -> int:
    """Rows of a hive in memory; every batch is checked to be valid Arrow and of bounded size."""
    schema = HiveReader.columns if columns is None else pa_schema(columns)
    rows = 0
    for batch in scan_image(image_of(data), schema, "f", null_context(), deleted=deleted):
        batch.validate(full=True)
        assert batch.nbytes < _BATCH_LIMIT
        rows += batch.num_rows
    return rows


def pa_schema(columns: list[str]) -> object:
    from udfs.readers.base import select

    return select(HiveReader.columns, columns)


@pytest.mark.parametrize("shard", range(_SHARDS))
def test_mutations_never_break_the_reader(shard: int) -> None:
    rng = random.Random(shard)
    seeds = [make_hive.build(make_hive.small(shard * 4 + k), 3 + 2 * (k & 1)) for k in range(3)]
    refused = 0
    for number in range(_EACH):
        data = mutated(seeds[number % 3], rng)
        columns = None if number % 4 == 0 else rng.sample(HiveReader.columns.names, rng.randrange(4))
        try:
            scan_all(data, columns, deleted=number % 2 == 1)
        except ReaderError:
            refused += 1
    # Most mutations leave a hive: if nearly all were refused, nothing behind the base block was tried.
    assert refused < _EACH / 2


def test_counting_agrees_with_reading_on_damaged_hives() -> None:
    rng = random.Random(99)
    seed = make_hive.build(make_hive.small(3))
    agreed = 0
    for _ in range(200):
        data = mutated(seed, rng)
        try:
            assert scan_all(data, []) == scan_all(data, ["key", "name", "value.raw"])
            assert scan_all(data, [], True) == scan_all(data, ["key", "name", "value.raw"], True)
            agreed += 1
        except ReaderError:
            continue
    assert agreed > 50


def test_memory_stays_near_the_size_of_the_file() -> None:
    rng = random.Random(5)
    seed = make_hive.build(make_hive.small(0))
    tracemalloc.start()
    try:
        for _ in range(sample(150, 50)):
            try:
                scan_all(mutated(seed, rng), None)
            except ReaderError:
                continue
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The hive has 45 KB; a forged count or length would ask for gigabytes.
    assert peak < 64 * len(seed)
