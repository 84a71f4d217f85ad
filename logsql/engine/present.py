"""From a relation to columns that any consumer can read: mixed values and maps as JSON text, the rest typed.

VARIANT leaves DuckDB as an opaque struct, so a mixed column is rendered in SQL. Each presented field says its language
type in Arrow metadata (``logsql.type``); a mixed column is JSON text in which binary is lower-case hex and a date
text in the session zone, and a hidden companion column keeps the type per value for consumers that want Python objects.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from logsql.planner import sql
from logsql.planner.plan import column_expr
from logsql.planner.relation import Column, Rel
from logsql.planner.sql import Sql
from logsql.planner.types import Kind, LType
from logsql.planner.values import date_text, is_null, json_pointer

#: Suffix of the companion column with the DuckDB type name per value of a mixed column.
TYPE_SUFFIX = "\0type"


@dataclass(frozen=True)
class Field:
    """A field of the result: name, type label for users, the SQL that delivers it, and the type column's SQL if any."""

    name: str
    label: str
    expr: Sql
    type_expr: Sql | None = None


def present(rel: Rel) -> list[Field]:
    """The visible fields of a relation, ready to fetch."""
    return [present_column(rel, column) for column in rel.columns]


def present_column(rel: Rel, column: Column) -> Field:
    node = column_expr(rel, column)
    type_ = column.type
    if type_.kind is Kind.ANY and not type_.json:
        return Field(column.name, "any", variant_json(node), sql.func("variant_typeof", node))
    if type_.json:
        value = sql.when(sql.not_(is_null(rel.value(column))), sql.cast(node, "VARCHAR"))
        return Field(column.name, type_.label, value)
    if type_.kind is Kind.LIST and not _plain(type_):
        return Field(column.name, "list", list_json(node, type_))
    if type_.kind is Kind.NULL:
        return Field(column.name, "null", sql.cast(sql.null(), "VARCHAR"))
    return Field(column.name, type_.label, node)


def _plain(type_: LType) -> bool:
    """Whether Arrow can carry the type as it is."""
    if type_.kind is Kind.LIST:
        return type_.element is not None and _plain(type_.element)
    return not (type_.json or type_.variant)


def variant_json(node: Sql) -> Sql:
    """JSON text of a mixed value; DuckDB's own rendering of blobs and instants is replaced by the language's."""
    kind = sql.func("variant_typeof", node)
    blob = sql.func("to_json", sql.func("lower", sql.func("hex", sql.try_cast(node, "BLOB"))))
    instant = sql.func("to_json", date_text(sql.try_cast(node, "TIMESTAMP WITH TIME ZONE")))
    rendered = sql.case(
        [(sql.eq(kind, sql.string("BLOB")), blob), (sql.eq(kind, sql.string("TIMESTAMP_MICROS_TZ")), instant)],
        sql.func("to_json", node),
    )
    return sql.when(sql.not_null(node), sql.cast(rendered, "VARCHAR"))


def list_json(node: Sql, type_: LType) -> Sql:
    """JSON text of a list whose elements are mixed or maps."""
    element = type_.element
    item: Sql = sql.var("e")
    if element is not None and element.kind is Kind.LIST:
        item = sql.cast(list_json(item, element), "JSON")
    elif element is not None and element.variant:
        item = sql.cast(variant_json(item), "JSON")
    else:
        item = sql.func("to_json", item)
    items = sql.func("list_transform", node, sql.lambda_(["e"], item))
    return sql.when(sql.not_null(node), sql.cast(sql.func("to_json", items), "VARCHAR"))


def rest_field(document: Sql, name: str, is_map: bool, value_type: LType, types: list[str]) -> Field:
    """A discovered field of an open row: typed when every value met has one JSON type, else mixed."""
    if is_map:
        node = sql.func("map_extract_value", document, sql.string(name))
        rel = Rel("", (Column(name, "v", value_type),), pending={"v": node})
        return present_column(rel, rel.columns[0])
    pointer = sql.string(json_pointer(name))
    text = sql.func("json_extract_string", document, pointer)
    found = {t for t in types if t and t != "NULL"}
    if found == {"VARCHAR"}:
        return Field(name, "string", text)
    if found and found <= {"UBIGINT", "BIGINT"}:
        return Field(
            name, "long", sql.cast(text, "HUGEINT" if "UBIGINT" in found and "BIGINT" not in found else "BIGINT")
        )
    if found == {"DOUBLE"}:
        return Field(name, "double", sql.cast(text, "DOUBLE"))
    if found == {"BOOLEAN"}:
        return Field(name, "bool", sql.cast(text, "BOOLEAN"))
    node = sql.cast(sql.func("json_extract", document, pointer), "VARCHAR")
    label = "map" if found == {"OBJECT"} else "list" if found == {"ARRAY"} else "any"
    return Field(name, label, sql.func("nullif", node, sql.string("null")))


def arrow_field(name: str, label: str, type_: pa.DataType) -> pa.Field:
    """The Arrow field shown to consumers, with the language's type where Arrow cannot say it."""
    if label in ("map", "any", "ip") or (label.startswith("list") and not pa.types.is_list(type_)):
        kind = "list" if label.startswith("list") else label
        return pa.field(name, type_, metadata={b"logsql.type": kind.encode()})
    return pa.field(name, type_)
