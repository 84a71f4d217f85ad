"""Shared helpers of the test suite: outside data, programs, and how much of a long run is done."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
#: Environment variable that ``--nightly`` sets.
NIGHTLY = "LOGSQL_NIGHTLY"
#: The test that is running (conftest.py keeps it).
RUNNING: list[pytest.Item] = []


def evidence_is_there() -> bool:
    """Whether this machine has the data that may not be passed on."""
    return (SHARED / "data").is_dir()


def shared_data(*parts: str) -> Path:
    """Path below ``../shared/data``, for tests that carry the marker ``evidence``."""
    return _outside(SHARED.joinpath("data", *parts))


def spec_file(name: str) -> Path:
    """Path below ``../shared/spec``, for tests that carry the marker ``evidence``."""
    return _outside(SHARED / "spec" / name)


def _outside(path: Path) -> Path:
    if RUNNING and RUNNING[0].get_closest_marker("evidence") is None:
        pytest.fail(f"{path.relative_to(SHARED)} is not everywhere: mark this test with @pytest.mark.evidence")
    if not path.exists():
        pytest.skip(f"outside data not available: shared/{path.relative_to(SHARED)}")
    return path


def needs_program(name: str) -> str:
    """Full path of a program a test needs; skips with a printed reason when it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"program not installed: {name}")
    return found


def nightly() -> bool:
    """Whether everything is run, however long it takes."""
    return os.environ.get(NIGHTLY) == "1"


def sample(everything: int, part: int) -> int:
    """How many rounds of a long run are done: all of them at night, else the first ``part`` (of the same seeds)."""
    return everything if nightly() else part
