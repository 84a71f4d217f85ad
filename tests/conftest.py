"""Skips that would hide a hole: with LOGSQL_CI=1 a test that lacks a program, a package or a service fails.

Skips for what the machine is (its platform, its user, its file system) stay skips; a skip for want of outside data
(``../shared/data``) fails too. Every skip prints its reason (``-ra``).
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

import logsql.registry  # noqa: F401  commands and functions are there for tests that use a lower room directly

#: Beginnings of skip reasons that speak of something a test machine should have.
NEEDED = (
    "program not installed",
    "package not installed",
    "optional package",
    "service not available",
    "pexpect is not",
)
OUTSIDE = "outside data not available"


def must_not_skip(reason: str, strict: bool) -> bool:
    """Whether a skip with this reason is a failure."""
    return strict and reason.removeprefix("Skipped: ").startswith((*NEEDED, OUTSIDE))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if must_not_skip(reason, os.environ.get("LOGSQL_CI") == "1"):
            report.outcome = "failed"
            report.longrepr = f"LOGSQL_CI=1 allows no skip for want of programs, packages, services or data: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(OUTSIDE in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(f"{count} tests were skipped because {OUTSIDE} (../shared/data)")
