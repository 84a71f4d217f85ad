"""Output commands: the bytes of every format, files that appear whole or not at all.

Expected bytes are written out from language.md 8.7 and decision 17, or come from Python's own csv, json, gzip, codecs.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import Interrupted, LogsqlError, PolicyError, QueryError, RunError
from tests.support import ROOT, sample

MOMENT = dt.datetime(2024, 1, 31, 15, 0, 1, 500_000, tzinfo=dt.UTC)  # 2024-02-01 00:00:01.5 in Seoul


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logsql.Session]:
    monkeypatch.chdir(tmp_path)
    with logsql.connect(tz="Asia/Seoul") as session:
        session.register("n", pa.table({"a": [1, 2]}))
        session.register("ko", pa.table({"a": ["한글", "펲", "😀😀x"]}))
        yield session


def run(session: logsql.Session, query: str, **params: Any) -> list[dict[str, Any]]:
    return session.query(query, params).rows()


def failure(session: logsql.Session, query: str) -> LogsqlError:
    with pytest.raises(LogsqlError) as caught:
        run(session, query)
    return caught.value


def names(folder: str = ".") -> list[str]:
    """Every file below a folder, hidden ones too."""
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


class Rows:
    """A registered source that calls back before its only batch, so that a test sees when rows are read."""

    def __init__(self, before: Callable[[], None], rows: int = 3) -> None:
        self.schema = pa.schema([pa.field("a", pa.int64())])
        self.before = before
        self.rows = rows

    def __arrow_c_schema__(self) -> Any:
        return self.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        def batches() -> Iterator[pa.RecordBatch]:
            yield pa.record_batch([pa.array(range(self.rows), pa.int64())], schema=self.schema)
            self.before()

        return pa.RecordBatchReader.from_batches(self.schema, batches()).__arrow_c_stream__(requested_schema)


def kinds() -> pa.Table:
    """One row per case, with a value of every type."""
    return pa.table(
        {
            "when": pa.array([MOMENT, None], pa.timestamp("us", tz="UTC")),
            "text": ['he said "hi", twice\r\nand left', None],
            "bin": [b"\x00\xff", None],
            "big": pa.array([2**64 - 1, None], pa.uint64()),
            "list": [[1, None], None],
            "real": [404.0, None],
            "yes": [True, None],
        }
    )


# --- formats ----------------------------------------------------------------------------------------------------------


def test_csv_bytes(session: logsql.Session) -> None:
    session.register("k", kinds())
    rows = run(session, "table k | outputcsv out.csv when, text, bin, big, list, real, yes, gone | fields big")
    assert rows == [{"big": 2**64 - 1}, {"big": None}]
    assert Path("out.csv").read_bytes() == (
        b'"when","text","bin","big","list","real","yes","gone"\n'
        b'"2024-02-01 00:00:01+0900","he said ""hi"", twice\r\nand left","00ff","18446744073709551615",'
        b'"[1, null]","404.0","true",""\n'
        b'"","","","","","","",""\n'
    )
    with open("out.csv", encoding="utf-8", newline="") as file:
        assert [len(row) for row in csv.reader(file)] == [8, 8, 8]


def test_tab_separated(session: logsql.Session) -> None:
    run(session, 'table n | eval b = "x\\ty" | outputcsv tab=t out.tsv a, b')
    assert Path("out.tsv").read_bytes() == b'"a"\t"b"\n"1"\t"x\ty"\n"2"\t"x\ty"\n'


def test_quotes_in_field_names(session: logsql.Session) -> None:
    session.register("q", pa.table({'say "x"': [1]}))
    run(session, 'table q | outputcsv out.csv say "x"')
    assert Path("out.csv").read_bytes() == b'"say ""x"""\n"1"\n'


def test_json_bytes(session: logsql.Session) -> None:
    session.register("k", kinds())
    run(session, "table k | outputjson out.json")
    assert Path("out.json").read_bytes().decode() == (
        '{"when":"2024-02-01 00:00:01+0900","text":"he said \\"hi\\", twice\\r\\nand left","bin":"00ff",'
        '"big":18446744073709551615,"list":[1,null],"real":404.0,"yes":true}\n'
        '{"when":null,"text":null,"bin":null,"big":null,"list":null,"real":null,"yes":null}\n'
    )


