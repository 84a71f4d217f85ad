"""What the query of a stream keeps between its batches: memories of commands that look back, models in force.

Contract
- A batch that fails leaves nothing: :meth:`Carried.done` puts in force what its runs left, :meth:`Carried.undo`
  drops it.
- Memories are one Arrow row each; :meth:`save` gives them as bytes, for the commit of the batch that they belong to.
- A memory of another shape (the query was changed) is none.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import pyarrow as pa

from logsql.diagnostics.errors import LogsqlError
from logsql.engine.keptplans import Changing
from logsql.values.arrow import arrow_type

T = TypeVar("T")
#: Seconds between two looks at a model: a newer one is taken up within five.
LOOK = 2.0


class Place:
    """The memory of one place of a query (:class:`logsql.planner.running.Memory`).

    ``left``: by the run that is under way; ``before``: by the last one; ``committed``: by the last one that counts.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.before: pa.RecordBatch | None = None
        self.left: pa.RecordBatch | None = None
        self.committed: pa.RecordBatch | None = None
        self.table: Changing | None = None

    def leave(self, row: pa.RecordBatch) -> None:
        self.left = row

    def put(self, row: pa.RecordBatch | None) -> None:
        """The row that the next run finds."""
        self.left = None
        if self.table is not None:
            row = row if row is None or row.schema.types == self.table.schema.types else None
            self.table.table = _one_row(self.table.schema, row)
        self.before = row


def _one_row(schema: pa.Schema, row: pa.RecordBatch | None) -> pa.Table:
    columns = [pa.nulls(1, field.type) for field in schema] if row is None else row.columns
    return pa.Table.from_arrays(columns, schema=schema)


@dataclass
class Held(Generic[T]):
    """A thing in force, and how it is looked after."""

    label: str
    thing: T
    renew: Callable[[T], T | None]

    def give(self) -> T:
        return self.thing

    def look(self) -> bool:
        """Take up a newer one, whether there was one. Raises LogsqlError where it does not fit."""
        newer = self.renew(self.thing)
        if newer is None:
            return False
        self.thing = newer
        return True


class Carried:
    """The keeper of one stream query (:class:`logsql.planner.running.Carry`).

    ``bindings``: what its plan reads by name. ``report``: told of a held thing that was renewed (no error), or could
    not be, once for each new reason. ``clocked``: told how long one took for a run, in seconds.
    """

    def __init__(
        self, bindings: dict[str, object], report: Callable[[str, LogsqlError | None], None] = lambda label, error: None
    ) -> None:
        self._bindings = bindings
        self.report = report
        self.clocked: Callable[[str, float], None] | None = None
        self._places: list[Place] = []
        self._counts: Counter[str] = Counter()
        self._held: list[Held[object]] = []
        self._looked = time.monotonic()
        self._said: dict[str, str] = {}

    # --- what commands ask for --------------------------------------------------------------------

    def memory(self, label: str) -> Place:
        """A memory; places of one label are told apart by their order in the query."""
        self._counts[label] += 1
        place = Place(f"{label}:{self._counts[label]}")
        self._places.append(place)
        return place

    def readable(self, memory: object, columns: Sequence[tuple[str, str]]) -> str:
        """The memory as a table of one row."""
        assert isinstance(memory, Place)
        memory.table = Changing(pa.schema([pa.field(name, arrow_type(physical)) for name, physical in columns]))
        memory.put(None)
        name = f"__memory_{memory.name.replace(':', '_')}"
        self._bindings[name] = memory.table
        return name

    def held(self, label: str, load: Callable[[], T], renew: Callable[[T], T | None]) -> Callable[[], T]:
        """A thing that is loaded now."""
        found = Held(label, load(), renew)
        self._held.append(found)  # type: ignore[arg-type]  # each one is only given back to who asked for it
        return found.give

    def took(self, label: str, seconds: float) -> None:
        """The time of a held thing."""
        if self.clocked is not None:
            self.clocked(label, seconds)

    # --- between two batches ----------------------------------------------------------------------

    def keep(self) -> None:
        """The run is done, and another one belongs to the same batch: it finds what this one left."""
        for place in self._places:
            if place.left is not None:
                place.put(place.left)

    def drop(self) -> None:
        """The run failed."""
        for place in self._places:
            place.left = None

    def done(self) -> None:
        """The batch is committed: what its runs left is in force."""
        self.keep()
        for place in self._places:
            place.committed = place.before

    def undo(self) -> None:
        """The batch is not committed."""
        for place in self._places:
            place.put(place.committed)

    def look(self, now: float | None = None) -> None:
        """Look for newer models, every two seconds at most."""
        moment = time.monotonic() if now is None else now
        if not self._held or moment < self._looked + LOOK:
            return
        self._looked = moment
        for held in self._held:
            try:
                renewed = held.look()
            except LogsqlError as error:
                if self._said.get(held.label) != error.diagnostic.message:
                    self._said[held.label] = error.diagnostic.message
                    self.report(held.label, error)
                continue
            self._said.pop(held.label, None)
            if renewed:
                self.report(held.label, None)

    # --- over a restart ---------------------------------------------------------------------------

    def save(self) -> dict[str, bytes]:
        """What the runs of the batch that is being committed left, by place; what did not change is not in it."""
        rows = {place.name: place.before if place.left is None else place.left for place in self._places}
        changed = {p.name for p in self._places if rows[p.name] is not p.committed}
        return {name: _written(row) for name, row in rows.items() if row is not None and name in changed}

    def load(self, states: Mapping[str, bytes]) -> None:
        """Take up what :meth:`save` gave; what is not in it begins anew."""
        for place in self._places:
            data = states.get(place.name)
            place.put(None if data is None else _read(data))
            place.committed = place.before


def _written(row: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, row.schema) as writer:
        writer.write_batch(row)
    return bytes(sink.getvalue())


def _read(data: bytes) -> pa.RecordBatch | None:
    try:
        with pa.ipc.open_stream(data) as reader:
            return reader.read_next_batch()
    except (pa.ArrowException, StopIteration, OSError):
        return None
