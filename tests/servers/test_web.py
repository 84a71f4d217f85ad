"""The web server does what its replies say, as curl, openssl and bare sockets see it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.servers import feeds, virustotal
from tests.servers.apart import WebApart
from tests.servers.clients import curl, run
from tests.servers.pki import Authority
from tests.servers.proxy import Proxy
from tests.servers.replies import (
    Coding,
    Ending,
    Reply,
    as_json,
    bomb,
    chunked,
    compress,
    compressed,
    dripping,
    failing_first,
    garbage,
    in_seconds,
    long_header,
    longer_than_body,
    many_headers,
    no_answer,
    redirect,
    reset_after,
    retry_after,
    text,
    until_close,
    without_last_chunk,
)
from tests.servers.virustotal import VirusTotal
from tests.servers.web import WebServer

pytestmark = pytest.mark.posix("clients and signals of Debian")
BODY = bytes(range(256)) * 40
CODINGS: tuple[Coding, ...] = ("gzip", "deflate", "br", "zstd")


def raw(server: WebServer, path: str = "/a", timeout: float = 5.0) -> bytes:
    """Everything that a plain server sends until it closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
    return b"".join(pieces)


# --- certificates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        ("expired", "certificate has expired"),
        ("future", "certificate is not yet valid"),
        ("other_name", "no alternative certificate subject name matches|hostname mismatch"),
        ("self_signed", "self.signed certificate"),
        ("foreign", "unable to get (local )?issuer certificate"),
        ("old", "protocol version|unsupported"),
    ],
)
def test_curl_refuses_what_is_wrong(tls: Authority, web: Callable[[str], WebServer], variant: str, said: str) -> None:
    refused = curl(web(variant).on("/a", text("ok")), ca=tls.ca_file)
    assert refused.code in (35, 60)
    assert re.search(said, refused.err)


def test_the_right_certificate_is_good_for_name_and_address(tls: Authority, https_server: WebServer) -> None:
    https_server.on("/a", text("ok"))
    assert curl(https_server.url("/a"), ca=tls.ca_file).text == "ok"
    assert curl(https_server.url("/a", "127.0.0.1"), ca=tls.ca_file).text == "ok"
    assert [request.server_name for request in https_server.log] == ["localhost", None]
    shown = run("openssl", "s_client", "-connect", https_server.address, "-CAfile", str(tls.ca_file)).text
    assert "Verify return code: 0 (ok)" in shown


def test_a_clients_certificate_is_demanded(tls: Authority, web: Callable[[str], WebServer]) -> None:
    server = web("client")
    url = server.on("/a", text("ok"))
    assert curl(url, ca=tls.ca_file).code in (52, 56)  # refused after the greeting: whichever comes first is seen
    assert server.log == []
    pair = ("--cert", str(tls.client.cert), "--key", str(tls.client.key))
    assert curl(url, *pair, ca=tls.ca_file).text == "ok"
    assert server.log[-1].client == "client.lab.test"


# --- replies --------------------------------------------------------------------------------------------------------


def test_requests_are_kept_whole(tls: Authority, https_server: WebServer) -> None:
    url = https_server.on("/a", Reply(201, (("X-Own", "가"),), b"made"))
    got = curl(url + "?x=1&x=2&y=", "-i", "-H", "X-Asked: yes", "-d", "한글", ca=tls.ca_file)
    assert got.text.startswith("HTTP/1.1 201 Created\r\nX-Own: 가\r\nContent-Length: 4\r\n")
    [request] = https_server.log
    assert (request.method, request.query, request.text) == ("POST", {"x": "2", "y": ""}, "한글")
    assert (request.header("x-asked"), request.header("none")) == ("yes", None)
    put = curl(url, "-T", "-", "-H", "Transfer-Encoding: chunked", ca=tls.ca_file)
    assert put.text == "made"
    assert https_server.log[-1].method == "PUT"


