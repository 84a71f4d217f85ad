"""Receivers of syslog over real sockets: what arrives, who is refused, what is counted; nobody holds up others."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from logsql.streams.metrics import BYTES, CONNECTIONS, PAUSED
from logsql.streams.receivers.base import Allowed, Listen, Senders, StartError, bare_address
from logsql.streams.receivers.syslog import SyslogReceiver
from tests.servers.loop import LoopThread
from tests.servers.pki import Authority
from tests.streams.receiving import FRAMES_BAD, RECEIVER_LOST, REFUSED, Receiving, receiving, tls_of, until

Start = Callable[..., Receiving]
UDP, TCP, TLS = "udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://127.0.0.1:0"


@pytest.fixture(params=["asyncio", "uvloop"])
def a_loop(
    request: pytest.FixtureRequest, loop_thread: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> Iterator[LoopThread]:
    """The event loop of the library, and the faster one where it is installed."""
    if request.param == "asyncio":
        yield loop_thread
        return
    uvloop = pytest.importorskip("uvloop", reason="optional package uvloop is not installed")
    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "new_event_loop", uvloop.new_event_loop)
        other = LoopThread()
    yield other
    other.stop()


@pytest.fixture
def start(tmp_path: Path, loop_thread: LoopThread) -> Iterator[Start]:
    """Start receivers; each has a folder of its own."""
    with ExitStack() as stack:

        def make(*listen: str, loop: LoopThread = loop_thread, **settings: Any) -> Receiving:
            folder = tmp_path / str(time.monotonic_ns())
            folder.mkdir()
            return stack.enter_context(receiving(folder, loop, listen or (TCP,), **settings))

        yield make


def client(tls: Authority, certificate: str = "") -> ssl.SSLContext:
    context = tls.client_context()
    if certificate:
        pair = tls.pair(certificate)
        context.load_cert_chain(pair.cert, pair.key)
    return context


def closed(sock: socket.socket) -> bool:
    """Whether the peer closes the connection soon."""
    sock.settimeout(10)
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


# --- what arrives -----------------------------------------------------------------------------------------------------


def test_frames_of_every_kind_on_one_connection(a_loop: LoopThread, start: Start) -> None:
    it = start(UDP, TCP, loop=a_loop)
    with it.connect() as sock:
        address, port = sock.getsockname()
        for byte in b"20 <13>1 - - - - - - hi<13>plain lf\n<13>nul\0\r\n7 <13>\xea\xb0\x80":
            sock.send(bytes([byte]))
        sock.sendall(b"\n<13>unfinished")
    it.say(b"<13>one\n", b"8 <13>two\n", b"8 <13>not right", b"\n", b"", transport="udp")
    rows = it.rows(8)
    mine = [row for row in rows if row["remote_port"] == port]
    assert [row["line"] for row in mine] == [
        "<13>1 - - - - - - hi",
        "<13>plain lf",
        "<13>nul",
        "<13>가",
        "<13>unfinished",
    ]
    assert [row["line"] for row in rows if row not in mine] == ["<13>one", "<13>two", "8 <13>not right"]
    assert {(row["remote_ip"], row["_logger_name"], row["raw"], row["_tls_name"]) for row in rows} == {
        (address, "edge", None, None)
    }
    assert it.identity() == (8, 8)
    assert it.counted(BYTES) == 20 + 3 + 13 + 8 + 2 + 9 + 1 + 15 + 8 + 9 + 15 + 1
    assert until(lambda: it.counted(CONNECTIONS) == 0)


def test_a_connection_keeps_its_order_and_loses_nothing(a_loop: LoopThread, start: Start) -> None:
    it = start(loop=a_loop)
    lines = [b"<13>%06d %s" % (n, b"x" * (n % 300)) for n in range(20_000)]
    it.say(b"".join(line + b"\n" if n % 3 else b"%d %s" % (len(line), line) for n, line in enumerate(lines)))
    assert it.lines(20_000) == [line.decode() for line in lines]


def test_other_encodings_and_cut_frames(start: Start) -> None:
    it = start(encoding="cp949", max_frame=20)
    it.say("<13>가격\n".encode("cp949"), b"<13>\xff\xff\n", b"<13>" + b"x" * 30 + b"\n30 <13>" + b"y" * 26)
    rows = it.rows(4)
    assert [(row["line"], row["raw"], row["_truncated"]) for row in rows] == [
        ("<13>가격", None, None),
        ("<13>\ufffd\ufffd", b"<13>\xff\xff", None),
        ("<13>" + "x" * 16, None, True),
        ("<13>" + "y" * 16, None, True),
    ]
    assert (it.counted(FRAMES_BAD, "oversize"), it.counted(RECEIVER_LOST, "oversize")) == (2, 0)


def test_frames_that_are_dropped_or_not_finished_are_lost_and_counted(start: Start) -> None:
    it = start(UDP, TCP, max_frame=20, oversize="drop")
    it.say(b"<13>" + b"x" * 30 + b"\n<13>good\n20 <13>never")
    it.say(b"<13>" + b"x" * 30, b"<13>fine", transport="udp")
    assert sorted(it.lines(2)) == ["<13>fine", "<13>good"]
    assert it.comes(RECEIVER_LOST, "incomplete")
    assert it.comes(RECEIVER_LOST, "oversize", 2)
    assert it.identity() == (2, 2)


def test_both_families_on_one_socket(start: Start) -> None:
    it = start("tcp://[::]:0", "udp://[::]:0")
    it.say(b"<13>four\n")
    it.say(b"<13>four too", transport="udp")
    with socket.create_connection(("::1", it.port()), 10) as sock:
        sock.sendall(b"<13>six\n")
    assert {(row["remote_ip"], row["line"]) for row in it.rows(3)} == {
        ("127.0.0.1", "<13>four"), ("127.0.0.1", "<13>four too"), ("::1", "<13>six"),
    }  # fmt: skip


def test_what_was_read_before_the_stop_is_put(start: Start) -> None:
    it = start(UDP, TCP)
    with it.connect() as sock:
        sock.sendall(b"<13>one\n<13>two")
        assert it.lines(1) == ["<13>one"]
        it.say(*[b"<13>%d" % n for n in range(500)], transport="udp")
        it.loop.run(it.receiver.stop())
        assert closed(sock)
    lines = it.lines(502)
    assert (lines[0], "<13>two" in lines, len(lines)) == ("<13>one", True, 502)


def test_senders_are_told_with_what_they_sent(start: Start) -> None:
    it = start(UDP, TCP)
    it.say(b"<13>a\n<13>b\n")
    it.say(b"<13>c", transport="udp")
    it.rows(3)
    assert until(lambda: it.counted(CONNECTIONS) == 0)
    told = {str(one["transport"]): one for one in it.receiver.senders()}
    keys = ("address", "messages", "bytes", "connections")
    assert [told["tcp"][key] for key in keys] == ["127.0.0.1", 2, 12, 0]
    assert [told["udp"][key] for key in keys] == ["127.0.0.1", 1, 5, 0]
    assert json.dumps(it.receiver.senders())


def test_only_the_senders_that_were_heard_last_are_kept() -> None:
    senders = Senders(most=3)
    for number in [1, 2, 3, 1, 4]:
        senders.heard(f"192.0.2.{number}", "udp", 1, 10)
    assert [(one["address"], one["messages"]) for one in senders.told()] == [
        ("192.0.2.4", 1), ("192.0.2.1", 2), ("192.0.2.3", 1),
    ]  # fmt: skip


# --- TLS --------------------------------------------------------------------------------------------------------------


def test_messages_over_tls_in_chunks_of_any_size(a_loop: LoopThread, start: Start, tls: Authority) -> None:
    it = start(TLS, tls=tls_of(tls), loop=a_loop)
    data = b"".join(b"%d <13>%s\n" % (5 + n, b"x" * n) for n in range(400))
    with it.connect(context=client(tls)) as sock:
        for at in range(0, len(data), 777):
            sock.sendall(data[at : at + 777])
    assert it.lines(400) == ["<13>" + "x" * n for n in range(400)]
    assert it.counted(BYTES) == len(data)


@pytest.mark.parametrize(
    ("auth", "names", "certificate", "taken", "name"),
    [
        ("none", (), "client", True, None),
        ("request", (), "", True, None),
        ("request", (), "client", True, "client.lab.test"),
        ("request", (), "foreign", False, None),
        ("require", (), "client", True, "client.lab.test"),
        ("require", (), "", False, None),
        ("require", ("*.lab.test",), "client", True, "client.lab.test"),
        ("require", ("CLIENT.lab.test",), "client", True, "client.lab.test"),
        ("require", ("other.lab.test",), "client", False, None),
        ("require", (), "expired", False, None),
    ],
)
def test_certificates_of_clients(
    start: Start, tls: Authority, auth: str, names: tuple[str, ...], certificate: str, taken: bool, name: str | None
) -> None:
    it = start(TLS, tls=tls_of(tls, client_auth=auth, allow_names=names))
    try:
        it.say(b"<13>hello\n", context=client(tls, certificate))
    except OSError:
        assert not taken
    if taken:
        assert [(row["line"], row["_tls_name"]) for row in it.rows(1)] == [("<13>hello", name)]
    else:
        assert it.comes(REFUSED, "name" if names else "handshake")
        assert it.identity() == (0, 0)


def test_a_handshake_that_waits_holds_up_nobody_and_ends(start: Start, tls: Authority) -> None:
    it = start(TLS, tls=tls_of(tls), handshake_timeout=0.5)
    with ExitStack() as stack:
        waiting = [stack.enter_context(socket.create_connection(("127.0.0.1", it.port("tls")), 10)) for _ in range(20)]
        waiting[0].sendall(b"\x16\x03\x01")
        began = time.monotonic()
        it.say(b"<13>hello\n", context=client(tls))
        assert it.lines(1) == ["<13>hello"]
        assert time.monotonic() - began < 0.5 or it.counted(REFUSED, "handshake_timeout") > 0
        assert all(closed(sock) for sock in waiting)
    assert it.counted(REFUSED, "handshake_timeout") == 20


def test_clear_text_and_old_protocols_are_no_handshake(start: Start, tls: Authority) -> None:
    it = start(TLS, tls=tls_of(tls))
    it.say(b"<13>clear text\n", transport="tls")
    assert it.comes(REFUSED, "handshake")
    old = client(tls)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        it.say(b"<13>old\n", context=old)
    assert it.comes(REFUSED, "handshake", 2)
    assert it.identity() == (0, 0)


def test_a_new_certificate_is_used_for_new_connections_and_the_old_go_on(start: Start, tls: Authority) -> None:
    it = start(TLS, tls=tls_of(tls))
    with it.connect(context=client(tls)) as sock:
        assert it.reload(tls=tls_of(tls, "other_name"))
        with pytest.raises(ssl.SSLCertVerificationError):
            it.say(b"<13>x\n", context=client(tls))
        sock.sendall(b"<13>still here\n")
        assert it.lines(1) == ["<13>still here"]


def test_a_certificate_that_is_none_changes_nothing(start: Start, tls: Authority, tmp_path: Path) -> None:
    it = start(TLS, tls=tls_of(tls))
    (tmp_path / "bad.pem").write_text("no certificate")
    for cert in (tmp_path / "bad.pem", tmp_path / "missing.pem"):
        with pytest.raises(StartError, match=f"E3241.*{cert.name}") as caught:
            it.reload(tls=tls_of(tls).__class__(str(cert), str(tls.right.key)))
        assert caught.value.exit_code == 3
    it.say(b"<13>hello\n", context=client(tls))
    assert it.lines(1) == ["<13>hello"]


# --- who is refused ---------------------------------------------------------------------------------------------------


def test_no_more_connections_than_allowed(start: Start) -> None:
    it = start(max_connections=3)
    with ExitStack() as stack:
        three = [stack.enter_context(it.connect()) for _ in range(3)]
        assert until(lambda: it.counted(CONNECTIONS) == 3)
        with it.connect() as fourth:
            assert closed(fourth)
        assert it.counted(REFUSED, "max_connections") == 1
        three[0].close()
        assert until(lambda: it.counted(CONNECTIONS) == 2)
        it.say(b"<13>room again\n")
        assert it.lines(1) == ["<13>room again"]


def test_no_more_connections_of_an_address_than_allowed(start: Start) -> None:
    it = start("tcp://[::]:0", max_connections_per_address=1)
    with it.connect():
        assert until(lambda: it.counted(CONNECTIONS) == 1)
        with it.connect() as second:
            assert closed(second)
        assert it.counted(REFUSED, "max_connections_per_address") == 1
        with socket.create_connection(("::1", it.port()), 10) as other:
            other.sendall(b"<13>other\n")
        assert it.lines(1) == ["<13>other"]


def test_networks_that_may_not_send(start: Start) -> None:
    it = start(UDP, TCP, allow_from=("192.0.2.0/24", "2001:db8::/32"))
    with it.connect() as sock:
        assert closed(sock)
    it.say(b"<13>x", b"<13>y", transport="udp")
    assert it.comes(REFUSED, "allow_from", 3)
    assert it.reload(allow_from=("127.0.0.0/8",))
    it.say(b"<13>tcp\n")
    it.say(b"<13>udp", transport="udp")
    assert sorted(it.lines(2)) == ["<13>tcp", "<13>udp"]


def test_networks() -> None:
    allowed = Allowed(("192.0.2.7", "10.0.0.0/8", "2001:db8::/32"))
    judged = {a: allowed(a) for a in ("192.0.2.7", "192.0.2.8", "10.1.2.3", "2001:db8::1", "2001:db9::1", "", "x")}
    assert [address for address, good in judged.items() if good] == ["192.0.2.7", "10.1.2.3", "2001:db8::1"]
    assert bare_address("::ffff:192.0.2.7") == "192.0.2.7"
    assert str(Listen.of("tls://[::]:6514")) == "tls://[::]:6514"


def test_silence_and_frames_that_take_too_long(start: Start) -> None:
    it = start(idle_timeout=0.6, frame_timeout=0.2)
    with it.connect() as silent, it.connect() as endless, it.connect() as counted, it.connect() as lively:
        endless.sendall(b"<13>half a li")
        counted.sendall(b"99 <13>half a frame")
        lively.sendall(b"<13>one\n")
        assert closed(endless)
        assert closed(counted)
        assert it.counted(CONNECTIONS) >= 1, "silence may last longer"
        assert closed(silent)
    assert sorted(it.lines(2)) == ["<13>half a li", "<13>one"]
    assert (it.counted(FRAMES_BAD, "frame_timeout"), it.counted(RECEIVER_LOST, "incomplete")) == (2, 1)


def test_a_byte_a_time_does_not_keep_a_frame_open(start: Start) -> None:
    it = start(frame_timeout=0.3)
    with it.connect() as sock:
        began = time.monotonic()
        while time.monotonic() - began < 10:
            try:
                sock.sendall(b"x")
            except OSError:
                break
            time.sleep(0.02)
        assert time.monotonic() - began < 5
    assert len(it.lines(1)) == 1


# --- no room ----------------------------------------------------------------------------------------------------------


def test_nothing_is_read_while_there_is_no_room_and_nothing_is_lost(a_loop: LoopThread, start: Start) -> None:
    it = start(loop=a_loop, server={"journal_max": 400_000})
    line = b"<13>" + b"x" * 996
    sent = 0
    with it.connect() as sock, it.connect() as other:
        sock.settimeout(1.0)
        try:
            while sent < 300_000_000:
                sent += sock.send((line + b"\n") * 100)
        except TimeoutError:
            pass
        assert sent < 300_000_000, "the sender was never told to wait"
        assert it.intake.full
        other.sendall(b"<13>other\n")
        before = it.intake.feed.published
        time.sleep(0.3)
        assert it.intake.feed.published == before
        position = 0
        while position < sent // 1001:
            taken = it.intake.feed.read(position)
            if taken is None:
                assert until(lambda at=position: it.intake.feed.published > at)  # type: ignore[misc]
                continue
            position = taken.next
            it.intake.feed.release(position)
            it.journal.look_for_room()
        sock.close()
        assert until(lambda: it.identity()[1] >= -(-sent // 1001) + 1)
    assert it.identity() == (-(-sent // 1001) + 1,) * 2
    assert it.counted(PAUSED) > 0.2


def test_datagrams_that_the_system_drops_are_counted(start: Start) -> None:
    it = start(UDP, server={"journal_max": 400_000}, receive_buffer=100_000)
    sent = 3000
    with it.connect("udp") as sock:
        while not it.intake.full:
            sock.send(b"<13>" + b"x" * 996)
            sent += 1
            time.sleep(0.001)
        for _ in range(3000):
            sock.send(b"<13>" + b"x" * 996)
    it.intake.feed.release(it.intake.feed.published)
    it.journal.look_for_room()
    assert until(lambda: it.counted(RECEIVER_LOST, "udp_buffer") > 0)
    assert until(lambda: it.identity()[0] + it.counted(RECEIVER_LOST, "udp_buffer") == sent)
    assert len(set(it.identity())) == 1


# --- starting and reloading -------------------------------------------------------------------------------------------


def test_a_port_that_is_taken_is_told_and_nothing_stays_open(start: Start, loop_thread: LoopThread) -> None:
    it = start()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with pytest.raises(StartError, match=rf"E3240.*tcp://127\.0\.0\.1:{it.port()}") as caught:
        start(f"tcp://127.0.0.1:{free}", f"tcp://127.0.0.1:{it.port()}")
    assert caught.value.exit_code == 3
    socket.create_server(("127.0.0.1", free)).close()


def test_limits_change_at_once_and_connections_stay(start: Start) -> None:
    it = start(UDP, TCP)
    with it.connect() as sock:
        assert until(lambda: it.counted(CONNECTIONS) == 1)
        assert it.reload(max_connections=1, max_frame=10)
        with it.connect() as second:
            assert closed(second)
        sock.sendall(b"<13>the old length\n")
        assert it.lines(1) == ["<13>the old length"]
        it.say(b"<13>a new length", transport="udp")
        assert it.lines(2)[1] == "<13>a new "
    assert not it.reload(listen=("tcp://127.0.0.1:1",))


def test_a_receiver_meets_the_protocol(start: Start) -> None:
    from logsql.streams.receivers.base import Receiver

    made: Receiver = start().receiver
    assert isinstance(made, SyslogReceiver)
    assert made.warnings == []
