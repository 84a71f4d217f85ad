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
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import regex

from udfs.java.javaregex import classify
from udfs.java.javaregex_parser import RegexSyntaxError
from udfs.readers import base
from udfs.readers.artefacts import surely
from udfs.readers.base import ReadContext, ReaderError, check_cancelled, null_context, os_error, select
from udfs.readers.files import InFolder
from udfs.readers.request import Request, as_paths
from udfs.readers.sources import STREAMS, Member, expand_members, label, open_random, open_source, scan_each

Target = str | Member
Bytes = npt.NDArray[np.uint8]


Belongs = Callable[[str, bytes], bool]
"""Whether a file of this name and with these first bytes is one of a reader's. No bytes: whether the name says it."""
#: Seconds that a pattern may look at one path.
_LONGEST_SEARCH = 5
_HEAD = 64
PACKING = re.compile(r"\.(?:gz|zst)$", re.IGNORECASE)
"""Bytes that a file of a folder is known by."""


class Targets:
    """What the paths of a query mean: files, or the entries of an archive; a folder means those in it that belong.

    Files are asked for once, when this is made; ``targets`` are they themselves, where they are known already. The
    directory of an archive is read by every scan, whose ledger tells what is wrong with it.
    """

    def __init__(
        self,
        paths: str | Sequence[str],
        zippath: str | None = None,
        zipcharset: str = "utf-8",
        context: ReadContext | None = None,
        belongs: Belongs | None = None,
        host: str | None = None,
        targets: Sequence[Target] = (),
    ) -> None:
        self._paths = as_paths(paths)
        self._zippath = zippath
        self._zipcharset = zipcharset
        self._belongs = belongs
        self.host = None if host is None else HostPattern(host)
        self._known = tuple(targets)
        if self._known:
            return
        context = context or null_context()
        request = Request(self._paths, context)
        of_folder = None if belongs is None else _of_folder(belongs, context)
        self._files = (
            [] if zippath is not None else [f for path in self._paths for f in request.expanded(path, of_folder)]
        )

    @classmethod
    def of(cls, request: Request, belongs: Belongs | None = None) -> Targets:
        """Options: ``zippath``, ``zipcharset``, ``host``."""
        charset = request.text("zipcharset") or "utf-8"
        zippath, host = request.text("zippath"), request.text("host")
        return cls(request.paths, zippath, charset, request.context, belongs, host, request.targets)

    def found(self, context: ReadContext) -> list[Target]:
        """The files or entries, in natural order by path."""
        if self._known:
            return [*self._known]
        archive, belongs = self._zippath, self._belongs
        if archive is None:
            return [*self._files]
        of_folder = None if belongs is None else _of_archive(belongs, context)
        return [
            member
            for entry in self._paths
            for member in expand_members(archive, entry, context, self._zipcharset, of_folder)
        ]


def files_of(request: Request) -> Sequence[Target]:
    """The files that a request means, asked for once: those of a folder are the ones that belong."""
    if request.belongs is None and request.text("zippath") is None and not request.targets:
        return request.files()
    if not request.found:
        request.found.extend(Targets.of(request, request.belongs).found(request.context))
    return request.found


def _of_folder(belongs: Belongs, context: ReadContext) -> InFolder:
    """Whether a file of a folder is one of the reader's: name and first bytes tell.

    One whose name says it is not opened to be asked: where its first bytes are destroyed, or nobody may read it, the
    scan tells so, instead of reading the others as if it were not there.
    """
    quiet = replace(context, loss=base.NullLoss())

    def is_of(path: str, name: str, head: Callable[[int], bytes]) -> bool:
        if belongs(PACKING.sub("", name), b""):
            return True
        try:
            data = head(_HEAD)
            return belongs(name, first_bytes(path, _HEAD, quiet) if _may_be_packed(path, data) else data)
        except ReaderError:
            if surely("", PACKING.sub("", name)):  # of another kind
                return False
            raise

    return is_of


def _of_archive(belongs: Belongs, context: ReadContext) -> Callable[[Member], bool]:
    """As :func:`_of_folder`, of an entry of an archive."""
    quiet = replace(context, loss=base.NullLoss())

    def is_of(member: Member) -> bool:
        name = PACKING.sub("", base_name(member))
        try:
            return belongs(name, b"") or belongs(name, first_bytes(member, _HEAD, quiet))
        except ReaderError as problem:  # encrypted, or damaged: nobody can say whether it is one
            if not surely("", name):
                context.loss.lost(label(member), problem.code, 1, 0, str(problem))
            return False

    return is_of


def open_held(path: str | Member, most: int, context: ReadContext) -> BinaryIO:
    """As :func:`open_random`; a file of at most ``most`` bytes is read at once and held."""
    if not isinstance(path, Member):
        data = context.files.small(path, most)
        if data is not None and not data.startswith(STREAMS):
            return io.BytesIO(data)
    return open_random(path, context)


def first_bytes(target: str | Member, size: int, context: ReadContext) -> bytes:
    """The first bytes of a file or archive member, unpacked; nothing goes to the ledger for it."""
    if not isinstance(target, Member):
        head = context.files.head(target, size)
        if not _may_be_packed(target, head):
            return head
    with open_source(target, context) as source:
        return source.read(size)[:size]


def _may_be_packed(path: str, head: bytes) -> bool:
    return head.startswith(STREAMS) or path.endswith(".zst")


