"""Live operation against rsyslogd, and how soon an alert is out.

``python -m bench.run "live cpu" "live latency"``. CPU is that of the receiving process alone, from /proc; the sender is
a process of its own, and the same for both.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench.livesender import ODD
from bench.measure import Row, row
from logsql.api import connect
from logsql.shell.ml_session import ml_shell
from tests.servers.pki import Authority, make_authority
from tests.streams.serving import Served, free_port

MESSAGES = 1_000_000
TURNS = 3
TICKS = os.sysconf("SC_CLK_TCK")
LINE = "<13>Oct 11 22:14:15 host app[12]: " + "x" * 100 + " %08d\n"
TO_TABLE = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]
[[stream]]
name = "all"
from = ["edge"]
to = ["kept"]
[[sink]]
name = "kept"
kind = "table"
"""
SENDER = """
import socket, sys
port, count, line = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
peer = socket.create_connection(("127.0.0.1", port))
for begin in range(0, count, 1000):
    peer.sendall("".join(line % number for number in range(begin, begin + 1000)).encode())
peer.shutdown(socket.SHUT_WR)
peer.recv(1)
"""


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def send(port: int, count: int = MESSAGES) -> None:
    """All messages over one TCP connection, ended by line feeds."""
    subprocess.run([sys.executable, "-c", SENDER, str(port), str(count), LINE], check=True)


def rsyslog(folder: Path, count: int = MESSAGES) -> float:
    """CPU of rsyslogd that writes the messages into a file."""
    port, kept = free_port(), folder / "kept.log"
    conf = folder / "rsyslog.conf"
    conf.write_text(
        f'global(workDirectory="{folder}")\nmodule(load="imtcp")\n'
        f'input(type="imtcp" port="{port}" address="127.0.0.1")\n'
        f'action(type="omfile" file="{kept}")\n'
    )
    program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
    process = subprocess.Popen([program, "-n", "-f", str(conf), "-i", str(folder / "pid")], stderr=subprocess.DEVNULL)
    try:
        wait(lambda: reached(port))
        before = cpu(process.pid)
        send(port, count)
        wait(lambda: kept.exists() and lines(kept) >= count)
        return cpu(process.pid) - before
    finally:
        process.terminate()
        process.wait()


def ours(folder: Path, count: int = MESSAGES) -> float:
    """CPU of ``logsql serve`` that writes the messages into a table."""
    served = Served(folder, TO_TABLE).start()
    assert served.process is not None
    try:
        before = cpu(served.process.pid)
        send(served.port, count)
        # Each look at the page costs the server some milliseconds.
        wait(lambda: served.counted("logsql_sink_rows_total", "kept") >= count, step=1.0)
        used = cpu(served.process.pid) - before
    finally:
        served.end()
    assert served.stored("SELECT count(*), count(DISTINCT line) FROM kept") == [(count, count)]
    return used


def cpu_rows() -> list[Row]:
    """CPU per message into a table against rsyslogd into a file, in turns; no fsync per message on either side."""
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(TURNS):
        with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
            mine.append(ours(Path(first)))
            theirs.append(rsyslog(Path(second)))
    compared = f"rsyslogd into a file, {MESSAGES:,} messages of 142 bytes over TCP"
    times = ([one * 1000 for one in mine], [one * 1000 for one in theirs])
    return [row("live cpu", compared, times, 2.5, f"{mine[-1] / MESSAGES * 1e6:.1f} microseconds a message")]


# --- latency ------------------------------------------------------------------------------------------------------

