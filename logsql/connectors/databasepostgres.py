"""PostgreSQL: statements that read, look-ups, writing, calls, and the connections of a profile."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import pyarrow as pa

from logsql.connectors import databaseplace
from logsql.connectors.access import Access
from logsql.connectors.databasesession import BATCH, READ_ONLY, Prepared, Session, converted, named, one_row, selection
from logsql.connectors.databasetypes import Digits, Wire, bare, spelled, type_of, wire
from logsql.connectors.databasevalues import quoted, unused, wire_text
from logsql.diagnostics.databases import OUTPUT_UNREADABLE
from logsql.planner.connections.databases import Cancelled, DatabaseProblem, DbField, Routine, Statement, Target
from logsql.values.types import ANY, ANY_JSON

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.planner.runtime import Losses

T = TypeVar("T")
#: Rows that are fetched at most at once.
MOST_ROWS = 20_000
#: Rows, and their bytes, that are looked at to find the type of numbers without a declared size: of an answer that ends
#: within them every number has one type.
SEEN_ROWS, SEEN_BYTES = 262_144, 8 << 20
#: Statements that can stand in parentheses.
_SELECT = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*(?:select|with|values|table)\b", re.IGNORECASE | re.DOTALL)
#: What stands before a statement with values. (``COPY (`` before the others is the driver's, which asks for the columns
#: of what stands in it before: that is what the server points into.)
_CURSOR = "DECLARE lq NO SCROLL CURSOR FOR "


def _bound(number: int) -> str:
    return f"${number + 1}::text"


class Rows:
    """The rows of a statement. ``take`` and ``give`` are those of the pool."""

    def __init__(
        self,
        prepared: Prepared,
        given: Mapping[str, object],
        zone: ZoneInfo,
        take: Callable[[], Session],
        give: Callable[[Session], None],
    ) -> None:
        self._prepared, self._take, self._give = prepared, take, give
        self._selects = _SELECT.match(prepared.asked.text) is not None
        texts = [wire_text(given[name], zone, prepared.kinds.get(name, "")) for name in prepared.asked.names]
        self._bound = one_row(texts) if texts else None
        self._wires = [wire(column) for column in prepared.columns]
        self._begun: Generator[pa.RecordBatch] | None = None

    @property
    def fields(self) -> tuple[DbField, ...]:
        return tuple(one.field for one in self._wires)

    def look(self, cancelled: Cancelled) -> None:
        """Run it now where its numbers have no declared size, and find the types that hold them."""
        if not any(type_of(c) == "numeric" and w.field.crossing == "DOUBLE" for c, w in self._pairs()):
            return
        session = self._take()
        coming = self._raw(session, cancelled)
        seen: list[pa.RecordBatch] = []
        try:
            while not (enough := _enough(seen)) and (batch := next(coming, None)) is not None:
                seen.append(batch)
        except BaseException:
            coming.close()
            raise
        firsts = [[batch.column(at) for batch in seen] for at in range(len(self._wires))]
        pairs = zip(self._prepared.columns, firsts, strict=True)
        self._wires = [wire(column, first, not enough) for column, first in pairs]
        self._begun = _chained(seen, coming)

    def _pairs(self) -> Iterator[tuple[pa.Field, Wire]]:
        return zip(self._prepared.columns, self._wires, strict=True)

    def batches(self, cancelled: Cancelled, loss: Losses) -> Iterator[pa.RecordBatch]:
        """The rows, from the begin each time."""
        begun, self._begun = self._begun, None
        coming = begun if begun is not None else self._raw(self._take(), cancelled)
        try:
            for batch in coming:
                arrays = converted(batch.columns, self._wires, self._prepared.raw, loss)
                yield pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])
        finally:
            coming.close()

    def _raw(self, session: Session, cancelled: Cancelled) -> Generator[pa.RecordBatch]:
        whole = False
        try:
            with session.watching(cancelled):
                session.run(READ_ONLY)
                for batch in self._fetched(session) if self._bound is not None else self._copied(session):
                    if batch.num_rows:
                        yield batch
                whole = True
        except DatabaseProblem as problem:
            sent = f"{_CURSOR}{self._text}" if self._bound is not None else self._text
            raise self._prepared.place(problem, _bound, sent) from None
        finally:
            if whole:
                session.back()
            else:
                session.usable = False
                session.cancel()
            self._give(session)

    @property
    def _text(self) -> str:
        text = self._prepared.text(_bound)
        if not any(one.form for one in self._wires) or not self._selects:
            return text
        return f"SELECT {selection(self._wires, 'lq')} FROM {named(text, self._wires, 'lq')}"

    def _copied(self, session: Session) -> Iterator[pa.RecordBatch]:
        reader = session.reader(self._text, copy=self._selects)
        while (batch := session.next(reader)) is not None:
            yield batch

    def _fetched(self, session: Session) -> Iterator[pa.RecordBatch]:
        """Through a cursor: the answer to a statement with bound values comes whole otherwise."""
        session.run("SET LOCAL cursor_tuple_fraction = 1")
        session.run(f"{_CURSOR}{self._text}", self._bound)
        rows = 100
        while True:
            table = session.table(f"FETCH FORWARD {rows} FROM lq")
            yield from table.to_batches()
            if table.num_rows < rows:
                return
            rows = max(1, min(MOST_ROWS, rows * 10, BATCH * rows // max(table.nbytes, 1)))

    def close(self) -> None:
        """Give up what was begun."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.close()


