"""Transaction logs: what Windows had promised to write into a hive and had not yet written.

``apply_logs`` changes a dirty hive (its two sequence numbers differ, or its base block's checksum is wrong) to what
Windows would see after recovery. Two log formats:

* new (Windows 8.1 and later): entries ``HvLE`` on 512-byte boundaries, each guarded by two Marvin32 hashes, holding
  whole pages. A log's own entries count up from the number in its base block; what follows is left from an older
  round. Both logs together are one sequence, applied from the hive's secondary number on, up to the first gap or bad
  hash. Numbers wrap at 32 bits. When the hive's base block is damaged, only the later log is applied.
* old: one bitmap of dirty 512-byte sectors (``DIRT``) and the sectors. It is applied when it was not written before
  the hive's base block (before its first bin, when the base block is damaged); of two the later one.

The base block of the result is the one of the last log that was applied. Sequence numbers, sizes and times of logs
that do not belong to the hive are told in the ledger, and nothing of them is applied.

Format: M. Suhanov, "Windows registry file format specification", and his notes on which log Windows takes; Marvin32:
N. Ferguson, US patent 8,555,057.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass

import numpy as np

from udfs.readers.base import ReadContext, ReaderError
from udfs.readers.hive.image import BASE, I64, U8, grown, load
from udfs.readers.sources import Member, entry_names, open_random, open_zip

_SUFFIXES = (".log1", ".log2", ".log")
_SECTOR = 512
_SEED = 0x82EF4D887A4E55C5
_HEAD = struct.Struct("<4sIIIIIQQ")
_MAX_GROWTH = 1 << 31
_NUMBERS = 1 << 32
_HBIN = b"hbin"


@dataclass(frozen=True)
class _Log:
    name: str
    data: bytes
    new: bool

    @property
    def sequence(self) -> int:
        """Number of the first entry of the newest round (new format), of the write (old)."""
        return int.from_bytes(self.data[4:8], "little")

    @property
    def written(self) -> int:
        """Last-written time of the hive when the log was begun, as FILETIME."""
        return int.from_bytes(self.data[12:20], "little")


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


def is_sound(block: bytes) -> bool:
    """Whether the first 512 bytes of a hive or log are a base block whose checksum is right."""
    return block.startswith(b"regf") and checksum(block) == struct.unpack_from("<I", block, 508)[0]


def apply_logs(source: str | Member, data: U8, size: int, context: ReadContext) -> tuple[U8, int]:
    """The hive after recovery and its size; unchanged when it is clean. ``data`` is changed in place.

    Losses: ``no-transaction-log`` (dirty, but no usable log beside it), ``damaged-log``, ``log-entry-damaged``,
    ``log-gap`` (entries that cannot follow), ``log-begins-later`` (all are applied), ``log-of-another-time`` (the
    log was written before the hive was).
    """
    name = source if isinstance(source, str) else source.name
    block = data[:_SECTOR].tobytes()
    if size < BASE or not (block.startswith(b"regf") or data[BASE : BASE + 4].tobytes() == _HBIN):
        return data, size
    first, second = struct.unpack_from("<II", block, 4)
    sound = is_sound(block)
    if sound and first == second:
        return data, size
    found = [log for log in _logs(source, context) if log is not None]
    if not found:
        context.loss.lost(name, "no-transaction-log", 0, 4, "the hive is dirty and no usable log lies beside it")
        return data, size
    newer = [log for log in found if log.new]
    if newer:
        return _apply_new(newer, second if sound else None, data, size, context)
    return _apply_old(found, block if sound else None, data, size, context)


def _renewed(data: U8, log: _Log, sequence: int, hive_size: int) -> None:
    """The base block as Windows writes it after recovery: the log's copy, as a primary file's, clean."""
    block = bytearray(log.data[:_SECTOR])
    struct.pack_into("<II", block, 4, sequence, sequence)
    struct.pack_into("<I", block, 28, 0)
    struct.pack_into("<I", block, 40, hive_size)
    struct.pack_into("<I", block, 508, checksum(bytes(block)))
    data[:_SECTOR] = np.frombuffer(bytes(block), dtype=np.uint8)


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
    good = len(data) >= _SECTOR and is_sound(data[:_SECTOR]) and kind in (1, 2, 6) and data[4:8] == data[8:12]
    if not good:
        context.loss.lost(name, "damaged-log", 1, 0, "not the complete base block of a transaction log")
        return None
    return _Log(name, data, kind == 6)


def _places(source: str | Member, context: ReadContext) -> list[str | Member]:
    """The logs beside a hive; Windows writes ``NTUSER.DAT`` but ``ntuser.dat.LOG1``, so case is ignored."""
    places: list[str | Member] = []
    if isinstance(source, str):
        folder, own = os.path.split(source)
        try:
            names = context.files.beside(source)
        except ReaderError:
            return []
        by_name = {name.lower(): name for name in names}
        for suffix in _SUFFIXES:
            if (name := by_name.get(own.lower() + suffix)) is not None:
                places.append(os.path.join(folder, name))
        return places
    with open_zip(source.zip_path, context, source.charset) as archive:
        by_name = {name.lower(): name for name, _, _ in entry_names(archive, source.charset)}
    for suffix in _SUFFIXES:
        if (name := by_name.get(source.entry.lower() + suffix)) is not None:
            places.append(Member(source.zip_path, name, source.charset))
    return places


def _ahead(sequence: int, start: int) -> int:
    """How far a sequence number lies ahead of another; negative when it is older. Numbers wrap at 32 bits."""
    return (sequence - start + _NUMBERS // 2) % _NUMBERS - _NUMBERS // 2


def _apply_new(logs: list[_Log], start: int | None, data: U8, size: int, context: ReadContext) -> tuple[U8, int]:
    """``start``: the hive's secondary number; None when its base block is damaged: then only the later log counts."""
    if start is None:
        later = max(logs, key=lambda log: _ahead(log.sequence, logs[0].sequence))
        logs, start = [later], later.sequence
        _renewed(data, later, start, size - BASE)
    first = start
    entries: dict[int, _Entry] = {}
    for log in logs:
        for entry in _entries(log, context):
            if _ahead(entry.sequence, first) >= 0:
                entries.setdefault(entry.sequence, entry)
    ordered = sorted(entries.values(), key=lambda entry: _ahead(entry.sequence, first))
    if not ordered:
        for log in logs:
            told = f"the hive needs entry {first}, this log begins with {log.sequence}"
            context.loss.lost(log.name, "log-of-another-time", 0, 4, told)
    elif ordered[0].sequence != first:
        # Windows applies it all the same: what lies between was written before the log was begun anew.
        told = f"the hive names entry {first}, the logs begin with {ordered[0].sequence}"
        context.loss.lost(ordered[0].log.name, "log-begins-later", 0, ordered[0].at, told)
    previous: int | None = None
    for number, entry in enumerate(ordered):
        if previous is not None and _ahead(entry.sequence, previous) != 1:
            told = f"entry {previous} is followed by {entry.sequence}"
            context.loss.lost(entry.log.name, "log-gap", len(ordered) - number, entry.at, told)
            break
        previous = entry.sequence
        data, size = _apply_entry(entry, data, size)
    return data, size


