"""Streams at work over real feeds and a real book: rows, states, failures, chains, restarts and ``kill -9``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.streams import rows as received
from logsql.streams.metrics import ROWS_IN, ROWS_OUT, STREAM_ERRORS
from logsql.streams.unit import Source
from tests.streams.bench_of_units import BEGIN, Server, until
from tests.support import ROOT, sample


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.close()


def test_rows_pass_and_are_counted(server: Server) -> None:
    unit = server.unit("")
    unit.start()
    server.send(["a", "b"])
    server.send(["c"])
    assert until(lambda: len(server.rows()) == 3)
    server.finish()
    assert server.rows(columns="line, _logger_name") == [("a", "edge"), ("b", "edge"), ("c", "edge")]
    assert [server.metrics.value(m, ("s",)) for m in (ROWS_IN, ROWS_OUT)] == [3, 3]


def test_a_restart_goes_on_where_the_last_commit_was(tmp_path: Path) -> None:
    for round_ in range(3):
        server = Server(tmp_path)
        server.unit(
            'prev line | evalc n = nvl($("n"), 0) + 1 | eval n = $("n"), q = seq() | fields line, prev_line, n, q'
        )
        server.units[0].start()
        server.send([f"{round_}-1", f"{round_}-2"])
        assert until(lambda: len(server.rows()) == 2 * (round_ + 1))  # noqa: B023
        server.close()
    server = Server(tmp_path)
    assert server.rows() == [
        ("0-1", None, 1, 1),
        ("0-2", "0-1", 2, 2),
        ("1-1", "0-2", 3, 3),
        ("1-2", "1-1", 4, 4),
        ("2-1", "1-2", 5, 5),
        ("2-2", "2-1", 6, 6),
    ]
    server.close()


def test_rows_that_fail_stand_alone_and_the_others_go_on(server: Server) -> None:
    """A document of 10,001 keys is more fields than a row may have: that row fails, whatever stands around it."""
    wide = json.dumps({f"k{n}": n for n in range(10_001)})
    lines = [json.dumps({"n": n}) for n in range(50)]
    unit = server.unit("parsejson | eval m = n * 2 | fields - line", name="s")
    server.send([*lines[:20], wide, *lines[20:], wide])
    unit.start()
    assert until(lambda: len(server.rows("dead")) == 2)
    server.finish()
    assert server.rows(columns="n, m") == [(n, str(2 * n)) for n in range(50)]  # mixed: as JSON
    assert {row[0] for row in server.rows("dead", "line")} == {wide}
    numbers = server.metrics.numbers()
    errors = sum(v for (name, labels), v in numbers.items() if name == STREAM_ERRORS.name and labels[0] == "s")
    assert server.metrics.value(ROWS_IN, ("s",)) == server.metrics.value(ROWS_OUT, ("s",)) + errors == 52


def test_a_stream_that_stops_at_failures_keeps_its_rows(server: Server) -> None:
    wide = json.dumps({f"k{n}": n for n in range(10_001)})
    unit = server.unit("parsejson", on_error="stop")
    server.send(['{"n": 1}', wide])
    unit.start()
    assert until(lambda: unit.state == "failed")
    assert server.rows() == server.rows("dead") == []
    assert unit.positions == {"receiver:edge": 0}
    server.finish()


def test_streams_in_a_chain_hand_on_open_rows(server: Server) -> None:
    first = server.unit("parsejson overlay=t | fields - remote_ip, remote_port, raw", name="first", output=True)
    second = server.unit(
        "search amount > 5 | eval double = amount * 2 | fields user, double, amount", "second", [server.behind(first)]
    )
    whole = server.unit("fields - line", "whole", [server.behind(first)])
    for unit in (first, second, whole):
        unit.start()
    server.send([json.dumps({"amount": n, "user": f"u{n}"}) for n in range(4, 8)])
    server.send(['{"amount": 100, "other": true}', "no document"])
    assert until(lambda: len(server.rows("second")) == 3 and len(server.rows("whole")) == 6)
    server.finish()
    assert server.rows("second", '"user", double, amount')[:2] == [
        ('"u6"', "12", "6"),
        ('"u7"', "14", "7"),
    ]  # mixed: as JSON
    assert server.rows("whole", "amount, other")[-2:] == [(100, True), (None, None)]


def test_several_sources_feed_one_query(server: Server) -> None:
    unit = server.unit("eval from = line", sources=[server.source("a"), server.source("b")])
    server.send(["a1", "a2"], name="a")
    unit.start()
    server.send(["b1"], name="b")
    assert until(lambda: len(server.rows()) == 3)
    server.finish()
    assert sorted(server.rows(columns='"from"')) == [("a1",), ("a2",), ("b1",)]
    assert unit.positions == {"receiver:a": 2, "receiver:b": 1}


def test_a_paused_stream_waits_and_a_reset_one_begins_anew(server: Server) -> None:
    unit = server.unit("eval q = seq() | fields line, q")
    unit.start()
    server.send(["a"])
    assert until(lambda: len(server.rows()) == 1)
    unit.pause()
    server.send(["b"])
    time.sleep(0.3)
    assert unit.state == "stopped"
    assert unit.lag() > 0
    assert len(server.rows()) == 1
    unit.resume()
    assert until(lambda: len(server.rows()) == 2)
    unit.pause()
    server.send(["gone"])
    unit.reset()
    assert until(lambda: unit.positions["receiver:edge"] == 3)
    unit.resume()
    server.send(["c"])
    assert until(lambda: len(server.rows()) == 3)
    server.finish()
    assert server.rows() == [("a", 1), ("b", 2), ("c", 1)]


def test_what_an_async_stream_came_too_late_for_is_counted(server: Server) -> None:
    unit = server.unit("fields line", independent=True)
    unit.pause()
    unit.start()
    assert not unit.holds
    feed = server.feed("receiver:edge")
    feed._most = 1  # a file for each batch
    for n in range(5):
        server.send([f"{n}"])
    feed.release(3)
    unit.resume()
    assert until(lambda: len(server.rows()) == 2)
    server.finish()
    assert server.rows() == [("3",), ("4",)]
    assert server.metrics.value(STREAM_ERRORS, ("s", "async_queue")) == 3


def test_a_join_loads_its_rows_once_and_anew_when_it_is_told(server: Server) -> None:
    cursor = server.session.cursor()
    cursor.execute("CREATE TABLE names AS SELECT 'a' AS line, 'first' AS name")
    server.session.changed()
    unit = server.unit("streamjoin type=left line [ table names ] | fields line, name")
    unit.start()
    server.send(["a", "b"])
    assert until(lambda: len(server.rows()) == 2)
    cursor.execute("UPDATE names SET name = 'second'")
    server.send(["a"])
    assert until(lambda: len(server.rows()) == 3)
    unit.renew()
    server.send(["a"])
    assert until(lambda: len(server.rows()) == 4)
    cursor.execute("DROP TABLE names")
    unit.renew()
    server.send(["a"])
    assert until(lambda: len(server.rows()) == 5)
    server.finish()
    assert server.rows() == [("a", "first"), ("b", None), ("a", "first"), ("a", "second"), ("a", "second")]
    assert server.metrics.value(STREAM_ERRORS, ("s", "refresh")) == 1


#: A server of one unit that runs until it is killed; the source is written by another process' earlier rounds.
CHILD = """
import sys, time
from pathlib import Path
from logsql.streams.unit import Source
from tests.streams.bench_of_units import Server
server = Server(Path(sys.argv[1]), 7)
first = server.unit('evalc n = nvl($("n"), 0) + 1 | eval n = $("n") | fields line, n', name="first", output=True)
second = server.unit("prev line | fields line, prev_line", "second", [server.behind(first)])
for unit in (first, second):
    unit.start()
