"""``sftp`` against OpenSSH's server. What is on the server is looked at as files of its home folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import logsql
from tests.network.others_support import configured, ended, interrupted_after, profile, ran, refusal, with_classes
from tests.support import ROOT

if TYPE_CHECKING:
    from tests.servers.relay import Relay
    from tests.servers.sftp import SftpServer

    Relays = Callable[..., Relay]

Connect = Callable[..., logsql.Session]
SCRIPT = (
    b"#!/bin/bash\n \n######################################\nexport JAVA_HOME=/usr/lib/jvm/java-7-oracle/jre\n"
    b"HOSTNAME=`hostname`\nend\n"
)


@pytest.fixture
def connected(sftp: SftpServer, tmp_path: Path) -> Connect:
    """A session with the profile ``srv``; ``keys`` change it."""

    def get(safe: bool = False, network: str = "", **keys: object) -> logsql.Session:
        made: dict[str, object] = {
            "kind": "sftp", "url": sftp.url, "key_file": str(sftp.key_file), "host_key": sftp.host_key,
        }  # fmt: skip
        config = configured(tmp_path, network + profile("srv", **made | keys))
        return logsql.connect(tz="UTC", config=config, safe=safe)

    return get


def test_ls(sftp: SftpServer, connected: Connect) -> None:
    sftp.put("한글 이름.log", b"12345")
    sftp.put("sub/x", b"")
    (sftp.home / "link").symlink_to("한글 이름.log")
    os.utime(sftp.home / "한글 이름.log", (1390092360, 1390092360))
    (sftp.home / "한글 이름.log").chmod(0o640)
    rows, lost = ran(connected(), f"sftp srv ls {sftp.home} | sort name")
    assert lost == {}
    assert list(rows[0]) == ["type", "is_link", "name", "file_size", "modified_at", "uid", "gid", "perms"]
    found = {row["name"]: row for row in rows}
    assert set(found) == {"한글 이름.log", "sub", "link"}
    stat = (sftp.home / "한글 이름.log").stat()
    row = dict(found["한글 이름.log"])
    assert str(row.pop("modified_at")) == "2014-01-19 00:46:00+00:00"
    assert row == {
        "type": "file", "is_link": False, "name": "한글 이름.log", "file_size": 5, "uid": stat.st_uid,
        "gid": stat.st_gid, "perms": "-rw-r-----",
    }  # fmt: skip
    assert (found["sub"]["type"], found["sub"]["perms"]) == ("dir", "drwxr-xr-x")
    assert (found["link"]["type"], found["link"]["is_link"]) == ("file", True)
    rows, _ = ran(connected(), f'sftp srv ls "{sftp.home}/한글 이름.log" | fields name, file_size')
    assert rows == [{"name": "한글 이름.log", "file_size": 5}]
    assert ran(connected(), f"sftp srv ls {sftp.home}/sub | fields name")[0] == [{"name": "x"}]
    both = f"sftp srv ls {sftp.home}/sub | union [ sftp srv ls {sftp.home} ] | stats count"
    assert ran(connected(), both)[0] == [{"count": 4}]
    assert ran(connected(), 'sftp srv ls / | search type == "dir" | stats count')[0][0]["count"]


def test_a_large_folder(sftp: SftpServer, connected: Connect) -> None:
    for n in range(5000):
        (sftp.home / f"f{n:05}").touch()
    rows, _ = ran(connected(), f"sftp srv ls {sftp.home} | stats count, min(name), max(name)")
    assert rows == [{"count": 5000, "min(name)": "f00000", "max(name)": "f04999"}]


def test_cat(sftp: SftpServer, connected: Connect) -> None:
    sftp.put("logpresso.sh", SCRIPT)
    sftp.put("euc.txt", "첫째 줄\n둘째 줄\n".encode("cp949"))
    sftp.put("empty", b"")
    session, home = connected(), sftp.home
    lines = SCRIPT.decode().splitlines()
    assert ran(session, f"sftp srv cat limit=5 {home}/logpresso.sh")[0] == [{"line": one} for one in lines[:5]]
    assert ran(session, f"sftp srv cat offset=2 limit=2 {home}/logpresso.sh")[0] == [{"line": o} for o in lines[2:4]]
    assert ran(session, f"sftp srv cat {home}/logpresso.sh offset=5")[0] == [{"line": "end"}]
    assert ran(session, "sftp srv cat logpresso.sh | stats count")[0] == [{"count": 6}]  # from the home folder
    rows, lost = ran(session, f"sftp srv cat encoding=EUC-KR {home}/euc.txt")
    assert (rows, lost) == ([{"line": "첫째 줄"}, {"line": "둘째 줄"}], {})
    rows, lost = ran(session, f"sftp srv cat {home}/euc.txt")
    assert (len(rows), lost) == (2, {"invalid-utf-8": 2})
    assert ran(session, f"sftp srv cat {home}/empty")[0] == []
    sftp.put("rows.json", b'{"id": 1, "name": "foo"}\nno json\n{"id": 2, "tags": ["a", {"b": null}]}\n')
    rows, lost = ran(session, f"sftp srv cat format=json {home}/rows.json | fields id, name, tags, line")
    assert rows == [
        {"id": 1, "name": "foo", "tags": None, "line": None},
        {"id": None, "name": None, "tags": None, "line": "no json"},
        {"id": 2, "name": None, "tags": ["a", {"b": None}], "line": None},
    ]
    assert lost == {"text-not-json": 1}
    sftp.put("array.json", b'[\n {"id": 1,\n  "name": "foo"},\n {"id": 2, "name": "bar"}\n]\n')
    rows, lost = ran(session, f"sftp srv cat format=json {home}/array.json | fields id, name")
    assert (rows, lost) == ([{"id": 1, "name": "foo"}, {"id": 2, "name": "bar"}], {})


def test_a_large_file_and_a_small_part_of_it(sftp: SftpServer, connected: Connect) -> None:
    data = b"".join(b"%07d some text of a line\n" % n for n in range(1_000_000))
    sftp.put("large.log", data)
    rows, lost = ran(connected(), f"sftp srv cat {sftp.home}/large.log | stats count, min(line), max(line)")
    assert rows == [{"count": 1_000_000, "min(line)": "0000000 some text of a line",
                     "max(line)": "0999999 some text of a line"}]  # fmt: skip
    assert lost == {}
    begin = time.monotonic()
    rows, _ = ran(connected(), f"sftp srv cat {sftp.home}/large.log | limit 2")
    assert [row["line"] for row in rows] == ["0000000 some text of a line", "0000001 some text of a line"]
    assert time.monotonic() - begin < 10


def test_a_file_that_says_it_is_huge(sftp: SftpServer, connected: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terabyte that is a hole costs a server nothing; all of its pieces were listed before the first was read."""
    path = sftp.put("hole.log", b"first\nsecond\n")
    os.truncate(path, 1 << 42)
    begin = time.monotonic()
    rows, _ = ran(connected(), f"sftp srv cat {sftp.home}/hole.log | limit 2")
    assert [row["line"] for row in rows] == ["first", "second"]
    assert time.monotonic() - begin < 10
    monkeypatch.setattr("logsql.connectors.sftp._WINDOW", 300_001)
    sftp.put("large.log", b"".join(b"%07d some text of a line\n" % n for n in range(100_000)))
    rows, lost = ran(connected(), f"sftp srv cat {sftp.home}/large.log | stats count, dc(line), max(line)")
    assert rows == [{"count": 100_000, "dc(line)": 100_000, "max(line)": "0099999 some text of a line"}]
    assert lost == {}


