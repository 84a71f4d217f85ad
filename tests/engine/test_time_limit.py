"""The time limit holds for parsing, planning, looking through files, running and the end; what cannot be stopped is
left behind without an abort."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

import logsql
from logsql.diagnostics.engine import TIME_LIMIT
from logsql.diagnostics.errors import LogsqlError, TimeoutError_
from logsql.engine import leftovers
from logsql.shell import ctrlc, signals
from logsql.shell.ctrlc import AbandonedLate, interruptible
from tests.cli.support import command, env
from tests.support import sample

#: Seconds that an answer may come late on a machine with other work: the grace time, a start of Python, and much room.
LATE = 25
#: Seconds in which a signal ends the command line: one on an idle machine (1.15 at most was seen with six neighbours).
SOON = 5


def many_keys(folder: Path) -> Path:
    path = folder / "keys.jsonl"
    path.write_text(json.dumps({f"k{i}": i for i in range(400_000)}) + "\n", encoding="utf-8")
    return path


def many_patterns(folder: Path) -> Path:
    path = folder / "in.lq"
    words = ", ".join(f'"*p{i}*"' for i in range(40_000))
    path.write_text(f"json \"{{'a': 'x'}}\" | search in(a, {words})", encoding="utf-8")
    return path


def many_commands(folder: Path) -> Path:
    path = folder / "long.lq"
    path.write_text('json "{}"' + " | eval a = 1, b = a" * 20_000, encoding="utf-8")
    return path


def open_quote(folder: Path) -> Path:
    path = folder / "quote.csv"
    path.write_bytes(b'a,b\n1,"' + b"x,y z\n" * 8_000_000)
    return path


def words_for(path: Path) -> list[str]:
    reader = {".jsonl": f"jsonfile {path}", ".csv": f"csvfile {path} | stats count"}.get(path.suffix)
    return ["-q", reader] if reader else [str(path)]


@pytest.mark.parametrize("made", [many_keys, many_patterns, many_commands, open_quote][:: sample(1, 3)])
def test_the_command_line_ends_with_its_time(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    ends_in_time(tmp_path, *words_for(made(tmp_path)))


@pytest.mark.parametrize("made", [open_quote, many_keys][: sample(2, 1)])
def test_explain_ends_with_its_time(tmp_path: Path, made: Callable[[Path], Path]) -> None:
    ends_in_time(tmp_path, "explain", "--run", words_for(made(tmp_path))[1])


def test_check_ends_with_its_time(tmp_path: Path) -> None:
    ends_in_time(tmp_path, "check", str(many_commands(tmp_path)))


def ends_in_time(tmp_path: Path, *words: str) -> None:
    started = time.monotonic()
    done = subprocess.run(
        command(*words, "--timeout", "1"), capture_output=True, env=env(TMPDIR=str(tmp_path)), timeout=120
    )
    assert time.monotonic() - started < LATE
    assert (done.returncode, done.stdout) == (4, b""), done.stderr.decode()
    assert done.stderr.decode().startswith(f"error[{TIME_LIMIT.code}")
    assert [p for p in tmp_path.glob("logsql-*/*") if p.is_dir()] == []


SCRIPT = """
import logsql, time
from logsql.diagnostics.errors import TimeoutError_
with logsql.connect(timeout=1) as s:
    text = open({path!r}).read()
    start = time.monotonic()
    try:
        s.query(text).rows()
    except TimeoutError_:
        print("in time" if time.monotonic() - start < {late} else "late")
    s.timeout = None
    print(s.query("json \\"[{{'a': 1}}]\\"").rows())
