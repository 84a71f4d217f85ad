"""Query files."""

from __future__ import annotations

import sys

from logsql.diagnostics.errors import Diagnostic, SourceError
from logsql.diagnostics.messages import message
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)
from logsql.store.files import Files


def read_query_file(path: str) -> str:
    """The text of a query file (UTF-8, a byte order mark is dropped); ``-`` is standard input. Raises SourceError."""
    shown = "standard input" if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read()
        else:
            data = Files().read(path)
    except OSError as error:
        reason = error.strerror or str(error)
        problem = Diagnostic("E3002", "file-not-read", message("file-not-read", path=path, reason=reason))
        raise SourceError(problem) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        sentence = message("file-not-utf8", path=shown, offset=error.start)
        raise SourceError(Diagnostic("E3003", "file-not-utf8", sentence)) from None