def test_json_of_chosen_fields_in_their_order(session: logsql.Session) -> None:
    run(session, 'json "[{a: 1, b: {c: \\"가\\"}}]" | outputjson out.json b, gone, a, b')
    assert Path("out.json").read_text() == '{"b":{"c":"가"},"gone":null,"a":1}\n'


def test_json_of_a_row_without_fields(session: logsql.Session) -> None:
    run(session, 'json "{}" | outputjson out.json')
    assert Path("out.json").read_text() == "{}\n"


def test_mixed_values(session: logsql.Session) -> None:
    session.register("k", kinds().slice(0, 1))
    run(session, 'table k | eval m = array(1, "1", bin, when), v = if(yes, bin, 1) | outputjson out.json m, v')
    assert json.loads(Path("out.json").read_text()) == {"m": [1, "1", "00ff", "2024-02-01 00:00:01+0900"], "v": "00ff"}


def test_text_bytes(session: logsql.Session) -> None:
    session.register("k", kinds())
    run(session, 'table k | outputtxt out.txt yes, big | outputtxt delimiter="|" bars.txt yes, gone, big')
    assert Path("out.txt").read_bytes() == b"true 18446744073709551615\n \n"
    assert Path("bars.txt").read_bytes() == b"true||18446744073709551615\n||\n"


def test_gzip(session: logsql.Session) -> None:
    run(session, "table n | outputtxt gz=t out.gz a")
    run(session, "table n | outputtxt gz=t append=t out.gz a")
    assert gzip.decompress(Path("out.gz").read_bytes()) == b"1\n2\n1\n2\n"


def test_open_rows_show_the_fields_of_all_rows(session: logsql.Session) -> None:
    docs = [{"d": '{"p": 1, "q": [1, {}]}'}, {"d": '{"q": "x", "r": null}'}]
    session.register("docs", pa.Table.from_pylist(docs))
    rows = run(session, "table docs | parsejson field=d overlay=t | fields - d | outputjson out.json")
    written = [json.loads(line) for line in Path("out.json").read_text().splitlines()]
    assert written == [{"p": 1, "q": [1, {}], "r": None}, {"p": None, "q": "x", "r": None}] == rows
    run(session, "table docs | parsejson field=d overlay=t | outputcsv out.csv q, p, zz")
    assert Path("out.csv").read_text() == '"q","p","zz"\n"[1, {}]","1",""\n"x","",""\n'


def test_pivot_columns_in_value_order(session: logsql.Session) -> None:
    session.register("t", pa.table({"h": ["x", "x", "y"], "code": [404, 200, 200]}))
    run(session, "table t | pivot count rows h cols code | outputjson out.json")
    assert Path("out.json").read_text() == '{"h":"x","200":1,"404":1}\n{"h":"y","200":1,"404":null}\n'


def test_rows_are_written_in_order(session: logsql.Session) -> None:
    session.register("t", pa.table({"a": list(range(200_000, 0, -1))}))
    run(session, "table t | sort a | outputtxt out.txt a | stats count")
    assert Path("out.txt").read_text() == "".join(f"{n}\n" for n in range(1, 200_001))


# --- encodings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected", "lost"),
    [
        ("utf-8", "한글\n펲\n😀😀x\n".encode(), 0),
        ("MS949", "한글\n펲\n??x\n".encode("cp949"), 2),
        ("EUC-KR", "한글\n?\n??x\n".encode("euc_kr"), 3),  # 펲 is no KS X 1001 syllable
        ("US-ASCII", b"??\n?\n??x\n", 5),
        ("UTF-16", codecs.BOM_UTF16_BE + "한글\n펲\n😀😀x\n".encode("utf-16-be"), 0),  # as Java writes it
        ("UTF-16LE", "한글\n펲\n😀😀x\n".encode("utf-16-le"), 0),
    ],
)
def test_encodings(session: logsql.Session, name: str, expected: bytes, lost: int) -> None:
    result = session.query(f"table ko | outputtxt encoding={name} out.txt a")
    result.rows()
    assert Path("out.txt").read_bytes() == expected
    assert [(e.reason, e.count) for e in result.ledger] == (
        [(f"characters-not-in-{name.lower()}", lost)] if lost else []
    )


