"""``wget`` against real servers: the table of its cases, row by row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from logsql.diagnostics.errors import LogsqlError, PolicyError, QueryError, SourceError
from tests.network.conftest import Net, rows_of
from tests.servers.pki import Authority
from tests.servers.replies import (
    Coding,
    Ending,
    Reply,
    bomb,
    chunked,
    compress,
    compressed,
    dripping,
    empty,
    garbage,
    html,
    long_header,
    longer_than_body,
    many_headers,
    reset_after,
    text,
    until_close,
    without_last_chunk,
)
from tests.servers.web import WebServer

CODINGS: tuple[Coding, ...] = ("gzip", "deflate", "raw-deflate", "br", "zstd")
LONG = ("가나다 line\n" * 3000).encode()


def outcome(net: Net, url: str, options: str = "retries=0") -> tuple[int | None, str | None, str | None]:
    """Status, text and word of one request."""
    row = net.ask(f"{rows_of(url)} | wget {options}").row
    return row["_wget_code"], row["line"], row["_wget_error"]


# --- the table --------------------------------------------------------------------------------------------------------


def test_a_source_gives_one_row(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("one\ntwo 한글"))
    assert net.ask(f'wget url="{url}"').rows == [{"line": "one\ntwo 한글", "_wget_code": 200, "_wget_error": None}]
    assert [(r.method, r.header("host")) for r in https_server.log] == [("GET", f"localhost:{https_server.port}")]
    assert https_server.log[0].header("user-agent").startswith("logsql/0.")  # type: ignore[union-attr]
    assert https_server.log[0].header("accept-encoding") == "gzip, deflate, br, zstd"


def test_any_status_of_a_source_is_a_row(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("gone", status=404))
    assert net.ask(f'wget url="{url}"').row == {"line": "gone", "_wget_code": 404, "_wget_error": None}


def test_a_source_without_any_answer_is_an_error(net: Net, https_server: WebServer) -> None:
    url = https_server.on("/a?key=hidden", text("x"))
    with pytest.raises(SourceError, match=r"E3041.*https://localhost:\d+/a: refused-private") as raised:
        net.ask(f'wget url="{url}#top"')
    assert raised.value.exit_code == 3
    assert "hidden" not in str(raised.value)
    assert https_server.log == []


def test_a_source_whose_body_is_cut_is_a_row(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", longer_than_body(b"half"))
    asked = net.ask(f'wget url="{url}" retries=0')
    assert asked.row == {"line": None, "_wget_code": 200, "_wget_error": "truncated"}


def test_rows_keep_their_fields_and_their_order(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    urls = [https_server.on(f"/{n}", text(str(n)).with_(delay=0.02 * (7 - n))) for n in range(8)]
    rows = net.ask(f"{rows_of(*urls, m={'k': [1, 'x']}, d=1.5)} | wget parallel=8").rows
    assert [(r["n"], r["line"], r["_wget_code"]) for r in rows] == [(n, str(n), 200) for n in range(8)]
    assert {json.dumps(r["m"]) for r in rows} == {'{"k": [1, "x"]}'}
    assert list(rows[0])[-3:] == ["line", "_wget_code", "_wget_error"]


def test_a_row_without_url_is_unchanged_and_sends_nothing(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    rows = net.ask(f"{rows_of(None, url, None)} | wget").rows
    assert [(r["n"], r["line"], r["_wget_code"], r["_wget_error"]) for r in rows] == [
        (0, None, None, None),
        (1, "x", 200, None),
        (2, None, None, None),
    ]
    assert len(https_server.log) == 1
    assert net.ask('json "{a:1}" | wget').row == {"a": 1, "line": None, "_wget_code": None, "_wget_error": None}


def test_an_empty_body_is_empty_text(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", empty(204))) == (204, "", None)
    assert outcome(net, https_server.on("/b", text(""))) == (200, "", None)
    assert outcome(net, https_server.on("/c", compressed(b"", "gzip"))) == (200, "", None)


@pytest.mark.parametrize("status", [200, 201, 400, 404, 500, 599])
def test_a_whole_answer_of_any_status_has_no_word(net: Net, https_server: WebServer, status: int) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", text("said", status=status))) == (status, "said", None)


def test_failed_rows_end_nothing_and_are_counted_by_word_and_host(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    good = https_server.on("/a", text("x"))
    urls = [good, "https://10.0.0.1/a", "https://127.1/", "ftp://h/", "https://10.0.0.1/b", good]
    asked = net.ask(f"{rows_of(*urls)} | wget")
    words = [r["_wget_error"] for r in asked.rows]
    assert words == [None, "refused-private", "bad-url", "refused-scheme", "refused-private", None]
    assert asked.lost == {
        "wget 10.0.0.1 no-answer-refused-private": 2,
        "wget no-answer-bad-url": 1,
        "wget no-answer-refused-scheme": 1,
    }


# --- whole or not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", CODINGS)
def test_a_packed_body_is_read(net: Net, https_server: WebServer, coding: Coding) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", compressed(LONG, coding))) == (200, LONG.decode(), None)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("keep", [0.01, 0.5, 0.99, 0.9999])
def test_a_packed_body_without_its_end_is_not_handed_on(
    net: Net, https_server: WebServer, coding: Coding, keep: float
) -> None:
    net.reaching(https_server)
    body = bytes(n * n % 251 for n in range(50_000))
    assert outcome(net, https_server.on("/a", compressed(body, coding, keep))) == (200, None, "truncated")


@pytest.mark.parametrize(
    "reply",
    [
        longer_than_body(LONG),
        longer_than_body(b"", 5),
        without_last_chunk(LONG),
        reset_after(LONG, 100),
        longer_than_body(LONG, ending=Ending.ABORT),
    ],
)
def test_a_body_that_ends_early_is_truncated(net: Net, https_server: WebServer, reply: Reply) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", reply)) == (200, None, "truncated")


@pytest.mark.parametrize("body", [b"", LONG])
def test_a_body_without_length_ends_as_its_connection_does(
    net: Net, https_server: WebServer, http_server: WebServer, body: bytes
) -> None:
    """Over TLS the closing message says so (RFC 9112, 9.8); else any end does but a reset."""
    net.reaching(https_server, http_server)
    cut = (200, None, "truncated")
    whole = (200, body.decode(), None)
    for ending, tls, plain in ((Ending.CLOSE, whole, whole), (Ending.ABORT, cut, whole), (Ending.RESET, cut, cut)):
        reply = until_close(body).with_(ending=ending)
        assert outcome(net, https_server.on("/a", reply)) == tls, ending
        assert outcome(net, http_server.on("/a", reply)) == plain, ending


def test_a_length_needs_no_closing_message(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    for reply in (text(LONG), chunked(LONG)):
        assert outcome(net, https_server.on("/a", reply.with_(ending=Ending.ABORT))) == (200, LONG.decode(), None)


def test_bodies_of_every_framing_are_whole(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", chunked(LONG))) == (200, LONG.decode(), None)
    assert outcome(net, https_server.on("/b", until_close(LONG))) == (200, LONG.decode(), None)
    twice = Reply(headers=(("Content-Encoding", "gzip, br"),), body=compress(compress(LONG, "gzip"), "br"))
    assert outcome(net, https_server.on("/c", twice)) == (200, LONG.decode(), None)
    members = Reply(headers=(("Content-Encoding", "gzip"),), body=compress(b"a", "gzip") + compress(b"b", "gzip"))
    assert outcome(net, https_server.on("/d", members)) == (200, "ab", None)


@pytest.mark.parametrize("coding", CODINGS)
def test_what_is_not_packed_as_it_says_cannot_be_read(net: Net, https_server: WebServer, coding: Coding) -> None:
    net.reaching(https_server)
    reply = compressed(LONG, coding).with_(body=b"\xff\xfe not packed at all" * 100)
    assert outcome(net, https_server.on("/a", reply)) == (200, None, "decode-failed")


def test_a_coding_that_nobody_asked_for_cannot_be_read(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    reply = Reply(headers=(("Content-Encoding", "compress"),), body=b"x")
    assert outcome(net, https_server.on("/a", reply)) == (200, None, "decode-failed")


@pytest.mark.parametrize("coding", CODINGS)
def test_a_bomb_stops_at_the_limit(net: Net, https_server: WebServer, coding: Coding) -> None:
    net.reaching(https_server).settings["max_body"] = "1MB"
    url = https_server.on("/a", bomb(50_000_000, coding))
    assert outcome(net, url) == (200, None, "exceeds-max-size")


def test_the_limit_counts_plain_bytes_too(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server).settings["max_body"] = "1MB"
    assert outcome(net, https_server.on("/a", text("x" * 1_000_000)))[2] is None
    assert outcome(net, https_server.on("/b", text("x" * 1_000_001)))[2] == "exceeds-max-size"
    assert outcome(net, https_server.on("/c", chunked(b"x" * 1_000_001)))[2] == "exceeds-max-size"


@pytest.mark.parametrize("reply", [long_header(70_000), many_headers(201), many_headers(5000), garbage()])
def test_headers_beyond_bounds_are_no_protocol(net: Net, https_server: WebServer, reply: Reply) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", reply)) == (None, None, "protocol-error")


def test_headers_within_bounds_are_read(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    assert outcome(net, https_server.on("/a", long_header(60_000))) == (200, "ok", None)
    assert outcome(net, https_server.on("/b", many_headers(190))) == (200, "ok", None)


def test_the_deadline_is_that_of_the_whole_request(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    started = time.monotonic()
    assert outcome(net, https_server.on("/a", dripping(b"x" * 100, 0.2)), "timeout=1 retries=0") == (
        200,
        None,
        "timeout",
    )
    assert outcome(net, https_server.on("/b", text("x").with_(delay=30)), "timeout=1 retries=0")[2] == "timeout"
    assert time.monotonic() - started < 5


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "options", "line", "lost"),
    [
        ("한글".encode(), "text/plain", "", "한글", 0),
        ("한글".encode("euc-kr"), "text/plain; charset=EUC-KR", "", "한글", 0),
        ("똠방".encode("cp949"), 'text/html;charset="ks_c_5601-1987"', "", "똠방", 0),
        ("한글".encode("euc-kr"), "text/plain; charset=utf-8", "encoding=euc-kr", "한글", 0),
        ("é".encode("latin-1"), "text/plain", "", "\ufffd", 1),
        ("é".encode("latin-1"), "text/plain; charset=iso-8859-1", "", "é", 0),
        ("\ufeff한".encode("utf-8-sig")[3:], "text/plain", "", "한", 0),
        ("한".encode("utf-16"), "text/plain", "", "한", 0),
        ("\ufeff한".encode("utf-16-be"), "text/plain; charset=utf-16be", "", "한", 0),
        ("한글".encode(), "text/plain; charset=no-such-thing", "", "한글", 0),
        (b"<meta charset=euc-kr>" + "한".encode("euc-kr"), "text/html", "", "<meta charset=euc-kr>\ufffd\ufffd", 1),
        (b"\x00\x01", "application/octet-stream", "encoding=utf-8", "\x00\x01", 0),
    ],
)
def test_the_charset_of_a_body(
    net: Net, https_server: WebServer, body: bytes, content_type: str, options: str, line: str, lost: int
) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text(body, content_type))
    asked = net.ask(f"{rows_of(url)} | wget {options}")
    assert asked.row["line"] == line
    assert asked.lost == ({f"wget localhost:{https_server.port} undecodable": 1} if lost else {})


def test_an_unknown_charset_is_refused_before_a_request(net: Net, https_server: WebServer) -> None:
    with pytest.raises(QueryError, match="E2092"):
        net.ask(f'wget url="{https_server.url("/a")}" encoding=latin-9999')


def test_a_binary_answer_has_no_line_and_its_bytes_in_body(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text(b"\x89PNG\x00", "image/png"))
    plain = https_server.on("/b", text("x"))
    asked = net.ask(f"{rows_of(url, plain)} | wget | fields line, body, _wget_code")
    assert [(r["line"], r["body"]) for r in asked.rows] == [(None, b"\x89PNG\x00"), ("x", None)]
    assert asked.lost == {}
    unasked = net.ask(f"{rows_of(url)} | wget")
    assert unasked.row["line"] is None
    assert "body" not in unasked.row
    assert unasked.lost == {f"wget localhost:{https_server.port} binary-answer": 1}


def test_a_selector_gives_elements(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    page = """<html><body><ul><li class="a b" id=x>One <b>bold</b> end</li><li>Two<script>no()</script></li></ul>
    <div>a</div><div>b<!-- c --></div></body></html>"""
    url = https_server.on("/a", html(page))
    row = net.ask(f'wget url="{url}" selector="li"').row
    assert row["elements"] == [
        {"class": "a b", "id": "x", "own_text": "One end", "text": "One bold end"},
        {"own_text": "Two", "text": "Two"},
    ]
    assert "line" not in row
    assert net.ask(f'wget url="{url}" selector="p.none"').row["elements"] == []
    assert net.ask(f'wget url="{url}" selector="body"').row["elements"][0]["text"] == "One bold end Two a b"
    titles = net.ask(
        f'wget url="{url}" selector="li" | explode elements | eval t = valueof(elements, "own_text") | fields t'
    )
    assert titles.rows == [{"t": "One end"}, {"t": "Two"}]
    with pytest.raises(QueryError, match="E2091"):
        net.ask(f'wget url="{url}" selector="li["')


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_a_body_is_sent_as_it_is(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    net.ask(f"{rows_of(url, b='x=1&y=한')} | wget method=post body=b")
    net.ask(f"{rows_of(url, b='<a/>')} | wget method=put body=b format=xml")
    typed = 'eval h = dict("content-type", "text/x") | wget method=post body=b format=json header=h'
    net.ask(f"{rows_of(url, b='{}')} | {typed}")
    sent = [(r.method, r.text, r.header("content-type")) for r in https_server.log]
    assert sent == [
        ("POST", "x=1&y=한", "application/x-www-form-urlencoded"),
        ("PUT", "<a/>", "application/xml"),
        ("POST", "{}", "text/x"),
    ]


def test_a_row_is_sent_as_a_form_or_as_json(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    net.ask(f"{rows_of(url, a='가 나&', f=1.5, t=True, z=None, l=[1, 2])} | wget method=post")
    net.ask(f"{rows_of(url, a='가 나&', f=1.5, t=True, z=None, l=[1, 2])} | wget method=put format=json")
    form, document = https_server.log
    assert form.text == "n=0&a=%EA%B0%80+%EB%82%98%26&f=1.5&t=true&l=%5B1%2C2%5D"
    assert json.loads(document.text) == {"n": 0, "a": "가 나&", "f": 1.5, "t": True, "l": [1, 2]}
    assert document.header("content-type") == "application/json"


def test_an_open_row_is_sent_whole(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    line = json.dumps({"url": url, "deep": 7}).replace('"', '\\"')
    query = f'json "{{}}" | eval line = "{line}" | parsejson overlay=t | fields - line | wget method=post format=json'
    row = net.ask(query).row
    assert (row["deep"], row["line"]) == (7, "ok")
    assert json.loads(https_server.log[0].text) == {"deep": 7}


def test_headers_come_from_a_map_or_a_list(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    net.ask(f'{rows_of(url)} | eval h = dict("X-A", "1", "accept", "text/x") | wget header=h')
    net.ask(f"{rows_of(url, h=['X-A: 2', 'X-B: c: d'])} | wget header=h")
    net.ask(f"{rows_of(url, h=None)} | wget header=h")
    first, second, third = https_server.log
    assert (first.header("x-a"), first.header("accept")) == ("1", "text/x")
    assert (second.header("x-a"), second.header("x-b")) == ("2", "c: d")
    assert third.header("accept") == "*/*"


@pytest.mark.parametrize(
    "header",
    [
        *({"X": "a\r\nY: b"}, {"X\n": "a"}, {"X": "a\x00b"}, {"X Y": "a"}, {"Content-Length": "5"}, "text", 5),
        *({"Host": "other.example"}, ["host: other.example"], {"Proxy-Authorization": "Basic eDp5"}),
        *({"proxy-connection": "close"}, {"Transfer-Encoding": "chunked"}),
    ],
)
def test_a_header_that_is_none_is_not_sent(net: Net, https_server: WebServer, header: object) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    assert net.ask(f"{rows_of(url, h=header)} | wget header=h").row["_wget_error"] == "bad-header"
    assert https_server.log == []


def test_user_and_password(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    net.ask(f'wget url="{url}" auth="me:p:w"')
    net.ask(f'wget url="{url.replace("https://", "https://u%40x:pw@")}"')
    assert [r.header("authorization") for r in https_server.log] == ["Basic bWU6cDp3", "Basic dUB4OnB3"]
    assert https_server.log[1].target == "/a"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ('wget url="https://h/" method=post', "E2090"),
        ('wget url="https://h/" method=put body=b', "E2090"),
        ('json "{}" | wget url="https://h/" method=post', "E2090"),
        ('json "{}" | wget body=b', "E2090"),
        ('json "{}" | wget method=post format=xml', "E2090"),
        ('json "{}" | wget auth="nocolon"', "E2093"),
        ('json "{}" | wget rate="4"', "90"),
        ('json "{}" | wget rate="0/1m"', "90"),
        ('json "{}" | wget parallel=0', "90"),
        ('json "{}" | wget method=head', "90"),
        ("wget", "90"),
    ],
)
def test_a_wrong_command_is_refused_before_it_runs(net: Net, query: str, code: str) -> None:
    with pytest.raises(QueryError) as raised:
        net.ask(query)
    assert raised.value.code.startswith(code) or code == "90"


def test_a_fixed_url_may_be_asked_for_each_row(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("ok"))
    rows = net.ask(f'{rows_of(None, None, b="x")} | wget url="{url}" method=post body=b').rows
    assert [(r["n"], r["line"]) for r in rows] == [(0, "ok"), (1, "ok")]
    assert [r.text for r in https_server.log] == ["x", "x"]


def test_fields_that_are_there_already_are_replaced(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/a", text("new"))
    row = net.ask(f"{rows_of(url, line='old', _wget_code='x', _wget_error=5, last=1)} | wget").row
    assert row == {"n": 0, "url": url, "line": "new", "_wget_code": 200, "_wget_error": None, "last": 1}


def test_a_path_is_encoded_and_a_fragment_dropped(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    https_server.on("/%ED%95%9C", text("ok"))
    url = https_server.url("/한?q=값&p=%41+b#frag")
    assert outcome(net, url) == (200, "ok", None)
    assert https_server.log[0].target == "/%ED%95%9C?q=%EA%B0%92&p=%41+b"


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "//h/", "https:h", "https://", "https:///x", "https://h:0/", "https://h:99999/", "https://h:x/",
        "https://h /", "https://h/a b", "https://h/\n", "https://h/\x7f", "https://h\\@evil/", "https://%68/",
        "https://2130706433/", "https://0x7f.1/", "https://127.1/", "https://0177.0.0.1/", "https://[::1%25lo]/",
        "https://127.0.0.1./", "https://１２７.0.0.1/", "https://[fe80::1%eth0]/", "https://a..b/", "https://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_url(net: Net, url: str) -> None:
    assert outcome(net, url) == (None, None, "bad-url")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/", "gopher://h/", "data:text/plain,x", "http://h/"])
def test_other_schemes_are_refused(net: Net, url: str) -> None:
    assert outcome(net, url) == (None, None, "refused-scheme")


def test_plain_http_needs_its_entry_and_that_of_private_addresses(net: Net, http_server: WebServer) -> None:
    url = http_server.on("/a", text("ok"))
    assert outcome(net, url)[2] == "refused-scheme"
    net.plain.append(f"localhost:{http_server.port}")
    assert outcome(net, url)[2] == "refused-private"
    net.allow += [f"localhost:{http_server.port}"]
    assert outcome(net, url) == (200, "ok", None)


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "word"),
    [
        ("expired", "tls-expired"),
        ("future", "tls-expired"),
        ("other_name", "tls-name-mismatch"),
        ("self_signed", "tls-untrusted"),
        ("foreign", "tls-untrusted"),
        ("old", "tls-failed"),
    ],
)
def test_a_wrong_certificate_has_its_word(net: Net, web: Callable[[str], WebServer], variant: str, word: str) -> None:
    server = web(variant)
    net.reaching(server)
    assert outcome(net, server.on("/a", text("secret")))[::2] == (None, word)
    assert server.log == []


def test_a_server_that_demands_a_certificate_gets_none_of_ours(net: Net, web: Callable[[str], WebServer]) -> None:
    server = web("client")
    net.reaching(server)
    code, line, word = outcome(net, server.on("/a", text("secret")))
    assert (code, line) == (None, None)
    assert word in ("tls-failed", "truncated")  # refused behind the handshake: whichever comes first is seen
    assert server.log == []


def test_a_clients_certificate_is_that_of_the_host(net: Net, web: Callable[[str], WebServer], tls: Authority) -> None:
    server = web("client")
    net.reaching(server)
    net.more = f'[network.hosts."localhost"]\nclient_cert = "{tls.client.cert}"\nclient_key = "{tls.client.key}"\n'
    assert outcome(net, server.on("/a", text("ok"))) == (200, "ok", None)
    assert server.log[0].client == "client.lab.test"


def test_nothing_turns_verification_off(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server).settings["ca_file"] = str(net.tls.client.cert)
    assert outcome(net, https_server.on("/a", text("x")))[2] == "tls-untrusted"


# --- safe mode, errors ------------------------------------------------------------------------------------------------


def test_safe_mode_refuses_before_the_query_runs(net: Net, https_server: WebServer, tmp_path: Path) -> None:
    url = https_server.on("/a", text("x"))
    with pytest.raises(PolicyError, match="E4001"):
        net.ask(f"{rows_of(url)} | wget", safe=True)
    with pytest.raises(LogsqlError, match="E4001"):
        net.ask(f'wget url="{url}"', safe=True)
    net.reaching(https_server)
    with pytest.raises(LogsqlError, match="E4001"):
        net.ask('wget url="https://elsewhere.test/"', safe=True)
    assert net.ask(f"{rows_of('https://elsewhere.test/')} | wget", safe=True).row["_wget_error"] == "refused-private"
    assert net.ask(f"{rows_of(url, 'https://10.0.0.1/')} | wget", safe=True).rows[0]["line"] == "x"


def test_a_result_that_is_read_again_sends_nothing_again(net: Net, https_server: WebServer) -> None:
    url = https_server.on("/again", Reply(body=b"x"))
    result = net.reaching(https_server).session().query(f"{rows_of(url)} | wget | fields n, line")
    first = result.rows()
    assert result.rows() == first == [{"n": 0, "line": "x"}]
    assert [row for batch in result.batches() for row in batch.to_pylist()] == first
    assert result.arrow().to_pylist() == first
    assert len(https_server.requests("/again")) == 1
