"""How a finished file takes its place: as a whole, on the disk before it counts, with nothing left of a dead writer.

A file is written under a temporary name in the folder of its target. Then its bytes are put on the disk, the name is
changed, and the folder is put on the disk: readers see the old or the new bytes, also after kill -9 or a power cut.
The temporary name says which process writes; what one that was killed left behind goes with the next file that is
placed in the folder.

Every step that changes something is preceded by :func:`reached`, an audit event (``sys.audit``) that costs nothing
where nobody listens. ``tests/faults`` ends the process, or fails the disk, at each of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys

from udfs.temporary import is_dead, own_name

AnyPath = str | os.PathLike[str]
#: A temporary name.
_NAME = re.compile(r"\.logsql-([0-9a-f]{12}-\d+-[0-9a-f]{16})(\.\w{1,8})?\.part")


def reached(moment: str, path: AnyPath) -> None:
    """A moment of the writing of ``path``, told to who audits this process (``logsql.MOMENT``)."""
    sys.audit(f"logsql.{moment}", os.fspath(path))


def beside(target: AnyPath) -> str:
    """A new temporary name in the folder of ``target``, with its ending."""
    folder, name = os.path.split(os.fspath(target))
    ending = os.path.splitext(name)[1]
    kind = ending if re.fullmatch(r"\.\w{1,8}", ending, re.ASCII) else ""
    return os.path.join(folder, f".logsql-{own_name()}{kind}.part")


def make(path: AnyPath, mode: int) -> None:
    """A new empty file. Raises FileExistsError."""
    reached("make", path)
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))


def replace(temporary: AnyPath, target: AnyPath, mode: int | None = None) -> None:
    """Have a finished file take the place of ``target``, with these permissions; :func:`settle_folder` comes next."""
    _settle_file(temporary, mode)
    reached("replace", target)
    os.replace(temporary, target)


def place_new(temporary: AnyPath, target: AnyPath, mode: int | None = None) -> None:
    """Have a finished file appear as ``target``, by default with a new file's permissions.

    Raises FileExistsError where one came up meanwhile.
    A link fails there; file systems without links check and rename.
    """
    _settle_file(temporary, new_mode() if mode is None else mode)
    reached("place", target)
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target)) from None
        os.rename(temporary, target)
        return
    reached("placed", target)
    os.unlink(temporary)


def settle_folder(folder: AnyPath) -> None:
    """Have the names in a folder on the disk, and clear away what dead writers left in it.

    Windows and some network drives have no such call, and a folder that may not be listed cannot be opened for it.
    """
    reached("settle", folder)
    if sys.platform != "win32":
        try:
            handle = os.open(folder or ".", os.O_RDONLY)
        except PermissionError:
            return
        try:
            os.fsync(handle)
        except OSError as problem:
            if problem.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
                raise
        finally:
            os.close(handle)
    sweep(folder)


def sweep(folder: AnyPath) -> None:
    """Remove temporary files whose writer is dead. One that cannot be removed stays."""
    with contextlib.suppress(OSError):
        for name in os.listdir(folder or "."):
            found = _NAME.fullmatch(name)
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if found is not None and is_dead(path, found[1]):
                    os.unlink(path)


def _settle_file(path: AnyPath, mode: int | None) -> None:
    """Have the bytes of a file on the disk; then it gets its permissions."""
    reached("finish", path)
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    if mode is not None:
        os.chmod(path, mode)


def mode_of(target: AnyPath) -> int:
    """Permissions of the file that is replaced, else what a new file would get."""
    try:
        return stat.S_IMODE(os.stat(target).st_mode)
    except OSError:
        return new_mode()


def new_mode() -> int:
    """Permissions of a new file."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
