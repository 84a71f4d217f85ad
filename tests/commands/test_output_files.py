"""Output files that others write, lock or replace at the same time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import Interrupted, RunError
from logsql.store import appending, files, placing
from logsql.store.outputfiles import Codes, Manner, OutputFile
from tests.language.grammar import row
from udfs.temporary import here


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logsql.Session]:
    monkeypatch.chdir(tmp_path)
    with logsql.connect(tz="Asia/Seoul") as session:
        session.register("n", pa.table({"a": [1, 2]}))
        yield session


def test_an_append_waits_for_the_lock(session: logsql.Session) -> None:
    fcntl = pytest.importorskip("fcntl", reason="file locks of this kind exist on POSIX systems only")
    with open("out.txt", "ab") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        thread = threading.Thread(target=lambda: session.query("table n | outputtxt append=t out.txt a").rows())
        thread.start()
        deadline = time.monotonic() + 30
        while not any(p.stat().st_size for p in Path().glob(".logsql-*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        thread.join(0.5)
        assert thread.is_alive()
        assert os.path.getsize("out.txt") == 0
        holder.write(b"first\n")
    thread.join(30)
    assert Path("out.txt").read_text() == "first\n1\n2\n"


def test_an_append_follows_a_file_that_was_replaced(session: logsql.Session) -> None:
    fcntl = pytest.importorskip("fcntl", reason="file locks of this kind exist on POSIX systems only")
    with open("out.txt", "ab") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        thread = threading.Thread(target=lambda: session.query("table n | outputtxt append=t out.txt a").rows())
        thread.start()
        thread.join(0.5)
        Path("next.txt").write_text("replaced\n")
        os.replace("next.txt", "out.txt")
    thread.join(30)
    assert Path("out.txt").read_text() == "replaced\n1\n2\n"


def test_a_new_file_never_replaces_one_made_while_rows_were_written(tmp_path: Path) -> None:
    codes = Codes(row("1", "io"), row("2", "exists"), row("3", "temporary"))
    file = OutputFile(str(tmp_path / "out.txt"), Manner(codes))
    file.write(b"ours\n")
    (tmp_path / "out.txt").write_text("theirs\n")
    with pytest.raises(RunError) as caught:
        file.commit(lambda: False)
    file.discard()
    assert caught.value.code == "2"
    assert (os.listdir(tmp_path), (tmp_path / "out.txt").read_text()) == (["out.txt"], "theirs\n")


def test_a_large_file_is_added_to_in_place_and_what_a_killed_writer_left_is_cut_off(
    session: logsql.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of a large file with every append would cost more than the query; its length is noted instead."""
    monkeypatch.setattr(appending, "MOST_COPIED", 4)
    Path("out.txt").write_text("first\n")
    before = os.stat("out.txt").st_ino
    session.query("table n | outputtxt append=t out.txt a").rows()
    assert (Path("out.txt").read_text(), os.stat("out.txt").st_ino) == ("first\n1\n2\n", before)
    assert os.listdir() == ["out.txt"]
    found = os.stat("out.txt")
    note = appending.Note(found.st_dev, found.st_ino, found.st_size, 100)
    appending._write_note(os.path.realpath("out.txt"), note)
    with open("out.txt", "a") as torn:
        torn.write("3\n4")
    session.query("table n | outputtxt append=t out.txt a").rows()
    assert (Path("out.txt").read_text(), os.listdir()) == ("first\n1\n2\n1\n2\n", ["out.txt"])


@pytest.mark.parametrize("other", ["longer", "replaced"])
def test_bytes_of_another_program_are_not_cut_off(session: logsql.Session, other: str) -> None:
    Path("out.txt").write_text("first\n")
    found = os.stat("out.txt")
    note = appending.Note(found.st_dev, found.st_ino + (other == "replaced"), 2, 3 if other == "longer" else 100)
    appending._write_note(os.path.realpath("out.txt"), note)
    session.query("table n | outputtxt append=t out.txt a").rows()
    assert (Path("out.txt").read_text(), os.listdir()) == ("first\n1\n2\n", ["out.txt"])


