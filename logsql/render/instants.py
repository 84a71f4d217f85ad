"""Instants as wall-clock text in a zone, for whole Arrow columns.

``instant_text`` prints ``yyyy-MM-dd HH:mm:ss+ZZZZ`` (decisions 17; the fraction stays in Parquet and Arrow output). It
works on integers, not on Python datetimes: evidence holds dates such as the year 30828 (the largest Windows file time)
that ``datetime`` cannot hold. Offsets come from ``zoneinfo``, looked up once per year and zone, so no system library
with its own zone files is needed. Rule for years ``zoneinfo`` cannot reach: the Gregorian calendar repeats every 400
years, weekdays included, so a later year has the daylight-saving days of the year 400 n years before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from udfs.java.zones import as_zone

Ints = npt.NDArray[np.int64]

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_CYCLE = 146_097 * 86_400  # seconds of 400 Gregorian years
_FIRST = -62_135_596_800  # 0001-01-01
_LAST = 253_402_300_799  # 9999-12-31
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: What Arrow's own text conversion covers; 64-bit microseconds reach ten times further.
_ARROW_FIRST, _ARROW_LAST = -1_096_193_779_200, 971_890_963_199
_INFINITE = np.iinfo(np.int64).max


def zone_of(name: str) -> tzinfo:
    """The zone of an Arrow type: an ID, or an offset such as ``+09:00``. Unknown names raise LookupError."""
    if name[:1] in "+-" and len(name) >= 5:
        digits = name[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:4]))
        return timezone(-offset if name[0] == "-" else offset)
    return as_zone(name)


@lru_cache(maxsize=4096)
def _year_offsets(zone: str, year: int) -> tuple[Ints, Ints]:
    """(starts, offsets) in seconds for one calendar year (UTC) between 1 and 9999: exact to the second."""
    rules = zone_of(zone)
    first = int((datetime(year, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds())
    days = 366 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 365
    starts, offsets = [first], [_offset(rules, first)]
    for day in range(1, days + 1):
        moment = min(first + day * 86_400, _LAST)
        offset = _offset(rules, moment)
        if offset != offsets[-1]:
            starts.append(_change(rules, moment - 86_400, moment, offsets[-1]))
            offsets.append(offset)
    return np.array(starts, np.int64), np.array(offsets, np.int64)


def _offset(rules: tzinfo, moment: int) -> int:
    """UTC offset in seconds. The first and last day of the calendar are asked inside it (zoneinfo adds the offset)."""
    safe = min(max(moment, _FIRST + 86_400), _LAST - 86_400)
    return int((rules.utcoffset((_EPOCH + timedelta(seconds=safe)).astimezone(rules)) or timedelta(0)).total_seconds())


def _change(rules: tzinfo, low: int, high: int, before: int) -> int:
    """First second in (low, high] whose offset is not ``before``."""
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(rules, middle) == before:
            low = middle
        else:
            high = middle
    return high


def offsets(seconds: Ints, zone: str) -> Ints:
    """UTC offset in seconds of every instant (seconds since 1970)."""
    folded = np.where(seconds > _LAST, (seconds - _LAST - 1) % _CYCLE + _LAST + 1 - _CYCLE, seconds)
    folded = np.maximum(folded, _FIRST)
    years = folded.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
    out = np.empty(len(seconds), np.int64)
    for year in np.unique(years):
        chosen = years == year
        starts, values = _year_offsets(zone, int(year))
        out[chosen] = values[np.searchsorted(starts, folded[chosen], side="right") - 1]
    return out


def wall_text(seconds: Ints) -> pa.Array:
    """``yyyy-MM-dd HH:mm:ss`` of seconds since 1970-01-01 00:00:00 on the same clock; any 64-bit value prints."""
    inside = (seconds >= _ARROW_FIRST) & (seconds <= _ARROW_LAST)
    if inside.all():
        return pa.array(seconds, pa.int64()).cast(pa.timestamp("s")).cast(pa.string())
    text = wall_text(np.where(inside, seconds, 0)).to_pylist()
    for position in np.flatnonzero(~inside):
        text[position] = _far_text(int(seconds[position]))
    return pa.array(text, pa.string())


def _far_text(seconds: int) -> str:
    """One instant outside Arrow's range: moved into 1970..2369 by whole 400-year cycles, which change the year only."""
    cycles, rest = divmod(seconds, _CYCLE)
    near = datetime(1970, 1, 1) + timedelta(seconds=rest)
    return f"{near.year + 400 * cycles:05d}{near:-%m-%d %H:%M:%S}"


