"""What runs, what may be left out, and what a run says at its end.

With LOGSQL_CI=1 a test that lacks a program, a package, a service or data fails instead of being skipped; skips for
what the machine is (its platform, its user, its file system) stay skips. Tests that need data which may not be passed
on carry ``evidence``: they are left out where ``../shared/data`` is not there, and are required where it is. Tests that
need a POSIX system carry ``posix`` with the reason. ``--nightly`` runs what takes long in full (tests/README.md).
"""

from __future__ import annotations

import datetime as dt
import gc
import os
import platform
import socket
import sys
from collections import Counter
from collections.abc import Generator

import pytest

import logsql.registry  # noqa: F401  commands and functions are there for tests that use a lower room directly
from tests import support

#: Beginnings of skip reasons that speak of something a test machine should have.
NEEDED = (
    "program not installed",
    "package not installed",
    "optional package",
    "service not available",
    "pexpect is not",
    "got empty parameter set",
)
OUTSIDE = "outside data not available"
LEFT_OUT = pytest.StashKey[int]()
#: Files of one long test each. They run first: at the end one worker would have nothing to do meanwhile.
LONG = ("tests/ml/test_tutorial.py", "tests/ml/test_article_session.py")
#: The servers that any test may ask for (tests/README.md, "Servers").
pytest_plugins = ["tests.servers.fixtures"]


_RESOLVED = socket.getaddrinfo


def _resolved_here(
    host: str | bytes | None, port: str | int | None, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[object]:
    """``socket.getaddrinfo`` of this process, which asks nobody outside the machine: a test that forgets its server
    finds that the name has no address, and no packet leaves."""
    name = host.decode() if isinstance(host, bytes) else host
    if name and name != socket.gethostname() and not name.endswith("localhost"):
        flags |= socket.AI_NUMERICHOST
    return list(_RESOLVED(host, port, family, type, proto, flags))


socket.getaddrinfo = _resolved_here  # type: ignore[assignment]


def must_not_skip(reason: str, strict: bool) -> bool:
    """Whether a skip with this reason is a failure."""
    return strict and reason.removeprefix("Skipped: ").startswith((*NEEDED, OUTSIDE))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="all mutations, generated pipelines and runs, not a sample")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # till all tests are collected: fifteen thousand of them, a third of the time
    config.addinivalue_line("markers", "evidence: needs data in ../shared/data that may not be passed on")
    config.addinivalue_line("markers", "posix(why): needs a POSIX system")
    if config.getoption("--nightly"):
        os.environ[support.NIGHTLY] = "1"  # the workers of a parallel run inherit it


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if sys.platform == "win32":
        for item in items:
            if marker := item.get_closest_marker("posix"):
                item.add_marker(pytest.mark.skip(reason=f"needs POSIX: {marker.args[0]}"))
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))
    if not support.evidence_is_there():
        without = [item for item in items if item.get_closest_marker("evidence")]
        config.stash[LEFT_OUT] = len(without)
        if without:
            config.hook.pytest_deselected(items=without)
            items[:] = [item for item in items if not item.get_closest_marker("evidence")]
        if hasattr(config, "workeroutput"):
            config.workeroutput["left_out"] = len(without)


def pytest_collection_finish() -> None:
    """What was collected stays: a collector that looks through it again and again takes a tenth of the whole run."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_testnodedown(node: object) -> None:
    """A worker of a parallel run has ended: each of them has collected the same tests."""
    config: pytest.Config = node.config  # type: ignore[attr-defined]
    config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_runtest_setup(item: pytest.Item) -> None:
    support.RUNNING[:] = [item]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if must_not_skip(reason, os.environ.get("LOGSQL_CI") == "1"):
            report.outcome = "failed"
            report.longrepr = f"LOGSQL_CI=1 allows no skip for want of programs, packages, services or data: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A whole file may be skipped for want of a package, too."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        reason = str(report.longrepr[2])
        if must_not_skip(reason, os.environ.get("LOGSQL_CI") == "1"):
            report.outcome = "failed"
            report.longrepr = f"LOGSQL_CI=1 allows no skip for want of programs or packages: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in (*_left_out(config), *_translated(terminalreporter)):
        terminalreporter.write_line(line)
    if support.nightly() and not hasattr(config, "workerinput"):
        counts = {kind: len(reports) for kind, reports in terminalreporter.stats.items() if kind}
        told = ", ".join(
            f"{counts[kind]} {kind}" for kind in ("passed", "failed", "error", "skipped") if kind in counts
        )
        now = dt.datetime.now(dt.UTC)
        seconds = now.timestamp() - terminalreporter._session_start.time
        where = f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores"
        result = f"{now:%Y-%m-%d %H:%M} UTC: {told} in {seconds / 60:.0f} min ({where})\n"
        (support.ROOT / "nightly.txt").write_text(result, encoding="utf-8")
        terminalreporter.write_line(f"nightly.txt: {result.rstrip()}")


def _left_out(config: pytest.Config) -> list[str]:
    """What was not run for want of data."""
    count = config.stash.get(LEFT_OUT, 0)
    return [f"{count} tests were left out: they need ../shared/data, which is not here"] if count else []


def _translated(terminalreporter: pytest.TerminalReporter) -> list[str]:
    """Into how many kinds the cases of test_translate.py fall."""
    reports = terminalreporter.stats.get("passed", [])
    kinds = Counter(str(v) for r in reports for k, v in getattr(r, "user_properties", ()) if k == "translate")
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return [f"SQL of the conformance suite: {told}"] if kinds else []
