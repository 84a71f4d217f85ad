"""A server at work for long: memory stays flat, nothing is left lying, every message is accounted for.

Some seconds by day; by night 20,000 messages a second for three minutes, as many as come in an hour at 1000. Longer:

    LOGSQL_SOAK_SECONDS=3600 python -m pytest tests/streams/test_soak.py --nightly -s

The load is bounded (``LOGSQL_SOAK_RATE`` messages a second), over connections that come and go; streams with windows
and event contexts, a table, a file and a syslog receiver take part. What may grow is rows that the user wants kept: the
engine holds those of tables in memory as far as ``memory_limit`` lets it, 70 bytes a row here (``duckdb_memory()``:
IN_MEMORY_TABLE, OVERFLOW_STRINGS), so that few messages become such rows. Memory is compared at rest, when half of
the messages have been delivered and when all have: under load batches that are under way come and go.
"""

from __future__ import annotations

import os
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.syslog import Connection, Receiver
from tests.streams.serving import Served
from tests.support import nightly, sample

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell memory")
SECONDS = float(os.environ.get("LOGSQL_SOAK_SECONDS") or sample(180.0, 4.0))
RATE = int(os.environ.get("LOGSQL_SOAK_RATE") or sample(20_000, 1000))
#: Of so many messages one is kept in a table; seconds that a context lives, which becomes a row there.
FEW, LIVES = sample(10_000, 100), sample(20, 2)
#: Bursts a second, and after how many a sender connects anew.
BURSTS, ANEW = 10, 50
#: Bytes that may be more at the end than at half time, however many messages came: of a leak of 10 bytes a message
#: there would be 18 MB.
ROOM = 12_000_000
CONFIG = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]

[[stream]]
name = "all"
from = ["edge"]
query = 'rex field=line "user(?<user>\\d+) n (?<n>\\d+)" | fields line, user, n'
to = ["paper", "siem"]

[[stream]]
name = "some"
from = ["all"]
query = 'eval n = long(n) | search mod(n, FEW) == 0'
to = ["kept"]

[[stream]]
name = "counts"
from = ["all"]
every = "1s"
query = 'stats count as n by user | stats sum(n) as n, count as users'
to = ["windows"]

[[stream]]
name = "watch"
from = ["all"]
query = 'evtctxadd topic=seen key=user expire=LIVESs maxrows=2 true | search isnull(line)'
to = []

[[stream]]
name = "gone"
from = ["context:seen"]
query = 'fields topic, key, cause, counter'
to = ["ended"]

[[sink]]
name = "kept"
kind = "table"

[[sink]]
name = "windows"
kind = "table"

[[sink]]
name = "ended"
kind = "table"

[[sink]]
name = "paper"
kind = "file"
path = "state/paper.jsonl"

[[sink]]
name = "siem"
kind = "syslog"
target = "tcp://127.0.0.1:SIEM"
format = "txt"
pri = "keep"
framing = "lf"
"""


@dataclass(frozen=True)
class Look:
    """What a process has: bytes of memory, open files, threads, files in its state folder, bytes of those that are
    not the user's rows."""

    memory: int
    handles: int
    threads: int
    files: int
    kept: int


def look(served: Served) -> Look:
    assert served.process is not None
    proc = Path(f"/proc/{served.process.pid}")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    feeds = list(served.state.rglob("*.feed"))
    return Look(
        int(status["VmRSS"].split()[0]) * 1024,
        len(os.listdir(proc / "fd")),
        int(status["Threads"]),
        sum(1 for path in served.state.rglob("*") if path.is_file()),
        sum(path.stat().st_size for path in feeds if path.exists()),
    )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Served, list[int]]]:
    came = [0]

    def counting(connection: Connection, number: int) -> None:
        """Count lines and keep none."""
        while data := connection.sock.recv(1 << 20):
            came[0] += data.count(b"\n")

    siem = Receiver(behave=counting).open()
    body = CONFIG.replace("SIEM", str(siem.port)).replace("FEW", str(FEW)).replace("LIVES", str(LIVES))
    made = Served(tmp_path, body, server='memory_limit = "256MB"')
    yield made, came
    if made.process is not None:
        made.kill()
    siem.close()


