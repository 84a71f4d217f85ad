"""Files on other machines: one protocol for SFTP and FTP. Paths are those of the server, with ``/``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logsql.planner.services import Service

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile


@dataclass(frozen=True)
class Entry:
    """A file or folder as a listing has it; None where the server does not say."""

    name: str
    folder: bool
    size: int | None = None
    modified: dt.datetime | None = None
    link: bool = False
    uid: int | None = None
    gid: int | None = None
    perms: str | None = None
    owner: str | None = None
    group: str | None = None


class Content(Protocol):
    """The bytes of a file, from its beginning. ``read`` gives some, and none only at the end."""

    name: str

    def read(self, size: int = -1) -> bytes: ...
    def close(self) -> None: ...


class Connection(Protocol):
    """One login. Everything raises SourceError with a word where the server does not do it, and ReadCancelled."""

    def entries(self, path: str) -> Iterator[list[Entry]]:
        """What is in a folder, some at a time; of a file the file itself."""

    def content(self, path: str) -> Content:
        """A file to read."""

    def size(self, path: str) -> int | None:
        """Bytes of a file; None where there is none."""

    def last_byte(self, path: str, size: int) -> bytes:
        """The last byte of a file of this size."""

    def make_folders(self, path: str) -> None:
        """Make the folders in which a file will be, where they are missing."""

    def append(self, path: str, data: bytes, told: str) -> None:
        """Add bytes to a file, which is made where it is missing. ``told``: the path that an error names."""

    def place(self, temporary: str, path: str, replace: bool) -> None:
        """Give a file its name. Without ``replace`` raises SourceError (``file-exists``) where the name is taken."""

    def cut(self, path: str, size: int) -> None:
        """Make a file as short as it was, where the server can."""

    def remove(self, path: str) -> None:
        """Remove a file."""

    def close(self) -> None:
        """End the session."""


class RemoteFiles(Protocol):
    """Logs in to the servers of profiles."""

    def check(self, profile: Profile) -> None:
        """Raise PolicyError or SourceError where the server may not be reached."""

    def connect(self, profile: Profile, names: str, cancelled: Callable[[], bool]) -> Connection:
        """A login. ``names``: the charset of file names, where the protocol does not fix it."""


SFTP: Service[RemoteFiles] = Service("sftp")
FTP: Service[RemoteFiles] = Service("ftp")
