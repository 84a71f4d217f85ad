"""A server in trouble: a full disk, a dead target, rows that fail, an end while targets are away."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from tests.servers.syslog import Receiver
from tests.streams.serving import Served, free_port, numbers
from tests.support import sample

EDGE = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]
max_frame = "1MB"

[[stream]]
name = "all"
from = ["edge"]
to = [TO]

[[sink]]
name = "kept"
kind = "table"
"""
DEAD = """
[[sink]]
name = "siem"
kind = "syslog"
target = "tcp://127.0.0.1:TARGET"
format = "txt"
pri = "keep"
framing = "lf"
retry = "100ms..200ms"
"""
HOOK = """
[[sink]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:SILENT/in"

[network]
allow = ["127.0.0.1"]
plain_http = ["127.0.0.1"]
proxy = "none"
"""
PICKY = """
[[stream]]
name = "picky"
from = ["edge"]
query = "parsejson | eval m = n * 2 | fields - line"
to = ["numbers"]

[[sink]]
name = "numbers"
kind = "table"
"""
#: More fields than a row may have: this document fails, whatever stands around it.
WIDE = json.dumps({f"k{n}": n for n in range(10_001)})


def lines(first: int, count: int, width: int = 0) -> bytes:
    return b"".join(b"<13>%s n %d\n" % (b"x" * width, n) for n in range(first, first + count))


def body(to: str, target: int = 0, more: str = "") -> str:
    return (EDGE.replace("TO]", to + "]") + more).replace("TARGET", str(target))


def received(peer: Receiver) -> list[int]:
    return numbers([line.decode() for one in peer.connections for line in bytes(one.data).split(b"\n")])


@pytest.fixture
def servers() -> Iterator[list[Served]]:
    made: list[Served] = []
    yield made
    for one in made:
        if one.process is not None:
            one.kill()


def begun(servers: list[Served], folder: Path, text: str, server: str = "") -> Served:
    made = Served(folder, text, server=server)
    servers.append(made)
    return made.start()


def delivered(served: Served, sink: str, count: int) -> None:
    served.until(lambda: served.counted("logsql_sink_rows_total", sink) >= count, f"{count} rows in {sink}", 30)


# --- a full disk ------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 240 MB; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk takes root on Linux")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=240m", "tmpfs", str(place)]).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


