"""``zipfile`` and ``zipfile-entries``: lines of ZIP members, and the members themselves (commands.md).

``*`` is allowed in the archive's name and in the entry; archives and entries come in natural order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from udfs.readers.base import ReadContext, batch_of, null_context, select
from udfs.readers.request import Request, as_paths
from udfs.readers.sources import (
    Member,
    entry_names,
    expand_members,
    label,
    open_zip,
    scan_each,
    tell_charset,
    tell_directory,
    zip_text,
)
from udfs.readers.textlines import TextReader

if TYPE_CHECKING:
    import zipfile


@dataclass(frozen=True)
class ZipLinesReader:
    """Text lines of archive members: ``line``, ``_file`` (the archive's base name), ``_entry``.

    The members are found on construction, through ``context.files``. ``charset`` reads the text, ``zipcharset``
    the names of entries not marked UTF-8. ``limit`` and ``offset`` count lines over all members. ReaderError:
    ``no-such-entry``, ``not-a-zip``, ``unknown-charset`` and those of ``Files.expand``.
    """

    zip_path: str
    entry: str
    charset: str = "utf-8"
    zipcharset: str | None = None
    limit: int | None = None
    offset: int = 0
    context: ReadContext = field(default_factory=null_context)
    text: TextReader = field(init=False)

    def __post_init__(self) -> None:
        members = expand_members(self.zip_path, self.entry, self.context, self.zipcharset)
        text = TextReader(members, self.charset, limit=self.limit, offset=self.offset, entry_column=True)
        object.__setattr__(self, "text", text)

    @classmethod
    def of(cls, request: Request) -> ZipLinesReader:
        """Options: ``entry``, ``cs``, ``zipcharset``, ``limit``, ``offset``."""
        return cls(
            request.paths[0],
            request.text("entry") or "",
            request.text("cs") or "utf-8",
            request.text("zipcharset"),
            request.number("limit"),
            request.number("offset") or 0,
            request.context,
        )

    @property
    def schema(self) -> pa.Schema:
        """``line``, ``_file``, ``_entry``."""
        return select(self.text.schema, ("line", "_file", "_entry"))

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """Batches of up to about 100,000 lines."""
        return self.text.scan(self.schema.names if columns is None else columns, context)


class ZipEntriesReader:
    """One row per entry, folders included, in the order of the archive's directory.

    Names and comments not marked UTF-8 are read as ``zipcharset``; those it does not have as CP437 (ledger:
    ``entry-name-charset``). Of several archives those that are none are ledger entries.
    ``modified_at`` is wall time of the packing machine (ZIP keeps no zone), null where the archive holds an impossible
    date (ledger: ``bad-date``).
    """

    schema = pa.schema(
        [
            ("zip_path", pa.string()),
            ("entry", pa.string()),
            ("file_size", pa.int64()),
            ("compressed_size", pa.int64()),
            ("modified_at", pa.timestamp("us")),
            ("comment", pa.string()),
        ]
    )

    def __init__(
        self, paths: str | Sequence[str], zipcharset: str | None = None, context: ReadContext | None = None
    ) -> None:
        self._archives = Request(as_paths(paths), context or null_context()).files()
        self.zipcharset = zipcharset

    @classmethod
    def described(cls, given: object) -> pa.Schema:
        """The facts of an entry."""
        return cls.schema

    @classmethod
    def of(cls, request: Request) -> ZipEntriesReader:
        """Option: ``zipcharset``."""
        return cls(request.paths, request.text("zipcharset"), request.context)

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        """One batch per archive."""
        schema = select(self.schema, columns)
        yield from scan_each(self._archives, context, lambda path: self._scan_archive(path, schema, context))

    def _scan_archive(self, path: str, schema: pa.Schema, context: ReadContext) -> Iterator[pa.RecordBatch]:
        with open_zip(path, context, self.zipcharset) as archive:
            entries = entry_names(archive, self.zipcharset)
            tell_directory(context, path, archive)
        tell_charset(context, path, self.zipcharset, [name for name, sure, _ in entries if not sure])
        made: dict[str, list[object]] = {
            "zip_path": [label(path)] * len(entries),
            "entry": [name for name, _, _ in entries],
            "file_size": [info.file_size for _, _, info in entries],
            "compressed_size": [info.compress_size for _, _, info in entries],
            "modified_at": [_moment(path, name, info.date_time, context) for name, _, info in entries],
            "comment": [self._comment(info) for _, _, info in entries],
        }
        arrays = {name: pa.array(made[name], schema.field(name).type) for name in schema.names}
        yield batch_of(schema, arrays, len(entries))

    def _comment(self, info: zipfile.ZipInfo) -> str:
        marked = info.flag_bits & 0x800
        return info.comment.decode("utf-8", "replace") if marked else zip_text(info.comment, self.zipcharset)[0]


def _moment(path: str, entry: str, parts: tuple[int, ...], context: ReadContext) -> datetime | None:
    try:
        return datetime(*parts[:6])  # type: ignore[arg-type]
    except ValueError:
        # 1980-00-00 is what a packer writes that knows no date.
        if parts[1:3] != (0, 0):
            context.loss.lost(Member(path, entry).name, "bad-date", 1, None, str(parts))
        return None
