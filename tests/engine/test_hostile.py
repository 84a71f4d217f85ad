"""What a hostile file, name or query tried: each took all memory, all time, or ended in an exception of Python."""

from __future__ import annotations

import json
import os
import time
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.shell import inputs
from logsql.store import queryfiles
from logsql.store.folders import file_stem
from logsql.store.policy import Policy
from udfs.readers.base import ReaderError
from udfs.readers.evidence import HostPattern
from udfs.readers.files import Files
from udfs.readers.patterns import entry_test, wildcard


def code(query: str) -> str:
    with logsql.connect(tz="UTC", timeout=20) as s, pytest.raises(LogsqlError) as caught:
        s.query(query).rows()
    return caught.value.code


@pytest.mark.parametrize("pattern", ["x{2147483647}", "((x{1000}){1000}){1000}", "(?:x{1000}|y){1000}"])
def test_a_regular_expression_that_would_fill_the_memory(pattern: str) -> None:
    """Its repetitions are written out by the library: 24 GB, and the machine ended the process."""
    assert code(f"json \"{{'a':'xxx'}}\" | rex field=a \"(?<b>{pattern})\"") == "20901"
    assert code(f'json "{{\'a\':\'xxx\'}}" | eval b = replace(a, "{pattern}", "y", "re")') == "90710"
    with logsql.connect(tz="UTC") as s:
        (row,) = s.query("json \"{'a':'xxx'}\" | rex field=a \"(?<b>x{0,2000000000})\" | fields b").rows()
        assert row == {"b": "xxx"}


def test_patterns_of_names_end_in_time(tmp_path: Path) -> None:
    """Every ``*`` was tried at every place: a name of 250 characters kept twenty of them busy for ever."""
    begun = time.process_time()
    assert not wildcard("*a" * 20 + "b").fullmatch("a" * 250)
    assert wildcard("*a" * 20 + "*c").fullmatch("a" * 250 + "c")
    assert not entry_test("x/**/" + "*a" * 20 + "b").fullmatch("x/" + "a" * 250)
    deep = "a/" * 2_000
    assert not entry_test("**/a/" * 20 + "b.txt").fullmatch(deep + "c.txt")
    assert entry_test("**/a/" * 20 + "c.txt").fullmatch(deep + "c.txt")
    place = tmp_path
    for _ in range(60):
        place = place / "a"
    place.mkdir(parents=True)
    (place / "c.txt").write_text("x\n")
    assert len(Files().expand(f"{tmp_path}/" + "**/a/" * 20 + "c.txt")) == 1
    with pytest.raises(ReaderError):
        Files().expand(f"{tmp_path}/" + "**/a/" * 20 + "b.txt")
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("a*b*c", "abbc", True), ("a*b*c", "abcx", False), ("*ab*ab", "xabab", True), ("*ab*ab", "ab", False),
        ("a**b", "axb", True), ("*", "", True), ("**/x/*.log", "p/x/q/x/y.LOG", True), ("**/x/*.log", "x/a.log", True),
        ("x/**/y/**/z", "x/y/z", True), ("x/**/y/**/z", "x/a/y/b/c/z", True), ("x/**/y/**/z", "x/a/b/z", False),
        ("x/**", "x/a/b", True), ("x/**", "x/", False), ("**/a/b/**/c", "a/a/b/c", True),
    ],
)  # fmt: skip
def test_what_patterns_of_names_mean(pattern: str, name: str, fits: bool) -> None:
    assert bool(entry_test(pattern).fullmatch(name)) == fits


def test_the_pattern_of_a_machine_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from udfs.readers import evidence

    monkeypatch.setattr(evidence, "_LONGEST_SEARCH", 0.2)
    with pytest.raises(ReaderError, match="host="):
        HostPattern(r"^(?=(a+))(?:a|aa)+$").of("a" * 60 + "!")
    with pytest.raises(ReaderError, match="host="):
        HostPattern("(?<host>x{2147483647})")
    assert HostPattern(r"(?<=hosts/)(?<host>[^/]+)").of("hosts/pc1/x") == "pc1"


