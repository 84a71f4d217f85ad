"""Answers and rows that are made to hurt: what they say is a row with its word, and the other rows have theirs."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.network.conftest import Net, rows_of
from tests.servers.replies import garbage, html, text
from tests.servers.web import WebServer


def _packed(times: int) -> bytes:
    body = b"x"
    for _ in range(times):
        body = gzip.compress(body)
    return body


def _reply(body: bytes, *headers: str, length: bool = True) -> bytes:
    lines = ["HTTP/1.1 200 OK", *headers, *([f"Content-Length: {len(body)}"] if length else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(_packed(1)), _packed(1))
ANSWERS: dict[str, tuple[bytes, tuple[int | None, str | None, str | None]]] = {
    # a decoder each, one in the other: the query ended with "maximum recursion depth exceeded"
    "1200 codings": (
        _reply(_packed(1200), "Content-Encoding: " + ",".join(["gzip"] * 1200)),
        (200, None, "decode-failed"),
    ),
    "5 codings": (_reply(_packed(5), "Content-Encoding: " + ",".join(["gzip"] * 5)), (200, "x", None)),
    # only the first line was read, and what it gave was packed still
    "two lines of codings": (_reply(_packed(2), "Content-Encoding: gzip", "Content-Encoding: gzip"), (200, "x", None)),
    # a coding of the transfer: packed bytes were handed on as the body
    "packed transfer": (
        _reply(CHUNKED, "Transfer-Encoding: gzip, chunked", length=False),
        (200, None, "decode-failed"),
    ),
    "packed to the end": (_reply(_packed(1), "Transfer-Encoding: gzip", length=False), (200, None, "decode-failed")),
    "chunked": (_reply(b"1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: Chunked", length=False), (200, "x", None)),
    # this codec of Python cannot replace what it cannot read
    "punycode": (_reply(b"ok\xe9", "Content-Type: text/plain; charset=punycode"), (200, "ok\ufffd", None)),
    "unicode_escape": (
        _reply(b"a\\u0041", "Content-Type: text/plain; charset=unicode_escape"),
        (200, "a\\u0041", None),
    ),
    "status 0": (b"HTTP/1.1 000 x\r\nContent-Length: 1\r\n\r\nx", (None, None, "protocol-error")),
    "tab in a redirect": (
        b"HTTP/1.1 302 x\r\nLocation: /o\tk\r\nContent-Length: 0\r\n\r\n",
        (None, None, "bad-url"),
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_hostile_answer_is_one_row(net: Net, https_server: WebServer, name: str) -> None:
    net.reaching(https_server)
    answer, expected = ANSWERS[name]
    urls = https_server.on("/a", garbage(answer)), https_server.on("/ok", text("OK"))
    rows = net.ask(f"{rows_of(*urls)} | wget retries=0 timeout=10").rows
    found = [(row["_wget_code"], row["line"], row["_wget_error"]) for row in rows]
    assert found == [expected, (200, "OK", None)]


PAGES = {
    # paragraphs that nobody closes lie in each other
    "deep": ("<p>" * 1500 + "x", "p", None),
    "rejected": ("<!" + "[" * 10 + "<!x", "p", "decode-failed"),
    "huge in all": ("<p>" * 3000 + "x" * 30_000, "p", "exceeds-max-size"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_hostile_page_is_one_row(net: Net, https_server: WebServer, name: str) -> None:
    net.reaching(https_server)
    page, selector, word = PAGES[name]
    urls = https_server.on("/a", html(page)), https_server.on("/ok", html("<p>OK</p><b>OK</b>"))
    asked = net.ask(f'{rows_of(*urls)} | wget retries=0 selector="{selector}"')
    bad, good = asked.rows
    assert (bad["_wget_code"], good["_wget_code"], good["_wget_error"]) == (200, 200, None)
    assert good["elements"][0]["text"] == "OK"
    if word is None:
        assert len(bad["elements"]) == 1500
        assert {one["text"] for one in bad["elements"]} == {"x"}
    else:
        assert (bad["elements"], bad["_wget_error"]) == (None, word)
        assert asked.lost[f"wget localhost:{https_server.port} no-answer-{word}"] == 1


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("header", [{"X-A": "a\x01b"}, {"X-A": "a\x7fb"}, "[" * 100_000, {"X-A": "a\x0bb"}])
def test_a_hostile_header_is_one_row(
    net: Net, https_server: WebServer, tmp_path: Path, header: object, method: str
) -> None:
    """A library refuses these by an exception, which ended the query."""
    net.reaching(https_server)
    url = https_server.on("/a", text("x"))
    made = tmp_path / "in.json"
    made.write_text(json.dumps({"url": url, "h": header}) + "\n" + json.dumps({"url": url}) + "\n")
    rows = net.ask(f"jsonfile {made} | wget retries=0 method={method} header=h").rows
    assert [row["_wget_error"] for row in rows] == ["bad-header", None]


def test_a_secret_of_two_lines_is_no_header(net: Net, https_server: WebServer, tmp_path: Path) -> None:
    net.reaching(https_server)
    (tmp_path / "key").write_text("planted\nsecret\n")
    net.more = f'[network.hosts."localhost"]\nheaders = {{ "x-key" = "file:{tmp_path / "key"}" }}\n'
    url = https_server.on("/a", text("x"))
    assert net.ask(f"{rows_of(url)} | wget retries=0").row["_wget_error"] == "bad-header"
    assert https_server.log == []


HELD = [
    "[" * 200_000,
    '{"moments": [[NaN, 1.0], [1.0, Infinity], [1e400, 1.0], null, [1], [1, 2], ["a", "b"]]}',
    '{"start": [], "moments": {}}',
    "{}",
    "[1.0]",
    "\0",
]


@pytest.mark.parametrize("held", HELD)
def test_a_damaged_file_of_a_rate_costs_no_query(net: Net, https_server: WebServer, tmp_path: Path, held: str) -> None:
    net.reaching(https_server)
    query = f'{rows_of(https_server.on("/a", text("x")))} | wget rate="9/1s"'
    assert net.ask(query).row["line"] == "x"
    (counts,) = (tmp_path / "state").rglob("requests/*.json")
    counts.write_text(held)
    assert net.ask(query).row["line"] == "x"
