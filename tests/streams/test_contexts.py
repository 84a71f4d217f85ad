"""Event contexts: rules of correlation worked out by hand, with the time of the log and with real time."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, QueryError
from logsql.engine.session import Session
from logsql.planner.services import CONTEXTS
from logsql.streams.contexts import saving
from logsql.streams.contexts.store import Contexts
from logsql.streams.planning import Shape, Text, halves
from logsql.streams.rows import REMOVED
from logsql.streams.running import QueryRunner
from tests.compare import rows_equal

BEGIN = dt.datetime(2026, 1, 2, 3, 0, tzinfo=dt.UTC)
SECOND = 1_000_000


class Clock:
    """Real time that moves when a test says so."""

    def __init__(self) -> None:
        self.now = int(BEGIN.timestamp()) * SECOND

    def __call__(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


class Bench:
    """A session whose event contexts have a clock of the test."""

    def __init__(self, session: Session, most: int = 1000) -> None:
        self.session, self.clock = session, Clock()
        self.store = Contexts(self.clock, most)
        self.store.listen(None)
        session.workspace.services.provide(CONTEXTS, self.store)

    def run(self, query: str, *rows: dict[str, Any]) -> list[dict[str, Any]]:
        """The rows of a query over these rows."""
        self.session.register("t", pa.Table.from_pylist(list(rows)))
        return self.session.query(f"table order=asc t | {query}").rows()

    def ended(self) -> list[tuple[str, str, int]]:
        """Key, cause and second of the contexts that ended since the last call."""
        self.store.tick()
        start = int(BEGIN.timestamp()) * SECOND
        return [(c.key, cause, (moment - start) // SECOND) for moment, c, cause in self.store.take_removed()]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with logsql.connect(tz="UTC") as session:
        yield Bench(session)


def at(second: float, **fields: Any) -> dict[str, Any]:
    """A row with a time."""
    return {"_time": BEGIN + dt.timedelta(seconds=second), **fields}


# --- rules ------------------------------------------------------------------------------------------------------------

SEND = 'evtctxadd topic=txmatch key=txkey timeout=10s type == "send" | evtctxdel topic=txmatch key=txkey type == "recv"'


def test_sent_and_received_within_ten_seconds(bench: Bench) -> None:
    """The manual's rule: a context that ends by REMOVAL is a match, one that ends by TIMEOUT is none."""
    bench.run(SEND, {"txkey": "001122", "type": "send"})
    bench.clock.sleep(9.9)
    bench.run(SEND, {"txkey": "001122", "type": "recv"})
    assert bench.ended() == [("001122", "REMOVAL", 9)]


def test_sent_and_not_received_in_ten_seconds(bench: Bench) -> None:
    bench.run(SEND, {"txkey": "001122", "type": "send"})
    bench.clock.sleep(10)
    assert bench.ended() == [("001122", "TIMEOUT", 10)]
    bench.run(SEND, {"txkey": "001122", "type": "recv"})
    assert bench.ended() == []


def test_the_moment_is_the_deadline_and_not_when_it_was_noticed(bench: Bench) -> None:
    bench.run(SEND, {"txkey": "a", "type": "send"})
    bench.clock.sleep(3600)
    assert bench.ended() == [("a", "TIMEOUT", 10)]


def test_both_deadlines_at_once_are_expire(bench: Bench) -> None:
    bench.run("evtctxadd topic=x key=k expire=10s timeout=10s true", {"k": "a"})
    bench.clock.sleep(10)
    assert bench.ended() == [("a", "EXPIRE", 10)]


def test_a_row_extends_the_timeout_and_not_the_expiry(bench: Bench) -> None:
    for _ in range(4):
        bench.run("evtctxadd topic=x key=k expire=10s timeout=4s true", {"k": "a"})
        bench.clock.sleep(3)
    assert bench.ended() == [("a", "EXPIRE", 10)]


