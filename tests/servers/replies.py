"""What the web server answers: right replies, and replies that are wrong in one way each."""

from __future__ import annotations

import email.utils
import gzip
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Headers = tuple[tuple[str, str], ...]
Coding = Literal["gzip", "deflate", "raw-deflate", "br", "zstd"]


class Ending(Enum):
    """What happens to the connection when the reply has been sent."""

    KEEP = "keep"
    """It stays open for the next request."""
    CLOSE = "close"
    """It is closed, over TLS with its closing message; the reply said ``Connection: close``."""
    SILENT_CLOSE = "silent-close"
    """It is closed as CLOSE does, but nothing announced it: the kept connection is gone at the next request."""
    ABORT = "abort"
    """The stream ends without the closing message of TLS."""
    RESET = "reset"
    """The other side gets a TCP reset."""
    HANG = "hang"
    """Nothing more comes, and the connection stays open."""


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    target: str
    headers: Headers
    body: bytes
    connection: int
    """Number of the connection, from 1."""
    when: float = 0.0
    """``time.monotonic()`` when its head had been read."""
    server_name: str | None = None
    """The name that the client asked for in its TLS greeting."""
    client: str | None = None
    """Common name of the client's certificate."""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Parameters of the URL; of one that comes twice the last, empty ones too."""
        return {k: v[-1] for k, v in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}

    def header(self, name: str) -> str | None:
        """Value of a header (upper and lower case alike); several are joined by ``, ``; None when there is none."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(found) if found else None

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Reply:
    """An answer, byte for byte as one says it.

    ``body`` is sent as it is: ``compressed()`` makes a compressed one. ``declared`` is the Content-Length that the
    head promises (None: the true one), ``chunks`` sends chunked pieces of that size, ``last_chunk=False`` leaves the
    end of them out. ``cut`` bytes of the body are sent and no more. ``delay`` passes before the head, ``pause``
    before each ``piece`` bytes of the body (seconds). ``raw`` is sent instead of head and body.
    """

    status: int = 200
    headers: Headers = ()
    body: bytes = b""
    reason: str | None = None
    delay: float = 0.0
    declared: int | None = None
    chunks: int | None = None
    last_chunk: bool = True
    cut: int | None = None
    pause: float = 0.0
    piece: int = 1
    ending: Ending = Ending.KEEP
    no_length: bool = False
    raw: bytes | None = None

    def with_(self, **changes: object) -> Reply:
        """The same with other fields (``reply.with_(delay=0.5)``)."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def head(self) -> bytes:
        """Status line and headers with the empty line after them."""
        reason = self.reason if self.reason is not None else _reason(self.status)
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {value}" for name, value in self.headers)]
        if self.chunks is not None:
            lines.append("Transfer-Encoding: chunked")
        elif not self.no_length and self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body) if self.declared is None else self.declared}")
        if self.ending is Ending.CLOSE:
            lines.append("Connection: close")
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"

    def payload(self) -> bytes:
        """What is sent after the head."""
        if self.chunks is None:
            return self.body if self.cut is None else self.body[: self.cut]
        pieces = [self.body[i : i + self.chunks] for i in range(0, len(self.body), self.chunks)]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        if self.cut is not None:
            return framed[: self.cut]
        return framed + (b"0\r\n\r\n" if self.last_chunk else b"")


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Whatever"


# --- right replies --------------------------------------------------------------------------------------------------


def text(body: str | bytes, content_type: str = "text/plain; charset=utf-8", status: int = 200) -> Reply:
    """A body of text; bytes are sent as they are (a charset other than UTF-8, a byte order mark, no text at all)."""
    data = body.encode() if isinstance(body, str) else body
    return Reply(status, (("Content-Type", content_type),), data)


def as_json(value: object, status: int = 200) -> Reply:
    """A JSON body."""
    return text(json.dumps(value, ensure_ascii=False), "application/json", status)


def html(body: str, content_type: str = "text/html; charset=utf-8") -> Reply:
    """A page."""
    return text(body, content_type)


def redirect(to: str, status: int = 302) -> Reply:
    """A redirect to a URL or path."""
    return Reply(status, (("Location", to),))


def empty(status: int = 204) -> Reply:
    """No body."""
    return Reply(status)


def chunked(body: bytes, size: int = 1000) -> Reply:
    """A body in chunks, with the last one."""
    return Reply(body=body, chunks=size)


def until_close(body: bytes) -> Reply:
    """A body without any length, which ends with the connection."""
    return Reply(body=body, no_length=True, ending=Ending.CLOSE)


def compress(body: bytes, coding: Coding) -> bytes:
    """The body as a coding of HTTP makes it; ``raw-deflate`` is what some servers send as ``deflate``."""
    match coding:
        case "gzip":
            return gzip.compress(body, mtime=0)
        case "deflate":
            return zlib.compress(body)
        case "raw-deflate":
            return zlib.compress(body)[2:-4]
        case "br":
            import brotli

            return bytes(brotli.compress(body))
        case "zstd":
            import zstandard

            return zstandard.ZstdCompressor().compress(body)


def compressed(body: bytes, coding: Coding, keep: float = 1.0, content_type: str = "text/plain") -> Reply:
    """A compressed body; ``keep`` below 1 cuts it there, and Content-Length is that of the piece: only the decoder can
    see that its end is missing."""
    packed = compress(body, coding)
    packed = packed if keep >= 1 else packed[: int(len(packed) * keep)]
    name = "deflate" if coding == "raw-deflate" else coding
    return Reply(headers=(("Content-Type", content_type), ("Content-Encoding", name)), body=packed)


def retry_after(value: str | float | datetime, status: int = 429) -> Reply:
    """429 or 503 with Retry-After: seconds (negative and absurd ones too), a date, or any text."""
    if isinstance(value, datetime):
        value = email.utils.format_datetime(value.astimezone(UTC), usegmt=True)
    return Reply(status, (("Retry-After", str(value)),), b"later")


def in_seconds(seconds: float) -> datetime:
    """The moment so many seconds from now, for ``retry_after``: a date has whole seconds, so it is rounded up."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds + 1)


