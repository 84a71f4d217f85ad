"""From a relation to columns that any consumer can read: mixed values and maps as JSON text, the rest typed.

VARIANT leaves DuckDB as an opaque struct, so a mixed column is rendered in SQL. Each presented field says its language
type in Arrow metadata (``logsql.type``); a mixed column is JSON text in which binary is lower-case hex and a date
text in the session zone, and a hidden companion column keeps the type per value for consumers that want Python objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from logsql.planner.plan import Cte, column_expr, selected
from logsql.planner.relation import Column, Rel
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.texts import date_text
from logsql.values.types import BINARY, DATE, STRING, Kind, LType, list_of
from logsql.values.values import Typed, is_null, json_pointer, not_null, text_sql

#: Suffix of the companion column that says which mixed values are dates or binary (see ``type_text``).
TYPE_SUFFIX = "\0type"

#: Stands among the JSON types of a discovered field when an integer does not fit a signed 64-bit column.
BEYOND_64_BITS = "beyond 64 bits"
#: What the values of an open field may be that is shown with one type: text, dates, binary, lists of text; all others.
MIXED_TYPES = (STRING.physical, DATE.physical, BINARY.physical, f"{STRING.physical}[]", "")
_OF_ONE_TYPE = dict(zip(MIXED_TYPES, (STRING, DATE, BINARY, list_of(STRING)), strict=False))


@dataclass(frozen=True)
class Field:
    """A field of the result: name, type label for users, the SQL that delivers it, and the type column's SQL if any."""

    name: str
    label: str
    expr: Sql
    type_expr: Sql | None = None


def written_out(rel: Rel, ctes: tuple[Cte, ...]) -> tuple[Rel, tuple[Cte, ...]]:
    """The relation with a SELECT of its own for what it computes, where a value is read several times to be shown.

    A mixed value is tested for its types and rendered by each of them: ``eval r = max(v, 5)`` over documents came to
    136 KB of SQL, and binding it took 0.7 seconds.
    """
    repeated = [c for c in rel.columns if _rendered(c.type)]
    computed = any(rel.computed(ident) for column in repeated for ident in column.idents())
    return selected(rel, "written_out", ctes) if computed else (rel, ctes)


def _rendered(type_: LType) -> bool:
    """Whether a value of the type is shown as text made of several readings of it."""
    return type_.json or type_.kind is Kind.ANY or (type_.kind is Kind.LIST and not _plain(type_))


def present(rel: Rel) -> list[Field]:
    """The visible fields of a relation, ready to fetch."""
    return [present_column(rel, column) for column in rel.columns]


def present_column(rel: Rel, column: Column) -> Field:
    node = column_expr(rel, column)
    type_ = column.type
    if type_.kind is Kind.ANY and not type_.json:
        value = rel.value(column)
        text = sql.when(not_null(value), sql.cast(json_text(value), "VARCHAR"))
        return Field(column.name, "any", text, type_text(value))
    if type_.json:
        shown = sql.when(sql.not_(is_null(rel.value(column))), sql.cast(node, "VARCHAR"))
        return Field(column.name, type_.label, shown)
    if type_.kind is Kind.LIST and not _plain(type_):
        value = rel.value(column)
        shown = sql.when(sql.not_null(node), sql.cast(json_text(value), "VARCHAR"))
        return Field(column.name, "list", shown, type_text(value))
    if type_.kind is Kind.NULL:
        return Field(column.name, "null", sql.cast(sql.null(), "VARCHAR"))
    return Field(column.name, type_.label, node)


def _plain(type_: LType) -> bool:
    """Whether Arrow can carry the type as it is."""
    if type_.kind is Kind.LIST:
        return type_.element is not None and _plain(type_.element)
    return not (type_.json or type_.variant)


def json_text(value: Typed) -> Sql:
    """JSON of a value; DuckDB's own rendering of blobs and instants is replaced by the language's."""
    node, type_ = value.expr, value.type
    if value.parts:
        return sql.case([(not_null(part), json_text(part)) for part in value.parts])
    if type_.variant:
        kind = sql.func("variant_typeof", node)
        items = sql.func("list_transform", sql.try_cast(node, "VARIANT[]"), sql.lambda_(["x"], _variant_json("x")))
        listed = (sql.func("starts_with", kind, sql.string("ARRAY")), sql.func("to_json", items))
        return sql.case([*_variant_cases(node), listed], sql.func("to_json", node))
    if type_.kind in (Kind.DATE, Kind.BINARY):
        return sql.func("to_json", text_sql(value))
    if type_.kind is Kind.LIST and type_.element is not None:
        inner = sql.cast(json_text(Typed(sql.var("e"), type_.element)), "JSON")
        return sql.func("to_json", sql.func("list_transform", node, sql.lambda_(["e"], inner)))
    return sql.func("to_json", node)


