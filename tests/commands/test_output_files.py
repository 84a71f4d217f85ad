"""Output files that others write, lock or replace at the same time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import RunError
from logsql.store.outputfiles import Codes, Manner, OutputFile
from tests.language.grammar import row


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[logsql.Session]:
    monkeypatch.chdir(tmp_path)
    with logsql.connect(tz="Asia/Seoul") as session:
        session.register("n", pa.table({"a": [1, 2]}))
        yield session


def test_an_append_waits_for_the_lock(session: logsql.Session) -> None:
    fcntl = pytest.importorskip("fcntl", reason="file locks of this kind exist on POSIX systems only")
    with open("out.txt", "ab") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        thread = threading.Thread(target=lambda: session.query("table n | outputtxt append=t out.txt a").rows())
        thread.start()
        deadline = time.monotonic() + 30
        while not any(p.stat().st_size for p in Path().glob(".logsql-*.part")) and time.monotonic() < deadline:
            time.sleep(0.01)
        thread.join(0.5)
        assert thread.is_alive()
        assert os.path.getsize("out.txt") == 0
        holder.write(b"first\n")
    thread.join(30)
    assert Path("out.txt").read_text() == "first\n1\n2\n"


def test_an_append_follows_a_file_that_was_replaced(session: logsql.Session) -> None:
    fcntl = pytest.importorskip("fcntl", reason="file locks of this kind exist on POSIX systems only")
    with open("out.txt", "ab") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        thread = threading.Thread(target=lambda: session.query("table n | outputtxt append=t out.txt a").rows())
        thread.start()
        thread.join(0.5)
        Path("next.txt").write_text("replaced\n")
        os.replace("next.txt", "out.txt")
    thread.join(30)
    assert Path("out.txt").read_text() == "replaced\n1\n2\n"


def test_a_new_file_never_replaces_one_made_while_rows_were_written(tmp_path: Path) -> None:
    codes = Codes(row("1", "io"), row("2", "exists"), row("3", "temporary"))
    file = OutputFile(str(tmp_path / "out.txt"), Manner(codes))
    file.write(b"ours\n")
    (tmp_path / "out.txt").write_text("theirs\n")
    with pytest.raises(RunError) as caught:
        file.commit(lambda: False)
    file.discard()
    assert caught.value.code == "2"
    assert (os.listdir(tmp_path), (tmp_path / "out.txt").read_text()) == (["out.txt"], "theirs\n")