def _apply_entry(entry: _Entry, data: U8, size: int) -> tuple[U8, int]:
    # Size and contents change together: an entry may enlarge the hive and fill the new pages.
    end = max(BASE + entry.hive_size, *(BASE + at + length for at, length in entry.pages), BASE)
    data = grown(data, end)
    size = max(size, BASE + entry.hive_size)
    taken = entry.data_at
    for at, length in entry.pages:
        piece = np.frombuffer(entry.log.data, dtype=np.uint8, count=length, offset=taken)
        data[BASE + at : BASE + at + length] = piece
        taken += length
    _renewed(data, entry.log, entry.sequence, entry.hive_size)
    return data, size


def _entries(log: _Log, context: ReadContext) -> list[_Entry]:
    """The entries of a log's newest round, up to the first that is not sound; older rounds' remnants follow there."""
    found: list[_Entry] = []
    at = _SECTOR
    expected = log.sequence
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
            and hive_size % 4096 == 0
            and hash2 == marvin32(entry[:32])
            and hash1 == marvin32(entry[40:])
        )
        if not sound:
            # A remnant of an older round with a broken tail is as normal as it is in any ring of records.
            stale = bool(found) and sequence != expected
            context.loss.lost(log.name, "log-entry-damaged", 0 if stale else 1, at)
            break
        if sequence != expected:
            if _ahead(sequence, expected) > 0 or not found:
                context.loss.lost(log.name, "log-gap", 1, at, f"entry {expected} should be here, not {sequence}")
            break
        pages = tuple(struct.iter_unpack("<II", entry[40:data_at]))
        inside = sum(size for _, size in pages) <= length - data_at
        if not inside or any(offset + size > _MAX_GROWTH for offset, size in pages):
            context.loss.lost(log.name, "log-entry-damaged", 1, at)
            break
        found.append(_Entry(log, at, sequence, hive_size, pages, at + data_at))
        at += length
        expected = (sequence + 1) % _NUMBERS
    return found


