"""Questions of other processes over the control socket: ``logger``, ``stream``, tables, and what goes wrong."""

from __future__ import annotations

import datetime as dt
import os
import select
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.diagnostics.errors import LogsqlError, SourceError
from logsql.shell.catalog import SessionCatalog
from logsql.store import serverfolder
from logsql.store.files import Files
from logsql.store.serverfolder import StateFolder, take
from logsql.streams import wire
from logsql.streams.answers import STAYING, Watching, handlers
from logsql.streams.control import Control
from logsql.streams.remote import Link
from logsql.streams.rows import SYSLOG
from logsql.streams.shaping import documents
from logsql.streams.taps import WAITING, Taps

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


class Server:
    """The parts of a server, as far as its answers ask for them."""

    def __init__(self) -> None:
        self.taps = Taps()
        self.asked = threading.Event()
        self.given: list[tuple[list[str], pa.Table]] = []
        self.acted: list[tuple[str, str]] = []
        self.people = pa.table({"name": ["kim", "lee"], "_time": pa.array([NOON, NOON], pa.timestamp("us", "UTC"))})

    def watching(self, kind: str, names: Sequence[str], last: int = 0) -> AbstractContextManager[Watching]:
        self.asked.set()
        return self.taps.watching([f"{kind}:{name}" for name in names], last)

    def schemas(self, kind: str) -> Mapping[str, pa.Schema | None]:
        if kind == "receivers":
            return {"edge": SYSLOG, "edge-2": SYSLOG, "sample1": SYSLOG, "sample2": SYSLOG}
        return {"fds": self.taps.schema("streams:fds"), "idle": None, "sample1": None, "sample2": None}

    def forward(self, names: Sequence[str], rows: pa.Table) -> None:
        self.given.append((list(names), rows))

    def listing(self, what: str) -> list[dict[str, object]]:
        return [{"name": "fds", "state": "running", "what": what}]

    def state_folder(self) -> str:
        return "live.duckdb.ml"

    def tables(self) -> Mapping[str, pa.Schema]:
        return {"people": self.people.schema}

    def table(self, name: str) -> Iterator[pa.RecordBatch]:
        yield from self.people.to_batches()

    def show(self, name: str) -> dict[str, object]:
        return {"name": name, "query": "stats count"}

    def act(self, verb: str, name: str) -> dict[str, object]:
        self.acted.append((verb, name))
        return {"said": [f"{verb} {name}"]}

    def lines(self, rows: pa.Table) -> pa.Array:
        return documents(dict(zip(rows.column_names, rows.columns, strict=True)), rows.num_rows)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    made = take(tmp_path / "state", Files())
    yield made
    made.close()


@pytest.fixture
def server(folder: StateFolder) -> Iterator[Server]:
    parts = Server()
    control = Control(folder.path, handlers(parts))
    control.start()
    yield parts
    control.stop()


def soon(server: Server, act: Callable[[], object], after: float = 0.2) -> None:
    """Do something in a moment, when a query waits for rows."""

    def run() -> None:
        server.asked.wait(30)
        time.sleep(after)
        act()

    threading.Thread(target=run, daemon=True).start()


def received(*lines: str) -> pa.Table:
    rows = [{"line": line, "_time": NOON, "remote_ip": "10.0.0.1", "_logger_name": "edge"} for line in lines]
    return pa.Table.from_pylist(rows, SYSLOG)


def test_logger_reads_what_comes_within_its_window(server: Server, folder: StateFolder) -> None:
    server.taps.publish("receivers:edge", received("before"))
    soon(server, lambda: server.taps.publish("receivers:edge", received("a", "b")))
    soon(server, lambda: server.taps.publish("receivers:edge-2", received("c")))
    soon(server, lambda: server.taps.publish("receivers:edge", received("late")), 1.6)
    with logsql.connect(tz="UTC", server=folder.path) as session:
        begun = time.monotonic()
        rows = session.query(r"logger window=1s local\edge* | sort line | fields line, _time, remote_ip").rows()
        assert 0.9 < time.monotonic() - begun < 3
    assert rows == [{"line": line, "_time": NOON, "remote_ip": "10.0.0.1"} for line in "abc"]


def test_stream_reads_fields_that_are_not_known_before(server: Server, folder: StateFolder) -> None:
    soon(server, lambda: server.taps.publish("streams:fds", pa.table({"user": ["kim"], "n": [3]})))
    soon(server, lambda: server.taps.publish("streams:fds", pa.table({"user": ["lee"], "at": pa.array([NOON])})), 0.6)
    with logsql.connect(tz="UTC", server=folder.path) as session:
        rows = session.query("stream window=1s fds | eval twice = n * 2").rows()
    assert rows == [
        {"user": "kim", "n": 3, "at": None, "twice": 6},
        {"user": "lee", "n": None, "at": "2026-01-01 12:00:00.000+00:00", "twice": None},
    ]