def test_many_failures_and_then_a_success(bench: Bench) -> None:
    rule = (
        'evtctxadd topic=fails key=user timeout=10m type == "fail" '
        '| eval n = evtctxget("fails", user, "counter") | evtctxdel topic=fails key=user type == "ok" '
        '| search type == "ok" and n >= 3 | fields user, n'
    )
    rows = [("kim", "fail")] * 3 + [("lee", "fail"), ("kim", "ok"), ("lee", "ok"), ("kim", "fail"), ("kim", "ok")]
    assert bench.run(rule, *({"user": u, "type": t} for u, t in rows)) == [{"user": "kim", "n": 3}]


def test_a_success_between_two_failures_does_not_see_the_second(bench: Bench) -> None:
    """Command by command all three rows would have gone through evtctxadd first, and the success would show 2."""
    rule = 'evtctxadd topic=f key=u type == "fail" | eval n = evtctxget("f", u, "counter") | fields type, n'
    rows = [{"u": "k", "type": t} for t in ("fail", "ok", "fail")]
    assert [r["n"] for r in bench.run(rule, *rows)] == [1, 1, 2]


def test_a_port_scan_with_variables(bench: Bench) -> None:
    """Five ports of one host within a minute, each counted once."""
    rule = (
        "evtctxadd topic=scan key=src expire=60s maxrows=0 logtick=dev true "
        '| eval seen = nvl(evtctxgetvar("scan", src, "ports", dev), ",") '
        '| eval new = contains(seen, concat(",", port, ",")) == false '
        '| eval ok = if(new, evtctxsetvar("scan", src, "ports", concat(seen, port, ","), dev), null) '
        '| eval n = if(new, nvl(evtctxgetvar("scan", src, "n", dev), 0) + 1, evtctxgetvar("scan", src, "n", dev)) '
        '| eval ok = evtctxsetvar("scan", src, "n", n, dev) '
        "| search n == 5 and new | fields src, port, n"
    )
    ports = [
        ("a", 22),
        ("a", 22),
        ("b", 1),
        ("a", 80),
        ("a", 443),
        ("b", 2),
        ("a", 22),
        ("a", 25),
        ("a", 110),
        ("a", 143),
    ]
    rows = [at(n, src=src, port=port, dev="fw") for n, (src, port) in enumerate(ports)]
    assert bench.run(rule, *rows) == [{"src": "a", "port": 110, "n": 5}]
    assert bench.run(rule, *[at(61 + n, src="b", port=100 + n, dev="fw") for n in range(4)]) == []


def test_the_example_of_serial_keeps_the_value_of_the_row_before(bench: Bench) -> None:
    rule = (
        'serial [ search uri == "*game*" | evtctxadd topic=TEST key=uri maxrows=0 true '
        '| eval prev_ip = evtctxgetvar("TEST", uri, "prev_ip") '
        '| eval _dummy = evtctxsetvar("TEST", uri, "prev_ip", ip)] | fields uri, prev_ip'
    )
    rows = [("/game", "1"), ("/game", "2"), ("/x", "3"), ("/games", "4"), ("/game", "5")]
    assert bench.run(rule, *({"uri": u, "ip": i} for u, i in rows)) == [
        {"uri": "/game", "prev_ip": None},
        {"uri": "/game", "prev_ip": "1"},
        {"uri": "/games", "prev_ip": None},
        {"uri": "/game", "prev_ip": "2"},
    ]


# --- the time of the log ----------------------------------------------------------------------------------------------


def test_each_host_has_a_clock_that_only_its_rows_move(bench: Bench) -> None:
    rule = "evtctxadd topic=x key=k timeout=10s logtick=h add"
    bench.run(rule, at(0, h="one", k="a", add=True), at(0, h="two", k="a", add=True), at(9, h="one", k="z", add=False))
    assert bench.ended() == []
    bench.clock.sleep(3600)
    bench.run(rule, at(10, h="one", k="z", add=False))
    assert bench.ended() == [("a", "TIMEOUT", 10)]
    clocks = bench.session.query("system cepclocks").rows()
    assert [(c["host"], c["time"], c["timeout_queue_len"], c["expire_queue_len"]) for c in clocks] == [
        ("one", BEGIN + dt.timedelta(seconds=10), 0, 0),
        ("two", BEGIN, 1, 0),
    ]


