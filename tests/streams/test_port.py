"""``logsql -p PORT``: syslog from real senders as standard input, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

import logsql
from tests.cli.support import command, env, run
from tests.streams.commandline import free_port, has_ipv6, running
from tests.support import needs_program

pytestmark = pytest.mark.posix("Ctrl-C as a signal")


def send(port: int, data: bytes, host: str = "127.0.0.1", kind: int = socket.SOCK_DGRAM) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as sock:
        sock.connect((host, port))
        sock.sendall(data)


def listening(folder: Path, port: int, *words: str) -> Any:
    return running(folder, "-p", str(port), *words)


def test_senders_of_all_loopback_addresses_are_heard_at_once(tmp_path: Path) -> None:
    sender = needs_program("logger")
    ncat = needs_program("ncat")
    port = free_port()
    with listening(tmp_path, port, "-q", "-") as one:
        assert f"127.0.0.1:{port}" in one.said("listening")
        hosts = ["127.0.0.1", "::1"] if has_ipv6() else ["127.0.0.1"]
        count = 0
        for host in hosts:
            for way in ("--udp", "--tcp"):
                words = [sender, way, "--server", host, "--port", str(port), "--rfc3164", f"{way[2:]} {host} 한글"]
                subprocess.run(words, check=True, timeout=30)
                count += 1
                rows = one.rows(count)  # before the next one is sent: nothing waits for a full buffer
                assert list(rows[-1]) == ["line"]
                assert rows[-1]["line"].startswith("<13>")
                assert rows[-1]["line"].endswith(f"{way[2:]} {host} 한글")
        subprocess.run([ncat, "127.0.0.1", str(port)], input=b"<14>from ncat\n", check=True, timeout=30)
        assert one.rows(count + 1)[-1] == {"line": "<14>from ncat"}
        assert one.ctrl_c() == 130
    assert one.out.count("\n") == count + 1
    assert len(one.err.splitlines()) == 1  # nothing was lost, nothing is said but where it listened


def test_an_address_is_listened_on_alone(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, "-p", f"127.0.0.1:{port}", "-q", "-") as one:
        assert "::1" not in one.said("listening")
        send(port, b"a")
        assert one.rows(1) == [{"line": "a"}]
        if has_ipv6():
            with pytest.raises(OSError):
                send(port, b"b\n", "::1", socket.SOCK_STREAM)


def test_a_counted_message_with_line_breaks_is_one_row(tmp_path: Path) -> None:
    port = free_port()
    with listening(tmp_path, port, "-q", "- | eval n = len(line)") as one:
        one.said("listening")
        send(port, b"11 <13>two\nrow12 <13>two\nrows", kind=socket.SOCK_STREAM)
        assert one.rows(2) == [{"line": "<13>two\nrow", "n": 11}, {"line": "<13>two\nrows", "n": 12}]


def test_what_a_query_remembers_goes_on_from_message_to_message(tmp_path: Path) -> None:
    port = free_port()
    with listening(tmp_path, port, "-q", '- | prev line | search line != "skip"') as one:
        one.said("listening")
        for line in (b"a", b"skip", b"b"):
            send(port, line)
            time.sleep(0.2)
        assert one.rows(2) == [{"line": "a", "prev_line": None}, {"line": "b", "prev_line": "skip"}]


def test_a_query_that_needs_all_rows_answers_at_ctrl_c(tmp_path: Path) -> None:
    port = free_port()
    query = '- | rex field=line "user=(?<user>\\w+)" | stats count by user | sort user'
    with listening(tmp_path, port, "-q", query) as one:
        one.said("listening")
        for line in (b"user=kim", b"user=lee", b"user=kim"):
            send(port, line)
        time.sleep(0.5)
        assert one.out == ""
        assert one.ctrl_c() == 130
    assert one.rows(2) == [{"user": "kim", "count": 2}, {"user": "lee", "count": 1}]


def test_rows_are_stored_as_they_come(tmp_path: Path) -> None:
    port, database = free_port(), tmp_path / "got.duckdb"
    with listening(tmp_path, port, "--db", str(database), "-q", "- | import create=t got") as one:
        one.said("listening")
        for number, line in enumerate((b"a", b"b", b"c")):
            send(port, line)
            one.rows(number + 1)
        assert one.ctrl_c() == 130
    with logsql.connect(str(database)) as session:
        assert [row["line"] for row in session.query("table got | fields line").rows()] == ["a", "b", "c"]


def test_what_is_lost_is_told_at_the_end(tmp_path: Path) -> None:
    port = free_port()
    with listening(tmp_path, port, "-q", "- | eval n = int(line)") as one:
        one.said("listening")
        send(port, b"\xff\xfe!")
        send(port, b"<13>" + b"x" * 70_000 + b"\n17", kind=socket.SOCK_STREAM)
        rows = one.rows(3)
        assert {len(row["line"]) for row in rows} == {3, 64_000, 2}
        send(port, b"40 <13>not whole", kind=socket.SOCK_STREAM)
        time.sleep(0.5)
        assert one.ctrl_c() == 130
    assert one.out.count("\n") == 3
    assert "1 message-cut in -p: messages of more than 64 KB" in one.err
    assert "1 message-incomplete in -p: messages whose connection ended before they were whole" in one.err
    assert "1 invalid-utf-8 in -" in one.err


def test_a_file_is_complete_at_ctrl_c(tmp_path: Path) -> None:
    port, written = free_port(), tmp_path / "rows.parquet"
    with listening(tmp_path, port, "-q", "- | eval n = len(line)", "-o", str(written)) as one:
        one.said("listening")
        send(port, b"abc")
        time.sleep(0.3)
        assert not written.exists()
        assert one.ctrl_c() == 130
    assert duckdb.sql(f"from '{written}'").fetchall() == [("abc", 3)]


def test_fields_that_are_not_known_before(tmp_path: Path) -> None:
    port = free_port()
    with listening(tmp_path, port, "-q", "- | parsejson | fields - line") as one:
        one.said("listening")
        send(port, b'{"a": 1}\n{"b": "x"}\n{"a": null, "b": "y"}\n', kind=socket.SOCK_STREAM)
        assert one.rows(3) == [{"a": 1}, {"b": "x"}, {"b": "y"}]  # a row has what it has, whatever came beside it


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    port = free_port()
    query = "- | repeat count=100000000 | stats count"
    with listening(tmp_path, port, "-q", query) as one:
        one.said("listening")
        send(port, b"a")
        time.sleep(0.5)
        one.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert one.ctrl_c() == 130


def test_a_time_limit_ends_it(tmp_path: Path) -> None:
    with listening(tmp_path, free_port(), "-q", "-", "--timeout", "2") as one:
        one.said("listening")
        assert one.process.wait(60) == 4


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("-p", str(port), "-q", "-", stdin=b"")
    assert done.returncode == 3
    assert b"E3240" in done.stderr
    assert str(port).encode() in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "70000", "-q", "-"], b"--port takes a port"),
        (["-p", "example.com:514", "-q", "-"], b"--port takes a port"),
        (["-p", "::1:514", "-q", "-"], b"--port takes a port"),
        (["-p", "5514"], b"-p gives one query its standard input"),
        (["-p", "5514", "sql", "SELECT 1"], b"-p gives one query its standard input"),
        (["-p", "5514", "-q", "json \"{'a': 1}\""], b"does not read"),
        (["-p", "5514", "-q", "- | search a", "-f", "parquet"], b"is complete at its end only"),
        (["-p", "5514", "-q", "- | search a", "-f", "json"], b"is complete at its end only"),
        (["-p", "5514", "-q", "- | parsejson", "-f", "csv"], b"the names of its columns"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_opened(words: list[str], said: bytes) -> None:
    done = run(*words, stdin=b"")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert b"help:" in done.stderr


def test_a_mistake_in_the_query_is_told_and_nothing_listens() -> None:
    done = run("-p", str(free_port()), "-q", "- | nonsense", stdin=b"")
    assert done.returncode == 1
    assert b"listening" not in done.stderr


def test_on_a_terminal(tmp_path: Path) -> None:
    pexpect = pytest.importorskip("pexpect", reason="pexpect is not installed")
    port = free_port()
    words = command("-p", str(port), "-q", '- | search line == "*a*"')
    child = pexpect.spawn(
        words[0], words[1:], env=env(TERM="xterm"), dimensions=(40, 100), timeout=90, encoding="utf-8"
    )
    try:
        child.expect_exact("Ctrl-C ends")
        send(port, b"first a")
        child.expect_exact('{"line":"first a"}')
        send(port, b"xyz")
        send(port, b"second a")
        child.expect_exact('{"line":"second a"}')
        child.sendintr()
        child.expect(pexpect.EOF)
        child.close()
        assert child.exitstatus == 130
    finally:
        child.close(force=True)
