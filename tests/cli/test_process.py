"""The command line as a process: streams, exit codes, signals, files."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.cli.support import ENDLESS, command, env, make_database, run, started
from tests.support import ROOT


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_database(tmp_path_factory.mktemp("db") / "case.duckdb"))


def test_rows_go_to_stdout_and_nothing_else(db: str) -> None:
    done = run("-q", "table web | search status == 404 | fields src, bytes", "--db", db)
    assert done.returncode == 0
    assert done.stdout.decode() == '{"src":"10.0.0.2","bytes":7}\n{"src":"서울","bytes":null}\n'
    assert done.stderr == b""


def test_integers_keep_their_digits(db: str) -> None:
    done = run("-q", "table web | limit 1 | fields bytes", "--db", db, "-f", "csv")
    assert done.stdout == b"bytes\n9007199254740993\n"


def test_sql_dates_print_in_the_session_zone() -> None:
    done = run("sql", "select timestamptz '2011-02-19 05:34:06.5+00' as t, 'x'::blob as b", "--tz", "Asia/Seoul")
    assert done.stdout == b'{"t":"2011-02-19 14:34:06+0900","b":"78"}\n'


def test_stats_go_to_stderr(db: str) -> None:
    done = run("-q", "table web", "--db", db, "--stats")
    assert done.stdout.count(b"\n") == 3
    assert done.stderr.startswith(b"3 rows  ")
    assert b"s CPU" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("-q", "table web | statz count"), 1, "error[92000 unsupported-command]"),
        (("-q", "table web | search (status"), 1, "^"),
        (("--threads", "none"), 2, "--threads"),
        (("-q", "table web", "--tz", "Mars/Olympus"), 2, "Mars/Olympus"),
        (("missing.lq",), 3, "missing.lq"),
        (("sql", "select nonsense"), 1, "error["),
        (("sql", ENDLESS, "--timeout", "0.5"), 4, "0.5 seconds"),
        (("help", "statts"), 2, "did you mean stats?"),
        (("chek",), 3, "did you mean check?"),
        (("stats",), 3, "logsql help stats"),
        (("json '{}' | limit 1",), 3, "logsql -q 'QUERY'"),
        (("-q", "table web", "-o", "rows.xlsx"), 2, ".csv"),
    ],
)
def test_exit_codes_and_errors(db: str, words: tuple[str, ...], code: int, said: str) -> None:
    done = run(*words, "--db", db)
    assert done.returncode == code, done.stderr.decode()
    assert done.stdout == b""
    assert said in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_what_the_result_lacks_is_told_with_its_offset(tmp_path: Path) -> None:
    """Five hives whose update numbers differ (bytes 4 and 8), a file that is none, and a text with two broken lines."""
    hive = bytearray((ROOT / "sample_data" / "usb-leak" / "system.hive").read_bytes())
    hive[4:8] = (int.from_bytes(hive[4:8], "little") + 1).to_bytes(4, "little")
    words = np.frombuffer(bytes(hive[:508]), "<u4")
    hive[508:512] = int(np.bitwise_xor.reduce(words)).to_bytes(4, "little")  # the header's checksum
    for number in range(5):
        (tmp_path / f"{number}.hive").write_bytes(hive)
    (tmp_path / "9.hive").write_bytes(b"no hive")
    query = f"hive-file {tmp_path}/*.hive | stats count by _file"
    notes = run("-q", query).stderr.decode().splitlines()
    assert notes[0].startswith(f"note: not in the result: 1 not-a-hive in {tmp_path / '9.hive'}")
    for number, note in enumerate(notes[1:5]):
        assert note.startswith(f"note: about the source: dirty-hive in {tmp_path / f'{number}.hive'} (at byte 4): ")
    assert notes[5:] == ["note: 1 more of them (--loss lists all)"]
    head, *lines = run("-q", query, "--loss").stderr.decode().splitlines()
    assert head == "note: left out, null, changed or passed unchanged:"
    assert [line.split()[:4] for line in lines[:5]] == [
        ["dirty-hive", str(tmp_path / f"{number}.hive"), "at", "byte"] for number in range(5)
    ]
    assert lines[5].split()[:3] == ["1", "not-a-hive", str(tmp_path / "9.hive")]
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{\n{"a": 2}\n}\n')
    done = run("-q", f"jsonfile {tmp_path}/a.jsonl | stats count")
    assert "2 broken-json in" in done.stderr.decode()
    assert "(first at line 2)" in done.stderr.decode()
    done = run("-q", 'json "{}"', "--loss")
    assert done.stderr.decode() == "the last query lost nothing\n"


def test_what_a_run_lost_is_one_line_of_json_for_tools(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\nx,3\ny\n")
    query = f"csvfile {tmp_path}/a.csv | eval c = int(a), d = nosuch | fields c"
    done = run("-q", query, "--loss-json")
    assert done.stdout.decode().splitlines() == ['{"c":1}', '{"c":null}', '{"c":null}']
    (line,) = done.stderr.decode().splitlines()
    found = json.loads(line)
    assert (found["rows"], found["messages"]) == (3, [])
    (note,) = found["notes"]
    assert (note["code"], note["line"], note["column"]) == ("N1001", 1, query.index("nosuch") + 1)
    missing, lost = found["losses"]
    assert (missing["reason"], missing["count"], missing["fact"]) == ("cells-missing", 1, True)
    assert lost.pop("message")
    assert lost == {
        "reason": "not-converted", "source": "int(a)", "count": 2, "at_least": False, "fact": False,
        "unit": "row", "position": 2, "sample": "x", "help": None,
    }  # fmt: skip
    failed = run("-q", "nosuch", "--loss-json")
    assert failed.returncode != 0
    assert b"error[" in failed.stderr


@pytest.mark.posix("signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_query_within_a_second_and_leave_no_file(tmp_path: Path, number: int, code: int) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before\n")
    process = subprocess.Popen(
        command("sql", ENDLESS, "-o", str(out)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env()
    )
    deadline = time.monotonic() + 30
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)  # the temporary file is there: the query is starting
    process.send_signal(number)
    asked = time.monotonic()
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - asked < 5  # a second on an idle machine; the bench measures it
    assert process.returncode == code
    assert stdout == b""
    assert b"Traceback" not in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
    assert out.read_text() == "before\n"


@pytest.mark.posix("signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_query_that_is_run_to_be_explained(tmp_path: Path, number: int, code: int) -> None:
    """Planning and running are waited for where signals reach the main thread, as those of a query that answers."""
    path = tmp_path / "x.txt"
    path.write_text("a\n" * 100_000)
    query = f'textfile {path} | repeat count=100000 | rex field=line "(?<v>[ab])(?<w>.*)" | stats dc(v), count(w)'
    process = subprocess.Popen(
        command("explain", "--run", query), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env()
    )
    time.sleep(3)
    assert process.poll() is None
    process.send_signal(number)
    asked = time.monotonic()
    stdout, stderr = process.communicate(timeout=30)
    assert time.monotonic() - asked < 5
    assert process.returncode == code
    assert stdout == b""
    assert b"Traceback" not in stderr


@pytest.mark.posix("a pipe whose reader goes away")
def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        command("sql", "select range as n, repeat('x', 100) as s from range(2000000)"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env(),
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b'{"n":0,"s":"' + b"x" * 100 + b'"}\n'
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=30) == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", [("-o", "/dev/full"), ()])
def test_a_full_disk_is_said(words: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("sql", "select * from range(100000)", *words),
            stdout=full if not words else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env(),
            timeout=60,
        )
    assert done.returncode == 1
    assert b"cannot write" in done.stderr
    assert b"Traceback" not in done.stderr


def test_query_files_and_standard_input(tmp_path: Path, db: str) -> None:
    file = tmp_path / "q.lq"
    file.write_text('\ufeff# requests\n| table web\n| search src == $("who") | fields status\n', encoding="utf-8")
    assert run(str(file), "--db", db, "-d", "who=서울").stdout == b'{"status":404}\n'
    assert run("-", "--db", db, "-d", "who=10.0.0.1", stdin=file.read_bytes()).stdout == b'{"status":200}\n'
    file.write_bytes(b"table \xff")
    done = run(str(file), "--db", db)
    assert done.returncode == 3
    assert b"not UTF-8" in done.stderr


def test_a_parameter_with_a_type(db: str) -> None:
    """README: ``status == $("code")`` over a column of numbers; ``-d code=404`` gives the text "404", which none is."""
    query = 'table web | search status == $("code") | fields status | limit 1'
    assert run("-q", query, "--db", db, "-d", "code:=404").stdout == b'{"status":404}\n'
    assert run("-q", query, "--db", db, "-d", "code=404").stdout == b""
    shell = run("--db", db, stdin=f"\\set code:=404\n{query}\n\\set\n\\q".encode())
    assert shell.stdout.splitlines() == [b'{"status":404}', b"code = 404"]
    wrong = run("-q", query, "--db", db, "-d", "code:=nosuch(1)")
    assert (wrong.returncode, b"nosuch" in wrong.stderr) == (1, True)


def test_plain_shell_reads_lines(db: str) -> None:
    lines = "\n".join(
        [
            "\\set who=서울",
            "table web \\",
            '| search src == $("who") | fields status',
            "SELECT count(*) AS n \\",
            "  FROM web WHERE status = 200",
            "select src from web where src in (",
            "'서울')",
            "\\nonsense",
            "\\q",
            "table web",
        ]
    )
    done = run("--db", db, stdin=lines.encode())
    assert done.returncode == 2, "the first failure decides"
    assert done.stdout.decode().splitlines() == ['{"status":404}', '{"n":1}', '{"src":"서울"}']
    assert "\\nonsense" in done.stderr.decode()


def test_the_shell_starts_without_any_word() -> None:
    done = run(stdin=b"select 1 as a")
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"a":1}\n', b"")


def test_models_from_scripts_and_from_the_shell(tmp_path: Path) -> None:
    folder = str(tmp_path / "case.duckdb")
    rows = tmp_path / "t.csv"
    rows.write_text("a,b\n" + "".join(f"{i % 7},{i % 5}\n" for i in range(300)))
    assert run("ml", "addCsvInput", "t", str(rows), "--db", folder).returncode == 2, "behind ml all words are its own"
    assert run("--db", folder, "ml", "addCsvInput", "t", str(rows)).stdout == b"added\n"
    assert run("--db", folder, "ml", "createModel", "iforest", "m", "t", "fields=a,b").stdout == b"created\n"
    assert run("--db", folder, "ml", "fit", "m").stdout == b"started\nfinished\n"
    assert b"41101" in run("--db", folder, "ml", "fit", "nosuch").stderr
    shell = run("--db", folder, stdin=b"ml.models\nml.modles\nml.models")
    assert shell.stdout.count(b"iforest [m] 2 fields, trained ") == 2
    assert b"ml.models" in shell.stderr


def test_output_file_format_follows_its_name(tmp_path: Path, db: str) -> None:
    out = tmp_path / "rows.csv"
    assert run("-q", "table web | fields status", "--db", db, "-o", str(out)).returncode == 0
    assert out.read_bytes() == b"status\n200\n404\n404\n"


@pytest.mark.posix("file modes")
def test_output_file_has_the_modes_of_any_new_file(tmp_path: Path, db: str) -> None:
    out = tmp_path / "rows.csv"
    assert run("-q", "table web | fields status", "--db", db, "-o", str(out)).returncode == 0
    assert (out.stat().st_mode & 0o777) == (0o666 & ~_umask())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_an_internal_error_has_no_traceback_unless_asked(tmp_path: Path) -> None:
    broken = "def broken(*asked):\n    raise RuntimeError('two\\nlines')\n"
    (tmp_path / "sitecustomize.py").write_text(f"import logsql.cli\n\n{broken}\nlogsql.cli.dispatch = broken\n")
    path = os.pathsep.join([str(tmp_path), env()["PYTHONPATH"]])
    done = started("-q", "x", PYTHONPATH=path)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[0] == "internal error: RuntimeError: two lines"
    assert done.stderr.decode().splitlines()[1].startswith("help: ")
    assert b"Traceback" in started("-q", "x", "--debug", PYTHONPATH=path).stderr


PROBE = """
import json, sys
from logsql.cli import main

