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
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from udfs.readers.base import LossSink, ReadContext, ReaderError, check_cancelled

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

HBIN = 0x6E696268
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
    _tails: dict[int, Mask] = field(default_factory=dict, repr=False, compare=False)

    def content(self, offsets: U32 | I64, need: int) -> I64:
        """Absolute content positions of stored cell offsets; -1 where ``need`` bytes of content are not in the file.

        Offsets that are no multiple of 4 are damage (Windows allocates cells in units of 8), and so are those below
        32, where the header of the first bin lies.
        """
        at = offsets.astype(np.int64) + (BASE + 4)
        at[((at & 3) != 0) | (at < BASE + 36) | (at + need > self.size)] = -1
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

    def reach(self, at: I64, need: I64) -> I64:
        """``room``, but a cell too small for the ``need`` bytes it must hold is believed only when its bin confirms it.

        A record that is longer than its cell contradicts the cell's size; one of the two is damaged. A size behind
        which eight more cells follow, or the end of the bin, is right, and the record is cut there. Any other size
        bounds nothing: with one flipped bit in the size of a subkey list the whole subtree would be lost.
        """
        room = self.room(at)
        short = np.flatnonzero(need > room)
        if len(short):
            wrong = short[~self._confirmed(at[short])]
            room[wrong] = self.size - at[wrong]
        return room

    def in_use(self, at: I64) -> Mask:
        """Whether the cells at valid positions ``at`` are allocated: freed cells have a positive size."""
        used: Mask = self.words[(at - 4) >> 2] >= 0x80000000
        return used

    def _confirmed(self, at: I64) -> Mask:
        """Whether the sizes of the cells at ``at`` lead from cell to cell, at the end exactly to that of the bin."""
        starts = BASE + 4096 * np.flatnonzero(self.words[BASE >> 2 : self.size >> 2 : 1024] == HBIN)
        own = np.searchsorted(starts, at, side="right") - 1
        result = np.zeros(len(at), dtype=np.bool_)
        for number in np.unique(own[own >= 0]).tolist():
            start = int(starts[number])
            rows = np.flatnonzero(own == number)
            if start not in self._tails:
                after = int(starts[number + 1]) if number + 1 < len(starts) else None
                self._tails[start] = self._tail(start, after)
            tails = self._tails[start]
            place = at[rows] - 4 - start
            # Behind the last bin lies what no bin confirms.
            inside = ((place & 7) == 0) & (place >> 3 < len(tails))
            result[rows[inside]] = tails[place[inside] >> 3]
        return result

    def _tail(self, start: int, after: int | None) -> Mask:
        """For each 8 bytes of a bin: does a chain of eight cells begin here, or one to exactly where the bin ends?

        ``after``: where the next bin begins. The chains are followed all at once, each step twice as far as the last.
        """
        stated = start + int(self.words[(start + 8) >> 2])
        end = after if after is not None else stated if stated > start and stated & 4095 == 0 else self.size
        units = (min(end, self.size + 7) - start) >> 3
        # 32 bits are enough for the eighths of 2 GiB and keep the work at about twice the bin's size.
        sizes = np.abs(self.words[start >> 2 : (start >> 2) + 2 * units : 2].view(np.int32))
        sound = (sizes >= 8) & ((sizes & 7) == 0)
        ahead = np.arange(units, dtype=np.int32) + (sizes >> 3)
        # Two more places than the bin has: its end, where the last cell of a cut file may hang over, and nowhere.
        ahead[ahead > units] = units if end > self.size else units + 1
        ahead[~sound] = units + 1
        ahead = np.append(ahead, np.array([units, units + 1], dtype=np.int32))
        for _ in range(3):
            ahead = ahead[ahead]
        return np.asarray(ahead[:-1] <= units)

    def word(self, at: I64, offset: int) -> U32:
        """The 32-bit word ``offset`` bytes into each content; ``offset`` is a multiple of 4."""
        picked: U32 = self.words[(at + offset) >> 2]
        return picked


def from_bytes(source: str, raw: U8, size: int) -> HiveImage:
    """An image over ``raw`` (``size`` real bytes, the rest zero padding). ReaderError ``not-a-hive``, ``truncated``."""
    head = raw[: min(size, BASE)].tobytes()
    words = raw.view(np.uint32)
    # Everything but the root's offset can be read without a base block: a first bin is proof enough of a hive.
    bins = size >= BASE + 36 and int(words[BASE >> 2]) == HBIN
    _check_head(source, head, size, bins)
    bare = HiveImage(source, size, raw, words, raw.view(np.uint16), -1, int(words[6]))
    root = _root(bare, int(words[9]))
    if root < 0 and not 1 <= int(words[7]) <= 6:
        raise ReaderError("{path} is a damaged registry hive: its root key cannot be read", source, "damaged-hive")
    return HiveImage(source, size, raw, words, bare.halves, root, bare.minor)


def _check_head(source: str, head: bytes, size: int, bins: bool) -> None:
    if size == 0:
        raise ReaderError("{path} is empty: not a registry hive", source, "not-a-hive")
    if bins:
        return
    if not head.strip(b"\0"):
        raise ReaderError("{path} begins with zeros only: not a registry hive", source, "not-a-hive")
    if not head.startswith(b"regf"):
        raise ReaderError("{path} is not a registry hive: it does not begin with 'regf'", source, "not-a-hive")
    if size < BASE + 36:
        raise ReaderError(
            "{path} is truncated: a registry hive has at least {least} bytes, this file {size}",
            source,
            "truncated",
            least=BASE + 36,
            size=size,
        )


def _root(image: HiveImage, stored: int) -> int:
    at = image.content(np.array([stored], dtype=np.int64), 76)
    if at[0] >= 0 and (int(image.word(at, 0)[0]) & 0xFFFF == NK or _names_parent(image, at)):
        return int(at[0])
    # The base block names no key. The root is still recognisable: it is the one nk with the hive-entry flag (4).
    marks = image.words[(BASE + 4) >> 2 : max(image.size - 76, 0) >> 2]
    found = np.flatnonzero((marks & 0x0004FFFF) == (0x00040000 | NK))
    if len(found):
        return int(found[0]) * 4 + BASE + 4
    return int(at[0]) if at[0] >= 0 and _looks_like_root(image, at) else -1


def _names_parent(image: HiveImage, at: I64) -> bool:
    """Whether the first subkey of what lies at ``at`` names it as its parent: then it is a key, whatever its mark."""
    listed = image.content(image.word(at, 28), 8)
    if int(image.word(at, 20)[0]) == 0 or listed[0] < 0:
        return False
    child = image.content(image.word(listed, 4), 76)
    if child[0] < 0 or int(image.word(child, 0)[0]) & 0xFFFF != NK:
        return False
    return int(image.word(child, 16)[0]) == int(at[0]) - BASE - 4


def _looks_like_root(image: HiveImage, at: I64) -> bool:
    """A key without subkeys and without its mark: the hive-entry flag and a name that its cell can hold."""
    length = int(image.word(at, 72)[0]) & 0xFFFF
    return bool(int(image.word(at, 0)[0]) >> 16 & 4) and 0 < length <= 512 and length + 76 <= int(image.room(at)[0])


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
