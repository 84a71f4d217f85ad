"""Streams with windows: which rows an interval has, when it is over, empty and late ones, clocks, ``kill -9``."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from logsql.streams.intervals import SECOND, Intervals
from logsql.streams.metrics import LATE, SKIPPED
from logsql.streams.windows import SteadyClock, Windows
from logsql.streams.working import Worker
from tests.streams.bench_of_units import BEGIN, Server
from tests.support import ROOT, sample

MINUTE = 60 * SECOND
#: The full minute before BEGIN.
FIRST = BEGIN - BEGIN % MINUTE


class Clocks:
    """A wall clock and a monotonic one, set by hand."""

    def __init__(self, wall: int = BEGIN) -> None:
        self.wall, self.steady = wall / SECOND, 1000.0

    def clock(self) -> SteadyClock:
        return SteadyClock(0, lambda: self.wall, lambda: self.steady)

    def pass_(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


def turn(unit: Worker) -> None:
    """What the unit's thread does, here and now."""
    while unit._turn():
        pass


def minutes(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The first column as minutes since FIRST."""
    begin = datetime.fromtimestamp(FIRST / SECOND, UTC)
    return [((row[0] - begin) / timedelta(minutes=1), *row[1:]) for row in rows]


# --- by arrival -------------------------------------------------------------------------------------------------------


def test_rows_are_counted_by_the_minute_in_which_they_arrived(server: Server) -> None:
    clocks = Clocks()
    unit = server.unit('search line != "no" | stats count', every=60.0, by=clocks.clock())
    server.send(["a", "no", "b"], BEGIN)
    server.send(["c"], FIRST + MINUTE - 1)
    server.send(["d"], FIRST + MINUTE)
    turn(unit)
    assert server.rows() == []
    clocks.pass_(54)
    turn(unit)
    assert server.rows() == []  # a message may still be on its way into the journal
    clocks.pass_(2)
    turn(unit)
    assert minutes(server.rows(columns='_time, "count"')) == [(0, 3)]
    clocks.pass_(60)
    turn(unit)
    assert minutes(server.rows(columns='_time, "count"')) == [(0, 3), (1, 1)]


def test_an_empty_interval_has_a_row_without_by_and_none_with(server: Server) -> None:
    clocks = Clocks()
    alone = server.unit("stats count", "alone", every=60.0, by=clocks.clock())
    by = server.unit("stats count by line", "by", every=60.0, by=clocks.clock())
    server.send(["a"], BEGIN)
    for _ in range(4):
        turn(alone)
        turn(by)
        clocks.pass_(60)
    turn(alone)
    turn(by)
    assert minutes(server.rows("alone", '_time, "count"')) == [(0, 1), (1, 0), (2, 0), (3, 0)]
    assert minutes(server.rows("by", '_time, line, "count"')) == [(0, "a", 1)]


def test_rows_keep_a_time_that_the_query_gives_them(server: Server) -> None:
    clocks = Clocks()
    unit = server.unit("sort limit=2 -line | fields _time, line", every=60.0, by=clocks.clock())
    server.send(["a", "c", "b"], BEGIN)
    turn(unit)
    clocks.pass_(60)
    turn(unit)
    begin = datetime.fromtimestamp(BEGIN / SECOND, UTC)
    assert [(row[0] - begin, row[1]) for row in server.rows()] == [
        (timedelta(milliseconds=1), "c"),
        (timedelta(milliseconds=2), "b"),
    ]


def test_an_interval_begins_empty(server: Server) -> None:
    clocks = Clocks()
    unit = server.unit("sort line | prev line | limit 2 | fields line, prev_line", every=60.0, by=clocks.clock())
    for n in range(2):
        server.send([f"{n}b", f"{n}a"], BEGIN + n * MINUTE)
        turn(unit)
        clocks.pass_(60)
        turn(unit)
    assert server.rows(columns="line, prev_line") == [("0a", None), ("0b", "0a"), ("1a", None), ("1b", "1a")]


def test_rows_that_wait_longer_than_an_interval_belong_to_theirs(server: Server) -> None:
    """A stream that stood still for an hour works off the intervals of that hour, not one of them all."""
    clocks = Clocks()
    unit = server.unit("stats count", every=60.0, by=clocks.clock())
    for n in (0, 1, 3):
        server.send(["a"] * (n + 1), BEGIN + n * MINUTE)
    clocks.pass_(300)
    turn(unit)
    assert minutes(server.rows(columns='_time, "count"')) == [(0, 1), (1, 2), (2, 0), (3, 4), (4, 0)]


def test_a_clock_that_is_set_back_closes_no_interval_twice_and_intervals_go_on(server: Server) -> None:
    clocks = Clocks()
    unit = server.unit("stats count", every=60.0, by=clocks.clock())
    server.send(["a"], BEGIN)
    turn(unit)
    clocks.pass_(60)
    turn(unit)
    clocks.wall -= 3600
    server.send(["b", "c"], round(clocks.wall * SECOND))
    turn(unit)
    clocks.pass_(60)
    turn(unit)
    assert minutes(server.rows(columns='_time, "count"')) == [(0, 1), (1, 2)]


def test_a_clock_that_jumps_ahead_leaves_intervals_out_counted(server: Server) -> None:
    clocks = Clocks()
    unit = server.unit("stats count", every=60.0, by=clocks.clock())
    server.send(["a"], BEGIN)
    turn(unit)
    clocks.pass_(30)
    clocks.wall += 3600
    server.send(["b"], round(clocks.wall * SECOND))
    turn(unit)
    clocks.pass_(60)
    turn(unit)
    found = minutes(server.rows(columns='_time, "count"'))
    assert found[0] == (0, 1)
    assert found[-1] == (60, 1)
    assert len(found) <= 4
    assert server.metrics.value(SKIPPED, ("s",)) >= 57


def test_open_intervals_live_over_a_restart(tmp_path: Path) -> None:
    clocks = Clocks()
    for n in range(3):
        server = Server(tmp_path)
        unit = server.unit("stats count, first(line) as f", every=60.0, by=clocks.clock())
        server.send([f"{n}"], BEGIN + n * SECOND)
        turn(unit)
        server.close()
    clocks.pass_(60)
    server = Server(tmp_path)
    turn(server.unit("stats count, first(line) as f", every=60.0, by=clocks.clock()))
    assert minutes(server.rows(columns='_time, "count", f')) == [(0, 3, "0")]
    server.close()


# --- by _time ---------------------------------------------------------------------------------------------------------

BY_TIME = "parsejson | eval _time = epoch(t) | stats count, sum(n) as total"


def by_time(seconds: float, n: int = 1) -> str:
    """A message whose own time is so many seconds behind FIRST."""
    return f'{{"t": {FIRST // SECOND + seconds}, "n": {n}}}'


def test_by_time_an_interval_is_over_when_a_row_is_lateness_beyond_it(server: Server) -> None:
    unit = server.unit(BY_TIME, every=60.0, clock="_time", lateness=5.0)
    server.send([by_time(10), by_time(64), by_time(20)])
    turn(unit)
    assert server.rows() == []
    server.send([by_time(65), by_time(30)])
    turn(unit)
    assert minutes(server.rows(columns='_time, "count"')) == [(0, 2)]


def windows(late: float, clocks: Clocks, every: float = 60.0) -> Windows:
    return Windows(Intervals(every, "UTC"), round(late * SECOND), clocks.clock())


def place(found: Windows, seconds: list[float | None]) -> tuple[dict[int, list[int]], list[int]]:
    times = pa.array([None if s is None else FIRST + round(s * SECOND) for s in seconds], pa.timestamp("us", "UTC"))
    placed = found.placed(times)
    late = [] if placed.late is None else placed.late.to_pylist()
    return {(i - FIRST) // MINUTE: rows.to_pylist() for i, rows in placed.rows}, late


def test_lateness_counts_row_by_row_and_not_batch_by_batch() -> None:
    """Worked by hand: 70 is beyond the first minute, 200 beyond the second; 90,000 s is more than a day ahead."""
    rows: list[float | None] = [10, 70, 30, 65, 31, 200, 110, None, 61, 90_000, 210]
    late = [2, 4, 6, 7, 8, 9]
    assert place(windows(5.0, Clocks()), rows) == ({0: [0], 1: [1, 3], 3: [5, 10]}, late)
    for cut in range(1, len(rows)):
        one = windows(5.0, Clocks())
        first, second = place(one, rows[:cut]), place(one, rows[cut:])
        assert first[1] + [n + cut for n in second[1]] == late, cut


def test_a_row_is_late_when_one_before_it_was_beyond_the_end_of_its_interval() -> None:
    found = windows(5.0, Clocks())
    assert place(found, [10, 64.9, 59]) == ({0: [0, 2], 1: [1]}, [])
    assert place(found, [65, 59, 61]) == ({1: [0, 2]}, [1])


def test_a_time_far_ahead_moves_nothing() -> None:
    found = windows(0.0, Clocks())
    assert place(found, [10, 2 * 86_400, 20]) == ({0: [0, 2]}, [1])
    assert found.newest == FIRST + 20 * SECOND


def test_late_rows_are_counted_and_kept(server: Server) -> None:
    unit = server.unit(BY_TIME, every=60.0, clock="_time", lateness=5.0)
    server.send([by_time(10), by_time(70)])
    server.send([by_time(20)])
    turn(unit)
    assert minutes(server.rows(columns='_time, "count"')) == [(0, 1)]
    assert server.metrics.value(LATE, ("s",)) == 1
    assert server.rows("dead", "_error") == [("late",)]


def test_without_rows_intervals_close_by_real_time() -> None:
    clocks = Clocks()
    found = windows(5.0, clocks)
    place(found, [10])
    found.add(FIRST, 0, 1)
    clocks.pass_(64)
    assert list(found.due()) == []
    clocks.pass_(1.5)
    closed = []
    for interval in found.due():
        closed.append((interval - FIRST) // MINUTE)
        found.close(interval)
    assert closed == [0]


# --- restarts ---------------------------------------------------------------------------------------------------------

CHILD = """
import sys, time
from pathlib import Path
from tests.streams.bench_of_units import Server
server = Server(Path(sys.argv[1]), 5)
unit = server.unit(
    'eval n = int(line) | eval _time = epoch(n) | stats count, sum(n) as total', every=10.0, clock="_time", lateness=3.0
)
unit.start()
print("ready", flush=True)
if sys.argv[2] == "end":
    while not unit.idle():
        time.sleep(0.05)
    server.close()
    print("done", flush=True)
else:
    time.sleep(600)
"""


def test_windows_come_once_whatever_kills_the_process(tmp_path: Path) -> None:
    choice = random.Random(7)
    begin = FIRST // SECOND
    times = [begin + n + choice.randrange(-2, 3) for n in range(300)]
    server = Server(tmp_path)
    server.unit("")
    for n in range(0, 300, 20):
        server.send([str(t) for t in times[n : n + 20]])
    server.close()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for round_ in range(sample(20, 3)):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), "run"], stdout=subprocess.PIPE, env=environment, cwd=ROOT
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.1 + 0.08 * round_)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), "end"], capture_output=True, env=environment, cwd=ROOT, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    newest = max(times)
    want: dict[int, list[int]] = {}
    seen = 0
    for t in times:  # a row is late when one before it was three seconds beyond the end of its interval
        start = t - t % 10
        if seen < start + 13:
            want.setdefault(start, []).append(t)
        seen = max(seen, t)
    over = [(s, len(v), sum(v)) for s, v in sorted(want.items()) if s + 13 <= newest]
    server = Server(tmp_path)
    found = server.rows(columns='epoch(_time)::BIGINT, "count", total')
    server.close()
    assert found[: len(over)] == over
