"""``sendsyslog`` and ``sendsyslog-tcp`` against rsyslogd and against receivers that die at nasty moments."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import logsql
from logsql.connectors import syslog
from tests.network.others_support import Rows, configured, interrupted_after, ran, refusal
from tests.servers.pki import Authority
from tests.servers.syslog import RSYSLOGD, Connection, Receiver, Rsyslog, read_on, read_some, reset

Send = Callable[..., tuple[Rows, dict[str, int]]]
ALLOW = '[network]\nallow = ["127.0.0.1", "localhost"]\n'
NASTY = ["plain", "two\nlines", "crlf\r\nhere", "한글 줄", "", "ends in cr\r", 'quote " and \\', "tab\there"]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[logsql.Session]:
    with logsql.connect(config=configured(tmp_path, ALLOW), tz="Asia/Seoul") as made:
        yield made


@pytest.fixture
def send(session: logsql.Session) -> Send:
    """``send(lines, "sendsyslog-tcp port=1")``: rows and ledger of the query that sends these lines."""

    def run(lines: list[str | None], command: str) -> tuple[Rows, dict[str, int]]:
        session.register("m", pa.table({"line": pa.array(lines, pa.string()), "n": list(range(len(lines)))}))
        return ran(session, f"table m | {command}")

    return run


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    opened: list[Receiver] = []

    def get(behave: Callable[[Connection, int], None] | None = None, **more: object) -> Receiver:
        opened.append(Receiver(behave, **more).open())  # type: ignore[arg-type]
        return opened[-1]

    yield get
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def rsyslog(tmp_path_factory: pytest.TempPathFactory, tls: Authority) -> Iterator[Rsyslog]:
    if not os.path.exists(RSYSLOGD):
        pytest.skip("program not installed: rsyslogd")
    made = Rsyslog(tmp_path_factory.mktemp("rsyslog"), tls).start()
    yield made
    made.stop()


def unframed(data: bytes) -> list[bytes]:
    """The messages of octet counting, by RFC 6587."""
    found = []
    while data:
        length, _, data = data.partition(b" ")
        found.append(data[: int(length)])
        data = data[int(length) :]
    return found


# --- framing and text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rfc6587", "octet"])
def test_octet_counting_counts_bytes_and_changes_nothing(
    name: str, send: Send, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    rows, lost = send(NASTY, f"sendsyslog-tcp dst=127.0.0.1 port={there.port} framing={name} | eval m = 1")
    assert [row["line"] for row in rows] == NASTY  # rows pass on
    assert lost == {}
    # "7 <134>한" would be wrong: RFC 6587 counts octets
    data = wanted(there, sum(len(f"<134>{line}".encode()) for line in NASTY))
    assert unframed(data) == [f"<134>{line}".encode() for line in NASTY]


def wanted(there: Receiver, least: int, seconds: float = 5.0) -> bytes:
    """What a receiver has, when it is so much."""
    until = time.monotonic() + seconds
    while (data := b"".join(c.data for c in there.connections)) is not None and time.monotonic() < until:
        if len(data) >= least:
            time.sleep(0.05)
            break
        time.sleep(0.01)
    return b"".join(c.data for c in there.connections)


def test_a_line_feed_ends_a_message_and_those_within_are_escaped_and_counted(
    send: Send, receiver: Callable[..., Receiver]
) -> None:
    there = receiver()
    _, lost = send(NASTY, f"sendsyslog-tcp dst=127.0.0.1 port={there.port} pri=13")
    assert wanted(there, 60).split(b"\n") == [
        b"<13>plain",
        b"<13>two\\nlines",
        b"<13>crlf\\nhere",
        "<13>한글 줄".encode(),
        b"<13>",
        b"<13>ends in cr\\r",
        b'<13>quote " and \\',
        b"<13>tab\there",
        b"",
    ]
    assert lost == {"line-breaks-escaped": 3}


def test_the_byte_0_ends_a_message_and_line_breaks_stay(send: Send, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    _, lost = send(["two\nlines", "a\0b"], f"sendsyslog-tcp dst=tcp://127.0.0.1:{there.port} framing=nul")
    assert wanted(there, 25) == b"<134>two\nlines\0<134>a\\0b\0"
    assert lost == {"line-breaks-escaped": 1}


def test_pri_keep(send: Send, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    lines = ["<30>own", "<191>own", "<192>none", "<1234>none", "<>none", "none <13>", "<007>own"]
    send(lines, f"sendsyslog-tcp dst=127.0.0.1 port={there.port} pri=keep")
    found = wanted(there, 50).decode().splitlines()
    assert found == [line if line.endswith("own") else f"<134>{line}" for line in lines]


def test_rows_as_json(session: logsql.Session, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    query = (
        "json \"[{b:1,a:'x',_id:7,_table:'t'},{b:null,a:'한'}]\" | eval _time = date(\"2026-01-02\", \"yyyy-MM-dd\"), "
        'd = date("2026-01-02 03:04:05.678", "yyyy-MM-dd HH:mm:ss.SSS"), l = array(1, "z") '
        f"| sendsyslog-tcp dst=127.0.0.1 port={there.port} format=json"
    )
    rows, lost = ran(session, query)
    assert [row["_id"] for row in rows] == [7, None]
    first, second = wanted(there, 100).decode().splitlines()
    assert first == '<134>{"b":1,"a":"x","d":"2026-01-02T03:04:05.678+09:00","l":[1,"z"]}'  # in the order of fields
    assert json.loads(second[5:]) == {"b": None, "a": "한", "d": "2026-01-02T03:04:05.678+09:00", "l": [1, "z"]}
    assert lost == {}


def test_fields_known_at_run_time_only(session: logsql.Session, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    query = (
        'json "{line: \'{\\"x\\": 1, \\"_table\\": \\"q\\", \\"y\\": [1, 2]}\'}" | parsejson overlay=t | fields - line '
    )
    ran(session, f"{query} | sendsyslog-tcp dst=127.0.0.1 port={there.port} format=json")
    assert json.loads(wanted(there, 20)[5:]) == {"x": 1, "y": [1, 2]}


def test_rows_without_a_line_are_counted(send: Send, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    rows, lost = send(["a", None, "b"], f"sendsyslog-tcp dst=127.0.0.1 port={there.port}")
    assert len(rows) == 3
    assert wanted(there, 14) == b"<134>a\n<134>b\n"
    assert lost == {"rows-without-line": 1}


def test_every_row_is_sent_once_whatever_stands_behind(send: Send, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    rows, _ = send(["a"] * 10_000, f"sendsyslog-tcp dst=127.0.0.1 port={there.port} | limit 1 | stats count")
    assert rows == [{"count": 1}]
    assert wanted(there, 70_000).count(b"\n") == 10_000


# --- datagrams --------------------------------------------------------------------------------------------------------


def test_datagrams(send: Send) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        lines = ["a", "two\nlines", "한" * 21_834, "x" * 65_505, "x" * 65_504]
        rows, lost = send(lines, f"sendsyslog dst=127.0.0.1 port={sock.getsockname()[1]} pri=1")
        found = [sock.recv(70_000) for _ in range(4)]
    assert [len(one) for one in found] == [4, 12, 65_505, 65_507]
    assert found[1] == b"<1>two\nlines"
    assert lost == {"messages-too-long": 1}
    assert len(rows) == 5


def test_datagrams_over_ipv6(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
        sock.settimeout(5)
        config = configured(tmp_path, '[network]\nallow = ["::1"]\n')
        with logsql.connect(config=config) as session:
            ran(session, f"json \"{{line: 'a'}}\" | sendsyslog dst=::1 port={sock.getsockname()[1]}")
        assert sock.recv(100) == b"<134>a"


def test_nobody_listens(send: Send, monkeypatch: pytest.MonkeyPatch, session: logsql.Session) -> None:
    monkeypatch.setattr("logsql.commands.network._syslog.PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    session.register("m", pa.table({"line": ["a"]}))
    for command in (f"sendsyslog dst=127.0.0.1 port={port}", f"sendsyslog-tcp dst=127.0.0.1 port={port}"):
        assert refusal(session, f"table m | {command}").startswith("E3041 [E3041 no-answer]"), command


# --- receivers that die -----------------------------------------------------------------------------------------------


def numbered(data: bytes) -> list[int]:
    """The numbers of the messages that came whole, in their order."""
    return [int(line[5:]) for line in data.split(b"\n")[:-1]]


def none_is_missing(there: Receiver, count: int) -> list[int]:
    """That the connections, one after another, brought every message, in order but for repetitions."""
    seen: list[int] = []
    for connection in there.connections:
        found = numbered(connection.data)
        assert found == list(range(found[0], found[0] + len(found))) if found else True
        assert not found or found[0] <= (max(seen) + 1 if seen else 0), "a hole"
        seen += found
    assert sorted(set(seen)) == list(range(count))
    return seen


@pytest.mark.parametrize("half", [False, True])
def test_the_first_message_after_the_receivers_restart_is_not_lost(
    half: bool, session: logsql.Session, receiver: Callable[..., Receiver]
) -> None:
    """The classic: the peer closed the connection of the query before meanwhile, and a write into it succeeds. Where
    it has only said that it sends no more, its machine even confirms what it never reads."""

    def first_ends(connection: Connection, number: int) -> None:
        if number:
            read_on(connection)
            return
        read_some(connection, 7)
        if half:
            connection.sock.shutdown(socket.SHUT_WR)
            time.sleep(0.7)
            reset(connection)

    there = receiver(first_ends)
    for text in ("a", "b"):
        session.register("m", pa.table({"line": [text]}))
        ran(session, f"table m | sendsyslog-tcp dst=127.0.0.1 port={there.port}")
        time.sleep(0.1)
    assert [c.data for c in there.connections] == [b"<134>a\n", b"<134>b\n"]


def test_a_connection_is_kept_for_the_next_query(session: logsql.Session, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    session.register("m", pa.table({"line": ["a"]}))
    for _ in range(3):
        ran(session, f"table m | sendsyslog-tcp dst=127.0.0.1 port={there.port}")
    assert wanted(there, 21) == b"<134>a\n" * 3
    assert len(there.connections) == 1
    session.close()
    there.all()
    assert there.connections[0].ended == "end"


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_receiver_that_resets_in_the_middle(
    with_tls: bool, tmp_path: Path, receiver: Callable[..., Receiver], tls: Authority
) -> None:
    """Three connections die while bytes are on their way: all of it arrives, in order, some of it twice."""

    def dies(connection: Connection, number: int) -> None:
        if number < 3:
            read_some(connection, 100_000 * (number + 1))
            reset(connection)
        else:
            read_on(connection)

    there = receiver(dies, context=tls.server_context() if with_tls else None)
    config = configured(tmp_path, f'{ALLOW}ca_file = "{tls.ca_file}"\n')
    with logsql.connect(config=config) as session:
        session.register("m", pa.table({"line": [str(n) for n in range(200_000)]}))
        _, lost = ran(
            session, f"table m | sendsyslog-tcp dst=127.0.0.1 port={there.port} tls={'t' if with_tls else 'f'}"
        )
    there.all()
    assert len(there.connections) == 4
    assert lost == {}
    # what a dying receiver's kernel had taken is the receiver's to lose, so each connection is looked at by itself
    last = numbered(there.connections[-1].data)
    assert last == list(range(last[0], 200_000))


def test_a_receiver_that_is_away_for_a_while(send: Send, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    there.close()
    threading.Timer(0.7, there.open).start()
    send([str(n) for n in range(1000)], f"sendsyslog-tcp dst=127.0.0.1 port={there.port}")
    wanted(there, 1000)
    assert none_is_missing(there, 1000) == list(range(1000))


def test_a_slow_receiver_is_waited_for_and_a_stalled_one_is_not(
    session: logsql.Session, receiver: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logsql.commands.network._syslog.PATIENCE", 1.0)
    session.register("m", pa.table({"line": ["x" * 1000] * 30_000}))

    def slow(connection: Connection, number: int) -> None:
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            connection.data += connection.sock.recv(100_000)
            time.sleep(0.05)
        read_on(connection)

    there = receiver(slow)
    ran(session, f"table m | sendsyslog-tcp dst=127.0.0.1 port={there.port}")
    assert wanted(there, 30_000 * 1006).count(b"\n") == 30_000
    assert len(there.connections) == 1

    gate = threading.Event()
    stalled = receiver(lambda connection, number: gate.wait(20) and None)
    began = time.monotonic()
    result = session.query(f"table m | sendsyslog-tcp dst=127.0.0.1 port={stalled.port}")
    with pytest.raises(logsql.LogsqlError) as caught:
        result.rows()
    gate.set()
    assert "timeout" in str(caught.value)
    assert time.monotonic() - began < 8
    lost = {entry.reason: entry.count for entry in result.ledger}
    assert lost["syslog-not-sent"] > 0


def test_ctrl_c_while_a_receiver_stalls(session: logsql.Session, receiver: Callable[..., Receiver]) -> None:
    gate = threading.Event()
    stalled = receiver(lambda connection, number: gate.wait(20) and None)
    session.register("m", pa.table({"line": ["x" * 1000] * 30_000}))
    interrupted_after(session, 0.5)
    began = time.monotonic()
    result = session.query(f"table m | sendsyslog-tcp dst=127.0.0.1 port={stalled.port}")
    with pytest.raises(logsql.LogsqlError) as caught:
        result.rows()
    gate.set()
    assert caught.value.exit_code == 130
    assert time.monotonic() - began < 4


def test_where_the_system_does_not_tell_what_has_arrived(
    send: Send, session: logsql.Session, receiver: Callable[..., Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows: the end of the connection says that everything was read."""
    monkeypatch.setattr("logsql.connectors.syslogwire.TELLS", False)
    monkeypatch.setattr(syslog, "WINDOW", 20_000)

    def dies(connection: Connection, number: int) -> None:
        if number == 1:
            read_some(connection, 3000)
            reset(connection)
        else:
            read_on(connection)

    there = receiver(dies)
    send([str(n) for n in range(12_000)], f"sendsyslog-tcp dst=127.0.0.1 port={there.port}")
    there.all()
    assert len(there.connections) > 2
    none_is_missing(there, 12_000)


