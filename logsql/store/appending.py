"""Adding rows to a file, all or none, whatever happens meanwhile.

A file of ordinary size is copied, the rows are added to the copy, and the copy takes the file's place: who reads sees
the old or the new bytes, also after kill -9 or a power cut. A file that is too large to be copied each time, has other
names, or belongs to somebody else is added to in place. Before that its length is noted in a file beside it, which goes
when the rows are on the disk: what a killed writer left behind that length is read by nobody, and cut off by the next
one that adds.

Writers take turns by a lock on the file itself.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from logsql.diagnostics.engine import INTERRUPTED
from logsql.diagnostics.errors import Interrupted, diagnostic
from logsql.store.placing import beside, make, mode_of, place_new, reached, replace, settle_folder
from udfs.appendnote import Note, note_path, read_note
from udfs.regular import open_regular

#: Bytes of a file that is copied: half a tenth of a second on a common disk.
MOST_COPIED = 64 << 20
_COPY = 1 << 20
#: A byte that no file has: Windows locks ranges.
_FAR = 1 << 62


@dataclass(frozen=True)
class Rows:
    """What is added: a file of finished rows, and the bytes that begin a file and end a line in it."""

    path: str
    prefix: bytes
    newline: bytes
    gz: bool

    def joint(self, target: IO[bytes], size: int) -> bytes:
        """What goes before the rows: mark and header of a new file, a line feed where the last line has none."""
        if not size:
            return gzip.compress(self.prefix, mtime=0) if self.gz and self.prefix else self.prefix
        if self.gz:
            return b""
        target.seek(max(size - len(self.newline), 0))
        return b"" if target.read(len(self.newline)) == self.newline else self.newline


def append(target: str, rows: Rows, cancelled: Callable[[], bool]) -> None:
    """Add the rows to the end of ``target``, a path without links, or make it; its folder is to be settled then.

    Raises OSError, Interrupted.
    """
    while not _appended(target, rows, cancelled):
        continue  # it was made, removed or replaced while we waited


def _appended(target: str, rows: Rows, cancelled: Callable[[], bool]) -> bool:
    try:
        handle = os.open(target, os.O_RDWR)
    except FileNotFoundError:
        return _made(target, rows)
    with cast(BinaryIO, os.fdopen(handle, "r+b")) as file:
        lock(handle, cancelled)
        try:
            if not os.path.samestat(os.fstat(handle), os.stat(target)):
                return False
        except FileNotFoundError:
            return False
        recover(file, target)
        found = os.fstat(handle)
        if found.st_size > MOST_COPIED or found.st_nlink > 1 or not _ours(found):
            _add_in_place(file, target, rows)
        else:
            _add_to_copy(file, target, rows)
    return True


def _ours(found: os.stat_result) -> bool:
    """Whether a copy made by this user would belong to whom the file belongs to."""
    return not hasattr(os, "geteuid") or (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


def _made(target: str, rows: Rows) -> bool:
    """Make the file; False when one came up meanwhile."""
    with contextlib.suppress(FileExistsError):
        if not rows.prefix and os.path.dirname(rows.path) == os.path.dirname(target):
            place_new(rows.path, target)
            return True
        with _copy_for(target) as temporary:
            with open(temporary, "wb") as made:
                _pour(made, rows.joint(made, 0), rows)
            place_new(temporary, target)
        return True
    return False


def _add_to_copy(file: BinaryIO, target: str, rows: Rows) -> None:
    size = file.seek(0, os.SEEK_END)
    with _copy_for(target) as temporary:
        with open(temporary, "wb") as made:
            joint = rows.joint(file, size)
            file.seek(0)
            shutil.copyfileobj(file, made, _COPY)
            reached("copied", target)
            _pour(made, joint, rows)
        with contextlib.suppress(OSError):
            shutil.copystat(target, temporary)  # extended attributes too
        os.utime(temporary)
        if os.name == "nt":
            file.close()  # what is open there cannot be replaced
        replace(temporary, target, mode_of(target))


def _add_in_place(file: BinaryIO, target: str, rows: Rows) -> None:
    size = file.seek(0, os.SEEK_END)
    joint = rows.joint(file, size)
    found = os.fstat(file.fileno())
    note = Note(found.st_dev, found.st_ino, size, len(joint) + os.path.getsize(rows.path))
    _write_note(target, note)
    file.seek(size)
    try:
        _pour(file, joint, rows)
        reached("appended", target)
        os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            os.ftruncate(file.fileno(), size)
            os.unlink(note_path(target))
        raise
    reached("forget", target)
    os.unlink(note_path(target))


def _pour(made: IO[bytes], joint: bytes, rows: Rows) -> None:
    made.write(joint)
    with open(rows.path, "rb") as source:
        shutil.copyfileobj(source, made, _COPY)
    made.flush()


@contextlib.contextmanager
def _copy_for(target: str) -> Iterator[str]:
    """An empty file beside the target, which goes unless it was placed."""
    temporary = beside(target)
    make(temporary, 0o600)
    try:
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


# --- adding in place --------------------------------------------------------------------------------------------------


def noted(target: str) -> Note | None:
    """What is noted of a file; None when nothing is, or when the note is of another file that had this name."""
    try:
        with open(note_path(target), "rb", opener=open_regular) as file:
            note = read_note(file.read(4096))
        return note if note is not None and note.belongs(os.stat(target)) else None
    except OSError:
        return None


def recover(file: BinaryIO, target: str) -> None:
    """Cut off what a killed writer left behind the noted length; the caller holds the file's lock.

    Bytes that are more than that writer had to add are somebody else's: nothing is cut then.
    """
    note = noted(target)
    if note is not None and note.unfinished(os.fstat(file.fileno())):
        reached("recover", target)
        os.ftruncate(file.fileno(), note.size)
        os.fsync(file.fileno())
    with contextlib.suppress(FileNotFoundError):
        os.unlink(note_path(target))
        settle_folder(os.path.dirname(target))


def _write_note(target: str, note: Note) -> None:
    path = note_path(target)
    with _copy_for(target) as temporary:
        with open(temporary, "wb") as made:
            made.write(note.written())
        replace(temporary, path, 0o600)
    settle_folder(os.path.dirname(target))


def lock(handle: int, cancelled: Callable[[], bool]) -> None:
    """Wait until the file is ours alone; closing it unlocks. File systems without such locks go on without one."""
    while True:
        try:
            if os.name == "nt":
                import msvcrt  # only there

                os.lseek(handle, _FAR, os.SEEK_SET)  # what is locked there cannot be read by others
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]  # Windows only
            else:
                import fcntl  # not on every system

                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as problem:
            if problem.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                return
            if cancelled():
                raise Interrupted(diagnostic(INTERRUPTED)) from None
            time.sleep(0.05)
