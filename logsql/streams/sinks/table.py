"""Rows into tables of the server's database, within the transaction of the batch: exactly once.

A table is made of its first batch, new fields become new columns, integers widen. A value that its column cannot hold
as it is (``"abc"`` or 1.5 for an integer) becomes text in the map ``_rest`` of the row, under the name of its field,
and so does a field whose name differs from a column's in letter case only: nothing is changed and nothing is lost.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from sqlglot import exp

from logsql.planner.runtime import Row
from logsql.render.values import holds_json, json_key, json_string, label, text_column
from logsql.streams.book import Commit, Cursor
from logsql.streams.feed import Feed
from logsql.streams.metrics import SINK_ROWS
from logsql.streams.settings import Sink as Settings
from logsql.streams.sinks.base import TICK, Place, Staged
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import data_type

REST = "_rest"
_BATCH = "logsql_rows"
#: Seconds between two removals of rows that are too old.
HOUR = 3600.0
_WIDTHS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
#: Types of the language that a column of DuckDB cannot tell by itself, as comments on columns say them.
_COMMENTS = {"map": "logsql:map", "ip": "logsql:ip"}


@dataclass(frozen=True)
class _Field:
    """A field of a batch. ``place``: its column there; ``type``: that of a new column of the table."""

    name: str
    place: str
    type: str
    label: str


class Tables:
    """Writes batches: :meth:`write` is what the book is given; :meth:`moved` says how many values went to ``_rest``."""

    def __init__(self) -> None:
        self._moved: dict[tuple[str, int], int] = {}

    def write(self, cursor: Cursor, name: str, rows: pa.Table) -> None:
        """Add rows to a table, which is made where it is not there. Raises duckdb.Error."""
        writing = _Writing(cursor, name, rows)
        try:
            self._moved[name, threading.get_ident()] = writing.insert()
        finally:
            with suppress(duckdb.Error):  # what ended the transaction says more
                cursor.unregister(_BATCH)

    def moved(self, name: str) -> int:
        """Values of this thread's last batch that went to ``_rest``; asked for once."""
        return self._moved.pop((name, threading.get_ident()), 0)


