"""system, copytable, and commands that are refused with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import logsql
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
