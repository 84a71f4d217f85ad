"""One file that an output command writes: nothing is at its path before every row is there.

Rows go to a temporary file beside the target (or to ``tmp=``). ``commit`` then puts it in place: by a link where the
target must be new, so that a file made in the meantime is not lost; by a rename where it is replaced; by copying onto
the end, under a lock, where rows are appended. A copy that fails is cut off again. Pipes and devices are written to
directly. A file that is not being written to can be suspended, so that thousands of partitions need few handles.
"""

from __future__ import annotations

import errno
import gzip
import os
import secrets
import shutil
import stat
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from logsql.diagnostics.codes import Code
from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, RunError, diagnostic
from logsql.diagnostics.kept import (
    CANNOT_WRITE,
    FILE_EXISTS,
    NO_FOLDER,
    OTHER_QUERY,
    REPLACE_OR_ADD,
    TEMPORARY_EXISTS,
)
from logsql.store.files import is_special, settle

_COPY = 1 << 20


@dataclass(frozen=True)
class Codes:
    """Error codes of one command for what can go wrong with a file: trouble of the disk, target or ``tmp`` exists."""

    io: Code
    exists: Code
    temporary: Code


@dataclass(frozen=True)
class Manner:
    """How a file is written. ``prefix`` are bytes that begin a new file (mark, header); ``newline`` ends each line."""

    codes: Codes
    overwrite: bool = False
    append: bool = False
    gz: bool = False
    tmp: str | None = None
    prefix: bytes = b""
    newline: bytes = b"\n"
    make_folders: bool = False


def io_error(codes: Codes, path: str, error: OSError) -> RunError:
    """Trouble of the disk as an error of the query."""
    return RunError(diagnostic(codes.io.with_text(CANNOT_WRITE), path=path, reason=error.strerror or error))


def check_target(path: str, manner: Manner) -> None:
    """Raise :class:`RunError` when the file cannot be made: it exists, is a folder, or its folder is missing."""
    if is_special(path):
        return
    if os.path.isdir(path):
        raise io_error(manner.codes, path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    if os.path.lexists(path) and not manner.overwrite and not manner.append:
        raise file_exists(path, manner)
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder) and not manner.make_folders:
        raise RunError(diagnostic(manner.codes.io.with_text(NO_FOLDER), path=path, folder=folder))


def file_exists(path: str, manner: Manner) -> RunError:
    return RunError(diagnostic(manner.codes.exists.with_text(FILE_EXISTS, REPLACE_OR_ADD), path=path))


def check_temporary(manner: Manner) -> None:
    """Raise :class:`RunError` when the file that ``tmp=`` names is there already."""
    if manner.tmp is not None and os.path.lexists(manner.tmp):
        raise RunError(diagnostic(manner.codes.temporary.with_text(TEMPORARY_EXISTS, OTHER_QUERY), path=manner.tmp))


