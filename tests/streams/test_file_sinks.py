"""Files of sinks: what is in them, when they are begun anew, and what a full disk and a killed process leave."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logsql.streams.book import Commit
from logsql.streams.feed import FeedFull
from logsql.streams.settings import Dead, Sink
from tests.streams.sink_support import Serving, numbered, until
from tests.support import ROOT, sample

KINDS = ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"]


def read(path: Path) -> list[dict[str, object]]:
    """The rows of one file, by other programs."""
    if path.name.endswith(".parquet"):
        return pq.read_table(path).to_pylist()
    data = path.read_bytes()
    if path.name.endswith(".gz"):
        data = gzip.decompress(data)
    if path.name.endswith(".zst") and data:
        data = subprocess.run(["zstd", "-dc", str(path)], capture_output=True, check=True).stdout
    assert not data or data.endswith(b"\n"), "a half line"
    return [json.loads(line) for line in data.splitlines()]


def files_of(folder: Path, ending: str) -> list[Path]:
    return [p for p in sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime_ns) if p.name.endswith(ending)]


def numbers(folder: Path, ending: str) -> list[int]:
    return [int(str(row["n"])) for path in files_of(folder, ending) for row in read(path)]


def sink(path: Path | str, **more: object) -> Sink:
    return Sink("archive", "file", path=str(path), retry=(0.05, 0.2), **more)  # type: ignore[arg-type]


# --- what is in them --------------------------------------------------------------------------------------------------


def test_rows_as_json_lines(tmp_path: Path) -> None:
    serving = Serving(tmp_path / "state", sink(tmp_path / "out" / "a.jsonl"))
    time_ = pa.array([dt.datetime(2026, 1, 1, 18, 4, 5, 678901, dt.UTC), None], pa.timestamp("us", "UTC"))
    rows = pa.table({"z": [1, None], "a": ["한", "two\nlines"], "_time": time_, "l": [[1.5], []]})
    serving.give(rows)
    until(lambda: (tmp_path / "out" / "a.jsonl").read_bytes())
    assert (tmp_path / "out" / "a.jsonl").read_text(encoding="utf-8") == (
        '{"z":1,"a":"한","_time":"2026-01-02T03:04:05.678+09:00","l":[1.5]}\n'
        '{"z":null,"a":"two\\nlines","_time":null,"l":[]}\n'
    )
    serving.stop()
    assert serving.rows_of("archive") == 2


def test_chosen_fields_in_their_order(tmp_path: Path) -> None:
    serving = Serving(tmp_path, sink("a.jsonl", fields=("line", "nosuch", "n")))
    serving.give(numbered(0, 1, 2))
    serving.stop()
    assert (tmp_path / "a.jsonl").read_text() == '{"line":"line 00","nosuch":null,"n":0}\n'


@pytest.mark.parametrize("ending", KINDS)
def test_each_row_once_over_restarts(ending: str, tmp_path: Path) -> None:
    for end in (1000, 1500, 4000):
        serving = Serving(tmp_path / "state", sink(tmp_path / f"a.{ending}"))
        serving.give_numbered(end)
        serving.stop()
    assert numbers(tmp_path, ending) == list(range(4000))
    assert len(files_of(tmp_path, ending)) == (3 if ending == "parquet" else 1)


def test_a_file_that_others_began_is_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n":-1}\n')
    serving = Serving(tmp_path / "state", sink(tmp_path / "a.jsonl"))
    serving.give_numbered(3)
    serving.stop()
    assert numbers(tmp_path, "jsonl") == [-1, 0, 1, 2]


@pytest.mark.parametrize("ending", KINDS)
def test_rows_without_fields_are_rows(ending: str, tmp_path: Path) -> None:
    """What ``parsejson`` makes of the message ``{}``."""
    serving = Serving(tmp_path / "state", sink(tmp_path / f"a.{ending}"))
    serving.give(pa.Table.from_batches([pa.RecordBatch.from_struct_array(pa.array([{}] * 3, pa.struct([])))]))
    until(lambda: serving.rows_of("archive") == 3 or ending == "parquet")
    serving.stop()
    (path,) = files_of(tmp_path, ending)
    assert [{name: v for name, v in row.items() if v is not None} for row in read(path)] == [{}] * 3


# --- another file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", KINDS[:3])
def test_a_file_has_its_size(ending: str, tmp_path: Path) -> None:
    size = 30_000 if ending == "jsonl" else 1500
    serving = Serving(tmp_path / "state", sink(tmp_path / f"a.{ending}", rotate_size=size))
    for end in (500, 1000, 1500):
        serving.give_numbered(end, 50)
        until(lambda: serving.rows_of("archive") == serving.next)
    serving.stop()
    found = files_of(tmp_path, ending)
    assert len(found) >= 2
    assert [path.name for path in found] == [f"a.{ending}", *(f"a-{n}.{ending}" for n in range(1, len(found)))]
    assert all(path.stat().st_size >= size for path in found[:-1])
    assert numbers(tmp_path, ending) == list(range(1500))


@pytest.mark.parametrize("ending", KINDS)
def test_a_file_has_its_day_in_the_servers_zone(ending: str, tmp_path: Path) -> None:
    clock = [dt.datetime(2026, 3, 1, 14, 59, 50, tzinfo=dt.UTC).timestamp()]  # 23:59:50 in Seoul
    wanted = sink(tmp_path / ("day-{now:yyyyMMdd}." + ending))
    serving = Serving(tmp_path / "state", wanted, now=lambda: clock[0])
    serving.give(numbered(0, 10).drop_columns("_time"))
    first = tmp_path / f"day-20260301.{ending}"
    until(lambda: serving.rows_of("archive") == 10 or ending == "parquet")
    time.sleep(0.3)
    assert first.exists() == (ending != "parquet")
    clock[0] += 20
    until(lambda: len(read(first)) == 10)
    serving.give(numbered(10, 5).drop_columns("_time"))
    serving.stop()
    assert [row["n"] for row in read(tmp_path / f"day-20260302.{ending}")] == list(range(10, 15))
    assert len(read(first)) == 10


def test_a_file_without_a_date_has_a_number_on_the_next_day(tmp_path: Path) -> None:
    clock = [1_772_000_000.0]
    serving = Serving(tmp_path / "state", sink(tmp_path / "a.jsonl", rotate_time=3600.0), now=lambda: clock[0])
    for _ in range(3):
        serving.give_numbered(serving.next + 2)
        until(lambda: serving.rows_of("archive") == serving.next)
        clock[0] += 3600
    serving.stop()
    assert {path.name: len(read(path)) for path in files_of(tmp_path, "jsonl")} == {
        "a.jsonl": 2, "a-1.jsonl": 2, "a-2.jsonl": 2,
    }  # fmt: skip


def test_a_file_that_logrotate_took_away_or_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    serving = Serving(tmp_path / "state", sink(path))
    serving.give_numbered(5)
    until(lambda: serving.rows_of("archive") == 5)
    path.rename(tmp_path / "a.jsonl.1")
    serving.give_numbered(8)
    until(lambda: serving.rows_of("archive") == 8)
    assert [row["n"] for row in read(path)] == [5, 6, 7]
    path.write_bytes(b"")
    serving.give_numbered(9)
    serving.stop()
    assert [row["n"] for row in read(path)] == [8]


def test_other_fields_are_another_parquet_file(tmp_path: Path) -> None:
    serving = Serving(tmp_path / "state", sink(tmp_path / "a.parquet"))
    serving.give(pa.table({"n": [1]}))
    serving.give(pa.table({"n": [2], "m": [3]}))
    serving.stop()
    assert [read(path) for path in (tmp_path / "a.parquet", tmp_path / "a-1.parquet")] == [
        [{"n": 1}],
        [{"n": 2, "m": 3}],
    ]


def test_parquet_files_are_due_by_size_and_appear_whole(tmp_path: Path) -> None:
    serving = Serving(tmp_path / "state", sink(tmp_path / "a.parquet", rotate_size=100_000))
    seen: set[str] = set()
    for end in range(500, 5001, 500):
        serving.give_numbered(end, 500)
        time.sleep(0.05)
        for path in tmp_path.glob("*.parquet"):
            if path.name not in seen:
                assert read(path), "a file is whole when it is there"
                seen.add(path.name)
    until(lambda: len(list(tmp_path.glob("*.parquet"))) >= 2)
    serving.stop()
    assert sorted(numbers(tmp_path, ".parquet")) == list(range(5000))
    assert not list(tmp_path.glob(".*.part"))


# --- dead rows --------------------------------------------------------------------------------------------------------


def test_dead_rows_and_their_old_files(tmp_path: Path) -> None:
    serving = Serving(tmp_path, dead=Dead("dead.jsonl", 1000))
    dead = serving.made.dead
    for number in range(12):
        dead.bury(
            numbered(number * 10, 10), "unit", "fds", "too late" if number else pa.array([f"e{n}" for n in range(10)])
        )
        serving.book.commit(Commit("unit", ends=dead.staged("unit").ends))
        dead.committed("unit")
        until(lambda: serving.rows_of("dead") == number * 10 + 10)  # noqa: B023
    serving.stop()
    names = sorted(path.name for path in tmp_path.glob("dead.jsonl*"))
    assert names == ["dead.jsonl", *(f"dead.jsonl.{n}" for n in range(1, 6))]
    last = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert {(row["_stream"], row["_error"]) for row in last} == {("fds", "too late")}
    assert last[-1]["n"] == 119


# --- what when_full says ----------------------------------------------------------------------------------------------


def test_a_full_spool_blocks_or_drops(tmp_path: Path) -> None:
    for when, lost in (("block", 0), ("drop", 300)):
        # a folder that is a file: the sink cannot write, so its spool fills
        folder = tmp_path / when
        folder.mkdir()
        (folder / "in-the-way").write_text("")
        serving = Serving(folder / "state", sink(folder / "in-the-way" / "a.jsonl", spool_max=1, when_full=when))
        made = serving.made.sinks["archive"]
        serving.give(numbered(0, 100), done=100)
        assert made.full == (when == "block")
        if when == "block":
            assert not made.wait_room(0.05)
        else:
            for number in range(1, 4):
                serving.give(numbered(number * 100, 100))
        assert serving.lost_of("archive", "when_full") == lost
        until(lambda: made.status()["trouble"])  # noqa: B023
        assert made.status()["state"] == "failing"
        (folder / "in-the-way").unlink()
        assert made.wait_room(5)
        serving.stop()
        assert numbers(folder / "in-the-way", "jsonl") == list(range(100))


# --- kill -9 ----------------------------------------------------------------------------------------------------------

_RUN = """
import sys, os
from pathlib import Path
from logsql.streams.settings import Sink
from tests.streams.sink_support import Serving
folder, until, names = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
paths = {name.replace(".", "_"): str(folder / ("out-" + name) / ("a." + name)) for name in names}
sinks = [Sink(name, "file", path=path, rotate_size=60_000, retry=(0.05, 0.2)) for name, path in paths.items()]
serving = Serving(folder / "state", Sink("table", "table"), *sinks)
print("ready", flush=True)
serving.give_numbered(until, 37)
serving.stop()
print("done", flush=True)
"""


def test_every_row_once_whatever_kills_the_process(tmp_path: Path) -> None:
    dice, total = random.Random(11), sample(60_000, 8_000)
    for _ in range(sample(50, 5)):
        command = [sys.executable, "-c", _RUN, str(tmp_path), str(total), *KINDS]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0, 1.2))
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(tmp_path), str(total), *KINDS], cwd=ROOT, check=True, timeout=120
    )
    assert done.returncode == 0
    with duckdb.connect(str(tmp_path / "state" / "live.duckdb")) as database:
        found = database.execute('SELECT list(n ORDER BY rowid) FROM "table"').fetchone()
    assert found is not None
    assert found[0] == list(range(total))
    for kind in KINDS:
        assert sorted(numbers(tmp_path / f"out-{kind}", f".{kind}")) == list(range(total)), kind


# --- full disks -------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root mounts a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("this system does not let us mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("ending", KINDS)
def test_a_full_disk_leaves_no_half_row_and_goes_on_by_itself(ending: str, tmp_path: Path, small_disk: Path) -> None:
    blocker = small_disk / "blocker"
    blocker.write_bytes(bytes(2_900_000))
    serving = Serving(
        tmp_path / "state", sink(small_disk / f"a.{ending}", rotate_size=100_000 if ending == "parquet" else 0)
    )
    made = serving.made.sinks["archive"]
    serving.give(pa.table({"n": list(range(9000)), "noise": [os.urandom(40).hex() for _ in range(9000)]}))
    until(lambda: made.status()["trouble"])
    time.sleep(0.3)
    for path in small_disk.glob(f"a*.{ending}"):
        read(path)  # whole lines, members, files only
    blocker.unlink()
    until(lambda: serving.rows_of("archive") == 9000)
    serving.stop()
    assert sorted(numbers(small_disk, f".{ending}")) == list(range(9000))


def test_a_full_disk_below_the_spool(tmp_path: Path, small_disk: Path) -> None:
    """The spool of a sink has no room: the batch waits, and nothing of it is there twice."""
    serving = Serving(tmp_path / "state", sink(tmp_path / "a.jsonl"))
    made = serving.made.sinks["archive"]
    serving.give_numbered(100)
    spool = made.spools["unit"].feed  # type: ignore[attr-defined]

    def full(*_: object) -> int:
        raise FeedFull("x")

    whole, calls = spool.append, [0]

    def sometimes(batch: pa.RecordBatch, note: bytes = b"") -> int:
        calls[0] += 1
        return full() if calls[0] % 3 else int(whole(batch, note))

    spool.append = sometimes
    serving.give_numbered(1000)
    serving.stop()
    assert numbers(tmp_path, "jsonl") == list(range(1000))