def test_replies_follow_one_another_and_may_be_counted_for_each_key(http_server: WebServer) -> None:
    url = http_server.on("/a", text("one"), text("two"))
    assert [curl(url).text for _ in range(3)] == ["one", "two", "two"]
    url = http_server.on_each("/b", "k", failing_first(2, retry_after(1, 503), text("good")))
    codes = [curl(f"{url}?k={k}", "-w", "%{http_code}", "-o", "/dev/null").text for k in "ababab"]
    assert codes == ["503", "503", "503", "503", "200", "200"]
    assert curl(http_server.url("/none"), "-f").code == 22


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (longer_than_body(BODY), 18),
        (without_last_chunk(BODY), 18),
        (without_last_chunk(BODY, ending=Ending.ABORT), (18, 56)),
        (reset_after(BODY, 5000), 56),
        (no_answer(), 56),
        (no_answer(Ending.SILENT_CLOSE), 52),
        (garbage(), 1),
        (chunked(BODY), 0),
        (until_close(BODY), 0),
        (Reply(body=BODY, ending=Ending.CLOSE), 0),
    ],
)
@pytest.mark.parametrize("variant", ["plain", "right"])
def test_curl_sees_each_end(
    tls: Authority, web: Callable[[str], WebServer], variant: str, reply: Reply, code: int | tuple[int, ...]
) -> None:
    got = curl(web(variant).on("/a", reply), ca=tls.ca_file)
    assert got.code in (code if isinstance(code, tuple) else (code,)), got.err
    assert (got.out == BODY) == (got.code == 0 or (code != 56 and got.code == 18))


@pytest.mark.parametrize("coding", CODINGS)
def test_a_compressed_body_is_whole_or_cut_with_a_matching_length(http_server: WebServer, coding: Coding) -> None:
    whole, cut = compressed(BODY, coding), compressed(BODY, coding, keep=0.5)
    assert whole.body == compress(BODY, coding)
    assert whole.body.startswith(cut.body)
    http_server.on("/whole", whole.with_(ending=Ending.CLOSE))
    http_server.on("/cut", cut.with_(ending=Ending.CLOSE))
    head, _, body = raw(http_server, "/cut").partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert f"Content-Encoding: {coding}".encode() in head
    if coding in ("gzip", "deflate"):  # every curl knows these two
        assert curl(http_server.url("/whole"), "--compressed").out == BODY
    assert len(bomb(10_000_000, coding).body) < 20_000


def test_delays_and_drips(http_server: WebServer) -> None:
    url = http_server.on("/a", text("late").with_(delay=0.4))
    start = time.monotonic()
    assert curl(url).text == "late"
    assert time.monotonic() - start >= 0.4
    url = http_server.on("/b", dripping(b"0123456789", 0.2))
    start = time.monotonic()
    assert curl(url).text == "0123456789"
    assert time.monotonic() - start >= 2
    assert curl(http_server.on("/c", no_answer(Ending.HANG)), "--max-time", "0.5").code == 28


def test_floods_of_headers(http_server: WebServer) -> None:
    http_server.on("/long", long_header(65_536).with_(ending=Ending.CLOSE))
    http_server.on("/many", many_headers(200).with_(ending=Ending.CLOSE))
    assert len(raw(http_server, "/long").partition(b"\r\n\r\n")[0]) > 65_536
    assert raw(http_server, "/many").count(b"X-Flood-") == 200


def test_redirects(tls: Authority, web: Callable[[str], WebServer]) -> None:
    here, there, plain = web("right"), web("right#2"), web("plain")
    end = there.on("/end", text("there"))
    plain.on("/end", text("plain"))
    here.on("/1", redirect("/2", 301))
    here.on("/2", redirect("3", 303))
    here.on("/3", redirect(end, 307))
    got = curl(here.url("/1"), "-L", "-w", " %{num_redirects}", ca=tls.ca_file)
    assert got.text == "there 3"
    here.on("/down", redirect(plain.url("/end"), 308))
    assert curl(here.url("/down"), "-L", ca=tls.ca_file).text == "plain"
    here.on("/loop", redirect("/loop"))
    assert curl(here.url("/loop"), "-L", "--max-redirs", "7", ca=tls.ca_file).code == 47
    assert len(here.requests("/loop")) == 8