@pytest.mark.parametrize(
    ("name", "mark"),
    [("utf-8", codecs.BOM_UTF8), ("utf-16le", codecs.BOM_UTF16_LE), ("utf-16", codecs.BOM_UTF16_BE)],
)
def test_byte_order_mark_once(session: logsql.Session, name: str, mark: bytes) -> None:
    codec = {"utf-16": "utf-16-be", "utf-16le": "utf-16-le"}.get(name, name)
    for _ in range(2):
        run(session, f"table n | outputcsv append=t bom=t encoding={name} out.csv a")
    assert Path("out.csv").read_bytes() == mark + '"a"\n"1"\n"2"\n"1"\n"2"\n'.encode(codec)


# --- files that exist -------------------------------------------------------------------------------------------------


def test_second_run_is_refused(session: logsql.Session) -> None:
    run(session, "table n | outputcsv out.csv a")
    before = Path("out.csv").read_bytes()
    error = failure(session, "table n | limit 1 | outputcsv out.csv a")
    assert error.code == "30206"
    assert "overwrite=t" in (error.help or "")
    assert (Path("out.csv").read_bytes(), names()) == (before, ["out.csv"])


def test_a_file_in_the_way_is_said_before_rows_are_read(session: logsql.Session) -> None:
    read: list[int] = []
    session.registered["slow"] = Rows(lambda: read.append(1))
    Path("out.txt").write_text("old")
    assert failure(session, "table slow | sort a | outputjson new.json | outputtxt out.txt a").code == "30406"
    assert (read, names()) == ([], ["out.txt"])


def test_a_file_that_comes_up_meanwhile_is_kept(session: logsql.Session) -> None:
    session.registered["slow"] = Rows(lambda: Path("out.json").write_text("theirs") and None)
    assert failure(session, "table slow | outputjson out.json").code == "30306"
    assert (Path("out.json").read_text(), names()) == ("theirs", ["out.json"])


@pytest.mark.posix("file modes and links")
def test_overwrite_keeps_permissions_and_links(session: logsql.Session) -> None:
    Path("real.txt").write_text("a long old text\n")
    os.chmod("real.txt", 0o640)
    os.symlink("real.txt", "out.txt")
    run(session, "table n | outputtxt overwrite=t out.txt a")
    assert Path("real.txt").read_text() == "1\n2\n"
    assert os.path.islink("out.txt")
    assert os.stat("real.txt").st_mode & 0o777 == 0o640


def test_a_query_may_overwrite_the_file_it_reads(session: logsql.Session) -> None:
    Path("x.csv").write_text("a,b\n1,2\n3,4\n")
    run(session, "csvfile x.csv | outputcsv overwrite=t x.csv b")
    assert Path("x.csv").read_text() == '"b"\n"2"\n"4"\n'


def test_append_writes_one_header(session: logsql.Session) -> None:
    for _ in range(3):
        run(session, "table n | outputcsv append=t out.csv a")
    assert Path("out.csv").read_text() == '"a"\n' + '"1"\n"2"\n' * 3


def test_append_to_a_last_line_without_end(session: logsql.Session) -> None:
    Path("out.txt").write_text("0")
    run(session, "table n | outputtxt append=t out.txt a")
    assert Path("out.txt").read_text() == "0\n1\n2\n"


def test_reading_twice_writes_once(session: logsql.Session) -> None:
    result = session.query("table n | outputtxt append=t out.txt a")
    assert result.rows() == result.rows() == [{"a": 1}, {"a": 2}]
    assert result.arrow().num_rows == 2
    assert Path("out.txt").read_text() == "1\n2\n"


def test_appends_at_the_same_time_do_not_mix(session: logsql.Session) -> None:
    session.register("t", pa.table({"a": list(range(20_000))}))
    problems: list[BaseException] = []

    def work(number: int) -> None:
        try:
            other = session.sibling()
            other.query(f"table t | eval w = {number} | outputtxt append=t out.txt w, a").rows()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    lines = Path("out.txt").read_text().splitlines()
    runs = [lines[i : i + 20_000] for i in range(0, 80_000, 20_000)]
    assert sorted(runs) == [[f"{w} {a}" for a in range(20_000)] for w in range(4)]


