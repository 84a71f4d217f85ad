"""``kill -9`` of a whole server under load, again and again: what was accepted is where it belongs.

Of each connection the accepted messages are the beginning of what was sent; each is in table and file exactly once, at
the syslog receiver and the web address at least once and in order. Fifty kills by night, a few by day.
"""

from __future__ import annotations

import http.server
import json
import random
import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from logsql.store.files import Files
from logsql.streams.feed import Feed
from tests.servers.syslog import Receiver
from tests.streams.serving import Served
from tests.support import sample

KILLS, SENDERS = sample(50, 2), 4
#: Messages that a sender gives away at once, and the seconds between.
MOST, PAUSE = 50, 0.02
CONFIG = """
[network]
allow = ["127.0.0.1"]
plain_http = ["127.0.0.1"]
proxy = "none"

[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]

[[stream]]
name = "all"
from = ["edge"]
query = "eval length = len(line)"
to = ["kept", "paper", "siem", "hook"]

[[stream]]
name = "second"
from = ["all"]
every = "1s"
query = "stats count as n, sum(length) as bytes"
to = ["counts"]

[[sink]]
name = "kept"
kind = "table"

[[sink]]
name = "counts"
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
retry = "100ms..200ms"

[[sink]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:HOOK/in"
retry = "100ms..200ms"
"""


class Hook(http.server.ThreadingHTTPServer):
    """A web address that takes everything: key and body of each request, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[str, bytes]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_: object) -> None:
        """A server that was killed resets its connection."""

    def lines(self) -> list[str]:
        return [row["line"] for _, body in self.taken for row in json.loads(body)]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.headers["Idempotency-Key"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class Sender:
    """Sends over one connection after another; ``sent``: messages given to the system, by connection."""

    def __init__(self, port: int, name: int) -> None:
        self.sent: dict[str, int] = {}
        self._port, self._name = port, name
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            with suppress(OSError):  # the server is dead, or dies now
                self._connection(f"{self._name}.{len(self.sent)}")
            self._ended.wait(0.05)

    def _connection(self, key: str) -> None:
        with socket.create_connection(("127.0.0.1", self._port), 10) as peer:
            self.sent[key] = number = 0
            while not self._ended.is_set():
                lines = "".join(f"<13>c {key} n {n} {'x' * (n % 97)}\n" for n in range(number, number + MOST))
                number += MOST
                self.sent[key] = number  # before: all of it may arrive though the call fails
                peer.sendall(lines.encode())
                self._ended.wait(PAUSE)

    def end(self) -> None:
        self._ended.set()
        self._thread.join(30)
        assert not self._thread.is_alive()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Served, Receiver, Hook]]:
    siem, hook = Receiver().open(), Hook()
    config = CONFIG.replace("SIEM", str(siem.port)).replace("HOOK", str(hook.server_address[1]))
    made = Served(tmp_path, config)
    yield made, siem, hook
    if made.process is not None:
        made.kill()
    hook.shutdown()
    siem.close()


def accepted(served: Served) -> int:
    """How many messages the journal has taken so far; while no server runs."""
    feed = Feed(served.state / "journal" / "edge", Files())
    try:
        return feed.end
    finally:
        feed.close()


def by_connection(lines: Iterable[str]) -> dict[str, list[int]]:
    """The numbers of messages in their order, by connection."""
    found: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        for key, number in re.findall(r"<13>c (\d+\.\d+) n (\d+) ", line):
            found[key].append(int(number))
    return found


def in_order(numbers: list[int]) -> bool:
    """Whether they begin at 0 and each was there before or is the next: what is repeated is repeated in order."""
    reached = -1
    for before, number in zip([-1, *numbers], numbers, strict=False):
        if number > reached + 1 or (number <= reached and number != before + 1 and number > before):
            return False
        reached = max(reached, number)
    return True


def test_kills_under_load(served: tuple[Served, Receiver, Hook]) -> None:
    server, siem, hook = served
    chance, seen = random.Random(3), 0
    server.start()
    senders = [Sender(server.port, name) for name in range(SENDERS)]
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 1.5))
        before = server.counted("logsql_receiver_messages_total", "edge", "tcp")
        server.kill()
        now = accepted(server)
        assert now >= seen + before, "what was counted as accepted is in the journal"
        seen = now
        server.start()
    server.until(lambda: server.counted("logsql_receiver_messages_total", "edge", "tcp") > 0, "going on")
    for sender in senders:
        sender.end()
    server.until(lambda: counted(server), "counted")
    server.until(lambda: all(not sink.get("rows_waiting") for sink in server.status()["sinks"]), "delivered")
    assert server.end() == 0

    total = accepted(server)
    assert total > seen > 0
    sent = {key: count for sender in senders for key, count in sender.sent.items()}
    kept = by_connection(str(line) for (line,) in server.stored("SELECT line FROM kept ORDER BY rowid"))
    assert sum(map(len, kept.values())) == total, "each message that was accepted is there"
    for key, numbers in kept.items():
        assert numbers == list(range(len(numbers))), f"a prefix of connection {key}, in order, each once"
        assert len(numbers) <= sent[key]
    assert len(kept) > SENDERS, "connections were made anew"
    paper = by_connection((server.state / "paper.jsonl").read_text().splitlines())
    assert paper == kept, "the file has the same, once"
    assert server.stored("SELECT sum(n), sum(bytes) FROM counts") == [
        server.stored("SELECT count(*), sum(length(line)) FROM kept")[0]
    ], "each is counted in one window"

    texts = [line for one in siem.connections for line in bytes(one.data).decode().splitlines()]
    for name, lines in (("siem", texts), ("hook", hook.lines())):
        came = by_connection(lines)
        assert {key: sorted(set(numbers)) for key, numbers in came.items()} == kept, name
        assert all(map(in_order, came.values())), name
    bodies: dict[str, bytes] = {}
    for key, body in hook.taken:
        assert bodies.setdefault(key, body) == body, "the same key, the same rows"


def counted(server: Served) -> bool:
    """Whether all windows are closed: what they counted is what came."""
    query = "table counts | stats sum(n) as n | union [ table kept | stats count as n ]"
    found = server.verb("-q", query, "-f", "csv").stdout.split()
    return len(found) == 3 and found[1] == found[2]
