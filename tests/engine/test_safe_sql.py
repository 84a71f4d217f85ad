"""SQL in safe mode: what is not allowed by name is refused with a code, whatever it is dressed in; reading stays."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError

SECRET = "TOPSECRET"

#: Statements by what they would do; {c} the allowed folder, {o} one outside. Each once wrote, read outside or ended the
#: process, or is a spelling beside one that did.
ATTACKS = {
    "climb over a link inside": [
        "SELECT content FROM read_text('{c}/a/b/inlink/../../other/s.txt')",
        "SELECT content FROM read_text(['{c}/a/b/inlink/../../other/s.txt'])",
        "SELECT content FROM \"read_text\" /* x */ (E'{c}/a/b/inlink/../../other/s.txt')",
        "SELECT content FROM system.main.read_text($${c}/a/b/inlink/../../other/s.txt$$)",
        "SELECT content FROM read_text('{c}/a/b/inlink/.' || './../other/s.txt')",
        "SELECT content FROM read_text(concat('{c}/a/b/inlink/', chr(46), chr(46), '/../other/s.txt'))",
        "SET VARIABLE p = '{c}/a/b/inlink/.'; SELECT content FROM read_text(getvariable('p') || './../other/s.txt')",
        "SELECT content FROM read_text('file:{c}/a/b/inlink/../../other/s.txt')",
        "SELECT content FROM read_text('file://{c}/../other/s.txt')",
        "FROM '{c}/a/b/inlink/../../other/s.csv'",
        'SELECT * FROM "{c}/a/b/inlink/../../other/s.csv"',
        "SUMMARIZE '{c}/a/b/inlink/../../other/s.csv'",
        "DESCRIBE SELECT * FROM '{c}/a/b/inlink/../../other/s.csv'",
        "SELECT (SELECT content FROM read_text('{c}/a/b/inlink/../../other/s.txt'))",
        "WITH x AS (SELECT * FROM read_csv('{c}/a/b/inlink/../../other/s.csv')) SELECT * FROM x",
        "EXPLAIN ANALYZE SELECT * FROM read_csv('{c}/a/b/inlink/../../other/s.csv')",
        "CREATE TABLE n AS SELECT * FROM read_csv('{c}/a/b/inlink/../../other/s.csv'); SELECT * FROM n",
        "CREATE TABLE n AS FROM E'{c}/a/b/inlink/.\\x2e/../other/s.csv'; SELECT * FROM n",
        "CREATE VIEW n AS SELECT * FROM read_csv('{c}/a/b/inlink/../../other/s.csv'); SELECT * FROM n",
        "CREATE MACRO n(p) AS TABLE SELECT * FROM read_text(p); FROM n('{c}/a/b/inlink/../../other/s.txt')",
        "CREATE MACRO n() AS TABLE FROM '{c}/a/b/inlink/../../other/s.csv'; FROM n()",
        "SELECT * FROM read_json('{c}/a/b/inlink/../../other/s.txt')",
        "SELECT * FROM parquet_metadata('{c}/a/b/inlink/../../other/s.txt')",
        "SELECT * FROM sniff_csv('{c}/a/b/inlink/../../other/s.csv')",
        "SELECT * FROM glob('{c}/a/b/inlink/../../other/*')",
        "SELECT * FROM read_duckdb('{c}/a/b/inlink/../../other/e.duckdb')",
        "FROM query('SELECT content FROM read_text(''{c}/a/b/inlink/../../other/s.txt'')')",
        "FROM query_table('{c}/a/b/inlink/../../other/s.csv')",
        "FROM json_execute_serialized_sql((SELECT json_serialize_sql('SELECT 1')))",
        "PRAGMA json_execute_serialized_sql('{{}}')",
        "INSERT INTO kept SELECT content FROM read_text('{c}/a/b/inlink/../../other/s.txt')",
    ],
    "outside": [
        "SELECT * FROM read_text('{o}/s.txt')",
        "SELECT * FROM read_text('{c}/link/s.txt')",
        "SELECT * FROM read_text('{c}/*/s.txt')",
        "SELECT * FROM read_text('{o}/*')",
        "FROM '{o}/s.csv'",
        "SELECT lq_geoip('1.2.3.4', '{o}/s.txt')",
        "ATTACH '{o}/e.duckdb' AS e",
        "COPY kept FROM '{o}/s.csv'",
    ],
    "write": [
        "COPY (SELECT 1) TO '{c}/ok.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{c}/ok.csv'",
        "EXPLAIN /* */ ANALYSE COPY (SELECT 1) TO '{c}/ok.csv'",
        "EXPLAIN (FORMAT json, ANALYZE) COPY (SELECT 1) TO '{c}/ok.csv'",
        "EXPLAIN COPY (SELECT 1) TO '{c}/ok.csv'",
        "WITH w AS (COPY (SELECT 1) TO '{c}/ok.csv') SELECT * FROM w",
        "EXPLAIN ANALYZE WITH w AS (COPY (SELECT 1) TO '{c}/ok.csv') SELECT * FROM w",
        "CREATE TABLE n AS WITH w AS (COPY (SELECT 1) TO '{c}/ok.csv') SELECT * FROM w",
        "INSERT INTO kept WITH w AS (COPY /**/ (SELECT 1) TO '{c}/ok.csv') SELECT 'x' FROM w",
        "PREPARE w AS COPY (SELECT 1) TO '{c}/ok.csv'; EXECUTE w",
        "EXPORT DATABASE '{c}/all'",
        "IMPORT DATABASE '{c}/all'",
        "ATTACH '{c}/n.duckdb' AS n",
        "SET log_query_path='{c}/ok.csv'; SELECT 'my own text'",
        "SET GLOBAL log_query_path='{c}/ok.csv'; SELECT 'my own text'",
        "PRAGMA log_query_path='{c}/ok.csv'",
        "PRAGMA enable_profiling='json'; SET profiling_output='{c}/p.json'; SELECT 42",
        "PRAGMA enable_profiling",
        "CALL enable_profiling(save_location := '{c}/p.json')",
        "SELECT * FROM enable_profiling(save_location := '{c}/p.json')",
        "SELECT * FROM enable_logging('QueryLog', storage := 'file', storage_path := '{c}/log'); SELECT 42",
        "SELECT * FROM enable_logging('QueryLog', storage := 'file', storage_path := '{o}/log'); SELECT 42",
        "SELECT * FROM \"Enable_Logging\"(storage := 'stdout'); SELECT 42",
        "CREATE VIEW n AS SELECT * FROM enable_logging(storage := 'stdout'); SELECT * FROM n",
        "CALL enable_logging()",
        "SET secret_directory='{c}/secrets'; CREATE PERSISTENT SECRET s (TYPE s3)",
        "CREATE OR REPLACE PERSISTENT SECRET s (TYPE s3)",
        "SET temp_directory='{c}/tmp'",
    ],
    "fence": [
        "SET memory_limit='100GB'",
        "SET threads=64",
        "RESET threads",
        "SET GLOBAL threads TO 64",
        "PRAGMA threads=64",
        "SET lock_configuration=false",
        "SET allowed_configs=['threads']",
        "SET enable_external_access=true",
        "SET allowed_directories=['/']",
        "SET home_directory='/'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "UPDATE EXTENSIONS",
        "CHECKPOINT",
        "FORCE CHECKPOINT",
        "DETACH memory",
        "COPY FROM DATABASE memory TO __work",
        "SELECT write_log('x')",
        "SELECT * FROM truncate_duckdb_logs()",
        "SELECT * FROM add_grammar_extension('x')",
    ],
}

#: What an analyst writes, with a value of the answer.
ALLOWED = {
    "SELECT count(*) AS n FROM read_csv('{c}/ok.csv', header = true)": 1,
    "SELECT count(*) AS n FROM read_csv(['{c}/ok.csv', '{c}/ok.csv'])": 2,
    "SELECT count(*) AS n FROM '{c}/ok.csv'": 1,
    "SELECT count(*) AS n FROM read_text('{c}/*.txt')": 1,
    "SELECT count(*) AS n FROM (VALUES ('/../etc/passwd'), ('x')) t(u) WHERE u LIKE '%../%'": 1,
    "WITH RECURSIVE r AS (SELECT 1 i UNION ALL SELECT i + 1 FROM r WHERE i < 3) SELECT count(*) FROM r": 3,
    "CREATE TABLE n AS SELECT * FROM range(3) t(i); DELETE FROM n WHERE i = 1; SELECT count(*) FROM n": 2,
    "CREATE TEMP TABLE m AS SELECT * FROM read_csv('{c}/ok.csv'); INSERT INTO m VALUES (4); SELECT count(*) FROM m": 2,
    "CREATE OR REPLACE MACRO plus(a) AS a + 1; SELECT plus(2)": 3,
    "CREATE VIEW v AS SELECT * FROM '{c}/ok.csv'; SELECT count(*) FROM v": 1,
    "BEGIN; CREATE TABLE q AS SELECT 1; COMMIT; SELECT count(*) FROM q": 1,
    "SET TimeZone = 'Asia/Seoul'; SELECT 1": 1,
    "SET VARIABLE x = 5; SELECT getvariable('x')": 5,
    "SELECT count(*) FROM (DESCRIBE SELECT 1 AS a)": 1,
    "SELECT count(*) FROM pipe('csvfile {c}/ok.csv | limit 1')": 1,
    "SELECT count(*) FROM csvfile('{c}/ok.csv')": 1,
    "SELECT count(*) FROM jsonfile('{c}/ok.txt')": 1,
    "SELECT sum(x) FROM unnest([1, 2]) t(x)": 3,
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("safe")
    for folder in ("case/a/b", "case/x", "other"):
        (root / folder).mkdir(parents=True)
    (root / "other/s.txt").write_text(f'{{"a": "{SECRET}"}}\n', encoding="utf-8")
    (root / "other/s.csv").write_text(f"a\n{SECRET}\n", encoding="utf-8")
    (root / "case/ok.csv").write_text("a\n1\n", encoding="utf-8")
    (root / "case/ok.txt").write_text('{"a": 1}\n', encoding="utf-8")
    (root / "case/link").symlink_to(root / "other")
    (root / "case/a/b/inlink").symlink_to(root / "case/x")
    return root


def snapshot(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in root.rglob("*")}


@pytest.fixture
def session(root: Path) -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC", safe=True, directories=[str(root / "case")], threads=1) as session:
        session.sql("CREATE TABLE kept(a VARCHAR)").rows()
        yield session


@pytest.mark.parametrize("kind", list(ATTACKS))
def test_attacks_are_refused_by_code(kind: str, root: Path, session: logsql.Session) -> None:
    before = snapshot(root)
    for attack in ATTACKS[kind]:
        text = attack.format(c=root / "case", o=root / "other")
        with pytest.raises(LogsqlError) as caught:
            pytest.fail(f"{text} gave {session.sql(text).rows()}")
        # A statement that DuckDB does not know at all is wrong, not refused.
        assert caught.value.code == "E4001" or "syntax error" in str(caught.value), (text, str(caught.value))
        assert SECRET not in str(caught.value)
        with suppress(LogsqlError):  # the columns of read_text are known without a file
            assert session.sql(text).columns == ["filename", "content", "size", "last_modified"]
    assert snapshot(root) == before
    assert session.sql("SELECT count(*) AS n, current_setting('threads') AS t FROM kept").rows() == [{"n": 0, "t": 1}]


def test_reading_and_tables_in_memory_stay(root: Path, session: logsql.Session) -> None:
    for text, value in ALLOWED.items():
        (row,) = session.sql(text.format(c=root / "case")).rows()
        assert list(row.values()) == [value], text
    assert "EMPTY_RESULT" not in str(session.sql("EXPLAIN SELECT 42").rows())
    assert session.sql(f"EXPLAIN ANALYZE SELECT * FROM read_csv('{root}/case/ok.csv')").rows()
    assert session.sql("EXPLAIN (FORMAT json) (SELECT 1)").rows()


@pytest.fixture
def evidence(root: Path, tmp_path: Path) -> Path:
    """A database by somebody else: tables, and views and macros that read outside the allowed folder."""
    path = tmp_path / "e.duckdb"
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE TABLE t AS SELECT 1 AS a")
        made.execute("CREATE VIEW fine AS SELECT a + 1 AS b FROM t")
        made.execute(f"CREATE VIEW reads AS SELECT * FROM read_csv('{root}/case/a/b/inlink/../../other/s.csv')")
        made.execute("CREATE VIEW above AS SELECT * FROM reads")
        made.execute("CREATE VIEW logs AS SELECT * FROM enable_logging(storage := 'stdout')")
        made.execute("CREATE MACRO opens(p) AS TABLE SELECT content FROM read_text(p)")
    return path


def test_a_database_file_is_read_and_nothing_else(root: Path, evidence: Path) -> None:
    before, files = evidence.read_bytes(), sorted(evidence.parent.iterdir())
    climbing = f"{root}/case/a/b/inlink/../../other/s.txt"
    refused = [
        *("EXPLAIN ANALYZE DELETE FROM t", "EXPLAIN ANALYZE INSERT INTO t VALUES (2)", "EXPLAIN ANALYZE DROP TABLE t"),
        *("DELETE FROM t", "CREATE TABLE n AS SELECT 1", "WITH d AS (DELETE FROM t RETURNING *) FROM d"),
        *("FROM reads", "FROM above", 'FROM "ABOVE"', "FROM e.main.reads", "FROM logs", f"FROM opens('{climbing}')"),
        *(f"FROM main.opens('{climbing}')", "CREATE TEMP VIEW n AS FROM reads", "COPY t TO '/tmp/x'", "VACUUM"),
    ]
    with logsql.connect(str(evidence), tz="UTC", safe=True, directories=[str(root / "case")]) as s:
        for text in refused:
            with pytest.raises(LogsqlError) as caught:
                pytest.fail(f"{text} gave {s.sql(text).rows()}")
            assert caught.value.code == "E4001", (text, str(caught.value))
        for query in ("table reads", "table above", "table logs", "table t | join a [ table above ]"):
            with pytest.raises(LogsqlError) as caught:
                s.query(query).rows()
            assert caught.value.code == "E4001", (query, str(caught.value))
        assert s.query("table t | union [ table fine ] | stats count").rows() == [{"count": 2}]
        assert s.sql("SELECT b FROM fine").rows() == [{"b": 2}]
    assert (evidence.read_bytes(), sorted(evidence.parent.iterdir())) == (before, files)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LogsqlError) as caught:
        logsql.connect(str(tmp_path / "new.duckdb"), tz="UTC", safe=True)
    assert caught.value.code == "E3001"
    assert list(tmp_path.iterdir()) == []


def test_the_zone_can_still_be_changed(session: logsql.Session) -> None:
    session.set_zone("Asia/Seoul")
    assert session.zone == "Asia/Seoul"


def test_no_statement_ends_the_process(root: Path) -> None:
    """``enable_logging`` to a folder that is refused: DuckDB called terminate at the next statement."""
    text = f"SELECT * FROM enable_logging('QueryLog', storage := 'file', storage_path := '{root}/other/log'); SELECT 42"
    words = ["--safe", "--allow-dir", str(root / "case"), "sql", text]
    done = subprocess.run([sys.executable, "-m", "logsql", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "E4001" in done.stderr