def test_a_row_that_is_late_counts_at_the_clock(bench: Bench) -> None:
    for second, key in ((20, "a"), (5, "b")):
        bench.run("evtctxadd topic=x key=k timeout=10s logtick=h true", at(second, h="one", k=key))
    (first, second) = bench.session.query("evtctxlist topic=x").rows()
    assert (first["created"], second["created"]) == (BEGIN + dt.timedelta(seconds=20),) * 2


def test_deadlines_are_worked_off_before_the_row(bench: Bench) -> None:
    rule = 'evtctxadd topic=x key=k expire=10s logtick=h true | eval n = evtctxget("x", k, "counter", h) | fields n'
    assert [r["n"] for r in bench.run(rule, *(at(s, h="o", k="a") for s in (0, 9, 10, 11)))] == [1, 2, 1, 2]


def test_functions_without_a_host_see_no_context_of_a_host(bench: Bench) -> None:
    rule = 'evtctxadd topic=x key=k logtick=h true | eval n = evtctxget("x", k, "counter") | fields n'
    assert bench.run(rule, at(0, h="o", k="a")) == [{"n": None}]


# --- limits, lists, options -------------------------------------------------------------------------------------------


def test_a_context_keeps_the_first_rows_with_the_fields_that_they_had(bench: Bench) -> None:
    rule = 'eval z = 1 | evtctxadd topic=x key=k maxrows=2 true | eval y = 2, r = evtctxget("x", k, "rows") | fields r'
    found = bench.run(rule, {"k": "a", "n": 1, "o": None}, {"k": "a", "n": 2, "o": "x"}, {"k": "a", "n": 3, "o": None})
    assert found[2]["r"] == [{"k": "a", "n": 1, "z": 1}, {"k": "a", "n": 2, "o": "x", "z": 1}]


def test_topic_and_limits_come_from_the_row(bench: Bench) -> None:
    rows = [{"topic": "p", "key": "a", "expire": 5, "timeout": None, "maxrows": 0}]
    rows += [{"topic": "q", "key": "a", "expire": None, "timeout": 7, "maxrows": 1}]
    bench.run("evtctxadd dynamic=t true", *rows)
    listed = bench.session.query("evtctxlist").rows()
    spans = [
        (
            c["topic"],
            c["expire_at"] and c["expire_at"] - BEGIN,
            c["timeout_at"] and c["timeout_at"] - BEGIN,
            len(c["rows"]),
        )
        for c in listed
    ]
    assert spans == [("p", dt.timedelta(seconds=5), None, 0), ("q", None, dt.timedelta(seconds=7), 1)]
    bench.run("evtctxdel dynamic=t true", {"topic": "q", "key": "a"})
    assert bench.session.query("system ceptopics").rows() == [{"topic": "p", "count": 1}]


def test_static_options_beside_dynamic_are_ignored_and_told(bench: Bench) -> None:
    bench.session.register("t", pa.table({"topic": ["p"], "key": ["a"]}))
    result = bench.session.query("table t | evtctxadd dynamic=t topic=other expire=5s true")
    assert [note.code for note in result.notes] == ["N1111", "N1111"]
    assert result.rows()
    assert bench.session.query("system ceptopics").rows() == [{"topic": "p", "count": 1}]


def test_a_topic_is_dropped_or_all_are(bench: Bench) -> None:
    bench.run("evtctxadd topic=x key=k true | evtctxadd topic=y key=k true", {"k": "a"}, {"k": "b"})
    assert bench.session.query('evtctxdrop topic="x"').rows() == []
    assert bench.session.query("system ceptopics").rows() == [{"topic": "y", "count": 2}]
    bench.session.query("evtctxdrop all=t").rows()
    with pytest.raises(QueryError, match="either topic= or all=t"):
        bench.session.query("evtctxdrop")
    assert sorted(cause for _, cause, _ in bench.ended()) == ["REMOVAL"] * 4
    assert bench.session.query("evtctxlist").rows() == []


