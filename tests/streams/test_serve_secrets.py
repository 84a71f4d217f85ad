"""No secret of a server is shown: not by the status page, the log or the verbs; nor kept in its folder."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streams.serving import Served

SECRETS = {
    "LQ_TOKEN": "tok/en s3cret-1",
    "LQ_HOOK": "Bearer hook+s3cret-2",
    "LQ_KEY": "api&key=s3cret-3",
    "LQ_DB": "pass@word:s3cret-4",
}
CONFIG = """
[network]
allow = ["127.0.0.1"]
plain_http = ["127.0.0.1"]
[network.hosts."127.0.0.1"]
query = { apikey = "env:LQ_KEY" }
[profiles.emp]
kind = "postgresql"
url = "postgresql://reader@127.0.0.1:1/emp"
password = "env:LQ_DB"

[[receiver]]
name = "edge"
kind = "syslog"
listen = ["tcp://127.0.0.1:PORT"]
[[stream]]
name = "all"
from = ["edge"]
query = 'wget url="http://127.0.0.1:1/x"'
to = ["hook"]
[[stream]]
name = "bare"
from = ["edge"]
to = ["hook"]
[[sink]]
name = "hook"
kind = "webhook"
url = "http://127.0.0.1:1/in"
headers = { Authorization = "env:LQ_HOOK" }
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(
        tmp_path, CONFIG.replace("| dblookup emp users user output name", ""), server='status_token = "env:LQ_TOKEN"'
    )
    yield made
    if made.process is not None:
        made.kill()


def forms(secret: str) -> set[str]:
    """The secret as it may be written."""
    return {
        secret,
        urllib.parse.quote(secret),
        urllib.parse.quote_plus(secret),
        base64.b64encode(secret.encode()).decode(),
    }


def test_no_secret_is_shown_or_kept(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    served.start()
    assert served.get("/status")[0] == 401
    served.token = SECRETS["LQ_TOKEN"]
    served.send(b"<13>one\n")
    served.until(lambda: served.counted("logsql_sink_retries_total", "hook") >= 1, "tried")
    shown = "".join(served.get(path)[1] for path in ("/", "/live", "/ready", "/status", "/metrics"))
    for words in (("stream", "ls", "-f", "jsonl"), ("stream", "show", "all"), ("stream", "show", "hook")):
        done = served.verb(*words)
        assert done.returncode == 0, done.stderr
        shown += done.stdout + done.stderr
    assert served.verb("stream", "reload").returncode == 0
    assert "one" not in served.get("/status")[1]
    assert served.end() == 0
    shown += "\n".join(served.said)
    kept = b"".join(path.read_bytes() for path in served.state.rglob("*") if path.is_file())
    for secret in SECRETS.values():
        for form in forms(secret):
            assert form not in shown
            assert form.encode() not in kept
