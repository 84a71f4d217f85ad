"""What a hostile file or query costs: ``python -m bench.bounds [ROW ...]``; ``--write`` puts it into docs/limits.md.

Every row of ``bench/bounded_files.py`` and ``bench/bounded_queries.py`` makes its input in a temporary folder and asks
its query in a process of its own. One line per row comes out: what was said, processor time (user and system, the start
of the program included) and the most memory that the process held. A row that passes its bound (memory, or seconds
beyond its time limit) is marked, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bounded import Bounded
from bench.bounded_files import FILES
from bench.bounded_queries import QUERIES
from bench.seed import ROOT

PAGE = ROOT / "docs" / "limits.md"
BEGIN, END = "<!-- rows of python -m bench.bounds -->\n", "<!-- end of the rows -->\n"
ROWS = FILES + QUERIES
#: Seconds after which a process is ended and said to hang.
HANGS = 240
#: A process that starts the measured one and tells what it used: Linux counts what the starting process held, until the
#: program of the new one begins, as held by the new one (1,258 MB of every row, measured from a run of the tests).
STARTER = """
import json, os, sys
nowhere = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=nowhere)
_, status, used = os.wait4(child, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss // 1000]))
"""
#: Megabytes that the program holds before the query: a started interpreter with Arrow and DuckDB.
STARTED = 160
#: Megabytes beyond limit and room that one look at the memory (a twentieth of a second) may come late, and one value
#: of 64 MB, held four times before anything looks.
ONE_VALUE = 256


@dataclass(frozen=True)
class Seen:
    """What a row showed. ``said``: code of the error or ``rows``, and the reasons in the ledger."""

    said: str
    seconds: float
    megabytes: int
    waited: float
    code: int

    def cells(self) -> str:
        """The last two cells of the row."""
        return f"{self.said} | {self.seconds:.1f} s, {self.megabytes} MB"


def most(row: Bounded) -> int:
    """Megabytes that a row may hold at most."""
    return row.most or STARTED + row.memory + max(256, row.memory // 4) + ONE_VALUE


def measured(row: Bounded, folder: Path) -> Seen:
    """Make the input and ask, in a process that is waited for alone."""
    home = folder / "home"
    home.mkdir()
    # In a process of its own: what this one held before its child began would count as held by the child.
    made = [sys.executable, "-m", "bench.bounds", row.name, "--make", str(folder)]
    subprocess.run(made, check=True, cwd=ROOT)
    given = folder / "query.lq"
    verb = ["sql", given.read_text(encoding="utf-8")] if row.sql else [str(given)]
    words = [sys.executable, "-P", "-m", "logsql", *verb, "--memory-limit", f"{row.memory}MB", *row.options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGSQL_")}
    places = dict.fromkeys(("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), str(home))
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", STARTER, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env={**kept, **places, "PYTHONPATH": str(ROOT), "LOGSQL_HISTORY": "", "TMPDIR": str(folder)},
        start_new_session=True,
    )
    ender = threading.Timer(HANGS, os.killpg, (child.pid, signal.SIGKILL))
    ender.start()
    begun = time.monotonic()
    used, told = child.communicate()
    ender.cancel()
    waited = time.monotonic() - begun
    if child.returncode:  # ended by the timer, with what it started
        return Seen(said(child.returncode, ""), waited, 0, waited, child.returncode)
    code, seconds, megabytes = json.loads(used)
    return Seen(said(code, told.decode(errors="replace")), seconds, megabytes, waited, code)


def said(code: int, told: str) -> str:
    """What a process answered, in a few words."""
    error = re.search(r"^(?:error|오류)?[^\n]*?\b(E\d{4}|\d{5})\b", told, re.MULTILINE)
    reasons = dict.fromkeys(re.findall(r"(?:^|: |; )(?:at least )?[\d,]+ ([a-z][a-z0-9-]+) in ", told, re.MULTILINE))
    first = "rows" if code == 0 else error[1] if error and code > 0 else f"ended with {code}"
    return first + "".join(f", ledger `{reason}`" for reason in list(reasons)[:2])


def faults(row: Bounded, seen: Seen) -> list[str]:
    """Which of its bounds a row passed."""
    found = []
    if seen.megabytes > most(row):
        found.append(f"{seen.megabytes} MB, at most {most(row)}")
    if row.time is not None and seen.waited > row.time + row.late:
        found.append(f"{seen.waited:.0f} s, at most {row.time + row.late:.0f}")
    if not re.fullmatch(r"(rows|E\d{4}|\d{5})(, ledger .*)?", seen.said) or (seen.code not in (0, 1, 2, 3, 4)):
        found.append(seen.said)
    return found


def line(row: Bounded, seen: Seen) -> str:
    """The row of the table."""
    return f"| {row.shown} | {row.limit} | {seen.cells()} |"


def table(lines: Iterable[str]) -> str:
    """The whole table."""
    return "\n".join(["| input | limit | what comes | seen |", "| --- | --- | --- | --- |", *lines, ""])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the named rows (all by default)."""
    parser = argparse.ArgumentParser(prog="python -m bench.bounds", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="one of: " + ", ".join(row.name for row in ROWS))
    parser.add_argument("--write", action="store_true", help="put the lines into docs/limits.md")
    parser.add_argument("--make", metavar="FOLDER", help="only write the input of one row into a folder")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.rows) - {row.name for row in ROWS}:
        parser.error("no such row: " + ", ".join(sorted(unknown)))
    if asked.make:
        (row,) = (row for row in ROWS if row.name in asked.rows)
        Path(asked.make, "query.lq").write_text(row.make(Path(asked.make)), encoding="utf-8")
        return 0
    made: dict[str, str] = {}
    bad = False
    for row in ROWS:
        if asked.rows and row.name not in asked.rows:
            continue
        with tempfile.TemporaryDirectory(prefix="logsql-bounds-") as folder:
            seen = measured(row, Path(folder))
        made[row.shown] = line(row, seen)
        told = faults(row, seen)
        bad = bad or bool(told)
        print(f"{row.name:<22} {made[row.shown]}" + "".join(f"  PASSED: {fault}" for fault in told), flush=True)
    if asked.write:
        write(made)
    return int(bad)


def write(made: dict[str, str]) -> None:
    """Put the lines into the page; what was not measured now stays as it was."""
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    old, after = rest.split(END)
    kept = {text.split(" | ")[0].removeprefix("| "): text for text in old.splitlines()[2:]}
    lines = [text for row in ROWS if (text := made.get(row.shown) or kept.get(row.shown)) is not None]
    PAGE.write_text(before + BEGIN + table(lines) + END + after, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
