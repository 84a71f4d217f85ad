"""Event contexts in a server: deadlines that fire without a row, restarts, ``kill -9``, what they become."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.serving import Served
from tests.support import nightly

CORRELATION = """
[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]

[[stream]]
name = "match"
from = ["edge"]
query = '''rex field=line "(?<type>send|recv) (?<txkey>\\w+)"
| evtctxadd topic=tx key=txkey timeout=SPAN type == "send"
| evtctxdel topic=tx key=txkey type == "recv"'''

[[stream]]
name = "missing"
from = ["context:tx"]
query = 'search cause == "TIMEOUT" | fields _time, key, cause, counter'
to = ["alerts"]

[[sink]]
name = "alerts"
kind = "table"
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path, CORRELATION.replace("SPAN", "2s"))
    yield made
    if made.process is not None:
        made.kill()


def test_a_send_without_its_recv_is_an_alert(served: Served) -> None:
    """The vendor's rule: within the time the context is removed by the answer, else it times out."""
    served.start()
    begun = time.monotonic()
    served.send(b"<13>send a1\n<13>send b2\n<13>recv a1\n<13>send b2\n")
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 1, "alerted")
    assert time.monotonic() - begun >= 1.9
    assert served.counted("logsql_context_removed_total", "TIMEOUT", "tx") == 1
    assert served.counted("logsql_context_removed_total", "REMOVAL", "tx") == 1
    assert served.end() == 0
    assert served.stored("SELECT key, cause, counter FROM alerts") == [("b2", "TIMEOUT", 2)]


def test_contexts_outlive_kill_9_and_are_listed(served: Served) -> None:
    """By day it is looked at what there is behind the restart, by night the deadline is waited for too."""
    served.write(CORRELATION.replace("SPAN", "20s" if nightly() else "1h"))
    served.start()
    served.send(b"<13>send a1\n<13>send b2\n")
    served.until(lambda: served.counted("logsql_stream_rows_in_total", "match") == 2, "read")
    served.kill()
    served.start()
    topics = served.verb("-q", "system ceptopics", "-f", "jsonl")
    assert topics.stdout == '{"topic":"tx","count":2}\n', topics.stderr
    served.send(b"<13>recv a1\n<13>send b2\n")
    served.until(lambda: served.counted("logsql_stream_rows_in_total", "match") == 2, "read")
    assert served.counted("logsql_context_removed_total", "REMOVAL", "tx") == 1
    listed = served.verb("-q", "evtctxlist topic=tx | fields key, counter", "-f", "jsonl")
    assert listed.stdout == '{"key":"b2","counter":2}\n', listed.stderr
    if nightly():
        served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 1, "alerted")
    assert served.end() == 0
    if nightly():
        assert served.stored("SELECT key, cause, counter FROM alerts") == [("b2", "TIMEOUT", 2)]


def test_a_deadline_that_passed_while_no_server_ran_fires_at_its_moment(served: Served) -> None:
    served.start()
    served.send(b"<13>send a1\n")
    served.until(lambda: served.counted("logsql_contexts", "tx") == 1, "open")
    served.kill()
    before = time.time()
    time.sleep(2.5)
    served.start()
    served.until(lambda: served.counted("logsql_sink_rows_total", "alerts") == 1, "alerted")
    assert served.end() == 0
    ((key, moment),) = served.stored("SELECT key, epoch(_time) FROM alerts")
    assert key == "a1"
    assert float(str(moment)) < before + 2.1
