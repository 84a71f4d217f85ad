"""Rows and values as JSON text: what ``tojson`` writes and what requests carry."""

from __future__ import annotations

import json

from logsql.operators.merging import rest_document
from logsql.planner.relation import Rest
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import ANY, Kind
from logsql.values.values import Typed


def member(name: str, value: Typed, always: bool) -> Sql:
    """``"name":value`` as text; null when the value is null, unless nulls are written too."""
    key = json.dumps(name, ensure_ascii=False) + ":"
    if value.kind is Kind.NULL:
        return sql.string(key + "null") if always else sql.null("VARCHAR")
    text = sql.cast(document(value), "VARCHAR")
    if always:
        text = sql.case([(values.not_null(value), text)], sql.string("null"))
    elif value.type.json or value.parts:
        text = sql.when(values.not_null(value), text)
    return sql.concat(sql.string(key), text)


def document(value: Typed) -> Sql:
    """The value as JSON; dates and binary as text, in lists too."""
    element = value.type.element
    if value.kind is Kind.LIST and element is not None and element.kind in (Kind.DATE, Kind.BINARY, Kind.ANY):
        body = document(Typed(sql.var("e"), element))
        return sql.func("to_json", sql.func("list_transform", value.expr, sql.lambda_(["e"], body)))
    if value.kind is Kind.ANY and value.type.variant and not value.parts:
        kind = sql.func("variant_typeof", value.expr)
        special = sql.in_(kind, [sql.string("BLOB"), sql.string("TIMESTAMP_MICROS_TZ")])
        text = sql.func("to_json", values.text_sql(Typed(value.expr, ANY)))
        return sql.case([(special, text)], sql.func("to_json", value.expr))
    if value.parts:
        return sql.case([(values.not_null(p), document(p)) for p in value.parts])
    return values.to_json(value)


def rest_members(rest: Rest) -> Sql:
    """The members of an open row's document, without its braces and without nulls; null when there are none."""
    text = sql.cast(rest_document(rest, None, rest.hidden, drop_nulls=True), "VARCHAR")
    inner = sql.func(
        "substring", text, sql.integer(2), sql.binary("-", sql.func("length", text.copy()), sql.integer(2))
    )
    return sql.func("nullif", inner, sql.string(""))