def _variant_cases(node: Sql) -> list[tuple[Sql, Sql]]:
    kind = sql.func("variant_typeof", node)
    blob = sql.func("to_json", sql.func("lower", sql.func("hex", sql.try_cast(node, "BLOB"))))
    instant = sql.func("to_json", date_text(sql.try_cast(node, DATE.physical)))
    # to_json makes a double of it: 1234567890123456789.12 came out as 1234567890123456800.0
    digits = (sql.func("starts_with", kind, sql.string("DECIMAL")), sql.cast(sql.cast(node, "VARCHAR"), "JSON"))
    return [
        (sql.eq(kind, sql.string("BLOB")), blob),
        (sql.eq(kind, sql.string("TIMESTAMP_MICROS_TZ")), instant),
        digits,
    ]


def _variant_json(name: str) -> Sql:
    node = sql.var(name)
    return sql.cast(sql.case(_variant_cases(node), sql.func("to_json", node)), "JSON")


def type_text(value: Typed, separator: str = ",") -> Sql | None:
    """What the JSON text of a mixed value no longer says: ``D`` and the microseconds of a date, ``B`` for binary, and
    ``L`` and the same for the elements of a list, joined by commas (by semicolons in a list inside a list, as in
    ``array(array(1, 2), 3)``); null or empty for everything else.
    """
    node, type_ = value.expr, value.type
    if value.parts:
        found = [(not_null(part), code) for part in value.parts if (code := type_text(part)) is not None]
        return sql.case(found) if found else None
    if type_.variant:
        kind = sql.func("variant_typeof", node)
        items = sql.func("list_transform", sql.try_cast(node, "VARIANT[]"), sql.lambda_(["x"], _variant_type("x")))
        listed = sql.concat(sql.string("L"), sql.func("array_to_string", items, sql.string(separator)))
        return sql.case([*_type_cases(node), (sql.func("starts_with", kind, sql.string("ARRAY")), listed)])
    if type_.kind is Kind.DATE:
        return _moment(node)
    if type_.kind is Kind.BINARY:
        return sql.string("B")
    if type_.kind is Kind.LIST and type_.element is not None and type_.element.kind is not Kind.LIST:
        code = type_text(Typed(sql.var("e"), type_.element), ";")
        if code is not None:
            filled = sql.coalesce(code, sql.string(""))
            items = sql.func("list_transform", node, sql.lambda_(["e"], filled))
            return sql.concat(sql.string("L"), sql.func("array_to_string", items, sql.string(separator)))
    return None


def _type_cases(node: Sql) -> list[tuple[Sql, Sql]]:
    kind = sql.func("variant_typeof", node)
    moment = _moment(sql.try_cast(node, DATE.physical))
    return [
        (sql.eq(kind, sql.string("BLOB")), sql.string("B")),
        (sql.eq(kind, sql.string("TIMESTAMP_MICROS_TZ")), moment),
    ]


def _variant_type(name: str) -> Sql:
    return sql.case(_type_cases(sql.var(name)), sql.string(""))


def _moment(node: Sql) -> Sql:
    return sql.concat(sql.string("D"), sql.cast(sql.func("epoch_us", node), "VARCHAR"))


def of_one_type(name: str, node: Sql, types: Sequence[str]) -> Field | None:
    """A field of VARIANT whose values have one of :data:`MIXED_TYPES`, in that type; None for others."""
    only = _OF_ONE_TYPE.get(types[0]) if len(types) == 1 else None
    return None if only is None else Field(name, only.label, sql.cast(node, only.physical))


def rest_field(document: Sql, name: str, is_map: bool, value_type: LType, types: list[str]) -> Field:
    """A discovered field of an open row: typed when every value met has one type, else mixed."""
    if is_map:
        node = sql.func("map_extract_value", document, sql.string(name))
        if value_type.variant and (only := of_one_type(name, node, types)) is not None:
            return only
        rel = Rel("", (Column(name, "v", value_type),), pending={"v": node})
        return present_column(rel, rel.columns[0])
    pointer = sql.string(json_pointer(name))
    text = sql.func("json_extract_string", document, pointer)
    found = {t for t in types if t and t != "NULL"}
    if found == {"VARCHAR"}:
        return Field(name, "string", text)
    if found and found <= {"UBIGINT", "BIGINT"}:
        return Field(name, "long", sql.cast(text, "BIGINT"))
    if found and found <= {"UBIGINT", "BIGINT", BEYOND_64_BITS}:
        return Field(name, "long", sql.cast(text, "HUGEINT"))
    if found == {"DOUBLE"}:
        return Field(name, "double", sql.cast(text, "DOUBLE"))
    if found == {"BOOLEAN"}:
        return Field(name, "bool", sql.cast(text, "BOOLEAN"))
    node = sql.cast(sql.func("json_extract", document, pointer), "VARCHAR")
    label = "map" if found == {"OBJECT"} else "list" if found == {"ARRAY"} else "any"
    return Field(name, label, sql.func("nullif", node, sql.string("null")))


def arrow_field(name: str, label: str, type_: pa.DataType) -> pa.Field:
    """The Arrow field shown to consumers, with the language's type where Arrow cannot say it."""
    if pa.types.is_decimal(type_) and label == "long":
        return pa.field(name, type_, metadata={b"logsql.type": b"long"})
    if label in ("map", "any", "ip", "null") or (label.startswith("list") and not pa.types.is_list(type_)):
        kind = "list" if label.startswith("list") else label
        return pa.field(name, type_, metadata={b"logsql.type": kind.encode()})
    return pa.field(name, type_)
