"""What real programs send arrives as they meant it: logger, ncat, rsyslog (TCP, OpenSSL, GnuTLS), syslog-ng."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from logsql.streams.metrics import FRAMES_BAD, RECEIVER_LOST, REFUSED
from tests.servers.loop import LoopThread
from tests.servers.pki import Authority
from tests.servers.senders import DRIVERS, logger, ncat, rsyslog, syslog_ng
from tests.streams.receiving import Receiving, receiving, tls_of, until
from udfs.syslogheader import FIELDS, parse_headers

pytestmark = pytest.mark.posix("the senders are programs of Unix")
LISTEN = ("udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://127.0.0.1:0")


@pytest.fixture
def it(tmp_path: Path, loop_thread: LoopThread, tls: Authority) -> Iterator[Receiving]:
    with receiving(tmp_path, loop_thread, LISTEN, tls=tls_of(tls)) as made:
        yield made
        assert not [n for n in made.metrics.numbers() if n[0] in (FRAMES_BAD.name, RECEIVER_LOST.name, REFUSED.name)]


def fields(it: Receiving, count: int, *names: str) -> list[tuple[object, ...]]:
    """Header fields of the messages that came, in order."""
    lines = pa.array(it.lines(count), pa.string())
    assert it.identity() == (count, count)
    found = parse_headers(lines, None, "UTC", "auto", FIELDS)
    return [tuple(found[name][n].as_py() for name in names) for n in range(count)]


def test_logger_over_udp(it: Receiving) -> None:
    logger(it.port("udp"), "--udp", "-t", "app", "udp one")
    it.rows(1)
    logger(it.port("udp"), "--udp", "--rfc3164", "-p", "local0.warning", "-t", "app", "udp two")
    it.rows(2)
    logger(it.port("udp"), "--udp", "--octet-count", "--rfc5424", "-t", "app", "udp three")
    assert fields(it, 3, "facility", "severity", "app", "message") == [
        (1, 5, "app", "udp one"), (16, 4, "app", "udp two"), (1, 5, "app", "udp three"),
    ]  # fmt: skip


@pytest.mark.parametrize("framing", ["--octet-count", ""])
def test_logger_over_tcp(it: Receiving, framing: str) -> None:
    """Without a count the second line of a message is a message without a priority."""
    long = "가 " + "x" * 5000
    for number, text in enumerate(["one", "line1\nline2", long], 1):
        words = ["--tcp", "--rfc5424", "-S", "8KiB", "-t", "app", text]
        logger(it.port(), *([framing] if framing else []), *words)
        it.rows(number + (not framing and number > 1))
    if framing:
        assert fields(it, 3, "app", "message") == [("app", "one"), ("app", "line1\nline2"), ("app", long)]
    else:
        assert fields(it, 4, "app", "message") == [("app", "one"), ("app", "line1"), (None, None), ("app", long)]
        assert it.lines(4)[2] == "line2"


def test_ncat_with_every_delimiter(it: Receiving) -> None:
    ncat(it.port(), b"<13>a b: nul one\0<13>a b: nul two\0")
    it.rows(2)
    ncat(it.port(), b"20 <13>1 - - - - - - hi<13>plain lf\n")
    it.rows(4)
    ncat(it.port(), b"<13>last without delimiter")
    it.rows(5)
    ncat(it.port(), b"2026-01-01 host starts with digits\n123 abc\n54 <1 minute elapsed\n")
    assert it.lines(8) == [
        "<13>a b: nul one", "<13>a b: nul two", "<13>1 - - - - - - hi", "<13>plain lf", "<13>last without delimiter",
        "2026-01-01 host starts with digits", "123 abc", "54 <1 minute elapsed",
    ]  # fmt: skip


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("framing", ["octet-counted", "traditional"])
def test_rsyslog(it: Receiving, tmp_path: Path, tls: Authority, framing: str, driver: str) -> None:
    """It writes the line feeds of a record as ``#012``, and counts the one that it adds to each message."""
    text = f"first {framing}\n\nmulti\n continued\n\nlast {driver}\n\n"
    port = it.port("tcp" if driver == "plain" else "tls")
    with rsyslog(tmp_path / "rsyslog", text, port, framing, driver, tls):
        it.rows(3)
    assert fields(it, 3, "app", "message") == [
        ("t", f"first {framing}"), ("t", "multi#012 continued"), ("t", f"last {driver}"),
    ]  # fmt: skip


NG = {
    "tcp lf": ("tcp", 'network("127.0.0.1" port(PORT) transport("tcp"))'),
    "tcp octet": ("tcp", 'syslog("127.0.0.1" port(PORT) transport("tcp"))'),
    "udp": ("udp", 'syslog("127.0.0.1" port(PORT) transport("udp"))'),
    "tls lf": ("tls", 'network("127.0.0.1" port(PORT) transport("tls") tls(ca-file("CA")))'),
    "tls octet": ("tls", 'syslog("127.0.0.1" port(PORT) transport("tls") tls(ca-file("CA")))'),
}


@pytest.mark.parametrize("way", NG)
def test_syslog_ng(it: Receiving, tmp_path: Path, tls: Authority, way: str) -> None:
    transport, driver = NG[way]
    driver = driver.replace("PORT", str(it.port(transport))).replace("CA", str(tls.ca_file))
    lines = "".join(f"<13>Oct 11 22:14:15 h app[7]: {text}\n" for text in ("first", "둘째", "x" * 3000))
    with syslog_ng(
        tmp_path / "ng", lines, f"destination d {{ {driver}; }}; log {{ source(s); destination(d); }};"
    ) as ng:
        assert until(lambda: it.intake.feed.published >= 3), ng.tail()
    assert fields(it, 3, "severity", "host", "app", "procid", "message") == [
        (5, "h", "app", "7", text) for text in ("first", "둘째", "x" * 3000)
    ]
