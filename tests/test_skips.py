"""The rule of tests/conftest.py: which skips are failures in continuous integration."""

from __future__ import annotations

import pytest

from tests.conftest import must_not_skip


@pytest.mark.parametrize(
    ("reason", "strict", "data_here", "fails"),
    [
        ("Skipped: program not installed: slapd", True, True, True),
        ("Skipped: program not installed: slapd", False, True, False),
        ("Skipped: package not installed: evtx (extra forensic)", True, False, True),
        ("Skipped: outside data not available: shared/data/logs/iris.csv", True, True, True),
        ("Skipped: outside data not available: shared/data/logs/iris.csv", True, False, False),
        ("Skipped: root reads everything", True, True, False),
        ("Skipped: POSIX signals", True, True, False),
    ],
)
def test_skips_in_continuous_integration(reason: str, strict: bool, data_here: bool, fails: bool) -> None:
    assert must_not_skip(reason, strict, data_here) is fails
