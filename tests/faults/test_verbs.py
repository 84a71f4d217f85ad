"""Every verb of the command line, with odd words and in bad surroundings: a sentence each, never an exception.

The verbs are those that the program knows; a new one fails here until it says how it is called.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from logsql.cli import main
from logsql.shell.invocation import VERBS
from tests.faults.test_surroundings import logsql, unshaken
from tests.support import sample

pytestmark = pytest.mark.posix("devices, streams by their numbers")

QUERY = "json \"[{'a':1,'b':2}]\""
#: One right call of each verb; ``WORD`` is where a word of the user's stands.
RIGHT: dict[str, tuple[str, ...]] = {
    "sql": ("sql", "select * from 'WORD'"),
    "translate": ("translate", "csvfile WORD"),
    "explain": ("explain", "csvfile WORD"),
    "check": ("check", "WORD"),
    "fmt": ("fmt", "WORD"),
    "test": ("test", "WORD"),
    "config": ("config", "validate", "WORD"),
    "check-config": ("check-config", "WORD"),
    "profile": ("profile", "set", "n", "kind=sqlite", "path=WORD"),
    "serve": ("serve", "WORD"),
    "stream": ("stream", "ls", "--server", "WORD"),
    "ml": ("ml", "addCsvInput", "i", "WORD"),
    "chart": ("chart", "3d", "-q", QUERY, "--x", "a", "--y", "b", "--z", "a", "-o", "WORD.html"),
    "commands": ("commands", "WORD"),
    "functions": ("functions", "WORD"),
    "help": ("help", "WORD"),
    "shell": ("shell",),
}
#: Calls without a verb.
MORE: tuple[tuple[str, ...], ...] = (
    ("WORD",),
    ("-q", "textfile WORD"),
    ("-q", QUERY, "-o", "WORD"),
    ("-q", QUERY, "-f", "WORD"),
    ("-q", QUERY, "--db", "WORD"),
    ("-q", QUERY, "--lookup", "n=WORD"),
    ("-q", "proc x()", "--procs", "WORD"),
    ("-q", "json \"{'a':'1.1.1.1'}\" | lookup geoip a output country", "-g", "WORD"),
    ("-q", QUERY, "--keep", "WORD"),
    ("-q", QUERY, "--tz", "WORD"),
    ("-q", QUERY, "--memory-limit", "WORD"),
    ("-q", QUERY, "--timeout", "WORD"),
    ("-q", QUERY, "--threads", "WORD"),
    ("-q", QUERY, "--safe", "--allow-dir", "WORD"),
    ("-q", QUERY, "--safe", "--allow-write", "WORD", "-o", "WORD"),
    ("-q", QUERY, "-d", "WORD"),
    ("-q", QUERY, "--server", "WORD"),
    ("-q", "logger window=1s a", "--server", "WORD"),
    ("-q", "- | limit 1", "-p", "WORD"),
    ("stream", "show", "WORD", "--server", "folder"),
    ("serve", "rows.csv", "--set", "WORD"),
    ("profile", "show", "WORD"),
    ("profile", "set", "WORD", "kind=sqlite", "path=x"),
    ("profile", "set", "n", "kind=ldap", "url=ldaps://x", "WORD=x"),
    ("profile", "set", "n", "kind=ldap", "url=WORD", "base=WORD", "password=WORD", "page=WORD", "lists=WORD"),
    ("profile", "list", "--config", "WORD"),
    ("profile", "remove", "WORD"),
    ("profile", "test", "WORD"),
)
ODD = {
    "a folder": "folder",
    "missing": "no/such",
    "a long name": "x" * 5_000,
    "a long path": "/".join(["y" * 200] * 30),
    "no UTF-8": "a\udc80b",
    "a bad sector": "/proc/self/mem",
    "below a file": "rows.csv/x",
    "a link to itself": "itself",
    "blank": " ",
    "empty": "",
    "NUL": "a\0b",
    "a device": "/dev/full",
}


def test_every_verb_is_tried() -> None:
    assert set(RIGHT) == set(VERBS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    Path("folder").mkdir()
    Path("rows.csv").write_text("a\n1\n")
    os.symlink("itself", "itself")
    return tmp_path


@pytest.mark.parametrize("kind", list(ODD)[sample(0, 2) :: sample(1, 5)])
def test_odd_words(folder: Path, capfd: pytest.CaptureFixture[str], kind: str) -> None:
    for words in (*RIGHT.values(), *MORE):
        if "shell" in words:
            continue
        code = main([word.replace("WORD", ODD[kind]) for word in words])
        said = "".join(capfd.readouterr())
        assert not re.search(r"internal error|Traceback|Errno|\w+Error:|Exception", said), (words, said[-600:])
        assert code == 0 or "error" in said, (words, said[-600:])


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)][sample(0, 1) :: sample(1, 4)])
@pytest.mark.parametrize("verb", list(RIGHT)[:: sample(1, 6)])
def test_closed_streams_of_every_verb(folder: Path, verb: str, closed: tuple[int, ...]) -> None:
    (folder / "q.lq").write_text(QUERY + "\n")
    word = {"check": "q.lq", "fmt": "q.lq", "commands": "sort", "functions": "abs", "help": "sort"}.get(
        verb, "rows.csv"
    )
    done = logsql(*(w.replace("WORD", word) for w in RIGHT[verb]), folder=folder, closed=closed)
    unshaken(done)
    assert 0 <= done.returncode <= 3, done.stderr
