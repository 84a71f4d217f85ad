"""Running the command line as a user does, and a small database to run it on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb

from tests.cli import warm
from tests.support import ROOT

#: Seconds after which a process hangs. A start takes one, and many on a machine with other work: what was refused at
#: once when alone (a named pipe) ran into a minute beside a dozen others.
BOUND = 300


def run(
    *words: str, stdin: bytes | None = None, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """``logsql WORDS`` in a process of its own, forked where that can be (:mod:`tests.cli.warm`)."""
    if hasattr(os, "fork") and sys.platform != "darwin":  # there a fork of what has read frameworks may hang
        return warm.run(list(words), stdin or b"", cwd, env(**environment), BOUND)
    return started(*words, stdin=stdin, cwd=cwd, **environment)


def started(
    *words: str, stdin: bytes | None = None, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """``logsql WORDS`` as a user starts it, by Python."""
    return subprocess.run(
        command(*words),
        input=stdin if stdin is not None else b"",
        capture_output=True,
        cwd=cwd,
        env=env(**environment),
        timeout=BOUND,
    )


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "logsql", *words]


def env(**more: str) -> dict[str, str]:
    """This process's environment with the checkout importable and no settings of the user's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LOGSQL_")}
    return {**kept, "PYTHONPATH": str(ROOT), "LOGSQL_HISTORY": "", **more}


def make_database(path: Path) -> Path:
    """A database with the table ``web`` (three rows)."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table web (src varchar, status integer, bytes bigint)")
        connection.execute(
            "insert into web values ('10.0.0.1', 200, 9007199254740993), ('10.0.0.2', 404, 7), ('서울', 404, null)"
        )
    return path


#: Far more rows than any machine counts within a test.
ENDLESS = "select count(*) from range(100000000000) a, range(1000) b where hash(a.range, b.range) = 1"
