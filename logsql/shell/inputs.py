"""Query files."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from logsql.diagnostics.errors import SourceError, diagnostic
from logsql.diagnostics.messages import message
from logsql.diagnostics.unreadable import QUERY_NOT_READ
from logsql.engine.sourceerrors import source_error
from logsql.shell import texts as _texts  # noqa: F401  (adds the sentences)
from logsql.store.files import Files
from logsql.store.policy import Policy
from logsql.store.queryfiles import query_text, query_utf8
from udfs.readers.errors import ReaderError
from udfs.readers.files import Files as OpenFiles
from udfs.readers.patterns import has_wildcard

#: What the name of a query file ends in where a folder is looked through.
ENDING = ".lq"


def query_files(words: Sequence[str], policy: Policy) -> list[str]:
    """The query files that words of the command line name, each once: a file, all ``.lq`` below a folder, a pattern.

    ``*`` and ``**`` stand for what they do in the paths of a query. Raises SourceError, PolicyError.
    """
    files = Files(policy)
    door = OpenFiles(policy.may_read, policy.opened, policy.safe)
    found: dict[str, None] = {}
    for word in words:
        if word == "-" or not (files.has_folder(word) or has_wildcard(word)):
            found[word] = None
            continue
        try:
            found.update(dict.fromkeys(os.path.normpath(path) for path in door.expand(word, _is_query)))
        except ReaderError as problem:
            raise source_error(problem) from None
    return list(found)


def _is_query(path: str, name: str, head: Callable[[int], bytes]) -> bool:
    return path.endswith(ENDING)


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
