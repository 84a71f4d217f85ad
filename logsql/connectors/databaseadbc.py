"""Other databases, by the ADBC driver that a profile names: a package or a library, which is told the ``url``.

What only some drivers offer is not asked for: statements take their values by place (``?``), types are those of Arrow,
and keys are looked up one by one. A driver that knows no transaction that only reads still has every one taken back.
"""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import adbc_driver_manager as adbc
import adbc_driver_manager.dbapi as dbapi
import pyarrow as pa

from logsql.connectors import databaseplace
from logsql.connectors.access import Access
from logsql.connectors.databasetypes import bare, decimal_type
from logsql.connectors.databasevalues import quoted, wire_text
from logsql.diagnostics.redaction import FEWEST, MASK
from logsql.planner.connections.databases import (
    Cancelled,
    DatabaseProblem,
    DbField,
    Opened,
    Routine,
    Statement,
    Target,
)
from logsql.values.types import ANY_JSON, BINARY, BOOL, DATE, DOUBLE, FLOAT, INT, LONG, SHORT, STRING, LType
from udfs.readers.errors import ReadCancelled

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.planner.runtime import Losses

T = TypeVar("T")
_READ_ONLY = "adbc.connection.readonly"

#: Arrow's types -> the type in the language, and how it crosses.
_TYPES: tuple[tuple[Callable[[pa.DataType], bool], LType, str], ...] = (
    (pa.types.is_boolean, BOOL, "BOOLEAN"),
    (lambda t: t in (pa.int8(), pa.uint8(), pa.int16()), SHORT, "SMALLINT"),
    (lambda t: t in (pa.int32(), pa.uint16()), INT, "INTEGER"),
    (lambda t: t in (pa.int64(), pa.uint32()), LONG, "BIGINT"),
    (lambda t: t in (pa.float16(), pa.float32()), FLOAT, "REAL"),
    (pa.types.is_float64, DOUBLE, "DOUBLE"),
    (lambda t: pa.types.is_timestamp(t) and t.tz is not None, DATE, DATE.physical),
    (pa.types.is_timestamp, DATE, "TIMESTAMP"),
    (pa.types.is_date, DATE, "DATE"),
    (lambda t: pa.types.is_binary(t) or pa.types.is_large_binary(t), BINARY, "BLOB"),
    (pa.types.is_nested, ANY_JSON, "JSON"),
)


def _field(column: pa.Field) -> DbField:
    """A column of an answer; what has no type here is text."""
    if pa.types.is_decimal(column.type) and 0 <= column.type.scale <= column.type.precision <= 38:
        type_, crossing = decimal_type(column.type.precision, column.type.scale)
        return DbField(column.name, type_, crossing)
    for holds, type_, crossing in _TYPES:
        if holds(column.type):
            return DbField(column.name, type_, crossing)
    return DbField(column.name, STRING, "VARCHAR")


def _crossed(array: pa.Array, field: DbField) -> pa.Array:
    """A column in the type in which it crosses, as far as only Arrow can bring it there."""
    if field.crossing == "JSON":
        return pa.array(
            [None if one is None else json.dumps(one, default=str) for one in array.to_pylist()], pa.string()
        )
    array = bare(array)
    return array.cast(pa.string()) if field.crossing == "VARCHAR" and not pa.types.is_string(array.type) else array


