"""SQLite reader: types, mixed columns, hostile names, damage, and that nothing is written beside the evidence."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest

from tests.readers.ntfs_support import table
from udfs.readers.base import LOGICAL_TYPE, ListLoss, ReaderError
from udfs.readers.sqlite import SqliteRecordsReader, SqliteTablesReader


def _made(path: Path, *statements: str) -> str:
    database = sqlite3.connect(path)
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()
    return str(path)


def test_schema_objects(tmp_path: Path) -> None:
    path = _made(
        tmp_path / "x.db", "CREATE TABLE t(a, b)", "CREATE INDEX i ON t(a)", "CREATE VIEW v AS SELECT a FROM t"
    )
    rows = table(SqliteTablesReader(path)).to_pylist()
    assert [(row["type"], row["name"], row["table_name"]) for row in rows] == [
        ("table", "t", "t"), ("index", "i", "t"), ("view", "v", "v"),
    ]  # fmt: skip
    assert rows[0]["sql"] == "CREATE TABLE t(a, b)"
    assert rows[0]["root_page"] == 2
    assert rows[2]["root_page"] == 0
    assert {row["_file"] for row in rows} == {"x.db"}


def test_a_column_has_the_type_of_its_values(tmp_path: Path) -> None:
    path = _made(
        tmp_path / "x.db",
        "CREATE TABLE t(i, r, s, b, n, m)",
        "INSERT INTO t VALUES (1, 1.5, 'x', x'00ff', NULL, 1), (9007199254740993, 2.5, '한', x'', NULL, 'one')",
        "INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, x'00ff'), (3, 1e400, '', NULL, NULL, 2.5)",
    )
    reader = SqliteRecordsReader(path, "T")
    found = table(reader)
    assert [str(field.type) for field in reader.schema] == [
        "int64", "double", "string", "binary", "string", "string", "string",
    ]  # fmt: skip
    assert found.column("i").to_pylist() == [1, 9007199254740993, None, 3]
    assert found.column("r").to_pylist() == [1.5, 2.5, None, float("inf")]
    assert found.column("b").to_pylist() == [b"\x00\xff", b"", None, None]
    assert found.column("n").null_count == 4
    assert reader.schema.field("m").metadata[LOGICAL_TYPE] == b"any"
    assert [json.loads(text) for text in found.column("m").to_pylist()] == [1, "one", "00ff", 2.5]
    assert table(reader, ["s", "_file"]).column_names == ["s", "_file"]


def test_names_made_to_break_the_query(tmp_path: Path) -> None:
    path = _made(
        tmp_path / "x.db", """CREATE TABLE "a""; DROP TABLE b--"("c""d", "select")""", "CREATE TABLE b(x)",
        """INSERT INTO "a""; DROP TABLE b--" VALUES (1, 2)""",
    )  # fmt: skip
    assert table(SqliteRecordsReader(path, 'a"; DROP TABLE b--')).to_pylist() == [
        {'c"d': 1, "select": 2, "_file": "x.db"}
    ]
    with pytest.raises(ReaderError, match=r"there are: .*b") as caught:
        SqliteRecordsReader(path, "b; --")
    assert caught.value.code == "no-such-table"


def test_views_are_not_run(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT n FROM r"
    path = _made(tmp_path / "x.db", "CREATE TABLE t(a)", f"CREATE VIEW v AS {endless}")
    with pytest.raises(ReaderError, match=r"no table v"):
        SqliteRecordsReader(path, "v")


def test_nothing_is_written_and_a_write_ahead_log_is_told(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "live.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t(a)")
    writer.execute("INSERT INTO t VALUES (1)")
    writer.commit()
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.execute("INSERT INTO t VALUES (2)")
    writer.commit()
    (tmp_path / "case").mkdir()
    for name in ("live.db", "live.db-wal"):
        (tmp_path / "case" / name).write_bytes((tmp_path / name).read_bytes())
    writer.close()
    folder = tmp_path / "case"
    before = {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)}
    os.chmod(folder, 0o555)
    loss = ListLoss()
    found = table(SqliteRecordsReader(str(folder / "live.db"), "t"), None, loss)
    os.chmod(folder, 0o755)
    assert found.column("a").to_pylist() == [1]
    assert [entry.reason for entry in loss.entries] == ["write-ahead-log-not-read"]
    assert {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)} == before


def test_text_that_is_no_utf_8_is_kept_and_counted(tmp_path: Path) -> None:
    path = _made(tmp_path / "x.db", "CREATE TABLE t(a)", "INSERT INTO t VALUES ('good'), (CAST(x'ff41' AS TEXT))")
    loss = ListLoss()
    assert table(SqliteRecordsReader(path, "t"), None, loss).column("a").to_pylist() == ["good", "\ufffdA"]
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("invalid-utf-8", 1)]


def test_damaged_page_ends_the_rows_with_a_ledger_entry(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t(a)")
    database.executemany("INSERT INTO t VALUES (?)", [(f"text {n}" * 20,) for n in range(2000)])
    database.commit()
    database.close()
    data = bytearray(path.read_bytes())
    data[60 * 4096 : 61 * 4096] = b"\xff" * 4096
    path.write_bytes(data)
    loss = ListLoss()
    found = table(SqliteRecordsReader(str(path), "t"), None, loss)
    assert 0 < found.num_rows < 2000
    assert json.loads(found.column("a")[0].as_py()) == "text 0" * 20
    assert [entry.reason for entry in loss.entries] == ["damaged-database"]


@pytest.mark.parametrize("data", [b"", b"no database", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(8000)])
def test_files_that_are_no_database(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.db").write_bytes(data)
    with pytest.raises(ReaderError) as caught:
        table(SqliteRecordsReader(str(tmp_path / "x.db"), "t"))
    assert caught.value.code in ("not-a-sqlite-database", "no-such-table")


def test_several_databases_of_different_columns(tmp_path: Path) -> None:
    _made(tmp_path / "h1.db", "CREATE TABLE t(a, b)", "INSERT INTO t VALUES (1, 'x')")
    _made(tmp_path / "h2.db", "CREATE TABLE t(b, c)", "INSERT INTO t VALUES ('y', 2.5)")
    found = table(SqliteRecordsReader(str(tmp_path / "h*.db"), "t"))
    assert found.schema.names == ["a", "b", "c", "_file"]
    assert found.to_pylist() == [
        {"a": 1, "b": "x", "c": None, "_file": "h1.db"}, {"a": None, "b": "y", "c": 2.5, "_file": "h2.db"},
    ]  # fmt: skip
    assert found.schema.field("c").type == pa.float64()
