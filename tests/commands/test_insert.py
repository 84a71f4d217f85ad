"""``insert`` fills the tables that a field names; ``mv`` moves a file that is finished."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logsql.Session]:
    monkeypatch.chdir(tmp_path)
    with logsql.connect(tz="Asia/Seoul") as session:
        session.register("n", pa.table({"a": [1, 2]}))
        yield session


def failure(session: logsql.Session, query: str) -> LogsqlError:
    with pytest.raises(LogsqlError) as caught:
        session.query(query).rows()
    return caught.value


def names() -> list[str]:
    return sorted(str(p) for p in Path().rglob("*") if p.is_file())


# --- mv ---------------------------------------------------------------------------------------------------------------


def test_mv_after_the_file_is_written(session: logsql.Session) -> None:
    os.mkdir("inbox")
    query = "table n | outputtxt log.txt a | mv from=log.txt to=inbox/log.txt"
    assert session.query(query).rows() == [{"a": 1}, {"a": 2}]
    assert (names(), Path("inbox/log.txt").read_text()) == (["inbox/log.txt"], "1\n2\n")
    assert failure(session, query).code == "30502"
    assert names() == ["inbox/log.txt"]
    assert failure(session, "table n | mv from=gone.txt to=x.txt").code == "30503"


# --- insert -----------------------------------------------------------------------------------------------------------


def test_insert_routes_by_a_field(session: logsql.Session) -> None:
    session.register("t", pa.table({"k": ["a", "b", None, "A", ""], "v": [1, 2, 3, 4, 5]}))
    assert failure(session, "table t | insert table=k").code == "30101"
    assert session.tables() == ["n", "t"]
    result = session.query("table t | insert create=t table=k")
    assert [r["k"] for r in result] == ["a", "b", None, "A", ""]  # rows pass with the field
    assert [(e.reason, e.count) for e in result.ledger] == [("row-without-table", 2)]
    assert session.query("table a").rows() == [{"v": 1}, {"v": 4}]
    assert session.query("table b").rows() == [{"v": 2}]
    session.query("table t | search v == 1 | eval w = 9 | insert table=k").rows()
    assert session.query("table a").rows() == [{"v": 1, "w": None}, {"v": 4, "w": None}, {"v": 1, "w": 9}]


def test_insert_with_a_wrong_name_stores_nothing(session: logsql.Session) -> None:
    session.sql("create table a (v bigint)").rows()
    session.register("t", pa.table({"k": ["a", "zz"], "v": [1, 2]}))
    assert failure(session, "table t | insert table=k").code == "30101"
    assert session.sql("select count(*) as c from a").rows() == [{"c": 0}]


def test_insert_of_open_rows(session: logsql.Session) -> None:
    docs = [{"d": '{"k": "x", "p": 1}'}, {"d": '{"k": "y", "q": "z"}'}]
    session.register("docs", pa.Table.from_pylist(docs))
    session.query("table docs | parsejson field=d | insert create=t table=k").rows()
    stored = session.query("table x | fields p, q").rows() + session.query("table y | fields p, q").rows()
    assert stored == [{"p": 1, "q": None}, {"p": None, "q": "z"}]
