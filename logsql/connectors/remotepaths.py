"""What SFTP and FTP have in common: the words of their errors, and paths that may go to a server."""

from __future__ import annotations

import posixpath
import re

from logsql.connectors.failures import no_answer
from logsql.connectors.profiles import Place
from logsql.diagnostics.errors import SourceError

_BREAK = re.compile(r"[\r\n\0]")


def failed(place: Place, path: str, word: str) -> SourceError:
    """The error for a file on a server."""
    shown = path if path.startswith("/") else f"/{path}"
    return no_answer(f"{place.told}{_BREAK.sub('?', shown)}", word)


def checked(place: Place, path: str) -> str:
    """The path, which must not end the command that it stands in. Raises SourceError (``bad-path``)."""
    if not path or _BREAK.search(path):
        raise failed(place, path, "bad-path")
    return path


def folders_of(path: str) -> list[str]:
    """The folders in which a file lies, outermost first.

    >>> folders_of("/a/b/c.txt"), folders_of("a/c.txt")
    (['/a', '/a/b'], ['a'])
    """
    found: list[str] = []
    while (path := posixpath.dirname(path)) and path != "/":
        found.insert(0, path)
    return found
