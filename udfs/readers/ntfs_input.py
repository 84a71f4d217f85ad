"""Bytes of NTFS metadata files at any offset, and the bookkeeping of their damage.

``targets`` turns the paths of a query into files or archive members; ``Evidence`` reads blocks at offsets into a buffer
that is reused, skips holes of sparse files where the system can tell them, polls cancellation and reports progress.
``Tally`` adds up damage per reason, so that a file with a million broken records makes one ledger entry a reason,
holding the number and the byte offset of the first.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator, Sequence
from types import TracebackType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.readers import base
from udfs.readers.base import ReadContext, check_cancelled, expand_paths, os_error, select, size_of
from udfs.readers.sources import Member, expand_members, label, open_random, scan_each

Target = str | Member
Bytes = npt.NDArray[np.uint8]


def as_paths(paths: str | Sequence[str]) -> tuple[str, ...]:
    """One path or several, as a tuple."""
    return (paths,) if isinstance(paths, str) else tuple(paths)


def targets(paths: Sequence[str], zippath: str | None, zipcharset: str, context: ReadContext) -> list[Target]:
    """The files that ``paths`` mean (``*`` in the last component), or entries of ``zippath`` when one is given."""
    found: list[Target] = []
    for path in paths:
        found += expand_members(zippath, path, context, zipcharset) if zippath is not None else expand_paths(path)
    return found


def target_bytes(paths: Sequence[str], zippath: str | None) -> int:
    """Bytes a scan reads, for progress; an archive counts with its own size."""
    return sum(size_of(path) for pattern in ([zippath] if zippath else paths) for path in expand_paths(pattern))


def base_name(target: Target) -> str:
    """Value of ``_file``: the base name of the file or of the archive entry."""
    return base.file_name(target.entry.replace("\\", "/") if isinstance(target, Member) else target)


class Evidence:
    """One open file: ``read_at`` and ``next_data``; a context manager."""

    def __init__(self, target: Target, context: ReadContext) -> None:
        self.name = label(target)
        self._context = context
        self._raw = open_random(target, context)
        self._fd = -1
        # A pipe or a spooled archive member has no descriptor of its own to read at an offset.
        if isinstance(self._raw, io.BufferedReader | io.FileIO) and hasattr(os, "preadv"):
            self._fd = self._raw.fileno()
        try:
            self.size = self._raw.seek(0, io.SEEK_END)
        except OSError as problem:
            self._raw.close()
            raise os_error(problem, self.name) from problem

    def read_at(self, offset: int, into: Bytes) -> int:
        """Fill ``into`` from ``offset`` on; the number of bytes got is less only at the end of the file."""
        check_cancelled(self._context)
        view = memoryview(into)  # type: ignore[arg-type]
        got = 0
        try:
            if self._fd < 0:
                self._raw.seek(offset)
            while got < len(view):
                if self._fd >= 0:
                    step = os.preadv(self._fd, [view[got:]], offset + got)
                else:
                    data = self._raw.read(len(view) - got)
                    step = len(data)
                    view[got : got + step] = data
                if step == 0:
                    break
                got += step
        except OSError as problem:
            raise os_error(problem, self.name) from problem
        self._context.progress.advance(self.name, offset + got, self.size)
        return got

    def next_data(self, offset: int) -> int:
        """First offset at or behind ``offset`` that is not in a hole; the file's size when only holes follow."""
        if self._fd < 0 or not hasattr(os, "SEEK_DATA"):
            return offset
        try:
            return os.lseek(self._fd, offset, os.SEEK_DATA)
        except OSError as problem:
            return self.size if problem.errno == errno.ENXIO else offset

    def close(self) -> None:
        """Close the file."""
        self._raw.close()

    def __enter__(self) -> Evidence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Tally:
    """Damage counted per reason, with the first offset; ``report`` writes it to the ledger."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, int | None, str | None]] = {}

    def add(self, reason: str, count: int, position: int | None, sample: str | None = None) -> None:
        """Count ``count`` more (nothing when 0) of ``reason``."""
        if count > 0:
            before, first, text = self._found.get(reason, (0, position, sample))
            known = [place for place in (first, position) if place is not None]
            self._found[reason] = (before + count, min(known, default=None), text)

    def report(self, context: ReadContext, name: str) -> None:
        """One ledger entry a reason."""
        for reason, (count, position, sample) in self._found.items():
            context.loss.lost(name, reason, count, position, sample)
        self._found.clear()


def joined(batches: Iterator[pa.RecordBatch], least: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of at least ``least``, the last one excepted."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= least:
            yield _join(held)
            held, rows = [], 0
    if rows:
        yield _join(held)


def _join(held: list[pa.RecordBatch]) -> pa.RecordBatch:
    if held[0].num_columns == 0:
        return pa.RecordBatch.from_struct_array(pa.nulls(sum(batch.num_rows for batch in held), pa.struct([])))
    return held[0] if len(held) == 1 else pa.concat_batches(held)


class EvidenceReader:
    """What the readers of collected files share: which files, their size, one scan of each after the other.

    A reader sets ``columns`` (its schema) and ``scan_file``. ``paths``: a path or several, ``*`` in the last component;
    with ``zippath`` they are entries of that archive and ``zipcharset`` decodes entry names.
    """

    columns: pa.Schema

    def __init__(self, paths: str | Sequence[str], zippath: str | None = None, zipcharset: str = "utf-8") -> None:
        self._paths = as_paths(paths)
        self._zippath = zippath
        self._zipcharset = zipcharset

    @property
    def schema(self) -> pa.Schema:
        """The documented fields and ``_file``."""
        return self.columns

    def total_bytes(self) -> int:
        """Bytes of all files, holes included."""
        return target_bytes(self._paths, self._zippath)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the wanted columns, in file order."""
        wanted = select(self.columns, columns)
        found = targets(self._paths, self._zippath, self._zipcharset, context)
        yield from scan_each(found, context, lambda target: self.scan_file(target, wanted, context))

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file."""
        raise NotImplementedError
