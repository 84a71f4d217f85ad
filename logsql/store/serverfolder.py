"""The state folder of a server: private, of one version, held by one process.

``lock`` is held while a server lives; the system frees that of a dead one. ``version`` says by which layout the folder
was written: a newer one is refused, an older one is brought up. Where the control socket is, and how a path longer than
an address of a socket may be is reached.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.live import FOLDER_HELD, FOLDER_NEWER, FOLDER_UNUSABLE
from logsql.store.files import Files

#: The layout that this program writes. One that is older is brought up step by step (:data:`STEPS`).
VERSION = 1
#: Bytes of an address of a Unix socket, its last zero among them, on the system with the fewest.
ADDRESS = 104
SOCKET = "control.sock"


@dataclass
class StateFolder:
    """A folder that this process holds."""

    path: Path
    held: BinaryIO

    def below(self, *names: str) -> Path:
        """A folder in it, made where it is not there."""
        found = self.path.joinpath(*names)
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        return found

    def __enter__(self) -> StateFolder:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the next process have it."""
        if self.held.closed:
            return
        with suppress(OSError):
            os.unlink(self.path / "lock")
        self.held.close()


def take(path: Path, files: Files) -> StateFolder:
    """Make the folder where it is not there, and hold it.

    Raises SourceError (exit code 3) for one that another server holds, that is of a newer version, or that cannot be
    used.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if files.is_held(path / "lock"):
            raise SourceError(diagnostic(FOLDER_HELD, path=str(path)))
        held = files.hold(path / "lock")
    except FileExistsError:
        raise SourceError(diagnostic(FOLDER_HELD, path=str(path))) from None
    except OSError as problem:
        raise SourceError(
            diagnostic(FOLDER_UNUSABLE, path=str(path), reason=problem.strerror or str(problem))
        ) from None
    folder = StateFolder(path, held)
    try:
        _check_version(folder, files)
    except BaseException:
        folder.close()
        raise
    return folder


def _check_version(folder: StateFolder, files: Files) -> None:
    place = folder.path / "version"
    try:
        found = int(files.read(place, 100)) if files.has_file(place) else 0
    except ValueError:
        raise SourceError(diagnostic(FOLDER_UNUSABLE, path=str(place), reason="version")) from None
    if found > VERSION:
        raise SourceError(diagnostic(FOLDER_NEWER, path=str(folder.path), found=found, known=VERSION))
    if found < VERSION:
        files.write(place, f"{VERSION}\n".encode(), private=True)


@contextmanager
def address(folder: Path) -> Iterator[str]:
    """The address of the control socket in a folder.

    A path that is longer than an address may be is reached through a handle of the folder (Linux); elsewhere the
    folder's name must be shorter, and the error of the system says so.
    """
    path = str(folder / SOCKET)
    if len(os.fsencode(path)) < ADDRESS or not sys.platform.startswith("linux"):
        yield path
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def free(path: str) -> None:
    """Remove a socket that a server left there."""
    with suppress(FileNotFoundError):
        os.unlink(path)
