"""Bytes of a source: plain files, gzip and zstd streams, members of ZIP archives.

``open_source`` gives a forward stream that decompresses by itself; ``open_random`` gives a seekable file for formats
that jump (registry hives, $MFT), spooling archive members. A damaged compressed stream ends where it broke: every byte
before the damage is delivered and the rest is one entry in the ledger (``truncated-gzip``, ``damaged-gzip``,
``damaged-zstd``, ``damaged-zip-entry``), never an exception halfway through the rows.
"""

from __future__ import annotations

import errno
import shutil
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, Protocol, TypeVar, cast

import pyarrow as pa

from udfs.readers.base import (
    ReadContext,
    ReaderError,
    check_cancelled,
    os_error,
)
from udfs.readers.files import archive as archive_in
from udfs.readers.files import extent, known_archive, readable
from udfs.readers.patterns import entry_test, in_natural_order

if TYPE_CHECKING:
    import zipfile

CHUNK = 1 << 20
_SPOOL_IN_MEMORY = 64 << 20
_DIRECTORIES = 4
"""Directories of archives that are remembered."""
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
STREAMS = (_GZIP_MAGIC, _ZSTD_MAGIC)


class Source:
    """A forward byte stream with a name for the ledger; ``read`` polls cancellation and advances the progress."""

    def __init__(self, name: str, raw: IO[bytes], total: int, context: ReadContext) -> None:
        self.name = name
        self.offset = 0
        """Bytes delivered so far, after decompression."""
        self._raw = raw
        self._total = total
        self._taken = 0
        self._context = context

    def read(self, size: int = CHUNK) -> bytes:
        """Up to ``size`` bytes; ``b""`` only at the end."""
        data = self._take(size)
        self.offset += len(data)
        return data

    def _take(self, size: int) -> bytes:
        check_cancelled(self._context)
        try:
            data = self._raw.read(size)
        except OSError as problem:
            raise os_error(problem, self.name) from problem
        self._taken += len(data)
        self._context.progress.advance(self.name, self._taken, self._total)
        return data

    def close(self) -> None:
        """Close the file below."""
        self._raw.close()

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Gzip(Source):
    """Members one after another, as ``cat a.gz b.gz`` makes them; zero padding behind the last one is no damage."""

    def __init__(self, name: str, raw: IO[bytes], total: int, context: ReadContext) -> None:
        super().__init__(name, raw, total, context)
        self._inflate = zlib.decompressobj(31)
        self._pending = b""
        self._fresh = True
        self._ended = False

    def read(self, size: int = CHUNK) -> bytes:
        while not self._ended:
            if not self._pending:
                self._pending = self._take(CHUNK >> 2)
                if not self._pending:
                    self._end(None if self._fresh else "truncated-gzip")
                    break
            if self._fresh:
                self._pending = self._pending.lstrip(b"\0") if self.offset else self._pending
                if not self._pending:
                    continue
            self._fresh = False
            try:
                data: bytes = self._inflate.decompress(self._pending, size)
            except zlib.error as problem:
                self._end("damaged-gzip", str(problem))
                break
            self._pending = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self._pending = self._inflate.unused_data
                self._inflate = zlib.decompressobj(31)
                self._fresh = True
            if data:
                if not self.offset and data.startswith((_GZIP_MAGIC, _ZSTD_MAGIC)):
                    self._context.loss.lost(self.name, "packed-twice", 1)
                self.offset += len(data)
                return data
        return b""

    def _end(self, reason: str | None, sample: str | None = None) -> None:
        self._ended = True
        if reason is not None:
            self._context.loss.lost(self.name, reason, 1, self.offset, sample)