def _enough(seen: list[pa.RecordBatch]) -> bool:
    rows, size = sum(batch.num_rows for batch in seen), sum(batch.nbytes for batch in seen)
    return rows >= SEEN_ROWS or bool(size >= SEEN_BYTES)


def _chained(seen: list[pa.RecordBatch], coming: Generator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    try:
        while seen:
            yield seen.pop(0)
        yield from coming
    finally:
        coming.close()


# --- look-ups ---------------------------------------------------------------------------------------------------------


class Lookups:
    """A statement that is asked for many keys at once: one statement of the server for a batch of keys."""

    def __init__(self, session: Session, prepared: Prepared, give: Callable[[Session], None]) -> None:
        self._session, self._prepared, self._give = session, prepared, give
        self._wires = [_looked_up(column) for column in prepared.columns]
        keyed = unused("lqk", (), prepared.asked.text)
        text = prepared.text(lambda number: f"({keyed}.v->>{number})")
        inner = f"SELECT true AS f, {selection(self._wires, 'lq')} FROM {named(text, self._wires, 'lq')} LIMIT 1"
        keys = f"jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS {keyed}(v, n)"
        self._text = f"SELECT lqa.* FROM {keys} LEFT JOIN LATERAL ({inner}) AS lqa ON true ORDER BY {keyed}.n"

    @property
    def fields(self) -> tuple[DbField, ...]:
        return tuple(one.field for one in self._wires)

    def answers(self, keys: Sequence[tuple[object, ...]], cancelled: Cancelled, loss: Losses) -> pa.Table:
        """One row for each key."""
        kinds = [self._prepared.kinds.get(name, "") for name in self._prepared.asked.names]
        zone = self._session.zone
        rows = [[wire_text(one, zone, kind) for one, kind in zip(key, kinds, strict=True)] for key in keys]
        session = self._session
        with session.watching(cancelled):
            session.run(READ_ONLY)
            try:
                table = session.table(self._text, one_row([json.dumps(rows, ensure_ascii=False)]))
            finally:
                session.back()
        found = table.combine_chunks()
        asked, *columns = map(_one, found.columns)
        arrays = [asked, *converted(columns, self._wires, session.raw, loss)]
        return pa.Table.from_arrays(arrays, names=["__found", *(str(number) for number in range(len(arrays) - 1))])

    def close(self) -> None:
        self._give(self._session)


def _one(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _looked_up(column: pa.Field) -> Wire:
    """As :func:`wire`; a number without a declared size crosses as its digits, as its size is known too late."""
    found = wire(column)
    if type_of(column) == "numeric" and found.field.crossing == "DOUBLE":
        return Wire(DbField(column.name, ANY, "VARCHAR"), found.form, Digits(column.name))
    return found


# --- writing ----------------------------------------------------------------------------------------------------------

_COLUMNS = """
SELECT a.attname::text, quote_ident(n.nspname) || '.' || quote_ident(t.typname), t.typname::text
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE a.attrelid = to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped"""


class Writing:
    """Rows into a table, one statement a batch."""

    def __init__(self, session: Session, target: Target, give: Callable[[Session], None]) -> None:
        self._session, self._give, self._target = session, give, target
        self._table = ".".join(map(quoted, filter(None, (target.schema, target.table))))
        found = session.table(_COLUMNS, one_row([self._table])).to_pylist()
        types = {str(row["attname"]): row for row in found}
        if not types:
            raise DatabaseProblem(session.place.target, target.table, state="no-table")
        for column in target.columns:
            if column not in types:
                raise DatabaseProblem(session.place.target, column, state="no-column", word=" ".join(types))
        self._kinds = [str(types[column]["typname"]) for column in target.columns]
        casts = [
            f"CAST(k.v->>{at} AS {[*types[column].values()][1]}) AS {quoted(column)}"
            for at, column in enumerate(target.columns)
        ]
        #: The number of a row: under a name that no column has (``n`` was ambiguous beside a column n).
        self._number = unused("lq_row", target.columns)
        numbered = f"jsonb_array_elements($1::text::jsonb) WITH ORDINALITY AS k(v, {self._number})"
        self._rows = f"SELECT {', '.join(casts)}, k.{self._number} FROM {numbered}"

    def write(self, rows: Sequence[tuple[object, ...]], cancelled: Cancelled) -> None:
        """One transaction."""
        session, zone = self._session, self._session.zone
        texts = [[wire_text(one, zone, kind) for one, kind in zip(row, self._kinds, strict=True)] for row in rows]
        given = one_row([json.dumps(texts, ensure_ascii=False)])
        with session.watching(cancelled), session.transaction():
            for text in self._statements():
                session.run(text, given)

    def _statements(self) -> list[str]:
        names, number = ", ".join(map(quoted, self._target.columns)), self._number
        if not self._target.keys:
            return [f"INSERT INTO {self._table} ({names}) SELECT {names} FROM ({self._rows}) AS k ORDER BY {number}"]
        keys = ", ".join(f"k.{quoted(key)}" for key in self._target.keys)
        last = f"SELECT DISTINCT ON ({keys}) * FROM ({self._rows}) AS k ORDER BY {keys}, {number} DESC"
        same = " AND ".join(f"t.{quoted(key)} = k.{quoted(key)}" for key in self._target.keys)
        others = [column for column in self._target.columns if column not in self._target.keys]
        sets = ", ".join(f"{quoted(column)} = k.{quoted(column)}" for column in others)
        absent = f"NOT EXISTS (SELECT 1 FROM {self._table} AS t WHERE {same})"
        insert = (
            f"INSERT INTO {self._table} ({names}) SELECT {names} FROM ({last}) AS k WHERE {absent} ORDER BY {number}"
        )
        update = f"UPDATE {self._table} AS t SET {sets} FROM ({last}) AS k WHERE {same}"
        return [update, insert] if others else [insert]

    def close(self) -> None:
        self._give(self._session)


# --- calls ------------------------------------------------------------------------------------------------------------

_ROUTINE = "SELECT p.prokind::text, p.pronargs::int FROM pg_proc p WHERE p.oid = to_regproc($1::text)"


class Call:
    """A call of a procedure or a function, in a transaction of its own that is committed. It runs once."""

    def __init__(self, session: Session, routine: Routine, give: Callable[[Session], None]) -> None:
        self._session, self._give = session, give
        found = session.table(_ROUTINE, one_row([routine.name])).to_pylist()
        if not found:
            raise DatabaseProblem(session.place.target, routine.name, state="no-routine")
        procedure = found[0]["prokind"] == "p"
        inputs = [value for at, value in enumerate(routine.arguments) if at not in routine.outputs]
        marks = iter(range(1, len(inputs) + 1))
        written = [f"${next(marks)}" if at not in routine.outputs else "NULL" for at in range(len(routine.arguments))]
        if not procedure:
            written = [mark for mark in written if mark != "NULL"]
        form = "CALL {}({})" if procedure else "SELECT * FROM {}({})"
        kinds = session.parameters(form.format(routine.name, ", ".join(written))) if inputs else None
        types = [type_of(one) for one in kinds] if kinds is not None else []
        casts = iter([f"CAST(${at}::text AS {quoted(kind)})" for at, kind in enumerate(types, 1)])
        bound = [next(casts) if mark.startswith("$") else mark for mark in written]
        self._text = form.format(routine.name, ", ".join(bound))
        self._bound = (
            one_row([wire_text(v, session.zone, k) for v, k in zip(inputs, types, strict=True)]) if inputs else None
        )
        columns = session.columns(self._text)
        self._wires = [_called(column, session) if procedure else _given(column) for column in columns]
        if not procedure and columns:
            self._text = f"SELECT {selection(self._wires, 'lq')} FROM {named(self._text, self._wires, 'lq')}"
        names = [name for name, _ in routine.outputs.values()]
        if len(names) == len(self._wires):
            renamed = zip(names, self._wires, strict=True)
            self.fields = tuple(DbField(n, w.field.type, w.field.crossing, w.field.parts) for n, w in renamed)
        else:
            self.fields = tuple(one.field for one in self._wires)

    def batches(self, cancelled: Cancelled, loss: Losses) -> Iterator[pa.RecordBatch]:
        """The output parameters as one row, or the rows of the function."""
        session = self._session
        with session.watching(cancelled), session.transaction():
            table = session.table(self._text, self._bound)
        for batch in table.to_batches():
            arrays = converted(batch.columns, self._wires, session.raw, loss)
            yield pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])

    def close(self) -> None:
        self._give(self._session)


