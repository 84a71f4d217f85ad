"""Temporary folders that nobody but the user can look into, and what tells those of dead processes.

They lie in one folder of the user below the system's temporary folder (``TMPDIR``), which only the user may enter; a
folder of that name that somebody else made is not used. A name says which process made it, so that the next process
clears away what a killed one left, and ends in something that cannot be guessed.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import platform
import secrets
import shutil
import stat
import sys
import tempfile
import time
import weakref

#: Seconds after which a thing of another machine, or of one that was started anew since, belongs to nobody.
_ABANDONED = 7 * 86400


@functools.cache
def here() -> str:
    """What tells process numbers of here from those of elsewhere: machine, start of the machine, container."""
    facts = [platform.node()]
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        facts.append(file.read().strip())
    with contextlib.suppress(OSError):
        facts.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]


def own_name() -> str:
    """A new name: ``HERE-PROCESS-RANDOM``."""
    return f"{here()}-{os.getpid()}-{secrets.token_hex(8)}"


def is_dead(path: str, name: str) -> bool:
    """Whether the process that named ``path`` so is gone; where that cannot be known, whether the thing is old."""
    place, process, _ = name.split("-", 2)
    if place != here() or sys.platform == "win32":
        return time.time() - os.stat(path).st_mtime > _ABANDONED
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


class PrivateFolder:
    """A folder that is there until it is closed, or no longer used. Raises OSError where none can be made."""

    def __init__(self) -> None:
        above = _of_user()
        if above is None:
            self.path = tempfile.mkdtemp(prefix="logsql-")
        else:
            _clear(above)
            self.path = os.path.join(above, own_name())
            os.mkdir(self.path, 0o700)
        _MADE.add(self)
        self.close = weakref.finalize(self, shutil.rmtree, self.path, True)

    def __enter__(self) -> str:
        return self.path

    def __exit__(self, *raised: object) -> None:
        self.close()


_MADE: weakref.WeakSet[PrivateFolder] = weakref.WeakSet()


def clear_made() -> None:
    """Remove the folders of this process, which is about to end without the usual ways."""
    for folder in list(_MADE):
        folder.close()


def _of_user() -> str | None:
    """The user's folder of temporary folders; None where somebody else made one of its name."""
    user = str(os.getuid()) if sys.platform != "win32" else "user"
    path = os.path.join(tempfile.gettempdir(), f"logsql-{user}")
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)
    found = os.lstat(path)
    trusted = stat.S_ISDIR(found.st_mode)
    if sys.platform != "win32":
        trusted = trusted and found.st_uid == os.getuid() and not found.st_mode & 0o077
    return path if trusted else None


def _clear(above: str) -> None:
    """Remove what dead processes left. What cannot be removed stays."""
    for name in os.listdir(above):
        path = os.path.join(above, name)
        with contextlib.suppress(OSError, ValueError):
            if is_dead(path, name):
                shutil.rmtree(path, ignore_errors=True)
