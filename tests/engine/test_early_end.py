"""Reading stops where nobody wants more rows, and a process ends cleanly whatever it left open.

Arrow reads ahead in threads of its own: such a thread inside Python code aborts or hangs an ending interpreter.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

import logsql
from logsql.engine import worker
from tests.support import ROOT, sample
from udfs.readers.base import ReadContext, check_cancelled, null_context
from udfs.readers.dataset import ReaderDataset

SCRIPTS = {
    "rows": "session = logsql.connect(); print(session.query('{query} | limit 1').rows())",
    "iterator": "session = logsql.connect(); rows = iter(session.query('{query}')); print(next(rows)['no'])",
    "sql": "session = logsql.connect(); print(session.sql(\"from ntfs_mft('{path}') limit 1\").rows()[0]['no'])",
}


@pytest.fixture(scope="module")
def long_mft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 MB, as often as needed the sample's records (the numbers in them repeat)."""
    path = tmp_path_factory.mktemp("long") / "MFT"
    block = (ROOT / "sample_data" / "ntfs" / "MFT").read_bytes() * 64
    with path.open("wb") as file:
        for _ in range(50):
            file.write(block)
    return path


@pytest.mark.parametrize("script", list(SCRIPTS))
def test_a_script_may_leave_everything_open(script: str, long_mft: Path) -> None:
    text = SCRIPTS[script].format(query=f"ntfs-mft {long_mft} | fields no", path=long_mft)
    for _ in range(sample(4, 1)):
        done = subprocess.run(
            [sys.executable, "-c", f"import logsql\n{text}"], cwd=ROOT, capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, b"Fatal" in done.stderr) == (0, False), done.stderr.decode()


def test_limit_on_the_command_line(long_mft: Path) -> None:
    for _ in range(sample(4, 1)):
        done = subprocess.run(
            [sys.executable, "-m", "logsql", "-q", f"ntfs-mft {long_mft} | limit 2 | fields no"],
            cwd=ROOT,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, b'{"no":0}\n{"no":1}\n'), done.stderr.decode()


class Endless:
    """A reader that reads on until it is cancelled."""

    schema = pa.schema([("a", pa.int64())])
    inside = threading.Event()
    ended = threading.Event()

    def scan(self, columns: Sequence[str] | None, context: ReadContext) -> Iterator[pa.RecordBatch]:
        try:
            for _ in range(4):  # Arrow hands a batch on when it has the next one
                yield pa.record_batch([pa.array([1] * 5000)], schema=self.schema)
            give_up = time.monotonic() + 20
            while time.monotonic() < give_up:
                self.inside.set()
                time.sleep(0.01)
                check_cancelled(context)
        finally:
            self.ended.set()


def test_stop_ends_a_scan_that_reads_ahead() -> None:
    reader = Endless()
    dataset = ReaderDataset(reader, null_context())
    with duckdb.connect() as db:
        db.register("t", dataset)
        assert db.sql("SELECT a FROM t LIMIT 1").to_arrow_reader(1).read_next_batch().num_rows == 1
        assert reader.inside.wait(10)
        dataset.stop()
        assert reader.ended.is_set()
        assert dataset.last_error is None


def test_a_late_end_of_a_worker_interrupts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step gives its one item and then its end mark; under load the mark came a moment later, and the step after it
    (here the writing of the file) was told that the user had interrupted the query."""
    put = queue.Queue.put

    def slow(self: queue.Queue[object], item: object, *rest: object, **more: object) -> None:
        if item is worker._END:
            time.sleep(0.005)
        put(self, item, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(queue.Queue, "put", slow)
    with logsql.connect(tz="UTC") as s:
        for number in range(3):
            s.query(f"json \"[{{'i': {number}}}]\" | outputcsv overwrite=t {tmp_path}/o.csv i").rows()
            assert str(number) in (tmp_path / "o.csv").read_text(encoding="utf-8")
        s.query("json \"[{'i': 1}]\" | sort i | memlookup op=build name=m key=i i").rows()
        assert not any(record.cancelled for record in s.query_log.records())