def _given(column: pa.Field) -> Wire:
    """As :func:`wire`; a number without a declared size, which is known too late, keeps its digits as JSON."""
    found = wire(column)
    if type_of(column) == "numeric" and found.field.crossing == "DOUBLE":
        return Wire(DbField(column.name, ANY_JSON, "JSON"), found.form, _digits)
    return found


def _called(column: pa.Field, session: Session) -> Wire:
    """As :func:`wire`, of the answer to ``CALL``, which cannot be asked for in another form.

    Raises DatabaseProblem for a type that comes as the server's own bytes, before anything is called.
    """
    found, kind = _given(column), type_of(column)
    if found.form is None or kind == "numeric":
        return found
    inner = column.type.value_type if pa.types.is_list(column.type) else None
    if inner is not None and _crosses(inner):
        return Wire(found.field, None, _documents)
    if pa.types.is_time(column.type):
        return Wire(found.field, None, _times)
    if pa.types.is_integer(column.type) and found.field.crossing == "BIGINT":  # oid and its like
        return Wire(found.field, None, _unsigned)
    message = OUTPUT_UNREADABLE.fill(name=column.name, kind=kind)
    raise DatabaseProblem(session.place.target, message)


def _crosses(type_: pa.DataType) -> bool:
    """Whether values in a list are what they mean."""
    plain = (pa.types.is_string, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    return any(is_one(type_) for is_one in plain)


def _digits(array: pa.Array, loss: Losses) -> list[pa.Array]:
    """NaN and Infinity are no numbers of JSON."""
    texts = spelled(bare(array)).to_pylist()
    return [pa.array([one if one is None or one[-1:].isdigit() else json.dumps(one) for one in texts], pa.string())]


def _documents(array: pa.Array, loss: Losses) -> list[pa.Array]:
    def item(value: object) -> object:  # JSON has no NaN: its name, as the server writes it
        return (
            str(value).replace("inf", "Infinity").replace("nan", "NaN")
            if value in _ENDLESS or value != value
            else value
        )

    lists = [None if one is None else json.dumps(list(map(item, one)), ensure_ascii=False) for one in array.to_pylist()]
    return [pa.array(lists, pa.string())]


_ENDLESS = (float("inf"), float("-inf"))


def _times(array: pa.Array, loss: Losses) -> list[pa.Array]:
    return [pa.array([None if one is None else one.isoformat() for one in array.to_pylist()], pa.string())]


def _unsigned(array: pa.Array, loss: Losses) -> list[pa.Array]:
    return [pa.array([None if one is None else one & 0xFFFFFFFF for one in array.to_pylist()], pa.int64())]


# --- the server of a profile ------------------------------------------------------------------------------------------

#: Connections that are kept for the next statement.
_KEPT = 2


class PostgresServer:
    """The server of a profile, and the connections to it that are kept."""

    def __init__(self, profile: Profile, access: Access, password: str | None) -> None:
        self._profile, self._access, self._password = profile, access, password
        self._idle: list[Session] = []
        self._lock = threading.Lock()

    def query(self, asked: Statement, given: Mapping[str, object], watch: Cancelled, look: bool) -> Rows:
        """A statement that reads."""
        session = self._take()
        try:
            with session.watching(watch):
                prepared = Prepared.of(session, asked)
        finally:
            self._give(session)
        rows = Rows(prepared, given, ZoneInfo(self._access.zone), self._take, self._give)
        if look:
            rows.look(watch)
        return rows

    def lookup(self, asked: Statement, watch: Cancelled) -> Lookups:
        """A statement that is asked for keys."""
        return self._with(watch, lambda session: Lookups(session, Prepared.of(session, asked), self._give))

    def writer(self, target: Target, watch: Cancelled) -> Writing:
        """A table that rows go to."""
        return self._with(watch, lambda session: Writing(session, target, self._give))

    def call(self, routine: Routine, watch: Cancelled) -> Call:
        """A call of a stored procedure."""
        return self._with(watch, lambda session: Call(session, routine, self._give))

    def close(self) -> None:
        """End the connections that are kept."""
        with self._lock:
            kept, self._idle = self._idle, []
        for session in kept:
            session.close()

    def _with(self, watch: Cancelled, make: Callable[[Session], T]) -> T:
        session = self._take()
        try:
            with session.watching(watch):
                return make(session)
        except BaseException:
            self._give(session)
            raise

    def _take(self) -> Session:
        while (kept := self._kept()) is not None:
            if kept.is_alive():  # the server may have been started anew since
                return kept
            kept.close()
        return Session(databaseplace.postgres(self._profile, self._access, self._password), self._access.zone)

    def _kept(self) -> Session | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give(self, session: Session) -> None:
        usable = session.usable and session.let_go()
        with self._lock:
            if usable and len(self._idle) < _KEPT:
                self._idle.append(session)
                return
        session.close()