class OutputFile:
    """See the module docstring. ``path`` is the target as the user wrote it; the temporary file is made at once."""

    def __init__(self, path: str, manner: Manner) -> None:
        check_target(path, manner)
        self.path = path
        self.manner = manner
        self.target = os.path.realpath(path)
        self.direct = is_special(path)
        self._handle: IO[bytes] | None = None
        self._zip: Any = None
        self.temporary: str | None = None
        if not self.direct:
            self.temporary = self._make_temporary()
        if manner.prefix and not manner.append:
            try:
                self.write(manner.prefix)
            except BaseException:
                self.discard()
                raise

    def _make_temporary(self) -> str:
        folder = os.path.dirname(self.target)
        chosen = self.manner.tmp or os.path.join(folder, f".logsql-{secrets.token_hex(8)}.part")
        try:
            if self.manner.make_folders:
                os.makedirs(folder, exist_ok=True)
            os.close(os.open(chosen, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        except FileExistsError:
            check_temporary(self.manner)
            raise
        except OSError as error:
            raise io_error(self.manner.codes, self.manner.tmp or self.path, error) from None
        return chosen

    # --- writing ----------------------------------------------------------------------------------

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes of whole lines. Raises :class:`RunError` when the disk cannot take them."""
        try:
            if self._handle is None:
                self._handle = self._open()
            if self.manner.gz:
                if self._zip is None:
                    self._zip = zlib.compressobj(6, zlib.DEFLATED, 31)
                data = self._zip.compress(data)
            self._handle.write(data)
        except OSError as error:
            raise io_error(self.manner.codes, self.path, error) from None

    def _open(self) -> IO[bytes]:
        if self.temporary is not None:
            return open(self.temporary, "ab")
        return os.fdopen(os.open(self.path, os.O_WRONLY), "wb")

    @property
    def active(self) -> bool:
        """Whether a handle is open."""
        return self._handle is not None

    def suspend(self) -> None:
        """Close the handle until the next write (a gzip file goes on with a further member)."""
        if self._handle is None:
            return
        try:
            with self._handle:
                if self._zip is not None:
                    self._handle.write(self._zip.flush())
        except OSError as error:
            raise io_error(self.manner.codes, self.path, error) from None
        finally:
            self._handle = self._zip = None

    # --- the end ----------------------------------------------------------------------------------

    def commit(self, cancelled: Callable[[], bool]) -> None:
        """Put the finished file in its place."""
        self.suspend()
        if self.temporary is None:
            return
        try:
            if self.manner.append:
                self._append(cancelled)
            elif self.manner.overwrite:
                self._replace()
            else:
                self._place()
        except OSError as error:
            raise io_error(self.manner.codes, self.path, error) from None
        self.temporary = None

    def discard(self) -> None:
        """Throw away what was written; the target stays as it was."""
        if self._handle is not None:
            with suppress(OSError):
                self._handle.close()
            self._handle = None
        if self.temporary is not None:
            with suppress(OSError):
                os.unlink(self.temporary)
            self.temporary = None

    def _replace(self) -> None:
        assert self.temporary is not None
        with suppress(FileNotFoundError):
            os.chmod(self._beside(), stat.S_IMODE(os.stat(self.target).st_mode))
        settle(self._beside())
        os.replace(self._beside(), self.target)

    def _place(self) -> None:
        """A new file: a link fails where a file came up meanwhile; file systems without links check and rename."""
        beside = self._beside()
        settle(beside)
        try:
            os.link(beside, self.target)
        except FileExistsError:
            raise file_exists(self.path, self.manner) from None
        except OSError:
            if os.path.lexists(self.target):
                raise file_exists(self.path, self.manner) from None
            os.rename(beside, self.target)
            return
        os.unlink(beside)

    def _beside(self) -> str:
        """The temporary file on the target's own file system (``tmp=`` may name another)."""
        assert self.temporary is not None
        folder = os.path.dirname(self.target)
        if self.manner.tmp is None or os.stat(self.temporary).st_dev == os.stat(folder).st_dev:
            return self.temporary
        moved = os.path.join(folder, f".logsql-{secrets.token_hex(8)}.part")
        try:
            shutil.copyfile(self.temporary, moved)
        except BaseException:
            with suppress(OSError):
                os.unlink(moved)
            raise
        os.unlink(self.temporary)
        self.temporary = moved
        return moved

    def _append(self, cancelled: Callable[[], bool]) -> None:
        """Copy the temporary file onto the end of the target, alone; a copy that fails is cut off again."""
        assert self.temporary is not None
        handle, made = self._locked(cancelled)
        with os.fdopen(handle, "r+b") as target, open(self.temporary, "rb") as rows:
            size = target.seek(0, os.SEEK_END)
            try:
                target.write(self._joint(target, size))
                shutil.copyfileobj(rows, target, _COPY)
                target.flush()
                os.fsync(handle)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(handle, size)
                if made and not size:
                    with suppress(OSError):
                        os.unlink(self.target)
                raise
        os.unlink(self.temporary)

    def _joint(self, target: IO[bytes], size: int) -> bytes:
        """What goes before appended rows: mark and header of a new file, a line feed where the last line has none."""
        manner = self.manner
        if not size:
            return gzip.compress(manner.prefix, mtime=0) if manner.gz and manner.prefix else manner.prefix
        if manner.gz:
            return b""
        target.seek(max(size - len(manner.newline), 0))
        ending = target.read()
        return b"" if ending == manner.newline else manner.newline

    def _locked(self, cancelled: Callable[[], bool]) -> tuple[int, bool]:
        """A handle on the target that holds its lock, and whether the file was made for it."""
        while True:
            made = not os.path.exists(self.target)
            handle = os.open(self.target, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                lock(handle, cancelled)
                if os.path.samestat(os.fstat(handle), os.stat(self.target)):
                    return handle, made
            except FileNotFoundError:
                pass  # removed while we waited for the lock: make it anew
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)


def lock(handle: int, cancelled: Callable[[], bool]) -> None:
    """Wait until the file is ours alone; closing it unlocks. Systems without such locks go on without one."""
    try:
        import fcntl
    except ImportError:
        return
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if cancelled():
                raise Interrupted(diagnostic(INTERRUPTED)) from None
            time.sleep(0.05)
        except OSError:
            return
