"""Requests besides the first: redirects, repetitions, patience, rates, kept answers, how many at a time."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from logsql.diagnostics.errors import LogsqlError
from tests.network.conftest import Net, rows_of
from tests.network.test_wget import outcome
from tests.servers.replies import (
    Reply,
    Request,
    as_json,
    dripping,
    empty,
    failing_first,
    in_seconds,
    longer_than_body,
    no_answer,
    redirect,
    reset_after,
    retry_after,
    text,
)
from tests.servers.web import WebServer

# --- redirects --------------------------------------------------------------------------------------------------------


def test_redirects_are_followed_on_the_same_origin_with_headers(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    https_server.on("/b", text("there"))
    url = https_server.on("/a", redirect("/b#top"))
    query = f'{rows_of(url)} | eval h = dict("X-Own", "1") | wget header=h auth="u:p"'
    assert net.ask(query).row["line"] == "there"
    first, second = https_server.log
    assert first.header("authorization") == second.header("authorization") != None  # noqa: E711
    assert second.header("x-own") == "1"


def test_nothing_of_the_query_goes_to_another_origin(
    net: Net, https_server: WebServer, other_https_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "s3cret-key")
    monkeypatch.setenv("OTHERS", "0ther-key")
    net.reaching(https_server, other_https_server)
    net.more = (
        f'[network.hosts."localhost:{https_server.port}"]\nheaders = {{ "X-Key" = "env:PLANTED" }}\n'
        f'[network.hosts."localhost:{other_https_server.port}"]\nquery = {{ "k" = "env:OTHERS" }}\n'
    )
    there = other_https_server.on("/b", text("there"))
    url = https_server.on("/a", redirect(there.replace("https://", "https://u:p@") + "#x"))
    query = f'{rows_of(url)} | eval h = dict("X-Own", "1", "Accept", "text/x") | wget header=h auth="u:p"'
    assert net.ask(query).row["line"] == "there"
    assert https_server.log[0].header("x-key") == "s3cret-key"
    [got] = other_https_server.log
    assert got.target == "/b?k=0ther-key"
    assert {name.lower() for name, _ in got.headers} == {"host", "accept", "accept-encoding", "user-agent"}
    assert got.header("accept") == "text/x"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_becomes_get_without_a_body(net: Net, https_server: WebServer, status: int) -> None:
    net.reaching(https_server)
    https_server.on("/b", text("there"))
    url = https_server.on("/a", redirect("/b", status))
    net.ask(f"{rows_of(url, b='x')} | wget method=post body=b")
    assert [(r.method, r.text) for r in https_server.log] == [("POST", "x"), ("GET", "")]
    assert https_server.log[1].header("content-type") is None


@pytest.mark.parametrize("status", [307, 308])
def test_method_and_body_are_kept_on_the_same_origin_only(
    net: Net, https_server: WebServer, other_https_server: WebServer, status: int
) -> None:
    net.reaching(https_server, other_https_server)
    https_server.on("/b", text("there"))
    url = https_server.on("/a", redirect("/b", status), redirect(other_https_server.on("/c", text("x")), status))
    net.ask(f"{rows_of(url, b='x')} | wget method=post body=b")
    assert [(r.method, r.text) for r in https_server.log] == [("POST", "x"), ("POST", "x")]
    row = net.ask(f"{rows_of(url, b='x')} | wget method=post body=b").row
    assert (row["_wget_code"], row["_wget_error"]) == (None, "refused-redirect")
    assert other_https_server.log == []


@pytest.mark.parametrize(
    ("to", "word"),
    [
        ("https://10.0.0.1/", "refused-private"),
        ("https://169.254.169.254/latest/meta-data/", "refused-private"),
        ("https://[::ffff:127.0.0.1]/", "refused-private"),
        ("https://2130706433/", "bad-url"),
        ("file:///etc/passwd", "refused-scheme"),
        ("http://example.com/", "refused-scheme"),
        ("https://exa mple/", "bad-url"),
    ],
)
def test_the_target_of_a_redirect_passes_the_fence(net: Net, https_server: WebServer, to: str, word: str) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", redirect(to))) == (None, None, word)


def test_https_never_becomes_http(net: Net, https_server: WebServer, http_server: WebServer) -> None:
    net.reaching(https_server, http_server)
    url = https_server.on("/a", redirect(http_server.on("/b", text("x"))))
    assert outcome(net, url)[2] == "refused-scheme"
    assert http_server.log == []


def test_too_many_redirects(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", redirect("/a"))
    assert outcome(net, url) == (None, None, "too-many-redirects")
    assert len(https_server.log) == 6
    assert outcome(net, https_server.on("/b", Reply(302)))[0] == 302


# --- repetitions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_an_answer_that_may_get_better_is_asked_for_again(net: Net, https_server: WebServer, status: int) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", *failing_first(1, text("no", status=status), text("yes")))
    assert outcome(net, url, "") == (200, "yes", None)
    assert len(https_server.log) == 2


def test_after_the_last_attempt_the_last_answer_is_the_row(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("no", status=503))
    assert outcome(net, url, "retries=1") == (503, "no", None)
    assert len(https_server.log) == 2
    assert outcome(net, url, "retries=0") == (503, "no", None)
    assert len(https_server.log) == 3


@pytest.mark.parametrize("wrong", [longer_than_body(b"half"), reset_after(b"x" * 1000, 10), no_answer()])
def test_what_breaks_while_it_is_read_is_asked_for_again(net: Net, https_server: WebServer, wrong: Reply) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", *failing_first(1, wrong, text("yes")))
    assert outcome(net, url, "") == (200, "yes", None)
    https_server.on("/b", *failing_first(1, wrong, text("yes")))
    row = net.ask(f"{rows_of(https_server.url('/b'), b='x')} | wget method=post body=b").row
    assert row["_wget_error"] == "truncated", "what a POST did nobody knows"
    assert len(https_server.requests("/b")) == 1


def test_post_is_repeated_only_where_the_server_says_when(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    for number, (wrong, count) in enumerate(
        [(text("no", status=503), 1), (text("no", status=500), 1), (retry_after(0, 503), 2), (retry_after(0, 429), 2)]
    ):
        url = https_server.on(f"/{number}", *failing_first(1, wrong, text("yes")))
        net.ask(f"{rows_of(url, b='x')} | wget method=post body=b")
        assert len(https_server.requests(f"/{number}")) == count


def test_retry_after_is_waited_for(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    for number, when in enumerate([lambda: 1, lambda: in_seconds(1)]):
        url = https_server.on(f"/{number}", *failing_first(1, retry_after(when()), text("yes")))
        assert outcome(net, url, "")[1] == "yes"
        first, second = https_server.requests(f"/{number}")
        assert 0.9 < second.when - first.when < 4


@pytest.mark.parametrize("value", ["61", "-1", "1e9", "soon", "99999999999999999999", "Wed, 01 Jan 2020 00:00:00 GMT"])
def test_an_absurd_retry_after_is_not_waited_for(net: Net, https_server: WebServer, value: str) -> None:
    net.reaching(https_server)
    started = time.monotonic()
    assert outcome(net, https_server.on("/a", retry_after(value)), "") == (429, "later", None)
    assert len(https_server.log) == 1
    assert time.monotonic() - started < 5


def test_a_full_host_is_left_alone_by_the_whole_query(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    served: list[float] = []

    def handler(request: Request) -> Reply:
        served.append(request.when)
        return retry_after(1.5) if len(served) == 1 else text("x")

    url = https_server.on("/a", handler)
    rows = net.ask(f"{rows_of(*[url] * 6)} | wget parallel=1").rows
    assert [r["line"] for r in rows] == ["x"] * 6
    assert served[1] - served[0] > 1.4
    assert len(served) == 7


def test_a_quota_status_is_waited_for_as_429(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    net.more = '[network.hosts."localhost"]\nquota_status = [204]\n'
    url = https_server.on("/a", *failing_first(1, empty(204), text("yes")))
    assert outcome(net, url, "") == (200, "yes", None)
    assert len(https_server.log) == 2


def test_a_kept_connection_that_was_closed_costs_no_row(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    session = net.session()
    query = f"{rows_of(url, b='x')} | wget method=post body=b"
    assert session.query(query).rows()[0]["line"] == "x"
    assert https_server.drop_idle() == 1
    assert session.query(query).rows()[0]["line"] == "x"


# --- rates ------------------------------------------------------------------------------------------------------------


def windows(moments: list[float], seconds: float) -> int:
    """The most requests in any window."""
    moments = sorted(moments)
    return max(sum(one <= other < one + seconds for other in moments) for one in moments)


def test_no_window_has_more_requests_than_the_rate(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    rows = net.ask(f'{rows_of(*[url] * 9)} | wget rate="4/1s" parallel=8').rows
    assert [r["line"] for r in rows] == ["x"] * 9
    assert windows([r.when for r in https_server.log], 1.0) == 4


def test_the_rate_of_a_host_holds_over_processes(net: Net, https_server: WebServer, tmp_path: Path) -> None:
    net.reaching(https_server)
    net.more = '[network.hosts."localhost"]\nrate = "3/1s"\n'
    url = https_server.on("/a", text("x"))
    command = [sys.executable, "-m", "logsql", "--config", str(net.file), "-q", f"{rows_of(*[url] * 4)} | wget"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = [process.communicate(timeout=60)[0] for process in started]
    assert [len(lines.splitlines()) for lines in printed] == [4, 4]
    assert windows([r.when for r in https_server.log], 1.0) == 3
    [kept] = (tmp_path / "state").rglob("requests/*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "localhost" not in kept.name + kept.read_text()


def test_a_wait_for_the_rate_ends_with_the_query(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    started = time.monotonic()
    rows = net.ask(f'{rows_of(*[url] * 3)} | wget rate="1/1h"', timeout=20).rows
    assert [r["_wget_error"] for r in rows] == [None, "rate-limited", "rate-limited"]
    assert time.monotonic() - started < 10


def test_an_interrupt_ends_a_wait(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    session = net.session()
    result = session.query(f'{rows_of(*[url] * 3)} | wget rate="1/1h"')
    timer = threading.Timer(1.0, session.interrupt)
    timer.start()
    started = time.monotonic()
    with pytest.raises(Exception, match=r"interrupted|cancel"):
        result.rows()
    assert time.monotonic() - started < 5


# --- kept answers -----------------------------------------------------------------------------------------------------


def test_without_cache_every_row_is_a_request(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    net.ask(f"{rows_of(*[url] * 5)} | wget")
    assert len(https_server.log) == 5


def test_equal_requests_are_one_within_the_span(
    net: Net, https_server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANTED", "s3cret-key")
    net.reaching(https_server)
    net.more = '[network.hosts."localhost"]\nquery = { apikey = "env:PLANTED" }\n'
    url = https_server.on("/a", text("x").with_(delay=0.1))
    query = f"{rows_of(*[url] * 20, url + '?q=1')} | wget cache=1h parallel=8"
    assert [r["line"] for r in net.ask(query).rows] == ["x"] * 21
    assert len(https_server.log) == 2
    assert [r["line"] for r in net.ask(query).rows] == ["x"] * 21
    assert len(https_server.log) == 2, "another session, the same answers"
    net.ask(f'{rows_of(url)} | eval h = dict("Accept", "x") | wget cache=1h header=h')
    assert len(https_server.log) == 3, "another header is another request"
    [kept] = (tmp_path / "cache").rglob("answers.sqlite")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    held = b"".join(path.read_bytes() for path in kept.parent.iterdir() if path.is_file())
    assert b"s3cret" not in held
    assert b"localhost" not in held


def test_only_good_answers_of_get_are_kept(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    for reply in (text("no", status=404), longer_than_body(b"x")):
        url = https_server.on("/a", reply)
        net.ask(f"{rows_of(url)} | wget cache=1h retries=0")
        net.ask(f"{rows_of(url)} | wget cache=1h retries=0")
        assert len(https_server.log) == 2
        https_server.log.clear()
    url = https_server.on("/b", text("x"))
    net.ask(f"{rows_of(url, url, b='x')} | wget cache=1h method=post body=b")
    assert len(https_server.log) == 2


def test_an_answer_older_than_the_span_is_asked_for_again(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    net.ask(f"{rows_of(url)} | wget cache=1s")
    time.sleep(1.1)
    net.ask(f"{rows_of(url)} | wget cache=1s")
    net.ask(f"{rows_of(url)} | wget cache=1h")
    assert len(https_server.log) == 2


@pytest.mark.parametrize("damage", ["noise", "cut", "folder", "locked"])
def test_a_kept_file_that_cannot_be_used_costs_no_query(
    net: Net, https_server: WebServer, tmp_path: Path, damage: str
) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    net.ask(f"{rows_of(url)} | wget cache=1h")
    [kept] = (tmp_path / "cache").rglob("answers.sqlite")
    holder = None
    for path in kept.parent.glob("answers.sqlite-*") if damage != "locked" else ():
        path.unlink()
    if damage == "noise":
        kept.write_bytes(b"this is no database" * 1000)
    elif damage == "cut":
        kept.write_bytes(kept.read_bytes()[:5000])
    elif damage == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        holder = sqlite3.connect(kept, isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
    assert [r["line"] for r in net.ask(f"{rows_of(url, url)} | wget cache=1h").rows] == ["x", "x"]
    if holder is not None:
        holder.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions on Windows")
def test_nothing_is_kept_where_everybody_may_write(net: Net, https_server: WebServer, tmp_path: Path) -> None:
    """What others put into a shared folder was handed on as answers, and the answers could be read by them."""
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    net.ask(f"{rows_of(url)} | wget cache=1h")
    [kept] = (tmp_path / "cache").rglob("answers.sqlite")
    with sqlite3.connect(kept) as file:
        file.execute("UPDATE answers SET body = ?", (b"planted",))
    kept.parent.chmod(0o777)
    other = https_server.on("/b", text("y"))
    assert [r["line"] for r in net.ask(f"{rows_of(url, other)} | wget cache=1h").rows] == ["x", "y"]
    with sqlite3.connect(kept) as file:
        assert file.execute("SELECT count(*) FROM answers").fetchone() == (1,)
    kept.parent.chmod(0o755)
    assert net.ask(f"{rows_of(url)} | wget cache=1h").row["line"] == "planted"


def test_what_is_kept_is_bounded(net: Net, https_server: WebServer, tmp_path: Path) -> None:
    net.reaching(https_server).settings["cache_size"] = "1MB"
    urls = [https_server.on(f"/{n}", text(f"{n}" * 100_000)) for n in range(10, 50)]
    net.ask(f"{rows_of(*urls)} | wget cache=1h")
    [kept] = (tmp_path / "cache").rglob("answers.sqlite")
    with sqlite3.connect(kept) as file:
        (total,) = file.execute("SELECT sum(length(body)) FROM answers").fetchone()
    assert 200_000 <= total <= 1_000_000


# --- how many at a time -----------------------------------------------------------------------------------------------


def test_a_thousand_rows(net: Net, https_server: WebServer) -> None:
    """Order kept, sixteen connections at most, each used again, at least ten times faster than one after another."""
    net.reaching(https_server)
    delays = [0.02 + 0.08 * ((n * 7919) % 101) / 100 for n in range(1000)]

    def handler(request: Request) -> Reply:
        n = int(request.query["n"])
        return text(str(n)).with_(delay=delays[n])

    https_server.on("/a", handler)
    urls = [https_server.url(f"/a?n={n}") for n in range(1000)]
    session = net.session()
    session.query(f"{rows_of(urls[0])} | wget").rows()
    for _ in range(3):  # of a machine with other work the best of them counts
        opened = https_server.counts.connections
        started = time.monotonic()
        rows = session.query(f"{rows_of(*urls)} | wget parallel=16 | fields n, line").rows()
        took = time.monotonic() - started
        assert [(r["n"], r["line"]) for r in rows] == [(n, str(n)) for n in range(1000)]
        assert https_server.counts.peak_connections <= 16
        assert https_server.counts.connections - opened <= 16
        assert https_server.counts.peak_requests <= 16
        if took < sum(delays) / 10:
            break
    assert took < sum(delays) / 10


def test_a_host_has_its_own_bound(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    net.more = '[network.hosts."localhost"]\nparallel = 2\n'
    url = https_server.on("/a", text("x").with_(delay=0.05))
    net.ask(f"{rows_of(*[url] * 10)} | wget parallel=8")
    assert https_server.counts.peak_requests == 2


def test_limit_ends_the_sending(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x").with_(delay=0.02))
    rows = net.ask(f"{rows_of(*[url] * 1000)} | wget parallel=4 | limit 5").rows
    assert [r["n"] for r in rows] == [0, 1, 2, 3, 4]
    time.sleep(0.3)  # the server reads what was on its way
    sent = len(https_server.log)
    assert sent <= 5 + 4 * 4
    time.sleep(0.3)
    assert len(https_server.log) == sent


# --- demand -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behind",
    [
        "",
        "| stats count",
        "| fields n",
        "| fields - line",
        "| stats count by _wget_code",
        "| search n >= 0 | eval x = 1 | sort -n",
        "| timechart span=1d count",
        "| union [ json \"{}\" ]",
        "| join n [ json \"{n:1}\" ]",
        "| parsejson",
        "| parsejson overlay=t | stats count by k",
        "| eval k = 1 | pivot count(n) by n",
        "| stats count, dc(line) | eval x = count",
        "| explode line",
        "| rollup count by n, _wget_code",
    ],
)  # fmt: skip
def test_each_row_is_sent_once_whatever_follows(net: Net, https_server: WebServer, behind: str) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", as_json({"k": "v"}))
    query = f"{rows_of(*[url] * 5)} | eval _time = now() | wget {behind}"
    net.ask(query)
    assert len(https_server.log) == 5


@pytest.mark.parametrize(
    "query",
    [
        'json "{{}}" | union [ wget url="{url}" ]',
        'json "{{a:1}}" | eval _wget_code = 200 | join _wget_code [ wget url="{url}" ]',
        'wget url="{url}" | outputjson {file}',
        'wget url="{url}" | stats count',
    ],
)
def test_a_source_is_asked_once(net: Net, https_server: WebServer, tmp_path: Path, query: str) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    net.ask(query.format(url=url, file=tmp_path / "out.json"))
    assert len(https_server.log) == 1


def test_the_command_line_prints_and_sends_once(net: Net, https_server: WebServer, tmp_path: Path) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", as_json({"k": "v"}))
    for options in (["-f", "table"], ["-f", "csv"], ["-o", str(tmp_path / "o.json")], ["--loss"]):
        https_server.log.clear()
        query = f"{rows_of(url)} | wget | parsejson overlay=t"
        command = [sys.executable, "-m", "logsql", "--config", str(net.file), "-q", query, *options]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        assert len(https_server.log) == 1, options


def test_a_slow_answer_is_ended_with_the_query(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", dripping(b"x" * 1000, 0.2))
    started = time.monotonic()
    with pytest.raises(LogsqlError, match="time"):
        net.ask(f"{rows_of(url)} | wget", timeout=2)
    assert time.monotonic() - started < 6


def test_rows_may_be_sent_from_an_open_row_and_used_behind(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", as_json({"k": "v"}))
    line = json.dumps({"url": url, "deep": {"a": [1]}}).replace('"', '\\"')
    row = net.ask(f'json "{{}}" | eval line = "{line}" | parsejson overlay=t | wget | parsejson overlay=t').row
    assert row["k"] == "v"
    assert row["deep"] == {"a": [1]}
    assert row["_wget_code"] == 200