class _Zstd(Source):
    """zstd through Arrow's codec; frames may follow one another."""

    def __init__(self, name: str, raw: IO[bytes], total: int, context: ReadContext) -> None:
        super().__init__(name, raw, total, context)
        self._stream: pa.CompressedInputStream | None = self._start()
        self._step = CHUNK
        self._ended = False

    def _start(self) -> pa.CompressedInputStream:
        return pa.CompressedInputStream(pa.PythonFile(_Counted(self), mode="r"), "zstd")

    def read(self, size: int = CHUNK) -> bytes:
        while not self._ended:
            try:
                data: bytes = self._decoded(min(size, self._step))
            except OSError as problem:
                # The codec throws away what it had decoded for this call: go back and ask for less at a time.
                if self._step == 1 or not self._raw.seekable():
                    self._ended = True
                    self._context.loss.lost(self.name, "damaged-zstd", 1, self.offset, str(problem))
                    break
                self._step = max(self._step >> 5, 1)
                self._rewind()
                continue
            self.offset += len(data)
            return data
        return b""

    def _decoded(self, size: int) -> bytes:
        # Not ``read``: Arrow loses the memory it has set aside for a call of it that fails.
        stream = self._stream
        assert stream is not None, "read behind the close"
        return bytes(stream.read_buffer(size).to_pybytes())

    def _rewind(self) -> None:
        self._raw.seek(0)
        self._stream = self._start()
        left = self.offset
        while left > 0:
            left -= len(self._decoded(min(left, CHUNK)))

    def close(self) -> None:
        # Arrow's stream holds this object and is held by it where Python's collector cannot see: 1.3 MB a file stayed.
        self._stream = None
        super().close()


class _Counted:
    """The compressed file as Arrow reads it."""

    closed = False

    def __init__(self, source: Source) -> None:
        self._source = source

    def read(self, size: int = -1) -> bytes:
        return self._source._take(size)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        return None


@dataclass(frozen=True)
class Member:
    """An entry of a ZIP archive; ``charset`` decodes entry names that are not marked UTF-8 (option ``zipcharset``)."""

    zip_path: str
    entry: str
    charset: str | None = None

    @property
    def name(self) -> str:
        """How the ledger calls it."""
        return f"{self.zip_path}!{self.entry}"


def open_source(path: str | Member, context: ReadContext) -> Source:
    """Forward stream of a file or archive member, decompressed when the name or the first bytes say gzip or zstd.

    The first bytes decide; a ``.gz`` that holds no gzip stream is read as it is and noted as ``not-gzip``.
    """
    if isinstance(path, Member):
        return open_member(path, context)
    raw, magic = _opened(path, context)
    size, end = extent(raw)
    if end is not None:
        told = f"read as far as byte {end}: a writer was ended, or is at work, behind it"
        context.loss.lost(path, "unfinished-append", 0, end, told)
    return _decompressing(path, raw, size, magic, context)


def _opened(path: str, context: ReadContext) -> tuple[BinaryIO, bytes]:
    """A file at its beginning, and its first four bytes."""
    raw = context.files.open(path)
    try:
        magic = raw.read(4)
        raw.seek(0)
    except OSError as problem:
        raw.close()
        raise os_error(problem, path) from problem
    return raw, magic


def _decompressing(name: str, raw: IO[bytes], total: int, magic: bytes, context: ReadContext) -> Source:
    if magic.startswith(_GZIP_MAGIC):
        return _Gzip(name, raw, total, context)
    if magic.startswith(_ZSTD_MAGIC) or (len(magic) == 4 and _is_skippable_frame(magic) and name.endswith(".zst")):
        return _Zstd(name, raw, total, context)
    if magic and name.lower().endswith((".gz", ".zst")):
        reason = "not-gzip" if name.lower().endswith(".gz") else "not-zstd"
        context.loss.lost(name, reason, 0, 0, "read as it is")
    packing = _packing(magic)
    if packing is not None:
        context.loss.lost(name, "packed-input", 0, 0, packing)
    return Source(name, raw, total, context)


#: First bytes of packings that are not unpacked on the way, and what unpacks them.
_PACKED = {
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"\xfd7zXZ\x00": ("xz", "xz -dc"),
    b"PK\x03\x04": ("ZIP", "zipfile"),
    b"7z\xbc\xaf": ("7z", "7z e -so"),
}


def _packing(magic: bytes) -> str | None:
    """What packed a file, by its first four bytes; a text may begin with ``BZh``, but not with a digit behind it."""
    if magic.startswith(b"BZh") and not magic[3:].isdigit():
        return None
    return next((packing for head, (packing, _) in _PACKED.items() if magic.startswith(head[:4])), None)


class Stream(Protocol):
    """A stream that cannot go back; ``read`` gives what is there, ``b""`` only at the end."""

    name: str

    def read(self, size: int = CHUNK) -> bytes: ...