def _apply_old(logs: list[_Log], block: bytes | None, data: U8, size: int, context: ReadContext) -> tuple[U8, int]:
    """Old logs hold the sectors of one write. ``block``: the hive's base block, None when it is damaged."""
    written = int.from_bytes(block[12:20] if block else data[BASE + 20 : BASE + 28].tobytes(), "little")
    late = [log for log in logs if log.written >= written]
    for log in sorted(late, key=lambda log: -log.written):
        hive_size = struct.unpack_from("<I", log.data, 40)[0]
        dirty, taken = _dirty_sectors(log, hive_size, data, context)
        if dirty is None:
            continue
        data = grown(data, BASE + hive_size)
        sectors = np.frombuffer(log.data, dtype=np.uint8, count=len(dirty) * _SECTOR, offset=taken)
        body = data[BASE : BASE + hive_size // _SECTOR * _SECTOR].reshape(-1, _SECTOR)
        body[dirty] = sectors.reshape(-1, _SECTOR)
        _renewed(data, log, log.sequence, hive_size)
        return data, max(size, BASE + hive_size)
    for log in logs:
        if log not in late:
            told = "the log was begun before the hive was last written"
            context.loss.lost(log.name, "log-of-another-time", 0, 12, told)
    return data, size


def _dirty_sectors(log: _Log, hive_size: int, data: U8, context: ReadContext) -> tuple[I64 | None, int]:
    """Numbers of the dirty sectors and where the first one lies in the log; None when the log is damaged."""
    if log.data[_SECTOR : _SECTOR + 4] != b"DIRT" or hive_size >= _MAX_GROWTH:
        context.loss.lost(log.name, "damaged-log", 1, _SECTOR)
        return None, 0
    map_at = _SECTOR + 4
    map_bytes = hive_size // _SECTOR // 8
    bitmap = np.frombuffer(log.data[map_at : map_at + map_bytes], dtype=np.uint8)
    dirty = np.flatnonzero(np.unpackbits(bitmap, bitorder="little"))
    taken = (map_at + map_bytes + _SECTOR - 1) // _SECTOR * _SECTOR
    have = (len(log.data) - taken) // _SECTOR
    if have < len(dirty):
        # Half a write would mix two states of the hive; Windows refuses such a log as a whole.
        context.loss.lost(log.name, "damaged-log", 1, taken + max(have, 0) * _SECTOR)
        return None, 0
    for number, sector in enumerate(dirty.tolist()):
        # Sectors have no checksum; but where a bin begins in the hive, one must begin in the log.
        begins = _HBIN + struct.pack("<I", sector * _SECTOR)
        place, at = taken + number * _SECTOR, BASE + sector * _SECTOR
        if data[at : at + 8].tobytes() == begins and log.data[place : place + 8] != begins:
            context.loss.lost(log.name, "damaged-log", len(dirty) - number, place, "not the hive bin that it should be")
            return dirty[:number], taken
    return dirty, taken