def sent_for(served: Served, seconds: float, looks: list[Look], first: int = 0) -> int:
    """Send for so long, from a number on, and look about fifty times; the number behind the last message."""
    sent, began, bursts, known = first, time.monotonic(), 0, len(looks)
    peer: socket.socket | None = None
    every = max(seconds / 50, 0.2)
    while (now := time.monotonic() - began) < seconds:
        if bursts % ANEW == 0:
            if peer is not None:
                peer.close()
            peer = socket.create_connection(("127.0.0.1", served.port), 10)
        assert peer is not None
        count = RATE // BURSTS
        peer.sendall(
            b"".join(b"<13>user%d n %d %s\n" % (n % 500, n, b"x" * (n % 120)) for n in range(sent, sent + count))
        )
        sent, bursts = sent + count, bursts + 1
        if now >= (len(looks) - known) * every:
            looks.append(look(served))
        time.sleep(max(began + bursts / BURSTS - time.monotonic(), 0.0))
    assert peer is not None
    peer.close()
    return sent


def test_a_long_time_at_work(served: tuple[Served, list[int]]) -> None:
    server, came = served
    server.start()
    looks: list[Look] = []
    half = sent_for(server, SECONDS / 2, looks)
    warm = at_rest(server, came, half)
    sent = sent_for(server, SECONDS / 2, looks, half)
    last = at_rest(server, came, sent)
    server.until(lambda: windows(server) == sent, "counted", 60)
    found = server.metrics()
    assert server.end() == 0

    # All is accounted for, once.
    assert came[0] == sent
    with (server.state / "paper.jsonl").open() as lines:
        assert sum(1 for _ in lines) == sent
    assert server.stored("SELECT count(*), count(DISTINCT n) FROM kept") == [(-(-sent // FEW),) * 2]
    assert not {key: value for key, value in found.items() if "_lost_" in key[0] or "_errors_" in key[0]}
    assert server.stored("SELECT count(*) >= 500 FROM ended WHERE cause = 'EXPIRE'") == [(True,)]
    # Nothing is left lying.
    (tables,) = server.stored("SELECT count(*) FROM duckdb_tables() WHERE NOT internal")
    assert tables == (7,), "kept, windows, ended and the four of the book"
    for table, most in (("numbers", 60), ("states", 30), ("pieces", 600), ("versions", 1)):
        assert server.stored(f"SELECT count(*) <= {most} FROM logsql_live.{table}") == [(True,)], table
    later, end = looks[len(looks) // 2 : len(looks) * 3 // 5 + 1], looks[-max(len(looks) // 10, 2) :]
    assert statistics.median(one.handles for one in end) <= statistics.median(one.handles for one in later) + 3
    assert last.threads <= max(one.threads for one in later) + 2
    assert last.files <= max(one.files for one in later) + 3
    assert max(one.kept for one in end) < 600_000_000, "journals and spools go"
    # Memory is flat.
    grown = last.memory - warm.memory
    print(f"\n{sent} messages; memory at half time {warm.memory / 1e6:.1f} MB, {grown / 1e6:+.1f} at the end; {last}")
    assert grown < (ROOM if nightly() else 10 * ROOM), f"{grown / 1e6:.1f} MB more"


def at_rest(served: Served, came: list[int], sent: int) -> Look:
    """What the process has when all of so many messages are delivered: the least memory within some seconds."""
    served.until(lambda: came[0] >= sent, "at the receiver", 120)
    served.until(lambda: served.counted("logsql_sink_rows_total", "paper") == sent, "in the file", 120)
    looks = [look(served)]
    for _ in range(sample(10, 1)):
        time.sleep(0.5)
        looks.append(look(served))
    return min(looks, key=lambda one: one.memory)


def windows(served: Served) -> int:
    """What the windows have counted so far."""
    found = served.verb("-q", "table windows | stats sum(n) as n", "-f", "csv").stdout.split()
    return int(found[1]) if len(found) == 2 and found[1].isdigit() else -1
