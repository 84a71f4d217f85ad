"""``logsql serve`` as a process: start, what it refuses, delivery, signals, reload, ``kill -9``."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from logsql.cli import main
from tests.streams.serving import Served
from tests.support import nightly, sample

TO_TABLE = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT", "udp://127.0.0.1:UDP"]

[[stream]]
name = "all"
from = ["edge"]
to = ["alerts"]

[[sink]]
name = "alerts"
kind = "table"
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, TO_TABLE)
    yield made
    if made.process is not None:
        made.kill()


def test_messages_reach_the_table_are_counted_and_a_signal_ends_it(served: Served) -> None:
    served.start()
    assert [line for line in served.said if line.startswith("ready")] == ["ready: 1 receivers, 1 streams, 1 sinks"]
    counted = b"<13>Oct 11 22:14:15 h su: two\nlines\n"
    served.send(b"<13>Oct 11 22:14:15 host su: one\n%d %s" % (len(counted), counted))
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 2, "stored")
    assert served.get("/ready") == (200, "ready\n")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"<13>datagram\n", ("127.0.0.1", served.udp))
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 3, "stored")
    served.send(b"".join(b"<13>n %d\n" % number for number in range(3000)))
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 3003, "stored")
    the_counts_agree(served, 3003)
    assert (served.state / "control.sock").exists()
    assert served.end(signal.SIGINT) == 0
    assert not (served.state / "control.sock").exists()
    assert served.stored("SELECT line, remote_ip, _logger_name FROM alerts ORDER BY rowid LIMIT 3") == [
        ("<13>Oct 11 22:14:15 host su: one", "127.0.0.1", "edge"),
        ("<13>Oct 11 22:14:15 h su: two\nlines", "127.0.0.1", "edge"),
        ("<13>datagram", "127.0.0.1", "edge"),
    ]


def the_counts_agree(served: Served, count: int) -> None:
    """At rest: what came in went into the stream, out of it and into the sink, or is counted."""
    found = served.metrics()
    messages = sum(v for key, v in found.items() if key[:2] == ("logsql_receiver_messages_total", "edge"))
    assert messages == found["logsql_stream_rows_in_total", "all"] == count
    errors = sum(v for key, v in found.items() if key[0] == "logsql_stream_errors_total" and "all" in key)
    assert found["logsql_stream_rows_in_total", "all"] == found["logsql_stream_rows_out_total", "all"] + errors
    lost = sum(v for key, v in found.items() if key[0] == "logsql_sink_lost_total" and "alerts" in key)
    assert found["logsql_stream_rows_out_total", "all"] == found["logsql_sink_rows_total", "alerts"] + lost


def test_what_is_accepted_is_delivered_at_the_end(served: Served) -> None:
    served.start()
    count = 50_000
    served.send(b"".join(b"<13>n %d\n" % number for number in range(count)))
    served.until(lambda: served.counted("logsql_receiver_messages_total", "edge", "tcp") >= count, "accepted")
    assert served.end(signal.SIGTERM) == 0
    assert not (served.state / "control.sock").exists()
    assert served.stored("SELECT count(*), count(DISTINCT line) FROM alerts") == [(count, count)]


# --- kill -9 ----------------------------------------------------------------------------------------------------------


def test_kill_9_loses_and_repeats_nothing(served: Served) -> None:
    """What is accepted of a connection is a prefix of what it sent, and is in the table exactly once."""
    sent: dict[int, int] = {}
    for turn in range(sample(50, 4)):
        served.start()
        ended = threading.Event()

        def send(turn: int = turn, ended: threading.Event = ended) -> None:
            number = 0
            try:
                with socket.create_connection(("127.0.0.1", served.port), 10) as peer:
                    while not ended.is_set():
                        block = b"".join(b"<13>c %d n %d\n" % (turn, number + i) for i in range(500))
                        peer.sendall(block)
                        number += 500
            except OSError:
                pass
            sent[turn] = number + 500

        sender = threading.Thread(target=send)
        sender.start()
        served.until(lambda: served.counted("logsql_receiver_messages_total", "edge", "tcp") > 2000, "loaded")
        time.sleep(0.05 * (turn % 7))
        served.kill()
        ended.set()
        sender.join(20)
    served.start()
    served.until(lambda: served.counted("logsql_journal_bytes") == 0 or served.get("/ready")[0] == 200, "caught up")
    served.until(lambda: all(s["lag_seconds"] == 0 for s in served.status()["streams"]), "at rest")
    assert served.end() == 0
    rows = served.stored("SELECT line FROM alerts ORDER BY rowid")
    found: dict[int, list[int]] = {}
    for (line,) in rows:
        _, turn, _, number = str(line).split()
        found.setdefault(int(turn), []).append(int(number))
    assert set(found) == set(sent)
    for turn, numbers in found.items():
        assert numbers == list(range(len(numbers))), f"turn {turn} is no prefix"
        assert 2000 < len(numbers) <= sent[turn]


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_second_server_is_refused(served: Served) -> None:
    served.start()
    other = Served(served.folder, TO_TABLE)
    other.begin()
    assert other.process is not None
    assert other.process.wait(60) == 3
    assert any("another server holds" in line for line in other.said)


def test_a_port_that_is_taken(served: Served) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", served.port))
        holder.listen()
        served.begin()
        assert served.process is not None
        assert served.process.wait(60) == 3
    assert any(str(served.port) in line for line in served.said)
    served.start()
    assert served.end() == 0


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (TO_TABLE.replace("listen", "lisen"), "lisen"),
        (TO_TABLE.replace('to = ["alerts"]', 'to = ["nobody"]'), "nobody"),
        (TO_TABLE.replace('to = ["alerts"]', 'to = ["alerts"]\nquery = "serach x"'), "serach"),
        (TO_TABLE.replace('to = ["alerts"]', 'to = ["alerts"]\nquery = "stats count"'), "every"),
        (TO_TABLE.replace('to = ["alerts"]', 'to = ["alerts"]\nquery = "join a [ table b ]"'), "streamjoin"),
    ],
)
def test_a_wrong_configuration(served: Served, body: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    """``--check`` says what a start says (:func:`test_a_start_refuses_what_check_refuses`)."""
    served.write(body)
    assert main(["serve", str(served.config), "--check"]) == 2
    assert said in capfd.readouterr().err
    if nightly():
        refuses(served, said)


def test_a_sink_outside_is_told_where_to_allow_it(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    body = TO_TABLE.replace('kind = "table"', f'kind = "file"\npath = "{served.folder}/elsewhere/out.jsonl"')
    served.write(body)
    assert main(["serve", str(served.config), "--check"]) != 0
    said = capfd.readouterr().err
    assert "[files] allow_write" in said
    assert "--allow-write" not in said


def test_a_start_refuses_what_check_refuses(served: Served) -> None:
    served.write(TO_TABLE.replace('to = ["alerts"]', 'to = ["alerts"]\nquery = "serach x"'))
    refuses(served, "serach")


def refuses(served: Served, said: str) -> None:
    """A start ends with 2 and says this."""
    served.begin()
    assert served.process is not None
    assert served.process.wait(60) == 2
    served.until(lambda: any(said in line for line in served.said), f"said {said}", 5)
    served.process = None


def test_check_ends_with_0(served: Served) -> None:
    assert main(["serve", str(served.config), "--check"]) == 0


def test_a_database_that_is_none(served: Served) -> None:
    served.state.mkdir(mode=0o700)
    place = served.state / "live.duckdb"
    with sqlite3.connect(place) as other:
        other.execute("CREATE TABLE t (a)")
    before = place.read_bytes()
    served.begin()
    assert served.process is not None
    assert served.process.wait(60) == 3
    assert place.read_bytes() == before


def test_a_database_that_lies_elsewhere(tmp_path: Path) -> None:
    """Neither the state folder nor ``[files]`` names its folder; the file is the server's own nevertheless."""
    (tmp_path / "elsewhere").mkdir()
    place = tmp_path / "elsewhere" / "live.duckdb"
    made = Served(tmp_path, TO_TABLE, server=f'database = "{place}"')
    for turn in range(2):
        made.start()
        made.send(b"<13>one\n")
        made.until(lambda: made.counted("logsql_sink_rows_total", "alerts") == 1, f"stored {turn}")
        assert made.end() == 0
    with duckdb.connect(str(place), read_only=True) as found:
        assert found.execute("SELECT line FROM alerts").fetchall() == [("<13>one",)] * 2


