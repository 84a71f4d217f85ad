"""Every file that is opened by its name, with a pipe, a socket or a device in its place: a sentence, at once.

Which files those are is not written down here: the doors are used once, and what Python then opens below the folder is
what is replaced. What DuckDB opens itself is in ``UNSEEN``. Files that queries name: ``test_paths.py``.
"""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import duckdb
import pyarrow as pa
import pytest

import logsql
from logsql.cli import main
from logsql.shell.terminal import history
from logsql.store.appending import note_path
from tests.support import sample

pytestmark = pytest.mark.posix("pipes, sockets, devices")

#: Seconds that a door may take on a loaded machine. One that waits for a pipe waits for ever.
PATIENCE = 20
DOORS = (
    "q.lq",
    "check q.lq",
    "fmt q.lq",
    "fmt --write q.lq",
    "--lookup n=l.csv -q 'lookuptable n'",
    "--lookup n=l.parquet -q 'lookuptable n'",
    "--procs procs -q 'proc x()'",
    "--procs procs -q 'schema x'",
    "--db c.duckdb -q 'load kept'",
    "--db c.duckdb -q 'load c.duckdb.ml/results/kept.parquet'",
    "--db c.duckdb -q 'lookuptable known'",
    '--db c.duckdb -q \'json "{a:1}" | eval b = matchfeed("bad", a)\'',
    "--db c.duckdb -q 'table t'",
    "-q 'json \"{a:1}\" | outputcsv append=t o.csv a'",
    "--db c.duckdb ml inputs",
    "--db c.duckdb ml input i",
    "--db c.duckdb ml addCsvInput j l.csv",
    '-q \'json "{a: 0}" | eval a = "1.1.1.1" | lookup geoip a output country\' -g g.mmdb',
)
#: Opened by DuckDB, Arrow and maxminddb, of which Python is not told.
UNSEEN = {
    "table t": ("c.duckdb", "c.duckdb.wal", "c.duckdb.wal.checkpoint"),
    "load": ("c.duckdb.ml/results/kept.parquet",),
    "geoip": ("g.mmdb",),
}
_OPENED: list[str] = []
_LISTENING = [False]


def _listen(event: str, words: tuple[object, ...]) -> None:
    if _LISTENING[0] and event == "open" and isinstance(words[0], (str, Path)):
        _OPENED.append(os.path.abspath(words[0]))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("pipes")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(folder / "home"))
        Path("procs").mkdir()
        Path("procs/x.lq").write_text('json "{}"\n')
        Path("procs/x.json").write_text("{}")
        Path("q.lq").write_text('json "{}"\n')
        for file in ("l.csv", "o.csv"):
            Path(file).write_text("a,b\n1,2\n")
        Path("g.mmdb").write_bytes(b"none")
        with duckdb.connect() as made:
            made.execute("copy (select 1 a, 2 b) to 'l.parquet'")
        with logsql.connect("c.duckdb", tz="UTC") as session:
            session.add_lookup("known", pa.table({"a": ["1"], "b": ["2"]}), keep=True)
            session.save(session.query('json "{a:1}"'), "kept")
        with duckdb.connect("c.duckdb") as made:
            made.execute("create table t as select 1 a")
        Path("c.duckdb.ml/objects/text").mkdir(parents=True)
        Path("c.duckdb.ml/objects/text/bad.txt").write_text("1\n")
        Path(note_path(os.path.abspath("o.csv"))).write_text("{}")
        main(shlex.split("--db c.duckdb ml addCsvInput i l.csv"))
        sys.addaudithook(_listen)
        yield folder


def opened(door: str) -> list[str]:
    """Regular files of the folder that a door opens; what it makes itself is none of them."""
    there = {str(path) for path in Path.cwd().rglob("*") if path.is_file()}
    _OPENED.clear()
    _LISTENING[0] = True
    main(shlex.split(door))
    _LISTENING[0] = False
    return [path for path in dict.fromkeys(_OPENED) if path in there and not path.endswith(".lock")]


@contextmanager
def instead(path: Path, kind: str) -> Iterator[None]:
    """Something else under the name of a file."""
    kept = path.with_name(f"{path.name}.kept")
    there = path.exists()
    if there:
        path.rename(kept)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(path))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # a note that is none goes
        if there:
            kept.rename(path)


@contextmanager
def bounded(path: Path) -> Iterator[None]:
    """Fails behind :data:`PATIENCE`; whoever waits for the pipe is let go."""

    def hanging(number: int, frame: FrameType | None) -> None:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        raise AssertionError(f"{path} is waited for")

    before = signal.signal(signal.SIGALRM, hanging)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("kind", ["pipe", "device", "socket"][: sample(3, 1)])
@pytest.mark.parametrize("door", DOORS[:: sample(1, 2)])
def test_only_regular_files_are_opened(place: Path, capfd: pytest.CaptureFixture[str], door: str, kind: str) -> None:
    door = door.replace(" j ", f" {kind} ")  # an input is made once
    files = opened(door) + [str(place / name) for word, names in UNSEEN.items() if word in door for name in names]
    assert files
    capfd.readouterr()
    for file in files:
        with instead(Path(file), kind), bounded(Path(file)):
            code = main(shlex.split(door))
        said = "".join(capfd.readouterr())
        assert not any(sign in said for sign in ("internal", "Traceback", "Errno")), (file, said)
        written = kind == "device" and file.endswith("o.csv")  # rows may go to /dev/null
        assert code != 0 or written or file.endswith((".json", "known.parquet")) or "append" in file, (file, said)


@pytest.mark.parametrize("kind", ["pipe", "device", "socket"])
def test_the_history_is_kept_in_memory_then(place: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = place / "history"
    monkeypatch.setenv("LOGSQL_HISTORY", str(path))
    with instead(path, kind), bounded(path):
        kept = history()
        kept.append_string("x")
        assert (list(kept.load_history_strings()), type(kept).__name__) == (["x"], "InMemoryHistory")


def test_a_pipe_that_takes_the_place_of_a_file_in_between(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a name means was looked at, and then it was opened: a pipe made in between was waited for."""
    from logsql.store.files import Files
    from udfs import regular
    from udfs.readers.errors import ReaderError
    from udfs.readers.files import Files as Reading

    path = place / "l.csv"
    monkeypatch.setattr(regular, "is_special", lambda name: False)
    with instead(path, "pipe"), bounded(path):
        with pytest.raises(OSError, match="pipe"):
            Files().open(path)
        with pytest.raises(ReaderError) as caught:
            Reading().open(str(path))
    assert caught.value.code == "not-a-file"
