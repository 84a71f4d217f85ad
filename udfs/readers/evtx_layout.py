"""The layout of a damaged event log, and a view of it in which the parser finds every chunk.

The parser of the package ``evtx`` goes by the file header, by 65,536-byte steps from offset 4,096 and by each chunk's
header; where one of them is destroyed, it gives up events that are all there. ``mended`` surveys the file and returns
a stream with the same events in which headers and steps hold: headers are written anew, chunks are found by their
signature. Records are never moved inside their chunk, as they refer to names and templates by offset. A healthy file
is handed on as it is. Layout: libyal's documentation of the event log format.

The parser also follows each list of names and templates of a chunk to its end. A link that leads back makes it loop for
ever, where no signal reaches it; one that leads out of the chunk makes it give up all events of the chunk. Such links
are cut: what stands before them has been seen by then, and a name is found without its list.

What stays lost, as with every other reader: the events behind one whose length is destroyed, in a chunk whose header is
in order, and a last chunk that is cut off. The ledger names them.
"""

from __future__ import annotations

import io
import struct
import zlib
from typing import BinaryIO, NamedTuple

import numpy as np

from udfs.readers.evidence import Tally
from udfs.readers.evtx_whole import Letters, instructions, letters

CHUNK_BYTES = 65_536
FILE_HEADER = 4096
_CHUNK_HEADER = 512
_FILE_MAGIC, _CHUNK_MAGIC, _RECORD_MAGIC = b"ElfFile\0", b"ElfChnk\0", b"**\0\0"
_TABLES = struct.Struct("<96I")
"""The tables of a chunk: where the lists of names (64) and of templates (32) begin. An item begins with the next."""
_TABLES_AT = 128
_NAME_LISTS = 64
_RECORD_HEADER = struct.Struct("<IIQQ")
"""Signature, length, record number, FILETIME; the length stands once more at the record's end."""
_RECORD_BEGIN = struct.Struct("<II")
_LINK = struct.Struct("<I")
_LEAST = 28
_RECORD = 0x2A2A
_SEARCH = 1 << 20
_PART = 8192
"""Bytes of a chunk that are looked at first."""
_SILENT = "the events behind it in its chunk are not read"
_READ = "headers are destroyed; the events behind them are read"


class _Chunk(NamedTuple):
    """``length`` bytes at ``offset`` of the file that are a chunk; behind them the parser is to see zeros.

    ``broken``: its header is to be written anew; ``cut``: places of the links that are to be zero; ``letters``: bytes
    that are to be others (``evtx_whole``).
    """

    offset: int
    length: int
    broken: bool
    cut: tuple[int, ...] = ()
    letters: Letters = ()

    @property
    def whole(self) -> bool:
        """The parser can read it as it is."""
        return not self.broken and not self.cut and not self.letters and self.length == CHUNK_BYTES

    def read(self, raw: BinaryIO) -> bytes:
        """Its bytes as the parser is to see them."""
        data = _at(raw, self.offset, self.length)
        if not (self.broken or self.cut or self.letters):
            return data.ljust(CHUNK_BYTES, b"\0")
        made = bytearray(_rebuilt(data) if self.broken else data.ljust(CHUNK_BYTES, b"\0"))
        for link in self.cut:
            made[link : link + 4] = bytes(4)
        for place, letter in self.letters:
            made[place : place + len(letter)] = letter
        return bytes(made)


class Layout(NamedTuple):
    """``stream``: what the parser is to read; ``chunks``: offset in the file of each chunk of that stream.

    ``first_cut``: offset of the first chunk with a list that was cut.
    """

    stream: BinaryIO
    chunks: tuple[int, ...]
    first_cut: int | None = None


