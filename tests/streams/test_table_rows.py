"""New rows of a table as a source, while others delete rows and the database numbers those that are left anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from logsql.streams.metrics import STREAM_ERRORS
from logsql.streams.unit import Source
from logsql.streams.working import Worker
from tests.streams.bench_of_units import Server, until

#: Rows of which the first 200,000 go: the database gives the first group of 122,880 numbers up, and numbers anew.
MANY, GONE = 500_000, 200_000


def renumbered(folder: Path) -> tuple[int, int]:
    """A table that a stream has read, whose rows have smaller numbers by now: the number behind the last row, before
    and after. The server does not run meanwhile, as when an operator cleans up."""
    server = Server(folder)
    cursor = server.session.cursor()
    cursor.execute(f"CREATE TABLE t AS SELECT range AS n FROM range({MANY})")
    reading(server).start()
    cursor.execute("INSERT INTO t VALUES (-1)")
    assert until(lambda: server.rows() == [(-1,)])
    server.finish()
    (before,) = cursor.execute("SELECT max(rowid) + 1 FROM t").fetchall()[0]
    cursor.execute("CHECKPOINT")
    cursor.execute(f"DELETE FROM t WHERE n BETWEEN 0 AND {GONE - 1}")
    cursor.execute("CHECKPOINT")
    (after,) = cursor.execute("SELECT max(rowid) + 1 FROM t").fetchall()[0]
    server.close()
    return before, after


def reading(server: Server) -> Worker:
    return server.unit("fields n", sources=[Source("table:t")])


def doubts(server: Server) -> tuple[float, list[str]]:
    return server.metrics.value(STREAM_ERRORS, ("s", "renumbered")), [s for s in server.told if "renumbered" in s]


@pytest.mark.parametrize("added", [1, GONE])
def test_rows_are_followed_to_their_new_numbers(tmp_path: Path, added: int) -> None:
    """One row more ends below the number that was read last, ``GONE`` rows more end beyond it."""
    before, after = renumbered(tmp_path)
    assert after < before, "the database numbers rows anew; else this tests nothing"
    server = Server(tmp_path)
    server.session.cursor().execute(f"INSERT INTO t SELECT {MANY} + range FROM range({added})")
    reading(server).start()
    assert until(lambda: len(server.rows()) >= 1 + added)
    server.finish()
    assert server.rows() == [(-1,), *((n,) for n in range(MANY, MANY + added))]
    assert doubts(server) == (0, [])
    server.close()


def test_rows_that_came_after_all_others_were_deleted(tmp_path: Path) -> None:
    """Numbers begin at 0 again. All of them are new, and that it was so is told."""
    server = Server(tmp_path)
    cursor = server.session.cursor()
    cursor.execute("CREATE TABLE t AS SELECT range AS n FROM range(1000)")
    reading(server).start()
    cursor.execute("INSERT INTO t VALUES (1000)")
    assert until(lambda: server.rows() == [(1000,)])
    server.close()
    server = Server(tmp_path)
    cursor = server.session.cursor()
    cursor.execute("DELETE FROM t")
    cursor.execute("CHECKPOINT")
    cursor.execute("INSERT INTO t VALUES (1001), (1002)")
    reading(server).start()
    assert until(lambda: len(server.rows()) >= 3)
    server.finish()
    assert server.rows() == [(1000,), (1001,), (1002,)]
    number, (said,) = doubts(server)
    assert number == 1
    assert "table:t" in said
    server.close()


def test_rows_that_cannot_be_told_apart_are_counted(tmp_path: Path) -> None:
    """The last sixteen are deleted and the ones before them are left: the next row takes one of their numbers when the
    database is opened again. Whether it is new cannot be known, and that is told."""
    server = Server(tmp_path)
    cursor = server.session.cursor()
    cursor.execute("CREATE TABLE t AS SELECT range AS n FROM range(1000)")
    reading(server).start()
    cursor.execute("INSERT INTO t VALUES (1000)")
    assert until(lambda: server.rows() == [(1000,)])
    server.finish()
    cursor.execute("DELETE FROM t WHERE n >= 900")
    cursor.execute("CHECKPOINT")
    server.close()
    server = Server(tmp_path)
    server.session.cursor().execute("INSERT INTO t VALUES (2000)")
    reading(server).start()
    assert until(lambda: doubts(server)[0] == 1)
    server.session.cursor().execute("INSERT INTO t VALUES (2001)")
    assert until(lambda: (2001,) in server.rows()), "it goes on"
    server.finish()
    number, said = doubts(server)
    assert (number, len(said)) == (1, 1)
    server.close()


def test_the_last_rows_are_deleted_and_others_take_their_numbers(tmp_path: Path) -> None:
    server = Server(tmp_path)
    cursor = server.session.cursor()
    cursor.execute("CREATE TABLE t AS SELECT range AS n FROM range(1000)")
    reading(server).start()
    cursor.execute("INSERT INTO t VALUES (1000)")
    assert until(lambda: server.rows() == [(1000,)])
    server.finish()
    cursor.execute("DELETE FROM t WHERE n >= 995")
    cursor.execute("CHECKPOINT")
    server.close()
    server = Server(tmp_path)
    server.session.cursor().execute("INSERT INTO t VALUES (2000)")
    reading(server).start()
    assert until(lambda: len(server.rows()) == 2)
    server.finish()
    assert server.rows() == [(1000,), (2000,)]
    assert doubts(server) == (0, [])
    server.close()
