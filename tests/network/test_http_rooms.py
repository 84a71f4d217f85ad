"""Ways round the fence, proxies, secrets, and what is loaded."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from logsql.cli import main
from logsql.configuration.settings import Configuration, Network
from logsql.connectors.access import Access
from logsql.connectors.http_line import Line
from logsql.planner.connections.http import Answer, Ask, Terms
from logsql.store.files import Files
from tests.network.conftest import Net, rows_of
from tests.network.test_wget import outcome
from tests.servers import feeds
from tests.servers.pki import Authority
from tests.servers.proxy import Proxy
from tests.servers.replies import redirect, text
from tests.servers.web import WebServer

# --- names that change their address ----------------------------------------------------------------------------------


def answered(network: Network, lookup: object, *urls: str) -> list[Answer]:
    """The answers under a resolver of the test's own, one request after another on one set of connections."""
    line = Line(Access(lambda: Configuration(network), Files(), "UTC"), lookup)  # type: ignore[arg-type]
    found = []
    for url in urls:
        ready = threading.Event()
        running = line.begin(Terms("wget", timeout=5, retries=0), None, ready)
        [pending] = running.send([Ask(url)])
        while not pending.done():
            assert ready.wait(20)
        found.append(pending.result())
        running.stop()
    line.close()
    return found


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1"])
def test_a_name_that_leads_inside_is_refused_before_a_socket_is_made(address: str) -> None:
    [answer] = answered(Network(proxy="none"), lambda host, port: [(2, address)], "https://rebound.test/")
    assert (answer.code, answer.error) == (None, "refused-private")


def test_one_forbidden_address_among_several_refuses() -> None:
    found = [(2, "1.1.1.1"), (2, "127.0.0.1")]
    [answer] = answered(Network(proxy="none"), lambda host, port: found, "https://rebound.test/")
    assert answer.error == "refused-private"


