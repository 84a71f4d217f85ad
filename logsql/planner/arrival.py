"""Which order the rows of a SELECT have, told from the SELECT itself: nobody has to remember it.

Rows that arrive in order leave a projection, a filter and a running window (``row_number() OVER ()``) in that order.
A join, a group, DISTINCT, a window with PARTITION BY or ORDER BY and a test by EXISTS hand them on as threads finish:
behind these only order keys tell the order, and only where the SELECT delivers their columns.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlglot import exp

from logsql.planner.relation import UNORDERED, Order, Rel
from logsql.values.sql import Sql

#: Parts of a SELECT that rows do not leave in the order in which they came.
_MIXING = ("joins", "group", "distinct", "having", "qualify")
#: Parts of a SELECT that leave rows out, or that bring tables of its own.
_LEAVING = ("where", "limit", "offset", "with_", "order")
#: Functions that give several rows for one, one after the other.
_SPREADING = frozenset({"unnest", "generate_subscripts"})


class OrderLost(RuntimeError):
    """A command is at fault, not the query: it handed on rows whose order is not defined though it is looked at."""


def check_order(command: str, given: Rel | None, found: Rel) -> None:
    """Refuse rows of a command whose order is looked at and not defined, though its input was in order.

    Raises OrderLost on the first query that uses such a command, on three rows too: with a few rows the order is right
    by chance, and behind a window over 300,000 rows it is not.
    """
    if found.order.defined or not (found.columns or found.rest):
        return
    if given is None:
        raise OrderLost(
            f"{command} returns rows whose order is not defined: read them with stage.scan, stage.read or stage.stream "
            "where they come in stored order, or name the columns that sort them, stage.reordered(rel, keys)"
        )
    if given.order.defined:
        raise OrderLost(
            f"{command} returns rows whose order is not defined, and they came in order: its SELECT joins, groups or "
            "has a window with PARTITION BY or ORDER BY, and threads hand on such rows as they finish. Begin with "
            "rel = stage.with_keys(rel), which numbers the rows: the moves of the stage keep the number, and the "
            "result is sorted by it. Where any order is right declare an order that gives none"
        )


def behind(order: Order, query: Sql, delivered: Collection[str]) -> Order:
    """The order of the rows of ``query``, a SELECT that reads rows in ``order`` and delivers these columns."""
    if not order.defined:
        return UNORDERED
    keys = order.keys if order.keys is not None and all(k.ident in delivered for k in order.keys) else None
    if not order.physical:
        return Order(keys=keys)
    if any(query.args.get(part) for part in _MIXING) or not isinstance(query, exp.Select):
        return Order(keys=keys)
    mixing, spreading = _seen(query)
    if mixing:
        return Order(keys=keys)
    # The copies of a row have the keys of the row: arriving in order says more than they do.
    return Order(physical=True, keys=None if spreading else keys)


def one_for_one(query: exp.Select) -> bool:
    """Whether each row of one table, in its order, is one row of a SELECT."""
    source = query.args.get("from_")
    if (
        source is None
        or not isinstance(source.this, exp.Table)
        or any(query.args.get(p) for p in (*_MIXING, *_LEAVING))
    ):
        return False
    return _seen(query) == (False, False)


def _seen(query: exp.Select) -> tuple[bool, bool]:
    """Whether the items or the test of a SELECT mix rows, and whether an item spreads a row over several."""
    spreading = False
    # The list grows while it is read: a wide SELECT has thousands of parts, and this asks each of them.
    pending: list[Any] = [query.expressions, query.args.get("where")]
    for node in pending:
        kind: type = type(node)
        role = _role(kind)
        if role is None:
            continue
        if role is _SEVERAL:
            pending += node
            continue
        pending += node.args.values()
        if role is _NAMED:
            spreading = spreading or str(node.args["this"]).lower() in _SPREADING
        elif role is _TOLD:
            if isinstance(node, exp.Window) and not _runs(node):
                _check_window(node)
                return True, spreading
            if isinstance(node, exp.Exists):
                return True, spreading
            spreading = spreading or isinstance(node, (exp.Unnest, exp.Explode))
    return False, spreading


#: What a part of an expression is to the order of rows: a list of parts; nothing, though its own parts may be; a
#: function known by its name; a part that may mix or spread rows. None: nothing, and it has no parts.
_SEVERAL, _INNER, _NAMED, _TOLD = "several", "inner", "named", "told"


@cache
def _role(kind: type) -> str | None:
    # A wide SELECT has thousands of parts of some thirty types: the type is asked once.
    if issubclass(kind, list):
        return _SEVERAL
    if not issubclass(kind, exp.Expression) or issubclass(kind, (exp.Column, exp.Literal, exp.Identifier)):
        return None
    if issubclass(kind, exp.Anonymous):
        return _NAMED
    return _TOLD if issubclass(kind, (exp.Exists, exp.Window, exp.Unnest, exp.Explode)) else _INNER


#: Functions of a window whose value depends on the order of its rows.
_ORDERED = frozenset({"row_number", "lag", "lead", "first_value", "last_value", "ntile", "cume_dist"})


def _check_window(window: exp.Window) -> None:
    """Refuse a window that counts on the order of arrival inside a partition: partitions are gathered by threads."""
    if window.args.get("order") or not window.args.get("partition_by"):
        return
    node = window.this.this if isinstance(window.this, (exp.IgnoreNulls, exp.RespectNulls)) else window.this
    name = str(node.this) if isinstance(node, exp.Anonymous) else node.sql_name() if isinstance(node, exp.Func) else ""
    if name.lower() in _ORDERED:
        raise OrderLost(
            f"{name.lower()}() reads the rows of a partition in no order: begin with rel = stage.with_keys(rel) and "
            "give the window its order, sql.order_by(stage.order_items(rel))"
        )


def _runs(window: exp.Window) -> bool:
    """Whether a window is computed row by row as the rows arrive."""
    return not window.args.get("partition_by") and not window.args.get("order")
