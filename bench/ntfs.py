"""How fast the NTFS and event log readers are beside others: CPU seconds, medians, all in the same run.

    python bench/ntfs.py [--records 200000] [--evtx FILE] [--repeat 5] [--peer-python PATH] [--folder FOLDER]

A volume of that many records is generated (``sample_data/make_ntfs.py``). Peers run in an interpreter of their own
(``--peer-python``, for one that has mft or dissect.ntfs); what cannot be imported there is "not installed".
Goals: $MFT 5 times the Rust binding's CSV and within 4 times reading the bytes with numpy; the journal 20 times
dissect.ntfs; of event logs 1.8 times the bare iteration of the Rust parser for the rows alone, 4 for one column, 5 for
all.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_HEAD = f"import sys, time\nsys.path.insert(0, {str(ROOT)!r})\npath = sys.argv[1]\n"
_TAIL = "\nwalk()\nstart = time.process_time()\nrows = walk()\nprint(rows, time.process_time() - start)\n"
_OURS = """
from udfs.readers.base import null_context
from udfs.readers.{module} import {reader}
def walk():
    return sum(batch.num_rows for batch in {reader}(path).scan({columns}, null_context()))
"""
_BYTES = """
import numpy as np
def walk():
    return len(np.fromfile(path, np.uint8)) // 1024
"""
_RUST_MFT = """
import mft
def walk():
    return sum(1 for _ in mft.PyMftParser(path).entries_csv())
"""
_DISSECT_USN = """
from dissect.ntfs.usnjrnl import UsnJrnl
def walk():
    with open(path, "rb") as file:
        return sum(1 for r in UsnJrnl(file).records() if (r.filename, r.timestamp, r.record.Reason))
"""
_RUST_EVTX = """
from evtx import PyEvtxParser
def walk():
    return sum(1 for _ in PyEvtxParser(path).records_json())
"""
_PATH_COLUMNS = ["no", "file_path", "file_size", "in_use", "created_at"]


def _measure(python: str, program: str, path: Path, repeat: int) -> tuple[int, float] | None:
    """(rows, median CPU seconds) of a program, None when its package is missing."""
    times, rows = [], 0
    for _ in range(repeat):
        done = subprocess.run(
            [python, "-c", _HEAD + program + _TAIL, str(path)], capture_output=True, text=True, check=False
        )
        if done.returncode:
            if "ModuleNotFoundError" not in done.stderr:
                print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
            return None
        count, seconds = done.stdout.split()
        rows = int(count)
        times.append(float(seconds))
    return rows, statistics.median(times)


def _section(title: str, path: Path, rows: list[tuple[str, str, str, int]]) -> None:
    """Print one table; the first row is what the others are compared with."""
    print(f"\n{title} ({path.stat().st_size / 1e6:.0f} MB)")
    first = None
    for name, python, program, repeat in rows:
        found = _measure(python, program, path, repeat)
        if found is None:
            print(f"  {name:44} not installed")
            continue
        count, seconds = found
        first = first or seconds
        print(f"  {name:44} {count:>9} rows {seconds:9.4f} s  x {seconds / first:8.2f}")


def _ours(module: str, reader: str, columns: list[str] | None = None) -> str:
    return _OURS.format(module=module, reader=reader, columns=columns)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--evtx", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--folder", type=Path, help="where MFT and UsnJrnl lie, made earlier by make_ntfs.py")
    options = parser.parse_args()
    own, peer, times = sys.executable, options.peer_python, options.repeat
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        if not options.folder:
            maker = str(ROOT / "sample_data" / "make_ntfs.py")
            subprocess.run([own, maker, str(folder), "--records", str(options.records)], check=True)
        _section("$MFT", folder / "MFT", [
            ("all columns, paths included", own, _ours("ntfs_mft", "MftReader"), times),
            ("path, size, state, creation", own, _ours("ntfs_mft", "MftReader", _PATH_COLUMNS), times),
            ("named streams and further names", own, _ours("ntfs_mft", "MftReader", ["no", "ads", "names"]), times),
            ("number only", own, _ours("ntfs_mft", "MftReader", ["no"]), times),
            ("numpy.fromfile of the bytes", own, _BYTES, times),
            ("mft (Rust binding), CSV", peer, _RUST_MFT, 1),
        ])  # fmt: skip
        _section("change journal", folder / "UsnJrnl", [
            ("all columns", own, _ours("ntfs_usnjrnl", "UsnJrnlReader"), times),
            ("numpy.fromfile of the bytes", own, _BYTES, times),
            ("dissect.ntfs", peer, _DISSECT_USN, 1),
        ])  # fmt: skip
    if options.evtx:
        _section("event log", options.evtx, [
            ("all columns", own, _ours("evtx", "EvtxReader"), times),
            ("rows only (stats count)", own, _ours("evtx", "EvtxReader", []), times),
            ("number of the event", own, _ours("evtx", "EvtxReader", ["event_id"]), times),
            ("its data", own, _ours("evtx", "EvtxReader", ["event_data"]), times),
            ("one column of System", own, _ours("evtx", "EvtxReader", ["process_id"]), times),
            ("evtx (Rust binding), bare iteration", own, _RUST_EVTX, times),
        ])  # fmt: skip


if __name__ == "__main__":
    main()
