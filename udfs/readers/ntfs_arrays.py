"""numpy values as Arrow arrays without a loop: integers, booleans, FILETIMEs, UTF-16 names.

``valid`` is a boolean array (False = null), its ``bitmap`` where columns share one, or None when nothing is null. All
functions are pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Units = npt.NDArray[np.uint16]

TIMESTAMP = pa.timestamp("us", tz="UTC")
_EPOCH_US = 11_644_473_600_000_000
"""Microseconds from 1601-01-01 to 1970-01-01."""
_WIDTHS = {1: pa.int8(), 2: pa.int16(), 4: pa.int32(), 8: pa.int64()}


def bitmap(valid: Flags | pa.Buffer | None) -> pa.Buffer | None:
    """Arrow's validity bits; None when all are valid. A buffer is taken as the bits."""
    if valid is None or isinstance(valid, pa.Buffer):
        return valid
    if bool(valid.all()):
        return None
    return pa.py_buffer(np.packbits(valid, bitorder="little"))


def primitive(values: npt.NDArray[Any], type_: pa.DataType, valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """Fixed-width array over the memory of ``values``, whose item size must be that of ``type_``."""
    values = np.ascontiguousarray(values)
    return pa.Array.from_buffers(type_, len(values), [bitmap(valid), pa.py_buffer(values)])


def int64(values: npt.NDArray[Any], valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """64-bit signed integers."""
    return primitive(values.astype(np.int64, copy=False), pa.int64(), valid)


def int32(values: npt.NDArray[Any], valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """32-bit signed integers."""
    return primitive(values.astype(np.int32, copy=False), pa.int32(), valid)


def uint64(values: npt.NDArray[Any], valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """64-bit unsigned integers (file references use all bits)."""
    return primitive(values.view(np.uint64), pa.uint64(), valid)


def booleans(values: Flags, valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """Booleans."""
    bits = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [bitmap(valid), bits])


def filetimes(ticks: Ints, valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """FILETIME (100 ns since 1601, read as signed) to microsecond instants; 0 means *never* and gives null."""
    if not ticks.all():
        present = ticks != 0
        if isinstance(valid, pa.Buffer):
            valid = np.unpackbits(np.frombuffer(valid, np.uint8), count=len(ticks), bitorder="little").view(np.bool_)
        valid = present if valid is None else present & valid
    microseconds = ticks // 10
    microseconds -= _EPOCH_US
    return primitive(microseconds, TIMESTAMP, valid)


def offsets_of(lengths: npt.NDArray[Any]) -> Ints:
    """Running sums with a leading 0: where each piece begins, and the total at the end."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return ends


def ragged(starts: Ints, lengths: Ints, ends: Ints) -> Ints:
    """Indexes of all items of pieces that begin at ``starts``; ``ends`` = ``offsets_of(lengths)``."""
    found = np.repeat(starts - ends[:-1], lengths)
    found += np.arange(len(found), dtype=np.int64)
    return found


def strings(units: Units, starts: Ints, lengths: Ints, valid: Flags | pa.Buffer | None = None) -> pa.Array:
    """UTF-16 pieces of ``units`` (code units) as an Arrow string array.

    Lone surrogates, legal in NTFS names, become U+FFFD. Pieces that are not valid must have length 0.
    """
    ends = offsets_of(lengths)
    text = units.take(ragged(starts, lengths, ends))
    wide = np.flatnonzero(text >= 0x80)
    if not len(wide):
        data, where = text.astype(np.uint8), ends
    else:
        more = offsets_of(_utf8_extra(text, wide, ends))
        where = ends + more[np.searchsorted(wide, ends)]
        data = np.frombuffer(text.astype("<u2", copy=False).tobytes().decode("utf-16-le").encode(), np.uint8)
    buffers = [bitmap(valid), pa.py_buffer(where.astype(np.int32)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(lengths), buffers)


def _utf8_extra(text: Units, wide: Ints, ends: Ints) -> npt.NDArray[np.uint8]:
    """UTF-8 bytes beyond one of the code units at ``wide``, a surrogate counting half its pair.

    Replaces lone surrogates in ``text``.
    """
    units = text[wide]
    extra = (units >= 0x800).astype(np.uint8)
    extra += 1
    surrogates = np.flatnonzero((units & 0xF800) == 0xD800)
    if len(surrogates):
        at = wide[surrogates]
        high = (text[at] & 0x0400) == 0
        # A high one at the end of a name and a low one at the start of the next are no pair.
        begins = np.zeros(len(text) + 1, np.bool_)
        begins[ends] = True
        follows = np.zeros(len(at), np.bool_)
        follows[:-1] = (at[1:] == at[:-1] + 1) & high[:-1] & ~high[1:] & ~begins[at[1:]]
        paired = follows.copy()
        paired[1:] |= follows[:-1]
        text[at[~paired]] = 0xFFFD
        extra[surrogates[paired]] = 1
    return extra


def constant(value: str, rows: int) -> pa.Array:
    """``rows`` times the same string."""
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def raw(array: pa.Array, kind: npt.DTypeLike) -> npt.NDArray[Any]:
    """The memory of a fixed-width array as numpy, nulls holding whatever lies there."""
    values = np.frombuffer(array.buffers()[1], kind)
    return values[array.offset : array.offset + len(array)]


def flags_of(array: pa.Array) -> Flags:
    """A boolean array without nulls as numpy."""
    bits = np.frombuffer(array.buffers()[1], np.uint8)
    return np.unpackbits(bits, bitorder="little")[array.offset : array.offset + len(array)].view(np.bool_)
