"""Bytes of NTFS metadata files at any offset, and the bookkeeping of their damage.

``Targets`` turns the paths of a query into files or archive members; ``Evidence`` reads blocks at offsets into a buffer
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
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.readers import base
from udfs.readers.base import ReadContext, check_cancelled, null_context, os_error, select
from udfs.readers.request import Request, as_paths
from udfs.readers.sources import Member, expand_members, label, open_random, scan_each

Target = str | Member
Bytes = npt.NDArray[np.uint8]


class Targets:
    """What the paths of a query mean: files, or the entries of an archive.

    Files are asked for once, when this is made. The directory of an archive is read by every scan, whose ledger tells
    what is wrong with it.
    """

    def __init__(
        self,
        paths: str | Sequence[str],
        zippath: str | None = None,
        zipcharset: str = "utf-8",
        context: ReadContext | None = None,
    ) -> None:
        self._paths = as_paths(paths)
        self._zippath = zippath
        self._zipcharset = zipcharset
        self._files = [] if zippath is not None else Request(self._paths, context or null_context()).files()

    @classmethod
    def of(cls, request: Request) -> Targets:
        """Options: ``zippath``, ``zipcharset``."""
        charset = request.text("zipcharset") or "utf-8"
        return cls(request.paths, request.text("zippath"), charset, request.context)

    def found(self, context: ReadContext) -> list[Target]:
        """The files or entries, in natural order by path."""
        archive = self._zippath
        if archive is None:
            return [*self._files]
        return [m for entry in self._paths for m in expand_members(archive, entry, context, self._zipcharset)]


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
    with ``zippath`` they are entries of that archive and ``zipcharset`` decodes entry names. Or the targets themselves.
    """

    columns: pa.Schema

    def __init__(
        self, paths: str | Sequence[str] | Targets, zippath: str | None = None, zipcharset: str = "utf-8"
    ) -> None:
        self._targets = paths if isinstance(paths, Targets) else Targets(paths, zippath, zipcharset)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Options: ``zippath``, ``zipcharset``."""
        return cls(Targets.of(request))

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The documented fields and ``_file``."""
        return cls.columns

    @property
    def schema(self) -> pa.Schema:
        """The documented fields and ``_file``."""
        return self.columns

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the wanted columns, in file order."""
        wanted = select(self.columns, columns)
        found = self._targets.found(context)
        yield from scan_each(found, context, lambda target: self.scan_file(target, wanted, context))

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file."""
        raise NotImplementedError
