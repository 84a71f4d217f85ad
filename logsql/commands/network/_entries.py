"""Entries of a directory as record batches.

Where a query names its fields, each is a column, or one part column for each type that its values may have. Where it
wants the whole row, names and values travel as lists side by side, one list for each type, and become one map.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from logsql.operators.merging import Idents
from logsql.planner.connections.directory import BYTE_LISTS, GUIDS, TEXT_LISTS, TIMES, Page, Value
from logsql.planner.relation import Column
from logsql.values import sql
from logsql.values.arrow import arrow_type
from logsql.values.sql import Sql
from logsql.values.types import ANY, BINARY, DATE, STRING, LType, list_of

TEXTS, BYTES = list_of(STRING), list_of(BINARY)
#: Names of the columns in which whole rows travel: the names of the attributes, then their values by type.
NAMES = "__names"
VALUES: Mapping[str, LType] = {
    "__text": STRING, "__texts": TEXTS, "__date": DATE, "__bytes": BINARY, "__listed": BYTES,
}  # fmt: skip
#: Told of an attribute that came under another spelling than the query's: the query's, and the server's.
Respelled = Callable[[str, str], None]


def kind_of(name: str) -> LType | None:
    """The type of an attribute that has one whatever its values are; None for all others."""
    kind = name.partition(";")[0].lower()
    if kind in TIMES:
        return DATE
    if kind in TEXT_LISTS:
        return TEXTS
    if kind in BYTE_LISTS:
        return BYTES
    return STRING if kind in GUIDS or kind == "objectsid" else None


def columns_of(names: Sequence[str], lists: Sequence[str]) -> tuple[Column, ...]:
    """The columns of named attributes, ``dn`` first. ``lists``: attributes that are lists also with one value."""
    idents, always = Idents(), {name.lower() for name in lists}
    made = [Column("dn", idents.take("dn"), STRING)]
    for name in names:
        ident, listed = idents.take(name), name.partition(";")[0].lower() in always
        if (kind := kind_of(name)) is not None:
            made.append(Column(name, ident, list_of(kind) if listed and kind is STRING else kind))
            continue
        types = {"texts": TEXTS, "listed": BYTES} if listed else {
            "text": STRING, "texts": TEXTS, "bytes": BINARY, "listed": BYTES,
        }  # fmt: skip
        parts = [(idents.take(f"{ident}.{part}"), type_) for part, type_ in types.items()]
        made.append(Column(name, ident, ANY, tuple(Column(one, one, type_) for one, type_ in parts)))
    return tuple(made)


_PYTHON: tuple[tuple[LType, type, type | None], ...] = (
    (STRING, str, None),
    (BINARY, bytes, None),
    (DATE, dt.datetime, None),
    (TEXTS, list, str),
    (BYTES, list, bytes),
)


def type_of(value: Value) -> LType | None:
    """The type of one value."""
    for type_, kind, inner in _PYTHON:
        if isinstance(value, kind) and (inner is None or isinstance(value[0], inner)):  # type: ignore[index]
            return type_
    return None


@dataclass(frozen=True)
class NamedColumns:
    """Batches of named attributes."""

    columns: tuple[Column, ...]
    respelled: Respelled

    def batch(self, page: Page) -> pa.RecordBatch:
        """The entries of a page."""
        arrays: dict[str, pa.Array] = {"dn": pa.array([dn for dn, _ in page], pa.string())}
        other = {column.name.lower(): column.name for column in self.columns[1:]}
        for column in self.columns[1:]:
            if column.name.lower() == "dn":
                for _ in page:
                    self.respelled(column.name, "dn")
        for _, attributes in page:
            for name in attributes:
                if other.get(name.lower(), name) != name and not any(c.name == name for c in self.columns):
                    self.respelled(other[name.lower()], name)
        for column in self.columns[1:]:
            found = [attributes.get(column.name) for _, attributes in page]
            for part in column.parts or (column,):
                cells = [one if type_of(one) == part.type else None for one in found]
                arrays[part.ident] = pa.array(cells, arrow_type(part.type.physical))
        return pa.RecordBatch.from_pydict(arrays)


@dataclass(frozen=True)
class WholeRows:
    """Batches of whole rows. ``written``: lower-case names of the query's fields to their spelling there."""

    written: Mapping[str, str]
    names: frozenset[str]
    respelled: Respelled

    def batch(self, page: Page) -> pa.RecordBatch:
        """The entries of a page."""
        names: list[str] = []
        values: list[Value] = []
        offsets = [0]
        for _, attributes in page:
            if "dn" in self.written:
                self.respelled(self.written["dn"], "dn")
            for name, value in attributes.items():
                if name == "dn" or value is None:
                    continue
                names.append(name)
                values.append(value)
                if name not in self.names and name.lower() in self.written:
                    self.respelled(self.written[name.lower()], name)
            offsets.append(len(names))
        types = [type_of(value) for value in values]
        at = pa.array(offsets, pa.int32())
        arrays = [
            pa.array([dn for dn, _ in page], pa.string()),
            pa.ListArray.from_arrays(at, pa.array(names, pa.string())),
        ]
        for type_ in VALUES.values():
            cells = [value if kind is type_ else None for value, kind in zip(values, types, strict=True)]
            arrays.append(pa.ListArray.from_arrays(at, pa.array(cells, arrow_type(type_.physical))))
        return pa.RecordBatch.from_arrays(arrays, ["dn", NAMES, *VALUES])


def row_columns() -> tuple[Column, ...]:
    """The columns in which whole rows travel."""
    pairs = [(NAMES, TEXTS), *((name, list_of(type_)) for name, type_ in VALUES.items())]
    return (Column("dn", "dn", STRING), *(Column(name, name, type_) for name, type_ in pairs))


def row_map() -> Sql:
    """The attributes of a row as one ``MAP(VARCHAR, VARIANT)``."""
    item = sql.var("e")
    fields = [sql.func("struct_extract_at", item, sql.integer(at)) for at in range(1, len(VALUES) + 2)]
    branches = [(sql.not_null(node), sql.cast(node, "VARIANT")) for node in fields[1:]]
    pair = sql.struct([("key", fields[0]), ("value", sql.case(branches))])
    zipped = sql.func("list_zip", *(sql.col(name) for name in (NAMES, *VALUES)))
    return sql.func("map_from_entries", sql.func("list_transform", zipped, sql.lambda_(["e"], pair)))