"""


def test_a_session_goes_on_behind_a_worker_that_does_not_stop(tmp_path: Path) -> None:
    """DuckDB binds 40,000 patterns without looking at an interrupt; the end of the process once aborted."""
    script = SCRIPT.format(path=str(many_patterns(tmp_path)), late=LATE)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=env(), timeout=240)
    assert done.stdout.decode().split("\n")[:2] == ["in time", "[{'a': 1}]"], done.stderr
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_end_of_a_process_waits_for_what_workers_release() -> None:
    done: list[str] = []

    def release() -> None:
        time.sleep(0.3)
        done.append("released")

    worker = threading.Thread(target=time.sleep, args=(0.3,), daemon=True)
    worker.start()
    leftovers.when_done([worker], release)
    leftovers.wait_for_left()
    assert done == ["released"]


def test_time_between_planning_and_reading_does_not_count() -> None:
    with logsql.connect(timeout=1.5) as s:
        result = s.query("json \"[{'a': 1}]\"")
        time.sleep(1.6)
        assert result.rows() == [{"a": 1}]
        time.sleep(0.5)
        assert s.query("json \"[{'a': 1}]\"").rows() == [{"a": 1}]


def test_planning_alone_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    with logsql.connect(timeout=0.2) as s, pytest.raises(TimeoutError_):
        s.query('json "{}"' + " | eval a = 1, b = a" * 3000)


def test_work_that_does_not_look_at_the_clock_is_left_behind() -> None:
    started = time.monotonic()
    with pytest.raises(AbandonedLate) as caught:
        interruptible(lambda: time.sleep(4), lambda: None, limit=0.1)
    assert time.monotonic() - started < LATE
    assert caught.value.exit_code == 4


def test_what_a_worker_holds_is_released_when_it_ends() -> None:
    done: list[str] = []
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    leftovers.when_done([thread], lambda: done.append("released"))
    assert done == []
    go.set()
    thread.join()
    deadline = time.monotonic() + LATE
    while not done and time.monotonic() < deadline:
        time.sleep(0.01)
    assert done == ["released"]
    leftovers.when_done([thread], lambda: done.append("at once"))
    assert done[-1] == "at once"


@pytest.mark.posix("sends signals")
@pytest.mark.parametrize("number", ["SIGHUP", "SIGINT", "SIGTERM"][: sample(3, 1)])
def test_a_signal_ends_what_cannot_be_stopped(tmp_path: Path, number: str) -> None:
    """Within a second, and no temporary file stays (SIGHUP left one)."""
    import signal

    out = tmp_path / "rows.csv"
    words = command(str(many_patterns(tmp_path)), "-o", str(out))
    process = subprocess.Popen(words, stderr=subprocess.PIPE, env=env(TMPDIR=str(tmp_path)))
    time.sleep(4)
    assert process.poll() is None
    process.send_signal(getattr(signal, number))
    started = time.monotonic()
    process.wait(LATE)
    assert time.monotonic() - started < SOON
    assert process.returncode == {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}[number]
    assert sorted(os.listdir(tmp_path)) in (["in.lq"], ["in.lq", f"logsql-{os.getuid()}"])
    assert [p for p in tmp_path.glob("logsql-*/*") if p.is_dir()] == []


def test_a_signal_that_got_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a handler raises inside a callback of the interpreter is forgotten: SIGTERM once had no effect at all."""
    monkeypatch.setattr(signals, "ARRIVED", [15])
    started = time.monotonic()
    with pytest.raises(signals.Terminated) as caught:
        interruptible(lambda: time.sleep(3), lambda: None)
    assert caught.value.args == (15,)
    assert time.monotonic() - started < 2.5


def test_an_interrupt_finds_a_connection_that_was_closed_meanwhile() -> None:
    """The run ends by its own clock just when the command line stops it: that once was an internal error."""
    with logsql.connect() as s:
        result = s.query("json \"[{'a': 1}]\"")
        result._execution.cursor.close()
        s.interrupt()
        s.database.planning.close()
        s.database.interrupt_planning()
        assert result._execution.state.cancelled()
        with pytest.raises(duckdb.ConnectionException):  # what was left out
            s.database.planning.interrupt()


def test_what_was_stopped_for_its_time_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the engine says of the interrupt that ended it."""
    monkeypatch.setattr(ctrlc, "LATE", 0)
    stopped = threading.Event()

    def work() -> None:
        stopped.wait(LATE)
        raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")

    with pytest.raises(TimeoutError_):
        interruptible(work, stopped.set, limit=0.1)


def test_work_has_put_down_everything_when_its_result_is_there() -> None:
    """A connection that a thread closes while the interpreter ends aborts the process."""
    mine = threading.local()
    gone: list[bool] = []

    class Slow:
        def __del__(self) -> None:
            time.sleep(0.3)
            gone.append(True)

    def work() -> int:
        mine.held = Slow()
        return 1

    assert interruptible(work, lambda: None) == 1
    assert gone == [True]


def test_errors_keep_their_own_code() -> None:
    with logsql.connect(timeout=30) as s, pytest.raises(LogsqlError) as caught:
        s.query("csvfile /nowhere/x.csv").rows()
    assert caught.value.code != TIME_LIMIT.code