def test_tmp_is_moved_at_the_end(session: logsql.Session) -> None:
    os.mkdir("work")
    run(session, "table n | outputtxt tmp=work/part out.txt a")
    run(session, "table n | outputtxt tmp=work/part append=t out.txt a")
    assert (Path("out.txt").read_text(), names()) == ("1\n2\n1\n2\n", ["out.txt"])
    Path("work/part").write_text("busy")
    assert failure(session, "table n | outputtxt tmp=work/part overwrite=t out.txt a").code == "30403"
    assert Path("work/part").read_text() == "busy"


def test_no_rows(session: logsql.Session) -> None:
    run(session, "table n | search a > 9 | outputcsv out.csv a")
    assert names() == []
    run(session, "table n | search a > 9 | outputcsv emptyfile=t out.csv a | outputtxt emptyfile=t out.txt a")
    assert (Path("out.csv").read_bytes(), Path("out.txt").read_bytes()) == (b'"a"\n', b"")
    Path("old.csv").write_text("old")
    result = session.query("table n | search a > 9 | outputcsv overwrite=t old.csv a")
    result.rows()
    assert Path("old.csv").read_text() == "old"
    assert [e.source for e in result.ledger] == ["old.csv"]


# --- partitions -------------------------------------------------------------------------------------------------------


def test_partition_by_the_date_of_the_row(session: logsql.Session) -> None:
    times = [MOMENT - dt.timedelta(seconds=2), MOMENT, MOMENT + dt.timedelta(hours=3)]
    session.register("t", pa.table({"_time": times, "a": [1, 2, 3]}))
    run(session, "table order=asc t | outputcsv partition=t out/{logtime:yyyy/MM-dd}.csv a")
    assert names() == ["out/2024/01-31.csv", "out/2024/02-01.csv"]
    assert Path("out/2024/01-31.csv").read_text() == '"a"\n"1"\n'
    assert Path("out/2024/02-01.csv").read_text() == '"a"\n"2"\n"3"\n'
    assert failure(session, "table t | outputcsv partition=t out/{logtime:yyyy/MM-dd}.csv a").code == "30206"
    run(session, "table order=asc t | outputcsv partition=t append=t out/{logtime:yyyy/MM-dd}.csv a")
    assert Path("out/2024/01-31.csv").read_text() == '"a"\n"1"\n"1"\n'


def test_partition_by_milliseconds_uses_them(session: logsql.Session) -> None:
    session.register("t", pa.table({"_time": [MOMENT, MOMENT + dt.timedelta(milliseconds=7)], "a": [1, 2]}))
    run(session, "table t | outputtxt partition=t {logtime:ss.SSS}.txt a")
    assert names() == ["01.500.txt", "01.507.txt"]


def test_rows_without_a_date_go_by_the_time_of_the_query(session: logsql.Session) -> None:
    session.register("t", pa.table({"_time": [MOMENT, None], "a": [1, 2]}))
    years = {dt.datetime.now(dt.UTC).year, (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).year}
    result = session.query("table t | outputtxt partition=t {logtime:yyyy}.txt a")
    result.rows()
    assert Path("2024.txt").read_text() == "1\n"
    assert any(Path(f"{year}.txt").exists() and Path(f"{year}.txt").read_text() == "2\n" for year in years)
    assert [(e.reason, e.count) for e in result.ledger] == [("rows-without-date-in-path", 1)]


def test_partition_by_the_time_of_the_query(session: logsql.Session) -> None:
    before = dt.datetime.now(dt.timezone(dt.timedelta(hours=9)))
    run(session, "table n | outputjson partition=t logs/{now:yyyy}.json a")
    assert names() in ([f"logs/{before.year}.json"], [f"logs/{before.year + 1}.json"])


