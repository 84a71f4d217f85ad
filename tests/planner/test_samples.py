"""Values are read while a query is planned only where a rule has a reason to look: reading them takes longer than all
the rest of planning."""

from __future__ import annotations

import datetime as dt

import duckdb
import pyarrow as pa
import pytest
import sqlglot

import logsql
from bench.seed import QUERY
from logsql.engine.catalog import SessionCatalog
from tests.support import ROOT


def test_the_seed_query_reads_no_values_while_it_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    read: list[object] = []
    monkeypatch.setattr(SessionCatalog, "sample", lambda self, query: read.append(query) or ())
    with logsql.connect() as session:
        plan, _, _ = session.plan(QUERY, counting=True)
        assert plan.ctes
        assert not read
        session.plan("csvfile sample_data/assets.csv | timechart span=1d count", counting=True)
        assert read  # where a date is missed, the values are looked at for one: this is the way they are read


@pytest.mark.parametrize("column", ["text", "wide", "number", "day", "coded"])
def test_a_column_in_memory_is_looked_at_as_the_engine_gives_it(column: str) -> None:
    table = pa.table(
        {
            "text": pa.array(["a", None, "", "x" * 1_000_001, "가", *"b" * 60]),
            "wide": pa.array(["a", None] * 30 + ["c"] * 5, pa.large_string()),
            "number": pa.array([-1, None, *range(63)], pa.int64()),
            "day": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5)] * 65),
            "coded": pa.array(["a", "b", None, "a", "c"] * 13).dictionary_encode(),
        }
    )
    with logsql.connect() as session, duckdb.connect() as engine:
        session.register("t", table)
        engine.register("t", table)
        _, _, catalog = session.plan("table t")
        query = sqlglot.parse_one(f"SELECT {column} AS v FROM t LIMIT 50", dialect="duckdb")
        rows = engine.execute(f"SELECT {column} FROM t LIMIT 50").fetchall()
        assert catalog.sample(query) == tuple(str(v) for (v,) in rows if v is not None and len(str(v)) < 1_000_001)
