"""Bodies of answers, unpacked while they arrive: whole or not, and never larger than allowed.

No client library tells a packed body that was cut from one that is whole when Content-Length is that of the piece; here
the decoder's own end mark is asked for. What a small piece unpacks to is bounded at every step (bombs).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol, cast

from logsql.loading import at

#: Bytes that one step of a decoder may give, and of zstd take: a block of four bytes becomes 128 KB there.
_STEP = 1 << 18
_SIP = 256
#: Codings one over the other that are unpacked: a header of 64 KB names ten thousand, each with a decoder of its own.
_DEEPEST = 5
#: Window of zstd that is asked for in HTTP at most (RFC 9659).
_WINDOW = 1 << 23


class Broken(Exception):
    """A body that is not whole or not readable: ``word`` of the table of errors."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Decoder(Protocol):
    """One coding, piece by piece."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a piece unpacks to, in steps. Raises Broken."""

    @property
    def whole(self) -> bool:
        """Whether the end mark has come."""


class Zlib:
    """gzip (several members too) and deflate, the latter also without the frame that it should have (RFC 9110)."""

    def __init__(self, gzip: bool) -> None:
        self._gzip = gzip
        self._inner = zlib.decompressobj(31) if gzip else None
        self._first = b""

    @property
    def whole(self) -> bool:
        """Whether the end mark has come."""
        return self._inner is not None and self._inner.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a piece unpacks to."""
        if self._inner is None:
            self._first += data
            if len(self._first) < 2:
                return
            framed = self._first[0] & 15 == 8 and int.from_bytes(self._first[:2], "big") % 31 == 0
            self._inner, data = zlib.decompressobj(15 if framed else -15), self._first
        try:
            while data:
                if self._inner.eof:
                    if not (self._gzip and data.startswith(b"\x1f")):
                        return  # what follows the end is padding
                    self._inner = zlib.decompressobj(31)
                yield self._inner.decompress(data, _STEP)
                data = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
            if not self._inner.eof:
                yield self._inner.decompress(b"")
        except zlib.error:
            raise Broken("decode-failed") from None


class _BrotliLibrary(Protocol):
    def process(self, data: bytes, output_buffer_limit: int = ...) -> bytes: ...
    def can_accept_more_data(self) -> bool: ...
    def is_finished(self) -> bool: ...


class Brotli:
    """br."""

    def __init__(self) -> None:
        self._inner = cast("type[_BrotliLibrary]", at("brotli:Decompressor"))()
        self._error = cast("type[Exception]", at("brotli:error"))

    @property
    def whole(self) -> bool:
        """Whether the end mark has come."""
        return self._inner.is_finished()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a piece unpacks to."""
        try:
            yield self._inner.process(data, output_buffer_limit=_STEP)
            while not self._inner.can_accept_more_data():
                yield self._inner.process(b"", output_buffer_limit=_STEP)
        except self._error:
            raise Broken("decode-failed") from None


class _ZstdObject(Protocol):
    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes) -> bytes: ...


class _ZstdLibrary(Protocol):
    def __init__(self, *, max_window_size: int) -> None: ...
    def decompressobj(self) -> _ZstdObject: ...


class Zstd:
    """zstd, several frames too."""

    def __init__(self) -> None:
        self._library = cast("type[_ZstdLibrary]", at("zstandard:ZstdDecompressor"))(max_window_size=_WINDOW)
        self._error = cast("type[Exception]", at("zstandard:ZstdError"))
        self._inner = self._library.decompressobj()

    @property
    def whole(self) -> bool:
        """Whether the end mark has come."""
        return self._inner.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What a piece unpacks to."""
        try:
            for start in range(0, len(data), _SIP):
                rest = data[start : start + _SIP]
                while rest:
                    if self._inner.eof:
                        self._inner = self._library.decompressobj()
                    yield self._inner.decompress(rest)
                    rest = self._inner.unused_data if self._inner.eof else b""
        except self._error:
            raise Broken("decode-failed") from None


def decoders(codings: str) -> list[Decoder]:
    """The decoders of a Content-Encoding, the last coding first. Raises Broken for one that was not asked for."""
    made: list[Decoder] = []
    for name in reversed([one.strip().lower() for one in codings.split(",")]):
        if len(made) == _DEEPEST:
            raise Broken("decode-failed")
        if name in ("gzip", "x-gzip"):
            made.append(Zlib(gzip=True))
        elif name == "deflate":
            made.append(Zlib(gzip=False))
        elif name in _OPTIONAL and name in accepted():
            made.append(_OPTIONAL[name]())
        elif name not in ("", "identity"):
            raise Broken("decode-failed")
    return made


_OPTIONAL: dict[str, type[Brotli] | type[Zstd]] = {"br": Brotli, "zstd": Zstd}


def accepted() -> tuple[str, ...]:
    """The codings that can be read here: br and zstd where their packages are installed."""
    from importlib.util import find_spec  # for cost: two look-ups, of a session that sends requests

    packages = (("br", "brotli"), ("zstd", "zstandard"))
    return ("gzip", "deflate", *(name for name, package in packages if find_spec(package) is not None))


class Body:
    """One body as it comes in. ``most``: decoded bytes that it may have."""

    def __init__(self, codings: str, most: int) -> None:
        self._decoders = decoders(codings)
        self._most = most
        self._pieces: list[bytes] = []
        self._size = 0
        self._empty = True

    def add(self, data: bytes) -> None:
        """A piece as it arrived. Raises Broken: ``exceeds-max-size``, ``decode-failed``."""
        self._empty = self._empty and not data
        for piece in _through(self._decoders, data):
            self._size += len(piece)
            if self._size > self._most:
                raise Broken("exceeds-max-size")
            self._pieces.append(piece)

    def end(self) -> bytes:
        """The whole body. Raises Broken, ``truncated``, where a decoder has not met its end mark."""
        if not self._empty and not all(decoder.whole for decoder in self._decoders):
            raise Broken("truncated")
        return b"".join(self._pieces)


def _through(decoders: Sequence[Decoder], data: bytes) -> Iterator[bytes]:
    if not decoders:
        yield data
        return
    for piece in decoders[0].feed(data):
        if piece:
            yield from _through(decoders[1:], piece)
