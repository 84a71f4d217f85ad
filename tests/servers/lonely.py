"""A network that has loopback and nothing else: a test that is marked ``lonely`` runs in one.

The lonely tests of a file are run by one more pytest inside a network namespace, and end as they end there. Their
servers start in there, too. ``lonely("169.254.169.254", "10.9.8.7")`` gives those addresses to the loopback device of
the namespace, so that a server can listen on them: what must not be reached is there to be reached.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.servers.processes import is_root, program
from tests.support import ROOT

INSIDE = "LOGSQL_LONELY"
"""Set in the process inside."""
TOLD = "LOGSQL_LONELY_TOLD"
"""The file in which the tests inside tell how they ended."""
_SCRIPT = 'ip link set lo up && for a in $1; do ip address add "$a" dev lo || exit 97; done && shift && exec "$@"'
PATIENCE = 600.0


@dataclass(frozen=True)
class Ended:
    """How a test ended inside: ``passed``, ``failed``, ``skipped``, and what was said of it."""

    outcome: str
    text: str


def inside() -> bool:
    """Whether this process is in a network of its own."""
    return os.environ.get(INSIDE) == "1"


@cache
def refusal() -> str | None:
    """Why this machine makes no such network; None when it does."""
    tried = subprocess.run([*_entering(()), "true"], capture_output=True, check=False)
    return None if tried.returncode == 0 else tried.stderr.decode(errors="replace").strip() or "no reason given"


def _entering(addresses: tuple[str, ...]) -> list[str]:
    """The program that starts another one inside: root needs no user namespace, and anybody else is root only for as
    long as the network is made."""
    unshare, masked = str(program("unshare")), " ".join(f"{a}/{128 if ':' in a else 32}" for a in addresses)
    if is_root():
        return [unshare, "--net", "sh", "-c", _SCRIPT, "sh", masked]
    oneself = [unshare, "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return [unshare, "--net", "--user", "--map-root-user", "sh", "-c", _SCRIPT, "sh", masked, *oneself]


def run_lonely(
    args: list[str], addresses: tuple[str, ...] = (), more: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a program in a network of its own; skips with the reason where the kernel refuses."""
    program("ip")
    if (why := refusal()) is not None:
        pytest.skip(f"the kernel makes no network namespace for this user: {why}")
    outside = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    env = {**outside, INSIDE: "1", **(more or {})}
    return subprocess.run(
        [*_entering(addresses), *args], capture_output=True, timeout=PATIENCE, env=env, cwd=ROOT, check=False
    )


def run_tests(items: list[pytest.Function], addresses: tuple[str, ...]) -> dict[str, Ended]:
    """Run tests inside, in one process, and tell how each ended."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told"
        options = ["-p", "no:cacheprovider", "--tb=long", "-n0"]
        if items[0].config.getoption("--nightly"):
            options.append("--nightly")
        ids = [item.nodeid for item in items]
        done = run_lonely([sys.executable, "-m", "pytest", *options, *ids], addresses, {TOLD: str(told)})
        lines = told.read_text().splitlines() if told.exists() else []
    ended: dict[str, Ended] = {}
    for name, part, outcome, text in map(json.loads, lines):
        if outcome != "passed" or part == "teardown":  # without a teardown the whole process has ended in the test
            ended.setdefault(name, Ended(outcome, text))
    said = (done.stdout[-4000:] + done.stderr[-4000:]).decode(errors="replace")
    return {name: ended.get(name, Ended("failed", f"it never ended:\n{said}")) for name in ids}


def tell(report: pytest.TestReport) -> None:
    """Inside: tell the process outside how a part of a test ended."""
    if (told := os.environ.get(TOLD)) is not None:
        text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
        with open(told, "a", encoding="utf-8") as out:
            out.write(json.dumps([report.nodeid, report.when, report.outcome, text]) + "\n")
