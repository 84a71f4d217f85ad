"""One file that an output command writes: nothing is at its path before every row is there.

Rows go to a temporary file beside the target (or to ``tmp=``). ``commit`` then puts it in place: by a link where the
target must be new, so that a file made in the meantime is not lost; by a rename where it is replaced; as
:mod:`.appending` says where rows are appended. Pipes and devices are written to directly. A file that is not being
written to can be suspended, so that thousands of partitions need few handles.
"""

from __future__ import annotations

import errno
import os
import shutil
import zlib
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from logsql.diagnostics.codes import Code
from logsql.diagnostics.errors import RunError, diagnostic
from logsql.diagnostics.kept import (
    CANNOT_WRITE,
    FILE_EXISTS,
    NO_FOLDER,
    OTHER_QUERY,
    REPLACE_OR_ADD,
    TEMPORARY_EXISTS,
)
from logsql.store import placing
from logsql.store.appending import Rows, append
from logsql.store.pipes import open_special
from udfs.regular import is_special


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

    def __init__(self, path: str, manner: Manner, cancelled: Callable[[], bool] = lambda: False) -> None:
        check_target(path, manner)
        self.path = path
        self._cancelled = cancelled
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
        chosen = self.manner.tmp or placing.beside(self.target)
        try:
            if self.manner.make_folders:
                os.makedirs(folder, exist_ok=True)
            placing.make(chosen, 0o600)
        except OSError as error:
            check_temporary(self.manner)
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
        return os.fdopen(open_special(self.path, self._cancelled), "wb")

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
        """Put the finished file in its place; :func:`commit` settles the folders of all files of a command."""
        self.suspend()
        if self.temporary is None:
            return
        manner = self.manner
        try:
            if manner.append:
                append(self.target, Rows(self.temporary, manner.prefix, manner.newline, manner.gz), cancelled)
            elif manner.overwrite:
                beside = self._beside()
                placing.replace(beside, self.target, placing.mode_of(self.target))
            else:
                self._place()
        except OSError as error:
            raise io_error(manner.codes, self.path, error) from None
        self.discard()

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

    def _place(self) -> None:
        try:
            placing.place_new(self._beside(), self.target)
        except FileExistsError:
            raise file_exists(self.path, self.manner) from None

    def _beside(self) -> str:
        """The temporary file on the target's own file system (``tmp=`` may name another)."""
        assert self.temporary is not None
        folder = os.path.dirname(self.target)
        if self.manner.tmp is None or os.stat(self.temporary).st_dev == os.stat(folder).st_dev:
            return self.temporary
        moved = placing.beside(self.target)
        placing.make(moved, 0o600)
        try:
            shutil.copyfile(self.temporary, moved)
        except BaseException:
            with suppress(OSError):
                os.unlink(moved)
            raise
        os.unlink(self.temporary)
        self.temporary = moved
        return moved


def commit(files: Collection[OutputFile], cancelled: Callable[[], bool]) -> None:
    """Put the finished files of one command in their places, and have that on the disk. Raises :class:`RunError`."""
    placed = {os.path.dirname(file.target): file for file in files if not file.direct}
    for file in files:
        file.commit(cancelled)
    for folder, file in placed.items():
        try:
            placing.settle_folder(folder)
        except OSError as error:
            raise io_error(file.manner.codes, file.path, error) from None