@pytest.mark.parametrize(
    ("path", "action", "word"),
    [
        ("/nowhere/x", "ls", "no-such-file"),
        ("/nowhere/x", "cat", "no-such-file"),
        ("/root", "ls", "permission-denied"),
        ("/", "cat", "is-a-folder"),
        ("/nowhere/x.txt", "put format=json", "no-such-file"),
        ("/etc/x.txt", "put format=json", "permission-denied"),
    ],
)
def test_paths_that_the_server_does_not_open(path: str, action: str, word: str, connected: Connect) -> None:
    begin = 'json "{a: 1}" | ' if action.startswith("put") else ""
    told = refusal(connected(), f"{begin}sftp srv {action} {path}")
    assert "E3041" in told
    assert word in told
    assert path in told


def test_put_as_the_vendor_prints_it(sftp: SftpServer, connected: Connect) -> None:
    session, home = with_classes(connected()), sftp.home
    begin = "table classloading | sort _time | sftp srv put"
    rows, _ = ran(
        session,
        f"{begin} fields=UnloadedClassCount,LoadedClassCount {home}/c.txt",
    )
    assert [row["LoadedClassCount"] for row in rows] == [9100, 9101]  # rows pass on
    assert (home / "c.txt").read_text() == "0\t9100\n-\t9101\n"
    ran(session, f"{begin} format=json {home}/c.json")
    first = json.loads((home / "c.json").read_text().splitlines()[0])
    assert first == {
        "_time": "2013-09-15 05:29:13+0000", "LoadedClassCount": 9100, "UnloadedClassCount": 0,
        "TotalLoadedClassCount": 9100,
    }  # fmt: skip
    ran(session, f"{begin} format=csv "
        f"fields=LoadedClassCount,UnloadedClassCount,TotalLoadedClassCount {home}/c.csv")  # fmt: skip
    rows, _ = ran(session, f"sftp srv cat limit=2 {home}/c.csv")
    assert rows == [{"line": '"LoadedClassCount","UnloadedClassCount","TotalLoadedClassCount"'},
                    {"line": '"9100","0","9100"'}]  # fmt: skip
    ran(session, f"{begin} format=tsv fields=LoadedClassCount {home}/c.tsv")
    assert (home / "c.tsv").read_text() == '"LoadedClassCount"\n"9100"\n"9101"\n'
    ran(
        session,
        f"{begin} format=csv encoding=UTF-16LE fields=LoadedClassCount {home}/c.u16",
    )
    assert (home / "c.u16").read_bytes().decode("utf-16-le") == '"LoadedClassCount"\n"9100"\n"9101"\n'
    assert [p.name for p in home.iterdir() if p.name.startswith(".")] == []  # no temporary file is left


