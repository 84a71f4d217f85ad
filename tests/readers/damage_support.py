"""Random damage: mutations of small files, and the harness that says whether a reader survives them."""

from __future__ import annotations

import faulthandler
import random
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from udfs.readers.base import ListLoss, Reader, ReaderError, null_context

_NUMBERS = (0, 1, 8, 16, 24, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFF8, 0xFFFFFFFF)
_STANDSTILL = 300
"""Seconds 500 scans may take, on however busy a machine, before the process is ended with a traceback."""


@dataclass(frozen=True)
class Kind:
    """What is damaged: ``make`` opens a file, ``seeds`` are the sound files, ``most_rows`` bounds a result by its size.

    ``finish`` turns a mutated seed into the file that is read, for example with its checksums put right.
    """

    make: Callable[[str], Reader]
    seeds: Callable[[], list[bytes]]
    most_rows: Callable[[int], int]
    finish: Callable[[bytes], bytes] = bytes


@dataclass
class Outcome:
    """Files that were read, those of them with rows and with ledger entries; how often each refusal was given."""

    read: int = 0
    with_rows: int = 0
    damaged: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def mutate(data: bytes, dice: random.Random) -> bytes:
    """One damaged copy: flipped bits, interesting numbers, zeroed or copied stretches, a cut end."""
    made = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        if not made:
            break
        at = dice.randrange(len(made))
        kind = dice.randrange(9)
        if kind == 0:
            made[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            made[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            made[at & ~3 : (at & ~3) + 4] = dice.choice(_NUMBERS).to_bytes(4, "little")
        elif kind == 3:
            size = dice.randrange(1, 64)
            made[at : at + size] = bytes(len(made[at : at + size]))
        elif kind == 4:
            other = dice.randrange(len(made))
            size = dice.randrange(1, 256)
            made[at : at + size] = made[other : other + size]
        elif kind == 5:
            if dice.random() < 0.3:
                del made[at:]
        elif kind == 6:
            made[at & ~7 : (at & ~7) + 8] = dice.randbytes(8)
        elif kind == 7:
            # Counts, offsets and sizes are two bytes in either order; one more or less is what off-by-one errors need.
            order = dice.choice(("little", "big"))
            number = int.from_bytes(made[at & ~1 : (at & ~1) + 2], order) + dice.choice((-1, 1, 2, 8, 512))
            made[at & ~1 : (at & ~1) + 2] = (number & 0xFFFF).to_bytes(2, order)
        else:
            made[at & ~1 : (at & ~1) + 2] = dice.randrange(len(data)).to_bytes(4, "little")[:2]
    return bytes(made)


def survive(kind: Kind, rounds: int, folder: Path, shard: int = 0) -> Outcome:
    """Scan ``rounds`` damaged copies of the seeds: only ReaderError may come out, quickly, and of sane size.

    Every tenth result is validated as Arrow. A failure names the file it left behind in ``folder``.
    """
    import resource  # POSIX alone has it; the makers of damage work everywhere

    dice = random.Random(20240311 + shard)
    path = folder / "damaged"
    found = Outcome()
    seeds = kind.seeds()
    slowest = 0.0
    sentences: set[str] = set()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Overwritten in place: creating it anew twenty thousand times makes some file systems wait for the disk each time.
    with warnings.catch_warnings(), open(path, "wb", buffering=0) as file:
        warnings.simplefilter("error")
        for nth in range(rounds):
            if nth % 500 == 0:
                # A library that loops holds the interpreter: without this the whole run would stand still.
                faulthandler.dump_traceback_later(_STANDSTILL, exit=True)
            data = kind.finish(mutate(dice.choice(seeds), dice))
            file.seek(0)
            file.write(data)
            file.truncate()
            loss = ListLoss()
            began = time.process_time()
            try:
                batches = list(kind.make(str(path)).scan(None, null_context(loss)))
            except ReaderError as problem:
                found.refused[problem.code] += 1
                sentences.add(str(problem))
                continue
            finally:
                slowest = max(slowest, time.process_time() - began)
            found.read += 1
            found.damaged += bool(loss.entries)
            rows = sum(batch.num_rows for batch in batches)
            found.with_rows += rows > 0
            assert rows <= kind.most_rows(len(data)), f"round {nth}"
            if nth % 10 == 0:
                for batch in batches:
                    batch.validate(full=True)
    faulthandler.cancel_dump_traceback_later()
    assert [text for text in sentences if not (text.isprintable() and 10 < len(text) <= 1000)][:3] == []
    # Not a speed test: a scan of a few kilobytes that works this long loops. Processor time, because a busy disk may
    # hold up any scan; one that waits for ever is ended by the traceback above.
    assert slowest < 10
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 600 * 1024, f"memory grew by {grown // 1024} MiB"
    return found
