"""``translate``: the SQL it prints gives the rows of the case, in plain DuckDB wherever it says nothing of Python.

Every case of the conformance suite is one of three: the SQL alone gives the rows; it calls functions that DuckDB has
not and the text names; or fields of the result are known only from the data, or a step comes before the SELECT. For the
last two the product gives the rows, as test_conformance.py shows of the same cases. How many there are of each is
printed at the end of the run. Every case is run twice so, here and there: by day here every third one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

import logsql
from logsql.engine.result import python_rows
from logsql.engine.translate import plan_parts
from logsql.values.sqltext import written
from tests.conformance_cases import Case, arrow_tables, load
from tests.run_case import difference, load_tables, session
from tests.support import sample


def plain_rows(connection: duckdb.DuckDBPyConnection, text: str, zone: str) -> list[dict[str, Any]]:
    """Rows of a statement in DuckDB alone; mixed columns and documents as JSON, as any client would read them."""
    relation = connection.sql(text)
    items: list[str] = []
    labels: list[str] = []
    for position, (name, type_) in enumerate(zip(relation.columns, relation.types, strict=True), 1):
        document = "VARIANT" in str(type_) or "JSON" in str(type_)
        quoted = '"' + name.replace('"', '""') + '"'
        items.append(f"{f'to_json(#{position})' if document else f'#{position}'} AS {quoted}")
        labels.append("any" if document else "")
    table: pa.Table = relation.project(", ".join(items)).to_arrow_table()
    rows = [row for batch in table.to_batches() for row in python_rows(batch, labels, ZoneInfo(zone))]
    return [{k: v for k, v in row.items() if k != "__row"} for row in rows]


@pytest.fixture(scope="module")
def built_in() -> frozenset[str]:
    """Functions of DuckDB without us."""
    with duckdb.connect() as plain:
        return frozenset(name for (name,) in plain.execute("SELECT function_name FROM duckdb_functions()").fetchall())


CASES = [c for c in load("language") + load("pipelines") if not c.errors]


@pytest.mark.parametrize("case", CASES[:: sample(1, 3)], ids=lambda c: c.id)
def test_sql_alone(case: Case, built_in: frozenset[str], record_property: Callable[[str, object], None]) -> None:
    s = session(case.tz)
    load_tables(s, arrow_tables(case))
    plan = s.plan(case.query, case.params)[0]
    *before, text = plan_parts(plan)
    missing = {name for name in plan.functions if f"{name}(" in text.lower()}
    if missing:
        record_property("translate", "needs functions that the text names")
        assert not missing & built_in
        assert "-- Python functions: " + ", ".join(sorted(plan.functions)) in before
    elif plan.open or plan.steps:
        record_property("translate", "needs the data's fields, or a step before it")
        assert '"__rest"' in text if plan.open else before
    else:
        record_property("translate", "alone")
        found = difference(case, plain_rows(s.cursor(), text, case.tz))
        assert found is None, found
    # The engine writes a plan without copying its trees first; a second run of the plan must find them unchanged.
    assert written(plan.final()) == written(plan.final())


def test_schema_given() -> None:
    schema = {"web": {"status": "INTEGER", "path": "VARCHAR"}}
    translated = logsql.translate("table web | search status == 404 | stats count by path", schema)
    with duckdb.connect() as plain:
        plain.execute(
            "CREATE TABLE web AS SELECT * FROM (VALUES (404, '/a'), (200, '/b'), (404, '/a')) t(status, path)"
        )
        assert plain.execute(translated.sql()).fetchall() == [("/a", 2)]