def test_contexts_beyond_the_limit_are_refused_and_counted() -> None:
    with logsql.connect(tz="UTC") as session:
        bench = Bench(session, most=2)
        session.register("t", pa.table({"k": ["a", "b", "c", "a", "d"]}))
        result = session.query("table t | evtctxadd topic=x key=k true")
        assert len(result.rows()) == 5
        assert [(e.reason, e.count) for e in result.ledger] == [("event-context-refused", 2)]
        assert bench.store.refused == {"x": 2}
        assert [(c.key, c.counter) for c in bench.store.contexts()] == [("a", 2), ("b", 1)]


def test_rows_without_a_key_make_no_context_and_are_counted(bench: Bench) -> None:
    bench.session.register("t", pa.table({"k": ["a", None]}))
    result = bench.session.query("table t | evtctxadd topic=x key=k true")
    assert len(result.rows()) == 2
    assert [(e.reason, e.count) for e in result.ledger] == [("event-context-without-key", 1)]


def test_a_variable_keeps_its_type(bench: Bench) -> None:
    rule = (
        'evtctxadd topic=x key=k true | eval s = evtctxsetvar("x", k, "d", _time), v = evtctxgetvar("x", k, "d"), '
        's = evtctxsetvar("x", k, "l", array(1, "b")), w = evtctxgetvar("x", k, "l") '
        '| eval day = datepart(v, "day"), t = typeof(v), b = valueof(w, 1) | fields day, t, b'
    )
    assert bench.run(rule, at(0, k="a")) == [{"day": 2, "t": "date", "b": "b"}]


def test_a_variable_is_set_where_its_branch_is_taken(bench: Bench) -> None:
    rule = (
        'evtctxadd topic=x key=k true | eval s = if(n > 1, evtctxsetvar("x", k, "n", n), null) '
        '| search n < 3 and evtctxsetvar("x", k, "m", n) | eval a = evtctxgetvar("x", k, "n") | fields n, a'
    )
    found = bench.run(rule, *({"k": "a", "n": n} for n in (1, 3, 2)))
    assert found == [{"n": 1, "a": None}, {"n": 2, "a": 2}]
    (context,) = bench.store.contexts()
    assert context.vars == {"m": ("long", 2), "n": ("long", 2)}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("evtctxadd key=k true", "90001"),
        ("evtctxadd topic=x true", "90001"),
        ('eval a = evtctxget("x", k, "nope")', "E3322"),
        ('eval a = case(n > 1, evtctxsetvar("x", k, "n", 1), 2)', "E3321"),
        ("evtctxadd topic=x key=k true | prev n | evtctxdel topic=x key=k true", "E3320"),
        ("evtctxadd topic=x key=k true | explode l | evtctxdel topic=x key=k true", "E3320"),
        ("evtctxadd topic=x key=k true | eval m = seq() | evtctxdel topic=x key=k true", "E3320"),
        ('set c = evtctxget("x", "a", "counter")', "E3324"),
    ],
)
def test_what_is_refused(bench: Bench, query: str, code: str) -> None:
    with pytest.raises(QueryError) as caught:
        bench.run(query, {"k": "a", "n": 1, "l": [1]})
    assert caught.value.code == code


def test_commands_that_wait_for_all_rows_stand_between(bench: Bench) -> None:
    rule = (
        "evtctxadd topic=x key=k true | stats count by k | sort k "
        '| eval n = evtctxget("x", k, "counter"), m = evtctxcnt("x") | fields k, n, m'
    )
    found = bench.run(rule, {"k": "a"}, {"k": "b"}, {"k": "a"})
    assert found == [{"k": "a", "n": 2, "m": 2}, {"k": "b", "n": 1, "m": 2}]