def test_a_known_field_keeps_its_type(server: Server, folder: StateFolder) -> None:
    rows = pa.table({"at": pa.array([NOON], pa.timestamp("us", "UTC"))})
    server.taps.publish("streams:fds", rows)
    soon(server, lambda: server.taps.publish("streams:fds", rows))
    with logsql.connect(tz="UTC", server=folder.path) as session:
        assert session.query("stream window=1s fds | fields at").rows() == [{"at": NOON}]


def test_forward_hands_every_row_to_each_stream(server: Server, folder: StateFolder) -> None:
    with logsql.connect(tz="UTC", server=folder.path) as session:
        query = """json "[{'a': 1, 'b': 'x'}, {'a': 2}]" | stream forward=t fds, idle | stats count"""
        assert session.query(query).rows() == [{"count": 2}]
    ((names, rows),) = server.given
    assert names == ["fds", "idle"]
    assert rows.to_pylist() == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (r"logger window=1s local\sample1, local\sample2", 2),  # ex0115
        (r"logger window=1s local\\sample1, local\\sample2", 2),  # ex0586: the older manual doubles the backslash
        ("stream window=1s sample1, sample2", 2),  # ex0121
        ("table limit=100 test | stream forward=t sample1, sample2", 3),  # ex0122
    ],
)
def test_the_vendors_queries(server: Server, folder: StateFolder, query: str, rows: int) -> None:
    """As the manual prints them, but for the ten seconds."""
    for kind in ("receivers", "streams"):
        soon(server, lambda kind=kind: server.taps.publish(f"{kind}:sample1", received("a")))
        soon(server, lambda kind=kind: server.taps.publish(f"{kind}:sample2", received("b")))
    with logsql.connect(tz="UTC", server=folder.path) as session:
        session.register("test", pa.table({"n": [1, 2, 3]}))
        assert len(session.query(query).rows()) == rows
    if "forward" in query:
        assert server.given[0][0] == ["sample1", "sample2"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("logger edge", "11301"),
        ("logger window=1s", "11302"),
        ("logger window=1s nobody", "E3203"),
        ("stream window=1s nobody", "E3203"),
        ("stream fds", "E3204"),
        ("stream window=1s", "E3204"),
        ("""json "{'a': 1}" | stream forward=t window=1s fds""", "E3204"),
    ],
)
def test_what_is_refused(server: Server, folder: StateFolder, query: str, code: str) -> None:
    with logsql.connect(tz="UTC", server=folder.path) as session, pytest.raises(LogsqlError) as caught:
        session.query(query).rows()
    assert caught.value.code == code


def test_without_a_server(tmp_path: Path) -> None:
    with logsql.connect(tz="UTC") as session, pytest.raises(LogsqlError) as caught:
        session.query("logger window=1s edge")
    assert caught.value.code == "E3202"
    with logsql.connect(tz="UTC", server=tmp_path) as session, pytest.raises(SourceError) as gone:
        session.query("logger window=1s edge")
    assert (gone.value.code, gone.value.exit_code) == ("E3201", 3)


def test_a_query_that_is_stopped_ends_at_once(server: Server, folder: StateFolder) -> None:
    with logsql.connect(tz="UTC", server=folder.path) as session:
        soon(server, session.interrupt)
        begun = time.monotonic()
        with pytest.raises(LogsqlError):
            session.query("logger window=60s edge").rows()
        assert time.monotonic() - begun < 5


def test_forgotten_senders_of_rows_leave_places_for_questions(folder: StateFolder) -> None:
    """A sender of rows may wait between them, so nothing ends it; 64 of them would have held every place for good."""
    parts = Server()
    control = Control(folder.below("busy"), handlers(parts), STAYING)
    control.start()
    with ExitStack() as stack:
        answers = []
        for _ in range(60):
            peer = stack.enter_context(socket.socket(socket.AF_UNIX))
            with serverfolder.address(folder.below("busy")) as path:
                peer.connect(path)
            peer.settimeout(30)
            stream = stack.enter_context(peer.makefile("rwb"))
            wire.say(stream, "H", {"verb": "forward", "names": ["fds"]})
            answers.append((peer, stream))
        said = []
        waiting, until = dict(answers), time.monotonic() + 30
        while len(said) < 12 and time.monotonic() < until:
            for peer in select.select(list(waiting), [], [], 0.5)[0]:
                frame = wire.hear(waiting.pop(peer))
                assert frame is not None
                said.append((frame.kind, "end one of them" in str(frame.facts["message"])))
        assert said == [("X", True)] * 12
        assert not select.select(list(waiting), [], [], 0.1)[0]
        assert Link(str(folder.below("busy"))).listing("streams")[0]["name"] == "fds"
    control.stop()


