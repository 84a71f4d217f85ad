"""Start-up: CPU of a fresh interpreter that imports the package or prints help, against importing what it stands on."""

from __future__ import annotations

import resource
import subprocess
import sys

from bench import measure

_FLOOR = "import duckdb, sqlglot"
_SESSION = "import duckdb, sqlglot, pyarrow; duckdb.connect().close()"
_SIDES = {
    "start-up, import": ("import logsql", _FLOOR),
    "start-up, session": ("import logsql; logsql.connect(tz='UTC').close()", _SESSION),
    "start-up, --help": ("from logsql.cli import main; main(['--help'])", _FLOOR),
}


def child_cpu(code: str) -> float:
    """CPU milliseconds of a fresh interpreter running ``code``."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def start_up() -> list[measure.Row]:
    rows = []
    for name, (ours, floor) in _SIDES.items():
        a, b = [], []
        child_cpu(ours)
        child_cpu(floor)
        for _ in range(15):
            a.append(child_cpu(ours))
            b.append(child_cpu(floor))
        rows.append(measure.row(name, floor, (a, b), 1.5))
    return rows
