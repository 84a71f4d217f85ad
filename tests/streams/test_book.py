"""The book: one transaction a batch, whole or not there, from many threads, over kill -9."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.session import Session
from logsql.streams.book import ROOM, Book, Commit, Cursor
from logsql.streams.feed import FeedFull
from tests.support import ROOT


def rows(*numbers: int) -> pa.Table:
    return pa.table({"n": pa.array(numbers, pa.int64())})


def test_what_was_committed_is_there_again(tmp_path: Path) -> None:
    path = str(tmp_path / "live.duckdb")
    with Session(path) as session:
        book = Book(session)
        assert (book.positions("u"), book.ends(), book.states("u"), book.version) == ({}, {}, {}, 1)
        book.commit(Commit("u", {"a": 5, "b": 1}, {"out": 3}, {"prev": b"\0\xff"}, {}, [("t", rows(1, 2))]))
        book.commit(Commit("u", {"a": 9}, {"out": 4}, {"serial": b"7"}, {}, [("t", rows(3))]))
        book.commit(Commit("sink", {"out": 4}, files={"/x/a.jsonl": 10, "/x/b.jsonl": 20}))
        book.commit(Commit("sink", files={"/x/a.jsonl": 11}))
        book.close()
    with Session(path) as session:
        book = Book(session)
        assert book.positions("u") == {"a": 9, "b": 1}
        assert book.readers() == {"a": {"u": 9}, "b": {"u": 1}, "out": {"sink": 4}}
        assert book.ends() == {"out": 4}
        assert book.states("u") == {"prev": b"\0\xff", "serial": b"7"}
        assert (book.file_length("sink", "/x/a.jsonl"), book.file_length("sink", "/x/c")) == (11, None)
        assert book.file_lengths("sink") == {"/x/a.jsonl": 11, "/x/b.jsonl": 20}
        assert [row["n"] for row in session.query("table t").rows()] == [1, 2, 3]
        assert session.tables() == ["t"], "the book is none of the user's tables"
        book.commit(Commit("u", {"a": 10}, states={"prev": b"new"}))
        assert (book.positions("u")["a"], book.states("u")["prev"]) == (10, b"new")
        book.forget("u")
        assert (book.positions("u"), book.states("u"), book.ends()) == ({}, {}, {"out": 4})
        book.commit(Commit("u", {"a": 1}, states={"prev": b"again"}))
        assert (book.positions("u"), book.states("u")) == ({"a": 1}, {"prev": b"again"})


def test_a_batch_that_fails_leaves_nothing() -> None:
    with Session() as session:
        book = Book(session)
        book.commit(Commit("u", {"a": 1}, tables=[("t", rows(1))]))

        def fails(cursor: Cursor) -> None:
            cursor.execute("INSERT INTO t VALUES (2)")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            book.commit(Commit("u", {"a": 2}, inside=(fails,), tables=[("t", rows(7))]))
        with pytest.raises(duckdb.Error):
            book.commit(Commit("u", {"a": 3, "new": 1}, tables=[("t", pa.table({"n": ["no number"]}))]))
        assert book.positions("u") == {"a": 1}
        assert [row["n"] for row in session.query("table t").rows()] == [1]
        book.commit(Commit("u", {"a": 4, "new": 2}, tables=[("t", rows(5))]))
        assert book.positions("u") == {"a": 4, "new": 2}


def test_units_commit_at_the_same_time(tmp_path: Path) -> None:
    """Their transactions touch the same tables; one adds a column to a table that all write."""
    units, batches = 6, 25
    failed: list[BaseException] = []
    with Session(str(tmp_path / "live.duckdb")) as session:
        book = Book(session)

        def widen(cursor: Cursor) -> None:
            cursor.execute("ALTER TABLE shared ADD COLUMN IF NOT EXISTS more BIGINT")

        def work(unit: str) -> None:
            try:
                for number in range(batches):
                    inside = (widen,) if number == 10 else ()
                    tables = [("shared", rows(number)), (f"own_{unit}", rows(number))]
                    book.commit(Commit(unit, {"a": number + 1}, {f"out_{unit}": number}, tables=tables, inside=inside))
            except BaseException as problem:
                failed.append(problem)

        threads = [threading.Thread(target=work, args=(f"u{n}",)) for n in range(units)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert failed == []
        assert book.readers() == {"a": {f"u{n}": batches for n in range(units)}}
        assert book.ends() == {f"out_u{n}": batches - 1 for n in range(units)}
        assert session.sql("SELECT count(*) AS n FROM shared").rows() == [{"n": units * batches}]


WRITER = """
import sys
import pyarrow as pa
from logsql.engine.session import Session
from logsql.streams.book import Book, Commit
with Session(sys.argv[1]) as session:
    book = Book(session)
    at = book.positions("u").get("a", 0)
    while True:
        made = pa.table({"n": pa.array(range(at, at + 10), pa.int64())})
        at += 10
        book.commit(Commit("u", {"a": at}, {"out": at}, {"last": str(at).encode()}, tables=[("t", made)]))
        print(at, flush=True)