class _Begun:
    """A stream whose first bytes were looked at, as a file below a source."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = CHUNK) -> bytes:
        if not self._head:
            return self._stream.read(size)
        data, self._head = self._head[:size], self._head[size:]
        return data

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        return None


def _packed(name: str, packing: str, tool: str) -> ReaderError:
    if tool == "zipfile":
        return ReaderError("{path} is a ZIP archive: save it, and read the file with zipfile", name, "packed-input")
    said = "{path} is packed with {packing}: unpack it on the way ({tool}), or save it"
    return ReaderError(said, name, "packed-input", packing=packing, tool=tool)


def unpacked(stream: Stream, context: ReadContext) -> Source:
    """A stream, decompressed when its first bytes say gzip or zstd. ReaderError ``packed-input`` for other packings.

    No more is waited for than the first bytes need: one that types into the stream sees the rows of a line at once.
    """
    head = stream.read()
    while head and len(head) < 6 and any(magic.startswith(head) for magic in (_GZIP_MAGIC, _ZSTD_MAGIC, *_PACKED)):
        more = stream.read()
        if not more:
            break
        head += more
    for magic, (packing, tool) in _PACKED.items():
        if head.startswith(magic):
            raise _packed(stream.name, packing, tool)
    return _decompressing(stream.name, cast(IO[bytes], _Begun(head, stream)), 0, head[:4], context)


def _is_skippable_frame(magic: bytes) -> bool:
    return bool(struct.unpack("<I", magic)[0] & 0xFFFFFFF0 == 0x184D2A50)


_END_RECORD = 22
"""Bytes of the record at the end of an archive, without its comment (APPNOTE.TXT 6.3.10, 4.3.16)."""


@contextmanager
def open_zip(path: str, context: ReadContext, charset: str | None = None) -> Iterator[zipfile.ZipFile]:
    """The archive's directory; :func:`entry_names` reads its names. ReaderError ``not-a-zip``, ``unknown-charset``."""
    _check_charset(charset, path)
    raw = context.files.open(path)
    try:
        try:
            archive = archive_in(raw)
        except Exception as problem:
            # Not BadZipFile alone: forged offsets and versions give OSError, ValueError or NotImplementedError.
            said = "{path} is not a readable ZIP archive: {reason}"
            raise ReaderError(said, path, "not-a-zip", reason=_sentence(problem)) from problem
        with archive:
            yield archive
    finally:
        raw.close()


def _check_charset(charset: str | None, path: str) -> None:
    try:
        b"PK".decode(charset or "utf-8")
    except LookupError as problem:
        raise ReaderError("unknown charset: {charset}", path, "unknown-charset", charset=charset) from problem
    except UnicodeError:
        pass  # a charset of several bytes a character


def zip_text(data: bytes, charset: str | None) -> tuple[str, bool]:
    """Text of an archive that is not marked UTF-8, and whether ``charset`` (without one: UTF-8) has it.

    What it does not have is read as CP437, the format's own (APPNOTE.TXT 6.3.10, D.1), which has every byte. One name
    in another charset must not keep anybody from reading the rest of the archive.
    """
    try:
        return data.decode(charset or "utf-8"), True
    except UnicodeError:
        return data.decode("cp437"), False


def entry_names(archive: zipfile.ZipFile, charset: str | None) -> list[tuple[str, bool, zipfile.ZipInfo]]:
    """Name, whether its charset is sure, and facts of every entry, in the directory's order."""
    found: list[tuple[str, bool, zipfile.ZipInfo]] = []
    for info in archive.infolist():
        # zipfile has read unmarked names as CP437, which keeps their bytes.
        name, sure = (info.filename, True)
        if not info.flag_bits & 0x800:
            name, sure = zip_text(info.orig_filename.encode("cp437"), charset)
            name = name.partition("\0")[0]
        found.append((name, sure, info))
    return found


def tell_charset(context: ReadContext, path: str, charset: str | None, unsure: Sequence[str]) -> None:
    """A ledger entry for names that came as CP437."""
    if unsure:
        told = f"names that are no {charset or 'utf-8'} are read as cp437, for example {unsure[0]}: give zipcharset"
        context.loss.lost(path, "entry-name-charset", len(unsure), None, told)


