"""The vendor's own queries of ``wget`` and ``rss``, as the manual prints them.

Their hosts are a server of the test (``resolve``), whose certificate is for their names. The article's three stand in
test_articles.py.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.network.conftest import Net
from tests.servers.replies import Reply
from tests.servers.web import WebServer
from tests.test_examples import RECORDS, SERVED

if TYPE_CHECKING:
    from tests.network.conftest import Asked

pytestmark = pytest.mark.evidence
HERE = "tests/network/test_vendor_web.py"
FEED = b"""<rss version="2.0"><channel><title>t</title><link>https://x.example/</link><description>d</description>
<item><title>first</title><link>https://x.example/1</link><description>&lt;b&gt;bold&lt;/b&gt; text</description></item>
<item><title>second</title><link>https://x.example/2</link><description>plain</description></item></channel></rss>"""
LOG = b'1.2.3.4 - - [a] "GET / HTTP/1.1" 200 1\n5.6.7.8 - - [b] "GET /x HTTP/1.1" 404 2\n'
IRIS = b"5.1,3.5,1.4,0.2,setosa\n4.9,3.0,1.4,0.2,setosa\n4.7,3.2,1.3,0.2,setosa\n25.0,31.0,1.5,0.2,setosa\n"


def asked(key: str, net: Net, server: WebServer, plain: WebServer) -> Asked:
    """A query of a page, whose hosts are ours."""
    hosts = ("raw.githubusercontent.com", "logpresso.com", "api.abuseipdb.com")
    net.settings["resolve"] = {
        **{f"{host}:443": server.address for host in hosts},
        **{f"{host}:80": plain.address for host in ("eediom.com", "rss.slashdot.org")},
    }
    net.settings["plain_http"] = ["eediom.com", "rss.slashdot.org"]
    return net.ask(RECORDS[key]["query"])


@pytest.fixture
def server(https_server: WebServer) -> WebServer:
    """What the hosts of the pages answer."""
    https_server.on("/logpresso/dataset/main/access.log", Reply(body=LOG))
    https_server.on("/illinois-cse/data-fa14/gh-pages/data/iris.csv", Reply(body=IRIS))
    https_server.on("/feed/", Reply(body=FEED))
    https_server.on("/api/v2/check", Reply(body=json.dumps({"data": {"abuseConfidenceScore": 100}}).encode()))
    https_server.on("/api/v2/report", Reply(body=b'{"data": {}}'))
    return https_server


@pytest.fixture
def plain(http_server: WebServer) -> WebServer:
    """The two that are reached without TLS, which the configuration allows them."""
    http_server.on("/feed/", Reply(body=FEED))
    http_server.on("/Slashdot/slashdotMain", Reply(body=FEED))
    return http_server


def test_every_query_is_run_here() -> None:
    assert {key for key, test in SERVED.items() if test == HERE} == {
        "ex0237", "ex0265", "ex0295", "ex0302", "ex0303", "ex0304", "ex0574",
    }  # fmt: skip


def test_a_log_is_fetched_and_stored(net: Net, server: WebServer, plain: WebServer) -> None:
    net.settings["resolve"] = {"raw.githubusercontent.com:443": server.address}
    session = net.session()
    session.cursor().execute("CREATE TABLE RAW_WEBLOG (line VARCHAR)")
    session.query(RECORDS["ex0237"]["query"]).rows()
    assert [row["line"] for row in session.query("table order=asc RAW_WEBLOG").rows()][:2] == LOG.decode().split("\n")[
        :2
    ]


def test_outliers_of_a_table_of_the_web(net: Net, server: WebServer, plain: WebServer) -> None:
    found = asked("ex0265", net, server, plain)
    assert found.rows == [], "lof compares with ten neighbours, and there are four rows"
    assert len(server.requests("/illinois-cse/data-fa14/gh-pages/data/iris.csv")) == 1


@pytest.mark.parametrize("key", ["ex0302", "ex0574"])
def test_titles_of_a_feed(key: str, net: Net, server: WebServer, plain: WebServer) -> None:
    assert asked(key, net, server, plain).rows == [{"title": "first"}, {"title": "second"}]


def test_a_feed(net: Net, server: WebServer, plain: WebServer) -> None:
    rows = asked("ex0295", net, server, plain).rows
    assert [row["title"] for row in rows] == ["first", "second"]
    assert [row["link"] for row in rows] == ["https://x.example/1", "https://x.example/2"]
    assert [row["content"] for row in rows] == ["bold text", "plain"], "strip=t"


def test_a_service_with_a_key_in_a_header(net: Net, server: WebServer, plain: WebServer) -> None:
    found = asked("ex0303", net, server, plain)
    assert found.row["abuseConfidenceScore"] == 100
    [request] = server.requests("/api/v2/check")
    assert request.header("key") == "YOUR_API_KEY"
    assert request.query == {"ipAddress": "118.25.6.39", "maxAgeInDays": "90"}


def test_a_report_is_posted_as_a_form(net: Net, server: WebServer, plain: WebServer) -> None:
    assert asked("ex0304", net, server, plain).row["_wget_code"] == 200
    [request] = server.requests("/api/v2/report")
    assert request.method == "POST"
    assert b"ip=47.236.18.74" in request.body
    assert b"categories=14" in request.body
