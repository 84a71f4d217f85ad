"""The wall clock of a whole server is set while it runs: back, and ahead by an hour."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.serving import Served
from tests.support import nightly

COUNTS = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]

[[stream]]
name = "counts"
from = ["edge"]
every = "1s"
query = "stats count as n"
to = ["windows"]

[[sink]]
name = "windows"
kind = "table"
"""
HOUR = 3600


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, COUNTS)
    made.program = ["-m", "tests.streams.stepped", str(tmp_path / "offset")]
    (tmp_path / "offset").write_text("0")
    yield made
    if made.process is not None:
        made.kill()


@pytest.mark.skipif(not nightly(), reason="by night: intervals of a second are waited for")
def test_no_interval_comes_twice_and_none_that_did_not_pass(served: Served) -> None:
    """Every message is in one interval; intervals go on by monotonic time after a step back; those that a step ahead
    leaves out are counted and not emitted one by one."""
    served.start()
    sent = 0

    def more() -> None:
        """Messages, and intervals enough for theirs to be over."""
        nonlocal sent
        for _ in range(10):
            served.send(b"<13>one\n")
            sent += 1
        rows = served.counted("logsql_sink_rows_total", "windows")
        served.until(lambda: served.counted("logsql_sink_rows_total", "windows") >= rows + 5, "five intervals")

    def step(seconds: int) -> None:
        place = served.folder / "offset"
        (served.folder / "next").write_text(str(seconds))
        (served.folder / "next").replace(place)

    more()
    step(-HOUR)
    began = time.monotonic()
    more()
    assert time.monotonic() - began < 30, "nobody waits until the hour has passed again"
    step(2 * HOUR)
    more()
    skipped = served.counted("logsql_stream_skipped_intervals_total", "counts")
    assert HOUR < skipped < 4 * HOUR
    assert served.end() == 0
    ((total, rows, times),) = served.stored("SELECT sum(n), count(*), count(DISTINCT _time) FROM windows")
    assert total == sent
    assert rows == times
    assert isinstance(rows, int)
    assert rows < 300, "of the hours that did not pass there is no row"
