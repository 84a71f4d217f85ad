"""What is put comes into the journal: in order, decoded, counted, whatever stops the writing for a while."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from logsql.store.files import Files
from logsql.streams import rows
from logsql.streams.intake import MOST_WAITING, ROOM, Intake, Journal, Sender
from logsql.streams.metrics import JOURNAL_BYTES, MESSAGES, PAUSED, Metrics
from logsql.streams.settings import Server
from tests.support import ROOT

KIM = Sender("192.0.2.7", 5514, "edge", None)
LEE = Sender("2001:db8::1", None, "edge", "CN=lee")


def journal(folder: Path, **server: object) -> Journal:
    return Journal(folder / "journal", Files(), Server(str(folder), **server), Metrics())  # type: ignore[arg-type]


def everything(intake: Intake) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    position = 0
    while (taken := intake.feed.read(position)) is not None:
        found += taken.rows.to_pylist()
        position = taken.next
    return found


def test_a_message_has_the_fields_of_its_receiver(tmp_path: Path) -> None:
    made = journal(tmp_path)
    intake = made.intake("edge", rows.SYSLOG)
    before = dt.datetime.now(dt.UTC)
    intake.put(["<13>한글\t ".encode(), b"caf\xe9 \0", b""], KIM, "tcp", [1])
    intake.put([b"one", b"two"], [LEE, KIM], "udp")
    assert intake.feed.end == 0
    assert intake.drain()
    found = everything(intake)
    assert all(before <= row.pop("_time") <= dt.datetime.now(dt.UTC) for row in found)  # type: ignore[operator]
    kim = {"remote_ip": "192.0.2.7", "remote_port": 5514, "_logger_name": "edge", "_tls_name": None}
    lee = {"remote_ip": "2001:db8::1", "remote_port": None, "_logger_name": "edge", "_tls_name": "CN=lee"}
    fine = {"raw": None, "_truncated": None}
    assert found == [
        {"line": "<13>한글\t ", **kim, **fine},
        {"line": "caf\ufffd \0", **kim, "raw": b"caf\xe9 \0", "_truncated": True},
        {"line": "", **kim, **fine},
        {"line": "one", **lee, **fine},
        {"line": "two", **kim, **fine},
    ]
    assert made.metrics.value(MESSAGES, ("edge", "tcp")) == 3
    assert made.metrics.value(MESSAGES, ("edge", "udp")) == 2


@pytest.mark.parametrize(
    ("encoding", "line", "text", "raw"),
    [
        ("cp949", "한글".encode("cp949"), "한글", None),
        ("cp949", b"\xff\xff", "\ufffd\ufffd", b"\xff\xff"),
        ("latin-1", b"caf\xe9", "café", None),
        ("UTF-8", b"\xed\xa0\x80", "\ufffd\ufffd\ufffd", b"\xed\xa0\x80"),  # half a character of UTF-16
    ],
)
def test_other_encodings(tmp_path: Path, encoding: str, line: bytes, text: str, raw: bytes | None) -> None:
    intake = journal(tmp_path).intake("edge", rows.STDIN, encoding)
    intake.put([line], KIM, "stdin")
    assert intake.drain()
    (row,) = everything(intake)
    assert (row["line"], row["raw"], sorted(row)) == (text, raw, ["_logger_name", "_time", "_truncated", "line", "raw"])


def test_a_batch_is_closed_by_time_or_by_rows(tmp_path: Path) -> None:
    made = journal(tmp_path, batch_time=0.05, batch_rows=100)
    intake = made.intake("edge", rows.SYSLOG)
    made.start()
    started = time.monotonic()
    intake.put([b"early"], KIM, "tcp")
    assert intake.feed.wait(0, 10)
    assert 0.04 < time.monotonic() - started < 5
    made.close()
    slow = journal(tmp_path / "slow", batch_time=600.0, batch_rows=100)
    intake = slow.intake("edge", rows.SYSLOG)
    slow.start()
    for number in range(100):
        intake.put([b"%d" % number], KIM, "tcp")
    assert intake.feed.wait(99, 10), "a hundred rows are a batch before ten minutes are over"
    slow.close()


def test_many_threads_put_and_each_ones_order_stays(tmp_path: Path) -> None:
    made = journal(tmp_path, batch_time=0.001)
    intake = made.intake("edge", rows.SYSLOG)
    made.start()

    def put(sender: int) -> None:
        for first in range(0, 2000, 10):
            lines = [b"%d" % number for number in range(first, first + 10)]
            intake.put(lines, Sender(f"10.0.0.{sender}", 1, "edge"), "tcp")

    threads = [threading.Thread(target=put, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert intake.drain()
    by_sender: dict[object, list[object]] = {}
    for row in everything(intake):
        by_sender.setdefault(row["remote_ip"], []).append(row["line"])
    made.close()
    assert by_sender == {f"10.0.0.{n}": [str(number) for number in range(2000)] for n in range(5)}


def test_what_comes_too_fast_stops_the_receivers(tmp_path: Path) -> None:
    made = journal(tmp_path)
    intake = made.intake("edge", rows.SYSLOG)
    intake.put([b"x" * 1_000_000] * (MOST_WAITING // 1_000_000), KIM, "tcp")
    assert (intake.full, intake.reason, made.reasons()) == (True, "queue", {"queue"})
    assert not intake.wait_room(0.01)

    async def receiver() -> str:
        waits = asyncio.ensure_future(intake.room())
        await asyncio.sleep(0.01)
        assert not waits.done()
        made.start()
        await asyncio.wait_for(waits, 20)
        return intake.reason

    assert asyncio.run(receiver()) == ""
    assert intake.wait_room(0)
    assert made.metrics.value(PAUSED, ("edge",)) > 0
    made.close()


def test_a_full_journal_stops_all_receivers_until_it_is_delivered(tmp_path: Path) -> None:
    made = journal(tmp_path, journal_max=1_000_000, batch_time=0.001)
    one, other = made.intake("one", rows.SYSLOG), made.intake("other", rows.SYSLOG)
    made.start()
    for number in range(2000):
        one.put([b"%06d" % number + b"x" * 994], KIM, "tcp")
        if one.full:
            break
        time.sleep(0.001)
    assert number < 1999
    assert one.drain()
    assert (one.reason, other.reason, other.full) == ("journal", "journal", True)
    waiting = made.metrics.value(JOURNAL_BYTES, ())
    assert 1_000_000 <= waiting < 3_000_000
    one.feed.release(one.feed.published)
    assert other.wait_room(10)
    assert one.wait_room(10)
    made.close()
    assert journal(tmp_path).intake("one", rows.SYSLOG).feed.end == number + 1


def test_rows_that_are_batches_already_are_written_with_their_note(tmp_path: Path) -> None:
    made = journal(tmp_path, sync=0.0)
    intake = made.intake("weblog", rows.FILE)
    row = {"line": "a", "_time": dt.datetime.now(dt.UTC), "_file": "/x", "_pos": 7, "_logger_name": "weblog"}
    intake.write(pa.RecordBatch.from_pylist([row], rows.FILE), "file", b"at 9")
    assert (everything(intake)[0]["_pos"], intake.feed.note) == (7, b"at 9")
    assert made.metrics.value(MESSAGES, ("weblog", "file")) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with a little more than the room that is kept for the database; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    size = f"size={ROOM // 1024 + 2000}k"
    made = sys.platform == "linux" and os.geteuid() == 0
    if not made or subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)]).returncode:
        pytest.skip("mounting a small disk takes root on Linux")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_stops_reading_and_loses_nothing(small_disk: Path) -> None:
    made = journal(small_disk, batch_time=0.001, journal_max=100_000_000)
    intake = made.intake("edge", rows.SYSLOG)
    other = small_disk / "other"
    other.write_bytes(bytes(1_000_000))
    made.start()
    put = 0
    while not intake.full:
        assert put < 5000
        intake.put([b"%06d" % put + b"y" * 994], KIM, "tcp")
        put += 1
        time.sleep(0.0005)
    for _ in range(5):  # what was in a buffer when it stopped
        intake.put([b"%06d" % put + b"y" * 994], KIM, "tcp")
        put += 1
    assert (made.reasons(), intake.drain()) == ({"disk"}, False)
    other.unlink()
    assert intake.wait_room(20)
    assert intake.drain()
    assert [str(row["line"])[:6] for row in everything(intake)] == [f"{number:06d}" for number in range(put)]
    made.close()


#: A process that puts numbered messages from two senders and says what the journal has.
WRITER = """
import sys
from pathlib import Path
from logsql.store.files import Files
from logsql.streams import rows
from logsql.streams.intake import Journal, Sender
from logsql.streams.metrics import Metrics
from logsql.streams.settings import Server
made = Journal(Path(sys.argv[1]), Files(), Server(sys.argv[1], batch_time=0.002), Metrics())
intake = made.intake("edge", rows.SYSLOG)
made.start()
first = int(sys.argv[2])
while True:
    intake.put([b"%d" % n for n in range(first, first + 20)], Sender("192.0.2.1", 1, "edge"), "tcp")
    first += 20
    print(intake.feed.published, flush=True)
    intake.wait_room(10)
"""


def test_kill_9_leaves_a_prefix(tmp_path: Path) -> None:
    told = 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "journal"), "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told = int(line) if line.endswith("\n") else told
            if told > 5000:
                process.kill()
    found = [row["line"] for row in everything(journal(tmp_path).intake("edge", rows.SYSLOG))]
    assert len(found) >= told > 5000
    assert found == [str(number) for number in range(len(found))]