def tell_directory(context: ReadContext, path: str, archive: zipfile.ZipFile) -> None:
    """A ledger entry for entries that the end of the archive counts and its directory does not have: where a length in
    the directory is damaged, ``zipfile`` takes what follows for a part of the entry before.
    """
    raw, found = archive.fp, len(archive.infolist())
    if raw is None:
        return
    size = raw.seek(0, 2)
    raw.seek(max(size - _END_RECORD - 0xFFFF, 0))
    tail = raw.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + _END_RECORD:
        return
    stated = int.from_bytes(tail[at + 10 : at + 12], "little")  # 0xFFFF: more than fit, or in a record of its own
    if stated != 0xFFFF and found < stated:
        context.loss.lost(path, "damaged-directory", stated - found, None, f"{found} of {stated} entries can be read")


def _tell_repeated(context: ReadContext, path: str, times: Counter[str], chosen: Sequence[str]) -> None:
    """A ledger entry for entries whose name comes again further on: the last is read, as unpacking leaves it."""
    again = [name for name in chosen if times[name] > 1]
    if again:
        context.loss.lost(path, "repeated-entry", sum(times[name] - 1 for name in again), None, again[0])


def expand_members(
    pattern: str,
    entry: str,
    context: ReadContext,
    charset: str | None = None,
    in_folder: Callable[[Member], bool] | None = None,
) -> list[Member]:
    """Entries a ZIP path and an entry name mean, ``*`` allowed in both; archives in natural order, entries in theirs.

    The entry is a pattern (``patterns``); without ``*`` it is taken exactly, else ignoring case, else as a folder whose
    entries are asked of ``in_folder``. Among several archives one that is none is a ledger entry. ReaderError:
    ``no-such-entry`` when nothing matches in any archive, ``unknown-charset``, and those of ``Files.expand`` and
    ``open_zip``.
    """
    found: list[Member] = []
    unsure_names = 0

    def search(path: str) -> Iterator[Member]:
        nonlocal unsure_names
        with open_zip(path, context, charset) as archive:
            # ``ZipInfo.is_dir`` stumbles over an entry whose name is empty.
            entries = [(name, sure) for name, sure, _ in entry_names(archive, charset) if not name.endswith("/")]
            tell_directory(context, path, archive)
        names = dict(entries)
        wanted = entry.replace("\\", "/") if entry not in names else entry
        chosen = [wanted] if wanted in names else list(filter(entry_test(wanted).fullmatch, names))
        if not chosen and in_folder is not None:
            folder = wanted.strip("./").lower() + "/"
            below = [name for name in names if folder == "/" or name.lower().startswith(folder)]
            chosen = [name for name in below if in_folder(Member(path, name, charset))]
        tell_charset(context, path, charset, [name for name in chosen if not names[name]])
        if len(entries) > len(names):
            _tell_repeated(context, path, Counter(name for name, _ in entries), chosen)
        unsure_names += sum(not sure for sure in names.values())
        yield from (Member(path, name, charset) for name in in_natural_order(chosen))

    _check_charset(charset, pattern)
    found += scan_each(context.files.expand(pattern), context, search)
    if not found:
        if unsure_names:
            said = "no entry {entry} in {path} ({count} names are no {charset}: give zipcharset)"
            facts = {"count": unsure_names, "charset": charset or "utf-8"}
            raise ReaderError(said, pattern, "no-such-entry", entry=entry, **facts)
        raise ReaderError("no entry {entry} in {archive}", pattern, "no-such-entry", entry=entry, archive=pattern)
    return found


def label(target: str | Member) -> str:
    """Name of a file or archive entry, as ``_path`` and the ledger have it."""
    return readable(target.name if isinstance(target, Member) else target)


T = TypeVar("T")
Target = TypeVar("Target", str, Member, str | Member)


def scan_each(found: Sequence[Target], context: ReadContext, scan_one: Callable[[Target], Iterable[T]]) -> Iterator[T]:
    """What ``scan_one`` gives for every file or archive entry in turn.

    A query that names one unusable file fails; among several, the unusable one is a ledger entry and the rest is read.
    Raises the first one's ReaderError when all are unusable.
    """
    failed: list[ReaderError] = []
    for target in found:
        try:
            yield from scan_one(target)
        except ReaderError as problem:
            if len(found) == 1:
                raise
            context.loss.lost(label(target), problem.code, 1, 0, str(problem))
            failed.append(problem)
    if failed and len(failed) == len(found):
        raise failed[0]


