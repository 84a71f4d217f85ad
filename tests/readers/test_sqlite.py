"""SQLite reader: types, mixed columns, hostile names, damage, and that nothing is written beside the evidence."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.readers.ntfs_support import table as whole_table
from udfs.readers import sqlitefiles
from udfs.readers.base import VARIANT, ListLoss, NullProgress, ReaderError, null_context
from udfs.readers.files import Files
from udfs.readers.request import Request
from udfs.readers.sqlite import SqliteRecordsReader, SqliteTablesReader


def table(
    reader: SqliteRecordsReader | SqliteTablesReader, columns: list[str] | None = None, loss: ListLoss | None = None
) -> pa.Table:
    """All rows of a scan, without the path of the file where nobody asks for it."""
    return whole_table(reader, columns or [name for name in reader.schema.names if name != "_path"], loss)


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
    assert [str(field.type) for field in found.schema] == [
        "int64", "double", "string", "binary", "string", "int64", "double", "string", "binary", "string",
    ]  # fmt: skip
    assert found.column("i").to_pylist() == [1, 9007199254740993, None, 3]
    assert found.column("r").to_pylist() == [1.5, 2.5, None, float("inf")]
    assert found.column("b").to_pylist() == [b"\x00\xff", b"", None, None]
    assert found.column("n").null_count == 4
    parts = {"m.int": 1, "m.text": "one", "m.bytes": b"\x00\xff", "m.real": 2.5}
    assert {name: reader.schema.field(name).metadata for name in parts} == {name: {VARIANT: b"m"} for name in parts}
    assert {name: [v for v in found.column(name).to_pylist() if v is not None] for name in parts} == {
        name: [value] for name, value in parts.items()
    }
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


def _live(folder: Path) -> Path:
    """A database in use, as collected: the row 1 is in the file, the rows 2 to 20,001 only in its write-ahead log."""
    case = folder / "case"
    case.mkdir()
    writer = sqlite3.connect(folder / "live.db")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("CREATE TABLE t(a)")
    writer.execute("INSERT INTO t VALUES (1)")
    writer.commit()
    writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    writer.executemany("INSERT INTO t VALUES (?)", [(n,) for n in range(2, 20_002)])
    writer.commit()
    for name in ("live.db", "live.db-wal"):
        (case / name).write_bytes((folder / name).read_bytes())
    writer.close()
    return case


@pytest.mark.posix("a folder that nobody may write to")
def test_a_write_ahead_log_is_read_and_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _live(tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    before = {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)}
    os.chmod(folder, 0o555)
    loss = ListLoss()
    found = table(SqliteRecordsReader(str(folder / "live.db"), "t"), None, loss)
    os.chmod(folder, 0o755)
    assert found.column("a").to_pylist() == list(range(1, 20_002))
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("write-ahead-log-read", 0)]
    assert {name: os.stat(folder / name).st_mtime_ns for name in os.listdir(folder)} == before
    assert list((tmp_path / "tmp").glob("*/*")) == []  # in the folder of the user


@pytest.mark.parametrize("case", ["large", "refused"])
def test_a_write_ahead_log_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    path = str(_live(tmp_path) / "live.db")
    context = null_context(loss := ListLoss())
    if case == "large":
        monkeypatch.setattr(sqlitefiles, "_MOST_COPIED", os.path.getsize(path))
    else:
        # A log that is a link to elsewhere; the folder's own names may be read.
        context = replace(context, files=Files(lambda name: name == path or name.endswith("-journal")))
    batches = list(SqliteRecordsReader(path, "t", context).scan(None, context))
    assert [row for batch in batches for row in batch.column("a").to_pylist()] == [1]
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("write-ahead-log-not-read", 1)]


def test_a_journal_in_use_is_told(tmp_path: Path) -> None:
    writer = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    writer.execute("PRAGMA cache_size = 1")
    writer.execute("CREATE TABLE t(a)")
    writer.execute("BEGIN")
    writer.executemany("INSERT INTO t VALUES (?)", [("x" * 3000,)] * 50)  # more than the cache: written early
    (tmp_path / "case").mkdir()
    for name in ("x.db", "x.db-journal"):
        (tmp_path / "case" / name).write_bytes((tmp_path / name).read_bytes())
    writer.close()
    loss = ListLoss()
    table(SqliteTablesReader(str(tmp_path / "case" / "x.db")), None, loss)
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("rollback-journal-not-read", 0)]


def test_generated_columns_are_read(tmp_path: Path) -> None:
    path = _made(
        tmp_path / "x.db",
        "CREATE TABLE t(a INT, twice AS (a * 2), word TEXT AS ('n' || a) STORED, b)",
        "INSERT INTO t(a, b) VALUES (1, 'x'), (4, 'y')",
    )
    assert table(SqliteRecordsReader(path, "t")).to_pylist() == [
        {"a": 1, "twice": 2, "word": "n1", "b": "x", "_file": "x.db"},
        {"a": 4, "twice": 8, "word": "n4", "b": "y", "_file": "x.db"},
    ]


def test_a_generated_column_that_fails_keeps_the_rows(tmp_path: Path) -> None:
    """One row whose text is no JSON. The index holds all stored columns that are asked for, in another order."""
    path = _made(
        tmp_path / "x.db",
        "CREATE TABLE t(a INT, body TEXT, pad TEXT)",
        *(f"""INSERT INTO t VALUES ({9 - n}, '{body}', 'p')""" for n, body in enumerate(['{"id": 7}', "{}", "?", "x"])),
        "CREATE INDEX i ON t(a)",
        "ALTER TABLE t ADD COLUMN id AS (json_extract(body, '$.id'))",
    )
    loss = ListLoss()
    found = table(SqliteRecordsReader(path, "t"), ["a", "id.int"], loss)
    assert found.to_pylist() == [
        {"a": 9, "id.int": 7}, {"a": 8, "id.int": None}, {"a": 7, "id.int": None}, {"a": 6, "id.int": None},
    ]  # fmt: skip
    assert [(entry.reason, entry.count) for entry in loss.entries] == [("generated-column-failed", 1)]


@pytest.mark.parametrize("call", ["fts3_tokenizer('simple')", "load_extension('nothere')"])
def test_functions_with_side_effects_do_not_run(tmp_path: Path, call: str) -> None:
    path = _made(tmp_path / "x.db", "CREATE TABLE t(a)", "INSERT INTO t VALUES (1)")
    with sqlitefiles.opened(path, null_context()) as database:
        assert database.execute("SELECT json_extract('[8]', '$[0]'), upper('a')").fetchall() == [(8, "A")]
        with pytest.raises(sqlite3.DatabaseError, match="not authorized to use function"):
            database.execute(f"SELECT {call}")


def test_progress_goes_through_the_file(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t(a, b)")
    database.executemany("INSERT INTO t VALUES (?, ?)", [(n, "text") for n in range(250_000)])
    database.commit()
    database.close()
    told: list[tuple[int, int]] = []

    class Places(NullProgress):
        def advance(self, source: str, done_bytes: int, total_bytes: int) -> None:
            told.append((done_bytes, total_bytes))

    context = replace(null_context(), progress=Places())
    assert sum(batch.num_rows for batch in SqliteRecordsReader(path, "t").scan(None, context)) == 250_000
    size = os.path.getsize(path)
    assert [total for _, total in told] == [size] * len(told)
    places = [done for done, _ in told]
    assert places == sorted(places)
    assert len({done for done in places if 0 < done < size}) > 1
    assert places[-1] == size


def test_one_file_that_is_no_database_among_several(tmp_path: Path) -> None:
    _made(tmp_path / "h1.db", "CREATE TABLE t(a)", "INSERT INTO t VALUES (1)")
    (tmp_path / "h2.db").write_bytes(b"no database")
    _made(tmp_path / "h3.db", "CREATE TABLE other(a)")
    _made(tmp_path / "h4.db", "CREATE TABLE t(a)", "INSERT INTO t VALUES (2)")
    loss = ListLoss()
    assert table(SqliteRecordsReader(str(tmp_path / "h*.db"), "t"), None, loss).column("a").to_pylist() == [1, 2]
    told = [(Path(entry.source).name, entry.reason) for entry in loss.entries]
    assert told == [("h2.db", "not-a-sqlite-database"), ("h3.db", "no-such-table")]
    names = table(SqliteTablesReader(str(tmp_path / "h*.db")), ["name"], loss := ListLoss()).column("name").to_pylist()
    assert names == ["t", "other", "t"]
    assert [entry.reason for entry in loss.entries] == ["not-a-sqlite-database"]
    with pytest.raises(ReaderError, match=r"no table nowhere|is not an SQLite database"):
        SqliteRecordsReader(str(tmp_path / "h*.db"), "nowhere")


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
    assert found.column("a.text")[0].as_py() == "text 0" * 20
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


def test_members_of_archives_are_read_with_their_logs(tmp_path: Path) -> None:
    """As a folder of machines is: the log of a member is applied, a member that is no database stops no other."""
    _made(tmp_path / "a.db", "CREATE TABLE t(a)", "INSERT INTO t VALUES ('first')")
    live = sqlite3.connect(tmp_path / "live.db")
    live.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t(a); INSERT INTO t VALUES ('in the log')")
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.write(tmp_path / "a.db", "hosts/pc1/x.db")
        for ending in ("", "-wal"):
            archive.write(tmp_path / f"live.db{ending}", f"hosts/pc2/x.db{ending}")
        archive.writestr("hosts/pc3/x.db", b"no database")
    live.close()
    loss = ListLoss()
    given = {"zippath": str(tmp_path / "c.zip"), "table": "t", "host": "hosts/(?<host>[^/]+)/"}
    reader = SqliteRecordsReader.of(Request(["hosts/*/x.db"], null_context(loss), given))
    rows = whole_table(reader, None, loss).to_pylist()
    assert [(row["a"], row["host"], row["_file"], row["_path"].partition("!")[2]) for row in rows] == [
        ("first", "pc1", "x.db", "hosts/pc1/x.db"), ("in the log", "pc2", "x.db", "hosts/pc2/x.db"),
    ]  # fmt: skip
    told = [(entry.source.partition("!")[2], entry.reason) for entry in loss.entries]
    assert told == [("hosts/pc2/x.db", "write-ahead-log-read"), ("hosts/pc3/x.db", "not-a-sqlite-database")]
    one = SqliteTablesReader.of(Request(["hosts/pc3/x.db"], null_context(), {"zippath": str(tmp_path / "c.zip")}))
    with pytest.raises(ReaderError, match=r"c\.zip!hosts/pc3/x\.db is not an SQLite database"):
        whole_table(one)
