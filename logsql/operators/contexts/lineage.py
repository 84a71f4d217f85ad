"""From which columns of the rows a column comes, through SELECTs that hand on each row as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from logsql.planner.arrival import one_for_one
from logsql.planner.plan import Cte
from logsql.values import sql
from logsql.values.sql import Sql


class Opaque(Exception):
    """A SELECT on the way does more than that: it joins, leaves out or multiplies rows."""


class Lineage:
    """The SELECTs of a chain down to the one that is called ``root``."""

    def __init__(self, ctes: Sequence[Cte], root: str) -> None:
        self._queries = {cte.name: cte.query for cte in ctes}
        self._root = root
        self._known: dict[tuple[str, str], frozenset[str]] = {}

    def check(self, source: str) -> None:
        """Raise Opaque unless each row of the root is one row of ``source``."""
        while source != self._root:
            source = self._plain(source)[1]

    def roots(self, source: str, ident: str) -> frozenset[str]:
        """The columns of the root from which a column comes."""
        if source == self._root:
            return frozenset((ident,))
        if (source, ident) not in self._known:
            query, below = self._plain(source)
            found = [self.roots(below, name) for name in _reads(self._item(query, ident))]
            self._known[source, ident] = frozenset().union(*found)
        return self._known[source, ident]

    def query(self, source: str, idents: Sequence[str], base: Sequence[Sql], table: str, number: str) -> exp.Select:
        """The SELECT that gives the columns of ``source`` for rows of ``table``, whose items ``base`` are the root's
        columns; ``number`` comes along as the first column."""
        return self._query(source, [number, *idents], base, table, number)

    def _query(self, source: str, idents: Sequence[str], base: Sequence[Sql], table: str, number: str) -> exp.Select:
        if source == self._root:
            return sql.select([sql.col(number), *base], sql.table(table))
        query, below = self._plain(source)
        items = [sql.col(number), *(self._item(query, ident).copy() for ident in idents if ident != number)]
        needed = dict.fromkeys(name for item in items[1:] for name in _reads(item))
        inner = self._query(below, [number, *needed], base, table, number)
        return sql.select(items, exp.Subquery(this=inner, alias=exp.TableAlias(this=sql.ident(below))))

    def _plain(self, source: str) -> tuple[exp.Select, str]:
        query = self._queries.get(source)
        if not isinstance(query, exp.Select) or not one_for_one(query):
            raise Opaque(source)
        return query, str(query.args["from_"].this.name)

    def _item(self, query: exp.Select, ident: str) -> Sql:
        for item in query.expressions:
            if item.alias_or_name == ident:
                if any(True for _ in sql.below(item, exp.Window)) or any(True for _ in sql.below(item, exp.Select)):
                    raise Opaque(ident)
                found: Sql = item
                return found
        raise Opaque(ident)


def _reads(item: Sql) -> Iterable[str]:
    """The columns of an item; parameters of lambdas are no columns, and are never quoted."""
    return dict.fromkeys(column.name for column in sql.below(item, exp.Column) if column.this.args.get("quoted"))
