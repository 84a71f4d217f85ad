"""The receiver of files, with real files: growing, renamed, cut, appearing, and processes that are killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logsql.diagnostics.errors import PolicyError
from logsql.store.files import Files
from logsql.store.policy import Policy
from logsql.streams import rows
from logsql.streams.intake import Intake, Journal
from logsql.streams.metrics import BYTES, FRAMES_BAD, MESSAGES, RECEIVER_LOST, Metrics
from logsql.streams.receivers.file import FileReceiver
from logsql.streams.settings import Multiline, Receiver, Server
from tests.support import ROOT, sample


class Running:
    """A receiver of files that runs, and its journal."""

    def __init__(self, folder: Path, **settings: object) -> None:
        made = Receiver("web", "file", **{"path": (str(folder / "*.log"),), **settings})  # type: ignore[arg-type]
        self.metrics = Metrics()
        self.journal = Journal(folder / "state" / "journal", Files(), Server("state"), self.metrics)
        self.intake: Intake = self.journal.intake("web", rows.FILE, made.encoding)
        self.receiver = FileReceiver(made, self.intake, self.metrics, Files())

    def all(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = []
        position = 0
        while (taken := self.intake.feed.read(position)) is not None:
            found += taken.rows.to_pylist()
            position = taken.next
        return found

    def lines(self) -> list[object]:
        return [row["line"] for row in self.all()]

    def until(self, count: int, seconds: float = 20) -> list[object]:
        """The lines once there are so many."""
        end = time.monotonic() + seconds
        while self.intake.feed.published < count and time.monotonic() < end:
            time.sleep(0.02)
        return self.lines()

    def bad(self, reason: str) -> float:
        return self.metrics.value(FRAMES_BAD, ("web", reason))


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[Running]:
    made = Running(folder, **settings)
    made.journal.start()
    asyncio.run(made.receiver.start())
    try:
        yield made
    finally:
        asyncio.run(made.receiver.stop())
        made.journal.close()


def add(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def test_lines_come_as_they_are_written(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    add(log, "old 1\nold 2\n")
    with running(tmp_path) as run:
        add(log, "new 1\nn")
        assert run.until(1) == ["new 1"]
        add(log, "ew 2\n")
        assert run.until(2) == ["new 1", "new 2"]
        first, second = run.all()
        assert (first["_file"], first["_pos"], second["_pos"]) == (str(log), 12, 18)
        assert (first["_logger_name"], first["raw"], first["_truncated"]) == ("web", None, None)
        assert run.metrics.value(MESSAGES, ("web", "file")) == 2
        assert run.metrics.value(BYTES, ("web",)) == 12
        assert run.receiver.senders() == [{"file": str(log), "position": 24, "size": 24}]


def test_a_first_start_may_begin_at_the_start_and_new_files_always_do(tmp_path: Path) -> None:
    add(tmp_path / "a.log", "one\ntwo\n")
    with running(tmp_path, start="start") as run:
        assert run.until(2) == ["one", "two"]
        add(tmp_path / "b.log", "three\n")
        assert run.until(3) == ["one", "two", "three"]


def test_a_line_in_the_middle_of_which_it_starts_is_whole(tmp_path: Path) -> None:
    add(tmp_path / "a.log", "old\nhalf")
    with running(tmp_path) as run:
        add(tmp_path / "a.log", " and half\n")
        assert run.until(1) == ["half and half"]


def test_a_last_line_without_its_end_comes_after_two_seconds(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with running(tmp_path) as run:
        add(log, "no end")
        started = time.monotonic()
        assert run.until(1) == ["no end"]
        assert time.monotonic() - started > 1.5
        add(log, "\nnext\n")
        assert run.until(2) == ["no end", "next"]


def test_a_file_that_was_renamed_is_read_on_and_the_new_one_too(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with running(tmp_path, rotate_wait=1.5) as run:
        with log.open("ab", buffering=0) as writer:
            writer.write(b"1\n")
            run.until(1)
            log.rename(tmp_path / "a.log.1")
            writer.write(b"2\n")
            add(log, "3\n")
            run.until(3)
            writer.write(b"4\n")
            assert run.until(4) == ["1", "2", "3", "4"]
        names = {row["line"]: row["_file"] for row in run.all()}
        assert names == dict.fromkeys(["1", "2", "3", "4"], str(log))
        end = time.monotonic() + 20
        while len(run.receiver.senders()) > 1 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(run.receiver.senders()) == 1, "the renamed one has not grown: it is closed"


def test_a_file_that_was_renamed_while_nobody_looked_is_found_by_its_inode(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with running(tmp_path) as run:
        add(log, "1\n")
        assert run.until(1) == ["1"]
    add(log, "2\n")
    log.rename(tmp_path / "a.log.1")
    add(log, "3\n")
    with running(tmp_path) as run:
        assert run.until(3) == ["1", "2", "3"]
        assert run.metrics.value(RECEIVER_LOST, ("web", "gone")) == 0
        (tmp_path / "a.log.1").unlink()
    log.unlink()
    with running(tmp_path) as run:
        assert run.metrics.value(RECEIVER_LOST, ("web", "gone")) >= 1


def test_a_file_that_was_copied_and_cut_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with running(tmp_path) as run:
        add(log, "1\n2\n")
        run.until(2)
        shutil.copy(log, tmp_path / "a.old")
        os.truncate(log, 0)
        add(log, "3\n")
        assert run.until(3) == ["1", "2", "3"]
        assert run.bad("truncated") == 1
        os.truncate(log, 0)
        add(log, "4 is longer than all before\n")  # larger than it was when it is looked at again
        assert run.until(4)[-1] == "4 is longer than all before"
        assert run.bad("truncated") == 2
    os.truncate(log, 0)
    add(log, "5\n")
    with running(tmp_path) as run:
        assert run.until(5)[-1] == "5"
        assert run.bad("truncated") == 1


def test_places_are_kept_over_a_stop(tmp_path: Path) -> None:
    for name in "ab":
        add(tmp_path / f"{name}.log", "old\n")
    with running(tmp_path) as run:
        assert run.intake.feed.note, "a kill before the first line must not forget where the end was"
    add(tmp_path / "a.log", "1\n")
    add(tmp_path / "new.log", "2\n")
    with running(tmp_path) as run:
        assert sorted(map(str, run.until(2))) == ["1", "2"]
        add(tmp_path / "b.log", "3\n")
        run.until(3)
    with running(tmp_path) as run:
        time.sleep(0.3)
        assert sorted(map(str, run.lines())) == ["1", "2", "3"]


def test_records_of_several_lines(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with running(tmp_path, multiline=Multiline(r"^\d{4}-", 0.5)) as run:
        add(log, "2024-01 a\n  at x\n")
        add(log, "  at y\n2024-02 b\n")
        assert run.until(1)[0] == "2024-01 a\n  at x\n  at y"
        assert run.until(2) == ["2024-01 a\n  at x\n  at y", "2024-02 b"]
        assert [row["_pos"] for row in run.all()] == [0, 24]


def test_other_encodings_and_what_is_too_long(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    with running(tmp_path, encoding="cp949", max_frame=10) as run:
        add(log, "한글\n".encode("cp949") + b"\xff\xff\n" + b"x" * 30 + b"\nend\n")
        assert run.until(4) == ["한글", "\ufffd\ufffd", "x" * 10, "end"]
        assert [row["raw"] for row in run.all()] == [None, b"\xff\xff", None, None]
        assert [row["_truncated"] for row in run.all()] == [None, None, True, None]
        assert run.bad("oversize") == 1


def test_much_at_once(tmp_path: Path) -> None:
    lines = [f"{number:07d} " + "z" * 90 for number in range(60_000)]
    (tmp_path / "a.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with running(tmp_path, start="start") as run:
        assert run.until(60_000) == lines
        assert [row["_pos"] for row in run.all()][:3] == [0, 99, 198]


def test_a_reload_takes_other_paths(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    add(tmp_path / "other" / "x.log", "old\n")
    with running(tmp_path) as run:
        more = (str(tmp_path / "*.log"), str(tmp_path / "other" / "*.log"))
        settings = Receiver("web", "file", path=more)
        assert asyncio.run(run.receiver.reload(settings))
        end = time.monotonic() + 20
        while not run.receiver.senders() and time.monotonic() < end:
            time.sleep(0.02)
        add(tmp_path / "other" / "x.log", "new\n")
        assert run.until(1) == ["new"], "files that were there begin at their end, as at a first start"
        assert not asyncio.run(run.receiver.reload(Receiver("web", "stdin")))


def test_what_may_not_be_read_is_refused(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "secret.log").write_text("secret\n", encoding="utf-8")
    made = Running(tmp_path)
    door = Files(Policy.safe_mode([str(allowed)], [str(tmp_path / "state")]))
    receiver = FileReceiver(made.receiver.settings, made.intake, made.metrics, door)
    with pytest.raises(PolicyError):
        asyncio.run(receiver.start())
    made.journal.close()


#: A receiver of files in a process of its own, until it is killed.
SERVER = """
import asyncio, sys
from pathlib import Path
from tests.streams.test_file_receiver import Running
run = Running(Path(sys.argv[1]), start="start", rotate_wait=600.0)
run.journal.start()
async def main():
    await run.receiver.start()
    print("ready", flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


def test_kill_9_never_loses_or_doubles_a_line(tmp_path: Path) -> None:
    """While a writer writes, renames and goes on, the receiver is killed again and again.

    A file is renamed only when the receiver has seen it under its name.
    """
    log = tmp_path / "a.log"
    written = 0
    for turn in range(sample(30, 5)):
        with subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(40):
                add(log, "".join(f"{written + n}\n" for n in range(50)))
                written += 50
                time.sleep(0.002)
            if turn % 4 == 1:
                log.rename(tmp_path / f"rotated.{turn}")
            time.sleep(0.05 * (turn % 4))
            process.kill()
        add(log, f"{written}\n")
        written += 1
        if turn % 4 == 2:  # what was just written is to be found under another name
            log.rename(tmp_path / f"rotated.{turn}.down")
    with running(tmp_path, start="start") as run:
        found = run.until(written)
        assert sorted(int(str(line)) for line in found) == list(range(written))
