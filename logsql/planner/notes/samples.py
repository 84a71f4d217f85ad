"""The query that looks at some values of a field where it is read from a file or table, and no other work is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from sqlglot import exp

from logsql.planner.plan import Cte
from logsql.planner.relation import Rel
from logsql.values import sql
from logsql.values.sql import Sql
from logsql.values.types import Kind

#: Values that a rule looks at.
SAMPLE = 50


class Sampler(Protocol):
    """Who looks at values of a field, and knows whether it is the source's own."""

    def sample(self, rel: Rel, name: str) -> tuple[str, ...]: ...
    def own(self, rel: Rel, name: str) -> bool: ...


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


def own(ctes: Sequence[Cte], rel: Rel, name: str) -> bool:
    """Whether a field is one of the reader's: its SELECT, which reads no other, made it, and others hand it on."""
    column = rel.column(name)
    if column is None or column.parts:
        return False
    by_name = {cte.name: cte for cte in ctes}
    node, source = rel.expr(column.ident), rel.source
    while isinstance(node, exp.Column) and source in by_name:
        query = by_name[source].query
        if not isinstance(query, exp.Select) or query.args.get("joins") or query.args.get("group"):
            return False
        wanted = node.name
        found = next((item for item in query.selects if item.alias_or_name == wanted), None)
        read = query.args.get("from_") or query.args.get("from")
        if found is None or read is None:
            return False
        if not isinstance(read.this, exp.Table) or read.this.name not in by_name:
            return True
        node, source = cast(exp.Expression, found.unalias()), read.this.name
    return isinstance(node, exp.Column)


def received(ctes: Sequence[Cte], rel: Rel, name: str) -> bool:
    """Whether the dates of a field are a column of the source. Followed are columns that are handed on, also where a
    parser lays values of another type over some of them: a text is no date."""
    column = rel.column(name)
    if column is None:
        return False
    by_name = {cte.name: cte for cte in ctes}
    ident = next((part.ident for part in column.parts if part.type.kind is Kind.DATE), column.ident)
    node, source = _only(rel.expr(ident)), rel.source
    while isinstance(node, exp.Column) and source in by_name:
        query = by_name[source].query
        if not isinstance(query, exp.Select) or query.args.get("joins") or query.args.get("group"):
            return False
        wanted = node.name
        found = next((item for item in query.selects if item.alias_or_name == wanted), None)
        read = query.args.get("from_") or query.args.get("from")
        if found is None or read is None or not isinstance(read.this, exp.Table):
            return False
        node, source = _only(cast(exp.Expression, found.unalias())), read.this.name
    return isinstance(node, exp.Column)


def _only(node: Sql) -> Sql:
    """Of a CASE the branch that is not null, where there is one."""
    if not isinstance(node, exp.Case):
        return node
    branches = [branch.args["true"] for branch in node.args["ifs"]] + [node.args.get("default")]
    given = [
        b for b in branches if b is not None and not isinstance(b.this if isinstance(b, exp.Cast) else b, exp.Null)
    ]
    return given[0] if len(given) == 1 else node