@pytest.mark.parametrize("zipped", [False, True])
def test_more_partitions_than_open_files(session: logsql.Session, zipped: bool) -> None:
    minutes = [MOMENT + dt.timedelta(minutes=n % 300) for n in range(1200)]
    session.register("t", pa.table({"_time": minutes, "a": list(range(1200))}))
    option = "gz=t" if zipped else "append=t"
    query = f"table t | sort a | outputtxt partition=t {option} p/{{logtime:ddHHmm}} a"
    list(session.query(query).batches(100))
    assert len(names()) == 300
    data = Path("p", "010001").read_bytes()  # the second minute of 1 February in Seoul
    assert (gzip.decompress(data) if zipped else data) == b"1\n301\n601\n901\n"


def test_failure_in_a_partition_leaves_none(session: logsql.Session) -> None:
    times = [MOMENT, MOMENT + dt.timedelta(days=1)]
    session.register("t", pa.table({"_time": times, "a": [1, 2]}))
    Path("02.txt").write_text("old")
    assert failure(session, "table order=asc t | outputtxt partition=t {logtime:dd}.txt a").code == "30406"
    assert (names(), Path("02.txt").read_text()) == (["02.txt"], "old")


# --- failing, killing -------------------------------------------------------------------------------------------------


def test_a_failing_query_leaves_the_old_file(session: logsql.Session) -> None:
    def fail() -> None:
        raise OSError("the source broke")

    session.registered["bad"] = Rows(fail, 100_000)
    Path("out.txt").write_text("old\n")
    for option in ("overwrite=t", "append=t"):
        failure(session, f"table bad | outputtxt {option} out.txt a")
        assert (Path("out.txt").read_text(), names()) == ("old\n", ["out.txt"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_disk_is_an_error(session: logsql.Session) -> None:
    error = failure(session, "table n | outputtxt /dev/full a")
    assert isinstance(error, RunError)
    assert (error.code, error.name) == ("30404", "io-error")


@pytest.mark.parametrize("most_copied", [1 << 20, 0])
def test_a_failing_append_is_cut_off_again(
    session: logsql.Session, monkeypatch: pytest.MonkeyPatch, most_copied: int
) -> None:
    from logsql.store import appending

    def half(source: Any, target: Any, size: int) -> None:
        target.write(source.read(1))
        target.flush()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(appending, "MOST_COPIED", most_copied)
    monkeypatch.setattr(appending.shutil, "copyfileobj", half)
    Path("out.txt").write_text("old\n")
    for query in ("outputtxt append=t out.txt a", "outputcsv append=t new.csv a"):
        assert failure(session, f"table n | {query}").code in ("30404", "30203")
    assert (Path("out.txt").read_text(), names()) == ("old\n", ["out.txt"])


_WRITING = """
import logsql
with logsql.connect(tz="UTC") as session:
    session.sql("create view big as select range as a, repeat('x', 200) as t from range(3000000)").rows()
    print("go", flush=True)
    session.query("table big | outputcsv {option} encoding=cp949 out.csv a, t").rows()
"""


@pytest.mark.posix("kill -9")
@pytest.mark.parametrize("option", ["", "overwrite=t", "append=t"])
def test_killed_while_writing(tmp_path: Path, option: str) -> None:
    if option:
        (tmp_path / "out.csv").write_text("old\n")
    code = _WRITING.replace("{option}", option)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=env, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while not any(p.stat().st_size for p in tmp_path.glob(".logsql-*.part")):
            assert child.poll() is None, "the query was over before it was seen writing"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
    finally:
        child.kill()
        child.communicate()
    whole = tmp_path / "out.csv"
    assert (whole.read_text() if option else whole.exists()) == ("old\n" if option else False)


def test_interrupted_while_writing(session: logsql.Session) -> None:
    session.sql("create view big as select range as a, repeat('x', 200) as t from range(3000000)").rows()
    watching = threading.Event()

    def stop() -> None:
        while not any(p.stat().st_size for p in Path().glob(".logsql-*.part")) and not watching.is_set():
            time.sleep(0.005)
        session.interrupt()

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        with pytest.raises(Interrupted):
            run(session, "table big | outputcsv encoding=cp949 out.csv a, t")
    finally:
        watching.set()
        thread.join(30)
    assert names() == []


def test_many_rows(session: logsql.Session) -> None:
    rows = sample(1_000_000, 200_000)
    session.sql(f"create view big as select range as a, 'row \"' || range || '\"' as t from range({rows})").rows()
    assert run(session, "table big | outputcsv out.csv a, t | outputjson out.json | stats count") == [{"count": rows}]
    with open("out.csv", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        assert next(reader) == ["a", "t"]
        assert all(row == [str(n), f'row "{n}"'] for n, row in enumerate(reader))
        assert reader.line_num == rows + 1
    with open("out.json", encoding="utf-8") as file:
        total = 0
        for number, line in enumerate(file):
            total += 1
            if number % 1000 == 0:
                assert json.loads(line) == {"a": number, "t": f'row "{number}"'}
    assert total == rows


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("outputcsv", "30202"),
        ("outputcsv out", "30202"),
        ("outputcsv out a,", "30200"),
        ("outputcsv {now:yyyy} a", "30201"),
        ("outputcsv partition=t out a", "30201"),
        ("outputcsv partition=t {now:bad} a", "90820"),
        ("outputcsv encoding=klingon out a", "30204"),
        ("outputcsv bom=t encoding=ms949 out a", "30204"),
        ("outputcsv overwrite=t append=t out a", "30205"),
        ("outputcsv gz=t out a", "90001"),
        ("outputcsv flush=1parsec out a", "90502"),
        ("outputjson", "30302"),
        ("outputjson out a,", "30300"),
        ("outputjson {logtime:yyyy} a", "30301"),
        ("outputjson overwrite=t append=t out", "30304"),
        ("outputjson tab=t out", "90001"),
        ("outputtxt out", "30402"),
        ("outputtxt out a,", "30400"),
        ("outputtxt {logtime:yyyy} a", "30401"),
        ("outputtxt overwrite=t append=t out a", "30407"),
        ("mv from=x", "30501"),
        ("mv to=x", "30501"),
        ("insert", "30701"),
    ],
)
def test_refused_before_it_runs(session: logsql.Session, command: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        session.query(f"table n | {command}")
    assert caught.value.code == code
    assert names() == []


@pytest.mark.parametrize("path", [".", "missing/out.csv"])
def test_places_that_hold_no_file(session: logsql.Session, path: str) -> None:
    error = failure(session, f"table n | outputcsv {path} a")
    assert (error.code, error.name) == ("30203", "io-error")


@pytest.mark.parametrize(
    "command",
    [
        "outputcsv out.csv a",
        "outputjson append=t out.json",
        "outputtxt partition=t {now:yyyy}.txt a",
        "mv from=a.txt to=b.txt",
        "insert create=t table=a",
    ],
)
def test_safe_mode_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("x")
    read: list[int] = []
    with logsql.connect(tz="UTC", safe=True, directories=[str(tmp_path)]) as session:
        session.registered["t"] = Rows(lambda: read.append(1))
        with pytest.raises(PolicyError):
            session.query(f"table t | {command}").rows()
        assert session.tables() == ["t"]
    assert (names(), read) == (["a.txt"], [])


def test_translating_writes_nothing(session: logsql.Session) -> None:
    text = session.translate("table n | outputcsv out.csv a")
    assert "write out.csv" in text
    assert names() == []


def test_paths(session: logsql.Session) -> None:
    run(session, 'table n | outputtxt "with blank.txt" a')
    run(session, 'table n | outputtxt $("where") a', where="given.txt")
    assert names() == ["given.txt", "with blank.txt"]
    assert failure(session, 'table n | outputtxt $("nowhere") a').code == "30402"


def test_csv_reads_back(session: logsql.Session) -> None:
    """A writer and Python's reader agree on every character a cell can hold."""
    cells = ['"', '""', ",", "\n", "\r\n", "\t", " ", "", "'", "\\", "\x00", "\u2028", "한글", "😀", '",\n"']
    session.register("t", pa.table({"a": cells, "b": cells[::-1]}))
    run(session, "table t | outputcsv out.csv a, b")
    text = Path("out.csv").read_bytes().decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows == [["a", "b"], *map(list, zip(cells, cells[::-1], strict=True))]
