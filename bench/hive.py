"""How fast the hive reader is beside other readers: CPU seconds, medians, all in the same run.

    python bench/hive.py [HIVE ...] [--repeat 5] [--peer-python PATH]

Without HIVE a generated hive of 100,000 keys is read. Every reader walks the whole hive and produces, for each value,
the key's full path and time, the name, the type and the decoded data. Peers run in an interpreter of their own
(``--peer-python``, for one that has dissect.regf, regipy or hivex installed); what cannot be imported there is "not
installed". ``hivexml`` (package libhivex-bin) writes the hive as XML in C and is the yardstick for "as fast as C".
Goals: 10 times dissect.regf, 100 times regipy, at most 1.5 times hivexml's time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

_HEAD = "import sys, time\npath = sys.argv[1]\n"
_TAIL = "\nstart = time.process_time()\nrows = walk()\nprint(rows, time.process_time() - start)\n"
_PEERS = {
    "dissect.regf": """
from dissect.regf.regf import RegistryHive
def walk():
    rows = 0
    with open(path, "rb") as handle:
        root = RegistryHive(handle).root()
        stack = [(root, root.name)]
        while stack:
            key, name = stack.pop()
            written = key.timestamp
            for value in key.values():
                try:
                    row = (name, written, value.name, value.type, value.value)
                except Exception:
                    row = None
                rows += 1
            stack += [(child, name + "\\\\" + child.name) for child in key.subkeys()]
    return rows
""",
    "regipy": """
import logging
logging.disable(logging.CRITICAL)
from regipy.registry import RegistryHive
def walk():
    rows = 0
    for key in RegistryHive(path).recurse_subkeys(as_json=False, fetch_values=True):
        for value in key.values:
            row = (key.path, key.timestamp, value.name, value.value_type, value.value)
            rows += 1
    return rows
""",
    "hivex (Python)": """
import hivex
def walk():
    rows = 0
    hive = hivex.Hivex(path)
    stack = [(hive.root(), hive.node_name(hive.root()))]
    while stack:
        node, name = stack.pop()
        written = hive.node_timestamp(node)
        for value in hive.node_values(node):
            row = (name, written, hive.value_key(value), hive.value_value(value))
            rows += 1
        stack += [(child, name + "\\\\" + hive.node_name(child)) for child in hive.node_children(node)]
    return rows
""",
}


def ours(columns: list[str] | None) -> Callable[[str], tuple[int, float]]:
    """A timed scan with these columns (None: all)."""
    from udfs.readers.base import null_context
    from udfs.readers.hive import HiveReader

    def run(path: str) -> tuple[int, float]:
        start = time.process_time()
        rows = sum(batch.num_rows for batch in HiveReader(path).scan(columns, null_context()))
        return rows, time.process_time() - start

    return run


def peer(python: str, code: str) -> Callable[[str], tuple[int, float]]:
    """A timed walk in another interpreter, without its start and imports."""

    def run(path: str) -> tuple[int, float]:
        done = subprocess.run(
            [python, "-c", _HEAD + code + _TAIL, path], capture_output=True, text=True, check=False, timeout=1800
        )
        if done.returncode:
            raise LookupError("not installed" if "ModuleNotFoundError" in done.stderr else done.stderr.strip()[-80:])
        rows, seconds = done.stdout.split()
        return int(rows), float(seconds)

    return run


def hivexml(path: str) -> tuple[int, float]:
    """CPU time of the C program, its start included (a few milliseconds)."""
    program = shutil.which("hivexml")
    if program is None:
        raise LookupError("not installed")
    before = os.times()
    done = subprocess.run([program, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    after = os.times()
    if done.returncode:
        raise LookupError(done.stderr.decode(errors="replace").strip()[-80:])
    used = after.children_user - before.children_user + after.children_system - before.children_system
    return -1, used


def median(run: Callable[[str], tuple[int, float]], path: str, repeat: int) -> tuple[int, float]:
    """Rows and the median seconds; readers slower than five seconds run once."""
    rows, first = run(path)
    times = [first] if first > 5 else [run(path)[1] for _ in range(repeat)]
    return rows, statistics.median(times)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hives", nargs="*")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--hivex-python", default=None, help="interpreter with the hivex module, if another")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        hives = arguments.hives or [_generated(Path(folder))]
        for path in hives:
            compare(path, arguments)


def _generated(folder: Path) -> str:
    from sample_data import make_hive

    path = folder / "generated.hive"
    path.write_bytes(make_hive.build(make_hive.big(100_000)))
    return str(path)


def compare(path: str, arguments: argparse.Namespace) -> None:
    """One table: seconds and the ratio to our full scan (above 1: slower than we are)."""
    print(f"\n{Path(path).name}  {Path(path).stat().st_size / 1e6:.1f} MB")
    decoded = [name for name in _columns() if name != "value.raw"]
    rows, base = median(ours(decoded), path, arguments.repeat)
    print(f"  {'this reader, decoded columns':34}{base:9.4f} s     1.00   {rows} rows")
    runs: list[tuple[str, Callable[[str], tuple[int, float]]]] = [
        ("this reader, all columns", ours(None)),
        ("this reader, key and name", ours(["key", "name"])),
        ("this reader, count only", ours([])),
        ("hivexml (C)", hivexml),
    ]
    for name, code in _PEERS.items():
        python = (
            arguments.hivex_python if name.startswith("hivex") and arguments.hivex_python else arguments.peer_python
        )
        runs.append((name, peer(python, code)))
    for name, run in runs:
        try:
            rows, seconds = median(run, path, arguments.repeat)
        except LookupError as problem:
            print(f"  {name:34}{problem}")
            continue
        # hivexml reports no number of rows; a walk that found nothing is no measurement.
        ratio = f"{seconds / base:8.2f}" if rows != 0 else "no rows"
        print(f"  {name:34}{seconds:9.4f} s {ratio}" + (f"   {rows} rows" if rows > 0 else ""))


def _columns() -> list[str]:
    from udfs.readers.hive import HiveReader

    names: list[str] = HiveReader.schema.names
    return names


if __name__ == "__main__":
    main()