code = main(json.loads(sys.argv[1]), own_process=True)
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--help"], ["duckdb", "sqlglot", "pyarrow", "numpy", "sklearn", "prompt_toolkit"]),
        (["--version"], ["duckdb", "sqlglot", "pyarrow", "numpy", "sklearn", "prompt_toolkit"]),
        (
            ["-q", "table web | stats count by status"],
            ["sklearn", "joblib", "scipy", "pandas", "prompt_toolkit", "ldap3"],
        ),
        (["translate", "table web | stats count"], ["sklearn", "joblib", "scipy", "pandas", "prompt_toolkit"]),
    ],
)
def test_modules_that_stay_away(db: str, words: list[str], absent: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps([*words, "--db", db])], capture_output=True, env=env(), timeout=60
    )
    assert done.returncode == 0
    loaded = set(json.loads(done.stderr.decode().splitlines()[-1]))
    assert not loaded & set(absent)


def test_check_and_fmt(tmp_path: Path, db: str) -> None:
    good, bad = tmp_path / "good.lq", tmp_path / "bad.lq"
    good.write_text("table web|stats count   by status\n")
    bad.write_text("table web\n| search status ==\n")
    done = run("check", str(good), str(bad), "--db", db)
    assert done.returncode == 1
    assert "bad.lq:2:" in done.stderr.decode()
    assert "2 files checked, 1 with errors" in done.stderr.decode()
    assert run("check", str(good), "--db", db).returncode == 0
    assert run("fmt", str(good), "--check").returncode == 1
    shown = run("fmt", str(good)).stdout
    assert run("fmt", str(good), "--write").returncode == 0
    assert good.read_bytes() == shown
    assert run("fmt", str(good), "--check").returncode == 0
    assert run("fmt", str(bad)).returncode == 1
    assert bad.read_text() == "table web\n| search status ==\n"


