"""The text of a file of queries (``FILE.lq``, a stored query, a schema): UTF-8 of a bounded size."""

from __future__ import annotations

import errno
import os

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.paths import QUERY_FROM_INPUT
from logsql.diagnostics.unreadable import QUERY_NOT_READ, QUERY_NOT_UTF8
from logsql.store.files import Files
from udfs.regular import is_special

#: Bytes of a query file.
MOST_QUERY = 256 << 20


def query_text(files: Files, path: str, on_line: bool = False) -> str:
    """The text; a byte order mark is dropped. ``on_line``: standard input could be named instead of the file.

    Raises SourceError, PolicyError for a file that the session may not read.
    """
    try:
        return query_utf8(files.read(path, MOST_QUERY), path)
    except OSError as error:
        reason = error.strerror or str(error)
        help = QUERY_FROM_INPUT.fill() if on_line and is_special(path) else None
        raise SourceError(diagnostic(QUERY_NOT_READ, help=help, path=path, reason=reason)) from None
    except ValueError:
        raise SourceError(diagnostic(QUERY_NOT_READ, path=path, reason=os.strerror(errno.EFBIG))) from None


def query_utf8(data: bytes, shown: str) -> str:
    """Bytes as the text of a query. Raises SourceError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(diagnostic(QUERY_NOT_UTF8, path=shown, offset=error.start)) from None
