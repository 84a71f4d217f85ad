"""Collections of many hosts: what a thousand small files cost beside one of their size, and how much memory they take.

    python bench/hosts.py [--hosts 1000] [--evtx FILE|FOLDER] [--repeat 5] [--logs-only]

Hosts are generated (``sample_data``): a volume, its journal and a hive each; ``--evtx``: a small event log that every
host gets, folders that hold nothing but that log, and one log of the same chunks beside them. Of a folder the logs of
one chunk are taken in turn, so that hosts have different ones. Times are CPU seconds, memory is the process's highest
resident set. Goals: 870 logs at most 1.5 times one log of their size; a thousand hosts in one query within 2 GB.
"""

from __future__ import annotations

import argparse
import statistics
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_CHUNK, _HEADER = 65_536, 4096
_RUNS = 6
"""Runs of a query in one process, the best of which counts: the first imports what it needs."""
_RUN = f"""
import resource, sys, time
sys.path.insert(0, {str(ROOT)!r})
import logsql
session = logsql.connect(tz="UTC")
times, rows = [], 0
for _ in range(int(sys.argv[2])):
    start = time.process_time()
    rows = session.query(sys.argv[1]).arrow().num_rows
    times.append(time.process_time() - start)
print(rows, min(times), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def hosts(folder: Path, count: int, logs: list[bytes]) -> None:
    """``count`` hosts below ``folder``."""
    from sample_data.make_hive import SZ, Key, build, text
    from sample_data.make_ntfs import crowd, journal, mft, write

    volume = crowd(300)
    for number in range(count):
        place = folder / f"host{number:04}"
        place.mkdir(parents=True)
        write(place / "$MFT", mft(volume))
        write(place / "$J", journal(volume, 4096))
        root = Key("ROOT", 133_500_000_000_000_000 + number)
        for name in range(40):
            root.child(f"Software\\Vendor{name % 7}\\Product{name}").set("Path", SZ, text(f"C:\\{number}\\{name}.exe"))
        (place / "NTUSER.DAT").write_bytes(build(root))
        if logs:
            (place / "Security.evtx").write_bytes(logs[number % len(logs)])


def small_logs(path: Path | None) -> list[bytes]:
    """The log of a path; of a folder those of one chunk."""
    if path is None:
        return []
    if path.is_file():
        return [path.read_bytes()]
    return [found.read_bytes() for found in sorted(path.glob("*.evtx")) if found.stat().st_size == _HEADER + _CHUNK]


def logs_alone(folder: Path, count: int, logs: list[bytes]) -> None:
    """A folder for each host below ``folder``, with its log and nothing else."""
    for number in range(count):
        place = folder / f"host{number:04}"
        place.mkdir(parents=True)
        (place / "Security.evtx").write_bytes(logs[number % len(logs)])


def one_log(logs: list[bytes], times: int) -> bytes:
    """One log of the chunks of ``times`` logs."""
    chunks = b"".join(logs[number % len(logs)][_HEADER:] for number in range(times))
    head = bytearray(logs[0][:_HEADER])
    count = len(chunks) // _CHUNK
    struct.pack_into("<QQ", head, 8, 0, count - 1)
    struct.pack_into("<H", head, 42, count & 0xFFFF)
    struct.pack_into("<I", head, 124, zlib.crc32(bytes(head[:120])))
    return bytes(head) + chunks


def measured(query: str, repeat: int) -> tuple[int, float, int]:
    """Rows, CPU seconds (the best of the runs) and kilobytes of memory of a query in a process of its own."""
    done = subprocess.run([sys.executable, "-c", _RUN, query, str(repeat)], capture_output=True, text=True, check=True)
    rows, seconds, memory = done.stdout.split()
    return int(rows), float(seconds), int(memory)


def beside_one(title: str, folder: Path, single: Path, repeat: int) -> None:
    """Print what the logs below ``folder`` cost beside one of their size, both sides by turns."""
    print(f"  {title}")
    for rest in ("stats count", "stats count by event_id", "search event_id == 4624", "stats count by _path"):
        pairs = [[measured(f"evtx-file {path} | {rest}", _RUNS)[1] for path in (folder, single)] for _ in range(repeat)]
        ratio = statistics.median(many / one for many, one in pairs)
        many, one = (min(side) for side in zip(*pairs, strict=True))
        print(f"    {rest:28} {many:8.3f} s / {one:8.3f} s  x {many / one:5.2f} (median of the pairs {ratio:5.2f})")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--evtx", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--logs-only", action="store_true")
    options = parser.parse_args()
    logs = small_logs(options.evtx)
    with tempfile.TemporaryDirectory() as made:
        single, alone, folder = Path(made) / "one.evtx", Path(made) / "logs", Path(made) / "hosts"
        if not options.logs_only:
            hosts(folder, options.hosts, logs)
            of_hosts(folder, options.hosts)
        if not logs:
            print("many logs beside one: give --evtx")
            return
        single.write_bytes(one_log(logs, options.hosts))
        logs_alone(alone, options.hosts, logs)
        print(f"{options.hosts} logs ({len(logs)} different ones) beside one of their size (goal 1.5)")
        beside_one("nothing else in the folders", alone, single, options.repeat)
        if not options.logs_only:
            beside_one("a volume, a journal and a hive beside each", folder, single, options.repeat)


def of_hosts(folder: Path, count: int) -> None:
    """Print what questions about all hosts cost."""
    print(f"{count} hosts in one query (goal: within 2 GB)")
    for query in (
        f"hive-file {folder} | stats count by key",
        f"ntfs-mft {folder} | stats count by file_name",
        f"ntfs-mft {folder} | sort -created_at",
        f"timeline {folder} | stats count by source",
        f"timeline {folder} | sort _path, _time | limit 1000",
    ):
        rows, seconds, memory = measured(query, 1)
        shown = query.replace(str(folder), "hosts")
        print(f"  {shown:52} {rows:>9} rows {seconds:8.2f} s {memory / 1024:7.0f} MB")


if __name__ == "__main__":
    main()