def _offset_text(values: Ints) -> pa.Array:
    """``+0900``; seconds of historic offsets are cut, as Java's ``Z`` does."""
    distinct, positions = np.unique(values, return_inverse=True)
    names = [f"{'-' if v < 0 else '+'}{abs(v) // 3600:02d}{abs(v) % 3600 // 60:02d}" for v in distinct.tolist()]
    return pa.array(names, pa.string()).take(pa.array(positions.reshape(-1)))


def instant_text(column: pa.Array) -> pa.Array:
    """Text of a timestamp column: with a zone ``2011-02-19 14:34:06+0900``, without one ``2011-02-19 14:34:06``.

    ``column``: timestamp of any unit; the zone of its type decides. Null stays null; DuckDB's infinities (the largest
    and smallest integer) print as ``infinity`` and ``-infinity``.
    """
    raw = column.cast(pa.int64())
    counts = pc.fill_null(raw, 0).to_numpy(zero_copy_only=False)
    seconds = counts // _UNITS[column.type.unit]
    if column.type.tz is None:
        text = wall_text(seconds)
    else:
        shift = offsets(seconds, column.type.tz)
        text = pc.binary_join_element_wise(wall_text(seconds + shift), _offset_text(shift), "")
    endless = np.abs(np.maximum(counts, -_INFINITE)) == _INFINITE
    if endless.any():
        names = pa.array(np.where(counts > 0, "infinity", "-infinity").tolist(), pa.string())
        text = pc.if_else(pa.array(endless), names, text)
    return pc.if_else(raw.is_valid(), text, pa.scalar(None, pa.string())) if raw.null_count else text


def iso_text(column: pa.Array, zone: str) -> pa.Array:
    """Text of a timestamp column with milliseconds and the offset of a zone: ``2026-01-02T03:04:05.678+09:00``.

    Without a zone of its own a column is printed as it stands, without an offset. Milliseconds are cut, not rounded.
    Null stays null; DuckDB's infinities print as ``infinity`` and ``-infinity``.
    """
    unit = _UNITS[column.type.unit]
    raw = column.cast(pa.int64())
    counts = pc.fill_null(raw, 0).to_numpy(zero_copy_only=False)
    seconds, below = counts // unit, counts % unit
    shift = offsets(seconds, zone) if column.type.tz is not None else np.zeros(len(seconds), np.int64)
    thousandths = below // (unit // 1000) if unit >= 1000 else np.zeros(len(seconds), np.int64)
    wall = pc.binary_replace_slice(wall_text(seconds + shift).cast(pa.binary()), -9, -8, b"T").cast(pa.string())
    text = pc.binary_join_element_wise(wall, pc.utf8_lpad(pa.array(thousandths).cast(pa.string()), 3, "0"), ".")
    if column.type.tz is not None:
        sign = _offset_text(shift)
        colon = pc.binary_join_element_wise(
            pc.utf8_slice_codeunits(sign, 0, 3), pc.utf8_slice_codeunits(sign, 3, 5), ":"
        )
        text = pc.binary_join_element_wise(text, colon, "")
    endless = np.abs(np.maximum(counts, -_INFINITE)) == _INFINITE
    if endless.any():
        names = pa.array(np.where(counts > 0, "infinity", "-infinity").tolist(), pa.string())
        text = pc.if_else(pa.array(endless), names, text)
    return pc.if_else(raw.is_valid(), text, pa.scalar(None, pa.string())) if raw.null_count else text