def open_member(member: Member, context: ReadContext) -> Source:
    """Forward stream of one entry; a gzip or zstd file inside the archive is decompressed too."""
    info = _info(_directory(member, context), member)
    raw = context.files.open(member.zip_path)
    try:
        opened = known_archive(raw)
        entry = _Entry(_open_entry(opened, info, member), raw, member, context)
    except BaseException:
        raw.close()
        raise
    return _decompressing(member.name, cast(IO[bytes], entry), info.file_size, entry.peek(), context)


def open_random(path: str | Member, context: ReadContext) -> BinaryIO:
    """A seekable file: the file itself, or a compressed file or archive member unpacked into a temporary one."""
    if not isinstance(path, Member):
        raw, magic = _opened(path, context)
        if not magic.startswith((_GZIP_MAGIC, _ZSTD_MAGIC)):
            return raw
        raw.close()
    spool = context.files.spool(_SPOOL_IN_MEMORY)
    with open_source(path, context) as source:
        shutil.copyfileobj(source, spool, CHUNK)
    spool.seek(0)
    return spool


def _directory(member: Member, context: ReadContext) -> dict[str, zipfile.ZipInfo]:
    """The entries of the member's archive, read once while the file stays the same."""
    key = (*context.files.state(member.zip_path), member.charset)
    known = context.files.directories
    if key not in known:
        with open_zip(member.zip_path, context, member.charset) as archive:
            # Of two entries with one name the later one counts, as for other programs.
            found = {name: info for name, _, info in entry_names(archive, member.charset)}
        if len(known) >= _DIRECTORIES:
            known.clear()
        known[key] = found
    return known[key]


def _info(directory: dict[str, zipfile.ZipInfo], member: Member) -> zipfile.ZipInfo:
    info = directory.get(member.entry)
    if info is None:
        raise _no_entry(member)
    if info.flag_bits & 0x1:
        raise ReaderError("{path} is encrypted", member.name, "archive-encrypted")
    return info


def _no_entry(member: Member) -> ReaderError:
    said = "no entry {entry} in {archive}"
    return ReaderError(said, member.name, "no-such-entry", entry=member.entry, archive=member.zip_path)


def _open_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: Member) -> zipfile.ZipExtFile:
    try:
        return cast("zipfile.ZipExtFile", archive.open(info))
    except Exception as problem:
        # A method nobody unpacks, or a directory that points at something else than the entry.
        said = "cannot unpack {path}: {reason}"
        raise ReaderError(said, member.name, "read-failed", reason=_sentence(problem)) from problem


def _sentence(problem: Exception) -> str:
    # zipfile quotes the bytes it stumbled over, which can be all of the file.
    return " ".join(str(problem).split())[:200] or type(problem).__name__


class _Entry:
    """An archive entry that ends, with a ledger entry, where its data breaks (bad compressed data, wrong checksum)."""

    def __init__(self, stream: zipfile.ZipExtFile, raw: BinaryIO, member: Member, context: ReadContext) -> None:
        self._stream = stream
        self._raw = raw
        self._member = member
        self._context = context
        self._given = 0
        self._broken = False

    def peek(self) -> bytes:
        """The first four bytes, which stay to be read."""
        return self._guarded(lambda: self._stream.peek(4)[:4])

    def read(self, size: int = -1) -> bytes:
        data = self._guarded(lambda: self._stream.read(size))
        self._given += len(data)
        return data

    def _guarded(self, step: Callable[[], bytes]) -> bytes:
        if self._broken:
            return b""
        try:
            return step()
        except Exception as problem:
            # Each method of compression has errors of its own (zlib.error, LZMAError, OSError without a number, ...).
            if isinstance(problem, OSError) and problem.errno not in (None, errno.EINVAL):
                raise os_error(problem, self._member.name) from problem
            self._broken = True
            self._context.loss.lost(self._member.name, "damaged-zip-entry", 1, self._given, _sentence(problem))
            return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._stream.seek(offset, whence)

    def seekable(self) -> bool:
        return not self._broken

    def close(self) -> None:
        self._stream.close()
        self._raw.close()
