"""Fraud detection as the article tells it: transactions as JSON over TLS syslog, a model, alerts on over TLS."""

from __future__ import annotations

import json
import random
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.pki import Authority, make_authority
from tests.servers.syslog import Receiver
from tests.streams.serving import Served

HISTORY = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tls://127.0.0.1:PORT"]
framing = "octet"
tls = { cert = "CERT", key = "KEY" }

[[stream]]
name = "history"
from = ["edge"]
query = "parsejson overlay=t"
to = ["transactions"]

[[sink]]
name = "transactions"
kind = "table"
"""
FDS = """
[[stream]]
name = "fds"
from = ["edge"]
query = "parsejson overlay=t | anomalies model=fds amount, hour | search _score > 0.6"
to = ["alerts", "siem"]

[[sink]]
name = "alerts"
kind = "table"

[[sink]]
name = "siem"
kind = "syslog"
target = "tls://127.0.0.1:TARGET"
ca_file = "CA"
"""
SCORED = "anomalies model=fds amount, hour | search _score > 0.6 | fields id, _score"


class Bank:
    """Sends transactions over one TLS connection, each in a frame that counts its octets."""

    def __init__(self, port: int, tls: Authority) -> None:
        plain = socket.create_connection(("127.0.0.1", port), 10)
        self.peer = tls.client_context().wrap_socket(plain, server_hostname="localhost")
        self.chance = random.Random(7)
        self.sent = 0

    def send(self, count: int, odd: bool = False) -> None:
        """Ordinary transactions by day, or odd ones: a large amount in the night."""
        data = b""
        for _ in range(count):
            amount = self.chance.uniform(9e6, 1e7) if odd else self.chance.uniform(1_000, 90_000)
            hour = 3 if odd else self.chance.randrange(9, 19)
            text = json.dumps({"id": self.sent, "amount": amount, "hour": hour, "name": "김철수"}, ensure_ascii=False)
            data += b"%d %s" % (len(text.encode()), text.encode())
            self.sent += 1
        self.peer.sendall(data)


@pytest.fixture
def tls(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "tls")


@pytest.fixture
def served(tmp_path: Path, tls: Authority) -> Iterator[Served]:
    made = Served(tmp_path, history(tls))
    yield made
    if made.process is not None:
        made.kill()


def history(tls: Authority) -> str:
    return HISTORY.replace("CERT", str(tls.right.cert)).replace("KEY", str(tls.right.key))


def trained(served: Served) -> None:
    """Train the model of the running server on what it has stored."""
    done = served.verb("ml", "fit", "fds")
    assert done.stdout == "started\nfinished\n", done.stderr


def stored(served: Served, sink: str, count: int) -> None:
    served.until(lambda: served.counted("logsql_sink_rows_total", sink) >= count, f"{count} rows in {sink}", 20)


def alerts_of(siem: Receiver) -> list[dict[str, object]]:
    """The alerts that the receiver has: frames that count their octets, each with a priority before the JSON."""
    found: list[dict[str, object]] = []
    for connection in siem.connections:
        data = bytes(connection.data)
        while head := re.match(rb"(\d+) ", data):
            begin, size = head.end(), int(head[1])
            frame = data[begin : begin + size]
            if len(frame) < size:
                break
            assert frame.startswith(b"<134>")
            found.append(json.loads(frame.removeprefix(b"<134>")))
            data = data[begin + size :]
    return found


def test_odd_transactions_are_alerts(served: Served, tls: Authority) -> None:
    """Gathered, learnt from, scored: the alerts of the stream have the scores of a batch query to the last bit, and a
    model that is trained anew is in force within five seconds."""
    siem = Receiver(context=tls.server_context()).open()
    served.start()
    bank = Bank(served.port, tls)
    bank.send(400)
    stored(served, "transactions", 400)

    # The user trains on what the server has stored, and takes up a stream that scores.
    for words in (
        ("addQueryInput", "history", "table transactions"),
        ("createModel", "iforest", "fds", "history", "fields=amount, hour", "seed=1"),
    ):
        done = served.verb("ml", *words)
        assert done.returncode == 0, done.stderr
    trained(served)
    served.write(history(tls) + FDS.replace("TARGET", str(siem.port)).replace("CA", str(tls.ca_file)))
    assert served.verb("stream", "reload").returncode == 0, served.said[-5:]

    bank.send(100)
    bank.send(20, odd=True)
    stored(served, "transactions", 520)
    stored(served, "siem", 20)
    found = {alert["id"]: alert["_score"] for alert in alerts_of(siem)}
    assert set(range(500, 520)) <= found.keys()
    assert len(found) < 60, "most of the ordinary ones are none"
    batch = served.verb("-q", f"table transactions | search id >= 400 | {SCORED}", "-f", "jsonl")
    assert {row["id"]: row["_score"] for row in map(json.loads, batch.stdout.splitlines())} == found, batch.stderr
    assert served.counted("logsql_model_seconds_count", "fds", "fds") > 0
    took = served.counted("logsql_model_seconds_sum", "fds", "fds")
    assert 0 < took < served.counted("logsql_stream_batch_seconds_sum", "fds")

    newer_model(served, bank, siem)
    assert served.end() == 0
    siem.close()
    everything = {alert["id"]: alert["_score"] for alert in alerts_of(siem)}
    rows = served.stored("SELECT id, _score, name FROM alerts")
    assert {row[0]: row[1] for row in rows} == everything
    assert len(rows) == len(everything)
    assert {row[2] for row in rows} == {"김철수"}


def newer_model(served: Served, bank: Bank, siem: Receiver) -> None:
    """Train on more rows while the server runs: the stream has the scores of the new model within five seconds."""
    before = {alert["id"]: alert["_score"] for alert in alerts_of(siem)}
    said = len(served.said)
    bank.send(300)
    stored(served, "transactions", bank.sent)
    trained(served)
    done = time.monotonic()
    while not any("uses the new model fds" in line for line in served.said[said:]):
        assert time.monotonic() < done + 5, "the model is not taken up"
        bank.send(1)  # a model is looked at with the next rows
        time.sleep(0.1)
    first = bank.sent
    bank.send(50, odd=True)
    stored(served, "transactions", bank.sent)
    batch = served.verb("-q", f"table transactions | search id >= 500 | {SCORED}", "-f", "jsonl")
    scores = {row["id"]: row["_score"] for row in map(json.loads, batch.stdout.splitlines())}
    wanted = {number: score for number, score in scores.items() if number >= first}
    assert wanted, batch.stderr
    assert any(scores[number] != before[number] for number in range(500, 520) if number in scores), "the model is new"

    def now() -> dict[int, object]:
        return {int(str(a["id"])): a["_score"] for a in alerts_of(siem) if int(str(a["id"])) >= first}

    served.until(lambda: now().keys() >= wanted.keys(), "alerts", 20)
    assert now() == wanted
