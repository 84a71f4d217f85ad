"""Files that grow at their end and are read while they grow: segments of feeds, and the user's own log files.

What an append could not write in full is cut off again: a full disk leaves no half record.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from logsql.diagnostics.errors import PolicyError
from logsql.store.files import Files
from logsql.store.placing import reached, settle_folder
from udfs.readers.base import ReaderError
from udfs.readers.files import Files as OpenFiles
from udfs.regular import open_regular

#: What the system says of a disk without room.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if hasattr(errno, "EDQUOT") else {errno.ENOSPC, errno.EFBIG})
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
#: Pieces that one call writes; every system takes 16, Linux 1024.
_PIECES = 16
Bytes = bytes | bytearray | memoryview


class LogFile:
    """A file that one writes and many read, from any thread. Raises OSError.

    ``new``: it is made, and a private one unless ``mode`` says otherwise.
    """

    def __init__(self, files: Files, path: str, new: bool = False, mode: int = 0o600) -> None:
        files.policy.check_write(path)
        flags = os.O_RDWR | _BINARY | (os.O_CREAT | os.O_EXCL if new else 0)
        self.path = path
        self._handle = os.open(path, flags, mode) if new else open_regular(path, flags)
        self._turn = threading.Lock()
        self.size = os.fstat(self._handle).st_size

    def append(self, pieces: Sequence[Bytes]) -> None:
        """Add bytes to the end: all or none."""
        size, wanted = self.size, sum(len(piece) for piece in pieces)
        reached("append", self.path)
        try:
            self._write(size, pieces)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(self._handle, size)
            raise
        self.size = size + wanted

    def _write(self, at: int, pieces: Sequence[Bytes]) -> None:
        left = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
        while left:
            written = self._write_some(at, left[:_PIECES])
            at += written
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left and written:
                left[0] = left[0][written:]

    def _write_some(self, at: int, pieces: list[memoryview]) -> int:
        if hasattr(os, "pwritev"):
            return os.pwritev(self._handle, pieces, at)
        with self._turn:
            os.lseek(self._handle, at, os.SEEK_SET)
            return os.write(self._handle, pieces[0])

    def read(self, at: int, size: int) -> bytes:
        """Bytes from a place on; fewer where the file ends."""
        found = self._read_some(at, size)
        while len(found) < size:
            more = self._read_some(at + len(found), size - len(found))
            if not more:
                break
            found += more
        return found

    def _read_some(self, at: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._handle, size, at)
        with self._turn:
            os.lseek(self._handle, at, os.SEEK_SET)
            return os.read(self._handle, size)

    def cut(self, size: int) -> None:
        """Forget what is behind a length, on the disk too."""
        reached("cut", self.path)
        os.ftruncate(self._handle, size)
        os.fsync(self._handle)
        self.size = size

    def sync(self) -> None:
        """Have the bytes on the disk."""
        os.fsync(self._handle)

    def close(self) -> None:
        """Release the handle; a second time is no error."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def __del__(self) -> None:
        """A file that was removed while somebody read it is released when nobody does any more."""
        with contextlib.suppress(AttributeError, OSError):
            self.close()


class PartFile(io.RawIOBase):
    """A file under a name of its own until it is whole; one that was left there is replaced. Raises OSError.

    What is written behind :meth:`done` vanishes: a writer that is thrown away (Parquet's) still writes its end.
    """

    def __init__(self, files: Files, path: str) -> None:
        super().__init__()
        files.remove(path)
        self._file = LogFile(files, path, new=True, mode=0o666)
        self._count = 0
        self._open = True

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Bytes, /) -> int:  # type: ignore[override]
        """Add bytes: all or none."""
        view = memoryview(data).cast("B")
        if self._open:
            self._file.append([view])
        self._count += len(view)
        return len(view)

    def tell(self) -> int:
        """Bytes so far."""
        return self._count

    def done(self) -> None:
        """Have it on the disk and write no more."""
        if self._open:
            self._open = False
            self._file.sync()
            self._file.close()

    def drop(self) -> None:
        """Write no more."""
        self._open = False
        self._file.close()


