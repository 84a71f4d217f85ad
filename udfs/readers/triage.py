"""What a collection of evidence holds: one row a file, with the command that reads it (command ``triage``).

Names are those that collectors write: KAPE and Velociraptor keep the paths of Windows (``C/Windows/System32/config``,
names with ``%24`` for ``$`` and ``%3A`` for ``:``), UAC those of Unix. What files of a kind are known by stands with
the command that reads them (``artefacts``). Only heads of files are read. A ZIP archive given as the path is looked
into.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from udfs.readers.artefacts import OTHER, Kinds, Readable
from udfs.readers.base import BATCH_ROWS, NullLoss, ReadContext, ReaderError, batch_of, check_cancelled, select
from udfs.readers.evidence import PACKING, Target, first_bytes
from udfs.readers.request import Request
from udfs.readers.sources import STREAMS, Member, entry_names, label, open_zip, scan_each

SCHEMA = pa.schema([("_path", pa.string()), ("kind", pa.string()), ("command", pa.string()), ("size", pa.int64())])
_HEAD = 64


@dataclass(frozen=True)
class Found:
    """A file of a collection: its kind, the command that reads it (None: none does), its size."""

    target: Target
    kind: str
    command: str | None
    size: int


class TriageReader:
    """The files below folders (or in archives), in natural order by path.

    ``readable``: what the commands declare; files of no such kind have no ``command``. Ledger: files that cannot be
    opened have a row of the kind ``unreadable`` and their reason.
    """

    def __init__(self, request: Request, readable: Sequence[Readable] = ()) -> None:
        self._kinds = Kinds(readable)
        self._archive = request.text("zippath")
        self._charset = request.text("zipcharset") or "utf-8"
        self._inside = list(request.paths)
        self._files: list[str] = []
        if self._archive is None:
            self._files = [path for given in request.paths for path in request.expanded(given, lambda *_: True)]

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The columns."""
        return SCHEMA

    @classmethod
    def of(cls, request: Request) -> TriageReader:
        """Options: ``zippath``, ``zipcharset``; the command gives the artefacts that others declare."""
        return cls(request, given_artefacts(request))

    @property
    def schema(self) -> pa.Schema:
        """The columns."""
        return SCHEMA

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One row a file."""
        wanted = select(SCHEMA, columns)
        rows: list[Found] = []
        for row in self.files(context):
            rows.append(row)
            if len(rows) == BATCH_ROWS:
                yield self._batch(rows, wanted)
                rows = []
        if rows:
            yield self._batch(rows, wanted)

    def files(self, context: ReadContext) -> Iterator[Found]:
        """Every file with its kind."""
        if self._archive is not None:
            yield from scan_each(context.files.expand(self._archive), context, lambda path: self._of_zip(path, context))
            return
        for path in self._files:
            check_cancelled(context)
            try:
                head = context.files.head(path, _HEAD)
                size = context.files.size(path)
            except (ReaderError, OSError) as problem:
                context.loss.lost(path, "read-failed", 1, 0, str(problem))
                yield Found(path, "unreadable", None, 0)
                continue
            if len(self._files) == 1 and head.startswith(b"PK\3\4"):
                self._inside = ["."]
                yield from self._of_zip(path, context)
                return
            yield Found(path, *self._kind(path, path, head, context), size)

    def _kind(self, target: Target, name: str, head: bytes, context: ReadContext) -> tuple[str, str | None]:
        """Kind and command of a file; of one that is packed by itself, as the commands read it, of what it holds."""
        kind, command = self._kinds.of(name, head)
        if kind != OTHER or not head.startswith(STREAMS):
            return kind, command
        try:
            inner = first_bytes(target, _HEAD, replace(context, loss=NullLoss()))
        except ReaderError as problem:
            context.loss.lost(label(target), problem.code, 1, 0, str(problem))
            return kind, command
        return self._kinds.of(PACKING.sub("", name), inner)

    def _of_zip(self, path: str, context: ReadContext) -> Iterator[Found]:
        wanted = [given.strip("./").replace("\\", "/").lower() for given in self._inside]
        with open_zip(path, context, self._charset) as archive:
            for name, _, info in entry_names(archive, self._charset):
                low = name.lower()
                if name.endswith("/") or not any(w in ("", low) or low.startswith(w + "/") for w in wanted):
                    continue
                check_cancelled(context)
                member = Member(path, name, self._charset)
                try:
                    with archive.open(info) as raw:
                        head = raw.read(_HEAD)
                except Exception as problem:  # encrypted, damaged, or packed in a way that is not known here
                    context.loss.lost(member.name, "read-failed", 1, 0, str(problem))
                    yield Found(member, "unreadable", None, info.file_size)
                    continue
                yield Found(member, *self._kind(member, name, head, context), info.file_size)

    def _batch(self, rows: list[Found], wanted: pa.Schema) -> pa.RecordBatch:
        made = {
            "_path": pa.array([label(row.target) for row in rows], pa.string()),
            "kind": pa.array([row.kind for row in rows], pa.string()),
            "command": pa.array([row.command for row in rows], pa.string()),
            "size": pa.array([row.size for row in rows], pa.int64()),
        }
        return batch_of(wanted, made, len(rows))


def given_artefacts(request: Request) -> tuple[Readable, ...]:
    """The option ``artefacts``: what the commands declare."""
    found = request.options.get("artefacts", ())
    if not isinstance(found, tuple):
        raise TypeError(f"artefacts hold {found!r}, not a tuple")
    return found
