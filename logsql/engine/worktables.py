"""The names of a plan's work tables in a query, replaced by those of one run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from logsql.engine.connection import WORK
from logsql.values import sql


def named(query: exp.Expression, names: Mapping[str, str]) -> exp.Expression:
    """The query over the tables of a run; ``names``: of the plan's work tables, how this run calls them."""
    if not names:
        return query
    node = query.copy()
    for table in sql.below(node, exp.Table):
        real = names.get(table.name)
        if real is not None:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=sql.ident(table.name)))
            table.set("this", sql.ident(real))
            table.set("db", sql.ident("main"))
            table.set("catalog", sql.ident(WORK))
    return node


def called(query: exp.Expression, names: Mapping[str, str]) -> exp.Expression:
    """The query over objects that the catalog does not know; ``names``: how they are read, by the plan's names."""
    if not names:
        return query
    node = query.copy()
    for table in sql.below(node, exp.Table):
        real = names.get(table.name)
        if real is not None and not table.db:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=sql.ident(table.name)))
            table.set("this", sql.ident(real))
    return node
