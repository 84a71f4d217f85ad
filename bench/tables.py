"""Everyday queries over a stored table of five million rows against hand-written SQL with the same answers."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import duckdb

import logsql
from bench import measure, seed

ROWS = 5_000_000

_MAKE = f"""
CREATE TABLE web AS SELECT
  (i * 7919 % 1000003)::BIGINT AS id,
  ['GET', 'POST', 'PUT', 'HEAD'][1 + i * 31 % 4] AS method,
  [200, 200, 200, 301, 404, 500][1 + i * 17 % 6]::INTEGER AS status,
  '/' || ['en', 'ko', 'ja'][1 + i * 13 % 3] || '/apps/' || (i * 104729 % 5003) AS path,
  (i * 6151 % 65536)::INTEGER AS bytes,
  'user' || (i * 3571 % 20011) AS user,
  (i * 2654435761 % 1000)::DOUBLE / 7 AS duration
FROM range({ROWS}) t(i)"""

_HOSTS = "CREATE TABLE owners AS SELECT 'user' || i AS user, 'team' || i % 50 AS team FROM range(20000) t(i)"

_DOCUMENTS = """
CREATE TABLE events AS SELECT
  json_object('user', json_object('name', 'user' || i % 977, 'id', i % 100000),
    'records', [json_object('action', ['read', 'write', 'list'][1 + i % 3], 'size', i * 31 % 4096)],
    'note', 'what happened on day ' || i % 31) AS event
FROM range(1000000) t(i)"""
_READ = """SELECT json_extract_string(event, '$.records[0].action') AS action,
  sum(json_extract(event, '$.records[0].size')::BIGINT)::BIGINT AS total FROM events
  WHERE json_extract_string(event, '$.user.name') = 'user7' GROUP BY action ORDER BY lower(action) NULLS FIRST"""

#: name -> pipe query, SQL by hand, whether the rows have an order
QUERIES: dict[str, tuple[str, str, bool]] = {
    "stats count by": (
        "table web | stats count, sum(bytes) as total by status, method",
        "SELECT status, method, count(*) AS count, sum(bytes)::BIGINT AS total FROM web GROUP BY status, method "
        "ORDER BY status NULLS FIRST, lower(any_value(method)) NULLS FIRST",
        True,
    ),
    "search contains": (
        'table web | search path == "*/apps/77*" and status >= 400 | fields id, path, status',
        "SELECT id, path, status FROM web WHERE contains(path, '/apps/77') AND status >= 400",
        True,
    ),
    "join": (
        "table web | search status == 500 | join user [ table owners ] | stats count by team",
        "SELECT team, count(*) AS count FROM web JOIN owners USING (user) WHERE status = 500 GROUP BY team "
        "ORDER BY lower(any_value(team)) NULLS FIRST",
        True,
    ),
    "sort limit": (
        "table web | sort -bytes, id | limit 100 | fields id, bytes, path",
        "SELECT id, bytes, path FROM web ORDER BY bytes DESC NULLS LAST, id ASC NULLS FIRST, rowid LIMIT 100",
        True,
    ),
    "nested valueof": (
        'table events | search valueof(valueof(event, "user"), "name") == "user7" '
        '| eval action = string(valueof(valueof(valueof(event, "records"), 0), "action")) '
        '| stats sum(valueof(valueof(valueof(event, "records"), 0), "size")) as total by action',
        _READ,
        True,
    ),
    "path into a document": (
        'table events | search event.user.name == "user7" | eval action = string(event.records[0].action) '
        "| stats sum(event.records[0].size) as total by action",
        _READ,
        True,
    ),
}


def database() -> Path:
    """The generated tables, written on first use."""
    path = seed.folder() / f"web-{ROWS}-events.duckdb"
    if not path.exists():
        with duckdb.connect(str(path)) as connection:
            connection.execute(_MAKE)
            connection.execute(_HOSTS)
            connection.execute(_DOCUMENTS)
    return path


def compare(name: str) -> list[measure.Row]:
    """One query of the table above."""
    text, written, ordered = QUERIES[name]
    path = str(database())
    with logsql.connect(path, tz="UTC", threads=seed.THREADS) as session:
        hand = session.cursor()
        ours = session.query(text).arrow()
        measure.check_same(name, ours, seed.run_sql(hand, written), ordered)
        times = measure.in_turns(lambda: session.query(text).arrow(), lambda: seed.run_sql(hand, written))
    return [measure.row(name, f"{ROWS:,} rows, SQL by hand", times, 1.05)]


def translate() -> list[measure.Row]:
    """Milliseconds from text to SQL of the 45-command query, by stage; compared with DuckDB's own bind of that SQL."""
    from logsql.engine.catalog import SessionCatalog
    from logsql.engine.runstate import RunState
    from logsql.language.parser import parse_query
    from logsql.planner.planner import compile_query
    from logsql.registry import GRAMMAR
    from logsql.values.sqltext import written

    text = seed.query()
    with logsql.connect(tz=seed.ZONE, threads=seed.THREADS) as session:
        session.query(text).arrow()  # the types of the file are known from here on
        catalog = SessionCatalog(session.workspace, RunState(session.policy, session.zone))
        stages: dict[str, list[float]] = {"parse": [], "plan": [], "generate": []}
        bind: list[float] = []
        cursor = session.cursor()
        for _ in range(20):
            marks = [time.perf_counter()]
            tree = parse_query(text, GRAMMAR)
            marks.append(time.perf_counter())
            plan = compile_query(tree, catalog)
            marks.append(time.perf_counter())
            sql = written(plan.final())
            marks.append(time.perf_counter())
            for name, start, end in zip(stages, marks, marks[1:], strict=False):
                stages[name].append((end - start) * 1000)
            session.workspace.database.install(plan.functions)  # as a run does before it binds
            start = time.perf_counter()
            cursor.execute("PREPARE p AS " + sql) if not plan.steps else None
            bind.append((time.perf_counter() - start) * 1000)
    split = ", ".join(f"{name} {statistics.median(values):.1f}" for name, values in stages.items())
    whole = [sum(parts) for parts in zip(*stages.values(), strict=True)]
    return [
        measure.row(
            "translate", "wall time, DuckDB's own bind and plan of the SQL", (whole, bind), None, f"ms: {split}"
        )
    ]