def test_rows_that_begin_and_do_not_go_on_end_the_connection(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logsql.streams.control.PATIENCE", 0.2)
    control = Control(folder.below("half"), handlers(Server()), STAYING)
    control.start()
    with socket.socket(socket.AF_UNIX) as peer, serverfolder.address(folder.below("half")) as path:
        peer.connect(path)
        peer.settimeout(30)
        with peer.makefile("rwb") as stream:
            wire.say(stream, "H", {"verb": "forward", "names": ["fds"]})
            stream.write(b"B\x00")
            stream.flush()
            assert peer.recv(1) == b""
    control.stop()


def test_a_server_that_goes_away_is_told(server: Server, folder: StateFolder) -> None:
    control = Control(folder.below("other"), handlers(server))
    control.start()
    with logsql.connect(tz="UTC", server=folder.below("other")) as session:
        soon(server, control.stop)
        rows = session.query("logger window=60s edge").rows()
        assert rows == []


def test_a_watcher_that_is_too_slow_is_told_how_many_it_missed() -> None:
    taps = Taps()
    with taps.watching(["streams:fds"]) as watcher:
        for _ in range(WAITING + 3):
            taps.publish("streams:fds", pa.table({"n": [1, 2]}))
        assert watcher.missed == 6


def test_the_last_rows_are_kept_within_bounds() -> None:
    taps = Taps()
    for number in range(5000):
        taps.publish("s", pa.table({"n": [number]}))
    found = [n for rows in taps.last("s", 10) for n in rows.column(0).to_pylist()]
    assert found == list(range(4990, 5000))
    taps.publish("s", pa.table({"n": list(range(100_000))}))
    assert sum(rows.num_rows for rows in taps.last("s", 10**6)) == 1000


def test_only_this_user_reaches_the_socket(server: Server, folder: StateFolder) -> None:
    assert stat.S_IMODE(os.stat(folder.path / "control.sock").st_mode) == 0o600
    assert stat.S_IMODE(os.stat(folder.path).st_mode) == 0o700


def test_one_server_holds_the_folder(folder: StateFolder) -> None:
    with pytest.raises(SourceError) as caught:
        take(folder.path, Files())
    assert (caught.value.code, caught.value.exit_code) == ("E3200", 3)


def test_a_newer_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "version").write_text("99\n")
    with pytest.raises(SourceError) as caught:
        take(tmp_path, Files())
    assert caught.value.code == "E3200"
    (tmp_path / "version").write_text("1\n")
    take(tmp_path, Files()).close()


def test_a_long_path_is_reached(tmp_path: Path, server: Server) -> None:
    """Addresses of Unix sockets have some hundred bytes."""
    long = tmp_path / ("x" * 100) / ("y" * 100)
    long.mkdir(parents=True)
    control = Control(long, handlers(server))
    control.start()
    try:
        with logsql.connect(tz="UTC", server=long) as session:
            assert session.query("stream window=1s fds").rows() == []
    finally:
        control.stop()


@pytest.mark.parametrize(
    "sent", [b"", b"H", b"GET / HTTP/1.1\r\n\r\n", b"H\xff\xff\xff\xff", b"H\0\0\0\2[]", b"B\0\0\0\3abc"]
)
def test_what_is_no_question_harms_nobody(server: Server, folder: StateFolder, sent: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(folder.path / "control.sock"))
        peer.sendall(sent)
        peer.shutdown(socket.SHUT_WR)
        peer.settimeout(5)
        while peer.recv(1000):
            pass
    with logsql.connect(tz="UTC", server=folder.path) as session:
        assert session.query("stream window=1s fds").rows() == []


# --- tables and lists of the server -----------------------------------------------------------------------------------


def test_tables_of_the_server_are_read(server: Server, folder: StateFolder) -> None:
    with logsql.connect(tz="UTC", server=folder.path) as session:
        assert session.query("table order=asc people").rows() == [
            {"name": "kim", "_time": NOON},
            {"name": "lee", "_time": NOON},
        ]
        assert session.query('table People | search name == "l*" | fields name').rows() == [{"name": "lee"}]
        assert session.query("table peo* | stats count by _table").rows() == [{"_table": "people", "count": 2}]
        assert session.query("table window=1m people").rows() == []
        assert session.query("system tables | fields table, data_path").rows() == [
            {"table": "people", "data_path": None}
        ]
        assert list(SessionCatalog(session, dict).tables()) == ["people"]
        with pytest.raises(LogsqlError) as caught:
            session.query("table persons")
        assert "people" in str(caught.value.diagnostic.notes)


