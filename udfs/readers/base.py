"""The contract of every file reader, and what all of them share.

A reader knows its schema before it reads, and scans as often as it is asked to: each ``scan`` opens the files anew
and yields Arrow record batches holding only the wanted columns. What a scan skips, cuts or repairs goes to
``context.loss``, so that *rows in = rows out + ledger*; what makes the whole source unusable (missing file, wrong
format) is a ``ReaderError`` with one clear sentence. Files are opened, listed and asked after through
``context.files`` only: that is where a policy can refuse them. Plain Python and pyarrow; nothing here knows who
consumes the batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pyarrow as pa

from udfs.readers.errors import ReadCancelled as ReadCancelled
from udfs.readers.errors import ReaderError as ReaderError
from udfs.readers.errors import os_error as os_error
from udfs.readers.files import Files
from udfs.readers.files import file_name as file_name
from udfs.readers.patterns import natural_key as natural_key
from udfs.readers.patterns import wildcard as wildcard

BATCH_ROWS = 98_304
"""Rows per record batch a reader aims at: a multiple of DuckDB's 2,048-row vectors; batches of 2k rows are slower."""

LOGICAL_TYPE = b"logsql.type"
"""Key of the field metadata that names the language's type where Arrow cannot: ``b"ip"``, ``b"json"``, ``b"any"``..."""

VARIANT = b"logsql.variant"
"""Field metadata: the logical field whose variants these columns hold, at most one of them not null in a row."""
VARIANT_RAW = b"logsql.variant.raw"
"""Field metadata: the column holds the stored bytes of that logical field, whatever its type."""


class Line(int):
    """A position in the ledger that counts lines (or rows of a sheet) from 1; a plain int is a byte offset."""

    unit = "line"


PLACE = "__place"
"""Column with the place of a row in its only file, from 1, where what reads the rows wants to tell of one."""


class LossSink(Protocol):
    """The ledger's face towards readers.

    ``source`` is the path (``zip!entry`` for archive members), ``reason`` a short stable phrase such as
    ``invalid-utf-8``, ``count`` the number of records (or bytes, if the reason says so), ``position`` a byte offset, or
    a 1-based number as :class:`Line`, ``sample`` a short excerpt for display.
    """

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None: ...


class Progress(Protocol):
    """Receives byte positions while a source is read; compressed files report compressed bytes."""

    def advance(self, source: str, done_bytes: int, total_bytes: int) -> None: ...


@dataclass(frozen=True)
class ReadContext:
    """What a scan may touch and whom it informs. ``files`` is the door to the file system, which asks the policy.
    ``every_loss``: all losses are counted, whatever that costs (``--loss``). ``memory``: bytes that the query may hold.
    """

    loss: LossSink
    progress: Progress
    cancelled: Callable[[], bool]
    files: Files
    every_loss: bool = False
    memory: int | None = None


@runtime_checkable
class Reader(Protocol):
    """A source: a schema known without reading everything, and scans of it.

    ``schema``: field metadata ``{b"logsql.type": b"ip" | b"json" | ...}`` where Arrow cannot say the logical type.
    ``scan``: batches of 64k-128k rows holding exactly the wanted columns (``None`` = all) in schema order, others are
    neither decoded nor present; polls ``context.cancelled`` at least once a second.
    """

    @property
    def schema(self) -> pa.Schema: ...

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]: ...


def field(name: str, type_: pa.DataType, logical: str | None = None) -> pa.Field:
    """Arrow field, carrying the language's type in its metadata when Arrow's type does not say it."""
    return pa.field(name, type_, metadata=None if logical is None else {LOGICAL_TYPE: logical.encode("ascii")})


def select(schema: pa.Schema, columns: Iterable[str] | None) -> pa.Schema:
    """The wanted fields in schema order; ``None`` wants all. KeyError for a name the schema does not have."""
    if columns is None:
        return schema
    wanted = set(columns)
    unknown = wanted - set(schema.names)
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    return pa.schema([f for f in schema if f.name in wanted], metadata=schema.metadata)


def batch_of(schema: pa.Schema, arrays: Mapping[str, pa.Array], rows: int) -> pa.RecordBatch:
    """A batch of exactly ``schema``'s columns; ``rows`` counts when the schema is empty (a bare ``count``)."""
    if len(schema) == 0:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * rows, pa.struct([])))
    return pa.RecordBatch.from_arrays([arrays[name] for name in schema.names], schema=schema)


def check_cancelled(context: ReadContext) -> None:
    """Raise ``ReadCancelled`` once the consumer no longer wants rows."""
    if context.cancelled():
        raise ReadCancelled("cancelled")


class NullLoss:
    """A sink that remembers nothing."""

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        return None


@dataclass(frozen=True)
class Loss:
    """One recorded loss, as ``ListLoss`` keeps it."""

    source: str
    reason: str
    count: int
    position: int | None
    sample: str | None


class ListLoss:
    """A sink that keeps every entry in ``entries``; for tests and scripts."""

    def __init__(self) -> None:
        self.entries: list[Loss] = []

    def lost(
        self, source: str, reason: str, count: int = 1, position: int | None = None, sample: str | None = None
    ) -> None:
        self.entries.append(Loss(source, reason, count, position, sample))

    def total(self, reason: str) -> int:
        """Sum of the counts recorded for ``reason``."""
        return sum(entry.count for entry in self.entries if entry.reason == reason)


class NullProgress:
    """A progress receiver that shows nothing."""

    def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
        return None


def null_context(loss: LossSink | None = None) -> ReadContext:
    """A context that never cancels, shows no progress and opens any file; for tests and scripts."""
    return ReadContext(loss or NullLoss(), NullProgress(), lambda: False, Files())