def test_rows_pass_although_the_query_needs_none_of_them(bench: Bench) -> None:
    """DuckDB does not read rows for a condition that it knows to be false."""
    assert bench.run("evtctxadd topic=x key=k true | search nope > 5", {"k": "a"}) == []
    assert bench.store.counts() == {"x": 1}


def test_functions_in_arguments_of_aggregates(bench: Bench) -> None:
    rule = 'evtctxadd topic=x key=k true | stats max(evtctxget("x", k, "counter")) as n by k | sort k'
    assert bench.run(rule, {"k": "a"}, {"k": "b"}, {"k": "a"}) == [{"k": "a", "n": 2}, {"k": "b", "n": 1}]


class Failing(Contexts):
    """A store that fails when the contexts of a topic are counted once more than it likes."""

    asked = 0

    def size(self, topic: str) -> int:
        self.asked += 1
        if self.asked > 12:
            raise ArithmeticError("counted too often")
        return super().size(topic)


def test_what_was_looked_at_ahead_is_undone_where_the_run_fails() -> None:
    """Each row's condition is asked of SQL; rows behind the first were counted while it waited."""
    rule = (
        'evtctxadd topic=x key=k true | eval c = evtctxget("x", k, "counter"), n = evtctxcnt("z") '
        "| evtctxadd topic=y key=k pow(c, 2) > 0"
    )
    with logsql.connect(tz="UTC") as session:
        store = Failing()
        session.workspace.services.provide(CONTEXTS, store)
        session.register("t", pa.table({"k": [f"k{n}" for n in range(9)]}))
        with pytest.raises(LogsqlError, match="counted too often"):
            session.query(f"table t | {rule}").rows()
    assert store.counts() == {"x": 3, "y": 3}


# --- in the query of a stream -----------------------------------------------------------------------------------------

STREAM = (
    'evtctxadd topic=f key=u maxrows=2 type == "fail" | eval n = evtctxget("f", u, "counter") '
    '| eval last = evtctxgetvar("f", u, "last"), ok = evtctxsetvar("f", u, "last", type) '
    '| evtctxdel topic=f key=u type == "ok" or n > 3 | search type == "ok" or n > 3 '
    "| eval last = string(last) | fields u, n, last"
)


@pytest.mark.parametrize("size", [1, 2, 5, 20])
def test_a_stream_carries_contexts_from_batch_to_batch(bench: Bench, size: int) -> None:
    rows = [{"u": f"u{n % 3}", "type": "ok" if n % 7 == 5 else "fail"} for n in range(20)]
    whole = Bench(bench.session).run(STREAM, *rows)
    assert [(r["u"], r["n"], r["last"]) for r in whole] == [
        ("u2", 1, "fail"),
        ("u0", 4, "fail"),
        ("u1", 4, "fail"),
        ("u0", None, None),
        ("u2", 4, "fail"),
        ("u1", 2, "fail"),
    ]
    fresh = Bench(bench.session)
    table = pa.Table.from_pylist(rows)
    text = Text("s", STREAM)
    runner = QueryRunner(bench.session, text, halves(text, None).running, Shape(table.schema))
    found: list[dict[str, Any]] = []
    for start in range(0, len(rows), size):
        found += runner.run(table.slice(start, size)).shown().to_pylist()
    assert rows_equal(whole, found, True, "UTC") is None
    assert fresh.store.counts() == {"f": 1}


def test_a_stream_makes_contexts_although_it_gives_no_row(bench: Bench) -> None:
    text, table = Text("s", "evtctxadd topic=x key=u true | search nope > 5"), pa.table({"u": ["a", "b"]})
    runner = QueryRunner(bench.session, text, halves(text, None).running, Shape(table.schema))
    for _ in range(3):
        assert runner.run(table).shown().num_rows == 0
    assert [(c.key, c.counter) for c in bench.store.contexts()] == [("a", 3), ("b", 3)]