def test_a_table_of_the_own_database_is_no_question(folder: StateFolder) -> None:
    """There is no server: whoever asks it fails."""
    with logsql.connect(tz="UTC", server=folder.path) as session:
        session.register("own", pa.table({"a": [1]}))
        assert session.query("table own").rows() == [{"a": 1}]
        with pytest.raises(LogsqlError) as caught:
            session.query("table other")
        assert caught.value.code == "E3201"


def test_only_the_columns_that_a_query_reads_are_sent(server: Server, folder: StateFolder) -> None:
    sent: list[list[str]] = []
    whole = server.table

    def table(name: str) -> Iterator[pa.RecordBatch]:
        for batch in whole(name):
            sent.append(batch.schema.names)
            yield Noted(batch)  # type: ignore[misc]

    class Noted:
        def __init__(self, batch: pa.RecordBatch) -> None:
            self._batch = batch

        def select(self, columns: list[str]) -> pa.RecordBatch:
            sent.append(columns)
            return self._batch.select(columns)

    server.table = table  # type: ignore[method-assign]
    with logsql.connect(tz="UTC", server=folder.path) as session:
        assert session.query("table people | stats count by name | sort name").rows()[0] == {"name": "kim", "count": 1}
    assert sent == [["name", "_time"], ["name"]]  # what the table has, what goes over the socket; once


def test_nothing_is_written_to_the_server(server: Server, folder: StateFolder) -> None:
    with logsql.connect(tz="UTC", server=folder.path) as session:
        for query in ("json \"{'name': 'x'}\" | import people", "table people | import people", "purge people"):
            with pytest.raises(LogsqlError) as caught:
                session.query(query).rows()
            assert caught.value.code != "E3201", query


def test_the_parts_of_a_server_are_listed(server: Server, folder: StateFolder) -> None:
    # The columns of commands.md, "system streams", and of "system loggers" as far as it names them.
    streams = [
        *("source_type", "name", "running", "enabled", "async", "description", "interval", "query_string"),
        *("input_count", "output_count", "owner", "created_at", "modified_at", "last_refresh_at"),
        *("input_tables", "input_loggers", "input_streams"),
    ]
    loggers = ["name", "factory", "status", "interval", "log_count", "drop_count", "log_volume"]
    noon = int(NOON.timestamp() * 1_000_000)
    told: dict[str, list[dict[str, object]]] = {
        "streams": [{"name": "fds", "running": True, "interval": 60_000, "input_count": 7, "created_at": noon}],
        "loggers": [{"name": "edge", "factory": "syslog", "log_count": 7, "drop_count": 0, "last_log_at": noon}],
        "topics": [{"topic": "login", "count": 3}],
        "clocks": [{"host": "h", "time": noon, "timeout_queue_len": 1, "expire_queue_len": 0}],
        "contexts": [
            {"topic": "login", "key": "kim", "counter": 2, "created": noon, "vars": '{"a":1}', "rows": '[{"x":1}]'},
            {"topic": "other", "key": "lee", "counter": 1, "created": noon},
        ],
    }
    server.listing = told.__getitem__  # type: ignore[method-assign]
    with logsql.connect(tz="UTC", server=folder.path) as session:
        found = session.query("system streams")
        assert found.columns == streams
        (row,) = found.rows()
        assert (row["name"], row["running"], row["interval"], row["created_at"]) == ("fds", True, 60_000, NOON)
        found = session.query("system loggers")
        assert found.columns[: len(loggers)] == loggers
        (row,) = found.rows()
        assert (row["name"], row["factory"], row["log_count"], row["last_log_at"]) == ("edge", "syslog", 7, NOON)
        assert session.query("system ceptopics").rows() == [{"topic": "login", "count": 3}]
        assert session.query("system cepclocks").rows()[0]["time"] == NOON
        (row,) = session.query("evtctxlist topic=login").rows()
        assert (row["key"], row["vars"], row["rows"]) == ("kim", {"a": 1}, [{"x": 1}])
        assert session.query("evtctxlist | stats count").rows() == [{"count": 2}]


@pytest.mark.parametrize("word", ["streams", "loggers"])
def test_without_a_server_there_is_nothing_to_list(word: str) -> None:
    with logsql.connect(tz="UTC") as session, pytest.raises(LogsqlError) as caught:
        session.query(f"system {word}")
    assert caught.value.code == "E3202"
    assert f"system {word}" in str(caught.value)
