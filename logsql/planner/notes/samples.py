"""The query that looks at some values of a field where it is read from a file or table, and no other work is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlglot import exp

from logsql.planner.plan import Cte
from logsql.planner.relation import Rel
from logsql.values import sql
from logsql.values.sql import Sql

#: Values that a rule looks at.
SAMPLE = 50


def sample_query(ctes: Sequence[Cte], rel: Rel, name: str) -> Sql | None:
    """SELECT of the first values of a text field at its source; None where the field is computed on the way.

    Followed are columns that SELECTs of one table hand on as they are: what filters leave out does not matter to a
    rule that asks what the values look like.
    """
    column = rel.column(name)
    if column is None or column.parts:
        return None
    by_name = {cte.name: cte for cte in ctes}
    node, source = rel.expr(column.ident), rel.source
    while isinstance(node, exp.Column) and source in by_name:
        query = by_name[source].query
        wanted = node.name
        if not isinstance(query, exp.Select) or query.args.get("joins"):
            return None
        found = next((item for item in query.selects if item.alias_or_name == wanted), None)
        if found is None:
            return None
        keys = query.args.get("group")
        if keys is not None and found.unalias() not in keys.expressions:  # a key holds values of its source
            return None
        node = cast(exp.Expression, found.unalias())
        read = query.args.get("from_") or query.args.get("from")
        if read is None:
            return None
        if isinstance(read.this, exp.Table) and read.this.name in by_name:
            source = read.this.name
            continue
        if any(isinstance(inner, (exp.Window, exp.Subquery, exp.Anonymous)) for inner in node.walk()):
            return None
        query = sql.select([sql.alias(node.copy(), "v")], read.this.copy())
        return query.limit(SAMPLE)
    return None
