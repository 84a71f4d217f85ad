"""``ftp`` against a server with TLS and one without. What is on the server is looked at as files of its folder."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import logsql
from tests.network.others_support import configured, ended, interrupted_after, profile, ran, refusal, with_classes
from tests.servers.ftp import FtpServer

if TYPE_CHECKING:
    from tests.servers.loop import LoopThread
    from tests.servers.pki import Authority
    from tests.servers.relay import Relay

    Relays = Callable[..., Relay]

Connect = Callable[..., logsql.Session]
LINES = ["#!/bin/bash", " ", "######", "export A=1", "HOSTNAME=`hostname`", "end"]


@pytest.fixture
def connected(tls: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """``connected(server)``: a session with the profile ``srv``; ``keys`` change it."""

    def get(server: FtpServer, safe: bool = False, network: str = "", **keys: object) -> logsql.Session:
        monkeypatch.setenv("FTP_PASSWORD", server.password)
        made: dict[str, object] = {"kind": "ftps", "url": server.url, "password": "env:FTP_PASSWORD"}
        made |= {"ca_file": tls.ca_file} if server.secure else {"kind": "ftp"}
        plain = "" if server.secure or network else f'[network]\nplain_ftp = ["localhost:{server.port}"]\n'
        config = configured(tmp_path, network + plain + profile("srv", **made | keys))
        return logsql.connect(tz="UTC", config=config, safe=safe)

    return get


@pytest.fixture(params=["ftps", "ftp"])
def server(request: pytest.FixtureRequest) -> FtpServer:
    found: FtpServer = request.getfixturevalue(request.param)
    return found


def test_ls(server: FtpServer, connected: Connect) -> None:
    path = server.put("201401190846.log", b"x" * 3126864)
    server.put("sub/한글 이름.txt", b"1")
    os.utime(path, (1390092360, 1390092360))
    rows, lost = ran(connected(server), "ftp srv ls / | sort name")
    assert lost == {}
    assert list(rows[0]) == ["type", "name", "file_size", "modified_at", "owner", "group"]
    assert [(r["type"], r["name"]) for r in rows] == [("file", "201401190846.log"), ("dir", "sub")]
    assert (rows[0]["file_size"], str(rows[0]["modified_at"])) == (3126864, "2014-01-19 00:46:00+00:00")
    assert rows[0]["owner"]
    assert rows[0]["group"]
    rows, _ = ran(connected(server), 'ftp srv ls "/sub/한글 이름.txt" | fields name, file_size')
    assert rows == [{"name": "한글 이름.txt", "file_size": 1}]
    assert ran(connected(server), "ftp srv ls /sub | fields name")[0] == [{"name": "한글 이름.txt"}]
    server.put("none/x", b"").unlink()
    assert ran(connected(server), "ftp srv ls /none")[0] == []
    if server.secure:
        assert "PROT P" in server.commands
        assert "AUTH TLS" in server.commands


def test_cat(server: FtpServer, connected: Connect) -> None:
    server.put("logpresso.sh", "\n".join(LINES).encode() + b"\n")
    server.put("sample.json", b'{"id": 1, "name": "foo"}\n{"id": 2, "name": "bar"}\n{"id": 3, "name": "baz"}\n')
    server.put("euc.txt", "첫째 줄\n".encode("cp949"))
    session = connected(server)
    assert ran(session, "ftp srv cat limit=5 /logpresso.sh") == ([{"line": one} for one in LINES[:5]], {})
    assert ran(session, "ftp srv cat offset=4 limit=9 /logpresso.sh")[0] == [{"line": one} for one in LINES[4:]]
    assert ran(session, "ftp srv cat format=json /sample.json | fields id, name")[0] == [
        {"id": 1, "name": "foo"},
        {"id": 2, "name": "bar"},
        {"id": 3, "name": "baz"},
    ]
    assert ran(session, "ftp srv cat encoding=EUC-KR /euc.txt")[0] == [{"line": "첫째 줄"}]
    large = b"".join(b"%07d some text of a line\n" % n for n in range(300_000))
    server.put("large.log", large)
    rows, _ = ran(session, "ftp srv cat /large.log | stats count, max(line)")
    assert rows == [{"count": 300_000, "max(line)": "0299999 some text of a line"}]
    assert ran(session, "ftp srv cat /large.log | limit 1")[0] == [{"line": "0000000 some text of a line"}]


def test_put(server: FtpServer, connected: Connect) -> None:
    session, home = with_classes(connected(server)), server.home
    begin = "table classloading | sort _time | ftp srv put"
    rows, _ = ran(session, f"{begin} fields=UnloadedClassCount,LoadedClassCount /data.txt")
    assert [row["LoadedClassCount"] for row in rows] == [9100, 9101]
    assert (home / "data.txt").read_text() == "0\t9100\n-\t9101\n"
    ran(session, f'{begin} format=json fields=LoadedClassCount "/한글 파일.json"')
    assert (home / "한글 파일.json").read_text() == '{"LoadedClassCount":9100}\n{"LoadedClassCount":9101}\n'
    ran(session, f"{begin} format=csv fields=LoadedClassCount,UnloadedClassCount /data.csv")
    assert (home / "data.csv").read_text() == '"LoadedClassCount","UnloadedClassCount"\n"9100","0"\n"9101",""\n'
    assert "E3091" in refusal(session, f"{begin} fields=LoadedClassCount /data.csv")
    ran(session, f"{begin} fields=LoadedClassCount overwrite=t /data.csv")
    ran(session, f"{begin} fields=LoadedClassCount append=t /data.csv")
    assert (home / "data.csv").read_text() == "9100\n9101\n9100\n9101\n"
    (home / "open.txt").write_text("no line end")
    ran(session, "json \"{v: 'x'}\" | ftp srv put fields=v append=t /open.txt")
    assert (home / "open.txt").read_text() == "no line end\nx\n"
    ran(session, f"{begin} format=json fields=LoadedClassCount partition=t /by{{logtime:/yyyy/MM/dd}}.txt")
    assert (home / "by/2013/09/16.txt").read_text() == '{"LoadedClassCount":9101}\n'
    assert [p.name for p in home.rglob(".*")] == []  # no temporary file is left


def test_a_query_that_fails_leaves_the_old_file(ftps: FtpServer, connected: Connect) -> None:
    path = ftps.put("x.txt", b"old\n")
    session = connected(ftps)
    session.register("t", pa.table({"v": list(range(300_000))}))
    interrupted_after(session, 0.3)
    assert "E1300" in refusal(session, "table t | ratelimit 100000 | ftp srv put overwrite=t fields=v /x.txt")
    assert path.read_bytes() == b"old\n"


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("ftp srv ls /nowhere", "no-such-file"),
        ("ftp srv cat /nowhere.txt", "no-such-file"),
        ('json "{a: 1}" | ftp srv put fields=a /nowhere/x.txt', "no-such-file"),
    ],
)
def test_paths_that_are_not_there(query: str, word: str, ftps: FtpServer, connected: Connect) -> None:
    told = refusal(connected(ftps), query)
    assert word in told
    assert "/nowhere" in told


def test_a_path_is_no_command(ftps: FtpServer, connected: Connect) -> None:
    ftps.put("x", b"1")
    session = connected(ftps)
    result = session.query('ftp srv ls $("p")', params={"p": "/\r\nDELE x"})
    assert "bad-path" in str(ended(result, []))
    assert (ftps.home / "x").exists()


def test_clear_text_must_be_allowed(ftp: FtpServer, connected: Connect) -> None:
    told = refusal(connected(ftp, network="[network]\n"), "ftp srv ls /")
    assert "refused-scheme" in told
    assert ftp.commands == []
    secure = ftp.url.replace("ftp://", "ftps://")
    told = refusal(connected(ftp, kind="ftps", url=secure, network="[network]\n"), "ftp srv ls /")
    assert "tls-failed" in told
    assert "PASS" not in ftp.commands  # no password without TLS


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"ca_file": None}, "tls-untrusted"),
        ({"certificate_name": "another.example"}, "tls-name-mismatch"),
        ({"password": "wrong-planted-secret"}, "bad-credentials"),
        ({"url": "ftps://u@localhost:1"}, "connect-failed"),
    ],
)
def test_logins_that_fail(keys: dict[str, object], word: str, ftps: FtpServer, connected: Connect) -> None:
    told = refusal(connected(ftps, **keys), "ftp srv ls /")
    assert word in told
    assert "planted" not in told
    if word.startswith("tls"):
        assert "PASS" not in ftps.commands


def test_safe_mode(ftps: FtpServer, connected: Connect) -> None:
    assert "E4001" in refusal(connected(ftps, safe=True), "ftp srv ls /")
    allowed = f'[network]\nallow = ["localhost:{ftps.port}"]\n'
    assert ran(connected(ftps, safe=True, network=allowed), "ftp srv ls /")[0] == []
    assert "E3040" in refusal(connected(ftps), "ftp other ls /")


class Leading:
    """A server of FTP that has PASV alone and names another address than its own for the data."""

    def __init__(self, loop_thread: LoopThread) -> None:
        self._thread = loop_thread
        self.data: list[str] = []
        """Addresses at which a data connection came."""

    async def listen(self) -> int:
        own = await asyncio.start_server(self._data("127.0.0.1"), "127.0.0.1", 0)
        self._port = own.sockets[0].getsockname()[1]
        other = await asyncio.start_server(self._data("127.0.0.2"), "127.0.0.2", self._port)
        control = await asyncio.start_server(self._control, "127.0.0.1", 0)
        self.servers = (own, other, control)
        return int(control.sockets[0].getsockname()[1])

    def _data(self, address: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.data.append(address)
            writer.write(b"-rw-r--r-- 1 o g 3 Jan 19  2014 a.log\r\n")
            writer.close()

        return connected

    async def _control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        high, low = divmod(self._port, 256)
        answers = {
            b"USER": "331 password", b"PASS": "230 in", b"TYPE": "200 binary", b"LIST": "150 here\r\n226 done",
            b"PASV": f"227 go there (127,0,0,2,{high},{low})", b"QUIT": "221 bye",
        }  # fmt: skip
        writer.write(b"220 hello\r\n")
        while line := await reader.readline():
            writer.write(f"{answers.get(line[:4], '502 no')}\r\n".encode())
        writer.close()


def test_data_connections_go_to_the_server_itself(loop_thread: LoopThread, tmp_path: Path) -> None:
    server = Leading(loop_thread)
    port = loop_thread.run(server.listen())
    text = f'[network]\nplain_ftp = ["127.0.0.1"]\n{profile("srv", kind="ftp", url=f"ftp://127.0.0.1:{port}")}'
    with logsql.connect(tz="UTC", config=configured(tmp_path, text)) as session:
        rows, _ = ran(session, "ftp srv ls /")
    for listening in server.servers:
        loop_thread.loop.call_soon_threadsafe(listening.close)
    assert server.data == ["127.0.0.1"]
    (row,) = rows
    assert (row["name"], row["owner"], row["group"], row["file_size"]) == ("a.log", "o", "g", 3)
    assert str(row["modified_at"]) == "2014-01-19 00:00:00+00:00"


def test_a_server_that_falls_silent_or_is_gone(ftp: FtpServer, connected: Connect, relay: Relays) -> None:
    port = relay(ftp.port, cut_after=300, hang=True).port
    url, network = f"ftp://ftper@localhost:{port}", '[network]\nplain_ftp = ["localhost"]\n'
    session = connected(ftp, url=url, network=network)
    interrupted_after(session, 1.0)
    begin = time.monotonic()
    assert "E1300" in refusal(session, "ftp srv ls /")
    assert time.monotonic() - begin < 6
    port = relay(ftp.port, cut_after=300).port
    told = refusal(connected(ftp, url=f"ftp://ftper@localhost:{port}", network=network), "ftp srv ls /")
    assert "truncated" in told or "timeout" in told


def test_what_is_said_before_tls_is_no_answer(loop_thread: LoopThread, tls: Authority, tmp_path: Path) -> None:
    """Whoever stands between writes answers behind that to AUTH, in clear text; they were taken for the server's."""
    heard: list[bytes] = []

    async def control(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        await reader.readline()
        writer.write(b"234 go on\r\n200 zero\r\n200 private\r\n230 you are in\r\n211 none\r\n")
        try:
            await writer.start_tls(tls.server_context())
            while line := await reader.readline():
                heard.append(line)
        except OSError:
            writer.close()

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(control, "127.0.0.1", 0)

    server = loop_thread.run(listen())
    port = server.sockets[0].getsockname()[1]
    made = profile(
        "srv", kind="ftps", url=f"ftp://u@localhost:{port}", password="planted", ca_file=tls.ca_file, timeout="3s"
    )
    with logsql.connect(tz="UTC", config=configured(tmp_path, made)) as session:
        assert "tls-failed" in refusal(session, "ftp srv ls /")
    loop_thread.loop.call_soon_threadsafe(server.close)
    assert heard == []


def test_tls_from_the_first_byte_on(tls: Authority, tmp_path: Path, connected: Connect) -> None:
    """Port 990 speaks TLS at once. Each process of the tests has an address of loopback of its own for it."""
    host = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}.2"
    server = FtpServer(tmp_path / "home", tls, secure=True, port=990, host=host, implicit=True)
    try:
        server.start()
    except OSError as problem:  # macOS has no such address, and not everybody may listen below 1024
        pytest.skip(f"{host}:990: {problem.strerror}")
    try:
        server.put("x.txt", b"one\ntwo\n")
        session = connected(server, url=f"ftps://{server.user}@{host}:990", certificate_name="localhost")
        assert ran(session, "ftp srv cat /x.txt")[0] == [{"line": "one"}, {"line": "two"}]
        session.close()
        assert not any(line.startswith("AUTH") for line in server.commands)
        assert {"PBSZ 0", "PROT P"} <= set(server.commands)
    finally:
        server.stop()