def test_check_notes_patterns_that_ignore_case(tmp_path: Path, db: str) -> None:
    file = tmp_path / "q.lq"
    file.write_text('table web\n| search src == "10*1" or src == "10*" | search in(src, "*a*b*", "*a*")\n')
    done = run("check", str(file), "--db", db)
    assert done.returncode == 0
    lines = done.stderr.decode().splitlines()[:-1]
    found = [line.removeprefix(f"note[N1901 star-inside]: {file}:").split(" has ")[0] for line in lines]
    assert found == ['2:17: the pattern "10*1"', '2:57: the pattern "*a*b*"']


def test_pages_and_languages() -> None:
    assert b"stats [listlimit=N] AGGREGATE" in run("help", "stats").stdout
    assert "사용법" in run("--help", "--lang", "ko").stdout.decode()
    assert "옵션" in run("--fromat", "--lang", "ko").stderr.decode()
    assert run("commands").stdout.count(b"\n") > 20
    assert run("functions").stdout.count(b"\n") > 20


def test_translate_runs_alone(db: str) -> None:
    sql = run("translate", "table web | stats count by status", "--db", db).stdout.decode()
    assert run("sql", sql, "--db", db).stdout == b'{"status":200,"count":1}\n{"status":404,"count":2}\n'
    assert b"status: int" in run("explain", "table web | fields status", "--db", db).stdout


@pytest.mark.parametrize("packed", [gzip.compress, lambda data: pa.compress(data, "zstd", asbytes=True)])
def test_standard_input_is_unpacked(packed: Callable[[bytes], bytes]) -> None:
    """`cat a.log.gz | logsql -q "- | stats count"` read the packed bytes as lines."""
    done = run("-q", "- | stats count", stdin=packed(b"a\nb\nc\n"))
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"count":3}\n', b"")


def test_packed_input_that_is_cut_is_told() -> None:
    done = run("-q", "- | stats count", stdin=gzip.compress(b"a\n" * 9 + os.urandom(2000))[:1500])
    assert done.returncode == 0
    assert b"truncated-gzip in standard input" in done.stderr


@pytest.mark.parametrize(
    ("data", "tool"),
    [(bz2.compress(b"a\n"), b"bzip2 -dc"), (lzma.compress(b"a\n"), b"xz -dc"), (b"PK\x03\x04x", b"zipfile")],
)
def test_other_packings_of_standard_input_are_named(data: bytes, tool: bytes) -> None:
    done = run("-q", "- | stats count", stdin=data)
    assert done.returncode == 3
    assert b"E3049 packed-input" in done.stderr
    assert tool in done.stderr
