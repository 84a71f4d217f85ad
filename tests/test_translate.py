"""``translate``: the SQL it prints runs in plain DuckDB and gives the rows that the product gives."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.result import python_rows
from tests.compare import rows_equal
from tests.conformance_cases import Case, arrow_tables, load
from tests.run_case import load_tables, session


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


@pytest.mark.parametrize("case", [c for c in load("language") + load("pipelines") if not c.errors], ids=lambda c: c.id)
def test_sql_alone(case: Case) -> None:
    s = session(case.tz)
    load_tables(s, arrow_tables(case))
    try:
        plan = s.plan(case.query, case.params)[0]
    except LogsqlError as error:
        pytest.fail(str(error))
    if plan.python or plan.open or plan.steps:
        return  # a Python stage, or fields found only in the data
    actual = plain_rows(s.cursor(), plan.final().sql("duckdb", pretty=True), case.tz)
    # The engine writes a plan without copying its trees first; a second run of the plan must find them unchanged.
    written = plan.final().sql("duckdb", copy=False)
    assert plan.final().sql("duckdb", copy=False) == written
    assert case.expect is not None
    difference = rows_equal(case.expect, actual, case.ordered, case.tz)
    assert difference is None, difference


def test_schema_given() -> None:
    schema = {"web": {"status": "INTEGER", "path": "VARCHAR"}}
    translated = logsql.translate("table web | search status == 404 | stats count by path", schema)
    with duckdb.connect() as plain:
        plain.execute(
            "CREATE TABLE web AS SELECT * FROM (VALUES (404, '/a'), (200, '/b'), (404, '/a')) t(status, path)"
        )
        assert plain.execute(translated.sql()).fetchall() == [("/a", 2)]