# --- signals ----------------------------------------------------------------------------------------------------------


def test_the_service_manager_is_told(served: Served, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        served.start(env={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert manager.recv(100) == b"READY=1"
        assert served.process is not None
        os.kill(served.process.pid, signal.SIGHUP)
        assert manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(100) == b"READY=1"
        assert served.end() == 0
        assert manager.recv(100) == b"STOPPING=1"


# --- the verbs --------------------------------------------------------------------------------------------------------


def test_streams_are_listed_stopped_and_started(served: Served) -> None:
    served.start()
    served.send(b"<13>one\n")
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 1, "stored")
    listed = served.verb("stream", "ls", "-f", "jsonl")
    assert listed.returncode == 0, listed.stderr
    assert '"name":"all"' in listed.stdout
    assert '"state":"running"' in listed.stdout
    assert served.verb("stream", "stop", "all").returncode == 0
    served.send(b"<13>two\n")
    time.sleep(0.5)
    assert served.counted("logsql_sink_rows_total", "alerts") == 1
    assert served.verb("stream", "start", "all").returncode == 0
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 2, "stored")
    assert served.verb("stream", "show", "all").returncode == 0
    assert served.verb("stream", "show", "nobody").returncode == 3
    assert served.verb("stream", "reset", "all").returncode == 2


def test_a_query_reads_the_running_server(served: Served) -> None:
    served.start()
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(0.2):
            served.send(b"<13>h su: now\n")

    sender = threading.Thread(target=send)
    sender.start()
    try:
        found = served.verb("-q", "logger window=2s edge | stats count", "-f", "jsonl")
        streamed = served.verb("-q", "stream window=2s all | fields line", "-f", "jsonl")
    finally:
        ended.set()
        sender.join()
    assert found.returncode == 0, found.stderr
    assert int(found.stdout.split(":")[1].strip("}\n")) >= 5
    assert '{"line":"<13>h su: now"}' in streamed.stdout.splitlines()


# --- reload -----------------------------------------------------------------------------------------------------------


def test_a_reload_under_load_loses_nothing(served: Served) -> None:
    served.start()
    ended, sent = threading.Event(), [0]

    def send() -> None:
        with socket.create_connection(("127.0.0.1", served.port), 10) as peer:
            while not ended.is_set():
                peer.sendall(b"".join(b"<13>n %d\n" % (sent[0] + i) for i in range(200)))
                sent[0] += 200
                time.sleep(0.01)

    sender = threading.Thread(target=send)
    sender.start()
    for turn in range(3):
        time.sleep(0.3)
        query = f'query = "eval turn = {turn}"'
        served.write(TO_TABLE.replace('to = ["alerts"]', f'to = ["alerts"]\n{query}'))
        assert served.verb("stream", "reload").returncode == 0, served.said[-3:]
    time.sleep(0.3)
    ended.set()
    sender.join()
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == sent[0], "all stored")
    assert served.end() == 0
    rows = [int(str(line).split()[-1]) for (line,) in served.stored("SELECT line FROM alerts ORDER BY rowid")]
    assert rows == list(range(sent[0]))
    assert served.stored("SELECT count(DISTINCT turn) FROM alerts") == [(3,)]


def test_a_reload_says_what_it_takes_up_and_a_wrong_one_changes_nothing(served: Served) -> None:
    served.start()
    served.write(TO_TABLE.replace('to = ["alerts"]', 'to = ["alerts"]\nquery = "serach"'))
    failed = served.verb("stream", "reload")
    assert failed.returncode == 2
    assert "serach" in failed.stderr
    assert served.counted("logsql_reload_total", "failed") == 1
    served.send(b"<13>still\n")
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 1, "stored")
    body = TO_TABLE.replace('kind = "syslog"', 'kind = "syslog"\nmax_frame = "1KB"')
    body += '\n[network]\nallow = ["127.0.0.1"]\n[files]\nallow = ["/var/log"]\n'
    served.write(body)
    done = served.verb("stream", "reload")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "files.allow is taken up at the next start",
        "receiver edge: changed",
        "stream all: changed",
    ]
    assert served.verb("stream", "reload").stderr == "files.allow is taken up at the next start\n"
    served.send(b"<13>" + b"x" * 2000 + b"\n")
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 2, "stored")
    assert served.end() == 0
    assert served.stored("SELECT len(line), _truncated FROM alerts ORDER BY rowid") == [(9, None), (1000, True)]
