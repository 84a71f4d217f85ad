"""Sinks that send: syslog and webhook, against peers that are slow, dead, half closed or refuse, and over kill -9."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from logsql.configuration.secrets import Secret
from logsql.configuration.settings import Network
from logsql.diagnostics.errors import UsageError
from logsql.streams.rows import INSTANT
from logsql.streams.settings import Sink
from logsql.streams.sinks.syslogtexts import texts
from tests.servers.pki import Authority
from tests.servers.syslog import RSYSLOGD, Connection, Receiver, Rsyslog, read_on, read_some, reset
from tests.streams.sink_support import BEGIN, Serving, numbered, until
from tests.support import ROOT, sample

if TYPE_CHECKING:
    from tests.servers.web import WebServer

from tests.servers.replies import Reply, Request


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    opened: list[Receiver] = []

    def get(behave: Callable[[Connection, int], None] | None = None, **more: object) -> Receiver:
        opened.append(Receiver(behave, **more).open())  # type: ignore[arg-type]
        return opened[-1]

    yield get
    for one in opened:
        one.close()


def siem(port: int, **more: object) -> Sink:
    given: dict[str, object] = {"target": f"tcp://127.0.0.1:{port}", "framing": "lf", "format": "txt", **more}
    return Sink("siem", "syslog", retry=(0.05, 0.3), **given)  # type: ignore[arg-type]


def seen(there: Receiver) -> list[int]:
    """The numbers of the messages in the order in which they came whole."""
    return [int(line.rpartition(b" ")[2]) for c in there.connections for line in bytes(c.data).split(b"\n")[:-1]]


def in_order_and_whole(there: Receiver, count: int) -> None:
    """Nothing is missing, and what comes again begins at something known."""
    known = -1
    for connection in there.connections:
        found = [int(line.rpartition(b" ")[2]) for line in bytes(connection.data).split(b"\n")[:-1]]
        if found:
            assert found == list(range(found[0], found[-1] + 1))
            assert found[0] <= known + 1
            known = max(known, found[-1])
    assert known == count - 1


# --- syslog -----------------------------------------------------------------------------------------------------------


def test_messages_of_each_format(tmp_path: Path, receiver: Callable[..., Receiver]) -> None:
    rows = pa.table(
        {
            "_time": pa.array([BEGIN] * 3, INSTANT),
            "line": ["<30>own", "plain\ntext", None],
            "facility": pa.array([4, None, 99], pa.int32()),
            "severity": pa.array([2, 3, None], pa.int32()),
            "host": ["web1", "a b", ""],
            "app": ["sshd", None, "x" * 60],
            "structured_data": ['[a@1 b="c\\]d"]', "[broken", "-"],
            "message": ["로그인", None, None],
            "_id": [1, 2, 3],
        }
    )
    when = "2026-01-02T03:04:05.678+09:00"
    assert texts(rows, "rfc5424", "Asia/Seoul", 134).to_pylist() == [
        f'<34>1 {when} web1 sshd - - [a@1 b="c\\]d"] 로그인',
        f"<131>1 {when} a?b - - - - plain\ntext",
        f"<134>1 {when} - {'x' * 48} - - -",
    ]
    assert texts(rows, "txt", "UTC", 134).to_pylist() == ["<30>own", "plain\ntext", None]
    first = json.loads(texts(rows, "json", "UTC", 134)[0].as_py())
    assert list(first) == [name for name in rows.column_names if name not in ("_id", "_time")]
    there = receiver()
    serving = Serving(tmp_path, siem(there.port, pri=None))
    serving.give(rows.select(["line", "_time"]))
    serving.stop()
    assert there.all() == b"<30>own\n<134>plain\\ntext\n"
    (dead,) = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert (dead["_error"], dead["_stream"]) == ("no-line", "siem")
    assert (serving.rows_of("siem"), serving.lost_of("siem", "dead")) == (2, 1)


@pytest.mark.parametrize("with_tls", [False, True])
def test_rsyslog_that_is_killed_and_comes_back(with_tls: bool, tmp_path: Path, tls: Authority) -> None:
    if not os.path.exists(RSYSLOGD):
        pytest.skip("program not installed: rsyslogd")
    rsyslog = Rsyslog(tmp_path / "rsyslog", tls).start()
    target = f"tls://localhost:{rsyslog.tls}" if with_tls else f"tcp://127.0.0.1:{rsyslog.tcp}"
    wanted = siem(0, target=target, framing="octet", ca_file=str(tls.ca_file), format="json", fields=("n",))
    serving = Serving(tmp_path / "state", wanted)
    serving.give_numbered(300)
    assert len(rsyslog.lines(300)) == 300
    until(lambda: serving.rows_of("siem") == 300)
    rsyslog.stop()
    serving.give_numbered(600)  # the first of these goes into a connection that the peer has closed
    until(lambda: serving.retries_of("siem"))
    rsyslog.start()
    found = rsyslog.lines(600)
    serving.stop()
    rsyslog.stop()
    assert list(dict.fromkeys(found)) == [f'<134>{{"n":{n}}}' for n in range(600)]


def test_a_receiver_that_half_closes_and_resets(tmp_path: Path, receiver: Callable[..., Receiver]) -> None:
    def nasty(connection: Connection, number: int) -> None:
        if number % 3 == 0:  # reads a little, then says that it will send no more, and reads no more
            read_some(connection, 5000)
            connection.sock.shutdown(socket.SHUT_WR)
            time.sleep(0.05)
            read_on(connection)
        elif number % 3 == 1 and number < 12:
            read_some(connection, 20_000)
            reset(connection)
        else:
            read_on(connection)

    there = receiver(nasty)
    serving = Serving(tmp_path, siem(there.port))
    for _ in range(60):
        serving.give_numbered(serving.next + 100)
        time.sleep(0.005)
    until(lambda: serving.rows_of("siem") == 6000, 20)
    serving.stop()
    there.all()
    # what a reset took from the receiver's own buffer is the receiver's to lose: the rest is there
    assert serving.made.sinks["siem"].status()["rows_waiting"] == 0
    assert len(there.connections) == 3
    assert set(seen(there)) >= set(range(5000, 6000))


def test_a_slow_receiver_fills_its_own_spool_only(tmp_path: Path, receiver: Callable[..., Receiver]) -> None:
    gate = threading.Event()

    def waits(connection: Connection, number: int) -> None:
        gate.wait(30)
        read_on(connection)

    there = receiver(waits)
    serving = Serving(tmp_path / "state", siem(there.port), Sink("archive", "file", path=str(tmp_path / "a.jsonl")))
    for _ in range(40):
        serving.give(numbered(serving.next, 500, 1000), done=serving.next + 500)
        serving.next += 500
    until(lambda: serving.rows_of("archive") == 20_000)
    status = serving.made.sinks["siem"].status()
    assert int(str(status["spool_bytes"])) > 10_000_000
    gate.set()
    until(lambda: serving.rows_of("siem") == 20_000, 20)
    serving.stop()
    there.all()
    in_order_and_whole(there, 20_000)


def test_what_is_left_is_delivered_by_the_next_run(tmp_path: Path, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    there.close()
    serving = Serving(tmp_path, siem(there.port))
    serving.give_numbered(500)
    began = time.monotonic()
    serving.stop(0.5)
    assert time.monotonic() - began < 3
    there.open()
    serving = Serving(tmp_path, siem(there.port))
    until(lambda: len(seen(there)) == 500)
    serving.stop()
    assert seen(there) == list(range(500))


def test_datagrams_and_those_that_are_too_long(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        serving = Serving(tmp_path, siem(0, target=f"udp://127.0.0.1:{sock.getsockname()[1]}"))
        serving.give(pa.table({"line": ["a", "x" * 70_000, "b\nc"]}))
        assert [sock.recv(100), sock.recv(100)] == [b"<134>a", b"<134>b\nc"]
        serving.stop()
    (dead,) = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert dead["_error"] == "message-too-long"


_RUN = """
import sys
from pathlib import Path
from logsql.configuration.settings import Network
from logsql.streams.settings import Sink
from tests.streams.sink_support import Serving
folder, until, kind, target = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
if kind == "syslog":
    sink = Sink("siem", "syslog", target=target, framing="lf", format="txt", retry=(0.05, 0.3))