"""


def test_kill_9_leaves_rows_and_position_together(tmp_path: Path) -> None:
    path = str(tmp_path / "live.duckdb")
    told = 0
    for turn in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, path], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            told = int(process.stdout.readline())
            time.sleep(0.05 * turn)
            process.kill()
            for line in process.stdout:
                told = int(line) if line.endswith("\n") else told
        with Session(path) as session:
            book = Book(session)
            at = book.positions("u")["a"]
            assert at >= told
            assert (book.ends(), book.states("u")) == ({"out": at}, {"last": str(at).encode()})
            counted = session.sql("SELECT count(*) AS n, count(DISTINCT n) AS d, max(n) AS m FROM t").rows()
            assert counted == [{"n": at, "d": at, "m": at - 1}]


def test_a_book_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "live.duckdb")
    with Session(path) as session:
        Book(session)
        session.cursor().execute("UPDATE logsql_live.versions SET version = 99")
    with logsql.connect(path) as session, pytest.raises(LogsqlError) as caught:
        Book(session)
    assert (caught.value.code, caught.value.exit_code) == ("E3221", 3)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with a little more than the room that is kept for the database; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = sys.platform == "linux" and os.geteuid() == 0
    if (
        not made
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={(ROOM + 24_000_000) // 1024}k", "tmpfs", str(place)]
        ).returncode
    ):
        pytest.skip("mounting a small disk takes root on Linux")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_commits_nothing_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    path = str(small_disk / "live.duckdb")
    wide = pa.table({"text": [os.urandom(400).hex() for _ in range(200)]})
    done = 0
    with Session(path) as session:
        book = Book(session)
        (small_disk / "other").write_bytes(bytes(10_000_000))
        with contextlib.suppress(FeedFull):
            while True:
                book.commit(Commit("u", {"a": done + 1}, tables=[("t", wide)]))
                done += 1
        with pytest.raises(FeedFull):
            book.commit(Commit("u", {"a": done + 1}, tables=[("t", wide)]))
        assert (done > 5, book.positions("u")) == (True, {"a": done})
        (small_disk / "other").unlink()
        book.commit(Commit("u", {"a": done + 1}, tables=[("t", wide)]))
    with Session(path) as session:
        assert Book(session).positions("u") == {"a": done + 1}
        assert session.sql("SELECT count(*) AS n FROM t").rows() == [{"n": 200 * (done + 1)}]


def test_a_database_that_was_given_up_is_told_and_has_lost_nothing(small_disk: Path) -> None:
    """Others fill the disk between our look and the engine's checkpoint."""
    path = str(small_disk / "live.duckdb")
    wide = pa.table({"text": [os.urandom(400).hex() for _ in range(2000)]})
    with Session(path) as session:
        book = Book(session)
        for number in range(4):
            book.commit(Commit("u", {"a": number + 1}, tables=[("t", wide)]))
        free = shutil.disk_usage(small_disk).free
        (small_disk / "other").write_bytes(bytes(free - 300_000))
        with pytest.raises(duckdb.FatalException):
            session.cursor().execute("CHECKPOINT")
        (small_disk / "other").unlink()
        with pytest.raises(LogsqlError) as caught:
            book.commit(Commit("u", {"a": 99}))
        assert (caught.value.code, caught.value.exit_code) == ("E3222", 3)
    with Session(path) as session:
        assert Book(session).positions("u") == {"a": 4}
        assert session.sql("SELECT count(*) AS n FROM t").rows() == [{"n": 8000}]