# --- rsyslog ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "sendsyslog dst=127.0.0.1 port={udp}",
        "sendsyslog-tcp dst=127.0.0.1 port={tcp}",
        "sendsyslog-tcp dst=127.0.0.1 port={tcp} framing=rfc6587",
        'sendsyslog-tcp dst=localhost port={tls} framing=rfc6587 tls=t ca="{ca}"',
        'sendsyslog dst="tls://localhost:{tls}" ca="{ca}"',
    ],
)
def test_rsyslog_gets_every_message(command: str, send: Send, rsyslog: Rsyslog, tls: Authority) -> None:
    rsyslog.file.unlink(missing_ok=True)
    rsyslog.stop()
    rsyslog.start()
    lines = [f"Jan  2 03:04:05 host app: number {n} 한글" for n in range(500)]
    where = {"udp": rsyslog.udp, "tcp": rsyslog.tcp, "tls": rsyslog.tls, "ca": tls.ca_file}
    _, lost = send(lines, command.format(**where))
    assert rsyslog.lines(500) == [f"<134>{line}" for line in lines]
    assert lost == {}


# --- what is refused --------------------------------------------------------------------------------------------------


def test_certificates_are_checked(
    session: logsql.Session, receiver: Callable[..., Receiver], tls: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logsql.commands.network._syslog.PATIENCE", 0.3)
    session.register("m", pa.table({"line": ["a"]}))
    for name, word in (("foreign", "tls-untrusted"), ("expired", "tls-expired"), ("other_name", "tls-name-mismatch")):
        there = receiver(context=tls.server_context(name))
        said = refusal(session, f'table m | sendsyslog-tcp dst="tls://localhost:{there.port}" ca="{tls.ca_file}"')
        assert f"tls://localhost:{there.port}: {word}" in said
        assert not any(c.data for c in there.connections)


def test_the_policy(tmp_path: Path, receiver: Callable[..., Receiver]) -> None:
    there = receiver()
    query = f"json \"{{line: 'a'}}\" | sendsyslog-tcp dst=127.0.0.1 port={there.port}"
    with logsql.connect(config=configured(tmp_path, "")) as session:
        assert "refused-private" in refusal(session, query)
        assert "bad-url" in refusal(session, query.replace("127.0.0.1", "2130706433"))
    with logsql.connect(config=configured(tmp_path, ""), safe=True) as session:
        assert refusal(session, query).startswith("E4001")
    allowed = configured(tmp_path, f'[network]\nallow = ["127.0.0.1:{there.port}"]\n')
    assert not there.connections
    with logsql.connect(config=allowed, safe=True) as session:
        ran(session, query)
    assert there.all() == b"<134>a\n"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ('sendsyslog-tcp dst=""', "E3280"),
        ('sendsyslog-tcp dst="http://a"', "E3280"),
        ('sendsyslog-tcp dst="a b"', "E3041"),
        ('sendsyslog-tcp dst="udp://a"', "E3280"),
        ('sendsyslog dst="a:1" port=2', "E3280"),
        ("sendsyslog dst=a framing=rfc6587", "E3280"),
        ("sendsyslog dst=a ca=x.pem", "E3280"),
        ("sendsyslog-tcp dst=a ca=x.pem", "E3280"),
        ("sendsyslog dst=a src=10.0.0.1", "E3280"),
        ("sendsyslog dst=a pri=192", "90001"),
        ("sendsyslog dst=a pri=-1", "90001"),
        ("sendsyslog dst=a port=65536", "90001"),
    ],
)
def test_options_that_cannot_be(command: str, code: str, session: logsql.Session) -> None:
    session.register("m", pa.table({"line": ["a"]}))
    assert refusal(session, f"table m | {command}").split()[0] == code
