"""DuckDB's own progress bar never reaches standard output: that is for data."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support import ROOT

#: The connection that a script's first statement runs on; the bar begins at once instead of after two seconds.
SCRIPT = """
import logsql
s = logsql.connect()
c = s.database._connection
c.execute("SET progress_bar_time = 1")
print(c.execute("SELECT sum(sin(i)) > 0 FROM range(10_000_000) t(i)").fetchall())
"""


def test_no_bar_from_python_c_on_a_terminal() -> None:
    pty = pytest.importorskip("pty", reason="pseudo-terminals are of POSIX systems")
    parent, child = pty.openpty()
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(command, stdout=child, stdin=child, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        os.close(child)
        said = b""
        try:
            while piece := os.read(parent, 4096):
                said += piece
        except OSError:  # how Linux tells that the other end is closed
            pass
    os.close(parent)
    assert (process.returncode, said.split()) == (0, [b"[(True,)]"])
