"""What a stream reads: feeds of receivers, of other streams and of contexts, and the new rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import pyarrow as pa

from logsql.streams import rows as received
from logsql.streams.feed import Span, Taken
from logsql.streams.planning import Shape


class Readable(Protocol):
    """A feed, as a reader sees it (:class:`logsql.streams.feed.Feed`)."""

    @property
    def published(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def settled(self) -> int:
        """Rows before it are on the disk."""

    def read(self, position: int, most: int = 20_000) -> Taken | None:
        """Rows from a position on."""

    def times(self, position: int) -> Span | None:
        """Times of the rows at a position."""

    def add_waker(self, wake: Callable[[], None]) -> None:
        """Call when there is more."""

    def remove_waker(self, wake: Callable[[], None]) -> None:
        """Call no longer."""


class Followed(Protocol):
    """A source that finds its rows again by what it remembers of the last ones."""

    doubts: int

    def mark(self, position: int) -> None:
        """Reading begins here."""

    def save(self) -> bytes:
        """What is remembered of the rows that were read last."""

    def load(self, saved: bytes) -> None:
        """Remember that."""


def as_they_are(rows: pa.Table) -> pa.Table:
    """Rows that need nothing added."""
    return rows


@dataclass(frozen=True)
class Input:
    """One source of a stream. ``name``: as the configuration has it; ``key``: of its feed in the book; ``adapt`` makes
    rows of ``shape`` of those of the feed; ``arrival``: whether their ``_time`` is when they arrived; ``dense``:
    whether numbers without rows are rows that were lost; ``wakes``: whether it tells of new rows; ``look``: what its
    rows hold now, where that may change; ``follows``: what is remembered of the last rows, where numbers may change."""

    name: str
    feed: Readable
    key: str
    shape: Shape
    adapt: Callable[[pa.Table], pa.Table] = as_they_are
    arrival: bool = False
    dense: bool = True
    wakes: bool = True
    look: Callable[[], Shape] | None = None
    follows: Followed | None = None

    def shape_now(self) -> Shape:
        """What the rows hold now: the same object where nothing changed."""
        return self.shape if self.look is None else self.look()


def header_fields(names: Collection[str]) -> tuple[str, ...]:
    """The fields of a syslog header that a query names."""
    return tuple(name for name in received.HEADER.names if name in names)


#: ``headers(lines, arrival, fields)``: columns by name.
Headers = Callable[[pa.Array, pa.Array, Collection[str]], "dict[str, pa.Array]"]


def received_rows(
    name: str, feed: Readable, key: str, schema: pa.Schema, fields: Sequence[str] = (), headers: Headers | None = None
) -> Input:
    """The messages of a receiver, with the header fields that the query names."""
    if not fields or headers is None:
        return Input(name, feed, key, Shape(schema), arrival=True)
    wider = pa.schema([*schema, *(received.HEADER.field(field) for field in fields)])

    def adapt(rows: pa.Table) -> pa.Table:
        lines, arrival = (rows.column(n).combine_chunks() for n in ("line", "_time"))
        found = headers(lines, arrival, fields)
        columns = [found[f] if f in found else pa.nulls(rows.num_rows, received.HEADER.field(f).type) for f in fields]
        return pa.Table.from_arrays([*rows.columns, *columns], schema=wider)

    return Input(name, feed, key, Shape(wider), adapt, arrival=True)


def merged(shapes: Sequence[Shape]) -> Shape:
    """What rows of several sources hold together: a field that has two types is text."""
    if len(shapes) == 1:
        return shapes[0]
    fields: dict[str, pa.Field] = {}
    for shape in shapes:
        for field in shape.fields:
            known = fields.setdefault(field.name, field)
            if not known.type.equals(field.type):
                fields[field.name] = pa.field(field.name, pa.string())
    open_ = [shape for shape in shapes if shape.rest is not None]
    if not open_:
        return Shape(pa.schema(list(fields.values())))
    rest = open_[0].rest
    assert rest is not None
    hidden = frozenset().union(*(s.rest.hidden for s in open_ if s.rest is not None), fields)
    last = open_[0].schema.field(len(open_[0].schema) - 1)
    return Shape(pa.schema([*fields.values(), last]), replace(rest, hidden=hidden))