class _Writing:
    """One batch into one table."""

    def __init__(self, cursor: Cursor, name: str, rows: pa.Table) -> None:
        self._cursor = cursor
        self._name = name
        self._rows = rows
        self._table = exp.Table(this=sql.ident(name))
        columns = [f"c{number}" for number in range(rows.num_columns)]
        # A row without fields is a row: its batch has a column all the same, which counts it.
        self._batch = pa.Table.from_arrays(rows.columns or [pa.nulls(rows.num_rows)], names=columns or ["c0"])
        cursor.register(_BATCH, self._batch)
        types = [str(row[1]) for row in cursor.execute(f"DESCRIBE {_BATCH}").fetchall()][: len(columns)]
        self._fields = [
            _Field(field.name, place, _type(field, given), label(field))
            for field, place, given in zip(rows.schema, columns, types, strict=True)
        ]
        found = cursor.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND schema_name = 'main' "
            "AND database_name = current_database() ORDER BY column_index",
            [name],
        ).fetchall()
        self._have: dict[str, str] = {str(column): str(kind) for column, kind in found}

    def insert(self) -> int:
        """Add the rows; how many values went to ``_rest``."""
        names = {column.lower(): column for column in self._have}
        items: dict[str, Sql] = {}
        doubtful: list[tuple[_Field, Sql]] = []
        for field in self._fields:
            known = names.get(field.name.lower()) if field.name else ""
            if known is None and field.type == "NULL":
                continue  # no type yet: a later value brings its own
            if known is None:
                self._add(field)
                names[field.name.lower()] = field.name
            elif known != field.name or not field.name or field.name in items:
                # another field, which the table cannot hold beside the column
                doubtful.append((field, sql.not_null(sql.col(field.place))))
                continue
            self._widen(field)
            items[field.name], misfit = self._fitted(field, self._have[field.name])
            if misfit is not None:
                doubtful.append((field, misfit))
        moved, bad = self._misfits(doubtful)
        if bad or not items:
            rest = _Field(names.get(REST, REST), "", "JSON", "map")
            if rest.name not in self._have:
                self._add(rest)
            items[rest.name] = _merged(items.get(rest.name), self._rest(bad)) if bad else sql.null("JSON")
        target = exp.Schema(this=self._table, expressions=[sql.ident(column) for column in items])
        query = sql.select([sql.alias(node, f"v{n}") for n, node in enumerate(items.values())], sql.table(_BATCH))
        self._run(exp.Insert(this=target, expression=query))
        return moved

    def _run(self, statement: exp.Expression) -> list[Row]:
        return self._cursor.execute(statement.sql("duckdb")).fetchall()

    def _add(self, field: _Field) -> None:
        """Make the column, and the table with it."""
        column = exp.ColumnDef(this=sql.ident(field.name), kind=data_type(field.type))
        if self._have:
            self._run(exp.Alter(this=self._table.copy(), kind="TABLE", actions=[column]))
        else:
            made = exp.Schema(this=self._table.copy(), expressions=[column])
            self._run(exp.Create(this=made, kind="TABLE"))
        self._have[field.name] = field.type
        if (comment := _COMMENTS.get(field.label)) is not None:
            place = exp.Column(this=sql.ident(field.name), table=sql.ident(self._name))
            self._run(exp.Comment(this=place, kind="COLUMN", expression=sql.string(comment)))

    def _widen(self, field: _Field) -> None:
        """Integers that are larger than the column's make it a column of larger ones."""
        have = self._have[field.name]
        if have in _WIDTHS and field.type in _WIDTHS and _WIDTHS.index(field.type) > _WIDTHS.index(have):
            change = exp.AlterColumn(this=sql.ident(field.name), dtype=data_type(field.type))
            self._run(exp.Alter(this=self._table.copy(), kind="TABLE", actions=[change]))
            self._have[field.name] = field.type

    def _misfits(self, doubtful: list[tuple[_Field, Sql]]) -> tuple[int, list[tuple[_Field, Sql]]]:
        """How many values do not fit, and the fields that have some."""
        if not doubtful:
            return 0, []
        tests = [sql.func("count_if", test.copy()) for _, test in doubtful]
        counts = self._run(sql.select([sql.alias(n, f"n{i}") for i, n in enumerate(tests)], sql.table(_BATCH)))[0]
        return sum(counts), [one for one, count in zip(doubtful, counts, strict=True) if count]

    def _rest(self, bad: list[tuple[_Field, Sql]]) -> Sql:
        """The map of a row's values that do not fit, as text; null where all fit."""
        members = [
            sql.when(test.copy(), sql.concat(sql.string(json_key(field.name) + ":"), self._text(field, quoted=True)))
            for field, test in bad
        ]
        body = sql.func("nullif", sql.func("concat_ws", sql.string(","), *members), sql.string(""))
        return sql.cast(sql.concat(sql.string("{"), body, sql.string("}")), "JSON")

    def _text(self, field: _Field, quoted: bool = False) -> Sql:
        """The values of a field as the language prints them (as JSON strings), which join the batch."""
        number = [other.place for other in self._fields].index(field.place)
        text = text_column(self._rows.column(number).combine_chunks(), self._rows.schema.field(number))
        place = f"{'q' if quoted else 't'}{number}"
        if place not in self._batch.column_names:
            self._batch = self._batch.append_column(place, json_string(text) if quoted else text)
            self._cursor.register(_BATCH, self._batch)
        return sql.col(place)

    def _fitted(self, field: _Field, have: str) -> tuple[Sql, Sql | None]:
        """The value in the column's type, null where it is none of it, and the test for that (None: it always is)."""
        value = sql.col(field.place)
        if field.type == have:
            return (sql.cast(value, "JSON"), None) if have == "JSON" else (value, None)
        if field.type == "NULL":
            return sql.null(have), None
        if field.type in _WIDTHS and have in _WIDTHS:
            return value, None
        if have == "VARCHAR":
            return self._text(field), None
        if have == "JSON":
            return sql.func("to_json", value), None
        if "BOOLEAN" in (have, field.type) and field.type not in ("VARCHAR", "JSON"):
            return sql.null(have), sql.not_null(value)  # 1 is not true
        as_it_is = self._text(field) if field.type == "JSON" else value
        there = sql.try_cast(as_it_is, have)
        back = sql.try_cast(there.copy(), "VARCHAR" if field.type == "JSON" else field.type)
        same = sql.coalesce(sql.eq(back, as_it_is.copy()), sql.boolean(False))
        return sql.when(same, there), sql.and_(sql.not_null(value.copy()), sql.not_(same.copy()))


