"""Values that are computed once where no column can stand: in a branch of ``if()`` and for an item of a list.

``if(a == "x", abs(int(a)), 0)`` reads ``int(a)`` several times, and what counts a loss must run once. Outside a branch
such a value is a column of an earlier SELECT, which would run it for every row. In a branch it is the parameter of a
lambda over a list of one: ``list_transform([int(a)], lambda once1: abs(once1))[1]``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from logsql.values import sql, values
from logsql.values.sql import Sql
from logsql.values.values import Typed

#: How the parameters begin: no column is called so.
PREFIX = "__once"


@dataclass
class Frame:
    """One argument while it is lowered. ``depth`` counts the lambdas around it: a value inside another one is not ours.

    ``number`` is unique in its expression.
    """

    number: int
    depth: int
    lets: dict[str, Sql] = field(default_factory=dict)

    def let(self, node: Sql) -> Sql:
        """A parameter that stands for ``node``."""
        for name, known in self.lets.items():
            if known == node:
                return sql.var(name)
        name = f"{PREFIX}{self.number}_{len(self.lets) + 1}"
        self.lets[name] = node
        return sql.var(name)

    def closed(self, value: Typed) -> Typed:
        """The value with its parameters bound around it."""
        if not self.lets or not _reads(value):
            return value
        node = (values.to_variant(value) if value.parts else value).expr
        type_ = values.to_variant(value).type if value.parts else value.type
        for name, given in reversed(self.lets.items()):
            node = _bound(name, given, node)
        return Typed(node, type_)


def held(node: Sql) -> bool:
    """Whether the node must stay in its frame: it counts a loss, or reads what is bound there."""
    return sql.counts(node) or _mentions(node)


def _reads(value: Typed) -> bool:
    nodes = [part.expr for part in value.parts] if value.parts else [value.expr]
    return any(_mentions(node) for node in nodes)


def _mentions(node: Sql, prefix: str = PREFIX) -> bool:
    return any(found.name.startswith(prefix) for found in sql.below(node, exp.Column))


def _bound(name: str, given: Sql, node: Sql) -> Sql:
    """``node`` with ``name`` bound; in place where it is read once and neither in a TRY nor for each item of a list."""
    places = [found for found in sql.below(node, exp.Column) if found.name == name]
    if not places:
        return node
    if len(places) == 1 and places[0].find_ancestor(exp.Lambda) is None and not _tried(places[0]):
        if places[0] is node:
            return given
        places[0].replace(given)
        return node
    listed = sql.func("list_transform", sql.array([given]), sql.lambda_([name], node))
    return sql.index(listed, sql.integer(1))


def _tried(node: Sql) -> bool:
    above = node.parent
    while above is not None:
        if isinstance(above, exp.Anonymous) and above.name == "try":
            return True
        above = above.parent
    return False
