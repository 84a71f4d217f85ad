"""All benchmarks: ``python -m bench.run [ROW ...]``.

One line per row: name, ratio (ours / theirs), its spread, CPU medians of both sides, what is compared. Every row runs
in a process of its own; a row that cannot run says why and the rest goes on. Times never make it fail.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable
from typing import cast

from bench import fences, keeping, ledger, requests, seed, startup, tables
from bench.measure import Row
from logsql.loading import at

ROWS: dict[str, Callable[[], list[Row]]] = {
    "seed features": seed.features,
    "translate": tables.translate,
    "start-up": startup.start_up,
    "ledger": ledger.rows,
    "keeping": keeping.rows,
    "safe mode": fences.safe_mode,
    "files on the disk": fences.files,
    "directory": lambda: cast("Callable[[], list[Row]]", at("bench.directory:rows"))(),
    "databases": lambda: cast("Callable[[], list[Row]]", at("bench.databases:rows"))(),
    "requests": requests.rows,
    "live cpu": lambda: cast("Callable[[], list[Row]]", at("bench.live:cpu_rows"))(),
    "live latency": lambda: cast("Callable[[], list[Row]]", at("bench.live:latency_rows"))(),
    **{name: (lambda name=name: tables.compare(name)) for name in tables.QUERIES},  # type: ignore[misc]
}
#: Rows that print their own tables.
MODULES = {"hive": "bench/hive.py", "ntfs": "bench/ntfs.py", "hosts": "bench/hosts.py", "ml": "bench/ml.py"}


def main(arguments: list[str] | None = None) -> int:
    """Runs the named rows (all by default), each in a fresh process."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=(__doc__ or "").splitlines()[0])
    names = [*ROWS, *MODULES]
    parser.add_argument("rows", nargs="*", metavar="ROW", help="one of: " + ", ".join(names))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        for row in ROWS[options.one]():
            print(row.text(), flush=True)
        return 0
    for name in options.rows or names:
        if name not in names:
            parser.error(f"no such row: {name}; rows are {', '.join(names)}")
    print(f"{'row':<26} {'ratio':>6}  {'spread':<11}  {'ours / theirs (CPU)':<27}  compared with", flush=True)
    for name in options.rows or names:
        if name in MODULES:
            print(f"-- {MODULES[name]}", flush=True)
            command = [sys.executable, str(seed.ROOT / MODULES[name])]
        else:
            command = [sys.executable, "-m", "bench.run", "--one", name]
        done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, cwd=seed.ROOT)
        if done.returncode:
            reason = (done.stderr or "").strip().splitlines() or ["no reason given"]
            print(f"{name:<26} not measured: {reason[-1]}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
