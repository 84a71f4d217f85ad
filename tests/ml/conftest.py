"""Fixtures that tests of models share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import logsql
from logsql.engine.session import Session


@pytest.fixture
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that seals models, and models of sessions without a database, stay inside the test's folder."""
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "user"))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with logsql.connect(str(tmp_path / "case.duckdb"), tz="UTC") as opened:
        yield opened
