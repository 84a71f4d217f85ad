"""The status page: who may ask, what is answered, in a real browser too."""

from __future__ import annotations

import asyncio
import http.client
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from logsql.streams.metrics import BATCH_SECONDS, MESSAGES, METRICS, ROWS_IN, Metrics
from logsql.streams.status import StatusPage, Views

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def listening(
    address: str = "127.0.0.1:0",
    token: str | None = None,
    reasons: list[str] | None = None,
    status: dict[str, object] | None = None,
    metrics: Metrics | None = None,
) -> Iterator[StatusPage]:
    """A page that is served by a loop in a thread."""
    page = StatusPage(address, token, Views(lambda: reasons or [], lambda: status or {}, metrics or Metrics()))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(page.start(), loop).result(10)
    try:
        yield page
    finally:
        asyncio.run_coroutine_threadsafe(page.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def asked(page: StatusPage, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(), dict(answer.getheaders())


def test_live_and_ready() -> None:
    with listening() as page:
        assert asked(page, "/live")[:2] == (200, "live\n")
        assert asked(page, "/ready")[:2] == (200, "ready\n")
    with listening(reasons=["disk full"]) as page:
        assert asked(page, "/live")[0] == 200
        assert asked(page, "/ready")[:2] == (503, "disk full\n")


def test_only_get_and_only_what_there_is() -> None:
    with listening() as page:
        for method in ("POST", "HEAD", "PUT", "DELETE", "OPTIONS"):
            assert asked(page, "/status", method)[0] == 405
        assert asked(page, "/nothing")[0] == 404
        assert asked(page, "/../etc/passwd")[0] == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("localhost:{port}", 200),
        ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("10.0.0.1:{port}", 421),
        ("localhost", 421),
        ("", 421),
        ("[::1", 421),
    ],
)
def test_the_host_must_be_this_server(host: str, status: int) -> None:
    """A page of another site whose name leads to this machine sends its own name (DNS rebinding)."""
    with listening() as page:
        assert asked(page, "/status", Host=host.format(port=page.port))[0] == status


def test_the_token_is_asked_for() -> None:
    with listening(token="s3cret-töken") as page:
        assert asked(page, "/live")[0] == 401
        assert asked(page, "/live", Authorization="Bearer wrong")[0] == 401
        assert asked(page, "/live", Authorization="Bearer \xff\xfe")[0] == 401  # no UTF-8
        assert asked(page, "/live", Authorization="Bearer s3cret-töken".encode().decode("latin-1"))[0] == 200
        import base64

        given = base64.b64encode("any:s3cret-töken".encode()).decode()
        assert asked(page, "/live", Authorization=f"Basic {given}")[0] == 200
        assert asked(page, "/live", Authorization="Basic !!")[0] == 401


def test_the_metrics_are_what_a_reader_of_prometheus_takes() -> None:
    metrics = Metrics()
    metrics.add(MESSAGES, ("edge", "tcp"), 3)
    metrics.add(ROWS_IN, ('with "quotes"\n',), 2)
    metrics.observe(BATCH_SECONDS, ("fds",), 0.002)
    metrics.observe(BATCH_SECONDS, ("fds",), 0.3)
    metrics.observe(BATCH_SECONDS, ("fds",), 99)
    with listening(metrics=metrics) as page:
        status, text, headers = asked(page, "/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {
        s.name + str(sorted(s.labels.items())): s.value for f in text_string_to_metric_families(text) for s in f.samples
    }
    assert found["logsql_receiver_messages_total[('receiver', 'edge'), ('transport', 'tcp')]"] == 3
    assert found["logsql_stream_rows_in_total[('stream', 'with \"quotes\"\\n')]"] == 2
    assert found["logsql_stream_batch_seconds_count[('stream', 'fds')]"] == 3
    assert found["logsql_stream_batch_seconds_bucket[('le', '0.0025'), ('stream', 'fds')]"] == 1
    assert found["logsql_stream_batch_seconds_bucket[('le', '0.5'), ('stream', 'fds')]"] == 2
    assert found["logsql_stream_batch_seconds_bucket[('le', '+Inf'), ('stream', 'fds')]"] == 3
    for row in METRICS.values():
        assert f"# HELP {row.name} " in text or f"# HELP {row.name.removesuffix('_total')} " in text


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    assert CHROMIUM is not None
    status: dict[str, object] = {
        "receivers": [{"name": "edge", "messages": 12345, "senders": [{"address": "10.0.0.1"}]}],
        "streams": [{"name": "<script>document.title='taken'</script>", "rows in": 7, "lag": 0.25}],
        "sinks": [],
    }
    with listening(reasons=["journal full"], status=status) as page:
        browser = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={tmp_path}", "--virtual-time-budget=2000", "--dump-dom", f"http://127.0.0.1:{page.port}/"],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert json.loads(asked(page, "/status")[1]) == status
    text = browser.stdout
    assert '<p id="state" class="bad">not ready</p><ul><li>journal full</li></ul>' in text.replace("\n", "")
    assert '<td class="n">12,345</td>' in text
    assert '<td class="n">0.250</td>' in text
    assert "<title>logsql: live server</title>" in text
    assert "&lt;script&gt;" in text
    assert "10.0.0.1" not in text