RATE, SECONDS = 5000, 20
#: Milliseconds within which 99 of 100 alerts have to be out.
GOAL = 100.0
FDS = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tls://127.0.0.1:PORT"]
framing = "octet"
tls = { cert = "CERT", key = "KEY" }
[[stream]]
name = "fds"
from = ["edge"]
query = "parsejson overlay=t | anomalies model=fds amount, hour | search _score > 0.6"
to = ["siem"]
[[sink]]
name = "siem"
kind = "syslog"
target = "tls://127.0.0.1:TARGET"
ca_file = "CA"
"""


class Alerts:
    """Receives alerts over TLS: seconds from the send of each odd message to the arrival of its alert."""

    def __init__(self, tls: Authority) -> None:
        self.found: list[float] = []
        self._context = tls.server_context()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        plain, _ = self._listening.accept()
        with suppress(OSError), self._context.wrap_socket(plain, server_side=True) as peer:
            buffer = b""
            while data := peer.recv(1 << 18):
                now = time.time()
                *whole, buffer = (buffer + data).split(b"}")
                self.found += [
                    now - float(sent[1]) for one in whole if b'"odd":1' in one and (sent := _SENT.search(one))
                ]

    def wait(self, count: int, seconds: float = 30) -> list[float]:
        """What was measured, when all have come."""
        wait(lambda: len(self.found) >= count, seconds)
        self._listening.close()
        return self.found


_SENT = re.compile(rb'"sent":"?([0-9.]+)')


@dataclass(frozen=True)
class Scored:
    """What a server did: latencies of its alerts, its CPU in seconds, batches of its stream, and the seconds that the
    model took."""

    latencies: list[float]
    cpu: float
    batches: float
    model: float

    def told(self, seconds: int) -> str:
        """The cost of a batch and of a row."""
        rows = RATE * seconds
        size, each = rows / self.batches, self.cpu / self.batches * 1000
        used, scoring = self.cpu / seconds, self.model / rows * 1000
        return f"{size:.0f} rows and {each:.1f} ms of CPU a batch, {used:.2f} cores; model {scoring:.3f} ms a row"


def by_server(folder: Path, tls: Authority, seconds: int) -> Scored:
    """Latencies of alerts that a stream scores. The model is the server's: of ``live.duckdb`` in its state folder."""
    alerts = Alerts(tls)
    words = {"TARGET": str(alerts.port), "CERT": str(tls.right.cert), "KEY": str(tls.right.key), "CA": str(tls.ca_file)}
    body = FDS
    for word, value in words.items():
        body = body.replace(word, value)
    served = Served(folder, body)
    train(served.state, folder)
    served.start()
    assert served.process is not None
    try:
        before = cpu(served.process.pid)
        _send(served.port, seconds, tls)
        found = alerts.wait(RATE * seconds // ODD)
        used = cpu(served.process.pid) - before
        batches = served.counted("logsql_stream_batch_seconds_count", "fds")
        return Scored(found, used, batches, _of_model(served))
    finally:
        served.end()


def _of_model(served: Served) -> float:
    """Seconds that models took."""
    return sum(value for name, value in served.metrics().items() if name[0] == "logsql_model_seconds_sum")


def by_echo(tls: Authority, seconds: int) -> list[float]:
    """The same path with nothing between: one process that hands on what comes."""
    alerts, port = Alerts(tls), free_port()
    files = [str(tls.right.cert), str(tls.right.key), str(tls.ca_file)]
    process = subprocess.Popen([sys.executable, "-m", "bench.livesender", "echo", str(port), str(alerts.port), *files])
    try:
        wait(lambda: listens(port))
        _send(port, seconds, tls)
        return alerts.wait(RATE * seconds // ODD)
    finally:
        process.terminate()
        process.wait()


def _send(port: int, seconds: int, tls: Authority) -> None:
    words = ["send", str(port), str(RATE), str(seconds), str(tls.ca_file)]
    subprocess.run([sys.executable, "-m", "bench.livesender", *words], check=True)


def train(state: Path, folder: Path) -> None:
    """A model of ordinary transactions and few odd ones, where the server looks for it."""
    state.mkdir(mode=0o700, parents=True)
    chance, rows = random.Random(3), folder / "history.jsonl"
    usual = [{"amount": chance.randrange(100_000), "hour": chance.randrange(9, 19)} for _ in range(990)]
    odd = [{"amount": 9_000_000, "hour": 3}] * 10
    rows.write_text("".join(json.dumps(row) + "\n" for row in usual + odd))
    with connect(str(state / "live.duckdb")) as session:
        shell = ml_shell(session)
        shell.wait = True
        shell.err = print
        for words in (
            ["addJsonInput", "history", str(rows)],
            ["createModel", "iforest", "fds", "history", "fields=amount, hour", "seed=1"],
            ["fit", "fds"],
        ):
            assert shell.run_words(words) == 0


def latency_rows(seconds: int = SECONDS, turns: int = TURNS) -> list[Row]:
    """Median, p95 and p99 from the send of a message to its alert, TLS in and out, against an echo; the best of three.

    Both moments are of one clock: that of this machine.
    """
    mine: list[list[float]] = []
    costs: list[str] = []
    theirs: list[list[float]] = []
    for _ in range(turns):
        with tempfile.TemporaryDirectory() as one:
            tls = make_authority(Path(one) / "tls")
            scored = by_server(Path(one), tls, seconds)
            mine.append(scored.latencies)
            costs.append(scored.told(seconds))
            theirs.append(by_echo(tls, seconds))
    rows: list[Row] = []
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        ours, echoed = ([percentile(one, share) * 1000 for one in side] for side in (mine, theirs))
        ratios = [a / b for a, b in zip(ours, echoed, strict=True)]
        best = min(ours)
        met = f"; goal {GOAL:.0f} ms {'met' if best <= GOAL else 'MISSED'}" if share == 0.99 else ""
        compared = f"an echo, {name} of {len(mine[0]):,} alerts at {RATE:,} messages a second, elapsed time"
        note = f"best {best:.1f} ms, all {', '.join(f'{one:.1f}' for one in ours)}{met}"
        note += f"; {costs[ours.index(best)]}" if share == 0.99 else ""
        found = Row(
            "live latency", compared, best / min(echoed), best, min(echoed), min(ratios), max(ratios), None, note
        )
        rows.append(found)
    return rows


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of them lies."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def wait(there: Callable[[], bool], seconds: float = 120, step: float = 0.05) -> None:
    """Wait for something, looking every ``step`` seconds."""
    until = time.monotonic() + seconds
    while not there():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(step)


def listens(port: int) -> bool:
    """Whether somebody listens, without a connection that it would take for the one that it waits for (Linux)."""
    wanted = f"0100007F:{port:04X}"
    table = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    return any(fields[1] == wanted and fields[3] == "0A" for fields in table)


def reached(port: int) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def lines(path: Path) -> int:
    """Lines of a file."""
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
