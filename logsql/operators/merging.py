"""Values of one field from two places: coalescing, reading a field of either side of a join, uniting open rests.

Used where rows meet (join, union, rename): which value wins is the command's rule, how two types become one is here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from logsql.planner.relation import Column, Rel, Rest
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import Kind
from logsql.values.values import NULL_VALUE, Typed


class Idents:
    """Hands out SQL column names that differ by more than letter case."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.used = {t.lower() for t in taken}

    def take(self, name: str) -> str:
        """``name`` (a NUL in it replaced), or ``name__2`` ... when it is in use."""
        stem = name.replace("\0", "\ufffd")  # the engine ends a name at a NUL
        ident, number = stem or "__empty", 2
        while ident.lower() in self.used:
            ident, number = f"{stem}__{number}", number + 1
        self.used.add(ident.lower())
        return ident


def column_value(column: Column, table: str) -> Typed:
    """A plain column of a flushed relation, qualified by its table alias."""
    if column.parts:
        parts = tuple(column_value(p, table) for p in column.parts)
        return Typed(sql.null("VARIANT"), column.type, parts=parts)
    return Typed(sql.col(column.ident, table), column.type)


def side_value(rel: Rel, name: str, table: str) -> Typed:
    """Field ``name`` of a flushed relation read under a table alias: column, open rest, or null."""
    column = rel.column(name)
    if column is not None:
        return column_value(column, table)
    rest = rel.rest
    if rest is None or name in rest.hidden:
        return NULL_VALUE
    document = sql.col(rest.ident, table)
    if rest.is_map:
        return Typed(sql.func("map_extract_value", document, sql.string(name)), rest.value_type)
    return values.json_field(document, name)


def rest_document(rest: Rest, table: str | None, hidden: Iterable[str], drop_nulls: bool = False) -> Sql:
    """The open rest as a JSON object without the ``hidden`` names (and without nulls when asked)."""
    node: Sql = sql.col(rest.ident, table)
    if rest.is_map:
        node = sql.func("to_json", node)
    if drop_nulls:
        node = sql.func("json_merge_patch", sql.string("{}"), node)
    gone = sorted(hidden)
    if gone:
        patch = json.dumps(dict.fromkeys(gone), ensure_ascii=False)
        node = sql.func("json_merge_patch", node, sql.string(patch))
    if gone or drop_nulls:
        # A null document patched is the patch: {"a": null} would stand for a row that has no open fields.
        node = sql.when(sql.not_null(sql.col(rest.ident, table)), node)
    return node


#: Kinds of values that JSON says as they are.
AS_JSON = (Kind.STRING, Kind.BOOL, Kind.INT, Kind.MAP)


def beyond_json(rest: Rest) -> bool:
    """Whether the open rest holds values that JSON cannot say: the dates of a pivot."""
    return rest.is_map and rest.value_type.kind not in AS_JSON


def rest_map(rest: Rest, hidden: Iterable[str], table: str | None = None) -> Sql:
    """The open rest as ``MAP(VARCHAR, VARIANT)`` without the ``hidden`` names: dates and binaries, which JSON cannot
    say, stay what they are.
    """
    node: Sql = sql.col(rest.ident, table)
    if not rest.is_map:
        node = sql.cast(node, "MAP(VARCHAR, JSON)")
    entries = sql.func("map_entries", node)
    gone = [sql.string(name) for name in sorted(hidden)]
    if gone:
        kept = sql.not_(sql.in_(sql.dot(sql.var("e"), "key"), gone))
        entries = sql.func("list_filter", entries, sql.lambda_(["e"], kept))
    value = sql.cast(sql.dot(sql.var("e"), "value"), "VARIANT")
    pair = sql.struct([("key", sql.dot(sql.var("e"), "key")), ("value", value)])
    made = sql.func("map_from_entries", sql.func("list_transform", entries, sql.lambda_(["e"], pair)))
    return sql.when(sql.not_null(sql.col(rest.ident, table)), made)
