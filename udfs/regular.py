"""Opening regular files only: a pipe that nobody writes to is waited for without end, and a device may have none.

What a name means is looked at before it is opened (opening a device may do something), opened without waiting, and
looked at again: whoever may write into the folder can make a pipe of the name in between.
"""

from __future__ import annotations

import errno
import os
import stat

AnyPath = str | os.PathLike[str]
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_AT_ONCE = getattr(os, "O_NONBLOCK", 0)


class NotRegular(OSError):
    """A pipe, a socket or a device where a file is meant."""

    def __init__(self, path: AnyPath) -> None:
        super().__init__(errno.EINVAL, os.strerror(errno.EINVAL), os.fspath(path))


def is_special(path: AnyPath) -> bool:
    """A pipe, a socket or a device: it can be neither replaced nor finished, only written to."""
    try:
        return _special(os.stat(path).st_mode)
    except OSError:
        return False


def open_regular(path: AnyPath, flags: int = os.O_RDONLY) -> int:
    """A handle of a regular file; of a folder what the system says. An ``opener`` of :func:`open`.

    Raises NotRegular, OSError.
    """
    if is_special(path):
        raise NotRegular(path)
    handle = open_unlooked(path, flags)
    if _special(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegular(path)
    return handle


def open_unlooked(path: AnyPath, flags: int = os.O_RDONLY) -> int:
    """A handle of whatever has the name now, without waiting for a pipe; the caller has looked what it is."""
    flags |= _FLAGS
    try:
        return os.open(path, flags | _AT_ONCE)
    except BlockingIOError:  # a regular file that a server of files lends to somebody else: the system asks for it back
        return os.open(path, flags)


def _special(mode: int) -> bool:
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
