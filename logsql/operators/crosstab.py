"""Results spread over columns: ``pivot ... cols`` and ``timechart ... by`` (language.md 8.5).

Rows are grouped by row and column values first; then the cells of a row become one MAP from column name to value, the
open part of the resulting row. Nothing has to be known of the data: names are discovered when the result is shown. A
column is named by the text of its value, with several aggregates ``value_alias``; parts of a combination are joined
by ``_``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from logsql.language.tree import Aggregate, Name
from logsql.operators.grouping import (
    Groups,
    Key,
    ascending,
    check_names,
    group,
    group_clauses,
    identity,
    lower_groups,
    make_key,
    picked,
)
from logsql.operators.merging import Idents
from logsql.planner.expressions import ExprContext
from logsql.planner.relation import Column, KeyOrder, Rel, Rest
from logsql.planner.stage import Stage
from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.types import NUMBERS, STRING, Kind, LType
from logsql.values.values import Typed

#: SQL columns of the map and of a cell's name.
CELLS, NAME = "__cells", "__name"

#: Types whose values never share a text.
_DISTINCT_TEXT = NUMBERS | {Kind.BOOL}


def crosstab(
    stage: Stage,
    rel: Rel,
    rows: Sequence[Name],
    cols: Sequence[Name],
    aggregates: Sequence[Aggregate],
    where: Callable[[ExprContext], Sql] | None = None,
    bucket_seconds: Sql | None = None,
    special: Mapping[str, Callable[[ExprContext], Typed]] | None = None,
    none: Sql | None = None,
) -> Rel:
    """One row per combination of ``rows``, one column per combination of ``cols`` (and aggregate). ``none``: see
    :func:`logsql.operators.grouping.group`."""
    outputs = [a.output for a in aggregates]
    check_names(rows, ())
    if len(outputs) > 1:
        check_names((), outputs)
    test: Sql | None = None
    if where is not None:
        rel, test = stage.lowered(rel, where)
    groups = lower_groups(stage, rel, [*rows, *cols], aggregates, bucket_seconds, special)
    cells = group(stage, f"{stage.spec.name}_groups", groups, test, none)
    row_keys, col_keys = groups.keys[: len(rows)], groups.keys[len(rows) :]
    name = cell_name(cells, [k.column for k in col_keys], [r.text for r in rows])
    if _may_collide(col_keys):
        cells, name = _distinct_names(stage, cells, groups, len(rows), name)
    return _fold(stage, cells, row_keys, col_keys, groups, name)


def cell_name(cells: Rel, columns: Sequence[Column], taken: Sequence[str]) -> Sql:
    """The column name of a cell; one that a row field has already gets a ``_``."""
    parts: list[Sql] = []
    for column in columns:
        value = cells.value(column)
        null = sql.string("null")
        parts.append(null if value.kind is Kind.NULL else sql.coalesce(values.text_sql(value), null))
    joined = parts[0]
    for part in parts[1:]:
        joined = sql.concat(joined, sql.string("_"), part)
    if any(_reachable(columns, t) for t in taken):
        clash = sql.in_(joined.copy(), [sql.string(t) for t in taken])
        return sql.case([(clash, sql.concat(joined.copy(), sql.string("_")))], joined)
    return joined


def _reachable(columns: Sequence[Column], name: str) -> bool:
    """Whether a value can have this text: a number never reads ``_time``."""
    kinds = {c.type.kind for c in columns}
    if kinds <= NUMBERS and len(columns) == 1:
        return re.fullmatch(r"-?[0-9.E-]+|-?Infinity|NaN|null", name) is not None
    return kinds != {Kind.BOOL} or len(columns) > 1 or name in ("true", "false", "null")


def _may_collide(keys: Sequence[Key]) -> bool:
    """Whether two column values may have one text ("null" and null, 1 and "1", "a_b" joined from two places)."""
    return len(keys) > 1 or keys[0].column.type.kind not in _DISTINCT_TEXT


def _regrouped(cells: Rel, keys: Sequence[Key], idents: Idents) -> list[Key]:
    return [make_key(k.column.name, cells.value(k.column), idents) for k in keys]


def _distinct_names(stage: Stage, cells: Rel, groups: Groups, rows: int, name: Sql) -> tuple[Rel, Sql]:
    """Cells with names of their own: of several column values with one text the further ones are ``text (2)`` ...

    Grouping by the name again costs little and makes sure that a map never gets a name twice.
    """
    cols = groups.keys[rows:]
    exact = [sql.ordered(node) for k in cols for node in identity(cells.value(k.column))]
    rank = exp.Window(
        this=sql.func("dense_rank"), partition_by=[name.copy()], order=sql.order_by(exact) if exact else None
    )
    idents = Idents(i for c in cells.columns for i in c.idents())
    label = idents.take(NAME)
    number = idents.take("__number")
    items: list[tuple[str, Sql]] = [(i, sql.col(i)) for i in cells.all_idents()]
    named = stage.select(f"{stage.spec.name}_names", cells, [*items, (label, name), (number, rank)])
    first = sql.eq(sql.col(number), sql.integer(1))
    text = sql.concat(sql.col(label), sql.string(" ("), sql.cast(sql.col(number), "VARCHAR"), sql.string(")"))
    return _first_of_each(stage, named, groups.keys[:rows], groups, sql.case([(first, sql.col(label))], text))


def _first_of_each(stage: Stage, cells: Rel, rows: Sequence[Key], groups: Groups, name: Sql) -> tuple[Rel, Sql]:
    """One cell per row and name: a map takes a name once only."""
    idents = Idents()
    keys = _regrouped(cells, rows, idents)
    ident = idents.take(NAME)
    results = [Column(r.column.name, idents.take(r.column.ident), r.column.type) for r in groups.results]
    items = [item for key in keys for item in key.items]
    items.append((ident, name))
    for result, column in zip(groups.results, results, strict=True):
        items.append((column.ident, picked(sql.col(result.column.ident))))
    by = Groups(cells, (*keys, Key(Column(NAME, ident, STRING), (), (name,))), (), idents)
    columns = [*(k.column for k in keys), *results]
    return stage.grouped(f"{stage.spec.name}_cells", cells, items, columns, **group_clauses(by)), sql.col(ident)


def _fold(stage: Stage, cells: Rel, rows: Sequence[Key], cols: Sequence[Key], groups: Groups, name: Sql) -> Rel:
    """The cells of each row as one map."""
    found = cells.columns[-len(groups.results) :]
    target = values.common_type([cells.value(c) for c in found])
    several = len(found) > 1
    entries: list[Sql] = []
    for column in found:
        key = sql.concat(name.copy(), sql.string(f"_{column.name}")) if several else name.copy()
        entries.append(sql.struct([("k", key), ("v", values.coerce(cells.value(column), target))]))
    listed = sql.func("list", sql.array(entries) if several else entries[0])
    pairs = sql.func("map_from_entries", sql.func("flatten", listed) if several else listed)
    idents = Idents()
    row_columns = [Key(c, (), ()) for c in cells.columns[: len(rows)]]
    keys = _regrouped(cells, row_columns, idents)
    ident = idents.take(CELLS)
    items = [item for key in keys for item in key.items]
    by = Groups(cells, tuple(keys), (), idents)
    columns = [k.column for k in keys]
    order = KeyOrder(tuple(k.column.type.kind for k in cols), tuple(c.name for c in found) if several else ())
    ahead = frozenset(c.name for c in columns)
    rest = Rest(ident, _filled(target), is_map=True, key_order=order, ahead=ahead)
    made = [*items, (ident, pairs)]
    rel = stage.grouped(stage.spec.name, cells, made, columns, rest=rest, **group_clauses(by))
    return ascending(stage, rel, columns)


def _filled(type_: LType) -> LType:
    return STRING if type_.kind is Kind.NULL else type_
