"""Every query in ``sample_data/queries`` runs on the sample data and finds something, without losing a value."""

from __future__ import annotations

from pathlib import Path

import pytest

import logsql
from tests.support import ROOT

QUERIES = sorted((ROOT / "sample_data" / "queries").glob("*.lq"))


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.stem)
def test_saved_query_finds_rows(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with logsql.connect(tz="Asia/Seoul") as session:
        assert session.query(path.read_text("utf-8")).rows()
        assert [(entry.source, entry.reason) for entry in session.last_ledger] == []


def test_tutorial_queries_are_there() -> None:
    assert {"usb-leak", "deleted-executable", "journal-by-reason", "journal-with-paths"} <= {q.stem for q in QUERIES}
