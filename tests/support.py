"""Shared helpers of the test suite: where outside data lives and how its absence is reported."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared_data(*parts: str) -> Path:
    """Path below ``../shared/data``; skips the calling test, with a printed reason, when the data is not there."""
    path = ROOT.parent.joinpath("shared", "data", *parts)
    if not path.exists():
        pytest.skip(f"outside data not available: shared/data/{'/'.join(parts)}")
    return path


def needs_program(name: str) -> str:
    """Full path of a program a test needs; skips with a printed reason when it is not installed."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"program not installed: {name}")
    return found
