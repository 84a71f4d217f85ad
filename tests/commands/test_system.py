"""system, copytable, and commands that are refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import logsql
from logsql.commands.output import copytable
from logsql.diagnostics.errors import LogsqlError, QueryError
from logsql.engine.session import Session
from logsql.planner.spec import COMMANDS, REFUSED_COMMANDS
from tests.support import spec_file


@contextmanager
def opened() -> Iterator[Session]:
    with logsql.connect(tz="Asia/Seoul") as made:
        # 40 hours from 2024-01-01 10:00 on: 14 rows on the first day, 24 on the second, 2 on the third.
        start = "TIMESTAMPTZ '2024-01-01 10:00+09'"
        made.planning.execute(f"CREATE TABLE ev AS SELECT {start} + to_hours(h::INT) AS _time FROM range(40) t(h)")
        made.planning.execute("CREATE TABLE other AS SELECT 1 AS a")
        yield made


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with opened() as made:
        yield made


@pytest.fixture
def own_session() -> Iterator[Session]:
    """For a test that takes rows away."""
    with opened() as made:
        yield made


def rows(session: Session, text: str) -> list[dict[str, Any]]:
    return session.query(text).rows()


def test_tables_and_counts(session: Session) -> None:
    assert [r["table"] for r in rows(session, "system tables")] == ["ev", "other"]
    counts = [(r["table"], r["count"]) for r in rows(session, "system count")]
    assert counts == [("ev", 14), ("ev", 24), ("ev", 2), ("other", 1)]
    assert [r["count"] for r in rows(session, "system count from=20240102 to=20240102 ev")] == [24]


def test_copies_by_day_and_reads_them_back(own_session: Session, tmp_path: Path) -> None:
    text = f"copytable path={tmp_path} tables=ev"
    found = rows(own_session, text)
    assert [(r["day"], r["count"]) for r in found] == [("2024-01-01", 14), ("2024-01-02", 24), ("2024-01-03", 2)]
    assert rows(own_session, f'load {found[0]["path"]} | stats count, min(_time) as t | eval t = string(t, "HH")') == [
        {"count": 14, "t": "10"}
    ]
    with pytest.raises(LogsqlError):
        rows(own_session, text)
    assert rows(own_session, text.replace("path=", "incremental=t path=")) == []
    move = text.replace("path=", "overwrite=t move=t from=20240102 path=")
    own_session.allow_purge = True
    moved = rows(own_session, move)
    assert [r["count"] for r in moved] == [24, 2]
    assert rows(own_session, "table ev | stats count") == [{"count": 14}]


def test_moving_deletes_rows_which_the_session_must_allow(session: Session, tmp_path: Path) -> None:
    with pytest.raises(QueryError) as caught:
        rows(session, f"copytable move=t path={tmp_path} tables=ev")
    assert caught.value.name == "purge-not-enabled"
    assert "allow_purge" in (caught.value.help or "")
    assert list(tmp_path.iterdir()) == []
    assert rows(session, "table ev | stats count") == [{"count": 40}]


@pytest.mark.parametrize("name", sorted(REFUSED_COMMANDS))
def test_a_refused_command_says_why(session: Session, name: str) -> None:
    assert name not in COMMANDS
    with pytest.raises(QueryError) as caught:
        session.query(f"{name} x")
    assert caught.value.code == "92000"
    assert REFUSED_COMMANDS[name].en in " ".join(caught.value.notes)


@pytest.mark.evidence
def test_every_command_of_the_language_is_there_or_refused() -> None:
    index = spec_file("commands.md")
    listed = re.findall(r"^\| `([^`]+)` \|", index.read_text(encoding="utf-8"), re.MULTILINE)
    names = {name.split()[0] for name in listed if not name.startswith("ml.")} - {"#"}
    assert len(names) > 200
    assert names - set(COMMANDS) - set(REFUSED_COMMANDS) == set()


def test_a_backup_stays_in_its_folder(tmp_path: Path) -> None:
    # A table's name was joined into the path: "../../x" and "/abs" were written outside of the backup.
    names = ["../../x", f"{tmp_path}/abs", "..", "a%2Fb", "a/b", "plain name.v1"]
    folder = tmp_path / "in" / "backup"
    with logsql.connect(tz="UTC") as session:
        for name in names:
            session.sql(f'CREATE TABLE "{name}" AS SELECT 1 AS a').rows()
        done = session.query(f'copytable path="{folder}"').rows()
    assert sorted(row["table"] for row in done) == sorted(names)
    assert {Path(row["path"]).parent.parent for row in done} == {folder}
    assert len({row["path"] for row in done}) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


class Killed(Exception):
    """Stands for the end of the process."""


@contextmanager
def ended_at(moment: str) -> Iterator[None]:
    """The command ends at a moment of its writing, once, as far as the files and the table can tell."""
    before = copytable.reached

    def stop(passed: str, path: str) -> None:
        if passed == moment:
            raise Killed

    copytable.reached = stop  # type: ignore[assignment]  # put back below
    try:
        yield
    finally:
        copytable.reached = before  # type: ignore[assignment]  # as above


def moved(session: Session, folder: Path, more: str = "") -> list[tuple[str, int]]:
    session.allow_purge = True
    return [(r["day"], r["count"]) for r in rows(session, f"copytable move=t {more} path={folder} tables=ev")]


@pytest.mark.parametrize("more", ["", "incremental=t", "worm=t", "overwrite=t"])
def test_a_move_that_was_killed_before_the_deletion_is_finished(
    own_session: Session, tmp_path: Path, more: str
) -> None:
    """The rerun took the file for a finished day: its rows stayed in the table and in the backup for ever."""
    with ended_at("delete"), pytest.raises(Killed):
        moved(own_session, tmp_path, more)
    assert [p.name for p in sorted(tmp_path.rglob("*.parquet"))] == ["2024-01-01.parquet"]
    assert rows(own_session, "table ev | stats count") == [{"count": 40}]
    assert moved(own_session, tmp_path, more) == [("2024-01-01", 14), ("2024-01-02", 24), ("2024-01-03", 2)]
    assert rows(own_session, "table ev | stats count") == [{"count": 0}]
    counts = [rows(own_session, f"load {p} | stats count")[0]["count"] for p in sorted(tmp_path.rglob("*.parquet"))]
    assert counts == [14, 24, 2]


def test_a_day_whose_file_holds_other_rows_is_left_and_told(own_session: Session, tmp_path: Path) -> None:
    with ended_at("delete"), pytest.raises(Killed):
        moved(own_session, tmp_path)
    own_session.sql("delete from ev where rowid = (select min(rowid) from ev)").rows()
    own_session.allow_purge = True
    result = own_session.query(f"copytable move=t incremental=t path={tmp_path} tables=ev")
    assert [r["count"] for r in result.rows()] == [24, 2]
    (lost,) = result.ledger
    assert (lost.source, lost.reason, lost.count) == ("ev", "not-moved-file-holds-other-rows", 13)
    assert rows(own_session, "table ev | stats count") == [{"count": 13}]
    with pytest.raises(LogsqlError) as caught:
        moved(own_session, tmp_path)
    assert caught.value.name == "file-exists"


def test_rows_that_parquet_cannot_hold_are_not_deleted(tmp_path: Path) -> None:
    """DuckDB writes HUGEINT as DOUBLE: the digits were gone from the file, and the rows from the table."""
    with logsql.connect(tz="UTC", allow_purge=True) as session:
        session.sql("create table t as select 170141183460469231731687303715884105::hugeint a").rows()
        session.sql("create table u as select 12::hugeint a, {'b': 1} s, 'x' j").rows()
        assert [r["table"] for r in rows(session, f"copytable move=t path={tmp_path} tables=u")] == ["u"]
        with pytest.raises(LogsqlError) as caught:
            rows(session, f"copytable move=t path={tmp_path} tables=t")
        assert caught.value.name == "io-error"
        assert rows(session, "table t | stats count") == [{"count": 1}]
        assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["no-time.parquet"]


def test_rows_added_while_a_day_is_moved_stay(own_session: Session, tmp_path: Path) -> None:
    """Rows of the day that came in between copy and deletion were deleted too."""
    before = copytable.reached

    def add(moment: str, path: str) -> None:
        if moment == "delete":
            own_session.sql("insert into ev select * from ev limit 5").rows()

    try:
        copytable.reached = add  # type: ignore[assignment]  # put back below
        assert [count for _, count in moved(own_session, tmp_path, "from=20240103")] == [2]
    finally:
        copytable.reached = before  # type: ignore[assignment]  # as above
    assert rows(own_session, "table ev | stats count") == [{"count": 43}]
