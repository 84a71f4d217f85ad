"""Bulk decoding: many byte ranges of one buffer to Arrow strings, without a Python object a string.

``gather`` copies ranges into one contiguous buffer (in Arrow's C++: about 0.1 us a range); the decoders
look at that buffer as a whole. Text is almost always ASCII, where Latin-1 needs no work and UTF-16 only drops every
other byte; what is not ASCII is decoded by Python's codecs in one call for the whole buffer, and only the non-ASCII
positions are looked at to find how many bytes each string grew.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from udfs.readers.hive.image import I64, U8, U16, Mask

_INLINE = 12
_NO_U8: U8 = np.zeros(0, dtype=np.uint8)


@dataclass(frozen=True)
class Strings:
    """UTF-8 (or raw) bytes of n strings laid end to end and their n lengths."""

    data: U8
    lengths: I64


def gather(data: U8, start: I64, length: I64) -> U8:
    """The bytes ``data[start[i] : start[i] + length[i]]`` of every i, end to end. Ranges must lie inside ``data``.

    The ranges are written as Arrow string views (16 bytes each: length, then up to 12 bytes of text, or a prefix that
    the cast does not read, a buffer number and an offset); casting views to binary is one memcpy a range in C++.
    """
    if len(start) == 0:
        return _NO_U8
    views = np.zeros((len(start), 4), dtype=np.uint32)
    views[:, 0] = length
    views[:, 3] = start
    short = np.flatnonzero(length <= _INLINE)
    if len(data) < _INLINE:
        data = np.concatenate([data, np.zeros(_INLINE, dtype=np.uint8)])
    windows = np.lib.stride_tricks.as_strided(data, (len(data) - _INLINE + 1, _INLINE), (1, 1), writeable=False)
    # A short range near the end of the buffer would read past it: move the window back and shift.
    begin = np.minimum(start[short], len(windows) - 1)
    near_end = np.flatnonzero((begin < start[short]) & (length[short] > 0))
    inline = windows[begin]
    for row in near_end.tolist():
        at = int(start[short[row]])
        inline[row, : len(data) - at] = data[at:]
    views.view(np.uint8)[short, 4:] = inline
    array = pa.Array.from_buffers(pa.binary_view(), len(start), [None, pa.py_buffer(views), pa.py_buffer(data)])
    packed = array.cast(pa.binary()).buffers()[2]
    return _NO_U8 if packed is None else np.frombuffer(packed, dtype=np.uint8, count=int(length.sum()))


def ends(lengths: I64) -> I64:
    """n + 1 offsets of ranges laid end to end."""
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def latin1(data: U8, start: I64, length: I64) -> Strings:
    """Ranges of one-byte characters ("compressed" names: Latin-1, not the ANSI code page, not UTF-8)."""
    packed = gather(data, start, length)
    if len(packed) == 0 or packed.max() < 0x80:
        return Strings(packed, length)
    high = np.flatnonzero(packed >= 0x80)
    grown = length + _count(ends(length), high)
    text = packed.tobytes().decode("latin-1").encode()
    return Strings(np.frombuffer(text, dtype=np.uint8), grown)


def utf16(data: U8, start: I64, length: I64) -> Strings:
    """Ranges of UTF-16LE; an odd last byte is ignored, a lone surrogate becomes U+FFFD."""
    even = length & ~1
    return utf8_of(gather(data, start, even).view(np.uint16), even >> 1)


def utf8_of(units: U16, lengths: I64) -> Strings:
    """UTF-16 code units of n strings end to end, to UTF-8."""
    if len(units) == 0:
        return Strings(_NO_U8, lengths)
    if units.max() < 0x80:
        return Strings(units.astype(np.uint8), lengths)
    offsets = ends(lengths)
    high = np.flatnonzero(units >= 0x80)
    extra = np.where(units[high] < 0x800, 1, 2)
    surrogate = high[(units[high] & 0xF800) == 0xD800]
    if len(surrogate):
        units, paired = _mend(units, surrogate, offsets)
        # A pair is four bytes for two units: each unit one byte more than the one already counted for it.
        extra[np.isin(high, paired)] = 1
    grown = lengths + _count(offsets, high, extra)
    text = units.tobytes().decode("utf-16-le").encode()
    return Strings(np.frombuffer(text, dtype=np.uint8), grown)


def _mend(units: U16, surrogate: I64, offsets: I64) -> tuple[U16, I64]:
    """Units with every lone surrogate replaced by U+FFFD, and the positions of the units that form pairs."""
    owner = np.searchsorted(offsets, surrogate, side="right")
    is_high = units[surrogate] < 0xDC00
    joined = np.zeros(len(surrogate), dtype=np.bool_)
    joined[:-1] = is_high[:-1] & ~is_high[1:] & (surrogate[1:] == surrogate[:-1] + 1) & (owner[1:] == owner[:-1])
    paired = joined.copy()
    paired[1:] |= joined[:-1]
    mended = units.copy()
    mended[surrogate[~paired]] = 0xFFFD
    return mended, surrogate[paired]


def _count(offsets: I64, positions: I64, weights: I64 | None = None) -> I64:
    owner = np.searchsorted(offsets, positions, side="right") - 1
    return np.bincount(owner, weights, len(offsets) - 1).astype(np.int64)


def bits(mask: Mask) -> pa.Array:
    """Arrow validity buffer."""
    return pa.py_buffer(np.packbits(mask, bitorder="little"))


def indices(places: I64) -> pa.Array:
    """Arrow int64 array over the same memory; ``pa.array`` looks for pandas at every call, which costs small hives."""
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(np.ascontiguousarray(places))])


def array(strings: Strings, kind: pa.DataType, rows: Mask | None = None) -> pa.Array:
    """Arrow array of ``kind`` (string or binary); with ``rows``, the strings fill its true places, the rest is null."""
    lengths = strings.lengths
    if rows is not None:
        lengths = np.zeros(len(rows), dtype=np.int64)
        lengths[rows] = strings.lengths
    offsets = pa.py_buffer(ends(lengths).astype(np.int32))
    validity = None if rows is None else bits(rows)
    return pa.Array.from_buffers(kind, len(lengths), [validity, offsets, pa.py_buffer(strings.data)])


def names(data: U8, start: I64, length: I64, wide: Mask) -> pa.Array:
    """Arrow strings of key or value names; ``wide`` marks those stored as UTF-16LE, the others are Latin-1."""
    if not wide.any():
        return array(latin1(data, start, length), pa.string())
    narrow = ~wide
    parts = [
        array(latin1(data, start[narrow], length[narrow]), pa.string()),
        array(utf16(data, start[wide], length[wide]), pa.string()),
    ]
    return merge(parts, wide)


def merge(parts: list[pa.Array], second: Mask) -> pa.Array:
    """One array out of two: rows where ``second`` is true come from ``parts[1]``, the others from ``parts[0]``."""
    place = np.empty(len(second), dtype=np.int64)
    place[~second] = np.arange(len(parts[0]))
    place[second] = np.arange(len(parts[1])) + len(parts[0])
    return pa.concat_arrays(parts).take(indices(place))