def test_a_resolver_that_answers_otherwise_the_second_time_is_not_asked_twice(
    https_server: WebServer, tls: Authority
) -> None:
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[tuple[int, str]]:
        asked.append(host)
        return [(2, "127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    network = Network(allow=(https_server.address,), ca_file=str(tls.ca_file), proxy="none", retries=0)
    url = https_server.on("/a", text("x")).replace("localhost", "api.example.test")
    again = https_server.on("/b", redirect("/a")).replace("localhost", "api.example.test")
    first, second = answered(network, lookup, url, again)
    assert (first.body, second.body) == (b"x", b"x")
    assert asked == ["api.example.test"]


def test_a_name_that_is_rebound_between_two_connections_is_judged_again(
    https_server: WebServer, tls: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("logsql.connectors.http_exchange._ADDRESSES_HOLD", 0.0)
    asked: list[str] = []

    def lookup(host: str, port: int) -> list[tuple[int, str]]:
        asked.append(host)
        return [(2, "127.0.0.1" if len(asked) == 1 else "10.0.0.1")]

    network = Network(allow=(https_server.address,), ca_file=str(tls.ca_file), proxy="none", retries=0)
    closing = text("x").with_(headers=(("Connection", "close"),))
    url = https_server.on("/a", closing).replace("localhost", "api.example.test")
    first, second = answered(network, lookup, url, url)
    assert (first.body, second.error) == (b"x", "refused-private")


def test_a_name_without_address_has_its_word() -> None:
    def lookup(host: str, port: int) -> list[tuple[int, str]]:
        raise OSError("no such name")

    assert answered(Network(proxy="none"), lookup, "https://nowhere.test/")[0].error == "dns-failed"
    assert answered(Network(proxy="none"), lambda host, port: [], "https://nowhere.test/")[0].error == "dns-failed"


def test_a_port_where_nobody_listens(net: Net, https_server: WebServer) -> None:
    net.allow += ["127.0.0.1:1"]
    assert outcome(net, "https://127.0.0.1:1/") == (None, None, "connect-failed")


@pytest.mark.lonely("169.254.169.254", "10.9.8.7")
def test_nothing_reaches_metadata_and_private_addresses(net: Net, tls: Authority) -> None:
    from tests.servers.loop import LoopThread

    thread = LoopThread()
    context = tls.server_context("right")
    inside = [WebServer(thread, context, host=one).start() for one in ("169.254.169.254", "10.9.8.7", "127.0.0.1")]
    front = WebServer(thread, tls.server_context("right")).start()
    net.allow.append(f"localhost:{front.port}")
    net.allow.append(f"127.0.0.1:{front.port}")
    urls = []
    for number, server in enumerate(inside):
        target = f"https://{server.host}:{server.port}/latest/meta-data/"
        mapped = f"https://[::ffff:{server.host}]:{server.port}/"
        urls += [target, mapped, front.on(f"/{number}", redirect(target)), front.on(f"/m{number}", redirect(mapped))]
    rows = net.ask(f"{rows_of(*urls)} | wget retries=0").rows
    assert {r["_wget_error"] for r in rows} == {"refused-private"}
    assert [server.counts.connections for server in inside] == [0, 0, 0]
    for server in (*inside, front):
        server.stop()
    thread.stop()


# --- proxies ----------------------------------------------------------------------------------------------------------


def test_https_goes_through_connect(net: Net, https_server: WebServer, proxy: Proxy) -> None:
    net.settings["proxy"] = proxy.url
    proxy.routes["api.example.test:443"] = https_server.address
    https_server.on("/a", text("through"))
    assert outcome(net, "https://api.example.test/a") == (200, "through", None)
    assert proxy.connects == ["api.example.test:443"]
    assert https_server.log[0].server_name == "api.example.test"
    assert b"apikey" not in proxy.heads[0]


def test_the_proxys_user_and_its_refusals(
    net: Net, https_server: WebServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.routes["api.example.test:443"] = https_server.address
    proxy.user = "Me:Secret"
    https_server.on("/a", text("through"))
    net.settings["proxy"] = proxy.url
    assert outcome(net, "https://api.example.test/a")[2] == "proxy-failed"
    net.settings["proxy"] = "env"
    monkeypatch.setenv("https_proxy", proxy.url.replace("http://", "http://Me:Secret@"))
    assert outcome(net, "https://api.example.test/a") == (200, "through", None)
    proxy.refuse = 503
    assert outcome(net, "https://api.example.test/a")[2] == "proxy-failed"
    net.settings["proxy"] = "http://127.0.0.1:1"
    assert outcome(net, "https://api.example.test/a")[2] == "proxy-failed"


def test_the_environments_proxy_and_its_exceptions(
    net: Net, https_server: WebServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.reaching(https_server).settings["proxy"] = "env"
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "localhost")
    url = https_server.on("/a", text("x"))
    assert outcome(net, url)[1] == "x"
    assert proxy.connects == []
    proxy.routes["api.example.test:443"] = https_server.address
    assert outcome(net, "https://api.example.test/a")[1] == "x"
    assert len(proxy.connects) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "localhost", "a.localhost", "169.254.169.254"])
def test_literal_addresses_and_localhost_are_judged_behind_a_proxy_too(net: Net, proxy: Proxy, host: str) -> None:
    net.settings["proxy"] = proxy.url
    assert outcome(net, f"https://{host}/")[2] == "refused-private"
    assert proxy.connects == []


def test_plain_http_goes_through_the_proxy_as_a_whole_url(
    net: Net, http_server: WebServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    net.settings["proxy"] = "env"
    monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://Me:Secret@"))
    proxy.user = "Me:Secret"
    net.plain.append("api.example.test")
    proxy.routes["api.example.test"] = http_server.address
    http_server.on("/a", text("x"))
    assert outcome(net, "http://api.example.test/a")[:2] == (200, "x")
    assert proxy.plain == ["http://api.example.test/a"]


@pytest.mark.parametrize(
    "bypassed", ["*", "127.0.0.0/8,10.0.0.0/8,::1,169.254.169.254,localhost", "0.0.0.0/0 ::/0", ".,*.,,"]
)
def test_no_variable_of_the_environment_opens_the_fence(
    net: Net, https_server: WebServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, bypassed: str
) -> None:
    net.settings["proxy"] = "env"
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("no_proxy", bypassed)
    monkeypatch.setenv("NO_PROXY", bypassed)
    port = https_server.port
    https_server.on("/", text("inside"))
    hosts = ("127.0.0.1", "10.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "a.localhost", "169.254.169.254")
    rows = net.ask(f"{rows_of(*[f'https://{host}:{port}/' for host in hosts])} | wget retries=0").rows
    assert {row["_wget_error"] for row in rows} == {"refused-private"}
    assert (proxy.connects, proxy.plain, https_server.counts.connections) == ([], [], 0)


def test_a_name_that_no_proxy_asks_for_is_judged_by_its_address(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "rebound.test")
    place = proxy.url.removeprefix("http://")
    # also where the URL names the proxy's own place, which may be connected to as a proxy only
    for url in ("https://rebound.test/", f"https://rebound.test:{place.rpartition(':')[2]}/"):
        [answer] = answered(Network(), lambda host, port: [(2, "127.0.0.1")], url)
        assert answer.error == "refused-private", url
    assert proxy.connects == []


@pytest.mark.parametrize("trick", ["{url}/@10.9.8.7:80", "{url}?@10.9.8.7:80", "{url}#@10.9.8.7:80"])
def test_the_place_of_a_proxy_is_read_once(
    net: Net, https_server: WebServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    net.settings["proxy"] = "env"
    monkeypatch.setenv("HTTPS_PROXY", trick.format(url=proxy.url))
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    proxy.routes["api.example.test:443"] = https_server.address
    https_server.on("/a", text("through"))
    assert outcome(net, "https://api.example.test/a") == (200, "through", None)
    assert proxy.connects == ["api.example.test:443"]
    assert b"proxy-authorization" not in proxy.heads[0].lower()


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRETS = (
    "planted-env-1",
    "planted-literal-2",
    "planted-auth-3",
    "planted-header-4",
    "planted-proxy-5",
    "planted-user-6",
)


def test_no_planted_secret_leaves(
    net: Net,
    https_server: WebServer,
    proxy: Proxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Rows, errors, ledger, notes, explain, translate, history, cache, --stats, --debug."""
    monkeypatch.setenv("KEY", SECRETS[0])
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    net.settings["proxy"] = "env"
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("http://", f"http://me:{SECRETS[4]}@"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    proxy.user = f"me:{SECRETS[4]}"
    proxy.routes["api.example.test:443"] = https_server.address
    net.more = (
        '[network.hosts."api.example.test"]\nquery = { apikey = "env:KEY" }\n'
        f'headers = {{ "x-key" = "{SECRETS[1]}" }}\n'
    )
    https_server.on("/a", text("fine"))
    https_server.on("/r", redirect("http://10.0.0.1/?k=v"))
    https_server.on("/bad", text(b"\xff\xfe\xfd"))
    net.file.chmod(0o600)
    headers = tmp_path / "h.json"
    headers.write_text(f'{{"h": "X-T: {SECRETS[3]}", "u": "https://{SECRETS[5]}:pw@api.example.test"}}\n')
    configured = ["--config", str(net.file)]
    for path in ("/a", "/r", "/bad", "/missing", "?broken\\n", ":99999/"):
        made = f'jsonfile {headers} | eval hs = array(h), url = concat(u, "{path}")'
        answer = "fields line, _wget_code, _wget_error"
        for auth in ("", f'auth="u:{SECRETS[2]}"'):
            query = f"{made} | wget header=hs {auth} cache=1h | {answer}"
            for more in ([], ["--stats"], ["--debug", "--loss"]):
                main([*configured, "-q", query, *more])
        for verb in ("explain", "translate", "check"):
            main([verb, f"{made} | wget", *configured])
        main([*configured, "-q", f'wget url="https://api.example.test{path}"'])
    said = "".join(capfd.readouterr())
    assert https_server.requests("/a"), said[:3000]
    assert https_server.requests("/a")[0].query["apikey"] == SECRETS[0]
    assert https_server.requests("/a")[0].header("x-key") == SECRETS[1]
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path not in (net.file, headers)]
    assert kept, "a cache at least"
    held = said.encode() + b"".join(path.read_bytes() for path in kept)
    typed = SECRETS[2]  # stands in the query text, which history and messages may print
    found = [secret for secret in SECRETS if secret != typed and secret.encode() in held]
    assert found == []


def test_a_missing_secret_is_named_by_its_reference(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    net.more = '[network.hosts."localhost"]\nquery = { apikey = "env:NOT_SET_ANYWHERE" }\n'
    url = https_server.on("/a", text("x"))
    with pytest.raises(Exception, match="env:NOT_SET_ANYWHERE"):
        net.ask(f"{rows_of(url)} | wget")
    assert https_server.log == []


# --- what is loaded ---------------------------------------------------------------------------------------------------

NETWORK = (
    "aiohttp", "asyncio", "ssl", "yarl", "tenacity", "feedparser", "bs4", "soupsieve", "http.client", "sqlite3",
    "ldap3", "adbc_driver_manager", "dns", "aiosmtplib", "aioftp", "paramiko", "cryptography",
)  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        ["--version"],
        ["-q", 'json "{}" | eval a = 1'],
        ["translate", 'json "{}" | eval url = "https://h/" | wget | parsejson'],
        ["check", 'wget url="https://h/" timeout=5'],
        ["explain", 'json "{}" | wget'],
    ],
)
def test_no_module_of_the_network_is_loaded(words: list[str]) -> None:
    code = (
        f"import sys; import logsql.cli\ntry:\n    logsql.cli.main({words!r})\nexcept SystemExit:\n    pass\n"
        f"print([m for m in {NETWORK!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout


# --- rss --------------------------------------------------------------------------------------------------------------


def test_a_feed(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/rss", text(feeds.RSS, "application/rss+xml"))
    rows = net.ask(f'rss url="{url}"', tz="Asia/Seoul").rows
    assert [r["title"] for r in rows] == ["취약점 공지 <1>", "Second", "Without date or link"]
    assert rows[0]["content"] == "<p>첫 번째 <b>공지</b></p>"
    assert (rows[0]["guid"], rows[0]["link"]) == ("tag:feed.example.test,2026:1", "https://feed.example.test/1?a=1&b=2")
    assert (rows[0]["author"], rows[0]["source"]) == ("김보안", "보안 공지")
    assert rows[0]["created_at"].isoformat() == "2026-03-02T08:30:00+09:00"
    assert rows[1]["created_at"].isoformat() == "2026-03-02T08:59:59+09:00"
    assert (rows[2]["created_at"], rows[2]["link"], rows[2]["modified_at"]) == (None, None, None)
    stripped = net.ask(f'rss url="{url}" strip=t | fields content | limit 1')
    assert stripped.row == {"content": "첫 번째 공지"}
    assert len(https_server.log) == 2


def test_an_atom_feed_and_other_charsets(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    url = https_server.on("/atom", text(feeds.ATOM, "application/atom+xml"))
    rows = net.ask(f'rss url="{url}"', tz="UTC").rows
    assert [(r["guid"], r["author"]) for r in rows][1] == ("urn:two", None)
    assert rows[0]["created_at"].isoformat() == "2026-03-01T03:00:00.250000+00:00"
    assert rows[0]["modified_at"].isoformat() == "2026-03-01T18:30:02+00:00"
    assert rows[0]["author"] == "Lee"
    assert "Long &amp; text" in rows[0]["content"]
    url = https_server.on("/kr", text(feeds.EUC_KR, "text/xml"))
    assert net.ask(f'rss url="{url}" | fields title | limit 1').row == {"title": "취약점 공지 <1>"}


def test_what_is_no_feed_and_one_that_is_broken(net: Net, https_server: WebServer) -> None:
    net.reaching(https_server)
    with pytest.raises(Exception, match="E3094"):
        net.ask(f'rss url="{https_server.on("/a", text("nothing here"))}"')
    with pytest.raises(Exception, match=r"E3041.*refused-private"):
        net.ask('rss url="https://10.0.0.1/"')
    broken = net.ask(f'rss url="{https_server.on("/b", text(feeds.BROKEN, "text/xml"))}"')
    assert broken.rows[0]["title"] == "취약점 공지 <1>"
    assert broken.lost == {f"rss localhost:{https_server.port} broken-feed": 1}
