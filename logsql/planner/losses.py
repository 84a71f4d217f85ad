"""Counting in SQL what a query loses: expressions that tell the ledger of the run, and are null or false otherwise.

The counter behind them (``udfbridge/counters.py``) is called for the values that are lost and for no others: a COALESCE
or CASE hands it the rows that are left, and the first one of a place goes to Python as the sample. So a query that
loses nothing pays for a test of nulls, and a lost value costs 60 nanoseconds. Before it the gate of the counter is
asked, once for a vector of rows: a place that lost many of its values is not counted to the end, and the ledger says
"at least". A plan that is only translated counts nothing: its SQL says what a user reads.

The same conversion of the same field counts once however often it is written: each place has a counter, and the ledger
knows which places count the same (``identity``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from sqlglot import exp

from logsql.diagnostics.losses import Loss
from logsql.language.tree import Expr
from logsql.planner.relation import Rel
from logsql.values import sql
from logsql.values.sql import Sql

_FALLS = "falls-through"


#: The column of a reader with the places of its rows (``udfs/readers/base.py``), the names under which it is carried,
#: and what it counts.
PLACE = "__place"
PLACES = {"__fileline": "line", "__filerow": "row"}


class Place(NamedTuple):
    """Where a row stands in its file: the number, and its unit with the number of the scan."""

    number: Sql
    unit: str


#: What places that count the same have in common; None: a place of its own.
Identity: TypeAlias = "tuple[object, ...] | None"


class Counting(Protocol):
    """What this needs of an expression context."""

    rel: Rel | None
    lambda_depth: int

    @property
    def run_id(self) -> str | None: ...
    def udf(self, name: str, *args: Sql) -> Sql: ...
    def counter(self, row: Loss, source: str, expr: Expr | None) -> tuple[str, int]: ...


def entry(run: str, row: Loss, source: str, *more: str) -> Sql:
    """The constant that names an entry: run, reason, source."""
    return sql.string(sql.MARK.join((run, row.name, source, *more)))


def value_lost(cx: Counting, row: Loss, source: str, sample: Sql, expr: Expr | None = None) -> Sql:
    """False; every evaluation counts one value. ``sample`` is text of the value, kept of the first one.

    ``expr`` is what is counted, where it is written in the query.
    """
    opened, test, lost = _counted(cx, row, source, sample, expr)
    counted = sql.counting(sql.case([(test, lost)], sql.boolean(False)), None)
    return sql.case([(opened, counted)], sql.boolean(False))


def _counted(
    cx: Counting, row: Loss, source: str, sample: Sql, expr: Expr | None, placed: bool = True
) -> tuple[Sql, Sql, Sql]:
    """Whether the place still counts; what counts a value, and holds for those to be told; what tells, and is false.

    ``placed``: rows have places there. Where the reader numbers them, the first row in the file is told, whichever
    thread finds it: of a vector, those that stand before the first one known go to Python.
    """
    assert cx.run_id is not None
    name, first = cx.counter(row, source, expr)
    number = sql.integer(int(name.removeprefix(sql.COUNTER)))
    opened = cx.udf(name.replace(sql.COUNTER, sql.GATE), _same_for_all_rows())
    count = sql.binary("%", cx.udf(name), sql.integer(sql.TOLD_ONE_OF))
    one_of_many = sql.eq(count, sql.integer(first % sql.TOLD_ONE_OF))
    place = _place(cx) if placed else None
    if place is None:
        return opened, one_of_many, cx.udf("lq_lost", sample, number, entry(cx.run_id, row, source))
    least = cx.udf("lq_least", number, _same_for_all_rows())
    # Not OR, which asks the cheaper side first and the counter for the rows that are left.
    before = sql.binary("<", place.number, sql.case([(one_of_many, sql.integer(sql.LAST_PLACE))], least))
    told = cx.udf("lq_lost_at", sample, place.number.copy(), number.copy(), entry(cx.run_id, row, source, place.unit))
    return opened, before, told


def _place(cx: Counting) -> Place | None:
    """Where a row stands in its file, as long as the reader's number of it is at hand; None for items of a list."""
    if cx.rel is None or cx.lambda_depth:
        return None
    for column in cx.rel.carried:
        name, _, scan = column.name.partition(" ")
        if (unit := PLACES.get(name)) is not None and not cx.rel.computed(column.ident):
            return Place(cx.rel.expr(column.ident), f"{unit} {scan}")
    return None


def _same_for_all_rows() -> Sql:
    """The number of the transaction: one value for all rows, so that DuckDB calls the function once for 2,048 of them,
    and not known before the run, so that it does not call it while it plans.
    """
    return sql.func("current_transaction_id")