def _type(field: pa.Field, given: str) -> str:
    if holds_json(field):
        return "JSON"
    return "NULL" if pa.types.is_null(field.type) else given


def _merged(theirs: Sql | None, ours: Sql) -> Sql:
    if theirs is None:
        return ours
    both = sql.func("json_merge_patch", theirs, ours.copy())
    return sql.coalesce(sql.when(sql.not_null(ours.copy()), both), theirs.copy(), ours)


class TableSink:
    """``kind = "table"``. ``tables`` is what the book writes with."""

    kind = "table"

    def __init__(self, settings: Settings, place: Place, tables: Tables) -> None:
        self.name = settings.name
        self._settings = settings
        self._place = place
        self._tables = tables
        self._table = settings.table or settings.name
        self._held: dict[str, list[pa.Table]] = {}
        self._rest = 0
        self._trouble: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def full(self) -> bool:
        """Never: rows go into the transaction of the batch."""
        return False

    def wait_room(self, seconds: float) -> bool:
        """See :class:`.base.Sink`."""
        return True

    def stage(self, rows: pa.Table, unit: str) -> None:
        """See :class:`.base.Sink`."""
        if rows.num_rows:
            self._held.setdefault(unit, []).append(rows)

    def feeds(self) -> tuple[Feed, ...]:
        """None: its rows go into the database at once."""
        return ()

    def staged(self, unit: str) -> Staged:
        """See :class:`.base.Sink`."""
        return Staged(tables=tuple((self._table, rows) for rows in self._held.get(unit, ())))

    def committed(self, unit: str) -> None:
        """See :class:`.base.Sink`."""
        held = self._held.pop(unit, None)
        if held:
            self._place.metrics.add(SINK_ROWS, (self.name,), sum(rows.num_rows for rows in held))
            self._rest += self._tables.moved(self._table)

    def aborted(self, unit: str) -> None:
        """See :class:`.base.Sink`."""
        self._held.pop(unit, None)

    def recover(self, ends: Mapping[str, int]) -> None:
        """Nothing is kept outside the transaction."""

    def start(self) -> None:
        """Begin to remove what is too old, if that is wanted."""
        if self._settings.retention is not None:
            self._thread = threading.Thread(target=self._clean, name=f"sink {self.name}", daemon=True)
            self._thread.start()

    def begin_stop(self, deadline: float) -> None:
        """See :class:`.base.Sink`."""
        self._stopping.set()

    def stop(self, deadline: float) -> None:
        """See :class:`.base.Sink`."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()) + 1)

    def status(self) -> dict[str, object]:
        """See :class:`.base.Sink`. ``rest``: values that went to ``_rest``."""
        return {
            "name": self.name,
            "kind": self.kind,
            "state": "failing" if self._trouble else "running",
            "trouble": self._trouble,
            "table": self._table,
            "rows": int(self._place.metrics.value(SINK_ROWS, (self.name,))),
            "rest": self._rest,
        }

    def _clean(self) -> None:
        due = 0.0
        while not self._stopping.wait(TICK):
            if time.monotonic() >= due:
                due = time.monotonic() + HOUR
                try:
                    self._place.book.commit(Commit(f"sink:{self.name}", inside=(self.remove_old,)))
                    self._trouble = None
                except (duckdb.Error, OSError) as problem:
                    self._trouble = type(problem).__name__

    def remove_old(self, cursor: Cursor) -> None:
        """Delete rows whose ``_time`` is older than ``retention``, where there is such a table."""
        kinds = cursor.execute(
            "SELECT data_type FROM duckdb_columns() WHERE table_name = ? AND column_name = '_time' "
            "AND schema_name = 'main' AND database_name = current_database()",
            [self._table],
        ).fetchall()
        if not kinds or not str(kinds[0][0]).startswith("TIMESTAMP"):
            return
        limit = sql.func("to_timestamp", sql.double(self._place.now() - (self._settings.retention or 0.0)))
        old = exp.LT(this=sql.col("_time"), expression=limit)
        gone = exp.Delete(this=exp.Table(this=sql.ident(self._table)), where=exp.Where(this=old))
        cursor.execute(gone.sql("duckdb"))