class Link:
    """A connection, one for each statement: drivers differ in what they allow beside an open answer."""

    def __init__(self, profile: Profile, password: str | None, reading: bool) -> None:
        self.target = databaseplace.target_of(profile)
        self._password = password
        given = {key: value for key, value in (("username", profile.user), ("password", password)) if value}
        uri = {"uri": profile.urls[0]} if profile.urls else {}
        with self.said():
            self.connection = dbapi.connect(driver=_library(profile), db_kwargs=uri | given)
            if reading:
                with suppress(adbc.Error):
                    self.connection.adbc_connection.set_options(**{_READ_ONLY: "true"})
            self.cursor = self.connection.cursor()

    @contextmanager
    def said(self) -> Iterator[None]:
        """What the driver says becomes a DatabaseProblem, without the password."""
        try:
            yield
        except (adbc.Error, pa.ArrowException, OSError) as error:
            text = str(error).partition("\n")[0]
            hidden = self._password if self._password and len(self._password) >= FEWEST else None
            message = text.replace(hidden, MASK) if hidden else text
            raise DatabaseProblem(self.target, message, getattr(error, "sqlstate", None) or "HY000") from None

    @contextmanager
    def watching(self, cancelled: Cancelled) -> Iterator[None]:
        """Cancels what the driver does as soon as the query is to end. Raises ReadCancelled then."""
        done = threading.Event()

        def watch() -> None:
            while not done.wait(0.05):
                if cancelled():
                    with suppress(adbc.Error):
                        self.cursor.adbc_cancel()

        watcher = threading.Thread(target=watch, name="logsql database watch", daemon=True)
        watcher.start()
        try:
            with self.said():
                yield
        except DatabaseProblem:
            if cancelled():
                raise ReadCancelled("cancelled") from None
            raise
        finally:
            done.set()
            watcher.join()

    def close(self) -> None:
        """Take back what was not committed, and end."""
        for end in (self.cursor.close, self.connection.rollback, self.connection.close):
            with suppress(adbc.Error):
                end()


def _library(profile: Profile) -> str:
    """The driver of a profile: the library that a package brings, else what is written."""
    driver = profile.driver or ""
    if driver.startswith("adbc_driver_") and driver.isidentifier():
        with suppress(ImportError):
            found = getattr(importlib.import_module(driver), "_driver_path", None)
            return str(found()) if found is not None else driver
    return driver


class OtherServer:
    """The database of a profile."""

    def __init__(self, profile: Profile, access: Access, password: str | None) -> None:
        self._profile, self._password = profile, password
        self.zone = ZoneInfo(access.zone)
        self.target = databaseplace.target_of(profile)

    def link(self, reading: bool = True) -> Link:
        """A connection of its own."""
        return Link(self._profile, self._password, reading)

    def bound(self, value: object) -> object:
        """A value as a driver takes it."""
        return value if isinstance(value, int | float | str | bytes) else wire_text(value, self.zone)

    def query(self, asked: Statement, given: Mapping[str, object], watch: Cancelled, look: bool) -> OtherRows:
        """A statement that reads."""
        return OtherRows(self, asked, [self.bound(given[place.name]) for place in asked.places], watch)

    def lookup(self, asked: Statement, watch: Cancelled) -> OtherLookup:
        """A statement that is asked for keys."""
        return OtherLookup(self, asked, watch)

    def writer(self, target: Target, watch: Cancelled) -> OtherWriting:
        """A table that rows go to."""
        return OtherWriting(self, target)

    def call(self, routine: Routine, watch: Cancelled) -> Opened:
        """No form of a call is common to all."""
        raise DatabaseProblem(self.target, routine.name, state="no-routine")

    def close(self) -> None:
        """Nothing is held."""