@pytest.mark.parametrize("value", [3, -1, "1e99", "9" * 30, "soon"])
def test_retry_after_says_what_it_is_told(http_server: WebServer, value: str | int) -> None:
    got = curl(http_server.on("/a", retry_after(value)), "-i").text
    assert got.startswith("HTTP/1.1 429 Too Many Requests\r\n")
    assert f"Retry-After: {value}\r\n" in got


def test_retry_after_as_a_date(http_server: WebServer) -> None:
    got = curl(http_server.on("/a", retry_after(in_seconds(2), 503)), "-i").text
    assert re.search(r"Retry-After: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", got)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("한글".encode("euc-kr"), "text/plain; charset=euc-kr"),
        (b"\xff\xfe" + "한글".encode("utf-16-le"), "text/plain"),
        (b"\xef\xbb\xbfabc", "text/plain; charset=utf-8"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
    ],
)
def test_bytes_and_types_go_out_as_they_are(http_server: WebServer, body: bytes, kind: str) -> None:
    got = curl(http_server.on("/a", text(body, kind)), "-w", "|%{content_type}")
    assert got.out == body + b"|" + kind.encode()


# --- connections ----------------------------------------------------------------------------------------------------


def test_connections_are_counted(http_server: WebServer) -> None:
    url = http_server.on("/a", text("x").with_(delay=1.5))
    with ThreadPoolExecutor(5) as pool:
        assert list(pool.map(lambda _: curl(url).text, range(5))) == ["x"] * 5
    assert (http_server.counts.connections, http_server.counts.peak_requests) == (5, 5)
    assert http_server.counts.peak_connections == 5
    assert curl(url, url).text == "xx"
    assert http_server.counts.connections == 6, "curl kept the connection for the second request"
    assert [request.connection for request in http_server.log[-2:]] == [6, 6]


def test_idle_connections_are_dropped_as_after_a_keep_alive_time(http_server: WebServer) -> None:
    http_server.on("/a", text("x"))
    with socket.create_connection(("127.0.0.1", http_server.port), 5) as connection:
        connection.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in connection.recv(1000)
        assert http_server.drop_idle() == 1
        try:
            assert connection.recv(1000) == b""
        except ConnectionResetError:
            assert http_server.counts.open == 0


