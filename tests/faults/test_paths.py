"""Every command that takes a path, and every path that is odd: a sentence each, never an exception of Python or DuckDB.

The commands are those whose declaration says so; a new one is tried without being named here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError
from logsql.engine.result import Result
from logsql.planner import duties
from logsql.planner.spec import OptionKind
from logsql.registry import COMMANDS

pytestmark = pytest.mark.posix("pipes, devices, the character NUL in names")

ODD = {
    "NUL": "a\0b",
    "NUL in a folder": "folder/a\0b/c",
    "NUL and a star": "*\0",
    "NUL alone": "\0",
    "a folder": "folder",
    "a folder with a slash": "folder/",
    "below a file": "rows.csv/x",
    "a long name": "x" * 5_000,
    "a long path": "/".join(["y" * 200] * 30),
    "no UTF-8": "a\udc80b",
    "blank": " ",
    "a link that leads nowhere": "nowhere",
    "a link to itself": "itself",
    "missing": "no/such",
    "a bad sector": "/proc/self/mem",  # the system gives EIO for its first byte
    "a pipe": "pipe",
    "an endless device": "/dev/zero",
    "a full device": "/dev/full",
    "nothing": "/dev/null",
}
#: What a command needs beside its path.
BESIDE = {"sqlite-records": "sqlite-records table=t {path}", "zipfile": "zipfile {path} *"}
#: A pipe is waited for, and an endless device is written to without end.
WAITS = ("a pipe", "an endless device")


def queries(path: str) -> Iterator[str]:
    """One query for each place of a path in the language."""
    quoted = '"' + path.replace("\\", "\\\\") + '"'
    COMMANDS.load()
    for name, command in COMMANDS.items():
        begin = "" if command.order == duties.SOURCE_ORDER else "json \"{'a':1}\" | "
        fields = " a" if begin else ""
        if duties.PATH in command.arguments:
            form = BESIDE.get(name, f"{name} {{path}}{fields}")
            yield begin + form.format(path=quoted)
            for option in ("overwrite=t", "append=t", "partition=t", "gz=t"):
                if any(option.startswith(f"{known.name}=") for known in command.options) and begin:
                    there = quoted if option != "partition=t" else quoted[:-1] + '{now:yyyy}"'
                    yield f"{begin}{name} {option} {there}{fields}"
        for option in command.options:
            if option.kind is OptionKind.PATH:
                others = {"from": " to=moved", "to": " from=rows.csv", "tmp": " other.txt a", "zippath": " x"}
                yield f"{begin}{name} {option.name}={quoted}{others.get(option.name, '')}"
    yield f"lookuptable {quoted}"
    yield f"proc {quoted}"
    yield f"json \"{{'a':1}}\" | lookup {quoted} a output b"


def writes(query: str) -> bool:
    return "output" in query or query.startswith("copytable") or "mv " in query


def error(act: Callable[..., object], *words: str) -> LogsqlError | None:
    """The error of a call, whose rows are read; None when there is none."""
    try:
        if isinstance(result := act(*words), Result):
            result.rows()
    except LogsqlError as problem:
        return problem
    return None


def plain(problem: LogsqlError | None) -> bool:
    """Whether it is a sentence of the program's own."""
    if problem is None:
        return True
    return problem.code != "E1303" and not any(sign in str(problem) for sign in ("Errno", "Traceback", "Exception"))


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logsql.Session]:
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    Path("folder").mkdir()
    Path("rows.csv").write_text("a\n1\n")
    os.mkfifo("pipe")
    os.symlink("not/there", "nowhere")
    os.symlink("itself", "itself")
    with logsql.connect(tz="UTC", timeout=20) as session:
        session.register("t", pa.table({"a": [1]}))
        yield session


@pytest.mark.parametrize("kind", ODD)
def test_a_path_that_is_odd_is_told_in_one_sentence(session: logsql.Session, kind: str) -> None:
    tried = 0
    for query in queries(ODD[kind]):
        if writes(query) and kind in (*WAITS, "a full device", "nothing", "a link that leads nowhere", "blank"):
            continue
        tried += 1
        assert plain(error(session.query, query)), query
    assert tried > 20


@pytest.mark.parametrize("kind", ODD)
def test_so_are_paths_of_the_interface(session: logsql.Session, kind: str) -> None:
    path = ODD[kind]
    for act in (
        lambda: session.add_lookup("x", path),
        lambda: session.add_lookup("x", f"{path}.parquet"),
        lambda: session.save(session.query("json \"{'a':1}\""), path),
        lambda: logsql.connect(path, timeout=20).close(),
        lambda: logsql.connect(procs=[path]).close(),
        lambda: logsql.connect(geoip=path).query("json \"{'a':'1.1.1.1'}\" | lookup geoip a output country").rows(),
        lambda: session.sql("select * from csvfile(?)", [path]).rows(),
    ):
        assert plain(error(act))
