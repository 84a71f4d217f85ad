"""Counting in SQL what a query loses: expressions that tell the ledger of the run, and are null or false otherwise.

The Python function behind them is called for the values that are lost and for no others: a COALESCE or CASE hands it
the rows that are left. So a query that loses nothing pays for a test of nulls; a vector in which something is lost
costs a quarter of a millisecond. A plan that is only translated counts nothing: its SQL says what a user reads.
"""

from __future__ import annotations

from typing import Protocol

from logsql.diagnostics.losses import Loss
from logsql.values import sql
from logsql.values.sql import Sql

#: Between the parts of the text that names an entry of the ledger to the functions of SQL.
MARK = "\x1f"


class Counting(Protocol):
    """What this needs of an expression context or a stage."""

    @property
    def run_id(self) -> str | None: ...
    def udf(self, name: str, *args: Sql) -> Sql: ...


def entry(run: str, row: Loss, source: str) -> Sql:
    """The constant that names an entry: run, reason, source."""
    return sql.string(MARK.join((run, row.name, source)))


def value_lost(cx: Counting, row: Loss, source: str, sample: Sql) -> Sql:
    """False; every evaluation counts one value. ``sample`` is text of the value, kept of the first one."""
    assert cx.run_id is not None
    return cx.udf("lq_lost", sample, entry(cx.run_id, row, source))


def many_lost(cx: Counting, row: Loss, source: str, count: Sql) -> Sql:
    """False; counts ``count`` values."""
    assert cx.run_id is not None
    return cx.udf("lq_lost_many", sql.cast(count, "BIGINT"), entry(cx.run_id, row, source))


def or_lost(cx: Counting, row: Loss, source: str, node: Sql, physical: str, sample: Sql, given: Sql | None) -> Sql:
    """``node``; where it is null and ``given`` holds (None: always), a value is counted."""
    if cx.run_id is None:
        return node
    counted = sql.when(value_lost(cx, row, source, sample), sql.null(physical))
    # One CASE inside the other, not AND: both sides of an AND may be evaluated for every row.
    return sql.coalesce(node, counted if given is None else sql.when(given, counted))


def told(cx: Counting, row: Loss, source: str, node: Sql, physical: str, test: Sql, sample: Sql) -> Sql:
    """``node`` (cheap: a column), unchanged; where ``test`` holds the row is counted."""
    if cx.run_id is None:
        return node
    counted = sql.case([(value_lost(cx, row, source, sample), sql.null(physical))], node.copy())
    return sql.case([(test, counted)], node)


def kept(cx: Counting, row: Loss, source: str, test: Sql, sample: Sql) -> Sql:
    """A condition for WHERE: ``test``, the rows for which it does not hold counted."""
    if cx.run_id is None:
        return test
    return sql.case([(test, sql.boolean(True))], value_lost(cx, row, source, sample))


def beside(cx: Counting, row: Loss, source: str, node: Sql, physical: str, count: Sql) -> Sql:
    """An aggregate ``node``, with the values that ``count`` (an aggregate too) says it left out counted per group."""
    if cx.run_id is None:
        return node
    some = sql.binary(">", count, sql.integer(0))
    lost = sql.case([(some, many_lost(cx, row, source, count.copy()))], sql.boolean(False))
    return sql.case([(lost, sql.null(physical))], node)
