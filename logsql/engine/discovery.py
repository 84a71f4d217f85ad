"""Fields of an open row: found in a stored table, once the rows are known (language.md 5, decision 16).

The table holds the open part of its rows in one JSON or MAP column. Names come in order of first appearance, those of a
pivot in value order; a JSON field is typed when every value met has one JSON type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from logsql.engine.present import BEYOND_64_BITS, Field, rest_field
from logsql.planner import sql
from logsql.planner.pivotnames import sort_names
from logsql.planner.relation import Rest
from logsql.planner.values import json_pointer

Fetch = Callable[[str], list[tuple[Any, ...]]]

#: Names whose types are asked for in one statement.
_AT_ONCE = 200


def all_fields(fetch: Fetch, table: str, column: str, fixed: list[Field], rest: Rest) -> list[Field]:
    """The fields of an open row, in the order they are shown.

    ``fetch`` runs a statement and returns its rows; ``column`` of ``table`` (SQL text of its full name) is the open
    column, and ``fixed``, the fields known before, read ``table`` too.
    """
    names = _names(fetch, table, column, rest)
    free = [n for n in names if n not in rest.hidden]
    types = _json_types(fetch, table, column, free) if not rest.is_map else [[] for _ in free]
    document = sql.col(column)
    made = [rest_field(document, n, rest.is_map, rest.value_type, t) for n, t in zip(free, types, strict=True)]
    return _placed(_without_replaced(fetch, table, fixed, rest), made, names, rest)


def _names(fetch: Fetch, table: str, column: str, rest: Rest) -> list[str]:
    """Every name in the open column, also of fields that have become columns of their own since."""
    node = sql.col(column).sql("duckdb")
    function = "map_keys" if rest.is_map else "json_keys"
    text = (
        f"SELECT k, min(o) AS o FROM (SELECT unnest({function}({node})) AS k, rowid AS o, "
        f"generate_subscripts({function}({node}), 1) AS p FROM {table} WHERE {node} IS NOT NULL) "
        "GROUP BY k ORDER BY o, min(p)"
    )
    names = [str(r[0]) for r in fetch(text) if r]
    order = rest.key_order
    return names if order is None else sort_names(names, order.kinds, order.aliases)


def _without_replaced(fetch: Fetch, table: str, fixed: list[Field], rest: Rest) -> list[Field]:
    """Fields that a parse command replaced (language.md 8.3) are shown only if some row that could not be parsed kept
    them.
    """
    replaced = [f for f in fixed if f.name in rest.replaced]
    if not replaced:
        return fixed
    counts = ", ".join(sql.func("count", f.expr).sql("duckdb") for f in replaced)
    used = fetch(f"SELECT {counts} FROM {table}")[0]
    gone = {f.name for f, count in zip(replaced, used, strict=True) if not count}
    return [f for f in fixed if f.name not in gone]


def _placed(fixed: list[Field], made: list[Field], names: list[str], rest: Rest) -> list[Field]:
    """Open fields stand where the parsing command stood, and so does one that was given a new value since."""
    if rest.sorted_after is not None:
        fields = [*fixed, *made]
        return fields[: rest.sorted_after] + sorted(fields[rest.sorted_after :], key=lambda f: f.name)
    ahead = rest.before(f.name for f in fixed)
    later = {f.name: f for f in fixed if f.name not in ahead}
    opened = {f.name: f for f in made}
    places = {key: name for name, key in rest.places if name in later and key is not None}
    left = {name for name, key in rest.places if key is None}
    shown = [places.get(n, n) for n in names if n in places or n not in left]
    middle = [later.pop(n) if n in later else opened[n] for n in shown if n in later or n in opened]
    return [*(f for f in fixed if f.name in ahead), *middle, *later.values()]


def _json_types(fetch: Fetch, table: str, column: str, names: list[str]) -> list[list[str]]:
    result: list[list[str]] = []
    for start in range(0, len(names), _AT_ONCE):
        part = names[start : start + _AT_ONCE]
        items = ", ".join(f"{types}, {wide}" for types, wide in (_type_items(column, name) for name in part))
        found = fetch(f"SELECT {items} FROM {table}")[0]
        for types, wide in zip(found[::2], found[1::2], strict=True):
            result.append([*(types or []), BEYOND_64_BITS] if wide else list(types or []))
    return result


def _type_items(column: str, name: str) -> tuple[str, str]:
    """Aggregates of one field: the JSON types met (positive integers are UBIGINT), whether one leaves 64 bits."""
    pointer = sql.string(json_pointer(name))
    kind = sql.func("json_type", sql.col(column), pointer)
    number = sql.try_cast(sql.func("json_extract_string", sql.col(column), pointer), "BIGINT")
    wide = sql.func("bool_or", sql.and_(sql.eq(kind, sql.string("UBIGINT")), sql.is_null(number)))
    return sql.func("list_distinct", sql.func("list", kind)).sql("duckdb"), wide.sql("duckdb")
