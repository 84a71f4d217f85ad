"""Reading a table, view or kept result as a source."""

from __future__ import annotations

from sqlglot import exp

from logsql.planner.catalog import TableInfo
from logsql.planner.relation import Rel
from logsql.planner.stage import Stage
from logsql.values import sql
from logsql.values.types import LONG

_ROWID = "__rowid"


def table_node(info: TableInfo) -> exp.Table:
    """The table under its full name."""
    *above, name = info.path
    node = sql.table(name)
    for key, part in zip(("db", "catalog"), reversed(above), strict=False):
        node.set(key, sql.ident(part))
    return node


def scan_table(stage: Stage, info: TableInfo) -> Rel:
    """All columns in stored order; a stored table's row ids are the order's keys, so keeping order costs nothing."""
    with_rowid = info.has_rowid and all(c.name.lower() != "rowid" for c in info.columns)
    extra = [(_ROWID, sql.col("rowid"), LONG)] if with_rowid else []
    return stage.scan(table_node(info), info.name, info.columns, extra, numbered=_ROWID)