@pytest.mark.posix("names of any bytes")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    """``_file`` could not be written as UTF-8: a Python error inside of a reader."""
    (tmp_path / "ok.csv").write_text("a\n1\n")
    for ending, text in (("csv", "a\n2\n"), ("json", '{"a":2}\n'), ("xml", "<a>2</a>"), ("zip", "")):
        path = os.fsencode(tmp_path / "bad") + b"\xff." + ending.encode()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        if ending == "zip":
            with zipfile.ZipFile(os.fsdecode(path), "w") as archive:
                archive.writestr("a.txt", "2\n")
    with logsql.connect(tz="UTC") as s:
        for query in ("csvfile {}/*.csv", "jsonfile {}/*.json", "xmlfile {}/*.xml", "textfile {}/b*.xml"):
            assert "bad\ufffd" in {
                str(row["_file"]).partition(".")[0] for row in s.query(query.format(tmp_path)).rows()
            }
        assert len(s.query(f"triage {tmp_path}").rows()) == 5
        assert s.query(f"zipfile {tmp_path}/*.zip * | fields line").rows() == [{"line": "2"}]
        assert s.query(f"zipfile-entries {tmp_path}/*.zip | stats count").rows() == [{"count": 1}]
        s.query(f"timeline {tmp_path} | stats count").rows()


def test_lists_that_are_nested_deep(tmp_path: Path) -> None:
    """What Python cannot follow stays text; of a list made of one the types of its elements were looked for."""
    path = tmp_path / "deep.json"
    path.write_text('{"a":' + "[" * 5_000 + "1" + "]" * 5_000 + "}\n")
    with logsql.connect(tz="UTC") as s:
        (row,) = s.query(f"jsonfile {path} | eval x = flatten(a), y = unique(a), n = len(a)").rows()
        assert row["n"] == 1
        assert json.dumps(str(row["x"])[:20])


def test_parsekv_of_many_keys_of_which_one_comes_twice(tmp_path: Path) -> None:
    """Every key was looked for behind itself: 20,000 keys took 18 s, twice as many four times as long."""
    path = tmp_path / "keys.txt"
    path.write_text(" ".join(f"k{n}=v{n}" for n in range(60_000)) + " k59999=last k7=x\n")
    begun = time.process_time()
    with logsql.connect(tz="UTC") as s:
        (row,) = s.query(f"textfile {path} | parsekv | fields k7, k8, k59999").rows()
    assert row == {"k7": "x", "k8": "v8", "k59999": "last"}
    assert time.process_time() - begun < 20  # 3 s; was 160 s


def test_rules_about_texts_look_at_no_text_of_many_megabytes(tmp_path: Path) -> None:
    """The note about delimiters cut a line of 60 MB into 15,000,000 texts of Python: 1.3 GB, before anything ran."""
    path = tmp_path / "long.txt"
    path.write_text("k:v " * 500_000 + "\na:1 b:2\n")
    with logsql.connect(tz="UTC") as s:
        (note,) = s.query(f"textfile {path} | parsekv").notes
    assert 'parsekv kvdelim=":"' in str(note)


def test_a_lookup_file_is_read_in_parts(tmp_path: Path) -> None:
    """A file of 112 MB was held as Python's lists, 1.9 GB, before any query and so before any limit."""
    path = tmp_path / "t.csv"
    with path.open("w") as file:
        file.write("a,b\n")
        file.writelines(f"key-{n},{'x' * 2_000}\n" for n in range(300_000))
    with logsql.connect(tz="UTC", memory_limit="100MB") as s, pytest.raises(LogsqlError) as caught:
        s.add_lookup("t", str(path))
    assert caught.value.code == "E1302"


