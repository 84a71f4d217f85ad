"""The receiver of standard input, over a real pipe."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from logsql.store.files import Files
from logsql.streams import rows
from logsql.streams.intake import Journal
from logsql.streams.metrics import BYTES, FRAMES_BAD, MESSAGES, Metrics
from logsql.streams.receivers.stdin import StdinReceiver
from logsql.streams.settings import Receiver, Server


def test_lines_come_as_they_are_written_and_the_end_ends_the_last(tmp_path: Path) -> None:
    metrics = Metrics()
    journal = Journal(tmp_path / "journal", Files(), Server(str(tmp_path), batch_time=0.001), metrics)
    intake = journal.intake("in", rows.STDIN)
    journal.start()
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb", buffering=0) as sender:
        receiver = StdinReceiver(Receiver("in", "stdin", max_frame=10), intake, metrics, source)
        asyncio.run(receiver.start())
        sender.write("한글\r\n\nhal".encode())
        assert intake.feed.wait(1, 20)
        sender.write(b"f\n" + b"x" * 5000)
        sender.write(b"x" * 5000 + b"\nno end")
        assert intake.feed.wait(3, 20)
        assert not receiver.ended.is_set()
        sender.close()
        assert receiver.ended.wait(20)
        asyncio.run(receiver.stop())
    assert intake.drain()
    taken = intake.feed.read(0)
    found = []
    position = 0
    while (taken := intake.feed.read(position)) is not None:
        found += taken.rows.to_pylist()
        position = taken.next
    journal.close()
    assert [row["line"] for row in found] == ["한글", "", "half", "x" * 10, "no end"]
    assert [row["_truncated"] for row in found] == [None, None, None, True, None]
    assert {row["_logger_name"] for row in found} == {"in"}
    assert metrics.value(MESSAGES, ("in", "stdin")) == 5
    assert metrics.value(FRAMES_BAD, ("in", "oversize")) == 1
    assert metrics.value(BYTES, ("in",)) == len("한글\r\n\nhal".encode()) + 2 + 10_000 + 7


def test_a_stop_while_nothing_comes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal", Files(), Server(str(tmp_path)), Metrics())
    intake = journal.intake("in", rows.STDIN)
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb"):
        receiver = StdinReceiver(Receiver("in", "stdin"), intake, Metrics(), source)
        asyncio.run(receiver.start())
        asyncio.run(receiver.stop())
        assert not receiver.ended.is_set()
    journal.close()