class OtherRows:
    """The rows of a statement, whose columns are known when it was begun."""

    def __init__(self, server: OtherServer, asked: Statement, given: Sequence[object], watch: Cancelled) -> None:
        self._server, self._text, self._given = server, asked.filled(lambda name: "?"), given
        self._begun: Generator[pa.RecordBatch] | None = None
        coming = self._raw(watch)
        first = next(coming)
        self.fields = tuple(map(_field, first.schema))
        self._begun = coming

    def _raw(self, cancelled: Cancelled) -> Generator[pa.RecordBatch]:
        """A batch without rows, then those of the answer."""
        link = self._server.link()
        try:
            with link.watching(cancelled):
                link.cursor.execute(self._text, list(self._given) or None)
                reader = link.cursor.fetch_record_batch()
                if not len(reader.schema):
                    raise DatabaseProblem(link.target, state="no-rows")
                yield pa.RecordBatch.from_pylist([], schema=reader.schema)
                yield from reader
        finally:
            link.close()

    def batches(self, cancelled: Cancelled, loss: Losses) -> Iterator[pa.RecordBatch]:
        """The rows, from the begin each time."""
        begun, self._begun = self._begun, None
        coming = begun if begun is not None else self._raw(cancelled)
        try:
            for batch in coming:
                arrays = [_crossed(column, field) for column, field in zip(batch.columns, self.fields, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, names=[str(number) for number in range(len(arrays))])
        finally:
            coming.close()

    def close(self) -> None:
        """Give up what was begun."""
        begun, self._begun = self._begun, None
        if begun is not None:
            begun.close()


class OtherLookup:
    """A statement that is asked once for each key; the values of its first row are those of a document."""

    def __init__(self, server: OtherServer, asked: Statement, watch: Cancelled) -> None:
        self._server, self._asked, self._text = server, asked, asked.filled(lambda name: "?")
        self._link = server.link()
        try:
            found = self._ask([None] * len(asked.places), watch)
        except BaseException:
            self._link.close()
            raise
        self.fields = tuple(DbField(name, ANY_JSON, "JSON") for name in found.column_names)

    def _ask(self, values: Sequence[object], cancelled: Cancelled) -> pa.Table:
        with self._link.watching(cancelled):
            self._link.cursor.execute(self._text, list(values) or None)
            found: pa.Table = self._link.cursor.fetch_arrow_table()
            return found

    def answers(self, keys: Sequence[tuple[object, ...]], cancelled: Cancelled, loss: Losses) -> pa.Table:
        """One row for each key."""
        numbers = {name: number for number, name in enumerate(self._asked.names)}
        rows: list[dict[str, object] | None] = []
        for key in keys:
            values = [self._server.bound(key[numbers[place.name]]) for place in self._asked.places]
            found = self._ask(values, cancelled)
            rows.append(found.slice(0, 1).to_pylist()[0] if found.num_rows else None)
        arrays: list[pa.Array] = [pa.array([None if row is None else True for row in rows], pa.bool_())]
        for field in self.fields:
            cells = [None if row is None else row[field.name] for row in rows]
            arrays.append(pa.array([None if c is None else json.dumps(c, default=str) for c in cells], pa.string()))
        return pa.Table.from_arrays(arrays, names=["__found", *(str(number) for number in range(len(self.fields)))])

    def close(self) -> None:
        self._link.close()


class OtherWriting:
    """Rows into a table, each batch a transaction."""

    def __init__(self, server: OtherServer, target: Target) -> None:
        self._server, self._target = server, target
        self._link = server.link(reading=False)
        table = ".".join(map(quoted, filter(None, (target.schema, target.table))))
        names = ", ".join(map(quoted, target.columns))
        self._insert = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(target.columns))})"
        same = " AND ".join(f"{quoted(key)} = ?" for key in target.keys)
        self._find = f"SELECT count(*) FROM {table} WHERE {same}"
        self._others = [at for at, name in enumerate(target.columns) if name not in target.keys]
        sets = ", ".join(f"{quoted(target.columns[at])} = ?" for at in self._others)
        self._update = f"UPDATE {table} SET {sets} WHERE {same}"
        self._keys = [target.columns.index(key) for key in target.keys]

    def write(self, rows: Sequence[tuple[object, ...]], cancelled: Cancelled) -> None:
        """One transaction: insert, or select and then update or insert."""
        link = self._link
        try:
            with link.watching(cancelled):
                for row in rows:
                    values = [self._server.bound(one) for one in row]
                    keys = [values[at] for at in self._keys]
                    if not keys or not self._there(keys):
                        link.cursor.execute(self._insert, values)
                    elif self._others:
                        link.cursor.execute(self._update, [values[at] for at in self._others] + keys)
                link.connection.commit()
        except BaseException:
            with suppress(adbc.Error):
                link.connection.rollback()
            raise

    def _there(self, keys: list[object]) -> bool:
        self._link.cursor.execute(self._find, keys)
        found = self._link.cursor.fetchone()
        return found is not None and bool(found[0])

    def close(self) -> None:
        self._link.close()