def test_rows_of_a_lookup_file_of_several_lengths(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2,3\n\n4\n" + "5,6\n" * 30_000 + "7,8,9,10\n")
    with logsql.connect(tz="UTC") as s:
        s.add_lookup("t", str(path))
        query = "json \"[{'a':'1'},{'a':'4'},{'a':'7'}]\" | lookup t a output b, column2, column3"
        assert [list(row.values()) for row in s.query(query).rows()] == [
            ["1", "2", "3", None],
            ["4", None, None, None],
            ["7", "8", "9", "10"],
        ]


def test_a_lookup_file_with_a_cell_without_end(tmp_path: Path) -> None:
    """Python's csv module ends a cell of 131,072 characters with an exception of its own."""
    path = tmp_path / "t.csv"
    path.write_text('a,b\n"' + "x" * 300_000)
    with logsql.connect(tz="UTC") as s, pytest.raises(LogsqlError) as caught:
        s.add_lookup("t", str(path))
    assert caught.value.code == "E3101"


def test_a_query_file_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was read till memory ended."""
    monkeypatch.setattr(queryfiles, "MOST_QUERY", 1_000)
    path = tmp_path / "q.lq"
    path.write_text(" " * 1_001)
    with pytest.raises(LogsqlError, match="File too large"):
        inputs.read_query_file(str(path), Policy())


_MARK = {b"logsql.companion": b"1"}
_TEXT = pa.table({"a": ["1"]})
#: Files of a state folder that somebody else wrote: what is asked, where the file lies, what is in it.
PLANTED: dict[str, tuple[str, str, bytes | pa.Table, str]] = {
    "a list whose cell has no end": (
        'json "{a:\'x\'}" | eval m = matchfeed("x", a)',
        "objects/text/x.csv",
        b'"' + b"x" * 200_000,
        "E3101",
    ),
    "a stored query that is no text": ("proc x()", "procs/x.lq", b'json "\xff"', "E3039"),
    "a schema that is no text": ("schema x", "schemas/x.json", b'{"a": "\xff"}', "E3039"),
    "a saved result without its middle": ("load x", "results/x.parquet", b"PAR1" + b"\xff" * 900, "11201"),
    "a companion before any column": (
        "load x",
        "results/x.parquet",
        pa.table([["1"]], schema=pa.schema([pa.field("a", pa.string(), metadata=_MARK)])),
        "11201",
    ),
    "a companion of a number": (
        "load x",
        "results/x.parquet",
        pa.table(
            [[1], ["x"]],
            schema=pa.schema([pa.field("a", pa.int64()), pa.field("b", pa.string(), metadata=_MARK)]),
        ),
        "11201",
    ),
    "a column without a name": ("load x", "results/x.parquet", pa.table({"": ["1"]}), "11201"),
    "a lookup whose name is no text": (
        "lookuptable x",
        f"lookups/{file_stem('x')}.parquet",
        _TEXT.replace_schema_metadata({b"logsql.lookup": b"\xff", b"logsql.key": b"\xff"}),
        "20701",
    ),
    "a lookup whose key is no column": (
        "lookuptable x",
        f"lookups/{file_stem('x')}.parquet",
        _TEXT.replace_schema_metadata({b"logsql.lookup": b"x", b"logsql.key": b"none"}),
        "20701",
    ),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_files_of_the_state_folder_that_others_wrote(tmp_path: Path, kind: str) -> None:
    """It lies beside the database of a case: exceptions of csv, Arrow and of Python's codecs came out."""
    query, name, held, code = PLANTED[kind]
    with duckdb.connect(str(tmp_path / "c.duckdb")) as made:
        made.execute("create table t as select 1 a")
    path = tmp_path / "c.duckdb.ml" / name
    path.parent.mkdir(parents=True)
    if isinstance(held, bytes):
        path.write_bytes(held)
    else:
        pq.write_table(held, path)
    with logsql.connect(str(tmp_path / "c.duckdb"), tz="UTC") as s, pytest.raises(LogsqlError) as caught:
        s.query(query).rows()
    assert caught.value.code == code, str(caught.value)


def test_a_saved_result_whose_rows_are_damaged(tmp_path: Path) -> None:
    with duckdb.connect() as made:
        made.execute("copy (select md5(range::varchar) a from range(1000)) to ?", [str(tmp_path / "x.parquet")])
    data = bytearray((tmp_path / "x.parquet").read_bytes())
    data[4:40] = bytes(byte ^ 0xFF for byte in data[4:40])
    (tmp_path / "x.parquet").write_bytes(data)
    with logsql.connect(tz="UTC") as s, pytest.raises(LogsqlError) as caught:
        s.query(f"load {tmp_path}/x.parquet").rows()
    assert caught.value.code == "11201"


@pytest.mark.posix("links, pipes")
@pytest.mark.parametrize("ending", ["wal", "wal.checkpoint", "wal.recovery"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_lies_beside_a_database(tmp_path: Path, ending: str, kind: str) -> None:
    """DuckDB made or wrote the file that the link leads to, in safe mode too, and waited for a pipe without end."""
    case, other = tmp_path / "case", tmp_path / "other"
    case.mkdir()
    other.mkdir()
    with duckdb.connect(str(case / "c.duckdb")) as made:
        made.execute("create table t as select 1 a")
    beside = case / f"c.duckdb.{ending}"
    if kind == "pipe":
        os.mkfifo(beside)
    else:
        beside.symlink_to(other / "made")
    for more in ({}, {"safe": True, "allow_write": [str(case)]}):
        with pytest.raises(LogsqlError) as caught:
            logsql.connect(str(case / "c.duckdb"), tz="UTC", **more)  # type: ignore[arg-type]
        assert (caught.value.code, beside.name in str(caught.value)) == ("E3001", True)
    assert list(other.iterdir()) == []