def mended(raw: BinaryIO, size: int, tally: Tally, data: bool) -> Layout:
    """``raw`` itself when its headers hold, else a view of it that reads as a healthy log of the same chunks.

    ``data``: event data are wanted: the view makes the parser hand on all of them (``evtx_whole``).

    Counts in ``tally`` (position = byte offset of the first): ``damaged-header`` (nothing is lost), ``damaged-chunk``
    (bytes between chunks), ``damaged-event`` (its chunk's events from there on are out of reach), ``truncated-chunk``,
    ``missing-chunk`` (the header counts more than the file has).
    """
    header = _at(raw, 0, 128)
    sound = header[:8] == _FILE_MAGIC
    if len(header) == 128 and zlib.crc32(header[:120]) == int.from_bytes(header[124:], "little"):
        # [MS-EVEN6] leaves the file open; libevtx: the number of chunks stands at 42, of a header whose checksum holds.
        there = -(-max(size - FILE_HEADER, 0) // CHUNK_BYTES)
        tally.add("missing-chunk", int.from_bytes(header[42:44], "little") - there, size)
    if sound and isinstance(raw, io.BytesIO) and (steps := _healthy(raw, tally, data)) is not None:
        return Layout(raw, steps)
    start = FILE_HEADER if sound else _first_chunk(raw)
    chunks = _survey(raw, start, size, tally, data) if start >= 0 else []
    offsets = tuple(chunk.offset for chunk in chunks)
    steps = tuple(range(FILE_HEADER, FILE_HEADER + CHUNK_BYTES * len(chunks), CHUNK_BYTES))
    whole = all(chunk.whole for chunk in chunks) and size <= FILE_HEADER + CHUNK_BYTES * len(chunks)
    if start < 0 or (sound and whole and offsets == steps):
        raw.seek(0)
        return Layout(raw, offsets)
    if not sound:
        tally.add("damaged-header", 1, 0, _READ)
    cut = next((chunk.offset for chunk in chunks if chunk.cut), None)
    return Layout(_View(raw, chunks, sound), offsets, cut)  # type: ignore[arg-type]


def _healthy(raw: io.BytesIO, tally: Tally, data: bool) -> tuple[int, ...] | None:
    """Where the chunks of a log that is held begin, none of which needs mending; None where one may.

    The survey of such a log without its copies: of a thousand logs of one chunk each it is most of what is done to one.
    """
    silent: list[int] = []
    left: list[tuple[int, int]] = []
    log = memoryview(raw.getvalue())  # no copy, as ``getbuffer`` makes one
    steps = tuple(range(FILE_HEADER, len(log), CHUNK_BYTES))
    for offset in steps:
        chunk = log[offset : offset + CHUNK_BYTES]
        if (
            len(chunk) < CHUNK_BYTES
            or chunk[:8] != _CHUNK_MAGIC
            or not _header_holds(chunk)
            or (places := _falling(chunk, CHUNK_BYTES - 8)) is None
        ):
            return None
        end = _chain(chunk)[0]
        if data:
            kept = _kept(chunk, end)
            if letters(chunk[:kept], places) or instructions(chunk[:kept]):
                return None
            if kept < CHUNK_BYTES and np.frombuffer(chunk[kept:], np.uint8).max():
                left.append((offset + kept, CHUNK_BYTES - kept))
        if end < int.from_bytes(chunk[48:52], "little"):
            if chunk[end : end + 4] != bytes(4) or _signature(bytes(chunk), 1) >= 0:
                return None
            silent.append(offset + end)
    for place in silent:
        tally.add("damaged-event", 1, place, _SILENT)
    for place, length in left:
        raw.seek(place)
        raw.write(bytes(length))
    raw.seek(0)
    return steps


def _at(raw: BinaryIO, offset: int, length: int) -> bytes:
    raw.seek(offset)
    return raw.read(length)


def _first_chunk(raw: BinaryIO) -> int:
    """Where chunks begin in a file without a header; -1 when there is none."""
    offset = 0
    while data := _at(raw, offset, _SEARCH + 64):
        found = _signature(data, 0)
        if found >= 0:
            first = offset + found
            while first >= CHUNK_BYTES and _at(raw, first - CHUNK_BYTES + _CHUNK_HEADER, 4) == _RECORD_MAGIC:
                first -= CHUNK_BYTES
            return first
        offset += _SEARCH
    return -1


def _signature(data: bytes, begin: int) -> int:
    """Offset of the next chunk header in ``data``; the same eight bytes inside an event are followed by others."""
    found = data.find(_CHUNK_MAGIC, begin)
    while found >= 0 and data[found + 40 : found + 44] != b"\x80\0\0\0":
        found = data.find(_CHUNK_MAGIC, found + 1)
    return found


def _survey(raw: BinaryIO, start: int, size: int, tally: Tally, all_data: bool) -> list[_Chunk]:
    """The chunks of the file in order."""
    chunks = []
    offset = start
    while offset < size:
        part = _at(raw, offset, _PART) if offset + CHUNK_BYTES <= size else b""
        if part and (found := _sound(part)) is not None:
            end, places = found
            kept = end if all_data else CHUNK_BYTES
            _tell_instructions(part[:kept], offset, tally, all_data)
            chunks.append(_Chunk(offset, kept, False, (), letters(part[:kept], places) if all_data else ()))
            offset += CHUNK_BYTES
            continue
        data = _at(raw, offset, CHUNK_BYTES)
        length, broken, end = CHUNK_BYTES, False, 0
        sound, inside = data.startswith(_CHUNK_MAGIC), -1
        if not sound:
            inside = _signature(data, 1)
        if sound:
            end, count = _chain(data)
            stated = int.from_bytes(data[48:52], "little")
            if len(data) < CHUNK_BYTES:
                tally.add("truncated-chunk", 1, offset, f"{count} events of it can be counted, none is read")
                break
            broken = not _header_holds(data)
            if end < stated:
                inside = _signature(data, 1)
                length = inside if inside > 0 else length
                if not broken and data[end : end + 4] == bytes(4):
                    # The parser takes zeros for the end of the chunk and says nothing.
                    tally.add("damaged-event", 1, offset + end, _SILENT)
        elif _RECORD_MAGIC in data and _records(data[:inside] if inside > 0 else data):
            broken, length = True, inside if inside > 0 else length
            tally.add("damaged-header", 1, offset, _READ)
        elif inside > 0:
            tally.add("damaged-chunk", 1, offset)
            offset += inside
            continue
        elif len(data) < CHUNK_BYTES and any(data):
            tally.add("truncated-chunk", 1, offset)
        elif offset == FILE_HEADER and not data.strip(b"\0"):
            # Room for later events is zeros, also where the file header counts it; the first chunk is there from the
            # beginning.
            tally.add("damaged-chunk", 1, offset, "it is all zeros")
        if len(data) == CHUNK_BYTES:
            chunks.append(_taken(data[:length], offset, broken, end, all_data))
            _tell_instructions(data[: chunks[-1].length], offset, tally, all_data)
        offset += length
    return chunks


def _tell_instructions(chunk: bytes, offset: int, tally: Tally, all_data: bool) -> None:
    """Count what the parser leaves out of event data, where these are wanted."""
    found = instructions(chunk) if all_data else []
    if found:
        tally.add("left-out-instruction", len(found), offset + found[0], "the parser does not hand them on")


def _taken(data: bytes, offset: int, broken: bool, end: int, all_data: bool) -> _Chunk:
    """A chunk that is handed to the parser; ``end``: where its chain of records ends."""
    places = None if broken else _falling(data, len(data) - 8)
    cut = () if broken or places is not None else _wrong_links(data)
    if not all_data:
        return _Chunk(offset, len(data), broken, cut)
    if broken or cut:
        whole = len(data) >= _CHUNK_HEADER
        return _Chunk(
            offset, len(data), broken, cut, letters(_rebuilt(data) if broken else data, None) if whole else ()
        )
    kept = _kept(data, end)
    return _Chunk(offset, kept, broken, cut, letters(data[:kept], places))


def _kept(chunk: bytes | memoryview, end: int) -> int:
    """How many bytes of a chunk the parser is to see whose records end at ``end``.

    What earlier records have left behind them is not shown: a forged log could have hidden event data there.
    """
    if end < int.from_bytes(chunk[48:52], "little") or max(_TABLES.unpack_from(chunk, _TABLES_AT)) > end - 8:
        return len(chunk)
    return end


def _sound(part: bytes) -> tuple[int, tuple[int, ...]] | None:
    """Where the records end and where the templates are of a chunk that needs no mending, all of whose records lie in
    its first bytes: of four events 4 KB are looked at, and not the 60 KB behind them. None for another chunk.
    """
    stated = int.from_bytes(part[48:52], "little")
    if part.startswith(_CHUNK_MAGIC) and stated <= len(part) and _header_holds(part):
        end = _chain(part)[0]
        if end >= stated and (places := _falling(part, end - 8)) is not None:
            return end, places
    return None


def _chain(data: bytes | memoryview) -> tuple[int, int]:
    """Where the chain of records ends that begins behind the header, and how many it has; those that lie where the
    header says that there are none are left from earlier use."""
    at, count, size, begin = _CHUNK_HEADER, 0, len(data), _RECORD_BEGIN.unpack_from
    stated = int.from_bytes(data[48:52], "little")
    while at < stated and at + _LEAST <= size:
        magic, length = begin(data, at)
        if magic != _RECORD or length < _LEAST or at + length > size:
            break
        at += length
        count += 1
    return at, count


def _header_holds(data: bytes | memoryview) -> bool:
    """Whether a chunk header can be trusted: its checksum is right, or it has none."""
    flags, stated = struct.unpack_from("<II", data, 120)
    if flags & 4:
        return True
    return zlib.crc32(data[128:_CHUNK_HEADER], zlib.crc32(data[:120])) == int(stated)


def _wrong_links(chunk: bytes) -> tuple[int, ...]:
    """Places of the links that lead out of the chunk or back to a name or template of their own list."""
    if not chunk.startswith(_CHUNK_MAGIC) or len(chunk) < _TABLES_AT + _TABLES.size:
        return ()
    found = []
    last = len(chunk) - 8
    if _falling(chunk, last) is not None:
        return ()
    for nth, first in enumerate(_TABLES.unpack_from(chunk, _TABLES_AT)):
        seen: set[int] = set()
        at, link = first, _TABLES_AT + 4 * nth
        while at:
            if at > last or at in seen:
                found.append(link)
                break
            seen.add(at)
            link, at = at, int.from_bytes(chunk[at : at + 4], "little")
    return tuple(found)


def _falling(chunk: bytes | memoryview, last: int) -> tuple[int, ...] | None:
    """Where the templates are, if all links lead to an earlier place, as the system writes them: then none leads back
    or out. None where one does not.
    """
    if len(chunk) < _TABLES_AT + _TABLES.size:  # 162 bytes of a chunk at the end of a cut file
        return None
    link = _LINK.unpack_from
    heads = _TABLES.unpack_from(chunk, _TABLES_AT)
    for at in filter(None, heads[:_NAME_LISTS]):
        if at > last:
            return None
        while at:
            (behind,) = link(chunk, at)
            if behind >= at:
                return None
            at = behind
    templates = []
    for at in filter(None, heads[_NAME_LISTS:]):
        if at > last:
            return None
        while at:
            templates.append(at)
            (behind,) = link(chunk, at)
            if behind >= at:
                return None
            at = behind
    return tuple(templates)


def _records(data: bytes) -> list[tuple[int, int, int]]:
    """(offset, end, record number) of all whole records.

    The chain from the first one on is taken as it is; behind a gap numbers must rise: lower ones are left from earlier
    use of the chunk.
    """
    found: list[tuple[int, int, int]] = []
    stated = int.from_bytes(data[48:52], "little")
    at, last, behind = _CHUNK_HEADER, -1, _CHUNK_HEADER
    while (at := data.find(_RECORD_MAGIC, at)) >= 0 and at + _LEAST <= len(data):
        _, length, number, _ = _RECORD_HEADER.unpack_from(data, at)
        end = at + length
        whole = length >= _LEAST and end <= len(data) and (number > last or (at == behind and end <= stated))
        # Published logs hold a record whose second length is wrong while the next one follows on it.
        if whole and (data[end - 4 : end] == length.to_bytes(4, "little") or (at == behind and end == stated)):
            found.append((at, end, number))
            at = behind = end
            last = number
        else:
            at += 4
    return found


def _rebuilt(data: bytes) -> bytes:
    """A chunk with a new header for the records found in it.

    What lies between records becomes a record the parser refuses, so that it is counted, or the tail of the one before.
    """
    records = _records(data)
    made = bytearray(data.ljust(CHUNK_BYTES, b"\0"))
    at, before = _CHUNK_HEADER, -1
    for begin, end, _ in records:
        gap = begin - at
        if gap >= _LEAST:
            made[at:begin] = _RECORD_HEADER.pack(_RECORD, gap, 0, 0).ljust(gap - 4, b"\xff") + gap.to_bytes(4, "little")
        elif gap and before >= 0:
            made[before + 4 : before + 8] = (begin - before).to_bytes(4, "little")
        at, before = end, begin
    first, last = (records[0][2], records[-1][2]) if records else (0, 0)
    fields = struct.pack("<QQQQIIII", first, last, first, last, 128, max(before, 0), at, 0)
    made[:128] = (_CHUNK_MAGIC + fields).ljust(128, b"\0")
    # The tables of strings and templates only speed the parser up; it reads both where records refer to them.
    made[128:_CHUNK_HEADER] = bytes(_CHUNK_HEADER - 128)
    return bytes(made)


class _View(io.RawIOBase):
    """A healthy log of the given chunks: a file header, then every chunk at its step, one held at a time."""

    def __init__(self, raw: BinaryIO, chunks: list[_Chunk], sound: bool) -> None:
        self._raw = raw
        self._chunks = chunks
        self._position = 0
        self._held = -1
        self._data = b""
        fields = struct.pack("<QQQIHHHH", 0, max(len(chunks) - 1, 0), 0, 128, 1, 3, FILE_HEADER, len(chunks) & 0xFFFF)
        head = (_FILE_MAGIC + fields).ljust(120, b"\0")
        head += struct.pack("<II", 0, zlib.crc32(head))
        self._header = _at(raw, 0, FILE_HEADER) if sound else head.ljust(FILE_HEADER, b"\0")

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """As for a file."""
        base = (0, self._position, FILE_HEADER + CHUNK_BYTES * len(self._chunks))[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        """As for a file."""
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes; less only at the end."""
        parts: list[bytes] = []
        while size:
            piece = self._piece()
            piece = piece[:size] if size > 0 else piece
            if not piece:
                break
            self._position += len(piece)
            if len(piece) == size:
                return b"".join([*parts, piece]) if parts else piece
            parts.append(piece)
            size -= len(piece) if size > 0 else 0
        return b"".join(parts)

    def _piece(self) -> bytes:
        """What lies at the position, up to the end of the header or chunk."""
        if self._position < FILE_HEADER:
            return self._header[self._position :]
        number, within = divmod(self._position - FILE_HEADER, CHUNK_BYTES)
        if number >= len(self._chunks):
            return b""
        if number != self._held:
            self._held, self._data = number, self._chunks[number].read(self._raw)
        return self._data[within:]
