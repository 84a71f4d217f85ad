"""Query files."""

from __future__ import annotations

import sys

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.messages import message
from logsql.diagnostics.unreadable import QUERY_NOT_READ
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)
from logsql.store.files import Files
from logsql.store.policy import Policy
from logsql.store.queryfiles import query_text, query_utf8


def read_query_file(path: str, policy: Policy) -> str:
    """The text of a query file (UTF-8, a byte order mark is dropped); ``-`` is standard input.

    Raises SourceError, PolicyError for a file that the session may not read.
    """
    if path != "-":
        return query_text(Files(policy), path, on_line=True)
    try:
        data = sys.stdin.buffer.read()
    except OSError as error:
        raise SourceError(diagnostic(QUERY_NOT_READ, path=path, reason=error.strerror or str(error))) from None
    return query_utf8(data, message("standard-input"))
