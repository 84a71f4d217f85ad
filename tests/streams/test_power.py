"""The power fails: of the files of feeds there is what was synced and nothing else, and the database as committed.

Where ``sync`` promises that a message outlasts that, it reaches every target; what is lost is counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from logsql.store.files import Files
from logsql.streams import settings
from logsql.streams.feed import Feed
from tests.servers.syslog import Receiver
from tests.streams.feeds import batch, opened
from tests.streams.powered import cut, synced
from tests.streams.serving import Served, free_port, numbers
from tests.streams.sink_support import Serving
from tests.support import nightly

CHAIN = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]

[[stream]]
name = "all"
from = ["edge"]
to = ["kept", "siem"]

[[stream]]
name = "second"
from = ["all"]
to = ["paper"]

[[sink]]
name = "kept"
kind = "table"

[[sink]]
name = "paper"
kind = "file"
path = "state/paper.jsonl"

[[sink]]
name = "siem"
kind = "syslog"
target = "tcp://127.0.0.1:TARGET"
format = "txt"
pri = "keep"
framing = "lf"
retry = "100ms..200ms"
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, "")
    made.program = ["-m", "tests.streams.powered", str(tmp_path / "notes")]
    yield made
    if made.process is not None:
        made.kill()


def begun(served: Served, sync: str) -> int:
    target = free_port()
    served.write(CHAIN.replace("TARGET", str(target)), f'sync = "{sync}"\n')
    served.start()
    return target


def lines(count: int) -> bytes:
    return b"".join(b"<13>n %d\n" % n for n in range(count))


def all_arrives(served: Served, target: int, count: int) -> None:
    """After the next start every target has every message: table and file once, syslog at least once and in order."""
    peer = Receiver(port=target).open()
    served.start()
    for sink in ("siem", "paper"):
        served.until(lambda: waiting(served, sink) == 0, f"delivered to {sink}")  # noqa: B023
    assert served.end() == 0
    peer.close()
    came = numbers([line.decode() for one in peer.connections for line in bytes(one.data).split(b"\n")])
    assert list(dict.fromkeys(came)) == list(range(count))
    assert numbers([str(line) for (line,) in served.stored("SELECT line FROM kept ORDER BY rowid")]) == [*range(count)]
    paper = (served.state / "paper.jsonl").read_text().splitlines()
    assert [int(line.partition("<13>n ")[2].partition('"')[0]) for line in paper] == list(range(count))


def settled(served: Served, *feeds: str) -> bool:
    """Whether everything that feeds hold was synced."""
    known = synced(served.folder / "notes")
    files = [path for feed in feeds for path in (served.state / feed).glob("*.feed")]
    return len(files) >= len(feeds) and all(known.get(str(path)) == path.stat().st_size for path in files)


def waiting(served: Served, name: str) -> object:
    return next(sink["rows_waiting"] for sink in served.status()["sinks"] if sink["name"] == name)


def test_what_was_accepted_long_ago_outlasts_a_power_cut_between_stream_and_sink(served: Served) -> None:
    """The journal has had the messages on the disk for a while; the stream commits its position in it, and the next
    moment the power fails: the spool must have them by then. ``sync = "1s"`` may lose what came in the last second."""
    target = begun(served, "1s")
    served.send(lines(500))
    served.until(lambda: served.counted("logsql_stream_rows_out_total", "second") == 500, "handed on")
    feeds = ("journal/edge", "feeds/stream/all", "spool/siem/all", "spool/paper/second")
    served.until(lambda: settled(served, *feeds), "on the disk")
    assert served.verb("stream", "stop", "all").returncode == 0
    served.send(lines(2000)[len(lines(500)) :])
    served.until(lambda: served.counted("logsql_receiver_messages_total", "edge", "tcp") == 2000, "accepted")
    served.until(lambda: settled(served, "journal/edge"), "on the disk")
    assert served.verb("stream", "start", "all").returncode == 0
    served.until(lambda: served.counted("logsql_stream_rows_out_total", "all") == 2000, "handed on")
    served.kill()
    cut(served.state, served.folder / "notes")
    all_arrives(served, target, 2000)


@pytest.mark.skipif(not nightly(), reason="by night: every batch of it waits for the disk")
def test_always_is_always(served: Served) -> None:
    """With ``sync = "always"`` the moment does not matter: all that was accepted is on the disk, wherever it is."""
    target = begun(served, "always")
    for turn in range(5):
        served.send(lines(2000)[len(lines(turn * 400)) : len(lines((turn + 1) * 400))])
        served.until(
            lambda: served.counted("logsql_receiver_messages_total", "edge", "tcp") == 400 * (turn + 1),  # noqa: B023
            "accepted",
        )
    served.kill()
    cut(served.state, served.folder / "notes")
    all_arrives(served, target, 2000)


# --- one feed ---------------------------------------------------------------------------------------------------------


def test_a_file_that_was_full_before_a_kill_is_synced_by_the_next_process(tmp_path: Path, fsyncs: list[str]) -> None:
    feed = opened(tmp_path / "feed", segment=2000)
    for first in range(0, 60, 10):
        feed.append(batch(first, 10, 60))
    files = [str(path) for path in sorted((tmp_path / "feed").glob("*.feed"))]
    assert len(files) > 2
    assert feed.settled == 0
    del feed  # kill -9: nothing was synced
    again = opened(tmp_path / "feed", segment=2000)
    again.append(batch(60, 1))
    again.sync()
    assert set(files) <= set(fsyncs)
    assert again.settled == 61
    again.close()


def test_the_names_of_new_files_and_folders_are_synced(tmp_path: Path, fsyncs: list[str]) -> None:
    feed = opened(tmp_path / "spool" / "siem" / "all", segment=2000)
    feed.append(batch(0, 10))
    feed.sync()
    assert {str(tmp_path / name) for name in ("spool/siem/all", "spool/siem", "spool")} <= set(fsyncs)
    fsyncs.clear()
    feed.append(batch(10, 1))
    feed.sync()
    assert [path for path in fsyncs if os.path.isdir(path)] == []
    feed.append(batch(11, 40, 60))
    feed.append(batch(51, 1))
    feed.sync()
    assert str(tmp_path / "spool" / "siem" / "all") in fsyncs
    assert feed.settled == 52
    feed.close()


def test_a_file_that_was_cut_off_is_not_waited_for(tmp_path: Path) -> None:
    """A batch that filled a file and was not committed: what is synced afterwards is what is left."""
    feed = opened(tmp_path / "feed", segment=2000)
    feed.append(batch(0, 5))
    feed.publish()
    for first in range(5, 100, 10):
        feed.append(batch(first, 10, 60))
    feed.cut(5)
    feed.append(batch(5, 1))
    feed.sync()
    assert feed.settled == 6
    feed.close()


@pytest.fixture
def fsyncs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of what was synced, in order."""
    found: list[str] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        found.append(os.readlink(f"/proc/self/fd/{handle}"))
        fsync(handle)

    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system does not tell the path of an open file")
    monkeypatch.setattr(os, "fsync", noted)
    return found


def test_rows_that_a_power_cut_took_from_a_spool_are_counted(tmp_path: Path) -> None:
    siem = settings.Sink("siem", "syslog", target="tcp://127.0.0.1:1", retry=(60.0, 60.0))
    serving = Serving(tmp_path, siem)
    serving.give_numbered(100, batch=50)
    serving.stop(0)
    (path,) = (tmp_path / "spool").rglob("*.feed")
    feed = Feed(path.parent, Files())
    feed.cut(50)
    feed.close()
    again = Serving(tmp_path, siem)
    assert again.lost_of("siem", "missing") == 50
    assert again.made.sinks["siem"].status()["rows_waiting"] == 100
    again.stop(0)
