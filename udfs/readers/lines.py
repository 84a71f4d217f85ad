"""Byte chunks to Arrow arrays of text lines, without a Python loop over lines.

A chunk is cut at its last line feed, its newlines are found by numpy, removed in one pass, and the rest becomes an
Arrow string array by its offsets alone. LF and CR LF end a line, a lone CR does not, but in a file that has no other
line ends (:func:`with_line_feeds`); an empty line is an empty string; the last line needs no newline. Bytes that the
charset does not know become U+FFFD: the row stays, and the ledger gets ``invalid-<charset>`` with the
number of such lines and the first one's number.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from udfs import charsetguess
from udfs.readers.base import Line, ReadContext, ReaderError

MAX_LINE = 64 << 20
"""Bytes after which a line without newline is handed on in pieces (ledger: ``line-cut``)."""

_FIRST_CHUNK = 1 << 20
_LARGEST_CHUNK = 16 << 20
_AIM_ROWS = 98_304
_REPLACEMENT = "�".encode()
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape"})
"""Python's codecs for text inside other text: no charset of a file, and two of them cannot replace what they refuse."""


class ByteSource(Protocol):
    """What this module needs of ``sources.Source``."""

    name: str

    def read(self, size: int = ...) -> bytes: ...


@dataclass(frozen=True)
class Lines:
    """Consecutive lines: ``array`` (string) and the position of the first of them (0-based line number)."""

    array: pa.Array
    first: int


@dataclass
class Reached:
    """How many lines were handed on so far. What makes lines of the chunks says it for nothing; else the chunks are
    counted as they pass."""

    lines: int = 0
    _feeds: bool = False

    def at(self, chunk: bytes | str, place: int) -> Line:
        """The number of the line in which this place of the next chunk lies."""
        if isinstance(chunk, str):
            return Line(self.lines + 1 + chunk.count("\n" if self._feeds or "\n" in chunk else "\r", 0, place))
        return Line(self.lines + 1 + chunk.count(b"\n" if self._feeds or b"\n" in chunk else b"\r", 0, place))

    def passed(self, chunk: bytes) -> None:
        """These bytes were handed on. Lone CR ends lines where no LF has come (:func:`with_line_feeds`)."""
        ends = int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == 10))
        self._feeds = self._feeds or ends > 0
        self.lines += ends if self._feeds else chunk.count(b"\r")


def codec_name(charset: str) -> str:
    """Python's name of an IANA charset name, any case. ReaderError ``unknown-charset``.

    EUC-KR files from Windows hold the CP949 extension, which is a superset: it is read in EUC-KR's place.
    """
    try:
        name = codecs.lookup(charset.strip()).name
        if name in _NO_CHARSETS:
            raise LookupError
        "".encode(name)
    except (LookupError, ValueError):
        raise ReaderError("unknown charset: {charset}", charset, "unknown-charset", charset=charset) from None
    return "cp949" if name == "euc_kr" else name


def read_lines(source: ByteSource, charset: str, context: ReadContext) -> Iterator[Lines]:
    """The lines of a source in arrays of up to about 100,000 lines or 16 MB."""
    reached = Reached()
    yield from lines_of(text_chunks(source, charset, context, reached), source.name, context, reached)


def text_chunks(
    source: ByteSource, charset: str, context: ReadContext, reached: Reached | None = None
) -> Iterator[bytes]:
    """Valid UTF-8 chunks of the source whose lines end in LF or CR LF."""
    return with_line_feeds(without_marks(utf8_chunks(source, codec_name(charset), context, reached)))


_MARK = codecs.BOM_UTF8


