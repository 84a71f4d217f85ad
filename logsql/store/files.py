"""The one door to files: nothing else in the program opens, writes, renames, removes or lists (``tests/house``).

``Files(policy)`` asks the policy before it asks the file system, so that a session in safe mode learns of a file
outside its folders neither what is in it nor whether it is there. ``Files()`` is the door of the user's own words (a
query file, ``-o``) and of the program's own files (the sealing key, the history).

A file is replaced as a whole (:meth:`Files.replacing`): readers see the old or the new bytes, also after kill -9 or a
power cut. Processes that write into one folder take turns (:meth:`Files.lock`).
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from logsql.diagnostics.errors import RunError, diagnostic
from logsql.diagnostics.paths import NOT_REGULAR
from logsql.diagnostics.usage import OUTPUT_NOT_WRITTEN
from logsql.store import placing
from logsql.store.pipes import open_special
from logsql.store.policy import Policy, read_refused
from udfs.readers.files import NamedFile, noted_end
from udfs.regular import NotRegular, is_special, open_regular

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True)
class FileFacts:
    """Size in bytes, and the time of the last change in nanoseconds since 1970."""

    size: int
    changed: int


class Files:
    """Files as a policy allows them. Every method raises PolicyError for what is not allowed, OSError for trouble."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy if policy is not None else Policy()

    # --- reading ----------------------------------------------------------------------------------

    def may_read(self, path: AnyPath) -> bool:
        """Whether the policy allows to read; the file system is not asked."""
        return self.policy.may_read(os.fspath(path))

    def open(self, path: AnyPath) -> BinaryIO:
        """A file, opened for reading bytes. A pipe or device is an OSError: one that nobody writes to would be waited
        for without end, and a device may have none."""
        name = os.fspath(path)
        self.policy.check_read(name)
        end = noted_end(name, self.policy.may_read)
        try:
            if end is not None:
                return self._meant(name, io.BufferedReader(NamedFile(name, end)))
            return self._meant(name, open(name, "rb", opener=open_regular))
        except NotRegular:
            raise not_regular(name) from None

    def _meant(self, path: str, file: BinaryIO) -> BinaryIO:
        """The open file, if it is the one that was asked about and no link was turned since."""
        if not self.policy.opened(path, file.fileno()):
            file.close()
            raise read_refused(path)
        return file

    def read(self, path: AnyPath, limit: int | None = None) -> bytes:
        """All bytes of a file; ValueError when there are more than ``limit``."""
        with self.open(path) as file:
            data = file.read() if limit is None else file.read(limit + 1)
        if limit is not None and len(data) > limit:
            raise ValueError(f"{os.fspath(path)} is larger than {limit} bytes")
        return data

    def read_as_text(self, path: AnyPath, errors: str = "strict") -> str:
        """The text of a file in UTF-8; a byte order mark is dropped, line ends stay."""
        return self.read(path).decode("utf-8-sig", errors)

    def has_file(self, path: AnyPath) -> bool:
        """Whether there is a regular file (links are followed)."""
        self.policy.check_read(os.fspath(path))
        return os.path.isfile(path)

    def has_folder(self, path: AnyPath) -> bool:
        """Whether there is a folder (links are followed)."""
        self.policy.check_read(os.fspath(path))
        return os.path.isdir(path)

    def has(self, path: AnyPath) -> bool:
        """Whether there is anything of this name, be it a link that leads nowhere."""
        self.policy.check_read(os.fspath(path))
        return os.path.lexists(path)

    def facts(self, path: AnyPath) -> FileFacts | None:
        """Size and time of a file, None when there is none."""
        self.policy.check_read(os.fspath(path))
        try:
            found = os.stat(path)
        except OSError:
            return None
        return FileFacts(found.st_size, found.st_mtime_ns)

    def matching(self, folder: AnyPath, *suffixes: str) -> list[Path]:
        """Files of a folder whose names end so, by name; none where there is no such folder."""
        self.policy.check_read(os.fspath(folder))
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            return []
        return [Path(folder, n) for n in names if n.endswith(suffixes) and not n.startswith(".")]

    def entries(self, folder: AnyPath) -> list[tuple[str, bool]]:
        """Names in a folder, each with whether it is a folder itself. Raises OSError where there is no such folder."""
        self.policy.check_read(os.fspath(folder))
        with os.scandir(folder) as found:
            return [(entry.name, entry.is_dir()) for entry in found]

    # --- writing ----------------------------------------------------------------------------------

    def write(self, path: AnyPath, data: bytes, private: bool = False) -> None:
        """Replace ``path`` as a whole, making its folder; ``private``: nobody but the user may read it."""
        with self.replacing(path, 0o600 if private else 0o644) as temporary, open(temporary, "r+b") as file:
            file.write(data)

    @contextlib.contextmanager
    def replacing(self, path: AnyPath, mode: int | None = None, make_folders: bool = True) -> Iterator[str]:
        """An empty file beside ``path`` that takes its place when the block ends well, and goes when it does not.

        ``mode``: permissions of the file; by default those of the file it replaces, else what a new file gets. A link
        stays a link: what it leads to is replaced. Bytes and rename are on the disk when the block is left.
        """
        self.policy.check_write(os.fspath(path))
        target = os.path.realpath(path)
        folder = os.path.dirname(target)
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
        if make_folders:
            os.makedirs(folder, exist_ok=True)
        temporary = placing.beside(target)
        placing.make(temporary, 0o600)
        try:
            yield temporary
            placing.replace(temporary, target, placing.mode_of(target) if mode is None else mode)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        placing.settle_folder(folder)

    @contextlib.contextmanager
    def writing(self, path: AnyPath) -> Iterator[int]:
        """A handle to write to, which the block closes: a file appears (or is replaced) when the block ends well; a
        pipe or device is written to directly. The folder must be there."""
        self.policy.check_write(os.fspath(path))
        if is_special(path):
            yield open_special(os.fspath(path))
            return
        with self.replacing(path, make_folders=False) as temporary:
            yield os.open(temporary, os.O_WRONLY)

    def make_private_file(self, path: AnyPath) -> BinaryIO:
        """A new file that nobody but the user may read, opened for writing without a buffer."""
        self.policy.check_write(os.fspath(path))
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
        return cast(BinaryIO, open(handle, "wb", buffering=0))

    def hold(self, path: AnyPath) -> BinaryIO:
        """A file that counts as held (:meth:`is_held`) until it is closed; that of a dead process does not."""
        while True:
            file = self.make_private_file(path)
            if sys.platform == "win32":  # what is open there cannot be removed
                return file
            import fcntl  # not on every system

            fcntl.flock(file, fcntl.LOCK_EX)
            if os.path.exists(path):
                return file
            file.close()  # taken for a dead one's before it was locked

    def is_held(self, path: AnyPath) -> bool:
        """Whether a process that lives holds the file; one that nobody holds goes."""
        self.policy.check_write(os.fspath(path))
        try:
            with open(path, "rb", opener=open_regular) as file:
                if sys.platform != "win32":
                    import fcntl  # not on every system

                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)
                    return False
            os.unlink(path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def remove(self, path: AnyPath) -> bool:
        """Remove a file; False when there was none."""
        self.policy.check_write(os.fspath(path))
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        return True

    def move(self, source: AnyPath, target: AnyPath) -> None:
        """Rename a file, onto another file system if need be. Raises FileExistsError rather than replace one."""
        self.policy.check_write(os.fspath(source))
        self.policy.check_write(os.fspath(target))
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target))
        placing.reached("move", target)
        try:
            os.rename(source, target)
        except OSError as problem:
            if problem.errno != errno.EXDEV or not os.path.isfile(source) or os.path.islink(source):
                raise
            self._move_far(os.fspath(source), os.fspath(target))
        placing.settle_folder(os.path.dirname(target))
        placing.settle_folder(os.path.dirname(source))

    def _move_far(self, source: str, target: str) -> None:
        """Onto another file system: the file is whole there before it goes here."""
        temporary = placing.beside(target)
        placing.make(temporary, 0o600)
        try:
            shutil.copyfile(source, temporary)
            shutil.copystat(source, temporary)
            placing.place_new(temporary, target, placing.mode_of(source))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        placing.settle_folder(os.path.dirname(target))
        os.unlink(source)

    def make_read_only(self, path: AnyPath) -> None:
        """Take away the right to write from everybody."""
        self.policy.check_write(os.fspath(path))
        os.chmod(path, 0o444)

    def make_private(self, path: AnyPath) -> None:
        """Make sure of a file that nobody but the user may read, and of its folder; what it holds stays.

        Raises OSError, also for a pipe or device.
        """
        self.policy.check_write(os.fspath(path))
        if is_special(path):
            raise not_regular(path)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            with contextlib.suppress(OSError):  # another user's
                os.chmod(path, 0o600)

    def make_own_folder(self, folder: AnyPath) -> bool:
        """Make a folder, unless it is there; whether it is the user's own, and not everybody may put files into it.

        Raises OSError.
        """
        self.policy.check_write(os.fspath(folder))
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if sys.platform == "win32":  # folders of a user are closed to others there
            return True
        found = os.stat(folder)
        return found.st_uid == os.geteuid() and not found.st_mode & stat.S_IWOTH

    def add_private(self, path: AnyPath, data: bytes) -> None:
        """Add to a file that nobody but the user may read, in one piece that is on the disk behind the call."""
        self.policy.check_write(os.fspath(path))
        if is_special(path):  # one that nobody reads would be waited for
            raise not_regular(path)
        handle = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o600)
        try:
            while data:
                data = data[os.write(handle, data) :]
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def lock(self, folder: AnyPath) -> Iterator[None]:
        """Hold the folder's lock: one writer at a time over all processes. The system frees that of a dead process.

        Raises RunError for a folder that cannot be made.
        """
        import filelock  # for cost: it takes longer to import than a query runs, and only writers need it

        self.policy.check_write(os.fspath(folder))
        turn = filelock.FileLock(os.path.join(folder, ".lock"))
        with keeping(folder):
            os.makedirs(folder, exist_ok=True)
            turn.acquire()
        with turn:
            turn.release()  # that of acquire: the block holds it too
            yield


@contextlib.contextmanager
def keeping(path: AnyPath) -> Iterator[None]:
    """Writing the program's own files: trouble of the disk (a folder that is a file) is RunError, naming the place."""
    try:
        yield
    except OSError as error:
        where = os.fspath(error.filename or path)
        raise RunError(diagnostic(OUTPUT_NOT_WRITTEN, path=where, reason=error.strerror or error)) from None


def not_regular(path: AnyPath) -> OSError:
    """What is said of a pipe or device where a file is meant."""
    return OSError(errno.EINVAL, NOT_REGULAR.fill(), os.fspath(path))
