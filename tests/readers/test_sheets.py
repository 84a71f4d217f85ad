"""The process that parses workbooks: what becomes of a query when it dies, hangs, takes all memory or is not wanted."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readers.sheets import xls
from tests.readers.test_zip_xml_xlsx import number, text, workbook
from tests.support import ROOT
from udfs.readers import sheets
from udfs.readers.errors import ReadCancelled, ReaderError

_PARSER = """
import ctypes, os, sys, time
class CalamineWorkbook:
    @staticmethod
    def from_filelike(file):
        print("a library that prints")
        {body}
"""


@pytest.fixture
def fresh() -> Iterator[None]:
    """No child from before, and none with a broken parser left behind."""
    sheets._end_all()
    yield
    sheets._end_all()


def broken(body: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser in place of python-calamine that does this."""
    (folder / "python_calamine.py").write_text(_PARSER.replace("{body}", body))
    monkeypatch.setenv("PYTHONPATH", str(folder))


def read(seconds: float = 60.0, cancelled: float | None = None) -> sheets.Sheet:
    until = None if cancelled is None else time.monotonic() + cancelled
    return sheets.read_sheet(
        "a.xlsx", None, 0, io.BytesIO(b"x"), lambda: until is not None and time.monotonic() > until, seconds
    )


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("body", ["os.abort()", "os._exit(0)", "ctypes.string_at(0)", "raise MemoryError"])
def test_a_parser_that_ends_its_process_is_one_sentence(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(body, tmp_path, monkeypatch)
    for _ in range(2):  # the next workbook gets a child of its own
        with pytest.raises(ReaderError) as caught:
            read()
        assert caught.value.code == "not-xlsx"
        assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("fresh")
@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux")
def test_a_parser_that_takes_all_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken("return bytearray(9 << 30)", tmp_path, monkeypatch)
    with pytest.raises(ReaderError) as caught:
        read()
    assert caught.value.code == "not-xlsx"


@pytest.mark.usefixtures("fresh")
def test_a_parser_that_goes_in_circles_ends_by_time_and_by_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken("time.sleep(600)", tmp_path, monkeypatch)
    with pytest.raises(ReaderError, match="longer than 1 seconds"):
        read(seconds=1)
    with pytest.raises(ReadCancelled):
        read(cancelled=0.5)


@pytest.mark.usefixtures("fresh")
def test_one_child_reads_many_workbooks(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="optional package python-calamine is not installed")
    path = workbook(tmp_path / "a.xlsx", {"s": [[text("n")], [number("7")]]})
    children = set()
    for data in (Path(path).read_bytes(), b"no workbook", xls({(0, 0): "n", (1, 0): 7.0})):
        if data == b"no workbook":
            with pytest.raises(ReaderError, match="not a readable"):
                sheets.read_sheet("x", None, 0, io.BytesIO(data), lambda: False)
        else:
            found = sheets.read_sheet("x", None, 0, io.BytesIO(data), lambda: False)
            assert [batch.to_pydict() for batch in found.batches] == [{"n": [7]}]
        children.add(sheets._KEPT[0]._process.pid)
    assert len(children) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")
def test_ctrl_c_ends_the_query_and_the_child(tmp_path: Path) -> None:
    (tmp_path / "python_calamine.py").write_text(_PARSER.replace("{body}", "time.sleep(600)"))
    (tmp_path / "a.xlsx").write_bytes(b"x")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    command = [sys.executable, "-m", "logsql", "-q", "xlsxfile a.xlsx"]
    with subprocess.Popen(command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, start_new_session=True) as run:
        deadline = time.monotonic() + 60
        while not (found := children(run.pid)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert found
        time.sleep(1)
        os.killpg(run.pid, signal.SIGINT)
        assert run.stderr is not None
        said = run.stderr.read()
        assert run.wait(timeout=30) == 130
    assert b"Traceback" not in said
    assert not any(Path(f"/proc/{pid}").exists() for pid in found)


def children(pid: int) -> list[int]:
    """Processes whose parent this is."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(line) for line in listed.split()]