else:
    sink = Sink("hook", "webhook", url=target, batch_rows=50, retry=(0.05, 0.3))
network = Network(allow=("127.0.0.1",), plain_http=("127.0.0.1",), proxy="none")
serving = Serving(folder, sink, network=network)
print("ready", flush=True)
serving.give_numbered(until, 37)
serving.stop(20)
"""


def killed(folder: Path, total: int, *more: str) -> None:
    """Run the server, kill it again and again, and let it end."""
    command = [sys.executable, "-c", _RUN, str(folder), str(total), *more]
    dice = random.Random(5)
    for _ in range(sample(25, 3)):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(dice.uniform(0, 0.8))
            process.send_signal(signal.SIGKILL)
    subprocess.run(command, cwd=ROOT, check=True, timeout=120, stdout=subprocess.DEVNULL)


def test_syslog_over_kills_comes_in_order_and_at_least_once(tmp_path: Path, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    killed(tmp_path, 4000, "syslog", f"tcp://127.0.0.1:{there.port}")
    there.all()
    in_order_and_whole(there, 4000)


# --- webhook ----------------------------------------------------------------------------------------------------------


class Hook:
    """A web service that answers as a list says, then with 204, and remembers what it took."""

    def __init__(self, server: WebServer, *answers: int | tuple[int, dict[str, str]]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, list[dict[str, object]], Request]] = []
        self.taken: list[tuple[str, list[dict[str, object]]]] = []
        server.on("/in", self._answer)
        self.url = server.url("/in")

    def _answer(self, request: Request) -> Reply:
        rows, key = json.loads(request.body), request.header("idempotency-key") or ""
        self.asked.append((key, rows, request))
        answer = self.answers.pop(0) if self.answers else 204
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == 204:
            self.taken.append((key, rows))
        return Reply(status=status, headers=tuple(headers.items()))


@pytest.fixture
def hook(https_server: WebServer) -> Callable[..., Hook]:
    return lambda *answers: Hook(https_server, *answers)


def reaching(tls: Authority) -> Network:
    return Network(allow=("127.0.0.1", "localhost"), ca_file=str(tls.ca_file), proxy="none")


def webhook(there: Hook, **more: object) -> Sink:
    return Sink("hook", "webhook", url=there.url, **{"batch_rows": 50, "retry": (0.05, 0.2), **more})  # type: ignore[arg-type]


def test_a_batch_is_a_json_array_under_a_key(
    tmp_path: Path, hook: Callable[..., Hook], tls: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK", "Bearer planted-secret")
    there = hook(503, (429, {"Retry-After": "1"}), 500)
    sink = webhook(there, headers={"Authorization": Secret("env:HOOK")}, fields=("n", "_time"))
    serving = Serving(tmp_path, sink, network=reaching(tls))
    serving.give_numbered(120, 120)
    until(lambda: serving.rows_of("hook") == 120, 20)
    serving.stop()
    assert [row["n"] for _, rows in there.taken for row in rows] == list(range(120))
    assert [len(rows) for _, rows in there.taken] == [50, 50, 20]
    assert there.taken[0][1][0] == {"n": 0, "_time": "2026-01-02T03:04:05.678+09:00"}
    assert len({key for key, _, _ in there.asked[:4]}) == 1, "the key of a batch stays over retries"
    assert len({key for key, _, _ in there.asked}) == 3
    asked = there.asked[0][2]
    assert (asked.method, asked.header("authorization")) == ("POST", "Bearer planted-secret")
    assert asked.header("content-type") == "application/json"
    assert serving.retries_of("hook") == 3
    assert "planted" not in str(serving.made.status())


def test_what_is_refused_for_good_is_dead(tmp_path: Path, hook: Callable[..., Hook], tls: Authority) -> None:
    there = hook(408, 400)
    serving = Serving(tmp_path, webhook(there), network=reaching(tls))
    serving.give_numbered(70, 70)
    until(lambda: serving.rows_of("hook") == 20, 20)
    serving.stop()
    dead = [json.loads(line) for line in (tmp_path / "dead.jsonl").read_text().splitlines()]
    assert [row["n"] for row in dead] == list(range(50))
    assert {(row["_error"], row["_stream"]) for row in dead} == {("HTTP 400", "hook")}
    assert serving.lost_of("hook", "dead") == 50


def test_a_redirect_that_would_lose_the_rows_is_none(tmp_path: Path, hook: Callable[..., Hook], tls: Authority) -> None:
    there = hook((302, {"Location": "/in"}))
    serving = Serving(tmp_path, webhook(there), network=reaching(tls))
    serving.give_numbered(10)
    until(lambda: serving.rows_of("hook") == 10, 20)
    serving.stop()
    assert [len(rows) for _, rows, _ in there.asked] == [10, 10], "both were a POST with the rows"


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/in", "http://localhost:1/in", "ftp://a/b", "https://2130706433/"])
def test_urls_that_are_refused_at_once(url: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Serving(tmp_path, Sink("hook", "webhook", url=url), network=Network(proxy="none"))
    assert (caught.value.code, caught.value.exit_code) == ("E3207", 2)
    assert re.fullmatch(r"sink hook: (refused-\w+|bad-url): .*", caught.value.diagnostic.message)


def test_a_batch_stays_the_same_over_a_restart(tmp_path: Path, hook: Callable[..., Hook], tls: Authority) -> None:
    there = hook(*[503] * 1000)
    serving = Serving(tmp_path, webhook(there), network=reaching(tls))
    serving.give_numbered(10)
    until(lambda: there.asked)
    serving.give_numbered(100)
    serving.stop(0.1)
    there.answers.clear()
    serving = Serving(tmp_path, webhook(there), network=reaching(tls))
    until(lambda: serving.rows_of("hook") == 100)
    serving.stop()
    assert there.taken[0][0] == there.asked[0][0]
    assert [[rows[0]["n"], len(rows)] for _, rows in there.taken] == [[0, 10], [10, 50], [60, 40]]


def test_a_webhook_over_kills(tmp_path: Path, http_server: WebServer) -> None:
    there = Hook(http_server)
    killed(tmp_path, 3000, "webhook", there.url.replace("localhost", "127.0.0.1"))
    first: dict[str, list[dict[str, object]]] = {}
    for key, rows in there.taken:
        assert first.setdefault(key, rows) == rows, "the same key, the same rows"
    assert [row["n"] for rows in first.values() for row in rows] == list(range(3000)), "by key each row once, in order"
