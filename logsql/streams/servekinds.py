"""Kinds of values that only the configuration of ``logsql serve`` has."""

from __future__ import annotations

import codecs
import ipaddress
import os
import re

from logsql.configuration.declaring import Scalar, Unfit
from logsql.configuration.kinds import HOST, PATH, SIZE, SPAN
from logsql.diagnostics.messages import text
from udfs.java.javaregex import classify
from udfs.java.javaregex_parser import RegexSyntaxError
from udfs.java.zones import find_zone

#: Names of receivers, streams and sinks: they are folders and labels, too.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
_SOURCE = re.compile(r"(?:table|context):\S(?:.{0,200}\S)?|server:log")
_LISTEN = re.compile(r"(udp|tcp|tls)://(\[[0-9A-Fa-f:.%]+\]|[^\[\]:/]+):(\d{1,5})")
_TARGET = re.compile(r"(?:udp|tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[^\[\]:/@]+):[1-9]\d{0,4}")
#: Endings of the files that a sink writes.
ENDINGS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")


def _named(value: object, folder: str) -> object:
    if _NAME.fullmatch(str(value)) is None:
        raise Unfit
    return value


def _source(value: object, folder: str) -> object:
    if _SOURCE.fullmatch(str(value)) is None and _NAME.fullmatch(str(value)) is None:
        raise Unfit
    return value


def _any_text(value: object, folder: str) -> object:
    if "\0" in str(value) or any("\ud800" <= char <= "\udfff" for char in str(value)):
        raise Unfit
    return value


def _zone(value: object, folder: str) -> object:
    if not value or find_zone(str(value)) is None:
        raise Unfit
    return value


def _span_or_zero(value: object, folder: str) -> object:
    return 0.0 if value in ("0", "0s") else SPAN.read(value, folder)


def _span_or_none(value: object, folder: str) -> object:
    return SPAN.read(value, folder) if value else None


def _sync(value: object, folder: str) -> object:
    return {"always": 0.0, "never": None}[str(value)] if value in ("always", "never") else SPAN.read(value, folder)


def _size_or_zero(value: object, folder: str) -> object:
    return 0 if value == "0" else SIZE.read(value, folder)


def _memory(value: object, folder: str) -> object:
    SIZE.read(value, folder)
    return value


def _retry(value: object, folder: str) -> object:
    first, dots, last = str(value).partition("..")
    found = SPAN.read(first, folder), SPAN.read(last, folder)
    if not dots or not found[0] <= found[1]:  # type: ignore[operator]  # both are seconds
        raise Unfit
    return found


def _port(digits: str) -> None:
    if int(digits) > 65535:
        raise Unfit


def _listen(value: object, folder: str) -> object:
    """Port 0: the system chooses one, which the server then tells."""
    found = _LISTEN.fullmatch(str(value))
    if found is None:
        raise Unfit
    _port(found[3])
    host = found[2].strip("[]")
    if host != "localhost":
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise Unfit from None
    return value


def _target(value: object, folder: str) -> object:
    found = _TARGET.fullmatch(str(value))
    if found is None:
        raise Unfit
    HOST.read(str(value).partition("://")[2], folder)
    return value


def _status(value: object, folder: str) -> object:
    if not value:
        return value
    host, _, port = str(value).rpartition(":")
    if re.fullmatch(r"\d{1,5}", port, re.ASCII) is None:
        raise Unfit
    _port(port)
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise Unfit from None
    return value


def _network(value: object, folder: str) -> object:
    try:
        return str(ipaddress.ip_network(str(value)))
    except ValueError:
        raise Unfit from None


def _codec(value: object, folder: str) -> object:
    try:
        found = codecs.lookup(str(value))
        "a".encode(found.name)  # none of the codecs that make bytes of bytes
    except (LookupError, ValueError):
        raise Unfit from None
    return found.name


def _regex(value: object, folder: str) -> object:
    try:
        classify(str(value), named_only=False)
    except (RegexSyntaxError, ValueError):
        raise Unfit from None
    if not value:
        raise Unfit
    return value


def _framing(value: object, folder: str) -> object:
    found = {"rfc6587": "octet"}.get(str(value), str(value))
    if found not in ("octet", "lf", "nul"):
        raise Unfit
    return found


def _pri(value: object, folder: str) -> object:
    if value == "keep":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 191:
        raise Unfit
    return value


