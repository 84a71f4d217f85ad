"""Transaction logs: what Windows had promised to write into a hive and had not yet written.

``apply_logs`` changes a dirty hive (its two sequence numbers differ, or its base block's checksum is wrong) to what
Windows would see after recovery. Two log formats:

* new (Windows 8.1 and later): entries ``HvLE`` on 512-byte boundaries, each guarded by two Marvin32 hashes, holding
  whole pages; both logs together are one sequence, applied from the hive's secondary number on, up to the first gap
  or bad hash.
* old: one bitmap of dirty 512-byte sectors (``DIRT``) and the sectors.

Format: M. Suhanov, "Windows registry file format specification"; Marvin32: N. Ferguson, US patent 8,555,057.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

import numpy as np

from udfs.readers.base import ReadContext, ReaderError
from udfs.readers.hive.image import BASE, U8, grown, load
from udfs.readers.sources import Member, open_random, open_zip

_SUFFIXES = (".log1", ".log2", ".log")
_SECTOR = 512
_SEED = 0x82EF4D887A4E55C5
_HEAD = struct.Struct("<4sIIIIIQQ")
_MAX_GROWTH = 1 << 31


@dataclass(frozen=True)
class _Log:
    name: str
    data: bytes
    new: bool


@dataclass(frozen=True)
class _Entry:
    log: _Log
    at: int
    sequence: int
    hive_size: int
    pages: tuple[tuple[int, int], ...]
    data_at: int


def checksum(block: bytes) -> int:
    """Checksum of a base block: XOR of its first 127 words; 0 and 0xFFFFFFFF are stored as their neighbours."""
    value = int(np.bitwise_xor.reduce(np.frombuffer(block[:508], dtype="<u4")))
    return 1 if value == 0 else 0xFFFFFFFE if value == 0xFFFFFFFF else value


def marvin32(data: bytes, seed: int = _SEED) -> int:
    """64-bit Marvin32 of ``data``; the seed is the registry's own constant."""
    low, high = seed & 0xFFFFFFFF, seed >> 32
    whole = len(data) & ~3
    rest = data[whole:] + b"\x80"
    words = [*struct.unpack(f"<{whole >> 2}I", data[:whole]), int.from_bytes(rest.ljust(4, b"\0"), "little"), 0]
    for word in words:
        low = (low + word) & 0xFFFFFFFF
        high ^= low
        low = (((low << 20) | (low >> 12)) + high) & 0xFFFFFFFF
        high = ((high << 9) | (high >> 23)) & 0xFFFFFFFF ^ low
        low = (((low << 27) | (low >> 5)) + high) & 0xFFFFFFFF
        high = ((high << 19) | (high >> 13)) & 0xFFFFFFFF
    return (high << 32) | low


def apply_logs(source: str | Member, data: U8, size: int, context: ReadContext) -> tuple[U8, int]:
    """The hive after recovery and its size; unchanged when it is clean. ``data`` is changed in place.

    Losses: ``no-transaction-log`` (dirty, but no usable log beside it), ``log-entry-damaged``, ``log-gap``.
    """
    name = source if isinstance(source, str) else source.name
    block = data[:_SECTOR].tobytes()
    if size < BASE or not block.startswith(b"regf"):
        return data, size
    first, second = struct.unpack_from("<II", block, 4)
    sound = checksum(block) == struct.unpack_from("<I", block, 508)[0]
    if sound and first == second:
        return data, size
    found = [log for log in _logs(source, context) if log is not None]
    if not found:
        context.loss.lost(name, "no-transaction-log", 0, 4, "the hive is dirty and no usable log lies beside it")
        return data, size
    if not sound:
        data[:_SECTOR] = np.frombuffer(found[0].data[:_SECTOR], dtype=np.uint8)
        data[28:32] = 0
        second = 0
    newer = [log for log in found if log.new]
    if newer:
        return _apply_new(newer, second, data, size, context)
    return _apply_old(found, first, data, size, context)


def _logs(source: str | Member, context: ReadContext) -> list[_Log | None]:
    logs = []
    for place in _places(source, context):
        name = place if isinstance(place, str) else place.name
        try:
            with open_random(place, context) as raw:
                data, size = load(raw, name, context)
        except ReaderError as problem:
            context.loss.lost(name, problem.code, 1, None, str(problem))
            continue
        logs.append(_log(name, data[:size].tobytes(), context))
    return logs


def _log(name: str, data: bytes, context: ReadContext) -> _Log | None:
    if not data.strip(b"\0"):
        return None  # Windows creates LOG2 empty and fills it only after a failed write: nothing is missing
    kind = struct.unpack_from("<I", data, 28)[0] if len(data) >= _SECTOR else 0
    good = data.startswith(b"regf") and kind in (1, 2, 6) and checksum(data) == struct.unpack_from("<I", data, 508)[0]
    if not good:
        context.loss.lost(name, "damaged-log", 1, 0, "not the base block of a transaction log")
        return None
    return _Log(name, data, kind == 6)


