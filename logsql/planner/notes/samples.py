"""The query that looks at some values of a field where it is read from a file or table, and no other work is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, cast

from sqlglot import exp

from logsql.planner.plan import Cte, with_ctes
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
    def taken(self, rel: Rel, name: str) -> str | None: ...


def _made(query: Sql, name: str, *without: str) -> tuple[Sql, Sql] | None:
    """What a SELECT without some of its parts makes of a name, and what it reads; None where it is no such SELECT."""
    if not isinstance(query, exp.Select) or any(query.args.get(part) for part in without):
        return None
    found = next((item for item in query.selects if item.alias_or_name == name), None)
    read = query.args.get("from_") or query.args.get("from")
    return None if found is None or read is None else (cast(exp.Expression, found.unalias()), read.this)


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
        if (made := _made(query, node.name, "joins")) is None:
            return None
        node, read = made
        keys = query.args.get("group")
        if keys is not None and node not in keys.expressions:  # a key holds values of its source
            return None
        if isinstance(read, exp.Table) and read.name in by_name:
            source = read.name
            continue
        if any(isinstance(inner, (exp.Window, exp.Subquery, exp.Anonymous)) for inner in node.walk()):
            return None
        query = sql.select([sql.alias(node.copy(), "v")], read.copy())
        return _first(query)
    return None


def _first(query: exp.Select) -> Sql:
    """The first rows of a SELECT. Its method ``limit`` parses its number as SQL: half a millisecond."""
    query.set("limit", exp.Limit(expression=sql.integer(SAMPLE)))
    return query


#: What SELECTs of one table have that are no mere rows of it.
_MORE = ("joins", "group", "distinct", "having", "qualify", "laterals", "limit", "offset")
#: Expressions of so many nodes are not looked at.
_LARGE = 600
#: Functions of the ledger, and what stands for them where nothing is counted.
_UNCOUNTED = {
    **dict.fromkeys(("lq_lost", "lq_lost_at", "lq_look", "lq_repeats"), sql.boolean(False)),
    "lq_came": sql.string(""),
    "lq_least": sql.integer(0),
}


def computed_query(ctes: Sequence[Cte], rel: Rel, name: str) -> Sql | None:
    """SELECT of the first values of a field that DuckDB alone computes on the way, such as a group of ``rex``, a part
    of ``split`` or what ``parsekv`` reads; None where more than the first rows of one table would be read for it.
    """
    column = rel.column(name)
    if column is None and (rel.rest is None or not rel.rest.is_map or name in rel.rest.hidden):
        return None
    if column is None:
        assert rel.rest is not None
        value = sql.func("map_extract_value", rel.expr(rel.rest.ident).copy(), sql.string(name))
    elif column.parts:
        return None
    else:
        value = rel.expr(column.ident).copy()
    by_name = {cte.name: cte for cte in ctes}
    found: list[Cte] = []
    source, top = rel.source, sql.select([sql.alias(value, "v")], sql.table(rel.source))
    asked = top
    while source in by_name:
        query = by_name[source].query
        read = query.args.get("from_") or query.args.get("from")
        if not isinstance(query, exp.Select) or any(query.args.get(more) for more in _MORE) or read is None:
            return None
        wanted = {node.name for node in sql.below(asked, exp.Column)}
        kept = [cast(exp.Expression, item.copy()) for item in query.selects if item.alias_or_name in wanted]
        if not kept:
            return None
        asked = sql.select(kept, read.this.copy())
        if not isinstance(read.this, exp.Table):  # the rows of json "[...]"
            found.append(Cte(source, asked, (), by_name[source].command))
            break
        found.append(Cte(source, asked, (read.this.name,), by_name[source].command))
        source = read.this.name
    if not found or not all(_plain(query) for query in (top, *(cte.query for cte in found))):
        return None
    return with_ctes(_first(top), found[::-1], (rel.source,))


def _plain(query: Sql) -> bool:
    """Whether DuckDB alone computes a SELECT row by row; what counts losses is taken out of it."""
    if sql.size(query, _LARGE) == _LARGE or sql.below(query, exp.Window):
        return False
    for call in sql.below(query, exp.Anonymous):
        called = call.name.lower()
        if called == "unnest":
            return False
        if called.startswith((sql.COUNTER, sql.GATE)):
            call.replace(sql.integer(0) if called.startswith(sql.COUNTER) else sql.boolean(False))
        elif called in _UNCOUNTED:
            call.replace(_UNCOUNTED[called].copy())
        elif called.startswith("lq_"):
            return False
    return True


def own(ctes: Sequence[Cte], rel: Rel, name: str) -> bool:
    """Whether a field is one of the reader's: its SELECT, which reads no other, made it, and others hand it on."""
    column = rel.column(name)
    if column is None or column.parts:
        return False
    by_name = {cte.name: cte for cte in ctes}
    node, source = rel.expr(column.ident), rel.source
    while isinstance(node, exp.Column) and source in by_name:
        if (made := _made(by_name[source].query, node.name, "joins", "group")) is None:
            return False
        node, read = made
        if not isinstance(read, exp.Table) or read.name not in by_name:
            return True
        source = read.name
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
        made = _made(by_name[source].query, node.name, "joins", "group")
        if made is None or not isinstance(made[1], exp.Table):
            return False
        node, source = _only(made[0]), made[1].name
    return isinstance(node, exp.Column)


def taken(ctes: Sequence[Cte], rel: Rel, name: str) -> bool:
    """Whether a field holds a value only where a parser read nothing: what ``lay_over`` makes of a field of the row
    that the found ones take the place of. Followed are columns that are handed on; what a later command gives the
    name is another value."""
    column = rel.column(name)
    if column is None or column.parts:
        return False
    by_name = {cte.name: cte for cte in ctes}
    node, source = rel.expr(column.ident), rel.source
    while isinstance(node, exp.Column) and source in by_name:
        made = _made(by_name[source].query, node.name, "joins", "group")
        if made is None or not isinstance(made[1], exp.Table):
            return False
        node, source = made[0], made[1].name
    if not isinstance(node, exp.Case) or len(node.args["ifs"]) != 1 or node.args.get("default") is not None:
        return False
    test = node.args["ifs"][0].this
    read_ = test.this.unnest() if isinstance(test, exp.Not) else None
    parsed = read_.expressions[0] if isinstance(read_, exp.Anonymous) and read_.name == "coalesce" else None
    return isinstance(parsed, exp.Column) and parsed.name.startswith("__")


def _only(node: Sql) -> Sql:
    """Of a CASE the branch that is not null, where there is one."""
    if not isinstance(node, exp.Case):
        return node
    branches = [branch.args["true"] for branch in node.args["ifs"]] + [node.args.get("default")]
    given = [
        b for b in branches if b is not None and not isinstance(b.this if isinstance(b, exp.Cast) else b, exp.Null)
    ]
    return given[0] if len(given) == 1 else node