def _out(value: object, folder: str) -> object:
    path = str(PATH.read(value, folder))
    if not path.endswith(ENDINGS) or os.path.basename(path) in ENDINGS:
        raise Unfit
    return path


FOLDER = Scalar(text("a folder", "폴더"), '"/var/lib/logsql"', PATH.read)
UNIQUE = Scalar(text('letters, digits, "_" and "-"', '영문자, 숫자, "_", "-"'), '"edge"', _named)
SOURCE = Scalar(
    text(
        'a receiver, a stream, "table:NAME", "context:TOPIC" or "server:log"',
        '수신기, 스트림, "table:이름", "context:토픽", "server:log"',
    ),
    '"edge"',
    _source,
)
ANY_TEXT = Scalar(text("text", "텍스트"), '"text"', _any_text)
FLAG = Scalar(text("true or false", "참 또는 거짓"), "true", lambda value, folder: value, bool)
ZONE = Scalar(text('a time zone such as "Asia/Seoul"', '"Asia/Seoul" 같은 시간대'), '"UTC"', _zone)
SPAN_OR_ZERO = Scalar(
    text('a span of time such as "10m", or "0" for never', '"10m" 같은 시간 간격 또는 안 함을 뜻하는 "0"'),
    '"10m"',
    _span_or_zero,
)
SPAN_OR_NONE = Scalar(
    text('a span of time such as "10m", or "" for none', '"10m" 같은 시간 간격 또는 없음을 뜻하는 ""'),
    '"10m"',
    _span_or_none,
)
SYNC = Scalar(
    text('"always", "never" or a span of time such as "1s"', '"always", "never" 또는 "1s" 같은 시간 간격'),
    '"1s"',
    _sync,
    choices=("always", "never"),
)
SIZE_OR_ZERO = Scalar(
    text('a size such as "64MB", or "0" for never', '"64MB" 같은 크기 또는 안 함을 뜻하는 "0"'),
    '"64MB"',
    _size_or_zero,
)
MEMORY = Scalar(text('a size such as "1GB"', '"1GB" 같은 크기'), '"1GB"', _memory)
RETRY = Scalar(
    text('first and longest wait, such as "1s..5m"', '"1s..5m" 같은 첫 대기와 가장 긴 대기'), '"1s..5m"', _retry
)
LISTEN = Scalar(
    text(
        'an address to listen on, such as "udp://0.0.0.0:5514", "tcp://127.0.0.1:5514", "tls://[::]:6514"',
        '"udp://0.0.0.0:5514", "tcp://127.0.0.1:5514", "tls://[::]:6514" 같은 수신 주소',
    ),
    '"tcp://0.0.0.0:5514"',
    _listen,
)
SYSLOG_TARGET = Scalar(
    text('"udp://HOST:PORT", "tcp://HOST:PORT" or "tls://HOST:PORT"', '"udp://", "tcp://", "tls://" 뒤에 호스트:포트'),
    '"tls://siem.example:6514"',
    _target,
)
STATUS_ADDRESS = Scalar(
    text('ADDRESS:PORT, or "" for no page', '주소:포트 또는 페이지 없음을 뜻하는 ""'), '"127.0.0.1:8514"', _status
)
NETWORK_OF = Scalar(
    text('a network or address such as "10.0.0.0/8"', '"10.0.0.0/8" 같은 네트워크나 주소'), '"10.0.0.0/8"', _network
)
CODEC = Scalar(text('an encoding such as "utf-8", "cp949"', '"utf-8", "cp949" 같은 인코딩'), '"cp949"', _codec)
REGEX = Scalar(text("a regular expression", "정규표현식"), "'^\\d{4}-'", _regex)
FRAMING = Scalar(
    text('one of "octet", "lf", "nul"', '"octet", "lf", "nul" 중 하나'),
    '"octet"',
    _framing,
    choices=("octet", "lf", "nul"),
)
PRI = Scalar(text('a whole number from 0 to 191, or "keep"', '0에서 191까지의 정수 또는 "keep"'), "134", _pri, object)
OUT_PATH = Scalar(
    text(
        "a path that ends in .jsonl, .jsonl.gz, .jsonl.zst or .parquet",
        ".jsonl, .jsonl.gz, .jsonl.zst, .parquet 중 하나로 끝나는 경로",
    ),
    '"out/edge-{now:yyyyMMdd}.jsonl"',
    _out,
)
