"""Safe mode: a query reads below the allowed directories and nothing else, whichever way it asks."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.cli import main
from logsql.diagnostics.errors import LogsqlError
from logsql.shell.repl import Settings, Shell
from logsql.shell.voice import Voice


def test_reads_inside_and_nothing_outside(tmp_path: Path) -> None:
    inside, outside = tmp_path / "case", tmp_path / "other"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.jsonl").write_text('{"a": 1}\n', encoding="utf-8")
        (folder / "a.csv").write_text("a\n1\n", encoding="utf-8")
    with logsql.connect(tz="UTC", safe=True, directories=[str(inside)]) as s:
        assert s.query(f"jsonfile {inside}/a.jsonl | fields a").rows() == [{"a": 1}]
        assert s.query(f"csvfile {inside}/a.csv | fields a").rows() == [{"a": "1"}]
        assert s.sql(f"SELECT a FROM read_csv('{inside}/a.csv')").rows() == [{"a": 1}]
        for text in ("jsonfile {}/a.jsonl", "csvfile {}/a.csv", "textfile {}/a.csv", "hive-file {}/a.csv"):
            with pytest.raises(LogsqlError):
                s.query(text.format(outside)).rows()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_csv('{outside}/a.csv')",
        "COPY (SELECT 1) TO '{inside}/b.csv'",
        "COPY (SELECT 1) TO '{outside}/b.csv'",
        "ATTACH '{inside}/b.duckdb' AS b",
        "EXPORT DATABASE '{inside}/b'",
        "SET enable_external_access = true",
        "SELECT 1; COPY (SELECT 1) TO '{inside}/b.csv'",
    ],
)
def test_sql_writes_and_reaches_nothing(tmp_path: Path, statement: str) -> None:
    inside, outside = tmp_path / "case", tmp_path / "other"
    inside.mkdir()
    outside.mkdir()
    (outside / "a.csv").write_text("a\n1\n", encoding="utf-8")
    with logsql.connect(tz="UTC", safe=True, directories=[str(inside)]) as s, pytest.raises(LogsqlError):
        s.sql(statement.format(inside=inside, outside=outside)).rows()
    assert list(inside.iterdir()) == []


# --- the state folder -------------------------------------------------------------------------------------------------


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database whose state folder holds a lookup, lists, an input, a stored query; all of it known."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "case"
    folder.mkdir()
    (folder / "rows.csv").write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    with logsql.connect(str(folder / "case.duckdb"), tz="UTC") as s:
        s.sql("CREATE TABLE t AS SELECT '1' AS a, '10.0.0.1' AS ip, 80 AS port").rows()
        s.add_lookup("codes", pa.table({"a": ["1"], "b": ["secret"]}))
        s.save(s.query("table t"), "before")
        shell = s.service("ml")
        shell.out = shell.err = lambda text: None
        assert shell.run(f'ml.addCsvInput rows "{folder / "rows.csv"}"') == 0
        for kind, items in (("ip", "10.0.0.1"), ("port", "80"), ("text", "secret")):
            place = Path(s.state_folder) / "objects" / kind
            place.mkdir(parents=True)
            (place / "watch.txt").write_text(items, encoding="utf-8")
        (Path(s.state_folder) / "procs").mkdir()
        (Path(s.state_folder) / "procs" / "one.lq").write_text('json "{}"', encoding="utf-8")
    return folder


#: What reads the state folder, and whether the answer is there when that folder is allowed.
STATE_QUERIES = (
    "table t | lookup codes a output b",
    "lookuptable codes",
    'table t | eval m = matchblackip("watch", ip)',
    'table t | eval m = matchnet("watch", ip)',
    'table t | eval m = matchport("watch", port)',
    'table t | eval m = matchfeed("watch", ip)',
    'table t | eval m = matchsig("watch", ip)',
    "load before",
    "proc one()",
)


def refused(session: logsql.Session, text: str) -> bool:
    with pytest.raises(LogsqlError) as caught:
        session.query(text).rows()
    return caught.value.code == "E4001"


@pytest.mark.parametrize("text", STATE_QUERIES)
def test_a_state_folder_outside_is_neither_read_nor_listed(case: Path, tmp_path: Path, text: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True, directories=[str(other)]) as s:
        assert refused(s, text)
        assert s.lookup_names() == []
        assert s.service("objects").names("ip") == []


@pytest.mark.parametrize("text", STATE_QUERIES)
def test_a_state_folder_inside_stays_usable(case: Path, text: str) -> None:
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True, directories=[str(case)]) as s:
        assert len(s.query(text).rows()) == 1
        assert s.lookup_names() == ["codes"]


def test_sql_reads_no_kept_lookup_outside(case: Path) -> None:
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True) as s:
        with pytest.raises(LogsqlError) as caught:
            s.sql("SELECT * FROM lookuptable('codes')").rows()
        assert caught.value.code == "E4001"


def test_a_missing_name_outside_answers_as_one_that_is_there(case: Path) -> None:
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True) as s:
        for text in ("lookuptable nothing", 'table t | eval m = matchfeed("nothing", ip)', "load nothing", "proc no()"):
            assert refused(s, text)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def ml(session: logsql.Session, line: str) -> tuple[int, str]:
    said: list[str] = []
    shell = session.service("ml")
    shell.out = shell.err = said.append
    return shell.run(line), "\n".join(said)


@pytest.mark.parametrize("line", ["ml.input rows", "ml.inputs", "ml.createModel iforest m rows fields=*", "ml.models"])
def test_input_cards_outside_are_neither_shown_nor_rewritten(case: Path, tmp_path: Path, line: str) -> None:
    (case / "rows.csv").write_text("a,b\n1,2\n3,4\n5,6\n", encoding="utf-8")
    before = snapshot(case)
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True, directories=[str(tmp_path / "x")]) as s:
        code, said = ml(s, line)
        assert code == 3
        assert "not allowed in safe mode" in said
    assert snapshot(case) == before


def test_an_input_inside_is_shown_and_its_card_stays(case: Path) -> None:
    (case / "rows.csv").write_text("a,b\n1,2\n3,4\n5,6\n", encoding="utf-8")
    before = snapshot(case)
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True, directories=[str(case)]) as s:
        code, said = ml(s, "ml.input rows")
        assert code == 0
        assert "3" in said.split()
        assert ml(s, "ml.removeInput rows")[0] == 3
    assert snapshot(case) == before
    with logsql.connect(str(case / "case.duckdb"), tz="UTC") as s:
        assert ml(s, "ml.input rows")[0] == 0
    assert snapshot(case) != before


@pytest.mark.parametrize(
    "words",
    [
        ["-q", "lookuptable codes"],
        ["-q", "table t | lookup codes a output b"],
        ["-q", 'table t | eval m = matchblackip("watch", ip)'],
        ["ml", "input", "rows"],
        ["ml", "inputs"],
    ],
)
def test_the_command_line_refuses_too(case: Path, capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    (case / "rows.csv").write_text("a,b\n1,2\n3,4\n5,6\n", encoding="utf-8")
    before = snapshot(case)
    assert main(["--safe", "--db", str(case / "case.duckdb"), *words]) == 3
    assert "not allowed in safe mode" in capfd.readouterr().err
    assert snapshot(case) == before


@pytest.mark.parametrize("line", ["lookuptable codes", "ml.input rows", "ml.inputs"])
def test_the_shell_refuses_too(case: Path, line: str) -> None:
    out, err = io.BytesIO(), io.StringIO()
    with logsql.connect(str(case / "case.duckdb"), tz="UTC", safe=True) as s:
        assert Shell(s, Settings(), out, Voice(err)).execute(line) == 3
    assert "not allowed in safe mode" in err.getvalue()
    assert b"secret" not in out.getvalue()


def test_a_missing_file_outside_has_no_neighbours(tmp_path: Path) -> None:
    (tmp_path / "evidence.csv").write_text("a\n1\n", encoding="utf-8")
    inside = tmp_path / "case"
    inside.mkdir()
    with logsql.connect(tz="UTC", safe=True, directories=[str(inside)]) as s, pytest.raises(LogsqlError) as caught:
        s.query(f"csvfile {tmp_path}/evidenc.csv").rows()
    assert "evidence.csv" not in str(caught.value.diagnostic)


# --- the command line and the shell -----------------------------------------------------------------------------------


def test_words_that_name_files_are_asked_as_a_query_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    inside, outside = tmp_path / "case", tmp_path / "other"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "one.lq").write_text('json   "{}"', encoding="utf-8")
    (inside / "out.csv").symlink_to(outside / "kept.csv")
    (outside / "kept.csv").write_text("kept\n", encoding="utf-8")
    before = snapshot(tmp_path)
    safe = ["--safe", "--allow-dir", str(inside)]
    for words in (
        ["-q", 'json "{}"', "-o", str(inside / "out.csv")],
        ["-q", 'json "{}"', "-o", str(inside / "new.csv")],
        ["sql", "SELECT 1", "-o", str(outside / "new.csv")],
        [str(outside / "one.lq")],
        ["check", str(outside / "one.lq")],
        ["fmt", str(outside / "one.lq")],
        ["fmt", "--write", str(inside / "one.lq")],
    ):
        assert main([*safe, *words]) == 3, words
        assert "E4001" in capfd.readouterr().err
    for words in ([str(inside / "one.lq")], ["check", str(inside / "one.lq")], ["fmt", str(inside / "one.lq")]):
        assert main([*safe, *words]) == 0, words
    assert snapshot(tmp_path) == before


def test_the_shell_runs_no_file_from_outside(tmp_path: Path) -> None:
    inside = tmp_path / "case"
    inside.mkdir()
    (tmp_path / "one.lq").write_text("json \"{'a': 'told'}\"", encoding="utf-8")
    out, said = io.BytesIO(), io.StringIO()
    with logsql.connect(tz="UTC", safe=True, directories=[str(inside)]) as s:
        shell = Shell(s, Settings(), out, Voice(said))
        assert shell.execute(f"\\i {tmp_path}/one.lq") == 3
        assert shell.execute(f"\\d {tmp_path}/one.lq") == 1  # no such table: a name is never a path
    assert "internal error" not in said.getvalue()
    assert (out.getvalue(), said.getvalue().count("E4001")) == (b"", 1)