def _places(source: str | Member, context: ReadContext) -> list[str | Member]:
    """The logs beside a hive; Windows writes ``NTUSER.DAT`` but ``ntuser.dat.LOG1``, so case is ignored."""
    places: list[str | Member] = []
    if isinstance(source, str):
        folder, own = os.path.split(source)
        try:
            names = os.listdir(folder or ".")
        except OSError:
            return []
        by_name = {name.lower(): name for name in names}
        for suffix in _SUFFIXES:
            if (name := by_name.get(own.lower() + suffix)) is not None:
                places.append(os.path.join(folder, name))
        return places
    with open_zip(source.zip_path, context, source.charset) as archive:
        by_name = {name.lower(): name for name in archive.namelist()}
    for suffix in _SUFFIXES:
        if (name := by_name.get(source.entry.lower() + suffix)) is not None:
            places.append(Member(source.zip_path, name, source.charset))
    return places


def _apply_new(logs: list[_Log], start: int, data: U8, size: int, context: ReadContext) -> tuple[U8, int]:
    entries: dict[int, _Entry] = {}
    for log in logs:
        for entry in _entries(log, context):
            if entry.sequence >= start:
                entries.setdefault(entry.sequence, entry)
    previous: int | None = None
    for sequence in sorted(entries):
        entry = entries[sequence]
        if previous is not None and sequence != previous + 1:
            context.loss.lost(entry.log.name, "log-gap", len([s for s in entries if s >= sequence]), entry.at)
            break
        previous = sequence
        # Size and contents change together: an entry may enlarge the hive and fill the new pages.
        end = max(BASE + entry.hive_size, *(BASE + at + length for at, length in entry.pages), BASE)
        data = grown(data, end)
        size = max(size, BASE + entry.hive_size)
        taken = entry.data_at
        for at, length in entry.pages:
            piece = np.frombuffer(entry.log.data, dtype=np.uint8, count=length, offset=taken)
            data[BASE + at : BASE + at + length] = piece
            taken += length
    return data, size


def _entries(log: _Log, context: ReadContext) -> list[_Entry]:
    """The sound entries of a log, up to the first that is not; remnants of an older use follow there."""
    found: list[_Entry] = []
    at = _SECTOR
    while at + _HEAD.size <= len(log.data):
        mark, length, _, sequence, hive_size, count, hash1, hash2 = _HEAD.unpack_from(log.data, at)
        if mark != b"HvLE":
            break
        entry = log.data[at : at + length]
        data_at = 40 + 8 * count
        sound = (
            length % _SECTOR == 0
            and data_at <= len(entry) == length
            and hive_size < _MAX_GROWTH
            and hash2 == marvin32(entry[:32])
            and hash1 == marvin32(entry[40:])
        )
        if not sound:
            # A remnant of an older round with a broken tail is as normal as it is in any ring of records.
            stale = bool(found) and sequence != found[-1].sequence + 1
            context.loss.lost(log.name, "log-entry-damaged", 0 if stale else 1, at)
            break
        pages = tuple(struct.iter_unpack("<II", entry[40:data_at]))
        inside = sum(size for _, size in pages) <= length - data_at
        if not inside or any(offset + size > _MAX_GROWTH for offset, size in pages):
            context.loss.lost(log.name, "log-entry-damaged", 1, at)
            break
        found.append(_Entry(log, at, sequence, hive_size, pages, at + data_at))
        at += length
    return found


def _apply_old(logs: list[_Log], primary: int, data: U8, size: int, context: ReadContext) -> tuple[U8, int]:
    """Old logs hold the sectors of one write. Of several the one with the highest number is the newest."""
    best = max(logs, key=lambda log: struct.unpack_from("<I", log.data, 4)[0])
    first, second = struct.unpack_from("<II", best.data, 4)
    hive_size = struct.unpack_from("<I", best.data, 40)[0]
    if first != second or best.data[_SECTOR : _SECTOR + 4] != b"DIRT" or hive_size >= _MAX_GROWTH:
        context.loss.lost(best.name, "damaged-log", 1, _SECTOR)
        return data, size
    map_at = _SECTOR + 4
    map_bytes = hive_size // _SECTOR // 8
    bitmap = np.frombuffer(best.data[map_at : map_at + map_bytes], dtype=np.uint8)
    dirty = np.flatnonzero(np.unpackbits(bitmap, bitorder="little"))
    taken = (map_at + map_bytes + _SECTOR - 1) // _SECTOR * _SECTOR
    have = (len(best.data) - taken) // _SECTOR
    if have < len(dirty):
        # Half a write would mix two states of the hive; Windows refuses such a log as a whole.
        context.loss.lost(best.name, "damaged-log", 1, taken + max(have, 0) * _SECTOR)
        return data, size
    data = grown(data, BASE + hive_size)
    sectors = np.frombuffer(best.data, dtype=np.uint8, count=len(dirty) * _SECTOR, offset=taken)
    body = data[BASE : BASE + hive_size // _SECTOR * _SECTOR].reshape(-1, _SECTOR)
    body[dirty] = sectors.reshape(-1, _SECTOR)
    return data, max(size, BASE + hive_size)