def test_put_by_date(sftp: SftpServer, connected: Connect) -> None:
    session = with_classes(connected())
    query = (
        "table classloading | sftp srv put format=json partition=t multisession=t maxsession=4 fields=LoadedClassCount "
    )
    ran(session, query + f"{sftp.home}{{logtime:/yyyy/MM/dd/}}{{now:yyyy}}.txt")
    year = time.strftime("%Y")
    assert (sftp.home / f"2013/09/15/{year}.txt").read_text() == '{"LoadedClassCount":9100}\n'
    assert (sftp.home / f"2013/09/16/{year}.txt").read_text() == '{"LoadedClassCount":9101}\n'
    assert "E2086" in refusal(session, query + "x.txt")
    assert "E2086" in refusal(session, "table classloading | sftp srv put format=json {now:yyyy}.txt")
    assert "maxsession" in session.explain(query + f"{sftp.home}{{logtime:/yyyy/MM/dd}}.txt")


def test_a_file_that_is_there(sftp: SftpServer, connected: Connect) -> None:
    session, home = connected(), sftp.home
    path = sftp.put("한글 파일.txt", b"old\n")

    def put(options: str = "", value: str = "new") -> None:
        ran(session, f'json "{{v: \'{value}\'}}" | sftp srv put fields=v {options} "{home}/한글 파일.txt"')

    query = f'json "{{v: 1}}" | outputjson "{home}/first.json" | sftp srv put fields=v "{path}"'
    assert "E3091" in refusal(session, query)
    assert not (home / "first.json").exists()  # said before anything is written
    put("overwrite=t")
    assert path.read_text() == "new\n"
    put("append=t", "more")
    assert path.read_text() == "new\nmore\n"
    path.write_bytes(b"no line end")
    put("append=t", "x")
    assert path.read_text() == "no line end\nx\n"
    csv = f'json "{{v: 1}}" | sftp srv put format=csv append=t fields=v {home}/a.csv'
    ran(session, csv)
    ran(session, csv)
    assert (home / "a.csv").read_text() == '"v"\n"1"\n"1"\n'  # one header
    ran(session, f'json "{{v: 1}}" | search v == 2 | sftp srv put fields=v {home}/none.txt')
    assert not (home / "none.txt").exists()
    assert "E2088" in refusal(session, f'json "{{v: 1}}" | sftp srv put fields=v append=t overwrite=t {home}/x')
    assert sorted(p.name for p in home.iterdir()) == ["a.csv", "한글 파일.txt"]


def test_a_query_that_fails_leaves_the_old_file(sftp: SftpServer, connected: Connect) -> None:
    path = sftp.put("x.txt", b"old\n")
    session = connected()
    session.register("t", pa.table({"v": list(range(300_000))}))
    interrupted_after(session, 0.3)
    query = f"table t | eval w = v | ratelimit 100000 | sftp srv put overwrite=t fields=v {path}"
    assert "E1300" in refusal(session, query)
    assert path.read_bytes() == b"old\n"


def test_the_server_shows_its_key(sftp: SftpServer, connected: Connect) -> None:
    other = "SHA256:" + "A" * 43
    told = refusal(connected(host_key=other), "sftp srv ls /")
    assert "host-key-mismatch" in told
    assert "Accepted" not in sftp.log.rpartition("Connection from")[2]  # nothing of ours was said


