"""What a stream with windows keeps beside its intervals: models, event contexts, files that its query writes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from logsql.engine.repeated import Ran
from logsql.ml.service import MODELS
from logsql.ml.store import ModelStore
from logsql.planner.services import CONTEXTS
from logsql.streams.contextkeeper import Keeper
from logsql.streams.metrics import MODEL_SECONDS, STREAM_ERRORS
from logsql.streams.working import Worker
from tests.ml.support import DATA_FOLDERS
from tests.streams.bench_of_units import BEGIN, Server, TableSink, until
from tests.streams.test_running import payments, store
from tests.streams.test_windows import FIRST, MINUTE, Clocks, turn

#: A document of more fields than a row may have: its row fails.
WIDE = json.dumps({f"k{n}": n for n in range(10_001)})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in DATA_FOLDERS:
        monkeypatch.setenv(name, str(tmp_path / "user"))
    made = Server(tmp_path)
    yield made
    made.close()


def keeper(server: Server) -> Keeper:
    """Event contexts of a server, as ``logsql serve`` has them; to be made before its units."""
    made = Keeper(server.book, server.feed, server.metrics, "UTC", 1000, server.told.append)
    server.session.workspace.services.provide(CONTEXTS, made.store)
    made.load()
    return made


def kept(server: Server) -> dict[str, int]:
    """Counters of the contexts that stand in the book, which is what another process would find."""
    found = Keeper(server.book, server.feed, server.metrics, "UTC", 1000, server.told.append)
    found.load()
    return {context.key: context.counter for context in found.store.contexts()}


# --- models -----------------------------------------------------------------------------------------------------------


def test_a_model_behind_a_window_is_loaded_once_and_its_time_is_told(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(server.session, 1)
    loads: list[str] = []
    models = server.session.service(MODELS)
    assert isinstance(models, ModelStore)
    get = ModelStore.get
    monkeypatch.setattr(ModelStore, "get", lambda self, name, kind: loads.append(name) or get(self, name, kind))
    clocks = Clocks()
    query = "parsejson overlay=t | stats sum(amount) as amount, max(hour) as hour | anomalies model=fds amount, hour"
    unit = server.unit(query, every=60.0, by=clocks.clock())
    rows = payments(4, 5).to_pylist()
    for n, row in enumerate(rows):
        server.send([json.dumps(row)], BEGIN + n * MINUTE)
        turn(unit)
        clocks.pass_(60)
        turn(unit)
    assert loads == ["fds"]
    ((_, labels, took),) = [h for h in server.metrics.histograms() if h[0] == MODEL_SECONDS.name]
    assert (labels, took.count) == (("s", "fds"), 4)
    server.session.register("rows", payments(4, 5))
    want = server.session.query("table rows | anomalies model=fds amount, hour").arrow().column("_score").to_pylist()
    assert [score for (score,) in server.rows(columns="_score")] == want


def test_a_newer_model_is_taken_up_behind_a_window(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logsql.streams.carried.LOOK", 0.0)
    store(server.session, 1)
    clocks = Clocks()
    query = "parsejson overlay=t | stats sum(amount) as amount, max(hour) as hour | anomalies model=fds amount, hour"
    unit = server.unit(query, every=60.0, by=clocks.clock())
    row = json.dumps(payments(1, 5).to_pylist()[0])
    for n in range(2):
        server.send([row], BEGIN + n * MINUTE)
        turn(unit)
        clocks.pass_(60)
        turn(unit)
        store(server.session, 9)
    first, second = [score for (score,) in server.rows(columns="_score")]
    assert first != second
    assert any("new model fds" in said for said in server.told)


# --- files ------------------------------------------------------------------------------------------------------------


def test_every_interval_is_added_to_a_file_that_the_query_writes(server: Server) -> None:
    out = server.folder / "counts.csv"
    clocks = Clocks()
    unit = server.unit(f"stats count | outputcsv {out} count", every=60.0, by=clocks.clock())
    for n in range(3):
        server.send(["a"] * (n + 1), BEGIN + n * MINUTE)
        turn(unit)
        clocks.pass_(60)
        turn(unit)
    assert server.rows("dead", "_error") == []
    assert out.read_text().split() == ['"count"', '"1"', '"2"', '"3"']


# --- contexts ---------------------------------------------------------------------------------------------------------

COUNTING = "evtctxadd topic=c key=_logger_name true | stats count"


def failing_at(unit: Worker, line: str) -> None:
    """Runs of the first half fail, behind all that they did, where this row is among theirs."""
    run = unit.runner.run

    def failing(rows: pa.Table) -> Ran:
        found = run(rows)
        if line in rows.column("line").to_pylist():
            raise RuntimeError("this row")
        return found

    unit.runner.run = failing  # type: ignore[method-assign]


def two_intervals(server: Server, unit: Worker, clocks: Clocks, failing: int) -> None:
    """One batch whose rows arrived in two minutes; the row of this place fails."""
    failing_at(unit, str(failing))
    server.send([str(n) for n in range(6)], [FIRST + n * SECONDS_APART for n in range(6)])
    turn(unit)
    clocks.pass_(120)
    turn(unit)


#: Of six rows three lie in each of two minutes.
SECONDS_APART = MINUTE // 3


@pytest.mark.parametrize("failing", [0, 2, 3, 5])
def test_a_batch_over_two_intervals_that_fails_counts_each_row_once(server: Server, failing: int) -> None:
    contexts = keeper(server)
    clocks = Clocks()
    unit = server.unit(COUNTING, every=60.0, by=clocks.clock())
    unit.companions = (contexts,)
    two_intervals(server, unit, clocks, failing)
    want = [2, 3] if failing < 3 else [3, 2]
    assert [count for (count,) in server.rows(columns='"count"')][:2] == want
    assert kept(server) == {"edge": 5}
    assert len(server.rows("dead")) == 1


def test_a_failure_in_the_second_interval_leaves_what_the_first_remembered(server: Server) -> None:
    """``seq()`` goes on over both intervals, whichever row fails; with and without contexts."""
    contexts = keeper(server)
    clocks = Clocks()
    query = "eval n = seq() | evtctxadd topic=c key=_logger_name true | stats max(n) as n"
    unit = server.unit(query, every=60.0, by=clocks.clock())
    unit.companions = (contexts,)
    two_intervals(server, unit, clocks, 4)
    assert [n for (n,) in server.rows(columns="n")][:2] == [3, 5]


def test_a_server_killed_between_the_batch_and_the_end_of_its_intervals_counts_each_row_once(tmp_path: Path) -> None:
    clocks = Clocks()
    for round_ in range(3):
        server = Server(tmp_path)
        contexts = keeper(server)
        unit = server.unit(COUNTING, every=60.0, by=clocks.clock())
        unit.companions = (contexts,)
        failing_at(unit, "3")
        if round_ == 0:
            server.send([str(n) for n in range(5)], [FIRST + n * SECONDS_APART for n in range(5)])
        turn(unit)
        clocks.pass_(60)
        assert kept(server) == {"edge": 4}
        server.close()
    server = Server(tmp_path)
    turn(server.unit("stats count", every=60.0, by=clocks.clock()))
    assert [n for (n,) in server.rows(columns='"count"')][:2] == [3, 1]
    server.close()


def test_contexts_behind_a_window_are_committed_with_the_interval(server: Server) -> None:
    """A rule over counts: a sender with two messages a minute opens a context, and nothing else writes it down."""
    contexts = keeper(server)
    clocks = Clocks()
    query = (
        'stats count by line | evtctxadd topic=many key=line count >= 2 | eval n = evtctxget("many", line, "counter")'
    )
    unit = server.unit(query, every=60.0, by=clocks.clock())
    unit.companions = (contexts,)
    for n in range(2):
        server.send(["a", "b", "a"], BEGIN + n * MINUTE)
        turn(unit)
        assert kept(server) == ({"a": n} if n else {})
        clocks.pass_(60)
        turn(unit)
    assert kept(server) == {"a": 2}
    assert sorted(server.rows(columns="line, n"), key=str) == [("a", 1), ("a", 2), ("b", None), ("b", None)]


def test_an_interval_that_fails_leaves_no_contexts(server: Server) -> None:
    contexts = keeper(server)
    clocks = Clocks()
    unit = server.unit(
        "stats count, first(line) as f | evtctxadd topic=c key=f true | parsejson field=f",
        every=60.0,
        by=clocks.clock(),
    )
    unit.companions = (contexts,)
    server.send([WIDE], BEGIN)
    turn(unit)
    clocks.pass_(60)
    turn(unit)
    assert len(server.rows("dead")) == 1
    assert kept(server) == {}
    assert list(contexts.store.contexts()) == []
    numbers = server.metrics.numbers()
    assert sum(v for (name, _), v in numbers.items() if name == STREAM_ERRORS.name) == 1


# --- pausing ----------------------------------------------------------------------------------------------------------


class FullSink(TableSink):
    """A sink that has no room while it is told so."""

    full = True
    asked = 0

    def wait_room(self, seconds: float) -> bool:
        self.asked += 1
        time.sleep(0.01)
        return not self.full


@pytest.mark.parametrize("every", [None, 1.0])
def test_a_stream_that_was_paused_while_its_sink_was_full_goes_on(server: Server, every: float | None) -> None:
    unit = server.unit("stats count" if every else "", every=every)
    (sink,) = [s for s in unit._delivery.outlet.sinks if isinstance(s, TableSink)]
    sink.__class__ = FullSink
    assert isinstance(sink, FullSink)
    unit.start()
    server.send(["a"])
    assert until(lambda: sink.asked > 0)
    unit.pause()
    asked = -1
    while asked != sink.asked:  # it asks no more
        asked = sink.asked
        time.sleep(0.1)
    sink.full = False
    unit.resume()
    assert until(lambda: len(server.rows()) >= 1, 20)
    server.finish()


# --- rows without fields ----------------------------------------------------------------------------------------------


def test_documents_without_a_key_are_rows(server: Server) -> None:
    """A batch of `{}` alone has no field to show, and was refused row by row."""
    clocks = Clocks()
    counted = server.unit("parsejson | stats count", "counted", every=60.0, by=clocks.clock())
    plain = server.unit("parsejson", "plain")
    server.send(["{}", "{}", WIDE], BEGIN)
    server.send(['{"a": 1}'], BEGIN)
    turn(counted)
    clocks.pass_(60)
    turn(counted)
    assert server.rows("counted", '"count"') == [(4,)]
    assert server.rows("dead", "_error") == []
    positions = plain.inputs[0].feed.read(0, 2)
    assert positions is not None
    ran = plain.run(plain.inputs[0].adapt(positions.rows))
    assert (ran.dead, [table.num_rows for table in ran.shown]) == ([], [2])
