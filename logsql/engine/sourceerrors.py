"""The user's error for what a reader raises: code by command, the name as the reader says it, the nearest file name."""

from __future__ import annotations

import os

from logsql.diagnostics.errors import Diagnostic, LogsqlError, PolicyError, SourceError, did_you_mean
from logsql.diagnostics.extras import missing_extra
from udfs.extras import MissingExtra
from udfs.readers.errors import ReaderError

#: Code of "this file cannot be read" by command (language.md section 10); E3002 for commands that have none.
CODES = {"textfile": "10700", "csvfile": "10800", "jsonfile": "10900", "zipfile": "14000"}


def source_error(problem: ReaderError, kind: str | None = None) -> LogsqlError:
    """The error of a reader as the user sees it. ``kind``: the command; what the error itself remembers without one."""
    kind = kind or problem.kind
    if problem.code == "read-not-allowed":
        return PolicyError(Diagnostic("E4001", problem.code, str(problem), help="allow it with --allow-dir"))
    code = CODES.get(kind or "", "E3002")
    if isinstance(problem.__cause__, MissingExtra):
        return SourceError(missing_extra(problem.__cause__, code, problem.code))
    notes = (f"path: {problem.path}",) if problem.path and problem.path not in str(problem) else ()
    help_text = _near_files(problem.path) if problem.code in ("file-not-found", "no-match") else None
    return SourceError(Diagnostic(code, problem.code, str(problem), notes=notes, help=help_text))


def _near_files(path: str) -> str | None:
    folder, name = os.path.split(path.replace("\\", "/"))
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return f"the folder {folder} does not exist" if folder else None
    return did_you_mean(name, names)
