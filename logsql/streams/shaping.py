"""Rows of changing fields as rows of one shape: known fields as columns, the others in one JSON document."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Sequence

import pyarrow as pa

from logsql.planner.connections.live import REST, Shape

#: The kinds of :data:`~.live.KINDS` and their Arrow types.
ARROW: dict[str, pa.DataType] = {
    "bool": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "string": pa.string(),
    "date": pa.timestamp("us", "UTC"),
    "binary": pa.binary(),
}
_KIND = {type_: kind for kind, type_ in ARROW.items()}


def shape_of(schemas: Sequence[pa.Schema], open_: bool) -> Shape:
    """The shape of rows of several schemas: the columns that have one type, whichever of them have the column."""
    found: dict[str, str | None] = {}
    for schema in schemas:
        for field in schema:
            kind = _KIND.get(field.type)
            if field.metadata and b"logsql.type" in field.metadata and kind == "string":
                kind = kind if field.metadata[b"logsql.type"] == b"string" else None
            found[field.name] = kind if found.get(field.name, kind) == kind else None
    fields = tuple((name, kind) for name, kind in found.items() if kind is not None)
    return Shape(fields, open_ or len(fields) < len(found))


def shaped(rows: pa.Table, shape: Shape) -> pa.Table:
    """The rows in that shape. A value of a known field that is of another type travels in the document."""
    columns: dict[str, pa.ChunkedArray | pa.Array] = {}
    rest = dict(zip(rows.column_names, rows.columns, strict=True))
    for name, kind in shape.fields:
        column = rest.get(name)
        if column is None:
            columns[name] = pa.nulls(rows.num_rows, ARROW[kind])
        elif column.type == ARROW[kind]:
            columns[name] = rest.pop(name)
        else:
            columns[name] = pa.nulls(rows.num_rows, ARROW[kind])
    if shape.open:
        columns[REST] = documents(rest, rows.num_rows)
    return pa.table(columns) if columns else pa.table({REST: pa.nulls(rows.num_rows, pa.string())})


def documents(columns: dict[str, pa.ChunkedArray], count: int) -> pa.Array:
    """The columns as one JSON object a row, without nulls. Columns that are JSON text by their type stay JSON."""
    lists = {name: column.to_pylist() for name, column in columns.items()}
    made: list[str] = []
    for number in range(count):
        row = {name: values[number] for name, values in lists.items() if values[number] is not None}
        made.append(json.dumps(row, ensure_ascii=False, default=_text, separators=(",", ":")))
    return pa.array(made, pa.string())


def _text(value: object) -> object:
    """A value that JSON has no form for."""
    if isinstance(value, dt.datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def encoded(schema: pa.Schema) -> str:
    """A schema as text."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()