@pytest.mark.posix("names of one file, permissions")
def test_an_append_keeps_other_names_and_permissions(session: logsql.Session) -> None:
    Path("out.txt").write_text("first\n")
    os.chmod("out.txt", 0o640)
    session.query("table n | outputtxt append=t out.txt a").rows()
    assert os.stat("out.txt").st_mode & 0o777 == 0o640
    os.link("out.txt", "other.txt")
    session.query("table n | outputtxt append=t out.txt a").rows()
    assert Path("other.txt").read_text() == "first\n1\n2\n1\n2\n"
    os.symlink("out.txt", "link.txt")
    session.query("table n | outputtxt append=t link.txt a").rows()
    assert os.path.islink("link.txt")
    assert len(Path("out.txt").read_text().splitlines()) == 7


@pytest.mark.posix("numbers of processes that ended")
def test_what_a_dead_writer_left_goes_with_the_next_file_and_that_of_a_living_one_stays(
    session: logsql.Session,
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for process in (gone.pid, os.getppid()):
        Path(f".logsql-{here()}-{process}-{'0' * 16}.csv.part").write_text("rows")
    Path(f".logsql-{'0' * 12}-{gone.pid}-{'0' * 16}.part").write_text("of another machine")
    session.query("table n | outputtxt out.txt a").rows()
    left = [
        f".logsql-{'0' * 12}-{gone.pid}-{'0' * 16}.part",
        f".logsql-{here()}-{os.getppid()}-{'0' * 16}.csv.part",
    ]
    assert sorted(os.listdir()) == sorted(["out.txt", *left])


@pytest.mark.parametrize(
    "query",
    [
        "outputtxt out.txt a",
        "outputcsv overwrite=t out.txt a",
        "outputjson append=t old.txt",
        "outputtxt append=t out.txt a",
    ],
)
def test_bytes_and_name_are_on_the_disk_in_this_order(
    session: logsql.Session, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    done: list[str] = []
    Path("old.txt").write_text("{}\n")

    def told(name: str, act: object) -> None:
        def call(*words: object, **more: object) -> object:
            done.append(name)
            return act(*words, **more)  # type: ignore[operator]  # one of the functions of os below

        monkeypatch.setattr(placing.os, name, call)

    for name, act in (("fsync", os.fsync), ("replace", os.replace), ("link", os.link)):
        told(name, act)
    session.query(f"table n | {query}").rows()
    assert done in (["fsync", "replace", "fsync"], ["fsync", "link", "fsync"])


def test_a_file_is_private_until_it_is_there(session: logsql.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a file that only its owner may read lay in a temporary file that everybody could read."""
    modes: list[int] = []
    finish = placing._settle_file

    def look(path: str, mode: int | None) -> None:
        modes.append(os.stat(path).st_mode & 0o077)
        finish(path, mode)

    monkeypatch.setattr(placing, "_settle_file", look)
    Path("out.txt").write_text("secret\n")
    os.chmod("out.txt", 0o600)
    for query in ("outputtxt overwrite=t out.txt a", "outputtxt append=t out.txt a", "outputtxt new.txt a"):
        session.query(f"table n | {query}").rows()
    assert modes == [0, 0, 0]


def test_a_file_moved_to_another_disk_is_never_there_in_part(
    session: logsql.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who watches the folder saw a growing file under its last name."""

    def other_disk(source: str, target: str) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    moments: list[str] = []
    monkeypatch.setattr(files.os, "rename", other_disk)
    monkeypatch.setattr(files.placing, "reached", lambda moment, path: moments.append(moment))
    session.query("table n | outputtxt out.txt a | mv from=out.txt to=done.txt").rows()
    assert (Path("done.txt").read_text(), os.listdir()) == ("1\n2\n", ["done.txt"])
    assert moments[-7:] == ["make", "finish", "place", "placed", "settle", "settle", "settle"]


@pytest.mark.posix("named pipes")
def test_a_pipe_that_nobody_reads_can_be_left(session: logsql.Session) -> None:
    """The thread that opened it waited in the system, where no interrupt reached it."""
    os.mkfifo("pipe")
    timer = threading.Timer(0.3, session.interrupt)
    timer.start()
    with pytest.raises(Interrupted):
        session.query("table n | outputtxt pipe a").rows()
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(Path("pipe").read_text()))
    reader.start()
    session.query("table n | outputtxt pipe a").rows()
    reader.join(30)
    assert got == ["1\n2\n"]