def test_users_keys_and_passwords(sftp: SftpServer, connected: Connect, tmp_path: Path) -> None:
    told = refusal(connected(key_file=str(sftp.stranger_key)), "sftp srv ls /")
    assert "bad-credentials" in told
    assert "bad-key-file" in refusal(connected(key_file=str(tmp_path / "nothing")), "sftp srv ls /")
    wrong = connected(key_file=None, password="wrong-planted-secret")
    told = refusal(wrong, "sftp srv ls /")
    assert "bad-credentials" in told
    assert "planted" not in told
    right = connected(key_file=None, password=sftp.password)
    assert (ran(right, "sftp srv ls /")[0] != []) if sftp.password else sftp.password is None


def test_servers_that_are_not_there(sftp: SftpServer, connected: Connect) -> None:
    assert "connect-failed" in refusal(connected(url="sftp://u@localhost:1"), "sftp srv ls /")
    assert "dns-failed" in refusal(connected(url="sftp://u@nowhere.invalid"), "sftp srv ls /")


def test_the_library_says_nothing_of_its_own(sftp: SftpServer, connected: Connect, tmp_path: Path) -> None:
    told = refusal(connected(host_key="SHA256:" + "A" * 43), "sftp srv ls /")
    assert "host-key-mismatch" in told
    run = subprocess.run(
        [sys.executable, "-m", "logsql", "--config", str(tmp_path / "config.toml"), "-q", "sftp srv ls /"],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    assert run.stdout == ""
    (line,) = run.stderr.strip().splitlines()
    assert line.startswith("error[E3041 no-answer]: sftp://localhost:")


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_server_that_dies_while_a_file_is_read(sftp: SftpServer, connected: Connect, relay: Relays) -> None:
    sftp.put("large.log", b"".join(b"%07d some text of a line\n" % n for n in range(1_000_000)))
    port = relay(sftp.port, cut_after=3_000_000).port
    result = connected(url=sftp.url.replace(f":{sftp.port}", f":{port}")).query(f"sftp srv cat {sftp.home}/large.log")
    rows: list[dict[str, object]] = []
    problem = ended(result, rows)
    assert (problem.code, problem.exit_code) == ("E3041", 1)
    assert "truncated" in str(problem)
    assert 10_000 < len(rows) < 200_000
    assert all(len(str(row["line"])) == 27 for row in rows)  # whole lines only


def test_safe_mode_and_profiles_of_other_kinds(sftp: SftpServer, connected: Connect) -> None:
    assert "E4001" in refusal(connected(safe=True), "sftp srv ls /")
    allowed = f'[network]\nallow = ["localhost:{sftp.port}"]\n'
    assert ran(connected(safe=True, network=allowed), "sftp srv ls / | stats count")[0][0]["count"]
    assert "E3040" in refusal(connected(), "sftp srw ls /")
    assert "E3040" in refusal(connected(network=profile("web", kind="ftps", url="ftps://h")), "sftp web ls /")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("sftp", "E2085"),
        ("sftp srv", "E2085"),
        ("sftp srv ls", "E2085"),
        ("sftp ls /", "E2085"),
        ("sftp srv dir /", "E2085"),
        ("sftp srv ls limit=5 /", "90001"),
        ("sftp srv cat partition=t /x", "90001"),
        ("sftp srv cat format=csv /x", "90001"),
        ("sftp srv cat encoding=klingon /x", "E2087"),
        ('json "{a: 1}" | sftp srv put /x', "E2085"),
        ('json "{a: 1}" | sftp srv put fields=a, /x', "E2085"),
        ("sftp srv put format=json /x", "90"),
        ('json "{a: 1}" | sftp srv ls /', "union"),
    ],
)
def test_slips(query: str, said: str, connected: Connect) -> None:
    assert said in refusal(connected(), query)


def test_a_server_that_falls_silent(sftp: SftpServer, connected: Connect, relay: Relays) -> None:
    sftp.put("large.log", b"".join(b"%07d some text of a line\n" % n for n in range(1_000_000)))
    port = relay(sftp.port, cut_after=2_000_000, hang=True).port
    query, url = f"sftp srv cat {sftp.home}/large.log | stats count", sftp.url.replace(f":{sftp.port}", f":{port}")
    session = connected(url=url)
    interrupted_after(session, 1.0)
    begin = time.monotonic()
    assert "E1300" in refusal(session, query)
    assert time.monotonic() - begin < 6
    port = relay(sftp.port, cut_after=2_000_000, hang=True).port
    told = refusal(connected(url=sftp.url.replace(f":{sftp.port}", f":{port}"), timeout="1s"), query)
    assert "timeout" in told
