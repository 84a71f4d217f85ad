"""A registry hive in memory, seen as little-endian words that numpy can gather at many cell offsets at once.

Contract: ``load`` gives a ``HiveImage`` or raises one ``ReaderError``; everything else that is wrong with a hive is a
``Damage`` report, never an exception. Cell offsets stored in a hive are relative to byte 4096 and a cell begins with
its own size; all offsets that leave this module are absolute positions of a cell's *content* (behind the size field),
validated against the real length of the file. The length the base block states is not used: hives with a wrong one and
hives with trailing garbage are common, and every cell behind it is still readable.

Format: libyal, "Windows NT Registry File (REGF) format"; M. Suhanov, "Windows registry file format specification".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from udfs.readers.base import LossSink, ReadContext, ReaderError, check_cancelled

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

BASE = 4096
"""Size of the base block; stored cell offsets count from here."""
NONE = 0xFFFFFFFF
"""Stored offset that means "no cell"."""
NK = 0x6B6E
VK = 0x6B76
DB = 0x6264
_MAX_BYTES = (1 << 31) - (1 << 16)  # stable cells end below 2 GiB: the top bit of an offset marks volatile storage
_PAD = 256
_CHUNK = 8 << 20
_REPORTS = 200


class Damage:
    """Turns arrays of damaged places into ledger entries: exact positions for the first ones, then one with the rest.

    A mutated list may hold 65,535 bad references; two hundred positions are enough to look at, the count is exact.
    """

    def __init__(self, loss: LossSink, source: str) -> None:
        self._loss = loss
        self._source = source
        self._left: dict[str, int] = {}

    def at(self, reason: str, positions: I64) -> None:
        """One loss for each absolute byte offset in ``positions``."""
        left = self._left.get(reason, _REPORTS)
        for position in positions[:left].tolist():
            self._loss.lost(self._source, reason, 1, position, None)
        rest = len(positions) - left
        if rest > 0:
            self._loss.lost(self._source, reason, rest, int(positions[left]), None)
        self._left[reason] = max(0, left - len(positions))

    def one(self, reason: str, position: int, count: int = 1, sample: str | None = None) -> None:
        """A single loss."""
        self._loss.lost(self._source, reason, count, position, sample)


@dataclass(frozen=True)
class HiveImage:
    """The bytes of one hive. ``data`` is zero-padded to whole words and beyond, ``size`` is the real length."""

    source: str
    size: int
    data: U8
    words: U32
    halves: U16
    root: int
    """Absolute content offset of the root key's nk; -1 when the file holds none (a transaction log)."""
    minor: int

    def content(self, offsets: U32 | I64, need: int) -> I64:
        """Absolute content positions of stored cell offsets; -1 where ``need`` bytes of content are not in the file.

        Offsets that are no multiple of 4 are damage: Windows allocates cells in units of 8.
        """
        at = offsets.astype(np.int64) + (BASE + 4)
        at[((at & 3) != 0) | (at < BASE + 4) | (at + need > self.size)] = -1
        return at

    def room(self, at: I64) -> I64:
        """Bytes of content of the cells at valid positions ``at``: by the cell's size, at most to the end of the file.

        A size field that cannot be right (below 8) bounds nothing: the end of the file does.
        """
        raw = self.words[(at - 4) >> 2].view(np.int32).astype(np.int64)
        sizes = np.abs(raw) - 4
        end = self.size - at
        result: I64 = np.where((sizes < 4) | (sizes > end), end, sizes)
        return result

    def word(self, at: I64, offset: int) -> U32:
        """The 32-bit word ``offset`` bytes into each content; ``offset`` is a multiple of 4."""
        picked: U32 = self.words[(at + offset) >> 2]
        return picked


def from_bytes(source: str, raw: U8, size: int) -> HiveImage:
    """An image over ``raw`` (``size`` real bytes, the rest zero padding). ReaderError ``not-a-hive``, ``truncated``."""
    head = raw[: min(size, BASE)].tobytes()
    _check_head(source, head, size)
    words = raw.view(np.uint32)
    bare = HiveImage(source, size, raw, words, raw.view(np.uint16), -1, int(words[6]))
    root = _root(bare, int(words[9]))
    if root < 0 and not 1 <= int(words[7]) <= 6:
        raise ReaderError(f"{source} is a damaged registry hive: its root key cannot be read", source, "damaged-hive")
    return HiveImage(source, size, raw, words, bare.halves, root, bare.minor)


def _check_head(source: str, head: bytes, size: int) -> None:
    if size == 0:
        raise ReaderError(f"{source} is empty: not a registry hive", source, "not-a-hive")
    if not head.strip(b"\0"):
        raise ReaderError(f"{source} begins with zeros only: not a registry hive", source, "not-a-hive")
    if not head.startswith(b"regf"):
        raise ReaderError(f"{source} is not a registry hive: it does not begin with 'regf'", source, "not-a-hive")
    if size < BASE + 36:
        raise ReaderError(
            f"{source} is truncated: a registry hive has at least {BASE + 36} bytes, this file {size}",
            source,
            "truncated",
        )


def _root(image: HiveImage, stored: int) -> int:
    at = image.content(np.array([stored], dtype=np.int64), 76)
    if at[0] >= 0 and int(image.word(at, 0)[0]) & 0xFFFF == NK:
        return int(at[0])
    # The base block names no key. The root is still recognisable: it is the one nk with the hive-entry flag (4).
    marks = image.words[(BASE + 4) >> 2 : max(image.size - 76, 0) >> 2]
    found = np.flatnonzero((marks & 0x0004FFFF) == (0x00040000 | NK))
    return int(found[0]) * 4 + BASE + 4 if len(found) else -1


def load(raw: BinaryIO, source: str, context: ReadContext) -> tuple[U8, int]:
    """All bytes of an open file in a zero-padded array, and their number. Polls ``context.cancelled``.

    What lies behind 2 GiB cannot belong to a hive; it is a ``beyond-2-gib`` loss.
    """
    size = raw.seek(0, 2)
    raw.seek(0)
    if size > _MAX_BYTES:
        context.loss.lost(source, "beyond-2-gib", size - _MAX_BYTES, _MAX_BYTES)
        size = _MAX_BYTES
    data = np.zeros(_padded(size), dtype=np.uint8)
    view = memoryview(data.data)
    done = 0
    while done < size:
        check_cancelled(context)
        piece = raw.read(min(_CHUNK, size - done))
        if not piece:
            break
        view[done : done + len(piece)] = piece
        done += len(piece)
    return data, done


def _padded(size: int) -> int:
    return (size + 7) // 8 * 8 + _PAD


def grown(data: U8, size: int) -> U8:
    """``data`` with room for ``size`` bytes and the padding (transaction logs may enlarge a hive)."""
    if _padded(size) <= len(data):
        return data
    bigger = np.zeros(_padded(size), dtype=np.uint8)
    bigger[: len(data)] = data
    return bigger


Cancelled = Callable[[], bool]
