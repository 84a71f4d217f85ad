"""Safe mode asks its rules before it asks the file system: what is said of a path outside is the same whether a file is
there, a folder, nothing, or something that nobody may read. What may be written is named by a folder of its own."""

from __future__ import annotations

import gzip
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import logsql
from logsql.cli import main
from logsql.diagnostics.errors import LogsqlError, PolicyError
from logsql.registry import COMMANDS
from logsql.shell.voice import Voice
from logsql.store.files import Files
from logsql.store.policy import Policy
from tests.support import sample
from udfs.appendnote import Note, note_path
from udfs.readers import files

pytestmark = pytest.mark.posix("links and named pipes")

#: What can be behind a path outside, by the end of the path.
STATES = (
    "have.txt",
    "none.txt",
    "pipe.txt",
    "ha*.txt",
    "zz*.txt",
    "fold.txt",
    "shut.txt",
    "nofold/x.txt",
    "have.txt/x",
)
#: The same folder outside, written in several ways.
WAYS = ("{o}", "{c}/link", "{c}/../other", "file:{o}", "{c}/./a/../../other", "{o}/../other")
#: By day the first ones are asked about, at night all.
ASKED_STATES, ASKED_WAYS = STATES[: sample(len(STATES), 5)], WAYS[: sample(len(WAYS), 3)]
WORD_STATES, WORD_WAYS = [s for s in ASKED_STATES if "*" not in s], ("case/link", "other")[: sample(2, 1)]
#: Commands that read a file and need more than its path.
MORE = {"sqlite-records": 'sqlite-records table=t "{p}"', "zipfile": 'zipfile "{p}" x'}
FORMS = [
    *(MORE.get(name, name + ' "{p}"') for name, spec in COMMANDS.items() if spec.reads is not None and name != "-"),
    'json "{{}}" | outputcsv "{p}" a',
    'json "{{}}" | outputjson append=t "{p}"',
    'json "{{}}" | mv from="{p}" to="{c}/new"',
    'json "{{}}" | mv from="{c}/ok.csv" to="{p}"',
    'load "{p}/x.parquet"',
    *(
        f"sql:SELECT * FROM {name}('{{p}}')"
        for name in ("read_text", "read_csv", "read_json", "read_parquet", "glob", "sniff_csv", "csvfile", "hive_file")
    ),
    "sql:FROM '{p}'",
    "sql:ATTACH '{p}' AS x",
    "sql:SELECT * FROM pipe('textfile \"{p}\"')",
    "sql:COPY (SELECT 1) TO '{p}'",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``case`` is allowed, ``other`` is not; ``case/link`` leads there."""
    root = tmp_path_factory.mktemp("paths")
    case, other = root / "case", root / "other"
    (case / "a").mkdir(parents=True)
    (other / "fold.txt").mkdir(parents=True)
    (case / "ok.csv").write_text("a\n1\n", encoding="utf-8")
    (case / "link").symlink_to(other)
    for name in ("have.txt", "shut.txt"):
        (other / name).write_text("TOPSECRET\n", encoding="utf-8")
    (other / "shut.txt").chmod(0)
    os.mkfifo(other / "pipe.txt")
    return root


@pytest.fixture(scope="module")
def session(place: Path) -> Iterator[logsql.Session]:
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(place / "case")]) as opened:
        yield opened


def answer(session: logsql.Session, text: str, path: str) -> str:
    """What is said, with P for the path."""
    try:
        run = session.sql(text[4:]) if text.startswith("sql:") else session.query(text)
        return f"rows {run.rows()}"
    except LogsqlError as error:
        said = error.diagnostic
        return f"{said.code} {said.message} {said.help} {said.notes}".replace(path, "P").replace(path[:-2], "P")


@pytest.mark.parametrize("form", FORMS)
def test_every_state_outside_has_one_answer(session: logsql.Session, place: Path, form: str) -> None:
    folders = {"c": str(place / "case"), "o": str(place / "other")}
    for way in ASKED_WAYS:
        said = set()
        for state in ASKED_STATES:
            path = f"{way.format(**folders)}/{state}"
            said.add(answer(session, form.format(p=path, **folders), path))
        assert len(said) == 1, (way, said)
        assert said.pop().startswith("E4001")


@pytest.mark.parametrize("name", ["there", "missing", "file", "leads"])
def test_climbing_back_from_outside_tells_nothing_of_what_was_passed(place: Path, name: str) -> None:
    """``other/there/../../case/ok.csv`` opens where ``other/there`` is a folder, and not where it is missing."""
    other, case = place / "other", place / "case"
    (other / "there").mkdir(exist_ok=True)
    (other / "file").touch()
    if not (other / "leads").is_symlink():
        (other / "leads").symlink_to("/usr/lib")
    link = case / f"by-{name}"
    if not link.is_symlink():
        link.symlink_to(f"../other/{name}/../../case/ok.csv")
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(case)]) as s:
        for path in (f"{other}/{name}/../../case/ok.csv", str(link)):
            assert answer(s, f"csvfile {path}", path).startswith("E4001 reading P is not allowed")
            assert answer(s, f"sql:FROM '{path}'", path).startswith("E4001")


def test_dots_and_links_that_stay_inside_are_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = place / "case"
    if not (case / "a" / "up").is_symlink():
        (case / "a" / "up").symlink_to("..")
    monkeypatch.chdir(case / "a")
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(case)]) as s:
        for path in (
            "../ok.csv",
            "../../case/ok.csv",
            f"{case}/a/../ok.csv",
            f"{place}/case/a/up/ok.csv",
            "up/a/up/ok.csv",
        ):
            assert s.query(f"csvfile {path} | fields a").rows() == [{"a": "1"}], path


@pytest.mark.parametrize("pattern", ["q*/x.txt", "q*", "*/q-*/*.txt", "q*/*", "**/q*", "q[-]*"])
def test_a_pattern_does_not_tell_where_a_link_leads(tmp_path: Path, pattern: str) -> None:
    """DuckDB, and the readers, looked through a linked folder before its files were refused."""
    case, other = tmp_path / "case", tmp_path / "other"
    (case / "a").mkdir(parents=True)
    (other / "fold").mkdir(parents=True)
    (other / "fold" / "x.txt").touch()
    (other / "file").touch()
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(case)]) as s:
        for form in (
            "textfile {p}",
            "jsonfile {p}",
            "sql:SELECT count(*) FROM glob('{p}')",
            "sql:SELECT * FROM read_text('{p}')",
        ):
            said = set()
            for target in ("fold", "file", "none", "../case/../other/fold"):
                for link in (case / "q-1", case / "a" / "q-2"):
                    link.unlink(missing_ok=True)
                    link.symlink_to(other / target)
                said.add(answer(s, form.format(p=f"{case}/{pattern}"), f"{case}/{pattern}"))
            assert len(said) == 1, said


def test_a_link_that_is_turned_while_a_file_is_opened_is_found_out(place: Path) -> None:
    case, other = place / "case", place / "other"
    policy = Policy.safe_mode([str(case)])
    with open(other / "have.txt", "rb") as outside, open(case / "ok.csv", "rb") as inside:
        assert policy.opened(str(case / "ok.csv"), inside.fileno())
        assert not policy.opened(str(case / "ok.csv"), outside.fileno())  # it led outside when it was opened
        assert not policy.opened(str(case / "link" / "have.txt"), outside.fileno())
    with Files(policy).open(case / "ok.csv") as file:
        assert file.read() == b"a\n1\n"


def said_by(words: list[str], capfd: pytest.CaptureFixture[str], path: str) -> tuple[int, str]:
    code = main(words)
    out, err = capfd.readouterr()
    return code, (out + err).replace(path, "P")


@pytest.mark.parametrize(
    "words",
    [
        ["{p}"],
        ["check", "{p}"],
        ["fmt", "{p}"],
        ["fmt", "--write", "{p}"],
        ["-q", "json '{{}}'", "-o", "{p}"],
        ["--db", "{p}", "-q", "json '{{}}'"],
        ["--lookup", "n={p}", "-q", "json '{{}}'"],
        ["ml", "inputs"],
        ["ml", "importModel", "m", "{p}"],
        ["ml", "addCsvInput", "n", "{p}"],
        ["sql", "FROM '{p}'"],
    ],
)
def test_the_command_line_says_one_thing(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    safe = ["--safe", "--allow-dir", str(place / "case")]
    for way in WORD_WAYS:
        paths = [f"{place}/{way}/{state}" for state in WORD_STATES]
        said = {said_by([*safe, *(word.format(p=path) for word in words)], capfd, path) for path in paths}
        assert len(said) == 1, said
        assert said.pop()[0] == 3


def test_the_shell_says_one_thing(session: logsql.Session, place: Path) -> None:
    import io

    from logsql.shell.repl import Settings, Shell

    said = set()
    for state in STATES:
        err = io.StringIO()
        path = str(place / "other" / state)
        Shell(session, Settings(), io.BytesIO(), Voice(err)).execute(f"\\i {path}")
        said.add(err.getvalue().replace(path, "P"))
    assert len(said) == 1
    assert "E4001" in said.pop()


# --- writing ----------------------------------------------------------------------------------------------------------


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """``case`` may be read, ``out`` written; ``out/link`` leads to ``other``."""
    for name in ("case", "out", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "out" / "link").symlink_to(tmp_path / "other")
    (tmp_path / "case" / "in.csv").write_text("a\n1\n", encoding="utf-8")
    return tmp_path


def opened(desk: Path, database: str = ":memory:") -> logsql.Session:
    return logsql.connect(
        database,
        tz="UTC",
        safe=True,
        allow_dirs=[str(desk / "case")],
        allow_write=[str(desk / "out")],
        allow_purge=True,
    )


@pytest.mark.parametrize(
    "query",
    [
        'outputcsv "{d}/x.csv" a',
        'outputjson "{d}/x.json" a',
        'outputtxt "{d}/x.txt" a',
        'outputcsv partition=t "{d}/{{logtime:yyyy}}.csv" a',
        'outputcsv overwrite=t "{d}/new.csv" a',
    ],
)
def test_what_is_written_lies_below_allow_write(desk: Path, query: str) -> None:
    with opened(desk) as s:
        for place in ("case", "other", "out/link", "out/../other", "case/../other"):
            before = tree(desk)
            with pytest.raises(LogsqlError) as caught:
                s.query(f"csvfile {desk}/case/in.csv | " + query.format(d=desk / place)).rows()
            assert caught.value.code == "E4001", place
            assert tree(desk) == before
        s.query(f"csvfile {desk}/case/in.csv | eval _time = now() | " + query.format(d=desk / "out")).rows()
    assert [p.parent.name for p in desk.rglob("*") if p.is_file() and p.name != "in.csv"] == ["out"]


def test_a_quoted_date_pattern_does_not_climb(desk: Path) -> None:
    """What the pattern prints is asked about, not how it is written."""
    (desk / "out" / "2024").mkdir()
    with opened(desk) as s:
        for pattern in ("{logtime:yyyy'/../../other/x'}", "{now:yyyy'/../../other/x'}"):
            dated = f'csvfile {desk}/case/in.csv | eval _time = date("2024", "yyyy")'
            with pytest.raises(LogsqlError):
                s.query(f'{dated} | outputcsv partition=t "{desk}/out/{pattern}" a').rows()
    assert list((desk / "other").iterdir()) == []


def test_a_database_is_written_below_allow_write_and_read_elsewhere(desk: Path) -> None:
    with duckdb.connect(str(desk / "case" / "e.duckdb")) as made:
        made.execute("CREATE TABLE t AS SELECT 1 AS a")
    before = tree(desk)
    with opened(desk, str(desk / "case" / "e.duckdb")) as s:
        assert s.query("table t").rows() == [{"a": 1}]
        for text in ("INSERT INTO t VALUES (2)", "CREATE TABLE n AS SELECT 1 AS a", "DROP TABLE t"):
            with pytest.raises(LogsqlError):
                s.sql(text).rows()
        for query in (
            "json \"{'a': 2}\" | import t",
            f"copytable path={desk}/other/bk",
            f"copytable move=t path={desk}/out",
        ):
            with pytest.raises(LogsqlError) as caught:
                s.query(query).rows()
            assert caught.value.code == "E4001"
    assert tree(desk) == before
    with opened(desk, str(desk / "out" / "new.duckdb")) as s:
        s.query("json \"{'a': 2}\" | import create=t t").rows()
        s.sql("INSERT INTO t VALUES (3)").rows()
        s.query(f"copytable path={desk}/out/bk").rows()
        for text in (
            f"COPY t TO '{desk}/out/t.csv'",
            f"ATTACH '{desk}/out/x.duckdb'",
            f"INSERT INTO t FROM '{desk}/other/x.csv'",
        ):
            with pytest.raises(LogsqlError) as caught:
                s.sql(text).rows()
            assert caught.value.code == "E4001"
    with duckdb.connect(str(desk / "out" / "new.duckdb"), read_only=True) as made:
        assert made.execute("SELECT a FROM t ORDER BY a").fetchall() == [(2,), (3,)]
    assert (desk / "out" / "bk" / "t" / "no-time.parquet").exists()


def test_allow_write_of_the_command_line(desk: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def run(*words: str) -> int:
        return main(["--safe", "--allow-dir", str(desk / "case"), "--allow-write", str(desk / "out"), *words])

    query = f"csvfile {desk}/case/in.csv"
    assert run("-q", query, "-o", str(desk / "out" / "r.csv")) == 0
    assert run("-q", query, "-o", str(desk / "out" / "link" / "r.csv")) == 3
    assert run("-q", query, "-o", str(desk / "case" / "r.csv")) == 3
    assert run("--db", str(desk / "out" / "n.duckdb"), "-q", f"{query} | import create=t t") == 0
    assert run("--db", str(desk / "other" / "n.duckdb"), "-q", f"{query} | import create=t t") == 3
    assert "--allow-write" in capfd.readouterr().err
    assert list((desk / "other").iterdir()) == []


@pytest.mark.parametrize(
    "text", ["SET memory_limit='100GB'", "SET threads=64", "PRAGMA memory_limit='1TB'", "RESET memory_limit"]
)
def test_limits_are_not_lifted(run_sql: Callable[[str], list[object]], text: str) -> None:
    with pytest.raises(LogsqlError) as caught:
        run_sql(text)
    assert caught.value.code == "E4001"


@pytest.fixture
def run_sql() -> Iterator[Callable[[str], list[object]]]:
    with logsql.connect(tz="UTC", safe=True, threads=1, memory_limit="200MB") as s:
        yield lambda text: list(s.sql(text).rows())


# --- a link that is turned while DuckDB or SQLite reads ---------------------------------------------------------------


def _turn(link: Path, target: Path) -> None:
    fresh = link.with_name("fresh")
    fresh.symlink_to(target)
    fresh.replace(link)


@pytest.fixture
def turned(tmp_path: Path) -> Path:
    """``case/l.*`` lead to files of the case; files of the same names outside hold a secret."""
    for folder, word in (("case", "inside"), ("other", "secret")):
        place = tmp_path / folder
        place.mkdir()
        (place / "a.json").write_text(f'{{"a":"{word}"}}\n' * 3)
        (place / "a.json.gz").write_bytes(gzip.compress(f'{{"a":"{word}"}}\n'.encode() * 3))
        with closing(sqlite3.connect(place / "a.db")) as database:
            database.execute("create table t(a)")
            database.execute("insert into t values(?)", (word,))
            database.commit()
        (place / "a.csv").write_text(f"a\n{word}\n")
        (place / "a.csv.gz").write_bytes(gzip.compress(f"a\n{word}\n".encode()))
        pq.write_table(pa.table({"a": [word]}), place / "a.parquet")
    for name in ("a.json", "a.json.gz", "a.db", "a.csv", "a.csv.gz", "a.parquet"):
        for letter in "lm":
            (tmp_path / "case" / f"{letter}.{name}").symlink_to(tmp_path / "case" / name)
    return tmp_path


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
@pytest.mark.parametrize("pattern", [False, True])
def test_duckdb_reads_the_json_that_was_opened(turned: Path, name: str, pattern: bool) -> None:
    """DuckDB opened the path anew when the rows were read: a link that was turned since led it outside.

    Its fence knows allowed folders by their text, and follows links.
    """
    link = turned / "case" / f"l.{name}"
    path = str(link.with_name(f"*.{name}")) if pattern else str(link)
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(turned / "case")]) as s:
        result = s.query(f"jsonfile {path} | fields a, _file")
        _turn(link, turned / "other" / name)
        rows = result.rows()
        assert {row["a"] for row in rows} == {"inside"}
        assert {row["_file"] for row in rows} == ({f"l.{name}", f"m.{name}"} if pattern else {link.name})
        with pytest.raises(LogsqlError) as caught:
            s.query(f"jsonfile {link}").rows()
        assert caught.value.code == "E4001"


def test_a_database_of_the_case_is_read(turned: Path) -> None:
    """It was refused: the list of what is open was itself open when it was read, and SQLite's file then got its number,
    which seemed to have been there before."""
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(turned / "case")]) as s:
        assert s.query(f"sqlite-records table=t {turned}/case/l.a.db | fields a").rows() == [{"a": "inside"}]
        assert [row["name"] for row in s.query(f"sqlite-tables {turned}/case/l.a.db").rows()] == ["t"]


@pytest.mark.parametrize(
    "query", ["jsonfile {}/l.a.json", "sqlite-records table=t {}/l.a.db", "sqlite-tables {}/l.a.db"]
)
def test_a_link_that_is_turned_between_look_and_opening(
    turned: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    link = turned / "case" / query.rpartition("/")[2]
    target = turned / "other" / link.name.removeprefix("l.")
    read = []
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(turned / "case")]) as s:
        for name in ("_check_regular", "_handles"):
            _turn(link, turned / "case" / target.name)
            before = getattr(files, name)

            def turning(*words: object, before: Callable[..., object] = before) -> object:
                found = before(*words)
                _turn(link, target)
                return found

            with monkeypatch.context() as patch:
                patch.setattr(files, name, turning)
                with suppress(PolicyError):
                    read += s.query(query.format(turned / "case")).rows()
    assert "secret" not in str(read)


SQL_READS = {
    "csv": "SELECT a, filename FROM read_csv('{c}/l.a.csv', filename = true)",
    "packed csv": "SELECT a FROM read_csv('{c}/l.a.csv.gz')",
    "csv by name": "SELECT a FROM '{c}/l.a.csv'",
    "csv by pattern": "SELECT a FROM read_csv('{c}/l.*.csv')",
    "csv in a list": "SELECT a FROM read_csv(['{c}/l.a.csv'])",
    "text": "SELECT content AS a, filename FROM read_text('{c}/l.a.csv')",
    "bytes": "SELECT content::varchar AS a FROM read_blob('{c}/l.a.csv') b",
    "parquet": "SELECT a FROM read_parquet('{c}/l.a.parquet')",
    "parquet by name": "SELECT l.a FROM '{c}/l.a.parquet'",
    "json": "SELECT a FROM read_json('{c}/l.a.json') LIMIT 1",
    "packed json": "SELECT a FROM read_ndjson('{c}/l.a.json.gz') LIMIT 1",
    "table": "CREATE OR REPLACE TABLE t AS SELECT a FROM '{c}/l.a.csv'; SELECT a FROM t",
    "filled": "CREATE OR REPLACE TABLE t(a text); INSERT INTO t SELECT a FROM '{c}/l.a.csv'; SELECT a FROM t",
    "view": "CREATE OR REPLACE VIEW v AS SELECT a FROM '{c}/l.a.csv'; SELECT a FROM v",
    "updated": "CREATE OR REPLACE TABLE t AS SELECT '' AS a; UPDATE t SET a = x.a FROM '{c}/l.a.csv' x; FROM t",
    "macro": "CREATE OR REPLACE MACRO m() AS TABLE SELECT a FROM '{c}/l.a.csv'; SELECT a FROM m()",
    "common table": "WITH x AS (FROM read_csv('{c}/l.a.csv')) SELECT a FROM x",
    "both": "SELECT t.a || p.a AS a FROM read_csv('{c}/l.a.csv') t, pipe('json \"{{}}\" | eval a = 1 | fields a') p",
}


@pytest.mark.parametrize("text", SQL_READS.values(), ids=SQL_READS)
def test_sql_reads_what_was_opened(turned: Path, text: str) -> None:
    """SQL was checked, and DuckDB opened the paths anew: a link that was turned in between led it outside."""
    case = turned / "case"
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(case)]) as s:
        result = s.sql(text.format(c=case))
        for name in ("a.csv", "a.csv.gz", "a.parquet", "a.json", "a.json.gz"):
            _turn(case / f"l.{name}", turned / "other" / name)
        for _ in range(2):
            (row,) = result.rows()
            assert "inside" in str(row["a"]), row
            assert row.get("filename", f"{case}/l.a.csv") == f"{case}/l.a.csv"
        with pytest.raises(LogsqlError) as caught:
            s.sql(text.format(c=case)).rows()
        assert caught.value.code == "E4001", str(caught.value)


@pytest.mark.parametrize("text", SQL_READS.values(), ids=SQL_READS)
def test_sql_finds_a_link_that_is_turned_between_look_and_opening(
    turned: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    case, read = turned / "case", []
    before = files._check_regular

    def turning(path: str) -> None:
        before(path)
        _turn(Path(path), turned / "other" / Path(path).name.removeprefix("l."))

    monkeypatch.setattr(files, "_check_regular", turning)
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(case)]) as s:
        with pytest.raises(LogsqlError) as caught:
            read += s.sql(text.format(c=case)).rows()
        assert (read, caught.value.code) == ([], "E4001")


def test_load_reads_the_parquet_that_was_opened(turned: Path) -> None:
    link = turned / "case" / "l.a.parquet"
    with logsql.connect(tz="UTC", safe=True, allow_dirs=[str(turned / "case")]) as s:
        result = s.query(f"load {link}")
        _turn(link, turned / "other" / "a.parquet")
        assert result.rows() == [{"a": "inside"}]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE VIEW v AS SELECT * FROM '{c}/l.a.csv'",
        "CREATE MACRO m() AS TABLE FROM read_csv('{c}/l.a.csv')",
        "MERGE INTO t USING '{c}/l.a.csv' x ON t.a = x.a WHEN MATCHED THEN DELETE",
        "SELECT * FROM read_csv('{c}/l.a'\n'.csv')",
        "SELECT * FROM read_csv(E'{c}/l.a.csv')",
        "SELECT * FROM read_csv($${c}/l.a.csv$$)",
        "TABLE '{c}/l.a.csv'",
        "SELECT * FROM read_csv(['{c}/l.a.csv', '{c}/l.a.csv.gz'])",
    ],
)
def test_sql_whose_files_cannot_be_handed_on_is_refused(turned: Path, text: str) -> None:
    """A path that stands elsewhere than in a query, or outlives it, would be opened by DuckDB itself."""
    case = turned / "case"
    with logsql.connect(str(case / "d.duckdb"), tz="UTC") as s:
        s.sql("CREATE TABLE t(a text)").rows()
    words = {"tz": "UTC", "safe": True, "allow_dirs": [str(case)], "allow_write": [str(case)]}
    with logsql.connect(str(case / "d.duckdb"), **words) as s:  # type: ignore[arg-type]
        with pytest.raises(LogsqlError) as caught:
            s.sql(text.format(c=case)).rows()
        assert caught.value.code == "E4001", str(caught.value)


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize(
    "text",
    ["FROM read_csv('{c}/a.csv')", "FROM '{c}/a.csv'", "FROM read_text(['{c}/a.csv'])", "FROM read_csv('{c}/?.csv')"],
)
def test_sql_does_not_read_behind_the_whole_rows(turned: Path, safe: bool, text: str) -> None:
    """A writer was killed while it added to a file: csvfile ends with the whole rows, read_csv went on."""
    case = turned / "case"
    path = case / "a.csv"
    found = path.stat()
    Path(note_path(str(path))).write_bytes(Note(found.st_dev, found.st_ino, found.st_size, 100).written())
    with path.open("a") as file:
        file.write("half a r")
    words = {"allow_dirs": [str(case)]} if safe else {}
    with logsql.connect(tz="UTC", safe=safe, **words) as s:  # type: ignore[arg-type]
        with pytest.raises(LogsqlError) as caught:
            s.sql(text.format(c=case)).rows()
        assert caught.value.code == "E1309"
        assert [row["a"] for row in s.sql(f"FROM csvfile('{path}')").rows()] == ["inside"]
