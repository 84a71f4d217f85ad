"""Python rows (as JSON gives them) as a VALUES list with the language's types.

A column whose values have one type gets it; integers of 32 and 64 bits make a long column; anything else that differs
is VARIANT with a type per value. Objects are maps (JSON), arrays are lists, typed when their items are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlglot import exp

from logsql.operators.merging import Idents
from logsql.planner.relation import Column, Rel
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import (
    ANY,
    ANY_JSON,
    BOOL,
    DOUBLE,
    HUGE,
    INT,
    LONG,
    MAP,
    NULL,
    STRING,
    Kind,
    LType,
    list_of,
    unify,
)
from udfs.lenientjson import dump


def rows_relation(stage: Stage, rows: Sequence[Mapping[str, object]]) -> Rel:
    """A relation of these rows in this order; columns are the union of the keys in order of first appearance."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    types = [_settled(_column_type([row.get(name) for row in rows])) for name in names]
    idents = Idents()
    columns = tuple(Column(name, idents.take(name), type_) for name, type_ in zip(names, types, strict=True))
    if not columns:
        return _marks(stage, len(rows))
    places = [f"c{number}" for number in range(len(columns))]
    cells = [
        exp.Tuple(expressions=[cell(row.get(c.name), c.type) for c in columns])
        for row in rows
    ]  # fmt: skip
    source = exp.Values(
        expressions=cells,
        alias=exp.TableAlias(this=sql.ident("rows"), columns=[sql.ident(place) for place in places]),
    )
    items = [
        sql.alias(_typed(sql.col(place), column.type), column.ident)
        for place, column in zip(places, columns, strict=True)
    ]
    return stage.read(stage.spec.name, sql.select(items, source), (), columns)


def _marks(stage: Stage, count: int) -> Rel:
    """Rows without fields."""
    numbers = sql.func("range", sql.integer(count))
    source = exp.Table(this=numbers, alias=exp.TableAlias(this=sql.ident("rows")))
    query = sql.select([sql.alias(sql.boolean(True), "__row")], source if count != 1 else None)
    return stage.read(stage.spec.name, query, (), ())


def _typed(node: Sql, type_: LType) -> Sql:
    """A VALUES column in its physical type; a column of nulls has none of its own."""
    return node if type_.variant else sql.cast(node, type_.physical)


# --- types ------------------------------------------------------------------------------------------------------------


def type_of(value: object) -> LType:
    """Type of one value: int within 32 bits, else long; an integer beyond 64 bits is a long held wider."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOL
    if isinstance(value, int):
        if -(2**31) <= value < 2**31:
            return INT
        if -(2**63) <= value < 2**63:
            return LONG
        return HUGE if -(2**127) < value < 2**127 else STRING
    if isinstance(value, float):
        return DOUBLE
    if isinstance(value, Mapping):
        return MAP
    if isinstance(value, list):
        return list_of(_column_type(value))
    return STRING


def _column_type(values: Sequence[object]) -> LType:
    result = NULL
    for value in values:
        result = _united(result, type_of(value))
        if result == ANY:
            break
    return result


def _united(left: LType, right: LType) -> LType:
    """As :func:`unify`, but maps beside other documents stay values of their own type."""
    found = unify(left, right)
    if found == ANY_JSON:
        return left if left == right else ANY
    if found.kind is Kind.LIST and left.kind is Kind.LIST and right.kind is Kind.LIST:
        return list_of(_united(left.element or ANY, right.element or ANY))
    return found


def _settled(type_: LType) -> LType:
    """A list nothing was ever in holds text, as everywhere."""
    if type_.kind is Kind.LIST and type_.element is not None:
        element = STRING if type_.element.kind is Kind.NULL else _settled(type_.element)
        return list_of(element)
    return type_


# --- cells ------------------------------------------------------------------------------------------------------------


def cell(value: object, type_: LType) -> Sql:
    """SQL of a value in a column of this type."""
    if value is None:
        return sql.null("VARIANT") if type_.variant else exp.Null()
    if type_.variant:
        return sql.cast(_plain(value), "VARIANT")
    if type_.kind is Kind.LIST and isinstance(value, list):
        element = type_.element or ANY
        return sql.cast(sql.array([cell(item, element) for item in value]), type_.physical)
    if type_.json:
        return sql.cast(sql.string(dump(value)), "JSON")
    return _plain(value)


def _plain(value: object) -> Sql:
    type_ = _settled(type_of(value))
    if type_.kind in (Kind.LIST, Kind.MAP):
        return cell(value, type_)
    if isinstance(value, bool):
        return sql.boolean(value)
    if isinstance(value, int):
        return sql.cast(sql.integer(value), type_.physical) if type_.integer else sql.string(str(value))
    if isinstance(value, float):
        return sql.double(value)
    return sql.string(str(value))