def came(cx: Counting, place: str, rank: int, row: Loss | None, source: str) -> Sql:
    """The empty text, in a branch that rows of one fate take; the ledger tells the lowest rank that any row of
    ``place`` met: ``row``, or nothing where that is None.
    """
    assert cx.run_id is not None
    fate = sql.MARK.join((cx.run_id, place, str(rank), "" if row is None else row.name, source))
    empty = sql.func("printf", sql.string(""), _same_for_all_rows())
    return cx.udf("lq_came", sql.string(fate), empty)


def repeated_keys(cx: Counting, row: Loss, source: str, node: Sql, physical: str, text: Sql) -> Sql:
    """``node``; the keys that come again in the JSON ``text`` of a row are counted; of many rows, in some."""
    if cx.run_id is None:
        return node
    name, _ = cx.counter(row, source, None)
    number = sql.integer(int(name.removeprefix(sql.COUNTER)))
    looks = cx.udf("lq_look", _same_for_all_rows(), number)
    counted = cx.udf("lq_repeats", text, number.copy(), entry(cx.run_id, row, source))
    return sql.case([(sql.case([(looks, counted)], sql.boolean(False)), sql.null(physical))], node)


def doubted_date(cx: Counting, rows: Mapping[str, Loss], source: str, text: Sql, rule: str, expr: Expr) -> Sql:
    """Text as a date by ``rule`` (pattern, locale and zone of ``lq_date``), what is hardly meant counted by ``rows``
    (``udfs.java.dates.Doubt``). Every vector of it goes to Python anyway: no counter stands in SQL.
    """
    numbers = [cx.counter(row, source, expr)[0].removeprefix(sql.COUNTER) for row in rows.values()]
    place = _place(cx)
    named = entry(cx.run_id or "", next(iter(rows.values())), source, "" if place is None else place.unit)
    at = sql.null("BIGINT") if place is None else place.number
    return cx.udf("lq_date_told", text, at, sql.string(rule), sql.string(" ".join(numbers)), named)


def replacing(cx: Counting, row: Loss, source: str, name: str, args: Sequence[Sql], expr: Expr) -> Sql:
    """A call of the Python function ``name``, which counts by itself under the name ``..._told``: every value goes
    there anyway."""
    number = sql.integer(int(cx.counter(row, source, expr)[0].removeprefix(sql.COUNTER)))
    told = cx.udf(f"{name}_told", *args, number, entry(cx.run_id or "", row, source))
    return sql.counting_call(told, cx.udf(name, *(arg.copy() for arg in args)))


def many_lost(cx: Counting, row: Loss, source: str, count: Sql, most: int | None = None) -> Sql:
    """False; counts ``count`` values. More than ``most`` are told as "at least"."""
    assert cx.run_id is not None
    more = () if most is None else (str(most),)
    return cx.udf("lq_lost_many", sql.cast(count, "BIGINT"), entry(cx.run_id, row, source, *more))


def or_lost(
    cx: Counting,
    row: Loss,
    source: str,
    node: Sql,
    physical: str,
    sample: Sql,
    given: Sql | None,
    expr: Expr | None = None,
    placed: bool = True,
) -> Sql:
    """``node``; where it is null and ``given`` holds (None: always), a value is counted. ``placed``: of a row, not of a
    group."""
    if cx.run_id is None:
        return node
    # A value that is never taken: DuckDB leaves out of a COALESCE what its statistics know to be null, counter and all.
    opened, test, lost = _counted(cx, row, source, sample, expr, placed)
    counted = sql.counting(sql.when(test, sql.when(lost, some(physical))), physical)
    if given is not None:  # one CASE inside the other, not AND: both sides of an AND may be evaluated for every row
        counted = sql.when(given, counted)
    if isinstance(node, exp.Case) and node.meta.get(_FALLS):
        branches = [(branch.this, branch.args["true"]) for branch in node.args["ifs"]]
        return sql.case([*branches, (opened, counted)])
    return sql.coalesce(node, sql.when(opened, counted))


def falls_through(branches: Sequence[tuple[Sql, Sql]]) -> Sql:
    """A CASE that is null where none of its tests holds, and nowhere else: the count is a branch more.

    A COALESCE around it cost a sixth of int() in a column of which every hundredth value is lost.
    """
    made = sql.case(branches)
    made.meta[_FALLS] = True
    return made


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


def some(physical: str) -> Sql:
    """A constant of this type that is not null."""
    if physical.endswith("[]"):
        return sql.cast(sql.array([]), physical)
    if physical == "VARIANT":
        return sql.cast(sql.boolean(False), physical)
    text = {"BOOLEAN": "false", "VARCHAR": "", "BLOB": "", "JSON": "{}"}.get(physical)
    if text is None:
        text = "epoch" if physical.startswith(("TIMESTAMP", "DATE")) else "0"
    return sql.cast(sql.string(text), physical)
