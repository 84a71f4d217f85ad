"""What a query may touch. Every reader, writer and model load asks here; DuckDB is locked to the same rules. Who may
be reached over the network, the fence of ``logsql/connectors/fence.py`` decides by ``safe`` and the settings.

The interactive user's own policy allows the user's files and asks nothing. ``--safe`` denies everything that was not
named: files outside the allowed directories, writing, the network.

A path is asked about before the file system is, and the file system is asked about nothing outside: the answer is the
same for a file that is there, one that is not, a folder and a link. A path that leaves the known folders and climbs
back (``/etc/x.d/../../case/a.csv``) is refused, because opening it tells whether ``/etc/x.d`` is there.
"""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from logsql.diagnostics.engine import READ_NOT_ALLOWED, WRITE_NOT_ALLOWED
from logsql.diagnostics.errors import PolicyError, RunError, diagnostic
from logsql.diagnostics.paths import NO_SUCH_NAME

#: Links that one path may lead through, as Linux allows them.
_LINKS = 40


@dataclass(frozen=True)
class Policy:
    """Rules of one session. Empty ``directories`` with ``safe`` means that no file may be read.

    ``write``: everything may be written, the user's own folders (history, results, models) too. Without it only what
    lies below ``writable`` may, which is in ``directories`` as well.
    """

    safe: bool = False
    directories: tuple[str, ...] = ()
    write: bool = True
    writable: tuple[str, ...] = ()
    known: frozenset[str] = field(default=frozenset(), repr=False)
    """Folders whose being there is no secret: those that lead to the allowed ones."""

    @staticmethod
    def safe_mode(directories: Sequence[str] = (), writable: Sequence[str] = ()) -> Policy:
        """Deny by default: read only below ``directories`` and ``writable``, write only below ``writable``, no network.

        Paths are resolved now: a folder that becomes a link later is still the folder that was meant. Raises RunError
        for what can be no path.
        """
        for folder in (*directories, *writable):
            check_path(folder)
        write = tuple(os.path.realpath(d) for d in writable)
        read = tuple(dict.fromkeys((*(os.path.realpath(d) for d in directories), *write)))
        known = {folder for d in (*directories, *writable, *read) for folder in _leading(os.path.abspath(d))}
        return Policy(True, read, write=False, writable=write, known=frozenset(known))

    # --- reading ----------------------------------------------------------------------------------

    def may_read(self, path: str) -> bool:
        return not self.safe or self.resolved(path) is not None

    def may_match(self, folder: str, parts: Sequence[str]) -> bool:
        """Whether what a pattern of DuckDB's matches below ``folder``, part by part, may all be read.

        DuckDB looks through a folder that a link of the case leads to before it refuses the files in it: how many
        there are would be told. Of a pattern with more than ``*`` and ``?`` every name is taken as matched.
        """
        if not self.may_read(folder):
            return False
        if any(sign in part for part in parts for sign in ("**", "[", "{")):
            entries = ((above, name) for above, *below in os.walk(folder) for names in below for name in names)
            return all(self.may_read(os.path.join(above, name)) for above, name in entries)
        found = [folder]
        for part in parts:
            found = [os.path.join(above, n) for above in found for n in _names(above) if fnmatch.fnmatchcase(n, part)]
            if not all(map(self.may_read, found)):
                return False
        return True

    def check_read(self, path: str) -> None:
        """Raise :class:`PolicyError` when the file may not be read, RunError for what can be no path."""
        check_path(path)
        if not self.may_read(path):
            raise read_refused(path)

    def opened(self, path: str, handle: int) -> bool:
        """Whether an open file is the one that the path means now, and may be read: a link may have been turned
        between the question and the opening. A file is known by its device and its number there."""
        if not self.safe:
            return True
        real = self.resolved(path)
        if real is None:
            return False
        try:
            return os.path.samestat(os.fstat(handle), os.stat(real, follow_symlinks=False))
        except OSError:
            return False

    def resolved(self, path: str) -> str | None:
        """The place that a path leads to through all links, None where it may not be read."""
        real = self._real(path)
        return real if real is not None and _below(real, self.directories) else None

    # --- writing -----------------------------------------------------------------------

    def may_write(self, path: str) -> bool:
        if self.write or not self.writable:
            return self.write
        real = self._real(path)
        return real is not None and _below(real, self.writable)

    def check_write(self, path: str) -> None:
        """Raise :class:`PolicyError` when the file may not be written, RunError for what can be no path."""
        check_path(path)
        if not self.may_write(path):
            raise write_refused(path)

    # --- paths ------------------------------------------------------------------------------------

    def _real(self, path: str) -> str | None:
        """The path without links and dots; None where it climbs out of a folder that nothing may be known of.

        ``os.path.realpath`` alone takes ``..`` behind a name that is not there as text: whether the file is then found
        tells whether the name is there. On Windows the path is made absolute as text by the system itself.
        """
        if "\0" in path:
            return None
        if sys.platform == "win32":
            return os.path.realpath(path)
        current = os.getcwd()
        rest, links = list(reversed(path.split("/"))), 0
        if path.startswith("/"):
            current = "/"
        else:  # where we are is known
            while rest and rest[-1] in ("", ".", ".."):
                current = os.path.dirname(current) if rest.pop() == ".." else current
        while rest:
            part = rest.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if current not in self.known and not _below(current, self.directories):
                    return None
                current = os.path.dirname(current)
                continue
            step = os.path.join(current, part)
            try:
                target = os.readlink(step)
            except (OSError, ValueError):
                current = step
                continue
            links += 1
            if links > _LINKS:
                return None
            if target.startswith("/"):
                current = "/"
            rest += reversed(target.split("/"))
        return current


def _names(folder: str) -> list[str]:
    """Names in a folder; none where there is no such folder."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def read_refused(path: str) -> PolicyError:
    return PolicyError(diagnostic(READ_NOT_ALLOWED, path=path))


def write_refused(path: str) -> PolicyError:
    return PolicyError(diagnostic(WRITE_NOT_ALLOWED, path=path))


def _below(real: str, folders: Sequence[str]) -> bool:
    return any(real == folder or real.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def _leading(folder: str) -> list[str]:
    """The folder and those above it."""
    found = [folder]
    while (above := os.path.dirname(found[-1])) != found[-1]:
        found.append(above)
    return found


def check_path(path: str) -> None:
    """Raise RunError for a text that no system takes for a path: one with the character NUL."""
    if "\0" in path:
        raise RunError(diagnostic(NO_SUCH_NAME, path=path.replace("\0", "\\0")))
