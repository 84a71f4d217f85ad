"""What the fences cost: a query in safe mode and without, a small file with its bytes on the disk and without.

Safe mode: ``python -m bench.run "safe mode"``, at most 3 % more CPU time. Files: ``python -m bench.run "files on the
disk"``; the ratio is of CPU time, and the note says how long one file waits for the disk (goal: 10 ms).
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

import logsql
from bench import measure, seed, tables

#: Small files of one run, and milliseconds that one may wait for the disk.
FILES, GOAL = 50, 10.0
ROWS = 200_000


def safe_mode() -> list[measure.Row]:
    """Queries over JSON, CSV, text and a stored table, each with and without ``safe=True``."""
    folder = seed.folder()
    lines = folder / f"lines-{ROWS}.csv"
    if not lines.exists():
        lines.write_text("a,b\n" + "".join(f"{i},user{i % 977} GET /en/apps/{i}\n" for i in range(ROWS)))
    queries = {
        "JSON, 45 commands": seed.query(),
        "CSV": f'csvfile {lines} | search b == "*apps/77*" | stats count by a',
        "text": f"textfile {lines} | stats count",
        "table": tables.QUERIES["stats count by"][0],
        "SQL": "select status, count(*) from web group by status",
    }
    path = str(tables.database())
    found = []
    with (
        logsql.connect(path, tz=seed.ZONE, threads=seed.THREADS, safe=True, allow_dirs=[str(folder)]) as safe,
        tempfile.TemporaryDirectory() as copies,
    ):
        copy = Path(copies) / "copy.duckdb"  # one process opens a database file once
        shutil.copyfile(path, copy)
        with logsql.connect(str(copy), tz=seed.ZONE, threads=seed.THREADS) as free:
            for name, text in queries.items():

                def run(session: logsql.Session, text: str = text) -> pa.Table:
                    return (session.sql if text.startswith("select") else session.query)(text).arrow()

                measure.check_same(name, run(safe), run(free), ordered=False)
                times = measure.in_turns(lambda run=run: run(safe), lambda run=run: run(free), 11)  # type: ignore[misc]
                found.append(measure.row(f"safe mode, {name}", "the same without --safe", times, 1.03))
    return found


def files() -> list[measure.Row]:
    """Small files written by ``outputcsv``, with and without waiting for the disk."""
    synced = os.fsync
    waited: list[float] = []
    with tempfile.TemporaryDirectory(dir=seed.folder()) as folder, logsql.connect(tz="UTC", threads=1) as session:
        session.sql("create table t as select range a from range(100)").rows()

        def timed(handle: int) -> None:
            started = time.perf_counter()
            synced(handle)
            waited[-1] += (time.perf_counter() - started) * 1000

        def write(sync: Callable[[int], None] = timed) -> None:
            os.fsync = sync
            try:
                for number in range(FILES):
                    waited.append(0.0)
                    session.query(f"table t | outputcsv overwrite=t {folder}/{number}.csv a").rows()
            finally:
                os.fsync = synced

        write()
        waited.clear()
        times = measure.in_turns(write, lambda: write(lambda handle: None))
        ours = statistics.median(wait for wait in waited if wait)
        bare = statistics.median(_bare(Path(folder)) for _ in range(FILES))
    told = f"{ours:.1f} ms a file for the disk, goal {GOAL:.0f} ms {'met' if ours <= GOAL else 'MISSED'}"
    note = f"{told}; the bare calls {bare:.1f} ms"
    return [measure.row(f"{FILES} small files", "the same without fsync", times, None, note)]


def _bare(folder: Path) -> float:
    """Milliseconds in which this disk puts down a small file and its name: what nobody can do without."""
    with open(folder / "bare", "wb") as file:
        file.write(b"x" * 300)
        file.flush()
        started = time.perf_counter()
        os.fsync(file.fileno())
    os.rename(folder / "bare", folder / "placed")
    handle = os.open(folder, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return (time.perf_counter() - started) * 1000
