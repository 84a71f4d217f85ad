"""Fixtures that tests of models share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql.engine.session import Session
from tests.ml.support import DATA_FOLDERS


@pytest.fixture
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that seals models, and models of sessions without a database, stay inside the test's folder."""
    for name in DATA_FOLDERS:
        monkeypatch.setenv(name, str(tmp_path / "user"))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with logsql.connect(str(tmp_path / "case.duckdb"), tz="UTC") as opened:
        yield opened
