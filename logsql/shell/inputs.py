"""Query files."""

from __future__ import annotations

import errno
import os
import sys

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.messages import message
from logsql.diagnostics.unreadable import QUERY_NOT_READ, QUERY_NOT_UTF8
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)
from logsql.store.files import Files
from logsql.store.policy import Policy

#: Bytes of a query file. ``/dev/zero`` was read till memory ended.
MOST_QUERY = 256 << 20


def read_query_file(path: str, policy: Policy) -> str:
    """The text of a query file (UTF-8, a byte order mark is dropped); ``-`` is standard input.

    Raises SourceError, PolicyError for a file that the session may not read.
    """
    shown = message("standard-input") if path == "-" else path
    try:
        if path == "-":
            data = sys.stdin.buffer.read()
        else:
            data = Files(policy).read(path, MOST_QUERY, pipes=True)
    except ValueError:  # a device without end, else
        raise SourceError(diagnostic(QUERY_NOT_READ, path=path, reason=os.strerror(errno.EFBIG))) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise SourceError(diagnostic(QUERY_NOT_READ, path=path, reason=reason)) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(diagnostic(QUERY_NOT_UTF8, path=shown, offset=error.start)) from None