print("ready", flush=True)
if sys.argv[2] == "end":
    server.finish(120)
    while second.lag() or first.lag():
        time.sleep(0.05)
    print("done", flush=True)
    server.close()
else:
    time.sleep(600)
"""


def test_every_row_is_there_once_whatever_kills_the_process(tmp_path: Path) -> None:
    rows = 400
    server = Server(tmp_path)
    server.unit("", "first", output=True)
    server.unit("", "second", [Source("stream:first")])
    for n in range(0, rows, 50):
        server.send([str(i) for i in range(n, n + 50)], BEGIN + n)
    for unit in server.units:
        unit.pause()
    server.close()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rounds = sample(20, 3)
    for round_ in range(rounds):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), "run"], stdout=subprocess.PIPE, env=environment, cwd=ROOT
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.05 + 0.06 * round_)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), "end"], capture_output=True, env=environment, cwd=ROOT, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    server = Server(tmp_path)
    assert server.rows("first") == [(str(n), n + 1) for n in range(rows)]
    assert server.rows("second") == [(str(n), str(n - 1) if n else None) for n in range(rows)]
    server.close()


def test_header_fields_are_there_where_the_query_names_them(server: Server) -> None:
    """The header of the RFC's own example (RFC 3164, 5.4)."""
    named = server.unit("eval h = host, s = severity | fields h, s, app, message", "named")
    unnamed = server.unit("search isnotnull(line)", "unnamed")
    for unit in (named, unnamed):
        unit.start()
    server.send(["<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"])
    assert until(lambda: len(server.rows("named")) + len(server.rows("unnamed")) == 2)
    server.finish()
    assert server.rows("named") == [("mymachine", 2, "su", "'su root' failed for lonvick on /dev/pts/8")]
    assert named.given.schema.names[8:] == ["severity", "host", "app", "message"]
    assert unnamed.given.schema.names == received.SYSLOG.names


def test_new_rows_of_a_table_are_a_source_also_of_one_that_is_made_later(server: Server) -> None:
    unit = server.unit("eval double = n * 2 | fields n, double, name", sources=[Source("table:later")])
    unit.start()
    cursor = server.session.cursor()
    cursor.execute("CREATE TABLE later AS SELECT 1 AS n")
    assert until(lambda: len(server.rows()) == 1)
    cursor.execute("ALTER TABLE later ADD COLUMN name VARCHAR")
    cursor.execute("INSERT INTO later VALUES (2, 'two'), (3, 'three')")
    assert until(lambda: len(server.rows()) == 3)
    cursor.execute("DELETE FROM later WHERE n = 2")
    cursor.execute("INSERT INTO later VALUES (4, 'four')")
    assert until(lambda: len(server.rows()) == 4)
    server.finish()
    assert server.rows(columns="n, double, name") == [(1, 2, None), (2, 4, "two"), (3, 6, "three"), (4, 8, "four")]


def test_a_stream_that_waits_holds_up_no_other(server: Server) -> None:
    """Ten rows a second pass the slow stream, as behind a server that answers slowly."""
    slow = server.unit("ratelimit 10 | fields line", "slow")
    fast = server.unit("fields line", "fast")
    for unit in (slow, fast):
        unit.start()
    server.send([str(n) for n in range(40)])
    assert until(lambda: len(server.rows("fast")) == 40, 20)
    assert len(server.rows("slow")) < 40
    assert until(lambda: len(server.rows("slow")) == 40)
    server.finish()
    assert server.rows("slow") == server.rows("fast")
