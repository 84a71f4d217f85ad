"""Servers end with the run, however it ends, and are missing with a reason that fails under ``LOGSQL_CI=1``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import must_not_skip
from tests.servers import processes
from tests.servers.processes import open_folder, program
from tests.support import ROOT

pytestmark = pytest.mark.posix("clients and signals of Debian")
RUN = """
import pathlib, pytest, time

def test_it(directory, postgres, sftp):
    pids = [s.child.process.pid for s in (directory, postgres, sftp)]
    pathlib.Path({told!r}).write_text(" ".join(map(str, pids)) + " " + str(postgres.folder))
    time.sleep({seconds})
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for runs no longer."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def run(tmp_path: Path, seconds: float) -> tuple[subprocess.Popen[bytes], list[int], Path]:
    """Start a run of tests whose only test starts servers; the pids of these, and a folder that one of them has."""
    told, test = tmp_path / "told", tmp_path / "test_it.py"
    test.write_text(RUN.format(told=str(told), seconds=seconds))
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    options = ["-p", "tests.servers.fixtures", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", "-c", "/dev/null"]
    args = [sys.executable, "-m", "pytest", "-q", *options, "--import-mode=importlib", str(test)]
    running = subprocess.Popen(args, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for _ in range(1200):
        if (told.exists() and told.read_text()) or running.poll() is not None:
            break
        time.sleep(0.05)
    assert told.exists(), running.communicate()[0].decode()
    *pids, folder = told.read_text().split()
    return running, [int(pid) for pid in pids], Path(folder)


def gone(pids: list[int]) -> bool:
    """Whether all of them have ended, soon."""
    for _ in range(200):
        if not any(map(alive, pids)):
            return True
        time.sleep(0.05)
    return False


def test_servers_end_with_the_run(tmp_path: Path) -> None:
    running, pids, folder = run(tmp_path, 0)
    assert running.wait(60) == 0
    assert (len(pids), gone(pids)) == (3, True)
    assert not folder.exists()


def test_servers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    running, pids, folder = run(tmp_path, 60)
    assert all(map(alive, pids))
    running.send_signal(signal.SIGKILL)
    running.wait(20)
    assert gone(pids)
    assert folder.exists()
    open_folder("postgres").rmdir()
    assert not folder.exists(), "what the killed run left is removed by the next one"


def test_a_missing_program_is_a_skip_that_fails_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "PLACES", "")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception) as skipped:
        program("slapd")
    assert must_not_skip(str(skipped.value), strict=True)