# --- kept and brought back --------------------------------------------------------------------------------------------


def filled(store: Contexts) -> None:
    with store:
        store.host_time("h", 5 * SECOND)
        store.add("x", "a", None, store.tick(), 10 * SECOND, None, 2, '{"n":1}')
        store.add("x", "b", "h", 5 * SECOND, None, 3 * SECOND, 0, None)
        context = store.find("x", "a", None)
        assert context is not None
        store.set_var(context, "d", ("binary", b"\x00\xff"))


def test_contexts_survive_as_bytes() -> None:
    clock = Clock()
    store, again = Contexts(clock), Contexts(clock)
    filled(store)
    saved = [saving.save(store)]
    assert saving.changes(store) is None
    with store:
        store.add("x", "b", "h", 6 * SECOND, None, 3 * SECOND, 0, None)
        store.remove("x", "a", None, clock())
        store.add("z", "c", None, clock(), None, 7 * SECOND, 1, "{}")
    saved.append(saving.changes(store) or b"")
    saving.load(again, saved)
    assert again.listed(None, "UTC") == store.listed(None, "UTC")
    assert again.clocks() == store.clocks()
    assert again.next_deadline() == store.next_deadline() == clock() + 7 * SECOND
    third = Contexts(clock)
    saving.load(third, saved[:1])
    context = third.find("x", "a", None)
    assert context is not None
    assert context.vars == {"d": ("binary", b"\x00\xff")}
    clock.sleep(60)
    third.listen(None)
    third.tick()
    assert [(c.key, cause) for _, c, cause in third.take_removed()] == [("a", "EXPIRE")]


def test_removed_contexts_are_rows(bench: Bench) -> None:
    bench.run('evtctxadd topic=x key=k timeout=2s true | eval s = evtctxsetvar("x", k, "v", 1)', {"k": "a", "n": 1})
    bench.clock.sleep(2)
    bench.store.tick()
    (batch,) = saving.removed(bench.store, "UTC").values()
    assert batch.schema == REMOVED
    (row,) = batch.to_pylist()
    assert (row["_time"], row["cause"], row["counter"]) == (BEGIN + dt.timedelta(seconds=2), "TIMEOUT", 1)
    assert (json.loads(row["vars"]), json.loads(row["rows"])) == ({"v": 1}, [{"k": "a", "n": 1}])
    assert saving.removed(bench.store, "UTC") == {}


def test_a_batch_can_be_taken_back(bench: Bench) -> None:
    bench.run("evtctxadd topic=x key=k timeout=5s true", {"k": "a"})
    before = bench.store.listed(None, "UTC")
    bench.store.begin()
    rule = (
        'evtctxadd topic=x key=k timeout=9s true | eval c = evtctxget("x", k, "counter"), '
        's = evtctxsetvar("x", k, "v", c + 1) | evtctxdel topic=x key=k c > 2'
    )
    bench.run(rule, {"k": "a"}, {"k": "b"}, {"k": "a"}, {"k": "c"})
    bench.store.rollback()
    assert bench.store.listed(None, "UTC") == before
    assert bench.store.take_removed() == []
    bench.clock.sleep(5)
    assert bench.ended() == [("a", "TIMEOUT", 5)]


def test_real_time_ends_contexts() -> None:
    with logsql.connect(tz="UTC") as session:
        session.register("t", pa.table({"k": ["a"]}))
        session.query("table t | evtctxadd topic=x key=k timeout=1s true").rows()
        assert session.query("system ceptopics").rows() == [{"topic": "x", "count": 1}]
        store = session.workspace.services.get(CONTEXTS)
        assert isinstance(store, Contexts)
        deadline = store.next_deadline()
        assert deadline is not None
        wait = Clock()
        while store.real.time < deadline:
            store.tick()
            wait.sleep(0)
        assert session.query("system ceptopics").rows() == []
        assert store.ended == {("x", "TIMEOUT"): 1}