# --- replies that are wrong in one way ------------------------------------------------------------------------------


def longer_than_body(body: bytes, declared: int | None = None, ending: Ending = Ending.SILENT_CLOSE) -> Reply:
    """Content-Length promises more than comes (``declared``, else ten bytes more); then the connection ends."""
    return Reply(body=body, declared=len(body) + 10 if declared is None else declared, ending=ending)


def without_last_chunk(body: bytes, size: int = 1000, ending: Ending = Ending.SILENT_CLOSE) -> Reply:
    """Chunked, and the end is missing."""
    return Reply(body=body, chunks=size, last_chunk=False, ending=ending)


def reset_after(body: bytes, sent: int) -> Reply:
    """A TCP reset after so many bytes of the body."""
    return Reply(body=body, cut=sent, ending=Ending.RESET)


def no_answer(ending: Ending = Ending.RESET) -> Reply:
    """The connection is reset, closed or left hanging before a byte of an answer."""
    return Reply(raw=b"", ending=ending)


def dripping(body: bytes, seconds: float = 1.0) -> Reply:
    """One byte of the body every so many seconds: each arrives in time, the whole never."""
    return Reply(body=body, pause=seconds)


def long_header(size: int = 65_536, body: bytes = b"ok") -> Reply:
    """One header of so many bytes."""
    return Reply(headers=(("X-Flood", "x" * size),), body=body)


def many_headers(count: int = 200, body: bytes = b"ok") -> Reply:
    """So many lines of headers."""
    return Reply(headers=tuple((f"X-Flood-{i}", "x") for i in range(count)), body=body)


def garbage(data: bytes = b"this is no HTTP\r\n\r\n") -> Reply:
    """Bytes that are no HTTP."""
    return Reply(raw=data, ending=Ending.SILENT_CLOSE)


def bomb(size: int, coding: Coding = "gzip") -> Reply:
    """A small body that becomes ``size`` zero bytes."""
    return compressed(bytes(size), coding, content_type="text/plain")


def failing_first(count: int, wrong: Reply, right: Reply) -> Sequence[Reply]:
    """``wrong`` so many times, then ``right``, for ``WebServer.on``."""
    return (*[wrong] * count, right)
