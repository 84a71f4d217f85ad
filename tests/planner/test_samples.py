"""Values are read while a query is planned only where a rule has a reason to look: reading them takes longer than all
the rest of planning."""

from __future__ import annotations

import pytest

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