def without_marks(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks without byte order marks at the beginning of a line: files that were put behind each other have them.

    The first cell, word or object of such a line was another one than it looks.
    """
    begun = True
    for chunk in chunks:
        data = chunk
        if _MARK in data:
            data = data[len(_MARK) :] if begun and data.startswith(_MARK) else data
            data = data.replace(b"\n" + _MARK, b"\n").replace(b"\r" + _MARK, b"\r")
        if data:
            begun = data.endswith((b"\n", b"\r"))
            yield data


def lines_of(
    chunks: Iterator[bytes], name: str, context: ReadContext, reached: Reached | None = None
) -> Iterator[Lines]:
    """The lines of such chunks."""
    reached = Reached() if reached is None else reached
    first = 0
    for data in whole_lines(chunks, name, context, reached):
        array = split(data)
        reached.lines = first + len(array)
        yield Lines(array, first)
        first = reached.lines


_HEAD = 64 << 10
#: Bytes of a line on each side of a bad one by which its charset is guessed.
_LINE = 4096
"""Bytes that tell how the lines of a file end."""
_QUOTED_CELL = re.compile(rb'"[^"]*"')


def with_line_feeds(chunks: Iterator[bytes], quoted: bool = False) -> Iterator[bytes]:
    """The chunks; where lines end in lone CR (Excel for Macintosh), every CR and CR LF as LF.

    The first 64 KB tell. Without ``quoted`` they hold CR and no LF: a CR among lines that end in LF is text (a progress
    bar). With it (CSV), they hold more lone CR than LF outside quotes.
    """
    head = next(chunks, b"")
    while (quoted or b"\n" not in head) and len(head) < _HEAD and (more := next(chunks, b"")):
        head += more
    if not _ends_with_cr(head[:_HEAD], quoted):
        yield from _chain(head, chunks)
        return
    held = b""
    for chunk in _chain(head, chunks):
        data, held = held + chunk, b""
        if data.endswith(b"\r"):  # its LF may follow
            data, held = data[:-1], b"\r"
        if data:
            yield data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if held:
        yield b"\n"


def _ends_with_cr(head: bytes, quoted: bool) -> bool:
    if b"\r" not in head or not quoted:
        return b"\r" in head and b"\n" not in head
    if head.count(b"\r") == head.count(b"\r\n"):
        return False
    bare = _QUOTED_CELL.sub(b"", head)
    return bare.count(b"\r") - bare.count(b"\r\n") > bare.count(b"\n")


def split(data: bytes) -> pa.Array:
    """Arrow string array of the lines in valid UTF-8 ``data``; every line but the last must end in LF."""
    if b"\r" in data:  # one byte is found by memchr, far faster than the pair
        data = data.replace(b"\r\n", b"\n")
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    count = len(ends)
    open_end = not data.endswith(b"\n") and len(data) > 0
    offsets = np.empty(count + 1 + open_end, np.int32)
    offsets[0] = 0
    # Line i lost i newlines before its own: its end moves left by i.
    np.subtract(ends, np.arange(count), out=offsets[1 : count + 1], casting="unsafe")
    packed = data.replace(b"\n", b"")
    if open_end:
        offsets[-1] = len(packed)
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(packed))


def whole_lines(
    chunks: Iterator[bytes], name: str, context: ReadContext, reached: Reached | None = None
) -> Iterator[bytes]:
    """Regroups UTF-8 chunks so that each ends with LF, except the last."""
    held: list[bytes] = []
    size = position = 0
    for chunk in chunks:
        cut = chunk.rfind(b"\n") + 1
        if cut:
            held.append(chunk[:cut])
            data = held[0] if len(held) == 1 else b"".join(held)
            # The CR of a CR LF pair may stand at the end of an earlier chunk: join before looking for pairs.
            yield data
            position += len(data)
            held, size = [], 0
        if cut < len(chunk):
            held.append(chunk[cut:])
            size += len(chunk) - cut
        if size > MAX_LINE:
            data = b"".join(held)
            keep = _incomplete_tail(data)
            place = position if reached is None else Line(reached.lines + 1)
            context.loss.lost(name, "line-cut", 1, place, "a line longer than 64 MB became several rows")
            yield data[: len(data) - keep] + b"\n"
            position += len(data) - keep
            held, size = ([data[-keep:]], keep) if keep else ([], 0)
    if held:
        yield b"".join(held)


def _incomplete_tail(data: bytes) -> int:
    """How many last bytes belong to an unfinished UTF-8 character (or a CR whose LF may follow)."""
    if data.endswith(b"\r"):
        return 1
    for back in range(1, min(len(data), 3) + 1):
        byte = data[-back]
        if byte >= 0xC0:
            return back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
        if byte < 0x80:
            return 0
    return 0


def _raw_chunks(source: ByteSource) -> Iterator[bytes]:
    """Chunks that grow until they hold about 100,000 lines, so that short queries start fast and long ones run fast."""
    size = _FIRST_CHUNK
    while True:
        chunk = source.read(size)
        if not chunk:
            return
        yield chunk
        if size < _LARGEST_CHUNK:
            lines = chunk.count(b"\n") + 1
            size = min(max(_AIM_ROWS * len(chunk) // lines, _FIRST_CHUNK), size * 4, _LARGEST_CHUNK)


def utf8_chunks(
    source: ByteSource, codec: str, context: ReadContext, reached: Reached | None = None
) -> Iterator[bytes]:
    """Valid UTF-8 chunks of the source, whatever its charset; a byte order mark is no text. ``reached``: kept by what
    makes lines of the chunks; None: the lines are counted here."""
    chunks = _raw_chunks(source)
    head = next(chunks, b"")
    while 0 < len(head) < 4 and not _surely_text(head) and (more := next(chunks, b"")):
        head += more
    codec, mark = sniffed(head, codec)
    head = head[mark:]
    known = reached or Reached()
    if codec == "utf-8":
        valid = _checked(head, chunks, source.name, context, known)
    else:
        valid = _transcoded(head, chunks, codec, source.name, context, known)
    if reached is not None:
        yield from valid
        return
    for chunk in valid:
        yield chunk
        known.passed(chunk)


def _surely_text(head: bytes) -> bool:
    """Whether a short beginning is a line of ASCII, which no mark begins: who types ``1`` waits for its row."""
    return head.endswith(b"\n") and head.isascii() and b"\0" not in head


#: Byte order marks, longest first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def sniffed(head: bytes, codec: str) -> tuple[str, int]:
    """The codec the first bytes prove, and the length of their mark, which is no text.

    A mark tells which Unicode it is, also where another was named; other charsets are what the query says. Without one
    UTF-16 and 32 are told by their zeros.
    """
    if codec in ("utf-8-sig", "ascii"):
        codec = "utf-8"
    if not codec.startswith("utf-"):
        return codec, 0
    for mark, marked in _MARKS:
        if head.startswith(mark):
            return marked, len(mark)
    if codec == "utf-16":
        # ASCII characters have their zero byte first in big endian, second in little endian.
        even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
        return "utf-16-be" if even > odd else "utf-16-le", 0
    if codec == "utf-32":
        # The highest byte of a character is always zero, the lowest one hardly ever.
        return "utf-32-be" if head[0:4096:4].count(0) > head[3:4096:4].count(0) else "utf-32-le", 0
    return codec, 0


def _checked(
    head: bytes, chunks: Iterator[bytes], name: str, context: ReadContext, reached: Reached
) -> Iterator[bytes]:
    """UTF-8 as it is; only chunks with invalid bytes are rewritten."""
    tail = b""
    for chunk in _chain(head, chunks):
        data, tail = tail + chunk, b""
        if data.isascii():
            yield data
        else:
            keep = _incomplete_tail(data)
            if keep and not data.endswith(b"\r"):
                data, tail = data[:-keep], data[-keep:]
            if data:
                yield repaired(data, name, context, reached, True)
    if tail:
        yield repaired(tail, name, context, reached, True)


def repaired(data: bytes, name: str, context: ReadContext, reached: Reached, charsets: bool = False) -> bytes:
    """``data`` with every invalid sequence replaced by U+FFFD, the lines concerned counted in the ledger.

    ``charsets``: the reader takes another one, so that the ledger names the one that reads the first of them.
    """
    parts: list[bytes] = []
    starts: list[int] = []
    begin = 0
    while True:
        try:
            codecs.utf_8_decode(memoryview(data)[begin:], "strict", True)
        except UnicodeDecodeError as problem:
            starts.append(begin + problem.start)
            parts += (data[begin : begin + problem.start], _REPLACEMENT)
            begin += problem.end
            continue
        break
    if not starts:
        return data
    # Where lines end in lone CR, that is still to become LF.
    newlines = np.flatnonzero(np.frombuffer(data, np.uint8) == (10 if b"\n" in data else 13))
    lines = len(np.unique(np.searchsorted(newlines, starts)))
    excerpt = data[max(starts[0] - 20, 0) : starts[0] + 20].decode("utf-8", "replace")
    if charsets:
        left = max(data.rfind(b"\n", 0, starts[0]) + 1, starts[0] - _LINE)
        stop = data.find(b"\n", starts[0], starts[0] + _LINE)
        excerpt = charsetguess.excerpt(data[left : stop if stop >= 0 else starts[0] + _LINE], excerpt)
    context.loss.lost(name, "invalid-utf-8", lines, reached.at(data, starts[0]), excerpt)
    parts.append(data[begin:])
    return b"".join(parts)


def _transcoded(
    head: bytes, chunks: Iterator[bytes], codec: str, name: str, context: ReadContext, reached: Reached
) -> Iterator[bytes]:
    """Any charset Python knows, as UTF-8."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    for chunk in _chain(head, chunks):
        state = decoder.getstate()
        try:
            text = decoder.decode(chunk)
        except UnicodeError:
            text, state = _replaced(chunk, codec, state)
            _note(text, codec, name, context, reached)
            decoder = codecs.getincrementaldecoder(codec)("strict")
            decoder.setstate(state)
        if text:
            # A lone surrogate that UTF-16 data may hold has no UTF-8 form.
            yield text.encode("utf-8", "replace")
    rest = decoder.getstate()[0]
    if rest:
        context.loss.lost(name, f"invalid-{codec}", 1, reached.at("", 0), "the last character is incomplete")
        yield _REPLACEMENT


def _replaced(chunk: bytes, codec: str, state: tuple[bytes, int]) -> tuple[str, tuple[bytes, int]]:
    """The text of a chunk with U+FFFD for what the charset does not know, and the decoder's state behind it."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    start = decoder.getstate()
    decoder.setstate(state)
    try:
        return decoder.decode(chunk), decoder.getstate()
    except UnicodeError:
        # "pending buffer overflow": the decoders of ISO 2022 keep eight bytes of an escape sequence that never ends.
        return (state[0] + chunk).decode(codec, "replace"), start


def _note(text: str, codec: str, name: str, context: ReadContext, reached: Reached) -> None:
    lines = sum("�" in line for line in text.split("\n"))
    at = text.find("�")
    context.loss.lost(name, f"invalid-{codec}", lines, reached.at(text, at), text[max(at - 20, 0) : at + 20])


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest
