"""What counting costs: each query with and without its ledger, in turns (``python -m bench.run ledger``).

The seed query loses nothing, as a right query does. The others lose a value in every hundredth row (every vector calls
Python once) and in every row.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

import logsql
from bench import measure, seed
from logsql.engine.execution import Execution
from logsql.engine.result import Result

ROWS = 1_000_000
QUERIES = {
    "conversion, none lost": "table t | eval b = int(good) | stats sum(b)",
    "conversion, 1 % lost": "table t | eval b = int(some) | stats sum(b)",
    "conversion, all lost": "table t | eval b = int(bad) | stats sum(b)",
    "arithmetic of text": "table t | eval b = good + 1 | stats sum(b)",
    "sum of text, by": "table t | stats sum(some), avg(good) by g",
    "sum of numbers, by": "table t | stats sum(n), avg(n) by g",
}


def table() -> pa.Table:
    """Texts that are numbers, that mostly are, and that never are."""
    return duckdb.sql(
        "SELECT i AS n, (i % 1000)::VARCHAR AS good, CASE WHEN i % 100 = 0 THEN 'x' ELSE (i % 1000)::VARCHAR END AS "
        f"some, 'x' || i AS bad, i % 50 AS g FROM range({ROWS}) t(i)".replace("AS some", 'AS "some"')
    ).to_arrow_table()


def rows() -> list[measure.Row]:
    """Ratio with and without counting."""
    found = []
    with logsql.connect(tz=seed.ZONE, threads=seed.THREADS) as session:

        def run(text: str, counting: bool) -> pa.Table:
            plan, state, catalog = session.plan(text, counting=counting)
            return Result(Execution(session.workspace, plan, state, catalog.bindings)).arrow()

        text = seed.query()
        times = measure.in_turns(lambda: run(text, True), lambda: run(text, False), 9)
        found.append(measure.row("ledger, seed features", "the same without counting", times, 1.03))
        session.register("t", table())
        for name, query in QUERIES.items():
            times = measure.in_turns(lambda q=query: run(q, True), lambda q=query: run(q, False))  # type: ignore[misc]
            goal = 1.10
            found.append(measure.row(f"ledger, {name}", "the same without counting", times, goal))
    return found