def put_in_place(files: Files, part: str, path: str) -> None:
    """Give a whole file its name; nothing to do where that was done."""
    files.policy.check_write(part)
    files.policy.check_write(path)
    if os.path.isfile(part):
        reached("replace", path)
        os.replace(part, path)
        settle_folder(os.path.dirname(path))


def make_folder(files: Files, path: str | os.PathLike[str]) -> None:
    """A folder, with those above it, with the permissions that new ones get."""
    files.policy.check_write(os.fspath(path))
    os.makedirs(path, exist_ok=True)


def make_private_folder(files: Files, path: str | os.PathLike[str]) -> None:
    """A folder that nobody but the user may look into, with those above it. One that is there stays as it is."""
    files.policy.check_write(os.fspath(path))
    missing = [p for p in (PurePath(path), *PurePath(path).parents) if not os.path.isdir(p)]
    for folder in reversed(missing):  # makedirs gives the mode to the last alone
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)


def make_private(files: Files, path: str | os.PathLike[str]) -> None:
    """A file that is there: nobody but its owner may read it from now on. Raises OSError."""
    files.policy.check_write(os.fspath(path))
    os.chmod(path, 0o600)


def free_bytes(path: str | os.PathLike[str]) -> int:
    """Room on the disk of a path that is there. Raises OSError."""
    return shutil.disk_usage(path).free


@dataclass(frozen=True)
class Identity:
    """Which file it is, whatever it is called."""

    device: int
    number: int


@dataclass(frozen=True)
class Found:
    """What a name leads to."""

    identity: Identity
    size: int
    changed: int


class Followed:
    """A log file of others, open for reading while they write, rename and cut it. Raises OSError, PolicyError."""

    def __init__(self, files: Files, path: str) -> None:
        files.policy.check_read(path)
        self._handle = open_regular(path)
        if not files.policy.opened(path, self._handle):
            os.close(self._handle)
            files.policy.check_read(path)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        found = _found(os.fstat(self._handle))
        self.path = path
        self.identity = found.identity

    def now(self) -> Found:
        """Size and time of the open file as they are now."""
        return _found(os.fstat(self._handle))

    def read(self, at: int, size: int) -> bytes:
        """At most ``size`` bytes from a place on."""
        if hasattr(os, "pread"):
            return os.pread(self._handle, size, at)
        os.lseek(self._handle, at, os.SEEK_SET)
        return os.read(self._handle, size)

    def close(self) -> None:
        """Release the handle; a second time is no error."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def matching(files: Files, pattern: str) -> list[str]:
    """The regular files that a path or a pattern means, as a query's path does; none where there are none.

    What may not be read or listed is passed over.
    """
    door = OpenFiles(files.policy.may_read, files.policy.opened, files.policy.safe)
    try:
        return [name for name in door.expand(pattern) if os.path.isfile(name)]
    except ReaderError:
        return []


def folder_files(files: Files, folder: str) -> list[str]:
    """The paths of what is in a folder, in no order; none where it may not be listed."""
    try:
        return [os.path.join(folder, name) for name, is_folder in files.entries(folder or ".") if not is_folder]
    except (OSError, PolicyError):
        return []


def found(files: Files, path: str) -> Found | None:
    """What a name leads to; None where there is no regular file. Raises PolicyError."""
    files.policy.check_read(path)
    try:
        return _found(os.stat(path)) if os.path.isfile(path) else None
    except OSError:
        return None


def _found(of: os.stat_result) -> Found:
    return Found(Identity(of.st_dev, of.st_ino), of.st_size, of.st_mtime_ns)


def drop(files: Files, path: str) -> bool:
    """Remove a file that may still be open somewhere; False where the system does not let us yet (Windows)."""
    try:
        files.remove(path)
    except PermissionError:
        if sys.platform == "win32":
            return False
        raise
    return True