class Flood:
    """Sends numbered messages over one connection until told to end; ``sent`` are wholly given to the system."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self.ended = threading.Event()
        self._peer = socket.create_connection(("127.0.0.1", port), 10)
        self._peer.settimeout(None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._peer, suppress(OSError):
            while not self.ended.is_set():
                self._peer.sendall(lines(self.sent, 50, 1000))
                self.sent += 50

    def end(self) -> int:
        self.ended.set()
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.sent

    def stands(self) -> bool:
        """Whether nothing could be sent for a second: the receiver does not read."""
        before = self.sent
        time.sleep(1)
        return self.sent == before


def test_a_full_disk_stops_reading_and_loses_nothing(small_disk: Path, servers: list[Served]) -> None:
    served = begun(servers, small_disk, body('"kept"'))
    filler = small_disk / "filler"
    room = os.statvfs(small_disk)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - 52_000_000))
    flood = Flood(served.port)
    served.until(lambda: served.get("/ready")[0] == 503, "full", 30)
    assert served.get("/ready") == (503, "the disk is full\n")
    served.until(flood.stands, "stopped", 30)
    accepted = served.counted("logsql_receiver_messages_total", "edge", "tcp")
    assert accepted < flood.sent
    assert served.process is not None
    assert served.process.poll() is None
    filler.unlink()
    served.until(lambda: served.get("/ready") == (200, "ready\n"), "ready again", 20)
    assert served.counted("logsql_receiver_paused_seconds_total", "edge") > 1
    sent = flood.end()
    delivered(served, "kept", sent)
    assert served.end() == 0
    rows = served.stored("SELECT line FROM kept ORDER BY rowid")
    assert numbers([str(line) for (line,) in rows]) == list(range(sent))


def test_a_database_that_was_given_up_is_opened_again_when_there_is_room(
    small_disk: Path, servers: list[Served]
) -> None:
    """Others fill the disk in the moment of a checkpoint: the engine refuses everything until it is opened again. The
    server waits for room and begins anew by itself; what it accepted meanwhile is delivered, once."""
    served = Served(small_disk, body('"kept"'))
    servers.append(served)
    served.program = ["-m", "tests.streams.cornered", str(small_disk / "now")]
    served.start()
    assert served.process is not None
    process = served.process.pid
    served.send(lines(0, 5000, 1000))
    delivered(served, "kept", 5000)
    room = os.statvfs(small_disk)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - 52_000_000))
    (small_disk / "now").touch()
    served.send(lines(5000, 100))
    served.until(
        lambda: "E3222" in served.get("/ready")[1] or "must be opened again" in served.get("/ready")[1], "told"
    )
    assert served.get("/ready")[0] == 503
    told = served.status()
    assert (told["status"], told["ready"]) == ("degraded", False)
    assert [stream["state"] for stream in told["streams"]] == ["failed"]
    served.send(lines(5100, 100))
    served.until(lambda: served.counted("logsql_receiver_messages_total", "edge", "tcp") == 5200, "accepted")
    (small_disk / "now").unlink()
    filler.unlink()
    served.until(lambda: sum(line.startswith("ready: ") for line in served.said) == 2, "begun anew")
    assert served.process.pid == process
    assert served.process.poll() is None
    delivered(served, "kept", 200)
    assert served.get("/ready") == (200, "ready\n")
    assert served.status()["status"] == "running"
    served.send(lines(5200, 100))
    delivered(served, "kept", 300)
    assert served.end() == 0
    rows = served.stored("SELECT line FROM kept ORDER BY rowid")
    assert numbers([str(line) for (line,) in rows]) == list(range(5300))


def test_nobody_else_may_look_into_the_state(tmp_path: Path, servers: list[Served]) -> None:
    """Whatever the umask says: folders 0700, files 0600, but for the log that the engine makes anew now and then."""
    before = os.umask(0o022)
    try:
        served = begun(servers, tmp_path, body('"kept", "siem"', free_port(), DEAD + PICKY))
    finally:
        os.umask(before)
    served.send(lines(0, 10) + (WIDE + "\n").encode())
    delivered(served, "kept", 11)
    delivered(served, "dead", 1)
    open_ = [p for p in (served.state, *served.state.rglob("*")) if p.lstat().st_mode & 0o077]
    assert {p.name for p in open_} <= {"live.duckdb.wal"}
    assert served.end() == 0


# --- a dead target ----------------------------------------------------------------------------------------------------


def test_a_dead_target_holds_up_nobody_else(tmp_path: Path, servers: list[Served]) -> None:
    """Its spool grows, the others go on; at the end what waits is kept, and the next start delivers it."""
    target = free_port()
    served = begun(servers, tmp_path, body('"kept", "siem"', target, DEAD + PICKY), 'shutdown = "100s"')
    served.send(lines(0, 3000))
    delivered(served, "kept", 3000)
    served.until(lambda: served.counted("logsql_stream_rows_in_total", "picky") == 3000, "the other stream")
    before = served.counted("logsql_sink_spool_bytes", "siem")
    served.send(lines(3000, 3000))
    delivered(served, "kept", 6000)
    assert served.counted("logsql_sink_spool_bytes", "siem") > before > 0
    assert served.counted("logsql_sink_rows_total", "siem") == 0
    served.until(lambda: served.counted("logsql_sink_retries_total", "siem") > 1, "tried again")
    (siem,) = [sink for sink in served.status()["sinks"] if sink["name"] == "siem"]
    assert (siem["state"], siem["rows_waiting"]) == ("failing", 6000)
    began = time.monotonic()
    assert served.end() == 0
    assert time.monotonic() - began < 20, "nobody waits for a target that is away"

    peer = Receiver(port=target).open()
    served.start()
    delivered(served, "siem", 6000)
    assert served.end() == 0
    peer.close()
    assert received(peer) == list(range(6000))
    assert served.stored("SELECT count(*), count(DISTINCT line) FROM kept") == [(6000, 6000)]


def test_the_end_delivers_to_who_is_there(tmp_path: Path, servers: list[Served]) -> None:
    """SIGTERM while much waits: who can be reached gets all that was accepted, the rest stays for the next start."""
    here = Receiver().open()
    target = free_port()
    other = DEAD.replace('"siem"', '"here"').replace("TARGET", str(here.port))
    served = begun(servers, tmp_path, body('"here", "siem"', target, DEAD + other), 'shutdown = "3s"')
    served.send(lines(0, 20_000))
    served.until(lambda: served.counted("logsql_receiver_messages_total", "edge", "tcp") == 20_000, "accepted")
    assert served.end() == 0
    assert received(here) == list(range(20_000))
    peer = Receiver(port=target).open()
    served.start()
    delivered(served, "siem", 20_000)
    assert served.end() == 0
    assert received(peer) == list(range(20_000))
    assert received(here) == list(range(20_000)), "what was confirmed is not sent again"
    here.close()
    peer.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)][: sample(2, 1)])
def test_a_second_signal_ends_at_once(tmp_path: Path, servers: list[Served], number: signal.Signals, code: int) -> None:
    target = free_port()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and answers nobody
        hook = HOOK.replace("SILENT", str(silent.getsockname()[1]))
        served = begun(servers, tmp_path, body('"kept", "siem", "hook"', target, DEAD + hook), 'shutdown = "50s"')
        end_at_once(served, number, code)
    peer = Receiver(port=target).open()
    served.start()
    delivered(served, "siem", 1000)
    assert served.end() == 0
    peer.close()
    assert received(peer) == list(range(1000))
    assert served.stored("SELECT count(*), count(DISTINCT line) FROM kept") == [(1000, 1000)]


def end_at_once(served: Served, number: signal.Signals, code: int) -> None:
    served.send(lines(0, 1000))
    delivered(served, "kept", 1000)
    assert served.process is not None
    served.process.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        served.process.wait(1)  # it waits for an answer
    began = time.monotonic()
    assert served.end(number) == code
    assert time.monotonic() - began < 2


# --- rows that fail, and the identity of the metrics ------------------------------------------------------------------


def test_the_counts_agree_with_failing_rows_and_a_sink_that_drops(tmp_path: Path, servers: list[Served]) -> None:
    """Rows that fail are in the dead file with the reason; every row that entered is counted as what became of it."""
    target = free_port()
    drops = DEAD + 'when_full = "drop"\nspool_max = "20KB"\n'
    served = begun(servers, tmp_path, body('"kept", "siem"', target, drops + PICKY))
    served.send(lines(0, 2000))
    served.send((WIDE + '\n{"n": 1}\n{"n": 2}\n').encode())
    for turn in range(1, 4):
        delivered(served, "kept", 2000 * turn + 3)
        served.send(lines(2000 * turn, 2000))
    delivered(served, "kept", 8003)
    served.until(lambda: served.counted("logsql_stream_rows_in_total", "picky") == 8003, "read")
    assert served.counted("logsql_sink_lost_total", "when_full", "siem") > 0
    peer = Receiver(port=target).open()
    served.until(lambda: served.counted("logsql_sink_spool_bytes", "siem") == 0, "delivered")
    delivered(served, "dead", 1)
    dead = [json.loads(line) for line in (served.state / "dead.jsonl").read_text().splitlines()]
    assert [(row["line"], row["_stream"]) for row in dead] == [(WIDE, "picky")]
    assert re.search(r"10,?00[01]|fields", str(dead[0]["_error"]))

    found = served.metrics()

    def total(name: str, *labels: str) -> float:
        return sum(value for key, value in found.items() if key[0] == name and set(labels) <= set(key[1:]))

    assert total("logsql_receiver_messages_total", "edge") == 8003
    for stream, errors, sinks in (("all", 0, ("kept", "siem")), ("picky", 1, ("numbers",))):
        entered, left = total("logsql_stream_rows_in_total", stream), total("logsql_stream_rows_out_total", stream)
        assert entered == 8003
        assert total("logsql_stream_errors_total", stream) == errors
        assert entered == left + errors
        for sink in sinks:
            assert left == total("logsql_sink_rows_total", sink) + total("logsql_sink_lost_total", sink), sink
    assert total("logsql_sink_rows_total", "dead") == 1
    assert served.end() == 0
    peer.close()
    assert len(bytes(peer.connections[-1].data).splitlines()) == total("logsql_sink_rows_total", "siem")
    assert served.stored("SELECT count(*) FROM numbers WHERE n IS NOT NULL") == [(2,)]


# --- targets that take and do not answer, a database that others hold -------------------------------------------------


def test_who_takes_and_never_answers_is_waited_for_until_shutdown(tmp_path: Path, servers: list[Served]) -> None:
    """It can be reached, so it has the time that ``shutdown`` gives; then the rest is kept, and it ends with 0."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hook = HOOK.replace("SILENT", str(silent.getsockname()[1]))
        served = begun(servers, tmp_path, body('"kept", "hook"', more=hook), 'shutdown = "2s"')
        served.send(lines(0, 1000))
        delivered(served, "kept", 1000)
        began = time.monotonic()
        assert served.end() == 0
        assert 1.5 < time.monotonic() - began < 20
    assert served.stored("SELECT count(*) FROM kept") == [(1000,)]
    assert sum(path.stat().st_size for path in (served.state / "spool" / "hook").rglob("*.feed")) > 10_000, "kept"


def test_a_database_that_others_hold(tmp_path: Path, servers: list[Served]) -> None:
    served = Served(tmp_path, body('"kept"'))
    servers.append(served)
    served.state.mkdir(mode=0o700)
    with duckdb.connect(str(served.state / "live.duckdb")) as other:
        other.execute("CREATE TABLE theirs AS SELECT 1 AS n")
        served.begin()
        assert served.process is not None
        assert served.process.wait(60) == 3
        served.until(lambda: any("live.duckdb" in line for line in served.said), "told", 5)
        served.process = None
        assert other.execute("FROM theirs").fetchall() == [(1,)]