class HostPattern:
    """The pattern of the option ``host``: which part of a path names the machine. ReaderError ``bad-pattern``."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        try:
            spec = classify(pattern, named_only=False)
        except RegexSyntaxError as problem:
            raise self._refused(problem) from problem
        self._test = regex.compile(spec.python)
        named = dict(zip(spec.names, spec.group_index, strict=True))
        self._group = named.get("host", 1 if self._test.groups else 0)

    def of(self, path: str) -> str | None:
        """The group ``host``, else the first group, else the match; folders are separated by ``/``."""
        try:
            found = self._test.search(path.replace("\\", "/"), timeout=_LONGEST_SEARCH)
        except TimeoutError as problem:
            raise self._refused(f"it takes more than {_LONGEST_SEARCH} seconds for {path}") from problem
        return None if found is None else found[self._group]

    def _refused(self, reason: object) -> ReaderError:
        said = "host={pattern} is no regular expression: {reason}"
        return ReaderError(said, self._pattern, "bad-pattern", pattern=self._pattern, reason=reason)


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


def placed_schema(columns: pa.Schema, host: bool) -> pa.Schema:
    """The columns of a reader with ``_path`` behind them, and ``host`` where it is asked for (``_host`` beside one)."""
    schema = columns.append(pa.field("_path", pa.string()))
    if host:
        schema = schema.append(pa.field("_host" if "host" in columns.names else "host", pa.string()))
    return schema


def placed(batch: pa.RecordBatch, wanted: pa.Schema, target: Target, host: HostPattern | None) -> pa.RecordBatch:
    """The batch of one file with the columns of :func:`placed_schema` that are wanted."""
    if len(wanted) == batch.num_columns:
        return batch
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name in wanted.names:
        if name not in arrays:
            value = label(target) if name == "_path" or host is None else host.of(label(target))
            arrays[name] = pa.repeat(pa.scalar(value, pa.string()), batch.num_rows)
    return base.batch_of(wanted, arrays, batch.num_rows)


@dataclass(frozen=True)
class Placing:
    """That the rows of a reader of text tell where they come from, as those of evidence do.

    ``path``: the query names ``_path``. A column of that name that the files have themselves stays theirs.
    """

    path: bool = False
    host: HostPattern | None = None

    @classmethod
    def of(cls, request: Request) -> Placing:
        """Options: ``host``; ``located``: ``_path`` is wanted."""
        host = request.text("host")
        return cls(request.flag("located"), None if host is None else HostPattern(host))

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return self.path or self.host is not None

    def schema(self, columns: pa.Schema) -> pa.Schema:
        """The columns with those that tell the place."""
        whole = placed_schema(columns, self.host is not None)
        left_out = {"_path"} if not self.path or "_path" in columns.names else set()
        kept = [f for n, f in enumerate(whole) if n < len(columns) or f.name not in left_out]
        return pa.schema(kept, metadata=columns.metadata)

    def scan(
        self,
        targets: Sequence[Target],
        wanted: pa.Schema,
        columns: pa.Schema,
        context: ReadContext,
        one: Callable[[Target, pa.Schema], Iterator[pa.RecordBatch]],
    ) -> Iterator[pa.RecordBatch]:
        """What ``one`` gives for each file: its own columns of those that are wanted, with its place beside them."""
        own = pa.schema([f for f in wanted if f.name in columns.names], metadata=wanted.metadata)

        def of_file(target: Target) -> Iterator[pa.RecordBatch]:
            for batch in one(target, own):
                yield placed(batch, wanted, target, self.host)

        yield from scan_each(targets, context, of_file)


NOWHERE = Placing()


class EvidenceReader:
    """What the readers of collected files share: which files, their size, one scan of each after the other.

    A reader sets ``columns`` (its schema) and ``scan_file``; with ``belongs`` a folder means the files in it that do.
    ``paths``: a path, pattern or folder, or several; with ``zippath`` they are entries of that archive and
    ``zipcharset`` decodes entry names. Or the targets themselves. Every row has ``_path``, the path as opened.
    """

    columns: pa.Schema

    @staticmethod
    def belongs(name: str, head: bytes) -> bool:
        """Whether a file of a folder is one of these, by its name and first bytes."""
        return False

    def __init__(
        self, paths: str | Sequence[str] | Targets, zippath: str | None = None, zipcharset: str = "utf-8"
    ) -> None:
        self._targets = paths if isinstance(paths, Targets) else Targets(paths, zippath, zipcharset)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Options: ``zippath``, ``zipcharset``, ``host``."""
        return cls(Targets.of(request, cls.belongs))

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The documented fields, ``_file`` and ``_path``."""
        return placed_schema(cls.columns, False)

    @property
    def schema(self) -> pa.Schema:
        """The documented fields, ``_file`` and ``_path``; ``host`` where it is asked for."""
        return placed_schema(self.columns, self._targets.host is not None)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of the wanted columns, in file order."""
        wanted = select(self.schema, columns)
        own = pa.schema([f for f in wanted if f.name in self.columns.names], metadata=wanted.metadata)

        def one(target: Target) -> Iterator[pa.RecordBatch]:
            for batch in self.scan_file(target, own, context):
                yield placed(batch, wanted, target, self._targets.host)

        yield from scan_each(self._targets.found(context), context, one)

    def of_file(self, target: Target) -> dict[str, str | None]:
        """The columns that have one value for all rows of a file."""
        path, host = label(target), self._targets.host
        found: dict[str, str | None] = {"_file": base_name(target), "_path": path}
        if host is not None:
            found["_host" if "host" in self.columns.names else "host"] = host.of(path)
        return found

    def scan_file(self, target: Target, wanted: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of one file."""
        raise NotImplementedError
