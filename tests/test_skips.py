"""The rule of tests/conftest.py: which skips are failures in continuous integration."""

from __future__ import annotations

import pytest

from tests.conftest import must_not_skip


@pytest.mark.parametrize(
    ("reason", "strict", "fails"),
    [
        ("Skipped: program not installed: slapd", True, True),
        ("Skipped: program not installed: slapd", False, False),
        ("Skipped: package not installed: evtx (extra forensic)", True, True),
        ("Skipped: outside data not available: shared/data/logs/iris.csv", True, True),
        ("Skipped: outside data not available: shared/data/logs/iris.csv", False, False),
        ("Skipped: root reads everything", True, False),
        ("Skipped: POSIX signals", True, False),
    ],
)
def test_skips_in_continuous_integration(reason: str, strict: bool, fails: bool) -> None:
    assert must_not_skip(reason, strict) is fails
