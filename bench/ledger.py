"""What counting costs: each query with and without its ledger, in turns (``python -m bench.run ledger``).

Ratios are those of the lower quartiles of the turns (``measure.quiet_row``): a goal of 3 % is below what neighbours do
to a median. The seed query loses nothing, as a right query does; beside it stands what the same without counting gives
against itself, which is the error of this measurement on this machine. The others lose a value in every hundredth row
(so every vector enters Python) and in every row.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

import logsql
from bench import measure, seed
from logsql.engine.execution import Execution
from logsql.engine.result import Result

ROWS = 1_000_000
#: A loaded machine needs so many for a claim.
PAIRS = 24
PATTERN = '"yyyy-MM-dd HH:mm:ss"'
QUERIES = {
    "conversion, none lost": "table t | eval b = int(good) | stats sum(b)",
    "conversion, 1 % lost": "table t | eval b = int(some) | stats sum(b)",
    "conversion, all lost": "table t | eval b = int(bad) | stats sum(b)",
    "fromhex, 1 % lost": "table t | eval b = fromhex(some_hex) | stats count(b)",
    "fromhex, all lost": "table t | eval b = fromhex(bad) | stats count(b)",
    "date, 1 % lost": f"table t | eval b = date(some_date, {PATTERN}) | stats max(b)",
    "parsejson, 1 % lost": "table t | parsejson field=some_json | stats sum(a)",
    "csvfile, 1 % lost": "csvfile {csv} | eval b = int(some) | stats sum(b)",
    "arithmetic of text": "table t | eval b = good + 1 | stats sum(b)",
    "arithmetic, 1 % lost": "table t | eval b = some + 1 | stats sum(b)",
    "sum of text, by": "table t | stats sum(some), avg(good) by g",
    "sum of numbers, by": "table t | stats sum(n), avg(n) by g",
    "timechart, no _time": "table t | timechart span=1h count",
    "timechart, text _time": "table texts | timechart span=1h count",
    "timechart, 1 % lost": "table dates | timechart span=1h count by g",
}


def tables() -> dict[str, pa.Table]:
    """Texts that are values, that are but every hundredth, and that never are; times that are texts, and nearly all."""
    second = "TIMESTAMPTZ '2024-01-01 00:00:00+00' + INTERVAL (i) SECOND"
    found = {
        "t": f"""i AS n, (i % 1000)::VARCHAR AS good, 'x' || i AS bad,
            if(lost, 'x', (i % 1000)::VARCHAR) AS "some", if(lost, 'x', printf('%04x', i % 65536)) AS some_hex,
            if(lost, 'x', strftime({second}, '%Y-%m-%d %H:%M:%S')) AS some_date,
            if(lost, '{{x', printf('{{"a":%d,"b":"x"}}', i % 1000)) AS some_json""",
        "texts": f"strftime({second}, '%Y-%m-%d %H:%M:%S') AS _time",
        "dates": f"if(lost, NULL, {second}) AS _time",
    }
    rows = f"(SELECT i, i % 100 = 0 AS lost, i % 50 AS g FROM range({ROWS}) r(i))"
    return {name: duckdb.sql(f"SELECT g, {columns} FROM {rows}").to_arrow_table() for name, columns in found.items()}


def rows() -> list[measure.Row]:
    """Ratio with and without counting."""
    found = []
    made = tables()
    with tempfile.TemporaryDirectory() as folder, logsql.connect(tz=seed.ZONE, threads=seed.THREADS) as session:

        def run(text: str, counting: bool) -> pa.Table:
            plan, state, catalog = session.plan(text, counting=counting)
            return Result(Execution(session.workspace, plan, state, catalog.bindings)).arrow()

        text = seed.query()
        run(text, True)  # the survey of the file is kept from here on
        times = measure.in_turns(lambda: run(text, True), lambda: run(text, False), PAIRS)
        found.append(measure.quiet_row("ledger, seed features", "the same without counting", times, 1.03))
        same = measure.in_turns(lambda: run(text, False), lambda: run(text, False), PAIRS)
        found.append(measure.quiet_row("ledger, seed, no counting", "the same once more", same, None))
        for name, table in made.items():
            session.register(name, table)
        csv = Path(folder, "t.csv")
        duckdb.from_arrow(made["t"].select(["n", "some", "bad"])).write_csv(str(csv))
        for name, query in QUERIES.items():
            text = query.replace("{csv}", str(csv))
            run(text, True)  # what is imported when the first value is lost
            times = measure.in_turns(lambda q=text: run(q, True), lambda q=text: run(q, False), PAIRS)  # type: ignore[misc]
            found.append(measure.quiet_row(f"ledger, {name}", "the same without counting", times, 1.10))
    return found
