"""What the parser of workbooks takes on trust in a file of Excel 97 (.xls), looked at before it is asked.

It follows chains of sectors that may lead back for ever, and sets memory aside for the counts that the file states;
where that fails, the process ends. Sources: [MS-CFB] 2.2 to 2.6 (sectors), [MS-XLS] 2.1.4 (records) and 2.4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NO_SECTOR = 0xFFFFFFFA
"""From here on a sector number says that there is none (end of the chain, free, part of the table)."""
_MINI = 64
_MINI_CUTOFF = 4096
_EOF, _SHEET, _STRINGS, _DIMENSIONS = 0x000A, 0x0085, 0x00FC, 0x0200
_MANY = 0x00BD
_CELLS = frozenset({0x0006, _MANY, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E})
"""Formula, MulRk, LabelSst, Number, Label, BoolErr, Rk: row and column stand first."""
_ROWS, _COLUMNS = 65_536, 256
Table = npt.NDArray[np.uint32]


class Damaged(Exception):
    """A chain that has no end, or a count that the file has no room for."""


@dataclass(frozen=True)
class _Entry:
    """An entry of the directory: a stream, or the root whose stream holds the short streams."""

    name: str
    kind: int
    start: int
    length: int


class _Compound:
    """The streams of a compound file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._size = 1 << struct.unpack_from("<H", data, 30)[0]
        if self._size not in (512, 4096):
            raise Damaged("unknown size of its sectors")
        self._most = len(data) // self._size + 1
        folders, tables = struct.unpack_from("<II", data, 40)
        directory, _, _, mini, minis, more, mores = struct.unpack_from("<IIIIIII", data, 48)
        if max(folders, tables, minis, mores) > self._most:
            raise Damaged("it states more sectors than it has")
        self._steps = 0
        self._table = self._sectors(more)
        entries = self._read(self._chain(directory, self._table))
        self.entries = [self._entry(entries[at : at + 128]) for at in range(0, len(entries) - 127, 128)]
        self._minis: Table = np.frombuffer(self._read(self._chain(mini, self._table)), "<u4")
        self._short = self._stream(self.entries[0], self._table) if self.entries else b""

    def streams(self) -> Iterator[tuple[str, bytes]]:
        """Name and bytes of every stream."""
        for entry in self.entries[1:]:
            if (entry.kind == 2 and entry.length) or entry.name in ("Workbook", "Book"):
                yield entry.name, self._stream(entry, None if entry.length < _MINI_CUTOFF else self._table)

    def _sectors(self, more: int) -> Table:
        """The table of sectors: for each one the next of its chain."""
        places = list(struct.unpack_from("<109I", self._data, 76))
        for _ in range(self._most):
            sector = self._sector(more)
            if more >= _NO_SECTOR or not sector:
                break
            *found, more = np.frombuffer(sector, "<u4").tolist()
            places += found
        else:
            raise Damaged("a chain of its sectors has no end")
        return np.frombuffer(b"".join(self._sector(place) for place in places if place < _NO_SECTOR), "<u4")

    def _sector(self, number: int) -> bytes:
        if number > self._most and number < _NO_SECTOR:
            raise Damaged("a chain of its sectors leads out of the file")
        at = (number + 1) * self._size
        return self._data[at : at + self._size] if at + self._size <= len(self._data) else b""

    def _chain(self, number: int, table: Table) -> list[int]:
        """The sectors of a chain. Those of all streams together are no more than the file has."""
        found = []
        while number < len(table):
            found.append(number)
            number = int(table[number])
            if len(found) > len(table):
                raise Damaged("a chain of its sectors has no end")
        if number < _NO_SECTOR:
            raise Damaged("a chain of its sectors leads out of the file")
        self._steps += len(found) * (self._size if table is self._table else _MINI)
        if self._steps > 4 * len(self._data) + self._size:
            raise Damaged("its streams share their sectors")
        return found

    def _read(self, chain: list[int]) -> bytes:
        data = b"".join(map(self._sector, chain))
        return data[: len(data) & ~3]

    def _entry(self, data: bytes) -> _Entry:
        name = data[:64].decode("utf-16-le", "replace").partition("\0")[0]
        start, length = struct.unpack_from("<IQ", data, 116)
        return _Entry(name, data[66], start, length & 0xFFFFFFFF if self._size == 512 else length)

    def _stream(self, entry: _Entry, table: Table | None) -> bytes:
        if entry.length > len(self._data):
            raise Damaged("a stream is longer than the file")
        if table is not None:
            return self._read(self._chain(entry.start, table))[: entry.length]
        places = (number * _MINI for number in self._chain(entry.start, self._minis))
        return b"".join(self._short[at : at + _MINI] for at in places)[: entry.length]


def areas(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Rows, columns and number of the cells of every sheet. Damaged."""
    for name, stream in _Compound(data).streams():
        if name in ("Workbook", "Book"):
            sheets: list[int] = []
            _walk(stream, 0, sheets)
            # Records are four bytes at least; a sheet that is named a thousand times would be read as often.
            if len(sheets) > 256 and len(set(sheets)) * 2 < len(sheets):
                raise Damaged("a sheet is named many times")
            for at in dict.fromkeys(sheets):
                yield _walk(stream, at, [])


def _walk(stream: bytes, at: int, sheets: list[int]) -> tuple[int, int, int]:
    """The records from one place up to the end of their part; where sheets begin is put into ``sheets``."""
    rows = columns = cells = 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        at += 4
        if kind == _EOF:
            break
        if kind in _CELLS and size >= 4 and at + 4 <= len(stream):
            row, column = struct.unpack_from("<HH", stream, at)
            more = max(size - 6, 6) // 6 if kind == _MANY else 1
            rows, columns, cells = max(rows, row + 1), max(columns, column + more), cells + more
        elif kind == _SHEET and at + 4 <= len(stream):
            sheets.append(*struct.unpack_from("<I", stream, at))
        elif kind == _STRINGS and at + 8 <= len(stream):
            if struct.unpack_from("<i", stream, at + 4)[0] > len(stream):
                raise Damaged("it states more texts than it has room for")
        elif kind == _DIMENSIONS and size in (10, 14) and at + size <= len(stream):
            _check_dimensions(stream, at, size)
        at += size
    return rows, columns, cells


def _check_dimensions(stream: bytes, at: int, size: int) -> None:
    """The stated area: memory for all of it is set aside."""
    first, last, left, right = struct.unpack_from("<IIHH" if size == 14 else "<HHHH", stream, at)
    if last > _ROWS or right > _COLUMNS or (last and right and (first > last or left > right)):
        raise Damaged(f"it states a sheet of {last} rows and {right} columns")
