"""Closed streams, a home that cannot be written to, a folder of evidence that holds Python files: one sentence each."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import duckdb
import pytest

from tests.support import ROOT, sample

pytestmark = pytest.mark.posix("streams by their numbers")

ROWS = "json \"[{'a':1},{'a':2}]\""


def logsql(
    *words: str,
    folder: Path,
    closed: tuple[int, ...] = (),
    program: tuple[str, ...] = ("-m", "logsql"),
    before: Callable[[], None] = lambda: None,
    **more: str,
) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own. ``closed``: numbers of streams that the shell closed."""

    def close() -> None:
        for number in closed:
            os.close(number)
        before()

    env = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state"), **more}
    return subprocess.run(
        [sys.executable, *program, *words],
        cwd=folder,
        env=env,
        input=None if 0 in closed else "a\nb\n",
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=close,  # the one way to close a stream
    )


def unshaken(done: subprocess.CompletedProcess[str]) -> None:
    """What was said is the program's own."""
    for sign in ("Traceback", "internal"):
        assert sign not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "closed", [c for n in (1, 2, 3) for c in combinations((0, 1, 2), n)][sample(0, 1) :: sample(1, 4)]
)
def test_closed_streams(tmp_path: Path, closed: tuple[int, ...]) -> None:
    done = logsql("-q", ROWS, folder=tmp_path, closed=closed)
    unshaken(done)
    assert done.returncode == (1 if 1 in closed else 0)
    if 1 not in closed:
        assert done.stdout == '{"a":1}\n{"a":2}\n'
    elif 2 not in closed:
        assert done.stderr.startswith("error[E2010")
        assert done.stderr.count("\n") == 1


def test_closed_input_that_a_query_reads(tmp_path: Path) -> None:
    ways = (["-q", "stdin | stats count"], ["-q", "- | stats count"], ["run", "-"], ["shell"], [])
    done = [logsql(*words, folder=tmp_path, closed=(0,)) for words in ways[: sample(len(ways), 1)]]
    for each in done:
        unshaken(each)
    assert {each.returncode for each in done} <= {0, 1, 2, 3}


def test_output_into_a_file_with_closed_streams(tmp_path: Path) -> None:
    """The handle of a closed stream is the next that is given out: rows went into the wrong file."""
    done = logsql("-q", ROWS, "-o", "out.jsonl", folder=tmp_path, closed=(0, 1, 2))
    assert (done.returncode, (tmp_path / "out.jsonl").read_text()) == (0, '{"a":1}\n{"a":2}\n')


@pytest.mark.parametrize("home", ["/dev/null/home", "/proc/none"][: sample(2, 1)])
@pytest.mark.parametrize(
    "words",
    [
        ["ml", "addCsvInput", "i", "rows.csv"],
        ["ml", "models"],
        ["ml", "inputs"],
        ["ml", "importModel", "m", "rows.csv"],
        ["-q", ROWS, "--keep", "k"],
        ["-q", f"{ROWS} | sort a | result 1"],
        ["-q", ROWS],
    ][:: sample(1, 3)],
)
def test_a_home_that_cannot_be_written_to(tmp_path: Path, home: str, words: list[str]) -> None:
    if not os.path.exists(os.path.dirname(home)):
        home = "/dev/null/home"
    (tmp_path / "rows.csv").write_text("a\n1\n")
    folders = {name: f"{home}/{name}" for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    done = logsql(*words, folder=tmp_path, HOME=home, **folders)
    unshaken(done)
    assert (done.returncode == 0) == (words in (["ml", "models"], ["ml", "inputs"], ["-q", ROWS]))
    assert done.returncode == 0 or done.stderr.startswith("error[")


def test_nothing_is_imported_from_a_folder_of_evidence(tmp_path: Path) -> None:
    """``python -m`` looks into the working folder first: ``json.py`` of a suspect's disk was run."""
    probe = tmp_path / "probe"
    probe.mkdir()
    (probe / "probing.py").write_text("import sys\nprint(*sys.modules)\n")
    started = logsql(folder=probe, program=("-m", "probing")).stdout.split()  # what Python itself loads for -m
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    others = {"duckdb", "pyarrow", "sqlglot", "regex", "numpy", "filelock", "platformdirs", "prompt_toolkit"}
    others |= {
        "sitecustomize",
        "usercustomize",
        "conftest",
        "setup",
    }  # what Python and its tools look for by themselves
    for name in (sys.stdlib_module_names | others) - {*started, "__main__"}:
        (evidence / f"{name}.py").write_text("raise SystemExit(99)\n")
    (evidence / "x.pth").write_text("import os; os._exit(99)\n")
    for name in ("pyproject.toml", "pyvenv.cfg", ".duckdbrc", "duckdbrc", ".pythonrc"):
        (evidence / name).write_text("[broken\n")
    (evidence / "udfs").mkdir()
    (evidence / "udfs" / "__init__.py").write_text("raise SystemExit(99)\n")
    assert len(list(evidence.iterdir())) > 200
    ways = (["-q", f'{ROWS} | eval b = format("%d", a)'], ["sql", "select 1 a"], ["ml", "models"], ["help"])
    for words in ways[: sample(4, 1)]:
        done = logsql(*words, folder=evidence)
        assert done.returncode == 0, done.stderr
    assert not list(evidence.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("table t | outputcsv o.csv a, b", "30203"),
        ("copytable path=bk", "E1310"),
        ("table t | import create=t n", "E1310"),
    ][: sample(3, 1)],
)
def test_a_full_disk(tmp_path: Path, query: str, code: str) -> None:
    """The largest file may have 600 KB: the system refuses what goes beyond, as a full disk does."""
    with duckdb.connect(str(tmp_path / "case.duckdb")) as made:
        made.execute("create table t as select range a, md5(range::varchar) b from range(150000)")

    def limited() -> None:
        import resource  # not on every system

        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    done = logsql("-q", query, "--db", "case.duckdb", folder=tmp_path, before=limited)
    unshaken(done)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error[{code}")
    assert "File too large" in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.name.startswith((".logsql", "tmp_"))] == []