def test_an_end_of_tls_with_and_without_its_closing_message(tls: Authority, https_server: WebServer) -> None:
    def ends(ending: Ending) -> str:
        https_server.on("/a", until_close(b"x").with_(ending=ending))
        with (
            socket.create_connection(("127.0.0.1", https_server.port), 5) as plain,
            tls.client_context().wrap_socket(
                plain, server_hostname="localhost", suppress_ragged_eofs=False
            ) as connection,
        ):
            connection.sendall(b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            try:
                while connection.recv(1000):
                    pass
            except (ssl.SSLEOFError, ConnectionResetError) as error:
                return type(error).__name__
            return "closed"

    assert [ends(e) for e in (Ending.CLOSE, Ending.ABORT)] == ["closed", "SSLEOFError"]
    assert ends(Ending.RESET) != "closed"  # Python's ssl calls a reset either of the two


def test_a_reset_is_one(http_server: WebServer) -> None:
    http_server.on("/a", until_close(b"x").with_(ending=Ending.ABORT))
    assert raw(http_server).endswith(b"x")
    http_server.on("/a", until_close(b"x").with_(ending=Ending.RESET))
    with pytest.raises(ConnectionResetError):
        raw(http_server)


# --- services -------------------------------------------------------------------------------------------------------


def test_virustotal_answers_the_right_key(tls: Authority, virustotal: VirusTotal) -> None:
    def ask(path: str, key: str = virustotal.key) -> tuple[str, str]:
        port = virustotal.server.port
        place = ("--connect-to", f"www.virustotal.com:443:127.0.0.1:{port}")
        url = f"https://www.virustotal.com/vtapi/v2/{path}&apikey={key}"
        body, _, code = curl(url, *place, "-w", "\n%{http_code}", ca=tls.ca_file).text.rpartition("\n")
        return code, body

    code, body = ask("file/report?resource=7657fcb7d772448a6d8504e4b20168b8")
    report = json.loads(body)
    assert (code, report["positives"], report["total"], report["response_code"]) == ("200", 49, 50, 1)
    assert len(json.loads(ask("ip-address/report?ip=90.156.201.27")[1])["detected_urls"]) == 3
    assert json.loads(ask("domain/report?domain=027.ru")[1])["categories"] == ["parked", "uncategorized"]
    assert json.loads(ask("domain/report?domain=none.example")[1])["response_code"] == 0
    assert ask("domain/report?domain=027.ru", "VIRUSTOTAL_API_KEY") == ("403", "")
    virustotal.left = 1
    assert [ask("domain/report?domain=027.ru")[0] for _ in range(2)] == ["200", "204"]
    assert (virustotal.refused, virustotal.over_quota) == (1, 1)
    assert virustotal.server.log[0].header("Host") == "www.virustotal.com"


def test_the_proxy_counts_and_demands(tls: Authority, https_server: WebServer, proxy: Proxy) -> None:
    url = https_server.on("/a", text("through"))
    assert curl(url, "--proxy", proxy.url, "--noproxy", "", ca=tls.ca_file).text == "through"
    assert proxy.connects == [f"localhost:{https_server.port}"]
    proxy.routes["api.example.test:443"] = https_server.address
    assert curl("https://api.example.test/a", "--proxy", proxy.url, ca=tls.ca_file).text == "through"
    assert curl("https://other.example.test/a", "--proxy", proxy.url).code == 56
    proxy.user = "Me:Secret"
    wrong = curl(url, "--proxy", proxy.url, "--noproxy", "", "--proxy-user", "Me:secret", ca=tls.ca_file)
    assert "407" in wrong.err
    right = curl(url, "--proxy", proxy.url, "--noproxy", "", "--proxy-user", "Me:Secret", ca=tls.ca_file)
    assert right.text == "through"
    assert https_server.counts.connections == 3


def test_the_proxy_passes_plain_requests_on(http_server: WebServer, proxy: Proxy) -> None:
    url = http_server.on("/a", as_json({"a": 1}))
    assert json.loads(curl(url + "?b=1", "--proxy", proxy.url, "--noproxy", "").text) == {"a": 1}
    assert proxy.plain == [url + "?b=1"]
    assert http_server.log[0].target == "/a?b=1"
    proxy.refuse = 503
    assert curl(url, "--proxy", proxy.url, "--noproxy", "", "-w", "%{http_code}").text == "503"


@pytest.mark.parametrize("variant", ["right", "plain"])
def test_a_server_in_a_process_of_its_own(web_apart: Callable[[str], WebApart], variant: str) -> None:
    server = web_apart(variant)
    server.counts()
    urls = [f"{server.url}/wait?ms=200&bytes=50&n={n}" for n in range(2)]
    start = time.monotonic()
    got = [json.loads(curl(url, ca=server.ca_file).text) for url in urls]
    assert time.monotonic() - start >= 0.4
    assert [(row["n"], len(row["padding"])) for row in got] == [("0", 50), ("1", 50)]
    counts = server.counts()
    assert (counts.connections, counts.peak_requests) == (3, 1)


def test_the_feeds_are_what_they_say(http_server: WebServer) -> None:
    rss = ET.fromstring(curl(http_server.on("/rss", text(feeds.RSS, "application/rss+xml"))).out)
    assert [item.findtext("title") for item in rss.iter("item")] == [
        "취약점 공지 <1>",
        "Second",
        "Without date or link",
    ]
    assert len(ET.fromstring(feeds.ATOM).findall("{http://www.w3.org/2005/Atom}entry")) == 2
    assert feeds.EUC_KR.decode("euc-kr").startswith('<?xml version="1.0" encoding="euc-kr"?>')
    with pytest.raises(ET.ParseError):
        ET.fromstring(feeds.BROKEN)


def test_keys_of_the_authority_are_for_their_owner_only(tls: Authority) -> None:
    modes = {path.name: path.stat().st_mode & 0o077 for path in Path(tls.ca_file.parent).glob("*.key")}
    assert modes
    assert set(modes.values()) == {0}
    assert virustotal.KEY not in feeds.RSS
